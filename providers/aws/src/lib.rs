//! Amazon Web Services: reads what the vendor's own command line prints, and resolves effective access.
//!
//! This crate knows no rules, and apart from `collect` (feature `live`) no network and no clock. Two halves meet in
//! `world`: `documents` and `inventory` fill it and the inventory; `policy`, `catalog`, `access` and `escalation` decide
//! from it what an identity may do; `federation` puts tokens of outside issuers against the conditions of trusts. Beside them, [`point`] decides single requests that bring their policies along. The
//! documents it reads, and what it cannot see, are in the crate's `README.md`.

mod access;
mod carrier;
mod catalog;
#[cfg(feature = "live")]
pub mod collect;
mod documents;
mod escalation;
mod federation;
mod inventory;
mod place;
pub mod point;
mod policy;
mod provider;
mod scalar;
mod world;

pub use federation::Federation;
pub use provider::{Aws, catalog_sources};

#[cfg(test)]
mod tests;
