//! What documents say about access, as the authorizer takes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::Plane;
use super::condition::Condition;
use super::pattern::OperationPattern;
use super::scope::{ArmId, Hierarchy};

/// The object id of a user, group, service principal or managed identity, in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ObjectId(Arc<str>);

impl ObjectId {
    /// An id as it is written.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_ascii_lowercase().into())
    }

    /// The id in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What tells role definitions apart: the last part of their id, in lower case. The parts before it differ from one
/// subscription to the next for one and the same definition.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RoleKey(Arc<str>);

impl RoleKey {
    /// The key of an id, whole or its last part alone.
    pub fn new(id: &str) -> Self {
        let id = id.trim().trim_end_matches('/');
        Self(id.rsplit('/').next().unwrap_or(id).to_ascii_lowercase().into())
    }
}

impl fmt::Display for RoleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One permission block.
#[derive(Clone, Default, Debug)]
pub struct Permission {
    /// Operations on resources.
    pub actions: Vec<OperationPattern>,
    /// What is taken out of them, in this block only: another block or role may grant it.
    pub not_actions: Vec<OperationPattern>,
    /// Operations on data.
    pub data_actions: Vec<OperationPattern>,
    /// What is taken out of them.
    pub not_data_actions: Vec<OperationPattern>,
    /// Under which condition the block counts.
    pub condition: Option<Condition>,
}

impl Permission {
    /// A block of its lists as documents write them.
    pub(crate) fn written(
        [actions, not_actions, data_actions, not_data_actions]: [&Option<Vec<String>>; 4],
        condition: Option<Condition>,
    ) -> Self {
        let patterns = |texts: &Option<Vec<String>>| -> Vec<OperationPattern> {
            texts.iter().flatten().map(|text| OperationPattern::new(text)).collect()
        };
        Self {
            actions: patterns(actions),
            not_actions: patterns(not_actions),
            data_actions: patterns(data_actions),
            not_data_actions: patterns(not_data_actions),
            condition,
        }
    }

    /// The patterns of a plane: what is meant, and what is taken out of it.
    pub(super) fn of(&self, plane: Plane) -> (&[OperationPattern], &[OperationPattern]) {
        match plane {
            Plane::Control => (&self.actions, &self.not_actions),
            Plane::Data => (&self.data_actions, &self.not_data_actions),
            Plane::Directory => (&[], &[]),
        }
    }

    /// Whether the block means an operation, in lower case.
    pub(super) fn covers(&self, plane: Plane, operation: &str) -> bool {
        let (meant, out) = self.of(plane);
        meant.iter().any(|pattern| pattern.matches(operation)) && !out.iter().any(|pattern| pattern.matches(operation))
    }

    /// All its patterns.
    pub fn patterns(&self) -> impl Iterator<Item = (Plane, &OperationPattern)> {
        let control = self.actions.iter().chain(&self.not_actions).map(|pattern| (Plane::Control, pattern));
        control.chain(self.data_actions.iter().chain(&self.not_data_actions).map(|pattern| (Plane::Data, pattern)))
    }
}

/// A role definition.
#[derive(Clone, Debug)]
pub struct RoleDefinition {
    /// What assignments name it by.
    pub key: RoleKey,
    /// Its name for people.
    pub name: Arc<str>,
    /// What it grants: the union of these.
    pub permissions: Vec<Permission>,
}

/// A role assignment that holds now: standing, or an activation that runs. Eligibility is none.
#[derive(Clone, Debug)]
pub struct RoleAssignment {
    /// Its id, or where it stands.
    pub id: Arc<str>,
    /// To whom.
    pub principal: ObjectId,
    /// What.
    pub role: RoleKey,
    /// Where.
    pub scope: ArmId,
    /// Under which condition.
    pub condition: Option<Condition>,
}

/// Whom a deny assignment names.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Principals {
    /// Everybody, whatever is named besides.
    pub everybody: bool,
    /// Principals, of which groups stand for all who are in them.
    pub named: BTreeSet<ObjectId>,
}

/// The id that stands for everybody, where its type says so.
const EVERYBODY: &str = "00000000-0000-0000-0000-000000000000";

impl Principals {
    /// Those that a deny assignment names, each by its id and type.
    pub(crate) fn of<'a>(named: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let mut all = Self::default();
        for (id, kind) in named {
            let everybody =
                id.trim() == EVERYBODY && kind.is_some_and(|kind| kind.eq_ignore_ascii_case("SystemDefined"));
            if everybody {
                all.everybody = true;
            } else {
                all.named.insert(ObjectId::new(id));
            }
        }
        all
    }

    /// Whether one of these is named.
    pub(super) fn include(&self, who: &BTreeSet<ObjectId>) -> bool {
        self.everybody || who.iter().any(|id| self.named.contains(id))
    }
}

/// A deny assignment that is enforced. One that is only audited is none.
#[derive(Clone, Debug)]
pub struct DenyAssignment {
    /// Its id, or where it stands.
    pub id: Arc<str>,
    /// Its name for people.
    pub name: Arc<str>,
    /// What it denies: the union of these.
    pub permissions: Vec<Permission>,
    /// Where.
    pub scope: ArmId,
    /// Whether it holds at that scope alone and not below it.
    pub not_below: bool,
    /// For whom.
    pub principals: Principals,
    /// And for whom not.
    pub excluded: Principals,
    /// Under which condition.
    pub condition: Option<Condition>,
}

/// Which groups everybody is in, directly or through other groups.
#[derive(Clone, Default, Debug)]
pub struct Groups(Arc<BTreeMap<ObjectId, BTreeSet<ObjectId>>>);

impl Groups {
    /// Groups by pairs of group and member.
    pub fn new(pairs: impl IntoIterator<Item = (ObjectId, ObjectId)>) -> Self {
        let mut groups: BTreeMap<ObjectId, BTreeSet<ObjectId>> = BTreeMap::new();
        for (group, member) in pairs {
            groups.entry(member).or_default().insert(group);
        }
        Self(Arc::new(groups))
    }

    /// The groups that a principal is a member of itself.
    pub(crate) fn direct(&self, principal: &ObjectId) -> impl Iterator<Item = &ObjectId> {
        self.0.get(principal).into_iter().flatten()
    }

    /// A principal and every group that it is in.
    pub fn of(&self, principal: &ObjectId) -> BTreeSet<ObjectId> {
        let (mut all, mut open) = (BTreeSet::new(), vec![principal]);
        while let Some(at) = open.pop() {
            if all.insert(at.clone()) {
                open.extend(self.0.get(at).into_iter().flatten());
            }
        }
        all
    }
}

/// Everything that decides access.
#[derive(Clone, Default, Debug)]
pub struct World {
    /// Role definitions.
    pub definitions: Vec<RoleDefinition>,
    /// Role assignments.
    pub assignments: Vec<RoleAssignment>,
    /// Deny assignments.
    pub denies: Vec<DenyAssignment>,
    /// Groups.
    pub groups: Groups,
    /// Management groups.
    pub hierarchy: Hierarchy,
}

/// What a world grants, for [`crate::Catalogue::with`].
pub type Grants<'w> = Box<dyn Iterator<Item = (Plane, &'w OperationPattern)> + 'w>;

impl World {
    /// All patterns of its roles.
    pub fn patterns(&self) -> Grants<'_> {
        Box::new(self.definitions.iter().flat_map(|role| role.permissions.iter().flat_map(Permission::patterns)))
    }
}
