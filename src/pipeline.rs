//! The pipeline up to the inventory: find, load, recognise, read, merge.
//!
//! Every file ends in one of three ways: a provider read it, no provider knows it, or it failed. The last leaves a gap,
//! and everything else is still read. Order of work never shows in the result.

mod failures;
mod malformed;
mod outcome;
mod reason;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evenhand_model::capture::Extent;
use evenhand_model::catalog::CatalogSource;
use evenhand_model::document::{Document, FileFacts, ReadError};
use evenhand_model::gap::{Gap, GapKind, Lost};
use evenhand_model::id::ProviderName;
use evenhand_model::inventory::Inventory;
use evenhand_model::provider::{MovedFiles, Provider, ReadOptions, Reader, Reading};
use evenhand_model::secret::Fingerprinter;
use evenhand_reports::report::{OWN_EVIDENCE, OWN_REPORT, SourceFile, SourceStatus};
use evenhand_rules::resolvers::Resolvers;
use jiff::Timestamp;
use rayon::prelude::*;

use crate::config::Config;
use crate::progress::Progress;
use crate::sources::{self, Found, Limits, Listing, WorkTrees};
use failures::Failure;
use outcome::{Damage, Outcome, judge};

/// What to read, and with what.
#[derive(Debug)]
pub struct ReadRequest<'a> {
    /// The named sources; none = the current folder, the agent files of the project that it lies in, and the user's own.
    pub sources: Vec<PathBuf>,
    /// Sources that people know by another name, such as a folder that was made for this run.
    pub shown: Vec<(PathBuf, String)>,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// Whether variables of the environment may lead to files of that home folder that are kept elsewhere.
    pub environment: bool,
    /// Home folders of other people, which are read like the user's own.
    pub other_homes: Vec<PathBuf>,
    /// Whether files that administrators set for this whole machine are read, where no source is named.
    pub machine: bool,
    /// Whether only agent configuration is read, known by its path.
    pub only_agents: bool,
    /// The moment of the scan.
    pub now: Timestamp,
    /// Turns secrets into fingerprints.
    pub fingerprinter: Fingerprinter,
    /// The configuration.
    pub config: &'a Config,
    /// Where progress is shown.
    pub progress: &'a Progress,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Capture {
    /// Everything, merged and sorted.
    pub inventory: Inventory,
    /// What the identities may do.
    pub resolvers: Resolvers,
    /// Every file that was looked at, sorted by path.
    pub files: Vec<SourceFile>,
    /// What could not be understood, in the order of the files.
    pub failures: Vec<ReadError>,
    /// Whether some source could not be read at all.
    pub unreadable_source: bool,
    /// The manifests of captures whose collection did not come to its end, because somebody could not be asked, or it ran
    /// out of time or was stopped.
    pub unfinished: Vec<Arc<str>>,
    /// Whether a live source could not be asked about anything at all; why is told already.
    pub unasked_source: bool,
    /// Whom documents are about of which nothing could be read, such as an organisation that GitHub does not tell of.
    pub unread: Vec<Arc<str>>,
    /// The sources as named.
    pub sources: Vec<Arc<str>>,
    /// Files below the sources that were passed over, because nothing at such a path was asked for.
    pub passed_over: u64,
    /// Whether some home folder was looked into, of which only known places are.
    pub known_places: bool,
    /// Files below the sources that are proposals of `evenhand fix` which somebody changed, and that were opened all the same.
    pub edited_proposals: Vec<Arc<str>>,
    /// The catalogues that access is resolved with.
    pub catalogs: Vec<CatalogSource>,
    /// A hash of all content that was looked at.
    pub digest: String,
    /// Bytes read, decompressed.
    pub bytes: u64,
}

impl Capture {
    /// Whether it is less than what was to be read: a source that could not be, or a collection without its end.
    pub fn is_partial(&self) -> bool {
        self.unreadable_source || !self.unfinished.is_empty()
    }
}

/// The providers, in the order in which they are asked whether a document is theirs.
pub fn providers() -> Vec<Box<dyn Provider>> {
    vec![
        Box::new(evenhand_aws::Aws),
        Box::new(evenhand_azure::Azure),
        Box::new(evenhand_kubernetes::Kubernetes),
        Box::new(evenhand_github::Github),
        Box::new(evenhand_agents::Agents),
    ]
}

