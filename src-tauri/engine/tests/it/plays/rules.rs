//! Rules, reading, replay, and the poller's table.

use headroom_engine::clock::Wall;
use headroom_engine::plays::{
    Endpoint, Moment, Next, Observation, Outlook, PlayState, Rule, Seen, Source, next_poll, replay,
};
use headroom_engine::settings::PlayRule;
use serde_json::{Value, json};

use super::person::{NOON, Person, Stamp, song};
use super::score::told;

fn rule(kind: PlayRule) -> Rule {
    Rule { kind, ..Rule::default() }
}

#[test]
fn each_rule_says_how_much_of_a_track_is_needed() {
    let table: [(i64, [Option<i64>; 3]); 7] = [
        // Length, then favsongs, lastfm, listenbrainz.
        (0, [None, Some(240_000), Some(240_000)]),
        (25_000, [Some(20_000), None, Some(12_500)]),
        (30_000, [Some(24_000), None, Some(15_000)]),
        (30_001, [Some(24_001), Some(15_001), Some(15_001)]),
        (210_000, [Some(168_000), Some(105_000), Some(105_000)]),
        (480_000, [Some(384_000), Some(240_000), Some(240_000)]),
        (1_800_000, [Some(1_440_000), Some(240_000), Some(240_000)]),
    ];
    for (length, needed) in table {
        let kinds = [PlayRule::Favsongs, PlayRule::Lastfm, PlayRule::Listenbrainz];
        assert_eq!(kinds.map(|kind| rule(kind).needed_ms(length)), needed, "{length} ms");
    }
}

#[test]
fn a_looped_track_of_three_minutes_counts_as_listenbrainz_says() {
    for (heard, expected) in [(82, 0), (126, 1), (237, 1), (289, 2)] {
        let mut person = Person::new();
        person.repeat(true);
        let loops = heard / 180;
        (0..loops).for_each(|_| _ = person.whole(&song("loop", 180.0)));
        person.put_on(&song("loop", 180.0)).hear((heard - loops * 180) * 1_000).quit();
        let plays = told((0..40).map(|n| person.look(NOON + 3_000 + n * 10_000)));
        let listenbrainz = rule(PlayRule::Listenbrainz);
        assert_eq!(plays.iter().filter(|play| listenbrainz.counts(play)).count(), expected, "{heard} s");
    }
}

#[test]
fn another_rule_recounts_from_heard_times_and_back() {
    let mut person = Person::new();
    person.put_on(&song("half", 200.0)).hear(120_000).whole(&song("short", 28.0)).whole(&song("full", 200.0));
    person.put_on(&song("left", 200.0)).hear(40_000).whole(&song("last", 200.0)).quit();
    let plays = told((0..90).map(|n| person.look(NOON + n * 10_000)));
    let states = |kind| plays.iter().map(|play| rule(kind).state(play)).collect::<Vec<_>>();
    use PlayState::{Counted, Partial, Skipped};
    let favsongs = states(PlayRule::Favsongs);
    assert_eq!(favsongs, [Skipped, Counted, Counted, Skipped, Counted]);
    assert_eq!(states(PlayRule::Lastfm), [Counted, Partial, Counted, Skipped, Counted], "28 s are too short");
    assert_eq!(states(PlayRule::Listenbrainz), [Counted, Counted, Counted, Skipped, Counted]);
    assert_eq!(states(PlayRule::Favsongs), favsongs, "and back");
}

