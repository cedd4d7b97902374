//! Point decisions over captures in which something is missing, broken or nobody's.

use evenhand_model::access::{Outcome, Request};
use evenhand_model::evidence::Truth;

use super::{Read, details, read, role};

fn user(name: &str, statements: &str, more: &str) -> String {
    format!(
        r#"{{"Path":"/","UserName":"{name}","Arn":"arn:aws:iam::111122223333:user/{name}",
        "UserPolicyList":[{{"PolicyName":"p","PolicyDocument":{{"Version":"2012-10-17","Statement":[{statements}]}}}}]{more}}}"#
    )
}

fn ask(read: &Read, who: &str, operation: &str, resource: &str) -> Outcome {
    let request = Request {
        identity: String::new(),
        operation: operation.to_owned(),
        resource: Some(resource.to_owned()),
        context: Default::default(),
    };
    read.resolver.decide(&read.identity(who).id, &request).unwrap().outcome
}

const ALL_OF_S3: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
const OBJECT: &str = "arn:aws:s3:::b/x";
/// The object's bucket was asked for its policy and has none.
const NO_BUCKET_POLICY: (&str, &str) = (
    "bucket.json",
    r#"{"call":"s3api get-bucket-policy","parameters":{"Bucket":"b"},"error":{"code":"NoSuchBucketPolicy"}}"#,
);

#[test]
fn a_boundary_that_is_not_understood_decides_nothing() {
    let boundary = r#","PermissionsBoundary":{"PermissionsBoundaryArn":"arn:aws:iam::111122223333:policy/b"}"#;
    let policy = r#"{"PolicyName":"b","Arn":"arn:aws:iam::111122223333:policy/b","PolicyVersionList":[
        {"VersionId":"v1","IsDefaultVersion":true,"Document":{"Statement":[{"Effect":"Maybe","Action":"s3:*","Resource":"*"}]}}]}"#;
    let read = read(&[("gaad.json", &details(&user("u", ALL_OF_S3, boundary), "", "", policy))]);
    assert_eq!(ask(&read, "u", "s3:GetObject", OBJECT), Outcome::Unknown);
    assert_eq!(ask(&read, "u", "sqs:SendMessage", "*"), Outcome::ImplicitlyDenied);
}

