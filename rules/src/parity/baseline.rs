//! Which human role does the same job as an AI identity.
//!
//! The sources are asked in the order of their confidence and the first that names a role wins:
//!
//! 1. configured: a `[[job]]` whose `agents` choose the identity; its `human` selectors name the roles;
//! 2. declared: a tag or annotation naming the role, else one naming a job that human roles declare or are configured for;
//! 3. delegated: the person whose access or credential it uses;
//! 4. same function: a human role with the same job; else, less sure, the one whose name speaks of it (see [`super::names`]);
//! 5. mined: what most people with the same job, or in the same group, hold;
//! 6. generic: the provider's generic role that differs least.
//!
//! Several roles of one job are taken together: people who do the job have them all. Roles in the same scope as the AI
//! identity stand for roles elsewhere in its provider; a role of another provider is no measure for it.

use std::sync::Arc;

use evenhand_model::control::ControlKind;
use evenhand_model::id::{IdentityId, Job};
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::opset::OpSet;
use evenhand_model::parity::{Baseline, BaselineSource};
use evenhand_model::trust::Mechanism;

use super::candidates::Candidates;
use super::mined::{MAX_PEERS, mine};
use super::subject::{Part, Subject};
use super::view::View;
use super::world::World;
use crate::jobs::JobRule;

/// A baseline with what the comparison needs beside it.
pub(crate) struct Found<'a> {
    pub(crate) baseline: Baseline,
    /// The roles; empty = none.
    pub(crate) roles: Vec<&'a Identity>,
    /// The mined access, for a baseline that no role holds: its name among mined ones, and itself.
    pub(crate) mined: Option<(Arc<str>, Arc<View>)>,
    /// Controls that stand before the people who do the job by process.
    pub(crate) process: Vec<ControlKind>,
    /// Mappings that lead nowhere.
    pub(crate) doubts: Vec<Arc<str>>,
}

struct Choice<'a> {
    source: BaselineSource,
    roles: Vec<&'a Identity>,
    reason: String,
    /// What to call it where it is more than the names of its roles.
    name: Option<String>,
    mined: Option<(Arc<str>, Arc<View>)>,
    process: Vec<ControlKind>,
}

impl<'a> Choice<'a> {
    fn new(source: BaselineSource, roles: Vec<&'a Identity>, reason: String) -> Option<Self> {
        (!roles.is_empty()).then_some(Self { source, roles, reason, name: None, mined: None, process: Vec::new() })
    }
}

/// The baseline of an AI identity.
pub(crate) fn resolve<'a>(world: &World<'a>, subject: &Subject<'a>) -> Found<'a> {
    let mut doubts = Vec::new();
    let choice = configured(world, subject, &mut doubts)
        .or_else(|| declared(world, subject, &mut doubts))
        .or_else(|| delegated(world, subject))
        .or_else(|| same_function(world, subject))
        .or_else(|| mined(world, subject))
        .or_else(|| generic(world, subject));
    let Some(mut choice) = choice else {
        return Found {
            baseline: Baseline {
                roles: Vec::new(),
                name: Arc::from(""),
                source: BaselineSource::None,
                reason: match doubts.first() {
                    Some(doubt) => format!("no human role is known that does the same job; {doubt}").into(),
                    None => Arc::from("no human role is known that does the same job"),
                },
            },
            roles: Vec::new(),
            mined: None,
            process: Vec::new(),
            doubts,
        };
    };
    add_entering(world, subject, &mut choice);
    let mut process = choice.process;
    process.extend(jobs_of(world, subject).iter().filter_map(|job| job_rule(world, job)).flat_map(|rule| {
        // What a process puts before people counts where the baseline is the job, not where it is somebody's guess.
        let by_job = matches!(choice.source, BaselineSource::Configured | BaselineSource::Declared);
        rule.controls.iter().copied().filter(move |_| by_job)
    }));
    process.sort();
    process.dedup();
    Found {
        baseline: Baseline {
            roles: choice.roles.iter().map(|role| role.id.clone()).collect(),
            name: choice.name.map_or_else(|| joined(&choice.roles), Arc::from),
            source: choice.source,
            reason: choice.reason.into(),
        },
        roles: choice.roles,
        mined: choice.mined,
        process,
        doubts,
    }
}

