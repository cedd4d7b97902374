//! One question, answered by the authorizer itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::access::{DecideError, Decision, Grant, Outcome, Request as Question};
use evenhand_model::id::IdentityId;

use super::policy::Grantor;
use super::sets::general_group;
use super::{Actor, Compiled, Resolver};
use crate::catalog::{Entry, Operations};
use crate::rbac::{AUTHENTICATED, MASTERS, Request, account_groups, account_user, rule_allows};

/// The most places that an answer names.
const PLACES: usize = 20;

pub(super) fn decide(resolver: &Resolver, identity: &IdentityId, question: &Question) -> Result<Decision, DecideError> {
    let mut request = parse_operation(&resolver.operations, &question.operation)?;
    let anywhere = parse_resource(&resolver.operations, question, &mut request)?;
    let answer = |outcome| Decision { outcome, blocked_by: Vec::new(), because: Vec::new(), conditions: Vec::new() };
    let Some((cluster, known)) = resolver.cluster_of(identity) else { return Ok(answer(Outcome::Unknown)) };
    let (user, groups) = credentials(&known.actor);
    if groups.iter().any(|group| &**group == MASTERS) {
        return Ok(answer(Outcome::Allowed));
    }
    request.user = user;
    request.groups = groups;
    let held = grantors(cluster, &known.actor, &request);
    let mut because: Vec<Grant> = Vec::new();
    for grantor in &held {
        for (at, rule, _, home) in cluster.rules_of(*grantor) {
            if (home.is_empty() || *home == request.namespace) && rule_allows(rule, &request) {
                because.push(cluster.policy.grant(*grantor, at));
            }
        }
    }
    if !because.is_empty() {
        return Ok(Decision { because, ..answer(Outcome::Allowed) });
    }
    if anywhere {
        let decision = somewhere(cluster, &held, &request);
        if !decision.conditions.is_empty() {
            return Ok(decision);
        }
    }
    // Bindings of a kind that was not read may grant it to anybody but a holder of one role.
    let of_role = matches!(known.actor, Actor::HolderOf(_));
    let local = anywhere || !request.namespace.is_empty();
    let unread = !of_role && cluster.policy.bindings_unread(true, local).next().is_some();
    let missing = !cluster.policy.complete
        && held.iter().any(|grantor| match cluster.policy.parts(*grantor) {
            (Some(ix), None) => cluster
                .policy
                .authorizer
                .binding(ix)
                .is_some_and(|binding| anywhere || binding.holds_in(&request.namespace)),
            _ => false,
        });
    Ok(answer(if missing || unread { Outcome::Unknown } else { Outcome::ImplicitlyDenied }))
}

/// Where a request that was asked without a place would be allowed.
fn somewhere(cluster: &Compiled, held: &[Grantor], request: &Request) -> Decision {
    let mut places: BTreeSet<String> = BTreeSet::new();
    let mut because: Vec<Grant> = Vec::new();
    for grantor in held {
        for (at, rule, _, home) in cluster.rules_of(*grantor) {
            let names = match (request.name.is_empty(), rule.resource_names.is_empty()) {
                (true, false) => rule.resource_names.clone(),
                _ => vec![Arc::clone(&request.name)],
            };
            for name in names {
                let asked = Request { namespace: Arc::clone(home), name: Arc::clone(&name), ..request.clone() };
                if !rule_allows(rule, &asked) {
                    continue;
                }
                places.insert(match (home.is_empty(), name.is_empty()) {
                    (true, true) => continue,
                    (true, false) => format!("on `{name}`"),
                    (false, true) => format!("in namespace `{home}`"),
                    (false, false) => format!("on `{home}/{name}`"),
                });
                let grant = cluster.policy.grant(*grantor, at);
                if !because.contains(&grant) && because.len() < PLACES {
                    because.push(grant);
                }
            }
        }
    }
    let more = places.len().saturating_sub(PLACES);
    let mut conditions: Vec<String> = places.into_iter().take(PLACES).collect();
    if more > 0 {
        conditions.push(format!("and {more} places more"));
    }
    Decision { outcome: Outcome::Conditional, blocked_by: Vec::new(), because, conditions }
}

/// User name and groups, as the server sees them.
pub(super) fn credentials(actor: &Actor) -> (Arc<str>, Vec<Arc<str>>) {
    match actor {
        Actor::Account(namespace, name) => (account_user(namespace, name).into(), account_groups(namespace).to_vec()),
        Actor::User(name) => (Arc::clone(name), vec![Arc::from(general_group(name))]),
        // Some member of the group, of whom nothing else is known.
        Actor::Group(name) => (Arc::from(""), vec![Arc::clone(name), Arc::from(general_group(name))]),
        Actor::HolderOf(_) => (Arc::from(""), vec![Arc::from(AUTHENTICATED)]),
    }
}

fn grantors(cluster: &Compiled, actor: &Actor, request: &Request) -> Vec<Grantor> {
    let mut held: Vec<Grantor> = cluster
        .policy
        .authorizer
        .bindings_of(&request.user, &request.groups)
        .into_iter()
        .map(|ix| Grantor(ix.0))
        .collect();
    if let Actor::HolderOf(role) = actor {
        held.extend(cluster.policy.human_roles().filter(|(name, ..)| *name == role).map(|(_, grantor, _)| grantor));
    }
    held
}

