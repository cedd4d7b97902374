//! An access as a list that people read and that another scan can be held against.

use std::borrow::Cow;
use std::sync::Arc;

use evenhand_model::access::Access;
use evenhand_model::catalog::Catalog;
use evenhand_model::glob::{Glob, Token};
use evenhand_model::opset::OpSet;
use evenhand_model::scope::{Pattern, ResourceScope};

/// A list longer than this, in bytes, is kept as its hash alone: a report of very many agents has to stay readable, and a
/// cell of a spreadsheet takes no more than four times as much.
const LONGEST: usize = 8 << 10;

/// An access in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    /// A hash of the whole list: equal where the access is.
    pub(super) hash: Arc<str>,
    /// The list; `None` where it is longer than [`LONGEST`].
    pub(super) list: Option<Arc<str>>,
}

/// What a slice holds on some resources.
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
        let mut held: Vec<Held<'_>> = Vec::new();
        if access.unlimited {
            held.push(Held { resources: "*".to_owned(), condition: String::new(), operations: all });
        }
        for slice in access.slices().iter().filter(|slice| !slice.operations.is_empty()) {
            let condition = match slice.condition.is_unconditional() {
                true => String::new(),
                false => in_one(format!(" if {}", slice.condition)),
            };
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
            let mut begun = false;
            catalog.name_groups(operations, &mut |name| {
                if std::mem::replace(&mut begun, true) {
                    list.push_str(", ");
                }
                list.push_str(name);
            });
            list.push_str(" on ");
            list.push_str(place);
        }
        let hash = blake3::hash(list.as_bytes()).to_hex();
        let hash = hash.get(..16).unwrap_or_default().into();
        Self { hash, list: (list.len() <= LONGEST).then(|| list.into()) }
    }
}

/// What stands between resources of which the same is told.
const JOINT: &str = " + ";

/// Tells the resources of a scope, each for itself where that is the same.
fn apart(scope: &ResourceScope, mut tell: impl FnMut(String)) {
    let mut whole = |resources: String| {
        let resources = in_one(resources);
        tell(if resources.contains('+') { resources.replace(JOINT, "+") } else { resources });
    };
    match (scope.all_of.as_slice(), scope.none_of.as_slice()) {
        ([patterns], []) => patterns.iter().for_each(|pattern| whole(told(pattern))),
        _ => whole(scope.to_string()),
    }
}

/// A pattern, in which a wildcard is told from the same character in a name.
fn told(pattern: &Pattern) -> String {
    let is_mark = |token: &Token| matches!(token, Token::Char('*' | '?'));
    let has_mark = |glob: &Glob| match glob {
        Glob::Any => false,
        Glob::Literal(text) | Glob::Prefix(text) => text.contains(['*', '?']),
        Glob::Tokens(tokens) => tokens.iter().any(is_mark),
    };
    if !pattern.segments().iter().any(has_mark) {
        return pattern.to_string();
    }
    let token = |token: &Token| match token {
        Token::Char(c @ ('*' | '?')) => format!("${{{c}}}"),
        Token::Char(c) => c.to_string(),
        Token::One => "?".to_owned(),
        Token::Many => "*".to_owned(),
        Token::Variable(name) => format!("${{{name}}}"),
    };
    let segments = pattern.segments().iter().map(|one| one.tokens().iter().map(token).collect::<String>());
    segments.collect::<Vec<_>>().join(&pattern.separator().to_string())
}

/// A place without what parts the list: names of resources are chosen by others.
fn in_one(place: String) -> String {
    // Most names hold nothing that could.
    if place.bytes().all(|byte| byte != b';' && (b' '..=b'~').contains(&byte)) {
        return place;
    }
    place.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().replace("; ", ";")
}

#[cfg(test)]
mod tests {
    use evenhand_model::condition::Condition;
    use evenhand_model::glob::Glob;

    use super::*;
    use crate::parity::toy::{OPERATIONS, ToyCatalog, pattern, plain, scope, slice, when};

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
        assert_eq!(of(vec![free(&[1], scope(&["x + b"]))]).list.as_deref(), Some("op:01 on x+b"));
        let star = Pattern::new([Glob::literal("ns"), Glob::literal("*")], '/');
        let named = of(vec![free(&[1], ResourceScope::any_of([star]))]);
        assert_eq!(named.list.as_deref(), Some("op:01 on ns/${*}"), "a name, and no wildcard");
    }

    #[test]
    fn a_list_that_is_too_long_is_a_hash_alone_and_a_name_ends_no_part() {
        let forged =
            Access::new(vec![slice(&[1], scope(&["a; op:09 on *"]), Condition::unconditional())], Vec::new(), false);
        assert_eq!(listing(&forged).list.as_deref(), Some("op:01 on a;op:09 on *"));
        let broken =
            Access::new(vec![slice(&[1], scope(&["a\nö;\tc"]), Condition::unconditional())], Vec::new(), false);
        assert_eq!(listing(&broken).list.as_deref(), Some("op:01 on a ö;c"));
        let name = "x".repeat(LONGEST);
        let long =
            Access::new(vec![slice(&[1], scope(&[name.as_str()]), Condition::unconditional())], Vec::new(), false);
        assert_eq!((listing(&long).list, listing(&long).hash.len()), (None, 16));
    }
}
