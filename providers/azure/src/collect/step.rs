//! How a call is made: what it is about, its path and address, and what an element of its answer leads to.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::cloud::Interface;
use super::table::STEPS;
use crate::documents::route::Route;

/// What a call is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum About {
    /// The tenant, once.
    Tenant,
    /// Each service principal.
    ServicePrincipal,
    /// Each agent identity and each principal of a blueprint.
    Agent,
    /// Microsoft Graph's own service principal.
    MicrosoftGraph,
    /// Each application.
    Application,
    /// Each blueprint.
    Blueprint,
    /// Each group.
    Group,
    /// Each group that may hold directory roles.
    RoleGroup,
    /// Each management group.
    ManagementGroup,
    /// Each subscription.
    Subscription,
    /// Each managed identity that is a resource of its own.
    Identity,
    /// Each account of an AI service.
    Account,
    /// Each project of such an account.
    Project,
}

impl About {
    /// The folder or document of its answers, below that of the tenant.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Tenant => "",
            Self::ServicePrincipal => "servicePrincipals",
            Self::Agent => "agents",
            Self::MicrosoftGraph => "microsoftGraph",
            Self::Application => "applications",
            Self::Blueprint => "blueprints",
            Self::Group => "groups",
            Self::RoleGroup => "roleGroups",
            Self::ManagementGroup => "managementGroups",
            Self::Subscription => "subscriptions",
            Self::Identity => "managedIdentities",
            Self::Account => "accounts",
            Self::Project => "projects",
        }
    }

    /// For people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Tenant => "The tenant, once",
            Self::ServicePrincipal => "Each service principal",
            Self::Agent => "Each agent identity and each principal of a blueprint",
            Self::MicrosoftGraph => "Microsoft Graph's own service principal",
            Self::Application => "Each application",
            Self::Blueprint => "Each blueprint",
            Self::Group => "Each group",
            Self::RoleGroup => "Each group that may hold directory roles",
            Self::ManagementGroup => "Each management group, the root first",
            Self::Subscription => "Each subscription",
            Self::Identity => "Each managed identity",
            Self::Account => "Each account of an AI service",
            Self::Project => "Each project of such an account",
        }
    }

    /// All of them, in the order in which they are asked about.
    pub(crate) const ALL: [Self; 13] = [
        Self::Tenant,
        Self::ServicePrincipal,
        Self::Agent,
        Self::MicrosoftGraph,
        Self::Application,
        Self::Blueprint,
        Self::Group,
        Self::RoleGroup,
        Self::ManagementGroup,
        Self::Subscription,
        Self::Identity,
        Self::Account,
        Self::Project,
    ];
}

/// Where the elements of an answer are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pages {
    /// It is one object.
    One,
    /// They are in `value`.
    List,
    /// They are in `data`, and the question goes in a body.
    Query,
}

/// What else an element of an answer leads to asking about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lead {
    /// What it is.
    pub(crate) to: About,
    /// Which member of the element is the value that fills the path.
    pub(crate) member: &'static str,
    /// Only elements that have this value in that member, compared without regard to case.
    pub(crate) only: Option<(&'static str, &'static str)>,
}

/// A call, and how it is made.
#[derive(Debug)]
pub(crate) struct Step {
    /// What it is to the reader.
    pub(crate) route: Route,
    pub(crate) interface: Interface,
    pub(crate) about: About,
    /// The path, with the version of Graph. `{}` = what it is about: an id, which of Resource Manager is a path itself.
    pub(crate) path: &'static str,
    /// The part of the query that changes what is asked, which captures keep.
    pub(crate) filter: &'static str,
    /// The rest of the query.
    pub(crate) query: &'static str,
    pub(crate) pages: Pages,
    /// The members of an element that are kept, `a/b` = of the member `a` only that; none = all.
    pub(crate) keep: &'static [&'static str],
    /// Whether only these members are asked for, too.
    pub(crate) select: bool,
    pub(crate) leads: &'static [Lead],
    /// Whether its answer says only what there is to ask about, and is no part of a capture.
    pub(crate) only_leads: bool,
    /// What it needs, where that is something else than for other calls that tell the same.
    pub(super) needs: Option<&'static str>,
}

