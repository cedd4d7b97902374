//! What is asked of the posture, within which bounds, and where it was said.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use evenhand_model::finding::Severity;

use crate::number::whole;

/// The highest score, in thousandths, and so the largest fall of one.
const HIGHEST_SCORE: i64 = 1000;
/// All of something, in percent.
const ALL_PERCENT: i64 = 100;

/// What is asked of the posture.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GateSettings {
    /// Any finding of this severity or worse fails.
    pub fail_on: Option<Severity>,
    /// The lowest governed score that passes, in thousandths.
    pub min_score: Option<u32>,
    /// The largest number of excess operations that one AI identity may hold.
    pub max_excess: Option<u64>,
    /// The lowest share of decided rule results, in percent.
    pub min_coverage: Option<u8>,
    /// The largest fall of the governed score below that of an earlier scan, in thousandths.
    pub max_drop: Option<u32>,
    /// Whether only findings that are not known yet trip [`Self::fail_on`].
    pub new_only: bool,
    /// The lowest confidence of a baseline at which findings that rest on it count.
    pub min_confidence: f64,
    /// Whether undecided findings count like failed ones.
    pub strict: bool,
    /// Whether missing evidence is allowed.
    pub allow_partial: bool,
    /// Whether a failed gate still exits 0.
    pub exit_zero: bool,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            fail_on: None,
            min_score: None,
            max_excess: None,
            min_coverage: None,
            max_drop: None,
            new_only: false,
            min_confidence: Self::CONFIDENCE,
            strict: false,
            allow_partial: false,
            exit_zero: false,
        }
    }
}

impl GateSettings {
    /// Baselines below this confidence are guesses: a group of the same function has it, mined permissions do not.
    pub const CONFIDENCE: f64 = 0.7;

    /// Whether anything is asked.
    pub fn is_asked(&self) -> bool {
        self.fail_on.is_some()
            || self.min_score.is_some()
            || self.max_excess.is_some()
            || self.min_coverage.is_some()
            || self.max_drop.is_some()
    }
}

/// A condition of the gate that can trip it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Condition {
    /// [`GateSettings::fail_on`].
    FailOn,
    /// [`GateSettings::min_score`].
    MinScore,
    /// [`GateSettings::max_excess`].
    MaxExcess,
    /// [`GateSettings::min_coverage`].
    MinCoverage,
    /// [`GateSettings::max_drop`].
    MaxDrop,
}

impl Condition {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::FailOn, Self::MinScore, Self::MaxExcess, Self::MinCoverage, Self::MaxDrop];

    /// Its number, wherever it was written: within the bounds of what it is about.
    ///
    /// # Errors
    /// What to write instead; for `None`, which is no number that any type holds, too.
    pub fn number<N: TryFrom<i64>>(self, number: Option<i64>) -> Result<N, String> {
        let most = match self {
            Self::MinScore | Self::MaxDrop => Some(HIGHEST_SCORE),
            Self::MinCoverage => Some(ALL_PERCENT),
            Self::MaxExcess | Self::FailOn => None,
        };
        whole(number, most)
    }

    /// Its name on the command line.
    pub fn flag(self) -> &'static str {
        match self {
            Self::FailOn => "--fail-on",
            Self::MinScore => "--min-score",
            Self::MaxExcess => "--max-excess",
            Self::MinCoverage => "--min-coverage",
            Self::MaxDrop => "--max-drop",
        }
    }

    /// Its name in the configuration.
    pub fn key(self) -> &'static str {
        match self {
            Self::FailOn => "fail_on",
            Self::MinScore => "min_score",
            Self::MaxExcess => "max_excess",
            Self::MinCoverage => "min_coverage",
            Self::MaxDrop => "max_drop",
        }
    }
}

/// Where the conditions of a configuration stand, such as `evenhand.toml:3`. What is not in it was said on the command
/// line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<Condition, Arc<str>>);

impl Places {
    /// Notes where a condition stands.
    pub fn note(&mut self, condition: Condition, place: impl Into<Arc<str>>) {
        self.0.insert(condition, place.into());
    }

    /// The places of the conditions that the command line did not say otherwise.
    #[must_use]
    pub fn without(mut self, said: impl IntoIterator<Item = Condition>) -> Self {
        for condition in said {
            self.0.remove(&condition);
        }
        self
    }

    /// A condition with its value, as whoever asked for it knows it.
    pub fn named(&self, condition: Condition, value: &dyn Display) -> String {
        match self.0.get(&condition) {
            Some(place) => format!("{} = {value} ({place})", condition.key()),
            None => format!("{} {value}", condition.flag()),
        }
    }

    /// The same without the value.
    pub fn called(&self, condition: Condition) -> String {
        match self.0.get(&condition) {
            Some(place) => format!("{} ({place})", condition.key()),
            None => condition.flag().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_named_as_it_was_asked_for() {
        let mut places = Places::default();
        places.note(Condition::MinScore, "evenhand.toml:3");
        places.note(Condition::FailOn, "evenhand.toml:2");
        assert_eq!(places.named(Condition::MinScore, &700), "min_score = 700 (evenhand.toml:3)");
        assert_eq!(places.named(Condition::MaxDrop, &20), "--max-drop 20");
        let places = places.without([Condition::MinScore]);
        assert_eq!(places.named(Condition::MinScore, &800), "--min-score 800");
        assert_eq!(places.called(Condition::FailOn), "fail_on (evenhand.toml:2)");
        assert_eq!(places.called(Condition::MaxExcess), "--max-excess");
    }
}
