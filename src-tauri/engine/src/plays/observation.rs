//! What was seen, read from Spotify's JSON.
//!
//! Reading never fails: what is missing, null or of a wrong type is taken as not said, and an answer
//! that says nothing is [`Seen::Unknown`].

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Track;
use crate::clock::Wall;

/// No track is longer; whatever says so is damaged.
const LONGEST_MS: i64 = 7 * 24 * 3_600 * 1_000;

/// What one look at the provider showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// When, by our clock: the middle of the call. The clock should be steady; see [`super`] for what
    /// happens when it is not.
    pub at: Wall,
    /// What.
    pub seen: Seen,
}

/// The kinds of things to be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    /// A track, playing or paused.
    Track(Box<Sight>),
    /// Something that is no track: an advertisement, an episode, a null item.
    Other {
        /// Position in it, if told.
        progress_ms: Option<i64>,
        /// Not paused.
        playing: bool,
    },
    /// Nothing is on (204).
    Nothing,
    /// A private session: not to be recorded.
    Private,
    /// The provider's history, newest first.
    History {
        /// At most 50.
        rows: Vec<Row>,
        /// Whether older rows may exist that are not among these.
        full: bool,
    },
    /// The call failed or its answer says nothing.
    Unknown,
}

/// The player with a track on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// What is on.
    pub track: Track,
    /// Position in it, in milliseconds; may be past its length.
    pub progress_ms: i64,
    /// Not paused.
    pub playing: bool,
    /// The player is set to repeat this track.
    pub repeats: bool,
    /// Name of the device.
    pub device: Option<String>,
    /// URI of the album or playlist.
    pub context: Option<String>,
}

/// A row of the history: somebody heard this for more than 30 s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What.
    pub track: Track,
    /// `played_at`: sometimes the start, sometimes the end (spotify/web-api #1083).
    pub played_at: Wall,
    /// URI of the album or playlist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

impl Observation {
    /// Reads the answer of `/v1/me/player`.
    #[must_use]
    pub fn player(at: Wall, status: u16, body: &Value) -> Self {
        let seen = match (status, body) {
            (204, _) | (200, Value::Null) => Seen::Nothing,
            (200, Value::Object(_)) => player(body),
            _ => Seen::Unknown,
        };
        Self { at, seen }
    }

    /// Reads the answer of `/v1/me/player/recently-played`.
    #[must_use]
    pub fn recently_played(at: Wall, status: u16, body: &Value) -> Self {
        let seen = match body["items"].as_array() {
            Some(items) if status == 200 => Seen::History {
                rows: items.iter().filter_map(row).collect(),
                // The provider keeps fifty; a shorter answer with no further page is all there is.
                full: items.len() >= 50 || body["next"].is_string(),
            },
            _ => Seen::Unknown,
        };
        Self { at, seen }
    }
}

fn player(body: &Value) -> Seen {
    let device = &body["device"];
    if device["is_private_session"] == true {
        return Seen::Private;
    }
    let playing = body["is_playing"] == true;
    if playing && device["is_active"] == false {
        // A device that is not the active one tells nothing of what is heard.
        return Seen::Unknown;
    }
    let progress_ms = millis(&body["progress_ms"]);
    let item = &body["item"];
    let is_track = |kind: &Value| matches!(kind.as_str(), None | Some("track"));
    let track = (is_track(&body["currently_playing_type"]) && is_track(&item["type"])).then(|| track(item));
    match track.flatten() {
        None => Seen::Other { progress_ms, playing },
        Some(track) => Seen::Track(Box::new(Sight {
            track,
            progress_ms: progress_ms.unwrap_or(0),
            playing,
            repeats: body["repeat_state"] == "track",
            device: text(&device["name"]),
            context: text(&body["context"]["uri"]),
        })),
    }
}

fn track(item: &Value) -> Option<Track> {
    let uri = item["uri"].as_str().unwrap_or_default();
    if uri.starts_with("spotify:episode:") {
        return None;
    }
    // A local file has no id.
    let id = text(&item["id"]).or_else(|| text(&item["uri"]))?;
    let names = item["artists"].as_array().map(Vec::as_slice).unwrap_or_default();
    Some(Track {
        linked_from: text(&item["linked_from"]["id"]).filter(|from| *from != id),
        id,
        name: text(&item["name"]).unwrap_or_default(),
        artists: names.iter().filter_map(|artist| text(&artist["name"])).collect(),
        album: text(&item["album"]["name"]).unwrap_or_default(),
        duration_ms: millis(&item["duration_ms"]).unwrap_or(0),
        isrc: text(&item["external_ids"]["isrc"]),
    })
}

fn row(row: &Value) -> Option<Row> {
    let played_at = DateTime::parse_from_rfc3339(row["played_at"].as_str()?).ok()?;
    let track = track(&row["track"])?;
    Some(Row {
        track,
        played_at: Wall::from_millis(played_at.timestamp_millis()),
        context: text(&row["context"]["uri"]),
    })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn millis(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a float cast to an integer saturates")]
    let millis = value.as_i64().or_else(|| value.as_f64().map(|float| float as i64))?;
    Some(millis.clamp(0, LONGEST_MS))
}
