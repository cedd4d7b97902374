use super::*;

fn token() -> Token {
    let claims = serde_json::json!({
        "sub": "repo:o/r:ref:refs/heads/main", "repository": "o/r", "repository_id": "7", "runner_id": 3,
        "groups": ["a", "b"], "kubernetes.io": { "namespace": "shop" },
    });
    let claims = claims.as_object().unwrap().iter();
    let claim = |(name, value): (&String, &serde_json::Value)| {
        (std::sync::Arc::from(name.as_str()), evenhand_model::token::Claim::Value(value.clone()))
    };
    Token { issuer: None, claims: claims.map(claim).collect(), whole: true }
}

fn admits(condition: &serde_json::Value, token: &Token) -> Admitted {
    Gcp.understand(&condition.to_string(), Issuer::GitHub).unwrap().admits(token)
}

#[test]
fn conditions_hold_as_the_language_says() {
    let whole = token();
    for (condition, expected) in [
        ("assertion.repository == 'o/r'", true),
        ("'o/r' == assertion['repository']", true),
        ("assertion.repository_id == 7", false),
        ("assertion.repository_id != 7", true),
        ("assertion.runner_id == 3", true),
        ("assertion.runner_id == 3.0", true),
        ("assertion.missing == 'x'", false),
        ("assertion.missing != 'x'", false),
        ("assertion.missing == 'x' || true", true),
        ("true || assertion.missing == 'x'", true),
        ("assertion.missing == 'x' && false || true", true),
        ("!(assertion.repository == 'x')", true),
        ("has(assertion.missing)", false),
        ("!has(assertion.missing) && has(assertion.sub)", true),
        ("assertion.repository in ['x', \"o/r\"]", true),
        ("'b' in assertion.groups", true),
        ("assertion.sub.startsWith('repo:o/') && assertion.sub.endsWith('main')", true),
        ("assertion.sub.matches('^ref')", false),
        ("assertion.sub.matches('heads/ma.n$')", true),
        ("assertion.sub.contains(r'refs/heads')", true),
        ("size(assertion.groups) == 2 && assertion.groups.size() > 1", true),
        ("assertion['kubernetes.io'].namespace == 'shop'", true),
        ("assertion.sub.extract('repo:{x}:ref') == 'o/r'", true),
        ("(assertion.repository == 'o/r' ? assertion.repository_id : 'none') == '7'", true),
        ("assertion.repository + ':' + assertion.repository_id == 'o/r:7'", true),
        ("'unterminated' < assertion.repository", false),
        ("assertion.repository", false),
    ] {
        let condition = serde_json::json!({ "attributeCondition": condition });
        assert_eq!(admits(&condition, &whole).truth, Truth::from(expected), "{condition}");
    }
}

#[test]
fn claims_that_are_not_known_leave_the_answer_open() {
    let some = Token { whole: false, ..token() };
    let of = |condition: &str| admits(&serde_json::json!({ "attributeCondition": condition }), &some);
    let open = of("assertion.ref == 'x' && assertion.actor == 'y'");
    assert_eq!((open.truth, open.open.len()), (Truth::Unknown, 2));
    assert_eq!(of("assertion.ref == 'x' && assertion.repository == 'x'").truth, Truth::No);
    assert_eq!(of("assertion.ref == 'x' || assertion.repository == 'o/r'").truth, Truth::Yes);
}

#[test]
fn a_binding_is_on_what_is_mapped() {
    const POOL: &str = "iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p";
    let mapping = serde_json::json!({
        "google.subject": "assertion.sub", "attribute.repository": "assertion.repository",
        "google.groups": "assertion.groups",
    });
    for (member, expected) in [
        (format!("principalSet://{POOL}/attribute.repository/o/r"), true),
        (format!("principalSet://{POOL}/attribute.repository/o/x"), false),
        (format!("principal://{POOL}/subject/repo:o/r:ref:refs/heads/main"), true),
        (format!("principalSet://{POOL}/group/b"), true),
        (format!("principalSet://{POOL}/*"), true),
    ] {
        let condition = serde_json::json!({ "attributeMapping": mapping, "member": member });
        assert_eq!(admits(&condition, &token()).truth, Truth::from(expected), "{member}");
    }
    let on_attribute = serde_json::json!({
        "attributeMapping": mapping, "attributeCondition": "attribute.repository == 'o/r' && google.subject != ''",
    });
    assert_eq!(admits(&on_attribute, &token()).truth, Truth::Yes);
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    for (condition, at) in [
        (serde_json::json!({ "attributeCondition": "assertion.sub ==" }), "/attributeCondition"),
        (serde_json::json!({ "attributeCondition": "assertion.sub = 'x'" }), "/attributeCondition"),
        (serde_json::json!({ "attributeCondition": "assertion.sub.revers()" }), "/attributeCondition"),
        (serde_json::json!({ "attributeCondition": "assertion.sub.matches('(')" }), "/attributeCondition"),
        (serde_json::json!({ "attributeCondition": "assertion.sub == 'x" }), "/attributeCondition"),
        (serde_json::json!({ "attributeCondition": "(".repeat(500) }), "/attributeCondition"),
        (serde_json::json!({ "attributeCondition": "!".repeat(500) }), "/attributeCondition"),
        (serde_json::json!({ "attributeMapping": { "subject": "x" } }), "/attributeMapping/subject"),
        (serde_json::json!({ "member": "user:ann@example.com" }), "/member"),
        (serde_json::json!({ "atributeCondition": "true" }), "/atributeCondition"),
    ] {
        let refusal = Gcp.understand(&condition.to_string(), Issuer::GitHub).err().unwrap();
        assert_eq!(refusal.at, at, "{condition}: {}", refusal.message);
    }
}