#[test]
fn answers_of_the_player_are_read_whatever_they_are() {
    let at = Wall::from_millis(NOON);
    let seen = |status: u16, body: Value| Observation::player(at, status, &body).seen;
    let item = json!({"id": "x", "name": "X", "duration_ms": 1_000, "type": "track"});
    assert_eq!(seen(204, Value::Null), Seen::Nothing);
    for status in [0, 401, 429, 500, 503] {
        assert_eq!(seen(status, json!({"error": {}})), Seen::Unknown, "{status} tells nothing");
    }
    assert_eq!(seen(200, json!([1])), Seen::Unknown);
    let private = json!({"device": {"is_private_session": true}, "is_playing": true, "item": item});
    assert_eq!(seen(200, private), Seen::Private);
    let inactive = json!({"device": {"is_active": false}, "is_playing": true, "item": item});
    assert_eq!(seen(200, inactive), Seen::Unknown);
    for kind in ["ad", "episode", "unknown"] {
        let other = seen(
            200,
            json!({"currently_playing_type": kind, "item": null, "is_playing": true, "progress_ms": 5}),
        );
        assert_eq!(other, Seen::Other { progress_ms: Some(5), playing: true }, "{kind}");
    }
    let episode = json!({"item": {"id": "e", "type": "episode"}, "is_playing": true});
    assert_eq!(seen(200, episode), Seen::Other { progress_ms: None, playing: true });
    let local = json!({"item": {"id": null, "is_local": true, "uri": "spotify:local:a:b:c:12"}, "is_playing": true,
        "progress_ms": 3, "something": "new"});
    let Seen::Track(sight) = seen(200, local) else { panic!("a local file is a track") };
    assert_eq!(
        (sight.track.id.as_str(), sight.progress_ms, sight.track.duration_ms),
        ("spotify:local:a:b:c:12", 3, 0)
    );
}

