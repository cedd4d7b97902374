//! AI agents and MCP clients as their configuration files describe them: who is there, what each may do unasked, which
//! secrets it is handed.
//!
//! Offline and without effect: configured programs are data, no address is opened, no command runs. The crate knows the
//! files of clients; it knows nothing of cloud permissions and judges nothing, which is the business of rules. Secret
//! values never leave the module [`secret`]; everything else sees kinds, places and fingerprints.

mod approval;
mod assemble;
mod card;
mod clients;
mod command;
mod locate;
mod permissions;
mod reader;
mod scope;
mod secret;
mod server;
mod settings;
mod tree;

use std::sync::LazyLock;

use evenhand_model::document::Document;
use evenhand_model::id::ProviderName;
use evenhand_model::provider::{Provider, ReadOptions, Reader};

use locate::Located;

/// The provider of agent and MCP client configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Agents;

/// Every file of the table that lies below a home folder.
static HOME_FILES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut paths: Vec<String> = clients::CLIENTS
        .iter()
        .flat_map(|client| client.files)
        .flat_map(|file| file.homes.iter().map(move |home| format!("{home}{}", file.suffix)))
        // Of files with any name the folder is listed; what lies in it and is not ours is not recognised.
        .map(|path| match path.split_once("/*") {
            Some((folder, _)) => folder.to_owned(),
            None => path,
        })
        .collect();
    paths.sort();
    paths.dedup();
    // Made once per process and small; the contract asks for borrowed text that lives as long as the program.
    paths.into_iter().map(|path| &*path.leak()).collect()
});

impl Provider for Agents {
    fn name(&self) -> ProviderName {
        provider_name()
    }

    fn recognise(&self, document: &Document) -> Option<&'static str> {
        match locate::locate(document)? {
            Located::Client { client, .. } => Some(client.name),
            Located::Card => Some("A2A agent card"),
            Located::Environment => Some("environment file"),
        }
    }

    fn home_files(&self) -> &'static [&'static str] {
        &HOME_FILES
    }

    fn reader(&self, options: ReadOptions) -> Box<dyn Reader> {
        Box::new(reader::AgentsReader::new(options))
    }
}

fn provider_name() -> ProviderName {
    ProviderName("agents")
}
