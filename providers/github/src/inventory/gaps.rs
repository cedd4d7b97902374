//! What was not read: refused calls, and calls whose answers are not part of the capture.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::gap::{Gap, GapKind, Lost};

use super::Join;
use super::calls::MissingCall;
use crate::PROVIDER;
use crate::approval::{Stands, kinds};
use crate::documents::listed;
use crate::documents::route::Route;
use crate::documents::told::Told;
use crate::facts::{Facts, OwnerFacts};

/// So many names of a list stand in a gap.
const NAMED: usize = 5;

/// A call, the code of its refusal, and what would have been enough.
type Refusal<'a> = (Route, &'a str, Option<&'a Arc<str>>);

impl Join<'_> {
    pub(super) fn take_gaps(&mut self) {
        self.refused();
        self.missing();
        self.rulesets();
        self.unlisted();
        self.uncalled();
    }

    /// Calls of workflows that were not read. Those of this organisation can be added; those of others are theirs.
    fn uncalled(&mut self) {
        let missing: BTreeSet<MissingCall> =
            self.started.values().flatten().flat_map(|started| started.missing.iter().cloned()).collect();
        let own = self.owner.name.to_lowercase();
        let (own, others): (Vec<MissingCall>, Vec<MissingCall>) =
            missing.into_iter().partition(|missing| missing.owner == own);
        if let Some(first) = own.first() {
            let named: BTreeSet<&str> = own.iter().map(|missing| missing.called.as_str()).collect();
            let mut names: Vec<&str> = named.iter().copied().take(NAMED).collect();
            let more = format!("{} more", named.len().saturating_sub(NAMED));
            if named.len() > NAMED {
                names.push(&more);
            }
            let reason = format!(
                "{}, called by {}, is not in the capture; collect the repository that holds it",
                names.join(", "),
                first.by
            );
            let gap = self.gap(GapKind::NotCollected, Route::File, reason);
            self.inventory.gaps.extend(gap);
        }
        for missing in others {
            let message = format!(
                "the workflow `{}`, which {} calls, is not in the capture: what its jobs do with the token and the secrets of \
                 the call is not known",
                missing.called, missing.by
            );
            self.hint(missing.at, message);
        }
    }

    /// Repositories that the credentials did not see.
    fn unlisted(&mut self) {
        let owner = self.owner;
        let Listing::Partly(mut reason) = listing(self.facts, owner) else { return };
        let mut names = owner.listed.iter();
        if let Some(first) = names.next() {
            reason.push_str(&format!("; unread are all but {first}"));
            names.by_ref().take(NAMED - 1).for_each(|name| reason.push_str(&format!(", {name}")));
            if names.len() > 0 {
                reason.push_str(&format!(" and {} more", names.len()));
            }
        }
        let gap = self.gap(GapKind::Failed, Route::Repositories, reason);
        self.inventory.gaps.extend(gap.map(|gap| Gap { facts: vec![listed::LOST], ..gap }));
    }

    /// One gap for each call and reason, however many repositories it is about.
    fn refused(&mut self) {
        let mut all: BTreeMap<Refusal<'_>, BTreeSet<&str>> = BTreeMap::new();
        for refused in &self.owner.unanswered {
            let key = (refused.route, refused.refusal.code.as_str(), refused.accepted.as_ref());
            all.entry(key).or_default().extend(refused.repository.as_deref());
        }
        let mut gaps = Vec::new();
        for ((route, code, accepted), repositories) in all {
            let Some(call) = route.call() else { continue };
            let why = self
                .owner
                .unanswered
                .iter()
                .find(|held| held.route == route && held.refusal.code == code)
                .map_or_else(Default::default, |held| held.refusal.why);
            // What the plan does not have is answered as if it did not exist; organisations and repositories are named by
            // somebody, and were meant to be read.
            let named = matches!(route, Route::Organisation | Route::Repository);
            let absent = !named && (code.starts_with("404") || code.starts_with("410"));
            let needs = accepted.map_or(call.permission, |accepted| accepted);
            let mut reason = match (named && code.starts_with("404"), absent) {
                (true, _) => {
                    format!("there is none of this name, or the credentials may not see it: {code}; check its spelling")
                }
                (false, true) => {
                    format!(
                        "the plan has none, or the credentials may not see it: {code}; where it has, grant the permission"
                    )
                }
                (false, false) => why.said(code, PROVIDER.0),
            };
            if !needs.is_empty() {
                reason.push_str(&format!(" ({needs})"));
            }
            let mut names = repositories.iter();
            if let Some(first) = names.next() {
                let more = names.len();
                reason.push_str(&format!("; in {first}"));
                if more > 0 {
                    reason.push_str(&format!(" and {more} more"));
                }
            }
            let mut gap = self.gap(if absent { GapKind::NotCollected } else { GapKind::Failed }, route, reason);
            if let Some(gap) = gap.as_mut().filter(|_| route == Route::Organisation && self.owner.is_hidden()) {
                gap.facts = vec![Lost::everything("everything about the organisation")];
            }
            gaps.push(gap);
        }
        self.inventory.gaps.extend(gaps.into_iter().flatten());
    }

    /// Calls that brought no answer, with the repository in lower case where they are about one.
    fn unanswered(&self) -> BTreeSet<(Route, Option<String>)> {
        let all = self.owner.unanswered.iter();
        all.map(|held| (held.route, held.repository.as_ref().map(|name| name.to_lowercase()))).collect()
    }

    /// Calls that nobody made.
    fn missing(&mut self) {
        let owner = self.owner;
        let said = self.unanswered();
        let refused = |route: Route| said.contains(&(route, None));
        let of_organisation = [
            (Route::Organisation, owner.organisation.is_read()),
            (Route::Repositories, owner.repositories_listed.is_read()),
            (Route::Members, owner.members.is_read()),
            (Route::Owners, owner.owners.is_read()),
            (
                Route::MembersWithoutSecondFactor,
                owner.without_second_factor.is_read()
                    || owner.organisation.get().is_some_and(|held| held.two_factor_requirement_enabled == Some(true)),
            ),
            (Route::OutsideCollaborators, owner.outside_collaborators.is_read()),
            (Route::Teams, owner.teams.is_read()),
            (Route::OrganisationRoles, owner.roles.is_read()),
            (Route::Installations, owner.installations.is_read()),
            (Route::TokenGrants, owner.token_grants.is_read()),
            (Route::CredentialAuthorisations, owner.authorisations.is_read()),
            (Route::OrganisationWorkflowDefaults, owner.workflow_defaults.is_read()),
            (Route::CopilotAgent, owner.copilot_agent.is_read()),
        ];
        // A person who owns repositories is no organisation: nothing but the repositories can be asked for.
        let alone = of_organisation.iter().all(|(_, read)| !read) && owner.teams.all().is_empty();
        let mut gaps = Vec::new();
        for (route, read) in of_organisation {
            if !read && !refused(route) && !alone {
                gaps.push(self.gap(GapKind::NotCollected, route, not_there(route, "")));
            }
        }
        let mut by_route: BTreeMap<Route, Vec<&str>> = BTreeMap::new();
        for (lower, repository) in owner.repositories.iter().filter(|(_, repository)| !repository.is_archived()) {
            let branch = repository.default_branch().unwrap_or_default();
            let told = [
                (Route::Repository, repository.repository.is_read()),
                (Route::DeployKeys, repository.keys.is_read()),
                (Route::RepositorySecrets, repository.secrets.is_read()),
                (Route::WorkflowFiles, repository.workflow_paths.is_read() || !repository.workflows.is_empty()),
                (
                    Route::RepositoryWorkflowDefaults,
                    repository.workflow_defaults.is_read() || repository.workflows.is_empty(),
                ),
                (Route::EffectiveRules, repository.effective_rules.get(branch).is_some_and(Told::is_read)),
                (Route::BranchProtection, repository.protection.get(branch).is_some_and(Told::is_read)),
                (Route::Environments, repository.environments.is_read() || repository.workflows.is_empty()),
                (
                    Route::File,
                    repository.workflow_paths.all().iter().all(|path| repository.workflows.contains_key(path)),
                ),
            ];
            for (route, read) in told {
                if !read && !said.contains(&(route, Some(lower.clone()))) {
                    by_route.entry(route).or_default().push(&repository.name);
                }
            }
        }
        for (route, names) in by_route {
            let first = names.first().copied().unwrap_or_default();
            let more = names.len().saturating_sub(1);
            let place = if more > 0 { format!(" of {first} and {more} more") } else { format!(" of {first}") };
            gaps.push(self.gap(GapKind::NotCollected, route, not_there(route, &place)));
        }
        self.inventory.gaps.extend(gaps.into_iter().flatten());
    }

    /// Rulesets before a default branch of which nothing tells who may bypass them: they were not read, or read by somebody
    /// who may not write them.
    fn rulesets(&mut self) {
        let owner = self.owner;
        let refused = self.unanswered();
        let mut silent: BTreeMap<(Route, Silence), BTreeSet<String>> = BTreeMap::new();
        for (lower, repository) in owner.repositories.iter().filter(|(_, repository)| !repository.is_archived()) {
            let branch = repository.default_branch().unwrap_or_default();
            let rules = repository.effective_rules.get(branch).map_or(&[][..], Told::all);
            for rule in rules.iter().filter(|rule| !kinds(rule).is_empty()) {
                let stands = Stands::of(rule, owner, repository);
                let (route, place, silence) = match (rule.ruleset_source_type.as_deref(), stands) {
                    (Some("Enterprise"), _) => (Route::RepositoryRuleset, true, Silence::Enterprise),
                    (Some("Organization"), Stands::Read(_)) => (Route::OrganisationRuleset, false, Silence::Withheld),
                    (Some("Organization"), _) => (Route::OrganisationRuleset, false, Silence::Unread),
                    (_, Stands::Read(_)) => (Route::RepositoryRuleset, true, Silence::Withheld),
                    _ => (Route::RepositoryRuleset, true, Silence::Unread),
                };
                let ruleset = stands.ruleset();
                if ruleset.is_some_and(|ruleset| ruleset.bypass_actors.is_some()) {
                    continue;
                }
                let is_refused = || refused.contains(&(route, None)) || refused.contains(&(route, Some(lower.clone())));
                // The refusal is told as such.
                if silence == Silence::Unread && is_refused() {
                    continue;
                }
                let place = if place { format!(" of {}", repository.name) } else { String::new() };
                let name = match ruleset {
                    Some(ruleset) if !ruleset.name.is_empty() => format!("the ruleset `{}`{place}", ruleset.name),
                    _ => format!("ruleset {}{place}", rule.ruleset_id.unwrap_or_default()),
                };
                silent.entry((route, silence)).or_default().insert(name);
            }
        }
        let gaps: Vec<Option<Gap>> = silent
            .into_iter()
            .map(|((route, silence), names)| {
                let listed = listed_names(names);
                let permission = route.call().map_or("", |call| call.permission);
                let reason = match silence {
                    Silence::Withheld => format!(
                        "who may bypass {listed} was withheld: `bypass_actors` is told to those alone who may write the \
                         ruleset ({permission})"
                    ),
                    Silence::Unread => {
                        format!("{}, with write access to the ruleset ({permission})", not_there(route, &format!(" for {listed}")))
                    }
                    Silence::Enterprise => format!(
                        "who may bypass {listed} is told to owners of the enterprise alone, whose setting it is; ask them \
                         for its bypass list"
                    ),
                };
                self.gap(GapKind::NotCollected, route, reason)
            })
            .collect();
        self.inventory.gaps.extend(gaps.into_iter().flatten());
    }

    fn gap(&self, kind: GapKind, route: Route, reason: String) -> Option<Gap> {
        let call = route.call()?;
        Some(Gap {
            provider: Some(PROVIDER),
            scope: Some(self.scope.clone()),
            kind,
            call: call.path.into(),
            reason: reason.into(),
            facts: vec![call.lost.clone()],
        })
    }
}

