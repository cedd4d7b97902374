//! Rules that let a tool run unasked: what a rule allows, and whether that reaches beyond the machine.

use evenhand_model::evidence::Truth;

use crate::secret;

/// How a client writes its rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Grammar {
    /// `Bash(git push:*)`, `mcp__server__tool`, `Mcp(server, tool)`.
    Call,
    /// The beginning of a command line, or `/regular expression/`.
    Command,
    /// `server:tool`.
    ServerTool,
    /// `@server/tool`, `@server`, or a built-in tool.
    At,
    /// The name of a tool.
    Tool,
}

/// What a rule allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    Everything,
    /// Commands that begin so; `None` = all.
    Shell(Option<String>),
    /// A tool of a tool server; `None` = all of them.
    Server(String, Option<String>),
    /// A built-in tool.
    Tool(String),
}

/// A rule, its text free of secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rule {
    pub(crate) text: String,
    pub(crate) action: Action,
}

const SHELLS: &[&str] = &[
    "bash",
    "shell",
    "powershell",
    "terminal",
    "run_shell_command",
    "shelltool",
    "execute_bash",
    "execute_cmd",
    "executebash",
    "execute_command",
    "run_command",
    "run_in_terminal",
    "runterminalcommand",
    "developer__shell",
];

impl Rule {
    pub(crate) fn parse(text: &str, grammar: Grammar) -> Self {
        let written = text.trim();
        let action = match grammar {
            Grammar::Call => call(written),
            Grammar::Command => Action::Shell(command_prefix(written)),
            Grammar::ServerTool => match written.split_once(':') {
                Some(("*", "*")) => Action::Everything,
                Some((server, tool)) => Action::Server(server.to_owned(), some_tool(tool)),
                None if written == "*" => Action::Everything,
                None => Action::Tool(written.to_owned()),
            },
            Grammar::At => match written.strip_prefix('@') {
                Some(rest) => match rest.split_once('/') {
                    Some((server, tool)) => Action::Server(server.to_owned(), some_tool(tool)),
                    None => Action::Server(rest.to_owned(), None),
                },
                None => tool(written),
            },
            Grammar::Tool => tool(written),
        };
        Self { text: secret::redact(written), action }
    }

    /// Whether the rule lets everything, or every command, run.
    pub(crate) fn is_blanket(&self) -> bool {
        matches!(self.action, Action::Everything | Action::Shell(None))
    }

    /// Whether everything that `other` allows falls under this rule.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (&self.action, &other.action) {
            (Action::Everything, _) | (Action::Shell(None), Action::Shell(_)) => true,
            (Action::Shell(Some(outer)), Action::Shell(Some(inner))) => inner.starts_with(outer.as_str()),
            (Action::Server(outer, None), Action::Server(inner, _)) => outer == inner,
            (outer, inner) => outer == inner,
        }
    }

    /// The tool server that the rule speaks of.
    pub(crate) fn server(&self) -> Option<&str> {
        match &self.action {
            Action::Server(server, _) => Some(server),
            _ => None,
        }
    }

    /// Whether what it allows has effects outside the machine: push, merge, deploy, delete, send.
    pub(crate) fn has_external_effect(&self) -> Truth {
        match &self.action {
            Action::Everything | Action::Shell(None) => Truth::Yes,
            Action::Shell(Some(command)) => command_effect(command),
            Action::Server(_, None) => Truth::Unknown,
            Action::Server(_, Some(tool)) => tool_effect(tool),
            Action::Tool(tool) => builtin_effect(tool),
        }
    }
}

fn some_tool(tool: &str) -> Option<String> {
    (!matches!(tool.trim(), "*" | "")).then(|| tool.trim().to_owned())
}

fn tool(name: &str) -> Action {
    match name {
        "*" | "all" => Action::Everything,
        name if SHELLS.contains(&name.to_ascii_lowercase().as_str()) => Action::Shell(None),
        name => Action::Tool(name.to_owned()),
    }
}

fn call(text: &str) -> Action {
    if let Some(rest) = text.strip_prefix("mcp__") {
        return match rest.split_once("__") {
            Some((server, tool)) => Action::Server(server.to_owned(), some_tool(tool)),
            None => Action::Server(rest.to_owned(), None),
        };
    }
    let Some((name, argument)) = text.split_once('(') else { return tool(text) };
    let argument = argument.strip_suffix(')').unwrap_or(argument);
    let lower = name.to_ascii_lowercase();
    if SHELLS.contains(&lower.as_str()) {
        return Action::Shell(command_prefix(argument));
    }
    if lower == "mcp" {
        let (server, tool) = argument.split_once([',', ':']).unwrap_or((argument, "*"));
        return match (server.trim(), some_tool(tool)) {
            ("*", None) => Action::Everything,
            (server, tool) => Action::Server(server.to_owned(), tool),
        };
    }
    Action::Tool(text.to_owned())
}

