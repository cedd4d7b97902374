//! What the keys of a client's files say, each with the line that says it; and the files of one scope taken together.

mod joined;
mod standing;

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::agent::ApprovalMode;
use evenhand_model::evidence::Evidence;

use crate::clients::{Effect, Key, Level, Words};
use crate::command::{self, Reach};
use crate::permissions::{Action, Grammar, Rule, plain, shown};
use crate::tree::{Entry, Node, Value};
use crate::unlike;

pub(crate) use standing::Standing;

/// A value with the place that says it.
#[derive(Clone, Debug)]
pub(crate) struct Said<T> {
    pub(crate) value: T,
    pub(crate) evidence: Evidence,
    pub(crate) level: Level,
}

/// What runs unasked in one project, in a file that speaks of several.
#[derive(Clone, Debug)]
pub(crate) struct ProjectRule {
    key: &'static str,
    said: Said<Rule>,
}

/// What files say. Values of unknown meaning stay unknown: `mode` holds `None` for a word that no documentation explains.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Whether any file was read that could set such keys.
    pub(crate) read: bool,
    /// Whether one of them was the person's own or an administrator's.
    pub(crate) read_above_project: bool,
    /// Whether an administrator's file was read.
    pub(crate) read_managed: bool,
    pub(crate) mode: Option<Said<Option<ApprovalMode>>>,
    pub(crate) widen: Vec<Said<Option<ApprovalMode>>>,
    pub(crate) allow: Vec<Said<Rule>>,
    /// Rules for what runs unasked in one project and nowhere else, by the project's path as the file names it, free of
    /// secrets.
    pub(crate) in_projects: Arc<BTreeMap<String, Vec<ProjectRule>>>,
    /// Whether rules of that kind are among those that hold here.
    pub(crate) speaks_of_project: bool,
    pub(crate) ask: Vec<Rule>,
    pub(crate) deny: Vec<Rule>,
    pub(crate) sandboxed: Option<Said<Option<bool>>>,
    /// What of the sandbox remains possible where an administrator leaves no way to do without.
    pub(crate) sandbox_kept: Option<Said<Option<bool>>>,
    pub(crate) sandbox_approves: Option<Said<Option<bool>>>,
    pub(crate) telemetry: Option<Said<Option<bool>>>,
    pub(crate) project_servers: Option<Said<Option<bool>>>,
    /// A list of project servers that start without review.
    pub(crate) named_project_servers: Option<Said<()>>,
    pub(crate) forbids: Vec<Said<bool>>,
    pub(crate) reach: Option<Said<Reach>>,
    /// Whether commands may leave the sandbox.
    pub(crate) escape: Option<Said<Option<bool>>>,
    /// Commands of a repository that run at events of the client.
    pub(crate) hooks: Option<Said<()>>,
    /// Whether something stands in place of such commands that is none.
    pub(crate) unclear_hooks: bool,
    /// Whether only an administrator's hooks run.
    pub(crate) only_managed_hooks: bool,
    /// Whether a person's and a project's own rules are set aside.
    pub(crate) only_managed_rules: bool,
    /// Every key that bears on approval or isolation, with its place.
    pub(crate) keys: Vec<(Arc<str>, Evidence)>,
    /// Words that no documentation explains: key and place.
    pub(crate) unclear: Vec<(Arc<str>, Evidence)>,
}

impl Settings {
    /// Reads the keys of one file.
    pub(crate) fn of(node: &Node, keys: &'static [Key], document: &Arc<str>, level: Level) -> Self {
        let mut settings = Self { read: !keys.is_empty(), ..Self::default() };
        for key in keys {
            for (project, entry) in node.find_with_key(key.path) {
                let at = At { entry, document, level, key: key.path };
                if let (Effect::AllowInProject(grammar), Some(project)) = (key.effect, project) {
                    settings.allow_in_project(project, grammar, &at);
                    continue;
                }
                let held = (Arc::from(key.path), at.evidence(entry.line));
                // A profile that nobody selects is in force for nobody.
                if let (Effect::WidenIfSelected(by, _), Some(name)) = (key.effect, project)
                    && node.get(by).and_then(|entry| entry.node.text()) != Some(name)
                {
                    continue;
                }
                if !matches!(key.effect, Effect::Telemetry(_)) && !settings.keys.contains(&held) {
                    settings.keys.push(held);
                }
                settings.apply(key.effect, &at);
            }
        }
        settings
    }