/// A baseline that somebody named for one comparison.
pub(crate) fn named<'a>(world: &World<'a>, subject: &Subject<'a>, role: &'a Identity) -> Found<'a> {
    let jobs = jobs_of(world, subject);
    Found {
        baseline: Baseline {
            roles: vec![role.id.clone()],
            name: Arc::clone(role.shown()),
            source: BaselineSource::Configured,
            reason: Arc::from("named for this comparison"),
        },
        roles: vec![role],
        mined: None,
        process: jobs.iter().filter_map(|job| job_rule(world, job)).flat_map(|rule| rule.controls.clone()).collect(),
        doubts: Vec::new(),
    }
}

fn joined(roles: &[&Identity]) -> Arc<str> {
    let mut names: Vec<&str> = Vec::new();
    for role in roles {
        if !names.contains(&&**role.shown()) {
            names.push(role.shown());
        }
    }
    names.join(" + ").into()
}

/// The jobs of an AI identity and of those whose access it uses, each once, nearest first.
pub(super) fn jobs_of<'a>(world: &World<'a>, subject: &Subject<'a>) -> Vec<&'a Job> {
    let mut jobs: Vec<&Job> = Vec::new();
    for face in subject.faces().filter(|face| !world.is_human(face)) {
        if let Some(job) = world.judged.position(&face.id).and_then(|at| world.judged.job_at(at))
            && !jobs.contains(&job)
        {
            jobs.push(job);
        }
    }
    jobs
}

fn job_rule<'a>(world: &World<'a>, job: &Job) -> Option<&'a JobRule> {
    world.config.jobs.jobs.iter().find(|rule| rule.name == *job)
}

/// Of a few identities, those that can be measured against.
fn within_reach<'a>(subject: &Subject<'a>, few: &[&'a Identity]) -> Vec<&'a Identity> {
    few.iter().copied().collect::<Candidates<'_>>().within_reach(subject)
}

/// Adds those of others that are where a subject acts, in providers where there is none yet.
fn add_where_lacking<'a>(subject: &Subject<'a>, chosen: &mut Vec<&'a Identity>, others: Option<&Candidates<'a>>) {
    if subject.parts.is_empty() && !chosen.is_empty() {
        return;
    }
    let lacking = |role: &&Identity| !chosen.iter().any(|held| held.provider == role.provider);
    let more: Vec<&Identity> = others.map(|others| others.within_reach(subject)).unwrap_or_default();
    let more: Vec<&Identity> = more.into_iter().filter(lacking).collect();
    chosen.extend(more);
}

/// Adds the roles that people of a choice have in providers where the choice has none: those as whom they enter there, else
/// the one by which they enter as one of the roles, for whoever is the one is the other too. Where people enter by several
/// roles, nobody need hold them all.
fn add_entering<'a>(world: &World<'a>, subject: &Subject<'a>, choice: &mut Choice<'a>) {
    for part in &subject.parts {
        if choice.mined.is_some() || choice.roles.iter().any(|role| role.provider == part.provider) {
            continue;
        }
        let mut entered: Vec<&Identity> = choice
            .roles
            .iter()
            .flat_map(|role| world.entered(&role.id).iter().copied())
            .filter(|target| target.provider == part.provider && part.scopes.contains(&target.scope))
            .collect();
        if !entered.is_empty() {
            entered.sort_by(|a, b| a.id.cmp(&b.id));
            entered.dedup_by(|a, b| a.id == b.id);
            choice.reason.push_str(&format!("; people are let into {} as `{}`", part.provider, joined(&entered)));
            choice.roles.extend(entered);
            continue;
        }
        let mut entering: Vec<(&Identity, &Identity)> = choice
            .roles
            .iter()
            .flat_map(|role| world.entering(&role.id).iter().map(move |source| (*source, *role)))
            .filter(|(source, _)| source.provider == part.provider)
            .collect();
        entering.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        entering.dedup_by(|a, b| a.0.id == b.0.id);
        if let [(source, role)] = entering.as_slice() {
            choice.reason.push_str(&format!("; people are let in as `{}` by `{}`", role.shown(), source.shown()));
            choice.roles.push(source);
        }
    }
}

