//! Who controls a whole account, by what it may do.

use std::sync::LazyLock;

use evenhand_model::access::Access;
use evenhand_model::catalog::{Catalog, OperationClass};
use evenhand_model::condition::{Clause, Condition};
use evenhand_model::opset::OpSet;

use super::holes::{Swallowed, Whose};
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
    let governing = governing();
    // Nearly everybody lacks some, wherever granted.
    if !governing.is_subset(access.operations()) {
        return false;
    }
    // Most grants name resources.
    let unscoped = || access.slices().iter().filter(|slice| slice.scope.all_of.is_empty());
    if unscoped().next().is_none() {
        return false;
    }
    let catalogue = Catalogue::global();
    let (mut everywhere, mut broad) = (Vec::new(), Vec::new());
    let mut swallowed = Swallowed::new(Whose::Somebodys);
    for slice in unscoped() {
        if slice.condition.is_unconditional() {
            let held = slice.operations.intersection(governing);
            // An administrator rules one account: all of a kind of resource in it may be denied by its name.
            match swallowed.by(&slice.scope.none_of) {
                Some(gone) => everywhere.extend(held.difference(gone).ranges()),
                None => everywhere.extend(held.ranges()),
            }
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

/// Every IAM action that grants, rewrites or passes access.
fn governing() -> &'static OpSet {
    static GOVERNING: LazyLock<OpSet> = LazyLock::new(|| {
        let catalogue = Catalogue::global();
        catalogue.class(OperationClass::Escalation).intersection(&catalogue.expand("iam:*"))
    });
    &GOVERNING
}

/// Whether a condition is only what conditional denies leave, such as a limit to regions.
fn only_denies(condition: &Condition) -> bool {
    condition.clauses().all(|clause| matches!(clause, Clause::Unless { .. }))
}
