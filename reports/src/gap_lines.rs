//! What was not read, each thing once: what is missing in forty accounts is one line, and what is not decided for want of it
//! names it by its number.

use std::cmp::Reverse;
use std::collections::HashMap;

use evenhand_model::gap::{Gap, GapKind, steps_to_know};

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

/// The gaps of a report in the order of their numbers: failures first, then what most checks wait for.
pub(crate) struct GapLines<'a> {
    lines: Vec<GapLine<'a>>,
    /// The line by what remedies say of a gap.
    places: HashMap<String, usize>,
}

/// What would decide a check.
pub(crate) enum Step<'t> {
    /// Reading this line of the gaps.
    Gap(usize),
    /// This.
    Advice(&'t str),
}

impl<'a> GapLines<'a> {
    /// `open`: the remedies of what is not decided, each with the number of its checks.
    pub(crate) fn of<'t>(gaps: &'a [Gap], open: impl Iterator<Item = (&'t str, usize)>) -> Self {
        let mut lines: Vec<GapLine<'a>> = Vec::new();
        let mut known: HashMap<(GapKind, &str, &str, String), usize> = HashMap::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for gap in gaps {
            let at = *known.entry((gap.kind, &gap.call, &gap.reason, gap.unknown())).or_insert_with(|| {
                lines.push(GapLine { gap, gaps: 0, scopes: Vec::new(), checks: 0 });
                lines.len() - 1
            });
            if let Some(line) = lines.get_mut(at) {
                line.gaps += 1;
                line.scopes.extend(gap.scope.as_ref().map(|scope| scope.as_str()));
            }
            places.entry(gap.remedy()).or_insert(at);
        }
        let mut unsorted = Self { lines, places };
        for (remedy, checks) in open {
            let mut cited = unsorted.cited(remedy);
            cited.dedup();
            for at in cited {
                if let Some(line) = unsorted.lines.get_mut(at) {
                    line.checks += checks;
                }
            }
        }
        let mut ranked: Vec<(usize, GapLine<'a>)> = unsorted.lines.into_iter().enumerate().collect();
        ranked.sort_by_key(|(_, line)| (line.gap.kind != GapKind::Failed, Reverse(line.checks)));
        let moved: HashMap<usize, usize> = ranked.iter().enumerate().map(|(now, (was, _))| (*was, now)).collect();
        let places =
            unsorted.places.into_iter().filter_map(|(remedy, was)| Some((remedy, *moved.get(&was)?))).collect();
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

    /// What the remedy of an undecided check asks for; any of it may tell.
    pub(crate) fn steps<'t>(&self, remedy: &'t str) -> Vec<Step<'t>> {
        let step = |step: &'t str| self.places.get(step).map_or(Step::Advice(step), |at| Step::Gap(*at));
        steps_to_know(remedy).into_iter().map(step).collect()
    }

    /// The lines that a remedy names, sorted.
    fn cited(&self, remedy: &str) -> Vec<usize> {
        let mut cited: Vec<usize> = self
            .steps(remedy)
            .into_iter()
            .filter_map(|step| match step {
                Step::Gap(at) => Some(at),
                Step::Advice(_) => None,
            })
            .collect();
        cited.sort_unstable();
        cited
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::gap::to_know;

    use super::*;

    fn gap(kind: GapKind, scope: &str, call: &str) -> Gap {
        Gap {
            provider: None,
            scope: Some(scope.into()),
            kind,
            call: call.into(),
            reason: "not part of the capture".into(),
            facts: Vec::new(),
        }
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
        let any = to_know(&[gaps[1].remedy(), "look there".to_owned()]);
        let lines = GapLines::of(&gaps, [(one.as_str(), 3), (any.as_str(), 2)].into_iter());
        let told: Vec<(&str, &[&str], usize)> =
            lines.lines.iter().map(|line| (&*line.gap.call, line.scopes.as_slice(), line.checks)).collect();
        assert_eq!(
            told,
            [("list roles", &["a"][..], 0), ("list keys", &["a", "b"][..], 5), ("list trails", &["a"][..], 0)]
        );
        assert!(matches!(lines.steps(&any).as_slice(), [Step::Gap(1), Step::Advice("look there")]));
        assert!(matches!(lines.steps(&to_know(&["ask".to_owned()])).as_slice(), [Step::Advice("ask")]));
    }
}
