//! What must hold for any policies.

use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::access::{AccessResolver, Outcome, Request};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::IdentityId;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Resolver;
use crate::catalog::Catalogue;
use crate::escalation::{Choice, condition};
use crate::policy::{PolicyRole, arn};
use crate::world::{AccountId, AccountLimits, Principal, PrincipalKind, World};

const ACTIONS: [&str; 8] =
    ["s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*", "s3:ListAllMyBuckets", "sqs:SendMessage", "*", "iam:?etRole"];
const RESOURCES: [&str; 9] = [
    "*",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a/x",
    "arn:aws:s3:::*/x",
    "arn:aws:sqs:*:*:a*",
    "arn:aws:s3:::${aws:username}/*",
    "arn:aws:s3",
    "arn:aws:iam::111111111111:role/a",
    "arn:*:*:*:*:a/x",
];
const CONDITIONS: [&str; 6] = [
    r#"{}"#,
    r#"{"StringEquals":{"aws:username":"a"}}"#,
    r#"{"StringEquals":{"aws:username":"b"}}"#,
    r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
    r#"{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}"#,
    r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/a"}}"#,
];
const NAMES: [&str; 6] = [
    "arn:aws:s3:::a/x",
    "arn:aws:s3:::b/x",
    "arn:aws:s3:::a/y",
    "arn:aws:sqs:eu-west-1:111111111111:a",
    "arn:aws:iam::111111111111:role/a",
    "arn:aws:s3:::a",
];
const ASKED: [&str; 6] =
    ["s3:GetObject", "s3:PutObject", "sqs:SendMessage", "iam:GetRole", "s3:GetBucketPolicy", "s3:ListBucket"];

fn statement() -> impl Strategy<Value = Value> {
    (
        prop::bool::weighted(0.7),
        prop::sample::subsequence(ACTIONS.to_vec(), 1..3),
        prop::bool::weighted(0.8),
        prop::sample::subsequence(RESOURCES.to_vec(), 1..3),
        prop::bool::weighted(0.8),
        prop::sample::select(CONDITIONS.to_vec()),
    )
        .prop_map(|(allow, actions, plain_actions, resources, plain_resources, condition)| {
            let mut statement = json!({ "Effect": if allow { "Allow" } else { "Deny" } });
            statement[if plain_actions { "Action" } else { "NotAction" }] = json!(actions);
            statement[if plain_resources { "Resource" } else { "NotResource" }] = json!(resources);
            statement["Condition"] = serde_json::from_str(condition).unwrap();
            statement
        })
}

fn policy() -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(), 1..4).prop_map(policy_of)
}

fn policy_of(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

const WHO: &str = "arn:aws:iam::111111111111:user/a";

fn resolver(identity: &[Value], boundary: Option<&Value>, control: Option<&Value>) -> Resolver {
    let mut world = World::default();
    let account = AccountId("111111111111".into());
    let mut add =
        |role, document: &Value| world.policies.add("p".into(), role, &document.to_string(), Evidence::whole("case"));
    let identity_policies = identity.iter().map(|document| add(PolicyRole::Identity, document)).collect();
    let boundary = boundary.map_or(Fact::Absent, |document| Fact::Known(add(PolicyRole::Identity, document)));
    let service_control =
        control.map_or(Fact::Absent, |document| Fact::Known(vec![vec![add(PolicyRole::ServiceControl, document)]]));
    let id = IdentityId::from(WHO);
    world.principals.insert(
        id.clone(),
        Principal {
            id,
            account: account.clone(),
            kind: PrincipalKind::User,
            name: Arc::from("a"),
            identity_policies,
            boundary,
            unread_boundary: None,
            trust: None,
            missing: Vec::new(),
            tags: Some(Default::default()),
            service_linked: false,
            instance_profiles: Vec::new(),
            groups: Vec::new(),
            managed_policies: Vec::new(),
            password: Fact::Unknown,
            access_keys: Fact::Unknown,
        },
    );
    world.limits.insert(account, AccountLimits { service_control, resource_control: Fact::Absent });
    world.policies.compile();
    Resolver::new(world, "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap())
}

/// Whether the point decision allows, may allow, or does not.
fn point(resolver: &Resolver, action: &str, resource: &str) -> Truth {
    let request = Request {
        identity: WHO.to_owned(),
        operation: action.to_owned(),
        resource: Some(resource.to_owned()),
        context: Default::default(),
    };
    match resolver.decide(&IdentityId::from(WHO), &request).unwrap().outcome {
        Outcome::Allowed => Truth::Yes,
        Outcome::Conditional => Truth::Unknown,
        Outcome::ImplicitlyDenied | Outcome::ExplicitlyDenied => Truth::No,
        Outcome::Unknown => Truth::Unknown,
    }
}

/// What enumeration says of the same request.
fn enumerated(resolver: &Resolver, action: &str, resource: &str) -> Truth {
    let operation = Catalogue::global().operation(action).unwrap();
    let segments = arn::split(resource).unwrap();
    let nothing = crate::policy::context::Partial::default();
    let access = resolver.access(&IdentityId::from(WHO)).unwrap();
    access.slices.iter().filter(|slice| slice.operations.contains(operation)).fold(Truth::No, |some, slice| {
        let held = slice.scope.matches(&segments);
        let condition = condition(&slice.condition, Some(&segments), &nothing, Choice::Nobodys);
        some.or(held.and(condition))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn point_decision_and_enumeration_agree(
        identity in prop::collection::vec(policy(), 1..3),
        boundary in prop::option::weighted(0.3, policy()),
        control in prop::option::weighted(0.3, policy()),
    ) {
        let resolver = resolver(&identity, boundary.as_ref(), control.as_ref());
        for action in ASKED {
            for resource in NAMES {
                let (point, enumerated) = (point(&resolver, action, resource), enumerated(&resolver, action, resource));
                // Contradictory conditions on unknown keys are conditional in one and impossible in neither.
                prop_assert_eq!(point, enumerated, "{} on {}", action, resource);
            }
        }
    }

    #[test]
    fn deny_beats_allow_and_an_allow_never_takes_away(
        identity in prop::collection::vec(policy(), 1..3),
        more in statement(),
    ) {
        let before = resolver(&identity, None, None);
        let mut allow = more.clone();
        allow["Effect"] = json!("Allow");
        let mut deny = more;
        deny["Effect"] = json!("Deny");
        let with = |statement: Value| {
            let mut policies = identity.clone();
            policies.push(policy_of(vec![statement]));
            resolver(&policies, None, None)
        };
        let (wider, narrower) = (with(allow), with(deny));
        for action in ASKED {
            for resource in NAMES {
                let old = point(&before, action, resource);
                prop_assert!(point(&wider, action, resource) >= old, "{} on {}", action, resource);
                prop_assert!(point(&narrower, action, resource) <= old, "{} on {}", action, resource);
            }
        }
    }
}
