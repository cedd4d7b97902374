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

/// A file of this name above one of the sources, up to the root of the work tree, with that source. It is not in force: what
/// a source lies in may be somebody else's.
pub fn above_source<'s>(name: &str, sources: &'s [PathBuf]) -> Option<(PathBuf, &'s Path)> {
    sources.iter().find_map(|source| {
        let inside = source.ancestors().take_while(|folder| !is_root_of_work_tree(folder));
        let mut above = inside.filter_map(Path::parent).map(|folder| folder.join(name));
        Some((above.find(|file| file.is_file())?, source.as_path()))
    })
}

fn is_root_of_work_tree(folder: &Path) -> bool {
    folder.join(".git").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_above_a_source_is_found_up_to_the_root_of_its_work_tree() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        std::fs::create_dir_all(at("shop/captures/aws")).unwrap();
        std::fs::create_dir_all(at("shop/other/.git")).unwrap();
        std::fs::create_dir_all(at("shop/other/captures")).unwrap();
        std::fs::write(at("shop/evenhand.toml"), "").unwrap();
        let source = at("shop/captures/aws");
        let sources = [source.clone()];
        assert_eq!(above_source("evenhand.toml", &sources), Some((at("shop/evenhand.toml"), source.as_path())));
        for source in ["shop", "shop/other", "shop/other/captures"] {
            assert_eq!(above_source("evenhand.toml", &[at(source)]), None, "{source}");
        }
    }

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
