//! How the columns of the fact tables come to be known: what a NULL leaves open in plain words, and what would tell.

use std::sync::Arc;

use evenhand_model::gap::Subject;
use evenhand_model::table::ColumnSpec;

/// What a column is about; `None` for what is never NULL for want of evidence.
pub(crate) fn about(table: &str, column: &str) -> Option<Subject> {
    Some(match (table, column) {
        (
            _,
            "has_owner" | "owner" | "sponsor" | "has_sponsor" | "purpose" | "has_purpose" | "environment"
            | "environments",
        ) => Subject::Declared,
        (_, "job" | "review_age_days" | "has_review" | "verdict" | "human_role") => Subject::Declared,
        (_, "human_role_name" | "baseline_source" | "baseline_confidence") => Subject::Declared,
        (_, "nature" | "target_nature") => Subject::Nature,
        (_, "owner_active") => Subject::People,
        (_, "registered") => Subject::Register,
        (_, "last_used_at" | "ever_used" | "idle_days") => Subject::Use,
        ("identities", "unused_operations") | ("excess", "used") => Subject::OperationsUsed,
        ("identities", "created_at" | "age_days" | "enabled" | "third_party") => Subject::Record,
        ("identities", "logged" | "agent_activity_logged") | ("logs", _) => Subject::Logs,
        ("identities", "shared_by" | "attributable") => Subject::Users,
        ("identities", "static_credentials" | "human_sign_in") | ("credentials", _) => Subject::Credentials,
        ("identities", "control_gaps" | "control_gap_list" | "open_control_gap_list") | ("controls", _) => {
            Subject::Controls
        }
        ("identities", "can_escalate" | "escalation_target" | "escalation_path") | ("paths", _) => Subject::Escalation,
        ("identities" | "excess", _) => Subject::Access,
        ("trusts", _) => Subject::Trust,
        ("agents", "trigger" | "untrusted_trigger" | "outsider_run_privileged") => Subject::Trigger,
        ("agents", _) => Subject::Settings,
        ("workloads", _) => Subject::Workload,
        ("waivers", _) => Subject::Rules,
        _ => return None,
    })
}

/// What would tell of a subject, where no gap names a call or document.
pub(crate) fn how(subject: Subject) -> &'static str {
    match subject {
        Subject::Access => "add the documents that grant its access and those that limit it",
        Subject::Escalation => "add the descriptions of what runs in its scope and as whom, and of who may become whom",
        Subject::Nature => {
            "add the lists of agents and of what runs in its scope, declare it on the identity by tag or annotation, or name the identity in a `[[job]]`"
        }
        Subject::Use => "add what the provider records of its last use",
        Subject::OperationsUsed => "add what the provider records of the operations that it used",
        Subject::Credentials => "add the provider's list of its credentials, with their dates",
        Subject::Users => "add the workloads, functions and agents of its scope: they say who uses it",
        Subject::Logs => "add the description of the audit logs of its scope",
        Subject::Declared => "declare it on the identity by tag or annotation, or name the identity in a `[[job]]`",
        Subject::People => "add the list of people, so that the owner is found in it",
        Subject::HumanRoles => "add the lists that tell which roles people have",
        Subject::Register => "list the agents and tool servers that you know under `[register]` in evenhand.toml",
        Subject::Settings => {
            "set it in the agent's own configuration, or add the file that sets it: the user's, the project's or the managed one"
        }
        Subject::Trigger => {
            "add the configuration of what starts the agent, such as its endpoint, and who may call that"
        }
        Subject::Trust => "read the trust at its place: what it asks for is compared with nothing that was read",
        Subject::Controls => "add the documents that hold the control, or name it under `controls` of the `[[job]]`",
        Subject::Workload => "add the description of the workload",
        Subject::Rules => "scan without --rule, --skip and --framework, so that the rule is evaluated",
        Subject::Record => "add the provider's own record of the identity",
    }
}

/// What a column says, as the end of “not known: …”.
pub(crate) fn plain(column: &ColumnSpec) -> String {
    let doc = column.doc.trim().trim_end_matches('.');
    let doc = doc.strip_prefix("0 to 1: ").unwrap_or(doc);
    let ends = ["; ", ". ", ": ", ", joined by", " (`"].iter().filter_map(|mark| doc.find(mark)).min();
    let doc = ends.and_then(|end| doc.get(..end)).unwrap_or(doc);
    // A list of the values that there are says less than the name.
    if doc.starts_with('`') || doc.is_empty() {
        return format!("its {}", column.name.replace('_', " "));
    }
    let mut letters = doc.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(letters).collect(),
        _ => doc.to_owned(),
    }
}

/// What the documentation says of a NULL that is more than that nothing is known.
pub(crate) fn null_means(column: &ColumnSpec) -> Option<Arc<str>> {
    let (_, meaning) = column.doc.split_once("NULL = ")?;
    let meaning = meaning.trim().trim_end_matches('.');
    let says_nothing =
        meaning.starts_with("not known") || meaning.contains("or not known") || meaning == "none is known";
    (!says_nothing).then(|| meaning.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tables::TABLES;

    #[test]
    fn every_column_that_can_be_null_says_what_is_open_and_what_would_tell() {
        for table in TABLES.iter().filter(|table| table.name != "gaps") {
            for column in table.columns.iter().filter(|column| column.nullable) {
                let plain = plain(column);
                let name = format!("{}.{}: {plain}", table.name, column.name);
                assert!(about(table.name, column.name).is_some(), "{name}");
                assert!(plain.starts_with(char::is_lowercase) && !plain.ends_with('.'), "{name}");
                for odd in ["NULL", "`", "their ", "these "] {
                    assert!(!plain.contains(odd), "{name}");
                }
            }
        }
    }

    #[test]
    fn the_documentation_of_a_column_is_cut_to_what_it_says() {
        let of = |table: &str, name: &str| {
            let table = TABLES.iter().find(|held| held.name == table).unwrap();
            let column = table.columns.iter().find(|column| column.name == name).unwrap();
            (plain(column), null_means(column).unwrap_or_default().to_string())
        };
        for (table, column, words, because) in [
            ("identities", "admin", "whether it controls its whole scope", ""),
            ("agents", "registered", "whether it is in the register of the configuration", "there is no register"),
            (
                "identities",
                "registered",
                "whether it is in the register of the configuration, or in one of the provider's own",
                "there is no register, or it was not read",
            ),
            ("identities", "last_used_at", "when it last acted", ""),
            // Those that become it from an identity of their own are no part of the number.
            ("identities", "shared_by", "the number of distinct workloads and agents that run as it", ""),
            ("agents", "approval_mode", "its approval mode", ""),
            ("agents", "authenticated", "whether the endpoint demands a credential", ""),
            ("agents", "tls", "whether the endpoint is reached over TLS", ""),
        ] {
            assert_eq!(of(table, column), (words.to_owned(), because.to_owned()), "{table}.{column}");
        }
    }
}
