//! Requests for `evenhand decide`, one a line, the same for the same number on every machine.
//!
//! A simple request to AWS is what a gateway asks: one identity policy of a few statements and an organisation of two levels,
//! without conditions. The policies repeat, as they do where many requests of the same principals are decided. A request to
//! Kubernetes brings the roles and bindings of its namespace along, one to Azure its role assignments and definitions, which
//! repeat in the same way, or are new each time.

use crate::generate::Random;

const ACTIONS: [&str; 6] = [
    "s3:GetObject",
    "s3:PutObject",
    "sqs:SendMessage",
    "dynamodb:GetItem",
    "lambda:InvokeFunction",
    "secretsmanager:GetSecretValue",
];

/// So many principals ask, each with a policy of its own.
const PRINCIPALS: u64 = 200;

/// Lines with a request each.
pub fn simple(count: u64) -> Vec<String> {
    let mut random = Random::new(11);
    (0..count).map(|_| line(&mut random, "")).collect()
}

/// Lines with a request each whose policies have conditions, and a context that answers them.
pub fn conditional(count: u64) -> Vec<String> {
    let mut random = Random::new(12);
    let condition = r#","Condition":{"StringEquals":{"aws:RequestedRegion":["eu-central-1","eu-west-1"]},"IpAddress":{"aws:SourceIp":"203.0.113.0/24"},"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/${aws:PrincipalTag/team}-*"}}"#;
    (0..count).map(|_| line(&mut random, condition)).collect()
}

fn line(random: &mut Random, condition: &str) -> String {
    let who = random.below(PRINCIPALS);
    let action = usize::try_from(random.below(6)).ok().and_then(|at| ACTIONS.get(at)).copied().unwrap_or_default();
    let item = random.below(1_000);
    let resource = match action.split(':').next() {
        Some("s3") => format!("arn:aws:s3:::team-{}-data/{item}", who % 10),
        Some("sqs") => format!("arn:aws:sqs:eu-central-1:111122223333:team-{}-{item}", who % 10),
        Some("dynamodb") => format!("arn:aws:dynamodb:eu-central-1:111122223333:table/team-{}", who % 10),
        Some("lambda") => format!("arn:aws:lambda:eu-central-1:111122223333:function:team-{item}"),
        _ => format!("arn:aws:secretsmanager:eu-central-1:111122223333:secret:team-{item}"),
    };
    let context = if condition.is_empty() {
        String::new()
    } else {
        r#","context":{"aws:RequestedRegion":"eu-west-1","aws:SourceIp":"203.0.113.9","aws:PrincipalTag/team":"team"}"#
            .to_owned()
    };
    format!(
        r#"{{"request":{{"principal":"arn:aws:iam::111122223333:role/team-{who}","action":"{action}","resource":"{resource}"{context}}},"identity_policies":[{{"name":"own","policy":{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::team-{team}-data/*"{condition}}},{{"Effect":"Allow","Action":["sqs:*","dynamodb:Get*"],"Resource":["arn:aws:sqs:*:111122223333:team-{team}-*","arn:aws:dynamodb:*:111122223333:table/team-{who}"]}}]}}}}],"service_control_policies":[{{"level":"r-1","policies":[{{"name":"all","policy":{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}}]}}}}]}},{{"level":"ou-1","policies":[{{"name":"guard","policy":{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},{{"Effect":"Deny","Action":["organizations:*","s3:DeleteBucket"],"Resource":"*"}}]}}}}]}}]}}"#,
        team = who % 10,
    )
}

/// Lines with a tenant's part and one request each; there are as many of them as principals.
pub fn azure(count: u64) -> Vec<String> {
    let mut random = Random::new(15);
    (0..count)
        .map(|_| {
            let team = random.below(PRINCIPALS);
            tenant(&mut random, team)
        })
        .collect()
}

/// The same, all of them new.
pub fn azure_new(count: u64) -> Vec<String> {
    let mut random = Random::new(16);
    (0..count).map(|team| tenant(&mut random, team)).collect()
}

