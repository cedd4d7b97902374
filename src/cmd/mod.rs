//! The verbs, one file each, and what they share: the invocation.

mod baseline;
mod can;
#[cfg(feature = "live")]
mod collect;
mod compare;
mod completions;
mod configuration;
mod decide;
mod diff;
#[cfg(feature = "live")]
mod doctor;
mod explain;
mod fix;
mod gating;
mod history;
mod init;
mod inventory;
mod live_sources;
mod man;
mod report;
mod rules;
mod scan;
mod schema;
#[cfg(feature = "live")]
mod usable;
mod version;

pub(crate) use schema::of as schema_of;

use std::io::Write;
use std::path::{Path, PathBuf};

use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::provider::Provider;
use evenhand_model::secret::Fingerprinter;
use evenhand_reports::report::SourceStatus;
use evenhand_reports::text::counted;
use evenhand_reports::{folded, terminal};
use evenhand_rules::judgements::Judgements;
use jiff::Timestamp;

use crate::baseline::BaselineError;
use crate::cli::{self, Cli, ColorWhen, Command, Global, Input};
use crate::config::{Config, ConfigProblem};
use crate::console::{Console, Verbosity};
use crate::gate::Exit;
use crate::lookup::{self, LookupError};
use crate::output::{OutputError, to_stdout};
use crate::pipeline::{self, Capture, ReadRequest};
use crate::progress::Progress;
use crate::snapshot::SnapshotError;
use crate::store::StoreError;

/// Why a command ends early, with exit code 2 unless it says otherwise.
#[derive(Debug)]
pub enum Failure {
    /// The configuration is at fault.
    Config(Box<ConfigProblem>),
    /// Something else, in one line, with a remedy.
    Message(String, Option<String>),
    /// Something that is about several things, with a remedy.
    About(String, Vec<String>, String),
    /// Everything was said already.
    Told(Exit),
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Message(message.into(), Some(remedy.into()))
    }

    /// Nothing fits a name; `alike`: what is spelled like it.
    fn nothing_called(asked: &str, what: &str, alike: Vec<String>) -> Self {
        let lists = match what {
            "identity" => "`evenhand inventory` lists the identities",
            _ => "`evenhand inventory` lists the identities, `evenhand rules list` the rules",
        };
        let message = format!("no {what} is called `{asked}`");
        match alike.is_empty() {
            true => Self::new(message, lists),
            false => Self::About(
                format!("{message}; spelled alike:"),
                listed(alike, "give more of the name"),
                lists.to_owned(),
            ),
        }
    }
}

impl From<ConfigProblem> for Failure {
    fn from(problem: ConfigProblem) -> Self {
        Self::Config(Box::new(problem))
    }
}

#[cfg(feature = "live")]
impl<E: evenhand_collect::CollectFailure> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.to_string(), error.remedy())
    }
}

impl From<LookupError> for Failure {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Ambiguous { asked, candidates, remedy } => {
                let message = format!("`{asked}` fits {} identities:", candidates.len());
                Self::About(message, listed(candidates, "`evenhand inventory` lists them"), remedy.to_owned())
            }
            LookupError::Unknown { asked, nearest } => Self::nothing_called(&asked, "identity", nearest),
        }
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        Self::new(error.to_string(), error.remedy)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.to_string(), error.remedy())
    }
}

impl From<BaselineError> for Failure {
    fn from(error: BaselineError) -> Self {
        Self::new(error.to_string(), error.remedy)
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        let remedy = error.is_file().then(|| "name a file where this user may write".to_owned());
        Self::Message(error.to_string(), remedy)
    }
}

/// The operation that words of a command line name. Two are a verb and what it is done to; an operation that is one word
/// has a colon or a slash in it, and what stands behind it was meant as something else.
fn operation(words: &[String]) -> Result<String, Failure> {
    match words {
        [first, second] if first.contains([':', '/']) => Err(Failure::new(
            format!("`{second}` stands behind the operation, which is the one word `{first}`"),
            "name what is read with `--from`, and a resource as `evenhand can` takes it with `--on`",
        )),
        words => Ok(words.join(" ")),
    }
}

