//! Control parity: for what both may do, is the AI identity under every control that the human is under?
//!
//! A control stands in the conditions of all grants of an operation, before the identity as a whole, or before the people
//! of a job by process. Only operations that matter are compared: those that change something or are of high risk.
//!
//! Several factors at sign-in prove a person. What software has instead is proof that nobody can carry off and use
//! elsewhere later: an identity with short-lived credentials only is as well proven, and where none of its credentials
//! was read nothing tells what proves it. What is issued for a key that stays valid proves no more than that key. That
//! does not answer a grant that asks for several factors by its own condition; there the person is asked for this very
//! operation.
//!
//! Just-in-time access ends by itself, and when it ends is part of the control: a grant that ends in ten years is no
//! match for one that ends tonight.

mod places;

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::access::Doubt;
use evenhand_model::control::{Control, ControlKind};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::identity::Identity;
use evenhand_model::opset::OpSet;
use evenhand_model::parity::ControlComparison;

use super::gates::Places;
use super::subject::{Part, Subject};
use super::view::{Controlled, Operations, SliceView, View, held_by, slot};
use super::window;
use super::world::World;

pub(super) const MAX_NAMED: usize = 5;

/// What stands before an AI identity by how it is configured and proven.
pub(crate) struct Standing {
    /// Whether a person approves what it does.
    pub(crate) approval: Truth,
    /// Whether only short-lived proof makes one this identity.
    pub(crate) short_lived: Truth,
}

impl Standing {
    pub(crate) fn of(world: &World<'_>, subject: &Subject<'_>) -> Self {
        Self {
            approval: world.approval(&subject.identity.id).unwrap_or(Truth::No),
            short_lived: world.short_lived(subject.faces().map(|face| &face.id)),
        }
    }
}

/// A holder of access whose controls are asked for.
pub(crate) struct Side<'a> {
    pub(crate) view: &'a View,
    /// What stands before it as a whole.
    pub(crate) controls: Vec<&'a Control>,
    /// Whether a grant that was not read may give the same without the control.
    pub(crate) may_gain: bool,
    /// Whether something that was not read may put the control before it, or take the operation away.
    pub(crate) may_lose: bool,
}

impl Side<'_> {
    /// Whether something of it is under a control of a kind, or may be.
    fn has(&self, kind: ControlKind) -> bool {
        let is_under = |held: &Controlled| !held.certainly.is_empty() || !held.perhaps.is_empty();
        self.may_lose
            || self.controls.iter().any(|control| control.kind == kind)
            || self.view.controlled.as_ref().and_then(|held| held.get(slot(kind))).is_some_and(is_under)
    }
}

/// The controls of one provider's part, compared.
#[derive(Default)]
pub(crate) struct Compared {
    /// Gaps first.
    pub(crate) rows: Vec<ControlComparison>,
    /// Where the people stand before a control of certain resources, or may: the rows tell of these.
    pub(crate) places: Places,
}

/// Compares the controls of one provider's part.
pub(crate) fn compare(
    operations: &Operations<'_>,
    human: &[Side<'_>],
    process: &[ControlKind],
    ai: &[Side<'_>],
    standing: &Standing,
) -> Compared {
    if process.is_empty() && human.iter().all(|side| side.controls.is_empty() && side.view.controlled.is_none()) {
        return Compared::default();
    }
    let both = held_by(&views(human)).intersection(&held_by(&views(ai))).intersection(&operations.sensitive);
    if both.is_empty() {
        return Compared::default();
    }
    let mut rows = Vec::new();
    for kind in ControlKind::ALL {
        let people = if process.contains(&kind) {
            Controlled { certainly: both.clone(), perhaps: OpSet::new() }
        } else if human.iter().any(|side| side.has(kind)) {
            under(human, kind, &both, &[])
        } else {
            continue;
        };
        if people.certainly.is_empty() && people.perhaps.is_empty() {
            continue;
        }
        // What stands before both alike, such as an admission control, is not the process that people pass beside it.
        let of_both: Vec<&Evidence> = if process.contains(&kind) {
            human.iter().flat_map(|side| &side.controls).map(|control| &control.evidence).collect()
        } else {
            Vec::new()
        };
        let mut agent = under(ai, kind, &both, &of_both);
        match kind {
            ControlKind::SecondPersonApproval => agent.add(&both, standing.approval),
            ControlKind::Mfa => {
                let asked = by_condition(human, kind);
                agent.add(&both.difference(&asked), standing.short_lived);
            }
            ControlKind::JustInTime => agent.doubt(&longer(human, ai)),
            ControlKind::ChangeGate | ControlKind::NetworkOrDevice => {}
        }
        for (people_under, human_truth) in [(&people.certainly, Truth::Yes), (&people.perhaps, Truth::Unknown)] {
            let bare = people_under.difference(&agent.certainly).difference(&agent.perhaps);
            let perhaps = people_under.intersection(&agent.perhaps);
            let certainly = people_under.intersection(&agent.certainly);
            for (set, truth) in [(bare, Truth::No), (perhaps, Truth::Unknown), (certainly, Truth::Yes)] {
                if !set.is_empty() {
                    let row = row(operations, kind, &set, resource_of(&set, ai), human_truth, truth);
                    let evidence = told_by(human.iter().chain(ai), kind, &set, &of_both);
                    rows.push(ControlComparison { evidence, ..row });
                }
            }
        }
    }
    let (of_places, places) = places::compare(operations, human, ai, &both, standing);
    rows.extend(of_places);
    rows.sort_by_key(|row| (std::cmp::Reverse(row.is_gap()), row.control));
    Compared { rows, places }
}

fn views<'a>(sides: &[Side<'a>]) -> Vec<&'a View> {
    sides.iter().map(|side| side.view).collect()
}

