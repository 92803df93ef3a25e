//! Kept answers: the same question is asked once, by whatever tool, and in a ban the last answer is
//! still there.
//!
//! A [`Question`](question::Question) is a call in canonical form. Its answer is looked for in memory,
//! then on disk (`cache.db`), then on the server shared with other machines, if there is one. What is found and alive is the answer; what has expired is kept for a ban
//! or an outage, and said to be old. How long an answer lives is one table: the `life` of each endpoint
//! in the catalogue ([`Life`](crate::service::Life)) and the settings.
//!
//! Invariant: only the verdicts `Fresh` (with status 200, whole) and `NotFound` are kept.
//! Invariant: what was forgotten is not answered again, neither by a flight that was out meanwhile nor
//! from a disk that cannot be written.

mod events;
pub(crate) mod flight;
pub mod kept;
mod memory;
pub mod question;
mod shared;
mod stats;
mod store;
mod table;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::call::{Answer, Call};
use crate::clock::{Clock, Mono, Wall};
use crate::service::tags::{self, Answered, Kind, Tags};
use crate::service::{Life, ServiceId};
use crate::settings::CacheSettings;
use crate::shared::Shared;
pub use events::{LibraryEvent, Names};
use flight::Flights;
use kept::Kept;
use memory::Memory;
use question::Question;
use shared::SharedTier;
use stats::Counts;
pub use stats::{CacheAnswers, CachePolicy, CacheStats, LifeName, ServiceCache};
use store::{Done, Put, Store};

/// Acts of forgetting remembered for flights that are out.
const FORGETS_REMEMBERED: usize = 256;
/// A difference between the clocks up to this is drift, not somebody's hand.
const DRIFT_MS: i64 = 2_000;

/// What is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "scope", rename_all = "snake_case")]
#[ts(tag = "scope", rename_all = "snake_case")]
pub enum Forget {
    /// One answer.
    Key {
        /// Its key, 32 hexadecimal digits.
        key: String,
    },
    /// All that is about a track, at every service.
    Track {
        /// Its artist.
        artist: String,
        /// Its title.
        title: String,
    },
    /// All that is about an album, at every service.
    Album {
        /// Its artist.
        artist: String,
        /// Its title.
        album: String,
    },
    /// All that is about an artist, at every service.
    Artist {
        /// The name.
        artist: String,
    },
    /// All answers of a service.
    Service {
        /// The service.
        service: ServiceId,
    },
    /// All answers to an account.
    #[serde(skip)]
    #[ts(skip)]
    Account {
        /// The service.
        service: ServiceId,
        /// The account's id.
        account: String,
    },
    /// All that was not found: it may be there by now.
    NotFound,
    /// Everything.
    All,
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Forgotten {
    /// How many answers.
    pub entries: u64,
    /// Names this act to `undo_forget` for a minute; null where it cannot be undone.
    pub undo: Option<i64>,
}

/// How far a long act of forgetting has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Forgetting {
    /// Answers forgotten so far.
    pub done: u64,
    /// Answers to be forgotten in all, as far as is known.
    pub total: u64,
}

/// One kept answer, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CacheEntry {
    /// Its key.
    pub key: String,
    /// Whose it is.
    pub service: ServiceId,
    /// The kind of call.
    pub endpoint: String,
    /// What was asked: `GET /search?q=get lucky`.
    pub question: String,
    /// HTTP status.
    pub status: u16,
    /// Whether it is an answer, or "there is no such thing".
    pub found: bool,
    /// Bytes on disk.
    pub bytes: u64,
    /// Bytes as the service sent them.
    pub raw_bytes: u64,
    /// When the service said it, unix seconds.
    pub stored_at: i64,
    /// When it expires, unix seconds; null is not before it is forgotten.
    pub expires_at: Option<i64>,
    /// When it was last used, unix seconds, to the minute.
    pub used_at: i64,
}

