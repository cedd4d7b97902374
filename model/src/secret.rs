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
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
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
}
