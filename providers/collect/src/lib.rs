//! What the collectors of all providers share: the terms of a collection, an end from outside, tries with waits between
//! them, what failed and what may be asked, and documents that are whole or not there. It knows no vendor and makes no call.

mod disk;
mod failed;
mod folder;
mod held;
mod http;
mod ledger;
mod lines;
mod pace;
mod permission;
#[cfg(any(test, feature = "served"))]
pub mod served;
mod stop;
mod tell;
mod terms;

pub use disk::{Unfinished, clean, put};
pub use failed::{Failed, Group, grouped};
pub use folder::Folder;
pub use held::{Held, Page};
pub use http::{Answer, Http, unsent};
pub use ledger::{Ledger, lock};
pub use lines::Lines;
pub use pace::{NoAnswer, Tries, Trouble, causes, retried, wait};
pub use permission::{Permission, State};
pub use stop::{Stop, Stopped, Stopper};
pub use tell::Tell;
pub use terms::{CollectFailure, NoCapture, Terms, work};
