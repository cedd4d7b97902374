//! Microsoft's built-in roles, from outside the repository: `EVENHAND_SHARED` names the folder.

use super::*;
use crate::point;

/// Every so many operations of the catalogue are asked about.
const STEP: usize = 23;

#[test]
fn built_in_roles_are_listed_as_they_are_decided() {
    let Some(shared) = std::env::var_os("EVENHAND_SHARED") else {
        println!("skipped: EVENHAND_SHARED is not set");
        return;
    };
    let path = std::path::Path::new(&shared).join("samples/azure/azure-built-in-roles-raw.json");
    let text = std::fs::read_to_string(path).unwrap();
    let definitions = point::definitions(&text).unwrap();
    let assignments = definitions
        .iter()
        .map(|role| assigned(&format!("holder of {}", role.key), &role.key.to_string(), "/subscriptions/a"));
    let world = World { assignments: assignments.collect(), definitions, ..World::default() };
    let conditions: Vec<&Condition> = world
        .definitions
        .iter()
        .flat_map(|role| role.permissions.iter().filter_map(|block| block.condition.as_ref()))
        .collect();
    let understood = conditions.len();
    let not_understood: Vec<_> = conditions.iter().filter_map(|condition| condition.check().err()).collect();
    assert!(not_understood.is_empty(), "{not_understood:?}");
    let catalogue = Catalogue::global().with(world.patterns());
    let resource = id("/subscriptions/a/resourceGroups/rg/providers/P/t/n");
    let authorizer = Authorizer::new(world);
    let (mut asked_of, mut held, mut open) = (0_usize, 0_usize, 0_usize);
    for definition in &authorizer.world().definitions {
        let holder = format!("holder of {}", definition.key);
        let access = authorizer.access(&ObjectId::new(&holder), &catalogue);
        let of_slices = access.slices.iter().flat_map(|slice| slice.operations.iter()).step_by(STEP);
        let everywhere =
            (0_u32..).map(OperationIx).take(evenhand_model::catalog::Catalog::len(&catalogue)).step_by(STEP);
        for operation in everywhere.chain(of_slices) {
            let name = catalogue.lower(operation);
            let decided = authorizer.decide(&asked(&holder, catalogue.plane(operation), name, resource.as_str()));
            assert_eq!(listed(&access, operation, &resource), granted(decided.outcome), "{} {name}", definition.name);
            asked_of += 1;
            held += usize::from(decided.outcome == Outcome::Allowed);
            open += usize::from(decided.outcome == Outcome::Conditional);
        }
    }
    let roles = authorizer.world().definitions.len();
    println!(
        "{roles} built-in roles, {understood} conditions, {} operations: {asked_of} decisions agree with the list, {held} \
         of them allowed, {open} conditional",
        evenhand_model::catalog::Catalog::len(&catalogue)
    );
    assert!(roles > 900 && held > 1_000 && open > 0, "{roles} {held} {open}");
}
