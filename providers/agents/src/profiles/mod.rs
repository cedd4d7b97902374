//! The cloud and cluster profiles of a person: which principal each of them stands for.
//!
//! An agent that runs as a person may use whatever is configured for that person, and a tool server may be told to use one
//! of it by name. This is the edge from an agent to its access. Of these files only names and public ids are kept; secret
//! values are passed over.

mod aws;
mod kube;

use std::sync::Arc;

use evenhand_model::document::FileFacts;
use evenhand_model::provider::MovedFiles;

use crate::tree::SyntaxError;

/// Which file it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Store {
    /// `~/.aws/config`.
    AwsConfig,
    /// `~/.aws/credentials`.
    AwsCredentials,
    /// `~/.kube/config`.
    Kube,
}

impl Store {
    /// The files, below a home folder.
    pub(crate) const ALL: [(&'static str, Self); 3] =
        [(".aws/config", Self::AwsConfig), (".aws/credentials", Self::AwsCredentials), (".kube/config", Self::Kube)];

    /// Variables that name such files instead.
    pub(crate) const MOVED: [MovedFiles; 3] = [
        MovedFiles { variable: "AWS_CONFIG_FILE", inside: "", home: ".aws/config" },
        MovedFiles { variable: "AWS_SHARED_CREDENTIALS_FILE", inside: "", home: ".aws/credentials" },
        MovedFiles { variable: "KUBECONFIG", inside: "", home: ".kube/config" },
    ];

    fn family(self) -> Family {
        match self {
            Self::AwsConfig | Self::AwsCredentials => Family::Aws,
            Self::Kube => Family::Kube,
        }
    }

    /// What such a file is, in words.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::AwsConfig => "AWS profiles",
            Self::AwsCredentials => "AWS credentials file",
            Self::Kube => "kubeconfig",
        }
    }
}

/// A file of profiles that was read.
#[derive(Debug)]
pub(crate) struct ProfileFile {
    /// The home folder, as a prefix of document paths.
    pub(crate) root: String,
    pub(crate) document: Arc<str>,
    pub(crate) facts: FileFacts,
    pub(crate) store: Store,
    pub(crate) profiles: Vec<Profile>,
}

/// A profile, or the part of one that a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) family: Family,
    pub(crate) name: String,
    pub(crate) line: u32,
    pub(crate) means: Means,
}

/// Whose profiles they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Family {
    /// AWS.
    Aws,
    /// Kubernetes.
    Kube,
}

impl Family {
    /// What stands before the name of a profile that nothing is known of.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Aws => "aws-profile:",
            Self::Kube => "kube-context:",
        }
    }

    fn of_target(target: &str) -> Option<(Self, &str)> {
        [Self::Aws, Self::Kube].into_iter().find_map(|family| Some((family, target.strip_prefix(family.prefix())?)))
    }
}

/// What a profile stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// A principal by its name, or by a pattern that only one principal of a capture fits.
    Principal(String),
    /// The principal of a static key with this public id.
    Key(String),
    /// Another profile.
    Profile(Family, String),
    /// Nothing that the file tells.
    Unknown,
}

/// Reads a file of profiles.
///
/// # Errors
/// When it does not parse; nothing of it is repeated.
pub(crate) fn read(store: Store, text: &str) -> Result<Vec<Profile>, SyntaxError> {
    match store {
        Store::AwsConfig => Ok(aws::profiles(text, false)),
        Store::AwsCredentials => Ok(aws::profiles(text, true)),
        Store::Kube => kube::contexts(text),
    }
}

/// A profile that was found, with the file it stands in.
pub(crate) struct Resolved<'p> {
    /// As [`evenhand_model::trust::Trust::target`]: a principal's id, a pattern of one, or `credential:` and a public id.
    pub(crate) target: String,
    /// The part that holds the key, where the principal is told by a key.
    pub(crate) key: Option<(&'p ProfileFile, &'p Profile)>,
    /// In words, for people: where the profile stands.
    pub(crate) through: String,
}

