use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::grade::{Alternative, Asks, Demand, Grade};
use crate::platform::Understood;

/// A platform that is not asked here.
struct Nobody;

impl Platform for Nobody {
    fn understand(&self, _: &str, _: Issuer) -> Result<Box<dyn Understood>, Refusal> {
        Err(Refusal::new("/x", "not here", "elsewhere"))
    }
}

fn answer(line: &Value) -> Result<Value, Refusal> {
    Ok(serde_json::to_value(Decider::new(Box::new(Nobody)).answer(&line.to_string())?).unwrap())
}

fn entra(subject: &str, condition: &str) -> Value {
    let answer = answer(&json!({ "platform": "entra", "subject": subject, "condition": { "subject": condition } }));
    answer.unwrap()
}

#[test]
fn the_grade_is_of_the_condition_and_the_match_of_the_token() {
    for (subject, condition, matched, grade, pattern) in [
        ("repo:o/r:ref:refs/heads/main", "repo:o/r:ref:refs/heads/main", true, "safe", None),
        ("repo:o/r:ref:refs/heads/x", "repo:o/r:ref:refs/heads/main", false, "safe", None),
        ("repo:o/r:pull_request", "repo:o/r:pull_request", true, "unsafe", Some("pull-request")),
        ("repo:o/r:environment:p", "repo:o/r:environment:p", true, "safe", None),
        // People call an environment what they like.
        ("repo:o/r:environment:live?", "repo:o/r:environment:live?", true, "safe", None),
        ("repo:o/r:environment:live", "repo:o/r:environment:live?", false, "safe", None),
        ("repo:o/*:environment:live?", "repo:o/*:environment:live?", false, "weak", Some("always-false")),
        ("repo:o/r:ref:refs/tags/v1", "repo:o/r:ref:refs/tags/v1", true, "weak", Some("tag-ref")),
        ("repo:o@1/r@2:ref:refs/heads/main", "repo:o/r:ref:refs/heads/main", false, "weak", Some("immutable-break")),
        ("repo:o/r:ref:refs/heads/main", "repo:o@1/r@2:ref:refs/heads/main", false, "weak", Some("immutable-break")),
        ("repo:o/r:ref:refs/heads/main", "repo:o/*", false, "weak", Some("always-false")),
        (
            "project_path:g/p:ref_type:branch:ref:main",
            "project_path:g/p:ref_type:branch:ref:main",
            true,
            "weak",
            Some("name-based"),
        ),
        ("system:serviceaccount:shop:web", "system:serviceaccount:shop:web", true, "safe", None),
        (
            "system:serviceaccount:shop:web",
            "system:serviceaccount:shop:default",
            false,
            "weak",
            Some("default-service-account"),
        ),
        ("somebody", "somebody", true, "safe", None),
    ] {
        let answer = entra(subject, condition);
        assert_eq!(answer["match"], json!(matched), "{condition}");
        assert_eq!((answer["grade"].as_str().unwrap(), answer["pattern"].as_str()), (grade, pattern), "{condition}");
        assert_eq!(answer["reason"] != "", pattern.is_some(), "{condition}: {}", answer["reason"]);
    }
}

