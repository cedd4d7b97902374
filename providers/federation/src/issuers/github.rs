//! GitHub Actions: `repo:OWNER/REPO:<context>`, the same with numbers, and what organisations make of it.

use super::{id, name, pairs};
use crate::reach::{Context, Pin, Reach};
use crate::shape::Shape;

/// Claims that a subject may be made of (`include_claim_keys`).
const KEYS: &[&str] = &[
    "repo",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "ref",
    "ref_type",
    "environment",
    "job_workflow_ref",
    "workflow",
    "workflow_ref",
    "head_ref",
    "base_ref",
    "event_name",
    "actor",
    "actor_id",
    "enterprise",
    "enterprise_id",
    "runner_environment",
];

pub(super) fn subject(shape: &Shape) -> Reach {
    let pieces = shape.split(':');
    let found = pairs(&pieces, KEYS, &["pull_request"]);
    let custom = found.iter().any(|(key, _)| !matches!(*key, "repo" | "ref" | "environment" | "pull_request"));
    let reach = found.into_iter().fold(Reach::default(), |reach, (key, value)| match (key, value) {
        ("pull_request", _) => reach.and(Reach { pull_request: true, context: Context::One, ..Reach::default() }),
        (key, Some(value)) => reach.and(claim(if key == "repo" { "repository" } else { key }, value)),
        (_, None) => reach,
    });
    if custom { reach.remark("custom-sub") } else { reach }
}

pub(super) fn claim(claim: &str, shape: &Shape) -> Reach {
    match claim {
        "repository" => repository(shape),
        "repository_owner" => Reach::tenant(owner(shape)),
        "repository_id" => immutable(Reach::workload(id(shape))),
        "repository_owner_id" | "enterprise_id" => immutable(Reach::tenant(id(shape))),
        "ref" => reference(shape),
        "environment" => environment(shape),
        "job_workflow_ref" => workflow(shape),
        // The calling workflow stands in the repository itself.
        "workflow_ref" => match shape.is_wild() {
            true => Reach::default(),
            false => Reach { context: Context::One, ..Reach::workload(Pin::Name) },
        },
        "event_name" => match shape.literal().as_deref() {
            Some("pull_request") => Reach { pull_request: true, context: Context::One, ..Reach::default() },
            _ => Reach::default(),
        },
        _ => Reach::default(),
    }
}

fn immutable(reach: Reach) -> Reach {
    let held = reach.tenant.max(reach.workload) == Pin::Id;
    if held { reach.remark("immutable").remark("immutable-id") } else { reach }
}

/// `OWNER/REPO`, or `OWNER@ID/REPO@ID`.
fn repository(shape: &Shape) -> Reach {
    let pieces = shape.split('/');
    let Some(first) = pieces.first() else { return Reach::default() };
    let tenant = owner(first);
    // A pattern of the owner that goes on over the slash is no owner.
    let workload = match pieces.get(1) {
        None => Pin::Open,
        Some(repository) => owner(repository),
    };
    let reach = Reach { tenant, workload, ..Reach::default() };
    if reach.tenant == Pin::Id || reach.workload == Pin::Id {
        immutable(reach)
    } else if reach.workload == Pin::Name {
        reach.remark("name-based")
    } else {
        reach
    }
}

/// A name with or without its number. No name holds an `@`, so that one before a wildcard ends the name.
fn owner(shape: &Shape) -> Pin {
    let head = shape.head();
    match head.split_once('@') {
        Some((_, number)) if !shape.is_wild() && !number.is_empty() => Pin::Id,
        Some(_) => Pin::Name,
        None => name(shape),
    }
}

fn reference(shape: &Shape) -> Reach {
    let head = shape.head();
    let reach = if head.starts_with("refs/tags/") {
        Reach::context(Context::Tag)
    } else if head.starts_with("refs/pull/") {
        Reach { pull_request: true, context: Context::One, ..Reach::default() }
    } else if !shape.is_wild() {
        return Reach::context(Context::One).remark("exact-ref");
    } else if head == "refs/heads/" {
        Reach::context(Context::Several("unprotected-branch"))
    } else if head.starts_with("refs/heads/") {
        Reach::context(Context::Several("branch-prefix-collision")).remark("unprotected-branch")
    } else {
        Reach::context(Context::Several("wildcard-ref"))
    };
    if shape.is_wild() { reach.remark("wildcard-suffix") } else { reach }
}

fn environment(shape: &Shape) -> Reach {
    if shape.is_wild() {
        Reach::context(Context::Several("wildcard-suffix"))
    } else {
        Reach::context(Context::One).remark("environment-scoped")
    }
}

/// A reusable workflow: whoever calls it, it is its steps that run.
fn workflow(shape: &Shape) -> Reach {
    let Some(text) = shape.literal() else { return Reach::default().remark("job-workflow-ref") };
    let reach = |steps: Pin| Reach { context: Context::One, steps, ..Reach::default() }.remark("reusable-workflow-pin");
    let commit = text.rsplit_once('@').map_or("", |(_, commit)| commit);
    let pinned = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if pinned { reach(Pin::Id).remark("sha-pinned") } else { reach(Pin::Name) }
}
