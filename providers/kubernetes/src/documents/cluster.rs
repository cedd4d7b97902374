//! Which cluster a document speaks of: objects do not say.

use std::sync::Arc;

use evenhand_model::document::{Document, Format};

/// Folders whose subfolders are named after clusters.
const PARENTS: &[&str] = &["kubernetes", "k8s", "clusters"];

/// The name of the cluster: the folder below one named `kubernetes`, `k8s` or `clusters`, else the source's own name. Of an
/// export, what lies below the source counts before what it lies in: a capture may be kept in any folder.
pub(crate) fn cluster_of(document: &Document) -> Arc<str> {
    let export = matches!(document.format, Format::Json | Format::Ndjson);
    let below = document.relative.split_once('/').map(|(first, _)| first);
    let inside = || named(&document.relative).or(below.filter(|_| PARENTS.contains(&&*document.source_name)));
    let folder = export.then(inside).flatten().or_else(|| named(&document.path)).filter(|folder| *folder != "..");
    Arc::from(folder.unwrap_or_else(|| stem(&document.source_name)))
}

/// The first folder of a path that lies in one of those whose subfolders are named after clusters.
fn named(path: &str) -> Option<&str> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    parts.windows(3).find_map(|window| match window {
        // Three components: the parent, the cluster's folder, and something inside it.
        [parent, cluster, _] if PARENTS.contains(parent) => Some(*cluster),
        _ => None,
    })
}

/// A file's name without its extensions; a name that begins with a dot keeps it.
fn stem(name: &str) -> &str {
    let known = ["gz", "zst", "json", "ndjson", "jsonl", "yaml", "yml"];
    let mut stem = name;
    while let Some((head, extension)) = stem.rsplit_once('.') {
        if head.is_empty() || !known.contains(&extension) {
            break;
        }
        stem = head;
    }
    if stem.is_empty() { "cluster" } else { stem }
}

#[cfg(test)]
mod tests {
    use evenhand_model::document::{FileFacts, Head};

    use super::*;

    #[test]
    fn the_folder_below_kubernetes_names_the_cluster_else_the_source() {
        for (path, source, expected) in [
            ("examples/acme/kubernetes/prod/rbac.yaml", "acme", "prod"),
            ("./clusters/eu-1/pods.json", "clusters", "eu-1"),
            ("repo/k8s/deploy.yaml", "repo", "repo"),
            ("k8s-dump.json", "k8s-dump.json", "k8s-dump"),
            ("prod.v2.json.gz", "prod.v2.json.gz", "prod.v2"),
        ] {
            let document = Document {
                path: path.into(),
                relative: path.into(),
                source_name: source.into(),
                format: Format::Json,
                text: String::new(),
                head: Head::default(),
                file: FileFacts::default(),
            };
            assert_eq!(&*cluster_of(&document), expected, "{path}");
        }
    }

    #[test]
    fn where_a_capture_is_kept_does_not_matter() {
        for (source, relative, format, expected) in [
            ("k8s", "kubernetes/prod/pods.json", Format::Json, "prod"),
            ("/srv/clusters/today", "kubernetes/prod/pods.json", Format::Json, "prod"),
            ("/srv/clusters/today/kubernetes", "prod/pods.json", Format::Json, "prod"),
            ("clusters/eu/kubernetes", "apps/x.yaml", Format::Yaml, "eu"),
            ("clusters/eu", "kubernetes/apps/x.yaml", Format::Yaml, "eu"),
            ("clusters/eu", "apps/x.json", Format::Json, "eu"),
        ] {
            let document = Document {
                path: format!("{source}/{relative}").into(),
                relative: relative.into(),
                source_name: source.rsplit('/').next().unwrap().into(),
                format,
                text: String::new(),
                head: Head::default(),
                file: FileFacts::default(),
            };
            assert_eq!(&*cluster_of(&document), expected, "{source} {relative}");
        }
    }
}
