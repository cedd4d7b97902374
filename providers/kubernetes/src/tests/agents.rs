//! Agents, tool servers and model servers: what their objects and pods say of them.

use evenhand_model::agent::{Agent, AgentKind, ApprovalMode};
use evenhand_model::credential::Exposure;
use evenhand_model::identity::Strength;
use evenhand_model::trust::Mechanism;

use super::*;

fn agent<'i>(inventory: &'i Inventory, name: &str) -> &'i Agent {
    inventory.agents.iter().find(|one| &*one.name == name).unwrap_or_else(|| panic!("no agent {name}"))
}

fn pod(name: &str, container: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: ns}}\nspec:\n  serviceAccountName: {name}\n  containers:\n  - {container}\n---\n"
    )
}

#[test]
fn each_sign_proves_as_much_as_its_grade_and_keeps_its_place() {
    for (container, expected, strength) in [
        ("{image: 'ghcr.io/k8sgpt-ai/k8sgpt:1'}", Nature::AiAgent, Some(Strength::Strong)),
        ("{image: 'example.com/my-mcp-server:1'}", Nature::AiAgent, Some(Strength::Strong)),
        ("{image: x, env: [{name: OPENAI_API_KEY}]}", Nature::AiAgent, Some(Strength::Medium)),
        ("{image: x, args: [serve, --mcp]}", Nature::AiAgent, Some(Strength::Medium)),
        ("{image: x, env: [{name: GOOGLE_API_KEY}]}", Nature::Workload, Some(Strength::Weak)),
        ("{image: 'vllm/vllm-openai:1'}", Nature::Workload, None),
        ("{image: 'vllm/vllm-openai:1', env: [{name: OPENAI_API_KEY}]}", Nature::Workload, Some(Strength::Medium)),
        ("{image: 'vllm/vllm-openai:1'}, {image: 'n8nio/n8n:1'}", Nature::AiAgent, Some(Strength::Strong)),
        ("{image: x}", Nature::Workload, None),
    ] {
        let container = container.replace("}, {", "}\n  - {");
        let (inventory, _) = read(&pod("p", &container));
        let id = account("ns/p");
        assert_eq!(nature(&inventory, &id), expected, "{container}");
        let identity = inventory.identities.iter().find(|one| one.id == id).expect("an identity");
        let signs = || identity.signals.iter().filter(|signal| signal.nature == Nature::AiAgent);
        assert_eq!(signs().map(|signal| signal.strength).max(), strength, "{container}");
        for signal in signs() {
            assert!(signal.evidence.line_number().is_some_and(|line| line >= 7), "{:?}", signal.evidence);
        }
    }
}

#[test]
fn grades_add_up_and_a_name_alone_is_a_hint() {
    let text =
        pod("mcp-helper", "{image: 'ghcr.io/k8sgpt-ai/k8sgpt:1', args: [serve, --mcp], env: [{name: K8SGPT_MODEL}]}")
            + &pod("cluster-admin-agent", "{image: x}");
    let (inventory, _) = read(&text);
    let judged = |name: &str| {
        judge(&inventory.identities.iter().find(|one| one.id == account(name)).expect("an identity").signals)
    };
    assert_eq!(judged("ns/mcp-helper").confidence, 0.972, "strong, medium and weak");
    let named = judged("ns/cluster-admin-agent");
    assert_eq!((named.nature, named.ai_hint.is_some()), (Nature::Workload, true));
}

#[test]
fn model_servers_are_workloads_of_their_own_kind() {
    let (inventory, _) = read(
        r#"
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: llama, namespace: ml}
spec: {predictor: {serviceAccountName: serving, model: {}}}
---
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: ray, namespace: ml}
spec: {headGroupSpec: {template: {spec: {serviceAccountName: head, containers: [{image: rayproject/ray}]}}}}
---
apiVersion: kubeflow.org/v1
kind: Notebook
metadata: {name: book, namespace: ml}
spec: {template: {spec: {containers: [{image: x, env: [{name: DB_PASSWORD, value: example-only}]}]}}}
"#,
    );
    assert_eq!(inventory.agents.len(), 0, "nobody acts there");
    let rows: Vec<(&str, &str)> =
        inventory.workloads.iter().map(|one| (&*one.kind, one.identity.as_str().rsplit(':').next().unwrap())).collect();
    assert_eq!(rows, [("inference_service", "ml/serving"), ("notebook", "ml/default"), ("ray_cluster", "ml/head")]);
    for name in ["ml/serving", "ml/head"] {
        assert_eq!(nature(&inventory, &account(name)), Nature::Workload, "{name}");
    }
    assert!(inventory.credentials.iter().any(|one| &*one.kind == "password"), "a literal in a custom resource");
}

