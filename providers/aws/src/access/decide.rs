//! Point decisions: one principal, one action, one resource, a context of which some is known.

use std::sync::Arc;

use evenhand_model::access::{DecideError, GrantIx, Outcome, Request};
use evenhand_model::catalog::{AccessLevel, Catalog};
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::opset::OperationIx;
use evenhand_model::scope::{Pattern, ResourceScope};

use super::caller::{Caller, doubts};
use super::enumerate::Limits;
use super::layers::Now;
use super::matching::{Named, named};
use super::resolver::Resolver;
use crate::catalog::Catalogue;
use crate::policy::compile::model_test;
use crate::policy::context::{Context, Lookup, Over, Partial};
use crate::policy::{Effect, arn, operator};
use crate::world::{AccountId, PolicyIx, Principal, PrincipalKind};

/// What a context key stands for that nobody has given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Absent {
    /// Anything: the answer may be conditional.
    Unknown,
    /// The request does not carry it.
    Missing,
}

/// A decision, statements by number.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) blocked_by: Vec<&'static str>,
    pub(crate) because: Vec<GrantIx>,
    pub(crate) conditions: Vec<String>,
}

/// A request in compiled form.
struct Question<'a> {
    operation: OperationIx,
    /// Six segments, or a pattern of them.
    resource: Pattern,
    /// The segments, where the resource is one name.
    name: Option<[&'a str; arn::SEGMENTS]>,
    context: &'a dyn Context,
}

/// What a layer says.
#[derive(Default)]
struct Answer {
    /// Unconditional and conditional allows: statement, closeness, the conditions that are left.
    allows: Vec<(GrantIx, Named, Truth, String)>,
    denies: Vec<(GrantIx, Truth, String)>,
    /// Whether one of its documents was not read or not understood: it may allow or deny anything.
    unread: bool,
}

struct Closed;

impl Context for Closed {
    fn get(&self, _: &str) -> Lookup {
        Lookup::Absent
    }
}

struct Open;

impl Context for Open {
    fn get(&self, _: &str) -> Lookup {
        Lookup::Unknown
    }
}

/// Answers one question.
pub(crate) fn decide(
    resolver: &Resolver,
    identity: &IdentityId,
    request: &Request,
    absent: Absent,
) -> Result<Verdict, DecideError> {
    let catalogue = Catalogue::global();
    let operation = catalogue.operation(&request.operation).ok_or_else(|| DecideError::UnknownOperation {
        operation: request.operation.clone(),
        remedy: "write it as `service:Action`, such as `s3:GetObject`".to_owned(),
    })?;
    let text = request.resource.as_deref().unwrap_or("*");
    let (resource, name) = match (text, arn::split(text)) {
        ("*", _) => (Pattern::any(), None),
        (_, Some(segments)) if segments.first() == Some(&"arn") => {
            (arn::pattern(text), (!text.contains(['*', '?'])).then_some(segments))
        }
        _ => {
            return Err(DecideError::BadResource {
                resource: text.to_owned(),
                remedy: "write it as `arn:aws:service:region:account:resource`, or `*`".to_owned(),
            });
        }
    };
    let Some(principal) = resolver.world().principals.get(identity) else {
        return Ok(simple(Outcome::Unknown, &[]));
    };
    let mut given = Partial::default();
    for (key, value) in &request.context {
        given.insert(key, value.values().iter().map(|value| Arc::from(value.as_str())).collect());
    }
    // The vendor's own things, such as its managed policies, stand in no account; a pattern of names may still say whose.
    let owner = arn::split(text)
        .map(|segments| segments[4])
        .filter(|account| !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit()));
    if let Some(owner) = owner
        && given.get("aws:resourceaccount") == Lookup::Unknown
    {
        given.insert("aws:resourceaccount", vec![Arc::from(owner)]);
    }
    let (caller, now) = (Caller(principal), Now(resolver.now));
    let timed = Over { first: &caller, then: &now };
    let rest = Over { first: &timed, then: if absent == Absent::Missing { &Closed as &dyn Context } else { &Open } };
    let context = Over { first: &given, then: &rest };
    let question = Question { operation, resource, name, context: &context };
    Ok(answer(resolver, principal, &question, text, owner))
}

