//! Third-party cases, read from the folder that `EVENHAND_SHARED` names. A small loader of its own keeps these tests
//! about access: what the reader makes of the same files is its own tests' subject.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::access::{AccessResolver, ContextValue, Outcome, Request};
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::id::IdentityId;
use evenhand_model::scope::Pattern;
use serde_json::Value;

use super::Resolver;
use super::decide::decide;
use super::question::Absent;
use crate::policy::{PolicyRole, arn};
use crate::world::{AccountId, AccountLimits, PolicyIx, Principal, PrincipalKind, ResourcePolicy, World};

/// The folder of third-party cases, or nothing with a line that says so.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    match std::env::var_os("EVENHAND_SHARED") {
        Some(root) => Some(Path::new(&root).join("conformance/aws").join(name)),
        None => {
            println!("skipped: EVENHAND_SHARED is not set");
            None
        }
    }
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[derive(Default)]
pub(crate) struct Loader {
    pub(crate) world: World,
}

impl Loader {
    fn add(&mut self, name: &str, role: PolicyRole, document: &Value) -> PolicyIx {
        self.world.policies.add(name.into(), role, &document.to_string(), Evidence::whole("case"))
    }

    pub(crate) fn export(&mut self, export: &Value) {
        let mut managed: BTreeMap<String, PolicyIx> = BTreeMap::new();
        for policy in list(export, "Policies") {
            let version = list(policy, "PolicyVersionList").find(|version| version["IsDefaultVersion"] == true);
            if let Some(version) = version {
                let name = text(policy, "PolicyName");
                let arn = text(policy, "Arn").to_owned();
                let policy = self.add(name, PolicyRole::Identity, &version["Document"]);
                self.world.managed.push(policy);
                managed.insert(arn, policy);
            }
        }
        let mut groups: BTreeMap<String, Principal> = BTreeMap::new();
        for (key, kind, inline, name_key) in [
            ("GroupDetailList", PrincipalKind::Group, "GroupPolicyList", "GroupName"),
            ("UserDetailList", PrincipalKind::User, "UserPolicyList", "UserName"),
            ("RoleDetailList", PrincipalKind::Role, "RolePolicyList", "RoleName"),
        ] {
            for entry in list(export, key) {
                let name = text(entry, name_key);
                let id = IdentityId::from(text(entry, "Arn"));
                let mut policies = Vec::new();
                let mut attached: Vec<Arc<str>> = Vec::new();
                for policy in list(entry, inline) {
                    policies.push(self.add(
                        text(policy, "PolicyName"),
                        PolicyRole::Identity,
                        &policy["PolicyDocument"],
                    ));
                }
                let mut missing = Vec::new();
                for policy in list(entry, "AttachedManagedPolicies") {
                    let arn = text(policy, "PolicyArn");
                    attached.push(arn.into());
                    match managed.get(arn) {
                        Some(held) => policies.push(*held),
                        None => missing.push(Arc::from(arn)),
                    }
                }
                let own_attached = attached.clone();
                let mut own_groups = Vec::new();
                for group in list(entry, "GroupList").filter_map(Value::as_str) {
                    if let Some(group) = groups.get(group) {
                        own_groups.push(group.id.clone());
                        policies.extend(&group.identity_policies);
                        attached.extend(group.managed_policies.iter().cloned());
                    }
                }
                policies.sort_unstable();
                policies.dedup();
                let boundary = match text(&entry["PermissionsBoundary"], "PermissionsBoundaryArn") {
                    "" => Fact::Absent,
                    arn => Fact::known(managed.get(arn).copied()),
                };
                let trust = entry
                    .get("AssumeRolePolicyDocument")
                    .map(|document| self.add("trust policy", PolicyRole::Trust, document));
                let account = AccountId(arn::split(id.as_str()).unwrap()[4].into());
                let principal = Principal {
                    id: id.clone(),
                    account,
                    kind,
                    name: name.into(),
                    identity_policies: policies,
                    boundary,
                    unread_boundary: None,
                    trust,
                    missing,
                    tags: Some(
                        list(entry, "Tags").map(|tag| (text(tag, "Key").into(), text(tag, "Value").into())).collect(),
                    ),
                    service_linked: text(entry, "Path").starts_with("/aws-service-role/"),
                    instance_profiles: list(entry, "InstanceProfileList")
                        .map(|profile| text(profile, "Arn").into())
                        .collect(),
                    groups: own_groups,
                    managed_policies: attached,
                    attached: own_attached,
                    password: Fact::Unknown,
                    access_keys: Fact::Unknown,
                };
                if kind == PrincipalKind::Group {
                    groups.insert(name.to_owned(), principal.clone());
                }
                self.world.principals.insert(id, principal);
            }
        }
    }

