//! What the credentials that collect have to be allowed, made from the table of calls.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::table::{Reach, STEPS, Step};
use crate::documents::route::Route;

/// Levels, the lowest first.
const LEVELS: [&str; 3] = ["read", "write", "admin"];

/// Scopes of a classic token that allow the same, each with a call that no other of them is enough for: `admin:org` holds
/// `read:org`, which is enough for what Copilot's seats tell, and `repo` holds webhooks of repositories. After each call's
/// description in GitHub's REST API, and "Scopes for OAuth apps".
const SCOPES: [(&str, Route); 4] = [
    ("admin:org", Route::OrganisationActions),
    ("admin:org_hook", Route::OrganisationHooks),
    ("read:audit_log", Route::AuditLog),
    ("repo", Route::RepositorySecrets),
];

/// The least permissions for the collector, as GitHub names them in an app's registration and in its refusals. Those that
/// allow to write are apart: GitHub names only to them who may bypass a ruleset, and without them this is unknown.
pub fn permissions() -> Value {
    let mut least: BTreeMap<&str, &str> = BTreeMap::new();
    let mut for_bypasses: BTreeMap<&str, &str> = BTreeMap::new();
    for step in STEPS.iter().filter(|step| step.reach != Reach::Enterprise) {
        let Some((family, level)) = step.call().permission.split_once('=') else { continue };
        let to = if level == "read" { &mut least } else { &mut for_bypasses };
        let rank = |level: &str| LEVELS.iter().position(|held| *held == level);
        let held = to.entry(family).or_insert(level);
        if rank(held) < rank(level) {
            *held = level;
        }
    }
    let scopes = SCOPES.map(|(scope, _)| scope);
    json!({"default_permissions": least, "to_see_who_may_bypass_rulesets": for_bypasses, "scopes_of_a_classic_token": scopes})
}

/// The calls as a table in Markdown: path, permission, plan, and what is unknown without it.
pub fn calls_table() -> String {
    let mut text = String::new();
    for (reach, title) in [
        (Reach::Organisation, "Each organisation, once"),
        (Reach::Repository, "Each repository"),
        (Reach::Enterprise, "The enterprise, once, where one is named"),
    ] {
        let _ = write!(text, "\n### {title}\n\n| call | permission | unknown without it |\n|---|---|---|\n");
        for step in Step::of(reach) {
            let call = step.call();
            let permission =
                if call.permission.is_empty() { "none".to_owned() } else { format!("`{}`", call.permission) };
            let plan = step.plan.map(|plan| format!("; {plan} only")).unwrap_or_default();
            let _ = writeln!(text, "| `GET {}` | {permission}{plan} | {} |", call.path, call.lost.words);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_scope_is_asked_for_that_another_one_holds() {
        // "Scopes for OAuth apps", Available scopes.
        let holds = [
            ("admin:org", ["write:org", "read:org", "manage_billing:copilot"].as_slice()),
            ("repo", &["public_repo", "security_events", "admin:repo_hook"]),
            ("admin:org_hook", &[]),
            ("read:audit_log", &[]),
        ];
        let named: Vec<&str> = SCOPES.iter().map(|(scope, _)| *scope).collect();
        for (scope, held) in holds {
            assert!(named.contains(&scope) && held.iter().all(|held| !named.contains(held)), "{scope}");
        }
        let calls: std::collections::BTreeSet<Route> = SCOPES.iter().map(|(_, route)| *route).collect();
        assert!(calls.len() == holds.len() && calls.iter().all(|route| STEPS.iter().any(|step| step.route == *route)));
    }

    #[test]
    fn the_permissions_are_those_of_the_table_and_only_rulesets_ask_for_more_than_reading() {
        let permissions = permissions();
        let of = |part: &str| permissions[part].as_object().unwrap().clone();
        assert!(of("default_permissions").values().all(|level| level == "read"));
        let more: Vec<String> = of("to_see_who_may_bypass_rulesets").keys().cloned().collect();
        assert_eq!(more, ["administration", "organization_administration"]);
        for step in STEPS.iter().filter(|step| step.reach != Reach::Enterprise && !step.call().permission.is_empty()) {
            let family = step.call().permission.split('=').next().unwrap();
            assert!(permissions.to_string().contains(&format!("\"{family}\":")), "{family}");
        }
    }
}
