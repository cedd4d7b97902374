//! What would be if some identities held another access: the resolvers of a capture with these answers replaced.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::access::{Access, AccessResolver, DecideError, Decision, Edge, Grant, GrantIx, Request, Unread};
use evenhand_model::catalog::Catalog;
use evenhand_model::id::{IdentityId, ProviderName};
use evenhand_model::opset::OpSet;
use evenhand_rules::resolvers::Resolvers;

/// The resolvers with the accesses of some identities replaced, for comparisons. Decisions and steps to more access stay
/// those of the present access.
pub fn holding(all: &Arc<Resolvers>, accesses: impl Iterator<Item = (IdentityId, Access)>) -> Resolvers {
    let others: Arc<BTreeMap<IdentityId, Other>> = Arc::new(
        // No access of a capture has such a key: keys number the accesses that there are.
        (0..)
            .zip(accesses)
            .map(|(at, (id, access))| (id, Other { key: u64::MAX - at, access: Arc::new(access) }))
            .collect(),
    );
    let mut replaced = Resolvers::new();
    for (name, _) in all.iter() {
        let others = Arc::clone(&others);
        replaced.insert(name, Box::new(Replaced { all: Arc::clone(all), provider: name, others }));
    }
    replaced
}

/// An access in place of the present one.
struct Other {
    key: u64,
    access: Arc<Access>,
}

struct Replaced {
    all: Arc<Resolvers>,
    provider: ProviderName,
    /// By identity, whatever its provider: ids are told apart across providers.
    others: Arc<BTreeMap<IdentityId, Other>>,
}

impl Replaced {
    #[expect(
        clippy::expect_used,
        reason = "one is made for each provider that the resolvers list, and they never change"
    )]
    fn present(&self) -> &dyn AccessResolver {
        self.all.get(self.provider).expect("a resolver that was listed")
    }
}

impl AccessResolver for Replaced {
    fn catalog(&self) -> &dyn Catalog {
        self.present().catalog()
    }

    fn access_key(&self, identity: &IdentityId) -> Option<u64> {
        self.others.get(identity).map_or_else(|| self.present().access_key(identity), |other| Some(other.key))
    }

    fn access(&self, identity: &IdentityId) -> Option<Arc<Access>> {
        let other = self.others.get(identity).map(|other| Arc::clone(&other.access));
        other.or_else(|| self.present().access(identity))
    }

    fn is_admin(&self, identity: &IdentityId) -> Option<bool> {
        self.present().is_admin(identity).filter(|_| !self.others.contains_key(identity))
    }

    fn grant(&self, grant: GrantIx) -> Grant {
        self.present().grant(grant)
    }

    fn decide(&self, identity: &IdentityId, request: &Request) -> Result<Decision, DecideError> {
        self.present().decide(identity, request)
    }

    fn edges(&self) -> Vec<Edge> {
        self.present().edges()
    }

    fn unread(&self, identity: &IdentityId) -> Vec<Arc<Unread>> {
        self.present().unread(identity)
    }

    fn used(&self, identity: &IdentityId) -> Option<OpSet> {
        self.present().used(identity)
    }
}
