//! Answers from the cache, by the whole path of a call (`Engine::call`): 2 KB of JSON with 12 headers.
//!
//! Targets: from memory ≤ 5 µs; from `cache.db` with 100,000 entries ≤ 60 µs; what is kept is written
//! behind, so no answer waits for the disk; an engine starts on 1,000,000 entries in ≤ 1 s. Beside each
//! stands the floor: the same look-up with nothing around it.
//!
//! The million takes two minutes and 2 GB of disk, so it is asked for: `HEADROOM_BENCH_MILLION=1`.
//! `npm run bench:cache` runs this and other caches, and prints one table.
//!
//! The files lie in the system's own cache of the disk: what is measured is the work, not the drive.

#![allow(clippy::expect_used, reason = "a bench that cannot begin has nothing to measure")]

mod provider;

use std::cell::LazyCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use criterion::measurement::{Measurement, WallTime};
use criterion::{BenchmarkGroup, Criterion, SamplingMode, criterion_group, criterion_main};
use headroom_engine::cache::question::{Key, Question};
use headroom_engine::call::{Answer, Call, Origin};
use headroom_engine::service::ServiceId;
use headroom_engine::{Engine, logs};
use provider::{Numbers, Provider, answer, ask, ask_unkept, engine, fill, on_disk};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Answers in memory: about half of what it holds.
const IN_MEMORY: u32 = 10_000;
/// Answers on disk: five times what memory holds.
const ON_DISK: u32 = 100_000;
/// Turns timed together where one takes little longer than to read the clock.
const TOGETHER: u64 = 16;
const MILLION: u32 = 1_000_000;
/// Times that are before and after any minute of this run, in UTC milliseconds.
const LONG_AGO: i64 = 0;
const NEVER_YET: i64 = 4_000_000_000_000;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

/// In the build's own folder: the system's may lie in memory.
fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")
}

/// As in the app: every answer has its line in the call log.
fn log() {
    static LOGS: OnceLock<(TempDir, logs::Logs)> = OnceLock::new();
    LOGS.get_or_init(|| {
        let dir = folder();
        let logs = logs::start(dir.path()).expect("logs");
        (dir, logs)
    });
}

fn key(call: &Call) -> Key {
    let endpoint = call.service.service().endpoint_of("GET", &call.path, &call.query);
    Question::of(call, endpoint, None).expect("a question").key
}

/// What `times` turns take when each takes the median. Each `together` are timed by themselves: what else
/// the machine does in the meantime falls into few of them.
async fn typical(times: u64, together: u64, mut turn: impl AsyncFnMut()) -> Duration {
    let mut took = Vec::new();
    let mut left = times;
    while left > 0 {
        let now = left.min(together);
        let began = WallTime.start();
        for _ in 0..now {
            turn().await;
        }
        took.push(WallTime.end(began).div_f64(now as f64));
        left -= now;
    }
    median(&mut took).mul_f64(times as f64)
}

fn median(took: &mut [Duration]) -> Duration {
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or_default()
}

/// Measures `turn`, after `prepare` unless it is left out by a filter, many turns of the runtime at once: its own cost is not the cache's.
fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    runtime: &Runtime,
    name: &str,
    together: u64,
    prepare: impl Fn(),
    mut turn: impl AsyncFnMut(),
) {
    group.bench_function(name, |b| {
        prepare();
        b.iter_custom(|times| runtime.block_on(typical(times, together, &mut turn)));
    });
}

