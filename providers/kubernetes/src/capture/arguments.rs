//! Literal secrets among the words of a command line: `--name value`, `--name=value`, the same with one dash as programs
//! in Go take it, `NAME=value` as it stands or behind a flag, and words that show by their shape what they are.

use evenhand_model::secret::{Fingerprint, Fingerprinter};

use super::secret;

/// A literal among words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal<'w> {
    /// The number of the word that holds it.
    pub(super) at: usize,
    /// The name beside it; `argument` where there is none.
    pub(super) name: &'w str,
    pub(super) kind: &'static str,
    pub(super) fingerprint: Fingerprint,
}

/// The literal secrets among words.
pub(super) fn secrets<'w>(words: impl Iterator<Item = &'w str>, fingerprinter: &Fingerprinter) -> Vec<Literal<'w>> {
    let mut all = Vec::new();
    let mut flag: Option<&str> = None;
    for (at, word) in words.enumerate() {
        let (name, value) = match word.strip_prefix('-').map(|rest| rest.strip_prefix('-').unwrap_or(rest)) {
            Some(rest) => match rest.split_once('=') {
                Some((name, value)) => (name, value),
                None => {
                    flag = Some(rest);
                    continue;
                }
            },
            None => (flag.unwrap_or_default(), word),
        };
        flag = None;
        let inner = || value.split_once('=').filter(|(name, _)| is_name(name));
        let found = [Some((name, value)), inner()].into_iter().flatten().find_map(|(name, value)| {
            let (kind, fingerprint) = secret::found(name, value, fingerprinter)?;
            let name = if name.is_empty() { "argument" } else { name };
            Some(Literal { at, name, kind, fingerprint })
        });
        all.extend(found);
    }
    all
}

/// Whether a text can be the name of a variable or a setting.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
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
            let found: Vec<_> = found.iter().map(|held| (held.at, held.name, held.fingerprint)).collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(at, name, value)| (*at, *name, fingerprinter.fingerprint(value.as_bytes())))
                .collect();
            assert_eq!(found, expected, "{line}");
        }
    }
}
