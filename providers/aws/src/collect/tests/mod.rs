//! Collections from a server that plays the vendor, well and badly.

mod failures;
mod resumed;
mod server;
mod whole;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use evenhand_model::inventory::Inventory;
use evenhand_model::provider::{Provider, ReadOptions};
use evenhand_model::secret::Fingerprinter;

use super::client::{Client, Pace};
use super::folder::Folder;
use super::run::{Plan, Run};
use super::session::{self, Session};
use super::{CollectError, Collected, Stopper};
use crate::Aws;
use crate::tests::document;

/// How the tests collect: quickly.
struct Collection {
    resume: bool,
    regions: Vec<String>,
    role: Option<String>,
    pages: usize,
    deadline: Option<Duration>,
    stopper: Stopper,
}

impl Default for Collection {
    fn default() -> Self {
        Self { resume: false, regions: Vec::new(), role: None, pages: 20, deadline: None, stopper: Stopper::default() }
    }
}

impl Collection {
    fn run(&self, url: &str, folder: &Path) -> Result<Collected, CollectError> {
        let credentials = Credentials::new("AKIAFAKEFAKEFAKEFAKE", "fake", None, None, "test");
        let config = SdkConfig::builder()
            .endpoint_url(url)
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let plan = Plan {
            folder: Some(Folder::below(folder)),
            resume: self.resume,
            regions: self.regions.clone(),
            all_accounts: self.role.is_some(),
            role: self.role.clone(),
            fingerprinter: Fingerprinter::keyed("test"),
            before: None,
        }
        .resumed()?;
        let pace = Pace { first_wait: Duration::from_millis(1), pages: self.pages, ..Pace::default() };
        let stop = self.stopper.watch(self.deadline.map(|time| Instant::now() + time));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let session = Session::of(config, session::connector(ProxyConfig::disabled())).unwrap();
            Arc::new(Run::new(Client::new(session, stop, pace), plan)).collect().await
        })
    }
}

/// All documents of a capture, by path below it, sorted.
fn documents(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.join("aws")];
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
    let mut reader = Aws.reader(options);
    for (path, text) in documents(folder) {
        let document = document(&path, &text);
        assert!(Aws.recognise(&document).is_some(), "{path} is not recognised: {text}");
        reader.read(document).unwrap_or_else(|errors| panic!("{path}: {errors:?}"));
    }
    let mut inventory = reader.finish().inventory;
    inventory.sort();
    inventory
}
