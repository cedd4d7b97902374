//! Policies of resources in enumeration: what they add to the access of a principal, and what they take from it.
//!
//! - A statement that names a principal of the resource's own account is a grant by itself; one that names only the
//!   account opens a door for identity policies and is no grant.
//! - Across accounts both sides must allow. The identity side is in the list already, so a resource's policy can only take
//!   away there, and it is asked only where an identity policy, or a limit of it, names the resource: patterns reach what
//!   nobody has read.
//! - A key's policy must open the door even at home.
//! - A grant to everybody is a fact about the resource and stands in nobody's list, unless a condition narrows it to
//!   principals. Denies to everybody count at home. One that a request escapes by how it travels counts for nothing.
//!
//! Whoever no such statement concerns costs nothing here.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use evenhand_model::access::{Doubt, DoubtEffect};
use evenhand_model::catalog::Catalog;
use evenhand_model::condition::{Clause, Condition, Test};
use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_model::id::IdentityId;
use evenhand_model::opset::OpSet;
use evenhand_model::scope::{Pattern, ResourceScope};

use super::caller::Caller;
use super::layers::{Denial, Now, Piece, apart, each, split_one};
use super::matching::{Named, names, session_role, session_test, ways};
use crate::catalog::Catalogue;
use crate::policy::context::{Context, Lookup};
use crate::policy::document::Statement;
use crate::policy::{Effect, Principals, arn};
use crate::world::{AccountId, Principal, PrincipalKind, ResourcePolicy, World};

/// Statements for everybody, and guarded keys, that are looked at for each principal of an account. What lies beyond is
/// a doubt for whoever it concerns.
const MOST_WIDE: usize = 64;

/// Resources of other accounts that are looked at for one principal.
const MOST_FOREIGN: usize = 64;

/// A statement of the policy of a resource: places in the world's list and in the document.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    resource: u32,
    statement: u32,
}

/// Statements of the policies of resources, by whom they concern.
#[derive(Debug, Default)]
pub(super) struct Attached {
    /// By the principal that they name, as one meant or as one excepted.
    naming: HashMap<usize, Vec<Place>, foldhash::fast::RandomState>,
    homes: BTreeMap<AccountId, Home>,
    by_name: BTreeMap<Arc<str>, Vec<u32>>,
    /// What each resource is named by, once it was asked for.
    reaches: Vec<OnceLock<Option<Reach>>>,
}

/// What concerns all principals of an account.
#[derive(Debug, Default)]
struct Home {
    wide: Vec<Place>,
    /// Keys whose policies do not leave every decision to identity policies, by name.
    guarded: Vec<Arc<str>>,
    /// What further such statements and keys are about.
    beyond: OpSet,
}

/// What the policies of resources mean for one principal.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// Granted within the boundary.
    pub(super) bounded: Vec<Piece>,
    /// Granted whatever the boundary leaves out.
    pub(super) free: Vec<Piece>,
    pub(super) denials: Vec<Denial>,
    pub(super) doubts: Vec<Doubt>,
}

impl Attached {
    pub(super) fn of(world: &World) -> Self {
        let mut attached =
            Self { reaches: world.resource_policies.iter().map(|_| OnceLock::new()).collect(), ..Self::default() };
        let mut sessions: Option<HashMap<(AccountId, String), usize>> = None;
        for (at, held) in world.resource_policies.iter().enumerate() {
            let Ok(resource) = u32::try_from(at) else { break };
            attached.by_name.entry(Arc::clone(&held.resource)).or_default().push(resource);
            if world.policies.broken(held.policy) {
                continue;
            }
            let statements = &world.policies.document(held.policy).statements;
            for (statement, said) in (0_u32..).zip(statements) {
                let place = Place { resource, statement };
                for name in names(said) {
                    let whom = match world.principals.get_index_of(&IdentityId::from(name)) {
                        Some(whom) => Some(whom),
                        None => session_role(name).and_then(|(account, role, _)| {
                            let role = (AccountId(account.into()), role.to_ascii_lowercase());
                            sessions.get_or_insert_with(|| roles(world)).get(&role).copied()
                        }),
                    };
                    if let Some(whom) = whom {
                        let list = attached.naming.entry(whom).or_default();
                        if list.last() != Some(&place) {
                            list.push(place);
                        }
                    }
                }
                if is_wide(said, &held.account) {
                    attached.homes.entry(held.account.clone()).or_default().wide.push(place);
                }
            }
        }
        let mut guarded: Vec<(AccountId, Arc<str>)> = Vec::new();
        for (name, all) in &attached.by_name {
            let owner = all.first().and_then(|at| world.resource_policies.get(*at as usize));
            if let Some(owner) = owner.filter(|_| attached.is_guarded(world, all)) {
                guarded.push((owner.account.clone(), Arc::clone(name)));
            }
        }
        guarded.sort();
        for (account, name) in guarded {
            attached.homes.entry(account).or_default().guarded.push(name);
        }
        let mut homes = std::mem::take(&mut attached.homes);
        for home in homes.values_mut() {
            let keys = home.guarded.iter().skip(MOST_WIDE).filter_map(|name| attached.by_name.get(name)).flatten();
            let beyond = home.wide.iter().skip(MOST_WIDE).map(|place| place.resource).chain(keys.copied());
            let reaches = beyond.filter_map(|resource| attached.reach(world, resource));
            home.beyond = OpSet::from_ranges(reaches.flat_map(|reach| reach.operations.ranges().iter().copied()));
            home.wide.truncate(MOST_WIDE);
            home.guarded.truncate(MOST_WIDE);
        }
        attached.homes = homes;
        attached
    }

