//! One comparison from end to end: whose access, beside whose, with which outcome.

use std::collections::HashMap;
use std::sync::Arc;

use evenhand_model::access::{Doubt, Grant, GrantIx};
use evenhand_model::evidence::Truth;
use evenhand_model::id::ProviderName;
use evenhand_model::identity::Identity;
use evenhand_model::opset::OpSet;
use evenhand_model::parity::{BaselineSource, Comparison, ControlComparison, ExcessAtom, GateComparison, Verdict};

use super::absent;
use super::baseline::{self, Found};
use super::containment::Scratch;
use super::controls;
use super::gates::{Gates, Places};
use super::outcome::{self, HumanKey, Outcome, PairKey};
use super::subject::{Part, Principal, Subject};
use super::summary;
use super::view::View;
use super::world::{Holder, World};

/// The human side in one provider.
struct Humans<'a> {
    key: HumanKey,
    /// Roles with their accesses; the mined access has no role.
    known: Vec<(Option<&'a Identity>, Arc<View>)>,
    /// Roles whose access is not known.
    unknown: Vec<&'a Identity>,
}

/// Sums over the parts of a comparison.
#[derive(Default)]
struct Totals {
    operations: u32,
    weight: u64,
    human_operations: u32,
    human_weight: u64,
    shared_weight: u64,
    excess_operations: u32,
    wider_operations: u32,
    excess_weight: u64,
    high_risk: u32,
    undecided: u32,
    narrower: bool,
    /// Whether some part was compared at all.
    compared: bool,
}

impl Totals {
    /// `compared`: whether it is known what people hold there.
    fn add(&mut self, outcome: &Outcome, compared: bool) {
        self.operations += outcome.operations;
        self.weight += outcome.weight;
        self.human_operations += outcome.human_operations;
        self.human_weight += outcome.human_weight;
        self.shared_weight += outcome.shared_weight;
        self.excess_operations += outcome.excess_operations;
        self.wider_operations += outcome.wider_operations;
        self.excess_weight += outcome.excess_weight;
        self.high_risk += outcome.high_risk;
        self.undecided += outcome.undecided_operations;
        self.narrower |= outcome.narrower;
        self.compared |= compared;
    }

    fn add_alone(&mut self, part: &Part<'_>, holder: &Holder<'_>) {
        let held = part.principals.iter().fold(OpSet::new(), |held, principal| held.union(&principal.view.operations));
        self.operations += u32::try_from(held.len()).unwrap_or(u32::MAX);
        self.weight += holder.operations.catalog.weight_of(&held);
    }

    fn coverage(&self) -> Option<f64> {
        (self.compared && self.human_weight > 0).then(|| self.shared_weight as f64 / self.human_weight as f64)
    }
}

