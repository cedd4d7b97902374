//! Calls about what runs with a role: functions, task definitions, pods, notebooks, instances.

use std::sync::Arc;

use evenhand_model::decide::step;
use evenhand_model::document::ReadError;
use evenhand_model::evidence::Fact;
use evenhand_model::secret::Fingerprinter;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::carriers::region_of;
use super::environment::Told;
use super::form::Form;
use super::runs_as::{self, Without};
use super::sheet::Sheet;
use super::values::{ArnText, List, Name, Profile, Tag, Text};
use crate::carrier::CarrierKind;
use crate::inventory::arn::Arn;
use crate::inventory::facts::{Carrier, Facts, Listed, Placed, PodAssociation, Said};
use crate::world::AccountId;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Function<'a> {
    #[serde(borrow)]
    function_arn: ArnText<'a>,
    #[serde(borrow)]
    function_name: Option<Text<'a>>,
    #[serde(borrow)]
    role: Option<Text<'a>>,
    #[serde(borrow)]
    package_type: Option<Text<'a>>,
    #[serde(borrow)]
    environment: Option<Environment<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Environment<'a> {
    #[serde(borrow)]
    variables: Option<IndexMap<Text<'a>, Text<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Code<'a> {
    #[serde(borrow)]
    image_uri: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Url<'a> {
    #[serde(borrow)]
    function_arn: ArnText<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaskDefinition<'a> {
    #[serde(borrow)]
    task_definition_arn: ArnText<'a>,
    #[serde(borrow)]
    family: Option<Text<'a>>,
    #[serde(borrow)]
    task_role_arn: Option<Text<'a>>,
    #[serde(borrow, default)]
    container_definitions: List<Container<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container<'a> {
    #[serde(borrow)]
    image: Option<Text<'a>>,
    privileged: Option<bool>,
    #[serde(borrow, default)]
    environment: List<Variable<'a>>,
}

#[derive(Deserialize)]
struct Variable<'a> {
    #[serde(borrow)]
    name: Name<'a>,
    #[serde(borrow)]
    value: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Association<'a> {
    #[serde(borrow)]
    association_arn: Option<Text<'a>>,
    #[serde(borrow)]
    cluster_name: Name<'a>,
    #[serde(borrow)]
    namespace: Name<'a>,
    #[serde(borrow)]
    service_account: Name<'a>,
    #[serde(borrow)]
    role_arn: Option<Text<'a>>,
    #[serde(borrow)]
    target_role_arn: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notebook<'a> {
    #[serde(borrow)]
    notebook_instance_arn: ArnText<'a>,
    #[serde(borrow)]
    notebook_instance_name: Option<Text<'a>>,
    #[serde(borrow)]
    role_arn: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reservation<'a> {
    #[serde(borrow)]
    owner_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    instances: List<Instance<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Instance<'a> {
    #[serde(borrow)]
    instance_id: Name<'a>,
    #[serde(borrow)]
    image_id: Option<Text<'a>>,
    #[serde(borrow)]
    public_ip_address: Option<Text<'a>>,
    #[serde(borrow)]
    iam_instance_profile: Option<Profile<'a>>,
    #[serde(borrow)]
    placement: Option<Placement<'a>>,
    #[serde(borrow, default)]
    tags: List<Tag<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Placement<'a> {
    #[serde(borrow)]
    availability_zone: Option<Text<'a>>,
}

