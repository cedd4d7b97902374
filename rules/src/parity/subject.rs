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
        match world.view(identity) {
            Some((key, view)) => subject.add_tools(world, Principal { identity, key, view }),
            None => subject.follow(world),
        }
        subject.doubts.sort();
        subject.doubts.dedup();
        subject
    }

    /// What the tool servers of an identity may do, it may do, and so on for the agents that it uses as tools. Those of
    /// other providers are told by its paths.
    fn add_tools(&mut self, world: &World<'a>, own: Principal<'a>) {
        let mut seen: BTreeSet<&IdentityId> = BTreeSet::from([&self.identity.id]);
        let mut next: Vec<&Identity> = vec![self.identity];
        let mut principals = vec![own];
        while let Some(at) = next.pop() {
            for trust in world.lent_to(&at.id).iter().filter(|trust| trust.mechanism == Mechanism::UsesTool) {
                if seen.len() > MAX_LENDERS || !seen.insert(&trust.target) {
                    continue;
                }
                let Some(target) = world.find(&trust.target) else {
                    self.doubts.push(format!("`{}` was not read", trust.target).into());
                    continue;
                };
                if target.provider != self.identity.provider {
                    continue;
                }
                match world.view(target) {
                    Some((key, view)) => principals.push(Principal { identity: target, key, view }),
                    None => self.doubts.push(format!("what `{}` may do is not known", target.name).into()),
                }
                next.push(target);
            }
        }
        if let Some((_, tools)) = principals.split_first_mut() {
            tools.sort_by(|a, b| a.identity.id.cmp(&b.identity.id));
        }
        let mut part = Part { provider: self.identity.provider, principals, scopes: Vec::new() };
        part.find_scopes();
        self.parts.push(part);
    }

    /// Follows tool servers and held credentials to principals whose access is known.
    fn follow(&mut self, world: &World<'a>) {
        let mut seen: BTreeSet<&IdentityId> = BTreeSet::from([&self.identity.id]);
        let mut next: Vec<&Identity> = vec![self.identity];
        let mut found: Vec<Principal<'a>> = Vec::new();
        while let Some(at) = next.pop() {
            let mut lenders = 0_usize;
            for trust in world.lent_to(&at.id) {
                if !matches!(trust.mechanism, Mechanism::HoldsCredential | Mechanism::UsesTool | Mechanism::Ambient) {
                    continue;
                }
                lenders += usize::from(trust.mechanism == Mechanism::HoldsCredential);
                if seen.len() > MAX_LENDERS || !seen.insert(&trust.target) {
                    continue;
                }
                let Some(target) = world.find(&trust.target) else {
                    self.doubts.push(format!("`{}` was not read", trust.target).into());
                    continue;
                };
                match world.view(target) {
                    Some((key, view)) => found.push(Principal { identity: target, key, view }),
                    None => next.push(target),
                }
            }
            if lenders == 0 && world.has_credential(&at.id) {
                self.doubts.push(format!("a credential of `{}` leads to nothing that was read", at.name).into());
            }
        }
        found.sort_by(|a, b| (a.identity.provider, &a.identity.id).cmp(&(b.identity.provider, &b.identity.id)));
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

    /// What an identity with access of its own acts through beside it, in words.
    pub(crate) fn acts_through(&self) -> Option<String> {
        let (own, tools) = self.parts.first()?.principals.split_first()?;
        match tools {
            _ if own.identity.id != self.identity.id => None,
            [] => None,
            [one] => Some(one.identity.shown().to_string()),
            several => Some(format!("{} tool servers and agents", several.len())),
        }
    }

    /// The identity itself and then, for a borrower, those whose access it uses.
    pub(crate) fn faces(&self) -> impl Iterator<Item = &'a Identity> {
        let lenders = self.parts.iter().flat_map(|part| part.principals.iter().map(|principal| principal.identity));
        std::iter::once(self.identity).chain(lenders.filter(|lender| lender.id != self.identity.id))
    }
}
