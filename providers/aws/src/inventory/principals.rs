//! Users and groups, and the policies that come together in a principal.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use evenhand_model::control::{Control, ControlKind};
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, Strength};
use evenhand_model::trust::{Mechanism, Trust};

use super::facts::{Described, Facts};
use super::nature::{of_name, of_tags, signal};
use super::people::Person;
use super::{ENABLED, Join, below, declared_first, identity};
use crate::inventory::tags;
use crate::provider::NAME;
use crate::world::{AccountId, PolicyIx, Principal, PrincipalKind};

/// Managed policies by account and name, and the vendor's own by name alone.
#[derive(Default)]
pub(super) struct Policies {
    by_arn: HashMap<(Option<AccountId>, Arc<str>), PolicyIx, foldhash::fast::RandomState>,
    anywhere: HashMap<Arc<str>, PolicyIx, foldhash::fast::RandomState>,
}

impl Policies {
    pub(super) fn new(facts: &Facts) -> Self {
        let mut policies = Self::default();
        for ((account, arn), managed) in &facts.managed {
            policies.by_arn.insert((account.clone(), Arc::clone(arn)), managed.policy);
            policies.anywhere.entry(Arc::clone(arn)).or_insert(managed.policy);
        }
        policies
    }

    /// All of them, sorted.
    pub(super) fn all(&self) -> Vec<PolicyIx> {
        let mut all: Vec<PolicyIx> = self.by_arn.values().copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// How each is named.
    pub(super) fn arns(&self) -> BTreeMap<PolicyIx, Arc<str>> {
        self.by_arn.iter().map(|((_, arn), policy)| (*policy, Arc::clone(arn))).collect()
    }

    pub(super) fn get(&self, account: &AccountId, arn: &Arc<str>) -> Option<PolicyIx> {
        self.by_arn.get(&(Some(account.clone()), Arc::clone(arn))).or_else(|| self.anywhere.get(arn)).copied()
    }
}

/// What a group gives its members.
#[derive(Default)]
struct Given {
    policies: Vec<PolicyIx>,
    managed: Vec<Arc<str>>,
    missing: Vec<Arc<str>>,
}

/// Groups by account and name.
#[derive(Default)]
pub(super) struct Groups(HashMap<(AccountId, Arc<str>), (IdentityId, Given), foldhash::fast::RandomState>);

impl Groups {
    pub(super) fn new(groups: &[(IdentityId, Described)], policies: &Policies) -> Self {
        let mut all = HashMap::default();
        for (id, held) in groups {
            let given = gather(held, policies);
            all.insert((held.account.clone(), Arc::clone(&held.name)), (id.clone(), given));
        }
        Self(all)
    }

    pub(super) fn id(&self, account: &AccountId, name: &Arc<str>) -> Option<IdentityId> {
        self.0.get(&(account.clone(), Arc::clone(name))).map(|(id, _)| id.clone())
    }
}

fn gather(held: &Described, policies: &Policies) -> Given {
    let mut given = Given { policies: held.inline.clone(), ..Given::default() };
    for arn in &held.attached {
        match policies.get(&held.account, arn) {
            Some(policy) => given.policies.push(policy),
            None => given.missing.push(Arc::clone(arn)),
        }
        given.managed.push(Arc::clone(arn));
    }
    given
}

impl Join {
    /// Keeps a principal, and what it lacks for the gaps.
    pub(super) fn hold(&mut self, principal: Principal) {
        self.miss(&principal);
        self.principals.push(principal);
    }

    /// Notes the policies of a principal that are not in the capture.
    pub(super) fn miss(&mut self, principal: &Principal) {
        let lacks = principal.missing.iter().chain(&principal.unread_boundary);
        if lacks.clone().next().is_some() {
            self.missing.entry(Arc::clone(&principal.account.0)).or_default().extend(lacks.cloned());
        }
    }

    /// The principal as the resolver sees it.
    pub(super) fn principal(&self, id: &IdentityId, held: Described) -> Principal {
        let mut given = gather(&held, &self.policies);
        let mut attached = given.managed.clone();
        let mut groups = Vec::new();
        for name in &held.groups {
            match self.groups.0.get(&(held.account.clone(), Arc::clone(name))) {
                Some((group, more)) => {
                    groups.push(group.clone());
                    given.policies.extend(&more.policies);
                    given.managed.extend(more.managed.iter().cloned());
                    given.missing.extend(more.missing.iter().cloned());
                }
                None => given.missing.push(Arc::from(format!("group {name}"))),
            }
        }
        given.policies.sort();
        given.policies.dedup();
        for list in [&mut given.managed, &mut given.missing, &mut attached] {
            list.sort();
            list.dedup();
        }
        groups.sort();
        groups.dedup();
        let mut unread_boundary = None;
        let boundary = match &held.boundary {
            None => Fact::Absent,
            Some(arn) => {
                let boundary = self.policies.get(&held.account, arn);
                if boundary.is_none() {
                    unread_boundary = Some(Arc::clone(arn));
                }
                Fact::known(boundary)
            }
        };
        let person = self.people.get(id);
        Principal {
            id: id.clone(),
            kind: held.kind,
            service_linked: held.path.starts_with("/aws-service-role/"),
            account: held.account,
            name: held.name,
            identity_policies: given.policies,
            boundary,
            unread_boundary,
            trust: held.trust,
            missing: given.missing,
            tags: held.tags,
            instance_profiles: held.instance_profiles,
            groups,
            managed_policies: given.managed,
            attached,
            password: person.map_or(Fact::Unknown, |person| person.password),
            access_keys: match person {
                Some(person) if person.keys_known => Fact::Known(u8::try_from(person.keys.len()).unwrap_or(u8::MAX)),
                _ => Fact::Unknown,
            },
        }
    }

