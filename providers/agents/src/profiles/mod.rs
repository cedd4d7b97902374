//! The cloud and cluster profiles of a person: which principal each of them stands for.
//!
//! An agent that runs as a person may use whatever is configured for that person, and a tool server may be told to use one
//! of it by name. This is the edge from an agent to its access. Of these files only names and public ids are kept; secret
//! values are passed over.

mod among;
mod aws;
mod certificate;
mod kube;

use std::sync::Arc;

use evenhand_model::document::FileFacts;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::provider::MovedFiles;
use jiff::Timestamp;

use crate::tree::SyntaxError;

pub(crate) use among::{Among, Known};

/// Begins the target of what is given a context of a kubeconfig by its name.
pub(crate) const KUBE_CONTEXT: &str = "kube-context:";

/// The kind of proof that a client certificate is.
pub(crate) const CLIENT_CERTIFICATE: &str = "client_certificate";

/// Begins the target of what is given a kubeconfig by its path.
pub(crate) const KUBECONFIG: &str = "kubeconfig:";

/// Begins the target of what is given a profile of which nothing tells whose it is.
pub(crate) const PROFILE: &str = "profile:";

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
    /// Its path, cleaned.
    pub(crate) path: String,
    /// Whether it lies where programs look by themselves; the others only serve what names them.
    pub(crate) found_unasked: bool,
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
    /// What is presented to a cluster to prove that, all of it, in the order in which the cluster tries it.
    pub(crate) proofs: Vec<Proof>,
}

/// A token or certificate that a kubeconfig holds or names; what it consists of is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    /// The kind, as in the credentials table.
    pub(crate) kind: &'static str,
    /// When it ends; `Absent` = never.
    pub(crate) expires_at: Fact<Timestamp>,
    /// Whether it lies in another file, of which only the path is known.
    pub(crate) is_elsewhere: bool,
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
            Self::Kube => KUBE_CONTEXT,
        }
    }

    fn of_target(target: &str) -> Option<(Self, &str)> {
        [Self::Aws, Self::Kube].into_iter().find_map(|family| Some((family, target.strip_prefix(family.prefix())?)))
    }
}

/// What a profile stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// A principal by its name, or by a pattern that only one principal of a capture fits; behind it the groups that its
    /// proof puts it into.
    Principals(Vec<String>),
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
    /// As [`evenhand_model::trust::Trust::target`]: a principal's id, a pattern of one, or `credential:` and a public id;
    /// with the groups that it acts in.
    pub(crate) targets: Vec<String>,
    /// The part that holds what proves it, and the file.
    pub(crate) at: (&'p ProfileFile, &'p Profile),
    /// The public id of the key by which the principal is told.
    pub(crate) key: Option<&'p str>,
    /// In words, for people: where the profile stands.
    pub(crate) through: String,
}

/// Whether a target is the name of a profile, or a file of them, which means something only where that profile is.
pub(crate) fn is_profile(target: &str) -> bool {
    Family::of_target(target).is_some() || target.starts_with(KUBECONFIG) || target.starts_with(PROFILE)
}

/// Whether the principal behind a profile is the person whose files these are: one who signs in, or whose key they hold, as
/// opposed to a role that is assumed for the purpose. Whose name the user of a cluster is, the file does not tell.
pub(crate) fn is_the_persons(found: &Resolved<'_>) -> Truth {
    match found.targets.first() {
        _ if found.key.is_some() => Truth::Yes,
        Some(target) if target.contains(SIGNED_IN) => Truth::Yes,
        Some(target) if target.starts_with("kubernetes:*:user:") => Truth::Unknown,
        _ => Truth::No,
    }
}

/// Part of the names of roles that IAM Identity Center makes for people.
const SIGNED_IN: &str = "AWSReservedSSO_";

#[cfg(test)]
mod tests {
    use super::*;

    fn file(store: Store, text: &str) -> ProfileFile {
        ProfileFile {
            root: String::from("home/ana"),
            document: "home/ana/file".into(),
            facts: FileFacts::default(),
            path: String::from("home/ana/file"),
            found_unasked: true,
            store,
            profiles: read(store, text).unwrap(),
        }
    }

