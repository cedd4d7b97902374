//! Collections of which not everything can be had: refusals, faults, limits, ends before the end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use evenhand_model::gap::GapKind;

use super::server::{Server, query};
use super::whole::account;
use super::{Collection, documents, inventory};
use crate::collect::{CollectError, Stopped, Stopper};

#[test]
fn every_kind_of_failure_is_a_gap_that_names_the_facts_and_costs_nothing_else() {
    let server = Server::new(|seen| match seen.operation {
        "ListAgents" => Some((403, r#"{"message":"no"}"#.to_owned())),
        "ListServiceSpecificCredentials" => {
            Some((403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>".to_owned()))
        }
        "ListClusters" => Some((404, "<!doctype html><title>404</title>".to_owned())),
        "ListWorkloadIdentities" => Some((500, "<!doctype html><title>500</title>".to_owned())),
        "ListGateways" => Some((200, r#"{"items":[{"gatewayId":"g"#.to_owned())),
        "ListSAMLProviders" => Some((200, "<ListSAMLProvidersResponse><ListSAMLProvidersResult>".to_owned())),
        _ => account(seen),
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    let failed: Vec<(&str, &str)> =
        collected.failed.iter().map(|failed| (failed.call.as_deref().unwrap(), failed.code.as_str())).collect();
    let expected = [
        ("bedrock-agent list-agents", "Http403"),
        ("bedrock-agentcore-control list-gateways", "NotUnderstood"),
        ("bedrock-agentcore-control list-workload-identities", "Http500"),
        ("eks list-clusters", "Http404"),
        ("iam list-saml-providers", "NotUnderstood"),
        ("iam list-service-specific-credentials", "AccessDenied"),
    ];
    let mut sorted = failed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(server.count("ListAgents"), 1, "a refusal is not asked for again");
    assert_eq!(server.count("ListWorkloadIdentities"), 3, "a fault may pass");
    let inventory = inventory(folder.path());
    for (call, _) in expected {
        let gap = inventory.gaps.iter().find(|gap| &*gap.call == call).unwrap_or_else(|| panic!("no gap for {call}"));
        assert_eq!(gap.kind, GapKind::Failed);
        assert!(!gap.facts.is_empty() && gap.scope.is_some());
        let twice = inventory.gaps.iter().filter(|other| other.facts == gap.facts).count();
        assert_eq!(twice, 1, "{call} is missing once");
    }
    assert_eq!(inventory.identities.iter().filter(|identity| identity.kind == "role").count(), 3);
}

#[test]
fn a_call_that_is_throttled_is_made_again() {
    let tries = AtomicUsize::new(0);
    let server = Server::new(move |seen| match seen.operation {
        "ListFunctions" if tries.fetch_add(1, Ordering::SeqCst) < 2 => {
            Some((400, r#"{"__type":"ThrottlingException"}"#.to_owned()))
        }
        _ => account(seen),
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    assert_eq!((server.count("ListFunctions"), collected.failed.len()), (3, 0));
}

#[test]
fn pages_without_an_end_come_to_an_end() {
    for token in ["same", "other"] {
        let next = AtomicUsize::new(0);
        let server = Server::new(move |seen| match seen.operation {
            "ListAgents" => {
                let number = if token == "same" { 0 } else { next.fetch_add(1, Ordering::SeqCst) };
                Some((200, format!(r#"{{"agentSummaries":[],"nextToken":"t{number}"}}"#)))
            }
            _ => account(seen),
        });
        let folder = tempfile::tempdir().unwrap();
        let collected = Collection { pages: 7, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
        assert_eq!(collected.failed[0].code, "EndlessPages");
        assert!(server.count("ListAgents") <= 7);
        assert!(inventory(folder.path()).gaps.iter().any(|gap| &*gap.call == "bedrock-agent list-agents"));
    }
}

#[test]
fn a_collection_that_is_interrupted_is_valid_and_goes_on_without_repeating_itself() {
    let stopper = Stopper::default();
    let stop = stopper.clone();
    let server = Server::new(move |seen| {
        // In the middle of describing agents.
        if seen.operation == "GetAgent" && seen.text.contains("AG2") {
            // The other one is answered by then.
            std::thread::sleep(Duration::from_millis(300));
            stop.stop();
            std::thread::sleep(Duration::from_millis(300));
        }
        account(seen)
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection { stopper, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    assert_eq!(collected.stopped, Some(Stopped::Interrupted));
    let manifest = std::fs::read_to_string(folder.path().join("aws/manifest.json")).unwrap();
    assert!(manifest.contains("\"complete\": false") && manifest.contains("lambda list-functions"), "{manifest}");
    let partial = inventory(folder.path());
    let gap = partial.gaps.iter().find(|gap| &*gap.call == "lambda list-functions").unwrap();
    assert!(gap.reason.contains("--resume") && gap.kind == GapKind::Failed, "{gap:?}");

    let again = Server::new(account);
    let resumed = Collection { resume: true, ..Collection::default() }.run(&again.url, folder.path()).unwrap();
    assert_eq!((resumed.stopped, resumed.failed.len()), (None, 0));
    for finished in ["GetAccountAuthorizationDetails", "ListAccessKeys", "GetAccessKeyLastUsed", "ListAgents"] {
        assert_eq!((server.count(finished) > 0, again.count(finished)), (true, 0), "{finished}");
    }
    assert_eq!(again.count("ListFunctions"), 1);
    assert!(again.count("GetAgent") <= 1);

    let fresh = tempfile::tempdir().unwrap();
    Collection::default().run(&again.url, fresh.path()).unwrap();
    assert_eq!(documents(folder.path()), documents(fresh.path()), "both ways lead to the same capture");
}

#[test]
fn a_deadline_ends_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let slow = Server::new(|seen| {
        if seen.operation == "ListFunctions" {
            std::thread::sleep(Duration::from_secs(5));
        }
        account(seen)
    });
    let deadline = Some(Duration::from_millis(1500));
    let collected = Collection { deadline, ..Collection::default() }.run(&slow.url, folder.path()).unwrap();
    assert_eq!(collected.stopped, Some(Stopped::Deadline));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn expired_credentials_are_renewed_once_and_then_say_how_to_go_on() {
    let tries = AtomicUsize::new(0);
    let server = Server::new(move |seen| match seen.operation {
        "ListFunctions" if tries.fetch_add(1, Ordering::SeqCst) == 0 => {
            Some((400, r#"{"__type":"ExpiredTokenException"}"#.to_owned()))
        }
        "ListAgents" => {
            Some((403, r#"{"__type":"InvalidSignatureException","message":"Signature expired: now"}"#.to_owned()))
        }
        _ => account(seen),
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    let failed: Vec<&str> = collected.failed.iter().map(|failed| failed.call.as_deref().unwrap()).collect();
    assert_eq!(failed, ["bedrock-agent list-agents"]);
    assert_eq!((server.count("ListFunctions"), server.count("ListAgents")), (2, 2));
    let inventory = inventory(folder.path());
    let gap = inventory.gaps.iter().find(|gap| &*gap.call == "bedrock-agent list-agents").unwrap();
    assert!(gap.reason.contains("sign in again") && gap.reason.contains("--resume"), "{gap:?}");
}

#[test]
fn what_is_no_answer_of_the_call_is_a_gap() {
    let server = Server::new(|seen| match seen.operation {
        "ListFunctions" => Some((200, String::new())),
        "ListAgents" => Some((200, r#"{"status":"welcome"}"#.to_owned())),
        "ListAccessKeys" => Some((200, query(seen.operation, "<IsTruncated>true</IsTruncated><AccessKeyMetadata/>"))),
        "GetServiceLastAccessedDetails" => Some((200, query(seen.operation, "<JobStatus>FAILED</JobStatus>"))),
        "DescribeRegions" => Some((
            200,
            "<DescribeRegionsResponse><regionInfo><item><regionName>x.example/</regionName></item></regionInfo>\
             </DescribeRegionsResponse>"
                .to_owned(),
        )),
        _ => account(seen),
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    let failed: Vec<(&str, &str)> =
        collected.failed.iter().map(|failed| (failed.call.as_deref().unwrap(), failed.code.as_str())).collect();
    let expected = [
        ("ec2 describe-regions", "NotUnderstood"),
        ("iam get-service-last-accessed-details", "NotCompleted"),
        ("iam list-access-keys", "NotUnderstood"),
        ("bedrock-agent list-agents", "NotUnderstood"),
        ("lambda list-functions", "NotUnderstood"),
    ];
    assert_eq!(failed, expected);
}

#[test]
fn an_empty_list_that_is_left_out_is_no_gap() {
    let server = Server::new(|seen| match seen.operation {
        "ListClusters" | "ListTaskDefinitionFamilies" | "DescribeTrails" => Some((200, "{}".to_owned())),
        "ListNotebookInstances" => Some((200, r#"{"NotebookInstances":null,"NextToken":null}"#.to_owned())),
        "ListSAMLProviders" => Some((200, query(seen.operation, ""))),
        "DescribeInstances" => {
            Some((200, "<DescribeInstancesResponse><requestId>r</requestId></DescribeInstancesResponse>".to_owned()))
        }
        // The first page has none, the second one has.
        "ListFunctions" if !seen.text.contains("Marker=") => Some((200, r#"{"NextMarker":"p2"}"#.to_owned())),
        _ => account(seen),
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    assert_eq!(collected.failed, []);
    let written = documents(folder.path());
    let text = |name: &str| &written.iter().find(|(path, _)| path.ends_with(name)).unwrap().1;
    assert!(text("eks-clusters.json").contains(r#""clusters":[]"#));
    assert!(text("saml-providers.json").contains(r#""SAMLProviderList":[]"#));
    assert!(text("functions.json").contains(r#""FunctionName":"f""#));
    assert!(inventory(folder.path()).gaps.iter().all(|gap| gap.kind != GapKind::Failed));
}

#[test]
fn a_page_that_is_no_page_of_the_answer_is_not_taken_for_the_last_one() {
    let server = Server::new(|seen| match seen.operation {
        "ListAgents" if seen.text.contains("nextToken") => Some((200, r#"{"status":"welcome"}"#.to_owned())),
        _ => account(seen),
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    let failed: Vec<(&str, &str)> =
        collected.failed.iter().map(|failed| (failed.call.as_deref().unwrap(), failed.code.as_str())).collect();
    assert_eq!(failed, [("bedrock-agent list-agents", "NotUnderstood")]);
}

#[test]
fn a_service_without_a_host_is_asked_for_again_and_is_a_quiet_gap() {
    let line = |region: &str| {
        format!(
            r#"{{"call":"bedrock-agent list-agents","parameters":{{}},"account":"111122223333","region":"{region}","error":{{"code":"ServiceNotInRegion","kind":"unsupported"}}}}"#
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("aws/111122223333/eu-west-1/bedrock-agents.json");
    std::fs::create_dir_all(document.parent().unwrap()).unwrap();
    std::fs::write(&document, line("eu-west-1")).unwrap();
    let gaps = inventory(folder.path()).gaps;
    let gap = gaps.iter().find(|gap| gap.reason.contains("no host for bedrock-agent in eu-west-1")).unwrap();
    assert_eq!(gap.kind, GapKind::NotCollected);
    let server = Server::new(account);
    Collection { resume: true, ..Collection::default() }.run(&server.url, folder.path()).unwrap();
    assert!(server.count("ListAgents") > 0, "it is never taken from before");
    assert!(inventory(folder.path()).gaps.iter().all(|gap| !gap.reason.contains("no host")));
}

#[test]
fn a_call_that_is_throttled_for_ever_is_a_gap() {
    let server = Server::new(|seen| match seen.operation {
        "ListFunctions" => Some((429, String::new())),
        _ => account(seen),
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    assert_eq!((collected.failed[0].code.as_str(), server.count("ListFunctions")), ("Http429", 12));
}

#[test]
fn credentials_that_are_not_good_collect_nothing() {
    let server = Server::new(|seen| match seen.operation {
        "GetCallerIdentity" => {
            Some((403, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>".to_owned()))
        }
        _ => account(seen),
    });
    let folder = tempfile::tempdir().unwrap();
    let failed = Collection::default().run(&server.url, folder.path()).unwrap_err();
    assert!(matches!(&failed, CollectError::NotAccepted(code) if code == "InvalidClientTokenId"), "{failed}");
}

#[test]
fn an_account_in_no_organisation_is_an_answer() {
    let server = Server::new(|seen| match seen.operation {
        "DescribeOrganization" => Some((400, r#"{"__type":"AWSOrganizationsNotInUseException"}"#.to_owned())),
        "GetAccountAuthorizationDetails" => Some((200, query(seen.operation, "<RoleDetailList/>"))),
        _ => None,
    });
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection::default().run(&server.url, folder.path()).unwrap();
    assert_eq!((collected.failed.len(), server.count("ListRoots")), (0, 0));
}
