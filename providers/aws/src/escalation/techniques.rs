//! The escalation techniques as data: `catalog/escalation.csv`.
//!
//! Columns: `technique`, our name; `known_as`, its number in the public list at pathfinding.cloud where it has one;
//! `target`, what must be true of what the technique acts on (see [`Target`]); `operations`, the actions that escalate;
//! `helpers`, further actions that it needs; `services`, of which the passed role must trust one; `carrier`, the kind of
//! thing that must be there already ([`CarrierKind`]); `role_needs`, an action without which that role's resource cannot be reached
//! in this way; `open`, what must hold too and no capture tells. What comes about by ordinary use, such as that somebody
//! calls a function, is not listed as open. An action that is not in the catalogue fails a test.

use std::collections::HashMap;
use std::sync::LazyLock;

use evenhand_model::opset::{OpSet, OperationIx};

use crate::carrier::CarrierKind;
use crate::catalog::Catalogue;

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
    /// A policy whose denies alone limit the caller.
    OwnDeny,
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
    /// Another user who may call models with a key that works for nothing else.
    UserServiceKey,
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
    /// The same with an instance profile made for it.
    PassedRoleExistingNewProfile,
    /// Something that runs with a role already.
    Carrier,
    /// The permission set through which the caller came.
    OwnPermissionSet,
    /// Any account of the organisation, from the account that rules Identity Center.
    AnyAccount,
}

impl Target {
    /// Whether a role is passed to something that must be there already.
    pub(super) fn is_existing(self) -> bool {
        matches!(self, Self::PassedRoleExisting | Self::PassedRoleExistingNewProfile)
    }

    /// Whether the caller makes the instance profile that a passed role takes.
    pub(super) fn makes_profile(self) -> bool {
        matches!(self, Self::PassedRoleNewProfile | Self::PassedRoleExistingNewProfile)
    }

    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "group-joined" => Self::GroupJoined,
            "own-group" => Self::OwnGroup,
            "own-role" => Self::OwnRole,
            "own-user" => Self::OwnUser,
            "own-policy" => Self::OwnPolicy,
            "own-policy-version" => Self::OwnPolicyVersion,
            "own-boundary" => Self::OwnBoundary,
            "own-deny" => Self::OwnDeny,
            "assumable-bounded-role" => Self::AssumableBoundedRole,
            "user-key" => Self::UserKey,
            "user-key-replaced" => Self::UserKeyReplaced,
            "user-password-new" => Self::UserPasswordNew,
            "user-password" => Self::UserPassword,
            "user-rewritten" => Self::UserRewritten,
            "user-service-key" => Self::UserServiceKey,
            "role-trust" => Self::RoleTrust,
            "role-rewritten" => Self::RoleRewritten,
            "role-policy-rewritten" => Self::RolePolicyRewritten,
            "assumable-role" => Self::AssumableRole,
            "assumable-role-rewritten" => Self::AssumableRoleRewritten,
            "assumable-role-policy-rewritten" => Self::AssumableRolePolicyRewritten,
            "passed-role" => Self::PassedRole,
            "passed-role-new-profile" => Self::PassedRoleNewProfile,
            "passed-role-existing" => Self::PassedRoleExisting,
            "passed-role-existing-new-profile" => Self::PassedRoleExistingNewProfile,
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
    #[cfg(test)]
    known_as: &'static str,
    target: &'static str,
    operations: &'static str,
    helpers: &'static str,
    services: &'static str,
    carrier: &'static str,
    role_needs: &'static str,
    open: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().skip(1).filter_map(|line| {
        let mut fields = line.split(',');
        let technique = fields.next()?;
        let _known_as = fields.next()?;
        Some(Row {
            technique,
            #[cfg(test)]
            known_as: _known_as,
            target: fields.next()?,
            operations: fields.next()?,
            helpers: fields.next()?,
            services: fields.next()?,
            carrier: fields.next()?,
            role_needs: fields.next()?,
            open: fields.next()?,
        })
    })
}

