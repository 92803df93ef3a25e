//! The tier in memory: the answers used last, by weight.

use std::sync::Arc;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::kept::Kept;
use super::question::Key;

/// Weight of all entries at most, in bytes.
const CAPACITY: u64 = 64 * 1024 * 1024;

/// A cheap-clone handle. It knows no time: whether an entry still holds is decided by who reads it.
#[derive(Debug, Clone)]
pub(super) struct Memory(Cache<Key, Arc<Kept>>);

impl Memory {
    pub(super) fn new() -> Self {
        let cache = Cache::builder()
            .max_capacity(CAPACITY)
            .weigher(|_, kept: &Arc<Kept>| kept.weight())
            .eviction_policy(EvictionPolicy::lru());
        Self(cache.build())
    }

    pub(super) fn get(&self, key: Key) -> Option<Arc<Kept>> {
        self.0.get(&key)
    }

    pub(super) fn put(&self, key: Key, kept: Arc<Kept>) {
        self.0.insert(key, kept);
    }

    pub(super) fn remove(&self, key: Key) {
        self.0.invalidate(&key);
    }

    pub(super) fn clear(&self) {
        self.0.invalidate_all();
    }

    /// Entries and bytes in it.
    pub(super) fn size(&self) -> (u64, u64) {
        self.0.run_pending_tasks();
        (self.0.entry_count(), self.0.weighted_size())
    }
}
