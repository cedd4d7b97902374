//! JUnit XML, for build servers: a suite per provider with a case per finding, one of the rules that found nothing, and
//! one of what was not read.
//!
//! A rule that fails is a failure, one that cannot be decided a skipped case with the reason, evidence that could not be
//! read an error. The form is the one that Jenkins validates (its `junit-10.xsd`).

use std::collections::BTreeMap;
use std::io::{self, Write};

use evenhand_model::finding::{Finding, Status};
use evenhand_model::gap::{Gap, GapKind};

use crate::report::{Report, RuleOutcome, WriteError};
use crate::text::printable;
use crate::words::{accepted, coverage, gap, settings_by_name};

/// The number of cases of a suite, by outcome.
#[derive(Clone, Copy, Default)]
struct Count {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Count {
    fn and(self, other: Self) -> Self {
        Self {
            tests: self.tests + other.tests,
            failures: self.failures + other.failures,
            errors: self.errors + other.errors,
            skipped: self.skipped + other.skipped,
        }
    }

    fn attributes(self) -> String {
        format!("tests=\"{}\" failures=\"{}\" errors=\"{}\"", self.tests, self.failures, self.errors)
    }
}

/// Writes the report.
///
/// # Errors
/// When the sink refuses.
pub fn write(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    let mut suites: BTreeMap<&str, Count> = BTreeMap::new();
    for finding in &report.findings {
        let count = suites.entry(finding.provider.0).or_default();
        count.tests += 1;
        match (finding.status, &finding.waiver) {
            (Status::Fail, None) => count.failures += 1,
            (Status::Unknown, _) | (_, Some(_)) => count.skipped += 1,
        }
    }
    let quiet: Vec<&RuleOutcome> = report.rules.iter().filter(|rule| is_quiet(rule)).collect();
    let rules = Count {
        tests: quiet.len(),
        errors: quiet.iter().filter(|rule| rule.error.is_some()).count(),
        skipped: quiet.iter().filter(|rule| rule.error.is_none() && rule.passed == 0).count(),
        ..Count::default()
    };
    let failed = report.gaps.iter().filter(|gap| gap.kind == GapKind::Failed).count();
    let gaps =
        Count { tests: report.gaps.len(), errors: failed, skipped: report.gaps.len() - failed, ..Count::default() };
    let all = suites.values().fold(rules.and(gaps), |sum, count| sum.and(*count));
    writeln!(sink, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(sink, "<testsuites name=\"{}\" {}>", report.tool.name, all.attributes())?;
    // Jenkins takes a time without zone for its own; it is UTC.
    let stamp = report.scan.time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let suite = |sink: &mut dyn Write, name: &str, count: Count| {
        writeln!(
            sink,
            "  <testsuite name=\"evenhand.{}\" {} skipped=\"{}\" time=\"0\" timestamp=\"{stamp}\">",
            xml(name),
            count.attributes(),
            count.skipped
        )
    };
    for (provider, count) in &suites {
        suite(sink, provider, *count)?;
        for finding in report.findings.iter().filter(|finding| finding.provider.0 == *provider) {
            case(finding, sink)?;
        }
        writeln!(sink, "  </testsuite>")?;
    }
    suite(sink, "rules", rules)?;
    for rule in quiet {
        quiet_case(rule, sink)?;
    }
    writeln!(sink, "  </testsuite>")?;
    suite(sink, "coverage", gaps)?;
    properties(report, sink)?;
    for gap in &report.gaps {
        gap_case(gap, sink)?;
    }
    writeln!(sink, "    <system-out>{}</system-out>", xml(&coverage(report)))?;
    writeln!(sink, "  </testsuite>\n</testsuites>")?;
    Ok(())
}

/// Whether a rule has no case of its own among the findings. One that report filters leave out found something.
fn is_quiet(rule: &RuleOutcome) -> bool {
    rule.error.is_some() || (rule.failed == 0 && rule.undecided == 0)
}

fn case(finding: &Finding, sink: &mut dyn Write) -> io::Result<()> {
    // A name that is the same for two cases would be one case to those that keep a history.
    let name = format!("{} [{}]", finding.identity, finding.id);
    writeln!(sink, "    <testcase name=\"{}\" classname=\"{}\">", xml(&name), xml(finding.rule.as_str()))?;
    let message = xml(&finding.title);
    match (finding.status, &finding.waiver) {
        (_, Some(waiver)) => {
            let said = xml(&accepted(waiver));
            writeln!(sink, "      <skipped message=\"{said}\">{message}\n{}</skipped>", xml(&detail(finding)))?;
        }
        (Status::Fail, None) => {
            writeln!(
                sink,
                "      <failure type=\"{}\" message=\"{message}\">{}</failure>",
                finding.severity,
                xml(&detail(finding))
            )?;
        }
        (Status::Unknown, None) => {
            writeln!(sink, "      <skipped message=\"{message}\">{}</skipped>", xml(&detail(finding)))?
        }
    }
    writeln!(sink, "    </testcase>")
}

/// What a person wants to read below the headline.
fn detail(finding: &Finding) -> String {
    let mut text = format!(
        "severity: {}\nidentity: {} ({})\nscope: {}\n",
        finding.severity, finding.name, finding.identity, finding.scope
    );
    for evidence in &finding.evidence {
        text.push_str(&format!("evidence: {evidence}\n"));
    }
    for (name, value) in &finding.facts {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push_str(&finding.remedy);
    text
}

fn quiet_case(rule: &RuleOutcome, sink: &mut dyn Write) -> io::Result<()> {
    let name = xml(&rule.title);
    let id = xml(rule.id.as_str());
    match (&rule.error, rule.passed) {
        (Some(error), _) => writeln!(
            sink,
            "    <testcase name=\"{name}\" classname=\"{id}\"><error type=\"rule\" message=\"{}\"/></testcase>",
            xml(error)
        ),
        (None, 0) => writeln!(
            sink,
            "    <testcase name=\"{name}\" classname=\"{id}\"><skipped message=\"nothing that was read is judged by it\"/></testcase>"
        ),
        (None, passed) => writeln!(
            sink,
            "    <testcase name=\"{name}\" classname=\"{id}\"><system-out>{passed} passed</system-out></testcase>"
        ),
    }
}

fn gap_case(of: &Gap, sink: &mut dyn Write) -> io::Result<()> {
    let place = of.scope.as_ref().map(|scope| format!("{scope}: ")).unwrap_or_default();
    let name = format!("{place}{}", of.call);
    let (element, kind) = match of.kind {
        GapKind::Failed => ("error type=\"not-read\"", "failed"),
        GapKind::NotCollected => ("skipped", "not_collected"),
    };
    writeln!(
        sink,
        "    <testcase name=\"{}\" classname=\"gap.{kind}\"><{element} message=\"{}\"/></testcase>",
        xml(&name),
        xml(&gap(of))
    )
}

fn properties(report: &Report, sink: &mut dyn Write) -> io::Result<()> {
    let mut all = vec![
        ("scan", report.scan.id.clone()),
        ("time", report.scan.time.to_string()),
        ("version", report.tool.version.to_string()),
        ("rules", report.coverage.rules.to_string()),
        ("decided", report.coverage.decided.to_string()),
        ("undecided", report.coverage.undecided.to_string()),
        ("not_reported", report.filtered.to_string()),
    ];
    let scores = report
        .known_score()
        .into_iter()
        .flat_map(|score| [("raw_score", score.raw), ("governed_score", score.governed)]);
    all.extend(scores.map(|(name, score)| (name, score.thousandths().to_string())));
    let unknown = report.score.is_some() && !report.is_score_known();
    all.extend(unknown.then(|| ("score_known", "false".to_owned())));
    all.extend(report.coverage.percent().map(|percent| ("coverage_percent", percent.to_string())));
    all.extend(settings_by_name(&report.coverage.settings));
    writeln!(sink, "    <properties>")?;
    for (name, value) in &all {
        writeln!(sink, "      <property name=\"{name}\" value=\"{}\"/>", xml(value))?;
    }
    writeln!(sink, "    </properties>")
}

/// Text in an element or attribute. What XML 1.0 does not allow, and what could act on a console, is spelled out.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        for c in printable(line.trim_end_matches('\n')).chars() {
            match c {
                '&' => safe.push_str("&amp;"),
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '"' => safe.push_str("&quot;"),
                '\'' => safe.push_str("&#39;"),
                '\u{fffe}' | '\u{ffff}' => safe.push_str(&c.escape_unicode().to_string()),
                c => safe.push(c),
            }
        }
        if line.ends_with('\n') {
            safe.push_str("&#10;");
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_be_markup_or_what_xml_forbids() {
        assert_eq!(xml("</failure>&\"'"), "&lt;/failure&gt;&amp;&quot;&#39;");
        assert_eq!(xml("a\u{1b}b\u{ffff}"), "a\\u{1b}b\\u{ffff}");
        assert_eq!(xml("a\nb"), "a&#10;b");
        assert_eq!(xml("]]>"), "]]&gt;");
    }
}
