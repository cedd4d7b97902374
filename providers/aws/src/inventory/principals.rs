//! Users and groups, and the policies that come together in a principal.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use evenhand_model::control::{Control, ControlKind};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, Signal, Strength, judge};
use evenhand_model::inventory::Inventory;
use evenhand_model::order::sort_by_text;
use evenhand_model::trust::{Mechanism, Trust};
use rayon::prelude::*;

use super::facts::{self, Described, Facts};
use super::nature::{of_name, of_tags, signal};
use super::output::OutputPart;
use super::people::Person;
use super::{ENABLED, Join, below, identity};
use crate::inventory::tags;
use crate::provider::NAME;
use crate::world::{AccountId, PolicyIx, Principal, PrincipalKind};

/// Managed policies by name (ARN), each with the account of the document that has it.
#[derive(Default)]
pub(super) struct Policies {
    first: HashMap<Arc<str>, (Option<AccountId>, PolicyIx), foldhash::fast::RandomState>,
    /// Those of a name that another account has too: the vendor's own.
    others: HashMap<(Option<AccountId>, Arc<str>), PolicyIx, foldhash::fast::RandomState>,
}

impl Policies {
    pub(super) fn new(facts: &Facts) -> Self {
        let mut policies = Self::default();
        policies.first.reserve(facts.managed.len());
        for ((account, arn), managed) in &facts.managed {
            match policies.first.entry(Arc::clone(arn)) {
                Entry::Vacant(free) => {
                    free.insert((account.clone(), managed.policy));
                }
                Entry::Occupied(_) => {
                    policies.others.insert((account.clone(), Arc::clone(arn)), managed.policy);
                }
            }
        }
        policies
    }

    /// All of them, sorted.
    pub(super) fn all(&self) -> Vec<PolicyIx> {
        let mut all: Vec<PolicyIx> = self.first.values().map(|(_, policy)| *policy).collect();
        all.extend(self.others.values());
        all.sort_unstable();
        all.dedup();
        all
    }

    /// How each is named.
    pub(super) fn arns(&self) -> BTreeMap<PolicyIx, Arc<str>> {
        let first = self.first.iter().map(|(arn, (_, policy))| (*policy, Arc::clone(arn)));
        first.chain(self.others.iter().map(|((_, arn), policy)| (*policy, Arc::clone(arn)))).collect()
    }

    /// The policy of a name in an account, or where that has none, in the account that was read first.
    pub(super) fn get(&self, account: &AccountId, arn: &Arc<str>) -> Option<PolicyIx> {
        let (of, policy) = self.first.get(arn)?;
        if of.as_ref() == Some(account) || self.others.is_empty() {
            return Some(*policy);
        }
        self.others.get(&(Some(account.clone()), Arc::clone(arn))).or(Some(policy)).copied()
    }
}

/// What a group gives its members.
struct Given {
    policies: Vec<PolicyIx>,
    managed: Vec<Arc<str>>,
    missing: Vec<Arc<str>>,
}

/// A group with those who are in it.
struct Group {
    id: IdentityId,
    given: Given,
    members: Vec<Member>,
}

/// Who is in a group, and where that user is described.
struct Member {
    id: IdentityId,
    evidence: Evidence,
}

/// Groups by account and name.
#[derive(Default)]
pub(super) struct Groups(HashMap<(AccountId, Arc<str>), Group, foldhash::fast::RandomState>);

impl Groups {
    /// Groups, as yet without members.
    fn new(all: &[Unjoined], policies: &Policies) -> Self {
        let mut groups = Self::default();
        for one in all.iter().filter(|one| one.held.kind == PrincipalKind::Group) {
            let held = &one.held;
            let (own, missing) = gather(held, policies);
            let given = Given { policies: own, managed: held.attached.clone(), missing };
            let group = Group { id: one.id.clone(), given, members: Vec::new() };
            groups.0.insert((held.account.clone(), Arc::clone(&held.name)), group);
        }
        groups
    }

    fn get(&self, account: &AccountId, name: &Arc<str>) -> Option<&Group> {
        self.0.get(&(account.clone(), Arc::clone(name)))
    }

    /// Adds a user to a group of its account.
    fn enter(&mut self, name: &Arc<str>, user: &Unjoined) {
        if let Some(group) = self.0.get_mut(&(user.held.account.clone(), Arc::clone(name))) {
            group.members.push(Member { id: user.id.clone(), evidence: user.held.evidence.clone() });
        }
    }

    /// The members of a group, sorted.
    fn members(&self, id: &IdentityId, held: &Described) -> Vec<&Member> {
        let group = self.get(&held.account, &held.name).filter(|group| group.id == *id);
        let mut members: Vec<&Member> = group.map(|group| group.members.iter().collect()).unwrap_or_default();
        members.sort_by(|a, b| a.id.cmp(&b.id));
        members
    }
}

