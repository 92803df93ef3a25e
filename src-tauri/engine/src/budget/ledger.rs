//! The log behind the rolling windows.
//!
//! A slot is taken when a call is sent and given back one window's length after its *answer* came: the
//! provider may have counted the call at any instant between. Giving it back a window after the send
//! breaks a 50-in-5-s limit at 45 calls; after the answer, never.

use std::collections::VecDeque;
use std::time::Duration;

use super::Window;
use crate::clock::Mono;

/// When each recent call was answered, oldest first, and how many are still out.
#[derive(Debug, Default)]
pub struct Ledger {
    answered: VecDeque<Mono>,
    in_flight: usize,
}

impl Ledger {
    /// Takes a slot: a call is being sent.
    pub fn take(&mut self) {
        self.in_flight += 1;
    }

    /// The answer came, or the call failed or was dropped, at `now`.
    pub fn give_back(&mut self, now: Mono) {
        self.in_flight = self.in_flight.saturating_sub(1);
        // Answers are logged as they come; a clock that did not move keeps the order.
        let now = self.answered.back().map_or(now, |last| now.max(*last));
        self.answered.push_back(now);
    }

    /// Gives a slot back that was taken for a call which was never sent.
    pub fn untake(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Adds a call of an earlier run, answered at the latest at `at`.
    pub fn restore(&mut self, at: Mono) {
        let place = self.answered.partition_point(|t| *t <= at);
        self.answered.insert(place, at);
    }

    /// Forgets what no window can see any more.
    pub fn expire(&mut self, now: Mono, longest: Duration) {
        while self.answered.front().is_some_and(|at| *at + longest <= now) {
            self.answered.pop_front();
        }
    }

    /// When each call in the log was answered, oldest first.
    pub fn answered(&self) -> impl Iterator<Item = Mono> {
        self.answered.iter().copied()
    }

    /// Calls still out.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Slots of `window` that are taken at `now`.
    pub fn used(&self, window: &Window, now: Mono) -> usize {
        self.in_flight + self.answered.len() - self.first_inside(window.length(), now)
    }

    /// The earliest time at which `window` has a slot for a caller with `ahead` others before it,
    /// should every call that is out be answered at once and every new one as well. A lower bound,
    /// exact while nothing is in flight.
    pub fn free_at(&self, window: &Window, now: Mono, ahead: usize) -> Mono {
        let length = window.length();
        let calls = (window.calls as usize).max(1);
        let first = self.first_inside(length, now);
        let releases = self.answered.len() - first + self.in_flight;
        // Callers come in rounds of `calls`, each round a window's length after the one before.
        let (round, place) = (ahead / calls, ahead % calls);
        let later = length.saturating_mul(u32::try_from(round).unwrap_or(u32::MAX));
        // Which release makes room; with more free slots than callers before us, none is needed.
        let Some(release) = (place + releases).checked_sub(calls) else { return now + later };
        let freed = self.answered.get(first + release).map_or(now, |at| *at);
        freed + length + later
    }

    fn first_inside(&self, length: Duration, now: Mono) -> usize {
        self.answered.partition_point(|at| *at + length <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Mono {
        Mono::default() + Duration::from_secs_f64(seconds)
    }

    const TWO_IN_FIVE: Window = Window { seconds: 5.0, calls: 2 };

    #[test]
    fn a_slot_comes_back_a_window_after_the_answer() {
        let mut ledger = Ledger::default();
        ledger.take();
        ledger.take();
        assert_eq!(ledger.used(&TWO_IN_FIVE, at(100.0)), 2, "as long as no answer came");
        ledger.give_back(at(1.0));
        ledger.give_back(at(2.0));
        assert_eq!(ledger.used(&TWO_IN_FIVE, at(5.999)), 2);
        assert_eq!(ledger.used(&TWO_IN_FIVE, at(6.0)), 1);
        assert_eq!(ledger.free_at(&TWO_IN_FIVE, at(3.0), 0), at(6.0));
        assert_eq!(ledger.free_at(&TWO_IN_FIVE, at(3.0), 1), at(7.0));
        assert_eq!(ledger.free_at(&TWO_IN_FIVE, at(3.0), 2), at(11.0), "the next round");
    }

    #[test]
    fn a_narrower_budget_waits_for_more_than_one_release() {
        let mut ledger = Ledger::default();
        for second in 0..4 {
            ledger.restore(at(f64::from(second)));
        }
        assert_eq!(ledger.free_at(&TWO_IN_FIVE, at(4.0), 0), at(7.0), "two of four must go first");
    }

    #[test]
    fn what_no_window_sees_is_forgotten() {
        let mut ledger = Ledger::default();
        ledger.restore(at(2.0));
        ledger.restore(at(1.0));
        ledger.expire(at(6.5), Duration::from_secs(5));
        assert_eq!(ledger.answered, [at(2.0)]);
    }
}
