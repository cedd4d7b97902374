//! Command lines and addresses without their secrets: what is told to be harmless stays, a secret is replaced by its kind
//! and fingerprint, and whatever else there is by the bare mark.
//!
//! Names of variables and flags stay, and so do commands where they are called, plain paths and references. A word that
//! nothing tells goes, as does everything plain in a document that a script writes. What reads the result finds the same
//! secrets as in the text itself.

use evenhand_model::secret::{Fingerprinter, withheld};

use super::secret::{is_called_a_secret, mark, refers};
use crate::capture::{found, header, is_name, is_separator, kind_of, words_of};

/// Names and commands are shorter.
const LONGEST_NAME: usize = 48;

/// What is written in place of a script.
pub(super) fn cleaned(script: &str, fingerprinter: &Fingerprinter) -> String {
    let mut written = String::with_capacity(script.len());
    let (mut end, mut flag, mut in_document) = (0, String::new(), false);
    let mut calls = true;
    for (range, word) in words_of(script) {
        let between = script.get(end..range.start).unwrap_or_default();
        calls |= between.contains(['\n', ';', '|', '&']);
        in_document |= between.contains("<<");
        written.push_str(between);
        let before = std::mem::take(&mut flag);
        let word = Word { text: &word, before: &before, may_be_called: calls && !in_document };
        match word.cleaned(fingerprinter) {
            None => {
                written.push_str(script.get(range.clone()).unwrap_or_default());
                flag = word.flag().unwrap_or_default().to_owned();
            }
            Some(text) if text.contains(|letter: char| letter.is_whitespace() || is_separator(letter)) => {
                written.extend(["\"", &text, "\""])
            }
            Some(text) => written.push_str(&text),
        }
        // Behind an assignment a command may follow, or more of what is assigned.
        calls = false;
        end = range.end;
    }
    written.push_str(script.get(end..).unwrap_or_default());
    written
}

/// What is written in place of a value, by its name.
pub(super) fn value(name: &str, value: &str, fingerprinter: &Fingerprinter) -> String {
    if refers(value) || is_variable(value) {
        return value.to_owned();
    }
    let kind = |(name, value): (&str, &str)| {
        let kind = kind_of(name, value)?;
        Some(mark(Some((kind, fingerprinter.fingerprint(value.as_bytes()))), value))
    };
    // What authenticates stands behind a word for how, which stays.
    let (called, proof) = header(name, value);
    if let Some(kept) = kind((called, proof)) {
        return match value.strip_suffix(proof) {
            Some(how) if called != name => format!("{how}{kept}"),
            _ => kept,
        };
    }
    if let Some((name, rest)) = value.split_once(": ").filter(|(name, _)| is_header_name(name)) {
        return format!("{name}: {}", self::value(name, rest.trim(), fingerprinter));
    }
    if let Some(address) = argued_address(value, fingerprinter) {
        return address;
    }
    match value.split_once('=').filter(|(name, _)| is_plain_name(name)) {
        Some((name, value)) => format!("{name}={}", self::value(name, value, fingerprinter)),
        None => withheld(None),
    }
}

/// A text with each [address] in it replaced that holds more than a place; `None` where none does.
pub(super) fn addresses(text: &str, fingerprinter: &Fingerprinter) -> Option<String> {
    let words: Vec<(&str, Option<String>)> =
        text.split_inclusive(char::is_whitespace).map(|word| (word, address(word.trim_end(), fingerprinter))).collect();
    words.iter().any(|(_, cleaned)| cleaned.is_some()).then(|| {
        let written = words.iter().map(|(word, cleaned)| match cleaned {
            Some(cleaned) => format!("{cleaned}{}", word.strip_prefix(word.trim_end()).unwrap_or_default()),
            None => (*word).to_owned(),
        });
        written.collect()
    })
}

