//! Organisations, people, teams and roles as the API describes them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// An organisation.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Organisation {
    /// Its name.
    pub login: String,
    /// Its number.
    pub id: Option<u64>,
    /// What every member may do to every repository: `none`, `read`, `write`, `admin`; withheld from those who do not own it.
    pub default_repository_permission: Option<String>,
    /// Whether two factors are demanded of everybody; withheld likewise.
    pub two_factor_requirement_enabled: Option<bool>,
    /// How many public repositories it has.
    pub public_repos: Option<u64>,
    /// How many other ones; withheld likewise.
    pub total_private_repos: Option<u64>,
    /// Whether repositories may have deploy keys.
    pub deploy_keys_enabled_for_repositories: Option<bool>,
}

/// An account: a person, a machine user, an app's bot, an organisation.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Account {
    /// Its name.
    #[serde(default)]
    pub login: String,
    /// Its number.
    pub id: Option<u64>,
    /// `User`, `Bot`, `Organization`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// In a repository: `read`, `triage`, `write`, `maintain`, `admin` or the name of a custom role.
    pub role_name: Option<String>,
}

/// A team.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Team {
    /// Its number, as rulesets name it.
    pub id: Option<u64>,
    /// Its name in paths.
    pub slug: String,
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The team whose access it inherits.
    pub parent: Option<Parent>,
    /// In the list of a repository's teams: what it may do there.
    pub permission: Option<String>,
    /// In the list of a repository's teams: the role's name.
    pub role_name: Option<String>,
}

/// The team above a team.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Parent {
    /// Its name in paths.
    pub slug: String,
}

/// A repository as a team's list shows it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct TeamRepository {
    /// Owner and name.
    pub full_name: String,
    /// What the team may do there.
    pub role_name: Option<String>,
    /// The same as flags, where no role is named.
    #[serde(default, deserialize_with = "super::absent::or_default")]
    pub permissions: BTreeMap<String, bool>,
}

impl TeamRepository {
    /// The role, from its name or the highest flag.
    pub fn role(&self) -> Option<&str> {
        let flags =
            [("admin", "admin"), ("maintain", "maintain"), ("push", "write"), ("triage", "triage"), ("pull", "read")];
        let flagged =
            || flags.iter().find(|(flag, _)| self.permissions.get(*flag) == Some(&true)).map(|(_, role)| *role);
        self.role_name.as_deref().or_else(flagged)
    }
}

/// A role of an organisation: what it allows, and how much of every repository it gives.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct OrganisationRole {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The role that it gives in every repository, where it gives one.
    pub base_role: Option<String>,
    /// Further permissions, in GitHub's words.
    #[serde(default, deserialize_with = "super::absent::or_default")]
    pub permissions: Vec<String>,
}

/// A role for repositories that the organisation made.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CustomRole {
    /// Its number, as rulesets name it.
    pub id: Option<u64>,
    /// Its name.
    pub name: String,
    /// The role that it adds to.
    pub base_role: Option<String>,
    /// What it adds, in GitHub's words.
    #[serde(default, deserialize_with = "super::absent::or_default")]
    pub permissions: Vec<String>,
}
