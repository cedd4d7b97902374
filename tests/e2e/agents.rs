//! Agents as they lie on a machine: from their configuration to the access that they borrow.

use crate::common::{Run, Scene, account, json};

const SERVER: &[u8] =
    br#"{"mcpServers":{"cloud":{"command":"npx","args":["-y","cloud-server@1.0.0"],"env":{"AWS_PROFILE":"incident"}}}}"#;
const CONFIG: &[u8] =
    b"[profile incident]\nrole_arn = arn:aws:iam::111122223333:role/incident-agent\nsource_profile = base\n";

fn rows<'r>(report: &'r serde_json::Value, table: &str) -> Vec<&'r serde_json::Value> {
    report["tables"][table].as_array().unwrap().iter().collect()
}

fn report(run: &Run) -> serde_json::Value {
    assert!(run.code == 0 || run.code == 4, "{}", run.stderr);
    json(&run.stdout)
}

#[test]
fn an_agent_is_compared_on_the_access_of_the_profile_that_its_tool_server_names() {
    let scene =
        Scene::new().file("gaad.json", account().as_bytes()).file(".mcp.json", SERVER).home_file(".aws/config", CONFIG);
    let card = scene.run(&["compare", "Claude Code", "--all"]);
    assert_eq!(card.code, 0, "{}", card.stderr);
    for part in ["EXCESS", "incident-responder", "s3:DeleteBucket"] {
        assert!(card.stdout.contains(part), "{part}: {}", card.stdout);
    }
    let found = json(&scene.run(&["compare", "Claude Code", "-o", "json"]).stdout);
    assert!(found.to_string().contains("s3:DeleteBucket"), "{found}");

    let without = Scene::new().file("gaad.json", account().as_bytes()).file(".mcp.json", SERVER);
    let card = without.run(&["compare", "Claude Code"]);
    assert!(card.stdout.contains("`aws-profile:incident` was not read"), "{}", card.stdout);
}

#[test]
fn an_agent_that_runs_as_a_person_is_compared_on_that_persons_profiles() {
    let scene = Scene::new()
        .file("gaad.json", account().as_bytes())
        .home_file(".claude/settings.json", b"{}")
        .home_file(".aws/config", CONFIG);
    let found = report(&scene.run(&["scan", "-o", "json"]));
    let trust = rows(&found, "trusts").into_iter().find(|row| row["mechanism"] == "ambient").unwrap();
    assert_eq!(trust["target"], "arn:aws:iam::111122223333:role/incident-agent");
    let agent = rows(&found, "identities").into_iter().find(|row| row["kind"] == "agent_client").unwrap();
    assert_eq!(agent["verdict"], "EXCESS", "{agent}");
}

