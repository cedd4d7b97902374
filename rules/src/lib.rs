//! What evenhand makes of an inventory: links, parity, paths, fact tables, rules and the score.
//!
//! Nothing here knows a vendor. Providers are seen through [`evenhand_model`] alone: identities with signals, trusts,
//! and an [`evenhand_model::access::AccessResolver`] each. Nothing here reads a clock, a network or, apart from folders
//! of rules that the user names, a file.

#[cfg(test)]
mod assess_tests;
pub mod engine;
pub mod evaluate;
pub mod facts;
pub mod jobs;
pub mod judgements;
pub mod link;
pub mod pack;
pub mod parity;
pub mod paths;
mod patterns;
pub mod resolvers;
pub mod score;
pub mod waivers;
