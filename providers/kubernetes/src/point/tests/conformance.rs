//! The recorded worlds of Kubernetes' own code and of a running server, asked line by line.

use std::path::PathBuf;

use evenhand_model::decide::Decides;
use serde_json::{Value, json};

use super::answer;
use crate::point::Decider;
use crate::rbac::conformance::{folder, read, sample_world};

/// Takes away what only describes a case.
fn line(case: &Value, requests: Value) -> Value {
    let mut line = json!({ "requests": requests });
    for list in ["roles", "clusterRoles", "roleBindings", "clusterRoleBindings"] {
        line[list] = case[list].clone();
    }
    line
}

fn worlds(path: PathBuf) -> usize {
    let decider = Decider::default();
    let mut count = 0;
    for case in read(&path) {
        let mut requests = case["requests"].clone();
        let mut expected = Vec::new();
        for request in requests.as_array_mut().unwrap() {
            expected.push(request.as_object_mut().unwrap().remove("expected").unwrap() == "allow");
        }
        let answer =
            answer(&decider, &line(&case, requests)).unwrap_or_else(|refusal| panic!("{}: {refusal:?}", case["id"]));
        for (at, expected) in expected.iter().enumerate() {
            let decision = &answer["decisions"][at];
            assert_eq!(decision["allowed"], *expected, "{} request {at}", case["id"]);
            assert_eq!(decision["by"].as_array().unwrap().is_empty(), !expected, "{} request {at}", case["id"]);
        }
        count += expected.len();
    }
    count
}

#[test]
fn recorded_worlds_are_decided_as_upstream_decides_them() {
    let Some(folder) = folder() else { return };
    let upstream = worlds(folder.join("upstream/authorizer.json"));
    let oracle = worlds(folder.join("oracle/authorizer.jsonl"));
    println!("decide: {upstream} upstream and {oracle} seeded requests compared, 0 differences");
    assert_eq!((upstream, oracle), (34, 2800));
}

#[test]
fn samples_are_decided_as_a_running_server_decided_them() {
    let Some(folder) = folder() else { return };
    let probes = read(&folder.join("live/probes.json"));
    let decider = Decider::default();
    let mut count = 0;
    for case in read(&folder.join("live/sar.json")) {
        let world = sample_world(&folder, &case);
        for result in case["results"].as_array().unwrap() {
            let (home, name) = result["serviceAccount"].as_str().unwrap().split_once('/').unwrap();
            let namespace = result["namespace"].as_str().unwrap();
            let mut ids = Vec::new();
            let mut requests = Vec::new();
            for probe in &probes {
                let mut request = probe.clone();
                let members = request.as_object_mut().unwrap();
                let id = members.remove("id").unwrap();
                if members["resourceRequest"] == false && !namespace.is_empty() {
                    continue;
                }
                // The groups of an account follow from its name.
                members.insert("user".to_owned(), format!("system:serviceaccount:{home}:{name}").into());
                members.remove("groups");
                if members["resourceRequest"] == true {
                    members.insert("namespace".to_owned(), namespace.into());
                }
                ids.push(id);
                requests.push(request);
            }
            let reply = decider
                .reply(&line(&world, requests.into()).to_string())
                .unwrap_or_else(|refusal| panic!("{refusal:?}"));
            let answer: Value = serde_json::from_slice(&reply).unwrap();
            for (at, id) in ids.iter().enumerate() {
                let expected = result["allowed"].as_array().unwrap().contains(id);
                assert_eq!(
                    answer["decisions"][at]["allowed"], expected,
                    "{} {home}/{name} in `{namespace}`: {id}",
                    case["sample"]
                );
                count += 1;
            }
        }
    }
    println!("decide: {count} answers of a running server compared, 0 differences");
    assert_eq!(count, 45_759);
}
