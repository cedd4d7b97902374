//! An access as a list that people read and that another scan can be held against.

use std::borrow::Cow;
use std::sync::Arc;

use evenhand_model::access::Access;
use evenhand_model::catalog::Catalog;
use evenhand_model::opset::OpSet;
use evenhand_model::scope::ResourceScope;

use super::written::{self, JOINT};

/// A list longer than this, in bytes, is kept as its hash alone: a report of very many agents has to stay readable, and a
/// cell of a spreadsheet takes no more than four times as much.
const LONGEST: usize = 8 << 10;

/// An access in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    /// A hash of the whole list, with the marks that people need not see: equal where the access is written the same, and
    /// nowhere else.
    pub(super) hash: Arc<str>,
    /// The list; `None` where it is longer than [`LONGEST`].
    pub(super) list: Option<Arc<str>>,
}

/// What a slice holds on some resources, which are [`written`] as is the condition.
struct Held<'a> {
    resources: String,
    condition: String,
    operations: &'a OpSet,
}

impl Held<'_> {
    fn place(&self) -> (&str, &str) {
        (&self.resources, &self.condition)
    }
}

impl Listing {
    /// Of an access: by resources and condition the operations, as `a:Get, a:Put on x + z if y; …`, sorted. `all`: the
    /// operations of the catalogue.
    pub(super) fn of(access: &Access, all: &OpSet, catalog: &dyn Catalog) -> Self {
        let list = Self::marked(access, all, catalog);
        let hash = blake3::hash(list.as_bytes()).to_hex();
        let hash = hash.get(..16).unwrap_or_default().into();
        let list = written::for_people(&list);
        Self { hash, list: (list.len() <= LONGEST).then(|| list.into()) }
    }

