//! Calls about access entries of EKS: which principals a cluster lets in, under which names, and with which of the vendor's
//! access policies.

use std::sync::Arc;

use evenhand_model::document::ReadError;
use serde::Deserialize;

use super::compute::owner;
use super::form::Form;
use super::sheet::Sheet;
use super::values::{ArnText, List, Name, Text};
use crate::inventory::arn::Arn;
use crate::inventory::facts::{AccessEntry, AccessPolicy, Cluster, Facts, Said};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow)]
    access_entry_arn: Option<Text<'a>>,
    #[serde(borrow)]
    cluster_name: Name<'a>,
    #[serde(borrow)]
    principal_arn: ArnText<'a>,
    #[serde(borrow)]
    username: Option<Text<'a>>,
    #[serde(borrow, default)]
    kubernetes_groups: List<Name<'a>>,
    #[serde(borrow)]
    r#type: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Associated<'a> {
    #[serde(borrow)]
    policy_arn: Name<'a>,
    #[serde(borrow)]
    access_scope: Option<Scope<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scope<'a> {
    #[serde(borrow)]
    r#type: Option<Text<'a>>,
    #[serde(borrow, default)]
    namespaces: List<Name<'a>>,
}

/// Reads the answer of one of the calls.
pub(super) fn read(form: Form, sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    match form {
        Form::AccessEntry => {
            let Some(entry) = sheet.needed::<Entry<'_>>("accessEntry", errors) else { return };
            let account = owner(sheet, &entry.principal_arn, facts);
            let cluster = cluster(sheet, &entry.cluster_name, entry.access_entry_arn.as_deref(), facts);
            let texts = &mut facts.texts;
            let it = AccessEntry {
                cluster,
                principal: texts.share(&entry.principal_arn),
                // Entries of nodes are of other types and name no people.
                standard: entry.r#type.as_deref().is_none_or(|word| word == "STANDARD"),
                user: entry.username.as_deref().map(|name| texts.share(name)),
                groups: entry.kubernetes_groups.0.iter().map(|group| texts.share(group)).collect(),
            };
            facts.access_entries.push(Said { account, evidence: sheet.evidence("/accessEntry"), it });
        }
        Form::AccessPolicies => {
            // The answer says of what it is; the parameters do too.
            let said = |name: &str| {
                let raw = sheet.parts(&[], &mut Vec::new()).member(name)?;
                serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.to_string())
            };
            let told = |name: &str| said(name).or_else(|| sheet.parameters.get(name).cloned());
            let (Some(cluster), Some(principal)) = (told("clusterName"), told("principalArn")) else {
                errors.push(sheet.error(
                    "",
                    "does not say of which access entry it is",
                    "wrap it: {\"call\": \"eks list-associated-access-policies\", \"parameters\": {\"clusterName\": …, \"principalArn\": …}, \"response\": …}",
                ));
                return;
            };
            if Arn::parse(&principal).is_none_or(|arn| arn.resource.is_empty()) {
                errors.push(sheet.error("", "has a `principalArn` that is no resource name (ARN)", "export it again"));
                return;
            }
            let account = owner(sheet, &principal, facts);
            let cluster = self::cluster(sheet, &cluster, None, facts);
            for (pointer, one) in sheet.list::<Associated<'_>>("associatedAccessPolicies", errors) {
                let texts = &mut facts.texts;
                let scope = one.access_scope.as_ref();
                let it = AccessPolicy {
                    cluster: cluster.clone(),
                    principal: texts.share(&principal),
                    policy: texts.share(one.policy_arn.rsplit('/').next().unwrap_or_default()),
                    everywhere: scope.and_then(|scope| scope.r#type.as_deref()) == Some("cluster"),
                    namespaces: scope
                        .into_iter()
                        .flat_map(|scope| &scope.namespaces.0)
                        .map(|namespace| texts.share(namespace))
                        .collect(),
                };
                facts.access_policies.push(Said { account: account.clone(), evidence: sheet.evidence(&pointer), it });
            }
        }
        _ => {}
    }
}

/// A cluster of that name: where it is, the name of an entry of it says, or else the call.
pub(super) fn cluster(sheet: &Sheet<'_>, name: &str, entry: Option<&str>, facts: &mut Facts) -> Cluster {
    let entry = entry.and_then(Arn::parse);
    let account = entry.and_then(|entry| entry.account_number()).map(|number| facts.account(number));
    let region = entry.map(|entry| entry.region).filter(|region| !region.is_empty());
    Cluster {
        name: facts.texts.share(name),
        account: account.or_else(|| sheet.account.clone()),
        region: region.map(Arc::from).or_else(|| sheet.region.clone()),
    }
}
