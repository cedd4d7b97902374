//! The access of one identity, cut to a measure, and what that keeps and takes away.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::access::{Access, AccessResolver, GrantIx, Slice};
use evenhand_model::catalog::Catalog;
use evenhand_model::evidence::Truth;
use evenhand_model::id::IdentityId;
use evenhand_model::identity::Identity;
use evenhand_model::opset::OpSet;
use evenhand_model::proposal::{Kept, LeftOut, NoProposal, Proposal, Proposes, file_name};

use super::{Ground, Portion, RemedyError, Share};
use crate::rightsize::{self, Measure};

/// An identity whose access can be cut.
pub(super) struct Holder<'a> {
    pub(super) identity: &'a Identity,
    pub(super) resolver: &'a dyn AccessResolver,
    pub(super) proposes: &'a dyn Proposes,
    pub(super) access: Arc<Access>,
}

impl<'a> Holder<'a> {
    pub(super) fn of(ground: Ground<'a>, identity: &'a Identity) -> Result<Self, RemedyError> {
        let held = ground
            .resolvers
            .get(identity.provider)
            .and_then(|resolver| Some((resolver, resolver.access(&identity.id)?)));
        let Some((resolver, access)) = held else {
            return Err(RemedyError::new(
                format!("`{}` holds no access of its own that was read", identity.id),
                "`evenhand explain` tells whom it acts as; propose a policy for that identity",
            ));
        };
        if access.unlimited {
            return Err(RemedyError::new(
                format!("nothing is denied to `{}`, whatever the policies say", identity.id),
                "let it act as another identity that policies limit",
            ));
        }
        let Some(proposes) = resolver.proposer() else {
            return Err(RemedyError::new(
                format!("for {} no policy can be proposed", identity.provider),
                "`evenhand compare` lists the excess with the grants to change",
            ));
        };
        Ok(Self { identity, resolver, proposes, access })
    }

    /// Who else's policies hold a statement that this identity may use.
    pub(super) fn lender(&self, slice: &Slice) -> Option<IdentityId> {
        let is_own = self.proposes.is_replaced(&self.identity.id, slice.grant);
        self.proposes.lent_by(&self.identity.id, slice.grant).filter(|_| !is_own)
    }

    /// Where it lives, as a part of a file's name.
    pub(super) fn place(&self) -> String {
        let scope = self.identity.scope.as_str();
        file_name(scope.split_once(':').map_or(scope, |(_, place)| place))
    }

    fn portion(&self, slice: &Slice, of: Option<&Slice>, why: Option<Arc<str>>) -> Portion {
        let another = |of: &&Slice| of.scope != slice.scope || of.condition != slice.condition;
        let until_now = |of: &Slice| {
            let scope = (of.scope != slice.scope).then(|| format!("on {}", of.scope));
            let condition = (of.condition != slice.condition).then(|| match of.condition.is_unconditional() {
                true => "without that condition".to_owned(),
                false => format!("if {}", of.condition),
            });
            scope.into_iter().chain(condition).collect::<Vec<_>>().join(" ")
        };
        let place = |of: &Slice| match of.condition.is_unconditional() {
            true => of.scope.to_string(),
            false => format!("{} if {}", of.scope, of.condition),
        };
        Portion {
            operations: names(self.resolver.catalog(), &slice.operations),
            count: slice.operations.len(),
            scope: slice.scope.to_string(),
            condition: slice.condition.to_string(),
            was: of.filter(another).map(place),
            until_now: of.filter(another).map(until_now),
            grant: self.resolver.grant(slice.grant),
            why,
        }
    }
}

/// What the access of one identity is cut to.
pub(super) enum Measured {
    Held(Vec<Arc<Access>>),
    Used(OpSet),
}

impl Measured {
    fn measure(&self) -> Measure<'_> {
        match self {
            Self::Held(roles) => Measure::Held(roles),
            Self::Used(operations) => Measure::Operations(operations),
        }
    }
}

