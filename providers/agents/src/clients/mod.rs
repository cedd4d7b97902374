//! Clients as data: which files a client reads, where its servers stand, which keys decide about approval, and what holds
//! when nothing is set. Adding a client is a row in [`table`] and a case in the tests.

mod table;

use evenhand_model::agent::ApprovalMode;
use evenhand_model::provider::MovedFiles;

use crate::command::Reach;
use crate::permissions::Grammar;
use crate::tree::Syntax;

pub(crate) use table::{CLIENTS, DOTENV, UNKNOWN};

/// A client.
pub(crate) struct Client {
    /// The word in ids and in the `client` column.
    pub(crate) id: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// How much runs unasked when no file says anything.
    pub(crate) default: Unset,
    /// Whether it runs commands as the person who started it.
    pub(crate) shell: bool,
    /// What holds for other facts when the files that could set them were read and do not.
    pub(crate) defaults: Defaults,
    /// Variables that move its files, looked at where they are set.
    pub(crate) moved: &'static [MovedFiles],
    /// The files.
    pub(crate) files: &'static [File],
}

/// The approval mode of a client that nobody configured.
#[derive(Clone, Copy)]
pub(crate) enum Unset {
    /// Documented.
    Mode(ApprovalMode),
    /// Kept where no file tells: the client's own database, its interface.
    Elsewhere,
}

/// Documented defaults; `None` = not documented.
#[derive(Clone, Copy)]
pub(crate) struct Defaults {
    pub(crate) sandboxed: Option<bool>,
    /// Whether commands may leave the sandbox, where there is one.
    pub(crate) escape: Option<bool>,
    pub(crate) telemetry: Option<bool>,
    pub(crate) project_servers: Option<bool>,
    pub(crate) reach: Option<Reach>,
}

/// Who a file speaks for. The order is that of precedence, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Level {
    /// Defaults for everyone on the machine.
    System,
    /// One person, all projects.
    User,
    /// The same path below a home folder and below a project.
    UserOrProject,
    /// Everyone in a project.
    Project,
    /// One person in a project.
    Local,
    /// Set by an administrator; nobody overrides it.
    Managed,
}

/// A file of a client.
pub(crate) struct File {
    /// The end of its path; `*` stands for anything inside one component.
    pub(crate) suffix: &'static str,
    /// What stands before it, below a home folder; empty where it does not lie in one.
    pub(crate) homes: &'static [&'static str],
    pub(crate) level: Level,
    pub(crate) syntax: Syntax,
    pub(crate) servers: &'static [Servers],
    pub(crate) keys: &'static [Key],
    /// Keys of which one must stand at the top, as whole keys or before a dot, for files that other programs share.
    pub(crate) needs: &'static [&'static str],
    /// Where to look for secrets.
    pub(crate) secrets: Secrets,
}

impl File {
    /// Whether it lies in the folder of a project.
    pub(crate) fn is_of_projects(&self) -> bool {
        matches!(self.level, Level::UserOrProject | Level::Project | Level::Local)
    }

    /// Whether the file defines an agent of its own, as opposed to configuring the client.
    pub(crate) fn is_definition(&self) -> bool {
        self.syntax == Syntax::Frontmatter
    }
}

/// Where tool servers stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Servers {
    /// A map from name to server, at a path.
    Map(&'static str),
    /// A list of servers that name themselves, at a path.
    List(&'static str),
    /// A list at a path: maps of one name to a server, and names of servers that are configured elsewhere.
    Named(&'static str),
    /// The whole document is the map, where every member looks like a server.
    Top,
}

/// Where to look for secrets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Secrets {
    /// Anywhere: the file belongs to the client alone.
    Everywhere,
    /// Below these keys: the file belongs to an editor too.
    Under(&'static [&'static str]),
    /// Every value is one.
    Values,
    /// Anywhere: the client keeps here what it signs in with; access tokens end by themselves, refresh tokens do not.
    Store,
}

/// A key that decides something.
pub(crate) struct Key {
    /// The dotted path; `*` is any key.
    pub(crate) path: &'static str,
    pub(crate) effect: Effect,
}

/// Words that a value can be, with what each means; `*` is any other value.
pub(crate) type Words<T> = &'static [(&'static str, T)];

