//! Literal secrets in whole documents.

use evenhand_model::evidence::Fact;

use super::{document, read, read_all};

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
        ("k8s/c/all.yaml:12", "github_token"),
        ("k8s/c/all.yaml:13", "token"),
        ("k8s/c/all.yaml:13", "api_key"),
        ("k8s/c/all.yaml:19", "token"),
        ("k8s/c/all.yaml:24", "token"),
        ("k8s/c/all.yaml:29", "api_key"),
        ("k8s/c/all.yaml:37", "slack_webhook"),
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

#[test]
fn a_number_beside_a_secret_hides_no_secret() {
    for text in [
        r#"
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: work}
stringData: {PORT: 5432, TOKEN: ghp_fakefakefakefakefakefake}
"#,
        r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: work}
spec:
  template:
    metadata: {annotations: {"prometheus.io/port": "80"}}
    spec:
      containers:
      - {name: a, image: x, env: [{name: PORT, value: 80}, {name: KEY, value: ghp_fakefakefakefakefakefake}]}
"#,
        r#"
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: work}
spec: {containers: [{name: a, image: x, args: [--port, 80, --key, ghp_fakefakefakefakefakefake]}]}
"#,
    ] {
        let (reading, errors) = read_all(vec![document("k8s/c/all.yaml", text)], &[]);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        let kinds: Vec<&str> = reading.inventory.credentials.iter().map(|one| &*one.kind).collect();
        assert!(kinds.contains(&"github_pat_classic"), "{text}: {kinds:?}");
    }
}

#[test]
fn keys_are_told_by_their_issuer_by_form_and_by_the_name_beside_them() {
    let (inventory, _) = read(
        r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: work}
spec:
  template:
    spec:
      containers:
      - name: main
        image: example.com/x:1
        env:
        - {name: OPENAI_API_KEY, value: not-a-real-key-0000}
        - {name: ANTHROPIC_API_KEY, value: sk-proj-fakefakefakefake}
        - {name: SETTING, value: sk-ant-api03-fakefakefake}
        - {name: WEATHER_API_KEY, value: not-a-real-key-0001}
        - {name: AWS_SECRET_ACCESS_KEY, value: not-a-real-key-0002}
        - {name: FROM_STORE, valueFrom: {secretKeyRef: {name: models, key: first}}}
        - {name: GEMINI_API_KEY, valueFrom: {secretKeyRef: {name: models, key: second}}}
        args: ["--github-token=ghp_fakefakefakefakefakefake"]
      - name: other
        image: example.com/y:1
        env:
        - {name: AWS_ENDPOINT_URL, value: "https://minio.example"}
        - {name: AWS_SECRET_ACCESS_KEY, value: not-a-real-key-0003}
      - name: live
        image: example.com/z:1
        env:
        - {name: AWS_ENDPOINT_URL, value: "evenhand:withheld"}
        - {name: AWS_SECRET_ACCESS_KEY, value: "evenhand:withheld:api_key:00112233445566778899aabbccddeeff"}
---
apiVersion: v1
kind: Secret
metadata: {name: models, namespace: work}
stringData: {first: not-a-real-key-0004, second: not-a-real-key-0005}
"#,
    );
    let mut found: Vec<(&str, &str, Option<bool>)> = inventory
        .credentials
        .iter()
        .filter(|one| one.is_static == Fact::Known(true))
        .map(|one| (one.id.as_str().rsplit_once(':').unwrap().1, &*one.kind, one.federable.value().copied()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            // The second of its name, which is another store's.
            ("2", "api_key", None),
            // The third, of which a live capture tells no store.
            ("3", "aws_secret_access_key", None),
            ("ANTHROPIC_API_KEY", "openai_api_key", None),
            ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", None),
            ("OPENAI_API_KEY", "openai_api_key", None),
            ("SETTING", "anthropic_api_key", Some(true)),
            ("WEATHER_API_KEY", "api_key", None),
            ("first", "secret", None),
            ("github-token", "github_pat_classic", None),
            ("second", "google_api_key", Some(true)),
        ]
    );
}
