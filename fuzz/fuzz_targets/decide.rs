//! Requests of `evenhand decide aws`: any text is answered or refused, and the same text alike, in either mode.
#![no_main]

use std::hint::black_box;
use std::sync::LazyLock;

use evenhand_aws::point::Decider;

static DECIDER: LazyLock<Decider> = LazyLock::new(Decider::default);

libfuzzer_sys::fuzz_target!(|text: &str| {
    for line in text.lines() {
        let first = DECIDER.answer(line);
        // The second time the policies are known already.
        assert_eq!(first, DECIDER.answer(line));
        match first {
            Ok(answer) => drop(black_box(serde_json::to_vec(&answer))),
            Err(refusal) => {
                assert!(!refusal.message.is_empty() && !refusal.remedy.is_empty());
                assert!(refusal.at.is_empty() || refusal.at.starts_with('/'));
            }
        }
        drop(black_box(DECIDER.answer(&line.replacen('{', "{\"mode\":\"discover\",", 1))));
    }
});
