//! The pack keeps its promises, and files of users are told what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::engine::cases;
use crate::pack::{Loaded, RuleSet};

/// The folder of third-party references; without it the tests that need it say so and end.
fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("EVENHAND_SHARED").map(PathBuf::from);
    if folder.is_none() {
        println!("EVENHAND_SHARED is not set: framework identifiers are not compared with their lists");
    }
    folder
}

#[test]
fn the_pack_has_no_problems() {
    let Loaded { rules, problems } = RuleSet::embedded();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(!rules.is_empty());
}

#[test]
fn every_case_of_the_pack_gives_what_it_promises() {
    let failed: Vec<String> = cases::run(&RuleSet::embedded().rules)
        .into_iter()
        .filter(|result| !result.passed())
        .map(|result| result.to_string())
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn messages_are_one_plain_line_and_documentation_is_there() {
    for rule in &RuleSet::embedded().rules {
        for text in [&rule.docs.what, &rule.docs.why, &rule.docs.fix] {
            assert!(text.trim().len() > 20, "{}: {text:?}", rule.id);
        }
        assert!(!rule.title.ends_with('.') && !rule.message.as_str().ends_with('.'), "{}", rule.id);
        assert!(rule.frameworks.iter().all(|reference| !reference.why.trim().is_empty()), "{}", rule.id);
    }
}

#[test]
fn a_remedy_names_no_steps_at_other_providers() {
    let rules = RuleSet::embedded().rules;
    for rule in &rules {
        for provider in ["aws", "azure", "kubernetes", "github", "agents"].map(|name| (name, rule.fix_at(name))) {
            assert!(!provider.1.trim().is_empty(), "{} leaves nothing to do at {}", rule.id, provider.0);
        }
    }
    let rule = rules.iter().find(|rule| rule.id.as_str() == "access-review-overdue").unwrap();
    let at = |provider: &str| rule.fix_at(provider);
    assert!(at("aws").contains("aws iam tag-role") && !at("aws").contains("kubectl"), "{}", at("aws"));
    assert!(at("kubernetes").contains("kubectl annotate") && !at("kubernetes").contains("tag-role"));
    assert!(at("kubernetes").contains("evenhand compare"), "steps for everybody stay");
}

#[test]
fn a_remedy_fits_whatever_the_finding_may_name() {
    let rules = RuleSet::embedded().rules;
    for (rule, provider, parts) in [
        // Contributor holds these and no `roleAssignments/write`.
        ("ai-identity-can-escalate", "azure", &["azure-list-keys", "azure-assign-managed-identity"][..]),
        // What is granted in the directory is assigned at no resource group.
        ("write-on-all-resources", "azure", &["Microsoft Graph"]),
        // Whatever it holds of the many operations on logs.
        ("ai-identity-can-tamper-with-logs", "aws", &["the operations that the finding names", "log group"]),
        ("ai-identity-can-tamper-with-logs", "github", &["the operations that the finding names", "actions: write"]),
    ] {
        let fix = rules.iter().find(|held| held.id.as_str() == rule).unwrap().fix_at(provider);
        assert!(parts.iter().all(|part| fix.contains(part)), "{rule}: {fix}");
    }
}

#[test]
fn framework_identifiers_exist() {
    let Some(shared) = shared() else { return };
    #[derive(serde::Deserialize)]
    struct Framework {
        ids: BTreeMap<String, serde_json::Value>,
    }
    let text = std::fs::read_to_string(shared.join("reference/frameworks.json")).unwrap();
    let frameworks: BTreeMap<String, Framework> = serde_json::from_str(&text).unwrap();
    for rule in &RuleSet::embedded().rules {
        for reference in &rule.frameworks {
            let known = frameworks.get(&*reference.framework);
            let known = known.unwrap_or_else(|| panic!("{}: no framework {}", rule.id, reference.framework));
            assert!(
                known.ids.contains_key(&*reference.id),
                "{}: {} has no {}",
                rule.id,
                reference.framework,
                reference.id
            );
        }
        let distinct: BTreeSet<_> = rule.frameworks.iter().map(|r| (&r.framework, &r.id)).collect();
        assert_eq!(distinct.len(), rule.frameworks.len(), "{}: a framework id is listed twice", rule.id);
    }
}

#[test]
fn every_rule_agrees_with_its_row_of_the_check_list() {
    let Some(shared) = shared() else { return };
    let mut reader = csv::Reader::from_path(shared.join("reference/checks.csv")).unwrap();
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().collect::<Result<_, _>>().unwrap();
    let mut wrong = Vec::new();
    for rule in &RuleSet::embedded().rules {
        let Some(check) = &rule.check else { continue };
        let Some(row) = rows.iter().find(|row| row["id"] == **check) else {
            wrong.push(format!("{}: no check {check}", rule.id));
            continue;
        };
        if row["dimension"] != rule.dimension.as_str() {
            wrong.push(format!("{}: dimension of {check} is {}", rule.id, row["dimension"]));
        }
        for reference in &rule.frameworks {
            let listed =
                row.get(&*reference.framework).is_some_and(|ids| ids.split(';').any(|id| id == &*reference.id));
            if !listed {
                wrong.push(format!("{}: {check} does not list {} {}", rule.id, reference.framework, reference.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn at_least_thirty_checks_in_all_dimensions_are_implemented() {
    let rules = RuleSet::embedded().rules;
    let checks: BTreeSet<_> = rules.iter().filter_map(|rule| rule.check.as_deref()).collect();
    assert!(checks.len() >= 30, "{} checks", checks.len());
    let dimensions: BTreeSet<_> = rules.iter().map(|rule| rule.dimension.as_str()).collect();
    assert_eq!(dimensions.len(), 7, "{dimensions:?}");
}

const RULE: &str = "\
id: my-rule
title: Mine
dimension: secrets
severity: high
since: 0.1.0
providers: [aws]
table: credentials
params: { days: 90 }
predicate: age_days > :days
message: \"{kind} is {age_days} days old\"
docs: { what: w, why: y, fix: f }
cases:
  - { name: old, row: { age_days: 91 }, expect: fail }
  - { name: new, row: { age_days: 1 }, expect: pass }
  - { name: no date, row: { age_days: null }, expect: unknown }
";

fn load(name: &str, text: &str) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    RuleSet::load_dir(folder.path()).unwrap()
}

#[test]
fn a_users_rule_works_like_one_of_the_pack() {
    let loaded = load("my-rule.yaml", RULE);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    assert!(cases::run(&loaded.rules).iter().all(cases::CaseResult::passed));
    let mut rules = RuleSet::embedded().rules;
    assert!(rules.add(loaded.rules.clone()).is_empty());
    let clashes = rules.add(loaded.rules);
    assert!(clashes[0].message.contains("already defined"), "{clashes:?}");
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    for (what, from, to, place, told) in [
        ("an unknown field", "severity: high", "severity: high\nlevel: 3", Some((5, 1)), "level"),
        ("an unknown severity", "severity: high", "severity: urgent", Some((4, 11)), "urgent"),
        ("an unknown provider", "[aws]", "[aws, gcp]", Some((6, 12)), "no provider `gcp`; there are `agents`, `aws`"),
        ("an unknown table", "table: credentials", "table: secrets", Some((7, 8)), "no table `secrets`"),
        ("an unknown column", "predicate: age_days", "predicate: age", Some((9, 12)), "no column `age`"),
        ("an unknown place", "{kind}", "{knd}", Some((10, 10)), "`kind` perhaps"),
        ("broken YAML", "docs: {", "docs: [", None, ""),
        ("a wrong id", "id: my-rule", "id: other", Some((1, 5)), "`my-rule`"),
        ("a value of the wrong type", "{ age_days: 91 }", "{ age_days: old }", Some((13, 13)), "is integer, not text"),
        ("a NULL that cannot be", "{ age_days: 91 }", "{ shared_by: null }", Some((13, 13)), "never be NULL"),
        ("a missing field", "since: 0.1.0\n", "", None, "since"),
    ] {
        let text = RULE.replacen(from, to, 1);
        assert_ne!(text, RULE);
        let loaded = load("my-rule.yaml", &text);
        assert!(loaded.rules.is_empty(), "{what}");
        let problem = loaded.problems.iter().find(|problem| problem.fatal).unwrap();
        assert!(problem.message.contains(told), "{what}: {problem}");
        if let Some(place) = place {
            assert_eq!((problem.line, problem.column), place, "{what}: {problem}");
        }
        assert!(problem.line > 0 && !problem.message.contains('\n'), "{what}: {problem}");
    }
}

#[test]
fn hiding_unknowns_takes_a_reason() {
    let hidden = RULE.replace("age_days > :days", "COALESCE(age_days, 0) > :days");
    let loaded = load("my-rule.yaml", &hidden);
    assert_eq!(loaded.rules.len(), 1, "a remark for users, not an error");
    assert!(loaded.problems.iter().any(|problem| !problem.fatal && problem.message.contains("COALESCE")));
    let reasoned = load("my-rule.yaml", &(hidden + "unknown_is_ok_because: no date is no age\n"));
    assert!(reasoned.problems.is_empty(), "{:?}", reasoned.problems);
    let harmless = load("my-rule.yaml", &RULE.replace("age_days > :days", "age_days > :days AND kind IS NOT NULL"));
    assert!(harmless.problems.is_empty(), "{:?}", harmless.problems);
}

#[test]
fn a_rule_without_a_case_of_each_kind_is_remarked_on() {
    let loaded = load("my-rule.yaml", &RULE.replace("expect: unknown", "expect: pass"));
    let told: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    assert!(told.len() == 1 && told[0].contains("no case expects `unknown`"), "{told:?}");
}