/// The actions that grant, rewrite or pass access, without those that merely help, take a hindrance away, or open one
/// service only. Needs no catalogue.
pub(crate) fn key_operations() -> impl Iterator<Item = &'static str> {
    rows()
        .filter(|row| !matches!(Target::parse(row.target), Some(Target::OwnDeny | Target::UserServiceKey)))
        .flat_map(|row| row.operations.split_whitespace())
}

/// A technique.
#[derive(Debug)]
pub(crate) struct Technique {
    pub(crate) id: &'static str,
    /// Its number in the public list; empty where it has none.
    #[cfg(test)]
    pub(crate) known_as: &'static str,
    pub(crate) target: Target,
    /// All needed. The ones that act on the target come first, in the order of the table.
    pub(crate) operations: Vec<OperationIx>,
    pub(crate) helpers: Vec<OperationIx>,
    /// Which of these a caller must hold. That it may assume a role is no such need: the role can let it in by itself.
    needs: Vec<OperationIx>,
    pub(crate) services: Vec<&'static str>,
    /// What is taken over, or must be there. `None` = nothing, or something that no capture tells.
    pub(crate) carrier: Option<CarrierKind>,
    /// What the carrying role must be allowed for its resource to be reached.
    pub(crate) role_needs: Vec<OperationIx>,
    /// Whether it takes something more that no capture tells.
    pub(crate) open: bool,
}

impl Technique {
    /// Whether both run something as a role in the same manner, and this one asks for all that the other asks for and
    /// more.
    pub(crate) fn is_fuller_than(&self, other: &Self) -> bool {
        let runs = matches!(self.target, Target::PassedRole | Target::PassedRoleExisting | Target::Carrier);
        let asks = |operation: &OperationIx| self.operations.contains(operation) || self.helpers.contains(operation);
        let (more, less) = (self.operations.len() + self.helpers.len(), other.operations.len() + other.helpers.len());
        runs && self.target == other.target && more > less && other.operations.iter().chain(&other.helpers).all(asks)
    }
}

