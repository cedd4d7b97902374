//! What must hold for any policies of principals and resources together.

use std::collections::BTreeMap;

use evenhand_model::Timestamp;
use evenhand_model::access::{AccessResolver, Outcome, Request};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::IdentityId;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Resolver;
use super::properties::principal;
use crate::catalog::Catalogue;
use crate::escalation::{Choice, condition};
use crate::policy::context::NothingKnown;
use crate::policy::{PolicyRole, arn};
use crate::world::{AccountId, Principal, ResourcePolicy, World};

const USER: &str = "arn:aws:iam::111111111111:user/a";
const OTHER: &str = "arn:aws:iam::111111111111:user/team/b";
const ROLE: &str = "arn:aws:iam::111111111111:role/team/r";
const GUEST: &str = "arn:aws:iam::222222222222:role/g";
const WHO: [&str; 4] = [USER, OTHER, ROLE, GUEST];

const BUCKET: &str = "arn:aws:s3:::a";
const THEIRS: &str = "arn:aws:s3:::b";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111111111111:q";
const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/k";
const OWNED: [(&str, &str); 4] =
    [(BUCKET, "111111111111"), (THEIRS, "222222222222"), (QUEUE, "111111111111"), (KEY, "111111111111")];

const ACTIONS: [&str; 8] =
    ["s3:GetObject", "s3:PutObject", "s3:*", "*", "sqs:SendMessage", "sqs:*", "kms:Decrypt", "kms:*"];
const CONDITIONS: [&str; 5] = [
    "{}",
    "{}",
    r#"{"StringEquals":{"aws:username":"a"}}"#,
    r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
    r#"{"StringNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:user/a"}}"#,
];
const NAMES: [&str; 6] = [
    "arn:aws:s3:::a/x",
    "arn:aws:s3:::a",
    "arn:aws:s3:::b/x",
    "arn:aws:sqs:eu-west-1:111111111111:q",
    "arn:aws:kms:eu-west-1:111111111111:key/k",
    "arn:aws:s3:::a/y",
];
const ASKED: [&str; 5] = ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "sqs:SendMessage", "kms:Decrypt"];

fn statement(resources: &'static [&'static str]) -> impl Strategy<Value = Value> {
    (
        prop::bool::weighted(0.75),
        prop::sample::subsequence(ACTIONS.to_vec(), 1..3),
        prop::sample::subsequence(resources.to_vec(), 1..3),
        prop::sample::select(CONDITIONS.to_vec()),
    )
        .prop_map(|(allow, actions, resources, condition)| {
            json!({
                "Effect": if allow { "Allow" } else { "Deny" },
                "Action": actions,
                "Resource": resources,
                "Condition": serde_json::from_str::<Value>(condition).unwrap(),
            })
        })
}

fn policy(statement: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec(statement, 1..4)
        .prop_map(|statements| json!({ "Version": "2012-10-17", "Statement": statements }))
}

/// Names that mean one resource each, so that other accounts' resources are meant only where they are named.
const EXACT: &[&str] = &["arn:aws:s3:::a", "arn:aws:s3:::a/*", "arn:aws:s3:::b/x", "arn:aws:s3:::b/*", QUEUE, KEY];
const WILD: &[&str] = &["*", "arn:aws:s3:::a/x", "arn:aws:s3:::*/x", "arn:aws:sqs:*:*:*", "arn:aws:kms:*:*:key/*"];

fn identity(exact: bool) -> BoxedStrategy<Value> {
    policy(statement(if exact { EXACT } else { WILD })).boxed()
}

/// A statement of the policy of a resource.
fn attached() -> impl Strategy<Value = Value> {
    const NAMED: [&str; 8] = [
        USER,
        OTHER,
        ROLE,
        GUEST,
        "arn:aws:sts::111111111111:assumed-role/R/session",
        "arn:aws:iam::111111111111:root",
        "222222222222",
        "111111111111",
    ];
    (statement(WILD), prop::sample::subsequence(NAMED.to_vec(), 1..3), 0..6).prop_map(|(mut statement, named, form)| {
        let allow = statement["Effect"] == "Allow";
        match form {
            0 => statement["Principal"] = json!("*"),
            1 if !allow => statement["NotPrincipal"] = json!({ "AWS": named }),
            2 => {
                statement["Principal"] = json!({ "AWS": "*" });
                statement["Condition"] = json!({ "ArnLike": { "aws:PrincipalArn": [named[0]] } });
            }
            _ => statement["Principal"] = json!({ "AWS": named }),
        }
        statement
    })
}

