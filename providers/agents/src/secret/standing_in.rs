//! What stands in a slot in place of a secret: a reference to one that is kept elsewhere, or a placeholder that people are
//! to fill in.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

const REFERENCE: &str = r"\$\{\{[^}]*\}\}|\$\{[^}]*\}|\{(?:env|file|secret):[^}]*\}|%[A-Za-z_][A-Za-z0-9_]*%|\$\([^)]*\)|\$env:[A-Za-z_][A-Za-z0-9_]*";

/// A test proves that it compiles.
static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(REFERENCE).ok());

/// Prefixes of values that name a place in a secret store.
const STORES: &[&str] = &[
    "op://",
    "arn:",
    "vault:",
    "keyring:",
    "keychain:",
    "ssm://",
    "ssm:",
    "sm://",
    "awssm://",
    "gcpsm://",
    "secretref",
    "secret://",
    "doppler://",
    "env:",
    "file:",
    "$env:",
    "projects/",
    "@Microsoft.KeyVault(",
];

/// Whether a value, as a whole, names a secret that is kept elsewhere and hides no literal.
pub(super) fn is_reference(value: &str) -> bool {
    let value = value.trim();
    if STORES.iter().any(|store| value.starts_with(store)) {
        return true;
    }
    if let Some(name) = value.strip_prefix('$')
        && !name.is_empty()
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
    {
        return true;
    }
    PATTERN.as_ref().is_some_and(|pattern| pattern.is_match(value))
}

/// Whether a value stands where a secret is to be put: `<token>`, `YOUR_API_KEY`, `xxxx`, `changeme`, `...`.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    if value.is_empty() || (value.starts_with('<') && value.ends_with('>')) || value.starts_with('[') {
        return true;
    }
    let letters: Vec<char> = value.chars().filter(|character| character.is_alphanumeric()).collect();
    if letters.is_empty() || value.contains("...") || value.contains('…') || value.contains("***") {
        return true;
    }
    if value.contains("<") && value.contains('>') {
        return true;
    }
    let lower: Vec<String> = value
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    const TELLING: &[&str] = &[
        "your",
        "yours",
        "changeme",
        "placeholder",
        "replace",
        "replaceme",
        "insert",
        "todo",
        "fixme",
        "redacted",
        "dummy",
        "undefined",
        "null",
        "none",
        "yourtoken",
        "yourapikey",
        "changeit",
        "foobar",
        "tbd",
        "fillme",
    ];
    const GENERIC: &[&str] = &[
        "example",
        "api",
        "key",
        "token",
        "secret",
        "password",
        "value",
        "the",
        "a",
        "some",
        "my",
        "here",
        "goes",
        "access",
        "enter",
        "put",
        "add",
        "change",
        "me",
        "it",
        "test",
        "sample",
        "demo",
        "this",
        "is",
        "not",
        "real",
        "auth",
        "bearer",
        "id",
        "client",
        "personal",
        "paste",
        "from",
        "in",
        "to",
        "env",
        "set",
        "required",
        "app",
        "hidden",
        "github",
        "openai",
        "anthropic",
        "slack",
        "google",
        "aws",
        "azure",
        "gitlab",
        "notion",
        "linear",
    ];
    if lower.iter().any(|word| TELLING.contains(&word.as_str())) {
        return true;
    }
    if lower.len() > 1 && lower.iter().all(|word| GENERIC.contains(&word.as_str())) {
        return true;
    }
    lower.last().is_some_and(|word| is_filler(word))
}

/// One character over and over: `xxxxxxxx`, `00000000`.
fn is_filler(word: &str) -> bool {
    let mut characters = word.chars().map(|character| character.to_ascii_lowercase());
    match characters.next() {
        Some(first) => word.chars().count() >= 3 && characters.all(|character| character == first),
        None => true,
    }
}

/// Whether a value is no literal secret, being a reference or a placeholder.
pub(crate) fn is_standing_in(value: &str) -> bool {
    is_reference(value) || is_placeholder(value)
}

/// The text with its references blanked out, byte for byte, so that nothing in them is taken for a literal.
pub(super) fn mask(text: &str) -> Cow<'_, str> {
    let Some(pattern) = PATTERN.as_ref() else { return Cow::Borrowed(text) };
    if !pattern.is_match(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        pattern
            .replace_all(text, |found: &regex::Captures<'_>| "$".repeat(found.get(0).map_or(0, |whole| whole.len())))
            .into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_blanked_out_byte_for_byte() {
        assert!(PATTERN.is_some());
        for (text, masked) in [("a ${B} c", "a $$$$ c"), ("plain", "plain"), ("{env:KEY}", "$$$$$$$$$")] {
            assert_eq!(mask(text), masked);
        }
    }
}
