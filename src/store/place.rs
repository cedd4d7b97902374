//! Where a store lies, and its files there: named by their path below the store, with `/`.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::StoreError;
#[cfg(feature = "live")]
use super::bucket::{Bucket, OpenBucket};
use crate::output::to_file;

/// Where a store lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// A bucket, or a part of one.
    #[cfg(feature = "live")]
    Bucket(Bucket),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            #[cfg(feature = "live")]
            Some((super::bucket::SCHEME, rest)) => Bucket::parse(rest).map(Self::Bucket),
            #[cfg(feature = "live")]
            Some((scheme, _)) => {
                Err(format!("a store is a folder or s3://BUCKET/PREFIX, and `{scheme}://` is neither"))
            }
            #[cfg(not(feature = "live"))]
            Some(_) => Err("this evenhand was built without a network; name a folder".to_owned()),
            None if text.is_empty() => Err("the name of the store is empty".to_owned()),
            None => Ok(Self::Folder(text.into())),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            #[cfg(feature = "live")]
            Self::Bucket(bucket) => write!(f, "{bucket}"),
        }
    }
}

impl Place {
    /// Gets ready to read and write files there.
    ///
    /// # Errors
    /// When what the environment says of a bucket cannot be used. Nothing is asked yet.
    pub(super) fn open(&self) -> Result<Shelf, StoreError> {
        Ok(match self {
            Self::Folder(folder) => Shelf::Folder(folder.clone()),
            #[cfg(feature = "live")]
            Self::Bucket(bucket) => Shelf::Bucket(Box::new(bucket.open()?)),
        })
    }
}

/// A place, ready.
#[derive(Debug)]
pub(super) enum Shelf {
    Folder(PathBuf),
    #[cfg(feature = "live")]
    Bucket(Box<OpenBucket>),
}

impl Shelf {
    /// How people find a file of the store.
    pub(super) fn named(&self, file: &str) -> String {
        match self {
            Self::Folder(folder) => folder.join(file).display().to_string(),
            #[cfg(feature = "live")]
            Self::Bucket(bucket) => bucket.named(file),
        }
    }

    /// The files of a table, by day and scan: `scans/scan_date=2026-11-01/<scan>.parquet`.
    ///
    /// # Errors
    /// When the store cannot be read. A table that is not there has no files.
    pub(super) fn files(&self, table: &str) -> Result<Vec<String>, StoreError> {
        let folder = match self {
            Self::Folder(folder) => folder.join(table),
            #[cfg(feature = "live")]
            Self::Bucket(bucket) => return bucket.files(table),
        };
        // A folder that may not be entered is not one that is not there.
        if matches!(fs::symlink_metadata(&folder), Err(error) if error.kind() == io::ErrorKind::NotFound) {
            return Ok(Vec::new());
        }
        let mut files = Vec::new();
        for day in entries(&folder)?.into_iter().filter(|path| path.is_dir()) {
            for file in entries(&day)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "parquet")) {
                let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
                if let (Some(day), Some(file)) = (name(&day), name(&file)) {
                    files.push(format!("{table}/{day}/{file}"));
                }
            }
        }
        Ok(files)
    }

    /// The content of a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(&self, file: &str) -> Result<Vec<u8>, StoreError> {
        match self {
            Self::Folder(folder) => fs::read(folder.join(file)).map_err(|error| StoreError::File {
                place: self.named(file),
                what: format!("cannot be read: {error}"),
            }),
            #[cfg(feature = "live")]
            Self::Bucket(bucket) => bucket.read(file),
        }
    }

    /// Writes a file whole or not at all; one of that name is replaced.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(super) fn write(
        &self,
        file: &str,
        write: impl FnOnce(&mut dyn Write) -> Result<(), String>,
    ) -> Result<(), StoreError> {
        let path = match self {
            Self::Folder(folder) => folder.join(file),
            #[cfg(feature = "live")]
            Self::Bucket(bucket) => {
                let mut content = Vec::new();
                write(&mut content).map_err(|what| StoreError::Remote {
                    place: self.named(file),
                    what: format!("cannot be written: {what}"),
                })?;
                return bucket.write(file, content);
            }
        };
        if let Some(holder) = path.parent() {
            fs::create_dir_all(holder).map_err(|error| StoreError::File {
                place: holder.display().to_string(),
                what: format!("cannot be made: {error}"),
            })?;
        }
        Ok(to_file(&path, write)?)
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let fail = |error: io::Error| StoreError::File {
        place: folder.display().to_string(),
        what: format!("cannot be read: {error}"),
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        paths.push(entry.map_err(fail)?.path());
    }
    paths.sort();
    Ok(paths)
}
