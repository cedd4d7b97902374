//! What the fact tables tell of an identity's access, computed once for equal access.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::access::{Access, AccessResolver, Doubt, GrantIx, Slice};
use evenhand_model::catalog::{AccessLevel, Catalog, OperationClass};
use evenhand_model::condition::{Clause, Condition};
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::glob::Glob;
use evenhand_model::id::ProviderName;
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::inventory::Inventory;
use evenhand_model::log::Log;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::parallel::IN_A_ROW;
use evenhand_model::scope::{Pattern, ResourceScope};
use rayon::prelude::*;

use crate::facts::grounds::{Ground, is_cited};
use crate::facts::listing::Listing;
use crate::judgements::Judgements;
use crate::resolvers::Resolvers;

/// Facts about one access.
#[derive(Clone, Debug)]
pub(super) struct AccessFacts {
    /// All operations.
    pub(super) operations: Arc<OpSet>,
    /// Their summed weight.
    pub(super) weight: i64,
    pub(super) admin: Truth,
    pub(super) wildcard_grant: Truth,
    /// `Unknown` where a deny spares resources by what they are.
    pub(super) write_on_everything: Truth,
    /// `Unknown` where a scope or a condition decides which logs, and no log that is known is among them.
    pub(super) log_tamper: Truth,
    /// `Unknown` where a scope or a condition decides which gates.
    pub(super) gate_tamper: Truth,
    /// By which slices it may change the gates of resources by name; not all where it may change those of all resources.
    gates: Vec<Gates>,
    /// `Unknown` where a condition decides which secrets.
    pub(super) secret_store_read: Truth,
    pub(super) scope_wide: Truth,
    /// Whether something that was not read may grant more: a negative answer may then be wrong.
    pub(super) may_gain: bool,
    /// Whether something that was not read may take away: a positive answer may then be wrong.
    pub(super) may_lose: bool,
    /// In words; `None` where no AI identity holds it.
    pub(super) listing: Option<Listing>,
    /// The statements that facts rest on which are not certainly false, whoever holds it; none where no rule cites them.
    grounds: Vec<Arc<Ground>>,
}

/// A slice by which the gates of resources by name may be changed.
#[derive(Clone, Debug)]
struct Gates {
    slice: Slice,
    /// Its statement; none where no rule cites it.
    ground: Option<Arc<Ground>>,
}

impl Gates {
    /// Whether those of an identity of this name are among them.
    fn holds(&self, name: &str) -> bool {
        self.slice.scope.matches_name(name) == Truth::Yes
    }
}

impl AccessFacts {
    /// Whether the access has a property, as far as the access itself is known.
    pub(super) fn told(&self, property: Truth) -> Option<bool> {
        match property {
            Truth::Yes => (!self.may_lose).then_some(true),
            Truth::No => (!self.may_gain).then_some(false),
            Truth::Unknown => None,
        }
    }

    /// Whether an identity with this access, known by this name, may change what gates it.
    pub(super) fn gate_tamper_by(&self, name: &str) -> Truth {
        if self.gates.iter().any(|gates| gates.holds(name)) { Truth::Yes } else { self.gate_tamper }
    }

    /// What the facts rest on where an identity known by this name holds it.
    pub(super) fn grounds_of(&self, name: &str) -> Vec<Arc<Ground>> {
        let own = self.gates.iter().filter(|gates| self.gate_tamper != Truth::Yes && gates.holds(name));
        let own: Vec<&Arc<Ground>> = own.filter_map(|gates| gates.ground.as_ref()).collect();
        // What makes a fact true tells more than what leaves it open.
        let others = self.grounds.iter().filter(|ground| own.is_empty() || ground.column != GATE_COLUMN);
        others.chain(own.iter().copied()).cloned().collect()
    }
}

/// Somebody who holds a distinct access, and what is told of it beside the columns.
struct Example<'a> {
    holder: &'a Identity,
    /// Whether an AI identity holds it: only theirs is put into words.
    listed: bool,
    /// Whether somebody holds it whose findings cite its statements.
    cited: bool,
}

