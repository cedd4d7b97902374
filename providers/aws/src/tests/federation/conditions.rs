//! What a condition is said to let in, and how tightly.

use evenhand_federation::decide::Decider;
use serde_json::{Value, json};

use super::HOST;
use crate::Federation;

fn answer(line: &Value) -> Value {
    let decider = Decider::new(Box::new(Federation::default()));
    match decider.answer(&line.to_string()) {
        Ok(answer) => serde_json::to_value(answer).unwrap(),
        Err(refusal) => json!({ "at": refusal.at, "message": refusal.message }),
    }
}

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
        (
            "StringLike",
            "sub",
            json!("repo:o/r:environment:${$}*"),
            &same,
            Some(false),
            "unsafe",
            Some("wildcard-environment"),
        ),
        ("StringLike", "sub", json!("repo:o/r:${aws:PrincipalTag/x}"), &same, None, "unsafe", Some("repo-wide")),
        (
            "StringEquals",
            "sub",
            json!("repo:o/r:ref:${aws:PrincipalTag/x}"),
            &same,
            None,
            "unsafe",
            Some("pull-request"),
        ),
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
fn a_key_of_another_host_than_the_providers_is_in_none_of_its_tokens() {
    const MAIN: &str = "repo:o/r:ref:refs/heads/main";
    const CLUSTER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/0A";
    const OTHER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/0B:sub";
    const POD: &str = "system:serviceaccount:shop:web";
    for (host, token, key, wanted) in [
        (HOST, "repo:evil/x:pull_request", "token.action.githubusercontent.com:sub", MAIN),
        (HOST, "repo:evil/x:pull_request", "gitlab.com:sub", "project_path:g/p:ref_type:branch:ref:main"),
        (CLUSTER, "system:serviceaccount:evil:evil", OTHER, POD),
    ] {
        for test in [
            json!({ "StringEqualsIfExists": { key: wanted } }),
            json!({ "ForAllValues:StringLike": { key: wanted } }),
            json!({ "Null": { key: "true" } }),
        ] {
            let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
                "Principal": { "Federated": format!("arn:aws:iam::111122223333:oidc-provider/{host}") },
                "Action": "sts:AssumeRoleWithWebIdentity", "Condition": test }] });
            for condition in [&policy, &test] {
                let said = answer(&json!({ "platform": "aws", "issuer": format!("https://{host}"),
                    "subject": token, "condition": condition }));
                assert_eq!(
                    (&said["match"], &said["grade"], &said["pattern"]),
                    (&json!(true), &json!("unsafe"), &json!("missing-sub")),
                    "{condition}: {said}"
                );
            }
        }
    }
    // Of a key that is not there no value differs.
    for (operator, matched, pattern) in [
        ("ForAnyValue:StringNotEquals", false, "always-false"),
        ("ForAnyValue:StringNotEqualsIfExists", true, "missing-sub"),
        ("StringNotEquals", true, "missing-sub"),
    ] {
        for issuer in ["github".to_owned(), format!("https://{HOST}")] {
            let said = answer(&json!({ "platform": "aws", "issuer": issuer, "subject": MAIN,
                "condition": { operator: { "token.action.githubusercontent.com:sub": "repo:o/x:*" } } }));
            assert_eq!((&said["match"], &said["pattern"]), (&json!(matched), &json!(pattern)), "{operator}: {said}");
        }
    }
    // What is demanded beside it stands.
    let said = answer(&json!({ "platform": "aws", "issuer": format!("https://{HOST}"), "subject": MAIN, "condition": {
        "StringEquals": { format!("{HOST}:sub"): MAIN }, "Null": { "auth.example.com:sub": "true" } } }));
    assert_eq!((&said["match"], &said["grade"]), (&json!(true), &json!("safe")), "{said}");
}

