//! Right-sized policies: with the proposal in place of what was there, an identity holds no more than its human role.

use std::path::Path;

use evenhand::sources::Proposed;
use serde_json::{Value, json as value};

use crate::common::{Scene, account, json};

/// The example organisation, to change.
pub(crate) fn acme() -> Scene {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/acme");
    let files = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().map(Result::unwrap);
    files.filter(|file| file.file_type().is_file()).fold(Scene::new(), |scene, file| {
        let name = Path::new("acme").join(file.path().strip_prefix(&root).unwrap());
        scene.file(name.to_str().unwrap(), &std::fs::read(file.path()).unwrap())
    })
}

/// A proposal, told as JSON. The exit code says whether it is enough.
pub(crate) fn fix(scene: &Scene, identity: &str, from: &str, more: &[&str]) -> Value {
    let arguments = [&["fix", identity, "--from", from, "-o", "json"][..], more].concat();
    let run = scene.run(&arguments);
    assert!(run.code < 2, "{identity} {more:?}: {}", run.stderr);
    let told = json(&run.stdout);
    let files = told["files"].as_array().unwrap();
    for file in files.iter().map(|file| scene.path(file.as_str().unwrap())) {
        let list = Proposed::of(file.parent().unwrap()).unwrap();
        assert!(list.hides(&file), "a scan passes over what is written: {}", file.display());
    }
    let is_asked = more.contains(&"--keep-uncontrolled") && told["verdict_then"] == "CONTROL_GAP";
    let reached = within(&told["verdict_then"]) || is_asked;
    assert_eq!((&told["reached"], run.code), (&value!(reached), i32::from(!reached)), "{identity} {more:?}: {told:#}");
    assert_eq!(told["not_enough"].is_string(), !reached, "{identity} {more:?}: {told:#}");
    told
}

fn verdict(scene: &Scene, identity: &str, from: &str, more: &[&str]) -> Value {
    let run = scene.run(&[&["compare", identity, "--from", from, "-o", "json"][..], more].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    json(&run.stdout)
}

/// An export after the steps of a proposal for one principal, followed to the letter.
fn in_place(export: &Value, told: &Value, scene: &Scene) -> Value {
    let mut export = export.clone();
    if told["changes"] == false {
        return export;
    }
    let arn = told["identity"].as_str().unwrap();
    let files: Vec<&str> = told["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    let steps: Vec<&str> = told["steps"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
    let lists = [("RoleDetailList", "RolePolicyList"), ("UserDetailList", "UserPolicyList")];
    let mut changed = 0;
    for (list, inline) in lists {
        for principal in export[list].as_array_mut().unwrap().iter_mut().filter(|held| held["Arn"] == arn) {
            follow(principal, inline, &steps, &|name| {
                let file = files.iter().find(|file| file.rsplit('/').next() == Some(name));
                json(&scene.read(file.unwrap_or_else(|| panic!("no {name} in {files:?}"))))
            });
            changed += 1;
        }
    }
    assert_eq!(changed, 1, "{arn}");
    export
}

/// Changes a principal of an export as commands say. A managed policy becomes one more inline policy.
fn follow(principal: &mut Value, inline: &str, steps: &[&str], text: &dyn Fn(&str) -> Value) {
    let mut made: Vec<(String, Value)> = Vec::new();
    for member in [inline, "AttachedManagedPolicies"] {
        if principal[member].is_null() {
            principal[member] = value!([]);
        }
    }
    for step in steps.iter().filter(|step| step.starts_with("aws iam ")) {
        let words: Vec<&str> = step.split(" || ").next().unwrap().split_whitespace().collect();
        let option = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)).unwrap_or_default();
        let arn = words.iter().position(|word| *word == "--policy-arn").map(|at| words[at + 1]).unwrap_or_default();
        let name = option("--policy-name=");
        let mut retain = |list: &str, keep: &dyn Fn(&Value) -> bool| {
            principal[list].as_array_mut().unwrap().retain(|held| keep(held));
        };
        match words[2] {
            "put-role-policy" | "put-user-policy" => {
                retain(inline, &|held| held["PolicyName"] != name);
                let policy = value!({"PolicyName": name, "PolicyDocument": text(option("file://"))});
                principal[inline].as_array_mut().unwrap().push(policy);
            }
            "delete-role-policy" | "delete-user-policy" => retain(inline, &|held| held["PolicyName"] != name),
            "create-policy" => made.push((format!(":policy/{name}"), text(option("file://")))),
            "attach-role-policy" | "attach-user-policy" => {
                let (name, document) = made.iter().find(|(name, _)| arn.ends_with(name)).unwrap();
                let policy = value!({"PolicyName": name, "PolicyDocument": document});
                principal[inline].as_array_mut().unwrap().push(policy);
            }
            "detach-role-policy" | "detach-user-policy" => {
                retain("AttachedManagedPolicies", &|held| held["PolicyArn"] != arn);
            }
            "remove-user-from-group" => retain("GroupList", &|held| *held != option("--group-name=")),
            other => panic!("{other} is no step of these tests"),
        }
    }
}

