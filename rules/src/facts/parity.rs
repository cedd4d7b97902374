//! Rows that restate comparisons and paths: excess, controls, paths.

use std::fmt::Write as _;
use std::sync::Arc;

use evenhand_model::access::{Edge, EdgeTarget, Grant};
use evenhand_model::control::Way;
use evenhand_model::evidence::{Evidence, Place};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::Nature;
use evenhand_model::parity::{Comparison, ControlComparison, ExcessAtom};
use evenhand_model::table::Table;
use rayon::prelude::*;

use crate::facts::context::{Context, FastMap, int, location};
use crate::facts::identities::human_role;
use crate::facts::joined;
use crate::facts::places::Places;
use crate::facts::tables::{ControlRow, ExcessRow, PathRow};
use crate::facts::tabulate::tabulate;
use crate::paths::{Path, PathsResult};

/// The comparisons of AI identities with something to list, flattened.
fn flat<'a, T>(
    context: &Context<'a>,
    items: impl Fn(&'a Comparison) -> &'a [T],
) -> Vec<(&'a Comparison, Arc<str>, &'a T)> {
    let agents = context
        .input
        .comparisons
        .iter()
        .filter(|comparison| context.input.judgements.nature(&comparison.identity) == Nature::AiAgent);
    let mut flat = Vec::new();
    for comparison in agents {
        let role = human_role(comparison).unwrap_or_else(|| context.word(""));
        flat.extend(items(comparison).iter().map(|item| (comparison, Arc::clone(&role), item)));
    }
    flat
}

/// Statements as texts: one copy for all rows of one statement.
struct Grants {
    texts: Vec<(Arc<str>, Arc<str>)>,
    places: Vec<Vec<Evidence>>,
    /// For each row: its texts.
    of: Vec<u32>,
}

impl Grants {
    fn of<'g>(grants: impl ExactSizeIterator<Item = &'g Grant>) -> Self {
        // Atoms of one statement share its parts, so that addresses tell statements apart at less cost than texts.
        let address = |text: &Arc<str>| Arc::as_ptr(text).addr();
        let mut known: FastMap<_, u32> = FastMap::default();
        let mut distinct: Vec<&Grant> = Vec::new();
        let of = grants
            .map(|grant| {
                let place = match &grant.evidence.place {
                    Place::Pointer(pointer) | Place::Setting { pointer, .. } => (address(pointer), 0, 0),
                    Place::Line(line) => (0, *line, 0),
                    Place::LineColumn(line, column) => (0, *line, *column),
                    Place::Whole => (0, 0, 0),
                };
                let document = address(&grant.evidence.document);
                let key = (address(&grant.policy), grant.statement, address(&grant.name), document, place);
                *known.entry(key).or_insert_with(|| {
                    distinct.push(grant);
                    u32::try_from(distinct.len() - 1).unwrap_or(u32::MAX)
                })
            })
            .collect();
        let (texts, places) = rayon::join(
            || distinct.par_iter().map(|grant| (grant.to_string().into(), location(&grant.evidence))).collect(),
            || distinct.iter().map(|grant| vec![grant.evidence.clone()]).collect(),
        );
        Self { texts, places, of }
    }

    /// The statement of a row, and where it stands.
    fn texts(&self, row: usize) -> Option<(Arc<str>, Arc<str>)> {
        self.texts.get(*self.of.get(row)? as usize).cloned()
    }
}

pub(super) fn excess(context: &Context<'_>) -> (Table, Places) {
    let atoms: Vec<(&Comparison, Arc<str>, &ExcessAtom)> = flat(context, |comparison| &comparison.excess);
    let grants = Grants::of(atoms.iter().map(|(_, _, atom)| &*atom.grant));
    let table = tabulate(atoms.len(), |at| {
        let (comparison, role, atom) = atoms.get(at)?;
        let (granted_by, location) = grants.texts(at)?;
        Some(ExcessRow {
            identity: comparison.identity.shared(),
            human_role: Arc::clone(role),
            operation: Arc::clone(&atom.operation),
            operations: i64::from(atom.operations),
            access_level: context.word(atom.level.as_str()),
            scope: Arc::clone(&atom.scope),
            condition: Arc::clone(&atom.condition),
            weight: i64::from(atom.weight),
            high_risk: atom.high_risk > 0,
            used: atom.used,
            granted_by,
            location,
            decided: atom.decided,
            people_have: atom.people_have.clone().unwrap_or_else(|| context.word("")),
        })
    });
    (table, Places::Shared { places: grants.places, of: grants.of })
}

