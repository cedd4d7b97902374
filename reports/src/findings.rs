//! The findings on a terminal: what to fix first, then rule by rule, then what somebody accepted.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::io::Write;

use evenhand_model::finding::{Dimension, Finding, Severity, Status};
use evenhand_model::table::{Column, Table, Value};
use owo_colors::Style;

use crate::report::{Report, WriteError};
use crate::screen::Screen;
use crate::text::{counted, printable, thousands};
use crate::words::{accepted, by_severity, first_line};
use crate::wrap::hung;

/// Where the lines of a finding begin that stand beside its severity.
const WIDE_MARGIN: usize = 11;

/// The severity, worst first, as a person reads it.
fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => Style::new().bright_red().bold(),
        Severity::High => Style::new().red(),
        Severity::Medium => Style::new().yellow(),
        Severity::Low => Style::new().dimmed(),
    }
}

/// How much an identity could do, most telling first: full control, a way to it, a way to more, excess of high risk,
/// the weight of its excess and of all its access.
type Standing = (bool, bool, bool, i64, i64, i64);

/// The identities table, looked up by id.
pub(crate) struct Identities<'a> {
    table: Option<&'a Table>,
}

impl<'a> Identities<'a> {
    pub(crate) fn of(report: &'a Report) -> Self {
        Self { table: report.tables.iter().find(|table| table.spec.name == "identities") }
    }

    pub(crate) fn row(&self, id: &str) -> Option<(&'a Table, usize)> {
        self.row_near(id, 0)
    }

    /// The same, sought from some row onwards at first.
    fn row_near(&self, id: &str, from: usize) -> Option<(&'a Table, usize)> {
        let table = self.table?;
        let Column::Text(ids) = table.column("id")? else { return None };
        Some((table, ids.position_sorted_near(id, from)?))
    }

    /// An identity as people call it, with where it lives.
    pub(crate) fn name(&self, id: &str) -> String {
        let found = self.row(id).and_then(|(table, row)| match (table.value(row, "name"), table.value(row, "scope")) {
            (Value::Text(name), Value::Text(scope)) => {
                let place = scope.split_once(':').map_or(&*scope, |(_, place)| place);
                // Some names say already where they live.
                Some(if name.contains(place) { name.to_string() } else { format!("{name} ({scope})") })
            }
            _ => None,
        });
        printable(&found.unwrap_or_else(|| id.to_owned()))
    }
}

/// The columns that tell how an identity stands.
struct Standings<'a> {
    identities: &'a Identities<'a>,
    truths: [Option<&'a Column>; 2],
    target: Option<&'a Column>,
    numbers: [Option<&'a Column>; 3],
    /// The row that was looked up last: findings of one rule come in the order of the table.
    last: usize,
}

impl<'a> Standings<'a> {
    fn of(identities: &'a Identities<'a>) -> Self {
        let column = |name: &str| identities.table.and_then(|table| table.column(name));
        Self {
            identities,
            truths: ["admin", "can_escalate"].map(column),
            target: column("escalation_target"),
            numbers: ["high_risk_excess", "excess_weight", "access_weight"].map(column),
            last: 0,
        }
    }

    /// With the row of the identity, for one that has any.
    fn get(&mut self, id: &str) -> (Standing, Option<usize>) {
        let Some((_, row)) = self.identities.row_near(id, self.last) else { return Default::default() };
        self.last = row;
        let [admin, escalates] =
            self.truths.map(|column| column.is_some_and(|column| column.value(row) == Value::Boolean(true)));
        let target = self.target.and_then(|column| column.text(row));
        let reaches = target.is_some_and(|target| target.starts_with("admin of "));
        let [high_risk, excess, access] = self.numbers.map(|column| match column.map(|column| column.value(row)) {
            Some(Value::Integer(number)) => number,
            _ => 0,
        });
        ((admin, reaches, escalates, high_risk, excess, access), Some(row))
    }
}

/// The findings that fail and that nobody accepted: worst severity first, then whoever could do most, then by identity and
/// rule. Each with what its identity could do.
pub(crate) struct Ranked<'a>(Vec<(Standing, &'a Finding)>);

