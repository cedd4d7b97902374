//! The lists of the page without their rows: headings, filters, heads of tables. The script fills them.

use std::collections::BTreeSet;
use std::io::Write;

use evenhand_model::finding::{Dimension, Severity, Status};
use evenhand_model::parity::Verdict;

use super::data::Data;
use super::markup::Text;
use super::pairs::LEVELS;
use crate::report::{Report, WriteError};
use crate::terminal::DECLARE;
use crate::text::thousands;

/// The sign and the word of a verdict; the script has the same.
pub(super) fn verdict_words(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Excess => ("▲", "Excess"),
        Verdict::ControlGap => ("◆", "Control gap"),
        Verdict::Unknown => ("?", "Unknown"),
        Verdict::NoBaseline => ("○", "No baseline"),
        Verdict::Parity => ("=", "Parity"),
        Verdict::Narrower => ("▽", "Narrower"),
    }
}

/// A heading with a sentence under it; opens the section.
fn open(id: &str, title: &str, says: &str, sink: &mut dyn Write) -> Result<(), WriteError> {
    writeln!(
        sink,
        "<section class=\"panel\" id=\"{id}\" aria-labelledby=\"{id}-title\">\n\
         <header><h2 id=\"{id}-title\">{title}</h2>\n<p>{says}</p></header>"
    )?;
    Ok(())
}

fn search(id: &str, label: &str, sink: &mut dyn Write) -> Result<(), WriteError> {
    writeln!(
        sink,
        "<label class=\"unseen\" for=\"{id}-search\">{label}</label>\
         <input type=\"search\" id=\"{id}-search\" placeholder=\"{label}\" autocomplete=\"off\" spellcheck=\"false\">"
    )?;
    Ok(())
}

fn select(
    id: &str,
    label: &str,
    all: &str,
    options: impl Iterator<Item = (String, String)>,
    sink: &mut dyn Write,
) -> Result<(), WriteError> {
    write!(
        sink,
        "<label class=\"unseen\" for=\"{id}\">{label}</label><select id=\"{id}\"><option value=\"\">{all}</option>"
    )?;
    for (value, words) in options {
        write!(sink, "<option value=\"{}\">{}</option>", Text(&value), Text(&words))?;
    }
    sink.write_all(b"</select>\n")?;
    Ok(())
}

fn check(id: &str, words: &str, sink: &mut dyn Write) -> Result<(), WriteError> {
    writeln!(sink, "<label class=\"check\"><input type=\"checkbox\" id=\"{id}\"> {words}</label>")?;
    Ok(())
}

/// The line under a list, and what it leaves out; closes the section.
fn close(id: &str, left: usize, how: &str, sink: &mut dyn Write) -> Result<(), WriteError> {
    writeln!(
        sink,
        "<div class=\"pager\"><span id=\"{id}-status\" role=\"status\"></span><span id=\"{id}-pager\"></span></div>"
    )?;
    if left > 0 {
        writeln!(
            sink,
            "<p class=\"soft small\">The page holds the worst of them; {} more are left out, {how}.</p>",
            thousands(left as u64)
        )?;
    }
    sink.write_all(b"</section>\n")?;
    Ok(())
}

/// A table for the script to fill; heads that begin with `#` are of numbers.
fn table(id: &str, caption: &str, heads: &[&str], sink: &mut dyn Write) -> Result<(), WriteError> {
    write!(sink, "<table class=\"stacks\"><caption class=\"unseen\">{caption}</caption>\n<thead><tr>")?;
    for head in heads {
        match head.strip_prefix('#') {
            Some(head) => write!(sink, "<th scope=\"col\" class=\"number\">{head}</th>")?,
            None => write!(sink, "<th scope=\"col\">{head}</th>")?,
        }
    }
    writeln!(sink, "</tr></thead>\n<tbody id=\"{id}-rows\"></tbody></table>")?;
    Ok(())
}

