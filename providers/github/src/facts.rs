//! Everything that the answers of a capture say, by organisation and repository: typed, without a secret, and with what was
//! not read kept apart from what is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use evenhand_agents::workflow::Outline;
use evenhand_model::evidence::Evidence;
use evenhand_model::refusal::Refusal;

use crate::documents::actions::{
    ActionsAccess, ActionsPermissions, Branch, ForkApproval, OidcSubject, Repository, Runner, RunnerGroup,
    WorkflowDefaults,
};
use crate::documents::apps::{App, CredentialAuthorisation, Installation, Named, TokenGrant};
use crate::documents::copilot::{CopilotAgent, CopilotBilling, CopilotConfiguration, LogStream, Seat};
use crate::documents::gates::{EffectiveRule, Environment, NamePattern, Protection, Ruleset};
use crate::documents::keys::{DeployKey, PrivateRegistry, Secret, SecretVariable, Webhook};
use crate::documents::people::{Account, CustomRole, Organisation, OrganisationRole, Team, TeamRepository};
use crate::documents::route::Route;
use crate::documents::told::{At, Told};

/// A list with the place of each element.
pub type List<T> = Told<Vec<At<T>>>;

/// A workflow file of a default branch.
#[derive(Debug)]
pub struct WorkflowFile {
    /// Its jobs.
    pub outline: Outline,
    /// Whether agents run in it by its own text.
    pub(crate) runs_agents: bool,
    /// Its text, where agents may run in it or in what it calls.
    pub(crate) written: Option<Written>,
    /// The page of the file.
    pub document: Arc<str>,
}

impl WorkflowFile {
    /// Its text, where it was kept.
    pub(crate) fn text(&self) -> Option<&str> {
        self.written.as_ref().map(|written| written.0.as_str())
    }
}

/// The text of a file as it is written, secrets included: it is shown nowhere, and is gone once the inventory is made.
pub(crate) struct Written(pub(crate) String);

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a text)")
    }
}

/// An answer that was asked for and not given.
#[derive(Clone, Debug)]
pub(crate) struct Unanswered {
    pub(crate) route: Route,
    /// The repository by its name; none = of the organisation.
    pub(crate) repository: Option<String>,
    pub(crate) refusal: Refusal,
    pub(crate) accepted: Option<Arc<str>>,
}

/// What was read, by host and owner in lower case: GitHub does not tell names apart by their case.
#[derive(Debug, Default)]
pub struct Facts {
    pub(crate) owners: BTreeMap<(String, String), OwnerFacts>,
    /// Repositories of installations, by host and number: their call does not name the organisation.
    pub(crate) installation_repositories: BTreeMap<(String, u64), Told<Vec<Named>>>,
    /// Definitions of apps, by host and name.
    pub(crate) apps: BTreeMap<(String, String), At<App>>,
    /// Which repositories the app is installed on that collected, by host and organisation in lower case.
    pub(crate) selections: BTreeMap<(String, String), String>,
    /// Where enterprises send their audit logs, by host.
    pub(crate) log_streams: BTreeMap<String, List<LogStream>>,
}

impl Facts {
    /// Organisations, and people who own repositories, sorted.
    pub fn owners(&self) -> impl Iterator<Item = &OwnerFacts> {
        self.owners.values()
    }

    /// Organisations that GitHub does not tell of, where nothing was read of any other.
    pub(crate) fn hidden(&self) -> impl Iterator<Item = &OwnerFacts> {
        let told = self.owners().any(OwnerFacts::is_told);
        self.owners().filter(move |owner| !told && owner.is_hidden())
    }

    /// What is to be filled for an owner.
    pub(crate) fn owner(&mut self, host: &str, name: &str) -> &mut OwnerFacts {
        self.owners.entry((host.to_owned(), name.to_lowercase())).or_insert_with(|| OwnerFacts {
            host: host.to_owned(),
            name: name.to_owned(),
            ..OwnerFacts::default()
        })
    }
}

/// What is known of an organisation.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "each is the answer of the call of that name")]
pub struct OwnerFacts {
    pub host: String,
    pub name: String,
    pub organisation: Told<At<Organisation>>,
    /// Whether the list of repositories was read.
    pub repositories_listed: Told<Evidence>,
    /// The repositories of that list, in lower case; other documents may name more.
    pub(crate) listed: BTreeSet<String>,
    /// By name in lower case.
    pub repositories: BTreeMap<String, RepositoryFacts>,
    pub members: List<Account>,
    pub owners: List<Account>,
    pub without_second_factor: List<Account>,
    pub outside_collaborators: List<Account>,
    pub teams: List<Team>,
    pub team_members: BTreeMap<String, List<Account>>,
    pub team_repositories: BTreeMap<String, List<TeamRepository>>,
    pub roles: List<OrganisationRole>,
    pub role_users: BTreeMap<u64, List<Account>>,
    pub role_teams: BTreeMap<u64, List<Team>>,
    pub custom_roles: List<CustomRole>,
    pub installations: List<Installation>,
    pub token_grants: List<TokenGrant>,
    pub token_repositories: BTreeMap<u64, Told<Vec<Named>>>,
    pub token_requests: List<TokenGrant>,
    pub authorisations: List<CredentialAuthorisation>,
    pub hooks: List<Webhook>,
    pub secrets: List<Secret>,
    pub secret_repositories: BTreeMap<String, Told<Vec<Named>>>,
    pub variables: List<SecretVariable>,
    pub agent_secrets: List<Secret>,
    pub agent_secret_repositories: BTreeMap<String, Told<Vec<Named>>>,
    pub agent_variables: List<SecretVariable>,
    pub dependabot_secrets: List<Secret>,
    pub dependabot_secret_repositories: BTreeMap<String, Told<Vec<Named>>>,
    pub codespaces_secrets: List<Secret>,
    pub codespaces_secret_repositories: BTreeMap<String, Told<Vec<Named>>>,
    pub private_registries: List<PrivateRegistry>,
    pub workflow_defaults: Told<At<WorkflowDefaults>>,
    pub actions: Told<At<ActionsPermissions>>,
    pub oidc_subject: Told<At<OidcSubject>>,
    pub runners: List<Runner>,
    pub runner_groups: List<RunnerGroup>,
    pub group_repositories: BTreeMap<u64, Told<Vec<Named>>>,
    pub rulesets: BTreeMap<u64, At<Ruleset>>,
    pub copilot: Told<At<CopilotBilling>>,
    pub seats: List<Seat>,
    pub copilot_agent: Told<At<CopilotAgent>>,
    pub copilot_agent_repositories: Told<Vec<Named>>,
    /// Whether the audit log answers.
    pub audit_log: Told<Evidence>,
    pub(crate) unanswered: Vec<Unanswered>,
}

