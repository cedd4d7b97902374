//! No shape of a container's argument leaves a secret behind, and harmless ones stay.

use evenhand_model::secret::Fingerprinter;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::collect::withhold::clean;

/// The arguments of a container as they are written.
fn written(arguments: &Value) -> String {
    let Value::Object(mut object) = json!({"spec": {"containers": [{"args": arguments}]}}) else {
        panic!("an object is one")
    };
    clean(&mut object, false, &Fingerprinter::keyed("test"));
    object["spec"]["containers"][0]["args"].to_string()
}

/// Every shape in which an argument may hold a secret.
fn shapes(secret: &str) -> Vec<Value> {
    let one = |text: &str| json!([text.replace('#', secret)]);
    let mut all: Vec<Value> = [
        "#",
        "#==",
        "#:",
        "#: x",
        "#:x",
        "#=x",
        "# x",
        "x #",
        "#,x",
        "x,#",
        "[#]",
        "x@#",
        "#@host",
        "/etc/#",
        "./#",
        "-p#",
        "-D#=x",
        "-u=user:#",
        "-uuser:#",
        "--#",
        "--#=x",
        "--token=#",
        "--x=#",
        "--x=user:#",
        "--x=#:user",
        "--x=a=#",
        "--x=a=b,c=#",
        "--x=#=b",
        "--x #",
        "--json={\"a\":\"#\"}",
        "{\"a\":\"#\"}",
        "{\"#\":1}",
        "[\"#\"]",
        "KEY=#",
        "key=#",
        "API_TOKEN=#",
        "a.b.c=#",
        "user:#",
        "user:#@host:8080",
        "$(USER):#",
        "$(USER)#",
        "host:8080/#",
        "Authorization: Bearer #",
        "Authorization: Basic #",
        "Authorization:#",
        "X-Api-Key: #",
        "Cookie: a=#",
        "--header=Authorization: Bearer #",
        "--header=X-Other: #",
        "-HAuthorization: Bearer #",
        "https://#@host.example/x",
        "https://user:#@host.example/x",
        "https://host.example/#",
        "https://host.example/#?a=b",
        "https://host.example/x?a=#",
        "https://host.example/x?#",
        "https://host.example/x#f-#",
        "https://#/x",
        "https://#.host.example/x?a=b",
        "--url=https://host.example/#/x",
        "url=https://user:#@host.example/x",
        "#://host.example/x",
        "image:#",
        "registry.example/image:#",
        "registry.example/#:tag",
    ]
    .map(one)
    .into();
    all.extend([
        json!(["--token", secret]),
        json!(["--x", secret]),
        json!(["-x", secret]),
        json!(["-u", format!("user:{secret}")]),
        json!(["-H", format!("Authorization: Bearer {secret}")]),
        json!(["-H", format!("X-Other: {secret}")]),
        json!(["-H", format!("{secret}: x")]),
        json!(["--header", format!("X-Other:{secret}")]),
        json!(["-e", format!("KEY={secret}")]),
        json!(["--token", format!("-{secret}")]),
        json!(["--token", format!("--{secret}")]),
        json!(["sh", "-c", format!("run --x={secret} -y {secret} z={secret} user:{secret}")]),
        json!(["sh", "-euo", "pipefail", "-c", format!("echo {secret} | run '{secret}: x' \"{secret}\"")]),
        json!({"x": secret, "y": format!("user:{secret}"), "z": format!("--a={secret}")}),
        json!([{"name": "x", "value": format!("user:{secret}")}]),
        json!(format!("--x={secret}")),
        json!([["--x", secret]]),
    ]);
    all
}

