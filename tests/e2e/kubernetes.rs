//! `evenhand decide kubernetes` and `evenhand can` in the terms of `kubectl auth can-i`.

use serde_json::{Value, json};

use crate::common::{Scene, json};

const CLUSTER: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: bot, namespace: ops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: scaler, namespace: ops}
rules:
- {apiGroups: [apps], resources: [deployments/scale], verbs: [update]}
- {apiGroups: [""], resources: [secrets], resourceNames: [db], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: scaler, namespace: ops}
subjects: [{kind: ServiceAccount, name: bot}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: scaler}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: health}
subjects: [{kind: ServiceAccount, name: bot, namespace: ops}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: health}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: health}
rules:
- {nonResourceURLs: ["/healthz*"], verbs: [get]}
- {apiGroups: [""], resources: [nodes], verbs: [list]}
"#;

fn scene() -> Scene {
    Scene::new().file("k8s/prod/all.yaml", CLUSTER.as_bytes())
}

const BOT: &str = "system:serviceaccount:ops:bot";

#[test]
fn can_is_asked_as_kubectl_is_asked() {
    let scene = scene();
    for (words, code) in [
        (&["update", "deployments.apps/scale", "-n", "ops"][..], 0),
        (&["update", "deployments/scale", "-n", "ops"], 0),
        (&["update", "deployments.apps/scale", "--namespace", "dev"], 1),
        (&["update", "deployments.apps", "-n", "ops"], 1),
        (&["get", "secrets", "-n", "ops", "--name", "db"], 0),
        (&["get", "secrets", "-n", "ops", "--name", "other"], 1),
        (&["get", "secrets", "-n", "ops"], 1),
        (&["get", "secrets", "--name", "db"], 1),
        (&["get", "/healthz/etcd"], 0),
        (&["get", "/metrics"], 1),
        (&["list", "nodes"], 0),
        // As `kubectl auth can-i` has it: what is in no namespace is asked without one.
        (&["list", "nodes", "-n", "ops"], 0),
        (&["get", "nodes", "--name", "n1"], 1),
    ] {
        let arguments: Vec<&str> = ["can", BOT].iter().chain(words).chain(&["--from", "k8s"]).copied().collect();
        let run = scene.run(&arguments);
        assert_eq!(run.code, code, "{words:?}: {} {}", run.stdout, run.stderr);
    }
    let somewhere = scene.run(&["can", BOT, "get", "secrets", "--name", "db", "--from", "k8s"]);
    assert!(somewhere.stdout.contains("on `ops/db`"), "{}", somewhere.stdout);
}

#[test]
fn what_bindings_that_were_not_read_may_grant_is_not_denied_and_no_parity() {
    let role = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: bot, namespace: ops, annotations: {evenhand.dev/nature: ai_agent, evenhand.dev/human-role: oncall}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: ops}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: ops}
subjects: [{kind: ServiceAccount, name: bot}, {kind: Group, name: oncall, apiGroup: rbac.authorization.k8s.io}]
roleRef: {kind: Role, name: r, apiGroup: rbac.authorization.k8s.io}
"#;
    let none = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBindingList\nitems: []\n";
    for (rest, outcome, verdict) in [("", "unknown", "UNKNOWN"), (none, "denied", "PARITY")] {
        let scene = Scene::new().file("k8s/prod/all.yaml", format!("{role}{rest}").as_bytes());
        let asked = scene.run(&["can", BOT, "list", "secrets", "-n", "ops", "--from", "k8s"]);
        assert!(asked.stdout.starts_with(outcome), "{}", asked.stdout);
        let named = asked.stdout.contains("kubectl get clusterrolebindings -o json");
        assert_eq!(named, outcome == "unknown", "{}", asked.stdout);
        assert_eq!(scene.run(&["can", BOT, "get", "pods", "-n", "ops", "--from", "k8s"]).code, 0);
        let card = scene.run(&["compare", BOT, "--from", "k8s"]).stdout;
        assert!(card.starts_with(verdict), "{card}");
    }
}

