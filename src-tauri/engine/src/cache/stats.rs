//! How well the cache does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::question::Question;
use super::{Cache, Forgetting, Tier};
use crate::service::{COUNT, Heeds, Life, OTHER, SEARCH_HOURS, ServiceId};
use crate::settings::CacheSettings;
use crate::shared::SharedStatus;

/// Answers since the engine started, by where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct CacheAnswers {
    /// From memory, or from a call that somebody else had just made.
    pub memory: u64,
    /// From disk.
    pub disk: u64,
    /// From the server shared with other machines.
    pub shared: u64,
    /// Expired, given in a ban or an outage.
    pub stale: u64,
    /// Of all of these, "there is no such thing".
    pub not_found: u64,
    /// Questions that had to be asked.
    pub misses: u64,
}

/// One service's part of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
pub struct ServiceCache {
    /// Kept answers.
    pub entries: u64,
    /// Those that are answers.
    pub found: u64,
    /// Those that say there is no such thing.
    pub not_found: u64,
    /// Bytes of bodies on disk.
    pub bytes: u64,
    /// The same as the service sent them.
    pub raw_bytes: u64,
    /// Answers since the start.
    pub answers: CacheAnswers,
    /// Calls saved in the last 24 h.
    pub saved_24h: u32,
}

/// The word for a [`Life`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(rename_all = "lowercase", rename = "Life")]
pub enum LifeName {
    /// Not kept.
    Never,
    /// The user's own.
    Own,
    /// A search.
    Search,
    /// What may be corrected now and then.
    Metadata,
    /// What does not change.
    Forever,
}

/// How long the answers of an endpoint are kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, TS)]
pub struct CachePolicy {
    /// The service.
    pub service: ServiceId,
    /// The endpoint.
    pub endpoint: &'static str,
    /// The kind of life.
    pub life: LifeName,
    /// Seconds a found answer lives; null for never and forever.
    pub seconds: Option<f64>,
    /// What the provider's `Cache-Control` may do.
    pub heeds: Heeds,
}

/// The whole cache.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct CacheStats {
    /// Kept answers.
    pub entries: u64,
    /// Those that are answers.
    pub found: u64,
    /// Those that say there is no such thing.
    pub not_found: u64,
    /// Bytes of bodies on disk.
    pub bytes: u64,
    /// The same as the services sent them.
    pub raw_bytes: u64,
    /// `raw_bytes` to `bytes`; null while there is nothing.
    pub compression_ratio: Option<f64>,
    /// Answers in memory.
    pub memory_entries: u64,
    /// Their weight in bytes.
    pub memory_bytes: u64,
    /// Bytes `cache.db` may hold.
    pub max_bytes: u64,
    /// Answers from the cache that still held, since the start.
    pub hits: u64,
    /// Questions that had to be asked.
    pub misses: u64,
    /// Expired answers given in a ban or an outage.
    pub stale: u64,
    /// Hits and stale answers of all questions, in percent; null before the first.
    pub hit_rate_percent: Option<f64>,
    /// Calls saved in the last 24 h.
    pub saved_24h: u32,
    /// Expired answers removed since the start.
    pub expired_removed: u64,
    /// Answers thrown out for want of room since the start.
    pub evicted: u64,
    /// The file; null while answers are kept in memory only.
    pub path: Option<String>,
    /// Whether they outlive the engine.
    pub persistent: bool,
    /// Why they do not, or why the file was begun anew.
    pub trouble: Option<String>,
    /// Life of "not found", in seconds.
    pub not_found_seconds: f64,
    /// How far a long act of forgetting has come.
    pub forgetting: Option<Forgetting>,
    /// The server shared with other machines; null where the settings name none.
    pub shared: Option<SharedStatus>,
    /// By service.
    #[ts(type = "Record<ServiceId, ServiceCache>")]
    pub by_service: BTreeMap<ServiceId, ServiceCache>,
    /// Every endpoint's policy.
    pub policy: Vec<CachePolicy>,
}

/// What is counted of one service.
#[derive(Debug, Default)]
struct Count {
    memory: AtomicU64,
    disk: AtomicU64,
    shared: AtomicU64,
    stale: AtomicU64,
    not_found: AtomicU64,
    misses: AtomicU64,
}

/// What is counted, by service.
#[derive(Debug, Default)]
pub(super) struct Counts([Count; COUNT]);

