//! Whole readings: documents in, inventory, access, decisions and edges out.

mod agents;
mod guards;
mod mistyped;
mod names;
mod refused;
mod samples;
mod secrets;
mod speed;
mod surroundings;

use std::sync::Arc;

use evenhand_model::access::{AccessResolver, EdgeTarget, Outcome, Request, Unlisted};
use evenhand_model::document::{Document, FileFacts, Format, Head, ReadError};
use evenhand_model::evidence::Fact;
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, judge};
use evenhand_model::inventory::Inventory;
use evenhand_model::provider::{Provider, ReadOptions, Reading, Settings};
use evenhand_model::secret::Fingerprinter;

use crate::Kubernetes;

pub(crate) fn document(path: &str, text: &str) -> Document {
    let format = if text.trim_start().starts_with(['{', '[']) { Format::Json } else { Format::Yaml };
    Document {
        path: path.into(),
        relative: path.into(),
        source_name: path.rsplit('/').next().unwrap_or(path).into(),
        format,
        text: text.to_owned(),
        head: Head::default(),
        file: FileFacts { tracked: Some(true), ..FileFacts::default() },
    }
}

pub(crate) fn options(settings: &[(&str, &str)]) -> ReadOptions {
    let settings: Settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let now = "2026-11-01T00:00:00Z".parse().expect("a time");
    ReadOptions { now, fingerprinter: Fingerprinter::keyed("test"), settings }
}

pub(crate) fn read_all(documents: Vec<Document>, settings: &[(&str, &str)]) -> (Reading, Vec<ReadError>) {
    let mut reader = Kubernetes.reader(options(settings));
    let errors = documents.into_iter().filter_map(|document| reader.read(document).err()).flatten().collect();
    (reader.finish(), errors)
}

fn read(text: &str) -> (Inventory, Box<dyn AccessResolver>) {
    let (reading, errors) = read_all(vec![document("k8s/c/all.yaml", text)], &[]);
    assert_eq!(errors, []);
    (reading.inventory, reading.resolver.expect("a resolver"))
}

fn account(name: &str) -> IdentityId {
    IdentityId::new(format!("kubernetes:c:serviceaccount:{name}"))
}

fn nature(inventory: &Inventory, id: &IdentityId) -> Nature {
    judge(&inventory.identities.iter().find(|one| one.id == *id).expect("an identity").signals).nature
}

fn names(resolver: &dyn AccessResolver, id: &IdentityId) -> Vec<String> {
    let operations = resolver.access(id).expect("access").operations().clone();
    operations.iter().map(|one| resolver.catalog().name(one).to_string()).collect()
}

fn decide(resolver: &dyn AccessResolver, id: &IdentityId, operation: &str, resource: Option<&str>) -> Outcome {
    let request = Request {
        identity: id.to_string(),
        operation: operation.to_owned(),
        resource: resource.map(str::to_owned),
        context: Default::default(),
    };
    resolver.decide(id, &request).expect("an answer").outcome
}

