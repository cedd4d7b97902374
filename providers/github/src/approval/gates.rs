//! The gates of one repository: rules of rulesets and classic protection, each with who gets past it.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::control::{ControlKind, Way};
use evenhand_model::evidence::{Evidence, Truth};

use super::Faced;
use super::approvers::{Approvers, Reviews};
use super::bypass::{Past, past_actors, past_protection};
use super::{rewriters, workflows};
use crate::catalog::Level;
use crate::documents::gates::{BypassActor, EffectiveRule, Protection, RuleParameters, Ruleset};
use crate::documents::told::{At, Told};
use crate::facts::{OwnerFacts, RepositoryFacts};
use crate::inventory::Actor;

/// Whose setting a gate is, and with that who may change it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    Repository,
    Organisation,
    /// Out of reach of anybody here.
    Enterprise,
}

/// Who gets past a gate.
#[derive(Debug)]
pub(super) enum Let<'a> {
    /// These.
    Listed(&'a [BypassActor]),
    /// The list was withheld.
    Withheld,
    /// The ruleset was not read.
    Unread,
    /// As classic protection says of one of its demands.
    Classic(&'a Protection, Demand),
}

/// What classic protection demands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Demand {
    /// A pull request, or reviews of it.
    Reviews,
    /// Checks that pass.
    Checks,
    /// To be on the list of who may push.
    Pushes,
    /// That the branch is open at all: one that is locked can be read alone ("About protected branches", Lock branch).
    Unlocked,
}

/// How a list is read that is told to few.
pub(super) const READ_AS: &str = "read it with write access to the ruleset";

/// Why nobody here can read the list of a ruleset of the enterprise: it is told to those who may write the ruleset.
pub(super) const OF_ENTERPRISE: &str = "is told to owners of the enterprise alone; ask them";

/// Where the ruleset of a rule stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stands<'a> {
    /// In an answer of its own, which names who may bypass it to those who may write it.
    Read(&'a At<Ruleset>),
    /// In a list, which names nobody.
    Named(&'a At<Ruleset>),
    /// Nowhere.
    Unread,
}

impl<'a> Stands<'a> {
    pub(crate) fn of(rule: &EffectiveRule, owner: &'a OwnerFacts, repository: &'a RepositoryFacts) -> Self {
        let Some(number) = rule.ruleset_id else { return Self::Unread };
        let own = repository.rulesets.get(&number).or_else(|| owner.rulesets.get(&number));
        let listed = || repository.rulesets_listed.all().iter().find(|held| held.id == number);
        own.map(Self::Read).or_else(|| listed().map(Self::Named)).unwrap_or(Self::Unread)
    }

    /// What is known of it.
    pub(crate) fn ruleset(self) -> Option<&'a At<Ruleset>> {
        match self {
            Self::Read(ruleset) | Self::Named(ruleset) => Some(ruleset),
            Self::Unread => None,
        }
    }
}

/// What a rule is a gate of; nothing where it stands before no change.
pub(crate) fn kinds(rule: &EffectiveRule) -> &'static [ControlKind] {
    match rule.kind.as_str() {
        "pull_request" => {
            let reviews = reviews(&rule.parameters);
            if reviews.count > 0 || reviews.of_owners {
                &[ControlKind::SecondPersonApproval, ControlKind::ChangeGate]
            } else {
                &[ControlKind::ChangeGate]
            }
        }
        "code_scanning"
        | "merge_queue"
        | "required_deployments"
        | "required_status_checks"
        | "update"
        | "workflows" => &[ControlKind::ChangeGate],
        _ => &[],
    }
}

/// The reviews that a rule demands. A team that must approve is named like owners of the code, for certain files.
fn reviews(demanded: &RuleParameters) -> Reviews {
    // What demands no number demands one.
    let of_teams = demanded.required_reviewers.iter().map(|team| team.minimum_approvals.unwrap_or(1)).max();
    let of_teams = of_teams.filter(|approvals| *approvals > 0);
    Reviews {
        count: count(demanded.required_approving_review_count.max(of_teams)),
        of_owners: demanded.require_code_owner_review == Some(true) || of_teams.is_some(),
    }
}

/// One gate.
#[derive(Debug)]
pub(super) struct Gate<'a> {
    kind: ControlKind,
    pub(super) name: Arc<str>,
    pub(super) source: Source,
    pub(super) lets: Let<'a>,
    /// The reviews that it demands, where it demands any.
    reviews: Reviews,
    evidence: Evidence,
}

impl Gate<'_> {
    /// What somebody faces who gets past it so.
    pub(super) fn faced(&self, past: Past) -> Faced {
        let evidence = past.by.unwrap_or_else(|| self.evidence.clone());
        Faced { in_place: past.past.not(), way: past.way, reason: past.how, evidence }
    }
}

/// All gates before a default branch.
#[derive(Debug)]
pub(super) struct Gates<'a> {
    gates: Vec<Gate<'a>>,
    /// What was not read and may hold more gates.
    unread: Option<(Arc<str>, Evidence)>,
}

