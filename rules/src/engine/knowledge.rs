//! How the columns of the fact tables come to be known: what a NULL leaves open in plain words, and what would tell.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::gap::Gap;
use evenhand_model::table::ColumnSpec;
use evenhand_model::words::words;

/// What a column is about. Gaps speak of the same things, so a gap of the same scope may be why a column is NULL.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Subject {
    /// What an identity may do, and how that compares.
    Access,
    /// When something was last used.
    Use,
    /// Which operations were used.
    OperationsUsed,
    /// What proves an identity.
    Credentials,
    /// Who uses an identity.
    Users,
    /// What records it.
    Logs,
    /// What its owners say of it.
    Declared,
    /// Who the people are.
    People,
    /// The register of the configuration.
    Register,
    /// An agent's own configuration.
    Settings,
    /// What starts an agent.
    Trigger,
    /// The conditions of a trust.
    Trust,
    /// Controls that people and agents are under.
    Controls,
    /// What a workload is.
    Workload,
    /// The provider's own record of an identity.
    Record,
}

impl Subject {
    /// What a column is about; `None` for what is never NULL for want of evidence.
    pub(crate) fn of(table: &str, column: &str) -> Option<Self> {
        Some(match (table, column) {
            (_, "has_owner" | "owner" | "sponsor" | "purpose" | "has_purpose" | "environment" | "environments") => {
                Self::Declared
            }
            (_, "job" | "review_age_days" | "has_review" | "nature" | "target_nature" | "verdict" | "human_role") => {
                Self::Declared
            }
            (_, "human_role_name" | "baseline_source" | "baseline_confidence") => Self::Declared,
            (_, "owner_active") => Self::People,
            (_, "registered") => Self::Register,
            (_, "last_used_at" | "ever_used" | "idle_days") => Self::Use,
            ("identities", "unused_operations") | ("excess", "used") => Self::OperationsUsed,
            ("identities", "created_at" | "age_days" | "enabled" | "third_party") => Self::Record,
            ("identities", "logged" | "agent_activity_logged") | ("logs", _) => Self::Logs,
            ("identities", "shared_by" | "attributable") => Self::Users,
            ("identities", "static_credentials" | "human_sign_in") | ("credentials", _) => Self::Credentials,
            ("identities", "control_gaps" | "control_gap_list" | "open_control_gap_list") | ("controls", _) => {
                Self::Controls
            }
            ("identities" | "excess" | "paths", _) => Self::Access,
            ("trusts", _) => Self::Trust,
            ("agents", "trigger" | "untrusted_trigger") => Self::Trigger,
            ("agents", _) => Self::Settings,
            ("workloads", _) => Self::Workload,
            _ => return None,
        })
    }

    /// What would tell, where no gap names a call or document.
    pub(crate) fn how(self) -> &'static str {
        match self {
            Self::Access => "add the documents that grant its access and those that limit it",
            Self::Use => "add what the provider records of its last use",
            Self::OperationsUsed => "add what the provider records of the operations that it used",
            Self::Credentials => "add the provider's list of its credentials, with their dates",
            Self::Users => "add the workloads, functions and agents of its scope: they say who uses it",
            Self::Logs => "add the description of the audit logs of its scope",
            Self::Declared => "declare it on the identity by tag or annotation, or name the identity in a `[[job]]`",
            Self::People => "add the list of people, so that the owner is found in it",
            Self::Register => "list the agents and tool servers that you know under `[register]` in evenhand.toml",
            Self::Settings => {
                "set it in the agent's own configuration, or add the file that sets it: the user's, the project's or the managed one"
            }
            Self::Trigger => {
                "add the configuration of what starts the agent, such as its endpoint, and who may call that"
            }
            Self::Trust => "read the trust at its place: what it asks for is compared with nothing that was read",
            Self::Controls => "add the documents that hold the control, or name it under `controls` of the `[[job]]`",
            Self::Workload => "add the description of the workload",
            Self::Record => "add the provider's own record of the identity",
        }
    }

    /// Whether a gap speaks of this.
    fn is_told_by(self, gap: &BTreeSet<String>) -> bool {
        let any = |words: &[&str]| words.iter().any(|word| gap.contains(*word));
        let all_in_it = any(&["everything", "every", "whatever"]);
        let logs = any(&["log", "logs", "logged", "recorded", "records"]);
        let keys = any(&["key", "keys"]);
        all_in_it
            || match self {
                Self::Access => {
                    any(&["granted", "grant", "grants", "policy", "policies", "boundaries", "permission", "identities"])
                        || any(&["access"]) && !keys
                }
                Self::Use => any(&["use", "used"]) && !any(&["operations"]),
                Self::OperationsUsed => any(&["use", "used"]) && any(&["operations"]),
                Self::Credentials => {
                    keys || any(&["credential", "credentials", "password", "passwords", "factors", "secrets", "tokens"])
                }
                Self::Users => {
                    !logs
                        && any(&[
                            "functions",
                            "function",
                            "agents",
                            "runtimes",
                            "gateways",
                            "instances",
                            "pods",
                            "runs",
                        ])
                }
                Self::Logs => logs,
                Self::Declared => any(&["owner", "owners", "identities"]),
                Self::People => any(&["people"]),
                Self::Trigger => any(&["invoke", "callers", "addresses"]),
                Self::Trust => any(&["become", "providers", "parties"]),
                Self::Workload => any(&["runs", "functions", "function", "images"]),
                Self::Record => any(&["identities", "users", "third"]),
                Self::Register | Self::Settings | Self::Controls => false,
            }
    }
}

