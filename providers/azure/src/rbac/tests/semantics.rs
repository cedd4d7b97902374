//! The sentences of Azure's own description.

use super::*;

const RG: &str = "/subscriptions/a/resourceGroups/rg";
const VM: &str = "/subscriptions/a/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm";
const READ: &str = "Microsoft.Compute/virtualMachines/read";
const WRITE: &str = "Microsoft.Compute/virtualMachines/write";

fn world(definitions: Vec<RoleDefinition>, assignments: Vec<RoleAssignment>) -> World {
    World { definitions, assignments, hierarchy: hierarchy(), ..World::default() }
}

#[test]
fn what_nothing_grants_is_denied() {
    assert_eq!(outcome(&world(vec![], vec![]), "ann", READ, VM), Outcome::ImplicitlyDenied);
}

#[test]
fn not_actions_are_taken_out_of_their_own_block_only() {
    let limited = role("limited", vec![block(&["*"], &["Microsoft.Compute/*/write"])]);
    let writer = role("writer", vec![block(&["Microsoft.Compute/virtualMachines/write"], &[])]);
    let both = role("both", vec![block(&["*"], &["*/write"]), block(&[WRITE], &[])]);
    let all = vec![limited, writer, both];
    for (roles, operation, expected) in [
        (vec!["limited"], READ, Outcome::Allowed),
        (vec!["limited"], WRITE, Outcome::ImplicitlyDenied),
        (vec!["limited", "writer"], WRITE, Outcome::Allowed),
        (vec!["both"], WRITE, Outcome::Allowed),
        (vec!["both"], "Microsoft.Storage/storageAccounts/write", Outcome::ImplicitlyDenied),
    ] {
        let assignments = roles.iter().map(|role| assigned("ann", role, "/subscriptions/a")).collect();
        assert_eq!(outcome(&world(all.clone(), assignments), "ann", operation, VM), expected, "{roles:?} {operation}");
    }
}

#[test]
fn data_actions_are_apart() {
    const BLOB: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";
    let data = Permission {
        data_actions: patterns(&["Microsoft.Storage/*"]),
        not_data_actions: patterns(&["*/write"]),
        ..Permission::default()
    };
    let world = world(
        vec![role("owner", vec![block(&["*"], &[])]), role("data", vec![data])],
        vec![assigned("ann", "owner", "/"), assigned("bot", "data", "/")],
    );
    let authorizer = Authorizer::new(world);
    for (principal, plane, operation, expected) in [
        ("ann", Plane::Control, BLOB, Outcome::Allowed),
        ("ann", Plane::Data, BLOB, Outcome::ImplicitlyDenied),
        ("bot", Plane::Data, BLOB, Outcome::Allowed),
        ("bot", Plane::Control, BLOB, Outcome::ImplicitlyDenied),
        ("bot", Plane::Data, "Microsoft.Storage/x/write", Outcome::ImplicitlyDenied),
    ] {
        let decided = authorizer.decide(&asked(principal, plane, operation, VM));
        assert_eq!(decided.outcome, expected, "{principal} {plane:?} {operation}");
    }
}

#[test]
fn case_counts_nowhere() {
    let world = world(
        vec![role("READER", vec![block(&["*/READ"], &[])])],
        vec![assigned(
            "Ann",
            "/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/reader",
            "/SUBSCRIPTIONS/A",
        )],
    );
    assert_eq!(outcome(&world, "ANN", "microsoft.compute/VIRTUALMACHINES/read", &VM.to_uppercase()), Outcome::Allowed);
}

#[test]
fn scopes_inherit_downwards() {
    let reader = || vec![role("reader", vec![block(&["*/read"], &[])])];
    for (scope, resource, expected) in [
        ("/", VM, Outcome::Allowed),
        (TOP, VM, Outcome::Allowed),
        (PROD, VM, Outcome::Allowed),
        (PROD, "/subscriptions/b", Outcome::ImplicitlyDenied),
        ("/subscriptions/a", RG, Outcome::Allowed),
        (RG, VM, Outcome::Allowed),
        (RG, "/subscriptions/a/resourceGroups/rg2", Outcome::ImplicitlyDenied),
        (VM, VM, Outcome::Allowed),
        (VM, RG, Outcome::ImplicitlyDenied),
        (PROD, "/subscriptions/unread", Outcome::Unknown),
    ] {
        let world = world(reader(), vec![assigned("ann", "reader", scope)]);
        assert_eq!(outcome(&world, "ann", READ, resource), expected, "{scope} {resource}");
    }
}

