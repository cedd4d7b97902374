//! Markdown, for the summary of a pipeline step and for a comment on a pull request.
//!
//! GitHub drops a summary that is too long as a whole and refuses a comment that is, so the page has a budget: the worst
//! comes first, and what finds no room is counted. Whatever somebody else could have named stands in a code span, in which
//! nothing is a link, a mention, an image or the border of a cell.

use std::fmt::Write as _;
use std::io::Write;

use evenhand_model::finding::{Finding, Status};
use evenhand_model::gap::GapKind;
use evenhand_model::parity::{Comparison, Verdict};
use evenhand_model::waiver::Waiver;

use crate::findings::Identities;
use crate::report::{Report, WriteError};
use crate::text::{counted, printable, thousands};
use crate::words::{accepted, by_each_severity, coverage, cut, failing, first_line, gap, posture, settings, unread};

/// How long a page may become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// The whole page, in bytes.
    bytes: usize,
    /// The rows of a table.
    rows: usize,
}

impl Size {
    /// A step summary. GitHub takes 1,024 KiB of all summaries of a step together.
    pub const SUMMARY: Self = Self { bytes: 768 * 1024, rows: 1_000 };
    /// A comment. GitHub takes 65,536 characters.
    pub const COMMENT: Self = Self { bytes: 60_000, rows: 30 };
}

/// The most characters of a cell.
const CELL: usize = 240;

/// Room for the end of a table and of the page.
const RESERVE: usize = 600;

/// The mark by which a job finds the comment that it made before.
pub const MARK: &str = "<!-- evenhand -->";

/// Writes the report.
///
/// # Errors
/// When the sink refuses.
pub fn write(report: &Report, size: Size, sink: &mut dyn Write) -> Result<(), WriteError> {
    let mut page = Page { text: String::new(), size };
    page.head(report);
    page.parity(report);
    page.findings(report);
    page.accepted(report);
    page.remedies(report);
    page.undecided(report);
    page.gaps(report);
    sink.write_all(page.text.as_bytes())?;
    Ok(())
}

struct Page {
    text: String,
    size: Size,
}

impl Page {
    /// Adds a line, if the page keeps to this share of its budget, in percent.
    fn line(&mut self, line: &str, share: usize) -> bool {
        let most = (self.size.bytes / 100).saturating_mul(share).saturating_sub(RESERVE);
        let fits = self.text.len() + line.len() < most;
        if fits {
            self.text.push_str(line);
            self.text.push('\n');
        }
        fits
    }

    /// Adds rows up to a share of the budget, and says how many found no room.
    fn rows(&mut self, header: &str, rows: impl ExactSizeIterator<Item = String>, share: usize) {
        let columns = header.matches('|').count().saturating_sub(1);
        let all = rows.len();
        if all == 0 || !self.line(&format!("{header}\n|{}", "---|".repeat(columns)), share) {
            return;
        }
        let mut shown = 0;
        for row in rows.take(self.size.rows) {
            if !self.line(&row, share) {
                break;
            }
            shown += 1;
        }
        if shown < all {
            // The reserve has room for it.
            let _ = writeln!(self.text, "\n… and {} more; `-o json` has them all.", thousands((all - shown) as u64));
        }
        self.text.push('\n');
    }

    fn head(&mut self, report: &Report) {
        let mut title = match posture(report) {
            Some(told) => format!("# evenhand: posture {told}"),
            None => "# evenhand".to_owned(),
        };
        if let Some(unread) = unread(report) {
            let _ = write!(title, "\n\n**This scan is incomplete**: {unread}. What it is stands at the end.");
        }
        let failed = by_each_severity(&failing(report));
        let is_open = |finding: &&Finding| finding.status == Status::Unknown && finding.waiver.is_none();
        let undecided = report.findings.iter().filter(is_open).count();
        let mut text = format!("{MARK}\n{title}\n\n**Findings**: {failed} · {} undecided", thousands(undecided as u64));
        let waived = report.findings.iter().filter(|finding| finding.waiver.is_some()).count();
        if waived > 0 {
            let _ = write!(text, " · {} accepted", thousands(waived as u64));
        }
        if report.filtered > 0 {
            let _ = write!(text, " · {} not shown (--severity)", thousands(report.filtered as u64));
        }
        let _ = write!(text, "\n\n{}.\n", coverage(report));
        let settings: Vec<String> = settings(&report.coverage.settings).iter().map(|line| literal(line)).collect();
        if !settings.is_empty() {
            let _ = write!(text, "\n{}.\n", settings.join("; "));
        }
        for error in report.rules.iter().filter_map(|rule| rule.error.as_ref()).take(5) {
            let _ = write!(text, "\n**Error**: {}\n", code(error));
        }
        self.line(&text, 100);
    }

