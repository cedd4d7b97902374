//! Kubeconfig: the principal behind each context, as far as the file tells.
//!
//! A token of a ServiceAccount names its subject in its claims, a client certificate its user and groups; a credential
//! plug-in of AWS names a profile or a role; and `as` names whom the requests impersonate. Whom another plug-in or a token
//! of another form proves, only the cluster tells; whom a certificate or token in another file proves, only that file. Of the
//! fields that hold secrets (`token`, `client-key-data`, `password`) nothing is kept but the claims of a token.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use evenhand_model::evidence::Fact;
use jiff::Timestamp;

use super::certificate;
use super::{Family, Means, Profile, Proof};
use crate::tree::{self, Node, Syntax, SyntaxError};

/// The contexts of a file.
pub(super) fn contexts(text: &str) -> Result<Vec<Profile>, SyntaxError> {
    let root = tree::parse(text, Syntax::Yaml)?;
    let list = |key: &str| root.get(key).map_or(&[][..], |entry| entry.node.elements());
    let named = |node: &Node| node.get("name").and_then(|entry| entry.node.scalar()).map(std::borrow::Cow::into_owned);
    let users: Vec<(String, &Node)> =
        list("users").iter().filter_map(|user| Some((named(user)?, &user.get("user")?.node))).collect();
    Ok(list("contexts")
        .iter()
        .filter_map(|context| {
            let name = named(context)?;
            let user =
                context.get("context").and_then(|entry| entry.node.get("user")).and_then(|entry| entry.node.scalar());
            let user = users.iter().find(|(held, _)| user.as_deref() == Some(held)).map(|(_, node)| *node);
            let (means, proofs) = user.map_or((Means::Unknown, Vec::new()), means);
            Some(Profile { family: Family::Kube, name, line: context.line, means, proofs })
        })
        .collect())
}

/// Whom a user of the file acts as, and with what it proves that. Impersonation comes after every proof; of the others
/// client-go sends a certificate and a token both (`clientcmd`, user identification), of which the API server tries the
/// certificate first ("Authenticating", X509 client certificates), and takes the plug-in last (`rest.Config`). Data in the
/// file outweighs a certificate's path, and a token's path the token (`clientcmd` API, `AuthInfo`). What lies elsewhere or
/// is none proves somebody all the same, who is not told here, and keeps what comes after it from telling.
fn means(user: &Node) -> (Means, Vec<Proof>) {
    let text = |key: &str| user.get(key).and_then(|entry| entry.node.text()).filter(|text| !text.trim().is_empty());
    let mut proofs = Vec::new();
    let certificate = match (text("client-certificate-data"), text("client-certificate")) {
        (Some(data), _) => Some(STANDARD.decode(data.trim()).ok().and_then(|pem| certificate::subject(&pem))),
        (None, Some(_)) => Some(None),
        (None, None) => None,
    };
    if let Some(subject) = &certificate {
        proofs.push(Proof {
            kind: super::CLIENT_CERTIFICATE,
            expires_at: subject.as_ref().map_or(Fact::Unknown, |subject| subject.expires_at),
            is_elsewhere: text("client-certificate-data").is_none(),
        });
    }
    let token = text("token").map(claims);
    if let Some(claims) = &token {
        let of_account = claims.as_ref().is_some_and(|claims| claims.subject.starts_with(ACCOUNT));
        proofs.push(Proof {
            kind: if of_account { "service_account_token" } else { "token" },
            expires_at: claims.as_ref().map_or(Fact::Unknown, |claims| claims.expires_at),
            is_elsewhere: false,
        });
    }
    let token = match text("tokenFile") {
        Some(_) => {
            proofs.push(Proof { kind: "token", expires_at: Fact::Unknown, is_elsewhere: true });
            Some(None)
        }
        None => token,
    };
    let means = match (text("as"), certificate, token) {
        (Some(name), ..) => {
            let groups = user.get("as-groups").map_or(&[][..], |entry| entry.node.elements());
            let groups = groups.iter().filter_map(|group| group.scalar().map(std::borrow::Cow::into_owned));
            Means::Principals(principals(name, groups))
        }
        (None, Some(Some(subject)), _) => Means::Principals(principals(&subject.user, subject.groups.into_iter())),
        (None, None, Some(Some(claims))) => Means::Principals(principals(&claims.subject, std::iter::empty())),
        (None, Some(None), _) | (None, None, Some(None)) => Means::Unknown,
        (None, None, None) => user.get("exec").map_or(Means::Unknown, |entry| plug_in(&entry.node)),
    };
    (means, proofs)
}

