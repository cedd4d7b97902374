//! Which calls the present credentials may make: each is tried once, for one object at most, and nothing is kept.

use std::sync::Arc;

use evenhand_collect::Stopper;
use evenhand_model::refusal::{NoAnswer, Refusal, Why};

use super::client::{Client, Pace, Reply};
use super::discovery::{self, Serves, Told};
use super::item::{Item, JSON};
use super::kinds::{self, Ask};
use super::run::{Cluster, Run, not_found};
use super::{CollectError, Options, run};
use crate::server::manifest::Call;

/// What became of a call.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// It was answered.
    Allowed,
    /// The server has no such resource or object.
    Absent,
    /// The server did not say which resources there are.
    NotTried,
    /// It was refused, with the server's code.
    Refused(String),
    /// It failed for another reason, with the code and the cause.
    Failed(String),
}

/// A call, and whether it may be made.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Permission {
    /// The cluster.
    pub cluster: String,
    /// Verb and resource as roles name them.
    pub call: String,
    /// What is unknown without it.
    pub facts: String,
    /// What became of it.
    pub state: State,
}

/// Tries every call with the credentials at hand; returns them with what is worth knowing of the ways to the clusters.
///
/// # Errors
/// When nothing can be asked at all.
pub fn doctor(options: &Options, stopper: &Stopper) -> Result<(Vec<Permission>, Vec<String>), CollectError> {
    let (tried, notes) = run(options, stopper, Pace::default(), Run::try_all)?;
    Ok((tried.into_iter().map(Permission::of).collect(), notes))
}

impl Permission {
    /// What a trial says.
    pub(super) fn of(trial: Trial) -> Self {
        let state = match trial.outcome {
            Outcome::Answered => State::Allowed,
            Outcome::Absent => State::Absent,
            Outcome::Unknown => State::NotTried,
            Outcome::Refused(refusal, _) if refusal.why == Why::Refused => State::Refused(refusal.code),
            Outcome::Refused(refusal, None) => State::Failed(refusal.code),
            Outcome::Refused(refusal, Some(detail)) => State::Failed(format!("{}: {detail}", refusal.code)),
        };
        Self { cluster: trial.cluster, call: trial.call.call, facts: trial.call.facts, state }
    }
}

impl Run {
    /// Tries every call once, in its cheapest form.
    pub(crate) async fn try_all(self: Arc<Self>) -> Result<(Vec<Trial>, Vec<String>), CollectError> {
        let mut tried = Vec::new();
        for cluster in &self.clusters {
            Self::try_cluster(cluster, &mut tried).await;
            // What was not tried must not look like what may be done.
            if self.stop.now().is_some() {
                return Err(CollectError::Stopped);
            }
        }
        Ok((tried, self.notes.clone()))
    }

    async fn try_cluster(cluster: &Cluster, tried: &mut Vec<Trial>) {
        let mut serves = Serves::default();
        let mut push = |call: Call, outcome: Outcome| {
            tried.push(Trial { cluster: cluster.name.clone(), call, outcome });
        };
        for said in [&kinds::VERSION, &kinds::CORE, &kinds::GROUPS] {
            let reply = cluster.client.get(said.path, discovery::ACCEPT).await;
            if let (Ok(Reply::Answer(page)), true) = (&reply, said.path != kinds::VERSION.path)
                && let Told::Paths(paths) = serves.take(said.path == kinds::CORE.path, &page.bytes)
            {
                for path in paths {
                    if let Ok(Reply::Answer(page)) = cluster.client.get(&path, JSON).await {
                        serves.take_list(&page.bytes);
                    }
                }
                serves.told_all(said.path == kinds::CORE.path);
            }
            let outcome = Outcome::of(reply, &cluster.client);
            let over = matches!(&outcome, Outcome::Refused(refusal, _) if refusal.why != Why::Refused);
            push(said.call(), outcome);
            if over && said.path == kinds::VERSION.path {
                return;
            }
        }
        for kind in kinds::kinds(cluster.plan.secrets) {
            let all = serves.of(kind);
            if all.as_ref().is_none_or(Vec::is_empty) {
                push(kind.call(), if all.is_some() { Outcome::Absent } else { Outcome::Unknown });
            }
            for (resource, version) in all.into_iter().flatten() {
                let item = Item { kind, resource, version };
                let address = match kind.ask {
                    Ask::Object { .. } => item.path(),
                    Ask::Objects | Ask::Metadata { .. } => item.page(1, None),
                };
                let outcome = match Outcome::of(cluster.client.get(&address, item.accept()).await, &cluster.client) {
                    Outcome::Absent if !kind.may_be_absent() => Outcome::Refused(not_found(), None),
                    outcome => outcome,
                };
                let over = matches!(&outcome, Outcome::Refused(refusal, _) if refusal.why == Why::Expired);
                push(item.call(), outcome);
                if over {
                    return;
                }
            }
        }
    }
}

/// What became of a call that was tried.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Answered,
    /// The server has no such resource, or no such object.
    Absent,
    /// The server did not say which resources there are.
    Unknown,
    Refused(Refusal, Option<String>),
}

impl Outcome {
    fn of(reply: Result<Reply, NoAnswer>, client: &Client) -> Self {
        match reply {
            Ok(Reply::Answer(_) | Reply::Gone(_)) => Self::Answered,
            Ok(Reply::Absent) => Self::Absent,
            Err(NoAnswer::Refused(refusal)) => Self::Refused(refusal, client.detail()),
            Err(NoAnswer::Stopped) => Self::Unknown,
        }
    }
}

/// A call that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    pub(crate) cluster: String,
    pub(crate) call: Call,
    pub(crate) outcome: Outcome,
}