/// A call of Graph whose answer is a list, all of which is kept.
pub(super) const fn graph(about: About, route: Route, path: &'static str) -> Step {
    Step {
        route,
        interface: Interface::Graph,
        about,
        path,
        filter: "",
        query: "",
        pages: Pages::List,
        keep: &[],
        select: false,
        leads: &[],
        only_leads: false,
        needs: None,
    }
}

/// A call of Resource Manager, with the version in its query.
pub(super) const fn manager(about: About, route: Route, path: &'static str, query: &'static str) -> Step {
    Step { interface: Interface::Manager, query, ..graph(about, route, path) }
}

/// Every element leads to asking about another thing.
pub(super) const fn lead(to: About, member: &'static str) -> Lead {
    Lead { to, member, only: None }
}

/// The same of elements with a value.
pub(super) const fn lead_where(to: About, member: &'static str, place: &'static str, value: &'static str) -> Lead {
    Lead { to, member, only: Some((place, value)) }
}

/// Everything but what may stand in a path as it is.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'(').remove(b')');

impl Step {
    /// The steps about something.
    pub(crate) fn of(about: About) -> impl Iterator<Item = &'static Self> {
        STEPS.iter().filter(move |step| step.about == about)
    }

    /// The least right that answers it: an application permission of Graph, or a role of Azure.
    pub(crate) fn permission(&self) -> &'static str {
        self.needs.unwrap_or(self.route.call().permission)
    }

    /// Whether its answer decides what else is asked.
    pub(crate) fn is_leading(&self) -> bool {
        !self.leads.is_empty()
    }

    /// Whether it is made in a batch with others of its kind.
    pub(crate) fn is_batched(&self) -> bool {
        self.interface == Interface::Graph && self.about != About::Tenant
    }

    /// The path as captures have it: with the part of the query that changes what is asked.
    pub(crate) fn path(&self, value: &str) -> String {
        let value = utf8_percent_encode(value, ENCODED).to_string();
        let path = self.path.replace("{}", &value);
        match self.filter {
            "" => path,
            filter => format!("{path}?{}", filter.replace("{}", &value)),
        }
    }

    /// The path about something that no path is made of: what a capture says was not asked.
    pub(crate) fn path_of_odd(&self, value: &str) -> String {
        const ALL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-');
        self.path.replace("{}", &utf8_percent_encode(value, ALL).to_string())
    }

    /// The address of the first page below the host, of the path as captures have it.
    pub(crate) fn address(&self, path: &str) -> String {
        let select = format!("$select={}", self.asked_for().collect::<Vec<_>>().join(","));
        let more = [self.query, if self.select { &select } else { "" }];
        let mut address = path.to_owned();
        for part in more.into_iter().filter(|part| !part.is_empty()) {
            address.push(if address.contains('?') { '&' } else { '?' });
            address.push_str(part);
        }
        address
    }

    fn asked_for(&self) -> impl Iterator<Item = &'static str> {
        self.keep.iter().copied().filter(|member| !member.starts_with('@'))
    }

    /// The call for people.
    pub(crate) fn said(&self) -> String {
        let verb = if self.pages == Pages::Query { "POST" } else { "GET" };
        let what = match self.about {
            About::ManagementGroup | About::Tenant => "{id}",
            About::Identity | About::Account | About::Project => "/{resource}",
            _ => "{id}",
        };
        format!("{verb} {}", self.path.replace("{}", what))
    }

    /// The document of its answers, for what is asked once.
    pub(crate) fn document(&self) -> String {
        let words = self.path.split('/').filter(|word| !word.is_empty() && *word != "{}" && *word != "providers");
        words.collect::<Vec<_>>().join("-")
    }

    /// What an element leads to; an error is a value that no path is made of.
    pub(crate) fn found(&self, element: &Value) -> impl Iterator<Item = (About, Result<String, String>)> {
        let text = |member: &str| match element.get(member)? {
            Value::String(text) => Some(text.clone()),
            Value::Bool(held) => Some(held.to_string()),
            _ => None,
        };
        self.leads.iter().filter_map(move |lead| {
            let fits =
                lead.only.is_none_or(|(place, value)| text(place).is_some_and(|held| held.eq_ignore_ascii_case(value)));
            let value = text(lead.member).filter(|_| fits)?;
            Some((lead.to, if is_value(&value) { Ok(value) } else { Err(value) }))
        })
    }
}

