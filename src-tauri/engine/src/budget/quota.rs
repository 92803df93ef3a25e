//! The long-term allowance: assumed, learned, or set by the user.
//!
//! Spotify counts a quota of about a day per developer account and publishes no size; lock-outs are
//! reported at 800 to 2,400 calls a day. Until one is met we assume 800; a real refusal teaches.

use serde::{Deserialize, Serialize};

use super::{Priority, Quota};
use crate::clock::Wall;

/// Of so many refusals the smallest count is the learned quota.
pub const LEARNED_FROM: usize = 3;
/// The part of a learned quota that is kept in reserve, in percent.
const RESERVE_PERCENT: u64 = 10;
/// Background calls stop at this part of the quota, in percent.
const BACKGROUND_PERCENT: u64 = 80;
/// An assumed quota rises by so much for each day of use passed without a refusal, in percent.
const RISE_PERCENT: u64 = 10;
const DAY_S: i64 = 86_400;

/// Where a quota's number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
#[ts(rename_all = "lowercase")]
pub enum QuotaSource {
    /// Our guess until the provider shows its own.
    Assumed,
    /// Learned from a refusal.
    Learned,
    /// Set by the user.
    Set,
}

/// A quota and how much of it is used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct QuotaUse {
    /// Its length in hours.
    #[serde(serialize_with = "super::plain")]
    pub hours: f64,
    /// Calls it allows; of a learned one, the reserve is already taken off.
    pub calls: u32,
    /// Calls made in it.
    pub used: u32,
    /// Where the number comes from.
    pub source: QuotaSource,
}

/// What is stored of a quota.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedQuota {
    /// Calls of the 24 h before each of the last refusals, oldest first, at most [`LEARNED_FROM`].
    #[serde(default)]
    pub learned: Vec<u32>,
    /// The assumed size.
    #[serde(default)]
    pub assumed: Option<u32>,
    /// When the assumed size was last looked at, unix seconds.
    #[serde(default)]
    pub looked_at: Option<i64>,
}

/// What is known of one service's quota.
#[derive(Debug, Default)]
pub struct QuotaBook {
    saved: SavedQuota,
    set: Option<Quota>,
}

impl QuotaBook {
    /// A book for a service; `assumed` is its size until something is learned, `None` where the
    /// provider has no such thing.
    #[must_use]
    pub fn new(assumed: Option<u32>) -> Self {
        Self { saved: SavedQuota { assumed, ..SavedQuota::default() }, set: None }
    }

    /// What the user says, which goes before all else.
    pub fn set(&mut self, quota: Option<Quota>) {
        self.set = quota;
    }

    /// The quota in force, and where it comes from.
    #[must_use]
    pub fn in_force(&self) -> Option<(Quota, QuotaSource)> {
        if let Some(set) = self.set {
            return Some((set, QuotaSource::Set));
        }
        let day = |calls| Quota { hours: 24.0, calls };
        if let Some(least) = self.saved.learned.iter().min() {
            let kept = u64::from(*least) * (100 - RESERVE_PERCENT) / 100;
            return Some((day(u32::try_from(kept).unwrap_or(u32::MAX).max(1)), QuotaSource::Learned));
        }
        self.saved.assumed.map(|calls| (day(calls), QuotaSource::Assumed))
    }

    /// A real refusal for the quota: `calls` were made in the 24 h before it.
    pub fn learn(&mut self, calls: u32) {
        self.saved.learned.push(calls.max(1));
        let old = self.saved.learned.len().saturating_sub(LEARNED_FROM);
        self.saved.learned.drain(..old);
    }

    /// Lets an assumed quota rise once a day. `used` is the calls of the last 24 h: a day without calls
    /// proves nothing. Tells whether something changed that is worth saving.
    pub fn look(&mut self, now: Wall, used: u32) -> bool {
        let Some(assumed) = self.saved.assumed.filter(|_| self.saved.learned.is_empty()) else {
            return false;
        };
        let now = now.seconds();
        match self.saved.looked_at {
            // Not yet, or the clock was set back: begin a day here.
            None => {}
            Some(then) if now < then => {}
            Some(then) if now - then < DAY_S => return false,
            Some(_) if used == 0 => {}
            Some(_) => {
                let risen = u64::from(assumed) * (100 + RISE_PERCENT) / 100;
                self.saved.assumed = Some(u32::try_from(risen).unwrap_or(u32::MAX));
            }
        }
        self.saved.looked_at = Some(now);
        true
    }

    /// Whether a caller of this priority may go on with `used` calls made: background calls leave the
    /// last fifth to the user.
    #[must_use]
    pub fn allows(&self, priority: Priority, used: u32) -> bool {
        match self.in_force() {
            Some((quota, _)) if priority == Priority::Background => {
                u64::from(used) * 100 < u64::from(quota.calls) * BACKGROUND_PERCENT
            }
            _ => true,
        }
    }

    /// How many calls background callers may have made at most.
    #[must_use]
    pub fn background_share(&self) -> Option<u32> {
        let (quota, _) = self.in_force()?;
        u32::try_from((u64::from(quota.calls) * BACKGROUND_PERCENT).div_ceil(100)).ok()
    }

    /// What is to be stored.
    #[must_use]
    pub fn saved(&self) -> SavedQuota {
        self.saved.clone()
    }

    /// Takes up what was stored.
    pub fn restore(&mut self, saved: SavedQuota) {
        let assumed = saved.assumed.or(self.saved.assumed);
        self.saved = SavedQuota { assumed, ..saved };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = DAY_S;

    #[test]
    fn b6_an_assumed_quota_rises_a_tenth_a_day_of_use() {
        let mut book = QuotaBook::new(Some(800));
        assert!(book.look(Wall::from_seconds(0), 0), "the first day begins");
        assert!(!book.look(Wall::from_seconds(DAY - 1), 500));
        assert!(book.look(Wall::from_seconds(DAY), 500));
        assert_eq!(book.in_force(), Some((Quota { hours: 24.0, calls: 880 }, QuotaSource::Assumed)));
        book.look(Wall::from_seconds(2 * DAY), 0);
        assert_eq!(book.in_force().unwrap().0.calls, 880, "a day without calls proves nothing");
    }

    #[test]
    fn b6_the_smallest_of_the_last_three_refusals_is_the_quota_less_a_tenth() {
        let mut book = QuotaBook::new(Some(800));
        for (calls, in_force) in [(1_000, 900), (900, 810), (1_200, 810), (1_100, 810), (1_300, 990)] {
            book.learn(calls);
            let (quota, source) = book.in_force().unwrap();
            assert_eq!((quota.calls, source), (in_force, QuotaSource::Learned));
        }
        assert!(!book.look(Wall::from_seconds(9 * DAY), 10), "what is learned does not rise by itself");
    }

    #[test]
    fn b6_background_leaves_the_last_fifth_to_the_user() {
        let mut book = QuotaBook::new(None);
        assert!(book.allows(Priority::Background, u32::MAX));
        book.set(Some(Quota { hours: 24.0, calls: 100 }));
        assert!(book.allows(Priority::Background, 79) && !book.allows(Priority::Background, 80));
        assert!(book.allows(Priority::Poller, 100) && book.allows(Priority::Interactive, 1_000));
    }
}
