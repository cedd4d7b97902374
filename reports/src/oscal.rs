//! OSCAL assessment results 1.2.1, for GRC tools that speak NIST's language: an inventory item per identity, an
//! observation per finding, a risk per finding that fails, and a finding per objective of NIST SP 800-53 that is not met
//! or could not be decided.
//!
//! A scan proves that an objective is not met; it never proves that one is, so nothing is called satisfied. UUIDs follow
//! from what they name: an identity, an observation and a risk keep theirs from scan to scan, the document has another
//! one per scan.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use evenhand_model::finding::{Finding, Status};
use evenhand_model::gap::{Gap, GapKind};
use evenhand_model::table::{Table, Value as Cell};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::each::Each;
use crate::findings::Identities;
use crate::report::{Report, WriteError};
use crate::text::{counted, printable};
use crate::uuid;
use crate::words::{accepted, coverage, cut, gap, gap_id, settings_by_name, table, text};

/// The version of the model.
const VERSION: &str = "1.2.1";
/// The namespace of our properties.
const NAMESPACE: &str = "https://evenhand.dev/ns/oscal";
/// The framework whose objectives are spoken of.
const CATALOG: &str = "nist_800_53_r5.2.0";

#[derive(Serialize)]
struct Document<R: Serialize> {
    #[serde(rename = "assessment-results")]
    results: R,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Results<R: Serialize> {
    uuid: String,
    metadata: Value,
    import_ap: Value,
    results: [R; 1],
    back_matter: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Scan<I: Serialize, O: Serialize, R: Serialize, F: Serialize> {
    uuid: String,
    title: String,
    description: String,
    start: String,
    end: String,
    props: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_definitions: Option<Definitions<I>>,
    reviewed_controls: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    observations: Option<O>,
    #[serde(skip_serializing_if = "Option::is_none")]
    risks: Option<R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<F>,
    remarks: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Definitions<I: Serialize> {
    inventory_items: I,
}

/// Writes the document. OSCAL knows no empty list, so a list without members is left out.
///
/// # Errors
/// When the sink refuses.
pub fn write(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    let time = report.scan.time.to_string();
    let plan = uuid::of(&["plan", &report.tool.version]);
    let identities = table(report, "identities").filter(|table| table.rows() > 0);
    let failing = || report.findings.iter().filter(|finding| finding.status == Status::Fail);
    let by_rule = controls_by_rule(report);
    let objectives = objectives(report, &by_rule);
    let others = strangers(report);
    let whys: BTreeMap<&str, &str> = report.rules.iter().map(|rule| (rule.id.as_str(), &*rule.why)).collect();
    let scan = Scan {
        uuid: uuid::of(&["result", &report.scan.id]),
        title: "Access and controls of AI identities beside the human role of the same job".to_owned(),
        description: "An automated, read-only assessment of what was exported or collected.".to_owned(),
        start: time.clone(),
        end: time.clone(),
        props: properties(report),
        local_definitions: (identities.is_some() || !others.is_empty()).then(|| {
            let known = identities.into_iter().flat_map(|table| (0..table.rows()).filter_map(|row| item(table, row)));
            Definitions { inventory_items: Each(known.chain(others.values().map(|finding| stranger(finding)))) }
        }),
        reviewed_controls: reviewed(report),
        observations: (!report.findings.is_empty() || !report.gaps.is_empty()).then(|| {
            let found = report.findings.iter().map(|finding| observation(finding, &time));
            Each(found.chain(report.gaps.iter().map(|gap| unread(gap, &time))))
        }),
        risks: failing()
            .next()
            .is_some()
            .then(|| Each(failing().map(|finding| risk(finding, whys.get(finding.rule.as_str()).copied())))),
        findings: (!objectives.is_empty())
            .then(|| Each(objectives.iter().map(|(control, known)| objective(report, &by_rule, control, *known)))),
        remarks: format!("{}.", coverage(report)),
    };
    let document = Document {
        results: Results {
            uuid: uuid::of(&["assessment-results", &report.scan.id]),
            metadata: json!({
                "title": "evenhand assessment results",
                "last-modified": time,
                "version": report.scan.id,
                "oscal-version": VERSION,
            }),
            import_ap: json!({"href": format!("#{plan}")}),
            results: [scan],
            back_matter: json!({"resources": [{
                "uuid": plan,
                "title": "The assessment plan",
                "description": format!(
                    "The rules of evenhand {}, each evaluated over every identity that it applies to. Where there is an \
                     assessment plan of your own, let `import-ap` point to that.",
                    report.tool.version
                ),
            }]}),
        },
    };
    serde_json::to_writer_pretty(&mut *sink, &document)?;
    sink.write_all(b"\n")?;
    Ok(())
}

fn properties(report: &Report) -> Vec<Value> {
    let mut all = vec![
        ("scan-id", report.scan.id.clone()),
        ("tool-version", report.tool.version.to_string()),
        ("checks-decided", report.coverage.decided.to_string()),
        ("checks-undecided", report.coverage.undecided.to_string()),
        ("findings-not-reported", report.filtered.to_string()),
    ];
    all.extend(report.coverage.percent().map(|percent| ("coverage-percent", percent.to_string())));
    let scores = report
        .known_score()
        .into_iter()
        .flat_map(|score| [("raw-score", score.raw), ("governed-score", score.governed)]);
    all.extend(scores.map(|(name, score)| (name, score.thousandths().to_string())));
    let unknown = report.score.is_some() && !report.is_score_known();
    all.extend(unknown.then(|| ("score-known", "false".to_owned())));
    let settings = settings_by_name(&report.coverage.settings);
    let settings = settings.iter().filter_map(|(name, value)| property(&name.replace('_', "-"), value));
    all.into_iter().filter_map(|(name, value)| property(name, &value)).chain(settings).collect()
}

/// A property; `None` for an empty value, which OSCAL does not allow.
fn property(name: &str, value: &str) -> Option<Value> {
    let value = printable(value.trim());
    (!value.is_empty()).then(|| json!({"name": name, "ns": NAMESPACE, "value": value}))
}

/// Text that is one line and not empty.
fn line(text: &str) -> String {
    let text = printable(text.trim());
    if text.is_empty() { "-".to_owned() } else { text }
}

fn item_uuid(identity: &str) -> String {
    uuid::of(&["identity", identity])
}

/// What findings are about that is no identity of the inventory, such as an account whose log is off, each with one of its
/// findings.
fn strangers(report: &Report) -> BTreeMap<&str, &Finding> {
    let identities = Identities::of(report);
    let about = report.findings.iter().map(|finding| (finding.identity.as_str(), finding));
    about.filter(|(id, _)| identities.row(id).is_none()).collect()
}

fn stranger(finding: &Finding) -> Value {
    let properties: Vec<Value> = [
        property("provider", finding.provider.0),
        property("scope", finding.scope.as_str()),
        property("identity", finding.identity.as_str()),
    ]
    .into_iter()
    .flatten()
    .collect();
    json!({"uuid": item_uuid(finding.identity.as_str()), "description": line(&finding.name), "props": properties})
}

fn item(table: &Table, row: usize) -> Option<Value> {
    let of = |column: &str| text(table.value(row, column));
    let id = of("id")?;
    let mut properties: Vec<Value> =
        ["provider", "scope", "kind", "nature", "job", "human_role_name", "verdict", "owner"]
            .into_iter()
            .filter_map(|column| property(&column.replace('_', "-"), &of(column)?))
            .collect();
    properties.extend(property("identity", &id));
    // No owner is something else than an owner that is not known.
    if table.value(row, "has_owner") == Cell::Boolean(false) {
        properties.extend(property("owner-known", "none"));
    }
    Some(json!({
        "uuid": item_uuid(&id),
        "description": line(&of("name").unwrap_or_else(|| id.clone())),
        "props": properties,
    }))
}

/// The id of a control as catalogues in OSCAL spell it: `AC-6(1)` is `ac-6.1`.
fn control_id(id: &str) -> Option<String> {
    let (control, enhancement) = match id.strip_suffix(')').and_then(|id| id.split_once('(')) {
        Some((control, enhancement)) => (control, Some(enhancement)),
        None => (id, None),
    };
    let (family, number) = control.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let known = family.len() == 2
        && family.bytes().all(|byte| byte.is_ascii_uppercase())
        && is_number(number)
        && enhancement.is_none_or(is_number);
    known.then(|| {
        let family = family.to_ascii_lowercase();
        match enhancement {
            Some(enhancement) => format!("{family}-{number}.{enhancement}"),
            None => format!("{family}-{number}"),
        }
    })
}

fn controls<'a>(frameworks: impl Iterator<Item = &'a (std::sync::Arc<str>, std::sync::Arc<str>)>) -> Vec<String> {
    let ours = frameworks.filter(|(framework, _)| **framework == *CATALOG);
    let mut ids: Vec<String> = ours.filter_map(|(_, id)| control_id(id)).collect();
    ids.sort();
    ids.dedup();
    ids
}

fn reviewed(report: &Report) -> Value {
    let ids = controls(report.rules.iter().flat_map(|rule| &rule.frameworks));
    if ids.is_empty() {
        return json!({"control-selections": [{"description": "No rule of this scan speaks of a control."}]});
    }
    let included: Vec<Value> = ids.iter().map(|id| json!({"control-id": id})).collect();
    let objectives: Vec<Value> = ids.iter().map(|id| json!({"objective-id": format!("{id}_obj")})).collect();
    json!({
        "description": "Controls of NIST SP 800-53 revision 5 that rules of this scan support.",
        "control-selections": [{"include-controls": included}],
        "control-objective-selections": [{"include-objectives": objectives}],
    })
}

/// The worst that is known of an objective.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Known {
    Undecided,
    NotMet,
}

/// The controls that each rule with findings speaks of.
fn controls_by_rule(report: &Report) -> BTreeMap<&str, Vec<String>> {
    let mut held: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for finding in &report.findings {
        held.entry(finding.rule.as_str()).or_insert_with(|| controls(finding.frameworks.iter()));
    }
    held
}

/// The controls that findings speak of. One that only passes is not here.
fn objectives(report: &Report, by_rule: &BTreeMap<&str, Vec<String>>) -> BTreeMap<String, Known> {
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    let said: BTreeSet<(&str, Status)> =
        report.findings.iter().map(|finding| (finding.rule.as_str(), finding.status)).collect();
    for (rule, status) in said {
        let now = match status {
            Status::Fail => Known::NotMet,
            Status::Unknown => Known::Undecided,
        };
        for control in by_rule.get(rule).into_iter().flatten() {
            let held = known.entry(control.clone()).or_insert(now);
            *held = now.max(*held);
        }
    }
    known
}

/// The finding on an objective, with its observations and risks.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Objective<O: Serialize, R: Serialize> {
    uuid: String,
    title: String,
    description: String,
    target: Value,
    related_observations: O,
    #[serde(skip_serializing_if = "Option::is_none")]
    related_risks: Option<R>,
}