/// Reads the answer of one of the calls about running things.
pub(super) fn read(
    form: Form,
    sheet: &Sheet<'_>,
    fingerprinter: &Fingerprinter,
    facts: &mut Facts,
    errors: &mut Vec<ReadError>,
) {
    match form {
        Form::Functions => {
            for (pointer, one) in sheet.list::<Function<'_>>("Functions", errors) {
                function(sheet, &pointer, one, None, fingerprinter, facts, errors);
            }
        }
        Form::Function => {
            if let Some(one) = sheet.whole::<Function<'_>>(errors) {
                function(sheet, "", one, None, fingerprinter, facts, errors);
            }
        }
        Form::FunctionWithCode => {
            let code = sheet.member::<Code<'_>>("Code", errors);
            if let Some(one) = sheet.needed::<Function<'_>>("Configuration", errors) {
                function(sheet, "/Configuration", one, code, fingerprinter, facts, errors);
            }
        }
        Form::FunctionUrls => {
            for (_, url) in sheet.list::<Url<'_>>("FunctionUrlConfigs", errors) {
                let arn = facts.texts.share(&url.function_arn);
                facts.function_urls.insert(arn);
            }
        }
        Form::TaskDefinition => task_definition(sheet, fingerprinter, facts, errors),
        Form::PodAssociations => {
            for (pointer, one) in sheet.list::<Association<'_>>("associations", errors) {
                association(sheet, &pointer, one, facts, errors);
            }
        }
        Form::PodAssociation => {
            if let Some(one) = sheet.needed::<Association<'_>>("association", errors) {
                association(sheet, "/association", one, facts, errors);
            }
        }
        Form::Notebook => {
            let Some(notebook) = sheet.whole::<Notebook<'_>>(errors) else { return };
            let arn = notebook.notebook_instance_arn;
            let carrier = runs_as::carrier(sheet, ("", "RoleArn"), notebook.role_arn, Without::LeftOut, facts, errors);
            let placed = Placed {
                name: facts.texts.share(notebook.notebook_instance_name.as_deref().unwrap_or(&arn)),
                carrier,
                ..empty(facts.texts.share(&arn), Some("notebook_instance"))
            };
            let account = owner(sheet, &placed.arn, facts);
            facts.placed.push(Said { account, evidence: sheet.evidence(""), it: placed });
        }
        Form::Instances => instances(sheet, facts, errors),
        _ => {}
    }
}

pub(super) fn empty(arn: Arc<str>, kind: Option<&'static str>) -> Placed {
    Placed {
        name: Arc::clone(&arn),
        arn,
        kind,
        carrier: Carrier::NotSaid,
        image: Fact::Absent,
        exposed: Fact::Unknown,
        privileged: Fact::Unknown,
        secrets: Vec::new(),
        model_keys: Vec::new(),
    }
}

pub(super) fn owner(sheet: &Sheet<'_>, arn: &str, facts: &mut Facts) -> Option<AccountId> {
    match Arn::parse(arn).and_then(|arn| arn.account_number()) {
        Some(number) => Some(facts.account(number)),
        None => sheet.account.clone(),
    }
}

fn function(
    sheet: &Sheet<'_>,
    pointer: &str,
    function: Function<'_>,
    code: Option<Code<'_>>,
    fingerprinter: &Fingerprinter,
    facts: &mut Facts,
    errors: &mut Vec<ReadError>,
) {
    let mut told = Told::default();
    let variables = function.environment.as_ref().and_then(|environment| environment.variables.as_ref());
    for (name, value) in variables.into_iter().flatten() {
        let evidence = || sheet.evidence(&format!("{pointer}/Environment/Variables{}", step(name)));
        told.look(name, value, evidence, fingerprinter);
    }
    let arn = facts.texts.share(&function.function_arn);
    let account = owner(sheet, &arn, facts);
    let carrier = runs_as::carrier(sheet, (pointer, "Role"), function.role, Without::NotSaid, facts, errors);
    let zipped = function.package_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("Zip"));
    let placed = Placed {
        name: facts.texts.share(function.function_name.as_deref().unwrap_or(&arn)),
        carrier,
        image: match code.and_then(|code| code.image_uri) {
            Some(image) => Fact::Known(facts.texts.share(&image)),
            None if zipped => Fact::Absent,
            None => Fact::Unknown,
        },
        privileged: Fact::Known(false),
        secrets: told.secrets,
        model_keys: told.model_keys,
        ..empty(arn, Some("function"))
    };
    facts.placed.push(Said { account, evidence: sheet.evidence(pointer), it: placed });
}

