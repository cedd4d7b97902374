//! Whether what a rule allows reaches beyond the machine: push, merge, deploy, delete, send.
//!
//! Judged by the words of a command or the name of a tool. What runs other code could do anything and is unknown.

use evenhand_model::evidence::Truth;

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

/// More programs whose first word says what they do, or which program of others they run.
const DIRECTED: &[&str] =
    &["git", "make", "just", "task", "go", "rustup", "brew", "systemctl", "npx", "pnpx", "bunx", "uvx"];

/// Whether the first word behind a program says what it does and is no value.
pub(super) fn has_subcommands(program: &str) -> bool {
    let program = program.rsplit('/').next().unwrap_or(program);
    [REMOTE, PACKAGE_TOOLS, DIRECTED].iter().any(|programs| programs.contains(&program))
}

/// Whether a word is one of those that say what is done.
pub(super) fn is_verb(word: &str) -> bool {
    [READING, PUBLISHING, RUNNING, EFFECTS, READS].iter().any(|verbs| verbs.contains(&word))
}

/// Whether a command that begins so acts outside the machine. Programs that run other code could do anything: unknown.
pub(super) fn command_effect(command: &str) -> Truth {
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

/// Whether a tool of a tool server, by its name, changes something elsewhere.
pub(super) fn tool_effect(tool: &str) -> Truth {
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
pub(super) fn builtin_effect(tool: &str) -> Truth {
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
