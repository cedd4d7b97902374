//! What leads to the whole tenant: permissions of Microsoft Graph and roles of Entra from which there is a way to Global
//! Administrator, or to locking the administrators out.
//!
//! What each allows is said by Microsoft's two references, which [`TierZero::page`] points into. That there is a way is a
//! conclusion from it: Microsoft's own privilege levels are coarser, since only 18 of the 41 permissions are of the highest.

use super::{entra, graph};

/// What grants the power.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// An application permission of Microsoft Graph.
    Permission,
    /// A directory role of Entra.
    Role,
}

/// How far the way is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Class {
    /// In one step.
    Direct,
    /// It takes somebody or something suitable, or a second right.
    Indirect,
    /// By an interface that is being retired; whether the way still leads there was not tried.
    Legacy,
}

impl Class {
    /// The word used in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Indirect => "indirect",
            Self::Legacy => "legacy",
        }
    }
}

/// Something that leads to the whole tenant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TierZero {
    /// What grants it.
    pub kind: Kind,
    /// The permission's or the role's name, as Microsoft spells it.
    pub name: &'static str,
    /// How far the way is.
    pub class: Class,
    /// The way, in a few words that continue "its holder …".
    pub way: &'static str,
    /// Whether Microsoft lets an agent identity hold it. Only told for roles.
    pub for_agents: bool,
}

const fn permission(name: &'static str, class: Class, way: &'static str) -> TierZero {
    TierZero { kind: Kind::Permission, name, class, way, for_agents: false }
}

const fn role(name: &'static str, class: Class, way: &'static str) -> TierZero {
    TierZero { kind: Kind::Role, name, class, way, for_agents: false }
}

const fn agents(role: TierZero) -> TierZero {
    TierZero { for_agents: true, ..role }
}

use Class::{Direct, Indirect, Legacy};

