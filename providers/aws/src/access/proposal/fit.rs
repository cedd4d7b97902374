//! Statements as the documents that a principal may hold: as few as possible, and no more and no longer ones than AWS takes.
//!
//! Source of all limits: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>, "IAM and STS
//! character limits" and "IAM quotas"; for permission sets
//! <https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html>. AWS counts no white space.

use std::collections::VecDeque;

use evenhand_model::proposal::NoProposal;

use super::document::{Document, Naming, Said, Statement, length};
use super::kind::Changed;

/// The most characters of a managed policy.
pub(super) const MANAGED: usize = 6_144;
/// How many managed policies a principal may have attached unless its account asks for more.
pub(super) const ATTACHED: usize = 10;
/// In more managed policies than these nobody reads names, so wildcards are written where they take no more than these.
const FEW: usize = ATTACHED / 2;
/// Lists of resources that leave less than half of a managed policy to actions are cut.
const HALF: usize = MANAGED / 2;

/// What a principal may hold beside the policies that are left alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Characters of inline policies.
    inline: usize,
    /// Managed policies.
    attached: usize,
    /// The same where its account asks for more.
    most: usize,
}

impl Room {
    /// Beside inline policies of so many characters, and so many managed ones.
    pub(super) fn beside(kind: Changed, characters: usize, managed: usize) -> Self {
        Self {
            inline: kind.inline().saturating_sub(characters),
            attached: ATTACHED.saturating_sub(managed),
            most: kind.most_attached().saturating_sub(managed),
        }
    }
}

/// The documents of a proposal.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) inline: Option<Document>,
    pub(super) managed: Vec<Document>,
    /// How its actions are written.
    pub(super) naming: Naming,
}

impl Fitted {
    fn count(&self) -> usize {
        usize::from(self.inline.is_some()) + self.managed.len()
    }
}

/// By how much a principal cannot hold what may stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unfit {
    /// So many managed policies, beside a full inline one.
    Policies(usize),
    /// One statement is longer than any policy.
    Statement(usize),
}

impl Unfit {
    pub(super) fn told(self, kind: Changed, name: &str) -> NoProposal {
        let word = kind.word();
        let (most, inline) = (kind.most_attached(), kind.inline());
        let reason = match self {
            Self::Policies(count) => format!(
                "what may stay of the {word} `{name}` does not fit: with wildcards it takes an inline policy of {inline} \
                 characters and {count} managed ones of {MANAGED}, and AWS attaches {most} at most, so {} are too many",
                count.saturating_sub(most)
            ),
            Self::Statement(characters) => format!(
                "what may stay of the {word} `{name}` does not fit: one statement has {characters} characters, and a \
                 managed policy holds {MANAGED}, an inline one {inline}"
            ),
        };
        let remedy = "cut it further, with `--to used` or a narrower role after `--human`; or share its work among several \
                      identities; or attach the managed policies of the human role to it, and limit them by a \
                      permissions boundary that is coarser (`aws iam put-role-permissions-boundary`)";
        NoProposal { reason, remedy: remedy.to_owned() }
    }
}

/// What is said, in the fewest policies for which there is room. Actions are named one by one where that
/// fits in a few.
pub(super) fn fitted(said: &Said, room: Room) -> Result<Fitted, Unfit> {
    let fits = |fitted: &Fitted, most: usize| fitted.managed.len() <= most;
    let each = named(said, room, Naming::Each);
    if each.as_ref().is_ok_and(|each| fits(each, FEW.min(room.attached))) {
        return each;
    }
    match (each, named(said, room, Naming::Wildcards)) {
        (Ok(each), Ok(wild)) if fits(&each, room.attached) && !fits(&wild, FEW) => Ok(each),
        (Ok(each), Err(_)) if fits(&each, room.attached) => Ok(each),
        (_, Ok(wild)) if !fits(&wild, room.most) => Err(Unfit::Policies(wild.managed.len())),
        (_, wild) => wild,
    }
}

/// What is said in one way of naming actions, in the fewest policies, whether or not there is room for them.
fn named(said: &Said, room: Room, naming: Naming) -> Result<Fitted, Unfit> {
    let statements = cut(said.statements(naming), room.inline.max(MANAGED));
    if statements.is_empty() {
        return Ok(Fitted { inline: None, managed: Vec::new(), naming });
    }
    let attached = spread(&statements, 0, naming).ok().filter(|fitted| fitted.managed.len() <= room.attached);
    match (spread(&statements, room.inline, naming), attached) {
        // Of equally many those that are all of one kind.
        (Ok(beside), Some(attached)) if !beside.managed.is_empty() && attached.count() <= beside.count() => {
            Ok(attached)
        }
        (Ok(beside), _) if beside.managed.len() <= room.attached => Ok(beside),
        (_, Some(attached)) => Ok(attached),
        (more, None) => more,
    }
}

