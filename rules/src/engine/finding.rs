//! From a row that a rule selected to a finding.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use evenhand_model::control::ControlKind;
use evenhand_model::evidence::Evidence;
use evenhand_model::finding::{Finding, Missing, Status};
use evenhand_model::id::{FindingId, IdentityId, ProviderName, RuleId, ScopeId};
use evenhand_model::identity::Identity;
use evenhand_model::table::{Column, Row as _, Table, known};
use rayon::prelude::*;

use crate::engine::open::{Cited, Said};
use crate::engine::owners::{Owners, Subjects};
use crate::engine::select::Selected;
use crate::facts::tables::{IdentityRow, WaiverRow};
use crate::facts::{Facts, Ground, Grounds, Places};
use crate::pack::{FrameworkRef, ParamValue, Part, Rule, sql};

/// What a rule found in its table.
pub(super) struct Found<'a> {
    pub(super) selected: Selected<'a>,
    pub(super) table: &'a Table,
    pub(super) owners: Arc<Owners<'a>>,
}

/// A rule with the columns of its table looked up, so that a row costs no search.
struct Maker<'a> {
    rule: &'a Rule,
    selected: &'a Selected<'a>,
    table: &'a Table,
    owners: &'a Owners<'a>,
    subjects: &'a Subjects<'a>,
    places: &'a Places,
    /// What facts about identities rest on, and the columns of them that the predicate reads.
    grounds: &'a Grounds,
    reads: Vec<&'a str>,
    /// The controls that the predicate names.
    controls: Vec<ControlKind>,
    identity: Option<&'a Column>,
    scope: Option<&'a Column>,
    discriminator: Vec<&'a Column>,
    message: Vec<Piece<'a>>,
    show: Vec<(&'static str, &'a Column)>,
    /// How to put a failure right, by provider.
    fixes: Vec<Arc<str>>,
}

/// What was said of rows that wait for the same: what they wait for, what is in doubt about the identity, and where.
type SaidBefore<'a> = HashMap<(Vec<Cited>, &'a [Arc<str>], ProviderName, ScopeId), Said, foldhash::fast::FixedState>;

/// A piece of a rule's message.
enum Piece<'a> {
    Text(Arc<str>),
    Column(&'a Column),
    /// The name of whom the row is about.
    Whom,
}

/// Rows of one rule in the order of its findings, which are made one after the other. Rows of one scope wait for the same
/// facts: a run of them says it once.
type Stretch<'a> = &'a [(usize, Status)];

/// The rows of a run, but for those that cannot be told apart from its last one: these are in it too.
const RUN: usize = 1024;

/// The findings of rules whose rows are sorted, in the order of the rules: those of one rule by identity, then by what tells
/// its rows apart, each id once. Where rows cannot be told apart a failure outweighs an unknown.
pub(super) fn findings<'a>(found: &'a [Found<'a>], facts: &'a Facts, subjects: &'a Subjects<'a>) -> Vec<Finding> {
    /// Runs of which the findings are made before they are put together: few, so that little is held twice.
    const TOGETHER: usize = 64;
    let makers: Vec<Maker<'_>> = found.iter().map(|found| Maker::of(found, facts, subjects)).collect();
    let runs: Vec<(&Maker<'_>, Stretch<'_>)> =
        makers.iter().flat_map(|maker| maker.runs().into_iter().map(move |rows| (maker, rows))).collect();
    let mut findings = Vec::with_capacity(found.iter().map(|found| found.selected.rows.len()).sum());
    for runs in runs.chunks(TOGETHER) {
        let made: Vec<Vec<Finding>> =
            runs.par_iter().with_max_len(1).map(|(maker, rows)| Run::of(maker).findings(rows)).collect();
        for mut made in made {
            findings.append(&mut made);
        }
    }
    findings.shrink_to_fit();
    findings
}

/// The columns that tell the rows of a rule about one identity apart.
fn discriminator<'a>(rule: &Rule, table: &'a Table) -> Vec<&'a Column> {
    rule.discriminator.iter().filter_map(|name| table.column(name)).collect()
}

/// What tells a row apart from others about the same identity.
fn key<'a>(discriminator: &[&'a Column], row: usize) -> Vec<Cow<'a, str>> {
    discriminator.iter().map(|column| exact(column, row)).collect()
}

