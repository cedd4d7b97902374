//! Rows that restate comparisons and paths: excess, controls, paths.

use std::sync::Arc;

use evenhand_model::access::{EdgeTarget, Grant};
use evenhand_model::control::Way;
use evenhand_model::evidence::{Evidence, Place};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::Nature;
use evenhand_model::parity::{Comparison, ControlComparison, ExcessAtom};
use evenhand_model::table::Table;
use rayon::prelude::*;

use crate::facts::context::{Context, FastMap, int};
use crate::facts::identities::human_role;
use crate::facts::places::Places;
use crate::facts::tables::{ControlRow, ExcessRow, PathRow};
use crate::facts::tabulate::tabulate;
use crate::facts::words::Words;
use crate::paths::{Path, PathsResult};

/// The comparisons of AI identities, and the ids of their human roles; empty where there is no baseline.
fn agents<'a>(context: &Context<'a>) -> Vec<(&'a Comparison, Arc<str>)> {
    let none: Arc<str> = "".into();
    let agents = context
        .input
        .comparisons
        .iter()
        .filter(|comparison| context.input.judgements.nature(&comparison.identity) == Nature::AiAgent);
    agents.map(|comparison| (comparison, human_role(comparison).unwrap_or_else(|| Arc::clone(&none)))).collect()
}

/// The items of all comparisons, each with the place of its comparison in the list.
fn flat<'a, T>(agents: &[(&'a Comparison, Arc<str>)], items: impl Fn(&'a Comparison) -> &'a [T]) -> Vec<(u32, &'a T)> {
    let mut flat = Vec::with_capacity(agents.iter().map(|(comparison, _)| items(comparison).len()).sum());
    for (at, (comparison, _)) in (0..).zip(agents) {
        flat.extend(items(comparison).iter().map(|item| (at, item)));
    }
    flat
}

/// What tells a statement from others: addresses, as atoms of one statement share its parts, and these cost less than texts.
type StatementKey = (usize, Option<u32>, usize, usize, (usize, u32, u32));

fn key(grant: &Grant) -> StatementKey {
    let address = |text: &Arc<str>| Arc::as_ptr(text).addr();
    let place = match &grant.evidence.place {
        Place::Pointer(pointer) | Place::Setting { pointer, .. } => (address(pointer), 0, 0),
        Place::Line(line) => (0, *line, 0),
        Place::LineColumn(line, column) => (0, *line, *column),
        Place::Whole => (0, 0, 0),
    };
    let document = address(&grant.evidence.document);
    (address(&grant.policy), grant.statement, address(&grant.name), document, place)
}

/// Statements, each once, in the order in which they were met.
#[derive(Default)]
struct Distinct<'g> {
    known: FastMap<StatementKey, u32>,
    grants: Vec<&'g Grant>,
}

