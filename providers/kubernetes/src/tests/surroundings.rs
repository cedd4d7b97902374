//! What the place of a workload does to it, and the tokens and Secrets that it is given.

use evenhand_model::workload::Workload;

use super::*;

const POD: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: ns, labels: {app: a}}
spec:
  serviceAccountName: a
  imagePullSecrets: [{name: registry}]
  containers: [{image: x, envFrom: [{secretRef: {name: settings}}]}]
  volumes:
  - name: vault
    projected: {sources: [{serviceAccountToken: {audience: vault, expirationSeconds: 864000}}]}
---
"#;

fn row(text: &str) -> (Workload, Inventory) {
    let (inventory, _) = read(text);
    (inventory.workloads[0].clone(), inventory)
}

fn policy(types: &str, rest: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: ns}}\nspec: {{podSelector: {{matchLabels: {{app: a}}}}, policyTypes: [{types}]{rest}}}\n---\n"
    )
}

#[test]
fn network_policies_limit_what_they_select_unless_they_let_everything_through() {
    let (known, no) = (Fact::Known(true), Fact::Known(false));
    let cilium = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: ns}\n---\n";
    for (policies, ingress, egress) in [
        (String::new(), Fact::Unknown, Fact::Unknown),
        (policy("Ingress", ""), known, no),
        (policy("Egress", ""), no, known),
        (policy("Egress", ", egress: [{}]"), no, no),
        (policy("Egress", ", egress: [{ports: [{port: 53, protocol: UDP}]}]"), no, known),
        (policy("Egress", ", egress: [{ports: [{port: 53, endPort: 65535}]}]"), no, no),
        (policy("Egress", ", egress: [{ports: [{port: 443}]}]"), no, no),
        (policy("Egress", ", egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]"), no, no),
        (policy("Egress", ", egress: [{to: [{podSelector: {}}]}]"), no, known),
        (policy("Egress", "").replace("app: a", "app: b"), no, no),
        (policy("Egress", "").replace("app: a", "app: b") + cilium, Fact::Unknown, Fact::Unknown),
    ] {
        let (row, _) = row(&format!("{POD}{policies}"));
        let found = (row.surroundings.ingress_restricted, row.surroundings.egress_restricted);
        assert_eq!(found, (ingress, egress), "{policies}");
    }
    let elsewhere = policy("Egress", "").replace("namespace: ns", "namespace: other");
    assert_eq!(
        row(&format!("{POD}{elsewhere}")).0.surroundings.egress_restricted,
        Fact::Unknown,
        "a manifest is no list"
    );
    let (row, _) = row(&format!("{}{}", POD.replace("spec:\n", "spec:\n  hostNetwork: true\n"), policy("Egress", "")));
    assert_eq!(row.surroundings.egress_restricted, no, "the node's network is not limited by policies");
}

#[test]
fn the_namespace_says_whether_privileged_pods_are_refused() {
    let namespace =
        |labels: &str| format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: ns, labels: {labels}}}\n---\n");
    let kyverno = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Enforce}}]}\n---\n";
    let no_webhooks =
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfigurationList\nitems: []\n---\n";
    assert_eq!(row(&format!("{POD}{}", namespace("{}"))).0.surroundings.hardening_enforced, Fact::Unknown);
    for (around, expected) in [
        (String::new(), Fact::Unknown),
        (namespace("{}"), Fact::Known(false)),
        (namespace("{pod-security.kubernetes.io/enforce: privileged}"), Fact::Known(false)),
        (namespace("{pod-security.kubernetes.io/warn: restricted}"), Fact::Known(false)),
        (namespace("{pod-security.kubernetes.io/enforce: baseline}"), Fact::Known(true)),
        (namespace("{}") + kyverno, Fact::Unknown),
    ] {
        assert_eq!(row(&format!("{POD}{no_webhooks}{around}")).0.surroundings.hardening_enforced, expected, "{around}");
    }
}

#[test]
fn a_pod_has_its_secrets_and_its_tokens_with_their_lifetime() {
    let (row, inventory) = row(POD);
    assert_eq!(row.surroundings.secrets, Fact::Known(vec!["registry".into(), "settings".into()]));
    assert_eq!(row.surroundings.default_identity, Fact::Known(false));
    let token = |kind: &str| inventory.credentials.iter().find(|one| &*one.kind == kind).expect("a token");
    assert_eq!(
        (&token("projected_token").audience, token("projected_token").lifetime_days),
        (&Fact::Known("vault".into()), Fact::Known(10))
    );
    assert_eq!((&token("bound_token").audience, token("bound_token").lifetime_days), (&Fact::Absent, Fact::Known(0)));
}

