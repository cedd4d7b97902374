//! The sample manifests: what is read of them is what is known of them.

use std::path::{Path, PathBuf};

use evenhand_model::access::{Outcome, Request};
use evenhand_model::document::{Document, FileFacts};
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, judge};
use evenhand_model::opset::OperationIx;

use super::{account, decide, document, read_all};

fn samples() -> Option<PathBuf> {
    let Some(shared) = std::env::var_os("EVENHAND_SHARED") else {
        println!("EVENHAND_SHARED is not set: the sample manifests are not read");
        return None;
    };
    Some(Path::new(&shared).join("samples/kubernetes"))
}

fn sample(folder: &Path, name: &str) -> Document {
    let text = std::fs::read_to_string(folder.join(name)).expect("a sample");
    document(&format!("k8s/c/{name}"), &text)
}

#[test]
fn every_sample_is_read_or_says_where_it_cannot_be() {
    let Some(folder) = samples() else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("samples") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if !name.starts_with("SOURCES") && (name.ends_with(".yaml") || name.ends_with(".json")) {
            let (reading, errors) = read_all(vec![sample(&folder, &name)], &[]);
            assert_eq!(errors, [], "{name}");
            assert!(!reading.inventory.identities.is_empty(), "{name}");
            count += 1;
        }
    }
    assert_eq!(count, 24);
}

#[test]
fn the_samples_hold_what_their_description_says() {
    let Some(folder) = samples() else { return };
    for (name, accounts, workloads, rejected) in [
        ("argo-cd-install.yaml", 7, 7, 0),
        ("kube-prometheus.yaml", 8, 6, 0),
        ("mcp-gateway.yaml", 3, 3, 0),
        ("rook-csi-operator.yaml", 9, 1, 0),
        ("argo-workflows.yaml", 4, 4, 2),
    ] {
        let (reading, _) = read_all(vec![sample(&folder, name)], &[]);
        let inventory = reading.inventory;
        let held = inventory.identities.iter().filter(|one| one.kind == "service_account").count();
        assert_eq!(inventory.workloads.len(), workloads, "{name}");
        let hints = inventory.hints.iter().filter(|hint| hint.message.contains("without a namespace")).count();
        assert_eq!(hints, rejected, "{name}: {:?}", inventory.hints);
        println!("{name}: {held} accounts");
        assert!(held >= accounts, "{name}: {held}");
    }
}

#[test]
fn ai_accounts_of_the_samples_are_told_from_controllers() {
    let Some(folder) = samples() else { return };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("samples") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if name.ends_with(".yaml") {
            let (reading, _) = read_all(vec![sample(&folder, &name)], &[]);
            for identity in &reading.inventory.identities {
                if judge(&identity.signals).nature == Nature::AiAgent {
                    found.push(format!("{name} {} {}", identity.name, judge(&identity.signals).reason));
                }
            }
        }
    }
    found.sort();
    println!("{}", found.join("\n"));
    let accounts: Vec<&str> = found.iter().filter_map(|one| one.split(' ').nth(1)).collect();
    assert_eq!(
        accounts,
        [
            "kubeagents-system/cluster-admin-agent",
            "kubeagents-system/platform-agent",
            "team-x/developer-team-agent",
            "kagent/k8sgpt-mcp-server",
            "adapter/mcpgateway-sa",
        ]
    );
}

#[test]
fn reading_everything_is_not_read_only() {
    let Some(folder) = samples() else { return };
    let documents = vec![
        sample(&folder, "kagent-k8sgpt-mcp-server.yaml"),
        sample(&folder, "kubernetes-1.36-bootstrap-policy.yaml"),
    ];
    let (reading, _) = read_all(documents, &[]);
    let resolver = reading.resolver.expect("a resolver");
    let id = account("kagent/k8sgpt-mcp-server");
    let view = IdentityId::from("kubernetes:c:clusterrole:view");
    let (held, human) = (resolver.access(&id).unwrap(), resolver.access(&view).unwrap());
    let excess: Vec<String> = held
        .operations()
        .difference(human.operations())
        .iter()
        .map(|one| resolver.catalog().name(one).to_string())
        .collect();
    for wanted in ["get secrets", "list secrets", "get nodes/proxy", "list nodes"] {
        assert!(excess.iter().any(|one| one == wanted), "{wanted}");
    }
    assert!(human.operations().difference(held.operations()).is_empty(), "all of view is covered");
    assert!(!excess.iter().any(|one| one == "get pods" || one.starts_with("get /.well-known")));
    assert!(resolver.edges().iter().any(|edge| edge.source == id && &*edge.technique == "k8s.nodes.proxy"));
}