/// What some programs put before a text in UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A list for people: the first ones, how many more there are, and how to see those.
fn listed(mut items: Vec<String>, how: &str) -> Vec<String> {
    const SHOWN: usize = 10;
    let more = items.len().saturating_sub(SHOWN);
    items.truncate(SHOWN);
    if more > 0 {
        items.push(format!("… and {more} more; {how}"));
    }
    items
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
        .map_err(|error| Failure::new(format!("no threads to work with: {error}"), "ask for fewer with `--jobs`"))
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
        Err(Failure::About(message, items, remedy)) => {
            console.error_about(&message, &items, Some(&remedy));
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
        Some(Command::Fix(arguments)) => fix::run(&invocation, &arguments),
        Some(Command::Init(arguments)) => init::run(&invocation, &arguments),
        Some(Command::History(arguments)) => history::run(&invocation, &arguments),
        Some(Command::Report(arguments)) => report::run(&invocation, &arguments),
        Some(Command::Diff(arguments)) => diff::run(&invocation, &arguments),
        Some(Command::Baseline(verb)) => baseline::run(&invocation, &verb),
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
        let (only_agents, named) = match without_word(named) {
            Some(folders) => (true, folders.to_vec()),
            None if named.is_empty() => (false, config.folders.clone()),
            None => (false, named.to_vec()),
        };
        let fingerprinter = fingerprinter(input.fingerprint_key.as_deref())?;
        let sources = Sources { named, shown: Vec::new(), only_agents, fingerprinter };
        let read = self.read_sources(sources, config, input, progress)?;
        self.tell_unfinished(&read.0);
        Ok(read)
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
        self.check_home(&sources.named)?;
        let (home, other_homes) = self.homes();
        let Sources { named, shown, only_agents, fingerprinter } = sources;
        let machine = self.global.home.is_none();
        let request = ReadRequest {
            sources: named,
            shown,
            home,
            environment: machine,
            other_homes,
            machine,
            only_agents,
            now,
            fingerprinter,
            config,
            progress,
        };
        let capture = match only_agents {
            true => pipeline::read(&request, &pipeline::only_agents()),
            false => pipeline::read(&request, &self.providers),
        };
        self.tell_failures(&capture);
        self.tell_edited(&capture);
        Ok((capture, now))
    }

    /// Refuses a home folder that is none, and one that is asked for where it would not be looked into: with sources that
    /// are named only these are read. One that the environment names holds for every run, and is no question.
    fn check_home(&self, named: &[PathBuf]) -> Result<(), Failure> {
        let asked = match &self.global.home {
            Some(home) if !home.is_dir() => {
                return Err(Failure::new(
                    format!("the home folder `{}` is no folder", home.display()),
                    "name one that is there with --home or EVENHAND_HOME",
                ));
            }
            Some(home) if std::env::var_os("EVENHAND_HOME").as_deref() != Some(home.as_os_str()) => Some(home),
            _ => None,
        };
        let flag = match (asked, self.global.all_users) {
            (_, true) => "--all-users",
            (Some(_), false) => "--home",
            (None, false) => return Ok(()),
        };
        let inside = |source: &PathBuf| match (source.canonicalize(), asked.map(|home| home.canonicalize())) {
            (Ok(source), Some(Ok(home))) => source.starts_with(home),
            _ => false,
        };
        if named.is_empty() || named.iter().any(inside) {
            return Ok(());
        }
        Err(Failure::new(
            format!("`{flag}` changes nothing where sources are named: only these are read"),
            format!(
                "leave `{flag}` out; or name no source, to read the current folder and the agent files of the home folder"
            ),
        ))
    }

    /// The home folder in use, and those of other people where they are asked for.
    fn homes(&self) -> (Option<PathBuf>, Vec<PathBuf>) {
        const HOMES: [&str; 3] = ["/home", "/Users", "C:/Users"];
        const OF_ROOT: [&str; 2] = ["/root", "/var/root"];
        let own = self.global.home.clone().or_else(std::env::home_dir).filter(|home| home.is_dir());
        if !self.global.all_users {
            return (own, Vec::new());
        }
        let folders = |folder: &Path| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path())
                .collect()
        };
        let mut homes = match &self.global.home {
            Some(named) => folders(named),
            None => {
                HOMES.iter().flat_map(|parent| folders(Path::new(parent))).chain(OF_ROOT.map(PathBuf::from)).collect()
            }
        };
        let own = own.filter(|_| self.global.home.is_none());
        homes.retain(|home| home.is_dir() && own.as_deref() != Some(home));
        homes.sort();
        (own, homes)
    }

    /// The role that `--human` names to hold an identity beside. Whoever names it may know better than what was read, but an
    /// AI identity is no measure for another one.
    fn role_of_people<'a>(
        &self,
        asked: &str,
        subject: &IdentityId,
        identities: &'a [Identity],
        judgements: &Judgements,
    ) -> Result<&'a IdentityId, Failure> {
        let role = &lookup::identity(identities, asked)?.id;
        if role == subject {
            let message = format!("`{role}` would be held beside itself");
            return Err(Failure::new(message, "name the role through which people do its job with `--human`"));
        }
        match judgements.nature(role) {
            Nature::Human | Nature::HumanRole => {}
            Nature::AiAgent => {
                return Err(Failure::new(
                    format!("`{role}` is an AI identity, and no role of people"),
                    "name the role through which people do the job; `evenhand inventory` tells the natures",
                ));
            }
            Nature::Workload | Nature::ThirdParty | Nature::Unknown => self.console.warning(
                &format!("`{role}` is not known to be a role of people; it is compared as if it were one"),
                Some("if it is one, name it in the `human` of a `[[job]]`"),
            ),
        }
        Ok(role)
    }

    /// What could not be read failed, so that a quiet run says it too.
    fn tell_failures(&self, capture: &Capture) {
        const SHOWN: usize = 20;
        for failure in capture.failures.iter().take(SHOWN) {
            self.console.alarm(&format!("{}: {}", failure.document, failure.reason), &[], Some(&failure.remedy));
        }
        if let Some(more @ 1..) = capture.failures.len().checked_sub(SHOWN) {
            self.console.alarm(&format!("{more} more parts could not be read; the report lists all gaps"), &[], None);
        }
    }

    /// Says which proposals are taken for evidence, because they are no longer as they were written.
    fn tell_edited(&self, capture: &Capture) {
        let is_read = |path: &str| {
            let mut read = capture.files.iter().filter(|file| file.status != SourceStatus::Unrecognised);
            read.any(|file| *file.path == *path)
        };
        for path in capture.edited_proposals.iter().filter(|path| is_read(path)) {
            self.console.warning(
                &format!("`{path}` is a proposal of `evenhand fix`, edited since, and counts as what is in force"),
                Some("move it out of the sources until it is applied"),
            );
        }
    }

    /// Says which captures hold less than was to be collected; what a collection that has just ended lacks is told by it.
    fn tell_unfinished(&self, capture: &Capture) {
        for manifest in &capture.unfinished {
            self.console.alarm(
                &format!("{manifest}: the collection of this capture did not come to its end"),
                &[],
                Some("go on with `evenhand collect … --resume`; the report lists what is missing"),
            );
        }
        for place in &capture.unread {
            self.console.alarm(
                &format!("nothing of {place} could be read: its documents hold refusals alone"),
                &[],
                Some("check its name and who may see it, and collect it again; the report says why it was refused"),
            );
        }
    }

    /// How the terminal report is written.
    fn screen(&self, all: bool) -> terminal::Options {
        const PIPED: usize = 120;
        terminal::Options {
            width: width().unwrap_or(PIPED),
            color: anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never,
            limit: if all { None } else { Some(20) },
            every_file: self.global.verbose > 0,
        }
    }

    /// Reads what a question is answered from. An error where nobody is in it.
    fn read_for(
        &self,
        from: &cli::From,
        config: &Config,
        progress: &Progress,
    ) -> Result<(Capture, Timestamp), Failure> {
        let (capture, now) = self.read(&from.sources, config, &from.input, progress)?;
        if capture.inventory.identities.is_empty() {
            return Err(self.nobody(&capture));
        }
        self.note_default_sources(from, config, &capture);
        Ok((capture, now))
    }

    /// Says what a question without `--from` was answered from.
    fn note_default_sources(&self, from: &cli::From, config: &Config, capture: &Capture) {
        if !from.sources.is_empty() {
            return;
        }
        let read = capture.files.iter().filter(|file| file.status != SourceStatus::Unrecognised).count();
        let files = counted(read, "document", "documents");
        let what = match config.folders.is_empty() {
            true => "this folder, the agent files of the project around it and those of your home folder were read"
                .to_owned(),
            false => {
                let folders: Vec<String> = config.folders.iter().map(|folder| folder.display().to_string()).collect();
                format!("the folders of the configuration were read: {}", folders.join(", "))
            }
        };
        self.console.note(&format!("no --from is given: {what} ({files})"));
    }

    /// The message for sources in which there is nobody.
    fn nobody(&self, capture: &Capture) -> Failure {
        let failed = capture.files.iter().filter(|file| file.status == SourceStatus::Failed).count();
        let looked = match (capture.files.len(), failed) {
            (0, _) => match (capture.passed_over, capture.known_places) {
                (0, false) => "there is no file in it".to_owned(),
                (0, true) => "no file is where an agent client keeps its configuration".to_owned(),
                (over, _) => {
                    let files = counted(usize::try_from(over).unwrap_or(usize::MAX), "file is", "files are");
                    format!("{files} in it, none where an agent client keeps its configuration")
                }
            },
            (all, failed) if all == failed => "nothing in it could be read".to_owned(),
            (all, _) => format!("{} looked at", counted(all, "file", "files")),
        };
        let sources: Vec<&str> = capture.sources.iter().map(|source| &**source).collect();
        // What failed is told already, with its cause.
        let told =
            capture.files.iter().filter(|file| file.status != SourceStatus::Failed).map(|file| match file.status {
                SourceStatus::Read => format!("{}: {}, which names nobody", file.path, file.what),
                SourceStatus::Partial => format!("{}: {}, not all of it understood", file.path, file.what),
                SourceStatus::Failed | SourceStatus::Unrecognised => format!("{}: {}", file.path, file.what),
            });
        self.console.error_about(
            &format!("no identity was found in {} ({looked})", sources.join(", ")),
            &listed(told.collect(), "`-o json` lists them"),
            Some(match capture.files.is_empty() && capture.passed_over > 0 {
                true => {
                    "with the word `agents` only files at the places that clients know are opened; without it every file \
                     is, and agent configuration under another name is told by its content"
                }
                false => {
                    "give it an export, such as the output of `aws iam get-account-authorization-details` or of `kubectl \
                     get serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,pods -A -o json`, or a folder \
                     with agent configuration; `-o json` lists every file"
                }
            }),
        );
        Failure::Told(Exit::NothingCollected)
    }
}

