//! Escalations over captures: what makes a technique work, and what stops it.

use std::collections::BTreeSet;

use evenhand_model::access::{Edge, EdgeTarget, Unlisted};

use super::{Read, details, read, role};

pub(super) const ADMIN: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
const LAMBDA: &str = r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#;

pub(super) fn policies(statements: &str) -> String {
    format!(r#"[{{"PolicyName":"p","PolicyDocument":{{"Version":"2012-10-17","Statement":[{statements}]}}}}]"#)
}

pub(super) fn user(name: &str, statements: &str, more: &str) -> String {
    format!(
        r#"{{"Path":"/","UserName":"{name}","Arn":"arn:aws:iam::111122223333:user/{name}","UserPolicyList":{}{more}}}"#,
        policies(statements)
    )
}

pub(super) fn holding(name: &str, trust: &str, statements: &str) -> String {
    role(name, trust, &format!(r#","RolePolicyList":{}"#, policies(statements)))
}

pub(super) fn allow(actions: &[&str], resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":{actions:?},"Resource":"{resource}"}}"#)
}

fn account(users: &[String], roles: &[String]) -> Read {
    read(&[("gaad.json", &details(&users.join(","), "", &roles.join(","), ""))])
}

impl Read {
    fn steps(&self, from: &str) -> Vec<Edge> {
        self.resolver.edges().into_iter().filter(|edge| edge.source.as_str().ends_with(from)).collect()
    }

    /// Techniques of a source, those that depend on an open condition with a question mark.
    pub(super) fn techniques(&self, from: &str) -> BTreeSet<String> {
        let name = |edge: Edge| format!("{}{}", edge.technique, if edge.conditional { "?" } else { "" });
        self.steps(from).into_iter().map(name).collect()
    }
}

pub(super) fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const LAMBDA_CREATE: &str = "pass-role-lambda-create-function-invoke-function";

#[test]
fn everything_that_a_technique_needs_holds_where_the_role_is() {
    let pass = allow(&["iam:PassRole"], "arn:aws:iam::111122223333:role/target");
    let function = |account: &str| {
        let scope = format!("arn:aws:lambda:eu-west-1:{account}:function:*");
        format!("{pass},{}", allow(&["lambda:CreateFunction", "lambda:InvokeFunction"], &scope))
    };
    let elsewhere = format!(
        r#"{},{{"Effect":"Allow","Action":"lambda:*","Resource":"*","Condition":{{"StringEquals":{{"aws:ResourceAccount":"444455556666"}}}}}}"#,
        pass
    );
    let users = [
        user("home", &function("111122223333"), ""),
        user("anywhere", &function("*"), ""),
        user("away", &function("444455556666"), ""),
        user("kept-away", &elsewhere, ""),
    ];
    let read = account(&users, &[holding("target", LAMBDA, ADMIN)]);
    assert_eq!(read.techniques("user/home"), set(&[LAMBDA_CREATE]));
    assert_eq!(read.techniques("user/anywhere"), set(&[LAMBDA_CREATE]));
    assert_eq!(read.techniques("user/away"), set(&[]));
    assert_eq!(read.techniques("user/kept-away"), set(&[]));
}

#[test]
fn a_role_is_passed_only_where_policy_and_trust_let_the_service_have_it() {
    let create = allow(&["lambda:CreateFunction", "lambda:InvokeFunction"], "*");
    let pass = |service: &str| {
        format!(
            r#"{create},{{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{{"StringEquals":{{"iam:PassedToService":"{service}"}}}}}}"#
        )
    };
    let trust = |condition: &str| LAMBDA.replacen(r#""Action""#, &format!(r#""Condition":{condition},"Action""#), 1);
    let fits = [user("u", &pass("lambda.amazonaws.com"), "")];
    for (condition, expected) in [
        (r#"{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#, vec![LAMBDA_CREATE]),
        (r#"{"StringEquals":{"aws:SourceAccount":"444455556666"}}"#, vec![]),
        (r#"{"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:111122223333:function:*"}}"#, vec![LAMBDA_CREATE]),
        (r#"{"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:444455556666:function:*"}}"#, vec![]),
        (r#"{"StringEquals":{"aws:SourceOrgID":"o-1"}}"#, vec!["pass-role-lambda-create-function-invoke-function?"]),
    ] {
        let read = account(&fits, &[holding("target", &trust(condition), ADMIN)]);
        assert_eq!(read.techniques("user/u"), set(&expected), "{condition}");
    }
    let read = account(&[user("u", &pass("ec2.amazonaws.com"), "")], &[holding("target", LAMBDA, ADMIN)]);
    assert_eq!(read.techniques("user/u"), set(&[]));
}

#[test]
fn what_runs_with_a_role_is_taken_over_only_where_it_is_in_reach() {
    let functions = r#"{"Functions":[{"FunctionName":"f","FunctionArn":"arn:aws:lambda:eu-west-1:111122223333:function:f",
        "Role":"arn:aws:iam::111122223333:role/target"}]}"#;
    let update = |scope: &str| allow(&["lambda:UpdateFunctionCode", "lambda:InvokeFunction"], scope);
    let users = [
        user("all", &update("*"), ""),
        user("this", &update("arn:aws:lambda:eu-west-1:111122223333:function:f"), ""),
        user("other", &update("arn:aws:lambda:eu-west-1:111122223333:function:g"), ""),
    ];
    let gaad = details(&users.join(","), "", &holding("target", LAMBDA, ADMIN), "");
    let read = read(&[("gaad.json", &gaad), ("functions.json", functions)]);
    // Of two ways the one that waits for nobody is told.
    let told = set(&["lambda-update-function-code-invoke-function"]);
    assert_eq!(read.techniques("user/all"), told);
    assert_eq!(read.techniques("user/this"), told);
    assert_eq!(read.techniques("user/other"), set(&[]));
}

#[test]
fn a_managed_instance_is_entered_where_its_role_calls_in() {
    let trust = r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}"#;
    let instance = |name: &str| {
        format!(
            r#"{{"InstanceId":"i-{name}","IamInstanceProfile":{{"Arn":"arn:aws:iam::111122223333:instance-profile/{name}"}},"Placement":{{"AvailabilityZone":"eu-west-1a"}}}}"#
        )
    };
    let carrying = |name: &str, statements: &str| {
        let profile = format!(
            r#","RolePolicyList":{},"InstanceProfileList":[{{"InstanceProfileName":"{name}","Arn":"arn:aws:iam::111122223333:instance-profile/{name}"}}]"#,
            policies(statements)
        );
        role(name, trust, &profile)
    };
    let secrets = allow(&["secretsmanager:*"], "*");
    let managed = format!("{secrets},{}", allow(&["ssm:UpdateInstanceInformation"], "*"));
    let gaad = details(
        &user("u", &allow(&["ssm:StartSession"], "*"), ""),
        "",
        &[carrying("managed", &managed), carrying("plain", &secrets)].join(","),
        "",
    );
    let instances = format!(
        r#"{{"Reservations":[{{"OwnerId":"111122223333","Instances":[{},{}]}}]}}"#,
        instance("managed"),
        instance("plain")
    );
    let read = read(&[("gaad.json", &gaad), ("instances.json", &instances)]);
    let found: Vec<(bool, bool)> = read
        .steps("user/u")
        .iter()
        .map(|edge| {
            let EdgeTarget::Identity(id) = &edge.target else { panic!("{edge:?}") };
            (id.as_str().ends_with("role/managed"), edge.conditional)
        })
        .collect();
    assert_eq!(found, [(true, false), (false, true)]);
}

#[test]
fn a_limit_is_taken_away_only_where_it_was_the_limit() {
    let bounded = r#","PermissionsBoundary":{"PermissionsBoundaryArn":"arn:aws:iam::111122223333:policy/b"}"#;
    let policy = r#"{"PolicyName":"b","Arn":"arn:aws:iam::111122223333:policy/b","PolicyVersionList":[{"VersionId":"v1","IsDefaultVersion":true,
        "Document":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","iam:DeleteUserPermissionsBoundary"],"Resource":"*"}]}}]}"#;
    let denied = format!(r#"{ADMIN},{{"Effect":"Deny","NotAction":"iam:DeleteUserPolicy","Resource":"*"}}"#);
    let little =
        r#"{"Effect":"Allow","Action":"iam:Delete*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#;
    let users = [
        user("wide", ADMIN, bounded),
        user("narrow", &allow(&["s3:*", "iam:DeleteUserPermissionsBoundary"], "*"), bounded),
        user("denied", &denied, ""),
        user("little", little, ""),
    ];
    let read = read(&[("gaad.json", &details(&users.join(","), "", "", policy))]);
    assert_eq!(read.techniques("user/wide"), set(&["iam-delete-user-permissions-boundary"]));
    assert_eq!(read.techniques("user/narrow"), set(&[]));
    // The allow is in the same policy as the deny: who deletes it loses both.
    assert_eq!(read.techniques("user/denied"), set(&[]));
    assert_eq!(read.techniques("user/little"), set(&[]));
    let apart = format!(
        r#"{{"Path":"/","UserName":"apart","Arn":"arn:aws:iam::111122223333:user/apart","UserPolicyList":[
        {{"PolicyName":"all","PolicyDocument":{{"Statement":{ADMIN}}}}},
        {{"PolicyName":"no","PolicyDocument":{{"Statement":{{"Effect":"Deny","NotAction":["iam:DeleteUserPolicy"],"Resource":"*"}}}}}}]}}"#
    );
    let apart = account(&[apart], &[]);
    assert_eq!(apart.techniques("user/apart"), set(&["iam-delete-user-policy"]));
}

#[test]
fn of_very_many_targets_the_strongest_are_listed_and_the_rest_is_said() {
    let mut roles: Vec<String> = (0..200)
        .map(|n| {
            holding(&format!("plain{n}"), LAMBDA, &allow(&["dynamodb:*"], &format!("arn:aws:dynamodb:*:*:table/t{n}")))
        })
        .collect();
    // Little by weight, and the way to everything.
    let step = allow(&["iam:PutRolePolicy"], "arn:aws:iam::111122223333:role/zz-step");
    roles.push(holding("zz-step", LAMBDA, &step));
    let create = allow(&["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "*");
    let read = account(&[user("u", &create, "")], &roles);
    let steps = read.steps("user/u");
    assert_eq!(steps.len(), 64);
    assert!(
        steps.iter().any(|edge| edge.target == EdgeTarget::Identity("arn:aws:iam::111122223333:role/zz-step".into()))
    );
    let unlisted = read.resolver.unlisted(&read.identity("u").id);
    let [Unlisted::Lesser(lesser)] = unlisted.as_slice() else { panic!("{unlisted:?}") };
    assert!(lesser.contains("137 further targets") && lesser.contains(LAMBDA_CREATE), "{lesser}");
    assert!(read.resolver.unlisted(&read.identity("zz-step").id).is_empty());
    let hints = read.resolver.edges_left_out();
    assert_eq!(hints.len(), 1, "{hints:?}");
    assert!(hints[0].message.starts_with("1 identity has more steps in account 111122223333"), "{hints:?}");
    assert!(hints[0].message.contains("user/u among them") && &*hints[0].evidence.document == "gaad.json", "{hints:?}");

    roles.push(holding("zz-admin", LAMBDA, ADMIN));
    let read = account(&[user("u", &create, "")], &roles);
    assert!(
        read.steps("user/u")
            .iter()
            .any(|edge| edge.target == EdgeTarget::Identity("arn:aws:iam::111122223333:role/zz-admin".into()))
    );
}

#[test]
fn service_of_oneself_is_no_way_to_others() {
    let own = r#"{"Effect":"Allow","Action":["iam:CreateAccessKey","iam:UpdateLoginProfile","iam:CreateLoginProfile","iam:ChangePassword"],
        "Resource":["arn:aws:iam::*:user/${aws:username}","arn:aws:iam::*:mfa/${aws:username}"]}"#;
    let tagged = r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::homes/${aws:PrincipalTag/team}/*"}"#;
    let group = format!(
        r#"{{"Path":"/","GroupName":"staff","Arn":"arn:aws:iam::111122223333:group/staff","GroupPolicyList":{}}}"#,
        policies(&format!("{own},{tagged}"))
    );
    let member = r#","GroupList":["staff"],"Tags":[{"Key":"team","Value":"red"}]"#;
    let users = [user("a", tagged, member), user("b", tagged, member), user("boss", ADMIN, member)];
    let read = read(&[("gaad.json", &details(&users.join(","), &group, "", ""))]);
    assert_eq!(read.techniques("user/a"), set(&[]));
    let access = read.resolver.access(&read.identity("a").id).unwrap();
    let scopes: BTreeSet<String> = access.slices().iter().map(|slice| slice.scope.to_string()).collect();
    assert!(scopes.iter().all(|scope| !scope.contains("${")), "{scopes:?}");
    assert!(scopes.iter().any(|scope| scope == "arn:aws:iam::*:user/a"), "{scopes:?}");
    assert!(scopes.iter().any(|scope| scope == "arn:aws:s3:::homes/red/*"), "{scopes:?}");
}

#[test]
fn a_key_for_models_makes_nobody_an_administrator() {
    let make = allow(&["iam:CreateServiceSpecificCredential"], "*");
    let bedrock = allow(&["bedrock:CallWithBearerToken", "bedrock:InvokeModel"], "*");
    let users = [user("u", &make, ""), user("models", &bedrock, ""), user("boss", ADMIN, "")];
    let read = account(&users, &[]);
    let targets: Vec<EdgeTarget> = read.steps("user/u").into_iter().map(|edge| edge.target).collect();
    assert_eq!(targets, [EdgeTarget::Identity("arn:aws:iam::111122223333:user/models".into())]);
}

#[test]
fn an_administrator_is_let_into_other_accounts_that_trust_it() {
    let trust =
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/boss"},"Action":"sts:AssumeRole"}"#;
    let there = holding("there", trust, ADMIN).replace("111122223333:role", "444455556666:role");
    let here = holding("here", trust, ADMIN);
    let gaad = details(&user("boss", ADMIN, ""), "", &here, "");
    let other = details("", "", &there, "");
    let read = read(&[("111122223333.json", &gaad), ("444455556666.json", &other)]);
    let targets: Vec<EdgeTarget> = read.steps("user/boss").into_iter().map(|edge| edge.target).collect();
    assert_eq!(targets, [EdgeTarget::Identity("arn:aws:iam::444455556666:role/there".into())]);
}

#[test]
fn a_role_without_an_instance_profile_is_passed_to_an_instance_by_whoever_may_make_one() {
    let trust = r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}"#;
    let all = [
        "iam:PassRole",
        "ec2:AssociateIamInstanceProfile",
        "iam:CreateInstanceProfile",
        "iam:AddRoleToInstanceProfile",
    ];
    let techniques = |actions: &[&str]| {
        account(&[user("u", &allow(actions, "*"), "")], &[holding("target", trust, ADMIN)]).techniques("user/u")
    };
    // No instance was read.
    assert_eq!(techniques(&all), set(&["pass-role-new-instance-profile-ec2-associate-instance-profile?"]));
    for left_out in all {
        let rest: Vec<&str> = all.into_iter().filter(|action| *action != left_out).collect();
        assert_eq!(techniques(&rest), set(&[]), "{left_out}");
    }
}

#[test]
fn a_trust_that_does_not_let_the_service_become_the_role_makes_it_no_target() {
    let create = allow(&["lambda:CreateFunction", "lambda:InvokeFunction", "iam:PassRole"], "*");
    let techniques =
        |trust: &str| account(&[user("u", &create, "")], &[holding("target", trust, ADMIN)]).techniques("user/u");
    let allows = |who: &str, actions: &str| format!(r#"{{"Effect":"Allow","Principal":{who},{actions}}}"#);
    let denies = |who: &str, rest: &str| format!(r#"{LAMBDA},{{"Effect":"Deny",{who},"Action":"sts:*"{rest}}}"#);
    let service = r#"{"Service":"lambda.amazonaws.com"}"#;
    let account_is =
        |operator: &str, account: &str| format!(r#","Condition":{{"{operator}":{{"aws:SourceAccount":"{account}"}}}}"#);
    for (trust, found) in [
        (LAMBDA.to_owned(), &[LAMBDA_CREATE][..]),
        (allows(service, r#""Action":"sts:TagSession""#), &[]),
        (allows(service, r#""Action":"sts:AssumeRoleWithSAML""#), &[]),
        (allows(service, r#""NotAction":"sts:AssumeRole""#), &[]),
        (allows(service, r#""NotAction":"sts:TagSession""#), &[LAMBDA_CREATE]),
        (allows(service, r#""Action":"sts:Assume*""#), &[LAMBDA_CREATE]),
        // Everybody is no service.
        (allows(r#"{"AWS":"*"}"#, r#""Action":"sts:TagSession""#), &[]),
        (denies(r#""Principal":"*""#, ""), &[]),
        (denies(r#""Principal":{"Service":"ec2.amazonaws.com"}"#, ""), &[LAMBDA_CREATE]),
        (denies(r#""NotPrincipal":{"Service":"lambda.amazonaws.com"}"#, ""), &[LAMBDA_CREATE]),
        (denies(r#""Principal":"*""#, &account_is("StringNotEquals", "111122223333")), &[LAMBDA_CREATE]),
        (denies(r#""Principal":"*""#, &account_is("StringEquals", "111122223333")), &[]),
        (
            denies(
                r#""Principal":"*""#,
                r#","Condition":{"ArnNotLike":{"aws:SourceArn":"arn:aws:lambda:*:*:function:x"}}"#,
            ),
            &["pass-role-lambda-create-function-invoke-function?"],
        ),
    ] {
        assert_eq!(techniques(&trust), set(found), "{trust}");
    }
}

#[test]
fn denies_that_a_technique_cannot_rewrite_hold_back_whoever_rewrites_the_rest() {
    let put = allow(&["iam:PutUserPolicy"], "*");
    let attach = allow(&["iam:AttachUserPolicy"], "*");
    let lock = r#"{"Effect":"Deny","NotAction":["iam:PutUserPolicy","iam:AttachUserPolicy","iam:CreateAccessKey","s3:GetObject"],"Resource":"*"}"#;
    let without_mfa = lock.replace(
        r#""Resource":"*""#,
        r#""Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#,
    );
    let group = |name: &str, statements: &str| {
        format!(
            r#"{{"Path":"/","GroupName":"{name}","Arn":"arn:aws:iam::111122223333:group/{name}","GroupPolicyList":{}}}"#,
            policies(statements)
        )
    };
    let groups = [group("locked", lock), group("mfa", &without_mfa)].join(",");
    let managed = format!(
        r#"{{"PolicyName":"lock","Arn":"arn:aws:iam::111122223333:policy/lock","PolicyVersionList":[
        {{"VersionId":"v1","IsDefaultVersion":true,"Document":{{"Version":"2012-10-17","Statement":[{lock}]}}}}]}}"#
    );
    let attached =
        r#","AttachedManagedPolicies":[{"PolicyName":"lock","PolicyArn":"arn:aws:iam::111122223333:policy/lock"}]"#;
    let locked_role = holding("locked", "", lock);
    let over_roles = allow(&["iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"], "*");
    let users = [
        user("free", &put, ""),
        user("grouped", &put, r#","GroupList":["locked"]"#),
        user("mfa", &put, r#","GroupList":["mfa"]"#),
        user("managed", &put, attached),
        user("inline", &format!("{put},{lock}"), ""),
        user("attaching", &format!("{attach},{lock}"), ""),
        user("over-roles", &over_roles, ""),
    ];
    let read = read(&[("gaad.json", &details(&users.join(","), &groups, &locked_role, &managed))]);
    assert_eq!(read.techniques("user/free"), set(&["iam-put-user-policy"]));
    assert_eq!(read.techniques("user/grouped"), set(&[]));
    assert_eq!(read.techniques("user/managed"), set(&[]));
    // Who meets the condition is held back by nothing.
    assert_eq!(read.techniques("user/mfa"), set(&["iam-put-user-policy?"]));
    // The inline policy that denies is one of those that can be overwritten; attaching one more overwrites none.
    assert_eq!(read.techniques("user/inline"), set(&["iam-put-user-policy"]));
    assert_eq!(read.techniques("user/attaching"), set(&[]));
    assert!(read.techniques("user/over-roles").contains("iam-put-role-policy-update-assume-role-policy"));
    assert!(!read.techniques("user/over-roles").contains("iam-attach-role-policy-update-assume-role-policy"));
}