fn within(verdict: &Value) -> bool {
    ["PARITY", "NARROWER"].contains(&verdict.as_str().unwrap())
}

#[test]
fn an_aws_agent_of_the_example_is_cut_to_its_human_role() {
    const EXPORT: &str = "acme/aws/222222222222/account-authorization-details.json";
    let scene = acme();
    let told = fix(&scene, "sre-copilot-runtime", "acme", &[]);
    assert_eq!(told["verdict"], "EXCESS");
    assert!(within(&told["verdict_then"]), "{told:#}");
    assert_eq!(
        told["operations"].as_u64().unwrap(),
        told["operations_kept"].as_u64().unwrap() + told["operations_removed"].as_u64().unwrap()
    );
    let removed = told["removed"].to_string();
    assert!(removed.contains("iam:PassRole") && removed.contains("logs:DeleteLogGroup"), "{removed}");
    // What it may keep whole is left alone: one inline policy is narrowed, in one step.
    let put = "aws iam put-role-policy --role-name=sre-copilot-runtime --policy-name=act --policy-document \
               file://role-sre-copilot-runtime.policy.json";
    assert_eq!(told["steps"], value!([put]), "{told:#}");
    let export = in_place(&json(&scene.read(EXPORT)), &told, &scene);
    let scene = scene.file(EXPORT, export.to_string().as_bytes());
    let then = verdict(&scene, "sre-copilot-runtime", "acme", &[]);
    assert_eq!((&then["verdict"], &then["summary"]), (&told["verdict_then"], &told["summary_then"]));
    assert_eq!(then["operations"], told["operations_kept"]);
    // It holds no more than that now, so there is nothing to propose.
    let again = fix(&scene, "sre-copilot-runtime", "acme", &["--out", "again"]);
    assert_eq!((&again["changes"], &again["files"]), (&value!(false), &value!([])));
}

