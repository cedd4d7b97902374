//! The verbs, one file each, and what they share: the invocation.

mod can;
#[cfg(feature = "live")]
mod collect;
mod compare;
mod completions;
mod decide;
#[cfg(feature = "live")]
mod doctor;
mod explain;
mod inventory;
mod live_sources;
mod man;
mod rules;
mod scan;
mod schema;
mod version;

pub(crate) use schema::of as schema_of;

use std::path::PathBuf;

use evenhand_model::provider::Provider;
use evenhand_model::secret::Fingerprinter;
use evenhand_reports::report::SourceStatus;
use evenhand_reports::terminal;
use evenhand_reports::text::counted;
use jiff::Timestamp;

use crate::cli::{Cli, ColorWhen, Command, Global, Input};
use crate::config::{self, Config, ConfigProblem};
use crate::console::{Console, Verbosity};
use crate::gate::Exit;
use crate::lookup::LookupError;
use crate::output::OutputError;
use crate::pipeline::{self, Capture, ReadRequest};
use crate::progress::Progress;

/// Why a command ends early, with exit code 2 unless it says otherwise.
#[derive(Debug)]
pub enum Failure {
    /// The configuration is at fault.
    Config(Box<ConfigProblem>),
    /// Something else, in one line, with a remedy.
    Message(String, Option<String>),
    /// Everything was said already.
    Told(Exit),
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Message(message.into(), Some(remedy.into()))
    }
}

impl From<ConfigProblem> for Failure {
    fn from(problem: ConfigProblem) -> Self {
        Self::Config(Box::new(problem))
    }
}

#[cfg(feature = "live")]
impl From<evenhand_aws::collect::CollectError> for Failure {
    fn from(error: evenhand_aws::collect::CollectError) -> Self {
        Self::new(error.to_string(), error.remedy())
    }
}

impl From<LookupError> for Failure {
    fn from(error: LookupError) -> Self {
        Self::Message(error.to_string(), None)
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        Self::Message(error.to_string(), None)
    }
}

/// The stack of a worker, in bytes. Readers accept documents nested a hundred levels deep, and their parsers recurse.
const STACK: usize = 16 << 20;

/// Runs a parsed command line.
pub fn run(cli: Cli) -> Exit {
    match cli.global.color {
        ColorWhen::Auto => anstream::ColorChoice::Auto,
        ColorWhen::Always => anstream::ColorChoice::Always,
        ColorWhen::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    let verbosity = match (cli.global.quiet, cli.global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, _) => Verbosity::Verbose,
    };
    let console = Console { verbosity };
    let result = rayon::ThreadPoolBuilder::new()
        .num_threads(cli.global.jobs)
        .stack_size(STACK)
        .build()
        .map_err(|error| Failure::Message(format!("no threads to work with: {error}"), None))
        .and_then(|pool| pool.install(|| dispatch(cli, console)));
    match result {
        Ok(exit) => exit,
        Err(Failure::Told(exit)) => exit,
        Err(Failure::Config(problem)) => {
            console.diagnostic(&*problem);
            Exit::Error
        }
        Err(Failure::Message(message, remedy)) => {
            console.error(&message, remedy.as_deref());
            Exit::Error
        }
    }
}

fn dispatch(cli: Cli, console: Console) -> Result<Exit, Failure> {
    let invocation = Invocation { console, providers: pipeline::providers(), global: cli.global };
    match cli.command {
        _ if cli.version => version::run(&invocation),
        Some(Command::Scan(arguments)) => scan::run(&invocation, &arguments),
        #[cfg(feature = "live")]
        Some(Command::Collect(arguments)) => collect::run(&invocation, &arguments),
        #[cfg(feature = "live")]
        Some(Command::Doctor(arguments)) => doctor::run(&invocation, &arguments),
        Some(Command::Inventory(arguments)) => inventory::run(&invocation, &arguments),
        Some(Command::Compare(arguments)) => compare::run(&invocation, &arguments),
        Some(Command::Explain(arguments)) => explain::run(&invocation, &arguments),
        Some(Command::Can(arguments)) => can::run(&invocation, &arguments),
        Some(Command::Decide(arguments)) => decide::run(&invocation, &arguments),
        Some(Command::Rules(arguments)) => rules::run(&invocation, &arguments),
        Some(Command::Completions(arguments)) => completions::run(&arguments),
        Some(Command::Man) => man::run(),
        Some(Command::Schema(arguments)) => schema::run(&arguments),
        None => Err(Failure::new("no command is given", "see `evenhand --help`")),
    }
}

