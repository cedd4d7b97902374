//! Whose file a document is: by the end of its path and, where other programs share the file or the path says nothing,
//! by its keys.

use std::borrow::Cow;

use evenhand_model::document::{Document, Format};

use crate::clients::{CLIENTS, Client, DOTENV, File, Servers, UNKNOWN};
use crate::profiles::Store;
use crate::tree::{self, Node, Syntax};
use crate::workflow;

/// What a document is to this provider.
pub(crate) enum Located {
    /// A file of a client.
    Client {
        client: &'static Client,
        file: &'static File,
        /// The folder it speaks for: the project's, or the person's home; as a prefix of the document's path.
        root: String,
        /// Whether only the content tells.
        by_content: bool,
    },
    /// An A2A agent card.
    Card,
    /// An environment file.
    Environment,
    /// Cloud or cluster profiles of a person, with the person's home.
    Profiles(Store, String),
    /// A workflow that runs agents, or that may lead to one that does.
    Workflow {
        /// The folder of the repository.
        root: String,
        /// Whether it is the source of a workflow that is compiled.
        source: bool,
        /// Whether it runs an agent by itself.
        runs: bool,
    },
}

/// The largest document that is parsed only to find out what it is.
const SMALL: usize = 1 << 20;

/// Names under which tools keep MCP servers for whatever client.
const NAMES: &[&str] = &["mcp.json", ".mcp.json", "mcp_config.json", "mcp-config.json", "mcp.jsonc"];

/// Files of a project that are no client's own.
#[cfg(test)]
pub(crate) const PROJECT_FILES: &[&str] = &[
    "mcp.json",
    "mcp_config.json",
    "mcp-config.json",
    "mcp.jsonc",
    ".well-known/agent-card.json",
    ".well-known/agent.json",
    "agent_card.json",
    ".github/workflows/x.yml",
    ".github/workflows/x.md",
    ".github/actions/x/action.yml",
    "action.yaml",
];

/// Keys that hold tool servers in any client, and keys of settings that only one editor has.
const UNMISTAKABLE: &[&str] = &["mcpServers", "mcp_servers"];
const AMBIGUOUS: &[&str] = &["mcp", "servers", "context_servers", "extensions"];
const EDITOR: &[&str] = &["chat.mcp.", "chat.tools.", "chat.agent.", "github.copilot.chat."];

/// Whether the path alone may make a document one of ours.
pub(crate) fn is_known_path(path: &str) -> bool {
    let path = clean(path);
    let name = path.rsplit('/').next().unwrap_or(&path);
    let ending = name.rsplit('.').next().unwrap_or("");
    let workflow = matches!(ending, "yml" | "yaml" | "md")
        && path.strip_suffix(name).is_some_and(|folder| folder.ends_with(WORKFLOWS));
    workflow
        || ACTIONS.contains(&name)
        || NAMES.contains(&name)
        || DOTENV.contains(&name)
        || matches!(name, "agent-card.json" | "agent_card.json" | "agent.json")
        || Store::ALL.iter().any(|(suffix, _)| before_suffix(&path, suffix).is_some())
        || by_path(&path).is_some()
}

/// The syntax of a client's file at this path, of those that have one throughout.
pub(crate) fn syntax_at(path: &str) -> Option<Syntax> {
    let path = clean(path);
    let name = path.rsplit('/').next().unwrap_or(&path);
    let by_name = NAMES.contains(&name).then_some(Syntax::Json);
    let syntax = by_path(&path).map(|(_, file, _)| file.syntax).or(by_name)?;
    match syntax {
        Syntax::Json | Syntax::Toml | Syntax::Yaml => Some(syntax),
        Syntax::Frontmatter => None,
    }
}

/// Whether a text at this path is one of ours by what stands before it: the definition of an agent, the source of a workflow.
pub(crate) fn begins_with_settings(path: &str) -> bool {
    let path = clean(path);
    let name = path.rsplit('/').next().unwrap_or(&path);
    let is_source = name.ends_with(".md") && path.strip_suffix(name).is_some_and(|folder| folder.ends_with(WORKFLOWS));
    is_source || by_path(&path).is_some_and(|(_, file, _)| file.is_definition())
}

