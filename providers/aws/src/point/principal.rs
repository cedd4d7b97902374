//! Who asks, from the name in a request.

use std::borrow::Cow;

use evenhand_model::decide::Refusal;

use super::input::Principal;
use crate::access::caller::{Caller, Session, Who};
use crate::policy::arn;

const AT: &str = "/request/principal";

/// Identity providers that go by a name of their own instead of an ARN.
const PROVIDERS: [&str; 4] =
    ["accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"];

/// How the names of services end.
const SERVICES: [&str; 4] = [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal"];

/// A principal, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asker<'a> {
    who: Who<'a>,
    name: &'a str,
    arn: Option<Cow<'a, str>>,
    pub(super) account: Option<&'a str>,
    service_linked: bool,
}

/// Whether a text is the number of an account.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'a> Asker<'a> {
    /// Reads a principal.
    pub(super) fn of(principal: &'a Principal<'_>) -> Result<Self, Refusal> {
        match principal {
            Principal::Anonymous => Ok(Self::outsider(Who::Anonymous, "")),
            Principal::Canonical(id) => Ok(Self::outsider(Who::Canonical, id)),
            Principal::Name(name) => Self::named(name),
        }
    }

    fn outsider(who: Who<'a>, name: &'a str) -> Self {
        Self { who, name, arn: None, account: None, service_linked: false }
    }

    fn named(text: &'a str) -> Result<Self, Refusal> {
        let refuse = |message: String, remedy: &str| Err(Refusal::new(AT, message, remedy));
        if !text.starts_with("arn:") {
            if PROVIDERS.contains(&text) {
                return Ok(Self::outsider(Who::Federated, text));
            }
            if SERVICES.iter().any(|end| text.len() > end.len() && text.ends_with(end))
                && !text.contains(['*', '?', ':'])
            {
                return Ok(Self::outsider(Who::Service, text));
            }
            return refuse(
                format!("`{text}` is no principal"),
                "write an ARN, a service principal such as `lambda.amazonaws.com`, or {\"type\":\"Anonymous\"}",
            );
        }
        if text.contains(['*', '?']) {
            return refuse(format!("`{text}` names more than one principal"), "name one");
        }
        let Some([_, partition, service, region, account, rest]) = arn::split(text) else {
            return refuse(
                format!("`{text}` is no ARN"),
                "write it as `arn:aws:iam::account:user/name`, `…:role/name`, or `arn:aws:sts::account:assumed-role/role/session`",
            );
        };
        if !partition.starts_with("aws") || !region.is_empty() || !is_account(account) {
            return refuse(
                format!("`{text}` is no ARN of a principal"),
                "principals have a partition such as `aws`, no region, and an account of twelve digits",
            );
        }
        let member = |who: Who<'a>, name: &'a str, arn: Cow<'a, str>, service_linked: bool| Self {
            who,
            name,
            arn: Some(arn),
            account: Some(account),
            service_linked,
        };
        let whole = Cow::Borrowed(text);
        let (kind, path) = rest.split_once('/').unwrap_or((rest, ""));
        let name = path.rsplit('/').next().unwrap_or(path);
        let asker = match (service, kind) {
            ("iam", "user") if !name.is_empty() => member(Who::User, name, whole, false),
            ("iam", "role") if !name.is_empty() => {
                member(Who::Role(Session::None), name, whole, path.starts_with("aws-service-role/"))
            }
            ("iam", "root") if rest == "root" => member(Who::Root, "root", whole, false),
            // Whom a provider vouches for stands in no account.
            ("iam", "oidc-provider" | "saml-provider") if !name.is_empty() => Self::outsider(Who::Federated, text),
            ("sts", "assumed-role") => match path.split_once('/') {
                Some((role, session)) if !role.is_empty() && !session.is_empty() => member(
                    Who::Role(Session::Named(session)),
                    role,
                    Cow::Owned(format!("arn:{partition}:iam::{account}:role/{role}")),
                    // The path, which says so for certain, is not in the name of a session; this beginning is reserved.
                    role.starts_with("AWSServiceRoleFor"),
                ),
                _ => {
                    return refuse(
                        format!("`{text}` names no session"),
                        "write it as `arn:aws:sts::account:assumed-role/role/session`",
                    );
                }
            },
            ("sts", "federated-user") if !name.is_empty() => member(Who::FederatedUser, name, whole, false),
            ("iam", "group") => {
                return refuse(
                    format!("`{text}` is a group, which signs no requests"),
                    "name the user, and give the group's policies among its own",
                );
            }
            _ => {
                return refuse(
                    format!("`{text}` names nobody who could ask"),
                    "name a user, role, session, federated user, root or identity provider",
                );
            }
        };
        Ok(asker)
    }

    /// The principal as the evaluation sees it; `bounded`: whether it has a permissions boundary.
    pub(super) fn caller(&self, bounded: bool) -> Caller<'_> {
        let mut caller = Caller::new(self.who, self.name, self.arn.as_deref(), self.account);
        caller.service_linked = self.service_linked;
        caller.bounded = bounded;
        caller
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_told_by_their_names() {
        for (name, who) in [
            ("arn:aws:iam::111122223333:user/team/ann", Who::User),
            ("arn:aws-cn:iam::111122223333:role/deploy", Who::Role(Session::None)),
            ("arn:aws:iam::111122223333:root", Who::Root),
            ("arn:aws:sts::111122223333:assumed-role/deploy/s@x", Who::Role(Session::Named("s@x"))),
            ("arn:aws:sts::111122223333:federated-user/ann", Who::FederatedUser),
            ("arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", Who::Federated),
            ("cognito-identity.amazonaws.com", Who::Federated),
            ("lambda.amazonaws.com", Who::Service),
            ("alexa-appkit.amazon.com", Who::Service),
        ] {
            let principal = Principal::Name(name.into());
            assert_eq!(Asker::of(&principal).unwrap().who, who, "{name}");
        }
    }

    #[test]
    fn what_can_sign_no_request_is_refused_with_a_remedy() {
        for name in [
            "",
            "ann",
            "*",
            "111122223333",
            "arn:aws:iam::111122223333",
            "arn:aws:iam::1111:user/ann",
            "arn:aws:iam:eu-west-1:111122223333:user/ann",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:user/*",
            "arn:aws:iam::111122223333:group/ops",
            "arn:aws:sts::111122223333:assumed-role/deploy",
            "arn:aws:s3:::bucket",
            ".amazonaws.com",
        ] {
            let principal = Principal::Name(name.into());
            let refusal = Asker::of(&principal).unwrap_err();
            assert_eq!(refusal.at, AT);
            assert!(!refusal.message.is_empty() && !refusal.remedy.is_empty(), "{name}");
        }
    }
}
