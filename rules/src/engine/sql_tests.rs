//! The promises of the SQL that rules are written in, pinned so that a new engine version cannot change them unseen.

use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::finding::Status;
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::{ProviderName, RuleId, ScopeId};
use evenhand_model::identity::Identity;
use evenhand_model::inventory::Inventory;
use evenhand_model::table::{Column, Row as _, Table, Value};

use crate::engine::{cases, evaluate};
use crate::facts::Facts;
use crate::facts::tables::{CredentialRow, TABLES};
use crate::jobs::JobConfig;
use crate::judgements::Judgements;
use crate::pack::{Expect, Loaded, ParamValue, RuleSet};

/// A rule over `credentials` with a predicate and rows; the rows' outcomes.
fn outcomes(predicate: &str, rows: &[&str]) -> Vec<Result<Expect, String>> {
    let mut text = rule_text("test-rule", predicate);
    text.push_str("cases:\n");
    for (at, row) in rows.iter().enumerate() {
        text.push_str(&format!("  - {{ name: row {at}, row: {row}, expect: pass }}\n"));
    }
    let loaded = load(&[("test-rule", &text)]);
    let rule = loaded.rules.get("test-rule").unwrap_or_else(|| panic!("{:?}", loaded.problems));
    cases::run_rule(rule).into_iter().map(|result| result.got).collect()
}

fn rule_text(id: &str, predicate: &str) -> String {
    let predicate = predicate.replace('\'', "''");
    format!(
        "id: {id}\ntitle: T\ndimension: secrets\nseverity: high\nsince: 0.1.0\nproviders: all\ntable: credentials\n\
         params: {{ days: 90, word: it's, many: 2.5, yes: true }}\npredicate: '{predicate}'\n\
         message: \"{{kind}} of {{identity}} is {{age_days}} days old, more than {{days}}\"\nshow: [kind, has_expiry]\n\
         unknown_is_ok_because: a test\ndocs: {{ what: w, why: y, fix: f }}\n"
    )
}

fn load(files: &[(&str, &str)]) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
    }
    RuleSet::load_dir(folder.path()).unwrap()
}

#[test]
fn logic_is_three_valued() {
    use Expect::{Fail, Pass, Unknown};
    let rows = ["{ has_expiry: true }", "{ has_expiry: false }", "{}"];
    for (predicate, expected) in [
        ("has_expiry", [Fail, Pass, Unknown]),
        ("NOT has_expiry", [Pass, Fail, Unknown]),
        ("has_expiry AND FALSE", [Pass, Pass, Pass]),
        ("has_expiry OR TRUE", [Fail, Fail, Fail]),
        ("has_expiry AND TRUE", [Fail, Pass, Unknown]),
        ("has_expiry OR FALSE", [Fail, Pass, Unknown]),
        ("has_expiry = TRUE", [Fail, Pass, Unknown]),
        ("has_expiry IS NULL", [Pass, Pass, Fail]),
        ("has_expiry IS NOT NULL", [Fail, Fail, Pass]),
        ("COALESCE(has_expiry, TRUE)", [Fail, Pass, Fail]),
        ("has_expiry IS DISTINCT FROM TRUE", [Pass, Fail, Fail]),
        ("(has_expiry IS DISTINCT FROM TRUE) AND TRUE", [Pass, Fail, Fail]),
        ("CASE WHEN has_expiry THEN TRUE ELSE FALSE END", [Fail, Pass, Pass]),
        ("TRUE", [Fail, Fail, Fail]),
        ("FALSE", [Pass, Pass, Pass]),
        ("NULL", [Unknown, Unknown, Unknown]),
    ] {
        let got: Vec<Expect> = outcomes(predicate, &rows).into_iter().map(Result::unwrap).collect();
        assert_eq!(got, expected, "{predicate}");
    }
}

