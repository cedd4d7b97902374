//! How tightly a condition holds what it admits.
//!
//! The grade is about the condition, whatever token is asked about: who else could become the identity. Names of patterns
//! are those of the public collection of subject-against-condition vectors, where that has one. A grader knows neither
//! clouds nor policies: it is given [what is demanded](Asks) of each claim.
//!
//! Two things are looked at: how much is admitted (which tenant, which workload, which contexts), and by what it is held:
//! by a number, or by a name that may be given away. Each alone is weak; much that is held by a name is unsafe.

use std::borrow::Cow;
use std::collections::BTreeSet;

use evenhand_model::evidence::Truth;
use evenhand_model::glob::{Glob, Token};
use schemars::JsonSchema;
use serde::Serialize;

use crate::issuer::Issuer;
use crate::issuers;
use crate::reach::{Context, NO_ID, Pin, Reach};
use crate::reasons;
use crate::shape::Shape;

/// How tightly a condition holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// It admits the workload that it names and no other.
    Safe,
    /// It admits more contexts of the workload than one, rests on a name that may change hands (of an issuer whose subjects
    /// may be had with numbers: only where the pattern leaves these open), or admits nobody at all.
    Weak,
    /// It admits workloads of others, or changes that nobody has reviewed.
    Unsafe,
}

/// One thing that is demanded of a token: a claim whose value fits one of these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Demand {
    /// The claim's name.
    pub claim: String,
    /// Any one will do; none: no token meets it.
    pub values: Vec<Glob>,
    /// In which ways the test is laxer than its values.
    pub slack: Vec<Slack>,
}

/// A way in which a test is laxer than its values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Slack {
    /// It passes where the token lacks the claim. Only of a claim that every token of the issuer carries is such a test a
    /// demand at all.
    Missing,
    /// The case of letters does not count; the values are in lower case.
    Case,
}

impl Demand {
    /// A claim and its values.
    pub fn new(claim: impl Into<String>, values: Vec<Glob>) -> Self {
        Self { claim: claim.into(), values, slack: Vec::new() }
    }
}

/// One way to meet a condition.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Alternative {
    /// All of these. Tests that hold for tokens without the claim, and negative ones, are no demands.
    pub demands: Vec<Demand>,
    /// Claims with values of which each keeps a token out that has it, whatever else is demanded.
    pub denied: Vec<Demand>,
    /// Whether it has negative tests as well.
    pub forbids: bool,
    /// Whether it demands something nobody here understands as well.
    pub vague: bool,
}

impl From<Vec<Demand>> for Alternative {
    fn from(demands: Vec<Demand>) -> Self {
        Self { demands, ..Self::default() }
    }
}

/// What a condition demands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Asks {
    /// One of these has to be met.
    pub alternatives: Vec<Alternative>,
    /// Names of what was found on the way and takes nothing from the grade.
    pub remarks: Vec<&'static str>,
    /// Parts that demand something nobody here understands, so that the condition may be tighter than it is graded.
    pub opaque: Vec<String>,
    /// Claims that are tested, whether or not that demands anything of them, beside those that are demanded.
    pub tested: BTreeSet<String>,
}

/// A grade, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Graded {
    /// The grade of the loosest alternative.
    pub grade: Grade,
    /// The pattern that decides; `None` where nothing is weak.
    pub pattern: Option<&'static str>,
    /// Everything that was recognised, weak or not.
    pub patterns: BTreeSet<&'static str>,
    /// Whether some token of the issuer can be admitted. What a condition demands is never told as narrower than it is, so
    /// that where none can, none is.
    pub admits: bool,
    /// Whether only parts that nobody here understands stand between the condition and a better grade: it is no worse than
    /// the grade says, and may be better.
    pub vague: bool,
}

