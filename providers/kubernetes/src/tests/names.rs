//! Operations by the names that people give to resources.

use evenhand_model::access::{DecideError, Outcome, Request};

use super::{account, read};

const CLUSTER: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: a, namespace: work}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: work}
rules:
- {apiGroups: [apps], resources: [deployments], verbs: [list, unlock]}
- {apiGroups: [networking.k8s.io], resources: [networkpolicies], verbs: [list]}
- {apiGroups: [example.com], resources: [gadgets], verbs: [list]}
- {apiGroups: [extensions], resources: [replicationcontrollers/scale], verbs: [get]}
- {apiGroups: [unread.example.com], resources: ["*"], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: r, namespace: work}
subjects: [{kind: ServiceAccount, name: a, namespace: work}]
roleRef: {kind: Role, name: r, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBindingList
items: []
"#;

#[test]
fn a_resource_is_known_by_the_names_that_kubectl_takes_and_no_other() {
    let (_, resolver) = read(CLUSTER);
    let ask = |operation: &str| {
        let request = Request {
            identity: account("work/a").to_string(),
            operation: operation.to_owned(),
            resource: Some("work/".to_owned()),
            context: Default::default(),
        };
        resolver.decide(&account("work/a"), &request).map(|decision| decision.outcome)
    };
    for (operation, expected) in [
        ("list deployments.apps", Outcome::Allowed),
        ("list deploy.apps", Outcome::Allowed),
        ("list deploy", Outcome::Allowed),
        ("list deployment.apps", Outcome::Allowed),
        ("list Deployments.apps", Outcome::Allowed),
        ("list deployments.v1.apps", Outcome::Allowed),
        ("list netpol", Outcome::Allowed),
        ("list gadget.example.com", Outcome::Allowed),
        ("get deploy.apps/scale", Outcome::ImplicitlyDenied),
        ("list po", Outcome::ImplicitlyDenied),
        ("list pod.core", Outcome::ImplicitlyDenied),
        ("unlock deployments.apps", Outcome::Allowed),
        ("unlock pods", Outcome::ImplicitlyDenied),
        ("get replicationcontrollers.extensions/scale", Outcome::Allowed),
        // Definitions that were not read may be of anything.
        ("list things.unread.example.com", Outcome::Allowed),
        ("list things.other.example.com", Outcome::ImplicitlyDenied),
        ("impersonate userextras.authentication.k8s.io/scopes", Outcome::ImplicitlyDenied),
    ] {
        assert_eq!(ask(operation), Ok(expected), "{operation}");
    }
    for (operation, remedy) in [
        ("list deploymen.apps", "its API group has no such resource"),
        ("list pods.apps", "its API group has no such resource; `pods` is known"),
        ("list deployments.app", "no server has such an API group; `deployments.apps` is known"),
        ("list deployments.Apps", "no server has such an API group; `deployments.apps` is known"),
        ("list deploymen", "give its API group"),
        ("List deployments.apps", "write the verb in lower case: `list deployments.apps`"),
        ("LIST pods", "write the verb in lower case: `list pods`"),
    ] {
        match ask(operation) {
            Err(DecideError::UnknownOperation { remedy: said, .. }) => {
                assert!(said.starts_with(remedy), "{operation}: {said}");
            }
            other => panic!("{operation}: {other:?}"),
        }
    }
}