/// The parity view.
pub(super) fn parity(report: &Report, data: &Data, sink: &mut dyn Write) -> Result<(), WriteError> {
    open(
        "parity",
        "The agent beside the human",
        "Bars weigh the operations that each may use, on a scale of their own; a wildcard has the colour of its highest level.",
        sink,
    )?;
    if report.comparisons.is_empty() {
        writeln!(
            sink,
            "<p><b>No AI identity was recognised.</b> Nothing read proves one; {}.</p>\n</section>",
            Text(DECLARE)
        )?;
        return Ok(());
    }
    sink.write_all(b"<div class=\"tools\">\n<div class=\"toggles\" id=\"parity-verdicts\" role=\"group\" aria-label=\"Verdicts\">\n")?;
    for verdict in Verdict::ALL {
        let count = report.comparisons.iter().filter(|held| held.verdict == verdict).count();
        if count > 0 {
            let (sign, word) = verdict_words(verdict);
            writeln!(
                sink,
                "<button type=\"button\" class=\"toggle\" data-value=\"{}\" aria-pressed=\"false\">\
                 <span aria-hidden=\"true\">{sign} </span>{word} <b>{}</b></button>",
                verdict.as_str(),
                thousands(count as u64)
            )?;
        }
    }
    sink.write_all(b"</div>\n")?;
    search("parity", "Search agents and roles", sink)?;
    sink.write_all(b"</div>\n<ul class=\"legend\" aria-label=\"Colours\">\n")?;
    let swatch = |class: &str| {
        let (inset, size) = if class == "only" { (1, (12, 10)) } else { (0, (14, 12)) };
        format!(
            "<svg aria-hidden=\"true\"><rect x=\"{inset}\" y=\"{inset}\" width=\"{}\" height=\"{}\" class=\"fill-{class}\"/></svg>",
            size.0, size.1
        )
    };
    writeln!(sink, "<li>{}both hold it</li>", swatch("shared"))?;
    writeln!(sink, "<li>{}human only</li>", swatch("only"))?;
    sink.write_all(b"<li>beyond the human:</li>\n")?;
    for level in LEVELS.iter().rev() {
        let word = level.as_str();
        let short = word.strip_suffix("_management").unwrap_or(word);
        writeln!(sink, "<li>{}{short}</li>", swatch(word))?;
    }
    writeln!(sink, "<li>{}not decided</li>\n</ul>", swatch("open"))?;
    sink.write_all(b"<ol id=\"parity-rows\"></ol>\n")?;
    close("parity", data.left.pairs, "-o json has them all", sink)
}

/// The table of excess; nothing where there is none.
pub(super) fn excess(data: &Data, sink: &mut dyn Write) -> Result<(), WriteError> {
    if data.excess.identity.is_empty() {
        return Ok(());
    }
    open(
        "excess",
        "Access beyond the human role",
        "What the AI identity may do and its human role may not, with the statement that grants it. High risk first.",
        sink,
    )?;
    sink.write_all(b"<div class=\"tools\">\n")?;
    search("excess", "Search operations, resources, statements", sink)?;
    let levels = LEVELS.iter().rev().map(|level| (level.as_str().to_owned(), level.as_str().replace('_', " ")));
    select("excess-level", "Access level", "All levels", levels, sink)?;
    check("excess-risk", "High risk only", sink)?;
    sink.write_all(b"</div>\n")?;
    table(
        "excess",
        "Access beyond the human role",
        &["Identity", "Operation", "Level", "#Weight", "On", "Granted by"],
        sink,
    )?;
    close("excess", data.left.excess, "-o csv:excess has them all", sink)
}

/// The paths, drawn and listed; nothing where there are none.
pub(super) fn paths(data: &Data, sink: &mut dyn Write) -> Result<(), WriteError> {
    if data.paths.identity.is_empty() {
        return Ok(());
    }
    open(
        "paths",
        "Paths to more access",
        "Whom an identity can become, step by step. The drawing shows the rows of the table under it.",
        sink,
    )?;
    sink.write_all(b"<div class=\"tools\">\n")?;
    search("paths", "Search identities and techniques", sink)?;
    check("paths-agents", "AI identities only", sink)?;
    sink.write_all(
        b"</div>\n<ul class=\"legend\">\
          <li><svg aria-hidden=\"true\"><path class=\"line-escalates\" d=\"M0 6h14\"/></svg>a path that escalates</li>\
          <li><svg aria-hidden=\"true\"><path class=\"line-trust\" d=\"M0 6h14\"/></svg>a trust that is meant to be used</li>\
          <li><svg aria-hidden=\"true\"><path class=\"line-maybe\" d=\"M0 6h14\"/></svg>under a condition not known to hold</li></ul>\n\
          <div class=\"graph\" id=\"paths-graph\" tabindex=\"0\" role=\"region\" aria-label=\"Paths as a drawing\"></div>\n",
    )?;
    table("paths", "Paths", &["From", "Leads to", "By", "What it means", "Allowed by"], sink)?;
    close("paths", data.left.paths, "-o csv:paths has them all", sink)
}

