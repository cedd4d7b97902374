//! Which claims of a token become keys of the context, and under which names.

use evenhand_federation::Issuer;
use evenhand_model::evidence::Truth;
use evenhand_model::token::{Found, Token};

use crate::policy::context::{Context, Lookup};

/// The issuer and claim of a context key; `None` for keys that no token fills.
pub(super) fn split(key: &str) -> Option<(&str, String)> {
    let (prefix, claim) = key.split_once(':')?;
    // Issuers have addresses, services have none.
    if !prefix.contains('.') {
        return None;
    }
    let claim = claim.strip_prefix("oidc.circleci.com/").unwrap_or(claim);
    Some((prefix, claim.to_owned()))
}

/// Whether keys that begin so are made of an issuer's tokens, as far as its address is known.
pub(super) fn is_own(prefix: &str, issuer: Issuer, address: Option<&str>) -> Truth {
    match address {
        Some(address) => is_of(prefix, address).into(),
        None => issuer.is_at(prefix),
    }
}

/// A provider of one enterprise has a path behind the issuer; its keys may carry it or not.
pub(super) fn is_of(prefix: &str, issuer: &str) -> bool {
    prefix == issuer || issuer.split('/').next() == Some(prefix)
}

/// Whether AWS makes a context key of a claim in tokens of the issuer at an address, as far as that is known.
///
/// Of issuers without a table of their own it takes the standard claims and no other; servers of one's own have none, of
/// GitLab's neither. (The tables are in "Available keys for AWS OIDC federation", as of February 2026; those of GitHub and
/// gitlab.com may be longer than what is known of them here.)
pub(super) fn carries(address: &str, claim: &str) -> Option<bool> {
    if matches!(claim, "sub" | "aud" | "amr" | "oaud" | "email") {
        return Some(true);
    }
    match Issuer::at(address) {
        Issuer::Bitbucket | Issuer::Terraform | Issuer::Kubernetes => Some(false),
        Issuer::CircleCi => Some(claim == "project-id"),
        Issuer::GitHub => {
            let known = [
                "actor",
                "actor_id",
                "enterprise_id",
                "environment",
                "job_workflow_ref",
                "ref",
                "repository",
                "repository_id",
                "workflow",
            ];
            known.contains(&claim).then_some(true)
        }
        Issuer::GitLab => ["namespace_id", "project_id", "ref_protected"].contains(&claim).then_some(true),
        // The vendor's own and those of other clouds, whose tables are not known here.
        Issuer::Other => {
            (!TABLED.iter().any(|tabled| address.starts_with(tabled) || address.ends_with(tabled))).then_some(false)
        }
    }
}

/// Where issuers of no known form begin or end that have a table of claims.
const TABLED: [&str; 5] = [
    "accounts.google.com",
    "cognito-identity.amazonaws.com",
    "graph.facebook.com",
    "www.amazon.com",
    ".identity.oraclecloud.com",
];

/// What a token gives to the context of the request that brings it.
#[derive(Clone, Copy)]
pub(super) struct Claims<'a> {
    pub(super) token: &'a Token,
    /// Who signs it, as far as that is told.
    pub(super) issuer: Issuer,
    /// Where that is, without `https://`.
    pub(super) address: Option<&'a str>,
}

impl Claims<'_> {
    /// The claim behind a key, by its name in the token; `None` for keys that no claim fills.
    pub(super) fn claim(&self, key: &str) -> Option<String> {
        let (prefix, claim) = split(key)?;
        if self.is_own(prefix) != Truth::Yes || carries(prefix, &claim) != Some(true) {
            return None;
        }
        let namespaced = format!("oidc.circleci.com/{claim}");
        let circle = Issuer::at(prefix) == Issuer::CircleCi && self.token.claim(&namespaced).is_some();
        Some(if circle { namespaced } else { claim })
    }

    /// Whether keys that begin so are made of tokens of this one's issuer.
    pub(super) fn is_own(&self, prefix: &str) -> Truth {
        is_own(prefix, self.issuer, self.address)
    }
}

impl Context for Claims<'_> {
    fn get(&self, key: &str) -> Lookup {
        if let Some(claim) = self.claim(key) {
            return match self.token.find(&claim) {
                Found::Texts(texts) => Lookup::Known(texts),
                Found::Absent => Lookup::Absent,
                Found::AnyOf(_) | Found::Unknown => Lookup::Unknown,
            };
        }
        match split(key) {
            Some((prefix, claim)) => match self.is_own(prefix) {
                Truth::No => Lookup::Absent,
                Truth::Unknown => Lookup::Unknown,
                // Its table may be longer than what is known of it.
                Truth::Yes if carries(prefix, &claim).is_none() => Lookup::Unknown,
                Truth::Yes => Lookup::Absent,
            },
            None => Lookup::Unknown,
        }
    }
}
