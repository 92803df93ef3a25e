//! From the meter to a snapshot and back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::counts::{Counts, Series};
use super::history::{Loaded, Recent, Row, SavedService, Snapshot};
use super::rate::MINUTE;
use super::{CallerUse, Event, Meter, Pending, endpoint_name};
use crate::clock::Wall;
use crate::service::{OTHER, ServiceId};

/// Counts taken out of the meter to be written; given back by [`Meter::put_back`] if that fails.
#[derive(Debug, Default)]
pub struct Unwritten(Vec<(ServiceId, Vec<Pending>)>);

impl Unwritten {
    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Meter {
    /// Takes out what was counted since the last time.
    #[must_use]
    pub fn take_unwritten(&self) -> Unwritten {
        let taken = ServiceId::ALL
            .iter()
            .map(|id| (*id, std::mem::take(&mut self.services[id.index()].lock().pending)));
        Unwritten(taken.filter(|(_, pending)| !pending.is_empty()).collect())
    }

    /// Gives back what could not be written.
    pub fn put_back(&self, unwritten: Unwritten) {
        for (id, pending) in unwritten.0 {
            let mut meter = self.services[id.index()].lock();
            for p in pending {
                meter.pend(p.minute, p.endpoint, p.caller, &p.counts);
            }
        }
    }

    /// The rows of a journal line.
    #[must_use]
    pub fn rows(&self, unwritten: &Unwritten) -> Vec<Row> {
        let row = |id: ServiceId, p: &Pending| {
            let endpoint = endpoint_name(id.service(), usize::from(p.endpoint)).to_owned();
            Row(p.minute * 60, id, endpoint, self.caller_name(p.caller).to_string(), p.counts)
        };
        unwritten.0.iter().flat_map(|(id, pending)| pending.iter().map(move |p| row(*id, p))).collect()
    }

    /// Everything counted, as a snapshot without bans and quotas, and the counts that are in it but not
    /// in the journal.
    #[must_use]
    pub fn snapshot(&self) -> (Snapshot, Unwritten) {
        let mut snapshot =
            Snapshot { saved_at: self.clock.wall().millis(), events: self.events(), ..Snapshot::default() };
        let mut unwritten = Unwritten::default();
        let now = self.clock.mono();
        // Names before services, here as in `rates`: one order of locks.
        let names = self.callers.read();
        for id in ServiceId::ALL {
            let mut meter = self.services[id.index()].lock();
            meter.rate.expire(now);
            let pending = std::mem::take(&mut meter.pending);
            if !pending.is_empty() {
                unwritten.0.push((*id, pending));
            }
            let lines = meter.series.iter().enumerate().filter(|(_, series)| !series.is_empty());
            let endpoints: BTreeMap<_, _> = lines
                .map(|(slot, series)| {
                    let minutes = series.since(i64::MIN).map(|(minute, counts)| (minute * 60, *counts));
                    (endpoint_name(id.service(), slot).to_owned(), minutes.collect())
                })
                .collect();
            let uses = names.iter().zip(&meter.uses).filter(|(_, used)| used.last != 0);
            let callers: BTreeMap<_, _> = uses.map(|(name, used)| (name.to_string(), *used)).collect();
            if !endpoints.is_empty() || !callers.is_empty() {
                let recent = self.recent(*id, &meter.rate, &names);
                snapshot.services.insert(*id, SavedService { endpoints, recent, callers });
            }
        }
        (snapshot, unwritten)
    }

    fn recent(&self, id: ServiceId, rate: &super::rate::Rate, names: &[Arc<str>]) -> Vec<Recent> {
        let mut recent: Vec<(i64, u8, u16, u32)> = Vec::new();
        for (at, endpoint, caller) in rate.recent() {
            // Calls are summed by the second and stand at its end: never younger than they were.
            let second = (self.label_ms(*at).div_euclid(1_000) + 1) * 1_000;
            match recent
                .iter_mut()
                .rev()
                .take_while(|r| r.0 == second)
                .find(|r| (r.1, r.2) == (*endpoint, *caller))
            {
                Some(row) => row.3 += 1,
                None => recent.push((second, *endpoint, *caller, 1)),
            }
        }
        let calls = recent.into_iter().map(|(second, endpoint, caller, calls)| {
            let endpoint = endpoint_name(id.service(), usize::from(endpoint)).to_owned();
            let caller = names.get(usize::from(caller)).map_or("others", |name| &**name);
            Recent(second, endpoint, caller.to_owned(), calls, 0)
        });
        let hits = rate
            .recent_hits()
            .map(|(at, hits)| Recent(self.label_ms(*at), String::new(), String::new(), 0, *hits));
        calls.chain(hits).collect()
    }

    /// Takes up what lay on disk: minutes, the rolling minute, events. If the wall clock now reads
    /// earlier than when it was written, somebody set it back meanwhile: everything moves back with it,
    /// so that no total changes.
    pub fn restore(&self, loaded: &Loaded) {
        let now = self.clock.wall();
        let back = loaded.set_back_ms(now);
        // The running minute stays the running one.
        let minutes_back = (now.millis() + back).div_euclid(60_000) - now.millis().div_euclid(60_000);
        for (id, saved) in &loaded.snapshot.services {
            for (endpoint, minutes) in &saved.endpoints {
                for (minute, counts) in minutes {
                    self.add_minute(*id, endpoint, minute.div_euclid(60) - minutes_back, counts);
                }
            }
            for (caller, used) in &saved.callers {
                let no = self.caller_no(caller);
                let used = CallerUse { last: used.last - minutes_back * 60, ..*used };
                *self.services[id.index()].lock().caller_use(no) = used;
            }
            for Recent(at, endpoint, caller, calls, hits) in &saved.recent {
                self.add_recent(*id, endpoint, caller, at - back, *calls, *hits);
            }
        }
        for line in &loaded.lines {
            for Row(minute, id, endpoint, caller, counts) in &line.counts {
                self.add_minute(*id, endpoint, minute.div_euclid(60) - minutes_back, counts);
                if counts.calls > 0 || counts.hits > 0 {
                    // To the second: the line was written within one of its last count.
                    let (no, at) = (self.caller_no(caller), (line.t - back).div_euclid(1_000));
                    let mut meter = self.services[id.index()].lock();
                    meter.caller_use(no).add(counts.calls, counts.hits, at);
                }
                self.add_recent(*id, endpoint, caller, line.t - back, counts.calls, counts.hits);
            }
        }
        let lines = loaded.lines.iter().flat_map(|line| &line.events);
        loaded.snapshot.events.iter().chain(lines).cloned().for_each(|event: Event| self.note(event));
        for meter in &self.services {
            meter.lock().day.minute = i64::MIN;
        }
        // Forgets what is too old.
        self.tick();
    }

    fn add_minute(&self, id: ServiceId, endpoint: &str, minute: i64, counts: &Counts) {
        let mut meter = self.services[id.index()].lock();
        // An endpoint that an older version named otherwise is not lost.
        let slot = meter.slot(id.service().endpoint_named(endpoint).unwrap_or(OTHER));
        meter.series[usize::from(slot)].at(minute).add(counts);
    }

    fn add_recent(&self, id: ServiceId, endpoint: &str, caller: &str, at: i64, calls: u32, hits: u32) {
        let now = self.clock.mono();
        let at = self.clock.mono_of(Wall::from_millis(at)).min(now);
        if at + MINUTE <= now || now.since(at) > Duration::from_secs(60) {
            return;
        }
        let caller = if calls > 0 { self.caller_no(caller) } else { 0 };
        let mut meter = self.services[id.index()].lock();
        let slot = meter.slot(id.service().endpoint_named(endpoint).unwrap_or(OTHER));
        for _ in 0..calls {
            meter.rate.call(at, slot, caller);
        }
        if hits > 0 {
            meter.rate.hits(at, hits);
        }
    }

    /// Puts minutes of another monitor in, each as the greater of both numbers, so that the same file
    /// taken in twice changes nothing. Returns how many minutes changed.
    pub(super) fn merge_minutes(&self, id: ServiceId, endpoint: &str, minutes: &BTreeMap<i64, u32>) -> usize {
        let mut meter = self.services[id.index()].lock();
        let slot = meter.slot(id.service().endpoint_named(endpoint).unwrap_or(OTHER));
        let mut changed = 0;
        for (minute, calls) in minutes {
            let known = meter.series[usize::from(slot)].at(*minute);
            if *calls > known.calls {
                known.calls = *calls;
                changed += 1;
            }
        }
        meter.day.minute = i64::MIN;
        changed
    }

    /// The sums of each whole hour still kept, by service and endpoint: hour in unix seconds.
    #[must_use]
    pub fn hours(&self) -> Vec<(i64, ServiceId, &'static str, Counts)> {
        let first = self.minute(self.clock.mono()) - super::DAY_MINUTES;
        let whole = first.div_euclid(60) * 60;
        let whole = if whole < first { whole + 60 } else { whole };
        let mut hours = Vec::new();
        for id in ServiceId::ALL {
            let meter = self.services[id.index()].lock();
            for (slot, series) in meter.series.iter().enumerate() {
                for (hour, counts) in by_hour(series, whole) {
                    hours.push((hour * 3_600, *id, endpoint_name(id.service(), slot), counts));
                }
            }
        }
        hours
    }
}

fn by_hour(series: &Series, first: i64) -> BTreeMap<i64, Counts> {
    let mut hours: BTreeMap<i64, Counts> = BTreeMap::new();
    for (minute, counts) in series.since(first) {
        hours.entry(minute.div_euclid(60)).or_default().add(counts);
    }
    hours
}
