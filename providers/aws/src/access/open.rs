//! What a decision hangs on, as a formula: to be told in full, and without what cannot change the decision.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::evidence::Truth;

use super::answer::{Layer, Match};

/// What grants and limits are put together with.
pub(super) trait Logic: Clone {
    fn never() -> Self;
    #[must_use]
    fn and(self, other: Self) -> Self;
    #[must_use]
    fn or(self, other: Self) -> Self;
}

impl Logic for Truth {
    fn never() -> Self {
        Self::No
    }

    fn and(self, other: Self) -> Self {
        Self::and(self, other)
    }

    fn or(self, other: Self) -> Self {
        Self::or(self, other)
    }
}

/// What must be so for something to hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Open {
    /// A statement that may match; the way it is told and the keys that it is left open by.
    One { layer: Layer, text: String, keys: BTreeSet<Arc<str>> },
    /// Each of these. None: it holds.
    All(Vec<Self>),
    /// One of these. None: it cannot hold.
    Any(Vec<Self>),
}

impl Logic for Open {
    fn never() -> Self {
        Self::Any(Vec::new())
    }

    fn and(self, other: Self) -> Self {
        if self == Self::never() || other == Self::never() {
            return Self::never();
        }
        let mut parts = self.conjuncts();
        parts.extend(other.conjuncts());
        Self::one_of_each(parts, Self::disjuncts, Self::All)
    }

    fn or(self, other: Self) -> Self {
        if self == Self::always() || other == Self::always() {
            return Self::always();
        }
        let mut parts = self.disjuncts();
        parts.extend(other.disjuncts());
        Self::one_of_each(parts, Self::conjuncts, Self::Any)
    }
}

impl Open {
    pub(super) fn always() -> Self {
        Self::All(Vec::new())
    }

    /// What a statement that allows needs.
    pub(super) fn allow(layer: Layer, found: &Match) -> Self {
        match found.holds {
            Truth::Yes => Self::always(),
            Truth::No => Self::never(),
            Truth::Unknown => Self::One { layer, text: found.open.clone(), keys: found.keys.clone() },
        }
    }

    /// What must be so for a statement not to deny.
    pub(super) fn escape(layer: Layer, found: &Match) -> Self {
        match found.holds {
            Truth::Yes => Self::never(),
            Truth::No => Self::always(),
            Truth::Unknown => Self::One { layer, text: format!("unless ({})", found.open), keys: found.keys.clone() },
        }
    }

    fn conjuncts(self) -> Vec<Self> {
        match self {
            Self::All(parts) => parts,
            other => vec![other],
        }
    }

    fn disjuncts(self) -> Vec<Self> {
        match self {
            Self::Any(parts) => parts,
            other => vec![other],
        }
    }

    /// Parts put together, without those that another one makes superfluous: `x or (x and y)` is `x`, as is
    /// `x and (x or y)`.
    fn one_of_each(parts: Vec<Self>, inner: fn(Self) -> Vec<Self>, whole: fn(Vec<Self>) -> Self) -> Self {
        let mut kept: Vec<(Self, Vec<Self>)> = Vec::with_capacity(parts.len());
        for part in parts {
            let own = inner(part.clone());
            let within = |a: &[Self], b: &[Self]| a.iter().all(|one| b.contains(one));
            if kept.iter().any(|(_, held)| within(held, &own)) {
                continue;
            }
            kept.retain(|(_, held)| !within(&own, held));
            kept.push((part, own));
        }
        let mut parts: Vec<Self> = kept.into_iter().map(|(part, _)| part).collect();
        match parts.len() {
            1 => parts.pop().unwrap_or_else(|| whole(Vec::new())),
            _ => whole(parts),
        }
    }

    /// Adds what must be so, a text for each part that is needed, and the context keys in it.
    pub(super) fn told(self, conditions: &mut Vec<String>, keys: &mut BTreeSet<Arc<str>>) {
        self.add_keys(keys);
        conditions.extend(self.conjuncts().iter().map(Self::text).filter(|text| !text.is_empty()));
    }

    fn add_keys(&self, keys: &mut BTreeSet<Arc<str>>) {
        match self {
            Self::One { keys: own, .. } => keys.extend(own.iter().cloned()),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.add_keys(keys)),
        }
    }

    /// The layer, where it is the same in all parts.
    fn layer(&self) -> Option<Layer> {
        match self {
            Self::One { layer, .. } => Some(*layer),
            Self::All(parts) | Self::Any(parts) => {
                let first = parts.first()?.layer()?;
                parts.iter().all(|part| part.layer() == Some(first)).then_some(first)
            }
        }
    }

    /// For people; the layer is told once where there is only one.
    fn text(&self) -> String {
        match self.layer() {
            Some(Layer::Identity) | None => self.inner(self.layer()),
            Some(layer) => format!("{}: {}", layer.as_str(), self.inner(Some(layer))),
        }
    }

    /// For people, where the layer was told already.
    fn inner(&self, told: Option<Layer>) -> String {
        let one = |part: &Self| if told.is_some() { part.inner(told) } else { part.text() };
        match self {
            Self::One { text, .. } => text.clone(),
            Self::Any(parts) => parts.iter().map(one).collect::<Vec<_>>().join("; or "),
            Self::All(parts) => {
                let grouped = |part: &Self| match part {
                    Self::Any(_) => format!("({})", one(part)),
                    Self::One { .. } | Self::All(_) => one(part),
                };
                parts.iter().map(grouped).collect::<Vec<_>>().join(" and ")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(layer: Layer, key: &str) -> Open {
        Open::One { layer, text: format!("{key} is set"), keys: BTreeSet::from([Arc::from(key)]) }
    }

    fn told(open: Open) -> (Vec<String>, Vec<String>) {
        let (mut conditions, mut keys) = (Vec::new(), BTreeSet::new());
        open.told(&mut conditions, &mut keys);
        (conditions, keys.iter().map(|key| key.to_string()).collect())
    }

    #[test]
    fn what_cannot_change_the_outcome_is_not_told() {
        let (x, y, z) = (one(Layer::Identity, "x"), one(Layer::Resource, "y"), one(Layer::Boundary, "z"));
        for (open, conditions, keys) in [
            (x.clone().or(Open::never()), vec!["x is set"], vec!["x"]),
            (x.clone().and(Open::never()), vec![], vec![]),
            (x.clone().or(Open::always()).and(z.clone()), vec!["boundary: z is set"], vec!["z"]),
            (x.clone().or(x.clone().and(y.clone())), vec!["x is set"], vec!["x"]),
            (x.clone().and(y.clone()).or(x.clone()), vec!["x is set"], vec!["x"]),
            (x.clone().and(x.clone().or(y.clone())), vec!["x is set"], vec!["x"]),
            (x.clone().or(y.clone()), vec!["x is set; or resource: y is set"], vec!["x", "y"]),
            (
                x.clone().and(z.clone()).or(y.clone()),
                vec!["x is set and boundary: z is set; or resource: y is set"],
                vec!["x", "y", "z"],
            ),
            (
                x.clone().or(y.clone()).and(z.clone()),
                vec!["x is set; or resource: y is set", "boundary: z is set"],
                vec!["x", "y", "z"],
            ),
            (y.clone().or(one(Layer::Resource, "w")), vec!["resource: y is set; or w is set"], vec!["w", "y"]),
        ] {
            let (found, found_keys) = told(open);
            assert_eq!(
                (found, found_keys),
                (
                    conditions.into_iter().map(str::to_owned).collect::<Vec<_>>(),
                    keys.into_iter().map(str::to_owned).collect::<Vec<_>>(),
                )
            );
        }
    }
}
