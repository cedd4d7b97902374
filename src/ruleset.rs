//! The rules in force: the pack, the user's folders, the configuration's levels and parameters, the selection.

use std::fmt::Write;
use std::io;
use std::path::Path;

use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_reports::text::printable;
use evenhand_rules::pack::{Loaded, Providers, Rule, RuleSet};

use crate::cli::Selection;
use crate::cmd::Failure;
use crate::config::Config;
use crate::console::Console;
use crate::gate::Exit;
use crate::lookup;

/// All rules with the configuration applied, before any selection; rules that it switches off are gone.
///
/// # Errors
/// When a rule file or a setting is not understood.
pub fn load_all(selection: &Selection, config: &Config, console: Console) -> Result<RuleSet, Failure> {
    load_with(RuleSet::embedded(), selection, config, console)
}

/// As [`load_all`], of these rules of the pack.
fn load_with(embedded: Loaded, selection: &Selection, config: &Config, console: Console) -> Result<RuleSet, Failure> {
    let (mut rules, mut problems) = (embedded.rules, embedded.problems);
    for folder in config.pack_dirs.iter().chain(&selection.dirs) {
        let loaded = RuleSet::load_dir(folder).map_err(|(path, error)| unreadable(&path, &error))?;
        problems.extend(loaded.problems);
        problems.extend(rules.add(loaded.rules));
    }
    let fatal = problems.iter().any(|problem| problem.fatal);
    for problem in &problems {
        if problem.fatal {
            console.error(&problem.to_string(), None);
        } else {
            console.warning(&problem.to_string(), None);
        }
    }
    if fatal {
        return Err(Failure::Told(Exit::Error));
    }
    for setting in &config.rules {
        let place = &setting.place;
        let wrong = |message: String| Failure::Message(format!("{place}: {message}"), None);
        if rules.get(&setting.rule).is_none() {
            let near = lookup::nearest(&setting.rule, rules.iter().map(|rule| rule.id.as_str()));
            let remedy =
                near.map_or("`evenhand rules list` shows all".to_owned(), |id| format!("did you mean `{id}`?"));
            return Err(Failure::new(format!("{place}: there is no rule `{}`", setting.rule), remedy));
        }
        for (param, value) in &setting.params {
            rules.set_param(&setting.rule, param, value).map_err(|error| wrong(error.to_string()))?;
        }
        if let Some(severity) = setting.severity {
            rules.set_severity(&setting.rule, severity).map_err(|error| wrong(error.to_string()))?;
        }
    }
    for waiver in config.waivers.iter().filter(|waiver| waiver.is_exact() && rules.get(&waiver.rule).is_none()) {
        let Failure::Message(message, remedy) = unknown(&waiver.rule, &rules) else { continue };
        return Err(Failure::Message(format!("{}: {message}", waiver.evidence), remedy));
    }
    rules.retain(|rule| !config.rules.iter().any(|setting| setting.off && setting.rule == rule.id.as_str()));
    Ok(rules)
}

/// The rules of a scan.
///
/// # Errors
/// As [`load_all`], and when the selection names what does not exist or leaves nothing.
pub fn load(selection: &Selection, config: &Config, console: Console) -> Result<RuleSet, Failure> {
    let mut rules = load_with(needed(selection, config), selection, config, console)?;
    for pattern in selection.only.iter().chain(&selection.skip) {
        if !rules.iter().any(|rule| fits(pattern, rule)) {
            return Err(unknown(pattern, &rules));
        }
    }
    for framework in &selection.framework {
        let mut keys: Vec<&str> =
            rules.iter().flat_map(|rule| rule.frameworks.iter().map(|entry| &*entry.framework)).collect();
        keys.sort_unstable();
        keys.dedup();
        if !keys.contains(&framework.as_str()) {
            let message = format!("no rule supports a framework `{framework}`");
            return Err(Failure::new(message, format!("known: {}", keys.join(", "))));
        }
    }
    rules.retain(|rule| {
        (selection.only.is_empty() || selection.only.iter().any(|pattern| fits(pattern, rule)))
            && !selection.skip.iter().any(|pattern| fits(pattern, rule))
            && (selection.framework.is_empty()
                || rule.frameworks.iter().any(|entry| selection.framework.iter().any(|key| **key == *entry.framework)))
    });
    if rules.is_empty() {
        return Err(Failure::new("no rule is left", "`--skip` leaves out all that `--rule` and `--framework` choose"));
    }
    Ok(rules)
}

/// The rules of the pack that a selection and a configuration name, where they name nothing but rules of the pack by their
/// ids: reading a rule costs more than scanning a repository's configuration, and a hook asks for a few. Else all, so that
/// whatever is wrong can be told with what there is.
fn needed(selection: &Selection, config: &Config) -> Loaded {
    let Selection { only, skip, framework, dirs } = selection;
    let patterns: Vec<Glob> = only.iter().map(|pattern| Glob::wildcard(pattern)).collect();
    let of_config = config.rules.iter().map(|setting| setting.rule.as_str());
    let of_waivers = config.waivers.iter().filter(|waiver| waiver.is_exact()).map(|waiver| &*waiver.rule);
    let named: Vec<&str> = of_config.chain(of_waivers).collect();
    let is_chosen = |id: &str| patterns.iter().any(|pattern| pattern.matches(id) == Truth::Yes);
    let is_in_pack = |pattern: &Glob| RuleSet::embedded_ids().any(|id| pattern.matches(id) == Truth::Yes);
    let of_pack_alone = skip.is_empty() && framework.is_empty() && dirs.is_empty() && config.pack_dirs.is_empty();
    let are_in_pack =
        patterns.iter().all(is_in_pack) && named.iter().all(|name| RuleSet::embedded_ids().any(|id| id == *name));
    match of_pack_alone && !patterns.is_empty() && are_in_pack {
        true => RuleSet::embedded_of(|id| is_chosen(id) || named.contains(&id)),
        false => RuleSet::embedded(),
    }
}

