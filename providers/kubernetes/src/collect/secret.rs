//! What of an object is a secret or a value that is nobody's business, by name and by form, and what is written in its
//! place.

use evenhand_agents::issued;
use evenhand_model::secret::{Fingerprint, Fingerprinter, withheld, withheld_of};

use crate::capture::{found, kind_of};

/// Members that hold environments, as a list of names and values or as a map.
pub(super) const ENVIRONMENTS: [&str; 5] = ["env", "envs", "envVars", "environment", "environmentVariables"];

/// Whether what stands below a member are values that are nobody's business, by name: environments and headers.
pub(super) fn holds_values(name: &str) -> bool {
    ENVIRONMENTS.contains(&name) || name.to_ascii_lowercase().contains("header")
}

/// The header by which callers prove who they are.
fn is_authorization(name: &str) -> bool {
    name.eq_ignore_ascii_case("authorization")
}

/// Whether this is a name by which a secret is called, whatever its value looks like.
pub(super) fn is_called_a_secret(name: &str) -> bool {
    // By its name alone is what has a value that could be any secret.
    let alone = |name: &str| kind_of(name, "any-secret").is_some();
    let is_member = name.bytes().any(|byte| byte.is_ascii_uppercase());
    is_authorization(name) || alone(name) || (is_member && alone(&in_words(name)))
}

/// `secretKey` as `secret_Key`: names of members are written otherwise than those of variables.
fn in_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut lower = false;
    for letter in name.chars() {
        if lower && letter.is_ascii_uppercase() {
            words.push('_');
        }
        lower = letter.is_ascii_lowercase();
        words.push(letter);
    }
    words
}

/// `$(OTHER)` and the like, with nothing beside the name, such as a value to fall back to.
pub(super) fn refers(text: &str) -> bool {
    let inner = [("$(", ")"), ("${", "}"), ("{{", "}}"), ("<", ">")]
        .iter()
        .find_map(|(head, tail)| text.trim().strip_prefix(head)?.strip_suffix(tail));
    inner.is_some_and(|name| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' '))
    })
}

/// What is written in place of a value: of a secret in it what is found when the value itself is read.
pub(super) fn instead(name: &str, text: &str, fingerprinter: &Fingerprinter) -> String {
    mark(found(name, text, fingerprinter), text)
}

/// What is written in place of a text and the secret that was found in it. The name beside it stays; what its form tells of
/// its issuer would be lost.
pub(super) fn mark(secret: Option<(&str, Fingerprint)>, text: &str) -> String {
    match (secret, issued::by_form(text)) {
        (Some((kind, fingerprint)), Some(issued)) => withheld_of(kind, fingerprint, issued.kind),
        (secret, _) => withheld(secret),
    }
}

/// Whether a text is a secret by its shape, or by its name, though it may not look like one; or a word in it is.
pub(super) fn is_secret(name: &str, text: &str) -> bool {
    is_one_secret(name, text) || text.split(char::is_whitespace).any(|word| kind_of("", word).is_some())
}

/// The same of a text as a whole.
pub(super) fn is_one_secret(name: &str, text: &str) -> bool {
    kind_of("", text).is_some() || (!text.trim().is_empty() && is_called_a_secret(name) && !refers(text))
}
