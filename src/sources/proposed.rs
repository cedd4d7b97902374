//! Proposals of `evenhand fix` among the sources: policies that nobody has put in place are no evidence of what is held.
//!
//! Anybody may have written a list, and called an export as proposals are: so what a list names is passed over only where it
//! cannot be evidence by its form, or is as it was written.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use evenhand_model::id::IdentityId;
use evenhand_model::proposal::is_proposed;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// The folder that a proposal is written to, where nobody names another.
pub const PROPOSAL: &str = "evenhand-fix";

/// The file that names the proposed files beside it, in whatever folder they are.
pub const LIST: &str = "evenhand-fix.json";

/// Why a proposal is left out.
pub(super) const NOT_IN_FORCE: &str = "a proposal of `evenhand fix`, which is not in force";

/// The version of the form of [`LIST`].
const SCHEMA: &str = "evenhand/proposal/v1";
/// What is longer was written by somebody else.
const LONGEST: u64 = 4 << 20;

/// The members of proposals in JSON; no evidence has just these: policies of AWS, role definitions and permissions of
/// Azure, permissions of GitHub.
const FORMS: [&[&str]; 4] = [
    &["Version", "Statement"],
    &["Name", "IsCustom", "Description", "Actions", "NotActions", "DataActions", "NotDataActions", "AssignableScopes"],
    &["requiredResourceAccess"],
    &["permissions", "repository_selection", "repositories"],
];

/// What systems and people leave in folders, which says nothing of what else is in them.
const CLUTTER: [&str; 5] = [".DS_Store", ".gitignore", ".gitkeep", "Thumbs.db", "desktop.ini"];

/// The proposed files of a folder, as its list names them.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    schema: String,
    /// By their names.
    pub files: BTreeMap<String, Listed>,
}

/// A proposed file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The identity that it is for.
    pub identity: String,
    /// The BLAKE3 hash of what was written, in hexadecimal.
    pub blake3: String,
}

impl Listed {
    /// A file for an identity, as it is written.
    pub fn new(identity: &IdentityId, text: &str) -> Self {
        Self { identity: identity.to_string(), blake3: blake3::hash(text.as_bytes()).to_string() }
    }

    /// Whether a file still holds what was written.
    pub fn is_as_written(&self, file: &Path) -> bool {
        content(file).is_some_and(|bytes| blake3::hash(&bytes).to_string() == self.blake3)
    }
}

impl Default for Proposed {
    fn default() -> Self {
        Self { schema: SCHEMA.to_owned(), files: BTreeMap::new() }
    }
}

impl Proposed {
    /// What the list in a folder names there; `None` = there is no list in it.
    pub fn of(folder: &Path) -> Option<Self> {
        let text = content(&folder.join(LIST))?;
        let mut list = serde_json::from_slice(&text).ok().filter(|list: &Self| list.schema == SCHEMA)?;
        list.files.retain(|name, _| Path::new(name).file_name() == Some(OsStr::new(name)));
        Some(list)
    }

    /// Whom a file is for, also where the file system does not tell `A` from `a`.
    pub fn whose(&self, file: &str) -> Option<&str> {
        let alike = || self.files.iter().find(|(name, _)| name.eq_ignore_ascii_case(file)).map(|(_, listed)| listed);
        self.files.get(file).or_else(alike).map(|listed| listed.identity.as_str())
    }

    /// Whether a file in the folder is passed over: it is listed, called as proposals are, and in JSON has their form, else is
    /// as it was written. A manifest has the form of evidence.
    pub fn hides(&self, file: &Path) -> bool {
        let listed = file.file_name().and_then(|name| self.named(name));
        listed.is_some_and(|listed| match file.extension().is_some_and(|ending| ending == "json") {
            true => content(file).is_some_and(|bytes| is_in_form(&bytes)),
            false => listed.is_as_written(file),
        })
    }

    /// Whether a file in the folder is a proposed manifest that somebody changed. It is read, since a list that anybody may
    /// have written hides nothing that has the form of evidence; and people are told, since it may be in force nowhere.
    pub(super) fn is_edited(&self, file: &Path) -> bool {
        let listed = file.file_name().and_then(|name| self.named(name));
        listed
            .is_some_and(|listed| file.extension().is_none_or(|ending| ending != "json") && !listed.is_as_written(file))
    }

    /// A file that is listed, and called as proposals are.
    fn named(&self, file: &OsStr) -> Option<&Listed> {
        file.to_str().filter(|name| is_proposed(name)).and_then(|name| self.files.get(name))
    }

    /// Whether a folder holds nothing besides.
    pub(super) fn is_all_of(&self, folder: &Path) -> bool {
        let is_own =
            |name: &OsStr| name == LIST || CLUTTER.iter().any(|held| name == *held) || self.named(name).is_some();
        std::fs::read_dir(folder)
            .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| is_own(&entry.file_name()))))
    }
}

/// What is in a file; `None` where it is none, or too long for a proposal.
fn content(file: &Path) -> Option<Vec<u8>> {
    // A pipe would wait for somebody to write.
    if !std::fs::symlink_metadata(file).is_ok_and(|found| found.is_file() && found.len() <= LONGEST) {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Whether a document has the members of a proposal, and no others.
fn is_in_form(json: &[u8]) -> bool {
    let members: BTreeMap<String, IgnoredAny> = serde_json::from_slice(json).unwrap_or_default();
    FORMS.iter().any(|form| form.len() == members.len() && form.iter().all(|name| members.contains_key(*name)))
}
