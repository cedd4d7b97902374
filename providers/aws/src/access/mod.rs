//! Effective access: what a principal may do after every policy that applies to it, and single decisions.
//!
//! Enumeration (`enumerate`) and point decision (`verdict`) read the same compiled statements. Point decisions are asked
//! about the principals of a capture (`decide`) and about the documents of a request (the crate's `point`). Nothing here
//! reads documents or knows how a capture looks.

mod admin;
pub(crate) mod answer;
mod attached;
mod bounds;
pub(crate) mod caller;
mod decide;
mod enumerate;
pub(crate) mod floor;
mod holes;
mod index;
mod layers;
mod matching;
mod open;
mod policied;
mod proposal;
pub(crate) mod question;
mod resolver;
mod usage;
pub(crate) mod verdict;

pub(crate) use admin::is_admin;
pub(crate) use floor::{assumes, floor, speaks_of};
pub(crate) use matching::{Named, named};
pub(crate) use resolver::Resolver;

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
mod pathfinding;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod properties_resources;