    fn parity(&mut self, report: &Report) {
        if report.comparisons.is_empty() {
            return;
        }
        let counts: Vec<String> = Verdict::ALL
            .into_iter()
            .map(|verdict| (verdict, report.comparisons.iter().filter(|held| held.verdict == verdict).count()))
            .filter(|(_, count)| *count > 0)
            .map(|(verdict, count)| format!("{} {}", thousands(count as u64), verdict.as_str()))
            .collect();
        self.line(&format!("## AI identities beside the human who does the same job\n\n{}\n", counts.join(", ")), 100);
        let mut ranked: Vec<&Comparison> = report.comparisons.iter().collect();
        ranked.sort_by_key(|held| {
            use std::cmp::Reverse;
            (held.verdict, Reverse(held.high_risk_excess), Reverse(held.excess_weight), &held.identity)
        });
        let identities = Identities::of(report);
        let row = |held: &Comparison| {
            let role = if held.baseline.roles.is_empty() { "none known".to_owned() } else { code(&held.baseline.name) };
            let name = code(&identities.name(held.identity.as_str()));
            format!("| {name} | {} | {role} | {} |", held.verdict.as_str(), code(&held.summary))
        };
        let rows = ranked.into_iter().map(row);
        self.rows("| AI identity | Verdict | Human role | What differs |", rows, 40);
    }

    fn findings(&mut self, report: &Report) {
        let is_open = |finding: &&Finding| finding.status == Status::Fail && finding.waiver.is_none();
        let failed: Vec<&Finding> = report.findings.iter().filter(is_open).collect();
        if failed.is_empty() {
            return;
        }
        self.line(&format!("## {}\n", counted(failed.len(), "finding", "findings")), 100);
        let row = |finding: &Finding| {
            let place = finding.evidence.first().map_or("none".to_owned(), |evidence| code(&evidence.to_string()));
            format!("| {} | {} | {} | {place} |", finding.severity, code(finding.rule.as_str()), code(&finding.title))
        };
        self.rows("| Severity | Rule | What | Where |", failed.into_iter().map(row), 80);
    }

    fn accepted(&mut self, report: &Report) {
        let waived: Vec<_> =
            report.findings.iter().filter_map(|finding| Some((finding, finding.waiver.as_deref()?))).collect();
        if waived.is_empty() {
            return;
        }
        self.section("Accepted exceptions", waived.len());
        let row = |(finding, waiver): (&Finding, &Waiver)| {
            let what = code(&finding.title);
            format!("| {} | {} | {what} | {} |", finding.severity, code(finding.rule.as_str()), code(&accepted(waiver)))
        };
        self.rows("| Severity | Rule | What | By whom |", waived.into_iter().map(row), 85);
        self.text.push_str("</details>\n\n");
    }

    fn remedies(&mut self, report: &Report) {
        let mut open: Vec<_> = report.rules.iter().filter(|rule| rule.failed > 0).collect();
        open.sort_by_key(|rule| (std::cmp::Reverse(rule.severity), std::cmp::Reverse(rule.failed), &rule.id));
        if open.is_empty() {
            return;
        }
        self.section("How to put it right", open.len());
        let row = |rule: &crate::report::RuleOutcome| {
            let (count, fix) = (thousands(rule.failed), cell(first_line(&rule.fix)));
            format!("| {} | {} | {count} | {fix} |", rule.severity, code(rule.id.as_str()))
        };
        self.rows("| Severity | Rule | Findings | First |", open.into_iter().map(row), 90);
        self.text.push_str("`evenhand explain RULE` has all steps.\n\n</details>\n\n");
    }

