//! What the report rests on: what was read, what was not, what nobody knows.

use std::collections::BTreeMap;
use std::io::Write;

use evenhand_model::gap::{Gap, GapKind};

use super::markup::Text;
use crate::report::{Report, SourceStatus, WriteError};
use crate::text::{counted, thousands};
use crate::words::settings;

/// Lines that are shown before the rest is folded away, and lines that a list has at most.
const SHOWN: usize = 12;
const MOST: usize = 500;

pub(super) fn write(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    let coverage = &report.coverage;
    let natures: Vec<String> = coverage
        .natures
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(nature, count)| format!("{} {}", thousands(*count as u64), nature.replace('_', " ")))
        .collect();
    writeln!(
        sink,
        "<section class=\"panel\" id=\"evidence\" aria-labelledby=\"evidence-title\">\n\
         <header><h2 id=\"evidence-title\">What this rests on</h2>\n<p>{} ({}) in {}.</p></header>",
        counted(coverage.identities, "identity", "identities"),
        Text(&natures.join(", ")),
        counted(coverage.files_read + coverage.files_partial, "document", "documents")
    )?;
    for line in settings(&coverage.settings) {
        writeln!(sink, "<p class=\"soft small\">{}</p>", Text(&line))?;
    }
    let of = |kind: GapKind| report.gaps.iter().filter(move |gap| gap.kind == kind);
    let failed = grouped(of(GapKind::Failed));
    if !failed.is_empty() {
        sink.write_all(b"<h3 class=\"gap\">Could not be read: this scan is incomplete</h3>\n")?;
        list(&failed, sink)?;
    }
    let absent = grouped(of(GapKind::NotCollected));
    if !absent.is_empty() {
        sink.write_all(b"<h3>Not part of what was read, hence unknown</h3>\n")?;
        list(&absent, sink)?;
    }
    if failed.is_empty() && absent.is_empty() {
        sink.write_all(b"<p>Nothing is known to be missing.</p>\n")?;
    }
    if !report.possible_agents.is_empty() {
        sink.write_all(
            b"<h3>May be AI agents, by weak signs only</h3>\n<p class=\"soft small\">Not compared with people.</p>\n",
        )?;
        let lines: Vec<String> = report
            .possible_agents
            .iter()
            .map(|held| format!("<b>{}</b>: {}", Text(held.identity.as_str()), Text(&held.hint)))
            .collect();
        list(&lines, sink)?;
    }
    if !report.hints.is_empty() {
        sink.write_all(b"<h3>Worth knowing</h3>\n")?;
        let lines: Vec<String> = report
            .hints
            .iter()
            .map(|hint| {
                format!(
                    "{} <span class=\"soft small\">{}</span>",
                    Text(&hint.message),
                    Text(&hint.evidence.to_string())
                )
            })
            .collect();
        list(&lines, sink)?;
    }
    sources(report, sink)?;
    sink.write_all(b"</section>\n")?;
    Ok(())
}

/// Gaps in words; the same thing missing in forty accounts is one line.
fn grouped<'a>(gaps: impl Iterator<Item = &'a Gap>) -> Vec<String> {
    let mut lines: BTreeMap<(&str, &str, String), Vec<&str>> = BTreeMap::new();
    for gap in gaps {
        let scopes = lines.entry((&gap.call, &gap.reason, gap.unknown())).or_default();
        scopes.extend(gap.scope.as_ref().map(|scope| scope.as_str()));
    }
    lines
        .into_iter()
        .map(|((call, reason, unknown), scopes)| {
            let unknown = match unknown.as_str() {
                "" => String::new(),
                unknown => format!(" Unknown: {}.", Text(unknown)),
            };
            let places = match scopes.as_slice() {
                [] => String::new(),
                [first, second, third, rest @ ..] if !rest.is_empty() => {
                    let named = format!("{first}, {second}, {third}");
                    format!(" <span class=\"soft\">in {} and {} more</span>", Text(&named), rest.len())
                }
                some => format!(" <span class=\"soft\">in {}</span>", Text(&some.join(", "))),
            };
            format!("<b>{}</b>{places}: {}.{unknown}", Text(call), Text(reason))
        })
        .collect()
}

/// Lines of markup as a list, the long tail of it folded.
fn list(lines: &[String], sink: &mut dyn Write) -> Result<(), WriteError> {
    let items = |lines: &[String], sink: &mut dyn Write| -> Result<(), WriteError> {
        sink.write_all(b"<ul class=\"gaps\">\n")?;
        for line in lines {
            writeln!(sink, "<li>{line}</li>")?;
        }
        sink.write_all(b"</ul>\n")?;
        Ok(())
    };
    let (held, left) = lines.split_at(lines.len().min(MOST));
    let (first, rest) = held.split_at(held.len().min(SHOWN));
    items(first, sink)?;
    if !rest.is_empty() {
        writeln!(sink, "<details><summary>{} more</summary>", thousands(rest.len() as u64))?;
        items(rest, sink)?;
        left_out(left.len(), sink)?;
        sink.write_all(b"</details>\n")?;
    }
    Ok(())
}

fn left_out(count: usize, sink: &mut dyn Write) -> Result<(), WriteError> {
    if count > 0 {
        writeln!(sink, "<p class=\"soft small\">and {} more; -o json has them all</p>", thousands(count as u64))?;
    }
    Ok(())
}

fn sources(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    let files = &report.scan.sources;
    if files.is_empty() {
        return Ok(());
    }
    writeln!(sink, "<details><summary>{}</summary>", counted(files.len(), "document", "documents"))?;
    sink.write_all(
        b"<div class=\"wide\"><table class=\"stacks\"><thead><tr><th scope=\"col\">Document</th><th scope=\"col\">Status</th>\
          <th scope=\"col\">What it is</th></tr></thead>\n<tbody>\n",
    )?;
    for file in files.iter().take(MOST) {
        let status = match file.status {
            SourceStatus::Read => "read",
            SourceStatus::Partial => "read in part",
            SourceStatus::Failed => "failed",
            SourceStatus::Unrecognised => "not recognised",
        };
        let provider = file.provider.map(|provider| format!("{provider}: ")).unwrap_or_default();
        writeln!(
            sink,
            "<tr><td class=\"code\">{}</td><td>{status}</td><td>{}{}</td></tr>",
            Text(&file.path),
            Text(&provider),
            Text(&file.what)
        )?;
    }
    sink.write_all(b"</tbody></table></div>\n")?;
    left_out(files.len().saturating_sub(MOST), sink)?;
    sink.write_all(b"</details>\n")?;
    Ok(())
}
