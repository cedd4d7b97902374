//! GitHub's limits: how many requests are left until when, and how close together they may come.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use evenhand_collect::{Answer, lock};

/// What is left, as GitHub last said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Requests.
    pub(crate) requests: u64,
    /// Until then, in seconds since 1970.
    pub(crate) until: u64,
}

#[derive(Debug, Default)]
struct State {
    /// What GitHub says that is left, and whether it says so at all; `None` = only an answer tells.
    said: Option<Option<Left>>,
    /// Requests that are not answered yet.
    under_way: u64,
    /// Nothing is asked before: GitHub asked to come back later.
    not_before: Option<Instant>,
    /// The next request may leave then.
    next: Option<Instant>,
    made: u64,
    free: u64,
}

/// The budget of a collection.
#[derive(Debug)]
pub(crate) struct Budget {
    /// The time between two requests, so that no more than so many a minute are made.
    apart: Duration,
    /// Added to every wait for a new budget: clocks differ.
    margin: Duration,
    state: Mutex<State>,
}

/// The wait for answers of others that tell what is left.
const SOON: Duration = Duration::from_millis(5);

impl Budget {
    pub(crate) fn new(apart: Duration, margin: Duration) -> Self {
        Self { apart, margin, state: Mutex::default() }
    }

    /// How long the next request has to wait; none = it may leave, and is under way from now on.
    pub(crate) fn take(&self) -> Option<Duration> {
        self.take_at(Instant::now(), SystemTime::now())
    }

    fn take_at(&self, now: Instant, clock: SystemTime) -> Option<Duration> {
        let mut state = lock(&self.state);
        let ahead = |then: Instant| then.checked_duration_since(now).filter(|wait| !wait.is_zero());
        if let Some(wait) = state.not_before.and_then(ahead) {
            return Some(wait);
        }
        state.not_before = None;
        if let Some(Some(left)) = state.said {
            match until(left.until, clock) {
                Some(wait) if left.requests == 0 => return Some(wait + self.margin),
                // Whoever is under way may have what is left.
                Some(_) if left.requests <= state.under_way => return Some(SOON),
                Some(_) => {}
                None => state.said = None,
            }
        }
        if state.said.is_none() && state.under_way > 0 {
            return Some(SOON);
        }
        if let Some(wait) = state.next.and_then(ahead) {
            return Some(wait);
        }
        state.next = Some(now + self.apart);
        state.made += 1;
        state.under_way += 1;
        None
    }

    /// Notes that a request is under way no more, and what its answer says of the budget. Answers that were overtaken do
    /// not make it larger.
    pub(crate) fn done(&self, answer: Option<&Answer>) {
        let mut state = lock(&self.state);
        state.under_way = state.under_way.saturating_sub(1);
        let Some(answer) = answer else { return };
        state.free += u64::from(answer.status == 304);
        let number = |name: &str| answer.header(name)?.trim().parse::<u64>().ok();
        let core = answer.header("x-ratelimit-resource").is_none_or(|resource| resource == "core");
        let told = number("x-ratelimit-remaining").zip(number("x-ratelimit-reset")).filter(|_| core);
        state.said = Some(match (state.said.flatten(), told) {
            (Some(held), Some((_, until))) if held.until > until => Some(held),
            (Some(held), Some((requests, until))) if held.until == until => {
                Some(Left { requests: held.requests.min(requests), until })
            }
            (_, Some((requests, until))) => Some(Left { requests, until }),
            (held, None) => held,
        });
    }

    /// Has everybody wait: GitHub asked for it.
    pub(crate) fn pause(&self, wait: Duration) {
        let then = Instant::now() + wait;
        let mut state = lock(&self.state);
        state.not_before = Some(state.not_before.map_or(then, |held| held.max(then)));
    }

    /// What is left.
    pub(crate) fn left(&self) -> Option<Left> {
        lock(&self.state).said.flatten()
    }

