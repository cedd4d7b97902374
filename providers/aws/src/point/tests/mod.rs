//! Every rule of the evaluation logic, said on documents.

mod composition;
mod conditions;
mod conformance;
mod discovery;
mod elements;
mod principals;
mod properties;
mod refusals;

use serde_json::{Value, json};

use super::{Decided, Decider, Layer, Refusal};

pub(super) const USER: &str = "arn:aws:iam::111122223333:user/ann";
pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";
pub(super) const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/deploy/s1";
pub(super) const OBJECT: &str = "arn:aws:s3:::b/x";
pub(super) const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/k";
pub(super) const OTHER: &str = "444455556666";

/// A request in the making.
#[derive(Clone)]
pub(super) struct Ask(Value);

/// Statements as a policy of the newer version.
pub(super) fn policy(statements: &str) -> Value {
    let statements: Value = serde_json::from_str(&format!("[{statements}]")).unwrap();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// `Allow` of an action on a resource.
pub(super) fn allow(action: &str, resource: &str) -> String {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource }).to_string()
}

/// `Deny` of an action on a resource.
pub(super) fn deny(action: &str, resource: &str) -> String {
    json!({ "Effect": "Deny", "Action": action, "Resource": resource }).to_string()
}

/// A statement of a resource policy on every resource: principals and action.
pub(super) fn grant(principal: &str, action: &str) -> String {
    let principal: Value = serde_json::from_str(principal).unwrap();
    json!({ "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*" }).to_string()
}

/// The principal element that names one ARN or account.
pub(super) fn aws(name: &str) -> String {
    json!({ "AWS": name }).to_string()
}

impl Ask {
    pub(super) fn new(principal: &str, action: &str, resource: &str) -> Self {
        let principal =
            if principal.starts_with('{') { serde_json::from_str(principal).unwrap() } else { json!(principal) };
        Self(json!({ "request": { "principal": principal, "action": action, "resource": resource } }))
    }

    pub(super) fn with(mut self, member: &str, value: Value) -> Self {
        self.0[member] = value;
        self
    }

    pub(super) fn listed(mut self, member: &str, statements: &str) -> Self {
        let list = self.0.as_object_mut().unwrap().entry(member).or_insert_with(|| json!([]));
        let name = format!("{member}-{}", list.as_array().unwrap().len());
        list.as_array_mut().unwrap().push(json!({ "name": name, "policy": policy(statements) }));
        self
    }

    pub(super) fn identity(self, statements: &str) -> Self {
        self.listed("identity_policies", statements)
    }

    pub(super) fn boundary(self, statements: &str) -> Self {
        self.listed("permissions_boundaries", statements)
    }

    pub(super) fn session(self, statements: &str) -> Self {
        self.listed("session_policies", statements)
    }

    pub(super) fn endpoint(self, statements: &str) -> Self {
        self.listed("endpoint_policies", statements)
    }

    pub(super) fn resource(self, statements: &str) -> Self {
        self.with("resource_policy", policy(statements))
    }

    /// A level with one policy, or with none.
    pub(super) fn level(mut self, member: &str, statements: Option<&str>) -> Self {
        let policies: Vec<Value> =
            statements.map(|statements| json!({ "name": "p", "policy": policy(statements) })).into_iter().collect();
        let levels = self.0.as_object_mut().unwrap().entry(member).or_insert_with(|| json!([]));
        levels.as_array_mut().unwrap().push(json!({ "level": "r-1", "policies": policies }));
        self
    }

    pub(super) fn scp(self, statements: &str) -> Self {
        self.level("service_control_policies", Some(statements))
    }

    pub(super) fn rcp(self, statements: &str) -> Self {
        self.level("resource_control_policies", Some(statements))
    }

    pub(super) fn context(mut self, key: &str, value: Value) -> Self {
        self.0["request"]["context"][key] = value;
        self
    }

    /// The resource stands in that account.
    pub(super) fn owned_by(mut self, account: &str) -> Self {
        self.0["request"]["resource_account"] = json!(account);
        self
    }

