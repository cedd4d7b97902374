//! What the credentials that collect have to be allowed, made from the table of calls.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value, json};

use super::cloud::Interface;
use super::step::{About, Step};
use super::table::STEPS;

/// The least rights for the collector: application permissions of Microsoft Graph, and a role in Azure.
pub fn permissions() -> Value {
    let of = |interface: Interface| -> BTreeSet<&str> {
        STEPS.iter().filter(|step| step.interface == interface).map(|step| step.permission()).collect()
    };
    let role = |text: &&str| text.strip_prefix("role ").unwrap_or(text).to_owned();
    let roles: BTreeSet<String> = of(Interface::Manager).iter().map(role).collect();
    json!({
        "microsoft_graph_application_permissions": of(Interface::Graph),
        "azure_roles_at_the_root_management_group": roles,
    })
}

/// The calls as a table in Markdown: path, permission, and what is unknown without it.
pub fn calls_table() -> String {
    let mut text = String::new();
    for about in About::ALL {
        let _ = write!(text, "\n### {}\n\n| call | permission | unknown without it |\n|---|---|---|\n", about.title());
        for step in Step::of(about) {
            let call = step.route.call();
            let words = if step.only_leads { "which subscriptions there are" } else { &call.lost.words };
            let _ = writeln!(text, "| `{}` | `{}` | {words} |", step.said(), step.permission());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::graph;
    use evenhand_model::catalog::AccessLevel;

    #[test]
    fn every_right_is_one_that_microsoft_knows_and_only_reads() {
        let permissions = permissions();
        let named = permissions["microsoft_graph_application_permissions"].as_array().unwrap();
        assert!(named.len() > 8);
        for name in named {
            let name = name.as_str().unwrap();
            // Microsoft's file has no ids of these yet.
            let no_id = name.starts_with("AgentIdentity") || name == "IdentityRiskyAgent.Read.All";
            assert!(graph::of_name(name).is_some() || no_id, "{name}");
            assert!(graph::level(name) <= AccessLevel::Read, "{name}");
        }
        assert_eq!(permissions["azure_roles_at_the_root_management_group"], json!(["Reader"]));
    }

    #[test]
    fn the_table_shows_every_call() {
        let table = calls_table();
        assert_eq!(table.lines().filter(|line| line.starts_with("| `")).count(), STEPS.len());
    }
}
