//! Every public vector of subjects against conditions, whichever the platform: the match, the grade and the pattern.

use std::collections::BTreeMap;

use evenhand_federation::decide::Decider;
use serde_json::{Map, Value, json};

use super::{shared, text};
use crate::Federation;

/// Vectors whose grade is another one here, and why.
const DISAGREED: &[(&str, &str, &str)] = &[
    (
        "gh-aws-aud-default-owner-url-rejected",
        "unsafe",
        "graded as one test of several; as the whole condition that it is given as, an audience alone admits every workflow",
    ),
    (
        "gh-aws-environment-key-absent-claim-rejected",
        "unsafe",
        "as above: an environment's name alone admits whoever makes an environment of that name in a repository of his",
    ),
    (
        "gh-flex-and-reusable-workflow-pin",
        "safe",
        "an exact subject is safe by itself (`az-fic-exact-branch-match`), and a further demand cannot make it looser",
    ),
    (
        "gh-gcp-immutable-id-survives-rename",
        "weak",
        "a repository's number without a ref is what `gh-aws-repository-id-immutable-pin` calls `caution`; the owner's number \
         beside it narrows nothing",
    ),
    (
        "gitlab-aws-path-reuse-no-projectid",
        "weak",
        "the very condition of `gitlab-aws-exact-branch-namebased-stringequals`, which is `caution` there; that this token is \
         a squatter's stands in neither of the two",
    ),
    ("gl-flex-eq-path-reuse-squatter-no-lever", "weak", "as above, for an expression"),
    ("gitlab-az-fic-path-reuse-squatter", "weak", "as above, for a credential"),
    (
        "gh-aws-jwr-condition-key-sha-pin",
        "weak",
        "the commit pins the steps and nobody who runs them: any repository may call a public workflow, with inputs and files \
         of its own",
    ),
];

/// Names that some vectors give beside, or in place of, one that others of them use for the same; here the second is told.
const SYNONYMS: &[(&str, &str)] = &[
    ("classic-sub", "name-based"),
    ("confused-deputy", "no-repo-scope"),
    ("cybersquat", "name-based"),
    ("exact-repo", "name-based"),
    ("immutable-gap", "no-id-pin"),
    ("int-literal", "type-mismatch"),
    ("path-based", "path-reuse"),
    ("path-only", "path-reuse"),
    ("project-id-sub", "project-id-pin"),
    ("rename-proof", "immutable-id"),
    ("reusable-workflow", "job-workflow-ref"),
    // Of the token and not of the condition.
    ("absent-key", "environment-scoped"),
];

/// The `Condition` block of a vector.
fn block(issuer: &str, condition: &Value) -> Value {
    let host = match issuer {
        "github" => "token.actions.githubusercontent.com",
        "gitlab" => "gitlab.com",
        "bitbucket" => "api.bitbucket.org/2.0/workspaces/w/pipelines-config/identity/oidc",
        "circleci" => "oidc.circleci.com/org/2a3b4c5d-1111-2222-3333-444455556666",
        "terraform-cloud" => "app.terraform.io",
        other => panic!("{other}"),
    };
    let parts = condition["of"].as_array().cloned().unwrap_or_else(|| vec![condition.clone()]);
    let mut block = Map::new();
    for part in parts {
        let operator = match part["consumer"].as_str().unwrap() {
            "aws-stringequals" => "StringEquals",
            "aws-stringlike" => "StringLike",
            other => panic!("{other}"),
        };
        let key = format!("{host}:{}", part["claim"].as_str().unwrap_or("sub"));
        block.entry(operator).or_insert_with(|| json!({}))[key] = part["pattern"].clone();
    }
    block.into()
}

/// A vector as a line.
fn line(vector: &Value) -> Value {
    let issuer = vector["issuer"].as_str().unwrap();
    let condition = &vector["condition"];
    let (platform, condition) = match condition["consumer"].as_str().unwrap() {
        "azure-fic-exact" => ("entra", json!({ "subject": condition["pattern"] })),
        "azure-fic-flexible" => {
            ("entra", json!({ "claimsMatchingExpression": { "value": condition["pattern"], "languageVersion": 1 } }))
        }
        "gcp-cel" => ("gcp", json!({ "attributeCondition": condition["pattern"] })),
        _ => ("aws", block(issuer, condition)),
    };
    let mut line =
        json!({ "platform": platform, "issuer": issuer, "subject": vector["subject"], "condition": condition });
    if vector["claims"].is_object() {
        line["claims"] = vector["claims"].clone();
    }
    line
}