/// The provider of agent configuration alone.
pub fn only_agents() -> Vec<Box<dyn Provider>> {
    vec![Box::new(evenhand_agents::Agents)]
}

/// So many bytes, as they lie on disk, are loaded together, or one larger file. Two such batches are held as text at one
/// time: one that is read and the next one, which is loaded meanwhile; of larger files one.
const BATCH_BYTES: u64 = 16 << 20;
/// So many files at most are loaded before they are read.
const BATCH_FILES: usize = 2048;
/// So many files that documents name are read for one provider.
const MOST_WANTED: usize = 1000;
/// What documents name is read, and what these name in turn, as an environment file names a kubeconfig.
const WANTED_ROUNDS: usize = 2;

/// Reads the sources with all providers.
pub fn read(request: &ReadRequest<'_>, providers: &[Box<dyn Provider>]) -> Capture {
    let mut listing = {
        let _stage = request.progress.stage("find files", None);
        sources::find(&sources::Request {
            sources: request.sources.clone(),
            shown: request.shown.clone(),
            home: request.home.clone(),
            other_homes: request.other_homes.clone(),
            moved: match request.environment {
                true => moved_files(providers),
                false => Vec::new(),
            },
            system_files: match request.machine {
                true => providers.iter().flat_map(|provider| provider.system_files()).copied().collect(),
                false => Vec::new(),
            },
            wanted: request.only_agents.then_some(evenhand_agents::is_known_path as fn(&str) -> bool),
            home_files: providers.iter().flat_map(|provider| provider.home_files()).copied().collect(),
            project_files: providers.iter().flat_map(|provider| provider.project_files()).copied().collect(),
            homes: request.config.scope.homes.clone(),
        })
    };
    // The configuration in use is no input.
    for used in [&request.config.file, &request.config.waiver_file].into_iter().flatten().map(|file| Path::new(&**file))
    {
        let same = |file: &Path| file.file_name() == used.file_name() && is_same_file(file, used);
        listing.files.retain(|found| !same(&found.file));
    }
    let mut work = Work::new(request, providers, &listing);
    {
        let total = listing.files.iter().map(|found| found.bytes).sum();
        let stage = request.progress.stage("read files", Some(total));
        let loader = work.loader();
        let load = |files: &[Found]| loader.load(files, |bytes| stage.add(bytes));
        // On one of the workers, so that it is the same thread that loads a large document and that drops it: only
        // there does its memory go back to the system at once.
        rayon::scope(|_| {
            let (mut files, mut rest) = listing.files.split_at(batch(&listing.files));
            let mut loaded = load(files);
            while !files.is_empty() {
                for (found, outcome) in files.iter().zip(loaded) {
                    work.take(found, outcome);
                }
                let large = is_large(files);
                (files, rest) = rest.split_at(batch(rest));
                if large || is_large(files) {
                    work.read_queued();
                    loaded = load(files);
                } else {
                    ((), loaded) = rayon::join(|| work.read_queued(), || load(files));
                }
            }
        });
        for _ in 0..WANTED_ROUNDS {
            if !work.read_wanted(&listing, loader.limits) {
                break;
            }
        }
    }
    Capture {
        passed_over: listing.passed_over,
        known_places: listing.known_places,
        edited_proposals: listing.edited.clone(),
        ..work.finish()
    }
}

/// What variables of the environment move, where they are set.
fn moved_files(providers: &[Box<dyn Provider>]) -> Vec<(MovedFiles, OsString)> {
    let moved = providers.iter().flat_map(|provider| provider.moved_files());
    moved
        .filter_map(|moved| Some((*moved, std::env::var_os(moved.variable).filter(|value| !value.is_empty())?)))
        .collect()
}

/// Whether these are one document that fills all cores by itself, and of which two are too much to hold.
fn is_large(files: &[Found]) -> bool {
    matches!(files, [found] if found.bytes > BATCH_BYTES)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// The number of files in the next batch; at least one of any.
fn batch(files: &[Found]) -> usize {
    let mut bytes = 0_u64;
    let fits = files.iter().take(BATCH_FILES).take_while(|found| {
        bytes = bytes.saturating_add(found.bytes);
        bytes <= BATCH_BYTES
    });
    fits.count().max(1).min(files.len())
}

/// What loading needs to know, apart from the work under way.
struct Loader<'a> {
    limits: Limits,
    providers: Vec<&'a dyn Provider>,
}

