//! Gates before some resources, whatever job anybody does: a machine beside the least role with which people get there.
//!
//! The human role of a job may not reach a place where a gate stands, or nobody may know which role that is. The gate
//! stands there all the same, for everybody who may get there; and whoever passes it by passes by what people must pass.
//! That holds for machines that are no AI too, which have no human role beside them at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use evenhand_model::control::{Control, ControlKind, Way};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::opset::OpSet;
use evenhand_model::parity::{ControlComparison, GateComparison};
use evenhand_model::scope::Pattern;
use rayon::prelude::*;

use super::controls::{self, Side};
use super::view::Operations;
use super::world::{GenericRole, World};

/// Places before which a control of a kind stands.
pub(crate) type Places = BTreeSet<(ControlKind, Pattern)>;

/// The gates, each with what stands there before the least role that people may hold.
#[derive(Default)]
pub(crate) struct Gates<'w> {
    least: HashMap<(&'w ScopeId, ControlKind, &'w Pattern), (&'w IdentityId, &'w Control), foldhash::fast::FixedState>,
}

/// What is said alike of several places.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Same<'s> {
    kind: ControlKind,
    role: &'s IdentityId,
    human: Truth,
    in_place: Truth,
    way: Option<Way>,
    reason: &'s str,
    operations: Vec<(u32, u32)>,
    /// Operations before which people pass the control, where they are others.
    stands_before: Vec<(u32, u32)>,
}

/// The places, and where it is written.
#[derive(Default)]
struct Said<'s> {
    names: BTreeSet<String>,
    evidence: BTreeSet<&'s Evidence>,
}

/// The places that a control stands before; none where it stands before everything.
fn places(control: &Control) -> &[Pattern] {
    control.scope.all_of.first().map_or(&[], |list| list)
}

/// The control of the same kind that stops most: what stands before everything that is done (`whole`) stands before these
/// operations too.
fn best<'s>(whole: &[&'s Control], control: &'s Control, operations: &OpSet) -> &'s Control {
    let covering = whole.iter().copied().filter(|one| {
        let covers = |held: &OpSet| operations.difference(held).is_empty();
        one.kind == control.kind && one.operations.as_deref().is_none_or(covers)
    });
    covering.chain([control]).max_by_key(|one| one.in_place).unwrap_or(control)
}

impl<'w> Gates<'w> {
    pub(crate) fn of(world: &World<'w>) -> Self {
        let mut roles: Vec<&GenericRole<'w>> = world.generic.values().flatten().collect();
        roles.sort_by_key(|role| (role.weight, &role.identity.id));
        let mut gates = Self::default();
        for role in roles.iter().map(|role| role.identity) {
            for control in world.controls_of(&role.id).iter().copied() {
                for place in places(control) {
                    let key = (&role.scope, control.kind, place);
                    let held = gates.least.entry(key).or_insert((&role.id, control));
                    if *held.0 == role.id && control.in_place > held.1.in_place {
                        held.1 = control;
                    }
                }
            }
        }
        gates
    }

