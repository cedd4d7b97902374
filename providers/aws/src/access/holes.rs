//! What denies by name leave of an action: where they cover every kind of resource that it knows, nothing.

use std::collections::HashMap;

use evenhand_model::catalog::Catalog;
use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_model::opset::OpSet;
use evenhand_model::scope::Pattern;

use crate::catalog::Catalogue;

/// Whose resources a hole has to cover to take all of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whose {
    /// Those of all accounts.
    Everybodys,
    /// Those of the account that the hole names will do.
    Somebodys,
}

/// Takes actions out of grants that reach nothing outside of their holes. It remembers what it was asked.
pub(super) struct Swallowed {
    whose: Whose,
    kinds: HashMap<Pattern, Box<[u16]>, foldhash::fast::RandomState>,
    operations: HashMap<Vec<u16>, OpSet, foldhash::fast::RandomState>,
}

impl Swallowed {
    pub(super) fn new(whose: Whose) -> Self {
        Self { whose, kinds: HashMap::default(), operations: HashMap::default() }
    }

    /// The operations of some that reach nothing outside of the holes.
    pub(super) fn by(&mut self, holes: &[Pattern]) -> Option<&OpSet> {
        let mut kinds: Vec<u16> = Vec::new();
        for hole in holes {
            // A whole name is no kind.
            if matches!(hole.segments().last(), Some(Glob::Literal(_))) {
                continue;
            }
            if !self.kinds.contains_key(hole) {
                self.kinds.insert(hole.clone(), self.covered(hole));
            }
            kinds.extend(self.kinds.get(hole).into_iter().flatten());
        }
        if kinds.is_empty() {
            return None;
        }
        kinds.sort_unstable();
        kinds.dedup();
        if !self.operations.contains_key(&kinds) {
            let catalogue = Catalogue::global();
            let gone = OpSet::all(catalogue.len())
                .iter()
                .filter(|operation| {
                    let known = catalogue.resources(*operation);
                    !known.is_empty() && known.iter().all(|kind| kinds.binary_search(kind).is_ok())
                })
                .collect();
            self.operations.insert(kinds.clone(), gone);
        }
        self.operations.get(&kinds)
    }

    /// The kinds of resource that a hole takes whole.
    fn covered(&self, hole: &Pattern) -> Box<[u16]> {
        // A capture is of one partition, and denies name their own.
        let segments: &[usize] = match self.whose {
            Whose::Everybodys => &[2, 3, 4, 5],
            Whose::Somebodys => &[2, 3, 5],
        };
        let takes = |kind: &Pattern| {
            segments.iter().all(|at| match (hole.segments().get(*at), kind.segments().get(*at)) {
                (Some(hole), Some(kind)) => hole.contains(kind) == Truth::Yes,
                _ => false,
            })
        };
        (0_u16..)
            .zip(Catalogue::global().patterns())
            .filter(|(_, kind)| takes(kind))
            .map(|(number, _)| number)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::arn;

    #[test]
    fn an_action_is_gone_only_where_each_of_its_kinds_is() {
        let operation = |name: &str| Catalogue::global().operation(name).unwrap();
        let gone = |whose: Whose, holes: &[&str], name: &str| {
            let holes: Vec<Pattern> = holes.iter().map(|hole| arn::pattern(hole)).collect();
            Swallowed::new(whose).by(&holes).is_some_and(|gone| gone.contains(operation(name)))
        };
        let read = "secretsmanager:GetSecretValue";
        for (hole, everybodys, somebodys) in [
            ("arn:aws:secretsmanager:*:*:secret:*", true, true),
            ("arn:aws:secretsmanager:*:111122223333:secret:*", false, true),
            ("arn:aws:secretsmanager:eu-west-1:*:secret:*", false, false),
            ("arn:aws:secretsmanager:*:*:secret:prod/*", false, false),
            ("arn:aws:s3:::*", false, false),
        ] {
            assert_eq!(gone(Whose::Everybodys, &[hole], read), everybodys, "{hole}");
            assert_eq!(gone(Whose::Somebodys, &[hole], read), somebodys, "{hole}");
        }
        assert!(!gone(Whose::Everybodys, &["arn:aws:secretsmanager:*:*:secret:*"], "secretsmanager:GetRandomPassword"));
        let detach = "iam:AttachUserPolicy";
        assert!(gone(Whose::Everybodys, &["arn:aws:iam::*:user/*", "arn:aws:iam::*:role/*"], detach));
        assert!(!gone(Whose::Everybodys, &["arn:aws:iam::*:role/*"], detach));
    }
}
