//! Identities: who can act.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::evidence::{Evidence, Fact};
use crate::id::{IdentityId, Job, ProviderName, ScopeId};

/// What kind of actor an identity is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// One person.
    Human,
    /// A principal, group, permission set or team through which people do a job.
    HumanRole,
    /// Software that decides nothing by itself.
    Workload,
    /// An AI agent, or a tool server through which one acts.
    AiAgent,
    /// A party outside the organisation.
    ThirdParty,
    /// Nothing tells.
    Unknown,
}

impl Nature {
    /// All natures, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Human, Self::HumanRole, Self::Workload, Self::AiAgent, Self::ThirdParty, Self::Unknown];

    /// The word used in the fact tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::HumanRole => "human_role",
            Self::Workload => "workload",
            Self::AiAgent => "ai_agent",
            Self::ThirdParty => "third_party",
            Self::Unknown => "unknown",
        }
    }
}

/// How much a signal proves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// A hint: a name that sounds like an agent. Never decides `ai_agent` alone.
    Weak,
    /// Circumstantial: a model provider's key in the environment.
    Medium,
    /// A known agent image, a client's configuration that holds the credential.
    Strong,
    /// Declared, or true by construction: an agent resource naming the role, a trust for an agent service, a tag.
    Certain,
}

/// A reason to believe that an identity is of some nature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signal {
    /// What it speaks for.
    pub nature: Nature,
    /// How much it proves.
    pub strength: Strength,
    /// The reason in a few words, as printed beside the nature.
    pub reason: Arc<str>,
    /// Where it was seen.
    pub evidence: Evidence,
}

/// A nature with the reason for it.
#[derive(Clone, PartialEq, Debug)]
pub struct Judged {
    /// The nature decided.
    pub nature: Nature,
    /// The strongest reason; empty where nothing told.
    pub reason: Arc<str>,
    /// 0 to 1: 1.0 certain, 0.9 strong, 0.6 medium, 0.3 weak, 0 nothing; where signals of several strengths agree, what
    /// each leaves open is multiplied.
    pub confidence: f64,
    /// A weak hint that the identity may be an agent although it is not judged one.
    pub ai_hint: Option<Arc<str>>,
}

/// Decides the nature of an identity from its signals.
///
/// The strongest signal wins; among equals the earlier [`Nature`] does not matter, the first signal does. Signals for
/// `ai_agent` below [`Strength::Medium`] never decide: they leave the next best nature, `workload` by default, and a hint.
/// Strengths are added, not chosen: an image and an environment that say the same leave less doubt than either. Each
/// strength counts once, because ten variables of one environment prove no more than one.
pub fn judge(signals: &[Signal]) -> Judged {
    let hint = || hint(signals).map(|signal| Arc::clone(&signal.reason));
    match decisive(signals) {
        Some(signal) => Judged {
            nature: signal.nature,
            reason: Arc::clone(&signal.reason),
            confidence: confidence(signals.iter().filter(|held| held.nature == signal.nature)),
            ai_hint: if signal.nature == Nature::AiAgent { None } else { hint() },
        },
        None => match hint() {
            Some(hint) => Judged {
                nature: Nature::Workload,
                reason: Arc::from("a name alone does not make an agent"),
                confidence: 0.3,
                ai_hint: Some(hint),
            },
            None => Judged { nature: Nature::Unknown, reason: Arc::from(""), confidence: 0.0, ai_hint: None },
        },
    }
}

/// How sure signals that agree make, each strength once.
fn confidence<'s>(agreeing: impl Iterator<Item = &'s Signal> + Clone) -> f64 {
    let strengths = [Strength::Weak, Strength::Medium, Strength::Strong, Strength::Certain];
    let held = strengths.into_iter().filter(|strength| agreeing.clone().any(|signal| signal.strength == *strength));
    // In tenths, so that every sum is printed as it is.
    let open = held.fold(1000_u32, |open, strength| {
        open * match strength {
            Strength::Certain => 0,
            Strength::Strong => 1,
            Strength::Medium => 4,
            Strength::Weak => 7,
        } / 10
    });
    1.0 - f64::from(open) / 1000.0
}

/// The nature that [`judge`] decides, without the reason for it.
pub fn nature_of(signals: &[Signal]) -> Nature {
    match decisive(signals) {
        Some(signal) => signal.nature,
        None if hint(signals).is_some() => Nature::Workload,
        None => Nature::Unknown,
    }
}

/// The signal that decides.
fn decisive(signals: &[Signal]) -> Option<&Signal> {
    let decides = |signal: &&Signal| signal.nature != Nature::AiAgent || signal.strength >= Strength::Medium;
    let mut best: Option<&Signal> = None;
    for signal in signals.iter().filter(decides) {
        if best.is_none_or(|held| signal.strength > held.strength) {
            best = Some(signal);
        }
    }
    best
}

/// The first signal that only hints at an agent.
fn hint(signals: &[Signal]) -> Option<&Signal> {
    signals.iter().find(|signal| signal.nature == Nature::AiAgent && signal.strength < Strength::Medium)
}

