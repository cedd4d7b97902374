//! Which call a path is, and of what.

use percent_encoding::percent_decode_str;

use super::calls::{CALLS, Call};

/// A call that is understood.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "each is what its path in the table says")]
pub enum Route {
    Organisation,
    Repositories,
    Members,
    Owners,
    MembersWithoutSecondFactor,
    OutsideCollaborators,
    Teams,
    TeamMembers,
    TeamRepositories,
    OrganisationRoles,
    OrganisationRoleUsers,
    OrganisationRoleTeams,
    CustomRepositoryRoles,
    Installations,
    InstallationRepositories,
    App,
    TokenGrants,
    TokenGrantRepositories,
    TokenRequests,
    CredentialAuthorisations,
    OrganisationHooks,
    OrganisationSecrets,
    OrganisationSecretRepositories,
    OrganisationVariables,
    OrganisationAgentSecrets,
    OrganisationAgentSecretRepositories,
    OrganisationAgentVariables,
    OrganisationDependabotSecrets,
    OrganisationDependabotSecretRepositories,
    OrganisationCodespacesSecrets,
    OrganisationCodespacesSecretRepositories,
    PrivateRegistries,
    OrganisationWorkflowDefaults,
    OrganisationActions,
    OrganisationOidcSubject,
    OrganisationRunners,
    RunnerGroups,
    RunnerGroupRepositories,
    OrganisationRulesets,
    OrganisationRuleset,
    CopilotBilling,
    CopilotSeats,
    CopilotAgent,
    CopilotAgentRepositories,
    AuditLog,
    Repository,
    Collaborators,
    RepositoryTeams,
    DeployKeys,
    RepositoryHooks,
    RepositorySecrets,
    SharedSecrets,
    RepositoryVariables,
    RepositoryAgentSecrets,
    RepositoryAgentVariables,
    RepositoryDependabotSecrets,
    RepositoryCodespacesSecrets,
    RepositoryActions,
    ActionsAccess,
    RepositoryWorkflowDefaults,
    ForkApproval,
    RepositoryOidcSubject,
    RepositoryRunners,
    Branches,
    Environments,
    EnvironmentSecrets,
    EnvironmentVariables,
    EnvironmentBranches,
    EnvironmentGates,
    RepositoryRulesets,
    RepositoryRuleset,
    EffectiveRules,
    BranchProtection,
    CopilotConfiguration,
    WorkflowFiles,
    File,
    LogStreams,
    EnterpriseAgents,
}

impl Route {
    /// What is known of the call.
    pub fn call(self) -> Option<&'static Call> {
        CALLS.iter().find(|call| call.route == self)
    }

    /// Whether it is about one repository.
    pub fn is_of_repository(self) -> bool {
        self.call().is_some_and(|call| call.path.starts_with("/repos/"))
    }
}

/// A call that was made: which one, and of what.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Asked {
    /// Which one.
    pub route: Route,
    /// What its placeholders stand for, in their order, decoded.
    pub of: Vec<String>,
}

impl Asked {
    /// Tells the call from its path; `None` = it is none that is understood.
    pub fn parse(path: &str) -> Option<Self> {
        let (plain, query) = path.split_once('?').unwrap_or((path, ""));
        let plain = plain.trim_matches('/');
        let segments: Vec<&str> = plain.split('/').collect();
        // A call with a query is more than the same without.
        let asks = |call: &&Call| match call.path.split_once('?') {
            Some((_, wanted)) => query.split('&').any(|held| held == wanted),
            None => true,
        };
        CALLS.iter().filter(asks).find_map(|call| {
            let template = call.path.split('?').next().unwrap_or(call.path);
            // What stands behind the last placeholder tells most calls apart; the rest are taken to pieces.
            let end = template.rsplit('}').next().unwrap_or_default();
            let of = plain.ends_with(end).then(|| placeholders(template, &segments))??;
            Some(Self { route: call.route, of })
        })
    }

    /// What the placeholder at a position stands for.
    pub fn at(&self, position: usize) -> &str {
        self.of.get(position).map_or("", String::as_str)
    }
}

/// What the placeholders of a template stand for in a path; `None` = the path is another one.
fn placeholders(template: &str, segments: &[&str]) -> Option<Vec<String>> {
    let template: Vec<&str> = template.trim_matches('/').split('/').collect();
    let many = template.iter().position(|part| part.ends_with("+}"));
    // So many segments stand for the one placeholder that may take several.
    let spare = match many {
        Some(_) => segments.len().checked_sub(template.len())? + 1,
        None if template.len() == segments.len() => 1,
        None => return None,
    };
    let mut rest = segments;
    let mut of = Vec::new();
    for (at, part) in template.iter().enumerate() {
        let (taken, left) = rest.split_at_checked(if many == Some(at) { spare } else { 1 })?;
        rest = left;
        if part.starts_with('{') {
            let text = taken.join("/");
            of.push(percent_decode_str(&text).decode_utf8().ok()?.into_owned());
        } else if taken != [*part] {
            return None;
        }
    }
    (!of.iter().any(String::is_empty)).then_some(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_what_was_asked_of_what() {
        for (path, route, of) in [
            ("/orgs/acme", Route::Organisation, &["acme"][..]),
            ("orgs/acme/members", Route::Members, &["acme"]),
            ("/orgs/acme/members?filter=2fa_disabled", Route::MembersWithoutSecondFactor, &["acme"]),
            ("/orgs/acme/members?per_page=100&role=admin", Route::Owners, &["acme"]),
            ("/repos/acme/shop/branches/main/protection", Route::BranchProtection, &["acme", "shop", "main"]),
            ("/repos/acme/shop/branches/rel/1/protection", Route::BranchProtection, &["acme", "shop", "rel/1"]),
            ("/repos/acme/shop/rules/branches/rel%2F1", Route::EffectiveRules, &["acme", "shop", "rel/1"]),
            ("/repos/acme/shop/contents/.github/workflows", Route::WorkflowFiles, &["acme", "shop"]),
            (
                "/repos/acme/shop/contents/.github/workflows/ci.yml?ref=main",
                Route::File,
                &["acme", "shop", ".github/workflows/ci.yml"],
            ),
        ] {
            let asked = Asked::parse(path).unwrap();
            assert_eq!((asked.route, asked.of.iter().map(String::as_str).collect::<Vec<_>>()), (route, of.to_vec()));
        }
        for path in ["/", "/orgs", "/orgs/acme/unheard-of", "/repos/acme", "/repos/acme/shop/branches"] {
            let route = Asked::parse(path).map(|asked| asked.route);
            assert!(matches!(route, None | Some(Route::Branches)), "{path}: {route:?}");
        }
    }

    #[test]
    fn no_call_of_an_organisation_names_the_permission_of_a_repository() {
        use evenhand_model::catalog::Catalog as _;
        let catalogue = crate::catalog::Catalogue::global();
        let takes: Vec<String> = evenhand_model::opset::OpSet::all(catalogue.len())
            .iter()
            .map(|operation| catalogue.takes(operation))
            .collect();
        for call in CALLS.iter().filter(|call| call.path.starts_with("/orgs/")) {
            let (family, _) = call.permission.split_once('=').unwrap_or_default();
            let own = format!("organization_{family}: ");
            assert!(family.is_empty() || takes.iter().all(|takes| !takes.contains(&own)), "{}", call.path);
        }
    }

    #[test]
    fn every_call_is_told_by_its_own_path() {
        for call in CALLS {
            let path = call.path.replace("+}", "}").replace(['{', '}'], "");
            let asked = Asked::parse(&path).unwrap();
            assert_eq!(asked.route, call.route, "{path}");
        }
    }
}