/// Permissions and roles, the shortest ways first.
///
/// Sources: <https://learn.microsoft.com/graph/permissions-reference> for what a permission allows,
/// <https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference> for what a role may do,
/// <https://learn.microsoft.com/entra/agent-id/identity-professional/authorization-agent-id> for the roles that agents may hold.
pub static TIER_ZERO: &[TierZero] = &[
    permission("RoleManagement.ReadWrite.Directory", Direct, "gives anybody any directory role"),
    permission("RoleAssignmentSchedule.ReadWrite.Directory", Direct, "activates any directory role for anybody"),
    permission(
        "PrivilegedAccess.ReadWrite.AzureADGroup",
        Direct,
        "puts anybody into a group that holds directory roles",
    ),
    permission(
        "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
        Direct,
        "activates membership in a group that holds directory roles",
    ),
    permission("UserAuthenticationMethod.ReadWrite.All", Direct, "registers a way to sign in as any administrator"),
    permission("UserAuthMethod-TAP.ReadWrite.All", Direct, "issues a temporary pass to sign in as any administrator"),
    permission("UserAuthMethod-Phone.ReadWrite.All", Direct, "registers a phone to sign in as any administrator"),
    permission("UserAuthMethod-QR.ReadWrite.All", Direct, "registers a QR code to sign in as any administrator"),
    permission(
        "UserAuthMethod-HardwareOATH.ReadWrite.All",
        Direct,
        "registers a token of one-time codes for any administrator",
    ),
    permission(
        "DelegatedAdminRelationship.ReadWrite.All",
        Direct,
        "gives a partner's groups administrator roles in customers' tenants",
    ),
    permission("Policy.ReadWrite.ConditionalAccess", Direct, "locks administrators out by a policy, or lifts one"),
    permission("User.DeleteRestore.All", Direct, "locks administrators out by deleting their accounts"),
    permission("User.EnableDisableAccount.All", Direct, "locks administrators out by disabling their accounts"),
    permission("AppRoleAssignment.ReadWrite.All", Indirect, "grants itself every other permission"),
    permission("Application.ReadWrite.All", Indirect, "adds a credential to an application that may do more"),
    permission("Application.ReadUpdate.All", Indirect, "adds a credential to an application that may do more"),
    permission(
        "Application.ReadWrite.OwnedBy",
        Indirect,
        "adds a credential to an application that it owns and that may do more",
    ),
    permission(
        "Directory.ReadWrite.All",
        Indirect,
        "joins groups that hold access, where these hold no directory role",
    ),
    permission("Group.ReadWrite.All", Indirect, "joins groups that hold access, where these hold no directory role"),
    permission(
        "GroupMember.ReadWrite.All",
        Indirect,
        "joins groups that hold access, where these hold no directory role",
    ),
    permission("User.ReadWrite.All", Indirect, "edits what dynamic groups and other systems tell users by"),
    permission("User-PasswordProfile.ReadWrite.All", Indirect, "sets the passwords of users within its reach"),
    permission("Domain.ReadWrite.All", Indirect, "has a domain trust a sign-in service of its own"),
    permission("Organization.ReadWrite.All", Indirect, "has the tenant trust a certificate authority of its own"),
    permission(
        "AdministrativeUnit.ReadWrite.All",
        Indirect,
        "takes an account out of the restricted unit that shields it",
    ),
    permission("EntitlementManagement.ReadWrite.All", Indirect, "hands out an access package that carries privilege"),
    permission("SignInIdentifier.ReadWrite.All", Indirect, "changes by which names users sign in"),
    permission("SecurityIdentitiesActions.ReadWrite.All", Indirect, "runs response actions on accounts"),
    permission(
        "Group-OnPremisesSyncBehavior.ReadWrite.All",
        Indirect,
        "makes a group that is kept on premises one that can be changed in the cloud",
    ),
    permission(
        "RoleEligibilitySchedule.ReadWrite.Directory",
        Indirect,
        "makes an accomplice eligible for any directory role",
    ),
    permission(
        "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
        Indirect,
        "makes an accomplice eligible for a group that holds directory roles",
    ),
    permission(
        "RoleManagementPolicy.ReadWrite.Directory",
        Indirect,
        "takes approval and second factor out of the activation of directory roles",
    ),
    permission(
        "RoleManagementPolicy.ReadWrite.AzureADGroup",
        Indirect,
        "takes approval and second factor out of the activation of group memberships",
    ),
    permission("Policy.ReadWrite.PermissionGrant", Indirect, "writes the policy by which it is granted more"),
    permission(
        "Policy.ReadWrite.AuthenticationMethod",
        Indirect,
        "turns on a weak way to sign in, for another right to use",
    ),
    permission(
        "DeviceManagementConfiguration.ReadWrite.All",
        Indirect,
        "puts configuration onto an administrator's device",
    ),
    permission("DeviceManagementScripts.ReadWrite.All", Indirect, "runs scripts on an administrator's device"),
    permission("DeviceManagementRBAC.ReadWrite.All", Indirect, "grants itself roles over administrators' devices"),
    permission("PrivilegedAccess.ReadWrite.AzureAD", Legacy, "assigns directory roles by an old interface"),
    permission("PrivilegedAccess.ReadWrite.AzureResources", Legacy, "assigns Azure roles by an old interface"),
    permission("Synchronization.ReadWrite.All", Legacy, "sets up jobs that write users and groups"),
    role("Global Administrator", Direct, "may do everything"),
    role("Privileged Role Administrator", Direct, "gives anybody any directory role"),
    role("Privileged Authentication Administrator", Direct, "resets how any administrator signs in"),
    role("Partner Tier2 Support", Direct, "resets the password of any administrator"),
    role("Conditional Access Administrator", Direct, "locks administrators out by a policy, or lifts one"),
    role("Security Administrator", Direct, "changes the policies that shield administrators"),
    role("Agent ID Administrator", Indirect, "adds a credential to a blueprint and acts as its agents"),
    agents(role("AI Administrator", Indirect, "runs the AI services and the agents of the tenant")),
    role("Application Administrator", Indirect, "adds a credential to an application that may do more"),
    role("Cloud Application Administrator", Indirect, "adds a credential to an application that may do more"),
    role("Authentication Administrator", Indirect, "resets how users sign in who own or control something privileged"),
    role("Helpdesk Administrator", Indirect, "resets passwords of users who own or control something privileged"),
    role("Password Administrator", Indirect, "resets passwords of users who own or control something privileged"),
    role("User Administrator", Indirect, "manages users and groups that lead to privilege"),
    role("Groups Administrator", Indirect, "joins groups that hold access, where these hold no directory role"),
    role("Directory Writers", Indirect, "joins groups that hold access, where these hold no directory role"),
    role(
        "Hybrid Identity Administrator",
        Indirect,
        "changes synchronisation and federation, and credentials of applications",
    ),
    role("Domain Name Administrator", Indirect, "has a domain trust a sign-in service of its own"),
    role("External Identity Provider Administrator", Indirect, "adds an identity provider that vouches for users"),
    role("Identity Governance Administrator", Indirect, "hands out an access package that carries privilege"),
    role("Lifecycle Workflows Administrator", Indirect, "runs workflows that change users and groups"),
    role("Intune Administrator", Indirect, "runs scripts on an administrator's device"),
    agents(role("Exchange Administrator", Indirect, "manages groups that may hold access")),
    agents(role("SharePoint Administrator", Indirect, "manages groups that may hold access")),
    agents(role("Teams Administrator", Indirect, "manages groups that may hold access")),
    agents(role("Yammer Administrator", Indirect, "manages groups that may hold access")),
    agents(role("Knowledge Administrator", Indirect, "manages groups that may hold access")),
    agents(role("Knowledge Manager", Indirect, "manages groups that may hold access")),
    agents(role("Azure DevOps Administrator", Indirect, "reaches pipelines and what these deploy with")),
    role("Partner Tier1 Support", Indirect, "resets passwords of users who own or control something privileged"),
    agents(role("Windows 365 Administrator", Indirect, "reaches cloud PCs, and groups that may hold access")),
];

