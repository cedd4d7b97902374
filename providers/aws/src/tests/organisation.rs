use evenhand_model::access::{Outcome, Request};
use evenhand_model::trust::Mechanism;

use super::{details, read, role};

const SERVICE: &str = r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#;

fn wrapped(call: &str, parameters: &str, response: &str) -> String {
    format!(r#"{{"call":"{call}","parameters":{parameters},"response":{response}}}"#)
}

#[test]
fn service_control_policies_reach_the_account_level_by_level() {
    let roles = role(
        "worker",
        SERVICE,
        r#","RolePolicyList":[{"PolicyName":"p","PolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}}]"#,
    );
    let full = r#"{"Id":"p-FullAWSAccess","Name":"FullAWSAccess","Type":"SERVICE_CONTROL_POLICY","AwsManaged":true}"#;
    let guard = r#"{"Id":"p-guard","Name":"guard","Type":"SERVICE_CONTROL_POLICY","AwsManaged":false}"#;
    let list = |target: &str, policies: &str| {
        wrapped(
            "organizations list-policies-for-target",
            &format!(r#"{{"TargetId":"{target}","Filter":"SERVICE_CONTROL_POLICY"}}"#),
            &format!(r#"{{"Policies":[{policies}]}}"#),
        )
    };
    let lines = [
        wrapped(
            "organizations describe-organization",
            "{}",
            r#"{"Organization":{"Id":"o-1","MasterAccountId":"999988887777"}}"#,
        ),
        wrapped(
            "organizations list-roots",
            "{}",
            r#"{"Roots":[{"Id":"r-1","Arn":"a","PolicyTypes":[{"Type":"SERVICE_CONTROL_POLICY","Status":"ENABLED"}]}]}"#,
        ),
        wrapped("organizations list-parents", r#"{"ChildId":"111122223333"}"#, r#"{"Parents":[{"Id":"ou-1","Type":"ORGANIZATIONAL_UNIT"}]}"#),
        wrapped("organizations list-children", r#"{"ParentId":"r-1","ChildType":"ORGANIZATIONAL_UNIT"}"#, r#"{"Children":[{"Id":"ou-1","Type":"ORGANIZATIONAL_UNIT"}]}"#),
        list("r-1", full),
        list("ou-1", &format!("{full},{guard}")),
        list("111122223333", full),
        wrapped(
            "organizations describe-policy",
            r#"{"PolicyId":"p-guard"}"#,
            &format!(
                r#"{{"Policy":{{"PolicySummary":{guard},"Content":"{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Deny\",\"Action\":\"s3:DeleteBucket\",\"Resource\":\"*\"}}]}}"}}}}"#
            ),
        ),
    ]
    .join("\n");
    let gaad = details("", "", &roles, "");
    let read_all = read(&[("gaad.json", &gaad), ("organisation.ndjson", &lines)]);
    assert_eq!(read_all.errors, []);
    let outcome = |read: &super::Read, operation: &str| {
        let request = Request {
            identity: String::new(),
            operation: operation.to_owned(),
            resource: None,
            context: Default::default(),
        };
        read.resolver.decide(&read.identity("worker").id, &request).unwrap().outcome
    };
    assert_eq!(outcome(&read_all, "s3:DeleteBucket"), Outcome::ExplicitlyDenied);
    assert_eq!(outcome(&read_all, "s3:CreateBucket"), Outcome::Allowed);
    assert!(!read_all.inventory.gaps.iter().any(|gap| gap.unknown().contains("control policies")));
    // A level that was not read leaves the limits unknown, and says which call is missing.
    let cut: String =
        lines.lines().filter(|line| !line.contains(r#""TargetId":"ou-1""#)).collect::<Vec<_>>().join("\n");
    let read_cut = read(&[("gaad.json", &gaad), ("organisation.ndjson", &cut)]);
    assert!(read_cut.inventory.gaps.iter().any(|gap| gap.call.contains("list-policies-for-target --target-id ou-1")));
    assert_ne!(outcome(&read_cut, "s3:CreateBucket"), Outcome::ExplicitlyDenied);
    // So does a level of which one policy was not understood: what is left of it would allow too little.
    for wrong in [r#""Id":5"#, r#""Id":"p-FullAWSAccess","Type":5"#] {
        let damaged =
            lines.replace(&list("ou-1", &format!("{full},{guard}")), &list("ou-1", &format!("{{{wrong}}},{guard}")));
        let read_damaged = read(&[("gaad.json", &gaad), ("organisation.ndjson", &damaged)]);
        assert_eq!(read_damaged.errors.len(), 1, "{wrong}");
        let outcome = outcome(&read_damaged, "s3:CreateBucket");
        assert!(!matches!(outcome, Outcome::ImplicitlyDenied | Outcome::ExplicitlyDenied), "{wrong}: {outcome:?}");
    }
}

#[test]
fn policy_kinds_that_are_off_are_known_to_be_off_and_a_root_without_them_tells_nothing() {
    let roles = role("worker", SERVICE, "");
    let gaad = details("", "", &roles, "");
    let off = |kind: &str| {
        format!(
            r#"{{"call":"organizations list-policies","parameters":{{"Filter":"{kind}"}},"error":{{"code":"PolicyTypeNotEnabledException"}}}}"#
        )
    };
    let parents = wrapped(
        "organizations list-parents",
        r#"{"ChildId":"111122223333"}"#,
        r#"{"Parents":[{"Id":"r-1","Type":"ROOT"}]}"#,
    );
    let both_off = [off("SERVICE_CONTROL_POLICY"), off("RESOURCE_CONTROL_POLICY")];
    let roots = |types: &str| {
        wrapped("organizations list-roots", "{}", &format!(r#"{{"Roots":[{{"Id":"r-1","Arn":"a"{types}}}]}}"#))
    };
    for (name, lines, known) in [
        ("both said to be off", vec![both_off[0].clone(), both_off[1].clone()], true),
        ("one said to be off", vec![both_off[0].clone()], false),
        ("a root with no kind on", vec![parents.clone(), roots(r#","PolicyTypes":[]"#)], true),
        ("a root that does not say", vec![parents.clone(), roots("")], false),
    ] {
        let read = read(&[("gaad.json", &gaad), ("organisation.ndjson", &lines.join("\n"))]);
        assert_eq!(read.errors, [], "{name}");
        let open = read.inventory.gaps.iter().any(|gap| gap.unknown().contains("control policies"));
        assert_eq!(!open, known, "{name}: {:#?}", read.inventory.gaps);
        assert!(!read.inventory.gaps.iter().any(|gap| gap.reason.contains("refused")), "{name}");
    }
    // Without the kind nothing is known but that the call failed.
    let silent = r#"{"call":"organizations list-policies","error":{"code":"PolicyTypeNotEnabledException"}}"#;
    let read = read(&[("gaad.json", &gaad), ("organisation.json", silent)]);
    assert!(read.inventory.gaps.iter().any(|gap| gap.reason.contains("refused")));
}

#[test]
fn an_empty_list_is_an_answer() {
    let gaad = details("", "", &role("worker", SERVICE, ""), "");
    let functions = |read: &super::Read| read.inventory.gaps.iter().any(|gap| gap.call.contains("list-functions"));
    assert!(functions(&read(&[("111122223333/gaad.json", &gaad)])));
    let empty = read(&[("111122223333/gaad.json", &gaad), ("111122223333/functions.json", r#"{"Functions":[]}"#)]);
    assert_eq!(empty.errors, []);
    assert!(!functions(&empty));
}

#[test]
fn permission_sets_stand_for_people_where_their_role_was_not_read() {
    let set = "arn:aws:sso:::permissionSet/ssoins-1/ps-1";
    let parameters = format!(r#"{{"InstanceArn":"arn:aws:sso:::instance/ssoins-1","PermissionSetArn":"{set}"}}"#);
    let lines = [
        wrapped("sso-admin describe-permission-set", &parameters, &format!(r#"{{"PermissionSet":{{"Name":"Support","PermissionSetArn":"{set}","Description":"answers customers"}}}}"#)),
        wrapped("sso-admin get-inline-policy-for-permission-set", &parameters, r#"{"InlinePolicy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}]}"}"#),
        wrapped("sso-admin list-managed-policies-in-permission-set", &parameters, r#"{"AttachedManagedPolicies":[]}"#),
        wrapped("sso-admin list-account-assignments", &parameters, &format!(r#"{{"AccountAssignments":[
            {{"AccountId":"111122223333","PermissionSetArn":"{set}","PrincipalType":"GROUP","PrincipalId":"g-1"}},
            {{"AccountId":"444455556666","PermissionSetArn":"{set}","PrincipalType":"GROUP","PrincipalId":"g-1"}}]}}"#).replace('\n', " ")),
        wrapped("identitystore list-groups", "{}", r#"{"Groups":[{"IdentityStoreId":"d-1","GroupId":"g-1","DisplayName":"Support team"}]}"#),
    ]
    .join("\n");
    let name = "AWSReservedSSO_Support_0123456789abcdef";
    let reserved = format!(
        r#"{{"Path":"/aws-reserved/sso.amazonaws.com/","RoleName":"{name}","Arn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/{name}","Tags":[]}}"#
    );
    let read = read(&[("gaad.json", &details("", "", &reserved, "")), ("centre.ndjson", &lines)]);
    assert_eq!(read.errors, []);
    assert_eq!(read.count("permission_set"), 1);
    let made = read.inventory.identities.iter().find(|held| held.kind == "permission_set").unwrap();
    assert_eq!((made.scope.as_str(), &*made.name), ("444455556666", "Support"));
    assert!(!read.resolver.access(&made.id).unwrap().operations().is_empty());
    let targets: Vec<String> = read
        .inventory
        .trusts
        .iter()
        .filter(|held| held.mechanism == Mechanism::Assignment)
        .map(|held| format!("{} -> {}", held.source, held.target))
        .collect();
    assert_eq!(
        targets,
        [
            format!(
                "Identity Center group Support team -> arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/{name}"
            ),
            format!("Identity Center group Support team -> {set}@444455556666"),
        ]
    );
    assert_eq!(read.identity(name).purpose.value().map(|text| &**text), Some("answers customers"));
}

#[test]
fn of_two_roles_of_one_permission_set_the_one_of_the_greatest_id_stands_for_it_in_whatever_order_they_come() {
    let set = "arn:aws:sso:::permissionSet/ssoins-1/ps-1";
    let parameters = format!(r#"{{"InstanceArn":"arn:aws:sso:::instance/ssoins-1","PermissionSetArn":"{set}"}}"#);
    let described = format!(r#"{{"PermissionSet":{{"Name":"Support","PermissionSetArn":"{set}"}}}}"#);
    let assigned = format!(
        r#"{{"AccountAssignments":[{{"AccountId":"111122223333","PermissionSetArn":"{set}","PrincipalType":"GROUP","PrincipalId":"g-1"}}]}}"#
    );
    let lines = [
        wrapped("sso-admin describe-permission-set", &parameters, &described),
        wrapped("sso-admin list-account-assignments", &parameters, &assigned),
    ]
    .join("\n");
    let arn = |number: u32| {
        format!("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Support_{number:016}")
    };
    let reserved = |number: u32| {
        format!(
            r#"{{"Path":"/aws-reserved/sso.amazonaws.com/","RoleName":"AWSReservedSSO_Support_{number:016}","Arn":"{}","Tags":[]}}"#,
            arn(number)
        )
    };
    for order in [[1, 2], [2, 1]] {
        let roles = order.map(reserved).join(",");
        let read = read(&[("gaad.json", &details("", "", &roles, "")), ("centre.ndjson", &lines)]);
        assert_eq!(read.errors, []);
        let assigned = read.inventory.trusts.iter().filter(|held| held.mechanism == Mechanism::Assignment);
        assert_eq!(assigned.map(|held| held.target.to_string()).collect::<Vec<_>>(), [arn(2)], "{order:?}");
    }
}

#[test]
fn an_answer_that_does_not_say_what_it_is_about_is_an_error_with_a_remedy() {
    let read = read(&[
        ("inline.json", r#"{"InlinePolicy": "{}"}"#),
        ("targets.json", r#"{"Targets":[{"TargetId":"r-1","Type":"ROOT","Arn":"a"}]}"#),
    ]);
    assert_eq!(read.errors.len(), 2);
    assert!(read.errors.iter().all(|error| error.remedy.contains("\"parameters\"")));
}

#[test]
fn a_refused_call_is_a_gap_and_a_missing_password_is_an_answer() {
    let lines = [
        r#"{"call":"iam list-access-keys","parameters":{"UserName":"ana"},"account":"111122223333","error":{"code":"AccessDenied","message":"no"}}"#,
        r#"{"call":"iam get-login-profile","parameters":{"UserName":"ana"},"account":"111122223333","error":{"code":"NoSuchEntity"}}"#,
    ]
    .join("\n");
    let gaad = details(r#"{"UserName":"ana","Arn":"arn:aws:iam::111122223333:user/ana"}"#, "", "", "");
    let read = read(&[("gaad.json", &gaad), ("calls.ndjson", &lines)]);
    assert!(read.inventory.gaps.iter().any(|gap| gap.reason.contains("AccessDenied")));
    assert_eq!(read.identity("ana").human_sign_in, evenhand_model::evidence::Fact::Known(false));
}

#[test]
fn resource_control_policies_hold_for_resources_of_their_account_only() {
    let guard = r#"{"Id":"p-guard","Name":"guard","Type":"RESOURCE_CONTROL_POLICY","AwsManaged":false}"#;
    let list = |target: &str, policies: &str| {
        wrapped(
            "organizations list-policies-for-target",
            &format!(r#"{{"TargetId":"{target}","Filter":"RESOURCE_CONTROL_POLICY"}}"#),
            &format!(r#"{{"Policies":[{policies}]}}"#),
        )
    };
    let lines = [
        wrapped(
            "organizations describe-organization",
            "{}",
            r#"{"Organization":{"Id":"o-1","MasterAccountId":"999988887777"}}"#,
        ),
        wrapped(
            "organizations list-roots",
            "{}",
            r#"{"Roots":[{"Id":"r-1","Arn":"a","PolicyTypes":[{"Type":"RESOURCE_CONTROL_POLICY","Status":"ENABLED"}]}]}"#,
        ),
        wrapped("organizations list-parents", r#"{"ChildId":"111122223333"}"#, r#"{"Parents":[{"Id":"r-1","Type":"ROOT"}]}"#),
        list("r-1", guard),
        list("111122223333", ""),
        wrapped(
            "organizations describe-policy",
            r#"{"PolicyId":"p-guard"}"#,
            &format!(
                r#"{{"Policy":{{"PolicySummary":{guard},"Content":"{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":[\"sqs:SendMessage\",\"s3:GetObject\"],\"Resource\":\"*\"}}]}}"}}}}"#
            ),
        ),
    ]
    .join("\n");
    let roles = role(
        "worker",
        SERVICE,
        r#","RolePolicyList":[{"PolicyName":"p","PolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:SendMessage","s3:GetObject"],"Resource":"*"}]}}]"#,
    );
    let read = read(&[("gaad.json", &details("", "", &roles, "")), ("organisation.ndjson", &lines)]);
    assert_eq!(read.errors, []);
    let access = read.resolver.access(&read.identity("worker").id).unwrap();
    let reaches = |operation: &str, name: &str| {
        let operation = crate::catalog::Catalogue::global().operation(operation).unwrap();
        let segments: Vec<&str> = name.splitn(6, ':').collect();
        access.slices().iter().any(|slice| {
            slice.operations.contains(operation)
                && slice.scope.matches(&segments) == evenhand_model::evidence::Truth::Yes
        })
    };
    assert!(!reaches("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q"));
    assert!(reaches("sqs:SendMessage", "arn:aws:sqs:eu-west-1:444455556666:q"));
    // A bucket's name does not tell whose it is.
    assert!(!reaches("s3:GetObject", "arn:aws:s3:::b/x"));
}
