//! Rights and credentials: what the collector needs, and how it comes to what it has.

use std::collections::BTreeSet;

use evenhand_collect::Stopper;
use serde_json::{Value, json};

use super::server::{Fault, Server, kubeconfig};
use super::whole::of_objects;
use super::world::world;
use super::{Collection, documents};
use crate::collect::kinds::{EVERY, KINDS};
use crate::collect::{CollectFailure, Options, State, Terms, doctor, role, secrets_role};

/// Group, resource, name and verb.
type Right = (String, String, String, String);

/// What a manifest of roles allows.
fn allowed(manifest: &str) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for document in manifest.split("---\n") {
        let role: Value = serde_saphyr::from_str(document).unwrap();
        let texts = |rule: &Value, member: &str| -> Vec<String> {
            rule[member].as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        for rule in role["rules"].as_array().unwrap() {
            let mut names = texts(rule, "resourceNames");
            if names.is_empty() {
                names.push(String::new());
            }
            for group in texts(rule, "apiGroups") {
                for resource in texts(rule, "resources") {
                    for name in &names {
                        for verb in texts(rule, "verbs") {
                            rights.insert((group.clone(), resource.clone(), name.clone(), verb));
                        }
                    }
                }
            }
        }
    }
    rights
}

/// What was asked for, in the terms of roles; of groups that are listed whole, whatever they hold.
fn asked(server: &Server) -> BTreeSet<Right> {
    let whole = |group: &str| KINDS.iter().any(|kind| kind.resource == EVERY && kind.group == group);
    let right = |path: String| -> Right {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let (group, rest) = match parts.as_slice() {
            ["api", _, rest @ ..] => ("", rest),
            ["apis", group, _, rest @ ..] => (*group, rest),
            _ => panic!("{path}"),
        };
        let (resource, name) = match rest {
            ["namespaces", "kube-system", resource, name] => (*resource, *name),
            [resource] => (*resource, ""),
            _ => panic!("{path}"),
        };
        let verb = if name.is_empty() { "list" } else { "get" };
        let resource = if whole(group) { EVERY } else { resource };
        [group, resource, name, verb].map(str::to_owned).into()
    };
    of_objects(server).into_iter().map(|seen| right(seen.path)).collect()
}

#[test]
fn the_roles_allow_exactly_what_is_asked_for() {
    // A server that has everything.
    let mut full = world();
    let held: BTreeSet<(String, String)> = full.names().into_iter().collect();
    for kind in KINDS {
        let resource = if kind.resource == EVERY { "things" } else { kind.resource };
        let version = if kind.version.is_empty() { "v1" } else { kind.version };
        let object = if kind.kind.is_empty() { "Thing" } else { kind.kind };
        if !held.contains(&(kind.group.to_owned(), resource.to_owned())) {
            full.add((kind.group, version), (resource, object), false, Vec::new());
        }
    }
    let server = Server::new(full, |_| None);
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server, folder.path()).unwrap();
    assert_eq!(collected.failed, []);
    assert_eq!(asked(&server), allowed(&role()));
    let folder = tempfile::tempdir().unwrap();
    Collection { secrets: true, ..Collection::default() }.run(&server, folder.path()).unwrap();
    assert_eq!(asked(&server), allowed(&format!("{}---\n{}", role(), secrets_role())));
    assert!(allowed(&role()).iter().all(|(_, resource, _, verb)| resource != "secrets" && verb != "watch"));
}

