//! Whether someone may write an RBAC object: the server's protection against handing out more than one holds.

use std::sync::Arc;

use super::{Authorizer, MASTERS, Request, Role, Rule, covers};

/// What is written.
#[derive(Clone, Debug)]
pub enum Write<'a> {
    /// A Role or ClusterRole, as it will be.
    Role {
        /// The role.
        role: &'a Role,
        /// Whether it has, or had before, an aggregation rule.
        aggregated: bool,
        /// Whether the request carries its name: updates and patches do, creation does not.
        named: bool,
    },
    /// A binding to a role.
    Binding {
        /// The namespace of the binding; empty for a ClusterRoleBinding.
        namespace: &'a str,
        /// `Role` or `ClusterRole`.
        role_kind: &'a str,
        /// The role's name.
        role_name: &'a str,
        /// The role's rules.
        rules: &'a [Rule],
    },
}

/// Whether the escalation check lets a write pass. That the writer may write such objects at all is asked apart.
pub fn may_write(authorizer: &Authorizer, user: &str, groups: &[Arc<str>], write: &Write<'_>) -> bool {
    if groups.iter().any(|group| &**group == MASTERS) {
        return true;
    }
    let holds = |namespace: &str, rules: &[Rule]| {
        let held: Vec<Rule> = authorizer.rules_for(user, groups, namespace).into_iter().cloned().collect();
        covers(&held, rules).is_empty()
    };
    let verb = |verb: &str, resource: &str, name: &str, namespace: &str| {
        let request = Request {
            verb: verb.into(),
            api_group: "rbac.authorization.k8s.io".into(),
            resource: resource.into(),
            name: name.into(),
            namespace: namespace.into(),
            resource_request: true,
            user: user.into(),
            groups: groups.to_vec(),
            ..Request::default()
        };
        authorizer.authorize(&request).is_some()
    };
    match write {
        Write::Role { role, aggregated, named } => {
            let namespace = &*role.metadata.namespace;
            let resource = if namespace.is_empty() { "clusterroles" } else { "roles" };
            if verb("escalate", resource, if *named { &role.metadata.name } else { "" }, namespace) {
                return true;
            }
            let star = || vec![Arc::from("*")];
            let everything = [
                Rule { verbs: star(), api_groups: star(), resources: star(), ..Rule::default() },
                Rule { verbs: star(), non_resource_urls: star(), ..Rule::default() },
            ];
            (!aggregated || holds(namespace, &everything)) && holds(namespace, &role.rules.to_vec())
        }
        Write::Binding { namespace, role_kind, role_name, rules } => {
            let resource = if *role_kind == "Role" { "roles" } else { "clusterroles" };
            verb("bind", resource, role_name, namespace) || holds(namespace, rules)
        }
    }
}
