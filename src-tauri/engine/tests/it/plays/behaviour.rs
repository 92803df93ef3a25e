//! What the tracker promises beside its counts.

use std::collections::HashSet;

use headroom_engine::clock::Wall;
use headroom_engine::plays::{Observation, Play, PlayState, Rule, Seen, Source, Stage, Tracker};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::evenings::{Act, act, live, runner};
use super::person::{NOON, Person, Stamp, song};
use super::score::{counted, merge, told};

/// Looks each `step`, the history at the end.
fn observe(person: &Person, step: i64, stamp: Stamp) -> Vec<Observation> {
    let end = person.now + 40_000;
    let looks = (NOON + 1_000..=end).step_by(step as usize).map(|t| person.look(t));
    looks.chain([person.look_back(end + 1_000, stamp)]).collect()
}

#[test]
fn p3_a_paused_track_is_never_skipped() {
    let rule = Rule::default();
    let mut person = Person::new();
    person.put_on(&song("a", 200.0)).hear(50_000).pause(3_600_000).asleep(3_600_000);
    person.whole(&song("b", 200.0)).quit();
    let mut tracker = Tracker::default();
    let mut states = Vec::new();
    for t in (NOON..person.now).step_by(10_000) {
        let ended = tracker.observe(&person.look(t));
        let all: Vec<&Play> = ended.iter().chain(tracker.open()).collect();
        states.extend(all.into_iter().filter(|play| play.track.id == "a").map(|play| rule.state(play)));
    }
    assert_eq!(states[0], PlayState::Playing, "it began");
    let paused = states.iter().filter(|state| **state == PlayState::Paused).count();
    assert!(paused > 300, "an hour of pause, and the rest of it in silence is no ending: {paused}");
    assert!(!states.contains(&PlayState::Skipped), "nobody skipped it");
    assert_eq!(states.last(), Some(&PlayState::Partial), "something else was put on");
}

#[test]
fn p4_two_accounts_are_two_trackers() {
    let (mut one, mut two) = (Person::new(), Person::new());
    one.whole(&song("same", 200.0)).whole(&song("a", 200.0)).quit();
    two.whole(&song("same", 200.0)).whole(&song("b", 200.0)).quit();
    let (mut first, mut second) = (Tracker::default(), Tracker::default());
    let (mut ones, mut twos) = (Vec::new(), Vec::new());
    for (mine, yours) in observe(&one, 5_000, Stamp::End).iter().zip(&observe(&two, 5_000, Stamp::Start)) {
        merge(&mut ones, first.observe(mine));
        merge(&mut twos, second.observe(yours));
    }
    let ids = |plays: &[Play]| plays.iter().map(|play| play.track.id.clone()).collect::<Vec<_>>();
    assert_eq!((ids(&ones), ids(&twos)), (vec!["same".into(), "a".into()], vec!["same".into(), "b".into()]));
    assert_eq!((counted(&ones), counted(&twos)), (2, 2), "each its own");
}

#[test]
fn p2_killed_at_any_look_and_restored_in_mid_track_is_one_play() {
    let mut person = Person::new();
    person.whole(&song("a", 180.0)).put_on(&song("b", 180.0)).hear(90_000).pause(60_000).resume().hear_out();
    person.whole(&song("c", 34.0)).quit();
    let seen = observe(&person, 10_000, Stamp::Mixed);
    let whole = told(seen.clone());
    assert_eq!(counted(&whole), 3, "undisturbed");
    for killed in 0..seen.len() {
        let (before, after) = seen.split_at(killed);
        let mut plays = Vec::new();
        let mut tracker = Tracker::default();
        for observation in before {
            merge(&mut plays, tracker.observe(observation));
            // The store saves the open play as it goes.
            merge(&mut plays, tracker.open().cloned().into_iter().collect());
        }
        let saved = serde_json::to_string(&tracker).unwrap();
        let mut tracker: Tracker = serde_json::from_str(&saved).unwrap();
        // It takes a while to start again: two looks are lost.
        for observation in after.iter().skip(2) {
            merge(&mut plays, tracker.observe(observation));
        }
        merge(&mut plays, tracker.finish());
        assert_eq!(plays.len(), 3, "killed before look {killed}: {plays:#?}");
        assert_eq!(counted(&plays), 3, "killed before look {killed}: {plays:#?}");
    }
}