/// Operations that some grant of some holder puts under a control by its own condition, certainly or perhaps.
fn by_condition(sides: &[Side<'_>], kind: ControlKind) -> OpSet {
    sides
        .iter()
        .filter_map(|side| side.view.controlled.as_ref()?.get(slot(kind)))
        .fold(OpSet::new(), |asked, held| asked.union(&held.certainly).union(&held.perhaps))
}

/// Operations that a grant of the AI identity gives for a time that no grant of the people is known to cover.
fn longer(human: &[Side<'_>], ai: &[Side<'_>]) -> OpSet {
    let timed = |slice: &&SliceView| slice.controls.get(slot(ControlKind::JustInTime)) != Some(&Truth::No);
    let mut longer = OpSet::new();
    for side in ai {
        // Who activates the identity as a whole has an end besides that of its grants.
        let activated = side
            .controls
            .iter()
            .filter(|control| control.kind == ControlKind::JustInTime && control.in_place == Truth::Yes)
            .fold(OpSet::new(), |all, control| {
                all.union(control.operations.as_deref().unwrap_or(&side.view.operations))
            });
        for slice in side.view.slices.iter().filter(timed) {
            let mut open = slice.operations.difference(&activated);
            for by in human.iter().flat_map(|side| side.view.slices.iter().filter(timed)) {
                if open.is_empty() {
                    break;
                }
                if by.operations.intersects(&open) && window::within(&slice.window, &by.window) {
                    open = open.difference(&by.operations);
                }
            }
            longer = longer.union(&open);
        }
    }
    longer
}

/// Of some operations, those under a control whichever holder of the side uses them; controls that some evidence tells of
/// are left out.
fn under(sides: &[Side<'_>], kind: ControlKind, among: &OpSet, without: &[&Evidence]) -> Controlled {
    let (mut bare, mut perhaps) = (OpSet::new(), OpSet::new());
    for side in sides {
        let held = side.view.operations.intersection(among);
        let by_condition = side.view.controlled.as_ref().and_then(|controlled| controlled.get(slot(kind)));
        let mut certainly = by_condition.map_or_else(OpSet::new, |held| held.certainly.clone());
        let mut maybe = by_condition.map_or_else(OpSet::new, |held| held.perhaps.clone());
        if side.may_gain {
            maybe = maybe.union(&std::mem::take(&mut certainly));
        }
        if side.may_lose {
            maybe = maybe.union(&held);
        }
        let counted = |control: &&&Control| {
            control.kind == kind && control.scope.is_everything() && !without.contains(&&control.evidence)
        };
        for control in side.controls.iter().filter(counted) {
            let before = control.operations.as_deref().unwrap_or(&held);
            match control.in_place {
                Truth::Yes => certainly = certainly.union(before),
                Truth::Unknown => maybe = maybe.union(before),
                Truth::No => {}
            }
        }
        let open = held.difference(&certainly);
        perhaps = perhaps.union(&open.intersection(&maybe));
        bare = bare.union(&open.difference(&maybe));
    }
    let perhaps = perhaps.difference(&bare);
    Controlled { certainly: among.difference(&bare).difference(&perhaps), perhaps }
}

/// Where the controls are written that stand, or may, before some operations of holders as a whole: every one of them, but
/// for those that some evidence tells of.
fn told_by<'s>(
    sides: impl Iterator<Item = &'s Side<'s>>,
    kind: ControlKind,
    set: &OpSet,
    without: &[&Evidence],
) -> Vec<Evidence> {
    let stands = |control: &&&Control| {
        control.kind == kind
            && control.in_place != Truth::No
            && control.scope.is_everything()
            && !without.contains(&&control.evidence)
            && control.operations.as_ref().is_none_or(|operations| operations.intersects(set))
    };
    let told: BTreeSet<&Evidence> =
        sides.flat_map(|side| side.controls.iter().filter(stands)).map(|control| &control.evidence).collect();
    told.into_iter().cloned().collect()
}

pub(super) fn row(
    operations: &Operations<'_>,
    control: ControlKind,
    set: &OpSet,
    resource: Arc<str>,
    human: Truth,
    identity: Truth,
) -> ControlComparison {
    ControlComparison {
        control,
        operations: heaviest(operations, set),
        count: u32::try_from(set.len()).unwrap_or(u32::MAX),
        resource,
        human,
        identity,
        way: None,
        reason: Arc::from(""),
        evidence: Vec::new(),
    }
}

/// The names of the first operations of a set, the heaviest first.
pub(super) fn heaviest(operations: &Operations<'_>, set: &OpSet) -> Vec<Arc<str>> {
    let mut heaviest: Vec<_> = set.iter().collect();
    heaviest.sort_by_key(|operation| (std::cmp::Reverse(operations.weight(*operation)), *operation));
    heaviest.iter().take(MAX_NAMED).map(|operation| operations.catalog.name(*operation)).collect()
}

/// The resources on which an AI identity has some operations; of those that it has on everything no others.
fn resource_of(set: &OpSet, ai: &[Side<'_>]) -> Arc<str> {
    let slices = || ai.iter().flat_map(|side| &side.view.slices);
    let everywhere = slices().filter(|slice| slice.scope.is_everything());
    let elsewhere = set.difference(&OpSet::union_of(everywhere.map(|slice| &*slice.operations)));
    let mut scopes: BTreeSet<String> = BTreeSet::new();
    if elsewhere != *set {
        scopes.insert("*".to_owned());
    }
    for slice in slices().filter(|slice| slice.operations.intersects(&elsewhere)) {
        if scopes.len() <= MAX_NAMED {
            scopes.insert(slice.scope.to_string());
        }
    }
    named(scopes.iter().map(String::as_str))
}

/// The first names of a list.
pub(super) fn named<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Arc<str> {
    let more = if names.clone().count() > MAX_NAMED { " and more" } else { "" };
    let first: Vec<&str> = names.take(MAX_NAMED).collect();
    format!("{}{more}", first.join("; ")).into()
}

/// The sides of an AI identity's part.
///
/// What stands before a borrowed principal stands before its borrower too, several factors excepted: whoever holds a
/// credential was asked for them once, and is not asked again. A tool server makes requests of its own: before them
/// stands what stands before the server, and a person's approval of what the agent asks of it.
/// `shared`: whether a doubt is one that the people's access has too, so that it changes both alike.
pub(crate) fn sides_of<'w>(
    world: &World<'w>,
    subject: &Subject<'w>,
    part: &'w Part<'w>,
    shared: impl Fn(&Doubt) -> bool,
) -> Vec<Side<'w>> {
    part.principals
        .iter()
        .map(|principal| {
            let mut controls: Vec<&Control> = world.controls_of(&subject.identity.id).to_vec();
            if principal.identity.id != subject.identity.id {
                if subject.has_access() {
                    controls.retain(|control| control.kind == ControlKind::SecondPersonApproval);
                }
                let lent = world.controls_of(&principal.identity.id).iter().copied();
                controls.extend(lent.filter(|control| control.kind != ControlKind::Mfa));
            }
            let view = &principal.view;
            Side {
                view,
                controls,
                may_gain: view.doubts.iter().any(|doubt| doubt.may_add() && !shared(doubt)),
                may_lose: view.may_lose(),
            }
        })
        .collect()
}

/// The side of a human role; `None` = mined from people, and no role of its own.
pub(crate) fn side_of<'w>(world: &World<'w>, role: Option<&Identity>, view: &'w View) -> Side<'w> {
    let controls = role.map_or(&[][..], |role| world.controls_of(&role.id)).to_vec();
    Side { view, controls, may_gain: view.may_gain(), may_lose: false }
}
