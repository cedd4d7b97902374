//! Literal secrets in values: where in the text they stand, and of what kind they are.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Kind;
use super::formats;
use super::names;
use super::standing_in::{is_reference, is_standing_in, mask};
use super::{told_apart, withheld};

/// A secret inside a text, by byte range.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Hit {
    pub(crate) range: Range<usize>,
    pub(crate) kind: Kind,
}

/// Patterns over text. A test proves that all compile; one that did not would find nothing.
struct Patterns {
    default: Option<Regex>,
    scheme: Option<Regex>,
    userinfo: Option<Regex>,
    assignment: Option<Regex>,
    flag: Option<Regex>,
    bearer: Option<Regex>,
    segment: Option<Regex>,
    query: Option<Regex>,
}

const DEFAULT: &str = r"\$\{([A-Za-z_][A-Za-z0-9_]*):?[-=]([^}]*)\}";
const SCHEME: &str = r"(?i)^\s*(?:bearer|basic|token|apikey|api-key|bot|splunk|negotiate|digest)[\s:]+(?:token=)?";
const USERINFO: &str = r#"\b([A-Za-z][A-Za-z0-9+.-]*)://([^\s/?#@:"'`]*)(?::([^\s"'`]*?))?@([A-Za-z0-9\[$<{.-])"#;
/// A name and its sign; the value behind is cut out by hand, so that a name inside a value is still seen.
const ASSIGNMENT: &str = r#"([A-Za-z_][A-Za-z0-9_.-]*)["']?\s*(=|:)\s*["']?(?:(?i:bearer|basic|token|bot)\s+)?"#;
const FLAG: &str = r#"(?:^|\s)--?([A-Za-z][A-Za-z0-9_-]*)\s+["']?([^\s"'-][^\s"']*)"#;
const BEARER: &str = r"(?i)\bbearer\s+([A-Za-z0-9._~+/=-]{8,})";
const SEGMENT: &str = r"/([A-Za-z0-9_=-]{24,})(?:[/?#]|$)";
/// Parameters that hand over a key only in an address: `code` of Azure Functions, `k`.
const QUERY: &str = r#"[?&](?:k|code)=([^&#\s"']+)"#;

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns {
    default: Regex::new(DEFAULT).ok(),
    scheme: Regex::new(SCHEME).ok(),
    userinfo: Regex::new(USERINFO).ok(),
    assignment: Regex::new(ASSIGNMENT).ok(),
    flag: Regex::new(FLAG).ok(),
    bearer: Regex::new(BEARER).ok(),
    segment: Regex::new(SEGMENT).ok(),
    query: Regex::new(QUERY).ok(),
});

/// Schemes of connection strings, by the kind of secret their password is.
const DATABASES: &[&str] = &[
    "postgres",
    "mysql",
    "mariadb",
    "mongodb",
    "redis",
    "amqp",
    "mssql",
    "sqlserver",
    "clickhouse",
    "oracle",
    "neo4j",
];

/// The secrets in the value of a slot with a name: an environment variable, a header, a query parameter, a flag.
pub(crate) fn in_slot(name: &str, value: &str) -> Vec<Hit> {
    let mut hits = in_text(value);
    if !hits.is_empty() {
        for hit in &mut hits {
            hit.kind = told_apart(hit.kind, value.get(hit.range.clone()).unwrap_or_default(), name);
        }
        return hits;
    }
    if names::is_hook(name) && value.contains("://") {
        return in_hook(value).into_iter().collect();
    }
    let Some(promise) = names::promise(name) else { return hits };
    if matches!(name.to_ascii_lowercase().as_str(), "cookie" | "set-cookie") {
        return in_cookies(value);
    }
    for (range, inner) in literals(value) {
        let Some(text) = value.get(range.clone()) else { continue };
        let promise = inner.and_then(names::promise).unwrap_or(promise);
        if looks_secret(text, promise) {
            hits.push(Hit { range, kind: promise.kind });
        }
    }
    hits
}

