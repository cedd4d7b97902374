//! Groups of actions that rules ask about, and the controls that condition keys stand for.

use evenhand_model::control::ControlKind;
use evenhand_model::opset::OpSet;

use super::Catalogue;
use crate::escalation::techniques;

/// Actions that stop, redirect, thin out or delete audit logs and the detectors that read them. Deleting the objects of
/// a log bucket depends on the bucket and is not here.
const LOG_TAMPER: &[&str] = &[
    "bedrock:DeleteModelInvocationLoggingConfiguration",
    "bedrock:PutModelInvocationLoggingConfiguration",
    "cloudtrail:DeleteEventDataStore",
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:PutInsightSelectors",
    "cloudtrail:StopEventDataStoreIngestion",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateEventDataStore",
    "cloudtrail:UpdateTrail",
    "config:DeleteConfigurationRecorder",
    "config:DeleteDeliveryChannel",
    "config:DeleteRetentionConfiguration",
    "config:PutConfigurationRecorder",
    "config:PutDeliveryChannel",
    "config:StopConfigurationRecorder",
    "ec2:DeleteFlowLogs",
    "guardduty:ArchiveFindings",
    "guardduty:CreateFilter",
    "guardduty:DeleteDetector",
    "guardduty:DeleteMembers",
    "guardduty:DeletePublishingDestination",
    "guardduty:DisableOrganizationAdminAccount",
    "guardduty:DisassociateFromAdministratorAccount",
    "guardduty:DisassociateFromMasterAccount",
    "guardduty:DisassociateMembers",
    "guardduty:StopMonitoringMembers",
    "guardduty:UpdateDetector",
    "logs:DeleteLogDelivery",
    "logs:DeleteLogGroup",
    "logs:DeleteLogStream",
    "logs:DeleteRetentionPolicy",
    "logs:DeleteSubscriptionFilter",
    "logs:PutLogGroupDeletionProtection",
    "logs:PutRetentionPolicy",
    "route53resolver:DeleteResolverQueryLogConfig",
    "s3:PutBucketLogging",
    "securityhub:DisableSecurityHub",
    "securityhub:DisableSecurityHubV2",
    "securityhub:DisassociateFromAdministratorAccount",
    "wafv2:DeleteLoggingConfiguration",
];

/// Actions that change the rules by which identities are gated: organisation policies, boundaries, permission sets,
/// findings that are silenced, guardrails, policy engines.
const GATE_TAMPER: &[&str] = &[
    "access-analyzer:ApplyArchiveRule",
    "access-analyzer:CreateArchiveRule",
    "access-analyzer:DeleteAnalyzer",
    "access-analyzer:UpdateArchiveRule",
    "access-analyzer:UpdateFindings",
    "agent-registry:UpdateRegistryRecordStatus",
    "bedrock-agentcore:CreatePolicy",
    "bedrock-agentcore:DeletePolicy",
    "bedrock-agentcore:DeletePolicyEngine",
    "bedrock-agentcore:DeleteResourcePolicy",
    "bedrock-agentcore:ManageAdminPolicy",
    "bedrock-agentcore:ManageResourceScopedPolicy",
    "bedrock-agentcore:PutResourcePolicy",
    "bedrock-agentcore:UpdateGateway",
    "bedrock-agentcore:UpdatePolicy",
    "bedrock-agentcore:UpdatePolicyEngine",
    "bedrock:DeleteEnforcedGuardrailConfiguration",
    "bedrock:DeleteGuardrail",
    "bedrock:PutEnforcedGuardrailConfiguration",
    "bedrock:UpdateGuardrail",
    "codepipeline:PutApprovalResult",
    "iam:DeactivateMFADevice",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
    "iam:UpdateAccountPasswordPolicy",
    "organizations:AttachPolicy",
    "organizations:CreatePolicy",
    "organizations:DeletePolicy",
    "organizations:DetachPolicy",
    "organizations:DisablePolicyType",
    "organizations:LeaveOrganization",
    "organizations:UpdatePolicy",
    "s3:PutAccountPublicAccessBlock",
    "ssm:SendAutomationSignal",
    "sso:AttachCustomerManagedPolicyReferenceToPermissionSet",
    "sso:AttachManagedPolicyToPermissionSet",
    "sso:CreateAccountAssignment",
    "sso:CreatePermissionSet",
    "sso:DeletePermissionsBoundaryFromPermissionSet",
    "sso:PutInlinePolicyToPermissionSet",
    "sso:PutPermissionsBoundaryToPermissionSet",
    "sso:UpdatePermissionSet",
    "verifiedpermissions:CreatePolicy",
    "verifiedpermissions:DeletePolicy",
    "verifiedpermissions:UpdatePolicy",
];

