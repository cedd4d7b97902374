//! What a cloud's way to compare tokens gives.

use std::collections::BTreeSet;

use evenhand_model::decide::Refusal;
use evenhand_model::evidence::Truth;
use evenhand_model::token::Token;

use crate::grade::Asks;
use crate::issuer::Issuer;

/// A cloud that admits tokens under conditions of its own language.
pub trait Platform: Send + Sync {
    /// Understands a condition, given as JSON.
    ///
    /// # Errors
    /// With the place in the condition, as a JSON pointer.
    fn understand(&self, condition: &str, issuer: Issuer) -> Result<Box<dyn Understood>, Refusal>;
}

/// A condition, ready to be asked. Shared by threads.
pub trait Understood: Send + Sync {
    /// Whether a token is admitted, and what that hangs on.
    fn admits(&self, token: &Token) -> Admitted;

    /// What is demanded of an issuer's tokens; `address`: where it is, without `https://`, if that is known.
    fn asks(&self, issuer: Issuer, address: Option<&str>) -> Asks;

    /// Whose tokens it is for, where it names one issuer that is understood.
    fn issuer(&self) -> Option<Issuer> {
        None
    }

    /// What people should know of the condition, with its place.
    fn notes(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// Whether a token is admitted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admitted {
    /// Unknown where claims or context keys decide of which nothing is known.
    pub truth: Truth,
    /// Those claims and keys; empty where the answer is known.
    pub open: BTreeSet<String>,
}

impl Admitted {
    /// A certain answer, or an uncertain one that hangs on these.
    pub fn new(truth: Truth, open: BTreeSet<String>) -> Self {
        let open = if truth == Truth::Unknown { open } else { BTreeSet::new() };
        Self { truth, open }
    }
}
