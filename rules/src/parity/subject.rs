//! What an AI identity may do: its own access and that of the tool servers it acts through, or, where it has none of its
//! own, the access it borrows.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::id::{IdentityId, ProviderName, ScopeId};
use evenhand_model::identity::Identity;
use evenhand_model::trust::Mechanism;

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
    /// it holds; and the tool servers of each, and of the agents among these, in the same provider. Tool servers of other
    /// providers are told by its paths.
    fn follow(&mut self, world: &World<'a>) {
        let mut seen: BTreeSet<&IdentityId> = BTreeSet::from([&self.identity.id]);
        let mut found: Vec<Principal<'a>> = Vec::new();
        let own = world.view(self.identity);
        // Whoever acts with an account uses the access of that, and credentials in its hands are steps of its paths.
        let mut next: Vec<(&Identity, bool)> = vec![(self.identity, own.is_some())];
        while let Some((at, has_account)) = next.pop() {
            let mut lenders = 0_usize;
            for trust in world.lent_to(&at.id) {
                let is_followed = match trust.mechanism {
                    Mechanism::UsesTool => true,
                    Mechanism::HoldsCredential | Mechanism::Ambient => !has_account,
                    _ => false,
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
                    let how =
                        if trust.constraint.is_empty() { String::new() } else { format!(" ({})", trust.constraint) };
                    self.doubts.push(format!("`{}` was not read{how}", trust.target).into());
                    continue;
                };
                if has_account && target.provider != at.provider {
                    continue;
                }
                match world.view(target) {
                    Some((key, view)) => {
                        found.push(Principal { identity: target, key, view });
                        next.push((target, true));
                    }
                    None => {
                        if has_account {
                            self.doubts.push(format!("what `{}` may do is not known", target.name).into());
                        }
                        next.push((target, has_account));
                    }
                }
            }
            if !has_account && lenders == 0 && world.has_credential(&at.id) {
                self.doubts.push(format!("a credential of `{}` leads to nothing that was read", at.name).into());
            }
        }
        found.sort_by(|a, b| (a.identity.provider, &a.identity.id).cmp(&(b.identity.provider, &b.identity.id)));
        if let Some((key, view)) = own {
            found.insert(0, Principal { identity: self.identity, key, view });
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
        let (_, tools) = self.parts.first()?.principals.split_first().filter(|_| self.has_access())?;
        match tools {
            [] => None,
            [one] => Some(one.identity.shown().to_string()),
            several => Some(format!("{} tool servers and agents", several.len())),
        }
    }

    /// Who says what it does and what proves it: the identity itself and then, for a borrower, those whose access it
    /// uses.
    pub(crate) fn faces(&self) -> impl Iterator<Item = &'a Identity> {
        let lenders = self.parts.iter().flat_map(|part| part.principals.iter().map(|principal| principal.identity));
        std::iter::once(self.identity).chain(lenders.filter(|_| !self.has_access()))
    }
}
