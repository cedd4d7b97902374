//! The walk through a configuration that finds every secret in it, whatever the slot: environment, headers, arguments,
//! URLs, client secrets, keys of model providers, commands and rules.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::secret::Fingerprinter;

use super::standing_in;
use super::value::{self, Hit};
use super::withheld;
use super::{Borrowed, EnvFile, Found, formats, issuer};
use crate::command::{self, Mounts, Whose};
use crate::profiles::{KUBE_CONTEXT, KUBECONFIG, PROFILE};
use crate::tree::{Node, Value};

/// Members that name variables: references by construction.
const NO_VALUES: &[&str] = &["env_http_headers", "env_vars", "env_keys", "envKeys"];

/// Members whose text a process list or a log repeats.
const ARGUMENTS: &[&str] = &["args", "arguments", "command", "cmd", "path"];
const ADDRESSES: &[&str] = &["url", "httpUrl", "serverUrl", "uri", "endpoint", "baseUrl", "base_url", "tcp"];

/// Environment variables and flags that name a principal, with the prefix of the principal's id here.
const PRINCIPALS: &[(&str, &str)] = &[
    ("AWS_PROFILE", "aws-profile:"),
    ("AWS_DEFAULT_PROFILE", "aws-profile:"),
    ("AWS_ROLE_ARN", ""),
    ("AZURE_CLIENT_ID", "azure-app:"),
    ("ARM_CLIENT_ID", "azure-app:"),
    (UNCLEAR_PROFILE, PROFILE),
    ("KUBE_CONTEXT", KUBE_CONTEXT),
    ("KUBECONTEXT", KUBE_CONTEXT),
    ("KUBECONFIG", KUBECONFIG),
    ("kubeconfig", KUBECONFIG),
    ("CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT", ""),
    ("GOOGLE_IMPERSONATE_SERVICE_ACCOUNT", ""),
];

/// The flag that names a profile, where nothing tells whose.
const UNCLEAR_PROFILE: &str = "--profile";

/// Settings whose value is a command that yields or renews a credential (Claude Code's settings reference).
const COMMANDS: &[&str] = &["apiKeyHelper", "awsAuthRefresh", "awsCredentialExport"];

/// The flag with which programs are given a file of variables (`docker run`, `node`, `uv run`).
const ENV_FILE: &str = "env-file";

/// Finds secrets and forgets them: only fingerprints stay.
pub(crate) struct Slots<'f> {
    fingerprinter: &'f Fingerprinter,
    /// Nodes that are left out, by address: tool servers hold their own secrets.
    skipped: BTreeSet<usize>,
    /// What was found, in the order of the file.
    pub(crate) found: Vec<Found>,
    /// Principals that are named.
    pub(crate) borrowed: Vec<Borrowed>,
    /// Environment files that are named.
    pub(crate) env_files: Vec<EnvFile>,
    /// What the container has of the machine that the server at hand runs in, where it runs in one.
    pub(crate) container: Option<Mounts>,
    /// The program that `args` are for, where that is known.
    program: Vec<String>,
    /// What stands around the arguments, such as the name of a tool server.
    speaks: Speaks,
    /// What the container has of the machine that the words at hand start.
    mounts: Option<Mounts>,
    /// Through how many maps around it an endpoint that is not AWS's still speaks.
    elsewhere: u8,
}

/// What a text speaks of.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Speaks {
    pub(crate) of_aws: bool,
    pub(crate) of_clusters: bool,
}

impl<'f> Slots<'f> {
    pub(crate) fn new(fingerprinter: &'f Fingerprinter) -> Self {
        Self {
            fingerprinter,
            skipped: BTreeSet::new(),
            found: Vec::new(),
            borrowed: Vec::new(),
            env_files: Vec::new(),
            container: None,
            program: Vec::new(),
            speaks: Speaks::default(),
            mounts: None,
            elsewhere: 0,
        }
    }

    /// With the program that `args` are for, and what is said around them.
    pub(crate) fn of_program(self, program: Vec<String>, speaks: Speaks) -> Self {
        Self { program, speaks, ..self }
    }

    /// Leaves nodes out. They must outlive the walk.
    pub(crate) fn without(mut self, nodes: &[&Node]) -> Self {
        self.skipped.extend(nodes.iter().map(|node| address(node)));
        self
    }

