//! The data of the page: what its lists and cards show, as columns of numbers over one list of texts.
//!
//! A page that a browser opens has an end, so every list has one too: the worst rows are kept, and how many are left out
//! is told beside the list.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use evenhand_model::finding::{Finding, Severity, Status};
use serde::Serialize;

use super::facts::Facts;
use super::pairs::{self, Pair};
use super::strings::{StringIx, Strings};
use crate::findings::Ranked;
use crate::report::Report;

/// How many rows of each list a page holds.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) identities: usize,
    pub(super) findings: usize,
    pub(super) excess: usize,
    /// Excess atoms of one identity where a page cannot hold all, so that one administrator does not take the room of all
    /// others.
    pub(super) excess_each: usize,
    pub(super) paths: usize,
    pub(super) credentials: usize,
}

/// What a browser on a laptop opens in a moment: some 20 MB at most.
pub(super) const LIMITS: Limits = Limits {
    identities: 25_000,
    findings: 60_000,
    excess: 25_000,
    excess_each: 200,
    paths: 10_000,
    credentials: 25_000,
};

/// Rows that the page does not hold, by list.
#[derive(Clone, Copy, Default)]
pub(super) struct Left {
    pub(super) pairs: usize,
    pub(super) identities: usize,
    pub(super) findings: usize,
    pub(super) excess: usize,
    pub(super) paths: usize,
}

