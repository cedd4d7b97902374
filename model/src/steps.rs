//! Steps to more access in bulk: who takes them, where they lead, by which technique and statements, each held once.
//!
//! There are many more steps than identities. As numbers they cost a few bytes each, and whoever orders or follows them
//! compares numbers; a single one is spelled out as an [`Edge`] where somebody wants to read it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::access::{Edge, EdgeTarget, Grant};
use crate::id::{IdentityId, ScopeId};

/// Where a step leads, by number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum End {
    /// To another identity.
    Identity(u32),
    /// To full control of a scope.
    Admin(u32),
}

/// A step, all of it by number: see [`Steps`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Who takes it.
    pub source: u32,
    /// Where it leads.
    pub target: End,
    /// The statements that allow it.
    pub grants: u32,
    /// The technique.
    pub technique: u16,
    /// As [`Edge::escalation`].
    pub escalation: bool,
    /// As [`Edge::conditional`].
    pub conditional: bool,
}

/// Steps, and what their numbers mean: places in these lists. A step that names a place which is not there tells nothing
/// and is left out.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// Who takes steps and whom they lead to.
    pub identities: Vec<IdentityId>,
    /// What steps lead to full control of.
    pub scopes: Vec<ScopeId>,
    /// The ids of techniques.
    pub techniques: Vec<Arc<str>>,
    /// Statements: one list for all steps that rest on the same ones.
    pub grants: Vec<Arc<[Grant]>>,
    /// The steps.
    pub steps: Vec<Step>,
}

impl Steps {
    /// The number of steps.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Who takes a step.
    pub fn source(&self, step: &Step) -> Option<&IdentityId> {
        self.identities.get(step.source as usize)
    }

    /// The technique of a step.
    pub fn technique(&self, step: &Step) -> Option<&Arc<str>> {
        self.techniques.get(usize::from(step.technique))
    }

    /// The statements that allow a step.
    pub fn granted(&self, step: &Step) -> Option<&Arc<[Grant]>> {
        self.grants.get(step.grants as usize)
    }

    /// The identity that a step leads to; `None` where it leads to full control of a scope.
    pub fn leads_to(&self, step: &Step) -> Option<&IdentityId> {
        match step.target {
            End::Identity(number) => self.identities.get(number as usize),
            End::Admin(_) => None,
        }
    }

    /// A step by its place, spelled out.
    pub fn edge(&self, at: usize) -> Option<Edge> {
        let step = self.steps.get(at)?;
        Some(Edge {
            source: self.source(step)?.clone(),
            target: match step.target {
                End::Identity(number) => EdgeTarget::Identity(self.identities.get(number as usize)?.clone()),
                End::Admin(number) => EdgeTarget::Admin(self.scopes.get(number as usize)?.clone()),
            },
            technique: Arc::clone(self.technique(step)?),
            escalation: step.escalation,
            conditional: step.conditional,
            grants: Arc::clone(self.granted(step)?),
        })
    }

    /// All steps, spelled out.
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        (0..self.len()).filter_map(|at| self.edge(at))
    }

    /// Adds steps behind these, which keep their order.
    pub fn append(&mut self, mut more: Self) {
        if self.is_empty() {
            *self = more;
            return;
        }
        let (identities, scopes) = (number(self.identities.len()), number(self.scopes.len()));
        let (grants, techniques) = (number(self.grants.len()), narrow(self.techniques.len()));
        self.steps.reserve_exact(more.steps.len());
        self.steps.extend(more.steps.iter().map(|step| Step {
            source: step.source.saturating_add(identities),
            target: match step.target {
                End::Identity(at) => End::Identity(at.saturating_add(identities)),
                End::Admin(at) => End::Admin(at.saturating_add(scopes)),
            },
            grants: step.grants.saturating_add(grants),
            technique: step.technique.saturating_add(techniques),
            ..*step
        }));
        self.identities.append(&mut more.identities);
        self.scopes.append(&mut more.scopes);
        self.techniques.append(&mut more.techniques);
        self.grants.append(&mut more.grants);
    }
}

