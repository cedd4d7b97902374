//! The settings of several files taken together: which of them hold, in the order of precedence.

use std::sync::Arc;

use evenhand_model::evidence::Fact;

use super::{ProjectRule, Settings};
use crate::clients::Level;

impl Settings {
    /// Adds what a file of lower precedence says: single values only where none is held, lists always, because clients
    /// join them and, where that is not documented, the wider reading is the safe one.
    pub(crate) fn under(&mut self, lower: &Self) {
        self.read |= lower.read;
        self.read_above_project |= lower.read_above_project;
        self.read_managed |= lower.read_managed;
        keep(&mut self.mode, &lower.mode);
        keep(&mut self.sandboxed, &lower.sandboxed);
        keep(&mut self.sandbox_kept, &lower.sandbox_kept);
        keep(&mut self.sandbox_approves, &lower.sandbox_approves);
        keep(&mut self.telemetry, &lower.telemetry);
        keep(&mut self.project_servers, &lower.project_servers);
        self.widen.extend(lower.widen.iter().cloned());
        let set_aside = self.only_managed_rules;
        self.allow.extend(lower.allow.iter().filter(|said| !set_aside || said.level == Level::Managed).cloned());
        if !lower.in_projects.is_empty() {
            let all = Arc::make_mut(&mut self.in_projects);
            for (project, rules) in &*lower.in_projects {
                all.entry(project.clone()).or_default().extend(rules.iter().cloned());
            }
        }
        self.ask.extend(lower.ask.iter().cloned());
        self.deny.extend(lower.deny.iter().cloned());
        self.forbids.extend(lower.forbids.iter().cloned());
        if lower.reach.as_ref().is_some_and(|reach| self.reach.as_ref().is_none_or(|held| held.value < reach.value)) {
            self.reach.clone_from(&lower.reach);
        }
        keep(&mut self.escape, &lower.escape);
        if !self.only_managed_hooks {
            keep(&mut self.hooks, &lower.hooks);
            self.unclear_hooks |= lower.unclear_hooks;
        }
        self.only_managed_hooks |= lower.only_managed_hooks;
        self.only_managed_rules |= lower.only_managed_rules;
        self.keys.extend(lower.keys.iter().cloned());
        self.unclear.extend(lower.unclear.iter().cloned());
    }

    /// Sets aside a choice of sandbox that an administrator does not allow: some sandbox is then in force.
    pub(crate) fn keep_sandbox(&mut self) {
        let Some(kept) = &self.sandbox_kept else { return };
        if self.sandboxed.as_ref().is_none_or(|said| said.value != Some(true)) {
            self.sandboxed = Some(kept.clone());
        }
    }

    /// With the rules of the projects that `is_it` picks; `None` where there are none.
    pub(crate) fn of_project(&self, is_it: impl Fn(&str) -> bool) -> Option<Self> {
        let picked = self.in_projects.iter().filter(|(project, _)| is_it(project));
        self.with(picked.flat_map(|(_, rules)| rules))
    }

    /// With the rules of a project that the same file calls so; `None` where there are none.
    pub(crate) fn of_named_project(&self, project: &str) -> Option<Self> {
        self.with(self.in_projects.get(project).into_iter().flatten())
    }

    fn with<'r>(&self, rules: impl Iterator<Item = &'r ProjectRule>) -> Option<Self> {
        let set_aside = self.only_managed_rules;
        let mut rules = rules.filter(|rule| !set_aside || rule.said.level == Level::Managed).peekable();
        rules.peek()?;
        let mut own = Self { speaks_of_project: true, ..self.clone() };
        for rule in rules {
            let held = (Arc::from(rule.key), rule.said.evidence.clone());
            if !own.keys.contains(&held) {
                own.keys.push(held);
            }
            own.allow.push(rule.said.clone());
        }
        Some(own)
    }

    /// Whether a key in it decides about approval, sandbox, telemetry or folders.
    pub(crate) fn decides(&self) -> bool {
        self.mode.is_some()
            || !self.widen.is_empty()
            || !self.allow.is_empty()
            || !self.ask.is_empty()
            || !self.deny.is_empty()
            || !self.forbids.is_empty()
            || self.sandboxed.is_some()
            || self.sandbox_kept.is_some()
            || self.telemetry.is_some()
            || self.project_servers.is_some()
            || self.named_project_servers.is_some()
            || self.hooks.is_some()
            || self.escape.is_some()
            || self.reach.is_some()
            || !self.unclear.is_empty()
    }

    /// Whether commands of a repository run at events of the client.
    pub(crate) fn runs_hooks(&self) -> Fact<bool> {
        let runs = self.hooks.is_some();
        if self.unclear_hooks && !runs { Fact::Unknown } else { Fact::Known(runs) }
    }

    /// Whether bypassing approval is forbidden, by whom it may be.
    pub(crate) fn bypass_forbidden(&self) -> bool {
        self.forbids.iter().any(|said| said.value)
    }
}

fn keep<T: Clone>(held: &mut Option<T>, other: &Option<T>) {
    if held.is_none() {
        held.clone_from(other);
    }
}
