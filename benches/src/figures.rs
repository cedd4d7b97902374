//! What the tools that print figures share: how to take the middle of several turns, and where to print.

use std::time::Duration;

/// The median; of an even number the later of the two in the middle, of none zero.
pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Prints a figure.
#[expect(clippy::print_stdout, reason = "figures are the output of these tools")]
pub fn say(message: &str) {
    println!("{message}");
}

/// Prints what went wrong.
#[expect(clippy::print_stderr, reason = "a development tool talks to the person who runs it")]
pub fn say_error(message: &str) {
    eprintln!("{message}");
}
