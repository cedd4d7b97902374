//! What we claim to speak is checked by programs of other people, installed at a pinned version on first use: one file per
//! format. A check that cannot fail proves nothing, so each of them refuses a broken copy.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot set up its input, or finds another shape than it expects, has failed"
)]

mod asff;
mod csv;
mod json;
mod junit;
mod markdown;
mod ocsf;
mod oscal;
mod sarif;
mod store;

#[path = "../tools/npm.rs"]
#[expect(dead_code, reason = "shared with other tests, which take a single file of a package")]
mod npm;
#[path = "../tools/mod.rs"]
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tools::{python_program, tools};

/// The moment of every scan.
const NOW: &str = "2026-11-20T09:00:00Z";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What the binary prints, run in a folder.
fn evenhand_in(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let done = Command::new(env!("CARGO_BIN_EXE_evenhand"))
        .current_dir(folder)
        .args(arguments)
        .args(["--color", "never"])
        .output()
        .expect("the binary runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// What the binary prints, run in the root of the repository.
fn evenhand(arguments: &[&str]) -> Vec<u8> {
    evenhand_in(root(), arguments)
}

/// A folder for the files of a test.
fn work(name: &str) -> PathBuf {
    let work = tools().join("work").join(name);
    std::fs::create_dir_all(&work).expect("a folder");
    work
}

/// Names that try to be markup, formulas, links, mentions, escape sequences and paths.
const HOSTILE: [&str; 6] = [
    "</failure><img src=x onerror=alert(1)>&'\"",
    "=HYPERLINK(\"http://evil.example\")",
    "@everyone [x](http://evil.example) ![y](http://evil.example/y.png) `|` |",
    "../../../../etc/passwd",
    "a\u{1b}]8;;http://evil.example\u{7}\u{202e}b\u{ffff}\nc",
    "]]> <!-- ${{ github.token }} --> www.evil.example #1",
];

/// A folder with agent configuration in which whoever wrote it chose the names.
fn hostile() -> PathBuf {
    let folder = work("hostile");
    let servers: serde_json::Map<String, serde_json::Value> = HOSTILE
        .iter()
        .map(|name| ((*name).to_owned(), serde_json::json!({"command": "npx", "args": ["-y", name]})))
        .collect();
    let text = serde_json::to_string_pretty(&serde_json::json!({"mcpServers": servers})).expect("JSON");
    // Several tests write the same.
    let mut whole = tempfile::NamedTempFile::new_in(&folder).expect("a file");
    std::io::Write::write_all(&mut whole, text.as_bytes()).expect("written");
    whole.persist(folder.join(".mcp.json")).expect("named");
    folder
}

/// A report in a format, of the example organisation and of the folder with hostile names.
fn reports(format: &str, more: &[&str]) -> [String; 2] {
    let written = |folder: &Path, source: &str| {
        let mut arguments = vec!["scan", source, "--now", NOW, "-o", format];
        arguments.extend(more);
        String::from_utf8(evenhand_in(folder, &arguments)).expect("UTF-8")
    };
    [written(root(), "examples/acme"), written(&hostile(), ".mcp.json")]
}

/// Writes a file of a test.
fn file(folder: &str, name: &str, text: &str) -> PathBuf {
    let path = work(folder).join(name);
    std::fs::write(&path, text).expect("written");
    path
}

/// Runs a script by the Python of a package at a pinned version, in a folder.
fn python(package: &str, version: &str, script: &str, folder: &Path, arguments: &[&str]) -> Output {
    Command::new(python_program(package, version, "python"))
        .current_dir(folder)
        .args(["-c", script])
        .args(arguments)
        .output()
        .expect("python runs")
}

/// What a program said on both channels.
fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

/// Asserts that a program accepts a file and refuses a broken copy of it.
#[track_caller]
fn accepts_and_refuses(good: &Output, broken: &Output, what: &str) {
    assert!(good.status.success(), "{}", said(good));
    assert!(!broken.status.success(), "{what} must be refused");
}
