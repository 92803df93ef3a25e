//! Plays: what was listened to, each listening counted once.
//!
//! Everything here is pure. [`Tracker`] takes observations of the player and of its history and yields
//! plays; it reads no clock and does no I/O, so that it can be saved, replayed, fuzzed and tested in no
//! time. [`Rule`] says which plays count, [`next_poll`] when to look again, [`replay()`] runs a recorded
//! trace.
//!
//! ```
//! # use headroom_engine::clock::Wall;
//! # use headroom_engine::plays::{Observation, Rule, Tracker};
//! # use serde_json::json;
//! let at = Wall::from_seconds;
//! let sight = |progress: u32| json!({"is_playing": true, "progress_ms": progress,
//!     "item": {"id": "a", "name": "A", "duration_ms": 45_000}});
//! let mut tracker = Tracker::default();
//! for second in (4..45).step_by(10) {
//!     tracker.observe(&Observation::player(at(1_000 + second), 200, &sight(second as u32 * 1_000)));
//! }
//! let ended = tracker.observe(&Observation::player(at(1_054), 204, &json!(null)));
//! assert_eq!(ended[0].heard_ms, 45_000);
//! assert!(Rule::default().counts(&ended[0]));
//! ```
//!
//! # How a play is told
//! 1. **Identity.** A play is one listening of one track, named by the track and its start. The start is
//!    our clock less the progress at the first sighting; seeks, pauses, changes of device and silence
//!    before a resumption do not change it. Spotify's `timestamp` is when the state last changed, so it
//!    is no start.
//! 2. **Heard time** is real time while playing, never position. Between two sightings of a playing
//!    track it is the progress made when that agrees with the time passed, the time passed after a seek,
//!    and the progress made after a pause. What cannot be known is not credited.
//! 3. **First sighting.** Credited from the start if its position is not beyond the time since the last
//!    observation (12 s when there was none), never more.
//! 4. **Tail.** What was left of a track at its last sighting is credited as far as the next one's start
//!    proves it; when nothing follows, if it was playing and no more was left than the silence lasted. A
//!    track last seen paused has no tail.
//! 5. **Repeat.** A playing track whose position went back is heard anew if its end fits between:
//!    left of the old one + heard of the new one ≤ time passed. Otherwise somebody sought back.
//! 6. **Resumption.** After silence, an advertisement, a private session or another device's track, the
//!    same track from where it was left goes on with the same play; from its beginning it is a new one.
//! 7. **Only a public track is a play.** Advertisements, episodes, null items and private sessions end
//!    or interrupt one and are none. Local files are plays; their URI is their id.
//! 8. **Failures are not observations**, so an outage is time between two observations like any other.
//! 9. **History** ([`reconcile`]) fills only time in which observations leave room for somebody to have
//!    listened for more than 30 s unseen. Whatever a row says of any other time is known already.
//! 10. **Time going back.** An observation older than the last is old news and ignored; two in a row are
//!     a clock set back, and the tracker goes on from there, trusting progress instead of time.
//!
//! # Invariants
//! - The credit between two sightings of a track is never more than the time between them, and no time is
//!   credited twice.
//! - There are never two plays of the same track with the same start.
//! - A row of the history makes at most one play, however often it is fetched.
//! - A paused track is neither skipped nor partial; it is open until something else is put on.
//! - One [`Tracker`] is one account. It holds no state outside itself.
//!
//! # What cannot be told
//! From observations ten seconds apart nobody can tell: seeking back from the last moments of a track to
//! its beginning from hearing it again; two events within one gap between observations (a pause and a
//! seek, a seek and a skip) to better than that gap; a track's length heard twice inside one gap without
//! the player saying that it repeats. From rows alone nobody can tell how long the last track before a
//! silence was heard, or which of two tracks was cut short when the first is stamped at its start and
//! the second at its end.

mod observation;
mod poll;
pub mod reconcile;
mod replay;
mod rule;
mod tracker;

use serde::{Deserialize, Serialize};

pub use observation::{Observation, Row, Seen, Sight};
pub use poll::{Endpoint, Moment, Next, next_poll};
pub use reconcile::Gap;
pub use replay::{DamagedLine, Line, Replay, replay};
pub use rule::Rule;
pub use tracker::{Outlook, Tracker};

use crate::clock::Wall;

/// A track as the player names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Spotify id; the URI of a local file.
    pub id: String,
    /// The id it was asked for by, where the provider plays another one instead. Rows may name either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked_from: Option<String>,
    /// Title.
    pub name: String,
    /// Names of the artists, the main one first.
    pub artists: Vec<String>,
    /// Title of the album.
    pub album: String,
    /// Length in milliseconds; 0 when it is not known.
    pub duration_ms: i64,
    /// International Standard Recording Code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isrc: Option<String>,
}

impl Track {
    /// Whether both are the same recording to the provider.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.id == other.id
            || self.linked_from.as_ref().is_some_and(|id| *id == other.id)
            || other.linked_from.as_ref().is_some_and(|id| *id == self.id)
    }
}

/// What a play is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The player was seen playing it.
    Player,
    /// The provider's history tells of it; how long it was heard is what the rows leave room for.
    RecentlyPlayed,
}

/// How a play came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The track played to its end.
    Finished,
    /// Another track was put on while it played.
    Skipped,
    /// It fell silent: paused and left, the player quit, or nobody knows.
    Stopped,
}

/// Where a play is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It plays.
    Playing,
    /// It is paused, or its player fell silent while it was.
    Paused,
    /// It is over.
    Ended(Ending),
}

/// What a play is under a [`Rule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlayState {
    /// Heard enough to count; also while it still plays.
    Counted,
    /// Playing, not heard enough yet.
    Playing,
    /// Paused, not heard enough yet. Neither partial nor skipped: it may go on.
    Paused,
    /// Over, not heard enough, and nobody skipped it: it fell silent, or was joined late.
    Partial,
    /// Another track was put on before it was heard enough.
    Skipped,
}

/// One listening of one track. Track id and start together are its identity within an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Play {
    /// What was heard.
    pub track: Track,
    /// The first sound, by our clock.
    pub started_at: Wall,
    /// The last sound known of.
    pub ended_at: Wall,
    /// Real time it sounded, in milliseconds; more than its length after seeking back.
    pub heard_ms: i64,
    /// Where it is.
    pub stage: Stage,
    /// What it is known from.
    pub source: Source,
    /// Name of the device it began on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// URI of the album or playlist it was played from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

impl Play {
    /// Heard time by length; 0 when the length is not known, more than 1 after seeking back.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a listening is far shorter than 2^52 ms")]
    pub fn ratio(&self) -> f64 {
        if self.track.duration_ms > 0 { self.heard_ms as f64 / self.track.duration_ms as f64 } else { 0.0 }
    }

    /// Whether both are the same listening, also when one was changed since.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.started_at == other.started_at && self.track.id == other.track.id
    }
}

/// Milliseconds from `earlier` to `later`.
const fn between(earlier: Wall, later: Wall) -> i64 {
    later.millis().saturating_sub(earlier.millis())
}
