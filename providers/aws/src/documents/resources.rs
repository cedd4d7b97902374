//! Calls for the policy of a resource. Their answers seldom say of which resource: the call's parameters do.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::document::ReadError;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::compute::owner;
use super::form::Form;
use super::sheet::Sheet;
use super::values::{Name, Text};
use crate::inventory::facts::{Facts, ResourceSaid, Said};
use crate::policy::{PolicyRole, arn};

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repository<'a> {
    #[serde(borrow)]
    repository_arn: Name<'a>,
}

/// Reads the answer of one of the calls for a resource's policy.
pub(super) fn read(form: Form, sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    if form == Form::Repositories {
        let listed = sheet.list::<Repository<'_>>("repositories", errors);
        for (_, one) in listed {
            let arn = facts.texts.share(&one.repository_arn);
            facts.repositories.insert(arn);
        }
        return;
    }
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
        Form::RepositoryPolicy => {
            // The answer names account and repository; the region stands in the wrapper or nowhere.
            let mut text = |member: &str| sheet.member::<Text<'_>>(member, errors).map(|text| text.to_string());
            let name = text("repositoryName").or_else(|| parameter("repositoryName"));
            let number = text("registryId").or_else(|| parameter("registryId"));
            let number = number.or_else(|| sheet.account.as_ref().map(|account| account.0.to_string()));
            let region = sheet.region.as_deref().unwrap_or("");
            let repository =
                name.map(|name| format!("arn:aws:ecr:{region}:{}:repository/{name}", number.unwrap_or_default()));
            (repository, sheet.member::<&RawValue>("policyText", errors), "/policyText")
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
    let resource = facts.texts.share(&resource);
    let Some(raw) = raw else {
        facts.without_policy.insert(resource);
        return;
    };
    let label = format!("resource policy of {resource}");
    let evidence = sheet.evidence(pointer);
    if let Some(policy) = facts.policy(&label, PolicyRole::Resource, raw, evidence.clone()) {
        let account = owner(sheet, &resource, facts);
        facts.resource_policies.push(Said { account, evidence, it: ResourceSaid { resource, policy } });
    }
}

/// Notes that the resource of a call has no policy, as the vendor's refusal says.
pub(super) fn none(form: Form, sheet: &Sheet<'_>, facts: &mut Facts) {
    // Which resource it was, the parameters may not say; then nothing is known of it.
    read(form, &sheet.inside("{}", ""), facts, &mut Vec::new());
}

/// The whole name of a resource whose policy was read. The policy of a repository does not say its region and partition:
/// the list of repositories does. `None` where nothing tells, or several fit.
pub(crate) fn whole_name(resource: &Arc<str>, repositories: &BTreeSet<Arc<str>>) -> Option<Arc<str>> {
    let Some([_, _, service @ "ecr", region, account, name]) = arn::split(resource) else {
        return Some(Arc::clone(resource));
    };
    let mut fitting = repositories.iter().filter(|listed| {
        arn::split(listed).is_some_and(|[_, _, of, place, owner, listed]| {
            (of, owner, listed) == (service, account, name) && (region.is_empty() || region == place)
        })
    });
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Some(Arc::clone(one)),
        _ => (!region.is_empty()).then(|| Arc::clone(resource)),
    }
}
