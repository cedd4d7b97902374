//! What is known of the context of every request of a principal.

use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::evidence::Fact;

use crate::policy::context::{Context, Lookup};
use crate::world::{Principal, PrincipalKind};

/// A principal as the context of its own requests.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a>(pub(crate) &'a Principal);

impl Caller<'_> {
    /// The name by which policies know the principal: a role's own name, not that of a session.
    fn arn(self) -> Option<Arc<str>> {
        match self.0.kind {
            PrincipalKind::User | PrincipalKind::Role | PrincipalKind::Root => {
                self.0.id.as_str().starts_with("arn:").then(|| self.0.id.shared())
            }
            PrincipalKind::Group | PrincipalKind::PermissionSet | PrincipalKind::JobFunction => None,
        }
    }
}

impl Context for Caller<'_> {
    fn get(&self, key: &str) -> Lookup {
        let one = |value: Arc<str>| Lookup::Known(vec![value]);
        let kind = self.0.kind;
        if let Some(tag) = key.strip_prefix("aws:principaltag/") {
            let Some(tags) = &self.0.tags else { return Lookup::Unknown };
            let held = tags.iter().find(|(name, _)| name.eq_ignore_ascii_case(tag));
            return match (held, kind) {
                (Some((_, value)), _) => one(Arc::clone(value)),
                // A session may bring tags of its own; a user has none but those listed.
                (None, PrincipalKind::User) => Lookup::Absent,
                (None, _) => Lookup::Unknown,
            };
        }
        match key {
            "aws:username" => match kind {
                PrincipalKind::User => one(Arc::clone(&self.0.name)),
                PrincipalKind::Role | PrincipalKind::PermissionSet | PrincipalKind::Root => Lookup::Absent,
                PrincipalKind::Group | PrincipalKind::JobFunction => Lookup::Unknown,
            },
            "aws:principalarn" => self.arn().map_or(Lookup::Unknown, one),
            "aws:principalaccount" => match kind {
                PrincipalKind::User | PrincipalKind::Group | PrincipalKind::Role | PrincipalKind::Root => {
                    one(Arc::clone(&self.0.account.0))
                }
                PrincipalKind::PermissionSet | PrincipalKind::JobFunction => Lookup::Unknown,
            },
            "aws:principaltype" => match kind {
                PrincipalKind::User => one("User".into()),
                PrincipalKind::Role | PrincipalKind::PermissionSet => one("AssumedRole".into()),
                PrincipalKind::Root => one("Account".into()),
                PrincipalKind::Group | PrincipalKind::JobFunction => Lookup::Unknown,
            },
            "aws:principalisawsservice" => one("false".into()),
            "aws:principalservicename" | "aws:principalservicenameslist" => Lookup::Absent,
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