/// Finds out whose file a document is.
pub(crate) fn locate(document: &Document) -> Option<Located> {
    let path = clean(&document.path);
    if let Some((client, file, root)) = by_path(&path) {
        let ours = match file.syntax {
            Syntax::Frontmatter => tree::frontmatter(&document.text).is_some(),
            _ => has_needed(document, file),
        };
        return ours.then_some(Located::Client { client, file, root, by_content: false });
    }
    if let Some((before, store)) =
        Store::ALL.iter().find_map(|(suffix, store)| Some((before_suffix(&path, suffix)?, *store)))
    {
        return Some(Located::Profiles(store, folder(before)));
    }
    if is_card(document, &path) {
        return Some(Located::Card);
    }
    if let Some(located) = workflow(document, &path) {
        return Some(located);
    }
    let name = path.rsplit('/').next().unwrap_or(&path);
    if DOTENV.contains(&name) && matches!(document.format, Format::Text | Format::Yaml | Format::Toml) {
        return Some(Located::Environment);
    }
    by_content(document, &path, name)
}

/// The path with `/` between components and no leading `./`; of a file that a variable moves, the one in the home folder
/// whose place it takes.
pub(crate) fn clean(path: &str) -> Cow<'_, str> {
    if let Some(home) = path.strip_prefix('$').and_then(unmoved) {
        return Cow::Owned(home);
    }
    let path: Cow<'_, str> =
        if path.contains('\\') { Cow::Owned(path.replace('\\', "/")) } else { Cow::Borrowed(path) };
    match path {
        Cow::Borrowed(path) => Cow::Borrowed(path.strip_prefix("./").unwrap_or(path)),
        Cow::Owned(path) => Cow::Owned(path.strip_prefix("./").map(str::to_owned).unwrap_or(path)),
    }
}

/// The path in the home folder of a file that is shown as `$VARIABLE/…`, or as `$VARIABLE` or `$VARIABLE[2]` where the
/// variable names files.
fn unmoved(shown: &str) -> Option<String> {
    let (variable, rest) = shown.split_once('/').unwrap_or((shown, ""));
    let variable = variable.split('[').next().unwrap_or(variable);
    let of_variable = || crate::MOVED_FILES.iter().filter(|moved| moved.variable == variable);
    if let Some(file) = of_variable().find(|moved| moved.names_file()) {
        return Some(format!("~/{}", file.home));
    }
    of_variable().find_map(|moved| Some(format!("~/{}{}", moved.home, rest.strip_prefix(moved.inside)?)))
}

/// The client and file whose suffix the path ends with, the longest suffix first; and what stands before it.
fn by_path(path: &str) -> Option<(&'static Client, &'static File, String)> {
    let mut best: Option<(&'static Client, &'static File, &str)> = None;
    for client in CLIENTS {
        for file in client.files {
            if let Some(before) = before_suffix(path, file.suffix)
                && best.is_none_or(|(_, _, held)| before.len() < held.len())
            {
                best = Some((client, file, before));
            }
        }
    }
    let (client, file, before) = best?;
    let mut homes: Vec<&str> = file.homes.to_vec();
    homes.sort_by_key(|home| std::cmp::Reverse(home.len()));
    let root = homes
        .iter()
        .filter_map(|home| before.strip_suffix(*home))
        .find(|root| root.is_empty() || root.ends_with('/'))
        .unwrap_or(before);
    Some((client, file, folder(root)))
}

/// A folder without its last slash; `/` stays.
pub(crate) fn folder(path: &str) -> String {
    match path.strip_suffix('/') {
        Some("") => String::from("/"),
        Some(folder) => folder.to_owned(),
        None => path.to_owned(),
    }
}

/// What stands before a suffix that matches whole components at the end of a path.
fn before_suffix<'p>(path: &'p str, suffix: &str) -> Option<&'p str> {
    let mut rest = path;
    for (at, expected) in suffix.rsplit('/').enumerate() {
        if at > 0 {
            rest = rest.strip_suffix('/')?;
        }
        let component = rest.rsplit('/').next().unwrap_or(rest);
        let matches = match expected.split_once('*') {
            Some((start, end)) => {
                component.len() > start.len() + end.len() && component.starts_with(start) && component.ends_with(end)
            }
            None => component == expected,
        };
        if !matches {
            return None;
        }
        rest = rest.get(..rest.len() - component.len())?;
    }
    Some(rest)
}

