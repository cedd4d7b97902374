//! ServiceAccounts, those that others merely name, and the roles of clouds behind them.

use std::sync::Arc;

use evenhand_model::access::{Edge, EdgeTarget, Grant};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::glob::Glob;
use evenhand_model::id::{IdentityId, Job};
use evenhand_model::identity::{Identity, Nature, Signal, Strength};
use evenhand_model::parallel::IN_A_ROW;
use evenhand_model::token::{Bearer, Token};
use evenhand_model::trust::{Mechanism, Trust};
use rayon::prelude::*;

use super::{Join, PROVIDER};
use crate::capture::{Account, Cloud, Declared, name_hint};

/// The nature that a declaration names.
fn nature(word: &str) -> Option<Nature> {
    [Nature::Human, Nature::HumanRole, Nature::Workload, Nature::AiAgent, Nature::ThirdParty]
        .into_iter()
        .find(|nature| nature.as_str() == word)
}

/// Writes declarations into an identity. Missing ones stay as they are.
pub(super) fn declare(identity: &mut Identity, declared: &Declared) {
    let Some(all) = declared.get() else { return };
    if let Some(job) = &all.job {
        identity.job = Some(Job::new(Arc::clone(job)));
    }
    if let Some(role) = &all.human_role {
        identity.declared_human_role = Some(Arc::clone(role));
    }
    let set = |slot: &mut Fact<Arc<str>>, value: &Option<Arc<str>>| {
        if let Some(value) = value {
            *slot = Fact::Known(Arc::clone(value));
        }
    };
    set(&mut identity.owner, &all.owner);
    set(&mut identity.purpose, &all.purpose);
    set(&mut identity.environment, &all.environment);
    if let Some(reviewed) = all.reviewed_on {
        identity.reviewed_at = Fact::Known(reviewed);
    }
    if let Some(nature) = all.nature.as_deref().and_then(nature) {
        identity.signals.push(Signal {
            nature,
            strength: Strength::Certain,
            reason: "declared by `evenhand.dev/nature`".into(),
            evidence: identity.evidence.clone(),
        });
    }
}

