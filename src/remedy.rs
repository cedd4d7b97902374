//! Remedies: the policies that leave an identity what its human role holds too, or what it has used, and what that takes
//! away. Where access comes through others, such as a tool server or the blueprint that an agent inherits of, these get a
//! policy too: without it the identity would keep what it is to lose.

mod cut;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::{Access, Grant};
use evenhand_model::catalog::AccessLevel;
use evenhand_model::evidence::Truth;
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::inventory::Inventory;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::parity::{BaselineSource, Comparison, Verdict};
use evenhand_model::proposal::{NoProposal, Proposal, ProposedFile};
use evenhand_rules::judgements::Judgements;
use evenhand_rules::parity::{ParityConfig, compare_one};
use evenhand_rules::resolvers::Resolvers;
use serde::Serialize;

use crate::lent::Lent;
use crate::whatif;
use cut::{Holder, HolderCut, Measured, union};

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

/// Policies in place of the present ones, with what they keep and take away.
#[derive(Debug, Serialize)]
pub struct Remedy {
    /// Whose.
    pub identity: IdentityId,
    /// What it is cut to, in a few words.
    pub cut_to: String,
    /// The verdict now.
    pub verdict: Verdict,
    /// The verdict with all of the proposals in place.
    pub verdict_then: Verdict,
    /// The comparison with them in place, in one line.
    pub summary_then: String,
    /// Whether they bring it within what it is cut to.
    pub reached: bool,
    /// Whether they leave it no access at all, although it has some now.
    pub nothing_left: bool,
    /// Of its own access; nothing where it has none.
    #[serde(flatten)]
    pub own: Share,
    /// Of the access of others that it uses.
    pub through: Vec<Through>,
    /// Of whom nothing is proposed although it uses their access.
    pub remains: Vec<Remains>,
    /// Why the access may be other than it was resolved.
    pub doubts: Vec<Arc<str>>,
}

impl Remedy {
    /// Every proposal, its own first.
    pub fn shares(&self) -> impl Iterator<Item = &Share> {
        self.by_identity().map(|(_, share)| share)
    }

    /// The same, each with whom it is for.
    pub fn by_identity(&self) -> impl Iterator<Item = (&IdentityId, &Share)> {
        let through = self.through.iter().map(|through| (&through.identity, &through.share));
        std::iter::once((&self.identity, &self.own)).chain(through)
    }
}

/// What a proposal keeps and takes away of the access of one identity.
#[derive(Debug, Default, Serialize)]
pub struct Share {
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
    /// What is beyond the measure and granted elsewhere than in policies that are proposed, so that no proposal takes it
    /// away.
    pub elsewhere: Vec<Portion>,
    /// Who else uses the same access, and loses what it loses.
    pub others: Vec<IdentityId>,
    /// What has to be true before the identity may do what is kept, and nothing that was read says so.
    pub needs: Vec<String>,
    /// What else a person has to know of the policy: what it does not say although nothing tells that it is not needed.
    pub notes: Vec<String>,
    /// What a person does to put the proposal in place.
    pub steps: Vec<String>,
    /// The policy. Its text is no part of the JSON form, which names the files that were written.
    #[serde(skip)]
    pub files: Vec<ProposedFile>,
}

impl Share {
    /// Whether there is anything to change. An operation that goes from one statement may stay in another.
    pub fn changes(&self) -> bool {
        let is_other = !self.removed.is_empty() || self.kept.iter().any(|portion| portion.was.is_some());
        // Where all policies may be left alone, what differs is said in other words.
        is_other && !(self.steps.is_empty() && self.files.is_empty())
    }
}

/// Somebody whose access the identity uses.
#[derive(Debug, Serialize)]
pub struct Through {
    /// Who.
    pub identity: IdentityId,
    /// The name.
    pub name: Arc<str>,
    /// What is proposed for it.
    #[serde(flatten)]
    pub share: Share,
}

/// Somebody whose access the identity uses, and for whom nothing is proposed.
#[derive(Debug, Serialize)]
pub struct Remains {
    /// Who.
    pub identity: IdentityId,
    /// Why not, and what to do.
    pub why: String,
}

/// Operations, where, under which condition, and the statement that grants them now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// What of the two is another now, for people.
    #[serde(skip)]
    pub until_now: Option<String>,
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

