//! What runs with a role: workloads, agents and the tools they act through, with the secrets in their environment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::agent::{Agent, AgentKind, ApprovalMode};
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::{CredentialId, IdentityId, ScopeId};
use evenhand_model::identity::{Nature, Signal, Strength};
use evenhand_model::inventory::Inventory;
use evenhand_model::trust::{Mechanism, Trust};
use evenhand_model::workload::{Surroundings, Workload};

use super::accounts::Accounts;
use super::arn::Arn;
use super::facts::{ActionGroup, AgentSeen, Carrier, Facts, FoundSecret, Placed, Said};
use super::nature::signal;
use crate::provider::NAME;
use crate::world::{AccountId, RoleCarrier};

/// What running things tell about the roles they carry.
#[derive(Default)]
pub(crate) struct Carried {
    pub(crate) carriers: Vec<RoleCarrier>,
    /// Reasons for the nature of a role.
    pub(crate) signals: BTreeMap<IdentityId, Vec<Signal>>,
    /// Purposes that agents declare, by the role they act as.
    pub(crate) purposes: BTreeMap<IdentityId, Arc<str>>,
    /// Agents that were listed but not described: what they act as is not known.
    pub(crate) undescribed: BTreeMap<AccountId, Vec<Arc<str>>>,
}

/// Instance profile → role.
pub(crate) type Profiles = HashMap<Arc<str>, IdentityId, foldhash::fast::RandomState>;

/// The account of a role and the last part of its name → role, for those that something names so.
pub(crate) type RoleNames = BTreeMap<(AccountId, Arc<str>), IdentityId>;

/// Joins what the documents said about running things.
/// `shared`: names of clusters that leave open which cluster is meant.
pub(crate) fn join(
    facts: &Facts,
    profiles: &Profiles,
    roles: &RoleNames,
    shared: &BTreeSet<Arc<str>>,
    accounts: &mut Accounts,
    into: &mut Inventory,
) -> Carried {
    let mut carried = Carried::default();
    let functions = placed(facts, profiles, roles, accounts, into, &mut carried);
    agents(facts, &functions, accounts, into, &mut carried);
    pods(facts, shared, accounts, into, &mut carried);
    carried
}

fn scope(account: Option<AccountId>) -> ScopeId {
    account.map_or_else(|| ScopeId::from("unknown account"), |account| ScopeId::new(account.0))
}

/// Returns the role of each function.
fn placed(
    facts: &Facts,
    profiles: &Profiles,
    roles: &RoleNames,
    accounts: &mut Accounts,
    into: &mut Inventory,
    carried: &mut Carried,
) -> HashMap<Arc<str>, IdentityId, foldhash::fast::RandomState> {
    let mut functions = HashMap::default();
    let mut seen: BTreeSet<Arc<str>> = BTreeSet::new();
    let silent = |said: &&Said<Placed>| matches!(said.it.carrier, Carrier::NotSaid);
    let telling = facts.placed.iter().filter(|said| !silent(said));
    for said in telling.chain(facts.placed.iter().filter(silent)) {
        let it = &said.it;
        // A function may be listed and described; both say the same, but for one that does not tell the role.
        if !seen.insert(Arc::clone(&it.arn)) {
            continue;
        }
        let account = accounts.of(said);
        let arn = at_home(&it.arn, account.as_ref());
        let role = match &it.carrier {
            Carrier::Role(arn) => Some(IdentityId::new(Arc::clone(arn))),
            Carrier::RoleName(name) => account.as_ref().map(|account| named(roles, name, account, &arn)),
            Carrier::InstanceProfile(profile) => carried_by(profiles, profile, account.as_ref()),
            Carrier::None | Carrier::NotSaid => None,
        };
        let holder = role.clone().unwrap_or_else(|| IdentityId::new(Arc::clone(&arn)));
        secrets(&it.secrets, &arn, &holder, into);
        let Some(role) = role else { continue };
        carried.carriers.extend(RoleCarrier::new(Arc::clone(&arn), role.clone()));
        let Some(kind) = it.kind else { continue };
        if kind == "function" {
            functions.insert(Arc::clone(&arn), role.clone());
        }
        if let Some(platform) = it.model_keys.first() {
            let reason = format!("{kind} {} holds a key for the model platform {platform}", it.name);
            let hint = signal(Nature::AiAgent, Strength::Weak, reason, &said.evidence);
            carried.signals.entry(role.clone()).or_default().push(hint);
        }
        into.workloads.push(Workload {
            id: arn,
            identity: role,
            provider: NAME,
            kind: Arc::from(kind),
            name: Arc::clone(&it.name),
            scope: scope(account),
            image: it.image.clone(),
            // The platform places the role's keys inside whatever runs.
            token_mounted: Fact::Known(true),
            needs_token: Fact::Unknown,
            exposed: if facts.function_urls.contains(&it.arn) { Fact::Known(true) } else { it.exposed },
            privileged: it.privileged,
            surroundings: Surroundings::default(),
            evidence: said.evidence.clone(),
        });
    }
    functions
}