const CLUSTER: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: ops, labels: {environment: production}}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: triage
  namespace: ops
  annotations:
    evenhand.dev/job: incident-response
    evenhand.dev/owner: team-sre
    evenhand.dev/reviewed-on: "2026-09-01"
    eks.amazonaws.com/role-arn: arn:aws:iam::111111111111:role/triage
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: root, namespace: ops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployer, namespace: ops}
rules:
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, create]
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [settings]
  verbs: [get, update, create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: deployer
  namespace: ops
subjects:
- kind: ServiceAccount
  name: triage
- kind: Group
  name: sre
  apiGroup: rbac.authorization.k8s.io
roleRef: {kind: Role, name: deployer, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: root}
subjects:
- {kind: ServiceAccount, name: root, namespace: ops}
roleRef: {kind: ClusterRole, name: cluster-admin, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: ops}
subjects:
- {kind: User, name: ann@example.com}
roleRef: {kind: ClusterRole, name: view, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: triage, namespace: ops}
spec:
  template:
    metadata: {labels: {app: triage}}
    spec:
      serviceAccountName: triage
      containers:
      - name: main
        image: example.com/triage:1
        env:
        - {name: ANTHROPIC_API_KEY, value: CANARY-example-key-000}
        args: ["--token=CANARY-example-token-1"]
"#;

#[test]
fn an_account_is_joined_with_its_bindings_workloads_and_declarations() {
    let (inventory, resolver) = read(CLUSTER);
    let triage = inventory.identities.iter().find(|one| one.id == account("ops/triage")).expect("triage");
    assert_eq!(triage.job.as_ref().map(|job| job.as_str()), Some("incident-response"));
    assert_eq!(triage.owner, Fact::Known("team-sre".into()));
    assert_eq!(triage.environment, Fact::Known("production".into()));
    assert!(triage.reviewed_at.value().is_some());
    assert_eq!(nature(&inventory, &triage.id), Nature::AiAgent);
    assert_eq!(nature(&inventory, &account("ops/root")), Nature::Workload);
    assert_eq!(
        names(&*resolver, &triage.id),
        ["get configmaps", "update configmaps", "get deployments.apps", "create deployments.apps"]
    );
    let access = resolver.access(&triage.id).expect("access");
    let grant = resolver.grant(access.slices()[0].grant);
    assert_eq!(grant.to_string(), "Role deployer through RoleBinding ops/deployer statement 0");
    assert_eq!(grant.evidence.to_string(), "k8s/c/all.yaml:25");
    let trust = inventory.trusts.iter().find(|one| one.target.as_str().starts_with("arn:aws:iam")).expect("a trust");
    assert_eq!(*trust.source, *triage.id.as_str());
    let workload = inventory.workloads.first().expect("a workload");
    assert_eq!((workload.token_mounted, workload.exposed), (Fact::Known(true), Fact::Unknown));
    assert!(resolver.is_admin(&account("ops/root")) == Some(true) && resolver.is_admin(&triage.id) == Some(false));
    let human = IdentityId::from("kubernetes:c:user:ann@example.com");
    assert_eq!(nature(&inventory, &human), Nature::Human);
    assert_eq!(decide(&*resolver, &human, "list pods", Some("ops/")), Outcome::Allowed);
    assert_eq!(decide(&*resolver, &human, "list pods", None), Outcome::Conditional);
    assert_eq!(decide(&*resolver, &human, "get secrets", Some("ops/x")), Outcome::ImplicitlyDenied);
    let view = IdentityId::from("kubernetes:c:clusterrole:view");
    assert_eq!(decide(&*resolver, &view, "list pods", None), Outcome::Allowed);
    assert!(inventory.identities.iter().any(|one| one.id == view && one.generic_role));
}

#[test]
fn what_leads_to_a_rule_names_the_subject_of_the_binding_and_the_role_that_is_collected() {
    const GROUPED: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: triage, namespace: ops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all-logs}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {logs: "yes"}}]}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: pod-logs, labels: {logs: "yes"}}
rules:
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: everybody}
subjects:
- {kind: User, name: somebody@example.com, apiGroup: rbac.authorization.k8s.io}
- {kind: Group, name: "system:serviceaccounts", apiGroup: rbac.authorization.k8s.io}
roleRef: {kind: ClusterRole, name: all-logs, apiGroup: rbac.authorization.k8s.io}
"#;
    let (_, resolver) = read(GROUPED);
    let links = |resolver: &dyn AccessResolver, operation: &str| -> Vec<String> {
        let (id, asked) = (account("ops/triage"), resolver.catalog().expand(operation));
        let access = resolver.access(&id).expect("access");
        let slice = access.slices().iter().find(|slice| slice.operations.intersects(&asked)).expect("a slice");
        resolver.links(&id, slice.grant).into_iter().map(|link| link.text.to_string()).collect()
    };
    let group = "ClusterRoleBinding everybody, which names Group system:serviceaccounts";
    let role = "ClusterRole all-logs, which collects the rule from ClusterRole pod-logs";
    assert_eq!(links(&*resolver, "get pods/log"), [group, role]);
    let own = "RoleBinding ops/deployer, which names ServiceAccount triage";
    assert_eq!(links(&*read(CLUSTER).1, "create deployments.apps"), [own]);
}

#[test]
fn who_may_start_workloads_reaches_the_accounts_beside_it() {
    let (_, resolver) = read(CLUSTER);
    let edges = resolver.edges();
    let edge = edges
        .iter()
        .find(|edge| edge.source == account("ops/triage") && edge.target == EdgeTarget::Identity(account("ops/root")))
        .expect("a step to the stronger account");
    assert_eq!((&*edge.technique, edge.escalation, edge.conditional), ("k8s.workload.create", true, false));
    assert_eq!(edge.grants.len(), 1);
    assert!(
        !edges.iter().any(|edge| edge.source == account("ops/root") && edge.escalation),
        "an admin has no more to gain"
    );
}