    /// What an identity faces as a holder of access in a scope, but for the places that are told of already. `approval`:
    /// whether a person approves what it does.
    pub(crate) fn before(
        &self,
        identity: &IdentityId,
        (side, scope): (&Side<'_>, &ScopeId),
        operations: &Operations<'_>,
        told: &Places,
        approval: Truth,
    ) -> Vec<GateComparison> {
        if self.least.is_empty() {
            return Vec::new();
        }
        let mut all: BTreeMap<Same<'_>, Said<'_>> = BTreeMap::new();
        let held = side.view.operations.intersection(&operations.sensitive);
        let stands = !held.is_empty() || side.may_gain;
        // One may have very many controls before single places, and few before everything.
        let whole: Vec<&Control> =
            side.controls.iter().copied().filter(|control| stands && control.scope.is_everything()).collect();
        for control in side.controls.iter().copied().filter(|control| stands && !places(control).is_empty()) {
            let own = match control.operations.as_deref() {
                None => held.clone(),
                Some(own) => match held.intersection(own) {
                    // It is said of a grant that was not read.
                    none if none.is_empty() && side.may_gain && control.in_place == Truth::Unknown => {
                        own.intersection(&operations.sensitive)
                    }
                    own => own,
                },
            };
            let best = best(&whole, control, &own);
            // A grant that was not read may give the same without the control.
            let mut in_place = best.in_place.and(if side.may_gain { Truth::Unknown } else { Truth::Yes });
            if control.kind == ControlKind::SecondPersonApproval {
                in_place = in_place.or(approval);
            }
            // What was not read may take away what it would not stop.
            if in_place == Truth::No && side.may_lose {
                in_place = Truth::Unknown;
            }
            for place in places(control) {
                let Some((role, least)) = self.least.get(&(scope, control.kind, place)) else { continue };
                let is_told = !told.is_empty() && told.contains(&(control.kind, place.clone()));
                if is_told || least.in_place == Truth::No {
                    continue;
                }
                let asked = least.operations.as_deref().map_or_else(|| own.clone(), |asked| own.intersection(asked));
                // Whoever changes a control does it by other operations than those before which it stands.
                let by_others = matches!(control.way, Some(Way::Changes | Way::Untold)) && asked.is_empty();
                let stands_before = match least.operations.as_deref() {
                    Some(guarded) if by_others => guarded.ranges().to_vec(),
                    _ => Vec::new(),
                };
                let asked = if by_others { own.clone() } else { asked };
                if asked.is_empty() {
                    continue;
                }
                let same = Same {
                    kind: control.kind,
                    role,
                    human: least.in_place,
                    in_place,
                    way: best.way,
                    reason: &best.reason,
                    operations: asked.ranges().to_vec(),
                    stands_before,
                };
                let said = all.entry(same).or_default();
                said.names.insert(place.to_string());
                said.evidence.extend([&best.evidence, &least.evidence]);
            }
        }
        let row = |(same, said): (Same<'_>, Said<'_>)| {
            let resource = controls::named(said.names.iter().map(String::as_str));
            let set = OpSet::from_ranges(same.operations);
            let guarded = OpSet::from_ranges(same.stands_before);
            let stands_before = controls::heaviest(operations, &guarded);
            let control = ControlComparison {
                way: same.way,
                reason: same.reason.into(),
                evidence: said.evidence.into_iter().take(controls::MAX_NAMED).cloned().collect(),
                ..controls::row(operations, same.kind, &set, resource, same.human, same.in_place)
            };
            GateComparison { identity: identity.clone(), human_role: same.role.clone(), stands_before, control }
        };
        all.into_iter().map(row).collect()
    }

    /// What machines face that are no AI, and that nobody is compared with.
    pub(crate) fn before_machines(&self, world: &World<'w>) -> Vec<GateComparison> {
        if self.least.is_empty() {
            return Vec::new();
        }
        let is_machine = |identity: &&Identity| {
            !matches!(world.judged.nature(&identity.id), Nature::Human | Nature::HumanRole | Nature::AiAgent)
        };
        let of = |identity: &Identity| {
            let controls = world.controls_of(&identity.id);
            let gated = controls.iter().any(|control| !places(control).is_empty());
            let (Some(holder), true) = (world.holders.get(&identity.provider), gated) else { return Vec::new() };
            let Some((_, view)) = world.view(identity) else { return Vec::new() };
            let (may_gain, may_lose) = (view.may_gain(), view.may_lose());
            let side = Side { view: &view, controls: controls.to_vec(), may_gain, may_lose };
            self.before(&identity.id, (&side, &identity.scope), &holder.operations, &Places::new(), Truth::No)
        };
        world.inventory.identities.par_iter().filter(is_machine).flat_map_iter(of).collect()
    }
}
