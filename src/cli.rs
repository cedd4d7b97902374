//! The command line: every verb, flag and environment variable, with the help that the reference is generated from.

mod decide;
#[cfg(feature = "live")]
mod live;
mod rules;

pub use decide::{Decide, Judge, Requests, WithCapture};
#[cfg(feature = "live")]
pub use live::{AzureCloud, Collect, Doctor, Live, LiveProvider, SignIn};
pub use rules::{Rules, RulesList, RulesShow, RulesTest};

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use evenhand_model::finding::Severity;
use evenhand_reports::asff::Product;
use jiff::Timestamp;

use crate::output::Output;
use crate::store::Place;

const AFTER_HELP: &str = "\
Exit codes:
  0  the gate passed, or none was asked for
  1  the gate failed (--exit-zero makes this 0)
  2  the command, the configuration or a rule is at fault
  3  no identity was found
  4  evidence is missing that should be there, and --allow-partial was not given

Only `collect`, `doctor`, a store in a bucket and `scan` of `aws`, `azure`, `github` and `kubernetes`
talk to a network and need credentials, and all but the store make read calls only. Nothing here runs what a configuration names, but for the program
that makes the credentials of a kubeconfig that you ask to be used.";

/// Does any AI identity hold more access, or face fewer controls, than the human who does the same job?
#[derive(Debug, Parser)]
#[command(name = "evenhand", disable_version_flag = true, arg_required_else_help = true, after_help = AFTER_HELP)]
#[command(max_term_width = 100, propagate_version = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Print the version; with --verbose, the catalogues and rules inside.
    #[arg(short = 'V', long)]
    pub version: bool,

    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Say only what failed on stderr; reports stay as they are.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more: the time that each stage took.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// When to use colour. NO_COLOR and CLICOLOR_FORCE are honoured under `auto`.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorWhen,

    /// Show no progress bars. They appear only where stderr is a terminal.
    #[arg(long, global = true)]
    pub no_progress: bool,

    /// Threads to work with; 0 = as many as there are processors. The result never depends on it.
    #[arg(long, global = true, value_name = "N", default_value_t = 0, env = "EVENHAND_JOBS")]
    pub jobs: usize,

    /// The configuration file. Otherwise: evenhand.toml in the one source that holds one, or in the current folder or
    /// above it, up to the root of the work tree.
    #[arg(long, global = true, value_name = "FILE", env = "EVENHAND_CONFIG", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,

    /// Use no configuration file.
    #[arg(long, global = true)]
    pub no_config: bool,

    /// The home folder to look for agent files in, instead of yours, where no source is named.
    #[arg(long, global = true, value_name = "DIR", env = "EVENHAND_HOME", hide_env_values = true)]
    pub home: Option<PathBuf>,

    /// Look for agent files in the home folders of all users of this machine; with --home, in every folder of DIR.
    #[arg(long, global = true)]
    pub all_users: bool,
}

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan exports, folders, live accounts and clusters: inventory, parity, rules, score, gate.
    Scan(Box<Scan>),
    /// Read live accounts or clusters into a capture, to be scanned offline.
    #[cfg(feature = "live")]
    Collect(Box<Collect>),
    /// List the identities; judge nothing.
    Inventory(Inventory),
    /// Hold an AI identity beside its human role: the parity card.
    Compare(Compare),
    /// Explain a rule, a finding, an identity, or why an identity may do something.
    Explain(Explain),
    /// Answer whether an identity may do something.
    Can(Can),
    /// Decide requests that bring their policies along.
    #[command(subcommand)]
    Decide(Decide),
    /// Propose a right-sized policy in the vendor's own form; change nothing.
    Fix(Fix),
    /// Write a commented configuration from what is found.
    Init(Init),
    /// Write the report of an earlier scan in other forms, without a scan.
    Report(Box<Report>),
    /// Tell what changed between two scans.
    Diff(Diff),
    /// Show the trend of saved scans, or query their tables.
    History(History),
    /// Write down today's findings, so that a gate trips on new ones only.
    #[command(subcommand)]
    Baseline(BaselineVerb),
    /// Say what a scan could work with here, try which calls the credentials at hand may make, or print the rights that
    /// these need.
    #[cfg(feature = "live")]
    Doctor(Box<Doctor>),
    /// List, show and test rules.
    #[command(subcommand)]
    Rules(Rules),
    /// Print a completion script for a shell.
    Completions(Completions),
    /// Print the manual page.
    Man,
    /// Print a JSON Schema.
    Schema(Schema),
}

