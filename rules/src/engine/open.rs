//! Why a predicate is NULL for a row: the columns whose values would have decided it.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::evidence::Truth;
use evenhand_model::finding::Missing;
use evenhand_model::gap::{Gap, Subject};
use evenhand_model::table::{Table, TableSpec, Value};
use polars::prelude::{BooleanChunked, BooleanFunction, Expr, FunctionExpr, Operator};

use crate::engine::compile::columns;
use crate::engine::finding::for_people;
use crate::engine::knowledge::{about, how, null_means, plain, remedy_of};

/// The connectives of a predicate; whatever stands below them is a leaf.
#[derive(Debug)]
enum Node {
    /// `AND`.
    All(Vec<Node>),
    /// `OR`.
    Any(Vec<Node>),
    /// `NOT`.
    Not(Box<Node>),
    /// `CASE WHEN`.
    Case(Box<[Node; 3]>),
    /// A comparison, a column, a literal: its number among the leaves.
    Leaf(usize),
}

/// A predicate as a tree whose leaves are evaluated one by one.
#[derive(Debug)]
pub(crate) struct Question {
    root: Node,
    leaves: Vec<Leaf>,
}

#[derive(Debug)]
struct Leaf {
    expr: Expr,
    columns: Vec<String>,
}

/// A column that a row's verdict waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cited {
    /// Its position in the table.
    pub(crate) column: usize,
    /// Its value, where that is known and leaves the verdict open all the same; `None` = NULL.
    pub(crate) value: Option<String>,
}

/// What is said of a row that waits for some columns.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) missing: Arc<[Missing]>,
    /// What is not known, in one line.
    pub(crate) what: String,
    /// What would bring it.
    pub(crate) remedy: Arc<str>,
}

impl Said {
    /// `doubts`: why what the identity may do is not known for certain. `gaps`: of the row's scope.
    pub(crate) fn new(table: &TableSpec, cited: &[Cited], doubts: &[Arc<str>], gaps: &[&Gap]) -> Self {
        let mut missing = Vec::with_capacity(cited.len());
        let mut subjects: BTreeSet<Subject> = BTreeSet::new();
        for cited in cited {
            let Some(spec) = table.columns.get(cited.column) else { continue };
            let subject = about(table.name, spec.name);
            subjects.extend(subject);
            let by_doubt = matches!(subject, Some(Subject::Access | Subject::Escalation | Subject::Controls))
                .then(|| several(doubts))
                .flatten();
            missing.push(Missing {
                column: spec.name.into(),
                what: match &cited.value {
                    None => plain(spec).into(),
                    Some(value) => format!("{} ({value} as far as was read)", plain(spec)).into(),
                },
                because: by_doubt.or_else(|| null_means(spec).filter(|_| cited.value.is_none())),
            });
        }
        let lines: Vec<String> = missing
            .iter()
            .map(|missing| match &missing.because {
                Some(because) => format!("{} ({because})", missing.what),
                None => missing.what.to_string(),
            })
            .collect();
        Self { what: lines.join(" and "), remedy: remedy(&subjects, gaps).into(), missing: missing.into() }
    }
}

/// The first doubts, in a line.
fn several(doubts: &[Arc<str>]) -> Option<Arc<str>> {
    match doubts {
        [] => None,
        [one] => Some(Arc::clone(one)),
        [one, rest @ ..] => Some(format!("{one}, and {} more", rest.len()).into()),
    }
}

