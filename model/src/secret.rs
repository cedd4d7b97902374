//! Secrets, reduced to what may be kept: equality.
//!
//! A reader calls [`Fingerprinter::fingerprint`] on a secret value and drops the value; nothing downstream ever sees it.

use std::fmt;

/// Equal for equal secrets under one [`Fingerprinter`]; reveals nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// 32 lower-case hexadecimal digits. Only worth printing under a key of the user's: see [`Fingerprinter::is_stable`].
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads what [`Fingerprint::to_hex`] wrote, for captures in which the collector has put fingerprints in place of
    /// secrets; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut short = [0; 16];
        if text.len() != 2 * short.len() || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        for (at, to) in short.iter_mut().enumerate() {
            *to = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(short))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

/// Begins what collectors write in place of a value that must not reach the disk.
const WITHHELD: &str = "evenhand:withheld";

/// The kinds of secrets that collectors tell.
const KINDS: [&str; 7] = ["access_key", "api_key", "connection_string", "password", "private_key", "secret", "token"];

/// What collectors write in place of a value that must not reach the disk: that there was one, and of a secret its kind and
/// fingerprint.
pub fn withheld(secret: Option<(&str, Fingerprint)>) -> String {
    match secret {
        Some((kind, fingerprint)) => format!("{WITHHELD}:{kind}:{}", fingerprint.to_hex()),
        None => WITHHELD.to_owned(),
    }
}

/// The same of a secret whose issuer is told by its form, and no longer by what is written: a word for what it gave out.
pub fn withheld_of(kind: &str, fingerprint: Fingerprint, issuer: &str) -> String {
    format!("{}:{issuer}", withheld(Some((kind, fingerprint))))
}

/// The word that [`withheld_of`] wrote.
pub fn issuer_of_withheld(text: &str) -> Option<&str> {
    let (_, told) = text.strip_prefix(WITHHELD)?.strip_prefix(':')?.split_once(':')?;
    told.split_once(':').map(|(_, issuer)| issuer)
}

/// Reads what [`withheld`] wrote: the kind and fingerprint of a secret, or that the value was none. `None` for anything
/// else.
pub fn of_withheld(text: &str) -> Option<Option<(&'static str, Fingerprint)>> {
    let rest = text.strip_prefix(WITHHELD)?;
    let secret = rest.strip_prefix(':').and_then(|rest| rest.split_once(':')).and_then(|(kind, hex)| {
        let kind = KINDS.into_iter().find(|held| *held == kind)?;
        let hex = hex.split_once(':').map_or(hex, |(hex, _)| hex);
        Some((kind, Fingerprint::from_hex(hex)?))
    });
    Some(secret)
}

/// Turns secret values into fingerprints with a key.
#[derive(Clone)]
pub struct Fingerprinter {
    key: [u8; 32],
    stable: bool,
}

impl fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fingerprinter").field("stable", &self.stable).finish_non_exhaustive()
    }
}

impl Fingerprinter {
    /// Fingerprints under a key that the user keeps: comparable between scans, printed in reports.
    pub fn keyed(passphrase: &str) -> Self {
        Self { key: blake3::derive_key("evenhand 2026 secret fingerprint", passphrase.as_bytes()), stable: true }
    }

    /// Fingerprints under a throw-away key: they tell equal secrets within one scan and are never printed, because a
    /// hash without a secret key lets anyone test guesses.
    pub fn ephemeral(random: [u8; 32]) -> Self {
        Self { key: random, stable: false }
    }

    /// Whether fingerprints mean the same in the next scan.
    pub fn is_stable(&self) -> bool {
        self.stable
    }

    /// The fingerprint of a secret value.
    pub fn fingerprint(&self, secret: &[u8]) -> Fingerprint {
        let hash = blake3::keyed_hash(&self.key, secret);
        let mut short = [0; 16];
        for (to, from) in short.iter_mut().zip(hash.as_bytes()) {
            *to = *from;
        }
        Fingerprint(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_secrets_have_equal_fingerprints_under_one_key_only() {
        let (a, b) = (Fingerprinter::keyed("one"), Fingerprinter::keyed("two"));
        assert_eq!(a.fingerprint(b"s"), a.fingerprint(b"s"));
        assert_ne!(a.fingerprint(b"s"), a.fingerprint(b"t"));
        assert_ne!(a.fingerprint(b"s"), b.fingerprint(b"s"));
    }

    #[test]
    fn what_is_withheld_is_read_back_and_nothing_else_is() {
        let one = Fingerprinter::keyed("one").fingerprint(b"s");
        for secret in [None, Some(("token", one))] {
            assert_eq!(of_withheld(&withheld(secret)), Some(secret));
        }
        let issued = withheld_of("token", one, "acme_token");
        assert_eq!(
            (of_withheld(&issued), issuer_of_withheld(&issued)),
            (Some(Some(("token", one))), Some("acme_token"))
        );
        assert_eq!(issuer_of_withheld(&withheld(Some(("token", one)))), None);
        assert_eq!(of_withheld("evenhand:withheld:token:0"), Some(None), "the value is not there, whatever it was");
        assert_eq!(of_withheld("token"), None);
    }

    #[test]
    fn a_fingerprint_is_read_back_and_nothing_else_is() {
        let one = Fingerprinter::keyed("one").fingerprint(b"s");
        assert_eq!(Fingerprint::from_hex(&one.to_hex()), Some(one));
        for text in ["", "0", &one.to_hex().to_uppercase(), &format!("{}0", one.to_hex()), "zz"] {
            assert_eq!(Fingerprint::from_hex(text), None, "{text}");
        }
    }
}
