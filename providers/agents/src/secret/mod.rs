//! Secrets in configuration: where they can stand, what tells them from references and placeholders, what kind they are.
//!
//! Nothing outside this module looks at values that may be secret. What leaves it is a [`Found`]: kind, place and
//! fingerprint; and text with its secrets cut out ([`redact`]).

mod formats;
mod issuer;
mod names;
mod slots;
mod standing_in;
mod value;
mod withheld;

use std::sync::Arc;

use evenhand_model::secret::Fingerprint;

pub(crate) use issuer::is_elsewhere;
pub(crate) use names::{of_name, promise};
pub(crate) use slots::{Slots, Speaks, dotenv, kubeconfig};
pub(crate) use standing_in::is_standing_in;
pub(crate) use value::{in_slot, redact, replace};

/// What a secret is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kind {
    /// The word used in the credentials table.
    pub(crate) name: &'static str,
    /// Whether its issuer offers a short-lived or federated way for the same purpose; `None` = not known.
    pub(crate) federable: Option<bool>,
    /// Whether it ends by itself within hours.
    pub(crate) short_lived: bool,
    /// Whether it is no secret but names one to the issuer.
    pub(crate) public: bool,
}

impl Kind {
    pub(crate) const fn named(name: &'static str) -> Self {
        Self { name, federable: None, short_lived: false, public: false }
    }
}

/// Kinds of secrets with which models are called.
const OF_MODELS: &[&str] = &[
    "anthropic_admin_key",
    "anthropic_api_key",
    "anthropic_oauth_token",
    "azure_resource_key",
    "bedrock_api_key",
    "bedrock_session_key",
    "cohere_api_key",
    "deepseek_api_key",
    "fireworks_api_key",
    "google_api_key",
    "groq_api_key",
    "mistral_api_key",
    "nvidia_api_key",
    "openai_api_key",
    "openrouter_api_key",
    "perplexity_api_key",
    "replicate_token",
    "together_api_key",
    "xai_api_key",
];

/// Kinds that tell no issuer.
const OF_ANYBODY: &[&str] = &["jwt", "private_key"];

/// Whether models are called with secrets of a kind.
pub(crate) fn calls_models(kind: &str) -> bool {
    OF_MODELS.contains(&kind)
}

/// What a text, or a part of it, is by a form that its issuer documents.
pub(crate) fn of_form(text: &str) -> Option<Kind> {
    let mut found = formats::tokens(text).into_iter().map(|(_, kind)| kind);
    found.find(|kind| !kind.public && !OF_ANYBODY.contains(&kind.name))
}

/// What a text under a name, or a part of it, is by a form that its issuer documents.
pub(crate) fn of_form_under(name: &str, text: &str) -> Option<Kind> {
    let mut found = formats::tokens(text).into_iter().filter_map(|(range, kind)| Some((text.get(range)?, kind)));
    let (token, kind) = found.find(|(_, kind)| !kind.public && !OF_ANYBODY.contains(&kind.name))?;
    Some(told_apart(kind, token, name))
}

/// Whose key it is that has a form: where several issuers give out keys of that form, the one that the name beside it tells.
pub(crate) fn told_apart(form: Kind, token: &str, name: &str) -> Kind {
    let named = || of_name(name).filter(|kind| calls_models(kind.name));
    if formats::is_shared(token) { named().unwrap_or(form) } else { form }
}

/// The kind of an issuer that has this word.
pub(crate) fn of_word(word: &str) -> Option<Kind> {
    let kinds = names::known().chain(formats::FORMATS.iter().map(|format| format.kind));
    let mut of_issuers = kinds.filter(|kind| !kind.public && !OF_ANYBODY.contains(&kind.name));
    of_issuers.find(|kind| kind.name == word)
}

/// A secret that was found, without the secret.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    /// The place inside the configuration: `env.GITHUB_TOKEN`, `args.3`.
    pub(crate) slot: String,
    pub(crate) line: u32,
    pub(crate) in_arguments: bool,
    pub(crate) fingerprint: Option<Fingerprint>,
    /// An access key id; no secret.
    pub(crate) public_id: Option<Arc<str>>,
    /// Set where the value has the form of a token whose checksum does not fit: most likely an example.
    pub(crate) checksum_fails: bool,
}

impl Found {
    /// In a client's own store: tokens of a session end by themselves, what renews them does not.
    pub(crate) fn tell_sessions(&mut self) {
        let name = self.slot.rsplit('.').next().unwrap_or(&self.slot).to_ascii_lowercase().replace(['_', '-'], "");
        if matches!(name.as_str(), "accesstoken" | "idtoken") {
            self.kind.short_lived = true;
        }
    }
}

/// An environment file that configuration names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct EnvFile {
    /// Its path, as it is written there.
    pub(crate) path: String,
    pub(crate) line: u32,
    /// Whether arguments name it: of a container that these start, its variables are the container's.
    pub(crate) in_arguments: bool,
}

/// A principal that configuration names without holding its secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Borrowed {
    /// `aws-profile:prod`, `kube-context:main`, `kubeconfig:` and a file, or the principal's own globally unique name.
    pub(crate) target: String,
    /// The key that names it.
    pub(crate) key: &'static str,
    pub(crate) line: u32,
}
