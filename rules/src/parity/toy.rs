//! A small provider for tests: explicit slices, explicit edges, operations named by number.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::access::DecideError;
use evenhand_model::access::{
    Access, AccessResolver, Decision, Edge, EdgeTarget, Grant, GrantIx, Outcome, Request, Slice, Unlisted,
};
use evenhand_model::catalog::{AccessLevel, Catalog, CatalogSource, OperationClass};
use evenhand_model::condition::{Clause, Condition, Test};
use evenhand_model::control::ControlKind;
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::glob::Glob;
use evenhand_model::id::{IdentityId, ProviderName};
use evenhand_model::identity::{Identity, Nature, Signal, Strength};
use evenhand_model::inventory::Inventory;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::scope::{Pattern, ResourceScope};
use evenhand_model::trust::{Mechanism, Trust};

use crate::jobs::JobConfig;
use crate::judgements::Judgements;
use crate::resolvers::Resolvers;

pub(crate) const TOY: ProviderName = ProviderName("toy");

/// Operations 0 to 39: every fifth one lists, the next reads, and so on up to permission management; the last two escalate.
/// Operation 33 tampers with logs and 34 with gates.
pub(crate) const OPERATIONS: usize = 40;

#[derive(Debug)]
pub(crate) struct ToyCatalog {
    escalation: OpSet,
    log_tamper: OpSet,
    gate_tamper: OpSet,
    none: OpSet,
}

impl Default for ToyCatalog {
    fn default() -> Self {
        Self {
            escalation: OpSet::from_ranges([(38, 40)]),
            log_tamper: OpSet::from_ranges([(33, 34)]),
            gate_tamper: OpSet::from_ranges([(34, 35)]),
            none: OpSet::new(),
        }
    }
}

impl Catalog for ToyCatalog {
    fn sources(&self) -> Vec<CatalogSource> {
        Vec::new()
    }

    fn len(&self) -> usize {
        OPERATIONS
    }

    fn name(&self, operation: OperationIx) -> Arc<str> {
        format!("op:{:02}", operation.0).into()
    }

    fn is_part(&self, path: &str) -> bool {
        path == "/part/"
    }

    fn level(&self, operation: OperationIx) -> AccessLevel {
        match operation.0 % 5 {
            0 => AccessLevel::List,
            1 => AccessLevel::Read,
            2 => AccessLevel::Tagging,
            3 => AccessLevel::Write,
            _ => AccessLevel::PermissionManagement,
        }
    }

    fn expand(&self, pattern: &str) -> OpSet {
        let glob = Glob::wildcard(pattern);
        OpSet::all(OPERATIONS).iter().filter(|op| glob.matches(&self.name(*op)) == Truth::Yes).collect()
    }

    fn class(&self, class: OperationClass) -> &OpSet {
        match class {
            OperationClass::Escalation => &self.escalation,
            OperationClass::LogTamper => &self.log_tamper,
            OperationClass::GateTamper => &self.gate_tamper,
            OperationClass::SecretRead => &self.none,
        }
    }

    fn key_chooses_resources(&self, key: &str) -> bool {
        key == "tag"
    }

    fn control_of_key(&self, key: &str) -> Option<ControlKind> {
        match key {
            "mfa" => Some(ControlKind::Mfa),
            "network" => Some(ControlKind::NetworkOrDevice),
            "clock" => Some(ControlKind::JustInTime),
            _ => None,
        }
    }
}

/// Explicit accesses and edges.
#[derive(Default)]
pub(crate) struct Toy {
    pub(crate) catalog: ToyCatalog,
    pub(crate) accesses: BTreeMap<IdentityId, Arc<Access>>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) admins: Vec<IdentityId>,
    pub(crate) used: BTreeMap<IdentityId, OpSet>,
    pub(crate) unlisted: BTreeMap<IdentityId, Vec<Unlisted>>,
}

impl AccessResolver for Toy {
    fn catalog(&self) -> &dyn Catalog {
        &self.catalog
    }

    fn access_key(&self, identity: &IdentityId) -> Option<u64> {
        let access = self.accesses.get(identity)?;
        self.accesses.values().position(|held| held == access).map(|at| at as u64)
    }

    fn access(&self, identity: &IdentityId) -> Option<Arc<Access>> {
        self.accesses.get(identity).cloned()
    }

    fn is_admin(&self, identity: &IdentityId) -> Option<bool> {
        Some(self.admins.contains(identity))
    }

    fn grant(&self, grant: GrantIx) -> Grant {
        Grant {
            policy: "policy".into(),
            statement: Some(grant.0),
            name: "".into(),
            evidence: Evidence::whole("toy.json"),
        }
    }

