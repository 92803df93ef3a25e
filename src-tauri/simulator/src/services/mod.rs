//! The stand-ins, one file each: limits, credentials, refusals and endpoints of
//! one provider, in that provider's own JSON.
//!
//! Shapes follow the providers' documentation; only fields that clients use are
//! filled. Limits are the published ones where there are any.

mod accounts;
mod audiodb;
mod deezer;
mod discogs;
mod genius;
mod itunes;
mod lastfm;
mod listenbrainz;
mod musicbrainz;
mod odesli;
mod qobuz;
mod spotify;
mod spotify_user;
mod tidal;
mod xml;

use crate::call::{Answer, Call};
use crate::window::{Limit, Refusal, Usage};
use crate::world::{Accept, World};

/// Every port after the control port, in order.
pub(crate) static ALL: &[&dyn Provider] = &[
    &spotify::Spotify,
    &itunes::Itunes,
    &deezer::Deezer,
    &lastfm::Lastfm,
    &genius::Genius,
    &musicbrainz::Musicbrainz,
    &audiodb::Audiodb,
    &tidal::Tidal,
    &qobuz::Qobuz,
    &discogs::Discogs,
    &listenbrainz::Listenbrainz,
    &odesli::Odesli,
    &accounts::SpotifyAccounts,
    &accounts::TidalAccounts,
];

/// Who a call comes from, as far as the provider can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Name of the signed-in user; a default where the service has no users.
    pub(crate) user: String,
    /// Whether a valid credential came along.
    pub(crate) authorised: bool,
}

impl Caller {
    pub(crate) fn nobody() -> Self {
        Self { user: crate::oauth::USER.to_owned(), authorised: false }
    }

    pub(crate) fn known() -> Self {
        Self { authorised: true, ..Self::nobody() }
    }

    pub(crate) fn named(user: &str) -> Self {
        Self { user: user.to_owned(), authorised: true }
    }
}

/// One provider's behaviour.
pub(crate) trait Provider: Sync {
    /// Service id; accounts servers end in `-accounts`.
    fn id(&self) -> &'static str;

    /// Rolling windows from the start.
    fn windows(&self) -> Vec<Limit>;

    /// Long quota from the start.
    fn quota(&self) -> Option<Limit> {
        None
    }

    /// Whether refused calls take a place in the window.
    fn refused_count(&self) -> bool {
        false
    }

    /// Whether a refusal begins a ban that probing prolongs.
    fn bans(&self) -> bool {
        false
    }

    /// Credentials taken from the start.
    fn credentials(&self) -> &'static [&'static str] {
        &[]
    }

    /// Checks what the provider wants to see of every call.
    fn gate(&self, _world: &World, _call: &Call, _accept: &Accept) -> Result<Caller, Answer> {
        Ok(Caller::nobody())
    }

    /// A lower first window for this caller.
    fn cap(&self, _caller: &Caller) -> Option<usize> {
        None
    }

    /// How a refusal looks.
    fn refusal(&self, refusal: &Refusal) -> Answer;

    /// Headers on every answer, from the first window.
    fn headers(&self, _first: &Usage) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The answer in the language the call asks for; they are all made in JSON.
    fn worded(&self, _call: &Call, answer: Answer) -> Answer {
        answer
    }

    /// The endpoints.
    fn answer(&self, world: &World, call: &Call, caller: &Caller) -> Answer;
}

/// One page of `items`.
pub(crate) fn page<T>(items: &[T], offset: usize, limit: usize) -> &[T] {
    let start = offset.min(items.len());
    &items[start..start.saturating_add(limit).min(items.len())]
}

/// Unix milliseconds as `2026-11-21T09:30:00.123Z`.
pub(crate) fn iso(unix_ms: i64) -> String {
    let (days, ms) = (unix_ms.div_euclid(86_400_000), unix_ms.rem_euclid(86_400_000));
    // Civil date from days since the epoch (Howard Hinnant's algorithm).
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (s, ms) = (ms / 1_000, ms % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z", s / 3_600, s / 60 % 60, s % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_spotify_writes_them() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z", "the epoch");
        assert_eq!(iso(1_709_210_096_789), "2024-02-29T12:34:56.789Z", "a leap day");
    }
}
