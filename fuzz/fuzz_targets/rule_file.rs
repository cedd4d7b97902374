//! A folder with one rule file: reading it, checking its predicate against the tables, and running its cases.
#![no_main]

use evenhand_rules::pack::RuleSet;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let folder = tempfile::tempdir().expect("a folder for the file");
    std::fs::write(folder.path().join("rule.yaml"), text).expect("the file");
    drop(RuleSet::load_dir(folder.path()));
});
