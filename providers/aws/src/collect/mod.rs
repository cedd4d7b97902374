//! Live accounts, read into a capture: the only part of this crate that talks to a network.
//!
//! A table names every call; all of them only read. Answers are kept in the vendor's own shape, so that everything after
//! the collection is the same for captures that were made by hand. What could not be read is part of the capture too.
//! Nothing here knows identities, policies or rules.

mod client;
mod doctor;
mod expand;
mod folder;
mod permissions;
mod progress;
mod run;
mod session;
mod table;
mod wire;
mod withhold;
mod xml;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use doctor::doctor;
pub use evenhand_collect::{CollectFailure, Failed, NoCapture, Permission, State, Stopped, Stopper, Terms};
pub use permissions::{calls_table, other_accounts, policy};

use client::{Client, Pace};
use folder::Folder;
use run::{Plan, Run};
use session::Session;

/// What to collect, with whose credentials.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is the same for every provider; the capture is made below a folder `aws`.
    pub terms: Terms,
    /// The profile of the vendor's configuration; `None` = the vendor's own choice.
    pub profile: Option<String>,
    /// The regions to look into; none = all that are on in an account.
    pub regions: Vec<String>,
    /// The name of the role to assume in other accounts.
    pub role: Option<String>,
    /// Whether to collect all accounts of the organisation.
    pub all_accounts: bool,
}

/// What was collected.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The accounts, sorted.
    pub accounts: Vec<String>,
    /// Accounts of an earlier collection that are none of the organisation's any more, sorted. The capture holds nothing
    /// of them now.
    pub left: Vec<String>,
    /// Answers that the capture holds.
    pub answered: usize,
    /// Documents that hold them.
    pub documents: usize,
    /// Whether the identities of at least one account were read.
    pub identities: bool,
    /// Calls that brought no answer, sorted. Each is a gap when the capture is read.
    pub failed: Vec<Failed>,
    /// Why the collection ended early.
    pub stopped: Option<Stopped>,
}

/// Why nothing was collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// For a reason that is not the vendor's.
    #[error(transparent)]
    NoCapture(#[from] NoCapture),
    /// The vendor's chain of credentials ends with none.
    #[error("no credentials for AWS were found: {0}")]
    NoCredentials(String),
    /// The credentials are not good for anything.
    #[error("AWS did not say whose the credentials are: `{0}`")]
    NotAccepted(String),
    /// The credentials belong to another part of the vendor's cloud than the region.
    #[error("the credentials belong to another partition of AWS than the region")]
    NoRegion,
    /// The accounts of the organisation are unknown.
    #[error("the accounts of the organisation could not be listed")]
    NoAccounts,
    /// The capture to go on with was begun with other credentials.
    #[error("the capture was begun from account `{before}`, and these credentials are of `{now}`")]
    OtherAccount {
        /// The account that the capture says.
        before: String,
        /// The account of the credentials.
        now: String,
    },
    /// A name that no region can have.
    #[error("`{0}` is no name of a region")]
    NotARegion(String),
}

impl CollectFailure for CollectError {
    fn remedy(&self) -> &'static str {
        match self {
            Self::NoCapture(none) => none.remedy(),
            Self::NoCredentials(_) => "sign in, set AWS_PROFILE, or name a profile with --profile",
            Self::NotAccepted(_) => "check that they are still valid, and that the network is there",
            Self::NoRegion => "name one of the partition's regions with --region",
            Self::NoAccounts => {
                "use credentials of the management account or of a delegated administrator, or leave out --all-accounts"
            }
            Self::OtherAccount { .. } => {
                "use credentials of the account that it was begun from, or name another folder"
            }
            Self::NotARegion(_) => "name one such as `eu-west-1`",
        }
    }
}

/// Collects a capture.
///
/// # Errors
/// When nothing could be asked, or nothing could be written. A call that fails is no error; see [`Collected::failed`].
pub fn collect(options: &Options, stopper: &Stopper) -> Result<Collected, CollectError> {
    let folder = Folder::of_capture(&options.terms.folder);
    if !options.terms.resume && folder.is_used() {
        return Err(NoCapture::Used(options.terms.folder.display().to_string()).into());
    }
    run(options, Some(folder), stopper, Pace::default(), Run::collect)
}

/// Makes a run and has it work until its end.
fn run<T, F: Future<Output = Result<T, CollectError>>>(
    options: &Options,
    folder: Option<Folder>,
    stopper: &Stopper,
    pace: Pace,
    work: impl FnOnce(Arc<Run>) -> F,
) -> Result<T, CollectError> {
    let plan = Plan {
        folder,
        resume: options.terms.resume,
        regions: options.regions.clone(),
        role: options.role.clone(),
        all_accounts: options.all_accounts,
        fingerprinter: options.terms.fingerprinter.clone(),
        before: None,
    }
    .resumed()?;
    evenhand_collect::work(stopper, options.terms.deadline, |stop| async move {
        // Credentials may come from hosts that do not answer.
        let load = Session::load(options.profile.as_deref(), plan.regions.first().map(String::as_str));
        let session = stop.or(load).await.ok_or(NoCapture::Stopped)??;
        let client = Client::new(session, stop, pace);
        work(Arc::new(Run::new(client, plan))).await
    })
}
