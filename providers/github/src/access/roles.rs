//! What roles and scopes allow, in the permissions that apps and tokens are given.
//!
//! GitHub describes roles of people in words of their own ("Repository roles for an organization", "Roles in an
//! organization", "Scopes for OAuth apps"); here they are the permissions with which an app could do the same. What no app
//! can do, and what only an app can do, such as writing checks, is in no role.

use std::sync::Arc;

use crate::catalog::{Level, Permissions};
use crate::documents::apps::Words;

/// The roles that every repository knows, from the lowest.
pub(crate) const BUILT_IN: [&str; 5] = ["read", "triage", "write", "maintain", "admin"];

const READ: &[&str] = &[
    "metadata",
    "contents",
    "issues",
    "pull_requests",
    "actions",
    "checks",
    "deployments",
    "discussions",
    "packages",
    "pages",
    "statuses",
    "repository_projects",
    "attestations",
    "merge_queues",
    "repository_advisories",
];
const TRIAGE: &[&str] = &["issues", "pull_requests", "discussions"];
const WRITE: &[&str] = &[
    "contents",
    "workflows",
    "actions",
    "deployments",
    "statuses",
    "packages",
    "repository_projects",
    "secrets",
    "actions_variables",
    "environments",
    "codespaces",
    "codespaces_secrets",
    "security_events",
    "vulnerability_alerts",
    "dependabot_secrets",
    "attestations",
    "merge_queues",
];
const MAINTAIN: &[&str] = &["pages"];
const ADMIN: &[&str] = &[
    "administration",
    "repository_hooks",
    "secret_scanning_alerts",
    "repository_custom_properties",
    "copilot_agent_settings",
    "agent_secrets",
    "agent_variables",
    "repository_advisories",
];
/// What an organisation's owner has beside every repository.
const OWNER: &[&str] = &[
    "members",
    "organization_administration",
    "organization_actions_variables",
    "organization_agent_secrets",
    "organization_agent_variables",
    "organization_announcement_banners",
    "organization_campaigns",
    "organization_codespaces_secrets",
    "organization_codespaces_settings",
    "organization_copilot_agent_settings",
    "organization_copilot_metrics",
    "organization_copilot_seat_management",
    "organization_custom_org_roles",
    "organization_custom_properties",
    "organization_custom_roles",
    "organization_dependabot_secrets",
    "organization_events",
    "organization_hooks",
    "organization_issue_types",
    "organization_network_configurations",
    "organization_packages",
    "organization_personal_access_token_requests",
    "organization_personal_access_tokens",
    "organization_private_registries",
    "organization_projects",
    "organization_secrets",
    "organization_self_hosted_runners",
    "organization_user_blocking",
    "team_discussions",
];

/// What a role that every repository knows allows; `None` = it is none of them.
pub(crate) fn built_in(role: &str) -> Option<Permissions> {
    // Two words of older answers.
    let role = match role {
        "pull" => "read",
        "push" => "write",
        other => other,
    };
    let rank = BUILT_IN.iter().position(|held| *held == role)?;
    let mut permissions = Permissions::default();
    for (at, (families, level)) in [
        (READ, Level::Read),
        (TRIAGE, Level::Write),
        (WRITE, Level::Write),
        (MAINTAIN, Level::Write),
        (ADMIN, Level::Write),
    ]
    .into_iter()
    .enumerate()
    {
        if at <= rank {
            families.iter().for_each(|family| permissions.add(family, level));
        }
    }
    Some(permissions)
}

/// What every member of an organisation may see of it.
pub(crate) fn member() -> Permissions {
    Permissions::of([("metadata", "read"), ("members", "read")])
}

/// What an owner of an organisation may do.
pub(crate) fn owner() -> Permissions {
    let mut all = built_in("admin").unwrap_or_default();
    OWNER.iter().for_each(|family| all.add(family, Level::Write));
    for family in ["organization_projects", "organization_custom_properties", "repository_projects"] {
        all.add(family, Level::Admin);
    }
    all
}

