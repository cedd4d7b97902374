//! What identities hold, as lists of grantors: the same list for everyone who is bound alike.

use foldhash::fast::FixedState;
use indexmap::IndexSet;

use super::policy::{Grantor, Policy, index};
use crate::rbac::{ACCOUNTS, ANONYMOUS, AUTHENTICATED, BindingIx, UNAUTHENTICATED};

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
pub(crate) struct Sets(IndexSet<Held, FixedState>);

impl Held {
    /// What an account holds.
    pub(crate) fn of_account(policy: &Policy, namespace: &str, name: &str) -> Self {
        let authorizer = &policy.authorizer;
        let is_discovery =
            |ix: BindingIx| authorizer.binding(ix).is_some_and(|binding| &*binding.role_ref.name == ISSUER_DISCOVERY);
        let own = authorizer.bindings_of_account(namespace, name);
        let of_all = authorizer.bindings_of_group(ACCOUNTS).iter().filter(|ix| !is_discovery(**ix));
        let of_namespace = authorizer.bindings_of_namespace(namespace);
        let of_everybody = authorizer.bindings_of_group(AUTHENTICATED);
        let held = own.iter().chain(of_all).chain(of_namespace).chain(of_everybody);
        Self::new(held.map(|ix| Grantor(ix.0)).collect(), false)
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
        index(self.0.insert_full(held).0)
    }

    pub(crate) fn finish(self) -> Vec<Held> {
        self.0.into_iter().collect()
    }
}

/// The group that everyone who shows a valid credential is in, and the one of everyone else.
pub(crate) fn general_group(name: &str) -> &'static str {
    if matches!(name, ANONYMOUS | UNAUTHENTICATED) { UNAUTHENTICATED } else { AUTHENTICATED }
}
