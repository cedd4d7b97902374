//! Where the configuration lies.

use std::path::{Path, PathBuf};

/// The name of the file.
pub(crate) const NAME: &str = "evenhand.toml";

/// The configuration file for a scan: in the one of its sources that holds one, else in the current folder or above it, up
/// to the root of the work tree.
///
/// # Errors
/// The files, where several sources hold one: which of them speaks for all is not ours to say.
pub fn find(sources: &[PathBuf]) -> Result<Option<PathBuf>, Vec<PathBuf>> {
    let mut beside: Vec<PathBuf> =
        sources.iter().map(|source| source.join(NAME)).filter(|file| file.is_file()).collect();
    match beside.len() {
        0 => Ok(above()),
        1 => Ok(beside.pop()),
        _ => Err(beside),
    }
}

/// In the current folder or above it.
fn above() -> Option<PathBuf> {
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
