//! When a call that failed is made again, and what is said of the failure.

use std::time::Duration;

/// No wait between two tries is longer.
const LONGEST: Duration = Duration::from_secs(20);

/// The wait before the next try: twice as long as the one before, up to a limit, and of random length, so that many
/// callers do not come back at the same time.
pub fn wait(first: Duration, tries: u32) -> Duration {
    let longest = first.saturating_mul(1_u32.checked_shl(tries).unwrap_or(u32::MAX)).min(LONGEST);
    longest.mul_f64(0.5 + 0.5 * fastrand::f64())
}

/// An error with what caused it, in one line.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    // Some causes are lists of several lines.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_somewhere() {
        let first = Duration::from_millis(200);
        for tries in [0, 1, 5, 31, 32, 90] {
            let longest = first.saturating_mul(1_u32.checked_shl(tries).unwrap_or(u32::MAX)).min(LONGEST);
            let held = wait(first, tries);
            assert!(held <= longest && held >= longest / 2, "{tries}: {held:?}");
        }
    }
}