/// Everything that the script reads.
#[derive(Serialize)]
pub(super) struct Data {
    strings: Strings,
    identities: IdentityColumns,
    pub(super) pairs: Vec<Pair>,
    pub(super) excess: ExcessColumns,
    pub(super) paths: PathColumns,
    credentials: CredentialColumns,
    rules: RuleColumns,
    findings: FindingColumns,
    #[serde(skip)]
    pub(super) left: Left,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct IdentityColumns {
    id: Vec<StringIx>,
    name: Vec<StringIx>,
    provider: Vec<StringIx>,
    scope: Vec<StringIx>,
    kind: Vec<StringIx>,
    nature: Vec<StringIx>,
    reason: Vec<StringIx>,
    owner: Vec<Option<StringIx>>,
    has_owner: Vec<Option<bool>>,
    admin: Vec<Option<bool>>,
    escalates: Vec<Option<bool>>,
    idle: Vec<Option<i64>>,
    weight: Vec<Option<i64>>,
    location: Vec<StringIx>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExcessColumns {
    pub(super) identity: Vec<Option<u32>>,
    name: Vec<StringIx>,
    operation: Vec<StringIx>,
    operations: Vec<i64>,
    level: Vec<usize>,
    weight: Vec<i64>,
    high_risk: Vec<bool>,
    decided: Vec<bool>,
    scope: Vec<StringIx>,
    condition: Vec<StringIx>,
    people: Vec<StringIx>,
    grant: Vec<StringIx>,
    location: Vec<StringIx>,
}

#[derive(Default, Serialize)]
pub(super) struct PathColumns {
    pub(super) identity: Vec<Option<u32>>,
    name: Vec<StringIx>,
    /// The start, everyone on the way, the target.
    nodes: Vec<Vec<StringIx>>,
    techniques: Vec<StringIx>,
    escalation: Vec<bool>,
    conditional: Vec<bool>,
    crosses: Vec<bool>,
    admin: Vec<bool>,
    evidence: Vec<StringIx>,
}

#[derive(Default, Serialize)]
struct CredentialColumns {
    identity: Vec<Option<u32>>,
    kind: Vec<StringIx>,
    age: Vec<Option<i64>>,
    expires: Vec<Option<bool>>,
    expired: Vec<Option<bool>>,
    exposure: Vec<Option<StringIx>>,
    location: Vec<StringIx>,
}

#[derive(Default, Serialize)]
struct RuleColumns {
    id: Vec<StringIx>,
    title: Vec<StringIx>,
    dimension: Vec<StringIx>,
    frameworks: Vec<Vec<(StringIx, StringIx)>>,
}

#[derive(Default, Serialize)]
struct FindingColumns {
    rule: Vec<usize>,
    severity: Vec<usize>,
    unknown: Vec<bool>,
    identity: Vec<Option<u32>>,
    name: Vec<StringIx>,
    title: Vec<StringIx>,
    provider: Vec<StringIx>,
    scope: Vec<StringIx>,
    remedy: Vec<StringIx>,
    evidence: Vec<Vec<StringIx>>,
    facts: Vec<Vec<StringIx>>,
    missing: Vec<Vec<StringIx>>,
    /// Who accepted it, why and until when; `null` where nobody did.
    accepted: Vec<Option<StringIx>>,
}

impl Data {
    pub(super) fn of(report: &Report, limits: Limits) -> Self {
        let mut building = Building {
            report,
            limits,
            strings: Strings::default(),
            places: HashMap::new(),
            identities: IdentityColumns::default(),
            left: Left::default(),
        };
        building.identities();
        let pairs = building.pairs();
        let excess = building.excess();
        let paths = building.paths();
        let credentials = building.credentials();
        let (rules, findings) = building.findings();
        let Building { strings, identities, left, .. } = building;
        Self { strings, identities, pairs, excess, paths, credentials, rules, findings, left }
    }

    pub(super) fn identity_count(&self) -> usize {
        self.identities.id.len()
    }

    pub(super) fn finding_count(&self) -> usize {
        self.findings.rule.len()
    }
}

struct Building<'a> {
    report: &'a Report,
    limits: Limits,
    strings: Strings,
    /// Where an identity stands in the list, by id.
    places: HashMap<String, u32>,
    identities: IdentityColumns,
    left: Left,
}

impl Building<'_> {
    /// The identities of the page: those compared with people, then other AI identities, then those with the worst findings.
    fn identities(&mut self) {
        let table = Facts::of(self.report, "identities");
        let mut worst: HashMap<&str, Severity> = HashMap::new();
        for finding in self.report.findings.iter().filter(|finding| finding.status == Status::Fail) {
            let held = worst.entry(finding.identity.as_str()).or_insert(finding.severity);
            *held = (*held).max(finding.severity);
        }
        let compared: BTreeSet<&str> = self.report.comparisons.iter().map(|held| held.identity.as_str()).collect();
        let mut rows: Vec<_> = (0..table.rows())
            .map(|row| {
                let id = table.text(row, "id").unwrap_or_default();
                let is_ai = table.text(row, "nature").is_some_and(|nature| *nature == *"ai_agent");
                let key = (!compared.contains(&*id), !is_ai, Reverse(worst.get(&*id).copied()));
                (key, row, id)
            })
            .collect();
        rows.sort_by(|(a, row, _), (b, other, _)| (a, row).cmp(&(b, other)));
        self.left.identities = rows.len().saturating_sub(self.limits.identities);
        for (_, row, id) in rows.into_iter().take(self.limits.identities) {
            let place = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
            self.places.insert(id.to_string(), place);
            let held = &mut self.identities;
            let strings = &mut self.strings;
            let mut text = |column| strings.add(&table.text(row, column).unwrap_or_default());
            held.id.push(text("id"));
            held.name.push(text("name"));
            held.provider.push(text("provider"));
            held.scope.push(text("scope"));
            held.kind.push(text("kind"));
            held.nature.push(text("nature"));
            held.reason.push(text("nature_evidence"));
            held.location.push(text("location"));
            held.owner.push(table.text(row, "owner").map(|owner| strings.add(&owner)));
            held.has_owner.push(table.boolean(row, "has_owner"));
            held.admin.push(table.boolean(row, "admin"));
            held.escalates.push(table.boolean(row, "can_escalate"));
            held.idle.push(table.integer(row, "idle_days"));
            held.weight.push(table.integer(row, "access_weight"));
        }
    }

    fn place(&self, identity: &str) -> Option<u32> {
        self.places.get(identity).copied()
    }

