//! The texts of some rows that one core makes one after the other.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use evenhand_model::access::EdgeTarget;
use evenhand_model::evidence::{Evidence, Place};
use evenhand_model::id::ScopeId;

use crate::facts::context::FastMap;

/// Makes texts, and those that many rows share once for all of them. Rows of other cores have copies of their own: where
/// several cores count the holders of one text, each waits for the others.
#[derive(Default)]
pub(super) struct Words {
    words: FastMap<&'static str, Arc<str>>,
    /// For scopes: what it is called to control all of it.
    control: FastMap<ScopeId, Arc<str>>,
    /// Where texts are put together, as nobody knows beforehand how long they are.
    draft: String,
}

impl Words {
    /// A word of some vocabulary.
    pub(super) fn word(&mut self, word: &'static str) -> Arc<str> {
        Arc::clone(self.words.entry(word).or_insert_with(|| word.into()))
    }

    /// Anything as one text.
    pub(super) fn text(&mut self, text: impl fmt::Display) -> Arc<str> {
        self.draft.clear();
        // Writing to memory does not fail.
        let _ = write!(self.draft, "{text}");
        self.draft.as_str().into()
    }

    /// Texts joined into one.
    pub(super) fn joined<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>, separator: &str) -> Arc<str> {
        self.draft.clear();
        for (at, text) in texts.into_iter().enumerate() {
            if at > 0 {
                self.draft.push_str(separator);
            }
            self.draft.push_str(text);
        }
        if self.draft.is_empty() { self.word("") } else { self.draft.as_str().into() }
    }

    /// Anything joined into one text.
    pub(super) fn list(&mut self, items: impl IntoIterator<Item = impl fmt::Display>, separator: &str) -> Arc<str> {
        self.draft.clear();
        for item in items {
            if !self.draft.is_empty() {
                self.draft.push_str(separator);
            }
            let _ = write!(self.draft, "{item}");
        }
        self.draft.as_str().into()
    }

    /// Where something is written, as one text.
    pub(super) fn location(&mut self, evidence: &Evidence) -> Arc<str> {
        match evidence.place {
            Place::Whole => Arc::clone(&evidence.document),
            _ => self.text(evidence),
        }
    }

    /// Where something is written, as text and line.
    pub(super) fn location_and_line(&mut self, evidence: &Evidence) -> (Arc<str>, Option<i64>) {
        match evidence.place {
            Place::Line(line) | Place::LineColumn(line, _) => (Arc::clone(&evidence.document), Some(i64::from(line))),
            Place::Whole | Place::Pointer(_) | Place::Setting { .. } => (self.location(evidence), None),
        }
    }

    /// The end of a path.
    pub(super) fn target(&mut self, target: &EdgeTarget) -> Arc<str> {
        match target {
            EdgeTarget::Identity(identity) => identity.shared(),
            EdgeTarget::Admin(scope) => {
                if let Some(text) = self.control.get(scope) {
                    return Arc::clone(text);
                }
                let text = self.joined(["admin of", scope.as_str()], " ");
                self.control.insert(scope.clone(), Arc::clone(&text));
                text
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rows_share_is_made_once_and_no_text_keeps_anything_of_another() {
        let mut words = Words::default();
        let (one, other) = (words.word("role"), words.word("role"));
        assert!(Arc::ptr_eq(&one, &other) && &*one == "role");
        let admin = EdgeTarget::Admin("prod".into());
        let (one, other) = (words.target(&admin), words.target(&admin));
        assert!(Arc::ptr_eq(&one, &other) && &*one == "admin of prod");
        assert_eq!(&*words.location(&Evidence::pointer("a.json", "/x")), "a.json#/x");
        assert_eq!(&*words.joined([], ", "), "");
        assert_eq!(&*words.joined(["b"], ", "), "b");
        assert_eq!(&*words.text(7), "7");
        assert_eq!(&*one, "admin of prod");
    }
}
