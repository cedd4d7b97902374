//! Collections from a server that plays the vendor, well and badly.

mod failures;
mod large;
mod resumed;
mod server;
mod whole;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use evenhand_collect::Stopper;
use evenhand_model::secret::Fingerprinter;
use serde_json::Value;

use super::client::Pace;
use super::credentials::Credentials;
use super::run::{Plan, Run};
use super::{Cloud, CollectError, Collected, Options, Permission, Tell, Terms, Who, run};

/// The tenant of the tests.
const TENANT: &str = "7e9a0000-0000-4000-8000-000000000001";

/// Signs in to nothing: tokens say whose they are and for which interface.
#[derive(Debug, Default)]
struct Fake {
    /// The part of a scope for which there is no token.
    without: Option<&'static str>,
    tenant: Option<&'static str>,
}

#[async_trait::async_trait]
impl TokenCredential for Fake {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let scope = scopes[0];
        if self.without.is_some_and(|part| scope.contains(part)) {
            let kind = azure_core::error::ErrorKind::Credential;
            return Err(azure_core::Error::with_message(kind, "AADSTS0: no such application"));
        }
        let token = token(self.tenant.unwrap_or(TENANT), scope);
        Ok(AccessToken::new(Secret::new(token), OffsetDateTime::now_utc() + Duration::from_secs(3600)))
    }
}

fn token(tenant: &str, scope: &str) -> String {
    let claims = format!(r#"{{"tid":"{tenant}","aud":"{scope}"}}"#);
    format!("fake.{}.fake", URL_SAFE_NO_PAD.encode(claims))
}

/// How the tests collect: quickly, as somebody who is signed in.
struct Collection {
    resume: bool,
    tenant: Option<&'static str>,
    subscriptions: Vec<&'static str>,
    pace: Pace,
    deadline: Option<Duration>,
    stopper: Stopper,
    who: Fake,
}

/// Without the waits that Azure asks for.
fn quickly() -> Pace {
    Pace { first_wait: Duration::from_millis(1), answer: Duration::from_secs(10), pages: 50, batch: 3, at_once: 4 }
}

impl Default for Collection {
    fn default() -> Self {
        Self {
            resume: false,
            tenant: None,
            subscriptions: Vec::new(),
            pace: quickly(),
            deadline: None,
            stopper: Stopper::default(),
            who: Fake::default(),
        }
    }
}

impl Collection {
    fn run(self, url: &str, folder: &Path) -> Result<Collected, CollectError> {
        self.work(url, folder, Run::collect)
    }

    /// Collects until it is killed: whatever is under way is gone at once, and nothing more is written.
    fn run_until(self, kill: &Stopper, url: &str, folder: &Path) -> Result<Collected, CollectError> {
        let killed = kill.watch(None);
        self.work(url, folder, |run| async move {
            killed.or(run.collect()).await.unwrap_or_else(|| Err(super::NoCapture::Stopped.into()))
        })
    }

    /// What the credentials may do.
    fn doctor(self, url: &str) -> Result<Vec<Permission>, CollectError> {
        let home = tempfile::tempdir().unwrap();
        self.work(url, home.path(), Run::try_all)
    }

    fn work<T, F: Future<Output = Result<T, CollectError>>>(
        self,
        url: &str,
        folder: &Path,
        work: impl FnOnce(Arc<Run>) -> F,
    ) -> Result<T, CollectError> {
        let options = Options {
            terms: Terms {
                folder: folder.to_owned(),
                resume: self.resume,
                deadline: self.deadline.map(|time| Instant::now() + time),
                fingerprinter: Fingerprinter::keyed("test"),
            },
            tenant: self.tenant.map(str::to_owned),
            subscriptions: self.subscriptions.iter().map(|id| (*id).to_owned()).collect(),
            cloud: Cloud::Public,
            graph_url: Some(url.to_owned()),
            manager_url: Some(url.replace("127.0.0.1", "localhost")),
            who: Who::Environment,
            tell: Tell::default(),
        };
        let plan = Plan::new(&options)?;
        run(&options, plan, Credentials::of(Arc::new(self.who)), &self.stopper, self.pace, work)
    }
}

/// All documents of a capture, by path below it.
fn documents(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.join("azure")];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

/// All lines of a capture, by path.
fn lines(folder: &Path) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (path, text) in documents(folder).into_iter().filter(|(path, _)| path.ends_with(".ndjson")) {
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{path}: {error}: {line}"));
            assert_eq!(line["tenant"], TENANT);
            let before = found.insert(line["path"].as_str().unwrap().to_owned(), line);
            assert!(before.is_none(), "twice: {before:?}");
        }
    }
    found
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("azure/manifest.json")).unwrap()).unwrap()
}
