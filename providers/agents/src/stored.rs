//! Secrets and variables that a platform keeps for its pipelines: what a name says, and whether a value is a secret.
//!
//! For readers of such stores, so that there is one judgement of what a secret is.

use std::borrow::Cow;

use evenhand_model::secret::{Fingerprint, Fingerprinter, of_withheld};

use crate::secret::{in_slot, promise, replace};

/// What a stored secret is, told by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    /// The word used in the credentials table; `secret` where the name tells nothing.
    pub name: &'static str,
    /// Whether its issuer offers a short-lived or federated way for the same purpose; `None` = not known.
    pub federable: Option<bool>,
    /// Whether it ends by itself within hours.
    pub short_lived: bool,
}

/// What a stored secret is.
pub fn kind(name: &str) -> Kind {
    match promise(name) {
        Some(promise) => {
            let kind = promise.kind;
            Kind { name: kind.name, federable: kind.federable, short_lived: kind.short_lived }
        }
        None => Kind { name: "secret", federable: None, short_lived: false },
    }
}

/// The kind and fingerprint of the secret that a variable's value is or holds; `None` = it holds none.
pub fn secret_in(name: &str, value: &str, fingerprinter: &Fingerprinter) -> Option<(&'static str, Fingerprint)> {
    let hit = in_slot(name, value).into_iter().find(|hit| !hit.kind.public)?;
    let secret = value.get(hit.range)?;
    Some((hit.kind.name, fingerprinter.fingerprint(secret.as_bytes())))
}

/// A file in YAML with something else in place of every secret in it, for those who keep files: it is made of the kind and
/// the secret. What a reader of the file would take for the secret of a member is taken for it here, too.
pub fn cut_out(text: &str, instead: impl Fn(&str, &str) -> String) -> String {
    let mut kept = String::with_capacity(text.len());
    // The lines of a block scalar stand deeper than its member.
    let mut block: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let depth = line.len() - line.trim_start().len();
        if block.is_some_and(|of| depth > of || line.trim().is_empty()) {
            kept.push_str(line);
            continue;
        }
        block = is_block(line).then_some(depth);
        kept.push_str(&member(line, &instead).unwrap_or(Cow::Borrowed(line)));
    }
    replace(&kept, |kind, secret| match of_withheld(secret) {
        Some(_) => secret.to_owned(),
        None => instead(kind.name, secret),
    })
}

/// Whether a member's value are the lines below.
fn is_block(line: &str) -> bool {
    let value = line.split_once(": ").map_or("", |(_, value)| value.trim());
    value.starts_with(['|', '>']) && value.len() <= 3
}

/// A line with a member that is one scalar, with the secret cut out of its value; `None` where there is none.
fn member<'t>(line: &'t str, instead: &impl Fn(&str, &str) -> String) -> Option<Cow<'t, str>> {
    let (before, after) = line.split_once(": ")?;
    let name = before.trim_start().trim_start_matches("- ").trim().trim_matches(['"', '\'']);
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')) {
        return None;
    }
    let value = after.trim_start();
    let start = line.len() - value.len();
    // The scalar as it is written, and what it says.
    let (end, said) = match value.chars().next()? {
        quote @ ('"' | '\'') => {
            let inner = value.get(1..)?;
            let length = closing(inner, quote)?;
            let written = inner.get(..length)?;
            let said = match quote {
                '"' if written.contains('\\') => Cow::Owned(serde_saphyr::from_str(value.get(..length + 2)?).ok()?),
                '\'' if written.contains("''") => Cow::Owned(written.replace("''", "'")),
                _ => Cow::Borrowed(written),
            };
            (start + 1 + length, said)
        }
        _ => {
            let plain = value.split(" #").next().unwrap_or(value).trim_end();
            (start + plain.len(), Cow::Borrowed(plain))
        }
    };
    let start = end.checked_sub(line.get(start..end)?.trim_start_matches(['"', '\'']).len())?;
    let hits: Vec<_> = in_slot(name, &said).into_iter().filter(|hit| !hit.kind.public).collect();
    let mut kept = line.get(..start)?.to_owned();
    if line.get(start..end)? == said {
        let mut from = 0;
        for hit in &hits {
            kept.push_str(said.get(from..hit.range.start)?);
            kept.push_str(&instead(hit.kind.name, said.get(hit.range.clone())?));
            from = hit.range.end;
        }
        kept.push_str(said.get(from..)?);
    } else {
        // It is written otherwise than it is said: nothing of it stays.
        let first = hits.first()?;
        kept.push_str(&instead(first.kind.name, said.get(first.range.clone())?));
    }
    kept.push_str(line.get(end..)?);
    (!hits.is_empty()).then_some(Cow::Owned(kept))
}