fn tenant(random: &mut Random, team: u64) -> String {
    const ACTIONS: [&str; 4] = [
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.Storage/storageAccounts/listKeys/action",
        "Microsoft.Authorization/roleAssignments/write",
        "Microsoft.Compute/virtualMachines/delete",
    ];
    let action = usize::try_from(random.below(4)).ok().and_then(|at| ACTIONS.get(at)).copied().unwrap_or_default();
    let item = random.below(1_000);
    format!(
        r#"{{"request":{{"principal":"team-{team}","action":"{action}","resource":"/subscriptions/s-{team}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm-{item}"}},"roleAssignments":[{{"principalId":"group-{team}","roleDefinitionId":"reader","scope":"/subscriptions/s-{team}"}},{{"principalId":"team-{team}","roleDefinitionId":"admin","scope":"/subscriptions/s-{team}/resourceGroups/g"}}],"roleDefinitions":[{{"name":"reader","roleName":"Reader","permissions":[{{"actions":["*/read"]}}]}},{{"name":"admin","roleName":"Admin","permissions":[{{"actions":["Microsoft.Compute/*","Microsoft.Authorization/roleAssignments/*"],"notActions":["*/start/action"],"condition":"!(ActionMatches{{'Microsoft.Authorization/roleAssignments/write'}}) OR @Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals{{acdd72a7-3385-48ef-bd42-f606fba81ae7}}"}}]}}],"denyAssignments":[{{"id":"freeze","denyAssignmentName":"freeze","scope":"/subscriptions/s-{team}","permissions":[{{"actions":["*/delete"]}}],"principals":[{{"id":"00000000-0000-0000-0000-000000000000","type":"SystemDefined"}}]}}],"groups":[{{"id":"group-{team}","members":["team-{team}"]}}]}}"#
    )
}

/// Lines with a world and one request each; there are as many worlds as principals.
pub fn kubernetes(count: u64) -> Vec<String> {
    let mut random = Random::new(13);
    (0..count)
        .map(|_| {
            let team = random.below(PRINCIPALS);
            world(&mut random, team)
        })
        .collect()
}

/// The same, but no world comes twice.
pub fn kubernetes_new(count: u64) -> Vec<String> {
    let mut random = Random::new(14);
    (0..count).map(|team| world(&mut random, team)).collect()
}

/// The roles and bindings of a team's namespace, and a request of its service account.
fn world(random: &mut Random, team: u64) -> String {
    let (verb, group, resource) = match random.below(4) {
        0 => ("get", "", "pods"),
        1 => ("create", "apps", "deployments"),
        2 => ("list", "", "secrets"),
        _ => ("update", "batch", "jobs"),
    };
    let item = random.below(1_000);
    format!(
        r#"{{"roles":[{{"metadata":{{"name":"deployer","namespace":"team-{team}"}},"rules":[{{"apiGroups":["apps"],"resources":["deployments","statefulsets"],"verbs":["get","list","watch","create","update","patch"]}},{{"apiGroups":[""],"resources":["configmaps"],"resourceNames":["settings-{team}"],"verbs":["get","update"]}}]}}],"clusterRoles":[{{"metadata":{{"name":"view"}},"aggregationRule":{{"clusterRoleSelectors":[{{"matchLabels":{{"to-view":"true"}}}}]}},"rules":[]}},{{"metadata":{{"name":"view-core","labels":{{"to-view":"true"}}}},"rules":[{{"apiGroups":[""],"resources":["pods","pods/log","services","configmaps","events"],"verbs":["get","list","watch"]}},{{"apiGroups":["apps","batch"],"resources":["deployments","jobs","cronjobs"],"verbs":["get","list","watch"]}}]}},{{"metadata":{{"name":"discovery"}},"rules":[{{"nonResourceURLs":["/healthz","/version","/api/*","/apis/*"],"verbs":["get"]}}]}}],"roleBindings":[{{"metadata":{{"name":"deployer","namespace":"team-{team}"}},"roleRef":{{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"deployer"}},"subjects":[{{"kind":"ServiceAccount","name":"agent","namespace":"team-{team}"}}]}},{{"metadata":{{"name":"readers","namespace":"team-{team}"}},"roleRef":{{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"view"}},"subjects":[{{"kind":"Group","name":"system:serviceaccounts:team-{team}"}}]}}],"clusterRoleBindings":[{{"metadata":{{"name":"discovery"}},"roleRef":{{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"discovery"}},"subjects":[{{"kind":"Group","name":"system:authenticated"}}]}}],"requests":[{{"verb":"{verb}","apiGroup":"{group}","resource":"{resource}","name":"item-{item}","namespace":"team-{team}","resourceRequest":true,"user":"system:serviceaccount:team-{team}:agent","groups":["system:serviceaccounts","system:serviceaccounts:team-{team}","system:authenticated"]}}]}}"#
    )
}
