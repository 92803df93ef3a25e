//! The scripted scenarios of P1 and P2.

use headroom_engine::clock::Wall;
use headroom_engine::plays::{Observation, Play, Seen};
use serde_json::json;

use super::person::{NOON, Person, STAMPS, Song, Stamp, song};
use super::score::{counted, told};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// A script, what it should count, and the time (from, to) in which the player is not asked.
struct Scenario {
    name: &'static str,
    expected: usize,
    act: fn(&mut Person),
    outage: Option<(i64, i64)>,
}

fn scenario(name: &'static str, expected: usize, act: fn(&mut Person)) -> Scenario {
    Scenario { name, expected, act, outage: None }
}

fn songs(count: usize, seconds: f64) -> Vec<Song> {
    (0..count).map(|n| song(n, seconds)).collect()
}

fn all() -> Vec<Scenario> {
    vec![
        scenario("20 full plays of 3:30", 20, |p| {
            songs(20, 210.0).iter().for_each(|s| _ = p.whole(s));
        }),
        scenario("20 full plays of 0:45", 20, |p| {
            songs(20, 45.0).iter().for_each(|s| _ = p.whole(s));
        }),
        scenario("3:00 on repeat, 10 times", 10, |p| {
            p.repeat(true);
            (0..10).for_each(|_| _ = p.whole(&song("loop", 180.0)));
        }),
        scenario("3:00 queued 10 times", 10, |p| {
            (0..10).for_each(|_| _ = p.whole(&song("loop", 180.0)));
        }),
        scenario("0:25 on repeat, 10 times", 10, |p| {
            p.repeat(true);
            (0..10).for_each(|_| _ = p.whole(&song("loop", 25.0)));
        }),
        scenario("0:34 on repeat, 10 times", 10, |p| {
            p.repeat(true);
            (0..10).for_each(|_| _ = p.whole(&song("loop", 34.0)));
        }),
        scenario("10 seeks to 90 % after 5 s", 0, |p| {
            songs(10, 210.0).iter().for_each(|s| _ = p.put_on(s).hear(5_000).seek(189_000).hear_out());
        }),
        scenario("10 seeks to 90 % after 20 s", 0, |p| {
            songs(10, 210.0).iter().for_each(|s| _ = p.put_on(s).hear(20_000).seek(189_000).hear_out());
        }),
        scenario("10 seeks to 90 % at once", 0, |p| {
            songs(10, 210.0).iter().for_each(|s| _ = p.put_on(s).seek(189_000).hear_out());
        }),
        scenario("3 mixes of 30:00", 3, |p| {
            songs(3, 1_800.0).iter().for_each(|s| _ = p.whole(s));
        }),
        scenario("the last track, then the player quits", 1, |p| {
            p.whole(&song("last", 210.0));
        }),
        scenario("a short last track, then the player quits", 1, |p| {
            p.whole(&song("last", 33.0));
        }),
        scenario("joined at 3:00 of 3:30, 25 s heard", 0, |p| {
            p.put_on_at(&song("joined", 210.0), 180_000).hear(25_000);
        }),
        scenario("joined at 3:00 of 3:30 after another, heard out", 1, |p| {
            p.whole(&song("first", 210.0)).put_on_at(&song("joined", 210.0), 180_000).hear_out();
        }),
        Scenario {
            outage: Some((NOON + 5 * MINUTE, NOON + 25 * MINUTE)),
            ..scenario("20 min without polls over 10 tracks", 15, |p| {
                songs(15, 120.0).iter().for_each(|s| _ = p.whole(s));
            })
        },
        Scenario {
            outage: Some((NOON, NOON + 20 * MINUTE)),
            ..scenario("20 min without polls, 10 tracks, silence around", 10, |p| {
                p.now += 5_000;
                songs(10, 119.0).iter().for_each(|s| _ = p.whole(s));
            })
        },
        Scenario {
            outage: Some((NOON + 70_000, NOON + 70_000 + 20 * MINUTE)),
            ..scenario("20 min without polls, skips among tracks", 7, |p| {
                for (n, s) in songs(12, 171.0).iter().enumerate() {
                    p.put_on(s).hear(if n % 3 == 1 { 41_000 } else { i64::MAX });
                    if n == 9 {
                        break;
                    }
                }
            })
        },
        scenario("pause of 6 h, resumed", 1, |p| {
            p.put_on(&song("long pause", 210.0)).hear(100_000).pause(6 * HOUR).resume().hear_out();
        }),
        scenario("pause of 6 h, player asleep, resumed", 1, |p| {
            p.put_on(&song("long pause", 210.0))
                .hear(100_000)
                .pause(10 * MINUTE)
                .asleep(6 * HOUR)
                .resume()
                .hear_out();
        }),
        scenario("two seeks back, heard to the end", 1, |p| {
            p.put_on(&song("back", 210.0)).hear(120_000).seek(0).hear(120_000).seek(30_000).hear_out();
        }),
        scenario("two seeks back from near the end, heard to the end", 1, |p| {
            p.put_on(&song("back", 210.0)).hear(190_000).seek(0).hear(190_000).seek(20_000).hear_out();
        }),
        scenario("two seeks back, skipped at 25 %", 1, |p| {
            p.put_on(&song("back", 210.0)).hear(40_000).seek(0).hear(40_000).seek(0).hear(52_500);
            p.whole(&song("next", 200.0));
        }),
        scenario("null item, ad and episode between tracks", 3, |p| {
            p.whole(&song("a", 180.0)).other("ad", 30_000).whole(&song("b", 180.0)).other("unknown", 20_000);
            p.whole(&song("c", 180.0)).other("episode", 30 * MINUTE);
        }),
        scenario("null items in the middle of a track", 1, |p| {
            p.put_on(&song("a", 180.0)).hear(50_000).hear_as_null(30_000).hear_out();
        }),
        scenario("204 while paused", 1, |p| {
            p.put_on(&song("a", 180.0)).hear(50_000).pause(40_000).asleep(60_000);
            p.pause(20_000).resume().hear_out();
        }),
        scenario("the same song four times a day, others between", 8, |p| {
            for n in 0..4 {
                p.whole(&song("same", 200.0)).whole(&song(n, 180.0)).silence(90 * MINUTE);
            }
        }),
        scenario("two devices, the active one", 2, |p| {
            p.put_on(&song("a", 200.0)).hear(60_000).device("Phone").hear(60_000).device("Desk").hear_out();
            p.device("Phone").whole(&song("b", 200.0));
        }),
        scenario("two devices in turn, each with its track", 1, |p| {
            p.put_on(&song("a", 200.0)).hear(60_000).meanwhile(&song("b", 200.0), 50_000).hear_out();
        }),
        scenario("204 in the middle of a track", 1, |p| {
            p.put_on(&song("a", 180.0)).hear(50_000).hear_as_silence(25_000).hear_out();
        }),
        scenario("progress past the end, then the next, the same, and nothing", 3, |p| {
            p.whole(&song("a", 180.0)).overrun(17_000).whole(&song("b", 180.0)).overrun(6_000);
            p.whole(&song("b", 180.0)).overrun(21_000);
        }),
        scenario("private session", 2, |p| {
            p.whole(&song("a", 200.0)).private(true);
            p.whole(&song("secret 1", 180.0)).whole(&song("secret 2", 180.0)).quit();
            p.private(false).whole(&song("b", 200.0));
        }),
        scenario("skips heard longer than 30 s", 5, |p| {
            for n in 0..10 {
                p.put_on(&song(n, 210.0)).hear(if n % 2 == 0 { i64::MAX } else { 65_000 });
            }
        }),
    ]
}