#[test]
fn an_issuer_that_is_told_by_its_name_or_its_subjects_has_the_keys_of_its_own_hosts() {
    const TYPO: &str = "token.action.githubusercontent.com:sub";
    const MAIN: &str = "repo:o/r:ref:refs/heads/main";
    const OWN: &str = "git.example.com:sub";
    const PROJECT: &str = "project_path:g/p:ref_type:branch:ref:main";
    let (evil, other) = ("repo:evil/x:pull_request", "project_path:evil/x:ref_type:branch:ref:main");
    for (issuer, subject, condition, matched, grade, pattern) in [
        ("github", evil, json!({ "StringEqualsIfExists": { TYPO: MAIN } }), Some(true), "unsafe", "missing-sub"),
        ("github", evil, json!({ "ForAllValues:StringLike": { TYPO: MAIN } }), Some(true), "unsafe", "missing-sub"),
        ("github", evil, json!({ "Null": { TYPO: "true" } }), Some(true), "unsafe", "missing-sub"),
        ("github", MAIN, json!({ "StringEquals": { TYPO: MAIN } }), Some(false), "weak", "always-false"),
        (
            "github",
            evil,
            json!({ "StringEqualsIfExists": { "ghe.example.com/_services/token:sub": MAIN } }),
            Some(false),
            "weak",
            "passes-when-absent",
        ),
        // A server of one's own is at any host.
        ("gitlab", other, json!({ "StringEqualsIfExists": { OWN: PROJECT } }), None, "unsafe", "missing-sub"),
        ("gitlab", PROJECT, json!({ "StringEqualsIfExists": { OWN: PROJECT } }), Some(true), "unsafe", "missing-sub"),
        ("gitlab", other, json!({ "Null": { OWN: "true" } }), None, "unsafe", "missing-sub"),
        ("gitlab", PROJECT, json!({ "StringEquals": { OWN: PROJECT } }), None, "weak", "name-based"),
        ("gitlab", other, json!({ "StringEquals": { OWN: PROJECT } }), Some(false), "weak", "name-based"),
    ] {
        for named in [true, false] {
            let mut line = json!({ "platform": "aws", "subject": subject, "condition": condition });
            if named {
                line["issuer"] = json!(issuer);
            }
            let said = answer(&line);
            assert_eq!(
                (&said["match"], &said["grade"], &said["pattern"]),
                (&json!(matched), &json!(grade), &json!(pattern)),
                "{line}: {said}"
            );
            assert_eq!(said["open"].is_array(), matched.is_none(), "{line}: {said}");
        }
    }
}

