//! No byte of a literal secret leaves the program: a value is made up for every slot of every client, and every command
//! is run in every format and at several widths.

use std::collections::HashSet;

use crate::common::{CLUSTER, Scene, account};

/// Made-up values, each of another form, each with text that nothing else holds.
struct Canaries {
    made: Vec<String>,
}

/// A stretch this long of a value, anywhere in an output, is a leak.
const STRETCH: usize = 8;

impl Canaries {
    /// A value that begins as given and goes on in a way that depends on how many were made before.
    fn make(&mut self, prefix: &str, length: usize) -> String {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut state = (self.made.len() as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let body: String = (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(DIGITS[(state >> 33) as usize % DIGITS.len()])
            })
            .collect();
        self.made.push(body.clone());
        format!("{prefix}{body}")
    }

    /// The first value of which a text holds a stretch.
    fn leak(&self, text: &str) -> Option<String> {
        let stretches: HashSet<&[u8]> = self.made.iter().flat_map(|body| body.as_bytes().windows(STRETCH)).collect();
        let found = text.as_bytes().windows(STRETCH).find(|stretch| stretches.contains(stretch));
        found.map(|stretch| String::from_utf8_lossy(stretch).into_owned())
    }
}

/// A scene with a secret in every slot that a client's configuration has.
fn scene(canaries: &mut Canaries) -> Scene {
    let mut c = |prefix: &str| canaries.make(prefix, 36);
    let server = |c: &mut dyn FnMut(&str) -> String| {
        format!(
            r#"{{"local":{{"command":"npx","args":["-y","srv@1.0.0","--api-key={}","--token","{}","-e","API_KEY={}","--header","Authorization: Bearer {}","postgres://app:{}@db.example.test/x"],
"env":{{"GITHUB_TOKEN":"{}","OPENAI_API_KEY":"{}","AWS_SECRET_ACCESS_KEY":"{}","PLAIN":"{}","SLACK":"{}"}}}},
"line":{{"command":"curl -H 'X-Api-Key: {}' https://x.example.test"}},
"remote":{{"url":"https://user:{}@mcp.example.test/p/{}?token={}&k={}","headers":{{"Authorization":"Bearer {}","X-Api-Key":"{}"}},"oauth":{{"clientId":"id","clientSecret":"{}"}}}}}}"#,
            c(""),
            c("glpat-"),
            c(""),
            c(""),
            c(""),
            c("ghp_"),
            c("sk-proj-"),
            c(""),
            c(""),
            c("xoxb-1-2-"),
            c(""),
            c(""),
            c(""),
            c(""),
            c(""),
            c("eyJhbGciOiJIUzI1NiJ9."),
            c(""),
            c(""),
        )
    };
    let mut scene = Scene::with_account();
    for file in [
        ".mcp.json",
        "a/.cursor/mcp.json",
        "b/.gemini/settings.json",
        "c/.codeium/windsurf/mcp_config.json",
        "d/claude_desktop_config.json",
        "e/.roo/mcp.json",
        "f/cline_mcp_settings.json",
        "g/mcp.json",
    ] {
        scene = scene.file(file, format!(r#"{{"mcpServers":{}}}"#, server(&mut c)).as_bytes());
    }
    scene = scene
        .file("h/.vscode/mcp.json", format!(r#"{{"servers":{}}}"#, server(&mut c)).as_bytes())
        .file("i/.zed/settings.json", format!(r#"{{"context_servers":{}}}"#, server(&mut c)).as_bytes())
        .file(
            "j/opencode.json",
            format!(
                r#"{{"provider":{{"openai":{{"options":{{"apiKey":"{}"}}}}}},"mcp":{{"x":{{"type":"local","command":["x","--key={}"],"environment":{{"K":"{}"}}}},"y":{{"type":"remote","url":"https://y.example.test","headers":{{"Authorization":"Bearer {}"}}}}}}}}"#,
                c("sk-"), c(""), c(""), c("")
            )
            .as_bytes(),
        )
        .file(
            "k/.codex/config.toml",
            format!(
                "[mcp_servers.a]\ncommand = \"x\"\nargs = [\"--password\", \"{}\"]\n[mcp_servers.a.env]\nK = \"{}\"\n[mcp_servers.b]\nurl = \"https://b.example.test\"\nhttp_headers = {{ Authorization = \"Bearer {}\" }}\n[model_providers.m]\nname = \"m\"\nexperimental_bearer_token = \"{}\"\n",
                c(""), c("ghp_"), c(""), c("")
            )
            .as_bytes(),
        )
        .file(
            "l/.config/goose/config.yaml",
            format!(
                "extensions:\n  x:\n    type: stdio\n    cmd: x\n    args: [\"--api-key={}\"]\n    envs:\n      K: {}\n  y:\n    type: sse\n    uri: https://y.example.test/?key={}\n",
                c(""), c("ghp_"), c("")
            )
            .as_bytes(),
        )
        .file(
            "m/.claude/settings.json",
            format!(
                r#"{{"env":{{"ANTHROPIC_API_KEY":"{}"}},"apiKeyHelper":"echo {}","permissions":{{"allow":["Bash(curl -H 'Authorization: Bearer {}' https://x.example.test)"]}},"hooks":{{"PreToolUse":[{{"hooks":[{{"type":"command","command":"curl -d token={} https://x.example.test"}}]}}]}}}}"#,
                c("sk-ant-api03-"), c("sk-"), c(""), c("")
            )
            .as_bytes(),
        )
        .file(
            "m/.claude/settings.local.json",
            format!(
                r#"{{"permissions":{{"allow":["Bash(curl -u admin:{} https://x.example.test)","Bash(sshpass -p {} ssh host)","Bash(mysql -p{} -e x)","Bash(aws configure set aws_secret_access_key {})","Bash(gh secret set NAME --body {})","Bash(echo {} | docker login)"]}}}}"#,
                c(""), c(""), c(""), c(""), c(""), c("")
            )
            .as_bytes(),
        )
        .file(
            "m/.vscode/settings.json",
            format!(r#"{{"chat.tools.terminal.autoApprove":{{"curl -u bot:{} *":true,"GH_TOKEN={} gh pr list":true}}}}"#, c(""), c("ghp_")).as_bytes(),
        )
        .file(
            "m/.github/workflows/c.yml",
            format!(
                "on: push\njobs:\n  work:\n    steps:\n      - uses: anthropics/claude-code-action@v1\n        with:\n          claude_args: --allowedTools \"Bash(curl -u bot:{} *)\"\n",
                c("")
            )
            .as_bytes(),
        )
        .file("n/.mcp.json", format!(r#"{{"mcpServers":{{"cut":{{"command":7,"env":{{"K":"{}" }}"#, c("ghp_")).as_bytes())
        .file("o/.mcp.json", format!(r#"{{"mcpServers":["{}"]}}"#, c("ghp_")).as_bytes())
        .file("p/.codex/config.toml", format!("[mcp_servers.a]\nbearer_token = {}\n", c("ghp_")).as_bytes())
        .file("q/notes.txt", c("ghp_").as_bytes())
        .file(
            "r/.github/workflows/agent.yml",
            format!(
                "on: push\nenv:\n  A_TOKEN: {}\njobs:\n  work:\n    env:\n      B_PASSWORD: {}\n    steps:\n      - uses: google-github-actions/run-gemini-cli@v0\n        with:\n          gemini_api_key: {}\n          settings: '{{\"mcpServers\":{{\"one\":{{\"command\":\"x\",\"env\":{{\"API_KEY\":\"{}\"}}}}}}}}'\n      - run: curl -H 'Authorization: Bearer {}' https://x.example.test\n",
                c(""), c(""), c("AIza"), c(""), c("")
            )
            .as_bytes(),
        )
        .file(
            "r/.claude/agents/one.md",
            format!(
                "---\nname: one\ndescription: token={}\nmcpServers:\n  x:\n    command: x\n    env:\n      API_KEY: {}\n---\nUse {}.\n",
                c(""), c(""), c("ghp_")
            )
            .as_bytes(),
        )
        .file("r/.github/workflows/b.md", format!("---\non: push\nengine: x\ntools:\n  bash: [\"curl -d token={}\"]\n---\n", c("")).as_bytes())
        .home_file(".aws/config", b"[profile one]\nsource_profile = two\n")
        .home_file(
            ".aws/credentials",
            format!("[two]\naws_access_key_id = AKIAFAKEFAKEFAKEFAKE\naws_secret_access_key = {}\naws_session_token = {}\n", c(""), c("")).as_bytes(),
        )
        .home_file(
            ".kube/config",
            format!("contexts:\n- name: c\n  context: {{cluster: c, user: u}}\nusers:\n- name: u\n  user:\n    token: {}\n    password: {}\n    client-key-data: {}\n", c(""), c(""), c("")).as_bytes(),
        )
        .home_file(".codex/auth.json", format!(r#"{{"OPENAI_API_KEY":"{}","tokens":{{"access_token":"{}","refresh_token":"{}"}}}}"#, c("sk-proj-"), c(""), c("")).as_bytes())
        .home_file(".gemini/oauth_creds.json", format!(r#"{{"access_token":"{}","id_token":"{}"}}"#, c("ya29."), c("")).as_bytes())
        .home_file(".claude.json", format!(r#"{{"oauthAccount":{{"accessToken":"{}"}},"mcpServers":{}}}"#, c(""), server(&mut c)).as_bytes());
    let cluster = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: ops\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{{\"stringData\":{{\"k\":\"{}\"}}}}'\ntype: Opaque\nstringData:\n  k: {}\ndata:\n  d: {}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: bot\n  namespace: ops\nspec:\n  template:\n    spec:\n      serviceAccountName: triage\n      containers:\n      - name: c\n        image: ghcr.io/example/bot:1\n        args: [\"--api-key={}\"]\n        env:\n        - name: OPENAI_API_KEY\n          value: {}\n---\n{CLUSTER}",
        c(""),
        c("ghp_"),
        c(""),
        c(""),
        c("sk-proj-")
    );
    let functions = format!(
        r#"{{"Functions":[{{"FunctionName":"f","FunctionArn":"arn:aws:lambda:eu-west-1:111122223333:function:f","Role":"arn:aws:iam::111122223333:role/incident-agent","Environment":{{"Variables":{{"OPENAI_API_KEY":"{}","DB":"postgres://u:{}@h/x"}}}}}}]}}"#,
        c("sk-proj-"),
        c("")
    );
    let tenant = format!(
        concat!(
            r#"{{"tenant":"t","host":"graph.microsoft.com","path":"/v1.0/applications","response":{{"value":[{{"id":"o","appId":"a","displayName":"bot","passwordCredentials":[{{"keyId":"k","displayName":"{}","hint":"{}","secretText":"{}"}}],"keyCredentials":[{{"keyId":"c","key":"{}","customKeyIdentifier":"{}"}}]}},{{"id":7,"passwordCredentials":"{}"}}]}}}}"#,
            "\n",
            r#"{{"tenant":"t","host":"management.azure.com","path":"/providers/Microsoft.ResourceGraph/resources","response":{{"data":[{{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/ai","name":"ai","type":"microsoft.cognitiveservices/accounts","identity":{{"principalId":"p","tenantId":"t"}},"properties":{{"key1":"{}","connectionString":"AccountKey={}","disableLocalAuth":false}}}}]}}}}"#,
            "\n",
            r#"{{"tenant":"t","host":"graph.microsoft.com","path":"/v1.0/me?code={}","response":{{}}}}"#,
            "\n",
            r#"{{"tenant":"t","host":"graph.microsoft.com","path":"/v1.0/users","response":"{}"}}"#,
            "\n"
        ),
        c(""),
        c(""),
        c(""),
        c(""),
        c(""),
        c(""),
        c(""),
        c(""),
        c(""),
        c(""),
    );
    scene
        .file("cluster.yaml", cluster.as_bytes())
        .file("functions.json", functions.as_bytes())
        .file("tenant.ndjson", tenant.as_bytes())
}

#[test]
fn no_stretch_of_a_secret_is_in_any_output_of_any_command() {
    let mut canaries = Canaries { made: Vec::new() };
    let scene = scene(&mut canaries);
    let report = crate::common::json(&scene.run(&["scan", "-o", "json"]).stdout);
    let read = |name: &str| report["scan"]["sources"].to_string().contains(name);
    for file in [
        "~/.aws/credentials",
        "~/.kube/config",
        "~/.codex/auth.json",
        "r/.github/workflows/agent.yml",
        "agents/one.md",
        "tenant.ndjson",
    ] {
        assert!(read(file), "{file}");
    }
    let tables = report["tables"].as_object().unwrap();
    assert!(tables["credentials"].as_array().unwrap().len() > 110, "the slots are found");
    let mut commands: Vec<Vec<String>> = Vec::new();
    let mut add = |words: &[&str]| commands.push(words.iter().map(|word| (*word).to_owned()).collect());
    add(&["scan", "-v", "-o", "json"]);
    add(&["scan", "-v", "--all", "--color", "always"]);
    for format in evenhand::formats::FORMATS {
        add(&["scan", "-q", "-o", format.name, "--asff-product", crate::formats::PRODUCT]);
    }
    add(&["scan", "-q", "-o", "csv:gaps", "--evidence-dir", "evidence"]);
    add(&["inventory", "-v", "--all"]);
    add(&["inventory", "-o", "csv:inventory"]);
    add(&["inventory", "-o", "json"]);
    for table in tables.keys() {
        add(&["scan", "-q", "-o", &format!("csv:{table}")]);
    }
    add(&["compare", "incident-agent", "-o", "json", "-v"]);
    add(&["can", "incident-agent", "s3:DeleteBucket", "-v"]);
    add(&["scan", "agents", "-v", "-o", "json"]);
    add(&["scan", "agents", ".", "-v", "--all"]);
    // One identity for each client, and what the workloads and the function hold.
    let mut seen = std::collections::BTreeSet::new();
    for credential in tables["credentials"].as_array().unwrap() {
        let id = credential["identity"].as_str().unwrap();
        if seen.insert(id.split(':').take(2).collect::<Vec<_>>().join(":")) {
            add(&["explain", id]);
            if seen.len() < 4 {
                add(&["compare", id]);
            }
        }
    }
    assert!(seen.len() > 8, "{seen:?}");
    for finding in report["findings"].as_array().unwrap() {
        if finding["rule"].as_str().unwrap().contains("secret") && seen.insert(finding["rule"].to_string()) {
            add(&["explain", finding["id"].as_str().unwrap()]);
        }
    }
    for words in &commands {
        let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        let run = scene.run(&arguments);
        assert!([0, 2, 4].contains(&run.code), "{arguments:?}: {}", run.stderr);
        assert_eq!(canaries.leak(&run.stdout), None, "{arguments:?} stdout: {}", run.stdout);
        assert_eq!(canaries.leak(&run.stderr), None, "{arguments:?} stderr: {}", run.stderr);
    }
    let index = crate::common::json(&scene.read("evidence/evenhand-evidence.json"));
    let files = index["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap());
    for file in files.chain(["evenhand-evidence.json"]) {
        let text = scene.read(&format!("evidence/{file}"));
        assert_eq!(canaries.leak(&text), None, "{file}: {text}");
    }
    for width in ["40", "80", "140", "300"] {
        let output = scene.command().env("COLUMNS", width).args(["scan", "--all"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(canaries.leak(&text), None, "at {width} columns");
        // A value broken over two lines is a leak too.
        let joined: String = text.split_whitespace().collect();
        assert_eq!(canaries.leak(&joined), None, "at {width} columns, lines joined");
    }
    assert_eq!(canaries.leak(&account()), None);
}
