//! Literal secrets: recognised by the name beside them and by their shape, reduced to kind and fingerprint at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::secret::{Fingerprint, Fingerprinter, of_withheld};

use super::take::Taking;
use super::{LiteralSecret, pod};
use crate::documents::{Found, Step, Text, raw};

/// Beginnings that only keys of a known issuer have.
const SHAPES: &[(&str, &str, usize)] = &[
    ("sk-ant-", "api_key", 20),
    ("sk-", "api_key", 20),
    ("AKIA", "access_key", 20),
    ("ASIA", "access_key", 20),
    ("ghp_", "token", 20),
    ("gho_", "token", 20),
    ("ghs_", "token", 20),
    ("github_pat_", "token", 20),
    ("glpat-", "token", 20),
    ("xoxb-", "token", 20),
    ("xoxp-", "token", 20),
    ("xapp-", "token", 20),
    ("AIza", "api_key", 30),
    ("gsk_", "api_key", 20),
    ("hf_", "token", 20),
    ("nvapi-", "api_key", 20),
    ("lsv2_", "api_key", 20),
    ("hvs.", "token", 20),
    ("dop_v1_", "token", 20),
    ("npm_", "token", 20),
    ("pypi-", "token", 20),
];

/// The secret that a literal is, by the name beside it and its own shape, or that the collector put a fingerprint in
/// place of; `None` = none.
pub(super) fn found(name: &str, value: &str, fingerprinter: &Fingerprinter) -> Option<(&'static str, Fingerprint)> {
    match of_withheld(value) {
        Some(secret) => secret,
        None => kind_of(name, value).map(|kind| (kind, fingerprinter.fingerprint(value.as_bytes()))),
    }
}

/// What kind of secret a literal is, by the name beside it and its own shape; `None` = none.
pub(crate) fn kind_of(name: &str, value: &str) -> Option<&'static str> {
    let value = value.trim();
    if value.is_empty() || is_reference(value) {
        return None;
    }
    by_shape(value).or_else(|| by_name(name).filter(|_| is_plausible(value)))
}

/// What kind of secret a value is by its shape alone.
pub(super) fn by_shape(value: &str) -> Option<&'static str> {
    if let Some((_, kind, _)) = SHAPES.iter().find(|(head, _, least)| value.starts_with(head) && value.len() >= *least)
    {
        return Some(kind);
    }
    if value.starts_with("-----BEGIN") && value.contains("PRIVATE KEY") {
        return Some("private_key");
    }
    // A JSON web token: three parts, the first of which is an encoded `{"`.
    if value.starts_with("eyJ") && value.split('.').count() == 3 && value.len() > 40 {
        return Some("token");
    }
    let credentials =
        value.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next()?.rsplit_once('@'));
    let password = credentials.and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password);
    password.filter(|password| !password.is_empty() && !is_reference(password)).map(|_| "connection_string")
}

/// `$(OTHER)` and the like name a secret; they are none.
fn is_reference(value: &str) -> bool {
    value.starts_with("$(") || value.starts_with("${") || value.starts_with("{{") || value.starts_with('<')
}

fn is_plausible(value: &str) -> bool {
    let number = value.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '%'));
    let duration = value.len() <= 6
        && value.trim_end_matches(['s', 'm', 'h', 'd']).chars().all(|c| c.is_ascii_digit())
        && value.starts_with(|c: char| c.is_ascii_digit());
    let word = matches!(
        value.to_ascii_lowercase().as_str(),
        "true" | "false" | "yes" | "no" | "none" | "null" | "on" | "off" | "enabled" | "disabled" | "changeme_not_set"
    );
    let path = value.starts_with('/') || value.starts_with("./") || value.contains("://") || value.starts_with("file:");
    let sentence = value.contains(' ') || value.contains('\n');
    let short = value.len() < 3 || (number && value.len() < 8);
    ![short, duration, word, path, sentence].contains(&true)
}

