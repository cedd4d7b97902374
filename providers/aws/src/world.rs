//! Everything about AWS that a capture says, in the form in which access is resolved.
//!
//! The inventory reader fills it, the access resolver reads it; nobody else sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::access::Unread;
use evenhand_model::evidence::Fact;
use evenhand_model::id::IdentityId;
use indexmap::IndexMap;

use crate::carrier::CarrierKind;
use crate::policy::PolicyStore;

/// A twelve-digit account number.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct AccountId(pub(crate) Arc<str>);

/// A policy as attached somewhere: an index into [`PolicyStore`]. Equal documents share their compiled form, but each
/// place keeps its own name and evidence.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct PolicyIx(pub(crate) u32);

/// The tags of one principal, by their keys. There are few, and many principals have them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tags(Box<[(Arc<str>, Arc<str>)]>);

impl Tags {
    /// All of them: key and value, sorted by key.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, (Arc<str>, Arc<str>)> {
        self.0.iter()
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Arc<str>> {
        self.iter().find(|(held, _)| **held == *key).map(|(_, value)| value)
    }
}

impl<'t> IntoIterator for &'t Tags {
    type Item = &'t (Arc<str>, Arc<str>);
    type IntoIter = std::slice::Iter<'t, (Arc<str>, Arc<str>)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<(Arc<str>, Arc<str>)> for Tags {
    /// Of two tags of one key the last one counts.
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Arc<str>)>>(tags: I) -> Self {
        let mut tags: Vec<_> = tags.into_iter().collect();
        tags.sort_by(|(a, _), (b, _)| a.cmp(b));
        tags.dedup_by(|later, earlier| {
            let again = later.0 == earlier.0;
            if again {
                std::mem::swap(later, earlier);
            }
            again
        });
        Self(tags.into_boxed_slice())
    }
}

/// What kind of principal it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum PrincipalKind {
    User,
    Group,
    Role,
    /// An Identity Center permission set where no `AWSReservedSSO_*` role for it is in the capture.
    PermissionSet,
    /// An AWS managed policy that stands for a job function, as baseline of last resort.
    JobFunction,
    Root,
}

/// A principal with everything that decides its access.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) id: IdentityId,
    pub(crate) account: AccountId,
    pub(crate) kind: PrincipalKind,
    pub(crate) name: Arc<str>,
    /// Inline, attached and group policies, sorted by store index and without duplicates.
    pub(crate) identity_policies: Vec<PolicyIx>,
    /// `Absent` = no boundary. `Unknown` = its document, or whether there is one, is not in the capture.
    pub(crate) boundary: Fact<PolicyIx>,
    /// The name of a boundary whose document is not in the capture; `None` where it is, or where not even the name is known.
    pub(crate) unread_boundary: Option<Arc<str>>,
    /// The trust policy of a role.
    pub(crate) trust: Option<PolicyIx>,
    /// Attached policies and groups whose documents are not in the capture: access is more than what can be seen.
    pub(crate) missing: Vec<Arc<str>>,
    /// Tags, for `${aws:PrincipalTag/…}`; `None` where they were not read.
    pub(crate) tags: Option<Tags>,
    /// A role made and used by an AWS service; never limited by service control policies.
    pub(crate) service_linked: bool,
    /// Instance profiles that carry the role.
    pub(crate) instance_profiles: Vec<Arc<str>>,
    /// The groups of a user.
    pub(crate) groups: Vec<IdentityId>,
    /// Names (ARNs) of the managed policies attached to it and to its groups: who may rewrite one of them rewrites its
    /// access.
    pub(crate) managed_policies: Vec<Arc<str>>,
    /// Those of them that are attached to it itself, whether or not a group of it has them too. Sorted.
    pub(crate) attached: Vec<Arc<str>>,
    /// Whether a user can sign in with a password.
    pub(crate) password: Fact<bool>,
    /// The number of a user's access keys.
    pub(crate) access_keys: Fact<u8>,
}

/// The organisation's limits on an account.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccountLimits {
    /// Service control policies by level, root first; each level must allow. `Absent` = the account is in no
    /// organisation or exempt (management account). `Unknown` = no organisation documents were read.
    pub(crate) service_control: Fact<Vec<Vec<PolicyIx>>>,
    /// Resource control policies by level, root first; only their denies matter.
    pub(crate) resource_control: Fact<Vec<Vec<PolicyIx>>>,
}

