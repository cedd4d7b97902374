//! From a row that a rule selected to a finding.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::finding::{Finding, Status};
use evenhand_model::gap::Gap;
use evenhand_model::id::{FindingId, IdentityId, ProviderName, ScopeId};
use evenhand_model::identity::Identity;
use evenhand_model::inventory::Inventory;
use evenhand_model::parity::Comparison;
use evenhand_model::table::{Column, Row as _, Table, Value};
use rayon::prelude::*;

use crate::engine::open::{Cited, Said};
use crate::engine::select::Selected;
use crate::facts::tables::WaiverRow;
use crate::facts::{Facts, Places};
use crate::judgements::Judgements;
use crate::pack::{ParamValue, Part, Rule};
use crate::waivers::CONFIGURATION;

/// Whom findings can be about.
pub(super) struct Subjects<'a> {
    inventory: &'a Inventory,
    judgements: &'a Judgements,
    comparisons: &'a [Comparison],
    providers: BTreeSet<ProviderName>,
    gaps: BTreeMap<(ProviderName, &'a ScopeId), Vec<&'a Gap>>,
}

impl<'a> Subjects<'a> {
    pub(super) fn new(inventory: &'a Inventory, judgements: &'a Judgements, comparisons: &'a [Comparison]) -> Self {
        let mut providers: BTreeSet<ProviderName> =
            inventory.identities.iter().map(|identity| identity.provider).collect();
        providers.extend(inventory.trusts.iter().map(|trust| trust.provider));
        providers.extend(inventory.credentials.iter().map(|credential| credential.provider));
        providers.extend(inventory.workloads.iter().map(|workload| workload.provider));
        providers.extend(inventory.agents.iter().map(|agent| agent.provider));
        providers.extend(inventory.logs.iter().map(|log| log.provider));
        providers.extend(inventory.gaps.iter().filter_map(|gap| gap.provider));
        providers.insert(ProviderName(CONFIGURATION));
        let mut gaps: BTreeMap<_, Vec<&Gap>> = BTreeMap::new();
        for gap in &inventory.gaps {
            if let (Some(provider), Some(scope)) = (gap.provider, &gap.scope) {
                gaps.entry((provider, scope)).or_default().push(gap);
            }
        }
        Self { inventory, judgements, comparisons, providers, gaps }
    }

    /// Why the comparison of an identity, or what it may do, may be other than was found.
    fn doubts(&self, id: &IdentityId) -> &'a [Arc<str>] {
        let at = self.comparisons.binary_search_by(|held| held.identity.cmp(id)).ok();
        at.and_then(|at| self.comparisons.get(at)).map_or(&[], |comparison| &comparison.doubts)
    }

    fn identity(&self, id: &IdentityId) -> Option<&'a Identity> {
        self.inventory.identities.get(self.judgements.position(id)?)
    }

    /// The name of a provider as the inventory spells it.
    fn provider(&self, name: &str) -> Option<ProviderName> {
        self.providers.iter().copied().find(|provider| provider.0 == name)
    }
}

/// Whether a row is about what the vendor runs itself, which nobody is judged by. A waiver is the organisation's own word,
/// whomever it names.
fn is_unjudged(table: &Table, subject: Option<&Identity>) -> bool {
    table.spec.name != WaiverRow::SPEC.name && subject.is_some_and(|identity| identity.vendor_managed)
}

/// The provider of each row of a table, as a position in [`Subjects::providers`]; none for rows that nothing is judged by.
pub(super) struct Owners(Vec<Option<u8>>);

impl Owners {
    /// Looks up whose the rows of a table are, once for all rules over it.
    pub(super) fn of(table: &Table, identity: &str, subjects: &Subjects<'_>) -> Self {
        let (ids, providers) = (table.column(identity), table.column("provider"));
        let owner = |row: usize| {
            let Value::Text(id) = ids?.value(row) else { return None };
            let subject = subjects.identity(&IdentityId::new(id));
            if is_unjudged(table, subject) {
                return None;
            }
            let name = match providers.map(|column| column.value(row)) {
                Some(Value::Text(name)) => name,
                _ => Arc::from(subject?.provider.0),
            };
            let at = subjects.providers.iter().position(|provider| *provider.0 == *name)?;
            u8::try_from(at).ok()
        };
        Self((0..table.rows()).into_par_iter().map(owner).collect())
    }

    /// Which rows a rule judges.
    pub(super) fn judged_by(&self, rule: &Rule, subjects: &Subjects<'_>) -> impl Fn(usize) -> bool {
        let included: Vec<bool> =
            subjects.providers.iter().map(|provider| rule.providers.include(provider.0)).collect();
        move |row| {
            let owner = self.0.get(row).copied().flatten();
            owner.and_then(|at| included.get(usize::from(at))).copied().unwrap_or(false)
        }
    }
}

