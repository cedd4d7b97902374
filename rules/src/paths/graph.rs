//! The graph: identities and scopes, and the steps between them.

use std::collections::{BTreeMap, HashMap};

use evenhand_model::access::{Access, AccessResolver, Doubt, EdgeTarget};
use evenhand_model::id::{IdentityId, ProviderName, ScopeId};
use evenhand_model::identity::Identity;
use evenhand_model::inventory::Inventory;
use evenhand_model::opset::OpSet;
use evenhand_model::parallel::IN_A_ROW;
use evenhand_model::steps::Steps;
use rayon::prelude::*;

use super::builder::Builder;
use super::by_node::ByNode;
use crate::judgements::Judgements;
use crate::resolvers::Resolvers;

/// What can be reached.
#[derive(Clone, Debug)]
pub(crate) enum Node<'a> {
    /// An identity of the inventory.
    Known(&'a Identity),
    /// An identity that only edges name.
    Foreign(IdentityId, ProviderName),
    /// Full control of a scope.
    Admin(ScopeId, ProviderName),
}

impl Node<'_> {
    fn provider(&self) -> ProviderName {
        match self {
            Self::Known(identity) => identity.provider,
            Self::Foreign(_, provider) | Self::Admin(_, provider) => *provider,
        }
    }

    fn scope(&self) -> Option<&ScopeId> {
        match self {
            Self::Known(identity) => Some(&identity.scope),
            Self::Admin(scope, _) => Some(scope),
            Self::Foreign(..) => None,
        }
    }
}

/// What a search asks of a step; the whole of it is looked up by number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// The node that it begins at.
    pub(crate) from: u32,
    /// The node that it leads to.
    pub(crate) to: u32,
    pub(crate) conditional: bool,
    pub(crate) escalation: bool,
}

impl Link {
    /// Conditional steps cost most, then escalating ones, then any step.
    pub(crate) fn cost(self) -> u64 {
        (u64::from(self.conditional) << 42) | (u64::from(self.escalation) << 21) | 1
    }
}

/// Whether a chain of some cost depends on no unknown condition.
pub(crate) fn unconditional(cost: u64) -> bool {
    cost >> 42 == 0
}

/// How much an identity holds.
#[derive(Debug, Default)]
pub(crate) struct Strength {
    pub(crate) weight: u64,
    pub(crate) operations: OpSet,
}

/// What is known of an access that nodes hold.
#[derive(Debug)]
struct Holding {
    /// How much it is, where some step leads to or from one of them.
    strength: Option<Strength>,
    /// Whether something that was not read may grant more.
    may_be_more: bool,
}

