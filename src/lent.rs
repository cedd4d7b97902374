//! Whose access an identity uses beside its own: the tool servers that it acts through, those whose credentials its
//! workloads are handed and, where it holds no access itself, the principals whose credentials are in its hands. What that
//! access is, the resolvers know.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::id::IdentityId;
use evenhand_model::identity::Identity;
use evenhand_model::inventory::Inventory;
use evenhand_model::trust::{Mechanism, Trust};

/// Somebody whose access is used.
pub(crate) struct Lender<'a> {
    /// Who.
    pub(crate) identity: &'a Identity,
    /// What the use is limited to, in the words of the last one on the way, such as the tools that are offered; empty =
    /// nothing.
    pub(crate) constraint: &'a str,
}

impl Lender<'_> {
    /// Who, and what the use is limited to, for people.
    pub(crate) fn shown(&self) -> String {
        match self.constraint {
            "" => self.identity.shown().to_string(),
            limit => format!("{} ({limit})", self.identity.shown()),
        }
    }
}

/// Whom to ask about instead of an identity that holds no access of its own.
pub(crate) fn instead(lenders: &[Lender<'_>]) -> String {
    match lenders {
        [] => "ask about the identity it borrows".to_owned(),
        some => {
            let ids: Vec<String> = some.iter().map(|lender| format!("`{}`", lender.identity.id)).collect();
            format!("ask about {}", ids.join(" or "))
        }
    }
}

/// Who lends access to whom, of a linked inventory.
pub(crate) struct Lent<'a> {
    identities: HashMap<&'a IdentityId, &'a Identity>,
    /// Source to targets, each with whether it is used whoever the source is, as a tool server is, and what its use is
    /// limited to.
    lent: HashMap<&'a str, BTreeMap<&'a IdentityId, (bool, &'a str)>>,
}

impl<'a> Lent<'a> {
    /// Of an inventory after [`evenhand_rules::link::link`].
    pub(crate) fn new(inventory: &'a Inventory) -> Self {
        let identities: HashMap<_, _> = inventory.identities.iter().map(|identity| (&identity.id, identity)).collect();
        let is_handed = |trust: &Trust| {
            let source = identities.get(&IdentityId::new(Arc::clone(&trust.source)));
            source.is_some_and(|source| trust.is_handed(source, identities.get(&trust.target).copied()))
        };
        let mut lent: HashMap<&str, BTreeMap<&IdentityId, (bool, &str)>> = HashMap::new();
        for trust in &inventory.trusts {
            let is_tool = match trust.mechanism {
                Mechanism::UsesTool => true,
                Mechanism::HoldsCredential | Mechanism::Ambient => false,
                Mechanism::Federation | Mechanism::WorkloadCreation if is_handed(trust) => true,
                _ => continue,
            };
            let held = lent.entry(&*trust.source).or_default().entry(&trust.target);
            let held = held.or_insert((is_tool, &*trust.constraint));
            held.0 |= is_tool;
            // What one use is limited to limits nothing where another is not.
            if trust.constraint.is_empty() {
                held.1 = "";
            }
        }
        Self { identities, lent }
    }

    /// Those whose access an identity uses, in the order of their ids. `has_access` tells who holds access of its own:
    /// whoever does acts with that and through its tool servers, and what else it holds is a step to more.
    pub(crate) fn to(&self, identity: &'a Identity, has_access: impl Fn(&Identity) -> bool) -> Vec<Lender<'a>> {
        let own = has_access(identity);
        let mut seen = BTreeSet::from([(&identity.id, own)]);
        let mut next = vec![(identity, own)];
        let mut found = Vec::new();
        while let Some((at, acts_as_itself)) = next.pop() {
            for (id, (is_tool, constraint)) in self.lent.get(at.id.as_str()).into_iter().flatten() {
                let Some(lender) = self.identities.get(id) else { continue };
                let acts = has_access(lender);
                let way = (&lender.id, acts_as_itself || acts);
                if lender.id != identity.id && (*is_tool || !acts_as_itself) && seen.insert(way) {
                    next.push((lender, way.1));
                    found.extend(acts.then_some(Lender { identity: lender, constraint }));
                }
            }
        }
        found.sort_by(|a, b| a.identity.id.cmp(&b.identity.id));
        found.dedup_by(|a, b| a.identity.id == b.identity.id);
        found
    }
}
