//! Members of another type than their kind gives them: they are told of with their place, what stands beside them is read.

use evenhand_model::access::Outcome;
use evenhand_model::agent::ApprovalMode;
use evenhand_model::evidence::Fact;
use evenhand_model::gap::GapKind;
use evenhand_model::id::IdentityId;
use serde_json::{Value, json};

use super::{account, decide, document, read_all};

/// Where it is told that something is wrong with an object, which stands in a list before a sound one.
fn place(object: &Value) -> String {
    let sound =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sound", "namespace": "ops"}});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [object, sound]});
    let (reading, errors) = read_all(vec![document("k8s/c/all.json", &list.to_string())], &[]);
    let identities = &reading.inventory.identities;
    assert!(identities.iter().any(|one| one.id == account("ops/sound")), "{object}");
    assert!(reading.inventory.gaps.iter().any(|gap| gap.kind == GapKind::Failed), "{object}");
    assert_eq!(errors.len(), 1, "{object}: {errors:?}");
    assert!(!format!("{errors:?} {:?}", reading.inventory).contains("CANARY"), "{object}");
    errors[0].document.trim_start_matches("k8s/c/all.json#").to_owned()
}

/// The object with another value at a pointer.
fn with(object: &Value, pointer: &str, value: Value) -> Value {
    let mut object = object.clone();
    *object.pointer_mut(pointer).expect("a member") = value;
    object
}

#[test]
fn what_is_no_text_is_no_name_no_place_and_no_label() {
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "triage",
            "namespace": "ops",
            "uid": "1",
            "labels": {"app": "triage"},
            "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111111111111:role/triage"}
        },
        "automountServiceAccountToken": false,
        "imagePullSecrets": [{"name": "registry"}]
    });
    for (pointer, told) in [
        ("/apiVersion", "/items/0/apiVersion"),
        ("/metadata/name", "/items/0/metadata/name"),
        ("/metadata/namespace", "/items/0/metadata/namespace"),
        ("/metadata/uid", "/items/0/metadata/uid"),
        ("/metadata/labels/app", "/items/0/metadata/labels"),
        ("/metadata/annotations/eks.amazonaws.com~1role-arn", "/items/0/metadata/annotations"),
        ("/automountServiceAccountToken", "/items/0/automountServiceAccountToken"),
        ("/imagePullSecrets/0/name", "/items/0/imagePullSecrets/0/name"),
    ] {
        for value in [json!(7), json!(["CANARY"]), json!({"CANARY": "CANARY"})] {
            assert_eq!(place(&with(&account, pointer, value)), told);
        }
    }
    for pointer in ["/metadata", "/metadata/labels", "/metadata/annotations"] {
        assert_eq!(place(&with(&account, pointer, json!(["CANARY"]))), format!("/items/0{pointer}"));
    }
}

#[test]
fn a_workload_whose_account_or_command_is_of_another_type_is_not_taken_for_another_one() {
    let container = json!({
        "image": "shop",
        "command": ["serve"],
        "args": ["--port=80"],
        "env": [{"name": "KEY", "value": "x"}]
    });
    let pod = json!({
        "serviceAccountName": "triage",
        "automountServiceAccountToken": false,
        "containers": [container],
        "volumes": [{"projected": {"sources": [{"serviceAccountToken": {"audience": "vault"}}]}}]
    });
    let workload = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "triage", "namespace": "ops"},
        "spec": {"template": {"metadata": {"labels": {"app": "x"}}, "spec": pod}}
    });
    for below in [
        "serviceAccountName",
        "automountServiceAccountToken",
        "containers/0/image",
        "containers/0/command/0",
        "containers/0/args",
        "containers/0/env",
        "containers/0/env/0/name",
        "containers/0/env/0/value",
        "volumes/0/projected/sources/0/serviceAccountToken/audience",
    ] {
        for value in [json!(7), json!({"CANARY": "CANARY"})] {
            let pointer = format!("/spec/template/spec/{below}");
            assert_eq!(place(&with(&workload, &pointer, value)), format!("/items/0{pointer}"));
        }
    }
    let labels = "/spec/template/metadata/labels";
    assert_eq!(place(&with(&workload, labels, json!(7))), format!("/items/0{labels}"));
}

