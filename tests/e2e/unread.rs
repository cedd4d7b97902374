//! What was not read is unknown from the capture to the finding, the gap and the explanation.

use crate::common::{CLUSTER, Run, Scene, json};

/// An agent that may rewrite any function, and a role of functions that administers.
const ACCOUNT: &str = r#"{"UserDetailList":[],"GroupDetailList":[],"Policies":[],"RoleDetailList":[
    {"Path":"/","RoleName":"chatbot","Arn":"arn:aws:iam::111122223333:role/chatbot",
     "Tags":[{"Key":"evenhand:nature","Value":"ai_agent"}],
     "AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]},
     "RolePolicyList":[{"PolicyName":"update","PolicyDocument":{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["lambda:UpdateFunctionCode","lambda:InvokeFunction"],"Resource":"*"}]}}]},
    {"Path":"/","RoleName":"deployer","Arn":"arn:aws:iam::111122223333:role/deployer",
     "AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]},
     "RolePolicyList":[{"PolicyName":"all","PolicyDocument":{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"*","Resource":"*"}]}}]}]}"#;

const RULE: &str = "ai-identity-can-escalate";

fn scene(functions: Option<&str>) -> Scene {
    let scene = Scene::new().file("111122223333/gaad.json", ACCOUNT.as_bytes());
    match functions {
        Some(text) => scene.file("111122223333/functions.json", text.as_bytes()),
        None => scene,
    }
}

