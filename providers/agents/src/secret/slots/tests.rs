//! Secrets, files and principals in small configurations.

use super::*;
use crate::tree::{Syntax, parse};

fn kinds(json: &str) -> Vec<(String, &'static str, bool, u32)> {
    let node = parse(json, Syntax::Json).ok().unwrap();
    let keys = Fingerprinter::keyed("test");
    let mut slots = Slots::new(&keys);
    slots.walk("", 1, &node, "");
    slots.found.into_iter().map(|found| (found.slot, found.kind.name, found.in_arguments, found.line)).collect()
}

#[test]
fn every_slot_is_looked_through() {
    type Found = (&'static str, &'static str, bool);
    let cases: &[(&str, &[Found])] = &[
        (r#"{"env": {"API_KEY": "fake-3f9a1c-77b2"}}"#, &[("env.API_KEY", "api_key", false)]),
        (r#"{"env": [{"name": "API_KEY", "value": "fake-3f9a1c-77b2"}]}"#, &[("env.0.value", "api_key", false)]),
        (r#"{"env": {"PIN_PASSWORD": 123456}}"#, &[("env.PIN_PASSWORD", "password", false)]),
        (r#"{"headers": {"X-Api-Key": "fake-3f9a1c-77b2"}}"#, &[("headers.X-Api-Key", "api_key", false)]),
        (r#"{"args": ["--api-key=fake-3f9a1c-77b2"]}"#, &[("args.0", "api_key", true)]),
        (r#"{"args": ["--api-key", "fake-3f9a1c-77b2"]}"#, &[("args.1", "api_key", true)]),
        (r#"{"args": ["run", "-e", "API_KEY=fake-3f9a1c-77b2"]}"#, &[("args.2", "api_key", true)]),
        (r#"{"args": ["--header", "Authorization: Bearer fake-3f9a1c"]}"#, &[("args.1", "token", true)]),
        (r#"{"command": "npx -y tool --token fake-3f9a1c-77b2"}"#, &[("command.4", "token", true)]),
        (r#"{"args": ["-c", "API_KEY=fake-3f9a1c-77b2 npx tool"]}"#, &[("args.1.0", "api_key", true)]),
        (r#"{"url": "https://user:hunter22@example.test/mcp"}"#, &[("url", "password", true)]),
        (r#"{"url": "https://example.test/mcp?api_key=fake3f9a1c77b2"}"#, &[("url", "api_key", true)]),
        (r#"{"oauth": {"clientSecret": "fake-3f9a1c-77b2"}}"#, &[("oauth.clientSecret", "secret", false)]),
        (r#"{"apiKeyHelper": "/bin/key.sh", "bearer_token_env_var": "API_TOKEN_VARIABLE"}"#, &[]),
        (r#"{"env_http_headers": {"X-Api-Key": "API_KEY_VARIABLE"}}"#, &[]),
        (r#"{"inputs": [{"id": "api-key", "type": "promptString", "password": true}]}"#, &[]),
        (
            r#"{"inputs": [{"id": "api-key", "default": "fake-3f9a1c-77b2"}]}"#,
            &[("inputs.0.default", "api_key", false)],
        ),
        (
            r#"{"inputs": [{"id": "db", "password": true, "default": "hunter22"}]}"#,
            &[("inputs.0.default", "password", false)],
        ),
        (
            r#"{"inputs": [{"id": "github-token", "password": true, "default": "fake-3f9a1c-77b2"}]}"#,
            &[("inputs.0.default", "github_token", false)],
        ),
        (r#"{"inputs": [{"password": true, "default": "hunter22"}]}"#, &[("inputs.0.default", "password", false)]),
        (r#"{"inputs": [{"id": "db", "password": true, "default": ""}]}"#, &[]),
        (r#"{"inputs": [{"id": "db", "password": true, "default": "${env:DB}"}]}"#, &[]),
        (r#"{"inputs": [{"id": "db", "password": true, "default": "<password>"}]}"#, &[]),
        (r#"{"inputs": [{"id": "db", "password": false, "default": "hunter22"}]}"#, &[]),
        (r#"{"args": ["run", "--env=API_KEY=fake-3f9a1c-77b2"]}"#, &[("args.1", "api_key", true)]),
        (r#"{"args": ["-e", "API_KEY", "image"]}"#, &[]),
        (
            r#"{"autoApprove": {"ls": true, "curl -H 'Authorization: Bearer fake-3f9a1c-77b2'": true}}"#,
            &[("autoApprove.1", "token", false)],
        ),
        (
            r#"{"tools": {"allowed": ["run_shell_command(curl -H 'Authorization: Bearer fake-3f9a1c-77b2')"]}}"#,
            &[("tools.allowed.0", "token", false)],
        ),
    ];
    for (json, expected) in cases {
        let found = kinds(json);
        let found: Vec<(&str, &str, bool)> =
            found.iter().map(|(slot, kind, args, _)| (slot.as_str(), *kind, *args)).collect();
        assert_eq!(found, *expected, "{json}");
    }
}

#[test]
fn lines_are_those_of_the_slot() {
    let found = kinds("{\r\n \"env\": {\r\n  \"A\": \"x\",\r\n  \"API_KEY\": \"fake-3f9a1c-77b2\"\r\n }\r\n}");
    assert_eq!(found.iter().map(|found| found.3).collect::<Vec<_>>(), [4]);
}

#[test]
fn files_of_variables_and_clusters_are_named() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        (r#"{"envFile": "${workspaceFolder}/.env"}"#, &["${workspaceFolder}/.env"], &[]),
        (r#"{"args": ["run", "--env-file", "a.env", "--env-file=b.env", "image"]}"#, &["a.env", "b.env"], &[]),
        (r#"{"env": {"KUBECONFIG": "${env:HOME}/.kube/a:/b"}}"#, &[], &["${env:HOME}/.kube/a", "/b"]),
        (
            r#"{"env": {"KUBECONFIG": "${workspaceFolder:shop}/kube.yaml:/b"}}"#,
            &[],
            &["${workspaceFolder:shop}/kube.yaml", "/b"],
        ),
        (r#"{"env": {"KUBECONFIG": "C:\\a;C:\\b"}}"#, &[], &["C:\\a", "C:\\b"]),
        (r#"{"args": ["--kubeconfig", "~/.kube/a", "--kubeconfig=/b"]}"#, &[], &["~/.kube/a", "/b"]),
        (r#"{"env": {"KUBECONFIG": ""}}"#, &[], &[]),
        // In a container it is a path of the machine where the container was given it.
        (r#"{"command": "docker run -e KUBECONFIG=/home/app/.kube/config img"}"#, &[], &[]),
        (
            r#"{"command": "docker run -v ~/.kube:/home/app/.kube -e KUBECONFIG=/home/app/.kube/config img"}"#,
            &[],
            &["~/.kube/config"],
        ),
        (r#"{"command": "docker run -v /a:/b img --kubeconfig /b/lab"}"#, &[], &["/a/lab"]),
        (r#"{"command": "docker ps --kubeconfig /b/lab"}"#, &[], &["/b/lab"]),
        (r#"{"command": ["sh", "-c", "podman run -v /a:/b img --kubeconfig=/b/lab"]}"#, &[], &["/a/lab"]),
        (r#"{"command": "docker run -v /a:/b img sh -c 'kubectl --kubeconfig /b/lab'"}"#, &[], &["/a/lab"]),
        (r#"{"command": "docker run -v /a:/b --env=KUBECONFIG=/b/lab img"}"#, &[], &["/a/lab"]),
    ];
    for (json, files, clusters) in cases {
        let node = parse(json, Syntax::Json).ok().unwrap();
        let keys = Fingerprinter::keyed("test");
        let mut slots = Slots::new(&keys);
        slots.walk("", 1, &node, "");
        let named: Vec<&str> = slots.env_files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(named, *files, "{json}");
        let borrowed = slots.borrowed.iter().filter_map(|borrowed| borrowed.target.strip_prefix(KUBECONFIG));
        assert_eq!(borrowed.collect::<Vec<_>>(), *clusters, "{json}");
    }
}

#[test]
fn principals_are_named_without_secrets() {
    let json =
        r#"{"env": {"AWS_PROFILE": "prod", "AZURE_CLIENT_ID": "${CLIENT}"}, "args": ["aws", "--profile", "dev"]}"#;
    let node = parse(json, Syntax::Json).ok().unwrap();
    let keys = Fingerprinter::keyed("test");
    let mut slots = Slots::new(&keys);
    slots.walk("", 1, &node, "");
    let targets: Vec<&str> = slots.borrowed.iter().map(|borrowed| borrowed.target.as_str()).collect();
    assert_eq!(targets, ["aws-profile:prod", "aws-profile:dev"]);
}

#[test]
fn a_profile_is_named_by_a_flag_as_by_a_variable() {
    let keys = Fingerprinter::keyed("test");
    let named = |json: &str| -> Vec<(String, u32)> {
        let node = parse(json, Syntax::Json).ok().unwrap();
        let server = crate::server::Server::read("one", None, 1, &node, &keys);
        server.borrowed.into_iter().map(|borrowed| (borrowed.target, borrowed.line)).collect()
    };
    let aws = |line: u32| vec![(String::from("aws-profile:dev"), line)];
    let unclear = |line: u32| vec![(String::from("profile:dev"), line)];
    let cases = [
        (r#"{"command": "x", "env": {"AWS_PROFILE": "dev"}}"#, aws(1)),
        (r#"{"command": "aws", "args": ["s3", "--profile", "dev"]}"#, aws(1)),
        (r#"{"command": "aws", "args": ["s3", "--profile", "${AWS_PROFILE:-dev}"]}"#, aws(1)),
        (r#"{"command": "sh", "args": ["-c", "AWS_PROFILE=${AWS_PROFILE:-dev} node server.js"]}"#, aws(1)),
        (r#"{"command": "x", "env": {"AWS_PROFILE": "${AWS_PROFILE:-dev}"}}"#, aws(1)),
        (r#"{"command": "x", "env": {"AWS_PROFILE": "${AWS_PROFILE}"}}"#, vec![]),
        (r#"{"command": "x", "env": {"AWS_PROFILE": "${AWS_PROFILE:-$OTHER}"}}"#, vec![]),
        ("{\"command\": \"aws\",\n \"args\": [\n \"--profile=dev\"]}", aws(3)),
        (r#"{"command": "aws-vault", "args": ["exec", "dev", "--", "npx", "x"]}"#, aws(1)),
        (r#"{"command": "aws-vault exec dev -- npx x"}"#, aws(1)),
        (r#"{"command": "npx", "args": ["x", "--aws-profile", "dev"]}"#, aws(1)),
        (r#"{"command": "npx", "args": ["x", "--profile", "dev"], "env": {"AWS_REGION": "eu-west-1"}}"#, aws(1)),
        (r#"{"command": "sh", "args": ["-c", "aws s3 ls --profile dev"]}"#, aws(1)),
        (r#"{"command": "npx", "args": ["x", "--profile", "dev"]}"#, unclear(1)),
        (r#"{"command": "npx", "args": "x --profile dev"}"#, unclear(1)),
        (r#"{"command": "npx", "args": ["x", "--profile", "${PROFILE}"]}"#, vec![]),
        (r#"{"command": "npx", "args": ["x", "--profile", "<profile>"]}"#, vec![]),
        (r#"{"command": "codex", "args": ["mcp-server", "--profile", "dev"]}"#, vec![]),
        (r#"{"command": "kubectl", "args": ["--context=lab"]}"#, vec![(String::from("kube-context:lab"), 1)]),
        (r#"{"command": "uvx", "args": ["coder", "--context", "desktop"]}"#, vec![]),
    ];
    for (json, expected) in cases {
        assert_eq!(named(json), expected, "{json}");
    }
    let node = parse(r#"{"awsAuthRefresh": "aws sso login --profile dev"}"#, Syntax::Json).ok().unwrap();
    let mut slots = Slots::new(&keys);
    slots.walk("", 1, &node, "");
    assert_eq!(slots.borrowed.len(), 1);
}

#[test]
fn environment_files_are_read_line_by_line() {
    let text = "# head\r\nLOG=debug\r\nexport API_KEY=\"fake-3f9a1c-77b2\"\r\nAWS_PROFILE='prod'\r\n";
    let (found, borrowed) = dotenv(text, &Fingerprinter::keyed("t"));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].line, found[0].kind.name), (3, "api_key"));
    assert_eq!(borrowed.len(), 1);
    assert_eq!((borrowed[0].line, borrowed[0].target.as_str()), (4, "aws-profile:prod"));
}

#[test]
fn keys_for_an_endpoint_that_is_not_aws_are_none_of_aws() {
    let secret = "zuFakeFakeSlswRu7BJ86wekitnifILbZam1KYY3";
    let env = |endpoint: &str, id: &str| {
        format!(
            r#"{{"env": {{"AWS_ACCESS_KEY_ID": "{id}", "AWS_SECRET_ACCESS_KEY": "{secret}"{endpoint}}}, "command": "x"}}"#
        )
    };
    let own = "Q3FAKEFAKESPQQA43P2F";
    let kind = |json: &str| kinds(json).iter().map(|found| found.1).collect::<Vec<_>>();
    let cases = [
        (env("", own), &["aws_secret_access_key"][..]),
        (env(r#", "AWS_ENDPOINT_URL": "http://minio:9000""#, own), &["s3_secret_key"]),
        (env(r#", "S3_ENDPOINT": "https://objects.example.test""#, own), &["s3_secret_key"]),
        (env(r#", "MINIO_ENDPOINT": "minio:9000""#, own), &["s3_secret_key"]),
        (env(r#", "AWS_ENDPOINT_URL": "https://s3.eu-west-1.amazonaws.com""#, own), &["aws_secret_access_key"]),
        (env(r#", "AWS_ENDPOINT_URL": "${WHERE}""#, own), &["aws_secret_access_key"]),
        // A key id in the form of AWS is one of AWS.
        (
            env(r#", "AWS_ENDPOINT_URL": "http://minio:9000""#, "AKIAFAKEFAKEFAKEFAKE"),
            &["aws_access_key_id", "aws_secret_access_key"],
        ),
        (
            format!(
                r#"{{"args": ["s3", "--endpoint-url", "http://minio:9000"], "env": {{"AWS_SECRET_ACCESS_KEY": "{secret}"}}}}"#
            ),
            &["s3_secret_key"],
        ),
        (
            format!(
                r#"{{"a": {{"env": {{"AWS_ENDPOINT_URL": "http://minio:9000"}}}}, "b": {{"env": {{"AWS_SECRET_ACCESS_KEY": "{secret}"}}}}}}"#
            ),
            &["aws_secret_access_key"],
        ),
        (
            format!(r#"{{"env": {{"MINIO_ROOT_USER": "{own}", "MINIO_ROOT_PASSWORD": "{secret}"}}}}"#),
            &["minio_secret_key"],
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(kind(&json), expected, "{json}");
    }
    let file = format!("AWS_ENDPOINT_URL=http://minio:9000\nAWS_SECRET_ACCESS_KEY={secret}\n");
    assert_eq!(dotenv(&file, &Fingerprinter::keyed("t")).0[0].kind.name, "s3_secret_key");
}
