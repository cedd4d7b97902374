//! Public laboratories of escalation: each labelled start must come to its labelled target by its labelled technique.
//! Read from the folder that `EVENHAND_SHARED` names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use evenhand_model::access::{AccessResolver, Edge, EdgeTarget, Outcome, Request, Unlisted};
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::id::IdentityId;
use serde_json::Value;

use super::Resolver;
use super::conformance::{Loader, folder, json, list, text};
use crate::escalation::techniques;
use crate::policy::arn;
use crate::world::{PrincipalKind, RoleCarrier};

fn carriers(loader: &mut Loader, resources: &Value) {
    let profiles: BTreeMap<String, IdentityId> = loader
        .world
        .principals
        .values()
        .flat_map(|role| role.instance_profiles.iter().map(|profile| (profile.to_string(), role.id.clone())))
        .collect();
    for resource in resources.as_array().into_iter().flatten() {
        let field = match text(resource, "type") {
            "aws_lambda_function" => "role",
            "aws_cloudformation_stack" => "iam_role_arn",
            "aws_codebuild_project" => "service_role",
            "aws_glue_dev_endpoint" | "aws_sagemaker_notebook_instance" => "role_arn",
            "aws_ecs_task_definition" => "execution_role_arn",
            "aws_instance" => "iam_instance_profile",
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
        loader.world.carriers.extend(RoleCarrier::new(arn.into(), role));
    }
}

/// The world of one laboratory scenario, with or without what runs in it.
pub(crate) fn scenario(folder: &Path, running: bool) -> Resolver {
    let mut loader = Loader::default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        if file.file_name().unwrap().to_string_lossy().starts_with("gaad-") {
            loader.export(&json(&file));
        }
    }
    if running {
        carriers(&mut loader, &json(&folder.join("resources.json")));
    }
    loader.resolver()
}

