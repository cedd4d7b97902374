//! Live organisations, read into a capture: the only part of this crate that talks to a network.
//!
//! The table of calls is [`crate::documents::calls::CALLS`]; all of them only read. How each is made, and which answers lead
//! to further calls, is said beside it in `table`. Answers are kept in the vendor's own shape, so that everything after the
//! collection is the same for captures that were made by hand. What could not be read is part of the capture too. Nothing
//! here knows identities, access or rules.

mod asking;
mod budget;
mod client;
mod credentials;
mod doctor;
mod document;
mod host;
mod page;
mod permissions;
mod plan;
mod progress;
mod repositories;
mod run;
mod table;
mod withhold;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

pub use doctor::doctor;
pub use evenhand_collect::{CollectFailure, Failed, NoCapture, Permission, State, Stopped, Stopper, Tell, Terms};
pub use permissions::{calls_table, permissions};

use client::{Client, Pace};
use credentials::Credentials;
use host::Host;
use plan::Plan;
use run::Run;

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Who {
    /// Whoever the token in `GITHUB_TOKEN` or `GH_TOKEN` belongs to.
    #[default]
    Environment,
    /// Whoever the token in a file belongs to.
    TokenFile(PathBuf),
    /// A GitHub App as it is installed in an organisation.
    App {
        /// The app's number, or its client id.
        id: String,
        /// The file with its private key.
        key: PathBuf,
        /// The installation; `None` = the organisation's own.
        installation: Option<u64>,
    },
}

/// What to collect, with whose credentials.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is the same for every provider; the capture is made below a folder `github`.
    pub terms: Terms,
    /// The organisations, by their names in addresses.
    pub organisations: Vec<String>,
    /// Only these repositories, as `name` or `owner/name`; none = all.
    pub repositories: Vec<String>,
    /// The enterprise that the organisations belong to, for what only it tells.
    pub enterprise: Option<String>,
    /// The address of the API; `None` = `GITHUB_API_URL`, else GitHub's own.
    pub api_url: Option<String>,
    /// Who asks.
    pub who: Who,
    /// Who is told how far it is.
    pub tell: Tell,
}

/// What was collected.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The address of the API that was asked.
    pub address: String,
    /// The organisations, sorted.
    pub organisations: Vec<String>,
    /// Repositories that the capture holds.
    pub repositories: usize,
    /// Answers that the capture holds.
    pub answered: usize,
    /// Documents that hold them.
    pub documents: usize,
    /// Whether the people or the apps of at least one organisation were read.
    pub identities: bool,
    /// Calls that brought no answer, sorted. Each is a gap when the capture is read.
    pub failed: Vec<Failed>,
    /// Why the collection ended early.
    pub stopped: Option<Stopped>,
    /// The bytes of answers that were held in memory at one time, at most.
    pub most_held: usize,
    /// Requests that were made, and of these the ones that cost nothing of the budget.
    pub requests: (u64, u64),
}

/// Why nothing was collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// For a reason that is not the vendor's.
    #[error(transparent)]
    NoCapture(#[from] NoCapture),
    /// Nobody asks.
    #[error("no token for GitHub was found")]
    NoCredentials,
    /// A file of credentials that is not there, or holds none.
    #[error("`{0}` holds no credentials: {1}")]
    BadCredentials(String, String),
    /// The credentials are not good for anything.
    #[error("GitHub does not accept the credentials: `{0}`")]
    NotAccepted(String),
    /// Nobody is there.
    #[error("`{0}` does not answer: {1}")]
    NoHost(String, String),
    /// The app is not installed where it should ask.
    #[error("the app is not installed in `{0}`: {1}")]
    NotInstalled(String, String),
    /// Nothing to ask about.
    #[error("no organisation is named")]
    NoOrganisation,
    /// A name that no organisation or repository can have.
    #[error("`{0}` is no name of an organisation or repository")]
    NotAName(String),
    /// A repository of an organisation that is not asked about.
    #[error("`{0}` belongs to none of the organisations that are named")]
    Elsewhere(String),
    /// An address that cannot be one of the API.
    #[error("`{0}` is no address of GitHub's API: {1}")]
    NotAnAddress(String, String),
    /// The capture to go on with is of another host.
    #[error("the capture was begun from `{before}`, and the address leads to `{now}`")]
    OtherHost {
        /// The host that the capture says.
        before: String,
        /// The host of the address.
        now: String,
    },
}

impl CollectFailure for CollectError {
    fn remedy(&self) -> &'static str {
        match self {
            Self::NoCapture(none) => none.remedy(),
            Self::NoCredentials => {
                "set GITHUB_TOKEN, or name a file with --token-file or an app with --app-id and --app-key"
            }
            Self::BadCredentials(..) => {
                "name a file with a token, or with the private key that GitHub gave for the app"
            }
            Self::NotAccepted(_) => "check that they are still valid, and that the address is the right one",
            Self::NoHost(..) => {
                "check the address and the network, and the proxy where HTTPS_PROXY names one; what was collected is kept for --resume"
            }
            Self::NotInstalled(..) => "install it there, or name the installation with --installation",
            Self::NoOrganisation => "name it with --org",
            Self::NotAName(_) => "name it as it stands in addresses, such as `acme` or `acme/shop`",
            Self::Elsewhere(_) => "name its owner with --org as well",
            Self::NotAnAddress(..) => "name one such as `https://git.example.com/api/v3`",
            Self::OtherHost { .. } => "use the address that it was begun with, or name another folder",
        }
    }
}

/// Collects a capture.
///
/// # Errors
/// When nothing could be asked, or nothing could be written. A call that fails is no error; see [`Collected::failed`].
pub fn collect(options: &Options, stopper: &Stopper) -> Result<Collected, CollectError> {
    let plan = Plan::new(options)?;
    if !options.terms.resume && plan.folder.is_used() {
        return Err(NoCapture::Used(options.terms.folder.display().to_string()).into());
    }
    run(options, plan, stopper, Pace::default(), Run::collect)
}

/// Makes a run and has it work until its end.
fn run<T, F: Future<Output = Result<T, CollectError>>>(
    options: &Options,
    plan: Plan,
    stopper: &Stopper,
    pace: Pace,
    work: impl FnOnce(Arc<Run>) -> F,
) -> Result<T, CollectError> {
    let host = Host::of(options.api_url.as_deref())?;
    let credentials = Credentials::load(&options.who)?;
    evenhand_collect::work(stopper, options.terms.deadline, |stop| async move {
        let client = Client::new(host, credentials, stop, pace, options.tell.clone())?;
        work(Arc::new(Run::new(client, plan)?)).await
    })
}