#[test]
fn every_public_vector_is_matched_and_graded_as_people_do() {
    let Some(folder) = shared("conformance/federation") else { return };
    let decider = Decider::new(Box::new(Federation::default()));
    let mut suites: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    suites.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    suites.sort();
    let mut wrong = Vec::new();
    let mut disagreed = BTreeMap::new();
    let (mut matched, mut graded, mut named) = (0, 0, 0);
    for path in &suites {
        let suite: Value = serde_json::from_str(&text(path.clone()).1).unwrap();
        for vector in suite["vectors"].as_array().unwrap() {
            let id = vector["id"].as_str().unwrap();
            let line = line(vector);
            let answer = decider.answer(&line.to_string()).unwrap_or_else(|refusal| panic!("{id}: {refusal:?}"));
            let answer = serde_json::to_value(answer).unwrap();
            matched += 1;
            if answer["match"] != (vector["expect"] == "match") {
                wrong.push(format!("{id}: match {}", answer["match"]));
            }
            let judgment = &vector["judgment"];
            let names = |list: &Value| -> Vec<String> {
                list.as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
            };
            let (ours, theirs) = (names(&answer["patterns"]), names(&judgment["patterns"]));
            let is_told = |name: &String| {
                let synonym = SYNONYMS.iter().find(|(theirs, _)| theirs == name).map_or(&**name, |(_, ours)| *ours);
                ours.iter().any(|told| told == synonym)
            };
            if let Some(untold) = theirs.iter().find(|name| !is_told(name)) {
                wrong.push(format!("{id}: {untold} is not among {ours:?}"));
            }
            named += usize::from(!theirs.is_empty());
            let Some(grade) = judgment["grade"].as_str() else { continue };
            let expected = match grade {
                "safe" => "safe",
                "caution" => "weak",
                "dangerous" => "unsafe",
                other => panic!("{other}"),
            };
            if answer["grade"] != expected {
                disagreed.insert(id.to_owned(), answer["grade"].as_str().unwrap().to_owned());
                continue;
            }
            graded += 1;
        }
    }
    let known: BTreeMap<String, String> =
        DISAGREED.iter().map(|(id, grade, _)| ((*id).to_owned(), (*grade).to_owned())).collect();
    println!(
        "federation: {matched} vectors in {} suites, {} matched otherwise; {graded} graded alike, {} otherwise; {named} with all their names",
        suites.len(),
        wrong.iter().filter(|one| one.contains(": match ")).count(),
        disagreed.len()
    );
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(disagreed, known, "vectors that are graded otherwise");
    assert_eq!((matched, suites.len()), (67, 14));
}

fn answer(line: &Value) -> Value {
    let decider = Decider::new(Box::new(Federation::default()));
    match decider.answer(&line.to_string()) {
        Ok(answer) => serde_json::to_value(answer).unwrap(),
        Err(refusal) => json!({ "at": refusal.at, "message": refusal.message }),
    }
}

const HOST: &str = "token.actions.githubusercontent.com";

