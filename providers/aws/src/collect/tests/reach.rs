//! How far credentials and connections reach: roles of other accounts, credentials that do not come, hosts that are not
//! there.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use evenhand_model::gap::GapKind;

use super::server::{Reply, Seen, Server, query};
use super::whole::{account, organisation};
use super::{Collection, Endpoints, inventory};
use crate::collect::{CollectError, NoCapture, State, Stopper};

fn all_accounts() -> Collection {
    Collection { role: Some("audit".to_owned()), regions: vec!["eu-west-1".to_owned()], ..Collection::default() }
}

/// Credentials of the role in account 222222222222, under a key of their own.
fn granted(seen: &Seen, key: &str) -> Reply {
    let body = query(
        seen.operation,
        &format!(
            "<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>fake</SecretAccessKey>\
             <SessionToken>fake</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        ),
    );
    (200, body)
}

fn assumed(server: &Server, account: &str) -> usize {
    server.seen().iter().filter(|seen| seen.operation == "AssumeRole" && seen.text.contains(account)).count()
}

fn throttled() -> Reply {
    (400, "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>".to_owned())
}

#[test]
fn a_role_whose_credentials_are_over_is_assumed_once_more_for_all_who_wait() {
    let times = AtomicUsize::new(0);
    let server = Server::new(move |seen| match seen.operation {
        "AssumeRole" if seen.text.contains("222222222222") => {
            let key = ["ASIAFAKEFAKEFAKE0001", "ASIAFAKEFAKEFAKE2222"].get(times.fetch_add(1, Ordering::SeqCst));
            Some(granted(seen, key.unwrap_or(&"ASIAFAKEFAKEFAKE0003")))
        }
        // Four regions ask at the same time; the answer waits until all of them have.
        "ListAgents" if seen.key == "ASIAFAKEFAKEFAKE0001" => {
            std::thread::sleep(Duration::from_millis(300));
            Some((403, r#"{"__type":"ExpiredTokenException"}"#.to_owned()))
        }
        _ => organisation(seen),
    });
    let regions = ["eu-west-1", "eu-west-2", "us-east-1", "us-west-2"].map(str::to_owned).to_vec();
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection { regions, ..all_accounts() }.run(&server.url, folder.path()).unwrap();
    let late = |seen: &&Seen| seen.operation == "ListAgents" && seen.key == "ASIAFAKEFAKEFAKE0001";
    assert_eq!(server.seen().iter().filter(late).count(), 4, "all of them were refused");
    assert_eq!(assumed(&server, "222222222222"), 2);
    assert!(collected.failed.iter().all(|failed| !failed.place.starts_with("222222222222")), "{:?}", collected.failed);
}

#[test]
fn a_role_that_is_throttled_is_assumed_later_and_in_the_end_is_a_gap() {
    for (refused, tries, gaps) in [(3, 4, 0), (usize::MAX, 12, 1)] {
        let times = AtomicUsize::new(0);
        let server = Server::new(move |seen| match seen.operation {
            "AssumeRole" if seen.text.contains("222222222222") && times.fetch_add(1, Ordering::SeqCst) < refused => {
                Some(throttled())
            }
            _ => organisation(seen),
        });
        let folder = tempfile::tempdir().unwrap();
        all_accounts().run(&server.url, folder.path()).unwrap();
        assert_eq!(assumed(&server, "222222222222"), tries);
        let inventory = inventory(folder.path());
        let of_account = |gap: &&evenhand_model::gap::Gap| {
            &*gap.call == "sts assume-role" && gap.scope.as_ref().is_some_and(|scope| scope.as_str() == "222222222222")
        };
        let found: Vec<_> = inventory.gaps.iter().filter(of_account).collect();
        assert_eq!(found.len(), gaps, "{found:?}");
        assert!(found.iter().all(|gap| gap.reason.contains("throttled: Throttling") && gap.kind == GapKind::Failed));
    }
}

#[test]
fn a_doctor_tries_to_become_the_role_that_is_named() {
    let may_not = |seen: &Seen| match seen.operation {
        "AssumeRole" => {
            Some((403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>".to_owned()))
        }
        _ => organisation(seen),
    };
    for (server, state) in [
        (Server::new(organisation), State::Allowed),
        (Server::new(may_not), State::Refused("AccessDenied".to_owned())),
        (Server::new(account), State::NothingToAsk),
    ] {
        let tried = all_accounts().doctor(&server.url).unwrap();
        let role = tried.iter().find(|one| one.call == "sts assume-role").unwrap();
        assert_eq!((&role.state, role.needs.as_deref()), (&state, Some("sts:AssumeRole")));
        let calls: BTreeMap<&str, &State> = tried.iter().map(|one| (one.call.as_str(), &one.state)).collect();
        assert_eq!(calls["iam get-account-authorization-details"], &State::Allowed);
        let unnamed = Collection { role: None, ..all_accounts() }.doctor(&server.url).unwrap();
        assert!(unnamed.iter().all(|one| one.call != "sts assume-role"));
    }
}

#[test]
fn an_end_while_credentials_are_waited_for_is_an_end() {
    #[derive(Debug)]
    struct Never;
    impl ProvideCredentials for Never {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(std::future::pending())
        }
    }
    let server = Server::new(account);
    let folder = tempfile::tempdir().unwrap();
    let stopper = Stopper::default();
    let stop = stopper.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        stop.stop();
    });
    let credentials = SharedCredentialsProvider::new(Never);
    let failed = Collection { credentials, stopper, ..Collection::default() }.run(&server.url, folder.path());
    assert!(matches!(failed, Err(CollectError::NoCapture(NoCapture::Stopped))), "{failed:?}");
    assert_eq!(server.seen().len(), 0);
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing is there to go on with");
}

#[test]
fn a_host_that_is_not_there_is_asked_for_some_times_and_is_a_gap() {
    // It takes connections and lets them go at once.
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap();
    let refusing_url = format!("http://{}", refusing.local_addr().unwrap());
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    std::thread::spawn(move || {
        for _ in refusing.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // No label of a name may be so long: it has no address, and nobody is asked for one.
    let nameless = format!("http://{}.invalid", "a".repeat(64));
    let endpoints = Endpoints(vec![
        ("Lambda", format!("http://{closed}")),
        ("ECS", nameless.clone()),
        ("SageMaker", refusing_url.clone()),
    ]);
    let server = Server::new(account);
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection { endpoints, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    let failed: BTreeMap<&str, &str> =
        collected.failed.iter().map(|failed| (failed.call.as_deref().unwrap(), failed.code.as_str())).collect();
    let calls = ["ecs list-task-definition-families", "lambda list-functions", "sagemaker list-notebook-instances"];
    assert_eq!(failed, calls.map(|call| (call, "NoConnection")).into());
    assert_eq!(tries.load(Ordering::SeqCst), 3, "a look-up that fails says nothing yet");
    let gaps = inventory(folder.path()).gaps;
    for call in calls {
        let gap = gaps.iter().find(|gap| &*gap.call == call).unwrap();
        assert!(gap.kind == GapKind::Failed && gap.reason.contains("make it again"), "{gap:?}");
    }

    for url in [nameless, format!("http://{closed}"), refusing_url] {
        let folder = tempfile::tempdir().unwrap();
        let failed = Collection::default().run(&url, folder.path());
        assert!(matches!(&failed, Err(CollectError::NotAccepted(code)) if code == "NoConnection"), "{failed:?}");
    }
}