#[test]
fn what_people_do_under_a_control_goes_unless_it_is_asked_to_stay() {
    let scene = acme();
    let kept = fix(&scene, "svc-procurement-agent", "acme", &["--keep-uncontrolled"]);
    assert_eq!((&kept["verdict"], &kept["verdict_then"]), (&value!("CONTROL_GAP"), &value!("CONTROL_GAP")));
    assert_eq!((&kept["uncontrolled"], &kept["changes"]), (&value!([]), &value!(false)));
    let cut = fix(&scene, "svc-procurement-agent", "acme", &[]);
    assert_eq!(cut["uncontrolled"][0]["operations"], value!(["dynamodb:PutItem", "dynamodb:UpdateItem"]));
    assert_eq!((&cut["verdict_then"], &cut["operations_removed"]), (&value!("NARROWER"), &value!(2)));
    // A control that stands in a condition of people's grants stands in those of the proposal.
    let bot = fix(&scene, "release-bot", "acme", &[]);
    assert_eq!((&bot["verdict"], &bot["verdict_then"]), (&value!("CONTROL_GAP"), &value!("PARITY")));
    assert!(scene.read(bot["files"][0].as_str().unwrap()).contains("aws:principaltag/changeticket"), "{bot:#}");
    // Nothing gives it the tag, so that none of these calls would succeed, and the proposal says so.
    let need = bot["needs"][0].as_str().unwrap();
    assert!(need.contains("changeticket") && need.contains("each such call is refused"), "{need}");
    let run = scene.run(&["fix", "release-bot", "--from", "acme"]);
    let verdict = run.stdout.lines().find(|line| line.contains("PARITY")).unwrap();
    assert!(verdict.ends_with("and no more, once it has what it needs"), "{}", run.stdout);
    assert!(run.stdout.contains("  needs       `aws:principaltag/changeticket Null false` for "), "{}", run.stdout);
    assert!(run.stdout.contains("sts:TagSession"), "{}", run.stdout);
    // Only the condition is another.
    assert!(run.stdout.contains("    until now without that condition"), "{}", run.stdout);
    assert!(!run.stdout.contains(", now on "), "{}", run.stdout);
}

#[test]
fn a_service_account_of_the_example_is_cut_to_its_human_role() {
    const RBAC: &str = "acme/kubernetes/prod-eu/rbac.yaml";
    let scene = acme();
    // The agent's own bindings are narrow; its tool server's are not, and get a proposal with it.
    let agent = fix(&scene, "sre/incident-triage", "acme", &[]);
    assert_eq!((&agent["verdict"], &agent["verdict_then"]), (&value!("EXCESS"), &value!("PARITY")));
    assert_eq!((&agent["operations_removed"], &agent["removed"]), (&value!(0), &value!([])), "{agent:#}");
    let through = &agent["through"][0];
    assert_eq!(through["name"], "sre/cluster-tools", "{agent:#}");
    let told = fix(&scene, "sre/cluster-tools", "acme", &[]);
    assert_eq!((&through["kept"], &through["steps"], &agent["files"]), (&told["kept"], &told["steps"], &told["files"]));
    assert!(within(&told["verdict_then"]), "{told:#}");
    assert_eq!(told["steps"][1], "kubectl delete clusterrolebinding cluster-tools", "{told:#}");
    // Who acts through it loses the same, and is named.
    let agent_id = "kubernetes:prod-eu:serviceaccount:sre/incident-triage";
    assert!(told["others"].as_array().unwrap().contains(&value!(agent_id)), "{told:#}");
    assert!(!through["others"].as_array().unwrap().contains(&value!(agent_id)), "{agent:#}");
    let run = scene.run(&["fix", "sre/cluster-tools", "--from", "acme"]);
    let others = run.stdout.lines().find(|line| line.starts_with("  others      ")).unwrap();
    assert!(others.contains(agent_id), "{}", run.stdout);
    let file = told["files"][0].as_str().unwrap();
    let proposal = scene.read(file);
    assert!(proposal.contains("kind: Role\n") && !proposal.contains('*'), "{proposal}");
    // The steps, followed to the letter.
    let before = scene.read(RBAC);
    let binding = |item: &&str| item.contains("kind: ClusterRoleBinding") && item.contains("{name: cluster-tools,");
    let items: Vec<&str> = before.split_inclusive("\n- ").collect();
    let [gone] = items.iter().copied().filter(|item| binding(item)).collect::<Vec<_>>()[..] else { panic!("{before}") };
    let scene = scene
        .file(RBAC, before.replace(gone, "").as_bytes())
        .file("acme/kubernetes/prod-eu/proposal.yaml", proposal.as_bytes());
    for identity in ["sre/cluster-tools", "sre/incident-triage"] {
        let then = verdict(&scene, identity, "acme", &[]);
        assert!(within(&then["verdict"]), "{identity}: {}", then["summary"]);
    }
    assert_eq!(verdict(&scene, "sre/cluster-tools", "acme", &[])["operations"], told["operations_kept"]);
}