/// What the fact tables tell of the access of all identities, by position. Resolvers are not needed beyond it.
#[derive(Debug)]
pub struct AccessTable {
    /// By distinct access; none where nothing was read about it after all.
    facts: Vec<Option<AccessFacts>>,
    /// For each identity: the index of its facts.
    of: Vec<Option<u32>>,
    /// For each identity: the operations that it did not use in 90 days; none where use was not read.
    unused: Vec<Option<i64>>,
}

impl AccessTable {
    /// Resolves the access of all identities, once for each distinct access. `reads`: the columns of table `identities` that
    /// rules read, for which it keeps the statements that they rest on.
    pub fn new(inventory: &Inventory, judgements: &Judgements, resolvers: &Resolvers, reads: &BTreeSet<&str>) -> Self {
        let identities = &inventory.identities;
        let keys: Vec<Option<(ProviderName, u64)>> = identities
            .par_iter()
            .map(|identity| {
                let key = resolvers.get(identity.provider)?.access_key(&identity.id)?;
                Some((identity.provider, key))
            })
            .collect();
        let mut index: HashMap<(ProviderName, u64), u32, foldhash::fast::FixedState> = HashMap::default();
        let mut examples: Vec<Example<'_>> = Vec::new();
        let mut of = Vec::with_capacity(identities.len());
        for (at, (identity, key)) in identities.iter().zip(keys).enumerate() {
            let held = key.map(|key| {
                *index.entry(key).or_insert_with(|| {
                    examples.push(Example { holder: identity, listed: false, cited: false });
                    u32::try_from(examples.len() - 1).unwrap_or(u32::MAX)
                })
            });
            if let Some(example) = held.and_then(|held| examples.get_mut(held as usize)) {
                let nature = judgements.nature_at(at);
                example.listed |= nature == Nature::AiAgent;
                example.cited |= is_cited(identity, nature);
            }
            of.push(held);
        }
        let lenses: Vec<(ProviderName, Lens)> = resolvers
            .iter()
            .map(|(provider, resolver)| (provider, Lens::new(provider, resolver.catalog(), &inventory.logs)))
            .collect();
        let facts = examples
            .into_par_iter()
            .with_max_len(IN_A_ROW)
            .map(|Example { holder: identity, listed, cited }| {
                let resolver = resolvers.get(identity.provider)?;
                let lens = lenses.iter().find(|(provider, _)| *provider == identity.provider).map(|(_, lens)| lens)?;
                let access = resolver.access(&identity.id)?;
                let listing = listed.then(|| Listing::of(&access, &lens.all, resolver.catalog()));
                let mut facts = AccessFacts { listing, ..lens.look(resolver, identity, &access) };
                if cited {
                    lens.add_grounds(resolver, &access, reads, &mut facts);
                }
                Some(facts)
            })
            .collect();
        let mut table = Self { facts, of, unused: Vec::new() };
        table.unused = identities
            .par_iter()
            .enumerate()
            .map(|(at, identity)| {
                let used = resolvers.get(identity.provider)?.used(&identity.id)?;
                i64::try_from(table.of(at)?.operations.difference(&used).len()).ok()
            })
            .collect();
        table
    }

    /// The operations that the identity at a position did not use in 90 days; `None` where use was not read.
    pub(super) fn unused(&self, position: usize) -> Option<i64> {
        self.unused.get(position).copied().flatten()
    }

    /// The facts about the access of the identity at a position; `None` = nothing was read about it.
    pub(super) fn of(&self, position: usize) -> Option<&AccessFacts> {
        let at = self.of.get(position).copied().flatten()?;
        self.facts.get(at as usize)?.as_ref()
    }
}

// What the columns ask of the operations of a slice: a bit each.

