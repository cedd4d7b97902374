//! Which call a document is the answer of, told from its keys, or from the call's name where the document says it.

use evenhand_model::document::{Document, Format, Head};
use evenhand_model::gap::{Lost, Subject};

use super::shape::{head_of, head_of_member};

macro_rules! about {
    (Everything) => {
        Subject::ALL
    };
    ($($subject:ident)*) => {
        &[$(Subject::$subject),*]
    };
}

macro_rules! forms {
    ($($(#[$doc:meta])* $form:ident = $call:literal, $facts:literal [$($about:ident)*], $told:expr;)*) => {
        /// A call whose answer is read.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub(crate) enum Form {
            $($(#[$doc])* $form,)*
        }

        impl Form {
            /// The call as its command line spells it.
            pub(crate) fn call(self) -> &'static str {
                match self {
                    $(Self::$form => $call,)*
                }
            }

            /// What its answer tells, in words.
            pub(crate) fn words(self) -> &'static str {
                match self {
                    $(Self::$form => $facts,)*
                }
            }

            /// What its answer tells; unknown without it.
            pub(crate) fn facts(self) -> Lost {
                let about: &'static [Subject] = match self {
                    $(Self::$form => about!($($about)*),)*
                };
                Lost::of(self.words(), about)
            }

            const ALL: &'static [(Self, fn(&Head) -> bool)] = &[$((Self::$form, $told)),*];
        }
    };
}

/// Told by the call's name only: its answer looks like another one's, or does not say what it is about.
const NEVER: fn(&Head) -> bool = |_| false;

fn element(head: &Head, list: &str, keys: &[&str]) -> bool {
    head.element(list).is_some_and(|held| keys.iter().all(|key| held.iter().any(|name| name == key)))
}

fn all(head: &Head, keys: &[&str]) -> bool {
    keys.iter().all(|key| head.has(key))
}

fn only(head: &Head, keys: &[&str]) -> bool {
    !head.keys.is_empty() && head.keys.iter().all(|held| keys.contains(&held.as_str()))
}

/// An answer that there is nothing, for lists whose name alone tells the call.
fn nothing(head: &Head, list: &str) -> bool {
    head.is_empty_list(list) && only(head, &[list, "NextToken", "NextMarker", "nextToken"])
}

