//! Workflow files of GitHub Actions that run AI agents: who may start them, with which token, which secrets and which
//! limits.
//!
//! [`read`] takes the text of one workflow and needs nothing else, so that a reader of repositories can use it as well as
//! the reader of files on disk; [`Repositories`] takes all workflows and actions of repositories and follows the calls
//! between them. They know the files and nothing of the repository: whether strangers can see it, and what its branches
//! demand, is for the caller to add. Sources: GitHub's workflow syntax and events references, and the `action.yml`
//! of each action, as of November 2026.

mod agentic;
mod checkout;
mod condition;
mod gate;
mod handed;
mod handing;
mod job;
mod merge;
mod outline;
mod products;
mod reference;
mod repository;
mod script;
mod shape;
mod source;
mod token;
mod trigger;

use std::ops::Range;
use std::sync::Arc;

use evenhand_model::agent::ApprovalMode;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::secret::Fingerprinter;

use crate::secret::{Borrowed, Found};
use crate::server::Server;
use crate::tree::{self, Node, Syntax};

pub use crate::assemble::{Repository, rows};
pub use outline::{Outline, OutlinedJob, TokenPermissions, Trigger, outline};
pub use repository::{MissingPart, Repositories, RepositoriesRead};
pub(crate) use source::{is_source, read_source};
pub use token::TokenGrant;
pub use trigger::Audience;

/// A workflow that runs agents.
#[derive(Debug)]
pub struct Workflow {
    /// Its name; the file's name stands for it where it has none.
    pub name: Option<String>,
    /// The agents in it, in the order of the file.
    pub agents: Vec<WorkflowAgent>,
    pub(crate) found: Vec<Found>,
    /// Literal secrets of other files that take part in it, by their paths: of the actions that it uses and of workflows
    /// that call it and run no agent themselves.
    pub(crate) beside: Vec<(String, Vec<Found>)>,
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
    /// The lines of that step; none where no step runs it.
    pub(crate) lines: Range<u32>,
    /// What starts it, in words: `issue`, `comment`, `pull_request` …, sorted.
    pub triggers: Vec<&'static str>,
    /// Who may start it, all conditions of the file considered.
    pub audience: Audience,
    /// Who may start it in a run that holds what the repository gives to its own: its secrets, and a token that may do what
    /// the file says. The pull request of a fork gets neither.
    pub armed_audience: Audience,
    /// What limits the job's token; `None` where the file does not tell.
    pub token_grant: Option<TokenGrant>,
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

/// Whether a workflow may take part in a call within its repository: one that others may call, or one that calls.
pub(crate) fn takes_part(text: &str) -> bool {
    text.contains("workflow_call")
        || text.lines().any(|line| {
            let uses = line.trim_start().trim_start_matches("- ").strip_prefix("uses:");
            uses.is_some_and(|uses| uses.trim().trim_matches(['"', '\'']).starts_with("./"))
        })
}

/// Reads a workflow; `None` where it runs no agent. What it calls is not followed: see [`Repositories`].
///
/// # Errors
/// When the text is no YAML, or no map.
pub fn read(text: &str, fingerprinter: &Fingerprinter) -> Result<Option<Workflow>, WorkflowError> {
    let mut alone = Repositories::default();
    alone.add("", "workflow.yml", text)?;
    Ok(alone.read(fingerprinter).workflows.pop().map(|(_, workflow)| workflow))
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
