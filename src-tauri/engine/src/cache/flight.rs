//! One flight: of all who ask the same question at the same time one goes, and the others get what it
//! brings, answer or failure.
//!
//! Whoever gives up half-way hands over to the next in line. A caller of higher priority does not wait
//! behind one of lower that is still in line for its budget: it goes itself, and the other finds the
//! answer kept when its turn comes. What keeps failing is asked again after 1 s, doubling to 5 s.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

use super::question::Key;
use crate::budget::Priority;
use crate::call::{Answer, CallError};
use crate::clock::{Clock, Mono};

/// What a flight brought.
pub(crate) type Outcome = Result<Answer, CallError>;

/// Rest after a first failure.
const FIRST_REST: Duration = Duration::from_secs(1);
/// Longest rest of a key that goes on failing.
const LONGEST_REST: Duration = Duration::from_secs(5);
/// A failure this long ago is forgotten.
const REMEMBERED: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Flight {
    priority: Priority,
    /// Held by who leads; the others wait for it in line.
    turn: Arc<tokio::sync::Mutex<()>>,
    sent: AtomicBool,
    outcome: OnceLock<Outcome>,
}

#[derive(Debug, Clone)]
struct Failing {
    until: Mono,
    rest: Duration,
    last: Outcome,
}

/// The flights there are, and the keys that failed of late.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    flights: Mutex<HashMap<Key, Vec<Arc<Flight>>>>,
    failing: Mutex<HashMap<Key, Failing>>,
}

/// What a caller has to do.
pub(crate) enum Turn<'a> {
    /// To go itself and to tell the others.
    Lead(Lead<'a>),
    /// Nothing: another brought this.
    Shared(Outcome),
    /// To go by itself: the one before it waits for longer than it may.
    Alone,
}

/// The right, and the duty, to ask for everybody. Dropped without an outcome, the next in line leads.
pub(crate) struct Lead<'a> {
    flights: &'a Flights,
    key: Key,
    flight: Arc<Flight>,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Flights {
    /// Joins the flight for `key`, or begins it. `patience` is how long the caller waits for one that is
    /// not on its way yet; `None` is without bound.
    pub(crate) async fn join(&self, key: Key, priority: Priority, patience: Option<Duration>) -> Turn<'_> {
        let flight = self.board(key, priority);
        let turn = Arc::clone(&flight.turn).lock_owned();
        let turn = match patience {
            None => turn.await,
            Some(patience) => {
                let mut turn = std::pin::pin!(turn);
                match tokio::time::timeout(patience, &mut turn).await {
                    Ok(turn) => turn,
                    // Its answer will come soon: that time is the service's, not the budget's.
                    Err(_) if flight.sent.load(Ordering::Acquire) => turn.await,
                    Err(_) => return Turn::Alone,
                }
            }
        };
        if let Some(outcome) = flight.outcome.get() {
            return Turn::Shared(outcome.clone());
        }
        flight.sent.store(false, Ordering::Release);
        Turn::Lead(Lead { flights: self, key, flight, turn: Some(turn) })
    }

    fn board(&self, key: Key, priority: Priority) -> Arc<Flight> {
        let mut flights = self.flights.lock();
        let known = flights.entry(key).or_default();
        let joins =
            |flight: &&Arc<Flight>| flight.sent.load(Ordering::Acquire) || flight.priority <= priority;
        if let Some(flight) = known.iter().find(joins) {
            return Arc::clone(flight);
        }
        let flight = Arc::new(Flight {
            priority,
            turn: Arc::default(),
            sent: AtomicBool::new(false),
            outcome: OnceLock::new(),
        });
        known.push(Arc::clone(&flight));
        flight
    }

    fn land(&self, key: Key, flight: &Arc<Flight>) {
        take_out(&mut self.flights.lock(), key, flight);
    }

    /// Forgets flights whose callers all went away.
    pub(crate) fn tidy(&self) {
        self.flights.lock().retain(|_, known| {
            known.retain(|flight| Arc::strong_count(flight) > 1);
            !known.is_empty()
        });
    }

    /// Lets a key that failed of late rest; gives its last failure to who may not wait for that.
    pub(crate) async fn rest(&self, clock: &Clock, key: Key, max_wait: Option<Duration>) -> Option<Outcome> {
        let failing = self.failing.lock().get(&key).cloned()?;
        let now = clock.mono();
        if failing.until <= now {
            return None;
        }
        if max_wait.is_some_and(|wait| now + wait < failing.until) {
            return Some(failing.last);
        }
        while clock.mono() < failing.until {
            clock.sleep_towards(failing.until).await;
        }
        None
    }

    /// The service answered: the key rests no more.
    pub(crate) fn works(&self, key: Key) {
        let mut failing = self.failing.lock();
        if !failing.is_empty() {
            failing.remove(&key);
        }
    }

    /// The key failed: it rests, longer each time.
    pub(crate) fn failed(&self, clock: &Clock, key: Key, last: Outcome) {
        let now = clock.mono();
        let mut failing = self.failing.lock();
        failing.retain(|_, one| now < one.until + REMEMBERED);
        let rest = failing.get(&key).map_or(FIRST_REST, |one| (one.rest * 2).min(LONGEST_REST));
        failing.insert(key, Failing { until: now + rest, rest, last });
    }
}

