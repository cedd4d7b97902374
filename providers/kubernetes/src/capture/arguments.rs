//! Literal secrets among the words of a command line: `--name value`, `--name=value`, the same with one dash as programs
//! in Go take it, `NAME=value` as it stands or behind a flag, headers, what is asked of addresses, words that show by their shape what they
//! are, and all of these in a script that is one word.

use std::ops::Range;

use evenhand_agents::issued::Issued;
use evenhand_model::secret::{Fingerprint, Fingerprinter};

use super::secret::{self, is_name};

/// A literal among words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    /// The number of the word that holds it.
    pub(crate) at: usize,
    /// The name beside it; `argument` where there is none.
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) issued: Option<Issued>,
    pub(crate) fingerprint: Fingerprint,
}

/// The literal secrets among words.
pub(crate) fn secrets<'w>(words: impl Iterator<Item = &'w str>, fingerprinter: &Fingerprinter) -> Vec<Literal> {
    let mut all = Vec::new();
    let mut flag: Option<&str> = None;
    for (at, word) in words.enumerate() {
        let before = flag.take().unwrap_or_default();
        match of_word(before, word, fingerprinter) {
            Said::Flag(name) => flag = Some(name),
            Said::Secret(secret) => all.push(secret.literal(at)),
            Said::Nothing if word.contains(char::is_whitespace) => of_script(at, word, fingerprinter, &mut all),
            Said::Nothing => {}
        }
    }
    all
}

/// What a word says, behind a flag.
enum Said<'w> {
    /// It is a flag itself, and the next word may be its value.
    Flag(&'w str),
    Secret(Secret<'w>),
    Nothing,
}

/// A secret in a word, with the name beside it.
struct Secret<'w> {
    name: &'w str,
    kind: &'static str,
    issued: Option<Issued>,
    fingerprint: Fingerprint,
}

impl Secret<'_> {
    fn literal(self, at: usize) -> Literal {
        let Self { name, kind, issued, fingerprint } = self;
        let name = if name.is_empty() { "argument" } else { name };
        Literal { at, name: name.to_owned(), kind, issued, fingerprint }
    }
}

fn of_word<'w>(flag: &'w str, word: &'w str, fingerprinter: &Fingerprinter) -> Said<'w> {
    let (name, value) = match word.strip_prefix('-').map(|rest| rest.strip_prefix('-').unwrap_or(rest)) {
        Some(rest) => match rest.split_once('=') {
            Some((name, value)) => (name, value),
            None => return Said::Flag(rest),
        },
        None => (flag, word),
    };
    let inner = || value.split_once('=').filter(|(name, _)| is_name(name));
    let found = [Some((name, value)), inner()].into_iter().flatten().find_map(|(name, value)| {
        let (name, kind, fingerprint) = secret::named(name, value, fingerprinter)?;
        Some(Secret { name, kind, issued: secret::issued(name, value), fingerprint })
    });
    found.map_or(Said::Nothing, Said::Secret)
}

/// The literal secrets in a script: those of each of its words.
fn of_script(at: usize, script: &str, fingerprinter: &Fingerprinter, all: &mut Vec<Literal>) {
    let words = words_of(script);
    let mut flag: Option<&str> = None;
    for (_, word) in &words {
        let before = flag.take().unwrap_or_default();
        // A variable is filled in by the shell. Code of other languages calls and compares in such words.
        let value = word.split_once(['=', ' ']).map_or(word.as_str(), |(_, value)| value);
        let filled = value.rsplit([' ', '=']).any(|part| part.starts_with(['$', '`']));
        if filled || word.contains(['(', ')', '[', ']', '{', '}', ',']) {
            continue;
        }
        match of_word(before, word, fingerprinter) {
            Said::Flag(name) => flag = Some(name),
            Said::Secret(secret) => all.push(secret.literal(at)),
            Said::Nothing => {}
        }
    }
}

/// Whether a shell ends a word here, whatever else it makes of it.
pub(crate) fn is_separator(letter: char) -> bool {
    matches!(letter, ';' | '|' | '&' | '<' | '>')
}

