//! What principals may do to themselves: `${aws:username}` in the name of a resource.

use evenhand_model::evidence::Truth;
use evenhand_model::scope::ResourceScope;

use super::{Read, details, read};

const SELF_SERVICE: &str = r#"{"Effect":"Allow","Action":["iam:ChangePassword","iam:CreateAccessKey"],
    "Resource":["arn:aws:iam::*:user/${aws:username}","arn:aws:iam::*:user/*/${aws:username}"]}"#;

fn policy(statements: &str) -> String {
    format!(r#"{{"PolicyName":"p","PolicyDocument":{{"Version":"2012-10-17","Statement":[{statements}]}}}}"#)
}

fn user(name: &str, statements: &str) -> String {
    format!(
        r#"{{"Path":"/","UserName":"{name}","Arn":"arn:aws:iam::111122223333:user/{name}","Tags":[],"GroupList":[],"UserPolicyList":[{}]}}"#,
        policy(statements)
    )
}

fn scope(read: &Read, who: &str) -> ResourceScope {
    let access = read.resolver.access(&read.identity(who).id).unwrap();
    let [slice] = access.slices() else { panic!("{who}: {access:?}") };
    ResourceScope::clone(&slice.scope)
}

#[test]
fn self_service_reaches_oneself_only_and_is_the_same_for_everybody() {
    let other = r#"{"Effect":"Allow","Action":"iam:ChangePassword","Resource":"arn:aws:iam::*:user/bot"}"#;
    let tagged = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team}/*"}"#;
    let guarded = format!(
        r#"{SELF_SERVICE},{{"Effect":"Deny","Action":"iam:*","NotResource":"arn:aws:iam::*:user/${{aws:username}}"}}"#
    );
    let users = [
        user("bot", SELF_SERVICE),
        user("ann", SELF_SERVICE),
        user("chief", other),
        user("tagged", tagged).replace(r#""Tags":[]"#, r#""Tags":[{"Key":"team","Value":"x"}]"#),
        user("guarded", &guarded),
    ];
    let group = format!(
        r#"{{"Path":"/","GroupName":"all","Arn":"arn:aws:iam::111122223333:group/all","GroupPolicyList":[{}]}}"#,
        policy(SELF_SERVICE)
    );
    let read = read(&[("gaad.json", &details(&users.join(","), &group, "", ""))]);
    let (bot, ann, all, chief) = (scope(&read, "bot"), scope(&read, "ann"), scope(&read, "all"), scope(&read, "chief"));
    assert_eq!(bot.matches_name("arn:aws:iam::111122223333:user/bot"), Truth::Yes);
    assert_eq!(bot.matches_name("arn:aws:iam::111122223333:user/ann"), Truth::No);
    assert_eq!((ann.contains(&bot), all.contains(&bot)), (Truth::No, Truth::Unknown));
    let oneself = |scope: &ResourceScope| scope.of_oneself().unwrap();
    for (outer, inner) in [(&ann, &bot), (&bot, &ann), (&all, &bot)] {
        assert_eq!(oneself(outer).contains(&oneself(inner)), Truth::Yes);
    }
    // Power over somebody by name is no self-service, be it over the same one.
    assert_eq!(chief.of_oneself(), None);
    assert_eq!(scope(&read, "tagged").of_oneself(), None, "a team is not oneself");
    assert_eq!(oneself(&bot).contains(&oneself(&scope(&read, "guarded"))), Truth::Yes, "limits are remembered too");
    assert_ne!(oneself(&scope(&read, "guarded")).contains(&oneself(&bot)), Truth::Yes);
}
