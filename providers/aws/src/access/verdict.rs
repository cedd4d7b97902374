//! From what each layer says to one decision: the one place where the evaluation logic stands.
//!
//! A pure function over compiled policies. It serves the principals of a capture and the documents of a request alike,
//! and knows neither. The rules are those of the AWS pages on policy evaluation logic.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::access::Outcome;
use evenhand_model::catalog::Catalog;
use evenhand_model::evidence::Truth;

use super::answer::{Answer, Layer, Match, Standing, ask};
use super::caller::{Caller, Who};
use super::floor::{becomes_role, floor, is_always_allowed};
use super::matching::Named;
use super::open::{Logic, Open};
use super::policied::may_have_policy;
use super::question::{Question, Target};
use crate::catalog::Catalogue;
use crate::policy::{Effect, arn};

/// Everything that stands between a caller and a resource.
#[derive(Debug, Default)]
pub(crate) struct Layers<'a> {
    /// What grants: the caller's own policies and those of its groups.
    pub(crate) identity: Vec<Standing<'a>>,
    /// `None` = no boundary.
    pub(crate) boundary: Option<Vec<Standing<'a>>>,
    /// `None` = the session is not limited.
    pub(crate) session: Option<Vec<Standing<'a>>>,
    /// By level; each must allow, so one without policies denies.
    pub(crate) service_control: Vec<Vec<Standing<'a>>>,
    /// By level; only denies matter.
    pub(crate) resource_control: Vec<Vec<Standing<'a>>>,
    /// Policies of the resource; for becoming a role, its trust policy.
    pub(crate) resource: Vec<Standing<'a>>,
    /// `None` = no endpoint is in the path, or it has no policy.
    pub(crate) endpoint: Option<Vec<Standing<'a>>>,
}

/// What is not known of the layers.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    /// The caller's own policies that were not read or not understood, by name: they may allow or deny more.
    pub(crate) own: Vec<Arc<str>>,
    /// Whether there is a boundary, or what it says.
    pub(crate) boundary: bool,
    /// The trust policy of the role that is to be become.
    pub(crate) trust: bool,
    /// Whether a resource may have policies though none is given.
    pub(crate) resource: bool,
}

/// A decision with what led to it.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) outcome: Outcome,
    /// The layers that stop it, sorted.
    pub(crate) blocked_by: BTreeSet<Layer>,
    /// What must be so for a conditional request to be allowed, or for an unknown one to be certain; sorted.
    pub(crate) conditions: Vec<String>,
    /// The context keys that a conditional decision hangs on.
    pub(crate) keys: BTreeSet<Arc<str>>,
    answers: Vec<(Layer, Answer)>,
}

impl Judgement {
    fn plain(outcome: Outcome) -> Self {
        Self {
            outcome,
            blocked_by: BTreeSet::new(),
            conditions: Vec::new(),
            keys: BTreeSet::new(),
            answers: Vec::new(),
        }
    }

    /// The statements that decided: what allows a request that is or may be allowed, what denies one that is denied.
    pub(crate) fn because(&self) -> Vec<&Match> {
        match self.outcome {
            Outcome::Allowed | Outcome::Conditional | Outcome::Unknown => self
                .answers
                .iter()
                .filter(|(layer, _)| matches!(layer, Layer::Identity | Layer::Resource))
                .flat_map(|(_, answer)| &answer.allows)
                .collect(),
            Outcome::ExplicitlyDenied => self
                .answers
                .iter()
                .flat_map(|(_, answer)| &answer.denies)
                .filter(|found| found.holds == Truth::Yes)
                .collect(),
            Outcome::ImplicitlyDenied => Vec::new(),
        }
    }

    /// Every statement that matches for certain, layer by layer.
    pub(crate) fn matched(&self) -> impl Iterator<Item = (Effect, &Match)> {
        self.answers.iter().flat_map(|(_, answer)| {
            let allows = answer.allows.iter().map(|found| (Effect::Allow, found));
            let denies = answer.denies.iter().map(|found| (Effect::Deny, found));
            allows.chain(denies).filter(|(_, found)| found.holds == Truth::Yes)
        })
    }
}

/// What the layers that limit leave, each `Yes` where there is none of its kind.
struct Within {
    boundary: Truth,
    session: Truth,
    service_control: Truth,
    endpoint: Truth,
}