forms! {
    /// What the collector writes beside its documents: which calls were finished.
    Manifest = "evenhand collect aws", "everything that was not collected yet" [Everything], |head| {
        head.has("evenhand_capture") && head.value("provider").is_none_or(|provider| provider == "aws")
    };
    CallerIdentity = "sts get-caller-identity", "whose account the credentials belong to" [Record], NEVER;
    AssumedRole = "sts assume-role", "everything in the account" [Everything], NEVER;
    Regions = "ec2 describe-regions", "in which regions there may be agents" [Nature Users Workload Logs Escalation], NEVER;
    ReportRequest = "iam generate-credential-report", "passwords, factors, access keys and their last use" [Credentials Use], NEVER;
    UsageRequest = "iam generate-service-last-accessed-details", "which operations were used" [OperationsUsed], NEVER;
    Usage = "iam get-service-last-accessed-details", "which operations were used" [OperationsUsed], NEVER;
    CenterAccounts = "sso-admin list-accounts-for-provisioned-permission-set", "in which accounts a permission set is used" [Access People HumanRoles Controls], NEVER;
    GatewayTargets = "bedrock-agentcore-control list-gateway-targets", "what AgentCore gateways reach" [Settings Access], NEVER;
    Clusters = "eks list-clusters", "which clusters exist" [Users Workload Nature Escalation], NEVER;
    Projects = "codebuild list-projects", "which build projects exist" [Users Workload Escalation], NEVER;
    DeployApplications = "deploy list-applications", "whether anything is deployed to instances" [Escalation], NEVER;

    Authorization = "iam get-account-authorization-details", "users, roles, groups, policies, boundaries and who may become whom" [Access Escalation Nature Use Declared Trust Record Controls HumanRoles], |head| {
        ["UserDetailList", "GroupDetailList", "RoleDetailList"].iter().any(|key| head.has(key))
            || element(head, "Policies", &["PolicyVersionList"])
    };
    CredentialReport = "iam get-credential-report", "passwords, factors, access keys and their last use" [Credentials Use], |head| {
        all(head, &["Content", "ReportFormat"])
            || (head.columns.iter().any(|column| column == "user")
                && head.columns.iter().any(|column| column == "password_enabled" || column == "user_creation_time"))
    };
    AccessKeys = "iam list-access-keys", "ids of access keys" [Credentials], |head| head.has("AccessKeyMetadata");
    AccessKeyUse = "iam get-access-key-last-used", "when an access key was last used" [Credentials Use], |head| head.has("AccessKeyLastUsed");
    ServiceCredentials = "iam list-service-specific-credentials", "long-term keys for Bedrock and other services" [Credentials], |head| head.has("ServiceSpecificCredentials");
    LoginProfile = "iam get-login-profile", "whether a user has a console password" [Credentials], |head| head.has("LoginProfile");
    MfaDevices = "iam list-mfa-devices", "factors of users" [Credentials Controls], |head| head.has("MFADevices");
    OidcProviders = "iam list-open-id-connect-providers", "which web identity providers still exist" [Trust], |head| head.has("OpenIDConnectProviderList");
    SamlProviders = "iam list-saml-providers", "which SAML providers still exist" [Trust], |head| head.has("SAMLProviderList");
    AccountSummary = "iam get-account-summary", "keys and factors of the root user" [Credentials], |head| head.has("SummaryMap");

    OrgAccounts = "organizations list-accounts", "which accounts belong to the organisation" [Record Trust], |head| {
        element(head, "Accounts", &["Id", "Arn"]) || element(head, "Accounts", &["Id", "JoinedMethod"])
    };
    OrgAccountsOfParent = "organizations list-accounts-for-parent", "where accounts hang in the organisation" [Access], NEVER;
    Organization = "organizations describe-organization", "which organisation the account belongs to, and its management account" [Record Trust Access], |head| only(head, &["Organization"]);
    OrgPolicies = "organizations list-policies", "service and resource control policies" [Access], |head| element(head, "Policies", &["Id", "Type"]);
    OrgPoliciesOfTarget = "organizations list-policies-for-target", "which organisation policies limit an account" [Access], NEVER;
    OrgPolicy = "organizations describe-policy", "what an organisation policy says" [Access], NEVER;
    OrgTargets = "organizations list-targets-for-policy", "where organisation policies are attached" [Access], |head| element(head, "Targets", &["TargetId", "Type"]);
    OrgRoots = "organizations list-roots", "which policy types are on in the organisation" [Access], |head| element(head, "Roots", &["Id", "Arn"]);
    OrgUnits = "organizations list-organizational-units-for-parent", "the organisational units above accounts" [Access], |head| {
        element(head, "OrganizationalUnits", &["Id", "Arn"]) || nothing(head, "OrganizationalUnits")
    };
    OrgChildren = "organizations list-children", "the organisational units above accounts" [Access], |head| element(head, "Children", &["Id", "Type"]);
    OrgParents = "organizations list-parents", "the organisational units above accounts" [Access], |head| element(head, "Parents", &["Id", "Type"]);

    CenterInstances = "sso-admin list-instances", "Identity Center and the directory behind it" [Access People HumanRoles Controls], |head| element(head, "Instances", &["InstanceArn"]);
    PermissionSets = "sso-admin list-permission-sets", "permission sets" [Access], |head| {
        head.has("PermissionSets") && only(head, &["PermissionSets", "NextToken"])
    };
    PermissionSet = "sso-admin describe-permission-set", "names of permission sets" [Access], |head| only(head, &["PermissionSet"]);
    PermissionSetManaged = "sso-admin list-managed-policies-in-permission-set", "managed policies of permission sets" [Access], |head| {
        head.has("AttachedManagedPolicies") && only(head, &["AttachedManagedPolicies", "NextToken"])
    };
    PermissionSetCustomer = "sso-admin list-customer-managed-policy-references-in-permission-set", "customer managed policies of permission sets" [Access], |head| {
        head.has("CustomerManagedPolicyReferences")
    };
    PermissionSetInline = "sso-admin get-inline-policy-for-permission-set", "inline policies of permission sets" [Access], |head| only(head, &["InlinePolicy"]);
    PermissionSetBoundary = "sso-admin get-permissions-boundary-for-permission-set", "boundaries of permission sets" [Access], |head| {
        only(head, &["PermissionsBoundary"])
    };
    Assignments = "sso-admin list-account-assignments", "who has which permission set in which account" [Access People HumanRoles], |head| {
        element(head, "AccountAssignments", &["PermissionSetArn", "PrincipalId"]) || nothing(head, "AccountAssignments")
    };
    StoreUsers = "identitystore list-users", "people: names, and whether an owner is active" [People], |head| element(head, "Users", &["IdentityStoreId", "UserId"]);
    StoreGroups = "identitystore list-groups", "groups of people" [People], |head| element(head, "Groups", &["IdentityStoreId", "GroupId"]);

    BedrockAgents = "bedrock-agent list-agents", "which Bedrock agents exist" [Nature Users], |head| head.has("agentSummaries");
    BedrockAgent = "bedrock-agent get-agent", "the roles Bedrock agents act as" [Nature Users], |head| only(head, &["agent"]);
    BedrockActionGroups = "bedrock-agent list-agent-action-groups", "action groups of Bedrock agents" [Settings], |head| head.has("actionGroupSummaries");
    BedrockActionGroup = "bedrock-agent get-agent-action-group", "functions that Bedrock agents call, and whether a person confirms" [Settings Controls], |head| head.has("agentActionGroup");
    AgentRuntimes = "bedrock-agentcore-control list-agent-runtimes", "which AgentCore runtimes exist" [Nature Users], |head| head.has("agentRuntimes");
    AgentRuntime = "bedrock-agentcore-control get-agent-runtime", "the roles AgentCore runtimes act as, and secrets in their environment" [Nature Users Credentials], |head| {
        all(head, &["agentRuntimeArn", "agentRuntimeName"])
    };
    Gateways = "bedrock-agentcore-control list-gateways", "which AgentCore gateways exist" [Nature Users], |head| element(head, "items", &["gatewayId", "protocolType"]);
    Gateway = "bedrock-agentcore-control get-gateway", "the roles AgentCore gateways act as, and whether callers sign in" [Nature Users Settings], |head| all(head, &["gatewayArn", "gatewayId", "protocolType"]);
    GatewayTarget = "bedrock-agentcore-control get-gateway-target", "what AgentCore gateways reach, and with which stored credential" [Settings Credentials], |head| all(head, &["gatewayArn", "targetId"]);
    WorkloadIdentities = "bedrock-agentcore-control list-workload-identities", "workload identities of AgentCore" [Nature], |head| {
        element(head, "workloadIdentities", &["workloadIdentityArn"]) || nothing(head, "workloadIdentities")
    };
    ApiKeyProviders = "bedrock-agentcore-control list-api-key-credential-providers", "API keys stored for agents" [Credentials], |head| {
        element(head, "credentialProviders", &["credentialProviderArn"])
            && !element(head, "credentialProviders", &["credentialProviderVendor"])
    };
    OauthProviders = "bedrock-agentcore-control list-oauth2-credential-providers", "OAuth clients stored for agents" [Credentials], |head| {
        element(head, "credentialProviders", &["credentialProviderArn", "credentialProviderVendor"])
    };
    QApplications = "qbusiness list-applications", "which Q Business applications exist" [Nature Users], |head| element(head, "applications", &["applicationId", "displayName"]);
    QApplication = "qbusiness get-application", "the roles Q Business applications act as" [Nature Users], |head| all(head, &["applicationArn", "applicationId", "displayName"]);
    CodeInterpreters = "bedrock-agentcore-control list-code-interpreters", "which code interpreters exist" [Nature Users], |head| head.has("codeInterpreterSummaries");
    Browsers = "bedrock-agentcore-control list-browsers", "which browsers exist" [Nature Users], |head| head.has("browserSummaries");
    CodeInterpreter = "bedrock-agentcore-control get-code-interpreter", "the roles of code interpreters" [Nature Users Escalation], |head| head.has("codeInterpreterArn");
    Browser = "bedrock-agentcore-control get-browser", "the roles of browsers" [Nature Users], |head| head.has("browserArn");

    Functions = "lambda list-functions", "functions, their roles and the secrets in their environment" [Users Workload Credentials Nature Escalation], |head| element(head, "Functions", &["FunctionArn"]) || nothing(head, "Functions");
    Function = "lambda get-function-configuration", "a function, its role and the secrets in its environment" [Users Workload Credentials Nature Escalation], |head| all(head, &["FunctionArn", "FunctionName", "Role"]);
    FunctionWithCode = "lambda get-function", "a function, its role, image and the secrets in its environment" [Users Workload Credentials Nature Escalation], |head| all(head, &["Configuration", "Code"]);
    FunctionUrls = "lambda list-function-url-configs", "public addresses of functions" [Trigger Workload], |head| {
        element(head, "FunctionUrlConfigs", &["FunctionArn", "FunctionUrl"]) || nothing(head, "FunctionUrlConfigs")
    };
    TaskFamilies = "ecs list-task-definition-families", "which task definitions exist" [Users Workload Nature Escalation], |head| head.has("families") && only(head, &["families", "nextToken"]);
    TaskDefinition = "ecs describe-task-definition", "task roles, images and the secrets in their environment" [Users Workload Credentials Nature Escalation], |head| head.has("taskDefinition");
    PodAssociations = "eks list-pod-identity-associations", "which pods have a role" [Users Workload], |head| element(head, "associations", &["associationArn"]);
    PodAssociation = "eks describe-pod-identity-association", "the roles of pods" [Users Workload], |head| only(head, &["association"]);
    AccessEntries = "eks list-access-entries", "which principals clusters let in" [Trust Escalation HumanRoles], |head| head.has("accessEntries");
    AccessEntry = "eks describe-access-entry", "as whom principals enter clusters" [Trust Escalation HumanRoles], |head| only(head, &["accessEntry"]);
    AccessPolicies = "eks list-associated-access-policies", "which roles principals hold in clusters" [Trust Escalation HumanRoles], |head| head.has("associatedAccessPolicies");
    Notebooks = "sagemaker list-notebook-instances", "which notebooks exist" [Users Workload Escalation], |head| element(head, "NotebookInstances", &["NotebookInstanceArn"]) || nothing(head, "NotebookInstances");
    Notebook = "sagemaker describe-notebook-instance", "notebooks and their roles" [Users Workload Escalation], |head| all(head, &["NotebookInstanceArn", "RoleArn"]);
    Instances = "ec2 describe-instances", "instances and their instance profiles" [Users Workload Escalation], |head| element(head, "Reservations", &["Instances"]) || nothing(head, "Reservations");
    LaunchTemplates = "ec2 describe-launch-templates", "which launch templates exist" [Users Escalation], |head| {
        element(head, "LaunchTemplates", &["LaunchTemplateId"]) || nothing(head, "LaunchTemplates")
    };
    LaunchTemplateVersions = "ec2 describe-launch-template-versions", "launch templates and their instance profiles" [Users Escalation], |head| {
        element(head, "LaunchTemplateVersions", &["LaunchTemplateId"])
    };
    LaunchConfigurations = "autoscaling describe-launch-configurations", "launch configurations and their instance profiles" [Users Escalation], |head| {
        element(head, "LaunchConfigurations", &["LaunchConfigurationARN"]) || nothing(head, "LaunchConfigurations")
    };
    Services = "apprunner list-services", "which App Runner services exist" [Users Workload Escalation], |head| {
        element(head, "ServiceSummaryList", &["ServiceArn"]) || nothing(head, "ServiceSummaryList")
    };
    Service = "apprunner describe-service", "App Runner services and their roles" [Users Workload Escalation], |head| only(head, &["Service"]);
    JobDefinitions = "batch describe-job-definitions", "batch jobs and their roles" [Users Workload Escalation], |head| {
        element(head, "jobDefinitions", &["jobDefinitionArn"]) || nothing(head, "jobDefinitions")
    };
    Stacks = "cloudformation describe-stacks", "stacks and the roles that change them" [Users Escalation], |head| {
        element(head, "Stacks", &["StackId"]) || nothing(head, "Stacks")
    };
    ProjectDescriptions = "codebuild batch-get-projects", "build projects and their roles" [Users Workload Escalation], |head| {
        element(head, "projects", &["arn", "serviceRole"])
    };
    DevEndpoints = "glue get-dev-endpoints", "development endpoints and their roles" [Users Escalation], |head| {
        element(head, "DevEndpoints", &["EndpointName"]) || nothing(head, "DevEndpoints")
    };
    StateMachines = "stepfunctions list-state-machines", "which state machines exist" [Users Workload Escalation], |head| {
        element(head, "stateMachines", &["stateMachineArn"]) || nothing(head, "stateMachines")
    };
    StateMachine = "stepfunctions describe-state-machine", "state machines and their roles" [Users Workload Escalation], |head| all(head, &["stateMachineArn", "roleArn"]);

    Trails = "cloudtrail describe-trails", "audit logs" [Logs], |head| head.has("trailList");
    TrailStatus = "cloudtrail get-trail-status", "whether an audit log is written" [Logs], |head| head.has("IsLogging");
    TrailSelectors = "cloudtrail get-event-selectors", "whether an audit log records agents" [Logs], |head| {
        head.has("TrailARN") && (head.has("EventSelectors") || head.has("AdvancedEventSelectors"))
    };
    InvocationLogging = "bedrock get-model-invocation-logging-configuration", "whether what agents ask of models is logged" [Logs], |head| only(head, &["loggingConfig"]);

    BucketPolicy = "s3api get-bucket-policy", "access that a bucket grants" [Access], NEVER;
    KeyPolicy = "kms get-key-policy", "access that an encryption key grants" [Access], NEVER;
    SecretPolicy = "secretsmanager get-resource-policy", "access that a stored secret grants" [Access], |head| all(head, &["ARN", "ResourcePolicy"]);
    FunctionPolicy = "lambda get-policy", "who may invoke a function" [Access Trigger], NEVER;
    Repositories = "ecr describe-repositories", "which repositories of images exist" [Access], |head| element(head, "repositories", &["repositoryArn"]);
    RepositoryPolicy = "ecr get-repository-policy", "access that a repository of images grants" [Access], |head| all(head, &["repositoryName", "policyText"]);
    QueueAttributes = "sqs get-queue-attributes", "access that a queue grants" [Access], NEVER;
    TopicAttributes = "sns get-topic-attributes", "access that a topic grants" [Access], NEVER;
    /// `{"Policy": …}` without a word on what it is the policy of. What an object there holds tells: [`Form::of_answer`].
    SomePolicy = "get-policy", "access that a resource grants" [Access], |head| {
        head.has("Policy") && only(head, &["Policy", "PolicyName", "RevisionId"])
    };
}