impl Cache {
    /// An answer was given; `tier` is `None` for one that had expired.
    pub(crate) fn count_hit(&self, question: &Question, tier: Option<Tier>, found: bool) {
        let count = &self.counts.0[question.service.index()];
        let place = match tier {
            Some(Tier::Memory) => &count.memory,
            Some(Tier::Disk) => &count.disk,
            Some(Tier::Shared) => &count.shared,
            None => &count.stale,
        };
        place.fetch_add(1, Ordering::Relaxed);
        if !found {
            count.not_found.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A question had to be asked.
    pub(crate) fn count_miss(&self, question: &Question) {
        self.counts.0[question.service.index()].misses.fetch_add(1, Ordering::Relaxed);
    }

    /// Everything about the cache. `saved` are the calls saved in 24 h, by service.
    pub(crate) fn stats(
        &self,
        settings: &CacheSettings,
        shared: Option<SharedStatus>,
        saved: impl Fn(ServiceId) -> u32,
    ) -> CacheStats {
        let mut by_service: BTreeMap<ServiceId, ServiceCache> = ServiceId::ALL
            .iter()
            .map(|id| {
                let answers = self.counts.0[id.index()].read();
                (*id, ServiceCache { answers, saved_24h: saved(*id), ..ServiceCache::default() })
            })
            .collect();
        for (service, found, entries, bytes, raw_bytes) in self.store.totals() {
            let Some(part) = by_service.get_mut(&service) else { continue };
            part.entries += entries;
            *(if found { &mut part.found } else { &mut part.not_found }) += entries;
            part.bytes += bytes;
            part.raw_bytes += raw_bytes;
        }
        let sum = |field: fn(&ServiceCache) -> u64| by_service.values().map(field).sum::<u64>();
        let hits = sum(|part| part.answers.memory + part.answers.disk + part.answers.shared);
        let (misses, stale) = (sum(|part| part.answers.misses), sum(|part| part.answers.stale));
        let (bytes, raw_bytes) = (sum(|part| part.bytes), sum(|part| part.raw_bytes));
        let (memory_entries, memory_bytes) = self.memory.size();
        let persistent = self.store.is_on_disk();
        let state = &self.store.state;
        CacheStats {
            entries: sum(|part| part.entries),
            found: sum(|part| part.found),
            not_found: sum(|part| part.not_found),
            bytes,
            raw_bytes,
            compression_ratio: ratio(raw_bytes, bytes, 100.0),
            memory_entries,
            memory_bytes,
            max_bytes: super::bytes(settings.max_mb),
            hits,
            misses,
            stale,
            hit_rate_percent: ratio((hits + stale) * 100, hits + stale + misses, 10.0),
            saved_24h: by_service.values().map(|part| part.saved_24h).sum(),
            expired_removed: state.expired_removed.load(Ordering::Relaxed),
            evicted: state.evicted.load(Ordering::Relaxed),
            path: persistent.then(|| self.store.path().display().to_string()),
            persistent,
            trouble: state.trouble.lock().clone(),
            not_found_seconds: settings.not_found_ttl_minutes * 60.0,
            forgetting: *state.forgetting.lock(),
            shared,
            by_service,
            policy: policy(settings),
        }
    }

    /// What keeps answers from the disk.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.store.state.trouble.lock().clone()
    }
}

impl Count {
    fn read(&self) -> CacheAnswers {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        CacheAnswers {
            memory: of(&self.memory),
            disk: of(&self.disk),
            shared: of(&self.shared),
            stale: of(&self.stale),
            not_found: of(&self.not_found),
            misses: of(&self.misses),
        }
    }
}

/// The life of every endpoint of every service, `other` last.
fn policy(settings: &CacheSettings) -> Vec<CachePolicy> {
    let of = |service: ServiceId, endpoint: &'static str, life: Life| {
        let off = settings.ttl_hours <= 0.0;
        let (life, seconds) = match life {
            _ if off => (LifeName::Never, None),
            Life::Never => (LifeName::Never, None),
            Life::Own(seconds) => (LifeName::Own, Some(f64::from(seconds))),
            Life::Search => (LifeName::Search, Some(f64::from(SEARCH_HOURS) * 3_600.0)),
            Life::Metadata => (LifeName::Metadata, Some(settings.ttl_hours * 3_600.0)),
            Life::Forever => (LifeName::Forever, None),
        };
        let heeds = match life {
            LifeName::Search | LifeName::Metadata => service.service().keeping.heeds,
            _ => Heeds::Nothing,
        };
        CachePolicy { service, endpoint, life, seconds, heeds }
    };
    let all = ServiceId::ALL.iter().flat_map(|id| {
        let service = id.service();
        let named = service.endpoints.iter().map(move |e| of(*id, e.name, e.life));
        named.chain([of(*id, "other", service.life_of(OTHER))])
    });
    all.collect()
}

/// `part` to `of`, rounded to one part in `steps`.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn ratio(part: u64, of: u64, steps: f64) -> Option<f64> {
    (of > 0).then(|| (part as f64 * steps / of as f64).round() / steps)
}