/// Nodes 0 to n are the identities of the inventory by position; others follow.
pub(crate) struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    /// The steps by their numbers, as searches see them.
    links: Vec<Link>,
    /// The steps from each node, and to it.
    leaving: ByNode,
    entering: ByNode,
    /// The steps by their numbers, as whoever reads of them sees them.
    steps: Steps,
    admins: Vec<bool>,
    /// Nodes that may have more steps than the graph has.
    open: Vec<bool>,
    /// For each node the number of what it holds; none where that is not known.
    held: Vec<Option<u32>>,
    /// What is held.
    holdings: Vec<Holding>,
    /// For each node a number for provider and scope together.
    places: Vec<u32>,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(inventory: &'a Inventory, judged: &'a Judgements, resolvers: &'a Resolvers) -> Self {
        let mut nodes: Vec<Node<'a>> = Vec::with_capacity(inventory.identities.len() + 16);
        nodes.extend(inventory.identities.iter().map(Node::Known));
        let mut builder = Builder {
            nodes,
            links: Vec::new(),
            steps: Steps::default(),
            judged,
            aliases: inventory.named_by_others(),
            others: HashMap::default(),
        };
        let crossed = builder.crossed(inventory);
        for (provider, resolver) in resolvers.iter() {
            builder.add_steps(provider, resolver.steps(), &crossed);
        }
        builder.add_trusts(inventory, resolvers);
        let Builder { nodes, mut links, steps, .. } = builder;
        let (leaving, entering) = rayon::join(
            || ByNode::new(nodes.len(), links.iter().map(|step| step.from)),
            || ByNode::new(nodes.len(), links.iter().map(|step| step.to)),
        );
        let linked = |at: usize| !leaving.of(at).is_empty() || !entering.of(at).is_empty();
        let (held, holdings) = holdings(&nodes, linked, resolvers);
        let admins = admins(&nodes, resolvers);
        let open = open(&nodes, &admins, (&held, &holdings), resolvers);
        // Who is known to hold nothing and leads nowhere gives nobody more than he has; who may hold something, perhaps.
        let is_empty = |at: usize| {
            let held = held.get(at).copied().flatten();
            let strength = held.and_then(|held| holdings.get(held as usize)?.strength.as_ref());
            let holds_nothing = strength.is_some_and(|strength| strength.operations.is_empty());
            holds_nothing && leaving.of(at).is_empty() && admins.get(at) == Some(&false)
        };
        for link in links.iter_mut().filter(|link| link.escalation && is_empty(link.to as usize)) {
            match open.get(link.to as usize) {
                Some(true) => link.conditional = true,
                _ => link.escalation = false,
            }
        }
        Self { places: places(&nodes), nodes, links, leaving, entering, steps, admins, open, held, holdings }
    }

    fn node(&self, at: usize) -> Option<&Node<'a>> {
        self.nodes.get(at)
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn has_steps(&self, at: usize) -> bool {
        !self.leaving.of(at).is_empty()
    }

    /// Whether some step leads to a node.
    pub(crate) fn is_entered(&self, at: usize) -> bool {
        !self.entering.of(at).is_empty()
    }

    /// The steps from a node: number, where to, and what it takes.
    pub(crate) fn steps(&self, at: usize) -> impl Iterator<Item = (u32, usize, Link)> {
        self.numbered(self.leaving.of(at)).map(|(number, step)| (number, step.to as usize, step))
    }

    /// The steps to a node, the last ones first: number, where from, and what it takes.
    pub(crate) fn steps_to(&self, at: usize) -> impl Iterator<Item = (u32, usize, Link)> {
        self.numbered(self.entering.of(at)).rev().map(|(number, step)| (number, step.from as usize, step))
    }

    fn numbered(&self, numbers: &[u32]) -> impl DoubleEndedIterator<Item = (u32, Link)> {
        numbers.iter().filter_map(|number| Some((*number, self.step(*number)?)))
    }

    /// All steps, by their numbers.
    pub(crate) fn links(&self) -> &[Link] {
        &self.links
    }

    /// What a search asks of a step, by its number.
    pub(crate) fn step(&self, number: u32) -> Option<Link> {
        self.links.get(number as usize).copied()
    }

    /// Where a step leads, by its number.
    pub(crate) fn end(&self, number: u32) -> Option<usize> {
        self.step(number).map(|step| step.to as usize)
    }

    /// The identity that a node is.
    pub(crate) fn identity(&self, at: usize) -> Option<&IdentityId> {
        match self.node(at)? {
            Node::Known(identity) => Some(&identity.id),
            Node::Foreign(id, _) => Some(id),
            Node::Admin(..) => None,
        }
    }

    /// All steps by number, for those who only name them.
    pub(crate) fn into_steps(self) -> Steps {
        self.steps
    }

    /// Whether a node is full control of a scope, or an identity that has it.
    pub(crate) fn is_admin(&self, at: usize) -> bool {
        self.admins.get(at).copied().unwrap_or(false)
    }

    /// Whether a node may have more steps than are known, because something was not read. Who controls its scope has
    /// nothing to gain by more.
    pub(crate) fn is_open(&self, at: usize) -> bool {
        self.open.get(at).copied().unwrap_or(false)
    }

    /// Whether two nodes are not of the same provider and scope.
    pub(crate) fn apart(&self, a: usize, b: usize) -> bool {
        self.places.get(a) != self.places.get(b)
    }

    pub(crate) fn provider(&self, at: usize) -> Option<ProviderName> {
        self.node(at).map(Node::provider)
    }

    pub(crate) fn is_foreign(&self, at: usize) -> bool {
        matches!(self.node(at), Some(Node::Foreign(..)))
    }

    pub(crate) fn target(&self, at: usize) -> Option<EdgeTarget> {
        Some(match self.node(at)? {
            Node::Known(identity) => EdgeTarget::Identity(identity.id.clone()),
            Node::Foreign(id, _) => EdgeTarget::Identity(id.clone()),
            Node::Admin(scope, _) => EdgeTarget::Admin(scope.clone()),
        })
    }

    /// What nodes are ordered by where nothing else tells them apart: their names, as [`EdgeTarget`] orders them.
    pub(crate) fn name(&self, at: usize) -> Option<(bool, &str)> {
        Some(match self.node(at)? {
            Node::Known(identity) => (false, identity.id.as_str()),
            Node::Foreign(id, _) => (false, id.as_str()),
            Node::Admin(scope, _) => (true, scope.as_str()),
        })
    }

    /// Whether anything is known of what a node holds.
    pub(crate) fn access_known(&self, at: usize) -> bool {
        matches!(self.node(at), Some(Node::Admin(..))) || self.held(at).is_some()
    }

    /// The number of what an identity holds: the same for identities that hold the same.
    pub(crate) fn held(&self, at: usize) -> Option<u32> {
        self.held.get(at).copied().flatten()
    }

    /// What an identity holds that some step leads to or from; `None` where that is not known.
    pub(crate) fn strength(&self, at: usize) -> Option<&Strength> {
        self.holdings.get(self.held(at)? as usize)?.strength.as_ref()
    }
}

