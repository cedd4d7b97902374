//! Whose credentials are used, and which hosts are asked: the vendor's own chain of environment, profiles and roles.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector, http_client_fn};
use aws_types::service_config::ServiceConfigKey;
use tokio::sync::Mutex;

use super::CollectError;
use super::table::Service;

/// Part of the vendor's cloud with accounts and names of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// The second part of resource names.
    pub(crate) name: &'static str,
    /// How its regions begin.
    regions: &'static str,
    suffix: &'static str,
    /// Where services without regions sign.
    home: &'static str,
}

/// The last one takes every region that no other one takes.
const PARTITIONS: [Partition; 7] = [
    Partition { name: "aws-cn", regions: "cn-", suffix: "amazonaws.com.cn", home: "cn-north-1" },
    Partition { name: "aws-us-gov", regions: "us-gov-", suffix: "amazonaws.com", home: "us-gov-west-1" },
    Partition { name: "aws-iso", regions: "us-iso-", suffix: "c2s.ic.gov", home: "us-iso-east-1" },
    Partition { name: "aws-iso-b", regions: "us-isob-", suffix: "sc2s.sgov.gov", home: "us-isob-east-1" },
    Partition { name: "aws-eusc", regions: "eusc-", suffix: "amazonaws.eu", home: "eusc-de-east-1" },
    Partition { name: "aws-iso-f", regions: "us-isof-", suffix: "csp.hci.ic.gov", home: "us-isof-south-1" },
    Partition { name: "aws", regions: "", suffix: "amazonaws.com", home: "us-east-1" },
];

impl Partition {
    /// The partition of a region.
    pub(crate) fn of(region: &str) -> Self {
        let [.., last] = PARTITIONS;
        PARTITIONS.into_iter().find(|partition| region.starts_with(partition.regions)).unwrap_or(last)
    }

    /// The region in which requests to a service are signed.
    pub(crate) fn signing_region<'a>(&self, service: &Service, region: &'a str) -> &'a str {
        if service.global { self.home_of(service) } else { region }
    }

    /// Where a service without regions is at home.
    fn home_of(&self, service: &Service) -> &'static str {
        match (service.host, self.name) {
            ("organizations", "aws-cn") => "cn-northwest-1",
            _ => self.home,
        }
    }

    /// The address of a service.
    pub(crate) fn endpoint(&self, service: &Service, region: &str) -> String {
        let (host, suffix) = (service.host, self.suffix);
        match (service.global, service.host, self.name) {
            (true, "iam", "aws") => format!("https://iam.{suffix}"),
            (true, "iam", "aws-us-gov") => format!("https://iam.us-gov.{suffix}"),
            (true, _, _) => format!("https://{host}.{}.{suffix}", self.home_of(service)),
            (false, _, _) => format!("https://{host}.{region}.{suffix}"),
        }
    }
}

/// The vendor's configuration as it was found, and a connection.
#[derive(Debug)]
pub(crate) struct Session {
    config: SdkConfig,
    pub(crate) connector: SharedHttpConnector,
    /// The credentials at hand.
    pub(crate) credentials: Arc<Held>,
}

impl Session {
    /// Loads configuration and credentials as the vendor's tools do; nothing that a profile names is executed.
    pub(crate) async fn load(profile: Option<&str>, region: Option<&str>) -> Result<Self, CollectError> {
        let connector = connector(ProxyConfig::from_env());
        let shared = connector.clone();
        let mut loader =
            aws_config::defaults(BehaviorVersion::latest()).http_client(http_client_fn(move |_, _| shared.clone()));
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let config = loader.load().await;
        Self::of(config, connector)
    }

    pub(super) fn of(config: SdkConfig, connector: SharedHttpConnector) -> Result<Self, CollectError> {
        let provider = config
            .credentials_provider()
            .ok_or(CollectError::NoCredentials("the chain of credentials is empty".to_owned()))?;
        let credentials =
            Arc::new(Held { source: Source::Chain(provider), held: Mutex::new(None), renewal: Mutex::new(()) });
        Ok(Self { config, connector, credentials })
    }

    /// The region that the configuration names.
    pub(crate) fn region(&self) -> Option<&str> {
        self.config.region().map(Region::as_ref)
    }

    /// The address of a service: one that the user configured, else the vendor's.
    pub(crate) fn endpoint(&self, service: &Service, region: &str) -> String {
        self.own_endpoint(service).unwrap_or_else(|| Partition::of(region).endpoint(service, region))
    }