#[test]
fn administrators_are_told_by_what_they_may_do() {
    let Some(folder) = folder("pathfinding/tool-testing__test-effective-permissions-evaluation") else { return };
    let resolver = scenario(&folder, true);
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

/// A scenario with its steps.
struct Lab {
    name: String,
    label: Value,
    resources: Value,
    resolver: Resolver,
    edges: Vec<Edge>,
}

impl Lab {
    fn open(folder: &Path) -> Self {
        let resolver = scenario(folder, true);
        let edges = resolver.edges();
        Self {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            label: json(&folder.join("label.json")),
            resources: json(&folder.join("resources.json")),
            resolver,
            edges,
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.resolver
            .world()
            .principals
            .get(&IdentityId::from(name))
            .is_some_and(|held| matches!(held.kind, PrincipalKind::User | PrincipalKind::Role))
    }

    /// The labelled principals that are in the export, in the label's order.
    fn chain(&self) -> Vec<String> {
        list(&self.label["attack_path"], "principals")
            .filter_map(Value::as_str)
            .map(|name| name.replace("{operations_account_id}", "333333333333"))
            .filter(|name| self.knows(name))
            .collect()
    }

    fn is_admin(&self, name: &str) -> bool {
        self.resolver.is_admin(&IdentityId::from(name)) == Some(true)
    }

    fn bucket(&self) -> Option<&str> {
        let kind = |held: &&Value| text(held, "type") == "aws_s3_bucket";
        self.resources.as_array().unwrap().iter().find(kind).map(|held| text(held, "arn"))
    }

    fn reads(&self, who: &str, bucket: &str) -> bool {
        let request = Request {
            identity: who.to_owned(),
            operation: "s3:GetObject".to_owned(),
            resource: Some(format!("{bucket}/x")),
            context: BTreeMap::new(),
        };
        self.resolver.decide(&IdentityId::from(who), &request).unwrap().outcome == Outcome::Allowed
    }

    /// Whether being somebody is the labelled end: control of an account, or reading the bucket.
    fn is_end(&self, who: &str) -> bool {
        match (text(&self.label, "target"), self.bucket()) {
            ("to-bucket", Some(bucket)) => self.reads(who, bucket),
            _ => self.is_admin(who),
        }
    }

    /// The least costs from a start, by whom it becomes; `None` stands for control of an account. Costs are ordered as
    /// paths are: conditions, escalations, steps.
    fn costs(&self, start: &str) -> BTreeMap<Option<String>, [usize; 3]> {
        let mut costs = BTreeMap::from([(Some(start.to_owned()), [0, 0, 0])]);
        loop {
            let before = costs.clone();
            for edge in &self.edges {
                let Some(so_far) = costs.get(&Some(edge.source.as_str().to_owned())).copied() else { continue };
                let to = match &edge.target {
                    EdgeTarget::Identity(id) => Some(id.as_str().to_owned()),
                    EdgeTarget::Admin(_) => None,
                };
                let cost = add(so_far, edge);
                let held = costs.entry(to).or_insert(cost);
                *held = cost.min(*held);
            }
            if costs == before {
                return costs;
            }
        }
    }

    /// The least cost from a start to the labelled end.
    fn least(&self, start: &str) -> Option<[usize; 3]> {
        let ends = |who: &Option<String>| who.as_ref().is_none_or(|who| self.is_end(who));
        self.costs(start).into_iter().filter(|(who, _)| ends(who)).map(|(_, cost)| cost).min()
    }

    /// The escalations on the cheapest ways from a start to the labelled end.
    fn cheapest(&self, start: &str) -> BTreeSet<&str> {
        let Some(least) = self.least(start) else { return BTreeSet::new() };
        let costs = self.costs(start);
        let on_a_way = |edge: &&Edge| {
            let so_far = costs.get(&Some(edge.source.as_str().to_owned()));
            let rest = match &edge.target {
                EdgeTarget::Admin(_) => Some([0, 0, 0]),
                EdgeTarget::Identity(id) => self.least(id.as_str()),
            };
            let through = so_far.map(|so_far| add(*so_far, edge)).zip(rest);
            edge.escalation && through.is_some_and(|(to, rest)| std::array::from_fn(|at| to[at] + rest[at]) == least)
        };
        self.edges.iter().filter(on_a_way).map(|edge| &*edge.technique).collect()
    }

    /// Whether there is a step, named by the ends of the two names; an empty one stands for control of an account.
    fn steps(&self, from: &str, technique: &str, to: &str) -> bool {
        self.edges.iter().any(|edge| {
            let there = match &edge.target {
                EdgeTarget::Identity(id) => !to.is_empty() && id.as_str().ends_with(to),
                EdgeTarget::Admin(_) => to.is_empty(),
            };
            there && &*edge.technique == technique && edge.source.as_str().ends_with(from) && !edge.grants.is_empty()
        })
    }
}

fn add([conditions, escalations, steps]: [usize; 3], edge: &Edge) -> [usize; 3] {
    [conditions + usize::from(edge.conditional), escalations + usize::from(edge.escalation), steps + 1]
}

/// The technique behind the number of a laboratory.
fn technique(shared: &Path, number: &str) -> Option<&'static str> {
    let table = std::fs::read_to_string(shared.join("reference/aws-escalation.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let known_as = reader.records().map(Result::unwrap).find_map(|row| {
        // The laboratories count in their own way in a few places.
        let labs = if row[7].is_empty() { &row[6] } else { &row[7] };
        let known_as = if row[6].is_empty() { &row[7] } else { &row[6] };
        (labs == number).then(|| known_as.to_owned())
    })?;
    techniques::all().iter().find(|held| held.known_as == known_as).map(|held| held.id)
}

fn labs() -> Vec<Lab> {
    let Some(root) = folder("pathfinding") else { return Vec::new() };
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("label.json").exists())
        .collect();
    folders.sort();
    folders.iter().map(|folder| Lab::open(folder)).collect()
}

fn lab(name: &str) -> Option<Lab> {
    folder("pathfinding").map(|root| Lab::open(&root.join(name)))
}

/// Laboratories whose target also lets the start in as it stands, by roles that trust it: the labelled technique is a
/// step, but there is a way without any.
const OPEN_ANYWAY: [&str; 2] = [
    "single-account__privesc-one-hop__to-bucket__iam-012-iam-updateassumerolepolicy",
    "single-account__privesc-self-escalation__to-bucket__iam-005-iam-putrolepolicy",
];

/// Laboratories whose start holds the actions of a second technique as well.
const ALSO: [(&str, &str); 1] = [(
    "single-account__privesc-one-hop__to-admin__lambda-006-iam-passrole+lambda-createfunction+lambda-addpermission",
    "pass-role-lambda-create-function-invoke-function",
)];

