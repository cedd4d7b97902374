//! How much of the answers is held in memory at one time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes of answers that are held at one time.
#[derive(Debug, Default)]
pub struct Held {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// An answer, counted while it is held.
#[derive(Debug)]
pub struct Page {
    /// The answer.
    pub bytes: Vec<u8>,
    held: Arc<Held>,
}

impl Held {
    /// The most that was held at one time.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// Counts an answer from now until it is dropped.
    pub fn page(self: &Arc<Self>, bytes: Vec<u8>) -> Page {
        let now = self.now.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
        self.most.fetch_max(now, Ordering::Relaxed);
        Page { bytes, held: Arc::clone(self) }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.held.now.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}