/// What a poller sees that asks every `step` from `phase` on.
fn looks(scenario: &Scenario, person: &Person, phase: i64, step: i64) -> Vec<Observation> {
    let mut seen = Vec::new();
    let mut t = NOON + phase;
    while t <= person.now + 40_000 {
        if scenario.outage.is_none_or(|(from, to)| t < from || t >= to) {
            seen.push(person.look(t));
        } else if t % 3 == 0 {
            seen.push(Observation::player(Wall::from_millis(t), 500, &json!({"error": {"status": 500}})));
        }
        t += step;
    }
    seen
}

/// The same with the history each 15 min and at the end.
fn with_history(person: &Person, looks: &[Observation], stamp: Stamp) -> Vec<Observation> {
    let mut seen = Vec::new();
    let mut asked = NOON;
    for look in looks {
        let t = look.at.millis();
        seen.push(look.clone());
        if t - asked >= 15 * MINUTE && look.seen != Seen::Unknown {
            seen.push(person.look_back(t + 300, stamp));
            asked = t;
        }
    }
    seen.push(person.look_back(person.now + 50_000, stamp));
    seen
}

/// Whole seconds, as a trace may be recorded.
fn in_whole_seconds(seen: &mut [Observation]) {
    for observation in seen {
        observation.at = Wall::from_seconds(observation.at.seconds());
    }
}

#[test]
fn p1_p2_scripted_scenarios_are_counted_without_error() {
    let mut errors = Vec::new();
    let mut table = String::new();
    for scenario in all() {
        let mut person = Person::new();
        (scenario.act)(&mut person);
        person.quit();
        let heard = person.truth.iter().filter(|heard| heard.counts(0.8)).count();
        assert_eq!(scenario.expected, heard, "{}: the script does what its name says", scenario.name);
        let (mut runs, mut wrong) = (0, 0);
        for (step, phase) in
            [5_000, 10_000].into_iter().flat_map(|step| (0..10).map(move |phase| (step, phase)))
        {
            let looks = looks(&scenario, &person, phase * 1_000, step);
            // Also a trace in whole seconds, and where it can be told, one without any history.
            let stamps = STAMPS.into_iter().map(Some).chain(scenario.outage.is_none().then_some(None));
            for (stamp, coarse) in stamps.flat_map(|stamp| [(stamp, false), (stamp, true)]) {
                let mut seen =
                    stamp.map_or_else(|| looks.clone(), |stamp| with_history(&person, &looks, stamp));
                if coarse {
                    in_whole_seconds(&mut seen);
                }
                let plays = told(seen);
                runs += 1;
                let error = counted(&plays).abs_diff(heard);
                wrong += error;
                if error > 0 && errors.len() < 12 {
                    let shown: Vec<_> = plays.iter().map(show).collect();
                    errors.push(format!(
                        "{}: step {step} phase {phase} {stamp:?} coarse {coarse}: {} for {heard}\n  {}",
                        scenario.name,
                        counted(&plays),
                        shown.join("\n  ")
                    ));
                }
            }
        }
        table += &format!("{:<55} {:>3} plays  {runs:>4} runs  error {wrong}\n", scenario.name, heard);
    }
    println!("{table}");
    assert!(errors.is_empty(), "{table}\n{}", errors.join("\n"));
}

fn show(play: &Play) -> String {
    format!(
        "{:>9} {:>7.1} s {:>6.1} of {:>6.1} s {:?} {:?}",
        play.track.id,
        (play.started_at.millis() - NOON) as f64 / 1_000.0,
        play.heard_ms as f64 / 1_000.0,
        play.track.duration_ms as f64 / 1_000.0,
        play.stage,
        play.source
    )
}