/// The policies of a principal's own, and the names of those that are not in the capture.
fn gather(held: &Described, policies: &Policies) -> (Vec<PolicyIx>, Vec<Arc<str>>) {
    let mut own: Vec<PolicyIx> = Vec::with_capacity(held.inline.len() + held.attached.len());
    own.extend(&held.inline);
    let mut missing = Vec::new();
    for arn in &held.attached {
        match policies.get(&held.account, arn) {
            Some(policy) => own.push(policy),
            None => missing.push(Arc::clone(arn)),
        }
    }
    (own, missing)
}

/// A principal that was described, before it is joined with the others.
pub(super) struct Unjoined {
    pub(super) id: IdentityId,
    pub(super) held: Box<Described>,
    /// Reasons for the nature of a user, by which others are judged.
    pub(super) signals: Vec<Signal>,
}

impl Unjoined {
    fn new(arn: Arc<str>, held: Box<Described>) -> Self {
        Self { id: IdentityId::new(arn), held, signals: Vec::new() }
    }

    fn is_role(&self) -> bool {
        self.held.kind == PrincipalKind::Role
    }
}

/// Principals that are read before they are put together: enough to keep all cores busy, and too few to hold much twice.
const AT_ONCE: usize = 2048;
/// Principals that one core reads in a row.
const READ_IN_A_ROW: usize = 64;

impl Join {
    /// Adds all principals: those that were described, and those that only other documents show.
    pub(super) fn principals(&mut self, described: facts::Principals) {
        let mut all: Vec<Unjoined> = described.into_iter().map(|(arn, held)| Unjoined::new(arn, held)).collect();
        let roles = all.iter().filter(|one| one.is_role()).count();
        // Others come from elsewhere.
        let beside = all.len() / 16;
        self.made.expect(all.len() + beside, roles + self.people.len() + beside);
        self.groups = Groups::new(&all, &self.policies);
        self.users(&mut all);
        self.users_without_details();
        self.owners.store(&self.facts.center);
        self.find_ways(&all);
        // What comes of them is then in order too, and need not be moved.
        sort_by_text(&mut all, |one| one.id.as_str(), |_, _| Ordering::Equal);
        self.read_all(all);
        self.permission_sets();
        self.job_functions();
    }

    /// Judges users, by whom roles and groups are judged, and tells groups their members.
    fn users(&mut self, all: &mut [Unjoined]) {
        let join = &*self;
        let users = all.par_iter_mut().filter(|one| one.held.kind == PrincipalKind::User);
        users.for_each(|one| one.signals = join.signals(&one.id, &one.held));
        for one in all.iter().filter(|one| one.held.kind == PrincipalKind::User) {
            let nature = judge(&one.signals).nature;
            if nature == Nature::Human {
                let enabled = self.people.get(&one.id).map_or(Fact::Unknown, Person::enabled);
                self.owners.person(&one.held.name, enabled);
            }
            self.natures.insert(one.id.clone(), nature);
            one.held.groups.iter().for_each(|group| self.groups.enter(group, one));
        }
    }

    /// Reasons for the nature of a user.
    fn signals(&self, id: &IdentityId, held: &Described) -> Vec<Signal> {
        // Declarations come first: among signs of equal strength the first one decides.
        let mut signals = held.tags.as_ref().map(|tags| of_tags(tags, &held.evidence)).unwrap_or_default();
        let of_person = self.people.get(id).map(Person::signals).unwrap_or_default();
        let of_name = of_name(&held.name, &held.evidence);
        signals.reserve_exact(of_person.len() + usize::from(of_name.is_some()));
        signals.extend(of_person);
        signals.extend(of_name);
        signals
    }

    /// Reads principals on all cores, and puts together in their order what was read before, meanwhile.
    fn read_all(&mut self, all: Vec<Unjoined>) {
        let mut made = std::mem::take(&mut self.made);
        let mut left = all.into_iter();
        let mut parts: Vec<OutputPart> = Vec::new();
        loop {
            let some: Vec<Unjoined> = left.by_ref().take(AT_ONCE).collect();
            let (join, ended) = (&*self, some.is_empty());
            let ((), read) = rayon::join(
                || parts.drain(..).for_each(|part| made.add(part)),
                || some.into_par_iter().chunks(READ_IN_A_ROW).map(|ones| join.read(ones)).collect(),
            );
            parts = read;
            if ended {
                break;
            }
        }
        self.made = made;
    }

    fn read(&self, ones: Vec<Unjoined>) -> OutputPart {
        let mut part = OutputPart::of(ones.len(), ones.iter().filter(|one| one.is_role()).count());
        for one in ones {
            match one.held.kind {
                PrincipalKind::User => self.user(one, &mut part),
                PrincipalKind::Group => self.group(one, &mut part),
                _ => self.role(one, &mut part),
            }
        }
        part
    }

