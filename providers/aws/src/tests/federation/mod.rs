//! Tokens of other issuers: conditions on them that are given by themselves, and the roles that accept them.

mod acceptances;
mod conditions;
mod vectors;

const HOST: &str = "token.actions.githubusercontent.com";
