//! Saving and loading a full history: 24 h × 12 services × 20 endpoints, a call in every minute.
//!
//! Beside it the floor: the same bytes written to a file with fsync, and read again.

#![allow(clippy::expect_used, reason = "a bench that cannot begin has nothing to measure")]

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use headroom_engine::clock::Wall;
use headroom_engine::disk::{Readers, write_atomically};
use headroom_engine::meter::Counts;
use headroom_engine::meter::history::{HistoryFile, SavedService, Snapshot};
use headroom_engine::service::ServiceId;

const START: i64 = 1_793_000_040;

fn full() -> Snapshot {
    let counts = |minute: i64| Counts {
        calls: 3,
        ok: 3,
        ms: 120,
        bytes: 6_000,
        hits: u32::from(minute % 7 == 0),
        ..Counts::default()
    };
    let minutes: Vec<_> = (0..1_440).map(|m| (START + m * 60, counts(m))).collect();
    let endpoints: BTreeMap<_, _> = (0..20).map(|e| (format!("endpoint_{e}"), minutes.clone())).collect();
    let service = SavedService { endpoints, ..SavedService::default() };
    let services = ServiceId::ALL.iter().map(|id| (*id, service.clone())).collect();
    Snapshot { saved_at: START * 1_000, services, ..Snapshot::default() }
}

fn history(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut file, _) = HistoryFile::open(dir.path(), Wall::from_seconds(START)).expect("a history");
    let snapshot = full();
    file.save(snapshot.clone()).expect("saved");
    let path = dir.path().join("history.json");
    let bytes = std::fs::read(&path).expect("read");
    println!("history.json: {} bytes for {} minutes", bytes.len(), 1_440 * 12 * 20);

    let mut group = c.benchmark_group("history, 24 h × 12 services × 20 endpoints");
    group.sample_size(10);
    group.bench_function("floor: write the bytes, fsync, rename", |b| {
        let path = dir.path().join("floor");
        b.iter(|| write_atomically(&path, black_box(&bytes), Readers::Default));
    });
    group.bench_function("save", |b| b.iter_with_setup(|| snapshot.clone(), |snapshot| file.save(snapshot)));
    group.bench_function("floor: read the bytes", |b| b.iter(|| std::fs::read(black_box(&path))));
    group.bench_function("load", |b| {
        b.iter(|| HistoryFile::open(black_box(dir.path()), Wall::from_seconds(START)))
    });
    group.finish();
}

criterion_group!(benches, history);
criterion_main!(benches);
