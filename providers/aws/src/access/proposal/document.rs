//! Statements and documents of a proposal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::catalog::Catalog;
use evenhand_model::opset::OpSet;
use serde::Serialize;

use super::again::Again;
use super::unknown;
use crate::catalog::Catalogue;

/// Lists of resources are joined up to this length: one grant of so many is still compared resource by resource.
const MOST_RESOURCES: usize = 64;

/// A document. The members are in the order in which people write them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Document {
    version: &'static str,
    pub(super) statement: Vec<Statement>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statement {
    pub(super) sid: String,
    pub(super) effect: Effect,
    /// `None` where those are listed that are not meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<Vec<Arc<str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_action: Option<Vec<Arc<str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resource: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_resource: Option<Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) condition: Tests,
}

impl Statement {
    /// A copy with other actions in the place of those that are meant; a plain copy where those are listed that are not.
    pub(super) fn with_actions(&self, actions: Vec<Arc<str>>) -> Self {
        Self { action: self.action.is_some().then_some(actions), ..self.clone() }
    }

    /// The actions that it lists as meant.
    pub(super) fn actions(&self) -> &[Arc<str>] {
        self.action.as_deref().unwrap_or_default()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// How what is granted is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Naming {
    /// One by one, but for wildcards that the present policies have for them.
    Each,
    /// With wildcards that match the same actions of the catalogue and no others.
    Wildcards,
}

/// Operator, key, values.
pub(super) type Tests = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Vec<Arc<str>>>>;

/// What is granted or denied, before it is a statement.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Reach {
    pub(super) resources: Vec<String>,
    /// Whether the resources are those that are meant, or those that are not.
    pub(super) inverted: bool,
    pub(super) tests: Tests,
}

impl Reach {
    /// All resources, whatever the request is like.
    pub(super) fn everything() -> Self {
        Self { resources: vec!["*".to_owned()], inverted: false, tests: Tests::new() }
    }
}

/// Actions that are granted or denied.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Meant {
    pub(super) operations: OpSet,
    /// Wildcards by which the present policies grant some of them on no less than the same resources.
    pub(super) wildcards: BTreeSet<Arc<str>>,
}

impl From<OpSet> for Meant {
    fn from(operations: OpSet) -> Self {
        Self { operations, wildcards: BTreeSet::new() }
    }
}

impl Meant {
    pub(super) fn add(&mut self, operations: &OpSet, wildcards: impl IntoIterator<Item = Arc<str>>) {
        self.operations = self.operations.union(operations);
        self.wildcards.extend(wildcards);
    }

    /// Drops wildcards that match more.
    fn exact(mut self) -> Self {
        let catalogue = Catalogue::global();
        self.wildcards.retain(|text| catalogue.all_of([&**text]).is_subset(&self.operations));
        self
    }

    /// What is not said elsewhere. A wildcard that says some of it is said whole, since it is there and as short.
    fn without(mut self, elsewhere: &OpSet) -> Self {
        let catalogue = Catalogue::global();
        self.operations = self.operations.difference(elsewhere);
        let left = &self.operations;
        self.wildcards.retain(|text| catalogue.all_of([&**text]).intersects(left));
        self.operations = left.union(&catalogue.all_of(self.wildcards.iter().map(|text| &**text)));
        self
    }

    /// The wildcards, and by name what they do not match.
    fn texts(&self) -> Vec<Arc<str>> {
        let catalogue = Catalogue::global();
        let rest = self.operations.difference(&catalogue.all_of(self.wildcards.iter().map(|text| &**text)));
        self.wildcards.iter().cloned().chain(rest.iter().map(|operation| catalogue.name(operation))).collect()
    }
}

/// What is granted, and what is denied.
#[derive(Clone, Default, Debug)]
pub(super) struct Said {
    pub(super) allow: BTreeMap<Reach, Meant>,
    pub(super) deny: BTreeMap<Reach, Meant>,
    /// What is denied now, and said again as it stands.
    pub(super) again: Vec<Again>,
    /// Unknown actions that no wildcard may grant.
    pub(super) excepted: BTreeSet<Arc<str>>,
}

impl Said {
    /// The same in fewer statements.
    pub(super) fn joined(self) -> Self {
        Self { allow: joined(self.allow), deny: joined(self.deny), ..self }
    }

    /// The statements, those that grant first.
    pub(super) fn statements(&self, naming: Naming) -> Vec<Statement> {
        let allow = self.allow.iter().map(|(reach, meant)| (Effect::Allow, reach, meant));
        let deny = self.deny.iter().map(|(reach, meant)| (Effect::Deny, reach, meant));
        let all = (1..).zip(allow.chain(deny).filter(|(_, _, meant)| !meant.operations.is_empty()));
        let all = all.map(|(number, (effect, reach, meant))| statement(number, effect, reach, meant, naming));
        let mut all: Vec<Statement> = all.collect();
        let matched = unknown::matched(&self.excepted, &all);
        if !matched.is_empty() {
            let sid = name(Effect::Deny, all.len() + 1);
            let (effect, action, resource) = (Effect::Deny, Some(matched), Some(vec!["*".to_owned()]));
            let condition = Tests::new();
            all.push(Statement { sid, effect, action, not_action: None, resource, not_resource: None, condition });
        }
        for deny in &self.again {
            let own = deny.own_name(&self.again).map(str::to_owned);
            let sid = own.unwrap_or_else(|| name(Effect::Deny, all.len() + 1));
            all.push(deny.statement(sid));
        }
        all
    }
}

