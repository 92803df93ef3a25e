//! The same tracker before the simulator's listener, which was written by nobody who knew it.

use headroom_engine::clock::Wall;
use headroom_engine::plays::{Observation, Rule};
use headroom_simulator::listener::{Command, Heard, Listener, Repeat, Song, Stamp};
use serde_json::{Value, json};

use super::person::NOON;
use super::score::told;

const MINUTE: i64 = 60_000;

fn song(id: impl ToString, seconds: i64) -> Song {
    Song { id: id.to_string(), duration_ms: seconds * 1_000 }
}

fn track(song_id: &str, duration_ms: i64) -> Value {
    json!({"id": song_id, "name": song_id, "duration_ms": duration_ms, "type": "track"})
}

fn look(listener: &Listener, at: i64) -> Observation {
    let (status, body) = listener.view().map_or((204, Value::Null), |view| {
        let item = (view.kind == "track").then(|| track(&view.song.id, view.song.duration_ms));
        let body = json!({"timestamp": view.changed_ms, "progress_ms": view.progress_ms, "item": item,
            "is_playing": view.playing, "currently_playing_type": view.kind,
            "repeat_state": if view.repeat == Repeat::Track { "track" } else { "off" },
            "device": {"name": view.device, "is_active": true, "is_private_session": false}});
        (200, body)
    });
    Observation::player(Wall::from_millis(at), status, &body)
}

fn history(listener: &Listener, at: i64) -> Observation {
    let row = |(heard, played_at): &(Heard, i64)| {
        let played_at = chrono::DateTime::from_timestamp_millis(*played_at).unwrap().to_rfc3339();
        json!({"track": track(&heard.track_id, heard.duration_ms), "played_at": played_at})
    };
    let items: Vec<Value> = listener.history().iter().take(50).map(row).collect();
    Observation::recently_played(Wall::from_millis(at), 200, &json!({"items": items}))
}

/// An afternoon of everything, and when nobody asks.
fn afternoon(listener: &mut Listener) -> (i64, i64) {
    let mut at = NOON;
    let mut act = |listener: &mut Listener, after: i64, command: Command| {
        at += after;
        listener.command(at, command);
        at
    };
    let play = |songs: Vec<Song>, position_ms: i64| Command::Play { songs, position_ms };
    let album = |name: &str, count: i64, seconds: i64| {
        (0..count).map(|n| song(format!("{name}{n}"), seconds)).collect::<Vec<_>>()
    };
    act(listener, 1, play(album("whole", 5, 210), 0));
    act(listener, 5 * 210_000 + 30_000, play(album("short", 6, 45), 0));
    act(listener, 6 * 45_000 + 30_000, Command::Repeat(Repeat::Track));
    act(listener, 0, play(vec![song("loop", 25)], 0));
    act(listener, 250_000, Command::Quit);
    act(listener, 0, Command::Repeat(Repeat::Off));
    for n in 0..3 {
        act(listener, 20_000, play(vec![song(format!("sought{n}"), 210)], 0));
        act(listener, 40_000, Command::Seek(189_000));
    }
    act(listener, 60_000, play(vec![song("paused", 210), song("after", 120)], 0));
    act(listener, 90_000, Command::Pause);
    act(listener, 6 * 60 * MINUTE, Command::Resume);
    act(listener, 60_000, Command::Device("Phone".to_owned()));
    act(listener, 60_000 + 120_000 + 40_000, play(vec![song("back", 210), song("next", 60)], 0));
    act(listener, 100_000, Command::Seek(0));
    act(listener, 100_000, Command::Seek(20_000));
    act(listener, 190_000 + 60_000 + 20_000, Command::Private(true));
    act(listener, 1_000, play(album("secret", 3, 100), 0));
    act(listener, 400_000, Command::Private(false));
    let unseen = act(listener, 10_000, play(album("unseen", 12, 120), 0)) + 70_000;
    act(listener, 12 * 120_000 + 20_000, play(album("skipped", 9, 200), 0));
    for _ in 0..8 {
        act(listener, 61_000, Command::Skip);
    }
    act(listener, 100_000, Command::Quit);
    (unseen, unseen + 20 * MINUTE)
}

#[test]
fn p1_p2_the_simulators_listener_is_counted_without_error() {
    let rule = Rule::default();
    for stamp in [Stamp::Start, Stamp::End, Stamp::Mixed] {
        for (step, phase) in
            [5_000, 10_000].into_iter().flat_map(|step| (0..10).map(move |phase| (step, phase)))
        {
            let mut listener = Listener::new(NOON);
            listener.stamp = stamp;
            let (from, to) = afternoon(&mut listener);
            let mut seen = Vec::new();
            let mut t = NOON + phase * 1_000;
            while t < to + 30 * MINUTE {
                listener.advance(t);
                if t < from || t >= to {
                    seen.push(look(&listener, t));
                }
                if t % (60 * MINUTE) < step && t >= to {
                    seen.push(history(&listener, t));
                }
                t += step;
            }
            listener.advance(t);
            seen.push(history(&listener, t));
            let truth = listener.truth();
            let heard = truth.iter().filter(|heard| heard.heard_ms * 10 >= heard.duration_ms * 8).count();
            let plays = told(seen);
            let counted: Vec<_> =
                plays.iter().filter(|play| rule.counts(play)).map(|play| &play.track.id).collect();
            assert_eq!(
                (counted.len(), heard),
                (37, 37),
                "{stamp:?}, step {step}, phase {phase}: {counted:?}"
            );
        }
    }
}
