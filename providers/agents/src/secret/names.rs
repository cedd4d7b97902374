//! What the name of a slot says about its value: `GITHUB_TOKEN` holds a token, `MAX_TOKENS` a number.

use evenhand_model::words::words;

use super::Kind;

/// What a name promises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Promise {
    /// The kind of secret that a literal under this name is.
    pub(crate) kind: Kind,
    /// The shortest value that is taken for a secret.
    pub(crate) shortest: usize,
    pub(crate) proof: Proof,
}

/// What a value must show, beside standing under that name, to be taken for a secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Proof {
    /// Nothing more.
    Name,
    /// That it looks random.
    Random,
    /// That it is one long random part: names, and ids that only number something, stand under such names too.
    LongRandom,
}

/// The kind of a literal session of a person or program.
pub(crate) const SESSION: Promise = Promise { kind: Kind::named("token"), shortest: 20, proof: Proof::LongRandom };

/// Names that are told apart because of what they open.
const KNOWN: &[(&str, Kind)] = &[
    ("aws_secret_access_key", Kind { federable: Some(true), ..Kind::named("aws_secret_access_key") }),
    ("aws_session_token", Kind { federable: Some(true), short_lived: true, ..Kind::named("aws_session_token") }),
    ("aws_bearer_token_bedrock", Kind { federable: Some(true), ..Kind::named("bedrock_api_key") }),
    ("azure_client_secret", Kind { federable: Some(true), ..Kind::named("azure_client_secret") }),
    ("arm_client_secret", Kind { federable: Some(true), ..Kind::named("azure_client_secret") }),
    ("azureopenai_api_key", Kind { federable: Some(true), ..Kind::named("azure_resource_key") }),
    ("azure_openai_api_key", Kind { federable: Some(true), ..Kind::named("azure_resource_key") }),
    ("anthropic_api_key", Kind { federable: Some(true), ..Kind::named("anthropic_api_key") }),
    ("anthropic_auth_token", Kind { federable: Some(true), ..Kind::named("anthropic_api_key") }),
    ("claude_api_key", Kind { federable: Some(true), ..Kind::named("anthropic_api_key") }),
    ("claude_code_oauth_token", Kind::named("anthropic_oauth_token")),
    ("openai_api_key", Kind::named("openai_api_key")),
    ("codex_api_key", Kind::named("openai_api_key")),
    ("gemini_api_key", Kind { federable: Some(true), ..Kind::named("google_api_key") }),
    ("google_api_key", Kind { federable: Some(true), ..Kind::named("google_api_key") }),
    ("google_generative_ai_api_key", Kind { federable: Some(true), ..Kind::named("google_api_key") }),
    ("mistral_api_key", Kind::named("mistral_api_key")),
    ("cohere_api_key", Kind::named("cohere_api_key")),
    ("co_api_key", Kind::named("cohere_api_key")),
    ("groq_api_key", Kind::named("groq_api_key")),
    ("openrouter_api_key", Kind::named("openrouter_api_key")),
    ("deepseek_api_key", Kind::named("deepseek_api_key")),
    ("fireworks_api_key", Kind::named("fireworks_api_key")),
    ("together_api_key", Kind::named("together_api_key")),
    ("replicate_api_token", Kind::named("replicate_token")),
    ("perplexity_api_key", Kind::named("perplexity_api_key")),
    ("pplx_api_key", Kind::named("perplexity_api_key")),
    ("xai_api_key", Kind::named("xai_api_key")),
    ("ngc_api_key", Kind::named("nvidia_api_key")),
    ("nvidia_api_key", Kind::named("nvidia_api_key")),
    ("github_token", Kind { federable: Some(true), ..Kind::named("github_token") }),
    ("gh_token", Kind { federable: Some(true), ..Kind::named("github_token") }),
    ("github_personal_access_token", Kind { federable: Some(true), ..Kind::named("github_token") }),
    ("dd_api_key", Kind::named("datadog_api_key")),
    ("dd_app_key", Kind::named("datadog_app_key")),
    ("dd_application_key", Kind::named("datadog_app_key")),
    ("datadog_api_key", Kind::named("datadog_api_key")),
    ("datadog_app_key", Kind::named("datadog_app_key")),
    ("brave_api_key", Kind::named("brave_api_key")),
    ("cloudflare_api_token", Kind::named("cloudflare_token")),
    ("vercel_token", Kind::named("vercel_token")),
    ("minio_secret_key", MINIO),
    ("minio_secret_access_key", MINIO),
    ("minio_root_password", MINIO),
];

