//! The one host that is asked, and the addresses that lead to it and nowhere else.

use http::Uri;

use super::CollectError;
use crate::documents::GITHUB_COM;

/// Where the API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// The host that people know: `github.com`, or that of a GitHub Enterprise Server.
    pub(crate) name: String,
    /// The base address, without a slash at its end.
    base: String,
}

/// GitHub's own API.
const PUBLIC: &str = "https://api.github.com";

impl Host {
    /// The host of an address; without one that of `GITHUB_API_URL`, else GitHub's own.
    pub(crate) fn of(url: Option<&str>) -> Result<Self, CollectError> {
        let named = url.map(str::to_owned).or_else(|| std::env::var("GITHUB_API_URL").ok());
        Self::parse(named.as_deref().filter(|url| !url.is_empty()).unwrap_or(PUBLIC))
    }

    pub(crate) fn parse(url: &str) -> Result<Self, CollectError> {
        let base = url.trim_end_matches('/');
        let wrong = |why: &str| CollectError::NotAnAddress(shown(url), why.to_owned());
        let uri: Uri = base.parse().map_err(|_| wrong("it cannot be read"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong("it names no host"));
        };
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(wrong("it holds more than host and path"));
        }
        let host = authority.host();
        let here = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
        if scheme != "https" && !(scheme == "http" && here) {
            return Err(wrong("a token goes by HTTPS only"));
        }
        // `api.github.com`, and `api.NAME.ghe.com` where GitHub runs an enterprise of its own.
        let name = host.strip_prefix("api.").unwrap_or(host).trim_matches(['[', ']']).to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(wrong("it names no host"));
        }
        let name = name.replace(':', "-");
        Ok(Self { name: if name == "github.com" { GITHUB_COM.to_owned() } else { name }, base: base.to_owned() })
    }

    /// The address of a path with its query.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The base address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The path and query of an address that leads to this API; `None` = it leads elsewhere, and is not followed.
    pub(crate) fn path_of(&self, address: &str) -> Option<String> {
        let (own, other): (Uri, Uri) = (self.base.parse().ok()?, address.parse().ok()?);
        if own.scheme() != other.scheme() || own.host() != other.host() || own.port_u16() != other.port_u16() {
            return None;
        }
        if other.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return None;
        }
        let below = other.path_and_query()?.as_str().strip_prefix(own.path().trim_end_matches('/'))?;
        let climbs = other.path().split('/').any(|part| matches!(part, "." | ".."));
        (below.starts_with('/') && !climbs).then(|| below.to_owned())
    }
}

/// An address without what may authenticate in it.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let scheme = url.split_once("://").map(|(scheme, _)| format!("{scheme}://")).unwrap_or_default();
    match url.rsplit_once('@') {
        Some((_, rest)) => format!("{scheme}…@{rest}"),
        None => url.to_owned(),
    }
}

/// The address of the next page in a `Link` header.
pub(crate) fn next_link(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = |parameter: &str| matches!(parameter.trim(), "rel=\"next\"" | "rel=next");
        parameters.split(';').any(is_next).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_that_people_know_is_told_by_the_address() {
        for (url, name) in [
            ("https://api.github.com", "github.com"),
            ("https://api.github.com/", "github.com"),
            ("https://git.acme.example/api/v3", "git.acme.example"),
            ("https://api.acme.ghe.com", "acme.ghe.com"),
            ("http://127.0.0.1:8080", "127.0.0.1"),
        ] {
            assert_eq!(Host::parse(url).unwrap().name, name, "{url}");
        }
        for url in [
            "http://git.acme.example/api/v3",
            "git.acme.example",
            "https://user:fake@git.acme.example",
            "fake@git.acme.example",
            "ftp://x",
            "",
        ] {
            let error = Host::parse(url).unwrap_err().to_string();
            assert!(!error.contains("fake"), "{error}");
        }
    }

    #[test]
    fn only_addresses_of_the_same_api_are_followed() {
        let host = Host::parse("https://git.acme.example/api/v3").unwrap();
        let of = |address: &str| host.path_of(address);
        assert_eq!(of("https://git.acme.example/api/v3/orgs/1?page=2").as_deref(), Some("/orgs/1?page=2"));
        for address in [
            "https://git.acme.example.evil.example/api/v3/orgs/1",
            "https://api.github.com/api/v3/orgs/1",
            "http://git.acme.example/api/v3/orgs/1",
            "https://git.acme.example:8443/api/v3/orgs/1",
            "https://git.acme.example/other/orgs/1",
            "https://git.acme.example/api/v30/orgs/1",
            "https://git.acme.example/api/v3/../login",
            "https://x@git.acme.example/api/v3/orgs/1",
            "/api/v3/orgs/1",
        ] {
            assert_eq!(of(address), None, "{address}");
        }
        assert!(Host::parse(PUBLIC).unwrap().path_of("https://api.github.com/organizations/1/repos?page=2").is_some());
    }

    #[test]
    fn the_next_page_is_found_among_links() {
        let header =
            r#"<https://x/a?page=1>; rel="prev", <https://x/a?page=3>; rel="next", <https://x/a?page=9>; rel="last""#;
        assert_eq!(next_link(header), Some("https://x/a?page=3"));
        assert_eq!(next_link(r#"<https://x/a?page=1>; rel="first""#), None);
        assert_eq!(next_link("nothing"), None);
    }
}
