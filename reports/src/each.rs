//! Sequences that are written as they are made, so that a report of a million findings is in memory once.

use serde::{Serialize, Serializer};

/// Serialises the items of an iterator one after the other; none is kept.
pub(crate) struct Each<I>(pub(crate) I);

impl<I: Iterator<Item: Serialize> + Clone> Serialize for Each<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}
