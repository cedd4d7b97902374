//! `evenhand decide`: requests on stdin, a decision a line on stdout.

use serde_json::{Value, json};

use crate::common::{Scene, json};

fn request(action: &str, statement: &Value) -> Value {
    json!({
        "request": {
            "principal": "arn:aws:iam::111122223333:user/ann",
            "action": action,
            "resource": "arn:aws:s3:::b/x",
        },
        "identity_policies": [{ "name": "own", "policy": { "Version": "2012-10-17", "Statement": [statement] } }],
    })
}

fn allow() -> Value {
    json!({ "Effect": "Allow", "Action": "s3:Get*", "Resource": "*" })
}

#[test]
fn a_bad_line_is_answered_with_its_place_and_the_next_ones_go_on() {
    let mut typo = request("s3:GetObject", &allow());
    typo["reqest"] = json!(1);
    let operator = json!({ "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": { "StringSoundsLike": { "aws:RequestTag/a": "b" } } });
    let lines = [
        request("s3:GetObject", &allow()).to_string(),
        String::new(),
        "{\"request\":".to_owned(),
        typo.to_string(),
        request("s3:GetObjct", &allow()).to_string(),
        request("s3:GetObject", &operator).to_string(),
        "not a request".to_owned(),
        request("s3:PutObject", &allow()).to_string(),
    ];
    let run = Scene::new().run_with(&["decide", "aws"], &lines.join("\n"));
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("5 requests could not be decided"), "{}", run.stderr);
    let answers: Vec<Value> = run.stdout.lines().map(json).collect();
    assert_eq!(answers.len(), 7, "{}", run.stdout);
    assert_eq!(
        answers[0],
        json!({ "decision": "allowed", "blocked_by": [],
            "matched": [{ "policy": "own", "statement": 0, "effect": "Allow" }] })
    );
    let places: Vec<(u64, &str)> = answers[1..6]
        .iter()
        .map(|answer| {
            let error = &answer["error"];
            assert!(error["message"].is_string() && error["remedy"].is_string(), "{error}");
            (error["line"].as_u64().unwrap(), error["at"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        places,
        [
            (3, ""),
            (4, "/reqest"),
            (5, "/request/action"),
            (6, "/identity_policies/0/policy/Statement/0/Condition/StringSoundsLike"),
            (7, ""),
        ]
    );
    assert_eq!(answers[6]["decision"], "implicitly_denied");
}

#[test]
fn one_request_may_stand_on_several_lines() {
    let text = serde_json::to_string_pretty(&request("s3:GetObject", &allow())).unwrap();
    let run = Scene::new().run_with(&["decide", "aws"], &format!("{text}\n{text}\n"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.stdout.lines().map(|line| json(line)["decision"].clone()).collect::<Vec<_>>(), ["allowed"; 2]);
}

#[test]
fn the_order_and_the_answers_do_not_depend_on_the_number_of_threads() {
    let lines: Vec<String> = (0..3000)
        .map(|n| {
            let statement = json!({ "Effect": "Allow", "Action": "s3:Get*", "Resource": "*",
                "Condition": { "NumericLessThan": { "n": n % 7 } } });
            let mut request = request("s3:GetObject", &statement);
            request["request"]["context"] = json!({ "n": n % 5 });
            request["identity_policies"][0]["name"] = json!(format!("p{n}"));
            request.to_string()
        })
        .collect();
    let input = lines.join("\n");
    let scene = Scene::new();
    let one = scene.run_with(&["decide", "aws", "--jobs", "1"], &input);
    assert_eq!((one.code, one.stdout.lines().count()), (0, 3000));
    assert_eq!(scene.run_with(&["decide", "aws", "--jobs", "4"], &input).stdout, one.stdout);
}

#[test]
fn requests_may_stand_in_a_file() {
    let scene = Scene::new().file("r.json", request("s3:GetObject", &allow()).to_string().as_bytes());
    assert_eq!(json(&scene.run(&["decide", "aws", "r.json"]).stdout)["decision"], "allowed");
    let folder = scene.run(&["decide", "aws", "."]);
    let said = folder.stderr.contains("the requests cannot be read") && !folder.stderr.contains("stdout");
    assert!(folder.code == 2 && said, "{}", folder.stderr);
    let run = scene.run(&["decide", "aws", "none.json"]);
    assert!(run.code == 2 && run.stderr.contains("`none.json` cannot be read"), "{}", run.stderr);
}

#[test]
fn nothing_to_decide_is_no_error() {
    let run = Scene::new().run_with(&["decide", "aws"], "\n\n");
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
}

#[test]
fn the_schema_describes_requests_and_answers() {
    let schema = json(&Scene::new().run(&["schema", "decide-aws"]).stdout);
    assert_eq!(schema["$ref"], "#/$defs/Question");
    for name in ["Question", "Answer", "Refused", "Policy"] {
        assert!(schema["$defs"][name].is_object(), "{name}");
    }
}

#[test]
fn tokens_are_put_against_conditions_and_a_bad_line_stops_nothing() {
    let lines = [
        r#"{"platform":"aws","subject":"repo:o/r:pull_request","condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:o/*"}}}"#,
        r#"{"platform":"aws","subject":"repo:o/r:pull_request","condition":{"StringLikes":{}}}"#,
        r#"{"platform":"entra","subject":"repo:o/r:environment:p","condition":{"subject":"repo:o/r:environment:p"}}"#,
        r#"{"platform":"gcp","subject":"repo:o/r:environment:p","condition":{"attributeCondition":"assertion.repository_id == '7'"}}"#,
    ];
    let run = Scene::new().run_with(&["decide", "federation"], &lines.join("\n"));
    assert_eq!(run.code, 2);
    let answers: Vec<Value> = run.stdout.lines().map(json).collect();
    let said: Vec<(&Value, &Value, &Value)> =
        answers.iter().map(|answer| (&answer["match"], &answer["grade"], &answer["pattern"])).collect();
    assert_eq!(said[0], (&json!(true), &json!("unsafe"), &json!("org-wide")));
    assert_eq!(
        (&answers[1]["error"]["line"], &answers[1]["error"]["at"]),
        (&json!(2), &json!("/condition/StringLikes"))
    );
    assert_eq!(said[2], (&json!(true), &json!("safe"), &Value::Null));
    assert_eq!(said[3], (&Value::Null, &json!("weak"), &json!("repo-wide")));
}

#[test]
fn an_input_without_requests_and_text_that_is_no_json_are_named_as_what_they_are() {
    let scene = Scene::new();
    for provider in ["aws", "azure", "kubernetes", "federation"] {
        let nothing = scene.run_with(&["decide", provider], "\n");
        assert_eq!((nothing.code, &*nothing.stdout), (0, ""));
        assert!(nothing.stderr.contains("no request was given"), "{}", nothing.stderr);
        for (input, said) in [("not json", "this is no JSON"), ("[1]", "something else than an object")] {
            let run = scene.run_with(&["decide", provider], input);
            assert_eq!(run.code, 2);
            assert!(run.stdout.contains(said), "{input}: {}", run.stdout);
        }
    }
}
