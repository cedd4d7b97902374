//! What the fact tables tell of an identity's access, computed once for equal access.

use std::collections::HashMap;

use evenhand_model::access::{Access, AccessResolver};
use evenhand_model::catalog::{AccessLevel, Catalog, OperationClass};
use evenhand_model::condition::{Clause, Condition};
use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_model::id::ProviderName;
use evenhand_model::identity::Identity;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::scope::{Pattern, ResourceScope};
use rayon::prelude::*;

use crate::resolvers::Resolvers;

/// Facts about one access.
#[derive(Clone, Debug)]
pub(super) struct AccessFacts {
    /// All operations.
    pub(super) operations: OpSet,
    /// Their summed weight.
    pub(super) weight: i64,
    pub(super) admin: Option<bool>,
    pub(super) wildcard_grant: bool,
    pub(super) write_on_everything: bool,
    pub(super) log_tamper: bool,
    pub(super) gate_tamper: bool,
    /// `Unknown` where a condition decides which secrets.
    pub(super) secret_store_read: Truth,
    pub(super) scope_wide: bool,
    /// Whether the provider has doubts about the access: a negative answer may then be wrong.
    pub(super) doubtful: bool,
}

/// The access facts of all identities, by position.
pub(super) struct AccessTable {
    facts: Vec<AccessFacts>,
    /// For each identity: the index of its facts.
    of: Vec<Option<u32>>,
}

impl AccessTable {
    /// Resolves the access of all identities, once for each distinct access.
    pub(super) fn new(identities: &[Identity], resolvers: &Resolvers) -> Self {
        let keys: Vec<Option<(ProviderName, u64)>> = identities
            .par_iter()
            .map(|identity| {
                let key = resolvers.get(identity.provider)?.access_key(&identity.id)?;
                Some((identity.provider, key))
            })
            .collect();
        let mut index: HashMap<(ProviderName, u64), u32, foldhash::fast::FixedState> = HashMap::default();
        let mut examples: Vec<&Identity> = Vec::new();
        let mut of = Vec::with_capacity(identities.len());
        for (identity, key) in identities.iter().zip(keys) {
            of.push(key.map(|key| {
                *index.entry(key).or_insert_with(|| {
                    examples.push(identity);
                    u32::try_from(examples.len() - 1).unwrap_or(u32::MAX)
                })
            }));
        }
        let lenses: Vec<(ProviderName, Lens)> =
            resolvers.iter().map(|(provider, resolver)| (provider, Lens::new(resolver.catalog()))).collect();
        let facts: Vec<Option<AccessFacts>> = examples
            .into_par_iter()
            .map(|identity| {
                let resolver = resolvers.get(identity.provider)?;
                let lens = lenses.iter().find(|(provider, _)| *provider == identity.provider).map(|(_, lens)| lens)?;
                Some(lens.look(resolver, identity, &*resolver.access(&identity.id)?))
            })
            .collect();
        // Positions move where nothing was read about an access after all.
        let mut kept = Vec::with_capacity(facts.len());
        let moved: Vec<Option<u32>> = facts
            .into_iter()
            .map(|facts| {
                kept.push(facts?);
                u32::try_from(kept.len() - 1).ok()
            })
            .collect();
        let of = of.into_iter().map(|at| moved.get(at? as usize).copied().flatten()).collect();
        Self { facts: kept, of }
    }

    /// The facts about the access of the identity at a position; `None` = nothing was read about it.
    pub(super) fn of(&self, position: usize) -> Option<&AccessFacts> {
        let at = self.of.get(position).copied().flatten()?;
        self.facts.get(at as usize)
    }
}

/// What to look for in the access of one provider's identities.
struct Lens {
    /// The operations of whole services with more than one operation, as ranges, sorted.
    services: Vec<(u32, u32)>,
    /// Likewise, for services whose operations are not neighbours in the catalogue.
    scattered: Vec<OpSet>,
    /// More than names and existence, where it could be granted on less than the whole scope.
    reads: OpSet,
    /// Changes that could be granted on less than all resources.
    writes: OpSet,
    log_tamper: OpSet,
    gate_tamper: OpSet,
    secret_read: OpSet,
    all: OpSet,
}

impl Lens {
    fn new(catalog: &dyn Catalog) -> Self {
        let mut services = Vec::new();
        let mut scattered = Vec::new();
        for operations in services_of(catalog) {
            match operations.ranges() {
                [range] if operations.len() > 1 => services.push(*range),
                [_, _, ..] => scattered.push(operations),
                _ => {}
            }
        }
        services.sort_unstable();
        let all = OpSet::all(catalog.len());
        let at_least = |level| -> OpSet { all.iter().filter(|operation| catalog.level(*operation) >= level).collect() };
        Self {
            services,
            scattered,
            reads: at_least(AccessLevel::Read).difference(&catalog.unscopable()),
            writes: at_least(AccessLevel::Write).difference(&catalog.unscopable()),
            log_tamper: catalog.class(OperationClass::LogTamper).clone(),
            gate_tamper: catalog.class(OperationClass::GateTamper).clone(),
            secret_read: catalog.class(OperationClass::SecretRead).clone(),
            all,
        }
    }

