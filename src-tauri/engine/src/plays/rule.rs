//! Which plays count.

use crate::settings::PlayRule;

use super::{Ending, Play, PlayState, Stage};

/// Both Last.fm and ListenBrainz count a long track after four minutes.
const LONG_ENOUGH_MS: i64 = 240_000;
/// Last.fm: the track must be longer than 30 s.
const SCROBBLE_LENGTH_MS: i64 = 30_000;

/// When a play counts. It looks at nothing but a play's heard time and length, so another rule recounts
/// what is stored, and going back to the old one brings the old counts back.
///
/// | rule | counts | tracks of 30 s and less | length not known |
/// |---|---|---|---|
/// | `favsongs` | heard ≥ `min_completion_ratio` of its length | like any other | never |
/// | `lastfm` | half or 4 min heard | never | 4 min heard |
/// | `listenbrainz` | half or 4 min heard | like any other | 4 min heard |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Whose rule.
    pub kind: PlayRule,
    /// The part of a track to be heard for [`PlayRule::Favsongs`], more than 0 and at most 1.
    pub min_completion_ratio: f64,
}

impl Default for Rule {
    fn default() -> Self {
        Self { kind: PlayRule::Favsongs, min_completion_ratio: 0.8 }
    }
}

impl Rule {
    /// Milliseconds to be heard of a track of `duration_ms`; `None` when it never counts.
    #[must_use]
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a few hours at most")]
    pub fn needed_ms(&self, duration_ms: i64) -> Option<i64> {
        let half_or_long = if duration_ms > 0 {
            (duration_ms / 2 + duration_ms % 2).min(LONG_ENOUGH_MS)
        } else {
            LONG_ENOUGH_MS
        };
        match self.kind {
            PlayRule::Favsongs => {
                (duration_ms > 0).then(|| (duration_ms as f64 * self.min_completion_ratio).ceil() as i64)
            }
            PlayRule::Lastfm => (!(1..=SCROBBLE_LENGTH_MS).contains(&duration_ms)).then_some(half_or_long),
            PlayRule::Listenbrainz => Some(half_or_long),
        }
    }

    /// Whether `play` was heard enough.
    #[must_use]
    pub fn counts(&self, play: &Play) -> bool {
        self.needed_ms(play.track.duration_ms).is_some_and(|needed| play.heard_ms >= needed)
    }

    /// What `play` is under this rule.
    #[must_use]
    pub fn state(&self, play: &Play) -> PlayState {
        match play.stage {
            _ if self.counts(play) => PlayState::Counted,
            Stage::Playing => PlayState::Playing,
            Stage::Paused => PlayState::Paused,
            Stage::Ended(Ending::Skipped) => PlayState::Skipped,
            Stage::Ended(Ending::Finished | Ending::Stopped) => PlayState::Partial,
        }
    }

    /// Milliseconds still to be heard until an open play counts; `None` when it does or never will.
    #[must_use]
    pub fn counts_in_ms(&self, play: &Play) -> Option<i64> {
        let open = !matches!(play.stage, Stage::Ended(_));
        let missing = self.needed_ms(play.track.duration_ms)?.saturating_sub(play.heard_ms);
        (open && missing > 0).then_some(missing)
    }
}
