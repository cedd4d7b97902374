//! A store in a bucket of an S3-compatible object store.
//!
//! Credentials, region and endpoint come from the environment, by the names that the vendor's own tools read: keys, a web
//! identity token, or the container or instance that evenhand runs in. An object is there whole or not at all.

use std::fmt;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ClientOptions, Error, ObjectStore as _, ObjectStoreExt as _, RetryConfig};
use tokio::runtime::{Builder, Runtime};

use super::StoreError;

/// The scheme of a bucket's name.
pub(super) const SCHEME: &str = "s3";

/// A place in a bucket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bucket {
    name: String,
    /// Below which the store lies; empty = the whole bucket.
    prefix: String,
}

impl Bucket {
    /// From what follows `s3://`.
    ///
    /// # Errors
    /// A message for the user.
    pub(super) fn parse(rest: &str) -> Result<Self, String> {
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        if name.len() < 3 || !name.chars().all(allowed) {
            return Err(format!("`{name}` is no name of a bucket; write it as s3://BUCKET or s3://BUCKET/PREFIX"));
        }
        let prefix = prefix.trim_matches('/').to_owned();
        Path::parse(&prefix).map_err(|error| format!("the prefix cannot be used: {error}"))?;
        Ok(Self { name: name.to_owned(), prefix })
    }

    /// Gets ready to ask for files; nothing is asked yet.
    ///
    /// # Errors
    /// When what the environment says cannot be used.
    pub(super) fn open(&self) -> Result<OpenBucket, StoreError> {
        let fail = |what: String| StoreError::Remote { place: self.to_string(), what };
        if !has_credentials() && is_true("AWS_EC2_METADATA_DISABLED") {
            return Err(fail(format!("cannot be asked: {NO_CREDENTIALS}")));
        }
        // Somebody waits for the answer: whatever does not answer in half a minute will not.
        let retry = RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(30), ..RetryConfig::default() };
        let options = ClientOptions::new()
            .with_connect_timeout(Duration::from_secs(5))
            .with_timeout(Duration::from_secs(60))
            .with_allow_http(without_tls());
        let store = AmazonS3Builder::from_env()
            .with_client_options(options)
            .with_retry(retry)
            .with_bucket_name(&self.name)
            .build()
            .map_err(|error| fail(format!("cannot be asked: {}", said(&error))))?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| fail(format!("cannot be asked: {error}")))?;
        Ok(OpenBucket { bucket: self.clone(), store, runtime })
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}://{}", self.name)?;
        if !self.prefix.is_empty() {
            write!(f, "/{}", self.prefix)?;
        }
        Ok(())
    }
}

/// A bucket that can be asked.
#[derive(Debug)]
pub(super) struct OpenBucket {
    bucket: Bucket,
    store: AmazonS3,
    runtime: Runtime,
}

impl OpenBucket {
    /// The files of a table; see [`super::place::Shelf::files`].
    pub(super) fn files(&self, table: &str) -> Result<Vec<String>, StoreError> {
        let list = |prefix: Path| {
            let listed = self.runtime.block_on(self.store.list_with_delimiter(Some(&prefix)));
            listed.map_err(|error| self.fault(table, "cannot be listed", &error))
        };
        let mut files = Vec::new();
        for day in list(self.path(table))?.common_prefixes {
            let Some(name) = day.filename().map(str::to_owned) else { continue };
            for object in list(day)?.objects {
                if let Some(file) = object.location.filename().filter(|file| file.ends_with(".parquet")) {
                    files.push(format!("{table}/{name}/{file}"));
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// The content of a file.
    pub(super) fn read(&self, file: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.path(file);
        let read = self.runtime.block_on(async { self.store.get(&path).await?.bytes().await });
        read.map(|bytes| bytes.to_vec()).map_err(|error| self.fault(file, "cannot be read", &error))
    }

    /// Writes a file; one of that name is replaced.
    pub(super) fn write(&self, file: &str, content: Vec<u8>) -> Result<(), StoreError> {
        let path = self.path(file);
        let written = self.runtime.block_on(self.store.put(&path, content.into()));
        written.map(drop).map_err(|error| self.fault(file, "cannot be written", &error))
    }

    /// How people find a file.
    pub(super) fn named(&self, file: &str) -> String {
        format!("{}/{file}", self.bucket)
    }

    fn path(&self, below: &str) -> Path {
        Path::from(format!("{}/{below}", self.bucket.prefix))
    }

    fn fault(&self, file: &str, what: &str, error: &Error) -> StoreError {
        StoreError::Remote { place: self.named(file), what: format!("{what}: {}", said(error)) }
    }
}

/// Whether the endpoint of the environment may be asked without TLS: it is on this machine, or somebody said so by the
/// name that other tools over the same library read.
fn without_tls() -> bool {
    let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].into_iter().find_map(|name| std::env::var(name).ok());
    endpoint.is_some_and(|endpoint| is_here(&endpoint)) || is_true("AWS_ALLOW_HTTP")
}

fn is_true(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|said| said.eq_ignore_ascii_case("true"))
}

/// What is said where nobody gives credentials.
const NO_CREDENTIALS: &str = "there are no credentials in the environment, and none of this machine's own";

/// Where a machine of a cloud asks for its own credentials.
const METADATA: &str = "169.254.169.254";

/// Whether the environment names credentials, so that the machine's own are not asked for.
fn has_credentials() -> bool {
    const NAMES: [&str; 4] = [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    NAMES.iter().any(|name| std::env::var_os(name).is_some())
}

/// Whether an endpoint is on this machine.
fn is_here(endpoint: &str) -> bool {
    let Some(rest) = endpoint.strip_prefix("http://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.strip_prefix("[::1]").map_or(host, |_| "localhost");
    matches!(host.split(':').next(), Some("127.0.0.1" | "localhost"))
}

/// An error in one line, without what the server answered beside it.
fn said(error: &Error) -> String {
    match error {
        Error::NotFound { .. } => "there is no such object or bucket".to_owned(),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            "these credentials may not do that".to_owned()
        }
        other => match other.to_string() {
            text if text.contains(METADATA) => NO_CREDENTIALS.to_owned(),
            text => text.lines().next().unwrap_or_default().to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_buckets_are_read_and_printed_alike() {
        for (text, told) in
            [("posture", "s3://posture"), ("posture/", "s3://posture"), ("posture/a/b/", "s3://posture/a/b")]
        {
            assert_eq!(Bucket::parse(text).unwrap().to_string(), told);
        }
        for wrong in ["", "x", "Posture", "a b/c", "posture/a//b", "posture/../b"] {
            assert!(Bucket::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_what_stays_on_this_machine_goes_without_tls() {
        for (endpoint, here) in [
            ("http://127.0.0.1:9000", true),
            ("http://localhost", true),
            ("http://[::1]:9000/x", true),
            ("https://127.0.0.1", false),
            ("http://127.0.0.1.example.com", false),
            ("http://store.example.com", false),
        ] {
            assert_eq!(is_here(endpoint), here, "{endpoint}");
        }
    }
}
