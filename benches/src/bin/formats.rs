//! What writing every format costs: `cargo run --release -p evenhand-benches --bin formats -- aws 10000`, with a number of
//! findings behind it (`… aws 10000 1000000`) for a report that was filled up to so many.
//!
//! Each format is written to a sink that counts, once, after the scan; the memory is how much the process's peak grew
//! beyond what the report itself takes.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use evenhand::formats::{FORMATS, OutputFormat, Rendering};
use evenhand_benches::figures::{say, say_error};
use evenhand_benches::generate;
use evenhand_benches::scan::Bench;
use evenhand_reports::asff::Product;
use evenhand_reports::{Report, terminal};
use evenhand_rules::evaluate::Keep;

/// A product of Security Hub, which one format needs.
const PRODUCT: &str = "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [kind @ ("aws" | "kubernetes"), count] => number(count).and_then(|count| formats(kind, count, None)),
        [kind @ ("aws" | "kubernetes"), count, findings] => {
            number(count).and_then(|count| formats(kind, count, Some(number(findings)?)))
        }
        _ => Err("usage: formats aws|kubernetes IDENTITIES [FINDINGS]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say_error(&message);
            ExitCode::from(2)
        }
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn formats(kind: &str, count: u64, findings: Option<usize>) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("evenhand-bench-{kind}-{count}"));
    if !folder.is_dir() {
        let written = if kind == "aws" { generate::aws(&folder, count) } else { generate::kubernetes(&folder, count) };
        written.map_err(|error| format!("the capture could not be written: {error}"))?;
    }
    let bench = Bench::default();
    let began = Instant::now();
    let mut report = bench.report(bench.assess(bench.read(&folder), Keep::Report));
    let scanned = began.elapsed();
    if let Some(findings) = findings {
        fill(&mut report, findings);
    }
    let product: Product = PRODUCT.parse().map_err(|_| "the product could not be read")?;
    let screen = terminal::Options { width: 120, color: false, limit: Some(20), every_file: false };
    say(&format!("{kind} {count}: {} findings, scanned in {:.2} s", report.findings.len(), scanned.as_secs_f64()));
    let all = Instant::now();
    for format in FORMATS {
        let with = Rendering { report: &report, screen, evidence: "evidence", product: Some(&product) };
        let before = peak();
        let mut sink = Counting(0);
        let began = Instant::now();
        OutputFormat::Listed(format).write(with, &mut sink).map_err(|error| format!("{}: {error}", format.name))?;
        let grown = before.zip(peak()).map(|(before, after)| after.saturating_sub(before));
        say(&format!(
            "  {:>16} {:8.1} ms {:9.1} MB written, {} MB more at most",
            format.name,
            began.elapsed().as_secs_f64() * 1000.0,
            mega(sink.0),
            grown.map_or_else(|| "?".to_owned(), |grown| format!("{:.1}", mega(grown)))
        ));
    }
    say(&format!("  all of them in {:.2} s", all.elapsed().as_secs_f64()));
    Ok(())
}

/// Fills the findings up to a number: the same ones again under other ids.
fn fill(report: &mut Report, findings: usize) {
    let held = report.findings.len();
    for at in held..findings {
        let Some(mut finding) = report.findings.get(at % held.max(1)).cloned() else { break };
        finding.id = format!("{at:016x}").into();
        report.findings.push(finding);
    }
}

/// A sink that keeps nothing.
struct Counting(usize);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The most memory that this process had so far, in bytes; `None` where the system does not tell.
fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let told = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    told.trim().strip_suffix("kB")?.trim().parse::<usize>().ok().map(|kilobytes| kilobytes * 1024)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mega(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
