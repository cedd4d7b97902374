//! A tool server as configured: how it is reached, what it fetches, what it may do unasked, which secrets it is handed.

use std::sync::Arc;

use evenhand_model::evidence::Fact;
use evenhand_model::secret::Fingerprinter;

use crate::command::{self, Command, Mounts, Reach};
use crate::permissions::{Action, Grammar, Rule};
use crate::secret::{self, Borrowed, EnvFile, Found, Slots, Speaks};
use crate::tree::{Node, Value};
use crate::unlike::{self, Unlike};

/// A tool server, free of secrets.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    /// The project inside a person's file that it is configured for.
    pub(crate) project: Option<String>,
    pub(crate) line: u32,
    pub(crate) transport: Fact<Arc<str>>,
    pub(crate) remote: Fact<bool>,
    pub(crate) tls: Fact<bool>,
    pub(crate) authenticated: Fact<bool>,
    pub(crate) fetched: Fact<bool>,
    pub(crate) pinned: Fact<bool>,
    pub(crate) privileged: Fact<bool>,
    pub(crate) sandboxed: Fact<bool>,
    pub(crate) reach: Option<Reach>,
    pub(crate) disabled: bool,
    /// Tools that its own configuration lets run unasked.
    pub(crate) rules: Vec<Rule>,
    /// Whether its own configuration lets every tool run unasked.
    pub(crate) all: bool,
    /// Keys that bear on approval or isolation, with their lines.
    pub(crate) keys: Vec<(String, u32)>,
    pub(crate) found: Vec<Found>,
    pub(crate) borrowed: Vec<Borrowed>,
    pub(crate) env_files: Vec<EnvFile>,
    /// What the container has of the machine that its command starts it in, where it starts one.
    pub(crate) container: Option<Mounts>,
    /// Values of another type than any client gives them.
    pub(crate) unlike: Vec<Unlike>,
}

const ADDRESSES: &[&str] = &["url", "httpUrl", "serverUrl", "uri", "endpoint", "tcp"];
const HEADERS: &[&str] = &["headers", "http_headers", "env_http_headers"];
const APPROVALS: &[&str] =
    &["alwaysAllow", "autoApprove", "always_allow", "trust", "default_tools_approval_mode", "tools"];
const SIGN_IN: &[&str] = &["oauth", "auth", "bearer_token_env_var", "authProviderType", "authorization_token"];

impl Server {
    /// Reads a server from its map.
    pub(crate) fn read(
        name: &str,
        project: Option<&str>,
        line: u32,
        node: &Node,
        fingerprinter: &Fingerprinter,
    ) -> Self {
        let unlike = unlike::in_server(node);
        let (program, arguments) = words(node);
        let words: Vec<String> = program.iter().chain(&arguments).cloned().collect();
        // Of a command that is not whole nothing is known.
        let is_whole = !unlike.iter().any(|one| matches!(one.key.as_str(), "command" | "cmd" | "args"));
        let mut command = (is_whole && !words.is_empty()).then(|| command::look(&words));
        let mut slots = Slots::new(fingerprinter).of_program(program, speaks(name, node));
        slots.container = command.as_mut().and_then(|command| command.container.take());
        slots.walk("", line, node, "");
        let address = ADDRESSES
            .iter()
            .find_map(|key| node.get(key).and_then(|entry| entry.node.text().map(|text| (*key, text.to_owned()))));
        let mut server = Self {
            name: secret::redact(name),
            project: project.map(secret::redact),
            line,
            transport: Fact::Unknown,
            remote: Fact::Unknown,
            tls: Fact::Unknown,
            authenticated: Fact::Unknown,
            fetched: Fact::Unknown,
            pinned: Fact::Unknown,
            privileged: Fact::Unknown,
            sandboxed: Fact::Unknown,
            reach: None,
            disabled: is_disabled(node),
            rules: Vec::new(),
            all: false,
            keys: keys(node),
            found: slots.found,
            borrowed: slots.borrowed,
            env_files: slots.env_files,
            container: slots.container,
            unlike,
        };
        let kind = node.get("type").or_else(|| node.get("transport")).and_then(|entry| entry.node.text());
        if let Some(command) = &command {
            server.local(command, kind);
        } else if let Some((key, address)) = address {
            server.at_address(key, &address, kind, node);
        } else if matches!(kind, Some("builtin" | "platform" | "inline_python" | "frontend")) {
            server.transport = Fact::Known(Arc::from("in_process"));
            server.remote = Fact::Known(false);
            server.local_endpoint();
            server.fetched = Fact::Known(false);
            server.pinned = Fact::Absent;
        }
        if let Some(on) = node.get("sandboxEnabled").and_then(|entry| entry.node.flag()) {
            server.sandboxed = Fact::Known(on);
        }
        server.approvals(node);
        if server.is_unlike(HEADERS) && server.authenticated == Fact::Known(true) {
            server.authenticated = Fact::Unknown;
        }
        server
    }

