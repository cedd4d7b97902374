//! The job function in a name: which human role an AI identity's name speaks of.
//!
//! A name is cut into words at everything that is no letter or digit and at changes of case. Words that say what kind of
//! thing it is, who uses it, where or in which stage it runs, or how much it may do, are dropped, and so are words with
//! a digit, single letters, the provider's own name, and words that more than half of all names of the provider carry
//! (the organisation's name). What is left speaks of the job. Two words mean the same if they agree in their first six
//! letters: `responder` and `response`, `procure` and `procurement`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use evenhand_model::evidence::Fact;
use evenhand_model::id::{ProviderName, ScopeId};
use evenhand_model::identity::Identity;
use rayon::prelude::*;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// A word that more roles than this carry tells none of them apart.
const MAX_CARRIERS: usize = 256;

/// With fewer names nothing can be said about words that all carry.
const MIN_NAMES: usize = 4;

const LETTERS: usize = 6;

/// Words that say nothing about a job: what kind of thing it is; who uses it; where and in which stage it runs; how much
/// it may do; and words between words.
const STOP_WORDS: [&str; 5] = [
    "access account accounts acct agent agentic agents ai app application apps assistant auto automated automation \
     autonomous bot bots client copilot exec execution group groups identity instance job jobs llm mcp model permission \
     permissions policy principal profile reserved role roles runner runtime sa server service services set sso svc \
     system task tasks tool tools user users worker workers workload",
    "admin administrator administrators admins analyst analysts company corp employee employees engineer engineers human \
     humans inc lead leads manager managers member members operator operators org people person specialist specialists \
     staff team teams",
    "af amer ap apac ca central cluster cn default dev development east emea eu external global il internal live main me \
     north northeast northwest prod production qa region sandbox shared south southeast southwest stage staging test \
     testing us west",
    "all basic custom full limited managed only power read readonly standard view write",
    "an and are as at be by can for from in into is it its of on or our that the their them this to with",
];

static STOPPED: LazyLock<HashSet<&str, foldhash::fast::FixedState>> =
    LazyLock::new(|| STOP_WORDS.iter().flat_map(|words| words.split_ascii_whitespace()).collect());

/// A word of a name: what it is compared by, and itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Word {
    key: String,
    pub(crate) text: String,
}

/// The words of a name that speak of a job, sorted, each once.
pub(crate) fn words(name: &str, provider: ProviderName) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    for text in evenhand_model::words::words(name) {
        let spoken = text.chars().count() > 1 && !text.chars().any(|c| c.is_ascii_digit());
        if spoken && text != provider.0 && !STOPPED.contains(&*text) {
            found.push(Word { key: text.chars().take(LETTERS).collect(), text });
        }
    }
    found.sort();
    found.dedup_by(|a, b| a.key == b.key);
    found
}

/// How often words occur in the names of a provider.
#[derive(Default)]
struct Counts {
    names: usize,
    carried: BTreeMap<String, usize>,
}

/// Human roles by the words of their names.
pub(crate) struct NameIndex<'a> {
    here: Map<(ProviderName, &'a ScopeId, String), Vec<&'a Identity>>,
    anywhere: Map<(ProviderName, String), Vec<&'a Identity>>,
    /// Words that more than half of the provider's names carry.
    common: Map<ProviderName, Vec<String>>,
}

impl<'a> NameIndex<'a> {
    /// Indexes human roles; the names of AI identities only help to tell words that all names carry.
    pub(crate) fn new(roles: &[&'a Identity], ai: &[&'a Identity]) -> Self {
        let mut index = Self { here: Map::default(), anywhere: Map::default(), common: Map::default() };
        let mut counts: BTreeMap<ProviderName, Counts> = BTreeMap::new();
        let named: Vec<(&Identity, bool)> =
            roles.iter().map(|role| (*role, true)).chain(ai.iter().map(|agent| (*agent, false))).collect();
        let spoken: Vec<Vec<Word>> =
            named.par_iter().map(|(identity, _)| words(&identity.name, identity.provider)).collect();
        for ((identity, role), spoken) in named.into_iter().zip(spoken) {
            let counts = counts.entry(identity.provider).or_default();
            counts.names += 1;
            for word in spoken {
                match counts.carried.get_mut(&word.key) {
                    Some(count) => *count += 1,
                    None => {
                        counts.carried.insert(word.key.clone(), 1);
                    }
                }
                if role {
                    let place = (identity.provider, &identity.scope, word.key.clone());
                    index.here.entry(place).or_default().push(identity);
                    index.anywhere.entry((identity.provider, word.key)).or_default().push(identity);
                }
            }
        }
        for (provider, Counts { names, carried }) in counts {
            if names >= MIN_NAMES {
                let common = carried.into_iter().filter(|(_, count)| count * 2 > names).map(|(key, _)| key).collect();
                index.common.insert(provider, common);
            }
        }
        index
    }

