//! A large tenant takes many calls and little memory, and what it takes grows no faster than it does.

use std::time::Instant;

use evenhand_model::access::{Outcome, Request};
use evenhand_model::id::IdentityId;
use evenhand_model::provider::Reading;
use serde_json::json;

use super::server::{Holds, Lying, Server};
use super::world::{World, principal, world};
use super::*;
use crate::tests::read_capture;

#[test]
fn thousands_of_principals_are_collected_a_page_at_a_time() {
    const PRINCIPALS: usize = 1_000;
    let server = Server::new(world(PRINCIPALS), |_| None);
    let home = tempfile::tempdir().unwrap();
    let pace = Pace { batch: 20, pages: 10_000, ..quickly() };
    let collected = Collection { pace, ..Collection::default() }.run(&server.url, home.path()).unwrap();
    assert_eq!(collected.failed, []);
    assert!(collected.answered > 3 * PRINCIPALS);
    // Sixteen for principals, and one for each other thing.
    assert!(collected.documents < 80, "{}", collected.documents);
    assert!(collected.most_held < 200_000, "{} bytes", collected.most_held);
    let batches = server.seen().iter().filter(|seen| seen.batch > 0).count();
    assert!(batches >= 3 * PRINCIPALS && server.seen().iter().filter(|seen| seen.batch == 20).count() > 2 * PRINCIPALS);
}

/// Principals of one subscription.
const TEAM: usize = 500;
/// Role assignments of each principal.
const ASSIGNED: usize = 4;
/// Elements of a page.
const PAGE: usize = 100;

/// A tenant of any number of applications and managed identities, made while it is asked. Each reads its team's
/// subscription, contributes to a resource group of its own, reads the secrets of a vault, and assigns roles there.
struct Large {
    principals: usize,
    /// What does not grow.
    rest: World,
}

impl Large {
    fn new(principals: usize) -> Self {
        Self { principals, rest: world(0) }
    }

    fn subscription(number: usize) -> String {
        format!("5b000000-0000-4000-8000-{:012}", number / TEAM)
    }

    fn group(number: usize) -> String {
        format!("/subscriptions/{}/resourceGroups/app-{number}", Self::subscription(number))
    }

    fn is_managed(number: usize) -> bool {
        number % 10 == 3
    }

    fn identity(number: usize) -> String {
        format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-{number}", Self::group(number))
    }

    fn service_principal(number: usize) -> Value {
        let managed = Self::is_managed(number);
        json!({
            "id": principal(number), "appId": format!("app-{number}"), "displayName": format!("service {number}"),
            "servicePrincipalType": if managed { "ManagedIdentity" } else { "Application" }, "accountEnabled": true,
            "appOwnerOrganizationId": TENANT, "tags": [],
            "alternativeNames": if managed { vec![Self::identity(number)] } else { Vec::new() },
        })
    }

    fn assignment(subscription: &str, first: usize, at: usize) -> Value {
        let number = first + at / ASSIGNED;
        let group = Self::group(number);
        let (role, scope) = match at % ASSIGNED {
            0 => ("reader", format!("/subscriptions/{subscription}")),
            1 => ("contributor", group),
            2 => ("secrets", format!("{group}/providers/Microsoft.KeyVault/vaults/v")),
            _ => ("assigner", group),
        };
        let authorization = format!("/subscriptions/{subscription}/providers/Microsoft.Authorization");
        json!({
            "id": format!("{authorization}/roleAssignments/{number}-{role}"),
            "properties": { "principalId": principal(number), "principalType": "ServicePrincipal", "scope": scope,
                "roleDefinitionId": format!("{authorization}/roleDefinitions/{role}") },
        })
    }

