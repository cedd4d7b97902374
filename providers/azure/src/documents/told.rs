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
    /// It brought these, and more that is not part of the capture.
    Part(Vec<T>),
    /// It brought these.
    Read(Vec<T>),
}

impl<T> Told<T> {
    /// Whether there is an answer, and all of it.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self, Self::Read(_))
    }

    /// The elements that were read; none where none were.
    pub(crate) fn all(&self) -> &[T] {
        match self {
            Self::Read(all) | Self::Part(all) => all,
            Self::Unread => &[],
        }
    }

    /// Notes that there is more than was read.
    pub(crate) fn cut(&mut self) {
        if let Self::Read(all) = self {
            *self = Self::Part(std::mem::take(all));
        }
    }

    /// Adds a page.
    pub(crate) fn extend(&mut self, mut more: Vec<T>) {
        match self {
            Self::Read(held) | Self::Part(held) => held.append(&mut more),
            Self::Unread => *self = Self::Read(more),
        }
    }
}

/// A list with the place of each element.
pub(crate) type List<T> = Told<At<T>>;

/// The pages of an answer that lie in a capture one by one, as `az rest` prints them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pages {
    /// Those that say that there is another one.
    pub(crate) followed: usize,
    /// Those that say nothing of another one.
    pub(crate) last: usize,
}

impl Pages {
    /// Whether the last page is missing.
    pub(crate) fn is_cut(self) -> bool {
        self.followed > 0 && self.last == 0
    }
}
