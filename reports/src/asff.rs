//! AWS Security Finding Format, for Security Hub: one line per call of `BatchImportFindings`, with up to 100 findings.
//!
//! Security Hub takes findings from the account that they are filed under, so all of them carry the account of the
//! product that the user names; where an identity lives is in its resource. What cannot be decided, and what was not
//! read, is informational with the status `NOT_AVAILABLE`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::str::FromStr;

use evenhand_model::finding::{Finding, Severity, Status};
use evenhand_model::gap::Gap;
use serde_json::{Map, Value, json};

use crate::findings::Identities;
use crate::report::{Report, RuleOutcome, WriteError};
use crate::text::printable;
use crate::words::{accepted, coverage, cut, gap, gap_id, text};

/// The most findings of a call.
const BATCH: usize = 100;
/// The most requirements of a finding.
const MOST_REQUIREMENTS: usize = 32;
/// The most facts of a resource.
const MOST_FACTS: usize = 50;

/// The product that findings are filed under, as
/// `arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Product {
    arn: String,
    account: String,
    region: String,
}

impl FromStr for Product {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let is_word = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        match parts.as_slice() {
            ["arn", partition, "securityhub", region, account, product]
                if is_word(partition)
                    && is_word(region)
                    && account.len() == 12
                    && account.bytes().all(|byte| byte.is_ascii_digit())
                    && product.starts_with("product/")
                    && !product.contains(char::is_whitespace) =>
            {
                Ok(Self { arn: text.to_owned(), account: (*account).to_owned(), region: (*region).to_owned() })
            }
            _ => Err("write it as arn:aws:securityhub:REGION:ACCOUNT:product/ACCOUNT/default, with the region and the account \
                      that take the findings"
                .to_owned()),
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.arn)
    }
}

/// Writes the batches: findings worst first, then gaps, then how much was judged.
///
/// # Errors
/// When the sink refuses.
pub fn write(report: &Report, product: &Product, sink: &mut dyn Write) -> Result<(), WriteError> {
    let identities = Identities::of(report);
    let rules: BTreeMap<&str, &RuleOutcome> = report.rules.iter().map(|rule| (rule.id.as_str(), rule)).collect();
    let found = report
        .findings
        .iter()
        .map(|finding| self::finding(report, product, &identities, rules.get(finding.rule.as_str()).copied(), finding));
    let gaps = report.gaps.iter().map(|gap| missing(report, product, gap));
    let last = std::iter::once(()).map(|()| scan(report, product));
    let mut all = found.chain(gaps).chain(last).peekable();
    while all.peek().is_some() {
        sink.write_all(b"{\"Findings\":[")?;
        for (at, finding) in all.by_ref().take(BATCH).enumerate() {
            if at > 0 {
                sink.write_all(b",")?;
            }
            serde_json::to_writer(&mut *sink, &finding)?;
        }
        sink.write_all(b"]}\n")?;
    }
    Ok(())
}

/// What every finding has.
struct Head<'a> {
    id: &'a str,
    generator: &'a str,
    kind: &'a str,
    label: &'a str,
    original: &'a str,
    title: &'a str,
    description: &'a str,
    resource: Value,
}

fn head(report: &Report, product: &Product, of: Head<'_>) -> Map<String, Value> {
    let time = report.scan.time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
    let types = json!([of.kind]);
    let severity = json!({"Label": of.label, "Original": of.original});
    let value = json!({
        "SchemaVersion": "2018-10-08",
        "Id": format!("evenhand/{}", of.id),
        "ProductArn": product.arn,
        "ProductName": report.tool.name,
        "CompanyName": report.tool.name,
        "Region": product.region,
        "GeneratorId": format!("evenhand/{}", of.generator),
        "AwsAccountId": product.account,
        "Types": types,
        "CreatedAt": time,
        "UpdatedAt": time,
        "Severity": severity,
        "Title": line(of.title, 256),
        "Description": line(of.description, 1024),
        "Resources": [of.resource],
        "RecordState": "ACTIVE",
        // Security Hub rewrites the members above when people triage; these keep what we said.
        "FindingProviderFields": {"Types": types, "Severity": severity},
    });
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Text of a length that is not empty, which Security Hub refuses.
fn line(text: &str, most: usize) -> String {
    let text = cut(printable(text).trim(), most);
    if text.is_empty() { "-".to_owned() } else { text }
}

fn product_fields(report: &Report) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("evenhand/scan".to_owned(), json!(report.scan.id));
    fields.insert("evenhand/version".to_owned(), json!(report.tool.version));
    let percent = report.coverage.percent().map_or("unknown".to_owned(), |percent| percent.to_string());
    fields.insert("evenhand/coverage_percent".to_owned(), json!(percent));
    fields
}

