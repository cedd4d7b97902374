//! What the steps of an identity do not tell: techniques that lead to no account of the capture, and accounts beyond those
//! that are shown.
//!
//! They are worked out for one identity, when somebody asks.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::super::compiled::Compiled;
use super::super::power::Power;
use super::super::sets::Held;
use super::super::techniques::{Leads, TECHNIQUES};
use super::super::{Known, Resolver};
use super::ground::{Ground, Where};
use super::{EQUALS, Field, Member, TARGETS, Taken};

/// The most places that are told one by one.
const PLACES: usize = 3;

/// What the steps of a power do not tell.
struct Untold {
    /// Techniques that are held and not shown.
    techniques: Vec<usize>,
    /// Whether there may be accounts beyond those that are shown.
    accounts: bool,
}

impl Field<'_> {
    /// What the steps of a power do not tell: of several techniques with one id the first that is held.
    fn untold(&self, power_at: usize, taken: &Taken<'_>) -> Untold {
        let mut untold = Untold { techniques: Vec::new(), accounts: taken.left_out };
        let Some(power) = self.powers.get(power_at) else { return untold };
        // There is nothing more to gain.
        if self.admins.get(power_at) == Some(&true) {
            return untold;
        }
        let steps = taken.steps.iter();
        let shown: BTreeSet<&str> = steps.filter_map(|step| Some(TECHNIQUES.get(step.technique)?.id)).collect();
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for (at, technique) in TECHNIQUES.iter().enumerate() {
            // Some effects are there beside the steps: a guard that is taken away leads to no account.
            let listed = technique.leads != Leads::Nowhere && shown.contains(technique.id);
            if !listed
                && !told.contains(technique.id)
                && self.ground.works(technique).is_some()
                && !self.ground.held_in(at, technique, power).is_nowhere()
            {
                told.insert(technique.id);
                untold.techniques.push(at);
            }
        }
        untold
    }
}

/// What the steps of an identity leave out, in a few words each.
pub(in crate::access) fn unlisted(resolver: &Resolver, known: &Known) -> Vec<Arc<str>> {
    let at = known.cluster as usize;
    let (Some(cluster), Some(surroundings)) = (resolver.clusters.get(at), resolver.surroundings.get(at)) else {
        return Vec::new();
    };
    let of_cluster = resolver.identities.iter().filter(|(_, member)| member.cluster == known.cluster);
    let mut members: Vec<Member<'_>> = of_cluster.map(|(id, known)| Member { id, known, number: u32::MAX }).collect();
    members.sort_unstable_by_key(|member| member.id);
    let field = Field::new(resolver, cluster, surroundings, &members);
    let (Some(power), Some(held)) = (field.power_of.get(known.set as usize), cluster.set(known.set)) else {
        return Vec::new();
    };
    let untold = field.untold(*power, &field.reach(*power));
    words(&field.ground, cluster, held, untold)
}

fn words(ground: &Ground<'_>, cluster: &Compiled, held: &Held, untold: Untold) -> Vec<Arc<str>> {
    let power = Power::of(cluster, held);
    let mut all: Vec<Arc<str>> = Vec::new();
    let mut statements = ground.statements(held);
    for (at, technique) in untold.techniques.into_iter().filter_map(|at| Some((at, TECHNIQUES.get(at)?))) {
        let places = ground.held_in(at, technique, &power);
        let object = places.objects.first();
        let place =
            places.namespaces.first().copied().or(object.map(|(home, _)| *home)).filter(|home| !home.is_empty());
        let grants = statements.grants(at, place, object.map(|(_, name)| *name));
        let by = grants.first().map(|grant| format!(", by {grant}")).unwrap_or_default();
        all.push(format!("{} {places}: {}{by}", technique.id, technique.effect()).into());
    }
    if untold.accounts {
        all.push(
            format!(
                "further accounts, by the same ways: {TARGETS} for one way in one place are shown, and {EQUALS} that hold the same"
            )
            .into(),
        );
    }
    all
}

impl fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.everywhere {
            return f.write_str("in the whole cluster");
        }
        let in_namespaces = self.namespaces.iter().map(|home| format!("in namespace {home}"));
        let on_objects = self.objects.iter().map(|(home, name)| match home.is_empty() {
            true => format!("on `{name}`"),
            false => format!("on `{home}/{name}`"),
        });
        let all: Vec<String> = in_namespaces.chain(on_objects).collect();
        f.write_str(&all.iter().take(PLACES).map(String::as_str).collect::<Vec<_>>().join(", "))?;
        match all.len().saturating_sub(PLACES) {
            0 => Ok(()),
            more => write!(f, " and in {more} places more"),
        }
    }
}
