//! One reading: every document becomes facts at once and is dropped; what belongs together is joined at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::document::{Document, FileFacts, ReadError};
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::inventory::{Hint, Inventory};
use evenhand_model::provider::{ReadOptions, Reader, Reading};

use crate::assemble;
use crate::card;
use crate::clients::{Client, File, Level, Secrets, Servers, UNKNOWN};
use crate::locate::{self, Located};
use crate::profiles::{self, KUBECONFIG, ProfileFile, Store};
use crate::scope::Place;
use crate::secret::{self, Borrowed, EnvFile, Found, Slots};
use crate::server::Server;
use crate::settings::Settings;
use crate::tree::{self, Entry, Node, Syntax, Value};
use crate::unlike;
use crate::visibility::Visibility;
use crate::workflow::{self, Repositories, RepositoriesRead, Workflow, WorkflowError};

/// What one file of a client says.
pub(crate) struct FileRead {
    pub(crate) client: &'static Client,
    pub(crate) level: Level,
    /// Whether the file lies below a home folder by its name.
    pub(crate) homely: bool,
    pub(crate) by_content: bool,
    /// Whether it configures nothing.
    pub(crate) is_empty: bool,
    pub(crate) place: Place,
    pub(crate) document: Arc<str>,
    pub(crate) facts: FileFacts,
    pub(crate) settings: Settings,
    pub(crate) servers: Vec<Server>,
    pub(crate) found: Vec<Found>,
    pub(crate) borrowed: Vec<Borrowed>,
    /// The agent that the file defines, where it defines one; its settings are that agent's and not the client's.
    pub(crate) definition: Option<Definition>,
}

/// An agent that a file of a client defines.
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) line: u32,
    pub(crate) purpose: Fact<Arc<str>>,
    pub(crate) settings: Settings,
}

/// A workflow with the place of its file.
pub(crate) struct WorkflowRead {
    pub(crate) place: Place,
    pub(crate) document: Arc<str>,
    pub(crate) facts: FileFacts,
    /// The file's name without its endings; a compiled workflow and its source share it.
    pub(crate) stem: String,
    pub(crate) is_source: bool,
    pub(crate) workflow: Workflow,
    /// Other files that take part in it, with the literal secrets in them.
    pub(crate) beside: Vec<(WorkflowFile, Vec<Found>)>,
}

/// A file that takes part in workflows.
#[derive(Clone)]
pub(crate) struct WorkflowFile {
    pub(crate) place: Place,
    pub(crate) document: Arc<str>,
    pub(crate) facts: FileFacts,
    /// The file's name without its endings; of an action its folder's.
    pub(crate) stem: String,
}

/// What an environment file holds.
pub(crate) struct Environment {
    /// Its path, cleaned.
    pub(crate) path: String,
    pub(crate) document: Arc<str>,
    pub(crate) facts: FileFacts,
    pub(crate) found: Vec<Found>,
    pub(crate) borrowed: Vec<Borrowed>,
}

/// The reader of agent configuration.
pub(crate) struct AgentsReader {
    options: ReadOptions,
    files: Vec<FileRead>,
    environments: Vec<Environment>,
    profiles: Vec<ProfileFile>,
    sources: Vec<WorkflowRead>,
    repositories: Repositories,
    /// The files of the repositories by their paths, cleaned.
    workflow_files: BTreeMap<String, WorkflowFile>,
    /// Files that configuration names, by their paths, with what they are.
    asked: BTreeMap<String, Asked>,
    inventory: Inventory,
}

/// What a file is that configuration names.
#[derive(Clone, Copy)]
enum Asked {
    Environment,
    Kubeconfig,
}

impl AgentsReader {
    pub(crate) fn new(options: ReadOptions) -> Self {
        Self {
            options,
            files: Vec::new(),
            environments: Vec::new(),
            profiles: Vec::new(),
            sources: Vec::new(),
            repositories: Repositories::default(),
            workflow_files: BTreeMap::new(),
            asked: BTreeMap::new(),
            inventory: Inventory::default(),
        }
    }

