//! What must hold for any rules, roles and bindings.

use proptest::prelude::*;

use super::*;

const VERBS: [&str; 6] = ["get", "list", "create", "impersonate", "bind", "*"];
const GROUPS: [&str; 4] = ["", "apps", "core", "*"];
const RESOURCES: [&str; 9] =
    ["pods", "pods/exec", "pods/*", "*/exec", "*/*", "secrets", "deployments", "deployments/scale", "*"];
const NAMES: [&str; 3] = ["a", "b", "*"];
const URLS: [&str; 7] = ["/api", "/api/*", "/api/v1", "/a*", "*", "/a*b", "/x**"];
const USERS: [&str; 4] = ["ann", "bob", "system:serviceaccount:n:a", "system:serviceaccount:m:a"];

fn texts(all: &'static [&'static str], range: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Arc<str>>> {
    prop::sample::subsequence(all, range).prop_map(|held| held.into_iter().map(Arc::from).collect())
}

/// A rule that a server takes: about resources or about URLs.
pub(crate) fn rule() -> impl Strategy<Value = Rule> {
    let of_resources = (texts(&VERBS, 1..4), texts(&GROUPS, 1..3), texts(&RESOURCES, 1..4), texts(&NAMES, 0..2));
    let of_urls = (texts(&VERBS, 1..3), texts(&URLS, 1..3));
    prop_oneof![
        4 => of_resources.prop_map(|(verbs, api_groups, resources, resource_names)| Rule {
            verbs, api_groups, resources, resource_names, ..Rule::default()
        }),
        1 => of_urls.prop_map(|(verbs, non_resource_urls)| Rule { verbs, non_resource_urls, ..Rule::default() }),
    ]
}

pub(crate) fn rules() -> impl Strategy<Value = Vec<Rule>> {
    prop::collection::vec(rule(), 0..5)
}

fn request() -> impl Strategy<Value = Request> {
    let one = |all: &'static [&'static str]| prop::sample::select(all).prop_map(Arc::<str>::from);
    let resource =
        (one(&GROUPS[..2]), prop::sample::select(&["pods", "secrets", "deployments"][..]), one(&["", "exec", "scale"]));
    let place = (one(&["", "n", "m"]), one(&["", "a", "b"]));
    (one(&VERBS[..5]), resource, place, one(&URLS), one(&USERS), prop::bool::weighted(0.8)).prop_map(
        |(verb, (api_group, resource, subresource), (namespace, name), path, user, resource_request)| Request {
            verb,
            api_group,
            resource: resource.into(),
            subresource,
            name,
            namespace: if resource_request { namespace } else { "".into() },
            resource_request,
            path,
            groups: implied_groups(&user),
            user,
        },
    )
}

fn subject() -> impl Strategy<Value = Subject> {
    let of = |kind: &'static str, name: &'static str, namespace: &'static str| {
        Just(Subject { kind: kind.into(), name: name.into(), namespace: namespace.into(), ..Subject::default() })
    };
    prop_oneof![
        of("User", "ann", ""),
        of("User", "system:serviceaccount:n:a", ""),
        of("Group", "system:authenticated", ""),
        of("Group", "system:serviceaccounts:n", ""),
        of("ServiceAccount", "a", ""),
        of("ServiceAccount", "a", "m"),
    ]
}

fn binding() -> impl Strategy<Value = Binding> {
    let namespace = prop::sample::select(&["", "n", "m"][..]);
    let role = prop::sample::select(&[("ClusterRole", "0"), ("ClusterRole", "1"), ("Role", "0"), ("Role", "9")][..]);
    (namespace, role, prop::collection::vec(subject(), 1..3)).prop_map(|(namespace, (kind, name), subjects)| Binding {
        metadata: Metadata { namespace: namespace.into(), ..Metadata::default() },
        subjects,
        role_ref: RoleRef { kind: kind.into(), name: name.into() },
    })
}

