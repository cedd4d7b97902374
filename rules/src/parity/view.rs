//! Access as parity sees it: conditions that stand for controls are told apart from conditions that limit.
//!
//! A statement that asks for several factors grants no less than one that does not; it grants the same under a control.
//! Containment therefore looks at conditions without their control clauses, and control parity looks at these clauses.

use std::borrow::Cow;
use std::sync::Arc;

use evenhand_model::access::{Access, Doubt, GrantIx, Slice};
use evenhand_model::catalog::{AccessLevel, Catalog};
use evenhand_model::condition::{Clause, Condition, Test};
use evenhand_model::control::ControlKind;
use evenhand_model::evidence::Truth;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::scope::ResourceScope;

use super::window;

/// A catalogue with what parity asks of every operation, looked up once.
pub(crate) struct Operations<'a> {
    pub(crate) catalog: &'a dyn Catalog,
    /// For each operation, and for the end: how many before it are of high risk.
    high_risk_before: Vec<u32>,
    /// Operations whose controls are compared: those that change something, or are of high risk.
    pub(crate) sensitive: OpSet,
    levels: Vec<AccessLevel>,
    weights: Vec<u32>,
}

impl<'a> Operations<'a> {
    pub(crate) fn of(catalog: &'a dyn Catalog) -> Self {
        let all = OpSet::all(catalog.len());
        let high_risk = catalog.high_risk_set();
        let weights: Vec<u32> = all.iter().map(|operation| catalog.weight(operation)).collect();
        let changing: OpSet = all
            .iter()
            .zip(&weights)
            .filter(|(_, weight)| **weight >= AccessLevel::Write.weight())
            .map(|(operation, _)| operation)
            .collect();
        let mut count = 0;
        let mut high_risk_before = Vec::with_capacity(catalog.len() + 1);
        for operation in all.iter() {
            high_risk_before.push(count);
            count += u32::from(high_risk.contains(operation));
        }
        high_risk_before.push(count);
        Self {
            catalog,
            sensitive: changing.union(&high_risk),
            high_risk_before,
            levels: all.iter().map(|operation| catalog.level(operation)).collect(),
            weights,
        }
    }

    pub(crate) fn weight(&self, operation: OperationIx) -> u32 {
        self.weights.get(operation.0 as usize).copied().unwrap_or_default()
    }

    /// How many operations of a set are of high risk.
    pub(crate) fn high_risk(&self, operations: &OpSet) -> u32 {
        let before = |at: u32| self.high_risk_before.get(at as usize).copied().unwrap_or_default();
        operations.ranges().iter().map(|(start, end)| before(*end).saturating_sub(before(*start))).sum()
    }

    /// The highest level in a set; `List` for the empty one.
    pub(crate) fn highest(&self, operations: &OpSet) -> AccessLevel {
        operations
            .iter()
            .filter_map(|operation| self.levels.get(operation.0 as usize).copied())
            .max()
            .unwrap_or(AccessLevel::List)
    }
}

/// Operations under a control.
#[derive(Debug, Default)]
pub(crate) struct Controlled {
    /// All grants of these operations are under it.
    pub(crate) certainly: OpSet,
    /// All grants of these operations may be under it.
    pub(crate) perhaps: OpSet,
}

impl Controlled {
    /// Leaves it open whether operations are under the control.
    pub(crate) fn doubt(&mut self, operations: &OpSet) {
        let doubted = self.certainly.intersection(operations);
        if !doubted.is_empty() {
            self.certainly = self.certainly.difference(&doubted);
            self.perhaps = self.perhaps.union(&doubted);
        }
    }

    /// Puts more operations under the control.
    pub(crate) fn add(&mut self, operations: &OpSet, in_place: Truth) {
        match in_place {
            Truth::Yes => {
                self.certainly = self.certainly.union(operations);
                self.perhaps = self.perhaps.difference(operations);
            }
            Truth::Unknown => self.perhaps = self.perhaps.union(&operations.difference(&self.certainly)),
            Truth::No => {}
        }
    }
}

/// For each kind of [`ControlKind::ALL`], whether a grant is under it.
pub(crate) type Controls = [Truth; ControlKind::ALL.len()];

pub(crate) const UNCONTROLLED: Controls = [Truth::No; ControlKind::ALL.len()];

/// The place of a kind in [`Controls`].
pub(crate) fn slot(kind: ControlKind) -> usize {
    ControlKind::ALL.iter().position(|held| *held == kind).unwrap_or_default()
}