/// All operations of some service are among them.
const SERVICE: u8 = 1;
/// Some tell more than names and existence, and could be granted on less than the whole scope.
const READ: u8 = 1 << 1;
/// Some change something, and could be granted on less than all resources.
const WRITE: u8 = 1 << 2;
const LOG_TAMPER: u8 = 1 << 3;
const GATE_TAMPER: u8 = 1 << 4;
const SECRET_READ: u8 = 1 << 5;

/// The column of [`GATE_TAMPER`], which what an identity may do to its own gates makes true.
const GATE_COLUMN: &str = "gate_tamper";

/// A bit, and what it is for.
struct Marked {
    bit: u8,
    column: &'static str,
    /// The fact in that column.
    told: fn(&AccessFacts) -> Truth,
    /// The operations that have the bit.
    operations: OpSet,
}

impl Marked {
    fn new(bit: u8, column: &'static str, told: fn(&AccessFacts) -> Truth, operations: OpSet) -> Self {
        Self { bit, column, told, operations }
    }
}

/// What to look for in the access of one provider's identities.
struct Lens {
    /// For each operation: where the first service with more than one operation ends that does not begin before it.
    services: Vec<u32>,
    /// Services with more than one operation that are not neighbours in the catalogue.
    scattered: Vec<OpSet>,
    /// All services with more than one operation.
    whole: Vec<OpSet>,
    /// For each operation: its bits.
    marks: Vec<u8>,
    /// The bits of single operations.
    marked: Vec<Marked>,
    all: Arc<OpSet>,
    /// The names of the provider's logs that are not known to be off.
    logs: Vec<Arc<str>>,
}

impl Lens {
    fn new(provider: ProviderName, catalog: &dyn Catalog, logs: &[Log]) -> Self {
        let mut logs: Vec<Arc<str>> = logs
            .iter()
            .filter(|log| log.provider == provider && log.enabled != Fact::Known(false))
            .map(|log| Arc::clone(&log.name))
            .collect();
        logs.sort_unstable();
        logs.dedup();
        let mut services = Vec::new();
        let mut scattered = Vec::new();
        let whole: Vec<OpSet> = services_of(catalog).into_iter().filter(|operations| operations.len() > 1).collect();
        for operations in whole.iter().cloned() {
            match operations.ranges() {
                [range] => services.push(*range),
                [_, _, ..] => scattered.push(operations),
                _ => {}
            }
        }
        services.sort_unstable();
        let services = services.into_iter().fold(Vec::new(), |mut ends, (start, end)| {
            ends.resize(start as usize + 1, end);
            ends
        });
        let all = OpSet::all(catalog.len());
        let at_least = |level| -> OpSet { all.iter().filter(|operation| catalog.level(*operation) >= level).collect() };
        let scopable = |level| at_least(level).difference(&catalog.unscopable());
        let of = |class| catalog.class(class).clone();
        let marked = vec![
            Marked::new(READ, "scope_wide", |facts| facts.scope_wide, scopable(AccessLevel::Read)),
            Marked::new(WRITE, "write_on_everything", |facts| facts.write_on_everything, scopable(AccessLevel::Write)),
            Marked::new(LOG_TAMPER, "log_tamper", |facts| facts.log_tamper, of(OperationClass::LogTamper)),
            Marked::new(GATE_TAMPER, GATE_COLUMN, |facts| facts.gate_tamper, of(OperationClass::GateTamper)),
            Marked::new(
                SECRET_READ,
                "secret_store_read",
                |facts| facts.secret_store_read,
                of(OperationClass::SecretRead),
            ),
        ];
        let mut marks = vec![0_u8; catalog.len()];
        for Marked { bit, operations, .. } in &marked {
            for operation in operations.iter() {
                if let Some(marks) = marks.get_mut(operation.0 as usize) {
                    *marks |= *bit;
                }
            }
        }
        Self { services, scattered, whole, marks, marked, all: Arc::new(all), logs }
    }