impl<'g> Distinct<'g> {
    fn number(&mut self, grant: &'g Grant) -> u32 {
        *self.known.entry(key(grant)).or_insert_with(|| {
            self.grants.push(grant);
            u32::try_from(self.grants.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

/// Statements as texts: one copy for all rows of one statement.
struct Grants {
    texts: Vec<(Arc<str>, Arc<str>)>,
    places: Vec<Evidence>,
    /// For each row: its texts.
    of: Vec<u32>,
}

impl Grants {
    /// Rows that one core numbers one after the other.
    const CHUNK: usize = 8192;

    fn of<'g, T: Sync>(rows: &'g [T], grant: impl Fn(&'g T) -> &'g Grant + Sync) -> Self {
        let chunks: Vec<(Distinct<'g>, Vec<u32>)> = rows
            .par_chunks(Self::CHUNK)
            .map(|rows| {
                let mut distinct = Distinct::default();
                let of: Vec<u32> = rows.iter().map(|row| distinct.number(grant(row))).collect();
                (distinct, of)
            })
            .collect();
        let mut distinct = Distinct::default();
        let mut all = Vec::with_capacity(rows.len());
        for (part, of) in chunks {
            let numbers: Vec<u32> = part.grants.into_iter().map(|grant| distinct.number(grant)).collect();
            all.extend(of.into_iter().map(|at| numbers.get(at as usize).copied().unwrap_or(u32::MAX)));
        }
        let grants = distinct.grants;
        let texts = grants
            .par_iter()
            .map_init(Words::default, |words, grant| (words.text(grant), words.location(&grant.evidence)));
        let places = grants.par_iter().map(|grant| grant.evidence.clone());
        Self { texts: texts.collect(), places: places.collect(), of: all }
    }

    /// The statement of a row, and where it stands.
    fn texts(&self, row: usize) -> Option<(Arc<str>, Arc<str>)> {
        self.texts.get(*self.of.get(row)? as usize).cloned()
    }
}

pub(super) fn excess(context: &Context<'_>) -> (Table, Places) {
    let agents = agents(context);
    let atoms: Vec<(u32, &ExcessAtom)> = flat(&agents, |comparison| &comparison.excess);
    let grants = Grants::of(&atoms, |(_, atom)| &atom.grant);
    let table = tabulate(atoms.len(), |at, words| {
        let (agent, atom) = atoms.get(at)?;
        let (comparison, role) = agents.get(*agent as usize)?;
        let (granted_by, location) = grants.texts(at)?;
        Some(ExcessRow {
            identity: comparison.identity.shared(),
            human_role: Arc::clone(role),
            operation: Arc::clone(&atom.operation),
            operations: i64::from(atom.operations),
            access_level: words.word(atom.level.as_str()),
            scope: Arc::clone(&atom.scope),
            condition: Arc::clone(&atom.condition),
            weight: i64::from(atom.weight),
            high_risk: atom.high_risk > 0,
            used: atom.used,
            granted_by,
            location,
            decided: atom.decided,
            people_have: atom.people_have.clone().unwrap_or_else(|| words.word("")),
        })
    });
    (table, Places::Same { places: grants.places, of: grants.of })
}

pub(super) fn controls(context: &Context<'_>) -> (Table, Places) {
    let agents = agents(context);
    let compared = flat(&agents, |comparison| &comparison.controls).into_iter().filter_map(|(agent, control)| {
        let (comparison, role) = agents.get(agent as usize)?;
        Some((&comparison.identity, Arc::clone(role), control, sensitive(control)))
    });
    let at_gates = context.input.gates.iter().map(|gate| {
        let operation = match gate.stands_before.as_slice() {
            [] => sensitive(&gate.control),
            before => names(before),
        };
        (&gate.identity, gate.human_role.shared(), &gate.control, operation)
    });
    let controls: Vec<(&IdentityId, Arc<str>, &ControlComparison, Arc<str>)> = compared.chain(at_gates).collect();
    let table = tabulate(controls.len(), |at, words| {
        let (identity, role, control, operation) = controls.get(at)?;
        Some(ControlRow {
            identity: identity.shared(),
            nature: words.word(context.nature(identity)),
            human_role: Arc::clone(role),
            operation: Arc::clone(operation),
            resource: Arc::clone(&control.resource),
            control: words.word(control.control.as_str()),
            human_has: control.human.known(),
            identity_has: control.identity.known(),
            way: words.word(control.way.map_or("", Way::as_str)),
            reason: Arc::clone(&control.reason),
            location: match control.evidence.first() {
                Some(evidence) => words.location(evidence),
                None => words.word(""),
            },
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
    operations.join(", ").into()
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
    /// For each path: the nature of who starts.
    natures: Vec<Nature>,
}

impl Proofs {
    /// Identities whose paths one core goes through one after the other.
    const CHUNK: usize = 256;

    fn of(context: &Context<'_>) -> Self {
        let found = context.input.paths;
        let paths = found.paths.as_slice();
        let groups: Vec<&[Path]> = paths.chunk_by(|a, b| a.identity == b.identity).collect();
        let parts: Vec<Self> = groups
            .par_chunks(Self::CHUNK)
            .map(|groups| {
                let (mut proofs, mut words) = (Self::default(), Words::default());
                for paths in groups {
                    proofs.add_identity(context, paths, &mut words);
                }
                proofs
            })
            .collect();
        let mut all = Self { of: Vec::with_capacity(paths.len()), ..Self::default() };
        for mut proofs in parts {
            let before = all.places.len();
            all.of.extend(proofs.of.iter().map(|at| u32::try_from(before + *at as usize).unwrap_or(u32::MAX)));
            all.natures.append(&mut proofs.natures);
            all.techniques.append(&mut proofs.techniques);
            all.statements.append(&mut proofs.statements);
            all.places.append(&mut proofs.places);
        }
        all
    }

    fn add_identity(&mut self, context: &Context<'_>, paths: &[Path], words: &mut Words) {
        let Some(first) = paths.first() else { return };
        let nature = context.input.judgements.nature(&first.identity);
        self.natures.resize(self.natures.len() + paths.len(), nature);
        let (found, before) = (context.input.paths, self.places.len());
        let mut apart: Vec<&Path> = Vec::new();
        for path in paths {
            let at = apart.iter().position(|held| found.taken_alike(held, path)).unwrap_or_else(|| {
                apart.push(path);
                self.add(found, path, words);
                apart.len() - 1
            });
            self.of.push(u32::try_from(before + at).unwrap_or(u32::MAX));
        }
    }

    fn add(&mut self, found: &PathsResult, path: &Path, words: &mut Words) {
        let steps = found.steps();
        let grants = || found.taken(path).filter_map(|step| steps.granted(step)).flat_map(|grants| &**grants);
        let mut places = Vec::new();
        for grant in grants() {
            if !places.contains(&grant.evidence) {
                places.push(grant.evidence.clone());
            }
        }
        let mut techniques = found.taken(path).filter_map(|step| steps.technique(step));
        self.techniques.push(match (path.len(), techniques.next()) {
            (1, Some(technique)) => Arc::clone(technique),
            (_, first) => words.joined(first.into_iter().chain(techniques).map(|technique| &**technique), " > "),
        });
        self.statements.push(words.list(grants(), "; "));
        self.places.push(places);
    }
}

pub(super) fn paths(context: &Context<'_>) -> (Table, Places) {
    let (found, paths) = (context.input.paths, &context.input.paths.paths);
    let proofs = Proofs::of(context);
    let table = tabulate(paths.len(), |at, words| {
        let path = paths.get(at)?;
        let proof = *proofs.of.get(at)? as usize;
        Some(PathRow {
            identity: path.identity.shared(),
            nature: words.word(proofs.natures.get(at)?.as_str()),
            target: words.target(&path.target),
            hops: int(path.len()),
            techniques: Arc::clone(proofs.techniques.get(proof)?),
            escalation: path.escalates,
            conditional: path.conditional,
            crosses_provider: path.crosses_provider,
            reaches_admin: path.reaches_admin,
            evidence: Arc::clone(proofs.statements.get(proof)?),
            through: words.joined(found.through(path).map(IdentityId::as_str), " > "),
            first_nature: words.word(match (found.through(path).next(), &path.target) {
                (Some(first), _) | (None, EdgeTarget::Identity(first)) => context.nature(first),
                (None, EdgeTarget::Admin(_)) => "",
            }),
        })
    });
    (table, Places::Shared { places: proofs.places, of: proofs.of })
}
