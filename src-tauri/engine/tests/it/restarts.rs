//! What outlives an engine: a clean stop, a kill, a machine that starts anew, a clock that was set.

use headroom_engine::Engine;
use headroom_engine::budget::Why;
use headroom_engine::meter::EventKind;
use headroom_engine::service::BanKind;
use headroom_engine::service::ServiceId::{Deezer, Genius, Itunes, Spotify};
use serde_json::json;

use crate::provider::{Reply, Scripted};
use crate::support::{Home, START, all, cpm, events, get, kill, minutes, ms, refused, s, skip, total};

fn roomy() -> Home<Scripted> {
    Home::roomy(Scripted::well(ms(1)), &[])
}

#[tokio::test(start_paused = true)]
async fn m2_a_service_whose_only_calls_are_of_this_minute_is_saved() {
    let home = roomy();
    let engine = home.start().await;
    all(&engine, 3, &get(Genius, "/search?q=a")).await;
    engine.stop().await;
    drop(engine);
    let saved: serde_json::Value = serde_json::from_str(&home.read("history.json")).unwrap();
    assert_eq!(saved["services"]["genius"]["endpoints"]["search"][0][0], START.seconds());
    assert_eq!(minutes(&home.start().await, Genius), [(START.seconds(), 3)]);
}

#[tokio::test(start_paused = true)]
async fn m3_a_restart_inside_a_minute_adds_up() {
    for clean in [true, false] {
        let home = roomy();
        let engine = home.start().await;
        all(&engine, 5, &get(Deezer, "/search?q=a")).await;
        // The journal has them after a second.
        tokio::time::sleep(ms(1_100)).await;
        if clean {
            engine.stop().await;
        }
        kill(engine).await;
        let engine = home.start().await;
        all(&engine, 3, &get(Deezer, "/search?q=b")).await;
        assert_eq!(minutes(&engine, Deezer), [(START.seconds(), 8)], "clean stop: {clean}");
        tokio::time::sleep(ms(1_100)).await;
        kill(engine).await;
        assert_eq!(
            minutes(&home.start().await, Deezer),
            [(START.seconds(), 8)],
            "and once more, clean stop: {clean}"
        );
    }
}

/// All that must be the same before and after.
fn state(engine: &Engine) -> impl PartialEq + std::fmt::Debug + use<> {
    let spotify = engine.meter().day(Spotify);
    let by_endpoint: Vec<_> =
        spotify.endpoints.iter().map(|(name, calls)| (*name, calls.iter().sum::<u32>())).collect();
    let rates = engine.rates();
    let ban = rates.services[&Itunes].ban.clone().map(|ban| (ban.kind, ban.until, ban.endpoint));
    (minutes(engine, Spotify), minutes(engine, Itunes), by_endpoint, ban, engine.meter().events())
}

#[tokio::test(start_paused = true)]
async fn m4_rate_history_and_bans_go_on_across_a_restart() {
    for clean in [true, false] {
        let home = roomy();
        let engine = home.start().await;
        all(&engine, 7, &get(Spotify, "/v1/me")).await;
        skip(s(7_200)).await;
        home.provider.now(|seen| if seen.uri.contains("itunes") { Reply::new(403, "") } else { Reply::ok() });
        refused(engine.call(get(Itunes, "/search?term=a")).await);
        all(&engine, 40, &get(Spotify, "/v1/search?q=a")).await;
        tokio::time::sleep(ms(1_100)).await;
        let before = state(&engine);
        if clean {
            engine.stop().await;
        }
        kill(engine).await;
        home.reboot(20_000);
        let engine = home.start().await;
        assert_eq!(state(&engine), before, "clean stop: {clean}");
        assert_eq!(cpm(&engine, Spotify), 40, "the rolling minute goes on");
        let sent = home.provider.count();
        let (why, wait) = refused(engine.call(get(Itunes, "/search?term=a")).await);
        assert_eq!(why, Why::Banned(BanKind::Rate));
        assert!((s(575)..s(580)).contains(&wait), "ten minutes less what passed, not {wait:?}");
        assert_eq!(home.provider.count(), sent, "nothing was sent");
        tokio::time::sleep(s(41)).await;
        assert_eq!(cpm(&engine, Spotify), 0, "and ends when it should");
        skip(s(86_400 - 7_200 + 60)).await;
        assert_eq!(total(&engine, Spotify), 40, "a day is a day");
    }
}

