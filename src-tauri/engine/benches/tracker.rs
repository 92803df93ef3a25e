//! Observations through the tracker.
//!
//! Target: ≥ 1,000,000 a second. Beside it stand two floors: walking the same observations, comparing each
//! with the one before, and reading them from the JSON they came in. The days hold whole tracks, skips,
//! pauses and silence, looked at each 10 s and, as the poller does, about once a track.

#![allow(clippy::expect_used, reason = "a bench that cannot begin has nothing to measure")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use headroom_engine::clock::Wall;
use headroom_engine::plays::{Observation, Seen, Tracker};
use serde_json::{Value, json};

const LENGTH: i64 = 210_000;

/// What the player says at each `step` of `count` tracks.
fn answers(count: i64, step: i64) -> Vec<(i64, u16, Value)> {
    let mut answers = Vec::new();
    let mut start = 1_795_262_400_000;
    let mut next = start + 2_000;
    for n in 0..count {
        let (heard, paused) = match n % 10 {
            3 => (60_000, 0),
            7 => (LENGTH, 120_000),
            _ => (LENGTH, 0),
        };
        let track = json!({"id": format!("{:022}", n % 500), "name": format!("Track {n}"), "type": "track",
            "duration_ms": LENGTH, "uri": format!("spotify:track:{n}"), "artists": [{"name": "Artist"}],
            "album": {"name": "Album"}, "external_ids": {"isrc": "GBAYE0000001"}});
        while next < start + heard + paused {
            let progress = (next - start).min(heard / 2).max(next - start - paused);
            let body = json!({"is_playing": paused == 0 || progress != heard / 2, "progress_ms": progress,
                "item": track, "currently_playing_type": "track", "timestamp": start, "repeat_state": "off",
                "device": {"name": "Desk", "is_active": true}, "context": {"uri": "spotify:album:1"}});
            answers.push((next, 200, body));
            next += step;
        }
        start += heard + paused;
        if n % 20 == 19 {
            answers.push((next, 204, Value::Null));
            start += 600_000;
            next = start + 2_000;
        }
    }
    answers
}

fn tracker(c: &mut Criterion) {
    for (name, count, step) in [("each 10 s", 5_000, 10_000), ("once a track", 100_000, 205_000)] {
        let answers = answers(count, step);
        let seen: Vec<Observation> = answers
            .iter()
            .map(|(at, status, body)| Observation::player(Wall::from_millis(*at), *status, body))
            .collect();
        let mut group = c.benchmark_group(format!("observations, {name}"));
        group.throughput(Throughput::Elements(u64::try_from(seen.len()).expect("not so many")));
        group.sample_size(20);
        group.bench_function("floor: walk and compare", |b| {
            b.iter(|| {
                let (mut last, mut changes, mut progress) = ("", 0, 0i64);
                for observation in &seen {
                    if let Seen::Track(sight) = &observation.seen {
                        changes += i32::from(sight.track.id != last);
                        progress = progress.wrapping_add(sight.progress_ms);
                        last = &sight.track.id;
                    }
                }
                black_box((changes, progress))
            });
        });
        group.bench_function("tracker", |b| {
            b.iter(|| {
                let mut tracker = Tracker::default();
                let plays: usize = seen.iter().map(|observation| tracker.observe(observation).len()).sum();
                black_box(plays)
            });
        });
        group.finish();
        let answers = answers.get(..10_000).unwrap_or(&answers);
        let mut group = c.benchmark_group(format!("reading, {name}"));
        group.throughput(Throughput::Elements(u64::try_from(answers.len()).expect("not so many")));
        group.sample_size(20);
        group.bench_function("floor: JSON to observation", |b| {
            b.iter(|| {
                for (at, status, body) in answers {
                    black_box(Observation::player(Wall::from_millis(*at), *status, body));
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, tracker);
criterion_main!(benches);
