//! The door of one service: who may send now, who waits, who is refused.
//!
//! The rules are plain functions of state and time ([`State::admit`]); [`Gate::pass`] adds the waiting.
//! Callers queue by priority, first come first served within one; only the first in line watches the
//! clock, the others are woken when it leaves. A budget kept together with other machines
//! ([`SharedBudget`]) is asked last, by the first in line, when nothing else stands in its way.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::ban::{BanChange, Bans, Hold, Incident, SavedBan};
use super::ledger::Ledger;
use super::together::{Rule, SharedBan, SharedBudget, SharedSlot, Standing, Taken, Told};
use super::{Budget, Window};
use crate::clock::{Clock, Mono};
use crate::service::{BanKind, EndpointId, ServerLimit};

/// Who goes first, and what may hold a call back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Priority {
    /// Somebody waits for the answer: the window, the command line, a tool at the gateway.
    Interactive,
    /// The poller of plays.
    Poller,
    /// Enrichment and other work that can wait; kept out by cooldowns and most of a spent quota.
    Background,
}

/// What a call asks of its gate.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Its place in line.
    pub priority: Priority,
    /// How long it may wait for windows and spacing; `None` is without bound.
    pub max_wait: Option<Duration>,
}

/// Why a call may not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The provider refuses us; no call waits for that.
    Banned(BanKind),
    /// After a ban: no background calls yet.
    Cooldown,
    /// The budget has no slot within the time the call may wait.
    OverBudget,
    /// Background calls leave the rest of the quota to the user.
    QuotaReserve,
    /// The user has paused all calls.
    Paused,
}

/// A call that was not sent, and when it may return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub why: Why,
    /// The earliest time worth another try.
    pub until: Mono,
}

/// What a gate shows of itself.
#[derive(Clone, Debug)]
pub struct GateView {
    /// The windows in force and their used slots.
    pub windows: Vec<(Window, u32)>,
    /// See [`Budget::limit`], corrected by what the server said.
    pub limit: u32,
    /// The running ban.
    pub ban: Option<Incident>,
    /// End of the cooldown, once the ban is over or while it runs.
    pub cooldown_until: Option<Mono>,
    /// Calls in line.
    pub waiting: u32,
}

/// The door of one service.
pub struct Gate {
    clock: Clock,
    state: Mutex<State>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("state", &*self.state.lock()).finish_non_exhaustive()
    }
}

/// The right to send one call. Dropping it gives the slot back as well: what was sent may have been
/// counted, so the window runs from then.
#[derive(Debug)]
pub struct Slot {
    gate: Arc<Gate>,
    epoch: u64,
    probe: bool,
    shared: Option<(Arc<dyn SharedBudget>, SharedSlot)>,
    returned: bool,
}

#[derive(Debug)]
struct Waiting {
    id: u64,
    wake: Arc<Notify>,
}

/// Calls the server still allows, by its own words.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    left: u32,
    until: Mono,
}

#[derive(Debug)]
struct State {
    /// What the user or the catalogue says.
    configured: Budget,
    /// The same, corrected downward by the server's headers.
    in_force: Budget,
    server: Option<Window>,
    allowance: Option<Allowance>,
    ledger: Ledger,
    last_send: Option<Mono>,
    bans: Bans,
    lines: [VecDeque<Waiting>; 3],
    next_id: u64,
    /// Who keeps the budget with us.
    shared: Option<Arc<dyn SharedBudget>>,
    /// The others have no slot before this.
    held_until: Option<Mono>,
    told: Option<Told>,
}

enum Admission {
    Go,
    NotBefore(Mono),
    /// Nothing but an answer can make room.
    WhenAnswered,
    Refused(Refusal),
}

impl State {
    fn new(budget: Budget) -> Self {
        Self {
            in_force: budget.clone(),
            configured: budget,
            server: None,
            allowance: None,
            ledger: Ledger::default(),
            last_send: None,
            bans: Bans::new(),
            lines: Default::default(),
            next_id: 0,
            shared: None,
            held_until: None,
            told: None,
        }
    }

    fn standing(&self, now: Mono) -> Option<Standing> {
        self.shared.as_ref().map(|shared| shared.standing(now))
    }