    /// The bits of a set.
    fn marks_of(&self, operations: &OpSet) -> u8 {
        let mut all = 0_u8;
        for (start, end) in operations.ranges() {
            let (from, to) = (*start as usize, (*end as usize).min(self.marks.len()));
            all |= self.marks.get(from..to).unwrap_or_default().iter().fold(0_u8, |all, marks| all | marks);
            // Most ranges are of one operation, and hold no service.
            if end - start > 1 && self.services.get(from).is_some_and(|last| last <= end) {
                all |= SERVICE;
            }
        }
        if all & SERVICE == 0 && self.scattered.iter().any(|service| service.is_subset(operations)) {
            all |= SERVICE;
        }
        all
    }

    fn look(&self, resolver: &dyn AccessResolver, identity: &Identity, access: &Access) -> AccessFacts {
        let catalog = resolver.catalog();
        let operations = if access.unlimited { Arc::clone(&self.all) } else { access.shared_operations() };
        let unlimited = Truth::from(access.unlimited);
        let mut facts = AccessFacts {
            weight: i64::try_from(catalog.weight_of(&operations)).unwrap_or(i64::MAX),
            admin: if access.unlimited {
                Truth::Yes
            } else {
                resolver.is_admin(&identity.id).map_or(Truth::Unknown, Truth::from)
            },
            wildcard_grant: unlimited,
            write_on_everything: unlimited,
            log_tamper: unlimited,
            gate_tamper: unlimited,
            gates: Vec::new(),
            secret_store_read: unlimited,
            scope_wide: unlimited,
            may_gain: access.doubts.iter().any(Doubt::may_add),
            may_lose: access.doubts.iter().any(Doubt::may_limit),
            operations,
            listing: None,
            grounds: Vec::new(),
        };
        // Operations before scopes: most scopes then need no look, and each kind of memory is fetched for all slices at once.
        let marks: Vec<u8> = access.slices().iter().map(|slice| self.marks_of(&slice.operations)).collect();
        for (slice, marks) in access.slices().iter().zip(marks) {
            self.add(slice, marks, catalog, &mut facts);
        }
        facts
    }

    /// Adds what a slice tells whose operations have these bits. Nothing more is asked about what is certain.
    fn add(&self, slice: &Slice, marks: u8, catalog: &dyn Catalog, facts: &mut AccessFacts) {
        let open = |property: Truth, bit: u8| property != Truth::Yes && marks & bit != 0;
        let tells = |bit: u8| self.tells(bit, slice, catalog);
        if open(facts.wildcard_grant, SERVICE) {
            facts.wildcard_grant = facts.wildcard_grant.or(tells(SERVICE));
        }
        if open(facts.write_on_everything, WRITE) {
            facts.write_on_everything = facts.write_on_everything.or(tells(WRITE));
        }
        if open(facts.log_tamper, LOG_TAMPER) {
            facts.log_tamper = facts.log_tamper.or(tells(LOG_TAMPER));
        }
        if open(facts.gate_tamper, GATE_TAMPER) {
            let told = tells(GATE_TAMPER);
            facts.gate_tamper = facts.gate_tamper.or(told);
            // No condition decides which: names do.
            if told != Truth::Yes && unchosen(&slice.condition, catalog) == Truth::Yes {
                facts.gates.push(Gates { slice: slice.clone(), ground: None });
            }
        }
        if open(facts.secret_store_read, SECRET_READ) {
            facts.secret_store_read = facts.secret_store_read.or(tells(SECRET_READ));
        }
        if open(facts.scope_wide, READ) {
            facts.scope_wide = facts.scope_wide.or(tells(READ));
        }
    }

    /// Whether a slice some of whose operations have a bit makes true what the bit's column tells.
    fn tells(&self, bit: u8, slice: &Slice, catalog: &dyn Catalog) -> Truth {
        let (scope, condition) = (&slice.scope, &slice.condition);
        match bit {
            SERVICE => Truth::Yes,
            WRITE if scope.is_whole_scope() => unconditional(condition, catalog),
            LOG_TAMPER => self.reaches_log(scope).and(unchosen(condition, catalog)),
            GATE_TAMPER => frees_the_name(scope).max(Truth::Unknown).and(unchosen(condition, catalog)),
            SECRET_READ => reaches_all_of_a_type(scope, catalog).and(unchosen(condition, catalog)),
            READ if is_scope_wide(scope) => Truth::Yes,
            _ => Truth::No,
        }
    }

