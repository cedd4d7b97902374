//! `evenhand man`: the manual page on stdout, verbs included.

use std::io::{self, Write};

use clap_mangen::Man;

use super::Failure;
use crate::cli;
use crate::gate::Exit;
use crate::output::to_stdout;

pub(super) fn run() -> Result<Exit, Failure> {
    to_stdout(|sink| {
        let mut command = cli::command().version(env!("CARGO_PKG_VERSION"));
        command.build();
        Man::new(command.clone()).render(sink)?;
        verbs(&command, sink)
    })?;
    Ok(Exit::Passed)
}

/// The verbs' own options follow in one page: a scanner is seldom installed with a page for each.
fn verbs(command: &clap::Command, sink: &mut dyn Write) -> io::Result<()> {
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        let name = verb.get_bin_name().unwrap_or_else(|| verb.get_name()).to_uppercase();
        writeln!(sink, ".SH {name}")?;
        let man = Man::new(verb.clone());
        man.render_synopsis_section(sink)?;
        man.render_description_section(sink)?;
        man.render_options_section(sink)?;
        verbs(verb, sink)?;
    }
    Ok(())
}