/// What the manifests grant the AI accounts beyond the human role `view`, read in them before it was run: operations that
/// must be in excess with the role that grants them, and operations that must not be.
#[test]
fn the_excess_of_each_ai_account_over_view_names_the_rule_that_grants_it() {
    let Some(folder) = samples() else { return };
    type Expected<'e> = (&'e str, &'e str, &'e [(&'e str, &'e str)], &'e [&'e str]);
    let tiers = ["list nodes", "list persistentvolumes", "get clusterroles.rbac.authorization.k8s.io"];
    let of_tier = |role: &'static str| tiers.map(|operation| (operation, role));
    let (cluster_tier, platform_tier) = (of_tier("cluster-admin-agent-explorer"), of_tier("platform-agent-explorer"));
    let reader = "kagent-k8sgpt-mcp-server.yaml";
    let expected: [Expected<'_>; 6] = [
        (
            reader,
            "kagent/k8sgpt-mcp-server",
            &[
                ("list secrets", "k8sgpt-mcp-server"),
                ("get nodes/proxy", "k8sgpt-mcp-server"),
                ("watch clusterroles.rbac.authorization.k8s.io", "k8sgpt-mcp-server"),
            ],
            &["list pods", "create pods", "delete secrets"],
        ),
        // The name promises an administrator; the rules only read, and no Secrets.
        (
            "gke-kube-agents-overlay.yaml",
            "kubeagents-system/cluster-admin-agent",
            &cluster_tier,
            &["get secrets", "list secrets", "create pods", "get nodes/proxy", "list pods"],
        ),
        (
            "gke-kube-agents-overlay.yaml",
            "kubeagents-system/platform-agent",
            &platform_tier,
            &["list secrets", "update deployments.apps"],
        ),
        // Everything that it reads in its namespace view reads as well, but for the groups that view lists by name.
        (
            "gke-kube-agents-overlay.yaml",
            "team-x/developer-team-agent",
            &[],
            &["list secrets", "list nodes", "list pods", "get deployments.apps", "create pods"],
        ),
        (
            "mcp-gateway.yaml",
            "adapter/mcpgateway-sa",
            &[
                ("create pods", "app-manager"),
                ("create statefulsets.apps", "app-manager"),
                ("delete services", "app-manager"),
            ],
            &["list secrets", "get pods", "create deployments.apps"],
        ),
        // No AI by anything that stands in its manifest, and a near miss all the same.
        (
            "kubectl-ai-sandbox.yaml",
            "computer/normal-user",
            &[
                ("list nodes", "reader-cluster-resources"),
                ("get roles.rbac.authorization.k8s.io", "reader-cluster-resources"),
            ],
            &["list secrets", "create pods", "list pods"],
        ),
    ];
    for (file, name, in_excess, not) in expected {
        let documents = vec![sample(&folder, file), sample(&folder, "kubernetes-1.36-bootstrap-policy.yaml")];
        let (reading, errors) = read_all(documents, &[]);
        assert_eq!(errors, [], "{file}");
        let resolver = reading.resolver.expect("a resolver");
        let held = resolver.access(&account(name)).expect("access");
        let view = resolver.access(&IdentityId::from("kubernetes:c:clusterrole:view")).expect("access");
        let excess = held.operations().difference(view.operations());
        let granted: Vec<(String, String)> = excess
            .iter()
            .map(|operation| {
                let slice = held.slices().iter().find(|slice| slice.operations.contains(operation)).expect("a slice");
                (resolver.catalog().name(operation).to_string(), resolver.grant(slice.grant).policy.to_string())
            })
            .collect();
        println!("{name}: {} operations beyond view", granted.len());
        for (operation, role) in in_excess {
            let by = granted.iter().find(|(held, _)| held == operation).map(|(_, by)| by.as_str());
            assert!(by.is_some_and(|by| by.contains(role)), "{name} {operation}: {by:?}");
        }
        for operation in not {
            assert!(!granted.iter().any(|(held, _)| held == operation), "{name} {operation}");
        }
    }
}

#[test]
fn no_controller_of_the_samples_is_called_an_ai_and_each_sign_has_its_line() {
    let Some(folder) = samples() else { return };
    let mut natures = [0; 2];
    for entry in std::fs::read_dir(&folder).expect("samples") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if !name.ends_with(".yaml") {
            continue;
        }
        let (reading, _) = read_all(vec![sample(&folder, &name)], &[]);
        for identity in &reading.inventory.identities {
            let ai = judge(&identity.signals).nature == Nature::AiAgent;
            natures[usize::from(ai)] += usize::from(identity.kind == "service_account");
            for signal in identity.signals.iter().filter(|signal| signal.nature == Nature::AiAgent) {
                assert!(signal.evidence.line_number().is_some_and(|line| line > 1), "{name} {signal:?}");
            }
        }
        for controller in [
            "agent-sandbox-system/agent-sandbox-controller",
            "ray-system/kuberay-apiserver",
            "kubeflow/llmisvc-controller-manager",
            "kubeflow/kserve-controller-manager",
            "production-stack-system/production-stack-controller-manager",
            "argocd/argocd-application-controller",
        ] {
            let found = reading.inventory.identities.iter().find(|one| one.id == account(controller));
            assert!(found.is_none_or(|one| judge(&one.signals).nature == Nature::Workload), "{controller}");
        }
    }
    println!("{} accounts of software, {} of AI", natures[0], natures[1]);
    assert_eq!(natures[1], 5);
    assert!(natures[0] > 80);
}

