//! Which statements, logs and controls a fact about an identity rests on. They are kept beside the table, and only for those whom
//! rules about such facts speak of: everybody else's rows cost nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::sync::Arc;

use evenhand_model::access::{AccessResolver, Grant, GrantIx};
use evenhand_model::control::ControlKind;
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::ScopeId;
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::log::Log;
use evenhand_model::opset::OpSet;
use evenhand_model::parity::{ControlComparison, ExcessAtom};
use rayon::prelude::*;

use crate::facts::context::{Context, FastMap};

/// Statements, logs or controls that are named; where there are more, that is said.
const STATEMENTS: usize = 5;

/// Operations that are named of one statement; the others are counted.
const OPERATIONS: usize = 5;

/// What one fact about an identity rests on: statements, logs or controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ground {
    /// The column of table `identities` that holds the fact.
    pub(crate) column: &'static str,
    /// The control that it tells of, where the fact is about several.
    pub(crate) control: Option<ControlKind>,
    /// What they say, in words: for statements what is granted, which they are and where they stand.
    pub(crate) by: Arc<str>,
    /// Where they stand.
    pub(crate) places: Vec<Evidence>,
}

impl Ground {
    /// Of an access that the provider's own logic gives, without a statement.
    pub(super) fn unlimited() -> Self {
        Self {
            column: "admin",
            control: None,
            by: "no statement: nothing is denied to it, whatever the policies say".into(),
            places: Vec::new(),
        }
    }

    /// Of what some statements grant, in this order; `None` = nothing. One statement may come several times; what is granted
    /// is asked for only where it is named.
    pub(super) fn of_grants<F: FnOnce() -> OpSet>(
        column: &'static str,
        held: impl IntoIterator<Item = (GrantIx, F)>,
        resolver: &dyn AccessResolver,
    ) -> Option<Self> {
        let mut by_grant: Vec<(GrantIx, OpSet)> = Vec::new();
        let mut more = false;
        for (grant, operations) in held {
            if let Some((_, known)) = by_grant.iter_mut().find(|(known, _)| *known == grant) {
                *known = known.union(&operations());
            } else if by_grant.len() < STATEMENTS {
                by_grant.push((grant, operations()));
            } else {
                more = true;
            }
        }
        let mut draft = Draft::default();
        for (grant, operations) in &by_grant {
            let (mut named, mut count) = (Vec::new(), 0);
            resolver.catalog().name_groups(operations, &mut |name| {
                if count < OPERATIONS {
                    named.push(name.to_owned());
                }
                count += 1;
            });
            let named: Vec<&str> = named.iter().map(String::as_str).collect();
            draft.add(&named, count, &resolver.grant(*grant));
        }
        draft.ground(column, more)
    }

    /// Of excess: the atoms, most telling first.
    fn of_atoms<'a>(column: &'static str, atoms: impl IntoIterator<Item = &'a ExcessAtom>) -> Option<Self> {
        // One operation may be excess at several places. Atoms of one statement share it: that is seen at a glance.
        let mut by_grant: Vec<(&Arc<Grant>, Vec<&str>, BTreeSet<&str>)> = Vec::new();
        let mut more = false;
        for atom in atoms {
            let operation: &str = &atom.operation;
            if let Some((_, named, all)) = by_grant.iter_mut().find(|(known, ..)| **known == atom.grant) {
                if all.insert(operation) && named.len() < OPERATIONS {
                    named.push(operation);
                }
            } else if by_grant.len() < STATEMENTS {
                by_grant.push((&atom.grant, vec![operation], BTreeSet::from([operation])));
            } else {
                more = true;
            }
        }
        let mut draft = Draft::default();
        for (grant, named, all) in by_grant {
            draft.add(&named, all.len(), grant);
        }
        draft.ground(column, more)
    }

    /// Of the steps of a path: each with its technique.
    fn of_steps<'a>(steps: impl IntoIterator<Item = (&'a str, &'a Grant)>) -> Option<Self> {
        let mut draft = Draft::default();
        let mut more = false;
        for (at, (technique, grant)) in steps.into_iter().enumerate() {
            // The words of a trust that is no statement of any policy begin with the technique.
            let named: &[&str] = match grant.policy.starts_with(technique) {
                true => &[],
                false => std::slice::from_ref(&technique),
            };
            if at < STATEMENTS {
                draft.add(named, named.len(), grant);
            } else {
                more = true;
            }
        }
        draft.ground("can_escalate", more)
    }
}