    fn environment(&mut self, document: &Document) {
        let (found, borrowed) = secret::dotenv(&document.text, &self.options.fingerprinter);
        self.environments.push(Environment {
            path: locate::clean(&document.path).into_owned(),
            found,
            borrowed,
            document: Arc::clone(&document.path),
            facts: document.file,
        });
    }

    /// Reads a file of profiles. `root`: the home folder that it serves; `None` = it only serves what names it.
    fn profiles(&mut self, document: &Document, store: Store, root: Option<String>) -> Result<(), Vec<ReadError>> {
        let profiles = profiles::read(store, &document.text)
            .map_err(|error| vec![unparsed(document, error.line, error.column, error.reason)])?;
        self.profiles.push(ProfileFile {
            found_unasked: root.is_some(),
            root: root.unwrap_or_default(),
            document: Arc::clone(&document.path),
            path: locate::clean(&document.path).into_owned(),
            facts: document.file,
            store,
            profiles,
        });
        Ok(())
    }

    fn client_file(
        &mut self,
        document: &Document,
        client: &'static Client,
        file: &'static File,
        root: &str,
        by_content: bool,
    ) -> Result<(), Vec<ReadError>> {
        let syntax = if by_content { locate::syntax(document).unwrap_or(file.syntax) } else { file.syntax };
        let node = parsed(document, syntax)?;
        if matches!(node.value, Value::Null) && matches!(syntax, Syntax::Yaml | Syntax::Frontmatter) {
            return Ok(());
        }
        if !node.is_map() {
            return Err(vec![shape(document, node.line, &format!("the document is {}, not a map", node.what()))]);
        }
        let mut errors = Vec::new();
        let path: Arc<str> = Arc::clone(&document.path);
        let mut settings = Settings::of(&node, file.keys, &path, file.level);
        if !by_content {
            let unlike = unlike::in_settings(&node, file);
            if let Some(first) = unlike.first() {
                settings.read_in_part(&path, file.level, first.line);
            }
            errors.extend(unlike.iter().map(|one| shape(document, one.line, &one.reason())));
        }
        if file.is_definition() {
            let unlike = unlike::in_definition(&node);
            errors.extend(unlike.iter().map(|one| shape(document, one.line, &one.reason())));
        }
        let definition = file.is_definition().then(|| definition(document, &node, std::mem::take(&mut settings)));
        let (servers, nodes) = self.servers(document, &node, file, by_content, &mut errors);
        let mut slots = Slots::new(&self.options.fingerprinter).without(&nodes);
        for entry in node.entries() {
            let looked = match file.secrets {
                Secrets::Everywhere | Secrets::Values | Secrets::Store => true,
                Secrets::Under(keys) => keys.iter().any(|key| {
                    entry.key.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                }),
            };
            if file.secrets == Secrets::Values {
                // The file's only purpose is to hold secrets; every key names one, whatever it is called.
                slots.walk(&format!("{}_SECRET", entry.key), entry.line, &entry.node, &entry.key);
            } else if looked {
                slots.walk(&entry.key, entry.line, &entry.node, &entry.key);
            }
        }
        let Slots { mut found, borrowed, .. } = slots;
        if file.secrets == Secrets::Store {
            found.iter_mut().for_each(Found::tell_sessions);
        }
        let is_empty = definition.is_none() && servers.is_empty() && found.is_empty() && settings.keys.is_empty() && {
            match by_content && std::ptr::eq(client, &UNKNOWN) {
                true => true,
                // A client's own settings say by being there that its defaults hold.
                false => (by_content || file.keys.is_empty() || !file.needs.is_empty()) && says_nothing(&node, file),
            }
        };
        self.files.push(FileRead {
            client,
            is_empty,
            level: file.level,
            homely: !file.homes.is_empty(),
            by_content,
            place: Place::of(document, root),
            document: path,
            facts: document.file,
            settings,
            servers,
            found,
            borrowed,
            definition,
        });
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn workflow(&mut self, document: &Document, root: &str, is_source: bool) -> Result<(), Vec<ReadError>> {
        let unparsed = |error: WorkflowError| vec![unparsed(document, error.line, error.column, error.reason)];
        let path = locate::clean(&document.path);
        let mut parts = path.rsplit('/');
        let name = parts.next().unwrap_or(&path);
        let stem = match (name.split('.').next().unwrap_or(name), parts.next()) {
            // Every action is called so; its folder tells which one it is.
            ("action", Some(folder)) => folder,
            (stem, _) => stem,
        };
        let file = WorkflowFile {
            place: Place::of(document, root),
            document: Arc::clone(&document.path),
            facts: document.file,
            stem: stem.to_owned(),
        };
        if !is_source {
            self.repositories.add(root, &path, &document.text).map_err(unparsed)?;
            self.workflow_files.insert(path.into_owned(), file);
        } else if let Some(workflow) =
            workflow::read_source(&document.text, &self.options.fingerprinter).map_err(unparsed)?
        {
            self.sources.push(file.read(true, workflow, Vec::new()));
        }
        Ok(())
    }

    /// The tool servers of a document, and their nodes.
    fn servers<'n>(
        &self,
        document: &Document,
        node: &'n Node,
        file: &'static File,
        by_content: bool,
        errors: &mut Vec<ReadError>,
    ) -> (Vec<Server>, Vec<&'n Node>) {
        let mut servers = Vec::new();
        let mut nodes: Vec<&'n Node> = Vec::new();
        let mut wrong: Vec<&'n Entry> = Vec::new();
        let mut seen = false;
        for root in file.servers {
            match root {
                Servers::Map(path) => {
                    for (project, entry) in node.find_with_key(path) {
                        match &entry.node.value {
                            Value::Null => seen = true,
                            Value::Map(members) => {
                                seen = true;
                                for member in members {
                                    if self.member(member, project, by_content, document, &mut servers, errors) {
                                        nodes.push(&member.node);
                                    }
                                }
                            }
                            _ => wrong.push(entry),
                        }
                    }
                }
                Servers::List(path) => {
                    for entry in node.find(path) {
                        match &entry.node.value {
                            Value::List(elements) => {
                                seen = true;
                                wrong.retain(|other| !std::ptr::eq(*other, entry));
                                for (at, element) in elements.iter().enumerate() {
                                    let name = element.get("name").and_then(|entry| entry.node.text());
                                    let name = name.map_or_else(|| (at + 1).to_string(), str::to_owned);
                                    if element.is_map() {
                                        nodes.push(element);
                                        servers.push(self.server(&name, None, element.line, element));
                                    } else if element.scalar().is_none() {
                                        errors.push(not_a_server(document, &name, element));
                                    }
                                }
                            }
                            Value::Null => seen = true,
                            // The map form was tried before, or is none of this client's.
                            _ if wrong.iter().any(|other| std::ptr::eq(*other, entry)) => {}
                            _ => wrong.push(entry),
                        }
                    }
                }
                Servers::Named(path) => {
                    for entry in node.find(path) {
                        let Value::List(elements) = &entry.node.value else { continue };
                        seen = true;
                        wrong.retain(|other| !std::ptr::eq(*other, entry));
                        for (at, element) in elements.iter().enumerate() {
                            for member in element.entries() {
                                if self.member(member, None, by_content, document, &mut servers, errors) {
                                    nodes.push(&member.node);
                                }
                            }
                            // A text names a server that is configured elsewhere.
                            if !element.is_map() && element.text().is_none() {
                                errors.push(not_a_server(document, &(at + 1).to_string(), element));
                            }
                        }
                    }
                }
                Servers::Top => {
                    let entries = node.entries();
                    if !seen && !entries.is_empty() && entries.iter().all(|entry| locate::is_server(&entry.node)) {
                        seen = true;
                        for entry in entries {
                            nodes.push(&entry.node);
                            servers.push(self.server(&entry.key, None, entry.line, &entry.node));
                        }
                    }
                }
            }
        }
        // A file that nobody's path tells may have something else under a key that others use for servers.
        let is_excused = seen && by_content;
        if !wrong.is_empty() && !is_excused {
            errors.extend(wrong.iter().map(|entry| not_servers(document, entry)));
        } else if !seen && by_content && file.keys.is_empty() {
            errors.push(shape(document, node.line, "no tool servers stand under any known key"));
        }
        for server in &servers {
            for one in &server.unlike {
                let reason = format!("tool server `{}`: {}", server.name, one.reason());
                errors.push(shape(document, one.line, &reason));
            }
        }
        (servers, nodes)
    }