impl Found<'_> {
    /// Puts the rows in the order of the findings.
    pub(super) fn sort(&mut self) {
        let (rule, table) = (self.selected.rule, self.table);
        let (identity, discriminator) = (table.column(rule.identity), discriminator(rule, table));
        let order = |(row, status): &(usize, Status)| {
            let id = identity.and_then(|column| column.text(*row)).map(|id| &**id);
            (id, key(&discriminator, *row), *status, *row)
        };
        let mut rows: Vec<_> = self.selected.rows.par_iter().map(order).collect();
        rows.par_sort_unstable();
        self.selected.rows = rows.into_iter().map(|(_, _, status, row)| (row, status)).collect();
    }
}

impl<'a> Maker<'a> {
    fn of(found: &'a Found<'a>, facts: &'a Facts, subjects: &'a Subjects<'a>) -> Self {
        let (rule, table) = (found.selected.rule, found.table);
        // Who asks for the id of an identity gets that; a waiver is found by what it says.
        let has_name = ![IdentityRow::SPEC.name, WaiverRow::SPEC.name].contains(&table.spec.name);
        Self {
            rule,
            selected: &found.selected,
            table,
            owners: &found.owners,
            subjects,
            places: facts.places(table.spec.name),
            grounds: facts.grounds(),
            reads: reads_of_identities(rule),
            controls: ControlKind::ALL.into_iter().filter(|kind| rule.predicate.contains(kind.as_str())).collect(),
            identity: table.column(rule.identity),
            scope: table.column("scope"),
            discriminator: discriminator(rule, table),
            message: rule
                .message
                .parts()
                .iter()
                .map(|part| match part {
                    Part::Text(text) => Piece::Text(Arc::clone(text)),
                    Part::Place(name) if has_name && **name == *rule.identity => Piece::Whom,
                    Part::Place(name) => match table.column(name) {
                        Some(column) => Piece::Column(column),
                        None => Piece::Text(rule.param(name).map(ParamValue::text).unwrap_or_default().into()),
                    },
                })
                .collect(),
            show: rule.show.iter().filter_map(|name| Some((*name, table.column(name)?))).collect(),
            fixes: subjects.providers.iter().map(|provider| rule.fix_at(provider.0)).collect(),
        }
    }

    /// The rows, run by run.
    fn runs(&self) -> Vec<Stretch<'a>> {
        let mut runs = Vec::new();
        let mut rest: Stretch<'a> = &self.selected.rows;
        while !rest.is_empty() {
            let mut end = RUN.min(rest.len());
            while let (Some((last, _)), Some((next, _))) = (rest.get(end - 1), rest.get(end))
                && self.is_alike(*last, *next)
            {
                end += 1;
            }
            let (run, after) = rest.split_at(end);
            runs.push(run);
            rest = after;
        }
        runs
    }

    /// Whether nothing tells two rows apart.
    fn is_alike(&self, one: usize, other: usize) -> bool {
        let id = |row: usize| self.identity.and_then(|column| column.text(row));
        id(one) == id(other) && key(&self.discriminator, one) == key(&self.discriminator, other)
    }

    /// What is said of a row that cannot be decided. The rule's message would state as a fact what nobody knows, and its
    /// remedy would mend what may not be broken. `subject`: the position of whom the row is about.
    fn said<'s>(
        &self,
        row: usize,
        subject: Option<usize>,
        provider: ProviderName,
        scope: &ScopeId,
        before: &'s mut SaidBefore<'a>,
    ) -> &'s Said {
        let cited = self.selected.cited(self.table, row);
        let key = (cited, self.subjects.doubts(subject), provider, scope.clone());
        before.entry(key).or_insert_with_key(|(cited, doubts, provider, scope)| {
            Said::new(self.table.spec, cited, doubts, self.subjects.gaps(*provider, scope))
        })
    }

    /// Writes the rule's message with the values of a row. `name`: of whom it is about.
    fn title(&self, row: usize, name: &str, line: &mut String) {
        for piece in &self.message {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Whom => line.push_str(name),
                Piece::Column(column) => {
                    let before = line.len();
                    readable(column, row, line);
                    if line.len() - before > LONG_LIST {
                        let list = line.split_off(before);
                        line.push_str(&abridged(&list));
                    }
                }
            }
        }
    }

    /// What the columns that the predicate reads rest on, for the row of the identity at a position. What is not known decides
    /// only where the row waits for it.
    fn grounds(&self, row: usize, subject: Option<usize>, missing: &[Missing]) -> Vec<&'a Ground> {
        let all = subject.filter(|_| !self.reads.is_empty()).map_or(&[][..], |subject| self.grounds.of(subject));
        let is_meant = |ground: &&Ground| {
            let is_known = || self.table.column(ground.column).is_some_and(|column| !column.is_null(row));
            let is_named = |kind| self.controls.is_empty() || self.controls.contains(&kind);
            self.reads.contains(&ground.column)
                && ground.control.is_none_or(is_named)
                && (is_known() || missing.iter().any(|missing| &*missing.column == ground.column))
        };
        all.iter().map(|ground| &**ground).filter(is_meant).collect()
    }

    /// Where the row is written, where the statements stand that it rests on, and where the identity is.
    fn evidence(&self, row: usize, grounds: &[&Ground], subject: Option<&Identity>) -> Vec<Evidence> {
        let places = self.places.of(row);
        let stated = grounds.iter().flat_map(|ground| &ground.places);
        let own = subject.map(|identity| &identity.evidence);
        let mut evidence = Vec::with_capacity(places.len() + usize::from(own.is_some()));
        evidence.extend(places.iter().cloned());
        for place in stated.chain(own) {
            if !evidence.contains(place) {
                evidence.push(place.clone());
            }
        }
        evidence
    }
}