    fn organisation(&mut self, node: &Value, above: &[Vec<PolicyIx>]) {
        let own: Vec<PolicyIx> = list(node, "Policies")
            .map(|policy| self.add(text(policy, "Name"), PolicyRole::ServiceControl, &policy["Content"]))
            .collect();
        let mut levels = above.to_vec();
        levels.push(own);
        if text(node, "Type") == "Account" || node.get("Children").is_none() {
            // The account that owns the organisation is exempt; its number is in every name.
            let owner = arn::split(text(node, "Arn")).is_some_and(|segments| segments[4] == text(node, "Id"));
            let service_control = if owner { Fact::Absent } else { Fact::Known(levels.clone()) };
            let limits = AccountLimits { service_control, resource_control: Fact::Absent };
            self.world.limits.insert(AccountId(text(node, "Id").into()), limits);
        }
        for child in list(node, "Children") {
            self.organisation(child, &levels);
        }
    }

    pub(crate) fn resource(&mut self, resource: &str, account: &str, policy: &Value) {
        let policy = self.add("resource policy", PolicyRole::Resource, policy);
        self.world.resource_policies.push(ResourcePolicy {
            resource: resource.into(),
            account: AccountId(account.into()),
            policy,
        });
    }

    pub(crate) fn resolver(mut self) -> Resolver {
        self.world.policies.compile();
        self.world.managed.sort_unstable();
        Resolver::new(self.world, "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap())
    }
}

#[test]
fn iamspy_cases_are_decided_as_labelled() {
    let Some(folder) = folder("iamspy") else { return };
    let cases = json(&folder.join("cases.json"));
    let mut failed = Vec::new();
    for (number, case) in cases.as_array().unwrap().iter().enumerate() {
        let mut loader = Loader::default();
        for file in list(&case["files"], "gaads").filter_map(Value::as_str) {
            loader.export(&json(&folder.join("files").join(file)));
        }
        for file in list(&case["files"], "resources").filter_map(Value::as_str) {
            for entry in json(&folder.join("files").join(file)).as_array().unwrap() {
                loader.resource(text(entry, "Resource"), text(entry, "Account"), &entry["Policy"]);
            }
        }
        for file in list(&case["files"], "scps").filter_map(Value::as_str) {
            loader.organisation(&json(&folder.join("files").join(file)), &[]);
        }
        let resolver = loader.resolver();
        let context: BTreeMap<String, ContextValue> = list(case, "conditions")
            .filter_map(Value::as_str)
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), ContextValue::One(value.to_owned())))
            .collect();
        let absent = if case["strict_conditions"] == true { Absent::Missing } else { Absent::Unknown };
        let can = |principal: &str, resource: &str| {
            let request = Request {
                identity: principal.to_owned(),
                operation: text(case, "action").to_owned(),
                resource: Some(resource.to_owned()),
                context: context.clone(),
            };
            let outcome = decide(&resolver, &IdentityId::from(principal), &request, absent).unwrap().outcome;
            matches!(outcome, Outcome::Allowed | Outcome::Conditional)
        };
        let who = |resource: &str| -> BTreeSet<String> {
            resolver
                .world()
                .principals
                .values()
                .filter(|principal| principal.kind != PrincipalKind::Group)
                .map(|principal| principal.id.as_str().to_owned())
                .filter(|principal| can(principal, resource))
                .collect()
        };
        let right = match text(case, "query") {
            "can_i" => can(text(case, "principal"), text(case, "resource")) == (case["expected"] == true),
            "who_can" => {
                let expected: BTreeSet<String> =
                    list(case, "expected").filter_map(Value::as_str).map(str::to_owned).collect();
                who(text(case, "resource")) == expected
            }
            _ => {
                let expected: BTreeSet<(String, String)> = list(case, "expected")
                    .map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned()))
                    .collect();
                let found: BTreeSet<(String, String)> = list(case, "resource")
                    .filter_map(Value::as_str)
                    .flat_map(|resource| who(resource).into_iter().map(|who| (who, resource.to_owned())))
                    .collect();
                found == expected
            }
        };
        if !right {
            failed.push(number);
        }
    }
    assert!(failed.is_empty(), "cases {failed:?} of {}", cases.as_array().unwrap().len());
}