/// What would bring what is missing: the calls and documents of the gaps that speak of it, else a general advice.
fn remedy(subjects: &BTreeSet<Subject>, gaps: &[&Gap]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for subject in subjects {
        let told: Vec<&Gap> = gaps.iter().copied().filter(|gap| gap.is_about(*subject)).collect();
        if told.is_empty() {
            lines.push(how(*subject).to_owned());
        }
        for gap in told {
            let line = remedy_of(gap);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    match lines.as_slice() {
        [] => "Read the row at its place: the rule itself leaves it open.".to_owned(),
        [one] => format!("To know it: {one}."),
        several => {
            let steps: Vec<String> = several.iter().map(|line| format!("- {line}.")).collect();
            format!("To know it, whichever of these tells.\n{}", steps.join("\n"))
        }
    }
}

impl Question {
    pub(crate) fn new(predicate: &Expr) -> Self {
        let mut leaves = Vec::new();
        let root = node(predicate, &mut leaves);
        Self { root, leaves }
    }

    /// The conditions whose values tell which columns decide; none where there is only the predicate as a whole.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Expr> {
        self.leaves.iter().filter(|_| self.leaves.len() > 1).map(|leaf| &leaf.expr)
    }

    /// The columns that a row waits for, in the table's order. `values`: of the conditions, over all rows of the table.
    pub(crate) fn cited(&self, table: &Table, row: usize, values: &[BooleanChunked]) -> Vec<Cited> {
        let truths: Vec<Truth> = (0..self.leaves.len())
            .map(|leaf| match values.get(leaf).and_then(|values| values.get(row)) {
                Some(value) => Truth::from(value),
                // A lone leaf is the predicate, which is NULL.
                None => Truth::Unknown,
            })
            .collect();
        let mut names = Vec::new();
        self.open(&self.root, &truths, table, row, &mut names);
        if names.is_empty() {
            // A NULL that stands in the predicate itself: all that it looks at led there.
            names.extend(self.leaves.iter().flat_map(|leaf| leaf.columns.iter().map(String::as_str)));
        }
        let mut cited: Vec<Cited> = table
            .spec
            .columns
            .iter()
            .enumerate()
            .filter(|(_, spec)| names.contains(&spec.name))
            .map(|(column, spec)| {
                let value = table.value(row, spec.name);
                Cited { column, value: (value != Value::Null).then(|| for_people(&value)) }
            })
            .collect();
        // Where something is not known, what is known decides nothing.
        if cited.iter().any(|cited| cited.value.is_none()) {
            cited.retain(|cited| cited.value.is_none());
        }
        cited
    }

    /// Names the columns by which an unknown node is unknown.
    fn open<'q>(&'q self, node: &Node, truths: &[Truth], table: &Table, row: usize, names: &mut Vec<&'q str>) {
        let unknown = |node: &&Node| truth(node, truths) == Truth::Unknown;
        match node {
            Node::All(nodes) | Node::Any(nodes) => {
                for node in nodes.iter().filter(unknown) {
                    match node {
                        // `… AND NULL`: what stands beside it says when nothing more can be said.
                        Node::Leaf(at) if self.leaves.get(*at).is_none_or(|leaf| leaf.columns.is_empty()) => {
                            nodes.iter().filter(|node| !unknown(node)).for_each(|node| self.read(node, names));
                        }
                        node => self.open(node, truths, table, row, names),
                    }
                }
            }
            Node::Not(node) => self.open(node, truths, table, row, names),
            Node::Case(nodes) => {
                let before = names.len();
                let [when, ..] = &**nodes;
                if unknown(&when) {
                    self.open(when, truths, table, row, names);
                }
                self.open(branch(nodes, truths), truths, table, row, names);
                if names.len() == before {
                    self.read(when, names);
                }
            }
            Node::Leaf(at) => {
                let Some(leaf) = self.leaves.get(*at) else { return };
                let missing = |name: &&str| table.value(row, name) == Value::Null;
                let before = names.len();
                names.extend(leaf.columns.iter().map(String::as_str).filter(missing));
                if names.len() == before {
                    names.extend(leaf.columns.iter().map(String::as_str));
                }
            }
        }
    }

    /// Names all columns below a node.
    fn read<'q>(&'q self, node: &Node, names: &mut Vec<&'q str>) {
        match node {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| self.read(node, names)),
            Node::Not(node) => self.read(node, names),
            Node::Case(nodes) => nodes.iter().for_each(|node| self.read(node, names)),
            Node::Leaf(at) => {
                names.extend(self.leaves.get(*at).iter().flat_map(|leaf| leaf.columns.iter().map(String::as_str)));
            }
        }
    }
}

fn truth(node: &Node, truths: &[Truth]) -> Truth {
    match node {
        Node::All(nodes) => nodes.iter().fold(Truth::Yes, |all, node| all.and(truth(node, truths))),
        Node::Any(nodes) => nodes.iter().fold(Truth::No, |any, node| any.or(truth(node, truths))),
        Node::Not(node) => truth(node, truths).not(),
        Node::Case(nodes) => truth(branch(nodes, truths), truths),
        Node::Leaf(at) => truths.get(*at).copied().unwrap_or(Truth::Unknown),
    }
}

/// The branch of a `CASE` that is taken: where the condition is not known to hold, the second.
fn branch<'n>(nodes: &'n [Node; 3], truths: &[Truth]) -> &'n Node {
    let [when, then, otherwise] = nodes;
    if truth(when, truths) == Truth::Yes { then } else { otherwise }
}

fn node(expr: &Expr, leaves: &mut Vec<Leaf>) -> Node {
    match expr {
        Expr::BinaryExpr { left, op: Operator::And | Operator::LogicalAnd, right } => {
            Node::All(vec![node(left, leaves), node(right, leaves)])
        }
        Expr::BinaryExpr { left, op: Operator::Or | Operator::LogicalOr, right } => {
            Node::Any(vec![node(left, leaves), node(right, leaves)])
        }
        Expr::Function { input, function: FunctionExpr::Boolean(BooleanFunction::Not) } => match input.first() {
            Some(input) => Node::Not(Box::new(node(input, leaves))),
            None => leaf(expr, leaves),
        },
        Expr::Ternary { predicate, truthy, falsy } => {
            let when = node(predicate, leaves);
            let then = node(truthy, leaves);
            Node::Case(Box::new([when, then, node(falsy, leaves)]))
        }
        _ => leaf(expr, leaves),
    }
}

fn leaf(expr: &Expr, leaves: &mut Vec<Leaf>) -> Node {
    leaves.push(Leaf { expr: expr.clone(), columns: columns(expr) });
    Node::Leaf(leaves.len() - 1)
}
