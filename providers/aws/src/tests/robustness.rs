use evenhand_model::evidence::Fact;
use evenhand_model::gap::GapKind;
use evenhand_model::identity::Nature;
use evenhand_model::secret::Fingerprinter;

use super::{details, read, role};
use crate::documents;
use crate::inventory::facts::Facts;

const SERVICE: &str = r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#;

#[test]
fn a_role_of_wrong_shape_costs_only_itself() {
    let roles =
        [role("one", SERVICE, ""), r#"{"Arn": ["not", "a", "text"]}"#.to_owned(), role("two", SERVICE, "")].join(",");
    let read = read(&[("gaad.json", &details("", "", &roles, ""))]);
    assert_eq!(read.count("role"), 2);
    assert_eq!(read.errors.len(), 1);
    assert_eq!(read.errors[0].document, "gaad.json#/RoleDetailList/1/Arn");
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
    let gap = one.inventory.gaps.iter().find(|gap| gap.reason.contains("last page")).unwrap();
    // Whoever reads that the document is not whole sees which one it is.
    assert_eq!(&*gap.call, "1.json");
}

#[test]
fn a_list_that_is_absent_was_not_collected_and_an_empty_one_is_empty() {
    let roles = r#""RoleDetailList": [{"Arn": "arn:aws:iam::111122223333:role/one"}]"#;
    let users = r#""UserDetailList": [{"Arn": "arn:aws:iam::111122223333:user/ana"}]"#;
    let absent = |documents: &[(&str, &str)]| {
        let gaps = read(documents).inventory.gaps;
        let mut gaps = gaps.into_iter().filter(|gap| gap.reason.starts_with("its answer has no "));
        let gap = gaps.next()?;
        assert_eq!((gap.kind, gaps.next()), (GapKind::NotCollected, None));
        Some((gap.reason.to_string(), gap.unknown()))
    };
    let part = format!(r#"{{{roles}, "GroupDetailList": [], "Policies": []}}"#);
    let (reason, unknown) = absent(&[("gaad.json", part.as_str())]).unwrap();
    assert_eq!(reason, "its answer has no `UserDetailList`; run the call and add its output");
    assert_eq!(unknown, "users, and what they may do");
    // What another document of the account has is there.
    assert_eq!(absent(&[("gaad.json", part.as_str()), ("users.json", format!("{{{users}}}").as_str())]), None);
    let empty = format!(r#"{{"UserDetailList": [], {roles}, "GroupDetailList": [], "Policies": []}}"#);
    assert_eq!(absent(&[("gaad.json", empty.as_str())]), None);
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

/// Where the errors are.
fn places(read: &super::Read) -> Vec<&str> {
    read.errors.iter().map(|error| &*error.document).collect()
}

#[test]
fn what_is_no_name_names_no_identity() {
    for value in ["7", "true", "null", "[]", "{}", r#""""#, r#""7""#] {
        let users = format!(r#"{{"UserName":"ana","Arn":{value}}},{{"Arn":"arn:aws:iam::111122223333:user/ben"}}"#);
        let read = read(&[("gaad.json", &details(&users, "", "", ""))]);
        assert_eq!(places(&read), ["gaad.json#/UserDetailList/0/Arn"], "{value}");
        assert_eq!((read.count("user"), &*read.identity("ben").name), (1, "ben"), "{value}");
    }
}

#[test]
fn of_a_cut_answer_nothing_is_missing_and_nothing_was_told() {
    let gaad = details(r#"{"Arn":"arn:aws:iam::111122223333:user/ana"}"#, "", "", "");
    for (call, response) in [
        (
            "iam get-service-last-accessed-details",
            r#""parameters":{"Arn":"arn:aws:iam::111122223333:user/ana"},"response":{"JobStatus":"COMPL"#,
        ),
        ("iam get-login-profile", r#""response":{"LoginProfile":{"UserName":"an"#),
        ("lambda list-functions", r#""response":{"Functions":[{"FunctionArn":"#),
    ] {
        let cut = format!(r#"{{"call":"{call}","account":"111122223333",{response}"#);
        let lines = format!("{}\n{cut}", r#"{"call":"lambda list-functions","response":{"Functions":[]}}"#);
        for (path, text) in [("cut.json", &cut), ("cut.ndjson", &lines)] {
            let read = read(&[("gaad.json", &gaad), (path, text)]);
            let reasons: Vec<&str> = read.errors.iter().map(|error| &*error.reason).collect();
            assert_eq!(reasons, ["ends in the middle of a value"], "{call} in {path}");
        }
        let read = read(&[("gaad.json", &gaad), ("cut.json", &cut)]);
        assert!(read.inventory.gaps.iter().any(|gap| gap.call.contains("list-functions")), "{call}");
    }
}

#[test]
fn an_answer_without_what_it_consists_of_is_no_answer() {
    let gaad = details(r#"{"Arn":"arn:aws:iam::111122223333:user/ana"}"#, "", "", "");
    let gap = |read: &super::Read| read.inventory.gaps.iter().any(|gap| gap.call.contains("list-functions"));
    let shape = "has another shape than expected: expected a list";
    for (response, place, reason) in [
        ("{}", "/response", "has no `Functions`"),
        (r#"{"Funktions":[]}"#, "/response", "has no `Functions`"),
        (r#"{"Functions":null}"#, "/response/Functions", shape),
        (r#"{"Functions":{}}"#, "/response/Functions", shape),
    ] {
        let answer = format!(r#"{{"call":"lambda list-functions","account":"111122223333","response":{response}}}"#);
        let read = read(&[("gaad.json", &gaad), ("functions.json", &answer)]);
        assert_eq!(places(&read), [format!("functions.json#{place}")], "{response}");
        assert_eq!(read.errors[0].reason, reason, "{response}");
        assert!(gap(&read), "{response}");
    }
    let empty = r#"{"call":"lambda list-functions","account":"111122223333","response":{"Functions":[]}}"#;
    let read = read(&[("gaad.json", &gaad), ("functions.json", empty)]);
    assert_eq!((places(&read), gap(&read)), (vec![], false));
}

#[test]
fn every_list_that_is_null_and_every_policy_that_is_missing_is_told() {
    for (text, place) in [
        (r#"{"ServiceSpecificCredentials":null}"#, "#/ServiceSpecificCredentials"),
        (r#"{"AccessKeyMetadata":null}"#, "#/AccessKeyMetadata"),
        (r#"{"agentRuntimes":null}"#, "#/agentRuntimes"),
        (r#"{"trailList":null}"#, "#/trailList"),
        (r#"{"call":"eks list-clusters","response":{}}"#, "#/response"),
        (
            r#"{"call":"organizations list-policies-for-target","parameters":{"TargetId":"r-1"},"response":{}}"#,
            "#/response",
        ),
        (r#"{"call":"kms get-key-policy","parameters":{"KeyId":"k"},"response":{}}"#, "#/response"),
        (r#"{"call":"s3api get-bucket-policy","parameters":{"Bucket":"b"},"response":{"Policy":null}}"#, "#/response"),
    ] {
        assert_eq!(places(&read(&[("a.json", text)])), [format!("a.json{place}")], "{text}");
    }
}

#[test]
fn a_policy_that_is_cut_is_told_as_cut() {
    let text = "{\n \"Policy\": {\"PolicySummary\": {\"Id\": \"p-1\",";
    let mut cut = super::document("policy.json", text);
    cut.head.keys.push("Policy".to_owned());
    let mut facts = Facts::default();
    let errors = documents::read(&cut, &Fingerprinter::keyed("test"), &mut facts);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].reason, "ends in the middle of a value");
    assert!(errors[0].document.starts_with("policy.json:2:"), "{}", errors[0].document);
    assert!(facts.answers.is_empty());
}

#[test]
fn what_stands_beside_a_damaged_first_element_is_read() {
    let text =
        r#"{"Functions":[7,{"FunctionArn":"arn:aws:lambda:eu-west-1:111122223333:function:f","FunctionName":"f"}]}"#;
    let mut facts = Facts::default();
    let mut document = super::document("functions.json", text);
    document.head.elements.clear();
    let errors = documents::read(&document, &Fingerprinter::keyed("test"), &mut facts);
    assert_eq!((errors.len(), &*errors[0].document), (1, "functions.json#/Functions/0"));
    assert_eq!(facts.placed.len(), 1);
}

#[test]
fn a_wrong_list_of_an_account_costs_that_list_alone() {
    let roles = format!("[{}]", role("one", SERVICE, ""));
    for wrong in ["7", "null", "true", r#""a""#] {
        for text in [
            format!(r#"{{"UserDetailList":{wrong},"RoleDetailList":{roles}}}"#),
            format!(r#"{{"RoleDetailList":{roles},"UserDetailList":{wrong}}}"#),
        ] {
            let read = read(&[("gaad.json", &text)]);
            assert_eq!((places(&read), read.count("role")), (vec!["gaad.json#/UserDetailList"], 1), "{text}");
        }
    }
}

#[test]
fn of_a_list_of_answers_that_is_cut_those_before_the_cut_are_read() {
    let text = r#"[{"call":"iam list-access-keys","parameters":{"UserName":"ana"},"account":"111122223333","response":{"AccessKeyMetadata":[{"AccessKeyId":"AKIAFAKEFAKEFAKEFAKE","Status":"Active"}]}}"#;
    let mut facts = Facts::default();
    let errors = documents::read(&super::document("a.json", text), &Fingerprinter::keyed("test"), &mut facts);
    assert_eq!((errors.len(), facts.access_keys.len()), (1, 1), "{errors:?}");
    assert_eq!(errors[0].reason, "ends in the middle of a value");
}

#[test]
fn a_cut_is_told_of_answers_that_nobody_reads_too() {
    for text in [
        r#"{"Instances":[{"InstanceArn":"arn:aws:"#,
        r#"{"actionGroupSummaries":[{"actionGroupId":"a"#,
        r#"{"accessEntries":["arn:aws:"#,
    ] {
        let mut cut = super::document("cut.json", text);
        let key = text.split('"').nth(1).unwrap().to_owned();
        cut.head.elements.push((key.clone(), vec!["InstanceArn".to_owned()]));
        cut.head.keys.push(key);
        let errors = documents::read(&cut, &Fingerprinter::keyed("test"), &mut Facts::default());
        assert_eq!((errors.len(), &*errors[0].reason), (1, "ends in the middle of a value"), "{text}");
    }
}

#[test]
fn an_account_that_is_none_is_told_with_what_it_takes() {
    let answer = r#"{"call":"lambda list-functions","account":"","response":{"Functions":[]}}"#;
    let read = read(&[("functions.json", answer)]);
    assert_eq!(places(&read), ["functions.json#/account"]);
    assert!(read.errors[0].remedy.contains("twelve digits"), "{:?}", read.errors);
}

#[test]
fn a_list_is_no_user() {
    let users = r#"["arn:aws:iam::111122223333:user/ghost","ghost",null,null,[],[],[],null,[]],
        {"Arn":"arn:aws:iam::111122223333:user/ben"}"#;
    let read = read(&[("gaad.json", &details(users, "", "", ""))]);
    assert_eq!((places(&read), read.count("user")), (vec!["gaad.json#/UserDetailList/0"], 1));
    assert!(read.errors[0].reason.ends_with("expected an object"), "{:?}", read.errors);
}

#[test]
fn a_field_of_the_wrong_type_is_an_error_with_its_pointer() {
    for (member, place) in [
        (r#""UserName":7"#, "UserName"),
        (r#""Path":7"#, "Path"),
        (r#""GroupList":[7]"#, "GroupList/0"),
        (r#""AttachedManagedPolicies":7"#, "AttachedManagedPolicies"),
        (r#""AttachedManagedPolicies":[{"PolicyArn":7}]"#, "AttachedManagedPolicies/0/PolicyArn"),
        (r#""AttachedManagedPolicies":[["arn:aws:iam::aws:policy/AdministratorAccess"]]"#, "AttachedManagedPolicies/0"),
        (r#""PermissionsBoundary":{}"#, "PermissionsBoundary"),
        (r#""UserPolicyList":[{"PolicyName":7}]"#, "UserPolicyList/0/PolicyName"),
        (r#""Tags":[{"Key":"","Value":"x"}]"#, "Tags/0/Key"),
        (r#""CreateDate":"soon""#, "CreateDate"),
        (r#""CreateDate":7"#, "CreateDate"),
        (r#""CreateDate":{"a":[1]}"#, "CreateDate"),
    ] {
        let users = format!(r#"{{"Arn":"arn:aws:iam::111122223333:user/ana",{member}}}"#);
        let read = read(&[("gaad.json", &details(&users, "", "", ""))]);
        assert_eq!(places(&read), [format!("gaad.json#/UserDetailList/0/{place}")], "{member}");
        // What a member does not say is unknown of a user who is known, unless it says who that is.
        let names = member.starts_with("\"UserName") || member.starts_with("\"Path");
        assert_eq!(read.count("user"), usize::from(!names), "{member}");
    }
    let ana = |member: &str| {
        let users = format!(r#"{{"Arn":"arn:aws:iam::111122223333:user/ana",{member}}}"#);
        let read = read(&[("gaad.json", &details(&users, "", "", ""))]);
        let told: Vec<String> = read.inventory.gaps.iter().map(|gap| format!("{} {}", gap.call, gap.reason)).collect();
        told.join("\n")
    };
    for member in ["GroupList", "AttachedManagedPolicies", "UserPolicyList"] {
        let told = ana(&format!(r#""{member}":[7]"#));
        assert!(told.contains(&format!("gaad.json#/UserDetailList/0/{member} `{member}` is no policy")), "{told}");
    }
    let told = ana(r#""PermissionsBoundary":{}"#);
    assert!(told.contains("a boundary that is not understood"), "{told}");
    let two = r#"{"Arn":"arn:aws:iam::111122223333:user/ana","Tags":7,"GroupList":[7]}"#;
    let two = read(&[("gaad.json", &details(two, "", "", ""))]);
    assert_eq!(places(&two), ["gaad.json#/UserDetailList/0/Tags", "gaad.json#/UserDetailList/0"]);
    let read = read(&[("gaad.json", r#"{"RoleDetailList":[],"IsTruncated":7}"#)]);
    assert_eq!(places(&read), ["gaad.json#/IsTruncated"]);
}

#[test]
fn whom_a_damaged_trust_policy_lets_in_is_unknown() {
    let role = |trust: &str| format!(r#"{{"Arn":"arn:aws:iam::111122223333:role/one"{trust}}}"#);
    let of = |trust: &str| {
        let read = read(&[("gaad.json", &details("", "", &role(trust), ""))]);
        assert!(read.inventory.gaps.iter().any(|gap| gap.call.starts_with("gaad.json#/RoleDetailList/0")), "{trust}");
        let one = read.identity("one");
        (one.third_party, one.human_sign_in)
    };
    let document = |statement: &str| format!(r#","AssumeRolePolicyDocument":{{"Statement":[{statement}]}}"#);
    for trust in [
        String::new(),
        r#","AssumeRolePolicyDocument":7"#.to_owned(),
        document(r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#),
        document(r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":7}}"#),
        document(r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{}}"#),
        document(r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":[]}}"#),
        document(r#"{"Effect":"Allow","Action":7,"Principal":{"Service":"lambda.amazonaws.com"}}"#),
    ] {
        assert_eq!(of(&trust), (Fact::Unknown, Fact::Unknown), "{trust}");
    }
}

#[test]
fn a_trust_statement_without_a_principal_takes_nothing_from_the_others() {
    let bedrock = r#"{"Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"},"Action":"sts:AssumeRole"}"#;
    let nobody = r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#;
    let roles = [role("support-agent", &format!("{bedrock},{nobody}"), ""), role("an-agent", nobody, "")].join(",");
    let read = read(&[("gaad.json", &details("", "", &roles, ""))]);
    assert_eq!(read.judged("support-agent").nature, Nature::AiAgent);
    assert_eq!(read.identity("support-agent").third_party, Fact::Unknown);
    assert!(read.inventory.gaps.iter().any(|gap| gap.reason.contains("names no principal in statement 1")));
    // A name alone says nothing beside a trust that is not known.
    assert_eq!(read.judged("an-agent").nature, Nature::Unknown);
}

#[test]
fn a_word_or_a_date_that_is_none_of_the_vendors_leaves_the_fact_unknown() {
    let gaad = details(r#"{"UserName":"ana","Arn":"arn:aws:iam::111122223333:user/ana"}"#, "", "", "");
    let keys = r#"{"AccessKeyMetadata":[{"UserName":"ana","AccessKeyId":"AKIAFAKEFAKEFAKEFAKE","Status":"","CreateDate":"x"},
        {"UserName":"ana","AccessKeyId":7,"Status":"Active"}]}"#;
    let read = read(&[("gaad.json", &gaad), ("keys.json", keys)]);
    let list = "keys.json#/AccessKeyMetadata";
    let expected = ["1/AccessKeyId", "0/Status", "0/CreateDate"].map(|place| format!("{list}/{place}"));
    assert_eq!(places(&read), expected);
    let [key] = read.inventory.credentials.as_slice() else { panic!("{:?}", read.inventory.credentials) };
    assert_eq!((key.enabled, key.created_at), (Fact::Unknown, Fact::Unknown));
}

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date";
const ANA: &str = "ana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,2026-10-01T00:00:00+00:00,2026-01-01T00:00:00+00:00,N/A,true,true,2024-01-01T00:00:00+00:00,N/A,false,N/A,N/A";

/// Reads the credential report of user `ana`.
fn reported(report: &str) -> super::Read {
    let gaad = details(r#"{"UserName":"ana","Arn":"arn:aws:iam::111122223333:user/ana"}"#, "", "", "");
    read(&[("gaad.json", &gaad), ("report.csv", report)])
}

#[test]
fn a_cut_row_of_the_credential_report_is_told_and_what_it_does_not_say_is_unknown() {
    for (end, reason, sign_in) in [
        ("ana", "has 1 of 14 columns in the row", Fact::Unknown),
        ("user/an", "has 2 of 14 columns in the row of `ana`", Fact::Unknown),
        ("+00:00,tr", "has 4 of 14 columns in the row of `ana`", Fact::Unknown),
        ("N/A,true,tru", "has 9 of 14 columns in the row of `ana`", Fact::Known(true)),
    ] {
        let cut = format!("{}{end}", ANA.split_once(end).unwrap().0);
        let read = reported(&format!("{HEADER}\n{cut}"));
        assert_eq!(places(&read), ["report.csv:2"], "{cut}");
        assert_eq!(read.errors[0].reason, reason, "{cut}");
        let ana = read.identity("ana");
        assert_eq!(ana.human_sign_in, sign_in, "{cut}");
        assert!(read.inventory.credentials.iter().all(|held| &*held.kind != "access_key"), "{cut}");
    }
    assert_eq!(reported(&format!("{HEADER}\n{ANA}")).errors, []);
}

#[test]
fn a_credential_report_without_rows_or_columns_is_told() {
    let bare = reported(&format!("{HEADER}\n"));
    assert_eq!((places(&bare), &*bare.errors[0].reason), (vec!["report.csv:1"], "has no row under its header"));
    let cut = HEADER.split_once(",mfa_active").unwrap().0;
    let reasons: Vec<String> = reported(cut).errors.into_iter().map(|error| error.reason).collect();
    assert!(reasons[0].starts_with("has no column `mfa_active`, `access_key_1_active`"), "{reasons:?}");
}

#[test]
fn a_credential_report_that_ends_between_two_rows_is_told_by_the_users_it_does_not_have() {
    let said = |report: &str| {
        let gaps = reported(report).inventory.gaps;
        gaps.iter().any(|gap| gap.reason.contains("has no row of arn:aws:iam::111122223333:user/ana"))
    };
    let root = format!("{HEADER}\n{}\n", ANA.replace("user/ana", "root").replace("ana,", "<root_account>,"));
    assert!(said(&root));
    assert!(!said(&format!("{root}{ANA}\n")));
}

#[test]
fn the_root_user_is_known_by_its_name_in_full_and_its_account_by_the_report() {
    let report = format!("{HEADER}\n{}\n", ANA.replace("user/ana", "root").replace("ana,", "boss,"));
    let read = read(&[("report.csv", &report)]);
    assert_eq!((read.count("root_user"), read.count("user")), (1, 0));
    let call = "aws iam get-account-authorization-details";
    let gaps: Vec<&str> = read
        .inventory
        .gaps
        .iter()
        .filter(|gap| &*gap.call == call)
        .filter_map(|gap| Some(gap.scope.as_ref()?.as_str()))
        .collect();
    assert_eq!(gaps, ["111122223333"]);
}

#[test]
fn a_value_that_the_credential_report_cannot_hold_is_told_and_unknown() {
    let read = reported(&format!(
        "{HEADER}\n{}",
        ANA.replace("N/A,true,true,2024", "N/A,7,yes,2024").replace("2021-01-01", "x")
    ));
    assert_eq!(places(&read), ["report.csv:2"]);
    let reason = "has no truth value as `mfa_active`, no truth value as `access_key_1_active`, no time as \
                  `user_creation_time` in the row of `ana`";
    assert_eq!(read.errors[0].reason, reason);
    assert!(read.inventory.credentials.iter().all(|held| &*held.kind != "access_key"));
    assert_eq!(read.identity("ana").created_at, Fact::Unknown);
}

#[test]
fn a_configuration_of_logs_that_is_not_understood_is_not_one_that_logs_or_does_not() {
    let gaad = details(r#"{"Arn":"arn:aws:iam::111122223333:user/ana"}"#, "", "", "");
    for (config, place) in [
        // A key with a digit is not told: it might be a secret.
        (r#"{"s3Config":7}"#, "/loggingConfig"),
        (r#"{"cloudWatchConfig":{"logGroupName":7}}"#, "/loggingConfig/cloudWatchConfig/logGroupName"),
        ("7", "/loggingConfig"),
    ] {
        let logging = format!(r#"{{"loggingConfig":{config}}}"#);
        let read = read(&[("gaad.json", &gaad), ("logging.json", &logging)]);
        assert_eq!(places(&read), [format!("logging.json#{place}")], "{config}");
        assert!(read.inventory.logs.is_empty(), "{config}");
    }
}

#[test]
fn an_empty_name_of_a_place_for_logs_is_none() {
    let gaad = details(r#"{"Arn":"arn:aws:iam::111122223333:user/ana"}"#, "", "", "");
    let enabled = |config: &str| {
        let logging = format!(r#"{{"loggingConfig":{config}}}"#);
        let read = read(&[("111122223333/gaad.json", &gaad), ("111122223333/logging.json", &logging)]);
        assert_eq!(read.errors, [], "{config}");
        let [log] = read.inventory.logs.as_slice() else { panic!("{:?}", read.inventory.logs) };
        log.enabled
    };
    let no_bucket = r#""s3Config":{"bucketName":""}"#;
    let group = r#""cloudWatchConfig":{"logGroupName":"g","roleArn":"r"}"#;
    assert_eq!(enabled(&format!("{{{no_bucket},{group}}}")), Fact::Known(true));
    assert_eq!(enabled(&format!("{{{no_bucket}}}")), Fact::Known(false));
}

#[test]
fn an_empty_role_is_none_and_costs_nothing_beside_it() {
    let task = r#"{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:eu-west-1:111122223333:task-definition/t:1",
        "taskRoleArn":"","containerDefinitions":[{"image":"i","environment":[
        {"name":"GITHUB_TOKEN","value":"fake-fake-fake"}]}]}}"#;
    let gaad = details("", "", &role("one", SERVICE, ""), "");
    let read = read(&[("gaad.json", &gaad), ("task.json", task)]);
    assert_eq!(read.errors, []);
    assert_eq!(read.inventory.credentials.iter().filter(|held| held.fingerprint.is_some()).count(), 1);
}

#[test]
fn roles_without_a_trust_policy_are_one_gap_of_their_account() {
    let roles: Vec<String> =
        (0..9).map(|number| format!(r#"{{"Arn":"arn:aws:iam::111122223333:role/r{number}"}}"#)).collect();
    let read = read(&[("gaad.json", &details("", "", &roles.join(","), ""))]);
    let told: Vec<(&str, &str)> = read
        .inventory
        .gaps
        .iter()
        .filter(|gap| gap.reason.contains("AssumeRolePolicyDocument"))
        .map(|gap| (&*gap.call, &*gap.reason))
        .collect();
    let reason = "has no `AssumeRolePolicyDocument`, like 8 more: r1, r2, r3, r4, r5 and 3 more; export it again with \
                  the whole answer";
    assert_eq!(told, [("gaad.json#/RoleDetailList/0", reason)]);
}
