//! The access token every call takes: from the cache, and after the one refresh a thousand wait for.
//!
//! Targets: from the cache ≤ 100 ns; a thousand callers released ≤ 1 ms after the refresh's answer.
//! Beside the first stands the floor of any shared token (a read lock and a copy), beside the second that
//! of any thousand waiters (a channel that wakes them).

#![allow(clippy::expect_used, reason = "a bench that cannot begin has nothing to measure")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use headroom_engine::account::secret::Secret;
use headroom_engine::account::token::{Fresh, Refresher, Refreshing, TokenCache};
use headroom_engine::clock::Clock;
use parking_lot::RwLock;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

const WAITERS: u32 = 1_000;

/// An accounts server that answers when it is told to.
#[derive(Default)]
struct Told(Notify);

impl Refresher for Told {
    fn refresh(&self) -> Refreshing<'_> {
        Box::pin(async {
            self.0.notified().await;
            Ok(fresh())
        })
    }
}

/// As long as Spotify's tokens are.
fn token() -> String {
    "BQ".repeat(100)
}

fn fresh() -> Fresh {
    Fresh { access: Secret::new(token()), lives: Duration::from_secs(3_600) }
}

fn from_cache(c: &mut Criterion) {
    let mut group = c.benchmark_group("token from the cache");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let floor = RwLock::new(token());
    group.bench_function("floor: read lock, copy", |b| b.iter(|| black_box(floor.read().clone())));
    let clock = Clock::system();
    group.bench_function("floor: the same, and read the clock", |b| {
        b.iter(|| black_box((clock.mono(), floor.read().clone())))
    });
    let cache = TokenCache::new(Clock::system(), Arc::new(Told::default()));
    cache.put(&fresh());
    // Many a turn of the runtime: its own cost is not the cache's.
    group.bench_function("get", |b| {
        b.iter_custom(|times| {
            runtime.block_on(async {
                let began = clock.mono();
                for _ in 0..times {
                    black_box(cache.get().await.is_ok());
                }
                clock.mono().since(began)
            })
        });
    });
    group.finish();
}

/// The time until the last of a thousand tasks that wait in `wait` is done, from `answer` on.
async fn released(
    times: u64,
    mut prepare: impl FnMut() -> (Box<dyn FnOnce()>, Box<dyn Fn() -> JoinHandle<()>>),
) -> Duration {
    let (clock, mut sum) = (Clock::system(), Duration::ZERO);
    for _ in 0..times {
        let (answer, wait) = prepare();
        let waiters: Vec<_> = (0..WAITERS).map(|_| wait()).collect();
        // Until each of them waits.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        let began = clock.mono();
        answer();
        for waiter in waiters {
            waiter.await.expect("a waiter");
        }
        sum += clock.mono().since(began);
    }
    sum
}

fn after_refresh(c: &mut Criterion) {
    let mut group = c.benchmark_group("1,000 waiters after the refresh's answer");
    group.sample_size(30);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    group.bench_function("floor: a watch channel", |b| {
        b.iter_custom(|times| {
            runtime.block_on(released(times, || {
                let (tell, told) = watch::channel(None);
                let answer = move || drop(tell.send_replace(Some(token())));
                let wait = move || {
                    let mut told = told.clone();
                    tokio::spawn(async move {
                        let token = told.wait_for(Option::is_some).await.expect("an answer").clone();
                        black_box(token);
                    })
                };
                (Box::new(answer), Box::new(wait))
            }))
        });
    });
    group.bench_function("released", |b| {
        b.iter_custom(|times| {
            runtime.block_on(released(times, || {
                let server = Arc::new(Told::default());
                let cache = TokenCache::new(Clock::system(), server.clone());
                let answer = move || server.0.notify_one();
                let wait = move || {
                    let cache = Arc::clone(&cache);
                    tokio::spawn(async move {
                        black_box(cache.get().await.expect("a token"));
                    })
                };
                (Box::new(answer), Box::new(wait))
            }))
        });
    });
    group.finish();
}

criterion_group!(benches, from_cache, after_refresh);
criterion_main!(benches);
