//! Steps that rules with names allow: what the names are decides where each leads.

use std::sync::Arc;

use evenhand_model::id::IdentityId;
use evenhand_model::opset::OpSet;

use super::super::power::Power;
use super::super::techniques::Names;
use super::{Field, Leads, TECHNIQUES, Taken, Target, Way};
use crate::rbac::MASTERS;

/// A rule limited to a name, and what it grants beyond what is held without names.
struct Held<'a> {
    /// The namespace in which it is bound; empty = the whole cluster.
    home: &'a Arc<str>,
    name: &'a Arc<str>,
    operations: &'a OpSet,
}

impl Field<'_> {
    pub(super) fn take_named<'p>(&'p self, power_at: usize, power: &'p Power, taken: &mut Taken<'p>) {
        for ((home, name), operations) in power.named.iter() {
            if self.triggers.of(operations).is_none() {
                continue;
            }
            let held = Held { home, name, operations };
            for (technique, leads, conditional) in self.leading.iter().copied() {
                let names = TECHNIQUES.get(technique).map_or(Names::Useless, |technique| technique.names);
                let needs = self.ground.needs(technique);
                if names == Names::Useless || !needs.iter().any(|need| need.touches(operations)) {
                    continue;
                }
                let way = |home: Option<&'p Arc<str>>| {
                    let home = home.map(|name| self.home(name));
                    Way { technique, leads, home, name: Some(name), conditional }
                };
                if names == Names::Identities {
                    self.take_impersonation(&way(None), &held, power, taken);
                    continue;
                }
                for home in self.made_in(technique, &held, power) {
                    self.take_name(power_at, way(home), names, &held, power, taken);
                }
            }
        }
    }

    /// The namespaces where a rule limited to a name and what is held there without names make a technique; `None` = the
    /// whole cluster.
    fn made_in<'a>(&self, technique: usize, held: &Held<'a>, power: &'a Power) -> Vec<Option<&'a Arc<str>>> {
        let meets = |home: Option<&Arc<str>>| {
            let beside = home.map_or_else(|| power.cluster.clone(), |home| power.within(home));
            self.ground.meets(technique, &beside.union(held.operations), home.is_some())
        };
        if !held.home.is_empty() {
            return Some(held.home).into_iter().filter(|home| meets(Some(home))).map(Some).collect();
        }
        if meets(None) {
            return vec![None];
        }
        let needs = self.ground.needs(technique);
        let local = power.local.iter().filter(|(_, local)| needs.iter().any(|need| need.touches(local)));
        local.map(|(home, _)| home).filter(|home| meets(Some(home))).map(Some).collect()
    }

    /// Takes what one name leads to.
    fn take_name<'p>(
        &'p self,
        power_at: usize,
        mut way: Way<'p>,
        names: Names,
        held: &Held<'p>,
        power: &'p Power,
        taken: &mut Taken<'p>,
    ) {
        let named = |name: &Arc<str>, home: Option<&Arc<str>>| -> Vec<u32> {
            let there = |number: &u32| {
                let account = self.accounts.get(*number as usize);
                account.is_some_and(|account| home.is_none_or(|home| account.namespace == home))
            };
            self.named(name).iter().copied().filter(there).collect()
        };
        match names {
            Names::Useless | Names::Identities => {}
            Names::Accounts => {
                for number in named(held.name, way.home.map(|home| home.name)) {
                    self.take_account(power_at, &way, number, taken);
                }
            }
            Names::Secrets => {
                for (namespace, secret, account) in &self.surroundings.tokens {
                    if secret == held.name && way.home.is_none_or(|home| namespace == home.name) {
                        for number in named(account, Some(namespace)) {
                            self.take_account(power_at, &way, number, taken);
                        }
                    }
                }
            }
            Names::Roles => self.take_role(power_at, &way, held, power, taken),
            Names::Namespaces => {
                if way.home.is_none_or(|home| home.name == held.name) {
                    self.take(power_at, &way, taken);
                }
            }
            // Whether there is an object of that name is not known, but for those that every cluster has.
            Names::Objects([]) => {
                way.conditional = true;
                self.take(power_at, &way, taken);
            }
            Names::Objects(known) => {
                if known.contains(&&**held.name) {
                    self.take(power_at, &way, taken);
                }
            }
        }
    }

    /// Takes what binding one role leads to: that of whoever holds it too.
    fn take_role<'p>(&'p self, power_at: usize, way: &Way<'p>, held: &Held<'_>, power: &Power, taken: &mut Taken<'p>) {
        let bindable = |resource: &str| {
            let bind = self.resolver.operations.operations("rbac.authorization.k8s.io", resource, "", &["bind"]);
            held.operations.intersects(&bind)
        };
        let clusterwide = way.leads == Leads::Cluster;
        let mut gained = OpSet::new();
        if bindable("clusterroles") {
            gained = gained.union(&self.cluster.operations_of("", held.name, clusterwide));
        }
        if let Some(home) = way.home.filter(|_| bindable("roles")) {
            gained = gained.union(&self.cluster.operations_of(home.name, held.name, false));
        }
        let there = self.ground.there(!clusterwide);
        let before = way.home.map_or_else(|| power.cluster.clone(), |home| power.within(home.name));
        let after = before.union(&gained);
        if clusterwide && there.is_subset(&after) {
            taken.steps.push(way.step(Target::Cluster, false));
            return;
        }
        for (technique, leads, conditional) in self.leading.iter().copied() {
            let met = |held: &OpSet| self.ground.meets(technique, held, !clusterwide);
            let new = met(&after) && !met(&before);
            // Bound in one namespace, a role makes nobody master of all.
            if new && (clusterwide || leads != Leads::Cluster) {
                self.take(power_at, &Way { leads, conditional: way.conditional || conditional, ..*way }, taken);
            }
        }
    }

    /// Impersonation of a named user or group. A group is claimed beside some user or account.
    fn take_impersonation<'p>(&'p self, way: &Way<'p>, held: &Held<'_>, power: &Power, taken: &mut Taken<'p>) {
        let of = |resource: &str| self.resolver.operations.operations("", resource, "", &["impersonate"]);
        let (users, groups) = (of("users"), of("groups"));
        let someone = users.union(&of("serviceaccounts"));
        let actor = |word: &str| {
            let id = IdentityId::new(format!("kubernetes:{}:{word}:{}", self.cluster.policy.name, held.name));
            let at = self.members.binary_search_by_key(&&id, |member| member.id).ok()?;
            self.members.get(at).map(|member| Target::Actor(member.number))
        };
        if way.leads == Leads::Cluster {
            if held.operations.intersects(&users) {
                taken.steps.extend(actor("user").map(|target| way.step(target, false)));
            }
            return;
        }
        let beside_someone = power.cluster.intersects(&someone)
            || power.local.values().chain(power.named.values()).any(|held| held.intersects(&someone));
        if held.operations.intersects(&groups) && beside_someone {
            let target = if &**held.name == MASTERS { Some(Target::Cluster) } else { actor("group") };
            taken.steps.extend(target.map(|target| way.step(target, false)));
        }
        // Any group, beside the one user or account of this name.
        if power.cluster.intersects(&groups) && held.operations.intersects(&someone) {
            taken.steps.push(way.step(Target::Cluster, false));
        }
    }
}
