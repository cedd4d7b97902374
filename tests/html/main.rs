//! The HTML report in the eyes of programs of other people: the Nu HTML checker reads it, a headless Chromium opens it, a
//! script clicks through it, and axe looks for what keeps people out. Nothing it does may make a request.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot set up its input has failed, and a skipped one says so"
)]

mod large;
#[path = "../tools/npm.rs"]
mod npm;
#[expect(dead_code, reason = "other tests run Python packages too")]
#[path = "../tools/mod.rs"]
mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

const PLAYWRIGHT: (&str, &str, &str) = ("playwright-core", "1.65.1", "index.mjs");
const AXE: (&str, &str, &str) = ("axe-core", "4.14.1", "package/axe.min.js");
const CHECKER: (&str, &str, &str) = ("vnu-jar", "26.9.27", "package/build/dist/vnu.jar");

/// Scans a folder and gives the page.
fn page(sources: &str, name: &str) -> PathBuf {
    let work = tools::tools().join("html-report");
    std::fs::create_dir_all(&work).expect("a folder");
    let page = work.join(name);
    let done = Command::new(env!("CARGO_BIN_EXE_evenhand"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["scan", sources, "--now", "2026-11-20T09:00:00Z", "--exit-zero", "-o"])
        .arg(format!("html={}", page.display()))
        .output()
        .expect("the binary runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    page
}

/// A browser of the Chromium family, which a test cannot install by itself.
fn chromium() -> PathBuf {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name)))
        .find(|file| file.is_file());
    named.or(found).unwrap_or_else(|| {
        panic!("missing: chromium, to open the report (apt-get install chromium, or name it in CHROMIUM)")
    })
}

/// Runs the script that drives the browser; it ends the browser itself.
fn drive(task: &str, page: &Path) {
    let browser = chromium();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/html/drive.mjs");
    let home = tempfile::tempdir().expect("a folder for the browser");
    let done = Command::new("node")
        .arg(script)
        .arg(task)
        .arg(page)
        .env("PLAYWRIGHT", npm::program(PLAYWRIGHT.0, PLAYWRIGHT.1, PLAYWRIGHT.2))
        .env("AXE", npm::file(AXE.0, AXE.1, AXE.2))
        .env("CHROMIUM", browser)
        .env("BROWSER_HOME", home.path())
        .output()
        .unwrap_or_else(|error| panic!("missing: node, to drive the browser: {error}"));
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    println!("{said}");
}

#[test]
fn a_person_filters_searches_opens_cards_and_prints() {
    drive("use", &page("examples/acme", "acme.html"));
}

#[test]
fn every_width_and_both_colour_schemes_are_readable_by_everybody() {
    drive("see", &page("examples/acme", "acme-seen.html"));
}

#[test]
fn a_name_that_holds_markup_does_nothing_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = "</script><img src=x onerror=document.title='acted'>";
    let config = serde_json::json!({"mcpServers": {name: {"command": "npx", "args": ["tool"]}}});
    std::fs::write(folder.path().join(".mcp.json"), config.to_string()).expect("written");
    drive("hostile", &page(&folder.path().display().to_string(), "hostile.html"));
}

#[test]
fn ten_thousand_identities_are_drawn_and_filtered_a_page_at_a_time() {
    let work = tools::tools().join("html-report");
    std::fs::create_dir_all(&work).expect("a folder");
    let page = work.join("large.html");
    let mut bytes = Vec::new();
    evenhand_reports::html::write(&large::report(), &mut bytes).expect("written");
    std::fs::write(&page, bytes).expect("written");
    drive("large", &page);
}

#[test]
fn the_page_is_valid_html() {
    if let Err(error) = Command::new("java").arg("-version").output() {
        println!("skipped: there is no java on this machine to run the Nu HTML checker: {error}");
        return;
    }
    let checker = npm::file(CHECKER.0, CHECKER.1, CHECKER.2);
    let page = page("examples/acme", "acme-checked.html");
    let check = |page: &Path| {
        let done = Command::new("java")
            .arg("-jar")
            .arg(&checker)
            .args(["--errors-only", "--format", "gnu"])
            .arg(page)
            .output()
            .expect("the checker runs");
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (valid, said) = check(&page);
    assert!(valid, "{said}");
    // A check that cannot fail proves nothing: a broken copy is refused.
    let broken = page.with_file_name("acme-broken.html");
    let text = std::fs::read_to_string(&page).expect("read").replacen("</h1>", "</h2>", 1);
    std::fs::write(&broken, text).expect("written");
    assert!(!check(&broken).0, "a heading that another one ends must be refused");
}
