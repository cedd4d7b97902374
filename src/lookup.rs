//! Finding the identity that a person means.

use evenhand_model::id::IdentityId;
use evenhand_model::identity::Identity;
use evenhand_rules::jobs::Selector;

/// Why a text names no one identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// None fits.
    #[error("no identity is called `{asked}`; {}`evenhand inventory` lists all", suggestions(.nearest))]
    Unknown {
        /// As asked.
        asked: String,
        /// Ids that are spelled alike, nearest first.
        nearest: Vec<String>,
    },
    /// Several fit.
    #[error(
        "`{asked}` fits {} identities: {}{}; {remedy}", .candidates.len(), first(.candidates), rest(.candidates)
    )]
    Ambiguous {
        /// As asked.
        asked: String,
        /// The ids of all that fit; where several have one id, with what each was read from.
        candidates: Vec<String>,
        /// What to do.
        remedy: &'static str,
    },
}

/// The remedy for a name that fits several.
const LONGER: &str = "name one by its id, or by more of it, such as `kind/name`";

/// The remedy where these have one id, as those of two captures of one organisation: no name tells them apart.
const APART: &str = "several captures hold it; read one of them with `--from`";

/// Why one name is not enough for several identities.
fn ambiguous(asked: &str, several: &[&Identity]) -> LookupError {
    let is_shared = |id: &IdentityId| several.iter().filter(|other| other.id == *id).count() > 1;
    let told = |identity: &&Identity| match is_shared(&identity.id) {
        true => format!("{}, read from {}", identity.id, identity.evidence.document),
        false => identity.id.to_string(),
    };
    let same = several.windows(2).all(|pair| matches!(pair, [one, other] if one.id == other.id));
    let remedy = if same { APART } else { LONGER };
    LookupError::Ambiguous { asked: asked.to_owned(), candidates: several.iter().map(told).collect(), remedy }
}

/// How many candidates an error lists in one line, and one by one.
const SHOWN: usize = 5;

fn suggestions(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        some => format!("did you mean {}? ", some.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(" or ")),
    }
}

fn first(candidates: &[String]) -> String {
    candidates.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn rest(candidates: &[String]) -> String {
    match candidates.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more, which `evenhand inventory` lists"),
    }
}

/// The end of the id of a service account that is named as a cluster's server names it in its logs and answers.
fn as_user_name(asked: &str) -> Option<String> {
    let (namespace, name) = asked.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    Some(format!(":serviceaccount:{namespace}/{name}"))
}

/// Whether a text is a name, or all of it from one of its segments on: `b/c` of `a/b/c`.
fn ends_in(name: &str, asked: &str) -> bool {
    let before = name.strip_suffix(asked);
    before.is_some_and(|before| before.is_empty() || before.ends_with(['/', ':', '#']))
}

/// The identity that a text names: by id, by `kind/name`, by its name or the last segments of its name or id, as a selector
/// of a `[[job]]` does, or by any part of its id or name. The first of these steps at which anything fits decides, and must
/// fit one: of two things that one name fits, nobody can tell which was meant. A last segment alone, such as `b` of `a/b`,
/// is as good as a name where something else is called just that, so that it names neither; else it is a part.
///
/// # Errors
/// When none or several fit.
pub fn identity<'a>(identities: &'a [Identity], asked: &str) -> Result<&'a Identity, LookupError> {
    let lower = asked.to_lowercase();
    let user_name = as_user_name(asked);
    let selector = Selector::parse(asked).ok();
    let is_called = |identity: &Identity| *identity.name == *asked || **identity.shown() == *asked;
    let is_name = asked.contains(['/', ':', '#']) || identities.iter().any(is_called);
    let steps: [&dyn Fn(&Identity) -> bool; 6] = [
        &|identity| identity.id.as_str() == asked,
        &|identity| format!("{}/{}", identity.kind, identity.name) == asked,
        &|identity| {
            is_name && (is_called(identity) || ends_in(&identity.name, asked) || ends_in(identity.id.as_str(), asked))
        },
        &|identity| user_name.as_ref().is_some_and(|end| identity.id.as_str().ends_with(end)),
        &|identity| selector.as_ref().is_some_and(|selector| selector.matches(identity)),
        &|identity| {
            identity.id.as_str().to_lowercase().contains(&lower) || identity.name.to_lowercase().contains(&lower)
        },
    ];
    for fits in steps.iter().filter(|_| !asked.is_empty()) {
        let found: Vec<&Identity> = identities.iter().filter(|identity| fits(identity)).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok(one),
            several => return Err(ambiguous(asked, several)),
        }
    }
    let mut scored: Vec<(f64, &Identity)> = identities
        .iter()
        .map(|identity| (strsim::jaro_winkler(&lower, &identity.name.to_lowercase()), identity))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .collect();
    scored.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.id.cmp(&y.id)));
    let nearest = scored.iter().take(3).map(|(_, identity)| identity.id.to_string()).collect();
    Err(LookupError::Unknown { asked: asked.to_owned(), nearest })
}