/// Grants, or denies, that say the same in fewer statements: what is said of everything is not said again of less, and what
/// is said of the same operations under the same tests is said once of all their resources.
fn joined(said: BTreeMap<Reach, Meant>) -> BTreeMap<Reach, Meant> {
    let everything = Reach::everything();
    let everywhere = said.get(&everything).map(|meant| meant.operations.clone()).unwrap_or_default();
    let mut lists: BTreeMap<(Tests, Meant), Vec<BTreeSet<String>>> = BTreeMap::new();
    let mut joined: BTreeMap<Reach, Meant> = BTreeMap::new();
    for (reach, meant) in said {
        let meant = meant.exact();
        let meant = if reach == everything { meant } else { meant.without(&everywhere) };
        if meant.operations.is_empty() {
            continue;
        }
        if reach.inverted {
            joined.insert(reach, meant);
            continue;
        }
        let held = lists.entry((reach.tests, meant)).or_default();
        let more: BTreeSet<String> = reach.resources.into_iter().collect();
        match held.iter_mut().find(|list| list.union(&more).count() <= MOST_RESOURCES) {
            Some(list) => list.extend(more),
            None => held.push(more),
        }
    }
    for ((tests, meant), lists) in lists {
        for list in lists {
            let resources = match list.contains("*") {
                true => vec!["*".to_owned()],
                false => list.into_iter().collect(),
            };
            let held = joined.entry(Reach { resources, inverted: false, tests: tests.clone() }).or_default();
            held.add(&meant.operations, meant.wildcards.iter().cloned());
        }
    }
    joined
}

/// The actions of a statement. What is granted is named one by one where it may be: a wildcard would grant what the vendor
/// adds, unless it is one of the present policies, which grant that now. A deny may reach further, and is shorter so.
fn actions(effect: Effect, meant: &Meant, naming: Naming) -> Vec<Arc<str>> {
    let catalogue = Catalogue::global();
    match (effect, naming) {
        (_, Naming::Wildcards) => catalogue.exact(&meant.operations),
        (Effect::Deny, Naming::Each) => {
            catalogue.summarise(&meant.operations).into_iter().map(|(name, _)| name).collect()
        }
        (Effect::Allow, Naming::Each) => meant.texts(),
    }
}

fn statement(number: usize, effect: Effect, reach: &Reach, meant: &Meant, naming: Naming) -> Statement {
    let resources = Some(reach.resources.clone());
    let (resource, not_resource) = if reach.inverted { (None, resources) } else { (resources, None) };
    let (action, not_action) = (Some(actions(effect, meant, naming)), None);
    let (sid, condition) = (name(effect, number), reach.tests.clone());
    Statement { sid, effect, action, not_action, resource, not_resource, condition }
}

/// What the names of statements begin with that a proposal makes; a number follows.
pub(super) const WORDS: [&str; 2] = ["Keep", "Never"];

fn name(effect: Effect, number: usize) -> String {
    let [keep, never] = WORDS;
    let word = match effect {
        Effect::Allow => keep,
        Effect::Deny => never,
    };
    format!("{word}{number}")
}

/// How long something is as AWS counts it: without white space between its members. What is between quotes is counted whole,
/// which is never too little.
pub(super) fn length(of: &impl Serialize) -> usize {
    serde_json::to_string(of).map_or(usize::MAX, |text| text.len())
}

