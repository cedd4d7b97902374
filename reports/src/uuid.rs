//! UUIDs that follow from a name (version 5, RFC 9562): the same thing has the same one in every scan.

use sha1::{Digest, Sha1};

/// The namespace of evenhand's names: version 5 of `https://evenhand.dev/` among addresses.
const NAMESPACE: [u8; 16] =
    [0xb9, 0x62, 0x73, 0x20, 0x6e, 0x04, 0x5b, 0x5e, 0x97, 0xbc, 0x31, 0x78, 0x66, 0xb9, 0xc3, 0xdc];

/// The UUID of a name. Its parts are kept apart by a NUL, so that no two lists of parts are one name.
pub(crate) fn of(parts: &[&str]) -> String {
    hashed(NAMESPACE, parts.join("\0").as_bytes())
}

fn hashed(namespace: [u8; 16], name: &[u8]) -> String {
    let digest = Sha1::new().chain_update(namespace).chain_update(name).finalize();
    let mut text = String::with_capacity(36);
    for (at, byte) in digest.iter().take(16).enumerate() {
        let byte = match at {
            6 => (byte & 0x0f) | 0x50,
            8 => (byte & 0x3f) | 0x80,
            _ => *byte,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.extend([byte >> 4, byte & 0x0f].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The namespaces of RFC 9562, section 6.6, for host names and addresses.
    fn namespace(kind: u8) -> [u8; 16] {
        [0x6b, 0xa7, 0xb8, kind, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8]
    }

    #[test]
    fn a_name_has_the_uuid_that_the_standard_gives_it() {
        // RFC 9562, appendix A.4.
        assert_eq!(hashed(namespace(0x10), b"www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }

    #[test]
    fn the_namespace_is_that_of_our_address() {
        let hex: String = NAMESPACE.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hashed(namespace(0x11), b"https://evenhand.dev/").replace('-', ""), hex);
    }

    #[test]
    fn lists_of_parts_do_not_run_into_each_other() {
        assert_ne!(of(&["a", "b"]), of(&["ab"]));
    }
}