    /// The principal as the resolver sees it.
    pub(super) fn principal(&self, id: &IdentityId, held: Described) -> Principal {
        let (mut policies, mut missing) = gather(&held, &self.policies);
        let mut attached = held.attached;
        attached.sort();
        attached.dedup();
        let mut managed = attached.clone();
        let mut groups = Vec::new();
        for name in &held.groups {
            match self.groups.get(&held.account, name) {
                Some(group) => {
                    groups.push(group.id.clone());
                    policies.extend(&group.given.policies);
                    managed.extend(group.given.managed.iter().cloned());
                    missing.extend(group.given.missing.iter().cloned());
                }
                None => missing.push(Arc::from(format!("group {name}"))),
            }
        }
        policies.sort();
        policies.dedup();
        missing.sort();
        missing.dedup();
        if !groups.is_empty() {
            managed.sort();
            managed.dedup();
            groups.sort();
            groups.dedup();
        }
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
            identity_policies: policies,
            boundary,
            unread_boundary,
            trust: held.trust,
            missing,
            tags: held.tags,
            instance_profiles: held.instance_profiles,
            groups,
            managed_policies: managed,
            attached,
            password: person.map_or(Fact::Unknown, |person| person.password),
            access_keys: match person {
                Some(person) if person.keys_known => Fact::Known(u8::try_from(person.keys.len()).unwrap_or(u8::MAX)),
                _ => Fact::Unknown,
            },
        }
    }

    fn user(&self, one: Unjoined, part: &mut OutputPart) {
        let Unjoined { id, held, signals } = one;
        let person = self.people.get(&id);
        let mut user = identity(&id, &held.account.0, "user", &held.name, &held.evidence);
        user.created_at = held.created_at;
        tags::declare(&mut user, held.tags.as_ref());
        user.owner_active = self.owners.activity(&user.owner);
        user.signals = signals;
        user.last_used_at = person.map_or(Fact::Unknown, Person::last_used_at);
        user.enabled = person.map_or(Fact::Unknown, Person::enabled);
        user.human_sign_in = person.map_or(Fact::Unknown, |person| person.password);
        user.third_party = Fact::Known(false);
        if let Some(person) = person {
            of_person(&id, person, &mut part.inventory);
        }
        part.principals.push(self.principal(&id, *held));
        part.inventory.identities.push(user);
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
            of_person(&id, &person, &mut self.made.inventory);
            if person.root {
                self.made.keep(Principal {
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
            let nature = judge(&user.signals).nature;
            if !person.root && nature == Nature::Human {
                self.owners.person(name, user.enabled);
            }
            self.natures.insert(id, nature);
            self.made.inventory.identities.push(user);
        }
    }

    fn group(&self, one: Unjoined, part: &mut OutputPart) {
        let Unjoined { id, held, .. } = one;
        let members = self.groups.members(&id, &held);
        let nothing: Arc<str> = Arc::from("");
        part.inventory.trusts.extend(members.iter().map(|member| Trust {
            source: member.id.shared(),
            target: id.clone(),
            provider: NAME,
            mechanism: Mechanism::Membership,
            constraint: Arc::clone(&nothing),
            weak: Truth::No,
            weakness: Arc::clone(&nothing),
            evidence: below(&member.evidence, "/GroupList"),
        }));
        let mut group = identity(&id, &held.account.0, "group", &held.name, &held.evidence);
        group.created_at = held.created_at;
        group.enabled = ENABLED;
        group.third_party = Fact::Known(false);
        group.human_sign_in = Fact::Absent;
        let is = |member: &Member, nature: Nature| self.natures.get(&member.id) == Some(&nature);
        let of = |nature: Nature| members.iter().filter(|member| is(member, nature)).count();
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
            .filter(|member| is(member, Nature::Human))
            .map(|member| self.people.get(&member.id).and_then(Person::factors))
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
            part.inventory.controls.push(control);
        }
        part.principals.push(self.principal(&id, *held));
        part.inventory.identities.push(group);
    }
}

/// Adds what a user proves itself with, and what stands before it.
fn of_person(id: &IdentityId, person: &Person, inventory: &mut Inventory) {
    inventory.credentials.extend(person.credentials(id));
    if let (Some(factors), Some(evidence)) =
        (person.factors(), person.mfa_evidence.as_ref().or(person.evidence.as_ref()))
    {
        let control = Control::new(id.clone(), ControlKind::Mfa, factors.into(), evidence.clone());
        inventory.controls.push(control);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::facts::Managed;

    #[test]
    fn a_policy_of_the_vendor_is_that_of_the_account_or_else_the_first_that_was_read() {
        let account = |number: &str| AccountId(Arc::from(number));
        let vendors: Arc<str> = "arn:aws:iam::aws:policy/A".into();
        let own: Arc<str> = "arn:aws:iam::1:policy/B".into();
        let mut facts = Facts::default();
        for (number, (of, arn)) in (0..).zip([("1", &vendors), ("2", &vendors), ("1", &own)]) {
            let managed = Managed { policy: PolicyIx(number), evidence: Evidence::whole("x") };
            facts.managed.insert((Some(account(of)), Arc::clone(arn)), managed);
        }
        let policies = Policies::new(&facts);
        let get = |of: &str, arn: &Arc<str>| policies.get(&account(of), arn).map(|policy| policy.0);
        assert_eq!([get("1", &vendors), get("2", &vendors), get("3", &vendors)], [Some(0), Some(1), Some(0)]);
        assert_eq!([get("1", &own), get("2", &own)], [Some(2), Some(2)]);
        assert_eq!((policies.all().len(), policies.arns().len()), (3, 3));
    }
}
