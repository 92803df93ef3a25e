//! Somebody who listens, told act by act. What was really heard is written down as it is told, so it is
//! true by construction and owes nothing to the tracker.

use std::cell::RefCell;

use headroom_engine::clock::Wall;
use headroom_engine::plays::{Observation, Seen};
use serde_json::{Value, json};

/// Where the provider stamps its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    Start,
    End,
    Mixed,
}

pub const STAMPS: [Stamp; 3] = [Stamp::Start, Stamp::End, Stamp::Mixed];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Song {
    pub id: String,
    pub ms: i64,
}

pub fn song(id: impl ToString, seconds: f64) -> Song {
    Song { id: id.to_string(), ms: (seconds * 1_000.0) as i64 }
}

/// One listening as it really was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub song: Song,
    pub started: i64,
    pub ended: i64,
    pub heard: i64,
}

impl Heard {
    pub fn counts(&self, ratio: f64) -> bool {
        self.heard as f64 >= self.song.ms as f64 * ratio
    }
}

#[derive(Clone, Debug)]
enum Scene {
    Silence,
    Private,
    /// Not a track; `null` item or an episode's.
    Other {
        kind: &'static str,
        position: i64,
        item: Value,
    },
    On {
        song: Song,
        position: i64,
        playing: bool,
        changed: i64,
        device: String,
        repeat: bool,
    },
}

struct Current {
    song: Song,
    position: i64,
    started: Option<i64>,
    heard: i64,
    changed: i64,
}

/// See the module.
pub struct Person {
    pub now: i64,
    scenes: Vec<(i64, Scene)>,
    current: Option<Current>,
    pub truth: Vec<Heard>,
    device: String,
    repeat: bool,
    private: bool,
    /// The scene read last.
    read: RefCell<Option<(i64, Seen)>>,
}

/// Noon, 21 November 2026.
pub const NOON: i64 = 1_795_262_400_000;

impl Person {
    pub fn new() -> Self {
        Self {
            now: NOON,
            scenes: vec![(i64::MIN, Scene::Silence)],
            current: None,
            truth: Vec::new(),
            device: "Desk".to_owned(),
            repeat: false,
            private: false,
            read: RefCell::default(),
        }
    }

    fn scene(&mut self, scene: Scene) {
        self.scenes.push((self.now, scene));
    }

    fn show(&mut self, playing: bool) {
        let scene = match &self.current {
            _ if self.private => Scene::Private,
            None => Scene::Silence,
            Some(current) => Scene::On {
                song: current.song.clone(),
                position: current.position,
                playing,
                changed: current.changed,
                device: self.device.clone(),
                repeat: self.repeat,
            },
        };
        self.scene(scene);
    }

    fn finish(&mut self) {
        if let Some(Current { song, started: Some(started), heard, .. }) = self.current.take()
            && heard > 0
            && !self.private
        {
            self.truth.push(Heard { song, started, ended: self.now, heard });
        }
    }

    /// Puts a song on at a position; leaves whatever was on.
    pub fn put_on_at(&mut self, song: &Song, position: i64) -> &mut Self {
        self.finish();
        self.current =
            Some(Current { song: song.clone(), position, started: None, heard: 0, changed: self.now });
        self.show(true);
        self
    }

    pub fn put_on(&mut self, song: &Song) -> &mut Self {
        self.put_on_at(song, 0)
    }

    /// Listens for so long; not beyond the end of the song.
    pub fn hear(&mut self, ms: i64) -> &mut Self {
        let now = self.now;
        let current = self.current.as_mut().expect("something is on");
        let ms = ms.min(current.song.ms - current.position);
        assert!(ms >= 0, "there is so much of the song left");
        current.started.get_or_insert(now);
        current.position += ms;
        current.heard += ms;
        self.now += ms;
        self
    }

    /// Listens to the end of the song.
    pub fn hear_out(&mut self) -> &mut Self {
        self.hear(i64::MAX)
    }

    /// The whole song, from its beginning.
    pub fn whole(&mut self, song: &Song) -> &mut Self {
        self.put_on(song).hear_out()
    }

    pub fn pause(&mut self, ms: i64) -> &mut Self {
        self.current.as_mut().expect("something is on").changed = self.now;
        self.show(false);
        self.now += ms;
        self
    }

    pub fn resume(&mut self) -> &mut Self {
        self.current.as_mut().expect("something is on").changed = self.now;
        self.show(true);
        self
    }

    pub fn seek(&mut self, position: i64) -> &mut Self {
        let now = self.now;
        let current = self.current.as_mut().expect("something is on");
        current.position = position;
        current.changed = now;
        self.show(true);
        self
    }

    pub fn device(&mut self, name: &str) -> &mut Self {
        self.device = name.to_owned();
        if self.current.is_some() {
            self.show(true);
        }
        self
    }

    pub fn repeat(&mut self, repeat: bool) -> &mut Self {
        self.repeat = repeat;
        self
    }

    /// The player shows nothing for a while, though what was on is not given up.
    pub fn asleep(&mut self, ms: i64) -> &mut Self {
        self.scene(Scene::Silence);
        self.now += ms;
        self
    }

    pub fn quit(&mut self) -> &mut Self {
        self.finish();
        self.show(false);
        self
    }

    pub fn silence(&mut self, ms: i64) -> &mut Self {
        self.quit();
        self.now += ms;
        self
    }

    /// Something that is no track.
    pub fn other(&mut self, kind: &'static str, ms: i64) -> &mut Self {
        self.finish();
        let item = if kind == "episode" {
            json!({"id": "episode", "type": "episode", "uri": "spotify:episode:e", "duration_ms": ms})
        } else {
            Value::Null
        };
        self.scene(Scene::Other { kind, position: 0, item });
        self.now += ms;
        self
    }

