//! Tokens and what accepts them: one provider reads who can get a token, another whose trust admits it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::glob::Token as Part;
use evenhand_model::id::IdentityId;
use evenhand_model::inventory::{Hint, Inventory};
use evenhand_model::token::{Acceptance, Bearer, Found, Token};
use evenhand_model::trust::{Crossing, Mechanism, Trust};
use rayon::prelude::*;

use super::Positions;

/// Adds a trust for each identity that can get a token which something accepts, fills in trusts whose source's side alone
/// was read, and takes those away that the target's side refuses.
pub(super) fn join(inventory: &mut Inventory, positions: &Positions) {
    if inventory.bearers.is_empty() {
        return;
    }
    let mut by_issuer: HashMap<&str, Doors<'_>, foldhash::fast::FixedState> = HashMap::default();
    let mut by_target: HashMap<&IdentityId, Vec<&Acceptance>, foldhash::fast::FixedState> = HashMap::default();
    for acceptance in &inventory.acceptances {
        by_issuer.entry(&acceptance.issuer).or_default().add(acceptance);
        by_target.entry(&acceptance.target).or_default().push(acceptance);
    }
    let mut bearers: BTreeMap<&IdentityId, Vec<&Bearer>> = BTreeMap::new();
    for bearer in inventory.bearers.iter().filter(|bearer| positions.contains_key(&bearer.identity)) {
        bearers.entry(&bearer.identity).or_default().push(bearer);
    }
    let met: Vec<Met<'_>> = bearers
        .par_iter()
        .flat_map_iter(|(identity, tokens)| {
            let mut met: BTreeMap<&IdentityId, Met<'_>> = BTreeMap::new();
            for bearer in tokens {
                let Some(doors) = bearer.token.issuer.as_deref().and_then(|issuer| by_issuer.get(issuer)) else {
                    continue;
                };
                doors.open_to(&bearer.token, |acceptance| {
                    if acceptance.target != **identity {
                        Met::take(&mut met, bearer, acceptance, bearer.certain);
                    }
                });
            }
            met.into_values()
        })
        .collect();
    let mut trusts = Vec::new();
    let mut crossings = Vec::new();
    for met in met {
        trusts.push(met.trust());
        crossings.push(met.crossing());
    }
    let described = described(inventory, positions);
    let mut hints = Vec::new();
    let mut said = Vec::new();
    let mut refused = BTreeSet::new();
    for (at, trust) in inventory.trusts.iter().enumerate() {
        if trust.mechanism != Mechanism::Federation || trust.weak != Truth::Unknown {
            continue;
        }
        let source = IdentityId::new(Arc::clone(&trust.source));
        let (Some(tokens), accepted) = (bearers.get(&source), by_target.get(&trust.target)) else { continue };
        let Some(evidence) = accepted
            .and_then(|list| list.first())
            .map(|held| &held.evidence)
            .or_else(|| described.get(&trust.target).copied())
        else {
            continue;
        };
        let mut met: BTreeMap<&IdentityId, Met<'_>> = BTreeMap::new();
        for bearer in tokens {
            // The source's side names the target: that it gets such a token is said there.
            accepted.into_iter().flatten().for_each(|acceptance| Met::take(&mut met, bearer, acceptance, true));
        }
        match met.into_values().next() {
            Some(met) => {
                crossings.push(met.crossing());
                said.push((at, met.acceptance.weak, Arc::clone(&met.acceptance.weakness)));
            }
            None => {
                refused.insert(at);
                crossings.push(Crossing {
                    source,
                    target: trust.target.clone(),
                    admitted: Truth::No,
                    evidence: evidence.clone(),
                });
                hints.push(Hint {
                    evidence: trust.evidence.clone(),
                    message: format!(
                        "`{}` does not admit tokens of `{}`, which is set to become it; correct the trust or remove the setting",
                        trust.target, trust.source
                    )
                    .into(),
                });
            }
        }
    }
    for (at, weak, weakness) in said {
        if let Some(trust) = inventory.trusts.get_mut(at) {
            trust.weak = weak;
            trust.weakness = weakness;
        }
    }
    let mut at = 0..;
    inventory.trusts.retain(|_| at.next().is_some_and(|at| !refused.contains(&at)));
    inventory.trusts.extend(trusts);
    inventory.crossings.extend(crossings);
    inventory.hints.extend(hints);
}