    fn decide(&self, identity: &IdentityId, request: &Request) -> Result<Decision, DecideError> {
        let resource = request.resource.as_deref().unwrap_or("*");
        let segments: Vec<&str> = resource.split('/').collect();
        let allowed = self.accesses.get(identity).is_some_and(|access| {
            access.slices().iter().any(|slice| {
                slice.operations.iter().any(|op| *self.catalog.name(op) == *request.operation)
                    && slice.scope.matches(&segments) == Truth::Yes
                    && slice.condition.is_unconditional()
            })
        });
        Ok(Decision {
            outcome: if allowed { Outcome::Allowed } else { Outcome::ImplicitlyDenied },
            blocked_by: Vec::new(),
            because: Vec::new(),
            conditions: Vec::new(),
        })
    }

    fn edges(&self) -> Vec<Edge> {
        self.edges.clone()
    }

    fn unlisted(&self, identity: &IdentityId) -> Vec<Unlisted> {
        self.unlisted.get(identity).cloned().unwrap_or_default()
    }

    fn used(&self, identity: &IdentityId) -> Option<OpSet> {
        self.used.get(identity).cloned()
    }
}

/// An inventory and its resolver under construction.
#[derive(Default)]
pub(crate) struct Town {
    pub(crate) inventory: Inventory,
    pub(crate) toy: Toy,
    pub(crate) jobs: JobConfig,
}

impl Town {
    /// Adds an identity `scope/name` of a nature with these slices; `None` = its access is not known.
    pub(crate) fn add(&mut self, nature: Nature, id: &str, slices: Option<Vec<Slice>>) -> &mut Identity {
        let (scope, name) = id.split_once('/').unwrap();
        let mut identity = Identity::new(id.into(), TOY, scope.into(), "role", name, Evidence::whole("toy.json"));
        identity.signals.push(Signal {
            nature,
            strength: Strength::Certain,
            reason: "so it is".into(),
            evidence: Evidence::whole("toy.json"),
        });
        if let Some(slices) = slices {
            let access = Access::new(slices, Vec::new(), false);
            self.toy.accesses.insert(id.into(), Arc::new(access));
        }
        self.inventory.identities.push(identity);
        self.inventory.identities.last_mut().unwrap()
    }

    pub(crate) fn access_of(&mut self, id: &str) -> &mut Access {
        Arc::make_mut(self.toy.accesses.get_mut(&IdentityId::from(id)).unwrap())
    }

    pub(crate) fn trust(&mut self, source: &str, mechanism: Mechanism, target: &str) {
        self.inventory.trusts.push(Trust {
            source: source.into(),
            target: target.into(),
            provider: TOY,
            mechanism,
            constraint: "".into(),
            weak: Truth::No,
            weakness: "".into(),
            evidence: Evidence::whole("toy.json"),
        });
    }

    pub(crate) fn edge(
        &mut self,
        source: &str,
        target: EdgeTarget,
        technique: &str,
        escalation: bool,
        conditional: bool,
    ) {
        self.toy.edges.push(Edge {
            source: source.into(),
            target,
            technique: technique.into(),
            escalation,
            conditional,
            grants: Arc::from([]),
        });
    }

    /// The town as the pipeline hands it on.
    pub(crate) fn built(self) -> (Inventory, Judgements, Resolvers, JobConfig) {
        let judged = Judgements::new(&self.inventory, &self.jobs);
        let mut resolvers = Resolvers::default();
        resolvers.insert(TOY, Box::new(self.toy));
        (self.inventory, judged, resolvers, self.jobs)
    }
}

pub(crate) fn pattern(text: &str) -> Pattern {
    if text == "*" {
        return Pattern::any();
    }
    Pattern::new(text.split('/').map(Glob::wildcard).collect::<Vec<_>>(), '/')
}

pub(crate) fn scope(patterns: &[&str]) -> ResourceScope {
    ResourceScope::any_of(patterns.iter().map(|text| pattern(text)))
}

pub(crate) fn when(key: &str, value: &str) -> Condition {
    Condition::unconditional().with(Clause::When(test(key, value)))
}

pub(crate) fn test(key: &str, value: &str) -> Test {
    Test { operator: "Equals".into(), key: key.into(), values: Arc::from([Arc::from(value)]), negated: false }
}

/// Operations `from` to `to` on resources under a condition.
pub(crate) fn slice(operations: &[u32], scope: ResourceScope, condition: Condition) -> Slice {
    Slice {
        operations: Arc::new(operations.iter().copied().map(OperationIx).collect()),
        scope: Arc::new(scope),
        condition: Arc::new(condition),
        grant: GrantIx(0),
    }
}

/// Operations on everything.
pub(crate) fn plain(operations: &[u32]) -> Slice {
    slice(operations, ResourceScope::everything(), Condition::unconditional())
}
