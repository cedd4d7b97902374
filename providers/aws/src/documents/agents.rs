//! Calls about agents: Bedrock agents and their action groups, AgentCore runtimes, gateways and built-in tools.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::decide::step;
use evenhand_model::document::ReadError;
use evenhand_model::evidence::Fact;
use evenhand_model::secret::Fingerprinter;
use indexmap::IndexMap;
use serde::Deserialize;

use super::compute::owner;
use super::environment::Told;
use super::form::Form;
use super::runs_as::{self, Without};
use super::sheet::Sheet;
use super::values::{ArnText, List, Name, Text};
use crate::inventory::facts::{ActionGroup, AgentSeen, Facts, GatewayTarget, Said};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BedrockAgent<'a> {
    #[serde(borrow)]
    agent_arn: ArnText<'a>,
    #[serde(borrow)]
    agent_id: Option<Text<'a>>,
    #[serde(borrow)]
    agent_name: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    agent_resource_role_arn: Option<Text<'a>>,
    #[serde(borrow)]
    agent_status: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AgentSummary<'a> {
    #[serde(borrow)]
    agent_id: Name<'a>,
    #[serde(borrow)]
    agent_name: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuntimeSummary<'a> {
    #[serde(borrow)]
    agent_runtime_arn: ArnText<'a>,
    #[serde(borrow)]
    agent_runtime_name: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GatewaySummary<'a> {
    #[serde(borrow)]
    gateway_id: Name<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group<'a> {
    #[serde(borrow)]
    agent_id: Option<Text<'a>>,
    #[serde(borrow)]
    action_group_name: Option<Text<'a>>,
    #[serde(borrow)]
    action_group_state: Option<Text<'a>>,
    #[serde(borrow)]
    action_group_executor: Option<Executor<'a>>,
    #[serde(borrow)]
    function_schema: Option<FunctionSchema<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Executor<'a> {
    #[serde(borrow)]
    lambda: Option<Text<'a>>,
    #[serde(borrow)]
    custom_control: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct FunctionSchema<'a> {
    #[serde(borrow, default)]
    functions: List<SchemaFunction<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SchemaFunction<'a> {
    #[serde(borrow)]
    name: Name<'a>,
    #[serde(borrow)]
    require_confirmation: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Runtime<'a> {
    #[serde(borrow)]
    agent_runtime_arn: ArnText<'a>,
    #[serde(borrow)]
    agent_runtime_id: Option<Text<'a>>,
    #[serde(borrow)]
    agent_runtime_name: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    role_arn: Option<Text<'a>>,
    #[serde(borrow)]
    agent_runtime_artifact: Option<Artifact<'a>>,
    #[serde(borrow)]
    environment_variables: Option<IndexMap<Text<'a>, Text<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artifact<'a> {
    #[serde(borrow)]
    container_configuration: Option<ContainerConfiguration<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerConfiguration<'a> {
    #[serde(borrow)]
    container_uri: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Gateway<'a> {
    #[serde(borrow)]
    gateway_arn: ArnText<'a>,
    #[serde(borrow)]
    gateway_id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    role_arn: Option<Text<'a>>,
    #[serde(borrow)]
    authorizer_type: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    #[serde(borrow)]
    gateway_arn: ArnText<'a>,
    #[serde(borrow)]
    target_id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    target_configuration: Option<TargetConfiguration<'a>>,
    #[serde(borrow, default)]
    credential_provider_configurations: List<ProviderConfiguration<'a>>,
}

#[derive(Deserialize)]
struct TargetConfiguration<'a> {
    #[serde(borrow)]
    mcp: Option<McpConfiguration<'a>>,
}

#[derive(Deserialize)]
struct McpConfiguration<'a> {
    #[serde(borrow)]
    lambda: Option<LambdaTarget<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LambdaTarget<'a> {
    #[serde(borrow)]
    lambda_arn: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProviderConfiguration<'a> {
    #[serde(borrow)]
    credential_provider: Option<ProviderKinds<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProviderKinds<'a> {
    #[serde(borrow)]
    oauth_credential_provider: Option<ProviderName<'a>>,
    #[serde(borrow)]
    api_key_credential_provider: Option<ProviderName<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProviderName<'a> {
    #[serde(borrow)]
    provider_arn: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QApplicationSummary<'a> {
    #[serde(borrow)]
    application_id: Name<'a>,
    #[serde(borrow)]
    display_name: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QApplication<'a> {
    #[serde(borrow)]
    application_arn: ArnText<'a>,
    #[serde(borrow)]
    application_id: Option<Text<'a>>,
    #[serde(borrow)]
    display_name: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    role_arn: Option<Text<'a>>,
    #[serde(borrow)]
    identity_type: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
}

