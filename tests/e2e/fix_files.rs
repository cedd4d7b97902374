//! The files of a proposal: where they are written, what they replace and leave alone, and that no scan reads them.

use serde_json::json as value;

use crate::common::{CLUSTER, Scene, account, json};
use crate::fix::{acme, fix};

#[test]
fn a_proposal_is_no_evidence_until_somebody_names_it() {
    let scene = Scene::with_account();
    let first = json(&scene.run(&["scan", ".", "-o", "json"]).stdout);
    assert_eq!(scene.run(&["fix", "incident-agent", "--from", "."]).code, 0);
    let scene = scene.file("evenhand-fix/triage.rbac.yaml", CLUSTER.as_bytes());
    let again = json(&scene.run(&["scan", ".", "-o", "json"]).stdout);
    assert_eq!(again["scan"]["id"], first["scan"]["id"]);
    assert_eq!(again["coverage"]["identities"], first["coverage"]["identities"]);
    let sources = again["scan"]["sources"].as_array().unwrap();
    let skipped = sources.iter().find(|file| file["path"] == "evenhand-fix").unwrap();
    assert_eq!(skipped["what"], "a proposal of `evenhand fix`, which is not in force, not entered");
    let named = json(&scene.run(&["scan", "evenhand-fix", "-o", "json"]).stdout);
    assert!(named["coverage"]["identities"].as_u64() > Some(0), "{named}");
}

#[test]
fn a_proposal_is_no_evidence_in_whatever_folder_it_is() {
    let scene = Scene::with_account();
    let first = json(&scene.run(&["scan", ".", "-o", "json"]).stdout);
    for (out, file) in
        [("proposals", "proposals/role-incident-agent.policy.json"), (".", "role-incident-agent.policy.json")]
    {
        let run = scene.run(&["fix", "incident-agent", "--from", ".", "--out", out]);
        assert_eq!(run.code, 0, "{out}");
        assert!(scene.path(file).is_file(), "{file}");
        // The steps name the files as they are called there.
        assert!(run.stdout.contains(&format!("To put it in place, in the folder `{out}`")), "{}", run.stdout);
        let again = json(&scene.run(&["scan", ".", "-o", "json"]).stdout);
        assert_eq!(again["scan"]["id"], first["scan"]["id"], "{out}");
        let sources = again["scan"]["sources"].as_array().unwrap();
        let skipped = sources.iter().find(|source| source["path"] == file).unwrap();
        assert_eq!(skipped["what"], "a proposal of `evenhand fix`, which is not in force");
        assert!(sources.iter().any(|source| source["path"] == "gaad.json" && source["status"] == "read"));
    }
    // Edited by hand it is none either.
    let edited = scene.read("role-incident-agent.policy.json").replace("logs:", "s3:");
    let scene = scene.file("role-incident-agent.policy.json", edited.as_bytes());
    assert_eq!(json(&scene.run(&["scan", ".", "-o", "json"]).stdout)["scan"]["id"], first["scan"]["id"]);
    // An export is evidence, whatever it is called and a list says of it.
    let listed = value!({"identity": "x", "blake3": blake3::hash(account().as_bytes()).to_string()});
    let list = value!({"schema": "evenhand/proposal/v1", "files": {"gaad.policy.json": listed}}).to_string();
    let forged = Scene::new().file("gaad.policy.json", account().as_bytes()).file("evenhand-fix.json", list.as_bytes());
    let read = json(&forged.run(&["scan", ".", "-o", "json"]).stdout);
    assert_eq!(read["coverage"]["identities"], first["coverage"]["identities"]);
    // What somebody else put there under these names is left alone.
    let list = value!({"schema": "evenhand/proposal/v1", "files": {}}).to_string();
    for (at, name, text) in [
        ("list", "evenhand-fix.json", "mine"),
        ("file", "role-incident-agent.policy.json", "mine"),
        ("unnamed", "role-incident-agent.policy.json", "mine"),
    ] {
        let scene = Scene::with_account().file(&format!("{at}/{name}"), text.as_bytes());
        let scene = if at == "unnamed" { scene.file("unnamed/evenhand-fix.json", list.as_bytes()) } else { scene };
        let run = scene.run(&["fix", "incident-agent", "--from", "gaad.json", "--out", at, "--force"]);
        let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_refused = said.contains("is there already, and no ") && said.contains("--out");
        assert!(run.code == 2 && is_refused, "{at}: {said}");
        assert_eq!(scene.read(&format!("{at}/{name}")), text, "{at}");
    }
}