    /// The list with its marks.
    fn marked(access: &Access, all: &OpSet, catalog: &dyn Catalog) -> String {
        let mut held: Vec<Held<'_>> = Vec::new();
        if access.unlimited {
            held.push(Held { resources: "*".to_owned(), condition: String::new(), operations: all });
        }
        for slice in access.slices().iter().filter(|slice| !slice.operations.is_empty()) {
            let mut condition = String::new();
            if !slice.condition.is_unconditional() {
                condition.push_str(" if ");
                written::condition(&slice.condition, &mut condition);
            }
            apart(&slice.scope, |resources| {
                held.push(Held { resources, condition: condition.clone(), operations: &slice.operations });
            });
        }
        held.sort_unstable_by(|a, b| a.place().cmp(&b.place()));
        let at_one_place = held.chunk_by(|a, b| a.place() == b.place()).filter_map(|held| {
            let operations = match held {
                [] => return None,
                [one] => Cow::Borrowed(one.operations),
                several => Cow::Owned(OpSet::union_of(several.iter().map(|one| one.operations))),
            };
            let (resources, condition) = held.first()?.place();
            Some((operations, condition, resources))
        });
        // Where the same is held is told in one, however many statements grant it.
        let mut alike: Vec<(Cow<'_, OpSet>, &str, &str)> = at_one_place.collect();
        alike.sort_unstable();
        let places = alike.chunk_by(|a, b| (&a.0, a.1) == (&b.0, b.1)).filter_map(|alike| {
            let (operations, condition, _) = alike.first()?;
            let mut place = alike.iter().map(|(.., resources)| *resources).collect::<Vec<_>>().join(JOINT);
            place.push_str(condition);
            Some((place, &**operations))
        });
        let mut places: Vec<(String, &OpSet)> = places.collect();
        places.sort_unstable();
        let mut list = String::new();
        for (place, operations) in &places {
            if !list.is_empty() {
                list.push_str("; ");
            }
            written::operations(operations, catalog, &mut list);
            list.push_str(" on ");
            list.push_str(place);
        }
        list
    }
}

/// Tells the resources of a scope, each for itself where that is the same.
fn apart(scope: &ResourceScope, mut tell: impl FnMut(String)) {
    match (scope.all_of.as_slice(), scope.none_of.as_slice()) {
        ([patterns], []) => {
            for pattern in patterns.iter() {
                let mut resources = String::new();
                written::pattern(pattern, &mut resources);
                tell(resources);
            }
        }
        // Within nothing there is nothing to hold.
        (limits, _) if limits.iter().any(|patterns| patterns.is_empty()) => {}
        _ => {
            let mut resources = String::new();
            written::scope(scope, &mut resources);
            tell(resources);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet, HashMap};

    use evenhand_model::access::Slice;
    use evenhand_model::condition::{Clause, Condition, Test};
    use evenhand_model::glob::{Glob, Token};
    use evenhand_model::scope::Pattern;
    use proptest::prelude::*;

    use super::*;
    use crate::parity::toy::{OPERATIONS, ToyCatalog, pattern, plain, scope, slice, test, when};

    fn listing(access: &Access) -> Listing {
        Listing::of(access, &OpSet::all(OPERATIONS), &ToyCatalog::default())
    }

    #[test]
    fn the_order_and_the_number_of_statements_do_not_show_and_what_they_grant_does() {
        let none = Condition::unconditional;
        let one =
            Access::new(vec![plain(&[1, 3]), slice(&[2], scope(&["a/*"]), when("mfa", "true"))], Vec::new(), false);
        let same = Access::new(
            vec![slice(&[2], scope(&["a/*"]), when("mfa", "true")), plain(&[3]), plain(&[1])],
            Vec::new(),
            false,
        );
        assert_eq!(listing(&one), listing(&same));
        let list = listing(&one).list.unwrap();
        assert!(list.starts_with("op:01, op:03 on *; op:02 on a/* if mfa "), "{list}");
        for other in [
            vec![plain(&[1, 4]), slice(&[2], scope(&["a/*"]), when("mfa", "true"))],
            vec![plain(&[1, 3]), slice(&[2], scope(&["b/*"]), when("mfa", "true"))],
            vec![plain(&[1, 3]), slice(&[2], scope(&["a/*"]), none())],
        ] {
            assert_ne!(listing(&Access::new(other, Vec::new(), false)).hash, listing(&one).hash);
        }
    }

    #[test]
    fn resources_are_told_each_for_itself_but_where_some_are_taken_away() {
        let of = |slices| listing(&Access::new(slices, Vec::new(), false));
        let free = |operations: &[u32], resources| slice(operations, resources, Condition::unconditional());
        let together = of(vec![free(&[1], scope(&["x/*", "b/*"]))]);
        assert_eq!(together.list.as_deref(), Some("op:01 on b/* + x/*"));
        assert_eq!(of(vec![free(&[1], scope(&["x/*"])), free(&[1], scope(&["b/*"]))]), together);
        let more = of(vec![free(&[1], scope(&["x/*", "b/*"])), free(&[2], scope(&["x/*"]))]);
        assert_eq!(more.list.as_deref(), Some("op:01 on b/*; op:01, op:02 on x/*"));
        let holed = of(vec![free(&[1], scope(&["x/*", "b/*"]).without([pattern("b/y")]))]);
        assert_eq!(holed.list.as_deref(), Some("op:01 on b/*, x/* except b/y"));
        assert_eq!(of(vec![free(&[1], scope(&["x + b"]))]).list.as_deref(), Some("op:01 on x${ }+${ }b"));
        let star = Pattern::new([Glob::literal("ns"), Glob::literal("*")], '/');
        let named = of(vec![free(&[1], ResourceScope::any_of([star.clone()]))]);
        assert_eq!(named.list.as_deref(), Some("op:01 on ns/${*}"), "a name, and no wildcard");
        let but = of(vec![free(&[1], ResourceScope::everything().without([star]))]);
        assert_eq!(but.list.as_deref(), Some("op:01 on * except ns/${*}"), "taken away, too");
        assert_ne!(but, of(vec![free(&[1], ResourceScope::everything().without([pattern("ns/*")]))]));
        let nothing = of(vec![free(&[1], ResourceScope::any_of([]).limited_to([pattern("a")]))]);
        assert_eq!(nothing.list.as_deref(), Some(""), "within nothing is nothing");
    }

    #[test]
    fn a_list_that_is_too_long_is_a_hash_alone_and_a_name_ends_no_part() {
        let forged =
            Access::new(vec![slice(&[1], scope(&["a; op:09 on *"]), Condition::unconditional())], Vec::new(), false);
        assert_eq!(listing(&forged).list.as_deref(), Some("op:01 on a${;}${ }op:09${ }on${ }*"));
        let broken =
            Access::new(vec![slice(&[1], scope(&["a\nö;\tc"]), Condition::unconditional())], Vec::new(), false);
        assert_eq!(listing(&broken).list.as_deref(), Some("op:01 on a${ a}ö${;}${ 9}c"));
        let name = "x".repeat(LONGEST);
        let long =
            Access::new(vec![slice(&[1], scope(&[name.as_str()]), Condition::unconditional())], Vec::new(), false);
        assert_eq!((listing(&long).list, listing(&long).hash.len()), (None, 16));
    }

    #[test]
    fn a_condition_is_told_with_what_stands_in_its_values_escaped() {
        let told = |condition| {
            let access = Access::new(vec![slice(&[1], scope(&["a"]), condition)], Vec::new(), false);
            listing(&access).list.unwrap()
        };
        let opaque = |text: &str| Condition::unconditional().with(Clause::Opaque(text.into()));
        for (condition, expected) in [
            (when("tag", "x"), "tag Equals x"),
            (when("tag", "x | y; op:09 on *"), "tag Equals x${ }|${ }y${;}${ }op:09${ }on${ }*"),
            (when("tag", "${aws:username}"), "tag Equals ${aws:username}"),
            (when("tag", "${ }"), "tag Equals ${$}{${ }}"),
            (opaque("in its own words; of two"), "in its own words${;} of two"),
            (
                Condition::unconditional().with(Clause::AnyOf(vec![when("tag", "x"), when("mfa", "true")])),
                "one of (tag Equals x or mfa Equals true)",
            ),
        ] {
            assert_eq!(&*told(condition), format!("op:01 on a if {expected}"));
        }
        let two = Test { values: [Arc::from("x"), Arc::from("y")].into(), ..test("tag", "x") };
        assert_ne!(told(when("tag", "x | y")), told(Condition::unconditional().with(Clause::When(two))));
    }

    /// Names of what parts a list, and of what an escape is made of.
    fn any_name() -> impl Strategy<Value = String> {
        let pieces = [
            "a", "b", " + ", "+", "; ", ";", ", ", ",", " ", " if ", "if", " on ", " within ", "within", " except ",
            "except", " | ", " and ", " or ", "*", "?", "$", "{", "}", "${", "${ }", "${*}", "${ 1f}", "(", ")", "/",
            "\u{1d}", "\u{1e}", "\u{1f}", "\n", "unless (", "one of (",
        ];
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..3).prop_map(|pieces| pieces.concat())
    }

    fn any_glob() -> impl Strategy<Value = Glob> {
        let token = prop_oneof![
            Just(Token::One),
            Just(Token::Many),
            any_name().prop_map(|name| Token::Variable(name.into())),
            prop::sample::select(vec!['a', '$', '{', '}', '*', ' ']).prop_map(Token::Char),
        ];
        prop_oneof![
            Just(Glob::Any),
            any_name().prop_map(Glob::literal),
            any_name().prop_map(|name| Glob::wildcard(&name)),
            prop::collection::vec(token, 0..3).prop_map(Glob::from_tokens),
        ]
    }

    fn any_pattern() -> impl Strategy<Value = Pattern> {
        prop::collection::vec(any_glob(), 1..3).prop_map(|segments| Pattern::new(segments, '/'))
    }

    fn any_scope() -> impl Strategy<Value = ResourceScope> {
        let lists = prop::collection::vec(prop::collection::vec(any_pattern(), 1..3), 0..3);
        (lists, prop::collection::vec(any_pattern(), 0..2)).prop_map(|(lists, holes)| {
            lists.into_iter().fold(ResourceScope::everything(), |scope, list| scope.limited_to(list)).without(holes)
        })
    }

    fn any_test() -> impl Strategy<Value = Test> {
        let named = (any_name(), any_name(), prop::collection::vec(any_name(), 0..3));
        (named, any::<bool>()).prop_map(|((key, operator, values), negated)| Test {
            // The name of an operator tells whether it is negated.
            operator: format!("{}{operator}", if negated { "Not" } else { "" }).into(),
            key: key.into(),
            values: values.into_iter().map(Arc::from).collect(),
            negated,
        })
    }

    fn any_clause() -> impl Strategy<Value = Clause> {
        let leaf = prop_oneof![
            any_test().prop_map(Clause::When),
            any_name().prop_map(|text| Clause::Opaque(text.into())),
            (prop::collection::vec(any_test(), 0..3), any_scope())
                .prop_map(|(tests, scope)| Clause::Unless { tests, scope: Arc::new(scope) }),
        ];
        leaf.prop_recursive(2, 6, 2, |clause| prop::collection::vec(all_of(clause), 0..3).prop_map(Clause::AnyOf))
    }

    fn all_of(clause: impl Strategy<Value = Clause>) -> impl Strategy<Value = Condition> {
        prop::collection::vec(clause, 0..3)
            .prop_map(|clauses| clauses.into_iter().fold(Condition::unconditional(), Condition::with))
    }

    fn any_slices() -> impl Strategy<Value = Vec<Slice>> {
        let condition = prop_oneof![Just(Condition::unconditional()), all_of(any_clause())];
        let one = (prop::collection::vec(0..3_u32, 0..3), any_scope(), condition);
        prop::collection::vec(one.prop_map(|(held, scope, condition)| slice(&held, scope, condition)), 0..3)
    }

    fn marked(slices: &[Slice]) -> String {
        let access = Access::new(slices.to_vec(), Vec::new(), false);
        Listing::marked(&access, &OpSet::all(OPERATIONS), &ToyCatalog::default())
    }

    /// What is held: a pattern or a scope that has no such parts, the condition, and the operations.
    type Held = BTreeMap<(ResourceScope, Condition), BTreeSet<u32>>;

    fn held(slices: &[Slice]) -> Held {
        let mut held = Held::new();
        for slice in slices.iter().filter(|slice| !slice.operations.is_empty()) {
            let parts: Vec<ResourceScope> = match (slice.scope.all_of.as_slice(), slice.scope.none_of.as_slice()) {
                ([patterns], []) => patterns.iter().map(|one| ResourceScope::any_of([one.clone()])).collect(),
                _ => vec![(*slice.scope).clone()],
            };
            for part in parts {
                let operations = slice.operations.iter().map(|operation| operation.0);
                held.entry((part, (*slice.condition).clone())).or_default().extend(operations);
            }
        }
        held
    }

    proptest! {
        #[test]
        fn two_accesses_share_a_hash_only_where_they_are_the_same(all in prop::collection::vec(any_slices(), 2..60)) {
            let mut by_text: HashMap<String, Held> = HashMap::new();
            let mut by_access: BTreeMap<Held, String> = BTreeMap::new();
            for slices in &all {
                let (text, access) = (marked(slices), held(slices));
                prop_assert_eq!(&*by_text.entry(text.clone()).or_insert_with(|| access.clone()), &access);
                prop_assert_eq!(&*by_access.entry(access).or_insert_with(|| text.clone()), &text);
            }
        }

        #[test]
        fn what_is_one_name_is_never_told_as_two(a in any_name(), joint in any_name(), b in any_name()) {
            let literal = |text: &str| Pattern::new([Glob::literal(text)], '/');
            let two = ResourceScope::any_of([literal(&a), literal(&b)]);
            prop_assume!(a != b);
            let unconditional = Condition::unconditional;
            let whole = format!("{a}{joint}{b}");
            let one = ResourceScope::any_of([literal(&whole)]);
            let list = |slices: Vec<Slice>| listing(&Access::new(slices, Vec::new(), false)).list;
            prop_assert_ne!(
                list(vec![slice(&[1], one.clone(), unconditional())]),
                list(vec![slice(&[1], two.clone(), unconditional())])
            );
            let holes = |scope: &ResourceScope| {
                let patterns = scope.all_of.iter().flat_map(|list| list.iter().cloned());
                slice(&[1], ResourceScope::everything().without(patterns), unconditional())
            };
            prop_assert_ne!(list(vec![holes(&one)]), list(vec![holes(&two)]));
            let values: Arc<[Arc<str>]> = [Arc::from(a.as_str()), Arc::from(b.as_str())].into();
            let either = Condition::unconditional().with(Clause::When(Test { values, ..test("tag", "") }));
            prop_assert_ne!(
                list(vec![slice(&[1], scope(&["a"]), when("tag", &whole))]),
                list(vec![slice(&[1], scope(&["a"]), either)])
            );
        }

        #[test]
        fn the_text_for_people_parts_where_it_says(
            patterns in prop::collection::vec(any_pattern(), 1..4),
            value in any_name(),
        ) {
            let scope = ResourceScope::any_of(patterns);
            let resources = scope.all_of.first().map_or(1, |list| list.len());
            let access = Access::new(vec![slice(&[1], scope, when("mfa", &value))], Vec::new(), false);
            let list = listing(&access).list.unwrap();
            prop_assert_eq!(list.split("; ").count(), 1, "{}", &list);
            let (operations, place) = list.split_once(" on ").unwrap();
            let (place, condition) = place.split_once(" if ").unwrap();
            prop_assert_eq!((operations, place.split(JOINT).count()), ("op:01", resources), "{}", &list);
            prop_assert_eq!(condition.split(' ').take(2).collect::<Vec<_>>(), ["mfa", "Equals"], "{}", &list);
        }

        #[test]
        fn the_same_access_in_another_order_has_the_same_hash(
            (one, other) in any_slices().prop_flat_map(|slices| (Just(slices.clone()), Just(slices).prop_shuffle())),
        ) {
            prop_assert_eq!(marked(&one), marked(&other));
        }
    }
}
