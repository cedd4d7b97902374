//! Environment variables: which of them hold a secret as a literal. Their values leave this file as fingerprints only.

use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::secret::{self, Fingerprinter};

use crate::inventory::facts::FoundSecret;

/// What a literal is, if it is a secret.
fn classify(name: &str, value: &str) -> Option<&'static str> {
    let value = value.trim();
    if value.len() < 8 || is_reference(value) || is_placeholder(value) {
        return None;
    }
    let name = name.to_ascii_uppercase();
    if let Some(kind) = by_shape(value) {
        return Some(kind);
    }
    // A name may say `SECRET_ARN`, `TOKEN_URL`, `PASSWORD_PARAMETER`: the place of a secret, not the secret.
    let names_a_place =
        ["_ARN", "_NAME", "_URL", "_URI", "_ID", "_PATH", "_FILE", "_PARAMETER", "_TTL", "_REGION", "_KEY_ALIAS"]
            .iter()
            .any(|end| name.ends_with(end));
    if names_a_place || value.contains(char::is_whitespace) || value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if matches!(value.to_ascii_lowercase().as_str(), "required" | "disabled" | "enabled" | "optional") {
        return None;
    }
    let says = |word: &str| name.contains(word);
    if says("PASSWORD") || says("PASSWD") || says("PASSPHRASE") || name.ends_with("_PWD") || name.ends_with("_PW") {
        return Some("password");
    }
    let key = says("API_KEY") || says("APIKEY") || says("ACCESS_KEY") || says("PRIVATE_KEY") || says("SECRET_KEY");
    if key || says("SECRET") || says("CREDENTIAL") {
        return Some(if says("API") { "api_key" } else { "secret" });
    }
    if says("TOKEN") && (name.ends_with("TOKEN") || says("AUTH")) {
        return Some("token");
    }
    None
}

fn by_shape(value: &str) -> Option<&'static str> {
    const PREFIXES: [(&str, usize, &str); 19] = [
        ("AKIA", 20, "access_key"),
        ("sk-ant-", 20, "api_key"),
        ("sk-", 20, "api_key"),
        ("ABSK", 40, "api_key"),
        ("AIza", 35, "api_key"),
        ("gsk_", 20, "api_key"),
        ("hf_", 20, "api_key"),
        ("sk_live_", 20, "api_key"),
        ("rk_live_", 20, "api_key"),
        ("ghp_", 30, "token"),
        ("gho_", 30, "token"),
        ("ghs_", 30, "token"),
        ("github_pat_", 40, "token"),
        ("glpat-", 20, "token"),
        ("xoxb-", 20, "token"),
        ("xoxp-", 20, "token"),
        ("npm_", 30, "token"),
        ("dapi", 32, "token"),
        ("-----BEGIN", 30, "private_key"),
    ];
    if let Some((_, _, kind)) =
        PREFIXES.iter().find(|(prefix, least, _)| value.starts_with(prefix) && value.len() >= *least)
    {
        return Some(kind);
    }
    if value.starts_with("eyJ") && value.matches('.').count() == 2 && value.len() >= 40 {
        return Some("token");
    }
    // scheme://user:password@host
    let (_, rest) = value.split_once("://")?;
    let (user, _) = rest.split_once('@')?;
    let (_, password) = user.split_once(':')?;
    (!password.is_empty() && !user.contains('/') && !is_placeholder(password)).then_some("connection_string")
}

/// Whether the value only says where the secret is.
fn is_reference(value: &str) -> bool {
    value.starts_with("arn:")
        || value.contains("{{resolve:")
        || value.starts_with("${")
        || value.starts_with("$(")
        || value.starts_with("{{")
        || value.starts_with("ssm:")
        || value.starts_with("secretsmanager:")
        || value.starts_with("vault:")
        || value.starts_with("op://")
        || value.starts_with("file://")
        || value.starts_with('/')
}

fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    (value.starts_with('<') && value.ends_with('>'))
        || value.bytes().all(|byte| matches!(byte, b'*' | b'x' | b'X' | b'.' | b'-'))
        || ["changeme", "change-me", "change_me", "placeholder", "your-", "your_", "redacted", "dummy"]
            .iter()
            .any(|word| lower.starts_with(word))
}

