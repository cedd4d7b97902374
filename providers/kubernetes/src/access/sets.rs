//! What identities hold, as lists of grantors: the same list for everyone who is bound alike.

use foldhash::fast::FixedState;
use std::collections::HashMap;

use super::policy::{Grantor, Policy, index};
use crate::rbac::{ACCOUNTS, ANONYMOUS, AUTHENTICATED, BindingIx, UNAUTHENTICATED, account_groups, account_user};

/// What an identity holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Held {
    pub(crate) grantors: Vec<Grantor>,
    pub(crate) unlimited: bool,
}

/// The public keys of the cluster's token issuer are open to every service account and to no human role. They are left
/// out of the access of service accounts, because a comparison would show the same meaningless excess for each; single
/// decisions know them.
const ISSUER_DISCOVERY: &str = "system:service-account-issuer-discovery";

/// Collects what identities hold, equal holdings once.
#[derive(Default)]
pub(crate) struct Sets {
    numbers: HashMap<Held, u32, FixedState>,
    sets: Vec<Held>,
}

impl Held {
    /// What an account holds.
    pub(crate) fn of_account(policy: &Policy, namespace: &str, name: &str) -> Self {
        let mut held: Vec<BindingIx> = policy.authorizer.bindings_of_user(&account_user(namespace, name));
        for group in account_groups(namespace) {
            held.extend(policy.authorizer.bindings_of_group(&group).iter().filter(|ix| {
                !(&*group == ACCOUNTS
                    && policy
                        .authorizer
                        .binding(**ix)
                        .is_some_and(|binding| &*binding.role_ref.name == ISSUER_DISCOVERY))
            }));
        }
        Self::new(held.into_iter().map(|ix| Grantor(ix.0)).collect(), false)
    }

    /// What a user holds.
    pub(crate) fn of_user(policy: &Policy, name: &str) -> Self {
        let mut held = policy.authorizer.bindings_of_user(name);
        held.extend(policy.authorizer.bindings_of_group(general_group(name)));
        Self::new(held.into_iter().map(|ix| Grantor(ix.0)).collect(), false)
    }

    /// What a group holds.
    pub(crate) fn of_group(policy: &Policy, name: &str) -> Self {
        let mut held = policy.authorizer.bindings_of_group(name).to_vec();
        held.extend(policy.authorizer.bindings_of_group(general_group(name)));
        Self::new(held.into_iter().map(|ix| Grantor(ix.0)).collect(), name == crate::rbac::MASTERS)
    }

    /// What whoever holds a role holds.
    pub(crate) fn of_role(policy: &Policy, role: Grantor) -> Self {
        let mut held = vec![role];
        held.extend(policy.authorizer.bindings_of_group(AUTHENTICATED).iter().map(|ix| Grantor(ix.0)));
        Self::new(held, false)
    }

    fn new(mut grantors: Vec<Grantor>, unlimited: bool) -> Self {
        grantors.sort_unstable();
        grantors.dedup();
        Self { grantors, unlimited }
    }
}

impl Sets {
    /// The number of what is held: the same for all who hold the same.
    pub(crate) fn number(&mut self, held: Held) -> u32 {
        if let Some(number) = self.numbers.get(&held) {
            return *number;
        }
        let number = index(self.sets.len());
        self.sets.push(held.clone());
        self.numbers.insert(held, number);
        number
    }

    pub(crate) fn finish(self) -> Vec<Held> {
        self.sets
    }
}

/// The group that everyone who shows a valid credential is in, and the one of everyone else.
pub(crate) fn general_group(name: &str) -> &'static str {
    if matches!(name, ANONYMOUS | UNAUTHENTICATED) { UNAUTHENTICATED } else { AUTHENTICATED }
}
