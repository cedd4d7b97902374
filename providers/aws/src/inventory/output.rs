//! What joining makes. Principals are read on all cores, and what they add is put together in their order meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Inventory;
use indexmap::IndexMap;

use crate::world::Principal;

/// Principals by their ids.
pub(super) type Principals = IndexMap<IdentityId, Principal, foldhash::fast::RandomState>;

/// What some principals add, in their order.
#[derive(Default)]
pub(super) struct OutputPart {
    pub(super) inventory: Inventory,
    pub(super) principals: Vec<Principal>,
    /// As in [`Output`].
    pub(super) reserved: Vec<((Arc<str>, String), IdentityId)>,
}

impl OutputPart {
    /// Nothing yet, with room for what so many principals add, of which so many are roles.
    pub(super) fn of(count: usize, roles: usize) -> Self {
        let mut part = Self { principals: Vec::with_capacity(count), ..Self::default() };
        make_room(&mut part.inventory, count, roles);
        part
    }
}

/// All that is made.
#[derive(Default)]
pub(super) struct Output {
    pub(super) inventory: Inventory,
    pub(super) principals: Principals,
    /// Identity Center's role of a permission set: (account, permission set's name). Of several the one of the greatest id.
    pub(super) reserved: BTreeMap<(Arc<str>, String), IdentityId>,
    /// Policies that are attached but not in the capture: account → names.
    pub(super) missing: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
}

impl Output {
    /// Makes room for what so many principals add, of which so many have a session or credentials: lists that grow by
    /// doubling are copied again and again, and hold room for what never comes.
    pub(super) fn expect(&mut self, count: usize, proven: usize) {
        make_room(&mut self.inventory, count, proven);
        self.principals.reserve(count);
    }

    pub(super) fn add(&mut self, part: OutputPart) {
        self.inventory.merge(part.inventory);
        self.reserved.extend(part.reserved);
        part.principals.into_iter().for_each(|principal| self.hold(principal));
    }

    /// Keeps a principal, and what it lacks for the gaps.
    pub(super) fn hold(&mut self, principal: Principal) {
        self.miss(&principal);
        self.keep(principal);
    }

    /// Notes the policies of a principal that are not in the capture.
    pub(super) fn miss(&mut self, principal: &Principal) {
        let lacks = principal.missing.iter().chain(&principal.unread_boundary);
        if lacks.clone().next().is_some() {
            self.missing.entry(Arc::clone(&principal.account.0)).or_default().extend(lacks.cloned());
        }
    }

    pub(super) fn keep(&mut self, principal: Principal) {
        self.principals.insert(principal.id.clone(), principal);
    }
}

/// Nearly every principal has a trust: a role says who may become it, and a group adds one for each user in it. Of
/// `proven` nearly every one has a credential, and a control at most.
fn make_room(inventory: &mut Inventory, count: usize, proven: usize) {
    inventory.identities.reserve_exact(count);
    inventory.trusts.reserve_exact(count);
    inventory.credentials.reserve_exact(proven);
    inventory.controls.reserve_exact(proven);
}

#[cfg(test)]
mod tests {
    use evenhand_model::evidence::Evidence;
    use evenhand_model::id::ScopeId;
    use evenhand_model::identity::Identity;

    use super::*;
    use crate::provider::NAME;

    #[test]
    fn parts_are_put_together_in_their_order_in_the_room_that_was_made() {
        let mut made = Output::default();
        made.expect(100, 50);
        for name in ["b", "a", "c"] {
            let mut part = OutputPart::of(1, 1);
            let evidence = Evidence::whole("d");
            part.inventory.identities.push(Identity::new(
                name.into(),
                NAME,
                ScopeId::from("s"),
                "role",
                name,
                evidence,
            ));
            part.reserved.push((("s".into(), name.to_owned()), name.into()));
            made.add(part);
        }
        let names: Vec<&str> = made.inventory.identities.iter().map(|held| &*held.name).collect();
        assert_eq!(names, ["b", "a", "c"]);
        assert!(made.inventory.identities.capacity() >= 100);
        assert!((50..100).contains(&made.inventory.credentials.capacity()));
        assert_eq!(made.reserved.len(), 3);
    }
}
