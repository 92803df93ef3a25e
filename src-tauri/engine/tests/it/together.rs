//! Gates that keep one budget together, over a server in memory, in virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use headroom_engine::budget::{
    Ask, Budget, Gate, Incident, Priority, SharedBan, SharedBudget, SharedSlot, Standing, Taken, Taking, Why,
    Window,
};
use headroom_engine::clock::{Clock, Mono};
use headroom_engine::service::{BanKind, OTHER};
use parking_lot::Mutex;
use proptest::prelude::*;

use crate::budgets::{Arrival, Span, since_start, virtual_time, worst};
use crate::support::{ms, s};

/// What a server does, without one: slots by name, and when each was answered.
#[derive(Debug, Default)]
struct Book {
    next: u64,
    slots: BTreeMap<u64, Option<Mono>>,
    last_send: Option<Mono>,
    ban: Option<(Mono, Mono)>,
    asked: u32,
    unused: u32,
}

#[derive(Debug)]
struct Server {
    clock: Clock,
    /// The way there, and the way back.
    way: Duration,
    book: Mutex<Book>,
}

impl Server {
    fn new(clock: &Clock, way: Duration) -> Arc<Self> {
        Arc::new(Self { clock: clock.clone(), way, book: Mutex::default() })
    }

    fn decide(&self, budget: &Budget) -> Taken {
        let now = self.clock.mono();
        let mut book = self.book.lock();
        book.asked += 1;
        if let Some((began, until)) = book.ban.filter(|(_, until)| now < *until) {
            let (age, left) = (now.since(began), until.since(now));
            return Taken::Banned(SharedBan { kind: BanKind::Rate, endpoint: OTHER, age, left });
        }
        let spacing = ms(u64::from(budget.spacing_ms));
        let mut free = book.last_send.map_or(now, |last| last + spacing);
        let mut used = Vec::new();
        for window in &budget.windows {
            let length = window.length();
            let mut ends: Vec<Mono> =
                book.slots.values().map(|at| at.unwrap_or(now) + length).filter(|end| *end > now).collect();
            ends.sort();
            if let Some(over) = ends.len().checked_sub(window.calls as usize) {
                free = free.max(ends[over]);
            }
            used.push(u32::try_from(ends.len()).unwrap());
        }
        if free > now {
            return Taken::NotBefore { wait: free.since(now), used };
        }
        let slot = book.next;
        book.next += 1;
        book.slots.insert(slot, None);
        book.last_send = Some(now);
        Taken::Go { slot: SharedSlot(slot), used }
    }

    fn out(&self) -> usize {
        self.book.lock().slots.values().filter(|answered| answered.is_none()).count()
    }
}

/// One machine's way to the server.
#[derive(Debug)]
struct Member {
    server: Arc<Server>,
    reachable: AtomicBool,
    apart: Mutex<Standing>,
    adopted: AtomicU64,
}

impl Member {
    fn of(server: &Arc<Server>) -> Arc<Self> {
        let apart = Standing { together: false, machines: 2, others_until: None, busy: false };
        let (reachable, adopted) = (AtomicBool::new(true), AtomicU64::new(0));
        Arc::new(Self { server: Arc::clone(server), reachable, apart: Mutex::new(apart), adopted })
    }

    fn lose(&self, others_until: Mono) {
        self.reachable.store(false, Ordering::Relaxed);
        self.apart.lock().others_until = Some(others_until);
    }
}

/// A slot nobody waited for.
struct OnTheWay<'a>(&'a Member, Option<SharedSlot>);

impl Drop for OnTheWay<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.1 {
            self.0.give_back(slot, false);
        }
    }
}

impl SharedBudget for Member {
    fn standing(&self, _: Mono) -> Standing {
        let together = self.reachable.load(Ordering::Relaxed);
        Standing { together, ..*self.apart.lock() }
    }

    fn take<'a>(&'a self, budget: &'a Budget) -> Taking<'a> {
        Box::pin(async move {
            tokio::time::sleep(self.server.way).await;
            if !self.reachable.load(Ordering::Relaxed) {
                return Taken::Gone;
            }
            let taken = self.server.decide(budget);
            let slot = if let Taken::Go { slot, .. } = &taken { Some(*slot) } else { None };
            let mut way = OnTheWay(self, slot);
            tokio::time::sleep(self.server.way).await;
            way.1 = None;
            taken
        })
    }

    fn sent_apart(&self) -> SharedSlot {
        SharedSlot(u64::MAX)
    }

    fn give_back(&self, slot: SharedSlot, sent: bool) {
        let now = self.server.clock.mono();
        let mut book = self.server.book.lock();
        if sent {
            book.slots.entry(slot.0).and_modify(|answered| *answered = Some(now));
        } else {
            book.slots.remove(&slot.0);
            book.unused += 1;
        }
    }