#[test]
fn toolhive_servers_say_who_may_call_them_and_what_is_kept() {
    let (inventory, resolver) = read(
        r#"
apiVersion: toolhive.stacklok.dev/v1beta1
kind: MCPServer
metadata: {name: open, namespace: t}
spec:
  image: example.com/open:latest
  groupRef: {name: team}
  env: [{name: API_TOKEN, value: example-only-0}]
  volumes: [{name: s, hostPath: /var/run/docker.sock, mountPath: /s}]
---
apiVersion: toolhive.stacklok.dev/v1beta1
kind: MCPServer
metadata: {name: shut, namespace: t}
spec:
  image: example.com/shut@sha256:00
  serviceAccount: own
  groupRef: {name: team}
  transport: sse
  permissionProfile: {type: builtin, name: network}
  oidcConfigRef: {name: corp}
  authzConfig: {type: inline}
  audit: {enabled: true}
---
apiVersion: toolhive.stacklok.dev/v1beta1
kind: VirtualMCPServer
metadata: {name: front, namespace: t}
spec: {groupRef: {name: team}, incomingAuth: {type: anonymous}}
"#,
    );
    let (open, shut, front) = (agent(&inventory, "t/open"), agent(&inventory, "t/shut"), agent(&inventory, "t/front"));
    assert_eq!(open.identity, account("t/open-sa"));
    assert_eq!(shut.identity, account("t/own"));
    assert_eq!(front.identity, account("t/front-vmcp"));
    for (row, known) in [(open, false), (shut, true)] {
        let facts = [row.authenticated, row.authorization, row.telemetry, row.command_pinned];
        assert_eq!(facts, [Fact::Known(known); 4], "{}", row.name);
    }
    assert_eq!((open.privileged, shut.privileged), (Fact::Known(true), Fact::Known(false)));
    assert_eq!((&open.permission_profile, &shut.permission_profile), (&Fact::Absent, &Fact::Known("network".into())));
    assert_eq!(front.authenticated, Fact::Known(false));
    assert_eq!(open.remote, Fact::Known(true), "the proxy speaks HTTP");
    assert!(inventory.identities.iter().any(|one| one.id == account("t/open-proxy-runner")));
    let literal = inventory.credentials.iter().find(|one| &*one.kind == "token").expect("the literal");
    assert_eq!(literal.evidence.line_number(), Some(8));
    let used: Vec<&str> = inventory
        .trusts
        .iter()
        .filter(|one| one.mechanism == Mechanism::UsesTool)
        .map(|one| one.target.as_str())
        .collect();
    assert_eq!(used, ["kubernetes:c:serviceaccount:t/open-sa", "kubernetes:c:serviceaccount:t/own"]);
    assert!(resolver.unread(&account("t/front-vmcp")).is_empty());
}

#[test]
fn agents_that_use_each_other_are_followed_and_what_was_not_read_is_a_gap() {
    let (inventory, resolver) = read(
        r#"
apiVersion: kagent.dev/v1alpha2
kind: Agent
metadata: {name: lead, namespace: k}
spec:
  type: Declarative
  declarative:
    modelConfig: fast
    tools:
    - {type: Agent, agent: {name: mate}}
    - {type: McpServer, mcpServer: {apiGroup: kagent.dev, kind: MCPServer, name: lost}}
---
apiVersion: kagent.dev/v1alpha2
kind: Agent
metadata: {name: mate, namespace: k}
spec:
  type: Declarative
  declarative:
    tools:
    - {type: Agent, agent: {name: lead}}
    - {type: McpServer, mcpServer: {kind: RemoteMCPServer, name: outside, toolNames: [ask]}}
---
apiVersion: kagent.dev/v1alpha2
kind: RemoteMCPServer
metadata: {name: outside, namespace: k}
spec: {url: "https://tools.example.com/mcp", headersFrom: [{name: Authorization, valueFrom: {type: Secret, name: s, key: t}}]}
---
apiVersion: kagent.dev/v1alpha2
kind: ModelConfig
metadata: {name: fast, namespace: k}
spec: {provider: OpenAI, apiKeySecret: openai, apiKeySecretKey: key}
"#,
    );
    let (lead, mate) = (account("k/lead"), account("k/mate"));
    let uses = |source: &IdentityId| -> Vec<&str> {
        let from = inventory.trusts.iter().filter(|one| *one.source == *source.as_str());
        from.map(|one| one.target.as_str()).collect()
    };
    assert_eq!(uses(&lead), ["kubernetes:c:mcpserver:k/lost", mate.as_str()], "what was not read is named");
    assert_eq!(uses(&mate), ["kubernetes:c:agent:k/outside", lead.as_str()]);
    assert_eq!(agent(&inventory, "k/lead").model_key, Fact::Known(Exposure::Store));
    assert_eq!(agent(&inventory, "k/mate").model_key, Fact::Unknown);
    let outside = agent(&inventory, "k/outside");
    assert_eq!((outside.authenticated, outside.tls), (Fact::Known(true), Fact::Known(true)));
    for (id, what) in [(&lead, "MCPServer k/lost"), (&mate, "RemoteMCPServer k/outside")] {
        let unread = resolver.unread(id);
        assert!(unread.iter().any(|one| one.what.contains(what)), "{unread:?}");
        assert!(unread[0].gap.unknown().contains("at least"));
    }
}

