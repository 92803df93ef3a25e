//! Brings what is counted to disk, and says so when it cannot.
//!
//! Once a second the journal takes what is new; once a minute the snapshot is replaced and the hourly
//! sums go to the library; a ban is on disk before the refused caller hears of it. While the disk is
//! full or read-only everything stays in memory and is tried again.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::budget::BanChange;
use crate::call::Call;
use crate::clock::{Clock, Mono, Wall};
use crate::engine::Lane;
use crate::library::Library;
use crate::meter::history::{HistoryFile, Line, Loaded};
use crate::meter::{Event, EventKind, Meter, rollup};
use crate::service::{BanKind, COUNT, ServiceId};
use crate::shared::News;

/// Time between two snapshots.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(60);
/// Parts of a quota that are worth a warning, in percent.
const WARN_AT: [u64; 2] = [80, 100];

/// Writes history and hourly sums of one engine.
#[derive(Debug)]
pub struct Recorder {
    clock: Clock,
    meter: Arc<Meter>,
    lanes: Arc<Vec<Lane>>,
    library: Option<Library>,
    disk: Mutex<Disk>,
    /// What the next line says besides counts.
    news: Mutex<Line>,
    warned: Mutex<[usize; COUNT]>,
}

#[derive(Debug)]
struct Disk {
    file: HistoryFile,
    last_save: Mono,
    failing: Option<String>,
    /// A journal that takes lines does not make good a snapshot that failed.
    snapshot_failed: bool,
}

impl Recorder {
    pub(crate) fn new(
        clock: Clock,
        meter: Arc<Meter>,
        lanes: Arc<Vec<Lane>>,
        library: Option<Library>,
        file: HistoryFile,
    ) -> Self {
        let disk = Mutex::new(Disk { file, last_save: clock.mono(), failing: None, snapshot_failed: false });
        Self { clock, meter, lanes, library, disk, news: Mutex::default(), warned: Mutex::new([0; COUNT]) }
    }

    /// Takes up what an earlier run left: counts, bans, quotas, and the used slots of every window.
    pub(crate) fn restore(&self, loaded: Loaded) {
        self.meter.restore(&loaded);
        // A ban moves back with the clock, and is over no earlier for it.
        let back_s = loaded.set_back_ms(self.clock.wall()) / 1_000;
        let mut bans = loaded
            .snapshot
            .bans
            .into_iter()
            .map(|(id, ban)| (id, Some(ban)))
            .collect::<std::collections::BTreeMap<_, _>>();
        let mut quotas = loaded.snapshot.quotas;
        for line in loaded.lines {
            bans.extend(line.bans);
            quotas.extend(line.quotas);
        }
        for (id, ban) in bans {
            if let Some(mut ban) = ban {
                (ban.began, ban.until) = (ban.began - back_s, ban.until - back_s);
                let endpoint = id.service().endpoint_named(&ban.endpoint).unwrap_or(crate::service::OTHER);
                self.lane(id).gate.restore_ban(&ban, endpoint);
            }
        }
        for (id, quota) in quotas {
            self.lane(id).quota.lock().restore(quota);
        }
        for id in ServiceId::ALL {
            // The longest window a budget may have; the gate forgets what its own do not see.
            let calls = self.meter.recent_calls(*id, Duration::from_secs(86_400));
            self.lane(*id).gate.restore_calls(calls);
        }
        if let Some((aside, why)) = loaded.damaged {
            let text = format!("history.json was damaged ({why}) and lies now at {}", aside.display());
            tracing::error!("{text}");
            self.note(Event::general(self.clock.wall().seconds(), EventKind::HistoryDamaged, text));
        }
    }

    fn lane(&self, id: ServiceId) -> &Lane {
        &self.lanes[id.index()]
    }

    /// Notes an event, in memory now and on disk within a second.
    pub fn note(&self, event: Event) {
        // Under one lock, so that a snapshot sees it in both places or in neither.
        let mut news = self.news.lock();
        news.events.push(event.clone());
        self.meter.note(event);
    }

    /// What keeps the history from the disk, while something does.
    #[must_use]
    pub fn failing(&self) -> Option<String> {
        self.disk.lock().failing.clone()
    }