/// `get pods`, `create deployments.apps`, `create pods/exec`, `get /healthz`.
fn parse_operation(operations: &Operations, text: &str) -> Result<Request, DecideError> {
    let unknown =
        |remedy: &str| DecideError::UnknownOperation { operation: text.to_owned(), remedy: remedy.to_owned() };
    let Some((verb, what)) = text.trim().split_once(char::is_whitespace) else {
        return Err(unknown("write VERB RESOURCE[.GROUP][/SUBRESOURCE], such as `get pods`"));
    };
    let what = what.trim();
    if what.starts_with('/') {
        let verb = verb.to_ascii_lowercase();
        return Ok(Request { verb: verb.into(), path: what.into(), ..Request::default() });
    }
    // RBAC compares verbs letter by letter, and those of the API have none that is large.
    let small = verb.to_ascii_lowercase();
    if small != verb {
        return Err(unknown(&format!("write the verb in lower case: `{small} {what}`")));
    }
    let (whole, sub) = what.split_once('/').unwrap_or((what, ""));
    let (resource, group) = resource_of(operations, whole, sub).map_err(|remedy| unknown(&remedy))?;
    let resource = &*resource;
    let listed = operations.entry(&group, resource, "").is_some_and(|entry| entry.listed);
    if listed && !sub.is_empty() && operations.entry(&group, resource, sub).is_none() {
        return Err(unknown("the resource has no such subresource; an object's name stands apart"));
    }
    Ok(Request {
        verb: verb.into(),
        api_group: group,
        resource: resource.into(),
        subresource: sub.into(),
        resource_request: true,
        ..Request::default()
    })
}

/// The resource and group that `RESOURCE[.GROUP]` means, by the names that `kubectl` takes; else what to do.
fn resource_of(operations: &Operations, whole: &str, sub: &str) -> Result<(Arc<str>, Arc<str>), String> {
    let Some((word, group)) = whole.split_once('.') else {
        return match operations.called(whole, None) {
            Some(entry) => Ok((Arc::clone(&entry.resource), Arc::clone(&entry.group))),
            None if whole == "*" => Ok((whole.into(), whole.into())),
            None => Err("give its API group: `VERB RESOURCE.GROUP`".to_owned()),
        };
    };
    // `deployments.v1.apps` names the version as well, by which RBAC asks nothing.
    let unversioned = group.split_once('.').filter(|(version, group)| is_version(version) && operations.serves(group));
    let group = match (group, unversioned) {
        ("core", _) => "",
        (_, Some((_, group))) => group,
        (group, None) => group,
    };
    // A rule may name a subresource of what no server has.
    if operations.entry(group, word, sub).is_some() {
        return Ok((word.into(), group.into()));
    }
    if let Some(entry) = operations.called(word, Some(group)) {
        return Ok((Arc::clone(&entry.resource), Arc::clone(&entry.group)));
    }
    // What follows `userextras` is any key, so that no server lists it.
    let open = word == "*" || group == "*" || (word, group) == ("userextras", "authentication.k8s.io");
    let elsewhere = || operations.called(word, None).map(Entry::name);
    let instead = |what: &str| match elsewhere() {
        Some(name) => format!("{what}; `{name}` is known"),
        None => format!("{what}; see `kubectl api-resources` for the names"),
    };
    if !open && operations.serves(group) {
        return Err(instead("its API group has no such resource"));
    }
    // A definition must give its group a dot (apiextensions.k8s.io/v1), and names of both are lower-case. Other groups
    // are those of old servers, if a rule names them.
    let named = || group.contains('.') || operations.names_group(group);
    if !open && (!named() || whole.bytes().any(|letter| letter.is_ascii_uppercase())) {
        return Err(instead("no server has such an API group"));
    }
    Ok((word.into(), group.into()))
}

/// Whether a text is a version of an API: `v1`, `v1beta2`.
fn is_version(text: &str) -> bool {
    text.strip_prefix('v').is_some_and(|rest| {
        rest.starts_with(|first: char| first.is_ascii_digit()) && rest.bytes().all(|one| one.is_ascii_alphanumeric())
    })
}

/// Fills in namespace and name. Tells whether the question leaves the place open.
fn parse_resource(operations: &Operations, question: &Question, request: &mut Request) -> Result<bool, DecideError> {
    let text = question.resource.as_deref().unwrap_or("*");
    let bad = |remedy: &str| DecideError::BadResource { resource: text.to_owned(), remedy: remedy.to_owned() };
    if !request.resource_request {
        return if text == "*" {
            Ok(false)
        } else {
            Err(bad("a URL is in no namespace and has no name; leave them out"))
        };
    }
    if text == "*" {
        return Ok(true);
    }
    let entry = operations.entry(&request.api_group, &request.resource, "");
    let bare = entry.is_some_and(|entry| !entry.namespaced);
    let clusterwide = entry.is_some_and(|entry| !entry.is_asked_in_namespaces(&request.verb));
    let (namespace, name) = match text.split_once('/') {
        Some((namespace, name)) if !name.contains('/') => (namespace, if name == "*" { "" } else { name }),
        None if bare => ("", text),
        _ => return Err(bad("write NAMESPACE/NAME, or NAMESPACE/ for requests without a name")),
    };
    // A request for one Namespace carries that namespace.
    let namespaces = &*request.resource == "namespaces" && request.api_group.is_empty() && !clusterwide;
    let (namespace, name) = match (namespace, name) {
        ("", name) if namespaces => (name, name),
        (namespace, "") if namespaces => (namespace, namespace),
        (namespace, name) if namespaces && namespace != name => {
            return Err(bad("a Namespace is in the namespace of its own name; leave one of them out"));
        }
        // No request for what is in no namespace carries one: `kubectl auth can-i` answers such a question too.
        (_, name) if clusterwide => ("", name),
        other => other,
    };
    request.namespace = namespace.into();
    request.name = name.into();
    // With a name but no namespace, whichever object has it is meant.
    Ok(namespace.is_empty() && !clusterwide && !bare)
}