#[test]
fn whoever_has_no_access_of_its_own_is_told_of_by_those_whose_access_it_uses() {
    let arguments = ["can", "agent:codex:laptops/home/bao", "s3:GetObject", "--from", "examples/acme"];
    let acme = std::process::Command::new(env!("CARGO_BIN_EXE_evenhand"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&acme.stderr);
    assert!(said.contains("ask about `arn:aws:iam::222222222222:role/"), "{said}");
}

#[test]
fn an_explanation_counts_the_tool_servers_as_the_answer_does() {
    let run = |arguments: &[&str]| {
        let acme = std::process::Command::new(env!("CARGO_BIN_EXE_evenhand"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(arguments)
            .args(["--from", "examples/acme"])
            .output()
            .unwrap();
        String::from_utf8(acme.stdout).unwrap()
    };
    let way = "by way of sre/cluster-tools (tools exec_in_pod, get_events, get_pods)";
    let why = run(&["explain", "sre/incident-triage", "delete", "pods"]);
    assert!(why.contains("by nothing of its own"), "{why}");
    assert!(why.contains(&format!("\nGranted {way}\n")), "{why}");
    assert!(why.contains(&format!("  but {way}: allowed\n")), "{why}");
    let whole = run(&["explain", "sre/incident-triage"]);
    assert!(whole.contains(&format!("  {way}: ")), "{whole}");
}

#[test]
fn what_the_server_says_of_itself_is_read_and_counts() {
    let version = r#"{"major": "1", "minor": "34", "gitVersion": "v1.34.1", "platform": "linux/amd64"}"#;
    let served = r#"{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "meters.example.com/v1", "resources": [
        {"name": "meters", "singularName": "meter", "namespaced": true, "kind": "Meter", "verbs": ["get", "list"]}]}"#;
    let scene =
        scene().file("k8s/prod/version.json", version.as_bytes()).file("k8s/prod/meters.json", served.as_bytes());
    let report = json(&scene.run(&["scan", "k8s", "-o", "json"]).stdout);
    let read: Vec<(&str, &str)> = report["scan"]["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| (source["path"].as_str().unwrap(), source["status"].as_str().unwrap()))
        .collect();
    assert_eq!(
        read,
        [("k8s/prod/all.yaml", "read"), ("k8s/prod/meters.json", "read"), ("k8s/prod/version.json", "read")]
    );
    // A resource that only discovery knows can be asked about without its group.
    let ask = ["can", BOT, "get", "meters", "-n", "ops", "--from", "k8s"];
    assert_eq!((scene.run(&ask).code, scene.run(&ask).stdout.lines().next()), (1, Some("denied: nothing allows it")));
}

#[test]
fn what_cannot_be_asked_is_said() {
    let scene = scene();
    for (words, said) in [
        (&["get", "pods/web", "-n", "ops"][..], "no such subresource"),
        (&["get", "/healthz", "-n", "ops"], "a URL is in no namespace"),
        (&["get", "widgets", "-n", "ops"], "give its API group"),
        (&["get", "pods", "-n", "ops", "--on", "ops/"], "cannot be used with"),
    ] {
        let arguments: Vec<&str> = ["can", BOT].iter().chain(words).chain(&["--from", "k8s"]).copied().collect();
        let run = scene.run(&arguments);
        assert!(run.code == 2 && run.stderr.contains(said), "{words:?}: {} {}", run.stdout, run.stderr);
    }
}

fn world(user: &str) -> Value {
    json!({
        "roles": [{ "metadata": { "name": "r", "namespace": "ops" }, "rules": [{ "verbs": ["get"], "apiGroups": [""], "resources": ["pods"] }] }],
        "roleBindings": [{
            "metadata": { "name": "b", "namespace": "ops" }, "subjects": [{ "kind": "User", "name": user }],
            "roleRef": { "kind": "Role", "name": "r" }
        }],
        "requests": [{ "verb": "get", "resource": "pods", "namespace": "ops", "user": "ann" }],
    })
}

#[test]
fn a_bad_world_is_answered_with_its_place_and_the_next_ones_go_on() {
    let mut typo = world("ann");
    typo["rolebindings"] = json!([]);
    let mut bad = world("ann");
    bad["roles"][0]["rules"] = json!({});
    let lines = [world("ann").to_string(), typo.to_string(), "{".to_owned(), bad.to_string(), world("bob").to_string()];
    let run = Scene::new().run_with(&["decide", "kubernetes"], &lines.join("\n"));
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("3 requests could not be decided"), "{}", run.stderr);
    let answers: Vec<Value> = run.stdout.lines().map(json).collect();
    assert_eq!(
        answers[0],
        json!({ "decisions": [{ "allowed": true, "by": [{ "binding": "RoleBinding ops/b", "role": "Role ops/r", "rule": 0 }] }] })
    );
    let places: Vec<(u64, &str)> = answers[1..4]
        .iter()
        .map(|answer| (answer["error"]["line"].as_u64().unwrap(), answer["error"]["at"].as_str().unwrap()))
        .collect();
    assert_eq!(places, [(2, "/rolebindings"), (3, ""), (4, "/roles/0/rules")]);
    assert_eq!(answers[4], json!({ "decisions": [{ "allowed": false, "by": [] }] }));
}

#[test]
fn lists_that_a_line_leaves_out_are_those_of_the_capture() {
    let scene = scene();
    let request = |verb: &str| json!({ "verb": verb, "resource": "nodes", "user": BOT });
    let other = json!({ "metadata": { "name": "health" }, "rules": [{ "verbs": ["get"], "apiGroups": [""], "resources": ["nodes"] }] });
    let lines = [
        json!({ "requests": [request("list"), request("get")] }).to_string(),
        json!({ "clusterRoles": [other], "requests": [request("list"), request("get")] }).to_string(),
    ];
    let run = scene.run_with(&["decide", "kubernetes", "--from", "k8s"], &lines.join("\n"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let allowed: Vec<Vec<Value>> = run
        .stdout
        .lines()
        .map(|line| json(line)["decisions"].as_array().unwrap().iter().map(|one| one["allowed"].clone()).collect())
        .collect();
    assert_eq!(allowed, [[true, false], [false, true]]);
    assert!(run.stdout.contains("\"at\":\"k8s/prod/all.yaml:"), "{}", run.stdout);
    let run = Scene::with_account().run_with(&["decide", "kubernetes", "--from", "gaad.json"], &lines[0]);
    assert!(run.code == 2 && run.stderr.contains("nothing of `kubernetes` was found in gaad.json"), "{}", run.stderr);
}

#[test]
fn the_order_and_the_answers_do_not_depend_on_the_number_of_threads() {
    let lines: Vec<String> = (0..2000).map(|at| world(if at % 3 == 0 { "ann" } else { "bob" }).to_string()).collect();
    let input = lines.join("\n");
    let scene = Scene::new();
    let one = scene.run_with(&["decide", "kubernetes", "--jobs", "1"], &input);
    assert_eq!((one.code, one.stdout.lines().count()), (0, 2000));
    assert_eq!(scene.run_with(&["decide", "kubernetes", "--jobs", "4"], &input).stdout, one.stdout);
}

#[test]
fn the_schema_describes_worlds_and_answers() {
    let schema = json(&Scene::new().run(&["schema", "decide-kubernetes"]).stdout);
    assert_eq!(schema["$ref"], "#/$defs/World");
    for name in ["World", "Role", "Binding", "Request", "Answer", "Refused"] {
        assert!(schema["$defs"][name].is_object(), "{name}");
    }
}

/// A cluster in which nobody took care: every object breaks some rule about clusters.
const CARELESS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: ai}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicyList
items: []
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfigurationList
items: []
---
apiVersion: kagent.dev/v1alpha2
kind: Agent
metadata: {name: lead, namespace: ai}
spec: {type: Declarative, declarative: {tools: [{type: McpServer, mcpServer: {apiGroup: kagent.dev, kind: MCPServer, name: tools}}]}}
---
apiVersion: kagent.dev/v1alpha2
kind: Agent
metadata: {name: mate, namespace: ai}
spec: {type: Declarative, declarative: {tools: [{type: McpServer, mcpServer: {apiGroup: kagent.dev, kind: MCPServer, name: tools}}]}}
---
apiVersion: kagent.dev/v1alpha1
kind: MCPServer
metadata: {name: tools, namespace: ai}
spec: {deployment: {image: "example.com/tools:latest"}, transportType: stdio}
---
apiVersion: toolhive.stacklok.dev/v1beta1
kind: MCPServer
metadata: {name: files, namespace: ai}
spec: {image: "example.com/files:latest"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: lead, namespace: ai}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: tools, namespace: ai}
---
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata:
  name: tools-token
  namespace: ai
  uid: "0"
  annotations: {kubernetes.io/service-account.name: tools, kubectl.kubernetes.io/last-applied-configuration: ""}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: lead, namespace: ai, uid: "1"}
