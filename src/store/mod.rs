//! The store: scans kept as a Parquet dataset, for trends and for anybody's SQL engine.
//!
//! A store is a folder, or a bucket of an S3-compatible object store. One folder a table, partitioned by day as other
//! engines expect it, one file a scan:
//! `STORE/<table>/scan_date=<day>/<scan id>.parquet`. A scan that is saved again replaces itself. The row in `scans` is
//! written last, so a scan whose saving was cut short is not there at all. Every row carries `scan_id` and `scan_time`.
//! Columns are only ever added under one version of the form, which stands in the files' metadata.

#[cfg(feature = "live")]
mod bucket;
mod place;
mod read;
mod write;

use polars::prelude::PolarsError;

use crate::output::OutputError;

pub use place::Place;
pub use read::{Answer, Counts, Store, StoredScan};
pub use write::save;

/// The version of the form, under this key in the metadata of each file.
pub const FORM: (&str, &str) = ("evenhand.store", "v1");

/// The table with one row for each scan.
const SCANS: &str = "scans";
/// The table of findings.
const FINDINGS: &str = "findings";

/// Why a store cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder is at fault.
    #[error("`{place}` {what}")]
    File {
        /// Which.
        place: String,
        /// What is wrong with it.
        what: String,
    },
    /// A bucket is at fault, or does not answer.
    #[error("`{place}` {what}")]
    Remote {
        /// What was asked for.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// A file could not be written.
    #[error(transparent)]
    Unwritten(#[from] OutputError),
    /// A file of a store is not what was written there.
    #[error("`{place}` is damaged: {what}")]
    Damaged {
        /// Which.
        place: String,
        /// What is wrong with it.
        what: String,
    },
    /// A file is of a form that a later version writes.
    #[error("`{place}` is of the form `{form}`, and this version knows `{}`", FORM.1)]
    Form {
        /// Which.
        place: String,
        /// Its form.
        form: String,
    },
    /// There is no scan in it.
    #[error("`{0}` holds no scan")]
    Empty(String),
    /// A query is not understood, or cannot be answered.
    #[error("the query cannot be answered: {0}")]
    Query(String),
    /// Rows could not be turned into columns.
    #[error("the tables could not be made: {0}")]
    Table(#[from] PolarsError),
}

impl StoreError {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::File { .. } | Self::Unwritten(_) => "name a folder that this user may read and write",
            Self::Remote { .. } => {
                "give a bucket that is there, with AWS_REGION and credentials that may list, read and write it in the \
                 environment"
            }
            Self::Damaged { .. } => "remove that file with the scan's row in `scans`, or save the scan again",
            Self::Form { .. } => "read the store with the version of evenhand that wrote it, or a later one",
            Self::Empty(_) => "save scans in it with `evenhand scan … --save STORE`",
            Self::Query(_) => "docs/tables.md lists tables and columns; `scans` and `findings` are there as well",
            Self::Table(_) => "this is a fault of evenhand; report it with the command line",
        }
    }
}

/// A query's answer is an error of the query, in one line.
fn one_line(error: &PolarsError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
