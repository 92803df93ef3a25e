//! The line at a budget: who waits, who goes first, who is told to come back.

use headroom_engine::Engine;
use headroom_engine::budget::{Priority, Why};
use headroom_engine::call::Call;
use headroom_engine::service::ServiceId::{Deezer, Genius, Musicbrainz};
use serde_json::{Value, json};

use crate::provider::Scripted;
use crate::support::{Home, all, background, get, ms, refused, s};

fn one_a_second() -> Value {
    json!({"spacing_ms": 1_000})
}

fn one_in_ten() -> Value {
    json!({"windows": [{"seconds": 10, "calls": 1}]})
}

async fn home(budget: Value, latency_ms: u64) -> (Home<Scripted>, Engine) {
    let home = Home::roomy(Scripted::well(ms(latency_ms)), &[(Deezer, budget)]);
    let engine = home.start().await;
    (home, engine)
}

fn spawn(engine: &Engine, call: Call) -> tokio::task::JoinHandle<()> {
    let engine = engine.clone();
    tokio::spawn(async move { drop(engine.call(call).await) })
}

fn sent(home: &Home<Scripted>) -> Vec<(String, u64)> {
    let seen = home.provider.seen();
    let first = seen[0].at;
    seen.iter().map(|s| (s.target().to_owned(), u64::try_from((s.at - first).as_millis()).unwrap())).collect()
}

fn near(times: &[(String, u64)], expected: &[(&str, u64)]) {
    assert_eq!(
        times.iter().map(|t| t.0.as_str()).collect::<Vec<_>>(),
        expected.iter().map(|e| e.0).collect::<Vec<_>>()
    );
    let fits = times.iter().zip(expected).all(|(t, e)| (e.1..=e.1 + 10).contains(&t.1));
    assert!(fits, "{times:?} is not {expected:?}");
}

#[tokio::test(start_paused = true)]
async fn b9_a_waiting_call_that_is_cancelled_frees_its_place() {
    let (home, engine) = home(one_in_ten(), 0).await;
    engine.call(get(Deezer, "/track/1")).await.unwrap();
    let second = spawn(&engine, get(Deezer, "/track/2"));
    tokio::time::sleep(s(1)).await;
    let third = spawn(&engine, get(Deezer, "/track/3"));
    tokio::time::sleep(s(1)).await;
    assert_eq!(engine.rates().services[&Deezer].waiting, 2);
    second.abort();
    third.await.unwrap();
    near(&sent(&home), &[("/track/1", 0), ("/track/3", 10_000)]);
    assert_eq!(engine.rates().services[&Deezer].waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn b9_a_call_cancelled_in_flight_gives_its_slot_back_a_window_later() {
    let (home, engine) = home(one_in_ten(), 3_600_000).await;
    let first = spawn(&engine, get(Deezer, "/track/1"));
    tokio::time::sleep(s(2)).await;
    first.abort();
    let second = spawn(&engine, get(Deezer, "/track/2"));
    tokio::time::sleep(s(15)).await;
    near(&sent(&home), &[("/track/1", 0), ("/track/2", 12_000)]);
    second.abort();
}

#[tokio::test(start_paused = true)]
async fn b9_a_background_call_delays_an_interactive_one_by_at_most_one_slot() {
    let (home, engine) = home(one_a_second(), 300).await;
    for _ in 0..20 {
        spawn(&engine, background(Deezer, "/album/1"));
    }
    tokio::time::sleep(ms(4_500)).await;
    spawn(&engine, Call { priority: Priority::Poller, ..get(Deezer, "/artist/1") });
    spawn(&engine, get(Deezer, "/track/1"));
    spawn(&engine, get(Deezer, "/track/2"));
    tokio::time::sleep(s(5)).await;
    near(
        &sent(&home)[4..9],
        &[
            ("/album/1", 4_000),
            ("/track/1", 5_000),
            ("/track/2", 6_000),
            ("/artist/1", 7_000),
            ("/album/1", 8_000),
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn b9_a_call_that_may_not_wait_is_refused_at_once_with_the_time_to_return() {
    let (home, engine) = home(one_in_ten(), 0).await;
    let now = Call { max_wait: Some(ms(0)), ..get(Deezer, "/track/1") };
    engine.call(now.clone()).await.expect("there is room");
    tokio::time::sleep(s(3)).await;
    let before = home.provider.elapsed();
    let (why, wait) = refused(engine.call(now.clone()).await);
    assert_eq!((why, home.provider.elapsed()), (Why::OverBudget, before));
    assert!((ms(6_990)..=ms(7_000)).contains(&wait), "{wait:?}");
    tokio::time::sleep(wait).await;
    engine.call(now).await.expect("the time given is the time it goes");
}

#[tokio::test(start_paused = true)]
async fn b9_waiting_is_refused_as_soon_as_it_is_certain_to_be_in_vain() {
    let (home, engine) = home(one_a_second(), 10).await;
    for _ in 0..5 {
        spawn(&engine, get(Deezer, "/album/1"));
    }
    tokio::time::sleep(ms(1)).await;
    let before = home.provider.elapsed();
    let up_to = |wait| Call { max_wait: Some(wait), ..get(Deezer, "/track/1") };
    // Four wait before it: its turn is in 5 s.
    let (why, wait) = refused(engine.call(up_to(ms(4_500))).await);
    assert_eq!((why, home.provider.elapsed()), (Why::OverBudget, before), "said at once");
    assert!((ms(4_900)..=ms(5_000)).contains(&wait), "{wait:?}");
    engine.call(up_to(ms(5_500))).await.expect("this one can be in time");
    near(&sent(&home)[5..], &[("/track/1", 5_000)]);
}

#[tokio::test(start_paused = true)]
async fn b9_no_call_waits_in_vain_for_answers_that_do_not_come() {
    let (home, engine) = home(one_in_ten(), 600_000).await;
    let first = spawn(&engine, get(Deezer, "/track/1"));
    tokio::time::sleep(s(1)).await;
    let before = home.provider.elapsed();
    let (why, _) = refused(engine.call(Call { max_wait: Some(s(30)), ..get(Deezer, "/track/2") }).await);
    let waited = home.provider.elapsed() - before;
    assert_eq!((why, home.provider.count()), (Why::OverBudget, 1));
    // Were the answer to come now, its slot would be back in 10 s: after 20 s it is certain.
    assert!((s(20)..=s(20) + ms(5)).contains(&waited), "{waited:?}");
    first.abort();
}

#[tokio::test(start_paused = true)]
async fn b5_a_call_that_waits_holds_up_no_other_service() {
    let (home, engine) = home(one_in_ten(), 0).await;
    for _ in 0..100 {
        spawn(&engine, get(Deezer, "/track/1"));
    }
    tokio::time::sleep(ms(1)).await;
    let before = home.provider.elapsed();
    all(&engine, 50, &get(Genius, "/search?q=a")).await;
    all(&engine, 50, &get(Musicbrainz, "/ws/2/artist?query=a")).await;
    assert!(home.provider.elapsed() - before <= ms(10));
}

#[tokio::test(start_paused = true)]
async fn paused_calls_are_refused_and_nothing_is_sent() {
    let (home, engine) = home(one_a_second(), 0).await;
    engine.pause(true);
    assert!(engine.rates().paused);
    assert_eq!(refused(engine.call(get(Deezer, "/track/1")).await).0, Why::Paused);
    assert_eq!(home.provider.count(), 0);
    engine.pause(false);
    engine.call(get(Deezer, "/track/1")).await.unwrap();
}
