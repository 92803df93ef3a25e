//! What is counted: the rolling minute, the minutes of a day, outcomes, events.
//!
//! Two times run side by side. Rates use the monotonic clock. Minutes carry wall-clock labels for
//! people, but are kept on a steady clock of their own: when somebody sets the wall clock, all labels
//! move together ([`Meter::tick`]), so no total changes and no minute is counted twice.
//!
//! Invariant: a call is counted when it is sent, once, whatever becomes of it.

mod counts;
mod events;
pub mod history;
mod import;
mod rate;
pub mod rollup;
mod saved;
mod summary;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, Mono, Wall};
use crate::service::{EndpointId, OTHER, ServiceId};
pub use counts::{Counts, Outcome};
use counts::{MinuteNo, Series};
pub use events::{EVENTS_KEPT, Event, EventKind};
pub use import::{ImportError, Imported};
use rate::Rate;
pub use saved::Unwritten;
pub use summary::{ServiceSummary, Summary};

/// Minutes that make the 24 h of a chart, the running one included.
pub const DAY_MINUTES: i64 = 1_440;
/// Minutes kept: an hour more, so that the hourly sums always see whole hours.
const KEPT_MINUTES: i64 = DAY_MINUTES + 60;
/// A difference between the clocks up to this is drift, not somebody's hand.
const DRIFT_MS: i64 = 2_000;
/// Callers told apart; more are counted together.
const CALLERS_MAX: usize = 200;

/// Counts everything. One per engine; see the [module](self).
#[derive(Debug)]
pub struct Meter {
    clock: Clock,
    /// Wall minus monotonic time, in milliseconds, as the labels use it.
    offset_ms: AtomicI64,
    services: Vec<Mutex<ServiceMeter>>,
    callers: RwLock<Vec<Arc<str>>>,
    events: Mutex<VecDeque<Event>>,
    /// Rises with everything that could change a gauge.
    changes: AtomicU64,
}

#[derive(Debug)]
struct ServiceMeter {
    /// By endpoint, `other` last.
    series: Vec<Series>,
    rate: Rate,
    /// What the journal does not have yet.
    pending: Vec<Pending>,
    day: DaySum,
    /// By caller.
    uses: Vec<CallerUse>,
    since_start: Counts,
}

/// What a caller used since it was first seen, or since [`Meter::forget_caller`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerUse {
    /// Calls sent.
    pub calls: u64,
    /// Answers given from the cache.
    pub hits: u64,
    /// When the last of both was, unix seconds; 0 for never.
    pub last: i64,
}

impl CallerUse {
    fn add(&mut self, calls: u32, hits: u32, at: i64) {
        if calls > 0 || hits > 0 {
            self.calls += u64::from(calls);
            self.hits += u64::from(hits);
            self.last = self.last.max(at);
        }
    }
}

/// Sums of the last 24 h, made anew each minute.
#[derive(Debug, Default, Clone, Copy)]
struct DaySum {
    minute: MinuteNo,
    counts: Counts,
}

/// Counts of one endpoint and caller in one minute that are not on disk yet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pending {
    minute: MinuteNo,
    endpoint: u8,
    caller: u16,
    counts: Counts,
}

/// Names and how often: a JSON object, in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally(pub Vec<(Arc<str>, u32)>);

impl Serialize for Tally {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, count)| (&**name, count)))
    }
}

/// One service's rolling minute.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MinuteRates {
    /// Calls in the last 60 s.
    pub cpm: u32,
    /// The same by endpoint, busiest first.
    pub endpoints: Tally,
    /// The same by caller, busiest first.
    pub callers: Tally,
    /// Answers from the cache in the last 60 s.
    pub hits: u32,
    /// Calls of the running minute.
    pub this_minute: u32,
    /// Calls in the last 24 h.
    pub calls_24h: u32,
    /// Answers from the cache in the last 24 h.
    pub hits_24h: u32,
}

/// The calls of a service, minute by minute.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayMinutes {
    /// The first minute, in unix seconds.
    pub start: i64,
    /// Calls in each minute from `start` on, [`DAY_MINUTES`] of them, the running minute last.
    pub calls: Vec<u32>,
    /// Answers from the cache, likewise.
    pub hits: Vec<u32>,
    /// Calls by endpoint, likewise: every endpoint with a call in these 24 h.
    pub endpoints: BTreeMap<&'static str, Vec<u32>>,
}