    fn is_unlike(&self, keys: &[&str]) -> bool {
        self.unlike.iter().any(|one| keys.contains(&one.key.as_str()))
    }

    /// Whether what it says of approval is of another type, so that what runs unasked is not known.
    pub(crate) fn approvals_unread(&self) -> bool {
        self.is_unlike(APPROVALS)
    }

    fn local(&mut self, command: &Command, kind: Option<&str>) {
        self.transport = Fact::Known(transport(kind).unwrap_or("stdio").into());
        self.fetched = command.fetched;
        self.pinned = command.pinned;
        self.privileged = Fact::Known(command.privileged);
        if self.container.is_some() {
            self.sandboxed = Fact::Known(!command.privileged);
        }
        self.reach = command.reach;
        match &command.bridged {
            Some(address) => {
                self.address(address);
                // A bridge without a header signs in by itself and keeps the result where no configuration tells.
                self.authenticated = if command.bridged_header { Fact::Known(true) } else { Fact::Unknown };
            }
            None => {
                self.remote = Fact::Known(false);
                self.local_endpoint();
            }
        }
    }

    fn local_endpoint(&mut self) {
        self.tls = Fact::Absent;
        self.authenticated = Fact::Absent;
    }

    fn at_address(&mut self, key: &str, address: &str, kind: Option<&str>, node: &Node) {
        let named = match (transport(kind), key) {
            (Some(named), _) => Some(named),
            (None, "httpUrl") => Some("http"),
            (None, "tcp") => Some("tcp"),
            (None, _) if address.starts_with("ws://") || address.starts_with("wss://") => Some("websocket"),
            (None, _) if address.trim_end_matches('/').ends_with("/sse") => Some("sse"),
            (None, _) => Some("http"),
        };
        self.transport = Fact::known(named.map(Arc::from));
        self.fetched = Fact::Known(false);
        self.pinned = Fact::Absent;
        self.privileged = Fact::Absent;
        self.address(address);
        if self.remote == Fact::Known(false) {
            return;
        }
        let headers = HEADERS.iter().any(|key| node.get(key).is_some_and(|entry| !is_empty(&entry.node)))
            || node.find("requestOptions.headers").iter().any(|entry| !is_empty(&entry.node));
        let sign_in = SIGN_IN
            .iter()
            .any(|key| node.get(key).is_some_and(|entry| !is_empty(&entry.node) && entry.node.flag() != Some(false)));
        let in_address = self.found.iter().any(|found| found.in_arguments) || carries_reference(address);
        self.authenticated = match (headers || sign_in || in_address, self.remote) {
            (true, _) => Fact::Known(true),
            // Nobody signs in over a connection that anybody can read.
            (false, Fact::Known(true)) if self.tls == Fact::Known(false) => Fact::Known(false),
            // With TLS a client signs in at first use, when the server asks, and keeps the result where no configuration
            // tells; and where it is reached may not be known at all.
            (false, _) => Fact::Unknown,
        };
    }

