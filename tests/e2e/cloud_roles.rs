//! Agent, tool server, ServiceAccount, cloud role: the sum that an agent is held beside people with, over two captures.

use serde_json::Value;

use crate::common::{Scene, json};

const ACCOUNT: &str = "111122223333";
const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D";

/// An agent whose own account may read pods, as people may, and whose tool server holds nothing in the cluster.
/// `annotation`: of the tool server's account.
fn cluster(annotation: &str) -> String {
    format!(
        r#"
apiVersion: v1
kind: Namespace
metadata: {{name: sre}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: triage, namespace: sre}}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: tools
  namespace: sre
  annotations: {{{annotation}}}
---
apiVersion: kagent.dev/v1alpha2
kind: Agent
metadata: {{name: triage, namespace: sre}}
spec:
  type: Declarative
  declarative:
    deployment: {{serviceAccountName: triage}}
    tools: [{{type: McpServer, mcpServer: {{apiGroup: kagent.dev, kind: MCPServer, name: tools}}}}]
---
apiVersion: kagent.dev/v1alpha1
kind: MCPServer
metadata: {{name: tools, namespace: sre}}
spec: {{deployment: {{image: "example.com/tools:1", serviceAccountName: tools}}, transportType: stdio}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: reader}}
rules: [{{apiGroups: [""], resources: [pods], verbs: [get, list]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: triage, namespace: sre}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}}
subjects: [{{kind: ServiceAccount, name: triage, namespace: sre}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: oncall, namespace: sre}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: Group, name: oncall}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBindingList
items: []
"#
    )
}

fn annotated() -> String {
    cluster(&format!("eks.amazonaws.com/role-arn: 'arn:aws:iam::{ACCOUNT}:role/tools'"))
}

/// A role of the tool server's pods and one of people. `trust`: who may become the former; `operations`: what it may.
fn account(trust: &str, operations: &str) -> String {
    let role = |name: &str, trust: &str, operations: &str| {
        format!(
            r#"{{"Path":"/","RoleName":"{name}","RoleId":"AROAEXAMPLE{name}","Arn":"arn:aws:iam::{ACCOUNT}:role/{name}",
 "CreateDate":"2026-01-01T00:00:00Z","AssumeRolePolicyDocument":{{"Version":"2012-10-17","Statement":[{trust}]}},
 "InstanceProfileList":[],"RolePolicyList":[{{"PolicyName":"main","PolicyDocument":{{"Version":"2012-10-17",
 "Statement":[{{"Sid":"Main","Effect":"Allow","Action":{operations},"Resource":"*"}}]}}}}],
 "AttachedManagedPolicies":[],"Tags":[],"RoleLastUsed":{{}}}}"#
        )
    };
    let people = format!(
        r#"{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::{ACCOUNT}:saml-provider/sso"}},"Action":"sts:AssumeRoleWithSAML","Condition":{{"StringEquals":{{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}}}}"#
    );
    let roles = [role("tools", trust, operations), role("responder", &people, r#"["s3:GetObject"]"#)].join(",");
    format!(r#"{{"UserDetailList":[],"GroupDetailList":[],"RoleDetailList":[{roles}],"Policies":[]}}"#)
}

/// The trust policy of a role for one account of the cluster.
fn of_issuer(subject: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}},
 "Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringEquals":{{"{ISSUER}:sub":"{subject}","{ISSUER}:aud":"sts.amazonaws.com"}}}}}}"#
    )
}

const TOOLS: &str = "system:serviceaccount:sre:tools";

const BOTH: &str = "[[job]]\nname = \"incident-response\"\nhuman = [\"kubernetes:group/oncall\", \"aws:role/responder\"]\n\
                    agents = [\"kubernetes:service_account/sre/triage\"]\n";

/// What people hold in the cluster alone.
const CLUSTER_ONLY: &str = "[[job]]\nname = \"incident-response\"\nhuman = [\"kubernetes:group/oncall\"]\n\
                            agents = [\"kubernetes:service_account/sre/triage\"]\n";

fn scene(cluster: &str, jobs: &str) -> Scene {
    Scene::new().file("k8s/prod/all.yaml", cluster.as_bytes()).file("evenhand.toml", jobs.as_bytes())
}