/// Permissions that custom roles add, by GitHub's words for them, as far as they matter here.
const FINE_GRAINED: &[(&str, &[(&str, Level)])] = &[
    ("bypass_branch_protection", &[]),
    ("delete_alerts_code_scanning", &[("security_events", Level::Write)]),
    ("edit_repo_protections", &[("administration", Level::Write)]),
    ("edit_repo_custom_properties_values", &[("repository_custom_properties", Level::Write)]),
    ("manage_deploy_keys", &[("administration", Level::Write)]),
    ("manage_settings_pages", &[("pages", Level::Write)]),
    ("manage_webhooks", &[("repository_hooks", Level::Write)]),
    ("read_audit_logs", &[("organization_administration", Level::Read)]),
    ("resolve_secret_scanning_alerts", &[("secret_scanning_alerts", Level::Write)]),
    ("view_secret_scanning_alerts", &[("secret_scanning_alerts", Level::Read)]),
    ("write_code_scanning", &[("security_events", Level::Write)]),
    ("write_organization_actions_secrets", &[("organization_secrets", Level::Write)]),
    ("write_organization_actions_settings", &[("organization_administration", Level::Write)]),
    ("write_organization_actions_variables", &[("organization_actions_variables", Level::Write)]),
    ("write_organization_custom_org_role", &[("organization_custom_org_roles", Level::Write)]),
    ("write_organization_custom_repo_role", &[("organization_custom_roles", Level::Write)]),
    ("write_organization_runners_and_runner_groups", &[("organization_self_hosted_runners", Level::Write)]),
];

/// What a custom role adds, and whether some of its words are not understood.
pub(crate) fn fine_grained(words: &[String]) -> (Permissions, bool) {
    let mut permissions = Permissions::default();
    let mut unclear = false;
    for word in words {
        match FINE_GRAINED.iter().find(|(known, _)| known == word) {
            Some((_, families)) => families.iter().for_each(|(family, level)| permissions.add(family, *level)),
            None => unclear = true,
        }
    }
    (permissions, unclear)
}

/// What a scope of a classic token opens, before what its owner may do limits it.
pub(crate) fn scope(word: &str) -> Permissions {
    let write = |families: &[&str]| {
        let mut all = Permissions::default();
        families.iter().for_each(|family| all.add(family, Level::Write));
        all
    };
    match word {
        "repo" => {
            let mut all = built_in("admin").unwrap_or_default();
            all.remove("workflows");
            all.remove("packages");
            all.add("members", Level::Read);
            all
        }
        "public_repo" => scope("repo"),
        "repo:status" => write(&["statuses"]),
        "repo_deployment" => write(&["deployments"]),
        "security_events" => write(&["security_events"]),
        "workflow" => write(&["workflows"]),
        "write:packages" | "delete:packages" => write(&["packages"]),
        "read:packages" => Permissions::of([("packages", "read")]),
        "admin:org" => {
            let mut all = write(OWNER);
            all.remove("organization_hooks");
            all
        }
        "write:org" => write(&["members", "organization_projects"]),
        "read:org" => Permissions::of([("members", "read"), ("organization_projects", "read")]),
        "admin:repo_hook" | "write:repo_hook" => write(&["repository_hooks"]),
        "read:repo_hook" => Permissions::of([("repository_hooks", "read")]),
        "admin:org_hook" => write(&["organization_hooks"]),
        "read:audit_log" | "audit_log" => Permissions::of([("organization_administration", "read")]),
        "manage_runners:org" => write(&["organization_self_hosted_runners"]),
        "codespace" | "codespace:secrets" => write(&["codespaces", "codespaces_secrets"]),
        "copilot" | "manage_billing:copilot" => write(&["organization_copilot_seat_management"]),
        "project" => write(&["organization_projects", "repository_projects"]),
        _ => Permissions::default(),
    }
}

/// What a workflow's token may do at most, by the words of a `permissions` block.
const JOB: &[&str] = &[
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "issues",
    "packages",
    "pages",
    "pull_requests",
    "repository_projects",
    "security_events",
    "statuses",
];

/// A workflow's token with everything at one level.
pub(crate) fn job_with(level: Level) -> Permissions {
    let mut all = Permissions::of([("metadata", "read")]);
    JOB.iter().for_each(|family| all.add(family, level));
    all
}