impl<'a> Gates<'a> {
    pub(super) fn of(owner: &'a OwnerFacts, repository: &'a RepositoryFacts) -> Self {
        let page = |path: &str| {
            let (document, pointer) = match repository.repository.get() {
                Some(held) => (Arc::clone(&held.at.document), crate::inventory::pointer(&held.at)),
                None => (Arc::from(repository.name.as_str()), Arc::from("")),
            };
            let url = format!("https://{}/{}/{}/settings/{path}", owner.host, owner.name, repository.name);
            Evidence::setting(document, pointer, url)
        };
        let mut all = Self { gates: Vec::new(), unread: None };
        let Some(branch) = repository.default_branch() else {
            all.unread = Some((Arc::from("the default branch was not read"), page("branches")));
            return all;
        };
        match repository.effective_rules.get(branch) {
            Some(Told::Read(rules)) => {
                for rule in rules {
                    all.add_rule(rule, Stands::of(rule, owner, repository));
                }
            }
            _ => all.unread = Some((Arc::from("the rules of the default branch were not read"), page("rules"))),
        }
        match repository.protection.get(branch) {
            Some(Told::Read(Some(protection))) => all.add_protection(protection),
            Some(Told::Read(None)) => {}
            _ => {
                let listed = repository.branches.all().iter().find(|held| held.name == branch);
                if listed.is_none_or(|held| held.protected != Some(false)) {
                    all.unread =
                        Some((Arc::from("the protection of the default branch was not read"), page("branches")));
                }
            }
        }
        all
    }

    /// The people that gates name: by their numbers, and by their logins in lower case.
    pub(super) fn named(&self, numbers: &mut BTreeSet<u64>, logins: &mut BTreeSet<String>) {
        for gate in &self.gates {
            match &gate.lets {
                Let::Listed(actors) => {
                    let users = actors.iter().filter(|actor| actor.actor_type == "User");
                    numbers.extend(users.filter_map(|actor| actor.actor_id));
                }
                Let::Withheld | Let::Unread => {}
                Let::Classic(protection, _) => {
                    let reviews = protection.required_pull_request_reviews.as_ref();
                    let allowed = reviews.and_then(|reviews| reviews.bypass_pull_request_allowances.as_ref());
                    let lists = [allowed, protection.restrictions.as_ref()];
                    let users = lists.into_iter().flatten().flat_map(|list| &list.users);
                    logins.extend(users.map(|user| user.login.to_lowercase()));
                }
            }
        }
    }

    /// Whether anything stops anybody, or may.
    pub(super) fn may_stop(&self) -> bool {
        !self.gates.is_empty() || self.unread.is_some()
    }

    /// The gates of a kind that were read.
    pub(super) fn of_kind(&self, kind: ControlKind) -> impl Iterator<Item = &Gate<'a>> {
        self.gates.iter().filter(move |gate| gate.kind == kind)
    }

    /// What everybody faces where gates were not read.
    pub(super) fn unread(&self) -> Option<Faced> {
        let (reason, evidence) = self.unread.as_ref()?;
        Some(Faced {
            in_place: Truth::Unknown,
            way: Some(Way::Untold),
            reason: Arc::clone(reason),
            evidence: evidence.clone(),
        })
    }

    fn add_rule(&mut self, rule: &'a At<EffectiveRule>, stands: Stands<'a>) {
        let demanded = reviews(&rule.parameters);
        let ruleset = stands.ruleset();
        let source = match rule.ruleset_source_type.as_deref() {
            Some("Organization") => Source::Organisation,
            Some("Enterprise") => Source::Enterprise,
            _ => Source::Repository,
        };
        for kind in kinds(rule) {
            self.gates.push(Gate {
                kind: *kind,
                name: match ruleset {
                    Some(ruleset) if !ruleset.name.is_empty() => format!("the ruleset `{}`", ruleset.name).into(),
                    _ => format!("ruleset {}", rule.ruleset_id.unwrap_or_default()).into(),
                },
                source,
                lets: match (stands, ruleset.and_then(|ruleset| ruleset.bypass_actors.as_deref())) {
                    (_, Some(actors)) => Let::Listed(actors),
                    (Stands::Read(_), None) => Let::Withheld,
                    (Stands::Named(_) | Stands::Unread, None) => Let::Unread,
                },
                reviews: demanded,
                evidence: ruleset.map_or_else(|| rule.at.clone(), |ruleset| ruleset.at.clone()),
            });
        }
    }

    fn add_protection(&mut self, protection: &'a At<Protection>) {
        let demanded = protection.required_pull_request_reviews.as_ref();
        let reviews = demanded.map_or_else(Reviews::default, |demanded| Reviews {
            count: count(demanded.required_approving_review_count),
            of_owners: demanded.require_code_owner_reviews == Some(true),
        });
        let mut add = |kind, demand| {
            self.gates.push(Gate {
                kind,
                name: Arc::from("the branch protection"),
                source: Source::Repository,
                lets: Let::Classic(&protection.value, demand),
                reviews,
                evidence: protection.at.clone(),
            });
        };
        if let Some(reviews) = &protection.required_pull_request_reviews {
            add(ControlKind::ChangeGate, Demand::Reviews);
            if reviews.required_approving_review_count.unwrap_or(0) > 0
                || reviews.require_code_owner_reviews == Some(true)
            {
                add(ControlKind::SecondPersonApproval, Demand::Reviews);
            }
        }
        if protection.required_status_checks.is_some() {
            add(ControlKind::ChangeGate, Demand::Checks);
        }
        if protection.restrictions.is_some() {
            add(ControlKind::ChangeGate, Demand::Pushes);
        }
        if protection.lock_branch.is_some_and(|lock| lock.enabled) {
            add(ControlKind::ChangeGate, Demand::Unlocked);
        }
    }

    /// What an identity faces of a kind; `None` = nothing of it stands before anybody.
    pub(super) fn faced(
        &self,
        kind: ControlKind,
        actor: &Actor,
        repository: &str,
        owner: &OwnerFacts,
        facts: &RepositoryFacts,
        approvers: &Approvers,
    ) -> Option<Faced> {
        let mut best: Option<Faced> = None;
        let mut reviews = Reviews::default();
        for gate in self.of_kind(kind) {
            let past = past(gate, actor, repository, owner);
            if past.past == Truth::No {
                reviews = reviews.and(gate.reviews);
            }
            let faced = gate.faced(past);
            if best.as_ref().is_none_or(|held| faced.in_place > held.in_place) {
                best = Some(faced);
            }
        }
        if best.as_ref().is_none_or(|held| held.in_place == Truth::No) {
            best = self.unread().or(best);
        }
        let faced = best?;
        let faced = if kind == ControlKind::SecondPersonApproval {
            let by_others = approvers.met(faced.clone(), reviews, actor, repository);
            if by_others.in_place == Truth::No {
                return Some(by_others);
            }
            let by_itself = approves_itself(faced, actor, repository, owner, facts);
            if by_itself.in_place == Truth::Yes { by_others } else { by_itself }
        } else {
            faced
        };
        Some(workflows::written(faced, actor, repository, owner, facts))
    }
}