/// The name under which a document in the wrapper form is listed.
pub(crate) const WRAPPED: &str = "answer of a call";

impl Form {
    /// The form of an answer by its keys.
    pub(crate) fn of_head(head: &Head) -> Option<Self> {
        Self::ALL.iter().find(|(_, told)| told(head)).map(|(form, _)| *form)
    }

    /// The form of an answer by its keys, and by the text where they do not tell.
    pub(crate) fn of_answer(head: &Head, text: &str) -> Option<Self> {
        let form = Self::of_head(head).or_else(|| {
            // What stands first in a list may be damaged: the first object in it tells.
            let is_list = |key: &String| {
                let of = |form: Self| matches!(form.main(), Some(Main::List(list)) if list == key.as_str());
                head.element(key).is_none() && !head.is_empty_list(key) && Self::ALL.iter().any(|(form, _)| of(*form))
            };
            head.keys.iter().any(is_list).then(|| Self::of_head(&head_of(text))).flatten()
        })?;
        // Several services call an answer's one member so: what that holds tells whose it is. One that is cut or is no
        // object may be any's.
        let holds = |member: &str, keys: &[&str]| {
            let held = head_of_member(text, member);
            held.map(|held| keys.iter().any(|key| held.has(key)))
        };
        match form {
            Self::SomePolicy => match holds("Policy", &["PolicySummary", "Content"]) {
                Some(true) => Some(Self::OrgPolicy),
                Some(false) => None,
                None => Some(form),
            },
            Self::Service => holds("Service", &["ServiceArn", "ServiceId", "ServiceName", "InstanceConfiguration"])
                .unwrap_or(true)
                .then_some(form),
            // Clients of agents keep their own settings under this word: one that is cut has to have a key of ours.
            Self::BedrockAgent => holds("agent", &["agentArn", "agentId"])
                .unwrap_or_else(|| ["\"agentArn\"", "\"agentId\""].iter().any(|key| text.contains(key)))
                .then_some(form),
            // A task or a link of any other program may be called so.
            Self::TaskDefinition => {
                holds("taskDefinition", &["taskDefinitionArn", "containerDefinitions", "family", "taskRoleArn"])
                    .unwrap_or(true)
                    .then_some(form)
            }
            Self::PodAssociation => {
                holds("association", &["associationArn", "associationId", "clusterName", "roleArn"])
                    .unwrap_or(true)
                    .then_some(form)
            }
            _ => Some(form),
        }
    }