#[test]
fn a_doubt_names_what_was_not_read_and_which_way_it_can_turn() {
    use evenhand_model::access::DoubtEffect::{Either, Limits};
    let boundary = |name: &str| {
        format!(r#","PermissionsBoundary":{{"PermissionsBoundaryArn":"arn:aws:iam::111122223333:policy/{name}"}}"#)
    };
    let lost = |name: &str| {
        format!(
            r#"{{"Path":"/","UserName":"{name}","Arn":"arn:aws:iam::111122223333:user/{name}","UserPolicyList":[{{"PolicyName":"p"}}]}}"#
        )
    };
    let users = [
        user("one", ALL_OF_S3, &boundary("a")),
        user("two", ALL_OF_S3, &boundary("b")),
        user("same", ALL_OF_S3, &boundary("a")),
        lost("lost"),
        lost("gone"),
    ]
    .join(",");
    let read = read(&[("gaad.json", &details(&users, "", "", ""))]);
    let doubt = |who: &str| read.resolver.access(&read.identity(who).id).unwrap().doubts[0].clone();
    assert_eq!(doubt("one"), doubt("same"));
    assert_ne!(doubt("one"), doubt("two"), "another boundary is another doubt");
    assert!(doubt("one").text.contains("policy/a"));
    assert_eq!(doubt("one").effect, Limits);
    assert_ne!(doubt("lost"), doubt("gone"), "policies of one name that nobody read are not one policy");
    assert_eq!(doubt("lost").effect, Either);
}

#[test]
fn a_decision_that_hangs_on_the_session_says_which_one_and_is_made_where_it_is_told() {
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/w/s";
    let worker =
        role("w", r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}"#, "");
    let decide = |statement: &str, context: &[(&str, &str)]| {
        let bucket = format!(
            r#"{{"call":"s3api get-bucket-policy","parameters":{{"Bucket":"b"}},"account":"111122223333","response":{{"Policy":{}}}}}"#,
            serde_json::json!(format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#))
        );
        let read = read(&[("gaad.json", &details("", "", &worker, "")), ("b.json", &bucket)]);
        let request = Request {
            identity: String::new(),
            operation: "s3:GetObject".to_owned(),
            resource: Some(OBJECT.to_owned()),
            context: context
                .iter()
                .map(|(key, value)| ((*key).to_owned(), evenhand_model::access::ContextValue::One((*value).to_owned())))
                .collect(),
        };
        read.resolver.decide(&read.identity("w").id, &request).unwrap()
    };
    let statement = |effect: &str, whom: &str| {
        format!(
            r#"{{"Effect":"{effect}","{whom}":{{"AWS":"{SESSION}"}},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}}"#
        )
    };
    let everybody = r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}"#;
    let named = statement("Allow", "Principal");
    let denied = format!("{everybody},{}", statement("Deny", "Principal"));
    let excepted = format!("{everybody},{}", statement("Deny", "NotPrincipal"));
    let (ours, other) = ([("aws:userid", "AROAW:s")], [("aws:userid", "AROAW:t")]);
    use Outcome::{Allowed, ExplicitlyDenied, ImplicitlyDenied};
    for (policy, said, for_ours, for_other) in [
        (&named, "resource: the caller's session is s (aws:userid StringLike *:s)", Allowed, ImplicitlyDenied),
        (
            &denied,
            "resource: unless (the caller's session is s (aws:userid StringLike *:s))",
            ExplicitlyDenied,
            Allowed,
        ),
        (
            &excepted,
            "resource: unless (the caller's session is not s (aws:userid StringNotLike *:s))",
            Allowed,
            ExplicitlyDenied,
        ),
    ] {
        let open = decide(policy, &[]);
        assert_eq!((open.outcome, open.conditions), (Outcome::Conditional, vec![said.to_owned()]), "{policy}");
        assert_eq!(decide(policy, &ours).outcome, for_ours, "{policy}");
        assert_eq!(decide(policy, &other).outcome, for_other, "{policy}");
    }
    // Named in two ways, the caller is let in or kept out by the one that does not ask for a session.
    let both = |effect: &str| {
        format!(
            r#"{{"Effect":"{effect}","Principal":{{"AWS":["{SESSION}","arn:aws:iam::111122223333:role/w"]}},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}}"#
        )
    };
    assert_eq!(decide(&both("Allow"), &[]).outcome, Allowed);
    assert_eq!(decide(&format!("{everybody},{}", both("Deny")), &[]).outcome, ExplicitlyDenied);
}

#[test]
fn power_over_a_resource_that_is_no_log_is_none() {
    let stop =
        |resource: &str| format!(r#"{{"Effect":"Allow","Action":"cloudtrail:StopLogging","Resource":"{resource}"}}"#);
    let users =
        [user("trail", &stop("arn:aws:cloudtrail:*:*:trail/main"), ""), user("bucket", &stop("arn:aws:s3:::b/*"), "")];
    let read = read(&[("gaad.json", &details(&users.join(","), "", "", ""))]);
    let operations = |who: &str| read.resolver.access(&read.identity(who).id).unwrap().operations().len();
    assert_eq!((operations("trail"), operations("bucket")), (1, 0));
}

#[test]
fn a_key_whose_policy_was_not_read_leaves_the_decision_open() {
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let read = read(&[("gaad.json", &details(&user("u", all, ""), "", "", ""))]);
    for resource in ["*", "arn:aws:kms:us-east-1:111122223333:*", "arn:aws:kms:us-east-1:111122223333:alias/x"] {
        assert_eq!(ask(&read, "u", "kms:Decrypt", resource), Outcome::Conditional, "{resource}");
    }
    assert_eq!(ask(&read, "u", "kms:ListKeys", "*"), Outcome::Allowed);
}

#[test]
fn what_the_export_leaves_out_is_unknown_and_not_denied() {
    let lost = r#"{"Path":"/","UserName":"lost","Arn":"arn:aws:iam::111122223333:user/lost",
        "UserPolicyList":[{"PolicyName":"p"}]}"#;
    let assume = r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}"#;
    let tagged = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*",
        "Condition":{"StringEquals":{"aws:PrincipalTag/team":"x"}}}"#;
    let users = [
        lost.to_owned(),
        user("caller", assume, ""),
        user("unread", tagged, ""),
        user("untagged", tagged, r#","Tags":[]"#),
    ]
    .join(",");
    let untrusting = r#"{"RoleName":"r","Arn":"arn:aws:iam::111122223333:role/r"}"#;
    let read = read(&[("gaad.json", &details(&users, "", untrusting, ""))]);
    assert_eq!(ask(&read, "lost", "s3:GetObject", OBJECT), Outcome::Unknown);
    assert_eq!(ask(&read, "caller", "sts:AssumeRole", "arn:aws:iam::111122223333:role/r"), Outcome::Unknown);
    assert_eq!(ask(&read, "unread", "s3:GetObject", OBJECT), Outcome::Conditional);
    assert_eq!(ask(&read, "untagged", "s3:GetObject", OBJECT), Outcome::Unknown, "the bucket may let it in");
}

