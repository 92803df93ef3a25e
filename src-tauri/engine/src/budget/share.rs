//! What one tool may hold of a service's budget, so that it cannot starve the others.
//!
//! A key with a share of 0.25 holds at most a quarter of each window's slots at a time. It has a ledger
//! of its own over the windows of its service, by the same rule (a slot is given back a window's length
//! after its answer), and its call passes here before it comes to the gate: whoever waits for his share
//! stands in nobody's way.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::ledger::Ledger;
use super::{Ask, Refusal, Why, Window};
use crate::clock::{Clock, Mono};

/// The shares of one service, by caller.
#[derive(Debug, Default)]
pub struct Shares(Mutex<HashMap<Arc<str>, Arc<Share>>>);

#[derive(Debug, Default)]
struct Share(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    ledger: Ledger,
    /// The part of the service's windows as of the last call.
    windows: Vec<Window>,
    /// First come, first served.
    line: VecDeque<(u64, Arc<Notify>)>,
    next_id: u64,
}

/// A part of a tool's share: for one call, from before its gate until its answer. Dropped unsent, it was
/// never taken.
#[derive(Debug)]
#[must_use]
pub struct Held {
    share: Arc<Share>,
    clock: Clock,
    sent: bool,
}

/// The part `share` of each window, at least one call. A budget of spacing alone has no window: its
/// `limit` a minute is one.
#[must_use]
pub fn part_of(windows: &[Window], limit: u32, share: f64) -> Vec<Window> {
    let minute = [Window { seconds: 60.0, calls: limit }];
    let whole = if windows.is_empty() { &minute } else { windows };
    let part = |calls: u32| {
        // 0.29 of 100 is 29, not 28.999….
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to what the window has"
        )]
        let part = (f64::from(calls) * share + 1e-9).floor().clamp(1.0, f64::from(calls.max(1))) as u32;
        part
    };
    whole.iter().map(|w| Window { seconds: w.seconds, calls: part(w.calls) }).collect()
}

impl Shares {
    /// Waits until `caller` holds less than its `windows` (see [`part_of`]).
    ///
    /// # Errors
    /// [`Why::OverBudget`], as soon as it is certain that this takes longer than `ask.max_wait`.
    pub async fn take(
        &self,
        clock: &Clock,
        caller: &Arc<str>,
        windows: Vec<Window>,
        ask: Ask,
    ) -> Result<Held, Refusal> {
        let share = Arc::clone(self.0.lock().entry(Arc::clone(caller)).or_default());
        let deadline = ask.max_wait.map(|wait| clock.mono() + wait);
        let place = Place::enter(&share, windows);
        loop {
            match place.step(clock.mono(), deadline) {
                Step::Take => {
                    return Ok(Held { share: Arc::clone(&share), clock: clock.clone(), sent: false });
                }
                Step::Refused(until) => return Err(Refusal { why: Why::OverBudget, until }),
                Step::Wait(None) => place.wake.notified().await,
                Step::Wait(Some(until)) => tokio::select! {
                    () = place.wake.notified() => {}
                    () = clock.sleep_towards(until) => {}
                },
            }
        }
    }
}

impl State {
    fn free_at(&self, now: Mono, ahead: usize) -> Mono {
        self.windows.iter().map(|w| self.ledger.free_at(w, now, ahead)).fold(now, Mono::max)
    }

    fn is_full(&self, now: Mono) -> bool {
        self.windows.iter().any(|w| self.ledger.used(w, now) >= w.calls as usize)
    }

    fn wake_first(&self) {
        if let Some((_, wake)) = self.line.front() {
            wake.notify_one();
        }
    }
}

enum Step {
    Take,
    Refused(Mono),
    Wait(Option<Mono>),
}

/// A place in line, given up when the caller goes away.
struct Place<'a> {
    share: &'a Share,
    id: u64,
    wake: Arc<Notify>,
}

impl<'a> Place<'a> {
    fn enter(share: &'a Share, windows: Vec<Window>) -> Self {
        let mut state = share.0.lock();
        state.windows = windows;
        let (id, wake) = (state.next_id, Arc::new(Notify::new()));
        state.next_id += 1;
        state.line.push_back((id, Arc::clone(&wake)));
        Self { share, id, wake }
    }

    fn step(&self, now: Mono, deadline: Option<Mono>) -> Step {
        let mut state = self.share.0.lock();
        let longest = state.windows.iter().map(Window::length).max().unwrap_or_default();
        state.ledger.expire(now, longest);
        let ahead = state.line.iter().position(|(id, _)| *id == self.id).unwrap_or(state.line.len());
        let free = state.free_at(now, ahead);
        if ahead == 0 && free <= now && !state.is_full(now) {
            state.ledger.take();
            return Step::Take;
        }
        // Only the first in line watches the clock; full of calls that are out, only an answer helps.
        let own = (ahead == 0 && free > now).then_some(free);
        match deadline {
            None => Step::Wait(own),
            Some(deadline) if free > deadline || now >= deadline => {
                Step::Refused(free.max(now + std::time::Duration::from_secs(1)))
            }
            Some(deadline) => Step::Wait(Some(own.map_or(deadline, |own| own.min(deadline)))),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.share.0.lock();
        state.line.retain(|(id, _)| *id != self.id);
        state.wake_first();
    }
}

impl Held {
    /// The call is being sent: from now on the provider may have counted it.
    pub fn sent(&mut self) {
        self.sent = true;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.share.0.lock();
        if self.sent {
            state.ledger.give_back(self.clock.mono());
        } else {
            state.ledger.untake();
        }
        state.wake_first();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_rounded_down_and_never_nothing() {
        let windows = |list: &[(f64, u32)]| {
            list.iter().map(|&(seconds, calls)| Window { seconds, calls }).collect::<Vec<_>>()
        };
        for (whole, limit, share, part) in [
            (windows(&[(5.0, 45), (3_600.0, 1_000)]), 540, 0.5, windows(&[(5.0, 22), (3_600.0, 500)])),
            (windows(&[(1.0, 100)]), 100, 0.29, windows(&[(1.0, 29)])),
            (windows(&[(5.0, 45)]), 540, 0.001, windows(&[(5.0, 1)])),
            (windows(&[(5.0, 45)]), 540, 1.0, windows(&[(5.0, 45)])),
            (windows(&[]), 57, 0.5, windows(&[(60.0, 28)])),
        ] {
            assert_eq!(part_of(&whole, limit, share), part, "{share} of {whole:?}");
        }
    }
}