/// Why nothing tells who may bypass a ruleset.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Silence {
    Unread,
    Withheld,
    /// It is the enterprise's, whose owners alone may write it.
    Enterprise,
}

/// The first names of a list, and how many there are more.
fn listed_names(names: BTreeSet<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let mut first: Vec<String> = names.into_iter().take(NAMED).collect();
    if more > 0 {
        first.push(format!("{more} more"));
    }
    joined_with_and(&first)
}

/// What is known of an organisation's list of repositories.
enum Listing {
    Unread,
    /// Why it is not known to be whole.
    Partly(String),
    Whole,
}

fn listing(facts: &Facts, owner: &OwnerFacts) -> Listing {
    let (true, Some(organisation)) = (owner.repositories_listed.is_read(), owner.organisation.get()) else {
        return Listing::Unread;
    };
    let selection = facts.selections.get(&(owner.host.clone(), owner.name.to_lowercase()));
    let partly = listed::partly(organisation, owner.listed.len(), selection.map(String::as_str));
    partly.map_or(Listing::Whole, Listing::Partly)
}

/// Whether all repositories of an organisation were listed.
pub(super) fn lists_all(facts: &Facts, owner: &OwnerFacts) -> bool {
    matches!(listing(facts, owner), Listing::Whole)
}

/// Names with commas, and `and` before the last one.
pub(super) fn joined_with_and(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn not_there(route: Route, place: &str) -> String {
    let path = route.call().map_or("", |call| call.path.trim_start_matches('/'));
    format!("the capture holds no answer{place}; export it with `gh api --paginate {path}`")
}