fn objective<'a>(
    report: &'a Report,
    by_rule: &'a BTreeMap<&'a str, Vec<String>>,
    control: &'a str,
    known: Known,
) -> Objective<impl Serialize + use<'a>, impl Serialize + use<'a>> {
    let speaks = move |finding: &&Finding| {
        by_rule.get(finding.rule.as_str()).is_some_and(|controls| controls.iter().any(|id| id == control))
    };
    let speaking = report.findings.iter().filter(speaks);
    let failing = speaking.clone().filter(|finding| finding.status == Status::Fail);
    let risks = failing.clone().count();
    let (reason, description) = match known {
        Known::NotMet => ("fail", format!("{} against it.", counted(risks, "risk speaks", "risks speak"))),
        Known::Undecided => (
            "other",
            "Evidence is missing to decide it; the observations say what would tell. It is not known to be unmet."
                .to_owned(),
        ),
    };
    let uuid_of = |kind: &'static str| move |finding: &Finding| uuid::of(&[kind, finding.id.as_str()]);
    let (observation, risk) = (uuid_of("observation"), uuid_of("risk"));
    Objective {
        uuid: uuid::of(&["finding", &report.scan.id, control]),
        title: format!("{} for AI identities", control.to_ascii_uppercase()),
        description,
        target: json!({
            "type": "objective-id",
            "target-id": format!("{control}_obj"),
            "status": {"state": "not-satisfied", "reason": reason},
        }),
        related_observations: Each(speaking.map(move |finding| json!({"observation-uuid": observation(finding)}))),
        related_risks: (risks > 0).then(|| Each(failing.map(move |finding| json!({"risk-uuid": risk(finding)})))),
    }
}

