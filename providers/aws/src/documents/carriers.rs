//! Calls about further things that run with a role, of which no more than the role is wanted; calls that list what
//! others describe; and the regions in which an account may have any.

use std::sync::Arc;

use evenhand_model::document::ReadError;
use evenhand_model::evidence::Fact;
use serde::Deserialize;

use super::compute::{empty, owner};
use super::form::Form;
use super::runs_as::{self, Without};
use super::sheet::Sheet;
use super::values::{ArnText, List, Name, Text};
use crate::carrier::CarrierKind;
use crate::inventory::arn::Arn;
use crate::inventory::facts::{Carrier, Facts, Listed, Placed, Said};

/// An element of a list that tells no role.
#[derive(Deserialize)]
struct Summary<'a> {
    #[serde(
        borrow,
        rename = "ServiceArn",
        alias = "NotebookInstanceArn",
        alias = "browserArn",
        alias = "codeInterpreterArn",
        alias = "agentRuntimeArn",
        alias = "stateMachineArn"
    )]
    arn: ArnText<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Template<'a> {
    #[serde(borrow)]
    launch_template_id: Name<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Region<'a> {
    #[serde(borrow)]
    region_name: Text<'a>,
    #[serde(borrow)]
    opt_in_status: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service<'a> {
    #[serde(borrow)]
    service_arn: ArnText<'a>,
    #[serde(borrow)]
    service_name: Option<Text<'a>>,
    #[serde(borrow)]
    instance_configuration: Option<InstanceConfiguration<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceConfiguration<'a> {
    #[serde(borrow)]
    instance_role_arn: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobDefinition<'a> {
    #[serde(borrow)]
    job_definition_arn: ArnText<'a>,
    #[serde(borrow)]
    job_definition_name: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    container_properties: Option<JobContainer<'a>>,
    #[serde(borrow)]
    ecs_properties: Option<JobTasks<'a>>,
    #[serde(borrow)]
    node_properties: Option<JobNodes<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobContainer<'a> {
    #[serde(borrow)]
    job_role_arn: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobTasks<'a> {
    #[serde(borrow, default)]
    task_properties: List<JobTask<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobTask<'a> {
    #[serde(borrow)]
    task_role_arn: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobNodes<'a> {
    #[serde(borrow, default)]
    node_range_properties: List<JobNode<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobNode<'a> {
    #[serde(borrow)]
    container: Option<JobContainer<'a>>,
    #[serde(borrow)]
    ecs_properties: Option<JobTasks<'a>>,
}

/// A role and the member that names it.
type RoleAt<'a> = (String, Text<'a>);

impl<'a> JobContainer<'a> {
    fn role(self, member: &str) -> Option<RoleAt<'a>> {
        let named = self.job_role_arn.filter(|role| !role.is_empty())?;
        Some((format!("{member}/jobRoleArn"), named))
    }
}