    fn rule(&self, now: Mono, standing: Option<&Standing>) -> Rule<'_> {
        match standing {
            None => Rule::alone(&self.in_force),
            Some(standing) => {
                Rule::shared(&self.in_force, now, standing, self.held_until, self.told.as_ref())
            }
        }
    }

    /// Whether the first in line may send now.
    fn admit(&mut self, now: Mono, priority: Priority, standing: Option<&Standing>) -> Admission {
        match self.bans.hold(now, priority) {
            Some(Hold::Banned(ban)) => {
                return Admission::Refused(Refusal { why: Why::Banned(ban.kind), until: ban.until });
            }
            Some(Hold::Cooldown(until)) => return Admission::Refused(Refusal { why: Why::Cooldown, until }),
            Some(Hold::Probing) => return Admission::WhenAnswered,
            None => {}
        }
        self.ledger.expire(now, self.longest_window());
        let rule = self.rule(now, standing);
        let free = self.free_at(now, 0, &rule);
        let full = rule.budget.windows.iter().any(|w| self.ledger.used(w, now) >= w.calls as usize);
        match free {
            free if free > now => Admission::NotBefore(free),
            _ if full => Admission::WhenAnswered,
            _ => Admission::Go,
        }
    }

    /// The earliest time at which a caller with `ahead` others before it may send: a lower bound.
    fn free_at(&self, now: Mono, ahead: usize, rule: &Rule<'_>) -> Mono {
        let spacing = Duration::from_millis(u64::from(rule.budget.spacing_ms));
        let turns = spacing.saturating_mul(u32::try_from(ahead).unwrap_or(u32::MAX));
        let spaced = self.last_send.map_or(now, |last| (last + spacing).max(now)) + turns;
        let held = self.allowance.filter(|a| a.left == 0 && now < a.until).map_or(now, |a| a.until);
        let windows = rule.budget.windows.iter().map(|w| self.ledger.free_at(w, now, ahead));
        windows.fold(spaced.max(held), Mono::max).max(rule.not_before.unwrap_or(now))
    }

    fn longest_window(&self) -> Duration {
        // The configured ones: a correction by the server may pass, their log may not.
        let windows = self.configured.windows.iter().chain(&self.in_force.windows);
        windows.map(Window::length).max().unwrap_or_default()
    }

    fn send(&mut self, now: Mono) -> (u64, bool) {
        self.ledger.take();
        self.last_send = Some(now);
        if let Some(allowance) = &mut self.allowance {
            allowance.left = allowance.left.saturating_sub(1);
        }
        let probe = self.bans.sent();
        (self.bans.epoch(), probe)
    }

    /// Takes up how many slots everybody has taken, of which ours are known.
    fn tell(&mut self, now: Mono, windows: &[Window], used: &[u32]) {
        let others = windows.iter().zip(used).map(|(window, used)| {
            let ours = u32::try_from(self.ledger.used(window, now)).unwrap_or(u32::MAX);
            (*window, used.saturating_sub(ours))
        });
        self.told = Some(Told { at: now, others: others.collect() });
    }

    fn adopt(&mut self, now: Mono, ban: &SharedBan) -> BanChange {
        let change = self.bans.adopt(now, ban);
        if change != BanChange::Known {
            self.wake_all();
        }
        change
    }

    /// How many are in line before the waiter `id` of this priority.
    fn ahead(&self, priority: Priority, id: u64) -> usize {
        let line = priority as usize;
        let before: usize = self.lines[..line].iter().map(VecDeque::len).sum();
        let place = self.lines[line].iter().position(|w| w.id == id);
        before + place.unwrap_or(self.lines[line].len())
    }

    fn leave(&mut self, priority: Priority, id: u64) {
        self.lines[priority as usize].retain(|w| w.id != id);
        self.wake_first();
    }

    fn wake_first(&self) {
        if let Some(first) = self.lines.iter().find_map(VecDeque::front) {
            first.wake.notify_one();
        }
    }

    fn wake_all(&self) {
        self.lines.iter().flatten().for_each(|waiting| waiting.wake.notify_one());
    }

    fn apply_server(&mut self) {
        self.in_force = self.configured.clone();
        let Some(server) = self.server else { return };
        let mut known = false;
        for window in self.in_force.windows.iter_mut().filter(|w| (w.seconds - server.seconds).abs() < 1e-6) {
            window.calls = window.calls.min(server.calls);
            known = true;
        }
        if !known {
            self.in_force.windows.push(server);
        }
    }
}