/// A gap with what it may be the cause of.
pub(crate) struct Told<'a> {
    gap: &'a Gap,
    words: BTreeSet<String>,
}

impl<'a> Told<'a> {
    pub(crate) fn new(gap: &'a Gap) -> Self {
        Self { gap, words: words(&gap.facts).into_iter().collect() }
    }

    pub(crate) fn speaks_of(&self, subject: Subject) -> bool {
        subject.is_told_by(&self.words)
    }

    /// What brings it, in a line.
    pub(crate) fn remedy(&self) -> String {
        let place = self.gap.scope.as_ref().map(|scope| format!(" in {scope}")).unwrap_or_default();
        format!("{}{place}: {}", self.gap.call, self.gap.reason)
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
    use evenhand_model::gap::GapKind;

    use super::*;
    use crate::facts::tables::TABLES;

    #[test]
    fn every_column_that_can_be_null_says_what_is_open_and_what_would_tell() {
        for table in TABLES.iter().filter(|table| table.name != "gaps") {
            for column in table.columns.iter().filter(|column| column.nullable) {
                let plain = plain(column);
                let name = format!("{}.{}: {plain}", table.name, column.name);
                assert!(Subject::of(table.name, column.name).is_some(), "{name}");
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
            ("identities", "registered", "whether it is in the register of the configuration", "there is no register"),
            ("identities", "last_used_at", "when it last acted", ""),
            ("agents", "approval_mode", "its approval mode", ""),
            ("agents", "authenticated", "whether the endpoint demands a credential", ""),
            ("agents", "tls", "whether the endpoint is reached over TLS", ""),
        ] {
            assert_eq!(of(table, column), (words.to_owned(), because.to_owned()), "{table}.{column}");
        }
    }

    #[test]
    fn a_gap_is_held_to_what_its_facts_speak_of() {
        let gap = |facts: &str| Gap {
            provider: None,
            scope: Some("1".into()),
            kind: GapKind::NotCollected,
            call: "list things".into(),
            reason: "not part of the capture; run the call".into(),
            facts: facts.into(),
        };
        for (facts, subjects) in [
            ("access granted by these policies", &[Subject::Access][..]),
            ("passwords, factors, access keys and their last use", &[Subject::Use, Subject::Credentials]),
            (
                "functions, their roles and the secrets in their environment",
                &[Subject::Credentials, Subject::Users, Subject::Workload],
            ),
            ("whether an audit log records agents", &[Subject::Logs]),
            ("what runs with each account", &[Subject::Users, Subject::Workload]),
            ("which operations were used", &[Subject::OperationsUsed]),
            (
                "service and resource control policies, and which accounts are third parties",
                &[Subject::Access, Subject::Trust, Subject::Record],
            ),
        ] {
            let gap = gap(facts);
            let told = Told::new(&gap);
            let all = [
                Subject::Access,
                Subject::Use,
                Subject::OperationsUsed,
                Subject::Credentials,
                Subject::Users,
                Subject::Logs,
                Subject::Declared,
                Subject::People,
                Subject::Register,
                Subject::Settings,
                Subject::Trigger,
                Subject::Trust,
                Subject::Controls,
                Subject::Workload,
                Subject::Record,
            ];
            let spoken: Vec<Subject> = all.into_iter().filter(|subject| told.speaks_of(*subject)).collect();
            assert_eq!(spoken, subjects, "{facts}");
            assert_eq!(told.remedy(), "list things in 1: not part of the capture; run the call");
        }
    }
}