impl<'a> JobTasks<'a> {
    fn role(self, member: &str) -> Option<RoleAt<'a>> {
        self.task_properties.0.into_iter().enumerate().find_map(|(at, task)| {
            let named = task.task_role_arn.filter(|role| !role.is_empty())?;
            Some((format!("{member}/taskProperties/{at}/taskRoleArn"), named))
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stack<'a> {
    #[serde(borrow)]
    stack_id: ArnText<'a>,
    #[serde(borrow)]
    stack_name: Option<Text<'a>>,
    #[serde(borrow, rename = "RoleARN")]
    role: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project<'a> {
    #[serde(borrow)]
    arn: ArnText<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    service_role: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DevEndpoint<'a> {
    #[serde(borrow)]
    endpoint_name: Name<'a>,
    #[serde(borrow)]
    role_arn: Option<Text<'a>>,
    #[serde(borrow)]
    availability_zone: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StateMachine<'a> {
    #[serde(borrow)]
    state_machine_arn: ArnText<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    role_arn: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TemplateVersion<'a> {
    #[serde(borrow)]
    launch_template_id: Name<'a>,
    #[serde(borrow)]
    launch_template_name: Option<Text<'a>>,
    #[serde(borrow)]
    launch_template_data: Option<TemplateData<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TemplateData<'a> {
    #[serde(borrow)]
    iam_instance_profile: Option<TemplateProfile<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TemplateProfile<'a> {
    #[serde(borrow)]
    arn: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LaunchConfiguration<'a> {
    #[serde(borrow, rename = "LaunchConfigurationARN")]
    arn: ArnText<'a>,
    #[serde(borrow, rename = "LaunchConfigurationName")]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    iam_instance_profile: Option<Text<'a>>,
}

/// Reads the answer of one of these calls.
pub(super) fn read(form: Form, sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    match form {
        Form::Regions => {
            for (pointer, region) in sheet.list::<Region<'_>>("Regions", errors) {
                if region.opt_in_status.as_deref() != Some("not-opted-in") {
                    let it = facts.texts.share(&region.region_name);
                    let evidence = sheet.evidence(&pointer);
                    facts.regions.push(Said { account: sheet.account.clone(), evidence, it });
                }
            }
        }
        Form::Services => listed::<Summary<'_>>(CarrierKind::Service, "ServiceSummaryList", sheet, facts, errors),
        Form::Notebooks => listed::<Summary<'_>>(CarrierKind::Notebook, "NotebookInstances", sheet, facts, errors),
        Form::LaunchTemplates => {
            listed::<Template<'_>>(CarrierKind::LaunchTemplate, "LaunchTemplates", sheet, facts, errors);
        }
        Form::StateMachines => listed::<Summary<'_>>(CarrierKind::StateMachine, "stateMachines", sheet, facts, errors),
        Form::AgentRuntimes => listed::<Summary<'_>>(CarrierKind::AgentRuntime, "agentRuntimes", sheet, facts, errors),
        Form::Browsers => listed::<Summary<'_>>(CarrierKind::Browser, "browserSummaries", sheet, facts, errors),
        Form::CodeInterpreters => {
            listed::<Summary<'_>>(CarrierKind::CodeInterpreter, "codeInterpreterSummaries", sheet, facts, errors);
        }
        Form::TaskFamilies => listed::<Name<'_>>(CarrierKind::TaskDefinition, "families", sheet, facts, errors),
        Form::Projects => listed::<Name<'_>>(CarrierKind::Project, "projects", sheet, facts, errors),
        Form::DeployApplications => {
            listed::<Name<'_>>(CarrierKind::DeploymentGroup, "applications", sheet, facts, errors);
        }
        Form::Service => {
            let Some(service) = sheet.needed::<Service<'_>>("Service", errors) else { return };
            let named = service.instance_configuration.and_then(|held| held.instance_role_arn);
            let member = "InstanceConfiguration/InstanceRoleArn";
            let carrier = runs_as::carrier(sheet, ("/Service", member), named, Without::None, facts, errors);
            let name = service.service_name.as_deref();
            place(sheet, "/Service", &service.service_arn, Some("service"), name, carrier, facts);
        }
        Form::JobDefinitions => {
            for (pointer, job) in sheet.list::<JobDefinition<'_>>("jobDefinitions", errors) {
                // A revision that is withdrawn starts no job.
                if job.status.as_deref() != Some("INACTIVE") {
                    let (arn, name, role) = job.parts();
                    let (member, named) = role.unzip();
                    let member = (&*pointer, member.as_deref().unwrap_or_default());
                    let carrier = runs_as::carrier_by_name(sheet, member, named, Without::None, facts, errors);
                    place(sheet, &pointer, &arn, Some("job_definition"), name.as_deref(), carrier, facts);
                }
            }
        }
        Form::Stacks => {
            for (pointer, stack) in sheet.list::<Stack<'_>>("Stacks", errors) {
                let carrier = runs_as::carrier(sheet, (&*pointer, "RoleARN"), stack.role, Without::None, facts, errors);
                place(sheet, &pointer, &stack.stack_id, None, stack.stack_name.as_deref(), carrier, facts);
            }
        }
        Form::ProjectDescriptions => {
            for (pointer, project) in sheet.list::<Project<'_>>("projects", errors) {
                let name = project.name.as_deref();
                let (member, named) = ((&*pointer, "serviceRole"), project.service_role);
                let carrier = runs_as::carrier_by_name(sheet, member, named, Without::LeftOut, facts, errors);
                place(sheet, &pointer, &project.arn, Some("build_project"), name, carrier, facts);
            }
        }
        Form::DevEndpoints => {
            for (pointer, endpoint) in sheet.list::<DevEndpoint<'_>>("DevEndpoints", errors) {
                let zone = endpoint.availability_zone.as_deref();
                let region = zone.map(region_of).or(sheet.region.as_deref()).unwrap_or_default().to_owned();
                let name = &*endpoint.endpoint_name;
                let Some(arn) = made_up(sheet, "glue", &region, "devEndpoint", name) else {
                    list_one(CarrierKind::DevEndpoint, sheet, &pointer, name, facts);
                    continue;
                };
                let (member, named) = ((&*pointer, "RoleArn"), endpoint.role_arn);
                let carrier = runs_as::carrier(sheet, member, named, Without::LeftOut, facts, errors);
                place(sheet, &pointer, &arn, Some("dev_endpoint"), Some(name), carrier, facts);
            }
        }
        Form::StateMachine => {
            let Some(machine) = sheet.whole::<StateMachine<'_>>(errors) else { return };
            let carrier = runs_as::carrier(sheet, ("", "roleArn"), machine.role_arn, Without::LeftOut, facts, errors);
            let name = machine.name.as_deref();
            place(sheet, "", &machine.state_machine_arn, Some("state_machine"), name, carrier, facts);
        }
        Form::LaunchTemplateVersions => {
            for (pointer, version) in sheet.list::<TemplateVersion<'_>>("LaunchTemplateVersions", errors) {
                let region = sheet.region.as_deref().unwrap_or_default();
                let Some(arn) = made_up(sheet, "ec2", region, "launch-template", &version.launch_template_id) else {
                    continue;
                };
                let profile = version.launch_template_data.and_then(|data| data.iam_instance_profile);
                let member = format!("{pointer}/LaunchTemplateData/IamInstanceProfile/Arn");
                let carrier = match profile {
                    Some(TemplateProfile { arn: Some(arn), .. }) if !arn.is_empty() => {
                        let arn = runs_as::leads_to(sheet, &member, Some(&*arn), facts, errors);
                        arn.map_or(Carrier::NotSaid, Carrier::InstanceProfile)
                    }
                    profile => with_profile(profile.and_then(|profile| profile.name), facts),
                };
                place(sheet, &pointer, &arn, None, version.launch_template_name.as_deref(), carrier, facts);
            }
        }
        Form::LaunchConfigurations => {
            for (pointer, held) in sheet.list::<LaunchConfiguration<'_>>("LaunchConfigurations", errors) {
                let carrier = with_profile(held.iam_instance_profile, facts);
                place(sheet, &pointer, &held.arn, None, held.name.as_deref(), carrier, facts);
            }
        }
        _ => {}
    }
}

