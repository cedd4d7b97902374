//! What must hold for any policies.

use evenhand_model::Timestamp;
use evenhand_model::access::{AccessResolver, Outcome, Request};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::IdentityId;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Resolver;
use crate::catalog::Catalogue;
use crate::escalation::{Choice, condition};
use crate::point::{Decided, Decider};
use crate::policy::{PolicyRole, arn};
use crate::world::{AccountId, AccountLimits, PolicyIx, Principal, PrincipalKind, World};

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
const CONDITIONS: [&str; 13] = [
    r#"{}"#,
    r#"{"StringEquals":{"aws:username":"a"}}"#,
    r#"{"StringEquals":{"aws:username":"b"}}"#,
    r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
    r#"{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}"#,
    r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/a"}}"#,
    r#"{"StringEqualsIfExists":{"aws:RequestedRegion":["eu-west-1","eu-west-2"]}}"#,
    r#"{"Null":{"aws:MultiFactorAuthAge":"true"}}"#,
    r#"{"ForAnyValue:StringLike":{"aws:TagKeys":["a*"]}}"#,
    r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}"#,
    r#"{"StringLike":{"aws:PrincipalArn":"*/${aws:username}"}}"#,
    r#"{"StringNotEquals":{"aws:RequestTag/team":"${aws:PrincipalTag/team, 'none'}"}}"#,
    r#"{"StringEquals":{"kms:CallerAccount":"111111111111"}}"#,
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
    (prop::collection::vec(statement(), 1..4), prop::bool::weighted(0.8)).prop_map(|(statements, newer)| {
        let mut policy = policy_of(statements);
        if !newer {
            policy["Version"] = json!("2008-10-17");
        }
        policy
    })
}

fn policy_of(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

const WHO: &str = "arn:aws:iam::111111111111:user/a";

/// What limits a principal.
#[derive(Clone, Debug, Default)]
struct Limits {
    boundary: Option<Value>,
    /// Service control policies, a level each; none where there is no organisation.
    service_control: Vec<Value>,
    resource_control: Vec<Value>,
}

fn limits() -> impl Strategy<Value = Limits> {
    let levels = || prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(policy(), 1..3)];
    (prop::option::weighted(0.3, policy()), levels(), levels()).prop_map(
        |(boundary, service_control, resource_control)| Limits { boundary, service_control, resource_control },
    )
}

/// A principal of that name of which everything is known and nothing is remarkable.
pub(super) fn principal(name: &str) -> Principal {
    let segments = arn::split(name).unwrap();
    Principal {
        id: IdentityId::from(name),
        account: AccountId(segments[4].into()),
        kind: if segments[5].starts_with("role/") { PrincipalKind::Role } else { PrincipalKind::User },
        name: name.rsplit('/').next().unwrap().into(),
        identity_policies: Vec::new(),
        boundary: Fact::Absent,
        unread_boundary: None,
        trust: None,
        missing: Vec::new(),
        tags: Some(Default::default()),
        service_linked: false,
        instance_profiles: Vec::new(),
        groups: Vec::new(),
        managed_policies: Vec::new(),
        attached: Vec::new(),
        password: Fact::Unknown,
        access_keys: Fact::Unknown,
    }
}