    /// Requests that were made, and of these the ones that cost nothing.
    pub(crate) fn made(&self) -> (u64, u64) {
        let state = lock(&self.state);
        (state.made, state.free)
    }
}

/// A budget is for an hour: whoever says that it takes longer has another clock.
const LONGEST: Duration = Duration::from_secs(3_700);

/// The time until a moment in seconds since 1970, at most [`LONGEST`]; none where it is over.
pub(crate) fn until(second: u64, clock: SystemTime) -> Option<Duration> {
    let then = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(second))?;
    then.duration_since(clock).ok().filter(|left| !left.is_zero()).map(|left| left.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> Answer {
        let headers =
            headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect();
        Answer { status, headers, page: std::sync::Arc::<evenhand_collect::Held>::default().page(Vec::new()) }
    }

    fn said(budget: &Budget, status: u16, remaining: &str, reset: &str) {
        budget.done(Some(&answer(status, &[("x-ratelimit-remaining", remaining), ("x-ratelimit-reset", reset)])));
    }

    fn times() -> (Instant, SystemTime) {
        (Instant::now() + Duration::from_secs(1), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000))
    }

    #[test]
    fn no_more_is_asked_than_is_left_and_then_it_waits_until_there_is_more() {
        let budget = Budget::new(Duration::ZERO, Duration::from_secs(1));
        let (now, clock) = times();
        assert_eq!(budget.take_at(now, clock), None);
        assert_eq!(budget.take_at(now, clock), Some(SOON), "what is left only the first answer tells");
        said(&budget, 200, "2", "1060");
        for _ in 0..2 {
            assert_eq!(budget.take_at(now, clock), None);
        }
        assert_eq!(budget.take_at(now, clock), Some(SOON), "what is left is under way");
        // The second one comes first.
        said(&budget, 200, "0", "1060");
        said(&budget, 200, "1", "1060");
        assert_eq!(budget.left().unwrap().requests, 0);
        assert_eq!(budget.take_at(now, clock), Some(Duration::from_secs(61)));
        let later = clock + Duration::from_secs(61);
        assert_eq!(budget.take_at(now, later), None);
        assert_eq!(budget.take_at(now, later), Some(SOON));
        said(&budget, 200, "4999", "4660");
        assert_eq!(budget.left().unwrap().requests, 4999);
        assert_eq!(budget.made(), (4, 0));
    }

    #[test]
    fn a_request_without_an_answer_is_under_way_no_more() {
        let budget = Budget::new(Duration::ZERO, Duration::ZERO);
        let (now, clock) = times();
        for _ in 0..3 {
            assert_eq!(budget.take_at(now, clock), None);
            budget.done(None);
        }
    }

    #[test]
    fn another_budget_than_the_one_for_all_is_left_alone_and_so_is_who_tells_none() {
        let budget = Budget::new(Duration::ZERO, Duration::ZERO);
        let (now, clock) = times();
        assert_eq!(budget.take_at(now, clock), None);
        budget.done(Some(&answer(
            304,
            &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2000"), ("x-ratelimit-resource", "audit_log")],
        )));
        assert_eq!((budget.left(), budget.made()), (None, (1, 1)));
        for _ in 0..3 {
            assert_eq!(budget.take_at(now, clock), None, "there is none to keep to");
        }
    }

    #[test]
    fn requests_keep_their_distance_and_all_wait_when_asked_to() {
        let budget = Budget::new(Duration::from_millis(100), Duration::ZERO);
        let (now, clock) = (Instant::now() + Duration::from_secs(1), SystemTime::UNIX_EPOCH);
        assert_eq!(budget.take_at(now, clock), None);
        budget.done(Some(&answer(200, &[])));
        assert_eq!(budget.take_at(now, clock), Some(Duration::from_millis(100)));
        assert_eq!(budget.take_at(now + Duration::from_millis(100), clock), None);
        budget.pause(Duration::from_secs(60));
        assert!(budget.take().is_some_and(|wait| wait > Duration::from_secs(50)));
    }
}