fn from_memory(c: &mut Criterion) {
    let mut group = c.benchmark_group("cache, from memory");
    group.sampling_mode(SamplingMode::Flat);
    let (runtime, dir) = (runtime(), folder());
    let engine = runtime.block_on(engine(dir.path(), Provider::writing()));
    runtime.block_on(fill(&engine, IN_MEMORY));
    let order = Numbers(1).order(IN_MEMORY);

    let kept: Vec<(Key, Answer)> = runtime.block_on(async {
        let mut kept = Vec::new();
        for album in &order {
            kept.push((key(&ask(*album)), answer(&engine, ask(*album)).await));
        }
        kept
    });
    let keys: Vec<Key> = kept.iter().map(|(key, _)| *key).collect();
    let map: HashMap<Key, Answer> = kept.iter().cloned().collect();
    let mut places = keys.iter().cycle();
    measure(
        &mut group,
        &runtime,
        "floor: HashMap, clone the answer",
        TOGETHER,
        || (),
        async || {
            black_box(places.next().and_then(|key| map.get(key)).cloned());
        },
    );
    let moka: moka::sync::Cache<Key, Arc<Answer>> = moka::sync::Cache::new(u64::from(IN_MEMORY));
    kept.into_iter().for_each(|(key, answer)| moka.insert(key, answer.into()));
    moka.run_pending_tasks();
    let mut places = keys.iter().cycle();
    measure(
        &mut group,
        &runtime,
        "floor: moka, clone the answer",
        TOGETHER,
        || (),
        async || {
            black_box(places.next().and_then(|key| moka.get(key)).map(|answer| (*answer).clone()));
        },
    );
    let mut albums = order.iter().cycle();
    measure(
        &mut group,
        &runtime,
        "part: write the call and its key",
        TOGETHER,
        || (),
        async || {
            black_box(albums.next().map(|album| key(&ask(*album))));
        },
    );

    let mut albums = order.iter().cycle();
    let mut call = async || {
        let album = albums.next().copied().unwrap_or(0);
        black_box(answer(&engine, ask(album)).await);
    };
    measure(&mut group, &runtime, "call, no log", TOGETHER, || (), &mut call);
    log();
    measure(&mut group, &runtime, "call", TOGETHER, || (), &mut call);
    measure(
        &mut group,
        &runtime,
        "part: a line in the call log",
        TOGETHER,
        || (),
        async || {
            let (service, endpoint, caller, cache) = black_box(("deezer", "album_tracks", "beets", "hit"));
            tracing::info!(target: logs::CALLS, service, endpoint, caller, status = 200u16, ms = 0u64, bytes = 2_048usize, cache);
        },
    );
    group.finish();
    let answers = engine.cache_stats().by_service[&ServiceId::Deezer].answers;
    assert_eq!((answers.disk, answers.misses), (0, IN_MEMORY.into()), "all came from memory");
    runtime.block_on(engine.stop());
}

/// A directory with kept answers and no engine on it.
struct Filled(TempDir);