fn has_needed(document: &Document, file: &File) -> bool {
    file.needs.is_empty()
        || file.needs.iter().any(|need| {
            let is_it = |key: &str| key.strip_prefix(need).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            if document.head.keys.is_empty() {
                // The head of a file with comments may be empty; then the quoted key has to do.
                document.text.contains(&format!("\"{need}"))
            } else {
                document.head.keys.iter().any(|key| is_it(key))
            }
        })
}

/// The top-level keys: of the head, or, where the head could not be read, of the parsed document if it is small.
fn has_key(document: &Document, key: &str) -> bool {
    document.head.has(key)
        || (document.head.keys.is_empty()
            && document.text.len() <= SMALL
            && document.text.contains(key)
            && parsed(document).is_some_and(|node| node.get(key).is_some()))
}

fn parsed(document: &Document) -> Option<Node> {
    tree::parse(&document.text, syntax(document)?).ok()
}

/// The syntax that the pipeline told, for documents whose path does not decide.
pub(crate) fn syntax(document: &Document) -> Option<Syntax> {
    match document.format {
        Format::Json => Some(Syntax::Json),
        Format::Toml => Some(Syntax::Toml),
        Format::Yaml => Some(Syntax::Yaml),
        Format::Ndjson | Format::Csv | Format::Text => None,
    }
}

/// Where GitHub looks for workflows.
const WORKFLOWS: &str = ".github/workflows/";

/// Where an action says what it is.
const ACTIONS: &[&str] = &["action.yml", "action.yaml"];

/// A workflow that names an agent, or one of the workflows and actions of a repository that may call each other; the source
/// of an agentic one is told by the keys before its text.
fn workflow(document: &Document, path: &str) -> Option<Located> {
    let ending = path.rsplit('.').next().unwrap_or("");
    let name = path.rsplit('/').next().unwrap_or(path);
    let before = path.strip_suffix(name).unwrap_or("");
    let root = folder(before.strip_suffix(WORKFLOWS).unwrap_or(before));
    match ending {
        "yml" | "yaml" if document.format == Format::Yaml && document.head.has("jobs") => {
            let runs = workflow::runs_agents(&document.text);
            let takes_part = before.ends_with(WORKFLOWS) && workflow::takes_part(&document.text);
            (runs || takes_part).then_some(Located::Workflow { root, source: false, runs })
        }
        "yml" | "yaml" if ACTIONS.contains(&name) && document.format == Format::Yaml && document.head.has("runs") => {
            // An action may lie anywhere; below this folder it is one of the repository's own.
            let root = before.split_once(".github/").map_or(before, |(root, _)| root);
            Some(Located::Workflow { root: folder(root), source: false, runs: false })
        }
        "md" if before.ends_with(WORKFLOWS) => {
            workflow::is_source(&document.text).then_some(Located::Workflow { root, source: true, runs: true })
        }
        _ => None,
    }
}

fn is_card(document: &Document, path: &str) -> bool {
    if document.format != Format::Json {
        return false;
    }
    let named = path.ends_with(".well-known/agent-card.json") || path.ends_with(".well-known/agent.json");
    let shaped = ["protocolVersion", "capabilities", "defaultInputModes"].iter().any(|key| has_key(document, key))
        && has_key(document, "skills")
        && ["url", "supportedInterfaces", "additionalInterfaces"].iter().any(|key| has_key(document, key));
    named || shaped
}