/// The column, the finding's status and title if there is one, and the facts of the gap about functions if there is one.
fn told(run: &Run) -> (Option<bool>, Option<(String, String)>, Option<String>) {
    let report = json(&run.stdout);
    let find = |list: &serde_json::Value, column: &str, value: &str| {
        list.as_array().unwrap().iter().find(|row| row[column].as_str().unwrap().ends_with(value)).cloned()
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let agent = find(&report["tables"]["identities"], "name", "chatbot").unwrap();
    let finding = find(&report["findings"], "rule", RULE);
    let gap = find(&report["gaps"], "call", "lambda list-functions");
    (
        agent["can_escalate"].as_bool(),
        finding.map(|finding| (text(&finding["status"]), text(&finding["title"]))),
        gap.map(|gap| text(&gap["facts"])),
    )
}

#[test]
fn an_agent_that_may_rewrite_functions_passes_only_where_functions_were_read() {
    let open = (
        "unknown".to_owned(),
        "chatbot: “AI identity can get more access than it was given” is undecided; not known: whether it can get more \
         access than it holds"
            .to_owned(),
    );
    let facts = "functions, their roles and the secrets in their environment; which identities can take over running \
                 compute";
    let found = (
        "fail".to_owned(),
        "chatbot can escalate its own access and become arn:aws:iam::111122223333:role/deployer \
         (lambda-update-function-code-invoke-function)"
            .to_owned(),
    );
    let refused = r#"{"call":"lambda list-functions","region":"eu-west-1","error":{"code":"AccessDeniedException"}}"#;
    let one = r#"{"Functions":[{"FunctionName":"deploy","FunctionArn":"arn:aws:lambda:eu-west-1:111122223333:function:deploy",
        "Role":"arn:aws:iam::111122223333:role/deployer"}]}"#;
    for (functions, expected, explained) in [
        (
            None,
            (None, Some(open.clone()), Some(facts.to_owned())),
            "  none found in what was read\n  not read: lambda functions of account 111122223333 (aws lambda \
             list-functions: not part of the capture; run the call and add its output)\n",
        ),
        (
            Some(refused),
            (None, Some(open), Some(facts.to_owned())),
            "  none found in what was read\n  not read: lambda functions of account 111122223333 in eu-west-1 (lambda \
             list-functions: brought no answer in eu-west-1; make the call again)\n",
        ),
        (Some(r#"{"Functions":[]}"#), (Some(false), None, None), "  none found\n"),
        (Some(one), (Some(true), Some(found), None), "  to arn:aws:iam::111122223333:role/deployer, which has full"),
    ] {
        let scene = scene(functions);
        let run = scene.run(&["scan", ".", "-o", "json"]);
        assert_eq!(told(&run), expected, "{functions:?}: {}", run.stderr);
        let text = scene.run(&["explain", "chatbot", "--from", "."]).stdout;
        let paths = text.split("Paths to more access\n").nth(1).unwrap();
        assert!(paths.starts_with(explained), "{functions:?}: {paths}");
    }
}

#[test]
fn a_capture_with_nothing_but_an_organisation_that_is_hidden_is_incomplete_without_a_gate_too() {
    const HIDDEN: &str =
        r#"{"host":"github.com","path":"/orgs/hidden","error":{"code":"404 Not Found","kind":"refused"}}"#;
    const OTHER: &str = r#"{"host":"github.com","path":"/orgs/acme","response":{"login":"acme"}}"#;
    let said = "nothing of github:hidden could be read";
    for (others, is_partial) in [(None, true), (Some(OTHER), false)] {
        let text: Vec<&str> = std::iter::once(HIDDEN).chain(others).collect();
        let scene = Scene::with_account().file("github/organisations.ndjson", text.join("\n").as_bytes());
        let code = if is_partial { 4 } else { 0 };
        for verb in ["scan", "inventory"] {
            let run = scene.run(&[verb, ".", "-o", "json", "-q"]);
            assert_eq!(run.code, code, "{verb} {others:?}: {}", run.stderr);
            assert_eq!(run.stderr.contains(said), is_partial, "{verb} {others:?}: {}", run.stderr);
            let report = json(&run.stdout);
            let gaps = report["gaps"].as_array().unwrap().iter();
            let told: Vec<_> =
                gaps.filter(|gap| gap["call"] == "/orgs/{org}" && gap["scope"] == "github:hidden").collect();
            let [gap] = told.as_slice() else { panic!("{verb} {others:?}: {told:?}") };
            assert_eq!((&gap["kind"], &gap["facts"]), (&"failed".into(), &"everything about the organisation".into()));
        }
        assert_eq!(scene.run(&["scan", ".", "--allow-partial"]).code, 0, "{others:?}");
    }
    // Nothing else holds an identity.
    let alone = Scene::new().file("github/organisations.ndjson", HIDDEN.as_bytes());
    let run = alone.run(&["scan", "."]);
    assert!(run.code == 4 && run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(alone.run(&["scan", ".", "--allow-partial"]).code, 3);
}

#[test]
fn a_capture_whose_collection_did_not_come_to_its_end_is_incomplete_without_a_gate_too() {
    let manifest = |complete: bool, why: &str| {
        format!(
            r#"{{"evenhand_capture":1,"provider":"kubernetes","complete":{complete},{why}"plan":{{"server":"https://prod.example","secrets":true}},"calls":[],"pending":[]}}"#
        )
    };
    let unreachable = r#""unreachable":{"code":"Connect","kind":"failed"},"#;
    for (manifest, is_partial) in [
        (manifest(false, unreachable), true),
        (manifest(false, r#""stopped":"deadline","#), true),
        (manifest(true, ""), false),
    ] {
        let scene = Scene::new()
            .file("capture/kubernetes/prod/manifest.json", manifest.as_bytes())
            .file("capture/kubernetes/prod/all.yaml", CLUSTER.as_bytes());
        let code = if is_partial { 4 } else { 0 };
        for verb in ["scan", "inventory"] {
            let run = scene.run(&[verb, "capture", "-o", "json", "-q"]);
            assert_eq!(run.code, code, "{verb} {manifest}: {}", run.stderr);
            let said = "kubernetes/prod/manifest.json: the collection of this capture did not come to its end";
            assert_eq!(run.stderr.contains(said), is_partial, "{verb} {manifest}: {}", run.stderr);
            let report = json(&run.stdout);
            let gaps = report["gaps"].as_array().unwrap().iter();
            let told =
                gaps.filter(|gap| gap["call"] == "evenhand collect kubernetes" && gap["kind"] == "failed").count();
            assert_eq!(told, usize::from(is_partial), "{verb} {manifest}");
        }
        assert_eq!(scene.run(&["scan", "capture", "--allow-partial"]).code, 0, "{manifest}");
        assert_eq!(scene.run(&["scan", "capture", "--exit-zero"]).code, code, "{manifest}");
    }
}