    /// An identity's name, or its id where the page does not list it.
    fn name(&mut self, identity: &str) -> StringIx {
        let listed = self.place(identity).and_then(|place| self.identities.name.get(place as usize)).copied();
        listed.unwrap_or_else(|| self.strings.add(identity))
    }

    fn pairs(&mut self) -> Vec<Pair> {
        let weighed = pairs::weighed(self.report);
        let mut pairs = Vec::new();
        for comparison in pairs::ranked(self.report) {
            let id = comparison.identity.as_str();
            match self.place(id) {
                Some(place) => pairs.push(Pair::of(comparison, place, weighed.get(id), &mut self.strings)),
                None => self.left.pairs += 1,
            }
        }
        pairs
    }

    /// Excess atoms, heaviest first, what is not decided last.
    fn excess(&mut self) -> ExcessColumns {
        let table = Facts::of(self.report, "excess");
        let most_each = if table.rows() <= self.limits.excess { usize::MAX } else { self.limits.excess_each };
        let mut each: HashMap<std::sync::Arc<str>, usize> = HashMap::new();
        let mut rows = Vec::new();
        for row in 0..table.rows() {
            let Some(identity) = table.text(row, "identity") else { continue };
            let taken = each.entry(identity).or_default();
            *taken += 1;
            if *taken <= most_each {
                let decided = table.boolean(row, "decided") == Some(true);
                let risky = table.boolean(row, "high_risk") == Some(true);
                rows.push((!decided, !risky, Reverse(table.integer(row, "weight")), row));
            }
        }
        rows.sort_unstable();
        rows.truncate(self.limits.excess);
        self.left.excess = table.rows() - rows.len();
        let mut held = ExcessColumns::default();
        for (undecided, harmless, _, row) in rows {
            let identity = table.text(row, "identity").unwrap_or_default();
            held.identity.push(self.place(&identity));
            held.name.push(self.name(&identity));
            held.operations.push(table.integer(row, "operations").unwrap_or(1));
            held.level.push(table.text(row, "access_level").and_then(|word| pairs::level_position(&word)).unwrap_or(0));
            held.weight.push(table.integer(row, "weight").unwrap_or(0));
            held.high_risk.push(!harmless);
            held.decided.push(!undecided);
            let mut text = |column| self.strings.add(&table.text(row, column).unwrap_or_default());
            held.operation.push(text("operation"));
            held.scope.push(text("scope"));
            held.condition.push(text("condition"));
            held.people.push(text("people_have"));
            held.grant.push(text("granted_by"));
            held.location.push(text("location"));
        }
        held
    }

    /// Paths, those of AI identities first, those to full control before those that only escalate, the short ones before
    /// the long ones.
    fn paths(&mut self) -> PathColumns {
        let table = Facts::of(self.report, "paths");
        let is = |row, column| table.boolean(row, column) == Some(true);
        let mut rows: Vec<_> = (0..table.rows())
            .map(|row| {
                let is_ai = table.text(row, "nature").is_some_and(|nature| *nature == *"ai_agent");
                (
                    !is_ai,
                    !is(row, "escalation"),
                    !is(row, "reaches_admin"),
                    is(row, "conditional"),
                    table.integer(row, "hops"),
                    row,
                )
            })
            .collect();
        rows.sort_unstable();
        self.left.paths = rows.len().saturating_sub(self.limits.paths);
        let mut held = PathColumns::default();
        for (.., row) in rows.into_iter().take(self.limits.paths) {
            let text = |column| table.text(row, column).unwrap_or_default();
            let identity = text("identity");
            let (through, target) = (text("through"), text("target"));
            let nodes = std::iter::once(&*identity)
                .chain(through.split(" > ").filter(|node| !node.is_empty()))
                .chain(std::iter::once(&*target));
            held.nodes.push(nodes.map(|node| self.strings.add(node)).collect());
            held.identity.push(self.place(&identity));
            held.name.push(self.name(&identity));
            held.techniques.push(self.strings.add(&text("techniques")));
            held.evidence.push(self.strings.add(&text("evidence")));
            held.escalation.push(is(row, "escalation"));
            held.conditional.push(is(row, "conditional"));
            held.crosses.push(is(row, "crosses_provider"));
            held.admin.push(is(row, "reaches_admin"));
        }
        held
    }