    /// Notes that a value at that line is of another type than its client gives it: of what the file does not say otherwise
    /// no default holds.
    pub(crate) fn read_in_part(&mut self, document: &Arc<str>, level: Level, line: u32) {
        self.read = false;
        if self.mode.as_ref().is_none_or(|said| said.value != Some(ApprovalMode::Bypass)) {
            let evidence = Evidence::line(Arc::clone(document), line);
            self.mode = Some(Said { value: None, evidence, level });
        }
    }

    /// The settings of a file whose place in the order is now known.
    pub(crate) fn at_level(&self, level: Level) -> Self {
        let mut placed = self.clone();
        placed.read_above_project = self.read && matches!(level, Level::User | Level::Managed | Level::System);
        placed.read_managed = self.read && level == Level::Managed;
        if level != Level::Project {
            // A person's or an administrator's own hooks are no repository's.
            placed.hooks = None;
            placed.unclear_hooks = false;
        }
        // A list in a file that comes with the project enables the project's servers for everyone who opens it; a list in
        // a person's own file is that person's review.
        if level == Level::Project
            && let Some(named) = &self.named_project_servers
            && self.project_servers.is_none()
        {
            placed.project_servers =
                Some(Said { value: Some(true), evidence: named.evidence.clone(), level: named.level });
        }
        placed
    }

    fn apply(&mut self, effect: Effect, at: &At<'_>) {
        match effect {
            Effect::Mode(words) => {
                let value = self.word(words, at);
                self.mode = Some(at.said(value));
            }
            Effect::Widen(words) | Effect::WidenIfSelected(_, words) => {
                if let Some(value) = meaning(words, &at.entry.node) {
                    self.widen.push(at.said(Some(value)));
                }
            }
            // Without a project nothing tells where they hold.
            Effect::AllowInProject(_) => {}
            Effect::Allow(grammar) => {
                for (text, line) in rules(&at.entry.node, at.entry.line) {
                    let rule = Rule::parse(&text, grammar);
                    self.allow.push(at.said_on(rule, line));
                }
            }
            Effect::Ask(grammar) => {
                self.ask
                    .extend(rules(&at.entry.node, at.entry.line).iter().map(|(text, _)| Rule::parse(text, grammar)));
            }
            Effect::Deny(grammar) => {
                self.deny
                    .extend(rules(&at.entry.node, at.entry.line).iter().map(|(text, _)| Rule::parse(text, grammar)));
            }
            Effect::AllowTool(tool, words) => self.allow_tool(tool, words, at),
            Effect::Sandbox(words) => {
                let value = self.word(words, at);
                // Of several profiles, one without a sandbox is one flag away.
                if value == Some(false) || self.sandboxed.as_ref().is_none_or(|held| held.value != Some(false)) {
                    self.sandboxed = Some(at.said(value));
                }
            }
            Effect::SandboxOneOf(words) => {
                let modes: Vec<Option<bool>> =
                    at.entry.node.elements().iter().map(|element| meaning(words, element)).collect();
                if !modes.is_empty() && !modes.contains(&Some(false)) {
                    let value = modes.iter().all(|mode| *mode == Some(true)).then_some(true);
                    if value.is_none() {
                        self.unclear.push((Arc::from(at.key), at.evidence(at.entry.line)));
                    }
                    self.sandbox_kept = Some(at.said(value));
                }
            }
            Effect::SandboxApproves(words) => {
                let value = self.word(words, at);
                self.sandbox_approves = Some(at.said(value));
            }
            Effect::Telemetry(words) => {
                let value = self.word(words, at);
                self.telemetry = Some(at.said(value));
            }
            Effect::ProjectServers(words) => {
                let value = self.word(words, at);
                if self.project_servers.as_ref().is_none_or(|held| held.value != Some(true)) {
                    self.project_servers = Some(at.said(value));
                }
            }
            Effect::NamedProjectServers => {
                if !at.entry.node.elements().is_empty() {
                    self.named_project_servers = Some(at.said(()));
                }
            }
            Effect::Forbids(words) => {
                if let Some(value) = meaning(words, &at.entry.node) {
                    self.forbids.push(at.said(value));
                }
            }
            Effect::ForbidsUnless(word) => {
                let allowed = at.entry.node.elements().iter().any(|element| element.text() == Some(word));
                if matches!(at.entry.node.value, Value::List(_)) {
                    self.forbids.push(at.said(!allowed));
                }
            }
            Effect::Escape(words) => {
                let value = match &at.entry.node.value {
                    Value::List(commands) => Some(!commands.is_empty()),
                    _ => self.word(words, at),
                };
                if self.escape.as_ref().is_none_or(|held| held.value != Some(true)) {
                    self.escape = Some(at.said(value));
                }
            }
            Effect::Hooks => {
                self.unclear_hooks |= unlike::hooks(&at.entry.node).is_some();
                if holds_hooks(&at.entry.node) {
                    self.hooks = Some(at.said(()));
                }
            }
            Effect::OnlyManagedHooks => self.only_managed_hooks |= at.entry.node.flag() == Some(true),
            Effect::OnlyManagedRules => self.only_managed_rules |= at.entry.node.flag() == Some(true),
            Effect::Noted => {}
            Effect::Folders => {
                let reach = at.entry.node.elements().iter().filter_map(Node::text).map(command::reach).max();
                if let Some(reach) = reach
                    && self.reach.as_ref().is_none_or(|held| held.value < reach)
                {
                    self.reach = Some(at.said(reach));
                }
            }
            Effect::PermissionMap => self.permission_map(at, false),
            Effect::AgentPermissionMap => self.permission_map(at, true),
            Effect::ToolMap => self.tool_map(at),
            Effect::PolicyRules => self.policy_rules(at),
        }
    }