impl<'a> Ranked<'a> {
    pub(crate) fn of(report: &'a Report) -> Self {
        let identities = Identities::of(report);
        let mut standings = Standings::of(&identities);
        let open = |finding: &&Finding| finding.status == Status::Fail && finding.waiver.is_none();
        let failed = report.findings.iter().filter(open);
        let mut ranked: Vec<_> = failed
            .map(|finding| {
                let (standing, row) = standings.get(finding.identity.as_str());
                (Reverse((finding.severity, standing)), row, finding)
            })
            .collect();
        ranked.sort_by(|(worst, row, finding), (other_worst, other_row, other)| {
            // Rows of the table are sorted by identity, and sooner compared than names.
            let identity = || match (row, other_row) {
                (Some(row), Some(other_row)) => row.cmp(other_row),
                _ => finding.identity.cmp(&other.identity),
            };
            worst.cmp(other_worst).then_with(identity).then_with(|| finding.rule.cmp(&other.rule))
        });
        Self(ranked.into_iter().map(|(Reverse((_, standing)), _, finding)| (standing, finding)).collect())
    }

    pub(crate) fn findings(&self) -> impl ExactSizeIterator<Item = &'a Finding> {
        self.0.iter().map(|(_, finding)| *finding)
    }
}

/// What is mended first among findings of one severity: what leaks serves anybody, then what its holder may do.
fn urgency(dimension: Dimension) -> u8 {
    match dimension {
        Dimension::Secrets => 0,
        Dimension::Access => 1,
        Dimension::Approval => 2,
        Dimension::Isolation => 3,
        Dimension::Logging => 4,
        Dimension::Accountability => 5,
        Dimension::Lifecycle => 6,
    }
}

/// The first line of a remedy; where more lines follow, who prints them.
fn first_step(finding: &Finding) -> String {
    // The steps, a list per vendor, are a page that `explain` prints.
    let what = printable(first_line(&finding.remedy));
    if finding.remedy.lines().nth(1).is_some() {
        format!("{what} Steps: evenhand explain {}", finding.rule)
    } else {
        what
    }
}

/// An identity with its findings that are critical or high.
struct Urgent<'a> {
    critical: usize,
    high: usize,
    standing: Standing,
    id: &'a str,
    first: &'a Finding,
}

/// What is mended first of two findings about one identity.
fn sooner<'a>(finding: &'a Finding) -> impl Ord + use<'a> {
    (Reverse(finding.severity), urgency(finding.dimension), &finding.rule, &finding.id)
}

fn urgent<'a>(ranked: &Ranked<'a>) -> Vec<Urgent<'a>> {
    let mut found: Vec<Urgent<'a>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (standing, finding) in ranked.0.iter().filter(|(_, finding)| finding.severity >= Severity::High) {
        let id = finding.identity.as_str();
        let at = *places.entry(id).or_insert_with(|| {
            found.push(Urgent { critical: 0, high: 0, standing: *standing, id, first: finding });
            found.len() - 1
        });
        let Some(held) = found.get_mut(at) else { continue };
        if sooner(finding) < sooner(held.first) {
            held.first = finding;
        }
        match finding.severity {
            Severity::Critical => held.critical += 1,
            Severity::High | Severity::Medium | Severity::Low => held.high += 1,
        }
    }
    found.sort_by_key(|held| (Reverse(held.critical), Reverse(held.standing), Reverse(held.high), held.id));
    found
}

/// The first identities of findings, each by its name: with its place where others have that name too, and by its id where
/// even that is theirs.
fn concerned(rows: &[&Finding], identities: &Identities<'_>) -> String {
    const NAMED: usize = 4;
    let mut seen: HashSet<&str> = HashSet::new();
    let distinct: Vec<&Finding> = rows.iter().copied().filter(|row| seen.insert(row.identity.as_str())).collect();
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    let mut by_place: HashMap<(&str, &str), usize> = HashMap::new();
    for row in &distinct {
        *by_name.entry(&*row.name).or_default() += 1;
        *by_place.entry((&*row.name, row.scope.as_str())).or_default() += 1;
    }
    let called = |row: &&Finding| {
        let is_one = |count: Option<&usize>| count == Some(&1);
        if is_one(by_name.get(&*row.name)) {
            printable(&row.name)
        } else if is_one(by_place.get(&(&*row.name, row.scope.as_str()))) {
            identities.name(row.identity.as_str())
        } else {
            printable(row.identity.as_str())
        }
    };
    let mut named: Vec<String> = distinct.iter().take(NAMED).map(called).collect();
    if distinct.len() > NAMED {
        named.push(format!("and {} more", thousands((distinct.len() - NAMED) as u64)));
    }
    named.join(", ")
}

