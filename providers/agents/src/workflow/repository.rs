//! Workflows and actions of repositories that call each other: reusable workflows and composite actions of the same
//! repository are followed, so that an agent behind a call has the events, conditions, token and secrets of its callers.
//!
//! A called workflow sees the event of its caller, never more than the token of the calling job, and the secrets that it
//! is handed; its agents are reported where they stand, in the called file, with what the widest of its callers gives. Of
//! these some may lie in other repositories, or behind a limit: what they give is not known, so each workflow that can be
//! called is read once more as if a stranger called it. The steps of a composite action run in the job that uses it and
//! are reported there, at the line of the call. Sources: GitHub's reference of reusable workflows, and of metadata syntax
//! for actions.

use std::collections::{BTreeMap, BTreeSet};

use evenhand_model::secret::Fingerprinter;

use super::agentic::{self, Manifest};
use super::condition::Kept;
use super::handing::{self, Handed};
use super::token::Ceiling;
use super::trigger::{self, Event};
use super::{Workflow, WorkflowAgent, WorkflowError, gate, job, merge, shape};
use crate::secret::{Found, Slots};
use crate::tree::{self, Entry, Node, Syntax, Value};

/// The event of a workflow that others call.
const CALLED: &str = "workflow_call";

/// Calls deeper than this GitHub refuses.
const DEEPEST: usize = 10;

/// So many calls of a repository are followed; what lies behind further ones stays as if strangers called it.
const MOST_CALLS: usize = 4096;

/// Where a repository keeps actions for its own use; those elsewhere are for others too (GitHub documentation, creating
/// actions).
const OWN_ACTIONS: &str = ".github/";

/// Workflows and actions, by their paths.
///
/// What they hold is kept as it is written, secrets included, and lives as long as this: give it up after reading.
#[derive(Default)]
pub struct Repositories {
    files: BTreeMap<String, File>,
}

struct File {
    /// The folder of the repository.
    root: String,
    node: Node,
    manifest: Option<Manifest>,
}

impl File {
    fn is_action(&self) -> bool {
        self.node.get("runs").is_some()
    }

    fn events(&self) -> Vec<Event> {
        trigger::events(&self.node)
    }
}

/// What repositories say of their agents.
#[derive(Debug)]
pub struct RepositoriesRead {
    /// Every workflow that runs agents, and every action that does and that others than the workflows here may use, by path.
    pub workflows: Vec<(String, Workflow)>,
    /// Calls of files that are not there.
    pub missing: Vec<MissingPart>,
}

/// A call of a file that is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingPart {
    /// The path of the calling file.
    pub path: String,
    /// The line of the call, from 1.
    pub line: u32,
    /// What is called, as it is written.
    pub called: String,
    /// Whether it is a workflow, which must lie there; an action may be fetched by an earlier step.
    pub is_workflow: bool,
}

impl Repositories {
    /// Adds a workflow, or the metadata of an action. `root`: the folder of the repository, as a prefix of the path.
    ///
    /// # Errors
    /// When the text is no YAML, no map, or a member of it has another type than GitHub gives it.
    pub fn add(&mut self, root: &str, path: &str, text: &str) -> Result<(), WorkflowError> {
        let node = tree::parse(text, Syntax::Yaml).map_err(|error| WorkflowError {
            line: error.line,
            column: error.column,
            reason: error.reason,
        })?;
        if !node.is_map() {
            let reason = format!("the workflow is {}, not a map", node.what());
            return Err(WorkflowError { line: node.line, column: 1, reason });
        }
        shape::check(&node)?;
        self.files.insert(path.to_owned(), File { root: root.to_owned(), node, manifest: agentic::manifest(text) });
        Ok(())
    }

    /// Reads everything that was added.
    pub fn read(&self, fingerprinter: &Fingerprinter) -> RepositoriesRead {
        let mut following = Following {
            files: &self.files,
            fingerprinter,
            agents: BTreeMap::new(),
            beside: BTreeMap::new(),
            used: BTreeSet::new(),
            cut_off: BTreeSet::new(),
            missing: BTreeSet::new(),
            calls: BTreeMap::new(),
        };
        for (path, file) in self.files.iter().filter(|(_, file)| !file.is_action()) {
            let (called, own): (Vec<Event>, Vec<Event>) =
                file.events().into_iter().partition(|event| event.name == CALLED);
            if !own.is_empty() || called.is_empty() {
                following.workflow(path, file, &Context::of(own), None, &mut Vec::new());
            }
            if !called.is_empty() {
                let context = Context { ceiling: Ceiling::Untold, ..Context::of(called) };
                following.workflow(path, file, &context, None, &mut Vec::new());
            }
        }
        for (path, file) in self.files.iter().filter(|(_, file)| file.is_action()) {
            let path = path.as_str();
            if !following.used.contains(path) || following.cut_off.contains(path) || is_for_others(&file.root, path) {
                following.action_of_others(path, file);
            }
        }
        let Following { agents, beside, missing, .. } = following;
        let found = |path: &str| self.files.get(path).map(|file| found(file, fingerprinter)).unwrap_or_default();
        let mut given: BTreeSet<&str> = agents.keys().copied().collect();
        let workflows = agents
            .into_iter()
            .filter_map(|(path, agents)| {
                let file = self.files.get(path)?;
                // What another file with agents holds is told there, and of the others each once.
                let others = beside.get(path).into_iter().flatten().filter(|other| given.insert(*other));
                let beside = others.map(|other| ((*other).to_owned(), found(other)));
                let beside = beside.filter(|(_, found)| !found.is_empty()).collect();
                let name = file.node.get("name").and_then(|entry| entry.node.text()).map(crate::secret::redact);
                Some((path.to_owned(), Workflow { name, agents, found: found(path), beside }))
            })
            .collect();
        RepositoriesRead { workflows, missing: missing.into_iter().collect() }
    }
}