    fn reach(&self, world: &World, resource: u32) -> Option<&Reach> {
        let made = || world.resource_policies.get(resource as usize).and_then(|held| Reach::of(&held.resource));
        self.reaches.get(resource as usize)?.get_or_init(made).as_ref()
    }

    /// Whether no policy of a resource was read.
    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Adds everything by which the answer for a principal may differ from that for another of equal policies.
    pub(super) fn signature(&self, world: &World, at: usize, principal: &Principal, into: &mut Vec<u8>) {
        if self.is_empty() {
            return;
        }
        let caller = Caller::of(principal);
        let statement = |place: &Place| {
            let policy = world.resource_policies.get(place.resource as usize).map(|held| held.policy)?;
            let number = place.statement as usize;
            let written = world.policies.document(policy).statements.get(number)?;
            Some((written, world.policies.compiled(policy).statements.get(number)?))
        };
        into.extend(principal.account.0.as_bytes());
        for place in self.naming.get(&at).into_iter().flatten() {
            into.extend(place.resource.to_le_bytes());
            into.extend(place.statement.to_le_bytes());
            let Some((written, compiled)) = statement(place) else { continue };
            // One statement may name one principal by itself and another by some session, and ask each for its name.
            for close in ways(written, &caller) {
                into.push(close as u8);
                if close == Named::Session {
                    into.extend(session_test(written, &caller).values.iter().flat_map(|value| value.bytes()));
                }
            }
            compiled.signature(&caller, into);
        }
        into.push(0);
        let Some(home) = self.homes.get(&principal.account) else { return };
        let keys = home.guarded.iter().filter_map(|name| self.by_name.get(name)).flatten();
        for held in keys.filter_map(|resource| world.resource_policies.get(*resource as usize)) {
            for statement in &world.policies.compiled(held.policy).statements {
                statement.signature(&caller, into);
            }
        }
        for (_, compiled) in home.wide.iter().filter_map(statement) {
            compiled.signature(&caller, into);
        }
    }

    /// What statements mean for a principal, and what they leave of what its identity policies grant.
    pub(super) fn given(&self, world: &World, principal: &Principal, now: &Now, pieces: &mut Vec<Piece>) -> Given {
        let mut given = Given::default();
        let own = world.principals.get_index_of(&principal.id).and_then(|at| self.naming.get(&at));
        let home = self.homes.get(&principal.account);
        let mut places: Vec<Place> = own.into_iter().flatten().copied().collect();
        places.extend(home.into_iter().flat_map(|home| &home.wide));
        places.sort_unstable();
        places.dedup();
        for place in places {
            self.add(world, principal, now, place, &mut given);
        }
        let foreign = self.foreign(world, principal, pieces);
        if foreign.len() > MOST_FOREIGN {
            given.doubts.push(Doubt::new(
                "the policies of many resources in other accounts were not held against it",
                DoubtEffect::Limits,
            ));
        }
        let guarded = home.into_iter().flat_map(|home| &home.guarded);
        let gates: Vec<Gate<'_>> = guarded
            .chain(foreign.iter().take(MOST_FOREIGN))
            .filter_map(|name| self.gate(world, principal, now, name, pieces))
            .collect();
        for gate in gates {
            given.denials.extend(gate.denials.iter().cloned());
            *pieces = each(std::mem::take(pieces), &mut given.doubts, |piece, left| gate.apply(piece, left));
        }
        if home.is_some_and(|home| pieces.iter().any(|piece| piece.operations.intersects(&home.beyond))) {
            given.doubts.push(Doubt::new(
                "the policies of many resources of its account were not held against it",
                DoubtEffect::Limits,
            ));
        }
        given
    }

