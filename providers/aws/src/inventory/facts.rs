//! What the documents said, before it is joined.
//!
//! Nothing here is looked up in anything else: the order in which documents are read does not matter.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::gap::Gap;
use evenhand_model::inventory::Hint;
use evenhand_model::secret::Fingerprint;
use indexmap::IndexMap;

use crate::carrier::CarrierKind;
use crate::documents::form::Form;
use crate::policy::PolicyStore;
use crate::world::{AccountId, PolicyIx, PrincipalKind, ServiceUse, Tags};

/// One copy of every text.
#[derive(Debug, Default)]
pub(crate) struct Texts(HashSet<Arc<str>, foldhash::fast::RandomState>);

impl Texts {
    /// The shared copy of a text.
    pub(crate) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(held) = self.0.get(text) {
            return Arc::clone(held);
        }
        let shared: Arc<str> = Arc::from(text);
        self.0.insert(Arc::clone(&shared));
        shared
    }
}

/// A statement of a document, with the account where the document says it.
#[derive(Clone, Debug)]
pub(crate) struct Said<T> {
    pub(crate) account: Option<AccountId>,
    pub(crate) evidence: Evidence,
    pub(crate) it: T,
}

/// A user, group or role as the authorization details describe it.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) kind: PrincipalKind,
    pub(crate) account: AccountId,
    pub(crate) name: Arc<str>,
    pub(crate) path: Arc<str>,
    pub(crate) created_at: Fact<Timestamp>,
    pub(crate) last_used_at: Fact<Timestamp>,
    /// `None` where the document has no such field.
    pub(crate) tags: Option<Tags>,
    pub(crate) groups: Vec<Arc<str>>,
    pub(crate) inline: Vec<PolicyIx>,
    pub(crate) attached: Vec<Arc<str>>,
    pub(crate) boundary: Option<Arc<str>>,
    pub(crate) trust: Option<PolicyIx>,
    pub(crate) instance_profiles: Vec<Arc<str>>,
    pub(crate) evidence: Evidence,
}

/// Descriptions by the names (ARNs) of what they describe. They are large, and boxed so that few bytes move as the list
/// grows.
pub(crate) type Principals = IndexMap<Arc<str>, Box<Described>, foldhash::fast::RandomState>;

/// A managed policy's default version.
#[derive(Clone, Debug)]
pub(crate) struct Managed {
    pub(crate) policy: PolicyIx,
    pub(crate) evidence: Evidence,
}

/// One row of the credential report.
#[derive(Clone, Debug)]
pub(crate) struct ReportRow {
    pub(crate) user: Arc<str>,
    pub(crate) arn: Arc<str>,
    pub(crate) root: bool,
    pub(crate) created_at: Fact<Timestamp>,
    pub(crate) password_enabled: Fact<bool>,
    pub(crate) password_last_used: Fact<Timestamp>,
    pub(crate) password_changed_at: Fact<Timestamp>,
    pub(crate) password_next_rotation: Fact<Timestamp>,
    pub(crate) mfa: Fact<bool>,
    pub(crate) keys: [ReportKey; 2],
}

/// An access key in the credential report, which does not say its id.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReportKey {
    pub(crate) active: Fact<bool>,
    pub(crate) rotated_at: Fact<Timestamp>,
    pub(crate) last_used_at: Fact<Timestamp>,
}

/// An access key by its id.
#[derive(Clone, Debug)]
pub(crate) struct AccessKey {
    pub(crate) user: Arc<str>,
    pub(crate) id: Arc<str>,
    pub(crate) active: Fact<bool>,
    pub(crate) created_at: Fact<Timestamp>,
}

/// The last use of an access key.
#[derive(Clone, Debug)]
pub(crate) struct AccessKeyUse {
    pub(crate) user: Option<Arc<str>>,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) last_used_at: Fact<Timestamp>,
}

/// A credential for one service, such as a model platform's long-term key.
#[derive(Clone, Debug)]
pub(crate) struct ServiceCredential {
    pub(crate) user: Arc<str>,
    pub(crate) id: Arc<str>,
    pub(crate) service: Arc<str>,
    pub(crate) active: Fact<bool>,
    pub(crate) created_at: Fact<Timestamp>,
    pub(crate) expires_at: Fact<Timestamp>,
}

/// Whether a user has a console password.
#[derive(Clone, Debug)]
pub(crate) struct LoginProfile {
    pub(crate) user: Arc<str>,
    pub(crate) present: bool,
    pub(crate) created_at: Fact<Timestamp>,
}