#[test]
fn roles_and_bindings_without_what_they_are_about_are_told_of() {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "reader", "namespace": "ops"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "reader", "namespace": "ops"},
        "subjects": [{"kind": "ServiceAccount", "name": "sound"}],
        "roleRef": {"kind": "Role", "name": "reader"}
    });
    for (object, pointer, told) in [
        (&role, "/apiVersion", "/items/0"),
        (&role, "/rules/0/verbs", "/items/0/rules"),
        (&binding, "/roleRef", "/items/0"),
        (&binding, "/roleRef/name", "/items/0"),
        (&binding, "/roleRef/kind", "/items/0"),
        (&binding, "/subjects/0/kind", "/items/0/subjects"),
        (&binding, "/subjects/0/name", "/items/0/subjects"),
    ] {
        assert_eq!(place(&with(object, pointer, Value::Null)), told, "{pointer}");
    }
    // A list of values is no subject, in whatever order they stand.
    let subject = json!(["User", "", "CANARY"]);
    assert_eq!(place(&with(&binding, "/subjects/0", subject)), "/items/0/subjects/0");
}

/// What is decided about somebody whom a binding makes an administrator, with another value at a pointer into that.
fn decided(pointer: &str, value: Value) -> Outcome {
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "admins", "labels": {"v": "1"}, "annotations": {"v": "1"}},
        "subjects": [{"kind": "ServiceAccount", "name": "triage", "namespace": "ops"}],
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}
    });
    let items = [
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "triage", "namespace": "ops"}}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "others", "namespace": "ops"},
            "subjects": [{"kind": "ServiceAccount", "name": "other"}],
            "roleRef": {"kind": "ClusterRole", "name": "view"}
        }),
        with(&binding, pointer, value),
    ];
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    let (reading, errors) = read_all(vec![document("k8s/c/all.json", &list.to_string())], &[]);
    assert_eq!(errors.len(), 1, "{errors:?}");
    decide(&*reading.resolver.expect("a resolver"), &account("ops/triage"), "get secrets", Some("ops/x"))
}

#[test]
fn nothing_is_denied_by_bindings_of_a_list_that_ends_early() {
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "triage", "namespace": "ops"}});
    let binding = |kind: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": "others", "namespace": "ops"},
            "subjects": [{"kind": "ServiceAccount", "name": "other", "namespace": "ops"}],
            "roleRef": {"kind": "ClusterRole", "name": "view"}
        })
    };
    let items = [account, binding("ClusterRoleBinding"), binding("RoleBinding")];
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    let cut = format!("{},{{\"apiVersion\"", list.strip_suffix("]}").unwrap());
    let nameless = format!("{},{{\"metadata\":{{\"name\":\"x\"}}}}]}}", list.strip_suffix("]}").unwrap());
    for (text, expected) in [(list, Outcome::ImplicitlyDenied), (cut, Outcome::Unknown), (nameless, Outcome::Unknown)] {
        let (reading, errors) = read_all(vec![document("k8s/c/all.json", &text)], &[]);
        assert_eq!(errors.is_empty(), expected != Outcome::Unknown, "{errors:?}");
        let resolver = reading.resolver.expect("a resolver");
        let outcome = decide(&*resolver, &super::account("ops/triage"), "get secrets", Some("ops/x"));
        assert_eq!(outcome, expected, "{text}");
    }
}

#[test]
fn what_a_binding_grants_does_not_hang_on_its_labels_and_is_unknown_where_its_subjects_are() {
    for pointer in ["/metadata/labels/v", "/metadata/annotations/v", "/metadata/labels"] {
        assert_eq!(decided(pointer, json!(7)), Outcome::Allowed, "{pointer}");
    }
    for pointer in ["/subjects/0/namespace", "/subjects", "/roleRef/name", "/metadata/name"] {
        assert_eq!(decided(pointer, json!(7)), Outcome::Unknown, "{pointer}");
    }
}

#[test]
fn labels_of_kinds_that_tell_nothing_may_be_of_any_type() {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "apiextensions.k8s.io/v1beta1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "foos.x.io", "annotations": {"rev": 7}},
            "spec": {"group": "x.io", "version": "v1", "scope": "Namespaced", "names": {"plural": "foos"}, "versions": null}
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "ops", "annotations": {"rev": 7}}},
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a", "labels": {"wave": 1}}},
    ]});
    let (_, errors) = read_all(vec![document("k8s/c/all.json", &list.to_string())], &[]);
    assert_eq!(errors, []);
}

