//! From a rule file to a rule: everything that can be told without evaluating it.

use std::sync::Arc;

use evenhand_model::id::RuleId;
use evenhand_model::table::{ColumnSpec, ColumnType, TableSpec, Value};
use serde_saphyr::{Location, Spanned};

use crate::engine::{columns, expression};
use crate::facts::tables::TABLES;
use crate::pack::file::{CaseFile, Problem, ProviderList, RuleFile};
use crate::pack::load::id_of;
use crate::pack::rule::{Case, Expect, Param, ParamValue, Providers, Rule};
use crate::pack::sql::{self, Token};
use crate::pack::template::Template;

/// Collects problems of one file.
struct Checker<'a> {
    file: &'a Arc<str>,
    embedded: bool,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn fatal(&mut self, place: Option<Location>, message: impl Into<String>) {
        self.problems.push(Problem::new(self.file, place, true, message));
    }

    /// A fatal problem in the pack, a remark on a rule of the user.
    fn should(&mut self, place: Option<Location>, message: impl Into<String>) {
        self.problems.push(Problem::new(self.file, place, self.embedded, message));
    }

    /// A column of the table, by name.
    fn column(&mut self, table: &'static TableSpec, name: &str, place: Location) -> Option<&'static ColumnSpec> {
        let found = table.columns.iter().find(|column| column.name == name);
        if found.is_none() {
            self.fatal(Some(place), format!("table `{}` has no column `{name}`{}", table.name, nearest(table, name)));
        }
        found
    }

    /// Names of columns, as they stand in the table's documentation.
    fn column_names(&mut self, table: &'static TableSpec, names: &[Spanned<String>]) -> Vec<&'static str> {
        names
            .iter()
            .filter_map(|name| self.column(table, &name.value, name.referenced).map(|column| column.name))
            .collect()
    }

    /// Parses a condition, and checks its columns and its treatment of NULL. Returns whether it can be NULL.
    fn condition(
        &mut self,
        table: &'static TableSpec,
        params: &[Param],
        text: &Spanned<String>,
        null_may_decide: bool,
    ) -> bool {
        let value_of = |name: &str| params.iter().find(|param| *param.name == *name).map(|param| &param.value);
        let declared = |name: &str| value_of(name).is_some();
        let bound = match sql::bind(&text.value, value_of) {
            Ok(bound) => bound,
            Err(name) => {
                self.fatal(
                    Some(text.referenced),
                    format!("parameter `:{name}` is not declared; add it under `params`"),
                );
                return true;
            }
        };
        let expr = match expression(&text.value, &declared, &bound) {
            Ok(expr) => expr,
            Err(message) => {
                self.fatal(Some(text.referenced), message);
                return true;
            }
        };
        let read: Vec<&'static ColumnSpec> =
            columns(&expr).iter().filter_map(|name| self.column(table, name, text.referenced)).collect();
        let nullable: Vec<&str> = read.iter().filter(|column| column.nullable).map(|column| column.name).collect();
        if let Some(word) = hides_null(&text.value, &nullable)
            && !null_may_decide
        {
            self.should(
                Some(text.referenced),
                format!(
                    "`{word}` can turn unknown into an answer; compare the columns themselves, or say why nothing is \
                     hidden in `unknown_is_ok_because`"
                ),
            );
        }
        !nullable.is_empty()
    }
}

/// The providers there are. A rule of another one would judge no row, and say nothing.
const PROVIDERS: [&str; 5] = ["agents", "aws", "azure", "github", "kubernetes"];

/// The table with a name.
fn table_named(name: &str) -> Option<&'static TableSpec> {
    TABLES.iter().copied().find(|table| table.name == name)
}

/// Checks a rule file. No rule comes out of a file with a fatal problem.
pub(crate) fn check(file: &Arc<str>, parsed: RuleFile, embedded: bool) -> (Option<Rule>, Vec<Problem>) {
    let mut checker = Checker { file, embedded, problems: Vec::new() };
    let rule = rule(&mut checker, parsed);
    let fatal = checker.problems.iter().any(|problem| problem.fatal);
    (rule.filter(|_| !fatal), checker.problems)
}