impl Filled {
    fn new(runtime: &Runtime, count: u32) -> Self {
        let dir = folder();
        runtime.block_on(async {
            let engine = engine(dir.path(), Provider::writing()).await;
            fill(&engine, count).await;
            assert_eq!(engine.cache_stats().entries, u64::from(count), "all are kept");
            engine.stop().await;
        });
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn db(&self) -> Connection {
        Connection::open(self.path().join("cache.db")).expect("cache.db")
    }

    /// Makes of `from` entries `to`, in the file itself: asking for each would take too long.
    fn grow(&self, from: u32, to: u32) {
        let mut db = self.db();
        db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;").expect("a faster file");
        for copy in 1..to / from {
            let copied = db.transaction().expect("a transaction");
            copied
                .execute(
                    "INSERT INTO entry SELECT id + ?1, randomblob(16), service, endpoint, account, question, status,
                        found, headers, body, bytes, raw_bytes, stored, expires, removed, used + ?1, forgotten
                     FROM entry WHERE id <= ?2",
                    [copy * from, from],
                )
                .expect("entries");
            copied
                .execute(
                    "INSERT INTO tag SELECT tag + ?1, entry + ?1 FROM tag WHERE entry <= ?2",
                    [copy * from, from],
                )
                .expect("tags");
            copied.commit().expect("written");
        }
        db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("one file");
    }

    /// Whether the next use of an entry is written down.
    fn set_used(&self, at: i64) {
        self.db().execute("UPDATE entry SET used = ?1", [at]).expect("updated");
    }

    /// Prints what an entry takes, beside the same as plain JSON.
    fn weigh(&self, name: &str) {
        let sum = |sql: &str| self.db().query_row(sql, [], |row| row.get::<_, f64>(0)).expect("a sum");
        let entries = sum("SELECT count(*) FROM entry");
        let file = std::fs::metadata(self.path().join("cache.db")).expect("cache.db").len();
        let headers: serde_json::Map<_, _> = provider::headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
            .collect();
        let beside = serde_json::json!({"question": "GET /album/12345/tracks?limit=50", "headers": headers,
            "stored": 1_793_000_040_000_i64, "body": null});
        let raw = sum("SELECT avg(raw_bytes) FROM entry");
        println!(
            "figure: bytes an entry, {name}: {} in cache.db, {} of it the body; plain JSON {} with headers, {} the body alone",
            (file as f64 / entries).round(),
            sum("SELECT avg(bytes) FROM entry").round(),
            (raw + beside.to_string().len() as f64 - 4.0).round(),
            raw.round(),
        );
    }
}

fn from_disk(c: &mut Criterion) {
    log();
    let mut group = c.benchmark_group("cache, from disk, 100,000 entries");
    group.sampling_mode(SamplingMode::Flat);
    let runtime = runtime();
    let filled = LazyCell::new(|| Filled::new(&runtime, ON_DISK));
    let order = Numbers(2).order(ON_DISK);

    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut floor = |name, sql: &str, of: &dyn Fn(u32) -> Value| {
        // Not for what a filter leaves out.
        let ready = LazyCell::new(|| {
            let path = filled.path().join("cache.db");
            let db = Connection::open_with_flags(path, read_only).expect("cache.db");
            (db, order.iter().map(|album| of(*album)).collect::<Vec<_>>())
        });
        let mut unpack = zstd::bulk::Decompressor::new().expect("zstd");
        let mut turn = 0;
        measure(
            &mut group,
            &runtime,
            name,
            1,
            || _ = LazyCell::force(&ready),
            async || {
                let (db, places) = &*ready;
                turn += 1;
                let mut find = db.prepare_cached(sql).expect("a statement");
                let body = find.query_row([&places[turn % places.len()]], |row| {
                    let (body, raw): (_, usize) = (row.get_ref(0)?.as_blob()?, row.get(1)?);
                    Ok(unpack.decompress(body, raw))
                });
                black_box(body.expect("an entry").expect("a body"));
            },
        );
    };
    floor(
        "floor: SELECT by primary key, decompress",
        "SELECT body, raw_bytes FROM entry WHERE id = ?1",
        &|album| Value::Integer(i64::from(album) + 1),
    );
    floor(
        "floor: SELECT by the question's key, decompress",
        "SELECT body, raw_bytes FROM entry WHERE key = ?1",
        &|album| Value::Blob(key(&ask(album)).0.to_vec()),
    );

    let mut bench = |name, used| {
        let started = LazyCell::new(|| {
            filled.set_used(used);
            runtime.block_on(engine(filled.path(), Provider::ready()))
        });
        // In an order in which memory has always just let go of what is asked.
        let mut albums = order.iter().cycle();
        measure(
            &mut group,
            &runtime,
            name,
            1,
            || _ = LazyCell::force(&started),
            async || {
                let album = albums.next().copied().unwrap_or(0);
                black_box(answer(&started, ask(album)).await);
            },
        );
        if let Some(engine) = LazyCell::get(&started) {
            let answers = engine.cache_stats().by_service[&ServiceId::Deezer].answers;
            assert_eq!((answers.memory, answers.misses), (0, 0), "all came from disk");
            runtime.block_on(engine.stop());
        }
    };
    bench("call", NEVER_YET);
    bench("call, and its use is noted behind", LONG_AGO);
    group.finish();
    if let Some(filled) = LazyCell::get(&filled) {
        filled.weigh("100,000 entries");
    }
}

/// What each of many calls took.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    async fn ask(&mut self, engine: &Engine, call: Call) {
        let began = WallTime.start();
        let answer = black_box(answer(engine, call).await);
        self.0.push(WallTime.end(began));
        assert_eq!(answer.origin, Origin::Service, "a miss");
    }

    /// What the last so many would take if each took the median.
    fn typical(&self, times: u64) -> Duration {
        let first = self.0.len().saturating_sub(usize::try_from(times).unwrap_or(usize::MAX));
        median(&mut self.0[first..].to_vec()).mul_f64(times as f64)
    }

    fn print(mut self, name: &str) {
        if self.0.is_empty() {
            return;
        }
        median(&mut self.0);
        let within = |of_1000: usize| self.0.get(self.0.len() * of_1000 / 1_000).copied().unwrap_or_default();
        println!(
            "figure: a miss, {name}: half within {:?}, 99 % within {:?}, 99.9 % within {:?}, of {}",
            within(500),
            within(990),
            within(999),
            self.0.len()
        );
    }
}