#[test]
fn principals_of_a_real_account_are_cut_to_others_with_conditions_denies_and_exclusions() {
    let Some(shared) = std::env::var_os("EVENHAND_SHARED") else { return };
    let export =
        json(&std::fs::read_to_string(Path::new(&shared).join("samples/aws/cloudsplaining/example.json")).unwrap());
    let scene = Scene::new().file("gaad.json", export.to_string().as_bytes());
    for (subject, human) in [
        ("role/privesc-sre-role", "AWSReservedSSO_ViewOnlyAccess_0ace44bbc7092ea8"),
        ("role/privesc-high-priv-service-role", "role/privesc-sre-role"),
        ("role/OrganizationAccountAccessRole", "role/fn3-exploitableConditionConstraint-role"),
        ("role/OrganizationAccountAccessRole", "role/fp1-allow-and-deny-role"),
        ("role/OverprivilegedEC2", "role/fn4-exploitableNotAction-role"),
        ("role/fp3-deny-iam-role", "role/fn2-exploitableResourceConstraint-role"),
        ("role/fp5-nonExploitableConditionConstraint-role", "AWSReservedSSO_AdministratorAccess_dc6414f7f2ab04fc"),
        ("role/MyRole", "role/MyOtherRole"),
    ] {
        let told = fix(&scene, subject, "gaad.json", &["--human", human, "--force"]);
        let export = in_place(&export, &told, &scene);
        let then = Scene::new().file("gaad.json", export.to_string().as_bytes());
        let then = verdict(&then, subject, "gaad.json", &["--human", human]);
        assert_eq!(then["verdict"], told["verdict_then"], "{subject} as {human}: {then:#}");
        assert_eq!(then["excess_operations"], 0, "{subject} as {human}: {told:#}");
        // Of some conditions nothing tells how strict a control they are; of access everything is told.
        let told_of_access = then["undecided_operations"] == 0 && then["doubts"] == value!([]);
        assert!(within(&then["verdict"]) || told_of_access, "{subject} as {human}: {then:#}");
    }
}

