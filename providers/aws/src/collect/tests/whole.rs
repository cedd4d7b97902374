//! Collections of which everything can be had.

use evenhand_model::access::Outcome;
use evenhand_model::identity::{Nature, judge};

use super::server::{Reply, Seen, Server, query};
use super::{Collection, decide, documents, inventory};
use crate::collect::policy;

pub(super) const CANARY: &str = "fake-canary-0123456789";

fn trust(service: &str) -> String {
    format!(
        "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A\
         %7B%22Service%22%3A%22{service}%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D"
    )
}

fn role(account: &str, name: &str, service: &str) -> String {
    format!(
        "<member><Path>/</Path><RoleName>{name}</RoleName><RoleId>AROA{name}</RoleId>\
         <Arn>arn:aws:iam::{account}:role/{name}</Arn><CreateDate>2026-01-02T03:04:05Z</CreateDate>\
         <AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument></member>",
        trust(service)
    )
}

/// An account with a person, an agent, functions with secrets, and pages everywhere.
pub(super) fn account(seen: &Seen) -> Option<Reply> {
    let text = &seen.text;
    let body = match seen.operation {
        "GetAccountAuthorizationDetails" if !text.contains("Marker=") => query(
            seen.operation,
            "<IsTruncated>true</IsTruncated><Marker>p2</Marker><UserDetailList><member><Path>/</Path>\
             <UserName>ann</UserName><UserId>AIDAann</UserId><Arn>arn:aws:iam::111122223333:user/ann</Arn>\
             <CreateDate>2026-01-02T03:04:05Z</CreateDate><GroupList/></member></UserDetailList>",
        ),
        "GetAccountAuthorizationDetails" => query(
            seen.operation,
            &format!(
                "<IsTruncated>false</IsTruncated><RoleDetailList>{}{}</RoleDetailList>",
                role("111122223333", "support", "bedrock.amazonaws.com"),
                [
                    role("111122223333", "worker", "lambda.amazonaws.com"),
                    role("111122223333", "assistant", "ec2.amazonaws.com"),
                ]
                .concat(),
            ),
        ),
        "ListAccessKeys" => query(
            seen.operation,
            "<IsTruncated>false</IsTruncated><AccessKeyMetadata><member><UserName>ann</UserName>\
             <AccessKeyId>AKIAFAKEFAKEFAKE0001</AccessKeyId><Status>Active</Status>\
             <CreateDate>2026-01-02T03:04:05Z</CreateDate></member></AccessKeyMetadata>",
        ),
        "GetAccessKeyLastUsed" => query(
            seen.operation,
            "<UserName>ann</UserName><AccessKeyLastUsed><ServiceName>s3</ServiceName><Region>eu-west-1</Region>\
             <LastUsedDate>2026-10-01T00:00:00Z</LastUsedDate></AccessKeyLastUsed>",
        ),
        "GenerateServiceLastAccessedDetails" => query(seen.operation, "<JobId>job-1</JobId>"),
        "GetServiceLastAccessedDetails" => query(
            seen.operation,
            "<JobStatus>COMPLETED</JobStatus><IsTruncated>false</IsTruncated><ServicesLastAccessed/>",
        ),
        "ListAgents" if !text.contains("nextToken") => {
            r#"{"agentSummaries":[{"agentId":"AG1","agentName":"support"}],"nextToken":"more"}"#.to_owned()
        }
        "ListAgents" => r#"{"agentSummaries":[{"agentId":"AG2","agentName":"second"}]}"#.to_owned(),
        "GetAgent" => {
            let id = if text.contains("AG1") { "AG1" } else { "AG2" };
            format!(
                r#"{{"agent":{{"agentId":"{id}","agentName":"{id}","agentArn":"arn:aws:bedrock:eu-west-1:111122223333:agent/{id}",
                "agentResourceRoleArn":"arn:aws:iam::111122223333:role/support","instruction":"{CANARY}"}}}}"#
            )
        }
        "ListFunctions" => format!(
            r#"{{"Functions":[{{"FunctionName":"f","FunctionArn":"arn:aws:lambda:eu-west-1:111122223333:function:f",
            "Role":"arn:aws:iam::111122223333:role/worker","Environment":{{"Variables":{{"DB_PASSWORD":"{CANARY}","MODE":"{CANARY}"}}}}}}]}}"#
        ),
        "ListApplications" if seen.action.starts_with("qbusiness") => r#"{"applications":[{"applicationId":"q1","displayName":"helpdesk"}]}"#.to_owned(),
        "GetApplication" => format!(
            r#"{{"applicationId":"q1","displayName":"helpdesk","identityType":"AWS_IAM_IDC","status":"ACTIVE",
            "applicationArn":"arn:aws:qbusiness:eu-west-1:111122223333:application/q1","error":{{"errorMessage":"{CANARY}"}},
            "roleArn":"arn:aws:iam::111122223333:role/assistant"}}"#
        ),
        "DescribeRepositories" => {
            r#"{"repositories":[{"repositoryArn":"arn:aws:ecr:eu-west-1:111122223333:repository/team/app",
            "registryId":"111122223333","repositoryName":"team/app"},{"repositoryArn":
            "arn:aws:ecr:eu-west-1:111122223333:repository/bare","registryId":"111122223333","repositoryName":"bare"}]}"#
                .to_owned()
        }
        "GetRepositoryPolicy" if text.contains("bare") => {
            return Some((400, r#"{"__type":"RepositoryPolicyNotFoundException"}"#.to_owned()));
        }
        "GetRepositoryPolicy" => r#"{"registryId":"111122223333","repositoryName":"team/app","policyText":
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:user/ann\"},\"Action\":\"ecr:BatchGetImage\"}]}"}"#
            .to_owned(),
        "GetPolicy" => return Some((404, r#"{"__type":"ResourceNotFoundException"}"#.to_owned())),
        _ => return None,
    };
    Some((200, body))
}

#[test]
fn what_is_there_is_found_again_and_no_secret_is_written() {
    let server = Server::new(account);
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    assert_eq!(collected.failed, []);
    assert_eq!(collected.stopped, None);
    assert!(collected.identities);
    let all = documents(folder.path());
    for (path, text) in &all {
        assert!(!text.contains("canary"), "{path}: {text}");
    }
    let names: Vec<&str> = all.iter().map(|(path, _)| path.as_str()).collect();
    for wanted in [
        "aws/manifest.json",
        "aws/111122223333/account-authorization-details.json",
        "aws/111122223333/access-keys.ndjson",
        "aws/111122223333/eu-west-1/bedrock-agent-descriptions.ndjson",
        "aws/organization/organization.json",
    ] {
        assert!(names.contains(&wanted), "{wanted} is not in {names:?}");
    }
    let inventory = inventory(folder.path());
    let count = |kind: &str| inventory.identities.iter().filter(|identity| identity.kind == kind).count();
    assert_eq!((count("user"), count("role")), (1, 3));
    assert_eq!(inventory.agents.iter().filter(|agent| agent.name.starts_with("AG")).count(), 2);
    let assistant = inventory.identities.iter().find(|identity| &*identity.name == "assistant").unwrap();
    assert_eq!(judge(&assistant.signals).nature, Nature::AiAgent, "a Q Business application acts as it");
    let ann = inventory.identities.iter().find(|identity| &*identity.name == "ann").unwrap();
    let image = "arn:aws:ecr:eu-west-1:111122223333:repository/team/app";
    assert_eq!(decide(folder.path(), ann, "ecr:BatchGetImage", image), Outcome::Allowed);
    let key = inventory.credentials.iter().find(|held| &*held.kind == "access_key").unwrap();
    assert!(matches!(key.last_used_at, evenhand_model::evidence::Fact::Known(_)), "{key:?}");
    assert_eq!(inventory.credentials.iter().filter(|held| held.fingerprint.is_some()).count(), 1);
    assert!(inventory.gaps.iter().all(|gap| !gap.reason.contains("refused")), "{:?}", inventory.gaps);
}

#[test]
fn nothing_is_called_that_the_published_policy_does_not_allow() {
    let server = Server::new(account);
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, folder.path()).unwrap();
    let policy = policy(None).to_string();
    for seen in server.seen() {
        let allowed = policy.contains(&format!("\"{}\"", seen.action));
        assert!(allowed || seen.action == "sts:GetCallerIdentity", "{}", seen.action);
    }
}

