//! SARIF 2.1.0, for code scanning: one run per scope, a place for every result, and what was cut or not read as
//! notifications.
//!
//! GitHub refuses a whole file for one result without a file, keeps 5,000 results of a run without promise that they are
//! the worst, and takes 20 runs and 10 MB gzipped (docs.github.com, "SARIF support for code scanning"). So results are
//! ordered worst first and cut here, with a notification that says how many.
//!
//! A rule that cannot be decided gives a result of the kind `open`. It refers to a descriptor of its own, because GitHub
//! takes the severity of an alert from the descriptor, and nothing is known to be wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use evenhand_model::finding::{Finding, Severity, Status};
use evenhand_model::gap::{Gap, GapKind};
use evenhand_model::table::Column;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::each::Each;
use crate::evidence_folder::EvidenceFolder;
use crate::report::{Report, RuleOutcome, Settings, WriteError};
use crate::text::{counted, printable};
use crate::words::{accepted, coverage, cut, gap, settings_by_name, table};

/// The most runs in a file.
const MOST_RUNS: usize = 20;
/// The most results of a run that GitHub keeps.
const MOST_RESULTS: usize = 5_000;
/// The most results in a file: far below 10 MB gzipped.
const MOST_RESULTS_OF_ALL: usize = 25_000;
/// The most tags of a rule.
const MOST_TAGS: usize = 20;
/// The most notifications of a run that are written one by one.
const MOST_NOTIFICATIONS: usize = 200;
/// The most characters of a message.
const MOST_CHARACTERS: usize = 1_000;

/// What is said of a run beside its results: the id of a descriptor, and what it is about.
const NOTIFICATIONS: [(&str, &str); 5] = [
    ("not-read", "Evidence that should be there could not be read, so that the scan is incomplete."),
    ("not-collected", "Evidence is not part of what was read, so that what it would tell is unknown."),
    ("cut", "Results or notifications are not in this file."),
    ("rule-failed", "A rule could not be evaluated, so that nothing is known of what it looks at."),
    ("coverage", "How much was read, and how much of it could be decided."),
];

/// What stays as it is in a path: the unreserved characters of RFC 3986 and the slash.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

#[derive(Serialize)]
struct Log<R: Serialize> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: R,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<R: Serialize> {
    tool: Value,
    automation_details: Value,
    invocations: Value,
    column_kind: &'static str,
    results: R,
    properties: Value,
}

/// Where results belong: a provider and a scope of it, or all scopes of it where there are too many.
type Place<'a> = (&'a str, &'a str);

/// What a run holds.
#[derive(Default)]
struct Content<'a> {
    /// Findings by their place in the report, worst first.
    results: Vec<usize>,
    /// Findings that found no room.
    cut: usize,
    gaps: Vec<&'a Gap>,
}

/// Writes the report. `folder`: where findings of live accounts are shown.
///
/// # Errors
/// When the sink refuses.
pub fn write(report: &Report, folder: &EvidenceFolder<'_>, sink: &mut dyn Write) -> Result<(), WriteError> {
    let (contents, merged) = contents(report);
    let rules: BTreeMap<&str, &RuleOutcome> = report.rules.iter().map(|rule| (rule.id.as_str(), rule)).collect();
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: Each(contents.iter().map(|(place, content)| run(report, &rules, folder, *place, content, merged))),
    };
    serde_json::to_writer_pretty(&mut *sink, &log)?;
    sink.write_all(b"\n")?;
    Ok(())
}