proptest! {
    #[test]
    fn no_shape_of_an_argument_leaves_a_secret_behind(
        // As keys and passwords are made: letters and digits without an end, and with what base64 and generators add.
        secret in "[A-Za-z0-9]{8,40}|[a-z0-9]{8,40}|[A-Z0-9]{8,40}|[0-9a-f]{16,64}|[A-Za-z0-9+/]{12,40}|[A-Za-z0-9!%^*~]{8,24}",
    ) {
        // Words and numbers are what harmless arguments are made of, too, and so are short parts.
        let parts = || secret.split(['+', '/', '!', '%', '^', '*', '~']);
        let digits = |part: &str| part.bytes().filter(u8::is_ascii_digit).count();
        prop_assume!(parts().all(|part| part.len() >= 8 && digits(part) > 1 && digits(part) < part.len() - 1));
        for shape in shapes(&secret) {
            let left = written(&shape);
            prop_assert!(!left.contains(&secret), "{shape} is written as {left}");
        }
    }

    #[test]
    fn a_password_of_several_short_words_goes_where_it_stands_right_behind_its_flag(
        flag in "[PUpuw]",
        // It ends in a digit, as no name does by which a secret is called.
        secret in "[a-z][a-z0-9]{1,4}([-.][a-z0-9]{1,4}[0-9]){1,3}",
    ) {
        for shape in [json!([format!("-{flag}{secret}")]), json!([format!("-{flag}{secret}=x")])] {
            let left = written(&shape);
            prop_assert!(!left.contains(&secret), "{shape} is written as {left}");
        }
    }
}

#[test]
fn a_password_of_plain_letters_goes_where_its_place_tells_that_it_is_one() {
    let secret = "letmein";
    for shape in [
        json!(["--password", secret]),
        json!(["--password=letmein"]),
        json!(["-password", secret]),
        json!(["--requirepass", secret]),
        json!(["-u", "admin:letmein"]),
        json!(["-uadmin:letmein"]),
        json!(["-pletmein"]),
        json!(["mysqldump", "-pcorrect-letmein"]),
        json!(["-uadmin.letmein"]),
        json!(["--user=admin:letmein"]),
        json!(["admin:letmein@db.example:5432"]),
        json!(["DB_PASS=letmein"]),
        json!(["-H", "Authorization: Basic letmein"]),
        json!(["-H", "X-Api-Key: letmein"]),
        json!(["https://admin:letmein@db.example/x"]),
        json!(["https://db.example/x?password=letmein"]),
        json!(["{\"password\": \"letmein\"}"]),
    ] {
        let left = written(&shape);
        assert!(!left.contains(secret), "{shape} is written as {left}");
    }
}

#[test]
fn harmless_arguments_stay_as_they_are() {
    for argument in [
        "serve",
        "kube-apiserver",
        "/usr/local/bin/kube-apiserver",
        "--mcp",
        "--mcp-http",
        "--transport=streamable-http",
        "sse",
        "-c",
        "-v",
        "-entrypoint-image",
        "--proxyLogLevel=warning",
        "--disable-http2-serving",
        "--leader-elect=true",
        "--v=10",
        "--timeout=30m",
        "--metrics-addr=127.0.0.1:8080",
        "--secure-listen-address=[$(IP)]:9100",
        "--web.listen-address=:9093",
        "--namespace=$(POD_NAMESPACE)",
        "$(POD_NAMESPACE).svc.cluster.local",
        "--audit-policy-file=/etc/kubernetes/audit.yaml",
        "--audit-log-maxage=30",
        "--tls-private-key-file=/tmp/k8s-metrics-server/tls.key",
        "--upstream=http://127.0.0.1:8080/",
        "--prometheus-url=http://prometheus-k8s.monitoring.svc:9090/",
        "--tools=k8s_get_resources,helm_list",
        "--model=claude-3-5-sonnet-20241022",
        "a.b=c",
        "--",
        "",
    ] {
        assert_eq!(written(&json!([argument])), json!([argument]).to_string());
    }
}

#[test]
fn the_name_of_a_value_that_goes_stays_where_it_is_a_name() {
    for (argument, kept) in [
        ("--token=abcdef", "--token="),
        ("OPENAI_API_KEY=abcdef", "OPENAI_API_KEY="),
        ("agent.apiKey=abcdef", "agent.apiKey="),
        ("Authorization: Bearer abcdef", "Authorization: Bearer "),
        ("X-Api-Key: abcdef", "X-Api-Key: "),
        ("Content-Type: abc/DEF", "Content-Type: "),
        ("admin:letmein", "admin:"),
        ("https://user:abcdef@h.example/x?a=b", "evenhand:withheld:connection_string:"),
        ("https://h.example/x?api_key=abcdef", "https://h.example/x?api_key="),
    ] {
        let left = written(&json!([argument]));
        assert!(left.starts_with(&format!("[\"{kept}")), "{argument} is written as {left}");
    }
}