#[test]
fn subjects_with_wildcards_are_graded_by_what_they_admit() {
    for (issuer, pattern, expected, name) in [
        ("github", "repo:o/*", "unsafe", "org-wide"),
        ("github", "repo:o@1/*", "weak", "org-wide"),
        ("github", "repo:o*", "unsafe", "no-repo-scope"),
        ("github", "*", "unsafe", "no-repo-scope"),
        ("github", "repo:*/r:ref:refs/heads/main", "unsafe", "shared-issuer-spoof"),
        ("github", "repo:o/app-*:ref:refs/heads/main", "unsafe", "wildcard-repo"),
        ("github", "repo:o/r:*", "unsafe", "repo-wide"),
        ("github", "repo:o@1/r@2:*", "weak", "repo-wide"),
        // The numbers are left open on purpose; a name without any is GitHub's older form.
        ("github", "repo:o@*/r@*:ref:refs/heads/main", "weak", "no-id-pin"),
        ("github", "repo:o@1/r@*:ref:refs/heads/main", "safe", ""),
        ("github", "repo:o@*/r@2:ref:refs/heads/main", "safe", ""),
        ("github", "repo:o/r:ref:refs/heads/main*", "weak", "branch-prefix-collision"),
        ("github", "repo:o/r:ref:refs/heads/*", "weak", "unprotected-branch"),
        ("github", "repo:o/r:ref:*", "weak", "wildcard-ref"),
        ("github", "repo:o/r:environment:*", "weak", "wildcard-suffix"),
        ("github", "repository_owner_id:1:repository_id:2:ref:refs/heads/main", "safe", ""),
        ("github", "repository_owner_id:1:*", "weak", "org-wide"),
        // Whoever may call the workflow is admitted, with inputs and files of his own.
        ("github", "job_workflow_ref:o/s/.github/workflows/w.yml@refs/heads/main", "weak", "job-workflow-ref"),
        (
            "github",
            "job_workflow_ref:o/s/.github/workflows/w.yml@0123456789abcdef0123456789abcdef01234567",
            "weak",
            "job-workflow-ref",
        ),
        ("github", "job_workflow_ref:o/s/.github/workflows/*@refs/heads/main", "weak", "job-workflow-ref"),
        ("github", "job_workflow_ref:o/s/.github/workflows/w.yml@refs/heads/*", "weak", "job-workflow-ref"),
        // A reference that is left open may be a commit of anybody's fork.
        ("github", "job_workflow_ref:o/s/.github/workflows/w.yml@*", "unsafe", "wildcard-workflow"),
        ("github", "job_workflow_ref:o/s/.github/workflows/*", "unsafe", "wildcard-workflow"),
        ("github", "job_workflow_ref:o/*@refs/heads/main", "unsafe", "wildcard-workflow"),
        ("github", "job_workflow_ref:*", "unsafe", "no-repo-scope"),
        ("github", "repo:o/r:job_workflow_ref:o/s/.github/workflows/w.yml@refs/heads/main", "safe", ""),
        ("github", "repository_owner:o:job_workflow_ref:o/s/.github/workflows/w.yml@refs/heads/main", "safe", ""),
        ("github", "repository_owner:o*:job_workflow_ref:o/s/.github/workflows/w.yml@v1", "weak", "job-workflow-ref"),
        ("gitlab", "project_path:g/*", "unsafe", "org-wide"),
        ("gitlab", "project_path:g/p*", "unsafe", "wildcard-repo"),
        ("gitlab", "project_path:g/p:ref_type:branch:ref:*", "unsafe", "wildcard-ref"),
        ("gitlab", "project_id:1:ref_type:branch:ref:*", "weak", "wildcard-ref"),
        ("terraform-cloud", "organization:o:*", "unsafe", "org-wide"),
        ("terraform-cloud", "organization:o:project:p:workspace:*", "unsafe", "wildcard-workspace"),
        ("terraform-cloud", "organization:o:project:p:workspace:w:run_phase:*", "unsafe", "run-phase-wildcard"),
    ] {
        let asks = Asks {
            alternatives: vec![vec![Demand::new("sub", vec![evenhand_model::glob::Glob::wildcard(pattern)])].into()],
            ..Asks::default()
        };
        let graded = grade(Issuer::named(issuer).unwrap(), &asks);
        let expected = match expected {
            "safe" => Grade::Safe,
            "weak" => Grade::Weak,
            _ => Grade::Unsafe,
        };
        assert_eq!((graded.grade, graded.pattern.unwrap_or_default()), (expected, name), "{pattern}");
    }
}

