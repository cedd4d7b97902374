//! The generated pages in `docs/` are what the program says. `UPDATE=1` rewrites them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[test]
fn the_reference_is_up_to_date() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let pages = evenhand::docs::pages();
    let update = std::env::var_os("UPDATE").is_some();
    let wanted: BTreeSet<PathBuf> = pages.iter().map(|page| docs.join(&page.path)).collect();
    let mut stale = Vec::new();
    for page in &pages {
        let path = docs.join(&page.path);
        let held = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        // What people wrote above a generated ending stays.
        let first = page.content.lines().next().unwrap();
        let begins = held.find(&format!("\n{first}\n")).map(|at| at + 1).filter(|_| page.ending);
        let above = match begins {
            Some(at) => held.get(..at).unwrap().to_owned(),
            None if page.ending && !held.is_empty() => format!("{}\n\n", held.trim_end()),
            None => String::new(),
        };
        let content = format!("{above}{}", page.content);
        if held == content {
            continue;
        }
        if update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &content).unwrap();
        } else {
            stale.push(page.path.clone());
        }
    }
    // The page of a rule that is gone must go too.
    for entry in std::fs::read_dir(docs.join("rules")).into_iter().flatten() {
        let path = entry.unwrap().path();
        if !wanted.contains(&path) {
            if update {
                std::fs::remove_file(&path).unwrap();
            } else {
                stale.push(path.display().to_string());
            }
        }
    }
    assert!(stale.is_empty(), "run `UPDATE=1 cargo test -p evenhand --test generated`; not up to date: {stale:?}");
}