/// The remedy for one identity, which uses the access of `lenders` as well.
///
/// # Errors
/// When its access is not known or not in policies that can be proposed, no human role is known, or no document tells what
/// it used.
pub fn remedy<'a>(
    ground: Ground<'a>,
    identity: &'a Identity,
    lenders: &[&'a Identity],
    aim: Aim<'a>,
    uncontrolled: Uncontrolled,
) -> Result<Remedy, RemedyError> {
    let work = Work { ground, identity, aim };
    let (holders, mut remains) = work.holders(lenders)?;
    let before = work.compared(ground.resolvers)?;
    let cut_to = work.cut_to(&before)?;
    let mut measured = Vec::new();
    for holder in &holders {
        match work.measured(holder, &before) {
            Ok(measure) => measured.push((holder, measure)),
            Err(error) if holder.identity.id == identity.id => return Err(error),
            Err(error) => remains.push(Remains::of(holder.identity, &error)),
        }
    }
    if measured.is_empty() {
        let first = remains.first().map_or_else(String::new, |held| format!(": `{}`: {}", held.identity, held.why));
        return Err(RemedyError::new(
            format!("no policy can be proposed for whom `{}` acts as{first}", identity.id),
            "let it act as an identity of its own",
        ));
    }
    let among: BTreeSet<&IdentityId> = measured.iter().map(|(holder, _)| &holder.identity.id).collect();
    let mut cuts: Vec<HolderCut<'_>> =
        measured.into_iter().map(|(holder, measure)| HolderCut::of(holder, measure, &among)).collect();
    if let (Aim::HumanRole(_), Uncontrolled::Removed) = (aim, uncontrolled) {
        work.take_uncontrolled(&mut cuts)?;
    }
    let mut proposals = Vec::new();
    for (proposal, cut) in told_apart(&cuts).into_iter().zip(&mut cuts) {
        match proposal {
            Ok(proposal) => {
                cut.leave_out(&proposal.left_out);
                proposals.push(Some(proposal));
            }
            Err(error) => {
                let error = RemedyError::new(error.to_string(), error.remedy);
                if cut.holder.identity.id == identity.id {
                    return Err(error);
                }
                remains.push(Remains::of(cut.holder.identity, &error));
                cut.stays = true;
                proposals.push(None);
            }
        }
    }
    let then = work.compared(&work.holding(&cuts, &[]))?;
    let mut own = Share::default();
    let mut through = Vec::new();
    let lent = Lent::new(ground.inventory);
    for (at, proposal) in proposals.into_iter().enumerate() {
        let (Some(proposal), Some(cut)) = (proposal, cuts.get(at)) else { continue };
        let mut share = cut.share(proposal, &cuts);
        if share.changes() {
            share.others = work.others(cut.holder, &lent);
        } else if !share.steps.is_empty() || !share.files.is_empty() {
            // These are written only where something changes, and the notes tell of them. Without any the notes tell of
            // policies that are left alone.
            share.notes.clear();
        }
        match cut.holder.identity.id == identity.id {
            true => own = share,
            false => {
                let held = cut.holder.identity;
                through.push(Through { identity: held.id.clone(), name: Arc::clone(&held.name), share });
            }
        }
    }
    let shares = || std::iter::once(&own).chain(through.iter().map(|held| &held.share));
    let nothing_left = remains.is_empty()
        && shares().any(|share| share.operations > 0)
        && shares().all(|share| share.operations_kept == 0);
    let reached = match (aim, then.verdict) {
        // What nothing is proposed for holds what it held.
        (Aim::Used, _) => remains.is_empty() && shares().all(|share| share.elsewhere.is_empty()),
        (_, Verdict::Parity | Verdict::Narrower) => true,
        (_, Verdict::ControlGap) => uncontrolled == Uncontrolled::Kept,
        (_, Verdict::Excess | Verdict::Unknown | Verdict::NoBaseline) => false,
    };
    Ok(Remedy {
        identity: identity.id.clone(),
        cut_to,
        verdict: before.verdict,
        verdict_then: then.verdict,
        summary_then: then.summary,
        reached,
        nothing_left,
        own,
        through,
        remains,
        doubts: before.doubts,
    })
}

/// What is proposed for each. Where several would have files of one name, on any file system, the place of each identity is
/// part of its names.
fn told_apart(cuts: &[HolderCut<'_>]) -> Vec<Result<Proposal, NoProposal>> {
    let names = |proposal: &Proposal| -> BTreeSet<String> {
        proposal.files.iter().map(|file| file.name.to_lowercase()).collect()
    };
    let mut proposals: Vec<Result<Proposal, NoProposal>> = cuts.iter().map(|cut| cut.propose("")).collect();
    let mut holders: BTreeMap<String, usize> = BTreeMap::new();
    for name in proposals.iter().flatten().flat_map(names) {
        *holders.entry(name).or_default() += 1;
    }
    let is_shared = |name: &String| holders.get(name).is_some_and(|holders| *holders > 1);
    let mut taken: BTreeSet<String> = holders.keys().cloned().collect();
    for (cut, proposal) in cuts.iter().zip(&mut proposals) {
        if !proposal.iter().flat_map(names).any(|name| is_shared(&name)) {
            continue;
        }
        let place = cut.holder.place();
        // Each of the others can be in the way of two: of its first name, and of the one that tells it apart.
        for number in 1..=2 * cuts.len() {
            let apart = if number == 1 { format!("-{place}") } else { format!("-{place}-{number}") };
            let Ok(told) = cut.propose(&apart) else { break };
            let names = names(&told);
            if names.is_disjoint(&taken) {
                taken.extend(names);
                *proposal = Ok(told);
                break;
            }
        }
    }
    proposals
}

impl Remains {
    fn of(identity: &Identity, error: &RemedyError) -> Self {
        Self { identity: identity.id.clone(), why: format!("{error}; {}", error.remedy) }
    }
}

struct Work<'a> {
    ground: Ground<'a>,
    identity: &'a Identity,
    aim: Aim<'a>,
}