/// What every verb works with.
pub(crate) struct Invocation {
    console: Console,
    providers: Vec<Box<dyn Provider>>,
    global: Global,
}

impl Invocation {
    /// The configuration in force for these sources.
    fn config(&self, sources: &[PathBuf]) -> Result<Config, Failure> {
        if self.global.no_config {
            return Ok(Config::default());
        }
        let path = self.global.config.clone().or_else(|| config::find(sources));
        let Some(path) = path else { return Ok(Config::default()) };
        let config = Config::read(&path, &self.providers)?;
        self.console.detail(&format!("configuration: {}", path.display()));
        Ok(config)
    }

    fn progress(&self) -> Progress {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        Progress::new(terminal && !self.global.quiet && !self.global.no_progress)
    }

    /// Reads the sources, and says on stderr what could not be read.
    fn read(
        &self,
        named: &[PathBuf],
        config: &Config,
        input: &Input,
        progress: &Progress,
    ) -> Result<(Capture, Timestamp), Failure> {
        let named = if named.is_empty() { config.folders.clone() } else { named.to_vec() };
        let fingerprinter = fingerprinter(input.fingerprint_key.as_deref())?;
        self.read_sources(Sources { named, shown: Vec::new(), fingerprinter }, config, input, progress)
    }

    /// Reads sources of which some are shown under another name.
    fn read_sources(
        &self,
        sources: Sources,
        config: &Config,
        input: &Input,
        progress: &Progress,
    ) -> Result<(Capture, Timestamp), Failure> {
        let now = input.now.unwrap_or_else(Timestamp::now);
        let home = self.global.home.clone().or_else(std::env::home_dir).filter(|home| home.is_dir());
        let Sources { named, shown, fingerprinter } = sources;
        let request = ReadRequest { sources: named, shown, home, now, fingerprinter, config, progress };
        let capture = pipeline::read(&request, &self.providers);
        self.tell_failures(&capture);
        Ok((capture, now))
    }

    fn tell_failures(&self, capture: &Capture) {
        const SHOWN: usize = 20;
        for failure in capture.failures.iter().take(SHOWN) {
            self.console.warning(&format!("{}: {}", failure.document, failure.reason), Some(&failure.remedy));
        }
        if let Some(more @ 1..) = capture.failures.len().checked_sub(SHOWN) {
            self.console.warning(&format!("{more} more parts could not be read; the report lists all gaps"), None);
        }
    }

    /// How the terminal report is written.
    fn screen(&self, all: bool) -> terminal::Options {
        const PIPED: usize = 120;
        let width = std::env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse().ok())
            .or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
            .unwrap_or(PIPED);
        let color = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        terminal::Options { width, color, limit: if all { None } else { Some(20) } }
    }

    /// The message for sources in which there is nobody.
    fn nobody(&self, capture: &Capture) -> Failure {
        let read = capture.files.iter().filter(|file| file.bytes > 0 && file.status != SourceStatus::Failed).count();
        let looked = match read {
            0 => "there is no file to read in it".to_owned(),
            _ => format!("{} looked at", counted(read, "file", "files")),
        };
        let sources: Vec<&str> = capture.sources.iter().map(|source| &**source).collect();
        self.console.error(
            &format!("no identity was found in {} ({looked})", sources.join(", ")),
            Some(
                "give it an export, such as the output of `aws iam get-account-authorization-details` or of `kubectl \
                 get serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,pods -A -o json`, or a folder \
                 with agent configuration; `-o json` lists every file with the reason why it was not read",
            ),
        );
        Failure::Told(Exit::NothingCollected)
    }
}

/// What is read, and with what.
struct Sources {
    named: Vec<PathBuf>,
    shown: Vec<(PathBuf, String)>,
    fingerprinter: Fingerprinter,
}

/// Fingerprints under the user's key, else under a throw-away one.
fn fingerprinter(key: Option<&str>) -> Result<Fingerprinter, Failure> {
    if let Some(key) = key.filter(|key| !key.is_empty()) {
        return Ok(Fingerprinter::keyed(key));
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::Message(format!("the system gives no random numbers: {error}"), None))?;
    Ok(Fingerprinter::ephemeral(random))
}