/// A hash of the rules and their thresholds: equal where the same facts give the same findings.
pub fn fingerprint(rules: &RuleSet) -> String {
    let mut hasher = blake3::Hasher::new();
    for rule in rules.iter() {
        let mut add = |text: &str| {
            hasher.update(text.as_bytes()).update(&[0]);
        };
        add(rule.id.as_str());
        add(rule.severity.as_str());
        add(rule.table.name);
        add(rule.applies_to.as_deref().unwrap_or_default());
        add(&rule.predicate);
        rule.params.iter().for_each(|param| add(&param.value.text()));
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}

fn fits(pattern: &str, rule: &Rule) -> bool {
    Glob::wildcard(pattern).matches(rule.id.as_str()) == Truth::Yes || rule.check.as_deref() == Some(pattern)
}

/// The error for a rule that does not exist.
pub fn unknown(id: &str, rules: &RuleSet) -> Failure {
    let remedy = match lookup::nearest(id, rules.iter().map(|rule| rule.id.as_str())) {
        Some(near) => format!("did you mean `{near}`? `evenhand rules list` shows all"),
        None => "`evenhand rules list` shows all".to_owned(),
    };
    Failure::Message(format!("there is no rule `{id}`"), Some(remedy))
}

/// The error for rules that cannot be read.
pub fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("`{}` cannot be read: {error}", path.display()), "check the folder with rules")
}

/// A rule for people, as plain text.
pub fn page(rule: &Rule) -> String {
    let mut text = String::new();
    let providers = match &rule.providers {
        Providers::All => "all".to_owned(),
        Providers::Some(names) => names.join(", "),
    };
    let check = rule.check.as_deref().map(|check| format!(", check {check}")).unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{}\n{}\n\n{} · {}{check} · since {} · {}\nproviders: {providers}\n",
        rule.id, rule.title, rule.severity, rule.dimension, rule.since, rule.file
    );
    for (heading, content) in [("What", &rule.docs.what), ("Why", &rule.docs.why), ("Fix", &rule.docs.fix)] {
        let _ = write!(text, "\n{heading}\n{}", indented(content));
    }
    let _ = write!(text, "\nPredicate over `{}`\n{}", rule.table.name, indented(&rule.predicate));
    if let Some(applies) = &rule.applies_to {
        let _ = write!(text, "\nApplies to\n{}", indented(applies));
    }
    if !rule.params.is_empty() {
        text.push_str("\nParameters\n");
        for param in &rule.params {
            let default = if param.value == param.default {
                String::new()
            } else {
                format!(" (default {})", param.default.text())
            };
            let _ = writeln!(text, "  {} = {}{default}", param.name, param.value.text());
        }
    }
    if !rule.frameworks.is_empty() {
        text.push_str("\nFrameworks\n");
        for entry in &rule.frameworks {
            let _ = writeln!(text, "  {} {}: {}", entry.framework, entry.id, entry.why);
        }
    }
    text.lines().map(|line| printable(line) + "\n").collect()
}

fn indented(content: &str) -> String {
    content.trim().lines().map(|line| format!("  {}\n", line.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RuleSetting;

    #[test]
    fn only_the_rules_of_the_pack_that_are_asked_for_are_read() {
        let all = RuleSet::embedded().rules.len();
        let selection = |only: &[&str]| Selection {
            only: only.iter().map(|pattern| (*pattern).to_owned()).collect(),
            ..Selection::default()
        };
        let read = |selection: &Selection, config: &Config| needed(selection, config).rules.len();
        let none = Config::default();
        let secrets = RuleSet::embedded_ids().filter(|id| id.starts_with("plaintext-secret-")).count();
        assert!(secrets > 1);
        assert_eq!(read(&selection(&["plaintext-secret-*", "untrusted-trigger"]), &none), secrets + 1);
        for whole in [&[][..], &["no-such-rule"], &["A11"], &["untrusted-trigger", "A11"]] {
            assert_eq!(read(&selection(whole), &none), all, "{whole:?}");
        }
        let mine = Selection { dirs: vec!["mine".into()], ..selection(&["untrusted-trigger"]) };
        assert_eq!(read(&mine, &none), all);
        let settings = |rule: &str| {
            let rule = rule.to_owned();
            let setting = RuleSetting {
                rule,
                severity: None,
                off: false,
                params: Vec::new(),
                place: "evenhand.toml:1:1".to_owned(),
            };
            Config { rules: vec![setting], ..Config::default() }
        };
        let one = selection(&["untrusted-trigger"]);
        assert_eq!(read(&one, &settings("approval-bypass-enabled")), 2, "what is set for it is checked too");
        assert_eq!(read(&one, &settings("no-such-rule")), all, "what it may have been is told");
    }
}