spec:
  template:
    metadata: {labels: {kagent: lead}}
    spec:
      serviceAccountName: lead
      containers: [{image: "example.com/lead:1"}]
      volumes: [{name: t, projected: {sources: [{serviceAccountToken: {audience: vault, expirationSeconds: 2592000}}]}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: flows, namespace: ai, uid: "2"}
spec:
  template:
    spec:
      containers:
      - image: n8nio/n8n
        securityContext: {privileged: true}
        env: [{name: OPENAI_API_KEY, value: example-only-opens-nothing}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: look}
rules:
- {apiGroups: [""], resources: [secrets, pods], verbs: [get, list]}
- {apiGroups: [apps], resources: [deployments], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: lead}
subjects: [{kind: ServiceAccount, name: lead, namespace: ai}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: look}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: tools}
subjects: [{kind: ServiceAccount, name: tools, namespace: ai}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: people, namespace: ai}
subjects: [{kind: Group, name: people}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
"#;

#[test]
fn a_careless_cluster_breaks_the_rules_about_clusters() {
    let jobs = "[[job]]\nname = \"ops\"\nhuman = [\"kubernetes:group/people\"]\nagents = [\"kubernetes:service_account/ai/*\"]\n";
    let scene = Scene::new().file("k8s/prod/all.yaml", CARELESS.as_bytes()).file("evenhand.toml", jobs.as_bytes());
    let report = json(&scene.run(&["scan", "k8s", "-o", "json"]).stdout);
    let failed: std::collections::BTreeSet<&str> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| finding["status"] == "fail")
        .filter_map(|finding| finding["rule"].as_str())
        .collect();
    let expected = [
        "agent-egress-unrestricted",
        "agent-may-call-every-tool",
        "agent-or-tool-server-privileged",
        "agent-place-not-hardened",
        "agent-service-account-bound-cluster-wide",
        "agent-uses-default-identity",
        "agent-workload-privileged",
        "ai-identity-administrator",
        "ai-identity-can-escalate",
        "broad-secret-store-read",
        "excess-over-human-role",
        "high-risk-excess-over-human-role",
        "long-lived-service-account-token",
        "long-lived-workload-token",
        "no-owner",
        "permissive-approval-default",
        "plaintext-secret-in-workload-environment",
        "remote-tool-server-without-authentication",
        "secret-copied-into-metadata",
        "tool-server-decides-nothing",
        "tool-server-not-audited",
        "tool-server-not-pinned",
        "tool-server-shared-by-agents",
        "write-on-all-resources",
    ];
    let missed: Vec<&str> = expected.into_iter().filter(|rule| !failed.contains(rule)).collect();
    assert_eq!(missed, [""; 0], "{failed:?}");
}

