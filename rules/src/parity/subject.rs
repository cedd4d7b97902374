//! What an AI identity may do: its own access, that of the tool servers it acts through and of the identities whose
//! credentials its workloads are handed, or, where it has none of its own, the access it borrows.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::id::{IdentityId, ProviderName, ScopeId};
use evenhand_model::identity::Identity;
use evenhand_model::trust::{Mechanism, Trust};

use super::view::View;
use super::world::World;

/// More lenders than this are not followed; no configuration known has as many.
const MAX_LENDERS: usize = 256;

/// One principal whose access the AI identity uses: itself, or one whose credential it holds.
pub(crate) struct Principal<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) key: u64,
    pub(crate) view: Arc<View>,
}

/// Somebody who was come to while principals are collected.
struct Reached<'a> {
    identity: &'a Identity,
    /// Whether it, or somebody before it, acts with an account of its own.
    has_account: bool,
    /// Whether workloads of it are what acts.
    is_workload: bool,
}

/// That nothing was read of an identity whose credentials the workloads of another one are handed.
fn unread_role(world: &World<'_>, trust: &Trust, holder: &Identity) -> Arc<str> {
    let told_by = world.holders.get(&holder.provider).and_then(|held| held.resolver.told_by(&trust.target));
    let remedy = told_by.map_or_else(String::new, |document| format!("; {document} tells what it may do"));
    format!("`{}`, which workloads of `{}` may become, is none that was read{remedy}", trust.target, holder.name).into()
}

/// The access of one provider.
pub(crate) struct Part<'a> {
    pub(crate) provider: ProviderName,
    pub(crate) principals: Vec<Principal<'a>>,
    /// Where the principals live, sorted.
    pub(crate) scopes: Vec<ScopeId>,
}

impl Part<'_> {
    fn find_scopes(&mut self) {
        self.scopes = self.principals.iter().map(|principal| principal.identity.scope.clone()).collect();
        self.scopes.sort();
        self.scopes.dedup();
    }
}

/// An AI identity with all that it can do.
pub(crate) struct Subject<'a> {
    pub(crate) identity: &'a Identity,
    /// By provider; empty = its access is not known.
    pub(crate) parts: Vec<Part<'a>>,
    /// Principals that it acts as but whose access is not known, and credentials that lead nowhere.
    pub(crate) doubts: Vec<Arc<str>>,
}

impl<'a> Subject<'a> {
    pub(crate) fn of(world: &World<'a>, identity: &'a Identity) -> Self {
        let mut subject = Self { identity, parts: Vec::new(), doubts: Vec::new() };
        subject.follow(world);
        subject.doubts.sort();
        subject.doubts.dedup();
        subject
    }

