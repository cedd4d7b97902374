//! The part of the command line that talks to a provider.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use crate::number::whole;

/// A provider that can be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum LiveProvider {
    /// Amazon Web Services.
    Aws,
    /// Azure and Entra ID.
    Azure,
    /// GitHub organisations.
    Github,
    /// Kubernetes clusters.
    Kubernetes,
}

impl LiveProvider {
    /// The provider that a source names: the bare word, never a path.
    pub fn of_source(source: &std::path::Path) -> Option<Self> {
        Self::value_variants().iter().copied().find(|provider| source.as_os_str() == provider.as_str())
    }

    /// The word on the command line, and the folder of its part of a capture.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Github => "github",
            Self::Kubernetes => "kubernetes",
        }
    }
}

/// Who asks Azure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum SignIn {
    /// Whoever is signed in to the Azure CLI, which is run.
    Cli,
    /// A workload identity of Kubernetes.
    WorkloadIdentity,
    /// A managed identity.
    ManagedIdentity,
    /// A service connection of Azure Pipelines.
    Pipelines,
}

/// A cloud of Azure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum AzureCloud {
    /// The one for everybody.
    Public,
    /// Azure Government of the United States.
    UsGovernment,
    /// The same for the Department of Defense.
    UsDefense,
    /// Azure in China.
    China,
}

/// Whom to ask, and as whom. Credentials come from the provider's own chain: environment, profiles, roles, contexts.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Live (read calls only)")]
pub struct Live {
    /// AWS: the profile of its own configuration.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,

    /// AWS: look only into this region; repeatable. Default: all that are on in an account.
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,

    /// AWS: the role to assume in the other accounts of the organisation, by name, with its path if it has one.
    #[arg(long, value_name = "NAME")]
    pub role: Option<String>,

    /// AWS: ask all active accounts of the organisation, not only the one that the credentials belong to.
    #[arg(long, requires = "role")]
    pub all_accounts: bool,

    /// Azure: the tenant, by its id. Default: that of the credentials.
    #[arg(long, value_name = "ID")]
    pub tenant: Option<String>,

    /// Azure: ask about this subscription only, by its id; repeatable. Default: all that are seen.
    #[arg(long = "subscription", value_name = "ID")]
    pub subscriptions: Vec<String>,

    /// Azure: who asks. Default: what the environment names: an application with a secret or a certificate, a workload
    /// identity, or a managed identity.
    #[arg(long, value_name = "WHO")]
    pub sign_in: Option<SignIn>,

    /// Azure: the client id of the managed identity, or the id of the service connection of a pipeline.
    #[arg(long, value_name = "ID", requires = "sign_in")]
    pub sign_in_id: Option<String>,

    /// Azure: the cloud. Default: the one for everybody.
    #[arg(long, value_name = "CLOUD")]
    pub cloud: Option<AzureCloud>,

    /// Azure: the address of Microsoft Graph, where it is not the cloud's own.
    #[arg(long, value_name = "URL")]
    pub graph_url: Option<String>,

    /// Azure: the address of Azure Resource Manager, where it is not the cloud's own.
    #[arg(long, value_name = "URL")]
    pub arm_url: Option<String>,

    /// GitHub: the organisation, by its name in addresses; repeatable.
    #[arg(long = "org", value_name = "ORG")]
    pub organisations: Vec<String>,

    /// GitHub: ask about this repository only, as `name` or `org/name`; repeatable. Default: all that are seen.
    #[arg(long = "repo", value_name = "REPO")]
    pub repositories: Vec<String>,

    /// GitHub: the enterprise that the organisations belong to, for what only it tells.
    #[arg(long, value_name = "NAME")]
    pub enterprise: Option<String>,

    /// GitHub: the address of the API, as `https://git.example.com/api/v3`. Default: GITHUB_API_URL, else GitHub's own.
    #[arg(long, value_name = "URL")]
    pub api_url: Option<String>,