pub(super) fn controls(context: &Context<'_>) -> (Table, Places) {
    let compared = flat(context, |comparison| &comparison.controls).into_iter();
    let compared = compared.map(|(comparison, role, control)| {
        let operation = sensitive(control);
        (&comparison.identity, role, control, operation)
    });
    let at_gates = context.input.gates.iter().map(|gate| {
        let operation = match gate.stands_before.as_slice() {
            [] => sensitive(&gate.control),
            before => names(before),
        };
        (&gate.identity, gate.human_role.shared(), &gate.control, operation)
    });
    let controls: Vec<(&IdentityId, Arc<str>, &ControlComparison, Arc<str>)> = compared.chain(at_gates).collect();
    let table = tabulate(controls.len(), |at| {
        let (identity, role, control, operation) = controls.get(at)?;
        Some(ControlRow {
            identity: identity.shared(),
            nature: context.nature(identity),
            human_role: Arc::clone(role),
            operation: Arc::clone(operation),
            resource: Arc::clone(&control.resource),
            control: context.word(control.control.as_str()),
            human_has: control.human.known(),
            identity_has: control.identity.known(),
            way: context.word(control.way.map_or("", Way::as_str)),
            reason: Arc::clone(&control.reason),
            location: control.evidence.first().map_or_else(|| context.word(""), location),
        })
    });
    let places = controls.iter().map(|(_, _, control, _)| control.evidence.clone()).collect();
    (table, Places::Shared { places, of: (0..u32::try_from(controls.len()).unwrap_or(u32::MAX)).collect() })
}

/// Operations that both hold: the first ones, and how many there are more.
fn sensitive(control: &ControlComparison) -> Arc<str> {
    let named = names(&control.operations);
    match (control.count as usize).saturating_sub(control.operations.len()) {
        0 => named,
        more => format!("{named} and {more} more").into(),
    }
}

fn names(operations: &[Arc<str>]) -> Arc<str> {
    joined(operations.iter().map(|operation| &**operation), ", ")
}

/// How paths are taken and what allows it: one copy for the paths of an identity that use the same techniques by the same
/// statements.
#[derive(Default)]
struct Proofs {
    techniques: Vec<Arc<str>>,
    statements: Vec<Arc<str>>,
    places: Vec<Vec<Evidence>>,
    /// For each path: its proof.
    of: Vec<u32>,
}

impl Proofs {
    fn of(found: &PathsResult) -> Self {
        let paths = found.paths.as_slice();
        let groups: Vec<&[Path]> = paths.chunk_by(|a, b| a.identity == b.identity).collect();
        let each: Vec<Self> = groups.par_iter().map(|paths| Self::of_identity(found, paths)).collect();
        let mut all = Self { of: Vec::with_capacity(paths.len()), ..Self::default() };
        for mut proofs in each {
            let before = all.places.len();
            all.of.extend(proofs.of.iter().map(|at| u32::try_from(before + *at as usize).unwrap_or(u32::MAX)));
            all.techniques.append(&mut proofs.techniques);
            all.statements.append(&mut proofs.statements);
            all.places.append(&mut proofs.places);
        }
        all
    }

    fn of_identity(found: &PathsResult, paths: &[Path]) -> Self {
        let mut proofs = Self::default();
        let mut first: Vec<&Path> = Vec::new();
        for path in paths {
            let at = first.iter().position(|held| found.taken_alike(held, path)).unwrap_or_else(|| {
                first.push(path);
                proofs.add(found, path);
                first.len() - 1
            });
            proofs.of.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        proofs
    }

    fn add(&mut self, found: &PathsResult, path: &Path) {
        let mut text = String::new();
        let mut places = Vec::new();
        let hops: Vec<Edge> = found.hops(path).collect();
        for grant in hops.iter().flat_map(|hop| &*hop.grants) {
            let _ = write!(text, "{}{grant}", if text.is_empty() { "" } else { "; " });
            if !places.contains(&grant.evidence) {
                places.push(grant.evidence.clone());
            }
        }
        self.techniques.push(match hops.as_slice() {
            [hop] => Arc::clone(&hop.technique),
            _ => joined(hops.iter().map(|hop| &*hop.technique), " > "),
        });
        self.statements.push(text.into());
        self.places.push(places);
    }
}

pub(super) fn paths(context: &Context<'_>) -> (Table, Places) {
    let paths = &context.input.paths.paths;
    let proofs = Proofs::of(context.input.paths);
    let table = tabulate(paths.len(), |at| {
        let path = paths.get(at)?;
        let proof = *proofs.of.get(at)? as usize;
        Some(PathRow {
            identity: path.identity.shared(),
            nature: context.nature(&path.identity),
            target: target(&path.target),
            hops: int(path.len()),
            techniques: Arc::clone(proofs.techniques.get(proof)?),
            escalation: path.escalates,
            conditional: path.conditional,
            crosses_provider: path.crosses_provider,
            reaches_admin: path.reaches_admin,
            evidence: Arc::clone(proofs.statements.get(proof)?),
            through: match path.len() {
                1 => context.word(""),
                _ => joined(context.input.paths.through(path).map(|identity| identity.as_str()), " > "),
            },
            first_nature: match (context.input.paths.through(path).next(), &path.target) {
                (Some(first), _) | (None, EdgeTarget::Identity(first)) => context.nature(first),
                (None, EdgeTarget::Admin(_)) => context.word(""),
            },
        })
    });
    (table, Places::Shared { places: proofs.places, of: proofs.of })
}

/// The end of a path, in words.
pub(super) fn target(target: &EdgeTarget) -> Arc<str> {
    match target {
        EdgeTarget::Identity(identity) => identity.shared(),
        EdgeTarget::Admin(scope) => joined(["admin of", scope.as_str()], " "),
    }
}
