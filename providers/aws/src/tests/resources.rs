//! Policies of resources over captures: whom they give something, and from whom they take.

use evenhand_model::access::{Outcome, Request};

use super::{Read, details, read, role};

fn user(name: &str, statements: &str, more: &str) -> String {
    format!(
        r#"{{"Path":"/","UserName":"{name}","Arn":"arn:aws:iam::111122223333:user/{name}",
        "UserPolicyList":[{{"PolicyName":"p","PolicyDocument":{{"Version":"2012-10-17","Statement":[{statements}]}}}}]{more}}}"#
    )
}

fn bucket(name: &str, account: &str, statements: &str) -> String {
    let policy = serde_json::json!(format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#));
    format!(
        r#"{{"call":"s3api get-bucket-policy","parameters":{{"Bucket":"{name}"}},"account":"{account}","response":{{"Policy":{policy}}}}}"#
    )
}

/// The access of an identity, a line a slice: what by which policy.
fn listed(read: &Read, who: &str) -> Vec<String> {
    let access = read.resolver.access(&read.identity(who).id).unwrap();
    let line = |slice: &evenhand_model::access::Slice| {
        let names: Vec<String> = read
            .resolver
            .catalog()
            .summarise(&slice.operations)
            .into_iter()
            .map(|(name, _)| name.to_string())
            .collect();
        let condition =
            if slice.condition.is_unconditional() { String::new() } else { format!(" if {}", slice.condition) };
        format!("{} on {}{condition} by {}", names.join(" "), slice.scope, read.resolver.grant(slice.grant))
    };
    access.slices().iter().map(line).collect()
}

const NOTHING: &str = r#"{"Effect":"Allow","Action":"sqs:ListQueues","Resource":"*"}"#;

#[test]
fn who_is_named_by_a_resource_at_home_holds_what_it_gives() {
    let names = r#"{"Sid":"agent","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/agent","arn:aws:iam::111122223333:user/named"]},
        "Action":["s3:GetObject","s3:ListAllMyBuckets","sqs:SendMessage"],"Resource":"*"}"#;
    let opens = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}"#;
    let public = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/public/*"}"#;
    let narrowed = r#"{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*",
        "Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/nar*"}}}"#;
    let users = [user("named", NOTHING, ""), user("other", NOTHING, ""), user("narrowed", NOTHING, "")].join(",");
    let gaad = details(&users, "", &role("agent", "", ""), "");
    let policy = bucket("b", "111122223333", &[names, opens, public, narrowed].join(","));
    let read = read(&[("gaad.json", &gaad), ("bucket.json", &policy)]);
    let given =
        "s3:GetObject on arn:aws:s3:::b, arn:aws:s3:::b/* by resource policy of arn:aws:s3:::b statement 0 (agent)";
    assert!(listed(&read, "agent").contains(&given.to_owned()), "{:?}", listed(&read, "agent"));
    assert!(listed(&read, "named").contains(&given.to_owned()));
    assert_eq!(listed(&read, "other"), ["sqs:ListQueues on * by inline policy p statement 0"]);
    let narrow = "s3:PutObject on arn:aws:s3:::b/* by resource policy of arn:aws:s3:::b statement 3";
    assert!(listed(&read, "narrowed").contains(&narrow.to_owned()), "{:?}", listed(&read, "narrowed"));
}

#[test]
fn a_boundary_holds_back_what_names_the_role_and_not_what_names_the_user() {
    let bounded = r#","PermissionsBoundary":{"PermissionsBoundaryArn":"arn:aws:iam::111122223333:policy/b"}"#;
    let boundary = r#"{"PolicyName":"b","Arn":"arn:aws:iam::111122223333:policy/b","PolicyVersionList":[{"VersionId":"v1","IsDefaultVersion":true,
        "Document":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}}]}"#;
    let names = r#"{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/r","arn:aws:iam::111122223333:user/u"]},
        "Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#;
    let gaad = details(&user("u", NOTHING, bounded), "", &role("r", "", bounded), boundary);
    let read = read(&[("gaad.json", &gaad), ("bucket.json", &bucket("b", "111122223333", names))]);
    assert_eq!(listed(&read, "r"), [""; 0]);
    assert!(listed(&read, "u").iter().any(|line| line.starts_with("s3:GetObject")), "{:?}", listed(&read, "u"));
}

#[test]
fn another_account_must_let_in_whom_its_own_policies_send() {
    let send = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::theirs/*","arn:aws:s3:::closed/*","arn:aws:s3:::unread/*"]}"#;
    let lets = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::theirs/in/*"}"#;
    let asks = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"s3:*","Resource":"arn:aws:s3:::closed/*"}"#;
    let read = read(&[
        ("gaad.json", &details(&user("u", send, ""), "", "", "")),
        ("theirs.json", &bucket("theirs", "444455556666", lets)),
        ("closed.json", &bucket("closed", "444455556666", asks)),
    ]);
    let reaches = |name: &str| {
        let access = read.resolver.access(&read.identity("u").id).unwrap();
        let name = format!("arn:aws:s3:::{name}");
        let segments: Vec<&str> = name.splitn(6, ':').collect();
        access.slices().iter().any(|slice| slice.scope.matches(&segments) == evenhand_model::evidence::Truth::Yes)
    };
    assert!(reaches("theirs/in/x") && reaches("unread/x"));
    assert!(!reaches("theirs/x") && !reaches("closed/x"));
}

#[test]
fn a_deny_to_everybody_but_some_cuts_and_one_that_asks_for_transport_does_not() {
    let all = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#;
    let exclusive = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::only/*",
        "Condition":{"StringNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/one"}}}"#;
    let transport = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::tls/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;
    let users = [user("one", all, ""), user("two", all, ""), user("three", all, "")].join(",");
    let read = read(&[
        ("gaad.json", &details(&users, "", "", "")),
        ("only.json", &bucket("only", "111122223333", exclusive)),
        ("tls.json", &bucket("tls", "111122223333", transport)),
    ]);
    assert_eq!(listed(&read, "one"), ["s3:GetObject on * by inline policy p statement 0"]);
    assert_eq!(listed(&read, "two"), ["s3:GetObject on * except arn:aws:s3:::only/* by inline policy p statement 0"]);
    let key = |name: &str| read.resolver.access_key(&read.identity(name).id);
    assert_ne!(key("one"), key("two"));
}

#[test]
fn a_key_that_does_not_trust_its_account_is_used_by_whom_it_names() {
    let use_it = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}"#;
    let key = |name: &str, statement: &str| {
        let policy = serde_json::json!(format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#));
        format!(
            r#"{{"call":"kms get-key-policy","parameters":{{"KeyId":"arn:aws:kms:eu-west-1:111122223333:key/{name}"}},"account":"111122223333","region":"eu-west-1","response":{{"Policy":{policy}}}}}"#
        )
    };
    let usual =
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;
    let closed = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/named"},"Action":"kms:Decrypt","Resource":"*"}"#;
    let users = [user("named", NOTHING, ""), user("sent", use_it, "")].join(",");
    let read = read(&[
        ("gaad.json", &details(&users, "", "", "")),
        ("usual.json", &key("usual", usual)),
        ("closed.json", &key("closed", closed)),
    ]);
    assert_eq!(
        listed(&read, "sent"),
        ["kms:Decrypt on * except arn:aws:kms:eu-west-1:111122223333:key/closed by inline policy p statement 0"]
    );
    let given = "kms:Decrypt on arn:aws:kms:eu-west-1:111122223333:key/closed by resource policy of";
    assert!(listed(&read, "named").iter().any(|line| line.starts_with(given)), "{:?}", listed(&read, "named"));
}

#[test]
fn what_one_statement_gives_to_several_depends_on_who_each_of_them_is() {
    let statement = |names: &str, condition: &str| {
        format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":[{names}]}},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"{condition}}}"#
        )
    };
    let users = r#""arn:aws:iam::111122223333:user/a","arn:aws:iam::111122223333:user/b""#;
    let sessions = r#""arn:aws:sts::111122223333:assumed-role/one/s1","arn:aws:sts::111122223333:assumed-role/two/s2""#;
    let policy = [statement(users, r#","Condition":{"StringEquals":{"aws:username":"a"}}"#), statement(sessions, "")];
    let gaad = details(
        &[user("a", NOTHING, ""), user("b", NOTHING, "")].join(","),
        "",
        &[role("one", "", ""), role("two", "", "")].join(","),
        "",
    );
    let read = read(&[("gaad.json", &gaad), ("bucket.json", &bucket("b", "111122223333", &policy.join(",")))]);
    let given = |who: &str| listed(&read, who).into_iter().find(|line| line.starts_with("s3:GetObject"));
    let on = "s3:GetObject on arn:aws:s3:::b/*";
    assert_eq!(given("a").unwrap(), format!("{on} by resource policy of arn:aws:s3:::b statement 0"));
    assert_eq!(given("b"), None);
    for (who, session) in [("one", "s1"), ("two", "s2")] {
        let line =
            format!("{on} if aws:userid StringLike *:{session} by resource policy of arn:aws:s3:::b statement 1");
        assert_eq!(given(who).unwrap(), line);
    }
}

#[test]
fn a_deny_to_all_but_one_session_leaves_that_session_alone() {
    let all = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#;
    let worker = role(
        "worker",
        "",
        &format!(
            r#","RolePolicyList":[{{"PolicyName":"p","PolicyDocument":{{"Version":"2012-10-17","Statement":[{all}]}}}}]"#
        ),
    );
    let session = r#""arn:aws:sts::111122223333:assumed-role/worker/s1""#;
    let rest = r#""arn:aws:iam::111122223333:role/worker","arn:aws:iam::111122223333:root""#;
    let listed_under = |names: &str| {
        let deny = format!(
            r#"{{"Effect":"Deny","NotPrincipal":{{"AWS":[{names}]}},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}}"#
        );
        let gaad = details("", "", &worker, "");
        listed(&read(&[("gaad.json", &gaad), ("bucket.json", &bucket("b", "111122223333", &deny))]), "worker")
    };
    assert_eq!(
        listed_under(session),
        [
            "s3:GetObject on * if unless (aws:userid StringNotLike *:s1) on arn:aws:s3:::b/* by inline policy p statement 0"
        ]
    );
    // The documented form excepts the role and its account too: the role is excepted for certain, whatever the order.
    let untouched = ["s3:GetObject on * by inline policy p statement 0"];
    assert_eq!(listed_under(&format!("{session},{rest}")), untouched);
    assert_eq!(listed_under(&format!("{rest},{session}")), untouched);
}

#[test]
fn a_key_that_lets_in_everybody_of_its_account_leaves_the_decision_to_identity_policies() {
    let key = "arn:aws:kms:eu-west-1:111122223333:key/k";
    let all = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}"#;
    let users = [user("sent", all, ""), user("other", NOTHING, "")].join(",");
    let listed_under = |condition: &str| {
        let allow = format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"kms:*","Resource":"*","Condition":{condition}}}"#
        );
        let policy = serde_json::json!(format!(r#"{{"Version":"2012-10-17","Statement":[{allow}]}}"#));
        let policy = format!(
            r#"{{"call":"kms get-key-policy","parameters":{{"KeyId":"{key}"}},"account":"111122223333","response":{{"Policy":{policy}}}}}"#
        );
        let read = read(&[("gaad.json", &details(&users, "", "", "")), ("key.json", &policy)]);
        assert_eq!(listed(&read, "other"), ["sqs:ListQueues on * by inline policy p statement 0"]);
        listed(&read, "sent").join("; ")
    };
    let through = |condition: &str| {
        format!(
            "kms:Decrypt on * except {key} by inline policy p statement 0; kms:Decrypt on {key}{condition} by inline policy p statement 0"
        )
    };
    assert_eq!(listed_under("{}"), "kms:Decrypt on * by inline policy p statement 0");
    assert_eq!(listed_under(r#"{"StringEquals":{"kms:CallerAccount":"111122223333"}}"#), through(""));
    assert_eq!(
        listed_under(r#"{"StringEquals":{"kms:CallerAccount":"444455556666"}}"#),
        format!("kms:Decrypt on * except {key} by inline policy p statement 0")
    );
    let via = r#"{"StringEquals":{"kms:CallerAccount":"111122223333","kms:ViaService":"s3.eu-west-1.amazonaws.com"}}"#;
    assert!(listed_under(via).contains("kms:viaservice"), "{}", listed_under(via));
}

#[test]
fn what_is_granted_on_everything_but_its_only_kind_is_not_granted() {
    let allow = r#"{"Effect":"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:GetRandomPassword"],"Resource":"*"}"#;
    let deny = |scope: &str| format!(r#"{{"Effect":"Deny","Action":"secretsmanager:*","Resource":"{scope}"}}"#);
    let all = "arn:aws:secretsmanager:*:*:secret:*";
    let own = "arn:aws:secretsmanager:*:111122223333:secret:*";
    let users =
        [user("all", &format!("{allow},{}", deny(all)), ""), user("own", &format!("{allow},{}", deny(own)), "")]
            .join(",");
    let read = read(&[("gaad.json", &details(&users, "", "", ""))]);
    assert_eq!(listed(&read, "all"), ["secretsmanager:GetRandomPassword on * by inline policy p statement 0"]);
    // Secrets of other accounts are left.
    let left = format!("secretsmanager:GetSecretValue on * except {own} by inline policy p statement 0");
    assert!(listed(&read, "own").contains(&left), "{:?}", listed(&read, "own"));
}

#[test]
fn the_policy_of_a_repository_of_images_is_held_against_those_it_names() {
    let pull = r#"["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]"#;
    let statement = |effect: &str, whom: &str| {
        format!(
            r#"{{"Effect":"{effect}","Principal":{{"AWS":"arn:aws:iam::111122223333:user/{whom}"}},"Action":{pull}}}"#
        )
    };
    let policy = |repository: &str, statement: &str| {
        format!(
            r#"{{"registryId":"111122223333","repositoryName":"{repository}","policyText":{}}}"#,
            serde_json::json!(format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#))
        )
    };
    let listed_there = r#"{"repositories":[{"repositoryArn":"arn:aws:ecr:eu-west-1:111122223333:repository/team/app",
        "registryId":"111122223333","repositoryName":"team/app"}]}"#;
    let wrapped = format!(
        r#"{{"call":"ecr get-repository-policy","region":"us-east-1","response":{}}}"#,
        policy("base", &statement("Deny", "all"))
    );
    let all = r#"{"Effect":"Allow","Action":"ecr:BatchGetImage","Resource":"*"}"#;
    let users = [user("named", NOTHING, ""), user("all", all, ""), user("other", NOTHING, "")].join(",");
    let gaad = details(&users, "", "", "");
    let app = policy("team/app", &statement("Allow", "named"));
    let read_with = |more: &[(&str, &str)]| read(&[&[("gaad.json", gaad.as_str())], more].concat());
    let held = read_with(&[("app.json", &app), ("list.json", listed_there), ("base.json", &wrapped)]);
    assert_eq!(held.errors, []);
    let repository = "arn:aws:ecr:eu-west-1:111122223333:repository/team/app";
    let given = format!(
        "ecr:BatchGetImage ecr:GetDownloadUrlForLayer on {repository} by resource policy of arn:aws:ecr::111122223333:repository/team/app statement 0"
    );
    assert!(listed(&held, "named").contains(&given), "{:?}", listed(&held, "named"));
    let base = "arn:aws:ecr:us-east-1:111122223333:repository/base";
    assert_eq!(listed(&held, "all"), [format!("ecr:BatchGetImage on * except {base} by inline policy p statement 0")]);
    let decided = |who: &str, resource: &str| {
        let request = Request {
            identity: String::new(),
            operation: "ecr:BatchGetImage".to_owned(),
            resource: Some(resource.to_owned()),
            context: Default::default(),
        };
        held.resolver.decide(&held.identity(who).id, &request).unwrap().outcome
    };
    assert_eq!(decided("named", repository), Outcome::Allowed);
    assert_eq!(decided("other", repository), Outcome::ImplicitlyDenied);
    assert_eq!((decided("all", base), decided("all", repository)), (Outcome::ExplicitlyDenied, Outcome::Allowed));

    // Nothing says in which region the repository is, so nobody can be held against its policy.
    let lost = read_with(&[("app.json", &app)]);
    assert!(lost.inventory.gaps.iter().any(|gap| &*gap.call == "aws ecr describe-repositories"));
    assert_eq!(listed(&lost, "named"), ["sqs:ListQueues on * by inline policy p statement 0"]);
}
