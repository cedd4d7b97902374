//! An organisation for the tests, with one of everything.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::documents::route::{Asked, Route};

/// A secret that must not be anywhere in a capture.
pub(super) const CANARY: &str = "fake-canary-0123456789";

/// A token in a workflow.
pub(super) fn token() -> String {
    format!("ghp_{}", "a1B2c3".repeat(6))
}

pub(super) fn repository(name: &str) -> Value {
    json!({"id": 1, "name": name, "full_name": format!("acme/{name}"), "owner": {"login": "acme"}, "default_branch": "main"})
}

/// What GitHub answers of `acme`; nothing where this says nothing, and `null` where there is no such thing.
pub(super) fn world(asked: &Asked) -> Option<Value> {
    let user = |login: &str| json!({"login": login, "id": login.len(), "type": "User"});
    let of = |position: usize| asked.at(position);
    Some(match asked.route {
        Route::Organisation if of(0) != "acme" => Value::Null,
        Route::Organisation => json!({"login": "acme", "id": 1, "type": "Organization"}),
        Route::Repositories => json!([repository("shop"), repository("site"), repository("tools")]),
        Route::Members => json!([user("ada"), user("bao"), user("cara"), user("dev"), user("eve")]),
        Route::Owners => json!([user("ada")]),
        Route::MembersWithoutSecondFactor => json!([user("bao")]),
        Route::Teams => {
            json!([{"slug": "core", "name": "Core"}, {"slug": "ops", "name": "Ops"}, {"slug": "web", "name": "Web"}])
        }
        Route::TeamMembers => json!([user("ada"), user("bao"), user("cara")]),
        Route::TeamRepositories => json!([repository("shop")]),
        Route::OrganisationRoles => json!({"total_count": 1, "roles": [{"id": 8, "name": "all_repo_read"}]}),
        Route::Installations => json!({"total_count": 2, "installations": [
            {"id": 11, "app_slug": "deployer", "repository_selection": "selected", "permissions": {"contents": "write"}},
            {"id": 12, "app_slug": "reviewer", "repository_selection": "all", "permissions": {"pull_requests": "write"}},
        ]}),
        Route::InstallationRepositories => json!({"total_count": 1, "repositories": [repository("shop")]}),
        Route::App => json!({"slug": of(0), "owner": {"login": "vendor"}}),
        Route::TokenGrants => json!([
            {"id": 21, "owner": user("ada"), "repository_selection": "subset"},
            {"id": 22, "owner": user("bao"), "repository_selection": "all"},
        ]),
        Route::TokenGrantRepositories => json!([repository("site")]),
        Route::OrganisationHooks | Route::RepositoryHooks => {
            json!([{"id": 31, "name": "web", "active": true, "config": {
                "url": format!("https://user:{CANARY}@hooks.example/{CANARY}?token={CANARY}"), "secret": CANARY, "insecure_ssl": "0",
            }}])
        }
        Route::OrganisationSecrets => json!({"total_count": 3, "secrets": [
            {"name": "A", "visibility": "selected"}, {"name": "B", "visibility": "all"}, {"name": "C", "visibility": "selected"},
        ]}),
        Route::OrganisationAgentSecrets
        | Route::OrganisationDependabotSecrets
        | Route::OrganisationCodespacesSecrets => {
            json!({"total_count": 2, "secrets": [
                {"name": "A", "visibility": "selected"}, {"name": "B", "visibility": "all"},
            ]})
        }
        Route::RepositoryDependabotSecrets | Route::RepositoryCodespacesSecrets | Route::RepositoryAgentSecrets => {
            json!({"total_count": 1, "secrets": [{"name": "OWN_TOKEN"}]})
        }
        Route::PrivateRegistries => json!({"total_count": 1, "configurations": [
            {"name": "NPM", "registry_type": "npm_registry", "username": "ci", "visibility": "private",
             "url": format!("https://ci:{CANARY}@npm.example/{CANARY}")},
        ]}),
        Route::ActionsAccess => json!({"access_level": "organization"}),
        Route::OrganisationAgentSecretRepositories
        | Route::OrganisationDependabotSecretRepositories
        | Route::OrganisationCodespacesSecretRepositories
        | Route::OrganisationSecretRepositories => json!({"total_count": 1, "repositories": [repository("tools")]}),
        Route::OrganisationVariables
        | Route::RepositoryVariables
        | Route::EnvironmentVariables
        | Route::OrganisationAgentVariables
        | Route::RepositoryAgentVariables => {
            json!({"total_count": 2, "variables": [
                {"name": "DEPLOY_PASSWORD", "value": CANARY}, {"name": "REGION", "value": format!("eu-{CANARY}")},
            ]})
        }
        Route::RunnerGroups => {
            json!({"total_count": 1, "runner_groups": [{"id": 41, "name": "g", "visibility": "selected"}]})
        }
        Route::OrganisationRulesets => json!([{"id": 51, "name": "all", "source_type": "Organization"}]),
        Route::OrganisationRuleset => json!({"id": 51, "name": "all", "bypass_actors": []}),
        Route::CopilotAgent => json!({"enabled_repositories": "selected"}),
        Route::CopilotAgentRepositories => json!({"total_count": 1, "repositories": [repository("shop")]}),
        Route::AuditLog => json!([{"action": "x"}, {"action": "y"}, {"action": "z"}]),
        Route::Repository => repository(of(1)),
        Route::Collaborators => json!([user("ada"), user("zoe"), user("deploy-bot")]),
        Route::DeployKeys => json!([{"id": 61, "read_only": false, "key": "ssh-ed25519 AAAA"}]),
        Route::Environments => json!({"total_count": 2, "environments": [
            {"name": "prod/eu", "deployment_branch_policy": {"custom_branch_policies": true, "protected_branches": false}},
            {"name": "test", "deployment_branch_policy": null},
        ]}),
        Route::RepositoryRulesets => json!([
            {"id": 51, "name": "all", "source_type": "Organization"}, {"id": 71, "name": "own", "source_type": "Repository"},
        ]),
        Route::RepositoryRuleset => json!({"id": 71, "name": "own", "bypass_actors": []}),
        Route::BranchProtection if of(1) == "tools" => Value::Null,
        Route::CopilotConfiguration => json!({"is_firewall_enabled": true, "mcp_configuration": {"mcpServers": {
            "tickets": {"command": "npx", "env": {"TICKETS_TOKEN": CANARY}, "args": [CANARY]},
        }}}),
        Route::WorkflowFiles if of(1) == "site" => Value::Null,
        Route::WorkflowFiles => json!([
            {"path": ".github/workflows/ci.yml", "type": "file"}, {"path": ".github/workflows/README.md", "type": "file"},
            {"path": ".github/workflows/old.yml", "type": "dir"}, {"path": ".github/workflows/deploy.yaml", "type": "file"},
        ]),
        Route::File => {
            let text = format!(
                "on: push\njobs:\n  a:\n    runs-on: x\n    env:\n      API_TOKEN: {}\n    steps: []\n",
                token()
            );
            json!({"path": of(2), "type": "file", "encoding": "base64", "content": STANDARD.encode(text)})
        }
        _ => return None,
    })
}
