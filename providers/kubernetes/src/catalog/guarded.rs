//! Which operations an admission rule looks at.

use evenhand_model::opset::OpSet;

use super::{Entry, Operations};
use crate::capture::Matched;

/// Verbs that reach a subresource as a connection.
const CONNECTING: &[&str] = &["create", "get"];
/// Subresources that are connected to.
const CONNECTED: &[&str] = &["exec", "attach", "portforward", "proxy"];

impl Operations {
    /// The operations whose requests an admission rule is asked about. Reading is never asked about.
    pub(crate) fn matched_by(&self, matched: &Matched) -> OpSet {
        let entries = self.entries.iter().filter(|entry| {
            matched.groups.iter().any(|group| &**group == "*" || *group == entry.group)
                && matched.resources.iter().any(|text| is_meant(entry, text, matched.are_kinds))
        });
        OpSet::from_ranges(entries.flat_map(|entry| {
            let connected = CONNECTED.contains(&&*entry.sub);
            entry
                .numbered()
                .filter(move |(verb, _)| {
                    if connected {
                        CONNECTING.contains(verb) && matched.verbs.contains(&"connect")
                    } else {
                        matched.verbs.contains(verb)
                    }
                })
                .map(|(_, at)| (at, at + 1))
        }))
    }
}

/// Whether an admission rule that names this means a resource. A star alone means resources without their subresources.
fn is_meant(entry: &Entry, text: &str, is_kind: bool) -> bool {
    let (resource, sub) = text.split_once('/').unwrap_or((text, ""));
    let same =
        resource == "*" || if is_kind { is_kind_of(&entry.resource, resource) } else { *entry.resource == *resource };
    let same_sub = match sub {
        "*" => resource == "*" || !entry.sub.is_empty(),
        sub => *entry.sub == *sub,
    };
    same && same_sub
}

/// Whether a resource is the plural of a kind, as the API's own kinds form it.
fn is_kind_of(resource: &str, kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    let plural = if let Some(stem) = kind.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        format!("{stem}ies")
    } else if kind.ends_with(['s', 'x']) || kind.ends_with("ch") {
        format!("{kind}es")
    } else {
        format!("{kind}s")
    };
    resource == plural || resource == kind
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn operations() -> Operations {
        Operations::new(&[], &Default::default(), std::iter::empty())
    }

    #[test]
    fn admission_rules_mean_what_admission_reads_in_them() {
        let operations = operations();
        for (group, resource, is_kind, verbs, wanted, spared) in [
            ("", "pods", false, &["create"][..], "create pods", "create pods/exec"),
            ("", "pods/*", false, &["create", "connect"], "create pods/exec", "create pods"),
            ("*", "*", false, &["delete"], "delete deployments.apps", "delete pods/exec"),
            ("apps", "Deployment", true, &["update", "patch"], "patch deployments.apps", "patch daemonsets.apps"),
            (
                "networking.k8s.io",
                "NetworkPolicy",
                true,
                &["create"],
                "create networkpolicies.networking.k8s.io",
                "create ingresses.networking.k8s.io",
            ),
        ] {
            let matched = Matched {
                groups: vec![Arc::from(group)],
                resources: vec![Arc::from(resource)],
                are_kinds: is_kind,
                verbs: verbs.to_vec(),
            };
            use evenhand_model::catalog::Catalog as _;
            let set = operations.matched_by(&matched);
            let names: Vec<Arc<str>> = set.iter().map(|one| operations.name(one)).collect();
            assert!(names.iter().any(|name| **name == *wanted), "{resource}: {names:?}");
            assert!(!names.iter().any(|name| **name == *spared), "{resource}: {names:?}");
            assert!(!names.iter().any(|name| name.starts_with("list ")), "{resource}");
        }
    }
}
