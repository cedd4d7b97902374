//! What compiled agentic workflows (gh-aw lock files) say in their first comments and of their starters.
//!
//! The compiler writes one line of JSON behind `# gh-aw-manifest:` with the secrets, actions and images that the workflow
//! uses, and, unless everybody may start it, a step that asks for the starter's role (gh-aw, schema version 4).

use crate::tree::{self, Node, Syntax};

/// The first lines of a lock file.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    /// Names of the secrets.
    pub(super) secrets: Vec<String>,
    /// Whether every action and image is fixed to a commit or digest; `None` where no manifest tells.
    pub(super) pinned: Option<bool>,
    /// Roles that a starter must have; `None` = none is asked for.
    pub(super) roles: Option<String>,
}

/// The manifest, if the text is a compiled agentic workflow.
pub(super) fn manifest(text: &str) -> Option<Manifest> {
    let head = || text.lines().take(200).take_while(|line| line.starts_with('#') || line.trim().is_empty());
    head().find(|line| line.starts_with("# gh-aw-m"))?;
    let roles = text.lines().find_map(|line| line.trim().strip_prefix("GH_AW_REQUIRED_ROLES:"));
    let mut manifest =
        Manifest { roles: roles.map(|roles| roles.trim().replace(['"', '\''], "")), ..Manifest::default() };
    let json = head().find_map(|line| line.strip_prefix("# gh-aw-manifest:"));
    // A line that is cut tells nothing beyond that the file was compiled.
    if let Some(node) = json.and_then(|json| tree::parse(json, Syntax::Json).ok()) {
        let list = |key: &str| node.get(key).map_or(&[][..], |entry| entry.node.elements());
        manifest.secrets = list("secrets").iter().filter_map(Node::text).map(str::to_owned).collect();
        let text = |node: &Node, key: &str| node.get(key).and_then(|entry| entry.node.text()).unwrap_or("").to_owned();
        let actions = list("actions").iter().all(|action| super::products::is_commit(&text(action, "sha")));
        let images = list("containers").iter().all(|image| {
            text(image, "digest").starts_with("sha256:") || text(image, "pinned_image").contains("@sha256:")
        });
        manifest.pinned = Some(actions && images);
    }
    Some(manifest)
}