/// What accepts tokens of one issuer, by what their subjects begin with: thousands of repositories meet thousands of roles,
/// and each a few of them.
#[derive(Default)]
struct Doors<'a> {
    by_start: BTreeMap<&'a str, Vec<&'a Acceptance>>,
    /// How long the beginnings are.
    lengths: BTreeSet<usize>,
}

impl<'a> Doors<'a> {
    fn add(&mut self, acceptance: &'a Acceptance) {
        let start = acceptance.condition.subject_start();
        self.by_start.entry(start).or_default().push(acceptance);
        self.lengths.insert(start.len());
    }

    /// Everything that may accept a token.
    fn open_to(&self, token: &Token, mut take: impl FnMut(&'a Acceptance)) {
        match token.find("sub") {
            Found::Texts(texts) => texts.iter().for_each(|text| self.along(text, &mut take)),
            Found::AnyOf(pattern) => {
                let known = pattern.tokens().into_iter().map_while(|part| match part {
                    Part::Char(character) => Some(character),
                    _ => None,
                });
                let known: String = known.collect();
                self.along(&known, &mut take);
                self.beyond(&known, &mut take);
            }
            // Whatever it may be, it begins with nothing.
            Found::Absent | Found::Unknown => {
                self.along("", &mut take);
                self.beyond("", &mut take);
            }
        }
    }

    /// Those whose beginning this text has.
    fn along(&self, text: &str, take: &mut impl FnMut(&'a Acceptance)) {
        let starts = self.lengths.range(..=text.len()).filter_map(|length| text.get(..*length));
        starts.filter_map(|start| self.by_start.get(start)).flatten().copied().for_each(take);
    }

    /// Those whose beginning has this one.
    fn beyond(&self, start: &str, take: &mut impl FnMut(&'a Acceptance)) {
        let behind = self.by_start.range::<str, _>((Bound::Excluded(start), Bound::Unbounded));
        let alike = behind.take_while(|(held, _)| held.starts_with(start));
        alike.flat_map(|(_, list)| list).copied().for_each(take);
    }
}

/// Identities of which it was read who may become them, and where that is written: their own provider wrote a trust of the
/// kind down.
fn described<'a>(
    inventory: &'a Inventory,
    positions: &Positions,
) -> HashMap<&'a IdentityId, &'a Evidence, foldhash::fast::FixedState> {
    let becomes = |mechanism| matches!(mechanism, Mechanism::AssumeRole | Mechanism::Federation | Mechanism::Service);
    let mut described = HashMap::default();
    for trust in inventory.trusts.iter().filter(|trust| becomes(trust.mechanism)) {
        let target = positions.get(&trust.target).and_then(|at| inventory.identities.get(*at));
        if target.is_some_and(|target| target.provider == trust.provider) {
            described.entry(&trust.target).or_insert(&trust.evidence);
        }
    }
    described
}

/// A source and a target that have met.
struct Met<'a> {
    source: &'a IdentityId,
    /// The tightest condition that admits one of the source's tokens: the looser ones beside it let others in, and have rows
    /// of their own.
    acceptance: &'a Acceptance,
    /// Whether it gets such a token, and that is admitted, for certain.
    certain: bool,
    /// The contexts in which a token is admitted.
    when: BTreeSet<&'a str>,
    evidence: &'a Evidence,
}

impl<'a> Met<'a> {
    /// Takes note of a token that is put against a condition; `borne`: the source gets it for certain.
    fn take(all: &mut BTreeMap<&'a IdentityId, Self>, bearer: &'a Bearer, acceptance: &'a Acceptance, borne: bool) {
        let admitted = acceptance.condition.admits(&bearer.token);
        if admitted == Truth::No {
            return;
        }
        let certain = admitted == Truth::Yes && borne;
        let met = all.entry(&acceptance.target).or_insert_with(|| Self {
            source: &bearer.identity,
            acceptance,
            certain,
            when: BTreeSet::new(),
            evidence: &bearer.evidence,
        });
        // What is certain counts before what is tight.
        if (!certain, order(acceptance)) < (!met.certain, order(met.acceptance)) {
            met.acceptance = acceptance;
            met.evidence = &bearer.evidence;
        }
        met.certain |= certain;
        met.when.extend(Some(&*bearer.when).filter(|when| !when.is_empty()));
    }

