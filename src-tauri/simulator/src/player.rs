//! The listener's remote control: `POST /player` and `GET /player`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::catalogue::Catalogue;
use crate::listener::{Command, Repeat, Song, Stamp};
use crate::oauth;
use crate::world::{World, lock};

/// One step of a script; every field that is given is done, in this order.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Step {
    /// Unix seconds, fractions allowed; now if neither this nor `in_ms` is given.
    at: Option<f64>,
    /// Milliseconds after the player's now.
    in_ms: Option<i64>,
    repeat: Option<String>,
    device: Option<String>,
    private: Option<bool>,
    kind: Option<String>,
    play: Option<Vec<Value>>,
    position_ms: i64,
    queue: Option<Vec<Value>>,
    pause: bool,
    resume: bool,
    seek_ms: Option<i64>,
    skip: bool,
    quit: bool,
}

#[derive(Debug, Deserialize)]
struct Order {
    user: Option<String>,
    /// Several steps, each with its own `at` or `in_ms`.
    script: Option<Vec<Step>>,
    /// `start`, `end` or `mixed`: how history rows are stamped.
    stamp: Option<String>,
    /// Stops the player's clock (or lets it follow the real one again).
    freeze: Option<bool>,
    /// Lets this much time pass for the player at once, after everything else.
    advance_ms: Option<i64>,
    #[serde(flatten)]
    step: Value,
}

/// Does what an order says and answers with [`describe`].
pub(crate) fn command(world: &World, order: Value) -> Result<Value, String> {
    let order: Order = serde_json::from_value(order).map_err(|error| format!("player: {error}"))?;
    let step: Step = serde_json::from_value(order.step).map_err(|error| format!("player: {error}"))?;
    let user = order.user.unwrap_or_else(|| oauth::USER.to_owned());
    let mut commands = Vec::new();
    for step in order.script.into_iter().flatten().chain([step]) {
        let (at, in_ms) = (step.at, step.in_ms);
        commands.push((at, in_ms, step.commands(&world.catalogue)?));
    }
    {
        let mut people = lock(&world.people);
        let person = people.named(&user);
        let real = world.clock.unix_ms();
        let now = person.listener_at(real).now();
        if let Some(freeze) = order.freeze {
            person.frozen_at = freeze.then_some(now);
            person.ahead_ms = now - real;
        }
        match order.stamp.as_deref() {
            None => {}
            Some("start") => person.listener.stamp = Stamp::Start,
            Some("end") => person.listener.stamp = Stamp::End,
            Some("mixed") => person.listener.stamp = Stamp::Mixed,
            Some(other) => {
                return Err(format!("player: stamp `{other}` is none of start, end, mixed"));
            }
        }
        for (at, in_ms, commands) in commands {
            #[expect(clippy::cast_possible_truncation, reason = "a float cast to an integer saturates")]
            let at = at.map_or(now + in_ms.unwrap_or(0), |seconds| (seconds * 1_000.0) as i64);
            for command in commands {
                person.listener.command(at, command);
            }
        }
        if let Some(ms) = order.advance_ms {
            match person.frozen_at.as_mut() {
                Some(frozen) => *frozen += ms.max(0),
                None => person.ahead_ms += ms.max(0),
            }
        }
    }
    Ok(describe(world, &user))
}

/// What is on, and the truth about what was heard.
pub(crate) fn describe(world: &World, user: &str) -> Value {
    let mut people = lock(&world.people);
    let person = people.named(user);
    let listener = person.listener_at(world.clock.unix_ms());
    let view = listener.view().map(|view| {
        json!({
            "track_id": view.song.id, "progress_ms": view.progress_ms, "playing": view.playing,
            "changed_ms": view.changed_ms, "device": view.device, "kind": view.kind,
        })
    });
    json!({
        "user": user, "now_ms": listener.now(), "view": view,
        "running": listener.running(), "heard": listener.truth(),
    })
}

impl Step {
    fn commands(self, catalogue: &Catalogue) -> Result<Vec<Command>, String> {
        let mut commands = Vec::new();
        match self.repeat.as_deref() {
            None => {}
            Some("off") => commands.push(Command::Repeat(Repeat::Off)),
            Some("track") => commands.push(Command::Repeat(Repeat::Track)),
            Some(other) => {
                return Err(format!("player: repeat `{other}` is neither off nor track"));
            }
        }
        commands.extend(self.device.map(Command::Device));
        commands.extend(self.private.map(Command::Private));
        commands.extend(self.kind.map(Command::Kind));
        if let Some(play) = self.play {
            commands.push(Command::Play { songs: songs(catalogue, &play)?, position_ms: self.position_ms });
        }
        if let Some(queue) = self.queue {
            commands.push(Command::Queue(songs(catalogue, &queue)?));
        }
        commands.extend(self.seek_ms.map(Command::Seek));
        commands.extend(self.pause.then_some(Command::Pause));
        commands.extend(self.resume.then_some(Command::Resume));
        commands.extend(self.skip.then_some(Command::Skip));
        commands.extend(self.quit.then_some(Command::Quit));
        Ok(commands)
    }
}

/// Tracks by Spotify id, URI or position in the catalogue.
fn songs(catalogue: &Catalogue, names: &[Value]) -> Result<Vec<Song>, String> {
    names
        .iter()
        .map(|name| {
            let track = match name {
                Value::String(id) => catalogue.track_by_id(id.rsplit(':').next().unwrap_or(id)),
                Value::Number(n) => n.as_u64().and_then(|n| catalogue.tracks.get(usize::try_from(n).ok()?)),
                _ => None,
            };
            let track = track.ok_or_else(|| format!("player: there is no track {name}"))?;
            let duration_ms = i64::try_from(track.duration_ms).unwrap_or(i64::MAX);
            Ok(Song { id: track.spotify.clone(), duration_ms })
        })
        .collect()
}