/// A place in line, given up when the caller goes away.
struct Place<'a> {
    gate: &'a Gate,
    priority: Priority,
    id: u64,
    wake: Arc<Notify>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.state.lock().leave(self.priority, self.id);
    }
}

/// A question to the others, put outside of the lock.
struct Question {
    shared: Arc<dyn SharedBudget>,
    budget: Budget,
    epoch: u64,
}

enum Step {
    Pass(u64, bool, Option<(Arc<dyn SharedBudget>, SharedSlot)>),
    Ask(Question),
    Refused(Refusal),
    Wait(Option<Mono>),
}

impl Gate {
    /// A gate with this budget and nothing used.
    #[must_use]
    pub fn new(clock: Clock, budget: Budget) -> Arc<Self> {
        Arc::new(Self { clock, state: Mutex::new(State::new(budget)) })
    }

    /// Waits for a slot, or says why there is none and until when. Dropping the future gives up the
    /// place in line.
    ///
    /// # Errors
    /// A running ban, a cooldown (background calls), or no slot within `ask.max_wait`; the last is
    /// said as soon as it is certain.
    pub async fn pass(self: &Arc<Self>, ask: Ask) -> Result<Slot, Refusal> {
        let deadline = ask.max_wait.map(|wait| self.clock.mono() + wait);
        let place = self.enter(ask.priority);
        loop {
            match self.step(&place, deadline) {
                Step::Pass(epoch, probe, shared) => {
                    return Ok(Slot { gate: Arc::clone(self), epoch, probe, shared, returned: false });
                }
                Step::Ask(question) => {
                    let taken = question.shared.take(&question.budget).await;
                    if let Some(slot) = self.answered(ask.priority, question, taken) {
                        return Ok(slot);
                    }
                }
                Step::Refused(refusal) => return Err(refusal),
                Step::Wait(None) => place.wake.notified().await,
                Step::Wait(Some(until)) => tokio::select! {
                    () = place.wake.notified() => {}
                    () = self.clock.sleep_towards(until) => {}
                },
            }
        }
    }