/// The last words of those names. Most other names end in another way.
const LAST: &[&str] = &["key", "token", "secret", "password", "bedrock"];

/// What a name says of the issuer; `None` where any secret may stand under it.
pub(crate) fn of_name(name: &str) -> Option<Kind> {
    let end = name.trim_end_matches(|c: char| !c.is_alphanumeric()).as_bytes();
    let ends_in = |last: &&str| {
        let from = end.len().checked_sub(last.len());
        from.and_then(|from| end.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(last.as_bytes()))
    };
    if name.is_ascii() && !LAST.iter().any(ends_in) {
        return None;
    }
    let joined = words(name).join("_");
    KNOWN.iter().find(|(known, _)| *known == joined).map(|(_, kind)| *kind)
}

/// The kinds that names tell.
pub(super) fn known() -> impl Iterator<Item = Kind> {
    KNOWN.iter().map(|(_, kind)| *kind)
}

/// The secret of a user of MinIO, whose key ids have no form of their own.
const MINIO: Kind = Kind::named("minio_secret_key");

/// Names of users and ids of keys, though they end like names of secrets.
const PUBLIC: &[&str] = &["minio_access_key", "minio_access_key_id", "minio_root_user"];

/// Last words after which a name speaks of something about a secret, not of the secret.
const ABOUT: &[&str] = &[
    "file",
    "path",
    "dir",
    "directory",
    "url",
    "uri",
    "endpoint",
    "host",
    "name",
    "names",
    "id",
    "ids",
    "type",
    "limit",
    "max",
    "min",
    "count",
    "size",
    "length",
    "ttl",
    "expiry",
    "expires",
    "enabled",
    "disabled",
    "header",
    "headers",
    "prefix",
    "suffix",
    "region",
    "version",
    "mode",
    "provider",
    "arn",
    "scope",
    "scopes",
    "algorithm",
    "alg",
    "var",
    "vars",
    "env",
    "envs",
    "keys",
    "helper",
    "export",
    "refresh",
    "command",
    "cmd",
    "storage",
    "store",
    "method",
    "source",
    "format",
    "policy",
    "required",
    "budget",
    "window",
    "usage",
    "timeout",
    "label",
    "description",
    "title",
    "at",
    "date",
    "hash",
    "fingerprint",
    "rotation",
    "responses",
    "status",
    "issuer",
    "audience",
    "tokens",
    "location",
    "mount",
    "manager",
    "backend",
    "engine",
    "placeholder",
    "pattern",
    "regex",
    "prompt",
];

/// Words before `key` that make it a secret.
const KEY_OF: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "service",
    "account",
    "signing",
    "encryption",
    "master",
    "app",
    "application",
    "subscription",
    "admin",
    "client",
    "shared",
    "license",
    "function",
    "storage",
    "apikey",
];

/// What a name promises of its value; `None` = nothing.
pub(crate) fn promise(name: &str) -> Option<Promise> {
    let words = words(name);
    let joined = words.join("_");
    let sure = |kind: Kind, shortest: usize| Some(Promise { kind, shortest, proof: Proof::Name });
    let guess = |kind: &'static str| Some(Promise { kind: Kind::named(kind), shortest: 16, proof: Proof::Random });
    let long = |kind: &'static str| Some(Promise { kind: Kind::named(kind), shortest: 16, proof: Proof::LongRandom });
    if PUBLIC.contains(&joined.as_str()) {
        return None;
    }
    if let Some((_, kind)) = KNOWN.iter().find(|(known, _)| *known == joined) {
        return sure(*kind, 8);
    }
    if joined.ends_with("aws_secret_access_key") {
        return KNOWN.first().and_then(|(_, kind)| sure(*kind, 8));
    }
    let last = words.last()?.as_str();
    if is_session(&words) {
        return Some(SESSION);
    }
    if ABOUT.contains(&last) {
        return None;
    }
    if words.iter().any(|word| word.contains("tokeniz") || word == "public") {
        return None;
    }
    let has = |parts: &[&str]| words.iter().any(|word| parts.iter().any(|part| word.contains(part)));
    if has(&["password", "passwd", "passphrase"]) || matches!(last, "pwd" | "pass") {
        return sure(Kind::named("password"), 4);
    }
    let before_last = words.iter().rev().nth(1).map(String::as_str);
    let key_pair = last == "key" && before_last.is_some_and(|before| KEY_OF.contains(&before));
    if key_pair && before_last == Some("private") {
        return sure(Kind::named("private_key"), 8);
    }
    if key_pair || last.ends_with("apikey") || matches!(last, "accesskey" | "secretkey" | "privatekey" | "accountkey") {
        return sure(Kind::named("api_key"), 8);
    }
    if last.ends_with("token") || has(&["token"]) {
        return sure(Kind::named("token"), 8);
    }
    if has(&["secret"]) {
        return sure(Kind::named("secret"), 8);
    }
    if has(&["credential"]) || matches!(last, "authorization" | "bearer" | "cookie" | "cookies" | "jwt" | "pat") {
        return sure(Kind::named("token"), 8);
    }
    match last {
        "key" if words.len() > 1 => guess("api_key"),
        // What opens something, or names it.
        "key" | "license" | "licence" => long("api_key"),
        "signing" => long("secret"),
        "webhook" => long("token"),
        "auth" | "authentication" | "creds" | "cred" | "dsn" | "sig" | "signature" | "sas" => guess("token"),
        _ => None,
    }
}