    /// Whether a set holds all operations of some service.
    fn holds_service(&self, operations: &OpSet) -> bool {
        operations.ranges().iter().any(|(start, end)| {
            let first = self.services.partition_point(|(service, _)| service < start);
            self.services.get(first).is_some_and(|(_, last)| last <= end)
        }) || self.scattered.iter().any(|service| service.is_subset(operations))
    }

    fn look(&self, resolver: &dyn AccessResolver, identity: &Identity, access: &Access) -> AccessFacts {
        let operations = if access.unlimited { self.all.clone() } else { access.operations() };
        let weight = resolver.catalog().weight_of(&operations);
        let any = |wanted: &dyn Fn(&evenhand_model::access::Slice) -> bool| {
            access.unlimited || access.slices.iter().any(wanted)
        };
        AccessFacts {
            weight: i64::try_from(weight).unwrap_or(i64::MAX),
            admin: if access.unlimited { Some(true) } else { resolver.is_admin(&identity.id) },
            wildcard_grant: any(&|slice| self.holds_service(&slice.operations)),
            write_on_everything: any(&|slice| {
                slice.scope.is_everything()
                    && slice.condition.is_unconditional()
                    && slice.operations.intersects(&self.writes)
            }),
            log_tamper: operations.intersects(&self.log_tamper),
            gate_tamper: operations.intersects(&self.gate_tamper),
            secret_store_read: if access.unlimited {
                Truth::Yes
            } else {
                let broad = access.slices.iter().filter(|slice| {
                    slice.operations.intersects(&self.secret_read) && reaches_all_of_a_type(&slice.scope)
                });
                broad.fold(Truth::No, |all, slice| all.or(unchosen(&slice.condition, resolver.catalog())))
            },
            scope_wide: any(&|slice| slice.operations.intersects(&self.reads) && is_scope_wide(&slice.scope)),
            doubtful: !access.doubts.is_empty(),
            operations,
        }
    }
}

/// The services of a catalogue, as it groups them.
///
/// All operations together may be one group of their own, so each service is sought in a set that lacks an operation of
/// another one.
pub(super) fn services_of(catalog: &dyn Catalog) -> Vec<OpSet> {
    let all = OpSet::all(catalog.len());
    let without = |hole: OperationIx| {
        let groups = catalog.summarise(&all.difference(&OpSet::single(hole)));
        groups.into_iter().map(|(_, operations)| operations).filter(|operations| operations.len() > 1)
    };
    let mut services: Vec<OpSet> = all.first().into_iter().flat_map(without).collect();
    let other = services.first().and_then(OpSet::first);
    services.extend(other.into_iter().flat_map(without));
    services.sort_unstable();
    services.dedup();
    services
}

/// Whether a scope is bound to no part of the identity's scope: the first segment of a resource's name, which says in
/// what part it lies, is free.
fn is_scope_wide(scope: &ResourceScope) -> bool {
    every_limit(scope, |pattern| pattern.is_any() || pattern.segments().first() == Some(&Glob::Any))
}

/// Whether a scope reaches every resource of some type: only the type, and no name, is fixed.
///
/// The last segment names the resource, `secret:*` or `parameter/*` where it says the type too. A literal first segment
/// of a name with two segments is the part of the scope that it lies in.
fn reaches_all_of_a_type(scope: &ResourceScope) -> bool {
    let free = |glob: &Glob| match glob {
        Glob::Any => true,
        Glob::Prefix(text) => text.find([':', '/']).is_some_and(|separator| separator + 1 == text.len()),
        _ => false,
    };
    every_limit(scope, |pattern| match pattern.segments() {
        [] => true,
        [name] => free(name),
        [part, name] => *part == Glob::Any && free(name),
        [.., name] => free(name),
    })
}

/// Whether a condition leaves all resources of a scope in it: it only asks for a control, or takes away what a deny
/// speaks of.
fn unchosen(condition: &Condition, catalog: &dyn Catalog) -> Truth {
    let leaves = condition.clauses().all(|clause| match clause {
        Clause::When(test) => catalog.control_of_key(&test.key).is_some(),
        Clause::Unless { .. } => true,
        Clause::AnyOf(_) | Clause::Opaque(_) => false,
    });
    if leaves { Truth::Yes } else { Truth::Unknown }
}

fn every_limit(scope: &ResourceScope, fits: impl Fn(&Pattern) -> bool) -> bool {
    scope.all_of.iter().all(|list| list.iter().any(&fits))
}

/// The operations of an identity that it did not use in 90 days; `None` where use was not read.
pub(super) fn unused(facts: &AccessFacts, resolver: &dyn AccessResolver, identity: &Identity) -> Option<i64> {
    let used = resolver.used(&identity.id)?;
    i64::try_from(facts.operations.difference(&used).len()).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::parity::toy::{ToyCatalog, test, when};

    #[test]
    fn a_condition_that_is_no_control_decides_which_resources() {
        let deny = Clause::Unless { tests: vec![test("region", "us")], scope: Arc::default() };
        for (condition, expected) in [
            (Condition::unconditional(), Truth::Yes),
            (when("mfa", "true"), Truth::Yes),
            (Condition::unconditional().with(deny), Truth::Yes),
            (when("team", "ai"), Truth::Unknown),
        ] {
            assert_eq!(unchosen(&condition, &ToyCatalog::default()), expected, "{condition}");
        }
    }
}