static TECHNIQUES: LazyLock<Vec<Technique>> = LazyLock::new(|| {
    let catalogue = Catalogue::global();
    let numbers = |names: &str| -> Option<Vec<OperationIx>> {
        names.split_whitespace().map(|name| catalogue.operation(name)).collect()
    };
    let assume = catalogue.operation("sts:AssumeRole");
    rows()
        .filter_map(|row| {
            let (operations, helpers) = (numbers(row.operations)?, numbers(row.helpers)?);
            let needs = operations.iter().chain(&helpers).copied().filter(|needed| Some(*needed) != assume).collect();
            Some(Technique {
                id: row.technique,
                #[cfg(test)]
                known_as: row.known_as,
                target: Target::parse(row.target)?,
                operations,
                helpers,
                needs,
                services: row.services.split_whitespace().collect(),
                carrier: CarrierKind::parse(row.carrier),
                role_needs: numbers(row.role_needs)?,
                open: !row.open.is_empty(),
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

/// The places of techniques in the table, by the first of their needs; `None` = they have none. There are over a hundred,
/// and each principal is asked, who holds what a few of them need.
static BY_FIRST: LazyLock<HashMap<Option<OperationIx>, Vec<usize>, foldhash::fast::RandomState>> =
    LazyLock::new(|| {
        let mut by_first: HashMap<_, Vec<usize>, _> = HashMap::default();
        for (at, technique) in all().iter().enumerate() {
            by_first.entry(technique.needs.first().copied()).or_default().push(at);
        }
        by_first
    });

/// The techniques of which every need is held, in the order of the table.
pub(super) fn within(held: &OpSet) -> Vec<&'static Technique> {
    let firsts = held.iter().map(Some).chain([None]);
    let mut places: Vec<usize> = firsts.filter_map(|first| BY_FIRST.get(&first)).flatten().copied().collect();
    places.sort_unstable();
    let found = places.into_iter().filter_map(|at| all().get(at));
    found.filter(|technique| technique.needs.iter().all(|need| held.contains(*need))).collect()
}

/// Every action that some technique takes, those that only help among them.
fn taken() -> OpSet {
    all().iter().flat_map(|technique| technique.operations.iter().chain(&technique.helpers).copied()).collect()
}

/// Tells what an access holds of the actions that techniques take: a few of many thousands. It is their intersection, made
/// for each principal: an access has about as many ranges as there are such actions, so that little is skipped where one
/// set is searched for the ranges of the other, and here each range takes one look.
pub(super) struct Taken {
    /// For each action of the catalogue: the first that a technique takes and that is not before it.
    next: Vec<u32>,
}

impl Taken {
    pub(super) fn new() -> Self {
        let mut next = Vec::new();
        for OperationIx(at) in taken().iter() {
            next.resize(at as usize + 1, at);
        }
        Self { next }
    }

    /// Those of some actions that techniques take.
    pub(super) fn of(&self, operations: &OpSet) -> OpSet {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for (start, end) in operations.ranges() {
            let mut from = *start;
            while let Some(next) = self.next.get(from as usize).copied().filter(|next| next < end) {
                ranges.push((next, next + 1));
                from = next + 1;
            }
        }
        OpSet::from_ranges(ranges)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use evenhand_model::catalog::Catalog;

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
            let there_already = technique.target == Target::Carrier || technique.target.is_existing();
            assert!(there_already || technique.carrier.is_none(), "{}", technique.id);
            assert!(technique.target != Target::Carrier || technique.carrier.is_some(), "{}", technique.id);
        }
        for row in rows() {
            assert!(row.carrier.is_empty() || CarrierKind::parse(row.carrier).is_some(), "{}", row.carrier);
        }
    }

    #[test]
    fn a_technique_is_open_to_whoever_holds_all_that_it_needs_and_to_nobody_else() {
        let ids = |held: &OpSet| within(held).iter().map(|technique| technique.id).collect::<Vec<_>>();
        assert_eq!(ids(&OpSet::new()), ["assume-role"]);
        let everything = OpSet::all(Catalogue::global().len());
        assert_eq!(ids(&everything), all().iter().map(|technique| technique.id).collect::<Vec<_>>());
        for technique in all() {
            let needs: OpSet = technique.needs.iter().copied().collect();
            assert!(ids(&needs).contains(&technique.id), "{}", technique.id);
            for need in &technique.needs {
                let rest = everything.difference(&OpSet::single(*need));
                assert!(!ids(&rest).contains(&technique.id), "{}", technique.id);
            }
        }
    }

    #[test]
    fn what_techniques_take_is_found_in_any_set() {
        let catalogue = Catalogue::global();
        let taken = taken();
        for pattern in ["*", "iam:*", "lambda:*", "s3:Get*", "a4b:*", "zzz:*", "sts:AssumeRole"] {
            let set = catalogue.expand(pattern);
            assert_eq!(Taken::new().of(&set), set.intersection(&taken), "{pattern}");
        }
        let holed = catalogue.expand("*").difference(&catalogue.expand("iam:*"));
        assert_eq!(Taken::new().of(&holed), holed.intersection(&taken));
    }

    /// Rows of the public lists that are no technique of their own here, and why.
    const WITHOUT_A_ROW: [(&str, &str, &str); 4] = [
        (
            "E025",
            "iam-update-assume-role-policy",
            "the rewritten trust names the caller itself, which lets it in without an action of its own",
        ),
        ("E042", "pass-role-datapipeline", "a pipeline without a definition runs nothing"),
        ("E104", "iam-put-user-policy", "short for all IAM techniques, each of which is a row"),
        ("E105", "iam-put-user-policy", "short for the techniques that put inline policies, each of which is a row"),
    ];

    /// Further techniques that the reference names, and how each is covered: by a technique with these actions, or by
    /// something else than an edge.
    const FURTHER: [(&str, &str); 16] = [
        ("iam:AddRoleToInstanceProfile iam:CreateInstanceProfile iam:PassRole ec2:RunInstances", "technique"),
        ("ec2:AssociateIamInstanceProfile iam:PassRole", "technique"),
        (
            "ec2:AssociateIamInstanceProfile iam:AddRoleToInstanceProfile iam:CreateInstanceProfile iam:PassRole",
            "technique",
        ),
        ("autoscaling:CreateAutoScalingGroup iam:CreateServiceLinkedRole", "technique"),
        ("codebuild:StartBuild codebuild:UpdateProject", "technique"),
        ("codebuild:StartBuild codebuild:UpdateProject iam:PassRole", "technique"),
        ("iam:PutUserPermissionsBoundary", "technique"),
        ("iam:PutRolePermissionsBoundary", "technique"),
        ("iam:DeleteUserPolicy", "technique"),
        ("iam:DetachUserPolicy", "technique"),
        ("iam:RemoveUserFromGroup", "technique"),
        ("iam:DeleteRolePolicy", "technique"),
        ("iam:DetachRolePolicy", "technique"),
        ("iam:CreateServiceSpecificCredential", "technique"),
        // Hands out what a workload identity stores for outside services, no role: it reads secrets.
        ("bedrock-agentcore:GetWorkloadAccessToken", "secret"),
        ("bedrock-agentcore:GetWorkloadAccessTokenForUserId", "secret"),
    ];

    fn named(technique: &Technique) -> BTreeSet<String> {
        let catalogue = Catalogue::global();
        technique.operations.iter().chain(&technique.helpers).map(|held| catalogue.name(*held).to_string()).collect()
    }

    #[test]
    fn the_public_lists_are_covered_row_by_row() {
        let Some(root) = std::env::var_os("EVENHAND_SHARED") else {
            println!("skipped: EVENHAND_SHARED is not set");
            return;
        };
        let by_actions: BTreeMap<BTreeSet<String>, &Technique> =
            all().iter().map(|technique| (named(technique), technique)).collect();
        let text = std::fs::read_to_string(std::path::Path::new(&root).join("reference/aws-escalation.csv")).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let (mut covered, mut argued) = (0, Vec::new());
        for row in reader.records().map(Result::unwrap) {
            let (id, actions, services) = (&row[0], &row[2], &row[5]);
            let known_as = if row[6].is_empty() { &row[7] } else { &row[6] };
            let set: BTreeSet<String> = actions.split(" + ").map(str::to_owned).collect();
            if let Some((_, by, _)) = WITHOUT_A_ROW.iter().find(|(argued, ..)| *argued == id) {
                assert!(all().iter().any(|technique| technique.id == *by), "{by}");
                assert!(!by_actions.contains_key(&set), "{id} has a row and needs no argument");
                argued.push(id.to_owned());
                continue;
            }
            let Some(technique) = by_actions.get(&set) else { panic!("{id} is not covered: {actions}") };
            assert_eq!(technique.known_as, known_as, "{id}");
            let trusted: BTreeSet<&str> = services.split(';').filter(|service| !service.is_empty()).collect();
            assert_eq!(technique.services.iter().copied().collect::<BTreeSet<_>>(), trusted, "{id}");
            covered += 1;
        }
        assert_eq!((covered, argued), (101, WITHOUT_A_ROW.map(|row| row.0.to_owned()).to_vec()));
    }

    #[test]
    fn what_the_public_lists_lack_is_covered_too() {
        let catalogue = Catalogue::global();
        let sets: BTreeSet<BTreeSet<String>> = all().iter().map(named).collect();
        let secrets = catalogue.class(evenhand_model::catalog::OperationClass::SecretRead);
        for (actions, how) in FURTHER {
            let set: BTreeSet<String> = actions.split(' ').map(str::to_owned).collect();
            for action in &set {
                assert!(catalogue.operation(action).is_some(), "{action} is in no catalogue");
            }
            match how {
                "technique" => assert!(sets.contains(&set), "{actions}"),
                _ => assert!(set.iter().all(|one| secrets.contains(catalogue.operation(one).unwrap())), "{actions}"),
            }
        }
    }
}
