//! Everything that a principal may do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::{Doubt, DoubtEffect, GrantIx, Slice};
use evenhand_model::condition::{Clause, Condition as Under};
use evenhand_model::evidence::Truth;
use evenhand_model::opset::OpSet;
use evenhand_model::scope::{Pattern, ResourceScope};

use super::Plane;
use super::authorizer::Authorizer;
use super::condition::{Attributes, Condition, Known};
use super::scope::ArmId;
use super::world::{ObjectId, Permission};
use crate::catalog::Catalogue;

/// What a principal may do.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Listed {
    /// The access; resources are named by their ids in lower case. `grant` counts assignments from 0.
    pub slices: Vec<Slice>,
    /// Why the true access may be other.
    pub doubts: Vec<Doubt>,
}

/// A part of an access that is being worked out.
#[derive(Clone)]
struct Part {
    /// Those of a role are the same for everybody who holds it, and kept once.
    operations: Arc<OpSet>,
    scope: ResourceScope,
    condition: Under,
    grant: GrantIx,
}

impl Authorizer {
    /// Everything that a principal may do, over the operations of a catalogue.
    ///
    /// The catalogue should know what the roles name ([`Catalogue::with`]); what it does not know is not listed.
    pub fn access(&self, principal: &ObjectId, catalogue: &Catalogue) -> Listed {
        let who = self.world.groups.of(principal);
        self.access_of(&who, &who, catalogue, None)
    }

    /// What the blocks of all roles grant over a catalogue.
    pub(crate) fn known_blocks(&self, catalogue: &Catalogue) -> KnownBlocks {
        let of = |role: &super::world::RoleDefinition| {
            role.permissions.iter().map(|block| Arc::new(operations_of(block, catalogue))).collect()
        };
        KnownBlocks(self.world.definitions.iter().map(of).collect())
    }

    /// What some principals hold, less what is denied to others: of somebody who may become the one and is the other.
    pub(crate) fn access_of(
        &self,
        holders: &BTreeSet<ObjectId>,
        who: &BTreeSet<ObjectId>,
        catalogue: &Catalogue,
        known: Option<&KnownBlocks>,
    ) -> Listed {
        let mut listed = Listed::default();
        let mut parts = Vec::new();
        for (at, held) in self.held_by(holders) {
            let Some((number, role)) = self.role(&held.role) else {
                listed.doubts.push(Doubt::new(format!("role definition {}", held.role), DoubtEffect::Adds));
                continue;
            };
            self.doubt(&held.scope, DoubtEffect::Adds, &mut listed.doubts);
            let scope = self.reached(&held.scope, false);
            let grant = GrantIx(u32::try_from(at).unwrap_or(u32::MAX));
            for (place, block) in role.permissions.iter().enumerate() {
                let known = known.and_then(|known| known.0.get(number)?.get(place));
                for (operations, under) in sorted_out(block, known, held.condition.as_ref(), catalogue) {
                    let condition = under.fold(Under::unconditional(), |all, condition| {
                        all.with(Clause::Opaque(Arc::clone(condition.as_str())))
                    });
                    parts.push(Part { operations, scope: scope.clone(), condition, grant });
                }
            }
        }
        for (_, deny) in self.denies().of(who) {
            self.doubt(&deny.scope, DoubtEffect::Limits, &mut listed.doubts);
            let hole = match self.reached(&deny.scope, deny.not_below).all_of.first() {
                Some(list) => list.to_vec(),
                None => vec![Pattern::any()],
            };
            for block in &deny.permissions {
                for (operations, under) in sorted_out(block, None, deny.condition.as_ref(), catalogue) {
                    let unless = under.fold(None::<String>, |all, condition| {
                        let text = condition.as_str();
                        Some(all.map_or_else(|| format!("unless {text}"), |all| format!("{all} and {text}")))
                    });
                    parts = parts
                        .into_iter()
                        .flat_map(|part| part.without(&operations, &hole, unless.as_deref()))
                        .collect();
                }
            }
        }
        listed.slices = parts.into_iter().map(Part::slice).collect();
        listed.doubts.sort_unstable();
        listed.doubts.dedup();
        listed
    }

    /// The resources at a scope, and below it if it is not alone.
    fn reached(&self, scope: &ArmId, alone: bool) -> ResourceScope {
        if alone {
            return ResourceScope::any_of([scope.only()]);
        }
        self.reach(scope)
    }