    fn enter(&self, priority: Priority) -> Place<'_> {
        let mut state = self.state.lock();
        let id = state.next_id;
        state.next_id += 1;
        let wake = Arc::new(Notify::new());
        state.lines[priority as usize].push_back(Waiting { id, wake: Arc::clone(&wake) });
        Place { gate: self, priority, id, wake }
    }

    fn step(&self, place: &Place<'_>, deadline: Option<Mono>) -> Step {
        let mut state = self.state.lock();
        let now = self.clock.mono();
        let ahead = state.ahead(place.priority, place.id);
        let standing = state.standing(now);
        let free = match state.admit(now, place.priority, standing.as_ref()) {
            Admission::Refused(refusal) => return Step::Refused(refusal),
            Admission::Go if ahead == 0 => {
                if let Some(shared) = state.shared.clone().filter(|_| standing.is_some_and(|s| s.together)) {
                    let (budget, epoch) = (state.in_force.clone(), state.bans.epoch());
                    return Step::Ask(Question { shared, budget, epoch });
                }
                let (epoch, probe) = state.send(now);
                let apart = state.shared.as_ref().map(|shared| (Arc::clone(shared), shared.sent_apart()));
                return Step::Pass(epoch, probe, apart);
            }
            Admission::NotBefore(free) if ahead == 0 => Some(free),
            _ => None,
        };
        let Some(deadline) = deadline else { return Step::Wait(free) };
        let earliest = state.free_at(now, ahead, &state.rule(now, standing.as_ref()));
        if earliest > deadline || now >= deadline {
            // With room in the budget but others before us, "now" would be no answer.
            let until = earliest.max(now + Duration::from_secs(1));
            return Step::Refused(Refusal { why: Why::OverBudget, until });
        }
        Step::Wait(Some(free.map_or(deadline, |free| free.min(deadline))))
    }

    /// What the others said, and what became of things here meanwhile.
    fn answered(self: &Arc<Self>, priority: Priority, question: Question, taken: Taken) -> Option<Slot> {
        let Question { shared, budget, epoch: asked_in } = question;
        let mut state = self.state.lock();
        let now = self.clock.mono();
        match taken {
            Taken::Go { slot, used } => {
                state.tell(now, &budget.windows, &used);
                let standing = state.standing(now);
                if matches!(state.admit(now, priority, standing.as_ref()), Admission::Go) {
                    let (epoch, probe) = state.send(now);
                    let shared = Some((shared, slot));
                    return Some(Slot { gate: Arc::clone(self), epoch, probe, shared, returned: false });
                }
                drop(state);
                shared.give_back(slot, false);
            }
            Taken::NotBefore { wait, used } => {
                state.tell(now, &budget.windows, &used);
                state.held_until = Some(now + wait.max(Duration::from_millis(1)));
            }
            // A ban that was cleared while we asked is not taken up again.
            Taken::Banned(ban) if state.bans.epoch() == asked_in => {
                let change = state.adopt(now, &ban);
                drop(state);
                if let BanChange::Began(ban) = change {
                    shared.adopted(&ban);
                }
            }
            Taken::Banned(_) | Taken::Gone => {}
        }
        None
    }

    /// Keeps the budget with others from now on, or alone again.
    pub fn share(&self, shared: Option<Arc<dyn SharedBudget>>) {
        let mut state = self.state.lock();
        state.shared = shared;
        (state.held_until, state.told) = (None, None);
        state.wake_all();
    }

    /// The others can be asked again, or no longer: everybody in line looks anew.
    pub fn standing_changed(&self) {
        let mut state = self.state.lock();
        state.held_until = None;
        state.wake_all();
    }

    /// Takes up what everybody together has used of `windows`.
    pub fn told(&self, windows: &[Window], used: &[u32]) {
        self.state.lock().tell(self.clock.mono(), windows, used);
    }

    /// Counts incidents: a ban told by others is of the same time while this stays the same.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.state.lock().bans.epoch()
    }

    /// Takes up a ban another machine met, if no ban was met or cleared here since `epoch`. Tells of a
    /// new one.
    #[must_use]
    pub fn adopt(&self, ban: &SharedBan, epoch: u64) -> Option<Incident> {
        let mut state = self.state.lock();
        if state.bans.epoch() != epoch {
            return None;
        }
        match state.adopt(self.clock.mono(), ban) {
            BanChange::Began(ban) => Some(ban),
            BanChange::Extended(_) | BanChange::Known => None,
        }
    }

    /// The windows in force.
    #[must_use]
    pub fn windows(&self) -> Vec<Window> {
        self.state.lock().in_force.windows.clone()
    }

    /// What the windows hold: when each recent call was answered, how many are still out, and when the
    /// last one was sent.
    #[must_use]
    pub fn calls(&self) -> (Vec<Mono>, usize, Option<Mono>) {
        let state = self.state.lock();
        (state.ledger.answered().collect(), state.ledger.in_flight(), state.last_send)
    }

    /// Replaces the budget; slots in use stay used.
    pub fn set_budget(&self, budget: Budget) {
        let mut state = self.state.lock();
        state.configured = budget;
        state.apply_server();
        state.wake_all();
    }

    /// Takes up what the server's headers said. It narrows the budget, never widens it.
    pub fn correct(&self, said: ServerLimit) {
        let mut state = self.state.lock();
        let server = said.seconds.map(|seconds| Window { seconds, calls: said.calls.max(1) });
        if server != state.server {
            state.server = server;
            state.apply_server();
        }
        // What is in flight may not be in the server's count yet. The call that brought this header
        // still holds its own slot, and is in the count.
        let out = u32::try_from(state.ledger.in_flight().saturating_sub(1)).unwrap_or(u32::MAX);
        let reset = Duration::try_from_secs_f64(said.reset_in_s.clamp(0.0, 3_600.0)).unwrap_or_default();
        let until = self.clock.mono() + reset;
        state.allowance = Some(Allowance { left: said.remaining.saturating_sub(out), until });
    }

    /// Forgets ban, cooldown and escalation after a sign-in; the next call is a single probe. Tells
    /// whether there was anything to clear.
    pub fn clear_ban(&self) -> bool {
        let mut state = self.state.lock();
        let cleared = state.bans.clear(self.clock.mono());
        state.wake_all();
        if let Some(shared) = &state.shared {
            shared.cleared();
        }
        cleared
    }

    /// The running ban.
    #[must_use]
    pub fn ban(&self) -> Option<Incident> {
        self.state.lock().bans.running(self.clock.mono())
    }

    /// Gauges, bans and the line, as they are now.
    #[must_use]
    pub fn view(&self) -> GateView {
        let mut state = self.state.lock();
        let now = self.clock.mono();
        let longest = state.longest_window();
        state.ledger.expire(now, longest);
        let told = state.told.as_ref().filter(|_| state.standing(now).is_some_and(|s| s.together));
        let used = |w: &Window| {
            let ours = u32::try_from(state.ledger.used(w, now)).unwrap_or(u32::MAX);
            ours.saturating_add(told.map_or(0, |told| told.others(w)))
        };
        GateView {
            windows: state.in_force.windows.iter().map(|w| (*w, used(w))).collect(),
            limit: state.in_force.limit(),
            ban: state.bans.running(now),
            cooldown_until: state.bans.cooldown_until(now),
            waiting: u32::try_from(state.lines.iter().map(VecDeque::len).sum::<usize>()).unwrap_or(u32::MAX),
        }
    }

    /// What is to be stored of the bans: also past ones, while they still count for the next.
    #[must_use]
    pub fn saved_ban(&self, name: impl Fn(EndpointId) -> &'static str) -> Option<SavedBan> {
        self.state.lock().bans.save(&self.clock, name)
    }

    /// Takes up a stored ban. Its end is kept; after it comes a single probe.
    pub fn restore_ban(&self, saved: &SavedBan, endpoint: EndpointId) {
        self.state.lock().bans.restore(saved, endpoint, &self.clock);
    }

    /// Fills the windows with calls of an earlier run, each answered at the latest at the time given.
    pub fn restore_calls(&self, answered: impl IntoIterator<Item = Mono>) {
        let mut state = self.state.lock();
        for at in answered {
            state.ledger.restore(at);
            state.last_send = state.last_send.max(Some(at));
        }
    }
}

