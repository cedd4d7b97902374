//! How much runs unasked, once a client's files are taken together and its defaults applied.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::agent::ApprovalMode;
use evenhand_model::evidence::{Evidence, Fact, Truth};

use crate::clients::{Client, Effect, Unset};
use crate::permissions::{Action, Rule};
use crate::server::Server;
use crate::settings::{Settings, Standing};

/// The approval columns of a row.
pub(crate) struct Approval {
    pub(crate) mode: Fact<ApprovalMode>,
    /// The mode without what allow-lists and sandboxes add: what holds for tools of tool servers.
    pub(crate) base: Fact<ApprovalMode>,
    /// Whether nothing was set at all.
    pub(crate) defaulted: bool,
    /// Whether the base is the default.
    pub(crate) base_defaulted: bool,
    pub(crate) auto_approved: Fact<Vec<Arc<str>>>,
    pub(crate) all: Fact<bool>,
    pub(crate) external: Fact<bool>,
    /// The key that decided.
    pub(crate) evidence: Option<Evidence>,
}

fn fact(truth: Truth) -> Fact<bool> {
    Fact::known(truth.known())
}

/// What the rules let run: first what is known to reach beyond the machine, for lists are read from their beginning.
fn texts<'r>(rules: impl Iterator<Item = &'r Rule>) -> Vec<Arc<str>> {
    let mut texts: Vec<(bool, &str)> =
        rules.map(|rule| (rule.has_external_effect() != Truth::Yes, rule.text.as_str())).collect();
    texts.sort_unstable();
    // Rules that differ in what is not shown may look the same.
    let mut seen = BTreeSet::new();
    texts.into_iter().filter(|(_, text)| seen.insert(*text)).map(|(_, text)| Arc::from(text)).collect()
}

impl Approval {
    /// The approval of a client.
    pub(crate) fn of_client(client: &Client, settings: &Settings, standing: &Standing<'_>) -> Self {
        let forbidden = settings.bypass_forbidden();
        let mut evidence = settings.mode.as_ref().map(|said| said.evidence.clone());
        let mut base = match (&settings.mode, client.default) {
            (Some(said), _) => Fact::known(said.value),
            (None, Unset::Mode(mode)) => Fact::Known(mode),
            (None, Unset::Elsewhere) => Fact::Unknown,
        };
        if forbidden && base == Fact::Known(ApprovalMode::Bypass) {
            base = Fact::Known(ApprovalMode::Prompt);
        }
        let mut widened = false;
        for said in &settings.widen {
            let Some(mode) = said.value else { continue };
            if forbidden && mode == ApprovalMode::Bypass {
                continue;
            }
            let wider = match base {
                Fact::Known(held) => mode > held,
                // Above an unknown mode only the widest is certain.
                Fact::Absent | Fact::Unknown => mode == ApprovalMode::Bypass,
            };
            if wider {
                base = Fact::Known(mode);
                evidence = Some(said.evidence.clone());
                widened = true;
            }
        }
        let rules = &standing.rules;
        let everything = rules.iter().find(|rule| rule.value.action == Action::Everything);
        if let (Some(rule), false) = (everything, forbidden) {
            base = Fact::Known(ApprovalMode::Bypass);
            evidence = Some(rule.evidence.clone());
        }
        let mut mode = base;
        if mode == Fact::Known(ApprovalMode::Prompt) {
            let sandboxed = settings.sandboxed.as_ref().filter(|said| said.value == Some(true));
            let approves = settings.sandbox_approves.as_ref().and_then(|said| said.value).unwrap_or(true);
            let knows = client
                .files
                .iter()
                .any(|file| file.keys.iter().any(|key| matches!(key.effect, Effect::SandboxApproves(_))));
            if let (Some(said), true, true) = (sandboxed, knows, approves) {
                mode = Fact::Known(ApprovalMode::Partial);
                evidence = Some(said.evidence.clone());
            }
            if let Some(rule) = rules.first() {
                mode = Fact::Known(ApprovalMode::Partial);
                // A blanket rule, or one with effects outside, tells more than the first in the list.
                let telling = rules
                    .iter()
                    .find(|rule| rule.value.is_blanket())
                    .or_else(|| rules.iter().find(|rule| rule.value.has_external_effect() == Truth::Yes))
                    .unwrap_or(rule);
                evidence = Some(telling.evidence.clone());
            }
        }
        let bypass = mode == Fact::Known(ApprovalMode::Bypass);
        let blanket = rules.iter().any(|rule| rule.value.is_blanket());
        let of_rules = rules.iter().fold(Truth::No, |all, rule| all.or(rule.value.has_external_effect()));
        let of_mode = match mode {
            Fact::Known(ApprovalMode::Bypass) => Truth::Yes,
            Fact::Known(ApprovalMode::Prompt) => Truth::No,
            // Only the rules make it partial.
            Fact::Known(ApprovalMode::Partial) if base == Fact::Known(ApprovalMode::Prompt) && !rules.is_empty() => {
                Truth::No
            }
            _ => Truth::Unknown,
        };
        let listed = texts(rules.iter().map(|rule| &rule.value));
        Self {
            mode,
            base,
            defaulted: settings.mode.is_none() && !widened && rules.is_empty() && mode == base,
            base_defaulted: settings.mode.is_none() && !widened && everything.is_none(),
            auto_approved: unasked(bypass, listed, mode),
            all: if bypass || blanket {
                Fact::Known(true)
            } else if mode == Fact::Unknown {
                Fact::Unknown
            } else {
                Fact::Known(false)
            },
            external: fact(of_mode.or(of_rules)),
            evidence,
        }
    }

