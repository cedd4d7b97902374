//! A tenant of any number of service principals, as the collector writes it: an answer a line, a document for each call that
//! is made once, sixteen for what is asked about each object, one for each subscription.
//!
//! The mix: four role assignments for each service principal, seven in ten of them on its own resource group or what lies in
//! it, the rest on the team's subscription; one in ten a managed identity, one in ten an AI identity, which is an agent made
//! from its team's blueprint; a group of five people for each team, with the team's roles on its subscription.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::generate::Random;

const TENANT: &str = "7e9a0000-0000-4000-8000-000000000001";
const MICROSOFT_GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// Service principals of a team, which has a subscription.
const PER_TEAM: u64 = 500;
const PEOPLE: u64 = 5;

/// Application permissions by their ids: `User.Read.All`, `Mail.Read`, `Sites.Read.All`, `Application.ReadWrite.All`.
const PERMISSIONS: [&str; 4] = [
    "df021288-bdef-4463-88db-98f22de89214",
    "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    "332a536c-c7ef-4017-ab91-336970924f0d",
    "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
];

/// Roles by their ids, with their permission blocks.
const ROLES: [(&str, &str, &str); 5] = [
    ("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", r#"{"actions":["*/read"]}"#),
    (
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        r#"{"actions":["*"],"notActions":["Microsoft.Authorization/*/Delete","Microsoft.Authorization/*/Write","Microsoft.Authorization/elevateAccess/Action"]}"#,
    ),
    (
        "4633458b-17de-408a-b874-0445c86b69e6",
        "Key Vault Secrets User",
        r#"{"dataActions":["Microsoft.KeyVault/vaults/secrets/getSecret/action","Microsoft.KeyVault/vaults/secrets/readMetadata/action"]}"#,
    ),
    (
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "Storage Blob Data Contributor",
        r#"{"actions":["Microsoft.Storage/storageAccounts/blobServices/containers/*"],"dataActions":["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*"]}"#,
    ),
    (
        "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
        "Cognitive Services OpenAI User",
        r#"{"actions":["Microsoft.CognitiveServices/*/read"],"dataActions":["Microsoft.CognitiveServices/accounts/OpenAI/*/completions/action"]}"#,
    ),
];

fn role(at: usize) -> &'static str {
    ROLES.get(at).map_or("", |(id, _, _)| id)
}

/// What a service principal is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Application,
    Managed,
    Agent,
}

impl Kind {
    fn of(number: u64) -> Self {
        match number % 10 {
            3 => Self::Agent,
            7 => Self::Managed,
            _ => Self::Application,
        }
    }
}

/// An object's id; the first letter chooses its document.
fn object(kind: u64, number: u64) -> String {
    format!("{:x}{kind:07x}-0000-4000-8000-{number:012x}", number % 16)
}

fn principal(number: u64) -> String {
    object(1, number)
}

fn subscription(team: u64) -> String {
    object(2, team)
}

fn group_of(number: u64) -> String {
    format!("/subscriptions/{}/resourceGroups/app-{number}", subscription(number / PER_TEAM))
}

fn identity_of(number: u64) -> String {
    format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-{number}", group_of(number))
}

/// A document of answers.
struct Answers(BufWriter<File>);

impl Answers {
    fn new(folder: &Path, name: &str) -> io::Result<Self> {
        let path = folder.join("azure").join(TENANT).join(format!("{name}.ndjson"));
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        Ok(Self(BufWriter::with_capacity(1 << 20, File::create(path)?)))
    }

    /// A list, from its elements.
    fn list(&mut self, path: &str, elements: impl IntoIterator<Item = String>) -> io::Result<()> {
        let (host, key) = if path.starts_with("/v1.0") || path.starts_with("/beta") {
            ("graph.microsoft.com", "value")
        } else if path.contains("ResourceGraph") {
            ("management.azure.com", "data")
        } else {
            ("management.azure.com", "value")
        };
        write!(self.0, r#"{{"tenant":"{TENANT}","host":"{host}","path":"{path}","response":{{"{key}":["#)?;
        for (at, element) in elements.into_iter().enumerate() {
            if at > 0 {
                self.0.write_all(b",")?;
            }
            self.0.write_all(element.as_bytes())?;
        }
        self.0.write_all(b"]}}\n")
    }
}

/// The documents of one kind of object, by the first letters of their ids.
struct ByLetter {
    folder: PathBuf,
    kind: &'static str,
    open: Vec<Answers>,
}

impl ByLetter {
    fn new(folder: &Path, kind: &'static str) -> io::Result<Self> {
        let open = (0..16_u32).map(|letter| Answers::new(folder, &format!("{kind}/{letter:x}")));
        Ok(Self { folder: folder.to_owned(), kind, open: open.collect::<io::Result<_>>()? })
    }

