//! `evenhand rules`: the rules in force, one of them, and their cases.

use std::io;

use evenhand_reports::hung;
use evenhand_reports::text::{counted, printable};
use evenhand_rules::engine::cases;
use evenhand_rules::pack::{Problem, Rule, RuleSet};
use serde_json::json;

use super::{Failure, Invocation, say, width};
use crate::cli::{self, PlainFormat};
use crate::gate::Exit;
use crate::output::to_stdout;
use crate::ruleset;

pub(super) fn run(invocation: &Invocation, command: &cli::Rules) -> Result<Exit, Failure> {
    match command {
        cli::Rules::List(arguments) => list(invocation, arguments),
        cli::Rules::Show(arguments) => show(invocation, arguments),
        cli::Rules::Test(arguments) => test(invocation, arguments),
    }
}

fn list(invocation: &Invocation, arguments: &cli::RulesList) -> Result<Exit, Failure> {
    let config = invocation.config(&[])?;
    let rules = ruleset::load(&arguments.selection, &config, invocation.console)?;
    match arguments.output {
        PlainFormat::Table => say(|sink| table(&rules, width(), sink))?,
        PlainFormat::Json => to_stdout(|sink| {
            let rows: Vec<_> = rules.iter().map(summary).collect();
            serde_json::to_writer_pretty(&mut *sink, &rows)?;
            sink.write_all(b"\n")
        })?,
    }
    Ok(Exit::Passed)
}

/// A row per rule, with the title folded in its own column; two lines where the terminal has no room for that.
fn table(rules: &RuleSet, width: Option<usize>, sink: &mut dyn io::Write) -> io::Result<()> {
    const LEAST: usize = 40;
    let longest = rules.iter().map(|rule| rule.id.as_str().len()).max().unwrap_or(0);
    let mut row = |id: &str, severity: &str, dimension: &str, title: &str| {
        let head = format!("{id:longest$}  {severity:8}  {dimension:14}  ");
        let Some(width) = width else { return writeln!(sink, "{head}{title}") };
        let room = width.saturating_sub(head.len());
        if room < LEAST {
            return writeln!(sink, "{id}\n    {severity}, {dimension}: {title}");
        }
        hung(&head, head.len(), title, room).iter().try_for_each(|(before, line)| writeln!(sink, "{before}{line}"))
    };
    row("RULE", "SEVERITY", "DIMENSION", "TITLE")?;
    for rule in rules.iter() {
        row(rule.id.as_str(), rule.severity.as_str(), rule.dimension.as_str(), &printable(&rule.title))?;
    }
    Ok(())
}

fn summary(rule: &Rule) -> serde_json::Value {
    json!({
        "id": rule.id.as_str(),
        "check": rule.check.as_deref(),
        "title": &*rule.title,
        "dimension": rule.dimension.as_str(),
        "severity": rule.severity.as_str(),
        "since": &*rule.since,
        "table": rule.table.name,
        "predicate": &*rule.predicate,
        "applies_to": rule.applies_to.as_deref(),
        "frameworks": rule.frameworks,
        "docs": rule.docs,
        "file": &*rule.file,
    })
}

fn show(invocation: &Invocation, arguments: &cli::RulesShow) -> Result<Exit, Failure> {
    let config = invocation.config(&[])?;
    let selection = cli::Selection { dirs: arguments.dirs.clone(), ..cli::Selection::default() };
    let rules = ruleset::load_all(&selection, &config, invocation.console)?;
    let Some(rule) = rules.get(&arguments.id) else {
        return Err(ruleset::unknown(&arguments.id, &rules));
    };
    say(|sink| sink.write_all(ruleset::page(rule).as_bytes()))?;
    Ok(Exit::Passed)
}

/// Runs the cases. A problem with a file, or a case that gives something else, is a failure of the tool's own data.
fn test(invocation: &Invocation, arguments: &cli::RulesTest) -> Result<Exit, Failure> {
    let loaded = match &arguments.dir {
        None => RuleSet::embedded(),
        Some(folder) => RuleSet::load_dir(folder).map_err(|(path, error)| ruleset::unreadable(&path, &error))?,
    };
    let results = cases::run(&loaded.rules);
    let failed = results.iter().filter(|result| !result.passed()).count();
    for problem in &loaded.problems {
        tell(invocation, problem);
    }
    to_stdout(|sink| {
        for result in results.iter().filter(|result| !result.passed()) {
            let got = match &result.got {
                Ok(got) => got.as_str().to_owned(),
                Err(error) => printable(error),
            };
            writeln!(
                sink,
                "{}: {}: case `{}` must be {}, but is {got}",
                printable(&result.file),
                result.rule,
                printable(&result.case),
                result.expected.as_str()
            )?;
        }
        let passed = results.len() - failed;
        let rules = counted(loaded.rules.len(), "rule", "rules");
        let passed = counted(passed, "case", "cases");
        writeln!(sink, "{rules}, {passed} passed, {failed} failed")?;
        Ok::<(), io::Error>(())
    })?;
    if loaded.rules.is_empty() && loaded.problems.is_empty() {
        return Err(Failure::new("there is no rule in this folder", "rules are files that end in .yaml"));
    }
    let fatal = loaded.problems.iter().any(|problem| problem.fatal);
    Ok(if fatal {
        Exit::Error
    } else if failed > 0 {
        Exit::GateFailed
    } else {
        Exit::Passed
    })
}

fn tell(invocation: &Invocation, problem: &Problem) {
    if problem.fatal {
        invocation.console.error(&problem.to_string(), None);
    } else {
        invocation.console.warning(&problem.to_string(), None);
    }
}

#[cfg(test)]
mod tests {
    use evenhand_reports::folded;

    use super::*;

    fn listed(rules: &RuleSet, width: Option<usize>) -> String {
        let mut text = Vec::new();
        table(rules, width, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_list_of_rules_is_straight_at_every_width() {
        let rules = RuleSet::embedded().rules;
        let ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
        for width in 60..=200 {
            let text = listed(&rules, Some(width));
            let header = text.lines().next().unwrap();
            let begun: Vec<&str> = text.lines().filter(|line| !line.starts_with(' ')).skip(1).collect();
            assert_eq!(begun.len(), ids.len(), "{width}");
            let Some(title) = header.find("TITLE") else {
                assert_eq!(begun, ids, "{width}");
                continue;
            };
            let severity = header.find("SEVERITY").unwrap();
            for (line, id) in begun.iter().zip(&ids) {
                let (first, rest) = line.split_at(severity);
                assert!(first.trim_end() == *id && !rest.starts_with(' '), "{width}: {line}");
            }
            for line in text.lines() {
                let (before, own) = line.split_at(title);
                assert!(before.ends_with(' ') && !own.starts_with(' '), "{width}: {line}");
            }
            assert_eq!(folded(&text, width), text, "{width}: nothing is left to fold");
        }
    }

    #[test]
    fn a_list_of_rules_that_no_terminal_bounds_has_one_line_each() {
        let rules = RuleSet::embedded().rules;
        assert_eq!(listed(&rules, None).lines().count(), rules.len() + 1);
    }
}
