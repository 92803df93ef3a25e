//! One access token for everybody: who waits, who refreshes, and what a failure costs. In memory, in
//! virtual time; the races at the end on real threads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use headroom_engine::account::secret::Secret;
use headroom_engine::account::token::{Fresh, Refresher, Refreshing, TokenCache, TokenError};
use headroom_engine::clock::{Clock, Mono, TimeSource, VirtualClock, Wall};
use parking_lot::Mutex;

use crate::support::{START, ms, s};

const HOUR: Duration = Duration::from_secs(3_600);

type Answer = Result<Duration, TokenError>;

/// An accounts server in memory: its tokens are called 1, 2, 3, …
struct Server {
    latency: Duration,
    /// How long the next token lives, or why there is none.
    answer: Mutex<Answer>,
    asked: AtomicUsize,
    under_way: AtomicUsize,
}

impl Refresher for Server {
    fn refresh(&self) -> Refreshing<'_> {
        Box::pin(async {
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            assert_eq!(self.under_way.fetch_add(1, Ordering::SeqCst), 0, "two refreshes at a time");
            if self.latency > Duration::ZERO {
                tokio::time::sleep(self.latency).await;
            }
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            let lives = self.answer.lock().clone()?;
            Ok(Fresh { access: Secret::new(number.to_string()), lives })
        })
    }
}

fn fails() -> Answer {
    Err(TokenError::Refresh("status 500".into()))
}

fn server(latency: Duration, answer: Answer) -> Arc<Server> {
    let (asked, under_way) = (AtomicUsize::new(0), AtomicUsize::new(0));
    Arc::new(Server { latency, answer: Mutex::new(answer), asked, under_way })
}

/// A cache in virtual time, and the server it asks.
fn cache(latency: Duration, answer: Answer) -> (Arc<TokenCache>, Arc<Server>) {
    let server = server(latency, answer);
    (TokenCache::new(Clock::new(VirtualClock::at(START)), server.clone()), server)
}

