//! Calls about one region of one account: agents, what runs with a role, and what is recorded.

use super::account::EC2;
use super::{Call, Each, Only, Pages, Path, Protocol, Reach, Service, capital_token, each, next_token, row};
use crate::documents::form::Form;

const fn rest(id: &'static str, host: &'static str, name: &'static str) -> Service {
    Service { id, host, signing: name, prefix: name, protocol: Protocol::Rest, global: false }
}

const fn json(id: &'static str, host: &'static str, name: &'static str, target: &'static str) -> Service {
    let protocol = Protocol::Json { version: "1.1", target };
    Service { id, host, signing: name, prefix: name, protocol, global: false }
}

/// The same with the older spelling of JSON.
const fn json_1_0(id: &'static str, name: &'static str, target: &'static str) -> Service {
    let protocol = Protocol::Json { version: "1.0", target };
    Service { id, host: name, signing: name, prefix: name, protocol, global: false }
}

const fn query(id: &'static str, name: &'static str, version: &'static str) -> Service {
    Service { id, host: name, signing: name, prefix: name, protocol: Protocol::Query { version }, global: false }
}

const BEDROCK: Service = rest("Bedrock", "bedrock", "bedrock");
const AGENTS: Service = rest("Bedrock Agent", "bedrock-agent", "bedrock");
const AGENTCORE: Service = rest("Bedrock AgentCore Control", "bedrock-agentcore-control", "bedrock-agentcore");
const LAMBDA: Service = rest("Lambda", "lambda", "lambda");
const EKS: Service = rest("EKS", "eks", "eks");
const QBUSINESS: Service = rest("QBusiness", "qbusiness", "qbusiness");
const ECR: Service = json("ECR", "api.ecr", "ecr", "AmazonEC2ContainerRegistry_V20150921");
const ECS: Service = json("ECS", "ecs", "ecs", "AmazonEC2ContainerServiceV20141113");
const SAGEMAKER: Service = json("SageMaker", "api.sagemaker", "sagemaker", "SageMaker");
const AUTOSCALING: Service = query("Auto Scaling", "autoscaling", "2011-01-01");
const CLOUDFORMATION: Service = query("CloudFormation", "cloudformation", "2010-05-15");
const BATCH: Service = rest("Batch", "batch", "batch");
const CODEBUILD: Service = json("CodeBuild", "codebuild", "codebuild", "CodeBuild_20161006");
const CODEDEPLOY: Service = json("CodeDeploy", "codedeploy", "codedeploy", "CodeDeploy_20141006");
const GLUE: Service = json("Glue", "glue", "glue", "AWSGlue");
const APPRUNNER: Service = json_1_0("AppRunner", "apprunner", "AppRunner");
const STATES: Service = json_1_0("SFN", "states", "AWSStepFunctions");
const CLOUDTRAIL: Service =
    json("CloudTrail", "cloudtrail", "cloudtrail", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101");

const fn call(service: &'static Service, operation: &'static str, form: Form, file: &'static str) -> Call {
    row(service, operation, form, file, Reach::Region)
}

const fn agentcore(operation: &'static str, form: Form, file: &'static str) -> Call {
    call(&AGENTCORE, operation, form, file)
}

/// A trail is asked about where it lives.
const HOME: Only = Only::Here("/HomeRegion");

const AGENT: &[Each] = &[each(Form::BedrockAgents, "agentSummaries", &[("agentId", "/agentId")])];
const FUNCTION: &[Each] = &[each(Form::Functions, "Functions", &[("FunctionName", "/FunctionName")])];

pub(super) static CALLS: &[Call] = &[
    Call {
        path: Path::Post("/agents/"),
        pages: next_token(&["agentSummaries"]),
        ..call(&AGENTS, "ListAgents", Form::BedrockAgents, "bedrock-agents")
    },
    Call {
        path: Path::Get("/agents/{agentId}/"),
        each: AGENT,
        holds: Some("agent"),
        kept: &[
            "/agent/agentArn",
            "/agent/agentId",
            "/agent/agentName",
            "/agent/description",
            "/agent/agentResourceRoleArn",
            "/agent/agentStatus",
        ],
        ..call(&AGENTS, "GetAgent", Form::BedrockAgent, "bedrock-agent-descriptions")
    },
    Call {
        path: Path::Post("/agents/{agentId}/agentversions/{agentVersion}/actiongroups/"),
        pages: next_token(&["actionGroupSummaries"]),
        fixed: &[("agentVersion", "DRAFT")],
        each: AGENT,
        ..call(&AGENTS, "ListAgentActionGroups", Form::BedrockActionGroups, "action-groups")
    },
    Call {
        path: Path::Get("/agents/{agentId}/agentversions/{agentVersion}/actiongroups/{actionGroupId}/"),
        each: &[Each {
            keep: &["agentId", "agentVersion"],
            ..each(Form::BedrockActionGroups, "actionGroupSummaries", &[("actionGroupId", "/actionGroupId")])
        }],
        holds: Some("agentActionGroup"),
        kept: &[
            "/agentActionGroup/agentId",
            "/agentActionGroup/actionGroupName",
            "/agentActionGroup/actionGroupState",
            "/agentActionGroup/actionGroupExecutor/lambda",
            "/agentActionGroup/actionGroupExecutor/customControl",
            "/agentActionGroup/functionSchema/functions/*/name",
            "/agentActionGroup/functionSchema/functions/*/requireConfirmation",
        ],
        ..call(&AGENTS, "GetAgentActionGroup", Form::BedrockActionGroup, "action-group-descriptions")
    },
    Call {
        path: Path::PostQuery("/runtimes/"),
        pages: next_token(&["agentRuntimes"]),
        ..agentcore("ListAgentRuntimes", Form::AgentRuntimes, "agentcore-runtimes")
    },
    Call {
        path: Path::Get("/runtimes/{agentRuntimeId}/"),
        each: &[each(Form::AgentRuntimes, "agentRuntimes", &[("agentRuntimeId", "/agentRuntimeId")])],
        withheld: &["/environmentVariables/*"],
        holds: Some("agentRuntimeArn"),
        kept: &[
            "/agentRuntimeArn",
            "/agentRuntimeId",
            "/agentRuntimeName",
            "/description",
            "/roleArn",
            "/agentRuntimeArtifact/containerConfiguration/containerUri",
            "/environmentVariables/*",
        ],
        ..agentcore("GetAgentRuntime", Form::AgentRuntime, "agentcore-runtime-descriptions")
    },
    Call {
        path: Path::Get("/gateways/"),
        pages: next_token(&["items"]),
        ..agentcore("ListGateways", Form::Gateways, "agentcore-gateways")
    },
    Call {
        path: Path::Get("/gateways/{gatewayIdentifier}/"),
        each: &[each(Form::Gateways, "items", &[("gatewayIdentifier", "/gatewayId")])],
        holds: Some("gatewayArn"),
        kept: &["/gatewayArn", "/gatewayId", "/name", "/description", "/roleArn", "/authorizerType"],
        ..agentcore("GetGateway", Form::Gateway, "agentcore-gateway-descriptions")
    },
    Call {
        path: Path::Get("/gateways/{gatewayIdentifier}/targets/"),
        pages: next_token(&["items"]),
        each: &[each(Form::Gateways, "items", &[("gatewayIdentifier", "/gatewayId")])],
        ..agentcore("ListGatewayTargets", Form::GatewayTargets, "agentcore-gateway-targets")
    },
    Call {
        path: Path::Get("/gateways/{gatewayIdentifier}/targets/{targetId}/"),
        each: &[Each {
            keep: &["gatewayIdentifier"],
            ..each(Form::GatewayTargets, "items", &[("targetId", "/targetId")])
        }],
        holds: Some("gatewayArn"),
        kept: &[
            "/gatewayArn",
            "/targetId",
            "/name",
            "/targetConfiguration/mcp/lambda/lambdaArn",
            "/credentialProviderConfigurations/*/credentialProvider/oauthCredentialProvider/providerArn",
            "/credentialProviderConfigurations/*/credentialProvider/apiKeyCredentialProvider/providerArn",
        ],
        ..agentcore("GetGatewayTarget", Form::GatewayTarget, "agentcore-gateway-target-descriptions")
    },
    Call {
        path: Path::Post("/identities/ListWorkloadIdentities"),
        pages: next_token(&["workloadIdentities"]),
        ..agentcore("ListWorkloadIdentities", Form::WorkloadIdentities, "agentcore-workload-identities")
    },
    Call {
        path: Path::Post("/identities/ListApiKeyCredentialProviders"),
        pages: next_token(&["credentialProviders"]),
        ..agentcore("ListApiKeyCredentialProviders", Form::ApiKeyProviders, "agentcore-api-key-providers")
    },
    Call {
        path: Path::Post("/identities/ListOauth2CredentialProviders"),
        pages: next_token(&["credentialProviders"]),
        ..agentcore("ListOauth2CredentialProviders", Form::OauthProviders, "agentcore-oauth-providers")
    },
    Call {
        path: Path::PostQuery("/code-interpreters"),
        pages: next_token(&["codeInterpreterSummaries"]),
        fixed: &[("type", "CUSTOM")],
        ..agentcore("ListCodeInterpreters", Form::CodeInterpreters, "agentcore-code-interpreters")
    },
    Call {
        path: Path::Get("/code-interpreters/{codeInterpreterId}"),
        each: &[each(
            Form::CodeInterpreters,
            "codeInterpreterSummaries",
            &[("codeInterpreterId", "/codeInterpreterId")],
        )],
        holds: Some("codeInterpreterArn"),
        kept: &["/codeInterpreterArn", "/name", "/description", "/executionRoleArn"],
        ..agentcore("GetCodeInterpreter", Form::CodeInterpreter, "agentcore-code-interpreter-descriptions")
    },
    Call {
        path: Path::PostQuery("/browsers"),
        pages: next_token(&["browserSummaries"]),
        fixed: &[("type", "CUSTOM")],
        ..agentcore("ListBrowsers", Form::Browsers, "agentcore-browsers")
    },
    Call {
        path: Path::Get("/browsers/{browserId}"),
        each: &[each(Form::Browsers, "browserSummaries", &[("browserId", "/browserId")])],
        holds: Some("browserArn"),
        kept: &["/browserArn", "/name", "/description", "/executionRoleArn"],
        ..agentcore("GetBrowser", Form::Browser, "agentcore-browser-descriptions")
    },
    Call {
        path: Path::Get("/applications"),
        pages: next_token(&["applications"]),
        omits_empty: true,
        ..call(&QBUSINESS, "ListApplications", Form::QApplications, "q-applications")
    },
    Call {
        path: Path::Get("/applications/{applicationId}"),
        each: &[each(Form::QApplications, "applications", &[("applicationId", "/applicationId")])],
        holds: Some("applicationArn"),
        kept: &[
            "/applicationArn",
            "/applicationId",
            "/displayName",
            "/description",
            "/roleArn",
            "/identityType",
            "/status",
        ],
        ..call(&QBUSINESS, "GetApplication", Form::QApplication, "q-application-descriptions")
    },
    Call {
        path: Path::Get("/2015-03-31/functions"),
        pages: Some(Pages { ask: "Marker", next: "NextMarker", lists: &["Functions"] }),
        withheld: &["/Functions/*/Environment/Variables/*"],
        kept: &[
            "/Functions/*/FunctionArn",
            "/Functions/*/FunctionName",
            "/Functions/*/Role",
            "/Functions/*/PackageType",
            "/Functions/*/Environment/Variables/*",
        ],
        omits_empty: true,
        ..call(&LAMBDA, "ListFunctions", Form::Functions, "functions")
    },
    Call {
        path: Path::Get("/2015-03-31/functions/{FunctionName}/policy"),
        each: FUNCTION,
        holds: Some("Policy"),
        ..call(&LAMBDA, "GetPolicy", Form::FunctionPolicy, "function-policies")
    },
    Call {
        path: Path::Get("/2021-10-31/functions/{FunctionName}/urls"),
        pages: Some(Pages { ask: "Marker", next: "NextMarker", lists: &["FunctionUrlConfigs"] }),
        each: FUNCTION,
        kept: &["/FunctionUrlConfigs/*/FunctionArn"],
        ..call(&LAMBDA, "ListFunctionUrlConfigs", Form::FunctionUrls, "function-urls")
    },
    Call {
        pages: next_token(&["repositories"]),
        omits_empty: true,
        kept: &["/repositories/*/repositoryArn", "/repositories/*/registryId", "/repositories/*/repositoryName"],
        ..call(&ECR, "DescribeRepositories", Form::Repositories, "repositories")
    },
    Call {
        each: &[each(Form::Repositories, "repositories", &[("repositoryName", "/repositoryName")])],
        holds: Some("policyText"),
        ..call(&ECR, "GetRepositoryPolicy", Form::RepositoryPolicy, "repository-policies")
    },
    Call {
        pages: next_token(&["families"]),
        fixed: &[("status", "ACTIVE")],
        omits_empty: true,
        ..call(&ECS, "ListTaskDefinitionFamilies", Form::TaskFamilies, "task-definition-families")
    },
    Call {
        // The name of a family stands for its latest active revision.
        each: &[each(Form::TaskFamilies, "families", &[("taskDefinition", "")])],
        withheld: &["/taskDefinition/containerDefinitions/*/environment/*"],
        holds: Some("taskDefinition"),
        kept: &[
            "/taskDefinition/taskDefinitionArn",
            "/taskDefinition/family",
            "/taskDefinition/taskRoleArn",
            "/taskDefinition/containerDefinitions/*/name",
            "/taskDefinition/containerDefinitions/*/image",
            "/taskDefinition/containerDefinitions/*/privileged",
            "/taskDefinition/containerDefinitions/*/environment/*",
        ],
        ..call(&ECS, "DescribeTaskDefinition", Form::TaskDefinition, "task-definitions")
    },
    Call {
        path: Path::Get("/clusters"),
        pages: next_token(&["clusters"]),
        omits_empty: true,
        ..call(&EKS, "ListClusters", Form::Clusters, "eks-clusters")
    },
    Call {
        path: Path::Get("/clusters/{clusterName}/pod-identity-associations"),
        pages: next_token(&["associations"]),
        each: &[each(Form::Clusters, "clusters", &[("clusterName", "")])],
        omits_empty: true,
        ..call(&EKS, "ListPodIdentityAssociations", Form::PodAssociations, "pod-identity-associations")
    },
    Call {
        path: Path::Get("/clusters/{clusterName}/pod-identity-associations/{associationId}"),
        each: &[Each {
            keep: &["clusterName"],
            ..each(Form::PodAssociations, "associations", &[("associationId", "/associationId")])
        }],
        holds: Some("association"),
        ..call(&EKS, "DescribePodIdentityAssociation", Form::PodAssociation, "pod-identity-association-descriptions")
    },
    Call {
        path: Path::Get("/clusters/{clusterName}/access-entries"),
        pages: next_token(&["accessEntries"]),
        each: &[each(Form::Clusters, "clusters", &[("clusterName", "")])],
        omits_empty: true,
        ..call(&EKS, "ListAccessEntries", Form::AccessEntries, "access-entries")
    },
    Call {
        path: Path::Get("/clusters/{clusterName}/access-entries/{principalArn}"),
        each: &[Each { keep: &["clusterName"], ..each(Form::AccessEntries, "accessEntries", &[("principalArn", "")]) }],
        holds: Some("accessEntry"),
        kept: &[
            "/accessEntry/clusterName",
            "/accessEntry/principalArn",
            "/accessEntry/kubernetesGroups/*",
            "/accessEntry/username",
            "/accessEntry/type",
        ],
        ..call(&EKS, "DescribeAccessEntry", Form::AccessEntry, "access-entry-descriptions")
    },
    Call {
        path: Path::Get("/clusters/{clusterName}/access-entries/{principalArn}/access-policies"),
        pages: next_token(&["associatedAccessPolicies"]),
        each: &[Each { keep: &["clusterName"], ..each(Form::AccessEntries, "accessEntries", &[("principalArn", "")]) }],
        omits_empty: true,
        ..call(&EKS, "ListAssociatedAccessPolicies", Form::AccessPolicies, "access-policies")
    },
    Call {
        pages: capital_token(&["NotebookInstances"]),
        kept: &["/NotebookInstances/*/NotebookInstanceName", "/NotebookInstances/*/NotebookInstanceArn"],
        omits_empty: true,
        ..call(&SAGEMAKER, "ListNotebookInstances", Form::Notebooks, "notebooks")
    },
    Call {
        each: &[each(Form::Notebooks, "NotebookInstances", &[("NotebookInstanceName", "/NotebookInstanceName")])],
        holds: Some("NotebookInstanceArn"),
        kept: &["/NotebookInstanceArn", "/NotebookInstanceName", "/RoleArn"],
        ..call(&SAGEMAKER, "DescribeNotebookInstance", Form::Notebook, "notebook-descriptions")
    },
    Call {
        pages: capital_token(&["Reservations"]),
        omits_empty: true,
        ..call(&EC2, "DescribeInstances", Form::Instances, "instances")
    },
    Call {
        pages: capital_token(&["LaunchTemplates"]),
        omits_empty: true,
        kept: &["/LaunchTemplates/*/LaunchTemplateId", "/LaunchTemplates/*/LaunchTemplateName"],
        ..call(&EC2, "DescribeLaunchTemplates", Form::LaunchTemplates, "launch-templates")
    },
    Call {
        // Where no template is named: of all.
        fixed: &[("LaunchTemplateVersion.1", "$Default")],
        pages: capital_token(&["LaunchTemplateVersions"]),
        omits_empty: true,
        kept: &[
            "/LaunchTemplateVersions/*/LaunchTemplateId",
            "/LaunchTemplateVersions/*/LaunchTemplateName",
            "/LaunchTemplateVersions/*/LaunchTemplateData/IamInstanceProfile/Arn",
            "/LaunchTemplateVersions/*/LaunchTemplateData/IamInstanceProfile/Name",
        ],
        ..call(&EC2, "DescribeLaunchTemplateVersions", Form::LaunchTemplateVersions, "launch-template-versions")
    },
    Call {
        pages: capital_token(&["LaunchConfigurations"]),
        kept: &[
            "/LaunchConfigurations/*/LaunchConfigurationARN",
            "/LaunchConfigurations/*/LaunchConfigurationName",
            "/LaunchConfigurations/*/IamInstanceProfile",
        ],
        ..call(&AUTOSCALING, "DescribeLaunchConfigurations", Form::LaunchConfigurations, "launch-configurations")
    },
    Call {
        path: Path::Post("/v1/describejobdefinitions"),
        pages: next_token(&["jobDefinitions"]),
        // A revision that is withdrawn starts no job.
        fixed: &[("status", "ACTIVE")],
        omits_empty: true,
        kept: &[
            "/jobDefinitions/*/jobDefinitionArn",
            "/jobDefinitions/*/jobDefinitionName",
            "/jobDefinitions/*/status",
            "/jobDefinitions/*/containerProperties/jobRoleArn",
            "/jobDefinitions/*/ecsProperties/taskProperties/*/taskRoleArn",
            "/jobDefinitions/*/nodeProperties/nodeRangeProperties/*/container/jobRoleArn",
            "/jobDefinitions/*/nodeProperties/nodeRangeProperties/*/ecsProperties/taskProperties/*/taskRoleArn",
        ],
        ..call(&BATCH, "DescribeJobDefinitions", Form::JobDefinitions, "job-definitions")
    },
    Call {
        pages: capital_token(&["ServiceSummaryList"]),
        kept: &["/ServiceSummaryList/*/ServiceArn"],
        ..call(&APPRUNNER, "ListServices", Form::Services, "app-runner-services")
    },
    Call {
        each: &[each(Form::Services, "ServiceSummaryList", &[("ServiceArn", "/ServiceArn")])],
        holds: Some("Service"),
        kept: &["/Service/ServiceArn", "/Service/ServiceName", "/Service/InstanceConfiguration/InstanceRoleArn"],
        ..call(&APPRUNNER, "DescribeService", Form::Service, "app-runner-service-descriptions")
    },
    Call {
        pages: capital_token(&["Stacks"]),
        omits_empty: true,
        kept: &["/Stacks/*/StackId", "/Stacks/*/StackName", "/Stacks/*/RoleARN"],
        ..call(&CLOUDFORMATION, "DescribeStacks", Form::Stacks, "stacks")
    },
    Call {
        pages: next_token(&["projects"]),
        omits_empty: true,
        ..call(&CODEBUILD, "ListProjects", Form::Projects, "build-projects")
    },
    Call {
        each: &[each(Form::Projects, "projects", &[("names", "")])],
        plural: &["names"],
        holds: Some("projects"),
        kept: &["/projects/*/arn", "/projects/*/name", "/projects/*/serviceRole"],
        ..call(&CODEBUILD, "BatchGetProjects", Form::ProjectDescriptions, "build-project-descriptions")
    },
    Call {
        pages: next_token(&["applications"]),
        omits_empty: true,
        ..call(&CODEDEPLOY, "ListApplications", Form::DeployApplications, "deploy-applications")
    },
    Call {
        pages: capital_token(&["DevEndpoints"]),
        omits_empty: true,
        kept: &["/DevEndpoints/*/EndpointName", "/DevEndpoints/*/RoleArn", "/DevEndpoints/*/AvailabilityZone"],
        ..call(&GLUE, "GetDevEndpoints", Form::DevEndpoints, "dev-endpoints")
    },
    Call {
        pages: next_token(&["stateMachines"]),
        kept: &["/stateMachines/*/stateMachineArn"],
        ..call(&STATES, "ListStateMachines", Form::StateMachines, "state-machines")
    },
    Call {
        each: &[each(Form::StateMachines, "stateMachines", &[("stateMachineArn", "/stateMachineArn")])],
        // Without the definition, which may be encrypted under a key that the collector may not use.
        fixed: &[("includedData", "METADATA_ONLY")],
        holds: Some("roleArn"),
        kept: &["/stateMachineArn", "/name", "/roleArn"],
        ..call(&STATES, "DescribeStateMachine", Form::StateMachine, "state-machine-descriptions")
    },
    // With the copies of trails that live elsewhere: an organisation's trail is such a copy in each of its accounts.
    Call { holds: Some("trailList"), omits_empty: true, ..call(&CLOUDTRAIL, "DescribeTrails", Form::Trails, "trails") },
    Call {
        each: &[Each { only: HOME, ..each(Form::Trails, "trailList", &[("Name", "/TrailARN")]) }],
        holds: Some("IsLogging"),
        ..call(&CLOUDTRAIL, "GetTrailStatus", Form::TrailStatus, "trail-status")
    },
    Call {
        each: &[Each { only: HOME, ..each(Form::Trails, "trailList", &[("TrailName", "/TrailARN")]) }],
        ..call(&CLOUDTRAIL, "GetEventSelectors", Form::TrailSelectors, "trail-selectors")
    },
    Call {
        path: Path::Get("/logging/modelinvocations"),
        ..call(&BEDROCK, "GetModelInvocationLoggingConfiguration", Form::InvocationLogging, "model-invocation-logging")
    },
];