/// The row of the agent, and its excess.
fn compared(scene: &Scene) -> (Value, Vec<Value>) {
    let run = scene.run(&["scan", ".", "-o", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let report = json(&run.stdout);
    let rows = |table: &str| report["tables"][table].as_array().unwrap().clone();
    let is_agent = |row: &Value, column: &str| row[column] == "kubernetes:prod:serviceaccount:sre/triage";
    let row = rows("identities").into_iter().find(|row| is_agent(row, "id")).unwrap();
    (row, rows("excess").into_iter().filter(|row| is_agent(row, "identity")).collect())
}

fn card(scene: &Scene) -> String {
    scene.run(&["compare", "kubernetes:prod:serviceaccount:sre/triage", "--from", "."]).stdout
}

#[test]
fn an_agent_is_held_beside_people_with_the_cloud_role_behind_its_tool_server() {
    let with = |operations: &str| {
        scene(&annotated(), BOTH).file("aws/gaad.json", account(&of_issuer(TOOLS), operations).as_bytes())
    };
    let (row, excess) = compared(&with(r#"["s3:GetObject"]"#));
    assert_eq!((row["verdict"].as_str(), excess.len()), (Some("PARITY"), 0), "{row}");

    let wide = with(r#"["s3:GetObject","s3:DeleteBucket"]"#);
    let (row, excess) = compared(&wide);
    assert_eq!((row["verdict"].as_str(), row["excess_operations"].as_u64()), (Some("EXCESS"), Some(1)));
    let [atom] = excess.as_slice() else { panic!("{excess:?}") };
    assert_eq!(atom["operation"], "s3:DeleteBucket");
    assert_eq!(atom["granted_by"], "inline policy main statement 0 (Main, through role tools)");
    assert!(atom["location"].as_str().unwrap().starts_with("aws/gaad.json#/RoleDetailList/0/"), "{atom}");
    let shown = card(&wide);
    assert!(shown.contains("through role tools"), "{shown}");
    let asked = wide.run(&["can", "sre/triage", "s3:DeleteBucket", "--from", "."]);
    let said: Vec<&str> = asked.stderr.split_whitespace().collect();
    assert!(said.join(" ").contains("ask about `arn:aws:iam::111122223333:role/tools`"), "{}", asked.stderr);
}

#[test]
fn a_cloud_role_that_was_not_read_leaves_it_open_and_the_document_is_named() {
    let scene = scene(&annotated(), BOTH);
    let (row, excess) = compared(&scene);
    assert_eq!((row["verdict"].as_str(), excess.len()), (Some("UNKNOWN"), 0), "{row}");
    let shown = card(&scene);
    let told = "`aws iam get-account-authorization-details` of account 111122223333 tells what it may do";
    let words: Vec<&str> = shown.split_whitespace().collect();
    assert!(words.join(" ").contains(told), "{shown}");
}

#[test]
fn a_role_that_does_not_let_the_account_in_is_none_of_its_access() {
    let refusing = account(&of_issuer("system:serviceaccount:sre:other"), r#"["*"]"#);
    let (row, excess) = compared(&scene(&annotated(), BOTH).file("aws/gaad.json", refusing.as_bytes()));
    assert_eq!((row["verdict"].as_str(), excess.len()), (Some("PARITY"), 0), "{row}");
}

#[test]
fn people_of_the_cluster_alone_are_no_measure_for_the_cloud_unless_a_role_lets_them_in() {
    let gaad = account(&of_issuer(TOOLS), r#"["s3:GetObject"]"#);
    let (row, _) = compared(&scene(&annotated(), CLUSTER_ONLY).file("aws/gaad.json", gaad.as_bytes()));
    assert_eq!(row["verdict"], "UNKNOWN", "{row}");

    let let_in = format!(
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system}}\ndata:\n  mapRoles: |\n    - rolearn: arn:aws:iam::{ACCOUNT}:role/responder\n      username: someone\n      groups: [oncall]\n"
    );
    for jobs in [CLUSTER_ONLY.to_owned(), BOTH.replace("\"kubernetes:group/oncall\", ", "")] {
        let cluster = format!("{}{let_in}", annotated());
        let scene = scene(&cluster, &jobs).file("aws/gaad.json", gaad.as_bytes());
        let (row, _) = compared(&scene);
        assert_eq!(row["verdict"], "PARITY", "{row}");
        assert!(!card(&scene).contains("names no human role"));
    }
}

#[test]
fn an_association_of_pod_identity_gives_the_role_as_an_annotation_does() {
    let pods = r#"{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}"#;
    let association = format!(
        r#"{{"association":{{"clusterName":"prod","namespace":"sre","serviceAccount":"tools","roleArn":"arn:aws:iam::{ACCOUNT}:role/tools",
 "associationArn":"arn:aws:eks:eu-west-1:{ACCOUNT}:podidentityassociation/prod/a-0","associationId":"a-0"}}}}"#
    );
    let scene = scene(&cluster(""), BOTH)
        .file("aws/gaad.json", account(pods, r#"["s3:DeleteBucket"]"#).as_bytes())
        .file("aws/association.json", association.as_bytes());
    let (row, excess) = compared(&scene);
    assert_eq!(row["verdict"], "EXCESS", "{row}");
    assert_eq!(excess[0]["operation"], "s3:DeleteBucket");
    let explained = scene.run(&["explain", "sre/triage", "--from", "."]).stdout;
    assert!(explained.contains("workload-identity"), "{explained}");
}