/// The variables under which model platforms' clients look for their key.
fn model_platform(name: &str) -> Option<&'static str> {
    Some(match name {
        "ANTHROPIC_API_KEY" | "ANTHROPIC_AUTH_TOKEN" | "CLAUDE_API_KEY" | "CLAUDE_CODE_OAUTH_TOKEN" => "Anthropic",
        "OPENAI_API_KEY" | "AZURE_OPENAI_API_KEY" => "OpenAI",
        "GEMINI_API_KEY" | "GOOGLE_API_KEY" | "GOOGLE_GENERATIVE_AI_API_KEY" => "Google",
        "AWS_BEARER_TOKEN_BEDROCK" => "Bedrock",
        "MISTRAL_API_KEY" => "Mistral",
        "COHERE_API_KEY" | "CO_API_KEY" => "Cohere",
        "GROQ_API_KEY" => "Groq",
        "OPENROUTER_API_KEY" => "OpenRouter",
        "DEEPSEEK_API_KEY" => "DeepSeek",
        "TOGETHER_API_KEY" => "Together",
        "FIREWORKS_API_KEY" => "Fireworks",
        "PERPLEXITY_API_KEY" | "PPLX_API_KEY" => "Perplexity",
        "XAI_API_KEY" => "xAI",
        _ => return None,
    })
}

/// What is written in place of a value that must not reach the disk: that there was one, and for a secret its kind and
/// fingerprint. The id of an access key and references to places stay, since neither is a secret.
#[cfg(feature = "live")]
pub(crate) fn withhold(name: &str, value: &str, fingerprinter: &Fingerprinter) -> String {
    match classify(name, value) {
        Some("access_key") if value.trim().len() == 20 => value.trim().to_owned(),
        kind => secret::withheld(kind.map(|kind| (kind, fingerprinter.fingerprint(value.trim().as_bytes())))),
    }
}

/// What an environment tells.
#[derive(Default)]
pub(super) struct Told {
    pub(super) secrets: Vec<FoundSecret>,
    pub(super) model_keys: Vec<Arc<str>>,
}

impl Told {
    /// Looks at one variable.
    pub(super) fn look(
        &mut self,
        name: &str,
        value: &str,
        evidence: impl FnOnce() -> Evidence,
        fingerprinter: &Fingerprinter,
    ) {
        if let Some(platform) = model_platform(name) {
            self.model_keys.push(Arc::from(platform));
        }
        let value = value.trim();
        let found = match secret::of_withheld(value) {
            Some(found) => found,
            None => classify(name, value).map(|kind| (kind, fingerprinter.fingerprint(value.as_bytes()))),
        };
        let Some((kind, fingerprint)) = found else { return };
        self.secrets.push(FoundSecret {
            variable: Arc::from(name),
            kind,
            fingerprint,
            // The id of an access key is no secret: it names the key to its issuer.
            public_id: (kind == "access_key" && value.len() == 20).then(|| Arc::from(value)),
            evidence: evidence(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_told_from_references_and_placeholders() {
        for (name, value, kind) in [
            ("DB_PASSWORD", "not-a-real-password", Some("password")),
            ("ANTHROPIC_API_KEY", "sk-ant-fake-fake-fake-fake", Some("api_key")),
            ("X", "sk-ant-fake-fake-fake-fake", Some("api_key")),
            ("AWS_ACCESS_KEY_ID", "AKIAFAKEFAKEFAKEFAKE", Some("access_key")),
            ("DATABASE_URL", "postgres://app:fakefake@db.internal/app", Some("connection_string")),
            ("DATABASE_URL", "postgres://db.internal/app", None),
            ("CLIENT_SECRET", "fake-fake-fake", Some("secret")),
            ("GITHUB_TOKEN", "fake-fake-fake", Some("token")),
            ("DB_SECRET_ARN", "prod/db/password", None),
            ("DB_PASSWORD", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db", None),
            ("DB_PASSWORD", "{{resolve:ssm-secure:db}}", None),
            ("DB_PASSWORD", "/prod/db/password", None),
            ("API_KEY", "<your key here>", None),
            ("API_KEY", "********", None),
            ("MAX_TOKENS", "40000000", None),
            ("LOG_LEVEL", "information", None),
        ] {
            assert_eq!(classify(name, value), kind, "{name}");
        }
    }

    #[cfg(feature = "live")]
    #[test]
    fn what_is_withheld_says_as_much_as_the_value_itself_would() {
        let fingerprinter = Fingerprinter::keyed("test");
        let look = |value: &str| {
            let mut told = Told::default();
            told.look("DB_PASSWORD", value, || Evidence::whole("x"), &fingerprinter);
            told.secrets.pop().map(|found| (found.kind, found.fingerprint))
        };
        let value = "not-a-real-password";
        let written = withhold("DB_PASSWORD", value, &fingerprinter);
        assert!(!written.contains(value) && look(value).is_some());
        assert_eq!(look(&written), look(value));
        assert_eq!(look(&withhold("DB_PASSWORD", "changeme", &fingerprinter)), None);
        assert_eq!(withhold("KEY", "AKIAFAKEFAKEFAKEFAKE", &fingerprinter), "AKIAFAKEFAKEFAKEFAKE");
    }
}