/// Whether a name is that of an address whose path is its secret.
pub(crate) fn is_hook(name: &str) -> bool {
    words(name).iter().any(|word| matches!(word.as_str(), "webhook" | "webhooks"))
}

/// Whether a name is that of a session, which whoever knows it continues: `SESSION`, `SESSION_ID`, `connect.sid`. Sessions
/// of the Model Context Protocol prove nobody (its specification, security best practices), nor do those that only have a
/// name, as a role that is assumed gives them.
fn is_session(words: &[String]) -> bool {
    let joined = words.concat();
    if words.iter().any(|word| matches!(word.as_str(), "mcp" | "trace" | "conversation")) {
        return false;
    }
    let named = ["session", "sessionid", "sessid"].iter().any(|end| joined.ends_with(end));
    named || matches!(joined.as_str(), "sid" | "connectsid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_is_found_in_each_spelling() {
        let capital = |word: &str| -> String {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
        };
        for (known, kind) in KNOWN {
            let camel: String = known.split('_').map(capital).collect();
            for name in [known.to_uppercase(), known.replace('_', "-"), format!("{known}_"), camel] {
                assert_eq!(of_name(&name).map(|held| held.name), Some(kind.name), "{name}");
            }
        }
        assert!(["TURKEY", "LOG_LEVEL", "KEY_FILE", ""].iter().all(|name| of_name(name).is_none()));
    }

    #[test]
    fn names_of_secrets_are_told_from_names_about_secrets() {
        let secret = [
            ("GITHUB_PERSONAL_ACCESS_TOKEN", "github_token"),
            ("apiKey", "api_key"),
            ("X-Api-Key", "api_key"),
            ("Authorization", "token"),
            ("clientSecret", "secret"),
            ("PGPASSWORD", "password"),
            ("DB_PASS", "password"),
            ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"),
            ("DD_API_KEY", "datadog_api_key"),
            ("access_token", "token"),
            ("authToken", "token"),
            ("SESSION", "token"),
            ("APP_SESSION_ID", "token"),
            ("JSESSIONID", "token"),
            ("connect.sid", "token"),
            ("AUTH", "token"),
            ("COOKIES", "token"),
            ("MINIO_ROOT_PASSWORD", "minio_secret_key"),
            ("MINIO_SECRET_KEY", "minio_secret_key"),
        ];
        for (name, kind) in secret {
            assert_eq!(promise(name).map(|promise| promise.kind.name), Some(kind), "{name}");
        }
        let about = [
            "MAX_TOKENS",
            "API_KEY_FILE",
            "TOKEN_URL",
            "SECRET_NAME",
            "bearer_token_env_var",
            "apiKeyHelper",
            "PUBLIC_KEY",
            "keyboard",
            "AWS_ACCESS_KEY_ID",
            "env_keys",
            "tokenizer",
            "command",
            "PATH",
            "Mcp-Session-Id",
            "AWS_ROLE_SESSION_NAME",
            "XDG_SESSION_TYPE",
            "SESSION_TIMEOUT",
            "TWILIO_ACCOUNT_SID",
            "MINIO_ACCESS_KEY",
            "MINIO_ROOT_USER",
        ];
        for name in about {
            assert_eq!(promise(name), None, "{name}");
        }
        for name in ["KEY", "key", "LICENSE", "MAPS_LICENCE", "SIGNING", "SLACK_WEBHOOK"] {
            assert!(promise(name).is_some_and(|promise| promise.proof == Proof::LongRandom), "{name}");
        }
        assert!(promise("WEATHER_KEY").is_some_and(|promise| promise.proof == Proof::Random));
    }
}
