//! The `[gate]` table: every condition is checked, and where it stands is kept for whom it trips.

use std::ops::Range;
use std::path::{Path, PathBuf};

use evenhand_model::finding::Severity;
use toml::Spanned;

use super::file::{EvidenceMode, GateTable};
use super::problem::{ConfigProblem, Text};
use super::severity;
use crate::gate::{Condition, GateSettings, Places};

/// The conditions of a configuration, and where they stand.
///
/// # Errors
/// When one of them can be no such condition; the error names the place and what can.
pub(super) fn read(table: &GateTable, text: &Text) -> Result<(GateSettings, Places), ConfigProblem> {
    let mut places = Places::default();
    for (condition, value) in [
        (Condition::FailOn, &table.fail_on),
        (Condition::MinScore, &table.min_score),
        (Condition::MaxExcess, &table.max_excess),
        (Condition::MinCoverage, &table.min_coverage),
        (Condition::MaxDrop, &table.max_drop),
    ] {
        if let Some(value) = value {
            let (line, _) = text.place(value.span().start);
            places.note(condition, format!("{}:{line}", text.path()));
        }
    }
    let settings = GateSettings {
        fail_on: table.fail_on.as_ref().map(|value| lowest(value, text)).transpose()?,
        min_score: number(Condition::MinScore, table.min_score.as_ref(), text)?,
        max_excess: number(Condition::MaxExcess, table.max_excess.as_ref(), text)?,
        min_coverage: number(Condition::MinCoverage, table.min_coverage.as_ref(), text)?,
        max_drop: number(Condition::MaxDrop, table.max_drop.as_ref(), text)?,
        min_confidence: match &table.min_confidence {
            Some(value) => share(value, text)?,
            None => GateSettings::CONFIDENCE,
        },
        new_only: table.new_only,
        strict: table.evidence == EvidenceMode::Strict,
        allow_partial: table.allow_partial,
        exit_zero: false,
    };
    Ok((settings, places))
}

/// A file that the gate reads, relative to the folder of the configuration.
pub(super) fn file(
    key: &str,
    value: Option<&Spanned<String>>,
    folder: &Path,
    text: &Text,
) -> Result<Option<PathBuf>, ConfigProblem> {
    match value {
        Some(value) if value.get_ref().trim().is_empty() => {
            let remedy = "name a file, or leave the key out".to_owned();
            Err(text.at(value.span(), format!("`{key}` names no file"), Some(remedy)))
        }
        Some(value) => Ok(Some(folder.join(value.get_ref()))),
        None => Ok(None),
    }
}

fn number<N: TryFrom<i64>>(
    condition: Condition,
    value: Option<&Spanned<toml::Value>>,
    text: &Text,
) -> Result<Option<N>, ConfigProblem> {
    let checked = |value: &Spanned<toml::Value>| {
        condition.number(value.get_ref().as_integer()).map_err(|remedy| refused(condition.key(), value, remedy, text))
    };
    value.map(checked).transpose()
}

/// What to write where a key of this table holds a number that no number can be; `None` for a key that holds none.
pub(super) fn bounds(key: &str) -> Option<String> {
    if key == "min_confidence" {
        return Some(CONFIDENCES.to_owned());
    }
    let mut numbers = Condition::ALL.into_iter().filter(|condition| *condition != Condition::FailOn);
    numbers.find(|condition| condition.key() == key)?.number::<i64>(None).err()
}

/// What a confidence can be.
const CONFIDENCES: &str = "write a number from 0.0 to 1.0";

/// A confidence, from 0 to 1.
fn share(value: &Spanned<toml::Value>, text: &Text) -> Result<f64, ConfigProblem> {
    let share = match value.get_ref() {
        toml::Value::Float(share) => Some(*share),
        toml::Value::Integer(0) => Some(0.0),
        toml::Value::Integer(1) => Some(1.0),
        _ => None,
    };
    let fits = share.filter(|share| (0.0..=1.0).contains(share));
    fits.ok_or_else(|| refused("min_confidence", value, CONFIDENCES.to_owned(), text))
}

fn refused(key: &str, value: &Spanned<toml::Value>, remedy: String, text: &Text) -> ConfigProblem {
    text.at(value.span(), format!("`{key}` cannot be `{}`", value.get_ref()), Some(remedy))
}

/// The lowest of the levels that are listed.
fn lowest(value: &Spanned<toml::Value>, text: &Text) -> Result<Severity, ConfigProblem> {
    let mut lowest = None;
    for (level, span) in words(value, text) {
        if level.contains(',') {
            let list: Vec<String> = level.split(',').map(|level| format!("\"{}\"", level.trim())).collect();
            let remedy = format!("write a list: `fail_on = [{}]`", list.join(", "));
            return Err(text.at(span, format!("`{level}` is no level"), Some(remedy)));
        }
        // As the flag reads it.
        let severity = severity(&level.to_ascii_lowercase(), &[], span, text)?;
        lowest = Some(lowest.map_or(severity, |held: Severity| held.min(severity)));
    }
    lowest.ok_or_else(|| {
        let remedy = "name the lowest level that fails, or leave the key out".to_owned();
        text.at(value.span(), "`fail_on` lists no level".to_owned(), Some(remedy))
    })
}