impl Graded {
    /// Why, in a sentence; empty where nothing is weak.
    pub fn reason(&self) -> &'static str {
        self.pattern.map_or("", reasons::of)
    }

    /// Whether the condition could be tighter: not where only the issuer could make it so.
    pub fn is_avoidable(&self) -> bool {
        // A user of CircleCI is in every subject and pinning one pins a person; names of GitLab and Terraform Cloud, held
        // to the letter, admit what they name.
        self.grade > Grade::Safe && !matches!(self.pattern, Some("name-based" | "wildcard-user"))
    }

    /// This grade, or a worse one with its pattern.
    pub(crate) fn worsen(&mut self, pattern: &'static str, grade: Grade) {
        self.patterns.insert(pattern);
        if grade > self.grade {
            self.grade = grade;
            self.pattern = Some(pattern);
        }
    }
}

/// Combinations of subject patterns beyond which they are not looked at one by one.
const MOST_COMBINATIONS: usize = 256;

/// Grades what is demanded of an issuer's tokens.
pub fn grade(issuer: Issuer, asks: &Asks) -> Graded {
    let patterns = asks.remarks.iter().copied().collect();
    let mut graded = Graded { grade: Grade::Safe, pattern: None, patterns, admits: false, vague: false };
    let mut certain = Grade::Safe;
    for alternative in &asks.alternatives {
        let demands = &alternative.demands;
        let vague = alternative.vague || demands.iter().any(|demand| !issuers::knows(issuer, &demand.claim));
        let untested = match demands.iter().any(|demand| demand.claim == "sub") {
            true => None,
            false if alternative.forbids => Some("negative-only"),
            false => Some("missing-sub"),
        };
        let mut found = Vec::new();
        let unproposed = denies_proposals(issuer, alternative);
        for reach in reaches(issuer, &spared(issuer, alternative)) {
            let reach = if unproposed { reach.without_proposals() } else { reach };
            graded.patterns.extend(&reach.remarks);
            if !reach.never {
                graded.admits = true;
                found.extend(weaknesses(issuer, &reach, untested));
                found.extend(slackness(issuer, demands));
            }
        }
        for (pattern, grade) in found {
            graded.worsen(pattern, grade);
            certain = if vague { certain } else { certain.max(grade) };
        }
        if demands.len() > 1 {
            graded.patterns.extend(["multi-key-and", "multi-claim-and"]);
        }
        if demands.iter().any(|demand| demand.values.len() > 1) {
            graded.patterns.insert("multivalue-or");
        }
    }
    if !graded.admits {
        graded.worsen("always-false", Grade::Weak);
    }
    graded.vague = graded.admits && graded.grade > certain;
    graded
}

/// What is demanded, without the values that keep a token out. One that is kept out in some contexts of a workload alone is
/// taken apart by these.
fn spared(issuer: Issuer, alternative: &Alternative) -> Cow<'_, [Demand]> {
    if alternative.denied.is_empty() {
        return Cow::Borrowed(&alternative.demands);
    }
    let left = |demand: &Demand| {
        if !is_exact(issuer, demand) {
            return demand.clone();
        }
        let is_denied = |value: &Glob, denied: &Demand| denied.claim == demand.claim && takes(denied, value);
        let is_left = |value: &Glob| !alternative.denied.iter().any(|denied| is_denied(value, denied));
        let values = demand.values.iter().flat_map(|value| rest(issuer, &demand.claim, value, &is_left)).collect();
        Demand { values, ..demand.clone() }
    };
    alternative.demands.iter().map(left).collect()
}

/// Whether everything is denied that runs for a change which is proposed and not merged.
fn denies_proposals(issuer: Issuer, alternative: &Alternative) -> bool {
    alternative
        .denied
        .iter()
        .any(|denied| issuers::proposed(issuer, &denied.claim).is_some_and(|all| takes(denied, &all)))
}

/// Whether what is denied takes every text of a value.
fn takes(denied: &Demand, value: &Glob) -> bool {
    let value = if denied.slack.contains(&Slack::Case) { Cow::Owned(lower(value)) } else { Cow::Borrowed(value) };
    denied.values.iter().any(|one| one.contains(&value) == Truth::Yes)
}