type Numbers<K> = HashMap<K, u32, foldhash::fast::FixedState>;

/// The same steps in the same order; lists of statements that edges share stay shared.
impl From<Vec<Edge>> for Steps {
    fn from(edges: Vec<Edge>) -> Self {
        let (mut identities, mut scopes) = (Numbers::<IdentityId>::default(), Numbers::<ScopeId>::default());
        let (mut techniques, mut grants) = (Numbers::<Arc<str>>::default(), Numbers::<*const Grant>::default());
        let mut steps = Self { steps: Vec::with_capacity(edges.len()), ..Self::default() };
        for edge in edges {
            let last = steps.steps.last().map(|step| step.source);
            let source = match last.filter(|last| steps.identities.get(*last as usize) == Some(&edge.source)) {
                Some(source) => source,
                None => place(&mut identities, &mut steps.identities, edge.source),
            };
            let target = match edge.target {
                EdgeTarget::Identity(id) => End::Identity(place(&mut identities, &mut steps.identities, id)),
                EdgeTarget::Admin(scope) => End::Admin(place(&mut scopes, &mut steps.scopes, scope)),
            };
            let technique = place(&mut techniques, &mut steps.techniques, edge.technique);
            // The list is held from here on, so that no other can come to stand at its address; empty ones may have none of
            // their own.
            let granted = match grants.get(&edge.grants.as_ptr()) {
                Some(held) if !edge.grants.is_empty() => *held,
                _ => {
                    let next = number(steps.grants.len());
                    grants.insert(edge.grants.as_ptr(), next);
                    steps.grants.push(edge.grants);
                    next
                }
            };
            steps.steps.push(Step {
                source,
                target,
                grants: granted,
                technique: u16::try_from(technique).unwrap_or(u16::MAX),
                escalation: edge.escalation,
                conditional: edge.conditional,
            });
        }
        steps
    }
}

fn place<K: Clone + Eq + std::hash::Hash>(numbers: &mut Numbers<K>, list: &mut Vec<K>, key: K) -> u32 {
    if let Some(held) = numbers.get(&key) {
        return *held;
    }
    let next = number(list.len());
    list.push(key.clone());
    numbers.insert(key, next);
    next
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn narrow(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(source: &str, target: EdgeTarget, technique: &str, grants: &Arc<[Grant]>) -> Edge {
        Edge {
            source: source.into(),
            target,
            technique: technique.into(),
            escalation: technique == "take",
            conditional: false,
            grants: Arc::clone(grants),
        }
    }

    fn some() -> Vec<Edge> {
        let grant = |policy: &str| -> Arc<[Grant]> {
            let evidence = crate::evidence::Evidence::whole("x");
            Arc::from([Grant { policy: policy.into(), statement: None, name: "".into(), evidence }])
        };
        let (one, two, none) = (grant("one"), grant("two"), Arc::from([]));
        vec![
            edge("a", EdgeTarget::Identity("b".into()), "take", &one),
            edge("a", EdgeTarget::Identity("c".into()), "be", &two),
            edge("a", EdgeTarget::Admin("s".into()), "take", &one),
            edge("c", EdgeTarget::Identity("b".into()), "be", &none),
            edge("c", EdgeTarget::Admin("t".into()), "be", &none),
        ]
    }

    #[test]
    fn steps_are_the_edges_they_were_made_of() {
        let steps = Steps::from(some());
        assert_eq!(steps.edges().collect::<Vec<_>>(), some());
        assert_eq!((steps.identities.len(), steps.scopes.len(), steps.techniques.len()), (3, 2, 2));
        assert_eq!(steps.steps[0].grants, steps.steps[2].grants, "one list");
        assert_ne!(steps.steps[0].grants, steps.steps[1].grants);
    }

    #[test]
    fn steps_put_behind_others_stay_what_they_are() {
        let all = some();
        let (first, second) = all.split_at(2);
        let mut steps = Steps::default();
        for part in [first, &[], second] {
            steps.append(Steps::from(part.to_vec()));
        }
        assert_eq!(steps.edges().collect::<Vec<_>>(), some());
    }
}
