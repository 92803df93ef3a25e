//! The gauge's limit: the budget, a credential, the server's own headers, settings while it runs.

use std::sync::atomic::Ordering;
use std::time::Duration;

use headroom_engine::Engine;
use headroom_engine::budget::{Budget, Window};
use headroom_engine::contract::Contract as _;
use headroom_engine::contract::NoticeKind;
use headroom_engine::meter::EventKind;
use headroom_engine::service::ServiceId::{self, Deezer, Discogs, Listenbrainz, Spotify};
use serde_json::json;

use crate::provider::{Reply, Scripted};
use crate::support::{Home, all, events, get, ms, s};

fn limit(engine: &Engine, id: ServiceId) -> u32 {
    engine.rates().services[&id].limit
}

/// Until the engine's next second is over.
async fn a_second() {
    tokio::time::sleep(ms(1_100)).await;
}

#[tokio::test(start_paused = true)]
async fn b10_the_limit_follows_a_change_of_the_settings_while_it_runs() {
    let home = Home::new(Scripted::well(ms(1)));
    let engine = home.start().await;
    assert_eq!((limit(&engine, Deezer), limit(&engine, Spotify)), (540, 170));
    home.settings(&json!({"services": {"deezer": {"budget": {"windows": [{"seconds": 10, "calls": 5}]}}}}));
    a_second().await;
    assert_eq!(limit(&engine, Deezer), 30);
    all(&engine, 5, &get(Deezer, "/search?q=a")).await;
    let before = home.provider.elapsed();
    engine.call(get(Deezer, "/search?q=a")).await.unwrap();
    assert!(home.provider.elapsed() - before >= s(10), "it is kept, not only shown");
    // A waiting call profits at once from a wider one.
    all(&engine, 4, &get(Deezer, "/search?q=a")).await;
    let waiting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.call(get(Deezer, "/search?q=b")).await.map(|_| engine.clock().mono()) }
    });
    a_second().await;
    let wide = Budget { spacing_ms: 0, windows: vec![Window { seconds: 10.0, calls: 50 }], quota: None };
    let set = engine.clock().mono();
    engine.set_limits(Deezer, Some(wide)).await.unwrap();
    assert!(waiting.await.unwrap().unwrap().since(set) <= ms(10));
    assert_eq!(limit(&engine, Deezer), 300);
    assert_eq!(engine.rates().services[&Deezer].windows[0].used, 6, "slots in use stay used");
    let on_disk: serde_json::Value = serde_json::from_str(&home.read("settings.json")).unwrap();
    assert_eq!(on_disk["services"]["deezer"]["budget"]["windows"][0], json!({"seconds": 10, "calls": 50}));
    assert!(engine.set_limits(Deezer, None).await.unwrap().is_default);
    assert_eq!(limit(&engine, Deezer), 540);
}

