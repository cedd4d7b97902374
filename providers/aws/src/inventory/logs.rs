//! What records an account: its trails, the organisation's trails, and the log of model invocations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::evidence::Fact;
use evenhand_model::id::ScopeId;
use evenhand_model::log::Log;

use super::accounts::Accounts;
use super::facts::Facts;
use crate::provider::NAME;
use crate::world::AccountId;

/// The logs of all accounts.
pub(crate) fn logs(facts: &Facts, accounts: &mut Accounts) -> Vec<Log> {
    let mut logs = Vec::new();
    let mut per_account: BTreeMap<AccountId, usize> = BTreeMap::new();
    let mut own = Vec::new();
    let mut seen = BTreeSet::new();
    for said in &facts.trails {
        if !seen.insert(Arc::clone(&said.it.arn)) {
            continue;
        }
        let Some(account) = accounts.of(said) else { continue };
        *per_account.entry(account.clone()).or_default() += 1;
        own.push((account, said));
    }
    let members: Vec<AccountId> =
        accounts.described().iter().cloned().chain(facts.organisation.accounts.keys().cloned()).collect();
    for (account, said) in own {
        let it = &said.it;
        let mut on = Fact::Unknown;
        for status in &facts.trail_status {
            let (named, logging) = &status.it;
            let meant = match named {
                Some(name) => {
                    *name == it.arn || (*name == it.name && status.account.as_ref().is_none_or(|of| *of == account))
                }
                // Without the trail's name the answer says something only where the account has one trail.
                None => per_account.get(&account) == Some(&1) && accounts.of(status).as_ref() == Some(&account),
            };
            if meant {
                on = Fact::Known(*logging);
            }
        }
        let covers =
            facts.trail_agents.iter().find(|selectors| selectors.it.0 == it.arn).map(|selectors| selectors.it.1);
        let mut scopes: BTreeSet<&AccountId> = BTreeSet::from([&account]);
        if it.organisation {
            scopes.extend(&members);
        }
        for scope in scopes {
            logs.push(Log {
                scope: ScopeId::new(Arc::clone(&scope.0)),
                provider: NAME,
                name: Arc::clone(&it.arn),
                enabled: on,
                covers_agents: Fact::known(covers),
                retention_days: Fact::Unknown,
                tamper_protected: it.validated,
                evidence: said.evidence.clone(),
            });
        }
    }
    for said in &facts.invocation_logging {
        let Some(account) = accounts.of(said) else { continue };
        let name = match &said.it.region {
            Some(region) => format!("model invocation log of {region}"),
            None => "model invocation log".to_owned(),
        };
        logs.push(Log {
            scope: ScopeId::new(account.0),
            provider: NAME,
            name: name.into(),
            enabled: Fact::Known(said.it.enabled),
            covers_agents: Fact::Known(said.it.enabled),
            retention_days: Fact::Unknown,
            tamper_protected: Fact::Unknown,
            evidence: said.evidence.clone(),
        });
    }
    logs
}
