//! What writing every format costs: `cargo run --release -p evenhand-benches --bin formats -- aws 10000`, with a number of
//! findings behind it (`… aws 10000 1000000`) for a report that was filled up to so many.
//!
//! Each format is written after the scan to a sink that counts. Its time is taken in one process, its memory in a process of
//! its own: what a format needs does not hide behind what the scan, or another format, needed before. The allocator there
//! gives memory back at once, and the system's mark of the most memory is set back before the format is written.
//!
//! The budget: no format takes longer to write than the scan took, nor more memory than a quarter of what the report takes,
//! or 64 MB where that is more. One that does is marked, and the exit code is 1. A report that was filled up has no scan to
//! be held beside, so only memory counts there.

use std::io::Write;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use evenhand::formats::{FORMATS, Format, OutputFormat, Rendering};
use evenhand_benches::figures::{say, say_error};
use evenhand_benches::generate;
use evenhand_benches::scan::Bench;
use evenhand_reports::asff::Product;
use evenhand_reports::{Report, terminal};
use evenhand_rules::evaluate::Keep;

/// A product of Security Hub, which one format needs.
const PRODUCT: &str = "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default";

/// What a format may take in memory, however small the report is.
const LEAST: usize = 64_000_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["memory", format, rest @ ..] => asked(rest).and_then(|asked| memory(format, &asked)).map(|()| true),
        rest => asked(rest).and_then(|asked| formats(rest, &asked)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            say_error(&message);
            ExitCode::from(2)
        }
    }
}

/// What is measured.
struct Asked<'a> {
    kind: &'a str,
    count: u64,
    findings: Option<usize>,
}

fn asked<'a>(arguments: &[&'a str]) -> Result<Asked<'a>, String> {
    match arguments {
        [kind @ ("aws" | "kubernetes"), count] => Ok(Asked { kind, count: number(count)?, findings: None }),
        [kind @ ("aws" | "kubernetes"), count, findings] => {
            Ok(Asked { kind, count: number(count)?, findings: Some(number(findings)?) })
        }
        _ => Err("usage: formats aws|kubernetes IDENTITIES [FINDINGS]".to_owned()),
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

/// The report, and how long its scan took.
fn scanned(asked: &Asked<'_>) -> Result<(Report, Duration), String> {
    let Asked { kind, count, findings } = *asked;
    let folder = std::env::temp_dir().join(format!("evenhand-bench-{kind}-{count}"));
    if !folder.is_dir() {
        let written = if kind == "aws" { generate::aws(&folder, count) } else { generate::kubernetes(&folder, count) };
        written.map_err(|error| format!("the capture could not be written: {error}"))?;
    }
    let bench = Bench::default();
    let began = Instant::now();
    let mut report = bench.report(bench.assess(bench.read(&folder), Keep::Report));
    let took = began.elapsed();
    if let Some(findings) = findings {
        fill(&mut report, findings);
    }
    Ok((report, took))
}

/// Writes a format; how many bytes that are.
fn write(format: &'static Format, report: &Report) -> Result<usize, String> {
    let product: Product = PRODUCT.parse().map_err(|_| "the product could not be read")?;
    let screen = terminal::Options { width: 120, color: false, limit: Some(20), every_file: false };
    let with = Rendering { report, screen, evidence: "evidence", product: Some(&product) };
    let mut sink = Counting(0);
    OutputFormat::Listed(format).write(with, &mut sink).map_err(|error| format!("{}: {error}", format.name))?;
    Ok(sink.0)
}

/// Measures every format; whether all keep to the budget.
fn formats(arguments: &[&str], asked: &Asked<'_>) -> Result<bool, String> {
    let (report, took) = scanned(asked)?;
    let Asked { kind, count, findings } = asked;
    say(&format!("{kind} {count}: {} findings, scanned in {:.2} s", report.findings.len(), took.as_secs_f64()));
    let (mut all, mut within) = (Duration::ZERO, true);
    for format in FORMATS {
        let began = Instant::now();
        let written = write(format, &report)?;
        let time = began.elapsed();
        all += time;
        let memory = memory_of(format, arguments)?;
        let slow = findings.is_none() && time > took;
        let large = memory.is_some_and(|(report, more)| more > LEAST.max(report / 4));
        within &= !slow && !large;
        let memory = memory.map_or_else(
            || "memory not known".to_owned(),
            |(report, more)| format!("{:6.1} MB more than the {:.1} before", mega(more), mega(report)),
        );
        let over = if slow || large { "  OVER BUDGET" } else { "" };
        say(&format!(
            "  {:>16} {:8.1} ms {:9.1} MB written, {memory}{over}",
            format.name,
            time.as_secs_f64() * 1000.0,
            mega(written)
        ));
    }
    say(&format!(
        "  all of them in {:.2} s, {:.2} times the scan",
        all.as_secs_f64(),
        all.as_secs_f64() / took.as_secs_f64()
    ));
    Ok(within)
}

/// The memory of a format, measured in a process of its own: what the report takes, and how much more there was at most
/// while it was written. `None` where the system does not tell.
fn memory_of(format: &Format, arguments: &[&str]) -> Result<Option<(usize, usize)>, String> {
    let fail = |error: std::io::Error| format!("{}: its memory could not be measured: {error}", format.name);
    let program = std::env::current_exe().map_err(fail)?;
    let mut command = Command::new(program);
    command.args(["memory", format.name]).args(arguments).env("MIMALLOC_PURGE_DELAY", "0");
    let output = command.output().map_err(fail)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<usize> = text.split_whitespace().map(number).collect::<Result<_, _>>()?;
    match numbers.as_slice() {
        [before, most] => Ok(Some((*before, most.saturating_sub(*before)))),
        [] if output.status.success() => Ok(None),
        _ => Err(format!("{}: {}", format.name, String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// Writes one format, and says how much memory there was before and at most; nothing where the system does not tell.
fn memory(name: &str, asked: &Asked<'_>) -> Result<(), String> {
    let format = FORMATS.iter().find(|format| format.name == name).ok_or_else(|| format!("no format `{name}`"))?;
    let (report, _) = scanned(asked)?;
    // Sets the mark of the most memory back to what there is (proc_pid_clear_refs(5)).
    let is_set_back = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = status("VmRSS:");
    write(format, &report)?;
    if let (true, Some(before), Some(most)) = (is_set_back, before, status("VmHWM:")) {
        say(&format!("{before} {most}"));
    }
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

/// A figure of this process's memory in bytes; `None` where the system does not tell.
fn status(name: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let told = status.lines().find_map(|line| line.strip_prefix(name))?;
    told.trim().strip_suffix("kB")?.trim().parse::<usize>().ok().map(|kilobytes| kilobytes * 1024)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mega(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