    /// Below a management group lies what nobody knows, where none were read.
    fn doubt(&self, scope: &ArmId, effect: DoubtEffect, doubts: &mut Vec<Doubt>) {
        if scope.is_management_group() && self.hierarchy().is_empty() {
            doubts.push(Doubt::new("the subscriptions of management groups", effect));
        }
    }
}

impl Part {
    /// What is left of it after a deny of some operations on some resources, perhaps under a condition.
    fn without(self, denied: &OpSet, hole: &[Pattern], unless: Option<&str>) -> Vec<Self> {
        let hit = self.operations.intersection(denied);
        let elsewhere = |pattern: &Pattern| hole.iter().all(|hole| hole.overlaps(pattern) == Truth::No);
        if hit.is_empty() || self.scope.all_of.iter().any(|list| list.iter().all(elsewhere)) {
            return vec![self];
        }
        let mut left = Vec::with_capacity(3);
        let rest = Arc::new(self.operations.difference(&hit));
        let hit = Arc::new(hit);
        let outside = Self {
            operations: Arc::clone(&hit),
            scope: self.scope.without(hole.iter().cloned()),
            condition: self.condition.clone(),
            grant: self.grant,
        };
        if let Some(unless) = unless {
            left.push(Self {
                operations: hit,
                scope: self.scope.limited_to(hole.iter().cloned()),
                condition: self.condition.clone().with(Clause::Opaque(unless.into())),
                grant: self.grant,
            });
        }
        left.push(outside);
        left.push(Self { operations: rest, ..self });
        left.retain(|part| !part.operations.is_empty() && part.scope.is_nothing() != Truth::Yes);
        left
    }

    fn slice(self) -> Slice {
        Slice {
            operations: self.operations,
            scope: Arc::new(self.scope),
            condition: Arc::new(self.condition),
            grant: self.grant,
        }
    }
}

/// The operations of a block, whatever it hangs on.
fn operations_of(block: &Permission, catalogue: &Catalogue) -> OpSet {
    let mut all = OpSet::new();
    for plane in [Plane::Control, Plane::Data] {
        let (meant, out) = block.of(plane);
        if !meant.is_empty() {
            let out = catalogue.matching(out, plane);
            all = all.union(&catalogue.matching(meant, plane).difference(&out));
        }
    }
    all
}

/// The operations of each block of each role definition over one catalogue, for whoever asks about many principals.
#[derive(Debug)]
pub(crate) struct KnownBlocks(Vec<Vec<Arc<OpSet>>>);

/// The operations of a block by the conditions that they hang on, of which the operation alone does not tell whether they
/// hold. What is certain not to hold is gone.
fn sorted_out<'a>(
    block: &'a Permission,
    known: Option<&Arc<OpSet>>,
    around: Option<&'a Condition>,
    catalogue: &Catalogue,
) -> impl Iterator<Item = (Arc<OpSet>, impl Iterator<Item = &'a Condition> + use<'a>)> + use<'a> {
    let all = known.cloned().unwrap_or_else(|| Arc::new(operations_of(block, catalogue)));
    let conditions: Vec<&Condition> = around.into_iter().chain(&block.condition).collect();
    let mut sorted: Vec<(Vec<usize>, Arc<OpSet>)> = Vec::new();
    if conditions.is_empty() {
        sorted.push((Vec::new(), all));
    } else {
        let mut by_open: BTreeMap<Vec<usize>, Vec<(u32, u32)>> = BTreeMap::new();
        for operation in all.iter() {
            let known =
                Known { operation: catalogue.lower(operation), suboperation: None, attributes: Attributes::NONE };
            let held: Vec<Truth> = conditions.iter().map(|condition| condition.holds(&known)).collect();
            if held.contains(&Truth::No) {
                continue;
            }
            let open = (0..held.len()).filter(|at| held.get(*at) == Some(&Truth::Unknown)).collect();
            by_open.entry(open).or_default().push((operation.0, operation.0 + 1));
        }
        sorted.extend(by_open.into_iter().map(|(open, ranges)| (open, Arc::new(OpSet::from_ranges(ranges)))));
    }
    sorted.into_iter().filter(|(_, operations)| !operations.is_empty()).map(move |(open, operations)| {
        let open: Vec<&Condition> = open.into_iter().filter_map(|at| conditions.get(at).copied()).collect();
        (operations, open.into_iter())
    })
}
