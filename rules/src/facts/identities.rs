//! The rows of table `identities`.

use std::fmt;
use std::sync::Arc;

use evenhand_model::access::EdgeTarget;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::identity::Nature;
use evenhand_model::parity::{BaselineSource, Comparison};
use evenhand_model::table::Table;

use crate::facts::access::AccessFacts;
use crate::facts::context::{Context, int};
use crate::facts::days_between;
use crate::facts::places::Places;
use crate::facts::rows::{idle_days, value};
use crate::facts::tables::IdentityRow;
use crate::facts::tabulate::tabulate;
use crate::facts::words::Words;
use crate::paths::{Path, PathsResult};

pub(super) fn table(context: &Context<'_>) -> (Table, Places) {
    let rows = context.inventory.identities.len();
    // An identity is its own evidence: findings take it from the inventory.
    (tabulate(rows, |at, words| row(context, at, words)), Places::None)
}

fn row(context: &Context<'_>, at: usize, words: &mut Words) -> Option<IdentityRow> {
    let identity = context.inventory.identities.get(at)?;
    let judged = context.input.judgements.at(at)?;
    let now = context.input.now;
    let access = context.access.of(at);
    // People and workloads share accesses with AI identities, and are not told of.
    let listing = access.and_then(|access| access.listing.as_ref()).filter(|_| judged.nature == Nature::AiAgent);
    let parity = Parity::new(context.comparison(at));
    let control_gaps = parity.control_gaps();
    let reach = context.reach(at);
    let escalation = reach.and_then(|reach| context.escalation(&identity.id, reach));
    let log = context.logs.get(&identity.scope);
    let credentials = context.credentials.get(at).copied().unwrap_or_default();
    let users = i64::from(context.users.get(at).copied().unwrap_or(0));
    Some(IdentityRow {
        id: identity.id.shared(),
        provider: words.word(identity.provider.0),
        scope: identity.scope.shared(),
        kind: words.word(identity.kind),
        name: Arc::clone(&identity.name),
        nature: words.word(judged.nature.as_str()),
        nature_evidence: Arc::clone(&judged.reason),
        nature_confidence: judged.confidence,
        ai_hint: judged.ai_hint.is_some(),
        job: context.input.judgements.job_at(at).map(evenhand_model::id::Job::shared),
        owner: value(&identity.owner),
        has_owner: identity.owner.present(),
        owner_active: value(&identity.owner_active),
        sponsor: value(&identity.sponsor),
        has_sponsor: identity.sponsor.present(),
        purpose: value(&identity.purpose),
        has_purpose: identity.purpose.present(),
        environment: value(&identity.environment),
        created_at: value(&identity.created_at),
        last_used_at: value(&identity.last_used_at),
        ever_used: identity.last_used_at.present(),
        age_days: identity.created_at.value().map(|made| days_between(*made, now)),
        idle_days: idle_days(&identity.last_used_at, &identity.created_at, now),
        enabled: value(&identity.enabled),
        third_party: value(&identity.third_party),
        registered: registered(
            &identity.registered,
            context.input.register.map(|register| {
                context.registered_agents.contains(&at)
                    || register.holds(identity.provider.0, identity.id.as_str(), identity.kind, &identity.name)
            }),
        ),
        review_age_days: identity.reviewed_at.value().map(|reviewed| days_between(*reviewed, now)),
        has_review: identity.reviewed_at.present(),
        shared_by: users,
        environments: context.environments(at),
        human_role: parity.human_role(),
        human_role_name: parity.human_role_name(),
        baseline_source: words.word(parity.source().as_str()),
        baseline_confidence: parity.source().confidence(),
        verdict: parity.0.map(|comparison| words.word(comparison.verdict.as_str())),
        admin: held(access, |access| access.admin),
        can_escalate: reach.and_then(|reach| reach.can_escalate.known()),
        escalation_target: reach.and_then(|reach| reach.target.as_ref()).map(|target| words.target(target)),
        escalation_path: escalation.map(|path| words.text(Way { found: context.input.paths, path })),
        operations: parity.own_operations().or_else(|| access.map(|access| int(access.operations.len()))),
        access_weight: parity.own_weight().or_else(|| access.map(|access| access.weight)),
        excess_operations: parity.compared(|comparison| i64::from(comparison.excess_operations)),
        excess_weight: parity.compared(|comparison| i64::from(comparison.excess_weight)),
        excess_ratio: parity.excess_ratio(),
        high_risk_excess: parity.high_risk_excess(),
        undecided_operations: parity.compared(|comparison| i64::from(comparison.undecided_operations)),
        coverage: parity.0.and_then(|comparison| comparison.coverage),
        control_gaps: control_gaps.as_ref().map(|gaps| int(gaps.len())),
        control_gap_list: control_gaps.map(|gaps| words.joined(gaps, ", ")),
        open_control_gap_list: parity.compared(|_| 0).map(|_| words.joined(parity.gaps(Truth::Unknown), ", ")),
        unused_operations: context.access.unused(at),
        wildcard_grant: held(access, |access| access.wildcard_grant),
        write_on_everything: held(access, |access| access.write_on_everything),
        log_tamper: held(access, |access| access.log_tamper),
        gate_tamper: held(access, |access| access.gate_tamper_by(identity.id.as_str())),
        secret_store_read: held(access, |access| access.secret_store_read),
        scope_wide: held(access, |access| access.scope_wide),
        logged: log.and_then(|log| log.on.known()),
        agent_activity_logged: log.and_then(|log| log.covers_agents.known()),
        attributable: credentials.attributable(users),
        static_credentials: (credentials.all > 0).then_some(credentials.in_force),
        human_sign_in: value(&identity.human_sign_in),
        location: words.location(&identity.evidence),
        access_list: listing.and_then(|listing| listing.list.clone()),
        access_hash: listing.map(|listing| Arc::clone(&listing.hash)),
    })
}