fn rule(checker: &mut Checker<'_>, parsed: RuleFile) -> Option<Rule> {
    let id = RuleId::new(parsed.id.value.as_str());
    let named = id_of(checker.file);
    if named != id {
        checker.fatal(Some(parsed.id.referenced), format!("the file is named `{named}`, so its id must be that"));
    }
    let kebab = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if !kebab(id.as_str()) {
        checker.fatal(Some(parsed.id.referenced), "an id is lower-case words joined by `-`");
    }
    let folder = checker.file.rsplit(['/', '\\']).nth(1).unwrap_or_default().to_owned();
    let dimension = parsed.dimension.value;
    if checker.embedded && folder != dimension.as_str() {
        checker
            .fatal(Some(parsed.dimension.referenced), format!("the file lies in folder `{folder}`, not `{dimension}`"));
    }
    let providers = match &parsed.providers.value {
        ProviderList::Word(word) if word == "all" => Providers::All,
        ProviderList::Names(names) if !names.is_empty() => {
            if let Some(unknown) = names.iter().find(|name| !PROVIDERS.contains(&name.as_str())) {
                let known = PROVIDERS.map(|name| format!("`{name}`")).join(", ");
                checker.fatal(
                    Some(parsed.providers.referenced),
                    format!("there is no provider `{unknown}`; there are {known}"),
                );
            }
            Providers::Some(names.iter().map(|name| Arc::from(name.as_str())).collect())
        }
        _ => {
            checker.fatal(Some(parsed.providers.referenced), "`providers` is `all` or a list of provider names");
            Providers::All
        }
    };
    let Some(table) = table_named(&parsed.table.value) else {
        let known: Vec<String> = TABLES.iter().map(|table| format!("`{}`", table.name)).collect();
        checker.fatal(
            Some(parsed.table.referenced),
            format!("there is no table `{}`; there are {}", parsed.table.value, known.join(", ")),
        );
        return None;
    };
    let params: Vec<Param> = parsed
        .params
        .into_iter()
        .map(|(name, value)| Param { name: name.into(), default: value.clone(), value })
        .collect();

    let reasoned = parsed.unknown_is_ok_because.as_ref().is_some_and(|reason| !reason.trim().is_empty());
    let can_be_unknown = checker.condition(table, &params, &parsed.predicate, reasoned);
    if let Some(applies_to) = &parsed.applies_to {
        // Which rows a rule judges may well depend on what is known of them: the answer is no verdict.
        checker.condition(table, &params, applies_to, true);
    }
    for param in &params {
        let used = [Some(&parsed.predicate), parsed.applies_to.as_ref()]
            .into_iter()
            .flatten()
            .any(|text| sql::tokens(&text.value).contains(&Token::Param(&param.name)));
        if !used {
            checker.should(Some(parsed.predicate.referenced), format!("parameter `{}` is not used", param.name));
        }
    }

    let identity = match &parsed.identity {
        Some(name) => checker.column(table, &name.value, name.referenced).map(|column| column.name),
        None => Some(default_identity(table)),
    };
    let discriminator = match &parsed.discriminator {
        Some(names) => checker.column_names(table, names),
        None => default_discriminator(table),
    };
    let show = checker.column_names(table, &parsed.show);
    let message = match Template::parse(&parsed.message.value) {
        Ok(message) => Some(message),
        Err(wrong) => {
            checker.fatal(Some(parsed.message.referenced), wrong);
            None
        }
    };
    for place in message.iter().flat_map(Template::places) {
        if !params.iter().any(|param| *param.name == *place) {
            checker.column(table, place, parsed.message.referenced);
        }
    }
    for (what, text) in [
        ("title", &*parsed.title),
        ("docs.what", &parsed.docs.what),
        ("docs.why", &parsed.docs.why),
        ("docs.fix", &parsed.docs.fix),
    ] {
        if text.trim().is_empty() {
            checker.should(None, format!("`{what}` is empty"));
        }
    }
    let cases: Vec<Case> = parsed.cases.iter().filter_map(|case| read_case(checker, table, case)).collect();
    for wanted in [Expect::Fail, Expect::Pass, Expect::Unknown] {
        // What is always known is never unknown.
        let can_be = wanted != Expect::Unknown || can_be_unknown;
        if can_be && !cases.iter().any(|case| case.expect == wanted) {
            checker.should(None, format!("no case expects `{}`; add one under `cases`", wanted.as_str()));
        }
    }

    Some(Rule {
        id,
        check: parsed.check.map(Arc::from),
        title: parsed.title.into(),
        dimension,
        severity: parsed.severity,
        default_severity: parsed.severity,
        since: parsed.since.into(),
        providers,
        table,
        applies_to: parsed.applies_to.map(|text| text.value.into()),
        params,
        predicate: parsed.predicate.value.into(),
        identity: identity?,
        discriminator,
        message: message?,
        show,
        frameworks: parsed.frameworks,
        docs: parsed.docs,
        unknown_is_ok_because: parsed.unknown_is_ok_because.map(Arc::from),
        cases,
        file: Arc::clone(checker.file),
        embedded: checker.embedded,
    })
}

