//! Metering a call, and the payload the gauges are fed with.
//!
//! Targets: a call ≤ 100 ns; the payload of 12 services with all their endpoints and 10,000 calls in the
//! minute ≤ 50 µs. Beside the first stands the floor of any locked log: a mutex and one push.

#![allow(clippy::expect_used, reason = "a bench that cannot begin has nothing to measure")]

use std::collections::VecDeque;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use headroom_engine::clock::{Clock, Mono};
use headroom_engine::meter::{Meter, Outcome};
use headroom_engine::service::{EndpointId, ServiceId};
use headroom_engine::{Engine, Options};
use parking_lot::Mutex;

fn meter_a_call(c: &mut Criterion) {
    let mut group = c.benchmark_group("meter a call");
    let clock = Clock::system();
    let log: Mutex<VecDeque<(Mono, u8, u16)>> = Mutex::default();
    group.bench_function("floor: read the clock, lock, push", |b| {
        b.iter(|| {
            let mut log = log.lock();
            log.push_back((clock.mono(), black_box(0), black_box(0)));
            if log.len() > 10_000 {
                log.clear();
            }
        });
    });
    // A minute of 10,000 calls, again and again, as the floor does: no budget lets more through.
    let mut meter = Meter::new(Clock::system());
    let mut calls = 0u32;
    group.bench_function("sent", |b| {
        b.iter(|| {
            meter.sent(black_box(ServiceId::Deezer), EndpointId(0), "beets");
            calls += 1;
            if calls.is_multiple_of(10_000) {
                meter = Meter::new(Clock::system());
            }
        });
    });
    group.bench_function("ended", |b| {
        b.iter(|| meter.ended(black_box(ServiceId::Deezer), EndpointId(0), "beets", Outcome::Ok, 40, 2_000));
    });
    group.finish();
}

fn rate_payload(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options { environment: Vec::new(), ..Options::new(dir.path()) };
    let engine = runtime.block_on(Engine::start(options)).expect("an engine");
    let places: Vec<(ServiceId, EndpointId)> = ServiceId::ALL
        .iter()
        .flat_map(|id| {
            (0..=id.service().endpoints.len()).map(|e| (*id, EndpointId(u8::try_from(e).unwrap_or(0))))
        })
        .collect();
    // Calls of one minute must still be in the minute when the bench ends.
    let fill = || {
        for call in 0..10_000 {
            let (service, endpoint) = places[call % places.len()];
            engine.meter().sent(service, endpoint, ["beets", "ui", "poller"][call % 3]);
        }
    };
    let mut group = c.benchmark_group("rate payload, 12 services, 10,000 calls in the minute");
    fill();
    let ready = engine.rates();
    group.bench_function("floor: write JSON that is ready", |b| {
        b.iter(|| serde_json::to_vec(black_box(&ready)))
    });
    group.bench_function("gather", |b| b.iter(|| black_box(engine.rates())));
    group.bench_function("gather and write JSON", |b| {
        b.iter(|| serde_json::to_vec(&black_box(engine.rates())))
    });
    group.finish();
    runtime.block_on(engine.stop());
}

criterion_group!(benches, meter_a_call, rate_payload);
criterion_main!(benches);
