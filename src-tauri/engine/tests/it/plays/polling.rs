//! The poller and the tracker together, over virtual days.

use headroom_engine::clock::Wall;
use headroom_engine::plays::{Endpoint, Moment, Observation, Outlook, Play, Source, Tracker, next_poll};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::evenings::{Act, live, runner};
use super::person::{NOON, Person, STAMPS, Stamp, song};
use super::score::{Score, merge};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const MIDNIGHT: i64 = NOON - 12 * HOUR;

/// What a day of polling cost and told.
struct Day {
    plays: Vec<Play>,
    /// Looks while something played, was paused, and was silent.
    playing: usize,
    paused: usize,
    silent: usize,
    histories: usize,
}

impl Day {
    fn calls(&self) -> usize {
        self.playing + self.paused + self.silent + self.histories
    }
}

/// Polls a person's player from `from` to `to`, as the engine would: `refused` is when the provider refuses.
fn poll(
    person: &Person,
    from: i64,
    to: i64,
    stamp: Stamp,
    quota_used: f64,
    refused: Option<(i64, i64)>,
) -> Day {
    let mut tracker = Tracker::default();
    let mut day = Day { plays: Vec::new(), playing: 0, paused: 0, silent: 0, histories: 0 };
    let mut moment = Moment {
        now: Wall::from_millis(from),
        outlook: Outlook::Unknown,
        asked_at: None,
        failures: 0,
        history_at: None,
        unexplained_ms: 0,
        quota_used,
        banned_until: None,
        acted_at: None,
    };
    loop {
        let next = next_poll(&moment);
        // An answer takes a while.
        let at = next.at.max(moment.now).plus_millis(150);
        if at.millis() > to {
            break;
        }
        moment.now = at;
        let (t, ban) = (at.millis(), refused.filter(|(from, to)| at.millis() >= *from && at.millis() < *to));
        let observation = match (next.endpoint, ban) {
            (_, Some((_, until))) => {
                assert!(moment.banned_until.is_none(), "one call is refused, then there is silence");
                moment.banned_until = Some(Wall::from_millis(until));
                moment.failures += 1;
                Observation::player(at, 429, &Value::Null)
            }
            (Endpoint::Player, None) => person.look(t),
            (Endpoint::RecentlyPlayed, None) => person.look_back(t, stamp),
        };
        match next.endpoint {
            Endpoint::Player => {
                match moment.outlook {
                    Outlook::Playing { .. } | Outlook::Other { .. } => day.playing += 1,
                    Outlook::Paused { .. } => day.paused += 1,
                    Outlook::Silent { .. } | Outlook::Unknown => day.silent += 1,
                }
                moment.asked_at = Some(at);
            }
            Endpoint::RecentlyPlayed => {
                day.histories += 1;
                moment.history_at = Some(at);
            }
        }
        if ban.is_none() {
            moment.failures = 0;
        }
        merge(&mut day.plays, tracker.observe(&observation));
        moment.outlook = tracker.outlook();
        moment.unexplained_ms = tracker.unexplained_ms();
    }
    merge(&mut day.plays, tracker.finish());
    day
}

/// What people do on an ordinary day.
fn ordinary() -> impl Strategy<Value = (Act, f64)> {
    let share = 0.0..1.0f64;
    let act = prop_oneof![
        78 => Just(Act::Whole { device: false }),
        1 => Just(Act::Whole { device: true }),
        9 => share.clone().prop_map(|share| Act::Skip { share }),
        1 => (share.clone(), share.clone()).prop_map(|(from, by)| Act::SeekAhead { from, by }),
        2 => (share.clone(), share.clone()).prop_map(|(from, to)| Act::SeekBack { from, to }),
        3 => (share.clone(), 0.2..15.0f64, any::<bool>())
            .prop_map(|(at, minutes, asleep)| Act::Pauses { at, minutes, asleep }),
        1 => (2usize..5).prop_map(|times| Act::Repeat { times }),
        1 => Just(Act::Short),
        1 => share.prop_map(|at| Act::Joined { at }),
        2 => (0usize..2, 15i64..35).prop_map(|(kind, seconds)| Act::Other { kind, seconds }),
        1 => (0.3..15.0f64).prop_map(|minutes| Act::Quit { minutes }),
    ];
    (act, 2.2..5.5f64)
}

/// A day from midnight to midnight with `hours` of ordinary listening in three sittings.
fn a_day(hours: f64, runner: &mut TestRunner) -> Person {
    let mut day = Person::new();
    day.now = MIDNIGHT;
    for n in 0..3i64 {
        let begin = MIDNIGHT + 8 * HOUR + n * 5 * HOUR;
        let mut acts = Vec::new();
        let sitting = loop {
            let sitting = live(&acts, 10_000, Stamp::Start).person;
            if (sitting.now - NOON) as f64 >= hours / 3.0 * HOUR as f64 {
                break sitting;
            }
            acts.push(ordinary().new_tree(runner).unwrap().current());
        };
        day.append(sitting, begin.max(day.now));
    }
    day
}

#[test]
fn a_virtual_day_with_ten_hours_of_mixed_listening_costs_at_most_three_calls_a_track() {
    const DAYS: usize = 6;
    let mut runner = runner(1);
    let mut table = String::new();
    let mut costs = Vec::new();
    let mut total = Score::default();
    for hours in [2.0, 4.0, 6.0, 8.0, 10.0, 12.0] {
        let (mut calls, mut parts, mut tracks, mut score) = (0, [0; 4], 0, Score::default());
        for n in 0..DAYS {
            let person = a_day(hours, &mut runner);
            let day = poll(&person, MIDNIGHT, MIDNIGHT + 24 * HOUR, STAMPS[n % 3], 0.0, None);
            calls += day.calls();
            parts = [
                parts[0] + day.playing,
                parts[1] + day.paused,
                parts[2] + day.silent,
                parts[3] + day.histories,
            ];
            tracks += person.truth.len();
            score.add(Score::of(&day.plays, &person.truth));
        }
        total.add(score);
        let cost = calls as f64 / tracks as f64;
        table += &format!(
            "{hours:>4} h a day: {:>4} tracks, {:>4} calls ({:?} playing, paused, silent, history), {cost:.2} a track, {score:?}\n",
            tracks / DAYS,
            calls / DAYS,
            parts.map(|part| part / DAYS),
        );
        costs.push((hours, cost));
    }
    println!("{table}{total:?}");
    for (hours, cost) in costs {
        assert!(hours < 10.0 || cost <= 3.0, "{table}");
    }
    // A gap of some minutes may hide what ten seconds cannot: how far a track was heard whose player quit.
    assert!(total.right * 1_000 >= total.heard * 995, "{table}{total:?}");
    assert!(total.right * 1_000 >= total.told * 995, "{table}{total:?}");
}

#[test]
fn a_ban_in_the_middle_is_kept_and_costs_no_play() {
    for stamp in STAMPS {
        let mut person = Person::new();
        (0..40).for_each(|n| _ = person.whole(&song(n, 150.0 + f64::from(n))));
        person.quit();
        let ban = (NOON + 20 * MINUTE, NOON + 50 * MINUTE);
        let day = poll(&person, NOON - 5 * MINUTE, person.now + 10 * MINUTE, stamp, 0.0, Some(ban));
        assert!(Score::of(&day.plays, &person.truth).is_perfect(), "{stamp:?}: {:#?}", day.plays);
        let unseen = day.plays.iter().filter(|play| play.source == Source::RecentlyPlayed).count();
        assert!(unseen >= 8, "half an hour was told by the history: {unseen}");
    }
}
