//! Who asks: the credentials of `azure_identity`, which talk through this crate's own transport. Tokens are never printed or
//! written.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::headers::Headers;
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions, StatusCode, Transport,
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzurePipelinesCredential, AzurePipelinesCredentialOptions,
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use evenhand_collect::{Held, Http, Trouble, causes};
use evenhand_model::refusal::Why;
use serde::Deserialize;

use super::certificate::Certificate;
use super::cloud::Cloud;
use super::{CollectError, Who};

/// Who asks.
#[derive(Clone)]
pub(crate) struct Credentials(Arc<dyn TokenCredential>);

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// A variable of the environment that is set and not empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Credentials {
    #[cfg(test)]
    pub(crate) fn of(credential: Arc<dyn TokenCredential>) -> Self {
        Self(credential)
    }

    /// The credentials that options name.
    pub(crate) fn load(who: &Who, tenant: Option<&str>, cloud: Cloud) -> Result<Self, CollectError> {
        let made: Result<Arc<dyn TokenCredential>, _> = match who {
            Who::Environment => {
                let client = variable("AZURE_CLIENT_ID");
                let secret = variable("AZURE_CLIENT_SECRET").zip(client.clone());
                let certificate = variable("AZURE_CLIENT_CERTIFICATE_PATH").zip(client);
                let tenant = tenant.map(str::to_owned).or_else(|| variable("AZURE_TENANT_ID"));
                match (secret, certificate, &tenant) {
                    (None, Some((path, client)), Some(tenant)) => {
                        with_certificate(Path::new(&path), tenant, client, cloud)?
                    }
                    (Some((secret, client)), _, Some(tenant)) => {
                        let options = ClientSecretCredentialOptions { client_options: client_options(cloud) };
                        ClientSecretCredential::new(tenant, client, Secret::new(secret), Some(options))
                            .map(|held| held as _)
                    }
                    _ if variable("AZURE_FEDERATED_TOKEN_FILE").is_some() => {
                        return Self::load(&Who::WorkloadIdentity, tenant.as_deref(), cloud);
                    }
                    _ if variable("IDENTITY_ENDPOINT").is_some() => {
                        return Self::load(&Who::ManagedIdentity(None), None, cloud);
                    }
                    _ => return Err(CollectError::NoCredentials),
                }
            }
            Who::WorkloadIdentity => {
                let options = WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options: client_options(cloud) },
                    tenant_id: tenant.map(str::to_owned),
                    ..Default::default()
                };
                WorkloadIdentityCredential::new(Some(options)).map(|held| held as _)
            }
            Who::ManagedIdentity(client) => {
                let options = ManagedIdentityCredentialOptions {
                    user_assigned_id: client.clone().map(UserAssignedId::ClientId),
                    client_options: client_options(cloud),
                };
                ManagedIdentityCredential::new(Some(options)).map(|held| held as _)
            }
            Who::Cli => {
                let options = AzureCliCredentialOptions { tenant_id: tenant.map(str::to_owned), ..Default::default() };
                AzureCliCredential::new(Some(options)).map(|held| held as _)
            }
            Who::Pipelines(connection) => {
                let missing = |name: &str| CollectError::BadCredentials(format!("`{name}` is not set"));
                let named = |name: &str| variable(name).ok_or_else(|| missing(name));
                let tenant = match tenant {
                    Some(tenant) => tenant.to_owned(),
                    None => named("AZURE_TENANT_ID")?,
                };
                let options = AzurePipelinesCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options: client_options(cloud) },
                };
                AzurePipelinesCredential::new(
                    tenant,
                    named("AZURE_CLIENT_ID")?,
                    connection,
                    named("SYSTEM_ACCESSTOKEN")?,
                    Some(options),
                )
                .map(|held| held as _)
            }
        };
        made.map(Self).map_err(|error| CollectError::BadCredentials(causes(&error)))
    }

    /// A token for a scope. The credential keeps it until shortly before its end.
    pub(crate) async fn token(&self, scope: &str) -> Result<String, Trouble> {
        let token = self.0.get_token(&[scope], None).await.map_err(|error| {
            let told = said(&error);
            Trouble::new("NoToken", if told.1 { Why::Failed } else { Why::Expired }, Some(told.0))
        })?;
        let text = token.token.secret().trim().to_owned();
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if plain { Ok(text) } else { Err(Trouble::new("NoToken", Why::Expired, Some("it is no token".to_owned()))) }
    }
}