#[test]
fn manifests_in_flow_style_are_recognised() {
    let account =
        |name: &str| format!("{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {name}, namespace: ops}}}}\n");
    for (text, count) in [
        (format!("---\n{}---\n{}", account("a"), account("b")), 2),
        (format!("{}---\n{}", account("a"), account("b")), 2),
        (format!("# accounts\n--- {}", account("a")), 1),
        (
            format!(
                "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: a, namespace: ops}}\n---\n{}",
                account("b")
            ),
            2,
        ),
        (
            "{\n  apiVersion: v1,\n  kind: List,\n  items: [\n".to_owned()
                + "    {apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: ops}}\n  ]\n}\n",
            1,
        ),
    ] {
        let scene = Scene::new().file("k8s/prod/all.yaml", text.as_bytes());
        let report = json(&scene.run(&["inventory", "k8s", "-o", "json"]).stdout);
        let rows = report["tables"]["identities"].as_array().unwrap_or_else(|| panic!("{report}"));
        let accounts = rows.iter().filter(|row| row["kind"] == "service_account").count();
        assert_eq!(accounts, count, "{text}");
    }
}

const TENANT: &str = "3f2a1c00-0000-4000-8000-000000000001";

/// A tenant with a managed identity and an application without a secret, each of which takes the tokens of one account.
fn tenant() -> String {
    let at = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/reader";
    let authorization = "/subscriptions/s/providers/Microsoft.Authorization";
    let admits = |account: &str| {
        json!([{ "id": "1", "name": "aks", "issuer": "https://oidc.prod-aks.azure.com/x/y/", "audiences": ["api://AzureADTokenExchange"],
            "subject": format!("system:serviceaccount:ops:{account}") }])
    };
    let answer = |host: &str, path: &str, value: Value| {
        json!({ "tenant": TENANT, "host": host, "path": path, "response": { "value": value } }).to_string() + "\n"
    };
    let (graph, manager) = ("graph.microsoft.com", "management.azure.com");
    let assigned = |principal: &str| {
        json!({ "id": principal, "properties": { "principalId": principal,
        "roleDefinitionId": format!("{authorization}/roleDefinitions/r"), "scope": "/subscriptions/s" } })
    };
    [
        answer(graph, "/v1.0/servicePrincipals", json!([{ "id": "app-object", "appId": "22222222-0000-4000-8000-00000000000A",
            "displayName": "deployer", "servicePrincipalType": "Application", "appOwnerOrganizationId": TENANT }])),
        answer(graph, "/v1.0/applications", json!([{ "id": "app-definition", "appId": "22222222-0000-4000-8000-00000000000A", "displayName": "deployer" }])),
        answer(graph, "/v1.0/applications/app-definition/federatedIdentityCredentials", admits("deployer")),
        answer(manager, "/subscriptions/s/providers/Microsoft.ManagedIdentity/userAssignedIdentities", json!([{ "id": at,
            "name": "reader", "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
            "properties": { "principalId": "machine", "clientId": "11111111-0000-4000-8000-000000000001", "tenantId": TENANT } }])),
        answer(manager, &format!("{at}/federatedIdentityCredentials"), json!([{ "id": "1", "name": "aks", "properties": {
            "issuer": "https://oidc.prod-aks.azure.com/x/y/", "audiences": ["api://AzureADTokenExchange"],
            "subject": "system:serviceaccount:ops:reader" } }])),
        answer(manager, &format!("{authorization}/roleDefinitions"), json!([{ "id": format!("{authorization}/roleDefinitions/r"),
            "properties": { "roleName": "R", "permissions": [{ "actions": ["Microsoft.Storage/storageAccounts/read"] }] } }])),
        answer(manager, &format!("{authorization}/roleAssignments"), json!([assigned("machine"), assigned("app-object")])),
    ]
    .concat()
}

