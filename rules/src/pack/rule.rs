//! A rule: metadata, documentation, a predicate over a fact table, and its own cases.

use std::sync::Arc;

use evenhand_model::finding::{Dimension, Severity};
use evenhand_model::id::RuleId;
use evenhand_model::table::{TableSpec, Value};
use serde::{Deserialize, Serialize};

use crate::pack::template::Template;

/// The providers whose rows a rule judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Providers {
    /// Every provider.
    All,
    /// These.
    Some(Vec<Arc<str>>),
}

impl Providers {
    /// Whether a provider's rows are judged.
    pub fn include(&self, provider: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(names) => names.iter().any(|name| **name == *provider),
        }
    }
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A real number.
    Float(f64),
    /// Text.
    Text(String),
}

impl ParamValue {
    /// The value's type, for people.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
        }
    }

    /// This value in the type of another, if it has a value there: a whole number is also a real one.
    pub(crate) fn in_type_of(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            #[expect(clippy::cast_precision_loss, reason = "a threshold beyond 2^53 has no meaning")]
            (Self::Integer(number), Self::Float(_)) => Some(Self::Float(*number as f64)),
            (Self::Boolean(_), Self::Boolean(_))
            | (Self::Integer(_), Self::Integer(_))
            | (Self::Text(_), Self::Text(_)) => Some(self.clone()),
            (Self::Float(number), Self::Float(_)) if number.is_finite() => Some(self.clone()),
            _ => None,
        }
    }

    /// The value as text, for messages.
    pub fn text(&self) -> String {
        match self {
            Self::Boolean(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(value) => value.clone(),
        }
    }
}

/// A parameter: a threshold or window that the configuration may change.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name; `:name` in SQL, `{name}` in the message.
    pub name: Arc<str>,
    /// The value that the rule file gives.
    pub default: ParamValue,
    /// The value in force.
    pub value: ParamValue,
}

/// An identifier of a framework that the rule supports.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FrameworkRef {
    /// The framework's key, such as `nist_csf_2.0`.
    pub framework: Arc<str>,
    /// The identifier inside it.
    pub id: Arc<str>,
    /// Why the rule supports it.
    pub why: Arc<str>,
}

/// What a rule is about, for people.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Docs {
    /// What is looked at.
    pub what: Arc<str>,
    /// Why it matters.
    pub why: Arc<str>,
    /// How to put it right.
    pub fix: Arc<str>,
}

/// What a case, or a row, gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// The predicate is true.
    Fail,
    /// The predicate is false.
    Pass,
    /// The predicate is NULL.
    Unknown,
    /// `applies_to` is not true.
    NotApplicable,
}

impl Expect {
    /// The word used in rule files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// A row with the outcome that it must have.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its name.
    pub name: Arc<str>,
    /// Values by column, in the order of the table. Columns left out are NULL, or neutral where they cannot be NULL.
    pub row: Vec<(&'static str, Value)>,
    /// The outcome.
    pub expect: Expect,
}

/// A rule, checked: its columns exist and its SQL parses.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id, equal to the file's name.
    pub id: RuleId,
    /// The row of the check list that it implements.
    pub check: Option<Arc<str>>,
    /// What is wrong when it fails, in a few words.
    pub title: Arc<str>,
    /// In which way.
    pub dimension: Dimension,
    /// How bad that is.
    pub severity: Severity,
    /// How bad the rule file says that it is.
    pub default_severity: Severity,
    /// The version of evenhand that first had it.
    pub since: Arc<str>,
    /// The providers whose rows it judges.
    pub providers: Providers,
    /// The fact table.
    pub table: &'static TableSpec,
    /// SQL: TRUE for the rows that it judges; `None` = all.
    pub applies_to: Option<Arc<str>>,
    /// Its parameters.
    pub params: Vec<Param>,
    /// SQL: TRUE fails, FALSE passes, NULL is unknown.
    pub predicate: Arc<str>,
    /// The column that holds the identity.
    pub identity: &'static str,
    /// The columns that tell the rows of one identity apart.
    pub discriminator: Vec<&'static str>,
    /// One line for a finding.
    pub message: Template,
    /// The columns that a finding cites.
    pub show: Vec<&'static str>,
    /// Framework identifiers.
    pub frameworks: Vec<FrameworkRef>,
    /// Documentation.
    pub docs: Docs,
    /// Why testing for NULL hides nothing.
    pub unknown_is_ok_because: Option<Arc<str>>,
    /// Its cases.
    pub cases: Vec<Case>,
    /// The file, as given by the user; `pack/<dimension>/<id>.yaml` for a rule of the pack.
    pub file: Arc<str>,
    /// Whether it is part of the pack in the binary.
    pub embedded: bool,
}

impl Rule {
    /// How to put a failure right at a provider: the steps that begin with the name of another one are left out.
    pub fn fix_at(&self, provider: &str) -> Arc<str> {
        let Providers::Some(names) = &self.providers else { return Arc::clone(&self.docs.fix) };
        let is_elsewhere = |line: &str| {
            let heading = line.strip_prefix("- ").and_then(|step| step.split_once(':')).map(|(heading, _)| heading);
            heading.is_some_and(|heading| {
                !heading.eq_ignore_ascii_case(provider) && names.iter().any(|name| heading.eq_ignore_ascii_case(name))
            })
        };
        let mut kept = Vec::new();
        let mut elsewhere = false;
        for line in self.docs.fix.lines() {
            // What follows a step and is no step of its own belongs to it.
            elsewhere = is_elsewhere(line) || (elsewhere && line.starts_with(' '));
            kept.extend((!elsewhere).then_some(line));
        }
        kept.join("\n").into()
    }

    /// The value in force of a parameter.
    pub fn param(&self, name: &str) -> Option<&ParamValue> {
        self.params.iter().find(|param| *param.name == *name).map(|param| &param.value)
    }
}