    fn of(&mut self, number: u64) -> io::Result<&mut Answers> {
        let at = usize::try_from(number % 16).unwrap_or_default();
        let missing = || io::Error::other(format!("no document of {} below {}", self.kind, self.folder.display()));
        self.open.get_mut(at).ok_or_else(missing)
    }
}

fn reference(kind: &str, id: &str) -> String {
    format!(r##"{{"@odata.type":"#microsoft.graph.{kind}","id":"{id}"}}"##)
}

/// Writes a tenant of so many service principals, with Microsoft Graph's and the blueprints' besides.
///
/// # Errors
/// When the folder cannot be written.
pub fn azure(folder: &Path, count: u64) -> io::Result<()> {
    let teams = count.div_ceil(PER_TEAM);
    directory(folder, count, teams)?;
    let mut random = Random::new(21);
    for team in 0..teams {
        of_subscription(folder, team, count, &mut random)?;
    }
    let mut identities = ByLetter::new(folder, "managedIdentities")?;
    for number in (0..count).filter(|number| Kind::of(*number) == Kind::Managed) {
        identities.of(number)?.list(&format!("{}/federatedIdentityCredentials", identity_of(number)), [])?;
    }
    Ok(())
}

/// What is asked once of the directory, and of each of its objects.
fn directory(folder: &Path, count: u64, teams: u64) -> io::Result<()> {
    let once = |path: &str| Answers::new(folder, &path.trim_matches('/').replace('/', "-"));
    let graph = object(3, 0);
    let offered = format!(
        r#"{{"id":"{graph}","appId":"{MICROSOFT_GRAPH}","displayName":"Microsoft Graph","servicePrincipalType":"Application","appOwnerOrganizationId":"f8cdef31-a31e-4b4a-93e4-5f571e91255a"}}"#
    );
    let blueprints = (0..teams).map(|team| {
        format!(
            r##"{{"@odata.type":"#microsoft.graph.agentIdentityBlueprintPrincipal","id":"{}","appId":"blueprint-{team}","displayName":"blueprint of team {team}","servicePrincipalType":"Application","appOwnerOrganizationId":"{TENANT}"}}"##,
            object(4, team)
        )
    });
    let principals = std::iter::once(offered).chain(blueprints).chain((0..count).map(service_principal));
    once("/v1.0/servicePrincipals")?.list("/v1.0/servicePrincipals", principals)?;
    let blueprints = (0..teams).map(|team| {
        let (id, name) = (object(5, team), format!("blueprint of team {team}"));
        format!(r#"{{"id":"{id}","appId":"blueprint-{team}","displayName":"{name}","inheritablePermissions":[]}}"#)
    });
    let applications = (0..count).filter(|number| Kind::of(*number) == Kind::Application).map(application);
    once("/v1.0/applications")?.list("/v1.0/applications", blueprints.chain(applications))?;
    let person = |number: u64| {
        format!(
            r#"{{"id":"{}","displayName":"Person {number}","userPrincipalName":"person-{number}@acme.example","accountEnabled":true,"userType":"Member"}}"#,
            object(6, number)
        )
    };
    once("/v1.0/users")?.list("/v1.0/users", (0..teams * PEOPLE).map(person))?;
    let group = |team: u64| {
        format!(r#"{{"id":"{}","displayName":"Team {team}","securityEnabled":true,"groupTypes":[]}}"#, object(7, team))
    };
    once("/v1.0/groups")?.list("/v1.0/groups", (0..teams).map(group))?;
    let mut members = ByLetter::new(folder, "groups")?;
    for team in 0..teams {
        let people = (team * PEOPLE..(team + 1) * PEOPLE).map(|number| reference("user", &object(6, number)));
        members.of(team)?.list(&format!("/v1.0/groups/{}/members", object(7, team)), people)?;
    }
    let mut random = Random::new(20);
    let mut about = ByLetter::new(folder, "servicePrincipals")?;
    for number in 0..count {
        let id = principal(number);
        let owner = reference("user", &object(6, number / PER_TEAM * PEOPLE + random.below(PEOPLE)));
        let out = about.of(number)?;
        let below = |word: &str| format!("/v1.0/servicePrincipals/{id}/{word}");
        out.list(&below("owners"), [owner.clone()])?;
        let permissions = (0..random.below(3)).map(|_| {
            let at = usize::try_from(random.below(64)).unwrap_or_default();
            let role = PERMISSIONS.get(if at == 0 { 3 } else { at % 3 }).copied().unwrap_or_default();
            format!(
                r#"{{"id":"a-{number}","principalId":"{id}","principalType":"ServicePrincipal","resourceId":"{graph}","resourceDisplayName":"Microsoft Graph","appRoleId":"{role}"}}"#
            )
        });
        let permissions: Vec<String> = permissions.collect();
        out.list(&below("appRoleAssignments"), permissions)?;
        out.list(&below("transitiveMemberOf"), [])?;
        if Kind::of(number) == Kind::Agent {
            out.list(&below("microsoft.graph.agentIdentity/sponsors"), [owner])?;
        }
    }
    let mut about = ByLetter::new(folder, "applications")?;
    for number in (0..count).filter(|number| Kind::of(*number) == Kind::Application) {
        let below = |word: &str| format!("/v1.0/applications/{}/{word}", object(8, number));
        let out = about.of(number)?;
        out.list(&below("owners"), [reference("user", &object(6, number / PER_TEAM * PEOPLE))])?;
        let trusted = (number % 4 == 1).then(|| {
            format!(
                r#"{{"id":"f-{number}","name":"deploy","issuer":"https://token.actions.githubusercontent.com","subject":"repo:acme/app-{number}:environment:production","audiences":["api://AzureADTokenExchange"]}}"#
            )
        });
        out.list(&below("federatedIdentityCredentials"), trusted)?;
    }
    for path in [
        "/v1.0/oauth2PermissionGrants",
        "/v1.0/roleManagement/directory/roleAssignments",
        "/v1.0/roleManagement/directory/roleDefinitions",
        "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances",
        "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances",
        "/v1.0/policies/roleManagementPolicyAssignments",
        "/v1.0/identity/conditionalAccess/policies",
        "/beta/reports/servicePrincipalSignInActivities",
        "/beta/reports/appCredentialSignInActivities",
        "/providers/Microsoft.ResourceGraph/resources",
        "/providers/microsoft.aadiam/diagnosticSettings",
    ] {
        once(path)?.list(path, [])?;
    }
    let groups = "/providers/Microsoft.Management/managementGroups";
    let below = (0..teams).map(|team| {
        let id = subscription(team);
        format!(
            r#"{{"id":"/subscriptions/{id}","type":"/subscriptions","name":"{id}","properties":{{"parent":{{"id":"{groups}/{TENANT}"}}}}}}"#
        )
    });
    let path = format!("{groups}/{TENANT}/descendants");
    once("/descendants")?.list(&path, below)
}

fn service_principal(number: u64) -> String {
    let (id, team) = (principal(number), number / PER_TEAM);
    let of_kind = match Kind::of(number) {
        Kind::Application => r#""servicePrincipalType":"Application""#.to_owned(),
        Kind::Managed => {
            format!(
                r#""servicePrincipalType":"ManagedIdentity","alternativeNames":["isExplicit=True","{}"]"#,
                identity_of(number)
            )
        }
        Kind::Agent => format!(
            r##""@odata.type":"#microsoft.graph.agentIdentity","servicePrincipalType":"ServiceIdentity","agentIdentityBlueprintId":"blueprint-{team}""##
        ),
    };
    format!(
        r#"{{"id":"{id}","appId":"app-{number}","displayName":"service {number}",{of_kind},"accountEnabled":true,"appOwnerOrganizationId":"{TENANT}","createdDateTime":"2025-0{}-11T09:00:00Z","tags":["evenhand:human-role=Team {team}","environment=production"],"passwordCredentials":[],"keyCredentials":[]}}"#,
        1 + number % 9
    )
}

fn application(number: u64) -> String {
    let secret = format!(
        r#"{{"keyId":"{}","displayName":"deploy","startDateTime":"2025-03-01T00:00:00Z","endDateTime":"2027-03-01T00:00:00Z"}}"#,
        object(9, number)
    );
    format!(
        r#"{{"id":"{}","appId":"app-{number}","displayName":"service {number}","signInAudience":"AzureADMyOrg","createdDateTime":"2025-02-11T09:00:00Z","tags":[],"passwordCredentials":[{}],"keyCredentials":[]}}"#,
        object(8, number),
        if number % 3 == 1 { secret.as_str() } else { "" }
    )
}

/// Everything that is asked of a subscription.
fn of_subscription(folder: &Path, team: u64, count: u64, random: &mut Random) -> io::Result<()> {
    let id = subscription(team);
    let at = format!("/subscriptions/{id}/providers/Microsoft.Authorization");
    let mut out = Answers::new(folder, &format!("subscriptions/{id}"))?;
    let assignment = |name: &str, principal: &str, kind: &str, role: &str, scope: &str| {
        format!(
            r#"{{"id":"{at}/roleAssignments/{name}","name":"{name}","type":"Microsoft.Authorization/roleAssignments","properties":{{"roleDefinitionId":"{at}/roleDefinitions/{role}","principalId":"{principal}","principalType":"{kind}","scope":"{scope}","condition":null,"createdOn":"2025-03-01T00:00:00Z"}}}}"#
        )
    };
    let whole = format!("/subscriptions/{id}");
    let mut assignments: Vec<String> =
        (0..2).map(|at| assignment(&format!("team-{at}"), &object(7, team), "Group", role(at), &whole)).collect();
    for number in (team * PER_TEAM..count).take(usize::try_from(PER_TEAM).unwrap_or_default()) {
        let (own, who) = (group_of(number), principal(number));
        let scopes = [
            whole.clone(),
            own.clone(),
            format!("{own}/providers/Microsoft.KeyVault/vaults/vault-{number}"),
            if random.below(5) == 0 {
                whole.clone()
            } else {
                format!("{own}/providers/Microsoft.Storage/storageAccounts/data{number}")
            },
        ];
        for (at, scope) in scopes.iter().enumerate() {
            assignments.push(assignment(&format!("{number}-{at}"), &who, "ServicePrincipal", role(at), scope));
        }
    }
    out.list(&format!("{at}/roleAssignments"), assignments)?;
    let definitions = ROLES.iter().map(|(role, name, permissions)| {
        format!(
            r#"{{"id":"{at}/roleDefinitions/{role}","name":"{role}","properties":{{"roleName":"{name}","type":"BuiltInRole","permissions":[{permissions}],"assignableScopes":["/"]}}}}"#
        )
    });
    out.list(&format!("{at}/roleDefinitions"), definitions)?;
    for list in [
        "denyAssignments",
        "roleAssignmentScheduleInstances",
        "roleEligibilityScheduleInstances",
        "roleManagementPolicyAssignments",
    ] {
        out.list(&format!("{at}/{list}"), [])?;
    }
    let managed = (team * PER_TEAM..count).take(usize::try_from(PER_TEAM).unwrap_or_default());
    let managed = managed.filter(|number| Kind::of(*number) == Kind::Managed).map(|number| {
        format!(
            r#"{{"id":"{}","name":"id-{number}","type":"Microsoft.ManagedIdentity/userAssignedIdentities","tags":{{}},"properties":{{"principalId":"{}","clientId":"app-{number}","tenantId":"{TENANT}"}}}}"#,
            identity_of(number),
            principal(number)
        )
    });
    out.list(&format!("/subscriptions/{id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"), managed)?;
    out.list(&format!("/subscriptions/{id}/providers/Microsoft.Insights/diagnosticSettings"), [])
}