#[test]
fn each_provider_of_a_statement_counts_with_its_own_keys() {
    const OWN: &str = "gitlab.example.com";
    const MAIN: &str = "repo:o/r:ref:refs/heads/main";
    const PROJECT: &str = "project_path:g/p:ref_type:branch:ref:main";
    let names: Vec<String> =
        [HOST, OWN].iter().map(|host| format!("arn:aws:iam::111122223333:oidc-provider/{host}")).collect();
    let allow = |condition: Value| {
        json!({ "Effect": "Allow", "Principal": { "Federated": names }, "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition })
    };
    let asked = |issuer: &str, subject: &str, statements: Value| {
        let said = answer(&json!({ "platform": "aws", "issuer": issuer, "subject": subject,
            "condition": { "Version": "2012-10-17", "Statement": statements } }));
        (
            said["match"].as_bool(),
            said["grade"].as_str().map(str::to_owned),
            said["pattern"].as_str().map(str::to_owned),
        )
    };
    let expected = |matched: bool, grade: &str, pattern: Option<&str>| {
        (Some(matched), Some(grade.to_owned()), pattern.map(str::to_owned))
    };
    let each = json!({ format!("{HOST}:sub"): MAIN, format!("{OWN}:sub"): PROJECT });
    let each = allow(json!({ "StringEqualsIfExists": each }));
    let github = format!("https://{HOST}");
    for issuer in [&*github, "github"] {
        assert_eq!(asked(issuer, MAIN, json!([each])), expected(true, "weak", Some("passes-when-absent")), "{issuer}");
        assert_eq!(asked(issuer, "repo:p/x:pull_request", json!([each])).0, Some(false), "{issuer}");
    }
    let gitlab = format!("https://{OWN}");
    assert_eq!(asked(&gitlab, PROJECT, json!([each])), expected(true, "weak", Some("name-based")));
    // What is denied counts for the provider that the token comes through.
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "sts:*",
        "Condition": { "StringNotLike": { format!("{HOST}:sub"): MAIN } } });
    let wide = allow(json!({ "StringLike": { format!("{HOST}:sub"): "repo:o/*" } }));
    assert_eq!(asked(&github, MAIN, json!([wide, deny])), expected(true, "safe", None));
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
        // It spares the branch `MAIN` too, where nothing else names one; environments do not differ by their case.
        (&one, deny(json!({ "StringNotEqualsIgnoreCase": { key("sub"): MAIN } })), "weak", Some("case-ignored"), false),
        (&json!([MAIN]), deny(json!({ "StringNotEqualsIgnoreCase": { key("sub"): MAIN } })), "safe", None, false),
        (
            &one,
            deny(json!({ "StringNotEqualsIgnoreCase": { key("sub"): "repo:o/deploy:environment:p" } })),
            "safe",
            None,
            false,
        ),
        (&all, deny(json!({ "ForAnyValue:StringNotLike": { key("sub"): MAIN } })), "safe", None, false),
        (&all, deny(json!({ "StringNotLike": { key("sub"): "repo:o/deploy:*" } })), "unsafe", Some("repo-wide"), false),
        (&one, deny(json!({ "StringNotEquals": { key("environment"): "p" } })), "safe", None, false),
        // A proposal names an environment, and its reviews have its reference in the subject.
        (&one, deny(proposed.clone()), "unsafe", Some("wildcard-environment"), false),
        (
            &one,
            deny(json!({ "StringLike": { key("sub"): ["*:pull_request", "*:environment:*"] } })),
            "unsafe",
            Some("pull-request"),
            false,
        ),
        (
            &one,
            deny(json!({ "StringNotLike": { key("environment"): "*" } })),
            "unsafe",
            Some("wildcard-environment"),
            false,
        ),
        (&json!([MAIN, "repo:o/deploy:pull_request"]), deny(proposed.clone()), "safe", None, false),
        (
            &json!([MAIN, "repo:o/deploy:pull_request"]),
            deny(json!({ "StringEqualsIgnoreCase": { key("sub"): "repo:O/Deploy:PULL_REQUEST" } })),
            "safe",
            None,
            false,
        ),
        (&all, with(deny(but_main.clone()), "Principal", provider(HOST)), "safe", None, false),
        (&all, with(deny(json!({})), "NotPrincipal", provider("gitlab.com")), "weak", Some("always-false"), false),
        // Whatever is proposed runs at such a reference, in an environment too, until it is merged.
        (&one, deny(json!({ "StringLike": { key("ref"): "refs/pull/*" } })), "weak", Some("wildcard-ref"), false),
        (&one, deny(json!({ "StringLike": { key("ref"): "*/merge" } })), "weak", Some("wildcard-ref"), false),
        (
            &json!("repo:o/deploy:environment:*"),
            deny(json!({ "StringLike": { key("ref"): "refs/pull/*" } })),
            "weak",
            Some("wildcard-environment"),
            false,
        ),
        (&all, deny(json!({ "StringLike": { key("ref"): "refs/pull/*" } })), "unsafe", Some("org-wide"), false),
        (
            &json!("repo:o/deploy:pull_request"),
            deny(json!({ "StringLike": { key("ref"): "refs/pull/*" } })),
            "unsafe",
            Some("pull-request"),
            false,
        ),
        (
            &one,
            deny(json!({ "StringEquals": { key("ref"): "refs/pull/7/merge" } })),
            "unsafe",
            Some("repo-wide"),
            false,
        ),
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

#[test]
fn a_token_of_a_form_of_its_own_is_admitted_where_every_known_context_is_denied() {
    let of = |effect: &str, patterns: Value| {
        json!({ "Effect": effect, "Principal": "*", "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringLike": { format!("{HOST}:sub"): patterns } } })
    };
    let policy = json!({ "Version": "2012-10-17", "Statement": [of("Allow", json!("repo:o/r:*")),
        of("Deny", json!(["*:pull_request", "*:ref:*", "*:environment:*"]))] });
    for (subject, matched) in [("repo:o/r:workflow:deploy", true), ("repo:o/r:pull_request", false)] {
        let said = answer(&json!({ "platform": "aws", "issuer": format!("https://{HOST}"), "subject": subject,
            "condition": policy }));
        assert_eq!((&said["match"], &said["pattern"]), (&json!(matched), &json!("repo-wide")), "{subject}: {said}");
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
