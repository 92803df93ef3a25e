//! A budget's decision: one pass through a gate with room, windows of Spotify's size half full.
//!
//! Beside it governor's decision, which is cheaper because it keeps no log, and lets up to twice the
//! calls through a window for the same reason.

#![allow(clippy::expect_used, reason = "a bench that cannot begin has nothing to measure")]

use std::hint::black_box;
use std::num::NonZeroU32;

use criterion::{Criterion, criterion_group, criterion_main};
use governor::{Quota, RateLimiter};
use headroom_engine::budget::{Ask, Budget, Gate, Priority, Window};
use headroom_engine::clock::Clock;

fn decision(c: &mut Criterion) {
    let mut group = c.benchmark_group("budget decision");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let windows = vec![Window { seconds: 0.03, calls: 1_000_000 }, Window { seconds: 0.5, calls: 1_000_000 }];
    let gate = Gate::new(Clock::system(), Budget { spacing_ms: 0, windows, quota: None });
    let ask = Ask { priority: Priority::Interactive, max_wait: Some(std::time::Duration::ZERO) };
    group.bench_function("gate: pass and give back, two windows", |b| {
        b.iter(|| {
            runtime.block_on(async { gate.pass(black_box(ask)).await.expect("there is room").done(true) })
        });
    });
    let limiter = RateLimiter::direct(Quota::per_second(NonZeroU32::MAX));
    group.bench_function("peer: governor, one bucket", |b| b.iter(|| black_box(limiter.check()).is_ok()));
    group.finish();
}

criterion_group!(benches, decision);
criterion_main!(benches);
