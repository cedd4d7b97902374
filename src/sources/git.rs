//! Whether version control tracks a file, from the index of its work tree. No program is run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The work trees seen so far, each with its index read once.
#[derive(Default)]
pub struct WorkTrees {
    /// A folder's work tree; `None` = it is in none.
    folders: BTreeMap<PathBuf, Option<PathBuf>>,
    /// A work tree's index; `None` = there is one, but it cannot be read.
    indexes: BTreeMap<PathBuf, Option<gix_index::State>>,
}

impl std::fmt::Debug for WorkTrees {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.indexes.keys()).finish()
    }
}

impl WorkTrees {
    /// Whether a file is tracked. Outside every work tree that is not known: the copy that was scanned may come from one.
    pub fn tracked(&mut self, file: &Path) -> Option<bool> {
        let file = file.canonicalize().ok()?;
        let root = self.work_tree(file.parent()?)?;
        let relative = file.strip_prefix(&root).ok()?;
        let relative =
            relative.components().map(|part| part.as_os_str().to_str()).collect::<Option<Vec<_>>>()?.join("/");
        let index = self.indexes.entry(root.clone()).or_insert_with(|| read_index(&root)).as_ref()?;
        Some(index.entry_by_path(relative.as_bytes().into()).is_some())
    }

    fn work_tree(&mut self, folder: &Path) -> Option<PathBuf> {
        if let Some(known) = self.folders.get(folder) {
            return known.clone();
        }
        let found = if folder.join(".git").exists() {
            Some(folder.to_owned())
        } else {
            folder.parent().and_then(|parent| self.work_tree(parent))
        };
        self.folders.insert(folder.to_owned(), found.clone());
        found
    }
}

/// The index of a work tree. `.git` is a folder, or in linked work trees and submodules a file that names one.
fn read_index(root: &Path) -> Option<gix_index::State> {
    let dot = root.join(".git");
    let folder = if dot.is_dir() {
        dot
    } else {
        let text = std::fs::read_to_string(&dot).ok()?;
        root.join(text.strip_prefix("gitdir:")?.trim())
    };
    let index = folder.join("index");
    if !index.exists() {
        // A work tree without a commit and without anything added tracks nothing.
        return folder.is_dir().then(|| gix_index::State::new(gix_index::hash::Kind::Sha1));
    }
    let config = std::fs::read_to_string(folder.join("config")).unwrap_or_default();
    let sha256 = config.lines().any(|line| {
        line.split_once('=').is_some_and(|(key, value)| {
            key.trim().eq_ignore_ascii_case("objectformat") && value.trim().eq_ignore_ascii_case("sha256")
        })
    });
    let kind = if sha256 { gix_index::hash::Kind::Sha256 } else { gix_index::hash::Kind::Sha1 };
    let options = gix_index::decode::Options::default();
    gix_index::File::at(index, kind, true, options).ok().map(|file| file.into_parts().0)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn tracked_and_untracked_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| Command::new("git").args(arguments).current_dir(&folder).output();
        let Ok(output) = git(&["init", "-q"]) else {
            println!("git is not installed: the test of tracked files is skipped");
            return;
        };
        assert!(output.status.success());
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        for name in ["sub/tracked.json", "untracked.json"] {
            std::fs::write(folder.path().join(name), "{}").unwrap();
        }
        assert_eq!(WorkTrees::default().tracked(&folder.path().join("untracked.json")), Some(false));
        assert!(git(&["add", "sub/tracked.json"]).unwrap().status.success());
        let mut trees = WorkTrees::default();
        assert_eq!(trees.tracked(&folder.path().join("sub/tracked.json")), Some(true));
        assert_eq!(trees.tracked(&folder.path().join("untracked.json")), Some(false));
    }

    #[test]
    fn outside_a_work_tree_nothing_is_known() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.json"), "{}").unwrap();
        if folder.path().ancestors().all(|parent| !parent.join(".git").exists()) {
            assert_eq!(WorkTrees::default().tracked(&folder.path().join("a.json")), None);
        }
    }
}