#[test]
fn conditions_of_trusts_are_evaluated_by_the_policy_language() {
    let key = |claim: &str| format!("{HOST}:{claim}");
    let claims = json!({ "sub": "repo:o/r:pull_request", "aud": ["sts.amazonaws.com"], "repository_id": "7" });
    for (condition, matched, pattern) in [
        (json!({}), json!(true), json!("missing-sub")),
        (json!({ "StringLike": { key("sub"): "repo:o/*" } }), json!(true), json!("org-wide")),
        (json!({ "StringLikeIfExists": { key("sub"): "repo:x/*" } }), json!(false), json!("org-wide")),
        (json!({ "StringNotEquals": { key("sub"): "x" } }), json!(true), json!("negative-only")),
        (
            json!({ "ForAnyValue:StringLike": { key("aud"): "sts*" }, "StringEquals": { key("repository_id"): "7" } }),
            json!(true),
            json!("repo-wide"),
        ),
        (
            json!({ "StringEquals": { key("environment"): "p", key("sub"): "repo:o/r:environment:p" } }),
            json!(false),
            Value::Null,
        ),
        (json!({ "StringEquals": { "gitlab.com:sub": "repo:o/r:pull_request" } }), json!(false), json!("always-false")),
        (
            json!({ "StringEquals": { key("sub"): "repo:o/r:pull_request" }, "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } }),
            Value::Null,
            json!("pull-request"),
        ),
        (
            json!({ "StringEquals": { key("head_ref"): "x", key("repository_id"): "7" } }),
            Value::Null,
            json!("repo-wide"),
        ),
    ] {
        let line = json!({ "platform": "aws", "issuer": HOST, "claims": claims, "condition": condition });
        let answer = answer(&line);
        assert_eq!((&answer["match"], &answer["pattern"]), (&matched, &pattern), "{condition}: {answer}");
    }
}

#[test]
fn a_test_of_a_claim_that_keeps_nobody_out_is_named_whatever_its_operator() {
    for operator in ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "ForAllValues:StringLike"] {
        let condition = json!({ "StringLike": { format!("{HOST}:sub"): "repo:o/r:*" },
            operator: { format!("{HOST}:head_ref"): "main", format!("{HOST}:actor"): "ann" } });
        let said = answer(&json!({ "platform": "aws", "issuer": "github", "subject": "repo:o/r:pull_request",
            "condition": condition }));
        let notes: Vec<&str> =
            said["notes"].as_array().unwrap().iter().map(|note| note["message"].as_str().unwrap()).collect();
        let [actor, branch] = notes.as_slice() else { panic!("{said}") };
        assert!(actor.starts_with("`actor` counts for nothing") && branch.starts_with("`head_ref` counts"), "{said}");
        assert_eq!(said["pattern"], "repo-wide", "{said}");
    }
}

/// Operators of the language on claims, each with a token that fits and one that does not, or the same twice.
#[test]
fn every_operator_is_matched_and_graded_by_what_it_lets_in() {
    const MAIN: &str = "repo:o/r:ref:refs/heads/main";
    const JWR: &str = "o/s/.github/workflows/w.yml@refs/heads/main";
    const COMMIT: &str = "o/s/.github/workflows/w.yml@0123456789abcdef0123456789abcdef01234567";
    // What the token is like beside its subject.
    let claims = json!({ "sub": MAIN, "aud": "sts.amazonaws.com", "repository": "o/r", "repository_id": "7",
        "ref": "refs/heads/main", "actor": "ann", "job_workflow_ref": JWR });
    let with = |more: &Value| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    };
    let (same, stranger) = (json!({}), json!({ "sub": "repo:p/x:pull_request", "repository_id": "8" }));
    for (operator, claim, value, token, matched, grade, pattern) in [
        ("StringEquals", "sub", json!(MAIN), &same, Some(true), "safe", None),
        ("StringEquals", "sub", json!(MAIN), &stranger, Some(false), "safe", None),
        // No subject of GitHub looks like these.
        ("StringEquals", "sub", json!("foo"), &json!({ "sub": "foo" }), Some(false), "weak", Some("always-false")),
        ("StringEquals", "sub", json!("repo:o"), &same, Some(false), "weak", Some("always-false")),
        ("StringEquals", "sub", json!("repo:o/r:main"), &same, Some(false), "weak", Some("always-false")),
        ("StringEquals", "sub", json!("repo:o/r:ref:main"), &same, Some(false), "weak", Some("always-false")),
        ("StringEquals", "sub", json!("repo:o/*"), &same, Some(false), "weak", Some("always-false")),
        ("StringLike", "sub", json!("o/r:*"), &same, Some(false), "weak", Some("always-false")),
        ("StringEquals", "sub", json!(["foo", MAIN]), &same, Some(true), "safe", None),
        ("StringEquals", "sub", json!("repository_owner:o"), &same, Some(false), "unsafe", Some("org-wide")),
        ("StringLike", "sub", json!("repo:o/*"), &same, Some(true), "unsafe", Some("org-wide")),
        // The characters themselves, and a variable, which leaves what stands before it.
        ("StringLike", "sub", json!("repo:o/r:${*}"), &same, Some(false), "weak", Some("always-false")),
        ("StringEquals", "sub", json!("repo:o/r:${*}"), &same, Some(false), "weak", Some("always-false")),
        ("StringLike", "sub", json!("repo:o/r:environment:${$}*"), &same, Some(false), "weak", Some("wildcard-suffix")),
        ("StringLike", "sub", json!("repo:o/r:${aws:PrincipalTag/x}"), &same, None, "unsafe", Some("repo-wide")),
        ("StringEquals", "sub", json!("repo:o/r:ref:${aws:PrincipalTag/x}"), &same, None, "weak", Some("wildcard-ref")),
        ("StringLike", "sub", json!("repo:o*"), &same, Some(true), "unsafe", Some("no-repo-scope")),
        // Every token has a subject, so that these hold it; they would let in one without.
        ("StringEqualsIfExists", "sub", json!(MAIN), &stranger, Some(false), "weak", Some("passes-when-absent")),
        ("ForAllValues:StringEquals", "sub", json!(MAIN), &same, Some(true), "weak", Some("passes-when-absent")),
        ("ForAllValues:StringEquals", "sub", json!(MAIN), &stranger, Some(false), "weak", Some("passes-when-absent")),
        ("ForAllValues:StringLike", "sub", json!("repo:o/*"), &same, Some(true), "unsafe", Some("org-wide")),
        ("ForAnyValue:StringEquals", "sub", json!(MAIN), &same, Some(true), "safe", None),
        // Few tokens have an environment: what lacks it passes.
        ("StringEqualsIfExists", "environment", json!("p"), &stranger, Some(true), "unsafe", Some("missing-sub")),
        ("ForAllValues:StringEquals", "environment", json!("p"), &stranger, Some(true), "unsafe", Some("missing-sub")),
        ("StringEquals", "environment", json!("p"), &same, Some(false), "unsafe", Some("missing-sub")),
        // Branches that differ in case are two.
        (
            "StringEqualsIgnoreCase",
            "sub",
            json!("REPO:O/R:ref:refs/heads/MAIN"),
            &same,
            Some(true),
            "weak",
            Some("case-ignored"),
        ),
        ("StringEqualsIgnoreCase", "sub", json!("repo:o/r:environment:P"), &same, Some(false), "safe", None),
        ("StringEqualsIgnoreCase", "sub", json!("foo"), &same, Some(false), "weak", Some("always-false")),
        ("StringNotEquals", "sub", json!(MAIN), &stranger, Some(true), "unsafe", Some("negative-only")),
        ("StringNotEquals", "sub", json!(MAIN), &same, Some(false), "unsafe", Some("negative-only")),
        ("StringNotLike", "sub", json!("repo:o/*"), &stranger, Some(true), "unsafe", Some("negative-only")),
        ("StringNotEqualsIgnoreCase", "sub", json!("x"), &same, Some(true), "unsafe", Some("negative-only")),
        ("Null", "sub", json!("false"), &same, Some(true), "unsafe", Some("missing-sub")),
        ("Null", "sub", json!("true"), &same, Some(false), "weak", Some("always-false")),
        ("Null", "environment", json!("true"), &same, Some(true), "unsafe", Some("missing-sub")),
        // Steps of a workflow, whoever calls it.
        ("StringEquals", "job_workflow_ref", json!(JWR), &stranger, Some(true), "weak", Some("job-workflow-ref")),
        ("StringEquals", "job_workflow_ref", json!(COMMIT), &same, Some(false), "weak", Some("job-workflow-ref")),
        ("StringEquals", "job_workflow_ref", json!("w.yml"), &same, Some(false), "weak", Some("always-false")),
        (
            "StringLike",
            "job_workflow_ref",
            json!("o/s/.github/workflows/*@refs/heads/main"),
            &stranger,
            Some(true),
            "weak",
            Some("job-workflow-ref"),
        ),
        (
            "StringLike",
            "job_workflow_ref",
            json!("o/s/.github/workflows/w.yml@*"),
            &stranger,
            Some(true),
            "unsafe",
            Some("wildcard-workflow"),
        ),
        ("StringLike", "job_workflow_ref", json!("o/*"), &stranger, Some(true), "unsafe", Some("wildcard-workflow")),
        ("StringLike", "job_workflow_ref", json!("*"), &stranger, Some(true), "unsafe", Some("missing-sub")),
        // Numbers are texts that are written in one way; their order is not understood.
        ("StringEquals", "repository_id", json!("7"), &stranger, Some(false), "weak", Some("repo-wide")),
        ("NumericEquals", "repository_id", json!("7"), &same, Some(true), "weak", Some("repo-wide")),
        ("StringEquals", "repository_id", json!("o/r"), &same, Some(false), "weak", Some("always-false")),
        ("StringEquals", "ref", json!("main"), &same, Some(false), "weak", Some("always-false")),
        ("NumericLessThan", "repository_id", json!("9"), &same, Some(true), "null", Some("not-understood")),
        // A subject is no name of AWS, no address and no time.
        ("ArnLike", "sub", json!("*"), &same, Some(false), "weak", Some("always-false")),
        ("IpAddress", "sub", json!("203.0.113.0/24"), &same, Some(false), "weak", Some("always-false")),
        ("DateLessThan", "sub", json!("2030-01-01"), &same, Some(false), "weak", Some("always-false")),
        ("StringEquals", "aud", json!("sts.amazonaws.com"), &stranger, Some(true), "unsafe", Some("missing-sub")),
    ] {
        let condition = json!({ operator: { format!("{HOST}:{claim}"): value } });
        let said = answer(&json!({ "platform": "aws", "issuer": format!("https://{HOST}"), "claims": with(token),
            "condition": condition }));
        assert_eq!(said["match"], json!(matched), "{condition}: {said}");
        let graded = (said["grade"].as_str().unwrap_or("null"), said["pattern"].as_str());
        assert_eq!(graded, (grade, pattern), "{condition}: {said}");
        assert_eq!(said["reason"] == "", pattern.is_none(), "{condition}: {said}");
    }
}