/// The part of a hook's address that nobody can guess.
fn in_hook(value: &str) -> Option<Hit> {
    let masked = mask(value);
    let path = masked.find("://").and_then(|scheme| masked.get(scheme + 3..)?.find('/').map(|at| scheme + 3 + at))?;
    let mut from = path;
    let mut secret = None;
    for part in masked.get(path..)?.split(['/', '?', '&', '=', '#']) {
        if is_long_random(part) && !is_standing_in(part) {
            secret = Some(from..from + part.len());
        }
        from += part.len() + 1;
    }
    secret.map(|range| Hit { range, kind: Kind::named("token") })
}

/// The secrets among the cookies of a header: those that are called so, and whatever is one long random part.
fn in_cookies(value: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut from = 0;
    for part in value.split(';') {
        let (start, end) = (from, from + part.len());
        from = end + 1;
        let (name, text) = part.split_once('=').unwrap_or(("", part));
        let promise = names::promise(name.trim()).unwrap_or(names::SESSION);
        let (lead, text) = (text.len() - text.trim_start().len(), text.trim());
        let at = start + (part.len() - part.split_once('=').map_or(part.len(), |(_, text)| text.len())) + lead;
        if looks_secret(text, promise) {
            add(&mut hits, at..at + text.len(), promise.kind);
        }
    }
    hits
}

/// The parts of a value that are literal: all of it behind the authentication scheme, or, where it refers to variables,
/// their literal defaults, each with the name it goes by.
fn literals(value: &str) -> Vec<(Range<usize>, Option<&str>)> {
    let mut parts = Vec::new();
    if let Some(pattern) = &PATTERNS.default {
        for found in pattern.captures_iter(value) {
            if let (Some(name), Some(default)) = (found.get(1), found.get(2)) {
                parts.push((default.range(), Some(name.as_str())));
            }
        }
    }
    if !parts.is_empty() {
        return parts;
    }
    let start = PATTERNS.scheme.as_ref().and_then(|pattern| pattern.find(value)).map_or(0, |scheme| scheme.end());
    let rest = value.get(start..).unwrap_or("");
    if is_reference(rest) {
        return parts;
    }
    let lead = rest.len() - rest.trim_start().len();
    parts.push((start + lead..start + rest.trim_end().len().max(lead), None));
    parts
}

fn looks_secret(text: &str, promise: names::Promise) -> bool {
    let length = text.chars().count();
    let password = promise.kind.name == "password";
    if length < promise.shortest || is_standing_in(text) {
        return false;
    }
    if matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "auto") {
        return false;
    }
    if !password {
        if text.chars().all(|character| character.is_ascii_digit() || character == '.') && length < 16 {
            return false;
        }
        if text.contains(char::is_whitespace) || is_path(text) || text.contains("://") {
            return false;
        }
    }
    match promise.proof {
        names::Proof::Name => true,
        names::Proof::Random => entropy(text) >= 3.0 && !is_words(text),
        names::Proof::LongRandom => is_long_random(text),
    }
}

/// Whether a text is words in lower case and nothing else: `required-by-default`.
fn is_words(text: &str) -> bool {
    text.chars().all(|character| character.is_ascii_lowercase() || !character.is_alphanumeric())
}

/// Whether a text is no name and no number of something, but holds a long part that nobody would choose.
fn is_long_random(text: &str) -> bool {
    const LONG: usize = 16;
    if is_identifier(text) {
        return false;
    }
    text.split(|character: char| !character.is_ascii_alphanumeric()).any(|part| {
        let (digits, letters) =
            (part.chars().filter(char::is_ascii_digit).count(), part.chars().filter(char::is_ascii_alphabetic).count());
        part.len() >= LONG && digits >= 2 && letters >= 2 && entropy(part) >= 3.0
    })
}

/// Whether a text is an id in one of the forms that number things: a UUID (RFC 9562), or a ULID.
fn is_identifier(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let hexadecimal = |part: &&str| part.bytes().all(|one| one.is_ascii_hexdigit());
    let uuid = groups.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(hexadecimal);
    let ulid = text.len() == 26
        && text.starts_with('0')
        && text.bytes().all(|one| matches!(one, b'0'..=b'9' | b'A'..=b'Z') && !b"ILOU".contains(&one));
    uuid || ulid
}

