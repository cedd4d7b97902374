//! The calls that are understood: their paths, the permission that each needs, and what is unknown without it.
//!
//! One table for the side that makes the calls and the side that reads the answers.

use evenhand_model::gap::Lost;
use evenhand_model::gap::Subject::{
    self, Access, Controls, Credentials, Declared, Escalation, Logs, Nature, People, Record, Trigger, Trust, Use,
    Users, Workload,
};
use percent_encoding::percent_decode_str;

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

/// What is known of a call.
#[derive(Debug)]
pub struct Call {
    /// Which one.
    pub route: Route,
    /// Its path; `{name}` stands for one segment, `{name+}` for one or several, and a query must be there as it is.
    pub path: &'static str,
    /// The permission of a fine-grained token or an app that is enough, as GitHub names it; empty = none.
    pub permission: &'static str,
    /// What is unknown without it.
    pub lost: Lost,
}

const fn call(
    route: Route,
    path: &'static str,
    permission: &'static str,
    words: &'static str,
    about: &'static [Subject],
) -> Call {
    Call { route, path, permission, lost: Lost::of(words, about) }
}

const GATES: &str = "who must approve a change, and who need not";

/// Every call, organisations first.
pub static CALLS: &[Call] = &[
    call(
        Route::Organisation,
        "/orgs/{org}",
        "metadata=read",
        "what every member may do by default, and whether two factors are demanded",
        &[Access, Controls, Record],
    ),
    call(Route::Repositories, "/orgs/{org}/repos", "metadata=read", "which repositories there are", Subject::ALL),
    call(
        Route::MembersWithoutSecondFactor,
        "/orgs/{org}/members?filter=2fa_disabled",
        "members=read",
        "which people sign in without a second factor",
        &[Controls, People],
    ),
    call(
        Route::Owners,
        "/orgs/{org}/members?role=admin",
        "members=read",
        "who owns the organisation",
        &[Access, Escalation, People, Controls],
    ),
    call(Route::Members, "/orgs/{org}/members", "members=read", "who the people are", &[People, Access, Nature]),
    call(
        Route::OutsideCollaborators,
        "/orgs/{org}/outside_collaborators",
        "members=read",
        "who from outside may work here",
        &[People, Access],
    ),
    call(Route::Teams, "/orgs/{org}/teams", "members=read", "which teams there are", &[Access, People, Controls]),
    call(
        Route::TeamMembers,
        "/orgs/{org}/teams/{team}/members",
        "members=read",
        "who is in a team",
        &[People, Access, Controls],
    ),
    call(
        Route::TeamRepositories,
        "/orgs/{org}/teams/{team}/repos",
        "members=read",
        "what a team may do",
        &[Access, Controls],
    ),
    call(
        Route::OrganisationRoles,
        "/orgs/{org}/organization-roles",
        "organization_custom_org_roles=read",
        "what roles of the organisation allow",
        &[Access, Escalation],
    ),
    call(
        Route::OrganisationRoleUsers,
        "/orgs/{org}/organization-roles/{role}/users",
        "members=read",
        "who holds roles of the organisation",
        &[Access, Escalation],
    ),
    call(
        Route::OrganisationRoleTeams,
        "/orgs/{org}/organization-roles/{role}/teams",
        "members=read",
        "which teams hold roles of the organisation",
        &[Access, Escalation],
    ),
    call(
        Route::CustomRepositoryRoles,
        "/orgs/{org}/custom-repository-roles",
        "organization_custom_roles=read",
        "what custom roles allow",
        &[Access],
    ),
    call(
        Route::Installations,
        "/orgs/{org}/installations",
        "organization_administration=read",
        "which apps are installed, and what they may do",
        &[Access, Escalation, Record, Nature],
    ),
    call(
        Route::InstallationRepositories,
        "/user/installations/{installation}/repositories",
        "",
        "which repositories an app reaches",
        &[Access, Controls],
    ),
    call(Route::App, "/apps/{app}", "", "who owns an app", &[Declared, Record]),
    call(
        Route::TokenGrants,
        "/orgs/{org}/personal-access-tokens",
        "organization_personal_access_tokens=read",
        "which fine-grained tokens reach the organisation",
        &[Access, Credentials, Users],
    ),
    call(
        Route::TokenGrantRepositories,
        "/orgs/{org}/personal-access-tokens/{token}/repositories",
        "organization_personal_access_tokens=read",
        "which repositories a token reaches",
        &[Access, Controls],
    ),
    call(
        Route::TokenRequests,
        "/orgs/{org}/personal-access-token-requests",
        "organization_personal_access_token_requests=read",
        "which fine-grained tokens wait for approval",
        &[Credentials],
    ),
    call(
        Route::CredentialAuthorisations,
        "/orgs/{org}/credential-authorizations",
        "organization_administration=read",
        "which classic tokens and keys reach the organisation",
        &[Access, Credentials, Use],
    ),
    call(
        Route::OrganisationHooks,
        "/orgs/{org}/hooks",
        "organization_hooks=read",
        "which webhooks there are, and their secrets",
        &[Credentials],
    ),
    call(
        Route::OrganisationSecrets,
        "/orgs/{org}/actions/secrets",
        "organization_secrets=read",
        "which secrets workflows share",
        &[Credentials, Workload],
    ),
    call(
        Route::OrganisationSecretRepositories,
        "/orgs/{org}/actions/secrets/{secret}/repositories",
        "organization_secrets=read",
        "which repositories share a secret",
        &[Credentials, Workload],
    ),
    call(
        Route::OrganisationVariables,
        "/orgs/{org}/actions/variables",
        "organization_actions_variables=read",
        "whether variables hold secrets",
        &[Credentials],
    ),
    call(
        Route::OrganisationAgentSecrets,
        "/orgs/{org}/agents/secrets",
        "organization_agent_secrets=read",
        "which secrets coding agents share",
        &[Credentials, Workload],
    ),
    call(
        Route::OrganisationAgentSecretRepositories,
        "/orgs/{org}/agents/secrets/{secret}/repositories",
        "organization_agent_secrets=read",
        "in which repositories coding agents share a secret",
        &[Credentials, Workload],
    ),
    call(
        Route::OrganisationAgentVariables,
        "/orgs/{org}/agents/variables",
        "organization_agent_variables=read",
        "whether variables of coding agents hold secrets",
        &[Credentials],
    ),
    call(
        Route::OrganisationDependabotSecrets,
        "/orgs/{org}/dependabot/secrets",
        "organization_dependabot_secrets=read",
        "which secrets workflows share that Dependabot starts",
        &[Credentials],
    ),
    call(
        Route::OrganisationDependabotSecretRepositories,
        "/orgs/{org}/dependabot/secrets/{secret}/repositories",
        "organization_dependabot_secrets=read",
        "which repositories share a secret of Dependabot",
        &[Credentials],
    ),
    call(
        Route::OrganisationCodespacesSecrets,
        "/orgs/{org}/codespaces/secrets",
        "organization_codespaces_secrets=read",
        "which secrets codespaces share",
        &[Credentials],
    ),
    call(
        Route::OrganisationCodespacesSecretRepositories,
        "/orgs/{org}/codespaces/secrets/{secret}/repositories",
        "organization_codespaces_secrets=read",
        "which repositories share a secret of codespaces",
        &[Credentials],
    ),
    call(
        Route::PrivateRegistries,
        "/orgs/{org}/private-registries",
        "organization_private_registries=read",
        "with which secrets private registries are read",
        &[Credentials],
    ),
    call(
        Route::OrganisationWorkflowDefaults,
        "/orgs/{org}/actions/permissions/workflow",
        "organization_administration=read",
        "what a workflow's token may do by default, and whether it may approve",
        &[Access, Controls],
    ),
    call(
        Route::OrganisationActions,
        "/orgs/{org}/actions/permissions",
        "organization_administration=read",
        "which actions may run",
        &[Controls, Workload],
    ),
    call(
        Route::OrganisationOidcSubject,
        "/orgs/{org}/actions/oidc/customization/sub",
        "organization_administration=read",
        "how workflows name themselves to clouds",
        &[Trust, Escalation],
    ),
    call(
        Route::OrganisationRunners,
        "/orgs/{org}/actions/runners",
        "organization_self_hosted_runners=read",
        "which runners of its own the organisation has",
        &[Workload],
    ),
    call(
        Route::RunnerGroups,
        "/orgs/{org}/actions/runner-groups",
        "organization_self_hosted_runners=read",
        "which repositories may use which runners",
        &[Workload],
    ),
    call(
        Route::RunnerGroupRepositories,
        "/orgs/{org}/actions/runner-groups/{group}/repositories",
        "organization_self_hosted_runners=read",
        "which repositories may use a group of runners",
        &[Workload],
    ),
    call(Route::OrganisationRulesets, "/orgs/{org}/rulesets", "organization_administration=write", GATES, &[Controls]),
    call(
        Route::OrganisationRuleset,
        "/orgs/{org}/rulesets/{ruleset}",
        "organization_administration=write",
        GATES,
        &[Controls],
    ),
    call(
        Route::CopilotBilling,
        "/orgs/{org}/copilot/billing",
        "organization_copilot_seat_management=read",
        "whether Copilot is in use",
        &[Record, Nature],
    ),
    call(
        Route::CopilotSeats,
        "/orgs/{org}/copilot/billing/seats",
        "organization_copilot_seat_management=read",
        "who uses Copilot",
        &[Users, Use],
    ),
    call(
        Route::CopilotAgent,
        "/orgs/{org}/copilot/coding-agent/permissions",
        "organization_copilot_agent_settings=read",
        "where the Copilot coding agent may work",
        &[Access, Record],
    ),
    call(
        Route::CopilotAgentRepositories,
        "/orgs/{org}/copilot/coding-agent/permissions/repositories",
        "organization_copilot_agent_settings=read",
        "where the Copilot coding agent may work",
        &[Access, Controls],
    ),
    call(
        Route::AuditLog,
        "/orgs/{org}/audit-log",
        "organization_administration=read",
        "whether an audit log can be read",
        &[Logs, Use],
    ),
    call(Route::Repository, "/repos/{owner}/{repo}", "metadata=read", "the repository's own settings", Subject::ALL),
    call(
        Route::Collaborators,
        "/repos/{owner}/{repo}/collaborators",
        "metadata=read",
        "who may do what in the repository",
        &[Access, People, Controls],
    ),
    call(
        Route::RepositoryTeams,
        "/repos/{owner}/{repo}/teams",
        "administration=read",
        "what teams may do in the repository",
        &[Access, Controls],
    ),
    call(
        Route::DeployKeys,
        "/repos/{owner}/{repo}/keys",
        "administration=read",
        "which deploy keys there are",
        &[Access, Credentials, Controls, Record],
    ),
    call(
        Route::RepositoryHooks,
        "/repos/{owner}/{repo}/hooks",
        "repository_hooks=read",
        "which webhooks there are, and their secrets",
        &[Credentials],
    ),
    call(
        Route::RepositorySecrets,
        "/repos/{owner}/{repo}/actions/secrets",
        "secrets=read",
        "which secrets its workflows use",
        &[Credentials, Workload],
    ),
    call(
        Route::SharedSecrets,
        "/repos/{owner}/{repo}/actions/organization-secrets",
        "secrets=read",
        "which secrets of the organisation its workflows use",
        &[Credentials, Workload],
    ),
    call(
        Route::RepositoryVariables,
        "/repos/{owner}/{repo}/actions/variables",
        "actions_variables=read",
        "whether variables hold secrets",
        &[Credentials],
    ),
    call(
        Route::RepositoryAgentSecrets,
        "/repos/{owner}/{repo}/agents/secrets",
        "agent_secrets=read",
        "which secrets its coding agents use",
        &[Credentials],
    ),
    call(
        Route::RepositoryAgentVariables,
        "/repos/{owner}/{repo}/agents/variables",
        "agent_variables=read",
        "whether variables of its coding agents hold secrets",
        &[Credentials],
    ),
    call(
        Route::RepositoryDependabotSecrets,
        "/repos/{owner}/{repo}/dependabot/secrets",
        "dependabot_secrets=read",
        "which secrets its workflows use that Dependabot starts",
        &[Credentials],
    ),
    call(
        Route::RepositoryCodespacesSecrets,
        "/repos/{owner}/{repo}/codespaces/secrets",
        "codespaces_secrets=read",
        "which secrets its codespaces use",
        &[Credentials],
    ),
    call(
        Route::RepositoryActions,
        "/repos/{owner}/{repo}/actions/permissions",
        "administration=read",
        "which actions may run",
        &[Controls, Workload],
    ),
    call(
        Route::ActionsAccess,
        "/repos/{owner}/{repo}/actions/permissions/access",
        "administration=read",
        "who else may use its actions and workflows",
        &[Workload],
    ),
    call(
        Route::RepositoryWorkflowDefaults,
        "/repos/{owner}/{repo}/actions/permissions/workflow",
        "administration=read",
        "what a workflow's token may do by default, and whether it may approve",
        &[Access, Controls],
    ),
    call(
        Route::ForkApproval,
        "/repos/{owner}/{repo}/actions/permissions/fork-pr-contributor-approval",
        "administration=read",
        "whose pull requests from forks wait for approval",
        &[Trigger],
    ),
    call(
        Route::RepositoryOidcSubject,
        "/repos/{owner}/{repo}/actions/oidc/customization/sub",
        "actions=read",
        "how its workflows name themselves to clouds",
        &[Trust, Escalation],
    ),
    call(
        Route::RepositoryRunners,
        "/repos/{owner}/{repo}/actions/runners",
        "administration=read",
        "which runners of its own the repository has",
        &[Workload],
    ),
    call(
        Route::Branches,
        "/repos/{owner}/{repo}/branches",
        "contents=read",
        "which branches are protected",
        &[Trust, Controls],
    ),
    call(
        Route::Environments,
        "/repos/{owner}/{repo}/environments",
        "actions=read",
        "which environments there are, and who lets deployments through",
        &[Controls, Trust],
    ),
    call(
        Route::EnvironmentSecrets,
        "/repos/{owner}/{repo}/environments/{environment}/secrets",
        "environments=read",
        "which secrets an environment holds",
        &[Credentials, Workload],
    ),
    call(
        Route::EnvironmentVariables,
        "/repos/{owner}/{repo}/environments/{environment}/variables",
        "environments=read",
        "whether variables hold secrets",
        &[Credentials],
    ),
    call(
        Route::EnvironmentBranches,
        "/repos/{owner}/{repo}/environments/{environment}/deployment-branch-policies",
        "actions=read",
        "which branches may deploy",
        &[Controls, Trust],
    ),
    call(
        Route::EnvironmentGates,
        "/repos/{owner}/{repo}/environments/{environment}/deployment_protection_rules",
        "actions=read",
        "which apps let deployments through",
        &[Controls],
    ),
    call(Route::RepositoryRulesets, "/repos/{owner}/{repo}/rulesets", "metadata=read", GATES, &[Controls]),
    call(
        Route::RepositoryRuleset,
        "/repos/{owner}/{repo}/rulesets/{ruleset}",
        "administration=write",
        GATES,
        &[Controls],
    ),
    call(
        Route::EffectiveRules,
        "/repos/{owner}/{repo}/rules/branches/{branch+}",
        "metadata=read",
        "which rules hold on the default branch",
        &[Controls],
    ),
    call(
        Route::BranchProtection,
        "/repos/{owner}/{repo}/branches/{branch+}/protection",
        "administration=read",
        GATES,
        &[Controls],
    ),
    call(
        Route::CopilotConfiguration,
        "/repos/{owner}/{repo}/copilot/cloud-agent/configuration",
        "copilot_agent_settings=read",
        "what limits the Copilot coding agent",
        &[Controls, Record],
    ),
    call(
        Route::WorkflowFiles,
        "/repos/{owner}/{repo}/contents/.github/workflows",
        "contents=read",
        "which workflows there are",
        &[Record, Access, Trigger, Workload, Nature, Trust],
    ),
    call(
        Route::File,
        "/repos/{owner}/{repo}/contents/{path+}",
        "contents=read",
        "what a workflow does",
        &[Access, Trigger, Workload, Nature, Trust],
    ),
    call(
        Route::LogStreams,
        "/enterprises/{enterprise}/audit-log/streams",
        "enterprise_administration=read",
        "where the audit log is kept",
        &[Logs],
    ),
    call(
        Route::EnterpriseAgents,
        "/enterprises/{enterprise}/copilot/custom-agents",
        "enterprise_ai_controls=read",
        "which custom agents there are",
        &[Record],
    ),
];

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