    pub(super) fn answer(&self) -> Result<Value, Refusal> {
        Decider::default().answer(&self.0.to_string()).map(|answer| serde_json::to_value(answer).unwrap())
    }

    /// The decision and the layers that block, as in `implicitly_denied: scp, boundary`.
    pub(super) fn said(&self) -> String {
        let answer = self.answer().unwrap_or_else(|refusal| panic!("{refusal:?} in {}", self.0));
        let blocked: Vec<&str> = answer["blocked_by"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let decision = answer["decision"].as_str().unwrap();
        if blocked.is_empty() { decision.to_owned() } else { format!("{decision}: {}", blocked.join(", ")) }
    }
}

/// Checks a table of requests against what is said of them.
pub(super) fn hold(rows: Vec<(Ask, &str)>) {
    for (number, (ask, expected)) in rows.into_iter().enumerate() {
        assert_eq!(ask.said(), expected, "row {number}: {}", ask.0);
    }
}

#[test]
fn an_answer_names_the_statements_that_match() {
    let answer = Ask::new(USER, "s3:GetObject", OBJECT)
        .identity(&format!("{},{}", allow("sqs:*", "*"), allow("s3:Get*", "arn:aws:s3:::b/*")))
        .scp(&format!("{},{}", allow("*", "*"), deny("s3:*", "*")))
        .answer()
        .unwrap();
    assert_eq!(
        answer,
        json!({
            "decision": "explicitly_denied",
            "blocked_by": ["scp"],
            "matched": [
                { "policy": "identity_policies-0", "statement": 1, "effect": "Allow" },
                { "policy": "p", "statement": 0, "effect": "Allow" },
                { "policy": "p", "statement": 1, "effect": "Deny" },
            ],
        })
    );
}

#[test]
fn actions_that_nobody_knows_are_noted() {
    let typo = allow("s3:DeletBucket", "*");
    let answer = Ask::new(USER, "s3:GetObject", OBJECT)
        .identity(&allow("s3:*", "*"))
        .identity(&format!("{},{typo}", allow("sqs:*", "*")))
        .scp(&format!("{},{}", allow("*", "*"), deny("s3:Get Object", "*")))
        .resource(&grant("\"*\"", "s3:GetObjct"))
        .answer()
        .unwrap();
    assert_eq!(answer["decision"], "allowed");
    let unknown = |action: &str, number: usize| format!("statement {number} names the unknown action `{action}`");
    assert_eq!(
        answer["notes"],
        json!([
            { "at": "/identity_policies/1/policy", "message": unknown("s3:DeletBucket", 1) },
            { "at": "/resource_policy", "message": unknown("s3:GetObjct", 0) },
            {
                "at": "/service_control_policies/0/policies/0/policy",
                "message": "statement 1 names `s3:Get Object`, which is not written as an action and matches nothing"
            },
        ])
    );
    let known = Ask::new(USER, "s3:GetObject", OBJECT).identity(&allow("S3:Get*", "*")).answer().unwrap();
    assert_eq!(known.get("notes"), None);
}

#[test]
fn the_words_are_those_of_the_schema() {
    let schema = super::schema();
    let words = |of: &str| schema["$defs"][of].to_string();
    for choice in [Decided::Allowed, Decided::ImplicitlyDenied, Decided::ExplicitlyDenied, Decided::Conditional] {
        assert!(words("Decided").contains(&json!(choice).to_string()), "{choice:?}");
    }
    for layer in [
        Layer::ServiceControl,
        Layer::ResourceControl,
        Layer::Boundary,
        Layer::Session,
        Layer::Endpoint,
        Layer::Identity,
        Layer::Resource,
        Layer::Service,
    ] {
        assert!(words("Layer").contains(&json!(layer).to_string()), "{layer:?}");
        assert_eq!(json!(layer), layer.as_str());
    }
    let members: Vec<&String> =
        schema["$defs"]["Question"]["properties"].as_object().map(|members| members.keys().collect()).unwrap();
    assert_eq!(members.len(), 9, "{members:?}");
    assert_eq!(schema["$ref"], "#/$defs/Question");
    assert_eq!(schema["$defs"]["Question"]["additionalProperties"], false);
}