impl Screen {
    /// The identities to begin with, each with the one thing to do first.
    pub(crate) fn fix_first(
        &self,
        report: &Report,
        ranked: &Ranked<'_>,
        sink: &mut dyn Write,
    ) -> Result<(), WriteError> {
        const SHOWN: usize = 4;
        let identities = Identities::of(report);
        let urgent = urgent(ranked);
        if urgent.is_empty() || report.score.is_none() {
            return Ok(());
        }
        self.heading("Fix first", sink)?;
        let shown = urgent.len().min(self.most(SHOWN));
        for held in urgent.iter().take(shown) {
            let counts = by_severity(&[(Severity::Critical, held.critical), (Severity::High, held.high)]);
            self.say(2, &format!("{}: {counts}", identities.name(held.id)), Style::new().bold(), sink)?;
            self.say(6, &printable(&held.first.title), Style::new(), sink)?;
            let fix = match self.tells_each(ranked) {
                true => first_step(held.first),
                false => format!("{} Rule: {}", printable(first_line(&held.first.remedy)), held.first.rule),
            };
            self.say(6, &format!("fix: {fix}"), Style::new(), sink)?;
        }
        self.more(shown, urgent.len(), "--all shows them", sink)
    }

    /// Whether each finding is told, with its place; of more than a few it is who is concerned.
    fn tells_each(&self, ranked: &Ranked<'_>) -> bool {
        const FEW: usize = 12;
        self.is_whole() || ranked.findings().len() <= FEW
    }

    /// The findings rule by rule: people fix rules, not rows.
    pub(crate) fn findings(
        &self,
        report: &Report,
        ranked: &Ranked<'_>,
        sink: &mut dyn Write,
    ) -> Result<(), WriteError> {
        if report.score.is_none() {
            return Ok(());
        }
        const RULES: usize = 10;
        let failed = ranked.findings();
        let in_full = self.tells_each(ranked);
        if failed.len() == 0 {
            let read = if report.is_complete() { "" } else { " in what was read" };
            self.heading(&format!("No finding{read}"), sink)?;
        } else {
            let places = thousands(failed.len() as u64);
            self.heading(
                &format!("Findings, worst first ({places}; the score counts a rule once per identity)"),
                sink,
            )?;
        }
        let mut rules: Vec<(&str, Vec<&Finding>)> = Vec::new();
        for finding in failed {
            match rules.iter_mut().find(|(rule, _)| *rule == finding.rule.as_str()) {
                Some((_, rows)) => rows.push(finding),
                None => rules.push((finding.rule.as_str(), vec![finding])),
            }
        }
        let identities = Identities::of(report);
        let shown = if in_full { rules.len() } else { rules.len().min(self.most(RULES)) };
        for (rule, rows) in rules.iter().take(shown) {
            if in_full {
                self.rule(rule, rows, sink)?;
            } else {
                self.rule_in_short(rule, rows, &identities, sink)?;
            }
        }
        self.further(rules.get(shown..).unwrap_or_default(), sink)?;
        if !in_full {
            let how = "steps: evenhand explain RULE; each finding with its place: --all";
            self.say(2, how, Style::new().dimmed(), sink)?;
        }
        if report.filtered > 0 {
            let line = format!("{} left out by filters", counted(report.filtered, "finding", "findings"));
            self.say(2, &line, Style::new(), sink)?;
        }
        self.accepted(report, sink)
    }

