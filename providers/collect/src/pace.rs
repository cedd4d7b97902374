//! When a call that failed is made again, and what is said of the failure.

use std::time::Duration;

use evenhand_model::refusal::{Refusal, Why};

use crate::Stop;

/// A try that brought no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// The code, and which kind of failure it is.
    pub refusal: Refusal,
    /// The wait that the vendor asks for.
    pub after: Option<Duration>,
    /// The cause in words, for people.
    pub detail: Option<String>,
}

impl Trouble {
    /// A failure with its cause in words.
    pub fn new(code: impl Into<String>, why: Why, detail: Option<String>) -> Self {
        Self { refusal: Refusal::new(code, why), after: None, detail }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, after: None, detail: None }
    }
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoAnswer {
    /// The collection ends.
    Stopped,
    /// It was refused, or failed.
    Refused(Trouble),
}

impl From<Trouble> for NoAnswer {
    fn from(trouble: Trouble) -> Self {
        Self::Refused(trouble)
    }
}

impl From<Refusal> for NoAnswer {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

/// How often a call is made at most.
#[derive(Clone, Copy, Debug)]
pub struct Tries {
    /// While the vendor asks to come back later.
    pub throttled: u32,
    /// After a failure that may pass.
    pub failed: u32,
    /// After an answer that cannot be understood.
    pub malformed: u32,
    /// The longest wait that the vendor may ask for.
    pub longest: Duration,
}

impl Tries {
    /// How often a call is made at most that ends like this.
    pub fn of(self, why: Why) -> u32 {
        match why {
            Why::Throttled => self.throttled,
            Why::Failed => self.failed,
            Why::Malformed => self.malformed,
            // Once more, with fresh credentials.
            Why::Expired => 2,
            Why::Refused | Why::Unsupported => 1,
        }
    }
}

/// Tries until there is an answer, or no hope of one. Between two tries it waits, for as long as the vendor asks and
/// some more, from `first_wait` on. Each kind of failure has tries of its own: what failed once for the vendor's fault may
/// still be made again with fresh credentials.
///
/// # Errors
/// Those of the last try.
pub async fn retried<T, F: Future<Output = Result<Result<T, Trouble>, NoAnswer>>>(
    stop: &Stop,
    tries: Tries,
    first_wait: Duration,
    mut once: impl FnMut() -> F,
) -> Result<T, NoAnswer> {
    let (mut tried, mut of_kind) = (0_u32, Vec::<(Why, u32)>::new());
    loop {
        let trouble = match once().await? {
            Ok(answer) => return Ok(answer),
            Err(trouble) => trouble,
        };
        let why = trouble.refusal.why;
        tried += 1;
        let alike = match of_kind.iter_mut().find(|(kind, _)| *kind == why) {
            Some((_, alike)) => {
                *alike += 1;
                *alike
            }
            None => {
                of_kind.push((why, 1));
                1
            }
        };
        if alike >= tries.of(why) {
            return Err(trouble.into());
        }
        let asked = trouble.after.unwrap_or_default().min(tries.longest);
        stop.or(tokio::time::sleep(asked + wait(first_wait, tried))).await.ok_or(NoAnswer::Stopped)?;
    }
}

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

    fn tried(why: Why, good: u32) -> (Result<u32, NoAnswer>, u32) {
        tried_with(|_| why, good)
    }

    /// Fails in a kind of its own each time.
    fn tried_with(why: impl Fn(u32) -> Why, good: u32) -> (Result<u32, NoAnswer>, u32) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let tries = Tries { throttled: 5, failed: 3, malformed: 1, longest: Duration::ZERO };
        let stop = crate::Stopper::default().watch(None);
        let mut made = 0;
        let done = runtime.block_on(retried(&stop, tries, Duration::from_micros(1), || {
            made += 1;
            let answer = if made == good { Ok(made) } else { Err(Refusal::new("Code", why(made)).into()) };
            async move { Ok(answer) }
        }));
        (done, made)
    }

    #[test]
    fn a_call_is_made_again_as_long_as_there_is_hope() {
        for (why, most) in
            [(Why::Throttled, 5), (Why::Failed, 3), (Why::Expired, 2), (Why::Malformed, 1), (Why::Refused, 1)]
        {
            assert_eq!(tried(why, most), (Ok(most), most));
            let (failed, made) = tried(why, most + 1);
            assert_eq!((failed, made), (Err(Refusal::new("Code", why).into()), most));
        }
    }

    #[test]
    fn a_failure_of_another_kind_takes_no_try_from_this_one() {
        let faulty_once = |made: u32| if made == 1 { Why::Failed } else { Why::Expired };
        assert_eq!(tried_with(faulty_once, 3), (Ok(3), 3));
        assert_eq!(tried_with(faulty_once, 9), (Err(Refusal::new("Code", Why::Expired).into()), 3));
        let in_turns = |made: u32| if made.is_multiple_of(2) { Why::Failed } else { Why::Throttled };
        assert_eq!(tried_with(in_turns, 99), (Err(Refusal::new("Code", Why::Failed).into()), 6), "it ends");
    }

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
