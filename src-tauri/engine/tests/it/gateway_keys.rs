//! What a tool may take of a budget, and what is known of its key.

use headroom_engine::account::keys::KeyHash;
use headroom_engine::budget::Why;
use headroom_engine::call::Call;
use headroom_engine::contract::{Contract, KeyInfo};
use headroom_engine::service::ServiceId::{Deezer, Musicbrainz, Spotify};
use headroom_engine::{Engine, call::CallError};
use serde_json::json;

use crate::provider::{Reply, Scripted};
use crate::support::{Home, get, kill, ms, refused, s, skip};

/// A tool's call that waits up to `wait` seconds.
fn of(caller: &str, share: Option<f64>, wait: u64) -> Call {
    Call { caller: caller.into(), share, max_wait: Some(s(wait)), ..get(Deezer, "/search?q=a") }
}

async fn key(engine: &Engine, name: &str) -> KeyInfo {
    engine.keys_of_contract().await.into_iter().find(|key| key.name == name).unwrap()
}

trait Keys {
    async fn keys_of_contract(&self) -> Vec<KeyInfo>;
}

impl Keys for Engine {
    async fn keys_of_contract(&self) -> Vec<KeyInfo> {
        Contract::keys(self).await.unwrap()
    }
}

fn ten_in_five() -> Home<Scripted> {
    Home::roomy(Scripted::well(ms(10)), &[(Deezer, json!({"windows": [{"seconds": 5, "calls": 10}]}))])
}

