//! The contract between the pipeline and a provider.

use crate::access::AccessResolver;
use crate::decide::Decides;
use crate::document::{Document, ReadError};
use crate::id::ProviderName;
use crate::inventory::Inventory;
use crate::secret::Fingerprinter;

/// What a provider may know while it reads.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// The moment of the scan; never the system clock.
    pub now: jiff::Timestamp,
    /// Turns secret values into fingerprints.
    pub fingerprinter: Fingerprinter,
    /// The provider's own table of the configuration: `[providers.<name>]`.
    pub settings: Settings,
}

/// A provider's settings: dotted key to text, as configured.
pub type Settings = std::collections::BTreeMap<String, String>;

/// A variable of the environment that lets a program keep files elsewhere than in the home folder.
///
/// The files lie at `$VARIABLE/` + `inside` + what follows `home` in their path below the home folder. Where `home` names a
/// file and `inside` is empty, the variable names that very file, or several.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MovedFiles {
    /// The variable's name.
    pub variable: &'static str,
    /// Below the folder that the variable names: a folder with `/` at its end, a file, or nothing.
    pub inside: &'static str,
    /// Below the home folder: a folder with `/` at its end, or a file.
    pub home: &'static str,
}

impl MovedFiles {
    /// Whether the variable names the file itself.
    pub fn names_file(&self) -> bool {
        self.inside.is_empty() && !self.home.ends_with('/')
    }
}

/// A source of identities: it recognises documents, reads them, and resolves access.
pub trait Provider: Send + Sync {
    /// The provider's name, as in ids and in the configuration.
    fn name(&self) -> ProviderName;

    /// What kind of document this is, in the provider's words, if it is one of its documents.
    fn recognise(&self, document: &Document) -> Option<&'static str>;

    /// Why a document that nobody recognises cannot be read, if its place alone says that it is one of this provider's.
    fn broken(&self, _document: &Document) -> Option<ReadError> {
        None
    }

    /// Whether a document that breaks the rules of its syntax, and that nobody recognises for that, is one of this provider's
    /// by what of it can be read, such as the names of keys that only its documents have.
    fn is_damaged(&self, _document: &Document) -> bool {
        false
    }

    /// What a document that nobody recognises looks like, and at which place or under which name it would be recognised: a
    /// hint for people, and never evidence.
    fn likeness(&self, _document: &Document) -> Option<String> {
        None
    }

    /// Files below a home folder that belong to this provider, as paths with `/` relative to it.
    fn home_files(&self) -> &'static [&'static str] {
        &[]
    }

    /// Variables of the environment that let a program keep some of those files elsewhere.
    fn moved_files(&self) -> &'static [MovedFiles] {
        &[]
    }

    /// Files in the folder of a project that belong to this provider, as paths with `/` relative to it; a folder stands for
    /// what lies in it. Programs that are started in a folder below look for them too.
    fn project_files(&self) -> &'static [&'static str] {
        &[]
    }

    /// Files outside home folders that an administrator sets for a whole machine, as absolute paths with `/`.
    fn system_files(&self) -> &'static [&'static str] {
        &[]
    }

    /// Settings that this provider knows, with a line of documentation each.
    fn known_settings(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Starts a reading.
    fn reader(&self, options: ReadOptions) -> Box<dyn Reader>;

    /// Decides requests that bring their policies along; `None` for providers without policies.
    fn decider(&self) -> Option<Box<dyn Decides>> {
        None
    }
}

/// One reading of many documents.
pub trait Reader: Send {
    /// Takes one recognised document. Everything in it that can be understood is kept.
    ///
    /// # Errors
    /// One error for each part that cannot be understood. The reading goes on.
    fn read(&mut self, document: Document) -> Result<(), Vec<ReadError>>;

    /// Files that the documents so far name and that this reader would read too, in the form of [`Document::path`], or
    /// absolute. Asked for once, after all files of the sources; those of them that lie in a source are then read, whatever
    /// they are called.
    fn wanted_files(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// Whom the documents are about, as people name them, if nothing could be read of any of them and the documents say so
    /// themselves. Asked for once, after all documents.
    fn unread(&self) -> Vec<String> {
        Vec::new()
    }

    /// Ends the reading: joins what the documents said.
    fn finish(self: Box<Self>) -> Reading;
}

/// What one provider makes of its documents.
pub struct Reading {
    /// What was read.
    pub inventory: Inventory,
    /// What the identities may do; `None` for providers whose identities hold no access of their own.
    pub resolver: Option<Box<dyn AccessResolver>>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("inventory", &self.inventory).finish_non_exhaustive()
    }
}
