//! Whether something was read, and where it stands.

use evenhand_model::evidence::Evidence;

/// Something with the place where it stands.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    /// What was read.
    pub(crate) value: T,
    /// Where.
    pub(crate) at: Evidence,
}

impl<T> std::ops::Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A list that a call tells, page by page.
#[derive(Clone, Debug, Default)]
pub(crate) enum Told<T> {
    /// The call was never made, brought no answer, or its answer is not part of the capture.
    #[default]
    Unread,
    /// It brought these.
    Read(Vec<T>),
}

impl<T> Told<T> {
    /// Whether there is an answer.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self, Self::Read(_))
    }

    /// The elements that were read; none where none were.
    pub(crate) fn all(&self) -> &[T] {
        match self {
            Self::Read(all) => all,
            Self::Unread => &[],
        }
    }

    /// Adds a page.
    pub(crate) fn extend(&mut self, mut more: Vec<T>) {
        match self {
            Self::Read(held) => held.append(&mut more),
            Self::Unread => *self = Self::Read(more),
        }
    }
}

/// A list with the place of each element.
pub(crate) type List<T> = Told<At<T>>;