fn admins(nodes: &[Node<'_>], resolvers: &Resolvers) -> Vec<bool> {
    nodes
        .par_iter()
        .map(|node| match node {
            Node::Admin(..) => true,
            Node::Known(identity) => {
                let resolver = resolvers.get(identity.provider);
                resolver.is_some_and(|resolver| resolver.is_admin(&identity.id) == Some(true))
            }
            Node::Foreign(..) => false,
        })
        .collect()
}

/// Which nodes may have more steps than are known: something was not read that may offer some, or that may grant them more
/// access. `held` and `holdings`: what they hold, as [`holdings`] tells it.
fn open(
    nodes: &[Node<'_>],
    admins: &[bool],
    (held, holdings): (&[Option<u32>], &[Holding]),
    resolvers: &Resolvers,
) -> Vec<bool> {
    nodes
        .par_iter()
        .with_max_len(IN_A_ROW)
        .zip(admins)
        .zip(held)
        .map(|((node, admin), held)| match node {
            Node::Known(identity) if !admin => {
                let holding = held.and_then(|held| holdings.get(held as usize));
                let access = |resolver: &dyn AccessResolver| match holding {
                    Some(holding) => holding.may_be_more,
                    None => resolver.access(&identity.id).is_some_and(|access| may_be_more(&access)),
                };
                resolvers
                    .get(identity.provider)
                    .is_some_and(|resolver| access(resolver) || !resolver.unread(&identity.id).is_empty())
            }
            _ => false,
        })
        .collect()
}

/// Whether something that was not read may grant more than an access.
fn may_be_more(access: &Access) -> bool {
    access.doubts.iter().any(Doubt::may_add)
}

/// What nodes hold, worked out once for equal access; how much it is only where a step needs it. Returns for each node the
/// number of what it holds, and what is held.
fn holdings(
    nodes: &[Node<'_>],
    linked: impl Fn(usize) -> bool,
    resolvers: &Resolvers,
) -> (Vec<Option<u32>>, Vec<Holding>) {
    let keys: Vec<Option<(ProviderName, u64)>> = nodes
        .par_iter()
        .map(|node| {
            let Node::Known(identity) = node else { return None };
            Some((identity.provider, resolvers.get(identity.provider)?.access_key(&identity.id)?))
        })
        .collect();
    let mut numbers: HashMap<(ProviderName, u64), u32, foldhash::fast::FixedState> = HashMap::default();
    // Someone who holds it, and whether a step leads to or from that one.
    let mut examples: Vec<(&Identity, bool)> = Vec::new();
    let mut held = Vec::with_capacity(nodes.len());
    for ((at, node), key) in nodes.iter().enumerate().zip(keys) {
        let (Some(key), Node::Known(identity)) = (key, node) else {
            held.push(None);
            continue;
        };
        let next = narrow(examples.len());
        let number = *numbers.entry(key).or_insert(next);
        if number == next {
            examples.push((*identity, linked(at)));
        } else if let Some(example) = examples.get_mut(number as usize).filter(|example| !example.1)
            && linked(at)
        {
            *example = (*identity, true);
        }
        held.push(Some(number));
    }
    let holdings = examples
        .into_par_iter()
        .with_max_len(IN_A_ROW)
        .map(|(identity, linked)| {
            let resolver = resolvers.get(identity.provider);
            let Some((resolver, access)) = resolver.and_then(|held| Some((held, held.access(&identity.id)?))) else {
                return Holding { strength: linked.then(Strength::default), may_be_more: false };
            };
            let strength = || {
                let operations =
                    if access.unlimited { OpSet::all(resolver.catalog().len()) } else { access.operations().clone() };
                Strength { weight: resolver.catalog().weight_of(&operations), operations }
            };
            Holding { strength: linked.then(strength), may_be_more: may_be_more(&access) }
        })
        .collect();
    (held, holdings)
}

fn places(nodes: &[Node<'_>]) -> Vec<u32> {
    let mut numbers: BTreeMap<(ProviderName, Option<&ScopeId>), u32> = BTreeMap::new();
    // Identities are sorted, so that those of one place mostly stand together.
    let mut last = None;
    nodes
        .iter()
        .map(|node| {
            let place = (node.provider(), node.scope());
            match last {
                Some((held, number)) if held == place => number,
                _ => {
                    let next = narrow(numbers.len());
                    let number = *numbers.entry(place).or_insert(next);
                    last = Some((place, number));
                    number
                }
            }
        })
        .collect()
}

/// Graphs have fewer than 2³² nodes and steps.
pub(crate) fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