#[derive(Clone)]
struct Case {
    identity: Vec<Value>,
    boundary: Option<Value>,
    resources: Vec<(usize, Value)>,
}

fn resolver(case: &Case) -> Resolver {
    let mut world = World::default();
    for (at, who) in WHO.iter().enumerate() {
        let mut add = |role, document: &Value| {
            world.policies.add("p".into(), role, &document.to_string(), Evidence::whole("case"))
        };
        let identity_policies: Vec<_> =
            case.identity.get(at).map(|document| add(PolicyRole::Identity, document)).into_iter().collect();
        // Of every other one the policy is one that many may hold.
        world.managed.extend(identity_policies.iter().filter(|_| at % 2 == 0));
        let boundary = case.boundary.as_ref().map_or(Fact::Absent, |held| Fact::Known(add(PolicyRole::Identity, held)));
        let principal = Principal { identity_policies, boundary, ..principal(who) };
        world.principals.insert(principal.id.clone(), principal);
    }
    for (at, document) in &case.resources {
        let (resource, account) = OWNED[*at];
        let policy =
            world.policies.add("r".into(), PolicyRole::Resource, &document.to_string(), Evidence::whole("case"));
        world.resource_policies.push(ResourcePolicy {
            resource: resource.into(),
            account: AccountId(account.into()),
            policy,
        });
    }
    world.managed.sort_unstable();
    // Whatever was given no policy has none.
    world.without_policy = NAMES.map(Into::into).into();
    world.policies.compile();
    Resolver::new(world, "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap())
}

fn point(resolver: &Resolver, who: &str, action: &str, resource: &str) -> Truth {
    let request = Request {
        identity: who.to_owned(),
        operation: action.to_owned(),
        resource: Some(resource.to_owned()),
        context: BTreeMap::new(),
    };
    match resolver.decide(&IdentityId::from(who), &request).unwrap().outcome {
        Outcome::Allowed => Truth::Yes,
        Outcome::Conditional | Outcome::Unknown => Truth::Unknown,
        Outcome::ImplicitlyDenied | Outcome::ExplicitlyDenied => Truth::No,
    }
}

fn enumerated(resolver: &Resolver, who: &str, action: &str, resource: &str) -> Truth {
    let operation = Catalogue::global().operation(action).unwrap();
    let segments = arn::split(resource).unwrap();
    let access = resolver.access(&IdentityId::from(who)).unwrap();
    access.slices().iter().filter(|slice| slice.operations.contains(operation)).fold(Truth::No, |some, slice| {
        let held = slice.scope.matches(&segments);
        some.or(held.and(condition(&slice.condition, Some(&segments), &NothingKnown, Choice::Nobodys)))
    })
}

/// Questions that make sense: an action and a name of its kind.
fn questions() -> impl Iterator<Item = (&'static str, &'static str)> {
    ASKED.into_iter().flat_map(|action| NAMES.map(|name| (action, name))).filter(|(action, name)| {
        let object = name.contains(":::") && name.contains('/');
        match *action {
            "s3:ListBucket" => name.contains(":::") && !object,
            "s3:GetObject" | "s3:PutObject" => object,
            "sqs:SendMessage" => *name == QUEUE,
            _ => *name == KEY,
        }
    })
}

fn cases(exact: bool) -> impl Strategy<Value = Case> {
    (
        prop::collection::vec(identity(exact), 0..5),
        prop::option::weighted(0.3, identity(false)),
        // The key has a policy always: without it no listing can tell what the key's account may do.
        policy(attached()),
        prop::collection::vec((0..OWNED.len(), policy(attached())), 0..4),
    )
        .prop_map(|(identity, boundary, key, mut resources)| {
            resources.push((3, key));
            Case { identity, boundary, resources }
        })
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "identity {}", json!(self.identity))?;
        writeln!(f, "boundary {}", json!(self.boundary))?;
        self.resources.iter().try_for_each(|(at, held)| writeln!(f, "{}: {held}", OWNED[*at].0))
    }
}

