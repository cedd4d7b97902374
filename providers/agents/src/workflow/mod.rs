//! Workflow files of GitHub Actions that run AI agents: who may start them, with which token, which secrets and which
//! limits.
//!
//! [`read`] takes the text of one workflow and needs nothing else, so that a reader of repositories can use it as well as
//! the reader of files on disk. It knows the file and nothing of the repository: whether strangers can see it, and what its
//! branches demand, is for the caller to add. Sources: GitHub's workflow syntax and events references, and the `action.yml`
//! of each action, as of November 2026.

mod agentic;
mod condition;
mod handed;
mod job;
mod outline;
mod products;
mod script;
mod source;
mod token;
mod trigger;

use std::sync::Arc;

use evenhand_model::agent::ApprovalMode;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::secret::Fingerprinter;

use crate::secret::{Borrowed, Found, Slots};
use crate::server::Server;
use crate::tree::{self, Node, Syntax};

pub use crate::assemble::{Repository, rows};
pub use outline::{Outline, OutlinedJob, TokenPermissions, outline};
pub(crate) use source::{is_source, read_source};
pub use trigger::Audience;

/// A workflow that runs agents.
#[derive(Debug)]
pub struct Workflow {
    /// Its name; the file's name stands for it where it has none.
    pub name: Option<String>,
    /// The agents in it, in the order of the file.
    pub agents: Vec<WorkflowAgent>,
    pub(crate) found: Vec<Found>,
}

/// An agent that a step of a workflow runs.
#[derive(Debug)]
pub struct WorkflowAgent {
    /// The product, as in the `client` column: `claude-code-action`, `codex-action`, `run-gemini-cli` …
    pub product: &'static str,
    /// The job it runs in.
    pub job: String,
    /// The line of the step, from 1.
    pub line: u32,
    /// What starts it, in words: `issue`, `comment`, `pull_request` …, sorted.
    pub triggers: Vec<&'static str>,
    /// Who may start it, all conditions of the file considered.
    pub audience: Audience,
    /// Whether a token in its hands may change the repository: the job's, or one that the action gets in its place.
    /// Unknown where the file leaves it to the repository's default, or hands over a token of which it tells nothing.
    pub token_writes: Truth,
    /// Whether code that the event's author wrote is checked out in the same job.
    pub untrusted_checkout: Truth,
    /// Names of secrets that the job holds, sorted; `None` where a compiler adds some that the file does not name.
    pub secrets: Option<Vec<String>>,
    /// How much it does unasked.
    pub approval_mode: Fact<ApprovalMode>,
    /// Whether nothing in the file set that mode.
    pub approval_defaulted: bool,
    /// Tools that it may use, as the file lists them, sorted; `*` = all.
    pub tools: Vec<String>,
    /// Whether some tool that it may use acts outside the runner.
    pub external_effect: Truth,
    /// Whether it is confined on the runner.
    pub sandboxed: Fact<bool>,
    /// Whether it may become root on the runner.
    pub privileged: Fact<bool>,
    /// Whether the action is fixed to a commit; `Absent` where no action is used.
    pub pinned: Fact<bool>,
    /// Inputs and flags that bear on approval or isolation, with their lines.
    pub approval_keys: Vec<(String, u32)>,
    /// What it is handed to prove itself with, to its model and to clouds.
    pub credentials: Vec<JobCredential>,
    pub(crate) servers: Vec<Server>,
    pub(crate) borrowed: Vec<Borrowed>,
}

/// A credential that a job hands to an agent: for its model, or for a cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobCredential {
    /// The input, variable or permission that names it.
    pub slot: String,
    /// The kind, as in the credentials table: `anthropic_api_key`, `federated` …
    pub kind: &'static str,
    /// Whether it stays valid until someone revokes it.
    pub is_static: bool,
    /// Whether the issuer offers federation for the same purpose; `None` = not known.
    pub federable: Option<bool>,
    /// The line.
    pub line: u32,
}

/// Why a text is no workflow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (line {line})")]
pub struct WorkflowError {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// What is wrong.
    pub reason: String,
}

/// Whether a text is a workflow that runs an agent. Only a text that names an agent in a script, and no action of one, is
/// parsed for the answer; one that does not parse counts, so that [`read`] can say why.
pub fn runs_agents(text: &str) -> bool {
    if !(text.contains("jobs:") && products::mentions(text)) {
        return false;
    }
    let action = |line: &str| {
        let uses = line.trim_start().trim_start_matches("- ").strip_prefix("uses:")?;
        products::of_action(uses.trim().trim_matches(['"', '\'']))
    };
    if agentic::manifest(text).is_some() || text.lines().any(|line| action(line).is_some()) {
        return true;
    }
    let Ok(node) = tree::parse(text, Syntax::Yaml) else { return true };
    let jobs = node.get("jobs").map_or(&[][..], |entry| entry.node.entries());
    jobs.iter().any(|job| job::runs_agents(&job.key, &job.node))
}

/// Reads a workflow; `None` where it runs no agent.
///
/// # Errors
/// When the text is no YAML, or no map.
pub fn read(text: &str, fingerprinter: &Fingerprinter) -> Result<Option<Workflow>, WorkflowError> {
    let node = tree::parse(text, Syntax::Yaml).map_err(|error| WorkflowError {
        line: error.line,
        column: error.column,
        reason: error.reason,
    })?;
    if !node.is_map() {
        let reason = format!("the workflow is {}, not a map", node.what());
        return Err(WorkflowError { line: node.line, column: 1, reason });
    }
    let Some(jobs) = node.get("jobs") else { return Ok(None) };
    let events = trigger::events(&node);
    let manifest = agentic::manifest(text);
    let whole = job::Whole::of(&node, Some(&jobs.node), &events, manifest.as_ref());
    let agents: Vec<WorkflowAgent> =
        jobs.node.entries().iter().flat_map(|entry| job::agents(&whole, &entry.key, entry, fingerprinter)).collect();
    if agents.is_empty() {
        return Ok(None);
    }
    let steps =
        jobs.node.entries().iter().flat_map(|job| job.node.get("steps")).flat_map(|steps| steps.node.elements());
    let inlined: Vec<(&Node, Node)> = steps.flat_map(job::inlined).collect();
    let texts: Vec<&Node> = inlined.iter().map(|(text, _)| *text).collect();
    let mut slots = Slots::new(fingerprinter).without(&texts);
    for (_, settings) in &inlined {
        // What its tool servers hold is found with them.
        for entry in settings.entries().iter().filter(|entry| entry.key != "mcpServers") {
            slots.walk(&entry.key, entry.line, &entry.node, &entry.key);
        }
    }
    for part in ["env", "jobs"] {
        if let Some(entry) = node.get(part) {
            slots.walk(part, entry.line, &entry.node, part);
        }
    }
    let name = node.get("name").and_then(|entry| entry.node.text()).map(crate::secret::redact);
    Ok(Some(Workflow { name, agents, found: slots.found }))
}

/// The words of a scalar or a list of scalars.
fn texts(node: &Node) -> Vec<String> {
    match node.scalar() {
        Some(text) => vec![text.into_owned()],
        None => node.elements().iter().filter_map(Node::scalar).map(std::borrow::Cow::into_owned).collect(),
    }
}

/// Sorted and each once.
fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words.dedup();
    words
}

/// Texts as rows hold them; `Absent` = none.
pub(crate) fn listed(words: &[String]) -> Fact<Vec<Arc<str>>> {
    if words.is_empty() {
        Fact::Absent
    } else {
        Fact::Known(words.iter().map(|word| Arc::from(word.as_str())).collect())
    }
}