/// The findings; nothing where nothing was judged.
pub(super) fn findings(report: &Report, data: &Data, sink: &mut dyn Write) -> Result<(), WriteError> {
    if data.finding_count() == 0 {
        if report.score.is_some() {
            open("findings", "Findings", "None.", sink)?;
            sink.write_all(b"</section>\n")?;
        }
        return Ok(());
    }
    let filtered = match report.filtered {
        0 => String::new(),
        count => format!(" {} left out by the filters of the scan.", thousands(count as u64)),
    };
    open("findings", "Findings", &format!("Worst first. A row opens to what to do about it.{filtered}"), sink)?;
    sink.write_all(b"<div class=\"tools\">\n<div class=\"toggles\" id=\"findings-severities\" role=\"group\" aria-label=\"Severities\">\n")?;
    for severity in Severity::WORST_FIRST {
        writeln!(
            sink,
            "<button type=\"button\" class=\"toggle\" data-value=\"{severity}\" aria-pressed=\"false\">{severity} <b></b></button>"
        )?;
    }
    sink.write_all(b"</div>\n")?;
    search("findings", "Search findings", sink)?;
    let both = |words: &str| (words.to_owned(), words.to_owned());
    // What failed comes first, as everywhere; the score counts it too.
    let failed = report.findings.iter().any(|finding| finding.status == Status::Fail);
    writeln!(
        sink,
        "<label class=\"unseen\" for=\"findings-state\">Status</label><select id=\"findings-state\">\
         <option value=\"\">Failed, undecided, accepted</option><option value=\"failed\"{}>Failed</option>\
         <option value=\"undecided\">Undecided</option><option value=\"accepted\">Accepted</option></select>",
        if failed { " selected" } else { "" }
    )?;
    let dimensions = Dimension::ALL.iter().map(|dimension| both(dimension.as_str()));
    select("findings-dimension", "Dimension", "All dimensions", dimensions, sink)?;
    let providers: BTreeSet<&str> = report.findings.iter().map(|finding| finding.provider.0).collect();
    select("findings-provider", "Provider", "All providers", providers.into_iter().map(both), sink)?;
    check("findings-agents", "AI identities only", sink)?;
    sink.write_all(
        b"<button type=\"button\" class=\"toggle\" id=\"findings-framework\" aria-pressed=\"true\" hidden></button>\n</div>\n",
    )?;
    table("findings", "Findings", &["Severity", "Finding", "Identity", "Dimension", "Status"], sink)?;
    close("findings", data.left.findings, "-o csv:findings has them all", sink)
}

/// All identities.
pub(super) fn identities(report: &Report, data: &Data, sink: &mut dyn Write) -> Result<(), WriteError> {
    if data.identity_count() == 0 {
        return Ok(());
    }
    open("identities", "Identities", "Everyone who can act, AI identities first. A name opens its card.", sink)?;
    sink.write_all(b"<div class=\"tools\">\n")?;
    search("identities", "Search names, places, owners", sink)?;
    let natures = report.coverage.natures.iter().filter(|(_, count)| *count > 0);
    let natures = natures.map(|(nature, _)| ((*nature).to_owned(), nature.replace('_', " ")));
    select("identities-nature", "Nature", "All natures", natures, sink)?;
    sink.write_all(b"</div>\n")?;
    table(
        "identities",
        "Identities",
        &["Identity", "Nature", "Where", "Owner", "Full control", "#Weight", "Findings"],
        sink,
    )?;
    close("identities", data.left.identities, "-o csv:inventory has them all", sink)
}