impl<'a> JobDefinition<'a> {
    /// Its name (ARN), what people call it, and the first role that one of its containers has.
    fn parts(self) -> (ArnText<'a>, Option<Text<'a>>, Option<RoleAt<'a>>) {
        let alone = self.container_properties.and_then(|held| held.role("containerProperties"));
        let of_tasks = || self.ecs_properties?.role("ecsProperties");
        let of_nodes = || {
            let mut nodes = self.node_properties?.node_range_properties.0.into_iter().enumerate();
            nodes.find_map(|(at, node)| {
                let member = format!("nodeProperties/nodeRangeProperties/{at}");
                let alone = node.container.and_then(|held| held.role(&format!("{member}/container")));
                alone.or_else(|| node.ecs_properties?.role(&format!("{member}/ecsProperties")))
            })
        };
        let role = alone.or_else(of_tasks).or_else(of_nodes);
        (self.job_definition_arn, self.job_definition_name, role)
    }
}

/// An element that a list names its thing by.
trait Named {
    fn name(&self) -> &str;
}

impl Named for Summary<'_> {
    fn name(&self) -> &str {
        &self.arn
    }
}

impl Named for Template<'_> {
    fn name(&self) -> &str {
        &self.launch_template_id
    }
}

impl Named for Name<'_> {
    fn name(&self) -> &str {
        self
    }
}

fn listed<'d, T: Deserialize<'d> + Named>(
    kind: CarrierKind,
    list: &'static str,
    sheet: &Sheet<'d>,
    facts: &mut Facts,
    errors: &mut Vec<ReadError>,
) {
    for (pointer, one) in sheet.list::<T>(list, errors) {
        list_one(kind, sheet, &pointer, one.name(), facts);
    }
}

fn list_one(kind: CarrierKind, sheet: &Sheet<'_>, pointer: &str, name: &str, facts: &mut Facts) {
    let arn = Arn::parse(name);
    // Tools that the vendor offers to all its customers run without a role.
    if arn.as_ref().is_some_and(|arn| arn.account == "aws") {
        return;
    }
    let account = owner(sheet, name, facts);
    let region = arn.map(|arn| facts.texts.share(arn.region)).or_else(|| sheet.region.clone());
    let it = Listed { kind, name: facts.texts.share(name), region };
    facts.listed.push(Said { account, evidence: sheet.evidence(pointer), it });
}

fn place(
    sheet: &Sheet<'_>,
    pointer: &str,
    arn: &str,
    kind: Option<&'static str>,
    name: Option<&str>,
    carrier: Carrier,
    facts: &mut Facts,
) {
    let arn = facts.texts.share(arn);
    let account = owner(sheet, &arn, facts);
    let name = facts.texts.share(name.unwrap_or(&arn));
    let it = Placed { name, carrier, image: Fact::Unknown, ..empty(arn, kind) };
    facts.placed.push(Said { account, evidence: sheet.evidence(pointer), it });
}

fn with_profile(profile: Option<Text<'_>>, facts: &mut Facts) -> Carrier {
    profile
        .filter(|name| !name.is_empty())
        .map_or(Carrier::None, |name| Carrier::InstanceProfile(facts.texts.share(&name)))
}

/// The name (ARN) of something that its description does not spell out. `None` where the region is not known: patterns
/// could not be held against it. The account is filled in later where the document does not say it.
fn made_up(sheet: &Sheet<'_>, service: &str, region: &str, kind: &str, name: &str) -> Option<Arc<str>> {
    let account = sheet.account.as_ref().map_or("", |account| &account.0);
    (!region.is_empty()).then(|| format!("arn:aws:{service}:{region}:{account}:{kind}/{name}").into())
}

/// The region of an availability zone.
pub(super) fn region_of(zone: &str) -> &str {
    zone.trim_end_matches(|c: char| c.is_ascii_lowercase())
}
