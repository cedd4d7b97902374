//! Answers that are cut, mixed up or of another shape end in a result and never in a panic.

use evenhand_model::access::Request;
use proptest::prelude::*;

use super::*;

/// Reads a text as a document and asks everything of what came of it.
fn survive(text: &str) {
    let mut held = document("azure/a.ndjson", text);
    held.format = Format::Ndjson;
    let options = ReadOptions {
        now: "2026-12-01T00:00:00Z".parse().unwrap(),
        fingerprinter: Fingerprinter::keyed("test"),
        settings: std::collections::BTreeMap::new(),
    };
    let mut reader = Azure.reader(options);
    let _ = Azure.recognise(&held);
    drop(reader.read(held));
    let reading = reader.finish();
    let Some(resolver) = &reading.resolver else { return };
    for identity in &reading.inventory.identities {
        let _ = resolver.is_admin(&identity.id);
        let request = Request {
            identity: identity.id.to_string(),
            operation: DELETE.to_owned(),
            resource: Some("/subscriptions/s".to_owned()),
            context: std::collections::BTreeMap::new(),
        };
        drop(resolver.decide(&identity.id, &request));
    }
    drop(resolver.edges());
}

fn whole() -> String {
    tenant(&[USER_READ_WRITE_ALL]).iter().map(|answer| format!("{answer}\n")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_document_that_is_damaged_somewhere_is_read_as_far_as_it_goes(
        at in 0.0_f64..1.0,
        length in 0_usize..40,
        put in prop::sample::select(vec!["", "null", "[]", "{}", "\"x\"", "7", "\\", "/", "\u{e9}", "{\"id\":"]),
    ) {
        let text = whole();
        let wanted = (at * text.len() as f64) as usize;
        let start = (wanted..text.len()).find(|place| text.is_char_boundary(*place)).unwrap_or(0);
        let end = (start + length).min(text.len());
        let end = (end..=text.len()).find(|place| text.is_char_boundary(*place)).unwrap_or(text.len());
        survive(&format!("{}{put}{}", text.get(..start).unwrap(), text.get(end..).unwrap()));
    }

    #[test]
    fn values_of_another_kind_cost_their_own_answer_alone(from in 0_usize..20, to in 0_usize..20) {
        let mut answers = tenant(&[USER_READ_WRITE_ALL]);
        let taken = answers[from % answers.len()]["response"].clone();
        let at = to % answers.len();
        answers[at]["response"] = taken;
        survive(&answers.iter().map(|answer| format!("{answer}\n")).collect::<String>());
    }
}

#[test]
fn names_that_lead_in_circles_end() {
    let mut answers = tenant(&[]);
    let member = |kind: &str, id: &str| json!([{ "@odata.type": format!("#microsoft.graph.{kind}"), "id": id }]);
    answers.push(graph("/groups", &json!([{ "id": "a", "displayName": "a" }, { "id": "b", "displayName": "b" }])));
    answers.push(graph("/groups/a/members", &member("group", "b")));
    answers.push(graph("/groups/b/members", &member("group", "a")));
    answers.push(graph("/servicePrincipals/agent/owners", &member("servicePrincipal", "agent")));
    let parent = |id: &str, of: &str| json!({ "id": id, "type": "x", "properties": { "parent": { "id": of } } });
    let groups = "/providers/Microsoft.Management/managementGroups";
    answers.push(manager(
        &format!("{groups}/x/descendants"),
        &json!([
            parent(&format!("{groups}/x"), &format!("{groups}/y")),
            parent(&format!("{groups}/y"), &format!("{groups}/x"))
        ]),
    ));
    survive(&answers.iter().map(|answer| format!("{answer}\n")).collect::<String>());
}