#[test]
fn tests_of_one_claim_count_together() {
    const MAIN: &str = "repo:o/r:ref:refs/heads/main";
    let key = |claim: &str| format!("{HOST}:{claim}");
    for (condition, grade, pattern) in [
        (
            json!({ "StringEquals": { key("sub"): MAIN }, "StringLike": { key("sub"): "repo:p/*" } }),
            "weak",
            Some("always-false"),
        ),
        (json!({ "StringEquals": { key("sub"): MAIN }, "StringLike": { key("sub"): "repo:o/*" } }), "safe", None),
        // What is demanded strictly beside it makes the laxer one harmless, and so does that the key is there.
        (
            json!({ "StringEquals": { key("sub"): MAIN }, "StringLikeIfExists": { key("sub"): "repo:o/*" } }),
            "safe",
            None,
        ),
        (json!({ "ForAllValues:StringEquals": { key("sub"): MAIN }, "Null": { key("sub"): "false" } }), "safe", None),
        // Both have to hold, and one of them never does.
        (json!({ "StringEquals": { key("sub"): MAIN, "gitlab.com:sub": MAIN } }), "weak", Some("always-false")),
        (
            json!({ "StringEquals": { key("sub"): MAIN }, "Null": { "gitlab.com:sub": "false" } }),
            "weak",
            Some("always-false"),
        ),
    ] {
        let said = answer(&json!({ "platform": "aws", "issuer": format!("https://{HOST}"), "subject": MAIN,
            "condition": condition }));
        assert_eq!(
            (said["grade"].as_str().unwrap(), said["pattern"].as_str()),
            (grade, pattern),
            "{condition}: {said}"
        );
        assert_eq!(said["match"], json!(pattern.is_none()), "{condition}: {said}");
    }
}