#[test]
fn accounts_that_are_left_out_of_the_steps_are_spoken_of() {
    let town = |equal: usize| {
        let mut objects = vec![
            r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"starter","namespace":"n"}}"#.to_owned(),
            r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"start","namespace":"n"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["create"]}]}"#.to_owned(),
            r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"read","namespace":"n"},"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}]}"#.to_owned(),
        ];
        let bind = |name: &str, role: &str, account: &str| {
            format!(
                r#"{{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{{"name":"{name}","namespace":"n"}},"roleRef":{{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"{role}"}},"subjects":[{{"kind":"ServiceAccount","name":"{account}","namespace":"n"}}]}}"#
            )
        };
        objects.push(bind("start", "start", "starter"));
        for at in 0..equal {
            let name = format!("reader-{at}");
            objects.push(format!(
                r#"{{"apiVersion":"v1","kind":"ServiceAccount","metadata":{{"name":"{name}","namespace":"n"}}}}"#
            ));
            objects.push(bind(&name, "read", &name));
        }
        read(&format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, objects.join(","))).1
    };
    let (few, many) = (town(3), town(4));
    let steps = |resolver: &dyn AccessResolver| {
        let source = account("n/starter");
        let to_account = |target: &EdgeTarget| matches!(target, EdgeTarget::Identity(_));
        resolver.edges().iter().filter(|edge| edge.source == source && to_account(&edge.target)).count()
    };
    assert_eq!((steps(&*few), steps(&*many)), (3, 3));
    assert_eq!(few.edges_left_out(), []);
    assert_eq!(few.unlisted(&account("n/starter")), []);
    let unlisted = many.unlisted(&account("n/starter"));
    assert!(matches!(&*unlisted, [Unlisted::Lesser(text)] if text.starts_with("further accounts")), "{unlisted:?}");
    let hints = many.edges_left_out();
    assert_eq!(hints.len(), 1);
    assert!(hints[0].message.contains("n/starter"), "{}", hints[0].message);
}

#[test]
fn a_role_that_was_not_read_is_a_doubt_of_its_own_in_each_namespace() {
    let bind = |namespace: &str| {
        format!(
            r#"{{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{{"name":"b","namespace":"{namespace}"}},"roleRef":{{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"lost"}},"subjects":[{{"kind":"ServiceAccount","name":"a","namespace":"{namespace}"}}]}},{{"apiVersion":"v1","kind":"ServiceAccount","metadata":{{"name":"a","namespace":"{namespace}"}}}}"#
        )
    };
    let (_, resolver) = read(&format!(r#"{{"apiVersion":"v1","kind":"List","items":[{},{}]}}"#, bind("x"), bind("y")));
    let doubts = |id: &str| resolver.access(&account(id)).expect("access").doubts.clone();
    assert!(doubts("x/a").iter().all(|doubt| !doubt.may_limit()), "roles do not deny");
    let own = |id: &str| doubts(id).into_iter().filter(|doubt| doubt.text.starts_with("Role ")).collect::<Vec<_>>();
    assert_eq!(own("x/a").len(), 1);
    assert_ne!(own("x/a"), own("y/a"));
}

#[test]
fn bindings_that_were_not_read_are_a_doubt_of_everybody_but_of_a_role_by_itself() {
    let text = |rest: &str| {
        format!(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: a, namespace: work}}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: b, namespace: work}}\nsubjects: [{{kind: ServiceAccount, name: a}}]\nroleRef: {{kind: ClusterRole, name: view, apiGroup: rbac.authorization.k8s.io}}\n{rest}"
        )
    };
    let none = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBindingList\nitems: []\n";
    let view = IdentityId::from("kubernetes:c:clusterrole:view");
    for (rest, doubted, outcome) in [("", 1, Outcome::Unknown), (none, 0, Outcome::ImplicitlyDenied)] {
        let (_, resolver) = read(&text(rest));
        let doubts = |id: &IdentityId| resolver.access(id).expect("access").doubts.clone();
        assert_eq!(doubts(&account("work/a")).len(), doubted);
        assert_eq!(decide(&*resolver, &account("work/a"), "delete pods", Some("work/x")), outcome);
        assert_eq!(decide(&*resolver, &account("work/a"), "get pods", Some("work/x")), Outcome::Allowed);
        assert_eq!(doubts(&view), []);
        assert_eq!(decide(&*resolver, &view, "delete pods", Some("work/x")), Outcome::ImplicitlyDenied);
    }
}

