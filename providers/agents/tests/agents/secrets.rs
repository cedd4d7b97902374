//! Secrets: every literal is found with its place, and no byte of one is in what a reading returns.

use evenhand_model::agent::Agent;
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::document::{Document, FileFacts};
use evenhand_model::evidence::Fact;
use evenhand_model::trust::Mechanism;

use crate::common::{document, inventory, read};

/// Fake secrets of every kind of slot: what stands in the file, and the secret part of it. `@` is replaced by a number
/// so that every slot holds a secret of its own.
const SLOTS: &[(&str, &str)] = &[
    (
        r#""env": {"GITHUB_TOKEN": "ghp_CanaryFake@CanaryFakeCanaryFakeCana"}"#,
        "ghp_CanaryFake@CanaryFakeCanaryFakeCana",
    ),
    (r#""env": {"PLAIN_PASSWORD": "canary-@-horse"}"#, "canary-@-horse"),
    (r#""env": {"ANY": "${ANY_TOKEN:-canary-@-fallback}"}"#, "canary-@-fallback"),
    (r#""env": {"DATABASE_URL": "postgres://app:canary@pw7@db.example.test/app"}"#, "canary@pw7"),
    (r#""env": {"DSN": "Server=db;Password=canary@pw7;"}"#, "canary@pw7"),
    (r#""env": {"HEADERS": "{\"Authorization\": \"Bearer canary@token7f\"}"}"#, "canary@token7f"),
    (r#""env": {"PEM": "-----BEGIN PRIVATE KEY-----\ncanary@pem\n-----END PRIVATE KEY-----"}"#, "canary@pem"),
    (r#""environment": {"API_KEY": "canary-@-key-7f"}"#, "canary-@-key-7f"),
    (r#""envs": {"API_KEY": "canary-@-key-7f"}"#, "canary-@-key-7f"),
    (r#""headers": {"Authorization": "Bearer canary-@-key-7f"}"#, "canary-@-key-7f"),
    (r#""http_headers": {"X-Api-Key": "canary-@-key-7f"}"#, "canary-@-key-7f"),
    (r#""requestOptions": {"headers": {"x-token": "canary-@-key-7f"}}"#, "canary-@-key-7f"),
    (r#""oauth": {"clientSecret": "canary-@-key-7f"}"#, "canary-@-key-7f"),
    (r#""args": ["--api-key=canary-@-key-7f"]"#, "canary-@-key-7f"),
    (r#""args": ["--api-key", "canary-@-key-7f"]"#, "canary-@-key-7f"),
    (r#""args": ["run", "-e", "API_KEY=canary-@-key-7f", "img"]"#, "canary-@-key-7f"),
    (r#""args": ["--header", "Authorization: Bearer canary-@-key-7f"]"#, "canary-@-key-7f"),
    (r#""args": ["-u", "ana:canary-@-basic-7f"]"#, "canary-@-basic-7f"),
    (r#""args": ["--header=X-Api-Key: canary-@-key-7f"]"#, "canary-@-key-7f"),
    (r#""args": ["-c", "export API_KEY=canary-@-key-7f && npx tool"]"#, "canary-@-key-7f"),
    (r#""args": ["postgresql://app:canary@pw7@db.example.test/app"]"#, "canary@pw7"),
    (r#""args": ["xoxb-0000000000-canary@canary"]"#, "xoxb-0000000000-canary@canary"),
    (r#""url": "https://ana:canary@pw7@mcp.example.test/mcp""#, "canary@pw7"),
    (r#""url": "https://mcp.example.test/mcp?apiKey=canary@key7f&x=1""#, "canary@key7f"),
    (r#""url": "https://mcp.example.test/s/CanaryA7bQ9xK2mZ4pL8wR3tY6@/mcp""#, "CanaryA7bQ9xK2mZ4pL8wR3tY6@"),
    (r#""serverUrl": "https://mcp.example.test/mcp?token=canary@key7f""#, "canary@key7f"),
    (r#""url": "https://mcp.example.test/mcp?key=canary@key7fcanary7f""#, "canary@key7fcanary7f"),
    (r#""args": ["mcp-remote", "https://mcp.example.test/api?code=canary@key7fcanary7f"]"#, "canary@key7fcanary7f"),
    (r#""env": {"WEBHOOK_URL": "https://in.example.test/canary@key7fcanary7f"}"#, "canary@key7fcanary7f"),
    (r#""settings": {"personal_access_token": "canary-@-key-7f"}"#, "canary-@-key-7f"),
    (r#""disabled": true, "env": {"API_KEY": "canary-@-key-7f"}"#, "canary-@-key-7f"),
];

#[test]
fn no_byte_of_a_secret_is_in_a_reading() {
    let mut servers = Vec::new();
    let mut canaries = Vec::new();
    for (at, (slot, secret)) in SLOTS.iter().enumerate() {
        let number = (1000 + at).to_string();
        let command = if slot.contains("rl\":") { "" } else { "\"command\": \"npx\", " };
        servers.push(format!(
            "\"s{at}\": {{{command}{}}}",
            slot.replace('@', &number)
                .replace(&format!("{number}db."), "@db.")
                .replace(&format!("{number}mcp."), "@mcp.")
        ));
        canaries.push(secret.replace('@', &number));
    }
    let text = format!("{{\"mcpServers\": {{\n{}\n}}}}", servers.join(",\n"));
    let (reading, errors) = read(vec![document("home/ana/.cursor/mcp.json", &text)]);
    assert!(errors.is_empty());
    let printed = format!("{reading:?}");
    for (at, canary) in canaries.iter().enumerate() {
        assert!(text.contains(canary.as_str()), "the fixture lost {canary}");
        assert!(!printed.contains(canary.as_str()), "{canary} of slot {} is in the reading", SLOTS[at].0);
        let holder = format!("agent:cursor:home/ana#s{at}/");
        let found: Vec<&Credential> =
            reading.inventory.credentials.iter().filter(|held| held.id.as_str().starts_with(&holder)).collect();
        assert_eq!(found.len(), 1, "{} gave {found:?}", SLOTS[at].0);
        assert_eq!(found[0].evidence.line_number(), Some(u32::try_from(at).unwrap() + 2));
        assert_eq!(found[0].is_static, Fact::Known(true));
        assert!(found[0].fingerprint.is_some());
    }
}

#[test]
fn secrets_in_names_rules_and_broken_files_do_not_leak_either() {
    let canary = "sk-proj-canarycanary0000canary";
    let files = [
        (
            ".mcp.json",
            format!("{{\"mcpServers\": {{\"{canary}\": {{\"command\": \"x\", \"env\": {{\"{canary}\": \"\"}}}}}}}}"),
        ),
        (
            ".claude/settings.json",
            format!(
                "{{\"permissions\": {{\"allow\": [\"Bash(curl -H 'Authorization: Bearer {canary}':*)\", \"Bash(API_KEY={canary} x)\"]}}, \"hooks\": {{\"Stop\": [{{\"hooks\": [{{\"command\": \"x --token {canary}\"}}]}}]}}}}"
            ),
        ),
        (
            "home/ana/.claude.json",
            format!(
                "{{\"primaryApiKey\": \"{canary}\", \"projects\": {{\"/{canary}\": {{\"mcpServers\": {{\"a\": {{\"command\": \"x\"}}}}}}}}}}"
            ),
        ),
        (".cursor/mcp.json", format!("{{\"mcpServers\": {{\"{canary}\": \"{canary}\"}}}}")),
        (
            ".codex/config.toml",
            format!("[model_providers.x]\nexperimental_bearer_token = \"{canary}\"\nbroken = {canary}\n"),
        ),
        ("home/ana/.config/goose/secrets.yaml", format!("OPENAI: {canary}\nANY: canary-plain-value\n")),
        (".continue/config.yaml", format!("models:\n  - apiKey: {canary}\nmcpServers: {canary}\n")),
    ];
    let (reading, errors) = read(files.iter().map(|(path, text)| document(path, text)).collect());
    assert_eq!(errors.len(), 3, "{errors:?}");
    let printed = format!("{reading:?} {errors:?}");
    assert!(!printed.contains(canary), "{printed}");
    assert!(!printed.contains("canary-plain-value"));
    let at =
        |file: &str| reading.inventory.credentials.iter().filter(|held| held.evidence.document.ends_with(file)).count();
    assert_eq!(at(".claude/settings.json"), 3);
    assert_eq!(at(".claude.json"), 1);
    assert_eq!(at("secrets.yaml"), 2);
    assert_eq!(at(".continue/config.yaml"), 2);
}

#[test]
fn no_command_of_an_allow_list_shows_a_value() {
    let canary = "Zt7Qk2Lm9Xw4";
    let commands = [
        "curl -u admin:@ https://h/api",
        "curl -uadmin:@ https://h/api",
        "curl --user admin:@ *",
        "sshpass -p @ ssh host",
        "mysql -p@ -e x",
        "docker login -p @",
        "az login -p @",
        "redis-cli -a @ get x",
        "sqlcmd -P @",
        "vault login @",
        "aws configure set aws_secret_access_key @",
        "gh secret set NAME --body @",
        "ldapsearch -w @",
        "openssl enc -k @",
        "echo @ | docker login --password-stdin",
    ];
    for command in commands {
        let command = command.replace('@', canary);
        let step = format!(
            "on: push\njobs:\n  work:\n    steps:\n      - uses: anthropics/claude-code-action@v1\n        with:\n          claude_args: --allowedTools \"Bash({command})\"\n      - uses: anthropics/claude-code-action@v1\n        with:\n          settings: '{{\"permissions\": {{\"allow\": [\"Bash({command})\"]}}}}'\n"
        );
        let files = [
            (".claude/settings.local.json", format!("{{\"permissions\": {{\"allow\": [\"Bash({command})\"]}}}}")),
            (".vscode/settings.json", format!("{{\"chat.tools.terminal.autoApprove\": {{\"{command}\": true}}}}")),
            (".gemini/settings.json", format!("{{\"tools\": {{\"allowed\": [\"run_shell_command({command})\"]}}}}")),
            (
                "opencode.json",
                format!("{{\"permission\": {{\"bash\": {{\"{command}\": \"allow\", \"*\": \"ask\"}}}}}}"),
            ),
            (".github/workflows/agent.yml", step),
        ];
        let (reading, errors) = read(files.iter().map(|(path, text)| document(path, text)).collect());
        assert!(errors.is_empty(), "{errors:?}");
        let printed = format!("{reading:?}");
        assert!(!printed.contains(canary), "{command}: {printed}");
        let program = command.split(' ').next().unwrap();
        let shown = |row: &&Agent| format!("{:?}", row.auto_approved).contains(program);
        assert_eq!(reading.inventory.agents.iter().filter(shown).count(), 6, "{command}: {printed}");
    }
}

#[test]
fn a_secret_in_an_allow_list_is_a_credential_whatever_the_client() {
    let command = "curl -H 'Authorization: Bearer fake-3f9a1c-77b2' https://h";
    let found = inventory(&[
        (".vscode/settings.json", &format!("{{\"chat.tools.terminal.autoApprove\": {{\"{command}\": true}}}}")),
        (".gemini/settings.json", &format!("{{\"tools\": {{\"allowed\": [\"run_shell_command({command})\"]}}}}")),
    ]);
    let mut holders: Vec<&str> = found.credentials.iter().map(|held| held.identity.as_str()).collect();
    holders.sort_unstable();
    assert_eq!(holders, ["agent:gemini-cli:lab", "agent:vscode:lab"]);
}

#[test]
fn a_secret_in_a_step_is_with_the_agent_that_the_step_runs() {
    let text = "on: push\njobs:\n  work:\n    steps:\n      - run: codex exec fix\n      - uses: anthropics/claude-code-action@v1\n        with:\n          settings: '{\"env\":{\"A_TOKEN\":\"fake-3f9a1c-77b2\"}}'\n      - run: echo\n        env:\n          B_TOKEN: fake-3f9a1c-77b3\n";
    let found = inventory(&[(".github/workflows/agent.yml", text)]);
    let held: Vec<(&str, Option<u32>)> =
        found.credentials.iter().map(|held| (held.identity.as_str(), held.evidence.line_number())).collect();
    assert!(held.contains(&("agent:claude-code-action:lab#agent/work", Some(8))), "{held:?}");
    assert!(held.contains(&("agent:codex:lab#agent/work", Some(11))), "{held:?}");
}

#[test]
fn references_and_placeholders_are_no_credentials() {
    let text = r#"{"mcpServers": {"one": {"command": "npx", "env": {
        "A_TOKEN": "${A_TOKEN}", "B_TOKEN": "$B_TOKEN", "C_TOKEN": "${env:C}", "D_TOKEN": "${input:d}", "E_TOKEN": "{env:E}",
        "F_TOKEN": "{file:~/.f}", "G_TOKEN": "${{ secrets.G }}", "H_TOKEN": "<token>", "I_TOKEN": "YOUR_TOKEN_HERE",
        "J_TOKEN": "xxxxxxxxxxxx", "K_TOKEN": "changeme", "L_TOKEN": "...", "M_TOKEN": "", "N_TOKEN": null,
        "MAX_TOKENS": 4096, "TOKEN_FILE": "/run/secrets/x", "VERBOSE": true
    }, "headers": {"Authorization": "Bearer ${user_config.api_key}"}, "bearer_token_env_var": "MY_TOKEN_NAME",
    "env_vars": ["MY_TOKEN"], "args": ["-e", "API_KEY", "--token", "${TOKEN}"]}}}"#;
    let inventory = inventory(&[(".cursor/mcp.json", text)]);
    assert!(inventory.credentials.is_empty(), "{:?}", inventory.credentials);
}

fn with_facts(path: &str, text: &str, file: FileFacts) -> Document {
    Document { file, ..document(path, text) }
}

#[test]
fn exposure_follows_the_file() {
    let text = r#"{"mcpServers": {"one": {"command": "x", "env": {"API_KEY": "fake-3f9a1c-77b2"}, "args": ["--token", "fake-3f9a1c-77b3"]}}}"#;
    let cases = [
        (".mcp.json", Some(true), Exposure::Committed),
        (".mcp.json", Some(false), Exposure::UserFile),
        (".mcp.json", None, Exposure::UserFile),
        ("home/ana/.claude.json", Some(true), Exposure::UserFile),
    ];
    for (path, tracked, exposure) in cases {
        let facts = FileFacts { tracked, user_level: false, readable_by_others: Some(true) };
        let (reading, _) = read(vec![with_facts(path, text, facts)]);
        let credentials = &reading.inventory.credentials;
        assert_eq!(credentials.len(), 2);
        assert!(credentials.iter().all(|held| held.exposure == Fact::Known(exposure)));
        assert!(credentials.iter().all(|held| held.file_readable_by_others == Fact::Known(true)));
        let in_arguments = credentials.iter().filter(|held| held.in_arguments == Fact::Known(true)).count();
        assert_eq!(in_arguments, 1);
    }
}

#[test]
fn equal_secrets_have_equal_fingerprints_wherever_they_stand() {
    let inventory = inventory(&[
        (".mcp.json", r#"{"mcpServers": {"a": {"command": "x", "env": {"API_KEY": "fake-3f9a1c-77b2"}}}}"#),
        (
            ".cursor/mcp.json",
            r#"{"mcpServers": {"b": {"url": "https://example.test", "headers": {"Authorization": "Bearer fake-3f9a1c-77b2"}}}}"#,
        ),
    ]);
    assert_eq!(inventory.credentials.len(), 2);
    assert_eq!(inventory.credentials[0].fingerprint, inventory.credentials[1].fingerprint);
}

#[test]
fn access_keys_bind_to_their_principal() {
    let inventory = inventory(&[(
        ".mcp.json",
        r#"{"mcpServers": {
            "both": {"command": "x", "env": {"AWS_ACCESS_KEY_ID": "AKIAFAKEFAKEFAKEFAKE", "AWS_SECRET_ACCESS_KEY": "fake/fake+fake/fake+fake/fake+fake/fake1"}},
            "alone": {"command": "x", "env": {"AWS_ACCESS_KEY_ID": "AKIAFAKEFAKEFAKEFAK2"}},
            "profile": {"command": "x", "env": {"AWS_PROFILE": "prod-admin"}}
        }}"#,
    )]);
    let of = |name: &str| {
        inventory.credentials.iter().filter(|held| held.identity.as_str().ends_with(name)).collect::<Vec<_>>()
    };
    assert_eq!(of("#both").len(), 1);
    assert_eq!(&*of("#both")[0].kind, "aws_access_key");
    assert_eq!(of("#both")[0].public_id.as_deref(), Some("AKIAFAKEFAKEFAKEFAKE"));
    assert!(of("#both")[0].fingerprint.is_some());
    assert_eq!(of("#both")[0].federable, Fact::Known(true));
    assert_eq!(of("#alone")[0].public_id.as_deref(), Some("AKIAFAKEFAKEFAKEFAK2"));
    assert_eq!(of("#alone")[0].exposure, Fact::Known(Exposure::None));
    assert!(of("#profile").is_empty());
    let borrowed: Vec<&str> = inventory
        .trusts
        .iter()
        .filter(|trust| trust.mechanism == Mechanism::HoldsCredential)
        .map(|trust| trust.target.as_str())
        .collect();
    assert_eq!(borrowed, ["aws-profile:prod-admin"]);
}

#[test]
fn an_environment_file_counts_only_where_a_server_names_it() {
    let named = r#"{"servers": {"one": {"command": "x", "envFile": "${workspaceFolder}/.env"}}}"#;
    let env = "API_KEY=fake-3f9a1c-77b2\n";
    let with = inventory(&[(".vscode/mcp.json", named), (".env", env)]);
    assert_eq!(with.credentials.len(), 1);
    assert_eq!(with.credentials[0].evidence.to_string(), "lab/.env:1");
    assert!(with.gaps.is_empty());
    let without = inventory(&[(".vscode/mcp.json", named)]);
    assert!(without.credentials.is_empty());
    assert_eq!(without.gaps.len(), 1);
    let unnamed = inventory(&[(".env", env)]);
    assert!(unnamed.credentials.is_empty());
}
