//! `evenhand completions`: a completion script on stdout.

use super::Failure;
use crate::cli;
use crate::gate::Exit;
use crate::output::to_stdout;

pub(super) fn run(arguments: &cli::Completions) -> Result<Exit, Failure> {
    to_stdout(|sink| {
        let mut script = Vec::new();
        clap_complete::generate(arguments.shell, &mut cli::command(), "evenhand", &mut script);
        sink.write_all(&script)
    })?;
    Ok(Exit::Passed)
}
