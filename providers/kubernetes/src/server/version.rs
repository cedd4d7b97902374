//! The version of a server.

use std::fmt;

use serde::Deserialize;

/// A version such as 1.36. What servers do differently differs between minor versions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Version {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl Version {
    pub(crate) const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Reads `1.36`, `v1.36.2`, `v1.33.1-gke.1000` or `1.33+`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse().ok();
        let (major, rest) = text.trim().trim_start_matches('v').split_once('.')?;
        Some(Self { major: major.parse().ok()?, minor: digits(rest)? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    git_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Both {
    server_version: Said,
}

/// The version in what `kubectl get --raw /version` or `kubectl version -o json` prints.
pub(super) fn of_text(text: &str) -> Option<Version> {
    let said = serde_json::from_str(text).or_else(|_| serde_json::from_str(text).map(|both: Both| both.server_version));
    Version::parse(&said.ok()?.git_version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        for (text, expected) in [
            ("v1.36.2", Some((1, 36))),
            ("1.35", Some((1, 35))),
            ("v1.33.1-gke.1000", Some((1, 33))),
            ("1.33+", Some((1, 33))),
            ("1", None),
            ("v1.x", None),
            ("", None),
        ] {
            let held = Version::parse(text).map(|version| (version.major, version.minor));
            assert_eq!(held, expected, "{text}");
        }
        assert!(Version::new(1, 9) < Version::new(1, 35));
        let raw = r#"{"major":"1","minor":"36","gitVersion":"v1.36.2","platform":"linux/amd64"}"#;
        assert_eq!(of_text(raw), Some(Version::new(1, 36)));
        let both = r#"{"clientVersion":{"gitVersion":"v1.34.0"},"serverVersion":{"gitVersion":"v1.33.1"}}"#;
        assert_eq!(of_text(both), Some(Version::new(1, 33)));
        assert_eq!(of_text(r#"{"clientVersion":{"gitVersion":"v1.34.0"}}"#), None);
    }
}