    /// The form of an answer by the call's name: `iam list-access-keys`, with or without `aws` before it.
    pub(crate) fn of_call(call: &str) -> Option<Self> {
        let words: Vec<String> = call.split_whitespace().map(str::to_ascii_lowercase).collect();
        let words = words.strip_prefix(&["aws".to_owned()]).unwrap_or(&words).join(" ");
        match words.as_str() {
            "sso-admin list-permission-sets-provisioned-to-account" => return Some(Self::PermissionSets),
            "cloudtrail list-trails" | "cloudtrail get-trail" => return None,
            _ => {}
        }
        Self::ALL.iter().map(|(form, _)| *form).find(|form| form.call() == words && *form != Self::SomePolicy)
    }
}

/// The member that an answer consists of: without it, all of the answer is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Main {
    /// A list, which may be empty. Where there is nothing, the vendor's command line prints it so, and the collector puts in
    /// what a service leaves out.
    List(&'static str),
    /// Something else.
    Part(&'static str),
}

impl Form {
    /// The member that its answer consists of; `None` for answers of several members, and where there may be none.
    pub(crate) fn main(self) -> Option<Main> {
        use Main::{List, Part};
        Some(match self {
            Self::Regions => List("Regions"),
            Self::CenterAccounts => List("AccountIds"),
            Self::GatewayTargets | Self::Gateways => List("items"),
            Self::Clusters => List("clusters"),
            Self::Projects | Self::ProjectDescriptions => List("projects"),
            Self::DeployApplications | Self::QApplications => List("applications"),
            Self::AccessKeys => List("AccessKeyMetadata"),
            Self::ServiceCredentials => List("ServiceSpecificCredentials"),
            Self::MfaDevices => List("MFADevices"),
            Self::OidcProviders => List("OpenIDConnectProviderList"),
            Self::SamlProviders => List("SAMLProviderList"),
            Self::OrgAccounts | Self::OrgAccountsOfParent => List("Accounts"),
            Self::OrgPolicies | Self::OrgPoliciesOfTarget => List("Policies"),
            Self::OrgTargets => List("Targets"),
            Self::OrgRoots => List("Roots"),
            Self::OrgUnits => List("OrganizationalUnits"),
            Self::OrgChildren => List("Children"),
            Self::OrgParents => List("Parents"),
            Self::CenterInstances => List("Instances"),
            Self::PermissionSets => List("PermissionSets"),
            Self::PermissionSetManaged => List("AttachedManagedPolicies"),
            Self::PermissionSetCustomer => List("CustomerManagedPolicyReferences"),
            Self::Assignments => List("AccountAssignments"),
            Self::StoreUsers => List("Users"),
            Self::StoreGroups => List("Groups"),
            Self::BedrockAgents => List("agentSummaries"),
            Self::BedrockActionGroups => List("actionGroupSummaries"),
            Self::AgentRuntimes => List("agentRuntimes"),
            Self::WorkloadIdentities => List("workloadIdentities"),
            Self::ApiKeyProviders | Self::OauthProviders => List("credentialProviders"),
            Self::CodeInterpreters => List("codeInterpreterSummaries"),
            Self::Browsers => List("browserSummaries"),
            Self::Functions => List("Functions"),
            Self::FunctionUrls => List("FunctionUrlConfigs"),
            Self::TaskFamilies => List("families"),
            Self::PodAssociations => List("associations"),
            Self::AccessEntries => List("accessEntries"),
            Self::AccessPolicies => List("associatedAccessPolicies"),
            Self::Notebooks => List("NotebookInstances"),
            Self::Instances => List("Reservations"),
            Self::LaunchTemplates => List("LaunchTemplates"),
            Self::LaunchTemplateVersions => List("LaunchTemplateVersions"),
            Self::LaunchConfigurations => List("LaunchConfigurations"),
            Self::Services => List("ServiceSummaryList"),
            Self::JobDefinitions => List("jobDefinitions"),
            Self::Stacks => List("Stacks"),
            Self::DevEndpoints => List("DevEndpoints"),
            Self::StateMachines => List("stateMachines"),
            Self::Trails => List("trailList"),
            Self::Repositories => List("repositories"),
            Self::CredentialReport => Part("Content"),
            Self::AccessKeyUse => Part("AccessKeyLastUsed"),
            Self::LoginProfile => Part("LoginProfile"),
            Self::AccountSummary => Part("SummaryMap"),
            Self::Organization => Part("Organization"),
            Self::PermissionSet => Part("PermissionSet"),
            Self::BedrockAgent => Part("agent"),
            Self::BedrockActionGroup => Part("agentActionGroup"),
            Self::FunctionWithCode => Part("Configuration"),
            Self::TaskDefinition => Part("taskDefinition"),
            Self::PodAssociation => Part("association"),
            Self::AccessEntry => Part("accessEntry"),
            Self::Service => Part("Service"),
            Self::OrgPolicy | Self::BucketPolicy | Self::KeyPolicy | Self::FunctionPolicy => Part("Policy"),
            Self::RepositoryPolicy => Part("policyText"),
            Self::TopicAttributes => Part("Attributes"),
            _ => return None,
        })
    }
}

/// The keys of the wrapper form.
const WRAPPER: [&str; 6] = ["call", "parameters", "account", "region", "response", "error"];

/// Whether the keys are those of the wrapper form.
pub(crate) fn is_wrapper(head: &Head) -> bool {
    head.has("call") && (head.has("response") || head.has("error"))
}

/// What a document that is none of this provider's looks like: a policy as it is written and attached, without the account
/// around it.
pub(crate) fn likeness(document: &Document) -> Option<String> {
    let head = &document.head;
    let is_policy =
        document.format == Format::Json && head.has("Statement") && only(head, &["Version", "Id", "Statement"]);
    is_policy.then(|| {
        "an IAM policy by itself, which says neither who holds it nor what it is attached to; scan the answers that hold \
         it, such as `aws iam get-account-authorization-details`"
            .to_owned()
    })
}

/// What kind of document it is, if it is one of this provider.
pub(crate) fn recognise(document: &Document) -> Option<&'static str> {
    match document.format {
        Format::Json | Format::Ndjson => {}
        Format::Csv => return Form::of_head(&document.head).map(Form::call),
        Format::Yaml | Format::Toml | Format::Text => return None,
    }
    let head = &document.head;
    // Of several answers each has a call of its own.
    let is_list = element(head, "", &["call"]) && (element(head, "", &["response"]) || element(head, "", &["error"]));
    if is_list || (is_wrapper(head) && document.format == Format::Ndjson) {
        return calls(&document.text).any(is_known).then_some(WRAPPED);
    }
    if is_wrapper(head) {
        // A call that is not read still belongs to this provider only if the command line has its service.
        return head.value("call").filter(|call| is_known(call)).map(|_| WRAPPED);
    }
    Form::of_answer(head, &document.text).map(Form::call)
}

