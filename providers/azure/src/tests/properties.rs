//! What more grants, and more activation, do to an access.

use evenhand_model::opset::OpSet;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Application permissions by their ids: User.ReadWrite.All, Mail.Read, Application.ReadWrite.All, AuditLog.Read.All.
const GRANTS: [&str; 4] = [
    USER_READ_WRITE_ALL,
    "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "b0afded3-3588-46d8-8b3d-9842eff778da",
];

/// The operations of an identity by their names: all, and those that hang on nothing.
fn held(reading: &Reading, who: &IdentityId) -> (Vec<Arc<str>>, Vec<Arc<str>>) {
    let resolver = resolver(reading);
    let access = resolver.access(who).unwrap();
    let names = |set: &OpSet| set.iter().map(|operation| resolver.catalog().name(operation)).collect();
    let free = access.slices().iter().filter(|slice| slice.condition.is_unconditional());
    let free = free.fold(OpSet::new(), |all, slice| all.union(&slice.operations));
    (names(access.operations()), names(&free))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn one_more_grant_never_shrinks_access_and_what_is_listed_is_decided(
        few in prop::collection::vec(0_usize..GRANTS.len(), 0..3),
        more in 0_usize..GRANTS.len(),
        eligible in any::<bool>(),
    ) {
        let agent = id("agent_identity", "agent");
        let granted = |numbers: &[usize]| {
            let mut answers = tenant(&numbers.iter().map(|at| GRANTS[*at]).collect::<Vec<_>>());
            if eligible {
                answers.push(graph(
                    "/roleManagement/directory/roleEligibilityScheduleInstances",
                    &json!([{ "id": "x", "principalId": "agent", "roleDefinitionId": HELPDESK, "directoryScopeId": "/" }]),
                ));
            }
            read(&answers)
        };
        let before = granted(&few);
        let after = granted(&few.iter().copied().chain([more]).collect::<Vec<_>>());
        let ((all, free), (all_after, free_after)) = (held(&before, &agent), held(&after, &agent));
        prop_assert!(all.iter().all(|name| all_after.contains(name)));
        prop_assert!(free.iter().all(|name| free_after.contains(name)));
        for name in &all_after {
            let expected = if free_after.contains(name) { Outcome::Allowed } else { Outcome::Conditional };
            prop_assert_eq!(decide(&after, &agent, name, None), expected, "{}", name);
        }
        // Being eligible gives nothing for good.
        prop_assert!(!free_after.iter().any(|name| &**name == RESET));
        prop_assert_eq!(all_after.iter().any(|name| &**name == RESET), eligible);
    }
}