    /// Reads a member of a map of servers; whether it is one.
    fn member(
        &self,
        member: &Entry,
        project: Option<&str>,
        by_content: bool,
        document: &Document,
        servers: &mut Vec<Server>,
        errors: &mut Vec<ReadError>,
    ) -> bool {
        // Under keys that mean other things elsewhere only what looks like a server is one.
        let is_server = member.node.is_map() && (!by_content || locate::is_server(&member.node));
        if is_server {
            servers.push(self.server(&member.key, project, member.line, &member.node));
        } else if !by_content && !matches!(member.node.value, Value::Null | Value::Bool(_)) {
            errors.push(not_a_server(document, &member.key, &member.node));
        }
        is_server
    }

    fn server(&self, name: &str, project: Option<&str>, line: u32, node: &Node) -> Server {
        Server::read(name, project, line, node, &self.options.fingerprinter)
    }
}

impl Environment {
    /// The principals that a server is handed with the variables. `named`: what names the file to the server. To a container
    /// a kubeconfig is named by the path in there.
    pub(crate) fn lends_to(&self, server: &Server, named: &EnvFile) -> Vec<Borrowed> {
        let lent = self.borrowed.iter().filter_map(|one| {
            let (Some(container), Some(path)) = (&server.container, one.target.strip_prefix(KUBECONFIG)) else {
                return Some(one.clone());
            };
            // Other variables are those of the program that starts the container, unless it hands them on.
            let is_handed = named.in_arguments || container.takes(one.key);
            let target = is_handed.then(|| container.outside(path)).flatten()?;
            Some(Borrowed { target: secret::kubeconfig(&target)?, key: one.key, line: one.line })
        });
        lent.collect()
    }
}

