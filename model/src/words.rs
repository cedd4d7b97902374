//! The words of a name, as people see them in it.

/// A name cut into lower-case words: at everything that is no letter or digit, and before a capital that begins a word.
///
/// `SupportAgent-v2` is support, agent, v2; `AIOps` is ai, ops; `keyIDs` is key, ids.
pub fn words(name: &str) -> Vec<String> {
    pieces(name).map(|piece| lower_case(piece).collect()).collect()
}

/// The first word of a name that is one of these, which are given in lower case.
pub fn first_of<'w>(name: &str, words: &[&'w str]) -> Option<&'w str> {
    pieces(name).find_map(|piece| words.iter().copied().find(|word| is(piece, word)))
}

fn is(piece: &str, word: &str) -> bool {
    lower_case(piece).eq(word.chars())
}

fn lower_case(piece: &str) -> impl Iterator<Item = char> {
    piece.chars().flat_map(char::to_lowercase)
}

/// The words as they stand in the name.
fn pieces(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let text = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let (piece, after) = text.split_at(length(text));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// The bytes of the word with which a text begins.
fn length(text: &str) -> usize {
    let mut before: Option<char> = None;
    let ends = |(at, c): &(usize, char)| {
        let after = || text.get(at + c.len_utf8()..).unwrap_or_default();
        let here = !c.is_alphanumeric() || before.is_some_and(|before| begins(before, *c, after()));
        before = Some(*c);
        here
    };
    text.char_indices().find(ends).map_or(text.len(), |(at, _)| at)
}

/// Whether a letter begins a word, seen from those around it.
fn begins(before: char, letter: char, after: &str) -> bool {
    if !letter.is_uppercase() {
        return false;
    }
    if before.is_lowercase() || before.is_ascii_digit() {
        return true;
    }
    let mut after = after.chars();
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

    #[test]
    fn the_first_of_several_words_in_a_name_is_found_whole() {
        let first = |name| first_of(name, &["agent", "ai"]);
        assert_eq!(first("AIAgent-v2"), Some("ai"));
        assert_eq!(first("support-AGENT ai"), Some("agent"));
        assert_eq!(first("reagent maintainer"), None);
    }
}