impl Case {
    /// The case in which grants to everybody are made to the accounts instead, but for those that a condition narrows to
    /// principals. They stand in nobody's list and open a door for identity policies, as a grant to an account does.
    fn without_grants_to_everybody(&self) -> Self {
        let mut case = self.clone();
        let statements = case.resources.iter_mut().filter_map(|(_, held)| held["Statement"].as_array_mut()).flatten();
        let narrows = |condition: &Value| !condition["StringEquals"]["aws:username"].is_null();
        let everybodys =
            |held: &Value| held["Effect"] == "Allow" && held["Principal"] == "*" && !narrows(&held["Condition"]);
        for statement in statements.filter(|held| everybodys(held)) {
            statement["Principal"] = json!({ "AWS": ["111111111111", "222222222222"] });
        }
        case
    }
}

fn owner(name: &str) -> &str {
    if name.contains(":::b") { "222222222222" } else { "111111111111" }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn point_decision_and_enumeration_agree_on_resources_at_home(case in cases(false)) {
        let decided = resolver(&case.without_grants_to_everybody());
        let resolver = resolver(&case);
        for who in WHO {
            for (action, name) in questions().filter(|(_, name)| arn::split(who).unwrap()[4] == owner(name)) {
                let (point, listed) = (point(&decided, who, action, name), enumerated(&resolver, who, action, name));
                prop_assert_eq!(point, listed, "{} {} on {}", who, action, name);
            }
        }
    }

    #[test]
    fn what_another_account_does_not_let_in_is_not_listed_where_it_is_named(case in cases(true)) {
        let resolver = resolver(&case);
        for who in WHO {
            for (action, name) in questions().filter(|(_, name)| arn::split(who).unwrap()[4] != owner(name)) {
                let (point, listed) = (point(&resolver, who, action, name), enumerated(&resolver, who, action, name));
                let read = case.resources.iter().any(|(at, _)| name.starts_with(OWNED[*at].0));
                // A listing may leave a condition open that a decision settles. It never loses access.
                let lost = listed == Truth::No && point != Truth::No && read;
                prop_assert!(!lost, "{} {} on {}: decided {:?}", who, action, name, point);
                if read && point == Truth::No {
                    prop_assert_ne!(listed, Truth::Yes, "{} {} on {}", who, action, name);
                }
            }
        }
    }
}

#[test]
fn a_statement_that_names_a_session_beside_its_role_or_account_speaks_for_both() {
    const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/r/s";
    let policy = |principals: Value, effect: &str| {
        let statement =
            json!({ "Effect": effect, "Action": "kms:Decrypt", "Resource": "*", "Principal": { "AWS": principals } });
        json!({ "Version": "2012-10-17", "Statement": [statement] })
    };
    let allow_all =
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
    for (principals, effect, expected) in [
        (json!([SESSION]), "Allow", Truth::Unknown),
        (json!([SESSION, "arn:aws:iam::111111111111:root"]), "Allow", Truth::Yes),
        (json!([SESSION, ROLE]), "Allow", Truth::Yes),
        (json!([SESSION, "arn:aws:iam::222222222222:root"]), "Allow", Truth::Unknown),
    ] {
        let identity = [json!({ "Statement": [] }), json!({ "Statement": [] }), allow_all.clone()].to_vec();
        let resolver =
            resolver(&Case { identity, boundary: None, resources: vec![(3, policy(principals.clone(), effect))] });
        assert_eq!(point(&resolver, ROLE, "kms:Decrypt", KEY), expected, "{principals}");
        assert_eq!(enumerated(&resolver, ROLE, "kms:Decrypt", KEY), expected, "{principals}");
    }
}
