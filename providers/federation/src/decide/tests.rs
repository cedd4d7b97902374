use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::grade::{Asks, Demand, Grade};
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
        ("github", "repo:o@*/r@*:ref:refs/heads/main", "safe", ""),
        ("github", "repo:o/r:ref:refs/heads/main*", "weak", "branch-prefix-collision"),
        ("github", "repo:o/r:ref:refs/heads/*", "weak", "unprotected-branch"),
        ("github", "repo:o/r:ref:*", "weak", "wildcard-ref"),
        ("github", "repo:o/r:environment:*", "weak", "wildcard-suffix"),
        ("github", "repository_owner_id:1:repository_id:2:ref:refs/heads/main", "safe", ""),
        ("github", "repository_owner_id:1:*", "weak", "org-wide"),
        // Whoever may call the workflow is admitted, and at a branch or tag it may become another one.
        ("github", "job_workflow_ref:o/s/.github/workflows/w.yml@refs/heads/main", "weak", "job-workflow-ref"),
        ("github", "job_workflow_ref:o/s/.github/workflows/w.yml@0123456789abcdef0123456789abcdef01234567", "safe", ""),
        ("github", "job_workflow_ref:o/s/.github/workflows/*", "unsafe", "no-repo-scope"),
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
            alternatives: vec![vec![Demand::new("sub", vec![evenhand_model::glob::Glob::wildcard(pattern)])]],
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
        "name-based",
        "no-id-pin",
        "cluster-wide",
        "namespace-wide",
        "default-service-account",
        "ssh-rerun",
        "immutable-break",
        "always-false",
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
    let own = with(&of_gitlab, json!({ "condition": { "issuerUri": "https://gitlab.example.com" } }));
    assert_eq!(answer(&own).unwrap()["match"], true, "a server of one's own is at any address");
    let audience =
        with(&of_gitlab, json!({ "claims": { "aud": "what?" }, "condition": { "allowedAudiences": ["what?"] } }));
    assert_eq!(answer(&audience).unwrap()["match"], true, "whoever asks for a token names the audience");
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
            grade(Issuer::GitHub, &Asks { alternatives: vec![vec![Demand::new("sub", values)]], ..Asks::default() }).grade
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
            grade(Issuer::GitHub, &Asks { alternatives: vec![demands], ..Asks::default() }).grade
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