#[test]
fn an_agent_whose_account_tools_or_approvals_are_of_another_type_is_told_of() {
    let agent = json!({
        "apiVersion": "kagent.dev/v1alpha2",
        "kind": "Agent",
        "metadata": {"name": "sre", "namespace": "ops"},
        "spec": {"declarative": {
            "deployment": {"serviceAccountName": "triage"},
            "tools": [{"mcpServer": {"kind": "MCPServer", "name": "tools", "toolNames": ["get"], "requireApproval": ["get"]}}]
        }}
    });
    for pointer in [
        "/spec",
        "/spec/declarative",
        "/spec/declarative/deployment/serviceAccountName",
        "/spec/declarative/tools",
        "/spec/declarative/tools/0/mcpServer",
        "/spec/declarative/tools/0/mcpServer/toolNames",
        "/spec/declarative/tools/0/mcpServer/toolNames/0",
        "/spec/declarative/tools/0/mcpServer/requireApproval",
    ] {
        let told = pointer.trim_end_matches("/toolNames/0");
        let told = if told == pointer { pointer.to_owned() } else { format!("{told}/toolNames") };
        assert_eq!(place(&with(&agent, pointer, json!(7))), format!("/items/0{told}"));
    }
}

#[test]
fn an_agent_stays_an_agent_and_only_what_is_not_understood_of_it_is_unknown() {
    let read = |pointer: &str, value: Value| {
        let agent = json!({
            "apiVersion": "kagent.dev/v1alpha2",
            "kind": "Agent",
            "metadata": {"name": "sre", "namespace": "ops"},
            "spec": {"declarative": {
                "deployment": {"serviceAccountName": "triage"},
                "tools": [{"mcpServer": {"kind": "MCPServer", "name": "tools", "toolNames": ["get"], "requireApproval": false}}]
            }}
        });
        let text = with(&agent, pointer, value).to_string();
        let (reading, errors) = read_all(vec![document("k8s/c/all.json", &text)], &[]);
        let [agent] = reading.inventory.agents.as_slice() else { panic!("{pointer}") };
        (agent.identity.clone(), agent.approval_mode, errors.len())
    };
    let (triage, server) = (account("ops/triage"), "/spec/declarative/tools/0/mcpServer");
    let bypass = Fact::Known(ApprovalMode::Bypass);
    assert_eq!(read(&format!("{server}/requireApproval"), json!(false)), (triage.clone(), bypass, 0));
    for member in ["requireApproval", "toolNames"] {
        let told = read(&format!("{server}/{member}"), json!("yes please"));
        assert_eq!(told, (triage.clone(), Fact::Unknown, 1), "{member}");
    }
    let (identity, approval, errors) = read("/spec/declarative/deployment/serviceAccountName", json!(7));
    assert!(identity != triage && identity != account("ops/sre"), "{identity}");
    assert_eq!((approval, errors), (bypass, 1));
}

