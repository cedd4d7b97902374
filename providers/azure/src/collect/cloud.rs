//! The clouds, the two interfaces of each, and addresses that lead to them and nowhere else.

use http::Uri;

use super::CollectError;

pub use crate::cloud::Cloud;

impl Cloud {
    /// Where one signs in.
    pub(crate) fn authority(self) -> &'static str {
        match self {
            Self::Public => "https://login.microsoftonline.com",
            Self::UsGovernment | Self::UsDefense => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// The address of an interface.
    pub(crate) fn address(self, interface: Interface) -> &'static str {
        match interface {
            Interface::Graph => self.graph(),
            Interface::Manager => self.manager(),
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Interface {
    /// Microsoft Graph: the directory.
    Graph,
    /// Azure Resource Manager.
    Manager,
}

impl Interface {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Graph, Self::Manager];
}

/// The host of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// Its name, as captures have it.
    pub(crate) name: String,
    /// The base address, without a slash at its end.
    base: String,
    /// Whether it is this machine.
    here: bool,
}

impl Host {
    pub(crate) fn parse(url: &str) -> Result<Self, CollectError> {
        let base = url.trim_end_matches('/');
        let wrong = |why: &str| CollectError::NotAnAddress(shown(url), why.to_owned());
        let uri: Uri = base.parse().map_err(|_| wrong("it cannot be read"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong("it names no host"));
        };
        if authority.as_str().contains('@') || uri.query().is_some() || !matches!(uri.path(), "" | "/") {
            return Err(wrong("it holds more than a host"));
        }
        let host = authority.host();
        let here = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
        if scheme != "https" && !(scheme == "http" && here) {
            return Err(wrong("a token goes by HTTPS only"));
        }
        Ok(Self { name: host.trim_matches(['[', ']']).to_ascii_lowercase(), base: base.to_owned(), here })
    }

    /// The base address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// What tokens are made out to: the host itself, or for one of this machine, which plays it or passes it on, what the
    /// cloud calls the interface.
    pub(crate) fn scope(&self, cloud: Cloud, interface: Interface) -> String {
        let audience = if self.here { cloud.address(interface) } else { self.base.as_str() };
        format!("{audience}/.default")
    }

    /// The path and query of an address that leads to this host; `None` = it leads elsewhere, and is not followed.
    pub(crate) fn path_of(&self, address: &str) -> Option<String> {
        let (own, other): (Uri, Uri) = (self.base.parse().ok()?, address.parse().ok()?);
        if own.scheme() != other.scheme() || own.host() != other.host() || own.port_u16() != other.port_u16() {
            return None;
        }
        if other.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return None;
        }
        let path = other.path_and_query()?.as_str();
        let climbs = other.path().split('/').any(|part| matches!(part, "." | ".."));
        (path.starts_with('/') && !climbs).then(|| path.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_same_host_are_followed() {
        let host = Host::parse("https://graph.microsoft.com/").unwrap();
        let of = |address: &str| host.path_of(address);
        let next = "https://graph.microsoft.com/v1.0/users?$skiptoken=x%2By";
        assert_eq!(of(next).as_deref(), Some("/v1.0/users?$skiptoken=x%2By"));
        for address in [
            "https://graph.microsoft.com.evil.example/v1.0/users",
            "https://graph.microsoft.us/v1.0/users",
            "http://graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com:8443/v1.0/users",
            "https://x@graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com/v1.0/../x",
            "/v1.0/users",
        ] {
            assert_eq!(of(address), None, "{address}");
        }
    }

    #[test]
    fn every_cloud_has_hosts_of_its_own_and_tokens_go_by_https() {
        for cloud in [Cloud::Public, Cloud::UsGovernment, Cloud::UsDefense, Cloud::China] {
            for interface in Interface::ALL {
                assert!(Host::parse(cloud.address(interface)).is_ok());
            }
            assert!(cloud.authority().starts_with("https://"));
        }
        for url in ["http://graph.acme.example", "graph.acme.example", "https://user:fake@x.example", "https://x/y", ""]
        {
            let error = Host::parse(url).unwrap_err().to_string();
            assert!(!error.contains("fake"), "{error}");
        }
        let here = Host::parse("http://127.0.0.1:8080").unwrap();
        let scope = |host: &Host| host.scope(Cloud::China, Interface::Graph);
        assert_eq!(
            (here.name.as_str(), scope(&here).as_str()),
            ("127.0.0.1", "https://microsoftgraph.chinacloudapi.cn/.default")
        );
        assert_eq!(scope(&Host::parse("https://graph.acme.example/").unwrap()), "https://graph.acme.example/.default");
    }
}
