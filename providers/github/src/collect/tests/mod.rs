//! Collections from a server that plays the vendor, well and badly.

mod access;
mod failures;
mod large;
mod limits;
mod partly;
mod resumed;
mod server;
mod whole;
mod world;

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use evenhand_collect::Stopper;
use evenhand_model::document::{Document, FileFacts, Format, Head};
use evenhand_model::inventory::Inventory;
use evenhand_model::provider::{Provider, ReadOptions};
use evenhand_model::secret::Fingerprinter;
use rsa::Generate as _;
use rsa::pkcs1::{EncodeRsaPrivateKey as _, LineEnding};
use serde_json::Value;

use super::client::Pace;
use super::plan::Plan;
use super::run::Run;
use super::{CollectError, Collected, Options, Permission, Tell, Terms, Who, run};
use crate::Github;

/// How the tests collect: quickly, as somebody with a token.
struct Collection {
    resume: bool,
    organisations: Vec<&'static str>,
    repositories: Vec<&'static str>,
    enterprise: Option<&'static str>,
    pace: Pace,
    deadline: Option<Duration>,
    stopper: Stopper,
    who: Option<Who>,
    tell: Tell,
}

/// Without the waits that GitHub asks for.
fn quickly() -> Pace {
    Pace {
        first_wait: Duration::from_millis(1),
        secondary_wait: Duration::from_millis(1),
        apart: Duration::ZERO,
        margin: Duration::ZERO,
        answer: Duration::from_secs(10),
        page: 2,
        pages: 50,
        ..Pace::default()
    }
}

impl Default for Collection {
    fn default() -> Self {
        Self {
            resume: false,
            organisations: vec!["acme"],
            repositories: Vec::new(),
            enterprise: None,
            pace: quickly(),
            deadline: None,
            stopper: Stopper::default(),
            who: None,
            tell: Tell::default(),
        }
    }
}

impl Collection {
    fn run(&self, url: &str, folder: &Path) -> Result<Collected, CollectError> {
        self.work(url, folder, self.pace, Run::collect)
    }

    /// Collects until it is killed: whatever is under way is gone at once, and nothing more is written.
    fn run_until(&self, kill: &Stopper, url: &str, folder: &Path) -> Result<Collected, CollectError> {
        let killed = kill.watch(None);
        self.work(url, folder, self.pace, |run| async move {
            killed.or(run.collect()).await.unwrap_or_else(|| Err(super::NoCapture::Stopped.into()))
        })
    }

    /// What the credentials may do.
    fn doctor(&self, url: &str) -> Result<(Vec<Permission>, Vec<String>), CollectError> {
        let home = tempfile::tempdir().unwrap();
        self.work(url, home.path(), Pace { first_page: true, ..self.pace }, Run::try_all)
    }

    fn work<T, F: Future<Output = Result<T, CollectError>>>(
        &self,
        url: &str,
        folder: &Path,
        pace: Pace,
        work: impl FnOnce(std::sync::Arc<Run>) -> F,
    ) -> Result<T, CollectError> {
        let home = tempfile::tempdir().unwrap();
        let token = home.path().join("token");
        std::fs::write(&token, "fake-token\n").unwrap();
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let options = Options {
            terms: Terms {
                folder: folder.to_owned(),
                resume: self.resume,
                deadline: self.deadline.map(|time| Instant::now() + time),
                fingerprinter: Fingerprinter::keyed("test"),
            },
            organisations: owned(&self.organisations),
            repositories: owned(&self.repositories),
            enterprise: self.enterprise.map(str::to_owned),
            api_url: Some(url.to_owned()),
            who: self.who.clone().unwrap_or(Who::TokenFile(token)),
            tell: self.tell.clone(),
        };
        let plan = Plan::new(&options)?;
        run(&options, plan, &self.stopper, pace, work)
    }
}

/// All documents of a capture, by path below it, sorted.
fn documents(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.join("github")];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Reads a capture, of which every document must be recognised and understood.
fn inventory(folder: &Path) -> Inventory {
    let options = ReadOptions {
        now: "2026-11-01T00:00:00Z".parse().unwrap(),
        fingerprinter: Fingerprinter::keyed("test"),
        settings: Default::default(),
    };
    let mut reader = Github.reader(options);
    for (path, text) in documents(folder) {
        let format = if path.ends_with(".ndjson") { Format::Ndjson } else { Format::Json };
        let first = if format == Format::Ndjson { text.lines().next().unwrap() } else { &text };
        let first: Value = serde_json::from_str(first).unwrap();
        let mut head = Head { keys: first.as_object().unwrap().keys().cloned().collect(), ..Head::default() };
        let texts = first.as_object().unwrap().iter();
        head.values.extend(texts.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))));
        let document = Document {
            path: path.as_str().into(),
            relative: path.as_str().into(),
            source_name: "capture".into(),
            format,
            text,
            head,
            file: FileFacts::default(),
        };
        assert!(Github.recognise(&document).is_some(), "{path} is not recognised");
        reader.read(document).unwrap_or_else(|errors| panic!("{path}: {errors:?}"));
    }
    reader.finish().inventory
}

/// All answers of a capture, by what was asked.
fn answers(folder: &Path) -> std::collections::BTreeMap<String, Value> {
    let lines = documents(folder).into_iter().filter(|(path, _)| path.ends_with(".ndjson"));
    let mut found = std::collections::BTreeMap::new();
    for (path, text) in lines {
        for line in text.lines() {
            let answer: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{path}: {error}: {line}"));
            let before = found.insert(answer["path"].as_str().unwrap().to_owned(), answer);
            assert!(before.is_none(), "twice: {before:?}");
        }
    }
    found
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("github/manifest.json")).unwrap()).unwrap()
}

/// The key of an app that is none, in PEM; made for this run.
fn app_key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let key = rsa::PrivateKey::generate().to_pkcs1_pem(LineEnding::LF).unwrap();
        key.as_str().to_owned()
    })
}

/// An app that asks with that key, and the folder that the key lies in.
fn app(installation: Option<u64>) -> (Who, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let key = home.path().join("app.pem");
    std::fs::write(&key, app_key()).unwrap();
    (Who::App { id: "7".to_owned(), key, installation }, home)
}
