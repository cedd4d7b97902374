//! Proposals of `evenhand fix` among the sources: policies that nobody has put in place are no evidence of what is held.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use evenhand_model::proposal::is_proposed;
use serde::{Deserialize, Serialize};

/// The folder that a proposal is written to, where nobody names another.
pub const PROPOSAL: &str = "evenhand-fix";

/// The file that names the proposed files beside it, in whatever folder they are.
pub const LIST: &str = "evenhand-fix.json";

/// Why a proposal is left out.
pub(super) const NOT_IN_FORCE: &str = "a proposal of `evenhand fix`, which is not in force";

/// The version of the form of [`LIST`].
const SCHEMA: &str = "evenhand/proposal/v1";
/// A longer one was written by somebody else.
const LONGEST: u64 = 4 << 20;

/// The proposed files of a folder, as its list names them.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    schema: String,
    /// The names, each with the identity that the file is for.
    pub files: BTreeMap<String, String>,
}

impl Default for Proposed {
    fn default() -> Self {
        Self { schema: SCHEMA.to_owned(), files: BTreeMap::new() }
    }
}

impl Proposed {
    /// What the list in a folder names; `None` = there is no list in it.
    pub fn of(folder: &Path) -> Option<Self> {
        let path = folder.join(LIST);
        // A pipe would wait for somebody to write.
        if !std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
            return None;
        }
        let mut text = String::new();
        File::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok().filter(|list: &Self| list.schema == SCHEMA)
    }

    /// Whom a file is for, also where the file system does not tell `A` from `a`.
    pub fn whose(&self, file: &str) -> Option<&str> {
        let alike = || self.files.iter().find(|(name, _)| name.eq_ignore_ascii_case(file)).map(|(_, whose)| whose);
        self.files.get(file).or_else(alike).map(String::as_str)
    }

    /// Whether a file is listed. Anybody may have written the list, and what no proposal is called it does not hide.
    pub(super) fn names(&self, file: &OsStr) -> bool {
        file.to_str().is_some_and(|name| is_proposed(name) && self.files.contains_key(name))
    }

    /// Whether a folder holds nothing besides.
    pub(super) fn is_all_of(&self, folder: &Path) -> bool {
        let is_own = |name: &OsStr| name == LIST || self.names(name);
        std::fs::read_dir(folder)
            .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| is_own(&entry.file_name()))))
    }
}
