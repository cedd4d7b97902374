//! The `evenhand` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(evenhand::cmd::run(evenhand::cli::parse()).code())
}