impl Loader<'_> {
    /// Loads files in parallel and finds the provider that knows each.
    fn load(&self, files: &[Found], done: impl Fn(u64) + Sync) -> Vec<Outcome> {
        files
            .par_iter()
            .map(|found| {
                let providers = || self.providers.iter().enumerate();
                let recognise = |document: &Document| {
                    providers().find_map(|(at, provider)| Some((at, provider.recognise(document)?)))
                };
                let broken =
                    |document: &Document| providers().find_map(|(at, provider)| Some((at, provider.broken(document)?)));
                let damaged = |document: &Document| self.providers.iter().position(|held| held.is_damaged(document));
                let likeness =
                    |document: &Document| self.providers.iter().find_map(|provider| provider.likeness(document));
                let outcome = judge(found, sources::load(found, self.limits), recognise, broken, damaged, likeness);
                done(found.bytes);
                outcome
            })
            .collect()
    }
}

/// A provider at work.
struct Slot<'a> {
    provider: &'a dyn Provider,
    reader: Box<dyn Reader>,
    /// The documents of the batch with their positions in the list of files.
    queue: Vec<(usize, Document)>,
    /// What could not be understood, by position.
    errors: Vec<(usize, Vec<ReadError>)>,
}

impl Slot<'_> {
    fn read_queue(&mut self, progress: &Progress) {
        let _stage = progress.stage(format!("read {}", self.provider.name()), None);
        for (at, document) in self.queue.drain(..) {
            if let Err(errors) = self.reader.read(document) {
                self.errors.push((at, errors));
            }
        }
    }
}