/// A built-in tool: a code interpreter or a browser.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tool<'a> {
    #[serde(borrow, alias = "codeInterpreterArn")]
    browser_arn: ArnText<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    execution_role_arn: Option<Text<'a>>,
}

/// Who may call a gateway, and whether that takes a proof of who it is.
const AUTHORISERS: &[(&str, bool)] =
    &[("CUSTOM_JWT", true), ("AWS_IAM", true), ("AUTHENTICATE_ONLY", true), ("NONE", false)];
/// How people sign in to an application, and whether they do.
const IDENTITIES: &[(&str, bool)] = &[
    ("AWS_IAM_IDP_SAML", true),
    ("AWS_IAM_IDP_OIDC", true),
    ("AWS_IAM_IDC", true),
    ("AWS_QUICKSIGHT_IDP", true),
    ("ANONYMOUS", false),
];
const STATE: &[(&str, bool)] = &[("ENABLED", true), ("DISABLED", false)];

/// Reads the answer of one of the calls about agents.
pub(super) fn read(
    form: Form,
    sheet: &Sheet<'_>,
    fingerprinter: &Fingerprinter,
    facts: &mut Facts,
    errors: &mut Vec<ReadError>,
) {
    match form {
        Form::BedrockAgents => {
            for (pointer, one) in sheet.list::<AgentSummary<'_>>("agentSummaries", errors) {
                named(sheet, &pointer, &one.agent_id, one.agent_name.as_deref(), facts);
            }
        }
        Form::AgentRuntimes => {
            for (pointer, one) in sheet.list::<RuntimeSummary<'_>>("agentRuntimes", errors) {
                named(sheet, &pointer, &one.agent_runtime_arn, one.agent_runtime_name.as_deref(), facts);
            }
        }
        Form::Gateways => {
            for (pointer, one) in sheet.list::<GatewaySummary<'_>>("items", errors) {
                named(sheet, &pointer, &one.gateway_id, one.name.as_deref(), facts);
            }
        }
        Form::QApplications => {
            for (pointer, one) in sheet.list::<QApplicationSummary<'_>>("applications", errors) {
                named(sheet, &pointer, &one.application_id, one.display_name.as_deref(), facts);
            }
        }
        Form::BedrockAgent => bedrock_agent(sheet, facts, errors),
        Form::BedrockActionGroup => action_group(sheet, facts, errors),
        Form::AgentRuntime => runtime(sheet, fingerprinter, facts, errors),
        Form::Gateway => gateway(sheet, facts, errors),
        Form::GatewayTarget => gateway_target(sheet, facts, errors),
        Form::QApplication => q_application(sheet, facts, errors),
        Form::CodeInterpreter => tool("code_interpreter", sheet, facts, errors),
        Form::Browser => tool("browser", sheet, facts, errors),
        // Whether it is whole is told all the same.
        _ => {
            sheet.parts(&[], errors);
        }
    }
}

fn named(sheet: &Sheet<'_>, pointer: &str, id: &str, name: Option<&str>, facts: &mut Facts) {
    let account = owner(sheet, id, facts);
    let it = (facts.texts.share(id), facts.texts.share(name.unwrap_or(id)));
    facts.agents_named.push(Said { account, evidence: sheet.evidence(pointer), it });
}

fn purpose(description: Option<Text<'_>>, facts: &mut Facts) -> Fact<Arc<str>> {
    Fact::read(description.filter(|text| !text.trim().is_empty()).map(|text| facts.texts.share(&text)))
}

