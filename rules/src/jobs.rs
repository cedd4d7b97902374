//! Job functions as the configuration names them: who does a job, people and AI identities alike.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use evenhand_model::control::ControlKind;
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::glob::Glob;
use evenhand_model::id::Job;
use evenhand_model::identity::Identity;
use evenhand_model::inventory::{Hint, Inventory};
use rayon::prelude::*;
use serde::Deserialize;

use crate::patterns::Patterns;

/// A choice of identities in one line: `[provider:]pattern`.
///
/// The pattern is matched against the identity's id, its name, and its kind and name as `kind/name`; any of them will
/// do. `*` stands for any text and `?` for one character, across every separator; everything else, case included, is
/// literal. With a provider in front only that provider's identities are chosen.
///
/// `arn:aws:iam::111122223333:role/incident-*`, `incident-*`, `role/incident-*`, `aws:role/incident-*` and
/// `kubernetes:service_account/ops/*` are selectors.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Selector {
    text: Arc<str>,
    whole: Glob,
    qualified: Option<(Arc<str>, Glob)>,
}

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an empty selector chooses nothing; write an id, a name or a pattern such as `role/incident-*`")]
pub struct EmptySelector;

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// For an empty text.
    pub fn parse(text: &str) -> Result<Self, EmptySelector> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EmptySelector);
        }
        let qualified = text.split_once(':').and_then(|(provider, pattern)| {
            let word = !provider.is_empty() && provider.bytes().all(|byte| byte.is_ascii_lowercase());
            (word && !pattern.is_empty()).then(|| (Arc::from(provider), Glob::wildcard(pattern)))
        });
        Ok(Self { text: text.into(), whole: Glob::wildcard(text), qualified })
    }

    /// The selector as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The patterns that it is made of: it chooses nothing that fits none of them.
    fn patterns(&self) -> impl Iterator<Item = &str> {
        let behind = self.qualified.as_ref().and_then(|_| self.text.split_once(':')).map(|(_, pattern)| pattern);
        [&*self.text].into_iter().chain(behind)
    }

    /// Whether it chooses this identity.
    pub fn matches(&self, identity: &Identity) -> bool {
        self.matches_parts(identity.provider.0, identity.id.as_str(), identity.kind, &identity.name)
    }

    /// Whether it chooses a thing with these names.
    pub fn matches_parts(&self, provider: &str, id: &str, kind: &str, name: &str) -> bool {
        let fits = |glob: &Glob| {
            glob.matches(id) == Truth::Yes || glob.matches(name) == Truth::Yes || matches_kind_name(glob, kind, name)
        };
        fits(&self.whole) || self.qualified.as_ref().is_some_and(|(asked, glob)| **asked == *provider && fits(glob))
    }
}

/// Whether a pattern matches `kind/name`, without building that text where the pattern cannot match it.
fn matches_kind_name(glob: &Glob, kind: &str, name: &str) -> bool {
    let possible = match glob {
        Glob::Literal(text) | Glob::Prefix(text) => {
            let shared = text.len().min(kind.len());
            text.as_bytes().get(..shared) == kind.as_bytes().get(..shared)
        }
        _ => true,
    };
    possible && glob.matches(&format!("{kind}/{name}")) == Truth::Yes
}

impl TryFrom<String> for Selector {
    type Error = EmptySelector;

