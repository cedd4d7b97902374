//! Variables that a principal cannot have: a role has no `aws:username`.

use super::{Read, details, read, role};

/// A role with these statements.
fn held(statements: &str) -> Read {
    let policy =
        format!(r#"{{"PolicyName":"p","PolicyDocument":{{"Version":"2012-10-17","Statement":[{statements}]}}}}"#);
    let more = format!(r#","RolePolicyList":[{policy}],"AttachedManagedPolicies":[]"#);
    read(&[("gaad.json", &details("", "", &role("bot", "", &more), ""))])
}

/// What it may do, with where and when.
fn shown(read: &Read) -> Vec<String> {
    let access = read.resolver.access(&read.identity("bot").id).unwrap();
    access.slices().iter().map(|slice| format!("{} if {}", slice.scope, slice.condition)).collect()
}

#[test]
fn a_value_without_its_variable_fits_nothing_and_leaves_no_empty_list() {
    let test = |operator: &str, values: &str| {
        let read = held(&format!(
            r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{{"{operator}":{{"aws:RequestTag/k":[{values}]}}}}}}"#
        ));
        shown(&read)
    };
    let (own, both) = (r#""${aws:username}""#, r#""v","${aws:username}""#);
    let without_key = ["* if aws:requesttag/k Null true"];
    assert_eq!(test("StringEquals", both), ["* if aws:requesttag/k StringEquals v"]);
    assert_eq!(test("StringNotEquals", both), without_key);
    assert_eq!(test("StringNotEquals", own), without_key);
    assert_eq!(test("StringEqualsIfExists", own), without_key);
    assert_eq!(test("ForAllValues:StringEquals", own), without_key);
    for never in ["StringEquals", "ForAnyValue:StringEquals", "ForAnyValue:StringNotEquals"] {
        assert_eq!(test(never, own), Vec::<String>::new(), "{never}");
    }
}

#[test]
fn what_is_not_a_resource_without_its_variable_is_nothing_in_access_as_in_decisions() {
    let but = |effect: &str| {
        format!(r#"{{"Effect":"{effect}","Action":"s3:GetObject","NotResource":"arn:aws:s3:::b/${{aws:username}}/*"}}"#)
    };
    let all = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#;
    assert_eq!(shown(&held(&but("Allow"))), Vec::<String>::new());
    assert_eq!(shown(&held(&format!("{all},{}", but("Deny")))), ["* if "]);
}
