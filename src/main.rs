//! The `evenhand` binary.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    ExitCode::from(evenhand::cmd::run(evenhand::cli::Cli::parse()).code())
}