    fn allow_in_project(&mut self, project: &str, grammar: Grammar, at: &At<'_>) {
        let project = crate::secret::redact(project);
        let said = rules(&at.entry.node, at.entry.line).into_iter();
        let said = said.map(|(text, line)| at.said_on(Rule::parse(&text, grammar), line));
        let rules = said.map(|said| ProjectRule { key: at.key, said });
        Arc::make_mut(&mut self.in_projects).entry(project).or_default().extend(rules);
    }

    /// What a word means; a word that nothing explains is remembered.
    fn word<T: Copy>(&mut self, words: Words<T>, at: &At<'_>) -> Option<T> {
        let value = meaning(words, &at.entry.node);
        if value.is_none() {
            self.unclear.push((Arc::from(at.key), at.evidence(at.entry.line)));
        }
        value
    }

    /// A switch, or a map from pattern to switch.
    fn allow_tool(&mut self, tool: &str, words: Words<bool>, at: &At<'_>) {
        if meaning(words, &at.entry.node) == Some(true) {
            self.allow.push(at.said(Rule::parse(tool, Grammar::Tool)));
        }
        for entry in at.entry.node.entries() {
            let on = entry.node.flag() == Some(true)
                || entry.node.entries().iter().any(|inner| inner.node.flag() == Some(true));
            if on {
                let rule = Rule {
                    action: Action::Tool(tool.to_owned()),
                    ..Rule::parse(&format!("{tool}({})", entry.key), Grammar::Tool)
                };
                self.allow.push(at.said_on(rule, entry.line));
            }
        }
    }