#[test]
fn what_may_not_be_asked_is_told_from_what_is_not_there() {
    let server = Server::new(world(), |seen| match seen.path.as_str() {
        "/api/v1/nodes" => Some(Fault::Status(403, "Forbidden")),
        "/apis/batch/v1/jobs" => Some(Fault::Status(500, "InternalError")),
        _ => None,
    });
    let tried = Collection { secrets: true, ..Collection::default() }.doctor(&server);
    let state = |call: &str| {
        let of = tried.iter().find(|one| one.call == call);
        of.unwrap_or_else(|| panic!("{call}: {tried:?}")).state.clone()
    };
    assert_eq!(state("list pods"), State::Allowed);
    assert_eq!(state("list agents.kagent.dev"), State::Allowed);
    assert_eq!(state("get configmaps kube-system/aws-auth"), State::Allowed);
    assert_eq!(state("list secrets type=kubernetes.io/service-account-token"), State::Allowed);
    assert_eq!(state("list nodes"), State::Refused("Forbidden".to_owned()));
    assert_eq!(state("list jobs.batch"), State::Failed("InternalError".to_owned()));
    assert_eq!(state("list *.ray.io"), State::Absent);
    assert_eq!(state("get /version"), State::Allowed);
    let seen = server.seen();
    assert!(seen.iter().all(|seen| seen.method == "GET"));
    assert!(seen.iter().all(|seen| seen.query.get("limit").is_none_or(|limit| limit == "1")), "{seen:?}");
    assert_eq!(server.count("/api/v1/pods"), 1);
}

#[test]
fn groups_that_cannot_be_asked_for_are_said_and_nothing_is_absent_for_it() {
    let mut older = world();
    older.aggregated = false;
    let server = Server::new(older, |seen| match seen.path.as_str() {
        "/apis/batch/v1" => Some(Fault::Status(503, "ServiceUnavailable")),
        "/apis/apps/v1" => Some(Fault::Answer(200, "<!doctype html>".to_owned())),
        _ => None,
    });
    let tried = Collection::default().doctor(&server);
    let state = |call: &str| tried.iter().find(|one| one.call == call).map(|one| one.state.clone());
    assert_eq!(state("get /apis/batch/v1"), Some(State::Failed("ServiceUnavailable".to_owned())));
    assert_eq!(state("get /apis/apps/v1"), Some(State::Failed("NotUnderstood".to_owned())));
    assert_eq!(state("list *.ray.io"), Some(State::NotTried));
    assert_eq!(state("list httproutes.gateway.networking.k8s.io"), Some(State::NotTried));
    assert_eq!(state("list agents.kagent.dev"), Some(State::Allowed));
    assert_eq!(state("list pods"), Some(State::Allowed));
}

#[test]
fn a_page_to_sign_in_is_no_permission() {
    let page = || Some(Fault::Answer(200, "<!doctype html>".to_owned()));
    let failed = |server: &Server, call: &str| {
        let tried = Collection::default().doctor(server);
        let of = tried.iter().find(|one| one.call == call);
        assert_eq!(of.unwrap_or_else(|| panic!("{call}: {tried:?}")).state, State::Failed("NotUnderstood".to_owned()));
        tried.len()
    };
    let server = Server::new(world(), move |_| page());
    assert_eq!(failed(&server, "get /version"), 1);
    for (path, call) in [
        ("/apis", "get /apis"),
        ("/api/v1/pods", "list pods"),
        ("/apis/kagent.dev/v1alpha2/agents", "list agents.kagent.dev"),
        ("/api/v1/namespaces/kube-system/configmaps/aws-auth", "get configmaps kube-system/aws-auth"),
    ] {
        let server = Server::new(world(), move |seen| (seen.path == path).then(page).flatten());
        assert!(failed(&server, call) > 10);
    }
}

#[cfg(unix)]
#[test]
fn a_program_for_credentials_that_does_not_end_is_not_waited_for() {
    let server = Server::new(world(), |_| None);
    let user = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sleep", "args": ["20"], "interactiveMode": "Never"}});
    let folder = tempfile::tempdir().unwrap();
    let answer = std::time::Duration::from_millis(100);
    let began = std::time::Instant::now();
    let collection = Collection { answer, ..Collection::default() };
    let collected = collection.run_as(&kubeconfig(&[("c", &server.url)], &user), folder.path()).unwrap();
    assert!(began.elapsed() < std::time::Duration::from_secs(15));
    let [failed] = collected.failed.as_slice() else { panic!("{:?}", collected.failed) };
    assert_eq!((failed.call.as_deref(), failed.code.as_str()), (None, "TimedOut"));
    assert_eq!(failed.detail.as_deref(), Some("`sleep` did not end in time"));
}