#[test]
fn the_condition_tells_whose_tokens_it_is_for_where_the_line_does_not() {
    let said = answer(&json!({ "platform": "aws", "subject": "foo",
        "condition": { "StringEquals": { format!("{HOST}:sub"): "foo" } } }));
    assert_eq!((&said["match"], &said["pattern"]), (&json!(false), &json!("always-false")), "{said}");
    let statement = |host: &str, rest: Value| {
        let mut statement = json!({ "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": { "Federated": format!("arn:aws:iam::111122223333:oidc-provider/{host}") } });
        statement.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        statement
    };
    let subject = "repo:o/r:environment:p";
    let own = statement(HOST, json!({ "Condition": { "StringEquals": { format!("{HOST}:sub"): subject } } }));
    // Who comes through another provider is another one.
    let policy = json!({ "Version": "2012-10-17", "Statement": [own, statement("gitlab.com", json!({}))] });
    let said = answer(
        &json!({ "platform": "aws", "issuer": format!("https://{HOST}"), "subject": subject, "condition": policy }),
    );
    assert_eq!((&said["match"], &said["grade"]), (&json!(true), &json!("safe")), "{said}");
}

#[test]
fn keys_of_one_issuer_are_in_no_token_of_another() {
    for (issuer, matched, pattern) in [("github", true, Value::Null), ("gitlab", false, json!("always-false"))] {
        let subject = "repo:o/r:ref:refs/heads/main";
        let answer = answer(&json!({ "platform": "aws", "issuer": issuer, "subject": subject,
            "condition": { "StringEquals": { format!("{HOST}:sub"): subject } } }));
        assert_eq!((&answer["match"], &answer["pattern"]), (&json!(matched), &pattern), "{issuer}");
    }
}

#[test]
fn a_whole_trust_policy_counts_with_its_denies_and_its_principals() {
    let provider = |host: &str| json!({ "Federated": format!("arn:aws:iam::111122223333:oidc-provider/{host}") });
    let statement = |effect: &str, host: &str, subject: &str| {
        json!({ "Effect": effect, "Principal": provider(host), "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringLike": { format!("{host}:sub"): subject } } })
    };
    let asked = |statements: Value| {
        answer(&json!({ "platform": "aws", "issuer": format!("https://{HOST}"), "subject": "repo:o/r:environment:p",
            "condition": { "Version": "2012-10-17", "Statement": statements } }))
    };
    let allow = statement("Allow", HOST, "repo:o/r:environment:p");
    assert_eq!(asked(json!([allow])), answer_of(true, "safe"));
    assert_eq!(asked(json!([allow, statement("Deny", HOST, "repo:o/*")]))["match"], false);
    assert_eq!(asked(json!([statement("Allow", "gitlab.com", "*")]))["match"], false);
    let other = json!({ "Effect": "Allow", "Principal": provider(HOST), "Action": "sts:TagSession" });
    assert_eq!(asked(json!([other]))["match"], false);
}