/// An address without what may prove who asks: who it names before the host, the values that are asked of it, and a path
/// that is not of plain words alone. `None` for a text that is none, or that holds nothing of these.
pub(super) fn address(text: &str, fingerprinter: &Fingerprinter) -> Option<String> {
    address_of(text, false, fingerprinter)
}

/// The same of an address among arguments, where nothing tells that it is one but its form: a part of its path or its host
/// that is no word is no longer there, either.
pub(super) fn argued_address(text: &str, fingerprinter: &Fingerprinter) -> Option<String> {
    address_of(text, true, fingerprinter)
}

fn address_of(text: &str, is_argument: bool, fingerprinter: &Fingerprinter) -> Option<String> {
    if let Some((name, rest)) = text.split_once('=').filter(|(name, _)| is_plain_name(name)) {
        return address_of(rest, is_argument, fingerprinter).map(|kept| format!("{name}={kept}"));
    }
    let (scheme, rest) = text.split_once("://")?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    if [scheme, place].iter().any(|part| part.contains(char::is_whitespace)) {
        return None;
    }
    let start = place.find(['/', '#']).unwrap_or(place.len());
    let (authority, path) = place.split_at_checked(start)?;
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let is_word = |part: &str| if is_argument { is_plain_part(part) } else { is_plain_word(part) };
    let is_known_user = || {
        let parts = user.split(':').collect::<Vec<_>>();
        (parts.len() == 1 || !is_argument) && parts.iter().all(|part| part.is_empty() || is_word(part) || refers(part))
    };
    let is_plain_segment =
        |part: &str| part.is_empty() || refers(part) || (is_word(part) && kind_of("", part).is_none());
    let is_plain_path = path.split('/').all(is_plain_segment);
    let is_plain_host = !is_argument || host.split([':', '.', '-', '[', ']']).all(is_word_of_host);
    if query.is_empty() && is_plain_path && is_plain_host && is_known_user() {
        return None;
    }
    let scheme = if is_plain_scheme(scheme) { scheme.to_owned() } else { withheld(None) };
    // Before an `@` behind the first slash stands somebody whose name has a slash, not a host.
    let is_told = is_plain_host && is_host(host) && !path.contains('@');
    let host = if is_told { host.to_owned() } else { withheld(None) };
    let path = if is_plain_path { path.to_owned() } else { format!("/{}", withheld(None)) };
    if query.is_empty() {
        return Some(format!("{scheme}://{host}{path}"));
    }
    let query = query.split('#').next().unwrap_or_default();
    let asked = query.split('&').map(|one| match one.split_once('=').filter(|(name, _)| is_plain_name(name)) {
        Some((name, value)) if refers(value) => format!("{name}={value}"),
        Some((name, value)) => {
            let kind = kind_of(name, value);
            format!("{name}={}", mark(kind.map(|kind| (kind, fingerprinter.fingerprint(value.as_bytes()))), value))
        }
        None => withheld(None),
    });
    Some(format!("{scheme}://{host}{path}?{}", asked.collect::<Vec<_>>().join("&")))
}

/// Whether this is a word or number as hosts are named by, with few digits where it has both.
fn is_word_of_host(word: &str) -> bool {
    const LONGEST_MIXED: usize = 6;
    is_plain_part(word) || refers(word) || (word.len() <= LONGEST_MIXED && is_plain_word(word))
}

/// Whether this is an address: one of which nothing was taken may stay.
pub(super) fn is_address(text: &str) -> bool {
    let text = text.split_once('=').filter(|(name, _)| is_plain_name(name)).map_or(text, |(_, address)| address);
    text.split_once("://").is_some_and(|(scheme, rest)| {
        let host = rest.split('/').next().and_then(|authority| authority.rsplit('@').next()).unwrap_or_default();
        is_plain_scheme(scheme) && is_host(host) && !rest.contains(char::is_whitespace)
    })
}

