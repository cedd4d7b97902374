//! What holds for every world.

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 6] = ["A/b/read", "A/b/write", "A/b/c/read", "A/d/action", "B/b/read", "B/e/delete"];
const RESOURCES: [&str; 7] = [
    TOP,
    PROD,
    "/subscriptions/a",
    "/subscriptions/a/resourceGroups/x",
    "/subscriptions/a/resourceGroups/x/providers/P/t/n",
    "/subscriptions/b",
    "/subscriptions/b/resourceGroups/x",
];

fn texts(from: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(from), 0..=most)
}

fn conditions() -> impl Strategy<Value = Option<Condition>> {
    prop::sample::select(vec![
        None,
        None,
        None,
        Some("ActionMatches{'A/b/*'}"),
        Some("!(ActionMatches{'*/write'})"),
        Some("@Resource[x] StringEquals 'a'"),
        Some("!(ActionMatches{'*/read'}) OR @Request[r] StringEquals 'b'"),
        Some("nonsense"),
    ])
    .prop_map(|text| text.map(Condition::new))
}

fn blocks() -> impl Strategy<Value = Permission> {
    const MEANT: &[&str] = &["*", "*/read", "A/*", "a/B/read", "A/b/write", "A/*/read", "B/e/delete", "A/*/c/*", "C/*"];
    (texts(MEANT, 2), texts(MEANT, 1), texts(MEANT, 1), texts(MEANT, 1), conditions()).prop_map(
        |(actions, not_actions, data_actions, not_data_actions, condition)| Permission {
            actions: patterns(&actions),
            not_actions: patterns(&not_actions),
            data_actions: patterns(&data_actions),
            not_data_actions: patterns(&not_data_actions),
            condition,
        },
    )
}

fn scopes() -> impl Strategy<Value = &'static str> {
    prop::sample::select([&["/"][..], &RESOURCES].concat())
}

fn principals() -> impl Strategy<Value = Principals> {
    (any::<bool>(), texts(&["ann", "group", "other"], 2))
        .prop_map(|(everybody, ids)| Principals { everybody, ..named(&ids) })
}

fn assignments() -> impl Strategy<Value = RoleAssignment> {
    (
        prop::sample::select(vec!["ann", "group", "other"]),
        prop::sample::select(vec!["r0", "r1"]),
        scopes(),
        conditions(),
    )
        .prop_map(|(principal, role, scope, condition)| RoleAssignment {
            condition,
            ..assigned(principal, role, scope)
        })
}

fn denies() -> impl Strategy<Value = DenyAssignment> {
    let excluded = texts(&["ann", "group", "other"], 1).prop_map(|ids| named(&ids));
    (principals(), excluded, prop::collection::vec(blocks(), 1..3), scopes(), any::<bool>(), conditions()).prop_map(
        |(principals, excluded, permissions, scope, not_below, condition)| DenyAssignment {
            excluded,
            not_below,
            condition,
            ..denied(principals, permissions, scope)
        },
    )
}

fn worlds() -> impl Strategy<Value = World> {
    let roles = prop::collection::vec(prop::collection::vec(blocks(), 1..3), 2);
    (roles, prop::collection::vec(assignments(), 0..4), prop::collection::vec(denies(), 0..3)).prop_map(
        |(roles, assignments, denies)| World {
            definitions: roles.into_iter().enumerate().map(|(at, blocks)| role(&format!("r{at}"), blocks)).collect(),
            assignments,
            denies,
            groups: Groups::new([(ObjectId::new("group"), ObjectId::new("ann"))]),
            hierarchy: hierarchy(),
        },
    )
}

/// Every decision about Ann: plane, operation, resource.
fn decisions(world: &World) -> Vec<(Plane, &'static str, &'static str, Outcome)> {
    let authorizer = Authorizer::new(world.clone());
    let mut all = Vec::new();
    for plane in [Plane::Control, Plane::Data] {
        for name in NAMES {
            for resource in RESOURCES {
                all.push((plane, name, resource, authorizer.decide(&asked("ann", plane, name, resource)).outcome));
            }
        }
    }
    all
}

/// How much an outcome lets happen.
fn rank(outcome: Outcome) -> u8 {
    match granted(outcome) {
        Truth::No => 0,
        Truth::Unknown => 1,
        Truth::Yes => 2,
    }
}

fn names() -> Vec<OperationPattern> {
    patterns(&NAMES)
}

proptest! {
    #[test]
    fn one_more_assignment_never_shrinks_access(world in worlds(), more in assignments()) {
        let mut wider = world.clone();
        wider.assignments.push(more);
        for (before, after) in decisions(&world).into_iter().zip(decisions(&wider)) {
            prop_assert!(rank(before.3) <= rank(after.3), "{before:?} {after:?}");
        }
    }

    #[test]
    fn one_more_deny_never_grows_access(world in worlds(), more in denies()) {
        let mut narrower = world.clone();
        narrower.denies.push(more);
        for (before, after) in decisions(&world).into_iter().zip(decisions(&narrower)) {
            prop_assert!(rank(before.3) >= rank(after.3), "{before:?} {after:?}");
        }
    }

    #[test]
    fn what_is_listed_is_what_is_decided(world in worlds()) {
        let known = names();
        let planes = [Plane::Control, Plane::Data];
        let named = planes.into_iter().flat_map(|plane| known.iter().map(move |name| (plane, name)));
        let catalogue = Catalogue::empty().with(named);
        let access = Authorizer::new(world.clone()).access(&ObjectId::new("ann"), &catalogue);
        for (plane, name, resource, outcome) in decisions(&world) {
            let operation = catalogue.matching([&OperationPattern::new(name)], plane).first().unwrap();
            let listed = listed(&access, operation, &id(resource));
            prop_assert_eq!(listed, granted(outcome), "{:?} {} {} {:?}", plane, name, resource, access);
        }
    }
}
