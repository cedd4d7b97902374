//! The part of the command line that a pipeline may be stopped by.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use evenhand_model::finding::Severity;

use super::severity;
use crate::gate::Condition;

/// The gate.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Gate (what a pipeline may pass; report filters never change it)")]
pub struct Gate {
    /// Fail on any finding of this level or worse. Of several levels the lowest counts.
    #[arg(long, value_name = "LEVEL[,LEVEL]", value_delimiter = ',', value_parser = severity)]
    pub fail_on: Vec<Severity>,

    // A negative number is taken for a value, here and below, so that the error speaks of the bounds.
    /// Fail below this governed score, 0 to 1000.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = score)]
    pub min_score: Option<u32>,

    /// Fail when an AI identity holds more than N operations that its human role does not.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count)]
    pub max_excess: Option<u64>,

    /// Fail when less than N percent of the rule results are decided.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = percent)]
    pub min_coverage: Option<u8>,

    /// Of the findings, let only those trip `--fail-on` that `--baseline` or `--against` does not know, or knows as less severe.
    /// One that only rests on more is known.
    #[arg(long)]
    pub new_only: bool,

    /// The baseline for `--new-only`; `evenhand baseline create` makes one. Default, without `--against`: `baseline` of
    /// `[gate]`, else `evenhand-baseline.json`.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// The JSON report of an earlier scan, for `--new-only` and `--max-drop`.
    #[arg(long, value_name = "REPORT")]
    pub against: Option<PathBuf>,

    /// Fail when the governed score is more than N below that of `--against`.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = score)]
    pub max_drop: Option<u32>,

    /// `strict` counts undecided findings like failed ones.
    #[arg(long, value_name = "MODE")]
    pub evidence: Option<Evidence>,

    /// Let the gate pass although evidence was refused or could not be read.
    #[arg(long)]
    pub allow_partial: bool,

    /// Exit 0 where there is no identity, as in a repository that configures no agent. Without it, an empty scan is an
    /// error. One in which something could not be read stays an error.
    #[arg(long)]
    pub allow_empty: bool,

    /// Exit 0 where a failed gate would exit 1; that it failed is said all the same. Never hides the codes 2 to 4.
    #[arg(long)]
    pub exit_zero: bool,
}

impl Gate {
    /// Whether some flag is given.
    pub fn is_asked(&self) -> bool {
        let Self {
            fail_on,
            min_score,
            max_excess,
            min_coverage,
            new_only,
            baseline,
            against,
            max_drop,
            evidence,
            allow_partial,
            allow_empty,
            exit_zero,
        } = self;
        !fail_on.is_empty()
            || min_score.is_some()
            || max_excess.is_some()
            || min_coverage.is_some()
            || max_drop.is_some()
            || baseline.is_some()
            || against.is_some()
            || evidence.is_some()
            || [new_only, allow_partial, allow_empty, exit_zero].into_iter().any(|flag| *flag)
    }
}

/// How undecided findings count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Evidence {
    /// They are reported and do not trip the gate.
    Normal,
    /// They count like failed ones.
    Strict,
}

/// A score, or a fall of one.
fn score(text: &str) -> Result<u32, String> {
    Condition::MinScore.number(text.parse().ok())
}

fn percent(text: &str) -> Result<u8, String> {
    Condition::MinCoverage.number(text.parse().ok())
}

fn count(text: &str) -> Result<u64, String> {
    Condition::MaxExcess.number(text.parse().ok())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Gate, String> {
        let all = ["evenhand", "scan"].iter().chain(arguments).copied();
        match Cli::try_parse_from(all).map_err(|error| error.to_string())?.command {
            Some(Command::Scan(scan)) => Ok(scan.gate),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn numbers_lie_within_their_bounds_and_an_error_says_which() {
        let gate = parsed(&["--min-score", "0", "--max-drop", "1000", "--min-coverage", "100", "--max-excess", "7"]);
        let gate = gate.unwrap();
        assert_eq!((gate.min_score, gate.max_drop), (Some(0), Some(1000)));
        assert_eq!((gate.min_coverage, gate.max_excess), (Some(100), Some(7)));
        for (flag, value, bounds) in [
            ("--min-score", "-1", "from 0 to 1000"),
            ("--min-score", "1001", "from 0 to 1000"),
            ("--min-score", "0.7", "from 0 to 1000"),
            ("--max-drop", "-1", "from 0 to 1000"),
            ("--min-coverage", "101", "from 0 to 100"),
            ("--min-coverage", "-101", "from 0 to 100"),
            ("--max-excess", "-1", "0 or more"),
            ("--max-excess", "few", "0 or more"),
        ] {
            let joined = format!("{flag}={value}");
            for arguments in [&[flag, value][..], &[joined.as_str()]] {
                let error = parsed(arguments).unwrap_err();
                let said = error.contains(&format!("invalid value '{value}' for '{flag} <N>'"));
                assert!(said && error.contains(bounds) && !error.contains("tip:"), "{error}");
            }
        }
    }

    #[test]
    fn a_flag_is_no_value_of_another() {
        let error = parsed(&["--min-score", "--max-excess", "0"]).unwrap_err();
        assert!(error.contains("a value is required for '--min-score <N>'"), "{error}");
    }
}