/// A pattern in lower case.
fn lower(pattern: &Glob) -> Glob {
    let lower = |token: Token| match token {
        Token::Char(c) => c.to_lowercase().map(Token::Char).collect(),
        other => vec![other],
    };
    Glob::from_tokens(pattern.tokens().into_iter().flat_map(lower))
}

/// What is left of a value: itself, or some of its contexts. One of which every context is denied stays as it is, since those
/// are the contexts that are known, and it fits others as well.
fn rest(issuer: Issuer, claim: &str, value: &Glob, is_left: &dyn Fn(&Glob) -> bool) -> Vec<Glob> {
    if !is_left(value) {
        return Vec::new();
    }
    let contexts = issuers::contexts(issuer, claim, value);
    let parts: Vec<Glob> = contexts.iter().flat_map(|part| rest(issuer, claim, part, is_left)).collect();
    if parts.is_empty() || parts == contexts { vec![value.clone()] } else { parts }
}

/// What is weak about how demands are put, whatever they are. Nothing where the same claim is demanded strictly as well (of
/// the case of letters: by whole texts, since a wildcard takes any), and nothing of the audience, which takes nothing from
/// the grade.
fn slackness(issuer: Issuer, demands: &[Demand]) -> Vec<(&'static str, Grade)> {
    let strictly = |claim: &str, whole: bool| {
        let is_whole = |value: &Glob| Shape::of(value).literal().is_some();
        let mut of = demands.iter().filter(|demand| demand.claim == claim && demand.slack.is_empty());
        of.any(|demand| !whole || demand.values.iter().all(is_whole))
    };
    let mut found = Vec::new();
    for demand in demands.iter().filter(|demand| !is_audience(&demand.claim)) {
        for slack in &demand.slack {
            match slack {
                _ if strictly(&demand.claim, *slack == Slack::Case) => {}
                Slack::Missing => found.push(("passes-when-absent", Grade::Weak)),
                Slack::Case if issuers::case_counts(issuer, &demand.claim, &demand.values) => {
                    found.push(("case-ignored", Grade::Weak));
                }
                Slack::Case => {}
            }
        }
    }
    found
}

pub(crate) fn is_audience(claim: &str) -> bool {
    matches!(claim, "aud" | "oaud")
}

/// Whether demands on claims that have one value leave no value, or none that goes with what is demanded of another claim.
fn contradict(issuer: Issuer, demands: &[Demand]) -> bool {
    let compared: Vec<&Demand> = demands.iter().filter(|demand| is_exact(issuer, demand)).collect();
    compared.iter().any(|one| {
        let apart = |other: &&Demand| !one.values.iter().any(|value| fits_beside(issuer, &one.claim, value, other));
        compared.iter().any(apart)
    })
}

/// Whether the values of a demand can be compared with those of others: of a claim that has one value, and not put in lower
/// case, which the others were not.
fn is_exact(issuer: Issuer, demand: &Demand) -> bool {
    !demand.slack.contains(&Slack::Case) && issuers::has_one_value(issuer, &demand.claim)
}

/// Whether one token may have a value of a claim and meet a demand.
fn fits_beside(issuer: Issuer, claim: &str, value: &Glob, demand: &Demand) -> bool {
    let fits = |wanted: &Glob| wanted.overlaps(value) != Truth::No;
    demand.values.iter().any(|other| match claim == demand.claim {
        true => fits(other),
        false => issuers::limits(issuer, claim, &demand.claim, other).is_none_or(|all| all.iter().any(fits)),
    })
}

