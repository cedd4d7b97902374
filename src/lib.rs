//! The command line of evenhand as a library, so that tests and benches can call what the binary calls.
//!
//! The way of a scan: [`sources`] finds and loads files, [`pipeline`] has the providers read them, [`assess`] has the
//! rules judge what was read and makes the report, [`gate`] decides the exit. [`cmd`] holds the verbs, one file each.

/// A scan makes and gives back millions of small values on all cores; the system's allocator takes a fifth of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod assess;
pub mod baseline;
mod chain;
pub mod cli;
pub mod cmd;
pub mod config;
pub mod console;
pub mod difference;
pub mod docs;
pub mod formats;
pub mod gate;
pub mod growth;
pub mod held;
pub mod init;
mod lent;
#[cfg(feature = "live")]
mod live;
pub mod lookup;
mod number;
pub mod output;
pub mod pipeline;
pub mod progress;
pub mod remedy;
pub mod rightsize;
pub mod ruleset;
pub mod snapshot;
pub mod sources;
pub mod store;
pub mod whatif;

pub use pipeline::providers;