#[test]
fn comparisons_with_null_are_unknown() {
    use Expect::{Fail, Pass, Unknown};
    let rows = ["{ age_days: 10, exposure: store }", "{ age_days: 91, exposure: none }", "{}"];
    for (predicate, expected) in [
        ("age_days > 90", [Pass, Fail, Unknown]),
        ("age_days <> 10", [Pass, Fail, Unknown]),
        ("age_days BETWEEN 5 AND 15", [Fail, Pass, Unknown]),
        ("age_days NOT BETWEEN 5 AND 15", [Pass, Fail, Unknown]),
        ("age_days > lifetime_days", [Unknown, Unknown, Unknown]),
        ("age_days * 2 + 1 > 100", [Pass, Fail, Unknown]),
        ("exposure = 'store'", [Fail, Pass, Unknown]),
        ("exposure IN ('store', 'environment')", [Fail, Pass, Unknown]),
        ("exposure NOT IN ('store', 'environment')", [Pass, Fail, Unknown]),
        // A NULL in the list: found is found, not found is unknown.
        ("exposure IN ('store', NULL)", [Fail, Unknown, Unknown]),
        ("exposure NOT IN ('store', NULL)", [Pass, Unknown, Unknown]),
        ("exposure LIKE 'st%'", [Fail, Pass, Unknown]),
        ("exposure NOT LIKE 'st%'", [Pass, Fail, Unknown]),
        ("exposure ILIKE 'ST%'", [Fail, Pass, Unknown]),
        ("STARTS_WITH(exposure, 'st')", [Fail, Pass, Unknown]),
        ("LENGTH(exposure) > 4", [Fail, Pass, Unknown]),
    ] {
        let got: Vec<Expect> = outcomes(predicate, &rows).into_iter().map(Result::unwrap).collect();
        assert_eq!(got, expected, "{predicate}");
    }
}

