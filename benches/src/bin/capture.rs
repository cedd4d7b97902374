//! Writes a synthetic capture: `cargo run --release -p evenhand-benches --bin capture -- aws 10000 FOLDER`.

use std::path::Path;
use std::process::ExitCode;

use evenhand_benches::kind::Kind;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let written = match arguments.as_slice() {
        [kind, count, folder] => match (Kind::of(kind), count.parse()) {
            (Some(kind), Ok(count)) => kind.write(Path::new(folder), count),
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
    complain("usage: capture aws|azure|kubernetes IDENTITIES FOLDER");
    ExitCode::from(2)
}

#[expect(clippy::print_stderr, reason = "a development tool talks to the person who runs it")]
fn complain(message: &str) {
    eprintln!("{message}");
}
