//! Calls for the policy of a resource. Their answers seldom say of which resource: the call's parameters do.

use evenhand_model::document::ReadError;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::compute::owner;
use super::form::Form;
use super::sheet::Sheet;
use super::values::Text;
use crate::inventory::facts::{Facts, ResourceSaid, Said};
use crate::policy::PolicyRole;

const WRAP: &str = "wrap it: {\"call\": \"s3api get-bucket-policy\", \"parameters\": {\"Bucket\": …}, \"response\": …}";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes<'a> {
    #[serde(borrow)]
    policy: Option<&'a RawValue>,
    #[serde(borrow)]
    queue_arn: Option<Text<'a>>,
    #[serde(borrow)]
    topic_arn: Option<Text<'a>>,
}

/// Reads the answer of one of the calls for a resource's policy.
pub(super) fn read(form: Form, sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let parameter = |name: &str| sheet.parameter(name).map(str::to_owned);
    let (resource, raw, pointer) = match form {
        Form::BucketPolicy => (
            parameter("Bucket").map(|bucket| format!("arn:aws:s3:::{bucket}")),
            sheet.member::<&RawValue>("Policy", errors),
            "/Policy",
        ),
        Form::KeyPolicy => {
            let key = parameter("KeyId").map(|key| {
                let number = sheet.account.as_ref().map_or("", |account| &account.0);
                let region = sheet.region.as_deref().unwrap_or("");
                if key.starts_with("arn:") { key } else { format!("arn:aws:kms:{region}:{number}:key/{key}") }
            });
            (key, sheet.member::<&RawValue>("Policy", errors), "/Policy")
        }
        Form::SecretPolicy => (
            sheet.member::<Text<'_>>("ARN", errors).map(|arn| arn.to_string()),
            sheet.member::<&RawValue>("ResourcePolicy", errors),
            "/ResourcePolicy",
        ),
        Form::FunctionPolicy => {
            let function = parameter("FunctionName").map(|name| {
                let number = sheet.account.as_ref().map_or("", |account| &account.0);
                let region = sheet.region.as_deref().unwrap_or("");
                if name.starts_with("arn:") {
                    name
                } else {
                    format!("arn:aws:lambda:{region}:{number}:function:{name}")
                }
            });
            (function, sheet.member::<&RawValue>("Policy", errors), "/Policy")
        }
        Form::QueueAttributes | Form::TopicAttributes => {
            let Some(attributes) = sheet.member::<Attributes<'_>>("Attributes", errors) else { return };
            let arn = attributes.queue_arn.or(attributes.topic_arn).map(|arn| arn.to_string());
            (arn.or_else(|| parameter("TopicArn")), attributes.policy, "/Attributes/Policy")
        }
        _ => (None, None, ""),
    };
    let Some(resource) = resource else {
        errors.push(sheet.error("", "does not say of which resource the policy is", WRAP));
        return;
    };
    let Some(raw) = raw else { return };
    let resource = facts.texts.share(&resource);
    let label = format!("resource policy of {resource}");
    let evidence = sheet.evidence(pointer);
    if let Some(policy) = facts.policy(&label, PolicyRole::Resource, raw, evidence.clone()) {
        let account = owner(sheet, &resource, facts);
        facts.resource_policies.push(Said { account, evidence, it: ResourceSaid { resource, policy } });
    }
}