fn configured<'a>(world: &World<'a>, subject: &Subject<'a>, doubts: &mut Vec<Arc<str>>) -> Option<Choice<'a>> {
    for face in subject.faces().filter(|face| !world.is_human(face)) {
        let chosen = world
            .config
            .jobs
            .jobs
            .iter()
            .zip(world.job_roles.iter().zip(&world.job_entries))
            .find(|(job, _)| job.agents.iter().any(|selector| selector.matches(face)));
        let Some((job, (roles, entries))) = chosen else { continue };
        let mut reason = format!("job `{}` in {}", job.name, job.evidence.document);
        if let Some(reviewer) = &job.reviewed_by {
            reason.push_str(&format!(", reviewed by {reviewer}"));
            if let Some(date) = job.reviewed_on {
                reason.push_str(&format!(" on {date}"));
            }
        }
        let mut chosen = roles.within_reach(subject);
        // Under other names, the people whom the job names may be where it acts too: those as whom they enter, else whoever
        // does the job.
        add_where_lacking(subject, &mut chosen, Some(entries));
        add_where_lacking(subject, &mut chosen, world.roles_doing(&job.name));
        if let Some(mut choice) = Choice::new(BaselineSource::Configured, chosen, reason) {
            choice.process = job.controls.clone();
            return Some(choice);
        }
        doubts.push(format!("job `{}` names no human role where {} acts", job.name, face.name).into());
    }
    None
}

fn declared<'a>(world: &World<'a>, subject: &Subject<'a>, doubts: &mut Vec<Arc<str>>) -> Option<Choice<'a>> {
    let source = BaselineSource::Declared;
    for face in subject.faces().filter(|face| !world.is_human(face)) {
        if let Some(asked) = &face.declared_human_role {
            let roles = match world.find(&IdentityId::new(Arc::clone(asked))) {
                // An AI identity is no measure for another one.
                Some(role) if world.judged.nature(&role.id) == Nature::AiAgent => Vec::new(),
                Some(role) => within_reach(subject, &[role]),
                None => world.named(asked).map(|roles| roles.within_reach(subject)).unwrap_or_default(),
            };
            let reason = format!("{} declares the human role `{asked}`", face.name);
            match Choice::new(source, roles, reason) {
                Some(choice) => return Some(choice),
                None => doubts.push(format!("the declared human role `{asked}` is none that was read").into()),
            }
        }
        if let Some(job) = &face.job {
            let mut doing = world.roles_doing(job).map(|roles| roles.within_reach(subject)).unwrap_or_default();
            if let Some(at) = world.config.jobs.jobs.iter().position(|rule| rule.name == *job) {
                doing.extend(world.job_roles.get(at).into_iter().flat_map(|roles| roles.within_reach(subject)));
                add_where_lacking(subject, &mut doing, world.job_entries.get(at));
            }
            let reason = format!("{} declares the job `{job}`", face.name);
            if let Some(choice) = Choice::new(source, within_reach(subject, &doing), reason) {
                return Some(choice);
            }
        }
    }
    None
}

fn delegated<'a>(world: &World<'a>, subject: &Subject<'a>) -> Option<Choice<'a>> {
    let source = BaselineSource::Delegated;
    let lenders: Vec<&Identity> =
        subject.faces().filter(|face| face.id != subject.identity.id && world.is_human(face)).collect();
    let reason = |people: &[&Identity], how: &str| format!("{how} {}", joined(people));
    if let Some(choice) = Choice::new(source, lenders.clone(), reason(&lenders, "it acts with the access of")) {
        return Some(choice);
    }
    // On behalf of one person. Several would be a pool, and a pool is no person's job.
    let on_behalf: Vec<&Identity> = world
        .lent_to(&subject.identity.id)
        .iter()
        .filter(|trust| matches!(trust.mechanism, Mechanism::HoldsCredential | Mechanism::Impersonation))
        .filter_map(|trust| world.find(&trust.target))
        .filter(|target| world.is_human(target))
        .collect();
    let keepers = world.credential_of_people(&subject.identity.id);
    for (people, how) in [(on_behalf.as_slice(), "it acts on behalf of"), (keepers, "its credential is held by")] {
        if let [person] = within_reach(subject, people).as_slice() {
            return Choice::new(source, vec![person], reason(&[person], how));
        }
    }
    None
}

