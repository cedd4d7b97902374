//! Lines that fit: text broken between words, and words broken where a reader expects it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Ids and paths break after these, so that no name is cut inside a word.
const SEPARATORS: [char; 5] = ['/', ':', '-', '_', ','];

/// Words broken into lines of at most `width` columns. A longer word is broken after a separator such as `/`, and anywhere
/// only where it has none.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    broken(text, width, width)
}

/// A text broken into lines of at most `room` columns, each with what stands before it: a head before the first, and before
/// the others as much space as `hang` says.
pub fn hung(head: &str, hang: usize, text: &str, room: usize) -> Vec<(String, String)> {
    let before = |at: usize| if at == 0 { head.to_owned() } else { " ".repeat(hang) };
    wrapped(text, room).into_iter().enumerate().map(|(at, line)| (before(at), line)).collect()
}

/// [`wrapped`] with a width of its own for the first line.
fn broken(text: &str, first: usize, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let room = |lines: &Vec<String>| if lines.is_empty() { first } else { width }.max(1);
        let mut rest = word;
        if !line.is_empty() {
            let left = room(&lines).saturating_sub(line.width() + 1);
            if rest.width() > left {
                // A word that no line holds begins on this one, where it breaks well in what is left.
                if rest.width() > width
                    && let Some((part, more)) = nice_break(rest, left).and_then(|at| rest.split_at_checked(at))
                {
                    line.push(' ');
                    line.push_str(part);
                    rest = more;
                }
                lines.push(std::mem::take(&mut line));
            } else {
                line.push(' ');
            }
        }
        while line.width() + rest.width() > room(&lines) {
            let (part, more) = rest.split_at(break_of(rest, room(&lines)));
            lines.push(part.to_owned());
            rest = more;
        }
        line.push_str(rest);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// How much of a word fits, in bytes.
fn fitting(word: &str, width: usize) -> usize {
    let mut used = 0;
    let fits = word.char_indices().take_while(|(_, c)| {
        used += c.width().unwrap_or(1);
        used <= width
    });
    fits.last().map_or(0, |(at, c)| at + c.len_utf8())
}

/// Where a word breaks after a separator, in bytes, if that fills a good part of the width: a crumb of a line is harder to
/// read than a cut name.
fn nice_break(word: &str, width: usize) -> Option<usize> {
    // Separators are one byte long.
    let after = word.get(..fitting(word, width))?.rfind(SEPARATORS)? + 1;
    let more = word.get(after..)?;
    let told = !begins_with_scheme(word) || word.get(..after)?.matches(':').count() >= SCHEME_PARTS;
    (!more.is_empty() && told && !more.starts_with(':') && after * 3 >= width).then_some(after)
}

/// So many parts of an `arn:` stay on one line: alone, the first ones name nothing.
const SCHEME_PARTS: usize = 3;

fn begins_with_scheme(word: &str) -> bool {
    word.trim_start_matches(|one: char| !one.is_alphanumeric()).starts_with("arn:")
}

/// Where a word breaks that has to: after a separator, else before a capital, else where the line ends, and after one
/// character at least.
fn break_of(word: &str, width: usize) -> usize {
    let one = word.chars().next().map_or(0, char::len_utf8);
    let fits = fitting(word, width);
    let capital = word.char_indices().zip(word.chars().skip(1)).filter_map(|((at, before), c)| {
        let after = at + before.len_utf8();
        (before.is_lowercase() && c.is_uppercase() && after <= fits && after * 2 >= fits).then_some(after)
    });
    nice_break(word, width).or_else(|| capital.last()).unwrap_or_else(|| fits.max(one))
}

/// A text of lines that may be long, folded to a width. A line that is folded goes on under the text after its label, or
/// two columns further in.
pub fn folded(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines() {
        if line.width() <= width {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        let body = line.trim_start();
        let indent = line.len() - body.len();
        let label = label_of(body).filter(|label| (indent + label) * 2 <= width);
        let (label, rest) = body.split_at_checked(label.unwrap_or(0)).unwrap_or(("", body));
        let hang = if label.is_empty() { (indent + 2).min(width / 3) } else { indent + label.len() };
        // Without a label the first line begins where it stood, and has more room than those below it.
        let first = if label.is_empty() { indent } else { hang };
        let room = |margin: usize| width.saturating_sub(margin).max(8);
        for (at, part) in broken(rest, room(first), room(hang)).iter().enumerate() {
            match at {
                0 => out.push_str(&format!("{:indent$}{label}{part}\n", "")),
                _ => out.push_str(&format!("{:hang$}{part}\n", "")),
            }
        }
    }
    out
}

/// The width of a label at the beginning of a line, with the spaces after it: a short run of text that two spaces or more
/// set apart.
fn label_of(body: &str) -> Option<usize> {
    const LONGEST: usize = 24;
    let gap = body.find("  ")?;
    let after = body.get(gap..)?;
    let text = gap + (after.len() - after.trim_start().len());
    (gap <= LONGEST && text < body.len() && body.is_char_boundary(text) && body.get(..text)?.is_ascii()).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_break_where_a_reader_expects_it() {
        for (text, width, lines) in [
            ("one two three", 7, &["one two", "three"][..]),
            ("arn:aws:iam::111122223333:role/deploy-bot", 20, &["arn:aws:iam::", "111122223333:role/", "deploy-bot"]),
            (
                "see kubernetes:prod-eu:serviceaccount:sre/cluster-tools",
                24,
                &["see kubernetes:prod-eu:", "serviceaccount:sre/", "cluster-tools"],
            ),
            ("ec2:ModifyInstanceAttribute", 20, &["ec2:ModifyInstance", "Attribute"]),
            (
                "the role arn:aws:iam::111122223333:role/deploy-bot",
                18,
                &["the role", "arn:aws:iam::", "111122223333:role/", "deploy-bot"],
            ),
            ("on arn:aws:s3:::invoices/archive", 16, &["on arn:aws:s3:::", "invoices/archive"]),
            ("abcdefghij", 4, &["abcd", "efgh", "ij"]),
            ("-abcdefghij", 8, &["-abcdefg", "hij"]),
            ("", 4, &[""]),
        ] {
            assert_eq!(wrapped(text, width), lines, "{text}");
        }
    }

    #[test]
    fn text_hangs_below_its_beginning() {
        let lines = |text: &str| -> Vec<String> {
            hung("* ", 4, text, 7).into_iter().map(|(before, line)| before + &line).collect()
        };
        assert_eq!(lines("one two three"), ["* one two", "    three"]);
        assert_eq!(lines(""), ["* "]);
    }

    #[test]
    fn a_folded_line_goes_on_under_its_text() {
        let text = "  evidence     examples/acme/aws/account.json#/RoleDetailList/4 and more\n  short\n";
        assert_eq!(
            folded(text, 40),
            "  evidence     examples/acme/aws/\n               account.json#/\n               RoleDetailList/4 and more\n  short\n"
        );
        assert_eq!(
            folded("    by a statement of some length here", 24),
            "    by a statement of\n      some length here\n"
        );
    }

    proptest! {
        #[test]
        fn wrapped_text_fits_and_loses_nothing(text in "[a-z/:. -]{0,60}", width in 2..30_usize) {
            let lines = wrapped(&text, width);
            prop_assert!(lines.iter().all(|line| line.width() <= width), "{lines:?}");
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }

        #[test]
        fn folded_text_fits_and_loses_nothing(text in "[ ]{0,4}[a-z/: -]{0,80}", width in 24..60_usize) {
            let after = folded(&text, width);
            prop_assert!(after.lines().all(|line| line.width() <= width), "{after}");
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&after), letters(&text));
        }
    }
}