fn resolver(identity: &[Value], limits: &Limits) -> Resolver {
    let mut world = World::default();
    let account = AccountId("111111111111".into());
    let mut add =
        |role, document: &Value| world.policies.add("p".into(), role, &document.to_string(), Evidence::whole("case"));
    let identity_policies: Vec<PolicyIx> =
        identity.iter().map(|document| add(PolicyRole::Identity, document)).collect();
    // One that others may hold too, whose part within the limits is worked out for all of them, and those of its own.
    world.managed = identity_policies.first().copied().into_iter().collect();
    let boundary = Fact::read(limits.boundary.as_ref().map(|document| add(PolicyRole::Identity, document)));
    let mut levels = |role: PolicyRole, documents: &[Value]| {
        let levels: Vec<Vec<PolicyIx>> = documents.iter().map(|document| vec![add(role, document)]).collect();
        Fact::read((!levels.is_empty()).then_some(levels))
    };
    let service_control = levels(PolicyRole::ServiceControl, &limits.service_control);
    let resource_control = levels(PolicyRole::ResourceControl, &limits.resource_control);
    let who = Principal { identity_policies, boundary, ..principal(WHO) };
    world.principals.insert(who.id.clone(), who);
    world.limits.insert(account, AccountLimits { service_control, resource_control });
    world.without_policy = NAMES.map(Into::into).into();
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

/// Whether an action can be asked of a resource at all: enumeration lists nothing of what can reach no resource of an
/// action's kinds, whatever else its scope holds.
fn may_be_asked(action: &str, resource: &str) -> bool {
    let catalogue = Catalogue::global();
    let (operation, segments) = (catalogue.operation(action).unwrap(), arn::split(resource).unwrap());
    catalogue.resources(operation).iter().any(|kind| {
        catalogue.patterns().get(usize::from(*kind)).is_none_or(|kind| kind.matches(&segments) != Truth::No)
    })
}

/// What enumeration says of the same request.
fn enumerated(resolver: &Resolver, action: &str, resource: &str) -> Truth {
    let operation = Catalogue::global().operation(action).unwrap();
    let segments = arn::split(resource).unwrap();
    let nothing = crate::policy::context::NothingKnown;
    let access = resolver.access(&IdentityId::from(WHO)).unwrap();
    access.slices().iter().filter(|slice| slice.operations.contains(operation)).fold(Truth::No, |some, slice| {
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
        limits in limits(),
    ) {
        let resolver = resolver(&identity, &limits);
        for action in ASKED {
            for resource in NAMES.into_iter().filter(|name| may_be_asked(action, name)) {
                let (point, enumerated) = (point(&resolver, action, resource), enumerated(&resolver, action, resource));
                // Contradictory conditions on unknown keys are conditional in one and impossible in neither.
                prop_assert_eq!(point, enumerated, "{} on {}", action, resource);
            }
        }
    }

    #[test]
    fn deny_beats_allow_and_an_allow_never_takes_away(
        identity in prop::collection::vec(policy(), 1..3),
        limits in limits(),
        more in statement(),
    ) {
        let before = resolver(&identity, &limits);
        let mut allow = more.clone();
        allow["Effect"] = json!("Allow");
        let mut deny = more;
        deny["Effect"] = json!("Deny");
        let with = |statement: Value| {
            let mut policies = identity.clone();
            policies.push(policy_of(vec![statement]));
            resolver(&policies, &limits)
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

proptest! {
    // Each case asks seventy times, through text.
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn documents_are_decided_like_the_capture_that_holds_them(
        identity in prop::collection::vec(policy(), 1..3),
        limits in limits(),
    ) {
        let resolver = resolver(&identity, &limits);
        let decider = Decider::default();
        let named = |documents: &[Value]| -> Vec<Value> {
            documents.iter().map(|document| json!({ "name": "p", "policy": document })).collect()
        };
        let levels = |documents: &[Value]| -> Vec<Value> {
            documents.iter().map(|document| json!({ "policies": named(std::slice::from_ref(document)) })).collect()
        };
        for action in ASKED {
            for resource in NAMES {
                let mut request = json!({
                    "request": { "principal": WHO, "action": action, "resource": resource },
                    "mode": "discover",
                    "identity_policies": named(&identity),
                    "permissions_boundaries": named(limits.boundary.as_slice()),
                    "service_control_policies": levels(&limits.service_control),
                    "resource_control_policies": levels(&limits.resource_control),
                });
                let open = decider.answer(&request.to_string()).unwrap().decision;
                let open = match open {
                    Decided::Allowed => Truth::Yes,
                    Decided::Conditional => Truth::Unknown,
                    Decided::ImplicitlyDenied | Decided::ExplicitlyDenied => Truth::No,
                };
                prop_assert_eq!(open, point(&resolver, action, resource), "{} on {}", action, resource);
                // With every key known to be absent the decision is one of those that were possible.
                request["mode"] = json!("decide");
                let allowed = decider.answer(&request.to_string()).unwrap().decision == Decided::Allowed;
                prop_assert!(open == Truth::Unknown || (open == Truth::Yes) == allowed, "{} on {}", action, resource);
            }
        }
    }
}
