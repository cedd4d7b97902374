//! Which calls the present credentials may make: each is tried once, for one object at most, and nothing is kept.

use std::sync::Arc;

use evenhand_collect::{NoAnswer, NoCapture, Permission, State, Stopper, Trouble};
use evenhand_model::refusal::Why;
use serde::Deserialize;

use super::client::{Pace, Reply};
use super::discovery::{self, Serves, Told};
use super::item::{Item, JSON};
use super::kinds::{self, Ask, Kind};
use super::run::{Cluster, Run, is_version, not_found, not_understood, path_call};
use super::{CollectError, Options, run};
use crate::server::manifest::Call;

/// Tries every call with the credentials at hand; returns them with what is worth knowing of the ways to the clusters.
///
/// # Errors
/// When nothing can be asked at all.
pub fn doctor(options: &Options, stopper: &Stopper) -> Result<(Vec<Permission>, Vec<String>), CollectError> {
    let (tried, notes) = run(options, stopper, Pace::default(), Run::try_all)?;
    Ok((tried.into_iter().map(permission).collect(), notes))
}

/// What a trial says.
pub(super) fn permission(trial: Trial) -> Permission {
    let state = match trial.outcome {
        Outcome::Answered => State::Allowed,
        Outcome::Absent => State::Absent,
        Outcome::Unknown => State::NotTried,
        Outcome::Refused(trouble) => State::of(trouble),
    };
    Permission { place: trial.cluster, call: trial.call.call, needs: None, facts: trial.call.facts, state }
}

impl Run {
    /// Tries every call once, in its cheapest form.
    pub(crate) async fn try_all(self: Arc<Self>) -> Result<(Vec<Trial>, Vec<String>), CollectError> {
        let mut tried = Vec::new();
        for cluster in &self.clusters {
            Self::try_cluster(cluster, &mut tried).await;
            // What was not tried must not look like what may be done.
            if self.stop.now().is_some() {
                return Err(NoCapture::Stopped.into());
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
            let (version, core) = (said.path == kinds::VERSION.path, said.path == kinds::CORE.path);
            let mut told = Told::All;
            let accept = if version { JSON } else { discovery::ACCEPT };
            let outcome = match Outcome::of(cluster.client.get(said.path, accept).await, |bytes| match version {
                true => is_version(bytes),
                false => {
                    told = serves.take(core, bytes);
                    told != Told::Nothing
                }
            }) {
                Outcome::Absent => Outcome::Refused(not_understood().into()),
                outcome => outcome,
            };
            let outcome = match &told {
                Told::Stale(groups) => Outcome::Refused(Trouble::new("Stale", Why::Failed, Some(groups.join(", ")))),
                _ => outcome,
            };
            let over = matches!(&outcome, Outcome::Refused(trouble) if trouble.refusal.why != Why::Refused);
            push(said.call(), outcome);
            if over && version {
                return;
            }
            if let Told::Paths(paths) = told {
                let mut whole = true;
                for path in paths {
                    let reply = cluster.client.get(&path, JSON).await;
                    match Outcome::of(reply, |bytes| serves.take_list(bytes)) {
                        Outcome::Answered => continue,
                        Outcome::Absent => push(path_call(&path, said.facts), Outcome::Refused(not_found().into())),
                        outcome => push(path_call(&path, said.facts), outcome),
                    }
                    whole = false;
                }
                if whole {
                    serves.told_all(core);
                }
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
                let reply = cluster.client.get(&address, item.accept()).await;
                let outcome = match Outcome::of(reply, |bytes| is_of(kind, bytes)) {
                    Outcome::Absent if !kind.may_be_absent() => Outcome::Refused(not_found().into()),
                    outcome => outcome,
                };
                let over = matches!(&outcome, Outcome::Refused(trouble) if trouble.refusal.why == Why::Expired);
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
    Refused(Trouble),
}

impl Outcome {
    /// What a reply means, where an answer may be understood or not.
    fn of(reply: Result<Reply, NoAnswer>, understood: impl FnOnce(&[u8]) -> bool) -> Self {
        match reply {
            Ok(Reply::Answer(page)) if understood(&page.bytes) => Self::Answered,
            Ok(Reply::Answer(_) | Reply::Gone(_)) => Self::Refused(not_understood().into()),
            Ok(Reply::Absent) => Self::Absent,
            Err(NoAnswer::Refused(trouble)) => Self::Refused(trouble),
            Err(NoAnswer::Stopped) => Self::Unknown,
        }
    }
}

/// Whether an answer is of a kind, as a collection would take it: what signs people in answers too, and with success.
fn is_of(kind: &Kind, bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Kinded {
        kind: String,
    }
    let Ok(Kinded { kind: said }) = serde_json::from_slice(bytes) else { return false };
    match kind.ask {
        Ask::Object { .. } => said == kind.kind,
        Ask::Objects | Ask::Metadata { .. } => said.strip_suffix("List").is_some_and(|of| {
            let metadata = matches!(kind.ask, Ask::Metadata { .. }) && of == "PartialObjectMetadata";
            !of.is_empty() && (kind.kind.is_empty() || of == kind.kind || metadata)
        }),
    }
}

/// A call that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    pub(crate) cluster: String,
    pub(crate) call: Call,
    pub(crate) outcome: Outcome,
}