impl Meter {
    /// A meter with nothing counted.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let offset = Self::true_offset(&clock);
        let services = ServiceId::ALL.iter().map(|id| {
            let endpoints = id.service().endpoints.len() + 1;
            Mutex::new(ServiceMeter {
                series: vec![Series::default(); endpoints],
                rate: Rate::new(endpoints),
                pending: Vec::new(),
                day: DaySum::default(),
                uses: Vec::new(),
                since_start: Counts::default(),
            })
        });
        Self {
            services: services.collect(),
            offset_ms: AtomicI64::new(offset),
            callers: RwLock::new(Vec::new()),
            events: Mutex::new(VecDeque::new()),
            changes: AtomicU64::new(0),
            clock,
        }
    }

    fn true_offset(clock: &Clock) -> i64 {
        clock.wall().millis() - clock.mono().millis_from(Mono::default())
    }

    fn label_ms(&self, at: Mono) -> i64 {
        at.millis_from(Mono::default()).saturating_add(self.offset_ms.load(Ordering::Relaxed))
    }

    fn minute(&self, at: Mono) -> MinuteNo {
        self.label_ms(at).div_euclid(60_000)
    }

    /// The running minute, in unix seconds.
    #[must_use]
    pub fn this_minute(&self) -> i64 {
        self.minute(self.clock.mono()) * 60
    }

    /// Rises whenever something was counted: equal numbers mean equal gauges, but for time passing.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// A call leaves the machine.
    pub fn sent(&self, service: ServiceId, endpoint: EndpointId, caller: &str) {
        let now = self.clock.mono();
        let caller = self.caller_no(caller);
        self.count(
            service,
            endpoint,
            caller,
            now,
            &Counts { calls: 1, ..Counts::default() },
            |rate, endpoint| {
                rate.call(now, endpoint, caller);
            },
        );
    }

    /// A call came back, or failed. `ms` is the time from send to answer.
    pub fn ended(
        &self,
        service: ServiceId,
        endpoint: EndpointId,
        caller: &str,
        outcome: Outcome,
        ms: u64,
        bytes: u64,
    ) {
        let mut counts = Counts { ms, bytes, ..Counts::default() };
        match outcome {
            Outcome::Ok => counts.ok = 1,
            Outcome::NotFound => counts.not_found = 1,
            Outcome::Refused => counts.refused = 1,
            Outcome::Failed => counts.failed = 1,
        }
        self.count(service, endpoint, self.caller_no(caller), self.clock.mono(), &counts, |_, _| {});
    }

    /// An answer was given from the cache.
    pub fn hit(&self, service: ServiceId, endpoint: EndpointId, caller: &str) {
        let now = self.clock.mono();
        let counts = Counts { hits: 1, ..Counts::default() };
        self.count(service, endpoint, self.caller_no(caller), now, &counts, |rate, _| rate.hits(now, 1));
    }

    fn count(
        &self,
        service: ServiceId,
        endpoint: EndpointId,
        caller: u16,
        now: Mono,
        counts: &Counts,
        rate: impl FnOnce(&mut Rate, u8),
    ) {
        let at_ms = self.label_ms(now);
        let minute = at_ms.div_euclid(60_000);
        let mut meter = self.services[service.index()].lock();
        let slot = meter.slot(endpoint);
        meter.series[usize::from(slot)].at(minute).add(counts);
        meter.day.counts.add(counts);
        meter.since_start.add(counts);
        meter.caller_use(caller).add(counts.calls, counts.hits, at_ms.div_euclid(1_000));
        rate(&mut meter.rate, slot);
        meter.pend(minute, slot, caller, counts);
        drop(meter);
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    fn caller_no(&self, name: &str) -> u16 {
        let find = |names: &[Arc<str>]| names.iter().position(|known| &**known == name);
        if let Some(no) = find(&self.callers.read()) {
            return u16::try_from(no).unwrap_or(u16::MAX);
        }
        let mut names = self.callers.write();
        let full = names.len() >= CALLERS_MAX;
        let name = if full { "others" } else { name };
        let no = names.iter().position(|known| &**known == name).unwrap_or_else(|| {
            names.push(Arc::from(name));
            names.len() - 1
        });
        u16::try_from(no).unwrap_or(u16::MAX)
    }

    fn caller_name(&self, no: u16) -> Arc<str> {
        self.callers.read().get(usize::from(no)).cloned().unwrap_or_else(|| Arc::from("others"))
    }

    /// What a caller used of all services since it was first seen. Kept across restarts.
    #[must_use]
    pub fn caller_use(&self, name: &str) -> CallerUse {
        let mut sum = CallerUse::default();
        let Some(no) = self.callers.read().iter().position(|known| &**known == name) else { return sum };
        for meter in &self.services {
            if let Some(used) = meter.lock().uses.get(no) {
                sum.calls += used.calls;
                sum.hits += used.hits;
                sum.last = sum.last.max(used.last);
            }
        }
        sum
    }

    /// Begins anew for a caller of this name: another tool has it now.
    pub fn forget_caller(&self, name: &str) {
        let Some(no) = self.callers.read().iter().position(|known| &**known == name) else { return };
        for meter in &self.services {
            if let Some(used) = meter.lock().uses.get_mut(no) {
                *used = CallerUse::default();
            }
        }
    }

    /// Everything counted of a service since this engine started.
    #[must_use]
    pub fn since_start(&self, service: ServiceId) -> Counts {
        self.services[service.index()].lock().since_start
    }

    /// One service's rolling minute, as it is now.
    #[must_use]
    pub fn rates(&self, service: ServiceId) -> MinuteRates {
        let now = self.clock.mono();
        let minute = self.minute(now);
        let names = self.callers.read();
        let mut meter = self.services[service.index()].lock();
        meter.rate.expire(now);
        meter.renew_day(minute);
        let this_minute = meter.series.iter().flat_map(|s| s.since(minute)).map(|(_, c)| c.calls).sum();
        let catalogue = service.service();
        let endpoint = |slot: usize| endpoint_name(catalogue, slot);
        MinuteRates {
            cpm: meter.rate.calls(),
            endpoints: tally(&meter.rate.by_endpoint, |slot| Arc::from(endpoint(slot))),
            callers: tally(&meter.rate.by_caller, |no| {
                names.get(no).cloned().unwrap_or_else(|| Arc::from("others"))
            }),
            hits: meter.rate.hit_count(),
            this_minute,
            calls_24h: meter.day.counts.calls,
            hits_24h: meter.day.counts.hits,
        }
    }

    /// Calls of one service in the last `length` (at most 24 h), to the minute.
    #[must_use]
    pub fn calls_within(&self, service: ServiceId, length: Duration) -> u32 {
        let minute = self.minute(self.clock.mono());
        let minutes = i64::try_from(length.as_secs().div_ceil(60)).unwrap_or(DAY_MINUTES).min(DAY_MINUTES);
        let mut meter = self.services[service.index()].lock();
        if minutes == DAY_MINUTES {
            meter.renew_day(minute);
            return meter.day.counts.calls;
        }
        meter.series.iter().flat_map(|s| s.since(minute - minutes)).map(|(_, c)| c.calls).sum()
    }

    /// When fewer than `calls` calls will lie within `length`, if no more are made.
    #[must_use]
    pub fn below_at(&self, service: ServiceId, length: Duration, calls: u32) -> Mono {
        let now = self.clock.mono();
        let minutes = i64::try_from(length.as_secs().div_ceil(60)).unwrap_or(DAY_MINUTES).min(DAY_MINUTES);
        let meter = self.services[service.index()].lock();
        let by_minute = meter.by_minute(self.minute(now) - minutes);
        let mut left: u32 = by_minute.values().sum();
        for (minute, count) in by_minute {
            left -= count;
            if left < calls {
                let label = Wall::from_seconds((minute + minutes + 1) * 60);
                return now
                    + Duration::from_millis(u64::try_from(label.millis() - self.label_ms(now)).unwrap_or(0));
            }
        }
        now
    }

    /// When each call of the last `length` was made at the latest: exact for the last minute, to the
    /// end of its minute before. For filling the windows of a budget after a restart.
    #[must_use]
    pub fn recent_calls(&self, service: ServiceId, length: Duration) -> Vec<Mono> {
        let now = self.clock.mono();
        let meter = self.services[service.index()].lock();
        let mut times: Vec<Mono> = meter.rate.recent().map(|(at, _, _)| *at).collect();
        let logged = times.len();
        let since = self.minute(now - length);
        let minutes: Vec<Mono> = meter
            .by_minute(since)
            .into_iter()
            .flat_map(|(minute, count)| {
                let age_ms = self.label_ms(now) - (minute + 1) * 60_000;
                let at = now - Duration::from_millis(u64::try_from(age_ms).unwrap_or(0));
                std::iter::repeat_n(at, count as usize)
            })
            .collect();
        // The newest of the minutes are the ones the log knows exactly.
        times.extend_from_slice(&minutes[..minutes.len().saturating_sub(logged)]);
        times
    }

    /// A service's calls of the last 24 h, minute by minute.
    #[must_use]
    pub fn day(&self, service: ServiceId) -> DayMinutes {
        let first = self.minute(self.clock.mono()) - (DAY_MINUTES - 1);
        let empty = || vec![0u32; usize::try_from(DAY_MINUTES).unwrap_or(0)];
        let mut day =
            DayMinutes { start: first * 60, calls: empty(), hits: empty(), endpoints: BTreeMap::new() };
        let meter = self.services[service.index()].lock();
        for (slot, series) in meter.series.iter().enumerate() {
            let mut line: Option<Vec<u32>> = None;
            for (minute, counts) in series.since(first) {
                let Some(place) = usize::try_from(minute - first).ok().filter(|p| *p < day.calls.len())
                else {
                    continue;
                };
                day.calls[place] += counts.calls;
                day.hits[place] += counts.hits;
                if counts.calls > 0 {
                    line.get_or_insert_with(empty)[place] += counts.calls;
                }
            }
            if let Some(line) = line {
                day.endpoints.insert(endpoint_name(service.service(), slot), line);
            }
        }
        day
    }

    /// Calls in each of the last 60 minutes, the running one last.
    #[must_use]
    pub fn last_hour(&self, service: ServiceId) -> Vec<u32> {
        let first = self.minute(self.clock.mono()) - 59;
        let mut hour = vec![0u32; 60];
        for (minute, calls) in self.services[service.index()].lock().by_minute(first) {
            if let Some(bar) = usize::try_from(minute - first).ok().and_then(|place| hour.get_mut(place)) {
                *bar = calls;
            }
        }
        hour
    }

    /// Notes an event; the oldest of more than [`EVENTS_KEPT`] is forgotten.
    pub fn note(&self, event: Event) {
        let mut events = self.events.lock();
        if events.len() == EVENTS_KEPT {
            events.pop_front();
        }
        events.push_back(event);
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// The events, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().iter().cloned().collect()
    }

    /// Forgets what is over a day old and looks at the wall clock. Called once a second. When somebody
    /// set the clock, all labels move with it; the step is returned in milliseconds.
    pub fn tick(&self) -> Option<i64> {
        let step = Self::true_offset(&self.clock) - self.offset_ms.load(Ordering::Relaxed);
        let mut locked: Vec<_> = self.services.iter().map(Mutex::lock).collect();
        let now = self.clock.mono();
        let before = self.minute(now);
        self.offset_ms.fetch_add(step, Ordering::Relaxed);
        // The running minute stays the running one: none falls upon another, none lies ahead.
        let minutes = if step.abs() > DRIFT_MS { self.minute(now) - before } else { 0 };
        let first = self.minute(now) - KEPT_MINUTES;
        for meter in &mut locked {
            for series in &mut meter.series {
                if minutes != 0 {
                    series.shift(minutes);
                }
                series.forget_before(first);
            }
            if minutes != 0 {
                meter.pending.iter_mut().for_each(|p| p.minute = p.minute.saturating_add(minutes));
                meter.uses.iter_mut().filter(|u| u.last != 0).for_each(|u| u.last += minutes * 60);
                meter.day.minute = MinuteNo::MIN;
            }
        }
        (step.abs() > DRIFT_MS).then_some(step)
    }
}

