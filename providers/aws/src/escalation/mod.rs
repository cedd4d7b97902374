//! Steps to more access inside AWS: assuming roles, and the escalation techniques of `catalog/escalation.csv`.

mod edges;
mod holds;
mod targets;
pub(crate) mod techniques;

pub(crate) use edges::edges;
#[cfg(test)]
pub(crate) use holds::{Choice, condition};