/// Texts less alike than this (Jaro-Winkler, 0 to 1) are no suggestion.
const ALIKE: f64 = 0.75;

/// The word that is spelled most like a given one.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    alike(word, known, 1).into_iter().next()
}

/// The words that hold a given one or are spelled like it, in letters of any case, nearest first, at most so many.
pub fn alike<'a>(word: &str, known: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    const LONG_ENOUGH: usize = 4;
    let word = word.to_lowercase();
    let likeness = |known: &str| {
        let known = known.to_lowercase();
        let likeness = strsim::jaro_winkler(&word, &known);
        match word.len() >= LONG_ENOUGH && known.contains(&word) {
            true => Some(likeness + 1.0),
            // A beginning in common makes much of the likeness: the rest must not be another word.
            false => {
                (likeness > ALIKE && strsim::normalized_damerau_levenshtein(&word, &known) > NEAR).then_some(likeness)
            }
        }
    };
    let mut scored: Vec<(f64, &str)> = known.into_iter().filter_map(|known| Some((likeness(known)?, known))).collect();
    scored.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    scored.into_iter().take(most).map(|(_, known)| known).collect()
}

/// Words of which more letters than this part (0 to 1) must be changed, given or taken away are no suggestion.
const NEAR: f64 = 0.65;

#[cfg(test)]
mod tests {
    use evenhand_model::evidence::Evidence;
    use evenhand_model::id::ProviderName;

    use super::*;

    fn identities() -> Vec<Identity> {
        ["arn:1:role/deploy", "arn:1:role/deploy-agent", "arn:2:role/deploy", "arn:2:user/ada"]
            .map(|id| {
                let name = id.rsplit('/').next().unwrap();
                let kind = if id.contains(":user/") { "user" } else { "role" };
                Identity::new(id.into(), ProviderName("aws"), "1".into(), kind, name, Evidence::whole("d"))
            })
            .to_vec()
    }

    #[test]
    fn the_most_exact_way_of_naming_decides() {
        let all = identities();
        for (asked, id) in [
            ("arn:1:role/deploy", "arn:1:role/deploy"),
            ("ada", "arn:2:user/ada"),
            ("deploy-agent", "arn:1:role/deploy-agent"),
            ("1:role/deploy", "arn:1:role/deploy"),
            ("role/deploy-agent", "arn:1:role/deploy-agent"),
            ("AGENT", "arn:1:role/deploy-agent"),
        ] {
            assert_eq!(identity(&all, asked).map(|found| found.id.as_str()), Ok(id), "{asked}");
        }
    }

    #[test]
    fn several_and_none_are_errors_that_help() {
        let all = identities();
        let Err(LookupError::Ambiguous { candidates, .. }) = identity(&all, "deploy") else { panic!() };
        assert_eq!(candidates, ["arn:1:role/deploy", "arn:2:role/deploy"]);
        let error = identity(&all, "deplyo-agent").unwrap_err();
        assert!(error.to_string().contains("did you mean `arn:1:role/deploy-agent`"), "{error}");
        assert!(identity(&all, "").is_err());
    }

    #[test]
    fn identities_of_one_id_are_told_apart_by_what_they_were_read_from() {
        let of = |document: &str| {
            let at = Evidence::whole(document);
            Identity::new("github:acme:app:warden".into(), ProviderName("github"), "acme".into(), "app", "warden", at)
        };
        let mut all = vec![of("old/acme.ndjson"), of("new/acme.ndjson")];
        let Err(LookupError::Ambiguous { candidates, remedy, .. }) = identity(&all, "app/warden") else { panic!() };
        let told = |document: &str| format!("github:acme:app:warden, read from {document}");
        assert_eq!(candidates, [told("old/acme.ndjson"), told("new/acme.ndjson")]);
        assert_eq!(remedy, APART);
        // Its id does not name one of them either.
        assert!(identity(&all, "github:acme:app:warden").is_err());
        all.extend(identities());
        let Err(LookupError::Ambiguous { candidates, remedy, .. }) = identity(&all, "ar") else { panic!() };
        assert_eq!((candidates.len(), remedy), (6, LONGER));
        assert!(candidates.contains(&"arn:2:user/ada".to_owned()) && candidates.contains(&told("new/acme.ndjson")));
    }