/// The column that holds the identity, where a rule does not say.
fn default_identity(table: &'static TableSpec) -> &'static str {
    match table.name {
        "identities" => "id",
        "trusts" => "target",
        "logs" => "scope",
        "gaps" => "call",
        _ => "identity",
    }
}

/// The columns that tell the rows of one identity apart, where a rule does not say: the rest of the table's key.
fn default_discriminator(table: &'static TableSpec) -> Vec<&'static str> {
    match table.name {
        "identities" => vec![],
        "excess" => vec!["operation", "scope", "condition", "granted_by"],
        "paths" => vec!["target", "techniques"],
        "trusts" => vec!["source", "mechanism", "constraint"],
        // The reason names the setting. Of the resources there may be one more any day.
        "controls" => vec!["control", "operation", "human_role", "reason"],
        "logs" => vec!["log"],
        "gaps" => vec!["provider", "scope", "reason"],
        // Where it is written changes whenever somebody writes above it.
        "waivers" => vec!["rule", "expires_at", "owner", "approver", "ticket", "reason"],
        _ => vec!["id"],
    }
}

/// The first word of a condition by which a NULL of these columns could become an answer.
fn hides_null(text: &str, nullable: &[&str]) -> Option<String> {
    if nullable.is_empty() {
        return None;
    }
    let tokens: Vec<Token<'_>> =
        sql::tokens(text).into_iter().filter(|token| !matches!(token, Token::Space(_))).collect();
    for (at, token) in tokens.iter().enumerate() {
        if let Token::Word(word) = token {
            let upper = word.to_ascii_uppercase();
            match upper.as_str() {
                "COALESCE" | "IFNULL" | "NVL" | "NULLIF" | "CASE" | "IIF" | "DISTINCT" | "GREATEST" | "LEAST"
                | "CONCAT" | "CONCAT_WS" => return Some(upper),
                "IS" => {
                    // `column IS NULL` asks about that column only; anything longer may ask about all.
                    let subject = at.checked_sub(1).and_then(|before| tokens.get(before));
                    if let Some(Token::Word(column) | Token::Quoted(column)) = subject
                        && !nullable.contains(column)
                    {
                        continue;
                    }
                    let not = tokens.get(at + 1).is_some_and(|next| next.is_word("not"));
                    return Some(if not { "IS NOT NULL" } else { "IS NULL" }.to_owned());
                }
                _ => {}
            }
        }
        if *token == Token::Symbol("<")
            && tokens.get(at + 1) == Some(&Token::Symbol("="))
            && tokens.get(at + 2) == Some(&Token::Symbol(">"))
        {
            return Some("<=>".to_owned());
        }
    }
    None
}

fn read_case(checker: &mut Checker<'_>, table: &'static TableSpec, case: &CaseFile) -> Option<Case> {
    let place = case.name.referenced;
    let mut row = Vec::with_capacity(case.row.len());
    for (name, value) in &case.row {
        let column = checker.column(table, name, place)?;
        match value_for(column, value.as_ref()) {
            Ok(value) => row.push((column.name, value)),
            Err(wrong) => {
                checker.fatal(Some(place), format!("column `{name}` of case `{}` {wrong}", case.name.value));
                return None;
            }
        }
    }
    let order = |name: &str| table.columns.iter().position(|column| column.name == name);
    row.sort_by_key(|(name, _)| order(name));
    Some(Case { name: case.name.value.as_str().into(), row, expect: case.expect })
}

/// The value of a case for a column.
fn value_for(column: &ColumnSpec, value: Option<&ParamValue>) -> Result<Value, String> {
    let Some(value) = value else {
        return if column.nullable { Ok(Value::Null) } else { Err("can never be NULL".to_owned()) };
    };
    let wrong = || Err(format!("is {}, not {}", column.kind.as_str(), value.kind()));
    match (column.kind, value) {
        (ColumnType::Text, ParamValue::Text(text)) => Ok(Value::Text(text.as_str().into())),
        (ColumnType::Integer, ParamValue::Integer(number)) => Ok(Value::Integer(*number)),
        (ColumnType::Float, number) => match number.in_type_of(&ParamValue::Float(0.0)) {
            Some(ParamValue::Float(number)) => Ok(Value::Float(number)),
            _ => wrong(),
        },
        (ColumnType::Boolean, ParamValue::Boolean(truth)) => Ok(Value::Boolean(*truth)),
        (ColumnType::Timestamp, ParamValue::Text(text)) => text
            .parse()
            .map(Value::Timestamp)
            .map_err(|_| format!("is a moment such as `2026-01-31T00:00:00Z`, not `{text}`")),
        _ => wrong(),
    }
}

/// A column with nearly this name, as a remedy.
fn nearest(table: &TableSpec, name: &str) -> String {
    let near = table.columns.iter().map(|column| (distance(column.name, name), column.name)).min();
    match near {
        Some((distance, column)) if distance <= 2 + name.len() / 5 => format!("; `{column}` perhaps"),
        _ => "; docs/tables.md lists them".to_owned(),
    }
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (at, x) in a.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        for (y, cell) in b.chars().zip(row.iter_mut().skip(1)) {
            let best = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
