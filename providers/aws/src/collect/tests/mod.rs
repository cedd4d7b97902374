//! Collections from a server that plays the vendor, well and badly.

mod carriers;
mod failures;
mod reach;
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
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use evenhand_model::access::{Outcome, Request};
use evenhand_model::identity::Identity;
use evenhand_model::inventory::Inventory;
use evenhand_model::provider::{Provider, ReadOptions, Reading};
use evenhand_model::secret::Fingerprinter;

use super::client::{Client, Pace};
use super::folder::Folder;
use super::run::{Plan, Run};
use super::session::{self, Session};
use super::{CollectError, Collected, Permission, Stopper};
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
    credentials: SharedCredentialsProvider,
    /// Addresses of single services.
    endpoints: Endpoints,
}

/// Services by id, with the address that a user configured for each.
#[derive(Clone, Default, Debug)]
struct Endpoints(Vec<(&'static str, String)>);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        self.0.iter().find(|(service, _)| *service == key.service_id()).map(|(_, url)| url.clone())
    }
}

impl Default for Collection {
    fn default() -> Self {
        Self {
            resume: false,
            regions: Vec::new(),
            role: None,
            pages: 20,
            deadline: None,
            stopper: Stopper::default(),
            credentials: SharedCredentialsProvider::new(Credentials::new(
                "AKIAFAKEFAKEFAKEFAKE",
                "fake",
                None,
                None,
                "test",
            )),
            endpoints: Endpoints::default(),
        }
    }
}

impl Collection {
    fn run(&self, url: &str, folder: &Path) -> Result<Collected, CollectError> {
        let pace = Pace { pages: self.pages, ..Pace::default() };
        self.work(url, Some(Folder::of_capture(folder)), pace, Run::collect)
    }

    /// What the credentials may do.
    fn doctor(&self, url: &str) -> Result<Vec<Permission>, CollectError> {
        let tried = self.work(url, None, Pace { first_page: true, ..Pace::default() }, Run::try_all)?;
        Ok(tried.into_iter().map(super::doctor::permission).collect())
    }

    fn work<T, F: Future<Output = Result<T, CollectError>>>(
        &self,
        url: &str,
        folder: Option<Folder>,
        pace: Pace,
        work: impl FnOnce(Arc<Run>) -> F,
    ) -> Result<T, CollectError> {
        let config = SdkConfig::builder()
            .endpoint_url(url)
            .region(Region::new("eu-west-1"))
            .credentials_provider(self.credentials.clone())
            .service_config(self.endpoints.clone())
            .build();
        let plan = Plan {
            folder,
            resume: self.resume,
            regions: self.regions.clone(),
            all_accounts: self.role.is_some(),
            role: self.role.clone(),
            fingerprinter: Fingerprinter::keyed("test"),
            before: None,
        }
        .resumed()?;
        let pace = Pace { first_wait: Duration::from_millis(1), ..pace };
        let stop = self.stopper.watch(self.deadline.map(|time| Instant::now() + time));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let done = runtime.block_on(async {
            let session = Session::of(config, session::connector(ProxyConfig::disabled())).unwrap();
            work(Arc::new(Run::new(Client::new(session, stop, pace), plan))).await
        });
        runtime.shutdown_background();
        done
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
fn reading(folder: &Path) -> Reading {
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
    reader.finish()
}

/// What a capture tells.
fn inventory(folder: &Path) -> Inventory {
    let mut inventory = reading(folder).inventory;
    inventory.sort();
    inventory
}

/// A decision about an identity of a capture.
fn decide(folder: &Path, identity: &Identity, operation: &str, resource: &str) -> Outcome {
    let request = Request {
        identity: String::new(),
        operation: operation.to_owned(),
        resource: Some(resource.to_owned()),
        context: Default::default(),
    };
    reading(folder).resolver.unwrap().decide(&identity.id, &request).unwrap().outcome
}