#[tokio::test(start_paused = true)]
async fn a_tool_holds_at_most_its_share_and_the_others_have_the_rest() {
    let home = ten_in_five();
    let engine = home.start().await;
    // 0.39 of 10 is 3.
    let greedy: Vec<_> = (0..9)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.call(of("greedy", Some(0.39), 60)).await })
        })
        .collect();
    tokio::time::sleep(ms(100)).await;
    assert_eq!(home.provider.count(), 3, "the rest of them wait");
    for n in 0..7 {
        let answer = engine.call(of("modest", None, 0)).await;
        assert!(answer.is_ok(), "{n}: {answer:?}");
    }
    let full = engine.call(of("modest", None, 0)).await;
    assert_eq!(refused(full).0, Why::OverBudget, "the budget itself holds all the same");
    for call in greedy {
        assert!(call.await.unwrap().is_ok());
    }
    let at: Vec<_> = home.provider.seen().iter().map(|seen| seen.at).collect();
    assert_eq!(at.len(), 16);
    // Three in each five seconds after an answer, one behind the other.
    let late: Vec<_> = at.iter().filter(|at| **at > s(1)).collect();
    assert_eq!(late.len(), 6);
    assert!(late[..3].iter().all(|at| **at >= ms(5_010) && **at < ms(5_100)), "{late:?}");
    assert!(late[3..].iter().all(|at| **at >= ms(10_020) && **at < ms(10_200)), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn a_share_that_is_used_up_is_refused_at_once_with_the_time() {
    let home = ten_in_five();
    let engine = home.start().await;
    for _ in 0..2 {
        engine.call(of("tool", Some(0.2), 0)).await.unwrap();
    }
    let (why, wait) = refused(engine.call(of("tool", Some(0.2), 3)).await);
    assert_eq!(why, Why::OverBudget);
    assert!(wait > s(4) && wait <= s(5), "{wait:?}");
    assert_eq!(home.provider.count(), 2, "said before the three seconds were over");
    assert!(engine.call(of("other", Some(0.2), 0)).await.is_ok(), "another key has a share of its own");
    skip(s(5)).await;
    assert!(engine.call(of("tool", Some(0.2), 0)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_never_sent_takes_nothing_of_a_share() {
    let home = ten_in_five();
    let engine = home.start().await;
    home.provider.now(|_| Reply::new(429, "").with("retry-after", "2"));
    assert!(matches!(engine.call(of("tool", Some(0.2), 0)).await, Err(CallError::Refused { .. })));
    home.provider.now(|_| Reply::ok());
    for _ in 0..20 {
        assert!(matches!(refused(engine.call(of("tool", Some(0.2), 30)).await).0, Why::Banned(_)), "at once");
    }
    tokio::time::sleep(ms(2_100)).await;
    assert!(engine.call(of("tool", Some(0.2), 0)).await.is_ok(), "one of two was sent before");
    assert_eq!(refused(engine.call(of("tool", Some(0.2), 0)).await).0, Why::OverBudget);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_goes_away_leaves_the_line() {
    let home = ten_in_five();
    let engine = home.start().await;
    engine.call(of("tool", Some(0.1), 0)).await.unwrap();
    let waiting = |wait| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.call(of("tool", Some(0.1), wait)).await })
    };
    let (first, second) = (waiting(60), waiting(60));
    tokio::time::sleep(ms(100)).await;
    first.abort();
    tokio::time::sleep(s(5)).await;
    assert!(second.is_finished(), "it moved up");
    assert!(second.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_budget_of_spacing_alone_is_shared_by_the_minute() {
    let budget = json!({"spacing_ms": 1_000, "windows": []});
    let home = Home::roomy(Scripted::well(ms(0)), &[(Musicbrainz, budget)]);
    let engine = home.start().await;
    let call = Call { service: Musicbrainz, path: "/ws/2/artist".into(), ..of("tool", Some(0.05), 30) };
    for _ in 0..3 {
        engine.call(call.clone()).await.unwrap();
    }
    let (why, wait) = refused(engine.call(call).await);
    assert_eq!(why, Why::OverBudget);
    assert!(wait > s(55) && wait <= s(60), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_key_was_used_for_outlives_a_kill_and_ends_with_the_key() {
    let home = ten_in_five();
    let engine = home.start().await;
    engine.add_key("tool".into(), None, false, Some(0.5)).await.unwrap();
    let fresh = key(&engine, "tool").await;
    assert_eq!((fresh.share, fresh.last_used, fresh.calls, fresh.hits), (Some(0.5), None, 0, 0));
    for _ in 0..3 {
        engine.call(of("tool", None, 0)).await.unwrap();
    }
    engine.meter().hit(Spotify, headroom_engine::service::OTHER, "tool");
    let now = engine.clock().wall().seconds();
    let used = key(&engine, "tool").await;
    assert_eq!((used.last_used, used.calls, used.hits), (Some(now), 3, 1));
    // The journal's line, then a snapshot, then a line again.
    tokio::time::sleep(ms(1_500)).await;
    kill(engine).await;
    let engine = home.start().await;
    let again = key(&engine, "tool").await;
    assert_eq!((again.calls, again.hits), (3, 1));
    assert!((again.last_used.unwrap() - now).abs() <= 2, "{again:?}");
    skip(s(70)).await;
    engine.call(of("tool", None, 0)).await.unwrap();
    tokio::time::sleep(ms(1_500)).await;
    kill(engine).await;
    let engine = home.start().await;
    assert_eq!((key(&engine, "tool").await.calls, key(&engine, "tool").await.hits), (4, 1));
    assert!(key(&engine, "tool").await.last_used.unwrap() >= now + 60);

    engine.revoke_key("tool".into()).await.unwrap();
    let made = engine.add_key("tool".into(), None, false, None).await.unwrap();
    assert!(engine.keys().find(&KeyHash::of(&made.key)).is_some());
    assert_eq!(key(&engine, "tool").await.calls, 0, "another tool");
    kill(engine).await;
    let engine = home.start().await;
    let anew = key(&engine, "tool").await;
    assert_eq!((anew.calls, anew.hits, anew.last_used), (0, 0, None), "after a kill too");
}

#[tokio::test(start_paused = true)]
async fn the_gateways_settings_are_changed_and_checked() {
    let home = ten_in_five();
    let engine = home.start().await;
    let info = engine.gateway().await.unwrap();
    assert_eq!((info.enabled, info.port, info.address), (true, 8765, None));
    let info = engine.set_gateway(false, 0, 2.5).await.unwrap();
    assert_eq!((info.enabled, info.port, info.max_wait_seconds), (false, 0, 2.5));
    assert!(!engine.settings().gateway.enabled);
    for wait in [-1.0, 1e9, f64::NAN, f64::INFINITY] {
        assert!(engine.set_gateway(true, 0, wait).await.is_err(), "{wait}");
    }
    assert!(!engine.settings().gateway.enabled, "nothing changed");
    let saved: serde_json::Value = serde_json::from_str(&home.read("settings.json")).unwrap();
    assert_eq!(saved["gateway"], json!({"enabled": false, "port": 0, "max_wait_seconds": 2.5}));
}