/// Some kept answers, last used first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct CachePage {
    /// The answers.
    pub entries: Vec<CacheEntry>,
    /// What to give as `after` for the next ones; null at the end.
    pub next: Option<String>,
}

/// Where an answer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    Memory,
    Disk,
    Shared,
}

/// What a question is about, for its tags.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    shown: String,
    path: String,
    query: String,
}

impl Subject {
    pub(crate) fn of(call: &Call) -> Self {
        Self { shown: question::shown(call), path: call.path.clone(), query: call.parameters().into_owned() }
    }

    fn shown(&self) -> &str {
        &self.shown
    }

    /// The tags of `body`, and of the ids the question names.
    fn tags(&self, question: &Question, body: &[u8]) -> Tags {
        let mut tags = Tags::of(question.service);
        let service = question.service.service();
        let endpoint = service.endpoint_name(question.endpoint);
        let parameters = question::parameters(&self.query);
        let segments: Vec<&str> = self.path.split('/').collect();
        for pair in segments.windows(2) {
            if let Some(kind) = Kind::of_name(pair[0]) {
                tags.id(kind, pair[1]);
            }
        }
        if let Some(kind) = Kind::of_name(endpoint) {
            let named = ["id", "album_id", "track_id", "artist_id", "i", "m"];
            let ids = parameters.iter().filter(|(name, _)| named.contains(&name.as_str()));
            ids.for_each(|(_, id)| tags.id(kind, id));
        }
        let json = serde_json::from_slice(body).unwrap_or(serde_json::Value::Null);
        let answered = Answered { endpoint, parameters: &parameters, json: &json };
        (service.keeping.tags)(&answered, &mut tags);
        tags
    }
}

/// A point in the acts of forgetting: here, and on the shared server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    here: u64,
    shared: i64,
}

/// Acts of forgetting of late, for the flights that were out meanwhile.
#[derive(Debug, Default)]
struct Forgets {
    begun: u64,
    recent: VecDeque<Forget>,
}

impl Forgets {
    /// Those since `mark`; `None` when not all are remembered.
    fn since(&self, mark: u64) -> Option<impl Iterator<Item = &Forget>> {
        let count = usize::try_from(self.begun - mark).unwrap_or(usize::MAX);
        (count <= self.recent.len()).then(|| self.recent.iter().rev().take(count))
    }
}

/// Kept answers in memory and on disk.
#[derive(Debug)]
pub(crate) struct Cache {
    clock: Clock,
    /// Wall minus monotonic time, in milliseconds: moved once a second, together with all entries.
    offset_ms: AtomicI64,
    memory: Memory,
    store: Store,
    pub(crate) flights: Flights,
    counts: Counts,
    /// What other machines keep too.
    shared: OnceLock<SharedTier>,
    forgets: RwLock<Forgets>,
    /// Acts of forgetting that ended.
    forgotten: AtomicU64,
    max_mb: AtomicU64,
    /// When it was last looked for what is of no use any more.
    swept: Mutex<Mono>,
}

impl Cache {
    /// Opens `cache.db` in the folder `dir`. Never fails: without a file it goes on in memory.
    pub(crate) fn open(dir: &Path, settings: &CacheSettings, clock: Clock) -> Self {
        let memory = Memory::new();
        let store = Store::open(dir, bytes(settings.max_mb), clock.wall(), memory.clone());
        Self {
            offset_ms: AtomicI64::new(true_offset(&clock)),
            swept: Mutex::new(clock.mono()),
            memory,
            store,
            flights: Flights::default(),
            counts: Counts::default(),
            shared: OnceLock::new(),
            forgets: RwLock::default(),
            forgotten: AtomicU64::new(0),
            max_mb: AtomicU64::new(settings.max_mb.into()),
            clock,
        }
    }

    /// The time entries live by.
    pub(crate) fn now(&self) -> Wall {
        let mono = self.clock.mono().millis_from(Mono::default());
        Wall::from_millis(mono.saturating_add(self.offset_ms.load(Ordering::Relaxed)))
    }