/// A rule with the columns of its table looked up, so that a row costs no search.
struct Maker<'a> {
    rule: &'a Rule,
    selected: &'a Selected<'a>,
    table: &'a Table,
    subjects: &'a Subjects<'a>,
    places: &'a Places,
    identity: Option<&'a Column>,
    provider: Option<&'a Column>,
    scope: Option<&'a Column>,
    discriminator: Vec<&'a Column>,
    message: Vec<Piece<'a>>,
    show: Vec<(Arc<str>, &'a Column)>,
    frameworks: Arc<[(Arc<str>, Arc<str>)]>,
    /// How to put a failure right, by provider.
    fixes: Vec<(ProviderName, Arc<str>)>,
}

/// What was said of rows that wait for the same: what they wait for, what is in doubt about the identity, and where.
type SaidBefore<'a> = HashMap<(Vec<Cited>, &'a [Arc<str>], ProviderName, ScopeId), Said, foldhash::fast::FixedState>;

/// A piece of a rule's message.
enum Piece<'a> {
    Text(Arc<str>),
    Column(&'a Column),
}

/// The findings of one rule: by identity, then by what tells its rows apart, each id once. Where rows cannot be told apart
/// a failure outweighs an unknown.
pub(super) fn findings<'a>(
    selected: &'a Selected<'a>,
    table: &'a Table,
    facts: &'a Facts,
    subjects: &'a Subjects<'a>,
) -> Vec<Finding> {
    let rule = selected.rule;
    let maker = Maker {
        rule,
        selected,
        table,
        subjects,
        places: facts.places(table.spec.name),
        identity: table.column(rule.identity),
        provider: table.column("provider"),
        scope: table.column("scope"),
        discriminator: rule.discriminator.iter().filter_map(|name| table.column(name)).collect(),
        message: rule
            .message
            .parts()
            .iter()
            .map(|part| match part {
                Part::Text(text) => Piece::Text(Arc::clone(text)),
                Part::Place(name) => match table.column(name) {
                    Some(column) => Piece::Column(column),
                    None => Piece::Text(rule.param(name).map(ParamValue::text).unwrap_or_default().into()),
                },
            })
            .collect(),
        show: rule.show.iter().filter_map(|name| Some((Arc::from(*name), table.column(name)?))).collect(),
        frameworks: rule
            .frameworks
            .iter()
            .map(|reference| (Arc::clone(&reference.framework), Arc::clone(&reference.id)))
            .collect(),
        fixes: subjects.providers.iter().map(|provider| (*provider, rule.fix_at(provider.0))).collect(),
    };
    let order = |(row, status): &(usize, Status)| (maker.id(*row), maker.key(*row), *status, *row);
    let mut rows: Vec<_> = selected.rows.par_iter().map(order).collect();
    rows.par_sort_unstable();
    // Rows of one scope wait for the same facts: a run of them says it once.
    const RUN: usize = 1024;
    let mut found: Vec<Finding> = rows
        .par_chunks(RUN)
        .flat_map_iter(|run| {
            let mut said = SaidBefore::default();
            run.iter().filter_map(|(_, _, status, row)| maker.make(*row, *status, &mut said)).collect::<Vec<_>>()
        })
        .collect();
    found.dedup_by(|later, earlier| later.id == earlier.id);
    found
}

impl<'a> Maker<'a> {
    /// The finding of a row; `None` where the row is none of the rule's.
    fn make(&self, row: usize, status: Status, before: &mut SaidBefore<'a>) -> Option<Finding> {
        let id = IdentityId::new(self.id(row)?);
        let subject = self.subjects.identity(&id);
        if is_unjudged(self.table, subject) {
            return None;
        }
        let provider = self.provider_of(row, subject)?;
        let scope = subject.map_or_else(
            || match self.scope.map(|column| column.value(row)) {
                Some(Value::Text(scope)) => ScopeId::new(scope),
                _ => ScopeId::new(""),
            },
            |identity| identity.scope.clone(),
        );
        let name = subject.map_or_else(|| id.shared(), |identity| Arc::clone(&identity.name));
        let (title, remedy, missing) = match status {
            Status::Fail => {
                let fix = self.fixes.iter().find(|(held, _)| *held == provider).map(|(_, fix)| fix);
                (self.title(row), Arc::clone(fix.unwrap_or(&self.rule.docs.fix)), Arc::default())
            }
            Status::Unknown => {
                let said = self.said(row, &id, provider, &scope, before);
                let title = format!("{name}: “{}” is undecided; not known: {}", self.rule.title, said.what);
                (title, Arc::clone(&said.remedy), Arc::clone(&said.missing))
            }
        };
        Some(Finding {
            id: id_of(self.rule.id.as_str(), provider.0, &scope, &id, &self.key(row)),
            rule: self.rule.id.clone(),
            severity: self.rule.severity,
            dimension: self.rule.dimension,
            status,
            provider,
            scope,
            name,
            title,
            identity: id,
            facts: self.show.iter().map(|(name, column)| (Arc::clone(name), text_of(column, row))).collect(),
            evidence: self.evidence(row, subject),
            remedy,
            missing,
            frameworks: Arc::clone(&self.frameworks),
            waiver: None,
        })
    }

