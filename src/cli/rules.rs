//! The part of the command line about the rule pack itself.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{PlainFormat, Selection};

/// `evenhand rules`
#[derive(Debug, Subcommand)]
pub enum Rules {
    /// List the rules.
    List(RulesList),
    /// Show one rule with its documentation, predicate and frameworks.
    Show(RulesShow),
    /// Run the rules' own cases; those of a folder, or of the pack.
    Test(RulesTest),
}

/// `evenhand rules list`
#[derive(Debug, Args)]
pub struct RulesList {
    /// Which rules.
    #[command(flatten)]
    pub selection: Selection,

    /// `table` for people, `json` for programs.
    #[arg(short, long = "output", value_name = "FORMAT", default_value = "table", help_heading = "Output")]
    pub output: PlainFormat,
}

/// `evenhand rules show`
#[derive(Debug, Args)]
pub struct RulesShow {
    /// The rule.
    #[arg(value_name = "ID")]
    pub id: String,

    /// Read rules from this folder as well; repeatable.
    #[arg(long = "rules", value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
}

/// `evenhand rules test`
#[derive(Debug, Args)]
pub struct RulesTest {
    /// A folder with rules. None: the pack.
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
