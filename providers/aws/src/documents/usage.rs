//! What an identity used: the vendor's report of last access, by service and, where the vendor tracks it, by action.

use std::sync::Arc;

use evenhand_model::document::ReadError;
use serde::Deserialize;

use super::form::Main;
use super::sheet::Sheet;
use super::values::{List, Name, Text, When};
use crate::inventory::facts::Facts;
use crate::world::ServiceUse;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service<'a> {
    #[serde(borrow)]
    service_namespace: Name<'a>,
    last_authenticated: Option<When>,
    #[serde(borrow, default)]
    tracked_actions_last_accessed: List<Action<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Action<'a> {
    #[serde(borrow)]
    action_name: Name<'a>,
    last_accessed_time: Option<When>,
}

/// Reads the answer of `iam get-service-last-accessed-details`. Whose report it is stands in the wrapper: the parameter
/// `Arn` of the call that ordered it.
pub(super) fn read(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(arn) = sheet.parameter("Arn").map(|arn| facts.texts.share(arn)) else {
        errors.push(sheet.error(
            "",
            "does not say whose report it is: the parameter `Arn` is missing",
            "wrap it: {\"call\": \"iam get-service-last-accessed-details\", \"parameters\": {\"Arn\": …}, \"response\": …}",
        ));
        return;
    };
    // A report that failed or is cut says nothing about what is not in it.
    let before = errors.len();
    let status = sheet.member::<Text<'_>>("JobStatus", errors);
    if status.is_none() && errors.len() == before {
        errors.push(sheet.error(
            "",
            "has no `JobStatus`, so that nothing tells whether it is whole",
            "export it again",
        ));
    }
    let cut = sheet.member::<bool>("IsTruncated", errors) == Some(true);
    // One that is not ready has no list yet.
    let completed = status.is_some_and(|status| &*status == "COMPLETED");
    if completed && !sheet.has(Main::List("ServicesLastAccessed"), errors) {
        return;
    }
    let services = sheet.list::<Service<'_>>("ServicesLastAccessed", errors);
    for (pointer, service) in &services {
        sheet.moment(format_args!("{pointer}/LastAuthenticated"), service.last_authenticated, errors);
        for (index, action) in service.tracked_actions_last_accessed.0.iter().enumerate() {
            sheet.moment(
                format_args!("{pointer}/TrackedActionsLastAccessed/{index}/LastAccessedTime"),
                action.last_accessed_time,
                errors,
            );
        }
    }
    // Nor does one of which a part was not understood: what is not in it would count as never used.
    if cut || errors.len() > before || !completed {
        return;
    }
    let time = |when: Option<When>| when.and_then(When::time);
    let uses = services
        .into_iter()
        .map(|(_, service)| ServiceUse {
            service: facts.texts.share(&service.service_namespace),
            last: time(service.last_authenticated),
            actions: service
                .tracked_actions_last_accessed
                .0
                .into_iter()
                .map(|action| (facts.texts.share(&action.action_name), time(action.last_accessed_time)))
                .collect::<Vec<(Arc<str>, _)>>(),
        })
        .collect();
    facts.usage.insert(arn, uses);
}