    fn banned(&self, ban: &Incident) {
        self.server.book.lock().ban = Some((ban.began, ban.until));
    }

    fn cleared(&self) {
        self.server.book.lock().ban = None;
    }

    fn adopted(&self, _: &Incident) {
        self.adopted.fetch_add(1, Ordering::Relaxed);
    }
}

fn gate(clock: &Clock, budget: &Budget, member: &Arc<Member>) -> Arc<Gate> {
    let gate = Gate::new(clock.clone(), budget.clone());
    gate.share(Some(Arc::clone(member) as Arc<dyn SharedBudget>));
    gate
}

fn window(calls: u32, seconds: f64) -> Budget {
    Budget { spacing_ms: 0, windows: vec![Window { seconds, calls }], quota: None }
}

const PATIENT: Ask = Ask { priority: Priority::Interactive, max_wait: None };

/// Sends every caller through the gate of its machine.
async fn play(
    clock: Clock,
    budget: Budget,
    way: Duration,
    arrivals: Vec<(bool, Arrival)>,
) -> (Vec<Span>, usize) {
    let server = Server::new(&clock, way);
    let gates = [(); 2].map(|()| gate(&clock, &budget, &Member::of(&server)));
    let spans = Arc::new(Mutex::new(Vec::new()));
    let callers: Vec<_> = arrivals
        .into_iter()
        .map(|(machine, (at, latency, leaves))| {
            let (gate, clock) = (Arc::clone(&gates[usize::from(machine)]), clock.clone());
            let spans = Arc::clone(&spans);
            tokio::spawn(async move {
                tokio::time::sleep(ms(at)).await;
                if leaves {
                    // It goes away while it waits, or while it is being asked for.
                    let patience = ms(latency % 40);
                    let Ok(slot) = tokio::time::timeout(patience, gate.pass(PATIENT)).await else { return };
                    let sent = since_start(&clock);
                    drop(slot.unwrap());
                    spans.lock().push((sent, since_start(&clock)));
                    return;
                }
                let slot = gate.pass(PATIENT).await.unwrap();
                let sent = since_start(&clock);
                tokio::time::sleep(ms(latency)).await;
                slot.done(true);
                spans.lock().push((sent, since_start(&clock)));
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let mut spans = spans.lock().clone();
    spans.sort();
    (spans, server.out())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn b7_two_gates_together_never_hold_more_than_one_budget(
        windows in prop::collection::vec((1u32..=20, 200u32..=8_000), 1..=2),
        spacing_ms in prop_oneof![Just(0u32), 1u32..=200],
        way in 0u64..=20,
        arrivals in prop::collection::vec(
            (any::<bool>(), (0u64..4_000, 0u64..2_500, prop::bool::weighted(0.3))), 1..80),
    ) {
        let windows: Vec<_> = windows
            .into_iter()
            .map(|(calls, millis)| Window { calls, seconds: f64::from(millis) / 1_000.0 })
            .collect();
        let budget = Budget { spacing_ms, windows: windows.clone(), quota: None };
        let stay = arrivals.iter().filter(|(_, (_, _, leaves))| !leaves).count();
        let (spans, out) = virtual_time(|clock| play(clock, budget, ms(way), arrivals));
        prop_assert!(spans.len() >= stay, "whoever stays gets through");
        prop_assert_eq!(out, 0, "no slot is left taken");
        for window in &windows {
            let held = worst(&spans, window.length());
            prop_assert!(held <= window.calls as usize, "{held} in {window:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_interactive_call_waits_for_one_background_call_at_most() {
    let clock = Clock::new(headroom_engine::clock::VirtualClock::at(crate::support::START));
    let server = Server::new(&clock, ms(5));
    let gate = gate(&clock, &window(1, 1.0), &Member::of(&server));
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut callers = Vec::new();
    for (at, who) in [(0, "b1"), (0, "b2"), (0, "b3"), (3, "i1"), (4, "i2")] {
        let (gate, order) = (Arc::clone(&gate), Arc::clone(&order));
        callers.push(tokio::spawn(async move {
            tokio::time::sleep(ms(at)).await;
            let priority = if who.starts_with('b') { Priority::Background } else { Priority::Interactive };
            let slot = gate.pass(Ask { priority, max_wait: None }).await.unwrap();
            order.lock().push(who);
            slot.done(true);
        }));
    }
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(*order.lock(), ["b1", "i1", "i2", "b2", "b3"]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_while_it_asks_leaves_no_slot_taken() {
    let clock = Clock::new(headroom_engine::clock::VirtualClock::at(crate::support::START));
    let server = Server::new(&clock, ms(5));
    let gate = gate(&clock, &window(1, 60.0), &Member::of(&server));
    let next = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move {
            tokio::time::sleep(ms(1)).await;
            gate.pass(PATIENT).await.unwrap().done(true);
        }
    });
    // The server has given it the only slot; the answer is on its way back.
    assert!(tokio::time::timeout(ms(7), gate.pass(PATIENT)).await.is_err());
    assert_eq!((server.out(), server.book.lock().unused), (0, 1));
    let began = clock.mono();
    next.await.unwrap();
    assert!(clock.mono().since(began) < s(1), "the next in line has it at once");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_not_wait_is_told_when_the_others_leave_room() {
    let clock = Clock::new(headroom_engine::clock::VirtualClock::at(crate::support::START));
    let server = Server::new(&clock, ms(2));
    let (here, there) = (Member::of(&server), Member::of(&server));
    let (here, there) = (gate(&clock, &window(2, 30.0), &here), gate(&clock, &window(2, 30.0), &there));
    for _ in 0..2 {
        there.pass(PATIENT).await.unwrap().done(true);
    }
    let refusal = here.pass(Ask { max_wait: Some(Duration::ZERO), ..PATIENT }).await.unwrap_err();
    assert_eq!(refusal.why, Why::OverBudget);
    let wait = refusal.until.since(clock.mono());
    assert!(wait > s(29) && wait <= s(30), "{wait:?}");
    assert_eq!(here.view().windows[0].1, 2, "the gauge shows what all have used");
    let asked = server.book.lock().asked;
    // Nobody asks again before there can be a slot.
    assert!(here.pass(Ask { max_wait: Some(s(5)), ..PATIENT }).await.is_err());
    assert_eq!(server.book.lock().asked, asked);
    here.pass(Ask { max_wait: Some(s(31)), ..PATIENT }).await.unwrap().done(true);
}

#[tokio::test(start_paused = true)]
async fn b1_a_ban_told_by_the_others_refuses_everybody_in_line_and_is_news_once() {
    let clock = Clock::new(headroom_engine::clock::VirtualClock::at(crate::support::START));
    let server = Server::new(&clock, ms(2));
    let (a, b) = (Member::of(&server), Member::of(&server));
    let (here, there) = (gate(&clock, &window(9, 1.0), &a), gate(&clock, &window(9, 1.0), &b));
    let slot = there.pass(PATIENT).await.unwrap();
    let _ = slot.refused(BanKind::Rate, OTHER, Some(s(300)), s(30));
    let waiting: Vec<_> = (0..6)
        .map(|_| {
            let here = Arc::clone(&here);
            tokio::spawn(async move { here.pass(PATIENT).await.unwrap_err() })
        })
        .collect();
    for refusal in waiting {
        let refusal = refusal.await.unwrap();
        assert_eq!(refusal.why, Why::Banned(BanKind::Rate));
        assert!(refusal.until.since(clock.mono()) > s(298));
    }
    assert_eq!((a.adopted.load(Ordering::Relaxed), b.adopted.load(Ordering::Relaxed)), (1, 0));
    assert_eq!(server.book.lock().slots.len(), 1, "nothing was sent from here");
    assert!(here.view().cooldown_until.is_some(), "background calls wait here too");
    // Cleared on both, the next call goes.
    assert!(here.clear_ban() && there.clear_ban());
    here.pass(PATIENT).await.unwrap().done(true);
}

#[tokio::test(start_paused = true)]
async fn b7_a_gate_that_loses_the_others_in_mid_question_waits_them_out_and_uses_its_part() {
    let clock = Clock::new(headroom_engine::clock::VirtualClock::at(crate::support::START));
    let server = Server::new(&clock, ms(5));
    let member = Member::of(&server);
    let gate = gate(&clock, &window(10, 5.0), &member);
    gate.pass(PATIENT).await.unwrap().done(true);
    let began = clock.mono();
    let asking = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.pass(PATIENT).await.unwrap() }
    });
    tokio::time::sleep(ms(2)).await;
    member.lose(began + s(4));
    asking.await.unwrap().done(true);
    let waited = clock.mono().since(began);
    assert!(waited >= s(9) && waited < ms(9_100), "{waited:?}: four seconds and the window");
    for _ in 0..4 {
        gate.pass(PATIENT).await.unwrap().done(true);
    }
    let refusal = gate.pass(Ask { max_wait: Some(s(1)), ..PATIENT }).await.unwrap_err();
    assert_eq!(refusal.why, Why::OverBudget, "five of ten are the others'");
    // They are back: the whole is there again.
    member.reachable.store(true, Ordering::Relaxed);
    member.apart.lock().others_until = None;
    gate.standing_changed();
    for _ in 0..5 {
        gate.pass(Ask { max_wait: Some(s(1)), ..PATIENT }).await.unwrap().done(true);
    }
}