fn by_content(document: &Document, path: &str, name: &str) -> Option<Located> {
    let syntax = syntax(document)?;
    let root = folder(path.strip_suffix(name).unwrap_or(""));
    let unknown = UNKNOWN.files.iter().find(|file| file.syntax == syntax);
    let of_unknown =
        |root: String| unknown.map(|file| Located::Client { client: &UNKNOWN, file, root, by_content: true });
    if UNMISTAKABLE.iter().any(|key| has_key(document, key)) {
        return of_unknown(root);
    }
    if syntax == Syntax::Json {
        let editor = document.head.keys.iter().any(|key| EDITOR.iter().any(|prefix| key.starts_with(prefix)));
        if editor || is_legacy_editor(document) {
            return editor_settings(root);
        }
        if NAMES.contains(&name) {
            return of_unknown(root);
        }
    }
    let ambiguous = AMBIGUOUS.iter().any(|key| has_key(document, key));
    if ambiguous && document.text.len() <= SMALL {
        let node = parsed(document)?;
        let plausible = AMBIGUOUS.iter().any(|key| {
            node.get(key).is_some_and(|entry| entry.node.entries().iter().any(|server| is_server(&server.node)))
        });
        if plausible {
            return of_unknown(root);
        }
    }
    None
}

/// `mcp.servers`: the form in which only VS Code ever kept servers in its settings.
fn is_legacy_editor(document: &Document) -> bool {
    has_key(document, "mcp")
        && document.text.len() <= SMALL
        && parsed(document).is_some_and(|node| {
            node.find("mcp.servers")
                .iter()
                .any(|servers| servers.node.entries().iter().all(|server| is_server(&server.node)))
        })
}

fn editor_settings(root: String) -> Option<Located> {
    let client = CLIENTS.iter().find(|client| client.id == "vscode")?;
    let file = client.files.iter().find(|file| file.servers.contains(&Servers::Map("mcp.servers")))?;
    Some(Located::Client { client, file, root, by_content: true })
}

/// Whether a value looks like a tool server: it has a command or an address.
pub(crate) fn is_server(node: &Node) -> bool {
    let holds = |key: &str| node.get(key).is_some_and(|entry| !matches!(entry.node.value, tree::Value::Null));
    ["command", "cmd"].iter().any(|key| holds(key))
        || ["url", "httpUrl", "serverUrl", "uri"]
            .iter()
            .any(|key| node.get(key).is_some_and(|entry| entry.node.text().is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_of(path: &str) -> Option<(&'static str, String)> {
        by_path(path).map(|(client, _, root)| (client.id, root))
    }

    #[test]
    fn paths_tell_the_client_and_the_folder() {
        let cases = [
            (".mcp.json", "claude-code", ""),
            ("shop/.mcp.json", "claude-code", "shop"),
            ("/home/ana/.claude.json", "claude-code", "/home/ana"),
            ("home/ana/.claude/settings.json", "claude-code", "home/ana"),
            ("/etc/claude-code/managed-settings.json", "claude-code", "/etc"),
            ("/etc/claude-code/managed-settings.d/10-base.json", "claude-code", "/etc"),
            (
                "/Users/ana/Library/Application Support/Claude/claude_desktop_config.json",
                "claude-desktop",
                "/Users/ana",
            ),
            ("C:/Users/ana/AppData/Roaming/Claude/claude_desktop_config.json", "claude-desktop", "C:/Users/ana"),
            ("home/ana/.config/Code/User/settings.json", "vscode", "home/ana"),
            ("shop/.vscode/mcp.json", "vscode", "shop"),
            ("home/ana/.config/opencode/opencode.json", "opencode", "home/ana"),
            ("shop/opencode.jsonc", "opencode", "shop"),
            ("home/ana/.config/goose/config.yaml", "goose", "home/ana"),
            ("home/ana/.aws/amazonq/cli-agents/dev.json", "amazon-q", "home/ana"),
            (
                "home/ana/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
                "cline",
                "home/ana",
            ),
            ("home/ana/.gemini/policies/deploy.toml", "gemini-cli", "home/ana"),
            ("home/ana/.config/zed/settings.json", "zed", "home/ana"),
        ];
        for (path, client, root) in cases {
            assert_eq!(client_of(path), Some((client, root.to_owned())), "{path}");
        }
        assert_eq!(client_of("shop/settings.json"), None);
        assert_eq!(client_of("shop/x.mcp.json"), None);
        assert_eq!(client_of("shop/notopencode.json"), None);
    }
}
