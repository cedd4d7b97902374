//! Sets of actions in as few texts as match these actions and no others of the catalogue.

use std::sync::Arc;

use evenhand_model::catalog::Catalog;
use evenhand_model::opset::{OpSet, OperationIx};

use super::Catalogue;

impl Catalogue {
    /// Names and wildcards that together match a set of actions and nothing else that the catalogue knows. Where the vendor
    /// adds actions later, a wildcard matches those of them that begin alike, so each begins with all that its actions
    /// have in common.
    pub(crate) fn exact(&self, operations: &OpSet) -> Vec<Arc<str>> {
        if operations.len() == self.names.len() {
            return vec![Arc::from("*")];
        }
        let mut texts = Vec::new();
        let mut services = self.services.iter().peekable();
        for (start, end) in operations.ranges().iter().copied() {
            let mut at = start;
            while at < end {
                while services.next_if(|service| service.end <= at).is_some() {}
                let Some(service) = services.peek() else { break };
                let next = self.alike(at, end.min(service.end), service.prefix.len() + 1);
                texts.push(self.beginning(at, next));
                at = next;
            }
        }
        texts
    }

    /// The end of the longest run from an action on that begins alike and with which nothing before it or from `end` on
    /// begins. `head`: the length of the service with its colon, with which no wildcard may do away.
    fn alike(&self, at: u32, end: u32, head: usize) -> u32 {
        let from = at as usize;
        let name = |at: usize| self.lower.get(at).map_or("", |name| &**name);
        let all = self.lower.get(from..).unwrap_or_default();
        let first = name(from);
        for length in head..first.len() {
            let Some(beginning) = first.get(..length) else { continue };
            let count = all.partition_point(|name| name.starts_with(beginning));
            let until = u32::try_from(from + count).unwrap_or(u32::MAX);
            let is_shared = from.checked_sub(1).is_some_and(|before| name(before).starts_with(beginning));
            if !is_shared && until <= end {
                return until;
            }
        }
        // Its whole name may be how others begin.
        let count = all.partition_point(|name| name.starts_with(first));
        let until = u32::try_from(from + count).unwrap_or(u32::MAX);
        if until <= end { until } else { at + 1 }
    }

    /// The name of one action, or what several neighbours have in common with a wildcard.
    fn beginning(&self, start: u32, end: u32) -> Arc<str> {
        let name = self.name(OperationIx(start));
        if end <= start + 1 {
            return name;
        }
        let lower = |at: u32| self.lower.get(at as usize).map_or("", |name| &**name);
        // They are sorted, so what the first and the last have in common all have.
        let common = lower(start).bytes().zip(lower(end - 1).bytes()).take_while(|(a, b)| a == b).count();
        format!("{}*", name.get(..common).unwrap_or(&name)).into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(patterns: &[&str]) -> Vec<String> {
        let catalogue = Catalogue::global();
        let set = patterns.iter().fold(OpSet::new(), |all, pattern| all.union(&catalogue.expand(pattern)));
        catalogue.exact(&set).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_begins_alike_is_one_text_and_what_does_not_is_named() {
        assert_eq!(exact(&["*"]), ["*"]);
        assert_eq!(exact(&["ec2:Describe*"]), ["ec2:Describe*"]);
        assert_eq!(exact(&["s3:GetObject"]), ["s3:GetObject"], "others begin with the same letters");
        assert_eq!(exact(&[]), [""; 0]);
        // Of a whole service nothing is named.
        assert!(exact(&["sqs:*"]).iter().all(|text| text == "sqs:*"));
    }

    #[test]
    fn a_wildcard_begins_with_all_that_its_actions_have_in_common() {
        for text in exact(&["iam:*", "ec2:Describe*", "kms:Decrypt"]) {
            let Some(beginning) = text.strip_suffix('*') else { continue };
            let longer = Catalogue::global().expand(&text);
            let name = Catalogue::global().name(longer.first().expect("an action"));
            let next: String = name.chars().take(beginning.len() + 1).collect();
            assert_ne!(Catalogue::global().expand(&format!("{next}*")), longer, "{text} could say more");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_texts_of_a_set_match_it_exactly(
            ranges in proptest::collection::vec((0_u32..25_000, 1_u32..400), 0..40),
        ) {
            let catalogue = Catalogue::global();
            let all = OpSet::all(catalogue.len());
            let set = OpSet::from_ranges(ranges.into_iter().map(|(start, length)| (start, start + length)));
            let set = set.intersection(&all);
            let texts = catalogue.exact(&set);
            prop_assert!(texts.len() <= set.len());
            prop_assert_eq!(catalogue.all_of(texts.iter().map(|text| &**text)), set);
        }
    }
}
