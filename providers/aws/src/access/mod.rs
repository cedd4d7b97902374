//! Effective access: what a principal may do after every policy that applies to it, and single decisions.
//!
//! Enumeration (`enumerate`) and point decision (`decide`) read the same compiled statements. Nothing here reads
//! documents or knows how a capture looks.

mod admin;
mod caller;
mod decide;
mod enumerate;
mod index;
mod layers;
mod matching;
mod resolver;
mod usage;

pub(crate) use admin::is_admin;
pub(crate) use decide::floor;
pub(crate) use resolver::Resolver;

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
mod properties;
