//! Remedies: the policy that leaves an identity what its human role holds too, or what it has used, and what that takes
//! away.

use std::sync::Arc;

use evenhand_model::access::{Access, AccessResolver, Grant, Slice};
use evenhand_model::catalog::{AccessLevel, Catalog};
use evenhand_model::evidence::Truth;
use evenhand_model::id::IdentityId;
use evenhand_model::identity::Identity;
use evenhand_model::inventory::Inventory;
use evenhand_model::opset::OpSet;
use evenhand_model::parity::{BaselineSource, Comparison, Verdict};
use evenhand_model::proposal::{Kept, LeftOut, ProposedFile, Proposes};
use evenhand_rules::judgements::Judgements;
use evenhand_rules::parity::{ParityConfig, compare_one};
use evenhand_rules::resolvers::Resolvers;
use serde::Serialize;

use crate::rightsize::{self, Measure};
use crate::whatif;

/// What access is cut to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aim<'a> {
    /// What the human role holds too; with the role that is meant, where it is not the one that is found.
    HumanRole(Option<&'a IdentityId>),
    /// What was used in the last 90 days.
    Used,
}

/// How the human role is met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Uncontrolled {
    /// Operations before which people pass a control that the identity does not pass are taken away.
    Removed,
    /// They stay, and the control gap with them.
    Kept,
}

/// What is asked about.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// Everything that was read, linked.
    pub inventory: &'a Inventory,
    /// Its natures and jobs.
    pub judgements: &'a Judgements,
    /// What identities may do.
    pub resolvers: &'a Arc<Resolvers>,
    /// Jobs and thresholds.
    pub parity: &'a ParityConfig,
}

/// A policy in place of the present ones, with what it keeps and takes away.
#[derive(Debug, Serialize)]
pub struct Remedy {
    /// Whose.
    pub identity: IdentityId,
    /// What it is cut to, in a few words.
    pub cut_to: String,
    /// The verdict now.
    pub verdict: Verdict,
    /// The verdict with the proposal in place.
    pub verdict_then: Verdict,
    /// The comparison with the proposal in place, in one line.
    pub summary_then: String,
    /// Operations held now.
    pub operations: usize,
    /// Operations that are left, those that are granted elsewhere among them; on less or under more conditions, some.
    pub operations_kept: usize,
    /// Operations that it takes away.
    pub operations_removed: usize,
    /// What it leaves, by the statement that grants it now.
    pub kept: Vec<Portion>,
    /// What it takes away, by the statement that grants it now.
    pub removed: Vec<Portion>,
    /// What it leaves out because the cut cannot be made exactly: less access rather than more.
    pub left_out: Vec<Portion>,
    /// What it takes away because people pass a control before it that this identity does not pass.
    pub uncontrolled: Vec<Portion>,
    /// What is beyond the measure and granted elsewhere than in policies of the identity, so that no proposal takes it
    /// away.
    pub elsewhere: Vec<Portion>,
    /// Why the access may be other than it was resolved.
    pub doubts: Vec<Arc<str>>,
    /// What a person does to put the proposal in place.
    pub steps: Vec<String>,
    /// The policy. Its text is no part of the JSON form, which names the files that were written.
    #[serde(skip)]
    pub files: Vec<ProposedFile>,
}

/// Operations, where, under which condition, and the statement that grants them now.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Portion {
    /// The operations; a whole service as one wildcard.
    pub operations: Vec<Arc<str>>,
    /// How many there are.
    pub count: usize,
    /// The resources.
    pub scope: String,
    /// The condition; empty = none.
    pub condition: String,
    /// The resources and the condition now, where these are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// The statement.
    pub grant: Grant,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Arc<str>>,
}

/// Why there is no remedy.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct RemedyError {
    message: String,
    /// What to do.
    pub remedy: String,
}

impl RemedyError {
    fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: remedy.into() }
    }
}

/// Rounds in which operations under missing controls are taken away a few at a time, before all that could be among them
/// are.
const MOST_ROUNDS: usize = 64;

