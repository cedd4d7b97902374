//! Who can see the repositories that are scanned, as the configuration says it. It knows the words and nothing of files.

use std::borrow::Cow;

use evenhand_model::provider::Settings;

use crate::secret;

/// The setting that tells who can see the repositories that are scanned.
pub(crate) const KEY: &str = "repository_visibility";

/// What the setting says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Visibility<'s> {
    /// Nothing.
    Unset,
    /// Whether everyone can see the repositories.
    Public(bool),
    /// A word that is none of GitHub's.
    Unclear(&'s str),
}

impl<'s> Visibility<'s> {
    /// Reads the setting; case does not matter. The words are those of GitHub's REST API (repositories, `visibility`): an
    /// internal repository is seen by the members of its enterprise only.
    pub(crate) fn of(settings: &'s Settings) -> Self {
        let Some(word) = settings.get(KEY) else { return Self::Unset };
        match word.trim().to_ascii_lowercase().as_str() {
            "public" => Self::Public(true),
            "private" | "internal" => Self::Public(false),
            _ => Self::Unclear(word),
        }
    }

    /// Whether everyone can see the repositories; `None` = not known.
    pub(crate) fn is_public(self) -> Option<bool> {
        match self {
            Self::Public(public) => Some(public),
            Self::Unset | Self::Unclear(_) => None,
        }
    }

    /// What to tell of a word that says nothing.
    pub(crate) fn remark(self) -> Option<Cow<'static, str>> {
        let Self::Unclear(word) = self else { return None };
        Some(Cow::Owned(format!(
            "`{KEY} = \"{}\"` in `[providers.agents]` says nothing, so that whether outsiders may start the agents of \
             workflows stays unknown; write `public`, `private` or `internal`",
            secret::redact(word)
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_are_known_decide() {
        let cases = [
            ("public", Some(true)),
            ("Public", Some(true)),
            (" PUBLIC ", Some(true)),
            ("private", Some(false)),
            ("Internal", Some(false)),
            ("pubic", None),
            ("3", None),
            ("true", None),
            ("", None),
        ];
        for (word, public) in cases {
            let settings: Settings = [(KEY.to_owned(), word.to_owned())].into();
            let read = Visibility::of(&settings);
            assert_eq!(read.is_public(), public, "{word}");
            assert_eq!(read.remark().is_some(), public.is_none(), "{word}");
        }
        let nothing = Settings::new();
        assert_eq!(Visibility::of(&nothing).remark(), None);
    }
}