#[test]
fn every_numbered_laboratory_is_solved_by_its_own_technique() {
    let Some(shared) = std::env::var_os("EVENHAND_SHARED").map(PathBuf::from) else { return };
    let (mut solved, mut failed) = (0, Vec::new());
    for lab in labs() {
        let number = text(&lab.label, "pathfinding-cloud-id");
        if number.is_empty() || lab.label.get("attack_path").is_none() || number.starts_with("ctf") {
            continue;
        }
        let Some(technique) = technique(&shared, number) else { panic!("no technique for {number}") };
        let chain = lab.chain();
        let start = &chain[0];
        let found = lab.edges.iter().filter(|edge| chain.contains(&edge.source.as_str().to_owned()));
        let found: BTreeSet<&str> = found.map(|edge| &*edge.technique).collect();
        if OPEN_ANYWAY.contains(&&*lab.name) {
            assert!(found.contains(technique) && lab.least(start).is_some_and(|[_, escalations, _]| escalations == 0));
            solved += 1;
            continue;
        }
        let mut expected: BTreeSet<&str> =
            ALSO.iter().filter(|(name, _)| *name == lab.name).map(|(_, also)| *also).collect();
        // Assuming a role that lets one in is no escalation.
        expected.extend((technique != "assume-role").then_some(technique));
        if lab.is_end(start) {
            failed.push(format!("{}: {start} is at the end already", lab.name));
        } else if lab.least(start).is_none() || lab.cheapest(start) != expected {
            failed.push(format!("{}: not {technique} but {:?} of {found:?}", lab.name, lab.cheapest(start)));
        } else {
            solved += 1;
        }
    }
    assert!(failed.is_empty(), "{solved} solved; {}:\n{}", failed.len(), failed.join("\n"));
    assert_eq!(solved, 42);
}

#[test]
fn a_laboratory_whose_compute_was_not_read_is_left_open() {
    let Some(root) = folder("pathfinding") else { return };
    let Some(shared) = std::env::var_os("EVENHAND_SHARED").map(PathBuf::from) else { return };
    let (mut open, mut wrong) = (0, Vec::new());
    for lab in labs() {
        let number = text(&lab.label, "pathfinding-cloud-id");
        // The riddle has no number, and begins with a role that rewrites functions.
        let id = if number.starts_with("ctf") {
            Some("lambda-update-function-code-invoke-function")
        } else {
            technique(&shared, number)
        };
        let Some(technique) = id.and_then(|id| techniques::all().iter().find(|held| held.id == id)) else { continue };
        let Some(kind) = technique.carrier.filter(|_| technique.target == techniques::Target::Carrier) else {
            continue;
        };
        let blind = scenario(&root.join(&lab.name), false);
        assert!(blind.edges().iter().all(|edge| &*edge.technique != technique.id), "{}", lab.name);
        let said = lab.edges.iter().filter(|edge| &*edge.technique == technique.id).all(|edge| {
            let held = blind.unlisted(&edge.source);
            held.iter()
                .any(|held| matches!(held, Unlisted::Unread(unread) if unread.what.starts_with(&kind.to_string())))
        });
        if said { open += 1 } else { wrong.push(lab.name) }
    }
    assert_eq!((open, wrong), (9, Vec::new()));
}

/// Ways of several steps: who, by which technique, becomes whom. Names by their ends; nobody = control of the account.
type Way = &'static [(&'static str, &'static str, &'static str)];

const WAYS: [(&str, Way); 8] = [
    (
        "single-account__privesc-multi-hop__to-admin__lambda-004-to-iam-002-to-admin",
        &[
            ("-starting-user", "lambda-update-function-code-invoke-function", "-lambda-role"),
            ("-lambda-role", "iam-create-access-key", "-admin-user"),
        ],
    ),
    (
        "single-account__privesc-multi-hop__to-admin__sts-001-to-ecs-002-to-admin",
        &[
            ("-starting-user", "assume-role", "-intermediate-role"),
            ("-intermediate-role", "pass-role-ecs-register-task-definition-run-task-create-cluster", "-admin-role"),
        ],
    ),
    // The labelled start is in no export: from the role that trusts it.
    (
        "cross-account__dev-to-prod__multi-hop__multi-hop-both-sides",
        &[
            ("222222222222:role/pl-helpdesk", "iam-create-login-profile", "222222222222:user/pl-Josh"),
            ("222222222222:user/pl-Josh", "assume-role", "111111111111:role/pl-trustsdev"),
            ("111111111111:role/pl-trustsdev", "iam-update-login-profile", "111111111111:user/pl-Jeremy"),
        ],
    ),
    (
        "cross-account__dev-to-prod__one-hop__root-trust-role-assumption",
        &[(
            "222222222222:user/pl-dev-xsarrt-to-admin-starting-user",
            "assume-role",
            "111111111111:role/pl-prod-xsarrt-to-admin-target-role",
        )],
    ),
    // Begins with a token of a code host, which is another provider's step.
    (
        "cross-account__ops-to-prod__one-hop__github-oidc-cross-account-pivot",
        &[(
            "333333333333:role/pl-ops-goidc-pivot-deployer-role",
            "assume-role",
            "111111111111:role/pl-prod-goidc-pivot-deployer-role",
        )],
    ),
    // Begins with an instruction to a public chatbot: from what it runs as.
    (
        "ctf__ai-chatbot-lambda-pivot",
        &[("-chatbot-role", "lambda-update-function-code-invoke-function", "ctf-002-target-role")],
    ),
    // A key that lies in a bucket is no permission: the way goes on from the key's user.
    (
        "attack-simulation__sysdig-8-minutes-to-admin",
        &[
            ("-compromised-user", "lambda-update-function-code-invoke-function", "-ec2-init-role"),
            ("-ec2-init-role", "iam-create-access-key", "-frick"),
        ],
    ),
    (
        "tool-testing__test-reverse-blast-radius-direct-and-indirect-to-bucket",
        &[("rbr-di-user2", "assume-role", "rbr-di-role3")],
    ),
];

