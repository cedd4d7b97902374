//! What a whole scan costs beside a typed parse of the same files, in one run:
//! `cargo run --release -p evenhand-benches --bin ratio -- aws 10000`.
//!
//! The parse holds the text in memory and runs on one core; the scan starts from the files and ends with the terminal
//! report. Each is done three times in turn and the medians are compared. Peak memory is that of a process of its own, beside
//! that of another one which scans next to nothing: what the program takes by itself.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use evenhand_benches::figures::{median, say, say_error};
use evenhand_benches::kind::Kind;
use evenhand_benches::scan::Bench;
use evenhand_benches::yardstick;
use evenhand_rules::evaluate::Keep;

/// Next to nothing to scan.
const FEW: u64 = 10;

const USAGE: &str = "usage: ratio aws|azure|kubernetes IDENTITIES";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["scan", folder] => scan_alone(Path::new(folder)),
        [kind, count] => match (Kind::of(kind), count.parse()) {
            (Some(kind), Ok(count)) => compare(kind, count),
            (Some(_), Err(_)) => Err(format!("`{count}` is no number of identities")),
            (None, _) => Err(USAGE.to_owned()),
        },
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say_error(&message);
            ExitCode::from(2)
        }
    }
}

fn compare(kind: Kind, count: u64) -> Result<(), String> {
    let folder = kind.capture(count).map_err(|error| format!("the capture could not be written: {error}"))?;
    let mut files = Vec::new();
    load(&folder, kind, &mut files).map_err(|error| format!("the capture could not be read: {error}"))?;
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    let bench = Bench::default();
    let (mut parses, mut scans) = (Vec::new(), Vec::new());
    let (mut stages, mut findings, mut excess) = (Vec::new(), 0, 0);
    for _ in 0..3 {
        let began = Instant::now();
        let seen = yardstick::parse(&files).ok_or("the yardstick could not parse the capture")?;
        parses.push(began.elapsed());
        let mut bench = Bench { progress: evenhand::progress::Progress::new(false), ..Bench::default() };
        bench.now = Bench::default().now;
        let began = Instant::now();
        let report = bench.report(bench.assess(bench.read(&folder), Keep::Report));
        let rendered = Bench::render_terminal(&report);
        scans.push(began.elapsed());
        if report.coverage.identities < seen || rendered.is_empty() {
            return Err(format!("the scan saw {} of {seen} identities", report.coverage.identities));
        }
        findings = report.findings.len();
        excess = report.comparisons.iter().filter(|comparison| comparison.excess_operations > 0).count();
        stages = bench.progress.times();
    }
    drop(bench);
    let (parse, scan) = (median(&mut parses), median(&mut scans));
    let peak = peak_of_scan(&folder);
    let alone = kind.capture(FEW).ok().and_then(|folder| peak_of_scan(&folder));
    say(&format!(
        "{} {count}: {:.1} MB, {findings} findings, {excess} AI identities with excess",
        kind.word(),
        mega(bytes)
    ));
    for (stage, time) in stages {
        say(&format!("  {stage:>24} {:8.1} ms", time.as_secs_f64() * 1000.0));
    }
    say(&format!(
        "  typed parse {:.1} ms ({:.0} MB/s), scan {:.1} ms: {:.2} x",
        parse.as_secs_f64() * 1000.0,
        mega(bytes) / parse.as_secs_f64(),
        scan.as_secs_f64() * 1000.0,
        scan.as_secs_f64() / parse.as_secs_f64()
    ));
    match peak {
        Some(peak) => say(&format!("  peak memory {:.1} MB: {:.2} x the input", mega(peak), mega(peak) / mega(bytes))),
        None => say("  peak memory is not known on this system"),
    }
    if let (Some(peak), Some(alone)) = (peak, alone) {
        let more = mega(peak.saturating_sub(alone));
        say(&format!(
            "  of which {:.1} MB for {FEW} identities already; beyond that {:.2} x the input",
            mega(alone),
            more / mega(bytes)
        ));
    }
    Ok(())
}

/// Runs only the scan and prints the peak of this process's memory in bytes.
fn scan_alone(folder: &Path) -> Result<(), String> {
    let bench = Bench::default();
    let report = bench.report(bench.assess(bench.read(folder), Keep::Report));
    let rendered = Bench::render_terminal(&report);
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse::<usize>().ok())
        .ok_or("no VmHWM")?;
    say(&format!("{}", peak * 1024));
    drop((report, rendered));
    Ok(())
}

fn peak_of_scan(folder: &Path) -> Option<usize> {
    let own = std::env::current_exe().ok()?;
    let done = Command::new(own).arg("scan").arg(folder).output().ok()?;
    String::from_utf8(done.stdout).ok()?.trim().parse().ok()
}

fn load(folder: &Path, kind: Kind, files: &mut Vec<(Kind, String)>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            load(&entry, kind, files)?;
        } else {
            files.push((kind, std::fs::read_to_string(&entry)?));
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mega(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