#[test]
fn who_is_granted_nothing_may_be_let_in_by_a_resource_whose_policy_was_not_read() {
    let nothing = details(&user("u", r#"{"Effect":"Allow","Action":"iam:*","Resource":"*"}"#, ""), "", "", "");
    let without = [("gaad.json", &*nothing)];
    let with = [("gaad.json", &*nothing), NO_BUCKET_POLICY];
    for (documents, expected) in [(&without[..], Outcome::Unknown), (&with[..], Outcome::ImplicitlyDenied)] {
        let read = read(documents);
        assert_eq!(ask(&read, "u", "s3:GetObject", OBJECT), expected);
        // No policy of a resource grants these, or no resource is asked about.
        assert_eq!(ask(&read, "u", "s3:ListAllMyBuckets", "*"), Outcome::ImplicitlyDenied);
        assert_eq!(ask(&read, "u", "s3:GetObject", "*"), Outcome::ImplicitlyDenied);
        let instance = "arn:aws:ec2:us-east-1:111122223333:instance/i-1";
        assert_eq!(ask(&read, "u", "ec2:StopInstances", instance), Outcome::ImplicitlyDenied);
    }
}

#[test]
fn a_policy_that_was_not_read_may_deny_what_another_allows() {
    let attached =
        r#","AttachedManagedPolicies":[{"PolicyName":"lost","PolicyArn":"arn:aws:iam::111122223333:policy/lost"}]"#;
    let conditional =
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#;
    let users = [user("u", ALL_OF_S3, attached), user("c", conditional, attached)].join(",");
    let read = read(&[("gaad.json", &details(&users, "", "", ""))]);
    let decide = |who: &str| {
        let request = Request {
            identity: String::new(),
            operation: "s3:GetObject".to_owned(),
            resource: Some(OBJECT.to_owned()),
            context: Default::default(),
        };
        read.resolver.decide(&read.identity(who).id, &request).unwrap()
    };
    let (allowed, conditional) = (decide("u"), decide("c"));
    assert_eq!((allowed.outcome, allowed.because.len()), (Outcome::Unknown, 1));
    assert_eq!(conditional.outcome, Outcome::Conditional);
    for decision in [allowed, conditional] {
        assert!(decision.conditions.iter().any(|condition| condition.contains("policy/lost")), "{decision:?}");
    }
}

#[test]
fn the_older_version_has_no_variables_in_conditions() {
    let user = |name: &str, version: &str| {
        format!(
            r#"{{"Path":"/","UserName":"{name}","Arn":"arn:aws:iam::111122223333:user/{name}","UserPolicyList":[
            {{"PolicyName":"p","PolicyDocument":{{{version}"Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":"*",
            "Condition":{{"StringEquals":{{"aws:username":"${{aws:username}}"}}}}}}]}}}}]}}"#
        )
    };
    let users =
        [user("new", r#""Version":"2012-10-17","#), user("old", r#""Version":"2008-10-17","#), user("none", "")];
    let read = read(&[("gaad.json", &details(&users.join(","), "", "", "")), NO_BUCKET_POLICY]);
    for (name, expected) in [("new", true), ("old", false), ("none", false)] {
        let outcome = ask(&read, name, "s3:GetObject", OBJECT);
        assert_eq!(outcome, if expected { Outcome::Allowed } else { Outcome::ImplicitlyDenied }, "{name}");
        let access = read.resolver.access(&read.identity(name).id).unwrap();
        assert_eq!(!access.slices().is_empty(), expected, "{name}");
    }
}

#[test]
fn the_vendors_own_resources_stand_in_no_account_and_patterns_may_stand_in_another() {
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let read = read(&[("gaad.json", &details(&user("u", all, ""), "", "", ""))]);
    for (operation, resource, expected) in [
        ("iam:GetPolicy", "arn:aws:iam::aws:policy/ReadOnlyAccess", Outcome::Allowed),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:*", Outcome::Allowed),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:444455556666:*", Outcome::Unknown),
        (
            "iam:CreateServiceLinkedRole",
            "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/X",
            Outcome::Allowed,
        ),
        (
            "iam:PassRole",
            "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/X",
            Outcome::ImplicitlyDenied,
        ),
    ] {
        assert_eq!(ask(&read, "u", operation, resource), expected, "{operation} {resource}");
    }
}

