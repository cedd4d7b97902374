//! What was not read, each thing once: what is missing in forty accounts is one line, and what is not decided for want of it
//! names it by its number.

use std::cmp::Reverse;
use std::collections::HashMap;

use evenhand_model::gap::{Gap, GapKind, steps_to_know};
use evenhand_model::id::ProviderName;

/// A thing that was not read, wherever that is.
pub(crate) struct GapLine<'a> {
    /// One of its gaps; the others differ in their scope alone.
    pub(crate) gap: &'a Gap,
    /// How many there are.
    pub(crate) gaps: usize,
    pub(crate) scopes: Vec<&'a str>,
    /// The undecided checks that wait for it, or for it among others.
    pub(crate) checks: usize,
}

/// Undecided checks of one provider that have one remedy.
pub(crate) struct Open<'t> {
    pub(crate) provider: ProviderName,
    pub(crate) remedy: &'t str,
    pub(crate) checks: usize,
}

/// The gaps of a report in the order of their numbers: failures first, then what most checks wait for.
pub(crate) struct GapLines<'a> {
    lines: Vec<GapLine<'a>>,
    /// The lines by what remedies of checks of a provider say of a gap: of several kinds or facts where it left out both.
    places: HashMap<Option<ProviderName>, HashMap<String, Vec<usize>>>,
}

/// What would decide a check; any of it may tell.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Steps<'t> {
    /// Reading one of these lines of the gaps, each once and in their order.
    pub(crate) gaps: Vec<usize>,
    /// Or one of these, each once.
    pub(crate) advice: Vec<&'t str>,
}

impl<'a> GapLines<'a> {
    /// `open`: what is not decided.
    pub(crate) fn of<'t>(gaps: &'a [Gap], open: impl Iterator<Item = Open<'t>>) -> Self {
        let mut lines: Vec<GapLine<'a>> = Vec::new();
        let mut known = HashMap::new();
        let mut places: HashMap<Option<ProviderName>, HashMap<String, Vec<usize>>> = HashMap::new();
        for gap in gaps {
            let key = (gap.provider, gap.kind, &*gap.call, &*gap.reason, gap.unknown());
            let at: usize = *known.entry(key).or_insert_with(|| {
                lines.push(GapLine { gap, gaps: 0, scopes: Vec::new(), checks: 0 });
                lines.len() - 1
            });
            if let Some(line) = lines.get_mut(at) {
                line.gaps += 1;
                line.scopes.extend(gap.scope.as_ref().map(|scope| scope.as_str()));
            }
            let held = places.entry(gap.provider).or_default().entry(gap.remedy()).or_default();
            if !held.contains(&at) {
                held.push(at);
            }
        }
        let mut unsorted = Self { lines, places };
        for Open { provider, remedy, checks } in open {
            for at in unsorted.steps(provider, remedy).gaps {
                if let Some(line) = unsorted.lines.get_mut(at) {
                    line.checks += checks;
                }
            }
        }
        let mut ranked: Vec<(usize, GapLine<'a>)> = unsorted.lines.into_iter().enumerate().collect();
        ranked.sort_by_key(|(_, line)| (line.gap.kind != GapKind::Failed, Reverse(line.checks)));
        let moved: HashMap<usize, usize> = ranked.iter().enumerate().map(|(now, (was, _))| (*was, now)).collect();
        let mut places = unsorted.places;
        for at in places.values_mut().flat_map(HashMap::values_mut).flatten() {
            *at = moved.get(&*at).copied().unwrap_or(*at);
        }
        Self { lines: ranked.into_iter().map(|(_, line)| line).collect(), places }
    }

    /// The lines of a kind with their places among all.
    pub(crate) fn of_kind(&self, kind: GapKind) -> Vec<(usize, &GapLine<'a>)> {
        self.lines.iter().enumerate().filter(|(_, line)| line.gap.kind == kind).collect()
    }

    /// Whether any check waits for any of them.
    pub(crate) fn are_waited_for(&self) -> bool {
        self.lines.iter().any(|line| line.checks > 0)
    }

    /// What the remedy of an undecided check of a provider asks for.
    pub(crate) fn steps<'t>(&self, provider: ProviderName, remedy: &'t str) -> Steps<'t> {
        let mut steps = Steps { gaps: Vec::new(), advice: Vec::new() };
        for step in steps_to_know(remedy) {
            match self.places.get(&Some(provider)).and_then(|places| places.get(step)) {
                Some(lines) => steps.gaps.extend(lines),
                None if steps.advice.contains(&step) => {}
                None => steps.advice.push(step),
            }
        }
        steps.gaps.sort_unstable();
        steps.gaps.dedup();
        steps
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::gap::{Lost, to_know};

    use super::*;

    const CLOUD: ProviderName = ProviderName("cloud");

    fn gap(kind: GapKind, scope: &str, call: &str) -> Gap {
        Gap {
            provider: Some(CLOUD),
            scope: Some(scope.into()),
            kind,
            call: call.into(),
            reason: "not part of the capture".into(),
            facts: Vec::new(),
        }
    }

    fn open(remedy: &str, checks: usize) -> Open<'_> {
        Open { provider: CLOUD, remedy, checks }
    }

    #[test]
    fn a_gap_is_one_line_wherever_it_is_and_what_most_wait_for_comes_first() {
        let absent = |scope: &str, call: &str| gap(GapKind::NotCollected, scope, call);
        let gaps = [
            absent("a", "list trails"),
            absent("a", "list keys"),
            absent("b", "list keys"),
            gap(GapKind::Failed, "a", "list roles"),
        ];
        let one = to_know(&[gaps[2].remedy()]);
        let any = to_know(&[gaps[1].remedy(), "look there".to_owned(), gaps[2].remedy()]);
        let lines = GapLines::of(&gaps, [open(&one, 3), open(&any, 2)].into_iter());
        let told: Vec<(&str, &[&str], usize)> =
            lines.lines.iter().map(|line| (&*line.gap.call, line.scopes.as_slice(), line.checks)).collect();
        assert_eq!(
            told,
            [("list roles", &["a"][..], 0), ("list keys", &["a", "b"][..], 5), ("list trails", &["a"][..], 0)]
        );
        assert_eq!(lines.steps(CLOUD, &any), Steps { gaps: vec![1], advice: vec!["look there"] });
        let ask = to_know(&["ask".to_owned()]);
        assert_eq!(lines.steps(CLOUD, &ask), Steps { gaps: Vec::new(), advice: vec!["ask"] });
    }

    #[test]
    fn checks_wait_for_each_gap_that_their_remedy_names_and_for_none_of_another_provider() {
        let of = |provider, words: &'static str| Gap {
            provider: Some(ProviderName(provider)),
            facts: vec![Lost::of(words, &[])],
            ..gap(GapKind::NotCollected, "a", "list keys")
        };
        let gaps = [of("other", "keys"), of("cloud", "keys"), of("cloud", "use")];
        let remedy = to_know(&[gaps[0].remedy()]);
        let lines = GapLines::of(&gaps, [open(&remedy, 2)].into_iter());
        assert_eq!(lines.steps(CLOUD, &remedy).gaps, [0, 1]);
        let told: Vec<_> =
            lines.lines.iter().map(|line| (line.gap.provider.map_or("", |of| of.0), line.checks)).collect();
        assert_eq!(told, [("cloud", 2), ("cloud", 2), ("other", 0)]);
    }
}
