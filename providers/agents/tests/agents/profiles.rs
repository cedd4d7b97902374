//! From an agent to the principal whose credential it uses.

use evenhand_agents::Agents;
use evenhand_model::agent::{Agent, AgentKind};
use evenhand_model::credential::Exposure;
use evenhand_model::document::Format;
use evenhand_model::evidence::Fact;
use evenhand_model::inventory::Inventory;
use evenhand_model::provider::{Provider, ReadOptions};
use evenhand_model::secret::Fingerprinter;
use evenhand_model::trust::{Mechanism, Trust};

use crate::common::{document, inventory, read};

const CONFIG: &str = "[profile incident]\nrole_arn = arn:aws:iam::111122223333:role/incident\nsource_profile = base\n";
const CREDENTIALS: &str =
    "[base]\naws_access_key_id = AKIAFAKEFAKEFAKEFAKE\naws_secret_access_key = fakefakefakefakefakefake\n";
const SERVER: &str = r#"{"mcpServers": {"cloud": {"command": "x", "env": {"AWS_PROFILE": "incident"}}}}"#;

#[test]
fn a_profile_that_a_server_names_leads_to_its_role() {
    let found = inventory(&[("home/ana/.aws/config", CONFIG), ("home/ana/src/shop/.mcp.json", SERVER)]);
    let of_server = |trust: &&Trust| trust.source.ends_with("#cloud");
    let trust = found.trusts.iter().find(of_server).unwrap();
    assert_eq!(
        (trust.mechanism, trust.target.as_str()),
        (Mechanism::HoldsCredential, "arn:aws:iam::111122223333:role/incident")
    );
    assert_eq!(trust.evidence.to_string(), "lab/home/ana/src/shop/.mcp.json:1");
    assert!(trust.constraint.contains("lab/home/ana/.aws/config:1"), "{}", trust.constraint);
}

#[test]
fn a_profile_with_a_key_makes_the_agent_a_holder_of_that_key() {
    let server = SERVER.replace("incident", "base");
    let found = inventory(&[
        ("home/ana/.aws/config", CONFIG),
        ("home/ana/.aws/credentials", CREDENTIALS),
        ("home/ana/src/shop/.mcp.json", &server),
    ]);
    let held = found.credentials.iter().find(|held| held.identity.as_str().ends_with("#cloud")).unwrap();
    assert_eq!(held.public_id.as_deref(), Some("AKIAFAKEFAKEFAKEFAKE"));
    assert_eq!((held.exposure, held.is_static), (Fact::Known(Exposure::UserFile), Fact::Known(true)));
    assert!(!format!("{found:?}").contains("fakefakefake"), "{found:?}");
}

#[test]
fn an_agent_that_runs_as_a_person_may_use_all_of_that_persons_profiles_and_no_other_persons() {
    let settings = ("home/ana/.claude/settings.json", "{}");
    let others = ("home/ben/.aws/config", "[profile other]\nrole_arn = arn:aws:iam::111122223333:role/other\n");
    let found =
        inventory(&[settings, ("home/ana/.aws/config", CONFIG), ("home/ana/.aws/credentials", CREDENTIALS), others]);
    let ambient: Vec<(&str, &str)> = found
        .trusts
        .iter()
        .filter(|trust| trust.mechanism == Mechanism::Ambient)
        .map(|trust| (&*trust.source, trust.target.as_str()))
        .collect();
    assert_eq!(
        ambient,
        [
            ("agent:claude-code:home/ana", "arn:aws:iam::111122223333:role/incident"),
            ("agent:claude-code:home/ana", "credential:AKIAFAKEFAKEFAKEFAKE"),
        ]
    );
}