fn bedrock_agent(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(agent) = sheet.needed::<BedrockAgent<'_>>("agent", errors) else { return };
    let arn = facts.texts.share(&agent.agent_arn);
    let (member, named) = (("/agent", "agentResourceRoleArn"), agent.agent_resource_role_arn);
    let role = runs_as::role(sheet, member, named, Without::LeftOut, facts, errors);
    let id = agent.agent_id.as_deref().or_else(|| arn.rsplit('/').next()).unwrap_or("").to_owned();
    let seen = AgentSeen {
        id: facts.texts.share(&id),
        client: "bedrock",
        kind: "bedrock_agent",
        tool_server: false,
        name: facts.texts.share(agent.agent_name.as_deref().unwrap_or(&id)),
        role,
        purpose: purpose(agent.description, facts),
        image: Fact::Absent,
        // Invoking an agent takes a signed request.
        authenticated: Fact::Known(true),
        sandboxed: Fact::Unknown,
        disabled: agent.agent_status.is_some_and(|status| &*status == "DELETING"),
        secrets: Vec::new(),
        arn,
    };
    let account = owner(sheet, &seen.arn, facts);
    facts.agents.push(Said { account, evidence: sheet.evidence("/agent"), it: seen });
}

fn action_group(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(group) = sheet.needed::<Group<'_>>("agentActionGroup", errors) else { return };
    let Some(agent) = group.agent_id.as_deref().or_else(|| sheet.parameter("agentId")).map(str::to_owned) else {
        errors.push(sheet.error("/agentActionGroup", "does not say of which agent it is", "keep the member `agentId`"));
        return;
    };
    let executor = group.action_group_executor.as_ref();
    let functions = group.function_schema.as_ref().map(|schema| {
        let functions = schema.functions.0.iter().enumerate().map(|(at, one)| {
            let confirmed = match one.require_confirmation.as_deref() {
                // Nobody is asked unless it is said.
                None => Fact::Known(false),
                word => sheet.word(
                    format_args!("/agentActionGroup/functionSchema/functions/{at}/requireConfirmation"),
                    word,
                    STATE,
                    errors,
                ),
            };
            (facts.texts.share(&one.name), confirmed)
        });
        functions.collect::<BTreeMap<_, _>>()
    });
    let lambda = executor.and_then(|one| one.lambda.as_deref());
    let lambda = runs_as::leads_to(sheet, "/agentActionGroup/actionGroupExecutor/lambda", lambda, facts, errors);
    let state = group.action_group_state.as_deref();
    let it = ActionGroup {
        agent: facts.texts.share(&agent),
        name: facts.texts.share(group.action_group_name.as_deref().unwrap_or("")),
        enabled: sheet.word(format_args!("/agentActionGroup/actionGroupState"), state, STATE, errors),
        lambda,
        returns_control: executor.and_then(|one| one.custom_control.as_deref()) == Some("RETURN_CONTROL"),
        functions,
    };
    let account = it.lambda.clone().and_then(|arn| owner(sheet, &arn, facts)).or_else(|| sheet.account.clone());
    facts.action_groups.push(Said { account, evidence: sheet.evidence("/agentActionGroup"), it });
}

fn runtime(sheet: &Sheet<'_>, fingerprinter: &Fingerprinter, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(runtime) = sheet.whole::<Runtime<'_>>(errors) else { return };
    let mut told = Told::default();
    for (name, value) in runtime.environment_variables.iter().flatten() {
        let evidence = || sheet.evidence(&format!("/environmentVariables{}", step(name)));
        told.look(name, value, evidence, fingerprinter);
    }
    let image = runtime
        .agent_runtime_artifact
        .and_then(|artifact| artifact.container_configuration)
        .and_then(|container| container.container_uri);
    let arn = facts.texts.share(&runtime.agent_runtime_arn);
    let role = runs_as::role(sheet, ("", "roleArn"), runtime.role_arn, Without::LeftOut, facts, errors);
    let seen = AgentSeen {
        id: facts.texts.share(runtime.agent_runtime_id.as_deref().unwrap_or(&arn)),
        client: "bedrock-agentcore",
        kind: "agent_runtime",
        tool_server: false,
        name: facts.texts.share(runtime.agent_runtime_name.as_deref().unwrap_or(&arn)),
        role,
        purpose: purpose(runtime.description, facts),
        image: Fact::known(image.map(|image| facts.texts.share(&image))),
        // A signed request by default, a token where an authoriser is configured.
        authenticated: Fact::Known(true),
        // Each session runs in a virtual machine of its own.
        sandboxed: Fact::Known(true),
        disabled: false,
        secrets: told.secrets,
        arn,
    };
    let account = owner(sheet, &seen.arn, facts);
    facts.agents.push(Said { account, evidence: sheet.evidence(""), it: seen });
}