/// The fixed beginning of a command pattern; `None` = it matches every command.
fn command_prefix(pattern: &str) -> Option<String> {
    let mut pattern = pattern.trim();
    let cleaned;
    if let Some(expression) = pattern.strip_prefix('/')
        && let Some((expression, _)) = expression.rsplit_once('/')
    {
        cleaned = plain(expression);
        pattern = &cleaned;
    }
    let fixed = pattern.split(['*', '?']).next().unwrap_or("").trim_end_matches([':', ' ', '.']).trim();
    if fixed.is_empty() { None } else { Some(fixed.to_owned()) }
}

/// The fixed text that a regular expression begins with, blanks for blank classes.
pub(crate) fn plain(expression: &str) -> String {
    let expression = expression.trim_start_matches('^').trim_end_matches('$');
    let expression = expression.replace(r"\s+", " ").replace(r"\s*", " ").replace(r"\s", " ").replace(r"\b", " ");
    let expression = expression.replace(r"\-", "-").replace(r"\.", ".").replace(r"\/", "/");
    let fixed = expression.split(['(', '[', '|', '\\', '{', '+']).next().unwrap_or("");
    fixed.trim_end_matches(".*").to_owned()
}

/// Programs that only touch this machine.
const LOCAL: &[&str] = &[
    "ls",
    "cat",
    "grep",
    "egrep",
    "rg",
    "find",
    "fd",
    "head",
    "tail",
    "wc",
    "sort",
    "uniq",
    "echo",
    "printf",
    "pwd",
    "cd",
    "mkdir",
    "rmdir",
    "rm",
    "cp",
    "mv",
    "touch",
    "chmod",
    "chown",
    "ln",
    "sed",
    "awk",
    "jq",
    "yq",
    "tree",
    "stat",
    "file",
    "test",
    "diff",
    "which",
    "whereis",
    "tee",
    "less",
    "more",
    "du",
    "df",
    "ps",
    "lsof",
    "kill",
    "pkill",
    "date",
    "basename",
    "dirname",
    "realpath",
    "cut",
    "tr",
    "sleep",
    "true",
    "false",
    "type",
    "command",
    "export",
    "set",
    "tar",
    "unzip",
    "zip",
    "gzip",
    "gunzip",
    "md5sum",
    "sha256sum",
    "whoami",
    "id",
    "uname",
    "hostname",
    "prettier",
    "eslint",
    "tsc",
    "ruff",
    "black",
    "mypy",
    "pyright",
    "biome",
    "rustfmt",
    "gofmt",
    "shellcheck",
    "actionlint",
    "hadolint",
    "git",
    "code",
    "open",
    "column",
    "comm",
    "nl",
    "od",
    "xxd",
    "strings",
    "pgrep",
    "top",
    "free",
    "uptime",
    "vitest",
];

/// Programs that reach other machines; a reading verb among their arguments makes them harmless.
const REMOTE: &[&str] = &[
    "gh",
    "glab",
    "hub",
    "aws",
    "az",
    "gcloud",
    "gsutil",
    "bq",
    "kubectl",
    "oc",
    "helm",
    "helmfile",
    "terraform",
    "tofu",
    "terragrunt",
    "pulumi",
    "cdk",
    "sam",
    "serverless",
    "sls",
    "vercel",
    "netlify",
    "wrangler",
    "flyctl",
    "fly",
    "heroku",
    "doctl",
    "supabase",
    "firebase",
    "railway",
    "render",
    "argocd",
    "flux",
    "eksctl",
    "ansible",
    "ansible-playbook",
    "psql",
    "mysql",
    "mongosh",
    "mongo",
    "redis-cli",
    "snowsql",
    "databricks",
    "stripe",
    "twilio",
    "vault",
    "nomad",
    "consul",
    "copilot",
    "eb",
    "ecs-cli",
    "sentry-cli",
    "jira",
    "linear",
    "slack",
    "acli",
    "kustomize",
];

/// Programs that send whatever they are told.
const SENDING: &[&str] = &[
    "curl", "ssh", "scp", "sftp", "rsync", "nc", "ncat", "telnet", "ftp", "http", "https", "httpie", "xh", "mail",
    "sendmail", "twine",
];

/// Words that make a command of a [`REMOTE`] program a reading one.
const READING: &[&str] = &[
    "view",
    "list",
    "ls",
    "get",
    "describe",
    "status",
    "diff",
    "checks",
    "show",
    "log",
    "logs",
    "plan",
    "validate",
    "version",
    "help",
    "watch",
    "configure",
    "top",
    "explain",
    "whoami",
    "fmt",
    "template",
    "lint",
    "search",
    "init",
    "output",
    "checkout",
    "clone",
    "download",
    "list-profiles",
    "tail",
    "history",
    "inspect",
    "info",
    "graph",
    "state",
];