#[test]
fn every_step_of_a_longer_way_is_found() {
    for (name, way) in WAYS {
        let Some(lab) = lab(name) else { return };
        for (from, technique, to) in way {
            let others = lab.edges.iter().filter(|edge| edge.source.as_str().ends_with(from));
            let others: Vec<_> = others.map(|edge| (&edge.technique, &edge.target)).collect();
            assert!(lab.steps(from, technique, to), "{name}: {from} to {to} by {technique}; there are {others:?}");
        }
        let last = way.last().unwrap().2;
        let end = lab.resolver.world().principals.keys().find(|id| id.as_str().ends_with(last)).unwrap();
        assert!(lab.is_end(end.as_str()), "{name}: {end}");
        let start = lab.resolver.world().principals.keys().find(|id| id.as_str().ends_with(way[0].0)).unwrap();
        assert!(lab.least(start.as_str()).is_some(), "{name}: {start}");
    }
}

#[test]
fn what_a_bucket_gives_away_is_read_by_whom_it_names_and_by_nobody_else() {
    let Some(lab) = lab("attack-simulation__sysdig-8-minutes-to-admin") else { return };
    let bucket = lab.bucket().unwrap();
    let start = lab.chain()[0].clone();
    assert!(lab.reads(&start, bucket), "{start} {bucket}");
    let access = lab.resolver.access(&IdentityId::from(&*start)).unwrap();
    let object = format!("{bucket}/x");
    let object = arn::split(&object).unwrap();
    let by_bucket = access.slices().iter().any(|slice| {
        slice.scope.matches(&object) == Truth::Yes && &*lab.resolver.grant(slice.grant).policy == "resource policy"
    });
    assert!(by_bucket, "{access:?}");
}

#[test]
fn an_exclusive_bucket_is_its_roles_alone() {
    let Some(lab) = lab("tool-testing__exclusive-resource-policy") else { return };
    let bucket = lab.bucket().unwrap();
    let world = lab.resolver.world();
    // The label's own start is in no export: the key's user is.
    let start = world.principals.keys().find(|id| id.as_str().ends_with("erp-to-bucket-starting-user"));
    let exclusive = "arn:aws:iam::111111111111:role/pl-exclusive-bucket-access-role";
    let readers: Vec<&str> =
        world.principals.keys().map(IdentityId::as_str).filter(|who| lab.reads(who, bucket)).collect();
    assert_eq!(readers, [exclusive]);
    let object = format!("{bucket}/x");
    let object = arn::split(&object).unwrap();
    let operation = lab.resolver.catalog().expand("s3:GetObject");
    let listed: Vec<&str> = world
        .principals
        .keys()
        .filter(|id| {
            let access = lab.resolver.access(id).unwrap();
            access
                .slices()
                .iter()
                .any(|slice| slice.operations.intersects(&operation) && slice.scope.matches(&object) == Truth::Yes)
        })
        .map(IdentityId::as_str)
        .collect();
    assert_eq!(listed, [exclusive]);
    assert!(start.is_some_and(|start| lab.costs(start.as_str()).contains_key(&Some(exclusive.to_owned()))));
}

#[test]
fn an_instance_that_runs_as_administrator_is_seen() {
    let Some(lab) = lab("single-account__cspm-misconfig__cspm-ec2-001-instance-with-privileged-role") else { return };
    let carriers = &lab.resolver.world().carriers;
    assert!(carriers.iter().any(|held| lab.is_admin(held.role.as_str())), "{carriers:?}");
}
