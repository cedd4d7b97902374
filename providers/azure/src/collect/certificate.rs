//! Applications that prove themselves with a certificate: the proof is a token of some minutes, signed with its key.
//!
//! `azure_identity` has such a credential too, which takes PKCS#12 and needs OpenSSL; here the key and the certificate are PEM,
//! and the cryptography is that of the rest of the program.
//! Source: <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>.

use std::path::Path;
use std::time::SystemTime;

use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use super::CollectError;

/// How long a proof lasts, in seconds.
const LASTS: u64 = 600;
/// By how much clocks may differ, in seconds.
const SKEW: u64 = 60;

/// An application's certificate with its key.
pub(crate) struct Certificate {
    key: RsaKeyPair,
    /// The SHA-256 digest of the certificate, by which Entra finds it.
    thumbprint: String,
    client: String,
    /// Where the proof is shown.
    audience: String,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

fn bad(path: &Path, why: &str) -> CollectError {
    CollectError::BadCredentials(format!("`{}`: {why}", path.display()))
}

impl Certificate {
    /// Reads a certificate and its key from a file in PEM; of several certificates the one of the key counts.
    pub(crate) fn read(path: &Path, client: &str, audience: String) -> Result<Self, CollectError> {
        let text = std::fs::read(path).map_err(|error| bad(path, &error.to_string()))?;
        let no_key = "it holds no private key in PEM that no password protects; make it with `openssl pkcs12 -nodes`";
        let der = PrivateKeyDer::from_pem_slice(&text).map_err(|_| bad(path, no_key))?;
        let pair = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(bad(path, "its key is no RSA key, and Entra takes no other")),
        };
        let key = pair.map_err(|_| bad(path, "its key is no RSA key of 2,048 bits or more"))?;
        // As it stands in a certificate, too (RFC 8017, A.1.1).
        let public = key.public().as_ref();
        let (mut certificates, mut own) = (0_usize, None);
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let certificate = certificate.map_err(|_| bad(path, "a certificate in it cannot be read"))?;
            certificates += 1;
            if own.is_none() && certificate.windows(public.len()).any(|part| part == public) {
                own = Some(URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate)));
            }
        }
        match own {
            Some(thumbprint) => Ok(Self { key, thumbprint, client: client.to_owned(), audience }),
            None if certificates == 0 => Err(bad(path, "it holds no certificate; put it beside the key, in PEM")),
            None => Err(bad(path, "no certificate in it is that of its key")),
        }
    }

    /// The proof; `None` = the system has no random numbers, or its clock stands before 1970.
    fn proof(&self, now: SystemTime) -> Option<String> {
        let random = SystemRandom::new();
        let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        let mut id = [0_u8; 16];
        random.fill(&mut id).ok()?;
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = part(json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint}));
        let claims = part(json!({
            "aud": self.audience,
            "exp": now + LASTS - SKEW,
            "iss": self.client,
            "jti": URL_SAFE_NO_PAD.encode(id),
            "nbf": now.saturating_sub(SKEW),
            "sub": self.client,
        }));
        let said = format!("{head}.{claims}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PSS_SHA256, &random, said.as_bytes(), &mut signature).ok()?;
        Some(format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[async_trait::async_trait]
impl ClientAssertion for Certificate {
    async fn secret(&self, _options: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        self.proof(SystemTime::now()).ok_or_else(|| {
            let kind = azure_core::error::ErrorKind::Credential;
            azure_core::Error::with_message(kind, "the certificate's key signed nothing")
        })
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
    use rsa::Generate as _;
    use rsa::pkcs1::{EncodeRsaPrivateKey as _, LineEnding};

    use super::*;

    const AUDIENCE: &str = "https://login.microsoftonline.com/t/oauth2/v2.0/token";

    fn pem(label: &str, der: &[u8]) -> String {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    }

    #[test]
    fn the_proof_is_signed_with_the_key_and_names_the_certificate_that_is_its_own() {
        let key = rsa::PrivateKey::generate().to_pkcs1_pem(LineEnding::LF).unwrap().as_str().to_owned();
        let PrivateKeyDer::Pkcs1(der) = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap() else { panic!() };
        let pair = RsaKeyPair::from_der(der.secret_pkcs1_der()).unwrap();
        // What counts of a certificate here is which key it is of.
        let own = [b"certificate of ".as_slice(), pair.public().as_ref()].concat();
        let (issuer, own_pem) = (pem("CERTIFICATE", b"certificate of another key"), pem("CERTIFICATE", &own));
        let home = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            let path = home.path().join("app.pem");
            std::fs::write(&path, text).unwrap();
            Certificate::read(&path, "client", AUDIENCE.to_owned())
        };
        let certificate = read(&format!("{key}{issuer}{own_pem}")).unwrap();
        let proof = certificate.proof(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000)).unwrap();
        let parts: Vec<&str> = proof.split('.').collect();
        let of = |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &own));
        assert_eq!(of(parts[0]), json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}));
        let claims = of(parts[1]);
        assert_eq!(
            (&claims["aud"], &claims["iss"], &claims["sub"]),
            (&json!(AUDIENCE), &json!("client"), &json!("client"))
        );
        assert_eq!((&claims["nbf"], &claims["exp"]), (&json!(999_940), &json!(1_000_540)));
        let public = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, certificate.key.public());
        let signed = format!("{}.{}", parts[0], parts[1]);
        public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
        assert!(!format!("{certificate:?}").contains("PRIVATE"));
        for (text, why) in [
            (own_pem.clone(), "no private key"),
            (key.clone(), "no certificate; put it"),
            (format!("{key}{issuer}"), "no certificate in it is that of its key"),
            ("PFX".to_owned(), "openssl pkcs12"),
            (pem("ENCRYPTED PRIVATE KEY", b"fake"), "no password protects"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("app.pem"), "{error}");
        }
    }
}