#[cfg(unix)]
#[test]
fn a_program_for_credentials_is_run_and_what_it_prints_is_not_repeated() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let program = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.to_string_lossy().into_owned()
    };
    let credential = |token: &str| json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token}});
    let user = |command: &str| json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "interactiveMode": "Never"}});
    // The first token is over at once; another one counts.
    let counted = home.path().join("runs");
    let good = program(
        "good",
        &format!(
            "echo x >> {0}\nprintf '%s' '{1}' | sed s/NUMBER/$(wc -l < {0} | tr -d ' ')/",
            counted.display(),
            credential("run-NUMBER")
        ),
    );
    let first = std::sync::Mutex::new(None);
    let server = Server::new(world(), move |seen| {
        let mut first = first.lock().unwrap();
        let over = *first.get_or_insert_with(|| seen.authorization.clone()) == seen.authorization;
        (over && seen.path != "/version").then_some(Fault::Status(401, "Unauthorized"))
    });
    let folder = tempfile::tempdir().unwrap();
    let config = kubeconfig(&[("c", &server.url)], &user(&good));
    let collected = Collection::default().run_as(&config, folder.path()).unwrap();
    assert_eq!(collected.failed, []);
    let used: BTreeSet<String> = server.seen().into_iter().map(|seen| seen.authorization).collect();
    assert!(used.len() == 2 && used.iter().all(|used| used.starts_with("Bearer run-")), "{used:?}");
    assert!(
        collected.notes.iter().any(|note| note.contains("running") && note.contains("good")),
        "{:?}",
        collected.notes
    );
    assert!(documents(folder.path()).iter().all(|(_, text)| !text.contains("run-")));

    for (name, text) in [
        ("fails", "echo CANARY; echo CANARY >&2; exit 3"),
        ("babbles", "echo CANARY"),
        ("silent", "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\"}'"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let config = kubeconfig(&[("c", &server.url)], &user(&program(name, text)));
        let collected = Collection::default().run_as(&config, folder.path()).unwrap();
        let said = format!("{:?}", collected.failed);
        assert!(collected.failed.len() == 1 && collected.failed[0].call.is_none(), "{said}");
        assert!(said.contains("NoCredentials") && said.contains(name) && !said.contains("CANARY"), "{said}");
    }
}

#[test]
fn who_is_not_let_in_is_told_once() {
    let server = Server::new(world(), |seen| (seen.path != "/version").then_some(Fault::Status(401, "Unauthorized")));
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server, folder.path()).unwrap();
    assert_eq!(collected.failed.len(), 1, "{:?}", collected.failed);
    assert!(!collected.identities);
    let failures = super::failures(folder.path());
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(
        failures[0].1.contains("sign in again") && failures[0].1.contains("collect kubernetes --resume"),
        "{failures:?}"
    );
}

#[test]
fn nothing_is_asked_where_nothing_is_configured() {
    let home = tempfile::tempdir().unwrap();
    let terms = Terms {
        folder: home.path().to_owned(),
        resume: false,
        deadline: None,
        fingerprinter: evenhand_model::secret::Fingerprinter::keyed("test"),
    };
    let options = Options {
        terms,
        kubeconfig: Some(home.path().join("none")),
        contexts: Vec::new(),
        all_contexts: false,
        secrets: false,
    };
    let error = doctor(&options, &Stopper::default()).unwrap_err();
    assert!(
        error.to_string().contains("no cluster is configured") && error.remedy().contains("--kubeconfig"),
        "{error}"
    );
}
