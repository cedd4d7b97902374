//! Whom a statement of a resource, trust or endpoint policy names.

use std::sync::Arc;

use evenhand_model::condition::Test;
use evenhand_model::evidence::Truth;

use super::caller::{Caller, Session, Who};
use crate::policy::document::Statement;
use crate::policy::{Effect, Principals, arn};

/// How closely a statement names a caller. The order is the order of closeness.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Named {
    /// Not at all.
    No,
    /// By its account, which leaves the decision to identity policies.
    Account,
    /// By its role's name: does not lift a boundary off the role's sessions.
    Role,
    /// By one session of its role, or as everybody but one session; whether the caller is that session is not known.
    Session,
    /// By its own name, or as everybody.
    Itself,
}

/// How closely a statement names a caller. Statements that name nobody never match.
pub(crate) fn named(statement: &Statement, caller: &Caller<'_>) -> Named {
    ways(statement, caller).max().unwrap_or(Named::No)
}

/// The ways in which a statement names a caller: the closest one that is certain and, where it lets in more, as some
/// session.
pub(super) fn ways(statement: &Statement, caller: &Caller<'_>) -> impl Iterator<Item = Named> + use<> {
    let allows = statement.effect == Effect::Allow;
    let allows_service = caller.who == Who::Service && allows;
    let (certain, session) = match (&statement.principals, &statement.not_principals) {
        // A service is let in by its own name only, never as one of everybody.
        (Some(principals), _) if principals.any && !allows_service => (Named::Itself, false),
        (Some(principals), _) => by_name(principals, caller),
        (None, Some(_)) if allows_service => (Named::No, false),
        // A boundary makes such a deny hold for everybody, whoever is excluded.
        (None, Some(_)) if statement.effect == Effect::Deny && caller.bounded => (Named::Itself, false),
        (None, Some(excluded)) => unless(excluded, caller),
        (None, None) => (Named::No, false),
    };
    // Whoever is denied for certain is not denied once more as a session.
    let more = session && certain < Named::Session && (allows || certain == Named::No);
    [certain, if more { Named::Session } else { Named::No }].into_iter().filter(|way| *way != Named::No)
}

/// How closely a caller is named for certain, and whether some session of it is named.
fn by_name(principals: &Principals, caller: &Caller<'_>) -> (Named, bool) {
    each(principals, caller).fold((Named::No, false), |(certain, session), close| match close {
        Named::Session => (certain, true),
        close => (certain.max(close), session),
    })
}

/// The same of a statement that means everybody but some. A session that is excluded leaves the others meant.
fn unless(excluded: &Principals, caller: &Caller<'_>) -> (Named, bool) {
    if excluded.any {
        return (Named::No, false);
    }
    // An exclusion that is certain makes one that depends on the session idle.
    match by_name(excluded, caller) {
        (Named::No, false) => (Named::Itself, false),
        (Named::No, true) => (Named::No, true),
        _ => (Named::No, false),
    }
}

/// How closely each of the names that can mean a caller does so.
fn each<'n>(principals: &'n Principals, caller: &'n Caller<'_>) -> impl Iterator<Item = Named> + 'n {
    let (names, exact): (&[Arc<str>], bool) = match caller.who {
        Who::Service => (&principals.service, true),
        Who::Federated => (&principals.federated, true),
        Who::Canonical => (&principals.canonical, true),
        Who::Anonymous => (&[], true),
        Who::User | Who::FederatedUser | Who::Role(_) | Who::Root | Who::Holder(_) => (&principals.aws, false),
    };
    names.iter().map(move |name| match exact {
        true if **name == *caller.name => Named::Itself,
        true => Named::No,
        false => one(name, caller),
    })
}

/// How closely one name of the kind `AWS` means a caller that stands in an account.
fn one(name: &str, caller: &Caller<'_>) -> Named {
    let Some(account) = caller.account else { return Named::No };
    if name == account {
        return Named::Account;
    }
    if caller.arn == Some(name) {
        return match caller.who {
            Who::Role(_) | Who::Holder(crate::world::PrincipalKind::PermissionSet) => Named::Role,
            Who::Root => Named::Account,
            _ => Named::Itself,
        };
    }
    let Some([_, _, service, _, owner, resource]) = arn::split(name) else { return Named::No };
    if owner != account {
        return Named::No;
    }
    if service == "iam" && resource == "root" {
        return Named::Account;
    }
    match (service, caller.who) {
        ("sts", Who::Role(session)) => {
            let Some((_, role, held)) = session_role(name) else { return Named::No };
            if !role.eq_ignore_ascii_case(caller.name) {
                return Named::No;
            }
            match session {
                Session::Some => Named::Session,
                Session::Named(own) if own == held => Named::Itself,
                Session::Named(_) | Session::None => Named::No,
            }
        }
        // A session's name leaves its role's path out, so account and name decide.
        ("iam", Who::Role(Session::Named(_))) => {
            let role = resource.strip_prefix("role/").map(last);
            if role.is_some_and(|role| role.eq_ignore_ascii_case(caller.name)) { Named::Role } else { Named::No }
        }
        // A federated user acts for the user whose name it bears.
        ("iam", Who::FederatedUser) => {
            let user = resource.strip_prefix("user/").map(last);
            if user == Some(caller.name) { Named::Itself } else { Named::No }
        }
        _ => Named::No,
    }
}

/// The names in a statement, whether it means them or excepts them.
pub(super) fn names(statement: &Statement) -> impl Iterator<Item = &str> {
    let lists = [&statement.principals, &statement.not_principals];
    lists.into_iter().flatten().flat_map(|list| &list.aws).map(|name| &**name)
}

/// The account, role and session that the name of a session holds.
pub(super) fn session_role(name: &str) -> Option<(&str, &str, &str)> {
    let [_, _, "sts", _, account, resource] = arn::split(name)? else { return None };
    let (role, session) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
    Some((account, role, session))
}

/// The sessions of a role that a statement names, as a test on who asks: to be one of those it means, or none of those
/// it excepts. An id of a session ends in the session's name.
pub(super) fn session_test(statement: &Statement, role: &Caller<'_>) -> Test {
    let mut values: Vec<Arc<str>> = names(statement)
        .filter_map(session_role)
        .filter(|(account, name, _)| role.account == Some(*account) && name.eq_ignore_ascii_case(role.name))
        .map(|(_, _, session)| format!("*:{session}").into())
        .collect();
    values.sort_unstable();
    values.dedup();
    let excepted = statement.principals.is_none();
    let operator = if excepted { "StringNotLike" } else { "StringLike" };
    Test { operator: Arc::from(operator), key: Arc::from("aws:userid"), values: values.into(), negated: excepted }
}

/// A name without its path.
fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
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