/// Programs whose subcommands decide.
const PACKAGE_TOOLS: &[&str] = &[
    "npm", "pnpm", "yarn", "bun", "cargo", "docker", "podman", "gem", "poetry", "uv", "mvn", "gradle", "dotnet", "pip",
    "hatch",
];
const PUBLISHING: &[&str] =
    &["publish", "push", "unpublish", "deprecate", "owner", "yank", "deploy", "upload", "release"];
const RUNNING: &[&str] = &["run", "exec", "x", "dlx", "start", "test", "compose", "run-script", "tool", "turbo"];

/// Whether a command that begins so acts outside the machine. Programs that run other code could do anything: unknown.
pub(crate) fn command_effect(command: &str) -> Truth {
    let words: Vec<&str> = command.split_whitespace().collect();
    let mut words = words.as_slice();
    while let [first, rest @ ..] = words {
        let wrapper = matches!(*first, "sudo" | "timeout" | "time" | "nohup" | "command" | "env") && !rest.is_empty();
        let assignment = first.contains('=') || first.starts_with('-');
        if !wrapper && !assignment {
            break;
        }
        words = rest;
    }
    let Some((program, rest)) = words.split_first() else { return Truth::Unknown };
    let program = program.rsplit('/').next().unwrap_or(program);
    let verbs: Vec<&str> = rest.iter().copied().filter(|word| !word.starts_with('-')).collect();
    let reads = |word: &&str| {
        READING.contains(word)
            || ["get-", "list-", "describe-", "head-", "lookup-"].iter().any(|prefix| word.starts_with(prefix))
    };
    if program == "git" {
        let pushes = verbs.first().is_none_or(|verb| matches!(*verb, "push" | "send-email" | "svn"));
        // `git stash push` stays here; only the first verb counts.
        return Truth::from(pushes);
    }
    if SENDING.contains(&program) {
        return Truth::Yes;
    }
    if REMOTE.contains(&program) {
        return Truth::from(!verbs.iter().any(reads));
    }
    if PACKAGE_TOOLS.contains(&program) {
        return match verbs.first() {
            None => Truth::Yes,
            Some(_) if verbs.iter().any(|verb| PUBLISHING.contains(verb)) => Truth::Yes,
            Some(verb) if RUNNING.contains(verb) => Truth::Unknown,
            Some(_) => Truth::No,
        };
    }
    if LOCAL.contains(&program) { Truth::No } else { Truth::Unknown }
}

const EFFECTS: &[&str] = &[
    "create",
    "update",
    "delete",
    "remove",
    "merge",
    "push",
    "deploy",
    "send",
    "post",
    "write",
    "publish",
    "execute",
    "run",
    "apply",
    "add",
    "edit",
    "set",
    "close",
    "assign",
    "comment",
    "invite",
    "approve",
    "cancel",
    "start",
    "stop",
    "restart",
    "terminate",
    "transfer",
    "pay",
    "refund",
    "upload",
    "put",
    "patch",
    "insert",
    "drop",
    "grant",
    "revoke",
    "scale",
    "rollback",
    "trigger",
    "submit",
    "reply",
    "move",
    "rename",
    "archive",
    "invoke",
    "fork",
    "rerun",
    "order",
];
const READS: &[&str] = &[
    "get",
    "list",
    "search",
    "find",
    "read",
    "fetch",
    "describe",
    "view",
    "query",
    "whoami",
    "analyze",
    "show",
    "check",
    "lookup",
    "count",
    "resolve",
    "browse",
    "inspect",
    "download",
    "navigate",
    "snapshot",
    "screenshot",
    "think",
];

fn tool_effect(tool: &str) -> Truth {
    let lower = tool.replace(|character: char| !character.is_ascii_alphanumeric(), "_");
    let mut words: Vec<String> = Vec::new();
    for part in lower.split('_') {
        let mut word = String::new();
        for character in part.chars() {
            if character.is_ascii_uppercase() && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            word.push(character.to_ascii_lowercase());
        }
        words.push(word);
    }
    if words.iter().any(|word| EFFECTS.contains(&word.as_str())) {
        Truth::Yes
    } else if words.iter().any(|word| READS.contains(&word.as_str())) {
        Truth::No
    } else {
        Truth::Unknown
    }
}

