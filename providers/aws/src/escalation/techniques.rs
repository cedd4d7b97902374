//! The escalation techniques as data: `catalog/escalation.csv`.
//!
//! Columns: `technique`, our name; `known_as`, its number in the public list at pathfinding.cloud where it has one;
//! `target`, what must be true of what the technique acts on (see [`Target`]); `operations`, the actions that escalate;
//! `helpers`, further actions that it needs; `services`, of which the passed role must trust one; `carrier`, the kind of
//! resource that already runs with a role. An action that is not in the catalogue fails a test.

use std::sync::LazyLock;

use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::scope::Pattern;

use crate::catalog::Catalogue;
use crate::policy::arn;

static TABLE: &str = include_str!("../../catalog/escalation.csv");

/// What a technique acts on, and the conditions that come with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Target {
    /// A group with more rights that the calling user joins.
    GroupJoined,
    /// A group that the calling user is a member of.
    OwnGroup,
    /// The role that the caller is.
    OwnRole,
    /// The user that the caller is.
    OwnUser,
    /// A customer-managed policy attached to the caller.
    OwnPolicy,
    /// The same, where an older and wider version must exist.
    OwnPolicyVersion,
    /// The boundary that alone limits the caller.
    OwnBoundary,
    /// A role that the caller can assume and that its boundary alone limits.
    AssumableBoundedRole,
    /// Another user, with room for a key.
    UserKey,
    /// Another user with two keys, one of which makes room.
    UserKeyReplaced,
    /// Another user without password.
    UserPasswordNew,
    /// Another user with a password.
    UserPassword,
    /// Another user who is first given more rights.
    UserRewritten,
    /// A role whose trust is rewritten.
    RoleTrust,
    /// The same, and it is given more rights.
    RoleRewritten,
    /// A role whose trust is rewritten and whose customer-managed policy is.
    RolePolicyRewritten,
    /// A role that the caller can assume.
    AssumableRole,
    /// The same, and it is given more rights first.
    AssumableRoleRewritten,
    /// The same, by rewriting a customer-managed policy attached to it.
    AssumableRolePolicyRewritten,
    /// A role passed to something new that a trusted service runs.
    PassedRole,
    /// The same with an instance profile made for it.
    PassedRoleNewProfile,
    /// A role passed to something that must exist already.
    PassedRoleExisting,
    /// Something that runs with a role already.
    Carrier,
    /// The permission set through which the caller came.
    OwnPermissionSet,
    /// Any account of the organisation, from the account that rules Identity Center.
    AnyAccount,
}

impl Target {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "group-joined" => Self::GroupJoined,
            "own-group" => Self::OwnGroup,
            "own-role" => Self::OwnRole,
            "own-user" => Self::OwnUser,
            "own-policy" => Self::OwnPolicy,
            "own-policy-version" => Self::OwnPolicyVersion,
            "own-boundary" => Self::OwnBoundary,
            "assumable-bounded-role" => Self::AssumableBoundedRole,
            "user-key" => Self::UserKey,
            "user-key-replaced" => Self::UserKeyReplaced,
            "user-password-new" => Self::UserPasswordNew,
            "user-password" => Self::UserPassword,
            "user-rewritten" => Self::UserRewritten,
            "role-trust" => Self::RoleTrust,
            "role-rewritten" => Self::RoleRewritten,
            "role-policy-rewritten" => Self::RolePolicyRewritten,
            "assumable-role" => Self::AssumableRole,
            "assumable-role-rewritten" => Self::AssumableRoleRewritten,
            "assumable-role-policy-rewritten" => Self::AssumableRolePolicyRewritten,
            "passed-role" => Self::PassedRole,
            "passed-role-new-profile" => Self::PassedRoleNewProfile,
            "passed-role-existing" => Self::PassedRoleExisting,
            "carrier" => Self::Carrier,
            "own-permission-set" => Self::OwnPermissionSet,
            "any-account" => Self::AnyAccount,
            _ => return None,
        })
    }
}

/// A line of the table.
struct Row {
    technique: &'static str,
    target: &'static str,
    operations: &'static str,
    helpers: &'static str,
    services: &'static str,
    carrier: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().skip(1).filter_map(|line| {
        let mut fields = line.split(',');
        let technique = fields.next()?;
        let _known_as = fields.next()?;
        Some(Row {
            technique,
            target: fields.next()?,
            operations: fields.next()?,
            helpers: fields.next()?,
            services: fields.next()?,
            carrier: fields.next()?,
        })
    })
}

/// The actions that escalate, without those that merely help. Needs no catalogue.
pub(crate) fn key_operations() -> impl Iterator<Item = &'static str> {
    rows().flat_map(|row| row.operations.split_whitespace())
}

/// A technique.
#[derive(Debug)]
pub(crate) struct Technique {
    pub(crate) id: &'static str,
    pub(crate) target: Target,
    /// All needed. The ones that act on the target come first, in the order of the table.
    pub(crate) operations: Vec<OperationIx>,
    pub(crate) helpers: Vec<OperationIx>,
    pub(crate) services: Vec<&'static str>,
    pub(crate) carrier: Option<Pattern>,
}

static TECHNIQUES: LazyLock<Vec<Technique>> = LazyLock::new(|| {
    let catalogue = Catalogue::global();
    let numbers = |names: &str| -> Option<Vec<OperationIx>> {
        names.split_whitespace().map(|name| catalogue.operation(name)).collect()
    };
    rows()
        .filter_map(|row| {
            Some(Technique {
                id: row.technique,
                target: Target::parse(row.target)?,
                operations: numbers(row.operations)?,
                helpers: numbers(row.helpers)?,
                services: row.services.split_whitespace().collect(),
                carrier: (!row.carrier.is_empty()).then(|| arn::pattern(row.carrier)),
            })
        })
        .collect()
});

/// All techniques, in the order of the table.
pub(crate) fn all() -> &'static [Technique] {
    &TECHNIQUES
}

/// Every action of every technique.
pub(crate) fn operations() -> OpSet {
    all().iter().flat_map(|technique| technique.operations.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_of_the_table_is_understood() {
        assert_eq!(all().len(), TABLE.lines().count() - 1);
        let names: BTreeSet<&str> = all().iter().map(|technique| technique.id).collect();
        assert_eq!(names.len(), all().len(), "technique names are unique");
        for technique in all() {
            assert!(!technique.operations.is_empty(), "{}", technique.id);
            let passes = technique.id.starts_with("pass-role");
            assert_eq!(passes, !technique.services.is_empty(), "{}", technique.id);
            assert_eq!(technique.target == Target::Carrier, technique.carrier.is_some(), "{}", technique.id);
        }
    }
}
