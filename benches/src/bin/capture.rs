//! Writes a synthetic capture: `cargo run --release -p evenhand-benches --bin capture -- aws 10000 FOLDER`.

use std::path::Path;
use std::process::ExitCode;

use evenhand_benches::generate;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let written = match arguments.as_slice() {
        [kind, count, folder] => match (kind.as_str(), count.parse()) {
            ("aws", Ok(count)) => generate::aws(Path::new(folder), count),
            ("kubernetes", Ok(count)) => generate::kubernetes(Path::new(folder), count),
            _ => return usage(),
        },
        _ => return usage(),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("the capture could not be written: {error}"));
            ExitCode::from(2)
        }
    }
}

fn usage() -> ExitCode {
    complain("usage: capture aws|kubernetes IDENTITIES FOLDER");
    ExitCode::from(2)
}

#[expect(clippy::print_stderr, reason = "a development tool talks to the person who runs it")]
fn complain(message: &str) {
    eprintln!("{message}");
}
