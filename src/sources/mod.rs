//! Sources: from the paths that a user names to documents that a provider can recognise.
//!
//! Two steps. [`find`] lists files, in a fixed order, and opens none of them but proposals with their lists;
//! [`Listing::inside`] finds those that documents name later. [`load`] reads one of them: it
//! decompresses, decodes, tells the syntax and looks at the head. Both say what they leave out; neither knows what a
//! provider makes of a document.

mod decode;
mod find;
mod format;
mod git;
mod head;
mod json_head;
mod known;
mod load;
mod named;
mod proposed;

pub use find::{Found, Listing, Located, Request, find};
pub use git::WorkTrees;
pub use load::{Limits, LoadError, Loaded, Place, load};
pub use named::Root;
pub use proposed::{LIST, Listed, PROPOSAL, Proposed};
