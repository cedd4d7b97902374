//! Collections from a server that plays the vendor, well and badly.

mod access;
mod failures;
mod large;
mod limits;
mod resumed;
mod server;
mod whole;
mod world;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use evenhand_collect::Stopper;
use evenhand_model::secret::Fingerprinter;
use serde_json::Value;

use super::client::Pace;
use super::run::{Plan, Run};
use super::{CollectError, Collected, Options, Permission, Tell, Terms, Who, run};

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

/// The key of an app that is none.
fn app_key() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/collect/tests/app.pem")
}