    fn trust(&self) -> Trust {
        let when: Vec<&str> = self.when.iter().copied().collect();
        let constraint = match when.is_empty() {
            true => Arc::clone(&self.acceptance.constraint),
            false => format!("for {}; {}", when.join(", "), self.acceptance.constraint).into(),
        };
        Trust {
            source: self.source.shared(),
            target: self.acceptance.target.clone(),
            provider: self.acceptance.provider,
            mechanism: Mechanism::Federation,
            constraint,
            weak: self.acceptance.weak,
            weakness: Arc::clone(&self.acceptance.weakness),
            evidence: self.evidence.clone(),
        }
    }

    fn crossing(&self) -> Crossing {
        Crossing {
            source: self.source.clone(),
            target: self.acceptance.target.clone(),
            admitted: if self.certain { Truth::Yes } else { Truth::Unknown },
            evidence: self.acceptance.evidence.clone(),
        }
    }
}

/// Tightest first.
fn order(acceptance: &Acceptance) -> (Truth, &str, &str, &Evidence) {
    (acceptance.weak, &acceptance.weakness, &acceptance.constraint, &acceptance.evidence)
}

#[cfg(test)]
mod tests {
    use evenhand_model::glob::Glob;
    use evenhand_model::id::{ProviderName, ScopeId};
    use evenhand_model::identity::Identity;
    use evenhand_model::token::Admission;

    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::{JobConfig, link};
    use super::*;

