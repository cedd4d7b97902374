//! Whether an access allows an action on something, under what a technique knows of the request.

use std::cell::OnceCell;
use std::sync::Arc;

use evenhand_model::access::{Access, GrantIx};
use evenhand_model::condition::{Clause, Condition, Test};
use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::scope::{Pattern, ResourceScope};

use crate::catalog::Catalogue;
use crate::policy::arn;
use crate::policy::context::Context;
use crate::policy::document::condition_test;
use crate::policy::operator;
use crate::world::Tags;

/// A right that a technique needs, found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Right {
    /// Depends on a condition that is not known to hold. Sorts after what does not.
    pub(super) conditional: bool,
    pub(super) grant: GrantIx,
}

/// An access that is asked many times.
pub(super) struct Holder<'a> {
    pub(super) access: &'a Access,
    /// What it holds of the actions that techniques take; nobody asks for others.
    pub(super) operations: OpSet,
}

impl<'a> Holder<'a> {
    pub(super) fn new(access: &'a Access, operations: OpSet) -> Self {
        Self { access, operations }
    }

    /// The right to an action on a named resource, the least conditional one.
    pub(super) fn on(&self, operation: OperationIx, resource: &str, context: &dyn Context) -> Option<Right> {
        let segments = arn::split(resource)?;
        let catalogue = Catalogue::global();
        let kinds = catalogue.resources(operation);
        let fits = kinds.iter().any(|kind| {
            catalogue.patterns().get(usize::from(*kind)).is_some_and(|kind| kind.matches(&segments) != Truth::No)
        });
        if !fits {
            return None;
        }
        self.find(operation, |scope| scope.matches(&segments), Some(&segments), context)
    }

    /// The right to an action on anything.
    pub(super) fn anywhere(&self, operation: OperationIx, context: &dyn Context) -> Option<Right> {
        self.find(operation, |_| Truth::Yes, None, context)
    }

    /// The right to an action on something in an account, and in a region where one is given.
    pub(super) fn within(&self, operation: OperationIx, place: Place<'_>, context: &dyn Context) -> Option<Right> {
        let kinds: OnceCell<Vec<Pattern>> = OnceCell::new();
        self.find(
            operation,
            |scope| {
                if scope.is_everything() {
                    return Truth::Yes;
                }
                reached_of(kinds.get_or_init(|| place.kinds(operation)), scope)
            },
            None,
            context,
        )
    }

    /// Whether there is a right to an action on something of a kind, which is named as it is in some place.
    pub(super) fn over(&self, operation: OperationIx, kind: &Pattern, context: &dyn Context) -> bool {
        let kinds = std::slice::from_ref(kind);
        let reached = |scope: &ResourceScope| if scope.is_everything() { Truth::Yes } else { reached_of(kinds, scope) };
        self.rights(operation, reached, None, context).next().is_some()
    }

    fn find(
        &self,
        operation: OperationIx,
        reached: impl Fn(&ResourceScope) -> Truth,
        resource: Option<&[&str]>,
        context: &dyn Context,
    ) -> Option<Right> {
        self.rights(operation, reached, resource, context).min()
    }

    /// The right to an action that each slice gives.
    fn rights<'r>(
        &'r self,
        operation: OperationIx,
        reached: impl Fn(&ResourceScope) -> Truth + 'r,
        resource: Option<&'r [&'r str]>,
        context: &'r dyn Context,
    ) -> impl Iterator<Item = Right> + 'r {
        let slices = if self.operations.contains(operation) { self.access.slices() } else { &[] };
        slices.iter().filter(move |slice| slice.operations.contains(operation)).filter_map(move |slice| {
            let mut truth = reached(&slice.scope);
            if truth != Truth::No {
                truth = truth.and(condition(&slice.condition, resource, context, Choice::Callers));
            }
            (truth != Truth::No).then_some(Right { conditional: truth == Truth::Unknown, grant: slice.grant })
        })
    }
}

/// Where the resources of a technique lie that it does not name.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) account: &'a str,
    /// `None` = any.
    pub(super) region: Option<&'a str>,
}

