//! The subject of a client certificate, as an API server of Kubernetes takes it: the common name is the user, every
//! organisation a group (Kubernetes reference, authentication with X.509 client certificates). A certificate is no secret;
//! the key beside it is, and is not looked at.

use evenhand_model::evidence::Fact;
use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::DecodePem;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::name::DirectoryString;

/// `commonName` and `organizationName` (X.520).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// The largest text that is taken for a certificate, in bytes.
const LARGEST: usize = 64 << 10;

/// Whom a certificate proves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) user: String,
    /// In the order of the certificate.
    pub(super) groups: Vec<String>,
    pub(super) expires_at: Fact<Timestamp>,
}

/// The subject of the first certificate of a chain in PEM; `None` where it is none, or names nobody.
pub(super) fn subject(pem: &[u8]) -> Option<Subject> {
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let pem = pem.get(..LARGEST.min(pem.len()))?;
    let end = pem.windows(END.len()).position(|window| window == END)?;
    let certificate = Certificate::from_pem(pem.get(..end + END.len())?).ok()?;
    let certificate = certificate.tbs_certificate();
    let texts = |kind: ObjectIdentifier| {
        let parts = certificate.subject().iter().filter(move |part| part.oid == kind);
        parts.filter_map(|part| Some(DirectoryString::try_from(&part.value).ok()?.value().into_owned()))
    };
    // Of several names the last one counts, as for the API server.
    let user = texts(COMMON_NAME).last().filter(|name| !name.is_empty())?;
    let seconds = i64::try_from(certificate.validity().not_after.to_unix_duration().as_secs()).ok();
    let expires_at = Fact::known(seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()));
    Some(Subject { user, groups: texts(ORGANISATION).collect(), expires_at })
}
