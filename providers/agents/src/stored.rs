//! Secrets and variables that a platform keeps for its pipelines: what a name says, and whether a value is a secret.
//!
//! For readers of such stores, so that there is one judgement of what a secret is.

use evenhand_model::secret::{Fingerprint, Fingerprinter};

use crate::secret::{in_slot, promise, replace};

/// What a stored secret is, told by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    /// The word used in the credentials table; `secret` where the name tells nothing.
    pub name: &'static str,
    /// Whether its issuer offers a short-lived or federated way for the same purpose; `None` = not known.
    pub federable: Option<bool>,
    /// Whether it ends by itself within hours.
    pub short_lived: bool,
}

/// What a stored secret is.
pub fn kind(name: &str) -> Kind {
    match promise(name) {
        Some(promise) => {
            let kind = promise.kind;
            Kind { name: kind.name, federable: kind.federable, short_lived: kind.short_lived }
        }
        None => Kind { name: "secret", federable: None, short_lived: false },
    }
}

/// The kind and fingerprint of the secret that a variable's value is or holds; `None` = it holds none.
pub fn secret_in(name: &str, value: &str, fingerprinter: &Fingerprinter) -> Option<(&'static str, Fingerprint)> {
    let hit = in_slot(name, value).into_iter().find(|hit| !hit.kind.public)?;
    let secret = value.get(hit.range)?;
    Some((hit.kind.name, fingerprinter.fingerprint(secret.as_bytes())))
}

/// A text with something else in place of every secret in it, for those who keep files: it is made of the kind and the secret.
pub fn cut_out(text: &str, instead: impl Fn(&str, &str) -> String) -> String {
    replace(text, |kind, secret| instead(kind.name, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_kind_and_a_value_whether_it_is_a_secret() {
        assert_eq!(
            (kind("AWS_SECRET_ACCESS_KEY").name, kind("AWS_SECRET_ACCESS_KEY").federable),
            ("aws_secret_access_key", Some(true))
        );
        assert_eq!(kind("COSIGN").name, "secret");
        let keys = Fingerprinter::keyed("k");
        assert_eq!(secret_in("REGION", "eu-west-1", &keys), None);
        assert!(secret_in("DEPLOY_PASSWORD", "c0rrect-horse-battery", &keys).is_some());
    }
}