#[tokio::test(start_paused = true)]
async fn a_bad_change_of_the_settings_leaves_the_last_good_in_force_and_says_so() {
    let home = Home::new(Scripted::well(ms(1)));
    home.settings(&json!({"services": {"deezer": {"budget": {"windows": [{"seconds": 10, "calls": 5}]}}}}));
    let engine = home.start().await;
    for (text, path) in [
        (
            r#"{"services":{"deezer":{"budget":{"windows":[{"seconds":10,"calls":-5}]}}}}"#,
            "services.deezer.budget.windows[0].calls",
        ),
        (
            r#"{"services":{"deezer":{"budget":{"windows":[{"seconds":-1,"calls":5}]}}}}"#,
            "services.deezer.budget.windows[0].seconds",
        ),
        (r#"{"services":{"deezer":{"budgte":{}}}}"#, "services.deezer.budgte"),
        (r#"{"services":"#, "not valid JSON"),
        ("", "not valid JSON"),
    ] {
        home.write("settings.json", text.as_bytes());
        a_second().await;
        assert_eq!(limit(&engine, Deezer), 30, "{text}");
        let notices = engine.status().await.unwrap().notices;
        assert_eq!(
            notices.iter().map(|n| n.kind).collect::<Vec<_>>(),
            [NoticeKind::SettingsRejected],
            "{text}"
        );
        assert!(notices[0].text.contains(path), "{}", notices[0].text);
    }
    assert_eq!(events(&engine, EventKind::SettingsRejected).len(), 5, "once for each");
    home.settings(&json!({}));
    a_second().await;
    assert_eq!((engine.status().await.unwrap().notices, limit(&engine, Deezer)), (vec![], 540));
    home.write("settings.json", b"{");
    engine.stop().await;
    drop(engine);
    assert!(
        home.start_error().await.contains("settings.json is not valid JSON"),
        "but a bad file stops a start"
    );
}

#[tokio::test(start_paused = true)]
async fn b10_the_limit_follows_the_presence_of_a_token() {
    let home = Home::new(Scripted::well(ms(1)));
    home.credentials.signed_out.store(true, Ordering::Relaxed);
    let engine = home.start().await;
    assert_eq!(limit(&engine, Discogs), 24);
    engine.stop().await;
    drop(engine);
    home.credentials.signed_out.store(false, Ordering::Relaxed);
    let engine = home.start().await;
    assert_eq!(limit(&engine, Discogs), 55);
}

fn discogs(allowed: u32, remaining: u32) -> Reply {
    Reply::ok()
        .with("x-discogs-ratelimit", &allowed.to_string())
        .with("x-discogs-ratelimit-remaining", &remaining.to_string())
}

/// How long the next call waits.
async fn wait_of_next(home: &Home<Scripted>, engine: &Engine, id: ServiceId) -> Duration {
    let before = home.provider.elapsed();
    engine.call(get(id, "/x")).await.unwrap();
    home.provider.seen().last().unwrap().at - before
}

#[tokio::test(start_paused = true)]
async fn b10_discogs_headers_correct_the_limit_downward_never_upward() {
    let home = Home::new(Scripted::new(|_| discogs(25, 24)));
    let engine = home.start().await;
    assert_eq!(limit(&engine, Discogs), 55);
    engine.call(get(Discogs, "/releases/1")).await.unwrap();
    assert_eq!((limit(&engine, Discogs), engine.rates().services[&Discogs].windows[0].calls), (25, 25));
    let mut left = 24;
    home.provider.now(move |_| {
        left -= 1;
        discogs(25, left)
    });
    all(&engine, 24, &get(Discogs, "/releases/1")).await;
    assert!(home.provider.seen()[24].at < s(1), "25 at once");
    home.provider.now(|_| discogs(600, 599));
    assert!(wait_of_next(&home, &engine, Discogs).await >= s(59), "the 26th waits for the window");
    assert_eq!(limit(&engine, Discogs), 55, "never upward");
}

#[tokio::test(start_paused = true)]
async fn b10_what_the_server_says_is_left_is_not_overdrawn() {
    let home = Home::new(Scripted::new(|_| discogs(60, 2)));
    let engine = home.start().await;
    engine.call(get(Discogs, "/releases/1")).await.unwrap();
    // Somebody else on this address uses the same allowance.
    home.provider.now(|_| discogs(60, 0).after(s(3)));
    let callers = tokio::spawn({
        let engine = engine.clone();
        async move { all(&engine, 5, &get(Discogs, "/releases/2")).await }
    });
    tokio::time::sleep(s(30)).await;
    assert_eq!(home.provider.count(), 3, "two were left, two are sent");
    home.provider.now(|_| discogs(60, 60));
    callers.await.unwrap();
    assert!(home.provider.seen()[3].at >= s(63), "the rest a minute after the server said none was left");

    let reset = |remaining: &str, reset: &str| {
        Reply::ok()
            .with("x-ratelimit-limit", "30")
            .with("x-ratelimit-remaining", remaining)
            .with("x-ratelimit-reset-in", reset)
    };
    home.provider.now(move |_| reset("0", "7"));
    engine.call(get(Listenbrainz, "/1/user/a/listens")).await.unwrap();
    home.provider.now(move |_| reset("29", "10"));
    let wait = wait_of_next(&home, &engine, Listenbrainz).await;
    assert!((s(7)..s(7) + ms(5)).contains(&wait), "{wait:?}");
}
