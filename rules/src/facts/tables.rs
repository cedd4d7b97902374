//! The fact tables: the public schema that rules read, reports print and users query.
//!
//! The doc comment of a field is the documentation of its column; `docs/tables.md` is generated from here. An optional
//! field is a column that can be NULL, and NULL always means unknown. A known absence has a value of its own, most often
//! in a boolean beside the value (`has_owner`, `has_expiry`, `ever_used`).

use std::sync::Arc;

use evenhand_model::fact_table;
use evenhand_model::table::{Row as _, TableSpec};
use jiff::Timestamp;

/// The documentation of all tables, in the order of reports.
pub static TABLES: &[&TableSpec] = &[
    IdentityRow::SPEC,
    CredentialRow::SPEC,
    ExcessRow::SPEC,
    PathRow::SPEC,
    TrustRow::SPEC,
    ControlRow::SPEC,
    AgentRow::SPEC,
    WorkloadRow::SPEC,
    LogRow::SPEC,
    GapRow::SPEC,
    WaiverRow::SPEC,
];

fact_table! {
    #[table("identities", "identity")]
    /// Who can act, what it may do, and how it compares with the human who does the same job.
    pub struct IdentityRow {
        /// The identity's id, unique over all providers.
        id: Arc<str>,
        /// The provider that read it.
        provider: Arc<str>,
        /// The account, cluster, organisation, tenant or machine it lives in.
        scope: Arc<str>,
        /// The provider's word for it: `role`, `user`, `service_account` …
        kind: Arc<str>,
        /// The name people call it by.
        name: Arc<str>,
        /// `human`, `human_role`, `workload`, `ai_agent`, `third_party` or `unknown`.
        nature: Arc<str>,
        /// The strongest reason for the nature; empty where nothing told.
        nature_evidence: Arc<str>,
        /// 0 to 1: how sure the nature is.
        nature_confidence: f64,
        /// Whether its name hints at an agent although nothing proves one.
        ai_hint: bool,
        /// The job function; NULL = none is known.
        job: Option<Arc<str>>,
        /// Who answers for it; NULL = none, or not known (`has_owner` tells).
        owner: Option<Arc<str>>,
        /// Whether it has an owner.
        has_owner: Option<bool>,
        /// Whether the owner is an active person.
        owner_active: Option<bool>,
        /// Who sponsors it; NULL = nobody, or not known (`has_sponsor` tells).
        sponsor: Option<Arc<str>>,
        /// Whether it has a sponsor; NULL also where the provider knows none.
        has_sponsor: Option<bool>,
        /// What it is for; NULL = none, or not known (`has_purpose` tells).
        purpose: Option<Arc<str>>,
        /// Whether a purpose is declared.
        has_purpose: Option<bool>,
        /// The environment it is declared for.
        environment: Option<Arc<str>>,
        /// When it was made.
        created_at: Option<Timestamp>,
        /// When it last acted; NULL = never, or not known (`ever_used` tells).
        last_used_at: Option<Timestamp>,
        /// Whether it ever acted.
        ever_used: Option<bool>,
        /// Whole days since it was made.
        age_days: Option<i64>,
        /// Whole days since it last acted, or since it was made if it never did.
        idle_days: Option<i64>,
        /// Whether it can act at present.
        enabled: Option<bool>,
        /// Whether a party outside the organisation controls it.
        third_party: Option<bool>,
        /// Whether it is in the register of the configuration, or in one of the provider's own; NULL = there is no register, or it was not read.
        registered: Option<bool>,
        /// Whole days since the last access review; NULL = none, or not known (`has_review` tells).
        review_age_days: Option<i64>,
        /// Whether an access review is recorded.
        has_review: Option<bool>,
        /// The number of distinct workloads and agents that run as it; whoever becomes it from an identity of its own, by its credential say, is in `trusts`.
        shared_by: i64,
        /// The number of environments among the workloads and identities that use it.
        environments: i64,
        /// The human role it is held beside: an id, several joined by ` + `; NULL = no baseline.
        human_role: Option<Arc<str>>,
        /// The name that people call the human role by.
        human_role_name: Option<Arc<str>>,
        /// Where the baseline comes from: `configured`, `declared`, `delegated`, `same_function`, `named`, `mined`, `generic`, `none`.
        baseline_source: Arc<str>,
        /// 0 to 1: how sure the baseline is.
        baseline_confidence: f64,
        /// `PARITY`, `NARROWER`, `EXCESS`, `CONTROL_GAP`, `NO_BASELINE` or `UNKNOWN`; NULL = not an AI identity.
        verdict: Option<Arc<str>>,
        /// Whether it controls its whole scope.
        admin: Option<bool>,
        /// Whether it can get more access than it holds; NULL also where something that may offer a step was not read.
        can_escalate: Option<bool>,
        /// The strongest thing it can become by escalation; NULL = nothing, or not known (`can_escalate` tells).
        escalation_target: Option<Arc<str>>,
        /// The shortest way to that, whichever kinds of steps it takes: techniques joined by ` > `, each but the last with whom it leads to; NULL where there is no `escalation_target`.
        escalation_path: Option<Arc<str>>,
        /// The number of operations it may use; where it was compared, with those of the tool servers it acts through and of roles that its workloads are handed.
        operations: Option<i64>,
        /// The summed weight of the operations it may use.
        access_weight: Option<i64>,
        /// Operations that the human role does not cover.
        excess_operations: Option<i64>,
        /// The summed weight of the operations that the human role does not cover.
        excess_weight: Option<i64>,
        /// Excess weight over access weight; 0 = parity or narrower.
        excess_ratio: Option<f64>,
        /// Excess operations of high risk.
        high_risk_excess: Option<i64>,
        /// Operations of which nothing tells whether the human role covers them.
        undecided_operations: Option<i64>,
        /// Shared access weight over the human role's access weight: does it do what the role does?
        coverage: Option<f64>,
        /// Controls that the human is under and it is not.
        control_gaps: Option<i64>,
        /// The controls that the human is under and it is not, joined by `, `; empty = none.
        control_gap_list: Option<Arc<str>>,
        /// Controls of which nothing tells whether the human is under them and it is not, joined by `, `; empty = none.
        open_control_gap_list: Option<Arc<str>>,
        /// Operations not used in 90 days.
        unused_operations: Option<i64>,
        /// Whether a whole service's operations are granted by a wildcard.
        wildcard_grant: Option<bool>,
        /// Whether some write operation that could be limited to resources is granted on all of them without condition, be it in some regions only; NULL = a deny spares some by what they are.
        write_on_everything: Option<bool>,
        /// Whether it may stop, redirect or delete logs, be it the audit log or those of what runs there: all of a kind, or one that is known; NULL = a condition, or a name that no known log has, decides which.
        log_tamper: Option<bool>,
        /// Whether it may change the rules that gate it: all of a kind, or its own; NULL = a condition or other names decide which.
        gate_tamper: Option<bool>,
        /// Whether it may read values of a secret store on all resources of its scope, or of a subscription in it.
        secret_store_read: Option<bool>,
        /// Whether it may do more than list names in its whole scope, rather than in parts of it.
        scope_wide: Option<bool>,
        /// Whether its scope has an audit log that is on.
        logged: Option<bool>,
        /// Whether that log records what agents do.
        agent_activity_logged: Option<bool>,
        /// Whether a record of its actions leads to one actor: one alone uses it, or each has a session of its own. FALSE = one secret serves several; NULL = who uses it, or by what proof, is not known.
        attributable: Option<bool>,
        /// Static credentials that are enabled.
        static_credentials: Option<i64>,
        /// Whether a person can sign in with it.
        human_sign_in: Option<bool>,
        /// Where it is described.
        location: Arc<str>,
        /// What an AI identity may do by itself: operations by resources and condition, as `a:Get, a:Put on x + z if y`, parts joined by `; `; what a name or a value holds of spaces, commas and semicolons, and of stars that are no wildcards, is written `${ }` and so on; NULL = no AI identity, not known, or longer than 8 KiB (`access_hash` tells whether it changed).
        access_list: Option<Arc<str>>,
        /// A hash of that list, however long it is: equal in two scans where the access is written the same; NULL = no AI identity, or not known.
        access_hash: Option<Arc<str>>,
    }
}

