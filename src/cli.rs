//! The command line: every verb, flag and environment variable, with the help that the reference is generated from.

mod decide;
mod fix;
mod gate;
mod history;
#[cfg(feature = "live")]
mod live;
mod parse;
mod questions;
mod rules;
mod scan;

pub use decide::{Decide, Judge, Requests, WithCapture};
pub use fix::{Fix, FixAim};
pub use gate::{Evidence, Gate};
pub use history::{BaselineArguments, BaselineVerb, Diff, DiffFormat, History, HistoryFormat};
#[cfg(feature = "live")]
pub use live::{AzureCloud, Collect, Doctor, Live, LiveProvider, SignIn};
pub use parse::parse;
pub use questions::{Can, Compare, Explain};
pub use rules::{Rules, RulesList, RulesShow, RulesTest};
pub use scan::{Init, Inventory, Report, Scan, ScanOutput};

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use evenhand_model::finding::Severity;
use jiff::Timestamp;

use crate::number::whole;

const AFTER_HELP: &str = "\
Exit codes:
  0  the gate passed, or none was asked for
  1  the gate failed (--exit-zero makes this 0)
  2  the command, the configuration or a rule is at fault
  3  no identity was found
  4  evidence is missing that should be there, and --allow-partial was not given

Only `collect`, `doctor`, a store in a bucket and `scan` of `aws`, `azure`, `github` and `kubernetes` talk to a \
network and need credentials, and all but the store make read calls only. Nothing here runs what a configuration \
names, but for the program that makes the credentials of a kubeconfig that you ask to be used.";

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

    // A negative number is taken for a value, so that the error speaks of the bounds.
    /// Threads to work with, 256 at most; 0 = one per processor. The result never depends on it.
    #[arg(long, global = true, value_name = "N", default_value_t = 0, env = "EVENHAND_JOBS")]
    #[arg(allow_negative_numbers = true, value_parser = jobs)]
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

impl Selection {
    /// The options that choose, as somebody wrote them; none = all rules are evaluated.
    pub fn words(&self) -> Vec<String> {
        let Self { only, skip, framework, dirs: _ } = self;
        [("--rule", only), ("--skip", skip), ("--framework", framework)]
            .into_iter()
            .flat_map(|(option, values)| values.iter().map(move |value| format!("{option} {value}")))
            .collect()
    }
}

/// A form of a single answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum PlainFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
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

/// A number of threads. Thousands of them, which nobody has processors for, would spend minutes on each other.
fn jobs(text: &str) -> Result<usize, String> {
    const MOST: i64 = 256;
    whole(text.parse().ok(), Some(MOST))
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
    fn no_line_of_help_is_wider_than_a_terminal() {
        const COLUMNS: usize = 80;
        fn check(command: &clap::Command) {
            let mut shown = command.clone().term_width(COLUMNS).mut_args(|argument| argument.hide_env_values(true));
            for help in [shown.render_help(), shown.render_long_help()] {
                for line in help.to_string().lines() {
                    assert!(line.chars().count() <= COLUMNS, "{}: {line}", command.get_name());
                }
            }
            command.get_subcommands().filter(|verb| verb.get_name() != "help").for_each(check);
        }
        let mut command = command();
        command.build();
        check(&command);
    }

    #[test]
    fn a_day_is_a_moment() {
        assert_eq!(moment("2026-01-31").unwrap().to_string(), "2026-01-31T00:00:00Z");
        assert!(moment("soon").is_err());
    }
}