#[test]
fn values_that_are_denied_are_not_graded() {
    let sub = |patterns: &[&str]| {
        Demand::new("sub", patterns.iter().map(|one| evenhand_model::glob::Glob::wildcard(one)).collect())
    };
    for (wanted, denied, expected, name) in [
        (&["repo:o/r:*"][..], &["repo:o/r:pull_request"][..], Grade::Weak, "wildcard-ref"),
        (&["repo:o@1/r@2:*"], &["repo:o@*/r@*:pull_request"], Grade::Weak, "wildcard-ref"),
        (&["repo:o/r:*"], &["*:pull_request", "*:ref:*"], Grade::Weak, "wildcard-suffix"),
        (&["repo:o/r:*"], &["*:pull_request", "*:ref:*", "*:environment:*"], Grade::Weak, "always-false"),
        (&["repo:o/r:ref:refs/heads/main", "repo:o/x:*"], &["repo:o/x:*"], Grade::Safe, ""),
        (&["repo:o/r:*"], &["repo:o/r*"], Grade::Weak, "always-false"),
        // Some of each is left.
        (&["repo:o/r*"], &["repo:o/r:pull_request"], Grade::Unsafe, "wildcard-repo"),
        (&["repo:o/*"], &["*:pull_request"], Grade::Unsafe, "org-wide"),
        (&["*"], &["repo:o/r:*"], Grade::Unsafe, "no-repo-scope"),
    ] {
        let alternative =
            Alternative { demands: vec![sub(wanted)], denied: vec![sub(denied)], ..Alternative::default() };
        let graded = grade(Issuer::GitHub, &Asks { alternatives: vec![alternative], ..Asks::default() });
        assert_eq!((graded.grade, graded.pattern.unwrap_or_default()), (expected, name), "{wanted:?} {denied:?}");
    }
}

#[test]
fn every_pattern_that_decides_has_a_reason() {
    for pattern in [
        "missing-sub",
        "no-repo-scope",
        "org-wide",
        "wildcard-repo",
        "wildcard-workspace",
        "shared-issuer-spoof",
        "job-workflow-ref",
        "pull-request",
        "repo-wide",
        "wildcard-ref",
        "run-phase-wildcard",
        "wildcard-user",
        "unprotected-branch",
        "branch-prefix-collision",
        "wildcard-suffix",
        "tag-ref",
        "strangers-start",
        "name-based",
        "no-id-pin",
        "cluster-wide",
        "namespace-wide",
        "default-service-account",
        "ssh-rerun",
        "immutable-break",
        "always-false",
        "negative-only",
        "wildcard-workflow",
        "passes-when-absent",
        "case-ignored",
        "ref-protected",
        "not-understood",
    ] {
        assert!(!crate::reasons::of(pattern).is_empty(), "{pattern}");
    }
}

