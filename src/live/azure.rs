//! Collections from Azure.

use std::sync::Arc;

use evenhand_azure::collect::{Cloud, Collected, Options, Tell, Terms, Who};
use evenhand_reports::text::counted;

use crate::cli::{AzureCloud, Live, LiveProvider, SignIn};
use crate::cmd::Failure;
use crate::console::Console;
use crate::progress::Stage;

/// The options of a collection, which says in a stage how far it is.
pub(crate) fn options(live: &Live, terms: Terms, stage: &Stage<'_>) -> Result<Options, Failure> {
    let say = stage.sayer();
    let unused = |who: &str| {
        let message = format!("`--sign-in {who}` takes no `--sign-in-id`");
        Failure::new(message, "leave it out: the id is part of what signs in")
    };
    let who = match (live.sign_in, live.sign_in_id.clone()) {
        (None, _) => Who::Environment,
        (Some(SignIn::Cli), None) => Who::Cli,
        (Some(SignIn::Cli), Some(_)) => return Err(unused("cli")),
        (Some(SignIn::WorkloadIdentity), None) => Who::WorkloadIdentity,
        (Some(SignIn::WorkloadIdentity), Some(_)) => return Err(unused("workload-identity")),
        (Some(SignIn::ManagedIdentity), client) => Who::ManagedIdentity(client),
        (Some(SignIn::Pipelines), Some(connection)) => Who::Pipelines(connection),
        (Some(SignIn::Pipelines), None) => {
            return Err(Failure::new("which service connection signs in is not said", "name its id with --sign-in-id"));
        }
    };
    let cloud = match live.cloud {
        None | Some(AzureCloud::Public) => Cloud::Public,
        Some(AzureCloud::UsGovernment) => Cloud::UsGovernment,
        Some(AzureCloud::UsDefense) => Cloud::UsDefense,
        Some(AzureCloud::China) => Cloud::China,
    };
    Ok(Options {
        terms,
        tenant: live.tenant.clone(),
        subscriptions: live.subscriptions.clone(),
        cloud,
        graph_url: live.graph_url.clone(),
        manager_url: live.arm_url.clone(),
        who,
        tell: Tell(Arc::new(say)),
    })
}

/// Says on stderr what could not be had.
pub(super) fn tell(collected: &Collected, console: Console) -> super::Collected {
    super::tell_failed(&collected.failed, LiveProvider::Azure, ("tenant", "tenants"), console);
    let subscriptions = counted(collected.subscriptions, "subscription", "subscriptions");
    let groups = counted(collected.management_groups, "management group", "management groups");
    let documents = counted(collected.documents, "document", "documents");
    let (gone, failed): (Vec<_>, Vec<_>) = collected.failed.iter().partition(|failed| failed.call.is_none());
    console.note(&format!(
        "collected {} in {documents} from the tenant {} with {subscriptions} and {groups}, {} not answered",
        counted(collected.answered, "answer", "answers"),
        collected.tenant,
        counted(failed.len(), "kind of call", "kinds of calls")
    ));
    console
        .detail(&format!("at most {} of answers were held at one time", counted(collected.most_held, "byte", "bytes")));
    let whole = collected.stopped.is_none() && gone.is_empty();
    super::Collected { identities: collected.identities, stopped: collected.stopped, whole, unasked: false }
}