    /// Admits subjects that fit, and leaves open those that it is told to.
    #[derive(Debug)]
    struct Subjects(&'static str);

    impl Admission for Subjects {
        fn admits(&self, token: &Token) -> Truth {
            match token.find("sub") {
                Found::Texts(texts) if texts.iter().any(|text| &**text == "open") => Truth::Unknown,
                Found::Texts(texts) => {
                    texts.iter().any(|text| Glob::wildcard(self.0).matches(text) == Truth::Yes).into()
                }
                _ => Truth::Unknown,
            }
        }
    }

    /// Admits subjects that begin so, and counts how often it is asked.
    #[derive(Debug)]
    struct Counted(String, Arc<AtomicUsize>);

    impl Admission for Counted {
        fn admits(&self, token: &Token) -> Truth {
            self.1.fetch_add(1, Ordering::Relaxed);
            let fits = Glob::wildcard(&format!("{}*", self.0));
            match token.find("sub") {
                Found::Texts(texts) => texts.iter().any(|text| text.starts_with(&self.0)).into(),
                Found::AnyOf(pattern) => fits.overlaps(pattern),
                Found::Absent => Truth::No,
                Found::Unknown => Truth::Unknown,
            }
        }

        fn subject_start(&self) -> &str {
            &self.0
        }
    }

    #[test]
    fn a_token_is_put_against_what_may_accept_its_subject_and_nothing_else() {
        const MANY: usize = 200;
        let asked = Arc::new(AtomicUsize::new(0));
        let starts = |at: usize| [format!("repo:a/{at}:"), format!("repo:a/{at}:ref:main"), format!("repo:b/{at}:")];
        let mut acceptances: Vec<Acceptance> = (0..MANY)
            .flat_map(starts)
            .chain(["repo:a/".to_owned(), String::new()])
            .map(|start| Acceptance {
                condition: Arc::new(Counted(start.clone(), Arc::clone(&asked))),
                target: format!("role {start}").as_str().into(),
                ..acceptance("", "i", "", "")
            })
            .collect();
        acceptances.reverse();
        let mut doors = Doors::default();
        acceptances.iter().for_each(|acceptance| doors.add(acceptance));
        let any = |pattern: &str| {
            Token { issuer: Some("i".into()), ..Token::default() }.with_any("sub", Glob::wildcard(pattern))
        };
        let exact = |text: &str| Token::of_subject(Some("i".into()), text);
        for (token, most) in [
            (exact("repo:a/7:ref:main"), 4),
            (exact("repo:a/7:pull_request"), 3),
            (exact("repo:c/7:ref:main"), 1),
            (exact("other"), 1),
            (any("repo:a/7:*"), 4),
            (any("repo:a/*"), 2 + 2 * MANY),
            (any("*"), 2 + 3 * MANY),
            (Token { issuer: Some("i".into()), ..Token::default() }, 2 + 3 * MANY),
        ] {
            let admitted = |acceptance: &&Acceptance| acceptance.condition.admits(&token) != Truth::No;
            let all: BTreeSet<&str> = acceptances.iter().filter(admitted).map(|one| one.target.as_str()).collect();
            let mut put = Vec::new();
            doors.open_to(&token, |acceptance| put.push(acceptance));
            assert_eq!(put.len(), most, "{token:?}");
            let found: BTreeSet<&str> = put.into_iter().filter(admitted).map(|one| one.target.as_str()).collect();
            assert_eq!(found, all, "{token:?}");
        }
        let bearers = (0..MANY).map(|at| bearer("job", Some("i"), &format!("repo:a/{at}:ref:main"), "")).collect();
        asked.store(0, Ordering::Relaxed);
        linked(bearers, acceptances, Vec::new());
        assert!(asked.load(Ordering::Relaxed) <= 4 * MANY, "{asked:?}");
    }

    fn identity(id: &str) -> Identity {
        Identity::new(id.into(), ProviderName("test"), ScopeId::from("s"), "role", id, Evidence::whole("doc"))
    }

    fn bearer(identity: &str, issuer: Option<&str>, subject: &str, when: &str) -> Bearer {
        Bearer {
            identity: identity.into(),
            token: Token::of_subject(issuer.map(Arc::from), subject),
            when: when.into(),
            certain: true,
            evidence: Evidence::line("workflow", 7),
        }
    }

    fn acceptance(target: &str, issuer: &str, subjects: &'static str, weakness: &str) -> Acceptance {
        Acceptance {
            target: target.into(),
            provider: ProviderName("test"),
            issuer: issuer.into(),
            condition: Arc::new(Subjects(subjects)),
            constraint: format!("sub {subjects}").into(),
            weak: Truth::from(!weakness.is_empty()),
            weakness: weakness.into(),
            evidence: Evidence::pointer("policy", "/Statement/0"),
        }
    }

    fn linked(bearers: Vec<Bearer>, acceptances: Vec<Acceptance>, trusts: Vec<Trust>) -> Inventory {
        let identities = vec![identity("job"), identity("role")];
        let mut inventory = Inventory { identities, bearers, acceptances, trusts, ..Inventory::default() };
        link(&mut inventory, &JobConfig::default());
        inventory
    }

    #[test]
    fn whoever_can_get_an_accepted_token_may_become_what_accepts_it() {
        let bearers = vec![
            bearer("job", Some("i"), "a:main", "branch main"),
            bearer("job", Some("i"), "a:pr", "pull requests"),
            bearer("job", Some("other"), "a:main", "elsewhere"),
            bearer("nobody", Some("i"), "a:main", ""),
        ];
        for reversed in [false, true] {
            let mut acceptances =
                vec![acceptance("role", "i", "a:*", "repo-wide"), acceptance("role", "i", "a:main", "")];
            if reversed {
                acceptances.reverse();
            }
            let inventory = linked(bearers.clone(), acceptances, Vec::new());
            let [trust] = inventory.trusts.as_slice() else { panic!("{:?}", inventory.trusts) };
            assert_eq!(
                (&*trust.source, trust.target.as_str(), trust.mechanism),
                ("job", "role", Mechanism::Federation)
            );
            assert_eq!((trust.weak, &*trust.constraint), (Truth::No, "for branch main, pull requests; sub a:main"));
            assert_eq!(trust.evidence, Evidence::line("workflow", 7));
            let [crossing] = inventory.crossings.as_slice() else { panic!() };
            assert_eq!(
                (crossing.admitted, &crossing.evidence),
                (Truth::Yes, &Evidence::pointer("policy", "/Statement/0"))
            );
        }
    }

    #[test]
    fn what_is_let_in_by_a_weak_condition_alone_is_let_in_weakly() {
        let inventory = linked(
            vec![bearer("job", Some("i"), "a:pr", "")],
            vec![acceptance("role", "i", "a:*", "repo-wide"), acceptance("role", "i", "a:main", "")],
            Vec::new(),
        );
        let [trust] = inventory.trusts.as_slice() else { panic!() };
        assert_eq!((trust.weak, &*trust.weakness, &*trust.constraint), (Truth::Yes, "repo-wide", "sub a:*"));
    }

    #[test]
    fn what_is_open_is_joined_and_not_certain() {
        let inventory =
            linked(vec![bearer("job", Some("i"), "open", "")], vec![acceptance("role", "i", "a", "")], Vec::new());
        assert_eq!((inventory.crossings[0].admitted, inventory.trusts.len()), (Truth::Unknown, 1));
        let inventory =
            linked(vec![bearer("job", Some("i"), "b", "")], vec![acceptance("role", "i", "a", "")], Vec::new());
        assert!(inventory.crossings.is_empty() && inventory.trusts.is_empty());
    }

    /// A trust from `job` in `role`, as the side of `job` or another one says it.
    fn of_role(source: &str, provider: &'static str, mechanism: Mechanism, weak: Truth) -> Trust {
        Trust {
            source: source.into(),
            target: "role".into(),
            provider: ProviderName(provider),
            mechanism,
            constraint: "annotation".into(),
            weak,
            weakness: "".into(),
            evidence: Evidence::whole("account"),
        }
    }

    #[test]
    fn a_trust_of_which_the_source_alone_was_read_is_graded_by_its_target_or_refused() {
        let annotated = || of_role("job", "cluster", Mechanism::Federation, Truth::Unknown);
        // That the issuer is not known makes the token uncertain, and the annotation certain again.
        let unsure = || Bearer { certain: false, ..bearer("job", None, "a:x", "") };
        let inventory = linked(vec![unsure()], vec![acceptance("role", "i", "a:*", "wide")], vec![annotated()]);
        let [trust] = inventory.trusts.as_slice() else { panic!("{:?}", inventory.trusts) };
        assert_eq!((trust.weak, &*trust.weakness, &*trust.constraint), (Truth::Yes, "wide", "annotation"));
        assert_eq!((inventory.crossings[0].admitted, inventory.hints.len()), (Truth::Yes, 0));

        let inventory = linked(vec![unsure()], vec![acceptance("role", "i", "b", "wide")], vec![annotated()]);
        assert_eq!((inventory.trusts.len(), inventory.hints.len()), (0, 1));
        assert_eq!(inventory.crossings[0].admitted, Truth::No);
    }

    #[test]
    fn a_target_that_was_read_and_accepts_no_tokens_refuses_them() {
        let annotated = || of_role("job", "cluster", Mechanism::Federation, Truth::Unknown);
        let own = of_role("service", "test", Mechanism::Service, Truth::No);
        for (trusts, left, hints) in [
            (vec![annotated(), own.clone()], vec!["service"], 1),
            // Another provider's word about it is not its own.
            (vec![annotated(), Trust { provider: ProviderName("other"), ..own.clone() }], vec!["job", "service"], 0),
            (vec![annotated()], vec!["job"], 0),
        ] {
            let inventory = linked(vec![bearer("job", None, "a:x", "")], Vec::new(), trusts);
            let sources: Vec<&str> = inventory.trusts.iter().map(|trust| &*trust.source).collect();
            assert_eq!((sources, inventory.hints.len(), inventory.crossings.len()), (left, hints, hints));
        }
    }

    #[test]
    fn what_the_target_did_not_say_stays_unknown() {
        let annotated = || of_role("job", "cluster", Mechanism::Federation, Truth::Unknown);
        let unread =
            linked(vec![bearer("job", None, "a", "")], vec![acceptance("else", "i", "a", "")], vec![annotated()]);
        assert_eq!(unread.trusts[0].weak, Truth::Unknown, "the target's side was not read");
    }
}
