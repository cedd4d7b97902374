//! Rules that let a tool run unasked: what a rule allows, and whether that reaches beyond the machine.

mod effect;
mod shown;

use evenhand_model::evidence::Truth;

use effect::{builtin_effect, command_effect, tool_effect};
pub(crate) use shown::shown;

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

/// A rule. Its text holds no value: see [`shown`].
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
        Self { text: shown(written, grammar), action }
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
