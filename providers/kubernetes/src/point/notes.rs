//! What in the objects of a line grants nothing although it seems to.

use std::ops::Range;

use super::answer::Note;
use super::lists::LOCAL_ROLES;
use crate::rbac::{Authorizer, BindingIx, Role, Rule, account_home, dead_parts};

/// The most notes of one line; one more says that there are others.
const MOST: usize = 20;

/// Notes are taken in the order of the objects.
#[derive(Debug, Default)]
pub(super) struct Notes {
    all: Vec<Note>,
    more: usize,
}

impl Notes {
    /// Notes on the rules of roles that stand in a list of the line.
    pub(super) fn on_roles(&mut self, list: &str, roles: &[Role]) {
        for (at, role) in roles.iter().enumerate() {
            let place = || format!("/{list}/{at}");
            if list == LOCAL_ROLES && role.metadata.namespace.is_empty() {
                self.push(&place(), || "the Role has no namespace, so no binding reaches it: name it".to_owned());
            }
            for (number, rule) in role.rules.iter().enumerate().filter(|_| role.aggregation_rule.is_none()) {
                let place = format!("{}/rules/{number}", place());
                self.on_rule(&place, rule);
                if list == LOCAL_ROLES && !rule.non_resource_urls.is_empty() {
                    self.push(&place, || "a URL is in no namespace: only a ClusterRole grants it".to_owned());
                }
            }
        }
    }

    fn on_rule(&mut self, at: &str, rule: &Rule) {
        for part in dead_parts(rule) {
            self.push(at, || {
                format!(
                    "`{part}` matches no request: write the core group as an empty text, and subresources one by one or as `*/NAME`"
                )
            });
        }
        // Impersonation of somebody's node, or with many groups, does ask for that name.
        let asked = rule.api_groups.iter().any(|group| matches!(&**group, "authentication.k8s.io" | "*"));
        if !asked && rule.resource_names.iter().any(|name| &**name == "*") {
            self.push(at, || {
                "a star in `resourceNames` is a literal name: leave the list out for all names".to_owned()
            });
        }
    }

    /// Notes on the bindings of a list of the line, which have these numbers in the authorizer.
    pub(super) fn on_bindings(&mut self, list: &str, numbers: Range<usize>, authorizer: &Authorizer) {
        for (at, number) in numbers.enumerate() {
            let ix = BindingIx(u32::try_from(number).unwrap_or(u32::MAX));
            let Some(binding) = authorizer.binding(ix) else { continue };
            if authorizer.role_of(ix).is_none() {
                self.push(&format!("/{list}/{at}/roleRef"), || {
                    let role = &binding.role_ref;
                    format!(
                        "there is no {} `{}` here, so the binding grants nothing: give the role",
                        role.kind, role.name
                    )
                });
            }
            for (number, subject) in binding.subjects.iter().enumerate() {
                let place = || format!("/{list}/{at}/subjects/{number}");
                match &*subject.kind {
                    "User" | "Group" => {}
                    "ServiceAccount" if account_home(binding, subject).is_empty() => {
                        self.push(&place(), || {
                            "the ServiceAccount has no namespace and matches nobody: name it".to_owned()
                        });
                    }
                    "ServiceAccount" => {}
                    other => self.push(&place(), || {
                        format!("a subject of kind `{other}` matches nobody: write User, Group or ServiceAccount")
                    }),
                }
            }
        }
    }

    fn push(&mut self, at: &str, message: impl FnOnce() -> String) {
        if self.all.len() < MOST {
            self.all.push(Note { at: at.to_owned(), message: message() });
        } else {
            self.more += 1;
        }
    }

    pub(super) fn finish(mut self) -> Box<[Note]> {
        if self.more > 0 {
            self.all.push(Note { at: String::new(), message: format!("and {} more of the kind", self.more) });
        }
        self.all.into()
    }
}