/// Names of keys that stand in no document but this provider's: lists of its answers, and what their elements are called by.
const MARKS: [&str; 20] = [
    "UserDetailList",
    "GroupDetailList",
    "RoleDetailList",
    "PolicyVersionList",
    "AccessKeyMetadata",
    "AccessKeyLastUsed",
    "ServiceSpecificCredentials",
    "MFADevices",
    "OpenIDConnectProviderList",
    "SAMLProviderList",
    "CustomerManagedPolicyReferences",
    "AccountAssignments",
    "IdentityStoreId",
    "agentSummaries",
    "agentRuntimeArn",
    "gatewayArn",
    "trailList",
    "associatedAccessPolicies",
    "associationArn",
    "taskDefinitionArn",
];

/// Whether a text that breaks the rules of JSON, or of which nothing else tells whose it is, is one of this provider's
/// answers by the names of its keys.
pub(crate) fn is_damaged(document: &Document) -> bool {
    matches!(document.format, Format::Json | Format::Ndjson)
        && (MARKS.iter().any(|mark| document.holds_word(mark))
            || calls(&document.text).any(is_known)
            || (is_wrapper(&document.head) && only(&document.head, &WRAPPER)))
}

fn is_known(call: &str) -> bool {
    Form::of_call(call).is_some()
}

