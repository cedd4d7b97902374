//! Collections that go on where an earlier one ended.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::server::{Server, query};
use super::whole::{account, organisation};
use super::{Collection, documents, inventory};
use crate::collect::{CollectError, NoCapture, Stopper};

fn manifest(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("aws/manifest.json")).unwrap()).unwrap()
}

fn all_accounts() -> Collection {
    Collection { role: Some("audit".to_owned()), ..Collection::default() }
}

#[test]
fn the_plan_of_the_first_run_holds_for_those_that_go_on() {
    let stopper = Stopper::default();
    let stop = stopper.clone();
    let server = Server::new(move |seen| {
        if seen.operation == "AssumeRole" {
            stop.stop();
            std::thread::sleep(Duration::from_millis(300));
        }
        organisation(seen)
    });
    let folder = tempfile::tempdir().unwrap();
    let regions = vec!["eu-central-1".to_owned()];
    Collection { stopper, regions: regions.clone(), ..all_accounts() }.run(&server.url, folder.path()).unwrap();
    let before = manifest(folder.path());
    let pending = |manifest: &Value, account: &str| {
        manifest["pending"].as_array().unwrap().iter().filter(|row| row["account"] == account).count()
    };
    assert!(before["complete"] == false && pending(&before, "222222222222") > 0, "{before}");

    // Another region alone leaves the rest pending, and says so.
    let again = Server::new(organisation);
    let other = Collection { resume: true, regions: vec!["us-west-2".to_owned()], ..Collection::default() };
    other.run(&again.url, folder.path()).unwrap();
    let between = manifest(folder.path());
    assert!(between["complete"] == false && between["plan"]["regions"].as_array().unwrap().len() == 2, "{between}");
    assert!(inventory(folder.path()).gaps.iter().any(|gap| gap.reason.contains("--resume")));

    let collected = Collection { resume: true, ..Collection::default() }.run(&again.url, folder.path()).unwrap();
    assert_eq!(collected.accounts, ["111122223333", "222222222222", "444444444444"]);
    let after = manifest(folder.path());
    assert!(after["complete"] == true && after["pending"].as_array().unwrap().is_empty(), "{after}");
    assert!(again.seen().iter().any(|seen| seen.key == "ASIAFAKEFAKEFAKE2222" && seen.region == "eu-central-1"));
}

#[test]
fn a_capture_is_not_mixed_with_another_account() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(account);
    Collection::default().run(&server.url, folder.path()).unwrap();
    let before = documents(folder.path());
    let other = Server::new(|seen| match seen.operation {
        "GetCallerIdentity" => Some((
            200,
            query(seen.operation, "<Account>999999999999</Account><Arn>arn:aws:iam::999999999999:user/x</Arn>"),
        )),
        _ => account(seen),
    });
    let failed = Collection { resume: true, ..Collection::default() }.run(&other.url, folder.path()).unwrap_err();
    assert!(matches!(&failed, CollectError::OtherAccount { before, .. } if before == "111122223333"), "{failed}");
    assert_eq!(documents(folder.path()), before);
}

#[test]
fn what_is_granted_later_is_no_gap_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(organisation);
    all_accounts().run(&server.url, folder.path()).unwrap();
    let refused = |folder: &Path| inventory(folder).gaps.iter().filter(|gap| &*gap.call == "sts assume-role").count();
    assert_eq!(refused(folder.path()), 1);
    let granting = Server::new(|seen| match seen.operation {
        "AssumeRole" => {
            let mut granted = seen.clone();
            granted.text = "222222222222".to_owned();
            organisation(&granted)
        }
        _ => organisation(seen),
    });
    let collected = Collection { resume: true, ..Collection::default() }.run(&granting.url, folder.path()).unwrap();
    assert_eq!((refused(folder.path()), collected.failed.len()), (0, 0));
    assert!(folder.path().join("aws/444444444444/account-authorization-details.json").is_file());
}