/// The literal secrets of a file.
fn found(file: &File, fingerprinter: &Fingerprinter) -> Vec<Found> {
    let jobs = file.node.get("jobs").map_or(&[][..], |entry| entry.node.entries());
    let steps = jobs.iter().map(|job| &job.node).chain(file.node.get("runs").map(|entry| &entry.node));
    let steps = steps.flat_map(|node| node.get("steps")).flat_map(|steps| steps.node.elements());
    let inlined: Vec<(&Node, Node)> = steps.flat_map(job::inlined).collect();
    let texts: Vec<&Node> = inlined.iter().map(|(text, _)| *text).collect();
    let mut slots = Slots::new(fingerprinter).without(&texts);
    for (_, settings) in &inlined {
        // What its tool servers hold is found with them.
        for entry in settings.entries().iter().filter(|entry| entry.key != "mcpServers") {
            slots.walk(&entry.key, entry.line, &entry.node, &entry.key);
        }
    }
    for part in ["env", "jobs", "runs"] {
        if let Some(entry) = file.node.get(part) {
            slots.walk(part, entry.line, &entry.node, part);
        }
    }
    slots.found
}

/// What stands around a workflow when it runs.
struct Context {
    events: Vec<Event>,
    /// By event, what the conditions before the call keep out.
    kept: Vec<Kept>,
    /// What the token is at most.
    ceiling: Ceiling,
}

impl Context {
    fn of(events: Vec<Event>) -> Self {
        let kept = vec![Kept::NOTHING; events.len()];
        Self { events, kept, ceiling: Ceiling::Nothing }
    }
}

/// A job that calls a workflow.
struct Call<'c> {
    job: &'c Entry,
    called: &'c str,
    line: u32,
    /// What the job's own workflow was handed.
    handed: Option<&'c Handed<'c>>,
}

/// A reading under way.
struct Following<'r> {
    files: &'r BTreeMap<String, File>,
    fingerprinter: &'r Fingerprinter,
    agents: BTreeMap<&'r str, Vec<WorkflowAgent>>,
    /// By workflow, the files that take part in it: the actions that it uses, and the workflows that call it.
    beside: BTreeMap<&'r str, BTreeSet<&'r str>>,
    /// Actions that jobs use.
    used: BTreeSet<&'r str>,
    /// Actions of which some use was not followed.
    cut_off: BTreeSet<&'r str>,
    missing: BTreeSet<MissingPart>,
    /// By the folder of a repository, how many calls were followed.
    calls: BTreeMap<&'r str, usize>,
}

impl<'r> Following<'r> {
    /// Reads a workflow as it runs in a context, and what it calls. `above`: the calls that led to it.
    fn workflow(
        &mut self,
        path: &'r str,
        file: &'r File,
        context: &Context,
        handed: Option<&Handed<'_>>,
        above: &mut Vec<&'r str>,
    ) {
        let node = match handed {
            Some(handed) => handing::filled(&file.node, handed),
            None => file.node.copied(),
        };
        let node = self.with_actions(path, file, node);
        let Some(jobs) = node.get("jobs").map(|entry| &entry.node) else { return };
        let whole = job::Whole {
            events: &context.events,
            kept: &context.kept,
            permissions: node.get("permissions").map(|entry| &entry.node),
            ceiling: context.ceiling,
            env: node.get("env").map(|entry| &entry.node),
            gates: gate::gates(jobs, &context.events),
            manifest: file.manifest.as_ref(),
            fingerprinter: self.fingerprinter,
        };
        let agents: Vec<WorkflowAgent> =
            jobs.entries().iter().flat_map(|entry| job::agents(&whole, &entry.key, entry)).collect();
        if !agents.is_empty() {
            merge::agents(self.agents.entry(path).or_default(), agents);
        }
        for entry in jobs.entries() {
            if let Some(uses) = entry.node.get("uses")
                && let Some(called) = uses.node.text().filter(|called| called.starts_with("./"))
            {
                let call = Call { job: entry, called, line: uses.line, handed };
                self.call(path, file, &whole, &call, above);
            }
        }
    }

