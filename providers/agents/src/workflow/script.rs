//! Scripts of steps: the agents that they start, and the flags given to them.

use evenhand_model::agent::ApprovalMode;
use evenhand_model::evidence::Fact;

use super::products;
use crate::command;

/// An agent that a script starts.
pub(super) struct Started {
    pub(super) product: &'static str,
    /// The line inside the script, from 0.
    pub(super) line: u32,
    pub(super) flags: Flags,
}

/// What the flags of an agent say.
#[derive(Clone, Debug, Default)]
pub(super) struct Flags {
    pub(super) mode: Option<ApprovalMode>,
    pub(super) tools: Vec<String>,
    pub(super) sandboxed: Fact<bool>,
    /// Whether a sandbox lets it read and change nothing; `None` = no flag speaks of it, unknown = one does, and what it says
    /// is not in the file.
    pub(super) reads_only: Option<Fact<bool>>,
    /// The flags that bear on approval or isolation.
    pub(super) keys: Vec<String>,
}

/// The first agent of each product that a script starts.
pub(super) fn started(script: &str) -> Vec<Started> {
    let mut found: Vec<Started> = Vec::new();
    look(script, 0, 0, &mut found);
    found
}

/// Whether a script starts its agent inside the firewall's container (`awf … -- command`).
pub(super) fn starts_confined(script: &str) -> bool {
    segments(script).iter().any(|(_, segment)| {
        let words = command::split(segment);
        let program = words.iter().find(|word| *word != "sudo" && !word.starts_with('-'));
        program.is_some_and(|word| base(word) == "awf") && !started(segment).is_empty()
    })
}

/// Shells may be given scripts of their own; deeper than this nobody writes them.
const DEPTH: u32 = 4;

fn look(script: &str, first: u32, depth: u32, found: &mut Vec<Started>) {
    for (line, segment) in segments(script) {
        let words = command::split(&segment);
        let at = words.iter().enumerate().find_map(|(at, word)| {
            let name = base(word);
            let product = products::of_program(&name)?;
            let before = at.checked_sub(1).and_then(|before| words.get(before)).map(|word| base(word));
            let begins = match before.as_deref() {
                None => true,
                Some("npx" | "bunx" | "-y" | "--yes" | "sudo" | "exec" | "env" | "timeout" | "--" | "dlx" | "time") => {
                    true
                }
                Some(before) => before.contains('=') || (word.contains('/') && !word.starts_with('@')),
            };
            begins.then_some((at, product))
        });
        if let Some((at, product)) = at
            && let Some(flags) = flags(product, words.get(at + 1..).unwrap_or(&[]))
            && !found.iter().any(|held| held.product == product)
        {
            found.push(Started { product, line: first + line, flags });
            continue;
        }
        let shell = words.iter().any(|word| matches!(base(word).as_str(), "sh" | "bash" | "zsh" | "dash" | "eval"));
        if shell && depth < DEPTH {
            for word in words.iter().filter(|word| word.contains(char::is_whitespace)) {
                look(word, first + line, depth + 1, found);
            }
        }
    }
}

/// The last part of a path, without what fixes a version.
fn base(word: &str) -> String {
    let name = word.rsplit('/').next().unwrap_or(word);
    name.split('@').next().unwrap_or(name).to_owned()
}

/// Cuts a script into commands, each with its line from 0: at line ends that are not escaped, `;`, `|` and `&`, outside
/// quotes.
fn segments(script: &str) -> Vec<(u32, String)> {
    let mut parts = Vec::new();
    let (mut part, mut line, mut started) = (String::new(), 0, 0);
    let mut quote: Option<char> = None;
    let mut characters = script.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (_, '\\') if characters.peek() == Some(&'\n') => {
                characters.next();
                line += 1;
                part.push(' ');
                continue;
            }
            (held, '\\') if held != Some('\'') => {
                part.push(character);
                part.extend(characters.next());
                continue;
            }
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, ';' | '|' | '&' | '\n') => {
                parts.push((started, std::mem::take(&mut part)));
                line += u32::from(character == '\n');
                started = line;
                continue;
            }
            _ => {}
        }
        line += u32::from(character == '\n');
        part.push(character);
    }
    parts.push((started, part));
    parts.retain(|(_, part)| !part.trim().is_empty());
    parts
}

