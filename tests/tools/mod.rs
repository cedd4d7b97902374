//! Programs of other people that tests run: packages at pinned versions, installed once under `target/tools`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder for programs that tests install: `target/tools`, wherever `target` is.
pub(crate) fn tools() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_evenhand"));
    binary.ancestors().nth(2).expect("target/<profile>/evenhand").join("tools")
}

/// Makes a folder that an installation fills, once. Tests of several programs may want it at the same time; half an
/// installation is none.
pub(crate) fn installed(name: &str, version: &str, install: impl FnOnce(&Path)) -> PathBuf {
    let name = name.trim_start_matches('@').replace('/', "-");
    let home = tools().join(format!("{name}-{version}"));
    std::fs::create_dir_all(tools()).expect("a folder");
    let lock = File::create(tools().join(format!("{name}-{version}.lock"))).expect("a lock");
    lock.lock().expect("locked");
    let whole = home.join("installed");
    if !whole.is_file() {
        std::fs::create_dir_all(&home).expect("a folder");
        install(&home);
        std::fs::write(whole, version).expect("written");
    }
    home
}

/// Runs a command that an installation needs, and says what is missing where it fails.
pub(crate) fn run(command: &mut Command, what: &str) {
    match command.output() {
        Ok(done) if done.status.success() => {}
        Ok(done) => {
            panic!("missing: {what}: {}", String::from_utf8_lossy(&done.stderr).lines().last().unwrap_or("failed"))
        }
        Err(error) => panic!("missing: {what}: {error}"),
    }
}

/// A program of a Python package at a pinned version, in a virtual environment of its own. The package may name extras,
/// as in `moto[server]`.
pub(crate) fn python_program(package: &str, version: &str, program: &str) -> PathBuf {
    let name = package.split('[').next().unwrap_or(package);
    let home = installed(name, version, |home| {
        run(Command::new("python3").args(["-m", "venv"]).arg(home), "python3 with venv, to install what a test runs");
        run(
            Command::new(home.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .arg(format!("{package}=={version}")),
            &format!("the Python package {package} {version}"),
        );
    });
    let wanted = home.join("bin").join(program);
    assert!(wanted.is_file(), "missing: {program} of the Python package {package} {version}");
    wanted
}