/// One word or several, each with its place. What is no text is written out: no word is spelled so.
fn words(value: &Spanned<toml::Value>, text: &Text) -> Vec<(String, Range<usize>)> {
    let all = match value.get_ref() {
        toml::Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    let span = value.span();
    let written = text.content().get(span.clone()).unwrap_or_default();
    let own = |word: &str| {
        let quoted = format!("\"{word}\"");
        let start = span.start + written.find(&quoted)?;
        Some(start..start + quoted.len())
    };
    all.iter()
        .map(|word| {
            let word = word.as_str().map_or_else(|| word.to_string(), str::to_owned);
            let place = own(&word).unwrap_or_else(|| span.clone());
            (word, place)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigProblem> {
        Config::parse("conf/evenhand.toml", text.to_owned(), &crate::providers())
    }

    #[test]
    fn a_condition_that_can_be_none_is_named_with_its_place_and_what_can() {
        for (line, column, said) in [
            ("min_score = 5000", 13, "`min_score` cannot be `5000` write a whole number from 0 to 1000"),
            ("min_score = -1", 13, "`min_score` cannot be `-1` write a whole number from 0 to 1000"),
            ("min_score = 0.7", 13, "from 0 to 1000"),
            ("min_score = \"700\"", 13, "from 0 to 1000"),
            ("max_drop = 1001", 12, "`max_drop` cannot be `1001` write a whole number from 0 to 1000"),
            ("min_coverage = 200", 16, "`min_coverage` cannot be `200` write a whole number from 0 to 100"),
            ("min_coverage = -5", 16, "from 0 to 100"),
            ("max_excess = -1", 14, "`max_excess` cannot be `-1` write a whole number, 0 or more"),
            ("min_confidence = 7", 18, "`min_confidence` cannot be `7` write a number from 0.0 to 1.0"),
            ("min_confidence = -0.1", 18, "from 0.0 to 1.0"),
            ("min_confidence = nan", 18, "from 0.0 to 1.0"),
            ("fail_on = \"hihg\"", 11, "there is no level `hihg` did you mean `high`?"),
            ("fail_on = [\"low\", \"hihg\"]", 19, "there is no level `hihg` did you mean `high`?"),
            ("fail_on = 5", 11, "there is no level `5`"),
            (
                "fail_on = \"critical,high\"",
                11,
                "`critical,high` is no level write a list: `fail_on = [\"critical\", \"high\"]`",
            ),
            ("max_excess = 99999999999999999999", 14, "this number is too large write a whole number, 0 or more"),
            ("max_drop = 99999999999999999999", 12, "this number is too large write a whole number from 0 to 1000"),
            ("max_drop=0xffffffffffffffffffff", 10, "this number is too large write a whole number from 0 to 1000"),
            ("min_coverage = 1e999", 16, "this number is too large write a whole number from 0 to 100"),
            ("min_confidence = 1e999", 18, "this number is too large write a number from 0.0 to 1.0"),
            ("new_only = 1e999", 12, "this number is too large write a number of at most 1.7e308"),
            ("new_only = 99999999999999999999", 12, "this number is too large write a number of at most"),
            ("baseline = \"\"", 12, "`baseline` names no file name a file, or leave the key out"),
            ("against = \" \"", 11, "`against` names no file"),
            ("fail_on = []", 11, "`fail_on` lists no level name the lowest"),
            ("evidence = \"stict\"", 12, "did you mean `strict`?"),
        ] {
            let problem = parse(&format!("[gate]\n{line}\n")).unwrap_err();
            let told = format!("{problem} {}", problem.remedy().unwrap_or_default());
            assert!(told.contains(said), "{line}: {told}");
            assert!(told.starts_with(&format!("conf/evenhand.toml:2:{column}: ")), "{line}: {told}");
        }
    }

    #[test]
    fn a_key_of_another_table_has_not_the_bounds_of_the_gate() {
        for (text, said) in [
            ("[rules.mine]\nmax_drop = 99999999999999999999\n", "at most 9223372036854775807"),
            ("gate.max_drop = 99999999999999999999\n", "from 0 to 1000"),
            ("gate = { new_only = true, max_drop = 99999999999999999999 }\n", "from 0 to 1000"),
        ] {
            let problem = parse(text).unwrap_err();
            assert!(problem.remedy().is_some_and(|remedy| remedy.contains(said)), "{text}: {problem:?}");
        }
    }

    #[test]
    fn a_level_is_read_in_any_case_as_the_flag_reads_it() {
        for level in ["\"Critical\"", "\"CRITICAL\"", "[\"Critical\"]"] {
            let config = parse(&format!("[gate]\nfail_on = {level}\n")).unwrap();
            assert_eq!(config.gate.fail_on, Some(Severity::Critical), "{level}");
        }
    }

    #[test]
    fn bounds_themselves_are_within_and_every_condition_has_its_place() {
        let config = parse(
            "[gate]\nfail_on = [\n\"critical\",\n\"high\"]\nmin_score = 1000\nmax_drop = 0\nmin_coverage = 100\n\
             max_excess = 0\nmin_confidence = 1\n",
        )
        .unwrap();
        let gate = config.gate;
        assert_eq!(gate.fail_on, Some(Severity::High), "the lowest listed level counts");
        assert_eq!((gate.min_score, gate.max_drop), (Some(1000), Some(0)));
        assert_eq!((gate.min_coverage, gate.max_excess, gate.min_confidence), (Some(100), Some(0), 1.0));
        for (condition, line) in [
            (Condition::FailOn, 2),
            (Condition::MinScore, 5),
            (Condition::MaxDrop, 6),
            (Condition::MinCoverage, 7),
            (Condition::MaxExcess, 8),
        ] {
            let place = format!("{} (conf/evenhand.toml:{line})", condition.key());
            assert_eq!(config.gate_places.called(condition), place);
        }
        assert_eq!(parse("").unwrap().gate_places, Places::default());
    }
}
