//! From a row that a rule selected to a finding.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::finding::{Finding, Status};
use evenhand_model::id::{FindingId, IdentityId, ProviderName, ScopeId};
use evenhand_model::identity::Identity;
use evenhand_model::inventory::Inventory;
use evenhand_model::table::{Table, Value};
use rayon::prelude::*;

use crate::engine::select::Selected;
use crate::facts::Facts;
use crate::judgements::Judgements;

/// Whom findings can be about.
pub(super) struct Subjects<'a> {
    inventory: &'a Inventory,
    judgements: &'a Judgements,
    providers: BTreeSet<ProviderName>,
}

impl<'a> Subjects<'a> {
    pub(super) fn new(inventory: &'a Inventory, judgements: &'a Judgements) -> Self {
        let mut providers: BTreeSet<ProviderName> =
            inventory.identities.iter().map(|identity| identity.provider).collect();
        providers.extend(inventory.trusts.iter().map(|trust| trust.provider));
        providers.extend(inventory.credentials.iter().map(|credential| credential.provider));
        providers.extend(inventory.workloads.iter().map(|workload| workload.provider));
        providers.extend(inventory.agents.iter().map(|agent| agent.provider));
        providers.extend(inventory.logs.iter().map(|log| log.provider));
        providers.extend(inventory.gaps.iter().filter_map(|gap| gap.provider));
        Self { inventory, judgements, providers }
    }

    fn identity(&self, id: &IdentityId) -> Option<&'a Identity> {
        self.inventory.identities.get(self.judgements.position(id)?)
    }

    /// The name of a provider as the inventory spells it.
    fn provider(&self, name: &str) -> Option<ProviderName> {
        self.providers.iter().copied().find(|provider| provider.0 == name)
    }
}

/// A finding with what orders it among others of its rule and identity.
pub(super) struct Sortable {
    discriminator: Vec<String>,
    finding: Finding,
}

/// The findings of one rule.
pub(super) fn findings(
    selected: &Selected<'_>,
    table: &Table,
    facts: &Facts,
    subjects: &Subjects<'_>,
) -> Vec<Sortable> {
    let rule = selected.rule;
    let frameworks: Arc<[(Arc<str>, Arc<str>)]> =
        rule.frameworks.iter().map(|reference| (Arc::clone(&reference.framework), Arc::clone(&reference.id))).collect();
    let show: Vec<(Arc<str>, &'static str)> = rule.show.iter().map(|name| (Arc::from(*name), *name)).collect();
    let make = |(row, status): &(usize, Status)| -> Option<Sortable> {
        let row = *row;
        let Value::Text(id) = table.value(row, rule.identity) else { return None };
        let id = IdentityId::new(id);
        let subject = subjects.identity(&id);
        if subject.is_some_and(|identity| identity.vendor_managed) {
            return None;
        }
        let own = match table.value(row, "provider") {
            Value::Text(name) => Some(name),
            _ => None,
        };
        let provider_name = own.as_deref().or(subject.map(|identity| identity.provider.0))?;
        if !rule.providers.include(provider_name) {
            return None;
        }
        let provider = match subject {
            Some(identity) if identity.provider.0 == provider_name => identity.provider,
            _ => subjects.provider(provider_name)?,
        };
        let scope = subject.map_or_else(
            || match table.value(row, "scope") {
                Value::Text(scope) => ScopeId::new(scope),
                _ => ScopeId::new(""),
            },
            |identity| identity.scope.clone(),
        );
        let discriminator: Vec<String> = rule
            .discriminator
            .iter()
            .map(|name| {
                let mut text = String::new();
                exact(&table.value(row, name), &mut text);
                text
            })
            .collect();
        let title = rule.message.render(|name, line| match rule.param(name) {
            Some(value) if table.column(name).is_none() => line.push_str(&value.text()),
            _ => readable(&table.value(row, name), line),
        });
        let mut evidence: Vec<Evidence> = facts.places(table.spec.name, row).to_vec();
        if let Some(identity) = subject
            && !evidence.contains(&identity.evidence)
        {
            evidence.push(identity.evidence.clone());
        }
        Some(Sortable {
            finding: Finding {
                id: id_of(rule.id.as_str(), provider_name, &scope, &id, &discriminator),
                rule: rule.id.clone(),
                severity: rule.severity,
                dimension: rule.dimension,
                status: *status,
                provider,
                scope,
                name: subject.map_or_else(|| id.shared(), |identity| Arc::clone(&identity.name)),
                identity: id,
                title,
                facts: show
                    .iter()
                    .map(|(label, name)| {
                        let mut text = String::new();
                        readable(&table.value(row, name), &mut text);
                        (Arc::clone(label), text)
                    })
                    .collect(),
                evidence,
                remedy: Arc::clone(&rule.docs.fix),
                frameworks: Arc::clone(&frameworks),
            },
            discriminator,
        })
    };
    selected.rows.par_iter().filter_map(make).collect()
}

/// The findings of a table's rules in their order, each id once: where rows cannot be told apart a failure outweighs an
/// unknown.
pub(super) fn sorted(found: Vec<Vec<Sortable>>) -> Vec<Finding> {
    let mut rules: Vec<Vec<Sortable>> = found;
    rules.par_iter_mut().for_each(|findings| {
        findings.sort_by(|a, b| {
            (&a.finding.identity, &a.discriminator, a.finding.status).cmp(&(
                &b.finding.identity,
                &b.discriminator,
                b.finding.status,
            ))
        });
        findings.dedup_by(|later, earlier| later.finding.id == earlier.finding.id);
    });
    rules.into_iter().flatten().map(|sortable| sortable.finding).collect()
}

/// Sorts findings of all tables: worst first, then by rule; the rest of the order is kept.
pub(super) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| (Reverse(a.severity), &a.rule).cmp(&(Reverse(b.severity), &b.rule)));
}

/// A finding's id: it stays the same as long as the rule, the identity and the row's key do.
fn id_of(rule: &str, provider: &str, scope: &ScopeId, identity: &IdentityId, discriminator: &[String]) -> FindingId {
    let mut hasher = blake3::Hasher::new();
    let parts = [rule, provider, scope.as_str(), identity.as_str()];
    for part in parts.into_iter().chain(discriminator.iter().map(String::as_str)) {
        // The length in front keeps parts apart whatever they contain.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut id = String::with_capacity(16);
    for byte in hasher.finalize().as_bytes().iter().take(8) {
        let _ = write!(id, "{byte:02x}");
    }
    FindingId::from(id)
}

/// A value as a key: different values have different texts.
fn exact(value: &Value, text: &mut String) {
    let _ = match value {
        Value::Null => Ok(()),
        Value::Text(value) => {
            text.push_str(value);
            Ok(())
        }
        Value::Integer(value) => write!(text, "{value}"),
        Value::Float(value) => write!(text, "{value:?}"),
        Value::Boolean(value) => write!(text, "{value}"),
        Value::Timestamp(value) => write!(text, "{value}"),
    };
}

/// A value for people.
fn readable(value: &Value, text: &mut String) {
    let _ = match value {
        Value::Null => write!(text, "unknown"),
        Value::Text(value) if value.is_empty() => write!(text, "none"),
        Value::Text(value) => write!(text, "{value}"),
        Value::Integer(value) => write!(text, "{value}"),
        Value::Float(value) => write!(text, "{value:.2}"),
        Value::Boolean(true) => write!(text, "yes"),
        Value::Boolean(false) => write!(text, "no"),
        Value::Timestamp(value) => write!(text, "{}", value.strftime("%Y-%m-%d")),
    };
}