#[test]
fn quotes_in_texts_are_doubled_and_nothing_else_is_special() {
    use Expect::{Fail, Pass};
    for (predicate, row, expected) in [
        ("kind = 'it''s'", r#"{ kind: "it's" }"#, Fail),
        ("kind = :word", r#"{ kind: "it's" }"#, Fail),
        (r"kind = 'a\nb'", r#"{ kind: "a\\nb" }"#, Fail),
        (r"kind = 'a\'", r#"{ kind: "a\\" }"#, Fail),
        ("kind = '--'", r#"{ kind: "--" }"#, Fail),
        ("kind = 'é\u{1f511}'", "{ kind: \"é\u{1f511}\" }", Fail),
        ("\"kind\" = 'x'", "{ kind: x }", Fail),
        ("kind = 'x'", "{ kind: X }", Pass),
    ] {
        assert_eq!(outcomes(predicate, &[row]), [Ok(expected)], "{predicate}");
    }
}

#[test]
fn parameters_are_values_whatever_they_hold() {
    use Expect::{Fail, Pass, Unknown};
    let rows = ["{ age_days: 91 }", "{ age_days: 90 }", "{}"];
    let got: Vec<Expect> = outcomes("age_days > :days", &rows).into_iter().map(Result::unwrap).collect();
    assert_eq!(got, [Fail, Pass, Unknown]);
    assert_eq!(outcomes("age_days -:days > 0 AND :yes AND :many > 2", &rows[..1]), [Ok(Fail)]);

    let mut loaded = load(&[(
        "test-rule",
        &(rule_text("test-rule", "kind = :word")
            + "cases: [{ name: c, row: { kind: \"' OR TRUE OR '\" }, expect: fail }]\n"),
    )]);
    let injected = ParamValue::Text("' OR TRUE OR '".to_owned());
    loaded.rules.set_param("test-rule", "word", &injected).unwrap();
    assert!(cases::run(&loaded.rules)[0].passed(), "the text is compared, not run");
    assert!(loaded.rules.set_param("test-rule", "days", &injected).is_err(), "a text is no number");
    loaded.rules.set_param("test-rule", "many", &ParamValue::Integer(3)).unwrap();
    assert!(loaded.rules.set_param("test-rule", "other", &injected).is_err());
    assert!(loaded.rules.set_param("other-rule", "word", &injected).is_err());
}

#[test]
fn sql_that_cannot_mean_one_thing_is_refused_with_its_place() {
    for (predicate, told) in [
        ("agee_days > 90", "no column `agee_days`; `age_days` perhaps"),
        ("has_expiry IS TRUE", "IS TRUE"),
        ("has_expiry IS NOT FALSE", "IS FALSE"),
        ("age_days / 2 > 3", "`/`"),
        ("age_days > :limit", "`:limit` is not declared"),
        ("COUNT(age_days) > 3", "one row"),
        ("age_days > (SELECT 1)", "`SELECT`"),
        ("age_days >", ""),
        ("has_expiry; DROP TABLE x", ""),
        ("has_expiry AS x", "AS"),
        ("has_expiry IS DISTINCT FROM TRUE AND enabled", "parentheses"),
    ] {
        let loaded = load(&[("test-rule", &rule_text("test-rule", predicate))]);
        assert!(loaded.rules.is_empty(), "{predicate}");
        let problem = loaded.problems.iter().find(|problem| problem.fatal).unwrap();
        assert!(problem.message.contains(told), "{predicate}: {problem}");
        assert_eq!((problem.line, problem.column), (9, 12), "{predicate}: {problem}");
    }
}

#[test]
fn a_condition_of_another_type_is_an_error_of_its_rule() {
    for predicate in ["age_days", "kind", "age_days > 'x'", "kind > 3", "CAST(kind AS INTEGER) > 3"] {
        let got = outcomes(predicate, &["{ kind: x, age_days: 1 }"]);
        assert!(got[0].is_err(), "{predicate}: {got:?}");
    }
}

#[test]
fn overflow_never_passes_for_an_answer_unseen() {
    // Sums wrap as 64-bit numbers do: thresholds of rules are far from there, and the promise is that nothing panics.
    let got = outcomes("age_days + 9223372036854775807 < 0", &["{ age_days: 1 }"]);
    assert_eq!(got, [Ok(Expect::Fail)]);
}

#[test]
fn every_column_can_be_written_bare_or_quoted() {
    for table in TABLES {
        for column in table.columns {
            let quoted = format!("\"{}\" IS NULL", column.name);
            assert!(super::expression(&quoted, &|_| false, &quoted).is_ok(), "{}.{}", table.name, column.name);
            let bare = format!("{} IS NULL", column.name);
            let read = super::expression(&bare, &|_| false, &bare).map(|expr| super::columns(&expr));
            assert_eq!(read, Ok(vec![column.name.to_owned()]), "{}.{}", table.name, column.name);
        }
    }
}

#[test]
fn an_undecided_row_names_the_columns_that_would_decide_it() {
    for (predicate, row, expected) in [
        ("age_days > 90", "{}", &["age_days"][..]),
        ("NOT has_expiry", "{}", &["has_expiry"]),
        // What is decided already is not waited for.
        ("has_expiry AND age_days > 90", "{ has_expiry: true }", &["age_days"]),
        ("(has_expiry OR enabled) AND age_days > 90", "{ has_expiry: true }", &["age_days"]),
        ("enabled OR (has_expiry AND age_days > 90)", "{ has_expiry: false }", &["enabled"]),
        ("enabled OR (has_expiry AND age_days > 90)", "{}", &["age_days", "enabled", "has_expiry"]),
        ("NOT (enabled OR expired)", "{ enabled: false }", &["expired"]),
        ("age_days > lifetime_days", "{ age_days: 3 }", &["lifetime_days"]),
        ("CASE WHEN expired THEN enabled ELSE has_expiry END", "{ expired: true, has_expiry: true }", &["enabled"]),
        // A NULL of the predicate's own: the value that stands beside it leaves the row open.
        ("enabled AND (kind = 'x' OR NULL)", "{ enabled: true, kind: z }", &["kind=z"]),
        ("kind = 'x' AND NULL", "{ kind: x }", &["kind=x"]),
        ("CASE WHEN enabled THEN NULL ELSE FALSE END", "{ enabled: true }", &["enabled=yes"]),
        ("age_days > 90 OR (kind = 'x' AND NULL)", "{ kind: x, age_days: 3 }", &["kind=x"]),
        ("exposure IN ('store', NULL)", "{ exposure: none }", &["exposure=none"]),
        ("NULL", "{}", &[]),
    ] {
        let text =
            rule_text("test-rule", predicate) + &format!("cases: [{{ name: c, row: {row}, expect: unknown }}]\n");
        let loaded = load(&[("test-rule", &text)]);
        let rule = loaded.rules.get("test-rule").unwrap_or_else(|| panic!("{:?}", loaded.problems));
        let table = cases::table(rule);
        let (selected, errors) = super::select::select(&table, vec![(rule, |_: usize| true)]);
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(selected[0].rows, [(0, Status::Unknown)], "{predicate}");
        let mut cited: Vec<String> = selected[0]
            .cited(&table, 0)
            .into_iter()
            .map(|cited| {
                let name = CredentialRow::SPEC.columns[cited.column].name;
                cited.value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}"))
            })
            .collect();
        cited.sort();
        assert_eq!(cited, expected, "{predicate} {row}");
    }
}

#[test]
fn what_is_missing_is_brought_by_the_gap_of_its_scope_that_speaks_of_it() {
    let loaded = load(&[("ages", &rule_text("ages", "age_days > :days"))]);
    let table = credentials(&[("a", "x", None)]);
    let mut inventory = inventory();
    let gap = |scope: &str, call: &str, facts: &'static [Subject]| Gap {
        provider: Some(ProviderName("test")),
        scope: Some(ScopeId::from(scope)),
        kind: GapKind::NotCollected,
        call: call.into(),
        reason: "not part of the capture; run it".into(),
        facts: vec![Lost::of("some facts", facts)],
    };
    inventory.gaps = vec![
        gap("account", "list keys", &[Subject::Use, Subject::Credentials]),
        gap("account", "list trails", &[Subject::Logs]),
        gap("elsewhere", "list other keys", &[Subject::Credentials]),
    ];
    let judgements = Judgements::new(&inventory, &JobConfig::default());
    let facts = Facts::without_places(vec![table]);
    let evaluation = evaluate(&loaded.rules, &facts, &inventory, &judgements, &[], |_| true);
    assert_eq!(&*evaluation.findings[0].remedy, "To know it: list keys in account: not part of the capture; run it.");
}

fn credentials(rows: &[(&str, &str, Option<i64>)]) -> Table {
    let spec = CredentialRow::SPEC;
    let columns = spec.columns.iter().map(|column| {
        let mut held = Column::empty(column.kind);
        for (id, kind, age) in rows {
            match (&mut held, column.name) {
                (Column::Text(values), "id") => values.push(Some(Arc::from(*id))),
                (Column::Text(values), "identity") => values.push(Some("role".into())),
                (Column::Text(values), "kind") => values.push(Some(Arc::from(*kind))),
                (Column::Text(values), "provider") => values.push(Some("test".into())),
                (Column::Integer(values), "age_days") => values.push(*age),
                (Column::Text(values), _) => values.push(None),
                (Column::Integer(values), _) => values.push(None),
                (Column::Float(values), _) => values.push(None),
                (Column::Boolean(values), _) => values.push(None),
                (Column::Timestamp(values), _) => values.push(None),
            }
        }
        held
    });
    Table { spec, columns: columns.collect() }
}

fn inventory() -> Inventory {
    let mut inventory = Inventory::default();
    inventory.identities.push(Identity::new(
        "role".into(),
        ProviderName("test"),
        ScopeId::from("account"),
        "role",
        "the role",
        Evidence::pointer("doc.json", "/0"),
    ));
    inventory
}

#[test]
fn a_rule_that_fails_on_data_is_an_error_and_the_others_go_on() {
    let loaded = load(&[
        ("casts", &rule_text("casts", "CAST(kind AS INTEGER) > 3")),
        ("ages", &rule_text("ages", "age_days > :days")),
    ]);
    let table = credentials(&[("a", "x", Some(100)), ("b", "7", None), ("c", "7", Some(1))]);
    assert_eq!(table.value(1, "age_days"), Value::Null);
    let inventory = inventory();
    let judgements = Judgements::new(&inventory, &JobConfig::default());
    let facts = Facts::without_places(vec![table]);
    let evaluation = evaluate(&loaded.rules, &facts, &inventory, &judgements, &[], |_| true);
    assert_eq!(evaluation.errors.len(), 1, "{:?} {:?} {:?}", evaluation.errors, loaded.problems, evaluation.findings);
    assert_eq!(evaluation.errors[0].rule.as_str(), "casts");
    let found: Vec<(Status, &str)> =
        evaluation.findings.iter().map(|finding| (finding.status, finding.title.as_str())).collect();
    assert_eq!(
        found,
        [
            (Status::Fail, "x of the role is 100 days old, more than 90"),
            (Status::Unknown, "the role: “T” is undecided; not known: whole days since it was made"),
        ]
    );
    let open = &evaluation.findings[1];
    assert_eq!((&*open.missing[0].column, open.missing.len()), ("age_days", 1));
    assert_eq!(&*open.remedy, "To know it: add the provider's list of its credentials, with their dates.");
    assert_eq!(&*evaluation.findings[0].remedy, "f", "the remedy of a failure is for failures");
    let finding = &evaluation.findings[0];
    assert_eq!((&*finding.name, finding.scope.as_str()), ("the role", "account"));
    assert_eq!(finding.evidence, [Evidence::pointer("doc.json", "/0")]);
    assert_eq!(finding.id.as_str().len(), 16);
    assert_ne!(finding.id, evaluation.findings[1].id, "rows of one identity have ids of their own");
}

#[test]
fn rules_of_few_rows_find_in_a_large_table_what_they_would_find_in_a_small_one() {
    let predicate = "age_days > :days OR age_days > 1000";
    let few = rule_text("few", predicate) + "applies_to: kind = 'few' AND (age_days IS NULL OR age_days > 10)\n";
    let idle = rule_text("idle", "kind > 3").replace("providers: all", "providers: [aws]");
    let loaded = load(&[("few", &few), ("every", &rule_text("every", predicate)), ("idle", &idle)]);
    let ids: Vec<String> = (0..5000).map(|row| format!("{row:04}")).collect();
    let row = |row: usize| {
        let age = (!row.is_multiple_of(3)).then_some(row as i64 % 199);
        (if row % 100 == 7 { "few" } else { "many" }, age)
    };
    let rows: Vec<(&str, &str, Option<i64>)> =
        ids.iter().enumerate().map(|(at, id)| (id.as_str(), row(at).0, row(at).1)).collect();
    let facts = Facts::without_places(vec![credentials(&rows)]);
    let inventory = inventory();
    let judgements = Judgements::new(&inventory, &JobConfig::default());
    let evaluation = evaluate(&loaded.rules, &facts, &inventory, &judgements, &[], |_| true);
    // A condition of another type is an error of its rule even where the rule judges nothing.
    let failed: Vec<&str> = evaluation.errors.iter().map(|error| error.rule.as_str()).collect();
    assert_eq!(failed, ["idle"]);
    for (rule, is_few) in [("every", false), ("few", true)] {
        let applies = |(kind, age): &(&str, Option<i64>)| !is_few || *kind == "few" && age.is_none_or(|age| age > 10);
        let judged: Vec<_> = (0..5000).map(row).filter(applies).collect();
        let found = || evaluation.findings.iter().filter(|finding| finding.rule.as_str() == rule);
        let mut titles: Vec<&str> = found().map(|finding| finding.title.as_str()).collect();
        titles.sort_unstable();
        let mut expected: Vec<String> = judged
            .iter()
            .filter_map(|(kind, age)| match age {
                Some(age) if *age <= 90 => None,
                Some(age) => Some(format!("{kind} of the role is {age} days old, more than 90")),
                None => Some("the role: “T” is undecided; not known: whole days since it was made".to_owned()),
            })
            .collect();
        expected.sort_unstable();
        assert_eq!(titles, expected, "{rule}");
        assert!(found().all(|finding| finding.missing.iter().all(|missing| &*missing.column == "age_days")));
        assert_eq!(evaluation.passed[&RuleId::from(rule)] as usize, judged.len() - expected.len(), "{rule}");
    }
}

#[test]
fn a_rule_that_fails_on_data_is_an_error_whatever_rows_it_speaks_of() {
    let casts = "CAST(kind AS INTEGER) > 3";
    let few = rule_text("few", casts) + "applies_to: age_days = 7\n";
    let first = rule_text("first", "age_days > 3") + &format!("applies_to: {casts}\n");
    let idle = rule_text("idle", casts).replace("providers: all", "providers: [aws]");
    let fine = rule_text("fine", "age_days > :days OR kind LIKE 'x%'") + "applies_to: age_days = 7\n";
    let loaded = load(&[("few", &few), ("first", &first), ("idle", &idle), ("fine", &fine)]);
    let inventory = inventory();
    let judgements = Judgements::new(&inventory, &JobConfig::default());
    for count in [50, 5000] {
        let ids: Vec<String> = (0..count).map(|row| format!("{row:04}")).collect();
        // One row of all has a kind that is no number, and no rule speaks of that row.
        let kind = |at: usize| if at == 9 { "x" } else { "1" };
        let rows: Vec<(&str, &str, Option<i64>)> =
            ids.iter().enumerate().map(|(at, id)| (id.as_str(), kind(at), Some(at as i64))).collect();
        let facts = Facts::without_places(vec![credentials(&rows)]);
        let evaluation = evaluate(&loaded.rules, &facts, &inventory, &judgements, &[], |_| true);
        let failed: Vec<&str> = evaluation.errors.iter().map(|error| error.rule.as_str()).collect();
        assert_eq!(failed, ["few", "first", "idle"], "{count} rows");
        assert_eq!(evaluation.passed[&RuleId::from("fine")], 1, "{count} rows");
    }
}

#[test]
fn only_conditions_that_values_cannot_make_fail_are_evaluated_over_few_rows() {
    for (predicate, expected) in [
        ("age_days > :days AND NOT has_expiry", false),
        ("kind IN ('a', 'b') OR kind NOT LIKE 'x%' OR kind IS DISTINCT FROM 'y'", false),
        ("CASE WHEN expired THEN enabled ELSE has_expiry IS NULL END", false),
        ("CAST(kind AS INTEGER) > 3", true),
        ("enabled AND age_days BETWEEN 1 AND CAST(kind AS INTEGER)", true),
    ] {
        let loaded = load(&[("test-rule", &rule_text("test-rule", predicate))]);
        let rule = loaded.rules.get("test-rule").unwrap_or_else(|| panic!("{:?}", loaded.problems));
        assert_eq!(super::compile::Compiled::new(rule).unwrap().may_fail(), expected, "{predicate}");
    }
}

#[test]
fn an_empty_table_finds_nothing_and_is_no_error() {
    let loaded = load(&[("always", &rule_text("always", "TRUE")), ("ages", &rule_text("ages", "age_days > :days"))]);
    let inventory = Inventory::default();
    let judgements = Judgements::default();
    let facts = Facts::without_places(vec![credentials(&[])]);
    let evaluation = evaluate(&loaded.rules, &facts, &inventory, &judgements, &[], |_| true);
    assert!(evaluation.errors.is_empty() && evaluation.findings.is_empty(), "{evaluation:?}");
}

#[test]
fn an_unknown_applicability_judges_nothing() {
    let mut text = rule_text("test-rule", "has_expiry");
    text.push_str("applies_to: enabled\ncases:\n");
    for enabled in ["true", "false", "null"] {
        text.push_str(&format!(
            "  - {{ name: enabled {enabled}, row: {{ enabled: {enabled}, has_expiry: true }}, expect: pass }}\n"
        ));
    }
    let loaded = load(&[("test-rule", &text)]);
    let got: Vec<Expect> = cases::run(&loaded.rules).into_iter().map(|result| result.got.unwrap()).collect();
    assert_eq!(got, [Expect::Fail, Expect::NotApplicable, Expect::NotApplicable]);
}
