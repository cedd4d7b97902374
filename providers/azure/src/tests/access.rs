//! Who may do what: permissions, directory roles, role assignments, held for good or held ready.

use evenhand_model::access::Outcome;
use evenhand_model::control::ControlKind;
use evenhand_model::proposal::Proposal;
use serde_json::json;

use super::*;

fn controls(reading: &Reading, who: &IdentityId) -> Vec<ControlKind> {
    let resolver = resolver(reading);
    let access = resolver.access(who).unwrap();
    let keys = access
        .slices()
        .iter()
        .flat_map(|slice| slice.condition.keys().into_iter().map(str::to_owned).collect::<Vec<_>>());
    let mut kinds: Vec<ControlKind> = keys.filter_map(|key| resolver.catalog().control_of_key(&key)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

#[test]
fn an_agent_holds_for_good_what_people_activate_with_an_approval() {
    let reading = read(&tenant(&[USER_READ_WRITE_ALL]));
    let (agent, support) = (id("agent_identity", "agent"), id("group", "support"));
    for (who, operation, expected) in [
        (&agent, REVOKE, Outcome::Allowed),
        (&agent, DELETE, Outcome::Allowed),
        (&agent, RESET, Outcome::ImplicitlyDenied),
        (&support, REVOKE, Outcome::Conditional),
        (&support, RESET, Outcome::Conditional),
        (&support, DELETE, Outcome::ImplicitlyDenied),
        (&id("user", "ann"), RESET, Outcome::Conditional),
        (&id("directory_role", HELPDESK), RESET, Outcome::Conditional),
    ] {
        assert_eq!(decide(&reading, who, operation, None), expected, "{who} {operation}");
    }
    // Read behind "not allowed by".
    let stopped = decision(&reading, &agent, RESET, None).blocked_by;
    assert_eq!(
        stopped.iter().map(|by| &**by).collect::<Vec<_>>(),
        ["its roles and permissions: none grants it, or a deny assignment takes it away"]
    );
    let all = [ControlKind::SecondPersonApproval, ControlKind::JustInTime, ControlKind::Mfa];
    assert_eq!(controls(&reading, &support), all);
    assert_eq!(controls(&reading, &agent), []);
}

#[test]
fn what_is_activated_is_not_held_for_good_and_what_ends_says_when() {
    let mut answers = tenant(&[]);
    let active = |kind: &str, principal: &str, end: Option<&str>| {
        json!({ "id": format!("{principal}-i"), "principalId": principal, "roleDefinitionId": HELPDESK, "directoryScopeId": "/",
            "assignmentType": kind, "roleAssignmentOriginId": principal, "endDateTime": end })
    };
    let standing = |principal: &str| json!({ "id": principal, "principalId": principal, "roleDefinitionId": HELPDESK, "directoryScopeId": "/" });
    answers.retain(|answer| !answer["path"].as_str().unwrap().ends_with("/roleAssignments"));
    answers.push(graph(
        "/roleManagement/directory/roleAssignments",
        &json!([standing("ann"), standing("bot"), standing("agent")]),
    ));
    answers.push(graph(
        "/roleManagement/directory/roleAssignmentScheduleInstances",
        &json!([
            active("Activated", "ann", Some("2026-12-01T04:00:00Z")),
            active("Assigned", "bot", Some("2027-01-01T00:00:00Z")),
            active("Assigned", "agent", None)
        ]),
    ));
    answers.push(manager("/subscriptions/s/providers/Microsoft.Authorization/roleAssignments", &json!([])));
    let reading = read(&answers);
    assert_eq!(decide(&reading, &id("user", "ann"), RESET, None), Outcome::Conditional);
    assert_eq!(decide(&reading, &id("service_principal", "bot"), RESET, None), Outcome::Conditional);
    assert_eq!(controls(&reading, &id("service_principal", "bot")), [ControlKind::JustInTime]);
    assert_eq!(decide(&reading, &id("agent_identity", "agent"), RESET, None), Outcome::Allowed);
}

#[test]
fn rules_that_were_not_read_leave_open_who_approves() {
    let mut answers = tenant(&[]);
    answers.retain(|answer| !answer["path"].as_str().unwrap().contains("Policy"));
    let reading = read(&answers);
    let access = resolver(&reading).access(&id("group", "support")).unwrap();
    let text = access.slices()[0].condition.to_string();
    assert!(text.contains("activation-approved EqualsIfExists true"), "{text}");
    assert!(text.contains("activated-for Equals true"), "{text}");
}

#[test]
fn an_agent_inherits_what_its_blueprint_lists_and_no_more() {
    let mail = "810c84a8-4a9e-49e6-bf7d-12d183f40d01"; // Mail.Read
    let roles = |kind: &serde_json::Value| {
        let mut answers = tenant(&[]);
        answers.retain(|answer| {
            let path = answer["path"].as_str().unwrap();
            !path.ends_with("inheritablePermissions")
                && !path.ends_with("blueprint/appRoleAssignments")
                && !path.ends_with("Grants")
        });
        answers.push(graph(
            "/servicePrincipals/blueprint/appRoleAssignments",
            &json!([{ "principalId": "blueprint", "resourceId": "graph", "appRoleId": mail }]),
        ));
        answers.push(graph(
            "/oauth2PermissionGrants",
            &json!([{ "clientId": "blueprint", "consentType": "AllPrincipals", "resourceId": "graph", "scope": " openid Chat.Read User.Read.All" }]),
        ));
        answers.push(graph("/applications/blueprint-definition/inheritablePermissions", kind));
        let reading = read(&answers);
        let agent = id("agent_identity", "agent");
        // An operation that nobody holds is in no catalogue.
        ["microsoft.graph/Mail.Read", "microsoft.graph/Chat.Read", "microsoft.directory/users/standard/read"]
            .map(|operation| decide(&reading, &agent, operation, None))
    };
    use Outcome::{Allowed, Conditional, ImplicitlyDenied};
    let list = |roles: serde_json::Value, scopes: serde_json::Value| json!([{ "resourceAppId": GRAPH, "inheritableRoles": roles, "inheritableScopes": scopes }]);
    assert_eq!(
        roles(&list(json!({ "kind": "allAllowed" }), json!({ "kind": "allAllowed" }))),
        [Allowed, Conditional, Conditional]
    );
    assert_eq!(
        roles(&list(
            json!({ "kind": "none" }),
            json!({ "@odata.type": "#microsoft.graph.enumeratedScopes", "scopes": ["Chat.Read"] })
        )),
        [ImplicitlyDenied, Conditional, ImplicitlyDenied]
    );
    assert_eq!(roles(&json!([])), [ImplicitlyDenied; 3]);
    assert_eq!(
        roles(&json!([{ "resourceAppId": "another", "inheritableScopes": { "kind": "allAllowed" } }])),
        [ImplicitlyDenied; 3]
    );
}

#[test]
fn a_blueprint_of_which_the_list_was_not_read_leaves_its_agents_open() {
    let is_list = |answer: &serde_json::Value| answer["path"].as_str().unwrap().ends_with("inheritablePermissions");
    let mut unread = tenant(&[]);
    unread.retain(|answer| !is_list(answer));
    // The last page is missing.
    let mut in_part = tenant(&[]);
    for answer in in_part.iter_mut().filter(|answer| is_list(answer)) {
        answer["response"]["@odata.nextLink"] = "https://graph.microsoft.com/v1.0/next".into();
    }
    for answers in [unread, in_part] {
        let reading = read(&answers);
        assert_eq!(decide(&reading, &id("agent_identity", "agent"), DELETE, None), Outcome::Unknown);
    }
}

#[test]
fn azure_roles_reach_through_groups_scopes_and_denies() {
    let mut answers = tenant(&[]);
    answers.retain(|answer| !answer["path"].as_str().unwrap().contains("Microsoft.Authorization"));
    let at = "/subscriptions/s/providers/Microsoft.Authorization";
    answers.push(manager(
        &format!("{at}/roleDefinitions"),
        &json!([{ "id": format!("{at}/roleDefinitions/c"), "name": "c", "properties": { "roleName": "Contributor", "permissions": [
            { "actions": ["*"], "notActions": ["Microsoft.Authorization/*/write"], "dataActions": [], "notDataActions": [] }
        ] } }]),
    ));
    answers.push(manager(
        &format!("{at}/roleAssignments"),
        &json!([
            { "id": format!("{at}/roleAssignments/1"), "properties": { "principalId": "BOT", "roleDefinitionId": format!("{at}/roleDefinitions/c"), "scope": "/subscriptions/s", "principalType": "ServicePrincipal" } }
        ]),
    ));
    answers.push(manager(
        &format!("{at}/roleEligibilityScheduleInstances"),
        &json!([{ "id": "e", "properties": { "principalId": "support", "roleDefinitionId": format!("{at}/roleDefinitions/c"), "scope": "/subscriptions/s/resourceGroups/g" } }]),
    ));
    answers.push(manager(
        &format!("{at}/denyAssignments"),
        &json!([{ "id": "d", "properties": { "denyAssignmentName": "no", "scope": "/subscriptions/s/resourceGroups/locked", "permissions": [{ "actions": ["*/delete"] }],
            "principals": [{ "id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined" }] } }]),
    ));
    let reading = read(&answers);
    let (bot, ann) = (id("service_principal", "bot"), id("user", "ann"));
    let stop = "Microsoft.Compute/virtualMachines/deallocate/action";
    let delete = "Microsoft.Compute/virtualMachines/delete";
    for (who, operation, resource, expected) in [
        (
            &bot,
            stop,
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v",
            Outcome::Allowed,
        ),
        (&bot, stop, "/subscriptions/other", Outcome::ImplicitlyDenied),
        (&bot, delete, "/subscriptions/S/resourceGroups/Locked/providers/x/y/z", Outcome::ImplicitlyDenied),
        (&bot, delete, "/subscriptions/s/resourceGroups/g/providers/x/y/z", Outcome::Allowed),
        (&bot, "Microsoft.Authorization/roleAssignments/write", "/subscriptions/s", Outcome::ImplicitlyDenied),
        (&ann, stop, "/subscriptions/s/resourceGroups/g/x", Outcome::Conditional),
        (&ann, stop, "/subscriptions/s/resourceGroups/h", Outcome::ImplicitlyDenied),
    ] {
        assert_eq!(decide(&reading, who, operation, Some(resource)), expected, "{who} {operation} {resource}");
    }
    let role = reading.inventory.identities.iter().find(|held| held.kind == "azure_role").unwrap();
    assert_eq!(&*role.name, "Contributor");
}

#[test]
fn a_group_that_is_activated_gives_what_it_holds_under_that_condition() {
    let mut answers = tenant(&[]);
    answers.push(graph(
        "/roleManagement/directory/roleAssignments",
        &json!([{ "id": "1", "principalId": "oncall", "roleDefinitionId": HELPDESK, "directoryScopeId": "/" }]),
    ));
    answers.push(graph("/groups", &json!([{ "id": "oncall", "displayName": "On call" }])));
    answers.push(graph("/groups/oncall/members", &json!([])));
    answers.push(graph(
        "/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances",
        &json!([{ "id": "x", "principalId": "bob", "groupId": "oncall", "accessId": "member" }]),
    ));
    answers.push(graph("/users", &json!([{ "id": "bob", "userPrincipalName": "bob@acme.example" }])));
    let reading = read(&answers);
    for who in [id("user", "bob"), id("group", "oncall")] {
        assert_eq!(decide(&reading, &who, RESET, None), Outcome::Conditional, "{who}");
        assert!(controls(&reading, &who).contains(&ControlKind::JustInTime));
    }
}

#[test]
fn an_unread_role_is_a_doubt_and_not_nothing() {
    let mut answers = tenant(&[]);
    answers.push(graph(
        "/roleManagement/directory/roleAssignments",
        &json!([{ "id": "1", "principalId": "bot", "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10", "directoryScopeId": "/" }]),
    ));
    let reading = read(&answers);
    let bot = id("service_principal", "bot");
    assert_eq!(decide(&reading, &bot, DELETE, None), Outcome::Unknown);
    let access = resolver(&reading).access(&bot).unwrap();
    assert!(
        access.doubts.iter().any(|doubt| &*doubt.text == "directory role Global Administrator"),
        "{:?}",
        access.doubts
    );
    assert_eq!(resolver(&reading).is_admin(&bot), None);
}

/// What is done to take everything away from somebody.
fn taken_from(answers: &[serde_json::Value], who: &IdentityId) -> Proposal {
    let reading = read(answers);
    let proposer = resolver(&reading).proposer().unwrap();
    proposer.propose(who, &[], "").unwrap()
}

#[test]
fn what_is_taken_away_is_named_by_its_id_and_what_a_group_gives_goes_by_leaving_it() {
    const AT: &str = "/subscriptions/s/providers/Microsoft.Authorization";
    let mut answers = tenant(&[]);
    let replaced = [
        "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments",
        "/subscriptions/s/providers/Microsoft.Authorization/denyAssignments",
        "/v1.0/servicePrincipals/bot/appRoleAssignments",
        "/v1.0/oauth2PermissionGrants",
    ];
    answers.retain(|answer| !replaced.contains(&answer["path"].as_str().unwrap()));
    let assigned = |name: &str, principal: &str| {
        json!({ "id": format!("{AT}/roleAssignments/{name}"), "properties": {
            "principalId": principal, "roleDefinitionId": format!("{AT}/roleDefinitions/c"), "scope": "/subscriptions/s",
            "principalType": "ServicePrincipal" } })
    };
    let denied = |name: &str, whom: &[&str]| {
        let whom: Vec<serde_json::Value> = whom.iter().map(|id| json!({ "id": id, "type": "Group" })).collect();
        json!({ "id": format!("{AT}/denyAssignments/{name}"), "properties": { "denyAssignmentName": name,
            "scope": "/subscriptions/s", "permissions": [{ "actions": ["Microsoft.Network/*"] }], "principals": whom } })
    };
    let called = |name: &str, mut deny: serde_json::Value| {
        deny["properties"]["denyAssignmentName"] = json!(name);
        deny
    };
    let but = |id: &str, mut deny: serde_json::Value| {
        deny["properties"]["excludePrincipals"] = json!([{ "id": id, "type": "Group" }]);
        deny
    };
    let to_everybody = |mut deny: serde_json::Value| {
        deny["properties"]["principals"] =
            json!([{ "id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined" }]);
        deny
    };
    answers.extend([
        manager(
            &format!("{AT}/roleDefinitions"),
            &json!([{ "id": format!("{AT}/roleDefinitions/c"), "properties": { "roleName": "Runner", "type": "CustomRole",
                "permissions": [{ "actions": ["Microsoft.Compute/virtualMachines/read"] }] } }]),
        ),
        manager(&format!("{AT}/roleAssignments"), &json!([assigned("own; id", "bot"), assigned("2", "runners")])),
        manager(
            &format!("{AT}/denyAssignments"),
            &json!([
                denied("group only", &["runners"]),
                denied("both", &["runners", "bot"]),
                denied("other", &["x"]),
                called("one name", denied("a", &["runners"])),
                called("one name", denied("b", &["bot"])),
                but("bot", denied("not it", &["runners"])),
                but("runners", to_everybody(denied("all but the group", &[]))),
                to_everybody(denied("all", &["runners"])),
            ]),
        ),
        graph("/groups", &json!([{ "id": "runners", "displayName": "Runners" }])),
        graph("/groups/runners/members", &json!([{ "@odata.type": "#microsoft.graph.servicePrincipal", "id": "bot" }])),
        graph(
            "/servicePrincipals/bot/appRoleAssignments",
            &json!([{ "id": "held-1", "principalId": "bot", "principalType": "ServicePrincipal", "resourceId": "graph",
                      "appRoleId": USER_READ_WRITE_ALL }]),
        ),
        graph(
            "/oauth2PermissionGrants",
            &json!([{ "id": "grant-1", "clientId": "bot", "consentType": "AllPrincipals", "resourceId": "graph",
                      "scope": "Mail.Read openid" }]),
        ),
    ]);
    let Proposal { steps, notes, .. } = taken_from(&answers, &id("service_principal", "bot"));
    let [first, second, gained] = notes.as_slice() else { panic!("{notes:#?}") };
    assert!(first.contains("`group only` names a group"), "what a group is denied is denied no longer: {first}");
    assert!(second.contains("`one name` names a group"), "another of that name is another: {second}");
    assert!(gained.contains("`all but the group` excludes a group"), "what spared the group: {gained}");
    for step in [
        format!("az role assignment delete --ids '{AT}/roleAssignments/own; id'"),
        "az rest --method delete --url https://graph.microsoft.com/v1.0/servicePrincipals/bot/appRoleAssignments/held-1"
            .to_owned(),
        format!("az ad app permission delete --id bot-app --api {GRAPH} --api-permissions {USER_READ_WRITE_ALL}"),
        "az rest --method patch --url https://graph.microsoft.com/v1.0/oauth2PermissionGrants/grant-1 --body \
         '{\"scope\":\"openid\"}'"
            .to_owned(),
        "az ad group member remove --group runners --member-id bot".to_owned(),
    ] {
        assert!(steps.contains(&step), "{step} in {steps:#?}");
    }
    assert_eq!(steps.len(), 5, "what others in the group hold stays: {steps:#?}");
}

#[test]
fn what_is_held_ready_is_taken_away_by_a_request_of_its_own() {
    const AT: &str = "/subscriptions/s/providers/Microsoft.Authorization";
    let mut answers = tenant(&[]);
    answers.extend([
        manager(
            &format!("{AT}/roleDefinitions"),
            &json!([{ "id": format!("{AT}/roleDefinitions/c"), "properties": { "roleName": "Runner", "type": "CustomRole",
                "permissions": [{ "actions": ["Microsoft.Compute/virtualMachines/read"] }] } }]),
        ),
        manager(
            &format!("{AT}/roleEligibilityScheduleInstances"),
            &json!([{ "id": format!("{AT}/roleEligibilityScheduleInstances/1"), "properties": { "principalId": "bot",
                "roleDefinitionId": format!("{AT}/roleDefinitions/c"), "scope": "/subscriptions/s" } }]),
        ),
        graph(
            "/roleManagement/directory/roleEligibilityScheduleInstances",
            &json!([{ "id": "e-2", "principalId": "bot", "roleDefinitionId": HELPDESK, "directoryScopeId": "/" }]),
        ),
    ]);
    let steps = taken_from(&answers, &id("service_principal", "bot")).steps;
    for part in [
        format!("az rest --method put --url https://management.azure.com{AT}/roleEligibilityScheduleRequests/")
            .to_lowercase(),
        "az rest --method post --url \
         https://graph.microsoft.com/v1.0/rolemanagement/directory/roleeligibilityschedulerequests --body "
            .to_owned(),
    ] {
        let step = steps.iter().map(|step| step.to_lowercase()).find(|step| step.starts_with(&part));
        assert!(step.is_some_and(|step| step.contains("adminremove") && step.contains("bot")), "{part} in {steps:#?}");
    }
    assert_eq!(steps.len(), 2, "{steps:#?}");
}
