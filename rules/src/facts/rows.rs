//! Rows that restate what was read: credentials, trusts, agents, workloads, logs, gaps.

use std::sync::Arc;

use evenhand_model::agent::ApprovalMode;
use evenhand_model::credential::Exposure;
use evenhand_model::evidence::Fact;
use evenhand_model::gap::GapKind;
use evenhand_model::table::Table;
use evenhand_model::trust::Trust;
use jiff::Timestamp;
use rayon::prelude::*;

use crate::facts::context::Context;
use crate::facts::days_between;
use crate::facts::places::Places;
use crate::facts::tables::{AgentRow, CredentialRow, GapRow, LogRow, TrustRow, WorkloadRow};
use crate::facts::tabulate::tabulate;
use crate::facts::words::Words;

/// A value that a known absence turns into NULL.
pub(super) fn value<T: Clone>(fact: &Fact<T>) -> Option<T> {
    fact.value().cloned()
}

/// Whole days since something last happened, or since another moment if it never did.
pub(super) fn idle_days(last: &Fact<Timestamp>, made: &Fact<Timestamp>, now: Timestamp) -> Option<i64> {
    match last {
        Fact::Known(last) => Some(days_between(*last, now)),
        Fact::Absent => made.value().map(|made| days_between(*made, now)),
        Fact::Unknown => None,
    }
}

pub(super) fn credentials(context: &Context<'_>) -> (Table, Places) {
    let (credentials, now) = (&context.inventory.credentials, context.input.now);
    let table = tabulate(credentials.len(), |at, words| {
        let credential = credentials.get(at)?;
        let (location, location_line) = words.location_and_line(&credential.evidence);
        let lifetime = match (&credential.created_at, &credential.expires_at) {
            (Fact::Known(made), Fact::Known(end)) => Some(days_between(*made, *end)),
            _ => None,
        };
        Some(CredentialRow {
            id: credential.id.shared(),
            identity: credential.identity.shared(),
            provider: words.word(credential.provider.0),
            nature: words.word(context.nature_of_holder(at)),
            kind: Arc::clone(&credential.kind),
            r#static: value(&credential.is_static),
            federable: value(&credential.federable),
            location,
            location_line,
            exposure: credential.exposure.value().map(|exposure| words.word(exposure.as_str())),
            in_arguments: value(&credential.in_arguments),
            file_readable_by_others: value(&credential.file_readable_by_others),
            created_at: value(&credential.created_at),
            expires_at: value(&credential.expires_at),
            has_expiry: credential.expires_at.present().or_else(|| credential.lifetime_days.value().map(|_| true)),
            expired: match credential.expires_at {
                Fact::Known(end) => Some(end <= now),
                Fact::Absent => Some(false),
                Fact::Unknown => None,
            },
            last_used_at: value(&credential.last_used_at),
            ever_used: credential.last_used_at.present(),
            age_days: credential.created_at.value().map(|made| days_between(*made, now)),
            lifetime_days: lifetime.or_else(|| value(&credential.lifetime_days)),
            audience: value(&credential.audience),
            in_metadata: value(&credential.in_metadata),
            idle_days: idle_days(&credential.last_used_at, &credential.created_at, now),
            enabled: value(&credential.enabled),
            fingerprint: context.secret_names.get(at).cloned().flatten(),
            shared_by: context.shared_by.get(at).copied().unwrap_or(1),
        })
    });
    (table, Places::One(credentials.par_iter().map(|credential| credential.evidence.clone()).collect()))
}

pub(super) fn trusts(context: &Context<'_>) -> (Table, Places) {
    let trusts = &context.inventory.trusts;
    let table = tabulate(trusts.len(), |at, words| {
        let trust = trusts.get(at)?;
        Some(TrustRow {
            source: Arc::clone(&trust.source),
            target: trust.target.shared(),
            provider: words.word(trust.provider.0),
            target_nature: words.word(context.nature(&trust.target)),
            mechanism: words.word(trust.mechanism.as_str()),
            constraint: Arc::clone(&trust.constraint),
            weak: trust.weak.known(),
            weakness: Arc::clone(&trust.weakness),
            joined: !context.inventory.crossings_of(trust).is_empty(),
            location: words.location(&trust.evidence),
        })
    });
    if context.inventory.crossings.is_empty() {
        return (table, Places::One(trusts.par_iter().map(|trust| trust.evidence.clone()).collect()));
    }
    let both = |trust: &Trust| {
        let other = context.inventory.crossings_of(trust).iter().map(|crossing| crossing.evidence.clone());
        std::iter::once(trust.evidence.clone()).chain(other).collect()
    };
    let of = (0..u32::try_from(trusts.len()).unwrap_or(u32::MAX)).collect();
    (table, Places::Shared { places: trusts.iter().map(both).collect(), of })
}