    /// Whom a row is about.
    fn id(&self, row: usize) -> Option<Arc<str>> {
        match self.identity?.value(row) {
            Value::Text(id) => Some(id),
            _ => None,
        }
    }

    /// What tells a row apart from others about the same identity.
    fn key(&self, row: usize) -> Vec<Arc<str>> {
        self.discriminator.iter().map(|column| exact(&column.value(row))).collect()
    }

    /// Whose row it is, if the rule judges that provider's rows: the row's own provider, else the identity's.
    fn provider_of(&self, row: usize, subject: Option<&Identity>) -> Option<ProviderName> {
        let provider = match self.provider.map(|column| column.value(row)) {
            Some(Value::Text(name)) => match subject {
                Some(identity) if *identity.provider.0 == *name => identity.provider,
                _ => self.subjects.provider(&name)?,
            },
            _ => subject?.provider,
        };
        self.rule.providers.include(provider.0).then_some(provider)
    }

    /// What is said of a row that cannot be decided. The rule's message would state as a fact what nobody knows, and its
    /// remedy would mend what may not be broken.
    fn said<'s>(
        &self,
        row: usize,
        id: &IdentityId,
        provider: ProviderName,
        scope: &ScopeId,
        before: &'s mut SaidBefore<'a>,
    ) -> &'s Said {
        let cited = self.selected.question.cited(self.table, row, &self.selected.conditions);
        let key = (cited, self.subjects.doubts(id), provider, scope.clone());
        before.entry(key).or_insert_with_key(|(cited, doubts, provider, scope)| {
            let gaps = self.subjects.gaps.get(&(*provider, scope)).map_or(&[][..], Vec::as_slice);
            Said::new(self.table.spec, cited, doubts, gaps)
        })
    }

    fn title(&self, row: usize) -> String {
        let mut line = String::with_capacity(self.rule.message.as_str().len() + 32);
        for piece in &self.message {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Column(column) => {
                    let before = line.len();
                    readable(&column.value(row), &mut line);
                    if line.len() - before > LONG_LIST {
                        let list = line.split_off(before);
                        line.push_str(&abridged(&list));
                    }
                }
            }
        }
        line.shrink_to_fit();
        line
    }

    /// Where the row is written, and where the identity is.
    fn evidence(&self, row: usize, subject: Option<&Identity>) -> Vec<Evidence> {
        let places = self.places.of(row);
        let own = subject.map(|identity| &identity.evidence).filter(|own| !places.contains(own));
        let mut evidence = Vec::with_capacity(places.len() + usize::from(own.is_some()));
        evidence.extend(places.iter().cloned());
        evidence.extend(own.cloned());
        evidence
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

/// A value of a column for people.
fn text_of(column: &Column, row: usize) -> String {
    for_people(&column.value(row))
}

/// A finding's id: it stays the same as long as the rule, the identity and the row's key do.
fn id_of(rule: &str, provider: &str, scope: &ScopeId, identity: &IdentityId, key: &[Arc<str>]) -> FindingId {
    let mut hasher = blake3::Hasher::new();
    // The length in front keeps parts apart whatever they contain.
    let mut part = |part: &str| {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    };
    for text in [rule, provider, scope.as_str(), identity.as_str()].into_iter().chain(key.iter().map(AsRef::as_ref)) {
        part(text);
    }
    let mut id = String::with_capacity(16);
    for byte in hasher.finalize().as_bytes().iter().take(8) {
        let _ = write!(id, "{byte:02x}");
    }
    FindingId::from(id)
}

/// A value as a key: different values of one column have different texts.
fn exact(value: &Value) -> Arc<str> {
    match value {
        Value::Null => "".into(),
        Value::Text(value) => Arc::clone(value),
        Value::Integer(value) => value.to_string().into(),
        Value::Float(value) => format!("{value:?}").into(),
        Value::Boolean(value) => value.to_string().into(),
        Value::Timestamp(value) => value.to_string().into(),
    }
}

/// A value for people, as a text of its own.
pub(super) fn for_people(value: &Value) -> String {
    let mut text = String::new();
    readable(value, &mut text);
    text
}

/// A value for people.
fn readable(value: &Value, text: &mut String) {
    let _ = match value {
        Value::Null => write!(text, "unknown"),
        Value::Text(value) if value.is_empty() => write!(text, "none"),
        Value::Text(value) => write!(text, "{value}"),
        Value::Integer(value) => write!(text, "{value}"),
        Value::Float(value) => write!(text, "{value:.2}"),
        Value::Boolean(true) => write!(text, "yes"),
        Value::Boolean(false) => write!(text, "no"),
        Value::Timestamp(value) => write!(text, "{}", value.strftime("%Y-%m-%d")),
    };
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
