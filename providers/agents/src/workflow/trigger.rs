//! What starts a workflow, and who can cause that.

use evenhand_model::evidence::Truth;

use super::texts;
use crate::tree::Node;

/// Who may start an agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Audience {
    /// People who may change the repository, and what runs on their behalf.
    Writers,
    /// The file does not tell: another workflow or repository calls it, or a check decides that the file only names.
    Unknown,
    /// Whoever can see the repository: everyone, where it is public.
    Readers,
    /// Whoever can see the repository, because the file lifts a limit that the agent sets by itself.
    Anyone,
}

impl Audience {
    /// Whether people outside the organisation may start it. `public`: whether everyone can see the repository; only
    /// repositories that not everyone sees either can call the workflows of one that not everyone sees (GitHub's reference
    /// of reusable workflows, access).
    pub fn outsiders(self, public: Option<bool>) -> Truth {
        match self {
            Self::Writers => Truth::No,
            Self::Unknown if public == Some(false) => Truth::No,
            Self::Unknown => Truth::Unknown,
            Self::Readers => public.map_or(Truth::Unknown, Truth::from),
            Self::Anyone => public.map_or(Truth::Yes, Truth::from),
        }
    }
}

/// An event of a workflow.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) name: String,
    /// Who can cause it where no condition stands before it.
    pub(super) audience: Audience,
}

impl Event {
    /// A call by whoever it may be.
    pub(super) fn called() -> Self {
        const NAME: &str = "workflow_call";
        Self { name: NAME.to_owned(), audience: audience(NAME, None) }
    }

    /// The event in the words of the agents table.
    pub(super) fn word(&self) -> &'static str {
        match self.name.as_str() {
            "issues" => "issue",
            "issue_comment"
            | "slash_command"
            | "command"
            | "pull_request_review_comment"
            | "pull_request_review"
            | "discussion_comment"
            | "commit_comment" => "comment",
            "discussion" => "discussion",
            "pull_request" => "pull_request",
            "pull_request_target" => "pull_request_target",
            "schedule" => "schedule",
            "push" | "create" | "delete" | "release" | "registry_package" => "push",
            "workflow_dispatch" => "dispatch",
            "repository_dispatch" => "request",
            "workflow_call" => "workflow_call",
            "workflow_run" => "workflow_run",
            _ => "event",
        }
    }

    /// Whether it is an event that GitHub or the compiler of agentic workflows knows, and no other key beside them.
    pub(super) fn is_one(&self) -> bool {
        self.word() != "event"
            || matches!(self.name.as_str(), "fork" | "watch" | "gollum" | "check_run" | "check_suite")
    }

    /// Whether a run that a stranger causes holds what the repository gives to its own: its secrets, and a token that may do
    /// what the file says. Only the pull request of a fork runs without them; reviews and comments of strangers may be about
    /// a pull request from the repository itself (GitHub's reference of events, workflows in forked repositories).
    pub(super) fn arms_strangers(&self) -> bool {
        self.name != "pull_request"
    }

    /// Whether the event runs with the repository's secrets although what it is about may be a stranger's work. Events of
    /// pull requests and their reviews run without secrets where a fork is concerned.
    pub(super) fn is_privileged(&self) -> bool {
        matches!(
            self.name.as_str(),
            "pull_request_target"
                | "issue_comment"
                | "issues"
                | "workflow_run"
                | "workflow_call"
                | "discussion"
                | "discussion_comment"
                | "slash_command"
                | "command"
        )
    }
}

/// What is written behind `on`. YAML 1.1 readers take that key for a truth value.
pub(super) fn on(workflow: &Node) -> Option<&Node> {
    workflow.get("on").or_else(|| workflow.get("true")).map(|entry| &entry.node)
}

/// The events of a workflow, in the order of the file.
pub(super) fn events(workflow: &Node) -> Vec<Event> {
    let Some(on) = on(workflow) else { return Vec::new() };
    let event = |name: &str, node: Option<&Node>| Event { name: name.to_owned(), audience: audience(name, node) };
    match on.entries() {
        [] => texts(on).iter().map(|name| event(name, None)).collect(),
        entries => entries.iter().map(|entry| event(&entry.key, Some(&entry.node))).collect(),
    }
}

/// Activity types of issues, pull requests and discussions that only people with the right to triage can cause.
const OF_MEMBERS: &[&str] = &[
    "labeled",
    "unlabeled",
    "assigned",
    "unassigned",
    "milestoned",
    "demilestoned",
    "pinned",
    "unpinned",
    "locked",
    "unlocked",
    "transferred",
    "review_requested",
    "auto_merge_enabled",
    "enqueued",
    "dequeued",
];

/// Who can cause an event. `node`: what is written behind its name.
pub(super) fn audience(name: &str, node: Option<&Node>) -> Audience {
    let types = node.and_then(|node| node.get("types")).map(|entry| texts(&entry.node)).unwrap_or_default();
    let of_members = !types.is_empty() && types.iter().all(|kind| OF_MEMBERS.contains(&kind.as_str()));
    match name {
        "issues" | "pull_request" | "pull_request_target" | "discussion" if of_members => Audience::Writers,
        "issues"
        | "issue_comment"
        | "slash_command"
        | "command"
        | "pull_request"
        | "pull_request_target"
        | "pull_request_review"
        | "pull_request_review_comment"
        | "discussion"
        | "discussion_comment"
        | "commit_comment"
        | "fork"
        | "watch"
        | "gollum" => Audience::Readers,
        // What it follows may have been started by anybody.
        "workflow_run" | "workflow_call" | "check_run" | "check_suite" | "status" => Audience::Unknown,
        "push"
        | "schedule"
        | "workflow_dispatch"
        | "repository_dispatch"
        | "create"
        | "delete"
        | "deployment"
        | "deployment_status"
        | "release"
        | "merge_group"
        | "branch_protection_rule"
        | "label"
        | "milestone"
        | "page_build"
        | "public"
        | "registry_package"
        | "project"
        | "project_card"
        | "project_column" => Audience::Writers,
        _ => Audience::Unknown,
    }
}