fn answer(
    resolver: &Resolver,
    principal: &Principal,
    question: &Question<'_>,
    resource: &str,
    owner: Option<&str>,
) -> Verdict {
    let world = resolver.world();
    let catalogue = Catalogue::global();
    let action = catalogue.name(question.operation);
    if &*action == "sts:GetCallerIdentity" {
        return simple(Outcome::Allowed, &[]);
    }
    let limits = Limits::of(world, principal);
    // Identity policies that are not understood are among the doubts below.
    let identity =
        Answer { unread: false, ..ask(resolver, &principal.identity_policies, question, |_, _| Named::Itself) };

    // The policies of the resource: for assuming a role, its trust policy.
    let assumes = action.starts_with("sts:AssumeRole");
    let mut attached: Vec<(PolicyIx, AccountId)> = resolver.resources.find(world, resource);
    let mut trust_unread = false;
    if assumes && let Some(role) = world.principals.get(&IdentityId::from(resource)) {
        attached.extend(role.trust.map(|trust| (trust, role.account.clone())));
        trust_unread = role.trust.is_none();
    }
    let account = owner.map(Arc::from).or_else(|| attached.first().map(|(_, account)| Arc::clone(&account.0)));
    let cross = account.as_ref().is_some_and(|account: &Arc<str>| **account != *principal.account.0);
    let policies: Vec<PolicyIx> = attached.iter().map(|(policy, _)| *policy).collect();
    let mut on_resource = ask(resolver, &policies, question, |policy, statement| {
        world
            .policies
            .document(policy)
            .statements
            .get(statement)
            .map_or(Named::No, |statement| named(statement, principal))
    });
    on_resource.unread |= trust_unread;

    let boundary = limits.boundary.map(|policy| ask(resolver, &[policy], question, |_, _| Named::Itself));
    let service_control: Vec<Answer> = limits
        .service_control
        .unwrap_or_default()
        .iter()
        .map(|level| ask(resolver, level, question, |_, _| Named::Itself))
        .collect();
    let covered = catalogue.resource_controlled().contains(question.operation);
    let resource_control: Vec<Answer> = match account {
        _ if !covered => &[],
        // Resource control policies are those of the account that owns the resource.
        Some(owner) => world
            .limits
            .get(&AccountId(owner))
            .and_then(|limits| limits.resource_control.value())
            .map(Vec::as_slice)
            .unwrap_or_default(),
        None => limits.resource_control.unwrap_or_default(),
    }
    .iter()
    .map(|level| ask(resolver, level, question, |_, _| Named::Itself))
    .collect();

    let root = principal.kind == PrincipalKind::Root;
    // The root user needs no policy; organisation policies and denies of resources hold it back all the same.
    let by_identity = if root { Truth::Yes } else { identity.allow(Named::Itself) };
    let direct = on_resource.direct();
    let lifted = on_resource.allow(Named::Session);
    let by_account = on_resource.allow_exactly(Named::Account);
    let within = boundary.as_ref().map_or(Truth::Yes, |boundary| boundary.allow(Named::Itself));
    // What the identity side gives is limited by the boundary; a grant to the caller's own name is not, at home.
    let held = by_identity.and(within);
    let is_key = question.name.is_some_and(|segments| segments[2] == "kms");
    let demands_resource_side = assumes || (is_key && !policies.is_empty());
    let mut granted = if cross {
        held.and(direct.or(by_account))
    } else if demands_resource_side {
        lifted.or(direct.and(within)).or(held.and(by_account))
    } else {
        held.or(lifted).or(direct.and(within))
    };
    let mut unread: Vec<String> = Vec::new();
    if is_key && policies.is_empty() && granted != Truth::No {
        granted = granted.and(Truth::Unknown);
        unread
            .push("the key's own policy, which was not read, must leave the decision to identity policies".to_owned());
    }
    let scp = service_control.iter().fold(Truth::Yes, |all, level| all.and(level.allow(Named::Itself)));

    let layers: Vec<(&'static str, &Answer)> = [("identity", &identity), ("resource", &on_resource)]
        .into_iter()
        .chain(boundary.iter().map(|answer| ("boundary", answer)))
        .chain(service_control.iter().map(|answer| ("scp", answer)))
        .chain(resource_control.iter().map(|answer| ("rcp", answer)))
        .collect();
    let denied = layers.iter().fold(Truth::No, |some, (_, answer)| some.or(answer.denied()));
    let not_denied = match denied {
        Truth::Yes => Truth::No,
        Truth::No => Truth::Yes,
        Truth::Unknown => Truth::Unknown,
    };
    let floor = if root && assumes {
        // Nobody becomes a role as root.
        Truth::No
    } else {
        floor(&action, catalogue.level(question.operation), resource)
    };
    let allowed = granted.and(scp).and(not_denied).and(floor);

    let mut blocked: Vec<&'static str> = Vec::new();
    let mut block = |layer: &'static str| {
        if !blocked.contains(&layer) {
            blocked.push(layer);
        }
    };
    for (layer, answer) in &layers {
        if answer.denied() == Truth::Yes {
            block(layer);
        }
    }
    if granted == Truth::No {
        if by_identity == Truth::No {
            block("identity");
        } else if within == Truth::No {
            block("boundary");
        }
        if (cross || demands_resource_side) && direct.or(by_account) == Truth::No {
            block("resource");
        }
    }
    if scp == Truth::No {
        block("scp");
    }
    if floor == Truth::No {
        block("service");
    }

    let store = &world.policies;
    let grants = |mut numbers: Vec<GrantIx>| -> Vec<GrantIx> {
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    let allowing = || {
        let mut numbers: Vec<GrantIx> = Vec::new();
        for answer in [&identity, &on_resource] {
            numbers.extend(answer.allows.iter().filter(|(.., holds, _)| *holds != Truth::No).map(|(grant, ..)| *grant));
        }
        numbers
    };
    if denied == Truth::Yes {
        let numbers = layers
            .iter()
            .flat_map(|(_, answer)| &answer.denies)
            .filter(|(_, holds, _)| *holds == Truth::Yes)
            .map(|(grant, ..)| *grant)
            .collect();
        return Verdict { because: grants(numbers), ..simple(Outcome::ExplicitlyDenied, &blocked) };
    }
    // What was not read may grant more, or take away what is granted here.
    let doubted =
        !doubts(principal).is_empty() || principal.identity_policies.iter().any(|policy| store.broken(*policy));
    let unread_boundary = principal.boundary == Fact::Unknown;
    let mut unread_layers: Vec<&'static str> =
        layers.iter().filter(|(_, answer)| answer.unread).map(|(layer, _)| *layer).collect();
    unread_layers.dedup();
    match allowed {
        Truth::Yes if unread_boundary => {
            Verdict { because: grants(allowing()), ..simple(Outcome::Unknown, &["boundary"]) }
        }
        Truth::Yes => Verdict { because: grants(allowing()), ..simple(Outcome::Allowed, &[]) },
        Truth::Unknown if !unread_layers.is_empty() => {
            Verdict { because: grants(allowing()), ..simple(Outcome::Unknown, &unread_layers) }
        }
        Truth::Unknown => {
            let mut conditions = unread;
            if unread_boundary {
                conditions.push("the permissions boundary, which was not read, must allow it".to_owned());
            }
            let alternatives = |answer: &Answer, what: &str, into: &mut Vec<String>| {
                let open: Vec<&str> = answer
                    .allows
                    .iter()
                    .filter(|(_, _, holds, text)| *holds == Truth::Unknown && !text.is_empty())
                    .map(|(.., text)| &**text)
                    .collect();
                if !open.is_empty() && answer.allow(Named::Account) == Truth::Unknown {
                    into.push(format!("{what}{}", open.join("; or ")));
                }
            };
            for (layer, answer) in &layers {
                let what = match *layer {
                    "identity" => String::new(),
                    other => format!("{other}: "),
                };
                alternatives(answer, &what, &mut conditions);
                for (_, holds, text) in &answer.denies {
                    if *holds == Truth::Unknown {
                        conditions.push(format!("{what}unless ({text})"));
                    }
                }
            }
            conditions.sort_unstable();
            conditions.dedup();
            Verdict { because: grants(allowing()), conditions, ..simple(Outcome::Conditional, &[]) }
        }
        Truth::No => {
            // Across accounts, a resource whose policy was not read may still let the caller in.
            let unread_side = cross && policies.is_empty() && held != Truth::No && scp != Truth::No;
            let more_may_grant = doubted && granted == Truth::No && scp != Truth::No;
            let outcome = if floor == Truth::Yes && (unread_side || more_may_grant) {
                Outcome::Unknown
            } else {
                Outcome::ImplicitlyDenied
            };
            simple(outcome, &blocked)
        }
    }
}

/// What no policy can grant: changes to policies that AWS manages and to roles that AWS or Identity Center owns.
pub(crate) fn floor(action: &str, level: AccessLevel, resource: &str) -> Truth {
    let reads = matches!(level, AccessLevel::List | AccessLevel::Read);
    if reads || resource == "*" {
        return Truth::Yes;
    }
    let Some(segments) = arn::split(resource) else { return Truth::Yes };
    let [_, _, service, _, account, rest] = segments;
    let fixed = match service {
        "iam" if account == "aws" => action.starts_with("iam:") && !action.starts_with("iam:Attach"),
        "iam" => {
            action.starts_with("iam:")
                // Making and removing a service-linked role have actions of their own.
                && !action.ends_with("ServiceLinkedRole")
                && (rest.starts_with("role/aws-service-role/") || rest.starts_with("role/aws-reserved/"))
        }
        "kms" => rest.starts_with("alias/aws/"),
        _ => false,
    };
    if fixed { Truth::No } else { Truth::Yes }
}

fn simple(outcome: Outcome, blocked: &[&'static str]) -> Verdict {
    Verdict { outcome, blocked_by: blocked.to_vec(), because: Vec::new(), conditions: Vec::new() }
}

/// Asks the policies of one layer. `closeness` says whom a statement names.
fn ask(
    resolver: &Resolver,
    policies: &[PolicyIx],
    question: &Question<'_>,
    closeness: impl Fn(PolicyIx, usize) -> Named,
) -> Answer {
    let store = &resolver.world().policies;
    let mut answer = Answer::default();
    for policy in policies {
        answer.unread |= store.broken(*policy);
        for (number, statement) in store.compiled(*policy).statements.iter().enumerate() {
            let Some(part) = statement.parts.iter().find(|part| part.operations.contains(question.operation)) else {
                continue;
            };
            let close = closeness(*policy, number);
            if close == Named::No {
                continue;
            }
            let Some(scope) = statement.scope(part, question.context) else { continue };
            let mut holds = reaches(&scope, question, statement.effect);
            let mut open: Vec<String> = Vec::new();
            if holds == Truth::Unknown {
                open.push(format!("the resource is one of {scope}"));
            }
            if close == Named::Session {
                holds = holds.and(Truth::Unknown);
                open.push("the caller is the session that the resource's policy names".to_owned());
            }
            for test in statement.tests.iter() {
                let truth = operator::holds(test, question.context);
                if truth == Truth::Unknown {
                    open.push(model_test(test, question.context).to_string());
                }
                holds = holds.and(truth);
            }
            if let Some(opaque) = statement.opaque() {
                holds = holds.and(Truth::Unknown);
                open.push(opaque.to_string());
            }
            if holds == Truth::No {
                continue;
            }
            let grant = store.grant_number(*policy, number);
            let text = open.join(" and ");
            match statement.effect {
                Effect::Allow => answer.allows.push((grant, close, holds, text)),
                Effect::Deny => answer.denies.push((grant, holds, text)),
            }
        }
    }
    answer
}

/// Whether a statement's scope reaches the resource in question. Where the question is a pattern, an allow matches if
/// they share anything, a deny only if it covers the pattern whole.
fn reaches(scope: &ResourceScope, question: &Question<'_>, effect: Effect) -> Truth {
    if let Some(name) = &question.name {
        return scope.matches(name);
    }
    let not = |truth: Truth| match truth {
        Truth::Yes => Truth::No,
        Truth::No => Truth::Yes,
        Truth::Unknown => Truth::Unknown,
    };
    let mut all = Truth::Yes;
    for list in &scope.all_of {
        all = all.and(list.iter().fold(Truth::No, |some, pattern| {
            some.or(match effect {
                Effect::Allow => pattern.overlaps(&question.resource),
                Effect::Deny => pattern.contains(&question.resource),
            })
        }));
    }
    for hole in &scope.none_of {
        all = all.and(not(match effect {
            Effect::Allow => hole.contains(&question.resource),
            Effect::Deny => hole.overlaps(&question.resource),
        }));
    }
    all
}

impl Answer {
    /// What documents that were not read may say.
    fn perhaps(&self) -> Truth {
        if self.unread { Truth::Unknown } else { Truth::No }
    }

    /// Whether something of at least that closeness allows.
    fn allow(&self, least: Named) -> Truth {
        self.allows
            .iter()
            .filter(|(_, close, ..)| *close >= least)
            .fold(self.perhaps(), |some, (.., holds, _)| some.or(*holds))
    }

    fn allow_exactly(&self, close: Named) -> Truth {
        self.allows
            .iter()
            .filter(|(_, held, ..)| *held == close)
            .fold(self.perhaps(), |some, (.., holds, _)| some.or(*holds))
    }

    /// Whether something allows the caller itself, not only its account.
    fn direct(&self) -> Truth {
        self.allows.iter().fold(self.perhaps(), |some, (_, close, holds, _)| some.or(holds.and(close.direct())))
    }

    fn denied(&self) -> Truth {
        self.denies.iter().fold(self.perhaps(), |some, (_, holds, _)| some.or(*holds))
    }
}
