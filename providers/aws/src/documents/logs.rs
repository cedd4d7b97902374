//! Calls about what is recorded: trails, what they select, and whether model invocations are logged.

use std::sync::Arc;

use evenhand_model::document::ReadError;
use evenhand_model::evidence::Fact;
use serde::Deserialize;

use super::compute::owner;
use super::form::Form;
use super::sheet::Sheet;
use super::values::{ArnText, List, Text};
use crate::inventory::facts::{Facts, InvocationLogging, Said, Trail};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TrailListed<'a> {
    #[serde(borrow, rename = "TrailARN")]
    trail_arn: ArnText<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    is_organization_trail: Option<bool>,
    log_file_validation_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    is_logging: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Selectors<'a> {
    #[serde(borrow, rename = "TrailARN")]
    trail_arn: ArnText<'a>,
    #[serde(borrow, default)]
    event_selectors: List<Selector<'a>>,
    #[serde(borrow, default)]
    advanced_event_selectors: List<Advanced<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Selector<'a> {
    #[serde(borrow, default)]
    data_resources: List<DataResource<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataResource<'a> {
    #[serde(borrow, rename = "Type")]
    kind: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Advanced<'a> {
    #[serde(borrow, default)]
    field_selectors: List<Field<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Field<'a> {
    #[serde(borrow)]
    field: Text<'a>,
    #[serde(borrow, default)]
    equals: List<Text<'a>>,
    #[serde(borrow, default)]
    starts_with: List<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggingConfig<'a> {
    #[serde(borrow)]
    cloud_watch_config: Option<LogGroup<'a>>,
    #[serde(borrow)]
    s3_config: Option<Bucket<'a>>,
}

#[derive(Deserialize)]
struct LogGroup<'a> {
    #[serde(borrow, rename = "logGroupName")]
    name: Text<'a>,
}

#[derive(Deserialize)]
struct Bucket<'a> {
    #[serde(borrow, rename = "bucketName")]
    name: Text<'a>,
}

/// Whether events of a resource type record what agents do.
fn of_agents(kind: &str) -> bool {
    kind.starts_with("AWS::Bedrock::") || kind.starts_with("AWS::BedrockAgentCore::")
}

/// Reads the answer of one of the calls about logs.
pub(super) fn read(form: Form, sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    match form {
        Form::Trails => {
            for (pointer, trail) in sheet.list::<TrailListed<'_>>("trailList", errors) {
                let arn = facts.texts.share(&trail.trail_arn);
                let it = Trail {
                    name: facts.texts.share(trail.name.as_deref().unwrap_or(&arn)),
                    organisation: trail.is_organization_trail == Some(true),
                    validated: Fact::known(trail.log_file_validation_enabled),
                    arn,
                };
                let account = owner(sheet, &it.arn, facts);
                facts.trails.push(Said { account, evidence: sheet.evidence(&pointer), it });
            }
        }
        Form::TrailStatus => {
            let Some(status) = sheet.whole::<Status>(errors) else { return };
            let Some(on) = status.is_logging else {
                errors.push(sheet.error("/IsLogging", "says neither `true` nor `false`", "export it again"));
                return;
            };
            let trail = sheet.parameter("Name").map(|name| facts.texts.share(name));
            let account = trail.clone().and_then(|arn| owner(sheet, &arn, facts)).or_else(|| sheet.account.clone());
            facts.trail_status.push(Said { account, evidence: sheet.evidence(""), it: (trail, on) });
        }
        Form::TrailSelectors => {
            let Some(selectors) = sheet.whole::<Selectors<'_>>(errors) else { return };
            let arn = facts.texts.share(&selectors.trail_arn);
            let basic = selectors
                .event_selectors
                .0
                .iter()
                .flat_map(|selector| selector.data_resources.0.iter())
                .any(|resource| of_agents(&resource.kind));
            let advanced = selectors.advanced_event_selectors.0.iter().any(|selector| {
                selector.field_selectors.0.iter().any(|field| {
                    &*field.field == "resources.type"
                        && field.equals.0.iter().chain(&field.starts_with.0).any(|kind| of_agents(kind))
                })
            });
            let account = owner(sheet, &arn, facts);
            facts.trail_agents.push(Said { account, evidence: sheet.evidence(""), it: (arn, basic || advanced) });
        }
        Form::InvocationLogging => {
            let before = errors.len();
            let config = sheet.member::<LoggingConfig<'_>>("loggingConfig", errors);
            // A configuration that is not understood is not one that logs nothing.
            if errors.len() > before {
                return;
            }
            let it = InvocationLogging {
                region: sheet.region.as_ref().map(Arc::clone),
                // Without a place to write to nothing is logged. An empty name is none.
                enabled: config.is_some_and(|config| {
                    config.cloud_watch_config.is_some_and(|group| !group.name.is_empty())
                        || config.s3_config.is_some_and(|bucket| !bucket.name.is_empty())
                }),
            };
            facts.invocation_logging.push(Said { account: sheet.account.clone(), evidence: sheet.evidence(""), it });
        }
        _ => {}
    }
}