impl Reader for AgentsReader {
    fn read(&mut self, document: Document) -> Result<(), Vec<ReadError>> {
        match self.asked.get(&*locate::clean(&document.path)) {
            Some(Asked::Environment) => {
                self.environment(&document);
                return Ok(());
            }
            Some(Asked::Kubeconfig) => return self.profiles(&document, Store::Kube, None),
            None => {}
        }
        match locate::locate(&document) {
            Some(Located::Client { client, file, root, by_content }) => {
                self.client_file(&document, client, file, &root, by_content)
            }
            Some(Located::Card) => {
                let node = parsed(&document, Syntax::Json)?;
                if !node.is_map() {
                    return Err(vec![shape(&document, node.line, "the agent card is not a map")]);
                }
                let unlike = unlike::in_card(&node);
                let errors: Vec<ReadError> =
                    unlike.iter().map(|one| shape(&document, one.line, &one.reason())).collect();
                // Without these nothing is known of who it is.
                if unlike.iter().any(|one| matches!(one.key.as_str(), "name" | "url")) {
                    return Err(errors);
                }
                let path = locate::clean(&document.path);
                let before = path.rsplit_once('/').map_or("", |(before, _)| before);
                let root = before.strip_suffix(".well-known").map_or(before, |root| root.trim_end_matches('/'));
                card::read(&node, &unlike, &document.path, &Place::of(&document, root), &mut self.inventory);
                if errors.is_empty() { Ok(()) } else { Err(errors) }
            }
            Some(Located::Profiles(store, root)) => self.profiles(&document, store, Some(root)),
            Some(Located::Workflow { root, source, .. }) => self.workflow(&document, &root, source),
            Some(Located::Environment) => {
                self.environment(&document);
                Ok(())
            }
            None => Err(vec![ReadError {
                document: document.path.to_string(),
                reason: String::from("nothing in it belongs to an agent client"),
                remedy: String::from("leave it out of the scan"),
            }]),
        }
    }