/// The run that a place belongs to.
fn of((provider, scope): Place<'_>, merged: bool) -> Place<'_> {
    if merged { (provider, "") } else { (provider, scope) }
}

/// What each run holds, and whether scopes had to be put together. A scope without findings has a run too: its absence
/// would leave the alerts of the last upload open.
fn contents(report: &Report) -> (BTreeMap<Place<'_>, Content<'_>>, bool) {
    let mut places: BTreeSet<Place<'_>> = BTreeSet::new();
    let identities = table(report, "identities");
    if let Some((Column::Text(providers), Column::Text(scopes))) =
        identities.and_then(|table| Some((table.column("provider")?, table.column("scope")?)))
    {
        let rows = providers.iter().zip(scopes.iter());
        places.extend(rows.filter_map(|(provider, scope)| Some((&**provider?, &**scope?))));
    }
    places.extend(report.findings.iter().map(|finding| (finding.provider.0, finding.scope.as_str())));
    places.extend(report.gaps.iter().filter_map(|gap| Some((gap.provider?.0, gap.scope.as_ref()?.as_str()))));
    let merged = places.len() > MOST_RUNS;
    let mut contents: BTreeMap<Place<'_>, Content<'_>> =
        places.iter().map(|place| (of(*place, merged), Content::default())).collect();
    if contents.is_empty() {
        contents.insert(("", ""), Content::default());
    }
    // What fails goes before what is open, and the worst first.
    let mut order: Vec<usize> = (0..report.findings.len()).collect();
    let rank = |finding: &Finding| (finding.status, std::cmp::Reverse(finding.severity));
    order.sort_by_key(|at| report.findings.get(*at).map(rank));
    let mut room = MOST_RESULTS_OF_ALL;
    for at in order {
        let Some(finding) = report.findings.get(at) else { continue };
        let content = contents.entry(of((finding.provider.0, finding.scope.as_str()), merged)).or_default();
        if room > 0 && content.results.len() < MOST_RESULTS {
            content.results.push(at);
            room -= 1;
        } else {
            content.cut += 1;
        }
    }
    for gap in &report.gaps {
        // What belongs to no scope is said in the first run of its provider, or else in the first of all.
        let own = match (gap.provider, &gap.scope) {
            (Some(provider), Some(scope)) => Some(of((provider.0, scope.as_str()), merged)),
            (Some(provider), None) => contents.keys().find(|(of, _)| *of == provider.0).copied(),
            (None, _) => None,
        };
        let own = own.or_else(|| contents.keys().next().copied());
        if let Some(content) = own.and_then(|own| contents.get_mut(&own)) {
            content.gaps.push(gap);
        }
    }
    (contents, merged)
}

fn run<'a, 'b>(
    report: &'a Report,
    rules: &BTreeMap<&str, &RuleOutcome>,
    folder: &'a EvidenceFolder<'b>,
    place: Place<'_>,
    content: &'a Content<'_>,
    merged: bool,
) -> Run<impl Serialize + use<'a, 'b>> {
    let used: BTreeSet<(&str, Status)> = content
        .results
        .iter()
        .filter_map(|at| report.findings.get(*at))
        .map(|finding| (finding.rule.as_str(), finding.status))
        .collect();
    let indices: BTreeMap<(&'a str, Status), usize> = content
        .results
        .iter()
        .filter_map(|at| report.findings.get(*at))
        .map(|finding| (finding.rule.as_str(), finding.status))
        .filter_map(|key| Some((key, used.iter().position(|of| *of == key)?)))
        .collect();
    let descriptors: Vec<Value> =
        used.iter().map(|(rule, status)| descriptor(rule, rules.get(rule).copied(), *status)).collect();
    let successful = !content.gaps.iter().any(|gap| gap.kind == GapKind::Failed)
        && report.rules.iter().all(|rule| rule.error.is_none());
    let category = category(place);
    let settings = &report.coverage.settings;
    let mut invocation = json!({
        "executionSuccessful": successful,
        "endTimeUtc": report.scan.time.to_string(),
        "toolExecutionNotifications": notifications(report, content, merged),
    });
    let overrides = overrides(settings);
    if let (false, Some(members)) = (overrides.is_empty(), invocation.as_object_mut()) {
        members.insert("ruleConfigurationOverrides".to_owned(), json!(overrides));
    }
    let mut properties = json!({"scan": report.scan.id, "coveragePercent": report.coverage.percent()});
    let settings: BTreeMap<&str, String> = settings_by_name(settings).into_iter().collect();
    if let (false, Some(members)) = (settings.is_empty(), properties.as_object_mut()) {
        members.insert("settings".to_owned(), json!(settings));
    }
    Run {
        tool: json!({"driver": {
            "name": report.tool.name,
            "version": report.tool.version,
            "semanticVersion": report.tool.version,
            "rules": descriptors,
            "notifications": NOTIFICATIONS.map(|(id, text)| json!({
                "id": id,
                "name": pascal(id, Status::Fail),
                "shortDescription": {"text": text},
                "fullDescription": {"text": text},
                "help": {"text": text},
            })),
        }}),
        automation_details: json!({
            "id": category,
            "description": {"text": description(place)},
        }),
        invocations: json!([invocation]),
        column_kind: "unicodeCodePoints",
        results: Each(content.results.iter().filter_map(move |at| result(report, folder, *at, &indices))),
        properties,
    }
}

/// The rules that the configuration switches off or gives a level. Those that are off have no descriptor, so their ids alone
/// tell which they are.
fn overrides(settings: &Settings) -> Vec<Value> {
    let said = |rule: &str, configuration: Value| json!({"descriptor": {"id": rule}, "configuration": configuration});
    let off = settings.rules_off.iter().map(|rule| said(rule, json!({"enabled": false})));
    let levelled = settings.rules_levelled.iter().map(|held| said(&held.rule, json!({"level": level(held.severity)})));
    off.chain(levelled).collect()
}

/// What GitHub tells uploads of one commit apart by: all of it up to the last slash.
fn category((provider, scope): Place<'_>) -> String {
    let within = scope.strip_prefix(provider).and_then(|rest| rest.strip_prefix(':')).unwrap_or(scope);
    let parts = ["evenhand", provider, within].into_iter().filter(|part| !part.is_empty());
    parts.map(|part| format!("{}/", utf8_percent_encode(part, PATH))).collect()
}

fn description((provider, scope): Place<'_>) -> String {
    match (provider, scope) {
        ("", _) => "What was read.".to_owned(),
        (provider, "") => format!("Everything that was read of {}.", printable(provider)),
        (provider, scope) => format!("What was read of {} ({}).", printable(scope), printable(provider)),
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// GitHub's scale: over 9.0 critical, from 7.0 high, from 4.0 medium, else low.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
    }
}

/// The id of a descriptor: the rule's, or one below it for what is open.
fn descriptor_id(rule: &str, status: Status) -> String {
    match status {
        Status::Fail => rule.to_owned(),
        Status::Unknown => format!("{rule}/undecided"),
    }
}

fn descriptor(id: &str, rule: Option<&RuleOutcome>, status: Status) -> Value {
    let mut value = json!({"id": descriptor_id(id, status), "name": pascal(id, status)});
    let Some(members) = value.as_object_mut() else { return value };
    let Some(rule) = rule else { return value };
    let mut tags = vec!["security".to_owned(), rule.dimension.to_string()];
    if status == Status::Unknown {
        tags.push("undecided".to_owned());
    }
    tags.extend(rule.frameworks.iter().map(|(framework, id)| format!("{framework}/{id}")));
    tags.truncate(MOST_TAGS);
    let (title, prefix) = match status {
        Status::Fail => (rule.title.to_string(), ""),
        Status::Unknown => (format!("Undecided: {}", rule.title), "Evidence is missing to decide this. "),
    };
    members.insert("shortDescription".to_owned(), json!({"text": sentence(&title)}));
    members
        .insert("fullDescription".to_owned(), json!({"text": cut(&format!("{prefix}{}", rule.what), MOST_CHARACTERS)}));
    members.insert(
        "help".to_owned(),
        json!({
            "text": format!("{}\n\n{}\n\n{}", rule.what, rule.why, rule.fix),
            "markdown": format!(
                "**What is looked at**: {}\n\n**Why it matters**: {}\n\n**How to put it right**: {}",
                rule.what, rule.why, rule.fix
            ),
        }),
    );
    let mut properties = json!({"tags": tags, "precision": "very-high"});
    let level = match status {
        Status::Fail => {
            if let Some(properties) = properties.as_object_mut() {
                properties.insert("security-severity".to_owned(), json!(security_severity(rule.severity)));
            }
            level(rule.default_severity)
        }
        Status::Unknown => {
            if let Some(properties) = properties.as_object_mut() {
                properties.insert("problem.severity".to_owned(), json!("recommendation"));
            }
            "note"
        }
    };
    members.insert("defaultConfiguration".to_owned(), json!({"level": level}));
    members.insert("properties".to_owned(), properties);
    value
}

/// `no-owner` as `NoOwner`.
fn pascal(id: &str, status: Status) -> String {
    let mut name = String::with_capacity(id.len());
    let ending = if status == Status::Unknown { "-undecided" } else { "" };
    for word in format!("{id}{ending}").split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut rest = word.chars();
        name.extend(rest.next().map(|first| first.to_ascii_uppercase()));
        name.extend(rest);
    }
    name
}

fn sentence(text: &str) -> String {
    let text = cut(&printable(text.trim()), MOST_CHARACTERS);
    if text.ends_with(['.', '!', '?', '…']) { text } else { format!("{text}.") }
}

fn result(
    report: &Report,
    folder: &EvidenceFolder<'_>,
    at: usize,
    indices: &BTreeMap<(&str, Status), usize>,
) -> Option<Value> {
    let finding = report.findings.get(at)?;
    let shown = folder.shown(at)?;
    let mut region = json!({"startLine": shown.lines.first, "endLine": shown.lines.last});
    if let (Some(column), Some(region)) = (shown.column, region.as_object_mut()) {
        region.insert("startColumn".to_owned(), json!(column));
    }
    let evidence: Vec<String> = finding.evidence.iter().map(|evidence| printable(&evidence.to_string())).collect();
    let (kind, level) = match finding.status {
        Status::Fail => ("fail", level(finding.severity)),
        Status::Unknown => ("open", "none"),
    };
    let mut text = sentence(&finding.title);
    if finding.status == Status::Unknown {
        text = format!("{text} {}", sentence(&finding.remedy));
    }
    let facts: BTreeMap<&str, &str> = finding.facts.iter().map(|(name, value)| (&**name, value.as_str())).collect();
    let suppressions: Vec<Value> = finding
        .waiver
        .iter()
        .map(|waiver| json!({"kind": "external", "status": "accepted", "justification": sentence(&accepted(waiver))}))
        .collect();
    Some(json!({
        "ruleId": descriptor_id(finding.rule.as_str(), finding.status),
        "ruleIndex": indices.get(&(finding.rule.as_str(), finding.status))?,
        "kind": kind,
        "level": level,
        "message": {"text": text},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": utf8_percent_encode(&shown.path, PATH).to_string()},
                "region": region,
            },
            "logicalLocations": [{
                "name": printable(&finding.name),
                "fullyQualifiedName": printable(finding.identity.as_str()),
                "kind": "resource",
            }],
        }],
        // The second is the one that GitHub tells alerts apart by: lines move, findings stay.
        "partialFingerprints": {
            "evenhandFinding/v1": finding.id.as_str(),
            "primaryLocationLineHash": format!("{}:1", finding.id),
        },
        "suppressions": suppressions,
        "properties": {
            "severity": finding.severity.as_str(),
            "dimension": finding.dimension.as_str(),
            "status": finding.status.as_str(),
            "scope": finding.scope.as_str(),
            "evidence": evidence,
            "facts": facts,
        },
    }))
}