/// The width of the terminal in columns, or what `COLUMNS` says; `None` where neither tells.
fn width() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
}

/// Writes text for people to stdout, folded to the terminal's width; unfolded where there is none.
fn say<E: std::fmt::Display>(write: impl FnOnce(&mut dyn Write) -> Result<(), E>) -> Result<(), OutputError> {
    const NARROWEST: usize = 32;
    let Some(width) = width() else { return to_stdout(write) };
    let mut text = Vec::new();
    to_stdout(|sink| {
        write(&mut text).map_err(|error| error.to_string())?;
        let text = folded(&String::from_utf8_lossy(&text), width.max(NARROWEST));
        sink.write_all(text.as_bytes()).map_err(|error| error.to_string())
    })
}

/// The folders behind the word `agents`, which asks for agent configuration alone; a folder of that name is `./agents`.
fn without_word(sources: &[PathBuf]) -> Option<&[PathBuf]> {
    sources.split_first().filter(|(first, _)| *first == Path::new("agents")).map(|(_, folders)| folders)
}

/// What is read, and with what.
struct Sources {
    named: Vec<PathBuf>,
    shown: Vec<(PathBuf, String)>,
    only_agents: bool,
    fingerprinter: Fingerprinter,
}

/// Refuses options that are the own of a provider that is not asked.
#[cfg(feature = "live")]
fn own_options(live: &cli::Live, asked: &[cli::LiveProvider]) -> Result<(), Failure> {
    use clap::ValueEnum;
    let others = cli::LiveProvider::value_variants().iter().filter(|provider| !asked.contains(provider));
    for other in others {
        if let Some(option) = live.is_for(*other) {
            let name = other.as_str();
            return Err(Failure::new(
                format!("`{option}` is an option of `{name}`, which is not asked"),
                format!("leave it out, or ask `{name}`"),
            ));
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_cut_short_says_how_to_see_the_rest() {
        let items = |count: usize| (0..count).map(|item| item.to_string()).collect::<Vec<_>>();
        assert_eq!(listed(items(10), "look"), items(10));
        let cut = listed(items(13), "`evenhand inventory` lists them");
        assert_eq!(cut.len(), 11);
        assert_eq!(cut.last().map(String::as_str), Some("… and 3 more; `evenhand inventory` lists them"));
    }
}