/// What is read, and as of when.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct Input {
    /// The moment of the scan, as 2026-01-31T00:00:00Z or 2026-01-31; ages are counted from it. Default: now.
    #[arg(long, value_name = "TIME", env = "EVENHAND_NOW", value_parser = moment)]
    pub now: Option<Timestamp>,

    /// A passphrase of yours. With it, fingerprints of secrets mean the same in every scan and are printed; without it
    /// they only tell equal secrets within one scan.
    #[arg(long, env = "EVENHAND_FINGERPRINT_KEY", hide_env_values = true, hide = true)]
    pub fingerprint_key: Option<String>,
}

/// What is read by verbs whose first argument is not a source.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct From {
    /// A file or folder to read; repeatable. None: as for `scan`.
    #[arg(long = "from", value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,

    /// When, and with which key.
    #[command(flatten)]
    pub input: Input,
}

/// Which rules.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub struct Selection {
    /// Evaluate only this rule; repeatable, `*` allowed.
    #[arg(long = "rule", value_name = "ID")]
    pub only: Vec<String>,

    /// Leave this rule out; repeatable, `*` allowed.
    #[arg(long, value_name = "ID")]
    pub skip: Vec<String>,

    /// Evaluate only rules that support this framework, such as `owasp_nhi_2025`; repeatable.
    #[arg(long, value_name = "KEY")]
    pub framework: Vec<String>,

    /// Read rules from this folder as well; repeatable.
    #[arg(long = "rules", value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
}

/// The gate.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Gate (what a pipeline may pass; report filters never change it)")]
pub struct Gate {
    /// Fail on any finding of this level or worse. Of several levels the lowest counts.
    #[arg(long, value_name = "LEVEL[,LEVEL]", value_delimiter = ',', value_parser = severity)]
    pub fail_on: Vec<Severity>,

    /// Fail below this governed score, 0 to 1000.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1000))]
    pub min_score: Option<u32>,

    /// Fail when an AI identity holds more than N operations that its human role does not.
    #[arg(long, value_name = "N")]
    pub max_excess: Option<u64>,

    /// Fail when less than N percent of the rule results are decided.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(..=100))]
    pub min_coverage: Option<u8>,

    /// Of the findings, let only those trip `--fail-on` that `--baseline` or `--against` does not know.
    #[arg(long)]
    pub new_only: bool,

    /// The baseline for `--new-only`; `evenhand baseline create` makes one. Default, without `--against`: `baseline` of
    /// `[gate]`, else `evenhand-baseline.json`.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// The JSON report of an earlier scan, for `--new-only` and `--max-drop`.
    #[arg(long, value_name = "REPORT")]
    pub against: Option<PathBuf>,

    /// Fail when the governed score is more than N below that of `--against`.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1000))]
    pub max_drop: Option<u32>,

    /// `strict` counts undecided findings like failed ones.
    #[arg(long, value_name = "MODE")]
    pub evidence: Option<Evidence>,

    /// Let the gate pass although evidence could not be read.
    #[arg(long)]
    pub allow_partial: bool,

    /// Exit 0 where there is no identity, as in a repository that configures no agent. Without it, an empty scan is an
    /// error. One in which something could not be read stays an error.
    #[arg(long)]
    pub allow_empty: bool,

    /// Exit 0 where a failed gate would exit 1. Never hides the codes 2 to 4.
    #[arg(long)]
    pub exit_zero: bool,
}

/// How undecided findings count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Evidence {
    /// They are reported and do not trip the gate.
    Normal,
    /// They count like failed ones.
    Strict,
}

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

An export is known by its content, agent configuration by its place in a project or home folder; .gz \
and .zst are read as they are. What no provider knows is listed with a reason. Findings that rest on a baseline below confidence 0.7 do not trip the gate.")]
pub struct Scan {
    /// Files and folders to read. None: the `folders` of the configuration, else the current folder, the agent files of the
    /// project that it lies in, and those of your home folder. The words `aws`, `azure`, `github` and `kubernetes` stand for what is live; `agents` in front means
    /// agent configuration alone, known by its path; folders of these names are `./aws`, `./agents` and so on.
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

    /// Add the scan to this store: a folder of Parquet files, or a bucket as s3://BUCKET/PREFIX, with credentials, AWS_REGION
    /// and, for others than AWS, AWS_ENDPOINT_URL in the environment. `evenhand history` reads it.
    #[arg(long, value_name = "STORE")]
    pub save: Option<Place>,

    /// Write one file per identity with findings into this folder: what was found, and on what it rests. SARIF points into
    /// it where no file of your own is at fault.
    #[arg(long, value_name = "DIR")]
    pub evidence_dir: Option<PathBuf>,

    /// The product of Security Hub that `-o asff` files findings under:
    /// arn:aws:securityhub:REGION:ACCOUNT:product/ACCOUNT/default.
    #[arg(long, value_name = "ARN")]
    pub asff_product: Option<Product>,