    fn call(
        &mut self,
        path: &'r str,
        file: &'r File,
        whole: &job::Whole<'_>,
        call: &Call<'_>,
        above: &mut Vec<&'r str>,
    ) {
        let Some((target, callee)) = self.files.get_key_value(&below(&file.root, call.called)) else {
            self.miss(path, call.line, call.called, true);
            return;
        };
        self.beside.entry(target).or_default().insert(path);
        if path == target || above.contains(&target.as_str()) || !self.goes_on(file, above.len()) {
            return;
        }
        let kept = gate::before(whole, &call.job.key);
        let ceiling = Ceiling::Caller(job::token_of(whole, &call.job.node));
        let context = Context { events: whole.events.to_vec(), kept, ceiling };
        let handed = Handed::to_workflow(&callee.node, &call.job.node, call.handed);
        above.push(path);
        self.workflow(target, callee, &context, Some(&handed), above);
        above.pop();
    }

    /// Whether one more call in a repository is followed, so many others being under way.
    fn goes_on(&mut self, file: &'r File, depth: usize) -> bool {
        let calls = self.calls.entry(&file.root).or_default();
        let goes_on = depth < DEEPEST && *calls < MOST_CALLS;
        *calls += usize::from(goes_on);
        goes_on
    }

    fn miss(&mut self, path: &str, line: u32, called: &str, is_workflow: bool) {
        let called = crate::secret::redact(called);
        self.missing.insert(MissingPart { path: path.to_owned(), line, called, is_workflow });
    }

    /// An action as those use it who are not known.
    fn action_of_others(&mut self, path: &'r str, file: &'r File) {
        let node = self.with_actions(path, file, file.node.copied());
        let Some(runs) = node.get("runs") else { return };
        let context = Context::of(vec![Event::called()]);
        let whole = job::Whole {
            events: &context.events,
            kept: &context.kept,
            permissions: None,
            ceiling: Ceiling::Untold,
            env: None,
            gates: BTreeMap::new(),
            manifest: None,
            fingerprinter: self.fingerprinter,
        };
        let agents = job::agents(&whole, "action", runs);
        if !agents.is_empty() {
            self.agents.insert(path, agents);
        }
    }

    /// Puts behind each step that uses an action of the repository the steps of that action.
    fn with_actions(&mut self, path: &'r str, file: &'r File, mut node: Node) -> Node {
        let Value::Map(entries) = &mut node.value else { return node };
        for entry in entries {
            match (entry.key.as_str(), &mut entry.node.value) {
                ("jobs", Value::Map(jobs)) => {
                    for job in jobs {
                        self.steps_with_actions(path, file, &mut job.node);
                    }
                }
                ("runs", _) => self.steps_with_actions(path, file, &mut entry.node),
                _ => {}
            }
        }
        node
    }

    fn steps_with_actions(&mut self, path: &'r str, file: &'r File, node: &mut Node) {
        let Value::Map(entries) = &mut node.value else { return };
        for entry in entries.iter_mut().filter(|entry| entry.key == "steps") {
            if let Value::List(steps) = &mut entry.node.value {
                *steps = self.expanded(path, file, std::mem::take(steps), &mut Vec::new());
            }
        }
    }

    fn expanded(&mut self, path: &'r str, file: &'r File, steps: Vec<Node>, above: &mut Vec<&'r str>) -> Vec<Node> {
        let mut expanded = Vec::new();
        for step in steps {
            let uses = step.get("uses").and_then(|entry| Some((entry.node.text()?.to_owned(), entry.line)));
            let mut inside = Vec::new();
            if let Some((called, line)) = uses.filter(|(called, _)| called.starts_with("./")) {
                let folder = below(&file.root, &called);
                let named = ["action.yml", "action.yaml"].map(|name| below(&folder, name));
                match named.iter().find_map(|name| self.files.get_key_value(name)) {
                    Some((target, _)) if target == path || above.contains(&target.as_str()) => {}
                    Some((target, action)) if self.goes_on(file, above.len()) => {
                        self.used.insert(target);
                        self.beside.entry(path).or_default().insert(target);
                        above.push(target);
                        inside = self.expanded(path, file, handing::steps(&action.node, &step, line), above);
                        above.pop();
                    }
                    Some((target, _)) => {
                        self.cut_off.insert(target);
                    }
                    None => self.miss(path, line, &called, false),
                }
            }
            // The step itself stays: what it hands over lies on the runner.
            expanded.push(step);
            expanded.append(&mut inside);
        }
        expanded
    }
}

/// Whether an action lies where a repository keeps those that others use.
fn is_for_others(root: &str, path: &str) -> bool {
    !path.strip_prefix(root).unwrap_or(path).trim_start_matches('/').starts_with(OWN_ACTIONS)
}

/// A path below a folder.
fn below(folder: &str, path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path).trim_matches('/');
    match (folder, path) {
        ("", path) => path.to_owned(),
        (folder, "") => folder.to_owned(),
        ("/", path) => format!("/{path}"),
        (folder, path) => format!("{folder}/{path}"),
    }
}