/// A name that lacks its account, with the account.
fn at_home(name: &Arc<str>, account: Option<&AccountId>) -> Arc<str> {
    match (Arn::parse(name), account) {
        (Some(arn), Some(account)) if arn.account.is_empty() => {
            format!("arn:{}:{}:{}:{}:{}", arn.partition, arn.service, arn.region, account.0, arn.resource).into()
        }
        _ => Arc::clone(name),
    }
}

/// The role of an account by the last part of its name, which is all that a deleted one is known by.
fn named(roles: &RoleNames, name: &Arc<str>, account: &AccountId, carrier: &str) -> IdentityId {
    let deleted = || {
        let partition = Arn::parse(carrier).map_or("aws", |arn| arn.partition);
        IdentityId::new(format!("arn:{partition}:iam::{}:role/{name}", account.0))
    };
    roles.get(&(account.clone(), Arc::clone(name))).cloned().unwrap_or_else(deleted)
}

/// The role in an instance profile, which may be named by its last name alone.
fn carried_by(profiles: &Profiles, profile: &Arc<str>, account: Option<&AccountId>) -> Option<IdentityId> {
    if profile.starts_with("arn:") {
        return profiles.get(profile).cloned();
    }
    let number = account.map(|account| &*account.0);
    let named = |held: &str| {
        held.rsplit('/').next() == Some(profile) && Arn::parse(held).is_some_and(|held| Some(held.account) == number)
    };
    profiles.iter().find(|(held, _)| named(held)).map(|(_, role)| role.clone())
}

fn secrets(found: &[FoundSecret], carrier: &Arc<str>, holder: &IdentityId, into: &mut Inventory) {
    for secret in found {
        let id = CredentialId::new(format!("{carrier}#env:{}", secret.variable));
        let mut credential = Credential::new(id, holder.clone(), NAME, secret.kind, secret.evidence.clone());
        credential.is_static = Fact::Known(true);
        credential.federable = Fact::Unknown;
        credential.exposure = Fact::Known(Exposure::Environment);
        credential.in_arguments = Fact::Known(false);
        credential.fingerprint = Some(secret.fingerprint);
        credential.public_id = secret.public_id.clone();
        into.credentials.push(credential);
    }
}

fn agents(
    facts: &Facts,
    functions: &HashMap<Arc<str>, IdentityId, foldhash::fast::RandomState>,
    accounts: &mut Accounts,
    into: &mut Inventory,
    carried: &mut Carried,
) {
    let mut groups: BTreeMap<&str, Vec<&Said<ActionGroup>>> = BTreeMap::new();
    for said in &facts.action_groups {
        groups.entry(&said.it.agent).or_default().push(said);
    }
    let mut described: BTreeMap<Arc<str>, &AgentSeen> = BTreeMap::new();
    let silent = |said: &&Said<AgentSeen>| said.it.role == Fact::Unknown;
    let telling = facts.agents.iter().filter(|said| !silent(said));
    for said in telling.chain(facts.agents.iter().filter(silent)) {
        let it = &said.it;
        if described.contains_key(&it.arn) {
            continue;
        }
        described.insert(Arc::clone(&it.arn), it);
        let account = accounts.of(said);
        let scope = scope(account);
        // An agent whose role is not said acts as itself: its access is not known.
        let identity = IdentityId::new(it.role.value().cloned().unwrap_or_else(|| Arc::clone(&it.arn)));
        secrets(&it.secrets, &it.arn, &identity, into);
        let groups = groups.get(&*it.id).map_or(&[][..], Vec::as_slice);
        into.agents.push(row(said, &identity, &scope, groups));
        if it.role.value().is_none() {
            continue;
        }
        let reason = format!("{} {} acts as it", it.kind.replace('_', " "), it.name);
        let proof = signal(Nature::AiAgent, Strength::Certain, reason, &said.evidence);
        carried.signals.entry(identity.clone()).or_default().push(proof);
        if let Fact::Known(purpose) = &it.purpose {
            carried.purposes.entry(identity.clone()).or_insert_with(|| Arc::clone(purpose));
        }
        carried.carriers.extend(RoleCarrier::new(Arc::clone(&it.arn), identity.clone()));
        into.workloads.push(Workload {
            id: Arc::clone(&it.arn),
            identity: identity.clone(),
            provider: NAME,
            kind: Arc::from(it.kind),
            name: Arc::clone(&it.name),
            scope,
            image: it.image.clone(),
            token_mounted: Fact::Known(true),
            needs_token: Fact::Known(true),
            exposed: Fact::Unknown,
            privileged: Fact::Known(false),
            surroundings: Surroundings::default(),
            evidence: said.evidence.clone(),
        });
        for group in groups {
            let Some(lambda) = &group.it.lambda else { continue };
            let what = format!("action group {} of agent {}", group.it.name, it.name);
            uses(&identity, lambda, &what, &group.evidence, functions, into, carried);
        }
    }
    targets(facts, functions, &described, into, carried);
    let known: BTreeSet<&Arc<str>> = described.values().flat_map(|agent| [&agent.id, &agent.arn]).collect();
    for said in &facts.agents_named {
        let (id, name) = &said.it;
        if !known.contains(id)
            && let Some(account) = accounts.of(said)
        {
            carried.undescribed.entry(account).or_default().push(Arc::clone(name));
        }
    }
}

