//! Literal secrets: recognised by the name beside them and by their shape, reduced to kind and fingerprint at once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use evenhand_agents::issued::{self, Issued};
use evenhand_model::secret::{Fingerprint, Fingerprinter, issuer_of_withheld, of_withheld};

use super::take::{Taking, member, mistyped};
use super::{LiteralSecret, pod};
use crate::documents::{Found, ScalarText, Step, Text};

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

/// The secret that a literal is or holds, by the name beside it and its own shape, or that the collector put a
/// fingerprint in place of; `None` = none.
pub(crate) fn found(name: &str, value: &str, fingerprinter: &Fingerprinter) -> Option<(&'static str, Fingerprint)> {
    let whole = named(name, value, fingerprinter).map(|(_, kind, fingerprint)| (kind, fingerprint));
    whole.or_else(|| {
        let told = |word: &str| Some((kind_of("", word)?, fingerprinter.fingerprint(word.as_bytes())));
        value.split_whitespace().find_map(told)
    })
}

/// Whose a secret is that was found under a name in a text, or that the collector put a mark in place of.
pub(crate) fn issued(name: &str, text: &str) -> Option<Issued> {
    match of_withheld(text) {
        Some(_) => {
            let marked = issuer_of_withheld(text).and_then(issued::by_word);
            let named = issued::by_name(name);
            // Others give out keys of OpenAI's older form too, and a mark does not say which form it was.
            let is_shared = marked.is_some_and(|marked| marked.kind == "openai_api_key");
            named.filter(|named| is_shared && named.calls_models).or(marked).or(named)
        }
        None => issued::told(name, text),
    }
}

/// As [`found`], with the name of the secret inside the value, or the one beside it.
pub(super) fn named<'t>(
    name: &'t str,
    value: &'t str,
    fingerprinter: &Fingerprinter,
) -> Option<(&'t str, &'static str, Fingerprint)> {
    if let Some(secret) = of_withheld(value) {
        return secret.map(|(kind, fingerprint)| (name, kind, fingerprint));
    }
    let told = |(name, value): (&'t str, &'t str)| {
        if let Some(secret) = of_withheld(value) {
            return secret.map(|(kind, fingerprint)| (name, kind, fingerprint));
        }
        let kind = kind_of(name, value)?;
        Some((name, kind, fingerprinter.fingerprint(value.as_bytes())))
    };
    told(header(name, value)).or_else(|| parts(value).find_map(told))
}

/// A header by the name under which its value is a secret, and what of it is one: what authenticates stands behind a word
/// for how, such as `Bearer` and `Basic` (RFC 9110, 11.6.2).
pub(crate) fn header<'t>(name: &'t str, value: &'t str) -> (&'t str, &'t str) {
    let authorizes = ["authorization", "proxy-authorization"].iter().any(|held| name.eq_ignore_ascii_case(held));
    match (authorizes, value.trim().split_once(' ')) {
        (true, Some((_, credential))) => ("BEARER", credential.trim_start()),
        (true, None) => ("BEARER", value.trim()),
        (false, _) => (name, value),
    }
}

/// The parts of a value that have a name of their own: the value of a header in one piece, what is asked of an address.
fn parts(value: &str) -> impl Iterator<Item = (&str, &str)> {
    let line = value.split_once(':').filter(|(name, rest)| is_name(name) && rest.starts_with(' '));
    let query = address(value).and_then(|(_, rest)| rest.split_once('?')).map(|(_, query)| query);
    let asked = query.and_then(|query| query.split('#').next()).unwrap_or_default();
    line.map(|(name, rest)| header(name, rest.trim()))
        .into_iter()
        .chain(asked.split('&').filter_map(|one| one.split_once('=')))
}

/// Whether a text can be the name of a variable, a setting or a header.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// What kind of secret a literal is, by the name beside it and its own shape; `None` = none.
pub(crate) fn kind_of(name: &str, value: &str) -> Option<&'static str> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let kind = by_shape(value).or_else(|| by_name(name).filter(|_| is_plausible(value)))?;
    // Most texts are no secret anyway.
    (!is_reference(value) && !is_placeholder(value)).then_some(kind)
}

/// Whether a text stands where people are to put a secret: `changeme`, `your-token`, `xxx`, `...`.
fn is_placeholder(value: &str) -> bool {
    const LONGEST: usize = 64;
    // What is asked of an address and its password are looked at by themselves.
    if value.len() > LONGEST || value.contains("://") {
        return false;
    }
    let words: Vec<String> = value
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let tells = |word: &str| {
        matches!(
            word,
            "changeme" | "changeit" | "replaceme" | "fillme" | "placeholder" | "redacted" | "todo" | "fixme" | "tbd"
        ) || matches!(word, "your" | "yours" | "yourtoken" | "yourkey" | "yourapikey" | "yoursecret" | "yourpassword")
    };
    let begins = |first: &str, second: &str| {
        words.first().is_some_and(|word| word == first) && words.get(1).is_some_and(|word| word == second)
    };
    let crossed = |word: &String| word.len() >= 3 && word.bytes().all(|letter| letter == b'x');
    words.is_empty()
        || words.iter().any(|word| tells(word))
        || begins("change", "me")
        || begins("replace", "me")
        || words.last().is_some_and(crossed)
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
    if is_webhook(value) {
        return Some("token");
    }
    let credentials = address(value).and_then(|(_, rest)| rest.split(['/', '?', '#']).next()?.rsplit_once('@'));
    let password = credentials.and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password);
    password
        .filter(|password| !password.is_empty() && !is_reference(password) && !is_placeholder(password))
        .map(|_| "connection_string")
}