impl Server {
    fn now(&self, answer: Answer) {
        *self.answer.lock() = answer;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A token's name, or why there is none.
fn text(token: Result<Secret, TokenError>) -> String {
    token.map_or_else(|error| error.to_string(), |token| token.expose().to_owned())
}

/// `count` callers at once: what they got, and how many of them.
async fn wave(cache: &Arc<TokenCache>, count: usize) -> BTreeMap<String, usize> {
    let callers: Vec<_> = (0..count)
        .map(|_| {
            let cache = Arc::clone(cache);
            tokio::spawn(async move { cache.get().await })
        })
        .collect();
    let mut got = BTreeMap::new();
    for caller in callers {
        *got.entry(text(caller.await.unwrap())).or_default() += 1;
    }
    got
}

fn all_got(what: &str, count: usize) -> BTreeMap<String, usize> {
    BTreeMap::from([(what.to_owned(), count)])
}

const FAILED: &str = "the token could not be refreshed (status 500)";

#[tokio::test(start_paused = true)]
async fn t1_a_thousand_callers_at_expiry_cost_one_refresh() {
    let (cache, server) = cache(ms(200), Ok(HOUR));
    assert_eq!(wave(&cache, 1_000).await, all_got("1", 1_000), "the first token of all");
    tokio::time::advance(HOUR).await;
    assert_eq!(wave(&cache, 1_000).await, all_got("2", 1_000), "and the second, at expiry");
    assert_eq!(wave(&cache, 500).await, all_got("2", 500));
    let metrics = cache.metrics();
    assert_eq!((server.asked(), metrics.refresh_attempts, metrics.refresh_successes), (2, 2, 2));
    assert_eq!((metrics.cache_hits, metrics.cache_misses, metrics.total_requests), (500, 2_000, 2_500));
}

#[tokio::test(start_paused = true)]
async fn t1_a_thousand_callers_share_one_failure_and_a_second_wave_begins_none() {
    let (cache, server) = cache(ms(200), fails());
    assert_eq!(wave(&cache, 1_000).await, all_got(FAILED, 1_000));
    assert_eq!(server.asked(), 1);
    // Back-off of 1 s.
    for _ in 0..9 {
        tokio::time::advance(ms(100)).await;
        assert_eq!(wave(&cache, 100).await, all_got(FAILED, 100));
    }
    assert_eq!(server.asked(), 1, "no second try within the back-off");
    tokio::time::advance(ms(101)).await;
    assert_eq!(wave(&cache, 100).await, all_got(FAILED, 100));
    assert_eq!(server.asked(), 2);
    tokio::time::advance(ms(1_500)).await;
    wave(&cache, 100).await;
    assert_eq!(server.asked(), 2, "the second back-off is longer");
    let metrics = cache.metrics();
    assert_eq!((metrics.refresh_attempts, metrics.refresh_failures, metrics.refresh_successes), (2, 2, 0));
    assert_eq!((metrics.cache_hits, metrics.cache_misses, metrics.total_requests), (0, 2_100, 2_100));
    server.now(Ok(HOUR));
    tokio::time::advance(ms(600)).await;
    assert_eq!(wave(&cache, 100).await, all_got("3", 100), "and it recovers by itself");
}

#[tokio::test(start_paused = true)]
async fn t1_a_server_that_is_down_for_a_day_is_asked_once_a_minute_at_most() {
    let (cache, server) = cache(ms(10), fails());
    for _ in 0..24 * 60 * 6 {
        assert_eq!(text(cache.get().await), FAILED);
        tokio::time::advance(s(10)).await;
    }
    assert!((1_400..=24 * 60 + 6).contains(&server.asked()), "{}", server.asked());
}

#[tokio::test(start_paused = true)]
async fn t2_force_always_refreshes() {
    let (cache, server) = cache(ms(200), Ok(HOUR));
    for number in 1..=3 {
        assert_eq!(text(cache.force().await), number.to_string());
    }
    server.now(fails());
    assert_eq!(text(cache.force().await), "3", "a failed one returns the token that is still valid");
    assert_eq!(text(cache.force().await), "3", "a person may try again at once");
    assert_eq!(server.asked(), 5);
    tokio::time::advance(HOUR).await;
    assert_eq!(text(cache.force().await), FAILED, "nothing is valid any more");
}

#[tokio::test(start_paused = true)]
async fn t2_ensure_returns_a_token_good_for_so_long_or_an_error() {
    let ten = s(600);
    let (cache, server) = cache(ms(200), Ok(HOUR));
    assert_eq!(text(cache.ensure(ten).await), "1");
    tokio::time::advance(HOUR - ten - s(1)).await;
    assert_eq!(text(cache.ensure(ten).await), "1", "good for more than ten minutes");
    tokio::time::advance(s(2)).await;
    assert_eq!(text(cache.ensure(ten).await), "2", "599 s are not enough");
    assert!(cache.left().unwrap() > ten);
    tokio::time::advance(HOUR - s(500)).await;
    server.now(fails());
    assert_eq!(text(cache.get().await), "2", "valid");
    assert!(cache.ensure(ten).await.is_err(), "but not for ten minutes");
    let asked = server.asked();
    assert!(cache.ensure(ten).await.is_err());
    assert_eq!(server.asked(), asked, "it keeps the back-off");
    let metrics = cache.metrics();
    assert_eq!(metrics.cache_hits + metrics.cache_misses, metrics.total_requests);
}

#[tokio::test(start_paused = true)]
async fn t2_ensure_for_longer_than_tokens_live_is_an_error_and_no_refresh_each_time() {
    let (cache, server) = cache(ms(200), Ok(s(120)));
    for _ in 0..20 {
        assert!(matches!(cache.ensure(s(600)).await, Err(TokenError::TooShort(_))));
        tokio::time::advance(s(1)).await;
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn t2_a_failed_refresh_returns_the_still_valid_token_to_all() {
    let (cache, server) = cache(ms(200), Ok(HOUR));
    cache.get().await.unwrap();
    server.now(fails());
    tokio::time::advance(HOUR - s(299)).await;
    // In the buffer: each try fails, nobody notices.
    for _ in 0..290 {
        assert_eq!(wave(&cache, 3).await, all_got("1", 3));
        tokio::time::advance(s(1)).await;
    }
    let tries = server.asked() - 1;
    assert!((8..=12).contains(&tries), "1, 2, 4, … 60 s apart: {tries}");
    assert_eq!(cache.metrics().cache_misses, 1, "only the very first waited");
}

#[tokio::test(start_paused = true)]
async fn t2_a_token_of_120_s_is_not_refreshed_on_every_call() {
    let (cache, server) = cache(ms(200), Ok(s(120)));
    for _ in 0..1_200 {
        cache.get().await.unwrap();
        tokio::time::advance(s(1)).await;
    }
    // Each lives 120 s and is replaced 30 s before.
    assert!((13..=14).contains(&server.asked()), "{}", server.asked());
    assert_eq!(cache.metrics().cache_misses, 1, "and nobody waits for it");
}

#[tokio::test(start_paused = true)]
async fn t2_shortly_before_expiry_the_refresh_is_in_the_background_and_delays_nobody() {
    let (cache, server) = cache(s(3), Ok(HOUR));
    cache.get().await.unwrap();
    tokio::time::advance(HOUR - s(301)).await;
    assert_eq!((text(cache.get().await), server.asked()), ("1".into(), 1), "not yet");
    tokio::time::advance(s(1)).await;
    let began = tokio_now();
    assert_eq!(wave(&cache, 1_000).await, all_got("1", 1_000));
    assert_eq!(began.elapsed(), Duration::ZERO, "nobody waits");
    tokio::time::sleep(ms(2_900)).await;
    assert_eq!((text(cache.get().await), server.asked()), ("1".into(), 2), "under way");
    tokio::time::sleep(ms(200)).await;
    assert_eq!((text(cache.get().await), server.asked()), ("2".into(), 2));
    assert_eq!((cache.metrics().cache_hits, cache.metrics().cache_misses), (1_003, 1));
}

#[expect(clippy::disallowed_methods, reason = "measures how long a virtual caller waits")]
fn tokio_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[tokio::test(start_paused = true)]
async fn t2_a_caller_that_goes_away_does_not_end_the_refresh() {
    let (cache, server) = cache(s(3), Ok(HOUR));
    let given_up = tokio::time::timeout(s(1), cache.get()).await;
    assert!(given_up.is_err());
    assert_eq!(text(cache.get().await), "1", "another one gets what the first began");
    assert_eq!(server.asked(), 1);
    assert!(tokio::time::timeout(s(1), cache.force()).await.is_err());
    tokio::time::sleep(s(3)).await;
    assert_eq!((text(cache.get().await), server.asked()), ("2".into(), 2), "also when nobody waits");
}

#[tokio::test(start_paused = true)]
async fn t3_an_ended_consent_is_asked_for_once_and_a_sign_in_begins_anew() {
    let (cache, server) = cache(ms(200), Err(TokenError::SignInNeeded));
    let ended = "the sign-in has ended";
    assert_eq!(wave(&cache, 1_000).await, all_got(ended, 1_000));
    tokio::time::advance(HOUR * 24).await;
    assert_eq!(wave(&cache, 1_000).await, all_got(ended, 1_000));
    assert_eq!(text(cache.force().await), ended);
    assert_eq!(text(cache.ensure(s(1)).await), ended);
    assert_eq!(text(cache.instead_of(&Secret::new("1")).await), ended);
    assert!(cache.ended());
    assert_eq!(server.asked(), 1, "never again");
    cache.put(&Fresh { access: Secret::new("new"), lives: HOUR });
    assert_eq!((text(cache.get().await), cache.ended(), server.asked()), ("new".into(), false, 1));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_replaced_once_for_all_who_met_the_rejection() {
    let (cache, server) = cache(ms(200), Ok(HOUR));
    let first = cache.get().await.unwrap();
    let callers: Vec<_> = (0..500)
        .map(|n| {
            let (cache, first) = (Arc::clone(&cache), first.clone());
            tokio::spawn(async move {
                tokio::time::sleep(ms(n)).await;
                cache.instead_of(&first).await
            })
        })
        .collect();
    for caller in callers {
        assert_eq!(text(caller.await.unwrap()), "2");
    }
    assert_eq!(server.asked(), 2);
    // While refreshes fail, rejections are no reason to hurry.
    server.now(fails());
    let second = cache.get().await.unwrap();
    for _ in 0..500 {
        let _ = cache.instead_of(&second).await;
        tokio::time::advance(ms(1)).await;
    }
    assert_eq!(server.asked(), 3, "one try within the back-off");
}

/// A clock set by hand, for threads that really run at the same time.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicI64>);

impl TimeSource for Hand {
    fn mono(&self) -> Mono {
        Mono::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn wall(&self) -> Wall {
        Wall::from_millis(self.0.load(Ordering::SeqCst) / 1_000)
    }
}

/// One asker of a race.
type Asking = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Lets 8 threads ask at once, at `age` seconds of a token of 1 h, and says how often the server was asked.
async fn race(age: i64, ask: fn(Arc<TokenCache>) -> Asking) {
    for round in 0..2_000 {
        let (hand, server) = (Hand::default(), server(Duration::ZERO, Ok(HOUR)));
        let cache = TokenCache::new(Clock::new(hand.clone()), server.clone());
        cache.put(&Fresh { access: Secret::new("0"), lives: HOUR });
        hand.0.store(age * 1_000_000, Ordering::SeqCst);
        let start = Arc::new(tokio::sync::Barrier::new(32));
        let askers: Vec<_> = (0..32)
            .map(|_| {
                let (cache, start) = (Arc::clone(&cache), Arc::clone(&start));
                tokio::spawn(async move {
                    start.wait().await;
                    ask(cache).await;
                })
            })
            .collect();
        for asker in askers {
            asker.await.unwrap();
        }
        while server.asked() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(server.asked(), 1, "round {round}: one refresh, however the threads meet");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn t1_threads_that_meet_at_expiry_cost_one_refresh() {
    race(3_601, |cache| Box::pin(async move { drop(cache.get().await.unwrap()) })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn t1_threads_that_meet_shortly_before_expiry_cost_one_refresh() {
    race(3_500, |cache| Box::pin(async move { drop(cache.get().await.unwrap()) })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn t1_threads_that_ensure_at_once_cost_one_refresh() {
    race(3_200, |cache| Box::pin(async move { drop(cache.ensure(s(600)).await.unwrap()) })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn t1_threads_that_were_refused_at_once_cost_one_refresh() {
    race(10, |cache| Box::pin(async move { drop(cache.instead_of(&Secret::new("0")).await.unwrap()) })).await;
}
