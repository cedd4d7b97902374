//! Who asks: as policies can name it, and as what is known of the context of every request of it.

use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::evidence::Fact;

use crate::policy::context::{Context, Lookup};
use crate::world::{Principal, PrincipalKind, Tags};

/// Which session of a role asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Session<'a> {
    /// Some session; which one is not known.
    Some,
    /// The role itself is meant: no statement that names a session reaches it.
    None,
    /// The session with this name.
    Named(&'a str),
}

/// What kind of principal asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Who<'a> {
    User,
    /// A session of a federated user (`sts:GetFederationToken`).
    FederatedUser,
    Role(Session<'a>),
    Root,
    /// A service of the vendor, by its own name.
    Service,
    /// Somebody whom an identity provider vouches for; the name is the provider's.
    Federated,
    /// An account by its canonical id.
    Canonical,
    /// Nobody in particular: the request is not signed.
    Anonymous,
    /// Something that policies are attached to and that signs no requests: a group, permission set or job function.
    Holder(PrincipalKind),
}

/// A principal as policies see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) who: Who<'a>,
    /// A user's or role's own name, a service's or provider's name; empty for anonymous callers.
    pub(crate) name: &'a str,
    /// The name by which policies know it: a role's own, not that of a session. A session does not tell its role's path.
    pub(crate) arn: Option<&'a str>,
    /// `None` for callers that stand in no account.
    pub(crate) account: Option<&'a str>,
    /// Whether it has a permissions boundary, or may have one.
    pub(crate) bounded: bool,
    /// A role made and used by an AWS service.
    pub(crate) service_linked: bool,
    /// Whether the name may lack a path that requests carry: `aws:PrincipalArn` is then not known.
    pub(crate) path_open: bool,
    /// Tags, where they are known from elsewhere than the request.
    tags: Option<&'a Tags>,
}

impl<'a> Caller<'a> {
    /// A principal about which the request alone tells.
    pub(crate) fn new(who: Who<'a>, name: &'a str, arn: Option<&'a str>, account: Option<&'a str>) -> Self {
        Self { who, name, arn, account, bounded: false, service_linked: false, path_open: false, tags: None }
    }

    /// A principal of a capture.
    pub(crate) fn of(principal: &'a Principal) -> Self {
        let who = match principal.kind {
            PrincipalKind::User => Who::User,
            PrincipalKind::Role => Who::Role(Session::Some),
            PrincipalKind::Root => Who::Root,
            kind @ (PrincipalKind::Group | PrincipalKind::PermissionSet | PrincipalKind::JobFunction) => {
                Who::Holder(kind)
            }
        };
        Self {
            who,
            name: &principal.name,
            arn: Some(principal.id.as_str()),
            account: Some(&principal.account.0),
            bounded: principal.boundary != Fact::Absent,
            service_linked: principal.service_linked,
            path_open: false,
            tags: principal.tags.as_ref(),
        }
    }

    /// Whether policies of its own can grant it anything: outsiders have none.
    pub(crate) fn has_own_policies(&self) -> bool {
        match self.who {
            Who::User | Who::FederatedUser | Who::Role(_) | Who::Root | Who::Holder(_) => true,
            Who::Service | Who::Federated | Who::Canonical | Who::Anonymous => false,
        }
    }

    /// Whether service control policies limit it.
    pub(crate) fn is_controlled(&self) -> bool {
        self.has_own_policies() && !self.service_linked
    }
}

impl Context for Caller<'_> {
    fn get(&self, key: &str) -> Lookup {
        let one = |value: &str| Lookup::Known(vec![Arc::from(value)]);
        if let Some(tag) = key.strip_prefix("aws:principaltag/") {
            let Some(tags) = self.tags else { return Lookup::Unknown };
            let held = tags.iter().find(|(name, _)| name.eq_ignore_ascii_case(tag));
            return match (held, self.who) {
                (Some((_, value)), _) => Lookup::Known(vec![Arc::clone(value)]),
                // A session may bring tags of its own; a user has none but those listed.
                (None, Who::User) => Lookup::Absent,
                (None, _) => Lookup::Unknown,
            };
        }
        match key {
            "aws:username" => match self.who {
                Who::User => one(self.name),
                Who::Holder(PrincipalKind::Group | PrincipalKind::JobFunction) => Lookup::Unknown,
                _ => Lookup::Absent,
            },
            "aws:principalarn" => match (self.who, self.arn) {
                (Who::Holder(_), _) => Lookup::Unknown,
                (Who::Role(_), _) if self.path_open => Lookup::Unknown,
                (Who::User | Who::FederatedUser | Who::Role(_) | Who::Root, Some(arn)) if arn.starts_with("arn:") => {
                    one(arn)
                }
                (Who::User | Who::FederatedUser | Who::Role(_) | Who::Root, _) => Lookup::Unknown,
                (Who::Service | Who::Federated | Who::Canonical | Who::Anonymous, _) => Lookup::Absent,
            },
            "aws:principalaccount" | "kms:calleraccount" => match (self.who, self.account) {
                (Who::Holder(PrincipalKind::PermissionSet | PrincipalKind::JobFunction), _) => Lookup::Unknown,
                (_, Some(account)) => one(account),
                (_, None) => Lookup::Absent,
            },
            "aws:principaltype" => match self.who {
                Who::User => one("User"),
                Who::FederatedUser => one("FederatedUser"),
                Who::Role(_) | Who::Holder(PrincipalKind::PermissionSet) => one("AssumedRole"),
                Who::Root => one("Account"),
                Who::Anonymous => one("Anonymous"),
                Who::Holder(_) | Who::Service | Who::Federated | Who::Canonical => Lookup::Unknown,
            },
            // Signed requests carry it.
            "aws:principalisawsservice" => match self.who {
                Who::Service => one("true"),
                Who::Anonymous => Lookup::Absent,
                _ => one("false"),
            },
            "aws:principalservicename" => match self.who {
                Who::Service => one(self.name),
                _ => Lookup::Absent,
            },
            "aws:principalservicenameslist" => match self.who {
                Who::Service => Lookup::Unknown,
                _ => Lookup::Absent,
            },
            _ => Lookup::Unknown,
        }
    }
}

/// Why the true access of a principal may be other than what its policies say.
pub(super) fn doubts(principal: &Principal) -> Vec<Doubt> {
    let mut doubts: Vec<Doubt> = principal
        .missing
        .iter()
        .map(|name| Doubt::new(format!("`{name}` is attached but its document was not read"), DoubtEffect::Either))
        .collect();
    if principal.boundary == Fact::Unknown {
        let text = match &principal.unread_boundary {
            Some(name) => format!("the permissions boundary `{name}` was not read"),
            None => format!("whether {} has a permissions boundary was not read", principal.name),
        };
        doubts.push(Doubt::new(text, DoubtEffect::Limits));
    }
    doubts
}