/// What flags mean; `None` where the program is only asked for its version, set up, or used by a person.
pub(super) fn flags(product: &str, words: &[String]) -> Option<Flags> {
    let has = |names: &[&str]| {
        words
            .iter()
            .find(|word| names.iter().any(|name| *word == name || word.starts_with(&format!("{name}="))))
            .cloned()
    };
    let mut flags = Flags::default();
    let first = words.first().map(String::as_str).unwrap_or("");
    let acts = match product {
        "claude-code" => has(&["-p", "--print"]).is_some(),
        "codex" => matches!(first, "exec" | "e"),
        "gemini-cli" => has(&["-p", "--prompt", "-y", "--yolo", "--approval-mode"]).is_some(),
        "copilot-cli" => has(&["-p", "--prompt", "--allow-tool", "--allow-all-tools", "--no-ask-user"]).is_some(),
        "opencode" | "goose" => first == "run",
        "amp" => has(&["-x", "--execute"]).is_some(),
        _ => !matches!(first, "--version" | "--help" | "login" | "status" | "install" | "update" | ""),
    };
    if !acts {
        return None;
    }
    flags.take(product, words);
    Some(flags)
}

impl Flags {
    /// Reads the flags of a product.
    pub(super) fn take(&mut self, product: &str, words: &[String]) {
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) if flag.starts_with('-') => (flag, Some(value.to_owned())),
                _ => (word.as_str(), None),
            };
            let mut next = || value.clone().or_else(|| rest.next().cloned()).unwrap_or_default();
            match (product, flag) {
                ("claude-code", "--dangerously-skip-permissions")
                | ("gemini-cli", "--yolo" | "-y")
                | ("copilot-cli", "--allow-all-tools" | "--allow-all" | "--yolo")
                | ("aider", "--yes-always" | "--yes")
                | ("cursor-cli", "--force" | "-f" | "--yolo")
                | ("amp", "--dangerously-allow-all") => self.set(flag, ApprovalMode::Bypass),
                ("codex", "--dangerously-bypass-approvals-and-sandbox" | "--yolo") => {
                    self.set(flag, ApprovalMode::Bypass);
                    self.confine("danger-full-access");
                }
                ("codex", "--full-auto") => {
                    self.confine("workspace-write");
                    self.keys.push(flag.to_owned());
                }
                ("codex", "--sandbox" | "-s") => {
                    self.confine(&next());
                    self.keys.push(flag.to_owned());
                }
                ("codex", "--config" | "-c") => {
                    let setting = next();
                    let mode = setting.split_once('=').filter(|(key, _)| key.trim() == "sandbox_mode");
                    if let Some((key, mode)) = mode {
                        self.confine(mode.trim().trim_matches(['"', '\'']));
                        self.keys.push(key.trim().to_owned());
                    }
                }
                ("claude-code", "--permission-mode") => match next().as_str() {
                    "bypassPermissions" => self.set(flag, ApprovalMode::Bypass),
                    "acceptEdits" | "auto" | "dontAsk" => self.set(flag, ApprovalMode::Partial),
                    _ => self.set(flag, ApprovalMode::Prompt),
                },
                ("gemini-cli", "--approval-mode") => match next().as_str() {
                    "yolo" => self.set(flag, ApprovalMode::Bypass),
                    "auto_edit" => self.set(flag, ApprovalMode::Partial),
                    _ => self.set(flag, ApprovalMode::Prompt),
                },
                ("gemini-cli", "--sandbox" | "-s") => {
                    self.sandboxed = Fact::Known(true);
                    self.keys.push(flag.to_owned());
                }
                ("claude-code", "--allowedTools" | "--allowed-tools")
                | ("gemini-cli", "--allowed-tools")
                | ("copilot-cli", "--allow-tool") => {
                    self.tools.extend(tool_list(&next()));
                    if !self.keys.iter().any(|held| held == flag) {
                        self.keys.push(flag.to_owned());
                    }
                }
                _ => {}
            }
        }
    }

    /// Takes the mode of Codex' sandbox; any word but its three, such as a variable, leaves open what it is.
    pub(super) fn confine(&mut self, mode: &str) {
        let (sandboxed, reads_only) = match mode {
            "read-only" => (Fact::Known(true), Fact::Known(true)),
            "workspace-write" => (Fact::Known(true), Fact::Known(false)),
            "danger-full-access" => (Fact::Known(false), Fact::Known(false)),
            _ => (Fact::Unknown, Fact::Unknown),
        };
        self.sandboxed = sandboxed;
        self.reads_only = Some(reads_only);
    }

    fn set(&mut self, key: &str, mode: ApprovalMode) {
        self.mode = Some(self.mode.map_or(mode, |held| held.max(mode)));
        self.keys.push(key.to_owned());
    }
}