    /// What lies in a subscription.
    fn of_subscription(&self, path: &str) -> Option<Lying<'_>> {
        let (subscription, kind) = path.strip_prefix("/subscriptions/")?.split_once("/providers/")?;
        let team: usize = subscription.rsplit('-').next()?.parse().ok()?;
        let first = team * TEAM;
        let members = self.principals.checked_sub(first).filter(|left| *left > 0)?.min(TEAM);
        let subscription = subscription.to_owned();
        Some(match kind {
            "Microsoft.Authorization/roleAssignments" => {
                Lying::List(members * ASSIGNED, Box::new(move |at| Self::assignment(&subscription, first, at)))
            }
            "Microsoft.Authorization/roleDefinitions" => {
                let roles = [
                    json!({"actions": ["*/read"]}),
                    json!({"actions": ["*"], "notActions": ["Microsoft.Authorization/*/write"]}),
                    json!({"dataActions": ["Microsoft.KeyVault/vaults/secrets/getSecret/action"]}),
                    json!({"actions": ["Microsoft.Authorization/roleAssignments/write"]}),
                ];
                let names = ["reader", "contributor", "secrets", "assigner"];
                Lying::List(
                    roles.len(),
                    Box::new(
                        move |at| json!({"id": format!("/x/{}", names[at]), "properties": {"roleName": names[at], "permissions": [roles[at]]}}),
                    ),
                )
            }
            "Microsoft.ManagedIdentity/userAssignedIdentities" => {
                let managed: Vec<usize> = (first..first + members).filter(|number| Self::is_managed(*number)).collect();
                Lying::List(
                    managed.len(),
                    Box::new(move |at| {
                        let number = managed[at];
                        json!({"id": Self::identity(number), "properties": {"principalId": principal(number), "tenantId": TENANT}})
                    }),
                )
            }
            _ => Lying::List(0, Box::new(|_| Value::Null)),
        })
    }
}

impl Holds for Large {
    fn at(&self, path: &str) -> Option<Lying<'_>> {
        let none = || Some(Lying::List(0, Box::new(|_| Value::Null)));
        let last = path.rsplit('/').next()?;
        let subscriptions = self.principals.div_ceil(TEAM);
        let subscription = |at: usize| Self::subscription(at * TEAM);
        match path {
            "/v1.0/servicePrincipals" => Some(Lying::List(self.principals, Box::new(Self::service_principal))),
            "/subscriptions" => {
                Some(Lying::List(subscriptions, Box::new(move |at| json!({"subscriptionId": subscription(at)}))))
            }
            "/providers/Microsoft.ResourceGraph/resources" | "/v1.0/oauth2PermissionGrants" => none(),
            _ if path.starts_with("/providers/Microsoft.Management/") && last == "descendants" => Some(Lying::List(
                subscriptions,
                Box::new(move |at| {
                    let id = subscription(at);
                    let parent = format!("/providers/Microsoft.Management/managementGroups/{TENANT}");
                    json!({"id": format!("/subscriptions/{id}"), "type": "/subscriptions", "name": id,
                        "properties": {"parent": {"id": parent}}})
                }),
            )),
            _ if path.starts_with("/providers/Microsoft.Management/") => none(),
            _ if path.starts_with("/v1.0/servicePrincipals/") && !last.starts_with("microsoft.graph.") => {
                let id = path.split('/').nth(3)?.to_owned();
                let role = "00000000-0000-0000-0000-000000000000";
                let held = move |_| json!({"principalId": id, "resourceId": "graph", "appRoleId": role});
                if last == "appRoleAssignments" { Some(Lying::List(1, Box::new(held))) } else { none() }
            }
            _ if path.ends_with("/federatedIdentityCredentials") && path.starts_with("/subscriptions/") => none(),
            _ if path.starts_with("/v1.0/roleManagement/") || path.contains("oleManagementPolicyAssignments") => none(),
            _ => self.of_subscription(path).or_else(|| self.rest.at(path)),
        }
    }
}

/// What a tenant of some size takes.
#[derive(Debug)]
struct Taken {
    held: usize,
    documents: usize,
    slices: usize,
    edges: usize,
}