    /// The address that the user configured for a service, or for all.
    pub(crate) fn own_endpoint(&self, service: &Service) -> Option<String> {
        let key = endpoint_key(service);
        let own = key.and_then(|key| self.config.service_config()?.load_config(key));
        let url = own.or_else(|| self.config.endpoint_url().map(str::to_owned))?;
        Some(url.trim_end_matches('/').to_owned())
    }
}

fn endpoint_key(service: &Service) -> Option<ServiceConfigKey<'static>> {
    ServiceConfigKey::builder().service_id(service.id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok()
}

/// The one way out: rustls with the system's certificates, and a proxy where there is one.
pub(super) fn connector(proxy: ProxyConfig) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(60))
        .build();
    let connector = Connector::builder()
        .proxy_config(proxy)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .connector_settings(settings)
        .sleep_impl(TokioSleep::new())
        .build();
    SharedHttpConnector::new(connector)
}

/// Where credentials come from.
#[derive(Debug)]
enum Source {
    Chain(SharedCredentialsProvider),
    /// They are made by a call, by whoever asks; see [`Held::put`].
    Role,
}

/// Credentials, kept while they last.
#[derive(Debug)]
pub(crate) struct Held {
    source: Source,
    held: Mutex<Option<Credentials>>,
    /// Held by the one who assumes the role, while the others wait for what comes of it.
    pub(crate) renewal: Mutex<()>,
}

/// Credentials that end so soon are asked for again.
const SOON: Duration = Duration::from_secs(300);

impl Held {
    /// A place for the credentials of a role.
    pub(crate) fn of_role() -> Self {
        Self { source: Source::Role, held: Mutex::new(None), renewal: Mutex::new(()) }
    }

    /// Credentials that will last a while; `None` where a role has to be assumed again.
    pub(crate) async fn get(&self) -> Result<Option<Credentials>, CollectError> {
        let mut held = self.held.lock().await;
        let lasts = |credentials: &Credentials| {
            credentials.expiry().is_none_or(|end| end.duration_since(SystemTime::now()).is_ok_and(|left| left > SOON))
        };
        if let Some(credentials) = held.as_ref().filter(|credentials| lasts(credentials)) {
            return Ok(Some(credentials.clone()));
        }
        match &self.source {
            Source::Role => Ok(None),
            Source::Chain(provider) => {
                let fresh = provider.provide_credentials().await.map_err(|error| {
                    // The whole chain of causes: which profile, which variable, which address.
                    CollectError::NoCredentials(evenhand_collect::causes(&error))
                })?;
                *held = Some(fresh.clone());
                Ok(Some(fresh))
            }
        }
    }

    /// Gives up credentials that were not accepted any more, unless others are there already.
    pub(crate) async fn forget(&self, used: &Credentials) {
        let mut held = self.held.lock().await;
        if held.as_ref() == Some(used) {
            *held = None;
        }
    }

    /// Takes fresh credentials of a role.
    pub(crate) async fn put(&self, credentials: Credentials) {
        *self.held.lock().await = Some(credentials);
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::calls;
    use super::*;

    #[test]
    fn hosts_are_those_of_the_partition() {
        let service = |operation: &str| calls().find(|call| call.operation == operation).unwrap().service;
        for (operation, region, endpoint) in [
            ("ListAccessKeys", "eu-west-1", "https://iam.amazonaws.com"),
            ("ListAccessKeys", "cn-north-1", "https://iam.cn-north-1.amazonaws.com.cn"),
            ("ListAccessKeys", "us-gov-east-1", "https://iam.us-gov.amazonaws.com"),
            ("ListRoots", "eu-west-1", "https://organizations.us-east-1.amazonaws.com"),
            ("ListRoots", "cn-north-1", "https://organizations.cn-northwest-1.amazonaws.com.cn"),
            ("ListAgents", "eu-west-1", "https://bedrock-agent.eu-west-1.amazonaws.com"),
            ("ListNotebookInstances", "eu-west-1", "https://api.sagemaker.eu-west-1.amazonaws.com"),
        ] {
            assert_eq!(Partition::of(region).endpoint(service(operation), region), endpoint);
        }
        assert_eq!(Partition::of("eu-west-1").signing_region(service("ListRoots"), "eu-west-1"), "us-east-1");
        let china = Partition::of("cn-north-1");
        assert_eq!(china.signing_region(service("ListRoots"), "cn-north-1"), "cn-northwest-1");
        assert_eq!(china.signing_region(service("ListAccessKeys"), "cn-northwest-1"), "cn-north-1");
        assert_eq!(Partition::of("us-isob-east-1").name, "aws-iso-b");
    }
}
