//! When to look at the player again: a pure function from what is known to the next call.
//!
//! One look just after a track's expected end sees three things at once: that the track was heard to its
//! end, that the next began, and when that will end. So a track of up to five minutes costs one call, a
//! longer one is looked at in between, and whoever skips, seeks or pauses is found out at the next look,
//! because the next track's position tells when it began.
//!
//! | state | next look |
//! |---|---|
//! | playing | 1.5 s after the expected end; at half of what is left, or 5 min later, when more than 5 min are left |
//! | an end that is late | after half of how late it is, 3 s to 60 s |
//! | no track, or of unknown length | after half of how long that lasts, 15 s to 2 min |
//! | paused | after as long as that lasts, 15 s to 5 min; in the first 20 min never later than it could end unseen |
//! | silent | after as long as that lasts, 15 s to 5 min |
//! | failed | 15 s later, doubling to 5 min |
//! | signed in, or the user acted | 0.4 s later: the provider needs a moment to know |
//!
//! Above half of the quota everything takes longer, up to three times; during a ban nothing is asked.
//! The history is asked hourly, in silence every four hours, and at once when more than 6 min went
//! unobserved. Rows are placed whenever they come, so asking later loses nothing.

use super::{Outlook, between};
use crate::clock::Wall;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
/// After the expected end: the provider's answers lag, and a look before the end would be for nothing.
const AFTER_END_MS: i64 = 1_500;
/// The longest stretch of a playing track that is not looked at.
const SPARSE_MS: i64 = 5 * MINUTE;
const SHORTEST_MS: i64 = 15 * SECOND;
const LONGEST_MS: i64 = 5 * MINUTE;
/// A pause longer than this is seldom resumed soon.
const LONG_PAUSE_MS: i64 = 20 * MINUTE;
/// When so little is left of a paused track, it hardly matters whether that is heard.
const SHORT_REST_MS: i64 = 45 * SECOND;
const AFTER_ACT_MS: i64 = 400;
const HISTORY_EVERY_MS: i64 = 60 * MINUTE;
const HISTORY_IN_SILENCE_MS: i64 = 4 * HISTORY_EVERY_MS;
/// More than the longest wait between two looks: it was an outage, a restart or a ban.
const UNOBSERVED_MS: i64 = 6 * MINUTE;
/// Rows appear some time after their plays.
const HISTORY_AGAIN_MS: i64 = 2 * MINUTE;
const AFTER_BAN_MS: i64 = SECOND;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/v1/me/player`
    Player,
    /// `/v1/me/player/recently-played`
    RecentlyPlayed,
}

/// What the poller knows of one account.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Now.
    pub now: Wall,
    /// What the tracker expects.
    pub outlook: Outlook,
    /// When the player was last asked, whatever came of it.
    pub asked_at: Option<Wall>,
    /// How many looks in a row failed.
    pub failures: u32,
    /// When the history was last asked, whatever came of it.
    pub history_at: Option<Wall>,
    /// [`super::Tracker::unexplained_ms`].
    pub unexplained_ms: i64,
    /// The share of the quota that is used, 0 to 1.
    pub quota_used: f64,
    /// The end of a ban.
    pub banned_until: Option<Wall>,
    /// The last sign-in or act of the user in the window.
    pub acted_at: Option<Wall>,
}

/// The next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// Not before; may have passed.
    pub at: Wall,
    /// What to ask.
    pub endpoint: Endpoint,
}

/// The next call for an account that is signed in.
#[must_use]
pub fn next_poll(moment: &Moment) -> Next {
    let mut next = Next { at: player_at(moment), endpoint: Endpoint::Player };
    // What the history says can only be placed between two looks.
    if moment.failures == 0
        && moment.outlook != Outlook::Unknown
        && let history = history_at(moment)
        && history < next.at
    {
        next = Next { at: history, endpoint: Endpoint::RecentlyPlayed };
    }
    if let Some(until) = moment.banned_until {
        next.at = next.at.max(until.plus_millis(AFTER_BAN_MS));
    }
    next
}

fn player_at(moment: &Moment) -> Wall {
    let Some(asked) = moment.asked_at else { return moment.now };
    let acted = moment.acted_at.filter(|acted| *acted >= asked).map(|acted| acted.plus_millis(AFTER_ACT_MS));
    let wait = if moment.failures > 0 {
        SHORTEST_MS.saturating_mul(1 << moment.failures.saturating_sub(1).min(10)).min(LONGEST_MS)
    } else {
        wait(moment.outlook, asked)
    };
    let due = asked.plus_millis(slowed(wait, moment.quota_used));
    acted.map_or(due, |acted| acted.min(due))
}

fn wait(outlook: Outlook, asked: Wall) -> i64 {
    let lasting = |since: Wall| between(since, asked);
    match outlook {
        Outlook::Unknown => 0,
        Outlook::Playing { ends_at, .. } => {
            let left = between(asked, ends_at);
            if left > SPARSE_MS {
                (left / 2).min(SPARSE_MS)
            } else if left > 0 {
                left + AFTER_END_MS
            } else {
                (-left / 2).clamp(3 * SECOND, MINUTE)
            }
        }
        Outlook::Other { since } => (lasting(since) / 2).clamp(SHORTEST_MS, 2 * MINUTE),
        Outlook::Paused { since, left_ms } => {
            let paused = lasting(since);
            let unseen_end = if paused < LONG_PAUSE_MS { left_ms.max(SHORT_REST_MS) } else { LONGEST_MS };
            paused.clamp(SHORTEST_MS, LONGEST_MS).min(unseen_end)
        }
        Outlook::Silent { since } => lasting(since).clamp(SHORTEST_MS, LONGEST_MS),
    }
}

fn history_at(moment: &Moment) -> Wall {
    let Some(last) = moment.history_at else { return moment.now };
    let wait = match moment.outlook {
        _ if moment.unexplained_ms > UNOBSERVED_MS => HISTORY_AGAIN_MS,
        Outlook::Silent { since } | Outlook::Paused { since, .. } if since < last => HISTORY_IN_SILENCE_MS,
        _ => HISTORY_EVERY_MS,
    };
    last.plus_millis(slowed(wait, moment.quota_used))
}

/// `wait` stretched: by nothing up to half of the quota, three times when it is used up.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an hour in milliseconds")]
fn slowed(wait: i64, quota_used: f64) -> i64 {
    let over = if quota_used.is_finite() { (quota_used - 0.5).clamp(0.0, 0.5) } else { 0.0 };
    (wait as f64 * (1.0 + 4.0 * over)) as i64
}