/// The principal that a name of the form `aws-profile:NAME` stands for, by the files of one home.
pub(crate) fn resolve<'p>(files: &[&'p ProfileFile], target: &str) -> Option<Resolved<'p>> {
    const DEPTH: usize = 8;
    let (family, name) = Family::of_target(target)?;
    let (mut family, mut name) = (family, name.to_owned());
    let mut first: Option<String> = None;
    for _ in 0..DEPTH {
        let parts = || {
            files
                .iter()
                .flat_map(|file| file.profiles.iter().map(move |profile| (*file, profile)))
                .filter(|(_, profile)| profile.family == family && profile.name == name)
        };
        // What is assumed from other credentials outweighs a key of the same name.
        let (file, part) = parts()
            .find(|(_, part)| matches!(part.means, Means::Principal(_)))
            .or_else(|| parts().find(|(_, part)| matches!(part.means, Means::Key(_))))
            .or_else(|| parts().find(|(_, part)| part.means != Means::Unknown))?;
        let through =
            first.get_or_insert_with(|| format!("{}{} ({}:{})", family.prefix(), name, file.document, part.line));
        match &part.means {
            Means::Principal(id) => {
                return Some(Resolved { target: id.clone(), key: None, through: through.clone() });
            }
            Means::Key(id) => {
                return Some(Resolved {
                    target: format!("credential:{id}"),
                    key: Some((file, part)),
                    through: through.clone(),
                });
            }
            Means::Profile(next, other) => (family, name) = (*next, other.clone()),
            Means::Unknown => return None,
        }
    }
    None
}

/// Whether a target is the name of a profile, which means something only where that profile is.
pub(crate) fn is_profile(target: &str) -> bool {
    Family::of_target(target).is_some()
}

/// Where a name of the form `aws-profile:NAME` was looked for in vain, in words, with the names that are there. `None` =
/// it is there, or no file was read that could hold it.
pub(crate) fn not_among(files: &[&ProfileFile], target: &str) -> Option<String> {
    const NAMED: usize = 8;
    let (family, _) = Family::of_target(target)?;
    let looked: Vec<&&ProfileFile> = files.iter().filter(|file| file.store.family() == family).collect();
    let names = names(files);
    if looked.is_empty() || names.iter().any(|name| name == target) {
        return None;
    }
    let documents: Vec<&str> = looked.iter().map(|file| &*file.document).collect();
    let own: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(family.prefix())).collect();
    let mut known: Vec<String> = own.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    if own.len() > NAMED {
        known.push(format!("{} more", own.len() - NAMED));
    }
    let known = if known.is_empty() { String::from("none that signs in") } else { known.join(", ") };
    Some(format!("{}: the names there are {known}", documents.join(", ")))
}

/// Whether the principal behind a profile is the person whose files these are: one who signs in, or whose key they hold, as
/// opposed to a role that is assumed for the purpose.
pub(crate) fn is_the_persons(found: &Resolved<'_>) -> bool {
    found.key.is_some() || found.target.contains(SIGNED_IN)
}

/// Part of the names of roles that IAM Identity Center makes for people.
const SIGNED_IN: &str = "AWSReservedSSO_";