/// A principal of some provider.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The identity's id; unique over all providers.
    pub id: IdentityId,
    /// Who reads it.
    pub provider: ProviderName,
    /// The account, cluster, organisation, tenant or machine it lives in.
    pub scope: ScopeId,
    /// The provider's word for it: `role`, `user`, `group`, `service_account`, `agent_client` …
    pub kind: &'static str,
    /// The name people call it by.
    pub name: Arc<str>,
    /// A shorter name for people, where the provider's own carries what only machines need (a permission set's role).
    pub title: Option<Arc<str>>,
    /// Reasons for its nature.
    pub signals: Vec<Signal>,
    /// Where it is described.
    pub evidence: Evidence,
    /// The job function it declares by tag or annotation.
    pub job: Option<Job>,
    /// The human role it declares by tag or annotation: a name or id.
    pub declared_human_role: Option<Arc<str>>,
    /// Who answers for it: a person's or team's name.
    pub owner: Fact<Arc<str>>,
    /// Whether the owner is an active person.
    pub owner_active: Fact<bool>,
    /// Who sponsors it, for providers that know sponsors.
    pub sponsor: Fact<Arc<str>>,
    /// What it is for.
    pub purpose: Fact<Arc<str>>,
    /// `production`, `staging` … as declared.
    pub environment: Fact<Arc<str>>,
    /// When it was made.
    pub created_at: Fact<Timestamp>,
    /// When it last acted; `Absent` = never.
    pub last_used_at: Fact<Timestamp>,
    /// Whether it can act at present.
    pub enabled: Fact<bool>,
    /// Whether a party outside the organisation controls it.
    pub third_party: Fact<bool>,
    /// Whether a person can sign in with it interactively.
    pub human_sign_in: Fact<bool>,
    /// Whether a register of the provider's own knows it; `Absent` = there is none, unknown where it was not read.
    pub registered: Fact<bool>,
    /// The date of the last access review, where one is declared.
    pub reviewed_at: Fact<Timestamp>,
    /// A role that exists everywhere and serves as baseline of last resort (a provider's job-function or built-in role).
    pub generic_role: bool,
    /// Made and run by the vendor itself (a service-linked role, a control-plane account): listed, never judged.
    pub vendor_managed: bool,
}

impl Identity {
    /// The name to print.
    pub fn shown(&self) -> &Arc<str> {
        self.title.as_ref().unwrap_or(&self.name)
    }

    /// An identity of which nothing is known but its name and place.
    pub fn new(
        id: IdentityId,
        provider: ProviderName,
        scope: ScopeId,
        kind: &'static str,
        name: impl Into<Arc<str>>,
        evidence: Evidence,
    ) -> Self {
        Self {
            id,
            provider,
            scope,
            kind,
            name: name.into(),
            title: None,
            signals: Vec::new(),
            evidence,
            job: None,
            declared_human_role: None,
            owner: Fact::Unknown,
            owner_active: Fact::Unknown,
            sponsor: Fact::Unknown,
            purpose: Fact::Unknown,
            environment: Fact::Unknown,
            created_at: Fact::Unknown,
            last_used_at: Fact::Unknown,
            enabled: Fact::Unknown,
            third_party: Fact::Unknown,
            human_sign_in: Fact::Unknown,
            registered: Fact::Absent,
            reviewed_at: Fact::Unknown,
            generic_role: false,
            vendor_managed: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(nature: Nature, strength: Strength) -> Signal {
        Signal { nature, strength, reason: nature.as_str().into(), evidence: Evidence::whole("d") }
    }

    #[test]
    fn a_name_alone_never_makes_an_agent() {
        let judged = judge(&[signal(Nature::AiAgent, Strength::Weak)]);
        assert_eq!(judged.nature, Nature::Workload);
        assert!(judged.ai_hint.is_some());
    }

    #[test]
    fn the_strongest_signal_decides() {
        let judged = judge(&[signal(Nature::Workload, Strength::Medium), signal(Nature::AiAgent, Strength::Certain)]);
        assert_eq!(judged.nature, Nature::AiAgent);
        assert_eq!(judged.ai_hint, None);
    }

    #[test]
    fn strengths_that_agree_are_added_and_each_counts_once() {
        let of = |strengths: &[Strength]| {
            let signals: Vec<Signal> = strengths.iter().map(|one| signal(Nature::AiAgent, *one)).collect();
            judge(&signals).confidence
        };
        assert_eq!(of(&[Strength::Medium]), 0.6);
        assert_eq!(of(&[Strength::Medium, Strength::Medium]), 0.6);
        assert_eq!(of(&[Strength::Medium, Strength::Weak]), 0.72);
        assert_eq!(of(&[Strength::Strong, Strength::Medium, Strength::Weak]), 0.972);
        assert_eq!(of(&[Strength::Certain, Strength::Weak]), 1.0);
    }

    #[test]
    fn nothing_seen_is_unknown() {
        assert_eq!(judge(&[]).nature, Nature::Unknown);
    }

    #[test]
    fn the_nature_without_its_reason_is_the_one_that_is_judged() {
        let strengths = [Strength::Weak, Strength::Medium, Strength::Strong, Strength::Certain];
        let all: Vec<Signal> =
            Nature::ALL.iter().flat_map(|nature| strengths.map(|strength| signal(*nature, strength))).collect();
        for one in &all {
            for other in &all {
                let signals = [one.clone(), other.clone()];
                for some in [&signals[..0], &signals[..1], &signals[..]] {
                    assert_eq!(nature_of(some), judge(some).nature, "{some:?}");
                }
            }
        }
    }
}