/// What can grant a request, and the boundary that limits some of it: as a truth, or as what the truth hangs on.
struct Grants<T> {
    /// By the caller's own policies.
    identity: T,
    boundary: T,
    /// By the resource's policy to the caller or its role.
    direct: T,
    /// The same to the caller alone: a boundary does not limit it.
    lifted: T,
    /// By the resource's policy to the caller's account.
    account: T,
}

/// Which grants a request asks for.
#[derive(Clone, Copy)]
enum Asked {
    /// The resource's, as the caller has no policies of its own.
    Resource,
    /// The caller's own, as nothing else has policies.
    Identity,
    /// Both.
    Both,
    /// The resource's, or both.
    ResourceFirst,
    /// Either.
    Either,
    /// None would do.
    Nothing,
}

impl<T: Logic> Grants<T> {
    /// Whether enough is granted. What the identity side gives is limited by the boundary; a grant to the caller's own
    /// name is not, at home.
    fn suffice(self, asked: Asked) -> T {
        let Self { identity, boundary, direct, lifted, account } = self;
        let held = identity.and(boundary.clone());
        match asked {
            Asked::Resource => direct,
            Asked::Identity => held,
            Asked::Both => held.and(direct.or(account)),
            Asked::ResourceFirst => lifted.or(direct.and(boundary)).or(held.and(account)),
            Asked::Either => held.or(lifted).or(direct.and(boundary)),
            Asked::Nothing => T::never(),
        }
    }
}