/// The values of the `"call"` members in a text, wherever they stand.
fn calls(text: &str) -> impl Iterator<Item = &str> {
    text.split("\"call\"").skip(1).filter_map(|after| {
        let (_, value) = after.split_once('"')?;
        value.split_once('"').map(|(call, _)| call)
    })
}

#[cfg(test)]
mod tests {
    use evenhand_model::document::FileFacts;

    use super::*;

    fn head(json: &str) -> Head {
        super::super::shape::head_of(json)
    }

    #[test]
    fn answers_are_told_by_their_keys() {
        for (json, call) in [
            (r#"{"UserDetailList": []}"#, "iam get-account-authorization-details"),
            (
                r#"{"Policies": [{"PolicyName": "p", "Arn": "a", "PolicyVersionList": []}]}"#,
                "iam get-account-authorization-details",
            ),
            (r#"{"Policies": [{"Id": "p-1", "Type": "SERVICE_CONTROL_POLICY"}]}"#, "organizations list-policies"),
            (r#"{"Policy": "{}"}"#, "get-policy"),
            (r#"{"AccessKeyMetadata": []}"#, "iam list-access-keys"),
            (r#"{"Users": [{"IdentityStoreId": "d", "UserId": "u"}]}"#, "identitystore list-users"),
            (
                r#"{"credentialProviders": [{"credentialProviderArn": "a", "credentialProviderVendor": "v"}]}"#,
                "bedrock-agentcore-control list-oauth2-credential-providers",
            ),
            (r#"{"repositories": [{"repositoryArn": "a"}]}"#, "ecr describe-repositories"),
            (r#"{"registryId": "1", "repositoryName": "r", "policyText": "{}"}"#, "ecr get-repository-policy"),
            (r#"{"applications": [{"applicationId": "i", "displayName": "n"}]}"#, "qbusiness list-applications"),
            (r#"{"applicationArn": "a", "applicationId": "i", "displayName": "n"}"#, "qbusiness get-application"),
            (r#"{"Functions": []}"#, "lambda list-functions"),
            (r#"{"Reservations": [], "NextToken": null}"#, "ec2 describe-instances"),
            (r#"{"families": ["web"]}"#, "ecs list-task-definition-families"),
            (r#"{"accessEntries": ["a"]}"#, "eks list-access-entries"),
            (r#"{"accessEntry": {"clusterName": "c"}}"#, "eks describe-access-entry"),
            (r#"{"associatedAccessPolicies": [], "clusterName": "c"}"#, "eks list-associated-access-policies"),
            (r#"{"NotebookInstances": []}"#, "sagemaker list-notebook-instances"),
            (r#"{"Stacks": []}"#, "cloudformation describe-stacks"),
            (r#"{"projects": [{"arn": "a", "serviceRole": "r"}]}"#, "codebuild batch-get-projects"),
            (r#"{"stateMachineArn": "a", "roleArn": "r", "definition": "{}"}"#, "stepfunctions describe-state-machine"),
            (r#"{"AccountAssignments": []}"#, "sso-admin list-account-assignments"),
            (r#"{"loggingConfig": {}}"#, "bedrock get-model-invocation-logging-configuration"),
        ] {
            assert_eq!(Form::of_head(&head(json)).map(Form::call), Some(call), "{json}");
        }
    }

    #[test]
    fn what_is_another_vendors_is_left_alone() {
        for json in [
            r#"{"apiVersion": "v1", "kind": "List", "items": [{"kind": "Pod"}]}"#,
            r#"{"mcpServers": {}}"#,
            r#"{"value": [{"id": "x"}]}"#,
            r#"{"Users": [{"name": "x"}]}"#,
            r#"{"items": []}"#,
            r#"{"total_count": 0, "repositories": []}"#,
            r#"{"applications": [{"metadata": {}}]}"#,
            r#"{"Functions": [], "runtime": "x"}"#,
            r#"{"Functions": ["f"]}"#,
            r#"{"projects": ["p"]}"#,
            r#"{"projects": [{"name": "p"}]}"#,
            r#"{"applications": []}"#,
            r#"{"Accounts": []}"#,
            r#"{"Policies": []}"#,
            "[]",
            "{}",
        ] {
            assert_eq!(Form::of_head(&head(json)), None, "{json}");
        }
    }

    #[test]
    fn of_several_answers_one_whose_call_is_known_tells_whose_they_are() {
        let keys = || vec!["call".to_owned(), "response".to_owned()];
        let wrapped = Head { keys: keys(), values: vec![("call".to_owned(), "x y".to_owned())], ..Head::default() };
        let list = Head { elements: vec![(String::new(), keys())], ..Head::default() };
        let kind = |format, head: &Head, text: &str| {
            recognise(&Document {
                path: "a.json".into(),
                relative: "a.json".into(),
                source_name: "a.json".into(),
                format,
                text: text.to_owned(),
                head: head.clone(),
                file: FileFacts::default(),
            })
        };
        let (unknown, known) = (r#"{"call":"x y","response":{}}"#, r#"{"call":"iam list-mfa-devices","response":{}}"#);
        assert_eq!(kind(Format::Ndjson, &wrapped, &format!("{unknown}\n{known}")), Some(WRAPPED));
        assert_eq!(kind(Format::Json, &list, &format!("[{unknown},{known}]")), Some(WRAPPED));
        assert_eq!(kind(Format::Ndjson, &wrapped, unknown), None);
        assert_eq!(kind(Format::Json, &wrapped, unknown), None);
    }

    #[test]
    fn a_report_whose_header_is_cut_is_a_report() {
        let of = |columns: &[&str]| {
            let columns = columns.iter().map(|name| (*name).to_owned()).collect();
            Form::of_head(&Head { columns, ..Head::default() })
        };
        assert_eq!(of(&["user", "arn", "user_creation_time"]), Some(Form::CredentialReport));
        assert_eq!(of(&["user", "arn"]), None);
    }

    fn of_answer(keys: &[&str], json: &str) -> Option<&'static str> {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Form::of_answer(&Head { keys, ..Head::default() }, json).map(Form::call)
    }

    #[test]
    fn an_answer_whose_one_member_several_services_have_is_told_by_what_that_holds() {
        let policy = |json: &str| of_answer(&["Policy"], json);
        assert_eq!(policy(r#"{"Policy": {"PolicyName": "p", "Arn": "a", "DefaultVersionId": "v1"}}"#), None);
        for json in [r#"{"Policy": {"PolicySummary": {}}}"#, r#"{"Policy": {"Content": "{}"}}"#] {
            assert_eq!(policy(json), Some("organizations describe-policy"), "{json}");
        }
        for json in [r#"{"Policy": "{}"}"#, r#"{"Policy": {"PolicySummary": {"Id"#] {
            assert_eq!(policy(json), Some("get-policy"), "{json}");
        }
        let service = |json: &str| of_answer(&["Service"], json);
        assert_eq!(service(r#"{"Service": {"Id": "srv-1", "Name": "n"}}"#), None);
        for json in [r#"{"Service": {"ServiceArn": "a"}}"#, r#"{"Service": {"ServiceName": "n"}}"#, r#"{"Service": {"#]
        {
            assert_eq!(service(json), Some("apprunner describe-service"), "{json}");
        }
        let agent = |json: &str| of_answer(&["agent"], json);
        for json in [
            r#"{"agent": {"build": {"permission": "allow"}}}"#,
            r#"{"agent": {"tool_permissions": {"default": "allow"}}}"#,
            r#"{"agent": {"build": {"#,
            r#"{"agent": "x"}"#,
        ] {
            assert_eq!(agent(json), None, "{json}");
        }
        for json in [r#"{"agent": {"agentArn": "a"}}"#, r#"{"agent": {"agentId": "i", "agentName": "#] {
            assert_eq!(agent(json), Some("bedrock-agent get-agent"), "{json}");
        }
        assert_eq!(of_answer(&["taskDefinition"], r#"{"taskDefinition": {"tasks": []}}"#), None);
        assert_eq!(of_answer(&["association"], r#"{"association": {"from": "a", "to": "b"}}"#), None);
    }

    #[test]
    fn a_damaged_first_element_does_not_hide_whose_list_it_is() {
        for (key, json, call) in [
            ("Functions", r#"{"Functions": [7, {"FunctionArn": "a"}]}"#, Some("lambda list-functions")),
            (
                "Users",
                r#"{"Users": [null, [], {"IdentityStoreId": "d", "UserId": "u"}]}"#,
                Some("identitystore list-users"),
            ),
            ("Accounts", r#"{"Accounts": ["x", {"Id": "1", "Arn": "a"}]}"#, Some("organizations list-accounts")),
            ("items", r#"{"items": [7, {"kind": "Pod"}]}"#, None),
            ("Functions", r#"{"Functions": ["f"]}"#, None),
        ] {
            assert_eq!(of_answer(&[key], json), call, "{json}");
        }
    }

    #[test]
    fn a_damaged_answer_is_known_by_the_names_of_its_keys_and_a_project_s_own_file_is_not() {
        let damaged = |text: &str, format| {
            is_damaged(&Document {
                path: "a.json".into(),
                relative: "a.json".into(),
                source_name: "a.json".into(),
                format,
                text: text.to_owned(),
                head: Head::default(),
                file: FileFacts::default(),
            })
        };
        for text in [
            "{\n    UserDetailList\": [",
            "{,\"RoleDetailList\": []}",
            "\"AccessKeyMetadata\": [1,,]}",
            "{\"agentRuntimeArn: 1}",
            "{\"call\": \"organizations list-policies-for-target\", \"parameters\": {TargetId\": \"r-1\"}, \"response\": {}}",
        ] {
            assert!(damaged(text, Format::Json), "{text}");
        }
        for text in ["// of the compiler\n{\"compilerOptions\": {},}", "{a: 1,, UserDetailLists: []}", "{\"foo\":1,,}"]
        {
            assert!(!damaged(text, Format::Json), "{text}");
        }
        assert!(!damaged("see UserDetailList", Format::Text));
    }

    #[test]
    fn a_call_is_known_by_its_command_line_name() {
        assert_eq!(Form::of_call("aws iam list-access-keys"), Some(Form::AccessKeys));
        assert_eq!(Form::of_call("organizations list-policies-for-target"), Some(Form::OrgPoliciesOfTarget));
        assert_eq!(Form::of_call("get-policy"), None);
        assert_eq!(Form::of_call("ec2 describe-vpcs"), None);
    }
}