/// Whether this is the beginning of an address (RFC 3986, 3.1), such as `https` and `git+ssh`, or several, such as
/// `jdbc:postgresql`.
fn is_plain_scheme(text: &str) -> bool {
    text.bytes().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, b'+' | b':'))
        && text.split(['+', ':']).all(|part| !part.is_empty() && is_word_of_host(part))
}

/// Whether this is a host, with a port or without.
fn is_host(text: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|letter| letter.is_ascii_digit()) || refers(port);
    let is_named = |name: &str| {
        refers(name)
            || name.bytes().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_' | b'.'))
            || name
                .strip_prefix('[')
                .and_then(|name| name.strip_suffix(']'))
                .is_some_and(|inner| inner.bytes().all(|letter| letter.is_ascii_hexdigit() || letter == b':'))
    };
    match text.rsplit_once(':').filter(|_| !text.ends_with(']')) {
        Some((name, port)) => is_port(port) && is_named(name),
        None => is_named(text),
    }
}

/// A word of a script without its quotes.
struct Word<'w> {
    text: &'w str,
    /// The flag before it, whose value it may be.
    before: &'w str,
    /// Whether a command may stand here.
    may_be_called: bool,
}

impl Word<'_> {
    /// The name of the flag that it is.
    fn flag(&self) -> Option<&str> {
        let name = self.text.strip_prefix('-')?;
        Some(name.strip_prefix('-').unwrap_or(name)).filter(|name| !name.contains('='))
    }

    /// What is written in its place; `None` = it stays.
    fn cleaned(&self, fingerprinter: &Fingerprinter) -> Option<String> {
        let text = self.text;
        if is_variable(text) || refers(text) {
            return None;
        }
        if let Some(flag) = self.flag() {
            let is_short = !text.starts_with("--") && flag.len() > 2;
            let stays = is_plain_name(flag) && (!is_short || is_called_a_secret(flag));
            return (!stays).then(|| withheld(None));
        }
        let dashes = text.len() - text.trim_start_matches('-').len();
        let (dashes, rest) = text.split_at_checked(dashes).unwrap_or(("", text));
        let assigned = rest.split_once('=').filter(|(name, _)| is_name(name));
        // A variable is filled in by the shell, and code of other languages calls and compares in such words: no secret is
        // read out of either.
        let value = text.split_once(['=', ' ']).map_or(text, |(_, value)| value);
        let is_filled = value.rsplit([' ', '=']).any(|part| part.starts_with(['$', '`']));
        if is_filled || text.contains(['(', ')', '[', ']', '{', '}', ',']) {
            let refers =
                assigned.is_some_and(|(name, value)| is_plain_name(name) && (is_variable(value) || refers(value)));
            return (!refers).then(|| withheld(None));
        }
        if let Some((name, value)) = assigned
            && (self.before.is_empty() || kind_of(self.before, text).is_none())
        {
            let kept = self::value(name, value, fingerprinter);
            return Some(if is_plain_name(name) { format!("{dashes}{name}={kept}") } else { kept });
        }
        if self.may_stay() {
            return None;
        }
        Some(self::value(self.before, text, fingerprinter))
    }

    /// Whether it is a command where one is called, or a plain path.
    fn may_stay(&self) -> bool {
        let is_path = ["/", "./", "../"].iter().any(|start| self.text.starts_with(start));
        ((is_path && !is_called_a_secret(self.before)) || (self.may_be_called && self.before.is_empty()))
            && self.text.len() <= LONGEST_NAME
            && self.text.split('/').all(is_plain_word)
            && kind_of("", self.text).is_none()
    }
}

/// Whether this is a short word in lower case, as commands and parts of paths are, and no encoded text.
fn is_plain_word(text: &str) -> bool {
    let plain =
        |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, b'-' | b'_' | b'.');
    text.len() <= LONGEST_NAME && text.bytes().all(plain) && !is_encoded(text)
}