#[test]
fn a_manifest_that_was_edited_counts_and_that_is_told() {
    let hash = |text: &str| value!({"identity": "x", "blake3": blake3::hash(text.as_bytes()).to_string()});
    let scan = |written: &str| {
        let list = value!({"schema": "evenhand/proposal/v1", "files": {"x_y.rbac.yaml": hash(written)}}).to_string();
        let scene = Scene::with_account().file("out/x_y.rbac.yaml", CLUSTER.as_bytes());
        let run = scene.file("out/evenhand-fix.json", list.as_bytes()).run(&["scan", ".", "-o", "json"]);
        let is_read = json(&run.stdout)["scan"]["sources"]
            .as_array()
            .unwrap()
            .iter()
            .any(|source| source["path"] == "out/x_y.rbac.yaml" && source["status"] == "read");
        let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_told = said.contains("`out/x_y.rbac.yaml` is a proposal of `evenhand fix`, edited since");
        (is_read, is_told)
    };
    assert_eq!((scan("another text"), scan(CLUSTER)), ((true, true), (false, false)));
}

#[test]
fn nothing_is_replaced_and_wrong_questions_are_answered() {
    let scene = Scene::with_account().file("cluster/prod/all.yaml", CLUSTER.as_bytes());
    let all = ["fix", "incident-agent", "--from", "gaad.json"];
    assert_eq!(scene.run(&all).code, 0);
    assert_eq!(scene.run(&all).code, 0, "the same proposal again changes nothing");
    let scene = scene.file("evenhand-fix/role-incident-agent.policy.json", b"mine");
    let run = scene.run(&all);
    assert!(
        run.code == 2 && run.stderr.contains("is there already") && run.stderr.contains("--force"),
        "{}",
        run.stderr
    );
    assert_eq!(scene.read("evenhand-fix/role-incident-agent.policy.json"), "mine");
    for (arguments, said) in [
        (&["fix", "incident-responder", "--from", "gaad.json"][..], "how people do the job"),
        (&["fix", "incident-agnet", "--from", "gaad.json"], "no identity is called"),
        (&["fix", "ops/triage", "--from", "cluster", "--to", "used"], "no document of kubernetes"),
        (&["fix", "ops/triage", "--from", "cluster", "--to", "used", "--human", "view"], "leave one of them out"),
    ] {
        let run = scene.run(arguments);
        assert!(run.code == 2 && run.stderr.contains(said), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn a_proposal_for_one_identity_never_takes_the_place_of_that_for_another() {
    const FILE: &str = "evenhand-fix/role-incident-agent.policy.json";
    // Of one proposal the text is the same as of the first.
    let same = account().replace("111122223333", "444455556666");
    let away = same.replace("DescribeLogGroups", "DescribeLogStreams");
    let alike = account().replace("incident-agent", "incident_agent");
    let scene = Scene::with_account().file("away.json", away.as_bytes()).file("alike.json", alike.as_bytes());
    let scene = scene.file("same.json", same.as_bytes());
    assert_eq!(scene.run(&["fix", "incident-agent", "--from", "gaad.json"]).code, 0);
    let first = scene.read(FILE);
    for (from, more) in
        [("away.json", &[][..]), ("away.json", &["--force"]), ("same.json", &[]), ("same.json", &["--force"])]
    {
        let run = scene.run(&[&["fix", "incident-agent", "--from", from][..], more].concat());
        let said = "proposed for `arn:aws:iam::111122223333:role/incident-agent`";
        assert!(run.code == 2 && run.stderr.contains(said) && run.stderr.contains("--out"), "{from}: {}", run.stderr);
    }
    assert_eq!(scene.run(&["fix", "incident_agent", "--from", "alike.json"]).code, 0);
    assert!(scene.read("evenhand-fix/role-incident_agent.policy.json").contains("logs:GetLogEvents"));
    assert_eq!(scene.read(FILE), first);
    let again = scene.run(&["fix", "incident-agent", "--from", "away.json", "--out", "away"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
}

#[test]
fn files_of_an_earlier_proposal_go_unless_somebody_changed_them() {
    const ARN: &str = "arn:aws:iam::111122223333:role/incident-agent";
    let scene = Scene::with_account();
    fix(&scene, "incident-agent", "gaad.json", &[]);
    let mut list = json(&scene.read("evenhand-fix/evenhand-fix.json"));
    for (name, identity) in [
        ("role-incident-agent.policy-1.json", ARN),
        ("role-incident-agent.policy-2.json", ARN),
        ("role-incident-agent.policy-3.json", ARN),
        ("role-other.policy.json", "arn:aws:iam::111122223333:role/other"),
        ("../outside.policy.json", ARN),
        ("/outside.policy.json", ARN),
    ] {
        let hash = blake3::hash(b"wide").to_string();
        list["files"][name] = value!({"identity": identity, "blake3": hash});
    }
    let edited = "evenhand-fix/role-incident-agent.policy-2.json";
    let scene = ["role-incident-agent.policy-1.json", "role-other.policy.json", "../outside.policy.json"]
        .iter()
        .fold(scene, |scene, name| scene.file(&format!("evenhand-fix/{name}"), b"wide"))
        .file(edited, b"edited")
        .file("evenhand-fix/evenhand-fix.json", list.to_string().as_bytes());
    let run = scene.run(&["fix", "incident-agent", "--from", "gaad.json", "-o", "json"]);
    let told = json(&run.stdout);
    assert_eq!(told["files"], value!(["evenhand-fix/role-incident-agent.policy.json"]), "{}", run.stderr);
    assert_eq!(told["files_removed"], value!(["evenhand-fix/role-incident-agent.policy-1.json"]));
    assert_eq!(told["files_left"], value!([edited]));
    let is_there = |name: &str| scene.path(name).exists();
    assert!(!is_there("evenhand-fix/role-incident-agent.policy-1.json") && is_there(edited));
    assert!(is_there("evenhand-fix/role-other.policy.json") && is_there("outside.policy.json"));
    let list = json(&scene.read("evenhand-fix/evenhand-fix.json"));
    for (number, stays) in [(1, false), (2, true), (3, false)] {
        let name = format!("role-incident-agent.policy-{number}.json");
        assert_eq!(list["files"][&name].is_object(), stays, "{list:#}");
    }
    let names: Vec<&String> = list["files"].as_object().unwrap().keys().collect();
    assert!(!names.iter().any(|name| name.contains('/')), "nothing outside the folder is listed: {names:?}");
    let table = scene.run(&["fix", "incident-agent", "--from", "gaad.json"]).stdout;
    assert!(table.contains(&format!("  {edited}: left, ")), "{table}");
}

#[test]
fn an_earlier_proposal_stays_where_the_new_one_cannot_be_written() {
    const FILE: &str = "evenhand-fix/role-incident-agent.policy.json";
    let scene = Scene::with_account();
    fix(&scene, "incident-agent", "gaad.json", &[]);
    let (earlier, list) = ("evenhand-fix/role-incident-agent.policy-1.json", "evenhand-fix/evenhand-fix.json");
    let mut listed = json(&scene.read(list));
    listed["files"]["role-incident-agent.policy-1.json"] = value!({
        "identity": "arn:aws:iam::111122223333:role/incident-agent",
        "blake3": blake3::hash(b"wide").to_string(),
    });
    let scene = scene.file(earlier, b"wide").file(list, listed.to_string().as_bytes());
    // A folder in the file's place takes no text.
    std::fs::remove_file(scene.path(FILE)).unwrap();
    std::fs::create_dir(scene.path(FILE)).unwrap();
    let run = scene.run(&["fix", "incident-agent", "--from", "gaad.json", "--force"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert_eq!(scene.read(earlier), "wide");
    assert_eq!(json(&scene.read(list))["files"], listed["files"]);
    std::fs::remove_dir(scene.path(FILE)).unwrap();
    let told = fix(&scene, "incident-agent", "gaad.json", &[]);
    assert_eq!(told["files_removed"], value!([earlier]));
}

#[test]
fn proposals_for_identities_of_one_name_are_told_apart_by_their_accounts() {
    const CONFIG: &str = "acme/laptops/home/chiara/Library/Application Support/Claude/claude_desktop_config.json";
    const KEY: &str = "PROCUREDEMO1";
    let accounts = ["222222222222", "333333333333"];
    let scene = acme();
    let mut config = json(&scene.read(CONFIG));
    let server = config["mcpServers"]["purchase-orders"].to_string().replace(KEY, "PROCUREDEMO3");
    config["mcpServers"]["other"] = json(&server);
    // Another account of the same names, with a key of its own.
    let [first, second] = accounts.map(|account| {
        ["account-authorization-details.json", "access-keys-svc-procurement-agent.json"]
            .map(|name| format!("acme/aws/{account}/{name}"))
    });
    let scene = first.iter().zip(&second).fold(scene, |scene, (from, to)| {
        let text = scene.read(from).replace(accounts[0], accounts[1]).replace(KEY, "PROCUREDEMO3");
        scene.file(to, text.as_bytes())
    });
    let scene = scene.file(CONFIG, config.to_string().as_bytes());
    let told = fix(&scene, "agent:claude-desktop:laptops/home/chiara", "acme", &[]);
    let through = told["through"].as_array().unwrap();
    assert_eq!((through.len(), told["files"].as_array().unwrap().len()), (2, 2), "{told:#}");
    for (account, held) in accounts.iter().zip(through) {
        let file = format!("user-svc-procurement-agent-{account}.policy.json");
        assert!(held["identity"].as_str().unwrap().contains(account), "{held:#}");
        assert!(held["steps"][0].as_str().unwrap().ends_with(&format!(" file://{file}")), "{held:#}");
        let policy = scene.read(&format!("evenhand-fix/{file}"));
        assert!(policy.contains(&format!(":{account}:table/purchase-orders")), "{policy}");
    }
}