    /// What the address tells: here or elsewhere, with TLS or without.
    fn address(&mut self, address: &str) {
        let Some((scheme, rest)) = address.split_once("://") else {
            return;
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
        let host = authority.rsplit('@').next().unwrap_or("");
        if host.contains(['$', '{']) {
            self.tls = secure(scheme);
            return;
        }
        if is_loopback(host) {
            self.remote = Fact::Known(false);
            self.local_endpoint();
        } else {
            self.remote = Fact::Known(true);
            self.tls = secure(scheme);
        }
    }

    fn approvals(&mut self, node: &Node) {
        for key in ["alwaysAllow", "autoApprove", "always_allow"] {
            let Some(entry) = node.get(key) else { continue };
            if entry.node.flag() == Some(true) {
                self.all = true;
            }
            for text in entry.node.elements().iter().filter_map(Node::text) {
                let rule = Rule::parse(text, Grammar::Tool);
                self.all |= rule.action == Action::Everything;
                let action = Action::Server(self.name.clone(), Some(text.to_owned()));
                self.rules.push(Rule { action, ..rule });
            }
        }
        self.all |= node.get("trust").is_some_and(|entry| entry.node.flag() == Some(true));
        self.all |= node.get("default_tools_approval_mode").is_some_and(|entry| entry.node.text() == Some("approve"));
        for tool in node.get("tools").map_or(&[][..], |entry| entry.node.entries()) {
            if tool.node.get("approval_mode").is_some_and(|entry| entry.node.text() == Some("approve")) {
                let action = Action::Server(self.name.clone(), Some(tool.key.clone()));
                self.rules.push(Rule { action, ..Rule::parse(&tool.key, Grammar::Tool) });
            }
        }
    }
}

/// The keys of a server that bear on approval or isolation.
fn keys(node: &Node) -> Vec<(String, u32)> {
    const KEYS: &[&str] = &[
        "alwaysAllow",
        "always_allow",
        "autoApprove",
        "default_tools_approval_mode",
        "disabledTools",
        "excludeTools",
        "includeTools",
        "sandboxEnabled",
        "trust",
    ];
    let mut keys: Vec<(String, u32)> = node
        .entries()
        .iter()
        .filter(|entry| KEYS.contains(&entry.key.as_str()))
        .map(|entry| (entry.key.clone(), entry.line))
        .collect();
    let modes = node.find("tools.*.approval_mode").into_iter();
    keys.extend(modes.map(|entry| (String::from("tools.*.approval_mode"), entry.line)));
    keys
}

/// What the name of a server and those of its variables speak of.
fn speaks(name: &str, node: &Node) -> Speaks {
    const VARIABLES: &[&str] = &["env", "environment", "envs"];
    let variables = VARIABLES.iter().filter_map(|key| node.get(key)).flat_map(|entry| entry.node.entries());
    let mut names = vec![name];
    names.extend(variables.map(|entry| entry.key.as_str()));
    Speaks {
        of_aws: names.iter().any(|name| command::is_of_aws(name)),
        of_clusters: names.iter().any(|name| command::is_of_clusters(name)),
    }
}

/// The program, which may be a whole command line, and its arguments, from whichever keys and shapes they stand in.
fn words(node: &Node) -> (Vec<String>, Vec<String>) {
    let list = |node: &Node| -> Vec<String> {
        match &node.value {
            Value::List(elements) => {
                elements.iter().filter_map(Node::scalar).map(std::borrow::Cow::into_owned).collect()
            }
            Value::Text(text) => command::split(text),
            _ => Vec::new(),
        }
    };
    let Some(program) = node.get("command").or_else(|| node.get("cmd")).map(|entry| &entry.node) else {
        // An image that the client starts itself (agentic workflows).
        let image = node.get("container").and_then(|entry| entry.node.text());
        let command = |image: &str| ["docker", "run", image].map(str::to_owned).to_vec();
        return (image.map(command).unwrap_or_default(), Vec::new());
    };
    let (words, arguments) = if program.is_map() {
        let path = program.get("path").or_else(|| program.get("command")).and_then(|entry| entry.node.text());
        (path.map(str::to_owned).into_iter().collect(), program.get("args"))
    } else {
        let arguments = node.get("args").or_else(|| node.get("arguments"));
        let words = match program.text() {
            // A path with blanks in it is one word unless arguments follow in the same text.
            Some(text) if arguments.is_some() && !text.contains(" -") => vec![text.to_owned()],
            _ => list(program),
        };
        (words, arguments)
    };
    let arguments = arguments.filter(|_| !words.is_empty()).map(|arguments| list(&arguments.node));
    (words, arguments.unwrap_or_default())
}

fn is_disabled(node: &Node) -> bool {
    node.get("disabled").is_some_and(|entry| entry.node.flag() == Some(true))
        || node.get("enabled").is_some_and(|entry| entry.node.flag() == Some(false))
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(elements) => elements.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn transport(kind: Option<&str>) -> Option<&'static str> {
    match kind?.to_ascii_lowercase().as_str() {
        "stdio" | "local" => Some("stdio"),
        "http" | "streamable-http" | "streamable_http" | "streamablehttp" => Some("http"),
        "sse" => Some("sse"),
        "ws" | "websocket" => Some("websocket"),
        _ => None,
    }
}

fn secure(scheme: &str) -> Fact<bool> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" | "wss" => Fact::Known(true),
        "http" | "ws" | "tcp" => Fact::Known(false),
        _ => Fact::Unknown,
    }
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    let name = name.to_ascii_lowercase();
    name == "localhost"
        || name == "::1"
        || name == "0.0.0.0"
        || name.starts_with("127.")
        || name.ends_with(".localhost")
}

/// Whether a query parameter of the address is a reference: a credential that is put in when it is used.
fn carries_reference(address: &str) -> bool {
    address.split_once('?').is_some_and(|(_, query)| {
        query.split('&').any(|pair| pair.split_once('=').is_some_and(|(_, value)| secret::is_standing_in(value)))
    })
}