    /// Adds the statements that each fact in the columns that are read rests on which is not certainly false: those that make
    /// it true or, where none does, those that leave it open.
    fn add_grounds(
        &self,
        resolver: &dyn AccessResolver,
        access: &Access,
        reads: &BTreeSet<&str>,
        facts: &mut AccessFacts,
    ) {
        let catalog = resolver.catalog();
        let mut grounds = Vec::new();
        if access.unlimited && reads.contains("admin") {
            grounds.push(Ground::unlimited());
        } else if facts.admin == Truth::Yes && reads.contains("admin") {
            let widest = widest(access, catalog).into_iter().map(|(grant, operations)| (grant, move || operations));
            grounds.extend(Ground::of_grants("admin", widest, resolver));
        }
        if !access.unlimited && facts.wildcard_grant != Truth::No && reads.contains("wildcard_grant") {
            let whole = &self.whole;
            let granting = access.slices().iter().filter(|slice| self.marks_of(&slice.operations) & SERVICE != 0);
            let granting = granting.map(|slice| {
                let held = whole.iter().filter(move |service| service.is_subset(&slice.operations));
                (slice.grant, move || OpSet::union_of(held))
            });
            grounds.extend(Ground::of_grants("wildcard_grant", granting, resolver));
        }
        for &Marked { bit, column, told, ref operations } in &self.marked {
            let told = told(facts);
            if access.unlimited || told == Truth::No || !reads.contains(column) {
                continue;
            }
            let of = |slice: &Slice| slice.operations.intersection(operations);
            let granting = access
                .slices()
                .iter()
                .filter(|slice| slice.operations.intersects(operations) && self.tells(bit, slice, catalog) == told);
            let granting = granting.map(|slice| (slice.grant, move || of(slice)));
            grounds.extend(Ground::of_grants(column, granting, resolver));
            if bit == GATE_TAMPER {
                for Gates { slice, ground } in &mut facts.gates {
                    *ground = Ground::of_grants(column, [(slice.grant, || of(slice))], resolver).map(Arc::new);
                }
            }
        }
        facts.grounds = grounds.into_iter().map(Arc::new).collect();
    }