#[test]
fn the_open_play_is_known_as_it_goes_and_counts_as_soon_as_it_may() {
    let mut person = Person::new();
    person.whole(&song("a", 200.0)).quit();
    let mut tracker = Tracker::default();
    let rule = Rule::default();
    tracker.observe(&person.look(NOON + 2_000));
    tracker.observe(&person.look(NOON + 100_000));
    let open = tracker.open().unwrap();
    assert_eq!((open.heard_ms, rule.state(open)), (100_000, PlayState::Playing));
    assert_eq!(rule.counts_in_ms(open), Some(60_000), "160 s are needed");
    tracker.observe(&person.look(NOON + 161_000));
    let open = tracker.open().unwrap();
    assert_eq!(
        (open.stage, rule.state(open), rule.counts_in_ms(open)),
        (Stage::Playing, PlayState::Counted, None)
    );
}

#[test]
fn a_first_sighting_is_believed_for_twelve_seconds_and_no_more() {
    for (position, heard) in [(11_000, 200_000), (20_000, 180_000)] {
        let mut person = Person::new();
        person.whole(&song("a", 200.0)).quit();
        let plays = told((position..=210_000).step_by(10_000).map(|t| person.look(NOON + t)));
        assert_eq!(plays[0].heard_ms, heard, "first seen at {position} ms");
    }
}

#[test]
fn a_track_of_unknown_length_is_heard_as_long_as_it_is_seen() {
    let look = |t: i64, progress: i64| {
        let body = json!({"is_playing": true, "progress_ms": progress,
            "item": {"uri": "spotify:local:a:b:c:0", "name": "c", "duration_ms": 0}});
        Observation::player(Wall::from_millis(NOON + t), 200, &body)
    };
    let looks = (0..30)
        .map(|n| look(n * 10_000, n * 10_000))
        .chain((30..33).map(|n| look(n * 10_000, n * 10_000 - 295_000)));
    let plays = told(looks);
    let [play] = plays.as_slice() else { panic!("one play: {plays:#?}") };
    assert_eq!((play.heard_ms, play.ratio()), (315_000, 0.0), "sought back once");
    assert!(!Rule::default().counts(play), "nobody knows its share");
}

#[test]
fn heard_time_is_the_time_it_sounded() {
    let mut person = Person::new();
    person.put_on(&song("back", 300.0)).hear(100_000).seek(10_000).hear(110_000).seek(100_000).hear(50_000);
    person.put_on(&song("ahead", 300.0)).hear(60_000).seek(200_000).hear_out();
    person.put_on(&song("paused", 300.0)).hear(100_000).pause(500_000).resume().hear(100_000);
    person.put_on(&song("waiting", 300.0)).hear(104_000).meanwhile(&song("other", 300.0), 77_000).hear_out();
    person.quit();
    for phase in 0..10 {
        let looks = (NOON + phase * 1_000..person.now + 30_000).step_by(10_000).map(|t| person.look(t));
        let plays = told(looks);
        assert_eq!(plays.len(), person.truth.len(), "{plays:#?}");
        for heard in &person.truth {
            let told = plays.iter().find(|play| play.track.id == heard.song.id).unwrap();
            let error = told.heard_ms - heard.heard;
            // Only where somebody acted between two looks something is not known, and then not credited.
            assert!((-10_000..=2_500).contains(&error), "{} is off by {error} ms", heard.song.id);
        }
    }
}

#[test]
fn p2_the_rest_of_a_track_in_private_is_not_credited() {
    let mut person = Person::new();
    person.put_on(&song("a", 200.0)).hear_out().quit();
    let private = |t: i64| {
        let body = json!({"device": {"is_private_session": true}, "is_playing": true});
        Observation::player(Wall::from_millis(t), 200, &body)
    };
    let looks = (0..20i64).map(|n| {
        let t = NOON + 5_000 + n * 10_000;
        if (10..15).contains(&n) { private(t) } else { person.look(t) }
    });
    let plays = told(looks);
    assert_eq!(plays.len(), 1, "{plays:#?}");
    // 95 s until the last look in public, and from the last look in private to the end.
    assert_eq!(plays[0].heard_ms, 95_000 + 50_000, "{plays:#?}");
}