fn same_function<'a>(world: &World<'a>, subject: &Subject<'a>) -> Option<Choice<'a>> {
    let source = BaselineSource::SameFunction;
    for job in jobs_of(world, subject) {
        let roles = world.roles_doing(job).map(|roles| roles.within_reach(subject)).unwrap_or_default();
        if let Some(choice) = Choice::new(source, roles, format!("human roles of the same job `{job}`")) {
            return Some(choice);
        }
    }
    let mut roles: Vec<&Identity> = Vec::new();
    let mut shared: Vec<String> = Vec::new();
    for part in &subject.parts {
        let faces = std::iter::once(subject.identity).chain(part.principals.iter().map(|principal| principal.identity));
        for face in faces {
            if let Some((role, words)) = world.names.role_for(face, part.provider, &part.scopes) {
                roles.push(role);
                shared.extend(words);
                break;
            }
        }
    }
    roles.sort_by(|a, b| a.id.cmp(&b.id));
    roles.dedup_by(|a, b| a.id == b.id);
    shared.sort();
    shared.dedup();
    let quoted: Vec<String> = shared.iter().map(|word| format!("`{word}`")).collect();
    Choice::new(BaselineSource::Named, roles, format!("both names speak of {}", quoted.join(", ")))
}

fn mined<'a>(world: &World<'a>, subject: &Subject<'a>) -> Option<Choice<'a>> {
    // Beside what it holds itself, its workloads may be handed access elsewhere.
    let part = match subject.parts.as_slice() {
        [part] => part,
        [part, ..] if subject.has_access() => part,
        _ => return None,
    };
    let jobs = jobs_of(world, subject)
        .into_iter()
        .filter_map(|job| Some((world.people_doing(job)?.within_reach(subject), format!("job `{job}`"))));
    let groups = subject.faces().flat_map(|face| world.groups_of(&face.id)).map(|group| {
        let name = world.find(group).map_or(group.as_str(), |group| &group.name);
        (within_reach(subject, world.people_in(group)), format!("group `{name}`"))
    });
    jobs.chain(groups).find_map(|(people, what)| mined_from(world, part, people, &what))
}

fn mined_from<'a>(world: &World<'a>, part: &Part<'a>, mut peers: Vec<&'a Identity>, what: &str) -> Option<Choice<'a>> {
    let holder = world.holders.get(&part.provider)?;
    peers.retain(|peer| peer.provider == part.provider);
    peers.truncate(MAX_PEERS);
    if peers.len() < world.config.min_peers {
        return None;
    }
    // Peers depend on the place, and on the subject where it is one of them.
    let ids: Vec<&str> = peers.iter().map(|peer| peer.id.as_str()).collect();
    let name: Arc<str> = ids.join("\n").into();
    let view = world.mined.get((part.provider, Arc::clone(&name)), || {
        mine(world, &holder.operations, &peers, world.config.tau, world.config.min_peers).unwrap_or_else(View::unknown)
    });
    if !view.known {
        return None;
    }
    let percent = (world.config.tau * 100.0).round();
    let crowd = format!("{percent} % of {} people of {what}", peers.len());
    let mut choice = Choice::new(BaselineSource::Mined, peers, format!("what at least {crowd} hold"))?;
    choice.name = Some(crowd);
    choice.mined = Some((name, view));
    Some(choice)
}

fn generic<'a>(world: &World<'a>, subject: &Subject<'a>) -> Option<Choice<'a>> {
    let mut roles = Vec::new();
    for part in &subject.parts {
        let (Some(candidates), Some(holder)) = (world.generic.get(&part.provider), world.holders.get(&part.provider))
        else {
            continue;
        };
        let held = part.principals.iter().fold(OpSet::new(), |held, principal| held.union(&principal.view.operations));
        let catalog = holder.operations.catalog;
        let weight = catalog.weight_of(&held);
        let here = candidates.iter().any(|role| part.scopes.contains(&role.identity.scope));
        let nearest = candidates
            .iter()
            .filter(|role| !here || part.scopes.contains(&role.identity.scope))
            .map(|role| {
                let shared = catalog.weight_of(&held.intersection(&role.operations));
                (weight + role.weight - 2 * shared.min(weight).min(role.weight), role.identity)
            })
            .min_by(|(a, one), (b, other)| (a, &one.name, &one.id).cmp(&(b, &other.name, &other.id)));
        roles.extend(nearest.map(|(_, role)| role));
    }
    Choice::new(BaselineSource::Generic, roles, String::from("the generic role that differs least"))
}
