//! Who gets past a gate: bypass actors of rulesets, allowances of classic protection.

use std::sync::Arc;

use evenhand_model::control::Way;
use evenhand_model::evidence::{Evidence, Truth};

use super::gates::Demand;
use crate::access::{Reach, roles};
use crate::documents::gates::{Actors, BypassActor, Protection};
use crate::facts::OwnerFacts;
use crate::inventory::Actor;

/// Whether somebody gets past, and how.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) past: Truth,
    pub(super) way: Option<Way>,
    pub(super) how: Arc<str>,
    /// What lets past, where it is another setting than the gate itself.
    pub(super) by: Option<Evidence>,
}

impl Past {
    fn not() -> Self {
        Self { past: Truth::No, way: None, how: Arc::from(""), by: None }
    }

    /// Somebody who gets past, or of whom nothing tells.
    pub(super) fn by_the_gate(past: Truth, way: Way, how: impl Into<Arc<str>>) -> Self {
        Self { past, way: Some(way), how: how.into(), by: None }
    }
}

/// Numbers of the roles that rulesets name, as GitHub's own form writes them.
const ROLES: &[(u64, &str)] = &[(1, "read"), (2, "maintain"), (3, "triage"), (4, "write"), (5, "admin")];

/// What a mode means for who has it.
fn mode(actor: &BypassActor) -> &'static str {
    match actor.bypass_mode.as_deref() {
        Some("pull_request") => ", for pull requests",
        Some("exempt") => ", exempt: the rules do not run and the audit log has no entry of it",
        Some("always") | None => "",
        Some(_) => ", in a mode that is not known",
    }
}

/// Bypass actors of a ruleset.
pub(super) fn past_actors(
    name: &str,
    actors: &[BypassActor],
    who: &Actor,
    repository: &str,
    owner: &OwnerFacts,
) -> Past {
    let mut best = Past::not();
    for actor in actors {
        let (past, as_what) = is_actor(actor, who, repository, owner);
        if past > best.past {
            let how = match past {
                Truth::Unknown => format!("{as_what} may bypass {name}; nothing tells whether it is one"),
                _ => format!("may bypass {name} as {as_what}{}", mode(actor)),
            };
            let way = match (past, actor.bypass_mode.as_deref()) {
                (Truth::Unknown, _) => Way::Untold,
                (_, Some("exempt")) => Way::Unrecorded,
                _ => Way::Listed,
            };
            best = Past::by_the_gate(past, way, how);
        }
    }
    best
}

/// Whether an identity is one of those that a bypass actor stands for, and what that is called.
fn is_actor(actor: &BypassActor, who: &Actor, repository: &str, owner: &OwnerFacts) -> (Truth, String) {
    let by = &who.who;
    let same = |number: Option<u64>| actor.actor_id.is_some() && actor.actor_id == number;
    match actor.actor_type.as_str() {
        "Integration" => {
            let unknown = by.app.is_none() && by.slug.is_some() && actor.actor_id.is_some();
            (if unknown { Truth::Unknown } else { same(by.app).into() }, "an app".to_owned())
        }
        "User" => {
            let number = by.user.as_ref().map(|(number, _)| *number);
            let truth = match number {
                None => Truth::No,
                Some(None) => Truth::Unknown,
                Some(number) => same(number).into(),
            };
            (truth, "a user".to_owned())
        }
        "OrganizationAdmin" => (by.owner.into(), "an owner of the organisation".to_owned()),
        // A null number stands for every key that may write.
        "DeployKey" => (by.deploy_key.into(), "a deploy key".to_owned()),
        "Team" => {
            let is_in = actor.actor_id.is_some_and(|number| by.team_numbers.contains(&number));
            let truth = match (is_in, by.teams_unread) {
                (true, _) => Truth::Yes,
                (false, true) => Truth::Unknown,
                (false, false) => Truth::No,
            };
            let named = owner.teams.all().iter().find(|team| same(team.id)).map(|team| team.slug.as_str());
            let as_what = match (named, actor.actor_id) {
                (Some(slug), _) => format!("a member of the team {slug}"),
                (None, Some(number)) => format!("a member of team {number}"),
                (None, None) => "a member of a team".to_owned(),
            };
            (truth, as_what)
        }
        "RepositoryRole" => {
            let named = ROLES.iter().find(|(number, _)| Some(*number) == actor.actor_id).map(|(_, role)| *role);
            let custom = || owner.custom_roles.all().iter().find(|role| same(role.id));
            let role = named.or_else(|| custom().map(|role| role.name.as_str()));
            let Some(role) = role else {
                let some = !by.roles.is_empty();
                return (
                    if some { Truth::Unknown } else { Truth::No },
                    "a holder of a role that was not read".to_owned(),
                );
            };
            let holds = |role: &str| by.roles.get(role).is_some_and(|reach: &Reach| reach.holds(repository));
            // Whether a higher role is let past where a lower one is named, GitHub's pages do not say.
            let above = roles::BUILT_IN.iter().skip_while(|held| **held != role).skip(1).any(|higher| holds(higher));
            let truth = match (holds(role), above) {
                (true, _) => Truth::Yes,
                (false, true) => Truth::Unknown,
                (false, false) => Truth::No,
            };
            (truth, format!("a holder of the role {role}"))
        }
        // Who these are is known to the enterprise alone; they are people.
        "EnterpriseOwner" | "EnterpriseRole" | "EnterpriseTeam" => {
            (if by.user.is_some() { Truth::Unknown } else { Truth::No }, "an owner of the enterprise".to_owned())
        }
        _ => (Truth::Unknown, "an actor of a kind that is not known".to_owned()),
    }
}