#[test]
fn decisions_and_enumeration_agree_on_the_samples() {
    let Some(folder) = samples() else { return };
    let mut compared = 0;
    for name in
        ["kubernetes-1.36-bootstrap-policy.yaml", "argo-workflows.yaml", "tekton-pipeline.yaml", "kserve-kubeflow.yaml"]
    {
        let (reading, _) = read_all(vec![sample(&folder, name)], &[]);
        let resolver = reading.resolver.expect("a resolver");
        let catalog = resolver.catalog();
        for identity in reading.inventory.identities.iter().step_by(3) {
            let Some(access) = resolver.access(&identity.id) else { continue };
            for number in (0..catalog.len() as u32).step_by(7) {
                let operation = catalog.name(OperationIx(number));
                if operation.contains('*') || operation.contains(" /") {
                    continue;
                }
                let create = operation.starts_with("create ") && !operation.contains('/');
                let name = if create || operation.starts_with("deletecollection") { "" } else { "x" };
                let ask = |namespace: &str| Request {
                    identity: identity.id.to_string(),
                    operation: operation.to_string(),
                    resource: Some(format!("{namespace}/{name}")),
                    context: Default::default(),
                };
                // What is in no namespace is not asked about in one.
                let mut place = ["kube-system", name];
                let decision = resolver.decide(&identity.id, &ask("kube-system")).unwrap_or_else(|_| {
                    place[0] = "";
                    resolver.decide(&identity.id, &ask("")).expect("an answer")
                });
                let reached = access.slices().iter().any(|slice| {
                    slice.operations.contains(OperationIx(number)) && slice.scope.matches(&place) == Truth::Yes
                });
                if decision.outcome == Outcome::Unknown {
                    continue;
                }
                assert_eq!(reached, decision.outcome == Outcome::Allowed, "{} {operation}", identity.id);
                compared += 1;
            }
        }
    }
    println!("{compared} decisions compared with the enumeration");
    assert!(compared > 3_000);
}

#[test]
fn accounts_of_the_samples_hold_what_a_server_said_of_them() {
    let Some(folder) = samples() else { return };
    let recorded = folder.join("../../conformance/kubernetes/live/sar.json");
    let cases: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(recorded).unwrap()).unwrap();
    let questions = ["list secrets", "create serviceaccounts/token", "create pods", "get nodes/proxy"];
    let (mut accounts, mut counts, mut admins) = (0, [0; 4], 0);
    for case in cases.as_array().unwrap() {
        let (reading, errors) = read_all(vec![sample(&folder, case["sample"].as_str().unwrap())], &[]);
        assert_eq!(errors, []);
        let resolver = reading.resolver.expect("a resolver");
        let mut named: Vec<&str> =
            case["results"].as_array().unwrap().iter().map(|one| one["serviceAccount"].as_str().unwrap()).collect();
        named.dedup();
        for name in named {
            let id = account(name);
            accounts += 1;
            for (count, question) in counts.iter_mut().zip(questions) {
                *count += usize::from(decide(&*resolver, &id, question, None) == Outcome::Allowed);
            }
            admins += usize::from(resolver.is_admin(&id) == Some(true));
        }
    }
    println!("{accounts} accounts: {counts:?} of {questions:?}, {admins} hold everything");
    assert_eq!((accounts, counts, admins), (87, [31, 17, 8, 5], 3));
}

#[test]
fn a_literal_key_in_the_environment_is_found_at_its_line() {
    let Some(folder) = samples() else { return };
    let mut document = sample(&folder, "argo-workflows.yaml");
    document.file = FileFacts::default();
    let line =
        document.text.lines().position(|line| line.trim() == "- name: MINIO_SECRET_KEY").expect("the variable") + 1;
    let (reading, _) = read_all(vec![document], &[]);
    let found = reading.inventory.credentials.iter().find(|one| one.id.as_str().ends_with(":MINIO_SECRET_KEY"));
    let found = found.expect("the key");
    assert_eq!(found.evidence.line_number(), Some(line as u32));
    assert_eq!(found.exposure, Fact::Known(evenhand_model::credential::Exposure::Environment));
    assert!(found.fingerprint.is_some());
}
