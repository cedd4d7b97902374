//! Where the configuration lies.

use std::path::{Path, PathBuf};

/// The name of the file.
pub(crate) const NAME: &str = "evenhand.toml";

/// The configuration file for a scan: in the one folder that is scanned, else in the current folder or above it, up to
/// the root of the work tree.
pub fn find(sources: &[PathBuf]) -> Option<PathBuf> {
    if let [source] = sources {
        let beside = source.join(NAME);
        if beside.is_file() {
            return Some(beside);
        }
    }
    let here = std::env::current_dir().ok()?;
    let mut shown = PathBuf::new();
    for folder in here.ancestors() {
        let candidate = shown.join(NAME);
        if candidate.is_file() {
            return Some(candidate);
        }
        if is_root_of_work_tree(folder) {
            return None;
        }
        shown.push("..");
    }
    None
}

fn is_root_of_work_tree(folder: &Path) -> bool {
    folder.join(".git").exists()
}