#[test]
fn an_empty_list_of_a_kind_says_that_there_is_none() {
    let rest = r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"a","namespace":"n"}}"#;
    let gap = |text: &str| {
        let (inventory, _) = read(text);
        inventory.gaps.iter().any(|gap| gap.call.contains("get secrets"))
    };
    assert!(gap(rest));
    for (empty, open) in [
        (r#"{"apiVersion":"v1","kind":"SecretList","metadata":{"resourceVersion":"1"},"items":[]}"#, false),
        (r#"{"items":[],"kind":"SecretList","apiVersion":"v1"}"#, false),
        // Of what there is none is not said.
        (r#"{"apiVersion":"v1","kind":"List","items":[]}"#, true),
    ] {
        assert_eq!(gap(&format!("{rest}\n{empty}\n")), open, "{empty}");
        let nested = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{rest},{empty}]}}"#);
        assert_eq!(gap(&nested), open, "{nested}");
    }
}

#[test]
fn no_secret_survives_the_reading() {
    let text = format!(
        "{CLUSTER}\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: ops\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{{\"data\":\"CANARY-applied\"}}'\nstringData: {{password: CANARY-stored}}\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: t, namespace: ops, annotations: {{kubernetes.io/service-account.name: triage}}}}\ntype: kubernetes.io/service-account-token\ndata: {{token: CANARY-token}}\n"
    );
    let (inventory, resolver) = read(&text);
    let printed = format!("{inventory:?} {:?}", resolver.edges());
    assert!(!printed.contains("CANARY"));
    let kinds: Vec<&str> = inventory.credentials.iter().map(|one| &*one.kind).collect();
    for kind in ["service_account_token", "bound_token", "anthropic_api_key", "token", "password"] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    let copied: Vec<&str> =
        inventory.credentials.iter().filter(|one| one.in_metadata == Fact::Known(true)).map(|one| &*one.kind).collect();
    assert_eq!(copied, ["password"], "that there is a copy in the annotation is known, and nothing of it");
}

#[test]
fn broken_documents_are_errors_with_a_place_and_never_quote() {
    let text = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: ns}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: CANARY}\nspec: {template: {spec: {containers: 'CANARY-x'}}}\n---\nkind: {{ .Values.x }}\n";
    let (reading, errors) = read_all(
        vec![
            document("m.yaml", text),
            document(
                "x.json",
                "{\"kind\":\"List\",\"items\":[{\"kind\":\"ServiceAccount\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"b\",\"namespace\":\"n\"}},{\"kind\"",
            ),
        ],
        &[("cluster", "c")],
    );
    let places: Vec<&str> = errors.iter().map(|error| error.document.as_str()).collect();
    assert_eq!(places, ["m.yaml:8", "m.yaml:10:8", "x.json:1:115"]);
    assert!(errors.iter().all(|error| !error.to_string().contains("CANARY-x")));
    let accounts = reading.inventory.identities.iter().filter(|one| one.kind == "service_account").count();
    assert_eq!(accounts, 2, "what stood before the break is kept");
}

#[test]
fn an_error_says_that_what_else_could_be_understood_was_read() {
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: ns}\n";
    let (of_file, of_object) =
        ("what else could be understood of this file was read", "the rest of the object was read");
    for (path, text, said) in [
        ("cut.yaml", format!("{account}---\nkind: Pod\nmetadata: ["), of_file),
        ("cut.json", r#"{"kind":"Pod","metadata":{"#.to_owned(), of_file),
        ("odd.yaml", format!("{account}automountServiceAccountToken: 7\n"), of_object),
    ] {
        let (_, errors) = read_all(vec![document(path, &text)], &[]);
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert!(error.remedy.ends_with(said), "{text}: {error}");
    }
}

#[test]
fn lists_whose_items_have_no_kind_take_it_from_the_list() {
    for text in [
        r#"{"kind":"ServiceAccountList","apiVersion":"v1","items":[{"metadata":{"name":"a","namespace":"n"}}]}"#,
        r#"{"apiVersion":"v1","items":[{"metadata":{"name":"a","namespace":"n"}}],"kind":"ServiceAccountList"}"#,
        r#"[{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"a","namespace":"n"}}]}]"#,
        "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"}}\n{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"b\",\"namespace\":\"n\"}}\n",
    ] {
        let (inventory, _) = read(text);
        assert!(inventory.identities.iter().any(|one| one.id == account("n/a")), "{text}");
    }
}