/// Compares one identity with its human role, or with the one named; with the gates before which that role does not stand.
pub(crate) fn compare<'a>(
    world: &World<'a>,
    gates: &Gates<'a>,
    identity: &'a Identity,
    named: Option<&'a Identity>,
    scratch: &mut Scratch,
) -> (Comparison, Vec<GateComparison>) {
    let subject = Subject::of(world, identity);
    let found = match named {
        Some(role) => baseline::named(world, &subject, role),
        None => baseline::resolve(world, &subject),
    };
    let standing = controls::Standing::of(world, &subject);
    let mut totals = Totals::default();
    let mut excess: Vec<ExcessAtom> = Vec::new();
    let mut compared_controls: Vec<ControlComparison> = Vec::new();
    let mut passed_gates: Vec<GateComparison> = Vec::new();
    let mut doubts: Vec<Arc<str>> = subject.doubts.iter().chain(&found.doubts).cloned().collect();
    // Doubts that can turn the outcome, as opposed to those that concern both sides alike.
    let mut telling = !subject.doubts.is_empty();
    // Why nothing tells what people hold where it holds nothing itself.
    let mut unmeasured: Vec<Arc<str>> = Vec::new();
    // Where people of the job hold nothing, and how much of the excess is there.
    let mut nothing_in: Vec<(ProviderName, u32)> = Vec::new();
    for part in &subject.parts {
        let Some(holder) = world.holders.get(&part.provider) else { continue };
        let humans = humans_in(world, &found, part);
        let shared = Shared::of(part, &humans);
        let sides = controls::sides_of(world, &subject, part, |doubt| shared.holds(doubt));
        let mut at_gates = |told: &Places| {
            for (side, principal) in sides.iter().zip(&part.principals) {
                let side = (side, &principal.identity.scope);
                let rows = gates.before(&identity.id, side, &holder.operations, told, standing.approval);
                passed_gates.extend(rows);
            }
        };
        if humans.known.is_empty() {
            at_gates(&Places::new());
        }
        if found.baseline.source == BaselineSource::None {
            totals.add_alone(part, holder);
            telling = true;
            continue;
        }
        if humans.known.is_empty() {
            let unclear = if humans.unknown.is_empty() {
                absent::why_unclear(world, &subject, &found, part)
            } else {
                Some(access_not_known(&humans))
            };
            let outcome = outcome_of(world, holder, part, &humans, unclear.is_some(), scratch);
            totals.add(&outcome, unclear.is_none());
            let (held_in_all, in_excess) = (outcome.operations, outcome.excess_operations);
            add_atoms(&mut excess, outcome, holder, &subject, part);
            let held: Vec<&Doubt> = part.principals.iter().flat_map(|principal| &principal.view.doubts).collect();
            doubts.extend(held.iter().map(|doubt| Arc::clone(&doubt.text)));
            telling |= !held.is_empty();
            match unclear {
                why if held_in_all == 0 => unmeasured.extend(why),
                Some(why) => {
                    telling = true;
                    doubts.push(why);
                }
                None => nothing_in.push((part.provider, in_excess)),
            }
            continue;
        }
        for role in &humans.unknown {
            doubts.push(format!("the access of the human role `{}` is not known", role.name).into());
        }
        let outcome = outcome_of(world, holder, part, &humans, !humans.unknown.is_empty(), scratch);
        totals.add(&outcome, true);
        add_atoms(&mut excess, outcome, holder, &subject, part);
        let human_sides: Vec<controls::Side<'_>> =
            humans.known.iter().map(|(role, view)| controls::side_of(world, *role, view)).collect();
        let compared = controls::compare(&holder.operations, &human_sides, &found.process, &sides, &standing);
        at_gates(&compared.places);
        compared_controls.extend(compared.rows);
        telling |= shared.tell(&humans, &mut doubts);
    }
    if subject.parts.len() > 1 {
        excess.sort_by(|a, b| (outcome::rank(a), &a.operation).cmp(&(outcome::rank(b), &b.operation)));
        compared_controls.sort_by_key(|row| (std::cmp::Reverse(row.is_gap()), row.control));
    }
    // Where it holds nothing no people matter, unless nothing else tells how it stands.
    if !totals.compared {
        doubts.extend(unmeasured);
    }
    doubts.sort();
    doubts.dedup();
    let gap = compared_controls.iter().map(ControlComparison::is_gap).fold(Truth::No, Truth::or);
    let known = !subject.parts.is_empty();
    // What both sides may hold is in excess of nothing, but nothing tells how either holds it.
    let held = subject.parts.iter().flat_map(|part| &part.principals);
    telling |= totals.operations == 0 && held.flat_map(|held| &held.view.doubts).any(Doubt::may_add);
    let verdict = if found.baseline.source == BaselineSource::None {
        Verdict::NoBaseline
    } else if !known || !totals.compared {
        Verdict::Unknown
    } else if totals.excess_operations > 0 {
        Verdict::Excess
    } else if gap == Truth::Yes {
        Verdict::ControlGap
    } else if totals.undecided > 0 || telling || gap == Truth::Unknown {
        Verdict::Unknown
    } else if totals.narrower || totals.weight < totals.human_weight || totals.coverage().is_some_and(|c| c < 1.0) {
        Verdict::Narrower
    } else {
        Verdict::Parity
    };
    let narrow = |wide: u64| u32::try_from(wide).unwrap_or(u32::MAX);
    let mut comparison = Comparison {
        identity: identity.id.clone(),
        verdict,
        summary: String::new(),
        operations: known.then_some(totals.operations),
        access_weight: known.then(|| narrow(totals.weight)),
        human_operations: totals.compared.then_some(totals.human_operations),
        human_weight: totals.compared.then(|| narrow(totals.human_weight)),
        excess,
        excess_operations: totals.excess_operations,
        wider_operations: totals.wider_operations,
        excess_weight: narrow(totals.excess_weight),
        high_risk_excess: totals.high_risk,
        undecided_operations: totals.undecided,
        coverage: totals.coverage(),
        controls: compared_controls,
        doubts,
        baseline: found.baseline,
    };
    for (provider, _) in &nothing_in {
        let reason = &comparison.baseline.reason;
        comparison.baseline.reason =
            format!("{reason}; by all that was read, people of the job hold nothing in {provider}").into();
    }
    passed_gates.sort();
    passed_gates.dedup();
    passed_gates.sort_by_key(|row| (std::cmp::Reverse(row.control.is_gap()), row.control.control));
    comparison.summary = summary::line(&comparison, subject.parts.is_empty() && world.acts_for_its_user(&identity.id));
    if comparison.verdict == Verdict::Excess {
        for (provider, excess) in nothing_in.iter().filter(|(_, excess)| *excess > 0) {
            comparison.summary.push_str(&format!(", {excess} of them in {provider}, where people hold nothing"));
        }
        if let Some(tools) = subject.acts_through() {
            comparison.summary.push_str(", acting through ");
            comparison.summary.push_str(&tools);
        }
    }
    (comparison, passed_gates)
}