/// A slice with its controls told apart.
#[derive(Debug)]
pub(crate) struct SliceView {
    pub(crate) operations: Arc<OpSet>,
    pub(crate) scope: Arc<ResourceScope>,
    /// The scope with the holder's own name left open, where it is granted by that name.
    pub(crate) oneself: Option<ResourceScope>,
    /// The condition without its control clauses.
    pub(crate) condition: Arc<Condition>,
    /// The condition as granted, for printing.
    pub(crate) granted_under: Arc<Condition>,
    pub(crate) controls: Controls,
    /// The clauses of the condition that end or begin the grant; empty = it stands always.
    pub(crate) window: Condition,
    /// The statement; `None` where the provider's own logic grants, and no statement.
    pub(crate) grant: Option<GrantIx>,
    /// Whether a clause of the condition concerns certain resources only.
    pub(crate) partial_clauses: bool,
}

/// An identity's access, ready to be compared.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) slices: Vec<SliceView>,
    /// Positions of the slices, widest first: what covers most is asked first.
    pub(crate) widest_first: Vec<usize>,
    pub(crate) operations: OpSet,
    /// For each kind of [`ControlKind::ALL`] what its conditions put under it; `None` = nothing is under any.
    pub(crate) controlled: Option<Box<[Controlled; ControlKind::ALL.len()]>>,
    pub(crate) doubts: Vec<Doubt>,
    /// Whether the provider could tell the access at all.
    pub(crate) known: bool,
}

/// The operations that some views hold together.
pub(crate) fn held_by<'v>(views: &[&'v View]) -> Cow<'v, OpSet> {
    match views {
        [view] => Cow::Borrowed(&view.operations),
        views => Cow::Owned(OpSet::union_of(views.iter().map(|view| &view.operations))),
    }
}

impl View {
    /// Whether something that was not read may grant more.
    pub(crate) fn may_gain(&self) -> bool {
        self.doubts.iter().any(Doubt::may_add)
    }

    /// Whether something that was not read may take some of it away.
    pub(crate) fn may_lose(&self) -> bool {
        self.doubts.iter().any(Doubt::may_limit)
    }

    /// The view of an access that could not be told.
    pub(crate) fn unknown() -> Self {
        Self {
            slices: Vec::new(),
            widest_first: Vec::new(),
            operations: OpSet::new(),
            controlled: None,
            doubts: Vec::new(),
            known: false,
        }
    }

    pub(crate) fn of(access: &Access, catalog: &dyn Catalog) -> Self {
        let mut slices: Vec<SliceView> = access
            .slices()
            .iter()
            .filter(|slice| !slice.operations.is_empty() && slice.scope.is_nothing() != Truth::Yes)
            .map(|slice| SliceView::of(slice, catalog))
            .collect();
        if access.unlimited {
            slices.push(SliceView {
                operations: Arc::new(OpSet::all(catalog.len())),
                scope: Arc::default(),
                oneself: None,
                condition: Arc::default(),
                granted_under: Arc::default(),
                controls: UNCONTROLLED,
                window: Condition::unconditional(),
                grant: None,
                partial_clauses: false,
            });
        }
        let operations = if !access.unlimited && slices.len() == access.slices().len() {
            access.operations().clone()
        } else {
            OpSet::union_of(slices.iter().map(|slice| &*slice.operations))
        };
        let mut widest_first: Vec<usize> = (0..slices.len()).collect();
        widest_first.sort_by_cached_key(|at| {
            slices.get(*at).map(|slice| {
                let limits = u8::from(!slice.condition.is_unconditional()) + u8::from(!slice.scope.is_whole_scope());
                (limits, std::cmp::Reverse(slice.operations.len()), *at)
            })
        });
        Self {
            controlled: controlled(&slices),
            slices,
            widest_first,
            operations,
            doubts: access.doubts.clone(),
            known: true,
        }
    }
}

fn controlled(slices: &[SliceView]) -> Option<Box<[Controlled; ControlKind::ALL.len()]>> {
    if slices.iter().all(|slice| slice.controls == UNCONTROLLED) {
        return None;
    }
    let under = |kind: ControlKind, least: Truth, most: Truth| {
        let at = slot(kind);
        let fitting =
            slices.iter().filter(|slice| slice.controls.get(at).is_some_and(|truth| *truth >= least && *truth <= most));
        OpSet::union_of(fitting.map(|slice| &*slice.operations))
    };
    Some(Box::new(ControlKind::ALL.map(|kind| {
        let bare = under(kind, Truth::No, Truth::No);
        let perhaps = under(kind, Truth::Unknown, Truth::Unknown).difference(&bare);
        let certainly = under(kind, Truth::Yes, Truth::Yes).difference(&bare).difference(&perhaps);
        Controlled { certainly, perhaps }
    })))
}