impl OwnerFacts {
    /// Whether anything was read that tells who acts there, or where.
    fn is_told(&self) -> bool {
        let lists = [&self.members, &self.owners, &self.outside_collaborators];
        self.organisation.is_read()
            || self.repositories_listed.is_read()
            || self.repositories.values().any(|held| held.repository.is_read())
            || lists.into_iter().any(Told::is_read)
            || self.teams.is_read()
            || self.installations.is_read()
            || self.token_grants.is_read()
    }

    /// Whether GitHub does not tell of it, as of one that is not there, and nothing was read of it.
    pub(crate) fn is_hidden(&self) -> bool {
        let is_hidden = |held: &Unanswered| held.route == Route::Organisation && held.refusal.code.starts_with("404");
        !self.is_told() && self.unanswered.iter().any(is_hidden)
    }

    /// What is to be filled for a repository.
    pub(crate) fn repository(&mut self, name: &str) -> &mut RepositoryFacts {
        self.repositories
            .entry(name.to_lowercase())
            .or_insert_with(|| RepositoryFacts { name: name.to_owned(), ..RepositoryFacts::default() })
    }

    /// A repository by its name, or by owner and name.
    pub fn find(&self, name: &str) -> Option<&RepositoryFacts> {
        let name = match name.split_once('/') {
            Some((owner, name)) => Some(name).filter(|_| owner.eq_ignore_ascii_case(&self.name))?,
            None => name,
        };
        self.repositories.get(&name.to_lowercase())
    }
}

/// What is known of a repository.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "each is the answer of the call of that name")]
pub struct RepositoryFacts {
    pub name: String,
    pub repository: Told<At<Repository>>,
    pub collaborators: List<Account>,
    pub teams: List<Team>,
    pub keys: List<DeployKey>,
    pub hooks: List<Webhook>,
    pub secrets: List<Secret>,
    pub shared_secrets: List<Secret>,
    pub variables: List<SecretVariable>,
    pub agent_secrets: List<Secret>,
    pub agent_variables: List<SecretVariable>,
    pub dependabot_secrets: List<Secret>,
    pub codespaces_secrets: List<Secret>,
    pub actions: Told<At<ActionsPermissions>>,
    pub actions_access: Told<At<ActionsAccess>>,
    pub workflow_defaults: Told<At<WorkflowDefaults>>,
    pub fork_approval: Told<At<ForkApproval>>,
    pub oidc_subject: Told<At<OidcSubject>>,
    pub runners: List<Runner>,
    pub branches: List<Branch>,
    pub environments: List<Environment>,
    pub environment_secrets: BTreeMap<String, List<Secret>>,
    pub environment_variables: BTreeMap<String, List<SecretVariable>>,
    /// Patterns of branches and tags that may deploy, by environment.
    pub environment_branches: BTreeMap<String, List<NamePattern>>,
    pub rulesets_listed: List<Ruleset>,
    pub rulesets: BTreeMap<u64, At<Ruleset>>,
    /// Rules that hold, by branch.
    pub effective_rules: BTreeMap<String, List<EffectiveRule>>,
    /// Classic protection by branch; `None` = read, and there is none.
    pub protection: BTreeMap<String, Told<Option<At<Protection>>>>,
    pub copilot: Told<At<CopilotConfiguration>>,
    /// Paths of workflow files, where the folder was listed.
    pub workflow_paths: Told<Vec<String>>,
    /// Workflow files by path.
    pub workflows: BTreeMap<String, WorkflowFile>,
}

impl RepositoryFacts {
    /// The branch that changes end in; unknown where the repository itself was not read.
    pub fn default_branch(&self) -> Option<&str> {
        self.repository.get()?.default_branch.as_deref()
    }

    /// Whether its workflows run at all.
    pub(crate) fn runs_workflows(&self) -> bool {
        let off = self.actions.get().is_some_and(|actions| actions.enabled == Some(false));
        !off && !self.is_archived()
    }

    /// Whether it can no longer be changed.
    pub fn is_archived(&self) -> bool {
        self.repository.get().is_some_and(|repository| repository.archived == Some(true))
    }

    /// Whether everyone can see it; `None` = not known.
    pub fn is_public(&self) -> Option<bool> {
        self.repository.get()?.is_public()
    }
}