#[test]
fn a_deny_counts_in_the_grade_where_it_is_shown_to_take_the_weak_subjects_away() {
    const MAIN: &str = "repo:o/deploy:ref:refs/heads/main";
    let key = |claim: &str| format!("{HOST}:{claim}");
    let provider = |host: &str| json!({ "Federated": format!("arn:aws:iam::111122223333:oidc-provider/{host}") });
    let deny =
        |condition: Value| json!({ "Effect": "Deny", "Principal": "*", "Action": "sts:*", "Condition": condition });
    let with = |statement: Value, name: &str, value: Value| {
        let mut statement = statement;
        statement[name] = value;
        statement
    };
    let (all, one) = (json!("repo:o/*"), json!("repo:o/deploy:*"));
    let but_main = json!({ "StringNotLike": { key("sub"): MAIN } });
    let proposed = json!({ "StringLike": { key("sub"): "repo:o/deploy:pull_request" } });
    let elsewhere = json!({ "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } });
    for (allowed, mut denied, grade, pattern, cited) in [
        (&all, deny(but_main.clone()), "safe", None, false),
        (&all, deny(json!({ "StringNotLikeIfExists": { key("sub"): MAIN } })), "safe", None, false),
        (&all, deny(json!({ "ForAnyValue:StringNotLike": { key("sub"): MAIN } })), "safe", None, false),
        (&all, deny(json!({ "StringNotLike": { key("sub"): "repo:o/deploy:*" } })), "unsafe", Some("repo-wide"), false),
        (&one, deny(json!({ "StringNotEquals": { key("environment"): "p" } })), "safe", None, false),
        (&one, deny(proposed.clone()), "weak", Some("wildcard-ref"), false),
        (&one, deny(json!({ "StringLike": { key("sub"): "*:pull_request" } })), "weak", Some("wildcard-ref"), false),
        (&json!([MAIN, "repo:o/deploy:pull_request"]), deny(proposed.clone()), "safe", None, false),
        (&all, with(deny(but_main.clone()), "Principal", provider(HOST)), "safe", None, false),
        (&all, with(deny(json!({})), "NotPrincipal", provider("gitlab.com")), "weak", Some("always-false"), false),
        // These leave what makes it weak, or may do so.
        (&all, deny(proposed.clone()), "unsafe", Some("org-wide"), false),
        (&one, deny(json!({ "StringEquals": { key("sub"): "repo:o/deploy:*" } })), "unsafe", Some("repo-wide"), false),
        (
            &all,
            deny(json!({ "StringNotLike": { key("sub"): MAIN }, "StringNotEquals": { key("aud"): "x" } })),
            "unsafe",
            Some("org-wide"),
            false,
        ),
        (
            &all,
            deny(json!({ "StringNotLike": { key("sub"): MAIN }, "IpAddress": elsewhere["IpAddress"] })),
            "unsafe",
            Some("org-wide"),
            true,
        ),
        (&all, deny(elsewhere), "unsafe", Some("org-wide"), true),
        (
            &one,
            deny(json!({ "ForAnyValue:StringNotEquals": { key("environment"): "p" } })),
            "unsafe",
            Some("repo-wide"),
            true,
        ),
        (
            &all,
            deny(json!({ "StringNotLike": { key("sub"): "repo:o/${aws:PrincipalTag/x}:*" } })),
            "unsafe",
            Some("org-wide"),
            true,
        ),
        (
            &one,
            deny(json!({ "StringEquals": { key("event_name"): "pull_request" } })),
            "unsafe",
            Some("repo-wide"),
            true,
        ),
        (&all, deny(json!({ "StringLike": { "gitlab.com:sub": "*" } })), "unsafe", Some("org-wide"), false),
        (&all, with(deny(but_main.clone()), "Principal", provider("gitlab.com")), "unsafe", Some("org-wide"), false),
        (&all, with(deny(but_main), "Action", json!("sts:TagSession")), "unsafe", Some("org-wide"), false),
    ] {
        if denied.get("NotPrincipal").is_some() {
            denied.as_object_mut().unwrap().remove("Principal");
        }
        let allow = json!({ "Effect": "Allow", "Principal": provider(HOST), "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringLike": { key("sub"): allowed } } });
        let said = answer(&json!({ "platform": "aws", "issuer": format!("https://{HOST}"), "subject": MAIN,
            "condition": { "Version": "2012-10-17", "Statement": [allow, denied] } }));
        let graded = (said["grade"].as_str().unwrap_or("null"), said["pattern"].as_str());
        assert_eq!(graded, (grade, pattern), "{denied}: {said}");
        assert_eq!(said["notes"].to_string().contains("`Deny "), cited, "{denied}: {said}");
    }
}

fn answer_of(matched: bool, grade: &str) -> Value {
    json!({ "match": matched, "grade": grade, "pattern": null, "reason": "", "patterns": ["environment-scoped", "missing-aud", "name-based"] })
}

#[test]
fn service_accounts_of_clusters_are_decided_alike() {
    let host = "oidc.eks.eu-west-1.amazonaws.com/id/0A1B";
    for (pattern, matched, grade) in [
        ("system:serviceaccount:shop:web", true, "safe"),
        ("system:serviceaccount:shop:*", true, "weak"),
        ("system:serviceaccount:*", true, "unsafe"),
        ("system:serviceaccount:other:web", false, "safe"),
    ] {
        let line = json!({ "platform": "aws", "issuer": format!("https://{host}"), "subject": "system:serviceaccount:shop:web",
            "condition": { "StringLike": { format!("{host}:sub"): pattern } } });
        let answer = answer(&line);
        assert_eq!((&answer["match"], &answer["grade"]), (&json!(matched), &json!(grade)), "{pattern}: {answer}");
    }
    // A provider of another cluster.
    let line = json!({ "platform": "aws", "issuer": "https://oidc.eks.eu-west-1.amazonaws.com/id/FFFF",
        "subject": "system:serviceaccount:shop:web",
        "condition": { "StringEquals": { format!("{host}:sub"): "system:serviceaccount:shop:web" } } });
    assert_eq!(answer(&line)["match"], false);
}

#[test]
fn a_bad_condition_is_refused_with_its_place() {
    for (condition, at) in [
        (json!({ "StringSoundsLike": { "a.b:sub": "x" } }), "/condition/StringSoundsLike"),
        (json!({ "StringEquals": "x" }), "/condition/StringEquals"),
        (json!("x"), "/condition"),
        (json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "allow" }] }), "/condition/Statement/0/Effect"),
    ] {
        let answer = answer(&json!({ "platform": "aws", "subject": "repo:o/r:x", "condition": condition }));
        assert_eq!(answer["at"], at, "{condition}: {answer}");
    }
}

