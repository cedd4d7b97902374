//! Admission controls: what stands before an operation, for whom, and what only looks like it.

use evenhand_model::evidence::{Place, Truth};

use super::*;

const PEOPLE: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: prod, labels: {tier: prod}}
---
apiVersion: v1
kind: Namespace
metadata: {name: dev}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: bot, namespace: dev}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: bot, namespace: dev}
subjects: [{kind: ServiceAccount, name: bot}]
roleRef: {kind: ClusterRole, name: edit}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: sre, namespace: prod}
subjects: [{kind: Group, name: sre}]
roleRef: {kind: ClusterRole, name: edit}
---
"#;

/// What stands before creating Deployments, for the bot and for the group.
fn standing(guards: &str) -> [Option<Truth>; 2] {
    let (inventory, resolver) = read(&format!("{PEOPLE}{guards}"));
    let create = resolver.catalog().expand("create deployments.apps");
    [account("dev/bot"), IdentityId::from("kubernetes:c:group:sre")].map(|id| {
        let mut of = inventory.controls.iter().filter(|one| {
            one.identity == id && one.operations.as_ref().is_none_or(|operations| create.is_subset(operations))
        });
        let found = of.next().map(|one| one.in_place);
        assert!(of.next().is_none(), "one answer for each");
        found
    })
}

fn webhook(rest: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: w}}\nwebhooks: [{{name: w, rules: [{{apiGroups: [apps], resources: ['*'], operations: [CREATE]}}]{rest}}}]\n"
    )
}

fn policy(actions: &str, rest: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: p}}\nspec: {{matchConstraints: {{resourceRules: [{{apiGroups: [apps], resources: [deployments], operations: [CREATE]}}]}}{rest}}}\n---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {{name: b}}\nspec: {{policyName: p, validationActions: [{actions}]}}\n"
    )
}

fn kyverno(action: &str, rest: &str) -> String {
    format!(
        "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {{name: p}}\nspec: {{validationFailureAction: {action}, rules: [{{name: r, match: {{any: [{{resources: {{kinds: [Deployment]}}{rest}}}]}}, validate: {{}}}}]}}\n"
    )
}

#[test]
fn only_what_refuses_is_a_control_and_only_for_whom_it_looks_at() {
    let (yes, none, open) = (Some(Truth::Yes), None, Some(Truth::Unknown));
    let prod = ", namespaceSelector: {matchLabels: {tier: prod}}";
    for (guards, bot, group) in [
        (String::new(), none, none),
        (webhook(""), yes, yes),
        (webhook(", failurePolicy: Ignore"), none, none),
        (webhook(prod), none, yes),
        (webhook(", objectSelector: {matchLabels: {a: b}}"), none, none),
        (webhook(", matchConditions: [{name: c, expression: \"request.userInfo.username != 'x'\"}]"), open, open),
        (webhook(", matchConditions: [{name: c, expression: \"object.spec.replicas > 3\"}]"), none, none),
        (webhook("").replace("apps", "batch"), none, none),
        (policy("Deny", ""), yes, yes),
        (policy("Warn, Audit", ""), none, none),
        (policy("Deny", ", failurePolicy: Ignore"), none, none),
        (policy("Deny", "").replace("policyName: p", "policyName: q"), none, none),
        (policy("Deny", ", validations: [{expression: \"object.spec.replicas < 9\"}]"), yes, yes),
        (policy("Deny", ", validations: [{expression: \"request.userInfo.username == 'x'\"}]"), open, open),
        (policy("Deny", ", variables: [{name: v, expression: \"request.userInfo.groups\"}]"), open, open),
        (policy("Deny", ", matchConditions: [{name: c, expression: \"!authorizer.group('').allowed()\"}]"), open, open),
        (policy("Deny", ", matchConditions: [{name: c, expression: \"object.spec.replicas > 3\"}]"), none, none),
        (kyverno("Enforce", ""), yes, yes),
        (kyverno("Audit", ""), none, none),
        (kyverno("Enforce", ", subjects: [{kind: Group, name: sre}]"), none, yes),
        (kyverno("Enforce", ", subjects: [{kind: Group, name: 'system:serviceaccounts'}]"), yes, none),
        (kyverno("Enforce", ", clusterRoles: [edit]"), open, open),
        (kyverno("Enforce", "").replace("kinds: [Deployment]", "kinds: [Deployment], namespaces: [dev]"), yes, none),
    ] {
        assert_eq!(standing(&guards), [bot, group], "{guards}");
    }
}

#[test]
fn each_guard_is_a_control_with_its_own_place() {
    let (inventory, _) = read(&format!("{PEOPLE}{}---\n{}", policy("Deny", ""), kyverno("Enforce", "")));
    let bot = inventory.controls.iter().filter(|one| one.identity == account("dev/bot"));
    let places: Vec<String> = bot.map(|one| one.evidence.to_string()).collect();
    assert_eq!(places.len(), 2, "{places:?}");
    assert_ne!(places[0], places[1]);
}

#[test]
fn what_a_guard_says_is_held_once_however_many_it_stands_before() {
    let (inventory, _) = read(&format!("{PEOPLE}{}", webhook("")));
    let [first, others @ ..] = inventory.controls.as_slice() else { panic!("no control") };
    assert!(others.iter().any(|other| other.identity != first.identity));
    let operations = first.operations.as_ref().unwrap();
    for other in others {
        assert!(Arc::ptr_eq(&first.scope, &other.scope) && Arc::ptr_eq(&first.reason, &other.reason));
        assert!(Arc::ptr_eq(operations, other.operations.as_ref().unwrap()));
        assert!(Arc::ptr_eq(&first.evidence.document, &other.evidence.document));
        match (&first.evidence.place, &other.evidence.place) {
            (Place::Pointer(one), Place::Pointer(two)) => assert!(Arc::ptr_eq(one, two)),
            (one, two) => assert_eq!(one, two),
        }
    }
}

#[test]
fn a_constraint_of_gatekeeper_counts_where_it_denies() {
    let constraint = |action: &str, rest: &str| {
        format!(
            "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: NeedsApproval\nmetadata: {{name: c}}\nspec: {{{action}match: {{kinds: [{{apiGroups: [apps], kinds: [Deployment]}}]{rest}}}}}\n"
        )
    };
    let (yes, none) = (Some(Truth::Yes), None);
    for (guards, bot, group) in [
        (constraint("", ""), yes, yes),
        (constraint("enforcementAction: dryrun, ", ""), none, none),
        (constraint("enforcementAction: warn, ", ""), none, none),
        (constraint("", ", excludedNamespaces: [dev]"), none, yes),
    ] {
        assert_eq!(standing(&guards), [bot, group], "{guards}");
    }
}