/// How far each combination of a list of demands reaches. Values of the subject are told apart, since each of them holds
/// several things at once; those of other claims hold one thing, of which the loosest counts that the others leave.
fn reaches(issuer: Issuer, demands: &[Demand]) -> Vec<Reach> {
    if contradict(issuer, demands) {
        return vec![Reach::nobody()];
    }
    let (subjects, others): (Vec<&Demand>, Vec<&Demand>) = demands.iter().partition(|demand| demand.claim == "sub");
    let mut all: Vec<(Reach, Vec<&Glob>)> = vec![(Reach::default(), Vec::new())];
    for demand in subjects {
        let of = |value: &Glob| issuers::reach(issuer, &demand.claim, value);
        let each: Vec<(Reach, Option<&Glob>)> = if all.len() * demand.values.len() <= MOST_COMBINATIONS {
            let exact = is_exact(issuer, demand);
            demand.values.iter().map(|value| (of(value), exact.then_some(value))).collect()
        } else {
            demand.values.iter().map(of).reduce(Reach::or).map(|reach| (reach, None)).into_iter().collect()
        };
        let mut combined = Vec::new();
        for (held, values) in &all {
            for (reach, value) in &each {
                if value.is_none_or(|value| values.iter().all(|other| other.overlaps(value) != Truth::No)) {
                    let values = values.iter().copied().chain(*value).collect();
                    combined.push((held.clone().and(reach.clone()), values));
                }
            }
        }
        all = combined;
    }
    all.into_iter().filter_map(|(reach, values)| beside(issuer, reach, &values, &others)).collect()
}

/// How far demands reach beside those on the subject, of which one value each is taken; `None`: no token meets all of them.
fn beside(issuer: Issuer, subject: Reach, values: &[&Glob], others: &[&Demand]) -> Option<Reach> {
    let told = values.iter().flat_map(|value| issuers::told(issuer, value));
    let told: Vec<Demand> = told.map(|(claim, value)| Demand::new(claim, vec![value])).collect();
    if contradict(issuer, &told) {
        return None;
    }
    let compared: Vec<&Demand> =
        told.iter().chain(others.iter().copied().filter(|demand| is_exact(issuer, demand))).collect();
    others.iter().try_fold(subject, |held, demand| {
        let exact = is_exact(issuer, demand);
        let fits =
            |value: &&Glob| !exact || compared.iter().all(|other| fits_beside(issuer, &demand.claim, value, other));
        let left = demand.values.iter().filter(fits).map(|value| issuers::reach(issuer, &demand.claim, value));
        Some(held.and(left.reduce(Reach::or)?))
    })
}