    /// opencode: everything is allowed unless the map says otherwise; of a map of patterns the last that matches counts.
    fn permission_map(&mut self, at: &At<'_>, of_agent: bool) {
        let node = &at.entry.node;
        let word = |node: &Node| match node.text() {
            Some("allow") => Some(true),
            Some("ask" | "deny") => Some(false),
            _ => None,
        };
        if let Some(all) = word(node) {
            let mode = if all { ApprovalMode::Bypass } else { ApprovalMode::Prompt };
            if !of_agent {
                self.mode = Some(at.said(Some(mode)));
            } else if all {
                self.widen.push(at.said(Some(mode)));
            }
            return;
        }
        if !node.is_map() {
            if !of_agent {
                self.mode = Some(at.said(None));
            }
            self.unclear.push((Arc::from(at.key), at.evidence(at.entry.line)));
            return;
        }
        let base = node.get("*").and_then(|entry| word(&entry.node)).unwrap_or(!of_agent);
        let mut open = [base, base];
        for (slot, tool) in open.iter_mut().zip(["edit", "bash"]) {
            let Some(entry) = node.get(tool) else { continue };
            if let Some(allowed) = word(&entry.node) {
                *slot = allowed;
            } else if entry.node.is_map() {
                *slot = entry.node.get("*").and_then(|entry| word(&entry.node)).unwrap_or(base);
                for pattern in entry.node.entries() {
                    if pattern.key == "*" {
                        continue;
                    }
                    let rule = if tool == "bash" {
                        Rule::parse(&pattern.key, Grammar::Command)
                    } else {
                        Rule { action: Action::Tool("edit".to_owned()), ..Rule::parse(&pattern.key, Grammar::Tool) }
                    };
                    match word(&pattern.node) {
                        Some(true) => self.allow.push(at.said_on(rule, pattern.line)),
                        Some(false) if pattern.node.text() == Some("deny") => self.deny.push(rule),
                        _ => {}
                    }
                }
            }
        }
        if open == [false, true] || (open == [true, true] && of_agent) {
            self.allow.push(at.said(Rule { text: "bash".to_owned(), action: Action::Shell(None) }));
        }
        let mode = match open {
            [true, true] => ApprovalMode::Bypass,
            [false, false] => ApprovalMode::Prompt,
            _ => ApprovalMode::Partial,
        };
        if !of_agent {
            self.mode = Some(at.said(Some(mode)));
        } else if mode != ApprovalMode::Prompt {
            self.widen.push(at.said(Some(mode)));
        }
    }

    /// Zed: a default and lists of patterns for each tool.
    fn tool_map(&mut self, at: &At<'_>) {
        for tool in at.entry.node.entries() {
            if tool.node.get("default").is_some_and(|entry| entry.node.text() == Some("allow")) {
                self.allow.push(at.said_on(Rule::parse(&tool.key, Grammar::Tool), tool.line));
            }
            let lists = [("always_allow", true), ("always_deny", false)];
            for (name, allowed) in lists {
                for element in tool.node.get(name).map_or(&[][..], |entry| entry.node.elements()) {
                    let pattern = element.text().or_else(|| element.get("pattern").and_then(|entry| entry.node.text()));
                    let Some(pattern) = pattern else { continue };
                    let rule = if tool.key == "terminal" {
                        Rule::parse(&plain(pattern), Grammar::Command)
                    } else {
                        Rule {
                            action: Action::Tool(tool.key.clone()),
                            ..Rule::parse(&format!("{}({pattern})", tool.key), Grammar::Tool)
                        }
                    };
                    if allowed {
                        self.allow.push(at.said_on(rule, element.line));
                    } else {
                        self.deny.push(rule);
                    }
                }
            }
        }
    }