    /// The answer there is, alive or not.
    pub(crate) fn find(&self, question: &Question) -> Option<(Arc<Kept>, Tier)> {
        if let Some(kept) = self.memory.get(question.key) {
            return Some((kept, Tier::Memory));
        }
        let (begun, ended) = (self.forgets.read().begun, self.forgotten.load(Ordering::Acquire));
        let kept = Arc::new(self.store.get(question.key)?);
        // What is being forgotten right now is not taken up into memory.
        if begun == ended {
            self.memory.put(question.key, Arc::clone(&kept));
            if self.forgets.read().begun != begun {
                self.memory.remove(question.key);
            }
        }
        Some((kept, Tier::Disk))
    }

    /// The answer in memory.
    pub(crate) fn find_in_memory(&self, question: &Question) -> Option<Arc<Kept>> {
        self.memory.get(question.key)
    }

    /// Notes that an entry was used.
    pub(crate) fn used(&self, question: &Question, kept: &Kept, now: Wall) {
        if kept.note_use(now) {
            self.store.note_use(question.key, now);
        }
    }

    /// Keeps answers together with other machines from now on.
    pub(crate) fn share(&self, shared: &Shared) {
        let _ = self.shared.set(SharedTier::new(shared.clone()));
    }

    /// To be taken before a question is asked, and given to [`keep`](Self::keep).
    pub(crate) fn mark(&self) -> Mark {
        Mark { here: self.forgets.read().begun, shared: self.shared.get().map_or(-1, SharedTier::mark) }
    }

    /// Keeps an answer, if it is one to be kept and nothing of it was forgotten since `mark`.
    pub(crate) fn keep(
        &self,
        question: &Question,
        call: &Call,
        answer: &Answer,
        settings: &CacheSettings,
        mark: Mark,
    ) -> Option<Arc<Kept>> {
        let kept = Arc::new(Kept::of(question, answer, settings, self.now())?);
        let subject = Subject::of(call);
        self.take_up(question, &subject, &kept, mark).then_some(kept)
    }

    /// Keeps it on the shared server as well.
    pub(crate) async fn put_shared(&self, question: &Question, subject: &Subject, kept: &Kept, mark: Mark) {
        if let Some(tier) = self.shared.get() {
            tier.put(question, subject, kept, mark.shared).await;
        }
    }