fact_table! {
    #[table("credentials", "credential")]
    /// What proves an identity.
    pub struct CredentialRow {
        /// The credential's id.
        id: Arc<str>,
        /// Whom it proves, or who holds it.
        identity: Arc<str>,
        /// The provider that read it.
        provider: Arc<str>,
        /// The nature of that identity.
        nature: Arc<str>,
        /// The kind: `access_key`, `password`, `service_account_token`, `api_key`, `federated` …
        kind: Arc<str>,
        /// Whether it stays valid until someone revokes it.
        r#static: Option<bool>,
        /// Whether a short-lived or federated way exists for the same purpose.
        federable: Option<bool>,
        /// Where it lies or is described.
        location: Arc<str>,
        /// The line there, from 1; NULL where the place has none.
        location_line: Option<i64>,
        /// `committed`, `user_file`, `environment`, `store` or `none`.
        exposure: Option<Arc<str>>,
        /// Whether it stands in command arguments or a URL.
        in_arguments: Option<bool>,
        /// Whether other users of the machine may read its file.
        file_readable_by_others: Option<bool>,
        /// When it was made.
        created_at: Option<Timestamp>,
        /// When it ends; NULL = never, or not known (`has_expiry` tells).
        expires_at: Option<Timestamp>,
        /// Whether it ends by itself.
        has_expiry: Option<bool>,
        /// Whether it has ended already.
        expired: Option<bool>,
        /// When it was last used; NULL = never, or not known (`ever_used` tells).
        last_used_at: Option<Timestamp>,
        /// Whether it was ever used.
        ever_used: Option<bool>,
        /// Whole days since it was made.
        age_days: Option<i64>,
        /// Whole days from its making to its end.
        lifetime_days: Option<i64>,
        /// Whom it is meant for; NULL = for whoever trusts its issuer, or not known.
        audience: Option<Arc<str>>,
        /// Whether a copy stands in metadata, which those see who may see names and labels.
        in_metadata: Option<bool>,
        /// Whole days since it was last used, or since it was made if it never was.
        idle_days: Option<i64>,
        /// Whether it is accepted at present.
        enabled: Option<bool>,
        /// Equal for equal secrets: `secret-1` within one scan, or 32 hexadecimal digits under a key of yours.
        fingerprint: Option<Arc<str>>,
        /// The number of identities that hold the same secret, this one included.
        shared_by: i64,
    }
}

