//! Groups of operations that rules ask about.

use evenhand_model::opset::OpSet;

use super::Catalogue;

/// Operations by which a holder gets more access: keys, members, tokens, and code that runs with what others may do.
const ESCALATION: &[&str] = &[
    "actions/create-registration-token-for-org",
    "actions/create-registration-token-for-repo",
    "actions/generate-runner-jitconfig-for-org",
    "actions/generate-runner-jitconfig-for-repo",
    "actions/set-github-actions-default-workflow-permissions-organization",
    "actions/set-github-actions-default-workflow-permissions-repository",
    "git/push-workflow-files",
    "orgs/assign-team-to-org-role",
    "orgs/assign-user-to-org-role",
    "orgs/create-custom-organization-role",
    "orgs/create-custom-repo-role",
    "orgs/create-invitation",
    "orgs/patch-custom-organization-role",
    "orgs/review-pat-grant-request",
    "orgs/review-pat-grant-requests-in-bulk",
    "orgs/set-membership-for-user",
    "orgs/update-custom-repo-role",
    "repos/add-collaborator",
    "repos/create-deploy-key",
    "repos/transfer",
    "teams/add-or-update-membership-for-user-in-org",
    "teams/add-or-update-repo-permissions-in-org",
];

/// Operations that stop, redirect or delete what records actions.
const LOG_TAMPER: &[&str] = &[
    "actions/delete-workflow-run",
    "actions/delete-workflow-run-logs",
    "enterprise-admin/create-audit-log-stream",
    "enterprise-admin/delete-audit-log-stream",
    "enterprise-admin/update-audit-log-stream",
    "orgs/delete-webhook",
    "orgs/update-webhook",
    "orgs/update-webhook-config-for-org",
];

/// Operations that change what stands before a change.
const GATE_TAMPER: &[&str] = &[
    "actions/set-allowed-actions-organization",
    "actions/set-allowed-actions-repository",
    "actions/set-fork-pr-contributor-approval-permissions-organization",
    "actions/set-fork-pr-contributor-approval-permissions-repository",
    "actions/set-github-actions-default-workflow-permissions-organization",
    "actions/set-github-actions-default-workflow-permissions-repository",
    "actions/set-github-actions-permissions-organization",
    "actions/set-github-actions-permissions-repository",
    "copilot/set-copilot-coding-agent-permissions-organization",
    "orgs/update",
    "repos/add-app-access-restrictions",
    "repos/create-deployment-branch-policy",
    "repos/create-deployment-protection-rule",
    "repos/create-or-update-environment",
    "repos/create-org-ruleset",
    "repos/create-repo-ruleset",
    "repos/delete-admin-branch-protection",
    "repos/delete-an-environment",
    "repos/delete-branch-protection",
    "repos/delete-deployment-branch-policy",
    "repos/delete-org-ruleset",
    "repos/delete-pull-request-review-protection",
    "repos/delete-repo-ruleset",
    "repos/disable-deployment-protection-rule",
    "repos/remove-status-check-protection",
    "repos/set-app-access-restrictions",
    "repos/update-branch-protection",
    "repos/update-deployment-branch-policy",
    "repos/update-org-ruleset",
    "repos/update-pull-request-review-protection",
    "repos/update-repo-ruleset",
    "repos/update-status-check-protection",
];

/// Operations whose answers hold secrets. Values of stored secrets are never answered; what was found in code is.
const SECRET_READ: &[&str] =
    &["secret-scanning/get-alert", "secret-scanning/list-alerts-for-org", "secret-scanning/list-alerts-for-repo"];

/// The four classes, in the order of [`evenhand_model::catalog::OperationClass`].
pub(super) fn all(catalogue: &Catalogue) -> [OpSet; 4] {
    [ESCALATION, LOG_TAMPER, GATE_TAMPER, SECRET_READ].map(|names| catalogue.all_of(names.iter().copied()))
}

/// The names of all classes.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    [ESCALATION, LOG_TAMPER, GATE_TAMPER, SECRET_READ].into_iter().flatten().copied()
}
