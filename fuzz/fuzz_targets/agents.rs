//! A file of an agent client. Which one is told by the length of the text, so that seeds can be such files as they are;
//! files of any name with tool servers in them, the three commonest clients, and workflows are tried with every text.
#![no_main]

use evenhand_agents::Agents;
use evenhand_fuzz::{document, read};
use evenhand_model::provider::Provider;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let files = Agents.home_files();
    let chosen = files[bytes.len() % files.len()];
    for path in [
        "servers.json",
        ".claude/settings.json",
        ".codex/config.toml",
        ".vscode/settings.json",
        ".github/workflows/a.yml",
        ".github/workflows/a.md",
        chosen,
    ] {
        read(&Agents, document(&format!("home/project/{path}"), bytes));
    }
});