/// The remedy for one identity.
///
/// # Errors
/// When its access is not known or not in policies of its own, no human role is known, or no document tells what it used.
pub fn remedy(
    ground: Ground<'_>,
    identity: &Identity,
    aim: Aim<'_>,
    uncontrolled: Uncontrolled,
) -> Result<Remedy, RemedyError> {
    let work = Work::of(ground, identity, aim)?;
    let before = work.compared(ground.resolvers)?;
    let used;
    let roles;
    let (cut_to, measure) = match aim {
        Aim::Used => {
            used = work.used()?;
            ("what it used in the last 90 days".to_owned(), Measure::Operations(&used))
        }
        Aim::HumanRole(_) => {
            roles = work.roles(&before)?;
            let baseline = &before.baseline;
            (format!("the human role {}: {}", baseline.name, baseline.reason), Measure::Held(&roles))
        }
    };
    let cut = rightsize::cut(&work.access, |grant| work.proposes.is_replaced(&identity.id, grant), measure);
    let mut kept = cut.kept;
    let gaps = match (aim, uncontrolled) {
        (Aim::HumanRole(_), Uncontrolled::Removed) => work.uncontrolled(&kept, &cut.elsewhere)?,
        _ => OpSet::new(),
    };
    let mut without_control = Vec::new();
    for part in &mut kept {
        let gone = part.slice.operations.intersection(&gaps);
        if !gone.is_empty() {
            without_control.push(work.portion(&Slice { operations: Arc::new(gone), ..part.slice.clone() }, None, None));
            part.slice.operations = Arc::new(part.slice.operations.difference(&gaps));
        }
    }
    kept.retain(|part| !part.slice.operations.is_empty());
    let proposal = work
        .proposes
        .propose(&identity.id, &kept)
        .map_err(|error| RemedyError::new(error.to_string(), error.remedy))?;
    let mut left_out: Vec<Portion> =
        cut.undecided.iter().map(|(slice, why)| work.portion(slice, None, Some(Arc::clone(why)))).collect();
    for LeftOut { place, operations, why } in &proposal.left_out {
        if let Some(part) = kept.get_mut(*place) {
            let slice = Slice { operations: Arc::new(operations.clone()), ..part.slice.clone() };
            left_out.push(work.portion(&slice, None, Some(Arc::clone(why))));
            part.slice.operations = Arc::new(part.slice.operations.difference(operations));
        }
    }
    let written: Vec<&Kept> = kept.iter().filter(|part| !part.slice.operations.is_empty()).collect();
    let slices = written.iter().map(|part| part.slice.clone()).chain(cut.elsewhere.iter().cloned()).collect();
    let then = work.compared(&work.holding(slices))?;
    let granted_elsewhere = union(cut.elsewhere.iter());
    let elsewhere = rightsize::cut(&Access::new(cut.elsewhere, Vec::new(), false), |_| true, measure);
    let all = union(written.iter().map(|part| &part.slice)).union(&granted_elsewhere);
    Ok(Remedy {
        identity: identity.id.clone(),
        cut_to,
        verdict: before.verdict,
        verdict_then: then.verdict,
        summary_then: then.summary,
        operations: work.access.operations().len(),
        operations_kept: all.len(),
        operations_removed: work.access.operations().difference(&all).len(),
        kept: written.iter().map(|part| work.portion(&part.slice, Some(&part.of), None)).collect(),
        removed: work.removed(&written),
        left_out,
        uncontrolled: without_control,
        elsewhere: work.beyond(&elsewhere),
        doubts: before.doubts,
        steps: proposal.steps,
        files: proposal.files,
    })
}

fn union<'s>(slices: impl Iterator<Item = &'s Slice>) -> OpSet {
    OpSet::from_ranges(slices.flat_map(|slice| slice.operations.ranges().iter().copied()))
}

struct Work<'a> {
    ground: Ground<'a>,
    identity: &'a Identity,
    human: Option<&'a IdentityId>,
    resolver: &'a dyn AccessResolver,
    proposes: &'a dyn Proposes,
    access: Arc<Access>,
}

impl<'a> Work<'a> {
    fn of(ground: Ground<'a>, identity: &'a Identity, aim: Aim<'a>) -> Result<Self, RemedyError> {
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
        let human = match aim {
            Aim::HumanRole(human) => human,
            Aim::Used => None,
        };
        Ok(Self { ground, identity, human, resolver, proposes, access })
    }

    fn compared(&self, resolvers: &Resolvers) -> Result<Comparison, RemedyError> {
        let Ground { inventory, judgements, parity, .. } = self.ground;
        let compared = compare_one(inventory, judgements, resolvers, parity, &self.identity.id, self.human);
        compared.map(|(comparison, _)| comparison).ok_or_else(|| {
            RemedyError::new(
                format!("`{}` cannot be compared", self.identity.id),
                "name another human role with --human",
            )
        })
    }

    fn holding(&self, slices: Vec<Slice>) -> Resolvers {
        let access = Access::new(slices, self.access.doubts.clone(), false);
        whatif::holding(self.ground.resolvers, &self.identity.id, self.identity.provider, access)
    }

    fn used(&self) -> Result<OpSet, RemedyError> {
        let id = &self.identity.id;
        self.resolver.used(id).ok_or_else(|| match self.proposes.evidence_of_use(id) {
            Some(document) => {
                RemedyError::new(format!("nothing that was read tells what `{id}` used"), format!("add {document}"))
            }
            None => RemedyError::new(
                format!("no document of {} tells what an identity used", self.identity.provider),
                "cut to the human role: leave `--to used` out",
            ),
        })
    }

