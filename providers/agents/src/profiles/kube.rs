//! Kubeconfig: the principal behind each context, as far as the file tells.
//!
//! A token of a ServiceAccount names its subject in its claims; a credential plug-in of AWS names a profile or a role; and
//! `as` names whom the requests impersonate. Client certificates name their user inside the certificate, which is not
//! opened.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Family, Means, Profile};
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
                context.get("context").and_then(|entry| entry.node.get("user")).and_then(|entry| entry.node.text());
            let user = users.iter().find(|(held, _)| user == Some(held)).map(|(_, node)| *node);
            Some(Profile { family: Family::Kube, name, line: context.line, means: user.map_or(Means::Unknown, means) })
        })
        .collect())
}

fn means(user: &Node) -> Means {
    let text = |key: &str| user.get(key).and_then(|entry| entry.node.text());
    if let Some(subject) = text("as").map(str::to_owned).or_else(|| text("token").and_then(subject)) {
        return Means::Principal(principal(&subject));
    }
    let Some(exec) = user.get("exec").map(|entry| &entry.node) else { return Means::Unknown };
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
        return if role.starts_with("arn:") { Means::Principal(role) } else { Means::Unknown };
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

/// The subject in the claims of a token; the token itself is dropped.
fn subject(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims = tree::parse(std::str::from_utf8(&claims).ok()?, Syntax::Json).ok()?;
    claims.get("sub").and_then(|entry| entry.node.text()).map(str::to_owned)
}

/// The id of a principal in whatever cluster it is.
fn principal(subject: &str) -> String {
    match subject.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) {
        Some((namespace, name)) => format!("kubernetes:*:serviceaccount:{namespace}/{name}"),
        None => format!("kubernetes:*:user:{subject}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_a_plug_in_are_read_only_where_its_program_is_of_aws() {
        const ROLE: &str = "arn:aws:iam::111122223333:role/agent";
        let role = || Means::Principal(String::from(ROLE));
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