fn observation(finding: &Finding, time: &str) -> Value {
    let mut properties = vec![
        property("finding-id", finding.id.as_str()),
        property("rule", finding.rule.as_str()),
        property("severity", finding.severity.as_str()),
        property("dimension", finding.dimension.as_str()),
        property("status", finding.status.as_str()),
    ];
    properties.retain(Option::is_some);
    let evidence: Vec<Value> =
        finding.evidence.iter().map(|evidence| json!({"description": line(&evidence.to_string())})).collect();
    let mut value = Map::new();
    value.insert("uuid".to_owned(), json!(uuid::of(&["observation", finding.id.as_str()])));
    value.insert("title".to_owned(), json!(cut(&line(&finding.title), 250)));
    value.insert("description".to_owned(), json!(line(&finding.title)));
    value.insert("props".to_owned(), json!(properties));
    value.insert("methods".to_owned(), json!(["TEST-AUTOMATED"]));
    value.insert("types".to_owned(), json!(["finding"]));
    value.insert(
        "subjects".to_owned(),
        json!([{"subject-uuid": item_uuid(finding.identity.as_str()), "type": "inventory-item"}]),
    );
    if !evidence.is_empty() {
        value.insert("relevant-evidence".to_owned(), json!(evidence));
    }
    value.insert("collected".to_owned(), json!(time));
    if finding.status == Status::Unknown {
        value.insert("remarks".to_owned(), json!(finding.remedy));
    }
    Value::Object(value)
}

