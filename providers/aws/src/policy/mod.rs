//! The policy language: documents, their typed form, and their compiled form.
//!
//! A document is parsed and compiled once however often it is attached. Nothing here knows principals or accounts: what
//! depends on who asks stays symbolic (variables, condition tests) until `access` resolves it.

pub(crate) mod arn;
pub(crate) mod compile;
pub(crate) mod context;
pub(crate) mod document;
pub(crate) mod operator;
mod store;
mod text;

pub(crate) use document::{Effect, PolicyDocument, Principals};
pub(crate) use store::{Fresh, PolicyRole, PolicyStore, PolicyText, understand};
pub(crate) use text::Values;