fn by_name(name: &str) -> Option<&'static str> {
    let upper: String =
        name.chars().map(|c| if matches!(c, '-' | '.' | '/') { '_' } else { c.to_ascii_uppercase() }).collect();
    let not_secret = [
        "_FILE",
        "_PATH",
        "_DIR",
        "_URL",
        "_URI",
        "_NAME",
        "_ID",
        "_TTL",
        "_EXPIRY",
        "_EXPIRATION",
        "_ISSUER",
        "_TYPE",
        "_HEADER",
        "_ENABLED",
        "_LENGTH",
        "_NAMESPACE",
        "_REF",
        "_COUNT",
        "_LIMIT",
        "_SIZE",
        "_AUDIENCE",
        "_ENDPOINT",
        "_PREFIX",
        "_MODE",
        "_VERSION",
        "_POLICY",
        "_REGION",
        "_ARN",
    ];
    if not_secret.iter().any(|end| upper.ends_with(end)) || upper.contains("PUBLIC_KEY") || upper.contains("MAX_TOKENS")
    {
        return None;
    }
    let ends = |ends: &[&str]| ends.iter().any(|end| upper.ends_with(end));
    if ends(&["PASSWORD", "PASSWD", "PASSPHRASE"]) || upper.ends_with("_PWD") {
        Some("password")
    } else if ends(&["API_KEY", "APIKEY", "ACCESS_KEY", "MASTER_KEY", "SECRET_KEY", "ENCRYPTION_KEY", "SIGNING_KEY"]) {
        Some("api_key")
    } else if ends(&["PRIVATE_KEY"]) {
        Some("private_key")
    } else if ends(&["TOKEN", "BEARER"]) {
        Some("token")
    } else if ends(&["SECRET", "CREDENTIAL", "CREDENTIALS"]) {
        Some("secret")
    } else if ends(&["CONNECTION_STRING", "CONNECTIONSTRING", "_DSN"]) {
        Some("connection_string")
    } else {
        None
    }
}

/// The literal secrets of a Secret that lies in a file under version control. A server's own copy is in its store, where
/// it belongs; its values are not looked at.
pub(super) fn of_object(
    found: &Found<'_, '_>,
    home: &Arc<str>,
    name: &Arc<str>,
    taking: &Taking<'_>,
) -> Vec<LiteralSecret> {
    let object = &found.object;
    if !object.meta.uid.is_empty() || taking.file.tracked != Some(true) {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (member, values) in [("data", object.data), ("stringData", object.string_data)] {
        let values: BTreeMap<Text<'_>, Text<'_>> = raw(values).unwrap_or_default();
        for (key, value) in values.iter().filter(|(_, value)| !value.is_empty() && !is_reference(value.as_str())) {
            let spot = found.spot_of(
                &[Step::Key(member), Step::Key(key.as_str())],
                &format!("/{member}/{}", pod::escaped(key.as_str())),
            );
            all.push(LiteralSecret {
                holder: format!("secret {home}/{name}").into(),
                key: Arc::from(key.as_str()),
                kind: kind_of(key.as_str(), value.as_str()).unwrap_or("secret"),
                fingerprint: taking.fingerprinter.fingerprint(value.as_str().as_bytes()),
                in_arguments: false,
                in_metadata: object.meta.annotations.last_applied,
                origin: taking.origin(spot),
                file: taking.file,
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_settings() {
        for (name, value, expected) in [
            ("OPENAI_API_KEY", "not-a-real-key-0000", Some("api_key")),
            ("MINIO_SECRET_KEY", "example-only", Some("api_key")),
            ("ANYTHING", "sk-ant-example-000000000000", Some("api_key")),
            ("DATABASE_URL", "postgres://app:example@db/app", Some("connection_string")),
            ("DATABASE_URL", "postgres://db/app", None),
            ("DB_PASSWORD", "$(FROM_ELSEWHERE)", None),
            ("TOKEN_TTL", "3600", None),
            ("TOKEN", "true", None),
            ("TOKEN_FILE", "/var/run/token", None),
            ("MAX_TOKENS", "4096", None),
            ("LOG_LEVEL", "debug", None),
            ("API_KEY", "/etc/keys/api", None),
        ] {
            assert_eq!(kind_of(name, value), expected, "{name}");
        }
    }
}
