//! Repositories, and what GitHub Actions may do in them, as the API describes them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::people::Account;

/// A repository.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Repository {
    /// Its number, as immutable subjects name it.
    pub id: Option<u64>,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Owner and name.
    #[serde(default)]
    pub full_name: String,
    /// Who owns it.
    pub owner: Option<Account>,
    /// `public`, `private`, `internal`.
    pub visibility: Option<String>,
    /// Whether not everyone can see it.
    pub private: Option<bool>,
    /// The branch that changes end in.
    pub default_branch: Option<String>,
    /// Whether it can no longer be changed.
    pub archived: Option<bool>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last pushed to.
    pub pushed_at: Option<Timestamp>,
    /// What the organisation says of it.
    #[serde(default, deserialize_with = "super::absent::or_default")]
    pub custom_properties: BTreeMap<String, serde_json::Value>,
}

impl Repository {
    /// Whether everyone can see it.
    pub fn is_public(&self) -> Option<bool> {
        match self.visibility.as_deref() {
            Some("public") => Some(true),
            Some(_) => Some(false),
            None => self.private.map(|private| !private),
        }
    }

    /// A property that the organisation declares of it.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.custom_properties.get(name)?.as_str().filter(|text| !text.is_empty())
    }
}

/// What a workflow's token may do by default, and whether it may approve.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WorkflowDefaults {
    /// `read` or `write`.
    pub default_workflow_permissions: Option<String>,
    /// Whether workflows may create and approve pull requests.
    pub can_approve_pull_request_reviews: Option<bool>,
}

/// Whether Actions are on, and which actions may run.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ActionsPermissions {
    /// Of a repository: whether they are on.
    pub enabled: Option<bool>,
    /// Of an organisation: `all`, `none`, `selected`.
    pub enabled_repositories: Option<String>,
    /// `all`, `local_only`, `selected`.
    pub allowed_actions: Option<String>,
    /// Whether actions must be pinned to a commit.
    pub sha_pinning_required: Option<bool>,
}

/// Who else may use the actions and workflows of a repository that is not public.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ActionsAccess {
    /// `none`, `user`, `organization`, `enterprise`.
    pub access_level: Option<String>,
}

/// Whose pull requests from forks wait for approval.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ForkApproval {
    /// `first_time_contributors_new_to_github`, `first_time_contributors`, `all_external_contributors`.
    pub approval_policy: Option<String>,
}

/// How workflows name themselves to clouds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct OidcSubject {
    /// Of a repository: whether the organisation's template is left aside for GitHub's own.
    pub use_default: Option<bool>,
    /// The claims that the subject is made of, in their order.
    pub include_claim_keys: Option<Vec<String>>,
    /// Whether owner and repository are named with their numbers.
    pub use_immutable_subject: Option<bool>,
    /// What the subject begins with in place of `repo:OWNER/REPO`.
    pub sub_claim_prefix: Option<String>,
}

/// A runner that is not GitHub's.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Runner {
    /// Its number.
    pub id: Option<u64>,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `online`, `offline`.
    pub status: Option<String>,
    /// Whether it is used for one job only.
    pub ephemeral: Option<bool>,
    /// The group that it is in.
    pub runner_group_id: Option<u64>,
    /// What jobs ask for.
    #[serde(default, deserialize_with = "super::absent::or_default")]
    pub labels: Vec<Label>,
}

/// What a job asks of a runner.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Label {
    /// The word.
    #[serde(default)]
    pub name: String,
}

/// A group of runners.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RunnerGroup {
    /// Its number.
    pub id: u64,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `all`, `private`, `selected` repositories may use it.
    pub visibility: Option<String>,
    /// Whether public repositories may.
    pub allows_public_repositories: Option<bool>,
    /// Whether only listed workflows may.
    pub restricted_to_workflows: Option<bool>,
    /// These, as `OWNER/REPO/PATH@REFERENCE`, where only listed ones may.
    pub selected_workflows: Option<Vec<String>>,
}

/// A branch.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Branch {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Whether something protects it.
    pub protected: Option<bool>,
}

/// A file, or an entry of a folder.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct File {
    #[serde(default)]
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) content: Option<String>,
    #[serde(default)]
    pub(crate) encoding: Option<String>,
}
