//! Calls that brought no answer, one by one and for people.

use std::collections::{BTreeMap, BTreeSet};

/// A call that brought no answer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Failed {
    /// What was asked: an account with a region, a cluster, an organisation.
    pub place: String,
    /// The call as the provider spells it; `None` = nothing of the place could be asked, or not any more.
    pub call: Option<String>,
    /// The vendor's code, or ours.
    pub code: String,
    /// The cause in words, where there is more to say.
    pub detail: Option<String>,
    /// The facts that are unknown because of it.
    pub facts: String,
}

/// Calls that failed alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group<'a> {
    /// The call; see [`Failed::call`].
    pub call: Option<&'a str>,
    /// The code, with the cause in words.
    pub code: String,
    /// Where, each once.
    pub places: Vec<&'a str>,
    /// The facts that are unknown because of the first of them.
    pub facts: &'a str,
}

/// Failures that are alike, told once: by call, code and cause.
pub fn grouped(failed: &[Failed]) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<_, Vec<&Failed>> = BTreeMap::new();
    for one in failed {
        groups.entry((&one.call, &one.code, &one.detail)).or_default().push(one);
    }
    let all = groups.into_iter().map(|((call, code, detail), alike)| {
        let places: BTreeSet<&str> = alike.iter().map(|one| one.place.as_str()).collect();
        Group {
            call: call.as_deref(),
            code: detail.as_ref().map_or_else(|| code.clone(), |detail| format!("{code}: {detail}")),
            places: places.into_iter().collect(),
            facts: alike.first().map_or("", |first| &first.facts),
        }
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_alike_is_told_once_with_every_place() {
        let failed = |place: &str, call: Option<&str>, code: &str, detail: Option<&str>| Failed {
            place: place.to_owned(),
            call: call.map(str::to_owned),
            code: code.to_owned(),
            detail: detail.map(str::to_owned),
            facts: "who".to_owned(),
        };
        let all = [
            failed("b", Some("list"), "Denied", None),
            failed("a", Some("list"), "Denied", None),
            failed("a", Some("list"), "Denied", None),
            failed("a", Some("list"), "Failed", Some("no route")),
            failed("c", None, "Failed", None),
        ];
        let told: Vec<_> = grouped(&all).into_iter().map(|group| (group.call, group.code, group.places)).collect();
        let list = Some("list");
        assert_eq!(
            told,
            [
                (None, "Failed".to_owned(), vec!["c"]),
                (list, "Denied".to_owned(), vec!["a", "b"]),
                (list, "Failed: no route".to_owned(), vec!["a"]),
            ]
        );
    }
}
