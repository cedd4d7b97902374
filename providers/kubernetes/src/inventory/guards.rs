//! Admission controls as controls of identities: what may refuse an operation that RBAC allows, and for whom it does.
//!
//! A guard is a control only where it stands before every request of the kind that an identity can make: one that looks
//! into some namespaces is none for an identity that may act in others.

use std::sync::Arc;

use evenhand_model::control::{Control, ControlKind};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::opset::OpSet;

use super::{Acting, Join};
use crate::access::Actor;
use crate::capture::{Guard, GuardBinding, Whom};
use crate::catalog::Operations;
use crate::rbac::{ACCOUNTS, LabelSelector, Labels, account_groups, account_of_user, account_user, applies_to};

/// Roles that the server grants everybody, and that change nothing.
const FOR_EVERYBODY: &[&str] =
    &["system:basic-user", "system:discovery", "system:public-info-viewer", "system:service-account-issuer-discovery"];

/// A guard in force.
struct Standing {
    /// What it is to each identity that it stands before. All share its parts: large clusters have a million pairs of an
    /// identity and a guard.
    control: Control,
    namespaces: Vec<LabelSelector>,
    home: Option<Arc<str>>,
    whom: Whom,
}

impl Join<'_> {
    pub(super) fn take_guards(&mut self, operations: &Operations) {
        let (guards, bindings) =
            (std::mem::take(&mut self.cluster.guards), std::mem::take(&mut self.cluster.guard_bindings));
        let standing: Vec<Standing> = guards.iter().flat_map(|guard| in_force(guard, &bindings, operations)).collect();
        if standing.is_empty() {
            return;
        }
        let mut controls = Vec::new();
        for Acting { id, actor, .. } in &self.joined.actors {
            for guard in &standing {
                let in_place = self.stands_before(guard, actor);
                if in_place != Truth::No {
                    controls.push(Control { identity: id.clone(), in_place, ..guard.control.clone() });
                }
            }
        }
        self.joined.inventory.controls.append(&mut controls);
    }

    /// Whether a guard stands before all that an identity may ask.
    fn stands_before(&self, guard: &Standing, actor: &Actor) -> Truth {
        let looked_at = match &guard.whom {
            Whom::Everyone => Truth::Yes,
            Whom::Subjects(subjects) => is_among(actor, subjects),
            Whom::AllBut(subjects) => is_among(actor, subjects).not(),
            Whom::Unread => Truth::Unknown,
        };
        if looked_at == Truth::No || (guard.namespaces.is_empty() && guard.home.is_none()) {
            return looked_at;
        }
        let authorizer = &self.policy.authorizer;
        let bindings = match actor {
            Actor::Account(namespace, name) => {
                let mut held = authorizer.bindings_of_user(&account_user(namespace, name));
                for group in account_groups(namespace) {
                    held.extend(authorizer.bindings_of_group(&group));
                }
                held
            }
            Actor::User(name) => authorizer.bindings_of_user(name),
            Actor::Group(name) => authorizer.bindings_of_group(name).to_vec(),
            // Held in the whole cluster.
            Actor::HolderOf(_) => return Truth::No,
        };
        let mut all = looked_at;
        for binding in bindings.iter().filter_map(|ix| authorizer.binding(*ix)) {
            let home = &binding.metadata.namespace;
            if home.is_empty() {
                // What everybody is granted, such as discovery, is not asked about by any guard.
                if FOR_EVERYBODY.contains(&&*binding.role_ref.name) {
                    continue;
                }
                return Truth::No;
            }
            let selected = match (&guard.home, self.cluster.namespaces.get(home)) {
                (Some(own), _) if own != home => Truth::No,
                (_, Some(namespace)) => {
                    let mut labels: Labels = namespace.labels.clone();
                    labels.entry(Arc::from("kubernetes.io/metadata.name")).or_insert_with(|| Arc::clone(home));
                    Truth::from(guard.namespaces.iter().all(|selector| selector.matches(&labels)))
                }
                (_, None) if guard.namespaces.is_empty() => Truth::Yes,
                (_, None) => Truth::Unknown,
            };
            all = all.and(selected);
        }
        all
    }
}

/// A guard with the operations that it looks at, once for each way in which it is in force.
fn in_force(guard: &Guard, bindings: &[GuardBinding], operations: &Operations) -> Vec<Standing> {
    let matched = guard.matched.iter().flat_map(|matched| operations.matched_by(matched).ranges().to_vec());
    let set = Arc::new(OpSet::from_ranges(matched));
    if set.is_empty() {
        return Vec::new();
    }
    let standing = |namespaces: Vec<LabelSelector>, evidence: Evidence| Standing {
        control: Control {
            operations: Some(Arc::clone(&set)),
            ..Control::new(IdentityId::from(""), ControlKind::ChangeGate, Truth::Unknown, evidence)
        },
        namespaces,
        home: guard.home.clone(),
        whom: guard.whom.clone(),
    };
    if guard.policy.is_empty() {
        return vec![standing(guard.namespaces.clone(), guard.origin.evidence(""))];
    }
    let bound = bindings.iter().filter(|binding| binding.policy == guard.policy);
    bound
        .map(|binding| {
            let namespaces = guard.namespaces.iter().chain(&binding.namespaces).cloned().collect();
            standing(namespaces, binding.origin.evidence(""))
        })
        .collect()
}

/// Whether an actor is one of some subjects. Who is in a group, nothing here tells.
fn is_among(actor: &Actor, subjects: &[crate::rbac::Subject]) -> Truth {
    let asks = |user: &str, groups: &[Arc<str>]| Truth::from(applies_to(subjects, user, groups, "").is_some());
    // No person is in the groups of accounts.
    let by_group = subjects.iter().any(|subject| &*subject.kind == "Group" && !subject.name.starts_with(ACCOUNTS));
    let by_user = subjects.iter().any(|subject| &*subject.kind == "User" && account_of_user(&subject.name).is_none());
    let unless = |held: Truth, open: bool| if held == Truth::No && open { Truth::Unknown } else { held };
    match actor {
        Actor::Account(namespace, name) => {
            let groups: Vec<Arc<str>> = account_groups(namespace).into();
            asks(&account_user(namespace, name), &groups)
        }
        Actor::User(name) => unless(asks(name, &[]), by_group),
        Actor::Group(name) => unless(asks("", std::slice::from_ref(name)), by_group || by_user),
        Actor::HolderOf(_) => Truth::Unknown,
    }
}
