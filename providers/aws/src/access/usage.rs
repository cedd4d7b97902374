//! Which operations were used lately, as far as the vendor's report of last access tells.

use evenhand_model::Timestamp;
use evenhand_model::opset::OpSet;
use jiff::SignedDuration;

use crate::catalog::Catalogue;
use crate::world::ServiceUse;

/// What counts as lately: the model asks for 90 days.
const LATELY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The operations that may have been used.
///
/// The report knows all services but only some actions of each. An action that it does not track may have been used
/// whenever its service was; only what is known to be unused is left out.
pub(super) fn used(uses: &[ServiceUse], now: Timestamp) -> OpSet {
    let catalogue = Catalogue::global();
    let lately = |last: Option<Timestamp>| last.is_some_and(|last| now.duration_since(last) <= LATELY);
    let set = |texts: &mut dyn Iterator<Item = String>| {
        let mut ranges = Vec::new();
        for text in texts {
            catalogue.match_action(&text, &mut ranges);
        }
        OpSet::from_ranges(ranges)
    };
    let mut used = OpSet::default();
    for service in uses.iter().filter(|service| lately(service.last)) {
        let name = &service.service;
        let all = set(&mut std::iter::once(format!("{name}:*")));
        let idle = service.actions.iter().filter(|(_, last)| !lately(*last));
        let idle = set(&mut idle.map(|(action, _)| format!("{name}:{action}")));
        used = used.union(&all.difference(&idle));
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_unused_is_left_out() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let uses = [
            ServiceUse {
                service: "s3".into(),
                last: at("2026-10-20T00:00:00Z"),
                actions: vec![("DeleteBucket".into(), None), ("CreateBucket".into(), at("2026-10-20T00:00:00Z"))],
            },
            ServiceUse { service: "ec2".into(), last: at("2025-01-01T00:00:00Z"), actions: Vec::new() },
            ServiceUse { service: "sqs".into(), last: None, actions: Vec::new() },
        ];
        let used = used(&uses, "2026-11-01T00:00:00Z".parse().unwrap());
        let holds = |name: &str| used.contains(Catalogue::global().operation(name).unwrap());
        assert!(holds("s3:CreateBucket") && holds("s3:GetObject"), "used, or not tracked");
        assert!(!holds("s3:DeleteBucket") && !holds("ec2:RunInstances") && !holds("sqs:SendMessage"));
    }
}
