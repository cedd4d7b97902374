//! Workflows, events and protection of GitHub, by the references that they admit.

use serde_json::json;

use super::answer;

/// The grade of a condition at Google Cloud and the pattern that decides it, whatever token is held beside it.
#[track_caller]
fn is_graded(condition: &str, grade: &str, pattern: Option<&str>) {
    let said = answer(&json!({ "platform": "gcp", "issuer": "github", "subject": "repo:o/r:pull_request",
        "condition": { "attributeCondition": condition } }))
    .unwrap();
    let graded = (said["grade"].as_str().unwrap_or("null"), said["pattern"].as_str());
    assert_eq!(graded, (grade, pattern), "{condition}: {said}");
}

#[test]
fn workflows_events_and_protection_are_graded_by_the_references_that_they_admit() {
    const FILE: &str = "o/r/.github/workflows/d.yml";
    for (condition, grade, pattern) in [
        (format!("assertion.workflow_ref == '{FILE}@refs/heads/main'"), "safe", None),
        (format!("assertion.workflow_ref == '{FILE}@refs/tags/v1'"), "weak", Some("tag-ref")),
        (format!("assertion.workflow_ref == '{FILE}@refs/pull/3/merge'"), "unsafe", Some("pull-request")),
        (format!("assertion.workflow_ref.startsWith('{FILE}@refs/pull/')"), "unsafe", Some("pull-request")),
        (format!("assertion.workflow_ref.startsWith('{FILE}@refs/heads/')"), "weak", Some("unprotected-branch")),
        (format!("assertion.workflow_ref.startsWith('{FILE}@refs/')"), "unsafe", Some("repo-wide")),
        (format!("assertion.workflow_ref.startsWith('{FILE}@')"), "unsafe", Some("repo-wide")),
        (
            "assertion.workflow_ref.matches('^o/r/[.]github/workflows/.*@refs/heads/main$')".to_owned(),
            "weak",
            Some("unprotected-branch"),
        ),
        (
            "assertion.workflow_ref.matches('^o/r/.github/workflows/.*@refs/heads/main$')".to_owned(),
            "weak",
            Some("unprotected-branch"),
        ),
        (
            "assertion.workflow_ref.startsWith('o/r/') && assertion.workflow_ref.endsWith('@refs/heads/main')".to_owned(),
            "weak",
            Some("unprotected-branch"),
        ),
        ("assertion.workflow_ref.startsWith('o/r/')".to_owned(), "unsafe", Some("repo-wide")),
        ("assertion.workflow_ref.startsWith('o/')".to_owned(), "unsafe", Some("org-wide")),
        // The workflow in a repository: steps of a proposal are nobody's yet.
        (
            format!("assertion.repository == 'o/r' && assertion.job_workflow_ref == '{FILE}@refs/heads/main'"),
            "weak",
            Some("proposals-call"),
        ),
        (
            format!("assertion.repository == 'o/r' && assertion.job_workflow_ref == '{FILE}@refs/tags/v1'"),
            "weak",
            Some("tag-ref"),
        ),
        (
            format!("assertion.repository == 'o/r' && assertion.job_workflow_ref == '{FILE}@refs/pull/3/merge'"),
            "unsafe",
            Some("pull-request"),
        ),
        (format!("assertion.job_workflow_ref == '{FILE}@refs/pull/3/merge'"), "unsafe", Some("pull-request")),
        // An event is a list of one.
        (
            "assertion.repository == 'o/r' && assertion.event_name in ['push', 'schedule']".to_owned(),
            "weak",
            Some("unprotected-branch"),
        ),
        ("assertion.repository == 'o/r' && assertion.event_name == 'schedule'".to_owned(), "safe", None),
        ("assertion.repository == 'o/r' && assertion.event_name == 'release'".to_owned(), "weak", Some("tag-ref")),
        ("assertion.repository == 'o/r' && assertion.event_name == 'create'".to_owned(), "weak", Some("wildcard-ref")),
        (
            "assertion.repository == 'o/r' && assertion.event_name in ['push', 'pull_request']".to_owned(),
            "unsafe",
            Some("pull-request"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.event_name == 'pull_request_target'".to_owned(),
            "weak",
            Some("strangers-start"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.event_name == 'workflow_run'".to_owned(),
            "weak",
            Some("strangers-start"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.event_name == 'issue_comment'".to_owned(),
            "weak",
            Some("strangers-start"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.event_name in ['schedule', 'check_run']".to_owned(),
            "weak",
            Some("strangers-start"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.event_name == 'check_suite'".to_owned(),
            "weak",
            Some("strangers-start"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.event_name == 'status'".to_owned(),
            "weak",
            Some("strangers-start"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.event_name == 'gollum'".to_owned(),
            "weak",
            Some("strangers-start"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.ref == 'refs/heads/main' && assertion.event_name == 'issue_comment'"
                .to_owned(),
            "safe",
            None,
        ),
        (
            "assertion.repository_owner_id == '1' \
             && assertion.job_workflow_ref.startsWith('o/s/.github/workflows/d.yml@refs/tags/v')"
                .to_owned(),
            "weak",
            Some("tag-ref"),
        ),
        (
            format!("assertion.repository == 'o/r' && assertion.job_workflow_ref.startsWith('{FILE}@refs/pull/')"),
            "unsafe",
            Some("pull-request"),
        ),
        // One that no file of the repository holds.
        (
            "assertion.workflow_ref == 'o/r/dynamic/dependabot/dependabot-updates@refs/heads/main'".to_owned(),
            "safe",
            None,
        ),
        (
            "assertion.repository == 'o/r' && assertion.ref == 'refs/heads/main' \
             && assertion.job_workflow_ref == 'o/r/dynamic/pages/pages-build-deployment@refs/heads/main'"
                .to_owned(),
            "safe",
            None,
        ),
        ("assertion.workflow_ref == 'o/r/w.yml@refs/heads/main'".to_owned(), "weak", Some("always-false")),
        // What runs at a branch is the workflow as it stands there.
        (
            format!("assertion.workflow_ref == '{FILE}@refs/heads/x' && assertion.ref == 'refs/heads/main'"),
            "weak",
            Some("always-false"),
        ),
        (
            format!("assertion.workflow_ref == '{FILE}@refs/heads/x' && assertion.sub == 'repo:o/r:ref:refs/heads/main'"),
            "weak",
            Some("always-false"),
        ),
        (
            format!("assertion.workflow_ref == '{FILE}@refs/heads/main' && assertion.ref == 'refs/heads/main'"),
            "safe",
            None,
        ),
        (
            format!("assertion.workflow_ref.startsWith('{FILE}@') && assertion.ref == 'refs/heads/main'"),
            "safe",
            None,
        ),
        // An event starts no workflow at a commit, and none of another repository.
        (
            format!("assertion.workflow_ref == '{FILE}@0123456789abcdef0123456789abcdef01234567'"),
            "weak",
            Some("always-false"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.workflow_ref == 'x/y/.github/workflows/d.yml@refs/heads/main'"
                .to_owned(),
            "weak",
            Some("always-false"),
        ),
        (
            format!("assertion.repository in ['x/y', 'o/r'] && assertion.workflow_ref == '{FILE}@refs/heads/main'"),
            "safe",
            None,
        ),
        ("assertion.event_name == 'schedule'".to_owned(), "unsafe", Some("missing-sub")),
        // What is protected, by whatever the repository is held.
        (
            "assertion.repository_id == '12' && assertion.ref_protected == 'true'".to_owned(),
            "weak",
            Some("ref-protected"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.ref_protected == 'true'".to_owned(),
            "weak",
            Some("ref-protected"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.event_name == 'push' && assertion.ref_protected == 'true'"
                .to_owned(),
            "weak",
            Some("ref-protected"),
        ),
        ("assertion.repository == 'o/r' && assertion.ref_type == 'tag'".to_owned(), "weak", Some("tag-ref")),
        ("assertion.repository == 'o/r' && assertion.ref_type == 'branch'".to_owned(), "unsafe", Some("repo-wide")),
        (
            "assertion.repository == 'o/r' && assertion.ref_protected in ['true', 'false']".to_owned(),
            "unsafe",
            Some("repo-wide"),
        ),
        ("assertion.ref_protected == 'true'".to_owned(), "unsafe", Some("missing-sub")),
    ] {
        is_graded(&condition, grade, pattern);
    }
}

#[test]
fn proposals_count_where_nothing_else_that_is_demanded_keeps_them_out() {
    const MAIN: &str = "assertion.sub == 'repo:o/r:ref:refs/heads/main'";
    for (condition, grade, pattern) in [
        (format!("{MAIN} && assertion.event_name in ['push', 'pull_request']"), "safe", None),
        (format!("assertion.event_name in ['push', 'pull_request'] && {MAIN}"), "safe", None),
        (format!("{MAIN} && assertion.event_name == 'pull_request'"), "weak", Some("always-false")),
        (
            "assertion.sub == 'repo:o/r:pull_request' && assertion.event_name == 'push'".to_owned(),
            "weak",
            Some("always-false"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.ref == 'refs/heads/main' \
             && assertion.event_name in ['push', 'pull_request_review']"
                .to_owned(),
            "safe",
            None,
        ),
        // A proposal that was merged runs at the branch that it was merged into.
        (
            "assertion.repository == 'o/r' && assertion.ref == 'refs/heads/main' && assertion.event_name == 'pull_request'"
                .to_owned(),
            "safe",
            None,
        ),
        // No proposal runs at a tag, and what stands at its base does not run at the proposal.
        (
            "assertion.repository == 'o/r' && assertion.ref == 'refs/tags/v1' && assertion.event_name == 'pull_request'"
                .to_owned(),
            "weak",
            Some("always-false"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.ref.startsWith('refs/pull/') \
             && assertion.event_name == 'pull_request_target'"
                .to_owned(),
            "weak",
            Some("always-false"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.ref in ['refs/pull/7/merge', 'refs/heads/main'] \
             && assertion.event_name == 'pull_request_target'"
                .to_owned(),
            "safe",
            None,
        ),
        (
            "assertion.repository == 'o/r' && assertion.ref in ['refs/pull/7/merge', 'refs/heads/main'] \
             && assertion.event_name in ['pull_request', 'pull_request_target']"
                .to_owned(),
            "unsafe",
            Some("pull-request"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.ref.startsWith('refs/heads/') \
             && assertion.event_name in ['schedule', 'pull_request']"
                .to_owned(),
            "weak",
            Some("unprotected-branch"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.environment == 'p' \
             && assertion.event_name in ['push', 'pull_request']"
                .to_owned(),
            "safe",
            None,
        ),
        (
            "assertion.repository == 'o/r' && assertion.ref_protected == 'true' \
             && assertion.event_name in ['push', 'pull_request']"
                .to_owned(),
            "weak",
            Some("ref-protected"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.ref.startsWith('refs/') && assertion.event_name == 'pull_request'"
                .to_owned(),
            "unsafe",
            Some("pull-request"),
        ),
    ] {
        is_graded(&condition, grade, pattern);
    }
}

#[test]
fn a_reference_that_fits_proposals_keeps_none_of_them_out() {
    for (condition, grade, pattern) in [
        ("assertion.ref.startsWith('refs/')", "unsafe", Some("pull-request")),
        ("assertion.ref.startsWith('')", "unsafe", Some("pull-request")),
        ("assertion.ref.endsWith('/merge')", "unsafe", Some("pull-request")),
        ("assertion.ref.contains('pull')", "unsafe", Some("pull-request")),
        ("assertion.ref.contains('37')", "unsafe", Some("pull-request")),
        ("assertion.ref.matches('refs/.*')", "unsafe", Some("pull-request")),
        ("assertion.ref.matches('^refs/heads/main|refs/pull')", "unsafe", Some("pull-request")),
        (
            "assertion.ref.startsWith('refs/heads/') || assertion.ref.startsWith('refs/p')",
            "unsafe",
            Some("pull-request"),
        ),
        // None of these is the reference of a proposal.
        ("assertion.ref.contains('main')", "weak", Some("wildcard-ref")),
        ("assertion.ref.startsWith('refs/h')", "weak", Some("wildcard-ref")),
        ("assertion.ref.matches('^refs/.*/main$')", "weak", Some("wildcard-ref")),
        // What keeps them out beside it.
        ("assertion.ref.startsWith('refs/') && assertion.event_name == 'push'", "weak", Some("wildcard-ref")),
        (
            "assertion.ref.startsWith('refs/') && assertion.event_name in ['push', 'pull_request_target']",
            "weak",
            Some("wildcard-ref"),
        ),
        ("assertion.ref.startsWith('refs/') && assertion.ref_protected == 'true'", "weak", Some("ref-protected")),
        ("assertion.ref.startsWith('refs/') && assertion.environment == 'p'", "safe", None),
        ("assertion.ref.startsWith('refs/') && assertion.ref == 'refs/heads/main'", "safe", None),
    ] {
        let of = |repository: &str| {
            let condition = format!("{repository} && ({condition})");
            answer(&json!({ "platform": "gcp", "issuer": "github", "subject": "repo:o/r:pull_request",
                "condition": { "attributeCondition": condition } }))
            .unwrap()
        };
        let said = of("assertion.repository == 'o/r'");
        assert_eq!(
            (said["grade"].as_str().unwrap(), said["pattern"].as_str()),
            (grade, pattern),
            "{condition}: {said}"
        );
        // Where the repository is held by its number, such a test makes it no worse than none.
        let said = of("assertion.repository_id == '7'");
        assert_ne!(said["grade"], "unsafe", "{condition}: {said}");
    }
}

#[test]
fn an_environment_whose_name_is_left_open_keeps_no_proposal_out() {
    for (condition, grade, pattern) in [
        ("assertion.environment.startsWith('preview')", "unsafe", Some("wildcard-environment")),
        ("assertion.environment.startsWith('')", "unsafe", Some("wildcard-environment")),
        ("assertion.sub.startsWith('repo:o/r:environment:')", "unsafe", Some("wildcard-environment")),
        (
            "assertion.environment.startsWith('p') && assertion.event_name == 'pull_request'",
            "unsafe",
            Some("pull-request"),
        ),
        (
            "assertion.environment.startsWith('p') && assertion.event_name in ['push', 'pull_request']",
            "unsafe",
            Some("pull-request"),
        ),
        (
            "assertion.sub.startsWith('repo:o/r:environment:') && assertion.ref.startsWith('refs/pull/')",
            "unsafe",
            Some("pull-request"),
        ),
        (
            "assertion.sub.startsWith('repo:o/r:environment:') && assertion.ref.startsWith('refs/')",
            "unsafe",
            Some("pull-request"),
        ),
        // What keeps proposals out beside it.
        (
            "assertion.environment.startsWith('p') && assertion.event_name == 'push'",
            "weak",
            Some("wildcard-environment"),
        ),
        (
            "assertion.environment.startsWith('p') && assertion.event_name == 'issue_comment'",
            "weak",
            Some("wildcard-environment"),
        ),
        (
            "assertion.environment.startsWith('p') && assertion.ref.startsWith('refs/heads/')",
            "weak",
            Some("wildcard-environment"),
        ),
        ("assertion.environment.startsWith('p') && assertion.ref_protected == 'true'", "weak", Some("ref-protected")),
        ("assertion.environment.startsWith('p') && assertion.ref == 'refs/heads/main'", "safe", None),
        // One that is named is a context of its own, and so is each of a list.
        ("assertion.environment == 'p' && assertion.event_name == 'pull_request'", "safe", None),
        ("assertion.environment in ['p', 'q']", "safe", None),
        ("assertion.environment.startsWith('p') && assertion.environment == 'p'", "safe", None),
    ] {
        is_graded(&format!("assertion.repository == 'o/r' && {condition}"), grade, pattern);
    }
}

#[test]
fn a_reusable_workflow_that_a_proposal_may_call_is_weak() {
    for (condition, grade, pattern) in [
        ("assertion.sub == 'repo:o/r:pull_request'", "weak", Some("proposals-call")),
        ("assertion.sub.startsWith('repo:o/')", "weak", Some("proposals-call")),
        ("assertion.sub.startsWith('repo:o/r:')", "weak", Some("proposals-call")),
        ("assertion.sub.startsWith('repo:o/r:environment:')", "weak", Some("proposals-call")),
        ("assertion.repository_owner == 'o'", "weak", Some("proposals-call")),
        ("assertion.repository_id == '7'", "weak", Some("proposals-call")),
        ("assertion.repository == 'o/r' && assertion.event_name == 'pull_request'", "weak", Some("proposals-call")),
        ("assertion.repository == 'o/r' && assertion.ref.startsWith('refs/')", "weak", Some("proposals-call")),
        // So may whoever pushes a branch or a tag, or starts the event.
        ("assertion.sub.startsWith('repo:o/r:ref:refs/heads/')", "weak", Some("unprotected-branch")),
        (
            "assertion.sub.startsWith('repo:o/') && assertion.ref.startsWith('refs/heads/')",
            "weak",
            Some("unprotected-branch"),
        ),
        (
            "assertion.repository_id == '7' && assertion.ref.startsWith('refs/heads/rel')",
            "weak",
            Some("branch-prefix-collision"),
        ),
        ("assertion.repository == 'o/r' && assertion.ref.startsWith('refs/tags/')", "weak", Some("tag-ref")),
        ("assertion.repository == 'o/r' && assertion.event_name == 'push'", "weak", Some("unprotected-branch")),
        (
            "assertion.repository == 'o/r' && assertion.event_name == 'workflow_dispatch'",
            "weak",
            Some("unprotected-branch"),
        ),
        ("assertion.repository == 'o/r' && assertion.event_name == 'issue_comment'", "weak", Some("strangers-start")),
        (
            "assertion.repository == 'o/r' && assertion.event_name == 'pull_request_target'",
            "weak",
            Some("strangers-start"),
        ),
        (
            "assertion.repository == 'o/r' && assertion.ref == 'refs/heads/main' && assertion.event_name == 'push'",
            "safe",
            None,
        ),
        ("assertion.repository == 'o/r' && assertion.ref_protected == 'true'", "weak", Some("ref-protected")),
        (
            "assertion.repository == 'o/r' && assertion.ref_protected == 'true' && assertion.event_name == 'push'",
            "weak",
            Some("ref-protected"),
        ),
        // These keep it out.
        ("assertion.sub == 'repo:o/r:ref:refs/heads/main'", "safe", None),
        ("assertion.sub == 'repo:o/r:environment:p'", "safe", None),
        ("assertion.repository_owner == 'o' && assertion.ref == 'refs/heads/main'", "safe", None),
        ("assertion.repository == 'o/r' && assertion.event_name == 'schedule'", "safe", None),
        (
            "assertion.repository == 'o/r' && assertion.ref == 'refs/heads/main' && assertion.ref_protected == 'true'",
            "safe",
            None,
        ),
    ] {
        // A commit holds no more than the steps either.
        for reference in ["refs/heads/main", "0123456789abcdef0123456789abcdef01234567"] {
            let steps = format!("assertion.job_workflow_ref == 'o/s/.github/workflows/w.yml@{reference}'");
            is_graded(&format!("{condition} && {steps}"), grade, pattern);
        }
    }
}

#[test]
fn a_subject_and_claims_of_its_repository_count_together() {
    for (condition, grade, pattern) in [
        ("assertion.sub.startsWith('repo:o/a:') && assertion.repository == 'o/b'", "weak", Some("always-false")),
        ("assertion.repository == 'o/b' && assertion.sub.startsWith('repo:o/a:')", "weak", Some("always-false")),
        (
            "assertion.sub == 'repo:o/a:environment:p' && assertion.repository_owner == 'p'",
            "weak",
            Some("always-false"),
        ),
        ("assertion.sub.startsWith('repo:o/a') && assertion.repository == 'o/b'", "weak", Some("always-false")),
        ("assertion.sub.startsWith('repo:o@1/a@2:') && assertion.repository_id == '3'", "weak", Some("always-false")),
        ("assertion.sub.startsWith('repo:o@1/') && assertion.repository_owner_id == '2'", "weak", Some("always-false")),
        (
            "assertion.sub.startsWith('repository_owner:o:') && assertion.repository == 'p/a'",
            "weak",
            Some("always-false"),
        ),
        ("assertion.repository == 'o/a' && assertion.repository_owner == 'p'", "weak", Some("always-false")),
        (
            "assertion.sub.startsWith('repo:o/a:') && assertion.workflow_ref == 'o/b/.github/workflows/d.yml@refs/heads/x'",
            "weak",
            Some("always-false"),
        ),
        (
            "assertion.sub == 'repo:o/a:ref:refs/heads/main' && assertion.ref == 'refs/heads/x'",
            "weak",
            Some("always-false"),
        ),
        (
            "assertion.sub.startsWith('repo:o/a:ref:refs/heads/') && assertion.ref.startsWith('refs/tags/')",
            "weak",
            Some("always-false"),
        ),
        ("assertion.sub == 'repo:o/a:environment:p' && assertion.environment == 'q'", "weak", Some("always-false")),
        (
            "assertion.sub.startsWith('repo:o/a:environment:p') && assertion.environment == 'q'",
            "weak",
            Some("always-false"),
        ),
        // What both leave.
        ("assertion.sub.startsWith('repo:o/a:ref:refs/heads/') && assertion.ref == 'refs/heads/x'", "safe", None),
        ("assertion.sub == 'repo:o/a:environment:p' && assertion.ref == 'refs/heads/x'", "safe", None),
        ("assertion.sub.startsWith('repo:o/a:environment:') && assertion.environment == 'q'", "safe", None),
        ("assertion.sub == 'repo:o/a:environment:p%3Aq' && assertion.environment == 'p:q'", "safe", None),
        ("assertion.sub.startsWith('repo:o/') && assertion.repository == 'o/a'", "unsafe", Some("repo-wide")),
        ("assertion.sub.startsWith('repo:o@1/a@2:') && assertion.repository == 'o/a'", "weak", Some("repo-wide")),
        ("assertion.sub.startsWith('repo:o') && assertion.repository_owner == 'ox'", "unsafe", Some("org-wide")),
        (
            "assertion.sub in ['repo:o/a:pull_request', 'repo:o/b:environment:p'] && assertion.repository == 'o/b'",
            "safe",
            None,
        ),
        (
            "assertion.sub in ['repo:o/a:pull_request', 'repo:o/b:environment:p'] && assertion.sub.startsWith('repo:o/b:')",
            "safe",
            None,
        ),
        ("assertion.sub == 'repo:o/a:environment:p' && assertion.repository in ['o/a', 'o/b']", "safe", None),
        // More than one piece may stand in the place of a wildcard.
        (
            "assertion.sub.startsWith('repo:') && assertion.sub.endsWith(':environment:p') && assertion.repository == 'o/a'",
            "safe",
            None,
        ),
    ] {
        let said = answer(&json!({ "platform": "gcp", "issuer": "github", "subject": "repo:o/a:pull_request",
            "condition": { "attributeCondition": condition } }))
        .unwrap();
        assert_eq!(
            (said["grade"].as_str().unwrap(), said["pattern"].as_str()),
            (grade, pattern),
            "{condition}: {said}"
        );
        assert!(pattern != Some("always-false") || said["match"] == false, "{condition}: {said}");
    }
}
