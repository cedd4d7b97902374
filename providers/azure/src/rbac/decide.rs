//! One request.

use evenhand_model::access::Outcome;
use evenhand_model::evidence::Truth;

use super::Plane;
use super::authorizer::Authorizer;
use super::condition::{Attributes, Condition, Known};
use super::scope::ArmId;
use super::world::{ObjectId, Permission};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub principal: ObjectId,
    /// Whether the operation is one on data.
    pub plane: Plane,
    /// The operation, in any case.
    pub operation: String,
    /// What is acted on.
    pub resource: ArmId,
    /// The suboperation, if it is known; an empty text = there is none.
    pub suboperation: Option<String>,
    /// What is known of its attributes.
    pub attributes: Attributes,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Decided<'a> {
    /// What happens.
    pub outcome: Outcome,
    /// What decided: of allowed requests all that allows them, of denied ones all that denies; else everything that may
    /// count.
    pub matches: Vec<Match<'a>>,
}

/// Something that speaks about a request.
#[derive(Clone, Debug)]
pub enum Match<'a> {
    /// A permission block of an assigned role allows it.
    Grant {
        /// The assignment, counted from 0.
        assignment: usize,
        /// The role definition, counted from 0.
        role: usize,
        /// The block of its permissions, counted from 0.
        permission: usize,
        /// Whether it holds: yes or unknown.
        holds: Truth,
        /// The conditions that it hangs on and that could not be decided.
        conditions: Vec<&'a Condition>,
        /// Whether it is unknown because management groups were not read.
        unread: bool,
    },
    /// The role of an assignment was not read.
    UnreadRole {
        /// The assignment, counted from 0.
        assignment: usize,
    },
    /// A permission block of a deny assignment denies it.
    Deny {
        /// The deny assignment, counted from 0.
        deny: usize,
        /// The block of its permissions, counted from 0.
        permission: usize,
        /// Whether it holds: yes or unknown.
        holds: Truth,
        /// The conditions that it hangs on and that could not be decided.
        conditions: Vec<&'a Condition>,
        /// Whether it is unknown because management groups were not read.
        unread: bool,
    },
}

impl Match<'_> {
    fn holds(&self) -> Truth {
        match self {
            Self::Grant { holds, .. } | Self::Deny { holds, .. } => *holds,
            Self::UnreadRole { .. } => Truth::Unknown,
        }
    }

    fn denies(&self) -> bool {
        matches!(self, Self::Deny { .. })
    }

    /// Whether something that was not read keeps it unknown.
    fn unread(&self) -> bool {
        match self {
            Self::Grant { unread, .. } | Self::Deny { unread, .. } => *unread,
            Self::UnreadRole { .. } => true,
        }
    }
}

/// How a block speaks: whether it holds, what it hangs on, and whether something was not read.
type Spoken<'a> = (Truth, Vec<&'a Condition>, bool);

impl Authorizer {
    /// Decides a request.
    ///
    /// A deny that holds wins over every grant. What nothing grants is denied. Where a condition that hangs on something
    /// unknown decides, the answer is conditional; where something that was not read does, it is unknown.
    pub fn decide(&self, request: &Request) -> Decided<'_> {
        let operation = request.operation.trim().to_ascii_lowercase();
        let known = Known {
            operation: &operation,
            suboperation: request.suboperation.as_deref(),
            attributes: &request.attributes,
        };
        let who = self.world.groups.of(&request.principal);
        let mut matches = Vec::new();
        for (assignment, held) in self.held_by(&who) {
            let inherited = self.hierarchy().is_above(&held.scope, &request.resource);
            if inherited == Truth::No {
                continue;
            }
            let Some((role, definition)) = self.role(&held.role) else {
                matches.push(Match::UnreadRole { assignment });
                continue;
            };
            for (permission, block) in definition.permissions.iter().enumerate() {
                let spoken = speaks(block, held.condition.as_ref(), inherited, request.plane, &known);
                if let Some((holds, conditions, unread)) = spoken {
                    matches.push(Match::Grant { assignment, role, permission, holds, conditions, unread });
                }
            }
        }
        // What nothing may grant need not be denied.
        if matches.is_empty() {
            return Decided { outcome: Outcome::ImplicitlyDenied, matches };
        }
        for (deny, held) in self.denies().of(&who) {
            let inherited = match held.not_below {
                true => Truth::from(held.scope == request.resource),
                false => self.hierarchy().is_above(&held.scope, &request.resource),
            };
            for (permission, block) in held.permissions.iter().enumerate() {
                let spoken = speaks(block, held.condition.as_ref(), inherited, request.plane, &known);
                if let Some((holds, conditions, unread)) = spoken {
                    matches.push(Match::Deny { deny, permission, holds, conditions, unread });
                }
            }
        }
        settle(matches)
    }
}

/// How a block speaks about an operation; `None`: it does not.
fn speaks<'a>(
    block: &'a Permission,
    around: Option<&'a Condition>,
    inherited: Truth,
    plane: Plane,
    known: &Known<'_>,
) -> Option<Spoken<'a>> {
    if inherited == Truth::No || !block.covers(plane, known.operation) {
        return None;
    }
    let (mut holds, mut open) = (Truth::Yes, Vec::new());
    for condition in around.into_iter().chain(&block.condition) {
        let held = condition.holds(known);
        if held == Truth::Unknown {
            open.push(condition);
        }
        holds = holds.and(held);
    }
    (holds != Truth::No).then_some((holds.and(inherited), open, inherited == Truth::Unknown))
}

fn settle(mut matches: Vec<Match<'_>>) -> Decided<'_> {
    let best = |denies: bool| {
        matches.iter().filter(|held| held.denies() == denies).fold(Truth::No, |some, held| some.or(held.holds()))
    };
    let (granted, denied) = (best(false), best(true));
    let outcome = match (granted, denied) {
        (_, Truth::Yes) => {
            matches.retain(|held| held.denies() && held.holds() == Truth::Yes);
            Outcome::ExplicitlyDenied
        }
        (Truth::No, _) => Outcome::ImplicitlyDenied,
        (Truth::Yes, Truth::No) => {
            matches.retain(|held| held.holds() == Truth::Yes);
            Outcome::Allowed
        }
        (granted, _) => {
            // Grants that may hold say nothing more where one does.
            matches.retain(|held| held.denies() || granted != Truth::Yes || held.holds() == Truth::Yes);
            let unread = |held: &Match<'_>| held.holds() == Truth::Unknown && held.unread();
            if matches.iter().any(unread) { Outcome::Unknown } else { Outcome::Conditional }
        }
    };
    Decided { outcome, matches }
}
