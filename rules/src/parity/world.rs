//! Everything a comparison looks up, indexed once for all comparisons.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::access::AccessResolver;
use evenhand_model::agent::{Agent, AgentKind, ApprovalMode};
use evenhand_model::control::Control;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::id::{IdentityId, Job, ProviderName, ScopeId};
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::inventory::Inventory;
use evenhand_model::opset::OpSet;
use evenhand_model::trust::{Mechanism, Trust};
use rayon::prelude::*;

use super::ParityConfig;
use super::candidates::Candidates;
use super::memo::Memo;
use super::names::NameIndex;
use super::outcome::{Outcome, PairKey};
use super::view::{Operations, View};
use crate::judgements::Judgements;
use crate::resolvers::Resolvers;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// A provider whose identities hold access.
pub(crate) struct Holder<'a> {
    pub(crate) resolver: &'a dyn AccessResolver,
    pub(crate) operations: Operations<'a>,
}

/// A generic role with what its choice depends on.
pub(crate) struct GenericRole<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) operations: OpSet,
    pub(crate) weight: u64,
}

pub(crate) struct World<'a> {
    pub(crate) inventory: &'a Inventory,
    pub(crate) judged: &'a Judgements,
    pub(crate) config: &'a ParityConfig,
    /// AI identities to compare, sorted by id.
    pub(crate) subjects: Vec<&'a Identity>,
    pub(crate) holders: BTreeMap<ProviderName, Holder<'a>>,
    /// The human roles that each configured job names, in the order of the configuration.
    pub(crate) job_roles: Vec<Candidates<'a>>,
    /// As whom these human roles enter other providers, such as groups of a cluster that lets a cloud's roles in.
    pub(crate) job_entries: Vec<Candidates<'a>>,
    /// As whom an identity enters other providers, by that identity.
    enters: Map<&'a IdentityId, Vec<&'a Identity>>,
    /// Human roles of other providers that are let in as an identity, by that identity.
    entered_by: Map<&'a IdentityId, Vec<&'a Identity>>,
    /// Of which providers people are let in where.
    let_in: BTreeSet<(ProviderName, &'a ScopeId)>,
    /// Human roles by the job they do.
    roles_by_job: BTreeMap<&'a Job, Candidates<'a>>,
    /// Where people, or roles of theirs that the provider does not ship, were read.
    peopled: BTreeSet<(ProviderName, &'a ScopeId)>,
    /// People by the job they do.
    people_by_job: BTreeMap<&'a Job, Candidates<'a>>,
    /// Human roles and people by name.
    by_name: Map<&'a str, Candidates<'a>>,
    pub(crate) names: NameIndex<'a>,
    pub(crate) generic: BTreeMap<ProviderName, Vec<GenericRole<'a>>>,
    /// Trusts by which an identity lends another one's access, by source.
    lent: Map<&'a str, Vec<&'a Trust>>,
    /// People whose credential proves an AI identity, by that identity.
    borrowed_by: Map<&'a IdentityId, Vec<&'a Identity>>,
    /// Groups by member, and members by group, for groups with an AI identity in them.
    groups: Map<&'a str, Vec<&'a IdentityId>>,
    members: Map<&'a IdentityId, Vec<&'a Identity>>,
    controls: Map<&'a IdentityId, Vec<&'a Control>>,
    agents: Map<&'a IdentityId, Vec<&'a Agent>>,
    /// Whether all credentials of an identity that are not switched off end by themselves soon; by identity that has any.
    short_lived: Map<&'a IdentityId, Truth>,
    views: Memo<(ProviderName, u64), View>,
    /// How many AI identities use an access that some hold by themselves: these, and those that are lent it.
    users: Map<(ProviderName, u64), u32>,
    /// Mined accesses; one that could not be mined is not [`View::known`].
    pub(crate) mined: Memo<(ProviderName, Arc<str>), View>,
    pub(crate) outcomes: Memo<PairKey, Outcome>,
}

impl<'a> World<'a> {
    pub(crate) fn new(
        inventory: &'a Inventory,
        judged: &'a Judgements,
        resolvers: &'a Resolvers,
        config: &'a ParityConfig,
    ) -> Self {
        let natured =
            || inventory.identities.iter().enumerate().map(|(at, identity)| (judged.nature_at(at), at, identity));
        let mut subjects: Vec<&Identity> = natured()
            .filter(|(nature, _, identity)| *nature == Nature::AiAgent && !identity.vendor_managed)
            .map(|(_, _, identity)| identity)
            .collect();
        subjects.sort_by(|a, b| a.id.cmp(&b.id));
        let mut roles_by_job: BTreeMap<&Job, Candidates<'_>> = BTreeMap::new();
        let mut people_by_job: BTreeMap<&Job, Candidates<'_>> = BTreeMap::new();
        let mut by_name: Map<&str, Candidates<'_>> = Map::default();
        let mut roles = Vec::new();
        let mut peopled = BTreeSet::new();
        for (nature, at, identity) in natured() {
            let role = nature == Nature::HumanRole;
            if identity.vendor_managed || !(role || nature == Nature::Human) {
                continue;
            }
            if let Some(job) = judged.job_at(at) {
                let by_job = if role { &mut roles_by_job } else { &mut people_by_job };
                by_job.entry(job).or_default().push(identity);
            }
            if role && !identity.generic_role {
                roles.push(identity);
            }
            if !identity.generic_role {
                peopled.insert((identity.provider, &identity.scope));
            }
            by_name.entry(&*identity.name).or_default().push(identity);
        }
        let holders: BTreeMap<ProviderName, Holder<'_>> = resolvers
            .iter()
            .map(|(name, resolver)| (name, Holder { resolver, operations: Operations::of(resolver.catalog()) }))
            .collect();
        let mut world = Self {
            inventory,
            judged,
            config,
            job_roles: config
                .jobs
                .jobs
                .iter()
                .map(|job| {
                    let chosen: Vec<&Identity> = inventory
                        .identities
                        .par_iter()
                        .enumerate()
                        .filter(|(at, identity)| {
                            judged.nature_at(*at) != Nature::AiAgent
                                && !identity.vendor_managed
                                && job.human.iter().any(|selector| selector.matches(identity))
                        })
                        .map(|(_, identity)| identity)
                        .collect();
                    chosen.into_iter().collect()
                })
                .collect(),
            job_entries: Vec::new(),
            enters: Map::default(),
            entered_by: Map::default(),
            names: NameIndex::new(&roles, &subjects),
            subjects,
            holders,
            roles_by_job,
            peopled,
            people_by_job,
            by_name,
            generic: BTreeMap::new(),
            lent: Map::default(),
            let_in: BTreeSet::new(),
            borrowed_by: Map::default(),
            groups: Map::default(),
            members: Map::default(),
            controls: Map::default(),
            agents: Map::default(),
            short_lived: Map::default(),
            views: Memo::default(),
            users: Map::default(),
            mined: Memo::default(),
            outcomes: Memo::default(),
        };
        world.index_trusts();
        world.index_facts();
        world.index_generic();
        world.leave_out_tool_servers();
        world.count_users();
        world
    }

    /// A tool server without access of its own does nothing that the agent behind it does not do: it is compared as part
    /// of that agent, and a comparison of its own would only say the same again, or that nothing is known.
    fn leave_out_tool_servers(&mut self) {
        let used: BTreeSet<&IdentityId> = self
            .inventory
            .trusts
            .iter()
            .filter(|trust| trust.mechanism == Mechanism::UsesTool)
            .map(|trust| &trust.target)
            .collect();
        let mut subjects = std::mem::take(&mut self.subjects);
        subjects.retain(|identity| {
            let rows = self.agents.get(&identity.id);
            let only_tools =
                rows.is_some_and(|rows| !rows.is_empty() && rows.iter().all(|row| row.kind == AgentKind::ToolServer));
            !(only_tools && used.contains(&identity.id) && self.view(identity).is_none())
        });
        self.subjects = subjects;
    }

    fn count_users(&mut self) {
        let access = |identity: &Identity| {
            let key = self.holders.get(&identity.provider)?.resolver.access_key(&identity.id)?;
            Some((identity.provider, key))
        };
        let mut users: Map<(ProviderName, u64), u32> = Map::default();
        for held in self.subjects.iter().filter_map(|identity| access(identity)) {
            *users.entry(held).or_default() += 1;
        }
        // Tool servers that are left out count, too: agents use what these are lent.
        let natured = self.inventory.identities.iter().enumerate();
        let ai = natured.filter(|(at, _)| self.judged.nature_at(*at) == Nature::AiAgent);
        for trust in ai.flat_map(|(_, identity)| self.lent_to(&identity.id)) {
            let lent = self.find(&trust.target).and_then(access);
            if let Some(count) = lent.and_then(|lent| users.get_mut(&lent)) {
                *count += 1;
            }
        }
        self.users = users;
    }

    fn index_trusts(&mut self) {
        for trust in &self.inventory.trusts {
            match trust.mechanism {
                Mechanism::HoldsCredential => {
                    self.lent.entry(&trust.source).or_default().push(trust);
                    if let Some(person) = self.find(&IdentityId::new(Arc::clone(&trust.source)))
                        && self.is_human(person)
                        && self.judged.nature(&trust.target) == Nature::AiAgent
                    {
                        self.borrowed_by.entry(&trust.target).or_default().push(person);
                    }
                }
                Mechanism::UsesTool | Mechanism::Impersonation | Mechanism::Ambient => {
                    self.lent.entry(&trust.source).or_default().push(trust);
                }
                Mechanism::Federation | Mechanism::WorkloadCreation if self.is_handed(trust) => {
                    self.lent.entry(&trust.source).or_default().push(trust);
                }
                Mechanism::Membership | Mechanism::Assignment => {
                    let source = IdentityId::new(Arc::clone(&trust.source));
                    if self.judged.nature(&source) == Nature::AiAgent {
                        self.groups.entry(&trust.source).or_default().push(&trust.target);
                        self.members.entry(&trust.target).or_default();
                    }
                }
                _ => {}
            }
        }
        self.index_entries();
        if self.members.is_empty() {
            return;
        }
        for trust in &self.inventory.trusts {
            if matches!(trust.mechanism, Mechanism::Membership | Mechanism::Assignment)
                && self.members.contains_key(&trust.target)
                && let Some(member) = self.find(&IdentityId::new(Arc::clone(&trust.source)))
                && self.judged.nature(&member.id) == Nature::Human
                && let Some(members) = self.members.get_mut(&trust.target)
            {
                members.push(member);
            }
        }
    }

    /// Who is let into one provider as whom by being somebody in another one.
    fn index_entries(&mut self) {
        let mut enters: Map<&IdentityId, Vec<&'a Identity>> = Map::default();
        for trust in self.inventory.trusts.iter().filter(|trust| trust.mechanism == Mechanism::Assignment) {
            let source = self.find(&IdentityId::new(Arc::clone(&trust.source)));
            let (Some(source), Some(target)) = (source, self.find(&trust.target)) else { continue };
            if source.provider == target.provider || self.judged.nature(&target.id) == Nature::AiAgent {
                continue;
            }
            enters.entry(&source.id).or_default().push(target);
            if self.is_human(source) {
                self.entered_by.entry(&target.id).or_default().push(source);
                self.let_in.insert((source.provider, &target.scope));
            }
        }
        let entries = |roles: &Candidates<'a>| {
            let mut found: Vec<&Identity> =
                roles.all().filter_map(|role| enters.get(&role.id)).flatten().copied().collect();
            found.sort_by(|a, b| a.id.cmp(&b.id));
            found.dedup_by(|a, b| a.id == b.id);
            found.into_iter().collect()
        };
        self.job_entries = self.job_roles.iter().map(entries).collect();
        self.enters = enters;
    }

    fn index_facts(&mut self) {
        let inventory = self.inventory;
        let Self { controls, short_lived, .. } = self;
        let count = inventory.identities.len();
        let index_controls = || {
            controls.reserve(count.min(inventory.controls.len()));
            for control in &inventory.controls {
                controls.entry(&control.identity).or_default().push(control);
            }
        };
        let judge_credentials = || {
            short_lived.reserve(count.min(inventory.credentials.len()));
            for credential in inventory.credentials.iter().filter(|held| held.enabled != Fact::Known(false)) {
                let ends_soon = match credential.is_static {
                    Fact::Known(is_static) => Truth::from(!is_static && !credential.by_unseen_static),
                    Fact::Absent | Fact::Unknown => Truth::Unknown,
                };
                let held = short_lived.entry(&credential.identity).or_insert(Truth::Yes);
                *held = held.and(ends_soon);
            }
        };
        rayon::join(index_controls, judge_credentials);
        for agent in &self.inventory.agents {
            self.agents.entry(&agent.identity).or_default().push(agent);
        }
    }

    fn index_generic(&mut self) {
        let mut generic: BTreeMap<ProviderName, Vec<GenericRole<'a>>> = BTreeMap::new();
        for identity in self.inventory.identities.iter().filter(|identity| identity.generic_role) {
            let Some(holder) = self.holders.get(&identity.provider) else { continue };
            if holder.resolver.is_admin(&identity.id) != Some(true)
                && let Some((_, view)) = self.view(identity)
            {
                generic.entry(identity.provider).or_default().push(GenericRole {
                    identity,
                    operations: view.operations.clone(),
                    weight: holder.operations.catalog.weight_of(&view.operations),
                });
            }
        }
        for roles in generic.values_mut() {
            roles.sort_by(|a, b| (&a.identity.name, &a.identity.id).cmp(&(&b.identity.name, &b.identity.id)));
        }
        self.generic = generic;
    }

    pub(crate) fn find(&self, id: &IdentityId) -> Option<&'a Identity> {
        self.inventory.identities.get(self.judged.position(id)?)
    }

    pub(crate) fn is_human(&self, identity: &Identity) -> bool {
        matches!(self.judged.nature(&identity.id), Nature::Human | Nature::HumanRole)
    }

    /// The access of an identity, with the key that tells equal accesses of its provider.
    pub(crate) fn view(&self, identity: &Identity) -> Option<(u64, Arc<View>)> {
        let holder = self.holders.get(&identity.provider)?;
        let key = holder.resolver.access_key(&identity.id)?;
        let view = self.views.get((identity.provider, key), || {
            holder
                .resolver
                .access(&identity.id)
                .map_or_else(View::unknown, |access| View::of(&access, holder.operations.catalog))
        });
        view.known.then_some((key, view))
    }

    /// Whether an access is that of one AI identity and lent to no other: then it is compared once.
    pub(crate) fn is_of_one(&self, provider: ProviderName, key: u64) -> bool {
        self.users.get(&(provider, key)) == Some(&1)
    }

    /// The human roles of a job, configured or declared.
    pub(crate) fn roles_doing(&self, job: &Job) -> Option<&Candidates<'a>> {
        self.roles_by_job.get(job)
    }

    /// Whether people, or roles of theirs, were read in some of these places of a provider.
    pub(crate) fn is_peopled(&self, provider: ProviderName, scopes: &[ScopeId]) -> bool {
        scopes.iter().any(|scope| self.peopled.contains(&(provider, scope)))
    }

    /// Whether some people of a provider were read to be let into one of these places: as whom others are is then told, too.
    pub(crate) fn lets_in(&self, people: ProviderName, places: &[ScopeId]) -> bool {
        places.iter().any(|place| self.let_in.contains(&(people, place)))
    }

    /// The people of a job, configured or declared.
    pub(crate) fn people_doing(&self, job: &Job) -> Option<&Candidates<'a>> {
        self.people_by_job.get(job)
    }

    /// Human roles and people of a name.
    pub(crate) fn named(&self, name: &str) -> Option<&Candidates<'a>> {
        self.by_name.get(name)
    }

    pub(crate) fn lent_to(&self, id: &IdentityId) -> &[&'a Trust] {
        self.lent.get(id.as_str()).map_or(&[], Vec::as_slice)
    }

    /// Whether workloads of a trust's source are handed credentials of its target: [`Trust::is_handed`].
    pub(crate) fn is_handed(&self, trust: &Trust) -> bool {
        matches!(trust.mechanism, Mechanism::Federation | Mechanism::WorkloadCreation)
            && self
                .find(&IdentityId::new(Arc::clone(&trust.source)))
                .is_some_and(|source| trust.is_handed(source, self.find(&trust.target)))
    }

    /// Whether the target of a trust admits its source for certain. Where nothing of the target's side was joined, its
    /// constraint was graded only by who read that side.
    pub(crate) fn admits(&self, trust: &Trust) -> bool {
        let joined = self.inventory.crossings_of(trust);
        if joined.is_empty() {
            trust.weak != Truth::Unknown
        } else {
            joined.iter().any(|held| held.admitted == Truth::Yes)
        }
    }

    /// As whom an identity is let into other providers.
    pub(crate) fn entered(&self, id: &IdentityId) -> &[&'a Identity] {
        self.enters.get(id).map_or(&[], Vec::as_slice)
    }

    /// The human roles of other providers that are let in as an identity.
    pub(crate) fn entering(&self, id: &IdentityId) -> &[&'a Identity] {
        self.entered_by.get(id).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn credential_of_people(&self, id: &IdentityId) -> &[&'a Identity] {
        self.borrowed_by.get(id).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn groups_of(&self, id: &IdentityId) -> &[&'a IdentityId] {
        self.groups.get(id.as_str()).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn people_in(&self, group: &IdentityId) -> &[&'a Identity] {
        self.members.get(group).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn controls_of(&self, id: &IdentityId) -> &[&'a Control] {
        self.controls.get(id).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn has_credential(&self, id: &IdentityId) -> bool {
        self.short_lived.contains_key(id)
    }

    /// Whether nothing but short-lived proof makes one these identities; `Unknown` where no credential of theirs was read.
    pub(crate) fn short_lived<'i>(&self, ids: impl Iterator<Item = &'i IdentityId>) -> Truth {
        ids.filter_map(|id| self.short_lived.get(id).copied()).reduce(Truth::and).unwrap_or(Truth::Unknown)
    }

    /// Whether an identity acts for the person who runs it, with no credentials but that person's as far as is known, as
    /// its agents are configured.
    pub(crate) fn acts_for_its_user(&self, id: &IdentityId) -> bool {
        let mut agents = self.agents.get(id).into_iter().flatten();
        agents.any(|agent| {
            let by_person = agent.trigger.value().is_some_and(|trigger| &**trigger == "person");
            let as_person = match agent.ambient_credentials {
                Fact::Known(known) => known,
                Fact::Absent | Fact::Unknown => agent.kind == AgentKind::Agent && by_person,
            };
            !agent.disabled && as_person
        })
    }

    /// Whether a person approves what an identity does, as its agents are configured; `None` where none is.
    pub(crate) fn approval(&self, id: &IdentityId) -> Option<Truth> {
        let agents = self.agents.get(id)?;
        agents.iter().filter(|agent| !agent.disabled).map(|agent| approval(agent)).reduce(Truth::and)
    }
}

/// Whether a person is asked before an agent acts.
fn approval(agent: &Agent) -> Truth {
    match agent.approval_mode {
        Fact::Known(ApprovalMode::Prompt) => match agent.auto_approve_all {
            Fact::Known(true) => Truth::No,
            _ => Truth::Yes,
        },
        Fact::Known(ApprovalMode::Bypass) => Truth::No,
        // Some actions go unasked; whether these are the sensitive ones is known only where one has an outside effect.
        Fact::Known(ApprovalMode::Partial) => match agent.external_effect_approved {
            Fact::Known(true) => Truth::No,
            _ => Truth::Unknown,
        },
        Fact::Absent | Fact::Unknown => Truth::Unknown,
    }
}
