//! What a bare answer is about: told by its `@odata.context`, by what `az` prints, and by where its file lies.

use evenhand_model::document::{Document, Head};

use super::route::{Asked, Route, relation};

/// Tenant (empty = nothing tells) and call of a bare answer; `None` where nothing tells what it is.
pub(super) fn of_bare(document: &Document) -> Option<(String, Asked)> {
    let head = &document.head;
    if head.has("evenhand_capture") || head.has("host") && head.has("path") {
        return None;
    }
    let asked = of_context(document)
        .or_else(|| of_content(head, &document.text))
        .or_else(|| of_file(&document.path).filter(|_| could_be(head)))?;
    Some((tenant_of(&document.path), asked))
}

/// Whether a document can be an answer at all: of what lies in a folder of answers, not everything is.
fn could_be(head: &Head) -> bool {
    let lists = |key: &str| head.element(key).is_some() || head.is_empty_list(key);
    head.has("@odata.context") || lists("value") || lists("")
}

/// A tenant whose folder a file lies in: `azure/TENANT/…`.
fn tenant_of(path: &str) -> String {
    let mut segments = path.split('/');
    segments.find(|segment| *segment == "azure");
    segments.next().filter(|segment| is_guid(segment)).unwrap_or_default().to_ascii_lowercase()
}

fn is_guid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// What Graph says that an answer is: `…/$metadata#servicePrincipals('ID')/appRoleAssignments`.
fn of_context(document: &Document) -> Option<Asked> {
    if !document.head.has("@odata.context") {
        return None;
    }
    let (_, behind) = document.text.split_once("\"@odata.context\"")?;
    let (_, behind) = behind.split_once('"')?;
    let (context, _) = behind.split_once('"')?;
    let (_, named) = context.split_once("$metadata#")?;
    let named = named.trim_end_matches("/$entity");
    // Keys stand in brackets with quotes; lists of members to show and to expand in brackets without.
    let mut path = String::new();
    let mut rest = named;
    while let Some((before, behind)) = rest.split_once('(') {
        path.push_str(before);
        if let Some(key) = behind.strip_prefix('\'') {
            let (key, after) = key.split_once("')")?;
            path.push('/');
            path.push_str(key);
            rest = after;
        } else {
            let mut depth = 1_usize;
            let end = behind.find(|c| {
                depth = match c {
                    '(' => depth + 1,
                    ')' => depth - 1,
                    _ => depth,
                };
                depth == 0
            })?;
            rest = behind.get(end + 1..)?;
        }
    }
    path.push_str(rest);
    Asked::parse(&path).or_else(|| of_file(&document.path))
}

/// Where a file lies, for answers that say no more than that they list objects: `…/ID/owners.json`, `owners-ID.json`,
/// `ID-owners.json`, or, below a folder `azure`, the path of its call.
fn of_file(path: &str) -> Option<Asked> {
    let path = path.strip_suffix(".gz").or_else(|| path.strip_suffix(".zst")).unwrap_or(path);
    let path = path.strip_suffix(".json")?;
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = folder.rsplit('/').next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let pair = match relation(&lower) {
        Some(route) => is_guid(parent).then(|| (route, parent.to_ascii_lowercase())),
        None => {
            let before = lower.split_once('-').filter(|(_, id)| is_guid(id));
            let after = lower.rsplit_once('-').filter(|(id, _)| is_guid(id));
            match (before, after) {
                (Some((word, id)), _) | (_, Some((id, word))) => relation(word).map(|route| (route, id.to_owned())),
                _ => None,
            }
        }
    };
    if let Some((route, of)) = pair {
        return Some(Asked { route, of });
    }
    let mut below = path;
    loop {
        let at = below.find("azure/")?;
        let starts = at == 0 || below.get(..at).is_some_and(|before| before.ends_with('/'));
        below = below.get(at + "azure/".len()..)?;
        if !starts {
            continue;
        }
        let call = match below.split_once('/') {
            Some((first, rest)) if is_guid(first) => rest,
            _ => below,
        };
        // A folder for each of the two interfaces, as their hosts are called, may lie in between.
        if let Some(asked) = Asked::parse(call).or_else(|| Asked::parse(call.split_once('/')?.1)) {
            return Some(asked);
        }
    }
}

/// Answers that are known by what their first object has.
fn of_content(head: &Head, text: &str) -> Option<Asked> {
    let asked = |route| Some(Asked { route, of: String::new() });
    let list = ["", "value", "data"].into_iter().find(|key| head.element(key).is_some())?;
    let first = head.element(list)?;
    let holds = |keys: &[&str]| keys.iter().all(|key| first.iter().any(|held| held == key));
    if holds(&["appId", "servicePrincipalType"]) {
        return asked(Route::ServicePrincipals);
    }
    if holds(&["appId", "signInAudience"]) {
        return asked(Route::Applications);
    }
    if holds(&["userPrincipalName", "id", "displayName"]) && list.is_empty() {
        return asked(Route::Users);
    }
    if holds(&["securityEnabled", "mailEnabled", "id"]) {
        return asked(Route::Groups);
    }
    if holds(&["clientId", "consentType", "resourceId"]) {
        return asked(Route::DelegatedGrants);
    }
    if holds(&["principalId", "appRoleId", "resourceId"]) {
        return asked(Route::AppRoleAssignedTo);
    }
    if list == "data" && holds(&["id", "type", "tenantId"]) {
        return asked(Route::Resources);
    }
    // Everything of Resource Manager has an id, which says what it is.
    if holds(&["id"]) {
        return of_id(&first_id(text, list)?);
    }
    None
}