    /// The approval of a tool server: its own keys, and those of its client that speak of it.
    pub(crate) fn of_server(server: &Server, client: &Self, standing: &Standing<'_>) -> Self {
        let rules: Vec<&Rule> = server.rules.iter().chain(standing.of_server(&server.name).iter().copied()).collect();
        let whole = rules.iter().any(|rule| matches!(rule.action, Action::Server(_, None)));
        let all = server.all || whole || client.base == Fact::Known(ApprovalMode::Bypass);
        let mode = if all {
            Fact::Known(ApprovalMode::Bypass)
        } else if server.approvals_unread() {
            Fact::Unknown
        } else {
            match client.base {
                Fact::Known(ApprovalMode::Prompt) if !rules.is_empty() => Fact::Known(ApprovalMode::Partial),
                known => known,
            }
        };
        let listed = texts(rules.iter().copied());
        let effects = rules.iter().fold(Truth::No, |all, rule| all.or(rule.has_external_effect()));
        let rest = if mode == Fact::Known(ApprovalMode::Prompt)
            || (mode == Fact::Known(ApprovalMode::Partial) && client.base != mode)
        {
            Truth::No
        } else {
            Truth::Unknown
        };
        Self {
            mode,
            base: mode,
            defaulted: client.base_defaulted && rules.is_empty() && !server.all,
            base_defaulted: client.base_defaulted,
            auto_approved: unasked(all, listed, mode),
            all: if all {
                Fact::Known(true)
            } else if mode == Fact::Unknown {
                Fact::Unknown
            } else {
                Fact::Known(false)
            },
            external: fact(effects.or(rest)),
            evidence: None,
        }
    }
}

/// The tools that run unasked: every one, those listed, none where the client asks each time, else not known.
fn unasked(every: bool, listed: Vec<Arc<str>>, mode: Fact<ApprovalMode>) -> Fact<Vec<Arc<str>>> {
    if every {
        Fact::Known(vec![Arc::from("*")])
    } else if !listed.is_empty() {
        Fact::Known(listed)
    } else if mode == Fact::Known(ApprovalMode::Prompt) {
        Fact::Absent
    } else {
        Fact::Unknown
    }
}