    /// What one statement means.
    fn add(&self, world: &World, principal: &Principal, now: &Now, place: Place, given: &mut Given) {
        let Some(held) = world.resource_policies.get(place.resource as usize) else { return };
        let number = place.statement as usize;
        let Some(said) = world.policies.document(held.policy).statements.get(number) else { return };
        let caller = Caller::of(principal);
        let at_home = held.account == principal.account;
        for close in ways(said, &caller) {
            let grants = at_home && close > Named::Account;
            if said.effect == Effect::Allow && !grants {
                continue;
            }
            let Some(reach) = self.reach(world, place.resource) else { return };
            let session = (close == Named::Session).then(|| session_test(said, &caller));
            let into = if close == Named::Role { &mut given.bounded } else { &mut given.free };
            let mut denials = Vec::new();
            split_one(
                &world.policies,
                (held.policy, number),
                &caller,
                now,
                &mut |piece| into.extend(reach.limit(piece, session.as_ref())),
                &mut denials,
            );
            given.denials.extend(denials.into_iter().filter_map(|denial| reach.deny(denial, session.as_ref())));
        }
    }

    /// Resources of other accounts that are named by identity policies, or by the limits of what these grant.
    fn foreign(&self, world: &World, principal: &Principal, pieces: &[Piece]) -> Vec<Arc<str>> {
        let mut found = Vec::new();
        let patterns = pieces.iter().flat_map(|piece| &piece.scope.all_of).flat_map(|list| list.iter());
        for pattern in patterns {
            let Some((name, all)) = whole_name(pattern).and_then(|name| self.by_name.get_key_value(&*name)) else {
                continue;
            };
            let owner = all.first().and_then(|at| world.resource_policies.get(*at as usize));
            if owner.is_some_and(|held| held.account != principal.account && !held.account.0.is_empty()) {
                found.push(Arc::clone(name));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether a resource is a key whose policies keep some decision from the identity policies of its account.
    fn is_guarded(&self, world: &World, all: &[u32]) -> bool {
        let first = all.first().and_then(|resource| self.reach(world, *resource));
        let Some(reach) = first.filter(|reach| reach.is_key()) else { return false };
        let policies = || all.iter().filter_map(|at| world.resource_policies.get(*at as usize));
        let open = policies().any(|held| {
            let compiled = &world.policies.compiled(held.policy).statements;
            world.policies.document(held.policy).statements.iter().zip(compiled).any(|(said, compiled)| {
                said.effect == Effect::Allow
                    && (names_everybody(said)
                        || said.principals.as_ref().is_some_and(|named| names_account(named, &held.account)))
                    && compiled.tests.is_empty()
                    && compiled.opaque().is_none()
                    && compiled.parts.iter().any(|part| {
                        let scope = compiled.scope(part, &Anybody);
                        reach.operations.is_subset(&part.operations)
                            && scope.is_some_and(|scope| scope.contains(&reach.whole) == Truth::Yes)
                    })
            })
        });
        !open && !policies().any(|held| world.policies.broken(held.policy))
    }

    /// The gate before a resource, where it concerns what is granted.
    fn gate(
        &self,
        world: &World,
        principal: &Principal,
        now: &Now,
        name: &Arc<str>,
        pieces: &[Piece],
    ) -> Option<Gate<'_>> {
        let all = self.by_name.get(name)?;
        let reach = self.reach(world, *all.first()?)?;
        if !pieces.iter().any(|piece| piece.operations.intersects(&reach.operations)) {
            return None;
        }
        let mut gate = Gate { reach, doors: Vec::new(), denials: Vec::new() };
        for held in all.iter().filter_map(|at| world.resource_policies.get(*at as usize)) {
            // What is not understood may let in anybody.
            if world.policies.broken(held.policy) {
                return None;
            }
            gate.add(world, principal, now, held);
        }
        Some(gate)
    }
}

/// Somebody of whom nothing is known: what a statement asks of the caller stays a condition.
struct Anybody;

impl Context for Anybody {
    fn get(&self, _: &str) -> Lookup {
        Lookup::Unknown
    }
}

/// A resource with all that is named after it, and the actions that can name it.
#[derive(Debug)]
struct Reach {
    patterns: Vec<Pattern>,
    whole: ResourceScope,
    operations: OpSet,
}

impl Reach {
    fn of(resource: &str) -> Option<Self> {
        let segments = arn::split(resource)?;
        let [.., name] = segments;
        let within = |rest: Glob| {
            let head = segments.iter().take(segments.len() - 1).map(|segment| Glob::literal(*segment));
            Pattern::new(head.chain([rest]).collect::<Vec<_>>(), ':')
        };
        let mut patterns = vec![within(Glob::literal(name))];
        match segments[2] {
            "s3" => patterns.push(within(Glob::wildcard(&format!("{name}/*")))),
            "lambda" => patterns.push(within(Glob::wildcard(&format!("{name}:*")))),
            _ => {}
        }
        let catalogue = Catalogue::global();
        let names_it = |kind: &u16| {
            catalogue
                .patterns()
                .get(usize::from(*kind))
                .is_some_and(|kind| patterns.iter().any(|held| kind.overlaps(held) != Truth::No))
        };
        let operations = catalogue
            .expand(segments[2])
            .iter()
            .filter(|operation| catalogue.resources(*operation).iter().any(names_it))
            .collect();
        let whole = ResourceScope::any_of(patterns.iter().cloned());
        Some(Self { patterns, whole, operations })
    }

    fn is_key(&self) -> bool {
        let service = self.patterns.first().and_then(|pattern| pattern.segments().get(2).cloned());
        service == Some(Glob::literal("kms"))
    }

    /// What of a statement's scope is about the resource.
    fn scope(&self, scope: &Arc<ResourceScope>) -> Option<Arc<ResourceScope>> {
        let inside = |pattern: &Pattern| self.patterns.iter().any(|own| own.contains(pattern) == Truth::Yes);
        if scope.all_of.iter().any(|list| list.iter().all(inside)) {
            return Some(Arc::clone(scope));
        }
        let scope = scope.limited_to(self.patterns.iter().cloned());
        (scope.is_nothing() != Truth::Yes).then(|| Arc::new(scope))
    }

    /// What of a statement's grant is about the resource.
    fn limit(&self, piece: Piece, session: Option<&Test>) -> Option<Piece> {
        let operations = piece.operations.intersection(&self.operations);
        if operations.is_empty() {
            return None;
        }
        let condition = match session {
            Some(test) => Arc::new(Condition::clone(&piece.condition).with(Clause::When(test.clone()))),
            None => piece.condition,
        };
        Some(Piece {
            operations: Arc::new(operations),
            scope: self.scope(&piece.scope)?,
            condition,
            grant: piece.grant,
        })
    }

    /// What of a statement's deny is about the resource.
    fn deny(&self, denial: Denial, session: Option<&Test>) -> Option<Denial> {
        let operations = denial.operations.intersection(&self.operations);
        let scope = self.scope(&denial.scope).filter(|_| !operations.is_empty())?;
        let mut tests = denial.tests;
        tests.extend(session.cloned());
        tests.sort_unstable();
        Some(Denial::new(Arc::new(operations), scope, tests, denial.opaque))
    }
}

/// A resource whose policies must let in whoever identity policies allow.
#[derive(Debug)]
struct Gate<'r> {
    reach: &'r Reach,
    doors: Vec<Piece>,
    /// What a resource of another account denies to more than the principal by name.
    denials: Vec<Denial>,
}

impl Gate<'_> {
    fn add(&mut self, world: &World, principal: &Principal, now: &Now, held: &ResourcePolicy) {
        let at_home = held.account == principal.account;
        let reach = self.reach;
        let caller = Caller::of(principal);
        let statements = world.policies.document(held.policy).statements.iter().enumerate();
        for (number, said, close) in
            statements.flat_map(|(number, said)| ways(said, &caller).map(move |close| (number, said, close)))
        {
            let by_name = close > Named::Account && names(said).any(|name| concerns(name, principal));
            let looked_at = match said.effect {
                // At home a statement that names the principal is a grant and needs no door. One that lets in everybody
                // is nobody's grant, and lets in whom identity policies send.
                Effect::Allow => close == Named::Account || !at_home || names_everybody(said),
                // Others are looked at with all that name the principal, or concern its account.
                Effect::Deny => !at_home && !by_name,
            };
            if !looked_at {
                continue;
            }
            let session = (close == Named::Session).then(|| session_test(said, &caller));
            // Principals that share an answer share what is told of them at home and by name, and nothing else.
            let context: &dyn Context = if at_home || by_name { &caller } else { &Anybody };
            let mut denials = Vec::new();
            split_one(
                &world.policies,
                (held.policy, number),
                context,
                now,
                &mut |piece| self.doors.extend(reach.limit(piece, session.as_ref())),
                &mut denials,
            );
            self.denials.extend(denials.into_iter().filter_map(|denial| reach.deny(denial, None)));
        }
    }

