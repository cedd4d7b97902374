//! OCSF 1.8.0 as NDJSON, for a SIEM or a data lake: one event per line.
//!
//! An IAM Analysis Finding (class 2008) for each AI identity beside its human role, a Compliance Finding (class 2003)
//! for each rule that fails or cannot be decided, and one for each gap. What is unknown has the status and the severity
//! `Unknown` (0), so that no alert on severity fires for it; the severity that it would have is in `unmapped`.
//!
//! Times are milliseconds since 1970. What the classes have no attribute for is in `unmapped`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use evenhand_model::finding::{Finding, Severity, Status};
use evenhand_model::gap::{Gap, GapKind};
use evenhand_model::parity::{Comparison, Verdict};
use evenhand_model::table::{Table, Value as Cell};
use serde_json::{Map, Value, json};

use crate::findings::Identities;
use crate::report::{Report, RuleOutcome, WriteError};
use crate::words::{accepted, gap, gap_id, rows_by_identity, settings_by_name, table, text};

/// The version of the schema.
const VERSION: &str = "1.8.0";

/// A class of events: its number and its caption.
type Class = (u32, &'static str);
const IAM_ANALYSIS: Class = (2008, "IAM Analysis Finding");
const COMPLIANCE: Class = (2003, "Compliance Finding");

/// `severity_id` and its caption.
type Level = (u8, &'static str);
const UNKNOWN: Level = (0, "Unknown");
const INFORMATIONAL: Level = (1, "Informational");

/// Writes the events: parity first, then findings worst first, then gaps.
///
/// # Errors
/// When the sink refuses.
pub fn write(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    let identities = Identities::of(report);
    let excess = table(report, "excess").map(|table| (table, rows_by_identity(table)));
    let credentials = table(report, "credentials").map(|table| (table, rows_by_identity(table)));
    for comparison in &report.comparisons {
        let event = parity(report, &identities, excess.as_ref(), credentials.as_ref(), comparison);
        line(&event, sink)?;
    }
    let rules: BTreeMap<&str, &RuleOutcome> = report.rules.iter().map(|rule| (rule.id.as_str(), rule)).collect();
    for finding in &report.findings {
        line(&compliance(report, &identities, rules.get(finding.rule.as_str()).copied(), finding), sink)?;
    }
    for gap in &report.gaps {
        line(&missing(report, gap), sink)?;
    }
    Ok(())
}

fn line(event: &Value, sink: &mut dyn Write) -> Result<(), WriteError> {
    serde_json::to_writer(&mut *sink, event)?;
    sink.write_all(b"\n")?;
    Ok(())
}

/// What every event has.
fn event(report: &Report, (class, name): Class, uid: &str, level: Level, message: &str) -> Map<String, Value> {
    // The activity is 1, Create, throughout; the type is the class and the activity.
    let head = json!({
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": class,
        "class_name": name,
        "type_uid": class * 100 + 1,
        "type_name": format!("{name}: Create"),
        "time": report.scan.time.as_millisecond(),
        "severity_id": level.0,
        "severity": level.1,
        "status_id": 1,
        "status": "New",
        "message": message,
        "metadata": {
            "version": VERSION,
            "product": {"name": report.tool.name, "vendor_name": report.tool.name, "version": report.tool.version},
            "uid": format!("{}/{uid}", report.scan.id),
            "correlation_uid": report.scan.id,
        },
    });
    match head {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// How complete the scan is and what was in force, in every event: whoever sees one alone knows.
fn scan(report: &Report) -> Value {
    let mut scan = json!({
        "id": report.scan.id,
        "coverage_percent": report.coverage.percent(),
        "gaps": report.gaps.len(),
        "complete": report.is_complete(),
    });
    let settings: BTreeMap<&str, String> = settings_by_name(&report.coverage.settings).into_iter().collect();
    if let (false, Some(members)) = (settings.is_empty(), scan.as_object_mut()) {
        members.insert("settings".to_owned(), json!(settings));
    }
    scan
}

fn severity(severity: Severity) -> Level {
    match severity {
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

type Rows<'a> = (&'a Table, BTreeMap<&'a str, Vec<usize>>);

fn parity(
    report: &Report,
    identities: &Identities<'_>,
    excess: Option<&Rows<'_>>,
    credentials: Option<&Rows<'_>>,
    held: &Comparison,
) -> Value {
    let id = held.identity.as_str();
    let level = match held.verdict {
        Verdict::Excess if held.high_risk_excess > 0 => severity(Severity::High),
        Verdict::Excess => severity(Severity::Medium),
        Verdict::ControlGap => severity(Severity::High),
        Verdict::Unknown | Verdict::NoBaseline => UNKNOWN,
        Verdict::Parity | Verdict::Narrower => INFORMATIONAL,
    };
    let verdict = held.verdict.as_str();
    let uid = format!("parity/{id}");
    let row = identities.row(id);
    let cell = |column: &str| row.map_or(Cell::Null, |(table, row)| table.value(row, column));
    let name = text(cell("name")).unwrap_or_else(|| id.to_owned());
    let mut members = event(report, IAM_ANALYSIS, &uid, level, &format!("{name}: {verdict}: {}", held.summary));
    members.insert(
        "finding_info".to_owned(),
        json!({
            "uid": uid,
            "title": format!("{name} beside its human role: {verdict}"),
            "desc": held.summary,
            "types": ["parity", verdict],
        }),
    );
    let mut user = Map::new();
    user.insert("uid".to_owned(), json!(id));
    user.insert("name".to_owned(), json!(name));
    user.insert("type_id".to_owned(), json!(99));
    user.insert("type".to_owned(), json!("ai_agent"));
    if let Some(scope) = text(cell("scope")) {
        user.insert("account".to_owned(), json!({"uid": scope}));
    }
    let keys = keys(credentials, id);
    if !keys.is_empty() {
        user.insert("programmatic_credentials".to_owned(), json!(keys));
    }
    members.insert("user".to_owned(), Value::Object(user));
    if let Cell::Timestamp(moment) = cell("last_used_at") {
        members.insert("identity_activity_metrics".to_owned(), json!({"last_seen_time": moment.as_millisecond()}));
    }
    let mut results = Vec::new();
    let mut whole = Map::new();
    whole.extend(held.operations.map(|count| ("analyzed_privileges_count".to_owned(), json!(count))));
    if let Cell::Integer(count) = cell("unused_operations") {
        whole.insert("unused_privileges_count".to_owned(), json!(count));
    }
    results.push(Value::Object(whole));
    results.extend(granted(excess, id));
    members.insert("permission_analysis_results".to_owned(), json!(results));
    let roles: Vec<&str> = held.baseline.roles.iter().map(|role| role.as_str()).collect();
    members.insert(
        "unmapped".to_owned(),
        json!({
            "verdict": verdict,
            "human_role": {
                "uids": roles,
                "name": held.baseline.name,
                "source": held.baseline.source.as_str(),
                "confidence": held.baseline.source.confidence(),
            },
            "operations": held.operations,
            "human_operations": held.human_operations,
            // Where nothing could be compared these are not 0 but unknown, which the table tells.
            "excess_operations": number(cell("excess_operations")),
            "high_risk_excess": number(cell("high_risk_excess")),
            "undecided_operations": number(cell("undecided_operations")),
            "coverage": held.coverage,
            "scan": scan(report),
        }),
    );
    Value::Object(members)
}

fn number(value: Cell) -> Option<i64> {
    match value {
        Cell::Integer(number) => Some(number),
        _ => None,
    }
}

/// The credentials of an identity, without what is secret about them: nothing of that is in a report.
fn keys(credentials: Option<&Rows<'_>>, identity: &str) -> Vec<Value> {
    let Some((table, rows)) = credentials else { return Vec::new() };
    let of = rows.get(identity).into_iter().flatten();
    of.filter_map(|row| {
        let mut key = Map::new();
        key.insert("uid".to_owned(), json!(text(table.value(*row, "id"))?));
        key.insert("type".to_owned(), json!(text(table.value(*row, "kind"))?));
        if let Cell::Timestamp(moment) = table.value(*row, "last_used_at") {
            key.insert("last_used_time".to_owned(), json!(moment.as_millisecond()));
        }
        Some(Value::Object(key))
    })
    .collect()
}

/// The access beyond the human role, by the statement that grants it.
fn granted(excess: Option<&Rows<'_>>, identity: &str) -> Vec<Value> {
    let Some((table, rows)) = excess else { return Vec::new() };
    let mut by_grant: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for row in rows.get(identity).into_iter().flatten() {
        // What nobody could decide is no excess; `unmapped` counts it.
        if table.value(*row, "decided") != Cell::Boolean(true) {
            continue;
        }
        let of = |column: &str| text(table.value(*row, column)).unwrap_or_default();
        by_grant.entry((of("granted_by"), of("location"))).or_default().insert(of("operation"));
    }
    by_grant
        .into_iter()
        .map(|((policy, place), operations)| {
            json!({"policy": {"name": policy, "desc": place}, "granted_privileges": operations})
        })
        .collect()
}

fn compliance(report: &Report, identities: &Identities<'_>, rule: Option<&RuleOutcome>, finding: &Finding) -> Value {
    let id = finding.identity.as_str();
    let (level, status) = match finding.status {
        Status::Fail => (severity(finding.severity), (3, "Fail")),
        Status::Unknown => (UNKNOWN, (0, "Unknown")),
    };
    let mut members = event(report, COMPLIANCE, finding.id.as_str(), level, &finding.title);
    let title = rule.map_or(finding.rule.as_str(), |rule| &rule.title);
    let mut info = json!({
        "uid": finding.id.as_str(),
        "title": finding.title,
        "types": [finding.dimension.as_str()],
        "analytic": {"uid": finding.rule.as_str(), "name": title, "type_id": 1, "type": "Rule"},
    });
    if let (Some(rule), Some(info)) = (rule, info.as_object_mut()) {
        info.insert("desc".to_owned(), json!(rule.why));
    }
    members.insert("finding_info".to_owned(), info);
    let standards: BTreeSet<&str> = finding.frameworks.iter().map(|(framework, _)| &**framework).collect();
    let requirements: Vec<String> =
        finding.frameworks.iter().map(|(framework, id)| format!("{framework}/{id}")).collect();
    let missing: Vec<String> = finding
        .missing
        .iter()
        .map(|missing| match &missing.because {
            Some(because) => format!("{}: {because}", missing.what),
            None => missing.what.to_string(),
        })
        .collect();
    let mut control = json!({
        "control": finding.rule.as_str(),
        "category": finding.dimension.as_str(),
        "status_id": status.0,
        "status": status.1,
        "standards": standards,
        "requirements": requirements,
    });
    if let (false, Some(control)) = (missing.is_empty(), control.as_object_mut()) {
        control.insert("status_details".to_owned(), json!(missing));
    }
    members.insert("compliance".to_owned(), control);
    if let Some(waiver) = &finding.waiver {
        members.insert("status_id".to_owned(), json!(3));
        members.insert("status".to_owned(), json!("Suppressed"));
        members.insert("comment".to_owned(), json!(accepted(waiver)));
    }
    let kind = identities.row(id).and_then(|(table, row)| text(table.value(row, "kind")));
    let mut resource = json!({"uid": id, "name": finding.name, "namespace": finding.scope.as_str()});
    if let (Some(kind), Some(resource)) = (kind, resource.as_object_mut()) {
        resource.insert("type".to_owned(), json!(kind));
    }
    members.insert("resources".to_owned(), json!([resource]));
    members.insert("remediation".to_owned(), json!({"desc": finding.remedy}));
    let facts: BTreeMap<&str, &str> = finding.facts.iter().map(|(name, value)| (&**name, value.as_str())).collect();
    let evidence: Vec<String> = finding.evidence.iter().map(ToString::to_string).collect();
    members.insert(
        "unmapped".to_owned(),
        json!({
            "provider": finding.provider.0,
            "rule_severity": finding.severity.as_str(),
            "facts": facts,
            "evidence": evidence,
            "scan": scan(report),
        }),
    );
    Value::Object(members)
}

/// Something that was not read, as a control that could not be judged.
fn missing(report: &Report, of: &Gap) -> Value {
    let said = gap(of);
    let uid = format!("gap/{}", gap_id(of));
    let level = match of.kind {
        GapKind::Failed => severity(Severity::Medium),
        GapKind::NotCollected => INFORMATIONAL,
    };
    let mut members = event(report, COMPLIANCE, &uid, level, &said);
    members.insert(
        "finding_info".to_owned(),
        json!({"uid": uid, "title": "Evidence was not read", "desc": said, "types": ["gap"]}),
    );
    members.insert(
        "compliance".to_owned(),
        json!({"control": "evidence", "category": "coverage", "status_id": 0, "status": "Unknown", "status_detail": said}),
    );
    members.insert(
        "unmapped".to_owned(),
        json!({
            "provider": of.provider.map(|name| name.0),
            "scope": of.scope.as_ref().map(|scope| scope.as_str()),
            "call": of.call,
            "kind": of.kind,
            "unknown": of.unknown(),
            "scan": scan(report),
        }),
    );
    Value::Object(members)
}