fn notifications(report: &Report, content: &Content<'_>, merged: bool) -> Vec<Value> {
    let said = |id: &str, level: &str, text: String| json!({"descriptor": {"id": id}, "level": level, "message": {"text": text}});
    let mut all = vec![said("coverage", "note", sentence(&format!("The whole scan: {}", coverage(report))))];
    if content.cut > 0 {
        let text = format!(
            "{} of the least severity not in this file, because GitHub keeps no more; `-o json` has them all.",
            counted(content.cut, "result is", "results are")
        );
        all.push(said("cut", "warning", text));
    }
    if report.filtered > 0 {
        let text = format!("{} left out by --severity.", counted(report.filtered, "finding was", "findings were"));
        all.push(said("cut", "note", text));
    }
    if merged {
        let text = "There are more than 20 scopes, so this run holds all scopes of its provider: a file has room for 20 \
                    runs. To keep them apart, scan them in several parts.";
        all.push(said("cut", "note", text.to_owned()));
    }
    all.extend(
        report
            .rules
            .iter()
            .filter_map(|rule| rule.error.as_ref())
            .map(|error| said("rule-failed", "error", sentence(error))),
    );
    // What failed goes before what nobody collected.
    let mut gaps: Vec<&Gap> = content.gaps.clone();
    gaps.sort_by_key(|gap| gap.kind != GapKind::Failed);
    let left = gaps.len().saturating_sub(MOST_NOTIFICATIONS);
    all.extend(gaps.into_iter().take(MOST_NOTIFICATIONS).map(|of| match of.kind {
        GapKind::Failed => said("not-read", "error", sentence(&gap(of))),
        GapKind::NotCollected => said("not-collected", "warning", sentence(&gap(of))),
    }));
    if left > 0 {
        let text =
            format!("{} not listed here; `-o json` has them all.", counted(left, "more gap is", "more gaps are"));
        all.push(said("cut", "warning", text));
    }
    all
}