    fn undecided(&mut self, report: &Report) {
        let mut open: Vec<_> = report.rules.iter().filter(|rule| rule.undecided > 0).collect();
        open.sort_by_key(|rule| (std::cmp::Reverse(rule.severity), std::cmp::Reverse(rule.undecided), &rule.id));
        if open.is_empty() {
            return;
        }
        self.section("Not decided, because evidence is missing", open.len());
        let row = |rule: &crate::report::RuleOutcome| {
            format!(
                "| {} | {} | {} | {} |",
                rule.severity,
                code(rule.id.as_str()),
                thousands(rule.undecided),
                cell(&rule.title)
            )
        };
        self.rows("| Severity | Rule | Undecided | What it would say |", open.into_iter().map(row), 95);
        self.text.push_str("</details>\n\n");
    }

    fn gaps(&mut self, report: &Report) {
        if report.gaps.is_empty() {
            return;
        }
        self.section("Not read, hence unknown", report.gaps.len());
        let mut gaps: Vec<_> = report.gaps.iter().collect();
        gaps.sort_by_key(|gap| gap.kind != GapKind::Failed);
        let row = |of: &evenhand_model::gap::Gap| {
            let kind = match of.kind {
                GapKind::Failed => "failed",
                GapKind::NotCollected => "not collected",
            };
            format!("| {kind} | {} |", code(&gap(of)))
        };
        self.rows("| | What |", gaps.into_iter().map(row), 100);
        self.text.push_str("</details>\n");
    }

    /// Begins a part that is folded away. Whoever begins it ends it, within the reserve.
    fn section(&mut self, title: &str, count: usize) {
        let _ = write!(self.text, "<details><summary>{title} ({})</summary>\n\n", thousands(count as u64));
    }
}

/// Text as a code span that fits into a cell: between more backticks than it holds in a row, and without the border.
fn code(text: &str) -> String {
    let safe = cut(printable(text).replace('|', "\\u{7c}").trim(), CELL);
    if safe.is_empty() {
        return "`-`".to_owned();
    }
    let runs = safe.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0) + 1);
    // One space on each side belongs to the fence.
    let space = if safe.starts_with('`') || safe.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{safe}{space}{fence}")
}

/// Text that says in Markdown what it says as it is: nothing of it is markup, a link or a mention.
pub fn literal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for character in printable(text).chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '|' | '~' | '!' => {
                safe.push('\\');
                safe.push(character);
            }
            // What looks like an address becomes a link by itself.
            ':' => safe.push_str("&#58;"),
            _ => safe.push(character),
        }
    }
    safe
}

/// The text of a rule in a cell: Markdown, but for the border.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_text_in_markdown() {
        for (name, safe) in [
            ("<img src=x>", "&lt;img src=x&gt;"),
            ("@everyone", "&#64;everyone"),
            ("[a](https://evil.example)", "\\[a\\]\\(https&#58;//evil.example\\)"),
            ("a|b`c`", "a\\|b\\`c\\`"),
        ] {
            assert_eq!(literal(name), safe);
        }
    }

    #[test]
    fn nothing_in_a_code_span_ends_it_or_its_cell() {
        for (text, span) in [
            ("a`b", "``a`b``"),
            ("`a``", "``` `a`` ```"),
            ("a|b", "`a\\u{7c}b`"),
            ("a\nb", "`a\\u{a}b`"),
            ("", "`-`"),
            ("  ", "`-`"),
            ("@team <img src=x> [x](http://y)", "`@team <img src=x> [x](http://y)`"),
        ] {
            assert_eq!(code(text), span);
        }
        assert!(code(&"x".repeat(10_000)).chars().count() <= CELL + 2);
        assert!(code(&"`".repeat(10_000)).chars().count() <= 3 * CELL + 4);
    }

    #[test]
    fn a_page_keeps_to_its_size_and_counts_what_it_leaves_out() {
        let mut page = Page { text: String::new(), size: Size { bytes: 2_000, rows: 1_000 } };
        page.rows("| a | b |", (0..500).map(|row| format!("| {row} | {} |", "x".repeat(20))), 100);
        assert!(page.text.len() <= 2_000, "{}", page.text.len());
        let rows = page.text.lines().filter(|line| line.starts_with("| ")).count() - 1;
        assert!(page.text.contains(&format!("and {} more", 500 - rows)), "{}", page.text);
    }
}