    /// A refusal changed a ban: on disk before this returns.
    pub(crate) async fn banned(self: &Arc<Self>, call: &Call, kind: BanKind, change: BanChange) {
        let id = call.service;
        match change {
            // The news of it may still be on its way to the disk: nobody hears of a ban before that.
            BanChange::Known => return self.write().await,
            BanChange::Extended(_) => {}
            BanChange::Began(ban) => {
                if kind == BanKind::Quota {
                    self.learn_quota(id);
                }
                let endpoint = id.service().endpoint_name(ban.endpoint);
                let until = self.clock.wall_of(ban.until);
                self.note(Event {
                    at: self.clock.wall().seconds(),
                    kind: EventKind::Ban,
                    service: Some(id),
                    endpoint: Some(endpoint.to_owned()),
                    caller: Some(call.caller.to_string()),
                    until: Some(until.seconds_up()),
                    text: ban_text(kind, endpoint, ban.until.since(self.clock.mono())),
                });
            }
        }
        self.news_of_ban(id);
        self.write().await;
    }

    fn learn_quota(&self, id: ServiceId) {
        let day = self.meter.calls_within(id, Duration::from_secs(86_400));
        let mut quota = self.lane(id).quota.lock();
        quota.learn(day);
        let kept = quota.in_force().map_or(day, |(quota, _)| quota.calls);
        self.news.lock().quotas.insert(id, quota.saved());
        drop(quota);
        let text =
            format!("Daily quota learned: refused after {day} calls in 24 h, {kept} are used from now on");
        self.note(service_event(self.clock.wall(), EventKind::QuotaLearned, id, text));
    }

    /// A sign-in, or the user by hand, ended a ban.
    pub(crate) async fn ban_cleared(self: &Arc<Self>, id: ServiceId) {
        self.note(service_event(
            self.clock.wall(),
            EventKind::BanCleared,
            id,
            "Ban cleared; the next call is a single probe".into(),
        ));
        self.news_of_ban(id);
        self.write().await;
    }

    /// Something happened at the shared server.
    pub(crate) fn shared_news(&self, news: News) {
        let (kind, text) = match news {
            News::Ban(id, ban) => {
                let endpoint = id.service().endpoint_name(ban.endpoint);
                let text = ban_text(ban.kind, endpoint, ban.until.since(self.clock.mono()));
                self.note(Event {
                    endpoint: Some(endpoint.to_owned()),
                    until: Some(self.clock.wall_of(ban.until).seconds_up()),
                    ..service_event(
                        self.clock.wall(),
                        EventKind::Ban,
                        id,
                        format!("{text}; another machine was told so"),
                    )
                });
                return self.news_of_ban(id);
            }
            News::Gone(text) => (EventKind::SharedGone, text),
            News::Back(text) => (EventKind::SharedBack, text),
        };
        self.note(Event::general(self.clock.wall().seconds(), kind, text));
    }

    fn news_of_ban(&self, id: ServiceId) {
        let saved = self.lane(id).gate.saved_ban(|endpoint| id.service().endpoint_name(endpoint));
        self.news.lock().bans.insert(id, saved);
    }

    /// Warns once when a quota fills, and again only after it emptied.
    pub(crate) fn watch_quota(&self, id: ServiceId) {
        let Some((size, _)) = self.lane(id).quota.lock().in_force() else { return };
        let used = self.meter.calls_within(id, size.length());
        let percent = u64::from(used) * 100 / u64::from(size.calls.max(1));
        let level = WARN_AT.iter().filter(|at| percent >= **at).count();
        let before = std::mem::replace(&mut self.warned.lock()[id.index()], level);
        if level > before {
            let text = format!("{used} of {} calls of the daily quota are used", size.calls);
            self.note(service_event(self.clock.wall(), EventKind::QuotaWarning, id, text));
        }
    }

    /// The work of each second.
    pub(crate) async fn tick(self: &Arc<Self>) {
        let stepped = self.meter.tick();
        if let Some(ms) = stepped {
            let text = format!(
                "The clock was set {} by {} s; all times moved with it",
                if ms < 0 { "back" } else { "forward" },
                ms.abs() / 1_000
            );
            tracing::warn!("{text}");
            self.note(Event::general(self.clock.wall().seconds(), EventKind::ClockChanged, text));
        }
        for id in ServiceId::ALL {
            let used = self.meter.calls_within(*id, Duration::from_secs(86_400));
            let mut quota = self.lane(*id).quota.lock();
            if quota.look(self.clock.wall(), used) {
                self.news.lock().quotas.insert(*id, quota.saved());
            }
        }
        let due = self.clock.mono().since(self.disk.lock().last_save) >= SNAPSHOT_EVERY;
        // After a step the journal's lines have other labels than the minutes: begin a new one.
        if due || stepped.is_some() {
            self.save().await;
        } else {
            self.write().await;
        }
    }