/// The root user, as the account summary tells.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub(crate) root_keys: Option<bool>,
    pub(crate) root_mfa: Option<bool>,
}

/// What documents said about the organisation.
#[derive(Debug, Default)]
pub(crate) struct Organisation {
    /// Whether an answer said that the account is in none.
    pub(crate) none_for: Vec<Said<()>>,
    pub(crate) management: Option<AccountId>,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) accounts: BTreeMap<AccountId, OrgAccount>,
    pub(crate) accounts_listed: bool,
    /// Root id → policy types that are switched on.
    pub(crate) roots: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// Policy types of which an answer said that they are switched off.
    pub(crate) kinds_off: BTreeSet<Arc<str>>,
    /// Child (account, unit) → parent (unit, root).
    pub(crate) parents: BTreeMap<Arc<str>, Arc<str>>,
    pub(crate) policies: BTreeMap<Arc<str>, OrgPolicy>,
    /// Policy types for which all policies were listed.
    pub(crate) policies_listed: BTreeSet<Arc<str>>,
    /// (Target, policy type) → its policies, where they were listed by target.
    pub(crate) of_target: OfTarget,
    /// Policy → its targets, where they were listed by policy.
    pub(crate) targets: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    pub(crate) evidence: Option<Evidence>,
}

/// A member account.
#[derive(Clone, Debug)]
pub(crate) struct OrgAccount {
    pub(crate) name: Arc<str>,
    pub(crate) active: Fact<bool>,
}

/// A policy of the organisation.
#[derive(Clone, Debug)]
pub(crate) struct OrgPolicy {
    pub(crate) name: Arc<str>,
    /// `SERVICE_CONTROL_POLICY`, `RESOURCE_CONTROL_POLICY` …; empty where not said.
    pub(crate) kind: Arc<str>,
    pub(crate) content: Option<PolicyIx>,
}

/// What documents said about Identity Center.
#[derive(Debug, Default)]
pub(crate) struct Center {
    pub(crate) sets: BTreeMap<Arc<str>, PermissionSet>,
    pub(crate) assignments: Vec<Said<Assignment>>,
    pub(crate) users: BTreeMap<Arc<str>, StoreUser>,
    pub(crate) groups: BTreeMap<Arc<str>, Arc<str>>,
    pub(crate) read: bool,
}

/// (Target, policy type) → policies.
pub(crate) type OfTarget = BTreeMap<(Arc<str>, Arc<str>), BTreeSet<Arc<str>>>;

/// A permission set.
#[derive(Debug)]
pub(crate) struct PermissionSet {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) description: Fact<Arc<str>>,
    pub(crate) created_at: Fact<Timestamp>,
    /// `None` = not read.
    pub(crate) inline: Option<Option<PolicyIx>>,
    /// `None` = not read.
    pub(crate) managed: Option<Vec<Arc<str>>>,
    /// Names of customer managed policies with their paths; `None` = not read.
    pub(crate) customer: Option<Vec<Arc<str>>>,
    pub(crate) boundary: Fact<Arc<str>>,
    pub(crate) evidence: Evidence,
}

impl PermissionSet {
    /// A permission set of which only its name (ARN) is known.
    pub(crate) fn new(evidence: Evidence) -> Self {
        Self {
            name: None,
            description: Fact::Unknown,
            created_at: Fact::Unknown,
            inline: None,
            managed: None,
            customer: None,
            boundary: Fact::Unknown,
            evidence,
        }
    }
}

/// That a person or group has a permission set in an account.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub(crate) set: Arc<str>,
    /// `USER` or `GROUP`.
    pub(crate) principal_kind: Arc<str>,
    pub(crate) principal: Arc<str>,
}

/// A person in the identity store.
#[derive(Clone, Debug)]
pub(crate) struct StoreUser {
    /// User name, display name and e-mail addresses, lower-case.
    pub(crate) names: BTreeSet<String>,
    pub(crate) label: Arc<str>,
    pub(crate) active: Fact<bool>,
}

/// Something that runs with a role.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) arn: Arc<str>,
    /// What it is as a workload; `None` = it is none by itself, but a plan of one.
    pub(crate) kind: Option<&'static str>,
    pub(crate) name: Arc<str>,
    pub(crate) carrier: Carrier,
    pub(crate) image: Fact<Arc<str>>,
    pub(crate) exposed: Fact<bool>,
    pub(crate) privileged: Fact<bool>,
    pub(crate) secrets: Vec<FoundSecret>,
    /// Model platforms whose key stands in the environment under its usual name.
    pub(crate) model_keys: Vec<Arc<str>>,
}

