//! `evenhand diff`: what changed between two scans.

use std::io::{self, Write};

use evenhand_model::score::Millionths;
use evenhand_reports::markdown::literal;
use evenhand_reports::text::{counted, printable};

use super::{Failure, Invocation, say};
use crate::cli::{self, DiffFormat};
use crate::difference::{AccessChange, Change, Difference, Named};
use crate::gate::Exit;
use crate::output::to_stdout;
use crate::snapshot::Snapshot;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Diff) -> Result<Exit, Failure> {
    let (old, new) = (Snapshot::read(&arguments.old)?, Snapshot::read(&arguments.new)?);
    if old.version != new.version {
        let said =
            format!("evenhand {} made the first scan and {} the second: rules may differ", old.version, new.version);
        invocation.console.warning(&said, Some("scan the earlier capture again with this version"));
    } else if old.rule_pack.as_ref().zip(new.rule_pack.as_ref()).is_some_and(|(was, is)| was != is) {
        let said = "the two scans evaluated different rules, so findings may be new or resolved because a rule is";
        invocation.console.warning(said, Some("scan the earlier capture again with the same rules"));
    }
    // Times of reports are all written in one form, in UTC.
    if old.time > new.time {
        let said = "the first scan is later than the second: what is told as new was there before";
        invocation.console.warning(said, Some("name the earlier report first"));
    }
    let difference = Difference::between(&old, &new);
    match arguments.output {
        DiffFormat::Table => say(|sink| table(&difference, arguments.all, sink))?,
        DiffFormat::Markdown => to_stdout(|sink| markdown(&difference, arguments.all, sink))?,
        DiffFormat::Json => to_stdout(|sink| {
            serde_json::to_writer_pretty(&mut *sink, &difference)?;
            sink.write_all(b"\n")
        })?,
    }
    Ok(Exit::Passed)
}

/// How many entries of a list are shown, where not all are asked for.
const SHOWN: usize = 20;
/// How much of what an identity gained or lost is named in a line; `-o json` has all of it.
const NAMED: usize = 3;

/// A score before and now, as people read it; `None` where neither is known.
fn scores(difference: &Difference) -> Option<String> {
    let raw = (difference.old.raw_millionths, difference.new.raw_millionths);
    let governed = (difference.old.governed_millionths, difference.new.governed_millionths);
    let one = |score: Option<Millionths>| {
        score.map_or_else(|| "not known".to_owned(), |score| score.thousandths().to_string())
    };
    let told = |(was, now): (Option<Millionths>, Option<Millionths>)| match was.zip(now) {
        // Two scores that differ and look alike are told with all of their digits.
        Some((was, now)) if was != now && was.thousandths() == now.thousandths() => {
            format!("{} → {}", was.exact(), now.exact())
        }
        _ => format!("{} → {}", one(was), one(now)),
    };
    match raw {
        (None, None) => None,
        _ if governed == raw => Some(format!("posture {}, raw and governed", told(raw))),
        _ => Some(format!("posture {} raw, {} governed", told(raw), told(governed))),
    }
}

fn access_words(change: &AccessChange) -> Vec<String> {
    let mut words = Vec::new();
    if let Some((was, now)) = &change.nature {
        words.push(format!("{} → {}", was.replace('_', " "), now.replace('_', " ")));
    }
    if let Some((was, now)) = &change.verdict {
        let told = |verdict: &Option<String>| verdict.clone().unwrap_or_else(|| "not compared".to_owned());
        words.push(format!("{} → {}", told(was), told(now)));
    }
    if let Some((was, now)) = &change.operations {
        let told =
            |count: &Option<i64>| count.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string());
        words.push(format!("{} → {} operations", told(was), told(now)));
    }
    let named = !change.access_gained.is_empty() || !change.access_lost.is_empty();
    if change.access_changed && !named {
        words.push("what it may do changed; the list is too long for a report".to_owned());
    }
    for (list, what) in [
        (&change.access_gained, "gained"),
        (&change.access_lost, "lost"),
        (&change.gained, "excess gained"),
        (&change.lost, "excess lost"),
        (&change.undecided_gained, "undecided excess gained"),
        (&change.undecided_lost, "undecided excess lost"),
    ] {
        if !list.is_empty() {
            let more = match list.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more (-o json has them)"),
            };
            let named: Vec<&str> = list.iter().take(NAMED).map(String::as_str).collect();
            words.push(format!("{what}: {}{more}", named.join(", ")));
        }
    }
    words
}

/// An entry of a list: a line, and what is said below it.
type Entry = (String, Vec<String>);