impl<'a> Work<'a> {
    /// Those whose policies can be cut: the identity, where it holds access itself, and whose access it uses. With those
    /// that cannot.
    fn holders(&self, lenders: &[&'a Identity]) -> Result<(Vec<Holder<'a>>, Vec<Remains>), RemedyError> {
        let ground = self.ground;
        let has_access = |identity: &Identity| {
            ground.resolvers.get(identity.provider).is_some_and(|held| held.access(&identity.id).is_some())
        };
        let (mut holders, mut remains): (Vec<Holder<'a>>, Vec<Remains>) = (Vec::new(), Vec::new());
        if lenders.is_empty() || has_access(self.identity) {
            holders.push(Holder::of(ground, self.identity)?);
        }
        let mut next: Vec<&'a Identity> = lenders.to_vec();
        let mut seen: BTreeSet<&IdentityId> = BTreeSet::from([&self.identity.id]);
        let found = |id: &IdentityId| ground.inventory.identities.get(ground.judgements.position(id)?);
        let lent_to = |holder: &Holder<'a>| -> Vec<&'a Identity> {
            holder.access.slices().iter().filter_map(|slice| found(&holder.lender(slice)?)).collect()
        };
        next.extend(holders.iter().flat_map(lent_to));
        while let Some(lender) = next.pop() {
            if !seen.insert(&lender.id) {
                continue;
            }
            if matches!(ground.judgements.nature(&lender.id), Nature::Human | Nature::HumanRole) {
                let why = "it is how people do the job; let the agent act as an identity of its own".to_owned();
                remains.push(Remains { identity: lender.id.clone(), why });
                continue;
            }
            match Holder::of(ground, lender) {
                Ok(holder) => {
                    next.extend(lent_to(&holder));
                    holders.push(holder);
                }
                Err(error) => remains.push(Remains::of(lender, &error)),
            }
        }
        // Its own first.
        holders.sort_by(|a, b| {
            let other = |holder: &Holder<'_>| holder.identity.id != self.identity.id;
            (other(a), &a.identity.id).cmp(&(other(b), &b.identity.id))
        });
        remains.sort_by(|a, b| a.identity.cmp(&b.identity));
        Ok((holders, remains))
    }

    fn compared(&self, resolvers: &Resolvers) -> Result<Comparison, RemedyError> {
        let Ground { inventory, judgements, parity, .. } = self.ground;
        let human = match self.aim {
            Aim::HumanRole(human) => human,
            Aim::Used => None,
        };
        let compared = compare_one(inventory, judgements, resolvers, parity, &self.identity.id, human);
        compared.map(|(comparison, _)| comparison).ok_or_else(|| {
            RemedyError::new(
                format!("`{}` cannot be compared", self.identity.id),
                "name another human role with --human",
            )
        })
    }

    /// Who else uses the access of a holder, beside the identity that is asked about.
    fn others(&self, holder: &Holder<'_>, lent: &Lent<'a>) -> Vec<IdentityId> {
        let ground = self.ground;
        let has_access = |identity: &Identity| {
            ground.resolvers.get(identity.provider).is_some_and(|held| held.access(&identity.id).is_some())
        };
        let mut others = holder.proposes.lends_to(&holder.identity.id);
        for identity in &ground.inventory.identities {
            if lent.to(identity, has_access).iter().any(|lender| lender.identity.id == holder.identity.id) {
                others.push(identity.id.clone());
            }
        }
        others.retain(|id| *id != self.identity.id && *id != holder.identity.id);
        others.sort();
        others.dedup();
        others
    }

    /// The resolvers with cuts in place, without some operations of what each keeps besides.
    fn holding(&self, cuts: &[HolderCut<'_>], without: &[OpSet]) -> Resolvers {
        let accesses = cuts.iter().map(|cut| {
            let access = Access::new(cut.slices(cuts, without), cut.holder.access.doubts.clone(), false);
            (cut.holder.identity.id.clone(), access)
        });
        whatif::holding(self.ground.resolvers, accesses)
    }

    /// What access is cut to, in a few words.
    fn cut_to(&self, comparison: &Comparison) -> Result<String, RemedyError> {
        let baseline = &comparison.baseline;
        match (self.aim, baseline.source) {
            (Aim::Used, _) => Ok("what it used in the last 90 days".to_owned()),
            (Aim::HumanRole(_), BaselineSource::None) => Err(RemedyError::new(baseline.reason.to_string(), NAME)),
            (Aim::HumanRole(_), BaselineSource::Mined) => {
                let message = format!("no role holds what most people hold ({})", baseline.reason);
                Err(RemedyError::new(message, NAME))
            }
            (Aim::HumanRole(_), _) => Ok(format!("the human role {}: {}", baseline.name, baseline.reason)),
        }
    }

    fn measured(&self, holder: &Holder<'_>, comparison: &Comparison) -> Result<Measured, RemedyError> {
        match self.aim {
            Aim::Used => used(holder).map(Measured::Used),
            Aim::HumanRole(_) => self.roles(holder, comparison).map(Measured::Held),
        }
    }

    /// The accesses of the human roles in a holder's provider.
    fn roles(&self, holder: &Holder<'_>, comparison: &Comparison) -> Result<Vec<Arc<Access>>, RemedyError> {
        let baseline = &comparison.baseline;
        let roles = baseline.roles.iter().filter(|role| {
            let known = self.ground.judgements.position(role).and_then(|at| self.ground.inventory.identities.get(at));
            known.is_some_and(|role| role.provider == holder.identity.provider)
        });
        let held: Vec<Arc<Access>> = roles.filter_map(|role| holder.resolver.access(role)).collect();
        match held.is_empty() {
            true => Err(RemedyError::new(
                format!("what the human role {} holds in {} is not known", baseline.name, holder.identity.provider),
                NAME,
            )),
            false => Ok(held),
        }
    }

    /// Takes away, of what is kept, the operations before which people pass a control that the identity does not pass.
    fn take_uncontrolled(&self, cuts: &mut [HolderCut<'_>]) -> Result<(), RemedyError> {
        let all: Vec<OpSet> = cuts.iter().map(|cut| union(cut.kept.iter().map(|part| &part.slice))).collect();
        // The operations whose controls are compared.
        let sensitive = |cut: &HolderCut<'_>, all: &OpSet| -> OpSet {
            let catalog = cut.holder.resolver.catalog();
            let is = |at: &OperationIx| catalog.weight(*at) >= AccessLevel::Write.weight() || catalog.high_risk(*at);
            all.iter().filter(is).collect()
        };
        let sensitive: Vec<OpSet> = cuts.iter().zip(&all).map(|(cut, all)| sensitive(cut, all)).collect();
        let mut gone = vec![OpSet::new(); cuts.len()];
        for round in 0.. {
            let comparison = self.compared(&self.holding(cuts, &gone))?;
            let rest: Vec<OpSet> = sensitive.iter().zip(&gone).map(|(all, gone)| all.difference(gone)).collect();
            let count: usize = rest.iter().map(OpSet::len).sum();
            let mut found = vec![OpSet::new(); cuts.len()];
            for gap in comparison.controls.iter().filter(|row| row.is_gap() == Truth::Yes) {
                let whole = gap.count as usize >= count || round >= MOST_ROUNDS;
                for ((found, rest), cut) in found.iter_mut().zip(&rest).zip(cuts.iter()) {
                    let catalog = cut.holder.resolver.catalog();
                    let named =
                        || gap.operations.iter().fold(OpSet::new(), |all, name| all.union(&catalog.expand(name)));
                    *found = found.union(&if whole { rest.clone() } else { named() });
                }
            }
            let mut more = false;
            for ((found, all), gone) in found.iter().zip(&all).zip(&mut gone) {
                let found = found.intersection(all).difference(gone);
                more |= !found.is_empty();
                *gone = gone.union(&found);
            }
            if !more {
                break;
            }
        }
        for (cut, gone) in cuts.iter_mut().zip(&gone) {
            cut.take_uncontrolled(gone);
        }
        Ok(())
    }
}

/// What is said where no human role can be cut to.
const NAME: &str = "name the role with --human, map the job in evenhand.toml, or cut to what was used with `--to used`";

fn used(holder: &Holder<'_>) -> Result<OpSet, RemedyError> {
    let id = &holder.identity.id;
    holder.resolver.used(id).ok_or_else(|| match holder.proposes.evidence_of_use(id) {
        Some(document) => {
            RemedyError::new(format!("nothing that was read tells what `{id}` used"), format!("add {document}"))
        }
        None => RemedyError::new(
            format!("no document of {} tells what an identity used", holder.identity.provider),
            "cut to the human role: leave `--to used` out",
        ),
    })
}