    /// Report only findings of this level or worse. The gate and the score see all of them.
    #[arg(long, value_name = "LEVEL", value_parser = severity)]
    pub severity: Option<Severity>,

    /// Print every row of long tables.
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

    /// Print every row of long tables.
    #[arg(long, help_heading = "Output")]
    pub all: bool,
}

/// `evenhand compare`
#[derive(Debug, Args)]
// Without this the usage of an error shows every option that an environment variable sets as if it had to be given.
#[command(override_usage = "evenhand compare [OPTIONS] <IDENTITY>")]
#[command(after_long_help = "\
Examples:
  evenhand compare incident-agent --from captures
  evenhand compare incident-agent --human incident-responder --from captures -o json")]
pub struct Compare {
    /// The AI identity: its id, its name, or a part of either that fits no other.
    #[arg(value_name = "IDENTITY")]
    pub identity: String,

    /// Compare with this role instead of the one that is found.
    #[arg(long, value_name = "ROLE")]
    pub human: Option<String>,

    /// Print every operation of the excess.
    #[arg(long, help_heading = "Output")]
    pub all: bool,

    /// What is read.
    #[command(flatten)]
    pub from: From,

    /// `table` for people, `json` for programs.
    #[arg(short, long = "output", value_name = "FORMAT", default_value = "table", help_heading = "Output")]
    pub output: PlainFormat,
}

/// A form of a single answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum PlainFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// `evenhand explain`
#[derive(Debug, Args)]
#[command(override_usage = "evenhand explain [OPTIONS] <IDENTITY|FINDING|RULE> [OPERATION]...")]
#[command(after_long_help = "\
Examples:
  evenhand explain static-credential-of-agent
  evenhand explain incident-agent --from captures
  evenhand explain incident-agent iam:PassRole --from captures")]
pub struct Explain {
    /// A rule's id, a finding's id, or an identity.
    #[arg(value_name = "IDENTITY|FINDING|RULE")]
    pub subject: String,

    /// For an identity: the operation to explain, in the vendor's spelling, one word or two; `*` allowed.
    #[arg(value_name = "OPERATION", num_args = 1..=2)]
    pub operation: Vec<String>,

    /// What is read.
    #[command(flatten)]
    pub from: From,

    /// Which rules.
    #[command(flatten)]
    pub selection: Selection,
}

/// `evenhand can`
#[derive(Debug, Args)]
#[command(override_usage = "evenhand can [OPTIONS] [IDENTITY] [OPERATION]...")]
#[command(after_long_help = "\
Exit codes: 0 it is allowed; 1 it is not, or not without a condition that the question leaves open, or nothing \
tells; 2 the question cannot be understood. With questions on stdin: 0 all were answered, 2 some could not be.

Examples:
  evenhand can incident-agent s3:GetObject --on arn:aws:s3:::logs/x --from captures
  evenhand can system:serviceaccount:ops:bot get secrets -n ops --name db --from dump.json
  evenhand can ops/bot create deployments.apps/scale -n ops --from dump.json
  evenhand can ops/bot get /healthz --from dump.json
  evenhand can deploy iam:PassRole --context aws:SourceIp=192.0.2.1 --from gaad.json
  evenhand can --from captures < questions.ndjson

A question is one JSON object a line: {\"identity\": …, \"operation\": …, \"resource\": …, \"context\": {…}}.")]
pub struct Can {
    /// The identity: its id, its name, or a part of either that fits no other. None: questions on stdin.
    #[arg(value_name = "IDENTITY", requires = "operation")]
    pub identity: Option<String>,

    /// The operation in the vendor's spelling: one word, or two as `kubectl auth can-i` takes them:
    /// VERB RESOURCE[.GROUP][/SUBRESOURCE], or VERB /URL.
    #[arg(value_name = "OPERATION", num_args = 1..=2)]
    pub operation: Vec<String>,

    /// The resource in the vendor's spelling. None: any.
    #[arg(long, value_name = "RESOURCE")]
    pub on: Option<String>,

    /// The namespace, for Kubernetes; kinds that are in none ignore it. None: all of them.
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with = "on")]
    pub namespace: Option<String>,

    /// The name of the object, for Kubernetes. None: the request carries no name, as for `list`.
    #[arg(long, value_name = "NAME", conflicts_with = "on")]
    pub name: Option<String>,

    /// What is known of the request's context; repeatable, also for one key.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub context: Vec<(String, String)>,

    /// What is read.
    #[command(flatten)]
    pub from: From,

    /// `table` for people, `json` for programs; questions on stdin are always answered in JSON.
    #[arg(short, long = "output", value_name = "FORMAT", default_value = "table", help_heading = "Output")]
    pub output: PlainFormat,
}