/// Decides one question.
pub(crate) fn judge(caller: &Caller<'_>, layers: &Layers<'_>, unread: &Unread, question: &Question<'_>) -> Judgement {
    let catalogue = Catalogue::global();
    let action = catalogue.name(question.operation);
    if is_always_allowed(&action) {
        return Judgement::plain(Outcome::Allowed);
    }
    let becomes = becomes_role(&action, question.resource);
    let answers = answers(caller, layers, unread, question);
    let within = Within {
        boundary: all_allow(&answers, Layer::Boundary),
        session: all_allow(&answers, Layer::Session),
        service_control: all_allow(&answers, Layer::ServiceControl),
        endpoint: all_allow(&answers, Layer::Endpoint),
    };
    let nothing = Answer::default();
    let of = |layer: Layer| answers.iter().find(|(held, _)| *held == layer).map_or(&nothing, |(_, answer)| answer);
    let (identity, on_resource) = (of(Layer::Identity), of(Layer::Resource));

    let outsider = !caller.has_own_policies();
    let root = caller.who == Who::Root;
    // The root user needs no policy; organisation policies and denies of resources hold it back all the same.
    let by_identity = if root { Truth::Yes } else { identity.allow(Named::Itself) };
    let direct = on_resource.direct();
    let lifted = on_resource.allow(Named::Session);
    let by_account = on_resource.allow_exactly(Named::Account);
    let held = by_identity.and(within.boundary);
    let cross = matches!((caller.account, question.owner), (Some(own), Some(owner)) if own != owner);
    let is_key = asks_key(catalogue, question);
    let key_unread = is_key && unread.resource && layers.resource.is_empty();
    let demands_resource = becomes || (is_key && !key_unread);
    let has_no_policy = action.starts_with("sts:") && !becomes && &*action != "sts:AssumeRoot";
    let asked = if outsider {
        Asked::Resource
    } else if has_no_policy {
        if cross { Asked::Nothing } else { Asked::Identity }
    } else if cross {
        Asked::Both
    } else if demands_resource {
        Asked::ResourceFirst
    } else {
        Asked::Either
    };
    let grants = Grants { identity: by_identity, boundary: within.boundary, direct, lifted, account: by_account };
    let mut granted = grants.suffice(asked);
    let mut conditions: Vec<String> = Vec::new();
    if key_unread && granted != Truth::No {
        granted = granted.and(Truth::Unknown);
        conditions
            .push("the key's own policy, which was not read, must leave the decision to identity policies".to_owned());
    }

    let denied = answers.iter().fold(Truth::No, |some, (_, answer)| some.or(answer.denied()));
    let floor = if root && becomes {
        // Nobody becomes a role as root.
        Truth::No
    } else {
        floor(&action, catalogue.level(question.operation), question.resource)
    };
    let limits = within.session.and(within.service_control).and(within.endpoint);
    let allowed = granted.and(limits).and(denied.not()).and(floor);

    let mut blocked_by: BTreeSet<Layer> =
        answers.iter().filter(|(_, answer)| answer.denied() == Truth::Yes).map(|(layer, _)| *layer).collect();
    for (layer, truth) in [
        (Layer::Session, within.session),
        (Layer::ServiceControl, within.service_control),
        (Layer::Endpoint, within.endpoint),
        (Layer::Service, floor),
    ] {
        if truth == Truth::No {
            blocked_by.insert(layer);
        }
    }
    if granted == Truth::No {
        if !outsider && by_identity == Truth::No && (cross || direct == Truth::No) {
            blocked_by.insert(Layer::Identity);
        }
        if !outsider && within.boundary == Truth::No {
            blocked_by.insert(Layer::Boundary);
        }
        let wanted = outsider || cross || demands_resource;
        if wanted && (direct.or(by_account) == Truth::No || has_no_policy || outsider) {
            blocked_by.insert(Layer::Resource);
        }
    }

    let mut judgement = Judgement { answers, blocked_by, ..Judgement::plain(Outcome::ImplicitlyDenied) };
    if denied == Truth::Yes {
        judgement.outcome = Outcome::ExplicitlyDenied;
        return judgement;
    }
    if allowed == Truth::No {
        // Across accounts, a resource whose policy was not read may still let the caller in; so may what was not read of
        // the caller's own.
        let no_policy = unread.resource && layers.resource.is_empty();
        let elsewhere = cross && no_policy && held != Truth::No;
        // At home, the policy of a resource grants by itself.
        let at_home = !cross
            && no_policy
            && matches!(asked, Asked::Either)
            && granted == Truth::No
            && matches!(question.target, Target::Name(_))
            && may_have_policy(question.resource)
            && !catalogue.wildcard_only().contains(question.operation);
        let by_resource = elsewhere || at_home;
        let more = !unread.own.is_empty() || unread.boundary;
        let perhaps = (by_resource || (more && granted == Truth::No)) && limits != Truth::No && floor == Truth::Yes;
        if perhaps {
            judgement.outcome = Outcome::Unknown;
            judgement.answers.clear();
            let allows = |name: &str| format!("{name}, which was not read or not understood, must allow it");
            if by_resource {
                judgement.conditions.push(allows("the resource's policy"));
            } else {
                judgement.conditions.extend(unread.own.iter().map(|name| allows(&format!("`{name}`"))));
                judgement.conditions.extend(unread.boundary.then(|| allows("the permissions boundary")));
            }
        }
        return judgement;
    }
    judgement.blocked_by.clear();
    let unread_layers: BTreeSet<Layer> =
        judgement.answers.iter().filter(|(_, answer)| answer.unread).map(|(layer, _)| *layer).collect();
    let own =
        || unread.own.iter().map(|name| format!("`{name}`, which was not read or not understood, must not deny it"));
    match allowed {
        Truth::Yes if unread.boundary => {
            judgement.outcome = Outcome::Unknown;
            judgement.blocked_by.insert(Layer::Boundary);
        }
        Truth::Yes if !unread.own.is_empty() => {
            judgement.outcome = Outcome::Unknown;
            judgement.conditions = own().collect();
        }
        Truth::Yes => judgement.outcome = Outcome::Allowed,
        _ if !unread_layers.is_empty() => {
            judgement.outcome = Outcome::Unknown;
            judgement.blocked_by = unread_layers;
        }
        _ => {
            judgement.outcome = Outcome::Conditional;
            if unread.boundary {
                conditions.push("the permissions boundary, which was not read, must allow it".to_owned());
            }
            conditions.extend(own());
            left_open(&judgement.answers, root, asked).told(&mut conditions, &mut judgement.keys);
            conditions.sort_unstable();
            conditions.dedup();
            judgement.conditions = conditions;
        }
    }
    judgement
}

