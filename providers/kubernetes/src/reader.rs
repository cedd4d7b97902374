//! The reading: documents in, inventory and resolver out.

use std::sync::Arc;

use evenhand_model::access::AccessResolver;
use evenhand_model::document::{Document, ReadError};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::inventory::{Hint, Inventory};
use evenhand_model::parallel::IN_A_ROW;
use evenhand_model::provider::{ReadOptions, Reader, Reading};
use rayon::prelude::*;

use crate::access::{Actor, Compiled, Distinct, Grantings, Held, Known, Policy, Resolver, Sets};
use crate::capture::{Capture, Problems};
use crate::catalog::Operations;
use crate::documents::cluster_of;
use crate::inventory::{Acting, BindingDeclarations, Join, Joined, PROVIDER, join};
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
        let (mut policies, mut parts) = (Vec::with_capacity(clusters.len()), Vec::with_capacity(clusters.len()));
        for (name, mut cluster) in clusters {
            told.inform(&name, &mut cluster);
            let declared = BindingDeclarations::of(&cluster);
            policies.push(Policy::new(&name, &mut cluster));
            parts.push((cluster, declared));
        }
        // The catalogue and what each rule grants, while what else the objects say is joined.
        let ((operations, grantings), joining) = rayon::join(
            || {
                let rules: Vec<Distinct> =
                    policies.iter().map(|policy| Distinct::of(policy.authorizer.roles())).collect();
                let known = policies.iter().zip(&rules).filter(|(policy, _)| policy.known);
                let known = known.flat_map(|(_, rules)| rules.rules());
                let operations = Operations::new(&custom, told.served(), known);
                let grantings: Vec<Grantings> = rules.into_iter().map(|rules| rules.grantings(&operations)).collect();
                (operations, grantings)
            },
            || -> Vec<Join<'_>> {
                let parts = parts.into_iter().zip(&policies);
                parts.map(|((cluster, declared), policy)| join(cluster, policy, declared, &options.settings)).collect()
            },
        );
        let joined: Vec<Joined> = joining.into_iter().map(|join| join.finish(&operations)).collect();
        let mut resolver = Resolver {
            operations,
            clusters: Vec::with_capacity(joined.len()),
            surroundings: Vec::with_capacity(joined.len()),
            identities: Default::default(),
            stated: Vec::new(),
            unread: Default::default(),
            elsewhere: Default::default(),
            left_out: Default::default(),
        };
        let mut first = 0;
        for ((policy, grantings), mut joined) in policies.into_iter().zip(grantings).zip(joined) {
            let number = u32::try_from(resolver.clusters.len()).unwrap_or(u32::MAX);
            let actors = std::mem::take(&mut joined.actors);
            let ((compiled, known), ()) =
                rayon::join(|| held(policy, grantings, first, number, actors), || joined.inventory.sort());
            resolver.identities.extend(known);
            for (evidence, message) in compiled.dead_rules() {
                joined.inventory.hints.push(Hint { evidence, message: message.into() });
            }
            first = compiled.end();
            resolver.clusters.push(compiled);
            resolver.surroundings.push(joined.surroundings);
            resolver.stated.append(&mut joined.stated);
            resolver.unread.append(&mut joined.unread);
            resolver.elsewhere.append(&mut joined.elsewhere);
            inventory.merge(joined.inventory);
        }
        inventory.hints.extend(told.teach(&mut resolver));
        let unversioned =
            resolver.clusters.iter().filter(|cluster| cluster.policy.known && cluster.policy.version.is_none());
        inventory.gaps.extend(unversioned.map(|cluster| Gap {
            provider: Some(PROVIDER),
            scope: Some(cluster.policy.scope.clone()),
            kind: GapKind::NotCollected,
            call: "kubectl version -o json".into(),
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

/// A cluster's policy with what everybody holds by it, what is held alike once.
fn held(
    policy: Policy,
    grantings: Grantings,
    first: u32,
    cluster: u32,
    actors: Vec<Acting>,
) -> (Compiled, Vec<(IdentityId, Known)>) {
    let of = |acting: Acting| {
        let Acting { id, actor, carried } = acting;
        let held = match &actor {
            Actor::Account(namespace, name) => Held::of_account(&policy, namespace, name),
            Actor::User(name) => Held::of_user(&policy, name),
            Actor::Group(name) => Held::of_group(&policy, name),
            Actor::HolderOf(name) => {
                let (_, role, _) = policy.human_roles().find(|(held, ..)| *held == name)?;
                Held::of_role(&policy, role)
            }
        };
        Some((id, held, Known { cluster, set: 0, actor, carried }))
    };
    let actors = if policy.known { actors } else { Vec::new() };
    let holding: Vec<Option<(IdentityId, Held, Known)>> =
        actors.into_par_iter().with_max_len(IN_A_ROW).map(of).collect();
    let mut sets = Sets::default();
    let mut all = Vec::with_capacity(holding.len());
    all.extend(holding.into_iter().flatten().map(|(id, held, known)| (id, Known { set: sets.number(held), ..known })));
    (Compiled::new(policy, grantings, first, sets.finish()), all)
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
        let Problems { objects, members } = self.capture.take(&cluster, &document, &self.options.fingerprinter);
        let of_objects = "whatever this object grants or describes";
        let objects = objects
            .into_iter()
            .map(|one| (one.into_error(&document.path, "what else could be understood of this file"), of_objects));
        let members = members
            .into_iter()
            .map(|one| (one.into_error(&document.path, "the rest of the object"), "what this member tells"));
        let mut errors: Vec<ReadError> = Vec::new();
        for (error, lost) in objects.chain(members) {
            self.failed.push(Gap {
                provider: Some(PROVIDER),
                scope: Some(ScopeId::new(format!("kubernetes:{cluster}"))),
                kind: GapKind::Failed,
                call: error.document.as_str().into(),
                reason: format!("{}; {}", error.reason, error.remedy).into(),
                facts: vec![Lost::everything(lost)],
            });
            errors.push(error);
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn finish(self: Box<Self>) -> Reading {
        let (inventory, resolver) = self.resolve();
        Reading { inventory, resolver: resolver.map(|resolver| Box::new(resolver) as Box<dyn AccessResolver>) }
    }
}
