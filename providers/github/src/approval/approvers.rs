//! Machines that may approve what other machines propose: then a review is given, and no person saw the change.
//!
//! Nobody approves a pull request of his own ("Approving a pull request with required reviews"), and all jobs of a
//! repository are one author, `github-actions`; so are all tokens of one person. An approval of an account that may write
//! counts. Whether one of an app does where reviews are required is reported differently, so that is no proof.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::control::Way;
use evenhand_model::evidence::Truth;

use super::Faced;
use crate::access::Reach;
use crate::catalog::Level;
use crate::facts::{OwnerFacts, RepositoryFacts};
use crate::inventory::{Actor, follows_rules};

/// More approvals than this GitHub cannot demand.
const MOST: usize = 6;

/// As whom a machine writes and approves.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Author {
    /// The jobs of a repository.
    Jobs,
    App(Arc<str>),
    Account(String),
    /// Whom nobody else can be.
    Other(Arc<str>),
}

impl Author {
    fn of(actor: &Actor) -> Self {
        let who = &actor.who;
        match (&who.job_of, &who.user, &who.slug) {
            (Some(_), ..) => Self::Jobs,
            (_, Some((_, login)), _) => Self::Account(login.to_lowercase()),
            (_, _, Some(slug)) => Self::App(Arc::clone(slug)),
            _ => Self::Other(actor.id.shared()),
        }
    }
}

/// A machine that may approve in a repository.
#[derive(Clone, Debug)]
struct Approver {
    author: Author,
    /// How findings name it.
    shown: Arc<str>,
    /// Whether its approval counts where reviews are required.
    counts: Truth,
    /// Whether it may be that it cannot approve at all: a setting was not read.
    untold: bool,
}

/// Those who may approve in one repository, the surest first, each author once.
#[derive(Clone, Debug, Default)]
pub(super) struct Approvers(Vec<Approver>);

/// Machines that may write to pull requests, by where they may.
pub(super) struct Machines<'a> {
    everywhere: Vec<&'a Actor>,
    by_repository: BTreeMap<Arc<str>, Vec<&'a Actor>>,
}

impl<'a> Machines<'a> {
    pub(super) fn of(actors: &'a [Actor]) -> Self {
        let mut all = Self { everywhere: Vec::new(), by_repository: BTreeMap::new() };
        let fixed = |actor: &Actor| actor.who.job_of.is_none() && actor.who.slug.as_deref().is_some_and(follows_rules);
        for actor in actors.iter().filter(|actor| actor.who.machine && !fixed(actor)) {
            match actor.held.reach("pull_requests", Level::Write) {
                Reach::All => all.everywhere.push(actor),
                Reach::Some(names) => {
                    names.into_iter().for_each(|name| all.by_repository.entry(name).or_default().push(actor));
                }
            }
        }
        all
    }

    /// Those who may approve in a repository.
    pub(super) fn approvers(&self, name: &str, owner: &OwnerFacts, repository: &RepositoryFacts) -> Approvers {
        let own = self.by_repository.get(name).into_iter().flatten();
        let mut found: Vec<Approver> =
            self.everywhere.iter().chain(own).filter_map(|actor| approver(actor, name, owner, repository)).collect();
        found.sort_by(|a, b| (b.counts, a.untold, &a.author, &a.shown).cmp(&(a.counts, b.untold, &b.author, &b.shown)));
        let mut authors = BTreeSet::new();
        found.retain(|approver| authors.insert(approver.author.clone()));
        // One of them may be who proposes.
        found.truncate(MOST + 1);
        Approvers(found)
    }
}

fn approver(actor: &Actor, name: &str, owner: &OwnerFacts, repository: &RepositoryFacts) -> Option<Approver> {
    let author = Author::of(actor);
    let mut untold = false;
    let counts = match &author {
        Author::Jobs => {
            let told = repository.workflow_defaults.get().or(owner.workflow_defaults.get());
            match told.and_then(|told| told.can_approve_pull_request_reviews) {
                Some(true) => {}
                Some(false) => return None,
                None => untold = true,
            }
            Truth::Unknown
        }
        Author::Account(_) if actor.held.doubts.is_empty() => {
            let writes = |role: &str| actor.who.roles.get(role).is_some_and(|reach| reach.holds(name));
            let built_in = ["write", "maintain", "admin"].into_iter().any(writes);
            let other = || actor.who.roles.iter().any(|(role, reach)| !is_lower(role) && reach.holds(name));
            match built_in || actor.who.owner {
                // Whether a program signs in with it at all, its name alone does not prove.
                true if actor.who.by_name => Truth::Unknown,
                true => Truth::Yes,
                false if other() => Truth::Unknown,
                false => return None,
            }
        }
        Author::App(_) | Author::Account(_) | Author::Other(_) => Truth::Unknown,
    };
    let shown = match author {
        Author::Jobs => Arc::from("workflows of the repository, as github-actions"),
        _ => actor.id.shared(),
    };
    Some(Approver { author, shown, counts, untold })
}

/// Roles whose approvals count for nothing.
fn is_lower(role: &str) -> bool {
    matches!(role, "read" | "triage")
}

/// The reviews that stand before somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Reviews {
    /// How many must approve.
    pub(super) count: usize,
    /// Whether owners of the code must, or a team that the rule names: people who have accounts.
    pub(super) of_owners: bool,
}

impl Reviews {
    /// What both demand together.
    pub(super) fn and(self, other: Self) -> Self {
        Self { count: self.count.max(other.count), of_owners: self.of_owners || other.of_owners }
    }
}

impl Approvers {
    /// What a machine faces that a review stops: not a person, where other machines may give the review.
    pub(super) fn met(&self, faced: Faced, reviews: Reviews, actor: &Actor, name: &str) -> Faced {
        let proposes = actor.who.machine && actor.held.allows("pull_requests", Level::Write, name);
        if faced.in_place != Truth::Yes || !proposes {
            return faced;
        }
        let author = Author::of(actor);
        // Apps and jobs own no code; accounts may.
        let may_give = |approver: &&Approver| {
            approver.author != author && (!reviews.of_owners || matches!(approver.author, Author::Account(_)))
        };
        let needed = reviews.count.max(1);
        let givers: Vec<&Approver> = self.0.iter().filter(may_give).take(needed).collect();
        if givers.len() < needed {
            return faced;
        }
        let names: Vec<&str> = givers.iter().map(|approver| &*approver.shown).collect();
        let names = names.join(" and ");
        if givers.iter().any(|approver| approver.untold) {
            return Faced {
                in_place: Truth::Unknown,
                way: Some(Way::Untold),
                reason: format!("whether {names} may approve what {} proposes was not read", actor.id).into(),
                ..faced
            };
        }
        let certain = !reviews.of_owners && givers.iter().all(|approver| approver.counts == Truth::Yes);
        Faced {
            in_place: if certain { Truth::No } else { Truth::Unknown },
            way: Some(Way::Satisfies),
            reason: format!("{names} may approve what {} proposes: machines, and no person", actor.id).into(),
            ..faced
        }
    }
}