/// The account of two roles, with other actions and resources.
fn account_of(agent: &str, human: &str) -> Value {
    let statement = |actions: &str| format!(r#"{{"Sid":"Main","Effect":"Allow","Action":{actions},"Resource":"*"}}"#);
    let text = account()
        .replace(&statement(r#"["logs:*","s3:DeleteBucket"]"#), agent)
        .replace(&statement(r#"["logs:GetLogEvents","logs:DescribeLogGroups"]"#), human);
    assert!(text.contains(agent) && text.contains(human));
    json(&text)
}

#[test]
fn what_a_statement_excludes_a_proposal_excludes() {
    const SECRET: &str = "arn:aws:s3:::secret/*";
    let agent =
        r#"{"Effect":"Allow","Action":["s3:*","ec2:TerminateInstances"],"NotResource":"arn:aws:s3:::secret/*"}"#;
    for (reach, denied) in [("*", false), ("arn:aws:s3:::sec*/*", true)] {
        let human = format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"{reach}"}}"#);
        let export = account_of(agent, &human);
        let scene = Scene::new().file("gaad.json", export.to_string().as_bytes());
        let told = fix(&scene, "incident-agent", "gaad.json", &["--keep-uncontrolled"]);
        assert_eq!(told["changes"], true, "{told:#}");
        let files = told["files"].as_array().unwrap().iter();
        let policies: Vec<Value> = files.map(|file| json(&scene.read(file.as_str().unwrap()))).collect();
        let of = |effect: &str| -> Vec<&Value> {
            let statements = policies.iter().flat_map(|policy| policy["Statement"].as_array().unwrap());
            statements.filter(|statement| statement["Effect"] == effect).collect()
        };
        let reads = |statement: &&&Value| {
            let actions = statement["Action"].as_array().unwrap();
            actions.contains(&value!("s3:GetObject")) || actions.contains(&value!("s3:*"))
        };
        let allow = of("Allow");
        let allow = allow.iter().find(|statement| reads(statement)).unwrap();
        match denied {
            true => assert_eq!(of("Deny").first().unwrap()["Resource"], value!([SECRET]), "{policies:#?}"),
            false => assert_eq!(allow["NotResource"], value!([SECRET]), "{policies:#?}"),
        }
        let then = in_place(&export, &told, &scene);
        let scene = Scene::new().file("gaad.json", then.to_string().as_bytes());
        let run = scene.run(&[
            "can",
            "incident-agent",
            "s3:GetObject",
            "--on",
            "arn:aws:s3:::secret/a",
            "--from",
            "gaad.json",
        ]);
        assert_eq!(run.code, 1, "{reach}: {}{}", run.stdout, run.stderr);
        assert_eq!(
            verdict(&scene, "incident-agent", "gaad.json", &[])["operations"],
            told["operations_kept"],
            "{reach}"
        );
    }
}

#[test]
fn a_proposal_keeps_to_what_aws_lets_a_role_hold_or_is_refused() {
    let everything = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let human = r#"{"Effect":"Allow","NotAction":["iam:*","organizations:*","s3:DeleteObject"],"Resource":"*"}"#;
    let export = account_of(everything, human);
    let scene = Scene::new().file("gaad.json", export.to_string().as_bytes());
    let told = fix(&scene, "incident-agent", "gaad.json", &["--keep-uncontrolled"]);
    let files: Vec<&str> = told["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert!((1..=11).contains(&files.len()), "{told:#}");
    for file in files {
        let most = if file.ends_with(".policy.json") { 10_240 } else { 6_144 };
        let counted = scene.read(file).chars().filter(|c| !c.is_whitespace()).count();
        assert!(counted <= most, "{file}: {counted}");
    }
    assert!(told["steps"][0].as_str().unwrap().starts_with("read the wildcards in the files"), "{told:#}");
    let then = in_place(&export, &told, &scene);
    let then_scene = Scene::new().file("gaad.json", then.to_string().as_bytes());
    let then = verdict(&then_scene, "incident-agent", "gaad.json", &[]);
    assert_eq!((&then["verdict"], &then["operations"]), (&told["verdict_then"], &told["operations_kept"]));
    assert_eq!(then["excess_operations"], 0, "{then:#}");

    let buckets: Vec<String> =
        (0..2_000).map(|number| format!("\"arn:aws:s3:::{}-{number}/*\"", "long".repeat(18))).collect();
    let agent = format!(
        r#"{{"Effect":"Allow","Action":["s3:GetObject","s3:DeleteObject"],"Resource":[{}]}}"#,
        buckets.join(",")
    );
    let scene = Scene::new().file("gaad.json", account_of(&agent, human).to_string().as_bytes());
    let run = scene.run(&["fix", "incident-agent", "--from", "gaad.json", "--keep-uncontrolled"]);
    assert_eq!(run.code, 2, "{}{}", run.stdout, run.stderr);
    let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["does not fit", "20", "too many", "--to used", "permissions boundary"] {
        assert!(said.contains(part), "{part}: {}", run.stderr);
    }
    assert!(!run.stdout.contains("PARITY"), "{}", run.stdout);
}

#[test]
fn a_statement_that_must_go_is_a_change_where_another_keeps_its_operations() {
    let statement =
        |bucket: &str| format!(r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::{bucket}/*"}}"#);
    let export = account_of(&[statement("b"), statement("a")].join(","), &statement("a"));
    let scene = Scene::new().file("gaad.json", export.to_string().as_bytes());
    let told = fix(&scene, "incident-agent", "gaad.json", &["--keep-uncontrolled"]);
    assert_eq!((&told["operations_removed"], &told["changes"]), (&value!(0), &value!(true)), "{told:#}");
    let policy = json(&scene.read(told["files"][0].as_str().unwrap()));
    assert_eq!(policy["Statement"][0]["Resource"], value!(["arn:aws:s3:::a/*"]), "{policy:#}");
    let then = in_place(&export, &told, &scene);
    let scene = Scene::new().file("gaad.json", then.to_string().as_bytes());
    let again = fix(&scene, "incident-agent", "gaad.json", &["--keep-uncontrolled"]);
    assert_eq!(again["changes"], false, "{again:#}");
}

#[test]
fn use_is_a_measure_where_a_document_tells_of_it() {
    let scene = Scene::with_account();
    let run = scene.run(&["fix", "incident-agent", "--to", "used", "--from", "gaad.json"]);
    assert!(run.code == 2 && run.stderr.contains("generate-service-last-accessed-details"), "{}", run.stderr);
    let used = r#"{"call":"iam get-service-last-accessed-details",
        "parameters":{"Arn":"arn:aws:iam::111122223333:role/incident-agent"},"response":{"JobStatus":"COMPLETED","JobType":"ACTION_LEVEL","JobCreationDate":"2026-10-31T00:00:00Z",
        "ServicesLastAccessed":[{"ServiceName":"Amazon S3","ServiceNamespace":"s3","TotalAuthenticatedEntities":0},
        {"ServiceName":"Amazon CloudWatch Logs","ServiceNamespace":"logs","LastAuthenticated":"2026-10-30T00:00:00Z",
         "LastAuthenticatedEntity":"arn:aws:iam::111122223333:role/incident-agent","TotalAuthenticatedEntities":1}],
        "JobCompletionDate":"2026-10-31T00:00:01Z","IsTruncated":false}}"#;
    let scene = scene.file("used.json", used.as_bytes());
    let arguments = ["fix", "incident-agent", "--to", "used", "--from", "gaad.json", "--from", "used.json"];
    let run = scene.run(&arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let policy = json(&scene.read("evenhand-fix/role-incident-agent.policy.json"));
    // The wildcard that is there may stay whole, so it stays.
    assert_eq!(policy["Statement"][0]["Action"], value!(["logs:*"]), "{policy:#}");
    assert!(run.stdout.contains("s3:DeleteBucket"), "{}", run.stdout);
    // What a bucket's own policy grants beyond that no proposal takes away.
    let policy = value!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/incident-agent"},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
    }]});
    let bucket = value!({
        "call": "s3api get-bucket-policy", "parameters": {"Bucket": "b"}, "account": "111122223333",
        "response": {"Policy": policy.to_string()},
    });
    let scene = scene.file("bucket.json", bucket.to_string().as_bytes());
    let run = scene.run(&[&arguments[..], &["--from", "bucket.json"]].concat());
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    let said = "Not enough: with all of that in place more remains than what it used in the last 90 days";
    assert!(run.stdout.contains("granted elsewhere") && run.stdout.contains(said), "{}", run.stdout);
    let told = json(&scene.run(&[&arguments[..], &["--from", "bucket.json", "-o", "json"]].concat()).stdout);
    assert!(said.ends_with(told["not_enough"].as_str().unwrap()), "{told:#}");
}

/// Lines of answers, each changed where a function knows its path.
fn answers(scene: &Scene, name: &str, change: impl Fn(&str, &mut Value)) -> String {
    let lines = scene.read(name);
    let changed = lines.lines().map(|line| {
        let mut answer = json(line);
        let path = answer["path"].as_str().unwrap().to_owned();
        change(&path, &mut answer["response"]);
        answer.to_string()
    });
    changed.collect::<Vec<_>>().join("\n")
}

#[test]
fn identities_of_the_example_tenant_are_cut_to_their_human_roles() {
    const SUBSCRIPTION: &str = "acme/azure/subscription.ndjson";
    const DIRECTORY: &str = "acme/azure/directory.ndjson";
    const ROLES: &str = "acme/azure/role-definitions.json";
    for number in ["102", "103", "107"] {
        let id = format!("7c0de000-0000-4000-8000-000000000{number}");
        let scene = acme();
        let told = fix(&scene, &id, "acme", &[]);
        assert_eq!(told["verdict"], "EXCESS", "{id}");
        // Narrower than people by holding nothing at all is told as what it is.
        let mut shares = std::iter::once(&told).chain(told["through"].as_array().unwrap());
        let stops = shares.all(|share| share["operations_kept"] == 0);
        assert_eq!(told["nothing_left"], stops, "{told:#}");
        let run = scene.run(&["fix", &id, "--from", "acme"]);
        assert_eq!(
            run.stdout.contains("nothing is left: with that in place it can do nothing"),
            stops,
            "{}",
            run.stdout
        );
        assert!(stops || number != "107", "{told:#}");
        let files: Vec<Value> =
            told["files"].as_array().unwrap().iter().map(|file| json(&scene.read(file.as_str().unwrap()))).collect();
        let asked: Vec<&Value> = files
            .iter()
            .filter_map(|file| file["requiredResourceAccess"][0]["resourceAccess"].as_array())
            .flatten()
            .map(|access| &access["id"])
            .collect();
        let roles: Vec<&Value> = files.iter().filter(|file| file["IsCustom"] == true).collect();
        let role = |at: usize| {
            format!("/providers/Microsoft.Authorization/roleDefinitions/0000000{at}-0000-4000-8000-000000000000")
        };
        let subscription = answers(&scene, SUBSCRIPTION, |path, response| {
            if !path.ends_with("/roleAssignments") {
                return;
            }
            let list = response["value"].as_array_mut().unwrap();
            list.retain(|held| held["properties"]["principalId"] != id.as_str());
            for (at, definition) in roles.iter().enumerate() {
                for scope in definition["AssignableScopes"].as_array().unwrap() {
                    list.push(value!({
                        "id": format!("{}{}/{at}", scope.as_str().unwrap(), "/providers/Microsoft.Authorization/roleAssignments"),
                        "properties": {"principalId": id, "principalType": "ServicePrincipal",
                                       "roleDefinitionId": role(at), "scope": scope},
                    }));
                }
            }
        });
        // An agent holds what its blueprint was granted, so the blueprint is cut with it.
        let through = told["through"].as_array().unwrap().iter().map(|held| held["identity"].as_str().unwrap());
        let cut: Vec<&str> = through.chain([id.as_str()]).map(|held| held.rsplit(':').next().unwrap()).collect();
        let directory = answers(&scene, DIRECTORY, |path, response| {
            if path.ends_with("/appRoleAssignedTo") {
                let stays = |held: &Value| {
                    !cut.contains(&held["principalId"].as_str().unwrap()) || asked.contains(&&held["appRoleId"])
                };
                response["value"].as_array_mut().unwrap().retain(stays);
            }
        });
        let mut definitions = json(&scene.read(ROLES));
        for (at, definition) in roles.iter().enumerate() {
            definitions.as_array_mut().unwrap().push(value!({
                "id": role(at), "roleName": definition["Name"], "roleType": "CustomRole",
                "type": "Microsoft.Authorization/roleDefinitions", "assignableScopes": definition["AssignableScopes"],
                "permissions": [{"actions": definition["Actions"], "notActions": definition["NotActions"],
                                 "dataActions": definition["DataActions"], "notDataActions": definition["NotDataActions"]}],
            }));
        }
        let scene = scene
            .file(SUBSCRIPTION, subscription.as_bytes())
            .file(DIRECTORY, directory.as_bytes())
            .file(ROLES, definitions.to_string().as_bytes());
        let then = verdict(&scene, &id, "acme", &[]);
        assert_eq!(then["verdict"], told["verdict_then"], "{id}: {then:#} {told:#}");
        assert!(within(&then["verdict"]), "{id}: {then:#}");
    }
}

#[test]
fn an_agent_that_borrows_a_key_is_cut_where_the_key_belongs() {
    const EXPORT: &str = "acme/aws/222222222222/account-authorization-details.json";
    let scene = acme();
    let agent = "agent:claude-desktop:laptops/home/chiara";
    let told = fix(&scene, agent, "acme", &[]);
    let through = &told["through"][0];
    assert_eq!((&told["operations"], &told["verdict_then"]), (&value!(0), &value!("NARROWER")), "{told:#}");
    let held = value!({
        "identity": through["identity"], "files": told["files"], "changes": told["changes"], "steps": through["steps"],
    });
    let export = in_place(&json(&scene.read(EXPORT)), &held, &scene);
    let scene = scene.file(EXPORT, export.to_string().as_bytes());
    let then = verdict(&scene, agent, "acme", &[]);
    assert_eq!((&then["verdict"], &then["operations"]), (&told["verdict_then"], &through["operations_kept"]));
    // Who acts as people do is not cut to less than people.
    let run = scene.run(&["fix", "agent:codex:laptops/home/bao", "--from", "acme"]);
    assert!(run.code == 2 && run.stderr.contains("it acts as people do"), "{}", run.stderr);
}

#[test]
fn an_app_and_a_workflow_of_the_example_are_cut_to_their_human_roles() {
    const ORG: &str = "acme/github/github.com/orgs/acme.ndjson";
    let scene = acme();
    let told = fix(&scene, "github:acme:app:claude", "acme", &[]);
    assert_eq!(told["verdict"], "EXCESS");
    let file = told["files"][0].as_str().unwrap();
    let proposal = json(&scene.read(file));
    let organisation = answers(&scene, ORG, |path, response| {
        if path == "/orgs/acme/installations" {
            let apps = response["installations"].as_array_mut().unwrap();
            for app in apps.iter_mut().filter(|app| app["app_slug"] == "claude") {
                app["permissions"] = proposal["permissions"].clone();
            }
        }
    });
    let scene = scene.file(ORG, organisation.as_bytes());
    let then = verdict(&scene, "github:acme:app:claude", "acme", &[]);
    assert_eq!(then["verdict"], told["verdict_then"], "{then:#} {told:#}");
    assert_eq!(then["excess_operations"], 0, "{then:#}");

    let job = fix(&scene, "github:acme:job:storefront/triage/answer", "acme", &[]);
    let block = scene.read(job["files"][0].as_str().unwrap());
    assert!(block.starts_with("permissions:"), "{block}");
    // The default is the repository's: the job is where it is described.
    let step = job["steps"][0].as_str().unwrap();
    assert!(step.contains(".github/workflows/triage.yml#L8, which asks for none"), "{step}");
    assert!(!step.contains("storefront.ndjson"), "{step}");
    assert_eq!(job["verdict"], "EXCESS");
    // Of the second person nothing tells; the proposal alone does not make it parity, and the output says so.
    assert_eq!((&job["verdict_then"], &job["reached"]), (&value!("UNKNOWN"), &value!(false)));
    let run = scene.run(&["fix", "github:acme:job:storefront/triage/answer", "--from", "acme"]);
    assert!(run.code == 1 && run.stdout.contains("Not enough: with all of that in place"), "{}", run.stdout);
    // What nobody can cut is changed where its vendor lets it be.
    let run = scene.run(&["fix", "github:acme:app:copilot-swe-agent", "--from", "acme"]);
    assert!(run.code == 2 && run.stderr.contains("/organizations/acme/settings/copilot"), "{}", run.stderr);
}

#[test]
fn a_selector_of_a_job_names_an_identity_for_every_question() {
    let scene = Scene::with_account();
    let arn = "arn:aws:iam::111122223333:role/incident-agent";
    for asked in ["aws:role/incident-agent", "aws:incident-a*"] {
        assert_eq!(fix(&scene, asked, "gaad.json", &["--force"])["identity"], arn, "{asked}");
        assert_eq!(verdict(&scene, asked, "gaad.json", &["--human", "aws:role/incident-responder"])["identity"], arn);
        let explained = scene.run(&["explain", asked, "--from", "gaad.json"]);
        assert!(explained.code == 0 && explained.stdout.contains(arn), "{asked}: {}", explained.stderr);
    }
    let several = scene.run(&["fix", "aws:role/incident-*", "--from", "gaad.json"]);
    assert!(several.code == 2 && several.stderr.contains("fits 2 identities"), "{}", several.stderr);
}