fn is_path(text: &str) -> bool {
    let unix = text.starts_with("~/") || text.starts_with("./") || text.starts_with("../");
    let windows = text.chars().nth(1) == Some(':') && text.contains('\\');
    // A secret in base64 may begin with a slash; a path has a second one soon.
    let absolute = text.starts_with('/') && entropy(text) < 4.2;
    unix || windows || absolute
}

/// Shannon entropy in bits per character.
fn entropy(text: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::new();
    let mut total = 0.0;
    for character in text.chars() {
        *counts.entry(character).or_insert(0.0) += 1.0;
        total += 1.0;
    }
    counts.values().map(|count: &f64| -(count / total) * (count / total).log2()).sum()
}

/// The secrets in a text without a name of its own: a command line, a URL, a rule, a value of any kind.
pub(crate) fn in_text(text: &str) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    if text.len() < 8 {
        return hits;
    }
    withheld::find(text, |range, kind| add(&mut hits, range, kind));
    for (range, kind) in formats::tokens(text) {
        if text.get(range.clone()).is_some_and(|token| !is_dummy_token(token)) {
            add(&mut hits, range, kind);
        }
    }
    if let Some(pattern) = &PATTERNS.default {
        for found in pattern.captures_iter(text) {
            if let (Some(name), Some(default)) = (found.get(1), found.get(2)) {
                in_named_part(name.as_str(), default.as_str(), default.start(), false, &mut hits);
            }
        }
    }
    let masked = mask(text);
    in_urls(&masked, &mut hits);
    if let Some(pattern) = &PATTERNS.assignment {
        let mut looked_to = 0;
        for found in pattern.captures_iter(&masked) {
            let (Some(whole), Some(name), Some(sign)) = (found.get(0), found.get(1), found.get(2)) else { continue };
            if whole.end() < looked_to {
                continue;
            }
            let rest = masked.get(whole.end()..).unwrap_or("");
            let length = rest
                .find(|character: char| character.is_whitespace() || "\"',;&|)}#".contains(character))
                .unwrap_or(rest.len());
            // A colon also stands in prose; there only a value that looks random is a secret.
            let strict = sign.as_str() == ":";
            if let Some(value) = rest.get(..length)
                && in_named_part(name.as_str(), value, whole.end(), strict, &mut hits)
            {
                looked_to = whole.end() + length;
            }
        }
    }
    if let Some(pattern) = &PATTERNS.flag {
        for found in pattern.captures_iter(&masked) {
            if let (Some(name), Some(value)) = (found.get(1), found.get(2)) {
                in_named_part(name.as_str(), value.as_str(), value.start(), false, &mut hits);
            }
        }
    }
    if let Some(pattern) = &PATTERNS.bearer {
        for found in pattern.captures_iter(&masked) {
            if let Some(value) = found.get(1)
                && !is_standing_in(value.as_str())
                && entropy(value.as_str()) >= 2.5
            {
                add(&mut hits, value.range(), Kind::named("token"));
            }
        }
    }
    hits.sort_by_key(|hit| hit.range.start);
    hits
}

/// Looks at a value with a name inside a text; whether the name is that of a secret.
fn in_named_part(name: &str, text: &str, start: usize, strict: bool, hits: &mut Vec<Hit>) -> bool {
    let Some(promise) = names::promise(name) else { return false };
    let random = text.chars().any(|character| character.is_ascii_digit()) && entropy(text) >= 2.8;
    let secret = (random || !strict) && looks_secret(text, promise);
    if secret {
        add(hits, start..start + text.len(), promise.kind);
    }
    // Behind a name that promises little, another name may follow.
    secret || promise.proof != names::Proof::LongRandom
}

