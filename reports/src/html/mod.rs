//! HTML: one file that people open, print and send on.
//!
//! Nothing is fetched and nothing is sent: the policy in the page forbids every request, and allows the one style and the
//! one script whose hashes it names. What does not depend on a filter is written here; the lists, the cards and the
//! drawings are made by the script from the data in the page, as text nodes, so that a name is never markup.

mod credentials;
mod data;
mod evidence;
mod facts;
mod frameworks;
mod markup;
mod pairs;
mod score;
mod sections;
mod strings;

use std::io::Write;

use base64::Engine as _;
use evenhand_model::parity::Verdict;
use sha2::{Digest as _, Sha256};

use self::data::{Data, LIMITS};
use self::markup::{InScript, Text};
use crate::report::{Report, WriteError};
use crate::text::{counted, thousands};
use crate::words::unread;

/// The style of the page.
const STYLE: &str = include_str!("assets/report.css");

/// The parts of the script, in the order in which they need each other.
const SCRIPTS: [&str; 6] = [
    include_str!("assets/dom.js"),
    include_str!("assets/list.js"),
    include_str!("assets/bars.js"),
    include_str!("assets/graph.js"),
    include_str!("assets/card.js"),
    include_str!("assets/page.js"),
];

/// Writes the report as one self-contained page.
///
/// # Errors
/// When the sink refuses.
pub fn write(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    let data = Data::of(report, LIMITS);
    head(report, sink)?;
    let judged = report.score.is_some();
    top(report, &data, sink)?;
    let lead = lead(report);
    writeln!(
        sink,
        "<main id=\"main\">\n<div class=\"lead\"><h1>{}</h1>\n<p>{}</p></div>\n\
         <noscript><p class=\"panel\"><b>The lists of this page are made by its script, which is switched off here.</b></p></noscript>",
        Text(&lead.title),
        Text(&lead.says)
    )?;
    if let Some(unread) = unread(report) {
        writeln!(
            sink,
            "<p class=\"panel\"><b class=\"gap\">This scan is incomplete:</b> {}. <a href=\"#evidence\">What was not read</a></p>",
            Text(&unread)
        )?;
    }
    if let Some(score) = &report.score {
        sink.write_all(b"<div class=\"first\">\n")?;
        sections::parity(report, &data, sink)?;
        score::write(report, score, sink)?;
        sink.write_all(b"</div>\n")?;
    }
    sections::excess(&data, sink)?;
    sections::paths(&data, sink)?;
    if judged {
        credentials::write(report, sink)?;
    }
    sections::findings(report, &data, sink)?;
    sections::identities(report, &data, sink)?;
    if judged {
        frameworks::write(report, sink)?;
    }
    evidence::write(report, sink)?;
    writeln!(
        sink,
        "</main>\n<footer>{} {}, scan {} of {}</footer>\n\
         <dialog id=\"card\" aria-label=\"Identity\"><div class=\"card\" id=\"card-inside\"></div></dialog>",
        Text(report.tool.name),
        Text(&report.tool.version),
        Text(&report.scan.id),
        report.scan.time
    )?;
    sink.write_all(b"<script type=\"application/json\" id=\"data\">")?;
    serde_json::to_writer(InScript(sink), &data)?;
    writeln!(sink, "</script>\n<script>{}</script>\n</body>\n</html>", script())?;
    Ok(())
}

/// The style as browsers hash it: a checkout may have turned line ends into two characters, and parsers turn them back.
fn style() -> String {
    STYLE.replace("\r\n", "\n")
}

/// The script, strict, with no name of it visible outside.
fn script() -> String {
    format!("(() => {{\n\"use strict\";\n{}}})();", SCRIPTS.concat().replace("\r\n", "\n"))
}

/// The source expression of a policy that allows one inline text (Content Security Policy level 3, 2.3.1).
fn hash(text: &str) -> String {
    format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes())))
}

fn head(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    let (style, script) = (style(), script());
    writeln!(
        sink,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; script-src {}; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{}</title>\n<style>{style}</style>\n</head>",
        hash(&style),
        hash(&script),
        Text(&format!("evenhand: {}", lead(report).title))
    )?;
    Ok(())
}