#[test]
fn groups_count_through_other_groups() {
    let mut world = world(
        vec![role("reader", vec![block(&["*/read"], &[])])],
        vec![assigned("outer", "reader", "/subscriptions/a")],
    );
    let pairs = [("outer", "inner"), ("inner", "ann"), ("inner", "outer"), ("other", "bob")];
    world.groups = Groups::new(pairs.map(|(group, member)| (ObjectId::new(group), ObjectId::new(member))));
    assert_eq!(outcome(&world, "ann", READ, VM), Outcome::Allowed);
    assert_eq!(outcome(&world, "bob", READ, VM), Outcome::ImplicitlyDenied);
}

#[test]
fn a_deny_assignment_wins_over_every_grant() {
    let mut world = world(vec![role("owner", vec![block(&["*"], &[])])], vec![assigned("ann", "owner", "/")]);
    world.groups = Groups::new([(ObjectId::new("staff"), ObjectId::new("ann"))]);
    let everybody = || Principals { everybody: true, ..Principals::default() };
    let writes = || vec![block(&["*"], &["*/read"])];
    let below = denied(named(&["ann"]), writes(), RG);
    for (what, deny, operation, resource, expected) in [
        ("named", below.clone(), WRITE, VM, Outcome::ExplicitlyDenied),
        ("its own notActions", below.clone(), READ, VM, Outcome::Allowed),
        ("outside its scope", below.clone(), WRITE, "/subscriptions/a", Outcome::Allowed),
        ("a management group", denied(named(&["ann"]), writes(), TOP), WRITE, VM, Outcome::ExplicitlyDenied),
        ("a group", denied(named(&["staff"]), writes(), RG), WRITE, VM, Outcome::ExplicitlyDenied),
        ("somebody else", denied(named(&["bob"]), writes(), RG), WRITE, VM, Outcome::Allowed),
        ("everybody", denied(everybody(), writes(), RG), WRITE, VM, Outcome::ExplicitlyDenied),
        (
            "everybody but her",
            DenyAssignment { excluded: named(&["ann"]), ..denied(everybody(), writes(), RG) },
            WRITE,
            VM,
            Outcome::Allowed,
        ),
        (
            "everybody but a group of hers",
            DenyAssignment { excluded: named(&["staff"]), ..denied(everybody(), writes(), RG) },
            WRITE,
            VM,
            Outcome::Allowed,
        ),
        (
            "not below: at its scope",
            DenyAssignment { not_below: true, ..below.clone() },
            WRITE,
            RG,
            Outcome::ExplicitlyDenied,
        ),
        ("not below: below it", DenyAssignment { not_below: true, ..below.clone() }, WRITE, VM, Outcome::Allowed),
        (
            "a condition that does not hold",
            DenyAssignment { condition: Some(Condition::new("ActionMatches{'*/delete'}")), ..below.clone() },
            WRITE,
            VM,
            Outcome::Allowed,
        ),
        (
            "a condition that is not known",
            DenyAssignment { condition: Some(Condition::new("@Resource[x] StringEquals 'a'")), ..below.clone() },
            WRITE,
            VM,
            Outcome::Conditional,
        ),
        (
            "a subscription that was not read",
            denied(named(&["ann"]), writes(), PROD),
            WRITE,
            "/subscriptions/c",
            Outcome::Unknown,
        ),
    ] {
        let mut world = world.clone();
        world.denies.push(deny);
        assert_eq!(outcome(&world, "ann", operation, resource), expected, "{what}");
        // To somebody who holds nothing, a deny adds nothing.
        assert_eq!(outcome(&world, "eve", operation, resource), Outcome::ImplicitlyDenied, "{what}");
    }
}

