//! The inventory: what the documents said, joined into identities with their credentials, trusts and workloads, and into
//! the [`World`] from which access is resolved.

pub(crate) mod accounts;
pub(crate) mod arn;
mod center;
mod clusters;
pub(crate) mod facts;
mod gaps;
mod logs;
pub(crate) mod nature;
mod organisation;
mod output;
mod owners;
mod people;
mod principals;
mod roles;
mod running;
mod tags;
mod trust;
mod workloads;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::inventory::{Hint, Inventory};

use accounts::{Accounts, Membership};
use facts::{Carrier, Facts};
pub(crate) use gaps::some;
use output::Output;
use owners::Owners;
use people::{People, UserIndex};
use principals::{Groups, Policies};
use workloads::{Carried, Profiles, RoleNames};

use crate::documents::resources::whole_name;
use crate::provider::NAME;
use crate::world::{AccountId, PrincipalKind, ResourcePolicy, World};

/// What the user configured about accounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Whether signing in through Identity Center asks for several factors.
    pub(crate) center_mfa: Truth,
}

/// What the documents make.
pub(crate) struct Joined {
    pub(crate) inventory: Inventory,
    pub(crate) world: World,
}

/// The state of joining.
struct Join {
    settings: Settings,
    facts: Facts,
    accounts: Accounts,
    members: Membership,
    people: People,
    carried: Carried,
    policies: Policies,
    groups: Groups,
    owners: Owners,
    /// Natures of users, for trusts and groups that name them.
    natures: HashMap<IdentityId, Nature, foldhash::fast::RandomState>,
    /// Ways into a role, by the content of the trust policy.
    ways: HashMap<u32, Arc<Vec<trust::Way>>, foldhash::fast::RandomState>,
    /// OIDC providers that each account has, where they were listed.
    providers: BTreeMap<AccountId, BTreeSet<Arc<str>>>,
    /// What lets principals into clusters, and as whom is not known.
    entered: clusters::Unseen,
    made: Output,
}

/// Joins everything.
pub(crate) fn join(mut facts: Facts, settings: Settings) -> Joined {
    organisation::complete(&mut facts);
    let problems = facts.policies.compile();
    let described = std::mem::take(&mut facts.principals);
    let Lookups { users, profiles, roles, accounts } = lookups(&described, &facts);
    let mut accounts = Accounts::new(&facts, accounts);
    let members = Membership::new(&facts, &accounts);
    let mut inventory = Inventory { gaps: std::mem::take(&mut facts.gaps), ..Inventory::default() };
    inventory.hints.append(&mut facts.hints);
    // What is broken is a problem too.
    let broken: BTreeSet<&Evidence> = match problems.is_empty() {
        true => BTreeSet::new(),
        false => facts.policies.broken_places().into_iter().collect(),
    };
    for (evidence, problem) in problems {
        if broken.contains(&evidence) {
            inventory.gaps.push(Gap {
                provider: Some(NAME),
                scope: None,
                kind: GapKind::Failed,
                call: evidence.to_string().into(),
                reason: format!("{problem}; export it again").into(),
                facts: vec![Lost::of("access that this policy grants or denies", &[Subject::Access])],
            });
        } else {
            let message = format!("{problem}; check the spelling, or whether it is newer or older than the catalogue");
            inventory.hints.push(Hint { evidence, message: message.into() });
        }
    }
    let people = people::collect(&facts, &users, &mut accounts);
    let shared = clusters::shared_names(&facts, &accounts, &mut inventory);
    let carried = workloads::join(&facts, &profiles, &roles, &shared, &mut accounts, &mut inventory);
    let entered = clusters::join(&facts, &shared, &mut inventory);
    inventory.logs = logs::logs(&facts, &mut accounts);
    let policies = Policies::new(&facts);
    let mut providers: BTreeMap<AccountId, BTreeSet<Arc<str>>> = BTreeMap::new();
    for said in &facts.identity_providers {
        if let (Some(account), true) = (&said.account, said.it.contains(":oidc-provider/")) {
            providers.entry(account.clone()).or_default().insert(Arc::clone(&said.it));
        }
    }
    let mut join = Join {
        settings,
        facts,
        accounts,
        members,
        people,
        carried,
        policies,
        groups: Groups::default(),
        owners: Owners::default(),
        natures: HashMap::default(),
        ways: HashMap::default(),
        providers,
        entered,
        made: Output { inventory, ..Output::default() },
    };
    join.principals(described);
    join.finish()
}

/// What descriptions are found by, and whose they are.
#[derive(Default)]
struct Lookups {
    users: UserIndex,
    profiles: Profiles,
    roles: RoleNames,
    accounts: BTreeSet<AccountId>,
}

