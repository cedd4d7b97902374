//! One agent that several callers start: what holds of it is what the widest of them gives.

use evenhand_model::agent::ApprovalMode;
use evenhand_model::evidence::{Fact, Truth};

use super::{WorkflowAgent, sorted};

/// Adds what another call says of the same agents, and agents that only it starts.
pub(super) fn agents(held: &mut Vec<WorkflowAgent>, more: Vec<WorkflowAgent>) {
    let mut free: Vec<bool> = vec![true; held.len()];
    for agent in more {
        let same = |one: &WorkflowAgent| (one.product, &one.job, one.line) == (agent.product, &agent.job, agent.line);
        let found = held.iter_mut().zip(&mut free).find(|(one, free)| **free && same(one));
        match found {
            Some((one, free)) => {
                *free = false;
                widen(one, agent);
            }
            None => held.push(agent),
        }
    }
}

fn widen(held: &mut WorkflowAgent, other: WorkflowAgent) {
    held.triggers.extend(other.triggers);
    held.triggers.sort_unstable();
    held.triggers.dedup();
    held.audience = held.audience.max(other.audience);
    held.armed_audience = held.armed_audience.max(other.armed_audience);
    held.token_grant = held.token_grant.zip(other.token_grant).map(|(one, two)| one.max(two));
    held.token_writes = held.token_writes.or(other.token_writes);
    held.untrusted_checkout = held.untrusted_checkout.or(other.untrusted_checkout);
    held.secrets = match (held.secrets.take(), other.secrets) {
        (Some(one), Some(two)) => Some(sorted(one.into_iter().chain(two).collect())),
        _ => None,
    };
    held.approval_mode = match (held.approval_mode, other.approval_mode) {
        (Fact::Known(one), Fact::Known(two)) => Fact::Known(one.max(two)),
        (one, two) if [one, two].contains(&Fact::Known(ApprovalMode::Bypass)) => Fact::Known(ApprovalMode::Bypass),
        _ => Fact::Unknown,
    };
    held.approval_defaulted &= other.approval_defaulted;
    held.tools.extend(other.tools);
    held.tools = match held.tools.iter().any(|tool| tool == "*") {
        true => vec![String::from("*")],
        false => sorted(std::mem::take(&mut held.tools)),
    };
    held.external_effect = held.external_effect.or(other.external_effect);
    held.sandboxed = joined(held.sandboxed, other.sandboxed, Truth::and);
    held.privileged = joined(held.privileged, other.privileged, Truth::or);
    held.pinned = joined(held.pinned, other.pinned, Truth::and);
    held.approval_keys.extend(other.approval_keys);
    held.approval_keys.sort_by(|(one, at), (two, below)| (at, one).cmp(&(below, two)));
    held.approval_keys.dedup();
    for credential in other.credentials {
        if !held.credentials.iter().any(|one| one.slot == credential.slot && one.kind == credential.kind) {
            held.credentials.push(credential);
        }
    }
    for server in other.servers {
        if !held.servers.iter().any(|one| one.name == server.name) {
            held.servers.push(server);
        }
    }
    for borrowed in other.borrowed {
        if !held.borrowed.contains(&borrowed) {
            held.borrowed.push(borrowed);
        }
    }
}

/// Two facts as one; what neither has stays absent.
fn joined(one: Fact<bool>, two: Fact<bool>, with: fn(Truth, Truth) -> Truth) -> Fact<bool> {
    let truth = |fact: Fact<bool>| fact.value().map_or(Truth::Unknown, |known| Truth::from(*known));
    match (one, two) {
        (Fact::Absent, Fact::Absent) => Fact::Absent,
        _ => Fact::known(with(truth(one), truth(two)).known()),
    }
}
