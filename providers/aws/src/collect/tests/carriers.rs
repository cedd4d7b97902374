//! Whether a whole collection tells of everything that runs with a role, and of nothing besides.

use std::collections::BTreeSet;

use evenhand_model::access::Unlisted;

use super::server::{Reply, Seen, Server, query};
use super::whole::CANARY;
use super::{Collection, documents, reading};
use crate::carrier::CarrierKind;
use crate::collect::table;

const ROLE: &str = "arn:aws:iam::111122223333:role/operator";
const REFUSED: &str = "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>";

fn encoded(policy: &serde_json::Value) -> String {
    percent_encoding::utf8_percent_encode(&policy.to_string(), percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A person who may do everything with what runs with a role, and a role for all of it that administers.
fn identities() -> String {
    let services: BTreeSet<&str> = CarrierKind::ALL.iter().map(|kind| kind.service()).collect();
    let policy = |statement: serde_json::Value| encoded(&serde_json::json!({"Statement": statement}));
    // Groups of instances take a role that the vendor makes.
    let may = "apprunner:* autoscaling:* batch:* bedrock-agentcore:* cloudformation:* codebuild:* codedeploy:* ec2:* ecs:* \
               glue:* iam:CreateServiceLinkedRole lambda:* sagemaker:* states:*";
    let may: Vec<&str> = may.split_whitespace().collect();
    query(
        "GetAccountAuthorizationDetails",
        &format!(
            "<IsTruncated>false</IsTruncated><UserDetailList><member><Path>/</Path><UserName>ann</UserName>\
             <UserId>AIDAann</UserId><Arn>arn:aws:iam::111122223333:user/ann</Arn><CreateDate>2026-01-02T03:04:05Z\
             </CreateDate><GroupList/><UserPolicyList><member><PolicyName>p</PolicyName><PolicyDocument>{}\
             </PolicyDocument></member></UserPolicyList></member></UserDetailList><RoleDetailList><member><Path>/</Path>\
             <RoleName>operator</RoleName><RoleId>AROAoperator</RoleId><Arn>{ROLE}</Arn>\
             <CreateDate>2026-01-02T03:04:05Z</CreateDate><AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument>\
             <RolePolicyList><member><PolicyName>p</PolicyName><PolicyDocument>{}</PolicyDocument></member>\
             </RolePolicyList><InstanceProfileList><member><InstanceProfileName>operator</InstanceProfileName>\
             <Arn>arn:aws:iam::111122223333:instance-profile/operator</Arn><Roles><member><RoleName>operator</RoleName>\
             <Arn>{ROLE}</Arn></member></Roles></member></InstanceProfileList></member></RoleDetailList>",
            policy(serde_json::json!({"Effect": "Allow", "Action": may, "Resource": "*"})),
            policy(
                serde_json::json!({"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"})
            ),
            policy(serde_json::json!({"Effect": "Allow", "Action": "*", "Resource": "*"})),
        ),
    )
}

/// An account with one thing of most kinds, each with that role and with secrets in it.
fn running(seen: &Seen) -> Option<Reply> {
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:eu-west-1:111122223333:{rest}");
    let variables = serde_json::json!([{"name": "TOKEN", "value": CANARY}]);
    let body = match seen.action.as_str() {
        "iam:GetAccountAuthorizationDetails" => identities(),
        "ec2:DescribeLaunchTemplates" if !seen.text.contains("NextToken=") => {
            "<DescribeLaunchTemplatesResponse><launchTemplates/><nextToken>t</nextToken></DescribeLaunchTemplatesResponse>"
                .to_owned()
        }
        "ec2:DescribeLaunchTemplates" => format!(
            "<DescribeLaunchTemplatesResponse><launchTemplates><item><launchTemplateId>lt-1</launchTemplateId>\
             <launchTemplateName>web</launchTemplateName><tagSet><item><key>k</key><value>{CANARY}</value></item></tagSet>\
             </item></launchTemplates></DescribeLaunchTemplatesResponse>"
        ),
        "ec2:DescribeLaunchTemplateVersions" => {
            assert!(seen.text.contains("LaunchTemplateVersion.1=%24Default"), "{}", seen.text);
            format!(
                "<DescribeLaunchTemplateVersionsResponse><launchTemplateVersionSet><item>\
                 <launchTemplateId>lt-1</launchTemplateId><launchTemplateName>web</launchTemplateName>\
                 <versionDescription>{CANARY}</versionDescription><defaultVersion>true</defaultVersion>\
                 <launchTemplateData><userData>{CANARY}</userData><iamInstanceProfile><name>operator</name>\
                 </iamInstanceProfile></launchTemplateData></item></launchTemplateVersionSet>\
                 </DescribeLaunchTemplateVersionsResponse>"
            )
        }
        "autoscaling:DescribeLaunchConfigurations" => query(
            seen.operation,
            &format!(
                "<LaunchConfigurations><member><LaunchConfigurationName>c</LaunchConfigurationName>\
                 <LaunchConfigurationARN>{}</LaunchConfigurationARN><UserData>{CANARY}</UserData>\
                 <IamInstanceProfile>operator</IamInstanceProfile><SecurityGroups/></member></LaunchConfigurations>",
                arn("autoscaling", "launchConfiguration:1:launchConfigurationName/c")
            ),
        ),
        "cloudformation:DescribeStacks" => query(
            seen.operation,
            &format!(
                "<Stacks><member><StackName>s</StackName><StackId>{}</StackId><RoleARN>{ROLE}</RoleARN>\
                 <Parameters><member><ParameterKey>Password</ParameterKey><ParameterValue>{CANARY}</ParameterValue></member>\
                 </Parameters><Outputs><member><OutputKey>o</OutputKey><OutputValue>{CANARY}</OutputValue></member></Outputs>\
                 </member></Stacks>",
                arn("cloudformation", "stack/s/1")
            ),
        ),
        "batch:DescribeJobDefinitions" => serde_json::json!({"jobDefinitions": [{
            "jobDefinitionArn": arn("batch", "job-definition/j:1"),
            "jobDefinitionName": "j",
            "status": "ACTIVE",
            "nodeProperties": {"nodeRangeProperties": [{"ecsProperties": {"taskProperties": [
                {"taskRoleArn": ROLE, "containers": [{"image": "i", "environment": variables}]},
            ]}}]},
        }]})
        .to_string(),
        "apprunner:ListServices" => serde_json::json!({"ServiceSummaryList": [
            {"ServiceArn": arn("apprunner", "service/s/1"), "ServiceName": "s"},
        ]})
        .to_string(),
        "apprunner:DescribeService" => serde_json::json!({"Service": {
            "ServiceArn": arn("apprunner", "service/s/1"),
            "ServiceName": "s",
            "InstanceConfiguration": {"InstanceRoleArn": ROLE},
            "SourceConfiguration": {"ImageRepository": {"ImageConfiguration":
                {"RuntimeEnvironmentVariables": {"TOKEN": CANARY}}}},
        }})
        .to_string(),
        "codebuild:ListProjects" => r#"{"projects":["p","q"]}"#.to_owned(),
        "codebuild:BatchGetProjects" => {
            let name = if seen.text.contains(r#"{"names":["p"]}"#) { "p" } else { "q" };
            serde_json::json!({"projects": [{
                "name": name,
                "arn": arn("codebuild", &format!("project/{name}")),
                "serviceRole": ROLE,
                "environment": {"environmentVariables": variables},
            }], "projectsNotFound": []})
            .to_string()
        }
        "glue:GetDevEndpoints" => serde_json::json!({"DevEndpoints": [{
            "EndpointName": "d",
            "RoleArn": ROLE,
            "AvailabilityZone": "eu-west-1a",
            "Arguments": {"--token": CANARY},
        }]})
        .to_string(),
        "states:ListStateMachines" => {
            serde_json::json!({"stateMachines": [{"stateMachineArn": arn("states", "stateMachine:m"), "name": "m"}]})
                .to_string()
        }
        // An endpoint that does not know that only a part is wanted.
        "states:DescribeStateMachine" => serde_json::json!({
            "stateMachineArn": arn("states", "stateMachine:m"),
            "name": "m",
            "roleArn": ROLE,
            "definition": CANARY,
        })
        .to_string(),
        _ => return None,
    };
    Some((200, body))
}

/// What may offer steps to the person and was not read.
fn unread(folder: &std::path::Path) -> Vec<String> {
    let resolver = reading(folder).resolver.unwrap();
    let held = resolver.unlisted(&"arn:aws:iam::111122223333:user/ann".into()).into_iter();
    held.filter_map(|held| match held {
        Unlisted::Unread(unread) => Some(unread.what.to_string()),
        Unlisted::Lesser(_) => None,
    })
    .collect()
}

#[test]
fn a_whole_collection_leaves_no_kind_unread_and_finds_each_take_over() {
    let server = Server::new(running);
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    assert_eq!(collected.failed, []);
    for (path, text) in documents(folder.path()) {
        assert!(!text.contains("canary"), "{path}: {text}");
    }
    assert_eq!(unread(folder.path()), [""; 0]);
    assert_eq!(server.count("BatchGetProjects"), 2);
    let edges = reading(folder.path()).resolver.unwrap().edges();
    let found: BTreeSet<&str> = edges.iter().map(|edge| &*edge.technique).collect();
    for kind in ["apprunner-", "autoscaling-", "batch-", "cloudformation-", "codebuild-", "ec2-", "glue-", "states-"] {
        assert!(found.iter().any(|technique| technique.starts_with(kind)), "{kind} is not in {found:?}");
    }
}

#[test]
fn a_list_that_is_refused_leaves_that_kind_unread() {
    for kind in CarrierKind::ALL {
        let list = table::calls().find(|call| call.form.call() == kind.list()).unwrap();
        let action = list.action();
        let server = Server::new(move |seen| match seen.operation {
            _ if seen.action == action => Some((403, REFUSED.to_owned())),
            "GetAccountAuthorizationDetails" => running(seen),
            _ => None,
        });
        let folder = tempfile::tempdir().unwrap();
        Collection::default().run(&server.url, folder.path()).unwrap();
        assert_eq!(unread(folder.path()), [format!("{kind} of account 111122223333 in eu-west-1")]);
    }
}

#[test]
fn what_is_listed_and_goes_before_it_is_described_stays_unread() {
    let server = Server::new(|seen| match seen.action.as_str() {
        "codebuild:BatchGetProjects" => Some((200, r#"{"projects":[],"projectsNotFound":["p"]}"#.to_owned())),
        "states:DescribeStateMachine" => Some((400, r#"{"__type":"StateMachineDoesNotExist"}"#.to_owned())),
        _ => running(seen),
    });
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, folder.path()).unwrap();
    let expected =
        ["codebuild projects", "state machines"].map(|kind| format!("{kind} of account 111122223333 in eu-west-1"));
    assert_eq!(unread(folder.path()), expected);
}

#[test]
fn as_what_a_deployment_runs_stays_unread() {
    let server = Server::new(|seen| match seen.action.as_str() {
        "codedeploy:ListApplications" => Some((200, r#"{"applications":["shop"]}"#.to_owned())),
        _ => running(seen),
    });
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, folder.path()).unwrap();
    assert_eq!(unread(folder.path()), ["codedeploy applications of account 111122223333 in eu-west-1"]);
}