#[test]
fn what_stands_in_place_of_a_kind_is_not_repeated() {
    for kind in ["sk-CANARY-0123456789", "CANARY0123456789"] {
        assert_eq!(
            place(&json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": 7}})),
            "/items/0/metadata/name"
        );
    }
}

#[test]
fn a_list_is_read_on_behind_what_is_no_object() {
    let text = json!({"apiVersion": "v1", "kind": "List", "items": [7, {"kind": "Pod"}]}).to_string();
    let (_, errors) = read_all(vec![document("k8s/c/all.json", &text)], &[]);
    let places: Vec<&str> = errors.iter().map(|error| error.document.as_str()).collect();
    assert_eq!(places, ["k8s/c/all.json#/items/0", "k8s/c/all.json#/items/1"]);
}

#[test]
fn items_that_are_no_list_are_told_of_with_their_place() {
    let list = |kind: &str, items: &Value| json!({"apiVersion": "v1", "kind": kind, "items": items});
    for items in [json!({"CANARY": {"kind": "ServiceAccount"}}), json!("CANARY"), json!(7), json!(7.5), json!(true)] {
        for kind in ["List", "ServiceAccountList"] {
            let inner = list(kind, &items);
            assert_eq!(place(&inner), "/items/0/items", "{inner}");
            for (name, head, told) in [("k8s/c/all.json", "", "#/items"), ("k8s/c/all.yaml", "---\n", ":2")] {
                let (reading, errors) = read_all(vec![document(name, &format!("{head}{inner}"))], &[]);
                let places: Vec<&str> = errors.iter().map(|error| error.document.as_str()).collect();
                assert_eq!(places, [format!("{name}{told}")], "{inner}");
                assert!(reading.inventory.gaps.iter().any(|gap| gap.kind == GapKind::Failed), "{inner}");
            }
        }
    }
    let other = json!({"apiVersion": "x.io/v1", "kind": "Basket", "metadata": {"name": "a"}, "items": {"a": 1}});
    assert_eq!(read_all(vec![document("k8s/c/all.json", &other.to_string())], &[]).1, []);
}

#[test]
fn what_is_done_through_a_tool_or_with_a_template_that_is_not_understood_is_unknown() {
    let agent = json!({
        "apiVersion": "kagent.dev/v1alpha2",
        "kind": "Agent",
        "metadata": {"name": "sre", "namespace": "ops"},
        "spec": {"declarative": {"tools": [{"agent": {"name": "mate", "namespace": "ops"}}]}}
    });
    let claim = json!({
        "apiVersion": "extensions.agents.x-k8s.io/v1alpha1",
        "kind": "SandboxClaim",
        "metadata": {"name": "sre", "namespace": "ops"},
        "spec": {"sandboxTemplateRef": {"name": "triage"}}
    });
    let tools = "/spec/declarative/tools";
    for (object, pointer, value, told, identity) in [
        (&agent, format!("{tools}/0"), json!(7), format!("{tools}/0"), "serviceaccount"),
        (&agent, format!("{tools}/0"), json!("x"), format!("{tools}/0"), "serviceaccount"),
        (&agent, format!("{tools}/0/agent"), json!("x"), format!("{tools}/0/agent"), "serviceaccount"),
        (&agent, format!("{tools}/0/agent/name"), json!(7), format!("{tools}/0/agent"), "serviceaccount"),
        (
            &agent,
            format!("{tools}/0/agent/namespace"),
            json!(7),
            format!("{tools}/0/agent/namespace"),
            "serviceaccount",
        ),
        (&claim, "/spec/sandboxTemplateRef".to_owned(), json!(7), "/spec/sandboxTemplateRef".to_owned(), "agent"),
    ] {
        let object = with(object, &pointer, value);
        assert_eq!(place(&object), format!("/items/0{told}"));
        let (reading, _) = read_all(vec![document("k8s/c/all.json", &object.to_string())], &[]);
        let id = IdentityId::new(format!("kubernetes:c:{identity}:ops/sre"));
        let unread = reading.resolver.expect("a resolver").unread(&id);
        assert!(unread.iter().any(|one| one.what.contains("ops/sre")), "{pointer}: {unread:?}");
        assert!(!reading.inventory.trusts.iter().any(|one| *one.source == *id.as_str()), "{pointer}");
    }
}

#[test]
fn what_an_agent_s_setting_of_another_type_would_decide_is_unknown_and_not_no() {
    let read = |group: &str, kind: &str, pointer: &str, value: Value| {
        let mut spec = value;
        for key in pointer.rsplit('/').filter(|key| !key.is_empty()) {
            spec = json!({ key: spec });
        }
        let meta = json!({"name": "tools", "namespace": "ops"});
        let object = json!({"apiVersion": format!("{group}/v1alpha1"), "kind": kind, "metadata": meta, "spec": spec});
        assert_eq!(place(&object), format!("/items/0/spec{pointer}"));
        let (reading, _) = read_all(vec![document("k8s/c/all.json", &object.to_string())], &[]);
        let agent = reading.inventory.agents.into_iter().next().expect("an agent");
        [agent.telemetry, agent.authenticated, agent.authorization, agent.privileged, agent.sandboxed]
    };
    let (toolhive, sandboxes) = ("toolhive.stacklok.dev", "agents.x-k8s.io");
    for (group, kind, pointer, value, unknown) in [
        (toolhive, "MCPServer", "/audit", json!("on"), &[0][..]),
        (toolhive, "MCPServer", "/audit/enabled", json!("true"), &[0][..]),
        (toolhive, "MCPServer", "/oidcConfig", json!("x"), &[1][..]),
        (toolhive, "MCPServer", "/authzConfig", json!("x"), &[2][..]),
        (toolhive, "MCPServer", "/podTemplateSpec", json!([{"spec": {}}]), &[3][..]),
        (toolhive, "VirtualMCPServer", "/config", json!(7), &[0, 1, 2][..]),
        (toolhive, "VirtualMCPServer", "/incomingAuth", json!(7), &[1, 2][..]),
        (toolhive, "VirtualMCPServer", "/incomingAuth/type", json!(7), &[1][..]),
        ("kagent.dev", "RemoteMCPServer", "/headersFrom", json!("x"), &[1][..]),
        (sandboxes, "Sandbox", "/podTemplate/spec/runtimeClassName", json!(7), &[4][..]),
    ] {
        let facts = read(group, kind, pointer, value);
        for number in unknown {
            assert_eq!(facts[*number], Fact::Unknown, "{kind} {pointer}: {facts:?}");
        }
    }
    // A setting that is understood decides, whatever stands beside it.
    let server = json!({
        "apiVersion": "toolhive.stacklok.dev/v1alpha1",
        "kind": "MCPServer",
        "metadata": {"name": "tools", "namespace": "ops"},
        "spec": {"oidcConfig": "x", "oidcConfigRef": {"name": "y"}}
    });
    let (reading, errors) = read_all(vec![document("k8s/c/all.json", &server.to_string())], &[]);
    assert_eq!((reading.inventory.agents[0].authenticated, errors.len()), (Fact::Known(true), 1));
}

#[test]
fn where_the_key_of_a_model_lies_is_unknown_where_its_settings_are_not_understood() {
    let agent = json!({
        "apiVersion": "kagent.dev/v1alpha2",
        "kind": "Agent",
        "metadata": {"name": "sre", "namespace": "ops"},
        "spec": {"declarative": {"modelConfig": "fast"}}
    });
    for (pointer, spec) in [("/spec", json!(7)), ("/spec/apiKeySecret", json!({"apiKeySecret": 7}))] {
        let meta = json!({"name": "fast", "namespace": "ops"});
        let model = json!({"apiVersion": "kagent.dev/v1alpha2", "kind": "ModelConfig", "metadata": meta, "spec": spec});
        assert_eq!(place(&model), format!("/items/0{pointer}"));
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [agent, model]});
        let (reading, _) = read_all(vec![document("k8s/c/all.json", &list.to_string())], &[]);
        assert_eq!(reading.inventory.agents[0].model_key, Fact::Unknown, "{pointer}");
    }
}