#[test]
fn the_word_agents_reads_agent_configuration_alone() {
    let scene = Scene::new()
        .file("gaad.json", account().as_bytes())
        .file("repo/.mcp.json", SERVER)
        .file("repo/deep/er/.cursor/mcp.json", br#"{"mcpServers":{"one":{"command":"x"}}}"#)
        .file(
            "repo/.github/workflows/a.yml",
            b"on: push\njobs:\n  a:\n    steps:\n      - uses: openai/codex-action@v1\n",
        )
        .file("repo/notes.txt", b"nothing")
        .home_file(".codex/config.toml", b"approval_policy = \"never\"\n");
    let clients = |arguments: &[&str]| {
        let found = report(&scene.run(arguments));
        assert!(found["scan"]["sources"].as_array().unwrap().iter().all(|file| file["status"] == "read"), "{found}");
        let mut clients: Vec<String> =
            rows(&found, "agents").iter().map(|row| row["client"].as_str().unwrap().to_owned()).collect();
        clients.dedup();
        clients.sort();
        clients.dedup();
        clients
    };
    assert_eq!(clients(&["scan", "agents", "-o", "json"]), ["claude-code", "codex", "codex-action", "cursor"]);
    assert_eq!(clients(&["scan", "agents", "repo", "-o", "json"]), ["claude-code", "codex-action", "cursor"]);
    assert_eq!(clients(&["scan", "agents", "repo/deep", "-o", "json"]), ["cursor"]);
    assert_eq!(clients(&["inventory", "agents", "repo/deep", "-o", "json"]), ["cursor"]);
    let nothing = scene.run(&["scan", "agents", "repo/deep/er/none"]);
    assert_eq!(nothing.code, 3, "{}", nothing.stderr);
}

#[test]
fn started_in_a_folder_of_a_project_the_clients_files_of_that_project_are_read_and_nothing_beside() {
    let server = |name: &str| format!(r#"{{"mcpServers":{{"{name}":{{"command":"x","envFile":".vars"}}}}}}"#);
    let scene = Scene::new()
        .file("elsewhere/.mcp.json", server("elsewhere").as_bytes())
        .file("shop/.git/HEAD", b"")
        .file("shop/.mcp.json", server("project").as_bytes())
        .file("shop/.vars", b"API_KEY=fake-3f9a1c-77b2\n")
        .file("shop/.claude/agents/review.md", b"---\nname: review\n---\n")
        .file("shop/other/.mcp.json", server("other").as_bytes())
        .file("shop/src/web/.mcp.json", server("web").as_bytes())
        .home_file(".cursor/mcp.json", server("person").as_bytes());
    let scan = |folder: &str, arguments: &[&str]| {
        let run = scene.command().current_dir(scene.path(folder)).args(arguments).output().unwrap();
        json(&String::from_utf8(run.stdout).unwrap())
    };
    let read = |folder: &str, arguments: &[&str]| -> Vec<String> {
        let found = scan(folder, arguments);
        let files = found["scan"]["sources"].as_array().unwrap().iter();
        files.map(|file| file["path"].as_str().unwrap().to_owned()).collect()
    };
    let of_project = ["../.claude/agents/review.md", "../.mcp.json", "../.vars", "web/.mcp.json", "~/.cursor/mcp.json"];
    assert_eq!(read("shop/src", &["scan", "agents", "-o", "json"]), of_project);
    assert_eq!(read("shop/src", &["scan", "-o", "json"]), of_project);
    assert_eq!(read("shop/src", &["scan", "agents", ".", "-o", "json"]), ["web/.mcp.json"], "a named folder is all");
    let deeper =
        ["../../.claude/agents/review.md", "../../.mcp.json", "../../.vars", ".mcp.json", "~/.cursor/mcp.json"];
    assert_eq!(read("shop/src/web", &["scan", "agents", "-o", "json"]), deeper);
    let found = scan("shop/src", &["scan", "agents", "-o", "json"]);
    let ids: Vec<&str> = rows(&found, "agents").iter().map(|row| row["id"].as_str().unwrap()).collect();
    for id in ["agent:claude-code:shop#project", "agent:claude-code:shop#agents/review"] {
        assert!(ids.contains(&id), "{id}: {ids:?}");
    }
    let secrets = rows(&found, "credentials");
    assert!(secrets.iter().any(|row| row["location"] == "../.vars"), "{secrets:?}");
}

#[test]
fn a_kubeconfig_that_a_server_names_is_read_where_it_lies_in_a_source_and_otherwise_in_doubt() {
    let clusters = b"users: [{name: bot, user: {token: fake-opaque-3f9a1c, as: triage}}]\n\
        contexts: [{name: prod, context: {user: bot}}]\n";
    let server = |given: &str| format!(r#"{{"mcpServers":{{"one":{{"command":"x",{given}}}}}}}"#);
    let lent = |scene: &Scene, folder: &str, arguments: &[&str]| -> (Vec<String>, usize) {
        let run =
            scene.command().current_dir(scene.path(folder)).args(arguments).args(["-o", "json"]).output().unwrap();
        let found = json(&String::from_utf8(run.stdout).unwrap());
        let trusts = rows(&found, "trusts").into_iter().filter(|row| row["mechanism"] == "holds_credential");
        let targets = trusts.map(|row| row["target"].as_str().unwrap().to_owned()).collect();
        let gaps = rows(&found, "gaps");
        (targets, gaps.iter().filter(|row| row["reason"].as_str().unwrap().contains("the kubeconfig")).count())
    };
    let triage = (vec!["kubernetes:*:user:triage".to_owned()], 0);
    for named in ["/home/ana/clusters/prod.yaml", "~/clusters/prod.yaml", "$HOME/clusters/prod.yaml"] {
        let text = server(&format!(r#""env":{{"KUBECONFIG":"{named}"}}"#));
        let copy = Scene::new()
            .file("desk/notes.txt", b"")
            .file("lab/home/ana/.cursor/mcp.json", text.as_bytes())
            .file("lab/home/ana/clusters/prod.yaml", clusters);
        for (folder, arguments) in [
            (".", &["scan", "agents", "."][..]),
            (".", &["scan", "agents", "lab/home/ana"]),
            ("desk", &["scan", "agents", "--home", "../lab/home/ana"]),
        ] {
            assert_eq!(lent(&copy, folder, arguments), triage, "{named}: {folder} {arguments:?}");
        }
        if named.starts_with("/home") {
            assert_eq!(lent(&copy, "lab/home", &["scan", "agents", "ana"]), triage);
            assert_eq!(lent(&copy, "lab/home/ana/clusters", &["scan", "agents", ".."]), triage);
        }
        let without = Scene::new().file("lab/home/ana/.cursor/mcp.json", text.as_bytes());
        let unread = (vec![format!("kubeconfig:{named}")], 1);
        assert_eq!(lent(&without, ".", &["scan", "agents", "."]), unread, "{named}");
    }
    // An environment file names it, and is itself named.
    let scene = Scene::new()
        .file("shop/.mcp.json", server(r#""envFile":"keys/tool.vars""#).as_bytes())
        .file("shop/keys/tool.vars", b"KUBECONFIG=clusters/prod.yaml\n")
        .file("shop/clusters/prod.yaml", clusters);
    assert_eq!(lent(&scene, ".", &["scan", "agents", "."]), triage);
    // One of two is there, and a link leads out of the source.
    let named = r#""env":{"KUBECONFIG":"clusters/prod.yaml:clusters/other.yaml"}"#;
    let scene = Scene::new()
        .file("shop/.mcp.json", server(named).as_bytes())
        .file("shop/clusters/prod.yaml", clusters)
        .file("outside.yaml", clusters);
    #[cfg(unix)]
    std::os::unix::fs::symlink(scene.path("outside.yaml"), scene.path("shop/clusters/other.yaml")).unwrap();
    let both = (vec!["kubeconfig:clusters/other.yaml".to_owned(), "kubernetes:*:user:triage".to_owned()], 1);
    assert_eq!(lent(&scene, ".", &["scan", "agents", "shop"]), both);
    // A container is given it by name, with the value that the server's variables give it.
    let handed = |flags: &str| {
        let given = format!(r#""args":["run",{flags}"img"],"env":{{"KUBECONFIG":"/k/prod.yaml"}}"#);
        Scene::new()
            .file("shop/.mcp.json", server(&given).replace(r#""x""#, r#""docker""#).as_bytes())
            .file("shop/clusters/prod.yaml", clusters)
    };
    let given = handed(r#""-v","./clusters:/k","-e","KUBECONFIG","#);
    assert_eq!(lent(&given, ".", &["scan", "agents", "."]), triage);
    for flags in [r#""-e","KUBECONFIG","#, r#""-v","./clusters:/k","#] {
        assert_eq!(lent(&handed(flags), ".", &["scan", "agents", "."]), (vec![], 0), "{flags}");
    }
}

#[test]
fn a_profile_that_may_be_one_of_aws_is_a_doubt_that_names_it() {
    const JOB: &[u8] =
        b"[[job]]\nname = \"incidents\"\nhuman = [\"incident-responder\"]\nagents = [\"*claude-desktop*\"]\n";
    let found = |arguments: &str| {
        let server = format!(r#"{{"mcpServers":{{"one":{{"command":"node","args":["server.js",{arguments}]}}}}}}"#);
        let scene = Scene::new()
            .file("gaad.json", account().as_bytes())
            .home_file(".config/Claude/claude_desktop_config.json", server.as_bytes())
            .home_file(".aws/config", CONFIG)
            .file("evenhand.toml", JOB);
        report(&scene.run(&["scan", "-o", "json"]))
    };
    let verdict = |found: &serde_json::Value| {
        let client = rows(found, "identities").into_iter().find(|row| row["kind"] == "agent_client").unwrap();
        client["verdict"].as_str().unwrap().to_owned()
    };
    let sure = found(r#""--aws-profile=incident""#);
    assert_eq!((verdict(&sure).as_str(), sure["hints"].to_string().contains("--profile")), ("EXCESS", false));
    let unclear = found(r#""--profile","incident""#);
    assert_eq!(verdict(&unclear), "UNKNOWN");
    assert!(rows(&unclear, "trusts").iter().any(|row| row["target"] == "profile:incident"), "{unclear}");
    let hints = unclear["hints"].to_string();
    for part in ["`--profile incident` names a profile", "aws-profile:incident ("] {
        assert!(hints.contains(part), "{part}: {hints}");
    }
}

#[test]
fn the_homes_of_all_users_are_read_where_asked() {
    let bypass = br#"{"permissions":{"defaultMode":"bypassPermissions"}}"#;
    let scene = Scene::new()
        .file("homes/ana/.claude/settings.json", bypass)
        .file("homes/ben/.claude/settings.json", b"{}")
        .file("here/x.txt", b"");
    let run = scene
        .command()
        .current_dir(scene.path("here"))
        .env_remove("EVENHAND_HOME")
        .args(["scan", "agents", "--home", "../homes", "--all-users", "-o", "json"])
        .output()
        .unwrap();
    let found = json(&String::from_utf8(run.stdout).unwrap());
    let modes: Vec<(&str, &str)> = found["tables"]["agents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["id"].as_str().unwrap(), row["approval_mode"].as_str().unwrap()))
        .collect();
    assert_eq!(modes, [("agent:claude-code:ana", "bypass"), ("agent:claude-code:ben", "prompt")]);
}

#[test]
fn a_home_that_is_no_folder_or_would_not_be_read_is_an_error() {
    let scene = Scene::new()
        .file("repo/.mcp.json", SERVER)
        .file("homes/ana/.claude/settings.json", b"{}")
        .file("homes/ana/src/.mcp.json", SERVER)
        .file("a-file", b"");
    let home = |name: &str| scene.path(name).display().to_string();
    for (arguments, said) in [
        (&["scan", "agents", "--home", "no/such"][..], "`no/such` is no folder"),
        (&["inventory", "--home", "a-file"], "`a-file` is no folder"),
        (&["scan", "repo", "--home", "homes/ana"], "`--home` changes nothing"),
        (&["inventory", "agents", "repo", "--home", "homes/ana"], "`--home` changes nothing"),
        (&["scan", "agents", "repo", "--all-users"], "`--all-users` changes nothing"),
    ] {
        let run = scene.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(said) && run.stderr.contains("help: "), "{arguments:?}: {}", run.stderr);
    }
    for arguments in [
        &["inventory", "agents", "--home", "homes/ana"][..],
        &["inventory", "agents", "homes/ana", "--home", "homes/ana"],
        &["inventory", "agents", "homes/ana/src", "--home", "homes/ana"],
    ] {
        let run = scene.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    }
    // What the environment says holds for all runs, those with sources among them.
    let run = scene.command().env("EVENHAND_HOME", home("homes/ana")).args(["inventory", "repo"]).output().unwrap();
    assert!(run.status.success());
    let run = scene.command().env("EVENHAND_HOME", home("none")).args(["inventory", "repo"]).output().unwrap();
    assert_eq!(run.status.code(), Some(2));
}

#[test]
fn an_empty_scan_tells_an_empty_folder_from_one_without_agent_configuration() {
    let scene = Scene::new().file("some/a.txt", b"x").file("some/deep/b.json", b"{}").file("none/sub/x", b"");
    std::fs::remove_file(scene.path("none/sub/x")).unwrap();
    for (arguments, said) in [
        (&["scan", "agents", "some"][..], "2 files are in it, none where an agent client keeps its configuration"),
        (&["scan", "agents", "some/deep"], "1 file is in it, none where"),
        (&["scan", "agents", "none"], "there is no file in it"),
        (&["scan", "none"], "there is no file in it"),
        (&["scan", "some"], "2 files looked at"),
    ] {
        let run = scene.run(arguments);
        assert_eq!(run.code, 3, "{}", run.stderr);
        assert!(run.stderr.contains(said), "{arguments:?}: {}", run.stderr);
        let without = run.stderr.contains("agent configuration under another name is told by its content");
        assert_eq!(without, said.contains("none where"), "{}", run.stderr);
    }
}

#[test]
fn what_is_of_high_risk_stands_before_what_only_weighs_more() {
    let actions = r#"["s3:*","ec2:DescribeInstances","secretsmanager:GetSecretValue"]"#;
    let account = account().replace(r#"["logs:*","s3:DeleteBucket"]"#, actions);
    let scene = Scene::new().file("gaad.json", account.as_bytes());
    let card = json(&scene.run(&["compare", "incident-agent", "-o", "json"]).stdout);
    let excess = card["excess"].as_array().unwrap();
    let operations: Vec<&str> = excess.iter().map(|atom| atom["operation"].as_str().unwrap()).collect();
    assert_eq!(operations.first(), Some(&"secretsmanager:GetSecretValue"), "{operations:?}");
    assert_eq!(operations.last(), Some(&"ec2:DescribeInstances"), "{operations:?}");
    let weights: Vec<u64> = excess.iter().map(|atom| atom["weight"].as_u64().unwrap()).collect();
    assert!(weights.iter().max() > weights.first(), "a whole service weighs more: {weights:?}");
}

#[test]
fn a_misspelt_profile_leads_to_nobody_and_the_card_names_those_that_are_there() {
    let server = br#"{"mcpServers":{"cloud":{"command":"npx","args":["-y","cloud-server@1.0.0"],"env":{"AWS_PROFILE":"incidnet"}}}}"#;
    let scene = Scene::new()
        .file("gaad.json", account().as_bytes())
        .file("home/ana/.aws/config", CONFIG)
        .file("home/ana/.config/Claude/claude_desktop_config.json", server)
        .file(
            "evenhand.toml",
            b"[[job]]\nname = \"incidents\"\nhuman = [\"incident-responder\"]\nagents = [\"*claude-desktop*\"]\n",
        );
    let found = report(&scene.run(&["scan", ".", "-o", "json"]));
    assert!(found["hints"].to_string().contains("`incident`"), "{}", found["hints"]);
    let client = rows(&found, "identities").into_iter().find(|row| row["kind"] == "agent_client").unwrap();
    assert_eq!(client["verdict"], "UNKNOWN", "{client}");
    assert!(client["operations"].is_null(), "{client}");
    let card = scene.run(&["compare", "Claude Desktop", "--from", "."]);
    assert!(card.stdout.contains("`aws-profile:incidnet` was not read"), "{}", card.stdout);
    assert!(card.stdout.contains("the names there are `incident`"), "{}", card.stdout);
}

#[test]
fn what_is_registered_and_gone_is_a_candidate_for_offboarding() {
    let scene = Scene::new()
        .file(".cursor/mcp.json", br#"{"mcpServers":{"one":{"command":"x"},"two":{"command":"y"}}}"#)
        .file("register.csv", b"name,owner\none,ana\nretired,ben\n")
        .file("evenhand.toml", b"[register]\nagents = [\"*cursor*\", \"left-over\"]\nfile = \"register.csv\"\n");
    let found = report(&scene.run(&["scan", ".", "-o", "json"]));
    let hints = found["hints"].to_string();
    assert!(
        hints.contains("`left-over` is registered but") && hints.contains("`retired` is registered but"),
        "{hints}"
    );
    assert!(!hints.contains("`one` is registered"), "{hints}");
    let gone = Scene::new()
        .file(".cursor/mcp.json", br#"{"mcpServers":{"one":{"command":"x"},"two":{"command":"y"}}}"#)
        .file("register.json", br#"{"tool_servers": [{"name": "one"}]}"#)
        .file("evenhand.toml", b"[register]\nfile = \"register.json\"\n");
    let found = report(&gone.run(&["scan", ".", "-o", "json"]));
    let registered: Vec<(&str, bool)> = rows(&found, "agents")
        .iter()
        .filter(|row| row["kind"] == "tool_server")
        .map(|row| (row["name"].as_str().unwrap(), row["registered"].as_bool().unwrap()))
        .collect();
    assert_eq!(registered, [("one", true), ("two", false)]);
    let wrong =
        Scene::new().file(".cursor/mcp.json", b"{}").file("evenhand.toml", b"[register]\nfile = \"none.csv\"\n");
    let run = wrong.run(&["scan", "."]);
    assert!(run.code == 2 && run.stderr.contains("none.csv"), "{}", run.stderr);
}

#[test]
fn the_hook_fails_on_a_literal_secret_and_passes_without() {
    let hook = include_str!("../../.pre-commit-hooks.yaml");
    let (_, rest) = hook.split_once("entry: >-").unwrap();
    let (entry, _) = rest.split_once("language:").unwrap();
    let arguments: Vec<&str> = entry.split_whitespace().skip(1).collect();
    let server = |value: &str| format!(r#"{{"mcpServers":{{"one":{{"command":"x","env":{{"API_KEY":"{value}"}}}}}}}}"#);
    let secret = Scene::new().file(".mcp.json", server("fake-3f9a1c-77b2").as_bytes());
    assert_eq!(secret.run(&arguments).code, 1);
    let reference = Scene::new().file(".mcp.json", server("${API_KEY}").as_bytes());
    let run = reference.run(&arguments);
    assert_eq!(run.code, 0, "{} {}", run.stdout, run.stderr);
    let plain = b"on: push\njobs: {do: {runs-on: ubuntu-latest, steps: [{run: make}]}}\n";
    let without_agents = Scene::new().file(".github/workflows/ci.yml", plain).file(".env", b"COLOR=red\n");
    let run = without_agents.run(&arguments);
    assert_eq!(run.code, 0, "{} {}", run.stdout, run.stderr);
    assert_eq!(without_agents.run(&["scan", "agents", "."]).code, 3, "unasked, an empty scan is an error");
    let broken = Scene::new().file(".mcp.json", b"{\"mcpServers\": ");
    assert_eq!(broken.run(&arguments).code, 3, "what cannot be read is not empty");
}

#[test]
fn an_environment_file_is_read_wherever_it_lies_in_a_source() {
    let server = |named: &str| format!(r#"{{"mcpServers":{{"one":{{"command":"x","envFile":"{named}"}}}}}}"#);
    let held = |scene: &Scene, arguments: &[&str]| {
        let found = report(&scene.run(arguments));
        let literal = rows(&found, "credentials").iter().filter(|row| row["kind"] == "api_key").count();
        let gaps = rows(&found, "gaps").iter().filter(|row| row["call"].as_str().unwrap().ends_with(".vars")).count();
        let files = found["scan"]["sources"].as_array().unwrap();
        assert!(files.iter().all(|file| file["status"] == "read"), "{files:?}");
        (literal, gaps)
    };
    let outside = Scene::new()
        .file("shop/.mcp.json", server("../keys/tool.vars").as_bytes())
        .file("keys/tool.vars", b"API_KEY=fake-3f9a1c-77b2\n");
    assert_eq!(held(&outside, &["scan", "agents", "shop", "-o", "json"]), (0, 1));
    assert_eq!(held(&outside, &["scan", "agents", "shop", "keys/tool.vars", "-o", "json"]), (1, 0));
    assert_eq!(held(&outside, &["scan", "agents", ".", "-o", "json"]), (1, 0));
    let at_home = Scene::new()
        .file(".mcp.json", server("~/keys/tool.vars").as_bytes())
        .home_file("keys/tool.vars", b"API_KEY=fake-3f9a1c-77b2\n");
    assert_eq!(held(&at_home, &["scan", "agents", "-o", "json"]), (1, 0));
}

#[test]
fn json_that_breaks_off_is_a_failure_with_its_place_and_nothing_else_is() {
    let cases: &[(&str, &[u8], &str)] = &[
        (".vscode/settings.json", b"{\n  // mine\n  \"editor.fontSize\": 12,\n  \"edi", "settings.json:4:"),
        ("mcp.json", b"{\n  \"mcpSer", "mcp.json:2:"),
        ("notes/data.json", b"{\"a\": [1,\n", "data.json:2:"),
        (".codex/config.toml", b"approval_policy = \"nev", "config.toml:1:"),
    ];
    for (path, text, place) in cases {
        let scene = Scene::new().file(path, text).file(".mcp.json", SERVER);
        let run = scene.run(&["scan", ".", "-o", "json"]);
        let found = json(&run.stdout);
        let gaps = found["tables"]["gaps"].to_string();
        assert!(gaps.contains(place), "{path}: {gaps}");
        let files = found["scan"]["sources"].as_array().unwrap();
        let file = files.iter().find(|file| file["path"].as_str().unwrap() == *path).unwrap();
        assert!(matches!(file["status"].as_str(), Some("failed" | "partial")), "{file}");
    }
    let fine: &[(&str, &[u8])] = &[
        (".vscode/settings.json", b"{\n  // mine\n  \"editor.fontSize\": 12,\n}"),
        ("tsconfig.json", b"{\n  // with comments\n  \"a\": 1\n}"),
        ("empty.json", b""),
    ];
    for (path, text) in fine {
        let scene = Scene::new().file(path, text).file(".mcp.json", SERVER);
        let found = report(&scene.run(&["scan", ".", "-o", "json"]));
        assert!(!found["tables"]["gaps"].to_string().contains(path), "{path}");
    }
}

#[test]
fn the_hook_opens_only_what_a_client_or_a_workflow_reads() {
    let hook = include_str!("../../.pre-commit-hooks.yaml");
    let (_, rest) = hook.split_once("entry: >-").unwrap();
    let (entry, _) = rest.split_once("language:").unwrap();
    let mut arguments: Vec<&str> = entry.split_whitespace().skip(1).filter(|word| *word != "--quiet").collect();
    arguments.extend(["-o", "json"]);
    let workflow = b"on: push\npermissions: {contents: read}\njobs: {do: {steps: [{uses: openai/codex-action@v1}]}}\n";
    let files: [(&str, &[u8]); 10] = [
        (".mcp.json", SERVER),
        (".claude/settings.json", b"{}"),
        (".claude/settings.local.json", b"{}"),
        (".cursor/mcp.json", SERVER),
        (".cursor/permissions.json", b"{}"),
        (".gemini/settings.json", b"{}"),
        (".codex/config.toml", b"model = \"x\"\n"),
        (".github/workflows/agent.yml", workflow),
        (".env", b"COLOR=red\n"),
        ("opencode.json", b"{}"),
    ];
    let mut scene = files.iter().fold(Scene::new(), |scene, (path, text)| scene.file(path, text));
    for at in 0..300 {
        scene = scene.file(&format!("src/{}/{at}.json", at % 10), b"{}");
    }
    let found = json(&scene.run(&arguments).stdout);
    let mut opened: Vec<&str> =
        found["scan"]["sources"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    opened.sort_unstable();
    let mut expected: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    expected.sort_unstable();
    assert_eq!(opened, expected);
}