    fn try_from(text: String) -> Result<Self, EmptySelector> {
        Self::parse(&text)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One job function: a `[[job]]` of the configuration.
#[derive(Clone, Debug)]
pub struct JobRule {
    /// Its name.
    pub name: Job,
    /// The roles through which people do it.
    pub human: Vec<Selector>,
    /// The AI identities that do it.
    pub agents: Vec<Selector>,
    /// Why these belong together.
    pub rationale: Option<Arc<str>>,
    /// Who reviewed the mapping.
    pub reviewed_by: Option<Arc<str>>,
    /// When: `YYYY-MM-DD`.
    pub reviewed_on: Option<jiff::civil::Date>,
    /// Controls that stand before the people who do this job, although no document that was read shows them.
    pub controls: Vec<ControlKind>,
    /// Where it is configured.
    pub evidence: Evidence,
}

impl JobRule {
    /// A job that nobody does yet.
    pub fn new(name: impl Into<Job>, evidence: Evidence) -> Self {
        Self {
            name: name.into(),
            human: Vec::new(),
            agents: Vec::new(),
            rationale: None,
            reviewed_by: None,
            reviewed_on: None,
            controls: Vec::new(),
            evidence,
        }
    }
}

/// All job functions of the configuration, in its order.
#[derive(Clone, Debug, Default)]
pub struct JobConfig {
    /// The jobs. Where several choose one identity, the first counts.
    pub jobs: Vec<JobRule>,
}

impl JobConfig {
    /// The job whose AI identities include this one.
    pub fn agent_job(&self, identity: &Identity) -> Option<&JobRule> {
        self.jobs.iter().find(|job| job.agents.iter().any(|selector| selector.matches(identity)))
    }

    /// The job whose human roles include this identity.
    pub fn human_job(&self, identity: &Identity) -> Option<&JobRule> {
        self.jobs.iter().find(|job| job.human.iter().any(|selector| selector.matches(identity)))
    }

    /// The job that an identity does, as agent or as human role.
    pub fn job_of(&self, identity: &Identity) -> Option<Job> {
        self.agent_job(identity).or_else(|| self.human_job(identity)).map(|job| job.name.clone())
    }
}

/// The register of known agents and tool servers: `[register]` of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Register {
    entries: Vec<RegisterEntry>,
    patterns: Patterns,
}

/// One line of a register.
#[derive(Clone, Debug)]
pub struct RegisterEntry {
    /// What it stands for.
    pub selector: Selector,
    /// Where it is written.
    pub evidence: Evidence,
}

impl Register {
    /// A register of what is listed.
    pub fn new(entries: Vec<RegisterEntry>) -> Self {
        let patterns = Patterns::new(
            entries.iter().enumerate().flat_map(|(at, entry)| entry.selector.patterns().map(move |text| (at, text))),
        );
        Self { entries, patterns }
    }

    /// Whether something with these names is registered.
    pub fn holds(&self, provider: &str, id: &str, kind: &str, name: &str) -> bool {
        self.fitting(provider, id, kind, name).next().is_some()
    }

    /// The entries that something with these names fits, by their positions.
    fn fitting<'n>(
        &'n self,
        provider: &'n str,
        id: &'n str,
        kind: &'n str,
        name: &'n str,
    ) -> impl Iterator<Item = usize> + 'n {
        self.patterns.candidates([id, kind, name]).into_iter().filter(move |at| {
            self.entries.get(*at).is_some_and(|entry| entry.selector.matches_parts(provider, id, kind, name))
        })
    }

    /// A remark for each entry that nothing of an inventory fits: what it stood for may be gone.
    pub fn offboarding(&self, inventory: &Inventory) -> Vec<Hint> {
        let identities = inventory.identities.par_iter().flat_map_iter(|identity| {
            self.fitting(identity.provider.0, identity.id.as_str(), identity.kind, &identity.name)
        });
        let agents = inventory
            .agents
            .par_iter()
            .flat_map_iter(|agent| self.fitting(agent.provider.0, &agent.id, &agent.client, &agent.name));
        let found: BTreeSet<usize> = identities.chain(agents).collect();
        let gone = self.entries.iter().enumerate().filter(|(at, _)| !found.contains(at));
        gone.map(|(_, entry)| Hint {
            evidence: entry.evidence.clone(),
            message: format!(
                "`{}` is registered but nothing of that name was read: a candidate for offboarding, unless this scan \
                 does not reach it",
                entry.selector
            )
            .into(),
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::id::{ProviderName, ScopeId};

    use super::*;

    #[test]
    fn a_register_holds_what_an_entry_fits_and_remarks_what_nothing_fits() {
        let entry = |text: &str| RegisterEntry {
            selector: Selector::parse(text).unwrap(),
            evidence: Evidence::line("evenhand.toml", 1),
        };
        let texts = ["role/bot", "test:role/x-*", "other:role/bot", "*ghost*", "role/bo?", "arn:bot", "bot", "nobody"];
        let register = Register::new(texts.map(entry).into());
        let identity = |id: &str, name: &str| {
            let evidence = Evidence::whole("doc");
            Identity::new(id.into(), ProviderName("test"), ScopeId::from("s"), "role", name, evidence)
        };
        let identities = vec![identity("arn:bot", "bot"), identity("arn:x-1", "x-1"), identity("arn:none", "none")];
        for (at, held) in [(0, true), (1, true), (2, false)] {
            let one = &identities[at];
            assert_eq!(register.holds(one.provider.0, one.id.as_str(), one.kind, &one.name), held, "{}", one.id);
        }
        let inventory = Inventory { identities, ..Inventory::default() };
        let gone: Vec<String> = register.offboarding(&inventory).iter().map(|hint| hint.message.to_string()).collect();
        let expected = ["`other:role/bot`", "`*ghost*`", "`nobody`"];
        assert_eq!(gone.len(), expected.len(), "{gone:?}");
        assert!(gone.iter().zip(expected).all(|(message, name)| message.starts_with(name)), "{gone:?}");
    }
}
