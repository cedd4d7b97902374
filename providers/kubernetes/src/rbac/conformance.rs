//! The recorded answers of Kubernetes' own code and of a running server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use evenhand_model::decide::Decides;
use serde_json::Value;

use super::*;
use crate::point::Decider;

pub(crate) fn folder() -> Option<PathBuf> {
    let Some(shared) = std::env::var_os("EVENHAND_SHARED") else {
        println!("EVENHAND_SHARED is not set: the recorded RBAC answers are not compared");
        return None;
    };
    Some(PathBuf::from(shared).join("conformance/kubernetes"))
}

pub(crate) fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("conformance file");
    if path.extension().is_some_and(|extension| extension == "jsonl") {
        text.lines().map(|line| serde_json::from_str(line).expect("a case")).collect()
    } else {
        serde_json::from_str(&text).expect("an array of cases")
    }
}

fn typed<T: for<'de> Deserialize<'de>>(value: &Value) -> T {
    T::deserialize(value).expect("a case of the documented form")
}

fn optional<T: for<'de> Deserialize<'de> + Default>(value: &Value) -> T {
    if value.is_null() { T::default() } else { typed(value) }
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

fn world_cases(cases: &[Value]) -> usize {
    let mut count = 0;
    for case in cases {
        let authorizer = Authorizer::new(typed(case));
        for request in case["requests"].as_array().expect("requests") {
            let asked: Request = typed(request);
            let allowed = authorizer.authorize(&asked).is_some();
            assert_eq!(allowed, request["expected"] == "allow", "{} {request}", case["id"]);
            count += 1;
        }
    }
    count
}

fn rule_cases(cases: &[Value]) -> usize {
    for case in cases {
        let (rule, request): (Rule, Request) = (typed(&case["rule"]), typed(&case["request"]));
        assert_eq!(rule_allows(&rule, &request), case["expected"] == true, "{case}");
    }
    cases.len()
}

fn cover_cases(cases: &[Value]) -> usize {
    for case in cases {
        let owner: Vec<Rule> = optional(&case["ownerRules"]);
        let servant: Vec<Rule> = optional(&case["servantRules"]);
        let uncovered = covers(&owner, &servant);
        assert_eq!(uncovered.is_empty(), case["expectedCovered"] == true, "{case}");
        assert_eq!(sorted(uncovered), sorted(optional(&case["expectedUncovered"])), "{case}");
    }
    cases.len()
}

#[test]
fn upstream_cases_are_answered_as_upstream_answers_them() {
    let Some(folder) = folder() else { return };
    let load = |name: &str| read(&folder.join("upstream").join(name));
    let mut count = world_cases(&load("authorizer.json"))
        + rule_cases(&load("rule_allows.json"))
        + cover_cases(&load("covers.json"));
    for case in load("nonresourceurl_covers.json") {
        let (owner, asked): (String, String) = (typed(&case["owner"]), typed(&case["requested"]));
        assert_eq!(non_resource_url_covers(&owner, &asked), case["expected"] == true, "{case}");
        count += 1;
    }
    for case in load("resource_matches.json") {
        let held: Vec<Arc<str>> = optional(&case["ruleResources"]);
        let combined: String = typed(&case["combinedRequestedResource"]);
        let sub: String = typed(&case["requestedSubresource"]);
        assert_eq!(resource_matches(&held, &combined, &sub), case["expected"] == true, "{case}");
        count += 1;
    }
    for case in load("applies_to.json") {
        let subjects: Vec<Subject> = optional(&case["subjects"]);
        let groups: Vec<Arc<str>> = optional(&case["groups"]);
        let (user, namespace): (String, String) = (typed(&case["user"]), typed(&case["namespace"]));
        let found = applies_to(&subjects, &user, &groups, &namespace);
        assert_eq!(found.is_some(), case["expected"] == true, "{case}");
        assert_eq!(found.unwrap_or(0) as u64, case["expectedIndex"], "{case}");
        count += 1;
    }
    for case in load("rules_for.json") {
        let authorizer = Authorizer::new(typed(&case));
        let groups: Vec<Arc<str>> = optional(&case["groups"]);
        let (user, namespace): (String, String) = (typed(&case["user"]), typed(&case["namespace"]));
        let rules = authorizer.rules_for(&user, &groups, &namespace).into_iter().cloned().collect();
        assert_eq!(sorted(rules), sorted(optional(&case["expectedRules"])), "{case}");
        count += 1;
    }
    for case in load("subject_locator.json") {
        let authorizer = Authorizer::new(typed(&case));
        let superuser: String = optional(&case["superUser"]);
        let found = authorizer.allowed_subjects(&typed(&case["request"]), Some(&superuser));
        assert_eq!(found, optional::<Vec<Subject>>(&case["expectedSubjects"]), "{case}");
        count += 1;
    }
    for case in load("compact_rules.json") {
        let rules: Vec<Rule> = optional(&case["rules"]);
        assert_eq!(sorted(compact(&rules)), sorted(optional(&case["expected"])), "{case}");
        count += 1;
    }
    for case in load("escalation.json") {
        let groups: Vec<Arc<str>> = optional(&case["groups"]);
        let user: String = typed(&case["user"]);
        let pods = |verbs: &[&str], group: &str, resource: &str| Rule {
            verbs: verbs.iter().map(|verb| Arc::from(*verb)).collect(),
            api_groups: vec![group.into()],
            resources: vec![resource.into()],
            ..Rule::default()
        };
        let mut held = Vec::new();
        if case["holdsEscalateVerb"] == true {
            held.push(pods(&["escalate"], "rbac.authorization.k8s.io", "roles"));
        }
        if case["holdsRules"] == true {
            held.push(pods(&["get"], "", "pods"));
        }
        let authorizer = Authorizer::new(World {
            cluster_roles: vec![Role {
                metadata: Metadata { name: "held".into(), ..Metadata::default() },
                rules: held.into(),
                ..Role::default()
            }],
            cluster_role_bindings: vec![Binding {
                subjects: vec![Subject { kind: "User".into(), name: user.as_str().into(), ..Subject::default() }],
                role_ref: RoleRef { kind: "ClusterRole".into(), name: "held".into() },
                ..Binding::default()
            }],
            ..World::default()
        });
        let role = Role {
            metadata: Metadata { name: "myrole".into(), namespace: "myns".into(), ..Metadata::default() },
            rules: vec![pods(&["get"], "", "pods")].into(),
            ..Role::default()
        };
        let named = !case["operation"].as_str().expect("an operation").starts_with("create");
        let write = Write::Role { role: &role, aggregated: false, named };
        assert_eq!(may_write(&authorizer, &user, &groups, &write), case["expected"] == "allow", "{case}");
        count += 1;
    }
    println!("upstream: {count} answers compared, 0 differences");
    assert_eq!(count, 186);
}

#[test]
fn seeded_random_cases_are_answered_as_upstream_answers_them() {
    let Some(folder) = folder() else { return };
    let load = |name: &str| read(&folder.join("oracle").join(name));
    let count = world_cases(&load("authorizer.jsonl"))
        + rule_cases(&load("rule_allows.jsonl"))
        + cover_cases(&load("covers.jsonl"));
    println!("oracle: {count} answers compared, 0 differences");
    assert_eq!(count, 5300);
}

fn documents(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a sample");
    let documents: Vec<Value> = if path.extension().is_some_and(|extension| extension == "json") {
        vec![serde_json::from_str(&text).expect("JSON")]
    } else {
        serde_saphyr::from_multiple(&text).expect("YAML")
    };
    let mut flat = Vec::new();
    let mut open: Vec<Value> = documents.into_iter().rev().collect();
    while let Some(document) = open.pop() {
        if document["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) {
            open.extend(document["items"].as_array().expect("items").iter().rev().cloned());
        } else {
            flat.push(document);
        }
    }
    flat
}

/// The roles and bindings of a server to which a sample was applied: those that it makes by itself, then the sample's
/// without what it refused. The last of several documents with one kind, namespace and name counts.
pub(crate) fn sample_world(folder: &Path, case: &Value) -> Value {
    let refused: Vec<(String, String, String)> = case["rejectedByApiServer"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (optional(&one["kind"]), optional(&one["namespace"]), optional(&one["name"])))
        .collect();
    let mut objects: BTreeMap<(String, String, String), Value> = BTreeMap::new();
    let sample = documents(&folder.join("../../samples/kubernetes").join(case["sample"].as_str().expect("a name")));
    for mut object in read(&folder.join("live/bootstrap.json")).into_iter().chain(sample) {
        let kind: String = optional(&object["kind"]);
        let name: String = optional(&object["metadata"]["name"]);
        let namespace: String = match (&*kind, object["metadata"]["namespace"].as_str()) {
            ("ClusterRole" | "ClusterRoleBinding", _) => String::new(),
            ("Role" | "RoleBinding", namespace) => namespace.unwrap_or("default").to_owned(),
            _ => continue,
        };
        if refused.iter().any(|(k, n, m)| *k == kind && *m == name && (*n == namespace || n.is_empty())) {
            continue;
        }
        object["metadata"]["namespace"] = namespace.as_str().into();
        objects.insert((kind, namespace, name), object);
    }
    let of = |kind: &str| -> Value {
        objects.iter().filter(|((held, ..), _)| held == kind).map(|(_, object)| object.clone()).collect()
    };
    serde_json::json!({
        "roles": of("Role"),
        "clusterRoles": of("ClusterRole"),
        "roleBindings": of("RoleBinding"),
        "clusterRoleBindings": of("ClusterRoleBinding"),
    })
}

#[test]
fn a_running_servers_answers_are_given() {
    let Some(folder) = folder() else { return };
    let live = folder.join("live");
    let probes = read(&live.join("probes.json"));
    let mut count = 0;
    for case in read(&live.join("sar.json")) {
        let authorizer = Authorizer::new(typed(&sample_world(&folder, &case)));
        for result in case["results"].as_array().expect("results") {
            let account = result["serviceAccount"].as_str().expect("an account");
            let (home, name) = account.split_once('/').expect("a namespaced name");
            let namespace = result["namespace"].as_str().expect("a namespace");
            let allowed: Vec<u64> = typed(&result["allowed"]);
            for probe in &probes {
                let mut request: Request = typed(probe);
                if !request.resource_request && !namespace.is_empty() {
                    continue;
                }
                request.user = account_user(home, name).into();
                request.groups = vec![
                    "system:serviceaccounts".into(),
                    format!("system:serviceaccounts:{home}").into(),
                    "system:authenticated".into(),
                ];
                if request.resource_request {
                    request.namespace = namespace.into();
                }
                let id = probe["id"].as_u64().expect("an id");
                assert_eq!(
                    authorizer.authorize(&request).is_some(),
                    allowed.contains(&id),
                    "{} {account} in `{namespace}`: {probe}",
                    case["sample"]
                );
                count += 1;
            }
        }
    }
    println!("live: {count} answers compared, 0 differences");
    assert_eq!(count, 45_759);
}

#[test]
fn single_questions_to_a_running_server_are_answered_alike() {
    let Some(folder) = folder() else { return };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for case in read(&folder.join("live/questions.json")) {
        let rules: Vec<Rule> = optional(&case["grant"]["rules"]);
        let namespace: String = optional(&case["grant"]["namespace"]);
        let role = |namespace: &str| Role {
            metadata: Metadata { name: "own".into(), namespace: namespace.into(), ..Metadata::default() },
            rules: rules.clone().into(),
            ..Role::default()
        };
        let binding = |namespace: &str, kind: &str| Binding {
            metadata: Metadata { name: "own".into(), namespace: namespace.into(), ..Metadata::default() },
            subjects: vec![Subject { kind: "User".into(), name: "actor".into(), ..Subject::default() }],
            role_ref: RoleRef { kind: kind.into(), name: "own".into() },
        };
        let authorizer = if namespace.is_empty() {
            Authorizer::new(World {
                cluster_roles: vec![role("")],
                cluster_role_bindings: vec![binding("", "ClusterRole")],
                ..World::default()
            })
        } else {
            Authorizer::new(World {
                roles: vec![role(&namespace)],
                role_bindings: vec![binding(&namespace, "Role")],
                ..World::default()
            })
        };
        let everything: Vec<Rule> = typed(&serde_json::json!([
            {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, {"verbs": ["*"], "nonResourceURLs": ["*"]}
        ]));
        let asked = &case["request"];
        let request = |asked: &Value| Request { resource_request: true, user: "actor".into(), ..typed(asked) };
        let kind = case["type"].as_str().expect("a type");
        *counts.entry(kind.to_owned()).or_default() += 1;
        let allowed = match kind {
            // RBAC does not know in which form an answer is wanted.
            "authorize" | "metadata" => authorizer.authorize(&request(asked)).is_some(),
            "impersonate" => {
                let groups: Vec<Arc<str>> = optional(&asked["asGroups"]);
                // One question describes its account instead of naming it: bound to cluster-admin it may do everything.
                let named = asked["asUser"].as_str().filter(|user| !user.contains(' '));
                let user = named.map_or_else(|| account_user("sem", "some"), str::to_owned);
                let then = (!asked["then"].is_null()).then(|| request(&asked["then"]));
                may_impersonate(&authorizer, "actor", &[], &user, &groups, then.as_ref())
            }
            "validate" => {
                let object = &asked["object"];
                let list = match object["kind"].as_str().expect("a kind") {
                    "ClusterRoleBinding" => "clusterRoleBindings",
                    "ClusterRole" => "clusterRoles",
                    _ => "roles",
                };
                let mut world = serde_json::json!({ "requests": [], list: [object] });
                if list == "clusterRoleBindings" {
                    // The role is there on every server.
                    world["clusterRoles"] = serde_json::json!([{ "metadata": { "name": object["roleRef"]["name"] } }]);
                }
                let reply = Decider::default().reply(&world.to_string()).expect("an answer");
                let answer: Value = serde_json::from_slice(&reply).expect("JSON");
                // The authorizer answers with such objects too; that they grant nothing is noted.
                assert_eq!(answer["notes"].is_array(), case["observed"] == "invalid", "{case}: {answer}");
                continue;
            }
            "escalate" => {
                let object = &asked["object"];
                if object["kind"] == "ClusterRoleBinding" {
                    let write = Write::Binding {
                        namespace: "",
                        role_kind: "ClusterRole",
                        role_name: "cluster-admin",
                        rules: &everything,
                    };
                    may_write(&authorizer, "actor", &[], &write)
                } else {
                    let mut written = role("");
                    let mut all = rules.clone();
                    if object == "own ClusterRole" {
                        all.push(typed(&asked["addRule"]));
                    } else if object == "ClusterRole cluster-admin" {
                        all = everything;
                    } else {
                        all.clear();
                    }
                    written.rules = all.into();
                    let aggregated = object["aggregationRule"].is_object();
                    let named = asked["verb"] != "create";
                    may_write(&authorizer, "actor", &[], &Write::Role { role: &written, aggregated, named })
                }
            }
            other => panic!("questions of type {other} are not known"),
        };
        assert_eq!(allowed, case["observed"] == "allow", "{case}");
    }
    let count: usize = counts.values().sum();
    println!("questions: {count} compared, 0 differences: {counts:?}");
    assert_eq!(count, 18);
}