fact_table! {
    #[table("excess", "excess atom")]
    /// Access of an AI identity that the human role does not cover.
    pub struct ExcessRow {
        /// The AI identity.
        identity: Arc<str>,
        /// The human role.
        human_role: Arc<str>,
        /// The operation, or a wildcard that stands for all of a service's operations.
        operation: Arc<str>,
        /// The number of operations it stands for.
        operations: i64,
        /// The highest level among them: `list`, `read`, `tagging`, `write` or `permission_management`.
        access_level: Arc<str>,
        /// The resources.
        scope: Arc<str>,
        /// The condition; empty = none.
        condition: Arc<str>,
        /// The summed weight; 1 to 13 for one operation.
        weight: i64,
        /// Whether some of them is of high risk.
        high_risk: bool,
        /// Whether some of them was used in 90 days.
        used: Option<bool>,
        /// The statement that grants it.
        granted_by: Arc<str>,
        /// Where the statement stands.
        location: Arc<str>,
        /// `true` = certainly not covered; `false` = nothing tells whether it is.
        decided: bool,
        /// Where people have the operations all the same, though not there or not without a condition; empty = they do not.
        people_have: Arc<str>,
    }
}

fact_table! {
    #[table("paths", "path")]
    /// Chains of trusts and escalation techniques to more access.
    pub struct PathRow {
        /// The identity at the start.
        identity: Arc<str>,
        /// The nature of that identity.
        nature: Arc<str>,
        /// What is reached: an identity, or `admin of <scope>`.
        target: Arc<str>,
        /// The number of steps.
        hops: i64,
        /// The techniques in order, joined by ` > `.
        techniques: Arc<str>,
        /// Whether some step escalates, as opposed to trusts meant to be used.
        escalation: bool,
        /// Whether some step depends on a condition not known to hold.
        conditional: bool,
        /// Whether it leaves the provider it starts in.
        crosses_provider: bool,
        /// Whether the end controls a whole scope.
        reaches_admin: bool,
        /// The statements that allow the steps.
        evidence: Arc<str>,
        /// The identities passed on the way, in order, joined by ` > `; empty = one step leads there.
        through: Arc<str>,
        /// The nature of whoever the first step leads to; empty where that is control of a whole scope.
        first_nature: Arc<str>,
    }
}

