//! Whether a token fits: what no token of an issuer is like, and what is not known of this one.

use serde_json::{Value, json};

use super::answer;

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