#[test]
fn whether_a_workload_is_exposed_is_unknown_where_a_route_is_not_understood() {
    let ingress = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "shop", "namespace": "ops"},
        "spec": {"rules": [{"http": {"paths": [{"path": "/", "backend": {"service": {"name": "other"}}}]}}]}
    });
    let items = |ingress: &Value| {
        json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shop", "namespace": "ops", "labels": {"app": "shop"}}, "spec": {"containers": []}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop", "namespace": "ops"}, "spec": {"selector": {"app": "shop"}}},
            ingress
        ]})
    };
    let exposed = |ingress: &Value| {
        let (reading, _) = read_all(vec![document("k8s/c/all.json", &items(ingress).to_string())], &[]);
        reading.inventory.workloads[0].exposed
    };
    assert_eq!(exposed(&ingress), Fact::Known(false));
    let path = "/spec/rules/0/http/paths/0";
    for pointer in [
        "/spec".to_owned(),
        "/spec/rules".to_owned(),
        "/spec/rules/0".to_owned(),
        "/spec/rules/0/http".to_owned(),
        "/spec/rules/0/http/paths".to_owned(),
        path.to_owned(),
        format!("{path}/backend"),
        format!("{path}/backend/service"),
        format!("{path}/backend/service/name"),
    ] {
        let ingress = with(&ingress, &pointer, json!(7));
        assert_eq!(place(&ingress), format!("/items/0{pointer}"));
        assert_eq!(exposed(&ingress), Fact::Unknown, "{pointer}");
    }
}

#[test]
fn a_workload_without_a_template_runs_nothing_that_is_known_and_is_told_of() {
    for spec in [Value::Null, json!({}), json!({"template": null})] {
        let meta = json!({"name": "shop", "namespace": "ops"});
        let workload = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec});
        assert_eq!(place(&workload), "/items/0");
        let (reading, errors) = read_all(vec![document("k8s/c/all.json", &workload.to_string())], &[]);
        let inventory = reading.inventory;
        assert!(inventory.workloads.is_empty(), "{workload}");
        assert!(!inventory.identities.iter().any(|one| one.id == account("ops/default")), "{workload}");
        assert_eq!(errors[0].reason, "Deployment `shop` has no `spec.template`");
    }
}