fact_table! {
    #[table("trusts", "trust")]
    /// Who may become whom.
    pub struct TrustRow {
        /// Who is trusted: an identity, or a party outside the inventory.
        source: Arc<str>,
        /// Who may be become.
        target: Arc<str>,
        /// The provider that read it.
        provider: Arc<str>,
        /// The nature of the target.
        target_nature: Arc<str>,
        /// How: `assume_role`, `federation`, `service`, `impersonation` …
        mechanism: Arc<str>,
        /// The conditions on it; empty = none.
        constraint: Arc<str>,
        /// Whether the constraint is weaker than it should be.
        weak: Option<bool>,
        /// The name of the weakness; empty = none.
        weakness: Arc<str>,
        /// Whether the target's side of it has a row of its own, from another document than the source's side.
        joined: bool,
        /// Where it is written.
        location: Arc<str>,
    }
}

fact_table! {
    #[table("controls", "identity, sensitive operation and control")]
    /// Controls that stand before the human and before the AI identity for the same sensitive operations; and controls before
    /// certain resources that stand there before people and before a machine of any nature, whatever job anybody does.
    pub struct ControlRow {
        /// The AI identity, or the machine.
        identity: Arc<str>,
        /// Its nature: `ai_agent`, `workload`, `third_party` or `unknown`.
        nature: Arc<str>,
        /// The human role of the job; where that does not stand before the control, and for machines that are no AI, the least role with which people get to the resources.
        human_role: Arc<str>,
        /// The sensitive operations that both hold, joined by `, `, at most five and then a count; where the identity changes the control and cannot do what that stands before, this, at most five.
        operation: Arc<str>,
        /// The resources.
        resource: Arc<str>,
        /// `second_person_approval`, `just_in_time`, `change_gate`, `mfa` or `network_or_device`.
        control: Arc<str>,
        /// Whether the human is under it.
        human_has: Option<bool>,
        /// Whether the identity is under it.
        identity_has: Option<bool>,
        /// How the identity gets past it, or might: `listed` as one who need not pass, `unrecorded` = likewise and without a record, `unenforced` for its rank, `changes` the control, `satisfies` it itself, `untold` = who gets past was not told; empty = nothing tells.
        way: Arc<str>,
        /// The same in a few words, or why it is not known; empty = nothing tells.
        reason: Arc<str>,
        /// The setting that says so; empty = it is a condition of grants.
        location: Arc<str>,
    }
}