#[test]
fn a_role_accepts_the_tokens_that_its_trust_policy_admits() {
    use evenhand_model::evidence::Truth;
    use evenhand_model::glob::Glob;
    use evenhand_model::token::Token;
    let trust = format!(
        r#"{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{HOST}"}},"Action":"sts:AssumeRoleWithWebIdentity",
        "Condition":{{"StringEquals":{{"{HOST}:aud":"sts.amazonaws.com"}},"StringLike":{{"{HOST}:sub":["repo:o/r:ref:refs/heads/main","repo:o/*"]}}}}}},
        {{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringLike":{{"{HOST}:sub":"repo:o/secret:*"}}}}}}"#
    );
    let read = super::read(&[("gaad.json", &super::details("", "", &super::role("r", &trust, ""), ""))]);
    let said: Vec<(&str, Truth, &str)> =
        read.inventory.acceptances.iter().map(|held| (&*held.issuer, held.weak, &*held.weakness)).collect();
    assert_eq!(said, [(HOST, Truth::Yes, "org-wide"), (HOST, Truth::No, "")]);
    let token = |issuer: &str, subject: Glob| {
        Token { issuer: Some(issuer.into()), ..Token::default() }.with_any("aud", Glob::Any).with_any("sub", subject)
    };
    for (issuer, subject, wide, tight) in [
        (HOST, "repo:o/r:ref:refs/heads/main", Truth::Yes, Truth::Yes),
        (HOST, "repo:o/r:ref:refs/heads/*", Truth::Yes, Truth::Yes),
        (HOST, "repo:o/x:pull_request", Truth::Yes, Truth::No),
        (HOST, "repo:o/secret:pull_request", Truth::No, Truth::No),
        (HOST, "repo:p/x:*", Truth::No, Truth::No),
        ("gitlab.com", "repo:o/r:ref:refs/heads/main", Truth::No, Truth::No),
    ] {
        let token = token(issuer, Glob::wildcard(subject));
        let admitted: Vec<Truth> =
            read.inventory.acceptances.iter().map(|held| held.condition.admits(&token)).collect();
        assert_eq!(admitted, [wide, tight], "{issuer} {subject}");
    }
}

#[test]
fn a_service_account_whose_issuer_is_not_known_fits_providers_of_clusters_alone() {
    use evenhand_model::evidence::Truth;
    use evenhand_model::token::Token;
    let host = "oidc.eks.eu-west-1.amazonaws.com/id/0A1B";
    let statement = |host: &str| {
        format!(
            r#"{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{host}"}},"Action":"sts:AssumeRoleWithWebIdentity",
            "Condition":{{"StringLike":{{"{host}:sub":"system:serviceaccount:shop:*"}}}}}}"#
        )
    };
    for (host, expected) in [(host, Truth::Yes), (HOST, Truth::No)] {
        let read = super::read(&[("gaad.json", &super::details("", "", &super::role("r", &statement(host), ""), ""))]);
        let token = Token::of_subject(None, "system:serviceaccount:shop:web");
        let [held] = read.inventory.acceptances.as_slice() else { panic!() };
        assert_eq!(held.condition.admits(&token), expected, "{host}");
    }
}