/// What a gateway leads to.
fn targets(
    facts: &Facts,
    functions: &HashMap<Arc<str>, IdentityId, foldhash::fast::RandomState>,
    described: &BTreeMap<Arc<str>, &AgentSeen>,
    into: &mut Inventory,
    carried: &mut Carried,
) {
    for said in &facts.gateway_targets {
        let it = &said.it;
        let gateway = described.get(&it.gateway);
        let role = gateway.and_then(|gateway| gateway.role.value().cloned()).unwrap_or_else(|| Arc::clone(&it.gateway));
        let identity = IdentityId::new(role);
        if let Some(lambda) = &it.lambda {
            let what = format!("target {} of gateway {}", it.name, gateway.map_or("", |gateway| &gateway.name));
            uses(&identity, lambda, &what, &said.evidence, functions, into, carried);
        }
        for (provider, oauth) in &it.stored {
            let id = CredentialId::new(format!("{provider}#{}", it.gateway));
            let kind = if *oauth { "oauth_client" } else { "api_key" };
            let mut credential = Credential::new(id, identity.clone(), NAME, kind, said.evidence.clone());
            credential.is_static = Fact::Known(true);
            credential.federable = Fact::Unknown;
            credential.exposure = Fact::Known(Exposure::Store);
            into.credentials.push(credential);
        }
    }
}

/// An agent acts through a function: the function's role is part of what the agent can do.
fn uses(
    agent: &IdentityId,
    lambda: &Arc<str>,
    what: &str,
    evidence: &Evidence,
    functions: &HashMap<Arc<str>, IdentityId, foldhash::fast::RandomState>,
    into: &mut Inventory,
    carried: &mut Carried,
) {
    // A version or alias may stand behind the function's name.
    let plain: String = lambda.splitn(8, ':').take(7).collect::<Vec<_>>().join(":");
    let Some(role) = functions.get(lambda).or_else(|| functions.get(plain.as_str())) else { return };
    if role == agent {
        return;
    }
    let reason = format!("its function is the {what}");
    carried.signals.entry(role.clone()).or_default().push(signal(Nature::AiAgent, Strength::Strong, reason, evidence));
    into.trusts.push(Trust {
        source: agent.shared(),
        target: role.clone(),
        provider: NAME,
        mechanism: Mechanism::UsesTool,
        constraint: Arc::from(""),
        weak: Truth::No,
        weakness: Arc::from(""),
        evidence: evidence.clone(),
    });
}

fn row(said: &Said<AgentSeen>, identity: &IdentityId, scope: &ScopeId, groups: &[&Said<ActionGroup>]) -> Agent {
    let it = &said.it;
    let kind = if it.tool_server { AgentKind::ToolServer } else { AgentKind::Agent };
    let mut agent = Agent::new(
        Arc::clone(&it.arn),
        identity.clone(),
        NAME,
        scope.clone(),
        it.client,
        kind,
        Arc::clone(&it.name),
        said.evidence.clone(),
    );
    agent.transport = if it.tool_server { Fact::Known(Arc::from("http")) } else { Fact::Absent };
    agent.remote = Fact::Known(true);
    agent.tls = Fact::Known(true);
    agent.authenticated = it.authenticated;
    agent.sandboxed = it.sandboxed;
    agent.trigger = Fact::Known(Arc::from("request"));
    agent.untrusted_trigger = match it.authenticated {
        Fact::Known(false) => Fact::Known(true),
        _ => Fact::Unknown,
    };
    agent.ambient_credentials = Fact::Known(false);
    agent.command_fetched = Fact::Known(false);
    agent.command_pinned = match it.image.value() {
        Some(image) => Fact::Known(image.contains("@sha256:")),
        None => Fact::Absent,
    };
    agent.privileged = Fact::Known(false);
    agent.disabled = it.disabled;
    approval(&mut agent, groups);
    agent
}