/// A path step by step, in words.
struct Way<'a> {
    found: &'a PathsResult,
    path: &'a Path,
}

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.found.taken(self.path).enumerate() {
            if at > 0 {
                f.write_str(" > ")?;
            }
            f.write_str(self.found.steps().technique(step).map_or("", |technique| &**technique))?;
            let leads_to = self.found.steps().leads_to(step);
            if let Some(to) =
                leads_to.filter(|to| !matches!(&self.path.target, EdgeTarget::Identity(end) if end == *to))
            {
                write!(f, " (as {to})")?;
            }
        }
        Ok(())
    }
}

/// Whether an access has a property; one that may be more or less cannot be said not to have it, or to have it.
fn held(access: Option<&AccessFacts>, property: impl Fn(&AccessFacts) -> Truth) -> Option<bool> {
    let access = access?;
    access.told(property(access))
}

/// A comparison as columns see it.
#[derive(Clone, Copy)]
struct Parity<'a>(Option<&'a Comparison>);

impl<'a> Parity<'a> {
    fn new(comparison: Option<&'a Comparison>) -> Self {
        Self(comparison)
    }

    fn source(self) -> BaselineSource {
        self.0.map_or(BaselineSource::None, |comparison| comparison.baseline.source)
    }

    fn human_role(self) -> Option<Arc<str>> {
        self.0.and_then(human_role)
    }

    fn human_role_name(self) -> Option<Arc<str>> {
        self.0
            .filter(|comparison| !comparison.baseline.roles.is_empty())
            .map(|comparison| Arc::clone(&comparison.baseline.name))
    }

    fn own_operations(self) -> Option<i64> {
        self.0.and_then(|comparison| comparison.operations).map(i64::from)
    }

    fn own_weight(self) -> Option<i64> {
        self.0.and_then(|comparison| comparison.access_weight).map(i64::from)
    }

    /// A number that means something only where both accesses are known.
    fn compared(self, number: impl Fn(&Comparison) -> i64) -> Option<i64> {
        let comparison = self.0?;
        let both = comparison.operations.is_some()
            && comparison.human_operations.is_some()
            && !comparison.baseline.roles.is_empty();
        both.then(|| number(comparison))
    }

    fn excess_ratio(self) -> Option<f64> {
        let excess = self.compared(|comparison| i64::from(comparison.excess_weight))?;
        let own = self.own_weight()?;
        #[expect(clippy::cast_precision_loss, reason = "weights are sums of 32-bit numbers, far below 2^53")]
        let ratio = if own == 0 { 0.0 } else { excess as f64 / own as f64 };
        Some(ratio)
    }

    /// Certain excess of high risk; unknown where there is none for certain but undecided atoms could be some.
    fn high_risk_excess(self) -> Option<i64> {
        let certain = self.compared(|comparison| i64::from(comparison.high_risk_excess))?;
        let open = || {
            self.0.is_some_and(|comparison| comparison.excess.iter().any(|atom| !atom.decided && atom.high_risk > 0))
        };
        (certain > 0 || !open()).then_some(certain)
    }

    /// The controls that the human is under and the identity is not; unknown where there is none for certain but one is
    /// possible.
    fn control_gaps(self) -> Option<Vec<&'static str>> {
        self.compared(|_| 0)?;
        let gaps = self.gaps(Truth::Yes);
        (!gaps.is_empty() || self.gaps(Truth::Unknown).is_empty()).then_some(gaps)
    }

    /// The controls that are a gap for certain, or perhaps.
    fn gaps(self, certain: Truth) -> Vec<&'static str> {
        let controls = self.0.map_or(&[][..], |comparison| &comparison.controls);
        let mut gaps: Vec<_> =
            controls.iter().filter(|control| control.is_gap() == certain).map(|control| control.control).collect();
        gaps.sort_unstable();
        gaps.dedup();
        gaps.into_iter().map(evenhand_model::control::ControlKind::as_str).collect()
    }
}

/// Whether one of the registers that there are knows an identity; unknown where the one that would was not read.
fn registered(own: &Fact<bool>, configured: Option<bool>) -> Option<bool> {
    match own {
        Fact::Known(own) => Some(*own || configured.unwrap_or_default()),
        Fact::Absent => configured,
        Fact::Unknown => configured.filter(|known| *known),
    }
}

/// The human role of a comparison: ids joined by ` + `.
pub(super) fn human_role(comparison: &Comparison) -> Option<Arc<str>> {
    match comparison.baseline.roles.as_slice() {
        [] => None,
        [role] => Some(role.shared()),
        roles => {
            let ids: Vec<&str> = roles.iter().map(evenhand_model::id::IdentityId::as_str).collect();
            Some(ids.join(" + ").into())
        }
    }
}
