//! What went wrong in a collection, noted from many tasks.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Failed, NoCapture};

/// What is behind a lock; a task that panicked left it as it was.
pub fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calls that failed, and the first document that could not be written, which ends the collection.
#[derive(Debug, Default)]
pub struct Ledger {
    failed: Mutex<Vec<Failed>>,
    broken: Mutex<Option<String>>,
}

impl Ledger {
    /// Notes a call that brought no answer.
    pub fn failed(&self, failed: Failed) {
        lock(&self.failed).push(failed);
    }

    /// Notes what came of writing; false where it failed.
    pub fn written(&self, written: io::Result<()>) -> bool {
        match written {
            Ok(()) => true,
            Err(error) => {
                lock(&self.broken).get_or_insert(error.to_string());
                false
            }
        }
    }

    /// Whether something could not be written.
    pub fn is_broken(&self) -> bool {
        lock(&self.broken).is_some()
    }

    /// The calls that failed, sorted.
    ///
    /// # Errors
    /// When something could not be written.
    pub fn close(&self) -> Result<Vec<Failed>, NoCapture> {
        if let Some(error) = lock(&self.broken).take() {
            return Err(NoCapture::NotWritten(error));
        }
        let mut failed = std::mem::take(&mut *lock(&self.failed));
        failed.sort();
        Ok(failed)
    }
}