/// A ground that is being written.
#[derive(Default)]
struct Draft {
    by: String,
    places: Vec<Evidence>,
}

impl Draft {
    /// Adds a statement and what it grants: some names of so many.
    fn add(&mut self, named: &[&str], count: usize, grant: &Grant) {
        self.begin();
        self.names(named, count);
        if !named.is_empty() {
            self.by.push_str(" by ");
        }
        self.write(format_args!("{grant}"));
        self.place(&grant.evidence);
    }

    /// Adds what a log does or not.
    fn log(&mut self, log: &Log, said: &str) {
        self.begin();
        self.write(format_args!("{} {said}", log.name));
        self.place(&log.evidence);
    }

    /// Adds a control before some operations.
    fn control(&mut self, control: &ControlComparison) {
        self.begin();
        self.write(format_args!("{} before ", control.control.as_str()));
        let named: Vec<&str> = control.operations.iter().map(|name| &**name).collect();
        self.names(&named, control.count as usize);
        self.write(format_args!(" on {}", control.resource));
        if !control.reason.is_empty() {
            self.write(format_args!(" ({})", control.reason));
        }
        control.evidence.iter().for_each(|evidence| self.place(evidence));
    }

    fn begin(&mut self) {
        if !self.by.is_empty() {
            self.by.push_str("; ");
        }
    }

    /// Adds some names of so many.
    fn names(&mut self, named: &[&str], count: usize) {
        self.by.push_str(&named.join(", "));
        if count > named.len() {
            self.write(format_args!(" and {} more", count - named.len()));
        }
    }

    fn place(&mut self, evidence: &Evidence) {
        self.write(format_args!(" at {evidence}"));
        if !self.places.contains(evidence) {
            self.places.push(evidence.clone());
        }
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        // Writing to memory does not fail.
        let _ = self.by.write_fmt(text);
    }

    fn ground(mut self, column: &'static str, more: bool) -> Option<Ground> {
        if self.by.is_empty() {
            return None;
        }
        if more {
            self.by.push_str("; and more");
        }
        Some(Ground { column, control: None, by: self.by.into(), places: self.places })
    }
}

/// Whether rules about what an access holds speak of an identity.
pub(super) fn is_cited(identity: &Identity, nature: Nature) -> bool {
    matches!(nature, Nature::AiAgent | Nature::ThirdParty) || identity.third_party == Fact::Known(true)
}

/// The grounds of all facts that rules may cite, by the identity's position in the inventory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grounds(FastMap<usize, Vec<Arc<Ground>>>);

impl Grounds {
    /// Of all identities that rules may speak of, for the columns that these read.
    pub(super) fn new(context: &Context<'_>) -> Self {
        if context.input.reads.is_empty() {
            return Self::default();
        }
        let logs = logs(&context.inventory.logs);
        let grounds = |at: usize| {
            let grounds = grounds_of(context, &logs, at)?;
            (!grounds.is_empty()).then_some((at, grounds))
        };
        let all: Vec<_> = (0..context.inventory.identities.len()).into_par_iter().filter_map(grounds).collect();
        Self(all.into_iter().collect())
    }

    /// The grounds of the facts about the identity at a position.
    pub(crate) fn of(&self, position: usize) -> &[Arc<Ground>] {
        self.0.get(&position).map_or(&[], Vec::as_slice)
    }
}

