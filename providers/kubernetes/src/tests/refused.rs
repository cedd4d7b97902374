//! Calls that a server refused, as its answer stands in a capture.

use evenhand_model::gap::GapKind;

use super::{document, read_all};

#[test]
fn the_answer_to_a_refused_call_is_a_gap_that_says_what_was_refused() {
    let refused = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"secrets is forbidden: User \"ann\" cannot list resource \"secrets\" in API group \"\"","reason":"Forbidden","details":{"kind":"secrets"},"code":403}"#;
    let unknown =
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too busy","code":503}"#;
    let done = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":200}"#;
    let account = r#"{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"a","namespace":"work"}}"#;
    let documents = vec![
        document("k8s/c/secrets.json", refused),
        document("k8s/c/busy.json", unknown),
        document("k8s/c/done.json", done),
        document("k8s/c/accounts.json", account),
    ];
    let (reading, errors) = read_all(documents, &[]);
    assert_eq!(errors, []);
    let gaps = &reading.inventory.gaps;
    let failed: Vec<(&str, &str, String)> = gaps
        .iter()
        .filter(|gap| gap.kind == GapKind::Failed)
        .map(|gap| (&*gap.call, &*gap.reason, gap.unknown()))
        .collect();
    let [busy, secrets] = failed.as_slice() else { panic!("{failed:?}") };
    assert_eq!(busy.0, "k8s/c/busy.json");
    assert!(busy.1.starts_with("the server answered with no objects (code 503): too busy; "), "{busy:?}");
    assert_eq!(secrets.0, "k8s/c/secrets.json");
    assert!(
        secrets.1.starts_with(
            "the server answered with no objects (Forbidden, code 403): secrets is forbidden: User \"ann\" cannot list"
        ),
        "{secrets:?}"
    );
    assert!(secrets.2.contains("tokens without expiry"), "{secrets:?}");
    assert!(!gaps.iter().any(|gap| gap.reason.contains("holds no Secret")), "it is said once");
}