fn lookups(described: &facts::Principals, facts: &Facts) -> Lookups {
    let mut lookups = Lookups::default();
    let by_name = facts.placed.iter().filter_map(|said| match &said.it.carrier {
        Carrier::RoleName(name) => Some(&**name),
        _ => None,
    });
    let by_name: BTreeSet<&str> = by_name.collect();
    let mut last: Option<&AccountId> = None;
    for (arn, held) in described {
        // Neighbours are of one account as a rule.
        if last != Some(&held.account) {
            lookups.accounts.insert(held.account.clone());
            last = Some(&held.account);
        }
        if held.kind == PrincipalKind::User {
            let key = (held.account.clone(), Arc::clone(&held.name));
            lookups.users.insert(key, IdentityId::new(Arc::clone(arn)));
        }
        if held.kind == PrincipalKind::Role && by_name.contains(&*held.name) {
            let key = (held.account.clone(), Arc::clone(&held.name));
            lookups.roles.insert(key, IdentityId::new(Arc::clone(arn)));
        }
        for profile in &held.instance_profiles {
            lookups.profiles.insert(Arc::clone(profile), IdentityId::new(Arc::clone(arn)));
        }
    }
    lookups
}

impl Join {
    fn finish(mut self) -> Joined {
        let limits = organisation::limits(&self.facts, &mut self.accounts);
        self.gaps(&limits);
        let carriers_read = running::carriers_read(&self.facts, &mut self.accounts);
        let mut resource_policies = Vec::new();
        for said in &self.facts.resource_policies {
            let account = self.accounts.of(said).unwrap_or_else(|| AccountId(Arc::from("")));
            let Some(resource) = whole_name(&said.it.resource, &self.facts.repositories) else {
                self.made.inventory.gaps.push(Gap {
                    provider: Some(NAME),
                    scope: Some(ScopeId::new(account.0)),
                    kind: GapKind::NotCollected,
                    call: Arc::from("aws ecr describe-repositories"),
                    reason: format!(
                        "nothing says in which region {} is; add the list of repositories",
                        said.it.resource
                    )
                    .into(),
                    facts: vec![Lost::of("access that the repository grants", &[Subject::Access])],
                });
                continue;
            };
            resource_policies.push(ResourcePolicy { resource, account, policy: said.it.policy });
        }
        let repositories = &self.facts.repositories;
        let without = self.facts.without_policy.iter().filter_map(|name| whole_name(name, repositories));
        let without_policy = without.collect();
        self.homeless();
        let Output { inventory, mut principals, .. } = self.made;
        // Those that were described come in their order.
        if !principals.keys().is_sorted() {
            principals.sort_keys();
        }
        let mut carriers = self.carried.carriers;
        carriers.sort_by(|a, b| (&a.arn, &a.role).cmp(&(&b.arn, &b.role)));
        resource_policies.sort_by(|a, b| (&a.resource, a.policy).cmp(&(&b.resource, b.policy)));
        let world = World {
            policies: self.facts.policies,
            principals,
            limits: limits.by_account,
            carriers,
            carriers_read,
            resource_policies,
            without_policy,
            managed: self.policies.all(),
            managed_arns: self.policies.arns(),
            usage: self.facts.usage,
            unread: self.entered,
        };
        Joined { inventory, world }
    }

    fn homeless(&mut self) {
        for document in &self.accounts.homeless {
            self.made.inventory.gaps.push(Gap {
                provider: Some(NAME),
                scope: None,
                kind: GapKind::Failed,
                call: Arc::clone(document),
                reason: Arc::from(
                    "does not say of which account it is; put it into a folder named after the account number, \
                     or beside that account's authorization details",
                ),
                facts: vec![Lost::everything("everything in this document")],
            });
        }
    }
}

/// An identity of an account, as yet without signals.
fn identity(id: &IdentityId, account: &Arc<str>, kind: &'static str, name: &Arc<str>, evidence: &Evidence) -> Identity {
    Identity::new(id.clone(), NAME, ScopeId::new(Arc::clone(account)), kind, Arc::clone(name), evidence.clone())
}

/// The evidence one step further down.
fn below(evidence: &Evidence, step: &str) -> Evidence {
    match &evidence.place {
        evenhand_model::evidence::Place::Pointer(pointer) => {
            Evidence::pointer(Arc::clone(&evidence.document), [&**pointer, step].concat())
        }
        _ => evidence.clone(),
    }
}

/// A fact about nothing in particular: the state of a role that anyone trusted may assume.
const ENABLED: Fact<bool> = Fact::Known(true);