/// What a key does.
#[derive(Clone, Copy)]
pub(crate) enum Effect {
    /// It is the approval mode.
    Mode(Words<ApprovalMode>),
    /// It lets more run unasked, whatever the mode says.
    Widen(Words<ApprovalMode>),
    /// The same, for the profile whose name is the `*` of the key, where the named key at the top selects it.
    WidenIfSelected(&'static str, Words<ApprovalMode>),
    /// Rules for what runs unasked: a list, or a map to truth values.
    Allow(Grammar),
    /// Rules for what runs unasked in the project whose path is the `*` of the key, and nowhere else.
    AllowInProject(Grammar),
    /// Rules for what is asked although allowed elsewhere.
    Ask(Grammar),
    /// Rules for what never runs.
    Deny(Grammar),
    /// One tool, or one kind of action, runs unasked.
    AllowTool(&'static str, Words<bool>),
    /// Whether commands run in a sandbox.
    Sandbox(Words<bool>),
    /// A list of the sandboxes that remain: a mode that is not in it is not in force, whoever sets it.
    SandboxOneOf(Words<bool>),
    /// Whether commands run unasked because they run in a sandbox; the value is what holds when it is not set.
    SandboxApproves(Words<bool>),
    /// Whether actions are exported to telemetry.
    Telemetry(Words<bool>),
    /// Whether servers of a project start without review.
    ProjectServers(Words<bool>),
    /// A list of project servers that start without review.
    NamedProjectServers,
    /// Whether bypassing approval is forbidden.
    Forbids(Words<bool>),
    /// A list of the modes that remain; bypassing is forbidden when the word is not in it.
    ForbidsUnless(&'static str),
    /// Folders it may touch beside the project.
    Folders,
    /// Whether commands may leave the sandbox: a switch, or a list of commands.
    Escape(Words<bool>),
    /// Commands that run at events of the client.
    Hooks,
    /// Whether only an administrator's hooks run.
    OnlyManagedHooks,
    /// Whether only an administrator's rules count.
    OnlyManagedRules,
    /// It bears on approval or isolation, but nothing here depends on it.
    Noted,
    /// opencode's `permission`: a word, or a map from tool to word or to a map of patterns.
    PermissionMap,
    /// opencode's `permission` of one agent.
    AgentPermissionMap,
    /// Zed's map of tools.
    ToolMap,
    /// Gemini's list of policy rules.
    PolicyRules,
}

/// A cell of a Markdown table.
fn cell(parts: impl IntoIterator<Item = String>) -> String {
    let mut parts: Vec<String> = parts.into_iter().map(|part| format!("`{}`", part.replace('|', "\\|"))).collect();
    parts.dedup();
    if parts.is_empty() { String::from("–") } else { parts.join("<br>") }
}

/// The clients as a table of Markdown: their files, where tool servers stand, the keys that are read, the default.
pub(crate) fn documented() -> String {
    let mut table = String::from("| client | files | tool servers | keys | when unset |\n|---|---|---|---|---|\n");
    for client in CLIENTS {
        let files = client.files.iter().map(|file| {
            let homes = file.homes.iter().filter(|home| !home.is_empty()).copied().collect::<Vec<_>>();
            match homes.as_slice() {
                [home] => format!("{home}{}", file.suffix),
                _ => file.suffix.to_owned(),
            }
        });
        let moved = client.moved.iter().map(|moved| match moved.names_file() {
            true => format!("${}", moved.variable),
            false => format!("${}/{}", moved.variable, moved.inside),
        });
        let mut servers: Vec<String> = client
            .files
            .iter()
            .flat_map(|file| file.servers)
            .map(|servers| match servers {
                Servers::Map(path) => (*path).to_owned(),
                Servers::List(path) | Servers::Named(path) => format!("{path}[]"),
                Servers::Top => String::from("{}"),
            })
            .collect();
        servers.sort();
        servers.dedup();
        let mut keys: Vec<String> =
            client.files.iter().flat_map(|file| file.keys).map(|key| key.path.to_owned()).collect();
        keys.sort();
        keys.dedup();
        let unset = match client.default {
            Unset::Mode(mode) => mode.as_str(),
            Unset::Elsewhere => "unknown",
        };
        table.push_str(&format!(
            "| {} (`{}`) | {} | {} | {} | {unset} |\n",
            client.name,
            client.id,
            cell(files.chain(moved)),
            cell(servers),
            cell(keys)
        ));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_every_client_has_files() {
        let mut ids: Vec<&str> = CLIENTS.iter().map(|client| client.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CLIENTS.len());
        assert!(CLIENTS.iter().all(|client| !client.files.is_empty()));
    }

    #[test]
    fn files_shared_with_other_programs_say_which_keys_make_them_ours() {
        for file in CLIENTS.iter().flat_map(|client| client.files) {
            if matches!(file.secrets, Secrets::Under(_)) {
                assert!(!file.needs.is_empty(), "{}", file.suffix);
            }
        }
    }

    #[test]
    fn the_hook_runs_for_every_path_of_a_project() {
        let hook = include_str!("../../../../.pre-commit-hooks.yaml");
        let (_, files) = hook.split_once("files: >-").unwrap();
        let files = regex::Regex::new(files.trim()).unwrap();
        let of_projects = CLIENTS.iter().flat_map(|client| client.files);
        let of_projects = of_projects.filter(|file| file.is_of_projects()).map(|file| file.suffix.replace('*', "x"));
        let others = crate::locate::PROJECT_FILES.iter().chain(DOTENV).map(|name| (*name).to_owned());
        for path in of_projects.chain(others).flat_map(|path| [format!("deep/er/{path}"), path]) {
            assert!(files.is_match(&path), "{path}");
            assert!(crate::is_known_path(&path), "{path}");
        }
        for path in ["src/main.rs", "settings.json", "package.json", "docs/mcp.md", "environment.json", "agents/x.json"]
        {
            assert!(!files.is_match(path), "{path}");
        }
    }

    #[test]
    fn the_readme_lists_every_client() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = std::fs::read_to_string(path).unwrap();
        let (before, rest) = readme.split_once("<!-- clients -->").unwrap();
        let (_, after) = rest.split_once("<!-- /clients -->").unwrap();
        let expected = format!("{before}<!-- clients -->\n{}<!-- /clients -->{after}", documented());
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &expected).unwrap();
        } else {
            assert_eq!(readme, expected, "run the tests with UPDATE=1");
        }
    }
}