struct Work<'a> {
    request: &'a ReadRequest<'a>,
    slots: Vec<Slot<'a>>,
    trees: WorkTrees,
    files: Vec<SourceFile>,
    failures: Vec<Failure>,
    unreadable_source: bool,
    unfinished: Vec<Arc<str>>,
    /// The folders of captures that were collected, each by its manifest.
    collected: BTreeSet<Arc<str>>,
    /// Files of which nothing tells whose they are and that cannot be read, by position.
    damaged: Vec<(usize, Damage)>,
    /// Files that were read because a document names them.
    wanted: BTreeSet<Arc<str>>,
    sources: Vec<Arc<str>>,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<'a> Work<'a> {
    fn new(request: &'a ReadRequest<'a>, providers: &'a [Box<dyn Provider>], listing: &Listing) -> Self {
        let slots = providers
            .iter()
            .map(|provider| Slot {
                provider: &**provider,
                reader: provider.reader(ReadOptions {
                    now: request.now,
                    fingerprinter: request.fingerprinter.clone(),
                    settings: request.config.providers.get(&provider.name()).cloned().unwrap_or_default(),
                }),
                queue: Vec::new(),
                errors: Vec::new(),
            })
            .collect();
        let mut work = Self {
            request,
            slots,
            trees: WorkTrees::default(),
            files: Vec::new(),
            failures: Vec::new(),
            unreadable_source: !listing.unreadable_sources.is_empty(),
            unfinished: Vec::new(),
            collected: BTreeSet::new(),
            damaged: Vec::new(),
            wanted: BTreeSet::new(),
            sources: listing.sources.clone(),
            hasher: blake3::Hasher::new(),
            bytes: 0,
        };
        for skipped in &listing.skipped {
            work.entry(Arc::clone(&skipped.path), SourceStatus::Unrecognised, None, &skipped.reason, 0);
        }
        for failed in &listing.failed {
            let at = work.entry(Arc::clone(&failed.path), SourceStatus::Failed, None, &failed.reason, 0);
            let (reason, remedy) = failed.reason.split_once("; ").unwrap_or((&failed.reason, "check the path"));
            let error = ReadError { document: failed.path.to_string(), reason: reason.into(), remedy: remedy.into() };
            work.failures.push((at, error, None));
        }
        work
    }

    fn entry(
        &mut self,
        path: Arc<str>,
        status: SourceStatus,
        provider: Option<&'static str>,
        what: &str,
        bytes: u64,
    ) -> usize {
        self.files.push(SourceFile { path, status, provider, what: what.into(), bytes });
        self.files.len() - 1
    }

    fn loader(&self) -> Loader<'a> {
        Loader {
            limits: Limits {
                document: self
                    .request
                    .config
                    .scope
                    .max_document_mib
                    .map_or(Limits::default().document, |mib| mib << 20),
            },
            providers: self.slots.iter().map(|slot| slot.provider).collect(),
        }
    }

    /// Lets the providers read what is queued for them, in parallel. A text is dropped as soon as it is read.
    fn read_queued(&mut self) {
        let mut busy: Vec<_> = self.slots.iter_mut().filter(|slot| !slot.queue.is_empty()).collect();
        let progress = self.request.progress;
        match busy.as_mut_slice() {
            [slot] => slot.read_queue(progress),
            slots => slots.par_iter_mut().for_each(|slot| slot.read_queue(progress)),
        }
    }

    /// Reads the files that the documents name, where they lie in a source; whether there was one.
    fn read_wanted(&mut self, listing: &Listing, limits: Limits) -> bool {
        let before = self.wanted.len();
        for slot in 0..self.slots.len() {
            let wanted = self.slots.get_mut(slot).map(|slot| slot.reader.wanted_files()).unwrap_or_default();
            for found in wanted.iter().take(MOST_WANTED).filter_map(|path| listing.inside(path)) {
                let outcome = match sources::load(&found, limits) {
                    Ok(loaded) => {
                        Outcome::Recognised { slot, kind: "file that a configuration names", loaded: Box::new(loaded) }
                    }
                    Err(error) => Outcome::Failed {
                        place: String::new(),
                        reason: error.to_string(),
                        remedy: error.remedy().to_owned(),
                        provider: Some(slot),
                    },
                };
                if self.wanted.insert(Arc::clone(&found.path)) {
                    self.take(&found, outcome);
                }
            }
        }
        self.read_queued();
        self.wanted.len() > before
    }

    fn take(&mut self, found: &Found, outcome: Outcome) {
        // What an earlier scan found makes this one no other scan.
        let is_own = |reason: &str| [OWN_EVIDENCE, OWN_REPORT].contains(&reason);
        if !matches!(&outcome, Outcome::Unrecognised { reason, .. } if is_own(reason)) {
            self.hasher.update(found.path.as_bytes()).update(&[0]);
        }
        match outcome {
            Outcome::Recognised { slot, kind, mut loaded } => {
                self.hasher.update(loaded.digest.as_bytes());
                self.bytes = self.bytes.saturating_add(loaded.bytes);
                loaded.document.file = FileFacts {
                    // A home folder's own files lie outside any project, whatever folder keeps a copy of them.
                    tracked: if found.user_level { None } else { self.trees.tracked(&found.file) },
                    ..loaded.document.file
                };
                if loaded.document.head.has("evenhand_capture") {
                    self.collected.insert(folder(&found.path).into());
                }
                if is_unfinished(&loaded.document) {
                    self.unfinished.push(Arc::clone(&found.path));
                }
                let Some(name) = self.slots.get(slot).map(|slot| slot.provider.name().0) else { return };
                let at = self.entry(Arc::clone(&found.path), SourceStatus::Read, Some(name), kind, loaded.bytes);
                if let Some(slot) = self.slots.get_mut(slot) {
                    slot.queue.push((at, loaded.document));
                }
            }
            Outcome::Unrecognised { reason, bytes, digest, damage } => {
                if let Some(digest) = digest {
                    self.hasher.update(digest.as_bytes());
                }
                self.bytes = self.bytes.saturating_add(bytes);
                let at = self.entry(Arc::clone(&found.path), SourceStatus::Unrecognised, None, &reason, bytes);
                self.damaged.extend(damage.map(|damage| (at, damage)));
            }
            Outcome::Failed { place, reason, remedy, provider } => {
                let name = provider.and_then(|at| self.slots.get(at)).map(|slot| slot.provider.name());
                let at = self.entry(
                    Arc::clone(&found.path),
                    SourceStatus::Failed,
                    name.map(|name| name.0),
                    &format!("{reason}; {remedy}"),
                    found.bytes,
                );
                let document = format!("{}{place}", found.path);
                self.failures.push((at, ReadError { document, reason, remedy }, name));
                self.unreadable_source |= found.named;
            }
        }
    }

    /// What lies in the folder of a capture and has the name of a document was one, whatever is left of it.
    fn settle_damaged(&mut self) {
        for (at, Damage { place, reason, remedy }) in std::mem::take(&mut self.damaged) {
            let Some(file) = self.files.get_mut(at) else { continue };
            let mut folders = std::iter::successors(Some(folder(&file.path)), |&below| {
                Some(folder(below)).filter(|above| above.len() < below.len())
            });
            if !has_name_of_document(&file.path) || !folders.any(|folder| self.collected.contains(folder)) {
                continue;
            }
            file.status = SourceStatus::Failed;
            file.what = format!("{reason}; {remedy}").into();
            let document = format!("{}{place}", file.path);
            self.failures.push((at, ReadError { document, reason, remedy }, None));
        }
    }

    fn finish(mut self) -> Capture {
        self.settle_damaged();
        let mut capture = Capture {
            unreadable_source: self.unreadable_source,
            unfinished: self.unfinished,
            sources: self.sources,
            bytes: self.bytes,
            digest: self.hasher.finalize().to_hex().to_string(),
            ..Capture::default()
        };
        capture.unfinished.sort();
        let mut readings: Vec<(ProviderName, Option<Reading>)> = Vec::new();
        let mut readers = Vec::new();
        for slot in self.slots {
            let name = slot.provider.name();
            for (at, errors) in slot.errors {
                self.failures.extend(errors.into_iter().map(|error| (at, error, Some(name))));
            }
            readings.push((name, None));
            capture.unread.extend(slot.reader.unread().into_iter().map(Arc::<str>::from));
            readers.push(slot.reader);
        }
        capture.unread.sort();
        capture.unreadable_source |= !capture.unread.is_empty();
        {
            let _stage = self.request.progress.stage("join documents", None);
            readings.par_iter_mut().zip(readers).for_each(|((_, reading), reader)| *reading = Some(reader.finish()));
        }
        for (name, reading) in readings {
            let Some(reading) = reading else { continue };
            capture.inventory.merge(reading.inventory);
            if let Some(resolver) = reading.resolver {
                capture.catalogs.extend(resolver.catalog().sources());
                capture.resolvers.insert(name, resolver);
            }
        }
        failures::settle(&mut self.files, &mut self.failures, &mut capture.inventory.gaps);
        capture.failures = self.failures.into_iter().map(|(_, error, _)| error).collect();
        expected_scopes(self.request.config, &mut capture.inventory);
        capture.inventory.sort();
        // A file that nobody knew until another one named it is listed once.
        let wanted = self.wanted;
        self.files.retain(|file| file.status != SourceStatus::Unrecognised || !wanted.contains(&file.path));
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        capture.files = self.files;
        capture
    }
}

