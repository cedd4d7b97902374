//! Work done once for equal inputs, from many threads.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// A map of results that fills as they are asked for.
///
/// The lock is never held while a result is made, so a maker may itself wait on other threads. Two threads may make the
/// same result at once; the first one stored is the one both get, which keeps addresses inside results stable.
#[derive(Debug)]
pub(crate) struct Memo<K, V> {
    made: Mutex<HashMap<K, Arc<V>, foldhash::fast::FixedState>>,
}

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self { made: Mutex::new(HashMap::default()) }
    }
}

impl<K: Hash + Eq, V> Memo<K, V> {
    /// The result for a key, made now if it was not before.
    pub(crate) fn get(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        if let Some(held) = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(held);
        }
        let made = Arc::new(make());
        Arc::clone(self.made.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(made))
    }
}
