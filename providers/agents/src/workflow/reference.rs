//! References to inputs and secrets in expressions, in each way in which GitHub lets one write them: behind a dot, as an
//! index, and all at once as JSON. Source: GitHub's reference of contexts and expressions.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Behind what is no part of a longer path. Case does not count. A test proves that it compiles.
static REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(?P<before>^|[^.\w-])(?:(?P<of>inputs|secrets)",
        r"(?:\.(?P<name>[A-Z_][A-Z0-9_-]*)|\[\s*'(?P<index>[^']+)'\s*\])",
        r"|tojson\(\s*(?P<all>inputs|secrets)\s*\))",
    ))
    .ok()
});

/// What a reference is one of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Context {
    Inputs,
    Secrets,
}

/// A reference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reference<'t> {
    /// One of them.
    Named(Context, &'t str),
    /// All of them, as JSON.
    All(Context),
}

impl<'t> Reference<'t> {
    fn of(found: &Captures<'t>) -> Option<Self> {
        let context = |word: &str| match word.eq_ignore_ascii_case("inputs") {
            true => Context::Inputs,
            false => Context::Secrets,
        };
        if let Some(all) = found.name("all") {
            return Some(Self::All(context(all.as_str())));
        }
        let name = found.name("name").or_else(|| found.name("index"))?;
        Some(Self::Named(context(found.name("of")?.as_str()), name.as_str()))
    }
}

/// Whether a text holds something that would be a reference in an expression.
pub(super) fn is_in(text: &str) -> bool {
    REFERENCE.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// The references in an expression.
pub(super) fn all(expression: &str) -> impl Iterator<Item = Reference<'_>> {
    let found = REFERENCE.iter().flat_map(move |pattern| pattern.captures_iter(expression));
    found.filter_map(|found| Reference::of(&found))
}

/// The reference that an expression is, where it is nothing else.
pub(super) fn alone(expression: &str) -> Option<Reference<'_>> {
    let expression = expression.trim();
    let found = REFERENCE.as_ref()?.captures(expression)?;
    let whole = found.get(0).is_some_and(|whole| whole.len() == expression.len());
    let bare = found.name("before").is_none_or(|before| before.is_empty());
    if whole && bare { Reference::of(&found) } else { None }
}

/// An expression with something else in the place of its references; one stays where nothing is given for it.
pub(super) fn replaced(expression: &str, with: impl Fn(Reference<'_>) -> Option<String>) -> String {
    let Some(pattern) = REFERENCE.as_ref() else { return expression.to_owned() };
    let replaced = pattern.replace_all(expression, |found: &Captures<'_>| {
        let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
        match Reference::of(found).and_then(&with) {
            Some(text) => format!("{}{text}", part("before")),
            None => found.get(0).map_or("", |whole| whole.as_str()).to_owned(),
        }
    });
    replaced.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_reference_is_one() {
        use Context::{Inputs, Secrets};
        let cases: &[(&str, &[Reference<'_>])] = &[
            ("inputs.a-b", &[Reference::Named(Inputs, "a-b")]),
            ("inputs['a b']", &[Reference::Named(Inputs, "a b")]),
            ("Secrets[ 'KEY' ]", &[Reference::Named(Secrets, "KEY")]),
            ("format('{0}', toJSON( secrets ))", &[Reference::All(Secrets)]),
            ("inputs.a||secrets.B", &[Reference::Named(Inputs, "a"), Reference::Named(Secrets, "B")]),
            ("github.event.inputs.a", &[]),
            ("github.event.inputs['a']", &[]),
            ("my-inputs.a", &[]),
            ("inputs[github.actor]", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(all(text).collect::<Vec<_>>(), *expected, "{text}");
            assert_eq!(is_in(text), !expected.is_empty(), "{text}");
        }
        assert_eq!(alone(" inputs['a'] "), Some(Reference::Named(Inputs, "a")));
        for more in ["!inputs.a", "(inputs.a", "inputs.a || b"] {
            assert_eq!(alone(more), None, "{more}");
        }
    }
}