fn task_definition(sheet: &Sheet<'_>, fingerprinter: &Fingerprinter, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(definition) = sheet.needed::<TaskDefinition<'_>>("taskDefinition", errors) else { return };
    let mut told = Told::default();
    let mut images = Vec::new();
    for (at, container) in definition.container_definitions.0.iter().enumerate() {
        images.extend(container.image.as_deref());
        for (index, variable) in container.environment.0.iter().enumerate() {
            let pointer = format!("/taskDefinition/containerDefinitions/{at}/environment/{index}");
            let value = variable.value.as_deref().unwrap_or("");
            told.look(&variable.name, value, || sheet.evidence(&pointer), fingerprinter);
        }
    }
    let arn = facts.texts.share(&definition.task_definition_arn);
    let account = owner(sheet, &arn, facts);
    let named = definition.task_role_arn;
    let place = ("/taskDefinition", "taskRoleArn");
    let carrier = runs_as::carrier_by_name(sheet, place, named, Without::None, facts, errors);
    let placed = Placed {
        name: facts.texts.share(definition.family.as_deref().unwrap_or(&arn)),
        carrier,
        image: if images.is_empty() { Fact::Unknown } else { Fact::Known(facts.texts.share(&images.join(", "))) },
        privileged: Fact::Known(
            definition.container_definitions.0.iter().any(|container| container.privileged == Some(true)),
        ),
        secrets: told.secrets,
        model_keys: told.model_keys,
        ..empty(arn, Some("task_definition"))
    };
    facts.placed.push(Said { account, evidence: sheet.evidence("/taskDefinition"), it: placed });
}

fn association(sheet: &Sheet<'_>, pointer: &str, one: Association<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let cluster = super::clusters::cluster(sheet, &one.cluster_name, one.association_arn.as_deref(), facts);
    let mut named = |member: &str, role: Option<Text<'_>>| {
        runs_as::role(sheet, (pointer, member), role, Without::NotSaid, facts, errors).value().cloned()
    };
    let (role, target_role) = (named("roleArn", one.role_arn), named("targetRoleArn", one.target_role_arn));
    let texts = &mut facts.texts;
    let it = PodAssociation {
        arn: texts.share(one.association_arn.as_deref().unwrap_or("")),
        cluster,
        namespace: texts.share(&one.namespace),
        service_account: texts.share(&one.service_account),
        role,
        target_role,
    };
    let account = owner(sheet, &it.arn, facts);
    facts.pods.push(Said { account, evidence: sheet.evidence(pointer), it });
}

fn instances(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    for (pointer, raw) in sheet.list::<&RawValue>("Reservations", errors) {
        let Some(reservation) = sheet.part::<Reservation<'_>>(&pointer, raw, errors) else { continue };
        let account =
            reservation.owner_id.as_deref().map(|owner| facts.account(owner)).or_else(|| sheet.account.clone());
        for (index, instance) in reservation.instances.0.iter().enumerate() {
            let zone = instance.placement.as_ref().and_then(|placement| placement.availability_zone.as_deref());
            let place = format!("{pointer}/Instances/{index}");
            // Policies reach machines by region: one that may be in any is not to be taken for one that nobody reaches.
            let Some(region) = zone.map(region_of).or(sheet.region.as_deref()) else {
                let name = facts.texts.share(&instance.instance_id);
                let it = Listed { kind: CarrierKind::Instance, name, region: None };
                facts.listed.push(Said { account: account.clone(), evidence: sheet.evidence(&place), it });
                continue;
            };
            let number = account.as_ref().map_or("", |account| &account.0);
            let arn = format!("arn:aws:ec2:{region}:{number}:instance/{}", &*instance.instance_id);
            let name = instance.tags.0.iter().find(|tag| &*tag.key == "Name").and_then(|tag| tag.value.as_deref());
            let placed = Placed {
                name: facts.texts.share(name.unwrap_or(&instance.instance_id)),
                carrier: match &instance.iam_instance_profile {
                    Some(profile) => Carrier::InstanceProfile(facts.texts.share(&profile.arn)),
                    None => Carrier::None,
                },
                image: Fact::known(instance.image_id.as_deref().map(|image| facts.texts.share(image))),
                exposed: if instance.public_ip_address.is_some() { Fact::Known(true) } else { Fact::Unknown },
                ..empty(facts.texts.share(&arn), Some("instance"))
            };
            let evidence = sheet.evidence(&place);
            facts.placed.push(Said { account: account.clone(), evidence, it: placed });
        }
    }
}