#[test]
fn accounts_that_left_the_organisation_are_taken_out_of_the_capture() {
    let stopper = Stopper::default();
    let stop = stopper.clone();
    // Two accounts are under way when it ends: one is read in part, one not at all.
    let server = Server::new(move |seen| {
        if seen.operation == "AssumeRole" && seen.text.contains("444444444444") {
            std::thread::sleep(Duration::from_millis(500));
            stop.stop();
            std::thread::sleep(Duration::from_millis(300));
        }
        organisation(seen)
    });
    let folder = tempfile::tempdir().unwrap();
    let regions = vec!["eu-west-1".to_owned()];
    Collection { stopper, regions: regions.clone(), ..all_accounts() }.run(&server.url, folder.path()).unwrap();
    let of = |account: &str| documents(folder.path()).iter().filter(|(path, _)| path.contains(account)).count();
    let pending = |account: &str| {
        manifest(folder.path())["pending"].as_array().unwrap().iter().filter(|row| row["account"] == account).count()
    };
    assert!(of("222222222222") > 0 && pending("444444444444") > 0, "{}", manifest(folder.path()));

    let smaller = |seen: &super::server::Seen| match seen.operation {
        "ListAccounts" => Some((
            200,
            r#"{"Accounts":[{"Id":"111122223333","Arn":"x","Name":"main","Status":"ACTIVE"},
            {"Id":"444444444444","Arn":"x","Name":"shut","Status":"SUSPENDED"}]}"#
                .to_owned(),
        )),
        _ => organisation(seen),
    };
    let again = Server::new(smaller);
    let collected = Collection { resume: true, ..Collection::default() }.run(&again.url, folder.path()).unwrap();
    assert_eq!(collected.accounts, ["111122223333"]);
    assert_eq!(collected.left, ["222222222222", "444444444444"]);
    assert_eq!(again.count("AssumeRole"), 0);
    let after = manifest(folder.path());
    assert!(after["complete"] == true && after["pending"].as_array().unwrap().is_empty(), "{after}");
    let fresh = tempfile::tempdir().unwrap();
    Collection { regions, ..all_accounts() }.run(&again.url, fresh.path()).unwrap();
    assert_eq!(documents(folder.path()), documents(fresh.path()), "both ways lead to the same capture");
}

#[test]
fn a_manifest_that_was_tampered_with_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(organisation);
    all_accounts().run(&server.url, folder.path()).unwrap();
    let outside = folder.path().join("access-keys.ndjson");
    std::fs::write(&outside, "mine").unwrap();
    let path = folder.path().join("aws/manifest.json");
    let mut held = manifest(folder.path());
    let row = serde_json::json!({"account": "..", "call": "iam list-access-keys"});
    held["pending"].as_array_mut().unwrap().push(row);
    std::fs::write(&path, held.to_string()).unwrap();
    Collection { resume: true, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "mine");
    assert_eq!(manifest(folder.path())["pending"].as_array().unwrap().len(), 0);
}

#[test]
fn what_was_ordered_and_not_fetched_is_ordered_again() {
    let stopper = Stopper::default();
    let stop = stopper.clone();
    let server = Server::new(move |seen| {
        if seen.operation == "GetServiceLastAccessedDetails" {
            stop.stop();
            std::thread::sleep(Duration::from_millis(300));
        }
        account(seen)
    });
    let folder = tempfile::tempdir().unwrap();
    Collection { stopper, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    let again = Server::new(account);
    Collection { resume: true, ..Collection::default() }.run(&again.url, folder.path()).unwrap();
    assert_eq!(again.count("GenerateServiceLastAccessedDetails"), 1, "the order may be too old");
    assert_eq!(again.count("GenerateCredentialReport"), 0, "that one was fetched");
    let third = Server::new(account);
    Collection { resume: true, ..Collection::default() }.run(&third.url, folder.path()).unwrap();
    assert_eq!(third.count("GenerateServiceLastAccessedDetails"), 0);
}

#[test]
fn a_document_that_cannot_be_written_is_not_done_and_ends_the_collection() {
    let folder = tempfile::tempdir().unwrap();
    // A folder where a document has to be.
    std::fs::create_dir_all(folder.path().join("aws/111122223333/access-keys.ndjson")).unwrap();
    let server = Server::new(account);
    let failed = Collection::default().run(&server.url, folder.path()).unwrap_err();
    assert!(matches!(failed, CollectError::NoCapture(NoCapture::NotWritten(_))), "{failed}");
    let manifest = manifest(folder.path());
    let pending = manifest["pending"].to_string();
    assert!(manifest["complete"] == false && pending.contains("iam list-access-keys"), "{manifest}");
    assert_eq!(server.count("ListFunctions"), 0);
}

#[test]
fn what_a_killed_collection_left_unfinished_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join("aws/111122223333/eu-west-1/.evenhand-x1");
    std::fs::create_dir_all(left.parent().unwrap()).unwrap();
    std::fs::write(&left, "{").unwrap();
    Collection { resume: true, ..Collection::default() }.run(&Server::new(account).url, folder.path()).unwrap();
    assert!(!left.exists());
}
