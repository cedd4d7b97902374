//! Where the configuration lies, and the file of waivers where it stands alone.

use std::path::{Path, PathBuf};

/// The name of the file.
pub(crate) const NAME: &str = "evenhand.toml";

/// A file of this name for a scan: in the one of its sources that holds one, else in the current folder or above it, up to
/// the root of the work tree.
///
/// # Errors
/// The files, where several sources hold one: which of them speaks for all is not ours to say.
pub fn find(name: &str, sources: &[PathBuf]) -> Result<Option<PathBuf>, Vec<PathBuf>> {
    let mut beside: Vec<PathBuf> =
        sources.iter().map(|source| source.join(name)).filter(|file| file.is_file()).collect();
    match beside.len() {
        0 => Ok(above(name)),
        1 => Ok(beside.pop()),
        _ => Err(beside),
    }
}

/// In the current folder or above it.
fn above(name: &str) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let mut shown = PathBuf::new();
    for folder in here.ancestors() {
        let candidate = shown.join(name);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_source_that_holds_a_file_speaks_for_all_and_two_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
        for source in [&one, &two] {
            std::fs::create_dir(source).unwrap();
        }
        let both = [one.clone(), two.clone()];
        std::fs::write(two.join("waivers.toml"), "").unwrap();
        assert_eq!(find("waivers.toml", &both), Ok(Some(two.join("waivers.toml"))));
        std::fs::write(one.join("waivers.toml"), "").unwrap();
        assert_eq!(find("waivers.toml", &both), Err(vec![one.join("waivers.toml"), two.join("waivers.toml")]));
    }
}
