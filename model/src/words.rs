//! The words of a name, as people see them in it.

use std::iter::Peekable;
use std::str::Chars;

/// A name cut into lower-case words: at everything that is no letter or digit, and before a capital that begins a word.
///
/// `SupportAgent-v2` is support, agent, v2; `AIOps` is ai, ops; `keyIDs` is key, ids.
pub fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut before: Option<char> = None;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let inside = c.is_alphanumeric();
        if (!inside || before.is_some_and(|before| begins(before, c, &chars))) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if inside {
            word.extend(c.to_lowercase());
        }
        before = inside.then_some(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether a letter begins a word, seen from those around it.
fn begins(before: char, letter: char, after: &Peekable<Chars<'_>>) -> bool {
    if !letter.is_uppercase() {
        return false;
    }
    if before.is_lowercase() || before.is_ascii_digit() {
        return true;
    }
    let mut after = after.clone();
    let next = after.next();
    // The last capital of several belongs to the word after it, but for the plural of an abbreviation.
    let plural = next == Some('s') && !after.next().is_some_and(char::is_lowercase);
    before.is_uppercase() && next.is_some_and(char::is_lowercase) && !plural
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_where_people_see_words() {
        for (name, expected) in [
            ("SupportAgent-v2", &["support", "agent", "v2"][..]),
            ("AIOps", &["ai", "ops"]),
            ("EC2Agent", &["ec2", "agent"]),
            ("apiKey", &["api", "key"]),
            ("X-Api-Key", &["x", "api", "key"]),
            ("AWS_SECRET_ACCESS_KEY", &["aws", "secret", "access", "key"]),
            ("PGPASSWORD", &["pgpassword"]),
            ("secretIDs", &["secret", "ids"]),
            ("URLs_of", &["urls", "of"]),
            ("--", &[]),
            ("", &[]),
            ("Ärzte", &["ärzte"]),
        ] {
            assert_eq!(words(name), expected, "{name}");
        }
    }
}