/// The access of one identity, cut.
pub(super) struct HolderCut<'a> {
    pub(super) holder: &'a Holder<'a>,
    measured: Measured,
    /// What stays in its own policies.
    pub(super) kept: Vec<Kept>,
    /// What others lend it, with who.
    borrowed: Vec<(Slice, IdentityId)>,
    /// What may stay of that.
    lent: Vec<(Slice, IdentityId)>,
    /// Whether it stays as it is, because nothing can be proposed.
    pub(super) stays: bool,
    /// What stays whatever is proposed.
    elsewhere: Vec<Slice>,
    left_out: Vec<Portion>,
    uncontrolled: Vec<Portion>,
}

impl<'a> HolderCut<'a> {
    /// `among`: for whom there are proposals.
    pub(super) fn of(holder: &'a Holder<'a>, measured: Measured, among: &BTreeSet<&IdentityId>) -> Self {
        let id = &holder.identity.id;
        let lender = |slice: &Slice| holder.lender(slice).filter(|lender| among.contains(lender));
        let borrowed: Vec<(Slice, IdentityId)> =
            holder.access.slices().iter().filter_map(|slice| Some((slice.clone(), lender(slice)?))).collect();
        let lends = |grant: GrantIx| borrowed.iter().find(|(held, _)| held.grant == grant).map(|(_, lender)| lender);
        let replaced = |grant: GrantIx| holder.proposes.is_replaced(id, grant) || lends(grant).is_some();
        let cut = rightsize::cut(&holder.access, replaced, measured.measure());
        let (mut kept, mut lent) = (Vec::new(), Vec::new());
        for part in cut.kept {
            match lends(part.slice.grant) {
                Some(lender) => lent.push((part.slice, lender.clone())),
                None => kept.push(part),
            }
        }
        let left_out =
            cut.undecided.iter().map(|(slice, why)| holder.portion(slice, None, Some(Arc::clone(why)))).collect();
        Self {
            holder,
            measured,
            kept,
            borrowed,
            lent,
            stays: false,
            elsewhere: cut.elsewhere,
            left_out,
            uncontrolled: Vec::new(),
        }
    }

    /// The policy that grants what stays. `apart`: what tells its names from those of others.
    pub(super) fn propose(&self, apart: &str) -> Result<Proposal, NoProposal> {
        let identity = self.holder.identity;
        self.holder.proposes.propose_at(&identity.id, &identity.evidence, &self.kept, apart)
    }

    /// Leaves out what the vendor's language cannot say.
    pub(super) fn leave_out(&mut self, parts: &[LeftOut]) {
        for LeftOut { place, operations, why } in parts {
            if let Some(part) = self.kept.get_mut(*place) {
                let slice = Slice { operations: Arc::new(operations.clone()), ..part.slice.clone() };
                self.left_out.push(self.holder.portion(&slice, None, Some(Arc::clone(why))));
                part.slice.operations = Arc::new(part.slice.operations.difference(operations));
            }
        }
        self.kept.retain(|part| !part.slice.operations.is_empty());
    }

    /// Takes operations away before which people pass a control.
    pub(super) fn take_uncontrolled(&mut self, gone: &OpSet) {
        for part in &mut self.kept {
            let operations = part.slice.operations.intersection(gone);
            if !operations.is_empty() {
                let slice = Slice { operations: Arc::new(operations), ..part.slice.clone() };
                self.uncontrolled.push(self.holder.portion(&slice, None, None));
                part.slice.operations = Arc::new(part.slice.operations.difference(gone));
            }
        }
        self.kept.retain(|part| !part.slice.operations.is_empty());
    }