#[test]
fn the_root_user_needs_no_policy() {
    let summary = r#"{"call":"iam get-account-summary","account":"111122223333",
        "response":{"SummaryMap":{"AccountAccessKeysPresent":1,"AccountMFAEnabled":0}}}"#;
    let service = r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}"#;
    let gaad = details("", "", &role("r", service, ""), "");
    let read = read(&[("gaad.json", &gaad), ("summary.json", summary)]);
    assert_eq!(ask(&read, "root", "s3:GetObject", OBJECT), Outcome::Allowed);
    assert_eq!(ask(&read, "root", "sts:AssumeRole", "arn:aws:iam::111122223333:role/r"), Outcome::ImplicitlyDenied);
}

#[test]
fn a_deny_to_all_but_some_holds_for_everyone_with_a_boundary() {
    let boundary = r#","PermissionsBoundary":{"PermissionsBoundaryArn":"arn:aws:iam::111122223333:policy/b"}"#;
    let policy = format!(
        r#"{{"PolicyName":"b","Arn":"arn:aws:iam::111122223333:policy/b","PolicyVersionList":[
        {{"VersionId":"v1","IsDefaultVersion":true,"Document":{{"Statement":[{ALL_OF_S3}]}}}}]}}"#
    );
    let users = [user("bounded", ALL_OF_S3, boundary), user("free", ALL_OF_S3, "")].join(",");
    let bucket = r#"{"call":"s3api get-bucket-policy","parameters":{"Bucket":"b"},"account":"111122223333",
        "response":{"Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":[\"arn:aws:iam::111122223333:user/bounded\",\"arn:aws:iam::111122223333:user/free\"]},\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::b/*\"}]}"}}"#;
    let read = read(&[("gaad.json", &details(&users, "", "", &policy)), ("bucket.json", bucket)]);
    assert_eq!(ask(&read, "bounded", "s3:GetObject", OBJECT), Outcome::ExplicitlyDenied);
    assert_eq!(ask(&read, "free", "s3:GetObject", OBJECT), Outcome::Allowed);
}