    fn wanted_files(&mut self) -> Vec<String> {
        let homes = assemble::homes(&self.files);
        let environments: BTreeMap<&str, &Environment> =
            self.environments.iter().map(|file| (file.path.as_str(), file)).collect();
        for file in &self.files {
            let of_file = (None, &file.borrowed[..]);
            let of_servers = file.servers.iter().map(|server| (Some(server), &server.borrowed[..]));
            for (server, borrowed) in of_servers.chain([of_file]) {
                let place = assemble::of_project(&file.place, server.and_then(|server| server.project.as_deref()));
                let home = assemble::home_of(&homes, &place);
                let mut lent: Vec<Borrowed> = Vec::new();
                if let Some(server) = server {
                    for named in &server.env_files {
                        let Some(path) = place.file(&named.path, home) else { continue };
                        // What an environment file names is known once it was read.
                        if let Some(file) = environments.get(path.as_str()) {
                            lent.extend(file.lends_to(server, named));
                        }
                        self.asked.insert(path, Asked::Environment);
                    }
                }
                let clusters = borrowed.iter().chain(&lent).filter_map(|one| one.target.strip_prefix(KUBECONFIG));
                let clusters = clusters.filter_map(|named| place.file(named, home));
                self.asked.extend(clusters.map(|path| (path, Asked::Kubeconfig)));
            }
        }
        let read = self.environments.iter().map(|file| &file.path).chain(self.profiles.iter().map(|file| &file.path));
        for path in read {
            self.asked.remove(path);
        }
        self.asked.keys().cloned().collect()
    }

    fn finish(self: Box<Self>) -> Reading {
        let Self {
            options,
            mut files,
            environments,
            mut profiles,
            sources: mut workflows,
            repositories,
            workflow_files,
            asked: _,
            mut inventory,
        } = *self;
        files.sort_by(|a, b| (&a.document, a.client.id).cmp(&(&b.document, b.client.id)));
        profiles.sort_by(|a, b| a.document.cmp(&b.document));
        assemble::join(&files, &environments, &profiles, &mut inventory);
        let RepositoriesRead { workflows: read, missing } = repositories.read(&options.fingerprinter);
        workflows.extend(read.into_iter().filter_map(|(path, mut workflow)| {
            let file = workflow_files.get(&path)?.clone();
            let beside = std::mem::take(&mut workflow.beside).into_iter();
            let beside = beside.filter_map(|(path, found)| Some((workflow_files.get(&path)?.clone(), found))).collect();
            Some(file.read(false, workflow, beside))
        }));
        workflows.sort_by(|a, b| a.document.cmp(&b.document));
        let visibility = Visibility::of(&options.settings);
        if let (Some(remark), Some(first)) = (visibility.remark(), workflows.first()) {
            let evidence = Evidence::whole(Arc::clone(&first.document));
            inventory.hints.push(Hint { evidence, message: remark.into() });
        }
        assemble::pipelines(&workflows, visibility.is_public(), &mut inventory);
        for part in &missing {
            if let Some(file) = workflow_files.get(&part.path) {
                assemble::missing_part(&file.document, part, &mut inventory);
            }
        }
        inventory.sort();
        Reading { inventory, resolver: None }
    }
}

