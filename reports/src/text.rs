//! Text for terminals and spreadsheets: names are chosen by others, so nothing in them may act.

/// A name as it may be printed on a terminal or a log: control characters, escape sequences, and the invisible
/// characters that reorder or hide text become `\u{…}`.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_invisible(c) {
            safe.push_str(&c.escape_unicode().to_string());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Bidirectional controls, zero-width characters, line and paragraph separators, tags, and the byte order mark
/// (Unicode, categories Cf, Zl and Zp as far as they can deceive).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A cell as a spreadsheet may open it: a leading `=`, `+`, `-`, `@`, tab or carriage return would make it a formula,
/// so it gets a leading apostrophe (OWASP, CSV injection). Numbers keep their sign.
pub fn formula_safe(text: &str) -> std::borrow::Cow<'_, str> {
    let risky = text.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if risky && text.parse::<f64>().is_err() { format!("'{text}").into() } else { text.into() }
}

/// A cell of a CSV file, which people open in a spreadsheet and print on a terminal: no formula, and nothing that acts.
/// A quoted cell keeps its lines and tabs; every other control character, and what reorders or hides text, becomes `\u{…}`.
pub fn cell(text: &str) -> std::borrow::Cow<'_, str> {
    let acts = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || is_invisible(c);
    let safe = formula_safe(text);
    if !safe.chars().any(acts) {
        return safe;
    }
    let mut written = String::with_capacity(safe.len() + 16);
    for c in safe.chars() {
        match acts(c) {
            true => written.extend(c.escape_unicode()),
            false => written.push(c),
        }
    }
    written.into()
}

/// A count with its noun: `1 identity`, `2 identities`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count as u64), if count == 1 { one } else { many })
}

/// A number with a thin separator between thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_that_acts_reaches_a_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\u{202e}c\u{7}"), "a\\u{1b}[31mb\\u{202e}c\\u{7}");
        assert_eq!(printable("räksmörgås 日本"), "räksmörgås 日本");
    }

    #[test]
    fn formulas_are_disarmed_and_numbers_are_not() {
        assert_eq!(formula_safe("=1+1"), "'=1+1");
        assert_eq!(formula_safe(" @x"), "' @x");
        assert_eq!(formula_safe("-12"), "-12");
        assert_eq!(formula_safe("-rf"), "'-rf");
        assert_eq!(formula_safe("role-x"), "role-x");
    }

    #[test]
    fn a_cell_keeps_its_lines_and_nothing_in_it_acts() {
        assert_eq!(cell("a\u{1b}[31mb\u{202e}c\u{7}"), "a\\u{1b}[31mb\\u{202e}c\\u{7}");
        assert_eq!(cell("mend it:\n- first\tthen"), "mend it:\n- first\tthen");
        assert_eq!(cell("\r=1+1"), "'\\u{d}=1+1");
        assert_eq!(cell("\u{202e}=1+1"), "\\u{202e}=1+1");
        assert_eq!(cell("räksmörgås 日本"), "räksmörgås 日本");
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    proptest! {
        #[test]
        fn printable_text_holds_no_control_character(text in "\\PC*|.*") {
            prop_assert!(!printable(&text).chars().any(|c| c.is_control() || is_invisible(c)));
        }
    }
}