    fn apply(&self, piece: Piece, into: &mut Vec<Piece>) {
        if !piece.operations.intersects(&self.reach.operations) || apart(&piece.scope, &self.reach.whole) {
            into.push(piece);
            return;
        }
        let rest = piece.operations.difference(&self.reach.operations);
        let hit = Arc::new(piece.operations.intersection(&self.reach.operations));
        if !rest.is_empty() {
            into.push(Piece { operations: Arc::new(rest), ..piece.clone() });
        }
        let outside = piece.scope.without(self.reach.patterns.iter().cloned());
        if outside.is_nothing() != Truth::Yes {
            into.push(Piece { operations: Arc::clone(&hit), scope: Arc::new(outside), ..piece.clone() });
        }
        for door in &self.doors {
            let operations = hit.intersection(&door.operations);
            let scope = piece.scope.intersection(&door.scope);
            if operations.is_empty() || scope.is_nothing() == Truth::Yes {
                continue;
            }
            into.push(Piece {
                operations: Arc::new(operations),
                scope: Arc::new(scope),
                condition: Arc::new(piece.condition.and(&door.condition)),
                grant: piece.grant,
            });
        }
    }
}

/// Whether a name is that of a principal or of one of its sessions.
fn concerns(name: &str, principal: &Principal) -> bool {
    name == principal.id.as_str()
        || session_role(name).is_some_and(|(account, role, _)| {
            *account == *principal.account.0 && role.eq_ignore_ascii_case(&principal.name)
        })
}

