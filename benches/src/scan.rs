//! The stages of a scan, called as the binary calls them.

use std::path::Path;

use evenhand::assess::{self, Assessing, Depth, Options};
use evenhand::config::Config;
use evenhand::pipeline::{self, Capture, ReadRequest};
use evenhand::progress::Progress;
use evenhand_model::secret::Fingerprinter;
use evenhand_reports::{Report, json, terminal};
use evenhand_rules::evaluate::Keep;
use evenhand_rules::pack::RuleSet;
use jiff::Timestamp;

/// What stays the same over all scans of a run.
#[derive(Debug)]
pub struct Bench {
    /// The moment of the scan.
    pub now: Timestamp,
    /// An empty configuration.
    pub config: Config,
    /// The pack.
    pub rules: RuleSet,
    /// No bars.
    pub progress: Progress,
}

impl Default for Bench {
    fn default() -> Self {
        Self {
            now: Timestamp::from_second(1_767_225_600).unwrap_or_default(),
            config: Config::default(),
            rules: RuleSet::embedded().rules,
            progress: Progress::new(false),
        }
    }
}

impl Bench {
    /// Reads a folder.
    pub fn read(&self, folder: &Path) -> Capture {
        let request = ReadRequest {
            environment: false,
            other_homes: Vec::new(),
            machine: false,
            only_agents: false,
            shown: Vec::new(),
            sources: vec![folder.to_owned()],
            home: None,
            now: self.now,
            fingerprinter: Fingerprinter::keyed("bench"),
            config: &self.config,
            progress: &self.progress,
        };
        pipeline::read(&request, &evenhand::providers())
    }

    fn options(&self) -> Options<'_> {
        Options {
            config: &self.config,
            rules: &self.rules,
            strict: false,
            stable_fingerprints: true,
            now: self.now,
            progress: &self.progress,
        }
    }

    /// Assesses a capture: judge, compare, paths, facts, rules, score.
    pub fn assess(&self, capture: Capture, keep: Keep) -> Assessing {
        assess::assess(capture, self.options(), keep)
    }

    /// Makes the report.
    pub fn report(&self, assessing: Assessing) -> Report {
        assess::report(assessing, self.options(), Depth::Whole)
    }

    /// Writes the terminal report into memory.
    pub fn render_terminal(report: &Report) -> Vec<u8> {
        let mut out = Vec::new();
        let options = terminal::Options { width: 120, color: false, limit: Some(20), every_file: false };
        if terminal::write(report, options, &mut out).is_err() {
            out.clear();
        }
        out
    }

    /// Writes the JSON report into memory.
    pub fn render_json(report: &Report) -> Vec<u8> {
        let mut out = Vec::new();
        if json::write(report, &mut out).is_err() {
            out.clear();
        }
        out
    }
}