impl Place<'_> {
    /// The kinds of resource that an action knows, as they are named in this place.
    fn kinds(self, operation: OperationIx) -> Vec<Pattern> {
        let catalogue = Catalogue::global();
        let kinds = catalogue.resources(operation);
        let kinds = kinds.iter().filter_map(|kind| catalogue.patterns().get(usize::from(*kind)));
        kinds.map(|kind| self.named(kind)).collect()
    }

    /// A kind of resource as it is named in this place.
    pub(super) fn named(self, kind: &Pattern) -> Pattern {
        let segments = kind.segments().iter().enumerate().map(|(at, segment)| match (at, segment, self.region) {
            (3, Glob::Any, Some(region)) => Glob::literal(region),
            (4, Glob::Any, _) => Glob::literal(self.account),
            _ => segment.clone(),
        });
        Pattern::new(segments.collect::<Vec<_>>(), ':')
    }
}

/// Whether a scope reaches something of one of the kinds. An action without kinds is reached by what is not limited to
/// names.
fn reached_of(kinds: &[Pattern], scope: &ResourceScope) -> Truth {
    if kinds.is_empty() {
        return scope.all_of.is_empty().into();
    }
    kinds.iter().fold(Truth::No, |some, kind| {
        let listed = scope.all_of.iter().fold(Truth::Yes, |all, list| {
            all.and(list.iter().fold(Truth::No, |some, pattern| some.or(pattern.overlaps(kind))))
        });
        let taken = scope.none_of.iter().any(|hole| hole.contains(kind) == Truth::Yes);
        some.or(if taken { Truth::No } else { listed })
    })
}

/// Who decides the keys that the request's sender sets freely.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Choice {
    /// The caller, in its own favour: a technique's condition on such a key counts as met.
    Callers,
    /// Nobody: such keys are as unknown as others.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests compare with point decisions, which choose nothing"))]
    Nobodys,
}

/// Whether a condition can be met for a resource.
pub(crate) fn condition(
    condition: &Condition,
    resource: Option<&[&str]>,
    context: &dyn Context,
    choice: Choice,
) -> Truth {
    condition.clauses().fold(Truth::Yes, |all, clause| {
        all.and(match clause {
            Clause::When(test) => met(test, context, choice, Truth::Yes),
            Clause::Unless { tests, scope } => {
                let covered = match resource {
                    _ if scope.is_everything() => Truth::Yes,
                    Some(resource) => scope.matches(resource),
                    None => Truth::Unknown,
                };
                tests.iter().fold(covered, |all, test| all.and(met(test, context, choice, Truth::No))).not()
            }
            Clause::AnyOf(alternatives) => alternatives
                .iter()
                .fold(Truth::No, |some, one| some.or(self::condition(one, resource, context, choice))),
            Clause::Opaque(_) => Truth::Unknown,
        })
    })
}

/// Whether a test holds; `best` is what serves the caller where the caller decides the key's value.
fn met(test: &Test, context: &dyn Context, choice: Choice, best: Truth) -> Truth {
    let truth = operator::holds(&condition_test(&test.operator, &test.key, &test.values), context);
    if truth == Truth::Unknown && choice == Choice::Callers && is_callers_choice(&test.key) { best } else { truth }
}

/// Keys whose value whoever sends the request decides.
fn is_callers_choice(key: &str) -> bool {
    matches!(
        key,
        "aws:requestedregion"
            | "aws:securetransport"
            | "aws:useragent"
            | "aws:referer"
            | "aws:tagkeys"
            | "sts:rolesessionname"
            | "sts:sourceidentity"
    ) || key.starts_with("aws:requesttag/")
}

/// What a technique knows of its request: keys with values, and the tags of what it acts on.
pub(super) struct Acting<'a> {
    pub(super) keys: &'a [(&'static str, &'a str)],
    pub(super) tags: Option<&'a Tags>,
}

impl Context for Acting<'_> {
    fn get(&self, key: &str) -> crate::policy::context::Lookup {
        use crate::policy::context::Lookup;
        if let Some((_, value)) = self.keys.iter().find(|(held, _)| *held == key) {
            return Lookup::Known(vec![Arc::from(*value)]);
        }
        let tag = key.strip_prefix("aws:resourcetag/").or_else(|| key.strip_prefix("iam:resourcetag/"));
        match (tag, self.tags) {
            (Some(tag), Some(tags)) => tags
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(tag))
                .map_or(Lookup::Absent, |(_, value)| Lookup::Known(vec![Arc::clone(value)])),
            _ => Lookup::Unknown,
        }
    }
}
