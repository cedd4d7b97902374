//! Roles and users of a cloud that the cluster knows under names of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::access::{Edge, EdgeTarget, Grant};
use evenhand_model::evidence::Truth;
use evenhand_model::id::IdentityId;
use evenhand_model::trust::{Mechanism, Trust};

use super::{Join, PROVIDER};
use crate::rbac::{MASTERS, account_of_user};

/// How the name of a node begins.
const OF_NODE: &str = "system:node:";

/// The role that grants everything.
const EVERYTHING: &str = "cluster-admin";

/// Groups of nodes, which join the cluster through the same mapping.
const OF_NODES: &[&str] = &["system:bootstrappers", "system:nodes", "system:node-proxier"];

impl Join<'_> {
    /// Who may sign in from the cloud, and as whom. A name that no binding mentions holds nothing and is left out.
    pub(super) fn take_mapped(&mut self) {
        let all = std::mem::take(&mut self.cluster.mapped);
        if all.is_empty() {
            return;
        }
        let accounts = self.accounts.identities.iter().map(|identity| identity.id.clone());
        let actors = self.joined.actors.iter().map(|acting| acting.id.clone());
        let known: BTreeSet<IdentityId> = actors.chain(accounts).collect();
        for mapped in all {
            let evidence = mapped.origin.evidence("");
            let is_name = !mapped.user.is_empty() && !mapped.user.contains("{{") && !mapped.user.starts_with(OF_NODE);
            let user = is_name.then_some(("user", &mapped.user));
            let groups = mapped.groups.iter().filter(|group| !OF_NODES.contains(&&***group));
            // Whoever is in this group holds all that a role can grant: the role that grants it stands for it.
            let masters: Arc<str> = Arc::from(EVERYTHING);
            let role = mapped.groups.iter().any(|group| &**group == MASTERS).then_some(("clusterrole", &masters));
            for (word, name) in user.into_iter().chain(groups.map(|group| ("group", group))).chain(role) {
                let target = match account_of_user(name) {
                    Some((namespace, account)) if word == "user" => self.account_id(namespace, account),
                    _ => IdentityId::new(format!("kubernetes:{}:{word}:{name}", self.name)),
                };
                if known.contains(&target) {
                    self.joined.inventory.trusts.push(Trust {
                        source: Arc::clone(&mapped.arn),
                        target,
                        provider: PROVIDER,
                        mechanism: Mechanism::Assignment,
                        constraint: Arc::from(""),
                        weak: Truth::No,
                        weakness: Arc::from(""),
                        evidence: evidence.clone(),
                    });
                }
                if word == "group" && &**name == MASTERS {
                    // No binding shows what this group may do: everything.
                    self.joined.stated.push(Edge {
                        source: IdentityId::new(Arc::clone(&mapped.arn)),
                        target: EdgeTarget::Admin(self.scope.clone()),
                        technique: "assignment".into(),
                        escalation: false,
                        conditional: false,
                        grants: Arc::from([Grant {
                            policy: format!("aws-auth maps {} to {MASTERS}", mapped.arn).into(),
                            statement: None,
                            name: Arc::from(""),
                            evidence: evidence.clone(),
                        }]),
                    });
                }
            }
        }
    }
}