#[test]
fn a_list_of_tools_that_is_missing_is_a_weakness() {
    let (inventory, _) = read(
        r#"
apiVersion: kagent.dev/v1alpha2
kind: Agent
metadata: {name: a, namespace: k}
spec: {declarative: {tools: [{mcpServer: {kind: MCPServer, name: all}}, {mcpServer: {kind: MCPServer, name: some, toolNames: [get]}}]}}
---
apiVersion: kagent.dev/v1alpha1
kind: MCPServer
metadata: {name: all, namespace: k}
spec: {deployment: {image: x, env: {SERVICE_TOKEN: example-only-1}}, transportType: stdio}
---
apiVersion: kagent.dev/v1alpha1
kind: MCPServer
metadata: {name: some, namespace: k}
spec: {deployment: {image: x}, transportType: http, authn: {jwt: {issuer: i}}, authz: {cel: {rules: [x]}}}
"#,
    );
    let weak: Vec<(&str, &str)> =
        inventory.trusts.iter().map(|one| (one.target.as_str().rsplit('/').next().unwrap(), &*one.weakness)).collect();
    assert_eq!(weak, [("all", "all-tools"), ("some", "")]);
    assert_eq!(agent(&inventory, "k/all").authenticated, Fact::Known(false));
    assert_eq!(agent(&inventory, "k/some").authenticated, Fact::Known(true));
    let literal = inventory.credentials.iter().find(|one| &*one.kind == "token").expect("a literal in a map");
    assert_eq!(literal.identity, account("k/all"));
}

#[test]
fn sandboxes_run_as_what_they_are_made_from() {
    let (inventory, resolver) = read(
        r#"
apiVersion: extensions.agents.x-k8s.io/v1beta1
kind: SandboxTemplate
metadata: {name: shell, namespace: s}
spec: {podTemplate: {spec: {serviceAccountName: shell-sa, runtimeClassName: gvisor, containers: [{image: x}]}}}
---
apiVersion: extensions.agents.x-k8s.io/v1beta1
kind: SandboxWarmPool
metadata: {name: pool, namespace: s}
spec: {sandboxTemplateRef: {name: shell}}
---
apiVersion: extensions.agents.x-k8s.io/v1beta1
kind: SandboxClaim
metadata: {name: mine, namespace: s}
spec: {warmPoolRef: {name: pool}}
---
apiVersion: extensions.agents.x-k8s.io/v1beta1
kind: SandboxClaim
metadata: {name: lost, namespace: s}
spec: {warmPoolRef: {name: gone}}
"#,
    );
    let mine = agent(&inventory, "s/mine");
    assert_eq!((&mine.identity, mine.sandboxed), (&account("s/shell-sa"), Fact::Known(true)));
    let lost = agent(&inventory, "s/lost");
    assert_eq!(resolver.unread(&lost.identity).len(), 1);
}

#[test]
fn an_operator_that_repairs_by_itself_asks_nobody() {
    let (inventory, _) = read(
        r#"
apiVersion: core.k8sgpt.ai/v1alpha1
kind: K8sGPT
metadata: {name: k8sgpt, namespace: g}
spec: {ai: {backend: openai, secret: {name: s, key: k}, autoRemediation: {enabled: true}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: k8sgpt, namespace: g}
spec: {template: {spec: {serviceAccountName: k8sgpt-sa, containers: [{image: 'ghcr.io/k8sgpt-ai/k8sgpt:1'}]}}}
"#,
    );
    let row = agent(&inventory, "g/k8sgpt");
    assert_eq!(row.identity, account("g/k8sgpt-sa"), "the account of what the operator runs");
    assert_eq!(row.approval_mode, Fact::Known(ApprovalMode::Bypass));
    assert_eq!(row.model_key, Fact::Known(Exposure::Store));
    assert_eq!((row.kind, inventory.agents.len()), (AgentKind::Agent, 1), "the pod is not counted a second time");
}

#[test]
fn where_the_key_of_a_model_lies_is_told_of_workloads_too() {
    let image = "image: 'ghcr.io/k8sgpt-ai/k8sgpt:1'";
    let literal = "{name: OPENAI_API_KEY, value: not-a-real-key-0000}";
    let stored = "{name: ANTHROPIC_API_KEY, valueFrom: {secretKeyRef: {name: models, key: a}}}";
    for (env, expected) in [
        (literal, Fact::Known(Exposure::Committed)),
        (stored, Fact::Known(Exposure::Store)),
        (&*format!("{stored}, {literal}"), Fact::Known(Exposure::Committed)),
        ("{name: DB_PASSWORD, value: not-a-real-key-0000}", Fact::Unknown),
        ("{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: a}}}", Fact::Unknown),
    ] {
        let (inventory, _) = read(&pod("p", &format!("{{{image}, env: [{env}]}}")));
        assert_eq!(agent(&inventory, "ns/p").model_key, expected, "{env}");
    }
    // Of an agent whose model is no object of the cluster.
    let (inventory, _) = read(&format!(
        "apiVersion: kagent.dev/v1alpha2\nkind: Agent\nmetadata: {{name: a, namespace: ns}}\nspec: {{type: BYO, byo: {{deployment: {{image: x, env: [{literal}]}}}}}}\n"
    ));
    assert_eq!(agent(&inventory, "ns/a").model_key, Fact::Known(Exposure::Committed));
}
