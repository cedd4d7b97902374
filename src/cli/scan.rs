//! The part of the command line that makes and writes reports.

use std::path::PathBuf;

use clap::Args;
use evenhand_model::finding::Severity;
use evenhand_reports::asff::Product;

#[cfg(feature = "live")]
use super::Live;
use super::{Gate, Input, Selection, severity};
use crate::output::Output;
use crate::store::Place;

/// `evenhand scan`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  evenhand scan                                     this folder and your own agent files
  evenhand scan gaad.json k8s-dump.json ~/project   any mix of exports and folders
  evenhand scan agents                              agent configuration alone, here and of your home
  evenhand scan agents ~/src                        that of every project below a folder
  evenhand scan captures -o json=posture.json -o csv:findings=f.csv -o csv:inventory=i.csv
  evenhand scan . -o sarif=evenhand.sarif --evidence-dir evenhand-evidence
  evenhand scan captures --fail-on high --min-score 700
  evenhand scan aws --profile audit                 the account of these credentials, live
  evenhand scan kubernetes --context prod           a cluster, live

An export is known by its content, agent configuration by its place in a project or home folder; .gz and .zst are read \
as they are. What no provider knows is listed with a reason. Findings that rest on a baseline below confidence 0.7 do not \
trip the gate.")]
pub struct Scan {
    /// Files and folders to read. None: the `folders` of the configuration, else the current folder, the agent files of the
    /// project that it lies in, and those of your home folder. The words `aws`, `azure`, `github` and `kubernetes` stand for
    /// what is live; `agents` in front means agent configuration alone, known by its path; folders of these names are
    /// `./aws`, `./agents` and so on.
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,

    /// When, and with which key.
    #[command(flatten)]
    pub input: Input,

    /// Whom to ask, where a source is a live provider.
    #[cfg(feature = "live")]
    #[command(flatten)]
    pub live: Live,

    /// Keep what is collected from a live provider in this folder.
    #[cfg(feature = "live")]
    #[arg(long = "keep-capture", value_name = "DIR", help_heading = "Live (read calls only)")]
    pub keep_capture: Option<PathBuf>,

    /// Where the reports go.
    #[command(flatten)]
    pub output: ScanOutput,

    /// Which rules.
    #[command(flatten)]
    pub selection: Selection,

    /// The gate.
    #[command(flatten)]
    pub gate: Gate,
}

/// Where the reports go.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct ScanOutput {
    /// A report and where it goes, such as `json=report.json`; `--help` lists the formats. Repeatable. Default: table.
    #[arg(short, long = "output", value_name = "FORMAT[=PATH]", long_help = crate::formats::help())]
    pub output: Vec<Output>,

    /// Add the scan to this store: a folder of Parquet files, or a bucket as s3://BUCKET/PREFIX, with credentials,
    /// AWS_REGION and, for others than AWS, AWS_ENDPOINT_URL in the environment. `evenhand history` reads it.
    #[arg(long, value_name = "STORE")]
    pub save: Option<Place>,

    /// Write one file per identity with findings into this folder: what was found, and on what it rests. SARIF points into
    /// it where no file of your own is at fault.
    #[arg(long, value_name = "DIR")]
    pub evidence_dir: Option<PathBuf>,

    /// The product of Security Hub that `-o asff` files findings under, by its ARN.
    ///
    /// That of your own account: arn:aws:securityhub:REGION:ACCOUNT:product/ACCOUNT/default.
    #[arg(long, value_name = "ARN")]
    pub asff_product: Option<Product>,

    /// Report only findings of this level or worse. The gate and the score see all of them.
    #[arg(long, value_name = "LEVEL", value_parser = severity)]
    pub severity: Option<Severity>,

    /// Print the table on stdout in full, each finding with its place; one in a file always is.
    #[arg(long)]
    pub all: bool,
}

/// `evenhand inventory`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  evenhand inventory gaad.json
  evenhand inventory captures -o csv:credentials=credentials.csv")]
pub struct Inventory {
    /// Files and folders to read, as for `scan`.
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,

    /// When, and with which key.
    #[command(flatten)]
    pub input: Input,

    /// A report and where it goes, as for `scan`.
    #[arg(short, long = "output", value_name = "FORMAT[=PATH]", help_heading = "Output")]
    pub output: Vec<Output>,

    /// Print every row of long tables on stdout too; a table in a file always has them.
    #[arg(long, help_heading = "Output")]
    pub all: bool,
}

/// `evenhand report`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  evenhand report posture.json
  evenhand report posture.json -o html=posture.html -o csv:findings=findings.csv
  evenhand report posture.json --save posture
  evenhand report posture.json --max-drop 20 --against yesterday.json

It reads what `evenhand scan -o json=FILE` wrote and writes the same as the scan would have written, byte for byte. No rule is \
evaluated again. Where a flag asks for a gate, that is decided on what the report holds, with what `[gate]` of the \
configuration in this folder or above it asks beside; without one there is none.")]
pub struct Report {
    /// The JSON report of a scan; `-` = stdin.
    #[arg(value_name = "REPORT")]
    pub report: PathBuf,

    /// Where the reports go.
    #[command(flatten)]
    pub output: ScanOutput,

    /// The gate.
    #[command(flatten)]
    pub gate: Gate,
}

/// `evenhand init`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  evenhand init                       from this folder and your own agent files
  evenhand init captures              from exports; a scan without a source will read them too
  evenhand init captures --out -      to stdout

It proposes jobs, a register, the scope and a gate. Jobs are written as comments: what stands in the file counts as \
reviewed, and that is for people to do. A configuration that is there already is neither used nor replaced.")]
pub struct Init {
    /// Files and folders to read, as for `inventory`.
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,

    /// The file to write, which must not be there yet; `-` = stdout.
    #[arg(long, value_name = "FILE", default_value = crate::config::NAME, help_heading = "Output")]
    pub out: PathBuf,

    /// When, and with which key.
    #[command(flatten)]
    pub input: Input,
}