fn access_not_known(humans: &Humans<'_>) -> Arc<str> {
    match humans.unknown.as_slice() {
        [role] => format!("the access of the human role `{}` is not known", role.name).into(),
        roles => format!("the access of {} human roles is not known", roles.len()).into(),
    }
}

fn humans_in<'a>(world: &World<'a>, found: &Found<'a>, part: &Part<'_>) -> Humans<'a> {
    let here = |role: &&Identity| role.provider == part.provider;
    if let Some((name, view)) = found.mined.as_ref().filter(|_| found.roles.iter().any(here)) {
        return Humans {
            key: HumanKey::Mined(Arc::clone(name)),
            known: vec![(None, Arc::clone(view))],
            unknown: Vec::new(),
        };
    }
    let (mut keyed, mut unknown) = (Vec::new(), Vec::new());
    for role in found.roles.iter().copied().filter(here) {
        match world.view(role) {
            Some((key, view)) => keyed.push((key, role, view)),
            None => unknown.push(role),
        }
    }
    keyed.sort_by_key(|(key, role, _)| (*key, &role.id));
    let mut keys: Vec<u64> = keyed.iter().map(|(key, _, _)| *key).collect();
    keys.dedup();
    Humans {
        key: HumanKey::Roles(keys),
        known: keyed.into_iter().map(|(_, role, view)| (Some(role), view)).collect(),
        unknown,
    }
}

/// What comes of a comparison, kept for others of the same access where there are any. `partly_known`: whether people may
/// hold more than is known.
fn outcome_of(
    world: &World<'_>,
    holder: &Holder<'_>,
    part: &Part<'_>,
    humans: &Humans<'_>,
    partly_known: bool,
    scratch: &mut Scratch,
) -> Arc<Outcome> {
    let mut principals: Vec<(u64, &View)> =
        part.principals.iter().map(|principal| (principal.key, &*principal.view)).collect();
    principals.sort_by_key(|(key, _)| *key);
    principals.dedup_by_key(|(key, _)| *key);
    let mut make = || {
        let ai: Vec<&View> = principals.iter().map(|(_, view)| *view).collect();
        // Roles of equal access share one view.
        let mut human: Vec<&View> = humans.known.iter().map(|(_, view)| &**view).collect();
        human.dedup_by(|a, b| std::ptr::eq(*a, *b));
        outcome::compare(&holder.operations, holder.resolver, &ai, &human, partly_known, scratch)
    };
    if principals.iter().any(|(key, _)| world.is_of_one(part.provider, *key)) {
        return Arc::new(make());
    }
    let key = PairKey {
        provider: part.provider,
        ai: principals.iter().map(|(key, _)| *key).collect(),
        human: humans.key.clone(),
        partly_known,
    };
    world.outcomes.get(key, make)
}

