//! Why an identity may, or may not, use some operations: of its own, or by way of whom it acts through.

use std::io::{self, Write};
use std::sync::Arc;

use evenhand_model::access::{Access, AccessResolver, Decision, Outcome, Request};
use evenhand_model::identity::Identity;
use evenhand_model::opset::OpSet;
use evenhand_reports::text::{counted, printable};

use super::{distinct, line, write_slice};
use crate::assess::Assessing;
use crate::chain::{Chains, Memberships};
use crate::cmd::{Failure, can};
use crate::lent::{self, Lender, Lent};

/// Why an identity may, or may not, use some operations.
pub(super) struct Why<'a> {
    identity: &'a Identity,
    pattern: &'a str,
    operations: OpSet,
    resolver: &'a dyn AccessResolver,
    chains: Chains<'a>,
    access: Arc<Access>,
    /// The decision on any resource, where one operation is meant.
    decision: Option<Decision>,
    /// Those whose access it uses beside its own.
    through: Vec<Through<'a>>,
}

/// What an identity is granted by way of somebody whose access it uses.
struct Through<'a> {
    lender: Lender<'a>,
    chains: Chains<'a>,
    access: Option<Arc<Access>>,
    /// The decision on any resource, where one operation is meant.
    decision: Option<Decision>,
}

pub(super) fn why<'a>(assessing: &'a Assessing, identity: &'a Identity, pattern: &'a str) -> Result<Why<'a>, Failure> {
    let resolver = assessing.resolver(identity).ok_or_else(|| {
        let message =
            format!("`{}` is an identity of {}, which grants no access by itself", identity.id, identity.provider);
        let lent = Lent::new(&assessing.assessed.inventory);
        let lenders = lent.to(identity, |held| assessing.resolver(held).is_some());
        Failure::new(message, lent::instead(&lenders))
    })?;
    let operations = resolver.catalog().expand(pattern);
    if operations.is_empty() {
        let message = format!("no operation of {} is called `{pattern}`", identity.provider);
        let alike = can::spelled_alike(resolver, pattern).map(|name| format!("did you mean `{name}`?"));
        let spelling = || "use the vendor's spelling; `*` stands for any text".to_owned();
        return Err(Failure::new(message, alike.unwrap_or_else(spelling)));
    }
    let access = resolver.access(&identity.id).ok_or_else(|| {
        Failure::new(format!("the access of `{}` is not known", identity.id), "add the documents that describe it")
    })?;
    let decide = |identity: &Identity| match (operations.len(), operations.first()) {
        (1, Some(operation)) => {
            let request = Request {
                identity: identity.id.to_string(),
                operation: resolver.catalog().name(operation).to_string(),
                resource: None,
                context: std::collections::BTreeMap::new(),
            };
            resolver.decide(&identity.id, &request).ok()
        }
        _ => None,
    };
    let inventory = &assessing.assessed.inventory;
    let memberships = Memberships::of(inventory);
    let through = Lent::new(inventory)
        .to(identity, |held| assessing.resolver(held).is_some())
        .into_iter()
        // The operations are those of this provider.
        .filter(|lender| lender.identity.provider == identity.provider)
        .map(|lender| Through {
            chains: Chains::of(&lender.identity.id, &memberships, resolver),
            access: resolver.access(&lender.identity.id),
            decision: decide(lender.identity),
            lender,
        })
        .collect();
    let decision = decide(identity);
    let chains = Chains::of(&identity.id, &memberships, resolver);
    Ok(Why { identity, pattern, operations, resolver, chains, access, decision, through })
}

pub(super) fn write_why(why: &Why<'_>, all: bool, sink: &mut dyn Write) -> io::Result<()> {
    writeln!(sink, "{} and {}", printable(&why.identity.name), printable(why.pattern))?;
    line(sink, "identity", why.identity.id.as_str())?;
    line(sink, "meant", &counted(why.operations.len(), "operation", "operations"))?;
    let mut granted = write_granted(why, None, all, sink)?;
    if granted.is_empty() {
        let said = match (why.access.unlimited, why.through.is_empty()) {
            (true, _) => "no statement is needed: nothing is denied to it",
            (false, true) => "by nothing",
            (false, false) => "by nothing of its own",
        };
        writeln!(sink, "\nGranted\n  {said}")?;
    }
    for through in &why.through {
        granted = granted.union(&write_granted(why, Some(through), all, sink)?);
    }
    let missing = why.operations.difference(&granted);
    if !granted.is_empty() && !missing.is_empty() && !why.access.unlimited {
        writeln!(sink, "\nNot granted\n  {}", counted(missing.len(), "operation", "operations"))?;
        if all {
            for (name, _) in why.resolver.catalog().summarise(&missing) {
                writeln!(sink, "  {}", printable(&name))?;
            }
        } else {
            writeln!(sink, "  --all lists them")?;
        }
    }
    if let Some(decision) = &why.decision
        && (decision.outcome != Outcome::Allowed || !decision.blocked_by.is_empty())
    {
        let outcome = decision.outcome.as_str().replace('_', " ");
        writeln!(sink, "\nOn any resource, without context: {outcome}")?;
        for layer in &decision.blocked_by {
            writeln!(sink, "  {}", printable(&can::stopped_by(decision.outcome, layer)))?;
        }
        for condition in &decision.conditions {
            line(sink, "if", condition)?;
        }
        for grant in &decision.because {
            line(sink, "because of", &format!("{grant} at {}", grant.evidence))?;
        }
        let through = why.through.iter().filter(|_| decision.outcome != Outcome::Allowed);
        for through in through {
            if let Some(held) = &through.decision
                && matches!(held.outcome, Outcome::Allowed | Outcome::Conditional | Outcome::Unknown)
            {
                let outcome = held.outcome.as_str().replace('_', " ");
                writeln!(sink, "  but by way of {}: {outcome}", printable(&through.lender.shown()))?;
            }
        }
    }
    for doubt in &why.access.doubts {
        line(sink, "in doubt", &doubt.text)?;
    }
    Ok(())
}

/// What grants the operations to the identity itself, or by way of somebody whose access it uses; which of them it grants.
fn write_granted(why: &Why<'_>, through: Option<&Through<'_>>, all: bool, sink: &mut dyn Write) -> io::Result<OpSet> {
    let (access, chains) = match through {
        Some(through) => (through.access.as_ref(), &through.chains),
        None => (Some(&why.access), &why.chains),
    };
    let mut granted = OpSet::new();
    for slice in access.into_iter().flat_map(|access| distinct(access, why.resolver)) {
        let operations = slice.operations.intersection(&why.operations);
        if operations.is_empty() {
            continue;
        }
        if granted.is_empty() {
            let by_way = through.map(|through| format!(" by way of {}", printable(&through.lender.shown())));
            writeln!(sink, "\nGranted{}", by_way.unwrap_or_default())?;
        }
        write_slice(why.resolver, chains, slice, &operations, all, sink)?;
        granted = granted.union(&operations);
    }
    Ok(granted)
}