/// Whether a key's policy has to agree: by the action, however the resource is written. Only an alias that the action
/// itself knows, such as one that is made or removed, is no key.
fn asks_key(catalogue: &Catalogue, question: &Question<'_>) -> bool {
    let is_alias = |text: &str| {
        arn::split(text).is_some_and(|[_, _, service, _, _, rest]| service == "kms" && rest.starts_with("alias/"))
    };
    let knows_aliases = || {
        let mut kinds = catalogue.resources(question.operation).iter();
        kinds.any(|kind| {
            catalogue.patterns().get(usize::from(*kind)).is_some_and(|pattern| is_alias(&pattern.to_string()))
        })
    };
    catalogue.key_controlled().contains(question.operation) && !(is_alias(question.resource) && knows_aliases())
}

/// Asks every layer that counts for the caller.
fn answers(caller: &Caller<'_>, layers: &Layers<'_>, unread: &Unread, question: &Question<'_>) -> Vec<(Layer, Answer)> {
    let mut answers = Vec::with_capacity(4 + layers.service_control.len() + layers.resource_control.len());
    let mut add = |layer: Layer, policies: &[Standing<'_>], named: Option<&Caller<'_>>| {
        answers.push((layer, ask(policies.iter().copied(), question, named)));
    };
    if caller.has_own_policies() {
        add(Layer::Identity, &layers.identity, None);
        for (layer, policies) in [(Layer::Boundary, &layers.boundary), (Layer::Session, &layers.session)] {
            if let Some(policies) = policies {
                add(layer, policies, None);
            }
        }
    }
    add(Layer::Resource, &layers.resource, Some(caller));
    if let Some(policies) = &layers.endpoint {
        add(Layer::Endpoint, policies, Some(caller));
    }
    if caller.is_controlled() {
        for level in &layers.service_control {
            add(Layer::ServiceControl, level, None);
        }
    }
    if !caller.service_linked && Catalogue::global().resource_controlled().contains(question.operation) {
        for level in &layers.resource_control {
            add(Layer::ResourceControl, level, None);
        }
    }
    for (layer, answer) in &mut answers {
        match layer {
            // What is not understood of the caller's own is told by name.
            Layer::Identity => answer.unread = false,
            Layer::Resource => answer.unread |= unread.trust,
            _ => {}
        }
    }
    answers
}

/// Whether every part of a limiting layer allows; what is not there limits nothing.
fn all_allow(answers: &[(Layer, Answer)], layer: Layer) -> Truth {
    answers
        .iter()
        .filter(|(held, _)| *held == layer)
        // An endpoint's policy may name the caller by its account.
        .fold(Truth::Yes, |all, (_, answer)| all.and(answer.allow(Named::Account)))
}

/// What a conditional decision hangs on: the same formula as the decision, over what each layer leaves open.
fn left_open(answers: &[(Layer, Answer)], root: bool, asked: Asked) -> Open {
    let of = |layer: Layer| answers.iter().filter(move |(held, _)| *held == layer);
    let some = |layer: Layer, counts: fn(&Match) -> bool| {
        let allows = of(layer).flat_map(|(_, answer)| &answer.allows);
        allows.filter(|found| counts(found)).fold(Open::never(), |some, found| some.or(Open::allow(layer, found)))
    };
    let all = |layer: Layer| {
        of(layer).fold(Open::always(), |all, (_, answer)| {
            let allows = answer.allows.iter().filter(|found| found.close >= Named::Account);
            all.and(allows.fold(Open::never(), |some, found| some.or(Open::allow(layer, found))))
        })
    };
    let grants = Grants {
        identity: if root { Open::always() } else { some(Layer::Identity, |found| found.close >= Named::Itself) },
        boundary: all(Layer::Boundary),
        direct: some(Layer::Resource, |found| found.close.direct() != Truth::No),
        lifted: some(Layer::Resource, |found| found.close >= Named::Session),
        account: some(Layer::Resource, |found| found.close == Named::Account),
    };
    let limits = [Layer::Session, Layer::ServiceControl, Layer::Endpoint];
    let within = limits.into_iter().fold(grants.suffice(asked), |within, layer| within.and(all(layer)));
    let denies = answers.iter().flat_map(|(layer, answer)| answer.denies.iter().map(move |found| (*layer, found)));
    denies.fold(within, |within, (layer, found)| within.and(Open::escape(layer, found)))
}