    /// Whether there is a server to share with.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.get().is_some_and(SharedTier::is_set)
    }

    /// Keeps it here, unless it was forgotten since `mark`; tells whether it is kept.
    fn take_up(&self, question: &Question, subject: &Subject, kept: &Arc<Kept>, mark: Mark) -> bool {
        // Held until the writer was told: an act of forgetting comes wholly before or wholly after.
        let forgets = self.forgets.read();
        if forgets.begun != mark.here {
            let tags = subject.tags(question, &kept.body);
            let spared = |act: &Forget| !touches(act, question, kept, &tags);
            if !forgets.since(mark.here).is_some_and(|mut acts| acts.all(spared)) {
                return false;
            }
        }
        self.memory.put(question.key, Arc::clone(kept));
        self.store.put(Put { question: question.clone(), subject: subject.clone(), kept: Arc::clone(kept) });
        true
    }

    /// Forgets; on disk when it returns.
    ///
    /// # Errors
    /// The disk cannot be written. Nothing is read from it until it can, and it is tried again.
    pub(crate) async fn forget(&self, what: Forget) -> Result<Forgotten, String> {
        // Who signs out here may be signed in elsewhere.
        let tells = self.is_shared() && !matches!(what, Forget::Account { .. });
        let (done, act) = self.forget_as(&what, tells).await?;
        if tells {
            self.tell_others(&what, done.owed).await;
        }
        let undo = (done.entries > 0 && what != Forget::All).then_some(act);
        Ok(Forgotten { entries: done.entries, undo })
    }

    /// Forgets what another machine forgot.
    async fn forget_here(&self, what: &Forget) -> Result<(), String> {
        self.forget_as(what, false).await.map(drop)
    }

    async fn forget_as(&self, what: &Forget, owe: bool) -> Result<(Done, i64), String> {
        let store = {
            let mut forgets = self.forgets.write();
            forgets.begun += 1;
            if forgets.recent.len() == FORGETS_REMEMBERED {
                forgets.recent.pop_front();
            }
            forgets.recent.push_back(what.clone());
            // Sent to the writer while nobody can keep anything.
            self.store.forget(what.clone(), self.now(), owe)
        };
        let done = store.await;
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        done
    }

    /// Takes back an act of forgetting, within a minute.
    ///
    /// # Errors
    /// The disk cannot be written.
    pub(crate) async fn undo(&self, act: i64) -> Result<Forgotten, String> {
        Ok(Forgotten { entries: self.store.undo(act).await?, undo: None })
    }

    /// Kept answers whose question holds `text`.
    pub(crate) fn entries(
        &self,
        text: &str,
        service: Option<ServiceId>,
        after: Option<&str>,
    ) -> Result<CachePage, String> {
        let place = |after: &str| {
            let (used, id) = after.rsplit_once('-')?;
            Some((used.parse().ok()?, id.parse().ok()?))
        };
        let after = match after.map(place) {
            Some(None) => return Err("`after` is not what an earlier page gave as `next`".to_owned()),
            after => after.flatten(),
        };
        Ok(self.store.entries(text, service, after).unwrap_or_default())
    }

    /// Called once a second: the clock, the size, and each minute what is of no use any more.
    pub(crate) fn tick(&self, settings: &CacheSettings) {
        let step = true_offset(&self.clock) - self.offset_ms.load(Ordering::Relaxed);
        if step.abs() > DRIFT_MS {
            // All entries move with the clock: what had an hour to live has an hour to live.
            self.store.shift(step);
            self.memory.clear();
        }
        self.offset_ms.fetch_add(step, Ordering::Relaxed);
        let max_mb = u64::from(settings.max_mb);
        if self.max_mb.swap(max_mb, Ordering::Relaxed) != max_mb {
            self.store.limit(bytes(settings.max_mb));
        }
        let now = self.clock.mono();
        let mut swept = self.swept.lock();
        if now.since(*swept) >= std::time::Duration::from_secs(60) {
            *swept = now;
            self.store.sweep(self.now());
            self.flights.tidy();
        }
    }

    /// Returns when everything kept so far is on disk.
    pub(crate) async fn flush(&self) {
        self.store.flush().await;
    }

    /// Finishes what is pending and closes the file.
    pub(crate) async fn stop(&self) {
        self.store.stop().await;
    }
}

fn bytes(max_mb: u32) -> u64 {
    u64::from(max_mb) * 1024 * 1024
}

fn true_offset(clock: &Clock) -> i64 {
    clock.wall().millis() - clock.mono().millis_from(Mono::default())
}

/// Whether an act of forgetting means this answer. In doubt it does.
fn touches(act: &Forget, question: &Question, kept: &Kept, tags: &Tags) -> bool {
    // A list may be about an album without its name in it.
    let named = |tag: i64| tags.all.contains(&tag) || question.life == Life::Forever;
    match act {
        Forget::Key { key } => key.parse() == Ok(question.key),
        Forget::Track { artist, title } => named(tags::track(artist, title)),
        Forget::Album { artist, album } => named(tags::album(artist, album)),
        Forget::Artist { artist } => named(tags::artist(artist)),
        Forget::Service { service } => *service == question.service,
        Forget::Account { service, account } => {
            *service == question.service && question.account.as_deref() == Some(account)
        }
        Forget::NotFound => !kept.found,
        Forget::All => true,
    }
}