    /// GitHub: the file with the token to ask with. Default: the token in GITHUB_TOKEN or GH_TOKEN.
    #[arg(long, value_name = "FILE", conflicts_with = "app_id")]
    pub token_file: Option<PathBuf>,

    /// GitHub: ask as this app, by its number or client id.
    #[arg(long, value_name = "ID", requires = "app_key")]
    pub app_id: Option<String>,

    /// GitHub: the file with the app's private key.
    #[arg(long, value_name = "FILE", requires = "app_id")]
    pub app_key: Option<PathBuf>,

    /// GitHub: the installation of the app, by its number. Default: the organisation's own.
    #[arg(long, value_name = "NUMBER", requires = "app_id", allow_negative_numbers = true, value_parser = installation)]
    pub installation: Option<u64>,

    /// Kubernetes: the file with contexts. Default: KUBECONFIG, else ~/.kube/config, else the cluster that this runs in.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Kubernetes: ask the cluster of this context; repeatable. Default: the current one.
    #[arg(long = "context", value_name = "NAME")]
    pub contexts: Vec<String>,

    /// Kubernetes: ask the clusters of all contexts.
    #[arg(long, conflicts_with = "contexts")]
    pub all_contexts: bool,

    /// Kubernetes: list Secrets too, their metadata alone. The right to list them is the right to read them.
    #[arg(long)]
    pub secrets: bool,

    /// Stop after this time, such as `45m` or `1h 30m`, with what there is.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub deadline: Option<Duration>,
}

impl Live {
    /// Whether anything was said.
    pub fn is_asked(&self) -> bool {
        self.deadline.is_some() || LiveProvider::value_variants().iter().any(|of| self.is_for(*of).is_some())
    }

    /// An option that was given and is one provider's own.
    pub fn is_for(&self, provider: LiveProvider) -> Option<&'static str> {
        let given: &[(bool, &str)] = match provider {
            LiveProvider::Aws => &[
                (self.profile.is_some(), "--profile"),
                (!self.regions.is_empty(), "--region"),
                (self.role.is_some(), "--role"),
                (self.all_accounts, "--all-accounts"),
            ],
            LiveProvider::Azure => &[
                (self.tenant.is_some(), "--tenant"),
                (!self.subscriptions.is_empty(), "--subscription"),
                (self.sign_in.is_some(), "--sign-in"),
                (self.sign_in_id.is_some(), "--sign-in-id"),
                (self.cloud.is_some(), "--cloud"),
                (self.graph_url.is_some(), "--graph-url"),
                (self.arm_url.is_some(), "--arm-url"),
            ],
            LiveProvider::Github => &[
                (!self.organisations.is_empty(), "--org"),
                (!self.repositories.is_empty(), "--repo"),
                (self.enterprise.is_some(), "--enterprise"),
                (self.api_url.is_some(), "--api-url"),
                (self.token_file.is_some(), "--token-file"),
                (self.app_id.is_some(), "--app-id"),
                (self.app_key.is_some(), "--app-key"),
                (self.installation.is_some(), "--installation"),
            ],
            LiveProvider::Kubernetes => &[
                (self.kubeconfig.is_some(), "--kubeconfig"),
                (!self.contexts.is_empty(), "--context"),
                (self.all_contexts, "--all-contexts"),
                (self.secrets, "--secrets"),
            ],
        };
        given.iter().find(|(given, _)| *given).map(|(_, option)| *option)
    }
}

/// `evenhand collect`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit codes: 0 every call was made, whatever came of it; 2 nothing could be asked; 3 no identity was read; 4 it was
interrupted, ran out of time, or a cluster, an organisation, a repository or an interface could not be asked: go on with
--resume.

Examples:
  evenhand collect aws --out capture
  evenhand collect aws --out capture --profile audit --region eu-west-1 --region us-east-1
  evenhand collect aws --out capture --all-accounts --role evenhand-audit --deadline 2h
  evenhand collect aws --out capture --resume
  evenhand collect azure --out capture
  evenhand collect azure --out capture --sign-in cli --subscription 5b0f3c1e-0000-4000-8000-000000000001
  evenhand collect github --out capture --org acme
  evenhand collect github --out capture --org acme --app-id 123456 --app-key app.pem
  evenhand collect kubernetes --out capture
  evenhand collect kubernetes --out capture --context prod --context stage --secrets

