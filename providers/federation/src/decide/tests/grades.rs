//! How tightly a condition holds out by the subjects that it admits, and why.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::answer;
use crate::grade::{Alternative, Asks, Demand, Grade, grade};
use crate::issuer::Issuer;

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
        // The reviews of a proposal start runs at its own reference.
        ("github", "repo:o/r:ref:*", "unsafe", "pull-request"),
        ("github", "repo:o/r:ref:refs/*", "unsafe", "pull-request"),
        ("github", "repo:o/r:ref:refs/?ull/*", "unsafe", "pull-request"),
        ("github", "repo:o@1/r@2:ref:*", "weak", "wildcard-ref"),
        ("github", "repo:o/r:ref:refs/*/main", "weak", "wildcard-ref"),
        // No job runs at such a reference, and no token calls a workflow by a short one.
        ("github", "repo:o/r:ref:refs/head/main", "weak", "always-false"),
        ("github", "repo:o/r:ref:refs/head*/main", "weak", "wildcard-ref"),
        ("github", "repo:o/r:job_workflow_ref:o/s/.github/workflows/w.yml@main", "weak", "always-false"),
        ("github", "job_workflow_ref:o/s/.github/workflows/w.yml@v1", "weak", "always-false"),
        // A proposal names an environment that nobody has protected.
        ("github", "repo:o/r:environment:*", "unsafe", "wildcard-environment"),
        ("github", "repo:o/r:environment:preview-?", "unsafe", "wildcard-environment"),
        ("github", "repo:o@1/r@2:environment:*", "weak", "wildcard-environment"),
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
        // Whose callers are known, and a proposal may be one of them.
        ("github", "repo:o/r:job_workflow_ref:o/s/.github/workflows/w.yml@refs/heads/main", "weak", "proposals-call"),
        (
            "github",
            "repository_owner:o:job_workflow_ref:o/s/.github/workflows/w.yml@refs/heads/main",
            "weak",
            "proposals-call",
        ),
        ("github", "repo:o/r:environment:p:job_workflow_ref:o/s/.github/workflows/w.yml@refs/heads/main", "safe", ""),
        (
            "github",
            "repository_owner:o*:job_workflow_ref:o/s/.github/workflows/w.yml@refs/tags/v1",
            "weak",
            "job-workflow-ref",
        ),
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
        // Proposals have other subjects too.
        (&["repo:o/r:*"][..], &["repo:o/r:pull_request"][..], Grade::Unsafe, "wildcard-environment"),
        (&["repo:o@1/r@2:*"], &["repo:o@*/r@*:pull_request"], Grade::Weak, "wildcard-environment"),
        (&["repo:o/r:*"], &["*:pull_request", "*:ref:*"], Grade::Unsafe, "wildcard-environment"),
        (&["repo:o/r:*"], &["*:pull_request", "*:environment:*"], Grade::Unsafe, "pull-request"),
        (
            &["repo:o/r:*"],
            &["*:pull_request", "*:ref:refs/pull/*", "*:environment:*"],
            Grade::Weak,
            "unprotected-branch",
        ),
        (&["repo:o/r:ref:*"], &["*:ref:refs/pull/*"], Grade::Weak, "unprotected-branch"),
        (&["repo:o/r:ref:*"], &["*:ref:refs/pull/*", "*:ref:refs/heads/*"], Grade::Weak, "tag-ref"),
        // What an organisation makes of other claims is none of these contexts.
        (&["repo:o/r:*"], &["*:pull_request", "*:ref:*", "*:environment:*"], Grade::Unsafe, "repo-wide"),
        (&["repo:o@1/r@2:*"], &["*:pull_request", "*:ref:*", "*:environment:*"], Grade::Weak, "repo-wide"),
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
fn a_reference_of_proposals_that_is_denied_leaves_branches_and_tags_whatever_steps_are_held() {
    let demand = |claim: &str, pattern: &str| Demand::new(claim, vec![evenhand_model::glob::Glob::wildcard(pattern)]);
    let steps = demand("job_workflow_ref", "o/s/.github/workflows/w.yml@refs/heads/main");
    for demands in [vec![demand("sub", "repo:o/r:*")], vec![demand("sub", "repo:o/r:*"), steps]] {
        let alternative = Alternative { demands, denied: vec![demand("ref", "refs/pull/*")], ..Alternative::default() };
        let graded = grade(Issuer::GitHub, &Asks { alternatives: vec![alternative], ..Asks::default() });
        assert_eq!((graded.grade, graded.pattern), (Grade::Weak, Some("wildcard-ref")));
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
        "wildcard-environment",
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
        "proposals-call",
        "passes-when-absent",
        "case-ignored",
        "ref-protected",
        "not-understood",
    ] {
        assert!(!crate::reasons::of(pattern).is_empty(), "{pattern}");
    }
}

#[test]
fn what_is_admitted_beside_the_deciding_pattern_is_named_too() {
    for (issuer, pattern, names) in [
        ("github", "repo:o/*", &["org-wide", "pull-request", "wildcard-repo"][..]),
        ("github", "repo:o/app-*:*", &["pull-request", "wildcard-repo"]),
        ("github", "repo:o/app-*:environment:p", &["environment-scoped", "wildcard-repo"]),
        ("github", "repo:o/r:*", &["name-based", "pull-request", "repo-wide"]),
        ("github", "repo:o/r:ref:*", &["name-based", "pull-request", "wildcard-ref", "wildcard-suffix"]),
        (
            "github",
            "repo:o/r:environment:*",
            &["name-based", "pull-request", "wildcard-environment", "wildcard-suffix"],
        ),
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
        ("ref", "refs/heads/main"), ("job_workflow_ref", "o/s/.github/workflows/w.yml@refs/heads/main"),
    ])) {
        let sub = Demand::new("sub", vec![evenhand_model::glob::Glob::wildcard(&subject)]);
        let more = Demand::new(claim.0, vec![evenhand_model::glob::Glob::literal(claim.1)]);
        let of = |demands: Vec<Demand>| {
            grade(Issuer::GitHub, &Asks { alternatives: vec![demands.into()], ..Asks::default() }).grade
        };
        prop_assert!(of(vec![sub.clone(), more]) <= of(vec![sub]));
    }
}