#[test]
fn nothing_is_admitted_where_no_token_of_the_issuer_fits() {
    const GITLAB: &str = "project_path:g/p:ref_type:branch:ref:main";
    const GITHUB: &str = "repo:o/r:ref:refs/heads/main";
    let of_gitlab = json!({ "platform": "gcp", "issuer": "gitlab", "subject": GITLAB });
    let with = |line: &Value, more: Value| {
        let mut line = line.clone();
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    for line in [
        // Its claims are texts, whatever a line says.
        with(
            &of_gitlab,
            json!({ "claims": { "project_id": 7 }, "condition": { "attributeCondition": "assertion.project_id == 7" } }),
        ),
        with(&of_gitlab, json!({ "condition": { "attributeCondition": "assertion.project_id == 7" } })),
        // The condition is on tokens of another issuer.
        with(&of_gitlab, json!({ "condition": { "issuerUri": "https://token.actions.githubusercontent.com" } })),
        json!({ "platform": "entra", "issuer": "github", "subject": GITHUB,
            "condition": { "issuer": "https://gitlab.com", "subject": GITHUB } }),
        // No subject holds such a character.
        json!({ "platform": "entra", "subject": "repo:o/*", "condition": { "subject": "repo:o/*" } }),
    ] {
        let answer = answer(&line).unwrap();
        assert_eq!((&answer["match"], &answer["pattern"]), (&json!(false), &json!("always-false")), "{line}");
        assert_eq!(answer.get("open"), None, "{line}");
    }
    let own = answer(&with(&of_gitlab, json!({ "condition": { "issuerUri": "https://gitlab.example.com" } }))).unwrap();
    assert_eq!(
        (&own["match"], &own["open"]),
        (&Value::Null, &json!(["iss"])),
        "a server of one's own is at any address"
    );
    let audience =
        with(&of_gitlab, json!({ "claims": { "aud": "what?" }, "condition": { "allowedAudiences": ["what?"] } }));
    assert_eq!(answer(&audience).unwrap()["match"], true, "whoever asks for a token names the audience");
}

/// Forms of the language of Google Cloud, each with the whole token of a push to `main` of `o/r`.
#[test]
fn every_form_of_the_language_is_matched_and_graded_by_what_it_lets_in() {
    let claims = json!({ "sub": "repo:o/r:ref:refs/heads/main", "aud": "a", "repository": "o/r", "repository_id": "7",
        "repository_owner": "o", "ref": "refs/heads/main", "event_name": "push", "actor": "ann" });
    let (yes, no, open) = (json!(true), json!(false), Value::Null);
    for (condition, matched, grade, pattern) in [
        ("true", &yes, "unsafe", Some("missing-sub")),
        ("false", &no, "weak", Some("always-false")),
        ("'o/r'", &no, "weak", Some("always-false")),
        ("assertion.repository", &no, "weak", Some("always-false")),
        ("assertion.repository == 'o/r' && assertion.ref == 'refs/heads/main'", &yes, "safe", None),
        ("assertion.repository == 'o/' + 'r' && assertion.ref == 'refs/heads/main'", &yes, "safe", None),
        (
            "'o/r' == assertion['repository'] && assertion.event_name == 'push'",
            &yes,
            "weak",
            Some("unprotected-branch"),
        ),
        ("assertion.repository == 'o/r'", &yes, "unsafe", Some("repo-wide")),
        ("assertion.actor == 'ann' || assertion.repository == 'o/r'", &yes, "unsafe", Some("missing-sub")),
        ("assertion.repository_owner == 'o'", &yes, "unsafe", Some("org-wide")),
        ("assertion.repository.startsWith('o/')", &yes, "unsafe", Some("org-wide")),
        ("assertion.repository.startsWith('o')", &yes, "unsafe", Some("no-repo-scope")),
        ("assertion.sub.startsWith('repo:o')", &yes, "unsafe", Some("no-repo-scope")),
        ("assertion.sub.endsWith(':ref:refs/heads/main')", &yes, "unsafe", Some("no-repo-scope")),
        ("assertion.actor == 'ann'", &yes, "unsafe", Some("missing-sub")),
        ("has(assertion.repository)", &yes, "unsafe", Some("missing-sub")),
        // No token has such values.
        ("assertion.sub == 'foo'", &no, "weak", Some("always-false")),
        ("assertion.repository == 'o'", &no, "weak", Some("always-false")),
        ("assertion.repository == 'o/r' && assertion.ref == 'main'", &no, "weak", Some("always-false")),
        ("assertion.repository_id == 7", &no, "weak", Some("always-false")),
        ("assertion.repository_id in [7]", &no, "weak", Some("always-false")),
        ("'o/r' in assertion.repository", &no, "weak", Some("always-false")),
        // Two tests of one claim.
        ("assertion.repository == 'o/r' && assertion.repository == 'o/x'", &no, "weak", Some("always-false")),
        ("assertion.repository == 'o/r' && assertion.repository != 'o/r'", &no, "weak", Some("always-false")),
        (
            "assertion.repository == 'o/r' && !(assertion.repository in ['o/r', 'o/x'])",
            &no,
            "weak",
            Some("always-false"),
        ),
        ("assertion.repository in ['o/r', 'o/x'] && assertion.repository != 'o/x'", &yes, "unsafe", Some("repo-wide")),
        // A claim against itself.
        ("assertion.sub != assertion.sub", &no, "weak", Some("always-false")),
        ("assertion.sub == assertion.sub", &yes, "unsafe", Some("missing-sub")),
        ("'a' != 'b'", &yes, "unsafe", Some("missing-sub")),
        ("'a' == 'b'", &no, "weak", Some("always-false")),
        // What is only forbidden.
        ("assertion.sub != 'x'", &yes, "unsafe", Some("negative-only")),
        ("!(assertion.sub == 'x')", &yes, "unsafe", Some("negative-only")),
        ("!assertion.repository.startsWith('p/')", &yes, "unsafe", Some("negative-only")),
        ("assertion.repository_id != 7", &yes, "unsafe", Some("missing-sub")),
        // What is not understood is never said to be safe, or to be anything else.
        ("assertion.sub.split(':')[1] == 'o/r'", &open, "null", Some("not-understood")),
        ("assertion.groups.exists(group, group == 'x')", &open, "null", Some("not-understood")),
        ("assertion.sub.extract('repo:{x}:ref') == 'o/r'", &yes, "null", Some("not-understood")),
        ("assertion.sub.lowerAscii() == 'x'", &no, "null", Some("not-understood")),
        (
            "(assertion.ref == 'x' ? assertion.sub == 'x' : assertion.repository == 'o/r')",
            &yes,
            "null",
            Some("not-understood"),
        ),
        ("assertion.repository in ['o/x', assertion.repository]", &yes, "null", Some("not-understood")),
        ("size(assertion.sub) > 3", &yes, "null", Some("not-understood")),
        ("!(size(assertion.sub) > 30)", &yes, "null", Some("not-understood")),
        ("assertion.sub.matches('^repo:(o/r|o/.*):')", &yes, "null", Some("not-understood")),
        ("assertion.sub.matches('.*')", &yes, "unsafe", Some("no-repo-scope")),
        // A choice between texts is a list of them.
        ("assertion.sub.matches('^repo:o/(r|x):ref:refs/heads/main$')", &yes, "safe", None),
        ("assertion.sub.matches('^repo:o/(x|y):ref:refs/heads/main$')", &no, "safe", None),
        ("assertion.sub.matches('^repo:(o/r|o/x):')", &yes, "unsafe", Some("repo-wide")),
        (
            "assertion.repository.matches('^o/r$|o/x$') && assertion.ref == 'refs/heads/main'",
            &yes,
            "unsafe",
            Some("shared-issuer-spoof"),
        ),
        // Another way in is open whatever it is.
        ("assertion.repository_owner == 'o' || size(assertion.sub) > 3", &yes, "unsafe", Some("org-wide")),
        // It can only be tighter than safe.
        (
            "assertion.repository == 'o/r' && assertion.ref == 'refs/heads/main' && size(assertion.sub) > 3",
            &yes,
            "safe",
            None,
        ),
    ] {
        let said = answer(&json!({ "platform": "gcp", "issuer": "github", "claims": claims,
            "condition": { "attributeCondition": condition } }))
        .unwrap();
        assert_eq!(&said["match"], matched, "{condition}: {said}");
        let graded = (said["grade"].as_str().unwrap_or("null"), said["pattern"].as_str());
        assert_eq!(graded, (grade, pattern), "{condition}: {said}");
        assert!(grade != "null" || said["notes"].to_string().contains("counts for nothing"), "{condition}: {said}");
    }
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
            "safe",
            None,
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
        let said = answer(&json!({ "platform": "gcp", "issuer": "github", "subject": "repo:o/r:pull_request",
            "condition": { "attributeCondition": condition } }))
        .unwrap();
        let graded = (said["grade"].as_str().unwrap_or("null"), said["pattern"].as_str());
        assert_eq!(graded, (grade, pattern), "{condition}: {said}");
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
        let said = answer(&json!({ "platform": "gcp", "issuer": "github", "subject": "repo:o/r:pull_request",
            "condition": { "attributeCondition": condition } }))
        .unwrap();
        let graded = (said["grade"].as_str().unwrap_or("null"), said["pattern"].as_str());
        assert_eq!(graded, (grade, pattern), "{condition}: {said}");
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
        // What both leave.
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

#[test]
fn what_is_admitted_beside_the_deciding_pattern_is_named_too() {
    for (issuer, pattern, names) in [
        ("github", "repo:o/*", &["org-wide", "pull-request", "wildcard-repo"][..]),
        ("github", "repo:o/app-*:*", &["pull-request", "wildcard-repo"]),
        ("github", "repo:o/app-*:environment:p", &["environment-scoped", "wildcard-repo"]),
        ("github", "repo:o/r:*", &["name-based", "pull-request", "repo-wide"]),
        ("github", "repo:o@1/r@2:*", &["immutable", "immutable-id", "repo-wide"]),
        (
            "gitlab",
            "project_path:g/p:ref_type:branch:ref:main",
            &["exact-ref", "name-based", "no-id-pin", "path-reuse"],
        ),
        ("gitlab", "project_path:g/*", &["name-based", "no-id-pin", "org-wide"]),
        ("terraform-cloud", "organization:o:*", &["name-based", "no-id-pin", "org-wide", "wildcard-suffix"]),
        (
            "terraform-cloud",
            "organization:o:project:p:workspace:w:run_phase:apply",
            &["exact-ref", "name-based", "no-id-pin"],
        ),
    ] {
        let asks = Asks {
            alternatives: vec![vec![Demand::new("sub", vec![evenhand_model::glob::Glob::wildcard(pattern)])].into()],
            ..Asks::default()
        };
        let graded = grade(Issuer::named(issuer).unwrap(), &asks);
        assert_eq!(graded.patterns.into_iter().collect::<Vec<_>>(), names, "{pattern}");
    }
}

#[test]
fn what_is_not_understood_is_cited() {
    for (condition, cited) in [
        ("assertion.sub.split(':')[1] == 'o/r'", "`assertion.sub.split(':')[1] == 'o/r'`"),
        // The language has two forms of it, which are one.
        ("size(assertion.sub) > 3", "`assertion.sub.size() > 3`"),
        ("assertion.repository_owner == 'o' && assertion.actor != 'bot'", "`assertion.actor != 'bot'`"),
    ] {
        let said = answer(&json!({ "platform": "gcp", "subject": "repo:o/r:pull_request",
            "condition": { "attributeCondition": condition } }));
        let notes = said.unwrap()["notes"].to_string();
        assert!(notes.contains(cited), "{condition}: {notes}");
    }
    let mapped = json!({ "platform": "gcp", "subject": "repo:o/r:pull_request", "condition": {
        "attributeMapping": { "google.subject": "assertion.sub", "attribute.r": "assertion.sub.extract('repo:{r}:')" },
        "member": "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/attribute.r/o/r" } });
    let said = answer(&mapped).unwrap();
    assert_eq!((&said["match"], &said["grade"]), (&json!(true), &Value::Null), "{said}");
    assert!(said["notes"].to_string().contains("assertion.sub.extract('repo:{r}:')"), "{said}");
}

#[test]
fn claims_that_keep_nobody_out_are_named_with_the_reason() {
    for (claim, why) in [
        ("actor", "who started the run"),
        ("actor_id", "who started the run"),
        ("triggering_actor", "who started the run"),
        ("head_ref", "whoever proposes gives it that name"),
        ("base_ref", "whoever proposes chooses"),
        ("workflow", "call itself so"),
        ("repository_visibility", "not whose it is"),
        ("runner_environment", "not what it runs"),
        ("run_number", "not say what they run"),
        ("job_workflow_sha", "may be tighter"),
    ] {
        let condition = format!("assertion.repository == 'o/r' && assertion.{claim} == '7'");
        let said = answer(&json!({ "platform": "gcp", "subject": "repo:o/r:pull_request",
            "condition": { "attributeCondition": condition } }))
        .unwrap();
        let notes = said["notes"].as_array().unwrap();
        let [note] = notes.as_slice() else { panic!("{said}") };
        let message = note["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("`{claim}` counts for nothing in the grade: ")), "{said}");
        assert!(message.contains(why), "{said}");
        assert_eq!(said["pattern"], "repo-wide", "{said}");
    }
    let said = answer(&json!({ "platform": "gcp", "subject": "repo:o/r:pull_request",
        "condition": { "attributeCondition": "assertion.repository == 'o/r' && assertion.ref_type == 'tag'" } }));
    assert_eq!(said.unwrap().get("notes"), None);
}

#[test]
fn a_claim_of_an_issuer_that_is_not_understood_is_not_called_safe() {
    let of = |condition: &str| {
        answer(&json!({ "platform": "gcp", "issuer": "https://login.example.com", "subject": "ann",
            "claims": { "team": "x" }, "condition": { "attributeCondition": condition } }))
        .unwrap()
    };
    assert_eq!(
        (&of("assertion.team == 'x'")["grade"], &of("assertion.sub == 'ann'")["grade"]),
        (&Value::Null, &json!("safe"))
    );
}

#[test]
fn subjects_that_no_token_has_admit_nobody() {
    for (issuer, subject) in [
        ("github", "foo"),
        ("github", "repo:o"),
        ("github", "repo:o/r:main"),
        ("github", "repo:o/r/x:pull_request"),
        ("github", "repo:o/r:ref:heads/main"),
        ("github", "repository_id:o:ref:refs/heads/main"),
        ("gitlab", "project_path:g"),
        ("gitlab", "repo:o/r:pull_request"),
        ("kubernetes", "system:serviceaccount:shop"),
        ("terraform-cloud", "organization:o"),
        ("terraform-cloud", "organization:o:project:p:workspace:w"),
        ("circleci", "org/1"),
        ("bitbucket", "{1}"),
    ] {
        let said = answer(&json!({ "platform": "entra", "issuer": issuer, "subject": subject,
            "condition": { "subject": subject } }))
        .unwrap();
        assert_eq!((&said["match"], &said["pattern"]), (&json!(false), &json!("always-false")), "{issuer} {subject}");
        assert!(said["reason"].as_str().unwrap().contains("no token of the issuer fits"), "{said}");
    }
    // The credential tells whose tokens it is for, where the line does not.
    let said = answer(&json!({ "platform": "entra", "subject": "foo",
        "condition": { "issuer": "https://token.actions.githubusercontent.com", "subject": "foo" } }));
    assert_eq!(said.unwrap()["pattern"], "always-false");
    for (issuer, subject) in [
        ("github", "repository_owner:o:repository_visibility:private:ref:refs/heads/main"),
        ("github", "repo:o/r:environment:a b"),
        ("github", "repo:o/r:workflow:ci: all:ref:refs/heads/main"),
        ("github", "repo:o/r:repo_property_team:shop"),
        ("terraform-cloud", "organization:o:project:p:stack:s:deployment:d:operation:plan"),
    ] {
        let said = answer(&json!({ "platform": "entra", "issuer": issuer, "subject": subject,
            "condition": { "subject": subject } }));
        assert_eq!(said.unwrap()["match"], true, "{issuer} {subject}");
    }
}

#[test]
fn what_is_not_known_of_the_token_is_open() {
    let line = json!({ "platform": "gcp", "subject": "repo:o/r:pull_request",
        "condition": { "attributeCondition": "assertion.repository_id == '7'" } });
    let open = answer(&line).unwrap();
    assert_eq!((&open["match"], &open["open"]), (&Value::Null, &json!(["repository_id"])));
}

#[test]
fn the_name_of_a_line_stands_in_its_answer() {
    let mut line = json!({ "platform": "entra", "subject": "repo:o/r:x", "condition": { "subject": "repo:o/r:x" } });
    assert_eq!(answer(&line).unwrap().get("id"), None);
    line["id"] = json!("row 7");
    assert_eq!(answer(&line).unwrap()["id"], "row 7");
}

#[test]
fn a_bad_line_is_refused_with_its_place() {
    let good = json!({ "platform": "entra", "subject": "s", "condition": { "subject": "s" } });
    let with = |name: &str, value: Value| {
        let mut line = good.clone();
        line[name] = value;
        line
    };
    for (line, at) in [
        (with("platform", json!("vault")), "/platform"),
        (with("issuer", json!("jenkins")), "/issuer"),
        (with("claims", json!({ "sub": "t" })), "/claims/sub"),
        (with("condition", json!({ "subjects": "s" })), "/condition/subjects"),
        (with("condition", json!("s")), "/condition"),
        (with("subjekt", json!("s")), "/subjekt"),
        (json!({ "platform": "entra", "condition": { "subject": "s" } }), ""),
        (json!({ "platform": "aws", "subject": "s", "condition": {} }), "/condition/x"),
        (json!([]), ""),
    ] {
        let refusal = answer(&line).unwrap_err();
        assert_eq!(refusal.at, at, "{line}: {}", refusal.message);
        assert!(!refusal.message.is_empty() && !refusal.remedy.is_empty());
    }
}

fn pattern() -> impl Strategy<Value = String> {
    let repository = prop::sample::select(vec!["o/r", "o/*", "o*", "o@1/r@2", "o@1/*", "*"]);
    let context =
        prop::sample::select(vec!["*", "ref:refs/heads/main", "ref:refs/heads/*", "environment:p", "ref:refs/tags/v1"]);
    (repository, context).prop_map(|(repository, context)| format!("repo:{repository}:{context}"))
}

proptest! {
    /// More values never make a condition tighter.
    #[test]
    fn a_list_is_as_loose_as_its_loosest_value(values in prop::collection::vec(pattern(), 1..4)) {
        let globs: Vec<_> = values.iter().map(|value| evenhand_model::glob::Glob::wildcard(value)).collect();
        let of = |values: Vec<evenhand_model::glob::Glob>| {
            let alternatives = vec![vec![Demand::new("sub", values)].into()];
            grade(Issuer::GitHub, &Asks { alternatives, ..Asks::default() }).grade
        };
        let loosest = globs.iter().map(|glob| of(vec![glob.clone()])).max();
        prop_assert_eq!(Some(of(globs)), loosest);
    }

    /// One demand more never makes a condition looser.
    #[test]
    fn a_demand_more_never_makes_it_looser(subject in pattern(), claim in prop::sample::select(vec![
        ("aud", "sts.amazonaws.com"), ("repository_id", "2"), ("repository_owner", "o"), ("environment", "p"),
        ("ref", "refs/heads/main"), ("job_workflow_ref", "o/s/.github/workflows/w.yml@main"),
    ])) {
        let sub = Demand::new("sub", vec![evenhand_model::glob::Glob::wildcard(&subject)]);
        let more = Demand::new(claim.0, vec![evenhand_model::glob::Glob::literal(claim.1)]);
        let of = |demands: Vec<Demand>| {
            grade(Issuer::GitHub, &Asks { alternatives: vec![demands.into()], ..Asks::default() }).grade
        };
        prop_assert!(of(vec![sub.clone(), more]) <= of(vec![sub]));
    }

    /// Nothing that is written makes a reader stumble.
    #[test]
    fn any_text_is_answered_or_refused(text in ".{0,40}", expression in "[a-z.'()!&|=\\[\\]<>? ,\"0-9]{0,40}") {
        for condition in [
            json!({ "claimsMatchingExpression": { "value": text } }),
            json!({ "claimsMatchingExpression": { "value": format!("claims['sub'] {text}") } }),
        ] {
            let _ = answer(&json!({ "platform": "entra", "subject": "repo:o/r:x", "condition": condition }));
        }
        for text in [&text, &expression] {
            let condition = json!({ "attributeCondition": text });
            let _ = answer(&json!({ "platform": "gcp", "subject": text, "condition": condition }));
        }
    }
}