/// Whether a text holds an encoded number, such as a hash, a key or a UUID: letters and digits without an end.
fn is_encoded(text: &str) -> bool {
    const SHORTEST: usize = 16;
    let has_digit = |text: &str| text.bytes().any(|letter| letter.is_ascii_digit());
    let hex = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let is_hex = hex >= SHORTEST && text.bytes().all(|letter| letter.is_ascii_hexdigit() || letter == b'-');
    let mut runs = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    (is_hex && has_digit(text)) || runs.any(|run| run.len() >= SHORTEST && has_digit(run))
}

/// `$NAME`, as a shell takes it.
fn is_variable(text: &str) -> bool {
    text.strip_prefix('$').is_some_and(is_name)
}

/// Whether this is a name as variables, flags and settings have them, made of words: `agent.apiKey`, `X-Api-Key` and
/// `K8SGPT_MODEL`. What is encoded, such as `MIIEvQIBADANBg`, is none.
pub(super) fn is_plain_name(text: &str) -> bool {
    is_name(text)
        && text.len() <= LONGEST_NAME
        && text.split(['-', '_', '.']).all(is_word_of_name)
        && !is_encoded(text)
        && kind_of("", text).is_none()
}

/// Whether this is a word as names have them: in one case, capitalised, or several of these in one, with few digits.
fn is_word_of_name(word: &str) -> bool {
    const LONGEST: usize = 32;
    const LONGEST_WITH_DIGITS: usize = 6;
    const LONGEST_ACRONYM: usize = 5;
    if word.bytes().any(|letter| letter.is_ascii_digit()) {
        let one_case = !(word.bytes().any(|letter| letter.is_ascii_lowercase())
            && word.bytes().any(|letter| letter.is_ascii_uppercase()));
        return one_case && word.len() <= LONGEST_WITH_DIGITS;
    }
    let is_upper = |letter: &u8| letter.is_ascii_uppercase();
    // `proxyLogLevel` and `baseURL`: what is in upper case begins a part or is a short one.
    let mut parts = word.as_bytes().chunk_by(|a, b| is_upper(a) == is_upper(b)).peekable();
    let mut is_plain = true;
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        is_plain &= !part.first().is_some_and(is_upper)
            || part.len() == 1
            || (is_last && (part.len() <= LONGEST_ACRONYM || part.len() == word.len()));
    }
    is_plain && word.len() <= LONGEST
}

/// Headers that say nothing of who asks (RFC 9110), beside those whose names begin with `X-`.
const HEADERS: [&str; 12] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "host",
    "origin",
    "referer",
    "user-agent",
    "via",
];

/// Whether this is the name of a header: before a colon anything may stand.
pub(super) fn is_header_name(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    is_plain_name(text) && (is_called_a_secret(text) || HEADERS.contains(&lower.as_str()) || lower.starts_with("x-"))
}

/// Whether an argument may stay as it is: words and numbers, alone or in a list, a path, a place in a network, or several of
/// these by name. What stands behind a colon may stay only where it is a port: it could be a password.
pub(super) fn is_plain(text: &str) -> bool {
    const LONGEST: usize = 256;
    let text = without_references(text);
    text.len() <= LONGEST
        && text.split(',').all(|part| match part.split_once('=') {
            // A name without a value is no name, but the end of something encoded.
            Some((name, value)) => !value.trim_matches('=').is_empty() && is_plain_name(name) && is_plain_place(value),
            None => is_plain_place(part),
        })
}