    /// Looks through a member called `name` and everything below it. `slot` is the path that names the place.
    pub(crate) fn walk(&mut self, name: &str, line: u32, node: &Node, slot: &str) {
        if NO_VALUES.contains(&name) || self.skipped.contains(&address(node)) {
            return;
        }
        match &node.value {
            Value::Null => {}
            Value::Bool(_) => {}
            Value::Number(_) | Value::Text(_) => {
                let Some(text) = node.scalar() else { return };
                if matches!(name, "envFile" | "env_file") {
                    self.env_file(&text, line, false);
                } else if matches!(name, "command" | "cmd" | "args") || COMMANDS.contains(&name) {
                    self.command_line(&text, line, slot, name == "args");
                } else {
                    self.leaf(name, &text, line, slot, ADDRESSES.contains(&name) || ARGUMENTS.contains(&name));
                }
            }
            Value::List(elements) if matches!(name, "args" | "arguments" | "command" | "cmd") => {
                let words: Vec<(Cow<'_, str>, u32)> =
                    elements.iter().filter_map(|word| word.scalar().map(|text| (text, word.line))).collect();
                self.arguments(&words, slot, matches!(name, "args" | "arguments"));
            }
            Value::List(elements) => {
                for (at, element) in elements.iter().enumerate() {
                    self.walk(name, element.line, element, &format!("{slot}.{at}"));
                }
            }
            Value::Map(entries) => {
                // A list of {name, value} pairs is a map in other words.
                let (first, around) = (self.found.len(), std::mem::take(&mut self.elsewhere));
                let label =
                    ["name", "key", "id"].iter().find_map(|key| node.get(key).and_then(|entry| entry.node.text()));
                // What is typed unseen is a password, whatever the input is called.
                let is_hidden = node.get("password").is_some_and(|entry| entry.node.flag() == Some(true));
                for (at, entry) in entries.iter().enumerate() {
                    // A list of commands may be a map from each to whether it runs unasked: no name, and no part of one.
                    if entry.key.contains(char::is_whitespace) {
                        let below = join(slot, &at.to_string());
                        self.leaf("", &entry.key, entry.line, &below, false);
                        self.walk("", entry.line, &entry.node, &below);
                        continue;
                    }
                    let below = join(slot, &entry.key);
                    match label {
                        _ if is_hidden && entry.key == "default" => {
                            let label = label.unwrap_or_default();
                            let told = entry.node.scalar().is_some_and(|text| !value::in_slot(label, &text).is_empty());
                            let name = if told { label.to_owned() } else { format!("{label}_password") };
                            self.walk(&name, entry.line, &entry.node, &below);
                        }
                        Some(label) if matches!(entry.key.as_str(), "value" | "default") => {
                            self.walk(label, entry.line, &entry.node, &below)
                        }
                        _ => self.walk(&entry.key, entry.line, &entry.node, &below),
                    }
                }
                if self.elsewhere > 0 {
                    issuer::not_aws(self.found.get_mut(first..).unwrap_or_default());
                }
                self.elsewhere = self.elsewhere.saturating_sub(1).max(around);
            }
        }
    }

    fn leaf(&mut self, name: &str, text: &str, line: u32, slot: &str, in_arguments: bool) {
        let hits = value::in_slot(name, text);
        self.keep(text, &hits, line, slot, in_arguments);
        self.principal(name, text, line);
        if issuer::is_elsewhere(name, text) {
            // The variables that it stands among, and the program that gets these.
            self.elsewhere = 2;
        }
    }

    fn principal(&mut self, name: &str, text: &str, line: u32) {
        let text = text.trim();
        let Some((key, prefix)) = PRINCIPALS.iter().find(|(key, _)| *key == name) else { return };
        if *prefix == KUBECONFIG {
            return self.kubeconfigs(key, text, line);
        }
        let text = fallback(text);
        if !text.is_empty()
            && !standing_in::is_placeholder(text)
            && !names_a_variable(text)
            && value::redact(text) == text
        {
            let target = format!("{prefix}{text}");
            if !self.borrowed.iter().any(|held| held.target == target) {
                self.borrowed.push(Borrowed { target, key, line });
            }
        }
    }

    /// The files that a variable or flag names, which may begin with a variable of their own. What names one to a container
    /// means the path in there.
    fn kubeconfigs(&mut self, key: &'static str, text: &str, line: u32) {
        let has_drive = text.get(1..2) == Some(":") && !text.starts_with(['/', '.', '~']);
        let between = if has_drive || text.contains(';') { ';' } else { ':' };
        for path in command::parts(text, between) {
            let path = match (&self.mounts, &self.container) {
                (Some(mounts), _) => mounts.outside(path.trim()),
                // The server's variables are those of the program that starts the container, unless it hands them on.
                (None, Some(container)) if !container.takes(key) => None,
                (None, Some(container)) => container.outside(path.trim()),
                (None, None) => Some(path.trim().to_owned()),
            };
            let Some(path) = path else { continue };
            let target = kubeconfig(&path).filter(|target| !self.borrowed.iter().any(|held| held.target == *target));
            self.borrowed.extend(target.map(|target| Borrowed { target, key, line }));
        }
    }

    fn env_file(&mut self, path: &str, line: u32, in_arguments: bool) {
        self.env_files.push(EnvFile { path: value::redact(path), line, in_arguments });
    }

    /// A whole command line; `of_program`: whether it only holds the arguments of the program at hand.
    fn command_line(&mut self, text: &str, line: u32, slot: &str, of_program: bool) {
        let words: Vec<(Cow<'_, str>, u32)> =
            command::split(text).into_iter().map(|word| (Cow::Owned(word), line)).collect();
        self.arguments(&words, slot, of_program);
    }

    /// Arguments: `--api-key=…`, `--api-key …`, `-e K=V`, `--header "Name: value"`, and whatever else a word may hold.
    fn arguments(&mut self, words: &[(Cow<'_, str>, u32)], slot: &str, of_program: bool) {
        self.named(words, of_program);
        let Some(mounts) = self.mounts_of(words) else { return self.words(words, slot) };
        let around = self.mounts.replace(mounts);
        self.words(words, slot);
        self.mounts = around;
    }

    /// What a container has of the machine, where the words start one and name it a kubeconfig.
    fn mounts_of(&self, words: &[(Cow<'_, str>, u32)]) -> Option<Mounts> {
        if !words.iter().any(|(word, _)| word.to_ascii_lowercase().contains("kubeconfig")) {
            return None;
        }
        let starts_one = || {
            let words: Vec<String> = words.iter().map(|(word, _)| word.to_string()).collect();
            command::look(&words).container.is_some()
        };
        // A script that the container is given has what the container has.
        let is_given = self.container.is_some() && self.mounts.is_none();
        (is_given || starts_one()).then(|| Mounts::of(words.iter().map(|(word, _)| word.as_ref())))
    }

    /// The profiles and contexts that words name.
    fn named(&mut self, words: &[(Cow<'_, str>, u32)], of_program: bool) {
        let program = if of_program { std::mem::take(&mut self.program) } else { Vec::new() };
        let all: Vec<&str> =
            program.iter().map(String::as_str).chain(words.iter().map(|(word, _)| word.as_ref())).collect();
        let profiles = command::profiles(&all, self.speaks.of_aws).into_iter().map(|(at, name, whose)| match whose {
            Whose::Aws => (at, name, "AWS_PROFILE"),
            Whose::Unclear => (at, name, UNCLEAR_PROFILE),
        });
        let contexts = command::contexts(&all, self.speaks.of_clusters).into_iter();
        for (at, name, key) in profiles.chain(contexts.map(|(at, name)| (at, name, "KUBE_CONTEXT"))) {
            // What stands in the program's own words is found there.
            if let Some((_, line)) = at.checked_sub(program.len()).and_then(|at| words.get(at)) {
                self.principal(key, name, *line);
            }
        }
        if of_program {
            self.program = program;
        }
    }

    fn words(&mut self, words: &[(Cow<'_, str>, u32)], slot: &str) {
        let mut flag: Option<String> = None;
        for (at, (word, line)) in words.iter().enumerate() {
            let below = format!("{slot}.{at}");
            let before = flag.take();
            let word = word.as_ref();
            if word.chars().count() > 2 && word.contains(char::is_whitespace) && is_script(before.as_deref()) {
                self.command_line(word, *line, &below, false);
                continue;
            }
            if matches!(before.as_deref(), Some("H" | "header" | "headers"))
                && let Some((name, text)) = word.split_once(':')
            {
                self.leaf(name.trim(), text.trim(), *line, &below, true);
                continue;
            }
            if matches!(before.as_deref(), Some("u" | "user"))
                && let Some((_, password)) = word.split_once(':')
                && !self.is_for_a_container(words.get(..at).unwrap_or_default())
                && value::in_slot("", word).is_empty()
            {
                // A name and a password, as `curl` takes them.
                self.leaf("password", password, *line, &below, true);
                continue;
            }
            if word.starts_with('-') && !word.contains('=') {
                flag = Some(word.trim_start_matches('-').to_owned());
                self.leaf("", word, *line, &below, true);
                continue;
            }
            if let Some((name, text)) = word.split_once('=')
                && !name.is_empty()
                && name.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
            {
                if name.trim_start_matches('-') == ENV_FILE {
                    self.env_file(text, *line, true);
                }
                // `--env=NAME=VALUE` is `--env NAME=VALUE`.
                let (name, text) = match text.split_once('=') {
                    Some(variable) if name == "--env" => variable,
                    _ => (name, text),
                };
                self.leaf(name.trim_start_matches('-'), text, *line, &below, true);
                continue;
            }
            if before.as_deref() == Some(ENV_FILE) {
                self.env_file(word, *line, true);
            }
            self.leaf(before.as_deref().unwrap_or(""), word, *line, &below, true);
        }
    }

    /// Whether the words before are for what starts a container, to whom a person is a number with that of a group.
    fn is_for_a_container(&self, before: &[(Cow<'_, str>, u32)]) -> bool {
        let mut words = self.program.iter().map(String::as_str).chain(before.iter().map(|(word, _)| word.as_ref()));
        words.any(|word| matches!(word.rsplit(['/', '\\']).next(), Some("docker" | "podman" | "nerdctl")))
    }

    fn keep(&mut self, text: &str, hits: &[Hit], line: u32, slot: &str, in_arguments: bool) {
        for (at, hit) in hits.iter().enumerate() {
            let Some(secret) = text.get(hit.range.clone()) else { continue };
            let slot = if at == 0 { value::redact(slot) } else { format!("{}#{}", value::redact(slot), at + 1) };
            let public_id = hit.kind.public.then(|| Arc::from(secret));
            self.found.push(Found {
                kind: hit.kind,
                slot,
                line,
                in_arguments,
                fingerprint: (!hit.kind.public).then(|| {
                    withheld::fingerprint(secret).unwrap_or_else(|| self.fingerprinter.fingerprint(secret.as_bytes()))
                }),
                public_id,
                checksum_fails: formats::checksum_fails(secret),
            });
        }
    }
}

fn address(node: &Node) -> usize {
    std::ptr::from_ref(node).addr()
}

/// The target that a kubeconfig is, where its path is one and holds no secret.
pub(crate) fn kubeconfig(path: &str) -> Option<String> {
    let target = format!("{KUBECONFIG}{path}");
    let is_path = !path.is_empty() && !standing_in::is_placeholder(path) && value::redact(&target) == target;
    is_path.then_some(target)
}

fn join(slot: &str, key: &str) -> String {
    if slot.is_empty() { key.to_owned() } else { format!("{slot}.{key}") }
}

/// What counts where nobody sets the variable that a whole text is: `${AWS_PROFILE:-dev}`. A text of any other form is itself.
fn fallback(text: &str) -> &str {
    let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let is_name = |name: &str| name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    match inner.and_then(|inner| inner.split_once(":-")) {
        Some((name, held)) if !name.is_empty() && is_name(name) && !held.is_empty() => held,
        _ => text,
    }
}

fn names_a_variable(text: &str) -> bool {
    text.contains('$') || text.contains("{env:") || text.contains('%')
}

/// Whether the flag before a word makes it a command line of its own.
fn is_script(flag: Option<&str>) -> bool {
    matches!(flag, Some("c" | "lc" | "ic" | "Command" | "command" | "exec"))
}

/// The secrets in an environment file, and the principals that it names.
pub(crate) fn dotenv(text: &str, fingerprinter: &Fingerprinter) -> (Vec<Found>, Vec<Borrowed>) {
    let mut slots = Slots::new(fingerprinter);
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        if line.starts_with('#') {
            continue;
        }
        if let Some((name, text)) = line.split_once('=') {
            let text = text.trim().trim_matches(['"', '\'']);
            slots.leaf(name.trim(), text, u32::try_from(at + 1).unwrap_or(u32::MAX), name.trim(), false);
        }
    }
    if slots.elsewhere > 0 {
        issuer::not_aws(&mut slots.found);
    }
    (slots.found, slots.borrowed)
}

#[cfg(test)]
mod tests;
