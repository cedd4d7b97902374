//! The language of conditions of Google Cloud: what is matched, graded and not understood.

use serde_json::{Value, json};

use super::answer;

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
fn a_dot_of_a_regular_expression_lets_in_the_names_that_fit_and_is_told() {
    for (condition, grade, pattern, open) in [
        ("assertion.sub.matches('^repo:o/a.b:ref:refs/heads/main$')", "unsafe", Some("wildcard-repo"), true),
        ("assertion.sub.matches('^repo:o.x/a:ref:refs/heads/main$')", "unsafe", Some("shared-issuer-spoof"), true),
        ("true && !assertion.sub.matches('o/a.b')", "unsafe", Some("negative-only"), true),
        (r"assertion.sub.matches(r'^repo:o/a\.b:ref:refs/heads/main$')", "safe", None, false),
        ("assertion.sub.matches('^repo:o/a[.]b:ref:refs/heads/main$')", "safe", None, false),
        ("assertion.sub.matches('^repo:o/r:ref:refs/heads/.*$')", "weak", Some("unprotected-branch"), false),
        // No workflow lies in another folder, or ends otherwise.
        (
            "assertion.repository_id == '7' && \
             assertion.job_workflow_ref.matches('^o/r/.github/workflows/w.yml@refs/heads/main$')",
            "weak",
            Some("proposals-call"),
            true,
        ),
        (
            "assertion.repository_id == '7' && \
             assertion.job_workflow_ref.matches('^o/r/.github/workflows/.*.yml@refs/heads/main$')",
            "weak",
            Some("unprotected-branch"),
            true,
        ),
    ] {
        let said = answer(&json!({ "platform": "gcp", "issuer": "github", "subject": "repo:o/r:pull_request",
            "condition": { "attributeCondition": condition } }))
        .unwrap();
        let graded = (said["grade"].as_str().unwrap_or("null"), said["pattern"].as_str());
        assert_eq!(graded, (grade, pattern), "{condition}: {said}");
        assert_eq!(said["notes"].to_string().contains("stands for any character"), open, "{condition}: {said}");
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