/// Whether this is a path, a host with a port or without, or a word.
fn is_plain_place(text: &str) -> bool {
    let (place, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let is_port = port.len() <= 5 && port.bytes().all(|letter| letter.is_ascii_digit());
    let is_host = place.is_empty() || place.contains(['.', ']']) || place == "localhost";
    let place = place.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(place);
    (port.is_empty() || (is_port && is_host)) && place.split(['/', '@']).all(is_plain_part)
}

/// Whether this is made of words or numbers, or of both where they are short, such as `k8s` and `v1`.
fn is_plain_part(text: &str) -> bool {
    const LONGEST_WORD: usize = 24;
    const LONGEST_NUMBER: usize = 8;
    const LONGEST_MIXED: usize = 3;
    let is_plain = |word: &str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let longest = match digits {
            0 => LONGEST_WORD,
            digits if digits == word.len() => LONGEST_NUMBER,
            _ => LONGEST_MIXED,
        };
        word.len() <= longest
    };
    is_plain_word(text) && text.split(['-', '_', '.']).all(is_plain) && kind_of("", text).is_none()
}

/// A text without the variables that are filled in when it is run, which are named as `$(NAME)`.
fn without_references(text: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("$(") {
        left.push_str(before);
        match behind.split_once(')').filter(|(name, _)| is_name(name)) {
            Some((_, after)) => rest = after,
            None => {
                left.push_str("$(");
                rest = behind;
            }
        }
    }
    left.push_str(rest);
    left
}