#[test]
fn rows_alone_tell_when_plays_began_where_they_fit_each_other() {
    let mut person = Person::new();
    for n in 0..12 {
        person.whole(&song(n, 100.0 + 17.0 * f64::from(n * 5 % 12)));
    }
    person.silence(60_000);
    let truth: Vec<i64> = person.truth.iter().map(|heard| heard.started).collect();
    for stamp in super::person::STAMPS {
        let plays = told([person.look_back(person.now, stamp)]);
        let starts: Vec<i64> = plays.iter().map(|play| play.started_at.millis()).collect();
        assert_eq!(starts, truth, "{stamp:?}");
    }
}

#[test]
fn rows_wait_until_the_time_around_them_is_known() {
    let mut person = Person::new();
    for n in 0..8 {
        person.whole(&song(n, 150.0));
    }
    person.quit();
    for stamp in [Stamp::Start, Stamp::End] {
        let mut seen = vec![person.look(NOON + 1_000), person.look(NOON + 60_000)];
        // The history answers while the player does not.
        seen.extend((2..8).map(|n| person.look_back(NOON + n * 150_000 + 5_000, stamp)));
        seen.extend((120..124).map(|n| person.look(NOON + n * 10_000 - 5_000)));
        seen.push(person.look_back(person.now + 60_000, stamp));
        let plays = told(seen);
        let starts: Vec<i64> = plays.iter().map(|play| (play.started_at.millis() - NOON) / 1_000).collect();
        assert_eq!(starts, (0..8).map(|n| n * 150).collect::<Vec<_>>(), "{stamp:?}");
        assert_eq!(counted(&plays), 8, "{stamp:?}");
    }
}

#[test]
fn a_row_at_the_end_corrects_an_ending_that_was_assumed() {
    let mut person = Person::new();
    (0..5).for_each(|n| _ = person.whole(&song(n, 200.0)));
    person.put_on(&song("left", 200.0)).hear(90_000).quit();
    let looks: Vec<_> = (0..7).map(|n| person.look(NOON + n * 200_000 + 2_000)).collect();
    let counts = |seen: Vec<Observation>| counted(&told(seen));
    assert_eq!(counts(looks.clone()), 6, "nothing follows, and no more was left than the silence lasted");
    let with = |stamp| looks.iter().cloned().chain([person.look_back(NOON + 1_300_000, stamp)]).collect();
    assert_eq!(counts(with(Stamp::End)), 5, "it ended after 90 s");
}

#[test]
fn a_row_is_stamped_at_start_or_end_of_a_known_play_and_adds_nothing() {
    let mut person = Person::new();
    person.put_on(&song("skipped", 200.0)).hear(60_000);
    person.put_on(&song("paused", 200.0)).hear(70_000).pause(600_000).resume().hear_out();
    person.put_on_at(&song("joined", 200.0), 120_000).hear_out().quit();
    for stamp in super::person::STAMPS {
        for step in [5_000, 10_000, 60_000] {
            let mut seen = observe(&person, step, stamp);
            // Fetched again and again, it is still the same row.
            let end = seen.last().unwrap().clone();
            seen.extend([end.clone(), person.look(person.now + 60_000), end]);
            let plays = told(seen);
            assert_eq!(plays.len(), 3, "{stamp:?} {step}: {plays:#?}");
            assert!(plays.iter().all(|play| play.source == Source::Player), "{plays:#?}");
        }
    }
}

#[test]
fn a_provider_whose_clock_differs_by_a_minute_doubles_nothing() {
    let mut person = Person::new();
    for n in 0..8 {
        person.whole(&song(n, 190.0)).silence(400_000);
    }
    for skew in [-60_000, -25_000, 25_000, 60_000] {
        for stamp in [Stamp::Start, Stamp::End] {
            let mut seen = observe(&person, 100_000, stamp);
            for observation in &mut seen {
                if let Seen::History { rows, .. } = &mut observation.seen {
                    rows.iter_mut().for_each(|row| row.played_at = row.played_at.plus_millis(skew));
                }
            }
            let plays = told(seen);
            assert_eq!(plays.len(), 8, "{skew} {stamp:?}: {plays:#?}");
        }
    }
}

