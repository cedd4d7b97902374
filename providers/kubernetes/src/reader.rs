//! The reading: documents in, inventory and resolver out.

use std::sync::Arc;

use evenhand_model::access::AccessResolver;
use evenhand_model::document::{Document, ReadError};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::inventory::{Hint, Inventory};
use evenhand_model::provider::{ReadOptions, Reader, Reading};

use crate::access::{Actor, Compiled, Known, Policy, Resolver, Sets};
use crate::capture::Capture;
use crate::catalog::Operations;
use crate::documents::cluster_of;
use crate::inventory::{BindingDeclarations, PROVIDER, join};
use crate::server::{self, Told};

/// Takes documents one by one.
pub(crate) struct KubernetesReader {
    options: ReadOptions,
    capture: Capture,
    told: Told,
    failed: Vec<Gap>,
}

impl KubernetesReader {
    pub(crate) fn new(options: ReadOptions) -> Self {
        let told = Told::new(options.settings.clone());
        Self { options, capture: Capture::default(), told, failed: Vec::new() }
    }

    /// Joins what was read; no resolver where no object of a cluster was.
    pub(crate) fn resolve(self) -> (Inventory, Option<Resolver>) {
        let Self { options, capture, told, failed } = self;
        let (mut gaps, hints) = told.collected();
        gaps.extend(failed);
        let mut inventory = Inventory { gaps, hints, ..Inventory::default() };
        let clusters = capture.into_clusters();
        if clusters.is_empty() {
            return (inventory, None);
        }
        let custom: std::collections::BTreeSet<_> =
            clusters.values().flat_map(|cluster| cluster.custom_kinds.iter().cloned()).collect();
        let custom: Vec<_> = custom.into_iter().collect();
        let parts: Vec<_> = clusters
            .into_iter()
            .map(|(name, mut cluster)| {
                told.inform(&name, &mut cluster);
                let declared = BindingDeclarations::of(&cluster);
                let policy = Policy::new(&name, &mut cluster);
                (cluster, declared, policy)
            })
            .collect();
        let operations = Operations::new(
            &custom,
            told.served(),
            parts.iter().filter(|part| part.2.known).flat_map(|part| part.2.rules()),
        );
        let mut resolver = Resolver {
            operations,
            clusters: Vec::with_capacity(parts.len()),
            surroundings: Vec::with_capacity(parts.len()),
            identities: Default::default(),
            stated: Vec::new(),
            unread: Default::default(),
            left_out: Default::default(),
        };
        let mut first = 0;
        for (cluster, declared, policy) in parts {
            let aws_auth = cluster.aws_auth;
            let mut joined = join(cluster, &policy, declared, &options.settings, &resolver.operations);
            joined.surroundings.aws_auth = aws_auth;
            let number = u32::try_from(resolver.clusters.len()).unwrap_or(u32::MAX);
            let held = |policy: Policy, actors: Vec<(IdentityId, Actor)>| {
                let mut sets = Sets::default();
                let mut known = Vec::with_capacity(actors.len());
                for (id, actor) in actors.into_iter().filter(|_| policy.known) {
                    let set = match &actor {
                        Actor::Account(namespace, name) => sets.of_account(&policy, namespace, name),
                        Actor::User(name) => sets.of_user(&policy, name),
                        Actor::Group(name) => sets.of_group(&policy, name),
                        Actor::HolderOf(name) => {
                            let Some((_, role, _)) = policy.human_roles().find(|(held, ..)| *held == name) else {
                                continue;
                            };
                            sets.of_role(&policy, role)
                        }
                    };
                    known.push((id, Known { cluster: number, set, actor }));
                }
                (Compiled::new(policy, &resolver.operations, first, sets.finish()), known)
            };
            let actors = std::mem::take(&mut joined.actors);
            let ((compiled, known), ()) = rayon::join(|| held(policy, actors), || joined.inventory.sort());
            resolver.identities.extend(known);
            for (evidence, message) in compiled.dead_rules() {
                joined.inventory.hints.push(Hint { evidence, message: message.into() });
            }
            first = compiled.end();
            resolver.clusters.push(compiled);
            resolver.surroundings.push(joined.surroundings);
            resolver.stated.append(&mut joined.stated);
            resolver.unread.append(&mut joined.unread);
            inventory.merge(joined.inventory);
        }
        inventory.hints.extend(told.teach(&mut resolver));
        let unversioned =
            resolver.clusters.iter().filter(|cluster| cluster.policy.known && cluster.policy.version.is_none());
        inventory.gaps.extend(unversioned.map(|cluster| Gap {
            provider: Some(PROVIDER),
            scope: Some(cluster.policy.scope.clone()),
            kind: GapKind::NotCollected,
            call: "kubectl get --raw /version".into(),
            reason: "no document tells the version of the API server; export it, or set `version` under `[providers.kubernetes]`".into(),
            facts: vec![Lost::of(
                "which techniques the server refuses: what older servers let through is taken to be possible",
                &[Subject::Escalation],
            )],
        }));
        inventory.sort();
        (inventory, Some(resolver))
    }
}

impl Reader for KubernetesReader {
    fn read(&mut self, document: Document) -> Result<(), Vec<ReadError>> {
        if let Some(kind) = server::recognise(&document) {
            return self.told.take(&document, kind).map_err(|error| vec![error]);
        }
        let cluster = match self.options.settings.get("cluster").filter(|name| !name.is_empty()) {
            Some(name) => Arc::from(name.as_str()),
            None => cluster_of(&document),
        };
        let problems = self.capture.take(&cluster, &document, &self.options.fingerprinter);
        if problems.is_empty() {
            return Ok(());
        }
        let errors: Vec<ReadError> = problems.into_iter().map(|problem| problem.into_error(&document.path)).collect();
        self.failed.extend(errors.iter().map(|error| Gap {
            provider: Some(PROVIDER),
            scope: Some(ScopeId::new(format!("kubernetes:{cluster}"))),
            kind: GapKind::Failed,
            call: error.document.as_str().into(),
            reason: format!("{}; {}", error.reason, error.remedy).into(),
            facts: vec![Lost::everything("whatever this object grants or describes")],
        }));
        Err(errors)
    }

    fn finish(self: Box<Self>) -> Reading {
        let (inventory, resolver) = self.resolve();
        Reading { inventory, resolver: resolver.map(|resolver| Box::new(resolver) as Box<dyn AccessResolver>) }
    }
}
