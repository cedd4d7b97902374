//! The comparison of one access with others: what depends on the accesses alone, made once for equal ones.

use std::sync::Arc;

use evenhand_model::access::{AccessResolver, Grant, GrantIx};
use evenhand_model::evidence::Evidence;
use evenhand_model::id::ProviderName;
use evenhand_model::opset::OpSet;
use evenhand_model::parity::ExcessAtom;

use super::containment::{Piece, Scratch, uncovered};
use super::view::{Operations, View};

/// What an outcome depends on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct PairKey {
    pub(crate) provider: ProviderName,
    /// The keys of the AI identity's accesses, sorted.
    pub(crate) ai: Vec<u64>,
    pub(crate) human: HumanKey,
    /// Whether some human role's access is not known, so that what is left may be covered after all.
    pub(crate) partly_known: bool,
}

/// What the human side of an outcome depends on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum HumanKey {
    /// The keys of the roles' accesses, sorted.
    Roles(Vec<u64>),
    /// The name of a mined access.
    Mined(Arc<str>),
}

/// An excess atom with the operations that it stands for.
#[derive(Debug)]
pub(crate) struct Atom {
    pub(crate) atom: ExcessAtom,
    pub(crate) operations: OpSet,
    /// The statement; `None` = no statement grants it, so that its evidence is whatever describes the identity.
    pub(crate) granted_by: Option<GrantIx>,
}

#[derive(Debug)]
pub(crate) struct Outcome {
    /// Heaviest first; undecided ones last.
    pub(crate) atoms: Vec<Atom>,
    pub(crate) operations: u32,
    pub(crate) weight: u64,
    pub(crate) human_operations: u32,
    pub(crate) human_weight: u64,
    pub(crate) shared_weight: u64,
    pub(crate) excess_operations: u32,
    /// Those of them that the human side has too, on fewer resources or under more conditions.
    pub(crate) wider_operations: u32,
    pub(crate) excess_weight: u64,
    pub(crate) high_risk: u32,
    pub(crate) undecided_operations: u32,
    /// Whether the human roles hold something that the AI identity certainly does not.
    pub(crate) narrower: bool,
}

/// Compares what an AI identity holds with what human roles hold.
pub(crate) fn compare(
    operations: &Operations<'_>,
    resolver: &dyn AccessResolver,
    ai: &[&View],
    human: &[&View],
    partly_known: bool,
    scratch: &mut Scratch,
) -> Outcome {
    let union =
        |views: &[&View]| OpSet::from_ranges(views.iter().flat_map(|view| view.operations.ranges().iter().copied()));
    let (held, by_people) = (union(ai), union(human));
    let mut pieces = uncovered(ai, human, scratch);
    if partly_known {
        pieces.iter_mut().for_each(Piece::doubt);
    }
    let gathered = |set: for<'p> fn(&'p Piece<'_>) -> &'p OpSet| {
        OpSet::from_ranges(pieces.iter().flat_map(|piece| set(piece).ranges().iter().copied()))
    };
    let excess = gathered(|piece| &piece.excess);
    let undecided = gathered(|piece| &piece.undecided).difference(&excess);
    let mut atoms = Vec::with_capacity(pieces.len());
    pieces.iter().for_each(|piece| add_atoms(piece, operations, resolver, human, &mut atoms));
    atoms.sort_by(|a, b| {
        let (a, b) = (&a.atom, &b.atom);
        (rank(a), &a.operation, &a.scope, &a.condition, &a.grant).cmp(&(
            rank(b),
            &b.operation,
            &b.scope,
            &b.condition,
            &b.grant,
        ))
    });
    let narrower = pieces.is_empty() && {
        let missing = uncovered(human, ai, scratch);
        missing.iter().any(|piece| !piece.excess.is_empty())
    };
    let catalog = operations.catalog;
    Outcome {
        atoms,
        operations: count(&held),
        weight: catalog.weight_of(&held),
        human_operations: count(&by_people),
        human_weight: catalog.weight_of(&by_people),
        shared_weight: catalog.weight_of(&held.intersection(&by_people)),
        excess_operations: count(&excess),
        wider_operations: count(&excess.intersection(&by_people)),
        excess_weight: catalog.weight_of(&excess),
        high_risk: count(&excess.intersection(&operations.high_risk)),
        undecided_operations: count(&undecided),
        narrower,
    }
}

/// The order in which people read excess: what is all of high risk, what is so in part, and the rest; of these what is
/// certain, and then what weighs most. Reading one secret weighs less than a service's harmless operations together, and
/// must not be what a short list leaves out.
pub(crate) fn rank(atom: &ExcessAtom) -> (bool, bool, bool, std::cmp::Reverse<u32>) {
    let (none, all) = (atom.high_risk == 0, atom.high_risk >= atom.operations);
    (none, !all, !atom.decided, std::cmp::Reverse(atom.weight))
}

fn count(operations: &OpSet) -> u32 {
    u32::try_from(operations.len()).unwrap_or(u32::MAX)
}

/// Where people have some operations, though they do not have them all over a scope; `None` where they lack one.
fn people_have(operations: &OpSet, human: &[&View]) -> Option<Arc<str>> {
    const NAMED: usize = 3;
    let mut missing = operations.clone();
    let mut places: Vec<String> = Vec::new();
    for slice in human.iter().flat_map(|view| &view.slices).filter(|slice| slice.operations.intersects(operations)) {
        missing = missing.difference(&slice.operations);
        let place = match slice.granted_under.is_unconditional() {
            true => format!("on {}", slice.scope),
            false => format!("on {} if {}", slice.scope, slice.granted_under),
        };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    if !missing.is_empty() {
        return None;
    }
    places.sort();
    let more = places.len().saturating_sub(NAMED);
    places.truncate(NAMED);
    let named = places.join(", ");
    Some(if more > 0 { format!("{named} and {more} more").into() } else { named.into() })
}

/// Adds the atoms of a piece.
fn add_atoms(
    piece: &Piece<'_>,
    operations: &Operations<'_>,
    resolver: &dyn AccessResolver,
    human: &[&View],
    atoms: &mut Vec<Atom>,
) {
    let scope: Arc<str> = piece.scope.to_string().into();
    let condition: Arc<str> = piece.slice.granted_under.to_string().into();
    let grant = piece.slice.grant.map_or_else(by_logic, |grant| resolver.grant(grant));
    for (left, decided) in [(&piece.excess, true), (&piece.undecided, false)] {
        if left.is_empty() {
            continue;
        }
        for (operation, set) in operations.catalog.summarise(left) {
            let weight = operations.catalog.weight_of(&set);
            atoms.push(Atom {
                atom: ExcessAtom {
                    operation,
                    operations: count(&set),
                    level: operations.highest(&set),
                    scope: Arc::clone(&scope),
                    condition: Arc::clone(&condition),
                    weight: u32::try_from(weight).unwrap_or(u32::MAX),
                    high_risk: count(&set.intersection(&operations.high_risk)),
                    used: None,
                    grant: grant.clone(),
                    decided,
                    people_have: people_have(&set, human),
                },
                operations: set,
                granted_by: piece.slice.grant,
            });
        }
    }
}

/// What grants where no statement does. The evidence is that of the identity, filled in where the atom is used.
fn by_logic() -> Grant {
    Grant {
        policy: Arc::from("the provider's own logic"),
        statement: None,
        name: Arc::from(""),
        evidence: Evidence::whole(""),
    }
}