    /// Gemini: `[[rule]]` with a decision. Rules for the yolo mode only say nothing about the others.
    fn policy_rules(&mut self, at: &At<'_>) {
        for rule in at.entry.node.elements() {
            let decision = rule.get("decision").and_then(|entry| entry.node.text()).unwrap_or("");
            let modes = rule.get("modes").map_or(&[][..], |entry| entry.node.elements());
            let only_yolo = !modes.is_empty() && modes.iter().all(|mode| mode.text() == Some("yolo"));
            if only_yolo || !matches!(decision, "allow" | "deny" | "ask_user") {
                continue;
            }
            let words = |key: &str| -> Vec<String> {
                match rule.get(key).map(|entry| &entry.node) {
                    Some(node) => match node.text() {
                        Some(text) => vec![text.to_owned()],
                        None => node.elements().iter().filter_map(Node::text).map(str::to_owned).collect(),
                    },
                    None => Vec::new(),
                }
            };
            let server = words("mcpName").into_iter().next();
            let tools = words("toolName");
            let prefixes = words("commandPrefix");
            for tool in if tools.is_empty() && server.is_some() { vec![String::from("*")] } else { tools } {
                let actions: Vec<(String, Action)> = match &server {
                    Some(server) => {
                        let inner = (tool != "*").then(|| tool.clone());
                        vec![(format!("{server}/{tool}"), Action::Server(server.clone(), inner))]
                    }
                    None if tool == "run_shell_command" && !prefixes.is_empty() => prefixes
                        .iter()
                        .map(|prefix| (format!("{tool}({prefix})"), Action::Shell(Some(prefix.clone()))))
                        .collect(),
                    None => vec![(tool.clone(), Rule::parse(&tool, Grammar::Tool).action)],
                };
                for (text, action) in actions {
                    let parsed = Rule { text: shown(&text, Grammar::Call), action };
                    match decision {
                        "allow" => self.allow.push(at.said_on(parsed, rule.line)),
                        "deny" => self.deny.push(parsed),
                        _ => self.ask.push(parsed),
                    }
                }
            }
        }
    }
}

fn holds_hooks(node: &Node) -> bool {
    let is_some = |node: &Node| !matches!(node.value, Value::Text(_) | Value::Number(_)) && !is_empty(node);
    match &node.value {
        Value::Map(events) => events.iter().any(|event| is_some(&event.node)),
        _ => is_some(node),
    }
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Bool(false) => true,
        Value::Text(text) => text.is_empty(),
        Value::List(elements) => elements.is_empty(),
        Value::Map(entries) => entries.iter().all(|entry| is_empty(&entry.node)),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// Where a key stands.
struct At<'a> {
    entry: &'a Entry,
    document: &'a Arc<str>,
    level: Level,
    key: &'static str,
}

impl At<'_> {
    fn evidence(&self, line: u32) -> Evidence {
        Evidence::line(Arc::clone(self.document), line)
    }

    fn said<T>(&self, value: T) -> Said<T> {
        self.said_on(value, self.entry.line)
    }

    fn said_on<T>(&self, value: T, line: u32) -> Said<T> {
        Said { value, evidence: self.evidence(line), level: self.level }
    }
}

fn meaning<T: Copy>(words: Words<T>, node: &Node) -> Option<T> {
    let text = node.scalar();
    let exact = words.iter().find(|(word, _)| text.as_deref().is_some_and(|text| text.trim() == *word));
    exact.or_else(|| words.iter().find(|(word, _)| *word == "*")).map(|(_, value)| *value)
}

/// The rules in a list, in a map to truth values (or to objects that approve), or in one switch for everything.
fn rules(node: &Node, line: u32) -> Vec<(String, u32)> {
    match &node.value {
        Value::List(elements) => elements
            .iter()
            .filter_map(|element| {
                let text = element.text().or_else(|| element.get("pattern").and_then(|entry| entry.node.text()));
                text.map(|text| (text.to_owned(), element.line))
            })
            .collect(),
        Value::Map(entries) => entries
            .iter()
            .filter(|entry| {
                entry.node.flag().or_else(|| entry.node.get("approve").and_then(|inner| inner.node.flag()))
                    == Some(true)
            })
            .map(|entry| (entry.key.clone(), entry.line))
            .collect(),
        Value::Bool(true) => vec![(String::from("*"), line)],
        Value::Text(_) | Value::Null | Value::Bool(false) | Value::Number(_) => Vec::new(),
    }
}