    /// Collects the principals whose access it uses: itself where it has access of its own, else those whose credentials
    /// it holds; the tool servers of each, and of the agents among these, in the same provider; and, in any provider, those
    /// whose credentials the workloads of it and of these are handed. Tool servers of other providers are told by its paths.
    fn follow(&mut self, world: &World<'a>) {
        let mut seen: BTreeSet<&IdentityId> = BTreeSet::from([&self.identity.id]);
        let mut found: Vec<Principal<'a>> = Vec::new();
        let own = world.view(self.identity);
        // Whoever acts with an account uses the access of that, and credentials in its hands are steps of its paths. A
        // credential that it borrows makes nobody a workload of the one whom it proves.
        let mut any_handed = false;
        let mut next = vec![Reached { identity: self.identity, has_account: own.is_some(), is_workload: true }];
        while let Some(Reached { identity: at, has_account, is_workload }) = next.pop() {
            let mut lenders = 0_usize;
            for trust in world.lent_to(&at.id) {
                let is_handed = world.is_handed(trust);
                let is_followed = match trust.mechanism {
                    Mechanism::UsesTool => true,
                    Mechanism::HoldsCredential | Mechanism::Ambient => !has_account,
                    _ => is_handed && is_workload,
                };
                if !is_followed {
                    continue;
                }
                // A credential of somebody who is counted already leads somewhere all the same.
                lenders += usize::from(trust.mechanism == Mechanism::HoldsCredential);
                if seen.contains(&trust.target) {
                    continue;
                }
                if seen.len() > MAX_LENDERS {
                    self.doubts.push(format!("it acts through more than {MAX_LENDERS} others").into());
                    continue;
                }
                seen.insert(&trust.target);
                let Some(target) = world.find(&trust.target) else {
                    self.doubts.push(match is_handed {
                        true => unread_role(world, trust, at),
                        false if trust.constraint.is_empty() => format!("`{}` was not read", trust.target).into(),
                        false => format!("`{}` was not read ({})", trust.target, trust.constraint).into(),
                    });
                    continue;
                };
                if has_account && !is_handed && target.provider != at.provider {
                    continue;
                }
                if is_handed && !world.admits(trust) {
                    self.doubts
                        .push(format!("nothing tells whether `{}` lets `{}` become it", target.name, at.name).into());
                    continue;
                }
                let is_workload = is_workload && (is_handed || trust.mechanism == Mechanism::UsesTool);
                match world.view(target) {
                    Some((key, view)) => {
                        any_handed |= is_handed;
                        found.push(Principal { identity: target, key, view });
                        next.push(Reached { identity: target, has_account: true, is_workload });
                    }
                    None => {
                        if has_account || is_handed {
                            self.doubts.push(format!("what `{}` may do is not known", target.name).into());
                        }
                        next.push(Reached { identity: target, has_account, is_workload });
                    }
                }
            }
            if !has_account && lenders == 0 && world.has_credential(&at.id) {
                self.doubts.push(format!("a credential of `{}` leads to nothing that was read", at.name).into());
            }
        }
        // Its own provider first, where it holds access there.
        let home = own.as_ref().map(|_| self.identity.provider);
        let order =
            |principal: &Principal<'a>| (Some(principal.identity.provider) != home, principal.identity.provider);
        found.sort_by(|a, b| (order(a), &a.identity.id).cmp(&(order(b), &b.identity.id)));
        match own {
            Some((key, view)) => found.insert(0, Principal { identity: self.identity, key, view }),
            None if any_handed && world.holders.contains_key(&self.identity.provider) => {
                self.doubts.push(format!("what `{}` may do by itself is not known", self.identity.name).into());
            }
            None => {}
        }
        for principal in found {
            let provider = principal.identity.provider;
            match self.parts.last_mut() {
                Some(part) if part.provider == provider => part.principals.push(principal),
                _ => self.parts.push(Part { provider, principals: vec![principal], scopes: Vec::new() }),
            }
        }
        for part in &mut self.parts {
            part.find_scopes();
        }
    }

    /// Whether it has access of its own.
    pub(crate) fn has_access(&self) -> bool {
        let first = self.parts.first().and_then(|part| part.principals.first());
        first.is_some_and(|first| first.identity.id == self.identity.id)
    }

    /// What an identity with access of its own acts through beside it, in words.
    pub(crate) fn acts_through(&self) -> Option<String> {
        let others: Vec<&Principal<'_>> =
            self.parts.iter().flat_map(|part| &part.principals).skip(1).filter(|_| self.has_access()).collect();
        match others.as_slice() {
            [] => None,
            [one] => Some(one.identity.shown().to_string()),
            [one, other] => Some(format!("{} and {}", one.identity.shown(), other.identity.shown())),
            [one, rest @ ..] => Some(format!("{} and {} others", one.identity.shown(), rest.len())),
        }
    }

    /// The words that tell whose access something is, where it is not the identity's own.
    pub(crate) fn way_to(&self, principal: &Principal<'_>) -> Option<String> {
        let identity = principal.identity;
        let is_own = identity.id == self.identity.id;
        (!is_own).then(|| format!("through {} {}", identity.kind.replace('_', " "), identity.shown()))
    }

    /// Who says what it does and what proves it: the identity itself and then, for a borrower, those whose access it
    /// uses.
    pub(crate) fn faces(&self) -> impl Iterator<Item = &'a Identity> {
        let lenders = self.parts.iter().flat_map(|part| part.principals.iter().map(|principal| principal.identity));
        std::iter::once(self.identity).chain(lenders.filter(|_| !self.has_access()))
    }
}