/// How a running thing names its role.
#[derive(Clone, Debug)]
pub(crate) enum Carrier {
    Role(Arc<str>),
    /// The last part of the name of a role of its own account.
    RoleName(Arc<str>),
    InstanceProfile(Arc<str>),
    /// It has none.
    None,
    /// The document does not say (a summary).
    NotSaid,
}

/// A thing that a list only names: with which role it runs, another call says.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) kind: CarrierKind,
    /// What a description of it is known by: its ARN, or the name under which [`Placed`] has it.
    pub(crate) name: Arc<str>,
    pub(crate) region: Option<Arc<str>>,
}

/// A call that was made, and where.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) form: Form,
    pub(crate) account: Option<AccountId>,
    pub(crate) region: Option<Arc<str>>,
    pub(crate) document: Arc<str>,
    /// Whether all of its answer is there and was understood.
    pub(crate) whole: bool,
}

/// A literal secret, reduced to what may be kept.
#[derive(Clone, Debug)]
pub(crate) struct FoundSecret {
    pub(crate) variable: Arc<str>,
    pub(crate) kind: &'static str,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) public_id: Option<Arc<str>>,
    pub(crate) evidence: Evidence,
}

/// An agent, or a tool server for agents.
#[derive(Clone, Debug)]
pub(crate) struct AgentSeen {
    pub(crate) arn: Arc<str>,
    /// The vendor's id for it, by which action groups and targets refer to it.
    pub(crate) id: Arc<str>,
    pub(crate) client: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) tool_server: bool,
    pub(crate) name: Arc<str>,
    /// `Absent` = it acts without one.
    pub(crate) role: Fact<Arc<str>>,
    pub(crate) purpose: Fact<Arc<str>>,
    pub(crate) image: Fact<Arc<str>>,
    pub(crate) authenticated: Fact<bool>,
    pub(crate) sandboxed: Fact<bool>,
    pub(crate) disabled: bool,
    pub(crate) secrets: Vec<FoundSecret>,
}

/// A group of actions that an agent may call.
#[derive(Clone, Debug)]
pub(crate) struct ActionGroup {
    pub(crate) agent: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) enabled: Fact<bool>,
    /// The function that runs its actions.
    pub(crate) lambda: Option<Arc<str>>,
    /// Whether control goes back to the caller instead of running anything.
    pub(crate) returns_control: bool,
    /// Function → whether a person confirms; `None` where the schema is not by function.
    pub(crate) functions: Option<BTreeMap<Arc<str>, Fact<bool>>>,
}

/// What a gateway leads to: a function, or an endpoint that is called with a stored credential.
#[derive(Clone, Debug)]
pub(crate) struct GatewayTarget {
    pub(crate) gateway: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) lambda: Option<Arc<str>>,
    /// Provider and whether it is an OAuth client rather than an API key.
    pub(crate) stored: Vec<(Arc<str>, bool)>,
}

/// A pod's way to a role.
#[derive(Clone, Debug)]
pub(crate) struct PodAssociation {
    pub(crate) arn: Arc<str>,
    pub(crate) cluster: Cluster,
    pub(crate) namespace: Arc<str>,
    pub(crate) service_account: Arc<str>,
    pub(crate) role: Option<Arc<str>>,
    pub(crate) target_role: Option<Arc<str>>,
}

/// A principal that a cluster lets in, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct AccessEntry {
    pub(crate) cluster: Cluster,
    pub(crate) principal: Arc<str>,
    /// Whether it is for people and programs, and not for nodes.
    pub(crate) standard: bool,
    pub(crate) user: Option<Arc<str>>,
    pub(crate) groups: Vec<Arc<str>>,
}

/// An access policy of such a principal.
#[derive(Clone, Debug)]
pub(crate) struct AccessPolicy {
    pub(crate) cluster: Cluster,
    pub(crate) principal: Arc<str>,
    /// Its name, without what stands before it in the ARN.
    pub(crate) policy: Arc<str>,
    /// Whether it holds in the whole cluster; else in `namespaces`. Where neither is so, its scope was not read.
    pub(crate) everywhere: bool,
    pub(crate) namespaces: Vec<Arc<str>>,
}

