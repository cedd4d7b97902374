//! What the rules of roles grant. Roles that share a rule share what it grants, too.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use rayon::prelude::*;

use crate::catalog::{Granting, Operations};
use crate::rbac::{Role, Rule};

/// The rules of roles, those that are shared once.
pub(crate) struct Distinct {
    rules: Vec<Arc<Rule>>,
    numbers: Numbers,
}

/// Which of some rules each role has.
struct Numbers {
    /// For each role where its rules begin, and behind the last one where they end.
    firsts: Vec<u32>,
    all: Vec<u32>,
}

impl Distinct {
    pub(crate) fn of(roles: &[Role]) -> Self {
        let mut known: HashMap<*const Rule, u32, FixedState> = HashMap::default();
        let mut rules: Vec<Arc<Rule>> = Vec::new();
        let mut numbers = Numbers { firsts: Vec::with_capacity(roles.len() + 1), all: Vec::with_capacity(roles.len()) };
        numbers.firsts.push(0);
        for role in roles {
            for rule in role.rules.shared() {
                numbers.all.push(*known.entry(Arc::as_ptr(rule)).or_insert_with(|| {
                    rules.push(Arc::clone(rule));
                    number(rules.len() - 1)
                }));
            }
            numbers.firsts.push(number(numbers.all.len()));
        }
        Self { rules, numbers }
    }

    /// The rules, in the order in which roles name them first.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|rule| &**rule)
    }

    /// What they grant.
    pub(crate) fn grantings(self, operations: &Operations) -> Grantings {
        let each = self.rules.par_iter().map(|rule| operations.granted_by(rule)).collect();
        Grantings { each, numbers: self.numbers }
    }
}

/// What the rules of roles grant.
pub(crate) struct Grantings {
    each: Vec<Granting>,
    numbers: Numbers,
}

impl Grantings {
    /// What the rules of a role grant, in their order. The role is by its place in the list of all.
    pub(super) fn by_role(&self, role: usize) -> impl Iterator<Item = &Granting> {
        let Numbers { firsts, all } = &self.numbers;
        let ends = firsts.get(role).zip(firsts.get(role + 1));
        let numbers = ends.and_then(|(first, end)| all.get(*first as usize..*end as usize)).unwrap_or_default();
        numbers.iter().filter_map(|number| self.each.get(*number as usize))
    }

    /// What each rule grants, without order.
    pub(super) fn each(&self) -> &[Granting] {
        &self.each
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn rule(verb: &str) -> Arc<Rule> {
        Arc::new(Rule {
            verbs: vec![verb.into()],
            api_groups: vec!["".into()],
            resources: vec!["pods".into()],
            ..Rule::default()
        })
    }

    #[test]
    fn each_role_is_granted_what_its_rules_say_and_a_shared_rule_is_worked_out_once() {
        let (get, list) = (rule("get"), rule("list"));
        let lists = [vec![Arc::clone(&get), list], vec![], vec![get]];
        let roles = lists.map(|rules| Role { rules: rules.into(), ..Role::default() });
        let distinct = Distinct::of(&roles);
        assert_eq!(distinct.rules().count(), 2);
        let operations = Operations::new(&[], &BTreeSet::new(), distinct.rules());
        let grantings = distinct.grantings(&operations);
        assert_eq!(grantings.each().len(), 2);
        for (at, role) in roles.iter().enumerate() {
            let expected: Vec<_> = role.rules.iter().map(|rule| operations.granted_by(rule).cluster).collect();
            let held: Vec<_> = grantings.by_role(at).map(|granting| Arc::clone(&granting.cluster)).collect();
            assert_eq!(held, expected);
        }
        assert_eq!(grantings.by_role(3).count(), 0);
    }
}
