//! What would be if one identity held another access: the resolvers of a capture with that one answer replaced.

use std::sync::Arc;

use evenhand_model::access::{Access, AccessResolver, DecideError, Decision, Edge, Grant, GrantIx, Request, Unread};
use evenhand_model::catalog::Catalog;
use evenhand_model::id::{IdentityId, ProviderName};
use evenhand_model::opset::OpSet;
use evenhand_rules::resolvers::Resolvers;

/// The resolvers with the access of one identity replaced, for comparisons. Decisions and steps to more access stay those
/// of the present access.
pub fn holding(all: &Arc<Resolvers>, identity: &IdentityId, provider: ProviderName, access: Access) -> Resolvers {
    let access = Arc::new(access);
    let mut replaced = Resolvers::new();
    for (name, _) in all.iter() {
        let other = (name == provider).then(|| (identity.clone(), Arc::clone(&access)));
        replaced.insert(name, Box::new(Replaced { all: Arc::clone(all), provider: name, other }));
    }
    replaced
}

struct Replaced {
    all: Arc<Resolvers>,
    provider: ProviderName,
    other: Option<(IdentityId, Arc<Access>)>,
}

/// No access of a capture has this key: keys number the accesses that there are.
const KEY: u64 = u64::MAX;

impl Replaced {
    #[expect(
        clippy::expect_used,
        reason = "one is made for each provider that the resolvers list, and they never change"
    )]
    fn present(&self) -> &dyn AccessResolver {
        self.all.get(self.provider).expect("a resolver that was listed")
    }

    fn replaced(&self, identity: &IdentityId) -> Option<&Arc<Access>> {
        self.other.as_ref().filter(|(held, _)| held == identity).map(|(_, access)| access)
    }
}

impl AccessResolver for Replaced {
    fn catalog(&self) -> &dyn Catalog {
        self.present().catalog()
    }

    fn access_key(&self, identity: &IdentityId) -> Option<u64> {
        self.replaced(identity).map_or_else(|| self.present().access_key(identity), |_| Some(KEY))
    }

    fn access(&self, identity: &IdentityId) -> Option<Arc<Access>> {
        self.replaced(identity).map_or_else(|| self.present().access(identity), |access| Some(Arc::clone(access)))
    }

    fn is_admin(&self, identity: &IdentityId) -> Option<bool> {
        self.present().is_admin(identity).filter(|_| self.replaced(identity).is_none())
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