#[test]
fn history_before_the_first_look_is_told_and_what_it_no_longer_lists_is_a_gap() {
    let mut person = Person::new();
    for n in 0..70 {
        person.whole(&song(n, 120.0));
    }
    person.quit();
    let look = |t: i64| person.look(NOON + t);
    let minute = 60_000;
    let page = person.look_back(person.now + 5_000, Stamp::End);
    // Two looks at the first track, then nothing for more than fifty tracks.
    let mut tracker = Tracker::default();
    let mut plays = Vec::new();
    for observation in [look(1_000), look(60_000), look(140 * minute), page, look(142 * minute)] {
        merge(&mut plays, tracker.observe(&observation));
    }
    assert_eq!(counted(&plays), 51, "the first and the fifty that are listed: {plays:#?}");
    let [gap] = tracker.gaps() else { panic!("one gap: {:?}", tracker.gaps()) };
    let from_to = [(gap.from.millis() - NOON) / 1_000, (gap.to.millis() - NOON) / 1_000];
    assert_eq!(from_to, [120, 20 * 120], "from the end of the first track to the start of the oldest listed");
    // A tracker that never looked still tells what is listed.
    let page = person.look_back(person.now + 5_000, Stamp::Start);
    assert_eq!(counted(&told([page])), 50);
}

#[test]
fn a_late_row_is_placed_when_it_comes() {
    let mut person = Person::new();
    for n in 0..12 {
        person.whole(&song(n, 120.0));
    }
    person.quit();
    let mut seen: Vec<Observation> = (0..30).map(|n| person.look(NOON + 1_000 + n * 10_000)).collect();
    seen.extend((0..30).map(|n| person.look(NOON + 1_201_000 + n * 10_000)));
    let Seen::History { rows, .. } = person.look_back(NOON + 1_500_000, Stamp::End).seen else { panic!() };
    // The page comes in three parts, the newest rows last.
    for part in [8, 4, 0] {
        let at = Wall::from_millis(NOON + 1_600_000 - part * 10_000);
        let rows = rows[part as usize..].to_vec();
        seen.push(Observation { at, seen: Seen::History { rows, full: false } });
    }
    let plays = told(seen);
    assert_eq!((plays.len(), counted(&plays)), (12, 12), "{plays:#?}");
}

/// Plays by identity never double, whatever order the observations come in.
fn identities(plays: &[Play]) -> usize {
    plays.iter().map(|play| (play.track.id.clone(), play.started_at)).collect::<HashSet<_>>().len()
}