#[test]
fn a_token_secret_that_the_server_would_have_seen_in_use_was_not_used() {
    let tracking = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-apiserver-legacy-service-account-token-tracking, namespace: kube-system}\ndata: {since: '2026-02-01'}\n---\n";
    let token = |made: &str, labels: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: t, namespace: ns, creationTimestamp: '{made}', annotations: {{kubernetes.io/service-account.name: a}}, labels: {labels}}}\ntype: kubernetes.io/service-account-token\n---\n"
        )
    };
    let used = "{kubernetes.io/legacy-token-last-used: '2026-05-01'}";
    let invalid = "{kubernetes.io/legacy-token-invalid-since: '2026-05-01'}";
    for (text, last, enabled) in [
        (token("2026-03-01T00:00:00Z", "{}"), Fact::Unknown, true),
        (token("2026-03-01T00:00:00Z", "{}") + tracking, Fact::Absent, true),
        (token("2026-01-01T00:00:00Z", "{}") + tracking, Fact::Unknown, true),
        (token("2026-01-01T00:00:00Z", used), Fact::Known("2026-05-01T00:00:00Z".parse().unwrap()), true),
        (token("2026-01-01T00:00:00Z", invalid), Fact::Unknown, false),
    ] {
        let (inventory, _) = read(&text);
        let credential = inventory.credentials.iter().find(|one| &*one.kind == "service_account_token").expect("it");
        assert_eq!((credential.last_used_at, credential.enabled), (last, Fact::Known(enabled)), "{text}");
    }
}

#[test]
fn a_secret_that_an_annotation_repeats_belongs_to_whoever_takes_it() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: settings, namespace: ns, uid: u, annotations: {kubectl.kubernetes.io/last-applied-configuration: CANARY}}\n---\n";
    let (_, inventory) = row(&format!("{POD}{secret}"));
    let copied = inventory.credentials.iter().find(|one| one.in_metadata == Fact::Known(true)).expect("the copy");
    assert_eq!((&*copied.kind, &copied.identity), ("secret", &account("ns/a")));
    assert!(!format!("{inventory:?}").contains("CANARY"));
}

#[test]
fn roles_of_a_cloud_are_the_names_that_the_cluster_gives_them() {
    let (inventory, resolver) = read(
        r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system}
data:
  mapRoles: |
    - rolearn: arn:aws:iam::111111111111:role/oncall
      username: oncall:{{SessionName}}
      groups: [oncall, nobody]
    - rolearn: arn:aws:iam::111111111111:role/root
      username: root
      groups: [system:bootstrappers, system:masters]
    - rolearn: arn:aws:iam::111111111111:role/pod
      username: system:serviceaccount:ns:a
    - rolearn: arn:aws:iam::111111111111:role/node
      username: system:node:{{EC2PrivateDNSName}}
      groups: [system:bootstrappers, system:nodes]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: oncall, namespace: ns}
subjects: [{kind: Group, name: oncall}, {kind: ServiceAccount, name: a}]
roleRef: {kind: ClusterRole, name: edit}
"#,
    );
    let trusts: Vec<(&str, &str)> = inventory.trusts.iter().map(|one| (&*one.source, one.target.as_str())).collect();
    assert_eq!(
        trusts,
        [
            // Who holds everything holds what the role for that grants.
            ("arn:aws:iam::111111111111:role/root", "kubernetes:c:clusterrole:cluster-admin"),
            ("arn:aws:iam::111111111111:role/oncall", "kubernetes:c:group:oncall"),
            ("arn:aws:iam::111111111111:role/pod", "kubernetes:c:serviceaccount:ns/a"),
        ]
    );
    let admin = resolver.edges().into_iter().find(|edge| matches!(edge.target, EdgeTarget::Admin(_)));
    assert_eq!(admin.expect("a step to everything").source.as_str(), "arn:aws:iam::111111111111:role/root");
    let (_, errors) = read_all(
        vec![document(
            "k8s/c/x.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\ndata: {mapRoles: 'no list'}\n",
        )],
        &[],
    );
    assert_eq!(errors.len(), 1);
}