/// Collects, reads and resolves a tenant.
fn taken(principals: usize) -> (Taken, Reading) {
    let server = Server::paged(Large::new(principals), PAGE, |_| None);
    let home = tempfile::tempdir().unwrap();
    let pace = Pace { batch: 20, pages: 10_000, ..quickly() };
    let began = Instant::now();
    let collected = Collection { pace, ..Collection::default() }.run(&server.url, home.path()).unwrap();
    assert_eq!(collected.failed, []);
    let at = (collected.most_held, collected.documents, began.elapsed());
    drop(server);
    let began = Instant::now();
    let reading = read_capture(home.path());
    let resolver = reading.resolver.as_deref().unwrap();
    let slices = reading.inventory.identities.iter().filter_map(|held| resolver.access(&held.id));
    let slices = slices.map(|access| access.slices().len()).sum();
    let edges = resolver.edges().len();
    println!("{principals} principals: collected in {:?}, read and resolved in {:?}", at.2, began.elapsed());
    (Taken { held: at.0, documents: at.1, slices, edges }, reading)
}

fn decided(reading: &Reading, number: usize, operation: &str, resource: &str) -> Outcome {
    let kind = if Large::is_managed(number) { "managed_identity" } else { "service_principal" };
    let who = IdentityId::new(format!("azure:{TENANT}:{kind}:{}", principal(number)));
    let request = Request {
        identity: who.to_string(),
        operation: operation.to_owned(),
        resource: Some(resource.to_owned()),
        context: BTreeMap::new(),
    };
    reading.resolver.as_deref().unwrap().decide(&who, &request).unwrap().outcome
}

/// Whatever the size: everybody is there, and may do what he is assigned and nothing beside it.
fn holds_up(principals: usize, taken: &Taken, reading: &Reading) {
    let known = reading.inventory.identities.iter().filter(|held| held.kind != "group").count();
    assert!(known >= principals, "{known}");
    for number in [0, 3, principals / 2, principals - 1] {
        let (own, other) = (Large::group(number), Large::group((number + 1) % principals));
        let vm = |group: &str| format!("{group}/providers/Microsoft.Compute/virtualMachines/vm");
        let start = "Microsoft.Compute/virtualMachines/start/action";
        assert_eq!(decided(reading, number, start, &vm(&own)), Outcome::Allowed, "{number}");
        assert_eq!(decided(reading, number, start, &vm(&other)), Outcome::ImplicitlyDenied, "{number}");
        assert_eq!(decided(reading, number, "Microsoft.Web/sites/read", &own), Outcome::Allowed, "{number}");
    }
    assert!(taken.held < 1_000_000, "{} bytes of answers were held at one time", taken.held);
    // Sixteen documents for each kind of thing, one for each subscription, one for each other call.
    assert!(taken.documents < 100 + principals.div_ceil(TEAM), "{} documents", taken.documents);
    assert!(taken.slices <= principals * ASSIGNED, "{} slices", taken.slices);
    // Two that lead to the identity in the own resource group, and the assignment of roles there.
    assert!(taken.edges <= 3 * principals, "{} steps", taken.edges);
}

#[test]
fn what_a_tenant_takes_grows_no_faster_than_the_tenant() {
    let (small, reading) = taken(500);
    holds_up(500, &small, &reading);
    let (large, reading) = taken(2_000);
    holds_up(2_000, &large, &reading);
    assert!(large.held < 2 * small.held, "pages are let go: {small:?} {large:?}");
    assert!(large.slices <= 4 * small.slices && large.edges <= 4 * small.edges, "{small:?} {large:?}");
}

/// `cargo test --release -p evenhand-azure --lib -- --ignored --nocapture of_fifty_thousand` takes some minutes.
#[test]
#[ignore = "a tenant of 50,000 service principals and 200,000 role assignments takes minutes"]
fn a_tenant_of_fifty_thousand_principals_and_two_hundred_thousand_assignments_is_resolved() {
    let (taken, reading) = taken(50_000);
    holds_up(50_000, &taken, &reading);
    assert_eq!(taken.slices, 50_000 * ASSIGNED);
}