/// Something that was not read.
fn unread(of: &Gap, time: &str) -> Value {
    let kind = match of.kind {
        GapKind::Failed => "not-read",
        GapKind::NotCollected => "not-collected",
    };
    json!({
        "uuid": uuid::of(&["gap", &gap_id(of)]),
        "title": cut(&format!("Evidence was not read: {}", line(&of.call)), 250),
        "description": line(&gap(of)),
        "props": property("gap", kind).into_iter().collect::<Vec<_>>(),
        "methods": ["UNKNOWN"],
        "types": ["gap"],
        "collected": time,
    })
}

fn risk(finding: &Finding, why: Option<&str>) -> Value {
    let observation = uuid::of(&["observation", finding.id.as_str()]);
    let properties = [property("rule", finding.rule.as_str()), property("severity", finding.severity.as_str())];
    let properties: Vec<Value> = properties.into_iter().flatten().collect();
    json!({
        "uuid": uuid::of(&["risk", finding.id.as_str()]),
        "title": cut(&line(&finding.title), 250),
        "description": line(&finding.title),
        "statement": match &finding.waiver {
            Some(waiver) => line(&accepted(waiver)),
            None => why.map_or_else(|| line(&finding.title), line),
        },
        "props": properties,
        "status": if finding.waiver.is_some() { "deviation-approved" } else { "open" },
        "remediations": [{
            "uuid": uuid::of(&["remedy", finding.id.as_str()]),
            "lifecycle": "recommendation",
            "title": "How to put it right",
            "description": finding.remedy,
        }],
        "related-observations": [{"observation-uuid": observation}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_spelled_as_in_catalogues() {
        for (id, spelled) in [
            ("AC-6", Some("ac-6")),
            ("AC-6(10)", Some("ac-6.10")),
            ("SC-7(5)", Some("sc-7.5")),
            ("PR.AA-05", None),
            ("AC-", None),
            ("AC-6(a)", None),
        ] {
            assert_eq!(control_id(id).as_deref(), spelled, "{id}");
        }
    }
}