#[test]
fn what_one_person_may_use_nobody_elses_agent_may() {
    let ambient = |settings: &str| {
        let found = inventory(&[(settings, r#"{"model": "opus"}"#), ("home/ben/.aws/config", CONFIG)]);
        found.trusts.iter().filter(|trust| trust.mechanism == Mechanism::Ambient).count()
    };
    assert_eq!(ambient("home/ana/.claude/settings.json"), 0);
    assert_eq!(ambient("home/ana/src/shop/.claude/settings.json"), 0);
    assert!(ambient("home/ben/src/shop/.claude/settings.json") > 0);
    assert!(ambient("shop/.claude/settings.json") > 0, "nobody else's profiles were read");
}

#[test]
fn files_that_a_variable_moves_are_those_of_the_home_folder() {
    let moved = |path: &str, text: &str| {
        let mut document = document(path, text);
        document.path = path.into();
        document
    };
    let files = [
        ("$CODEX_HOME/config.toml", "approval_policy = \"never\"\n", "codex"),
        ("$CLAUDE_CONFIG_DIR/settings.json", "{}", "claude-code"),
        ("$CLAUDE_CONFIG_DIR/.claude.json", "{\"mcpServers\": {}}", "claude-code"),
        ("$COPILOT_HOME/config.json", "{}", "copilot-cli"),
        ("$XDG_CONFIG_HOME/goose/config.yaml", "extensions: {}\n", "goose"),
        ("$XDG_CONFIG_HOME/zed/settings.json", "{\"agent\": {}}", "zed"),
    ];
    for (path, text, client) in files {
        let mut aws = moved("$AWS_CONFIG_FILE", CONFIG);
        aws.relative = ".aws/config".into();
        let (reading, errors) = read(vec![moved(path, text), aws]);
        assert!(errors.is_empty(), "{errors:?}");
        let row = reading.inventory.agents.iter().find(|row| &*row.client == client);
        let row = row.unwrap_or_else(|| panic!("{path}: {:?}", reading.inventory.agents));
        assert_eq!(&*row.evidence.document, path, "shown as it was found");
        assert!(reading.inventory.trusts.iter().any(|trust| trust.mechanism == Mechanism::Ambient), "{path}");
    }
    let mut opencode = moved("$OPENCODE_CONFIG", "{}");
    opencode.format = Format::Json;
    assert_eq!(Agents.recognise(&opencode), Some("opencode"));
    assert_eq!(Agents.recognise(&moved("$ELSEWHERE/config.toml", "")), None);
}

/// Reads files, and then those that they name, as the pipeline does.
fn read_with_named(files: &[(&str, &str)], named: &[(&str, &str)]) -> Inventory {
    let options = ReadOptions {
        now: "2026-11-23T00:00:00Z".parse().unwrap(),
        fingerprinter: Fingerprinter::keyed("test"),
        settings: Default::default(),
    };
    let mut reader = Agents.reader(options);
    for (path, text) in files {
        reader.read(document(path, text)).unwrap();
    }
    let wanted = reader.wanted_files();
    for (path, text) in named {
        let path = format!("lab/{path}");
        assert!(wanted.contains(&path), "{path}: {wanted:?}");
        let mut file = document("x", text);
        file.path = path.into();
        reader.read(file).unwrap();
    }
    reader.finish().inventory
}

const CLUSTERS: &str = "current-context: lab\nusers:\n- name: bot\n  user: {token: opaque-fake-3f9a1c}\n- name: boss\n  user: {token: opaque-fake-3f9a1c, as: ana, as-groups: [ops]}\ncontexts:\n- {name: lab, context: {cluster: c, user: bot}}\n- {name: prod, context: {cluster: c, user: boss}}\n";

#[test]
fn a_kubeconfig_that_a_server_names_lends_the_principals_of_its_contexts() {
    let server = |env: &str| format!(r#"{{"mcpServers": {{"cloud": {{"command": "x", "env": {{{env}}}}}}}}}"#);
    let given = r#""KUBECONFIG": "${HOME}/.kube/lab""#;
    let both = format!("{given}, \"KUBE_CONTEXT\": \"prod\"");
    let user = ["kubernetes:*:group:ops", "kubernetes:*:user:ana"];
    // A token lies there in plain text, whether it tells whose it is or not.
    let (lab, prod) = ("kube-context:lab", "kube-context:prod");
    let cases: &[(&str, bool, &[&str], &[&str])] = &[
        (given, true, &[lab, user[0], user[1]], &[lab, prod]),
        (&both, true, &user, &[prod]),
        (given, false, &["kubeconfig:${HOME}/.kube/lab"], &[]),
    ];
    for (env, is_read, expected, tokens) in cases {
        let server = server(env);
        let files = [("home/ana/src/shop/.mcp.json", server.as_str()), ("home/ana/.claude/settings.json", "{}")];
        let named = [("home/ana/.kube/lab", CLUSTERS)];
        let found = read_with_named(&files, if *is_read { &named } else { &[] });
        let mut targets: Vec<&str> = found
            .trusts
            .iter()
            .filter(|trust| trust.mechanism == Mechanism::HoldsCredential)
            .map(|trust| trust.target.as_str())
            .collect();
        targets.sort_unstable();
        assert_eq!(targets, *expected, "{env}");
        let held: Vec<&str> = found
            .credentials
            .iter()
            .filter(|held| &*held.kind == "token" && held.evidence.to_string().starts_with("lab/home/ana/.kube/lab:"))
            .filter_map(|held| held.id.as_str().rsplit_once('/').map(|(_, name)| name))
            .collect();
        assert_eq!(held, *tokens, "{env}");
        assert_eq!(found.gaps.len(), usize::from(!is_read), "{:?}", found.gaps);
        assert!(
            !found.trusts.iter().any(|trust| trust.mechanism == Mechanism::Ambient),
            "it serves what names it alone"
        );
        assert!(!format!("{found:?}").contains("3f9a1c"));
    }
}

#[test]
fn a_kubeconfig_in_a_container_is_that_of_the_machine_only_where_the_container_is_given_it() {
    let server = |given: &str| {
        format!(
            r#"{{"mcpServers": {{"cloud": {{"command": "docker", "args": ["run", {given}"-e", "KUBECONFIG=/home/app/.kube/lab", "img"]}}}}}}"#
        )
    };
    let cases = [("", false), (r#""-v", "${HOME}/.kube:/home/app/.kube", "#, true)];
    for (given, lends) in cases {
        let server = server(given);
        let files = [("home/ana/src/shop/.mcp.json", server.as_str()), ("home/ana/.claude/settings.json", "{}")];
        let found = read_with_named(&files, if lends { &[("home/ana/.kube/lab", CLUSTERS)] } else { &[] });
        let is_lent = found.trusts.iter().any(|trust| trust.target.as_str() == "kubernetes:*:user:ana");
        assert_eq!(is_lent, lends, "{given}");
        assert!(found.gaps.is_empty(), "no file of the machine is missing: {:?}", found.gaps);
    }
}

#[test]
fn a_kubeconfig_that_an_environment_file_names_to_a_container_is_that_of_the_machine_where_it_is_given() {
    let given = r#""-v", "./clusters:/k", "#;
    let handed = r#""-e", "KUBECONFIG", "#;
    let file = r#", "envFile": ".env""#;
    let cases = [
        (format!("{given}{handed}"), file, true),
        (format!("{given}\"--env-file\", \".env\", "), "", true),
        // The variable is one of the program that starts the container, and stays there.
        (String::from(given), file, false),
        (String::from(handed), file, false),
    ];
    for (arguments, file, lends) in cases {
        let server = format!(
            r#"{{"mcpServers": {{"cloud": {{"command": "docker", "args": ["run", {arguments}"img"]{file}}}}}}}"#
        );
        let files =
            [("home/ana/src/shop/.mcp.json", server.as_str()), ("home/ana/src/shop/.env", "KUBECONFIG=/k/prod.yaml\n")];
        let found =
            read_with_named(&files, if lends { &[("home/ana/src/shop/clusters/prod.yaml", CLUSTERS)] } else { &[] });
        let lent = found.trusts.iter().find(|trust| trust.target.as_str() == "kubernetes:*:user:ana");
        let place = lent.map(|trust| trust.evidence.to_string());
        assert_eq!(place.as_deref(), lends.then_some("lab/home/ana/src/shop/.env:1"), "{arguments}{file}");
        assert!(found.gaps.is_empty(), "no file of the machine is missing: {:?}", found.gaps);
    }
    let server = format!(
        r#"{{"mcpServers": {{"cloud": {{"command": "docker", "args": ["run", {given}{handed}"img"]{file}}}}}}}"#
    );
    let files =
        [("home/ana/src/shop/.mcp.json", server.as_str()), ("home/ana/src/shop/.env", "KUBECONFIG=/k/prod.yaml\n")];
    let unread = read_with_named(&files, &[]);
    assert_eq!(unread.gaps.len(), 1, "a file that was not read is told: {:?}", unread.gaps);
}

#[test]
fn an_environment_file_is_read_under_any_name_and_a_missing_one_says_what_to_add() {
    let server = |named: &str| format!(r#"{{"mcpServers": {{"one": {{"command": "x", "envFile": "{named}"}}}}}}"#);
    let keys = [("home/ana/keys/tool.vars", "API_KEY=fake-3f9a1c-77b2\n")];
    for named in ["/home/ana/keys/tool.vars", "~/keys/tool.vars", "../../keys/tool.vars"] {
        let server = server(named);
        let found = read_with_named(&[("home/ana/src/shop/.mcp.json", &server)], &keys);
        let places: Vec<String> = found.credentials.iter().map(|held| held.evidence.to_string()).collect();
        assert_eq!(places, ["lab/home/ana/keys/tool.vars:1"], "{named}");
        assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    }
    for (named, remedy) in
        [("../tool.vars", "name the file itself as a further source"), ("${KEYS}/tool.vars", "a variable decides")]
    {
        let server = server(named);
        let found = read_with_named(&[("home/ana/src/shop/.mcp.json", &server)], &[]);
        let [gap] = found.gaps.as_slice() else { panic!("{:?}", found.gaps) };
        assert!(gap.reason.contains(remedy) && gap.reason.contains(".mcp.json:1"), "{}", gap.reason);
    }
}

#[test]
fn a_profile_that_no_file_explains_stays_what_it_is_called() {
    let found = inventory(&[("home/ana/src/shop/.mcp.json", SERVER)]);
    assert!(found.trusts.iter().any(|trust| trust.target.as_str() == "aws-profile:incident"));
}

#[test]
fn a_misspelt_profile_binds_to_nobody_and_the_names_that_are_there_are_told() {
    let server = SERVER.replace("incident", "incidnet");
    let found = inventory(&[("home/ana/.aws/config", CONFIG), ("home/ana/src/shop/.mcp.json", &server)]);
    let trust = found.trusts.iter().find(|trust| trust.source.ends_with("#cloud")).unwrap();
    assert_eq!(trust.target.as_str(), "aws-profile:incidnet");
    assert!(trust.constraint.contains("`incident`"), "{}", trust.constraint);
    let [hint] = found.hints.as_slice() else { panic!("{:?}", found.hints) };
    assert!(hint.message.contains("aws-profile:incidnet") && hint.message.contains("`incident`"), "{}", hint.message);
    assert_eq!(hint.evidence.to_string(), "lab/home/ana/src/shop/.mcp.json:1");
    assert_eq!(server_of(&found).ambient_credentials, Fact::Unknown);
    let spelt = inventory(&[("home/ana/.aws/config", CONFIG), ("home/ana/src/shop/.mcp.json", SERVER)]);
    assert!(spelt.hints.is_empty(), "{:?}", spelt.hints);
    let unread = inventory(&[("home/ana/src/shop/.mcp.json", &server)]);
    assert!(unread.hints.is_empty(), "no file was read that could hold it: {:?}", unread.hints);
}

fn server_of(found: &Inventory) -> &Agent {
    found.agents.iter().find(|row| row.kind == AgentKind::ToolServer).unwrap()
}

/// Paths and texts.
type Files<'f> = &'f [(&'f str, &'f str)];

#[test]
fn credentials_are_a_persons_own_where_files_show_it() {
    let sso = "[profile incident]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Admin\n";
    let key = CREDENTIALS.replace("[base]", "[incident]");
    let cases: &[(Files<'_>, Fact<bool>, Fact<bool>)] = &[
        (&[], Fact::Unknown, Fact::Unknown),
        (&[("home/ana/.aws/config", "[default]\nregion = eu-west-1\n")], Fact::Unknown, Fact::Unknown),
        // A role that is assumed for the purpose is not the person; the person's other profiles are in reach all the same.
        (&[("home/ana/.aws/config", CONFIG)], Fact::Known(true), Fact::Known(false)),
        (&[("home/ana/.aws/config", sso)], Fact::Known(true), Fact::Known(true)),
        (&[("home/ana/.aws/credentials", &key)], Fact::Known(true), Fact::Known(true)),
        (&[("home/ben/.aws/config", sso)], Fact::Unknown, Fact::Unknown),
    ];
    for (profiles, of_client, of_server) in cases {
        let mut files = profiles.to_vec();
        files.push(("home/ana/.claude/settings.json", "{}"));
        files.push(("home/ana/src/shop/.mcp.json", SERVER));
        let found = inventory(&files);
        let client = found.agents.iter().find(|row| row.kind == AgentKind::Agent).unwrap();
        assert_eq!(client.ambient_credentials, *of_client, "{profiles:?}");
        assert_eq!(server_of(&found).ambient_credentials, *of_server, "{profiles:?}");
    }
}

#[test]
fn what_a_client_signs_in_with_is_found_and_told_apart() {
    let found = inventory(&[(
        "home/ana/.claude/.credentials.json",
        r#"{"claudeAiOauth": {"accessToken": "sk-ant-oat01-fakefakefakefake", "refreshToken": "sk-ant-ort01-fakefakefakefake", "expiresAt": 1}}"#,
    )]);
    let mut kinds: Vec<(bool, bool)> = found
        .credentials
        .iter()
        .map(|held| (held.id.as_str().ends_with("accessToken"), held.is_static == Fact::Known(true)))
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [(false, true), (true, false)]);
}

#[test]
fn agents_defined_for_a_client_are_listed_with_what_holds_for_them() {
    let text =
        |mode: &str| format!("---\nname: builder\ndescription: Builds things\ntools: Bash, Edit\n{mode}---\nText.\n");
    let found = inventory(&[(".claude/agents/builder.md", &text("permissionMode: bypassPermissions\n"))]);
    let row = found.agents.iter().find(|row| &*row.name == "builder").unwrap();
    assert_eq!(row.id.as_ref(), "agent:claude-code:lab#agents/builder");
    assert_eq!(row.approval_mode.value().map(|mode| mode.as_str()), Some("bypass"));
    assert_eq!(row.evidence.line_number(), Some(2));
    let identity = found.identities.iter().find(|identity| &*identity.name == "builder").unwrap();
    assert_eq!(identity.purpose, Fact::Known("Builds things".into()));
    let found = inventory(&[
        (".claude/agents/builder.md", &text("")),
        (".claude/settings.json", r#"{"permissions": {"defaultMode": "acceptEdits"}}"#),
    ]);
    let row = found.agents.iter().find(|row| &*row.name == "builder").unwrap();
    assert_eq!(row.approval_mode.value().map(|mode| mode.as_str()), Some("partial"));
}

#[test]
fn an_agent_s_definition_lists_its_servers_by_name() {
    let found = inventory(&[(
        ".claude/agents/a.md",
        "---\nname: a\nmcpServers:\n  - playwright:\n      command: npx\n      args: [-y, \"pkg@1.2.3\"]\n  - github\n---\nText.\n",
    )]);
    let servers = found.agents.iter().filter(|row| row.kind == AgentKind::ToolServer);
    let told: Vec<_> = servers.map(|row| (&*row.name, row.evidence.line_number(), row.command_pinned)).collect();
    assert_eq!(told, [("playwright", Some(4), Fact::Known(true))]);
    let (_, errors) = read(vec![document(".claude/agents/a.md", "---\nmcpServers:\n  - 7\n---\n")]);
    let told: Vec<&str> = errors.iter().map(|error| error.reason.as_str()).collect();
    assert_eq!(told, ["tool server `1` is a number, not a map"]);
}

#[test]
fn front_matter_that_does_not_end_is_an_error_where_agents_are_defined() {
    for path in [".claude/agents/a.md", ".cursor/agents/a.md", ".github/agents/a.md", ".github/workflows/a.md"] {
        let cut = document(path, "---\nname: a\npermissionMode: bypass");
        assert_eq!(Agents.recognise(&cut), None, "{path}");
        let error = Agents.broken(&cut).unwrap();
        assert_eq!(error.document, format!("lab/{path}:1:1"));
        assert_eq!(error.reason, "its front matter does not end");
        assert!(Agents.broken(&document(path, "# A text\n")).is_none(), "{path}");
    }
    assert!(Agents.broken(&document("docs/a.md", "---\nname: a\n")).is_none());
}

#[test]
fn a_purpose_that_is_no_text_is_unknown_and_told() {
    let of = |said: &str| {
        let text = format!("---\nname: a\n{said}---\nText.\n");
        let (reading, errors) = read(vec![document(".claude/agents/a.md", &text)]);
        let identity = reading.inventory.identities.iter().find(|identity| &*identity.name == "a").unwrap();
        (identity.purpose.clone(), errors.into_iter().map(|error| error.reason).collect::<Vec<_>>())
    };
    let reason = "`description` is or holds a number, where text belongs".to_owned();
    assert_eq!(of("description: 7\n"), (Fact::Unknown, vec![reason]));
    assert_eq!(of("description:\n"), (Fact::Absent, Vec::new()));
    assert_eq!(of(""), (Fact::Absent, Vec::new()));
}

#[test]
fn administrators_set_aside_what_projects_allow() {
    let allow =
        r#"{"permissions": {"allow": ["Bash(git push:*)"]}, "hooks": {"Stop": [{"hooks": [{"command": "x"}]}]}}"#;
    let managed = r#"{"allowManagedPermissionRulesOnly": true, "allowManagedHooksOnly": true}"#;
    let row = |files: &[(&str, &str)]| {
        let found = inventory(files);
        let row = found.agents.iter().find(|row| &*row.client == "claude-code").unwrap();
        (row.external_effect_approved, row.project_hooks)
    };
    assert_eq!(row(&[(".claude/settings.json", allow)]), (Fact::Known(true), Fact::Known(true)));
    assert_eq!(
        row(&[(".claude/settings.json", allow), ("etc/claude-code/managed-settings.json", managed)]),
        (Fact::Known(false), Fact::Known(false))
    );
}