    /// The same with no answer at all.
    pub fn hear_as_silence(&mut self, ms: i64) -> &mut Self {
        self.scene(Scene::Silence);
        self.hear(ms);
        self.show(true);
        self
    }

    /// The song is over, and the player goes on telling its progress past the end.
    pub fn overrun(&mut self, ms: i64) -> &mut Self {
        self.finish();
        self.now += ms;
        self
    }

    /// Another device takes over; what was on waits where it is.
    pub fn meanwhile(&mut self, other: &Song, ms: i64) -> &mut Self {
        let waiting = self.current.take();
        self.device("Phone").put_on(other).hear(ms);
        self.finish();
        self.current = waiting;
        self.device("Desk")
    }

    /// An answer without an item in the middle of a song, which plays on.
    pub fn hear_as_null(&mut self, ms: i64) -> &mut Self {
        let position = self.current.as_ref().map_or(0, |current| current.position);
        self.scene(Scene::Other { kind: "unknown", position, item: Value::Null });
        self.hear(ms);
        self.show(true);
        self
    }

    /// A private session begins or ends; what was on is left.
    pub fn private(&mut self, private: bool) -> &mut Self {
        self.finish();
        self.private = private;
        self
    }

    /// Lives through another's day from `begin` on.
    pub fn append(&mut self, other: Self, begin: i64) {
        let shift = begin - NOON;
        let later = |scene: Scene| match scene {
            Scene::On { song, position, playing, changed, device, repeat } => {
                Scene::On { song, position, playing, changed: changed + shift, device, repeat }
            }
            same => same,
        };
        self.quit();
        self.scenes.extend(other.scenes.into_iter().skip(1).map(|(at, scene)| (at + shift, later(scene))));
        self.truth.extend(other.truth.into_iter().map(|heard| Heard {
            started: heard.started + shift,
            ended: heard.ended + shift,
            ..heard
        }));
        self.now = other.now + shift;
    }

    fn at(&self, t: i64) -> (i64, &Scene) {
        let place = self.scenes.partition_point(|(from, _)| *from <= t);
        let (from, scene) = &self.scenes[place - 1];
        (*from, scene)
    }

    /// Status and body of `/v1/me/player` at `t`.
    pub fn player(&self, t: i64) -> (u16, Value) {
        let (from, scene) = self.at(t);
        match scene {
            Scene::Silence => (204, Value::Null),
            Scene::Private => (
                200,
                json!({"device": {"is_private_session": true, "is_active": true}, "is_playing": true,
                    "item": {"id": "secret", "name": "secret", "duration_ms": 200_000}, "progress_ms": t - from}),
            ),
            Scene::Other { kind, position, item } => (
                200,
                json!({"is_playing": true, "item": item, "progress_ms": position + t - from,
                    "currently_playing_type": kind, "timestamp": from}),
            ),
            Scene::On { song, position, playing, changed, device, repeat } => {
                let progress = if *playing { position + t - from } else { *position };
                let body = json!({
                    "timestamp": changed, "is_playing": playing,
                    "progress_ms": progress, "currently_playing_type": "track",
                    "repeat_state": if *repeat { "track" } else { "off" },
                    "device": {"name": device, "is_active": true, "is_private_session": false},
                    "context": {"uri": "spotify:playlist:p"}, "item": track(song),
                });
                (200, body)
            }
        }
    }

    /// The provider's history at `t`, newest first.
    pub fn history(&self, t: i64, stamp: Stamp) -> Value {
        let listed = self.truth.iter().filter(|heard| heard.ended <= t && heard.heard > 30_000).enumerate();
        let mut items: Vec<Value> = listed
            .map(|(n, heard)| {
                let at_start = match stamp {
                    Stamp::Start => true,
                    Stamp::End => false,
                    Stamp::Mixed => n % 2 == 0,
                };
                let at = if at_start { heard.started } else { heard.ended };
                let at = chrono::DateTime::from_timestamp_millis(at).expect("a time");
                json!({"track": track(&heard.song), "context": null,
                    "played_at": at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)})
            })
            .collect();
        items.reverse();
        items.truncate(50);
        json!({"items": items, "next": null})
    }

    /// What is seen at `t`. Each scene is read from its JSON once; in between only time passes.
    pub fn look(&self, t: i64) -> Observation {
        let (from, scene) = self.at(t);
        let mut read = self.read.borrow_mut();
        let (_, mut seen) = read.take().filter(|(read_from, _)| *read_from == from).unwrap_or_else(|| {
            let (status, body) = self.player(from);
            (from, Observation::player(Wall::from_millis(from), status, &body).seen)
        });
        *read = Some((from, seen.clone()));
        let passed = if from == i64::MIN { 0 } else { t - from };
        match (&mut seen, scene) {
            (Seen::Track(sight), Scene::On { playing, .. }) => {
                sight.progress_ms += if *playing { passed } else { 0 };
            }
            (Seen::Other { progress_ms: Some(progress), .. }, _) => *progress += passed,
            _ => {}
        }
        Observation { at: Wall::from_millis(t), seen }
    }

    pub fn look_back(&self, t: i64, stamp: Stamp) -> Observation {
        Observation::recently_played(Wall::from_millis(t), 200, &self.history(t, stamp))
    }
}

fn track(song: &Song) -> Value {
    json!({"id": song.id, "name": format!("Song {}", song.id), "type": "track", "duration_ms": song.ms,
        "uri": format!("spotify:track:{}", song.id), "artists": [{"name": "Somebody"}], "album": {"name": "Album"}})
}
