//! What leads from an identity to a statement that grants it something: the groups that it is in, and what its provider
//! tells beside them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use evenhand_model::access::{AccessResolver, Grant, GrantIx};
use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Inventory;
use evenhand_model::trust::{Mechanism, Trust};

/// Who is in which group.
pub(crate) struct Memberships<'a> {
    inventory: &'a Inventory,
    by_member: BTreeMap<&'a str, Vec<&'a Trust>>,
}

impl<'a> Memberships<'a> {
    pub(crate) fn of(inventory: &'a Inventory) -> Self {
        let mut by_member: BTreeMap<&str, Vec<&Trust>> = BTreeMap::new();
        for trust in inventory.trusts.iter().filter(|trust| trust.mechanism == Mechanism::Membership) {
            by_member.entry(&*trust.source).or_default().push(trust);
        }
        Self { inventory, by_member }
    }

    /// The groups that a member is in by itself.
    fn held_by(&self, member: &str) -> impl Iterator<Item = &'a Trust> {
        self.by_member.get(member).into_iter().flatten().copied()
    }

    /// A step to a group, in words.
    fn told(&self, trust: &Trust) -> String {
        let group = &trust.target;
        let named = match self.inventory.identities.iter().find(|identity| identity.id == *group) {
            Some(identity) => format!("{} {}", identity.kind.replace('_', " "), identity.shown()),
            None => group.to_string(),
        };
        format!("through {named} at {}", trust.evidence)
    }
}

/// The chains from one identity to the statements that grant it something.
pub(crate) struct Chains<'a> {
    identity: &'a IdentityId,
    resolver: &'a dyn AccessResolver,
    groups: Vec<Group<'a>>,
}

/// A group that an identity is in.
struct Group<'a> {
    /// The memberships that lead to it, that of the identity first.
    way: Vec<&'a Trust>,
    /// The same in words.
    told: String,
    /// The statements that grant something to the group.
    statements: BTreeSet<Grant>,
}

impl<'a> Chains<'a> {
    pub(crate) fn of(
        identity: &'a IdentityId,
        memberships: &Memberships<'a>,
        resolver: &'a dyn AccessResolver,
    ) -> Self {
        let mut seen = BTreeSet::from([identity]);
        let mut groups = Vec::new();
        // Nearest first: of several ways to a group the shortest one is told.
        let mut next: VecDeque<Vec<&Trust>> = memberships.held_by(identity.as_str()).map(|trust| vec![trust]).collect();
        while let Some(way) = next.pop_front() {
            let Some(group) = way.last().map(|trust| &trust.target) else { continue };
            if !seen.insert(group) {
                continue;
            }
            next.extend(memberships.held_by(group.as_str()).map(|trust| [way.as_slice(), &[trust]].concat()));
            let told: Vec<String> = way.iter().map(|trust| memberships.told(trust)).collect();
            let access = resolver.access(group);
            let slices = access.iter().flat_map(|access| access.slices());
            let statements = slices.map(|slice| resolver.grant(slice.grant)).collect();
            groups.push(Group { way, told: told.join(", then "), statements });
        }
        Self { identity, resolver, groups }
    }

    /// What stands between the identity and a statement, in lines: the groups that hold it, then what is nearest to it.
    pub(crate) fn to(&self, grant: GrantIx) -> Vec<String> {
        let statement = self.resolver.grant(grant);
        let holding: Vec<&Group<'_>> =
            self.groups.iter().filter(|group| group.statements.contains(&statement)).collect();
        // A group that is in another one holds what that holds: the whole way tells it.
        let is_part = |way: &[&Trust], whole: &[&Trust]| {
            whole.len() > way.len() && way.iter().zip(whole).all(|(one, other)| one.target == other.target)
        };
        let whole = holding.iter().filter(|group| !holding.iter().any(|other| is_part(&group.way, &other.way)));
        let mut lines: Vec<String> = whole.map(|group| group.told.clone()).collect();
        let links = self.resolver.links(self.identity, grant);
        lines.extend(links.into_iter().map(|link| format!("through {} at {}", link.text, link.evidence)));
        lines
    }
}