impl SliceView {
    fn of(slice: &Slice, catalog: &dyn Catalog) -> Self {
        let mut controls = UNCONTROLLED;
        let mut condition = Arc::clone(&slice.condition);
        let mut window = Condition::unconditional();
        if !slice.condition.is_unconditional() {
            let mut stripped = false;
            let rest = slice.condition.filtered(|clause| match control_of(clause, &slice.scope, catalog) {
                Some((kind, truth)) => {
                    stripped = true;
                    if kind == ControlKind::JustInTime {
                        window = std::mem::take(&mut window).with(clause.clone());
                    }
                    if let Some(held) = controls.get_mut(slot(kind)) {
                        *held = held.or(truth);
                    }
                    false
                }
                None => true,
            });
            if stripped {
                condition = Arc::new(rest);
            }
        }
        let partial_clauses =
            condition.clauses().any(|clause| matches!(clause, Clause::Unless { scope, .. } if !scope.is_everything()));
        Self {
            operations: Arc::clone(&slice.operations),
            scope: Arc::clone(&slice.scope),
            oneself: slice.scope.of_oneself(),
            partial_clauses,
            condition,
            granted_under: Arc::clone(&slice.condition),
            controls,
            window,
            grant: Some(slice.grant),
        }
    }
}

/// The control that a clause puts before a grant on these resources, if that is what the clause does.
fn control_of(clause: &Clause, granted: &ResourceScope, catalog: &dyn Catalog) -> Option<(ControlKind, Truth)> {
    match clause {
        Clause::When(test) => match (catalog.control_of_key(&test.key)?, demands(test)) {
            (kind, _) if admits_every_network(test) => Some((kind, Truth::No)),
            // What only begins never ends by itself, unless beginning anew is what is asked for.
            (kind @ ControlKind::JustInTime, Truth::Yes) if window::is_beginning(test) => Some((kind, Truth::Unknown)),
            // A grant that holds only in the absence of a control limits; it controls nothing.
            (_, Truth::No) => None,
            found => Some(found),
        },
        Clause::Unless { tests, scope } => {
            let mut kinds = tests.iter().map(|test| catalog.control_of_key(&test.key));
            let kind = kinds.next()??;
            if !kinds.all(|other| other == Some(kind)) {
                return None;
            }
            // A deny asks for what its tests rule out.
            let ruled_out = tests.iter().fold(Truth::Yes, |all, test| all.and(rules_out(test)));
            let truth = if ruled_out == Truth::Yes && scope.contains(granted) != Truth::Yes {
                Truth::Unknown
            } else {
                ruled_out
            };
            (truth != Truth::No).then_some((kind, truth))
        }
        Clause::AnyOf(alternatives) => {
            let mut found: Option<(ControlKind, Truth)> = None;
            for alternative in alternatives {
                let mut clauses = alternative.clauses();
                let (kind, truth) = control_of(clauses.next()?, granted, catalog)?;
                if clauses.next().is_some() || found.is_some_and(|(held, _)| held != kind) {
                    return None;
                }
                found = Some((kind, found.map_or(truth, |(_, held)| held.and(truth))));
            }
            found
        }
        Clause::Opaque(_) => None,
    }
}

fn all_values(test: &Test, word: &str) -> bool {
    !test.values.is_empty() && test.values.iter().all(|value| value.eq_ignore_ascii_case(word))
}

/// Whether an operator asks for the presence of a key, so that `true` means that the key is missing.
fn asks_presence(test: &Test) -> bool {
    test.operator.eq_ignore_ascii_case("null")
}

/// Whether an operator holds where the request does not carry the key at all.
fn holds_without_key(test: &Test) -> bool {
    test.operator.to_ascii_lowercase().ends_with("ifexists")
}

/// Whether a test names a network that every address is in.
fn admits_every_network(test: &Test) -> bool {
    !test.negated && test.values.iter().any(|value| value.ends_with("/0"))
}

/// Whether a grant under this test is under the control that the test's key stands for.
fn demands(test: &Test) -> Truth {
    let absence = if asks_presence(test) { "true" } else { "false" };
    if all_values(test, absence) {
        test.negated.into()
    } else if test.negated || holds_without_key(test) {
        // A request without the key passes too: one with a long-term key carries no sign of a second factor.
        Truth::Unknown
    } else {
        Truth::Yes
    }
}

/// Whether a deny under this test leaves only what is under the control.
fn rules_out(test: &Test) -> Truth {
    let (absence, presence) = if asks_presence(test) { ("true", "false") } else { ("false", "true") };
    if all_values(test, absence) {
        if test.negated {
            Truth::No
        } else if asks_presence(test) || holds_without_key(test) {
            Truth::Yes
        } else {
            // The deny misses requests without the key.
            Truth::Unknown
        }
    } else if all_values(test, presence) {
        test.negated.into()
    } else if test.negated {
        Truth::Yes
    } else {
        Truth::Unknown
    }
}