fn names_account(principals: &Principals, account: &AccountId) -> bool {
    principals.aws.iter().any(|name| {
        **name == *account.0
            || matches!(arn::split(name), Some([_, _, "iam", _, owner, "root"]) if owner == &*account.0)
    })
}

fn roles(world: &World) -> HashMap<(AccountId, String), usize> {
    let roles = world.principals.values().enumerate().filter(|(_, held)| held.kind == PrincipalKind::Role);
    roles.map(|(at, role)| ((role.account.clone(), role.name.to_ascii_lowercase()), at)).collect()
}

/// Whether a statement is about everybody, or everybody but some.
fn names_everybody(statement: &Statement) -> bool {
    statement.not_principals.is_some() || statement.principals.as_ref().is_some_and(|named| named.any)
}

/// Whether a statement concerns all principals of an account: a deny to everybody or to the account, or a grant to
/// everybody that a condition narrows to principals.
fn is_wide(statement: &Statement, account: &AccountId) -> bool {
    let everybody = names_everybody(statement);
    let positive = |test: &crate::policy::document::ConditionTest| {
        !test.if_exists && test.operator.is_some_and(|operator| !operator.negated())
    };
    match statement.effect {
        Effect::Allow => {
            everybody
                && statement.conditions.iter().any(|test| {
                    let who = matches!(&*test.key, "aws:principalarn" | "aws:userid" | "aws:username")
                        || test.key.starts_with("aws:principaltag/");
                    who && positive(test)
                })
        }
        Effect::Deny => {
            let concerns =
                everybody || statement.principals.as_ref().is_some_and(|named| names_account(named, account));
            // Whoever sends the request chooses how it travels, and is not denied.
            let escapable =
                statement.conditions.iter().any(|test| matches!(&*test.key, "aws:securetransport" | "s3:tlsversion"));
            concerns && !escapable
        }
    }
}

/// The resource that a pattern names whole: a bucket for its objects.
fn whole_name(pattern: &Pattern) -> Option<String> {
    let mut name = String::new();
    for (at, segment) in pattern.segments().iter().enumerate() {
        if at > 0 {
            name.push(':');
        }
        match (at, segment) {
            (5, Glob::Literal(text) | Glob::Prefix(text)) if name == "arn:aws:s3:::" => {
                name.push_str(text.split_once('/').map_or(&**text, |(bucket, _)| bucket));
                let whole = matches!(segment, Glob::Literal(_)) || text.contains('/');
                return whole.then_some(name);
            }
            (_, Glob::Literal(text)) => name.push_str(text),
            _ => return None,
        }
    }
    (!name.is_empty()).then_some(name)
}
