//! Requests of `evenhand decide kubernetes`: any text is answered or refused, and the same text alike.
#![no_main]

use std::hint::black_box;
use std::sync::LazyLock;

use evenhand_kubernetes::point::Decider;
use evenhand_model::decide::Decides as _;

static DECIDER: LazyLock<Decider> = LazyLock::new(Decider::default);

libfuzzer_sys::fuzz_target!(|text: &str| {
    for line in text.lines() {
        let first = DECIDER.reply(line);
        // The second time the objects are known already.
        assert_eq!(first, DECIDER.reply(line));
        match first {
            Ok(answer) => {
                assert!(serde_json::from_slice::<serde_json::Value>(&answer).is_ok());
                drop(black_box(answer));
            }
            Err(refusal) => {
                assert!(!refusal.message.is_empty() && !refusal.remedy.is_empty());
                assert!(refusal.at.is_empty() || refusal.at.starts_with('/'));
            }
        }
    }
});
