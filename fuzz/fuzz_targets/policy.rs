//! The policy language: the text stands in every place of an account where a policy can stand. Lines are policies; the
//! first one is the trust policy, where there are several.
#![no_main]

use evenhand_aws::Aws;
use evenhand_fuzz::{document, read};
use serde_json::value::RawValue;
use serde_json::{Value, json};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut policies = text.lines().map(|line| match serde_json::from_str::<&RawValue>(line) {
        Ok(_) => serde_json::from_str::<Value>(line).unwrap_or(Value::Null),
        // The service also hands policies out as text.
        Err(_) => Value::from(line),
    });
    let first = policies.next().unwrap_or(Value::Null);
    let second = policies.next().unwrap_or_else(|| first.clone());
    let third = policies.next().unwrap_or_else(|| second.clone());
    let boundary = "arn:aws:iam::111122223333:policy/boundary";
    let details = json!({
        "UserDetailList": [{
            "Path": "/", "UserName": "ann", "UserId": "AIDAEXAMPLEEXAMPLE00", "CreateDate": "2026-01-01T00:00:00+00:00",
            "Arn": "arn:aws:iam::111122223333:user/ann", "GroupList": [], "AttachedManagedPolicies": [],
            "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": third}],
        }],
        "GroupDetailList": [],
        "RoleDetailList": [{
            "Path": "/", "RoleName": "bot", "RoleId": "AROAEXAMPLEEXAMPLE00", "CreateDate": "2026-01-01T00:00:00+00:00",
            "Arn": "arn:aws:iam::111122223333:role/bot", "AssumeRolePolicyDocument": first, "InstanceProfileList": [],
            "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": second}], "AttachedManagedPolicies": [],
            "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary},
        }],
        "Policies": [{
            "PolicyName": "boundary", "PolicyId": "ANPAEXAMPLEEXAMPLE00", "Arn": boundary, "DefaultVersionId": "v1",
            "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": third}],
        }],
    });
    read(&Aws, document("capture/111122223333/authorization.json", details.to_string().as_bytes()));
});
