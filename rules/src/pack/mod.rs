//! Rules as data: YAML files, read and checked.
//!
//! The pack is part of the binary; a user's own folders hold files of the same form. A rule that comes out of here has
//! SQL that parses, columns that exist and parameters that are declared; whether it says what its cases promise is
//! tested by [`crate::engine::cases`].

mod check;
mod file;
mod load;
mod rule;
pub(crate) mod sql;
mod template;
#[cfg(test)]
mod tests;

pub use file::Problem;
pub use load::{Loaded, RuleSet, SettingError};
pub use rule::{Case, Docs, Expect, FrameworkRef, Param, ParamValue, Providers, Rule};
pub(crate) use template::Part;
pub use template::Template;