/// Adds the atoms of an outcome with what is particular to the identity: what it used, through whom it holds it, and where it
/// is described.
fn add_atoms(
    excess: &mut Vec<ExcessAtom>,
    outcome: Arc<Outcome>,
    holder: &Holder<'_>,
    subject: &Subject<'_>,
    part: &Part<'_>,
) {
    if outcome.atoms.is_empty() {
        return;
    }
    let used = part
        .principals
        .iter()
        .map(|principal| holder.resolver.used(&principal.identity.id))
        .reduce(|all, one| Some(all?.union(&one?)))
        .flatten();
    let ways: Vec<Option<String>> = part.principals.iter().map(|principal| subject.way_to(principal)).collect();
    // One value for all atoms of a statement: reports tell statements apart by its parts.
    let mut grants: HashMap<(usize, Option<GrantIx>), Arc<Grant>> = HashMap::new();
    let mut adapt = |atom: &mut ExcessAtom, operations: &OpSet, granted_by: Option<GrantIx>| {
        atom.used = used.as_ref().map(|used| used.intersects(operations));
        let holds = |principal: &Principal<'_>| {
            let mut slices = principal.view.slices.iter().filter(|slice| slice.grant == granted_by);
            slices.any(|slice| slice.operations.intersects(operations))
        };
        // Whoever holds it: the tool server, where the agent itself does not.
        let holder = match part.principals.as_slice() {
            [_] => 0,
            several => several.iter().position(holds).unwrap_or_default(),
        };
        let way = ways.get(holder).and_then(Option::as_ref);
        if granted_by.is_some() && way.is_none() {
            return;
        }
        let grant = grants.entry((holder, granted_by)).or_insert_with(|| {
            let mut grant = Grant::clone(&atom.grant);
            if granted_by.is_none() {
                let described = part.principals.get(holder).map_or(subject.identity, |principal| principal.identity);
                grant.evidence = described.evidence.clone();
            }
            if let Some(way) = way {
                grant.name = match &*grant.name {
                    "" => way.as_str().into(),
                    name => format!("{name}, {way}").into(),
                };
            }
            Arc::new(grant)
        });
        atom.grant = Arc::clone(grant);
    };
    excess.reserve_exact(outcome.atoms.len());
    match Arc::try_unwrap(outcome) {
        Ok(outcome) => excess.extend(outcome.atoms.into_iter().map(|mut held| {
            adapt(&mut held.atom, &held.operations, held.granted_by);
            held.atom
        })),
        Err(outcome) => excess.extend(outcome.atoms.iter().map(|held| {
            let mut atom = held.atom.clone();
            adapt(&mut atom, &held.operations, held.granted_by);
            atom
        })),
    }
}

/// Doubts that all principals and all roles share, in one scope.
///
/// They change both sides alike: whatever such a doubt adds to or takes from the one it adds to or takes from the other,
/// and containment stays what it is.
struct Shared<'v> {
    views: Vec<&'v View>,
    same_scope: bool,
}

impl<'v> Shared<'v> {
    fn of(part: &'v Part<'_>, humans: &'v Humans<'_>) -> Self {
        let same_scope = match part.scopes.as_slice() {
            [scope] => humans.known.iter().all(|(role, _)| role.is_none_or(|role| role.scope == *scope)),
            _ => false,
        };
        let principals = part.principals.iter().map(|principal| &*principal.view);
        Self { views: principals.chain(humans.known.iter().map(|(_, view)| &**view)).collect(), same_scope }
    }

    fn holds(&self, doubt: &Doubt) -> bool {
        self.same_scope && doubt.about != Doubt::OWN && self.views.iter().all(|view| view.doubts.contains(doubt))
    }

    /// Adds the doubts of both sides; whether some of them can turn the outcome.
    fn tell(&self, humans: &Humans<'_>, doubts: &mut Vec<Arc<str>>) -> bool {
        let mut telling = !humans.unknown.is_empty();
        for doubt in self.views.iter().flat_map(|view| &view.doubts) {
            doubts.push(Arc::clone(&doubt.text));
            telling |= !self.holds(doubt);
        }
        telling
    }
}
