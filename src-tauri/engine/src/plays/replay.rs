//! A recorded trace, run through the tracker: how a miscount is reported and fixed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Observation, Play, Rule, Source, Tracker};
use crate::clock::Wall;

/// What a trace told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replay {
    /// Its plays by their start, the one still open included.
    pub plays: Vec<Line>,
    /// Lines that could not be read; the others were used.
    pub damaged: Vec<DamagedLine>,
}

/// A play as `headroomctl plays replay` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Spotify id; the URI of a local file.
    pub track_id: String,
    /// Title.
    pub name: String,
    /// Unix seconds.
    pub started_at: i64,
    /// Length in milliseconds, 0 if not known.
    pub duration_ms: i64,
    /// Real time it sounded, in milliseconds.
    pub heard_ms: i64,
    /// Heard time by length, to four places.
    pub ratio: f64,
    /// Whether it counts.
    pub counted: bool,
    /// What it is known from.
    pub source: Source,
}

/// A line that is not an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedLine {
    /// From 1.
    pub number: usize,
    /// What is wrong with it.
    pub reason: String,
}

#[derive(Deserialize)]
struct Recorded {
    at: f64,
    endpoint: Endpoint,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    body: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Endpoint {
    Player,
    RecentlyPlayed,
}

fn ok() -> u16 {
    200
}

/// Runs JSON lines `{"at":unix_s,"endpoint":"player"|"recently_played","status":200,"body":{…}}` through a
/// tracker of their own.
#[must_use]
pub fn replay<'a>(lines: impl IntoIterator<Item = &'a str>, rule: &Rule) -> Replay {
    let mut tracker = Tracker::default();
    let mut plays: Vec<Play> = Vec::new();
    let mut keep = |changed: Vec<Play>| {
        for play in changed {
            match plays.iter_mut().rev().find(|known| known.is(&play)) {
                Some(known) => *known = play,
                None => plays.push(play),
            }
        }
    };
    let mut damaged = Vec::new();
    for (place, line) in lines.into_iter().enumerate() {
        // Some editors begin a file with a byte order mark.
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            continue;
        }
        match serde_json::from_str::<Recorded>(line) {
            Ok(recorded) => keep(tracker.observe(&recorded.into())),
            Err(error) => damaged.push(DamagedLine { number: place + 1, reason: error.to_string() }),
        }
    }
    keep(tracker.finish());
    plays.sort_by_key(|play| play.started_at);
    Replay { plays: plays.iter().map(|play| Line::new(play, rule)).collect(), damaged }
}

impl From<Recorded> for Observation {
    fn from(recorded: Recorded) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a float cast to an integer saturates")]
        let at = Wall::from_millis((recorded.at * 1_000.0).round() as i64);
        match recorded.endpoint {
            Endpoint::Player => Self::player(at, recorded.status, &recorded.body),
            Endpoint::RecentlyPlayed => Self::recently_played(at, recorded.status, &recorded.body),
        }
    }
}

impl Line {
    fn new(play: &Play, rule: &Rule) -> Self {
        Self {
            track_id: play.track.id.clone(),
            name: play.track.name.clone(),
            started_at: play.started_at.seconds(),
            duration_ms: play.track.duration_ms,
            heard_ms: play.heard_ms,
            ratio: (play.ratio() * 10_000.0).round() / 10_000.0,
            counted: rule.counts(play),
            source: play.source,
        }
    }
}