#[test]
fn a_report_that_is_not_ready_is_asked_for_again() {
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::new(move |seen| match seen.operation {
        "GenerateCredentialReport" => {
            let state = ["STARTED", "INPROGRESS"].get(tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
            Some((200, query(seen.operation, &format!("<State>{}</State>", state.unwrap_or(&"COMPLETE")))))
        }
        _ => account(seen),
    });
    let folder = tempfile::tempdir().unwrap();
    Collection::default().run(&server.url, folder.path()).unwrap();
    assert_eq!((server.count("GenerateCredentialReport"), server.count("GetCredentialReport")), (3, 1));
}

/// An organisation of three accounts, of which one lets nobody in.
pub(super) fn organisation(seen: &Seen) -> Option<Reply> {
    let account = match seen.key.as_str() {
        "ASIAFAKEFAKEFAKE2222" => "222222222222",
        _ => "111122223333",
    };
    let body = match seen.operation {
        "ListAccounts" => r#"{"Accounts":[
            {"Id":"111122223333","Arn":"arn:aws:organizations::111122223333:account/o-1/111122223333","Name":"main","Status":"ACTIVE"},
            {"Id":"222222222222","Arn":"arn:aws:organizations::111122223333:account/o-1/222222222222","Name":"prod","Status":"ACTIVE"},
            {"Id":"333333333333","Arn":"arn:aws:organizations::111122223333:account/o-1/333333333333","Name":"closed","Status":"SUSPENDED"},
            {"Id":"444444444444","Arn":"arn:aws:organizations::111122223333:account/o-1/444444444444","Name":"shut","Status":"ACTIVE"}]}"#
            .to_owned(),
        "ListRoots" => {
            r#"{"Roots":[{"Id":"r-1","Arn":"x","PolicyTypes":[{"Type":"SERVICE_CONTROL_POLICY","Status":"ENABLED"}]}]}"#
                .to_owned()
        }
        "ListOrganizationalUnitsForParent" if seen.text.contains("r-1") => {
            r#"{"OrganizationalUnits":[{"Id":"ou-1","Arn":"x"}]}"#.to_owned()
        }
        "ListOrganizationalUnitsForParent" if seen.text.contains("ou-1") => {
            r#"{"OrganizationalUnits":[{"Id":"ou-2","Arn":"x"}]}"#.to_owned()
        }
        "AssumeRole" if seen.text.contains("222222222222") => query(
            seen.operation,
            "<Credentials><AccessKeyId>ASIAFAKEFAKEFAKE2222</AccessKeyId><SecretAccessKey>fake-canary</SecretAccessKey>\
             <SessionToken>fake-canary</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>",
        ),
        "AssumeRole" => {
            return Some((403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>".to_owned()));
        }
        "GetAccountAuthorizationDetails" => query(
            seen.operation,
            &format!(
                "<IsTruncated>false</IsTruncated><RoleDetailList>{}</RoleDetailList>",
                role(account, "worker", "lambda.amazonaws.com")
            ),
        ),
        _ => return None,
    };
    Some((200, body))
}

#[test]
fn every_active_account_of_an_organisation_is_read_and_one_that_lets_nobody_in_is_a_gap() {
    let server = Server::new(organisation);
    let folder = tempfile::tempdir().unwrap();
    let collection = Collection { role: Some("audit".to_owned()), ..Collection::default() };
    let collected = collection.run(&server.url, folder.path()).unwrap();
    assert_eq!(collected.accounts, ["111122223333", "222222222222", "444444444444"]);
    let failed: Vec<_> =
        collected.failed.iter().map(|failed| (failed.place.as_str(), failed.call.as_deref().unwrap())).collect();
    assert_eq!(failed, [("444444444444", "sts assume-role")]);
    // The whole tree, level by level, each unit once.
    assert_eq!(server.count("ListOrganizationalUnitsForParent"), 3);
    assert_eq!(server.count("ListAccountsForParent"), 3);
    assert_eq!(server.count("ListPoliciesForTarget"), 2 * (3 + 4));
    assert!(documents(folder.path()).iter().all(|(_, text)| !text.contains("canary")));
    let inventory = inventory(folder.path());
    let scopes: Vec<&str> = inventory.identities.iter().map(|identity| identity.scope.as_str()).collect();
    assert!(scopes.contains(&"111122223333") && scopes.contains(&"222222222222"), "{scopes:?}");
    let gap = inventory.gaps.iter().find(|gap| &*gap.call == "sts assume-role").unwrap();
    assert_eq!(gap.scope.as_ref().unwrap().as_str(), "444444444444");
    assert_eq!(gap.unknown(), "everything in the account");
}

#[test]
fn regions_that_are_named_are_the_only_ones() {
    let server = Server::new(account);
    let folder = tempfile::tempdir().unwrap();
    let regions = vec!["us-west-2".to_owned(), "eu-central-1".to_owned()];
    Collection { regions, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    assert_eq!(server.count("DescribeRegions"), 0);
    let mut asked: Vec<String> =
        server.seen().into_iter().filter(|seen| seen.operation == "ListFunctions").map(|seen| seen.region).collect();
    asked.sort();
    assert_eq!(asked, ["eu-central-1", "us-west-2"]);
}