pub(super) fn agents(context: &Context<'_>) -> (Table, Places) {
    let agents = &context.inventory.agents;
    let table = tabulate(agents.len(), |at, words| {
        let agent = agents.get(at)?;
        let (location, line) = words.location_and_line(&agent.evidence);
        let registered = context
            .input
            .register
            .map(|register| register.holds(agent.provider.0, &agent.id, &agent.client, &agent.name));
        let acts_as = context.input.judgements.position(&agent.identity);
        let owner = acts_as.and_then(|at| context.inventory.identities.get(at)).map(|identity| &identity.owner);
        Some(AgentRow {
            id: Arc::clone(&agent.id),
            identity: agent.identity.shared(),
            provider: words.word(agent.provider.0),
            client: Arc::clone(&agent.client),
            kind: words.word(agent.kind.as_str()),
            name: Arc::clone(&agent.name),
            location,
            line,
            transport: value(&agent.transport),
            remote: value(&agent.remote),
            command_pinned: value(&agent.command_pinned),
            command_fetched: value(&agent.command_fetched),
            sandboxed: value(&agent.sandboxed),
            approval_mode: agent.approval_mode.value().copied().map(ApprovalMode::as_str).map(|mode| words.word(mode)),
            approval_defaulted: value(&agent.approval_defaulted),
            auto_approved: listed(words, &agent.auto_approved),
            auto_approve_all: value(&agent.auto_approve_all),
            external_effect_approved: value(&agent.external_effect_approved),
            managed_policy: value(&agent.managed_policy),
            project_servers_enabled: value(&agent.project_servers_enabled),
            authenticated: value(&agent.authenticated),
            tls: value(&agent.tls),
            file_scope: value(&agent.file_scope),
            privileged: value(&agent.privileged),
            model_key: match &agent.model_key {
                Fact::Known(exposure) => Some(words.word(exposure.as_str())),
                Fact::Absent => Some(words.word(Exposure::None.as_str())),
                Fact::Unknown => None,
            },
            authorization: value(&agent.authorization),
            permission_profile: value(&agent.permission_profile),
            used_by: context.used_by.get(&agent.identity).copied().unwrap_or(0),
            telemetry: value(&agent.telemetry),
            trigger: value(&agent.trigger),
            untrusted_trigger: value(&agent.untrusted_trigger),
            outsider_run_privileged: match &agent.outsider_run_privileged {
                Fact::Absent => value(&agent.untrusted_trigger),
                told => value(told),
            },
            registered: registered.or_else(|| value(&agent.registered)),
            has_owner: owner.and_then(Fact::present),
            ambient_credentials: value(&agent.ambient_credentials),
            disabled: agent.disabled,
            project_hooks: value(&agent.project_hooks),
            sandbox_escape: value(&agent.sandbox_escape),
            untrusted_checkout: value(&agent.untrusted_checkout),
            token_writes: value(&agent.token_writes),
            token_grant: value(&agent.token_grant),
            secrets_in_reach: listed(words, &agent.secrets_in_reach),
            approval_keys: {
                let keys: Vec<String> =
                    agent.approval_keys.iter().map(|(key, evidence)| format!("{key} ({evidence})")).collect();
                words.joined(keys.iter().map(String::as_str), ", ")
            },
        })
    });
    (table, Places::One(agents.iter().map(|agent| agent.evidence.clone()).collect()))
}

/// A list in one text; empty where it is known that there is nothing.
fn listed(words: &mut Words, list: &Fact<Vec<Arc<str>>>) -> Option<Arc<str>> {
    match list {
        Fact::Known(entries) => Some(words.joined(entries.iter().map(|entry| &**entry), ", ")),
        Fact::Absent => Some(words.word("")),
        Fact::Unknown => None,
    }
}

pub(super) fn workloads(context: &Context<'_>) -> (Table, Places) {
    let workloads = &context.inventory.workloads;
    let table = tabulate(workloads.len(), |at, words| {
        let workload = workloads.get(at)?;
        Some(WorkloadRow {
            id: Arc::clone(&workload.id),
            identity: workload.identity.shared(),
            provider: words.word(workload.provider.0),
            nature: words.word(context.nature(&workload.identity)),
            kind: Arc::clone(&workload.kind),
            name: Arc::clone(&workload.name),
            scope: workload.scope.shared(),
            image: value(&workload.image),
            token_mounted: value(&workload.token_mounted),
            needs_token: value(&workload.needs_token),
            exposed: value(&workload.exposed),
            privileged: value(&workload.privileged),
            default_identity: value(&workload.surroundings.default_identity),
            egress_restricted: value(&workload.surroundings.egress_restricted),
            ingress_restricted: value(&workload.surroundings.ingress_restricted),
            hardening_enforced: value(&workload.surroundings.hardening_enforced),
            secrets: listed(words, &workload.surroundings.secrets),
            location: words.location(&workload.evidence),
        })
    });
    (table, Places::One(workloads.par_iter().map(|workload| workload.evidence.clone()).collect()))
}

pub(super) fn logs(context: &Context<'_>) -> (Table, Places) {
    let logs = &context.inventory.logs;
    let table = tabulate(logs.len(), |at, words| {
        let log = logs.get(at)?;
        Some(LogRow {
            scope: log.scope.shared(),
            provider: words.word(log.provider.0),
            log: Arc::clone(&log.name),
            enabled: value(&log.enabled),
            covers_agents: value(&log.covers_agents),
            retention_days: value(&log.retention_days),
            has_retention_limit: log.retention_days.present(),
            tamper_protected: value(&log.tamper_protected),
            ai_identities: context.ai_identities.get(&log.scope).copied().unwrap_or(0),
            location: words.location(&log.evidence),
        })
    });
    (table, Places::One(logs.iter().map(|log| log.evidence.clone()).collect()))
}

pub(super) fn gaps(context: &Context<'_>) -> (Table, Places) {
    let gaps = &context.inventory.gaps;
    let table = tabulate(gaps.len(), |at, words| {
        let gap = gaps.get(at)?;
        Some(GapRow {
            provider: gap.provider.map(|provider| words.word(provider.0)),
            scope: gap.scope.as_ref().map(evenhand_model::id::ScopeId::shared),
            kind: words.word(match gap.kind {
                GapKind::Failed => "failed",
                GapKind::NotCollected => "not_collected",
            }),
            call: Arc::clone(&gap.call),
            reason: Arc::clone(&gap.reason),
            facts: gap.unknown().into(),
        })
    });
    (table, Places::None)
}
