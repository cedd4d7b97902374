//! Who controls a whole account, by what it may do.

use evenhand_model::access::Access;
use evenhand_model::catalog::{Catalog, OperationClass};
use evenhand_model::condition::{Clause, Condition};
use evenhand_model::evidence::Truth;
use evenhand_model::opset::OpSet;
use evenhand_model::scope::Pattern;

use crate::catalog::Catalogue;

/// The share of all weight that an administrator holds at least, in per cent. Organisation policies take some services
/// and regions away from everybody, so full control is less than everything.
const SHARE: u64 = 25;

/// Whether the access is that of an administrator: every IAM action that grants, rewrites or passes access, on every
/// resource without condition, and broad access to the services besides. IAM alone is not full control but one step
/// from it: that is an escalation.
pub(crate) fn is_admin(access: &Access) -> bool {
    if access.unlimited {
        return true;
    }
    let catalogue = Catalogue::global();
    let governing = catalogue.class(OperationClass::Escalation).intersection(&catalogue.expand("iam:*"));
    let (mut everywhere, mut broad) = (Vec::new(), Vec::new());
    for slice in access.slices().iter().filter(|slice| slice.scope.all_of.is_empty()) {
        if slice.condition.is_unconditional() {
            everywhere.extend(left(&slice.operations.intersection(&governing), &slice.scope.none_of).ranges());
        }
        if only_denies(&slice.condition) {
            broad.extend(slice.operations.ranges());
        }
    }
    if !governing.is_subset(&OpSet::from_ranges(everywhere)) {
        return false;
    }
    let all = catalogue.weight_of(&OpSet::all(catalogue.len()));
    catalogue.weight_of(&OpSet::from_ranges(broad)) * 100 >= all * SHARE
}

/// The operations that reach some resource outside of the holes: all of a kind of resource may be denied by its name.
fn left(operations: &OpSet, holes: &[Pattern]) -> OpSet {
    if holes.is_empty() {
        return operations.clone();
    }
    let catalogue = Catalogue::global();
    let swallows = |hole: &Pattern, kind: &Pattern| {
        // Partition and account: an export is of one, and denies name their own.
        [2, 3, 5].into_iter().all(|at| match (hole.segments().get(at), kind.segments().get(at)) {
            (Some(hole), Some(kind)) => hole.contains(kind) == Truth::Yes,
            _ => false,
        })
    };
    let outside = |number: &u16| {
        catalogue.patterns().get(usize::from(*number)).is_none_or(|kind| !holes.iter().any(|hole| swallows(hole, kind)))
    };
    operations
        .iter()
        .filter(|operation| {
            let kinds = catalogue.resources(*operation);
            kinds.is_empty() || kinds.iter().any(outside)
        })
        .collect()
}

/// Whether a condition is only what conditional denies leave, such as a limit to regions.
fn only_denies(condition: &Condition) -> bool {
    condition.clauses().all(|clause| matches!(clause, Clause::Unless { .. }))
}
