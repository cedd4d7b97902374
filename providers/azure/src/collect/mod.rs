//! Live tenants, read into a capture: the only part of this crate that talks to a network.
//!
//! The table of calls is in `table`; all of them only read. Two of them are sent as questions in a body, a batch of reads of
//! Graph and the query of Resource Graph; no call returns a key. Answers are kept in the vendor's own shape, without what
//! nobody asks for, so that everything after the collection is the same for captures that were made by hand. What could not
//! be read is part of the capture too. Nothing here knows identities, access or rules.

mod certificate;
mod client;
mod cloud;
mod credentials;
mod doctor;
mod document;
mod page;
mod permissions;
mod progress;
mod run;
mod step;
mod table;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use cloud::Cloud;
pub use doctor::doctor;
pub use evenhand_collect::{CollectFailure, Failed, NoCapture, Permission, State, Stopped, Stopper, Tell, Terms};
pub use permissions::{calls_table, permissions};

use client::{Client, Pace};
use cloud::{Host, Interface};
use credentials::Credentials;
use run::{Plan, Run};

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Who {
    /// What the environment names: an application (`AZURE_TENANT_ID`, `AZURE_CLIENT_ID`) with a secret
    /// (`AZURE_CLIENT_SECRET`) or a certificate (`AZURE_CLIENT_CERTIFICATE_PATH`), a workload identity
    /// (`AZURE_FEDERATED_TOKEN_FILE`), or a managed identity (`IDENTITY_ENDPOINT`).
    #[default]
    Environment,
    /// A workload identity of Kubernetes.
    WorkloadIdentity,
    /// A managed identity; with the client id of one that is assigned by users.
    ManagedIdentity(Option<String>),
    /// Whoever is signed in to the Azure CLI, which is run as `az`.
    Cli,
    /// A service connection of Azure Pipelines, by its id.
    Pipelines(String),
}

/// What to collect, with whose credentials.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is the same for every provider; the capture is made below a folder `azure`.
    pub terms: Terms,
    /// The tenant; `None` = that of the credentials.
    pub tenant: Option<String>,
    /// Only these subscriptions, by their ids; none = all that are seen.
    pub subscriptions: Vec<String>,
    /// The cloud.
    pub cloud: Cloud,
    /// The address of Microsoft Graph; `None` = the cloud's own.
    pub graph_url: Option<String>,
    /// The address of Azure Resource Manager; `None` = the cloud's own.
    pub manager_url: Option<String>,
    /// Who asks.
    pub who: Who,
    /// Who is told how far it is.
    pub tell: Tell,
}

/// What was collected.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The tenant's id.
    pub tenant: String,
    /// Subscriptions that were asked about.
    pub subscriptions: usize,
    /// Management groups that were asked about.
    pub management_groups: usize,
    /// Answers that the capture holds.
    pub answered: usize,
    /// Documents that hold them.
    pub documents: usize,
    /// Whether service principals or users were read.
    pub identities: bool,
    /// Calls that brought no answer, sorted, one of a kind. Each is a gap when the capture is read.
    pub failed: Vec<Failed>,
    /// Why the collection ended early.
    pub stopped: Option<Stopped>,
    /// The bytes of answers that were held in memory at one time, at most.
    pub most_held: usize,
}

/// Why nothing was collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// For a reason that is not the vendor's.
    #[error(transparent)]
    NoCapture(#[from] NoCapture),
    /// Nobody asks.
    #[error("no credentials for Azure were found")]
    NoCredentials,
    /// Credentials that cannot be used.
    #[error("the credentials cannot be used: {0}")]
    BadCredentials(String),
    /// The credentials are not good for anything.
    #[error("Azure does not accept the credentials: `{0}`")]
    NotAccepted(String),
    /// Nothing says which tenant it is.
    #[error("nothing says which tenant it is")]
    NoTenant,
    /// Something that no tenant or subscription can be called.
    #[error("`{0}` is no id of a tenant or subscription")]
    NotAnId(String),
    /// The credentials are another tenant's.
    #[error("the tenant is `{before}`, and the credentials belong to `{now}`")]
    OtherTenant {
        /// The tenant that was named, or that the capture to go on with is of.
        before: String,
        /// The tenant of the credentials.
        now: String,
    },
    /// An address that cannot be one of Azure's.
    #[error("`{0}` is no address of Azure: {1}")]
    NotAnAddress(String, String),
}

impl CollectFailure for CollectError {
    fn remedy(&self) -> &'static str {
        match self {
            Self::NoCapture(none) => none.remedy(),
            Self::NoCredentials => {
                "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH, or say \
                 with --sign-in who asks"
            }
            Self::BadCredentials(_) => "check what they are made of, or say with --sign-in who asks",
            Self::NotAccepted(_) => "check that they are still valid, and that the cloud is the right one",
            Self::NoTenant => "name it with --tenant",
            Self::NotAnId(_) => "name it by its id, as `az account list` prints it",
            Self::OtherTenant { .. } => "sign in to that tenant, or name another folder",
            Self::NotAnAddress(..) => "name a host only, such as `https://graph.microsoft.us`",
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
    let credentials = Credentials::load(&options.who, options.tenant.as_deref(), options.cloud)?;
    run(options, plan, credentials, stopper, Pace::default(), Run::collect)
}

/// Makes a run and has it work until its end.
fn run<T, F: Future<Output = Result<T, CollectError>>>(
    options: &Options,
    plan: Plan,
    credentials: Credentials,
    stopper: &Stopper,
    pace: Pace,
    work: impl FnOnce(Arc<Run>) -> F,
) -> Result<T, CollectError> {
    let host =
        |url: &Option<String>, interface| Host::parse(url.as_deref().unwrap_or(options.cloud.address(interface)));
    let hosts = (host(&options.graph_url, Interface::Graph)?, host(&options.manager_url, Interface::Manager)?);
    evenhand_collect::work(stopper, options.terms.deadline, |stop| async move {
        let client = Client::new(options.cloud, hosts, credentials, stop, pace, options.tell.clone())?;
        work(Arc::new(Run::begin(client, plan).await?)).await
    })
}