/// A workflow's token where nothing is asked for and the default is to read.
pub(crate) fn job_by_default() -> Permissions {
    Permissions::of([("metadata", "read"), ("contents", "read"), ("packages", "read")])
}

/// A workflow's token with what its file lists.
pub(crate) fn job_listed(listed: &[(String, String)]) -> Permissions {
    let known = listed.iter().filter(|(family, _)| JOB.contains(&family.as_str()));
    let mut all = Permissions::of(known.map(|(family, level)| (family.as_str(), level.as_str())));
    all.add("metadata", Level::Read);
    all
}

/// Permissions of an app or token, in GitHub's words. Everybody who may do anything may see that a repository is there.
pub(crate) fn of_words<'w>(words: impl IntoIterator<Item = &'w Words>) -> Arc<Permissions> {
    let all = words.into_iter().flat_map(|words| words.iter().map(|(family, level)| (family.as_str(), level.as_str())));
    Arc::new(Permissions::of(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalogue, Place};

    fn allows(permissions: &Permissions, operation: &str) -> bool {
        let catalogue = Catalogue::global();
        let operation = catalogue.operation(operation).unwrap();
        catalogue.granted(permissions, catalogue.place(operation)).contains(operation)
    }

    #[test]
    fn each_role_allows_what_the_one_below_allows_and_more() {
        let catalogue = Catalogue::global();
        let sets: Vec<_> =
            BUILT_IN.iter().map(|role| catalogue.granted(&built_in(role).unwrap(), Place::Repository)).collect();
        for pair in sets.windows(2) {
            assert!(pair[0].is_subset(&pair[1]) && pair[0].len() < pair[1].len());
        }
        assert_eq!(built_in("security-engineer"), None);
        assert_eq!(built_in("push"), built_in("write"));
    }

    #[test]
    fn the_families_of_roles_are_families_of_the_catalogue() {
        let catalogue = Catalogue::global();
        let known = |family: &str| {
            [Level::Read, Level::Write, Level::Admin].iter().any(|level| {
                let mut one = Permissions::default();
                one.add(family, *level);
                one.add("contents", Level::Write);
                let without = Permissions::of([("contents", "write")]);
                [Place::Repository, Place::Organisation]
                    .iter()
                    .any(|place| catalogue.granted(&one, *place) != catalogue.granted(&without, *place))
            })
        };
        // Of these the REST API has no operation, or only some that take another permission too.
        let silent = [
            "contents",
            "discussions",
            "merge_queues",
            "organization_packages",
            "team_discussions",
            "repository_projects",
        ];
        for family in READ.iter().chain(TRIAGE).chain(WRITE).chain(MAINTAIN).chain(ADMIN).chain(OWNER) {
            assert!(known(family) || silent.contains(family), "{family}");
        }
    }

    #[test]
    fn roles_scopes_and_jobs_allow_what_github_says() {
        let write = built_in("write").unwrap();
        for (operation, allowed) in [
            ("git/push", true),
            ("git/push-workflow-files", true),
            ("pulls/merge", true),
            ("actions/create-or-update-repo-secret", true),
            ("repos/update-branch-protection", false),
            ("repos/create-deploy-key", false),
        ] {
            assert_eq!(allows(&write, operation), allowed, "{operation}");
        }
        assert!(allows(&built_in("admin").unwrap(), "repos/update-branch-protection"));
        assert!(
            !allows(&scope("repo"), "git/push-workflow-files") && allows(&scope("repo"), "repos/create-deploy-key")
        );
        assert!(allows(&owner(), "orgs/set-membership-for-user"));
        assert!(!allows(&job_with(Level::Write), "git/push-workflow-files"), "no job may write workflows");
        assert!(allows(&job_by_default(), "git/fetch") && !allows(&job_by_default(), "git/push"));
        let listed = job_listed(&[("contents".into(), "write".into()), ("administration".into(), "write".into())]);
        assert!(allows(&listed, "git/push") && !allows(&listed, "repos/create-deploy-key"));
    }
}