/// What is written in place of an argument that may not stay: what stands before its value does, where that is plain.
pub(super) fn argument(name: &str, text: &str, fingerprinter: &Fingerprinter) -> String {
    let mark = |name: &str, value: &str| mark(found(name, value, fingerprinter), value);
    match (text.split_once('='), text.split_once(':')) {
        (Some((inner, value)), _) if is_plain_name(inner) && !value.trim_matches('=').is_empty() => {
            format!("{inner}={}", mark(inner, value))
        }
        (_, Some((before, rest))) if !rest.is_empty() && is_plain_place(before) => {
            format!("{before}:{}", withheld(None))
        }
        _ => mark(name, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::secrets_of_words;

    const CANARY: &str = "canary";

    #[test]
    fn a_script_keeps_what_it_calls_and_loses_what_it_hands_over() {
        let fingerprinter = Fingerprinter::keyed("test");
        for (script, kept) in [
            (
                "exec mcp-server --transport=canary --api-key canary",
                "exec evenhand:withheld --transport=evenhand:withheld --api-key evenhand:withheld:api_key:#",
            ),
            (
                "GH_TOKEN=canary ./run.sh && rm -rf /var/out",
                "GH_TOKEN=evenhand:withheld:token:# ./run.sh && rm -rf /var/out",
            ),
            (
                "curl -H \"Authorization: Bearer canary\" \"https://h.example/x?api_key=canary&v=1\"",
                "curl -H \"Authorization: Bearer evenhand:withheld:token:#\" \"https://h.example/x?api_key=evenhand:withheld:api_key:#&v=evenhand:withheld\"",
            ),
            ("run --token $TOKEN --api-key=\"$KEY\"", "run --token $TOKEN --api-key=\"$KEY\""),
            (
                "echo canary | login -pcanary --password-stdin",
                "echo evenhand:withheld | login evenhand:withheld --password-stdin",
            ),
            (
                "cat <<E > x\ncanary\ntoken: canary\nE",
                "cat <<evenhand:withheld > evenhand:withheld\nevenhand:withheld\nevenhand:withheld evenhand:withheld\nevenhand:withheld",
            ),
            ("export A=canary B='canary canary'; go", "export A=evenhand:withheld B=evenhand:withheld; go"),
            (
                "curl \"https://api.telegram.example/bot123456:AACanary/sendMessage?chat_id=1\"",
                "curl https://api.telegram.example/evenhand:withheld?chat_id=evenhand:withheld",
            ),
            ("9f86d081884c7d65 x; /tmp/9f86d081884c7d65", "evenhand:withheld evenhand:withheld; evenhand:withheld"),
            ("f(password=canary)", "evenhand:withheld"),
            ("CanaryCanary1=x run", "evenhand:withheld evenhand:withheld"),
        ] {
            let written = cleaned(script, &fingerprinter);
            let print = fingerprinter.fingerprint(CANARY.as_bytes()).to_hex().to_string();
            assert_eq!(written.replace(&print, "#"), kept, "{script}");
        }
    }

    #[test]
    fn an_address_keeps_its_host_plain_path_and_the_names_asked_and_loses_what_proves_who_asks() {
        let fingerprinter = Fingerprinter::keyed("test");
        for (text, kept) in [
            (
                "https://api.telegram.example/bot123456:AACanary/sendMessage?chat_id=1",
                Some("https://api.telegram.example/evenhand:withheld?chat_id=evenhand:withheld"),
            ),
            ("https://CANARY@git.example/x?ref=main", Some("https://git.example/x?ref=evenhand:withheld")),
            ("https://CANARY@git.example:8443/x.git", Some("https://git.example:8443/x.git")),
            (
                "https://ca/nary@git.example/x?a=b",
                Some("https://evenhand:withheld/evenhand:withheld?a=evenhand:withheld"),
            ),
            (
                "https://h.example/9f86d081884c7d65/x?a=b",
                Some("https://h.example/evenhand:withheld?a=evenhand:withheld"),
            ),
            (
                "https://h.example/9f86d081-884c-7d65-9a2f-eaa0c55ad015?a=b",
                Some("https://h.example/evenhand:withheld?a=evenhand:withheld"),
            ),
            ("https://h.example#canary?a=b", Some("https://h.example/evenhand:withheld?a=evenhand:withheld")),
            ("https://user:Ca?nary@h.example/x", Some("https://evenhand:withheld?evenhand:withheld")),
            ("Canary,https://h.example?a=b", Some("evenhand:withheld://h.example?a=evenhand:withheld")),
            (
                "url=https://h.example/v1/sse?key=$(KEY)&a=b#canary",
                Some("url=https://h.example/v1/sse?key=$(KEY)&a=evenhand:withheld"),
            ),
            (
                "jdbc:postgresql://$(HOST):$(PORT)/app?ssl=on",
                Some("jdbc:postgresql://$(HOST):$(PORT)/app?ssl=evenhand:withheld"),
            ),
            ("http://[::1]:80/x?a=b", Some("http://[::1]:80/x?a=evenhand:withheld")),
            ("postgres://app:$(PASSWORD)@db/app", None),
            ("ssh://git@git.example/x.git", None),
            ("https://h.example/kept/v1.2/x", None),
            ("https://h.example/Canary/x", Some("https://h.example/evenhand:withheld")),
            ("https://h.example/bot123456:AACanary/x", Some("https://h.example/evenhand:withheld")),
            ("kept?a=b", None),
        ] {
            assert_eq!(address(text, &fingerprinter).as_deref(), kept, "{text}");
        }
    }

    #[test]
    fn what_is_left_of_a_script_tells_the_same_secrets_as_the_script() {
        let fingerprinter = Fingerprinter::keyed("test");
        for script in [
            "export GH_TOKEN=abcdef; run",
            "GH_TOKEN=abcdef run --api-key 'ghijkl' &&\nexit",
            "curl -H \"Authorization: Bearer abcdef\" x",
            "curl --header='X-API-Key: abcdef==' x",
            "run -e OPENAI_API_KEY=abcdef image",
            "run --set agent.apiKey=abcdef",
            "serve -token abcdef",
            "serve sk-ant-example-000000000000",
            "connect https://h.example/mcp?api_key=abcdef now",
            "psql postgres://app:abcdef@db/app",
            "run --token $TOKEN --api-key=\"$KEY\"; TOKEN=$(cat /x) API_KEY=`cat y` z",
            "connect(user=user, password=password); f(token=token)",
        ] {
            let of = |text: &str| {
                let found = secrets_of_words(["sh", "-c", text].into_iter(), &fingerprinter);
                found.into_iter().map(|held| (held.kind, held.fingerprint)).collect::<Vec<_>>()
            };
            assert_eq!(of(&cleaned(script, &fingerprinter)), of(script), "{script}");
        }
    }
}