impl Join<'_> {
    pub(super) fn take_accounts(&mut self) {
        let objects = std::mem::take(&mut self.cluster.accounts);
        self.accounts_complete = objects.iter().any(|account| account.from_server);
        self.accounts.list(objects);
        let objects = std::mem::take(&mut self.accounts.objects);
        // Others may be named beside those that are listed, and identities are large.
        let mut identities = Vec::with_capacity(objects.len() + objects.len() / 8);
        objects
            .par_iter()
            .with_max_len(IN_A_ROW)
            .map(|account| self.account_identity(account))
            .collect_into_vec(&mut identities);
        self.accounts.identities = identities;
        for account in &objects {
            for (cloud, value) in &account.clouds {
                self.federate(account, *cloud, value);
            }
        }
        self.accounts.objects = objects;
    }

    fn account_identity(&self, account: &Account) -> Identity {
        let evidence = account.origin.evidence("");
        let mut identity = self.bare_account(&account.namespace, &account.name, evidence);
        identity.created_at = Fact::known(account.created);
        identity.enabled = Fact::Known(true);
        // The object was read: what it does not declare is not declared.
        identity.owner = account.declared.fact(|all| all.owner.as_ref());
        identity.purpose = account.declared.fact(|all| all.purpose.as_ref());
        identity.reviewed_at = Fact::Absent;
        declare(&mut identity, &account.declared);
        for sign in &account.signals {
            identity.signals.push(Signal {
                nature: sign.clue.speaks.nature(),
                strength: sign.clue.strength,
                reason: Arc::clone(&sign.clue.reason),
                evidence: sign.origin.evidence(""),
            });
        }
        identity
    }

    /// Who answers for an account that says nothing of it, and whose workloads say nothing either: whoever answers for its
    /// namespace. What a namespace declares that was not read is not known.
    pub(super) fn inherit_owner(&self, namespace: &str, identity: &mut Identity) {
        if identity.owner.value().is_some() {
            return;
        }
        match self.cluster.namespaces.get(namespace).map(|namespace| namespace.declared.owner()) {
            Some(Some(owner)) => identity.owner = Fact::Known(Arc::clone(owner)),
            Some(None) => {}
            None => identity.owner = Fact::Unknown,
        }
    }

    /// An account of which nothing is known but its name, and the environment of its namespace.
    fn bare_account(&self, namespace: &str, name: &str, evidence: Evidence) -> Identity {
        let mut identity = Identity::new(
            self.account_id(namespace, name),
            PROVIDER,
            self.scope.clone(),
            "service_account",
            format!("{namespace}/{name}"),
            evidence.clone(),
        );
        identity.human_sign_in = Fact::Known(false);
        if let Some(declared) = self.cluster.namespaces.get(namespace).map(|namespace| &namespace.declared) {
            identity.environment = Fact::known(declared.environment().cloned());
        }
        if let Some((strength, reason)) = name_hint(name) {
            identity.signals.push(Signal { nature: Nature::AiAgent, strength, reason, evidence: evidence.clone() });
        }
        identity.signals.push(Signal {
            nature: Nature::Workload,
            strength: Strength::Weak,
            reason: "a service account".into(),
            evidence,
        });
        identity
    }

    /// Makes sure that an account which something names has an identity; its number.
    pub(super) fn imply_account(
        &mut self,
        namespace: &Arc<str>,
        name: &Arc<str>,
        evidence: impl FnOnce() -> Evidence,
    ) -> usize {
        self.accounts.number(namespace, name).unwrap_or_else(|| {
            let identity = self.bare_account(namespace, name, evidence());
            self.accounts.add((Arc::clone(namespace), Arc::clone(name)), identity)
        })
    }

    /// The role of a cloud that pods of an account may take.
    fn federate(&mut self, account: &Account, cloud: Cloud, value: &Arc<str>) {
        let (namespace, name) = (&account.namespace, &account.name);
        let (annotation, constraint) = match cloud {
            Cloud::Aws => ("eks.amazonaws.com~1role-arn", "token of this cluster's issuer for `sts.amazonaws.com`"),
            Cloud::Azure => {
                ("azure.workload.identity~1client-id", "token of this cluster's issuer, exchanged at Entra ID")
            }
            Cloud::Google => ("iam.gke.io~1gcp-service-account", "token of this cluster's workload identity pool"),
        };
        let evidence = account.origin.evidence(&format!("/metadata/annotations/{annotation}"));
        let source = self.account_id(namespace, name);
        let target = IdentityId::new(Arc::clone(value));
        // The issuer is in no object of the cluster; the subject tells its kind.
        let subject = format!("system:serviceaccount:{namespace}:{name}");
        self.joined.inventory.bearers.push(Bearer {
            identity: source.clone(),
            token: Token::of_subject(None, &subject).with_any("aud", Glob::Any),
            when: Arc::from(""),
            certain: false,
            evidence: evidence.clone(),
        });
        self.joined.inventory.trusts.push(Trust {
            source: source.shared(),
            target: target.clone(),
            provider: PROVIDER,
            mechanism: Mechanism::Federation,
            constraint: constraint.into(),
            // The other side decides how well it looks at the token.
            weak: Truth::Unknown,
            weakness: Arc::from(""),
            evidence: evidence.clone(),
        });
        self.joined.elsewhere.entry(target.clone()).or_insert_with(|| document_of(cloud, value));
        self.joined.stated.push(Edge {
            source,
            target: EdgeTarget::Identity(target),
            technique: "workload-identity".into(),
            escalation: false,
            conditional: true,
            grants: Arc::from([Grant {
                policy: format!("annotation of ServiceAccount {namespace}/{name}").into(),
                statement: None,
                name: Arc::from(""),
                evidence,
            }]),
        });
    }
}

/// The document that tells what an identity of a cloud may do: what to add to a capture that lacks it.
fn document_of(cloud: Cloud, value: &str) -> Arc<str> {
    match cloud {
        Cloud::Aws => {
            let account = value.split(':').nth(4).filter(|account| !account.is_empty());
            let place = account.map_or_else(String::new, |account| format!(" of account {account}"));
            format!("`aws iam get-account-authorization-details`{place}").into()
        }
        Cloud::Azure => "`az ad sp list --all` with `az role assignment list --all` of its tenant".into(),
        Cloud::Google => {
            let project = value.split(['@', '.']).nth(1).filter(|project| !project.is_empty());
            let place = project.map_or_else(String::new, |project| format!(" {project}"));
            format!("the IAM policy of project{place}, which is not read,").into()
        }
    }
}
