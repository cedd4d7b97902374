//! Statements and documents of a proposal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::catalog::Catalog;
use evenhand_model::opset::OpSet;
use serde::Serialize;

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
    pub(super) action: Vec<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resource: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_resource: Option<Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) condition: Tests,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// How what is granted is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Naming {
    /// One by one.
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

/// What is granted, and what is denied.
#[derive(Clone, Default, Debug)]
pub(super) struct Said {
    pub(super) allow: BTreeMap<Reach, OpSet>,
    pub(super) deny: BTreeMap<Reach, OpSet>,
}

impl Said {
    /// The same in fewer statements.
    pub(super) fn joined(self) -> Self {
        Self { allow: joined(self.allow), deny: joined(self.deny) }
    }

    /// The statements, those that grant first.
    pub(super) fn statements(&self, naming: Naming) -> Vec<Statement> {
        let allow = self.allow.iter().map(|(reach, operations)| (Effect::Allow, reach, operations));
        let deny = self.deny.iter().map(|(reach, operations)| (Effect::Deny, reach, operations));
        let all = allow.chain(deny).filter(|(_, _, operations)| !operations.is_empty());
        let all = (1..).zip(all);
        all.map(|(number, (effect, reach, operations))| statement(number, effect, reach, operations, naming)).collect()
    }
}

/// Grants, or denies, that say the same in fewer statements: what is said of everything is not said again of less, and what
/// is said of the same operations under the same tests is said once of all their resources.
fn joined(mut said: BTreeMap<Reach, OpSet>) -> BTreeMap<Reach, OpSet> {
    let everything = Reach::everything();
    if let Some(everywhere) = said.get(&everything).cloned() {
        for (_, operations) in said.iter_mut().filter(|(reach, _)| **reach != everything) {
            *operations = operations.difference(&everywhere);
        }
    }
    let mut lists: BTreeMap<(Tests, OpSet), Vec<BTreeSet<String>>> = BTreeMap::new();
    let mut joined: BTreeMap<Reach, OpSet> = BTreeMap::new();
    for (reach, operations) in said.into_iter().filter(|(_, operations)| !operations.is_empty()) {
        if reach.inverted {
            joined.insert(reach, operations);
            continue;
        }
        let held = lists.entry((reach.tests, operations)).or_default();
        let more: BTreeSet<String> = reach.resources.into_iter().collect();
        match held.iter_mut().find(|list| list.union(&more).count() <= MOST_RESOURCES) {
            Some(list) => list.extend(more),
            None => held.push(more),
        }
    }
    for ((tests, operations), lists) in lists {
        for list in lists {
            let resources = match list.contains("*") {
                true => vec!["*".to_owned()],
                false => list.into_iter().collect(),
            };
            let held = joined.entry(Reach { resources, inverted: false, tests: tests.clone() }).or_default();
            *held = held.union(&operations);
        }
    }
    joined
}

/// A statement. What is granted is named one by one where it may be: a wildcard would grant what the vendor adds. A deny
/// may reach further, and is shorter so.
fn statement(number: u32, effect: Effect, reach: &Reach, operations: &OpSet, naming: Naming) -> Statement {
    let catalogue = Catalogue::global();
    let action = match (effect, naming) {
        (_, Naming::Wildcards) => catalogue.exact(operations),
        (Effect::Deny, Naming::Each) => catalogue.summarise(operations).into_iter().map(|(name, _)| name).collect(),
        (Effect::Allow, Naming::Each) => operations.iter().map(|operation| catalogue.name(operation)).collect(),
    };
    let resources = Some(reach.resources.clone());
    let (resource, not_resource) = if reach.inverted { (None, resources) } else { (resources, None) };
    let word = match effect {
        Effect::Allow => "Keep",
        Effect::Deny => "Never",
    };
    Statement { sid: format!("{word}{number}"), effect, action, resource, not_resource, condition: reach.tests.clone() }
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
        let whole = Catalogue::global().expand("logs:*");
        let allow = statement(1, Effect::Allow, &Reach::everything(), &whole, Naming::Each);
        assert_eq!(allow.action.len(), whole.len());
        assert!(allow.action.iter().all(|name| name.starts_with("logs:") && !name.contains('*')));
        let deny = statement(2, Effect::Deny, &Reach::everything(), &whole, Naming::Each);
        assert_eq!(deny.action, [Arc::<str>::from("logs:*")]);
    }

    #[test]
    fn what_is_said_alike_is_said_once() {
        let set = |list: &[u32]| -> OpSet { list.iter().map(|at| OperationIx(*at)).collect() };
        let told = |said: &[(&[&str], bool, &str, &[u32])]| {
            let each =
                said.iter().map(|(resources, inverted, test, list)| (reach(resources, *inverted, test), set(list)));
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
            let expected: BTreeMap<Reach, OpSet> = expected
                .iter()
                .map(|(resources, inverted, test, list)| (reach(resources, *inverted, test), set(list)))
                .collect();
            assert_eq!(told(&said), expected);
        }
        let many: Vec<String> = (0..100).map(|number| format!("arn:{number}")).collect();
        let each = many.iter().map(|name| (reach(&[name.as_str()], false, ""), set(&[1])));
        let lists: Vec<usize> = joined(each.collect()).keys().map(|reach| reach.resources.len()).collect();
        assert_eq!((lists.len(), lists.iter().sum::<usize>()), (2, 100), "{lists:?}");
    }
}
