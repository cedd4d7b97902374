//! Steps to more access inside AWS: assuming roles, and the escalation techniques of `catalog/escalation.csv`.
//!
//! `edges` goes through sources and techniques; what each technique asks of its target is in `own` (the caller itself),
//! `others` (other users and roles) and `compute` (what runs with a role). What may be there besides and was not read is
//! in `unseen`. Nothing here knows how a capture looks.

mod carriers;
mod compute;
mod edges;
mod holds;
mod others;
mod own;
mod targets;
pub(crate) mod techniques;
mod unseen;

pub(crate) use edges::{LeftOut, edges};
#[cfg(test)]
pub(crate) use holds::{Choice, condition};