    #[test]
    fn a_name_that_is_also_the_last_part_of_another_names_neither() {
        let mut all = identities();
        let place = Evidence::whole("d");
        all.push(Identity::new("k:sa:ops/ada".into(), ProviderName("k"), "k".into(), "sa", "ops/ada", place));
        let Err(LookupError::Ambiguous { candidates, .. }) = identity(&all, "ada") else { panic!() };
        assert_eq!(candidates, ["arn:2:user/ada", "k:sa:ops/ada"]);
        for (asked, id) in [("ops/ada", "k:sa:ops/ada"), ("user/ada", "arn:2:user/ada"), ("sa/ops/ada", "k:sa:ops/ada")]
        {
            assert_eq!(identity(&all, asked).map(|found| found.id.as_str()), Ok(id), "{asked}");
        }
    }

    #[test]
    fn a_part_that_fits_several_names_none_wherever_in_them_it_stands() {
        let mut all = identities();
        let of = |id: &str, name: &str| {
            Identity::new(id.into(), ProviderName("k"), "k".into(), "sa", name, Evidence::whole("d"))
        };
        all.extend([
            of("azure:7c0d", "acme-agent"),
            of("k:sa:ops/support", "ops/support"),
            of("k:sa:ops/support-chat", "ops/support-chat"),
            of("agent:home/bao", "Client"),
            of("github:user:bao-acme", "bao-acme"),
        ]);
        for (asked, ids) in [
            ("agent", &["arn:1:role/deploy-agent", "azure:7c0d", "agent:home/bao"][..]),
            ("support", &["k:sa:ops/support", "k:sa:ops/support-chat"]),
            ("bao", &["agent:home/bao", "github:user:bao-acme"]),
        ] {
            let Err(LookupError::Ambiguous { candidates, .. }) = identity(&all, asked) else { panic!("{asked}") };
            assert_eq!(candidates, ids, "{asked}");
        }
        for (asked, id) in [
            ("ops/support", "k:sa:ops/support"),
            ("support-chat", "k:sa:ops/support-chat"),
            ("home/bao", "agent:home/bao"),
            ("acme-agent", "azure:7c0d"),
        ] {
            assert_eq!(identity(&all, asked).map(|found| found.id.as_str()), Ok(id), "{asked}");
        }
    }

    #[test]
    fn a_selector_of_a_job_names_whom_it_chooses_where_that_is_one() {
        let all = identities();
        for (asked, id) in [
            ("aws:user/ada", "arn:2:user/ada"),
            ("aws:ada", "arn:2:user/ada"),
            ("aws:role/deploy-agent", "arn:1:role/deploy-agent"),
            ("aws:role/deploy-*", "arn:1:role/deploy-agent"),
            ("*:user/*", "arn:2:user/ada"),
            ("role/deploy-agen?", "arn:1:role/deploy-agent"),
        ] {
            assert_eq!(identity(&all, asked).map(|found| found.id.as_str()), Ok(id), "{asked}");
        }
        let Err(LookupError::Ambiguous { candidates, .. }) = identity(&all, "aws:role/deploy") else { panic!() };
        assert_eq!(candidates, ["arn:1:role/deploy", "arn:2:role/deploy"]);
        assert!(identity(&all, "azure:user/ada").is_err(), "of another provider");
    }

    #[test]
    fn words_that_hold_the_asked_one_come_first() {
        let rules = ["no-owner", "excess-over-human-role", "high-risk-excess-over-human-role"];
        assert_eq!(alike("excess-over", rules, 3), ["excess-over-human-role", "high-risk-excess-over-human-role"]);
        assert_eq!(alike("zzzz", rules, 3), Vec::<&str>::new());
    }

    #[test]
    fn the_nearest_word_is_suggested_and_no_far_one() {
        assert_eq!(nearest("hihg", ["high", "low"]), Some("high"));
        assert_eq!(nearest("zzz", ["high", "low"]), None);
        assert_eq!(nearest("get", ["get /api", "get pods"]), None);
        assert_eq!(nearest("csv:foo", ["csv:controls", "csv:findings"]), None);
        assert_eq!(nearest("AI-CAN-ESCALTE", ["ai-can-escalate", "no-owner"]), Some("ai-can-escalate"));
    }
}
