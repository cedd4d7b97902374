//! Whether someone may act as somebody else: what the server asks the authorizer when a request carries the headers for it.

use std::sync::Arc;

use super::{Authorizer, MASTERS, Request, account_of_user};

const AUTHENTICATION: &str = "authentication.k8s.io";
const NODE: &str = "system:node:";

/// With so many groups the server asks for the literal name `*` before it asks for each.
const MANY: usize = 4;

/// Whether a user with groups may act as another one, with the groups that the request claims. The user to act as must be
/// given: a group is claimed beside some user only. Groups that follow from the user's name are not claimed.
///
/// `then` is what is done under the other identity; constrained impersonation (on by default since 1.36) asks for it as
/// well. That the other identity may do it is asked apart.
pub fn may_impersonate(
    authorizer: &Authorizer,
    user: &str,
    groups: &[Arc<str>],
    as_user: &str,
    as_groups: &[Arc<str>],
    then: Option<&Request>,
) -> bool {
    if groups.iter().any(|group| &**group == MASTERS) {
        return true;
    }
    let may = |verb: &str, (group, resource): (&str, &str), namespace: &str, name: &str| {
        let request = Request {
            verb: verb.into(),
            api_group: group.into(),
            resource: resource.into(),
            namespace: namespace.into(),
            name: name.into(),
            resource_request: true,
            user: user.into(),
            groups: groups.to_vec(),
            ..Request::default()
        };
        authorizer.authorize(&request).is_some()
    };
    let may_claim = |verb: &str, group: &str| {
        let each = |name: &str| may(verb, (group, "groups"), "", name);
        (as_groups.len() >= MANY && each("*")) || as_groups.iter().all(|name| each(name))
    };
    let account = account_of_user(as_user);
    let as_someone = match account {
        Some((namespace, name)) => may("impersonate", ("", "serviceaccounts"), namespace, name),
        None => may("impersonate", ("", "users"), "", as_user),
    };
    if as_someone && may_claim("impersonate", "") {
        return true;
    }
    let Some(then) = then else { return false };
    let mode = match (account, as_user.strip_prefix(NODE)) {
        (Some((namespace, name)), _) => {
            // This mode and the next one give the user's own groups and no others.
            let verb = "impersonate:serviceaccount";
            (as_groups.is_empty() && may(verb, (AUTHENTICATION, "serviceaccounts"), namespace, name))
                .then_some("serviceaccount")
        }
        (None, Some(node)) => {
            let verb = "impersonate:arbitrary-node";
            (as_groups.is_empty() && may(verb, (AUTHENTICATION, "nodes"), "", node)).then_some("arbitrary-node")
        }
        (None, None) => {
            let verb = "impersonate:user-info";
            let masters = as_groups.iter().any(|group| &**group == MASTERS);
            (!masters && may(verb, (AUTHENTICATION, "users"), "", as_user) && may_claim(verb, AUTHENTICATION))
                .then_some("user-info")
        }
    };
    mode.is_some_and(|mode| {
        let request = Request {
            verb: format!("impersonate-on:{mode}:{}", then.verb).into(),
            user: user.into(),
            groups: groups.to_vec(),
            ..then.clone()
        };
        authorizer.authorize(&request).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rbac::World;

    fn holding(rules: serde_json::Value, namespace: Option<&str>) -> Authorizer {
        let (kind, roles, bindings) = match namespace {
            Some(_) => ("Role", "roles", "roleBindings"),
            None => ("ClusterRole", "clusterRoles", "clusterRoleBindings"),
        };
        let metadata = serde_json::json!({ "name": "own", "namespace": namespace });
        let world: World = serde_json::from_value(serde_json::json!({
            roles: [{ "metadata": metadata, "rules": rules }],
            bindings: [{
                "metadata": metadata, "roleRef": { "kind": kind, "name": "own" },
                "subjects": [{ "kind": "User", "name": "actor" }]
            }],
        }))
        .expect("a world");
        Authorizer::new(world)
    }

    fn rule(verb: &str, group: &str, resources: &[&str], names: &[&str]) -> serde_json::Value {
        serde_json::json!({ "verbs": [verb], "apiGroups": [group], "resources": resources, "resourceNames": names })
    }

    const BOT: &str = "system:serviceaccount:ops:bot";

    #[test]
    fn each_part_of_the_identity_needs_its_grant() {
        let users = rule("impersonate", "", &["users"], &[]);
        let groups = rule("impersonate", "", &["groups"], &["sre", "dev"]);
        let accounts = rule("impersonate", "", &["serviceaccounts"], &["bot"]);
        for (rules, namespace, as_user, as_groups, expected) in [
            (vec![&users], None, "ann", vec![], true),
            (vec![&users], None, "ann", vec!["sre"], false),
            (vec![&groups], None, "ann", vec!["sre"], false),
            (vec![&users, &groups], None, "ann", vec!["sre", "dev"], true),
            (vec![&users, &groups], None, "ann", vec!["sre", MASTERS], false),
            (vec![&users], None, BOT, vec![], false),
            (vec![&accounts], None, BOT, vec![], true),
            (vec![&accounts], Some("ops"), BOT, vec![], true),
            (vec![&accounts], Some("dev"), BOT, vec![], false),
            (vec![&accounts, &groups], None, BOT, vec!["sre"], true),
        ] {
            let authorizer = holding(serde_json::json!(rules), namespace);
            let claimed: Vec<Arc<str>> = as_groups.iter().map(|group| Arc::from(*group)).collect();
            let may = may_impersonate(&authorizer, "actor", &[], as_user, &claimed, None);
            assert_eq!(may, expected, "{rules:?} {namespace:?} as {as_user} {as_groups:?}");
        }
    }

    #[test]
    fn constrained_impersonation_needs_the_verb_on_the_target_too() {
        let list = Request {
            verb: "list".into(),
            resource: "secrets".into(),
            namespace: "ops".into(),
            resource_request: true,
            ..Request::default()
        };
        let on = |mode: &str| rule(&format!("impersonate-on:{mode}:list"), "", &["secrets"], &[]);
        let to = |mode: &str, resources: &[&str], names: &[&str]| {
            rule(&format!("impersonate:{mode}"), AUTHENTICATION, resources, names)
        };
        let five = ["a", "b", "c", "d", "e"];
        for (rules, as_user, as_groups, expected) in [
            (vec![to("serviceaccount", &["serviceaccounts"], &[]), on("serviceaccount")], BOT, &[][..], true),
            (vec![to("serviceaccount", &["serviceaccounts"], &[])], BOT, &[], false),
            (vec![to("serviceaccount", &["serviceaccounts"], &[]), on("user-info")], BOT, &[], false),
            (vec![to("serviceaccount", &["serviceaccounts"], &[]), on("serviceaccount")], "ann", &[], false),
            (vec![to("user-info", &["users"], &[]), on("user-info")], "ann", &[], true),
            (vec![to("user-info", &["users", "groups"], &[]), on("user-info")], "ann", &[MASTERS], false),
            (
                vec![to("user-info", &["users"], &[]), to("user-info", &["groups"], &["*"]), on("user-info")],
                "ann",
                &five,
                true,
            ),
            (
                vec![to("user-info", &["users"], &[]), to("user-info", &["groups"], &["*"]), on("user-info")],
                "ann",
                &["a"],
                false,
            ),
            (vec![to("arbitrary-node", &["nodes"], &["n1"]), on("arbitrary-node")], "system:node:n1", &[], true),
            (vec![to("arbitrary-node", &["nodes"], &["n1"]), on("arbitrary-node")], "system:node:n2", &[], false),
        ] {
            let authorizer = holding(serde_json::json!(rules), None);
            let claimed: Vec<Arc<str>> = as_groups.iter().map(|group| Arc::from(*group)).collect();
            let may = may_impersonate(&authorizer, "actor", &[], as_user, &claimed, Some(&list));
            assert_eq!(may, expected, "{rules:?} as {as_user} {as_groups:?}");
        }
    }
}
