//! What the steps of an identity do not tell: techniques that lead to no account of the capture, and accounts beyond those
//! that are shown.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::id::IdentityId;

use super::super::techniques::{Leads, Names, TECHNIQUES, Technique};
use super::{EQUALS, Field, Step, TARGETS, Target};

/// The most places that are told one by one.
const PLACES: usize = 3;

/// Where a technique is held.
#[derive(Default)]
struct Where<'a> {
    everywhere: bool,
    namespaces: BTreeSet<&'a Arc<str>>,
    /// Namespace and name.
    objects: BTreeSet<(&'a Arc<str>, &'a Arc<str>)>,
}

impl Where<'_> {
    fn is_nowhere(&self) -> bool {
        !self.everywhere && self.namespaces.is_empty() && self.objects.is_empty()
    }
}

impl std::fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

impl Field<'_> {
    /// In a few words each.
    pub(super) fn unlisted(&self, source: &IdentityId, set: u32) -> Vec<Arc<str>> {
        let power_at = self.power_of.get(set as usize).copied();
        let (Some(power_at), Some(held)) = (power_at, self.cluster.set(set)) else { return Vec::new() };
        let Some(power) = self.powers.get(power_at) else { return Vec::new() };
        // There is nothing more to gain.
        if self.admins.get(power_at) == Some(&true) {
            return Vec::new();
        }
        let taken = self.reach(power_at);
        let itself = |step: &&Step| match &step.target {
            Target::Account(number) => self.accounts.get(*number as usize).is_some_and(|account| account.id == source),
            Target::Actor(id) => id == source,
            Target::Cluster => false,
        };
        let shown: BTreeSet<&str> = taken
            .steps
            .iter()
            .filter(|step| !itself(step))
            .filter_map(|step| Some(TECHNIQUES.get(step.technique)?.id))
            .collect();
        let mut all: Vec<Arc<str>> = Vec::new();
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for (at, technique) in TECHNIQUES.iter().enumerate() {
            // Some effects are there beside the steps: a guard that is taken away leads to no account.
            let listed = technique.leads != Leads::Nowhere && shown.contains(technique.id);
            if listed || self.works(technique).is_none() || told.contains(technique.id) {
                continue;
            }
            let places = self.held_in(at, technique, power);
            if places.is_nowhere() {
                continue;
            }
            told.insert(technique.id);
            let step = Step {
                technique: at,
                place: places.namespaces.first().or(places.objects.first().map(|(home, _)| home)).map(|home| Arc::clone(home)),
                name: places.objects.first().map(|(_, name)| Arc::clone(name)),
                target: Target::Cluster,
                conditional: false,
            };
            let by = self.grants(held, &step).first().map(|grant| format!(", by {grant}")).unwrap_or_default();
            all.push(format!("{} {places}: {}{by}", technique.id, technique.effect()).into());
        }
        if taken.left_out {
            all.push(
                format!(
                    "further accounts, by the same ways: {TARGETS} for one way in one place are shown, and {EQUALS} that hold the same"
                )
                .into(),
            );
        }
        all
    }

    /// Where a power holds all that a technique needs.
    fn held_in<'p>(&self, at: usize, technique: &Technique, power: &'p super::Power) -> Where<'p> {
        let mut places = Where { everywhere: self.meets(at, &power.cluster, self.there(false)), ..Where::default() };
        if places.everywhere {
            return places;
        }
        let homes = power.local.keys().filter(|home| self.meets(at, &power.within(home), self.there(true)));
        places.namespaces = homes.collect();
        let needs = self.needs.get(at).map_or(&[][..], Vec::as_slice);
        for ((home, name), held) in &power.named {
            let known = match technique.names {
                Names::Objects(known) => known.is_empty() || known.contains(&&**name),
                _ => true,
            };
            if known
                && !places.namespaces.contains(home)
                && needs.iter().any(|need| need.touches(held))
                && self.meets(at, &power.within(home).union(held), self.there(!home.is_empty()))
            {
                places.objects.insert((home, name));
            }
        }
        places
    }
}