    async fn write(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let written = tokio::task::spawn_blocking(move || this.write_line()).await;
        if let Err(panic) = written {
            tracing::error!("writing the history panicked: {panic}");
        }
    }

    /// Replaces the snapshot and writes the hourly sums.
    pub async fn save(self: &Arc<Self>) {
        let this = Arc::clone(self);
        if let Err(panic) = tokio::task::spawn_blocking(move || this.write_snapshot()).await {
            tracing::error!("saving the history panicked: {panic}");
        }
        let Some(library) = &self.library else { return };
        let hours = self.meter.hours();
        let oldest = self.clock.wall().seconds() - rollup::KEPT_DAYS * 86_400;
        let done = library.with(move |db| {
            rollup::write(db, &hours)?;
            rollup::forget_before(db, oldest)
        });
        if let Err(error) = done.await {
            tracing::warn!("the hourly sums could not be written, the next minute tries again: {error}");
        }
    }

    fn write_line(&self) {
        let mut disk = self.disk.lock();
        let unwritten = self.meter.take_unwritten();
        let mut line = std::mem::take(&mut *self.news.lock());
        line.counts = self.meter.rows(&unwritten);
        if line.is_empty() {
            return;
        }
        line.t = self.clock.wall().millis();
        // Whoever writes the news of a ban or quota, its caller or the second's tick, waits for the disk.
        let sync = !line.bans.is_empty() || !line.quotas.is_empty();
        let written = disk.file.append(&line, sync);
        if written.is_err() {
            self.meter.put_back(unwritten);
            self.put_back(line);
        }
        self.report(&mut disk, written);
    }

    fn write_snapshot(&self) {
        let mut disk = self.disk.lock();
        let (news, (mut snapshot, unwritten)) = {
            let mut news = self.news.lock();
            (std::mem::take(&mut *news), self.meter.snapshot())
        };
        for id in ServiceId::ALL {
            let lane = self.lane(*id);
            if let Some(ban) = lane.gate.saved_ban(|endpoint| id.service().endpoint_name(endpoint)) {
                snapshot.bans.insert(*id, ban);
            }
            let quota = lane.quota.lock().saved();
            if quota.assumed.is_some() || !quota.learned.is_empty() {
                snapshot.quotas.insert(*id, quota);
            }
        }
        disk.last_save = self.clock.mono();
        let generation = disk.file.generation();
        let saved = disk.file.save(snapshot);
        // A snapshot that was written holds the news, even if its journal could not begin.
        disk.snapshot_failed = disk.file.generation() == generation;
        if disk.snapshot_failed {
            self.meter.put_back(unwritten);
            self.put_back(news);
        }
        self.report(&mut disk, saved);
    }

    /// Keeps news that could not be written for the next line; later news wins.
    fn put_back(&self, mut old: Line) {
        let mut news = self.news.lock();
        old.bans.append(&mut news.bans);
        old.quotas.append(&mut news.quotas);
        old.events.append(&mut news.events);
        let surplus = old.events.len().saturating_sub(crate::meter::EVENTS_KEPT);
        old.events.drain(..surplus);
        *news = Line { counts: Vec::new(), ..old };
    }

    fn report(&self, disk: &mut Disk, written: std::io::Result<()>) {
        let at = self.clock.wall().seconds();
        match (written, disk.failing.is_some()) {
            (Err(error), was_failing) => {
                let text =
                    format!("The history cannot be written ({error}); it is kept in memory and tried again");
                if !was_failing {
                    tracing::error!("{text}");
                    self.note(Event::general(at, EventKind::StorageFailing, text.clone()));
                }
                disk.failing = Some(text);
            }
            (Ok(()), true) if !disk.snapshot_failed => {
                disk.failing = None;
                tracing::info!("the history can be written again");
                self.note(Event::general(
                    at,
                    EventKind::StorageRecovered,
                    "The history can be written again; nothing was lost",
                ));
            }
            (Ok(()), _) => {}
        }
    }
}

fn service_event(at: Wall, kind: EventKind, id: ServiceId, text: String) -> Event {
    Event { service: Some(id), ..Event::general(at.seconds(), kind, text) }
}

fn ban_text(kind: BanKind, endpoint: &str, left: Duration) -> String {
    let length = length_text(left);
    match kind {
        BanKind::Rate => format!("Rate limited on {endpoint}, {length}"),
        BanKind::Quota => format!("Daily quota spent on {endpoint}, {length}"),
    }
}

/// `4 s`, `3 min 12 s`, `13 h 35 min`.
fn length_text(length: Duration) -> String {
    let seconds = length.as_secs() + u64::from(length.subsec_millis() >= 500);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}
