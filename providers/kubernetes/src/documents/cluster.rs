//! Which cluster a document speaks of: objects do not say.

use std::sync::Arc;

use evenhand_model::document::Document;

/// Folders whose subfolders are named after clusters.
const PARENTS: &[&str] = &["kubernetes", "k8s", "clusters"];

/// The name of the cluster: the folder below one named `kubernetes`, `k8s` or `clusters`, else the source's own name.
pub(crate) fn cluster_of(document: &Document) -> Arc<str> {
    let parts: Vec<&str> = document.path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let folder = parts
        .windows(3)
        .find_map(|window| match window {
            // Three components: the parent, the cluster's folder, and something inside it.
            [parent, cluster, _] if PARENTS.contains(parent) => Some(*cluster),
            _ => None,
        })
        .filter(|folder| *folder != "..");
    Arc::from(folder.unwrap_or_else(|| stem(&document.source_name)))
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
    use evenhand_model::document::{Document, FileFacts, Format, Head};

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
}