/// A cluster as its documents name it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Cluster {
    /// Of one account and region there is one of a name.
    pub(crate) name: Arc<str>,
    /// `None` where the document does not say it.
    pub(crate) account: Option<AccountId>,
    /// The same.
    pub(crate) region: Option<Arc<str>>,
}

/// A trail.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    pub(crate) arn: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) organisation: bool,
    pub(crate) validated: Fact<bool>,
}

/// Whether model invocations are logged.
#[derive(Clone, Debug)]
pub(crate) struct InvocationLogging {
    pub(crate) region: Option<Arc<str>>,
    pub(crate) enabled: bool,
}

/// A policy on a resource.
#[derive(Clone, Debug)]
pub(crate) struct ResourceSaid {
    pub(crate) resource: Arc<str>,
    pub(crate) policy: PolicyIx,
}

/// Authorization details that were read.
#[derive(Clone, Debug)]
pub(crate) struct DetailsRead {
    pub(crate) document: Arc<str>,
    pub(crate) account: Option<AccountId>,
    /// Whether more pages follow.
    pub(crate) more: bool,
    /// The lists that are not in it, which is not to say that they are empty.
    pub(crate) absent: Vec<&'static str>,
}

/// Everything that was said.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) texts: Texts,
    pub(crate) policies: PolicyStore,
    /// Calls whose answers were read.
    pub(crate) answers: Vec<Asked>,
    /// Authorization details.
    pub(crate) details: Vec<DetailsRead>,
    pub(crate) principals: Principals,
    /// By the account of the document and the policy's ARN.
    pub(crate) managed: IndexMap<(Option<AccountId>, Arc<str>), Managed, foldhash::fast::RandomState>,
    pub(crate) report: Vec<Said<ReportRow>>,
    pub(crate) access_keys: Vec<Said<AccessKey>>,
    pub(crate) access_key_uses: Vec<Said<AccessKeyUse>>,
    pub(crate) service_credentials: Vec<Said<ServiceCredential>>,
    pub(crate) login_profiles: Vec<Said<LoginProfile>>,
    pub(crate) mfa_users: Vec<Said<Arc<str>>>,
    pub(crate) identity_providers: Vec<Said<Arc<str>>>,
    pub(crate) summaries: Vec<Said<Summary>>,
    pub(crate) organisation: Organisation,
    pub(crate) center: Center,
    pub(crate) placed: Vec<Said<Placed>>,
    pub(crate) listed: Vec<Said<Listed>>,
    /// Regions that are on in an account.
    pub(crate) regions: Vec<Said<Arc<str>>>,
    pub(crate) function_urls: BTreeSet<Arc<str>>,
    pub(crate) agents: Vec<Said<AgentSeen>>,
    pub(crate) agents_named: Vec<Said<(Arc<str>, Arc<str>)>>,
    pub(crate) action_groups: Vec<Said<ActionGroup>>,
    pub(crate) gateway_targets: Vec<Said<GatewayTarget>>,
    pub(crate) pods: Vec<Said<PodAssociation>>,
    pub(crate) access_entries: Vec<Said<AccessEntry>>,
    pub(crate) access_policies: Vec<Said<AccessPolicy>>,
    pub(crate) trails: Vec<Said<Trail>>,
    /// (Trail as named in the call, whether it logs).
    pub(crate) trail_status: Vec<Said<(Option<Arc<str>>, bool)>>,
    /// (Trail, whether its selectors cover agents).
    pub(crate) trail_agents: Vec<Said<(Arc<str>, bool)>>,
    pub(crate) invocation_logging: Vec<Said<InvocationLogging>>,
    pub(crate) resource_policies: Vec<Said<ResourceSaid>>,
    /// Names of resources that have no policy.
    pub(crate) without_policy: BTreeSet<Arc<str>>,
    /// Names of repositories of images.
    pub(crate) repositories: BTreeSet<Arc<str>>,
    /// Reports of last access, by the ARN they are about.
    pub(crate) usage: BTreeMap<Arc<str>, Vec<ServiceUse>>,
    /// Calls that were refused, failed or were not made yet: each has left a gap already.
    pub(crate) refused: Vec<Asked>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) hints: Vec<Hint>,
}

impl Facts {
    /// An account by its number.
    pub(crate) fn account(&mut self, number: &str) -> AccountId {
        AccountId(self.texts.share(number))
    }
}