    /// The one human role whose name shares most job words with an identity's name, and these words.
    ///
    /// Roles in the given scopes come first, then roles elsewhere in the provider. The purpose helps where the name alone
    /// names none or several. Two roles that share equally many words are no match.
    pub(crate) fn role_for(
        &self,
        identity: &Identity,
        provider: ProviderName,
        scopes: &[ScopeId],
    ) -> Option<(&'a Identity, Vec<String>)> {
        let common = self.common.get(&provider).map_or(&[][..], Vec::as_slice);
        let spoken = |text: &str| {
            let mut found = words(text, provider);
            found.retain(|word| !common.contains(&word.key));
            found
        };
        let name = spoken(&identity.name);
        let mut with_purpose = name.clone();
        if let Fact::Known(purpose) = &identity.purpose {
            with_purpose.extend(spoken(purpose));
            with_purpose.sort();
            with_purpose.dedup_by(|a, b| a.key == b.key);
        }
        let wordings = if with_purpose == name { vec![name] } else { vec![name, with_purpose] };
        let here = |word: &Word| {
            let carriers = |scope| self.here.get(&(provider, scope, word.key.clone()));
            scopes.iter().filter_map(carriers).map(Vec::as_slice).collect::<Vec<_>>()
        };
        let anywhere = |word: &Word| {
            self.anywhere.get(&(provider, word.key.clone())).map(Vec::as_slice).into_iter().collect::<Vec<_>>()
        };
        wordings
            .iter()
            .find_map(|wording| unique_best(wording, here))
            .or_else(|| wordings.iter().find_map(|wording| unique_best(wording, anywhere)))
    }
}

/// The one role that carries most of the words, looked up in lists of the roles that carry a word.
fn unique_best<'i, 'a: 'i>(
    wording: &[Word],
    carriers: impl Fn(&Word) -> Vec<&'i [&'a Identity]>,
) -> Option<(&'a Identity, Vec<String>)> {
    let mut shared: BTreeMap<&str, (&Identity, Vec<String>)> = BTreeMap::new();
    for word in wording {
        let lists = carriers(word);
        if lists.iter().map(|list| list.len()).sum::<usize>() > MAX_CARRIERS {
            continue;
        }
        for role in lists.into_iter().flatten() {
            shared.entry(role.id.as_str()).or_insert((role, Vec::new())).1.push(word.text.clone());
        }
    }
    let most = shared.values().map(|(_, words)| words.len()).max()?;
    let mut best = shared.into_values().filter(|(_, words)| words.len() == most);
    let first = best.next()?;
    best.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use evenhand_model::evidence::Evidence;

    use super::*;

    const TOY: ProviderName = ProviderName("toy");

    fn identity(scope: &str, name: &str) -> Identity {
        Identity::new(format!("{scope}/{name}").into(), TOY, scope.into(), "role", name, Evidence::whole("d"))
    }

    #[test]
    fn words_of_a_name_are_those_that_speak_of_the_job() {
        for (name, expected) in [
            ("prod-incident-response-agent", vec!["incident", "response"]),
            ("CustomerSupportEngineers", vec!["customer", "support"]),
            ("TOYReservedSSO_SupportRole_0a1b2c3d4e5f6a7b", vec!["support"]),
            ("eu-west-1-bot", vec![]),
            ("team-a", vec![]),
        ] {
            let found: Vec<String> = words(name, TOY).into_iter().map(|word| word.text).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn a_role_is_found_by_its_job_word_and_only_if_it_is_the_only_one() {
        let roles = [
            identity("a", "acme-incident-responder"),
            identity("a", "acme-delivery"),
            identity("a", "acme-procurement"),
            identity("b", "acme-billing"),
            identity("b", "acme-support-first"),
            identity("b", "acme-support-second"),
        ];
        let refs: Vec<&Identity> = roles.iter().collect();
        let index = NameIndex::new(&refs, &[]);
        for (agent, expected) in [
            ("acme-incident-response-agent", Some("a/acme-incident-responder")),
            ("acme-procure-bot", Some("a/acme-procurement")),
            ("acme-billing-agent", Some("b/acme-billing")),
            // two roles, equally near
            ("acme-support-agent", None),
            // nothing but the organisation's name is shared
            ("acme-research-agent", None),
        ] {
            let agent = identity("a", agent);
            let found = index.role_for(&agent, TOY, std::slice::from_ref(&agent.scope));
            assert_eq!(found.map(|(role, _)| role.id.as_str()), expected, "{}", agent.name);
        }
    }

    #[test]
    fn the_purpose_decides_where_the_name_says_nothing() {
        let roles = [identity("a", "delivery"), identity("a", "procurement")];
        let refs: Vec<&Identity> = roles.iter().collect();
        let index = NameIndex::new(&refs, &[]);
        let mut agent = identity("a", "agent-7");
        agent.purpose = Fact::Known("prepares the delivery of releases".into());
        let found = index.role_for(&agent, TOY, std::slice::from_ref(&agent.scope));
        assert_eq!(found.map(|(role, _)| role.id.as_str()), Some("a/delivery"));
    }
}