fn miss(c: &mut Criterion) {
    log();
    let mut group = c.benchmark_group("cache, a miss");
    group.sampling_mode(SamplingMode::Flat);
    let (runtime, dir) = (runtime(), folder());
    let engine = runtime.block_on(engine(dir.path(), Provider::ready()));
    let mut albums = 0..;
    let mut bench = |name: &str, call: fn(u32) -> Call, waits: bool| {
        let mut times = Times::default();
        group.bench_function(name, |b| {
            b.iter_custom(|count| {
                runtime.block_on(async {
                    for album in albums.by_ref().take(usize::try_from(count).unwrap_or(usize::MAX)) {
                        times.ask(&engine, call(album)).await;
                        if waits {
                            on_disk(&engine).await;
                        }
                    }
                    times.typical(count)
                })
            });
        });
        times.print(name);
    };
    bench("floor: nothing is kept", ask_unkept, false);
    bench("the writer is at rest", ask, true);
    bench("the writer is behind", ask, false);
    let began = WallTime.start();
    runtime.block_on(on_disk(&engine));
    println!("figure: the writer was behind by {:?}", WallTime.end(began));
    let other = Connection::open(dir.path().join("cache.db")).expect("cache.db");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    bench("the writer cannot write: another program holds the file", ask, false);
    other.execute_batch("ROLLBACK").expect("the lock is free");
    group.finish();
    runtime.block_on(engine.stop());
}

fn start(c: &mut Criterion) {
    log();
    let mut group = c.benchmark_group("cache, an engine starts");
    group.sample_size(10);
    let runtime = runtime();
    let mut bench = |name: &str, dir: &dyn Fn() -> PathBuf| {
        group.bench_function(name, |b| {
            let dir = dir();
            b.iter_custom(|times| {
                runtime.block_on(async {
                    let mut sum = Duration::ZERO;
                    for _ in 0..times {
                        let began = WallTime.start();
                        let engine = engine(&dir, Provider::ready()).await;
                        sum += WallTime.end(began);
                        engine.stop().await;
                    }
                    sum
                })
            });
        });
    };
    let empty = folder();
    bench("floor: nothing is kept", &|| empty.path().to_owned());
    let filled = LazyCell::new(|| Filled::new(&runtime, ON_DISK));
    bench("100,000 entries", &|| filled.path().to_owned());
    if std::env::var_os("HEADROOM_BENCH_MILLION").is_some() {
        let grown = LazyCell::new(|| {
            filled.grow(ON_DISK, MILLION);
            filled.weigh("1,000,000 entries");
            filled.path().to_owned()
        });
        bench("1,000,000 entries", &|| grown.clone());
    }
    group.finish();
}

criterion_group!(benches, from_memory, from_disk, miss, start);
criterion_main!(benches);
