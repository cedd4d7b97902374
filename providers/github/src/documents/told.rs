//! Whether something was read, and where it stands.

use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::refusal::Refusal;

/// Something with the place where it stands.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// What was read.
    pub value: T,
    /// Where.
    pub at: Evidence,
}

impl<T> std::ops::Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// Why a call brought no answer.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The vendor's words.
    pub refusal: Refusal,
    /// What would have been enough, as GitHub says.
    pub accepted: Option<Arc<str>>,
}

impl Refused {
    /// The HTTP status.
    pub fn status(&self) -> Option<u16> {
        self.refusal.code.get(..3)?.parse().ok()
    }
}

/// What a call told.
#[derive(Clone, Debug, Default)]
pub enum Told<T> {
    /// It was never made, or its answer is not part of the capture.
    #[default]
    Unread,
    /// It brought no answer.
    Refused(Refused),
    /// It brought this.
    Read(T),
}

impl<T> Told<T> {
    /// What was read.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Unread | Self::Refused(_) => None,
        }
    }

    /// Whether there is an answer.
    pub fn is_read(&self) -> bool {
        self.get().is_some()
    }

    /// Notes that there is none, unless there is one already.
    pub(crate) fn refuse(&mut self, refused: Refused) {
        if !self.is_read() {
            *self = Self::Refused(refused);
        }
    }
}

impl<T> Told<Vec<T>> {
    /// The elements that were read; none where none were.
    pub fn all(&self) -> &[T] {
        self.get().map_or(&[], Vec::as_slice)
    }

    /// Adds a page.
    pub(crate) fn extend(&mut self, mut more: Vec<T>) {
        match self {
            Self::Read(held) => held.append(&mut more),
            Self::Unread | Self::Refused(_) => *self = Self::Read(more),
        }
    }
}