/// What a page says first.
struct Lead {
    title: String,
    says: String,
}

fn lead(report: &Report) -> Lead {
    let of = |verdict: Verdict| report.comparisons.iter().filter(|held| held.verdict == verdict).count();
    let all = report.comparisons.len();
    let (excess, gaps) = (of(Verdict::Excess), of(Verdict::ControlGap));
    let (unknown, alone) = (of(Verdict::Unknown), of(Verdict::NoBaseline));
    let identities = counted(report.coverage.identities, "identity", "identities");
    if report.score.is_none() {
        return Lead { title: format!("{identities} read"), says: "An inventory: nothing was judged.".to_owned() };
    }
    if all == 0 {
        return Lead {
            title: "No AI identity was recognised".to_owned(),
            says: format!("{identities} read, and none is proved to be of AI: this report says nothing about agents."),
        };
    }
    let agents = counted(all, "AI identity", "AI identities");
    let title = match (excess, gaps) {
        (0, 0) if unknown + alone == 0 && report.is_complete() => {
            format!("None of {agents} holds more access than the human who does the same job")
        }
        (0, 0) => format!("None of {agents} is known to hold more access than the human who does the same job"),
        (0, gaps) => format!(
            "{} of {agents} {} fewer controls than the human who does the same job",
            thousands(gaps as u64),
            if gaps == 1 { "faces" } else { "face" }
        ),
        (excess, _) => format!(
            "{} of {agents} {} more access than the human who does the same job",
            thousands(excess as u64),
            if excess == 1 { "holds" } else { "hold" }
        ),
    };
    let mut says = Vec::new();
    if excess > 0 && gaps > 0 {
        says.push(format!("{} more hold no more, but face fewer controls", thousands(gaps as u64)));
    }
    if alone > 0 {
        says.push(format!("for {} no human role is known, which is no pass", thousands(alone as u64)));
    }
    if unknown > 0 {
        says.push(format!("for {} what was read does not tell", thousands(unknown as u64)));
    }
    let fine = of(Verdict::Parity) + of(Verdict::Narrower);
    says.push(match fine {
        0 => "none is known to be in line".to_owned(),
        1 => "1 is in line".to_owned(),
        fine => format!("{} are in line", thousands(fine as u64)),
    });
    let mut says = says.join("; ");
    says.push('.');
    if let Some(first) = says.get(..1).map(str::to_uppercase) {
        says.replace_range(..1, &first);
    }
    Lead { title, says }
}

/// The name, the way around the page, the moment of the scan.
fn top(report: &Report, data: &Data, sink: &mut dyn Write) -> Result<(), WriteError> {
    let judged = report.score.is_some();
    let links = [
        ("parity", "Parity", judged),
        ("excess", "Excess", !data.excess.identity.is_empty()),
        ("paths", "Paths", !data.paths.identity.is_empty()),
        ("findings", "Findings", judged),
        ("identities", "Identities", data.identity_count() > 0),
        ("frameworks", "Frameworks", judged && !report.rules.is_empty()),
        ("evidence", "Evidence", true),
    ];
    sink.write_all(
        b"<body>\n<a class=\"skip\" href=\"#main\">Skip to the report</a>\n<header class=\"top\">\
          <span class=\"brand\"><svg viewBox=\"0 0 22 18\" aria-hidden=\"true\">\
          <rect y=\"2\" width=\"13\" height=\"5\" rx=\"1.5\" class=\"fill-shared\"/>\
          <rect y=\"11\" width=\"22\" height=\"5\" rx=\"1.5\" class=\"fill-write\"/>\
          <rect y=\"11\" width=\"13\" height=\"5\" rx=\"1.5\" class=\"fill-shared\"/></svg>evenhand</span>\n\
          <nav aria-label=\"Sections\"><ul>\n",
    )?;
    for (id, words, _) in links.iter().filter(|(_, _, there)| *there) {
        writeln!(sink, "<li><a href=\"#{id}\">{words}</a></li>")?;
    }
    let time = report.scan.time.strftime("%Y-%m-%d %H:%M UTC");
    writeln!(sink, "</ul></nav>\n<time datetime=\"{}\">{time}</time></header>", report.scan.time)?;
    Ok(())
}
