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
pub mod issued;
mod likeness;
mod locate;
mod permissions;
mod profiles;
mod reader;
mod scope;
mod secret;
mod server;
mod settings;
pub mod stored;
mod tree;
mod unlike;
mod visibility;
#[cfg(test)]
mod work;
pub mod workflow;

use std::sync::LazyLock;

use evenhand_model::document::{Document, ReadError};
use evenhand_model::id::ProviderName;
use evenhand_model::provider::{MovedFiles, Provider, ReadOptions, Reader};

use clients::Level;
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
        .chain(profiles::Store::ALL.iter().map(|(path, _)| (*path).to_owned()))
        .collect();
    paths.sort();
    looked_up(paths)
});

/// Every file of the table that lies in the folder of a project.
static PROJECT_FILES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let files = clients::CLIENTS.iter().flat_map(|client| client.files);
    let of_projects = files.filter(|file| file.is_of_projects());
    let mut paths: Vec<String> = of_projects.map(|file| file.suffix.to_owned()).collect();
    paths.sort();
    looked_up(paths)
});

/// What is looked up for sorted paths, each once: of files with any name the folder is listed, and what lies in it and is not
/// ours is not recognised.
fn looked_up(paths: Vec<String>) -> Vec<&'static str> {
    let folder = |path: String| match path.split_once("/*") {
        Some((folder, _)) => folder.to_owned(),
        None => path,
    };
    let mut paths: Vec<String> = paths.into_iter().map(folder).collect();
    paths.dedup();
    // Made once per process and small; the contract asks for borrowed text that lives as long as the program.
    paths.into_iter().map(|path| &*path.leak()).collect()
}

/// Every variable of the table that moves files of a home folder.
static MOVED_FILES: LazyLock<Vec<MovedFiles>> = LazyLock::new(|| {
    let of_clients = clients::CLIENTS.iter().flat_map(|client| client.moved);
    let mut moved: Vec<MovedFiles> = of_clients.chain(&profiles::Store::MOVED).copied().collect();
    moved.sort_by_key(|moved| (moved.variable, std::cmp::Reverse(moved.inside)));
    moved.dedup();
    moved
});

/// Where administrators put files of clients: Linux, macOS, Windows.
const SYSTEM_FOLDERS: &[&str] =
    &["/etc/", "/Library/Application Support/", "C:/ProgramData/", "C:/Program Files/", "C:/ProgramData/OpenAI/"];

/// Every file of the table that an administrator sets for a whole machine.
static SYSTEM_FILES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let files = clients::CLIENTS
        .iter()
        .flat_map(|client| client.files)
        .filter(|file| file.homes.is_empty() && matches!(file.level, Level::Managed | Level::System));
    let mut paths: Vec<String> = files
        .flat_map(|file| {
            let suffix = file.suffix.split("/*").next().unwrap_or(file.suffix);
            let first = suffix.split('/').next().unwrap_or(suffix);
            // Some suffixes begin with the system folder itself, because what follows it is too short to tell a client.
            let named: Vec<String> = SYSTEM_FOLDERS
                .iter()
                .filter_map(|folder| folder.trim_end_matches('/').strip_suffix(first))
                .map(|before| format!("{before}{suffix}"))
                .collect();
            if named.is_empty() {
                SYSTEM_FOLDERS.iter().map(|folder| format!("{folder}{suffix}")).collect()
            } else {
                named
            }
        })
        .collect();
    paths.sort();
    paths.dedup();
    // As for the other files.
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
            Located::Profiles(store, _) => Some(store.what()),
            Located::Workflow { runs: true, .. } => Some("workflow that runs agents"),
            Located::Workflow { runs: false, .. } => Some("workflow or action that may lead to agents"),
            Located::Environment => Some("environment file"),
        }
    }

    fn broken(&self, document: &Document) -> Option<ReadError> {
        reader::broken(document)
    }

    fn likeness(&self, document: &Document) -> Option<String> {
        likeness::likeness(document)
    }

    fn home_files(&self) -> &'static [&'static str] {
        &HOME_FILES
    }

    fn moved_files(&self) -> &'static [MovedFiles] {
        &MOVED_FILES
    }

    fn project_files(&self) -> &'static [&'static str] {
        &PROJECT_FILES
    }

    fn system_files(&self) -> &'static [&'static str] {
        &SYSTEM_FILES
    }

    fn known_settings(&self) -> &'static [(&'static str, &'static str)] {
        &[(
            visibility::KEY,
            "`public`, `private` or `internal`: whether everyone can see the repositories whose workflows are scanned; \
             otherwise who may start an agent by an issue or a comment is unknown",
        )]
    }

    fn reader(&self, options: ReadOptions) -> Box<dyn Reader> {
        Box::new(reader::AgentsReader::new(options))
    }
}

/// The table of clients as Markdown, for the generated reference.
pub fn client_table() -> String {
    clients::documented()
}

/// Whether a file at this path may be agent configuration, told by the path alone. Files that only their content gives
/// away are not among them.
pub fn is_known_path(path: &str) -> bool {
    locate::is_known_path(path)
}

fn provider_name() -> ProviderName {
    ProviderName("agents")
}
