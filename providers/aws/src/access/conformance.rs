//! Third-party cases, read from the folder that `EVENHAND_SHARED` names. A small loader of its own keeps these tests
//! about access: what the reader makes of the same files is its own tests' subject.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::access::{AccessResolver, ContextValue, EdgeTarget, Outcome, Request};
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::id::IdentityId;
use evenhand_model::scope::Pattern;
use serde_json::Value;

use super::Resolver;
use super::decide::decide;
use super::question::Absent;
use crate::policy::{PolicyRole, arn};
use crate::world::{AccountId, AccountLimits, PolicyIx, Principal, PrincipalKind, ResourcePolicy, RoleCarrier, World};

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
    world: World,
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
                managed.insert(arn, self.add(name, PolicyRole::Identity, &version["Document"]));
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

    fn resource(&mut self, resource: &str, account: &str, policy: &Value) {
        let policy = self.add("resource policy", PolicyRole::Resource, policy);
        self.world.resource_policies.push(ResourcePolicy {
            resource: resource.into(),
            account: AccountId(account.into()),
            policy,
        });
    }

    pub(crate) fn resolver(mut self) -> Resolver {
        self.world.policies.compile();
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

fn carriers(loader: &mut Loader, resources: &Value) {
    let profiles: BTreeMap<String, IdentityId> = loader
        .world
        .principals
        .values()
        .flat_map(|role| role.instance_profiles.iter().map(|profile| (profile.to_string(), role.id.clone())))
        .collect();
    for resource in resources.as_array().into_iter().flatten() {
        let (service, field) = match text(resource, "type") {
            "aws_lambda_function" => ("lambda.amazonaws.com", "role"),
            "aws_cloudformation_stack" => ("cloudformation.amazonaws.com", "iam_role_arn"),
            "aws_codebuild_project" => ("codebuild.amazonaws.com", "service_role"),
            "aws_glue_job" | "aws_glue_dev_endpoint" => ("glue.amazonaws.com", "role_arn"),
            "aws_sagemaker_notebook_instance" => ("sagemaker.amazonaws.com", "role_arn"),
            "aws_ecs_task_definition" => ("ecs-tasks.amazonaws.com", "execution_role_arn"),
            "aws_instance" => ("ec2.amazonaws.com", "iam_instance_profile"),
            "aws_iam_access_key" => {
                let user = format!("arn:aws:iam::{}:user/{}", text(resource, "account"), text(resource, "user"));
                if let Some(user) = loader.world.principals.get_mut(&IdentityId::from(user)) {
                    user.access_keys = Fact::Known(1);
                }
                continue;
            }
            "aws_iam_user_login_profile" => {
                let user = format!("arn:aws:iam::{}:user/{}", text(resource, "account"), text(resource, "user"));
                if let Some(user) = loader.world.principals.get_mut(&IdentityId::from(user)) {
                    user.password = Fact::Known(true);
                }
                continue;
            }
            "aws_s3_bucket_policy" => {
                let bucket = format!("arn:aws:s3:::{}", text(resource, "bucket"));
                let policy: Value = match &resource["policy"] {
                    Value::String(text) => serde_json::from_str(text).unwrap(),
                    other => other.clone(),
                };
                loader.resource(&bucket, text(resource, "account"), &policy);
                continue;
            }
            _ => continue,
        };
        let role = text(resource, field);
        let role = profiles
            .iter()
            .find(|(profile, _)| profile.rsplit('/').next() == Some(role) || *profile == role)
            .map(|(_, role)| role.clone())
            .unwrap_or_else(|| IdentityId::from(role));
        let arn = match (text(resource, "arn"), text(resource, "type")) {
            ("", "aws_glue_dev_endpoint") => {
                format!("arn:aws:glue:us-east-1:{}:devEndpoint/{}", text(resource, "account"), text(resource, "name"))
            }
            (arn, _) => arn.to_owned(),
        };
        loader.world.carriers.push(RoleCarrier { arn: arn.into(), service: service.into(), role });
    }
}

/// The world of one laboratory scenario.
pub(crate) fn scenario(folder: &Path) -> Resolver {
    let mut loader = Loader::default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        if file.file_name().unwrap().to_string_lossy().starts_with("gaad-") {
            loader.export(&json(&file));
        }
    }
    carriers(&mut loader, &json(&folder.join("resources.json")));
    loader.resolver()
}

#[test]
fn administrators_are_told_by_what_they_may_do() {
    let Some(folder) = folder("pathfinding/tool-testing__test-effective-permissions-evaluation") else { return };
    let resolver = scenario(&folder);
    let (mut right, mut wrong) = ([0, 0], Vec::new());
    for principal in resolver.world().principals.values().filter(|held| held.kind != PrincipalKind::Group) {
        // The label of a case is in its name; only this test reads it.
        let expected = match (principal.name.contains("-isAdmin-"), principal.name.contains("-notAdmin-")) {
            (true, false) => true,
            (false, true) => false,
            _ => continue,
        };
        if resolver.is_admin(&principal.id) == Some(expected) {
            right[usize::from(expected)] += 1;
        } else {
            wrong.push(principal.name.clone());
        }
    }
    assert_eq!((right, wrong), ([24, 15], Vec::new()));
}

/// Whom a principal becomes, step by step, and whether it controls an account in the end.
fn reaches(resolver: &Resolver, start: &str) -> (bool, BTreeSet<String>, BTreeSet<String>) {
    let edges = resolver.edges();
    let mut held: BTreeSet<String> = BTreeSet::from([start.to_owned()]);
    let mut techniques = BTreeSet::new();
    let mut admin = false;
    loop {
        let before = held.len();
        for edge in &edges {
            if held.contains(edge.source.as_str()) {
                techniques.insert(edge.technique.to_string());
                match &edge.target {
                    EdgeTarget::Identity(id) => {
                        held.insert(id.as_str().to_owned());
                    }
                    EdgeTarget::Admin(_) => admin = true,
                }
            }
        }
        if held.len() == before {
            break;
        }
    }
    admin |= held.iter().any(|id| resolver.is_admin(&IdentityId::from(id.as_str())) == Some(true));
    (admin, held, techniques)
}

#[test]
fn laboratory_paths_to_administrator_are_found() {
    let Some(root) = folder("pathfinding") else { return };
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("label.json").exists())
        .collect();
    folders.sort();
    let (mut wanted, mut missed) = (0, Vec::new());
    for folder in folders {
        let label = json(&folder.join("label.json"));
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if label["target"] != "to-admin" || name.starts_with("tool-testing") {
            continue;
        }
        let start = label["attack_path"]["principals"][0].as_str().unwrap_or_default();
        let resolver = scenario(&folder);
        // Some start at a public address or at somebody who is not in the export; one at a key that lies in a bucket.
        if !resolver.world().principals.contains_key(&IdentityId::from(start)) || name.contains("sysdig") {
            continue;
        }
        wanted += 1;
        let (admin, _, techniques) = reaches(&resolver, start);
        if !admin {
            missed.push(format!("{name} from {start} by {techniques:?}"));
        }
    }
    assert_eq!(wanted, 39);
    assert!(missed.is_empty(), "{} of {wanted} missed:\n{}", missed.len(), missed.join("\n"));
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
        (0..100_001).into_par_iter().filter_map(|at| resolver.at(at)).map(|(access, _)| access.slices.len()).sum();
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
