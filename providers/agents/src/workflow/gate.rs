//! Who gets as far as a job, and as far as the agent in a step of it: by the events that start them, by the conditions on the
//! way, and by what an agent's action asks of whoever started it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use evenhand_model::evidence::Truth;

use super::condition::{self, Kept};
use super::job::{Step, Whole, input, is_base_action};
use super::trigger::{Audience, Event};
use crate::tree::Node;

/// Who may start the agent by some of its events: whoever can cause one and passes every condition on the way.
pub(super) fn audience(
    whole: &Whole<'_>,
    before: &[Kept],
    job: &Node,
    step: &Step<'_>,
    some: &dyn Fn(&Event) -> bool,
) -> Audience {
    let mut audience = Audience::Writers;
    for (event, before) in whole.events.iter().zip(before).filter(|(event, _)| some(event)) {
        audience = audience.max(match condition_of(step.node, event).or(*before).people {
            Truth::Yes => Audience::Writers,
            Truth::Unknown => event.audience.min(Audience::Unknown),
            Truth::No => event.audience,
        });
    }
    if audience == Audience::Writers {
        return audience;
    }
    let everyone = |key: &str| input(step, key).map_or(Truth::No, |users| names_everyone(&users));
    // A lifted limit lets in whoever gets as far; who that is, it does not tell.
    let lifted = if audience == Audience::Readers { Audience::Anyone } else { audience };
    audience = match (whole.manifest, step.product) {
        // The compiler asks for a role unless the source says that all may start it.
        (Some(manifest), _) => match manifest.roles.as_deref() {
            Some(roles) if !roles.split(',').any(|role| matches!(role.trim(), "all" | "read")) => Audience::Writers,
            _ => lifted,
        },
        // The base action asks nobody who they are.
        (None, "claude-code-action") if is_base_action(step) => audience,
        (None, "claude-code-action") => match everyone("allowed_non_write_users").or(everyone("allowed_bots")) {
            Truth::Yes => lifted,
            Truth::Unknown => audience.min(Audience::Unknown),
            // The action refuses actors without write access where an issue, a comment or a pull request starts it.
            Truth::No if audience == Audience::Readers => Audience::Writers,
            Truth::No => audience,
        },
        (None, "codex-action") => match everyone("allow-users") {
            Truth::Yes => lifted,
            Truth::Unknown => audience.min(Audience::Unknown),
            Truth::No => Audience::Writers,
        },
        _ => audience,
    };
    // Reviewers of an environment may stand before the job; only the environment tells.
    if job.get("environment").is_some() { audience.min(Audience::Unknown) } else { audience }
}

/// Whether a list of users lets everyone in; what an expression yields is not in the file.
fn names_everyone(users: &str) -> Truth {
    if users.split(',').any(|user| user.trim() == "*") {
        Truth::Yes
    } else if users.contains("${{") {
        Truth::Unknown
    } else {
        Truth::No
    }
}

/// Who may start a job, whatever its steps ask of themselves.
pub(super) fn audience_of(whole: &Whole<'_>, job: &str) -> Audience {
    let before = before(whole, job);
    let all = whole.events.iter().zip(&before).map(|(event, before)| match before.people {
        Truth::Yes => Audience::Writers,
        Truth::Unknown => event.audience.min(Audience::Unknown),
        Truth::No => event.audience,
    });
    all.max().unwrap_or(Audience::Writers)
}

/// What a job's own condition says.
pub(super) struct Gate<'w> {
    /// What it keeps out, by the workflow's events.
    own: Vec<Kept>,
    /// Whether the job runs although one before it was skipped.
    goes_on: bool,
    /// The jobs that it waits for.
    needs: Vec<Cow<'w, str>>,
}

/// The conditions of all jobs, by their names.
pub(super) fn gates<'w>(jobs: &'w Node, events: &[Event]) -> BTreeMap<&'w str, Gate<'w>> {
    let gate = |job: &'w Node| {
        let condition = job.get("if").and_then(|entry| entry.node.scalar()).unwrap_or_default();
        let needs = job.get("needs").map(|entry| &entry.node);
        let one = needs.and_then(Node::scalar).into_iter();
        let several = needs.map_or(&[][..], Node::elements).iter().filter_map(Node::scalar);
        Gate {
            own: events.iter().map(|event| condition::keeps_out(&condition, &event.name)).collect(),
            goes_on: ["always()", "cancelled()", "failure()"].iter().any(|word| condition.contains(word)),
            needs: one.chain(several).collect(),
        }
    };
    jobs.entries().iter().map(|job| (job.key.as_str(), gate(&job.node))).collect()
}

/// What the condition of a job or step keeps out of an event.
pub(super) fn condition_of(node: &Node, event: &Event) -> Kept {
    let own = node.get("if").and_then(|entry| entry.node.scalar());
    own.map_or(Kept::NOTHING, |own| condition::keeps_out(&own, &event.name))
}

/// By event, what is kept out before a job: by its conditions, those of the jobs that it waits for, and those before the
/// call of its workflow.
pub(super) fn before(whole: &Whole<'_>, job: &str) -> Vec<Kept> {
    let called = |event: usize| whole.kept.get(event).copied().unwrap_or(Kept::NOTHING);
    (0..whole.events.len())
        .map(|event| called(event).or(job_keeps_out(whole, job, event, &mut BTreeSet::new())))
        .collect()
}

/// What a job, or one that it waits for, keeps out of an event. `seen`: jobs that were asked already.
fn job_keeps_out<'w>(whole: &'w Whole<'_>, name: &'w str, event: usize, seen: &mut BTreeSet<&'w str>) -> Kept {
    /// Longer chains of jobs are not followed; nobody is kept out by what is not read.
    const LONGEST: usize = 256;
    let Some(gate) = whole.gates.get(name) else { return Kept::NOTHING };
    if seen.len() >= LONGEST || !seen.insert(name) {
        return Kept::NOTHING;
    }
    let own = gate.own.get(event).copied().unwrap_or(Kept::NOTHING);
    if own == Kept::EVERYTHING || gate.goes_on {
        return own;
    }
    gate.needs.iter().fold(own, |all, other| all.or(job_keeps_out(whole, other, event, seen)))
}