impl Slot {
    /// Whether a ban began, or was cleared, since the slot was given: the line must be passed again.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.gate.state.lock().bans.epoch() != self.epoch
    }

    /// The service answered, or the call failed, without a refusal. `answered` tells which: an answer
    /// ends the time of the single probe, a failure makes the next call the probe.
    pub fn done(mut self, answered: bool) {
        // Only the probe proves anything: an answer to a call from before the ban does not.
        let proves = answered && self.probe;
        self.give_back(|state| {
            if proves {
                state.bans.probe_back(true);
            }
        });
    }

    /// Nothing was sent: the slot is free again at once. The spacing runs on.
    pub fn unused(mut self) {
        self.returned = true;
        let mut state = self.gate.state.lock();
        state.ledger.untake();
        if self.probe {
            state.bans.probe_back(false);
        }
        state.wake_first();
        drop(state);
        if let Some((shared, slot)) = self.shared.take() {
            shared.give_back(slot, false);
        }
    }

    /// The service refused. Tells what that changed; every caller in line is told at once.
    #[must_use]
    pub fn refused(
        mut self,
        kind: BanKind,
        endpoint: EndpointId,
        given: Option<Duration>,
        default: Duration,
    ) -> BanChange {
        let (now, epoch) = (self.gate.clock.mono(), self.epoch);
        let mut change = BanChange::Known;
        self.give_back(|state| {
            change = state.bans.refused(now, epoch, kind, endpoint, given, default);
            if let (Some(shared), BanChange::Began(ban) | BanChange::Extended(ban)) = (&state.shared, change)
            {
                shared.banned(&ban);
            }
            state.wake_all();
        });
        change
    }

    fn give_back(&mut self, then: impl FnOnce(&mut State)) {
        self.returned = true;
        let mut state = self.gate.state.lock();
        let now = self.gate.clock.mono();
        state.ledger.give_back(now);
        then(&mut state);
        if self.probe {
            // If it is still out it was neither answered nor refused: the next call is the probe.
            state.bans.probe_back(false);
        }
        state.wake_first();
        drop(state);
        if let Some((shared, slot)) = self.shared.take() {
            shared.give_back(slot, true);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.returned {
            self.give_back(|_| {});
        }
    }
}
