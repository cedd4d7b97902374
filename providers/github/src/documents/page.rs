//! The pages on which people see and change what an answer tells.

use super::route::{Asked, Route};

/// The page of what an answer is about; for lists, of the list.
pub(crate) fn of(host: &str, asked: &Asked) -> String {
    let (first, second, third) = (asked.at(0), asked.at(1), asked.at(2));
    let at = |path: String| format!("https://{host}/{path}");
    let org = |path: &str| at(format!("organizations/{first}/settings/{path}"));
    let repo = |path: &str| at(format!("{first}/{second}/settings/{path}"));
    match asked.route {
        Route::Organisation => org("member_privileges"),
        Route::Repositories => at(format!("orgs/{first}/repositories")),
        Route::Members | Route::Owners | Route::MembersWithoutSecondFactor => at(format!("orgs/{first}/people")),
        Route::OutsideCollaborators => at(format!("orgs/{first}/outside-collaborators")),
        Route::Teams => at(format!("orgs/{first}/teams")),
        Route::TeamMembers => at(format!("orgs/{first}/teams/{second}/members")),
        Route::TeamRepositories => at(format!("orgs/{first}/teams/{second}/repositories")),
        Route::OrganisationRoles | Route::OrganisationRoleUsers | Route::OrganisationRoleTeams => org("org_roles"),
        Route::CustomRepositoryRoles => org("repository_roles"),
        Route::Installations => org("installations"),
        Route::InstallationRepositories => at(format!("settings/installations/{first}")),
        Route::App => at(format!("apps/{first}")),
        Route::TokenGrants | Route::TokenGrantRepositories => org("personal-access-tokens/active"),
        Route::TokenRequests => org("personal-access-token-requests"),
        Route::CredentialAuthorisations => at(format!("orgs/{first}/people")),
        Route::OrganisationHooks => org("hooks"),
        Route::OrganisationSecrets | Route::OrganisationSecretRepositories => org("secrets/actions"),
        Route::OrganisationVariables => org("variables/actions"),
        Route::OrganisationAgentSecrets | Route::OrganisationAgentSecretRepositories => org("secrets/agents"),
        Route::OrganisationAgentVariables => org("variables/agents"),
        Route::OrganisationDependabotSecrets | Route::OrganisationDependabotSecretRepositories => {
            org("secrets/dependabot")
        }
        Route::OrganisationCodespacesSecrets | Route::OrganisationCodespacesSecretRepositories => {
            org("secrets/codespaces")
        }
        Route::PrivateRegistries => org("private-registries"),
        Route::OrganisationWorkflowDefaults | Route::OrganisationActions => org("actions"),
        Route::OrganisationOidcSubject => org("actions/oidc"),
        Route::OrganisationRunners => org("actions/runners"),
        Route::RunnerGroups => org("actions/runner-groups"),
        Route::RunnerGroupRepositories => org(&format!("actions/runner-groups/{second}")),
        Route::OrganisationRulesets => org("rules"),
        Route::OrganisationRuleset => org(&format!("rules/{second}")),
        Route::CopilotBilling | Route::CopilotSeats => org("copilot/seat_management"),
        Route::CopilotAgent | Route::CopilotAgentRepositories => org("copilot/coding_agent"),
        Route::AuditLog => org("audit-log"),
        Route::Repository => at(format!("{first}/{second}")),
        Route::Collaborators | Route::RepositoryTeams => repo("access"),
        Route::DeployKeys => repo("keys"),
        Route::RepositoryHooks => repo("hooks"),
        Route::RepositorySecrets | Route::SharedSecrets => repo("secrets/actions"),
        Route::RepositoryVariables => repo("variables/actions"),
        Route::RepositoryAgentSecrets => repo("secrets/agents"),
        Route::RepositoryAgentVariables => repo("variables/agents"),
        Route::RepositoryDependabotSecrets => repo("secrets/dependabot"),
        Route::RepositoryCodespacesSecrets => repo("secrets/codespaces"),
        Route::RepositoryActions | Route::ActionsAccess | Route::RepositoryWorkflowDefaults | Route::ForkApproval => {
            repo("actions")
        }
        Route::RepositoryOidcSubject => repo("actions"),
        Route::RepositoryRunners => repo("actions/runners"),
        Route::Branches => at(format!("{first}/{second}/branches")),
        Route::Environments
        | Route::EnvironmentSecrets
        | Route::EnvironmentVariables
        | Route::EnvironmentBranches
        | Route::EnvironmentGates => repo("environments"),
        Route::RepositoryRulesets => repo("rules"),
        Route::RepositoryRuleset => repo(&format!("rules/{third}")),
        Route::EffectiveRules => at(format!("{first}/{second}/rules?ref=refs%2Fheads%2F{third}")),
        Route::BranchProtection => repo("branches"),
        Route::CopilotConfiguration => repo("copilot/coding_agent"),
        Route::WorkflowFiles => at(format!("{first}/{second}/tree/HEAD/.github/workflows")),
        Route::File => file(host, first, second, third),
        Route::LogStreams => at(format!("enterprises/{first}/settings/audit-log/stream")),
        Route::EnterpriseAgents => at(format!("enterprises/{first}/settings/copilot")),
    }
}

/// The page of a file on the default branch.
pub(crate) fn file(host: &str, owner: &str, repository: &str, path: &str) -> String {
    format!("https://{host}/{owner}/{repository}/blob/HEAD/{path}")
}