/// What is weak about a reach, the decisive pattern first; `untested`: the pattern for a subject of which nothing is demanded.
fn weaknesses(issuer: Issuer, reach: &Reach, untested: Option<&'static str>) -> Vec<(&'static str, Grade)> {
    use Grade::{Unsafe, Weak};
    if reach.steps == Pin::Part && reach.tenant < Pin::Name {
        return vec![("wildcard-workflow", Unsafe)];
    }
    if reach.steps > Pin::Part && (reach.tenant < Pin::Name || reach.workload < Pin::Name) {
        // What runs is known, whoever runs it. At a commit too: its inputs, and what it checks out, are the caller's.
        let anybody = reach.tenant < Pin::Name;
        let held = Reach { steps: Pin::Open, ..reach.clone() }.and(Reach::workload(Pin::Name));
        let rest = weaknesses(issuer, &held, untested);
        return anybody.then_some(("job-workflow-ref", Weak)).into_iter().chain(rest).collect();
    }
    let open = reach.tenant == Pin::Open && reach.workload == Pin::Open;
    if open {
        let missing = untested.map(|name| (name, Unsafe));
        let name = if issuer == Issuer::Kubernetes { "cluster-wide" } else { "no-repo-scope" };
        return missing.into_iter().chain([(name, Unsafe)]).collect();
    }
    let by_name = |held: Pin| if held == Pin::Id { Weak } else { Unsafe };
    if reach.workload <= Pin::Part {
        let widest = match issuer {
            Issuer::Kubernetes if reach.tenant >= Pin::Name => ("namespace-wide", Weak),
            Issuer::Kubernetes => ("cluster-wide", Unsafe),
            Issuer::Other => ("wildcard-suffix", Weak),
            // The issuer is the tenant's own: to name the tenant again narrows nothing.
            Issuer::CircleCi | Issuer::Bitbucket => ("wildcard-repo", Unsafe),
            Issuer::GitHub | Issuer::GitLab | Issuer::Terraform => match (reach.tenant, reach.workload) {
                (Pin::Open | Pin::Part, _) => ("no-repo-scope", Unsafe),
                (tenant, Pin::Open) => ("org-wide", by_name(tenant)),
                (tenant, _) if issuer == Issuer::Terraform => ("wildcard-workspace", by_name(tenant)),
                (tenant, _) => ("wildcard-repo", by_name(tenant)),
            },
        };
        let mut found = vec![widest];
        found.extend(proposals(issuer, reach).filter(|_| reach.tenant == Pin::Name));
        if issuer.reuses_names() && reach.tenant == Pin::Name {
            found.extend([("name-based", Weak), (NO_ID, Weak)]);
        }
        return found;
    }
    if issuer.is_shared() && reach.tenant <= Pin::Part {
        return vec![("shared-issuer-spoof", Unsafe), ("name-based", Weak), (NO_ID, Weak)];
    }
    let mut found = Vec::new();
    if reach.admits_proposals() {
        found.push(("pull-request", Unsafe));
    }
    found.extend(reach.fits_proposals().filter(|_| reach.workload < Pin::Id).map(|name| (name, Unsafe)));
    // Whoever may run in several contexts calls the steps with inputs and files of its own in each: that these are held fast
    // takes nothing from it.
    let own = reach.protected || reach.context != Context::All;
    let calls = reach.lets_proposals_call().then_some(("proposals-call", Weak));
    found.extend(calls.filter(|_| own));
    match if own { reach.context } else { reach.steps_at } {
        Context::All | Context::Several(_) if reach.protected => {
            let grade = if issuer.reuses_names() { by_name(reach.workload) } else { Weak };
            found.push(("ref-protected", grade));
        }
        Context::All => {
            let name = match issuer {
                Issuer::GitLab => "wildcard-ref",
                Issuer::Terraform => "run-phase-wildcard",
                Issuer::CircleCi => "wildcard-user",
                _ => "repo-wide",
            };
            found.push((name, by_name(reach.workload)));
            found.extend(proposals(issuer, reach).filter(|_| reach.workload < Pin::Id));
            if issuer == Issuer::Terraform {
                // As the vectors call it too.
                found.push(("wildcard-ref", Weak));
            }
        }
        Context::Several(name) => {
            let grade = if issuer.reuses_names() { by_name(reach.workload) } else { Weak };
            found.push((name, grade));
            found.extend(proposals(issuer, reach).filter(|_| reach.workload < Pin::Id));
        }
        Context::Tag => found.push(("tag-ref", Weak)),
        Context::One => {}
    }
    found.extend(calls.filter(|_| !own));
    if issuer.reuses_names() && reach.workload == Pin::Name {
        found.extend([("name-based", Weak), (NO_ID, Weak)]);
    }
    let is_weak = |mark: &&str| **mark != *NO_ID || reach.workload < Pin::Id;
    found.extend(reach.mark.filter(is_weak).map(|mark| (mark, Weak)));
    found
}

/// Pull requests, where every context of GitHub's workloads is admitted: they are one of them; and where they fit a pattern.
fn proposals(issuer: Issuer, reach: &Reach) -> impl Iterator<Item = (&'static str, Grade)> {
    let all = reach.context == Context::All && reach.steps_at == Context::All;
    let fit = all || reach.fits_proposals().is_some();
    let admitted = issuer == Issuer::GitHub && fit && !reach.protected;
    admitted.then_some(("pull-request", Grade::Unsafe)).into_iter()
}