/// The grounds of the facts about the identity at a position.
fn grounds_of(
    context: &Context<'_>,
    logs: &BTreeMap<&ScopeId, Vec<Arc<Ground>>>,
    at: usize,
) -> Option<Vec<Arc<Ground>>> {
    let identity = context.inventory.identities.get(at)?;
    let nature = context.input.judgements.nature_at(at);
    let reads = context.input.reads;
    let mut grounds = Vec::new();
    if is_cited(identity, nature)
        && let Some(access) = context.access.of(at)
    {
        grounds.extend(access.grounds_of(identity.id.as_str()));
    }
    if matches!(nature, Nature::AiAgent | Nature::Unknown) && reads.contains("can_escalate") {
        grounds.extend(escalation(context, at).map(Arc::new));
    }
    if nature == Nature::AiAgent {
        grounds.extend(logs.get(&identity.scope).into_iter().flatten().cloned());
        if let Some(comparison) = context.comparison(at) {
            grounds.extend(excess(&comparison.excess, reads).into_iter().map(Arc::new));
            grounds.extend(controls(&comparison.controls, reads).into_iter().map(Arc::new));
        }
    }
    Some(grounds)
}

/// What the logs of each scope do.
fn logs(logs: &[Log]) -> BTreeMap<&ScopeId, Vec<Arc<Ground>>> {
    let mut by_scope: BTreeMap<&ScopeId, Vec<&Log>> = BTreeMap::new();
    for log in logs {
        by_scope.entry(&log.scope).or_default().push(log);
    }
    let grounds = |logs: Vec<&Log>| {
        let (mut on, mut covers) = (Draft::default(), Draft::default());
        for log in logs.iter().take(STATEMENTS) {
            let is_on = match log.enabled {
                Fact::Known(true) => "is on",
                Fact::Known(false) => "is off",
                Fact::Absent | Fact::Unknown => "may be on or off",
            };
            on.log(log, is_on);
            // What is off records nothing.
            let records = match (&log.enabled, &log.covers_agents) {
                (Fact::Known(false), _) => is_on,
                (_, Fact::Known(false)) => "does not record what agents do",
                (Fact::Known(true), Fact::Known(true)) => "records what agents do",
                _ => "may record what agents do or not",
            };
            covers.log(log, records);
        }
        let more = logs.len() > STATEMENTS;
        let both = [on.ground("logged", more), covers.ground("agent_activity_logged", more)];
        both.into_iter().flatten().map(Arc::new).collect()
    };
    by_scope.into_iter().map(|(scope, logs)| (scope, grounds(logs))).collect()
}

/// The controls that people are under and the identity is not, for certain and perhaps: each kind by itself, for rules speak
/// of some of them.
fn controls(controls: &[ControlComparison], reads: &BTreeSet<&str>) -> Vec<Ground> {
    let of = |column, kind: ControlKind, gap: Truth| {
        let is_meant = |held: &&ControlComparison| held.control == kind && held.is_gap() == gap;
        let gaps: Vec<&ControlComparison> = controls.iter().filter(is_meant).collect();
        let mut draft = Draft::default();
        gaps.iter().take(STATEMENTS).for_each(|control| draft.control(control));
        Some(Ground { control: Some(kind), ..draft.ground(column, gaps.len() > STATEMENTS)? })
    };
    let columns = [("control_gap_list", Truth::Yes), ("open_control_gap_list", Truth::Unknown)];
    let read = columns.into_iter().filter(|&(column, _)| reads.contains(column));
    read.flat_map(|(column, gap)| ControlKind::ALL.into_iter().filter_map(move |kind| of(column, kind, gap))).collect()
}