    /// The rules that are not shown, in one paragraph: what is critical or high by name, the rest in numbers.
    fn further(&self, rules: &[(&str, Vec<&Finding>)], sink: &mut dyn Write) -> Result<(), WriteError> {
        if rules.is_empty() {
            return Ok(());
        }
        let mut parts: Vec<String> = Vec::new();
        for severity in Severity::WORST_FIRST {
            let of: Vec<&(&str, Vec<&Finding>)> =
                rules.iter().filter(|(_, rows)| rows.first().is_some_and(|row| row.severity == severity)).collect();
            if of.is_empty() {
                continue;
            }
            let told = if severity >= Severity::High {
                let named: Vec<String> =
                    of.iter().map(|(rule, rows)| format!("{rule} ({})", thousands(rows.len() as u64))).collect();
                named.join(", ")
            } else {
                let findings: usize = of.iter().map(|(_, rows)| rows.len()).sum();
                format!("{} of {}", counted(findings, "finding", "findings"), counted(of.len(), "rule", "rules"))
            };
            parts.push(format!("{severity}: {told}"));
        }
        let rules = counted(rules.len(), "rule", "rules");
        self.say(2, &format!("… and {rules} more, {}; --all shows them", parts.join("; ")), Style::new(), sink)
    }

    /// What somebody accepted for some time.
    fn accepted(&self, report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
        let waived: Vec<_> =
            report.findings.iter().filter_map(|finding| Some((finding, finding.waiver.as_deref()?))).collect();
        if waived.is_empty() {
            return Ok(());
        }
        self.heading(&format!("Accepted exceptions ({})", thousands(waived.len() as u64)), sink)?;
        let shown = waived.len().min(self.most(10));
        for (finding, waiver) in waived.iter().take(shown) {
            let line = format!("{} ({}): {}", finding.rule, finding.severity, printable(&finding.title));
            self.say(2, &line, Style::new(), sink)?;
            self.say(6, &accepted(waiver), Style::new().dimmed(), sink)?;
        }
        self.more(shown, waived.len(), "--all shows them", sink)
    }

    fn rule(&self, rule: &str, rows: &[&Finding], sink: &mut dyn Write) -> Result<(), WriteError> {
        let Some(first) = rows.first() else { return Ok(()) };
        let count = format!("({})", rows.len());
        let severity = format!("{:<8}", first.severity.as_str());
        let style = severity_style(first.severity);
        if 2 + severity.len() + 1 + rule.len() + 1 + count.len() <= self.options.width {
            let (rule, count) = (self.styled(rule, Style::new().bold()), self.styled(&count, Style::new().dimmed()));
            writeln!(sink, "  {} {rule} {count}", self.styled(&severity, style))?;
        } else {
            self.say(2, first.severity.as_str(), style, sink)?;
            self.say(4, &format!("{rule} {count}"), Style::new().bold(), sink)?;
        }
        let margin = self.margin();
        for row in rows {
            self.say(margin, &printable(&row.title), Style::new(), sink)?;
            if let Some(evidence) = row.evidence.first() {
                self.say(margin, &format!("at {}", printable(&evidence.to_string())), Style::new().dimmed(), sink)?;
            }
        }
        self.say(margin, &format!("fix: {}", first_step(first)), Style::new(), sink)
    }

    /// A rule with who is concerned and the first thing to do.
    fn rule_in_short(
        &self,
        rule: &str,
        rows: &[&Finding],
        identities: &Identities<'_>,
        sink: &mut dyn Write,
    ) -> Result<(), WriteError> {
        let Some(first) = rows.first() else { return Ok(()) };
        let text = format!("{rule} ({}): {}", thousands(rows.len() as u64), concerned(rows, identities));
        let (severity, style) = (first.severity.as_str(), severity_style(first.severity));
        let margin = self.margin();
        if margin == WIDE_MARGIN {
            let hang = margin + 2;
            let room = self.options.width.saturating_sub(hang).max(16);
            let head = format!("  {} ", self.styled(&format!("{severity:<8}"), style));
            for (before, line) in hung(&head, hang, &text, room) {
                writeln!(sink, "{before}{line}")?;
            }
        } else {
            self.say(2, &format!("{severity} {text}"), style, sink)?;
        }
        self.say(margin, &format!("fix: {}", printable(first_line(&first.remedy))), Style::new(), sink)
    }

    /// Where the lines of a finding begin: under its rule, unless that leaves too little of a narrow terminal.
    fn margin(&self) -> usize {
        if self.options.width < 70 { 4 } else { WIDE_MARGIN }
    }
}