/// Where a quoted scalar ends.
fn closing(inner: &str, quote: char) -> Option<usize> {
    let mut characters = inner.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let doubled = |next: Option<&(usize, char)>| next.is_some_and(|(_, next)| *next == quote);
        match character {
            '\\' if quote == '"' => drop(characters.next()),
            _ if character != quote => {}
            '\'' if doubled(characters.peek()) => drop(characters.next()),
            _ => return Some(at),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use evenhand_model::secret::withheld;

    use super::*;
    use crate::secret::Slots;
    use crate::tree::{self, Syntax};

    #[test]
    fn what_is_cut_out_is_what_a_reader_takes_for_the_secret_and_nothing_of_it_stays() {
        let keys = Fingerprinter::keyed("k");
        for (name, written, secret) in [
            ("DB_PASSWORD", "fake,canary#1;x)y", "fake,canary#1;x)y"),
            ("DB_PASSWORD", "'fake''canary 1' # why", "fake'canary 1"),
            ("DB_PASSWORD", r#""fake\"canary\\1""#, "fake\"canary\\1"),
            ("- API_TOKEN", "Bearer fakecanary0123456789", "fakecanary0123456789"),
            ("  API_TOKEN", "\"fakecanary0123456789\"", "fakecanary0123456789"),
        ] {
            let text = format!("env:\n  {name}: {written}\nREGION: eu-west-1\n");
            let cut = cut_out(&text, |_, secret| withheld(Some(("secret", keys.fingerprint(secret.as_bytes())))));
            assert!(!cut.contains("canary"), "{cut}");
            assert!(cut.ends_with("\nREGION: eu-west-1\n"), "{cut}");
            let mark = format!("evenhand:withheld:secret:{}", keys.fingerprint(secret.as_bytes()).to_hex());
            assert!(cut.contains(&mark), "{cut} {mark}");
            let read = |text: &str| -> Vec<Option<Fingerprint>> {
                let node = tree::parse(text, Syntax::Yaml).map_err(|error| error.reason).unwrap();
                let mut slots = Slots::new(&keys);
                slots.walk("", 1, &node, "");
                slots.found.into_iter().map(|found| found.fingerprint).collect()
            };
            let held = read(&text);
            assert_eq!((read(&cut), held.len()), (held, 1), "{cut}");
        }
        let script = "run: |\n  password: hunter\n  x\nenv: {REGION: a}\n";
        assert_eq!(cut_out(script, |_, _| "?".to_owned()), script, "a script is no member");
    }

    #[test]
    fn a_name_tells_the_kind_and_a_value_whether_it_is_a_secret() {
        assert_eq!(
            (kind("AWS_SECRET_ACCESS_KEY").name, kind("AWS_SECRET_ACCESS_KEY").federable),
            ("aws_secret_access_key", Some(true))
        );
        assert_eq!(kind("COSIGN").name, "secret");
        let keys = Fingerprinter::keyed("k");
        assert_eq!(secret_in("REGION", "eu-west-1", &keys), None);
        assert!(secret_in("DEPLOY_PASSWORD", "c0rrect-horse-battery", &keys).is_some());
    }
}
