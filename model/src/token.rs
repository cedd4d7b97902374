//! Tokens that an issuer signs and others exchange for an identity of theirs: what is known of the claims in one.
//!
//! A token may stand for one that was seen, with every claim, or for any of those that a workload can get, with claims of
//! which only a pattern is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::evidence::{Evidence, Truth};
use crate::glob::Glob;
use crate::id::{IdentityId, ProviderName};

/// What is known of a claim.
#[derive(Clone, PartialEq, Debug)]
pub enum Claim {
    /// Its value; `null` counts as absent.
    Value(Value),
    /// Any text that fits: whoever asks for the token can have each of them.
    AnyOf(Glob),
}

/// What a condition finds under a claim's name.
#[derive(Clone, PartialEq, Debug)]
pub enum Found<'a> {
    /// These texts; more than one where the claim is a list.
    Texts(Vec<Arc<str>>),
    /// Whichever of the texts that fit its bearer wants.
    AnyOf(&'a Glob),
    /// The token certainly lacks it.
    Absent,
    /// Nothing tells.
    Unknown,
}

/// A token.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Token {
    /// Who signs it: the issuer's address without `https://`, in lower case; `None` where that is not known. As the issuer
    /// spells it, it is the claim `iss`.
    pub issuer: Option<Arc<str>>,
    /// The claims by name.
    pub claims: BTreeMap<Arc<str>, Claim>,
    /// Whether these are all claims that it carries.
    pub whole: bool,
}

impl Token {
    /// A token with nothing but a subject, of which more claims are not known.
    pub fn of_subject(issuer: Option<Arc<str>>, subject: &str) -> Self {
        Self { issuer, ..Self::default() }.with("sub", subject)
    }

    /// This token with a claim.
    #[must_use]
    pub fn with(mut self, name: &str, text: &str) -> Self {
        self.claims.insert(name.into(), Claim::Value(text.into()));
        self
    }

    /// This token with a claim of which its bearer has the choice.
    #[must_use]
    pub fn with_any(mut self, name: &str, pattern: Glob) -> Self {
        self.claims.insert(name.into(), Claim::AnyOf(pattern));
        self
    }

    /// What is known of a claim, its name given in lower case or as the token spells it.
    pub fn claim(&self, name: &str) -> Option<&Claim> {
        let alike = || self.claims.iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, claim)| claim);
        self.claims.get(name).or_else(alike)
    }

    /// A claim as texts.
    pub fn find(&self, name: &str) -> Found<'_> {
        match self.claim(name) {
            Some(Claim::AnyOf(pattern)) => Found::AnyOf(pattern),
            Some(Claim::Value(Value::Null)) => Found::Absent,
            Some(Claim::Value(Value::Array(list))) => Found::Texts(list.iter().map(text).collect()),
            Some(Claim::Value(value)) => Found::Texts(vec![text(value)]),
            None if self.whole => Found::Absent,
            None => Found::Unknown,
        }
    }

    /// A claim that is one text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.claim(name)? {
            Claim::Value(value) => value.as_str(),
            Claim::AnyOf(_) => None,
        }
    }
}

/// A token that an identity can get and present. One identity may have several, each in a context of its own.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// Who gets it.
    pub identity: IdentityId,
    /// What is known of it.
    pub token: Token,
    /// In which context, in a few words: `pull requests`, `branch main`; empty = always.
    pub when: Arc<str>,
    /// Whether the identity gets such tokens for certain; not where a fact that decides over their form was not read.
    pub certain: bool,
    /// Where it is written.
    pub evidence: Evidence,
}

/// A trust in the tokens of an issuer.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// Who is become by whoever presents one that is admitted.
    pub target: IdentityId,
    /// Who read it.
    pub provider: ProviderName,
    /// Whose tokens: the address without scheme, in lower case.
    pub issuer: Arc<str>,
    /// Which of them.
    pub condition: Arc<dyn Admission>,
    /// The condition in the vendor's words.
    pub constraint: Arc<str>,
    /// Whether it is weaker than it should be.
    pub weak: Truth,
    /// The name of the weakness; empty = none.
    pub weakness: Arc<str>,
    /// Where it is written.
    pub evidence: Evidence,
}

/// Decides whether tokens are admitted. Shared by threads.
pub trait Admission: std::fmt::Debug + Send + Sync {
    /// Whether a token is admitted, or, where claims are patterns, one of those that its bearer can choose.
    fn admits(&self, token: &Token) -> Truth;

    /// What the subject of every token begins with that is admitted; empty where that is not known. It spares most tokens
    /// the question, and decides nothing by itself.
    fn subject_start(&self) -> &str {
        ""
    }
}

fn text(value: &Value) -> Arc<str> {
    match value {
        Value::String(text) => Arc::from(text.as_str()),
        other => other.to_string().into(),
    }
}

/// An issuer's address as it is compared: without scheme and closing slash, in lower case.
pub fn bare_issuer(address: &str) -> Arc<str> {
    let lower = address.trim().to_ascii_lowercase();
    let bare = lower.strip_prefix("https://").unwrap_or(&lower);
    Arc::from(bare.strip_suffix('/').unwrap_or(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_is_not_there_is_absent_only_from_a_whole_token() {
        let token = Token::of_subject(None, "s");
        assert_eq!(token.find("aud"), Found::Unknown);
        assert_eq!(Token { whole: true, ..token.clone() }.find("aud"), Found::Absent);
        assert_eq!(token.find("SUB"), Found::Texts(vec!["s".into()]));
    }

    #[test]
    fn numbers_and_lists_are_texts_too() {
        let mut token = Token::default();
        token.claims.insert("aud".into(), Claim::Value(serde_json::json!(["a", 1, true])));
        assert_eq!(token.find("aud"), Found::Texts(vec!["a".into(), "1".into(), "true".into()]));
    }

    #[test]
    fn issuers_are_compared_without_scheme() {
        assert_eq!(&*bare_issuer("https://Gitlab.com/"), "gitlab.com");
        assert_eq!(&*bare_issuer("gitlab.com"), "gitlab.com");
    }
}
