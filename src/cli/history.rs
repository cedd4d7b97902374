//! The part of the command line about other times: saved scans, differences, baselines.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Input, Selection};
use crate::store::Place;

/// `evenhand history`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  evenhand scan captures --save posture
  evenhand history posture
  evenhand history posture --sql \"SELECT scan_time, COUNT(*) AS findings FROM findings WHERE severity = 'critical' AND status = 'fail' AND NOT waived GROUP BY scan_time ORDER BY scan_time\"

A store is a folder of Parquet files, or a bucket s3://BUCKET/PREFIX with the same below it: \
<table>/scan_date=<day>/<scan>.parquet, which any SQL engine reads. Its tables are `scans`, `findings` \
and the fact tables, each with `scan_id` and `scan_time`.")]
pub struct History {
    /// The store: what `evenhand scan --save` fills, a folder or s3://BUCKET/PREFIX.
    #[arg(value_name = "STORE")]
    pub store: Place,

    /// Answer this query over the tables of all scans.
    #[arg(long, value_name = "QUERY")]
    pub sql: Option<String>,

    /// `table` for people, `json` and `csv` for programs, `markdown` for a step summary.
    #[arg(short, long = "output", value_name = "FORMAT", default_value = "table", help_heading = "Output")]
    pub output: HistoryFormat,
}

/// A form of a history.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum HistoryFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
    /// For a step summary or a pull request.
    Markdown,
}

/// `evenhand diff`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  evenhand diff yesterday.json today.json
  evenhand diff main.json branch.json -o markdown >> \"$GITHUB_STEP_SUMMARY\"

A report is what `evenhand scan … -o json=FILE` writes. Findings are the same where rule, identity and evidence are.")]
pub struct Diff {
    /// The JSON report of the earlier scan.
    #[arg(value_name = "OLD")]
    pub old: PathBuf,

    /// The JSON report of the later scan.
    #[arg(value_name = "NEW")]
    pub new: PathBuf,

    /// Print every entry of long lists.
    #[arg(long, help_heading = "Output")]
    pub all: bool,

    /// `table` for people, `json` for programs, `markdown` for a pull request.
    #[arg(short, long = "output", value_name = "FORMAT", default_value = "table", help_heading = "Output")]
    pub output: DiffFormat,
}

/// A form of a difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum DiffFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For pull requests.
    Markdown,
}

/// `evenhand baseline`
#[derive(Debug, Subcommand)]
pub enum BaselineVerb {
    /// Scan, and write down the findings.
    Create(BaselineArguments),
    /// Scan again: take in what is new, take out what is resolved.
    Update(BaselineArguments),
    /// Scan again, and only take out what is resolved.
    Prune(BaselineArguments),
}

/// What a baseline is made of.
#[derive(Debug, Args)]
pub struct BaselineArguments {
    /// Files and folders to read, or `agents`, as for `scan`. Nobody is asked live: a folder called `aws` is `./aws`.
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,

    /// The baseline. Default: `baseline` of `[gate]`, else `evenhand-baseline.json`.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// When, and with which key.
    #[command(flatten)]
    pub input: Input,

    /// Which rules.
    #[command(flatten)]
    pub selection: Selection,
}