/// `evenhand fix`
#[derive(Debug, Args)]
#[command(override_usage = "evenhand fix [OPTIONS] <IDENTITY>")]
#[command(after_long_help = "\
Examples:
  evenhand fix incident-agent --from captures
  evenhand fix incident-agent --human incident-responder --from captures --out proposals
  evenhand fix incident-agent --to used --from captures

It writes files and changes nothing live: policies in the vendor's own form, for the identity and for those \
whose access it uses, such as its tool servers, with the commands that put them in place. What cannot be cut \
exactly is left out and listed: a proposal never grants more than the identity and its measure both hold.

Exit codes: 0 within the human role with the proposals in place, 1 not yet, 2 nothing can be proposed.")]
pub struct Fix {
    /// The AI identity: its id, its name, or a part of either that fits no other.
    #[arg(value_name = "IDENTITY")]
    pub identity: String,

    /// What its access is cut to.
    #[arg(long, value_name = "MEASURE", default_value = "human-role")]
    pub to: FixAim,

    /// Cut to this role instead of the one that is found.
    #[arg(long, value_name = "ROLE")]
    pub human: Option<String>,

    /// Keep operations before which people pass a control that this identity does not pass. The control gap stays.
    #[arg(long)]
    pub keep_uncontrolled: bool,

    /// The folder for the proposal.
    #[arg(long, value_name = "DIR", default_value = "evenhand-fix", help_heading = "Output")]
    pub out: PathBuf,

    /// Replace files of an earlier proposal.
    #[arg(long, help_heading = "Output")]
    pub force: bool,

    /// Print every grant and operation of long lists.
    #[arg(long, help_heading = "Output")]
    pub all: bool,

    /// What is read.
    #[command(flatten)]
    pub from: From,

    /// `table` for people, `json` for programs.
    #[arg(short, long = "output", value_name = "FORMAT", default_value = "table", help_heading = "Output")]
    pub output: PlainFormat,
}

/// What access is cut to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum FixAim {
    /// What the human role holds too.
    HumanRole,
    /// What was used in the last 90 days, where a document tells.
    Used,
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

/// `evenhand report`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  evenhand report posture.json
  evenhand report posture.json -o html=posture.html -o csv:findings=findings.csv
  evenhand report posture.json --save posture

It reads what `evenhand scan -o json=FILE` wrote and writes the same as the scan would have written, byte for byte. Nothing is \
judged again, and no gate is asked.")]
pub struct Report {
    /// The JSON report of a scan; `-` = stdin.
    #[arg(value_name = "REPORT")]
    pub report: PathBuf,

    /// Where the reports go.
    #[command(flatten)]
    pub output: ScanOutput,
}

/// `evenhand history`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  evenhand scan captures --save posture
  evenhand history posture
  evenhand history posture --sql \"SELECT scan_time, COUNT(*) AS findings FROM findings WHERE severity = 'critical' GROUP BY scan_time ORDER BY scan_time\"

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
    /// Files and folders to read, as for `scan`.
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

/// `evenhand completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    pub shell: clap_complete::Shell,
}

/// `evenhand schema`
#[derive(Debug, Args)]
pub struct Schema {
    /// What the schema is of.
    #[arg(default_value = "report")]
    pub of: SchemaOf,
}

/// What a schema is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum SchemaOf {
    /// The JSON report.
    Report,
    /// evenhand.toml.
    Config,
    /// The rows of the fact tables.
    Tables,
    /// Requests and answers of `decide aws`.
    DecideAws,
    /// Requests and answers of `decide azure`.
    DecideAzure,
    /// Requests and answers of `decide kubernetes`.
    DecideKubernetes,
    /// Questions and answers of `decide federation`.
    DecideFederation,
}

/// The whole command line, for completions, the manual and the reference.
pub fn command() -> clap::Command {
    Cli::command()
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::parse(&text.to_ascii_lowercase()).ok_or_else(|| {
        let known = Severity::WORST_FIRST.map(Severity::as_str);
        match crate::lookup::nearest(text, known) {
            Some(near) => format!("did you mean `{near}`? levels: {}", known.join(", ")),
            None => format!("levels: {}", known.join(", ")),
        }
    })
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

/// A moment, or a day, which begins at midnight UTC.
fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| {
            let day: jiff::civil::Date = text.parse().ok()?;
            Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
        })
        .ok_or_else(|| "write it as 2026-01-31T00:00:00Z or 2026-01-31".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_day_is_a_moment() {
        assert_eq!(moment("2026-01-31").unwrap().to_string(), "2026-01-31T00:00:00Z");
        assert!(moment("soon").is_err());
    }
}