/// The scheme of an address, and what follows it. An address has no spaces; what stands in a text is looked at word by word.
fn address(value: &str) -> Option<(&str, &str)> {
    value.split_once("://").filter(|_| !value.contains(char::is_whitespace))
}

/// Whether a text is an address to which whoever knows it may write: the hooks of Slack (docs.slack.dev, incoming
/// webhooks), Discord (docs.discord.com, webhook resource) and Teams.
fn is_webhook(value: &str) -> bool {
    let Some((host, path)) = value.strip_prefix("https://").and_then(|rest| rest.split_once('/')) else { return false };
    let secret = match host {
        "hooks.slack.com" => path.strip_prefix("services/").or_else(|| path.strip_prefix("workflows/")),
        "discord.com" | "discordapp.com" => path.strip_prefix("api/webhooks/"),
        host if host.ends_with(".webhook.office.com") => path.strip_prefix("webhookb2/"),
        _ => None,
    };
    secret
        .and_then(|held| held.rsplit_once('/'))
        .is_some_and(|(_, last)| last.len() >= 16 && !is_reference(last) && !is_placeholder(last))
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

/// Ends of names of settings, though these begin like names of secrets.
const SETTINGS: &[&str] = &[
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

/// Ends of names of secrets, each with the kind that it tells.
const ENDS: &[(&[&str], &str)] = &[
    (&["PASSWORD", "PASSWD", "PASSPHRASE", "_PWD", "_PASS"], "password"),
    (&["API_KEY", "APIKEY", "ACCESS_KEY", "MASTER_KEY", "SECRET_KEY", "ENCRYPTION_KEY", "SIGNING_KEY"], "api_key"),
    (&["PRIVATE_KEY"], "private_key"),
    (&["TOKEN", "BEARER"], "token"),
    (&["SECRET", "CREDENTIAL", "CREDENTIALS"], "secret"),
    (&["CONNECTION_STRING", "CONNECTIONSTRING", "_DSN"], "connection_string"),
];

/// Names that are passwords whole.
const PASSWORDS: &[&str] = &["PASS", "REQUIREPASS", "MASTERAUTH"];

/// A byte of a name as the lists above spell it.
fn spelled(byte: u8) -> u8 {
    if matches!(byte, b'-' | b'.' | b'/') { b'_' } else { byte.to_ascii_uppercase() }
}

/// Whether a name ends so, in whatever spelling.
fn ends_in(name: &str, end: &str) -> bool {
    let from = name.len().checked_sub(end.len());
    let held = from.and_then(|from| name.as_bytes().get(from..));
    held.is_some_and(|held| held.iter().map(|byte| spelled(*byte)).eq(end.bytes()))
}

fn by_name(name: &str) -> Option<&'static str> {
    let is_password = PASSWORDS.iter().any(|held| name.len() == held.len() && ends_in(name, held));
    let kind = if is_password {
        Some("password")
    } else {
        ENDS.iter().find(|(ends, _)| ends.iter().any(|end| ends_in(name, end))).map(|(_, kind)| *kind)
    };
    // Names of issuers' own, such as `AWS_BEARER_TOKEN_BEDROCK`.
    let kind = kind.or_else(|| issued::by_name(name).map(|_| "token"))?;
    let upper: Vec<u8> = name.bytes().map(spelled).collect();
    let holds = |words: &[u8]| upper.windows(words.len()).any(|held| held == words);
    let is_setting = SETTINGS.iter().any(|end| ends_in(name, end)) || holds(b"PUBLIC_KEY") || holds(b"MAX_TOKENS");
    (!is_setting).then_some(kind)
}

/// The literal secrets of a Secret that lies in a file under version control. A server's own copy is in its store, where
/// it belongs; its values are not looked at.
pub(super) fn of_object(
    found: &Found<'_, '_>,
    home: &Arc<str>,
    name: &Arc<str>,
    taking: &mut Taking<'_>,
) -> Vec<LiteralSecret> {
    let object = &found.object;
    if !object.meta.uid.is_empty() || taking.file.tracked != Some(true) {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (section, values) in [("data", object.data), ("stringData", object.string_data)] {
        let values: Option<BTreeMap<Text<'_>, ScalarText<'_>>> = taking.or_told(member(found, values, section));
        let values = values.unwrap_or_default();
        // Its key is the document's own and is not repeated.
        if values.values().any(|value| !value.fits) {
            taking.misfits.push(mistyped(found, &format!("/{section}")));
        }
        for (key, value) in &values {
            let value = if section == "data" { decoded(value.as_str()) } else { Cow::Borrowed(value.as_str()) };
            if value.trim().is_empty() || is_reference(&value) || is_placeholder(value.trim()) {
                continue;
            }
            let spot = found.spot_of(
                &[Step::Key(section), Step::Key(key.as_str())],
                &format!("/{section}/{}", pod::escaped(key.as_str())),
            );
            all.push(LiteralSecret {
                holder: format!("secret {home}/{name}").into(),
                key: Arc::from(key.as_str()),
                kind: kind_of(key.as_str(), &value).unwrap_or("secret"),
                issued: issued(key.as_str(), &value),
                fingerprint: taking.fingerprinter.fingerprint(value.as_bytes()),
                in_arguments: false,
                in_metadata: object.meta.annotations.last_applied,
                origin: taking.origin(spot),
                file: taking.file,
            });
        }
    }
    all
}

/// What a member of `data` stands for: its text, where it is one, and else the encoded bytes as they are.
fn decoded(value: &str) -> Cow<'_, str> {
    let lines: String = value.split_ascii_whitespace().collect();
    let text = STANDARD.decode(lines).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.map_or(Cow::Borrowed(value), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_settings() {
        for (name, value, expected) in [
            ("OPENAI_API_KEY", "not-a-real-key-0000", Some("api_key")),
            ("MINIO_SECRET_KEY", "example-only", Some("api_key")),
            ("AWS_BEARER_TOKEN_BEDROCK", "not-a-real-key-0000", Some("token")),
            ("CLAUDE_CODE_OAUTH_TOKEN", "not-a-real-key-0000", Some("token")),
            ("ANYTHING", "sk-ant-example-000000000000", Some("api_key")),
            ("DATABASE_URL", "postgres://app:example@db/app", Some("connection_string")),
            ("DATABASE_URL", "postgres://db/app", None),
            ("DB_PASSWORD", "$(FROM_ELSEWHERE)", None),
            ("DB_PASS", "hunter2", Some("password")),
            ("requirepass", "hunter2", Some("password")),
            ("BYPASS", "hunter2", None),
            ("TOKEN_TTL", "3600", None),
            ("TOKEN", "true", None),
            ("TOKEN_FILE", "/var/run/token", None),
            ("MAX_TOKENS", "4096", None),
            ("LOG_LEVEL", "debug", None),
            ("API_KEY", "/etc/keys/api", None),
            ("SLACK_URL", "https://hooks.slack.com/services/T000/B000/example0000000000000", Some("token")),
            ("SLACK_URL", "https://hooks.slack.com/services/T000/B000/XXXXXXXXXXXXXXXXXXXXXXXX", None),
            ("DATABASE_URL", "postgres://app:changeme@db/app", None),
            ("DATABASE_URL", "postgres://app:example@your.db/app", Some("connection_string")),
        ] {
            assert_eq!(kind_of(name, value), expected, "{name}");
        }
    }

    #[test]
    fn what_people_are_to_fill_in_is_no_secret() {
        for value in [
            "changeme",
            "CHANGE_ME",
            "change-me",
            "your-token",
            "<token>",
            "xxx",
            "sk-xxxxxxxxxxxxxxxxxxxx",
            "YOUR_API_KEY",
            "...",
        ] {
            assert_eq!(kind_of("TOKEN", value), None, "{value}");
        }
        for value in ["hunter2", "change-the-world", "yourself-1", "x1xx", "example-only"] {
            assert_eq!(kind_of("TOKEN", value), Some("token"), "{value}");
        }
    }

    #[test]
    fn a_secret_inside_a_value_is_found_under_its_own_name() {
        let fingerprinter = Fingerprinter::keyed("test");
        for (name, value, expected) in [
            ("", "Authorization: Bearer abcdef", Some(("BEARER", "abcdef"))),
            ("header", "X-API-Key: abcdef==", Some(("X-API-Key", "abcdef=="))),
            ("Authorization", "Bearer abcdef", Some(("BEARER", "abcdef"))),
            ("Authorization", "Bearer $(TOKEN)", None),
            ("url", "https://h.example/mcp?a=b&api_key=abcdef#x", Some(("api_key", "abcdef"))),
            ("url", "https://h.example/mcp?api_key=${KEY}", None),
            ("url", "https://h.example/mcp?api_key=changeme", None),
            ("image", "auth-token:latest", None),
            ("note", "Token: what it is", None),
        ] {
            let found = named(name, value, &fingerprinter).map(|(name, _, print)| (name, print));
            let expected = expected.map(|(name, value)| (name, fingerprinter.fingerprint(value.as_bytes())));
            assert_eq!(found, expected, "{value}");
        }
    }
}