fact_table! {
    #[table("agents", "agent or tool server in configuration")]
    /// Agents and tool servers as they are configured.
    pub struct AgentRow {
        /// The row's id.
        id: Arc<str>,
        /// The identity it acts as.
        identity: Arc<str>,
        /// The provider that read it.
        provider: Arc<str>,
        /// The client or platform.
        client: Arc<str>,
        /// `agent` or `tool_server`.
        kind: Arc<str>,
        /// Its name.
        name: Arc<str>,
        /// The file it is configured in.
        location: Arc<str>,
        /// The line there, from 1.
        line: Option<i64>,
        /// `stdio`, `http`, `sse` …; NULL for agents.
        transport: Option<Arc<str>>,
        /// Whether the endpoint is reached over the network; NULL = not known.
        remote: Option<bool>,
        /// Whether the command or image is pinned to a version or digest.
        command_pinned: Option<bool>,
        /// Whether the command fetches code when it starts.
        command_fetched: Option<bool>,
        /// Whether it runs in a sandbox.
        sandboxed: Option<bool>,
        /// `prompt`, `partial` or `bypass`, after the client's default is applied.
        approval_mode: Option<Arc<str>>,
        /// Whether the mode is the client's default because nothing was set.
        approval_defaulted: Option<bool>,
        /// Tools that run unasked, joined by `, `; empty = none.
        auto_approved: Option<Arc<str>>,
        /// Whether every tool runs unasked.
        auto_approve_all: Option<bool>,
        /// Whether a tool with effects outside the machine runs unasked.
        external_effect_approved: Option<bool>,
        /// Whether a managed policy forbids bypassing approval.
        managed_policy: Option<bool>,
        /// Whether project-supplied tool servers start without review.
        project_servers_enabled: Option<bool>,
        /// Whether the endpoint demands a credential; NULL for local processes and where not known (`remote` tells).
        authenticated: Option<bool>,
        /// Whether the endpoint is reached over TLS; NULL likewise.
        tls: Option<bool>,
        /// The widest folder it may touch: `project`, `home` or `root`.
        file_scope: Option<Arc<str>>,
        /// Whether it runs as root, privileged, or with a container socket.
        privileged: Option<bool>,
        /// Where the key lies with which it calls its model: `committed`, `environment`, `store` …; `none` = it takes none.
        model_key: Option<Arc<str>>,
        /// Whether it decides for each caller or tool what may be called.
        authorization: Option<bool>,
        /// The name of the profile that limits what it may touch where it runs; NULL = none is set, or not known.
        permission_profile: Option<Arc<str>>,
        /// The number of agents that act through it; 0 for agents that no other agent uses.
        used_by: i64,
        /// Whether telemetry of its actions is exported.
        telemetry: Option<bool>,
        /// What starts it.
        trigger: Option<Arc<str>>,
        /// Whether someone outside the organisation can start it.
        untrusted_trigger: Option<bool>,
        /// Whether someone outside the organisation can start it in a run that holds its secrets and rights.
        outsider_run_privileged: Option<bool>,
        /// Whether it is in the register of the configuration; NULL = there is no register.
        registered: Option<bool>,
        /// Whether the identity it acts as has an owner; for an agent card, the provider that it names.
        has_owner: Option<bool>,
        /// Whether the credentials it uses are those of the person at the machine.
        ambient_credentials: Option<bool>,
        /// Whether it is switched off.
        disabled: bool,
        /// Whether commands that a repository brings along (hooks) run beside it.
        project_hooks: Option<bool>,
        /// Whether commands may leave its sandbox; NULL where there is none.
        sandbox_escape: Option<bool>,
        /// Whether code that an outsider can write is checked out where it runs.
        untrusted_checkout: Option<bool>,
        /// Whether the token that a pipeline hands to it may change the repository.
        token_writes: Option<bool>,
        /// What limits the token that a pipeline hands to it: `limited`, `default` where nothing there does, `write_all`.
        token_grant: Option<Arc<str>>,
        /// Names of the pipeline's secrets in its reach, joined by `, `; empty = none.
        secrets_in_reach: Option<Arc<str>>,
        /// Every key that bears on approval or isolation with its place, joined by `, `; empty = none is set.
        approval_keys: Arc<str>,
    }
}