    /// The accesses of the human roles in the identity's own provider.
    fn roles(&self, comparison: &Comparison) -> Result<Vec<Arc<Access>>, RemedyError> {
        const NAME: &str =
            "name the role with --human, map the job in evenhand.toml, or cut to what was used with `--to used`";
        let baseline = &comparison.baseline;
        match baseline.source {
            BaselineSource::None => return Err(RemedyError::new(baseline.reason.to_string(), NAME)),
            BaselineSource::Mined => {
                let message = format!("no role holds what most people hold ({})", baseline.reason);
                return Err(RemedyError::new(message, NAME));
            }
            _ => {}
        }
        let roles = baseline.roles.iter().filter(|role| {
            let known = self.ground.judgements.position(role).and_then(|at| self.ground.inventory.identities.get(at));
            known.is_some_and(|role| role.provider == self.identity.provider)
        });
        let held: Vec<Arc<Access>> = roles.filter_map(|role| self.resolver.access(role)).collect();
        match held.is_empty() {
            true => Err(RemedyError::new(format!("the access of the human role {} is not known", baseline.name), NAME)),
            false => Ok(held),
        }
    }

    /// The operations, among those that are kept, before which people pass a control that the identity does not pass.
    fn uncontrolled(&self, kept: &[Kept], elsewhere: &[Slice]) -> Result<OpSet, RemedyError> {
        let catalog = self.resolver.catalog();
        let all = union(kept.iter().map(|part| &part.slice));
        // The operations whose controls are compared.
        let sensitive: OpSet = all
            .iter()
            .filter(|at| catalog.weight(*at) >= AccessLevel::Write.weight() || catalog.high_risk(*at))
            .collect();
        let mut gone = OpSet::new();
        for round in 0.. {
            let slices = kept.iter().map(|part| Slice {
                operations: Arc::new(part.slice.operations.difference(&gone)),
                ..part.slice.clone()
            });
            let slices = slices.chain(elsewhere.iter().cloned()).collect();
            let comparison = self.compared(&self.holding(slices))?;
            let rest = sensitive.difference(&gone);
            let mut found = OpSet::new();
            for gap in comparison.controls.iter().filter(|row| row.is_gap() == Truth::Yes) {
                found = match gap.count as usize >= rest.len() || round >= MOST_ROUNDS {
                    true => found.union(&rest),
                    false => gap.operations.iter().fold(found, |found, name| found.union(&catalog.expand(name))),
                };
            }
            found = found.intersection(&all).difference(&gone);
            if found.is_empty() {
                break;
            }
            gone = gone.union(&found);
        }
        Ok(gone)
    }

    fn portion(&self, slice: &Slice, of: Option<&Slice>, why: Option<Arc<str>>) -> Portion {
        let another = |of: &&Slice| of.scope != slice.scope || of.condition != slice.condition;
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
            grant: self.resolver.grant(slice.grant),
            why,
        }
    }

    /// What is held now and of which nothing is kept, by statement.
    fn removed(&self, kept: &[&Kept]) -> Vec<Portion> {
        let gone =
            self.access.slices().iter().filter(|slice| self.proposes.is_replaced(&self.identity.id, slice.grant));
        // What reaches nothing is not held, so that nothing of it goes.
        gone.filter(|slice| slice.scope.is_nothing() != Truth::Yes)
            .filter_map(|slice| {
                let stays = union(kept.iter().filter(|part| part.of == *slice).map(|part| &part.slice));
                let operations = slice.operations.difference(&stays);
                let slice = Slice { operations: Arc::new(operations), ..slice.clone() };
                (!slice.operations.is_empty()).then(|| self.portion(&slice, None, None))
            })
            .collect()
    }

    /// What is granted elsewhere and not within the measure.
    fn beyond(&self, cut: &rightsize::Cut) -> Vec<Portion> {
        let elsewhere =
            self.access.slices().iter().filter(|slice| !self.proposes.is_replaced(&self.identity.id, slice.grant));
        elsewhere
            .filter_map(|slice| {
                let within = cut.kept.iter().filter(|part| {
                    part.of == *slice && part.slice.scope == slice.scope && part.slice.condition == slice.condition
                });
                let operations = slice.operations.difference(&union(within.map(|part| &part.slice)));
                let slice = Slice { operations: Arc::new(operations), ..slice.clone() };
                (!slice.operations.is_empty()).then(|| self.portion(&slice, None, None))
            })
            .collect()
    }
}

fn names(catalog: &dyn Catalog, operations: &OpSet) -> Vec<Arc<str>> {
    catalog.summarise(operations).into_iter().map(|(name, _)| name).collect()
}