#[test]
fn a_deny_over_what_the_bearer_chooses_takes_certain_access_only_where_it_leaves_no_choice() {
    use evenhand_model::evidence::Truth;
    use evenhand_model::glob::Glob;
    use evenhand_model::token::Token;
    let provider = format!(r#"{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{HOST}"}}"#);
    for (denied, expected) in [
        ("repo:o/r:pull_request", Truth::Unknown),
        ("repo:o/r:ref:refs/heads/rel*", Truth::Unknown),
        ("repo:o/*", Truth::No),
        ("repo:p/*", Truth::Yes),
    ] {
        let statements = format!(
            r#"{{"Effect":"Allow","Principal":{provider},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringLike":{{"{HOST}:sub":"repo:o/*"}}}}}},
            {{"Effect":"Deny","Principal":"*","Action":"sts:*","Condition":{{"StringLike":{{"{HOST}:sub":"{denied}"}}}}}}"#
        );
        let read = super::read(&[("gaad.json", &super::details("", "", &super::role("r", &statements, ""), ""))]);
        let [held] = read.inventory.acceptances.as_slice() else { panic!() };
        let token = Token { issuer: Some(HOST.into()), ..Token::default() };
        let token = token.with_any("sub", Glob::wildcard("repo:o/r:*"));
        assert_eq!(held.condition.admits(&token), expected, "{denied}");
        assert_eq!(policy_admits(&statements, &token), expected, "{denied}");
    }
}

/// What a trust policy of these statements, given by itself, says of a token.
fn policy_admits(statements: &str, token: &evenhand_model::token::Token) -> evenhand_model::evidence::Truth {
    use evenhand_federation::{Issuer, Platform};
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Federation::default().understand(&policy, Issuer::GitHub).unwrap().admits(token).truth
}

#[test]
fn a_deny_to_everybody_but_a_provider_lets_its_tokens_in() {
    use evenhand_model::evidence::Truth;
    use evenhand_model::token::Token;
    let provider = |host: &str| format!(r#"{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{host}"}}"#);
    let deny = |rest: &str| format!(r#"{{"Effect":"Deny",{rest}}}"#);
    let web = r#""Action":"sts:AssumeRoleWithWebIdentity""#;
    for (second, expected) in [
        (deny(&format!(r#""NotPrincipal":{},{web}"#, provider(HOST))), Truth::Yes),
        (deny(&format!(r#""NotPrincipal":{},{web}"#, provider("gitlab.com"))), Truth::No),
        (deny(&format!(r#""NotPrincipal":{{"AWS":"111122223333"}},{web}"#)), Truth::No),
        (deny(r#""Principal":"*","Action":"sts:AssumeRole""#), Truth::Yes),
    ] {
        let statements = format!(
            r#"{{"Effect":"Allow","Principal":{},{web},"Condition":{{"StringLike":{{"{HOST}:sub":"repo:o/*"}}}}}},{second}"#,
            provider(HOST)
        );
        let read = super::read(&[("gaad.json", &super::details("", "", &super::role("r", &statements, ""), ""))]);
        let [held] = read.inventory.acceptances.as_slice() else { panic!() };
        let token = Token::of_subject(Some(HOST.into()), "repo:o/r:pull_request");
        assert_eq!(held.condition.admits(&token), expected, "{second}");
        assert_eq!(policy_admits(&statements, &token), expected, "{second}");
    }
}

#[test]
fn case_counts_in_what_the_bearer_chooses_only_where_the_operator_says_so() {
    use evenhand_model::evidence::Truth;
    use evenhand_model::glob::Glob;
    use evenhand_model::token::Token;
    for (operator, wanted, expected) in [
        ("StringEqualsIgnoreCase", "REPO:O/R:environment:Production", Truth::Yes),
        ("StringEqualsIgnoreCase", "REPO:O/X:environment:Production", Truth::No),
        ("StringEquals", "REPO:O/R:environment:Production", Truth::No),
    ] {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"{operator}":{{"{HOST}:sub":"{wanted}"}}}}}}"#
        );
        let token = Token { issuer: Some(HOST.into()), ..Token::default() };
        let token = token.with_any("sub", Glob::wildcard("repo:o/r:environment:pr*"));
        assert_eq!(policy_admits(&statement, &token), expected, "{operator} {wanted}");
    }
}

#[test]
fn issuers_without_a_table_of_their_own_give_the_standard_claims_alone() {
    for (host, subject, claim, matched) in [
        ("login.example.com", "ann", "sub", json!(true)),
        ("login.example.com", "ann", "team", json!(false)),
        // A server of one's own has no table, of whatever kind it is.
        ("gitlab.example.com", "project_path:g/p:ref_type:branch:ref:main", "team", json!(false)),
        ("gitlab.com", "project_path:g/p:ref_type:branch:ref:main", "project_id", json!(true)),
        ("gitlab.com", "project_path:g/p:ref_type:branch:ref:main", "team", Value::Null),
        ("accounts.google.com", "1", "team", Value::Null),
        // A key of another issuer is never there, whatever its table holds.
        ("login.example.com", "ann", "gitlab.com:team", json!(false)),
    ] {
        let claims = json!({ "sub": subject, "team": "x", "project_id": "x" });
        let wanted = if claim == "sub" { subject } else { "x" };
        let key = if claim.contains(':') { claim.to_owned() } else { format!("{host}:{claim}") };
        let condition = json!({ "StringEquals": { key: wanted } });
        let line =
            json!({ "platform": "aws", "issuer": format!("https://{host}"), "claims": claims, "condition": condition });
        let answer = answer(&line);
        assert_eq!(answer["match"], matched, "{host} {claim}: {answer}");
    }
}
