//! What a large capture costs.

use evenhand_model::provider::{Provider, ReadOptions, Settings};
use evenhand_model::secret::Fingerprinter;

use super::document;
use crate::Kubernetes;

/// Not run by default: a measure, not a promise. `cargo test -p evenhand-kubernetes -- --ignored --nocapture speed`
#[test]
#[ignore = "a measurement"]
fn speed_of_a_large_capture() {
    use std::fmt::Write;
    for count in [10_000, 100_000] {
        let mut text = String::from("{\"apiVersion\":\"v1\",\"items\":[");
        for at in 0..count {
            let (namespace, role) = (at % (count / 100), ["view", "edit", "worker"][at % 3]);
            let comma = if at == 0 { "" } else { "," };
            write!(text, "{comma}{{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{{\"annotations\":{{\"evenhand.dev/owner\":\"team-{namespace}\"}},\"creationTimestamp\":\"2026-01-01T00:00:00Z\",\"labels\":{{\"app.kubernetes.io/name\":\"app-{at}\",\"app.kubernetes.io/part-of\":\"platform\"}},\"name\":\"app-{at}\",\"namespace\":\"ns-{namespace}\",\"resourceVersion\":\"{at}\",\"uid\":\"00000000-0000-0000-0000-{at:012}\"}}}}").unwrap();
            let kind = if role == "worker" { "Role" } else { "ClusterRole" };
            if at < count / 100 {
                write!(text, ",{{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"Role\",\"metadata\":{{\"name\":\"worker\",\"namespace\":\"ns-{namespace}\"}},\"rules\":[{{\"apiGroups\":[\"\"],\"resources\":[\"pods\",\"configmaps\"],\"verbs\":[\"get\",\"list\",\"watch\"]}},{{\"apiGroups\":[\"apps\"],\"resources\":[\"deployments\"],\"verbs\":[\"create\",\"get\"]}}]}}").unwrap();
            }
            write!(text, ",{{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"RoleBinding\",\"metadata\":{{\"creationTimestamp\":\"2026-01-01T00:00:00Z\",\"name\":\"app-{at}\",\"namespace\":\"ns-{namespace}\",\"resourceVersion\":\"{at}\",\"uid\":\"00000000-0000-0000-0000-{at:012}\"}},\"roleRef\":{{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"{kind}\",\"name\":\"{role}\"}},\"subjects\":[{{\"kind\":\"ServiceAccount\",\"name\":\"app-{at}\",\"namespace\":\"ns-{namespace}\"}}]}}").unwrap();
        }
        text.push_str("],\"kind\":\"List\"}");
        let start = std::time::Instant::now();
        #[derive(serde::Deserialize)]
        #[expect(dead_code, reason = "only parsed")]
        struct List<'a> {
            #[serde(borrow)]
            items: Vec<Item<'a>>,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[expect(dead_code, reason = "only parsed")]
        struct Item<'a> {
            kind: &'a str,
            metadata: std::collections::BTreeMap<&'a str, serde_json::Value>,
            role_ref: Option<crate::rbac::RoleRef>,
            subjects: Option<Vec<crate::rbac::Subject>>,
            rules: Option<Vec<crate::rbac::Rule>>,
        }
        let list: List<'_> = serde_json::from_str(&text).unwrap();
        let parse = start.elapsed();
        drop(list);
        let document = document("k8s/c/all.json", &text);
        let start = std::time::Instant::now();
        let mut reader = Kubernetes.reader(ReadOptions {
            now: "2026-11-01T00:00:00Z".parse().unwrap(),
            fingerprinter: Fingerprinter::keyed("test"),
            settings: Settings::new(),
        });
        reader.read(document).unwrap();
        let read = start.elapsed();
        let reading = reader.finish();
        let finish = start.elapsed() - read;
        let resolver = reading.resolver.unwrap();
        let start = std::time::Instant::now();
        let slices: usize = reading
            .inventory
            .identities
            .iter()
            .filter_map(|one| resolver.access(&one.id))
            .map(|access| access.slices().len())
            .sum();
        let access = start.elapsed();
        let start = std::time::Instant::now();
        let edges = resolver.edges().len();
        println!(
            "{count} accounts, {} MB: typed parse {parse:?}, read {read:?}, finish {finish:?}, access {access:?} ({slices} slices), edges {:?} ({edges})",
            text.len() / 1_000_000,
            start.elapsed()
        );
    }
}
