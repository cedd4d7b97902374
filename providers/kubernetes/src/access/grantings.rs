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

/// Which of some rules each role has. Roles that share a list of rules share its numbers.
struct Numbers {
    /// The list of each role.
    of_roles: Vec<u32>,
    /// For each list where its rules begin, and behind the last one where they end.
    firsts: Vec<u32>,
    all: Vec<u32>,
}

impl Distinct {
    pub(crate) fn of(roles: &[Role]) -> Self {
        let mut known: HashMap<*const Rule, u32, FixedState> = HashMap::default();
        let mut lists: HashMap<*const [Arc<Rule>], u32, FixedState> = HashMap::default();
        let mut rules: Vec<Arc<Rule>> = Vec::new();
        let mut numbers = Numbers { of_roles: Vec::with_capacity(roles.len()), firsts: vec![0], all: Vec::new() };
        for role in roles {
            let list = role.rules.shared();
            numbers.of_roles.push(*lists.entry(std::ptr::from_ref(list)).or_insert_with(|| {
                for rule in list {
                    numbers.all.push(*known.entry(Arc::as_ptr(rule)).or_insert_with(|| {
                        rules.push(Arc::clone(rule));
                        number(rules.len() - 1)
                    }));
                }
                numbers.firsts.push(number(numbers.all.len()));
                number(numbers.firsts.len() - 2)
            }));
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
        let Numbers { of_roles, firsts, all } = &self.numbers;
        let ends = of_roles.get(role).and_then(|list| firsts.get(*list as usize).zip(firsts.get(*list as usize + 1)));
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
        let mut roles = lists.map(|rules| Role { rules: rules.into(), ..Role::default() }).to_vec();
        roles.extend_from_within(..);
        let distinct = Distinct::of(&roles);
        assert_eq!(distinct.rules().count(), 2);
        assert_eq!(distinct.numbers.all.len(), 3, "roles that share a list share its numbers");
        let operations = Operations::new(&[], &BTreeSet::new(), distinct.rules());
        let grantings = distinct.grantings(&operations);
        assert_eq!(grantings.each().len(), 2);
        for (at, role) in roles.iter().enumerate() {
            let expected: Vec<_> = role.rules.iter().map(|rule| operations.granted_by(rule).cluster).collect();
            let held: Vec<_> = grantings.by_role(at).map(|granting| Arc::clone(&granting.cluster)).collect();
            assert_eq!(held, expected);
        }
        assert_eq!(grantings.by_role(6).count(), 0);
    }
}
