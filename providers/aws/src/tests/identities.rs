use evenhand_model::control::ControlKind;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::gap::GapKind;
use evenhand_model::identity::Nature;
use evenhand_model::provider::Provider;
use evenhand_model::trust::Mechanism;

use super::{details, read, role};
use crate::Aws;

const USERS: &str = r#"{"UserName":"ana","Arn":"arn:aws:iam::111122223333:user/ana","GroupList":["support"],"Tags":[]},
    {"UserName":"deploy","Arn":"arn:aws:iam::111122223333:user/deploy","GroupList":[],"Tags":[{"Key":"Owner","Value":"ana"}]}"#;
const GROUPS: &str = r#"{"GroupName":"support","Arn":"arn:aws:iam::111122223333:group/support"}"#;
const REPORT: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date
<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,2026-01-01T00:00:00+00:00,not_supported,not_supported,false,false,N/A,N/A,false,N/A,N/A
ana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,2026-10-01T00:00:00+00:00,2026-01-01T00:00:00+00:00,N/A,true,false,N/A,N/A,false,N/A,N/A
deploy,arn:aws:iam::111122223333:user/deploy,2021-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,true,2024-01-01T00:00:00+00:00,N/A,false,N/A,N/A
";

#[test]
fn the_credential_report_tells_people_from_programs() {
    let read = read(&[("gaad.json", &details(USERS, GROUPS, "", "")), ("report.csv", REPORT)]);
    assert_eq!(read.errors, []);
    assert_eq!(read.judged("ana").nature, Nature::Human);
    assert_eq!(read.judged("deploy").nature, Nature::Workload);
    assert_eq!(read.judged("support").nature, Nature::HumanRole);
    assert_eq!(read.identity("root").kind, "root_user");
    assert_eq!(read.identity("deploy").owner_active, Fact::Known(true));
    assert_eq!(read.identity("ana").owner, Fact::Absent);
    let key = read.inventory.credentials.iter().find(|held| &*held.kind == "access_key").unwrap();
    assert_eq!(key.last_used_at, Fact::Absent);
    assert_eq!(key.created_at, Fact::Known("2024-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(read.inventory.credentials.iter().filter(|held| &*held.kind == "access_key").count(), 1);
    let factors = |name: &str| {
        let id = &read.identity(name).id;
        read.inventory
            .controls
            .iter()
            .find(|held| held.identity == *id && held.kind == ControlKind::Mfa)
            .unwrap()
            .in_place
    };
    assert_eq!((factors("ana"), factors("support"), factors("deploy")), (Truth::Yes, Truth::Yes, Truth::No));
    assert!(read.inventory.trusts.iter().any(|held| held.mechanism == Mechanism::Membership));
}

#[test]
fn without_documents_about_keys_nothing_is_claimed_about_keys() {
    let read = read(&[("gaad.json", &details(USERS, GROUPS, "", ""))]);
    assert_eq!(read.judged("ana").nature, Nature::Unknown);
    assert_eq!(read.identity("ana").human_sign_in, Fact::Unknown);
    assert_eq!(read.identity("ana").last_used_at, Fact::Unknown);
    assert!(read.inventory.credentials.is_empty());
    let gap = read.inventory.gaps.iter().find(|gap| gap.call.contains("get-credential-report")).unwrap();
    assert_eq!(gap.kind, GapKind::NotCollected);
}

#[test]
fn the_report_in_base64_is_the_same_report() {
    use base64::Engine;
    let content = base64::engine::general_purpose::STANDARD.encode(REPORT);
    let report =
        format!(r#"{{"Content":"{content}","ReportFormat":"text/csv","GeneratedTime":"2026-10-31T00:00:00Z"}}"#);
    let read = read(&[("gaad.json", &details(USERS, GROUPS, "", "")), ("report.json", &report)]);
    assert_eq!(read.errors, []);
    assert_eq!(read.judged("ana").nature, Nature::Human);
}

#[test]
fn trusts_are_graded() {
    let trust = |principal: &str, condition: &str| {
        format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"{condition}}}"#)
    };
    let roles = [
        role("open", &trust("\"*\"", ""), ""),
        role("vendor", &trust(r#"{"AWS":"arn:aws:iam::999988887777:root"}"#, ""), ""),
        role(
            "vendor-safe",
            &trust(r#"{"AWS":"999988887777"}"#, r#","Condition":{"StringEquals":{"sts:ExternalId":"fake"}}"#),
            "",
        ),
        role("sibling", &trust(r#"{"AWS":"arn:aws:iam::444455556666:role/x"}"#, ""), ""),
        role("saml", &trust(r#"{"Federated":"arn:aws:iam::111122223333:saml-provider/corp"}"#, ""), ""),
    ]
    .join(",");
    let accounts = r#"{"Accounts":[
        {"Id":"111122223333","Arn":"arn:aws:organizations::111122223333:account/o-1/111122223333","Name":"a","Status":"ACTIVE"},
        {"Id":"444455556666","Arn":"arn:aws:organizations::111122223333:account/o-1/444455556666","Name":"b","Status":"ACTIVE"}]}"#;
    let with = read(&[("gaad.json", &details("", "", &roles, "")), ("accounts.json", accounts)]);
    let trust_of = |read: &super::Read, name: &str| {
        let id = read.identity(name).id.clone();
        let held = read.inventory.trusts.iter().find(|held| held.target == id).unwrap();
        (held.weak, held.weakness.to_string())
    };
    assert_eq!(trust_of(&with, "open"), (Truth::Yes, "any-principal".to_owned()));
    assert_eq!(trust_of(&with, "vendor"), (Truth::Yes, "missing-external-id".to_owned()));
    assert_eq!(trust_of(&with, "vendor-safe"), (Truth::No, String::new()));
    assert_eq!(trust_of(&with, "sibling"), (Truth::No, String::new()));
    assert_eq!(trust_of(&with, "saml"), (Truth::Yes, "missing-aud".to_owned()));
    assert_eq!(with.identity("vendor").third_party, Fact::Known(true));
    assert_eq!(with.judged("vendor").nature, Nature::ThirdParty);
    assert_eq!(with.judged("saml").nature, Nature::HumanRole);
    // Without the organisation's accounts nobody knows whose account it is.
    let without = read(&[("gaad.json", &details("", "", &roles, ""))]);
    assert_eq!(trust_of(&without, "vendor"), (Truth::Unknown, "missing-external-id".to_owned()));
    assert_eq!(without.identity("vendor").third_party, Fact::Unknown);
}

#[test]
fn declarations_decide_over_signs() {
    let service = r#"{"Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"},"Action":"sts:AssumeRole"}"#;
    let tags = r#","Tags":[{"Key":"evenhand:nature","Value":"workload"},{"Key":"evenhand:job","Value":"delivery"}]"#;
    let read = read(&[("gaad.json", &details("", "", &role("batch", service, tags), ""))]);
    assert_eq!(read.judged("batch").nature, Nature::Workload);
    assert_eq!(read.identity("batch").job.as_ref().unwrap().as_str(), "delivery");
}

#[test]
fn documents_find_their_account_by_folder() {
    let one = details(r#"{"UserName":"ana","Arn":"arn:aws:iam::111122223333:user/ana"}"#, "", "", "");
    let two = details(r#"{"UserName":"ana","Arn":"arn:aws:iam::444455556666:user/ana"}"#, "", "", "");
    let keys = r#"{"AccessKeyMetadata":[{"UserName":"ana","AccessKeyId":"AKIAFAKEFAKEFAKEFAKE","Status":"Active"}]}"#;
    let holder = |path: &str| {
        let read = read(&[("c/prod/gaad.json", &one), ("c/dev/gaad.json", &two), (path, keys)]);
        let lost = read.inventory.gaps.iter().any(|gap| &*gap.call == path);
        (read.inventory.credentials.first().map(|held| held.identity.to_string()), lost)
    };
    assert_eq!(holder("c/dev/keys.json"), (Some("arn:aws:iam::444455556666:user/ana".to_owned()), false));
    assert_eq!(holder("c/keys-111122223333.json"), (Some("arn:aws:iam::111122223333:user/ana".to_owned()), false));
    assert_eq!(holder("c/keys.json"), (None, true));
}

#[test]
fn job_function_policies_are_baselines_of_last_resort() {
    let policy = r#"{"PolicyName":"SupportUser","Arn":"arn:aws:iam::aws:policy/job-function/SupportUser","DefaultVersionId":"v2",
        "PolicyVersionList":[{"VersionId":"v1","Document":{"Statement":[]}},
        {"VersionId":"v2","Document":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"support:*","Resource":"*"}]}}]}"#;
    let read = read(&[("gaad.json", &details(USERS, "", "", policy))]);
    let generic = read.identity("SupportUser");
    assert!(generic.generic_role);
    assert_eq!((generic.kind, generic.scope.as_str()), ("job_function", "111122223333"));
    assert!(!read.resolver.access(&generic.id).unwrap().operations().is_empty());
}

#[test]
fn who_enters_a_cluster_is_tied_to_its_users_groups_and_roles() {
    let entry = |name: &str, kind: &str, user: &str| {
        format!(
            r#"{{"accessEntry":{{"clusterName":"prod","principalArn":"arn:aws:iam::111122223333:role/{name}","kubernetesGroups":["{name}s"],"username":"{user}","type":"{kind}","tags":{{}}}}}}"#
        )
    };
    let read = read(&[
        ("a/details.json", &details("", "", &role("oncall", "", ""), "")),
        ("a/entries.json", r#"{"accessEntries":["arn:aws:iam::111122223333:role/oncall"]}"#),
        (
            "a/oncall.json",
            &entry("oncall", "STANDARD", "arn:aws:sts::111122223333:assumed-role/oncall/{{SessionName}}"),
        ),
        ("a/robot.json", &entry("robot", "STANDARD", "robot")),
        ("a/node.json", &entry("node", "EC2_LINUX", "system:node:{{EC2PrivateDNSName}}")),
        (
            "a/policies.json",
            r#"{"associatedAccessPolicies":[
                {"policyArn":"arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy","accessScope":{"type":"cluster","namespaces":[]}},
                {"policyArn":"arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminPolicy","accessScope":{"type":"namespace","namespaces":["a","b"]}},
                {"policyArn":"arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminViewPolicy","accessScope":{"type":"cluster"}}
            ],"clusterName":"prod","principalArn":"arn:aws:iam::111122223333:role/oncall"}"#,
        ),
    ]);
    assert!(read.errors.is_empty(), "{:?}", read.errors);
    let entered = read.inventory.trusts.iter().filter(|one| one.mechanism == Mechanism::Assignment);
    let entered: Vec<(&str, &str, &str)> =
        entered.map(|one| (one.source.rsplit('/').next().unwrap(), one.target.as_str(), &*one.constraint)).collect();
    assert_eq!(
        entered,
        [
            ("oncall", "kubernetes:prod:accesspolicy:AmazonEKSAdminViewPolicy", ""),
            ("oncall", "kubernetes:prod:clusterrole:admin/a", "in namespace a"),
            ("oncall", "kubernetes:prod:clusterrole:admin/b", "in namespace b"),
            ("oncall", "kubernetes:prod:clusterrole:edit", ""),
            ("oncall", "kubernetes:prod:group:oncalls", ""),
            ("robot", "kubernetes:prod:group:robots", ""),
            ("robot", "kubernetes:prod:user:robot", ""),
        ]
    );
    // What no identity of a cluster stands for is a doubt about the principal.
    let oncall = read.identity("oncall").id.clone();
    let unread: Vec<String> = read.resolver.unread(&oncall).iter().map(|one| one.what.to_string()).collect();
    assert_eq!(unread, ["`AmazonEKSAdminPolicy` in cluster `prod`", "`AmazonEKSAdminViewPolicy` in cluster `prod`"]);
}

#[test]
fn an_access_policy_of_which_the_scope_was_not_read_is_a_doubt() {
    let read = read(&[
        ("a/details.json", &details("", "", &role("oncall", "", ""), "")),
        (
            "a/policies.json",
            r#"{"associatedAccessPolicies":[{"policyArn":"arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"}],
                "clusterName":"prod","principalArn":"arn:aws:iam::111122223333:role/oncall"}"#,
        ),
    ]);
    assert!(!read.inventory.trusts.iter().any(|one| one.mechanism == Mechanism::Assignment));
    let unread = read.resolver.unread(&read.identity("oncall").id);
    assert!(unread.iter().any(|one| one.gap.reason.contains("run the call again")), "{unread:?}");
}

#[test]
fn clusters_of_one_name_in_several_places_are_tied_to_nothing() {
    let entry = |region: &str, account: &str, name: &str| {
        format!(
            r#"{{"accessEntry":{{"clusterName":"{name}","principalArn":"arn:aws:iam::111122223333:role/oncall","kubernetesGroups":["g"],"type":"STANDARD",
            "accessEntryArn":"arn:aws:eks:{region}:{account}:access-entry/{name}/role/111122223333/oncall/1"}}}}"#
        )
    };
    for (region, account, tied) in
        [("eu-west-1", "111122223333", 2), ("us-east-1", "111122223333", 1), ("eu-west-1", "444455556666", 1)]
    {
        let read = read(&[
            ("a/details.json", &details("", "", &role("oncall", "", ""), "")),
            ("a/one.json", &entry("eu-west-1", "111122223333", "prod")),
            ("a/two.json", &entry(region, account, "prod")),
            ("a/other.json", &entry("eu-west-1", "111122223333", "dev")),
        ]);
        let mut entered: Vec<&str> = read
            .inventory
            .trusts
            .iter()
            .filter(|one| one.mechanism == Mechanism::Assignment)
            .map(|one| one.target.as_str())
            .collect();
        entered.dedup();
        assert_eq!(entered.len(), tied, "{region} {account}: {entered:?}");
        assert_eq!(read.inventory.hints.iter().filter(|hint| hint.message.contains("`prod`")).count(), 2 - tied);
        assert_eq!(read.resolver.unread(&read.identity("oncall").id).len(), 2 - tied);
    }
}

#[test]
fn a_policy_by_itself_is_known_for_one_and_not_read() {
    let said = |text: &str| {
        let document = super::document("policy.json", text);
        assert_eq!(Aws.recognise(&document), None, "{text}");
        Aws.likeness(&document)
    };
    let statement = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#;
    for text in
        [format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#), format!(r#"{{"Statement":{statement}}}"#)]
    {
        assert!(said(&text).is_some_and(|said| said.starts_with("an IAM policy by itself")), "{text}");
    }
    assert_eq!(said(r#"{"Statement":[],"name":"x"}"#), None);
    assert_eq!(said(r#"{"Version":"1"}"#), None);
}
