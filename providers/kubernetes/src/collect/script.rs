//! Command lines and addresses without their secrets: what is told to be harmless stays, a secret is replaced by its kind
//! and fingerprint, and whatever else there is by the bare mark.
//!
//! Names of variables and flags stay, and so do commands where they are called, plain paths and references. A word that
//! nothing tells goes, as does everything plain in a document that a script writes. What reads the result finds the same
//! secrets as in the text itself.

use evenhand_model::secret::{Fingerprinter, withheld};

use super::withhold::{is_called_a_secret, refers};
use crate::capture::{header, is_name, is_separator, kind_of, words_of};

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
        Some(withheld(Some((kind, fingerprinter.fingerprint(value.as_bytes())))))
    };
    // What authenticates stands behind a word for how, which stays.
    let (called, proof) = header(name, value);
    if let Some(kept) = kind((called, proof)) {
        return match value.strip_suffix(proof) {
            Some(how) if called != name => format!("{how}{kept}"),
            _ => kept,
        };
    }
    if let Some((name, rest)) = value.split_once(": ").filter(|(name, _)| is_name(name)) {
        return format!("{name}: {}", self::value(name, rest.trim(), fingerprinter));
    }
    if let Some(address) = address(value, fingerprinter) {
        return address;
    }
    match value.split_once('=').filter(|(name, _)| is_plain_name(name)) {
        Some((name, value)) => format!("{name}={}", self::value(name, value, fingerprinter)),
        None => withheld(None),
    }
}

/// A text with the values replaced that are asked of addresses in it; `None` where nothing is asked of any.
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

/// An address with the values that are asked of it replaced; `None` for a text that is none, or of which nothing is asked.
pub(super) fn address(text: &str, fingerprinter: &Fingerprinter) -> Option<String> {
    let (address, query) =
        text.split_once('?').filter(|(address, query)| address.contains("://") && !query.is_empty())?;
    if address.contains(char::is_whitespace) {
        return None;
    }
    let query = query.split('#').next().unwrap_or_default();
    let asked = query.split('&').map(|one| match one.split_once('=').filter(|(name, _)| is_plain_name(name)) {
        Some((name, value)) if refers(value) => format!("{name}={value}"),
        Some((name, value)) => {
            let kind = kind_of(name, value);
            format!("{name}={}", withheld(kind.map(|kind| (kind, fingerprinter.fingerprint(value.as_bytes())))))
        }
        None => withheld(None),
    });
    Some(format!("{address}?{}", asked.collect::<Vec<_>>().join("&")))
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
        let plain = |letter: u8| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, b'-' | b'_' | b'.' | b'/')
        };
        let is_path = ["/", "./", "../"].iter().any(|start| self.text.starts_with(start));
        ((is_path && !is_called_a_secret(self.before)) || (self.may_be_called && self.before.is_empty()))
            && self.text.len() <= LONGEST_NAME
            && self.text.bytes().all(plain)
            && kind_of("", self.text).is_none()
    }
}

/// `$NAME`, as a shell takes it.
fn is_variable(text: &str) -> bool {
    text.strip_prefix('$').is_some_and(is_name)
}

/// Whether this is a name as variables, flags and settings have them, and no encoded text.
fn is_plain_name(text: &str) -> bool {
    let (upper, lower) = (
        text.bytes().any(|letter| letter.is_ascii_uppercase()),
        text.bytes().any(|letter| letter.is_ascii_lowercase()),
    );
    // `agent.apiKey` and `X-Api-Key` are names, `MIIEvQIBADANBg` is none.
    let is_mixed = upper && lower && text.bytes().any(|letter| letter.is_ascii_digit());
    is_name(text) && text.len() <= LONGEST_NAME && !is_mixed
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
                "GH_TOKEN=canary ./run.sh && rm -rf /tmp/x",
                "GH_TOKEN=evenhand:withheld:token:# ./run.sh && rm -rf /tmp/x",
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
            ("f(password=canary)", "evenhand:withheld"),
            ("CanaryCanary1=x run", "evenhand:withheld evenhand:withheld"),
        ] {
            let written = cleaned(script, &fingerprinter);
            let print = fingerprinter.fingerprint(CANARY.as_bytes()).to_hex().to_string();
            assert_eq!(written.replace(&print, "#"), kept, "{script}");
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