/// Who gets past a demand of classic protection.
pub(super) fn past_protection(
    protection: &Protection,
    demand: Demand,
    who: &Actor,
    repository: &str,
    owner: &OwnerFacts,
) -> Past {
    let yes = |way: Way, how: &str| Past::by_the_gate(Truth::Yes, way, how);
    let on = |list: Option<&Actors>| list.is_some_and(|list| is_listed(list, who));
    match demand {
        Demand::Pushes if on(protection.restrictions.as_ref()) => {
            return yes(Way::Listed, "is on the list of who may push to the branch");
        }
        Demand::Pushes => return Past::not(),
        Demand::Reviews => {
            let reviews = protection.required_pull_request_reviews.as_ref();
            if on(reviews.and_then(|reviews| reviews.bypass_pull_request_allowances.as_ref())) {
                return yes(Way::Listed, "is allowed to bypass required pull requests");
            }
        }
        // Allowances excuse from pull requests alone.
        Demand::Checks | Demand::Unlocked => {}
    }
    let key = if who.who.deploy_key { administers(repository, owner) } else { Truth::No };
    let admin = who.who.owner || who.who.roles.get("admin").is_some_and(|reach| reach.holds(repository));
    let by_role = who.who.bypasses.as_ref().is_some_and(|reach| reach.holds(repository));
    match protection.enforce_admins {
        Some(enforced) if enforced.enabled => Past::not(),
        Some(_) if admin => {
            yes(Way::Unenforced, "administers the repository, and the protection is not enforced for administrators")
        }
        Some(_) if key == Truth::Yes => yes(
            Way::Unenforced,
            "is a deploy key that may write, which acts as an administrator, and the protection is not enforced for these",
        ),
        Some(_) if key == Truth::Unknown => Past::by_the_gate(
            Truth::Unknown,
            Way::Untold,
            "is a deploy key that may write: of an organisation it acts as an administrator, for whom the protection is not \
             enforced; whether the owner is one was not read",
        ),
        // The same setting holds for both.
        Some(_) if by_role => yes(
            Way::Unenforced,
            "has a role that bypasses branch protections, and the protection is not enforced for such roles",
        ),
        None if admin || by_role || key != Truth::No => Past::by_the_gate(
            Truth::Unknown,
            Way::Untold,
            "whether the protection is enforced for administrators was not told",
        ),
        _ => Past::not(),
    }
}

/// Whether a deploy key that may write acts as an administrator: as a member of the organisation with admin access, but in
/// the repository of a person as a collaborator ("Create a deploy key", `read_only`).
fn administers(repository: &str, owner: &OwnerFacts) -> Truth {
    let facts = owner.find(repository).and_then(|found| found.repository.get());
    match facts.and_then(|facts| facts.owner.as_ref()?.kind.as_deref()) {
        Some("User") => Truth::No,
        Some("Organization") => Truth::Yes,
        _ if owner.organisation.is_read() => Truth::Yes,
        _ => Truth::Unknown,
    }
}

fn is_listed(list: &Actors, who: &Actor) -> bool {
    let by = &who.who;
    by.slug.as_ref().is_some_and(|slug| list.apps.iter().any(|app| *app.slug == **slug))
        || list.teams.iter().any(|team| by.teams.contains(team.slug.as_str()))
        || by
            .user
            .as_ref()
            .is_some_and(|(_, login)| list.users.iter().any(|user| user.login.eq_ignore_ascii_case(login)))
}