impl ServiceMeter {
    /// Where an endpoint's counts lie; `other` comes last.
    fn slot(&self, endpoint: EndpointId) -> u8 {
        let other = u8::try_from(self.series.len() - 1).unwrap_or(u8::MAX);
        endpoint.0.min(other)
    }

    fn caller_use(&mut self, caller: u16) -> &mut CallerUse {
        let no = usize::from(caller);
        if self.uses.len() <= no {
            self.uses.resize(no + 1, CallerUse::default());
        }
        &mut self.uses[no]
    }

    fn pend(&mut self, minute: MinuteNo, endpoint: u8, caller: u16, counts: &Counts) {
        let same = |p: &&mut Pending| p.minute == minute && p.endpoint == endpoint && p.caller == caller;
        match self.pending.iter_mut().rev().find(same) {
            Some(pending) => pending.counts.add(counts),
            None => self.pending.push(Pending { minute, endpoint, caller, counts: *counts }),
        }
    }

    fn renew_day(&mut self, minute: MinuteNo) {
        if self.day.minute == minute {
            return;
        }
        let mut counts = Counts::default();
        self.series.iter().flat_map(|s| s.since(minute - DAY_MINUTES + 1)).for_each(|(_, c)| counts.add(c));
        self.day = DaySum { minute, counts };
    }

    /// Calls of all endpoints by minute, from `first` on.
    fn by_minute(&self, first: MinuteNo) -> BTreeMap<MinuteNo, u32> {
        let mut sums = BTreeMap::new();
        for (minute, counts) in self.series.iter().flat_map(|s| s.since(first)).filter(|(_, c)| c.calls > 0) {
            *sums.entry(*minute).or_default() += counts.calls;
        }
        sums
    }
}

fn endpoint_name(service: &crate::service::Service, slot: usize) -> &'static str {
    service.endpoint_name(u8::try_from(slot).map_or(OTHER, EndpointId))
}

/// The counts that are not zero, with their names, greatest first.
fn tally(counts: &[u32], name: impl Fn(usize) -> Arc<str>) -> Tally {
    let mut named: Vec<_> =
        counts.iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, n)| (name(i), *n)).collect();
    named.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Tally(named)
}