    /// What it would hold, with all cuts in place. `without`: operations that go of what each of the cuts keeps besides, in
    /// their order; what is lent goes with them.
    pub(super) fn slices(&self, cuts: &[HolderCut<'_>], without: &[OpSet]) -> Vec<Slice> {
        if self.stays {
            return self.holder.access.slices().to_vec();
        }
        let nothing = OpSet::new();
        let of = |id: &IdentityId| {
            let at = cuts.iter().position(|cut| cut.holder.identity.id == *id)?;
            Some((cuts.get(at)?, without.get(at).unwrap_or(&nothing)))
        };
        let whole = self.borrowed.iter().filter(|(_, lender)| of(lender).is_some_and(|(cut, _)| cut.stays));
        let whole = whole.map(|(slice, _)| slice.clone());
        let lent = self.lent.iter().filter_map(|(slice, lender)| {
            let (cut, gone) = of(lender).filter(|(cut, _)| !cut.stays)?;
            let kept = union(cut.kept.iter().map(|part| &part.slice)).difference(gone);
            let operations = slice.operations.intersection(&kept.union(&union(cut.elsewhere.iter())));
            (!operations.is_empty()).then(|| Slice { operations: Arc::new(operations), ..slice.clone() })
        });
        let gone = of(&self.holder.identity.id).map_or(&nothing, |(_, gone)| gone);
        let own = self.kept.iter().map(|part| {
            let operations = Arc::new(part.slice.operations.difference(gone));
            Slice { operations, ..part.slice.clone() }
        });
        own.chain(self.elsewhere.iter().cloned()).chain(whole).chain(lent).collect()
    }

    pub(super) fn share(&self, proposal: Proposal, cuts: &[HolderCut<'_>]) -> Share {
        let holder = self.holder;
        let then = union(self.slices(cuts, &[]).iter());
        let now = holder.access.operations();
        Share {
            operations: now.len(),
            operations_kept: then.len(),
            operations_removed: now.difference(&then).len(),
            kept: self.kept.iter().map(|part| holder.portion(&part.slice, Some(&part.of), None)).collect(),
            removed: self.removed(),
            left_out: self.left_out.clone(),
            uncontrolled: self.uncontrolled.clone(),
            elsewhere: self.beyond(),
            others: Vec::new(),
            needs: proposal.needs,
            notes: proposal.notes,
            steps: proposal.steps,
            files: proposal.files,
        }
    }

    /// What is held now and of which nothing is kept, by statement.
    fn removed(&self) -> Vec<Portion> {
        let holder = self.holder;
        let gone =
            holder.access.slices().iter().filter(|slice| holder.proposes.is_replaced(&holder.identity.id, slice.grant));
        // What reaches nothing is not held, so that nothing of it goes.
        gone.filter(|slice| slice.scope.is_nothing() != Truth::Yes)
            .filter_map(|slice| {
                let stays = union(self.kept.iter().filter(|part| part.of == *slice).map(|part| &part.slice));
                let operations = slice.operations.difference(&stays);
                let slice = Slice { operations: Arc::new(operations), ..slice.clone() };
                (!slice.operations.is_empty()).then(|| holder.portion(&slice, None, None))
            })
            .collect()
    }

    /// What is granted elsewhere and not within the measure.
    fn beyond(&self) -> Vec<Portion> {
        let elsewhere = Access::new(self.elsewhere.clone(), Vec::new(), false);
        let cut = rightsize::cut(&elsewhere, |_| true, self.measured.measure());
        let beyond = self.elsewhere.iter().filter_map(|slice| {
            let within = cut.kept.iter().filter(|part| {
                part.of == *slice && part.slice.scope == slice.scope && part.slice.condition == slice.condition
            });
            let operations = slice.operations.difference(&union(within.map(|part| &part.slice)));
            let slice = Slice { operations: Arc::new(operations), ..slice.clone() };
            (!slice.operations.is_empty()).then(|| self.holder.portion(&slice, None, None))
        });
        beyond.collect()
    }
}

pub(super) fn union<'s>(slices: impl Iterator<Item = &'s Slice>) -> OpSet {
    OpSet::from_ranges(slices.flat_map(|slice| slice.operations.ranges().iter().copied()))
}

fn names(catalog: &dyn Catalog, operations: &OpSet) -> Vec<Arc<str>> {
    catalog.summarise(operations).into_iter().map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use evenhand_model::access::{DecideError, Decision, Edge, Grant, Outcome, Request};
    use evenhand_model::catalog::{AccessLevel, CatalogSource, OperationClass};
    use evenhand_model::control::ControlKind;
    use evenhand_model::evidence::Evidence;
    use evenhand_model::id::ProviderName;
    use evenhand_model::opset::OperationIx;

    use super::*;

    /// A provider in which the blueprint lends the agent what grant 1 gives, and grant 2 is the agent's own.
    struct Toy {
        none: OpSet,
    }

    impl Catalog for Toy {
        fn sources(&self) -> Vec<CatalogSource> {
            Vec::new()
        }

        fn len(&self) -> usize {
            30
        }

        fn name(&self, operation: OperationIx) -> Arc<str> {
            format!("op:{:02}", operation.0).into()
        }

        fn level(&self, _: OperationIx) -> AccessLevel {
            AccessLevel::Write
        }

        fn expand(&self, _: &str) -> OpSet {
            OpSet::new()
        }

        fn class(&self, _: OperationClass) -> &OpSet {
            &self.none
        }

        fn control_of_key(&self, _: &str) -> Option<ControlKind> {
            None
        }
    }

    impl AccessResolver for Toy {
        fn catalog(&self) -> &dyn Catalog {
            self
        }

        fn access_key(&self, _: &IdentityId) -> Option<u64> {
            None
        }

        fn access(&self, _: &IdentityId) -> Option<Arc<Access>> {
            None
        }

        fn is_admin(&self, _: &IdentityId) -> Option<bool> {
            None
        }

        fn grant(&self, grant: GrantIx) -> Grant {
            Grant {
                policy: "policy".into(),
                statement: Some(grant.0),
                name: "".into(),
                evidence: Evidence::whole("toy.json"),
            }
        }

        fn decide(&self, _: &IdentityId, _: &Request) -> Result<Decision, DecideError> {
            Ok(Decision {
                outcome: Outcome::ImplicitlyDenied,
                blocked_by: Vec::new(),
                because: Vec::new(),
                conditions: Vec::new(),
            })
        }

        fn edges(&self) -> Vec<Edge> {
            Vec::new()
        }

        fn used(&self, _: &IdentityId) -> Option<OpSet> {
            None
        }
    }

    impl Proposes for Toy {
        fn is_replaced(&self, identity: &IdentityId, grant: GrantIx) -> bool {
            (identity.as_str() == "agent") == (grant == GrantIx(2))
        }

        fn lent_by(&self, identity: &IdentityId, grant: GrantIx) -> Option<IdentityId> {
            (identity.as_str() == "agent" && grant == GrantIx(1)).then(|| IdentityId::new("blueprint"))
        }

        fn propose(&self, _: &IdentityId, _: &[Kept], _: &str) -> Result<Proposal, NoProposal> {
            Ok(Proposal::default())
        }
    }

    #[test]
    fn what_a_lender_is_to_lose_it_lends_no_more() {
        let toy = Toy { none: OpSet::new() };
        let identity = |name: &str| {
            let evidence = Evidence::whole("toy.json");
            Identity::new(IdentityId::new(name), ProviderName("toy"), "prod".into(), "role", name, evidence)
        };
        let slice = |operations: (u32, u32), grant: u32| Slice {
            operations: Arc::new(OpSet::from_ranges([operations])),
            scope: Arc::default(),
            condition: Arc::default(),
            grant: GrantIx(grant),
        };
        let (blueprint, agent) = (identity("blueprint"), identity("agent"));
        let holders = [(&blueprint, vec![slice((0, 10), 1)]), (&agent, vec![slice((0, 10), 1), slice((20, 22), 2)])];
        let holders = holders.map(|(identity, slices)| Holder {
            identity,
            resolver: &toy,
            proposes: &toy,
            access: Arc::new(Access::new(slices, Vec::new(), false)),
        });
        let among = BTreeSet::from([&blueprint.id, &agent.id]);
        let measured = || Measured::Used(OpSet::all(30));
        let cuts: Vec<HolderCut<'_>> = holders.iter().map(|holder| HolderCut::of(holder, measured(), &among)).collect();
        let gone = [OpSet::from_ranges([(0, 5)]), OpSet::from_ranges([(20, 21)])];
        for (at, without, left) in [
            (0, &gone[..], OpSet::from_ranges([(5, 10)])),
            (0, &[], OpSet::from_ranges([(0, 10)])),
            (1, &[], OpSet::from_ranges([(0, 10), (20, 22)])),
            (1, &gone, OpSet::from_ranges([(5, 10), (21, 22)])),
        ] {
            assert_eq!(union(cuts[at].slices(&cuts, without).iter()), left, "{at}");
        }
    }
}