/// Whether a document is the manifest of a collection that did not come to its end. All manifests say that alike.
fn is_unfinished(document: &Document) -> bool {
    document.head.has("evenhand_capture")
        && serde_json::from_str::<Extent>(&document.text).is_ok_and(|extent| !extent.complete)
}

/// The folder that a file or a folder lies in; empty where no name of one is left.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a file is called as collectors call their documents.
fn has_name_of_document(path: &str) -> bool {
    let plain = path.strip_suffix(".gz").or_else(|| path.strip_suffix(".zst")).unwrap_or(path);
    [".csv", ".json", ".jsonl", ".ndjson"].iter().any(|ending| plain.ends_with(ending))
}

/// Scopes that the configuration expects and the capture does not hold become gaps.
fn expected_scopes(config: &Config, inventory: &mut Inventory) {
    let scope = &config.scope;
    let expected = [("account", &scope.accounts), ("organisation", &scope.organisations), ("cluster", &scope.clusters)];
    for (kind, names) in expected {
        for name in names {
            let held = |text: &str| text == name || text.rsplit([':', '/']).next() == Some(name);
            let found = inventory.identities.iter().any(|identity| held(identity.scope.as_str()))
                || inventory.logs.iter().any(|log| held(log.scope.as_str()));
            if !found {
                inventory.gaps.push(Gap {
                    provider: None,
                    scope: Some(name.as_str().into()),
                    kind: GapKind::NotCollected,
                    call: format!("{kind} {name}").into(),
                    reason: "the configuration expects it, but no document of it was read; add its export".into(),
                    facts: vec![Lost::everything("all identities, logs and controls in it")],
                });
            }
        }
    }
}