/// Rules separated by commas or blanks outside parentheses.
pub(super) fn tool_list(text: &str) -> Vec<String> {
    let mut tools = Vec::new();
    let (mut tool, mut depth) = (String::new(), 0_i32);
    for character in text.chars() {
        depth += i32::from(character == '(') - i32::from(character == ')');
        if depth <= 0 && (character == ',' || character.is_whitespace()) {
            tools.push(std::mem::take(&mut tool));
        } else {
            tool.push(character);
        }
    }
    tools.push(tool);
    tools.into_iter().map(|tool| tool.trim().to_owned()).filter(|tool| !tool.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_tell_which_agent_they_start_and_how() {
        type Expected = (&'static str, u32, Option<ApprovalMode>);
        let cases: &[(&str, &[Expected])] = &[
            (
                "npm install -g @anthropic-ai/claude-code\nclaude -p \"fix\" --dangerously-skip-permissions",
                &[("claude-code", 1, Some(ApprovalMode::Bypass))],
            ),
            ("npx -y @anthropic-ai/claude-code@1.0.0 -p hello", &[("claude-code", 0, None)]),
            (
                "echo x | claude --print --permission-mode acceptEdits",
                &[("claude-code", 0, Some(ApprovalMode::Partial))],
            ),
            ("codex exec --sandbox danger-full-access 'do it'", &[("codex", 0, None)]),
            ("KEY=x gemini --yolo -p \"a; b\"", &[("gemini-cli", 0, Some(ApprovalMode::Bypass))]),
            ("copilot -p \"x\" \\\n  --allow-all-tools", &[("copilot-cli", 0, Some(ApprovalMode::Bypass))]),
            ("bash -c 'set -e; /usr/local/bin/copilot --no-ask-user --allow-tool github'", &[("copilot-cli", 0, None)]),
            ("which claude; claude --version; echo 'claude -p x'", &[]),
        ];
        for (script, expected) in cases {
            let found: Vec<_> = started(script).iter().map(|one| (one.product, one.line, one.flags.mode)).collect();
            assert_eq!(found, *expected, "{script}");
        }
    }

    #[test]
    fn a_sandbox_that_no_flag_speaks_of_is_apart_from_one_that_nobody_can_read() {
        let (yes, no, open) = (Fact::Known(true), Fact::Known(false), Fact::Unknown);
        type Case = (&'static str, Fact<bool>, Option<Fact<bool>>);
        let cases: &[Case] = &[
            ("codex exec fix", open, None),
            ("codex exec -c model=o3 fix", open, None),
            ("codex exec --sandbox read-only fix", yes, Some(yes)),
            ("codex exec -s workspace-write fix", yes, Some(no)),
            ("codex exec -c sandbox_mode='\"danger-full-access\"' fix", no, Some(no)),
            ("codex exec --sandbox \"$MODE\" fix", open, Some(open)),
            ("codex exec --sandbox=${{ vars.MODE }} fix", open, Some(open)),
            ("codex exec -c sandbox_mode=$X fix", open, Some(open)),
            ("codex exec --full-auto --sandbox $MODE fix", open, Some(open)),
        ];
        for (script, sandboxed, reads_only) in cases {
            let found: Vec<_> = started(script).iter().map(|one| (one.flags.sandboxed, one.flags.reads_only)).collect();
            assert_eq!(found, [(*sandboxed, *reads_only)], "{script}");
        }
    }

    #[test]
    fn tools_are_cut_outside_parentheses() {
        assert_eq!(tool_list("Edit,Bash(git add:*, x),Read  Write"), ["Edit", "Bash(git add:*, x)", "Read", "Write"]);
    }
}