/// The id of the first element of a list.
fn first_id(text: &str, list: &str) -> Option<String> {
    let behind = if list.is_empty() { text } else { text.split_once(&format!("\"{list}\""))?.1 };
    // The first member of that name may belong to an object inside; those of Resource Manager are paths all the same.
    behind.match_indices("\"id\"").find_map(|(at, _)| {
        let value = behind.get(at + 4..)?.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        let (id, _) = value.split_once('"')?;
        id.starts_with('/').then(|| id.to_owned())
    })
}

/// The call that lists an object of Resource Manager, by its id.
fn of_id(id: &str) -> Option<Asked> {
    let lower = id.to_ascii_lowercase();
    let (list, _) = lower.rsplit_once('/')?;
    let known = Asked::parse(list).filter(|asked| !asked.route.is_graph() && asked.route != Route::Hierarchy);
    let resource = || {
        let is_one = lower.starts_with("/subscriptions/") && lower.contains("/providers/");
        is_one.then(|| Asked { route: Route::Resources, of: String::new() })
    };
    known.or_else(resource)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use evenhand_model::document::{FileFacts, Format};

    use super::*;

    const ID: &str = "0f4d6c8a-1111-2222-3333-0123456789ab";

    fn document(path: &str, text: &str) -> Document {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
        };
        let mut head = Head { keys: keys(&value), ..Head::default() };
        let lists =
            value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value)).chain([("", &value)]);
        for (key, list) in lists.filter_map(|(key, value)| Some((key, value.as_array()?))) {
            match list.first() {
                Some(first) => head.elements.push((key.to_owned(), keys(first))),
                None => head.empty_lists.push(key.to_owned()),
            }
        }
        Document {
            path: Arc::from(path),
            relative: Arc::from(path),
            source_name: Arc::from("x"),
            format: Format::Json,
            text: text.to_owned(),
            head,
            file: FileFacts::default(),
        }
    }

    #[test]
    fn a_bare_answer_is_known_by_its_context_its_content_or_its_place() {
        let graph = "https://graph.microsoft.com/v1.0/$metadata";
        let context = |named: &str| format!(r#"{{"@odata.context":"{graph}#{named}","value":[]}}"#);
        let arm = |kind: &str| format!(r#"[{{"name":"x","id":"/subscriptions/s/providers/{kind}/x"}}]"#);
        for (path, text, route, of) in [
            ("a.json", context("servicePrincipals(id,displayName)"), Route::ServicePrincipals, ""),
            (
                "a.json",
                context(&format!("servicePrincipals('{ID}')/appRoleAssignments")),
                Route::AppRoleAssignments,
                ID,
            ),
            (
                "a.json",
                context("policies/roleManagementPolicyAssignments(policy(rules()))"),
                Route::ActivationRules,
                "",
            ),
            ("a.json", context("identity/conditionalAccess/policies"), Route::ConditionalAccess, ""),
            (&format!("x/{ID}/owners.json"), context("directoryObjects"), Route::Owners, ID),
            (&format!("x/sponsors-{ID}.json"), context("directoryObjects"), Route::Sponsors, ID),
            (&format!("x/{ID}-members.json"), r#"{"value":[]}"#.to_owned(), Route::Members, ID),
            (&format!("azure/{ID}/users.json"), r#"{"value":[]}"#.to_owned(), Route::Users, ""),
            (
                "sp.json",
                r#"[{"appId":"a","servicePrincipalType":"Application"}]"#.to_owned(),
                Route::ServicePrincipals,
                "",
            ),
            ("x.json", r#"[{"userPrincipalName":"a","id":"b","displayName":"c"}]"#.to_owned(), Route::Users, ""),
            ("x.json", arm("Microsoft.Authorization/roleAssignments"), Route::RoleAssignments, "/subscriptions/s"),
            (
                "x.json",
                arm("Microsoft.ManagedIdentity/userAssignedIdentities"),
                Route::ManagedIdentities,
                "/subscriptions/s",
            ),
            ("x.json", arm("Microsoft.Web/sites"), Route::Resources, ""),
        ] {
            let (tenant, asked) = of_bare(&document(path, &text)).unwrap_or_else(|| panic!("{path} {text}"));
            assert_eq!((asked.route, asked.of.as_str()), (route, of), "{path} {text}");
            assert_eq!(tenant, if path.starts_with("azure/") { ID } else { "" });
        }
    }

    #[test]
    fn what_tells_nothing_is_not_azures() {
        let context = r#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#directoryObjects","value":[]}"#;
        for (path, text) in [
            ("owners.json", context),
            ("x.json", r#"[{"id":"1","name":"x"}]"#),
            ("x.json", r#"{"id":"/subscriptions/s"}"#),
            ("azure/notes.json", r#"{"value":[]}"#),
        ] {
            assert!(of_bare(&document(path, text)).is_none(), "{path} {text}");
        }
    }
}