    pub(super) fn user(&mut self, id: IdentityId, held: Described) {
        let mut user = identity(&id, &held.account.0, "user", &held.name, &held.evidence);
        user.created_at = held.created_at;
        tags::declare(&mut user, held.tags.as_ref());
        let person = self.people.get(&id).cloned().unwrap_or_default();
        let declared = held.tags.as_ref().map(|tags| of_tags(tags, &held.evidence)).unwrap_or_default();
        user.signals = declared_first(declared, person.signals());
        user.signals.extend(of_name(&held.name, &held.evidence));
        user.last_used_at = person.last_used_at();
        user.enabled = person.enabled();
        user.human_sign_in = person.password;
        user.third_party = Fact::Known(false);
        for name in &held.groups {
            if let Some(group) = self.groups.id(&held.account, name) {
                self.inventory.trusts.push(Trust {
                    source: id.shared(),
                    target: group,
                    provider: NAME,
                    mechanism: Mechanism::Membership,
                    constraint: Arc::from(""),
                    weak: Truth::No,
                    weakness: Arc::from(""),
                    evidence: below(&held.evidence, "/GroupList"),
                });
            }
        }
        self.of_person(&id, &person);
        let principal = self.principal(&id, held);
        self.hold(principal);
        self.add(user);
    }

    fn of_person(&mut self, id: &IdentityId, person: &Person) {
        self.inventory.credentials.extend(person.credentials(id));
        if let (Some(factors), Some(evidence)) =
            (person.factors(), person.mfa_evidence.as_ref().or(person.evidence.as_ref()))
        {
            let control = Control::new(id.clone(), ControlKind::Mfa, factors.into(), evidence.clone());
            self.inventory.controls.push(control);
        }
    }

    /// The root user, and users whom only their credentials show.
    pub(super) fn users_without_details(&mut self) {
        let people: Vec<(IdentityId, Person)> = self
            .people
            .iter()
            .filter(|(id, _)| !self.natures.contains_key(*id))
            .map(|(id, person)| (id.clone(), person.clone()))
            .collect();
        for (id, person) in people {
            let (Some(account), Some(name), Some(evidence)) = (&person.account, &person.name, &person.evidence) else {
                continue;
            };
            let kind = if person.root { "root_user" } else { "user" };
            let mut user = identity(&id, &account.0, kind, name, evidence);
            user.created_at = person.created_at;
            user.last_used_at = person.last_used_at();
            user.enabled = if person.root { ENABLED } else { person.enabled() };
            user.human_sign_in = person.password;
            user.third_party = Fact::Known(false);
            user.signals = person.signals();
            if !person.root {
                user.signals.extend(of_name(name, evidence));
            }
            self.of_person(&id, &person);
            if person.root {
                self.principals.push(Principal {
                    id: id.clone(),
                    account: account.clone(),
                    kind: PrincipalKind::Root,
                    name: Arc::clone(name),
                    identity_policies: Vec::new(),
                    boundary: Fact::Absent,
                    unread_boundary: None,
                    trust: None,
                    missing: Vec::new(),
                    tags: None,
                    service_linked: false,
                    instance_profiles: Vec::new(),
                    groups: Vec::new(),
                    managed_policies: Vec::new(),
                    attached: Vec::new(),
                    password: person.password,
                    access_keys: if person.keys_known {
                        Fact::Known(u8::try_from(person.keys.len()).unwrap_or(u8::MAX))
                    } else {
                        Fact::Unknown
                    },
                });
            }
            self.add(user);
        }
    }

    pub(super) fn group(&mut self, id: IdentityId, held: Described, members: &[IdentityId]) {
        let mut group = identity(&id, &held.account.0, "group", &held.name, &held.evidence);
        group.created_at = held.created_at;
        group.enabled = ENABLED;
        group.third_party = Fact::Known(false);
        group.human_sign_in = Fact::Absent;
        let of = |nature: Nature| members.iter().filter(|member| self.natures.get(*member) == Some(&nature)).count();
        let (humans, others) = (of(Nature::Human), of(Nature::Workload) + of(Nature::AiAgent));
        if humans > 0 {
            let reason = format!("{humans} of its {} members sign in as people", members.len());
            group.signals.push(signal(Nature::HumanRole, Strength::Strong, reason, &held.evidence));
        } else if others > 0 && others == members.len() {
            let reason = "none of its members is a person";
            group.signals.push(signal(Nature::Workload, Strength::Medium, reason, &held.evidence));
        }
        group.signals.extend(of_name(&held.name, &held.evidence));
        // People reach what the group grants under the factors that stand before each of them.
        let factors: Vec<Option<bool>> = members
            .iter()
            .filter(|member| self.natures.get(*member) == Some(&Nature::Human))
            .map(|member| self.people.get(member).and_then(Person::factors))
            .collect();
        if !factors.is_empty() {
            let in_place = if factors.contains(&Some(false)) {
                Truth::No
            } else if factors.contains(&None) {
                Truth::Unknown
            } else {
                Truth::Yes
            };
            let control = Control::new(id.clone(), ControlKind::Mfa, in_place, held.evidence.clone());
            self.inventory.controls.push(control);
        }
        let principal = self.principal(&id, held);
        self.hold(principal);
        self.add(group);
    }
}
