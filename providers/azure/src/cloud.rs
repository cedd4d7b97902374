//! The clouds that tenants lie in, and the addresses of their interfaces.

/// A cloud of Azure, which has addresses and a sign-in of its own.
///
/// Sources: <https://learn.microsoft.com/graph/deployments>,
/// <https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure>,
/// <https://learn.microsoft.com/azure/china/resources-developer-guide>.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Cloud {
    /// The one for everybody.
    #[default]
    Public,
    /// Azure Government of the United States.
    UsGovernment,
    /// The same for the Department of Defense, which has a Graph of its own.
    UsDefense,
    /// Azure in China.
    China,
}

impl Cloud {
    const ALL: [Self; 4] = [Self::Public, Self::UsGovernment, Self::UsDefense, Self::China];

    /// The address of Microsoft Graph.
    pub(crate) fn graph(self) -> &'static str {
        match self {
            Self::Public => "https://graph.microsoft.com",
            Self::UsGovernment => "https://graph.microsoft.us",
            Self::UsDefense => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// The address of Resource Manager.
    pub(crate) fn manager(self) -> &'static str {
        match self {
            Self::Public => "https://management.azure.com",
            Self::UsGovernment | Self::UsDefense => "https://management.usgovcloudapi.net",
            Self::China => "https://management.chinacloudapi.cn",
        }
    }

    /// Learns of a host that answered. One that is none of these leads nowhere: a command goes to no address that a document
    /// makes up.
    pub(crate) fn note(&mut self, host: &str) {
        let is_of = |address: &str| address.split('/').nth(2).is_some_and(|held| held.eq_ignore_ascii_case(host));
        let found = Self::ALL.into_iter().find(|cloud| is_of(cloud.graph()) || is_of(cloud.manager()));
        self.absorb(found.unwrap_or_default());
    }

    /// Learns what another part of the same tenant tells. Two of the clouds share Resource Manager, and Graph tells them
    /// apart.
    pub(crate) fn absorb(&mut self, other: Self) {
        *self = (*self).max(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_that_answer_tell_the_cloud() {
        for (hosts, cloud) in [
            (&["graph.microsoft.com", "management.azure.com"][..], Cloud::Public),
            (&["management.usgovcloudapi.net"], Cloud::UsGovernment),
            (&["management.usgovcloudapi.net", "DOD-graph.microsoft.us"], Cloud::UsDefense),
            (&["dod-graph.microsoft.us", "management.usgovcloudapi.net"], Cloud::UsDefense),
            (&["microsoftgraph.chinacloudapi.cn"], Cloud::China),
            (&["graph.microsoft.com.evil.example", ""], Cloud::Public),
        ] {
            let mut told = Cloud::default();
            hosts.iter().for_each(|host| told.note(host));
            assert_eq!(told, cloud, "{hosts:?}");
        }
    }
}
