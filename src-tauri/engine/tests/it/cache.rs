//! One question, one call: what is kept, for how long, and what is said in a ban.

use std::sync::atomic::Ordering;
use std::time::Duration;

use headroom_engine::Engine;
use headroom_engine::budget::{Priority, Why};
use headroom_engine::call::{Accepts, Answer, Call, CallError, Origin};
use headroom_engine::service::ServiceId::{
    self, Audiodb, Deezer, Discogs, Itunes, Lastfm, Musicbrainz, Spotify,
};
use headroom_engine::service::Verdict;
use serde_json::json;

use crate::provider::{Reply, Scripted};
use crate::support::{Home, all, ask, background, get, kill, ms, refused, s, total};

/// Answers that tell which call they came from.
fn numbered() -> Home<Scripted> {
    let mut calls = 0;
    Home::roomy(
        Scripted::new(move |_| {
            calls += 1;
            Reply::new(200, json!({ "call": calls }).to_string())
        }),
        &[],
    )
}

fn body(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

async fn one(engine: &Engine, service: ServiceId, path: &str) -> Answer {
    engine.call(ask(service, path)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn c1_fifty_tasks_and_one_missing_key_make_one_call() {
    let home = Home::roomy(Scripted::well(ms(200)), &[]);
    let engine = home.start().await;
    let answers = all(&engine, 50, &ask(Deezer, "/search?q=a")).await;
    assert!(answers.iter().all(|a| a.as_ref().is_ok_and(|a| body(a) == "{}")));
    assert_eq!(home.provider.count(), 1);
    assert_eq!(total(&engine, Deezer), 1, "one is on the meter");
    let hits = answers.iter().filter(|a| matches!(a.as_ref().unwrap().origin, Origin::Hit(_))).count();
    assert_eq!(hits, 49);
    assert_eq!(engine.meter().rates(Deezer).hits, 49);
}

#[tokio::test(start_paused = true)]
async fn c1_fifty_tasks_and_a_500_make_no_stampede_and_the_next_call_after_recovery_succeeds() {
    let home = Home::roomy(Scripted::new(|_| Reply::new(500, "sorry").after(ms(50))), &[]);
    let engine = home.start().await;
    let answers = all(&engine, 50, &ask(Deezer, "/search?q=a")).await;
    assert!(answers.iter().all(|a| a.as_ref().is_ok_and(|a| a.status == 500 && body(a) == "sorry")));
    assert_eq!(home.provider.count(), 3, "one call and its two second tries");
    // A second crowd rests with the key, then goes as one.
    let began = home.provider.elapsed();
    all(&engine, 50, &ask(Deezer, "/search?q=a")).await;
    assert_eq!(home.provider.count(), 6);
    assert!(home.provider.seen()[3].at >= began + ms(900), "the key rested a second");
    home.provider.now(|_| Reply::ok());
    assert_eq!(one(&engine, Deezer, "/search?q=a").await.status, 200);
    // Another key never rested.
    assert_eq!(one(&engine, Deezer, "/search?q=b").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_goes_on_failing_rests_one_two_four_and_then_five_seconds() {
    let home = Home::roomy(Scripted::new(|_| Reply::new(400, "{}")), &[]);
    let engine = home.start().await;
    for _ in 0..6 {
        one(&engine, Deezer, "/search?q=a").await;
    }
    let at: Vec<_> = home.provider.seen().iter().map(|seen| seen.at.as_millis()).collect();
    let rests: Vec<_> = at.windows(2).map(|pair| (pair[1] - pair[0]) / 100).collect();
    assert_eq!(rests, [10, 20, 40, 50, 50]);
    let hasty = Call { max_wait: Some(ms(10)), ..ask(Deezer, "/search?q=a") };
    assert_eq!(engine.call(hasty).await.unwrap().status, 400, "who may not wait gets the last failure");
    assert_eq!(home.provider.count(), 6);
}

#[tokio::test(start_paused = true)]
async fn c2_not_found_lives_an_hour_and_an_answer_twelve() {
    let home = numbered();
    let engine = home.start().await;
    home.provider.now(|_| Reply::new(404, r#"{"error":"no"}"#));
    for (service, path) in
        [(Spotify, "/v1/albums/x"), (Musicbrainz, "/ws/2/recording/x"), (Deezer, "/album/1")]
    {
        let first = one(&engine, service, path).await;
        assert_eq!((first.status.as_u16(), first.verdict), (404, Verdict::NotFound), "{path}");
    }
    // Spotify's answers depend on who is signed in; here nobody knows who that is.
    let calls = home.provider.count();
    tokio::time::advance(s(3_590)).await;
    for (service, path) in [(Musicbrainz, "/ws/2/recording/x"), (Deezer, "/album/1")] {
        let kept = one(&engine, service, path).await;
        assert!(matches!(kept.origin, Origin::Hit(_)) && kept.status == 404, "{path}");
    }
    assert_eq!(home.provider.count(), calls);
    tokio::time::advance(s(11)).await;
    home.provider.now(|_| Reply::ok());
    assert_eq!(one(&engine, Deezer, "/album/1").await.status, 200, "found by now");
    tokio::time::advance(s(12 * 3_600 - 10)).await;
    assert!(matches!(one(&engine, Deezer, "/album/1").await.origin, Origin::Hit(_)));
}

#[tokio::test(start_paused = true)]
async fn c2_no_trouble_is_ever_kept() {
    // Each as one system or the other once kept it.
    for (service, path, status, kind, text) in [
        (Deezer, "/album/1", 500, "application/json", "{}"),
        (
            Deezer,
            "/album/1",
            200,
            "application/json",
            r#"{"error":{"code":4,"message":"Quota limit exceeded"}}"#,
        ),
        (Deezer, "/album/1", 200, "application/json", r#"{"error":{"code":700}}"#),
        (Deezer, "/album/1", 200, "application/json", r#"{"title":"cut o"#),
        (Deezer, "/album/1", 200, "text/html; charset=utf-8", "<html>Down for maintenance</html>"),
        (Itunes, "/lookup?id=1", 403, "text/javascript", ""),
        (Musicbrainz, "/ws/2/recording/x", 503, "application/json", r#"{"error":"slow down"}"#),
        (
            Lastfm,
            "/2.0/?method=album.getinfo&artist=a&album=b",
            200,
            "application/json",
            r#"{"error":29,"message":"Rate Limit Exceeded"}"#,
        ),
        (
            Lastfm,
            "/2.0/?method=album.getinfo&artist=a&album=b",
            200,
            "application/json",
            r#"{"error":11,"message":"offline"}"#,
        ),
        (Audiodb, "/api/v1/json/-/album.php?m=1", 429, "application/json", "{}"),
        (Deezer, "/album/1", 204, "application/json", ""),
        (Deezer, "/album/1", 403, "application/json", r#"{"error":{"code":200}}"#),
    ] {
        let home =
            Home::roomy(Scripted::new(move |_| Reply::new(status, text).with("content-type", kind)), &[]);
        let engine = home.start().await;
        let _ = engine.call(ask(service, path)).await;
        home.provider.now(|_| Reply::new(200, r#"{"good":1}"#).with("content-type", "application/json"));
        engine.clear_ban(service).await;
        tokio::time::advance(s(10)).await;
        let answer = one(&engine, service, path).await;
        assert_eq!(
            (body(&answer), answer.origin),
            (r#"{"good":1}"#, Origin::Service),
            "{service} {status} {text}"
        );
        assert!(matches!(one(&engine, service, path).await.origin, Origin::Hit(_)), "but this is");
        engine.stop().await;
    }
    let home = Home::roomy(Scripted::new(|_| Reply::broken()), &[]);
    let engine = home.start().await;
    assert!(matches!(engine.call(ask(Deezer, "/album/1")).await, Err(CallError::Unreachable { .. })));
    home.provider.now(|_| Reply::ok());
    assert_eq!(one(&engine, Deezer, "/album/1").await.origin, Origin::Service);
}

#[tokio::test(start_paused = true)]
async fn c3_life_is_exact_whatever_is_done_to_the_clock() {
    for step in [0, 3_600_000, -3_600_000, 13 * 3_600_000, -86_400_000] {
        for restart in [false, true] {
            let home = numbered();
            let mut engine = home.start().await;
            one(&engine, Deezer, "/album/1").await;
            tokio::time::advance(s(3_600)).await;
            home.step_wall(step);
            tokio::time::sleep(ms(1_100)).await;
            if restart {
                engine.stop().await;
                drop(engine);
                engine = home.start().await;
            }
            tokio::time::advance(s(11 * 3_600 - 3)).await;
            let kept = one(&engine, Deezer, "/album/1").await;
            let Origin::Hit(age) = kept.origin else { panic!("{step}, {restart}: it had a second to live") };
            assert!((s(43_197)..s(43_200)).contains(&age), "{step}, {restart}: {age:?}");
            tokio::time::advance(s(3)).await;
            let again = one(&engine, Deezer, "/album/1").await;
            assert_eq!((again.origin, body(&again)), (Origin::Service, r#"{"call":2}"#), "{step}, {restart}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn c3_each_kind_of_question_has_the_life_of_the_table() {
    for (service, path, life) in [
        (Deezer, "/search?q=a", Some(s(6 * 3_600))),
        (Deezer, "/album/1", Some(s(12 * 3_600))),
        (Deezer, "/album/1/tracks", None),
        (Musicbrainz, "/ws/2/isrc/GBAAA0000001", None),
        (Musicbrainz, "/ws/2/recording?query=a", Some(s(6 * 3_600))),
    ] {
        let home = numbered();
        let engine = home.start().await;
        one(&engine, service, path).await;
        tokio::time::advance(life.unwrap_or(s(400 * 86_400)) - ms(1_500)).await;
        assert!(matches!(one(&engine, service, path).await.origin, Origin::Hit(_)), "{path}");
        if life.is_some() {
            tokio::time::advance(ms(1_600)).await;
            assert_eq!(one(&engine, service, path).await.origin, Origin::Service, "{path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_written_played_or_somebodys_own_is_asked_each_time() {
    let home = numbered();
    let engine = home.start().await;
    for (service, path) in [
        (Spotify, "/v1/me/player"),
        (Spotify, "/v1/me"),
        (Deezer, "/user/1"),
        (Lastfm, "/2.0/?method=track.getinfo&artist=a&track=b&username=anna"),
        (Discogs, "/oauth/identity"),
        (Deezer, "/search?q=a&access_token=x"),
    ] {
        for _ in 0..2 {
            assert_eq!(one(&engine, service, path).await.origin, Origin::Service, "{path}");
        }
    }
    let post = Call { method: http::Method::POST, ..ask(Deezer, "/search?q=a") };
    for _ in 0..2 {
        assert_eq!(engine.call(post.clone()).await.unwrap().origin, Origin::Service);
    }
}

#[tokio::test(start_paused = true)]
async fn c5_a_kept_answer_outlives_the_engine_and_a_kill_keeps_the_file_good() {
    let home = numbered();
    let engine = home.start().await;
    one(&engine, Deezer, "/album/1").await;
    engine.stop().await;
    drop(engine);
    let engine = home.start().await;
    let kept = one(&engine, Deezer, "/album/1").await;
    assert!(matches!(kept.origin, Origin::Hit(_)) && body(&kept) == r#"{"call":1}"#);
    let stats = engine.cache_stats();
    assert_eq!((stats.entries, stats.hits, stats.misses), (1, 1, 0));
    assert_eq!(stats.by_service[&Deezer].answers.disk, 1);
    one(&engine, Deezer, "/album/1").await;
    assert_eq!(engine.cache_stats().by_service[&Deezer].answers.memory, 1, "taken up into memory");
    kill(engine).await;
    let engine = home.start().await;
    assert!(matches!(one(&engine, Deezer, "/album/1").await.origin, Origin::Hit(_)));
    assert_eq!(home.provider.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn c7_in_a_ban_the_last_answer_is_given_with_its_age() {
    let home = numbered();
    let engine = home.start().await;
    one(&engine, Deezer, "/album/1").await;
    tokio::time::advance(s(14 * 3_600)).await;
    home.provider.now(|_| Reply::new(200, r#"{"error":{"code":4}}"#));
    let stale = one(&engine, Deezer, "/album/1").await;
    let Origin::Stale(age) = stale.origin else { panic!("{:?}", stale.origin) };
    assert!(age >= s(14 * 3_600) && age < s(14 * 3_600 + 5), "{age:?}");
    assert_eq!(body(&stale), r#"{"call":1}"#);
    let calls = home.provider.count();
    one(&engine, Deezer, "/album/1").await;
    assert_eq!(home.provider.count(), calls, "nothing is sent in a ban");
    assert_eq!(
        refused(engine.call(ask(Deezer, "/album/2")).await).0,
        Why::Banned(headroom_engine::service::BanKind::Rate)
    );

    // Within the limit the caller sets.
    let takes = |most: Duration| Call {
        accepts: Accepts { max_stale: Some(most), ..Accepts::default() },
        ..ask(Deezer, "/album/1")
    };
    refused(engine.call(takes(s(3_600))).await);
    assert!(matches!(engine.call(takes(s(3 * 3_600))).await.unwrap().origin, Origin::Stale(_)));
    refused(engine.call(get(Deezer, "/album/1")).await);
    assert_eq!(engine.cache_stats().stale, 3);
}

#[tokio::test(start_paused = true)]
async fn c7_an_outage_is_bridged_too_but_not_a_no() {
    let home = numbered();
    let engine = home.start().await;
    one(&engine, Deezer, "/album/1").await;
    tokio::time::advance(s(13 * 3_600)).await;
    for trouble in [|| Reply::broken(), || Reply::new(503, "")] {
        home.provider.now(move |_| trouble());
        assert!(matches!(one(&engine, Deezer, "/album/1").await.origin, Origin::Stale(_)));
    }
    tokio::time::advance(s(10)).await;
    home.provider.now(|_| Reply::new(404, "{}"));
    assert_eq!(one(&engine, Deezer, "/album/1").await.status, 404, "it is gone: that is the answer");
}

#[tokio::test(start_paused = true)]
async fn a_background_caller_gets_the_old_answer_at_once_and_the_next_one_the_new() {
    let home = numbered();
    let engine = home.start().await;
    one(&engine, Deezer, "/album/1").await;
    tokio::time::advance(s(13 * 3_600)).await;
    let later = Call { priority: Priority::Background, ..ask(Deezer, "/album/1") };
    assert!(matches!(engine.call(later).await.unwrap().origin, Origin::Stale(_)));
    tokio::time::sleep(ms(10)).await;
    let new = one(&engine, Deezer, "/album/1").await;
    assert!(matches!(new.origin, Origin::Hit(_)) && body(&new) == r#"{"call":2}"#);
}

#[tokio::test(start_paused = true)]
async fn a_304_renews_what_is_kept_and_is_counted_as_the_call_it_is() {
    let home = Home::roomy(
        Scripted::new(|seen| match seen.if_none_match.as_str() {
            r#""v1""# => Reply::new(304, "").with("etag", r#""v1""#),
            _ => Reply::new(200, "{}").with("etag", r#""v1""#),
        }),
        &[],
    );
    let engine = home.start().await;
    one(&engine, Deezer, "/album/1").await;
    tokio::time::advance(s(12 * 3_600 + 1)).await;
    let renewed = one(&engine, Deezer, "/album/1").await;
    assert_eq!((renewed.status.as_u16(), body(&renewed), renewed.origin), (200, "{}", Origin::Service));
    assert_eq!((home.provider.count(), total(&engine, Deezer)), (2, 2));
    tokio::time::advance(s(11 * 3_600)).await;
    assert!(matches!(one(&engine, Deezer, "/album/1").await.origin, Origin::Hit(_)));
    // `no-cache` asks the service, and by the same means.
    assert_eq!(engine.call(get(Deezer, "/album/1")).await.unwrap().status, 200);
    assert_eq!(home.provider.seen()[2].if_none_match, r#""v1""#);
}

#[tokio::test(start_paused = true)]
async fn b9_a_leader_that_gives_up_hands_over_and_a_background_one_never_holds_an_interactive_one() {
    let home =
        Home::roomy(Scripted::well(ms(10)), &[(Deezer, json!({"windows": [{"seconds": 10, "calls": 1}]}))]);
    let engine = home.start().await;
    engine.call(get(Deezer, "/track/0")).await.unwrap();
    let spawn = |call: Call| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.call(call).await })
    };
    let later = spawn(Call { accepts: Accepts::default(), ..background(Deezer, "/album/1") });
    tokio::time::sleep(ms(1)).await;
    let leader = spawn(ask(Deezer, "/album/1"));
    tokio::time::sleep(ms(1)).await;
    let next = spawn(ask(Deezer, "/album/1"));
    tokio::time::sleep(ms(1)).await;
    leader.abort();
    assert_eq!(next.await.unwrap().unwrap().origin, Origin::Service, "it goes in the leader's stead");
    let later = later.await.unwrap().unwrap();
    assert!(matches!(later.origin, Origin::Hit(_)), "and this one needs no call any more");
    assert_eq!(home.provider.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_wait_is_refused_though_another_waits() {
    let home =
        Home::roomy(Scripted::well(ms(10)), &[(Deezer, json!({"windows": [{"seconds": 10, "calls": 1}]}))]);
    let engine = home.start().await;
    engine.call(get(Deezer, "/track/0")).await.unwrap();
    let patient = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.call(ask(Deezer, "/album/1")).await })
    };
    tokio::time::sleep(ms(1)).await;
    let hasty = Call { max_wait: Some(ms(0)), ..ask(Deezer, "/album/1") };
    let (why, wait) = refused(engine.call(hasty).await);
    assert!(why == Why::OverBudget && wait > s(5), "{why:?} {wait:?}");
    assert_eq!(patient.await.unwrap().unwrap().status, 200, "its refusal is nobody else's");
}

#[tokio::test(start_paused = true)]
async fn cache_switched_off_keeps_nothing() {
    let home = Home::new(Scripted::well(ms(0)));
    home.settings(&json!({"cache": {"ttl_hours": 0}}));
    let engine = home.start().await;
    for _ in 0..2 {
        assert_eq!(one(&engine, Deezer, "/search?q=a").await.origin, Origin::Service);
    }
    assert_eq!(engine.cache_stats().entries, 0);
}

#[tokio::test(start_paused = true)]
async fn p4_nothing_of_one_account_is_answered_to_another() {
    let home = numbered();
    let engine = home.start().await;
    *home.credentials.account.lock() = Some("anna".into());
    let me = one(&engine, Spotify, "/v1/me").await;
    assert!(matches!(one(&engine, Spotify, "/v1/me").await.origin, Origin::Hit(_)), "for seconds");
    *home.credentials.account.lock() = Some("ben".into());
    let other = one(&engine, Spotify, "/v1/me").await;
    assert_eq!(other.origin, Origin::Service);
    assert_ne!(body(&me), body(&other));
    *home.credentials.account.lock() = Some("anna".into());
    tokio::time::advance(s(61)).await;
    assert_eq!(one(&engine, Spotify, "/v1/me").await.origin, Origin::Service, "it was the user's own");
}

#[tokio::test(start_paused = true)]
async fn p4_an_answer_that_came_while_somebody_else_signed_in_is_kept_for_nobody() {
    let home = Home::roomy(Scripted::well(ms(500)), &[]);
    let engine = home.start().await;
    *home.credentials.account.lock() = Some("anna".into());
    let call = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.call(ask(Spotify, "/v1/me")).await })
    };
    tokio::time::sleep(ms(100)).await;
    *home.credentials.account.lock() = Some("ben".into());
    call.await.unwrap().unwrap();
    for account in ["anna", "ben"] {
        *home.credentials.account.lock() = Some(account.into());
        assert_eq!(one(&engine, Spotify, "/v1/me").await.origin, Origin::Service, "{account}");
    }
    home.credentials.signed_out.store(true, Ordering::Relaxed);
}

#[tokio::test(start_paused = true)]
async fn hits_cost_no_budget_and_are_counted_as_hits() {
    let home =
        Home::roomy(Scripted::well(ms(0)), &[(Deezer, json!({"windows": [{"seconds": 3600, "calls": 1}]}))]);
    let engine = home.start().await;
    for _ in 0..100 {
        one(&engine, Deezer, "/search?q=a").await;
    }
    let rates = engine.rates();
    let deezer = &rates.services[&Deezer];
    assert_eq!((deezer.cpm, deezer.hits, deezer.windows[0].used), (1, 99, 1));
    let stats = engine.cache_stats();
    assert_eq!((stats.hits, stats.misses, stats.hit_rate_percent), (99, 1, Some(99.0)));
    assert_eq!(stats.saved_24h, 99);
}