fn take_out(flights: &mut HashMap<Key, Vec<Arc<Flight>>>, key: Key, flight: &Arc<Flight>) {
    if let Some(known) = flights.get_mut(&key) {
        known.retain(|other| !Arc::ptr_eq(other, flight));
        if known.is_empty() {
            flights.remove(&key);
        }
    }
}

impl Lead<'_> {
    /// It is on its way: from now on everybody joins it, whatever their priority.
    pub(crate) fn sent(&self) {
        self.flight.sent.store(true, Ordering::Release);
    }

    /// Tells everybody who joined.
    pub(crate) fn done(mut self, outcome: &Outcome) {
        let _ = self.flight.outcome.set(outcome.clone());
        // Who asks from now on begins a new flight.
        self.flights.land(self.key, &self.flight);
        self.turn = None;
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        if self.turn.is_none() {
            return;
        }
        let mut flights = self.flights.flights.lock();
        // Ours, and the one in the list: nobody else waits.
        if Arc::strong_count(&self.flight) == 2 {
            take_out(&mut flights, self.key, &self.flight);
        }
        drop(flights);
        self.flight.sent.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key([7; 16]);

    fn outcome() -> Outcome {
        Err(CallError::BadRequest("x".into()))
    }

    async fn join(flights: &Flights, priority: Priority) -> Turn<'_> {
        flights.join(KEY, priority, None).await
    }

    #[tokio::test(start_paused = true)]
    async fn b9_who_gives_up_hands_over_and_leaves_nothing_behind() {
        let flights = Flights::default();
        let Turn::Lead(first) = join(&flights, Priority::Interactive).await else { panic!("nobody else") };
        let second = join(&flights, Priority::Interactive);
        let lead = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(second, lead);
        let Turn::Lead(second) = second else { panic!("handed over") };
        drop(second);
        assert!(flights.flights.lock().is_empty(), "nobody is in the air");
    }

    #[tokio::test(start_paused = true)]
    async fn b9_a_caller_in_a_hurry_passes_one_that_is_still_in_line_but_joins_one_on_its_way() {
        let flights = Flights::default();
        let Turn::Lead(background) = join(&flights, Priority::Background).await else {
            panic!("nobody else")
        };
        let Turn::Lead(interactive) = join(&flights, Priority::Interactive).await else {
            panic!("it passes")
        };
        drop(interactive);
        background.sent();
        let joined = join(&flights, Priority::Interactive);
        let lead = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            background.done(&outcome());
        };
        let (joined, ()) = tokio::join!(joined, lead);
        assert!(matches!(joined, Turn::Shared(Err(_))));
        assert!(flights.flights.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_may_not_wait_goes_alone_unless_the_answer_is_on_its_way() {
        let flights = Flights::default();
        let Turn::Lead(lead) = join(&flights, Priority::Interactive).await else { panic!("nobody else") };
        let hasty = flights.join(KEY, Priority::Interactive, Some(Duration::ZERO)).await;
        assert!(matches!(hasty, Turn::Alone));
        lead.sent();
        let hasty = flights.join(KEY, Priority::Interactive, Some(Duration::ZERO));
        let lead = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            lead.done(&outcome());
        };
        assert!(matches!(tokio::join!(hasty, lead).0, Turn::Shared(_)));
    }
}
