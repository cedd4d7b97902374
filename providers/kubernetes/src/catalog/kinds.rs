//! The resources that every API server has.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::draft::{ResourceKey, Verbs};

/// The version of Kubernetes whose resources are embedded.
pub(crate) const VERSION: &str = "1.36";
/// The date of that data.
pub(super) const DATE: &str = "2026-08-21";

const TABLE: &str = include_str!("../../data/builtin-kinds.txt");

/// The verbs of a stored resource, in the order of numbering: reading first.
pub(super) const STANDARD_VERBS: &[&str] =
    &["get", "list", "watch", "create", "patch", "update", "delete", "deletecollection"];
/// The verbs of a subresource that is part of an object's state.
pub(super) const STATE_VERBS: &[&str] = &["get", "patch", "update"];
const PROXY_VERBS: &[&str] = &["get", "create", "patch", "update", "delete"];

/// URLs that an API server serves outside its resources.
pub(super) const URLS: &[&str] = &[
    "/.well-known/openid-configuration",
    "/api",
    "/apis",
    "/healthz",
    "/livez",
    "/logs",
    "/metrics",
    "/openapi",
    "/openid/v1/jwks",
    "/readyz",
    "/version",
];

/// The place of a verb among those of one resource.
pub(super) fn verb_rank(verb: &str) -> usize {
    STANDARD_VERBS.iter().position(|held| *held == verb).unwrap_or(STANDARD_VERBS.len())
}

fn verbs(text: &str) -> Verbs {
    let mut all = Verbs::new();
    for word in text.split(',') {
        let one;
        let words = match word {
            "all" => STANDARD_VERBS,
            "state" => STATE_VERBS,
            "proxy" => PROXY_VERBS,
            word => {
                one = [word];
                &one[..]
            }
        };
        all.extend(words.iter().map(|verb| (verb_rank(verb), Arc::from(*verb))));
    }
    all
}

/// The table: for each resource whether it is namespaced, and its verbs.
pub(super) fn builtin() -> BTreeMap<ResourceKey, (bool, Verbs)> {
    let mut draft = BTreeMap::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let (Some(group), Some(scope), Some(resource), Some(main)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let group: Arc<str> = Arc::from(if group == "-" { "" } else { group });
        let resource: Arc<str> = Arc::from(resource);
        let namespaced = scope == "n";
        draft.insert((Arc::clone(&group), Arc::clone(&resource), Arc::from("")), (namespaced, verbs(main)));
        for (sub, held) in words.filter_map(|word| word.split_once(':')) {
            let key = (Arc::clone(&group), Arc::clone(&resource), Arc::from(sub));
            draft.insert(key, (namespaced, verbs(held)));
        }
    }
    draft
}