/// Passwords, tokens in place of a user name, and long random path segments.
fn in_urls(text: &str, hits: &mut Vec<Hit>) {
    let mut web = text.contains("://");
    if let Some(pattern) = &PATTERNS.userinfo {
        for found in pattern.captures_iter(text) {
            let scheme = found.get(1).map_or("", |scheme| scheme.as_str());
            let database = DATABASES.iter().any(|name| scheme.starts_with(name));
            match (found.get(2), found.get(3)) {
                (_, Some(password)) => {
                    let promise =
                        names::Promise { kind: Kind::named("password"), shortest: 1, proof: names::Proof::Name };
                    let kind = Kind::named(if database { "connection_string" } else { "password" });
                    if looks_secret(password.as_str(), promise) {
                        add(hits, password.range(), kind);
                    }
                }
                (Some(user), None)
                    if !database
                        && user.len() >= 16
                        && entropy(user.as_str()) >= 3.0
                        && !is_standing_in(user.as_str()) =>
                {
                    add(hits, user.range(), Kind::named("token"));
                }
                _ => {}
            }
        }
    }
    if let (true, Some(pattern)) = (web, &PATTERNS.query) {
        for found in pattern.captures_iter(text) {
            if let Some(value) = found.get(1)
                && is_long_random(value.as_str())
                && !is_standing_in(value.as_str())
            {
                add(hits, value.range(), Kind::named("api_key"));
            }
        }
    }
    web = web && (text.contains("http://") || text.contains("https://"));
    if let (true, Some(pattern)) = (web, &PATTERNS.segment) {
        for found in pattern.captures_iter(text) {
            if let Some(segment) = found.get(1) {
                let segment_text = segment.as_str();
                let mixed = segment_text.chars().any(|character| character.is_ascii_digit())
                    && segment_text.chars().any(|character| character.is_ascii_uppercase())
                    && segment_text.chars().any(|character| character.is_ascii_lowercase());
                if mixed && entropy(segment_text) >= 3.6 {
                    add(hits, segment.range(), Kind::named("token"));
                }
            }
        }
    }
}

/// A token whose variable part is filler: `ghp_xxxxxxxxxxxxxxxxxxxx`.
fn is_dummy_token(token: &str) -> bool {
    let tail: Vec<char> = token.chars().rev().take(12).collect();
    match tail.first() {
        Some(first) => tail.iter().all(|character| character.eq_ignore_ascii_case(first)),
        None => true,
    }
}

fn add(hits: &mut Vec<Hit>, range: Range<usize>, kind: Kind) {
    if range.is_empty() || hits.iter().any(|held| range.start < held.range.end && held.range.start < range.end) {
        return;
    }
    hits.push(Hit { range, kind });
}

/// The text with every secret in it cut out; what every name and rule passes through before it is kept.
pub(crate) fn redact(text: &str) -> String {
    replace(text, |_, _| "…".to_owned())
}

