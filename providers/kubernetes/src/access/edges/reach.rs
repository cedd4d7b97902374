//! Where a power leads.

use std::borrow::Cow;

use evenhand_model::opset::OpSet;

use super::super::power::Outline;
use super::candidates::Candidates;
use super::ground::Triggers;
use super::{COMPARED, Field, Home, Leads, TARGETS, TECHNIQUES, Taken, Target, Way};

impl Field<'_> {
    /// Everything that a power leads to.
    pub(super) fn reach(&self, power_at: usize) -> Taken<'_> {
        let mut taken = Taken::default();
        let Some(power) = self.powers.get(power_at) else { return taken };
        if self.admins.get(power_at) == Some(&true) {
            return taken;
        }
        let everywhere = self.triggers.of_any(&power.cluster);
        let mut local: Vec<(Home<'_>, Cow<'_, OpSet>, u64)> = Vec::new();
        for (home, held) in power.local.iter() {
            let Some(triggered) = self.triggers.of(held) else { continue };
            let within = if power.cluster.is_empty() { Cow::Borrowed(held) } else { Cow::Owned(power.within(home)) };
            local.push((self.home(home), within, everywhere | triggered));
        }
        for (at, (technique, leads, conditional)) in self.leading.iter().copied().enumerate() {
            let bit = Triggers::bit(at);
            let way = |home| Way { technique, leads, home, name: None, conditional };
            if !power.cluster.is_empty() && everywhere & bit != 0 && self.ground.meets(technique, &power.cluster, false)
            {
                self.take(power_at, &way(None), &mut taken);
            } else if leads != Leads::Cluster {
                for (home, within, triggered) in &local {
                    if triggered & bit != 0 && self.ground.meets(technique, within, true) {
                        self.take(power_at, &way(Some(*home)), &mut taken);
                    }
                }
            }
        }
        self.take_named(power_at, power, &mut taken);
        taken
    }

    /// Takes the steps of one way.
    pub(super) fn take<'p>(&'p self, power: usize, way: &Way<'p>, taken: &mut Taken<'p>) {
        let (candidates, conditional): (&Candidates, bool) = match way.leads {
            Leads::Nowhere => return,
            Leads::Cluster => {
                if way.home.is_none() {
                    taken.steps.push(way.step(Target::Cluster, false));
                }
                return;
            }
            Leads::ClusterFromAnywhere => {
                taken.steps.push(way.step(Target::Cluster, false));
                return;
            }
            Leads::ClusterFrom(wanted) => {
                let there = way.home.is_none_or(|home| **home.name == *wanted);
                let mapped = self.surroundings.aws_auth;
                if there && mapped != Some(false) {
                    taken.steps.push(way.step(Target::Cluster, mapped.is_none()));
                }
                return;
            }
            Leads::Accounts => (self.all.within(way.home), false),
            Leads::Running => (self.running.within(way.home), !self.surroundings.workloads_known),
            Leads::TokenSecrets => (self.tokens.within(way.home), false),
            Leads::Controllers(names) => {
                for number in names.iter().flat_map(|name| self.named(name)) {
                    self.take_account(power, way, *number, taken);
                }
                return;
            }
        };
        let depends = way.conditional || conditional;
        let again = taken.looked_at.is_some_and(|held| std::ptr::eq(held, candidates));
        if !again {
            self.look(power, candidates, taken);
        }
        // Whoever was just reached without a condition, or under one as now, is no news.
        let is_news = !again || (taken.conditional && !depends);
        taken.conditional = depends && (taken.conditional || !again);
        let reached = std::mem::take(&mut taken.reached);
        let mut shown = false;
        for number in reached.iter().filter(|_| is_news) {
            if taken.reaches(*number, depends) {
                taken.steps.push(way.step(Target::Account(*number), conditional));
                shown = true;
            }
        }
        // Every technique is shown at least once, if only towards a target that a more direct one reaches too.
        let id = |number: usize| TECHNIQUES.get(number).map(|technique| technique.id);
        if let Some(number) = reached.first().filter(|_| !shown)
            && !taken
                .steps
                .iter()
                .any(|held| held.target == Target::Account(*number) && id(held.technique) == id(way.technique))
        {
            taken.steps.push(way.step(Target::Account(*number), conditional));
        }
        taken.reached = reached;
    }

    /// Finds out whom of the accounts of a pool a power reaches that lead to more, by whatever technique.
    fn look<'p>(&'p self, power: usize, candidates: &'p Candidates, taken: &mut Taken<'p>) {
        let mut reached = std::mem::take(&mut taken.reached);
        reached.clear();
        reached.extend(candidates.leading.iter().copied().take(TARGETS));
        let mut unseen = candidates.grouped;
        let unlimited = self.powers.get(power).is_none_or(|power| power.unlimited);
        let outline = self.outlines.get(power).filter(|_| !unlimited).copied().unwrap_or(Outline::FULL);
        for group in candidates.groups.iter().take(COMPARED) {
            if reached.len() >= TARGETS {
                break;
            }
            unseen = unseen.saturating_sub(group.count);
            if outline.lacks(&group.outline) || self.holds_more(power, group.power, taken) {
                reached.extend(group.members());
                taken.left_out |= group.members().len() < group.count;
            }
        }
        taken.left_out |= candidates.leading.len() > TARGETS || unseen > 0;
        taken.reached = reached;
        taken.looked_at = Some(candidates);
    }

    /// Takes the step to one account, if that leads to more.
    pub(super) fn take_account<'p>(&'p self, power: usize, way: &Way<'p>, account: u32, taken: &mut Taken<'p>) {
        if self.has_more(power, account, taken) && taken.reaches(account, way.conditional) {
            taken.steps.push(way.step(Target::Account(account), false));
        }
    }

    /// Whether someone else's access reaches anything that a power does not.
    fn holds_more(&self, power: usize, other: usize, taken: &mut Taken<'_>) -> bool {
        power != other
            && !*taken.covered.entry(other).or_insert_with(|| match (self.powers.get(power), self.powers.get(other)) {
                (Some(ours), Some(theirs)) => ours.covers(theirs),
                _ => true,
            })
    }

    /// Whether an account leads to anything that a power does not.
    fn has_more(&self, power: usize, account: u32, taken: &mut Taken<'_>) -> bool {
        self.accounts
            .get(account as usize)
            .is_some_and(|account| account.leads_on || self.holds_more(power, account.power, taken))
    }
}