fn gateway(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(gateway) = sheet.whole::<Gateway<'_>>(errors) else { return };
    let arn = facts.texts.share(&gateway.gateway_arn);
    let role = runs_as::role(sheet, ("", "roleArn"), gateway.role_arn, Without::NotSaid, facts, errors);
    let kind = gateway.authorizer_type.as_deref();
    let seen = AgentSeen {
        id: facts.texts.share(gateway.gateway_id.as_deref().unwrap_or(&arn)),
        client: "bedrock-agentcore",
        kind: "gateway",
        tool_server: true,
        name: facts.texts.share(gateway.name.as_deref().unwrap_or(&arn)),
        role,
        purpose: purpose(gateway.description, facts),
        image: Fact::Absent,
        authenticated: sheet.word(format_args!("/authorizerType"), kind, AUTHORISERS, errors),
        sandboxed: Fact::Unknown,
        disabled: false,
        secrets: Vec::new(),
        arn,
    };
    let account = owner(sheet, &seen.arn, facts);
    facts.agents.push(Said { account, evidence: sheet.evidence(""), it: seen });
}

fn gateway_target(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(target) = sheet.whole::<Target<'_>>(errors) else { return };
    let mut stored = Vec::new();
    for configuration in target.credential_provider_configurations.0 {
        let Some(kinds) = configuration.credential_provider else { continue };
        for (provider, oauth) in [(kinds.oauth_credential_provider, true), (kinds.api_key_credential_provider, false)] {
            if let Some(arn) = provider.and_then(|provider| provider.provider_arn) {
                stored.push((facts.texts.share(&arn), oauth));
            }
        }
    }
    let lambda = target
        .target_configuration
        .and_then(|configuration| configuration.mcp)
        .and_then(|mcp| mcp.lambda)
        .and_then(|lambda| lambda.lambda_arn);
    let lambda =
        runs_as::leads_to(sheet, "/targetConfiguration/mcp/lambda/lambdaArn", lambda.as_deref(), facts, errors);
    let name = target.name.as_deref().or(target.target_id.as_deref()).unwrap_or("").to_owned();
    let it = GatewayTarget {
        gateway: facts.texts.share(&target.gateway_arn),
        name: facts.texts.share(&name),
        lambda,
        stored,
    };
    let account = owner(sheet, &it.gateway, facts);
    facts.gateway_targets.push(Said { account, evidence: sheet.evidence(""), it });
}

fn q_application(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(application) = sheet.whole::<QApplication<'_>>(errors) else { return };
    let arn = facts.texts.share(&application.application_arn);
    let role = runs_as::role(sheet, ("", "roleArn"), application.role_arn, Without::NotSaid, facts, errors);
    let kind = application.identity_type.as_deref();
    let seen = AgentSeen {
        id: facts.texts.share(application.application_id.as_deref().unwrap_or(&arn)),
        client: "qbusiness",
        kind: "q_business_application",
        tool_server: false,
        name: facts.texts.share(application.display_name.as_deref().unwrap_or(&arn)),
        role,
        purpose: purpose(application.description, facts),
        image: Fact::Absent,
        authenticated: sheet.word(format_args!("/identityType"), kind, IDENTITIES, errors),
        sandboxed: Fact::Unknown,
        disabled: application.status.is_some_and(|status| &*status == "DELETING"),
        secrets: Vec::new(),
        arn,
    };
    let account = owner(sheet, &seen.arn, facts);
    facts.agents.push(Said { account, evidence: sheet.evidence(""), it: seen });
}

fn tool(kind: &'static str, sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(tool) = sheet.whole::<Tool<'_>>(errors) else { return };
    let arn = facts.texts.share(&tool.browser_arn);
    let named = tool.execution_role_arn;
    let role = runs_as::role(sheet, ("", "executionRoleArn"), named, Without::None, facts, errors);
    let seen = AgentSeen {
        id: Arc::clone(&arn),
        client: "bedrock-agentcore",
        kind,
        tool_server: true,
        name: facts.texts.share(tool.name.as_deref().unwrap_or(&arn)),
        role,
        purpose: purpose(tool.description, facts),
        image: Fact::Absent,
        authenticated: Fact::Known(true),
        sandboxed: Fact::Known(true),
        disabled: false,
        secrets: Vec::new(),
        arn,
    };
    let account = owner(sheet, &seen.arn, facts);
    facts.agents.push(Said { account, evidence: sheet.evidence(""), it: seen });
}