#[test]
fn an_agents_tools_lead_to_the_accounts_of_their_servers() {
    let (inventory, resolver) = read(
        r#"
apiVersion: kagent.dev/v1alpha2
kind: Agent
metadata: {name: helper, namespace: kagent}
spec:
  declarative:
    tools:
    - type: McpServer
      mcpServer: {kind: MCPServer, name: tools, toolNames: [get_pods, apply], requireApproval: [apply]}
    - type: McpServer
      mcpServer: {kind: RemoteMCPServer, name: far, toolNames: [ask]}
---
apiVersion: kagent.dev/v1alpha1
kind: MCPServer
metadata: {name: tools, namespace: kagent}
spec: {deployment: {image: "example.com/tools@sha256:00", serviceAccountName: tools-sa}, transportType: stdio}
---
apiVersion: kagent.dev/v1alpha2
kind: RemoteMCPServer
metadata: {name: far, namespace: kagent}
spec: {url: "http://far.other:8080/mcp"}
---
apiVersion: v1
kind: Service
metadata: {name: far, namespace: other}
spec: {selector: {app: far}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: far, namespace: other}
spec: {template: {metadata: {labels: {app: far}}, spec: {serviceAccountName: far-sa, containers: [{image: x}]}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: tools}
subjects: [{kind: ServiceAccount, name: tools-sa, namespace: kagent}]
roleRef: {kind: ClusterRole, name: cluster-admin}
"#,
    );
    let targets: Vec<&str> = inventory
        .trusts
        .iter()
        .filter(|one| &*one.source == account("kagent/helper").as_str())
        .map(|one| one.target.as_str())
        .collect();
    assert_eq!(targets, ["kubernetes:c:serviceaccount:kagent/tools-sa", "kubernetes:c:serviceaccount:other/far-sa"]);
    assert_eq!(nature(&inventory, &account("kagent/tools-sa")), Nature::AiAgent);
    let agent = inventory.agents.iter().find(|one| &*one.name == "kagent/helper").expect("the agent");
    assert_eq!(agent.approval_mode, Fact::Known(evenhand_model::agent::ApprovalMode::Partial));
    assert_eq!(agent.auto_approved, Fact::Known(vec![Arc::from("far/ask"), Arc::from("tools/get_pods")]));
    assert!(resolver.edges().iter().any(|edge| edge.source == account("kagent/helper")
        && edge.target == EdgeTarget::Identity(account("kagent/tools-sa"))
        && !edge.escalation));
}

#[test]
fn readings_of_the_same_documents_are_equal() {
    let print = || {
        let (inventory, resolver) = read(CLUSTER);
        format!("{inventory:?}{:?}", resolver.edges())
    };
    assert_eq!(print(), print());
}

#[test]
fn an_owner_is_the_accounts_own_else_of_its_workloads_else_of_its_namespace() {
    let pod = |labels: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: ops, labels: {labels}}}\nspec: {{serviceAccountName: bot}}\n"
        )
    };
    let account_of = |labels: &str| {
        format!(
            "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: bot, namespace: ops, labels: {labels}}}\n"
        )
    };
    let space = |annotations: &str| {
        format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: ops, annotations: {annotations}}}\n")
    };
    let (own, its, of_space) = ("{owner: own}", "{acme.example/team: its}", "{evenhand.dev/owner: space}");
    let known = |owner: &str| Fact::Known(owner.into());
    for (text, expected) in [
        (account_of(own) + &pod(its) + &space(of_space), known("own")),
        (account_of("{}") + &pod(its) + &space(of_space), known("its")),
        (account_of("{}") + &pod("{}") + &space(of_space), known("space")),
        (pod("{}") + &space(of_space), known("space")),
        (account_of("{}") + &pod("{}") + &space("{}"), Fact::Absent),
        (account_of("{}") + &pod("{}") + &space("{evenhand.dev/owner: '  '}"), Fact::Absent),
        (account_of("{}") + &pod("{}"), Fact::Unknown),
    ] {
        let (inventory, _) = read(&text);
        let bot = inventory.identities.iter().find(|one| one.id == account("ops/bot")).expect("bot");
        assert_eq!(bot.owner, expected, "{text}");
    }
}

#[test]
fn objects_in_flow_style_are_read_as_others_are() {
    let (inventory, _) = read(
        "# accounts\n---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: one, namespace: ops}}\n---\n{\n  apiVersion: v1,\n  kind: ServiceAccount,\n  metadata: {name: two, namespace: ops}\n}\n",
    );
    for (name, line) in [("ops/one", 3), ("ops/two", 5)] {
        let found = inventory.identities.iter().find(|one| one.id == account(name)).expect("an account");
        assert_eq!(found.evidence.line_number(), Some(line), "{name}");
    }
}