/// An application with a certificate.
fn with_certificate(
    path: &Path,
    tenant: &str,
    client: String,
    cloud: Cloud,
) -> Result<azure_core::Result<Arc<dyn TokenCredential>>, CollectError> {
    let authority = variable("AZURE_AUTHORITY_HOST").unwrap_or_else(|| cloud.authority().to_owned());
    let audience = format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
    let certificate = Certificate::read(path, &client, audience)?;
    let options = ClientAssertionCredentialOptions { client_options: client_options(cloud) };
    let made = ClientAssertionCredential::new(tenant.to_owned(), client, certificate, Some(options));
    Ok(made.map(|held| held as _))
}

/// Why there is no token, in one line of moderate length, and whether that may pass.
fn said(error: &azure_core::Error) -> (String, bool) {
    let passes = matches!(error.kind(), azure_core::error::ErrorKind::Io)
        || error.http_status().is_some_and(|status| status.is_server_error() || u16::from(status) == 429);
    (causes(error).chars().filter(|c| !c.is_control()).take(300).collect(), passes)
}

/// The tenant that a token is of, where it says so. Nothing is checked: the vendor does that.
pub(crate) fn tenant_in(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        tid: String,
    }
    let claims = token.split('.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Some(claims.tid)
}

/// How the credentials talk: through this crate's transport, once, since the collector tries again by itself.
fn client_options(cloud: Cloud) -> ClientOptions {
    let mut custom = CustomConfiguration::default();
    custom.authority_host = cloud.authority().to_owned();
    // Who names another sign-in means it.
    let cloud = variable("AZURE_AUTHORITY_HOST").is_none().then(|| Arc::new(CloudConfiguration::Custom(custom)));
    ClientOptions {
        transport: Some(Transport::new(Arc::new(Exchange))),
        retry: RetryOptions::none(),
        cloud,
        ..ClientOptions::default()
    }
}

/// The time that signing in may take.
const LIMIT: Duration = Duration::from_secs(30);

/// The transport of credentials.
#[derive(Debug)]
struct Exchange;

fn failed(why: String) -> azure_core::Error {
    azure_core::Error::with_message(azure_core::error::ErrorKind::Io, why)
}

#[async_trait::async_trait]
impl HttpClient for Exchange {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut builder = http::Request::builder().method(request.method().as_ref()).uri(request.url().as_str());
        for (name, value) in request.headers().iter() {
            builder = builder.header(name.as_str(), value.as_str());
        }
        let body = match request.body() {
            Body::Bytes(bytes) => bytes.to_vec(),
            Body::SeekableStream(_) => return Err(failed("a stream is no sign-in".to_owned())),
        };
        let request = builder.body(body).map_err(|error| failed(error.to_string()))?;
        let http = Http::new(request.uri(), LIMIT, Arc::<Held>::default()).map_err(failed)?;
        let answer = http.send(request).await.map_err(|trouble| {
            failed(
                trouble
                    .detail
                    .map_or_else(|| trouble.refusal.code.clone(), |why| format!("{}: {why}", trouble.refusal.code)),
            )
        })?;
        let mut headers = Headers::new();
        for (name, value) in &answer.headers {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        let status = StatusCode::from(answer.status);
        Ok(AsyncRawResponse::from_bytes(status, headers, answer.page.bytes.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_whose_it_is_and_one_that_cannot_be_read_says_nothing() {
        let token = |claims: &str| format!("x.{}.y", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(tenant_in(&token(r#"{"tid":"t-1","aud":"x"}"#)).as_deref(), Some("t-1"));
        for text in ["fake-token", "x..y", "", &token("{}"), &token("[]")] {
            assert_eq!(tenant_in(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_pipeline_lacks_is_named() {
        let error = Credentials::load(&Who::Pipelines("connection".to_owned()), Some("t"), Cloud::Public).unwrap_err();
        assert!(error.to_string().contains("AZURE_CLIENT_ID") || error.to_string().contains("SYSTEM_"), "{error}");
    }
}