impl WorkflowFile {
    fn read(self, is_source: bool, workflow: Workflow, beside: Vec<(Self, Vec<Found>)>) -> WorkflowRead {
        let Self { place, document, facts, stem } = self;
        WorkflowRead { place, document, facts, stem, is_source, workflow, beside }
    }
}

/// Why a file at a path of a client is none that the client can read; empty ones configure nothing.
pub(crate) fn broken(document: &Document) -> Option<ReadError> {
    if locate::begins_with_settings(&document.path) && tree::has_open_frontmatter(&document.text) {
        return Some(ReadError {
            document: format!("{}:1:1", document.path),
            reason: String::from("its front matter does not end"),
            remedy: String::from("close it with a line of `---`; until then nothing is known of what it configures"),
        });
    }
    let syntax = locate::syntax_at(&document.path)?;
    if document.text.trim().is_empty() {
        return None;
    }
    parsed(document, syntax).err()?.into_iter().next()
}

fn parsed(document: &Document, syntax: Syntax) -> Result<Node, Vec<ReadError>> {
    tree::parse(&document.text, syntax)
        .map_err(|error| vec![unparsed(document, error.line, error.column, error.reason)])
}

fn unparsed(document: &Document, line: u32, column: u32, reason: String) -> ReadError {
    ReadError {
        document: format!("{}:{line}:{column}", document.path),
        reason,
        remedy: String::from("correct the file; until then nothing is known of what it configures"),
    }
}

/// The agent that a file defines; the file's name stands for one that the file does not name.
fn definition(document: &Document, node: &Node, settings: Settings) -> Definition {
    let path = locate::clean(&document.path);
    let file = path.rsplit('/').next().unwrap_or(&path);
    let stem = file.strip_suffix(".md").unwrap_or(file);
    let stem = stem.strip_suffix(".agent").unwrap_or(stem);
    let name = node.get("name").and_then(|entry| entry.node.text().map(|text| (text, entry.line)));
    let (name, line) = name.filter(|(text, _)| !text.is_empty()).unwrap_or((stem, 1));
    let purpose: Fact<Arc<str>> = match node.get("description").map(|entry| &entry.node.value) {
        None | Some(Value::Null) => Fact::Absent,
        Some(Value::Text(text)) => {
            let text = text.trim();
            Fact::read((!text.is_empty()).then(|| Arc::from(secret::redact(text))))
        }
        Some(_) => Fact::Unknown,
    };
    Definition { name: secret::redact(name), line, purpose, settings }
}

/// Whether nothing stands under any key of the client's own.
fn says_nothing(node: &Node, file: &File) -> bool {
    fn is_blank(node: &Node) -> bool {
        match &node.value {
            Value::Null => true,
            Value::Text(text) => text.is_empty(),
            Value::List(elements) => elements.iter().all(is_blank),
            Value::Map(entries) => entries.iter().all(|entry| is_blank(&entry.node)),
            Value::Bool(_) | Value::Number(_) => false,
        }
    }
    let of_client = |key: &str| {
        file.needs.is_empty()
            || file
                .needs
                .iter()
                .any(|need| key.strip_prefix(need).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    node.entries()
        .iter()
        .filter(|entry| entry.key != "$schema" && of_client(&entry.key))
        .all(|entry| is_blank(&entry.node))
}

fn shape(document: &Document, line: u32, reason: &str) -> ReadError {
    ReadError {
        document: format!("{}:{line}", document.path),
        reason: reason.to_owned(),
        remedy: String::from("correct the file as its client documents it, or leave it out of the scan"),
    }
}

fn not_servers(document: &Document, entry: &Entry) -> ReadError {
    shape(
        document,
        entry.line,
        &format!("`{}` is {}, not a map of tool servers", secret::redact(&entry.key), entry.node.what()),
    )
}

fn not_a_server(document: &Document, name: &str, node: &Node) -> ReadError {
    shape(document, node.line, &format!("tool server `{}` is {}, not a map", secret::redact(name), node.what()))
}