/// The text with something else in place of every secret in it.
pub(crate) fn replace(text: &str, instead: impl Fn(Kind, &str) -> String) -> String {
    let hits = in_text(text);
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for hit in hits.iter().filter(|hit| !hit.kind.public) {
        kept.push_str(text.get(from..hit.range.start).unwrap_or(""));
        kept.push_str(&instead(hit.kind, text.get(hit.range.clone()).unwrap_or("")));
        from = hit.range.end;
    }
    kept.push_str(text.get(from..).unwrap_or(""));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for pattern in [DEFAULT, SCHEME, USERINFO, ASSIGNMENT, FLAG, BEARER, SEGMENT, QUERY] {
            assert!(Regex::new(pattern).is_ok(), "{pattern}");
        }
    }

    /// Name, value, and the part of it that is a secret with its kind; empty = no secret.
    const CASES: &[(&str, &str, &str, &str)] = &[
        ("API_KEY", "${API_KEY}", "", ""),
        ("API_KEY", "$API_KEY", "", ""),
        ("API_KEY", "${env:API_KEY}", "", ""),
        ("API_KEY", "{env:API_KEY}", "", ""),
        ("API_KEY", "{file:~/.secrets/key}", "", ""),
        ("API_KEY", "${input:api-key}", "", ""),
        ("API_KEY", "${{ secrets.API_KEY }}", "", ""),
        ("API_KEY", "%API_KEY%", "", ""),
        ("API_KEY", "op://vault/item/field", "", ""),
        ("API_KEY", "<api-key>", "", ""),
        ("API_KEY", "YOUR_API_KEY", "", ""),
        ("API_KEY", "your-api-key-here", "", ""),
        ("API_KEY", "xxxxxxxxxxxx", "", ""),
        ("API_KEY", "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx", "", ""),
        ("API_KEY", "changeme", "", ""),
        ("API_KEY", "...", "", ""),
        ("API_KEY", "sk-...", "", ""),
        ("API_KEY", "", "", ""),
        ("GITHUB_TOKEN", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "", ""),
        ("Authorization", "Bearer ${TOKEN}", "", ""),
        ("Authorization", "Bearer $TOKEN", "", ""),
        ("Authorization", "Bearer <token>", "", ""),
        ("MAX_TOKENS", "4096000000", "", ""),
        ("API_KEY_FILE", "/run/secrets/key-file", "", ""),
        ("LOG_LEVEL", "debug", "", ""),
        ("AUTH_TOKEN", "/run/secrets/token", "", ""),
        ("DATABASE_URL", "postgres://app:${PW}@db/app", "", ""),
        ("DATABASE_URL", "postgres://db/app", "", ""),
        ("ENDPOINT", "https://example.test/mcp?api_key=${KEY}", "", ""),
        ("API_KEY", "${API_KEY:-fallback-3f9a1c}", "fallback-3f9a1c", "api_key"),
        ("SETTING", "${DB_PASSWORD:-hunter22}", "hunter22", "password"),
        ("DESCRIPTION", "paste the token: required", "", ""),
        ("DB_PASSWORD", "${DB_PASSWORD:-hunter22}", "hunter22", "password"),
        ("API_KEY", "fake-3f9a1c-77b2", "fake-3f9a1c-77b2", "api_key"),
        ("PASSWORD", "hunter22", "hunter22", "password"),
        ("Authorization", "Bearer fake-3f9a1c-77b2", "fake-3f9a1c-77b2", "token"),
        (
            "ANYTHING",
            "ghp_FakeFakeFakeFakeFakeFakeFakeFakeFake",
            "ghp_FakeFakeFakeFakeFakeFakeFakeFakeFake",
            "github_pat_classic",
        ),
        ("DATABASE_URL", "postgres://app:s3cr3tpw@db/app", "s3cr3tpw", "connection_string"),
        ("DATABASE_URL", "Server=db;User=app;Password=s3cr3tpw;", "s3cr3tpw", "password"),
        ("ENDPOINT", "https://example.test/mcp?api_key=fake3f9a1c77b2", "fake3f9a1c77b2", "api_key"),
        ("ENDPOINT", "https://example.test/mcp?x=1&token=fake3f9a1c77b2#f", "fake3f9a1c77b2", "token"),
        ("ENDPOINT", "https://example.test/mcp?key=fake3f9a1c77b2e0d4", "fake3f9a1c77b2e0d4", "api_key"),
        ("ENDPOINT", "https://example.test/mcp?x=1&k=fake3f9a1c77b2e0d4&y=2", "fake3f9a1c77b2e0d4", "api_key"),
        (
            "ENDPOINT",
            "https://example.test/api/mcp?code=E0-Fake3f9A1c77b2e0d4Fk==",
            "E0-Fake3f9A1c77b2e0d4Fk==",
            "api_key",
        ),
        ("ENDPOINT", "https://example.test/mcp?key=main&code=de-CH&k=10", "", ""),
        ("ENDPOINT", "https://example.test/mcp?code=${CODE_1234567890_abcdef}", "", ""),
        ("KEY", "fake3f9a1c77b2e0d4", "fake3f9a1c77b2e0d4", "api_key"),
        ("KEY", "value", "", ""),
        ("KEY", "OPENAI_API_KEY", "", ""),
        ("NOTE", "key: api_token=fake-3f9a1c-77b2", "fake-3f9a1c-77b2", "token"),
        ("LICENSE", "fake3f9a1c77b2e0d4", "fake3f9a1c77b2e0d4", "api_key"),
        ("LICENSE", "Apache-2.0", "", ""),
        ("SIGNING", "fake3f9a1c77b2e0d4", "fake3f9a1c77b2e0d4", "secret"),
        ("SIGNING", "required", "", ""),
        ("SLACK_WEBHOOK", "T0FAKE00/B0FAKE00/fake3f9a1c77b2e0d4Fa", "T0FAKE00/B0FAKE00/fake3f9a1c77b2e0d4Fa", "token"),
        ("WEBHOOK_URL", "https://hooks.example.test/in/fake3f9a1c77b2e0d4", "fake3f9a1c77b2e0d4", "token"),
        ("WEBHOOK_URL", "https://hooks.example.test/in/orders", "", ""),
        ("WEBHOOK_URL", "https://hooks.example.test/in/${HOOK}", "", ""),
        ("WEBHOOK_URL", "https://hooks.example.test/in/3f2504e0-4f89-41d3-9a0c-0305e82c3301", "", ""),
        (
            "HEADERS",
            r#"{"Authorization": "Bearer ntn_FakeFakeFakeFakeFakeFake"}"#,
            "ntn_FakeFakeFakeFakeFakeFake",
            "notion_token",
        ),
        ("HEADERS", r#"{"X-Api-Key": "fake-3f9a1c-77b2"}"#, "fake-3f9a1c-77b2", "api_key"),
        ("SESSION", "Fake26xY2k9QwZr84TmLpA3nVbC7dJ6h", "Fake26xY2k9QwZr84TmLpA3nVbC7dJ6h", "token"),
        ("SESSION_ID", "fa4e26fa4e29be74056a8f3c1d29be74", "fa4e26fa4e29be74056a8f3c1d29be74", "token"),
        ("SESSION_ID", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "", ""),
        ("SESSION_ID", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "", ""),
        ("SESSION_ID", "${SESSION_ID}", "", ""),
        ("SESSION", "review-of-the-2026-autumn-release", "", ""),
        ("SESSION", "main", "", ""),
        ("SESSION_ID", "20261101120000000000", "", ""),
        ("MCP_SESSION_ID", "fa4e26fa4e29be74056a8f3c1d29be74", "", ""),
        ("AUTH", "Fake26xY2k9QwZr84TmLpA3nVbC7dJ6h", "Fake26xY2k9QwZr84TmLpA3nVbC7dJ6h", "token"),
        ("AUTH", "required-by-default", "", ""),
        ("COOKIE", "Fake26xY2k9QwZr84TmLpA3nVbC7dJ6h", "Fake26xY2k9QwZr84TmLpA3nVbC7dJ6h", "token"),
        (
            "Cookie",
            "theme=dark; sid=Fake26xY2k9QwZr84TmLpA3nVbC7dJ6h; lang=en",
            "Fake26xY2k9QwZr84TmLpA3nVbC7dJ6h",
            "token",
        ),
        ("Cookie", "theme=dark; consent=all", "", ""),
    ];

    #[test]
    fn literals_are_told_from_references_and_placeholders() {
        for (name, value, secret, kind) in CASES {
            let found: Vec<(&str, &str)> =
                in_slot(name, value).iter().map(|hit| (value.get(hit.range.clone()).unwrap(), hit.kind.name)).collect();
            if secret.is_empty() {
                assert!(found.is_empty(), "{name}={value} gave {found:?}");
            } else {
                assert_eq!(found, [(*secret, *kind)], "{name}={value}");
            }
        }
    }

    #[test]
    fn a_redacted_text_holds_none_of_its_secrets() {
        let cases = [
            ("Bash(curl -H \"Authorization: Bearer fake-3f9a1c-77b2\" https://example.test)", "fake-3f9a1c-77b2"),
            ("Bash(PGPASSWORD=hunter22 psql:*)", "hunter22"),
            ("Bash(tool --api-key fake-3f9a1c-77b2 run)", "fake-3f9a1c-77b2"),
            ("sk-proj-fakefakefakefake", "sk-proj-fakefakefakefake"),
        ];
        for (text, secret) in cases {
            assert!(!redact(text).contains(secret), "{text}");
        }
        assert_eq!(redact("Bash(git push:*)"), "Bash(git push:*)");
    }
}