/// Actions that hand out values of a secret store, or the token that opens one.
const SECRET_READ: &[&str] = &[
    "bedrock-agentcore:GetResourceApiKey",
    "bedrock-agentcore:GetResourceOauth2Token",
    "bedrock-agentcore:GetResourcePaymentToken",
    "bedrock-agentcore:GetWorkloadAccessToken",
    "bedrock-agentcore:GetWorkloadAccessTokenForJWT",
    "bedrock-agentcore:GetWorkloadAccessTokenForUserId",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
];

/// The classes in the order of [`evenhand_model::catalog::OperationClass`].
pub(super) fn all(catalogue: &Catalogue) -> [OpSet; 4] {
    let set = |names: &[&str]| catalogue.all_of(names.iter().copied());
    [catalogue.all_of(techniques::key_operations()), set(LOG_TAMPER), set(GATE_TAMPER), set(SECRET_READ)]
}

/// The control behind a condition key. Keys of tags and sessions are free text, so a change gate or an approval is known
/// by the word in the tag's name.
pub(super) fn control_of_key(key: &str) -> Option<ControlKind> {
    let key = key.to_ascii_lowercase();
    match &*key {
        "aws:multifactorauthpresent" | "aws:multifactorauthage" => return Some(ControlKind::Mfa),
        "aws:sourceip" | "aws:sourcevpc" | "aws:sourcevpce" | "aws:sourcevpcarn" | "aws:vpcsourceip"
        | "aws:vpceaccount" | "aws:vpceorgid" | "aws:vpceorgpaths" => return Some(ControlKind::NetworkOrDevice),
        "aws:tokenissuetime" | "aws:currenttime" | "aws:epochtime" => return Some(ControlKind::JustInTime),
        _ => {}
    }
    let tag = ["aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "sts:rolesessionname"]
        .iter()
        .find_map(|prefix| key.strip_prefix(prefix))?;
    let word: String = tag.chars().filter(char::is_ascii_alphanumeric).collect();
    if ["approval", "approvedby", "approver", "secondperson"].iter().any(|sign| word.contains(sign)) {
        Some(ControlKind::SecondPersonApproval)
    } else if ["changeticket", "changeid", "changerequest", "ticket"].iter().any(|sign| word.contains(sign)) {
        Some(ControlKind::ChangeGate)
    } else {
        None
    }
}

/// Whether a condition key is a tag of the resource. Services have prefixes of their own for the same tags.
///
/// Source: AWS global condition context keys, `aws:ResourceTag`; service authorization reference.
pub(super) fn chooses_resources(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["resourcetag/", "existingobjecttag/", "buckettag/"].iter().any(|kind| key.contains(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_named_here_exists() {
        let catalogue = Catalogue::global();
        for name in LOG_TAMPER.iter().chain(GATE_TAMPER).chain(SECRET_READ) {
            assert!(catalogue.operation(name).is_some(), "{name}");
        }
    }

    #[test]
    fn tags_of_the_resource_choose_resources() {
        for (key, expected) in [
            ("aws:ResourceTag/team", true),
            ("secretsmanager:resourcetag/team", true),
            ("s3:ExistingObjectTag/class", true),
            ("aws:RequestedRegion", false),
            ("aws:PrincipalTag/team", false),
        ] {
            assert_eq!(chooses_resources(key), expected, "{key}");
        }
    }

    #[test]
    fn condition_keys_stand_for_controls() {
        for (key, control) in [
            ("aws:MultiFactorAuthPresent", Some(ControlKind::Mfa)),
            ("aws:SourceVpce", Some(ControlKind::NetworkOrDevice)),
            ("aws:PrincipalTag/ChangeTicket", Some(ControlKind::ChangeGate)),
            ("aws:RequestTag/change-ticket", Some(ControlKind::ChangeGate)),
            ("aws:PrincipalTag/two_person_approval", Some(ControlKind::SecondPersonApproval)),
            ("aws:CurrentTime", Some(ControlKind::JustInTime)),
            ("aws:PrincipalTag/team", None),
            ("s3:prefix", None),
        ] {
            assert_eq!(control_of_key(key), control, "{key}");
        }
    }
}
