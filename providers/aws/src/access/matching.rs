//! Whom a statement of a resource or trust policy names.

use evenhand_model::evidence::{Fact, Truth};

use crate::policy::document::Statement;
use crate::policy::{Effect, Principals};
use crate::world::{Principal, PrincipalKind};

/// How closely a statement names a caller. The order is the order of closeness.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Named {
    /// Not at all.
    No,
    /// By its account, which leaves the decision to identity policies.
    Account,
    /// By its role's name: does not lift a boundary off the role's sessions.
    Role,
    /// By one session of its role; whether the caller is that session is not known.
    Session,
    /// By its own name, or as everybody.
    Itself,
}

/// How closely a statement names a principal. Statements that name nobody never match.
pub(crate) fn named(statement: &Statement, caller: &Principal) -> Named {
    match (&statement.principals, &statement.not_principals) {
        (Some(principals), _) => among(principals, caller),
        // A boundary makes such a deny hold for everybody, whoever is excluded.
        (None, Some(_)) if statement.effect == Effect::Deny && caller.boundary != Fact::Absent => Named::Itself,
        (None, Some(excluded)) => match among(excluded, caller) {
            Named::No => Named::Itself,
            Named::Session => Named::Session,
            Named::Account | Named::Role | Named::Itself => Named::No,
        },
        (None, None) => Named::No,
    }
}

fn among(principals: &Principals, caller: &Principal) -> Named {
    if principals.any {
        return Named::Itself;
    }
    principals.aws.iter().map(|name| one(name, caller)).max().unwrap_or(Named::No)
}

fn one(name: &str, caller: &Principal) -> Named {
    let account = &*caller.account.0;
    if name == account {
        return Named::Account;
    }
    if name == caller.id.as_str() {
        return match caller.kind {
            PrincipalKind::Role | PrincipalKind::PermissionSet => Named::Role,
            PrincipalKind::Root => Named::Account,
            PrincipalKind::User | PrincipalKind::Group | PrincipalKind::JobFunction => Named::Itself,
        };
    }
    let Some([_, _, service, _, owner, resource]) = crate::policy::arn::split(name) else { return Named::No };
    if owner != account {
        return Named::No;
    }
    match (service, caller.kind) {
        ("iam", _) if resource == "root" => Named::Account,
        ("sts", PrincipalKind::Role) => {
            let role = resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next());
            if role.is_some_and(|role| role.eq_ignore_ascii_case(&caller.name)) { Named::Session } else { Named::No }
        }
        _ => Named::No,
    }
}

impl Named {
    /// Whether the statement means the caller itself and not only its account.
    pub(crate) fn direct(self) -> Truth {
        match self {
            Self::No | Self::Account => Truth::No,
            Self::Session => Truth::Unknown,
            Self::Role | Self::Itself => Truth::Yes,
        }
    }
}
