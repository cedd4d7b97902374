//! Why a predicate is NULL for a row: the columns whose values would have decided it.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::evidence::Truth;
use evenhand_model::finding::Missing;
use evenhand_model::gap::{Gap, Subject, to_know};
use evenhand_model::table::{Table, TableSpec};
use polars::prelude::{BooleanFunction, Expr, FunctionExpr, Operator};

use crate::engine::compile::columns;
use crate::engine::finding::for_people;
use crate::engine::knowledge::{about, how, null_means, plain};

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
    /// Their positions in the table.
    columns: Vec<usize>,
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
            let line = gap.remedy();
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    if lines.is_empty() {
        lines.push("read the row at its place, for the rule itself leaves it open".to_owned());
    }
    to_know(&lines)
}

impl Question {
    pub(crate) fn new(predicate: &Expr, table: &TableSpec) -> Self {
        let mut leaves = Vec::new();
        let root = node(predicate, table, &mut leaves);
        Self { root, leaves }
    }

    /// The conditions whose values tell which columns decide; none where there is only the predicate as a whole.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Expr> {
        self.leaves.iter().filter(|_| self.leaves.len() > 1).map(|leaf| &leaf.expr)
    }

    /// The columns that a row waits for, in the table's order. `value`: of a condition, by its number, for this row.
    pub(crate) fn cited(&self, table: &Table, row: usize, value: impl Fn(usize) -> Option<bool>) -> Vec<Cited> {
        // A lone leaf is the predicate, which is NULL.
        let truths: Vec<Truth> =
            (0..self.leaves.len()).map(|leaf| value(leaf).map_or(Truth::Unknown, Truth::from)).collect();
        let mut columns = Vec::new();
        self.open(&self.root, &truths, table, row, &mut columns);
        if columns.is_empty() {
            // A NULL that stands in the predicate itself: all that it looks at led there.
            columns.extend(self.leaves.iter().flat_map(|leaf| &leaf.columns));
        }
        columns.sort_unstable();
        columns.dedup();
        // Where something is not known, what is known decides nothing.
        if columns.iter().any(|column| is_null(table, *column, row)) {
            columns.retain(|column| is_null(table, *column, row));
        }
        let cited = |column: usize| {
            let known = table.columns.get(column).filter(|held| !held.is_null(row));
            Cited { column, value: known.map(|held| for_people(held, row)) }
        };
        columns.into_iter().map(cited).collect()
    }

    /// Adds the columns by which an unknown node is unknown.
    fn open(&self, node: &Node, truths: &[Truth], table: &Table, row: usize, columns: &mut Vec<usize>) {
        let unknown = |node: &&Node| truth(node, truths) == Truth::Unknown;
        match node {
            Node::All(nodes) | Node::Any(nodes) => {
                for node in nodes.iter().filter(unknown) {
                    match node {
                        // `… AND NULL`: what stands beside it says when nothing more can be said.
                        Node::Leaf(at) if self.leaves.get(*at).is_none_or(|leaf| leaf.columns.is_empty()) => {
                            nodes.iter().filter(|node| !unknown(node)).for_each(|node| self.read(node, columns));
                        }
                        node => self.open(node, truths, table, row, columns),
                    }
                }
            }
            Node::Not(node) => self.open(node, truths, table, row, columns),
            Node::Case(nodes) => {
                let before = columns.len();
                let [when, ..] = &**nodes;
                if unknown(&when) {
                    self.open(when, truths, table, row, columns);
                }
                self.open(branch(nodes, truths), truths, table, row, columns);
                if columns.len() == before {
                    self.read(when, columns);
                }
            }
            Node::Leaf(at) => {
                let Some(leaf) = self.leaves.get(*at) else { return };
                let before = columns.len();
                columns.extend(leaf.columns.iter().filter(|column| is_null(table, **column, row)));
                if columns.len() == before {
                    columns.extend(&leaf.columns);
                }
            }
        }
    }

    /// Adds all columns below a node.
    fn read(&self, node: &Node, columns: &mut Vec<usize>) {
        match node {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| self.read(node, columns)),
            Node::Not(node) => self.read(node, columns),
            Node::Case(nodes) => nodes.iter().for_each(|node| self.read(node, columns)),
            Node::Leaf(at) => columns.extend(self.leaves.get(*at).iter().flat_map(|leaf| &leaf.columns)),
        }
    }
}

fn is_null(table: &Table, column: usize, row: usize) -> bool {
    table.columns.get(column).is_none_or(|column| column.is_null(row))
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

fn node(expr: &Expr, table: &TableSpec, leaves: &mut Vec<Leaf>) -> Node {
    match expr {
        Expr::BinaryExpr { left, op: Operator::And | Operator::LogicalAnd, right } => {
            Node::All(vec![node(left, table, leaves), node(right, table, leaves)])
        }
        Expr::BinaryExpr { left, op: Operator::Or | Operator::LogicalOr, right } => {
            Node::Any(vec![node(left, table, leaves), node(right, table, leaves)])
        }
        Expr::Function { input, function: FunctionExpr::Boolean(BooleanFunction::Not) } => match input.first() {
            Some(input) => Node::Not(Box::new(node(input, table, leaves))),
            None => leaf(expr, table, leaves),
        },
        Expr::Ternary { predicate, truthy, falsy } => {
            let when = node(predicate, table, leaves);
            let then = node(truthy, table, leaves);
            Node::Case(Box::new([when, then, node(falsy, table, leaves)]))
        }
        _ => leaf(expr, table, leaves),
    }
}

fn leaf(expr: &Expr, table: &TableSpec, leaves: &mut Vec<Leaf>) -> Node {
    let position = |name: &String| table.columns.iter().position(|column| column.name == name.as_str());
    leaves.push(Leaf { expr: expr.clone(), columns: columns(expr).iter().filter_map(position).collect() });
    Node::Leaf(leaves.len() - 1)
}
