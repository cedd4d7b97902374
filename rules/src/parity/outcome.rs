//! The comparison of one access with others: what depends on the accesses alone, made once for equal ones.

use std::cmp::Reverse;
use std::sync::Arc;

use evenhand_model::access::{AccessResolver, Grant, GrantIx};
use evenhand_model::evidence::Evidence;
use evenhand_model::id::ProviderName;
use evenhand_model::opset::OpSet;
use evenhand_model::parity::ExcessAtom;

use super::containment::{Piece, Scratch, uncovered};
use super::view::{Operations, SliceView, View, held_by};

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
    let (held, by_people) = (held_by(ai), held_by(human));
    let mut pieces = uncovered(ai, human, scratch);
    if partly_known {
        pieces.iter_mut().for_each(Piece::doubt);
    }
    let gathered = |set: for<'p> fn(&'p Piece<'_>) -> &'p OpSet| OpSet::union_of(pieces.iter().map(set));
    let excess = gathered(|piece| &piece.excess);
    let undecided = gathered(|piece| &piece.undecided).difference(&excess);
    let wider = excess.intersection(&by_people);
    let nothing: Arc<str> = "".into();
    let told: Vec<Told> = pieces.iter().map(|piece| Told::of(piece, resolver, &nothing)).collect();
    let mut drafts = Vec::with_capacity(pieces.len());
    pieces.iter().zip(&told).for_each(|(piece, told)| add_drafts(piece, told, operations, &mut drafts));
    drafts.sort_by(|a, b| a.order().cmp(&b.order()));
    let people = People::of(human, &by_people, &wider.union(&undecided.intersection(&by_people)));
    let atom = |draft: Draft<'_>| {
        let people_have = people.have(&draft.operations, scratch);
        draft.atom(operations, people_have)
    };
    let atoms = drafts.into_iter().map(atom).collect();
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
        wider_operations: count(&wider),
        excess_weight: catalog.weight_of(&excess),
        high_risk: operations.high_risk(&excess),
        undecided_operations: count(&undecided),
        narrower,
    }
}

/// The order in which people read excess: what is all of high risk, what is so in part, and the rest; of these what is
/// certain, and then what weighs most. Reading one secret weighs less than a service's harmless operations together, and
/// must not be what a short list leaves out.
type Rank = (bool, bool, bool, Reverse<u32>);

/// The rank of an atom.
pub(crate) fn rank(atom: &ExcessAtom) -> Rank {
    rank_of(atom.operations, atom.high_risk, atom.decided, atom.weight)
}

fn rank_of(operations: u32, high_risk: u32, decided: bool, weight: u32) -> Rank {
    let (none, all) = (high_risk == 0, high_risk >= operations);
    (none, !all, !decided, Reverse(weight))
}

fn count(operations: &OpSet) -> u32 {
    u32::try_from(operations.len()).unwrap_or(u32::MAX)
}

/// What people hold of some operations.
struct People<'p> {
    /// All that they hold.
    operations: &'p OpSet,
    /// Where they hold some of these.
    slices: Vec<&'p SliceView>,
}

impl<'p> People<'p> {
    fn of(human: &[&'p View], operations: &'p OpSet, some: &OpSet) -> Self {
        let slices = human.iter().flat_map(|view| &view.slices);
        let slices = slices.filter(|slice| !some.is_empty() && slice.operations.intersects(some));
        Self { operations, slices: slices.collect() }
    }

    /// Where they have some of the operations, though they do not have them all over a scope; `None` where they lack one.
    fn have(&self, operations: &OpSet, scratch: &mut Scratch) -> Option<Arc<str>> {
        const NAMED: usize = 3;
        if !operations.is_subset(self.operations) {
            return None;
        }
        let slices = self.slices.iter().filter(|slice| slice.operations.intersects(operations));
        let mut places: Vec<Arc<str>> = slices.map(|slice| scratch.place(slice)).collect();
        places.sort();
        places.dedup();
        let more = places.len().saturating_sub(NAMED);
        places.truncate(NAMED);
        let named = places.join(", ");
        Some(if more > 0 { format!("{named} and {more} more").into() } else { named.into() })
    }
}

/// What the atoms of a piece have in common.
struct Told {
    scope: Arc<str>,
    condition: Arc<str>,
    grant: Arc<Grant>,
    granted_by: Option<GrantIx>,
}

impl Told {
    /// `nothing`: an empty text.
    fn of(piece: &Piece<'_>, resolver: &dyn AccessResolver, nothing: &Arc<str>) -> Self {
        let slice = piece.slice;
        Self {
            scope: piece.scope.to_string().into(),
            condition: match slice.granted_under.is_unconditional() {
                true => Arc::clone(nothing),
                false => slice.granted_under.to_string().into(),
            },
            grant: Arc::new(slice.grant.map_or_else(by_logic, |grant| resolver.grant(grant))),
            granted_by: slice.grant,
        }
    }
}

/// An atom before it is written: no more than what is sorted.
struct Draft<'t> {
    rank: Rank,
    operation: Arc<str>,
    operations: OpSet,
    count: u32,
    high_risk: u32,
    weight: u32,
    decided: bool,
    told: &'t Told,
}

impl Draft<'_> {
    fn order(&self) -> (Rank, &str, &str, &str, &Grant) {
        (self.rank, &self.operation, &self.told.scope, &self.told.condition, &self.told.grant)
    }

    fn atom(self, operations: &Operations<'_>, people_have: Option<Arc<str>>) -> Atom {
        Atom {
            atom: ExcessAtom {
                operation: self.operation,
                operations: self.count,
                level: operations.highest(&self.operations),
                scope: Arc::clone(&self.told.scope),
                condition: Arc::clone(&self.told.condition),
                weight: self.weight,
                high_risk: self.high_risk,
                used: None,
                grant: Arc::clone(&self.told.grant),
                decided: self.decided,
                people_have,
            },
            operations: self.operations,
            granted_by: self.told.granted_by,
        }
    }
}

/// Adds what becomes the atoms of a piece.
fn add_drafts<'t>(piece: &Piece<'_>, told: &'t Told, operations: &Operations<'_>, drafts: &mut Vec<Draft<'t>>) {
    for (left, decided) in [(&piece.excess, true), (&piece.undecided, false)] {
        if left.is_empty() {
            continue;
        }
        for (operation, set) in operations.catalog.summarise(left) {
            let weight = u32::try_from(operations.catalog.weight_of(&set)).unwrap_or(u32::MAX);
            let (count, high_risk) = (count(&set), operations.high_risk(&set));
            drafts.push(Draft {
                rank: rank_of(count, high_risk, decided, weight),
                operation,
                operations: set,
                count,
                high_risk,
                weight,
                decided,
                told,
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