    /// The credentials of the identities that the page lists.
    fn credentials(&mut self) -> CredentialColumns {
        let table = Facts::of(self.report, "credentials");
        let mut held = CredentialColumns::default();
        for row in 0..table.rows() {
            let text = |column| table.text(row, column);
            let Some(place) = text("identity").and_then(|identity| self.place(&identity)) else { continue };
            if held.kind.len() >= self.limits.credentials {
                break;
            }
            held.identity.push(Some(place));
            held.kind.push(self.strings.add(&text("kind").unwrap_or_default()));
            held.location.push(self.strings.add(&text("location").unwrap_or_default()));
            held.exposure.push(text("exposure").map(|exposure| self.strings.add(&exposure)));
            held.age.push(table.integer(row, "age_days"));
            held.expires.push(table.boolean(row, "has_expiry"));
            held.expired.push(table.boolean(row, "expired"));
        }
        held
    }

    /// What failed, worst first, then what is not decided, then what somebody accepted.
    fn findings(&mut self) -> (RuleColumns, FindingColumns) {
        let report = self.report;
        let ranked = Ranked::of(report);
        let is_open = |finding: &&Finding| finding.status == Status::Unknown && finding.waiver.is_none();
        let undecided = report.findings.iter().filter(is_open);
        let accepted = report.findings.iter().filter(|finding| finding.waiver.is_some());
        let (mut rules, mut findings) = (RuleColumns::default(), FindingColumns::default());
        let mut places: HashMap<&str, usize> = HashMap::new();
        self.left.findings = report.findings.len().saturating_sub(self.limits.findings);
        for finding in ranked.findings().chain(undecided).chain(accepted).take(self.limits.findings) {
            let rule = match places.get(finding.rule.as_str()) {
                Some(place) => *place,
                None => {
                    places.insert(finding.rule.as_str(), places.len());
                    self.rule(finding, &mut rules);
                    places.len() - 1
                }
            };
            self.finding(finding, rule, &mut findings);
        }
        (rules, findings)
    }

    fn rule(&mut self, finding: &Finding, held: &mut RuleColumns) {
        let title = self.report.rules.iter().find(|rule| rule.id == finding.rule).map(|rule| &*rule.title);
        held.id.push(self.strings.add(finding.rule.as_str()));
        held.title.push(self.strings.add(title.unwrap_or("")));
        held.dimension.push(self.strings.add(finding.dimension.as_str()));
        let frameworks = finding.frameworks.iter();
        held.frameworks
            .push(frameworks.map(|(framework, id)| (self.strings.add(framework), self.strings.add(id))).collect());
    }

