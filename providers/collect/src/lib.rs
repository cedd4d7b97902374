//! What the collectors of all providers share: an end from outside, waits between tries, and documents that are whole or
//! not there. It knows no vendor and makes no call.

mod disk;
mod pace;
mod stop;

pub use disk::{Unfinished, clean, put};
pub use pace::{causes, wait};
pub use stop::{Stop, Stopped, Stopper};
