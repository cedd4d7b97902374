//! Gaps: what could not be read, and what is therefore unknown.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::document::ReadError;
use crate::id::{ProviderName, ScopeId};

/// How a gap came about. It decides whether a scan counts as incomplete.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// A document or part of one could not be understood, or a call was refused or failed: evidence that should be
    /// there is not. The scan is incomplete.
    Failed,
    /// A document names something that is not part of the capture, or evidence was never collected: said, but no
    /// failure.
    NotCollected,
}

/// What facts are about. A gap says of which it leaves some unknown; a column of the fact tables says of which it is
/// one. Where the two meet, the gap may be why a value is NULL, and its call is what would tell.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Subject {
    /// What an identity may do, and how that compares.
    Access,
    /// What an identity can get beyond what it holds.
    Escalation,
    /// Whether an identity is a person's, a workload's or an AI's.
    Nature,
    /// When something was last used.
    Use,
    /// Which operations were used.
    OperationsUsed,
    /// What proves an identity.
    Credentials,
    /// Who uses an identity.
    Users,
    /// What records it.
    Logs,
    /// What its owners say of it.
    Declared,
    /// Who the people are.
    People,
    /// Through which roles people act.
    HumanRoles,
    /// The register of the configuration.
    Register,
    /// An agent's own configuration.
    Settings,
    /// What starts an agent, and who may.
    Trigger,
    /// The conditions of a trust.
    Trust,
    /// Controls that people and agents are under.
    Controls,
    /// What a workload is.
    Workload,
    /// The provider's own record of an identity.
    Record,
    /// What a rule finds.
    Rules,
}

impl Subject {
    /// All there are.
    pub const ALL: &'static [Self] = &[
        Self::Access,
        Self::Escalation,
        Self::Nature,
        Self::Use,
        Self::OperationsUsed,
        Self::Credentials,
        Self::Users,
        Self::Logs,
        Self::Declared,
        Self::People,
        Self::HumanRoles,
        Self::Register,
        Self::Settings,
        Self::Trigger,
        Self::Trust,
        Self::Controls,
        Self::Workload,
        Self::Record,
        Self::Rules,
    ];
}

/// Facts that are unknown because something was not read.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Lost {
    /// The facts in a few words, as the end of “unknown: …”.
    pub words: Cow<'static, str>,
    /// What they are about.
    pub about: &'static [Subject],
}

impl Lost {
    /// Facts about certain subjects.
    pub const fn of(words: &'static str, about: &'static [Subject]) -> Self {
        Self { words: Cow::Borrowed(words), about }
    }

    /// Whatever there is to know.
    pub const fn everything(words: &'static str) -> Self {
        Self::of(words, Subject::ALL)
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// Something that was not read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Gap {
    /// Whose evidence it is; `None` when no provider recognised it.
    pub provider: Option<ProviderName>,
    /// The account, cluster … where that is known.
    pub scope: Option<ScopeId>,
    /// How it came about.
    pub kind: GapKind,
    /// The call or document: `organizations list-policies`, `dump.json:12:7`.
    pub call: Arc<str>,
    /// Why it was not read, in a few words, with a remedy.
    pub reason: Arc<str>,
    /// The facts that are unknown because of it; written as one line.
    #[serde(serialize_with = "line")]
    pub facts: Vec<Lost>,
}

impl Gap {
    /// What an answer leaves unknown that was read and cannot be understood.
    pub fn not_understood(provider: ProviderName, error: &ReadError) -> Self {
        Self {
            provider: Some(provider),
            scope: None,
            kind: GapKind::Failed,
            call: error.document.as_str().into(),
            reason: format!("{}; {}", error.reason, error.remedy).into(),
            facts: vec![Lost::everything("whatever this answer tells")],
        }
    }

    /// The facts that are unknown because of it, in a line; empty where none are named.
    pub fn unknown(&self) -> String {
        joined(&self.facts)
    }

    /// What brings what it leaves unknown, in a line without a full stop.
    pub fn remedy(&self) -> String {
        let place = self.scope.as_ref().map(|scope| format!(" in {scope}")).unwrap_or_default();
        format!("{}{place}: {}", self.call, self.reason)
    }

    /// Whether something about this is unknown because of it.
    pub fn is_about(&self, subject: Subject) -> bool {
        self.facts.iter().any(|lost| lost.about.contains(&subject))
    }
}

/// Begins a remedy of one step.
const ONE_STEP: &str = "To know it: ";
/// Begins a remedy of several steps.
const ANY_STEP: &str = "To know it, whichever of these tells.\n- ";
/// Stands between its steps.
const NEXT_STEP: &str = ".\n- ";

/// The remedy of what is not known: the steps of which any may tell, each a line without a full stop.
pub fn to_know(steps: &[String]) -> String {
    let begin = if steps.len() > 1 { ANY_STEP } else { ONE_STEP };
    format!("{begin}{}.", steps.join(NEXT_STEP))
}

/// The steps of a remedy that [`to_know`] wrote; of any other, the whole of it as one.
pub fn steps_to_know(remedy: &str) -> Vec<&str> {
    let without_stop = remedy.strip_suffix('.').unwrap_or(remedy);
    match (without_stop.strip_prefix(ANY_STEP), without_stop.strip_prefix(ONE_STEP)) {
        (Some(steps), _) => steps.split(NEXT_STEP).collect(),
        (None, Some(step)) => vec![step],
        (None, None) => vec![without_stop],
    }
}

fn joined(facts: &[Lost]) -> String {
    let mut words: Vec<&str> = Vec::with_capacity(facts.len());
    for lost in facts {
        if !words.contains(&&*lost.words) {
            words.push(&lost.words);
        }
    }
    words.join("; ")
}

fn line<S: Serializer>(facts: &[Lost], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&joined(facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_a_remedy_are_read_as_they_were_written() {
        let gap = |reason: &str| {
            let gap = Gap {
                provider: None,
                scope: Some("a".into()),
                kind: GapKind::Failed,
                call: "list keys".into(),
                reason: reason.into(),
                facts: Vec::new(),
            };
            gap.remedy()
        };
        for steps in [
            vec!["look there".to_owned()],
            vec![gap("refused; ask for it")],
            vec![gap("it says:\n- no. 1"), "look there: at once".to_owned(), gap("To know it: ask")],
        ] {
            assert_eq!(steps_to_know(&to_know(&steps)), steps);
        }
        assert_eq!(steps_to_know("Look.\n- there."), ["Look.\n- there"]);
    }
}
