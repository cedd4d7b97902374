//! Literal secrets in whole documents.

use super::read;

#[test]
fn literals_are_found_wherever_a_pod_or_a_tool_server_holds_them() {
    let (inventory, _) = read(
        r#"
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: work}
spec:
  containers:
  - name: main
    image: example.com/x:1
    env:
    - {name: TOKEN, value: changeme}
    - {name: API_KEY, value: "<your key>"}
    command: [sh, -c, "export GH_TOKEN=CANARY-00000001; run"]
    args: ["--header", "Authorization: Bearer CANARY-00000002", "https://h.example/mcp?api_key=CANARY-00000003"]
    livenessProbe:
      httpGet:
        path: /healthz
        port: 80
        httpHeaders:
        - {name: Authorization, value: Bearer CANARY-00000004}
        - {name: Host, value: h.example}
    lifecycle:
      postStart:
        exec:
          command: ["register", "--token=CANARY-00000005"]
---
apiVersion: kagent.dev/v1alpha2
kind: RemoteMCPServer
metadata: {name: far, namespace: work}
spec: {url: "https://far.example/mcp?api_key=CANARY-00000006"}
---
apiVersion: core.k8sgpt.ai/v1alpha1
kind: K8sGPT
metadata: {name: k, namespace: work}
spec:
  sink:
    type: slack
    webhook: https://hooks.slack.com/services/T00000000/B00000000/CANARY000000000000000007
"#,
    );
    let literals: Vec<(String, String)> = inventory
        .credentials
        .iter()
        .filter(|one| one.fingerprint.is_some())
        .map(|one| (one.evidence.to_string(), one.kind.to_string()))
        .collect();
    let expected = [
        ("k8s/c/all.yaml:12", "token"),
        ("k8s/c/all.yaml:13", "token"),
        ("k8s/c/all.yaml:13", "api_key"),
        ("k8s/c/all.yaml:19", "token"),
        ("k8s/c/all.yaml:24", "token"),
        ("k8s/c/all.yaml:29", "api_key"),
        ("k8s/c/all.yaml:37", "token"),
    ];
    let mut literals: Vec<(&str, &str)> = literals.iter().map(|(at, kind)| (at.as_str(), kind.as_str())).collect();
    let mut expected = expected.to_vec();
    literals.sort_unstable();
    expected.sort_unstable();
    assert_eq!(literals, expected);
    assert!(!format!("{inventory:?}").contains("CANARY"), "no secret is kept");
}

#[test]
fn a_secret_under_version_control_that_people_are_to_fill_in_is_none() {
    let of = |member: &str, value: &str| {
        let (inventory, _) = read(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: work}}\n{member}:\n  TOKEN: {value}\n"
        ));
        let found: Vec<_> = inventory.credentials.iter().filter_map(|one| one.fingerprint).collect();
        found
    };
    assert_eq!(of("stringData", "changeme"), []);
    // `changeme`, `<token>` and `${TOKEN}`, as `data` has them.
    for encoded in ["Y2hhbmdlbWU=", "PHRva2VuPg==", "JHtUT0tFTn0=", "''"] {
        assert_eq!(of("data", encoded), [], "{encoded}");
    }
    // The same secret is the same, whichever member holds it.
    let plain = of("stringData", "CANARY-00000001");
    assert_eq!((plain.len(), of("data", "Q0FOQVJZLTAwMDAwMDAx")), (1, plain));
    // What is no text is a secret all the same.
    assert_eq!(of("data", "//79/A==").len(), 1);
}
