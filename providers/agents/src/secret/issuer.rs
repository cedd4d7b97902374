//! Whose keys are meant: other stores speak the protocol of Amazon S3, take its variables, and issue keys of their own.

use evenhand_model::secret::of_withheld;

use super::{Found, Kind};

/// Variables and flags that say where the store is that keys are for. Sources: AWS SDKs and Tools reference guide, service-
/// specific endpoints; documentation of the MinIO client and of S3 tools that take the others.
const ENDPOINTS: &[&str] = &[
    "aws_endpoint_url",
    "aws_endpoint_url_s3",
    "aws_s3_endpoint",
    "aws_s3_endpoint_url",
    "aws_endpoint",
    "s3_endpoint",
    "s3_endpoint_url",
    "minio_endpoint",
    "minio_url",
    "minio_server_url",
    "endpoint_url",
];

/// Ends of the names of hosts that AWS runs.
const AWS: &[&str] = &["amazonaws.com", "amazonaws.com.cn", "api.aws", "c2s.ic.gov", "sc2s.sgov.gov"];

/// The kind of a secret key that another store than Amazon S3 issued.
const OTHER: Kind = Kind::named("s3_secret_key");

/// Whether a variable or flag names a store that is not AWS's. One that refers to something else names nothing, nor does one
/// whose value a collector withheld.
pub(crate) fn is_elsewhere(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let names_nothing = value.contains(['$', '{', '%', '<']) || of_withheld(value).is_some();
    if !ENDPOINTS.contains(&name.as_str()) || names_nothing {
        return false;
    }
    let (_, rest) = value.trim().split_once("://").unwrap_or(("", value.trim()));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit('@').next().unwrap_or("");
    let host = host.split(':').next().unwrap_or("").trim_end_matches('.').to_ascii_lowercase();
    let is_aws = |end: &&str| host.strip_suffix(*end).is_some_and(|before| before.is_empty() || before.ends_with('.'));
    !host.is_empty() && !AWS.iter().any(is_aws)
}

/// Takes keys for those of another store, unless a key id among them has the form that AWS gives.
pub(super) fn not_aws(found: &mut [Found]) {
    if found.iter().any(|one| one.kind.public) {
        return;
    }
    for one in found.iter_mut().filter(|one| matches!(one.kind.name, "aws_secret_access_key" | "aws_session_token")) {
        one.kind = OTHER;
    }
}