/// Whether a person confirms what the agent's action groups do.
fn approval(agent: &mut Agent, groups: &[&Said<ActionGroup>]) {
    let on: Vec<&ActionGroup> =
        groups.iter().map(|said| &said.it).filter(|group| group.enabled != Fact::Known(false)).collect();
    if on.is_empty() {
        return;
    }
    let (mut asked, mut unasked, mut unclear) = (0_usize, Vec::new(), false);
    for group in on {
        match &group.functions {
            // It may be off.
            _ if group.enabled == Fact::Unknown => unclear = true,
            // The caller runs the action, or does not.
            _ if group.returns_control => asked += 1,
            Some(functions) => {
                for (function, confirmed) in functions {
                    match confirmed {
                        Fact::Known(true) => asked += 1,
                        Fact::Known(false) => unasked.push(Arc::from(format!("{}.{function}", group.name))),
                        Fact::Absent | Fact::Unknown => unclear = true,
                    }
                }
            }
            // A schema by path says it in a document of its own.
            None => unclear = true,
        }
    }
    unasked.sort();
    agent.approval_defaulted = Fact::Known(false);
    agent.approval_mode = match (asked, unasked.is_empty(), unclear) {
        (_, true, true) => Fact::Unknown,
        (_, true, false) => Fact::Known(ApprovalMode::Prompt),
        (0, false, false) => Fact::Known(ApprovalMode::Bypass),
        (0, false, true) => Fact::Unknown,
        (_, false, _) => Fact::Known(ApprovalMode::Partial),
    };
    agent.auto_approve_all = match agent.approval_mode {
        Fact::Known(mode) => Fact::Known(mode == ApprovalMode::Bypass),
        _ => Fact::Unknown,
    };
    agent.auto_approved = match (unasked.is_empty(), unclear) {
        (_, true) => Fact::Unknown,
        (true, false) => Fact::Absent,
        (false, false) => Fact::Known(unasked),
    };
}

fn pods(
    facts: &Facts,
    shared: &BTreeSet<Arc<str>>,
    accounts: &mut Accounts,
    into: &mut Inventory,
    carried: &mut Carried,
) {
    for said in &facts.pods {
        let it = &said.it;
        let Some(role) = &it.role else { continue };
        let role = IdentityId::new(Arc::clone(role));
        let account = {
            // Named as the cluster's own documents name it, so that the two meet.
            let cluster = &it.cluster.name;
            let source: Arc<str> = match shared.contains(cluster) {
                false => format!("kubernetes:{cluster}:serviceaccount:{}/{}", it.namespace, it.service_account).into(),
                true => format!("eks/{cluster} system:serviceaccount:{}:{}", it.namespace, it.service_account).into(),
            };
            let mut trust = |target: IdentityId, source: Arc<str>| {
                into.trusts.push(Trust {
                    source,
                    target,
                    provider: NAME,
                    mechanism: Mechanism::WorkloadCreation,
                    constraint: Arc::from(""),
                    weak: Truth::No,
                    weakness: Arc::from(""),
                    evidence: said.evidence.clone(),
                });
            };
            trust(role.clone(), source);
            if let Some(target) = &it.target_role {
                trust(IdentityId::new(Arc::clone(target)), role.shared());
            }
            accounts.of(said)
        };
        let name: Arc<str> = format!("{}/{}/{}", it.cluster.name, it.namespace, it.service_account).into();
        let reason = format!("pods of {name} run with it");
        let proof = signal(Nature::Workload, Strength::Strong, reason, &said.evidence);
        carried.signals.entry(role.clone()).or_default().push(proof);
        into.workloads.push(Workload {
            id: if it.arn.is_empty() { Arc::clone(&name) } else { Arc::clone(&it.arn) },
            identity: role,
            provider: NAME,
            kind: Arc::from("pod_identity_association"),
            name,
            scope: scope(account),
            image: Fact::Unknown,
            token_mounted: Fact::Known(true),
            needs_token: Fact::Unknown,
            exposed: Fact::Unknown,
            privileged: Fact::Unknown,
            surroundings: Surroundings::default(),
            evidence: said.evidence.clone(),
        });
    }
}