#[test]
fn replay_gives_the_plays_of_a_recorded_trace() {
    let mut person = Person::new();
    person.whole(&song("a", 180.0)).put_on(&song("b", 200.0)).hear(60_000).whole(&song("c", 200.0));
    person.whole(&song("d", 200.0)).quit();
    let line = |t: i64, endpoint: &str, (status, body): (u16, Value)| {
        json!({"at": t as f64 / 1_000.0, "endpoint": endpoint, "status": status, "body": body}).to_string()
    };
    let mut trace: Vec<String> = Vec::new();
    for t in (NOON + 3_000..person.now + 20_000).step_by(10_000) {
        // An outage over the third track.
        if !(NOON + 300_000..NOON + 460_000).contains(&t) {
            trace.push(line(t, "player", person.player(t)));
        }
    }
    trace.push(line(person.now + 21_000, "recently_played", (200, person.history(person.now, Stamp::Mixed))));
    trace.insert(4, "{\"at\": 17".to_owned());
    trace.insert(9, String::new());
    trace.push(r#"{"at":1795270000,"endpoint":"player","status":204}"#.to_owned());
    let told = replay(trace.iter().map(String::as_str), &Rule::default());
    assert_eq!(told.damaged.iter().map(|damaged| damaged.number).collect::<Vec<_>>(), [5]);
    let lines: Vec<Value> = told.plays.iter().map(|line| serde_json::to_value(line).unwrap()).collect();
    let start = NOON / 1_000;
    assert_eq!(
        lines,
        [
            json!({"track_id": "a", "name": "Song a", "started_at": start, "duration_ms": 180_000,
                "heard_ms": 180_000, "ratio": 1.0, "counted": true, "source": "player"}),
            json!({"track_id": "b", "name": "Song b", "started_at": start + 180, "duration_ms": 200_000,
                "heard_ms": 60_000, "ratio": 0.3, "counted": false, "source": "player"}),
            json!({"track_id": "c", "name": "Song c", "started_at": start + 240, "duration_ms": 200_000,
                "heard_ms": 200_000, "ratio": 1.0, "counted": true, "source": "player"}),
            json!({"track_id": "d", "name": "Song d", "started_at": start + 440, "duration_ms": 200_000,
                "heard_ms": 200_000, "ratio": 1.0, "counted": true, "source": "player"}),
        ]
    );
    assert_eq!(told.plays[0].source, Source::Player);
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

fn at(ms: i64) -> Wall {
    Wall::from_millis(NOON + ms)
}

fn moment(outlook: Outlook) -> Moment {
    Moment {
        now: at(100),
        outlook,
        asked_at: Some(at(0)),
        failures: 0,
        history_at: Some(at(0)),
        unexplained_ms: 0,
        quota_used: 0.0,
        banned_until: None,
        acted_at: None,
    }
}

/// Milliseconds from the last look to the next call.
fn wait(moment: &Moment) -> (i64, Endpoint) {
    let Next { at: next, endpoint } = next_poll(moment);
    (next.millis() - NOON, endpoint)
}

#[test]
fn the_next_look_is_after_the_tracks_end_and_rarer_in_silence() {
    let playing = |left: i64| Outlook::Playing { ends_at: at(left) };
    let paused = |since: i64, left_ms: i64| Outlook::Paused { since: at(-since), left_ms };
    let silent = |since: i64| Outlook::Silent { since: at(-since) };
    let table = [
        (Outlook::Unknown, 0),
        (playing(200 * SECOND), 201_500),
        (playing(8 * MINUTE), 4 * MINUTE),
        (playing(30 * MINUTE), 5 * MINUTE),
        (playing(-2 * SECOND), 3 * SECOND),
        (playing(-20 * MINUTE), MINUTE),
        (Outlook::Other { since: at(-MINUTE) }, 30 * SECOND),
        (silent(0), 15 * SECOND),
        (silent(MINUTE), MINUTE),
        (silent(24 * 60 * MINUTE), 5 * MINUTE),
        (paused(0, 3 * MINUTE), 15 * SECOND),
        (paused(19 * MINUTE, 2 * MINUTE), 2 * MINUTE),
        (paused(19 * MINUTE, SECOND), 45 * SECOND),
        (paused(6 * 60 * MINUTE, SECOND), 5 * MINUTE),
    ];
    for (outlook, expected) in table {
        assert_eq!(wait(&moment(outlook)), (expected, Endpoint::Player), "{outlook:?}");
    }
}

#[test]
fn a_sign_in_or_the_users_act_is_followed_within_a_second_and_a_ban_by_nothing() {
    let quiet = moment(Outlook::Silent { since: at(-60 * MINUTE) });
    let acted = Moment { acted_at: Some(at(90 * SECOND)), ..quiet };
    assert_eq!(wait(&acted), (90 * SECOND + 400, Endpoint::Player));
    let looked_since = Moment { acted_at: Some(at(-1)), ..quiet };
    assert_eq!(wait(&looked_since).0, 5 * MINUTE, "it was seen already");
    let first = Moment { asked_at: None, history_at: None, outlook: Outlook::Unknown, ..quiet };
    assert_eq!(wait(&first), (100, Endpoint::Player), "at once after a sign-in, and the player first");
    let seen = Moment { history_at: None, ..quiet };
    assert_eq!(wait(&seen), (100, Endpoint::RecentlyPlayed), "then the history");
    for one in [acted, first, quiet, seen] {
        let banned = Moment { banned_until: Some(at(600 * MINUTE)), ..one };
        assert!(wait(&banned).0 >= 600 * MINUTE, "silent during a ban: {banned:?}");
    }
}

#[test]
fn failures_and_a_filling_quota_slow_it_down() {
    let quiet = moment(Outlook::Playing { ends_at: at(200 * SECOND) });
    let waits: Vec<i64> = (1..8).map(|failures| wait(&Moment { failures, ..quiet }).0 / SECOND).collect();
    assert_eq!(waits, [15, 30, 60, 120, 240, 300, 300]);
    let waits: Vec<i64> = [0.0, 0.5, 0.75, 1.0, 7.0, f64::NAN]
        .map(|quota_used| wait(&Moment { quota_used, ..quiet }).0)
        .to_vec();
    assert_eq!(waits, [201_500, 201_500, 403_000, 604_500, 604_500, 201_500]);
}

#[test]
fn the_history_is_asked_hourly_and_at_once_after_an_outage() {
    let playing =
        Moment { asked_at: Some(at(59 * MINUTE)), ..moment(Outlook::Playing { ends_at: at(65 * MINUTE) }) };
    assert_eq!(wait(&playing), (60 * MINUTE, Endpoint::RecentlyPlayed));
    let outage = Moment { unexplained_ms: 20 * MINUTE, ..playing };
    assert_eq!(wait(&outage), (2 * MINUTE, Endpoint::RecentlyPlayed), "due long ago");
    let failing = Moment { failures: 1, ..outage };
    assert_eq!(wait(&failing).1, Endpoint::Player, "what it says can only be placed between looks");
}
