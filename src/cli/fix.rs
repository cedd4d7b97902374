//! The part of the command line that proposes policies.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{From, PlainFormat};
use crate::sources::PROPOSAL;

/// `evenhand fix`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  evenhand fix incident-agent --from captures
  evenhand fix incident-agent --human incident-responder --from captures --out proposals
  evenhand fix incident-agent --to used --from captures

It writes files and changes nothing live: policies in the vendor's own form, for the identity and for those \
whose access it uses, such as its tool servers, with the commands that put them in place. What cannot be cut \
exactly is left out and listed: a proposal never grants more than the identity and its measure both hold.

Exit codes: 0 within the human role with the proposals in place, 1 not yet, 2 nothing can be proposed.")]
pub struct Fix {
    /// The AI identity: its id, its name, a selector such as `aws:role/bot-*`, or a part of id or name that fits no other.
    #[arg(value_name = "IDENTITY")]
    pub identity: String,

    /// What its access is cut to.
    #[arg(long, value_name = "MEASURE", default_value = "human-role")]
    pub to: FixAim,

    /// Cut to this role instead of the one that is found.
    #[arg(long, value_name = "ROLE")]
    pub human: Option<String>,

    /// Keep operations before which people pass a control that this identity does not pass. The control gap stays.
    #[arg(long)]
    pub keep_uncontrolled: bool,

    /// The folder for the proposal.
    #[arg(long, value_name = "DIR", default_value = PROPOSAL, help_heading = "Output")]
    pub out: PathBuf,

    /// Replace files of an earlier proposal that the folder's list gives to the same identity. Others are never replaced.
    #[arg(long, help_heading = "Output")]
    pub force: bool,

    /// Print every grant and operation of long lists.
    #[arg(long, help_heading = "Output")]
    pub all: bool,

    /// What is read.
    #[command(flatten)]
    pub from: From,

    /// `table` for people, `json` for programs.
    #[arg(short, long = "output", value_name = "FORMAT", default_value = "table", help_heading = "Output")]
    pub output: PlainFormat,
}

/// What access is cut to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum FixAim {
    /// What the human role holds too.
    HumanRole,
    /// What was used in the last 90 days, where a document tells.
    Used,
}
