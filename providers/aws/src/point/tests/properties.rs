//! What must hold for any documents in any layers.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Ask, OBJECT, SESSION};

const ACTIONS: [&str; 5] = ["s3:GetObject", "s3:Get*", "s3:*", "*", "sqs:*"];
const RESOURCES: [&str; 4] = ["*", "arn:aws:s3:::b/*", "arn:aws:s3:::c/*", "arn:aws:s3:::${k}/*"];
const PRINCIPALS: [&str; 5] = [
    r#""*""#,
    r#"{"AWS":"111122223333"}"#,
    r#"{"AWS":"arn:aws:iam::111122223333:role/deploy"}"#,
    r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/deploy/s1"}"#,
    r#"{"AWS":"arn:aws:iam::111122223333:user/ann"}"#,
];
const CONDITIONS: [&str; 4] = [
    "{}",
    r#"{"StringEquals":{"k":"b"}}"#,
    r#"{"StringNotEquals":{"k":"b"}}"#,
    r#"{"Bool":{"aws:SecureTransport":"true"}}"#,
];

/// A statement that names principals, which are left out in layers without them.
fn statement() -> impl Strategy<Value = Value> {
    (
        prop::bool::weighted(0.75),
        (prop::sample::select(ACTIONS.to_vec()), prop::bool::weighted(0.85)),
        (prop::sample::select(RESOURCES.to_vec()), prop::bool::weighted(0.85)),
        (prop::sample::select(PRINCIPALS.to_vec()), prop::bool::weighted(0.9)),
        prop::sample::select(CONDITIONS.to_vec()),
    )
        .prop_map(|(allow, (action, in_actions), (resource, in_resources), (principal, in_principals), condition)| {
            json!({
                "Effect": if allow { "Allow" } else { "Deny" },
                (if in_actions { "Action" } else { "NotAction" }): action,
                (if in_resources { "Resource" } else { "NotResource" }): resource,
                (if in_principals { "Principal" } else { "NotPrincipal" }): serde_json::from_str::<Value>(principal).unwrap(),
                "Condition": serde_json::from_str::<Value>(condition).unwrap(),
            })
        })
}

/// Statements of every layer; `None` = the layer is not there.
type Documents = Vec<Option<Vec<Value>>>;

/// The layers that can hold a policy, in the order of [`Documents`].
const LAYERS: [&str; 8] = [
    "identity_policies",
    "permissions_boundaries",
    "session_policies",
    "endpoint_policies",
    "service_control_policies",
    "service_control_policies",
    "resource_control_policies",
    "resource_policy",
];

fn documents() -> impl Strategy<Value = Documents> {
    let everything = json!({ "Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*" });
    // Most limits allow everything before they deny something: else all is denied.
    let layer = (prop::collection::vec(statement(), 0..3), any::<bool>()).prop_map(move |(mut statements, open)| {
        if open {
            statements.push(everything.clone());
        }
        statements
    });
    prop::collection::vec(prop::option::weighted(0.5, layer), LAYERS.len())
}

/// A statement without the principals that its layer does not have.
fn in_layer(layer: &str, statement: &Value) -> String {
    let mut statement = statement.clone();
    if let Some(elements) = statement.as_object_mut()
        && !matches!(layer, "resource_policy" | "endpoint_policies")
    {
        elements.remove("NotPrincipal");
        elements.remove("Principal");
    }
    statement.to_string()
}

fn ask(documents: &Documents, home: bool, k: Option<&str>) -> Ask {
    let mut ask = Ask::new(SESSION, "s3:GetObject", OBJECT).owned_by(if home { "111122223333" } else { super::OTHER });
    for (layer, statements) in LAYERS.iter().zip(documents) {
        let Some(statements) = statements else { continue };
        let texts: Vec<String> = statements.iter().map(|statement| in_layer(layer, statement)).collect();
        let text = texts.join(",");
        ask = match *layer {
            "resource_policy" => ask.resource(&text),
            "service_control_policies" | "resource_control_policies" => ask.level(layer, Some(&text)),
            _ => ask.listed(layer, &text),
        };
    }
    match k {
        Some(k) => ask.context("k", json!(k)),
        None => ask,
    }
}

fn allowed(ask: &Ask) -> bool {
    ask.answer().unwrap()["decision"] == "allowed"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_grant_more_never_shrinks_access_and_a_deny_more_never_widens_it(
        documents in documents(),
        at in 0..LAYERS.len(),
        more in statement(),
        home in any::<bool>(),
        k in prop::option::of(prop::sample::select(vec!["b", "c"])),
    ) {
        let before = allowed(&ask(&documents, home, k));
        let with = |effect: &str| {
            let mut changed = documents.clone();
            if let Some(Some(statements)) = changed.get_mut(at) {
                let mut statement = more.clone();
                statement["Effect"] = json!(effect);
                statements.push(statement);
            }
            allowed(&ask(&changed, home, k))
        };
        prop_assert!(with("Allow") || !before, "an allow more takes away");
        prop_assert!(before || !with("Deny"), "a deny more gives");
        // Without any deny at all, no less is allowed.
        let undenied: Documents = documents
            .iter()
            .map(|layer| layer.as_ref().map(|layer| layer.iter().filter(|one| one["Effect"] == "Allow").cloned().collect()))
            .collect();
        prop_assert!(allowed(&ask(&undenied, home, k)) || !before, "a deny less takes away");
    }

    #[test]
    fn a_matching_deny_is_an_explicit_denial_and_nothing_else_is(
        documents in documents(),
        home in any::<bool>(),
        k in prop::option::of(prop::sample::select(vec!["b", "c"])),
    ) {
        let answer = ask(&documents, home, k).answer().unwrap();
        let denies = answer["matched"].as_array().unwrap().iter().any(|one| one["effect"] == "Deny");
        prop_assert_eq!(denies, answer["decision"] == "explicitly_denied");
        let blocked = !answer["blocked_by"].as_array().unwrap().is_empty();
        prop_assert_eq!(blocked, answer["decision"] != "allowed", "what is denied names a layer: {}", answer);
    }

    #[test]
    fn a_layer_that_allows_everything_changes_nothing(
        documents in documents(),
        at in 1..7_usize,
        home in any::<bool>(),
    ) {
        // A boundary makes denies by `NotPrincipal` hold for everybody.
        let named = |one: &Value| one.get("NotPrincipal").is_none();
        let mut without: Documents = documents
            .into_iter()
            .map(|layer| layer.map(|layer| layer.into_iter().filter(named).collect()))
            .collect();
        without[at] = None;
        let before = ask(&without, home, None).answer().unwrap();
        let mut open = without;
        open[at] = Some(vec![json!({ "Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*" })]);
        let after = ask(&open, home, None).answer().unwrap();
        prop_assert_eq!(&before["decision"], &after["decision"]);
        prop_assert_eq!(&before["blocked_by"], &after["blocked_by"]);
    }
}
