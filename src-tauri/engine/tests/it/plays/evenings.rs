//! Random evenings: what was heard is known by construction, and every counted play must be told.
//!
//! An evening holds nothing that cannot be told from what can be observed:
//! - No listening ends near the threshold: what was really heard is at least two gaps per act (seek,
//!   pause) away from 80 %, for each act hides at most one gap.
//! - An act lies at least two gaps from the ends of its track and from other acts. Seeking back from the
//!   last moments of a track to its beginning looks like hearing it again.
//! - A track is put on again only after it was heard out: putting on what is playing looks like seeking
//!   to its beginning.
//! - While the player is not asked (an outage), tracks are heard whole, or left after more than 30 s when
//!   rows are stamped alike; with mixed stamps nothing tells which of two neighbours was cut short. The
//!   outage begins and ends in the middle of tracks, and holds no pauses or seeks, for rows say nothing of
//!   them.
//! - The clock is not set in a track's first or last half minute, and an evening in which it is set has
//!   no outage: rows are stamped by another clock.
//! - Before and after a private session the player is silent for two gaps: nothing tells where in a
//!   track privacy began, and what may have been private is not credited.

use headroom_engine::clock::Wall;
use headroom_engine::plays::{Observation, Play};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use super::person::{NOON, Person, STAMPS, Song, Stamp, song};
use super::score::{Score, told};

/// One thing done in an evening; numbers are shares of what is possible.
#[derive(Clone, Debug)]
pub enum Act {
    Whole {
        device: bool,
    },
    /// Left before a threshold or after it.
    Skip {
        share: f64,
    },
    SeekAhead {
        from: f64,
        by: f64,
    },
    SeekBack {
        from: f64,
        to: f64,
    },
    Pauses {
        at: f64,
        minutes: f64,
        asleep: bool,
    },
    Repeat {
        times: usize,
    },
    Short,
    Joined {
        at: f64,
    },
    Other {
        kind: usize,
        seconds: i64,
    },
    Private {
        count: usize,
    },
    Quit {
        minutes: f64,
    },
    Again,
    Null {
        at: f64,
    },
    Outage {
        count: usize,
        skips: u8,
    },
    ClockJump {
        seconds: i64,
    },
}

pub fn act() -> impl Strategy<Value = (Act, f64)> {
    let share = 0.0..1.0f64;
    let act = prop_oneof![
        12 => Just(Act::Whole { device: false }),
        1 => Just(Act::Whole { device: true }),
        4 => share.clone().prop_map(|share| Act::Skip { share }),
        2 => (share.clone(), share.clone()).prop_map(|(from, by)| Act::SeekAhead { from, by }),
        2 => (share.clone(), share.clone()).prop_map(|(from, to)| Act::SeekBack { from, to }),
        3 => (share.clone(), 0.2..200.0f64, any::<bool>())
            .prop_map(|(at, minutes, asleep)| Act::Pauses { at, minutes, asleep }),
        2 => (2usize..7).prop_map(|times| Act::Repeat { times }),
        2 => Just(Act::Short),
        1 => share.clone().prop_map(|at| Act::Joined { at }),
        2 => (0usize..3, 15i64..400).prop_map(|(kind, seconds)| Act::Other { kind, seconds }),
        1 => (1usize..4).prop_map(|count| Act::Private { count }),
        1 => (0.3..90.0f64).prop_map(|minutes| Act::Quit { minutes }),
        1 => Just(Act::Again),
        1 => share.prop_map(|at| Act::Null { at }),
        2 => (2usize..14, any::<u8>()).prop_map(|(count, skips)| Act::Outage { count, skips }),
        1 => prop_oneof![Just(-3_600i64), Just(3_600), -200..200i64].prop_map(|seconds| Act::ClockJump { seconds }),
    ];
    // Length of the song in minutes: mostly ordinary ones.
    (act, prop_oneof![8 => 2.0..6.0f64, 1 => 1.2..2.0f64, 1 => 6.0..20.0f64])
}

/// An evening as it was: the person, when the player was not asked, and when the clock was set.
pub struct Evening {
    pub person: Person,
    pub outages: Vec<(i64, i64)>,
    pub jumps: Vec<(i64, i64)>,
}

