//! Deterministic captures of any size, and the yardstick that a scan of them is held beside.
//!
//! [`generate`] and [`tenant`] write captures in the vendors' own shape; [`yardstick`] parses the same files into typed structs with
//! serde_json and does nothing else. A scan's cost is quoted as a ratio to that, in one run on one machine. [`requests`] makes
//! single requests that bring their policies along.

pub mod figures;
pub mod generate;
pub mod kind;
pub mod requests;
pub mod scan;
pub mod tenant;
pub mod yardstick;