/// The lists of a difference that hold something, with their titles.
fn lists(difference: &Difference) -> Vec<(String, Vec<Entry>)> {
    let findings = |changes: &[Change]| -> Vec<Entry> {
        let entry = |change: &Change| {
            let Change { id, finding, was } = change;
            let undecided = if finding.status == "unknown" { ", undecided" } else { "" };
            let head = format!("{} {}{undecided} ({id}): {}", finding.severity, finding.rule, finding.title);
            (head, was.clone())
        };
        changes.iter().map(entry).collect()
    };
    let identities = |named: &[Named]| -> Vec<Entry> {
        let entry = |named: &Named| {
            let nature = named.standing.nature.replace('_', " ");
            (format!("{} ({nature}): {}", named.standing.name, named.id), Vec::new())
        };
        named.iter().map(entry).collect()
    };
    let access =
        difference.access.iter().map(|change| (format!("{} ({})", change.name, change.id), access_words(change)));
    let all = [
        ("New findings", findings(&difference.appeared)),
        ("Resolved findings", findings(&difference.resolved)),
        ("Findings not known to be resolved, as their place was not read again", findings(&difference.unread)),
        ("Changed findings", findings(&difference.changed)),
        ("New identities", identities(&difference.new_identities)),
        ("Identities that are gone", identities(&difference.gone_identities)),
        ("Access that changed", access.collect()),
    ];
    all.into_iter()
        .filter(|(_, entries)| !entries.is_empty())
        .map(|(title, entries)| (format!("{title} ({})", entries.len()), entries))
        .collect()
}

/// What is said of access that could not be compared.
fn not_compared(difference: &Difference) -> Option<String> {
    let count = Some(difference.access_not_compared).filter(|count| *count > 0)?;
    let whose = counted(count, "identity", "identities");
    Some(format!("what {whose} may do was not compared: one of the reports is of a version that did not write it"))
}

/// That nothing changed, as far as it was compared.
fn nothing(difference: &Difference) -> String {
    let what = if difference.access_not_compared > 0 { "nothing else" } else { "nothing" };
    let rest = match difference.access_by_number {
        0 => String::new(),
        count => format!(
            "; of {} the number of operations alone was compared",
            counted(count, "identity that is no AI identity", "identities that are no AI identities")
        ),
    };
    format!("{what} changed{rest}")
}

fn table(difference: &Difference, all: bool, sink: &mut dyn Write) -> io::Result<()> {
    writeln!(sink, "{} → {}", printable(&difference.old.time), printable(&difference.new.time))?;
    if let Some(scores) = scores(difference) {
        writeln!(sink, "{scores}")?;
    }
    if let Some(not_compared) = not_compared(difference) {
        writeln!(sink, "{not_compared}")?;
    }
    if difference.is_empty() {
        return writeln!(sink, "{}", nothing(difference));
    }
    for (title, entries) in lists(difference) {
        writeln!(sink, "\n{title}")?;
        for (head, lines) in shown(&entries, all) {
            writeln!(sink, "  {}", printable(head))?;
            for line in lines {
                writeln!(sink, "      {}", printable(line))?;
            }
        }
        if let Some(rest) = left_out(&entries, all) {
            writeln!(sink, "  {rest}")?;
        }
    }
    Ok(())
}

fn markdown(difference: &Difference, all: bool, sink: &mut dyn Write) -> io::Result<()> {
    writeln!(sink, "### What changed in the posture of machine identities\n")?;
    writeln!(sink, "{} → {}", literal(&difference.old.time), literal(&difference.new.time))?;
    if let Some(scores) = scores(difference) {
        writeln!(sink, "\n**{scores}**")?;
    }
    if let Some(not_compared) = not_compared(difference) {
        writeln!(sink, "\n{not_compared}")?;
    }
    if difference.is_empty() {
        return writeln!(sink, "\n{}.", nothing(difference).replacen("nothing", "Nothing", 1));
    }
    for (title, entries) in lists(difference) {
        writeln!(sink, "\n#### {title}\n")?;
        for (head, lines) in shown(&entries, all) {
            let more: String = lines.iter().map(|line| format!("; {}", literal(line))).collect();
            writeln!(sink, "- {}{more}", literal(head))?;
        }
        if let Some(rest) = left_out(&entries, all) {
            writeln!(sink, "- {rest}")?;
        }
    }
    Ok(())
}

fn shown<T>(entries: &[T], all: bool) -> impl Iterator<Item = &T> {
    entries.iter().take(if all { usize::MAX } else { SHOWN })
}

fn left_out<T>(entries: &[T], all: bool) -> Option<String> {
    let more = entries.len().checked_sub(SHOWN).filter(|more| *more > 0 && !all)?;
    Some(format!("… and {more} more; --all prints them"))
}
