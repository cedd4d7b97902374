//! Scopes: where an assignment holds, and what is below what.
//!
//! Source: "Understand scope for Azure RBAC": root, management groups, subscriptions, resource groups, resources; each
//! inherits what is assigned above it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_model::scope::{Pattern, ResourceScope};

/// The path that management groups have.
const MANAGEMENT_GROUPS: &str = "/providers/microsoft.management/managementgroups/";
const SUBSCRIPTIONS: &str = "/subscriptions/";

/// The id of a scope or resource, in lower case: Azure ignores the case of ids.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ArmId(Arc<str>);

/// A text that is no id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no scope; write it from the root on, such as `/subscriptions/ID/resourceGroups/NAME`")]
pub struct NoArmId(pub String);

impl ArmId {
    /// An id as it is written.
    ///
    /// # Errors
    /// When it does not begin at the root, or has an empty segment.
    pub fn parse(text: &str) -> Result<Self, NoArmId> {
        let trimmed = text.trim();
        let path = trimmed.strip_suffix('/').unwrap_or(trimmed);
        let whole = path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(|segment| !segment.is_empty()));
        if trimmed == "/" {
            return Ok(Self("/".into()));
        }
        if !whole {
            return Err(NoArmId(text.to_owned()));
        }
        Ok(Self(path.to_ascii_lowercase().into()))
    }

    /// The scope that the id of something assigned begins with, as it is written; `kind`: the list that it is in, in lower
    /// case. `None` = it is no such id.
    pub(crate) fn text_before<'i>(id: &'i str, kind: &str) -> Option<&'i str> {
        let end = id.to_ascii_lowercase().rfind(&format!("/providers/microsoft.authorization/{kind}/"))?;
        id.get(..end).map(|head| if head.is_empty() { "/" } else { head })
    }

    /// The id in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        &*self.0 == "/"
    }

    /// Whether it is a management group itself, not something in one.
    pub fn is_management_group(&self) -> bool {
        self.0.strip_prefix(MANAGEMENT_GROUPS).is_some_and(|name| !name.contains('/'))
    }

    /// Whether it is a subscription itself, not something in one.
    pub fn is_subscription(&self) -> bool {
        self.0.strip_prefix(SUBSCRIPTIONS).is_some_and(|id| !id.contains('/'))
    }

    /// Whether the other id is this one or lies below it by its path alone.
    fn is_above_by_path(&self, other: &Self) -> bool {
        self.is_root() || other.0.strip_prefix(&*self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The management group or subscription that the id lies in, or is.
    fn container(&self) -> Option<Self> {
        [MANAGEMENT_GROUPS, SUBSCRIPTIONS].iter().find_map(|head| {
            let name = self.0.strip_prefix(head)?.split('/').next()?;
            Some(Self(format!("{head}{name}").into()))
        })
    }

    /// The patterns of what is at this scope or below it by its path.
    fn patterns_by_path(&self) -> [Pattern; 2] {
        let pattern = |glob| Pattern::new([glob], '/');
        [pattern(Glob::Literal(Arc::clone(&self.0))), pattern(Glob::Prefix(format!("{}/", self.0).into()))]
    }

    /// The pattern of this scope alone.
    pub(crate) fn only(&self) -> Pattern {
        Pattern::new([Glob::Literal(Arc::clone(&self.0))], '/')
    }
}

impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which management group each subscription and management group lies in, as far as it was read.
#[derive(Clone, Default, Debug)]
pub struct Hierarchy {
    parents: BTreeMap<ArmId, Option<ArmId>>,
    children: BTreeMap<ArmId, BTreeSet<ArmId>>,
}

impl Hierarchy {
    /// The hierarchy of some pairs of child and parent; no parent = nothing but the root is above.
    pub fn new(pairs: impl IntoIterator<Item = (ArmId, Option<ArmId>)>) -> Self {
        let mut hierarchy = Self::default();
        for (child, parent) in pairs {
            let parent = parent.filter(|parent| !parent.is_root());
            if let Some(parent) = &parent {
                hierarchy.children.entry(parent.clone()).or_default().insert(child.clone());
            }
            hierarchy.parents.insert(child, parent);
        }
        hierarchy
    }

    /// Whether nothing of it was read.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// Whether a scope is at or above another one. Unknown where that hangs on a parent that was not read.
    pub fn is_above(&self, above: &ArmId, below: &ArmId) -> Truth {
        if above.is_above_by_path(below) {
            return Truth::Yes;
        }
        if !above.is_management_group() {
            return Truth::No;
        }
        let Some(mut at) = below.container() else { return Truth::No };
        // A circle, which Azure does not let exist, ends here too.
        for _ in 0..=self.parents.len() {
            match self.parents.get(&at) {
                None => return Truth::Unknown,
                Some(None) => return Truth::No,
                Some(Some(parent)) if parent == above => return Truth::Yes,
                Some(Some(parent)) => at = parent.clone(),
            }
        }
        Truth::No
    }

    /// What is at a scope or below it, as far as that is known.
    pub(super) fn scope(&self, scope: &ArmId) -> ResourceScope {
        self.reach(scope).map_or_else(ResourceScope::everything, ResourceScope::any_of)
    }

    /// The patterns of what is at a scope or below it, as far as that is known. None = everything.
    fn reach(&self, scope: &ArmId) -> Option<Vec<Pattern>> {
        if scope.is_root() {
            return None;
        }
        let mut patterns: Vec<Pattern> = Vec::new();
        let (mut open, mut seen) = (vec![scope], BTreeSet::new());
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                patterns.extend(at.patterns_by_path());
                open.extend(self.children.get(at).into_iter().flatten());
            }
        }
        Some(patterns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ArmId {
        ArmId::parse(text).unwrap()
    }

    #[test]
    fn an_id_is_written_from_the_root_in_any_case() {
        for (text, expected) in [
            ("/", Some("/")),
            ("/subscriptions/A/", Some("/subscriptions/a")),
            ("/Subscriptions/a/resourceGroups/RG", Some("/subscriptions/a/resourcegroups/rg")),
            ("subscriptions/a", None),
            ("//a", None),
            ("/a//b", None),
            ("", None),
        ] {
            assert_eq!(ArmId::parse(text).ok().as_ref().map(ArmId::as_str), expected, "{text}");
        }
    }

    #[test]
    fn each_scope_inherits_from_those_above_it() {
        const TOP: &str = "/providers/Microsoft.Management/managementGroups/top";
        const PROD: &str = "/providers/Microsoft.Management/managementGroups/prod";
        let hierarchy = Hierarchy::new([
            (id(TOP), None),
            (id(PROD), Some(id(TOP))),
            (id("/subscriptions/a"), Some(id(PROD))),
            (id("/subscriptions/b"), Some(id(TOP))),
        ]);
        for (above, below, expected) in [
            ("/", "/subscriptions/a", Truth::Yes),
            ("/", PROD, Truth::Yes),
            (TOP, PROD, Truth::Yes),
            (TOP, "/subscriptions/a/resourceGroups/x/providers/P/t/n", Truth::Yes),
            (PROD, "/subscriptions/a", Truth::Yes),
            (PROD, "/subscriptions/b", Truth::No),
            (PROD, TOP, Truth::No),
            (TOP, "/subscriptions/c", Truth::Unknown),
            ("/subscriptions/a", "/SUBSCRIPTIONS/A/resourcegroups/x", Truth::Yes),
            ("/subscriptions/a", "/subscriptions/ab", Truth::No),
            ("/subscriptions/a/resourceGroups/x", "/subscriptions/a", Truth::No),
            (TOP, "/providers/Microsoft.Capacity/orders/o", Truth::No),
        ] {
            assert_eq!(hierarchy.is_above(&id(above), &id(below)), expected, "{above} {below}");
        }
    }

    #[test]
    fn what_a_scope_reaches_contains_what_lies_below_it_segment_by_segment() {
        const MANAGEMENT: &str = "/providers/Microsoft.Management/managementGroups/prod";
        let hierarchy = Hierarchy::new([(id("/subscriptions/a"), Some(id(MANAGEMENT))), (id(MANAGEMENT), None)]);
        let levels = [
            "/",
            MANAGEMENT,
            "/subscriptions/a",
            "/subscriptions/a/resourceGroups/x",
            "/subscriptions/a/resourceGroups/x/providers/Microsoft.KeyVault/vaults/v",
            "/subscriptions/a/resourceGroups/x/providers/Microsoft.KeyVault/vaults/v/secrets/s",
        ];
        let reach = |text: &str| hierarchy.scope(&id(text));
        for (at, outer) in levels.iter().enumerate() {
            for (below, inner) in levels.iter().enumerate() {
                let expected = Truth::from(at <= below);
                assert_eq!(reach(outer).contains(&reach(inner)), expected, "{outer} {inner}");
                assert_eq!(reach(outer).matches(&[id(inner).as_str()]), expected, "{outer} {inner}");
            }
        }
        // A name that another one begins with is another name.
        for (one, other) in [
            ("/subscriptions/a", "/subscriptions/ab"),
            (levels[3], "/subscriptions/a/resourceGroups/xy"),
            (levels[4], "/subscriptions/a/resourceGroups/x/providers/Microsoft.KeyVault/vaults/v2"),
            (levels[4], "/subscriptions/a/resourceGroups/x/providers/Microsoft.KeyVault/vaults/v-secrets/secrets/s"),
        ] {
            assert_eq!(reach(one).contains(&reach(other)), Truth::No, "{one} {other}");
            assert_eq!(reach(other).contains(&reach(one)), Truth::No, "{other} {one}");
            assert_eq!(reach(one).matches(&[id(other).as_str()]), Truth::No, "{one} {other}");
        }
    }

    #[test]
    fn a_circle_of_management_groups_ends() {
        let (a, b) = (
            id("/providers/Microsoft.Management/managementGroups/a"),
            id("/providers/Microsoft.Management/managementGroups/b"),
        );
        let hierarchy = Hierarchy::new([(a.clone(), Some(b.clone())), (b.clone(), Some(a.clone()))]);
        let other = id("/providers/Microsoft.Management/managementGroups/c");
        assert_eq!(hierarchy.is_above(&other, &a), Truth::No);
        assert_eq!(hierarchy.reach(&a).unwrap().len(), 4);
    }
}