/// Spreads statements over an inline policy of so many characters, none for 0, and as many managed ones as it takes.
fn spread(statements: &[Statement], inline: usize, naming: Naming) -> Result<Fitted, Unfit> {
    let mut rest: VecDeque<Statement> = statements.iter().cloned().collect();
    let first = fill(&mut rest, inline);
    let mut managed = Vec::new();
    while let Some(next) = rest.front() {
        let shortest = next.with_actions(next.actions().iter().take(1).cloned().collect());
        let document = fill(&mut rest, MANAGED);
        if document.is_empty() {
            return Err(Unfit::Statement(length(&shortest)));
        }
        managed.push(Document::new(document));
    }
    let inline = (!first.is_empty()).then(|| Document::new(first));
    Ok(Fitted { inline, managed, naming })
}

/// Takes from the front what a document of so many characters holds; of the last statement some actions, where not all fit.
fn fill(rest: &mut VecDeque<Statement>, room: usize) -> Vec<Statement> {
    let mut free = room.saturating_sub(length(&Document::new(Vec::new())));
    let mut taken = Vec::new();
    while let Some(mut next) = rest.pop_front() {
        // With the comma behind it.
        let whole = length(&next) + 1;
        if whole <= free {
            free -= whole;
            taken.push(next);
            continue;
        }
        let bare = next.with_actions(Vec::new());
        let mut left = free.saturating_sub(length(&bare) + 1);
        let fitting = next.actions().iter().take_while(|name| {
            let takes = length(name) + 1;
            let fits = takes <= left;
            left = left.saturating_sub(takes);
            fits
        });
        let count = fitting.count();
        let others = next.action.as_mut().filter(|_| count > 0).map(|actions| actions.split_off(count));
        match others {
            Some(others) => {
                rest.push_front(bare.with_actions(others));
                taken.push(next);
            }
            None => rest.push_front(next),
        }
        break;
    }
    taken
}

