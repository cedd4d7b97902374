//! Where the people of a job hold nothing, and where that is not known.
//!
//! A job that names no human role in a provider is no proof that its people hold nothing there. It is taken for one where
//! the roles of people in that provider were read, with as whom people of the job's provider are let in, and those of the
//! job are not among them; what an AI identity holds there is then excess. Else it is undecided.

use std::sync::Arc;

use evenhand_model::gap::{Gap, Subject as About};
use evenhand_model::parity::BaselineSource;

use super::baseline::{self, Found};
use super::subject::{Part, Subject};
use super::world::World;

/// Why it is not known what the people of a baseline without a role in a provider hold there; `None` = nothing, by all
/// that was read.
pub(crate) fn why_unclear(
    world: &World<'_>,
    subject: &Subject<'_>,
    found: &Found<'_>,
    part: &Part<'_>,
) -> Option<Arc<str>> {
    let provider = part.provider;
    let unclear = |why: &str| Some(format!("no human role of the job is known in {provider}{why}").into());
    // Others than these say as whom people do a job in one place, and nothing of other places.
    let by_job = matches!(
        found.baseline.source,
        BaselineSource::Configured | BaselineSource::Declared | BaselineSource::SameFunction
    );
    if !by_job {
        return unclear("");
    }
    for role in &found.roles {
        let entering = world.entering(&role.id).iter().filter(|source| source.provider == provider).count();
        if entering > 0 {
            return unclear(&format!(
                ": {entering} roles are let in as `{}`, and nothing tells which of them people of the job have",
                role.name
            ));
        }
        if world.entered(&role.id).iter().any(|target| target.provider == provider) {
            return unclear(&format!(" where it acts, though `{}` is let in elsewhere", role.name));
        }
    }
    let elsewhere = baseline::jobs_of(world, subject).into_iter().any(|job| {
        [world.roles_doing(job), world.people_doing(job)].into_iter().flatten().any(|people| people.is_in(provider))
    });
    if elsewhere {
        return unclear(" where it acts, though there are some elsewhere");
    }
    if !world.is_peopled(provider, &part.scopes) {
        return unclear(": nobody but machines was read there");
    }
    // What lets people of one provider into another may be told by either.
    let concerns = |gap: &&Gap| {
        let here = gap.scope.as_ref().is_none_or(|scope| part.scopes.contains(scope));
        let there = || found.roles.iter().any(|role| gap.provider == Some(role.provider));
        gap.is_about(About::HumanRoles) && ((gap.provider == Some(provider) && here) || there())
    };
    if let Some(gap) = world.inventory.gaps.iter().find(concerns) {
        return unclear(&format!(": {} was not read", gap.call));
    }
    let role = found.roles.iter().find(|role| !world.lets_in(role.provider, &part.scopes))?;
    unclear(&format!(": nothing tells as whom people of {} are let in there", role.provider))
}