fact_table! {
    #[table("workloads", "workload using an identity")]
    /// What runs with an identity.
    pub struct WorkloadRow {
        /// The workload's id.
        id: Arc<str>,
        /// The identity it carries.
        identity: Arc<str>,
        /// The provider that read it.
        provider: Arc<str>,
        /// The nature of that identity.
        nature: Arc<str>,
        /// The provider's word for it.
        kind: Arc<str>,
        /// Its name.
        name: Arc<str>,
        /// Where it runs.
        scope: Arc<str>,
        /// Container images, joined by `, `.
        image: Option<Arc<str>>,
        /// Whether the identity's token is placed inside it.
        token_mounted: Option<bool>,
        /// Whether it needs that token.
        needs_token: Option<bool>,
        /// Whether it takes requests from outside.
        exposed: Option<bool>,
        /// Whether it runs privileged, shares the host's namespaces or mounts a container socket.
        privileged: Option<bool>,
        /// Whether its identity is the one that its place gives to whatever names none.
        default_identity: Option<bool>,
        /// Whether network rules limit where it may connect to.
        egress_restricted: Option<bool>,
        /// Whether network rules limit who may connect to it.
        ingress_restricted: Option<bool>,
        /// Whether its place refuses to run privileged containers.
        hardening_enforced: Option<bool>,
        /// The stored secrets that are placed inside it or used to fetch it, joined by `, `; empty = none.
        secrets: Option<Arc<str>>,
        /// Where it is described.
        location: Arc<str>,
    }
}

fact_table! {
    #[table("logs", "scope and log")]
    /// What records the actions of identities.
    pub struct LogRow {
        /// The scope it records.
        scope: Arc<str>,
        /// The provider that read it.
        provider: Arc<str>,
        /// The log's name.
        log: Arc<str>,
        /// Whether it is on.
        enabled: Option<bool>,
        /// Whether it records what agents do.
        covers_agents: Option<bool>,
        /// How long records are kept; NULL = for ever, or not known (`has_retention_limit` tells).
        retention_days: Option<i64>,
        /// Whether records are deleted after some time.
        has_retention_limit: Option<bool>,
        /// Whether records are protected against change.
        tamper_protected: Option<bool>,
        /// The number of AI identities in the scope.
        ai_identities: i64,
        /// Where it is described.
        location: Arc<str>,
    }
}

fact_table! {
    #[table("gaps", "thing not read")]
    /// What could not be read.
    pub struct GapRow {
        /// The provider; NULL when no provider recognised it.
        provider: Option<Arc<str>>,
        /// The scope.
        scope: Option<Arc<str>>,
        /// `failed` = evidence that should be there is not; `not_collected` = never part of the capture.
        kind: Arc<str>,
        /// The call or document.
        call: Arc<str>,
        /// Why, with a remedy.
        reason: Arc<str>,
        /// The facts that are unknown because of it.
        facts: Arc<str>,
    }
}

fact_table! {
    #[table("waivers", "waiver of the configuration")]
    /// Exceptions that the configuration accepts, in force or not.
    pub struct WaiverRow {
        /// The rule, as it is written.
        rule: Arc<str>,
        /// The identity, as it is written.
        identity: Arc<str>,
        /// The provider that read the identity; `configuration` = no such identity was read.
        provider: Arc<str>,
        /// Why it is accepted.
        reason: Arc<str>,
        /// Who answers for it.
        owner: Arc<str>,
        /// Who accepted it.
        approver: Arc<str>,
        /// Where that was discussed.
        ticket: Arc<str>,
        /// The beginning, UTC, of the last day on which it holds.
        expires_at: Timestamp,
        /// Days from the scan to its last day; negative once it has expired.
        days_left: i64,
        /// Whether it names one rule and one identity, rather than a pattern.
        exact: bool,
        /// Whether somebody else than its owner accepted it.
        second_person: bool,
        /// Whether it covers what it names: exact, accepted by a second person, not expired, for 180 days at most, and not about waivers.
        in_force: bool,
        /// The findings that it names; NULL = this scan did not evaluate the rule, or it is about waivers.
        findings: Option<i64>,
        /// Where it is written.
        location: Arc<str>,
        /// Whether another one in force, written before it, covers the same rule and identity.
        repeated: bool,
        /// Whether it names a rule about waivers: that one of them is at fault, no other one accepts.
        about_waivers: bool,
    }
}