/// A thing that already runs with a role: a function, task definition, instance, agent.
#[derive(Clone, Debug)]
pub(crate) struct RoleCarrier {
    pub(crate) kind: CarrierKind,
    pub(crate) arn: Arc<str>,
    pub(crate) role: IdentityId,
}

impl RoleCarrier {
    /// `None` where nobody runs anything as the role by getting hold of such a thing.
    pub(crate) fn new(arn: Arc<str>, role: IdentityId) -> Option<Self> {
        Some(Self { kind: CarrierKind::of(&arn)?, arn, role })
    }
}

/// Part of what runs in an account with a role, and was not read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Hole {
    /// `None` = anywhere in the account.
    pub(crate) region: Option<Arc<str>>,
    pub(crate) why: Why,
}

/// Why part of what runs was not read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Why {
    /// No document lists it.
    NotListed,
    /// Things of these names are listed, and no document says with which role they run.
    NotDescribed(Vec<Arc<str>>),
    /// The call that lists it brought no answer.
    Refused,
}

/// What was read of the things that run with a role.
#[derive(Clone, Debug, Default)]
pub(crate) struct CarriersRead(BTreeMap<(AccountId, CarrierKind), Vec<Hole>>);

impl CarriersRead {
    /// Notes that a kind was read in an account, but for some holes.
    pub(crate) fn note(&mut self, account: AccountId, kind: CarrierKind, holes: Vec<Hole>) {
        self.0.insert((account, kind), holes);
    }

    /// What was not read of a kind in an account; empty = all was read.
    pub(crate) fn holes(&self, account: &AccountId, kind: CarrierKind) -> Vec<Hole> {
        let nothing = || vec![Hole { region: None, why: Why::NotListed }];
        self.0.get(&(account.clone(), kind)).cloned().unwrap_or_else(nothing)
    }
}

/// A policy attached to a resource.
#[derive(Clone, Debug)]
pub(crate) struct ResourcePolicy {
    pub(crate) resource: Arc<str>,
    pub(crate) account: AccountId,
    pub(crate) policy: PolicyIx,
}

/// When a service was last used by an identity, and its actions where the vendor tracks them; `None` = not in the time
/// that the vendor looks back.
#[derive(Clone, Debug)]
pub(crate) struct ServiceUse {
    /// The service as operations spell it, such as `s3`.
    pub(crate) service: Arc<str>,
    pub(crate) last: Option<Timestamp>,
    /// Tracked actions without their service.
    pub(crate) actions: Vec<(Arc<str>, Option<Timestamp>)>,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) policies: PolicyStore,
    pub(crate) principals: IndexMap<IdentityId, Principal, foldhash::fast::RandomState>,
    pub(crate) limits: BTreeMap<AccountId, AccountLimits>,
    pub(crate) carriers: Vec<RoleCarrier>,
    /// Of which kinds of carriers, and where, more may be there than is known.
    pub(crate) carriers_read: CarriersRead,
    pub(crate) resource_policies: Vec<ResourcePolicy>,
    /// Names of resources that were asked for a policy and have none.
    pub(crate) without_policy: BTreeSet<Arc<str>>,
    /// Policies that are attached by name and can be detached, unlike those that are part of a principal. Sorted.
    pub(crate) managed: Vec<PolicyIx>,
    /// The names (ARNs) of those, in which policies of one name and several paths differ.
    pub(crate) managed_arns: BTreeMap<PolicyIx, Arc<str>>,
    /// Reports of last access, by the ARN they are about.
    pub(crate) usage: BTreeMap<Arc<str>, Vec<ServiceUse>>,
    /// What was not read, beside carriers, and may offer principals steps.
    pub(crate) unread: BTreeMap<IdentityId, Vec<Arc<Unread>>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_sorted_by_key_and_of_two_of_one_key_the_last_counts() {
        let tags: Tags =
            [("b", "1"), ("a", "2"), ("b", "3")].into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        let all: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(all, [("a", "2"), ("b", "3")]);
        assert_eq!(tags.get("b").map(|value| &**value), Some("3"));
        assert_eq!(tags.get("B"), None);
    }
}
