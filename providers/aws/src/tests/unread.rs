//! What runs with a role and was not read: who holds all the rest of a take-over is told so, and nobody else is.

use std::collections::BTreeSet;

use evenhand_model::access::Unlisted;
use evenhand_model::gap::GapKind;
use proptest::prelude::*;

use super::escalation::{ADMIN, allow, holding, policies, set, user};
use super::{Read, details, read, role};
use crate::carrier::{CarrierKind, DescribedBy};
use crate::catalog::Catalogue;
use crate::escalation::techniques::{self, Target, Technique};

const ROLE: &str = "arn:aws:iam::111122223333:role/target";
const PROFILE: &str = "arn:aws:iam::111122223333:instance-profile/target";

/// The answers about one thing of a kind that runs as `target`: what its list says, and its description where the list
/// tells no role.
fn answers(kind: CarrierKind) -> (String, Option<String>) {
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:eu-west-1:111122223333:{rest}");
    let (list, description) = match kind {
        CarrierKind::Function => {
            (format!(r#"{{"Functions":[{{"FunctionArn":"{}","Role":"{ROLE}"}}]}}"#, arn("lambda", "function:f")), None)
        }
        CarrierKind::Instance => (
            format!(
                r#"{{"Reservations":[{{"OwnerId":"111122223333","Instances":[{{"InstanceId":"i-1","IamInstanceProfile":{{"Arn":"{PROFILE}"}},"Placement":{{"AvailabilityZone":"eu-west-1a"}}}}]}}]}}"#
            ),
            None,
        ),
        CarrierKind::LaunchTemplate => (
            r#"{"LaunchTemplates":[{"LaunchTemplateId":"lt-1","LaunchTemplateName":"t"}]}"#.to_owned(),
            Some(
                r#"{"LaunchTemplateVersions":[{"LaunchTemplateId":"lt-1","LaunchTemplateData":{"IamInstanceProfile":{"Name":"target"}}}]}"#
                    .to_owned(),
            ),
        ),
        CarrierKind::LaunchConfiguration => (
            format!(
                r#"{{"LaunchConfigurations":[{{"LaunchConfigurationARN":"{}","LaunchConfigurationName":"c","IamInstanceProfile":"target"}}]}}"#,
                arn("autoscaling", "launchConfiguration:1:launchConfigurationName/c")
            ),
            None,
        ),
        CarrierKind::TaskDefinition => (
            r#"{"families":["web"]}"#.to_owned(),
            Some(format!(
                r#"{{"taskDefinition":{{"taskDefinitionArn":"{}","family":"web","taskRoleArn":"{ROLE}"}}}}"#,
                arn("ecs", "task-definition/web:3")
            )),
        ),
        CarrierKind::JobDefinition => (
            format!(
                r#"{{"jobDefinitions":[{{"jobDefinitionArn":"{}","jobDefinitionName":"j","status":"ACTIVE","containerProperties":{{"jobRoleArn":"{ROLE}"}}}}]}}"#,
                arn("batch", "job-definition/j:1")
            ),
            None,
        ),
        CarrierKind::Service => {
            let arn = arn("apprunner", "service/s/1");
            (
                format!(r#"{{"ServiceSummaryList":[{{"ServiceArn":"{arn}","ServiceName":"s"}}]}}"#),
                Some(format!(
                    r#"{{"Service":{{"ServiceArn":"{arn}","ServiceName":"s","InstanceConfiguration":{{"InstanceRoleArn":"{ROLE}"}}}}}}"#
                )),
            )
        }
        CarrierKind::Stack => (
            format!(r#"{{"Stacks":[{{"StackId":"{}","RoleARN":"{ROLE}"}}]}}"#, arn("cloudformation", "stack/s/1")),
            None,
        ),
        CarrierKind::Project => (
            r#"{"projects":["p"]}"#.to_owned(),
            Some(format!(
                r#"{{"projects":[{{"name":"p","arn":"{}","serviceRole":"{ROLE}"}}],"projectsNotFound":[]}}"#,
                arn("codebuild", "project/p")
            )),
        ),
        CarrierKind::DeploymentGroup => (r#"{"applications":["shop"]}"#.to_owned(), None),
        CarrierKind::DevEndpoint => (
            format!(
                r#"{{"DevEndpoints":[{{"EndpointName":"d","RoleArn":"{ROLE}","AvailabilityZone":"eu-west-1a"}}]}}"#
            ),
            None,
        ),
        CarrierKind::Notebook => {
            let arn = arn("sagemaker", "notebook-instance/n");
            (
                format!(r#"{{"NotebookInstances":[{{"NotebookInstanceName":"n","NotebookInstanceArn":"{arn}"}}]}}"#),
                Some(format!(r#"{{"NotebookInstanceArn":"{arn}","RoleArn":"{ROLE}"}}"#)),
            )
        }
        CarrierKind::StateMachine => {
            let arn = arn("states", "stateMachine:m");
            (
                format!(r#"{{"stateMachines":[{{"stateMachineArn":"{arn}","name":"m"}}]}}"#),
                Some(format!(r#"{{"stateMachineArn":"{arn}","name":"m","roleArn":"{ROLE}"}}"#)),
            )
        }
        CarrierKind::AgentRuntime => {
            let arn = arn("bedrock-agentcore", "runtime/r-1");
            (
                format!(r#"{{"agentRuntimes":[{{"agentRuntimeArn":"{arn}","agentRuntimeName":"r"}}]}}"#),
                Some(format!(r#"{{"agentRuntimeArn":"{arn}","agentRuntimeName":"r","roleArn":"{ROLE}"}}"#)),
            )
        }
        CarrierKind::CodeInterpreter => {
            let arn = arn("bedrock-agentcore", "code-interpreter-custom/c-1");
            (
                format!(r#"{{"codeInterpreterSummaries":[{{"codeInterpreterArn":"{arn}","name":"c"}}]}}"#),
                Some(format!(r#"{{"codeInterpreterArn":"{arn}","name":"c","executionRoleArn":"{ROLE}"}}"#)),
            )
        }
        CarrierKind::Browser => {
            let arn = arn("bedrock-agentcore", "browser-custom/b-1");
            (
                format!(r#"{{"browserSummaries":[{{"browserArn":"{arn}","name":"b"}}]}}"#),
                Some(format!(r#"{{"browserArn":"{arn}","name":"b","executionRoleArn":"{ROLE}"}}"#)),
            )
        }
    };
    (list, description)
}

/// A list of a kind without anything in it.
fn nothing(kind: CarrierKind) -> String {
    let (list, _) = answers(kind);
    let (before, _) = list.split_once('[').unwrap();
    format!("{before}[]}}")
}

/// An answer with its question.
fn wrapped(call: &str, region: &str, response: &str) -> String {
    format!(r#"{{"call":"{call}","account":"111122223333","region":"{region}","response":{response}}}"#)
}

fn refused(call: &str, region: &str) -> String {
    format!(r#"{{"call":"{call}","account":"111122223333","region":"{region}","error":{{"code":"AccessDenied"}}}}"#)
}

/// A role that a service runs things with, on instances too.
fn running(name: &str, service: &str, statements: &str) -> String {
    let trust = format!(r#"{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"sts:AssumeRole"}}"#);
    let profile = format!(
        r#","RolePolicyList":{},"InstanceProfileList":[{{"InstanceProfileName":"{name}","Arn":"arn:aws:iam::111122223333:instance-profile/{name}"}}]"#,
        policies(statements)
    );
    role(name, &trust, &profile)
}

/// User `u` with these statements and a role `target` that administers, beside these documents.
fn with(service: &str, statements: &str, documents: &[String]) -> Read {
    let gaad = details(&user("u", statements, ""), "", &running("target", service, ADMIN), "");
    let names: Vec<String> = (0..documents.len()).map(|at| format!("{at}.json")).collect();
    let mut all = vec![("gaad.json", &*gaad)];
    all.extend(names.iter().zip(documents).map(|(name, text)| (&**name, &**text)));
    let read = read(&all);
    assert!(read.errors.is_empty(), "{:?}", read.errors);
    read
}

/// What was not read and may offer steps to somebody.
fn unread(read: &Read, name: &str) -> Vec<String> {
    let held = read.resolver.unlisted(&read.identity(name).id).into_iter();
    held.filter_map(|held| match held {
        Unlisted::Unread(unread) => Some(unread.what.to_string()),
        Unlisted::Lesser(_) => None,
    })
    .collect()
}

fn take_overs() -> impl Iterator<Item = (&'static Technique, CarrierKind)> {
    techniques::all()
        .iter()
        .filter(|technique| technique.target == Target::Carrier)
        .map(|technique| (technique, technique.carrier.unwrap()))
}

/// The actions of a technique.
fn actions(technique: &Technique) -> Vec<String> {
    let all = technique.operations.iter().chain(&technique.helpers);
    all.map(|operation| evenhand_model::catalog::Catalog::name(Catalogue::global(), *operation).to_string()).collect()
}

fn allowing(actions: &[String], resource: &str) -> String {
    allow(&actions.iter().map(String::as_str).collect::<Vec<_>>(), resource)
}

#[test]
fn a_take_over_is_open_until_what_it_takes_over_was_read() {
    for (technique, kind) in take_overs() {
        let statements = allowing(&actions(technique), "*");
        let (list, description) = answers(kind);
        let call = kind.list();
        let listed = wrapped(call, "eu-west-1", &list);
        let followed = wrapped(call, "eu-west-1", &list.replacen('{', r#"{"NextToken":"x","#, 1));
        let mut whole = vec![listed.clone()];
        if let (DescribedBy::Call(call), Some(description)) = (kind.described_by(), &description) {
            whole.push(wrapped(call, "eu-west-1", description));
        }
        let open = || vec![format!("{kind} of account 111122223333")];
        let here = || vec![format!("{kind} of account 111122223333 in eu-west-1")];
        let told = kind.described_by() != DescribedBy::Nothing;
        let by_list = kind.described_by() == DescribedBy::List;
        for (name, documents, steps, expected) in [
            ("not asked", vec![], false, open()),
            ("refused", vec![refused(call, "eu-west-1")], false, here()),
            ("goes on elsewhere", vec![followed], by_list, open()),
            ("empty", vec![wrapped(call, "eu-west-1", &nothing(kind))], false, vec![]),
            ("listed", vec![listed], by_list, if by_list { vec![] } else { here() }),
            ("listed and described", whole, told, if told { vec![] } else { here() }),
        ] {
            let read = with(kind.service(), &statements, &documents);
            let found = read.techniques("user/u");
            assert_eq!(
                found.iter().any(|id| id.trim_end_matches('?') == technique.id),
                steps,
                "{}: {name}",
                technique.id
            );
            assert_eq!(unread(&read, "u"), expected, "{}: {name}", technique.id);
        }
    }
}

#[test]
fn what_runs_is_open_where_its_name_or_its_role_is_none() {
    let statements = allow(&["lambda:UpdateFunctionCode"], "*");
    let gaad = details(&user("u", &statements, ""), "", &running("target", "lambda.amazonaws.com", ADMIN), "");
    let arn = "arn:aws:lambda:eu-west-1:111122223333:function:f";
    for (arn, role, member) in [
        (arn, "target", "Role"),
        (arn, "arn:aws:iam::111122223333:user/u", "Role"),
        ("f", ROLE, "FunctionArn"),
        ("", ROLE, "FunctionArn"),
    ] {
        let functions = format!(r#"{{"Functions":[{{"FunctionArn":"{arn}","Role":"{role}"}}]}}"#);
        let read = read(&[("gaad.json", &gaad), ("functions.json", &functions)]);
        let places: Vec<&str> = read.errors.iter().map(|error| &*error.document).collect();
        assert_eq!(places, [format!("functions.json#/Functions/0/{member}")], "{arn} {role}");
        assert_eq!(unread(&read, "u"), ["lambda functions of account 111122223333"], "{arn} {role}");
    }
}

#[test]
fn what_is_described_with_a_role_that_is_none_is_open() {
    for (technique, kind) in take_overs() {
        let (list, description) = answers(kind);
        let (DescribedBy::Call(call), Some(description)) = (kind.described_by(), description) else { continue };
        if !description.contains(ROLE) {
            continue;
        }
        let statements = allowing(&actions(technique), "*");
        let gaad = details(&user("u", &statements, ""), "", &running("target", kind.service(), ADMIN), "");
        let list = wrapped(kind.list(), "eu-west-1", &list);
        let description = wrapped(call, "eu-west-1", &description.replace(ROLE, "no role"));
        let read = read(&[("gaad.json", &gaad), ("list.json", &list), ("one.json", &description)]);
        assert_eq!(read.errors.len(), 1, "{kind}: {:?}", read.errors);
        assert_eq!(unread(&read, "u"), [format!("{kind} of account 111122223333 in eu-west-1")], "{}", technique.id);
    }
}

#[test]
fn a_role_is_known_by_its_name_alone_where_the_vendor_takes_one() {
    for (technique, kind) in take_overs() {
        if !matches!(kind, CarrierKind::TaskDefinition | CarrierKind::JobDefinition | CarrierKind::Project) {
            continue;
        }
        let statements = allowing(&actions(technique), "*");
        let told = |role: &str| {
            let (list, description) = answers(kind);
            let mut documents = vec![wrapped(kind.list(), "eu-west-1", &list.replace(ROLE, role))];
            if let (DescribedBy::Call(call), Some(description)) = (kind.described_by(), description) {
                documents.push(wrapped(call, "eu-west-1", &description.replace(ROLE, role)));
            }
            let read = with(kind.service(), &statements, &documents);
            (read.techniques("user/u"), unread(&read, "u"))
        };
        assert_eq!(told("target"), told(ROLE), "{}", technique.id);
    }
}

#[test]
fn a_list_of_another_account_answers_for_that_one_alone() {
    let functions = r#"{"Functions":[{"FunctionArn":"arn:aws:lambda:eu-west-1:999988887777:function:f",
        "Role":"arn:aws:iam::999988887777:role/r"}]}"#;
    let statements = allow(&["lambda:UpdateFunctionCode"], "*");
    let read = with("lambda.amazonaws.com", &statements, &[functions.to_owned()]);
    assert_eq!(unread(&read, "u"), ["lambda functions of account 111122223333"]);
    let has_gap = |account: &str, call: &str| {
        let of = |scope: Option<&str>| scope == Some(account);
        let mut gaps = read.inventory.gaps.iter();
        gaps.any(|gap| of(gap.scope.as_ref().map(|scope| scope.as_str())) && &*gap.call == call)
    };
    assert!(has_gap("111122223333", "aws lambda list-functions"));
    assert!(has_gap("999988887777", "aws iam get-account-authorization-details"));
    assert!(!has_gap("111122223333", "aws iam get-account-authorization-details"));
}

#[test]
fn only_who_holds_all_the_rest_is_left_open() {
    let update = ["lambda:UpdateFunctionCode", "lambda:InvokeFunction"];
    let at_home = "arn:aws:lambda:*:111122223333:function:*";
    let deny = |action: &str| format!(r#",{{"Effect":"Deny","Action":"{action}","Resource":"*"}}"#);
    let secrets = allow(&["secretsmanager:*"], "*");
    for (name, service, statements, target, open) in [
        ("all", "lambda.amazonaws.com", allow(&update, "*"), ADMIN, true),
        ("at home", "lambda.amazonaws.com", allow(&update, at_home), ADMIN, true),
        ("one function", "lambda.amazonaws.com", allow(&update, &at_home.replace(":*", ":f")), ADMIN, true),
        ("elsewhere", "lambda.amazonaws.com", allow(&update, &at_home.replace("1111", "9999")), ADMIN, false),
        ("another kind", "lambda.amazonaws.com", allow(&update, "arn:aws:lambda:*:*:layer:*"), ADMIN, false),
        ("less", "lambda.amazonaws.com", allow(&["lambda:InvokeFunction"], "*"), ADMIN, false),
        ("denied", "lambda.amazonaws.com", allow(&update, "*") + &deny("lambda:UpdateFunction*"), ADMIN, false),
        ("no role for it", "ec2.amazonaws.com", allow(&update, "*"), ADMIN, false),
        ("nothing gained", "lambda.amazonaws.com", allow(&update, "*") + "," + &secrets, &secrets, false),
        ("something gained", "lambda.amazonaws.com", allow(&update, "*"), &secrets, true),
        ("controls it anyway", "lambda.amazonaws.com", ADMIN.to_owned(), ADMIN, false),
    ] {
        let gaad = details(&user("u", &statements, ""), "", &running("target", service, target), "");
        let read = read(&[("gaad.json", &gaad)]);
        let expected: &[&str] = if open { &["lambda functions of account 111122223333"] } else { &[] };
        assert_eq!(unread(&read, "u"), expected, "{name}");
        assert_eq!(read.techniques("user/u"), set(&[]), "{name}");
    }
}

#[test]
fn a_boundary_that_stops_a_take_over_leaves_nothing_open() {
    let boundary = r#"{"PolicyName":"b","Arn":"arn:aws:iam::111122223333:policy/b","PolicyVersionList":[{"VersionId":"v1","IsDefaultVersion":true,
        "Document":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}}]}"#;
    let bounded = r#","PermissionsBoundary":{"PermissionsBoundaryArn":"arn:aws:iam::111122223333:policy/b"}"#;
    let statements = allow(&["lambda:UpdateFunctionCode"], "*");
    let users = [user("bounded", &statements, bounded), user("free", &statements, "")];
    let roles = running("target", "lambda.amazonaws.com", ADMIN);
    let read = read(&[("gaad.json", &details(&users.join(","), "", &roles, boundary))]);
    assert_eq!(unread(&read, "bounded"), [""; 0]);
    assert_eq!(unread(&read, "free").len(), 1);
}

#[test]
fn regions_that_were_read_are_read_and_others_are_not() {
    let call = CarrierKind::Function.list();
    let regions = wrapped(
        "ec2 describe-regions",
        "us-east-1",
        r#"{"Regions":[{"RegionName":"eu-west-1"},{"RegionName":"us-east-1"},
        {"RegionName":"ap-east-1","OptInStatus":"not-opted-in"}]}"#,
    );
    let here = wrapped(call, "eu-west-1", r#"{"Functions":[]}"#);
    let there = wrapped(call, "us-east-1", r#"{"Functions":[]}"#);
    let instances = wrapped("ec2 describe-instances", "us-east-1", r#"{"Reservations":[]}"#);
    let within = |region: &str| {
        allow(&["lambda:UpdateFunctionCode"], &format!("arn:aws:lambda:{region}:111122223333:function:*"))
    };
    let kept = format!(
        r#"{},{{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{{"StringNotEquals":{{"aws:RequestedRegion":"eu-west-1"}}}}}}"#,
        within("*")
    );
    let plain = r#"{"Functions":[]}"#.to_owned();
    let everywhere = "lambda functions of account 111122223333";
    let in_us = "lambda functions of account 111122223333 in us-east-1";
    for (name, documents, statements, expected) in [
        ("nothing tells of other regions", vec![&here], within("*"), None),
        ("a region was not read", vec![&here, &regions], within("*"), Some(in_us)),
        ("another list was read there", vec![&here, &instances], within("*"), Some(in_us)),
        ("every region was read", vec![&here, &there, &regions], within("*"), None),
        ("the rights end where it was read", vec![&here, &regions], within("eu-west-1"), None),
        ("the rights end where it was not", vec![&here, &regions], within("us-east-1"), Some(in_us)),
        ("a deny keeps to what was read", vec![&here, &regions], kept, None),
        ("a list that says no region is the account's", vec![&plain, &regions], within("*"), None),
        ("only the regions are known", vec![&regions], within("*"), Some(everywhere)),
        ("one region refused it", vec![&here, &refused(call, "us-east-1")], within("*"), Some(in_us)),
        ("asked again where it was refused", vec![&refused(call, "us-east-1"), &there], within("*"), None),
    ] {
        let documents: Vec<String> = documents.into_iter().cloned().collect();
        let read = with("lambda.amazonaws.com", &statements, &documents);
        assert_eq!(unread(&read, "u"), expected.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_thing_that_runs_where_nobody_said_is_open() {
    let statements = allow(&["glue:UpdateDevEndpoint"], "arn:aws:glue:eu-west-1:111122223333:devEndpoint/*");
    let endpoints = format!(r#"{{"DevEndpoints":[{{"EndpointName":"d","RoleArn":"{ROLE}"}}]}}"#);
    let read = with("glue.amazonaws.com", &statements, std::slice::from_ref(&endpoints));
    assert_eq!(unread(&read, "u"), ["glue development endpoints of account 111122223333"]);
    let read = with("glue.amazonaws.com", &statements, &[wrapped("glue get-dev-endpoints", "eu-west-1", &endpoints)]);
    assert_eq!((unread(&read, "u"), read.techniques("user/u")), (vec![], set(&["glue-update-dev-endpoint"])));

    let statements = allow(&["ssm:StartSession"], "arn:aws:ec2:eu-west-1:111122223333:instance/*");
    let machines = format!(
        r#"{{"Reservations":[{{"OwnerId":"111122223333","Instances":[{{"InstanceId":"i-1","IamInstanceProfile":{{"Arn":"{PROFILE}"}}}}]}}]}}"#
    );
    let read = with("ec2.amazonaws.com", &statements, std::slice::from_ref(&machines));
    assert_eq!(unread(&read, "u"), ["ec2 instances of account 111122223333"]);
    let read = with("ec2.amazonaws.com", &statements, &[wrapped("ec2 describe-instances", "eu-west-1", &machines)]);
    assert_eq!(unread(&read, "u"), Vec::<String>::new());
}

#[test]
fn a_gap_says_what_to_call_and_why_it_is_not_there() {
    let statements = allow(&["sagemaker:CreatePresignedNotebookInstanceUrl"], "*");
    let kind = CarrierKind::Notebook;
    let (list, _) = answers(kind);
    for (documents, call, reason) in [
        (
            vec![],
            "aws sagemaker list-notebook-instances, then describe-notebook-instance for each",
            "not part of the capture; run the call and add its output",
        ),
        (
            vec![list],
            "aws sagemaker describe-notebook-instance",
            "listed but not described: arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/n; run the call and \
             add its output",
        ),
        (
            vec![refused(kind.list(), "eu-west-1")],
            "sagemaker list-notebook-instances",
            "brought no answer in eu-west-1; make the call again",
        ),
    ] {
        let read = with(kind.service(), &statements, &documents);
        let held = read.resolver.unlisted(&read.identity("u").id);
        let [Unlisted::Unread(unread)] = held.as_slice() else { panic!("{held:?}") };
        let gap = &unread.gap;
        assert_eq!((&*gap.call, &*gap.reason, gap.kind), (call, reason, GapKind::NotCollected));
        assert_eq!(gap.scope.as_ref().map(|scope| scope.as_str()), Some("111122223333"));
    }
}

#[test]
fn what_was_not_collected_yet_is_open_where_it_is_pending() {
    let manifest = r#"{"evenhand_capture":1,"provider":"aws","complete":false,"stopped":"deadline","calls":[],
        "pending":[{"account":"111122223333","region":"us-east-1","call":"lambda list-functions"}]}"#;
    let here = wrapped("lambda list-functions", "eu-west-1", r#"{"Functions":[]}"#);
    let statements = allow(&["lambda:UpdateFunctionCode"], "*");
    let read = with("lambda.amazonaws.com", &statements, &[manifest.to_owned(), here]);
    assert_eq!(unread(&read, "u"), ["lambda functions of account 111122223333 in us-east-1"]);
}

#[test]
fn an_instance_is_no_list_of_functions() {
    let (instances, _) = answers(CarrierKind::Instance);
    let read = with("ec2.amazonaws.com", &allow(&["s3:*"], "*"), &[instances]);
    let calls: BTreeSet<&str> = read.inventory.gaps.iter().map(|gap| &*gap.call).collect();
    assert!(calls.contains("aws lambda list-functions"), "{calls:?}");
}

fn some_kinds() -> impl Strategy<Value = Vec<CarrierKind>> {
    prop::sample::subsequence(CarrierKind::ALL.to_vec(), 0..=CarrierKind::ALL.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn reading_an_empty_list_more_takes_a_doubt_away_and_no_step(
        before in some_kinds(), more in some_kinds(), full in some_kinds(),
    ) {
        let services: BTreeSet<&str> = CarrierKind::ALL.iter().map(|kind| kind.service()).collect();
        let name = |at: usize| if at == 0 { "target".to_owned() } else { format!("target{at}") };
        let roles: Vec<String> =
            services.iter().enumerate().map(|(at, service)| running(&name(at), service, ADMIN)).collect();
        let all: BTreeSet<String> = take_overs().flat_map(|(technique, _)| actions(technique)).collect();
        let statements = allowing(&all.into_iter().collect::<Vec<_>>(), "*");
        let gaad = details(&user("u", &statements, ""), "", &roles.join(","), "");
        let of = |lists: &[CarrierKind]| {
            let mut documents = vec![("gaad.json".to_owned(), gaad.clone())];
            for kind in lists {
                documents.push((format!("{}.json", kind.word()), wrapped(kind.list(), "eu-west-1", &nothing(*kind))));
            }
            for kind in &full {
                let (list, description) = answers(*kind);
                documents.push((format!("{}-full.json", kind.word()), wrapped(kind.list(), "eu-west-1", &list)));
                if let (DescribedBy::Call(call), Some(description)) = (kind.described_by(), description) {
                    let text = wrapped(call, "eu-west-1", &description);
                    documents.push((format!("{}-described.json", kind.word()), text));
                }
            }
            let documents: Vec<(&str, &str)> = documents.iter().map(|(name, text)| (&**name, &**text)).collect();
            read(&documents)
        };
        let few = of(&before);
        let both: Vec<CarrierKind> = before.iter().chain(&more).copied().collect();
        let many = of(&both);
        prop_assert_eq!(few.techniques("user/u"), many.techniques("user/u"));
        let (few, many): (BTreeSet<_>, BTreeSet<_>) = (unread(&few, "u").into_iter().collect(), unread(&many, "u").into_iter().collect());
        prop_assert!(many.is_subset(&few), "{many:?} {few:?}");
        let unasked = |kind: &&CarrierKind| {
            let nothing_describes = **kind == CarrierKind::DeploymentGroup && full.contains(kind);
            nothing_describes || !(both.contains(kind) || full.contains(kind))
        };
        prop_assert_eq!(many.len(), CarrierKind::ALL.iter().filter(unasked).count());
    }
}

#[test]
fn a_role_that_runs_it_is_not_left_open_by_itself() {
    let statements = allow(&["lambda:UpdateFunctionCode"], "*");
    let trust = r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#;
    let read = read(&[("gaad.json", &details("", "", &holding("deployer", trust, &statements), ""))]);
    assert_eq!(unread(&read, "deployer"), [""; 0]);
}