/// The columns of table `identities` that the predicate of a rule reads, and other words of it.
pub(super) fn reads_of_identities(rule: &Rule) -> Vec<&str> {
    if rule.table.name == IdentityRow::SPEC.name { words(&rule.predicate) } else { Vec::new() }
}

/// The names in a condition: its columns are among them.
fn words(condition: &str) -> Vec<&str> {
    let tokens = sql::tokens(condition).into_iter();
    tokens
        .filter_map(|token| match token {
            sql::Token::Word(word) | sql::Token::Quoted(word) => Some(word),
            _ => None,
        })
        .collect()
}

/// What the findings of a run share. Each run has copies of its own: threads that count the holders of one and the same
/// text wait for each other.
struct Run<'m, 'a> {
    maker: &'m Maker<'a>,
    rule: RuleId,
    frameworks: Arc<[(Arc<str>, Arc<str>)]>,
    /// How to put a failure right, by provider.
    fixes: Vec<Arc<str>>,
    /// The names of the columns shown.
    shown: Vec<Arc<str>>,
    /// What a failure waits for.
    nothing: Arc<[Missing]>,
    said: SaidBefore<'a>,
    /// Where texts are put together before they take the room that they need.
    line: String,
}

impl<'m, 'a> Run<'m, 'a> {
    fn of(maker: &'m Maker<'a>) -> Self {
        let rule = maker.rule;
        let framework = |reference: &FrameworkRef| (Arc::clone(&reference.framework), Arc::clone(&reference.id));
        Self {
            maker,
            rule: RuleId::from(rule.id.as_str()),
            frameworks: rule.frameworks.iter().map(framework).collect(),
            fixes: maker.fixes.iter().map(|fix| Arc::from(&**fix)).collect(),
            shown: maker.show.iter().map(|(name, _)| Arc::from(*name)).collect(),
            nothing: Arc::from(Vec::new()),
            said: SaidBefore::default(),
            line: String::new(),
        }
    }

    /// The findings of the rows; of those with one id the first.
    fn findings(mut self, rows: Stretch<'_>) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::with_capacity(rows.len());
        for (row, status) in rows {
            let Some(finding) = self.finding(*row, *status) else { continue };
            if findings.last().is_none_or(|last| last.id != finding.id) {
                findings.push(finding);
            }
        }
        findings
    }

    /// The finding of a row; `None` where the row is nobody's.
    fn finding(&mut self, row: usize, status: Status) -> Option<Finding> {
        let Self { maker, rule, frameworks, fixes, shown, nothing, said, line } = self;
        let id = IdentityId::new(Arc::clone(maker.identity?.text(row)?));
        let position = maker.owners.subject(row);
        let subject = position.and_then(|position| maker.subjects.identity(position));
        let owner = maker.owners.provider(row)?;
        let provider = *maker.subjects.providers.get(owner)?;
        let scope = match subject {
            Some(identity) => identity.scope.clone(),
            None => {
                let written = maker.scope.and_then(|column| column.text(row));
                ScopeId::new(written.map_or_else(|| Arc::from(""), Arc::clone))
            }
        };
        let name = subject.map_or_else(|| id.shared(), |identity| Arc::clone(&identity.name));
        line.clear();
        let (remedy, missing) = match status {
            Status::Fail => {
                maker.title(row, &name, line);
                (Arc::clone(fixes.get(owner)?), Arc::clone(nothing))
            }
            Status::Unknown => {
                let said = maker.said(row, position, provider, &scope, said);
                line.extend([&*name, ": “", &*maker.rule.title, "” is undecided; not known: ", &*said.what]);
                (Arc::clone(&said.remedy), Arc::clone(&said.missing))
            }
        };
        let title = line.clone();
        let facts = shown.iter().zip(&maker.show).map(|(name, (_, column))| {
            line.clear();
            readable(column, row, line);
            (Arc::clone(name), line.clone())
        });
        let mut facts: Vec<(Arc<str>, String)> = facts.collect();
        let grounds = maker.grounds(row, position, &missing);
        for ground in &grounds {
            let name = format!("{}_by", ground.column);
            match facts.last_mut() {
                // What one column rests on stands together.
                Some((last, by)) if **last == *name => {
                    by.push_str("; ");
                    by.push_str(&ground.by);
                }
                _ => facts.push((name.into(), ground.by.to_string())),
            }
        }
        line.clear();
        id_of([rule.as_str(), provider.0, scope.as_str(), id.as_str()], &key(&maker.discriminator, row), line);
        Some(Finding {
            id: FindingId::from(line.as_str()),
            rule: rule.clone(),
            severity: maker.rule.severity,
            dimension: maker.rule.dimension,
            status,
            provider,
            scope,
            name,
            title,
            identity: id,
            facts,
            evidence: maker.evidence(row, &grounds, subject),
            remedy,
            missing,
            frameworks: Arc::clone(frameworks),
            waiver: None,
        })
    }
}

