//! Calls about one account: who it is, and everything of IAM.

use super::{Call, Each, Only, Pages, Protocol, Reach, Service, Wait, each, row};
use crate::documents::form::Form;

const IAM: Service = Service {
    id: "IAM",
    host: "iam",
    signing: "iam",
    prefix: "iam",
    protocol: Protocol::Query { version: "2010-05-08" },
    global: true,
};
const STS: Service = Service {
    id: "STS",
    host: "sts",
    signing: "sts",
    prefix: "sts",
    protocol: Protocol::Query { version: "2011-06-15" },
    global: false,
};
pub(super) const EC2: Service = Service {
    id: "EC2",
    host: "ec2",
    signing: "ec2",
    prefix: "ec2",
    protocol: Protocol::Ec2 { version: "2016-11-15" },
    global: false,
};

pub(super) static CALLER: Call =
    row(&STS, "GetCallerIdentity", Form::CallerIdentity, "caller-identity", Reach::Account);
pub(super) static ASSUME: Call = row(&STS, "AssumeRole", Form::AssumedRole, "assume-role", Reach::Account);
pub(super) static REGIONS: Call =
    Call { holds: Some("Regions"), ..row(&EC2, "DescribeRegions", Form::Regions, "regions", Reach::Account) };

const fn marker(lists: &'static [&'static str]) -> Option<Pages> {
    Some(Pages { ask: "Marker", next: "Marker", lists })
}

const fn iam(operation: &'static str, form: Form, file: &'static str) -> Call {
    row(&IAM, operation, form, file, Reach::Account)
}

pub(super) static CALLS: &[Call] = &[
    Call {
        pages: marker(&["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"]),
        bare: true,
        ..iam("GetAccountAuthorizationDetails", Form::Authorization, "account-authorization-details")
    },
    Call {
        wait: Some(Wait { state: "/State", unfinished: &["STARTED", "INPROGRESS"], finished: "COMPLETE" }),
        order: true,
        ..iam("GenerateCredentialReport", Form::ReportRequest, "credential-report-request")
    },
    Call {
        each: &[each(Form::ReportRequest, "", &[])],
        holds: Some("Content"),
        ..iam("GetCredentialReport", Form::CredentialReport, "credential-report")
    },
    Call {
        pages: marker(&["AccessKeyMetadata"]),
        each: &[each(Form::Authorization, "UserDetailList", &[("UserName", "/UserName")])],
        ..iam("ListAccessKeys", Form::AccessKeys, "access-keys")
    },
    Call {
        each: &[each(Form::AccessKeys, "AccessKeyMetadata", &[("AccessKeyId", "/AccessKeyId")])],
        holds: Some("AccessKeyLastUsed"),
        ..iam("GetAccessKeyLastUsed", Form::AccessKeyUse, "access-keys-last-used")
    },
    Call {
        pages: marker(&["ServiceSpecificCredentials"]),
        fixed: &[("AllUsers", "true")],
        omits_empty: true,
        ..iam("ListServiceSpecificCredentials", Form::ServiceCredentials, "service-specific-credentials")
    },
    Call {
        holds: Some("OpenIDConnectProviderList"),
        omits_empty: true,
        ..iam("ListOpenIDConnectProviders", Form::OidcProviders, "open-id-connect-providers")
    },
    Call {
        holds: Some("SAMLProviderList"),
        omits_empty: true,
        ..iam("ListSAMLProviders", Form::SamlProviders, "saml-providers")
    },
    Call { holds: Some("SummaryMap"), ..iam("GetAccountSummary", Form::AccountSummary, "account-summary") },
    Call {
        fixed: &[("Granularity", "ACTION_LEVEL")],
        order: true,
        holds: Some("JobId"),
        each: &[Each { only: Only::AgentRoles, ..each(Form::Authorization, "RoleDetailList", &[("Arn", "/Arn")]) }],
        ..iam("GenerateServiceLastAccessedDetails", Form::UsageRequest, "last-accessed-requests")
    },
    Call {
        pages: marker(&["ServicesLastAccessed"]),
        each: &[Each { keep: &["Arn"], ..each(Form::UsageRequest, "", &[("JobId", "/JobId")]) }],
        unsent: &["Arn"],
        wait: Some(Wait { state: "/JobStatus", unfinished: &["IN_PROGRESS"], finished: "COMPLETED" }),
        ..iam("GetServiceLastAccessedDetails", Form::Usage, "last-accessed")
    },
];