#[test]
fn whoever_is_denied_every_role_and_user_is_no_administrator() {
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let denied = |what: &str| format!(r#"{all},{{"Effect":"Deny","Action":"iam:*","Resource":"{what}"}}"#);
    let users = [
        user("none-of-iam", &denied("arn:aws:iam::111122223333:*"), ""),
        user("one-role-less", &denied("arn:aws:iam::111122223333:role/break-glass"), ""),
    ]
    .join(",");
    let read = read(&[("gaad.json", &details(&users, "", "", ""))]);
    let admin = |name: &str| read.resolver.is_admin(&read.identity(name).id);
    assert_eq!(admin("none-of-iam"), Some(false));
    assert_eq!(admin("one-role-less"), Some(true));
}

#[test]
fn an_active_key_counts_even_where_the_report_does_not_date_it() {
    let report = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date\n\
        u,arn:aws:iam::111122223333:user/u,2026-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,true,N/A,N/A,false,N/A,N/A\n";
    let gaad = details(&user("u", ALL_OF_S3, ""), "", "", "");
    let read = read(&[("gaad.json", &gaad), ("report.csv", report)]);
    let keys = read.inventory.credentials.iter().filter(|held| &*held.kind == "access_key").count();
    assert_eq!(keys, 1);
}

#[test]
fn a_permission_set_is_known_only_where_all_its_parts_were_read() {
    let set = "arn:aws:sso:::permissionSet/ssoins-1/ps-1";
    let call = |name: &str, response: &str| {
        format!(
            r#"{{"call":"sso-admin {name}","parameters":{{"InstanceArn":"arn:aws:sso:::instance/ssoins-1","PermissionSetArn":"{set}"}},"response":{response}}}"#
        )
    };
    let mut lines = vec![
        call(
            "describe-permission-set",
            &format!(r#"{{"PermissionSet":{{"Name":"Support","PermissionSetArn":"{set}"}}}}"#),
        ),
        call("list-managed-policies-in-permission-set", r#"{"AttachedManagedPolicies":[]}"#),
        call(
            "get-inline-policy-for-permission-set",
            r#"{"InlinePolicy":{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}}"#,
        ),
        call(
            "list-account-assignments",
            &format!(
                r#"{{"AccountAssignments":[{{"AccountId":"111122223333","PermissionSetArn":"{set}","PrincipalType":"GROUP","PrincipalId":"g"}}]}}"#
            ),
        ),
    ];
    let policy = r#"{"PolicyName":"c","Arn":"arn:aws:iam::111122223333:policy/team/c","PolicyVersionList":[{"VersionId":"v1",
        "IsDefaultVersion":true,"Document":{"Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}}]}"#;
    let gaad = details(&user("u", ALL_OF_S3, ""), "", "", policy);
    let part = read(&[("gaad.json", &gaad), ("centre.ndjson", &lines.join("\n"))]);
    assert_eq!(ask(&part, "Support", "s3:GetObject", OBJECT), Outcome::Unknown);
    assert_eq!(ask(&part, "Support", "sqs:SendMessage", "*"), Outcome::Unknown);
    lines.push(call(
        "list-customer-managed-policy-references-in-permission-set",
        r#"{"CustomerManagedPolicyReferences":[{"Name":"c","Path":"/team/"}]}"#,
    ));
    lines.push(call("get-permissions-boundary-for-permission-set", "{}"));
    let whole = read(&[("gaad.json", &gaad), ("centre.ndjson", &lines.join("\n"))]);
    assert_eq!(ask(&whole, "Support", "s3:GetObject", OBJECT), Outcome::Allowed);
    assert_eq!(ask(&whole, "Support", "sqs:SendMessage", "*"), Outcome::Allowed);
    assert_eq!(ask(&whole, "Support", "sns:Publish", "*"), Outcome::ImplicitlyDenied);
}

#[test]
fn a_pattern_of_objects_grants_nothing_on_the_bucket() {
    let objects = r#"{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::b/*"}"#;
    let buckets = r#"{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::b*"}"#;
    let users = [user("objects", objects, ""), user("both", buckets, "")].join(",");
    let read = read(&[("gaad.json", &details(&users, "", "", ""))]);
    let operations = |name: &str| read.resolver.access(&read.identity(name).id).unwrap().operations().len();
    assert_eq!(operations("objects"), 1);
    assert_eq!(operations("both"), 2);
}

#[test]
fn a_trust_in_a_session_reaches_a_role_with_a_path() {
    let all = r#","RolePolicyList":[{"PolicyName":"p","PolicyDocument":{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}}]"#;
    let session = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/w/s"},"Action":"sts:AssumeRole"}"#;
    let pathed = r#"{"Path":"/team/","RoleName":"w","Arn":"arn:aws:iam::111122223333:role/team/w"}"#;
    let roles = [role("target", session, all), pathed.to_owned()].join(",");
    let read = read(&[("gaad.json", &details("", "", &roles, ""))]);
    let edges = read.resolver.edges();
    assert!(edges.iter().any(|edge| edge.source.as_str().ends_with("team/w") && edge.conditional), "{edges:?}");
}

#[test]
fn policies_that_limit_in_very_many_ways_cost_no_more_than_their_size() {
    let list = |count: usize, name: &dyn Fn(usize) -> String| {
        let one =
            |at| format!(r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::{}"}}"#, name(at));
        (0..count).map(one).collect::<Vec<_>>().join(",")
    };
    let boundary = format!(
        r#"{{"PolicyName":"b","Arn":"arn:aws:iam::111122223333:policy/b","PolicyVersionList":[
        {{"VersionId":"v1","IsDefaultVersion":true,"Document":{{"Version":"2012-10-17","Statement":[{}]}}}}]}}"#,
        list(1000, &|at| format!("*-{at}/*"))
    );
    let bounded = r#","PermissionsBoundary":{"PermissionsBoundaryArn":"arn:aws:iam::111122223333:policy/b"}"#;
    let users = user("u", &list(1200, &|at| format!("b{at}-*")), bounded);
    let read = read(&[("gaad.json", &details(&users, "", "", &boundary))]);
    let access = read.resolver.access(&read.identity("u").id).unwrap();
    assert!((1200..25_000).contains(&access.slices().len()), "{}", access.slices().len());
    assert!(access.doubts.iter().any(|doubt| doubt.text.contains("too many overlapping ways")), "{:?}", access.doubts);
    // What was not taken apart is there, and no longer certain.
    let segments = ["arn", "aws", "s3", "", "", "b1199-7/x"];
    let mut last = access.slices().iter().filter(|slice| slice.scope.matches(&segments) == Truth::Yes).peekable();
    assert!(last.peek().is_some() && last.all(|slice| !slice.condition.is_unconditional()));
}