/// The words of a script, without their quotes, and where each stands with them. Quotes inside quotes stay.
pub(crate) fn words_of(script: &str) -> Vec<(Range<usize>, String)> {
    let mut words = Vec::new();
    let (mut start, mut word) = (0, String::new());
    let mut quote: Option<char> = None;
    for (at, letter) in script.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, letter) if letter.is_whitespace() || is_separator(letter) => {
                words.push((start..at, std::mem::take(&mut word)));
                start = at + letter.len_utf8();
            }
            _ => word.push(letter),
        }
    }
    words.push((start..script.len(), word));
    words.retain(|(_, word)| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_every_form_of_an_argument() {
        let fingerprinter = Fingerprinter::keyed("test");
        for (line, expected) in [
            ("serve --api-key=abcdef --port=80", &[(1, "api-key", "abcdef")][..]),
            ("serve --api-key abcdef", &[(2, "api-key", "abcdef")]),
            ("serve -api-key=abcdef -v kept", &[(1, "api-key", "abcdef")]),
            ("serve -token abcdef", &[(2, "token", "abcdef")]),
            ("env HF_TOKEN=abcdef serve", &[(1, "HF_TOKEN", "abcdef")]),
            ("run -e OPENAI_API_KEY=abcdef image", &[(2, "OPENAI_API_KEY", "abcdef")]),
            ("run --env=DB_PASSWORD=abc=def image", &[(1, "DB_PASSWORD", "abc=def")]),
            ("run --set agent.apiKey=abcdef", &[(2, "agent.apiKey", "abcdef")]),
            ("serve sk-ant-example-000000000000", &[(1, "argument", "sk-ant-example-000000000000")]),
            ("serve --token --mcp", &[]),
            ("serve --token-file /etc/token --token=$(TOKEN) API_KEY=/etc/key a=b", &[]),
            ("- -- = == -=x", &[]),
        ] {
            let found = secrets(line.split(' '), &fingerprinter);
            let found: Vec<_> = found.iter().map(|held| (held.at, held.name.as_str(), held.fingerprint)).collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(at, name, value)| (*at, *name, fingerprinter.fingerprint(value.as_bytes())))
                .collect();
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn secrets_are_found_inside_scripts_and_headers() {
        let fingerprinter = Fingerprinter::keyed("test");
        for (words, expected) in [
            (&["--header", "Authorization: Bearer abcdef"][..], &[(1, "BEARER", "abcdef")][..]),
            (&["--header=Authorization: Bearer abc=="], &[(0, "BEARER", "abc==")]),
            (&["https://h.example/mcp?api_key=abcdef"], &[(0, "api_key", "abcdef")]),
            (&["--url=https://h.example/mcp?api_key=abcdef"], &[(0, "api_key", "abcdef")]),
            (&["sh", "-c", "export GH_TOKEN=abcdef; run"], &[(2, "GH_TOKEN", "abcdef")]),
            (
                &["sh", "-c", "GH_TOKEN=abcdef run --api-key 'ghijkl' &&\nexit"],
                &[(2, "GH_TOKEN", "abcdef"), (2, "api-key", "ghijkl")],
            ),
            (&["sh", "-c", "curl -H \"Authorization: Bearer abcdef\" x"], &[(2, "BEARER", "abcdef")]),
            (&["sh -c \"curl -H 'X-API-Key: abcdef' x\""], &[]),
            (&["sh", "-c", "run --token $TOKEN --api-key=\"$KEY\"; TOKEN=$(cat /x) API_KEY=`cat y` z"], &[]),
            (&["sh", "-c", "curl -H \"Authorization: Bearer $TOKEN\" \"https://x?api_key=$KEY\""], &[]),
            (&["python", "-c", "connect(user=user, password=password); f(token=token)"], &[]),
            (&["--prompt", "Keep the token: it is needed"], &[]),
        ] {
            let found = secrets(words.iter().copied(), &fingerprinter);
            let found: Vec<_> = found.iter().map(|held| (held.at, held.name.as_str(), held.fingerprint)).collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(at, name, value)| (*at, *name, fingerprinter.fingerprint(value.as_bytes())))
                .collect();
            assert_eq!(found, expected, "{words:?}");
        }
    }
}