/// A number of reviews.
fn count(told: Option<u32>) -> usize {
    usize::try_from(told.unwrap_or(0)).unwrap_or(usize::MAX)
}

/// Whether an identity gets past a gate, and how.
fn past(gate: &Gate<'_>, actor: &Actor, repository: &str, owner: &OwnerFacts) -> Past {
    let let_past = match &gate.lets {
        Let::Listed(actors) => past_actors(&gate.name, actors, actor, repository, owner),
        Let::Withheld | Let::Unread => {
            let why = match (gate.source, &gate.lets) {
                (Source::Enterprise, _) => OF_ENTERPRISE.to_owned(),
                (_, Let::Unread) => format!("was not read; collect the ruleset, {READ_AS}"),
                _ => format!("was withheld; {READ_AS}"),
            };
            Past::by_the_gate(Truth::Unknown, Way::Untold, format!("who may bypass {} {why}", gate.name))
        }
        Let::Classic(protection, demand) => past_protection(protection, *demand, actor, repository, owner),
    };
    if let_past.past == Truth::Yes {
        return let_past;
    }
    if let Some(rewrites) = rewriters::past(gate, actor, repository, owner)
        && rewrites.past == Truth::Yes
    {
        return rewrites;
    }
    let unread = actor.who.unread.as_ref().is_some_and(|reach| reach.holds(repository));
    if let_past.past == Truth::No && unread && gate.source != Source::Enterprise {
        let holds =
            if actor.who.machine { "holds permissions that were not read" } else { "holds a role that was not read" };
        let how = format!("{holds}, which may let past {} or change it", gate.name);
        return Past::by_the_gate(Truth::Unknown, Way::Untold, how);
    }
    let_past
}

/// A job whose token may approve pull requests may give the approval that it needs. Reports conflict on whether such an
/// approval counts where reviews are required, so this is no proof.
fn approves_itself(
    faced: Faced,
    actor: &Actor,
    repository: &str,
    owner: &OwnerFacts,
    facts: &RepositoryFacts,
) -> Faced {
    let is_job = actor.who.job_of.is_some();
    if !is_job || faced.in_place != Truth::Yes || !actor.held.allows("pull_requests", Level::Write, repository) {
        return faced;
    }
    let told = facts.workflow_defaults.get().or(owner.workflow_defaults.get());
    match told.and_then(|told| told.can_approve_pull_request_reviews) {
        Some(false) => faced,
        Some(true) => Faced {
            in_place: Truth::Unknown,
            way: Some(Way::Satisfies),
            reason: Arc::from("workflows may approve pull requests, its own among them"),
            evidence: told.map_or(faced.evidence, |told| told.at.clone()),
        },
        None => Faced {
            in_place: Truth::Unknown,
            way: Some(Way::Untold),
            reason: Arc::from("whether workflows may approve pull requests was not read"),
            ..faced
        },
    }
}
