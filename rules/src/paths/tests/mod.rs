//! Paths over small graphs.

mod bounds;
mod escalation;
mod unread;
mod ways;

use evenhand_model::access::EdgeTarget;

use crate::parity::toy::Town;
use crate::paths::{PathsResult, find_all};

fn found(town: Town) -> PathsResult {
    let (inventory, judged, resolvers, _) = town.built();
    find_all(&inventory, &judged, &resolvers)
}

fn to(id: &str) -> EdgeTarget {
    EdgeTarget::Identity(id.into())
}

fn techniques(result: &PathsResult, identity: &str) -> Vec<(String, String)> {
    result
        .paths_of(&identity.into())
        .iter()
        .map(|path| {
            let hops: Vec<String> = result.hops(path).map(|hop| hop.technique.to_string()).collect();
            let target = match &path.target {
                EdgeTarget::Identity(id) => id.to_string(),
                EdgeTarget::Admin(scope) => format!("admin of {scope}"),
            };
            (target, hops.join(" > "))
        })
        .collect()
}