#[test]
fn conditions_stand_on_assignments_and_in_roles() {
    const ONLY_READER: &str = "!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'}) OR \
         @Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals{acdd72a7}";
    const ASSIGN: &str = "Microsoft.Authorization/roleAssignments/write";
    let condition = || Some(Condition::new(ONLY_READER));
    let free = || block(&["*"], &[]);
    let bound = || Permission { condition: condition(), ..free() };
    let plain = || assigned("ann", "r", RG);
    let conditional = || RoleAssignment { condition: condition(), ..plain() };
    for (what, permissions, assignments, operation, given, expected) in [
        ("on the assignment", vec![free()], vec![conditional()], ASSIGN, None, Outcome::Conditional),
        ("in the role", vec![bound()], vec![plain()], ASSIGN, None, Outcome::Conditional),
        ("another operation", vec![bound()], vec![conditional()], READ, None, Outcome::Allowed),
        ("what it allows", vec![bound()], vec![conditional()], ASSIGN, Some("ACDD72A7"), Outcome::Allowed),
        ("what it does not", vec![bound()], vec![plain()], ASSIGN, Some("8e3af657"), Outcome::ImplicitlyDenied),
        ("another block without", vec![bound(), free()], vec![plain()], ASSIGN, Some("8e3af657"), Outcome::Allowed),
        ("another assignment without", vec![free()], vec![conditional(), plain()], ASSIGN, None, Outcome::Allowed),
    ] {
        let world = world(vec![role("r", permissions)], assignments);
        let mut request = asked("ann", Plane::Control, operation, VM);
        if let Some(role) = given {
            request.attributes.insert(
                condition::Attribute::new(
                    condition::Source::Request,
                    "Microsoft.Authorization/roleAssignments:RoleDefinitionId",
                ),
                condition::Value::Texts(vec![role.to_owned()]),
            );
        }
        assert_eq!(Authorizer::new(world).decide(&request).outcome, expected, "{what}");
    }
}

#[test]
fn what_cannot_be_evaluated_is_conditional_and_never_dropped() {
    let odd = RoleAssignment {
        condition: Some(Condition::new("this is no condition")),
        ..assigned("ann", "owner", "/subscriptions/a")
    };
    let world = world(vec![role("owner", vec![block(&["*"], &[])])], vec![odd]);
    assert_eq!(outcome(&world, "ann", READ, VM), Outcome::Conditional);
    let catalogue = Catalogue::empty().with(patterns(&[READ]).iter().map(|pattern| (Plane::Control, pattern)));
    let access = Authorizer::new(world).access(&ObjectId::new("ann"), &catalogue);
    assert_eq!(access.slices.len(), 1);
    assert!(!access.slices.first().unwrap().condition.is_unconditional());
}

#[test]
fn a_role_that_was_not_read_may_grant_anything() {
    let world = world(
        vec![role("reader", vec![block(&["*/read"], &[])])],
        vec![assigned("ann", "reader", RG), assigned("ann", "missing", RG)],
    );
    assert_eq!(outcome(&world, "ann", READ, VM), Outcome::Allowed);
    assert_eq!(outcome(&world, "ann", WRITE, VM), Outcome::Unknown);
    assert_eq!(outcome(&world, "ann", WRITE, "/subscriptions/b"), Outcome::ImplicitlyDenied);
    let access = Authorizer::new(world).access(&ObjectId::new("ann"), Catalogue::global());
    let doubts: Vec<String> = access.doubts.iter().map(ToString::to_string).collect();
    assert_eq!(doubts, ["role definition missing"]);
}

#[test]
fn wildcards_that_no_catalogue_knows_are_listed_as_they_are_written() {
    let world = world(
        vec![role("r", vec![block(&["Contoso.Robots/arms/*", "Contoso.Robots/*/legs/*"], &["Contoso.Robots/arms/*"])])],
        vec![assigned("ann", "r", RG)],
    );
    let catalogue = Catalogue::empty().with(world.patterns());
    let access = Authorizer::new(world).access(&ObjectId::new("ann"), &catalogue);
    let names: Vec<Arc<str>> = access
        .slices
        .iter()
        .flat_map(|slice| slice.operations.iter())
        .map(|operation| evenhand_model::catalog::Catalog::name(&catalogue, operation))
        .collect();
    assert_eq!(names, ["Contoso.Robots/*/legs/*".into()]);
}

#[test]
fn a_list_without_management_groups_says_so() {
    let world = World {
        definitions: vec![role("reader", vec![block(&["*/read"], &[])])],
        assignments: vec![assigned("ann", "reader", TOP)],
        ..World::default()
    };
    let access = Authorizer::new(world).access(&ObjectId::new("ann"), Catalogue::global());
    let doubts: Vec<String> = access.doubts.iter().map(ToString::to_string).collect();
    assert_eq!(doubts, ["the subscriptions of management groups"]);
}