fn authorizer(roles: &[Vec<Rule>], bindings: &[Binding]) -> Authorizer {
    let role = |at: usize, namespace: &str, rules: &[Rule]| Role {
        metadata: Metadata { name: at.to_string().into(), namespace: namespace.into(), ..Metadata::default() },
        rules: rules.to_vec().into(),
        aggregation_rule: None,
    };
    let each = || roles.iter().enumerate();
    let (role_bindings, cluster_role_bindings) =
        bindings.iter().cloned().partition(|binding| !binding.metadata.namespace.is_empty());
    Authorizer::new(World {
        roles: ["n", "m"].iter().flat_map(|home| each().map(|(at, rules)| role(at, home, rules))).collect(),
        cluster_roles: each().map(|(at, rules)| role(at, "", rules)).collect(),
        role_bindings,
        cluster_role_bindings,
    })
}

proptest! {
    #[test]
    fn rules_cover_themselves(rules in rules()) {
        prop_assert_eq!(covers(&rules, &rules), []);
    }

    #[test]
    fn what_covers_what_covers_covers(a in rules(), b in rules(), c in rules()) {
        // Whole rules seldom cover each other: of each, what the one before it covers.
        let kept = |owner: &[Rule], servant: Vec<Rule>| -> Vec<Rule> {
            servant.into_iter().filter(|rule| covers(owner, std::slice::from_ref(rule)).is_empty()).collect()
        };
        let b = kept(&a, b);
        let c = kept(&b, c);
        prop_assert_eq!(covers(&a, &c), []);
    }

    #[test]
    fn what_is_covered_allows_nothing_more(owner in rules(), servant in rules(), request in request()) {
        if covers(&owner, &servant).is_empty() && servant.iter().any(|rule| rule_allows(rule, &request)) {
            prop_assert!(owner.iter().any(|rule| rule_allows(rule, &request)));
        }
    }

    #[test]
    fn what_is_not_covered_is_a_part_of_what_was_asked(owner in rules(), servant in rules()) {
        let uncovered = covers(&owner, &servant);
        prop_assert_eq!(covers(&servant, &uncovered), []);
        let both: Vec<Rule> = owner.iter().chain(&uncovered).cloned().collect();
        prop_assert_eq!(covers(&both, &servant), []);
    }

    #[test]
    fn an_account_is_bound_as_the_user_that_it_is(bindings in prop::collection::vec(binding(), 0..6)) {
        let authorizer = authorizer(&[], &bindings);
        for (namespace, name) in [("n", "a"), ("m", "a"), ("n", "b"), ("", "a"), ("n", ""), ("n:a", "b")] {
            let as_user = authorizer.bindings_of_user(&account_user(namespace, name));
            prop_assert_eq!(authorizer.bindings_of_account(namespace, name).into_owned(), as_user);
            let group = authorizer.bindings_of_group(&format!("{ACCOUNTS}:{namespace}"));
            prop_assert_eq!(authorizer.bindings_of_namespace(namespace), group);
        }
    }

    #[test]
    fn one_more_binding_takes_nothing_away(
        roles in prop::collection::vec(rules(), 2),
        bindings in prop::collection::vec(binding(), 0..4),
        more in binding(),
        requests in prop::collection::vec(request(), 8),
    ) {
        let before = authorizer(&roles, &bindings);
        let mut bindings = bindings;
        bindings.push(more);
        let after = authorizer(&roles, &bindings);
        for request in &requests {
            prop_assert!(before.authorize(request).is_none() || after.authorize(request).is_some(), "{:?}", request);
        }
    }

    #[test]
    fn who_is_allowed_is_among_the_subjects_of_what_allows_it(
        roles in prop::collection::vec(rules(), 2),
        bindings in prop::collection::vec(binding(), 0..4),
        request in request(),
    ) {
        let authorizer = authorizer(&roles, &bindings);
        let held = authorizer.bindings_of(&request.user, &request.groups);
        for granted in authorizer.granted_within(&held, &request) {
            let binding = authorizer.binding(granted.binding).expect("a binding");
            let home = &binding.metadata.namespace;
            prop_assert!(applies_to(&binding.subjects, &request.user, &request.groups, home).is_some());
            prop_assert!(binding.holds_in(&request.namespace));
        }
    }
}