#[test]
fn duplicates_and_stragglers_never_count_twice() {
    let cases = (
        proptest::collection::vec(act(), 4..16),
        any::<u64>(),
        proptest::sample::select(super::person::STAMPS.to_vec()),
    );
    runner(150)
        .run(&cases, |(acts, mut dice, stamp)| {
            let mut evening = live(&acts, 10_000, stamp);
            evening.jumps.clear();
            let seen = evening.observe(10_000, 3_000, stamp, 600_000);
            let mut disturbed = Vec::new();
            for (n, observation) in seen.iter().enumerate() {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                disturbed.push(observation.clone());
                match dice >> 60 {
                    0 => disturbed.push(observation.clone()),
                    1 if n > 3 => disturbed.push(seen[n - 3].clone()),
                    2 if n > 40 => disturbed.push(seen[n - 40].clone()),
                    _ => {}
                }
            }
            let plays = told(disturbed);
            prop_assert_eq!(identities(&plays), plays.len());
            let score = evening.score(&plays);
            prop_assert!(score.is_perfect(), "{:?}\n{}", score, evening.show(&plays));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn neighbours_exchanged_are_as_good_as_one_look_lost_and_no_order_makes_a_play_twice() {
    let cases = (proptest::collection::vec(act(), 2..10), any::<u64>());
    runner(150)
        .run(&cases, |(acts, mut dice)| {
            // Every other look may be lost, and tracks must be long enough for that.
            let acts: Vec<_> = acts.into_iter().map(|(act, minutes)| (act, minutes.max(4.0))).collect();
            let mut evening = live(&acts, 20_000, Stamp::Start);
            evening.jumps.clear();
            let seen = evening.observe(10_000, 0, Stamp::Start, 600_000);
            let mut exchanged = seen.clone();
            for pair in exchanged.chunks_exact_mut(2).step_by(2) {
                pair.swap(0, 1);
            }
            let plays = told(exchanged);
            let score = evening.score(&plays);
            prop_assert!(score.is_perfect(), "{:?}\n{}", score, evening.show(&plays));
            let mut shuffled = seen;
            for n in (1..shuffled.len()).rev() {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                shuffled.swap(n, (dice >> 33) as usize % (n + 1));
            }
            let plays = told(shuffled);
            prop_assert_eq!(identities(&plays), plays.len());
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// Any JSON, and JSON that looks like Spotify's.
fn arbitrary() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-10i64..300_000).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
        proptest::sample::select(vec![
            "track",
            "ad",
            "episode",
            "2026-11-21T12:00:00Z",
            "9999-12-31T23:59:59Z"
        ])
        .prop_map(Value::from),
        Just(json!("-262143-01-01T00:00:00Z")),
    ];
    let keys = vec![
        "is_playing",
        "progress_ms",
        "item",
        "id",
        "uri",
        "duration_ms",
        "name",
        "currently_playing_type",
        "type",
        "repeat_state",
        "device",
        "is_active",
        "is_private_session",
        "timestamp",
        "context",
        "items",
        "track",
        "played_at",
        "artists",
        "album",
        "next",
        "linked_from",
        "external_ids",
        "isrc",
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(keys.clone()), inner), 0..10)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// A player's answer with odd numbers in it.
fn odd_look() -> impl Strategy<Value = Value> {
    let number = || prop_oneof![any::<i64>(), -5i64..400_000, Just(0i64), Just(i64::MAX)];
    (number(), number(), "[ab]", any::<bool>(), any::<bool>()).prop_map(|(progress, duration, id, playing, repeat)| {
        json!({"is_playing": playing, "progress_ms": progress, "item": {"id": id, "duration_ms": duration},
            "repeat_state": if repeat { "track" } else { "off" }})
    })
}

#[test]
fn arbitrary_json_at_arbitrary_times_never_panics_and_never_doubles() {
    let at = || prop_oneof![any::<i64>(), NOON..NOON + 3_600_000, Just(i64::MIN), Just(i64::MAX)];
    let one = (
        at(),
        any::<bool>(),
        prop_oneof![Just(200u16), Just(204), any::<u16>()],
        prop_oneof![arbitrary(), odd_look()],
    );
    runner(1_500)
        .run(&proptest::collection::vec(one, 1..30), |answers| {
            let mut tracker = Tracker::default();
            let mut plays = Vec::new();
            for (at, player, status, body) in answers {
                let at = Wall::from_millis(at);
                let observation = if player {
                    Observation::player(at, status, &body)
                } else {
                    Observation::recently_played(at, status, &body)
                };
                merge(&mut plays, tracker.observe(&observation));
                let _ = (tracker.outlook(), tracker.unexplained_ms());
                let saved = serde_json::to_string(&tracker).unwrap();
                tracker = serde_json::from_str(&saved).unwrap();
            }
            merge(&mut plays, tracker.finish());
            prop_assert_eq!(identities(&plays), plays.len());
            prop_assert!(plays.iter().all(|play| play.heard_ms >= 0), "{:#?}", plays);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_credit_between_two_looks_is_never_more_than_the_time_between_them() {
    let cases = (proptest::collection::vec(act(), 4..20), 3_000i64..200_000);
    runner(150)
        .run(&cases, |(acts, step)| {
            // What a null item hid is credited when the track is seen again.
            let acts: Vec<_> = acts.into_iter().filter(|(act, _)| !matches!(act, Act::Null { .. })).collect();
            let evening = live(&acts, 10_000, Stamp::Start);
            let mut tracker = Tracker::default();
            let (mut before, mut plays) = (0, Vec::new());
            for t in (NOON..evening.person.now).step_by(step as usize) {
                merge(&mut plays, tracker.observe(&evening.person.look(t)));
                merge(&mut plays, tracker.open().cloned().into_iter().collect());
                let heard: i64 = plays.iter().map(|play| play.heard_ms).sum();
                prop_assert!(
                    heard <= before + step + 2_500,
                    "{} s at {}",
                    (heard - before) / 1_000,
                    t - NOON
                );
                before = heard;
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
