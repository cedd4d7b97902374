//! Which call a document is the answer of, told from its keys, or from the call's name where the document says it.

use evenhand_model::document::{Document, Format, Head};

macro_rules! forms {
    ($($(#[$doc:meta])* $form:ident = $call:literal, $told:expr;)*) => {
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
    Authorization = "iam get-account-authorization-details", |head| {
        ["UserDetailList", "GroupDetailList", "RoleDetailList"].iter().any(|key| head.has(key))
            || element(head, "Policies", &["PolicyVersionList"])
    };
    CredentialReport = "iam get-credential-report", |head| {
        all(head, &["Content", "ReportFormat"])
            || (head.columns.iter().any(|column| column == "user")
                && head.columns.iter().any(|column| column == "password_enabled"))
    };
    AccessKeys = "iam list-access-keys", |head| head.has("AccessKeyMetadata");
    AccessKeyUse = "iam get-access-key-last-used", |head| head.has("AccessKeyLastUsed");
    ServiceCredentials = "iam list-service-specific-credentials", |head| head.has("ServiceSpecificCredentials");
    LoginProfile = "iam get-login-profile", |head| head.has("LoginProfile");
    MfaDevices = "iam list-mfa-devices", |head| head.has("MFADevices");
    OidcProviders = "iam list-open-id-connect-providers", |head| head.has("OpenIDConnectProviderList");
    SamlProviders = "iam list-saml-providers", |head| head.has("SAMLProviderList");
    AccountSummary = "iam get-account-summary", |head| head.has("SummaryMap");

    OrgAccounts = "organizations list-accounts", |head| {
        element(head, "Accounts", &["Id", "Arn"]) || element(head, "Accounts", &["Id", "JoinedMethod"])
    };
    OrgAccountsOfParent = "organizations list-accounts-for-parent", NEVER;
    Organization = "organizations describe-organization", |head| only(head, &["Organization"]);
    OrgPolicies = "organizations list-policies", |head| element(head, "Policies", &["Id", "Type"]);
    OrgPoliciesOfTarget = "organizations list-policies-for-target", NEVER;
    OrgPolicy = "organizations describe-policy", NEVER;
    OrgTargets = "organizations list-targets-for-policy", |head| element(head, "Targets", &["TargetId", "Type"]);
    OrgRoots = "organizations list-roots", |head| element(head, "Roots", &["Id", "Arn"]);
    OrgUnits = "organizations list-organizational-units-for-parent", |head| {
        element(head, "OrganizationalUnits", &["Id", "Arn"]) || nothing(head, "OrganizationalUnits")
    };
    OrgChildren = "organizations list-children", |head| element(head, "Children", &["Id", "Type"]);
    OrgParents = "organizations list-parents", |head| element(head, "Parents", &["Id", "Type"]);

    CenterInstances = "sso-admin list-instances", |head| element(head, "Instances", &["InstanceArn"]);
    PermissionSets = "sso-admin list-permission-sets", |head| {
        head.has("PermissionSets") && only(head, &["PermissionSets", "NextToken"])
    };
    PermissionSet = "sso-admin describe-permission-set", |head| only(head, &["PermissionSet"]);
    PermissionSetManaged = "sso-admin list-managed-policies-in-permission-set", |head| {
        head.has("AttachedManagedPolicies") && only(head, &["AttachedManagedPolicies", "NextToken"])
    };
    PermissionSetCustomer = "sso-admin list-customer-managed-policy-references-in-permission-set", |head| {
        head.has("CustomerManagedPolicyReferences")
    };
    PermissionSetInline = "sso-admin get-inline-policy-for-permission-set", |head| only(head, &["InlinePolicy"]);
    PermissionSetBoundary = "sso-admin get-permissions-boundary-for-permission-set", |head| {
        only(head, &["PermissionsBoundary"])
    };
    Assignments = "sso-admin list-account-assignments", |head| {
        element(head, "AccountAssignments", &["PermissionSetArn", "PrincipalId"]) || nothing(head, "AccountAssignments")
    };
    StoreUsers = "identitystore list-users", |head| element(head, "Users", &["IdentityStoreId", "UserId"]);
    StoreGroups = "identitystore list-groups", |head| element(head, "Groups", &["IdentityStoreId", "GroupId"]);

    BedrockAgents = "bedrock-agent list-agents", |head| head.has("agentSummaries");
    BedrockAgent = "bedrock-agent get-agent", |head| only(head, &["agent"]);
    BedrockActionGroups = "bedrock-agent list-agent-action-groups", |head| head.has("actionGroupSummaries");
    BedrockActionGroup = "bedrock-agent get-agent-action-group", |head| head.has("agentActionGroup");
    AgentRuntimes = "bedrock-agentcore-control list-agent-runtimes", |head| head.has("agentRuntimes");
    AgentRuntime = "bedrock-agentcore-control get-agent-runtime", |head| {
        all(head, &["agentRuntimeArn", "agentRuntimeName"])
    };
    Gateways = "bedrock-agentcore-control list-gateways", |head| element(head, "items", &["gatewayId", "protocolType"]);
    Gateway = "bedrock-agentcore-control get-gateway", |head| all(head, &["gatewayArn", "gatewayId", "protocolType"]);
    GatewayTarget = "bedrock-agentcore-control get-gateway-target", |head| all(head, &["gatewayArn", "targetId"]);
    WorkloadIdentities = "bedrock-agentcore-control list-workload-identities", |head| {
        element(head, "workloadIdentities", &["workloadIdentityArn"]) || nothing(head, "workloadIdentities")
    };
    ApiKeyProviders = "bedrock-agentcore-control list-api-key-credential-providers", |head| {
        element(head, "credentialProviders", &["credentialProviderArn"])
            && !element(head, "credentialProviders", &["credentialProviderVendor"])
    };
    OauthProviders = "bedrock-agentcore-control list-oauth2-credential-providers", |head| {
        element(head, "credentialProviders", &["credentialProviderArn", "credentialProviderVendor"])
    };
    CodeInterpreter = "bedrock-agentcore-control get-code-interpreter", |head| head.has("codeInterpreterArn");
    Browser = "bedrock-agentcore-control get-browser", |head| head.has("browserArn");

    Functions = "lambda list-functions", |head| {
        element(head, "Functions", &["FunctionArn"]) || nothing(head, "Functions")
    };
    Function = "lambda get-function-configuration", |head| all(head, &["FunctionArn", "FunctionName", "Role"]);
    FunctionWithCode = "lambda get-function", |head| all(head, &["Configuration", "Code"]);
    FunctionUrls = "lambda list-function-url-configs", |head| {
        element(head, "FunctionUrlConfigs", &["FunctionArn", "FunctionUrl"]) || nothing(head, "FunctionUrlConfigs")
    };
    TaskDefinition = "ecs describe-task-definition", |head| head.has("taskDefinition");
    PodAssociations = "eks list-pod-identity-associations", |head| element(head, "associations", &["associationArn"]);
    PodAssociation = "eks describe-pod-identity-association", |head| only(head, &["association"]);
    Notebook = "sagemaker describe-notebook-instance", |head| all(head, &["NotebookInstanceArn", "RoleArn"]);
    Instances = "ec2 describe-instances", |head| {
        element(head, "Reservations", &["Instances"]) || nothing(head, "Reservations")
    };

    Trails = "cloudtrail describe-trails", |head| head.has("trailList");
    TrailStatus = "cloudtrail get-trail-status", |head| head.has("IsLogging");
    TrailSelectors = "cloudtrail get-event-selectors", |head| {
        head.has("TrailARN") && (head.has("EventSelectors") || head.has("AdvancedEventSelectors"))
    };
    InvocationLogging = "bedrock get-model-invocation-logging-configuration", |head| only(head, &["loggingConfig"]);

    BucketPolicy = "s3api get-bucket-policy", NEVER;
    KeyPolicy = "kms get-key-policy", NEVER;
    SecretPolicy = "secretsmanager get-resource-policy", |head| all(head, &["ARN", "ResourcePolicy"]);
    FunctionPolicy = "lambda get-policy", NEVER;
    QueueAttributes = "sqs get-queue-attributes", NEVER;
    TopicAttributes = "sns get-topic-attributes", NEVER;
    /// `{"Policy": …}` without a word on what it is the policy of: of an organisation if its member is an object.
    SomePolicy = "get-policy", |head| {
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

/// Whether the keys are those of the wrapper form.
pub(crate) fn is_wrapper(head: &Head) -> bool {
    head.has("call") && (head.has("response") || head.has("error"))
}

/// What kind of document it is, if it is one of this provider.
pub(crate) fn recognise(document: &Document) -> Option<&'static str> {
    match document.format {
        Format::Json | Format::Ndjson => {}
        Format::Csv => return Form::of_head(&document.head).map(Form::call),
        Format::Yaml | Format::Toml | Format::Text => return None,
    }
    let head = &document.head;
    if is_wrapper(head) {
        // A call that is not read still belongs to this provider only if the command line has its service.
        return head.value("call").and_then(Form::of_call).map(|_| WRAPPED);
    }
    if element(head, "", &["call"]) && (element(head, "", &["response"]) || element(head, "", &["error"])) {
        // The first element's keys do not say whose call it is: look for the first name in the text.
        return first_call(&document.text).and_then(Form::of_call).map(|_| WRAPPED);
    }
    Form::of_head(head).map(Form::call)
}

/// The value of the first `"call"` member in a text.
fn first_call(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("\"call\"")?;
    let (_, after) = after.split_once('"')?;
    after.split_once('"').map(|(call, _)| call)
}

#[cfg(test)]
mod tests {
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
            (r#"{"Functions": []}"#, "lambda list-functions"),
            (r#"{"Reservations": [], "NextToken": null}"#, "ec2 describe-instances"),
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
            r#"{"Functions": [], "runtime": "x"}"#,
            r#"{"Functions": ["f"]}"#,
            r#"{"Accounts": []}"#,
            r#"{"Policies": []}"#,
            "[]",
            "{}",
        ] {
            assert_eq!(Form::of_head(&head(json)), None, "{json}");
        }
    }

    #[test]
    fn a_call_is_known_by_its_command_line_name() {
        assert_eq!(Form::of_call("aws iam list-access-keys"), Some(Form::AccessKeys));
        assert_eq!(Form::of_call("organizations list-policies-for-target"), Some(Form::OrgPoliciesOfTarget));
        assert_eq!(Form::of_call("get-policy"), None);
        assert_eq!(Form::of_call("ec2 describe-vpcs"), None);
    }
}
