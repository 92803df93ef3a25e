//! What this machine sent to one service, by slot: enough to tell a server that knows nothing of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::budget::{Incident, SharedSlot};
use crate::clock::Mono;

/// A call still out, or when it was answered.
type Answered = Option<Mono>;

/// The slots of one service, and what the server has not been told yet.
#[derive(Debug, Default)]
pub(super) struct Book {
    next: u64,
    calls: BTreeMap<u64, Answered>,
    last_send: Option<Mono>,
    /// Answered since the server was last told.
    back: Vec<u64>,
    /// Taken and never used.
    unused: Vec<u64>,
    /// A ban met here since.
    pub(super) ban: Option<Incident>,
    /// A ban was cleared here; the server may not know yet.
    pub(super) clear: bool,
    /// Calls of before the budget was shared are in it.
    pub(super) seeded: bool,
}

/// What is to be told of slots.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Tidings {
    pub(super) unused: Vec<u64>,
    pub(super) calls: Vec<(u64, Answered)>,
}

impl Tidings {
    pub(super) fn is_empty(&self) -> bool {
        self.unused.is_empty() && self.calls.is_empty()
    }
}

impl Book {
    /// Forgets everything but the numbers already given.
    pub(super) fn begin_anew(&mut self) {
        *self = Self { next: self.next, ..Self::default() };
    }

    /// A call that is about to leave.
    pub(super) fn open(&mut self, now: Mono) -> SharedSlot {
        self.last_send = Some(now);
        self.enter(None)
    }

    /// A call of before.
    pub(super) fn enter(&mut self, answered: Answered) -> SharedSlot {
        let slot = self.next;
        self.next += 1;
        self.calls.insert(slot, answered);
        SharedSlot(slot)
    }

    /// The others said no: there is nothing to be given back.
    pub(super) fn refused(&mut self, slot: SharedSlot) {
        self.calls.remove(&slot.0);
    }

    pub(super) fn give_back(&mut self, slot: SharedSlot, sent: bool, now: Mono) {
        if sent {
            self.calls.insert(slot.0, Some(now));
            self.back.push(slot.0);
        } else {
            self.calls.remove(&slot.0);
            self.unused.push(slot.0);
        }
    }

    pub(super) fn last_send(&self) -> Option<Mono> {
        self.last_send
    }

    pub(super) fn in_flight(&self) -> usize {
        self.calls.values().filter(|answered| answered.is_none()).count()
    }

    /// What happened since it was last asked.
    pub(super) fn news(&mut self) -> Tidings {
        let calls = std::mem::take(&mut self.back);
        let calls = calls.into_iter().filter_map(|slot| Some((slot, *self.calls.get(&slot)?))).collect();
        Tidings { unused: std::mem::take(&mut self.unused), calls }
    }

    /// Everything, for a server that may know nothing.
    pub(super) fn all(&mut self) -> Tidings {
        self.back.clear();
        let calls = self.calls.iter().map(|(slot, answered)| (*slot, *answered)).collect();
        Tidings { unused: std::mem::take(&mut self.unused), calls }
    }

    /// The server did not hear it: it is to be told again.
    pub(super) fn not_heard(&mut self, tidings: Tidings) {
        self.unused.extend(tidings.unused);
        self.back.extend(tidings.calls.into_iter().map(|(slot, _)| slot));
    }

    /// Forgets what no window sees any more.
    pub(super) fn prune(&mut self, now: Mono, longest: Duration) {
        self.calls.retain(|_, answered| answered.is_none_or(|at| now < at + longest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_not_heard_is_told_again_and_what_is_past_is_forgotten() {
        let mut book = Book::default();
        let (a, b, c) = (book.open(at(1)), book.open(at(2)), book.open(at(3)));
        book.give_back(a, true, at(4));
        book.give_back(b, false, at(4));
        let tidings = book.news();
        assert_eq!(tidings, Tidings { unused: vec![b.0], calls: vec![(a.0, Some(at(4)))] });
        assert!(book.news().is_empty());
        book.not_heard(tidings.clone());
        assert_eq!(book.news(), tidings);
        assert_eq!(book.all().calls, [(a.0, Some(at(4))), (c.0, None)], "b never left");
        book.prune(at(9), Duration::from_secs(5));
        assert_eq!((book.all().calls, book.in_flight()), (vec![(c.0, None)], 1));
    }
}