/// The names of all profiles in some files, sorted, each once.
pub(crate) fn names(files: &[&ProfileFile]) -> Vec<String> {
    let profiles = files.iter().flat_map(|file| &file.profiles);
    let mut names: Vec<String> =
        profiles.map(|profile| format!("{}{}", profile.family.prefix(), profile.name)).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(store: Store, text: &str) -> ProfileFile {
        ProfileFile {
            root: String::from("home/ana"),
            document: "home/ana/file".into(),
            facts: FileFacts::default(),
            store,
            profiles: read(store, text).unwrap(),
        }
    }

    #[test]
    fn a_profile_leads_to_its_principal() {
        let config = file(
            Store::AwsConfig,
            "[default]\nregion = eu-west-1\n[profile prod]\nrole_arn = arn:aws:iam::111122223333:role/deploy\nsource_profile = base\n\
             [profile people]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Admin\n\
             [profile elsewhere]\ncredential_process = /bin/x\n[profile same]\nsource_profile = base\n[sso-session corp]\nsso_region = eu-west-1\n",
        );
        let credentials = file(
            Store::AwsCredentials,
            "[base]\naws_access_key_id = AKIAFAKEFAKEFAKEFAKE\naws_secret_access_key = fakefakefake\n[default]\naws_access_key_id=ASIAFAKEFAKEFAKEFAKE\naws_session_token=fakefakefake\n",
        );
        let files = [&config, &credentials];
        let target = |name: &str| resolve(&files, name).map(|found| found.target);
        assert_eq!(target("aws-profile:prod").as_deref(), Some("arn:aws:iam::111122223333:role/deploy"));
        assert_eq!(
            target("aws-profile:people").as_deref(),
            Some(
                "arn:aws*:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Admin_????????????????"
            )
        );
        assert_eq!(target("aws-profile:base").as_deref(), Some("credential:AKIAFAKEFAKEFAKEFAKE"));
        assert_eq!(target("aws-profile:same").as_deref(), Some("credential:AKIAFAKEFAKEFAKEFAKE"));
        assert_eq!(target("aws-profile:elsewhere"), None);
        assert_eq!(target("aws-profile:default"), None, "a key of a session names nobody");
        assert_eq!(target("aws-profile:missing"), None);
        assert!(!format!("{files:?}").contains("fakefakefake"));
    }

    #[test]
    fn a_name_that_no_file_knows_is_told_with_those_that_are_there() {
        let config = file(Store::AwsConfig, "[profile prod]\nrole_arn = arn:aws:iam::111122223333:role/deploy\n");
        let files = [&config];
        assert_eq!(not_among(&files, "aws-profile:prod"), None);
        let told = not_among(&files, "aws-profile:prdo");
        assert_eq!(told.as_deref(), Some("home/ana/file: the names there are `prod`"));
        assert_eq!(not_among(&files, "kube-context:main"), None, "no kubeconfig was read");
        let empty = file(Store::AwsConfig, "");
        let told = not_among(&[&empty], "aws-profile:prod");
        assert_eq!(told.as_deref(), Some("home/ana/file: the names there are none that signs in"));
    }

    #[test]
    fn profiles_that_lead_round_end() {
        let config = file(Store::AwsConfig, "[profile a]\nsource_profile = b\n[profile b]\nsource_profile = a\n");
        assert!(resolve(&[&config], "aws-profile:a").is_none());
    }

    #[test]
    fn a_context_leads_to_a_service_account_or_a_cloud_profile() {
        use base64::Engine;
        let claims =
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode("{\"sub\":\"system:serviceaccount:ops:triage\"}");
        let text = format!(
            "current-context: one\ncontexts:\n- name: one\n  context: {{cluster: c, user: u}}\n- name: two\n  context: {{cluster: c, user: v}}\n\
             - name: three\n  context: {{cluster: c, user: w}}\n- name: four\n  context: {{cluster: c, user: x}}\nusers:\n- name: u\n  user:\n    token: eyJhbGciOiJub25lIn0.{claims}.c2ln\n\
             - name: v\n  user:\n    exec:\n      command: aws\n      args: [eks, get-token, --cluster-name, c, --profile, prod]\n\
             - name: w\n  user:\n    exec:\n      command: aws\n      args: [eks, get-token, --role-arn, 'arn:aws:iam::111122223333:role/eks']\n\
             - name: x\n  user: {{client-certificate-data: ZmFrZQ==}}\n"
        );
        let kube = file(Store::Kube, &text);
        let config = file(Store::AwsConfig, "[profile prod]\nrole_arn = arn:aws:iam::111122223333:role/deploy\n");
        let target = |name: &str| resolve(&[&kube, &config], name).map(|found| found.target);
        assert_eq!(target("kube-context:one").as_deref(), Some("kubernetes:*:serviceaccount:ops/triage"));
        assert_eq!(target("kube-context:two").as_deref(), Some("arn:aws:iam::111122223333:role/deploy"));
        assert_eq!(target("kube-context:three").as_deref(), Some("arn:aws:iam::111122223333:role/eks"));
        assert_eq!(target("kube-context:four"), None);
        assert!(!format!("{kube:?}").contains("c2ln"));
    }
}