/// Lives through `acts`; `gap` is the longest time between two looks.
pub fn live(acts: &[(Act, f64)], gap: i64, stamp: Stamp) -> Evening {
    let mut evening = Evening { person: Person::new(), outages: Vec::new(), jumps: Vec::new() };
    let may_jump = !acts.iter().any(|(act, _)| matches!(act, Act::Outage { .. }));
    let mut last: Option<Song> = None;
    for (n, (act, minutes)) in acts.iter().enumerate() {
        let fresh = song(n, minutes * 60.0);
        // Of a song this much is left when nothing may happen near its ends.
        let (edge, ms) = (2 * gap + 3_000, fresh.ms);
        let inner = |share: f64, from: i64, to: i64| from + ((to - from).max(0) as f64 * share) as i64;
        let p = &mut evening.person;
        match act {
            Act::Whole { device: false } => _ = p.whole(&fresh),
            Act::Whole { device: true } => {
                _ = p.put_on(&fresh).hear(ms / 3).device("Phone").hear_out().device("Desk")
            }
            Act::Skip { share } => {
                let margin = 2 * gap + 3_000;
                let low = ((ms as f64 * 0.8) as i64 - margin).max(1_000);
                let high = ((ms as f64 * 0.8) as i64 + margin).min(ms);
                let left = if *share < 0.7 {
                    inner(share / 0.7, 1_000, low)
                } else {
                    inner((share - 0.7) / 0.3, high, ms)
                };
                p.put_on(&fresh).hear(left);
            }
            Act::SeekAhead { from, by } => {
                // Either so little is left out that it counts, or so much that it does not.
                let margin = 3 * gap + 3_000;
                let fifth = ms / 5;
                let jump = if *by < 0.4 && fifth > margin + 5_000 {
                    inner(by / 0.4, 5_000, fifth - margin)
                } else {
                    inner(*by, fifth + margin, ms - 2 * edge - 1_000)
                };
                let from = inner(*from, edge, ms - edge - jump);
                p.put_on(&fresh).hear(from).seek(from + jump).hear_out();
            }
            Act::SeekBack { from, to } => {
                let from = inner(*from, edge, ms - edge);
                let to = inner(*to, 0, from - gap - 6_000);
                p.put_on(&fresh).hear(from).seek(to.max(0)).hear_out();
            }
            Act::Pauses { at, minutes, asleep } => {
                let at = inner(*at, edge, ms - edge);
                p.put_on(&fresh).hear(at).pause((minutes * 60_000.0) as i64);
                if *asleep {
                    p.asleep((minutes * 60_000.0) as i64);
                }
                p.resume().hear_out();
            }
            Act::Repeat { times } => {
                p.repeat(true);
                (0..*times).for_each(|_| _ = p.whole(&fresh));
                p.repeat(false);
            }
            Act::Short => _ = p.whole(&song(n, 20.0 + minutes * 5.0)),
            Act::Joined { at } => {
                p.silence(2 * gap)
                    .put_on_at(&fresh, inner(*at, ms / 5 + 2 * gap + 3_000, ms - 1_000))
                    .hear_out();
            }
            Act::Other { kind, seconds } => _ = p.other(["ad", "unknown", "episode"][*kind], seconds * 1_000),
            Act::Private { count } => {
                p.silence(2 * gap).private(true);
                (0..*count).for_each(|k| _ = p.whole(&song(format!("{n} private {k}"), 200.0)));
                p.private(false).quit();
                p.now += 2 * gap;
            }
            Act::Quit { minutes } => _ = p.silence(2 * gap + (minutes * 60_000.0) as i64),
            Act::Again => _ = last.as_ref().map(|song| _ = p.whole(song)),
            Act::Null { at } => {
                let at = inner(*at, edge, ms - edge - 2 * gap);
                p.put_on(&fresh).hear(at).hear_as_null(2 * gap).hear_out();
            }
            Act::Outage { count, skips } => {
                p.put_on(&fresh).hear(edge);
                let from = p.now;
                p.hear_out();
                for k in 0..*count {
                    let inside = song(format!("{n} unseen {k}"), 60.0 + f64::from(*skips) + 7.0 * k as f64);
                    p.put_on(&inside);
                    let skipped = stamp != Stamp::Mixed && skips >> (k % 8) & 1 == 1 && k % 3 == 1;
                    p.hear(if skipped { 33_000 + 1_000 * k as i64 } else { i64::MAX });
                }
                p.put_on(&song(format!("{n} after"), minutes * 60.0)).hear(ms / 2);
                evening.outages.push((from + 1, p.now));
                p.hear_out();
            }
            Act::ClockJump { seconds } => {
                p.put_on(&fresh).hear(ms / 2);
                if may_jump && seconds.abs() > 2 {
                    evening.jumps.push((p.now, seconds * 1_000));
                }
                p.hear_out();
            }
        }
        let heard_out = matches!(
            act,
            Act::Whole { .. }
                | Act::SeekAhead { .. }
                | Act::SeekBack { .. }
                | Act::Pauses { .. }
                | Act::Repeat { .. }
        );
        last = heard_out.then_some(fresh);
    }
    evening.person.quit();
    evening
}