fn finding(
    report: &Report,
    product: &Product,
    identities: &Identities<'_>,
    rule: Option<&RuleOutcome>,
    finding: &Finding,
) -> Value {
    let id = finding.identity.as_str();
    let (label, compliance) = match finding.status {
        Status::Fail => {
            let label = match finding.severity {
                Severity::Low => "LOW",
                Severity::Medium => "MEDIUM",
                Severity::High => "HIGH",
                Severity::Critical => "CRITICAL",
            };
            (label, "FAILED")
        }
        Status::Unknown => ("INFORMATIONAL", "NOT_AVAILABLE"),
    };
    let description = match rule {
        Some(rule) => format!("{}. {}", finding.title.trim_end_matches('.'), rule.why),
        None => finding.title.clone(),
    };
    let mut facts = Map::new();
    facts.insert("name".to_owned(), json!(line(&finding.name, 1024)));
    facts.insert("provider".to_owned(), json!(finding.provider.0));
    facts.insert("scope".to_owned(), json!(line(finding.scope.as_str(), 1024)));
    if let Some(kind) = identities.row(id).and_then(|(table, row)| text(table.value(row, "kind"))) {
        facts.insert("kind".to_owned(), json!(line(&kind, 1024)));
    }
    for (name, value) in &finding.facts {
        if facts.len() < MOST_FACTS {
            facts.insert(name.to_string(), json!(line(value, 1024)));
        }
    }
    let mut members = head(
        report,
        product,
        Head {
            id: finding.id.as_str(),
            generator: finding.rule.as_str(),
            kind: "Software and Configuration Checks/AI identity parity",
            label,
            original: finding.severity.as_str(),
            title: &finding.title,
            description: &description,
            resource: json!({"Type": "Other", "Id": line(id, 512), "Details": {"Other": facts}}),
        },
    );
    let mut status = json!({"Status": compliance});
    if let Some(status) = status.as_object_mut() {
        let requirements: Vec<String> = finding
            .frameworks
            .iter()
            .take(MOST_REQUIREMENTS)
            .map(|(framework, id)| format!("{framework}/{id}"))
            .collect();
        if !requirements.is_empty() {
            status.insert("RelatedRequirements".to_owned(), json!(requirements));
        }
        let reasons: Vec<Value> = finding
            .missing
            .iter()
            .map(|missing| {
                let because = missing.because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
                let text = line(&format!("{}{because}", missing.what), 1024);
                json!({"ReasonCode": "EVIDENCE_MISSING", "Description": text})
            })
            .collect();
        if !reasons.is_empty() {
            status.insert("StatusReasons".to_owned(), json!(reasons));
        }
    }
    members.insert("Compliance".to_owned(), status);
    if let Some(waiver) = &finding.waiver {
        let note = json!({
            "Text": line(&accepted(waiver), 512),
            "UpdatedBy": line(&waiver.approver, 512),
            "UpdatedAt": report.scan.time.to_string(),
        });
        members.insert("Workflow".to_owned(), json!({"Status": "SUPPRESSED"}));
        members.insert("Note".to_owned(), note);
    }
    members.insert("Remediation".to_owned(), json!({"Recommendation": {"Text": remedy(&finding.remedy)}}));
    let mut fields = product_fields(report);
    fields.insert("evenhand/dimension".to_owned(), json!(finding.dimension.as_str()));
    if let Some(evidence) = finding.evidence.first() {
        fields.insert("evenhand/evidence".to_owned(), json!(line(&evidence.to_string(), 2048)));
    }
    members.insert("ProductFields".to_owned(), Value::Object(fields));
    Value::Object(members)
}

/// A remedy of up to 512 characters: whole lines, as many as there is room for.
fn remedy(text: &str) -> String {
    let mut said = String::new();
    for step in text.lines() {
        let step = printable(step);
        if said.chars().count() + step.chars().count() + 1 > 512 {
            break;
        }
        if !said.is_empty() {
            said.push('\n');
        }
        said.push_str(&step);
    }
    if said.is_empty() { line(text, 512) } else { said }
}

/// Something that was not read.
fn missing(report: &Report, product: &Product, of: &Gap) -> Value {
    let said = gap(of);
    let scope = of.scope.as_ref().map_or("evenhand", |scope| scope.as_str());
    let title = format!("Evidence was not read: {}", of.call);
    let mut members = head(
        report,
        product,
        Head {
            id: &format!("gap/{}", gap_id(of)),
            generator: "gap",
            kind: "Software and Configuration Checks/Missing evidence",
            label: "INFORMATIONAL",
            original: "informational",
            title: &title,
            description: &said,
            resource: json!({"Type": "Other", "Id": line(scope, 512)}),
        },
    );
    let reason = json!({"ReasonCode": "EVIDENCE_MISSING", "Description": line(&said, 1024)});
    members.insert("Compliance".to_owned(), json!({"Status": "NOT_AVAILABLE", "StatusReasons": [reason]}));
    members.insert("ProductFields".to_owned(), Value::Object(product_fields(report)));
    Value::Object(members)
}

/// The scan itself, so that it is seen that one took place and how much it could judge.
fn scan(report: &Report, product: &Product) -> Value {
    let mut members = head(
        report,
        product,
        Head {
            id: "scan",
            generator: "scan",
            kind: "Software and Configuration Checks/Scan coverage",
            label: "INFORMATIONAL",
            original: "informational",
            title: "evenhand has scanned",
            description: &coverage(report),
            resource: json!({"Type": "Other", "Id": "evenhand"}),
        },
    );
    members.insert("ProductFields".to_owned(), Value::Object(product_fields(report)));
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_names_its_region_and_its_account() {
        let arn = "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default";
        let product: Product = arn.parse().unwrap();
        assert_eq!((product.region.as_str(), product.account.as_str()), ("eu-central-1", "111122223333"));
        for wrong in [
            "",
            "arn:aws:securityhub:eu-central-1:1111:product/1111/default",
            "arn:aws:securityhub::111122223333:product/111122223333/default",
            "arn:aws:iam:eu-central-1:111122223333:product/x/default",
            "arn:aws:securityhub:eu-central-1:111122223333:hub/default",
        ] {
            assert!(wrong.parse::<Product>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_remedy_is_cut_between_its_steps() {
        let text = format!("Do it.\n- {}\n- {}", "a".repeat(300), "b".repeat(300));
        assert_eq!(remedy(&text), format!("Do it.\n- {}", "a".repeat(300)));
        assert_eq!(remedy(&"c".repeat(600)).chars().count(), 512);
    }
}