    fn among<'p>(files: &[&'p ProfileFile]) -> Known<'p> {
        let files = std::rc::Rc::new(Among::of(files.iter().copied()));
        Known { aws: std::rc::Rc::clone(&files), kube: files }
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
        let target = |name: &str| among(&files).resolve(name).map(|found| found.targets.join(" "));
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
        assert_eq!(among(&files).lacks("aws-profile:prod"), None);
        let told = among(&files).lacks("aws-profile:prdo");
        assert_eq!(told.as_deref(), Some("home/ana/file: the names there are `prod`"));
        assert_eq!(among(&files).lacks("kube-context:main"), None, "no kubeconfig was read");
        let empty = file(Store::AwsConfig, "");
        let told = among(&[&empty]).lacks("aws-profile:prod");
        assert_eq!(told.as_deref(), Some("home/ana/file: the names there are none that signs in"));
    }

    #[test]
    fn profiles_that_lead_round_end() {
        let config = file(Store::AwsConfig, "[profile a]\nsource_profile = b\n[profile b]\nsource_profile = a\n");
        assert!(among(&[&config]).resolve("aws-profile:a").is_none());
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
        let target = |name: &str| among(&[&kube, &config]).resolve(name).map(|found| found.targets.join(" "));
        assert_eq!(target("kube-context:one").as_deref(), Some("kubernetes:*:serviceaccount:ops/triage"));
        assert_eq!(target("kube-context:two").as_deref(), Some("arn:aws:iam::111122223333:role/deploy"));
        assert_eq!(target("kube-context:three").as_deref(), Some("arn:aws:iam::111122223333:role/eks"));
        assert_eq!(target("kube-context:four"), None);
        assert!(!format!("{kube:?}").contains("c2ln"));
    }
    /// A certificate that nobody signed but itself, for `/O=ops/O=system:masters/CN=ana`, until November 2036.
    const CERTIFICATE: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJyRENDQVZLZ0F3SUJB\
        Z0lCQVRBS0JnZ3Foa2pPUFFRREFqQTFNUXd3Q2dZRFZRUUtEQU52Y0hNeEZ6QVYKQmdOVkJBb01Ebk41YzNSbGJUcHRZWE4wWlhK\
        ek1Rd3dDZ1lEVlFRRERBTmhibUV3SGhjTk1qWXhNVEkzTWpJegpOVFUxV2hjTk16WXhNVEkwTWpJek5UVTFXakExTVF3d0NnWURW\
        UVFLREFOdmNITXhGekFWQmdOVkJBb01Ebk41CmMzUmxiVHB0WVhOMFpYSnpNUXd3Q2dZRFZRUUREQU5oYm1Fd1dUQVRCZ2NxaGtq\
        T1BRSUJCZ2dxaGtqT1BRTUIKQndOQ0FBU2h4bndzaFdCeHd1elJMbkpYbFY4Ukt5bnBQbTYvUUNUU3lxOUhrMENENHNuSkFsODIr\
        Z0p3VlZMLwpXZEN0UjBHYUYyMklBcVZ4cWU2alNtazVJdlE2bzFNd1VUQWRCZ05WSFE0RUZnUVVNcUZIUXBJaUNpTUF3ZXJqCnlj\
        TVVPWW4vWHRjd0h3WURWUjBqQkJnd0ZvQVVNcUZIUXBJaUNpTUF3ZXJqeWNNVU9Zbi9YdGN3RHdZRFZSMFQKQVFIL0JBVXdBd0VC\
        L3pBS0JnZ3Foa2pPUFFRREFnTklBREJGQWlCdFJmcXFrNVRYUzdXV3RpdkVtR3ZpQnpXSgprcVF0a0ZZNytudnlNZzZJT0FJaEFL\
        cERiMnFxMVdJa2xmOCszaHZQN2RuQisraVg3Wk13ajhveitrRnRvRi9jCi0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K";

    /// A token of the ServiceAccount `ops/triage` that never ends.
    const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6b3BzOnRyaWFnZSJ9.c2ln";

    #[test]
    fn a_client_certificate_names_its_user_and_groups() {
        let cases = [
            (
                format!("client-certificate-data: {CERTIFICATE}"),
                "kubernetes:*:user:ana kubernetes:*:group:ops kubernetes:*:group:system:masters",
            ),
            (
                format!("client-certificate-data: {CERTIFICATE}, as: ben, as-groups: [night]"),
                "kubernetes:*:user:ben kubernetes:*:group:night",
            ),
            (
                format!("token: opaque-fake-3f9a1c, client-certificate-data: {CERTIFICATE}"),
                "kubernetes:*:user:ana kubernetes:*:group:ops kubernetes:*:group:system:masters",
            ),
            (String::from("client-certificate-data: ZmFrZQ=="), ""),
            (String::from("client-certificate: ana.crt"), ""),
            (
                format!("client-certificate: ben.crt, client-certificate-data: {CERTIFICATE}"),
                "kubernetes:*:user:ana kubernetes:*:group:ops kubernetes:*:group:system:masters",
            ),
            (format!("token: {TOKEN}"), "kubernetes:*:serviceaccount:ops/triage"),
            // The cluster tries the certificate first, and whose that is the file does not tell.
            (format!("token: {TOKEN}, client-certificate: ana.crt"), ""),
            (format!("token: {TOKEN}, client-certificate-data: ZmFrZQ=="), ""),
            (format!("token: {TOKEN}, client-certificate: ana.crt, as: ben"), "kubernetes:*:user:ben"),
            // What stands in the file outweighs the token beside it.
            (format!("token: {TOKEN}, tokenFile: /run/token"), ""),
            (String::from("tokenFile: /run/token"), ""),
            (String::from("token: opaque-fake-3f9a1c"), ""),
            (String::from("exec: {command: corp-login}"), ""),
        ];
        for (user, expected) in cases {
            let text =
                format!("users: [{{name: u, user: {{{user}}}}}]\ncontexts: [{{name: c, context: {{user: u}}}}]\n");
            let kube = file(Store::Kube, &text);
            let found = among(&[&kube]).resolve("kube-context:c").map(|found| found.targets.join(" "));
            assert_eq!(found.unwrap_or_default(), expected, "{user}");
            assert!(!format!("{kube:?}").contains("3f9a1c"));
        }
    }

    #[test]
    fn all_that_is_presented_to_a_cluster_is_recorded() {
        let until = Fact::Known("2036-11-24T22:35:55Z".parse().unwrap());
        let certificate = |expires_at, is_elsewhere| Proof { kind: "client_certificate", expires_at, is_elsewhere };
        let token = |kind, expires_at, is_elsewhere| Proof { kind, expires_at, is_elsewhere };
        let held = certificate(until, false);
        let cases = [
            (format!("client-certificate-data: {CERTIFICATE}, client-key-data: ZmFrZQ=="), vec![held.clone()]),
            (
                format!("client-certificate-data: {CERTIFICATE}, token: opaque-fake-3f9a1c"),
                vec![held, token("token", Fact::Unknown, false)],
            ),
            (
                format!("client-certificate: ana.crt, token: {TOKEN}"),
                vec![certificate(Fact::Unknown, true), token("service_account_token", Fact::Absent, false)],
            ),
            (String::from("client-certificate: ana.crt"), vec![certificate(Fact::Unknown, true)]),
            (
                String::from("token: opaque-fake-3f9a1c, tokenFile: /run/token"),
                vec![token("token", Fact::Unknown, false), token("token", Fact::Unknown, true)],
            ),
            (String::from("exec: {command: corp-login}"), vec![]),
        ];
        for (user, expected) in cases {
            let text =
                format!("users: [{{name: u, user: {{{user}}}}}]\ncontexts: [{{name: c, context: {{user: u}}}}]\n");
            assert_eq!(file(Store::Kube, &text).profiles[0].proofs, expected, "{user}");
        }
    }
}
