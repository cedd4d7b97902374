use super::{details, read, role};

const SERVICE: &str = r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#;

#[test]
fn a_role_of_wrong_shape_costs_only_itself() {
    let roles =
        [role("one", SERVICE, ""), r#"{"Arn": ["not", "a", "text"]}"#.to_owned(), role("two", SERVICE, "")].join(",");
    let read = read(&[("gaad.json", &details("", "", &roles, ""))]);
    assert_eq!(read.count("role"), 2);
    assert_eq!(read.errors.len(), 1);
    assert_eq!(read.errors[0].document, "gaad.json#/RoleDetailList/1");
}

#[test]
fn a_cut_export_keeps_the_principals_before_the_cut_and_names_the_line() {
    let whole = details("", "", &[role("one", SERVICE, ""), role("two", SERVICE, "")].join(",\n"), "");
    let cut = whole.get(..whole.find("role/two").unwrap()).unwrap();
    let read = read(&[("gaad.json", cut)]);
    assert_eq!(read.count("role"), 1);
    assert_eq!(read.errors.len(), 1);
    assert!(read.errors[0].document.starts_with("gaad.json:3:"), "{}", read.errors[0].document);
}

#[test]
fn deep_nesting_is_a_problem_of_the_policy_that_nests() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let inline = |document: &str| format!(r#","RolePolicyList":[{{"PolicyName":"p","PolicyDocument":{document}}}]"#);
    let nested = format!(r#"{{"Statement":[{{"Effect":"Allow","Action":{deep},"Resource":"*"}}]}}"#);
    let roles = [role("deep", SERVICE, &inline(&nested)), role("flat", SERVICE, "")].join(",");
    let read = read(&[("gaad.json", &details("", "", &roles, ""))]);
    assert_eq!(read.count("role"), 2);
    let place = "gaad.json#/RoleDetailList/0/RolePolicyList/0/PolicyDocument";
    assert!(read.inventory.gaps.iter().any(|gap| &*gap.call == place), "{:?}", read.inventory.gaps);
}

#[test]
fn what_is_no_json_is_an_error_with_its_place() {
    for text in [r#"{"RoleDetailList": [}"#, r#"{"RoleDetailList": 7}"#, r#"{"RoleDetailList": [1, null]}"#] {
        let read = read(&[("gaad.json", text)]);
        assert!(!read.errors.is_empty(), "{text}");
        assert!(read.errors[0].document.starts_with("gaad.json"), "{text}");
    }
}

#[test]
fn missing_lists_and_single_things_are_read() {
    let text = r#"{"RoleDetailList": {"Arn": "arn:aws:iam::111122223333:role/one", "RolePolicyList": null,
        "AttachedManagedPolicies": {"PolicyArn": "arn:aws:iam::111122223333:policy/p"}}}"#;
    let read = read(&[("gaad.json", text)]);
    assert_eq!(read.errors, []);
    assert_eq!(&*read.identity("one").name, "one");
}

#[test]
fn pages_of_one_account_are_one_account_and_a_missing_last_page_is_said() {
    let first =
        r#"{"RoleDetailList": [{"Arn": "arn:aws:iam::111122223333:role/one"}], "IsTruncated": true, "Marker": "m"}"#;
    let second = r#"{"RoleDetailList": [{"Arn": "arn:aws:iam::111122223333:role/two"},
        {"Arn": "arn:aws:iam::111122223333:role/one"}], "IsTruncated": false}"#;
    let both = read(&[("1.json", first), ("2.json", second)]);
    assert_eq!(both.count("role"), 2);
    assert!(!both.inventory.gaps.iter().any(|gap| gap.reason.contains("last page")));
    let one = read(&[("1.json", first)]);
    assert!(one.inventory.gaps.iter().any(|gap| gap.reason.contains("last page")));
}

#[test]
fn the_order_of_documents_does_not_matter() {
    let details =
        details(r#"{"UserName":"ana","Arn":"arn:aws:iam::111122223333:user/ana"}"#, "", &role("one", SERVICE, ""), "");
    let keys = r#"{"AccessKeyMetadata":[{"UserName":"ana","AccessKeyId":"AKIAFAKEFAKEFAKEFAKE","Status":"Active","CreateDate":"2024-01-01T00:00:00Z"}]}"#;
    let a = read(&[("gaad.json", &details), ("keys.json", keys)]);
    let b = read(&[("keys.json", keys), ("gaad.json", &details)]);
    assert_eq!(format!("{:?}", a.inventory), format!("{:?}", b.inventory));
}