#[test]
fn resource_types_are_told_as_the_linter_tells_them() {
    let Some(folder) = folder("parliament") else { return };
    let cases = json(&folder.join("matching.json"));
    let (mut right, mut wrong) = (0, Vec::new());
    for case in cases.as_array().unwrap().iter().filter(|case| case["fn"] == "is_arn_match") {
        let (format, name) = (case["args"][1].as_str().unwrap(), case["args"][2].as_str().unwrap());
        let pattern = |text: &str| if text == "*" { Pattern::any() } else { arn::catalogue_pattern(text) };
        let overlap = crate::policy::compile::may_overlap(&pattern(format), &pattern(name));
        if overlap == (case["expected"] == true) {
            right += 1;
        } else {
            wrong.push(format!("{format} and {name}"));
        }
    }
    // A linter refuses a region or account that is left out; here `*` in a format stands for any text, none included.
    let left_out = [
        "arn:*:iam::*:role/* and arn:aws:iam:::role/my-role",
        "arn:*:apigateway:*::* and arn:aws:apigateway:::/restapis/a123456789/*",
    ];
    assert_eq!((right, wrong), (19, left_out.map(str::to_owned).to_vec()));
}

/// How long a large world takes. Run by hand:
/// `cargo test --release -p evenhand-aws -- --ignored --nocapture hundred_thousand`.
#[test]
#[ignore = "measures; run by hand"]
fn a_hundred_thousand_principals() {
    let mut loader = Loader::default();
    let roles: Vec<Value> = (0..100_000)
        .map(|n| {
            serde_json::json!({
                "Path": "/", "RoleName": format!("r{n}"), "Arn": format!("arn:aws:iam::111111111111:role/r{n}"),
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                    "Principal": if n % 3 == 0 { serde_json::json!({"Service": "lambda.amazonaws.com"}) }
                        else { serde_json::json!({"AWS": "arn:aws:iam::111111111111:root"}) },
                    "Action": "sts:AssumeRole"}]},
                "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
                     "Resource": [format!("arn:aws:s3:::b{n}"), format!("arn:aws:s3:::b{n}/*")]},
                    {"Effect": "Allow", "Action": ["dynamodb:*", "logs:Put*"], "Resource":
                        format!("arn:aws:dynamodb:*:111111111111:table/t{n}")},
                    {"Effect": "Allow", "Action": ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"],
                     "Resource": if n % 50 == 0 { "*".to_owned() } else { format!("arn:aws:iam::111111111111:role/r{}", n / 2) }},
                    {"Effect": "Allow", "Action": "sts:AssumeRole",
                     "Resource": if n % 20 == 0 { "*".to_owned() } else { format!("arn:aws:iam::111111111111:role/r{}", n / 3) }},
                    {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*",
                     "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}}]}}],
                "AttachedManagedPolicies": if n == 7 { serde_json::json!([{"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]) }
                    else { serde_json::json!([]) },
            })
        })
        .collect();
    loader.export(&serde_json::json!({ "RoleDetailList": roles, "Policies": [{
        "PolicyName": "AdministratorAccess", "Arn": "arn:aws:iam::aws:policy/AdministratorAccess",
        "PolicyVersionList": [{"IsDefaultVersion": true, "Document": {"Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}]}]}));
    let mut mark = std::time::Instant::now();
    let mut lap = |what: &str| {
        eprintln!("{what}: {:?}", mark.elapsed());
        mark = std::time::Instant::now();
    };
    let problems = loader.world.policies.compile();
    lap("compile");
    let resolver = Resolver::new(loader.world, "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap());
    lap("group");
    use rayon::prelude::*;
    let slices: usize =
        (0..100_001).into_par_iter().filter_map(|at| resolver.at(at)).map(|(access, _)| access.slices().len()).sum();
    lap("access");
    let edges = resolver.edges().len();
    lap("edges");
    eprintln!("{} problems, {slices} slices, {edges} edges", problems.len());
    let request = Request {
        identity: String::new(),
        operation: "s3:GetObject".to_owned(),
        resource: Some("arn:aws:s3:::b5/x".to_owned()),
        context: BTreeMap::new(),
    };
    let id = IdentityId::from("arn:aws:iam::111111111111:role/r5");
    for _ in 0..100_000 {
        resolver.decide(&id, &request).unwrap();
    }
    lap("100,000 decisions");
}