impl Evening {
    /// What our clock shows at `t`.
    fn clock(&self, t: i64) -> i64 {
        t + self.jumps.iter().filter(|(at, _)| *at <= t).map(|(_, by)| by).sum::<i64>()
    }

    /// Looks each `step`, the history each `often` and after outages, failures in between.
    pub fn observe(&self, step: i64, phase: i64, stamp: Stamp, often: i64) -> Vec<Observation> {
        let mut seen = Vec::new();
        let (mut t, mut asked, mut was_out) = (NOON + phase, NOON, false);
        while t <= self.person.now + 3 * step {
            let out = self.outages.iter().any(|(from, to)| t >= *from && t < *to);
            let observation = if out {
                let status = [0, 429, 500, 503][(t / step % 4) as usize];
                Observation::player(Wall::from_millis(t), status, &Value::Null)
            } else {
                self.person.look(t)
            };
            seen.push(observation);
            if !out && (was_out || t - asked >= often) {
                seen.push(self.person.look_back(t + 200, stamp));
                asked = t;
            }
            was_out = out;
            t += step;
        }
        seen.push(self.person.look_back(t, stamp));
        for observation in &mut seen {
            observation.at = Wall::from_millis(self.clock(observation.at.millis()));
        }
        seen
    }

    /// What was heard, its start by our clock.
    pub fn score(&self, plays: &[Play]) -> Score {
        let mut truth = self.person.truth.clone();
        for heard in &mut truth {
            heard.started = self.clock(heard.started);
            heard.ended = self.clock(heard.ended);
        }
        Score::of(plays, &truth)
    }

    pub fn show(&self, plays: &[Play]) -> String {
        let mut lines: Vec<(i64, String)> = Vec::new();
        for heard in &self.person.truth {
            let text = format!("heard {:>14} {:>6} of {:>6}", heard.song.id, heard.heard, heard.song.ms);
            lines.push((self.clock(heard.started), text));
        }
        for play in plays {
            let text = format!(
                "                                      told {:>14} {:>6} {:?} {:?}",
                play.track.id, play.heard_ms, play.stage, play.source
            );
            lines.push((play.started_at.millis(), text));
        }
        lines.sort();
        lines.iter().map(|(at, text)| format!("{:>9.1} {text}\n", (at - NOON) as f64 / 1_000.0)).collect()
    }
}

/// A runner whose cases are the same each time, so that its figures can be quoted.
pub fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn p1_p2_a_thousand_random_evenings_are_counted_without_error() {
    let sum = std::cell::Cell::new((Score::default(), 0usize));
    let evening = (
        proptest::collection::vec(act(), 8..40),
        0i64..10_000,
        prop_oneof![Just(5_000i64), Just(10_000)],
        proptest::sample::select(STAMPS.to_vec()),
        prop_oneof![Just(600_000i64), Just(3_600_000), Just(i64::MAX / 4)],
    );
    runner(1_000)
        .run(&evening, |(acts, phase, step, stamp, often)| {
            let evening = live(&acts, step, stamp);
            let plays = told(evening.observe(step, phase, stamp, often));
            let score = evening.score(&plays);
            let (mut total, count) = sum.get();
            total.add(score);
            sum.set((total, count + 1));
            prop_assert!(
                score.is_perfect(),
                "{score:?} outages {:?} jumps {:?}\n{}",
                evening.outages,
                evening.jumps,
                evening.show(&plays)
            );
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    let (score, evenings) = sum.get();
    println!("{evenings} evenings: {score:?}");
    assert!(score.heard > 10_000, "the evenings hold something");
}
