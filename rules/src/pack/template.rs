//! One-line messages with places for values.

use std::sync::Arc;

/// A message such as ``key of `{name}` is {age_days} days old``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: Arc<str>,
    parts: Vec<Part>,
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text as it stands.
    Text(Arc<str>),
    /// The name of a value.
    Place(Arc<str>),
}

impl Template {
    /// Reads a message.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() || text.contains('\n') {
            return Err("a message is one line of text".to_owned());
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err("a `{` in the message is not closed".to_owned());
            };
            if name.is_empty()
                || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
            {
                return Err(format!("`{{{name}}}` in the message names no column"));
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.into()));
            }
            parts.push(Part::Place(name.into()));
            rest = after;
        }
        if rest.contains('}') {
            return Err("a `}` in the message closes nothing".to_owned());
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Ok(Self { text: text.into(), parts })
    }

    /// The message as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names in its places.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| if let Part::Place(name) = part { Some(&**name) } else { None })
    }

    /// The pieces, in order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_the_rest_is_kept() {
        let template = Template::parse("{name} is {age_days} days old").unwrap();
        assert_eq!(template.places().collect::<Vec<_>>(), ["name", "age_days"]);
        let shown: String = template
            .parts()
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.to_string(),
                Part::Place(name) => name.to_uppercase(),
            })
            .collect();
        assert_eq!(shown, "NAME is AGE_DAYS days old");
    }

    #[test]
    fn broken_messages_are_refused() {
        for text in ["", "a\nb", "{name", "name}", "{}", "{Na me}"] {
            assert!(Template::parse(text).is_err(), "{text:?}");
        }
    }
}
