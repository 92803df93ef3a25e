//! The rolling minute: an exact log of the calls of the last 60 s.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Mono;

/// Length of the rolling rate.
pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// Calls of the last 60 s, in total, by endpoint and by caller.
///
/// Every call is kept with its time, so that the rate is exact for any pattern and any number: budgets
/// bound how many there are. Hits, which nothing bounds, are kept by the second.
#[derive(Debug)]
pub(super) struct Rate {
    log: VecDeque<(Mono, u8, u16)>,
    pub(super) by_endpoint: Vec<u32>,
    pub(super) by_caller: Vec<u32>,
    hits: VecDeque<(Mono, u32)>,
    hits_sum: u32,
}

impl Rate {
    pub(super) fn new(endpoints: usize) -> Self {
        Self {
            log: VecDeque::new(),
            by_endpoint: vec![0; endpoints],
            by_caller: Vec::new(),
            hits: VecDeque::new(),
            hits_sum: 0,
        }
    }

    pub(super) fn call(&mut self, at: Mono, endpoint: u8, caller: u16) {
        self.log.push_back((at, endpoint, caller));
        self.by_endpoint[usize::from(endpoint)] += 1;
        let caller = usize::from(caller);
        if caller >= self.by_caller.len() {
            self.by_caller.resize(caller + 1, 0);
        }
        self.by_caller[caller] += 1;
    }

    pub(super) fn hits(&mut self, at: Mono, hits: u32) {
        match self.hits.back_mut() {
            Some((second, sum)) if at.since(*second) < Duration::from_secs(1) => {
                *sum = sum.saturating_add(hits)
            }
            _ => self.hits.push_back((at, hits)),
        }
        self.hits_sum = self.hits_sum.saturating_add(hits);
    }

    /// Forgets what is older than a minute.
    pub(super) fn expire(&mut self, now: Mono) {
        while let Some((at, endpoint, caller)) = self.log.front().copied()
            && at + MINUTE <= now
        {
            self.log.pop_front();
            self.by_endpoint[usize::from(endpoint)] -= 1;
            self.by_caller[usize::from(caller)] -= 1;
        }
        while let Some((at, hits)) = self.hits.front().copied()
            && at + MINUTE <= now
        {
            self.hits.pop_front();
            self.hits_sum = self.hits_sum.saturating_sub(hits);
        }
    }

    /// Calls a minute, after [`Self::expire`].
    pub(super) fn calls(&self) -> u32 {
        u32::try_from(self.log.len()).unwrap_or(u32::MAX)
    }

    /// Hits a minute, after [`Self::expire`].
    pub(super) fn hit_count(&self) -> u32 {
        self.hits_sum
    }

    /// The calls, oldest first: time, endpoint, caller.
    pub(super) fn recent(&self) -> impl Iterator<Item = &(Mono, u8, u16)> {
        self.log.iter()
    }

    /// The seconds with hits, oldest first.
    pub(super) fn recent_hits(&self) -> impl Iterator<Item = &(Mono, u32)> {
        self.hits.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_900_calls_in_30_s_read_900_a_minute() {
        let mut rate = Rate::new(2);
        let at = |ms: u64| Mono::default() + Duration::from_millis(ms);
        for call in 0..900 {
            rate.call(at(call * 100 / 3), 1, 0);
        }
        rate.expire(at(30_000));
        assert_eq!((rate.calls(), rate.by_endpoint[1]), (900, 900));
        rate.expire(at(60_000));
        assert_eq!(rate.calls(), 899, "the first is a minute old to the millisecond");
        rate.expire(at(89_967));
        assert_eq!((rate.calls(), rate.by_caller[0]), (0, 0));
    }
}
