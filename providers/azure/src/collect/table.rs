//! How each call is made: what fills its path, what of its answer is kept, and what it leads to.
//!
//! What each needs and what is unknown without it is in [`crate::documents::route`].

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::cloud::Interface;
use crate::catalog::graph::MICROSOFT_GRAPH;
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
    needs: Option<&'static str>,
}

const fn graph(about: About, route: Route, path: &'static str) -> Step {
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

const fn manager(about: About, route: Route, path: &'static str, query: &'static str) -> Step {
    Step { interface: Interface::Manager, query, ..graph(about, route, path) }
}

const fn lead(to: About, member: &'static str) -> Lead {
    Lead { to, member, only: None }
}

const fn lead_where(to: About, member: &'static str, place: &'static str, value: &'static str) -> Lead {
    Lead { to, member, only: Some((place, value)) }
}

/// The query that Resource Graph is asked: resources that carry an identity, AI services with the switch of their keys, and
/// key vaults with the access policies that stand beside roles there.
/// Nothing else of a resource's properties is asked for: they may hold secrets.
pub(crate) const RESOURCES: &str = "resources \
    | where isnotnull(identity) or type startswith 'microsoft.cognitiveservices/accounts' \
    or type startswith 'microsoft.search/searchservices' or type startswith 'microsoft.machinelearningservices/workspaces' \
    or type =~ 'microsoft.keyvault/vaults' \
    | project id, name, type, kind, location, resourceGroup, subscriptionId, tenantId, tags, identity, \
    properties = bag_pack('disableLocalAuth', properties.disableLocalAuth, \
    'publicNetworkAccess', properties.publicNetworkAccess, 'dateCreated', properties.dateCreated, \
    'enableRbacAuthorization', properties.enableRbacAuthorization, \
    'accessPolicies', iff(type =~ 'microsoft.keyvault/vaults', properties.accessPolicies, dynamic(null)), \
    'networkDefaultAction', properties.networkAcls.defaultAction) \
    | order by id asc";

/// Of credentials neither texts nor hints nor keys are kept; see `page`.
const PRINCIPAL: &[&str] = &[
    "id",
    "appId",
    "displayName",
    "servicePrincipalType",
    "accountEnabled",
    "appOwnerOrganizationId",
    "tags",
    "createdDateTime",
    "alternativeNames",
    "appRoles",
    "passwordCredentials",
    "keyCredentials",
    "description",
];
/// The same for agents, of which all members are asked for and these are kept.
const AGENT: &[&str] = &[
    "@odata.type",
    "id",
    "appId",
    "displayName",
    "servicePrincipalType",
    "accountEnabled",
    "appOwnerOrganizationId",
    "tags",
    "createdDateTime",
    "agentIdentityBlueprintId",
    "createdByAppId",
    "appRoles",
    "passwordCredentials",
    "keyCredentials",
    "description",
];
const APPLICATION: &[&str] = &[
    "id",
    "appId",
    "displayName",
    "signInAudience",
    "tags",
    "createdDateTime",
    "passwordCredentials",
    "keyCredentials",
    "description",
];
const BLUEPRINT: &[&str] = &[
    "@odata.type",
    "id",
    "appId",
    "displayName",
    "signInAudience",
    "tags",
    "createdDateTime",
    "passwordCredentials",
    "keyCredentials",
    "description",
];
const USER: &[&str] = &["id", "displayName", "userPrincipalName", "accountEnabled", "userType", "createdDateTime"];
const GROUP: &[&str] = &[
    "id",
    "displayName",
    "description",
    "securityEnabled",
    "mailEnabled",
    "isAssignableToRole",
    "groupTypes",
    "createdDateTime",
];
const REFERENCE: &[&str] = &["@odata.type", "id", "displayName", "userPrincipalName"];
const ORGANISATION: &[&str] = &["id", "displayName", "createdDateTime"];
/// What a connection leads to, its metadata and what it proves itself with may hold secrets.
const CONNECTION: &[&str] = &["id", "name", "type", "properties/authType", "properties/category"];
const AGENT_USER: &[&str] = &[
    "@odata.type",
    "id",
    "displayName",
    "userPrincipalName",
    "accountEnabled",
    "userType",
    "createdDateTime",
    "identityParentId",
];
/// Of an agent's card and addresses nothing is asked: they may hold anything.
const INSTANCE: &[&str] =
    &["id", "displayName", "agentIdentityId", "agentUserId", "originatingStore", "createdDateTime"];
const RISKY: &[&str] = &["id", "riskLevel", "riskState", "riskLastUpdatedDateTime"];
const FEDERATED: &[&str] = &["id", "name", "issuer", "subject", "audiences", "claimsMatchingExpression"];

/// The assignments that count at a scope and what stands above it.
const HERE: &str = "$filter=atScope()";

use About::{
    Account, Agent, Application, Blueprint, Group, Identity, ManagementGroup, MicrosoftGraph, Project, RoleGroup,
    ServicePrincipal, Subscription, Tenant,
};

/// Every call.
pub(crate) static STEPS: &[Step] = &[
    Step { keep: ORGANISATION, select: true, ..graph(Tenant, Route::Organisation, "/v1.0/organization") },
    Step {
        keep: PRINCIPAL,
        select: true,
        query: "$top=999",
        leads: &[lead(ServicePrincipal, "id"), lead_where(MicrosoftGraph, "id", "appId", MICROSOFT_GRAPH)],
        ..graph(Tenant, Route::ServicePrincipals, "/v1.0/servicePrincipals")
    },
    Step {
        keep: AGENT,
        leads: &[lead(Agent, "id")],
        needs: Some("AgentIdentity.Read.All"),
        ..graph(Tenant, Route::ServicePrincipals, "/v1.0/servicePrincipals/microsoft.graph.agentIdentity")
    },
    Step {
        keep: AGENT,
        leads: &[lead(Agent, "id")],
        needs: Some("AgentIdentityBlueprintPrincipal.Read.All"),
        ..graph(
            Tenant,
            Route::ServicePrincipals,
            "/v1.0/servicePrincipals/microsoft.graph.agentIdentityBlueprintPrincipal",
        )
    },
    Step {
        keep: APPLICATION,
        select: true,
        query: "$top=999",
        leads: &[lead(Application, "id")],
        ..graph(Tenant, Route::Applications, "/v1.0/applications")
    },
    Step {
        keep: BLUEPRINT,
        leads: &[lead(Application, "id"), lead(Blueprint, "id")],
        needs: Some("AgentIdentityBlueprint.Read.All"),
        ..graph(Tenant, Route::Applications, "/v1.0/applications/microsoft.graph.agentIdentityBlueprint")
    },
    Step { keep: USER, select: true, query: "$top=999", ..graph(Tenant, Route::Users, "/v1.0/users") },
    Step { keep: AGENT_USER, ..graph(Tenant, Route::Users, "/v1.0/users/microsoft.graph.agentUser") },
    Step {
        keep: GROUP,
        select: true,
        query: "$top=999",
        leads: &[lead(Group, "id"), lead_where(RoleGroup, "id", "isAssignableToRole", "true")],
        ..graph(Tenant, Route::Groups, "/v1.0/groups")
    },
    graph(Tenant, Route::DelegatedGrants, "/v1.0/oauth2PermissionGrants"),
    graph(Tenant, Route::DirectoryAssignments, "/v1.0/roleManagement/directory/roleAssignments"),
    graph(Tenant, Route::DirectoryRoles, "/v1.0/roleManagement/directory/roleDefinitions"),
    graph(Tenant, Route::DirectoryActive, "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances"),
    graph(Tenant, Route::DirectoryEligible, "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances"),
    Step {
        filter: "$filter=scopeId%20eq%20'%2F'%20and%20scopeType%20eq%20'DirectoryRole'",
        query: "$expand=policy($expand=rules)",
        ..graph(Tenant, Route::ActivationRules, "/v1.0/policies/roleManagementPolicyAssignments")
    },
    graph(Tenant, Route::ConditionalAccess, "/v1.0/identity/conditionalAccess/policies"),
    Step {
        pages: Pages::One,
        ..graph(Tenant, Route::SecurityDefaults, "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy")
    },
    // No v1.0 has them.
    graph(Tenant, Route::SignIns, "/beta/reports/servicePrincipalSignInActivities"),
    graph(Tenant, Route::CredentialUse, "/beta/reports/appCredentialSignInActivities"),
    Step { keep: INSTANCE, ..graph(Tenant, Route::AgentRegistry, "/beta/agentRegistry/agentInstances") },
    Step { keep: RISKY, ..graph(Tenant, Route::RiskyAgents, "/beta/identityProtection/riskyAgents") },
    Step { keep: RISKY, ..graph(Tenant, Route::RiskyPrincipals, "/v1.0/identityProtection/riskyServicePrincipals") },
    Step {
        keep: &["id", "isEnabled"],
        pages: Pages::One,
        ..graph(Tenant, Route::CredentialPolicy, "/v1.0/policies/defaultAppManagementPolicy")
    },
    Step {
        leads: &[
            lead_where(ManagementGroup, "name", "type", "Microsoft.Management/managementGroups"),
            lead_where(Subscription, "name", "type", "Microsoft.Management/managementGroups/subscriptions"),
            lead_where(Subscription, "name", "type", "/subscriptions"),
        ],
        ..manager(
            Tenant,
            Route::Hierarchy,
            "/providers/Microsoft.Management/managementGroups/{}/descendants",
            "api-version=2020-05-01",
        )
    },
    Step {
        leads: &[lead(Subscription, "subscriptionId")],
        only_leads: true,
        ..manager(Tenant, Route::Hierarchy, "/subscriptions", "api-version=2022-12-01")
    },
    Step {
        pages: Pages::Query,
        leads: &[
            lead_where(Account, "id", "type", "microsoft.cognitiveservices/accounts"),
            lead_where(Project, "id", "type", "microsoft.cognitiveservices/accounts/projects"),
        ],
        ..manager(Tenant, Route::Resources, "/providers/Microsoft.ResourceGraph/resources", "api-version=2022-10-01")
    },
    manager(
        Tenant,
        Route::DiagnosticSettings,
        "/providers/microsoft.aadiam/diagnosticSettings",
        "api-version=2017-04-01",
    ),
    // Owners and members are of several kinds, of which no one selection fits all.
    Step { keep: REFERENCE, ..graph(ServicePrincipal, Route::Owners, "/v1.0/servicePrincipals/{}/owners") },
    graph(ServicePrincipal, Route::AppRoleAssignments, "/v1.0/servicePrincipals/{}/appRoleAssignments"),
    Step {
        keep: REFERENCE,
        ..graph(ServicePrincipal, Route::MemberOf, "/v1.0/servicePrincipals/{}/transitiveMemberOf")
    },
    Step {
        keep: REFERENCE,
        ..graph(Agent, Route::Sponsors, "/v1.0/servicePrincipals/{}/microsoft.graph.agentIdentity/sponsors")
    },
    // All who hold a permission of Microsoft Graph's at once: it tells the same where single ones are refused.
    Step {
        query: "$top=999",
        ..graph(MicrosoftGraph, Route::AppRoleAssignedTo, "/v1.0/servicePrincipals/{}/appRoleAssignedTo")
    },
    Step { keep: REFERENCE, ..graph(Application, Route::Owners, "/v1.0/applications/{}/owners") },
    Step {
        keep: FEDERATED,
        ..graph(Application, Route::FederatedCredentials, "/v1.0/applications/{}/federatedIdentityCredentials")
    },
    graph(
        Blueprint,
        Route::InheritablePermissions,
        "/v1.0/applications/{}/microsoft.graph.agentIdentityBlueprint/inheritablePermissions",
    ),
    Step {
        keep: REFERENCE,
        needs: Some("Application.Read.All"),
        ..graph(Blueprint, Route::Sponsors, "/v1.0/applications/{}/microsoft.graph.agentIdentityBlueprint/sponsors")
    },
    Step { keep: REFERENCE, query: "$top=999", ..graph(Group, Route::Members, "/v1.0/groups/{}/members") },
    Step {
        filter: "$filter=groupId%20eq%20'{}'",
        ..graph(
            RoleGroup,
            Route::GroupEligible,
            "/v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances",
        )
    },
    Step { filter: HERE, ..at_scope(ManagementGroup, Route::RoleAssignments) },
    at_scope(ManagementGroup, Route::RoleDefinitions),
    Step { filter: HERE, ..at_scope(ManagementGroup, Route::DenyAssignments) },
    Step { filter: HERE, ..at_scope(ManagementGroup, Route::RoleActive) },
    Step { filter: HERE, ..at_scope(ManagementGroup, Route::RoleEligible) },
    at_scope(ManagementGroup, Route::RoleActivationRules),
    at_scope(Subscription, Route::RoleAssignments),
    at_scope(Subscription, Route::RoleDefinitions),
    at_scope(Subscription, Route::DenyAssignments),
    at_scope(Subscription, Route::RoleActive),
    at_scope(Subscription, Route::RoleEligible),
    at_scope(Subscription, Route::RoleActivationRules),
    manager(
        Subscription,
        Route::DiagnosticSettings,
        "/subscriptions/{}/providers/Microsoft.Insights/diagnosticSettings",
        "api-version=2021-05-01-preview",
    ),
    Step {
        leads: &[lead(Identity, "id")],
        ..manager(
            Subscription,
            Route::ManagedIdentities,
            "/subscriptions/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities",
            "api-version=2023-01-31",
        )
    },
    manager(Identity, Route::IdentityFederatedCredentials, "{}/federatedIdentityCredentials", "api-version=2023-01-31"),
    manager(
        Account,
        Route::DiagnosticSettings,
        "{}/providers/Microsoft.Insights/diagnosticSettings",
        "api-version=2021-05-01-preview",
    ),
    // Their secrets are told by another call only, which is not made.
    Step { keep: CONNECTION, ..manager(Account, Route::Resources, "{}/connections", "api-version=2025-06-01") },
    Step { keep: CONNECTION, ..manager(Project, Route::Resources, "{}/connections", "api-version=2025-06-01") },
];

/// A list of `Microsoft.Authorization` at a scope.
const fn at_scope(about: About, route: Route) -> Step {
    macro_rules! path {
        ($kind:literal, $version:literal) => {
            match about {
                About::ManagementGroup => manager(
                    about,
                    route,
                    concat!(
                        "/providers/Microsoft.Management/managementGroups/{}/providers/Microsoft.Authorization/",
                        $kind
                    ),
                    concat!("api-version=", $version),
                ),
                _ => manager(
                    about,
                    route,
                    concat!("/subscriptions/{}/providers/Microsoft.Authorization/", $kind),
                    concat!("api-version=", $version),
                ),
            }
        };
    }
    match route {
        Route::RoleDefinitions => path!("roleDefinitions", "2022-04-01"),
        Route::DenyAssignments => path!("denyAssignments", "2022-04-01"),
        Route::RoleActive => path!("roleAssignmentScheduleInstances", "2020-10-01"),
        Route::RoleEligible => path!("roleEligibilityScheduleInstances", "2020-10-01"),
        Route::RoleActivationRules => path!("roleManagementPolicyAssignments", "2020-10-01"),
        _ => path!("roleAssignments", "2022-04-01"),
    }
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
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::documents::route::Asked;

    #[test]
    fn every_call_is_one_that_the_reader_understands_and_none_returns_a_key() {
        for step in STEPS.iter().filter(|step| !step.only_leads) {
            let group = "/subscriptions/s/resourceGroups/g/providers";
            let value = match step.about {
                About::Identity => format!("{group}/Microsoft.ManagedIdentity/userAssignedIdentities/i"),
                About::Account => format!("{group}/Microsoft.CognitiveServices/accounts/a"),
                About::Project => format!("{group}/Microsoft.CognitiveServices/accounts/a/projects/p"),
                _ => "x".to_owned(),
            };
            let asked = Asked::parse(&step.path(&value)).unwrap_or_else(|| panic!("{}", step.path(&value)));
            assert_eq!(asked.route, step.route, "{}", step.path(&value));
            assert_eq!(step.route.is_graph(), step.interface == Interface::Graph, "{}", step.path);
        }
        for step in STEPS {
            let text = step.address(&step.path("x")).to_ascii_lowercase();
            assert!(
                !["listkeys", "listsecrets", "getsecret", "regenerate"].iter().any(|word| text.contains(word)),
                "{text}"
            );
            assert_eq!(step.interface == Interface::Manager, text.contains("api-version="), "{text}");
        }
        let documents: BTreeSet<String> = Step::of(About::Tenant).map(Step::document).collect();
        assert_eq!(documents.len(), Step::of(About::Tenant).count());
    }

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
