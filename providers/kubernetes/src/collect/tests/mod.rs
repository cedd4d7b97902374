//! Collections from a server that plays the vendor, well and badly.

mod access;
mod arguments;
mod failures;
mod large;
mod resumed;
mod server;
mod whole;
mod world;

use std::path::Path;
use std::time::{Duration, Instant};

use evenhand_collect::Stopper;
use evenhand_model::document::{Document, Head};
use evenhand_model::gap::GapKind;
use evenhand_model::provider::{Provider, Reading};
use evenhand_model::secret::Fingerprinter;
use serde_json::Value;

use super::client::Pace;
use super::run::Run;
use super::{CollectError, Collected, Options, Permission, Terms, run};
use crate::Kubernetes;
use crate::tests::options;

use server::Server;

/// How the tests collect: quickly.
struct Collection {
    resume: bool,
    contexts: Vec<String>,
    all_contexts: bool,
    secrets: bool,
    page: usize,
    pages: usize,
    answer: Duration,
    deadline: Option<Duration>,
    stopper: Stopper,
}

impl Default for Collection {
    fn default() -> Self {
        Self {
            resume: false,
            contexts: Vec::new(),
            all_contexts: false,
            secrets: false,
            page: 2,
            pages: 50,
            answer: Duration::from_secs(10),
            deadline: None,
            stopper: Stopper::default(),
        }
    }
}

impl Collection {
    /// Collects from one server, whose context is `c`.
    fn run(&self, server: &Server, folder: &Path) -> Result<Collected, CollectError> {
        self.run_as(&Server::kubeconfig(&[("c", server)]), folder)
    }

    fn run_as(&self, kubeconfig: &str, folder: &Path) -> Result<Collected, CollectError> {
        self.work(kubeconfig, folder, Run::collect)
    }

    /// What the credentials may do.
    fn doctor(&self, server: &Server) -> Vec<Permission> {
        let home = tempfile::tempdir().unwrap();
        let (tried, _) = self.work(&Server::kubeconfig(&[("c", server)]), home.path(), Run::try_all).unwrap();
        tried.into_iter().map(super::doctor::permission).collect()
    }

    fn work<T, F: Future<Output = Result<T, CollectError>>>(
        &self,
        kubeconfig: &str,
        folder: &Path,
        work: impl FnOnce(std::sync::Arc<Run>) -> F,
    ) -> Result<T, CollectError> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config");
        std::fs::write(&path, kubeconfig).unwrap();
        let options = Options {
            terms: Terms {
                folder: folder.to_owned(),
                resume: self.resume,
                deadline: self.deadline.map(|time| Instant::now() + time),
                fingerprinter: Fingerprinter::keyed("test"),
            },
            kubeconfig: Some(path),
            contexts: self.contexts.clone(),
            all_contexts: self.all_contexts,
            secrets: self.secrets,
        };
        let pace = Pace {
            first_wait: Duration::from_millis(1),
            page: self.page,
            pages: self.pages,
            answer: self.answer,
            ..Pace::default()
        };
        run(&options, &self.stopper, pace, work)
    }
}

/// All documents of a capture, by path below it, sorted.
fn documents(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.join("kubernetes")];
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

fn manifest(folder: &Path, cluster: &str) -> Value {
    let path = folder.join("kubernetes").join(cluster).join("manifest.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A document with the look at its head that loading takes.
fn headed(path: &str, text: &str) -> Document {
    let mut document = crate::tests::document(path, text);
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default()
    };
    let value: Value = serde_json::from_str(text).unwrap();
    let mut head = Head { keys: keys(&value), ..Head::default() };
    for (key, member) in value.as_object().unwrap() {
        head.values.extend(member.as_str().map(|text| (key.clone(), text.to_owned())));
        head.elements.extend(member.as_array().and_then(|list| list.first()).map(|first| (key.clone(), keys(first))));
    }
    document.head = head;
    document
}

/// Reads documents, of which every one must be recognised and understood.
fn read(documents: &[(String, String)]) -> Reading {
    let mut reader = Kubernetes.reader(options(&[]));
    for (path, text) in documents {
        let document = headed(path, text);
        assert!(Kubernetes.recognise(&document).is_some(), "{path} is not recognised: {text}");
        reader.read(document).unwrap_or_else(|errors| panic!("{path}: {errors:?}"));
    }
    reader.finish()
}

/// The gaps of a capture that are failures, by call.
fn failures(folder: &Path) -> Vec<(String, String)> {
    let reading = read(&documents(folder));
    let failed = reading.inventory.gaps.into_iter().filter(|gap| gap.kind == GapKind::Failed);
    failed.map(|gap| (gap.call.to_string(), gap.reason.to_string())).collect()
}
