//! Who asks: a token, or an app that makes short-lived tokens of its own. Neither is ever printed or written.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use evenhand_collect::Trouble;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use tokio::sync::Mutex;

use super::{CollectError, Who};

/// A token, as it is sent.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// A token, unless it can be none.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let plain = !text.is_empty() && text.len() <= 4096 && text.bytes().all(|byte| byte.is_ascii_graphic());
        plain.then(|| Self(text.to_owned()))
    }

    /// The value of the header that carries it.
    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

/// Who asks.
pub(crate) enum Credentials {
    /// Whoever a token belongs to.
    Token(Token),
    /// An app.
    App(Box<App>),
}

impl Credentials {
    /// The credentials that options name.
    pub(crate) fn load(who: &Who) -> Result<Self, CollectError> {
        match who {
            Who::Environment => {
                let mut named = ["GITHUB_TOKEN", "GH_TOKEN"].into_iter().filter_map(|name| std::env::var(name).ok());
                let token = named.find_map(|text| Token::new(&text));
                token.map(Self::Token).ok_or(CollectError::NoCredentials)
            }
            Who::TokenFile(path) => {
                let text = read(path)?;
                let token = Token::new(&text).ok_or_else(|| bad(path, "it is no token"))?;
                Ok(Self::Token(token))
            }
            Who::App { id, key, installation } => Ok(Self::App(Box::new(App::load(id, key, *installation)?))),
        }
    }
}

fn read(path: &Path) -> Result<String, CollectError> {
    std::fs::read_to_string(path).map_err(|error| bad(path, &error.to_string()))
}

fn bad(path: &Path, why: &str) -> CollectError {
    CollectError::BadCredentials(path.display().to_string(), why.to_owned())
}

/// A GitHub App, and the tokens of its installations.
pub(crate) struct App {
    id: String,
    key: RsaKeyPair,
    /// The installation that is named.
    pub(crate) installation: Option<u64>,
    pub(crate) installed: Mutex<Installed>,
}

/// What is known of the installations of an app.
#[derive(Default)]
pub(crate) struct Installed {
    /// The token of an organisation's installation, with the moment until which it is used.
    pub(crate) held: Option<(String, Token, Instant)>,
    /// Organisations that give the app no token, with what was said.
    pub(crate) refused: BTreeMap<String, Trouble>,
}

/// Tokens of installations last an hour.
pub(crate) const LASTS: Duration = Duration::from_secs(55 * 60);

impl App {
    fn load(id: &str, key: &Path, installation: Option<u64>) -> Result<Self, CollectError> {
        let text = read(key)?;
        let der =
            PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| bad(key, "it is no private key in PEM"))?;
        let pair = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(bad(key, "it is no RSA key")),
        };
        let key = pair.map_err(|_| bad(key, "it is no RSA key"))?;
        Ok(Self { id: id.to_owned(), key, installation, installed: Mutex::default() })
    }

    /// The app's own proof: a token of some minutes, signed with its key (RFC 7519, RS256).
    pub(crate) fn proof(&self, now: SystemTime) -> Option<Token> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = part(serde_json::json!({"alg": "RS256", "typ": "JWT"}));
        // Clocks differ, and GitHub takes none that lasts longer than ten minutes.
        let claims = part(serde_json::json!({"iat": now.saturating_sub(60), "exp": now + 480, "iss": self.id}));
        let said = format!("{head}.{claims}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), said.as_bytes(), &mut signature).ok()?;
        Token::new(&format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