    /// Whether a scope reaches a log: all of a type, or one that is known. A name that no known log has may be that of
    /// one that was not read, or of something else that the same operations change.
    fn reaches_log(&self, scope: &ResourceScope) -> Truth {
        if frees_the_name(scope) == Truth::Yes || self.logs.iter().any(|log| scope.matches_name(log) == Truth::Yes) {
            Truth::Yes
        } else {
            Truth::Unknown
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

/// What each statement about the whole scope that asks nothing adds to those before it, widest first.
fn widest(access: &Access, catalog: &dyn Catalog) -> Vec<(GrantIx, OpSet)> {
    // A deny takes some resources away even from who rules all others.
    let is_wide = |slice: &&Slice| {
        every_limit(&slice.scope, Pattern::is_whole_scope) && unconditional(&slice.condition, catalog) != Truth::No
    };
    let mut slices: Vec<&Slice> = access.slices().iter().filter(is_wide).collect();
    slices.sort_by_key(|slice| Reverse(slice.operations.len()));
    let mut covered = OpSet::new();
    let mut added = Vec::new();
    for slice in slices {
        let more = slice.operations.difference(&covered);
        if !more.is_empty() {
            covered = covered.union(&more);
            added.push((slice.grant, more));
        }
    }
    added
}

/// Whether a scope is bound to no part of the identity's scope: the first segment of a resource's name, which says in
/// what part it lies, is free.
fn is_scope_wide(scope: &ResourceScope) -> bool {
    every_limit(scope, |pattern| pattern.is_whole_scope() || pattern.segments().first() == Some(&Glob::Any))
}

/// Whether a scope reaches every resource of some type: only the type, and no name, is fixed.
///
/// The last segment names the resource, `secret:*` or `parameter/*` where it says the type too. A literal first segment
/// of a name with two segments is the part of the scope that it lies in. A name of one segment may be a path, of which the
/// provider says what is a part. What is taken away may be all that there is.
fn reaches_all_of_a_type(scope: &ResourceScope, catalog: &dyn Catalog) -> Truth {
    let all = every_limit(scope, |pattern| match pattern.segments() {
        _ if pattern.is_whole_scope() => true,
        [] => true,
        [name] => is_free(name) || matches!(name, Glob::Prefix(path) if catalog.is_part(path)),
        [part, name] => *part == Glob::Any && is_free(name),
        [.., name] => is_free(name),
    });
    unless_holed(all, scope)
}

/// Whether a scope reaches every resource of some type, at least in one part of what there is: no name is fixed. What is
/// taken away may be all that there is.
fn frees_the_name(scope: &ResourceScope) -> Truth {
    unless_holed(every_limit(scope, |pattern| pattern.segments().last().is_none_or(is_free)), scope)
}

/// What is true but for resources that are taken away, of which nobody knows how many there are.
fn unless_holed(all: bool, scope: &ResourceScope) -> Truth {
    Truth::from(all).and(if scope.none_of.is_empty() { Truth::Yes } else { Truth::Unknown })
}

/// Whether the part of a name that names the resource says no more than its type.
fn is_free(name: &Glob) -> bool {
    match name {
        Glob::Any => true,
        Glob::Prefix(text) => text.find([':', '/']).is_some_and(|separator| separator + 1 == text.len()),
        _ => false,
    }
}

/// Whether a condition leaves all resources of a scope in it: it only asks for a control, or takes away what a deny
/// speaks of and does not say by what they are.
fn unchosen(condition: &Condition, catalog: &dyn Catalog) -> Truth {
    let leaves = condition.clauses().all(|clause| match clause {
        Clause::When(test) => catalog.control_of_key(&test.key).is_some(),
        Clause::Unless { tests, .. } => tests.iter().all(|test| !catalog.key_chooses_resources(&test.key)),
        Clause::AnyOf(_) | Clause::Opaque(_) => false,
    });
    if leaves { Truth::Yes } else { Truth::Unknown }
}

/// Whether a grant on everything asks nothing, but for what a deny takes away from requests that differ, such as those to
/// other regions.
fn unconditional(condition: &Condition, catalog: &dyn Catalog) -> Truth {
    let denied = |clause: &Clause| matches!(clause, Clause::Unless { .. });
    if condition.clauses().all(denied) { unchosen(condition, catalog) } else { Truth::No }
}

fn every_limit(scope: &ResourceScope, fits: impl Fn(&Pattern) -> bool) -> bool {
    scope.all_of.iter().all(|list| list.iter().any(&fits))
}

#[cfg(test)]
mod tests {
    use evenhand_model::table::Row as _;

    use super::*;
    use crate::facts::tables::IdentityRow;
    use crate::parity::toy::{TOY, ToyCatalog, pattern, scope, slice, test, when};

    #[test]
    fn every_bit_is_for_a_column_of_table_identities() {
        for marked in Lens::new(TOY, &ToyCatalog::default(), &[]).marked {
            let is_there = IdentityRow::SPEC.columns.iter().any(|column| column.name == marked.column);
            assert!(is_there, "{}", marked.column);
        }
    }

    #[test]
    fn what_makes_an_administrator_is_what_asks_nothing() {
        let statement = |number: u32, operations: &[u32], condition: Condition| Slice {
            grant: GrantIx(number),
            ..slice(operations, ResourceScope::everything(), condition)
        };
        let deny = Clause::Unless { tests: vec![test("region", "x")], scope: Arc::default() };
        let slices = vec![
            statement(0, &[1, 2, 3, 4], when("mfa", "true")),
            statement(1, &[1, 2, 3], Condition::unconditional().with(deny)),
            statement(2, &[1], Condition::unconditional()),
        ];
        let widest = widest(&Access::new(slices, Vec::new(), false), &ToyCatalog::default());
        assert_eq!(widest, [(GrantIx(1), OpSet::from_ranges([(1, 4)]))]);
    }

    #[test]
    fn a_set_has_the_bits_of_its_operations_and_that_of_a_service_where_it_holds_all_of_one() {
        // Services 0..3 and 3..5, and one of two operations that are no neighbours.
        let lens = Lens {
            services: vec![3, 5, 5, 5],
            scattered: vec![OpSet::from_ranges([(5, 6), (8, 9)])],
            whole: Vec::new(),
            marked: Vec::new(),
            marks: vec![READ, 0, WRITE, 0, LOG_TAMPER, 0, 0, SECRET_READ],
            all: Arc::default(),
            logs: Vec::new(),
        };
        for (ranges, expected) in [
            (&[(0, 1)][..], READ),
            (&[(1, 3)], WRITE),
            (&[(0, 3)], READ | WRITE | SERVICE),
            (&[(1, 5)], WRITE | LOG_TAMPER | SERVICE),
            (&[(0, 1), (4, 5)], READ | LOG_TAMPER),
            (&[(3, 4), (6, 9)], SECRET_READ),
            (&[(5, 6), (8, 9)], SERVICE),
            (&[(9, 12)], 0),
            (&[], 0),
        ] {
            assert_eq!(lens.marks_of(&OpSet::from_ranges(ranges.iter().copied())), expected, "{ranges:?}");
        }
    }

    #[test]
    fn a_condition_that_is_no_control_decides_which_resources() {
        let deny = |key: &str| {
            let deny = Clause::Unless { tests: vec![test(key, "x")], scope: Arc::default() };
            Condition::unconditional().with(deny)
        };
        for (condition, chosen, asked) in [
            (Condition::unconditional(), Truth::Yes, Truth::Yes),
            (when("mfa", "true"), Truth::Yes, Truth::No),
            (deny("region"), Truth::Yes, Truth::Yes),
            (deny("tag"), Truth::Unknown, Truth::Unknown),
            (when("team", "ai"), Truth::Unknown, Truth::No),
        ] {
            assert_eq!(unchosen(&condition, &ToyCatalog::default()), chosen, "{condition}");
            assert_eq!(unconditional(&condition, &ToyCatalog::default()), asked, "{condition}");
        }
    }

    #[test]
    fn all_of_a_type_is_reached_where_no_name_is_fixed_or_a_whole_part_is_reached() {
        let path = |glob: Glob| ResourceScope::any_of([Pattern::new([glob], '/')]);
        for (scope, expected) in [
            (scope(&["*"]), true),
            (scope(&["*/*"]), true),
            (scope(&["eu/*"]), false),
            (path(Glob::Prefix("secret:".into())), true),
            (path(Glob::Prefix("/part/".into())), true),
            (path(Glob::Prefix("/part/store/".into())), false),
            (path(Glob::literal("/part/")), false),
        ] {
            assert_eq!(reaches_all_of_a_type(&scope, &ToyCatalog::default()), Truth::from(expected), "{scope}");
        }
    }

    #[test]
    fn a_name_is_free_where_no_more_than_the_type_is_said() {
        for (patterns, expected) in [
            (&["*"][..], true),
            (&["eu/*"], true),
            (&["eu/trail:*"], true),
            (&["eu/main", "eu/*"], true),
            (&["eu/main"], false),
            (&["eu/app-*"], false),
        ] {
            assert_eq!(frees_the_name(&scope(patterns)), Truth::from(expected), "{patterns:?}");
            // What is taken away may be all that there is.
            let holed = scope(patterns).without([pattern("eu/x*")]);
            assert_eq!(frees_the_name(&holed), Truth::from(expected).min(Truth::Unknown), "{patterns:?}");
        }
    }
}