/// What the arguments and variables of a credential plug-in name.
fn plug_in(exec: &Node) -> Means {
    // Another program's flags mean what that program likes; a word after `-r` may be its refresh token.
    if !exec.get("command").and_then(|entry| entry.node.text()).is_some_and(is_of_aws) {
        return Means::Unknown;
    }
    let words: Vec<String> = exec
        .get("args")
        .map_or(&[][..], |entry| entry.node.elements())
        .iter()
        .filter_map(|word| word.scalar().map(std::borrow::Cow::into_owned))
        .collect();
    let after = |flags: &[&str]| {
        words.iter().enumerate().find_map(|(at, word)| match word.split_once('=') {
            Some((flag, value)) if flags.contains(&flag) => Some(value.to_owned()),
            _ if flags.contains(&word.as_str()) => words.get(at + 1).cloned(),
            _ => None,
        })
    };
    if let Some(role) = after(&["--role-arn", "--role", "-r"]) {
        return if role.starts_with("arn:") { Means::Principals(vec![role]) } else { Means::Unknown };
    }
    let variables = exec.get("env").map_or(&[][..], |entry| entry.node.elements());
    let profile = variables
        .iter()
        .find(|variable| variable.get("name").is_some_and(|entry| entry.node.text() == Some("AWS_PROFILE")))
        .and_then(|variable| variable.get("value"))
        .and_then(|entry| entry.node.text());
    match after(&["--profile"]).or_else(|| profile.map(str::to_owned)) {
        Some(profile) => Means::Profile(Family::Aws, profile),
        None => Means::Unknown,
    }
}

/// Whether a credential plug-in is one of AWS, by the name of its program (EKS user guide, "Create a kubeconfig file").
fn is_of_aws(command: &str) -> bool {
    let program = command.rsplit(['/', '\\']).next().unwrap_or(command).to_ascii_lowercase();
    matches!(program.strip_suffix(".exe").unwrap_or(&program), "aws" | "aws-iam-authenticator")
}

/// What a token of a cluster says of itself.
struct Claims {
    subject: String,
    expires_at: Fact<Timestamp>,
}

/// The claims of a token; the token itself is dropped.
fn claims(token: &str) -> Option<Claims> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims = tree::parse(std::str::from_utf8(&claims).ok()?, Syntax::Json).ok()?;
    let subject = claims.get("sub").and_then(|entry| entry.node.text())?.to_owned();
    let expires_at = match claims.get("exp").and_then(|entry| entry.node.scalar()) {
        Some(seconds) => Fact::known(seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok())),
        None => Fact::Absent,
    };
    Some(Claims { subject, expires_at })
}

/// Begins the name of a ServiceAccount as a user.
const ACCOUNT: &str = "system:serviceaccount:";

/// The id of a user in whatever cluster it is, and those of groups.
fn principals(user: &str, groups: impl Iterator<Item = String>) -> Vec<String> {
    let user = match user.strip_prefix(ACCOUNT).and_then(|rest| rest.split_once(':')) {
        Some((namespace, name)) => format!("kubernetes:*:serviceaccount:{namespace}/{name}"),
        None => format!("kubernetes:*:user:{user}"),
    };
    std::iter::once(user).chain(groups.map(|group| format!("kubernetes:*:group:{group}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_a_plug_in_are_read_only_where_its_program_is_of_aws() {
        const ROLE: &str = "arn:aws:iam::111122223333:role/agent";
        let role = || Means::Principals(vec![String::from(ROLE)]);
        let profile = || Means::Profile(Family::Aws, String::from("incident"));
        let cases = [
            (format!("command: aws, args: [eks, get-token, --role-arn, '{ROLE}']"), role()),
            (format!("command: /usr/local/bin/aws, args: [eks, get-token, '--role-arn={ROLE}']"), role()),
            (format!("command: aws-iam-authenticator, args: [token, -i, lab, -r, '{ROLE}']"), role()),
            (format!("command: 'C:\\AWS\\aws.exe', args: [--role, '{ROLE}']"), role()),
            (String::from("command: aws, args: [eks, get-token, --profile, incident]"), profile()),
            (String::from("command: aws, env: [{name: AWS_PROFILE, value: incident}]"), profile()),
            (String::from("command: aws, args: [--role-arn, fake-3f9a1c, --profile, incident]"), Means::Unknown),
            (String::from("command: corp-login, args: [-r, fake-refresh-3f9a1c]"), Means::Unknown),
            (String::from("command: corp-login, args: [--profile=fake-refresh-3f9a1c]"), Means::Unknown),
            (String::from("command: corp-login, env: [{name: AWS_PROFILE, value: incident}]"), Means::Unknown),
            (format!("command: aws-login, args: [--role-arn, '{ROLE}']"), Means::Unknown),
            (format!("args: [--role-arn, '{ROLE}']"), Means::Unknown),
        ];
        for (exec, expected) in cases {
            let text = format!(
                "users: [{{name: u, user: {{exec: {{{exec}}}}}}}]\ncontexts: [{{name: c, context: {{user: u}}}}]\n"
            );
            let held = contexts(&text).ok().unwrap();
            assert_eq!(held.iter().map(|profile| &profile.means).collect::<Vec<_>>(), [&expected], "{exec}");
        }
    }
}
