//! Bans: one per incident, kept across restarts, followed by one probe.

use std::sync::atomic::Ordering;

use headroom_engine::budget::Why;
use headroom_engine::call::CallError;
use headroom_engine::meter::EventKind;
use headroom_engine::service::BanKind;
use headroom_engine::service::ServiceId::{Deezer, Genius, Itunes, Spotify};

use crate::provider::{Reply, Scripted, Seen};
use crate::support::{Home, START, all, background, events, get, kill, ms, refused, s, skip};

/// Deezer's refusal: no status, no time.
fn code_4(_: &Seen) -> Reply {
    Reply::new(200, r#"{"error":{"type":"Exception","message":"Quota limit exceeded","code":4}}"#)
}

/// Apple's: 403, nothing in it.
fn blank_403(_: &Seen) -> Reply {
    Reply::new(403, "")
}

#[tokio::test(start_paused = true)]
async fn b1_any_number_of_calls_in_flight_make_one_incident_one_ban_one_event() {
    for in_flight in [1u32, 4, 50] {
        let home = Home::roomy(Scripted::well(ms(1)), &[]);
        let engine = home.start().await;
        let mut late = 0;
        // They come back one after the other, long after the first.
        home.provider.now(move |seen| {
            late += 1;
            code_4(seen).after(ms(50 + late * 200))
        });
        let began = engine.clock().mono() + ms(250);
        for answer in all(&engine, in_flight as usize, &get(Deezer, "/search?q=a")).await {
            assert_eq!(refused(answer).0, Why::Banned(BanKind::Rate));
        }
        let left = s(60) - engine.clock().mono().since(began);
        let ban = engine.rates().services[&Deezer].ban.clone().unwrap();
        assert!(
            ban.remaining_s.abs_diff(left.as_secs()) <= 1,
            "{in_flight} in flight: {ban:?}, not {left:?}"
        );
        assert_eq!(events(&engine, EventKind::Ban).len(), 1, "{in_flight} in flight");
        assert_eq!(home.provider.count(), in_flight as usize);
        // The next incident is the second, however many the first had.
        skip(left).await;
        let wait = refused(engine.call(get(Deezer, "/search?q=a")).await).1;
        assert_eq!(wait, s(120), "{in_flight} in flight");
    }
}

#[tokio::test(start_paused = true)]
async fn b1_a_later_time_given_by_a_call_of_the_same_incident_is_kept() {
    let home = Home::roomy(Scripted::well(ms(1)), &[]);
    let engine = home.start().await;
    let mut waits = ["5", "40", "20"].into_iter();
    let mut late = 0;
    home.provider.now(move |_| {
        late += 100;
        Reply::new(429, "").with("retry-after", waits.next().unwrap()).after(ms(late))
    });
    all(&engine, 3, &get(Genius, "/search?q=a")).await;
    let ban = engine.rates().services[&Genius].ban.clone().unwrap();
    assert_eq!(ban.remaining_s, 40, "40 s from the second answer, 100 ms ago");
    assert_eq!(events(&engine, EventKind::Ban).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn b2_incidents_in_a_row_escalate_and_six_quiet_hours_forget_them() {
    let home = Home::roomy(Scripted::new(blank_403), &[]);
    let engine = home.start().await;
    let search = get(Itunes, "/search?term=a");
    let mut lengths = Vec::new();
    for incident in 0..7 {
        let wait = refused(engine.call(search.clone()).await).1;
        lengths.push(wait.as_secs() / 60);
        // Straight after the ban, or straight after ban and cooldown: both are in a row.
        skip(wait + if incident % 2 == 0 { s(1_800) } else { s(0) }).await;
    }
    assert_eq!(lengths, [10, 20, 40, 80, 160, 240, 240], "minutes, up to four hours");
    skip(s(6 * 3_600 - 1_800)).await;
    assert_eq!(refused(engine.call(search).await).1, s(600), "a first ban again");
    assert_eq!(home.provider.count(), 8);
}

#[tokio::test(start_paused = true)]
async fn b2_the_cooldown_runs_from_the_bans_end_not_from_the_first_look_at_it() {
    let home = Home::roomy(Scripted::new(blank_403), &[]);
    let engine = home.start().await;
    let wait = refused(engine.call(get(Itunes, "/search?term=a")).await).1;
    let end = engine.clock().mono() + wait;
    home.provider.now(|_| Reply::ok());
    // Nobody looks for twenty minutes after its end.
    skip(wait + s(1_200)).await;
    let (why, left) = refused(engine.call(background(Itunes, "/search?term=a")).await);
    assert_eq!((why, left), (Why::Cooldown, (end + s(1_800)).since(engine.clock().mono())));
    assert!(left < s(600), "{left:?}");
    engine.call(get(Itunes, "/search?term=a")).await.expect("interactive calls go on");
    skip(left).await;
    engine.call(background(Itunes, "/search?term=a")).await.expect("the cooldown is over");
    let short = Home::roomy(Scripted::new(|_| Reply::new(429, "").with("retry-after", "4")), &[]);
    let engine = short.start().await;
    refused(engine.call(get(Genius, "/search?q=a")).await);
    short.provider.now(|_| Reply::ok());
    skip(s(4)).await;
    engine.call(background(Genius, "/search?q=a")).await.expect("a short ban has no cooldown");
}

#[tokio::test(start_paused = true)]
async fn b3_a_ban_survives_a_kill_and_ends_in_a_single_probe() {
    let home = Home::roomy(Scripted::new(blank_403), &[]);
    let engine = home.start().await;
    refused(engine.call(get(Itunes, "/search?term=a")).await);
    // At once: the ban is on disk before the caller hears of it.
    kill(engine).await;
    home.reboot(60_000);
    let engine = home.start().await;
    assert_eq!(events(&engine, EventKind::Ban).len(), 1);
    let left = refused(engine.call(get(Itunes, "/search?term=a")).await).1;
    assert!((s(539)..=s(541)).contains(&left), "{left:?}");
    tokio::time::advance(left - ms(1)).await;
    refused(engine.call(get(Itunes, "/search?term=a")).await);
    assert_eq!(home.provider.count(), 1, "nothing before its end");
    tokio::time::advance(ms(2)).await;

    let mut first = true;
    home.provider.now(move |seen| {
        let reply = if first { blank_403(seen) } else { Reply::ok() };
        first = false;
        reply.after(s(2))
    });
    for answer in all(&engine, 5, &get(Itunes, "/search?term=a")).await {
        assert_eq!(refused(answer).0, Why::Banned(BanKind::Rate), "the probe was refused, so are the others");
    }
    assert_eq!(home.provider.count(), 2, "one probe, not a burst");
    skip(s(1_200)).await;
    let begin = home.provider.elapsed();
    assert!(all(&engine, 5, &get(Itunes, "/search?term=a")).await.iter().all(Result::is_ok));
    let times: Vec<_> = home.provider.seen()[2..].iter().map(|s| (s.at - begin).as_secs()).collect();
    assert_eq!(times, [0, 2, 2, 2, 2], "the others go when the probe is answered");
}

#[tokio::test(start_paused = true)]
async fn b3_a_probe_that_gets_no_answer_is_followed_by_another_one() {
    let home = Home::roomy(Scripted::new(blank_403), &[]);
    let engine = home.start().await;
    let wait = refused(engine.call(get(Itunes, "/search?term=a")).await).1;
    skip(wait).await;
    home.provider.now(|_| Reply::ok().after(s(1)));
    let probe = tokio::time::timeout(ms(500), engine.call(get(Itunes, "/search?term=a"))).await;
    assert!(probe.is_err(), "its asker goes away");
    let begin = home.provider.elapsed();
    all(&engine, 3, &get(Itunes, "/search?term=a")).await;
    let times: Vec<_> = home.provider.seen()[2..].iter().map(|s| (s.at - begin).as_secs()).collect();
    assert_eq!(times, [0, 1, 1], "again one, then the rest");
}

#[tokio::test(start_paused = true)]
async fn b3_a_sign_in_clears_ban_cooldown_and_escalation_at_once_and_for_good() {
    let home = Home::roomy(Scripted::new(blank_403), &[]);
    let engine = home.start().await;
    let first = refused(engine.call(get(Itunes, "/search?term=a")).await).1;
    skip(first).await;
    assert_eq!(refused(engine.call(get(Itunes, "/search?term=a")).await).1, s(1_200), "escalated");
    engine.clear_ban(Itunes).await;
    kill(engine).await;
    let engine = home.start().await;
    let itunes = &engine.rates().services[&Itunes];
    assert_eq!((itunes.ban.clone(), itunes.cooldown_until), (None, None), "a kill does not bring it back");
    assert_eq!(events(&engine, EventKind::BanCleared).len(), 1);
    home.provider.now(|_| Reply::ok());
    engine.call(background(Itunes, "/search?term=a")).await.expect("no ban, no cooldown");
    home.provider.now(blank_403);
    assert_eq!(refused(engine.call(get(Itunes, "/search?term=a")).await).1, s(600), "no escalation");
}

#[tokio::test(start_paused = true)]
async fn b3_the_first_call_after_a_sign_in_is_a_probe_and_its_refusal_brings_the_ban_back() {
    let home = Home::roomy(Scripted::new(|_| Reply::new(429, "").with("retry-after", "3600")), &[]);
    let engine = home.start().await;
    refused(engine.call(get(Spotify, "/v1/me")).await);
    engine.clear_ban(Spotify).await;
    home.provider.now(|_| Reply::new(429, "").with("retry-after", "5").after(s(1)));
    let answers = all(&engine, 4, &get(Spotify, "/v1/me")).await;
    assert_eq!(home.provider.count(), 2, "one probe");
    for answer in answers {
        assert!(refused(answer).1 > s(3_590), "the time given first still stands");
    }
}

#[tokio::test(start_paused = true)]
async fn b3_a_call_that_waits_for_its_token_is_not_sent_into_a_ban_that_began_meanwhile() {
    let home = Home::roomy(Scripted::new(|_| Reply::new(429, "").with("retry-after", "60")), &[]);
    let engine = home.start().await;
    home.credentials.delay_ms.store(5_000, Ordering::Relaxed);
    let waits = tokio::spawn({
        let engine = engine.clone();
        async move { engine.call(get(Spotify, "/v1/me")).await }
    });
    tokio::time::sleep(ms(10)).await;
    home.credentials.delay_ms.store(0, Ordering::Relaxed);
    refused(engine.call(get(Spotify, "/v1/search?q=a")).await);
    let (why, wait) = refused(waits.await.unwrap());
    assert_eq!((why, home.provider.count()), (Why::Banned(BanKind::Rate), 1));
    assert!(wait < s(56), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn b5_nothing_leaves_before_the_time_given_in_any_form() {
    let date = |seconds| {
        httpdate::fmt_http_date(std::time::UNIX_EPOCH + s(u64::try_from(START.seconds()).unwrap() + seconds))
    };
    let (in_90, past) = (date(90), date(0).replace("2026", "2025"));
    let (minute, week) = (s(60), s(7 * 86_400));
    for (value, expected) in [
        (Some("4"), s(4)),
        (Some("0"), s(1)),
        (Some("-5"), minute),
        (Some("soon"), minute),
        (Some(""), minute),
        (None, minute),
        (Some("47967"), s(47_967)),
        (Some("47,967"), s(47_967)),
        (Some("99999999999"), week),
        (Some(&*in_90), s(90)),
        (Some(&*past), minute),
    ] {
        let home = Home::roomy(Scripted::well(ms(0)), &[]);
        let engine = home.start().await;
        let header = value.map(str::to_owned);
        home.provider.now(move |seen| match &header {
            _ if seen.uri.contains("deezer") => Reply::ok(),
            Some(value) => Reply::new(429, "").with("retry-after", value),
            None => Reply::new(429, ""),
        });
        let wait = refused(engine.call(get(Genius, "/search?q=a")).await).1;
        assert_eq!(wait, expected, "{value:?}");
        let before = home.provider.elapsed();
        engine.call(get(Deezer, "/search?q=a")).await.expect("another service goes on");
        assert_eq!(home.provider.elapsed(), before, "{value:?}: at once");
        home.provider.now(|_| Reply::ok());
        let sent = home.provider.count();
        tokio::time::advance(wait - ms(1)).await;
        let begin = home.provider.elapsed();
        refused(engine.call(get(Genius, "/search?q=a")).await);
        refused(engine.call(background(Genius, "/search?q=a")).await);
        assert_eq!(
            (home.provider.count(), home.provider.elapsed()),
            (sent, begin),
            "{value:?}: refused at once, not kept waiting"
        );
        tokio::time::advance(ms(1)).await;
        engine.call(get(Genius, "/search?q=a")).await.unwrap_or_else(|e| panic!("{value:?}: {e}"));
    }
}

#[tokio::test(start_paused = true)]
async fn b6_a_spent_quota_and_a_short_429_are_different_states_with_different_words() {
    let home = Home::roomy(Scripted::well(ms(1)), &[]);
    let engine = home.start().await;
    all(&engine, 99, &get(Spotify, "/v1/search?q=a")).await;
    home.provider.now(|_| {
        Reply::new(429, r#"{"error":{"status":429,"message":"API rate limit exceeded"}}"#)
            .with("retry-after", "3")
    });
    let short = engine.call(get(Spotify, "/v1/me")).await.unwrap_err();
    let rate_event = engine.meter().events().last().unwrap().text.clone();
    skip(s(3)).await;
    home.provider.now(|_| {
        Reply::new(429, r#"{"error":{"status":429,"message":"Too many","reason":"QUOTA_EXCEEDED"}}"#)
            .with("retry-after", "48925")
    });
    let long = engine.call(get(Spotify, "/v1/me")).await.unwrap_err();
    assert!(matches!(&short, CallError::Refused { why: Why::Banned(BanKind::Rate), .. }), "{short}");
    assert!(matches!(&long, CallError::Refused { why: Why::Banned(BanKind::Quota), .. }), "{long}");
    assert!(
        long.to_string().contains("daily quota") && !short.to_string().contains("quota"),
        "{short} / {long}"
    );
    let quota_event = events(&engine, EventKind::Ban).pop().unwrap().text;
    assert_eq!(
        (rate_event.as_str(), quota_event.as_str()),
        ("Rate limited on me, 3 s", "Daily quota spent on me, 13 h 35 min")
    );
    let learned = |engine: &headroom_engine::Engine| {
        let quota = engine.rates().services[&Spotify].quota.unwrap();
        (format!("{:?}", quota.source), quota.calls, quota.used)
    };
    assert_eq!(learned(&engine), ("Learned".into(), 90, 101), "a tenth is kept in reserve");
    kill(engine).await;
    let engine = home.start().await;
    assert_eq!(learned(&engine), ("Learned".into(), 90, 101), "on disk before the caller heard of it");
    assert_eq!(engine.rates().services[&Spotify].ban.clone().unwrap().kind, BanKind::Quota);
}

#[tokio::test(start_paused = true)]
async fn b6_background_calls_leave_the_last_fifth_of_a_quota() {
    let home = Home::roomy(
        Scripted::well(ms(1)),
        &[(
            Spotify,
            serde_json::json!({"windows": [{"seconds": 1, "calls": 1000}], "quota": {"hours": 24, "calls": 100}}),
        )],
    );
    let engine = home.start().await;
    for _ in 0..80 {
        engine.call(background(Spotify, "/v1/search?q=a")).await.unwrap();
    }
    let (why, wait) = refused(engine.call(background(Spotify, "/v1/search?q=a")).await);
    assert_eq!(why, Why::QuotaReserve);
    assert!((s(86_000)..=s(86_460)).contains(&wait), "{wait:?}");
    all(&engine, 30, &get(Spotify, "/v1/me"))
        .await
        .into_iter()
        .for_each(|a| drop(a.expect("the user's calls go on")));
    assert_eq!(events(&engine, EventKind::QuotaWarning).len(), 2, "at 80 and at 100 percent, once each");
}
