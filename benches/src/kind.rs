//! The providers of which there are captures.

use std::io;
use std::path::{Path, PathBuf};

use crate::{generate, tenant};

/// Whose capture it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Accounts of AWS.
    Aws,
    /// A tenant of Azure.
    Azure,
    /// Clusters.
    Kubernetes,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Aws, Self::Azure, Self::Kubernetes];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Kubernetes => "kubernetes",
        }
    }

    /// The provider of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Writes a capture of so many identities.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(self, folder: &Path, count: u64) -> io::Result<()> {
        match self {
            Self::Aws => generate::aws(folder, count),
            Self::Azure => tenant::azure(folder, count),
            Self::Kubernetes => generate::kubernetes(folder, count),
        }
    }

    /// The capture of so many identities below the system's folder for temporary files, which is written where it is not
    /// there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn capture(self, count: u64) -> io::Result<PathBuf> {
        let folder = std::env::temp_dir().join(format!("evenhand-bench-{}-{count}", self.word()));
        if !folder.is_dir() {
            self.write(&folder, count)?;
        }
        Ok(folder)
    }
}