#[tokio::test(start_paused = true)]
async fn m4_windows_are_as_full_after_a_restart_as_before() {
    let home =
        Home::roomy(Scripted::well(ms(1)), &[(Deezer, json!({"windows": [{"seconds": 3600, "calls": 10}]}))]);
    let engine = home.start().await;
    all(&engine, 6, &get(Deezer, "/search?q=a")).await;
    skip(s(600)).await;
    kill(engine).await;
    home.reboot(1_000);
    let engine = home.start().await;
    assert_eq!(engine.rates().services[&Deezer].windows[0].used, 6);
    all(&engine, 4, &get(Deezer, "/search?q=a")).await;
    let (why, wait) =
        refused(engine.call(headroom_engine::call::Call::get(Deezer, "/search?q=b", "ui", s(60))).await);
    assert_eq!(why, Why::OverBudget);
    assert!(
        (s(2_990)..s(3_060)).contains(&wait),
        "the first six come back an hour after their minute, not in {wait:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn m5_a_clock_set_while_it_runs_changes_no_total_and_no_minute() {
    // Whole hours, and steps that end within a minute, at several places in the minute.
    for step in [-3_600_000, 3_600_000, -90_000, 90_000, -40_000, 40_000, -20_000, 20_000, 7_000] {
        for within in [2, 20, 35, 50] {
            let what = format!("{step} ms at {within} s");
            let home = roomy();
            let engine = home.start().await;
            for _ in 0..3 {
                all(&engine, 5, &get(Deezer, "/search?q=a")).await;
                skip(s(60)).await;
            }
            let passed = home.clock().wall().millis() - START.millis();
            tokio::time::sleep(ms(u64::try_from(60_000 - passed % 60_000).unwrap() + within * 1_000)).await;
            all(&engine, 4, &get(Deezer, "/search?q=a")).await;
            tokio::time::sleep(ms(1_100)).await;
            let counts = |engine: &Engine| minutes(engine, Deezer).iter().map(|m| m.1).collect::<Vec<_>>();
            let before = (counts(&engine), cpm(&engine, Deezer));
            home.step_wall(step);
            tokio::time::sleep(ms(1_100)).await;
            assert_eq!((counts(&engine), cpm(&engine, Deezer)), before, "{what}");
            assert_eq!(engine.rates().services[&Deezer].calls_24h, 19, "{what}");
            assert_eq!(events(&engine, EventKind::ClockChanged).len(), 1, "{what}");
            kill(engine).await;
            let engine = home.start().await;
            assert_eq!((counts(&engine), cpm(&engine, Deezer)), before, "{what}, after a restart");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn m5_a_clock_set_while_nothing_runs_changes_no_total() {
    for step in [-3_600_000, 3_600_000, -90_000, 90_000, -40_000, 40_000, -20_000, 20_000] {
        for within in [2, 20, 35, 50] {
            let what = format!("{step} ms at {within} s");
            let home = roomy();
            let engine = home.start().await;
            all(&engine, 5, &get(Deezer, "/search?q=a")).await;
            skip(ms(60_000 + within * 1_000 - 1_500)).await;
            all(&engine, 4, &get(Deezer, "/search?q=a")).await;
            engine.stop().await;
            drop(engine);
            home.reboot(step);
            let engine = home.start().await;
            let now = engine.clock().wall().seconds();
            let counts: Vec<_> = minutes(&engine, Deezer);
            assert_eq!(counts.iter().map(|m| m.1).collect::<Vec<_>>(), [5, 4], "{what}: {counts:?}");
            assert!(counts.iter().all(|m| m.0 <= now), "{what}: none lies ahead of {now}: {counts:?}");
            all(&engine, 2, &get(Deezer, "/search?q=a")).await;
            assert_eq!(total(&engine, Deezer), 11, "{what}");
            assert_eq!(engine.rates().services[&Deezer].calls_24h, 11, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn m5_a_suspended_laptop_loses_nothing_and_counts_nothing_twice() {
    let home = roomy();
    let engine = home.start().await;
    all(&engine, 5, &get(Deezer, "/search?q=a")).await;
    // Both clocks go on while it sleeps; the engine's second comes once afterwards.
    skip(s(2 * 3_600)).await;
    assert_eq!((cpm(&engine, Deezer), minutes(&engine, Deezer)), (0, vec![(START.seconds(), 5)]));
    assert_eq!(events(&engine, EventKind::ClockChanged), [], "nobody set a clock");
    all(&engine, 3, &get(Deezer, "/search?q=a")).await;
    assert_eq!(minutes(&engine, Deezer), [(START.seconds(), 5), (START.seconds() + 7_200, 3)]);
}

#[tokio::test(start_paused = true)]
async fn m5_a_running_ban_ends_when_it_should_whatever_the_clock_says() {
    for step in [-3_600_000, 3_600_000] {
        let home = roomy();
        home.provider.now(|_| Reply::new(429, "").with("retry-after", "1800"));
        let engine = home.start().await;
        refused(engine.call(get(Genius, "/search?q=a")).await);
        home.step_wall(step);
        tokio::time::sleep(ms(1_100)).await;
        let ban = engine.rates().services[&Genius].ban.clone().unwrap();
        assert!((1_797..=1_799).contains(&ban.remaining_s), "{step}: {ban:?}");
        kill(engine).await;
        let engine = home.start().await;
        let ban = engine.rates().services[&Genius].ban.clone().unwrap();
        assert!((1_796..=1_800).contains(&ban.remaining_s), "{step}, after a restart: {ban:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn m5_a_clock_set_back_while_nothing_runs_makes_no_ban_longer_and_none_shorter() {
    let home = roomy();
    home.provider.now(|_| Reply::new(429, "").with("retry-after", "3600"));
    let engine = home.start().await;
    refused(engine.call(get(Genius, "/search?q=a")).await);
    skip(s(3_000)).await;
    engine.stop().await;
    drop(engine);
    home.reboot(-7_200_000);
    let engine = home.start().await;
    let ban = engine.rates().services[&Genius].ban.clone().unwrap();
    assert!((597..=601).contains(&ban.remaining_s), "ten minutes are left, not {} s", ban.remaining_s);
}
