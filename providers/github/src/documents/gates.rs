//! What stands before a change: rulesets, classic branch protection and environments, as the API describes them.

use serde::Deserialize;

use super::people::Account;

/// A ruleset.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Ruleset {
    /// Its number.
    pub id: u64,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `branch`, `tag`, `push`, `repository`.
    pub target: Option<String>,
    /// `Organization`, `Repository`, `Enterprise`.
    pub source_type: Option<String>,
    /// The organisation, or owner and name of the repository.
    pub source: Option<String>,
    /// `active`, `evaluate`, `disabled`.
    pub enforcement: Option<String>,
    /// Who need not obey. Left out of answers to those who may not write the ruleset: then it is unknown.
    pub bypass_actors: Option<Vec<BypassActor>>,
}

/// Somebody who need not obey a ruleset.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct BypassActor {
    /// The number; none for kinds that have one member, and for deploy keys, where it means all of them.
    pub actor_id: Option<u64>,
    /// `Integration`, `OrganizationAdmin`, `RepositoryRole`, `Team`, `DeployKey`, `EnterpriseOwner`, `EnterpriseRole`, `User`.
    #[serde(default)]
    pub actor_type: String,
    /// `always`, `pull_request`, `exempt`; left out = always.
    pub bypass_mode: Option<String>,
}

/// A rule that holds on a branch, with the ruleset that it is from.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct EffectiveRule {
    /// `pull_request`, `required_status_checks`, `update`, `deletion` …
    #[serde(rename = "type", default)]
    pub kind: String,
    /// What it demands.
    #[serde(default, deserialize_with = "super::absent::or_default")]
    pub parameters: RuleParameters,
    /// The number of the ruleset.
    pub ruleset_id: Option<u64>,
    /// `Organization`, `Repository`, `Enterprise`.
    pub ruleset_source_type: Option<String>,
    /// The organisation, or owner and name of the repository.
    pub ruleset_source: Option<String>,
}

/// What a rule demands, as far as it matters here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RuleParameters {
    /// How many must approve.
    pub required_approving_review_count: Option<u32>,
    /// Whether owners of the code must.
    pub require_code_owner_review: Option<bool>,
    /// Whether somebody else than who pushed last must.
    pub require_last_push_approval: Option<bool>,
    /// Whether approvals of what is pushed over are lost.
    pub dismiss_stale_reviews_on_push: Option<bool>,
    /// The teams that must approve changes of certain files.
    #[serde(deserialize_with = "super::absent::or_default")]
    pub required_reviewers: Vec<RequiredReviewer>,
    /// The checks that must pass.
    #[serde(deserialize_with = "super::absent::or_default")]
    pub required_status_checks: Vec<serde::de::IgnoredAny>,
    /// The environments that must have been deployed to.
    #[serde(deserialize_with = "super::absent::or_default")]
    pub required_deployment_environments: Vec<String>,
}

/// A team that must approve changes of certain files.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RequiredReviewer {
    /// How many of it must; 0 = it is asked, and need not.
    pub minimum_approvals: Option<u32>,
}

/// Classic protection of a branch.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Protection {
    /// The reviews that it demands; none = none.
    pub required_pull_request_reviews: Option<Reviews>,
    /// The checks that it demands.
    pub required_status_checks: Option<serde::de::IgnoredAny>,
    /// Whether administrators must obey.
    pub enforce_admins: Option<Switch>,
    /// Who may push; none = everybody with write access.
    pub restrictions: Option<Actors>,
    /// Whether nobody may push.
    pub lock_branch: Option<Switch>,
}

/// The reviews that classic protection demands.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Reviews {
    /// How many must approve.
    pub required_approving_review_count: Option<u32>,
    /// Whether owners of the code must.
    pub require_code_owner_reviews: Option<bool>,
    /// Whether somebody else than who pushed last must.
    pub require_last_push_approval: Option<bool>,
    /// Who need not.
    pub bypass_pull_request_allowances: Option<Actors>,
}

/// A list of people, teams and apps.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Actors {
    /// People.
    #[serde(deserialize_with = "super::absent::or_default")]
    pub users: Vec<Account>,
    /// Teams.
    #[serde(deserialize_with = "super::absent::or_default")]
    pub teams: Vec<Slug>,
    /// Apps.
    #[serde(deserialize_with = "super::absent::or_default")]
    pub apps: Vec<Slug>,
}

/// A name in paths.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Slug {
    /// The name.
    #[serde(default)]
    pub slug: String,
}

/// A switch as an object.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Switch {
    /// Whether it is on.
    #[serde(default)]
    pub enabled: bool,
}

/// An environment.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Environment {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// What stands before a deployment.
    #[serde(default, deserialize_with = "super::absent::or_default")]
    pub protection_rules: Vec<ProtectionRule>,
    /// Which branches may deploy; none = all.
    pub deployment_branch_policy: Option<BranchPolicy>,
    /// Whether administrators may go past it.
    pub can_admins_bypass: Option<bool>,
}

/// Something that stands before a deployment.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ProtectionRule {
    /// `required_reviewers`, `wait_timer`, `branch_policy`, or that of an app.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Who must approve.
    #[serde(default, deserialize_with = "super::absent::or_default")]
    pub reviewers: Vec<serde::de::IgnoredAny>,
    /// Whether who started it may not approve it.
    pub prevent_self_review: Option<bool>,
}

/// Which branches may deploy.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct BranchPolicy {
    /// Those that are protected.
    #[serde(default)]
    pub protected_branches: bool,
    /// Those whose names fit a list of patterns.
    #[serde(default)]
    pub custom_branch_policies: bool,
}

/// A pattern of branches, or of tags, that may deploy.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NamePattern {
    /// The pattern.
    #[serde(default)]
    pub name: String,
    /// `branch` or `tag`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}
