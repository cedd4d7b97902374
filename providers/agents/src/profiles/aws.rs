//! The shared configuration and credentials files of AWS, as the SDKs and Tools reference guide describes them.

use super::{Family, Means, Profile};

/// The profiles of a file. In the credentials file a section's name is the profile's; in the configuration file all but
/// `default` begin with the word `profile`. Sections of other kinds (`sso-session`, `services`) hold no profile.
pub(super) fn profiles(text: &str, credentials: bool) -> Vec<Profile> {
    let mut profiles: Vec<(Profile, Section<'_>)> = Vec::new();
    let mut inside = false;
    for (at, line) in text.lines().enumerate() {
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let name = name_of(section.trim(), credentials);
            inside = name.is_some();
            if let Some(name) = name {
                let profile = Profile {
                    family: Family::Aws,
                    name: name.to_owned(),
                    line: number,
                    means: Means::Unknown,
                    proofs: Vec::new(),
                };
                profiles.push((profile, Section::default()));
            }
            continue;
        }
        // Indented lines belong to the key above (`s3 =` and its like).
        if line.starts_with([' ', '\t']) || !inside {
            continue;
        }
        if let (Some((_, section)), Some((key, value))) = (profiles.last_mut(), trimmed.split_once('=')) {
            let value = value.split(" #").next().unwrap_or("").trim();
            let slot = match key.trim().to_ascii_lowercase().as_str() {
                "role_arn" => &mut section.role,
                "source_profile" => &mut section.source,
                "aws_access_key_id" => &mut section.key,
                "sso_account_id" => &mut section.account,
                "sso_role_name" => &mut section.permission_set,
                "credential_process"
                | "credential_source"
                | "web_identity_token_file"
                | "aws_secret_access_key"
                | "aws_session_token"
                | "sso_session"
                | "sso_start_url" => {
                    section.signs_in = true;
                    continue;
                }
                // Whatever else stands here is not looked at; secrets are among it.
                _ => continue,
            };
            *slot = (!value.is_empty()).then_some(value);
        }
    }
    // A section that only sets a region or an output stands for nobody.
    profiles
        .into_iter()
        .map(|(profile, section)| (section.signs_in || section.means() != Means::Unknown, profile, section.means()))
        .filter(|(stands_for_somebody, ..)| *stands_for_somebody)
        .map(|(_, profile, means)| Profile { means, ..profile })
        .collect()
}

fn name_of(section: &str, credentials: bool) -> Option<&str> {
    let name = match section.strip_prefix("profile") {
        Some(rest) if !credentials && rest.starts_with([' ', '\t']) => rest.trim().trim_matches(['"', '\'']),
        _ if credentials || section == "default" => section,
        _ => return None,
    };
    (!name.is_empty()).then_some(name)
}

/// What of a section is looked at.
#[derive(Default)]
struct Section<'t> {
    /// Whether it says how to sign in, in a way that names nobody.
    signs_in: bool,
    role: Option<&'t str>,
    source: Option<&'t str>,
    key: Option<&'t str>,
    account: Option<&'t str>,
    permission_set: Option<&'t str>,
}

impl Section<'_> {
    fn means(&self) -> Means {
        if let Some(role) = self.role {
            return Means::Principals(vec![role.to_owned()]);
        }
        if let (Some(account), Some(set)) = (self.account, self.permission_set) {
            // IAM Identity Center makes the role, and ends its name with 16 digits of its own.
            let ending = "?".repeat(16);
            return Means::Principals(vec![format!(
                "arn:aws*:iam::{account}:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_{set}_{ending}"
            )]);
        }
        match (self.key, self.source) {
            // Only long-lived keys are listed with the user who owns them.
            (Some(key), _) if key.starts_with("AKIA") => Means::Key(key.to_owned()),
            (None, Some(source)) => Means::Profile(Family::Aws, source.to_owned()),
            _ => Means::Unknown,
        }
    }
}