impl TierZero {
    /// Its id: that of the application permission, or the template id of the role.
    pub fn id(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Permission => graph::of_name(self.name)?.application.as_deref(),
            Kind::Role => Some(entra::of_name(self.name)?.template),
        }
    }

    /// Microsoft's page on what it allows.
    pub fn page(&self) -> String {
        let anchor: String = match self.kind {
            Kind::Permission => self.name.chars().filter(|c| *c != '.').collect(),
            Kind::Role => self.name.replace(' ', "-"),
        };
        let page = match self.kind {
            Kind::Permission => "https://learn.microsoft.com/graph/permissions-reference",
            Kind::Role => entra::PAGE,
        };
        format!("{page}#{}", anchor.to_ascii_lowercase())
    }
}

/// The application permission of that name, if it leads to the whole tenant. Names are compared without regard to case.
pub fn of_permission(name: &str) -> Option<&'static TierZero> {
    find(Kind::Permission, name)
}

/// The role with that template id, if it leads to the whole tenant.
pub fn of_role(template: &str) -> Option<&'static TierZero> {
    find(Kind::Role, entra::of_template(template)?.name)
}

fn find(kind: Kind, name: &str) -> Option<&'static TierZero> {
    TIER_ZERO.iter().find(|held| held.kind == kind && held.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everything_has_an_id_of_its_own_and_is_found_by_it() {
        let mut ids = BTreeSet::new();
        for held in TIER_ZERO {
            let id = held.id().unwrap_or_else(|| panic!("{} has no id", held.name));
            assert!(ids.insert(id), "{} twice", held.name);
            let found = match held.kind {
                Kind::Permission => of_permission(&graph::of_id(graph::Kind::Application, id).unwrap().name),
                Kind::Role => of_role(id),
            };
            assert_eq!(found, Some(held));
        }
        assert_eq!(of_permission("User.Read.All"), None);
        assert_eq!(of_role("88d8e3e3-8f55-4a1e-953a-9b9898b8876b"), None, "Directory Readers");
    }

    #[test]
    fn pages_are_microsofts_with_the_place_in_them() {
        assert_eq!(
            of_permission("user-passwordprofile.readwrite.all").unwrap().page(),
            "https://learn.microsoft.com/graph/permissions-reference#user-passwordprofilereadwriteall"
        );
        assert!(of_role("729827e3-9c14-49f7-bb1b-9608f156bbb8").unwrap().page().ends_with("#helpdesk-administrator"));
    }

    /// The list that the project's reference keeps, which lies outside the repository.
    #[test]
    fn the_reference_names_the_same_things_in_the_same_classes() {
        let Some(shared) = std::env::var_os("EVENHAND_SHARED") else {
            eprintln!("skipped: EVENHAND_SHARED is not set");
            return;
        };
        let text = std::fs::read_to_string(std::path::Path::new(&shared).join("reference/azure-tier0.csv")).unwrap();
        let told: BTreeSet<String> =
            text.lines().skip(1).map(|line| line.splitn(4, ',').take(3).collect::<Vec<_>>().join(",")).collect();
        let kind = |kind| if kind == Kind::Permission { "graph_app_role" } else { "entra_role" };
        let ours: BTreeSet<String> =
            TIER_ZERO.iter().map(|held| [kind(held.kind), held.name, held.class.as_str()].join(",")).collect();
        assert_eq!(ours, told);
        for line in text.lines().filter(|line| line.starts_with("entra_role")) {
            let name = line.split(',').nth(1).unwrap();
            let agents = line.contains("assignable to agents");
            let held = find(Kind::Role, name).unwrap();
            assert_eq!(held.for_agents, agents, "{name}");
        }
    }
}