/// Built-in tools act on this machine, except those that call a cloud.
fn builtin_effect(tool: &str) -> Truth {
    let name = tool.split('(').next().unwrap_or(tool).to_ascii_lowercase();
    const HERE: &[&str] = &[
        "read",
        "write",
        "edit",
        "multiedit",
        "notebookedit",
        "glob",
        "grep",
        "ls",
        "todowrite",
        "todoread",
        "webfetch",
        "websearch",
        "fs_read",
        "fs_write",
        "read_file",
        "write_file",
        "edit_file",
        "replace",
        "list_directory",
        "search_file_content",
        "google_web_search",
        "web_fetch",
        "save_memory",
        "edits",
        "fetch",
        "thinking",
        "knowledge",
        "report_issue",
        "introspect",
        "create_directory",
        "copy_path",
        "move_path",
        "delete_path",
        "diagnostics",
        "skill",
    ];
    if HERE.contains(&name.as_str()) {
        Truth::No
    } else if name == "use_aws" {
        Truth::Yes
    } else {
        Truth::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_every_grammar_are_understood() {
        let cases = [
            ("Bash(*)", Grammar::Call, Action::Shell(None)),
            ("Bash", Grammar::Call, Action::Shell(None)),
            ("Bash(git push:*)", Grammar::Call, Action::Shell(Some("git push".into()))),
            ("Bash(npm run *)", Grammar::Call, Action::Shell(Some("npm run".into()))),
            ("mcp__github", Grammar::Call, Action::Server("github".into(), None)),
            ("mcp__github__get_me", Grammar::Call, Action::Server("github".into(), Some("get_me".into()))),
            ("Mcp(github, *)", Grammar::Call, Action::Server("github".into(), None)),
            ("Shell(git)", Grammar::Call, Action::Shell(Some("git".into()))),
            ("run_shell_command(git status)", Grammar::Call, Action::Shell(Some("git status".into()))),
            ("run_shell_command", Grammar::Call, Action::Shell(None)),
            ("Edit(src/**)", Grammar::Call, Action::Tool("Edit(src/**)".into())),
            ("*", Grammar::Call, Action::Everything),
            ("/^git\\s+status\\b/", Grammar::Command, Action::Shell(Some("git status".into()))),
            ("/.*/", Grammar::Command, Action::Shell(None)),
            ("*:*", Grammar::ServerTool, Action::Everything),
            ("github:*", Grammar::ServerTool, Action::Server("github".into(), None)),
            ("@git/status", Grammar::At, Action::Server("git".into(), Some("status".into()))),
            ("@git", Grammar::At, Action::Server("git".into(), None)),
            ("execute_bash", Grammar::At, Action::Shell(None)),
            ("fs_read", Grammar::At, Action::Tool("fs_read".into())),
        ];
        for (text, grammar, action) in cases {
            assert_eq!(Rule::parse(text, grammar).action, action, "{text}");
        }
    }

    #[test]
    fn effects_outside_the_machine_are_told_from_local_ones() {
        let cases = [
            ("Bash(git push:*)", Truth::Yes),
            ("Bash(git stash push:*)", Truth::No),
            ("Bash(git status:*)", Truth::No),
            ("Bash(git:*)", Truth::Yes),
            ("Bash(gh pr merge:*)", Truth::Yes),
            ("Bash(gh pr view:*)", Truth::No),
            ("Bash(gh api:*)", Truth::Yes),
            ("Bash(gh issue comment:*)", Truth::Yes),
            ("Bash(aws configure list-profiles)", Truth::No),
            ("Bash(aws:*)", Truth::Yes),
            ("Bash(aws ec2 describe-instances:*)", Truth::No),
            ("Bash(kubectl get:*)", Truth::No),
            ("Bash(kubectl delete:*)", Truth::Yes),
            ("Bash(terraform plan:*)", Truth::No),
            ("Bash(terraform apply:*)", Truth::Yes),
            ("Bash(curl:*)", Truth::Yes),
            ("Bash(npm publish)", Truth::Yes),
            ("Bash(npm run build)", Truth::Unknown),
            ("Bash(python3:*)", Truth::Unknown),
            ("Bash(ls:*)", Truth::No),
            ("Bash(*)", Truth::Yes),
            ("mcp__github__merge_pull_request", Truth::Yes),
            ("mcp__github__get_me", Truth::No),
            ("mcp__github", Truth::Unknown),
            ("Edit(src/**)", Truth::No),
            ("WebFetch(domain:example.test)", Truth::No),
        ];
        for (text, effect) in cases {
            assert_eq!(Rule::parse(text, Grammar::Call).has_external_effect(), effect, "{text}");
        }
    }

    #[test]
    fn a_wider_rule_covers_a_narrower_one() {
        let rule = |text| Rule::parse(text, Grammar::Call);
        assert!(rule("Bash(git push:*)").covers(&rule("Bash(git push origin:*)")));
        assert!(!rule("Bash(git push --force*)").covers(&rule("Bash(git push:*)")));
        assert!(rule("Bash").covers(&rule("Bash(ls:*)")));
        assert!(rule("mcp__a").covers(&rule("mcp__a__b")));
        assert!(!rule("mcp__a").covers(&rule("mcp__b")));
    }
}
