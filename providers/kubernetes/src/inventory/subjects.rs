//! Users, groups and accounts as bindings name them, and the built-in roles that people hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Identity, Nature, Signal, Strength};

use super::accounts::declare;
use super::{Acting, Join, PROVIDER};
use crate::access::Actor;
use crate::capture::{Cluster, Declared};
use crate::rbac::{BindingIx, account_of_user};

/// What bindings declare about their subjects, by namespace and name of the binding; and which ones the server made.
#[derive(Default)]
pub(crate) struct Declarations {
    declared: BTreeMap<(Arc<str>, Arc<str>), Declared>,
    bootstrap: std::collections::BTreeSet<(Arc<str>, Arc<str>)>,
}

impl Declarations {
    pub(crate) fn of(cluster: &Cluster) -> Self {
        let mut all = Self::default();
        for note in &cluster.binding_notes {
            let key = || (Arc::clone(&note.namespace), Arc::clone(&note.name));
            if note.declared.get().is_some() {
                all.declared.insert(key(), note.declared.clone());
            }
            if note.bootstrap {
                all.bootstrap.insert(key());
            }
        }
        all
    }

    /// What a binding declares, and whether the server made it.
    fn of_binding(&self, namespace: &Arc<str>, name: &Arc<str>) -> (Option<&Declared>, bool) {
        if self.declared.is_empty() && self.bootstrap.is_empty() {
            return (None, false);
        }
        let key = (Arc::clone(namespace), Arc::clone(name));
        (self.declared.get(&key), self.bootstrap.contains(&key))
    }
}

/// User names that clouds give to their own machine identities.
fn is_machine_user(name: &str) -> bool {
    name.ends_with(".gserviceaccount.com") || name.starts_with("arn:aws:sts:") || name.contains(":assumed-role/")
}

impl Join<'_> {
    pub(super) fn take_subjects(&mut self, declarations: Declarations) {
        let policy = self.policy;
        let mut people: BTreeMap<IdentityId, (Identity, Actor)> = BTreeMap::new();
        for (at, binding) in (0u32..).zip(policy.authorizer.bindings()) {
            let ix = BindingIx(at);
            let meta = &binding.metadata;
            let kind = if meta.namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
            if policy.role_index(ix).is_none() && policy.complete {
                self.hint(
                    policy.binding_evidence(ix, "/roleRef"),
                    format!(
                        "{kind} {} binds {} {}, which does not exist: whoever creates it hands it to these subjects; delete the binding",
                        meta.name, binding.role_ref.kind, binding.role_ref.name
                    ),
                );
            }
            let (declared, bootstrap) = declarations.of_binding(&meta.namespace, &meta.name);
            for (number, subject) in binding.subjects.iter().enumerate() {
                let below = || policy.binding_evidence(ix, &format!("/subjects/{number}"));
                match &*subject.kind {
                    "ServiceAccount" => {
                        let home = if subject.namespace.is_empty() { &meta.namespace } else { &subject.namespace };
                        if home.is_empty() {
                            self.hint(
                                below(),
                                format!(
                                    "{kind} {} names ServiceAccount {} without a namespace: the server refuses it and it grants nothing; name the namespace",
                                    meta.name, subject.name
                                ),
                            );
                            continue;
                        }
                        self.bind_account(home, &subject.name, bootstrap, &meta.name, below);
                    }
                    "User" => match account_of_user(&subject.name) {
                        Some((namespace, name)) => {
                            self.bind_account(&Arc::from(namespace), &Arc::from(name), bootstrap, &meta.name, below);
                        }
                        None => self.person(&mut people, "user", &subject.name, declared, below),
                    },
                    "Group" => self.person(&mut people, "group", &subject.name, declared, below),
                    other => self.hint(
                        below(),
                        format!("{kind} {} names a subject of kind `{other}`, which grants nothing; use User, Group or ServiceAccount", meta.name),
                    ),
                }
            }
        }
        for (identity, actor) in people.into_values() {
            self.joined.actors.push(Acting { id: identity.id.clone(), actor, carried: false });
            self.joined.inventory.identities.push(identity);
        }
        self.take_human_roles();
    }

    fn bind_account(
        &mut self,
        namespace: &Arc<str>,
        name: &Arc<str>,
        bootstrap: bool,
        binding: &str,
        evidence: impl Fn() -> Evidence,
    ) {
        let known = self.accounts.number(namespace, name);
        if known.is_none() && self.accounts_complete && !bootstrap {
            self.hint(
                evidence(),
                format!(
                    "`{binding}` binds ServiceAccount {namespace}/{name}, which does not exist: whoever creates it gains the grant; delete the binding"
                ),
            );
        }
        let account = known.unwrap_or_else(|| self.imply_account(namespace, name, evidence));
        // Only the server's own bindings in its own namespace: an account that merely lives there is judged.
        if bootstrap
            && &**namespace == "kube-system"
            && let Some(identity) = self.accounts.identity_mut(account)
        {
            identity.vendor_managed = true;
        }
    }

    fn person(
        &self,
        people: &mut BTreeMap<IdentityId, (Identity, Actor)>,
        word: &'static str,
        name: &Arc<str>,
        declared: Option<&Declared>,
        evidence: impl Fn() -> Evidence,
    ) {
        let id = IdentityId::new(format!("kubernetes:{}:{word}:{name}", self.name));
        let (identity, _) = people.entry(id).or_insert_with_key(|id| {
            let actor = if word == "user" { Actor::User(Arc::clone(name)) } else { Actor::Group(Arc::clone(name)) };
            let mut identity =
                Identity::new(id.clone(), PROVIDER, self.scope.clone(), word, Arc::clone(name), evidence());
            let (nature, strength, reason) = if name.starts_with("system:") {
                identity.vendor_managed = true;
                (Nature::Workload, Strength::Strong, "one of Kubernetes' own names")
            } else if word == "group" {
                (Nature::HumanRole, Strength::Medium, "a group that is bound to a role")
            } else if is_machine_user(name) {
                (Nature::Workload, Strength::Strong, "a machine identity of a cloud")
            } else if name.contains('@') {
                (Nature::Human, Strength::Strong, "a user with a mail address")
            } else {
                (Nature::Human, Strength::Medium, "a user that is bound to a role")
            };
            let evidence = identity.evidence.clone();
            identity.signals.push(Signal { nature, strength, reason: reason.into(), evidence });
            (identity, actor)
        });
        if let Some(declared) = declared {
            // What a binding says of AI or machines is about its accounts, not about the people it names beside them.
            let nature = declared.get().is_some_and(|all| all.nature.is_some());
            if !nature {
                declare(identity, declared);
            }
        }
    }

    /// The roles that stand for people where nothing else does.
    fn take_human_roles(&mut self) {
        if !self.policy.known {
            return;
        }
        for (name, _, evidence) in self.policy.human_roles() {
            let id = IdentityId::new(format!("kubernetes:{}:clusterrole:{name}", self.name));
            let mut identity =
                Identity::new(id, PROVIDER, self.scope.clone(), "cluster_role", Arc::clone(name), evidence.clone());
            identity.generic_role = true;
            identity.enabled = Fact::Known(true);
            identity.signals.push(Signal {
                nature: Nature::HumanRole,
                strength: Strength::Certain,
                reason: "a role that Kubernetes ships for people".into(),
                evidence,
            });
            let (id, actor) = (identity.id.clone(), Actor::HolderOf(Arc::clone(name)));
            self.joined.actors.push(Acting { id, actor, carried: false });
            self.joined.inventory.identities.push(identity);
        }
    }
}