#[test]
fn an_account_that_names_a_client_in_azure_reaches_the_identity_of_that_client() {
    let account = |name: &str, client: &str| {
        format!(
            "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}, namespace: ops, annotations: {{azure.workload.identity/client-id: {client}}}}}\n"
        )
    };
    let cluster = account("reader", "11111111-0000-4000-8000-000000000001")
        + &account("deployer", "22222222-0000-4000-8000-00000000000a")
        // Another account's identity.
        + &account("stranger", "11111111-0000-4000-8000-000000000001");
    let scene =
        Scene::new().file("k8s/prod/all.yaml", cluster.as_bytes()).file("azure/all.ndjson", tenant().as_bytes());
    let report = json(&scene.run(&["scan", ".", "-o", "json"]).stdout);
    let rows = |table: &str| report["tables"][table].as_array().unwrap_or_else(|| panic!("{report}")).clone();
    let targets = |name: &str, table: &str, source: &str| -> Vec<String> {
        let of = |row: &Value| row[source] == format!("kubernetes:prod:serviceaccount:ops/{name}");
        rows(table).iter().filter(|row| of(row)).map(|row| row["target"].as_str().unwrap().to_owned()).collect()
    };
    for (name, kind, object) in
        [("reader", "managed_identity", "machine"), ("deployer", "service_principal", "app-object")]
    {
        let expected = [format!("azure:{TENANT}:{kind}:{object}")];
        assert_eq!(targets(name, "trusts", "source"), expected);
        assert_eq!(targets(name, "paths", "identity"), expected);
    }
    assert_eq!(targets("stranger", "paths", "identity"), [] as [String; 0]);
    assert!(report["hints"].to_string().contains("does not admit tokens of"), "{}", report["hints"]);
}