impl Document {
    pub(super) fn new(statement: Vec<Statement>) -> Self {
        Self { version: "2012-10-17", statement }
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::opset::OperationIx;

    use super::*;

    fn reach(resources: &[&str], inverted: bool, test: &str) -> Reach {
        let mut tests = Tests::new();
        if !test.is_empty() {
            let values: Vec<Arc<str>> = vec!["true".into()];
            tests.insert("Bool".into(), BTreeMap::from([(test.into(), values)]));
        }
        Reach { resources: resources.iter().map(|text| (*text).to_owned()).collect(), inverted, tests }
    }

    #[test]
    fn no_wildcard_grants_what_the_catalogue_does_not_know() {
        let operations = Catalogue::global().expand("logs:*");
        let whole = Meant::from(operations.clone());
        let allow = actions(Effect::Allow, &whole, Naming::Each);
        assert_eq!(allow.len(), operations.len());
        assert!(allow.iter().all(|name| name.starts_with("logs:") && !name.contains('*')));
        let deny = actions(Effect::Deny, &whole, Naming::Each);
        assert_eq!(deny, [Arc::<str>::from("logs:*")]);
    }

    #[test]
    fn wildcards_that_are_there_stay_where_they_match_no_more_than_what_is_granted() {
        let catalogue = Catalogue::global();
        let of = |names: &[&str]| catalogue.all_of(names.iter().copied());
        let wildcards = |list: &[&str]| -> BTreeSet<Arc<str>> { list.iter().map(|text| Arc::from(*text)).collect() };
        let meant = Meant {
            operations: of(&["s3:Get*", "s3:PutObject"]),
            wildcards: wildcards(&["s3:Get*", "s3:Put*", "s3:*"]),
        };
        let said = Said { allow: BTreeMap::from([(reach(&["a"], false, ""), meant)]), ..Said::default() }.joined();
        let [granted]: [Statement; 1] = said.statements(Naming::Each).try_into().unwrap();
        assert_eq!(granted.actions(), ["s3:Get*", "s3:PutObject"].map(Arc::<str>::from));
        // What only one of two grants says by a wildcard is not said so of the resources of the other.
        let plain = Meant::from(of(&["s3:Get*"]));
        let wild = Meant { wildcards: wildcards(&["s3:Get*"]), ..plain.clone() };
        let both = BTreeMap::from([(reach(&["a"], false, ""), plain), (reach(&["b"], false, ""), wild)]);
        let said = Said { allow: both, ..Said::default() }.joined();
        for granted in said.statements(Naming::Each) {
            let is_wild = granted.actions().iter().any(|name| name.contains('*'));
            assert_eq!(granted.resource, Some(vec![if is_wild { "b" } else { "a" }.to_owned()]));
        }
        // One of which some holds everywhere stays one, and one of which all does is not said again.
        for (everywhere, expected) in [
            (&["s3:Get*"][..], vec![vec!["s3:*"], vec!["s3:Get*"]]),
            (&["s3:*"], vec![vec!["s3:*"]]),
            (&["s3:Get*", "s3:PutObject"], vec![vec!["s3:*"], vec!["s3:Get*", "s3:PutObject"]]),
        ] {
            let meant = |list: &[&str]| Meant { operations: of(list), wildcards: wildcards(list) };
            let wide = meant(everywhere).exact();
            let whole = meant(&["s3:*"]);
            let both = BTreeMap::from([(Reach::everything(), wide), (reach(&["b"], false, ""), whole)]);
            let said = Said { allow: both, ..Said::default() }.joined();
            let mut told: Vec<Vec<Arc<str>>> =
                said.statements(Naming::Each).into_iter().map(|granted| granted.actions().to_vec()).collect();
            told.sort();
            let expected: Vec<Vec<Arc<str>>> =
                expected.iter().map(|list| list.iter().map(|text| Arc::from(*text)).collect()).collect();
            assert_eq!(told, expected, "{everywhere:?}");
        }
    }

    #[test]
    fn what_is_said_alike_is_said_once() {
        let set = |list: &[u32]| -> OpSet { list.iter().map(|at| OperationIx(*at)).collect() };
        let told = |said: &[(&[&str], bool, &str, &[u32])]| {
            let each = said
                .iter()
                .map(|(resources, inverted, test, list)| (reach(resources, *inverted, test), set(list).into()));
            joined(each.collect())
        };
        for (said, expected) in [
            // The same operations on several resources.
            (
                vec![(&["a"][..], false, "", &[1, 2][..]), (&["b"], false, "", &[1, 2])],
                vec![(&["a", "b"][..], false, "", &[1, 2][..])],
            ),
            // Under other tests, or of other operations, they are others.
            (
                vec![(&["a"][..], false, "mfa", &[1][..]), (&["b"], false, "", &[1]), (&["c"], false, "", &[2])],
                vec![(&["a"][..], false, "mfa", &[1][..]), (&["b"], false, "", &[1]), (&["c"], false, "", &[2])],
            ),
            // What holds everywhere and always needs no second word.
            (
                vec![(&["*"][..], false, "", &[1, 2][..]), (&["a"], false, "mfa", &[1]), (&["b"], true, "", &[2, 3])],
                vec![(&["*"][..], false, "", &[1, 2][..]), (&["b"], true, "", &[3])],
            ),
            // What is not meant is not joined: both lists would shrink to what they share.
            (
                vec![(&["a"][..], true, "", &[1][..]), (&["b"], true, "", &[1])],
                vec![(&["a"][..], true, "", &[1][..]), (&["b"], true, "", &[1])],
            ),
        ] {
            let expected: BTreeMap<Reach, Meant> = expected
                .iter()
                .map(|(resources, inverted, test, list)| (reach(resources, *inverted, test), set(list).into()))
                .collect();
            assert_eq!(told(&said), expected);
        }
        let many: Vec<String> = (0..100).map(|number| format!("arn:{number}")).collect();
        let each = many.iter().map(|name| (reach(&[name.as_str()], false, ""), set(&[1]).into()));
        let lists: Vec<usize> = joined(each.collect()).keys().map(|reach| reach.resources.len()).collect();
        assert_eq!((lists.len(), lists.iter().sum::<usize>()), (2, 100), "{lists:?}");
    }
}