/// The statements that allow the steps of the path that is named for an identity.
fn escalation(context: &Context<'_>, at: usize) -> Option<Ground> {
    let identity = context.inventory.identities.get(at)?;
    let path = context.escalation(&identity.id, context.reach(at)?)?;
    let (found, steps) = (context.input.paths, context.input.paths.steps());
    let allowed = found.taken(path).flat_map(|step| {
        let technique = steps.technique(step).map_or("", |technique| &**technique);
        steps.granted(step).into_iter().flat_map(|grants| grants.iter()).map(move |grant| (technique, grant))
    });
    Ground::of_steps(allowed)
}

/// The statements that grant what the human role does not cover: all of it, what is of high risk, and what may be covered.
fn excess(atoms: &[ExcessAtom], reads: &BTreeSet<&str>) -> Vec<Ground> {
    let mut heaviest: Vec<&ExcessAtom> = atoms.iter().collect();
    // The sort is stable: what weighs the same keeps its order.
    heaviest.sort_by_key(|atom| Reverse(atom.weight));
    type Meant = fn(&ExcessAtom) -> bool;
    let all: [(&'static str, Meant); 3] = [
        ("excess_weight", |atom| atom.decided),
        ("high_risk_excess", |atom| atom.decided && atom.high_risk > 0),
        ("undecided_operations", |atom| !atom.decided),
    ];
    let read = all.into_iter().filter(|&(column, _)| reads.contains(column));
    read.filter_map(|(column, is_meant)| {
        Ground::of_atoms(column, heaviest.iter().copied().filter(|atom| is_meant(atom)))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use evenhand_model::catalog::AccessLevel;
    use evenhand_model::table::Row as _;

    use super::*;
    use crate::facts::tables::IdentityRow;
    use crate::parity::toy::{TOY, Toy};

    /// All columns of table `identities`: what is of another one is never told.
    fn all() -> BTreeSet<&'static str> {
        IdentityRow::SPEC.columns.iter().map(|column| column.name).collect()
    }

    fn grant(number: u32) -> Grant {
        let evidence = Evidence::pointer("toy.json", format!("/{number}"));
        Grant { policy: "policy".into(), statement: Some(number), name: "Main".into(), evidence }
    }

    fn atom(operation: &str, weight: u32, high_risk: u32, decided: bool) -> ExcessAtom {
        ExcessAtom {
            operation: operation.into(),
            operations: 1,
            level: AccessLevel::Write,
            scope: "*".into(),
            condition: "".into(),
            weight,
            high_risk,
            used: None,
            grant: Arc::new(grant(weight)),
            decided,
            people_have: None,
        }
    }

    #[test]
    fn a_ground_names_operations_statement_and_place_and_one_statement_once() {
        let held = [(3, 4), (8, 9)].map(|range| (GrantIx(2), move || OpSet::from_ranges([range])));
        let ground = Ground::of_grants("log_tamper", held, &Toy::default()).unwrap();
        assert_eq!(&*ground.by, "op:03, op:08 by policy statement 2 at toy.json");
        assert_eq!(ground.places, [Evidence::whole("toy.json")]);
        let nothing = std::iter::empty::<(GrantIx, fn() -> OpSet)>();
        assert_eq!(Ground::of_grants("log_tamper", nothing, &Toy::default()), None);
    }

    #[test]
    fn of_very_much_the_beginning_is_named_and_that_there_is_more_is_said() {
        let held = (0..9).map(|at| (GrantIx(at), || OpSet::from_ranges([(0, 9)])));
        let ground = Ground::of_grants("admin", held, &Toy::default()).unwrap();
        assert!(ground.by.starts_with("op:00, op:01, op:02, op:03, op:04 and 4 more by policy"), "{}", ground.by);
        assert!(ground.by.ends_with("policy statement 4 at toy.json; and more"), "{}", ground.by);
    }

    #[test]
    fn logs_are_told_with_what_they_do_and_one_that_may_be_off_may_record_nothing() {
        let log = |enabled, covers_agents| Log {
            scope: "s".into(),
            provider: TOY,
            name: "main".into(),
            enabled,
            covers_agents,
            retention_days: Fact::Unknown,
            tamper_protected: Fact::Unknown,
            evidence: Evidence::whole("trails.json"),
        };
        for (enabled, covers_agents, expected) in [
            (Fact::Known(true), Fact::Known(true), ["is on", "records what agents do"]),
            (Fact::Known(true), Fact::Known(false), ["is on", "does not record what agents do"]),
            (Fact::Known(true), Fact::Unknown, ["is on", "may record what agents do or not"]),
            (Fact::Known(false), Fact::Known(true), ["is off", "is off"]),
            (Fact::Known(false), Fact::Unknown, ["is off", "is off"]),
            (Fact::Unknown, Fact::Known(true), ["may be on or off", "may record what agents do or not"]),
            (Fact::Unknown, Fact::Known(false), ["may be on or off", "does not record what agents do"]),
        ] {
            let logs = [log(enabled, covers_agents)];
            let of_scopes = super::logs(&logs);
            let told: Vec<&str> = of_scopes.values().flatten().map(|ground| &*ground.by).collect();
            assert_eq!(told, expected.map(|words| format!("main {words} at trails.json")));
        }
    }

    #[test]
    fn each_kind_of_control_is_told_by_itself_with_what_it_stands_before_and_where_it_is_set() {
        let control = |control| ControlComparison {
            control,
            operations: vec!["a:Put".into()],
            count: 3,
            resource: "*".into(),
            human: Truth::Yes,
            identity: Truth::No,
            way: None,
            reason: "".into(),
            evidence: vec![Evidence::whole("rule.json")],
        };
        let both = [control(ControlKind::Mfa), control(ControlKind::ChangeGate)];
        let told: Vec<_> = controls(&both, &all())
            .into_iter()
            .map(|ground| (ground.column, ground.control, ground.by.to_string()))
            .collect();
        let expected = [ControlKind::ChangeGate, ControlKind::Mfa].map(|kind| {
            let words = format!("{} before a:Put and 2 more on * at rule.json", kind.as_str());
            ("control_gap_list", Some(kind), words)
        });
        assert_eq!(told, expected);
        assert_eq!(controls(&both, &BTreeSet::from(["open_control_gap_list"])), [], "nobody reads of them");
    }

    #[test]
    fn a_step_is_told_by_its_technique_and_a_trust_tells_it_itself() {
        let trust = Grant { policy: "uses-tool of the agent".into(), statement: None, name: "".into(), ..grant(2) };
        let statement = grant(1);
        let ground = Ground::of_steps([("uses-tool", &trust), ("create-pods", &statement)]).unwrap();
        let expected = "uses-tool of the agent at toy.json#/2; create-pods by policy statement 1 (Main) at toy.json#/1";
        assert_eq!(&*ground.by, expected);
        assert_eq!(ground.places.len(), 2);
    }

    #[test]
    fn excess_names_the_heaviest_first_and_keeps_what_is_open_apart() {
        let atoms = [atom("a:Tag", 3, 0, true), atom("a:Pass", 13, 1, true), atom("a:Put", 5, 0, false)];
        let told: Vec<(&str, Arc<str>)> =
            excess(&atoms, &all()).into_iter().map(|ground| (ground.column, ground.by)).collect();
        let pass = "a:Pass by policy statement 13 (Main) at toy.json#/13";
        let expected = [
            ("excess_weight", format!("{pass}; a:Tag by policy statement 3 (Main) at toy.json#/3")),
            ("high_risk_excess", pass.to_owned()),
            ("undecided_operations", "a:Put by policy statement 5 (Main) at toy.json#/5".to_owned()),
        ];
        assert_eq!(told, expected.map(|(column, by)| (column, Arc::<str>::from(by))));
        assert_eq!(excess(&atoms, &BTreeSet::from(["admin"])), [], "nobody reads of it");
    }
}