/// Cuts long lists of resources, so that beside each part there is room for actions. What only an inline policy may hold
/// comes first, since that is filled first. `longest`: the characters of the longest policy.
fn cut(statements: Vec<Statement>, longest: usize) -> Vec<Statement> {
    let around = length(&Document::new(Vec::new()));
    let mut all = Vec::new();
    let mut waiting: VecDeque<Statement> = statements.into();
    while let Some(mut next) = waiting.pop_front() {
        let bare = length(&next.with_actions(Vec::new()));
        let half = next.resource.as_ref().map_or(0, |list| list.len() / 2);
        // Each part says again which actions it does not mean: where that list is the longer one, parts take more room.
        let is_list_long = length(&next.resource) > length(&next.not_action) || around + bare >= longest;
        let is_cut = bare > HALF && half > 0 && is_list_long;
        let others = next.resource.as_mut().filter(|_| is_cut).map(|list| list.split_off(half));
        let Some(others) = others else {
            all.push((bare < MANAGED.saturating_sub(HALF / 2), next));
            continue;
        };
        // Names of statements hold letters and digits, and are told apart inside a document.
        let sid = format!("{}b", next.sid);
        waiting.push_front(Statement { sid, resource: Some(others), ..next.clone() });
        next.sid.push('a');
        waiting.push_front(next);
    }
    all.sort_by_key(|(is_light, _)| *is_light);
    all.into_iter().map(|(_, statement)| statement).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use evenhand_model::catalog::Catalog;
    use evenhand_model::opset::OpSet;

    use super::super::again::Again;
    use super::super::document::{Effect, Reach, Tests};
    use super::*;
    use crate::catalog::Catalogue;
    use crate::policy::document::Listed;

    /// Every second action of some services, which no wildcard matches.
    fn every_second(patterns: &[&str]) -> OpSet {
        let all = patterns.iter().fold(OpSet::new(), |all, pattern| all.union(&Catalogue::global().expand(pattern)));
        all.iter().filter(|at| at.0 % 2 == 0).collect()
    }

    fn said(allow: &[(Reach, OpSet)]) -> Said {
        let allow = allow.iter().map(|(reach, operations)| (reach.clone(), operations.clone().into()));
        Said { allow: allow.collect(), ..Said::default() }
    }

    fn room(kind: Changed) -> Room {
        Room::beside(kind, 0, 0)
    }

    /// Each action that is granted with each resource, however it is spread.
    fn pairs<'f>(documents: impl Iterator<Item = &'f Document>) -> BTreeSet<(Arc<str>, String)> {
        let statements = documents.flat_map(|document| &document.statement);
        let allowed = statements.filter(|statement| statement.effect == Effect::Allow);
        let each = allowed.flat_map(|statement| {
            let resources = statement.resource.iter().flatten();
            resources.flat_map(move |resource| {
                statement.actions().iter().map(move |name| (Arc::clone(name), resource.clone()))
            })
        });
        each.collect()
    }

    fn sizes(fitted: &Fitted, kind: Changed) {
        assert!(fitted.inline.as_ref().is_none_or(|document| length(document) <= kind.inline()));
        assert!(fitted.managed.iter().all(|document| length(document) <= MANAGED));
        for document in fitted.managed.iter().chain(&fitted.inline) {
            let names: BTreeSet<&str> = document.statement.iter().map(|statement| &*statement.sid).collect();
            assert_eq!(names.len(), document.statement.len(), "{document:?}");
        }
    }

    #[test]
    fn what_an_inline_policy_holds_is_one_and_what_not_becomes_managed_ones() {
        let few = said(&[(Reach::everything(), Catalogue::global().expand("sqs:*"))]);
        let fitted_few = fitted(&few, room(Changed::Role)).unwrap();
        assert!(fitted_few.inline.is_some() && fitted_few.managed.is_empty());
        let some = every_second(&["ec2:*", "iam:*"]);
        let many = said(&[(Reach::everything(), some.clone())]);
        for kind in [Changed::Role, Changed::User, Changed::Group] {
            let fitted = fitted(&many, room(kind)).unwrap();
            sizes(&fitted, kind);
            assert!(!fitted.managed.is_empty() && fitted.managed.len() <= ATTACHED, "{fitted:?}");
            assert_eq!(fitted.naming, Naming::Each);
            assert_eq!(pairs(fitted.managed.iter().chain(&fitted.inline)).len(), some.len());
        }
        // Beside policies that stay there is less room.
        let beside = fitted(&few, Room::beside(Changed::Role, 10_000, 3)).unwrap();
        assert!(beside.inline.is_none() && beside.managed.len() == 1, "{beside:?}");
        assert!(matches!(fitted(&many, Room::beside(Changed::Role, 10_240, 20)), Err(Unfit::Policies(_))));
        let nothing = fitted(&Said::default(), room(Changed::Role)).unwrap();
        assert!(nothing.inline.is_none() && nothing.managed.is_empty());
    }

    #[test]
    fn wildcards_are_written_where_names_do_not_fit_and_match_the_same() {
        let catalogue = Catalogue::global();
        // More than ten policies of names, and a handful of wildcards.
        let all = OpSet::all(catalogue.len()).difference(&catalogue.expand("iam:*"));
        let fitted = fitted(&said(&[(Reach::everything(), all.clone())]), room(Changed::Role)).unwrap();
        sizes(&fitted, Changed::Role);
        assert_eq!(fitted.naming, Naming::Wildcards);
        assert!(fitted.managed.len() <= ATTACHED, "{}", fitted.managed.len());
        let documents = fitted.managed.iter().chain(&fitted.inline);
        let names = documents.flat_map(|document| &document.statement).flat_map(Statement::actions);
        assert_eq!(catalogue.all_of(names.map(|name| &**name)), all);
    }

    #[test]
    fn wildcards_are_written_where_names_take_more_than_a_few_policies_and_they_do_not() {
        let catalogue = Catalogue::global();
        let whole = catalogue.all_of(["ec2:*", "rds:*", "glue:*", "sagemaker:*"]);
        let said = said(&[(Reach::everything(), whole)]);
        let names = named(&said, room(Changed::Role), Naming::Each).unwrap();
        assert!((FEW + 1..=ATTACHED).contains(&names.managed.len()), "{}", names.managed.len());
        let fitted = fitted(&said, room(Changed::Role)).unwrap();
        assert!(fitted.naming == Naming::Wildcards && fitted.managed.is_empty(), "{fitted:?}");
    }

    #[test]
    fn what_does_not_fit_is_told_with_the_limit_and_by_how_much() {
        let all = OpSet::all(Catalogue::global().len());
        let odd: OpSet = all.iter().filter(|at| at.0 % 2 == 0).collect();
        let unfit = fitted(&said(&[(Reach::everything(), odd)]), room(Changed::Role)).unwrap_err();
        let Unfit::Policies(count) = unfit else { panic!("{unfit:?}") };
        assert!(count > 20, "{count}");
        let told = unfit.told(Changed::Role, "agent");
        assert!(told.reason.contains(&format!("so {} are too many", count - 20)), "{}", told.reason);
        assert!(told.reason.contains("6144") && told.remedy.contains("--to used"), "{told:?}");
        // A list that says what is not meant cannot be cut.
        let resources = (0..300).map(|number| format!("arn:aws:s3:::bucket-of-a-long-name-{number}/*")).collect();
        let reach = Reach { resources, inverted: true, tests: Tests::new() };
        let unfit = fitted(&said(&[(reach, every_second(&["s3:*"]))]), room(Changed::User)).unwrap_err();
        assert!(matches!(unfit, Unfit::Statement(length) if length > MANAGED), "{unfit:?}");
    }

    #[test]
    fn long_lists_of_resources_are_cut_and_all_of_them_stay_granted() {
        let resources: Vec<String> = (0..400).map(|number| format!("arn:aws:s3:::bucket-{number}/*")).collect();
        let actions = Catalogue::global().expand("s3:Get*");
        let reach = Reach { resources: resources.clone(), inverted: false, tests: Tests::new() };
        let fitted = fitted(&said(&[(reach, actions.clone())]), room(Changed::Role)).unwrap();
        sizes(&fitted, Changed::Role);
        let documents = || fitted.managed.iter().chain(&fitted.inline);
        assert!(documents().count() > 1);
        let granted = pairs(documents());
        for resource in &resources {
            let names = granted.iter().filter(|(_, on)| on == resource).map(|(name, _)| &**name);
            assert_eq!(Catalogue::global().all_of(names), actions, "{resource}");
        }
    }

    /// So many actions, and all others denied, beside something that is granted.
    fn all_but(count: u32, resources: Vec<Arc<str>>) -> (Vec<Arc<str>>, Said) {
        let names: Vec<Arc<str>> = (0..count).map(|number| format!("some:Action{number:03}").into()).collect();
        let deny = Again {
            sid: "Guard".into(),
            actions: Listed::NotIn(names.clone()),
            resources: Listed::In(resources),
            tests: Tests::new(),
        };
        (names, Said { again: vec![deny], ..said(&[(Reach::everything(), every_second(&["ec2:*"]))]) })
    }

    fn denies(fitted: &Fitted) -> Vec<&Statement> {
        let statements = fitted.managed.iter().chain(&fitted.inline).flat_map(|document| &document.statement);
        statements.filter(|statement| statement.effect == Effect::Deny).collect()
    }

    #[test]
    fn a_deny_is_cut_where_its_resources_are_many_and_not_where_the_actions_are_that_it_does_not_mean() {
        let buckets = |count: u32| -> Vec<Arc<str>> {
            (0..count).map(|number| format!("arn:aws:s3:::bucket-{number:03}/*").into()).collect()
        };
        let (_, some) = all_but(400, buckets(2));
        let whole = fitted(&some, room(Changed::Role)).unwrap();
        sizes(&whole, Changed::Role);
        let [deny] = *denies(&whole) else { panic!("{whole:#?}") };
        assert!(deny.sid == "Guard" && length(deny) > MANAGED, "{deny:?}");
        // Of many resources, and where no policy holds it whole.
        for (actions, resources, kind) in [(10, 300, Changed::Role), (280, 60, Changed::User)] {
            let (names, some) = all_but(actions, buckets(resources));
            let parts = fitted(&some, room(kind)).unwrap();
            sizes(&parts, kind);
            assert!(denies(&parts).len() > 1, "{parts:#?}");
            let listed = denies(&parts).into_iter().flat_map(|deny| deny.resource.iter().flatten());
            assert_eq!(listed.collect::<BTreeSet<_>>().len(), resources as usize);
            assert!(denies(&parts).iter().all(|deny| deny.not_action.as_ref() == Some(&names)));
        }
    }

    #[test]
    fn a_deny_of_all_but_some_actions_stays_whole_and_where_it_fits_nowhere_nothing_is_proposed() {
        let (names, some) = all_but(150, vec!["*".into()]);
        for kind in [Changed::Role, Changed::User] {
            let fitted = fitted(&some, room(kind)).unwrap();
            sizes(&fitted, kind);
            let [deny] = *denies(&fitted) else { panic!("{fitted:#?}") };
            assert_eq!((&*deny.sid, &deny.action, &deny.not_action), ("Guard", &None, &Some(names.clone())));
        }
        let unfit = fitted(&all_but(400, vec!["*".into()]).1, room(Changed::User)).unwrap_err();
        assert!(matches!(unfit, Unfit::Statement(length) if length > MANAGED), "{unfit:?}");
    }
}
