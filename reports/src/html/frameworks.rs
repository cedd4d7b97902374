//! The coverage matrix: for each framework the requirements that rules speak to, and how they stand.

use std::collections::BTreeMap;
use std::io::Write;

use evenhand_model::finding::Severity;

use super::markup::Text;
use crate::report::{Report, WriteError};
use crate::text::{counted, thousands};

/// What a framework's key stands for.
fn title(key: &str) -> &str {
    match key {
        "owasp_nhi_2025" => "OWASP Non-Human Identities Top 10, 2025",
        "owasp_asi_2026" => "OWASP Top 10 for Agentic Applications, 2026",
        "owasp_mcp_2025" => "OWASP MCP Top 10, 2025",
        "nist_csf_2.0" => "NIST Cybersecurity Framework 2.0",
        "nist_800_53_r5.2.0" => "NIST SP 800-53, release 5.2.0",
        "nist_ai_rmf_1.0" => "NIST AI Risk Management Framework 1.0",
        "nist_ai_600_1" => "NIST AI 600-1, generative AI profile",
        "iso_42001_2023" => "ISO/IEC 42001:2023, Annex A",
        "cis_controls_8.1" => "CIS Controls 8.1",
        "eu_ai_act" => "EU AI Act, Regulation (EU) 2024/1689",
        "soc2_tsc_2017" => "SOC 2, Trust Services Criteria 2017",
        "pci_dss_4.0.1" => "PCI DSS 4.0.1",
        other => other,
    }
}

/// How a requirement stands: the rows of all rules that speak to it.
#[derive(Clone, Copy, Default)]
struct Standing {
    passed: u64,
    failed: u64,
    undecided: u64,
    worst: Option<Severity>,
}

impl Standing {
    /// The word that styles and legend share, and what the requirement shows beside its id.
    fn shown(&self) -> (&'static str, String) {
        match (self.worst, self.undecided, self.passed) {
            (Some(severity), ..) => (severity.as_str(), thousands(self.failed)),
            (None, 1.., _) => ("undecided", format!("? {}", thousands(self.undecided))),
            (None, 0, 1..) => ("clear", "✓".to_owned()),
            (None, 0, 0) => ("clear", "–".to_owned()),
        }
    }

    fn words(&self) -> String {
        let worst = self.worst.map(|severity| format!(", the worst {severity}")).unwrap_or_default();
        if self.failed + self.undecided + self.passed == 0 {
            return "nothing to judge".to_owned();
        }
        format!(
            "{} failed{worst}, {} undecided, {} passed",
            thousands(self.failed),
            thousands(self.undecided),
            thousands(self.passed)
        )
    }
}

/// Requirements in the order in which people number them: 3.2 before 3.10.
fn natural(id: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let (mut word, mut digits) = (String::new(), String::new());
    for c in id.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            parts.push((std::mem::take(&mut word), digits.parse().unwrap_or(u64::MAX)));
            digits.clear();
        }
        word.push(c);
    }
    parts.push((word, digits.parse().unwrap_or(0)));
    parts
}

type Matrix<'a> = BTreeMap<&'a str, BTreeMap<(Vec<(String, u64)>, &'a str), Standing>>;

fn matrix(report: &Report) -> Matrix<'_> {
    let mut matrix = Matrix::new();
    for rule in &report.rules {
        for (framework, id) in &rule.frameworks {
            let held = matrix.entry(framework).or_default().entry((natural(id), id)).or_default();
            held.passed += rule.passed;
            held.failed += rule.failed;
            held.undecided += rule.undecided;
            if rule.failed > 0 {
                held.worst = held.worst.max(Some(rule.severity));
            }
        }
    }
    matrix
}

/// Writes the section; nothing where no rule speaks to a framework.
pub(super) fn write(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    let matrix = matrix(report);
    if matrix.is_empty() {
        return Ok(());
    }
    writeln!(
        sink,
        "<section class=\"panel\" id=\"frameworks\" aria-labelledby=\"frameworks-title\">\n\
         <header><h2 id=\"frameworks-title\">Frameworks</h2>\n\
         <p>The requirements that rules speak to. Evidence for an assessment, not the assessment.</p></header>\n\
         <ul class=\"legend\"><li><span class=\"requirement critical\">3</span> failed, critical</li>\
         <li><span class=\"requirement high\">3</span> failed, high</li>\
         <li><span class=\"requirement medium\">3</span> failed, medium</li>\
         <li><span class=\"requirement low\">3</span> failed, low</li>\
         <li><span class=\"requirement undecided\">? 3</span> undecided</li>\
         <li><span class=\"requirement clear\">✓</span> passed</li>\
         <li><span class=\"requirement clear\">–</span> nothing to judge</li></ul>"
    )?;
    for (framework, requirements) in &matrix {
        let open = requirements.values().filter(|held| held.failed > 0).count();
        let all = counted(requirements.len(), "requirement", "requirements");
        writeln!(
            sink,
            "<div class=\"framework\"><div><h3>{}</h3><p class=\"soft small\">{} of {all} with failed checks</p></div>\n<ul>",
            Text(title(framework)),
            thousands(open as u64)
        )?;
        for ((_, id), held) in requirements {
            let (class, shown) = held.shown();
            let words = held.words();
            if held.failed + held.undecided > 0 {
                writeln!(
                    sink,
                    "<li><button type=\"button\" class=\"requirement {class}\" data-framework=\"{} {}\" title=\"{words}\">\
                     <b>{}</b> {shown}<span class=\"unseen\">: {words}</span></button></li>",
                    Text(framework),
                    Text(id),
                    Text(id)
                )?;
            } else {
                writeln!(
                    sink,
                    "<li><span class=\"requirement {class}\" title=\"{words}\"><b>{}</b> {shown}\
                     <span class=\"unseen\">: {words}</span></span></li>",
                    Text(id)
                )?;
            }
        }
        sink.write_all(b"</ul></div>\n")?;
    }
    sink.write_all(b"</section>\n")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_ordered_as_people_number_them() {
        let mut ids = ["3.10", "3.2", "AC-6(10)", "AC-6(2)", "AC-6", "AC-17", "GV.OC-01"];
        ids.sort_by_key(|id| natural(id));
        assert_eq!(ids, ["3.2", "3.10", "AC-6", "AC-6(2)", "AC-6(10)", "AC-17", "GV.OC-01"]);
    }

    #[test]
    fn a_requirement_without_failures_is_not_passed_while_something_is_undecided() {
        let of = |passed, failed, undecided, worst| Standing { passed, failed, undecided, worst }.shown().0;
        assert_eq!(of(9, 1, 1, Some(Severity::High)), "high");
        assert_eq!(of(9, 0, 1, None), "undecided");
        assert_eq!(of(9, 0, 0, None), "clear");
    }
}