`evenhand doctor aws --print-policy`, `evenhand doctor azure --print-permissions`, `evenhand doctor github
--print-permissions` and `evenhand doctor kubernetes --print-role` print the rights that it needs. Values of environment variables and other places where secrets stand are
replaced before anything is written. Tokens come from the environment or from files, never from the command line. Calls that are
refused become gaps of the report. A kubeconfig may name a program that makes its credentials: that one is run, as
`kubectl` would, and said. With `--sign-in cli` the Azure CLI makes the tokens.")]
pub struct Collect {
    /// The provider to ask.
    #[arg(value_name = "PROVIDER")]
    pub provider: LiveProvider,

    /// The folder for the capture; its part is made below a folder named after the provider.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Go on with the capture that is there, without repeating calls that were answered.
    #[arg(long)]
    pub resume: bool,

    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub live: Live,

    /// A passphrase of yours, as for `scan`. With it, fingerprints in captures of several providers and days compare.
    #[arg(long, env = "EVENHAND_FINGERPRINT_KEY", hide_env_values = true, hide = true)]
    pub fingerprint_key: Option<String>,
}

/// `evenhand doctor`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit codes: 0 every call may be made; 2 nothing could be asked; 4 some calls may not be made, or failed. Without a
provider: 0 there is something to scan; 3 there is nothing; 4 some document could not be read.

Examples:
  evenhand doctor                     what a scan could work with here; asks nobody
  evenhand doctor aws --print-policy > policy.json
  evenhand doctor aws --print-policy --role evenhand-audit
  evenhand doctor aws --profile audit
  evenhand doctor azure --print-permissions
  evenhand doctor azure --sign-in cli
  evenhand doctor github --print-permissions
  evenhand doctor github --org acme --repo shop
  evenhand doctor kubernetes --print-role | kubectl apply -f -
  evenhand doctor kubernetes --print-role --secrets
  evenhand doctor kubernetes --context prod")]
pub struct Doctor {
    /// The provider to ask. None: say what a scan could work with here: configuration, documents, credentials by their
    /// places.
    #[arg(value_name = "PROVIDER")]
    pub provider: Option<LiveProvider>,

    /// Print the least-privilege policy, permissions or roles of `collect`, and ask nobody.
    #[arg(long, requires = "provider", visible_aliases = ["print-permissions", "print-role"])]
    pub print_policy: bool,

    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub live: Live,
}

fn installation(text: &str) -> Result<u64, String> {
    whole(text.parse().ok(), None)
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|parsed| Duration::try_from(parsed).ok());
    parsed.filter(|parsed| !parsed.is_zero()).ok_or_else(|| "write it as 90s, 45m or 1h 30m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_a_time_that_is_longer_than_nothing() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for text in ["0s", "-5m", "soon", ""] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn options_are_one_provider_s_own() {
        let live = Live { all_contexts: true, ..Live::default() };
        assert!(live.is_asked() && live.is_for(LiveProvider::Aws).is_none());
        assert_eq!(live.is_for(LiveProvider::Kubernetes), Some("--all-contexts"));
        assert!(!Live::default().is_asked());
    }

    #[test]
    fn a_provider_is_a_bare_word_and_a_path_is_a_path() {
        let of = |text: &str| LiveProvider::of_source(std::path::Path::new(text));
        assert_eq!(of("aws"), Some(LiveProvider::Aws));
        assert_eq!(of("azure"), Some(LiveProvider::Azure));
        assert_eq!(of("kubernetes"), Some(LiveProvider::Kubernetes));
        assert_eq!(of("github"), Some(LiveProvider::Github));
        assert!(of("./aws").is_none() && of("captures/aws").is_none() && of("aws/").is_none());
    }
}