/// Whether something can be an id, or a path of Resource Manager, and nothing that leads elsewhere. Whatever it is called
/// by, it is encoded where a path has a meaning for it.
pub(crate) fn is_value(text: &str) -> bool {
    let parts = || text.split('/').skip(usize::from(text.starts_with('/')));
    !text.is_empty()
        && text.len() <= 2048
        && !text.chars().any(char::is_control)
        && parts().all(|part| !matches!(part, "" | "." | ".."))
        && (text.starts_with('/') || !text.contains('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_is_kept_with_its_filter_and_without_what_only_shapes_the_answer() {
        let find =
            |route: Route, about: About| STEPS.iter().find(|step| step.route == route && step.about == about).unwrap();
        let owners = find(Route::Owners, About::ServicePrincipal);
        let path = owners.path("1f");
        assert_eq!(path, "/v1.0/servicePrincipals/1f/owners");
        assert_eq!(owners.address(&path), path);
        let users = find(Route::Users, About::Tenant);
        assert!(users.address(&users.path("")).starts_with("/v1.0/users?$top=999&$select=id,displayName,"));
        let eligible = find(Route::GroupEligible, About::RoleGroup);
        assert!(eligible.path("1f").ends_with("?$filter=groupId%20eq%20'1f'"));
        let federated = find(Route::IdentityFederatedCredentials, About::Identity);
        assert_eq!(
            federated.address(&federated.path("/subscriptions/s/resourceGroups/a b")),
            "/subscriptions/s/resourceGroups/a%20b/federatedIdentityCredentials?api-version=2023-01-31"
        );
    }

    #[test]
    fn what_an_answer_leads_to_is_an_id_and_nothing_else() {
        let groups = STEPS.iter().find(|step| step.route == Route::Groups).unwrap();
        let found = |element: Value| groups.found(&element).collect::<Vec<_>>();
        assert_eq!(found(json!({"id": "1", "isAssignableToRole": true})).len(), 2);
        assert_eq!(found(json!({"id": "1", "isAssignableToRole": null})), [(About::Group, Ok("1".to_owned()))]);
        for id in ["", "../x", "a/b", "/a/../b", "//host/x", "a\nb", ".."] {
            assert_eq!(found(json!({"id": id})), [(About::Group, Err(id.to_owned()))], "{id}");
        }
    }

    #[test]
    fn whatever_a_resource_is_called_its_path_leads_to_it_and_nowhere_else() {
        let step = STEPS.iter().find(|step| step.about == About::Identity).unwrap();
        for (name, encoded) in [
            ("a+b&c=d", "a%2Bb%26c%3Dd"),
            ("what?", "what%3F"),
            ("50%", "50%25"),
            ("#1", "%231"),
            ("größe", "gr%C3%B6%C3%9Fe"),
            ("it's, [so]@home", "it%27s%2C%20%5Bso%5D%40home"),
        ] {
            assert!(is_value(&format!("/subscriptions/s/{name}")), "{name}");
            let path = step.path(&format!("/subscriptions/s/{name}"));
            assert_eq!(path, format!("/subscriptions/s/{encoded}/federatedIdentityCredentials"));
        }
    }
}