/// Lists longer than this, in bytes, are told by their beginning in a title; the facts of the finding hold them whole.
const LONG_LIST: usize = 160;

/// The beginning of a list whose items are joined by `, `, and how many follow.
fn abridged(list: &str) -> String {
    let mut items = list.split(", ");
    let mut told = items.next().unwrap_or_default().to_owned();
    let mut left = items.clone().count();
    for item in items {
        if told.len() + item.len() > LONG_LIST {
            break;
        }
        told.push_str(", ");
        told.push_str(item);
        left -= 1;
    }
    match left {
        0 => told,
        more => told + &format!(" and {more} more"),
    }
}

/// A finding's id: it stays the same as long as the rule, the identity and the row's key do. `named`: the rule, the
/// provider, the scope and the identity.
fn id_of(named: [&str; 4], key: &[Cow<'_, str>], id: &mut String) {
    let mut hasher = blake3::Hasher::new();
    for text in named.into_iter().chain(key.iter().map(AsRef::as_ref)) {
        // The length in front keeps parts apart whatever they contain.
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    for byte in hasher.finalize().as_bytes().iter().take(8) {
        id.push(digit(byte >> 4));
        id.push(digit(byte & 15));
    }
}

/// A value as a key: different values of one column have different texts.
fn exact(column: &Column, row: usize) -> Cow<'_, str> {
    let text = match column {
        Column::Text(values) => return values.get(row).map_or("", |value| &**value).into(),
        Column::Integer(values) => known(values, row).map(|value| value.to_string()),
        Column::Float(values) => known(values, row).map(|value| format!("{value:?}")),
        Column::Boolean(values) => known(values, row).map(|value| value.to_string()),
        Column::Timestamp(values) => known(values, row).map(|value| value.to_string()),
    };
    text.unwrap_or_default().into()
}

/// A value of a column for people, as a text of its own.
pub(super) fn for_people(column: &Column, row: usize) -> String {
    let mut text = String::new();
    readable(column, row, &mut text);
    text
}

/// A value of a column for people.
fn readable(column: &Column, row: usize, text: &mut String) {
    let written = match column {
        Column::Text(values) => values.get(row).map(|value| match &**value {
            "" => text.write_str("none"),
            value => text.write_str(value),
        }),
        Column::Integer(values) => known(values, row).map(|value| write!(text, "{value}")),
        Column::Float(values) => known(values, row).map(|value| write!(text, "{value:.2}")),
        Column::Boolean(values) => known(values, row).map(|value| text.write_str(if value { "yes" } else { "no" })),
        Column::Timestamp(values) => known(values, row).map(|value| write!(text, "{}", value.strftime("%Y-%m-%d"))),
    };
    if written.is_none() {
        text.push_str("unknown");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_told_by_its_beginning_and_nothing_else_is_cut() {
        let items: Vec<String> = (0..100).map(|at| format!("Bash(tool-{at:03}:*)")).collect();
        let told = abridged(&items.join(", "));
        assert!(told.starts_with("Bash(tool-000:*), Bash(tool-001:*)") && told.ends_with("more"), "{told}");
        let shown = told.matches("Bash").count();
        assert!(told.len() < LONG_LIST + 20 && told.ends_with(&format!(" and {} more", 100 - shown)), "{told}");
        let sentence = "a".repeat(400);
        assert_eq!(abridged(&sentence), sentence);
    }
}