    fn finding(&mut self, finding: &Finding, rule: usize, held: &mut FindingColumns) {
        held.rule.push(rule);
        held.severity
            .push(Severity::WORST_FIRST.iter().position(|severity| *severity == finding.severity).unwrap_or(0));
        held.unknown.push(finding.status == Status::Unknown);
        held.identity.push(self.place(finding.identity.as_str()));
        let strings = &mut self.strings;
        held.name.push(strings.add(&finding.name));
        held.title.push(strings.add(&finding.title));
        held.provider.push(strings.add(finding.provider.0));
        held.scope.push(strings.add(finding.scope.as_str()));
        held.remedy.push(strings.add_lines(&finding.remedy));
        held.evidence.push(finding.evidence.iter().map(|evidence| strings.add(&evidence.to_string())).collect());
        held.facts.push(finding.facts.iter().map(|(name, value)| strings.add(&format!("{name} = {value}"))).collect());
        held.accepted.push(finding.waiver.as_ref().map(|waiver| strings.add(&crate::words::accepted(waiver))));
        held.missing.push(
            finding
                .missing
                .iter()
                .map(|missing| match &missing.because {
                    Some(because) => strings.add(&format!("{}, because {because}", missing.what)),
                    None => strings.add(&missing.what),
                })
                .collect(),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use evenhand_model::fact_table;
    use evenhand_model::finding::Dimension;
    use evenhand_model::id::ProviderName;
    use evenhand_model::table::Row as _;

    use super::*;
    use crate::report::{Coverage, Scan, Tool};

    fn finding(id: &str, severity: Severity, status: Status) -> Finding {
        Finding {
            id: id.into(),
            rule: "rule".into(),
            severity,
            dimension: Dimension::Access,
            status,
            provider: ProviderName("toy"),
            scope: "prod".into(),
            identity: "agent".into(),
            name: "agent".into(),
            title: id.to_owned(),
            facts: Vec::new(),
            evidence: Vec::new(),
            remedy: "one\ntwo".into(),
            missing: Arc::default(),
            frameworks: Arc::from([]),
            waiver: None,
        }
    }

    fn report(findings: Vec<Finding>) -> Report {
        Report {
            tool: Tool {
                name: "evenhand",
                version: "0.0.0".into(),
                rules: 1,
                rule_pack: String::new(),
                catalogs: vec![],
            },
            scan: Scan { id: String::new(), time: jiff::Timestamp::UNIX_EPOCH, sources: vec![] },
            score: None,
            tables: vec![],
            comparisons: vec![],
            findings,
            filtered: 0,
            gaps: vec![],
            hints: vec![],
            possible_agents: vec![],
            coverage: Coverage::default(),
            rules: vec![],
        }
    }

    #[test]
    fn a_full_page_keeps_the_worst_and_counts_the_rest() {
        let report = report(vec![
            finding("open", Severity::Critical, Status::Unknown),
            finding("bad", Severity::High, Status::Fail),
            finding("worse", Severity::Critical, Status::Fail),
        ]);
        let data = Data::of(&report, Limits { findings: 2, ..LIMITS });
        let text = serde_json::to_value(&data).unwrap();
        let title = |row: usize| text["strings"][text["findings"]["title"][row].as_u64().unwrap() as usize].clone();
        assert_eq!((title(0), title(1)), ("worse".into(), "bad".into()));
        assert_eq!((data.finding_count(), data.left.findings), (2, 1));
    }

    fact_table! {
        #[table("excess", "excess atom")]
        /// What the page needs of an atom.
        struct AtomRow {
            /// The AI identity.
            identity: Arc<str>,
            /// The operation.
            operation: Arc<str>,
        }
    }

    #[test]
    fn all_excess_is_in_the_page_and_only_where_it_cannot_be_each_has_its_share() {
        let atom = |identity: &str, operation: &str| AtomRow { identity: identity.into(), operation: operation.into() };
        let mut report = report(vec![]);
        report.tables =
            vec![AtomRow::table(vec![atom("a", "one"), atom("a", "two"), atom("a", "three"), atom("b", "four")])];
        let held = |excess| {
            let data = Data::of(&report, Limits { excess, excess_each: 1, ..LIMITS });
            (data.excess.identity.len(), data.left.excess)
        };
        assert_eq!((held(4), held(3)), ((4, 0), (2, 2)));
    }

    #[test]
    fn equal_texts_are_held_once_and_lines_stay_lines() {
        let report = report(vec![finding("a", Severity::Low, Status::Fail), finding("b", Severity::Low, Status::Fail)]);
        let text = serde_json::to_value(Data::of(&report, LIMITS)).unwrap();
        let strings: Vec<&str> =
            text["strings"].as_array().unwrap().iter().map(|held| held.as_str().unwrap()).collect();
        assert_eq!(strings.iter().filter(|held| **held == "agent").count(), 1);
        assert!(strings.contains(&"one\ntwo"), "{strings:?}");
    }
}
