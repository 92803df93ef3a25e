//! Exact windows, spacing and caps, at any pattern of arrivals and latencies.

use std::sync::Arc;
use std::time::Duration;

use governor::clock::FakeRelativeClock;
use governor::{Quota, RateLimiter};
use headroom_engine::budget::{Ask, Budget, Gate, Priority, Why, Window};
use headroom_engine::call::Call;
use headroom_engine::clock::{Clock, Mono, VirtualClock};
use headroom_engine::service::ServiceId::{Deezer, Spotify};
use parking_lot::Mutex;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use crate::provider::{Scripted, Strict};
use crate::support::{Home, START, all, get, ms, refused, s};

/// When a call was sent and when it was answered, or dropped.
pub type Span = (Duration, Duration);

/// One caller: when it comes, how long its answer takes, whether it goes away before that.
pub type Arrival = (u64, u64, bool);

pub fn virtual_time<F: Future>(run: impl FnOnce(Clock) -> F) -> F::Output {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { run(Clock::new(VirtualClock::at(START))).await })
}

pub fn since_start(clock: &Clock) -> Duration {
    clock.mono().since(Mono::default())
}

/// Sends every caller through one gate and returns what a provider could have seen.
async fn play(clock: Clock, budget: Budget, arrivals: Vec<Arrival>) -> Vec<Span> {
    let gate = Gate::new(clock.clone(), budget);
    let spans = Arc::new(Mutex::new(Vec::new()));
    let callers: Vec<_> = arrivals
        .into_iter()
        .map(|(at, latency, leaves)| {
            let (gate, clock, spans) = (Arc::clone(&gate), clock.clone(), Arc::clone(&spans));
            tokio::spawn(async move {
                tokio::time::sleep(ms(at)).await;
                let slot = gate.pass(Ask { priority: Priority::Interactive, max_wait: None }).await.unwrap();
                let sent = since_start(&clock);
                tokio::time::sleep(ms(latency)).await;
                if leaves {
                    drop(slot)
                } else {
                    slot.done(latency % 3 != 0)
                }
                spans.lock().push((sent, since_start(&clock)));
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let mut spans = spans.lock().clone();
    spans.sort();
    spans
}

/// The most calls one stretch of `window` can have held, were each counted at the worst instant
/// between its sending and its answer. By brute force, without any of the ledger's ideas.
pub fn worst(spans: &[Span], window: Duration) -> usize {
    let begins = spans.iter().map(|(_, answered)| *answered);
    let inside = |begin: Duration| {
        spans.iter().filter(|(sent, answered)| *answered >= begin && *sent < begin + window).count()
    };
    begins.map(inside).max().unwrap_or(0)
}

/// Whether governor, as a limiter of `calls` in `window`, lets all of it pass. A bucket is wider than a
/// window, so this can only find gross errors, but it is somebody else's code.
fn governor_admits(spans: &[Span], calls: u32, window: Duration) -> bool {
    let clock = FakeRelativeClock::default();
    let burst = calls.try_into().unwrap();
    let quota = Quota::with_period(window / calls).unwrap().allow_burst(burst);
    let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
    let mut last = Duration::ZERO;
    spans.iter().all(|(sent, _)| {
        clock.advance(*sent - last);
        last = *sent;
        limiter.check().is_ok()
    })
}

fn window() -> impl Strategy<Value = Window> {
    (1u32..=40, 200u32..=8_000)
        .prop_map(|(calls, millis)| Window { calls, seconds: f64::from(millis) / 1_000.0 })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn b7_no_rolling_window_ever_holds_more_than_its_calls(
        windows in prop::collection::vec(window(), 1..=2),
        spacing_ms in prop_oneof![Just(0u32), 1u32..=300],
        // Bursts, trickles and pauses; answers at once, late, and after whole windows.
        bursts in prop::collection::vec((0u64..6_000, prop::collection::vec((0u64..4_000, any::<bool>()), 1..30)), 1..6),
    ) {
        let arrivals: Vec<Arrival> = bursts.into_iter().flat_map(|(at, calls)| {
            calls.into_iter().map(move |(latency, leaves)| (at, if latency > 2_000 { latency - 2_000 } else { latency % 7 }, leaves))
        }).collect();
        let budget = Budget { spacing_ms, windows: windows.clone(), quota: None };
        let count = arrivals.len();
        let spans = virtual_time(|clock| play(clock, budget, arrivals));
        prop_assert_eq!(spans.len(), count, "every caller gets through");
        for window in &windows {
            let held = worst(&spans, window.length());
            prop_assert!(held <= window.calls as usize, "{held} in {window:?}");
            prop_assert!(governor_admits(&spans, window.calls, window.length()), "governor refuses some at {window:?}");
        }
        for pair in spans.windows(2) {
            let gap = pair[1].0 - pair[0].0;
            prop_assert!(gap >= ms(u64::from(spacing_ms)), "{gap:?} apart");
        }
    }

    #[test]
    fn b7_a_busy_minute_uses_97_percent(window in (1u32..=60, 300u32..=10_000), latency in 0u64..=1_500) {
        let (calls, millis) = window;
        let window = Window { calls, seconds: f64::from(millis) / 1_000.0 };
        let used = busy_minute(window, (latency, latency));
        prop_assert!(used >= 0.97, "{used} of {window:?} at {latency} ms");
    }
}

#[test]
fn the_checker_sees_a_window_given_back_too_early() {
    // Two in 5 s, the second pair sent 5 s after the first was sent, 4.9 s after it was answered.
    let early = [(ms(0), ms(100)), (ms(0), ms(100)), (ms(5_000), ms(5_100)), (ms(5_000), ms(5_100))];
    assert_eq!(worst(&early, s(5)), 4);
    let exact = [(ms(0), ms(100)), (ms(0), ms(100)), (ms(5_100), ms(5_200)), (ms(5_100), ms(5_200))];
    assert_eq!(worst(&exact, s(5)), 2);
    assert!(!governor_admits(&[(ms(0), ms(0)), (ms(1), ms(1)), (ms(2), ms(2))], 2, s(5)));
}

/// The part of calls per (window + mean latency) that callers who never rest get through in a minute.
fn busy_minute(window: Window, latency_ms: (u64, u64)) -> f64 {
    let length = window.length();
    let (sent, waited) = virtual_time(|clock| async move {
        let gate = Gate::new(clock.clone(), Budget { spacing_ms: 0, windows: vec![window], quota: None });
        let done = Arc::new(Mutex::new((0u32, Duration::ZERO)));
        let callers: Vec<_> = (0..window.calls + 5)
            .map(|seed| {
                let (gate, clock, done) = (Arc::clone(&gate), clock.clone(), Arc::clone(&done));
                let mut rng = StdRng::seed_from_u64(seed.into());
                tokio::spawn(async move {
                    loop {
                        let slot =
                            gate.pass(Ask { priority: Priority::Background, max_wait: None }).await.unwrap();
                        if since_start(&clock) >= s(60) {
                            return;
                        }
                        let latency = ms(rng.random_range(latency_ms.0..=latency_ms.1));
                        {
                            let mut sums = done.lock();
                            *sums = (sums.0 + 1, sums.1 + latency);
                        }
                        tokio::time::sleep(latency).await;
                        slot.done(true);
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
        let done = done.lock();
        *done
    });
    let mean = waited / sent;
    let possible = f64::from(window.calls) * 60.0 / (length + mean).as_secs_f64();
    f64::from(sent) / possible
}

#[test]
fn b7_deezers_and_spotifys_windows_are_used_to_97_percent_at_any_latency() {
    for (calls, seconds) in [(45, 5.0), (85, 30.0)] {
        for latency in [(0, 0), (30, 30), (20, 400), (500, 2_500)] {
            let used = busy_minute(Window { calls, seconds }, latency);
            println!("{calls} in {seconds} s, answers after {latency:?} ms: {:.2} % used", used * 100.0);
            assert!(used >= 0.97, "{used} at {latency:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn b7_a_provider_that_counts_anywhere_never_refuses_a_full_budget() {
    for latency in [(0, 0), (1, 80), (50, 900), (1_000, 7_000)] {
        // The very number the provider allows: the exactness is ours, no margin helps.
        let own = json!({"windows": [{"seconds": 5, "calls": 50}]});
        let home = Home::roomy(Strict::new(50, s(5), latency), &[(Deezer, own)]);
        let engine = home.start().await;
        let answers = all(&engine, 400, &get(Deezer, "/search?q=a")).await;
        assert!(answers.iter().all(Result::is_ok), "at {latency:?}");
        assert_eq!(*home.provider.counts.lock(), (400, 0), "at {latency:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn b8_cap_and_spacing_are_exact_under_50_concurrent_callers() {
    let own = json!({"spacing_ms": 350, "windows": [{"seconds": 3600, "calls": 1000}]});
    let home = Home::roomy(Scripted::well(ms(40)), &[(Spotify, own)]);
    let engine = home.start().await;
    let call = Call { max_wait: Some(s(1_200)), ..get(Spotify, "/v1/search?q=a") };
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let (engine, call) = (engine.clone(), call.clone());
            tokio::spawn(async move {
                let mut refusals = 0;
                for _ in 0..30 {
                    match engine.call(call.clone()).await {
                        Ok(_) => {}
                        refusal => {
                            assert_eq!(refused(refusal).0, Why::OverBudget);
                            refusals += 1;
                        }
                    }
                }
                refusals
            })
        })
        .collect();
    let mut refusals = 0;
    for caller in callers {
        refusals += caller.await.unwrap();
    }
    let seen = home.provider.seen();
    assert_eq!((seen.len(), refusals), (1_000, 500), "1,500 asked, 1,000 may");
    assert!(seen.windows(2).all(|pair| pair[1].at - pair[0].at >= ms(350)), "spacing");
    let took = seen[999].at - seen[0].at;
    assert!(took < ms(999 * 350) + s(2), "and none of it is wasted: {took:?}");
    engine.call(get(Spotify, "/v1/search?q=a")).await.unwrap();
    let back = home.provider.seen()[1_000].at - seen[0].at;
    assert!(
        (s(3_600) + ms(40)..s(3_600) + ms(50)).contains(&back),
        "the first slot is back an hour after its answer: {back:?}"
    );
}
