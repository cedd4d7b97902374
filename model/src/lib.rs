//! The vocabulary of evenhand as plain types.
//!
//! Everything here is pure: no I/O, no clock, no vendor words. Providers fill these types, rules and parity read them,
//! reports print them. A word that means something in one vendor's documentation only does not belong here.

pub mod access;
pub mod agent;
pub mod capture;
pub mod catalog;
pub mod condition;
pub mod control;
pub mod credential;
pub mod decide;
pub mod document;
pub mod evidence;
pub mod finding;
pub mod gap;
pub mod glob;
pub mod id;
pub mod identity;
pub mod inventory;
pub mod json_error;
pub mod json_parts;
pub mod json_shape;
pub mod kept;
pub mod log;
pub mod opset;
pub mod order;
pub mod parallel;
pub mod parity;
pub mod proposal;
pub mod provider;
pub mod refusal;
pub mod scope;
pub mod score;
pub mod secret;
pub mod steps;
pub mod table;
pub mod texts;
pub mod token;
pub mod trust;
pub mod waiver;
pub mod words;
pub mod workload;

pub use jiff::Timestamp;
