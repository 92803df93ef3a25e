//! What is counted while an engine runs.

use headroom_engine::call::Call;
use headroom_engine::contract::Contract as _;
use headroom_engine::meter::EventKind;
use headroom_engine::service::ServiceId::{self, Deezer, Musicbrainz, Spotify};
use http::Method;
use serde_json::json;

use crate::provider::{Reply, Scripted};
use crate::support::{Home, START, all, cpm, get, minutes, ms, s, skip, total};

#[tokio::test(start_paused = true)]
async fn m1_900_calls_in_30_s_read_900_a_minute() {
    let home = Home::roomy(Scripted::well(ms(5)), &[]);
    let engine = home.start().await;
    for call in 0..900 {
        let path = if call % 3 == 0 { "/track/1" } else { "/search?q=a" };
        tokio::join!(engine.call(get(Deezer, path)), tokio::time::sleep(ms(33))).0.unwrap();
    }
    let rates = &engine.rates().services[&Deezer];
    assert_eq!(rates.cpm, 900);
    let by_endpoint: Vec<_> = rates.endpoints.0.iter().map(|(name, n)| (&**name, *n)).collect();
    assert_eq!(by_endpoint, [("search", 600), ("track", 300)]);
    assert_eq!(rates.callers.0, [("ui".into(), 900)]);
    tokio::time::sleep(s(60)).await;
    assert_eq!(
        (cpm(&engine, Deezer), total(&engine, Deezer)),
        (0, 900),
        "the minute rolls on, the day keeps them"
    );
}

/// A request of every template in the catalogue.
fn everything() -> Vec<(ServiceId, &'static str, Method, String)> {
    let mut all = Vec::new();
    for id in ServiceId::ALL {
        for endpoint in id.service().endpoints {
            for template in endpoint.templates {
                let (method, path) = template.split_once(' ').unwrap();
                let method = if method == "*" { Method::GET } else { method.parse().unwrap() };
                let mut filled = path.to_owned();
                while let (Some(from), Some(to)) = (filled.find('{'), filled.find('}')) {
                    filled.replace_range(from..=to, "x1");
                }
                all.push((*id, endpoint.name, method, filled));
            }
        }
        all.push((*id, "other", Method::GET, "/nobody/knows/this".to_owned()));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn m7_every_endpoint_called_in_24_h_is_listed_for_every_service() {
    let home = Home::roomy(Scripted::well(ms(1)), &[]);
    let engine = home.start().await;
    for (id, name, method, path) in everything() {
        let call = Call { method: method.clone(), ..get(id, &path) };
        engine.call(call).await.unwrap_or_else(|e| panic!("{id} {name}: {e}"));
    }
    let listed = |id: ServiceId| engine.meter().day(id).endpoints.into_keys().collect::<Vec<_>>();
    let expected = |id: ServiceId| {
        let mut names: Vec<_> = id.service().endpoints.iter().map(|e| e.name).chain(["other"]).collect();
        names.sort_unstable();
        names
    };
    skip(s(23 * 3_600)).await;
    for id in ServiceId::ALL {
        assert_eq!(listed(*id), expected(*id), "{id}");
        let summary = &engine.summary().services[id];
        assert_eq!(summary.endpoints.0.len(), expected(*id).len(), "{id}");
        assert_eq!(summary.total_24h, everything().iter().filter(|c| c.0 == *id).count() as u32, "{id}");
    }
    skip(s(3_700)).await;
    for id in ServiceId::ALL {
        assert!(
            listed(*id).is_empty() && engine.summary().services[id].endpoints.0.is_empty(),
            "{id}: a day later"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn m7_a_minute_of_170_calls_touches_170_and_its_neighbours_nothing() {
    let home = Home::roomy(Scripted::well(ms(1)), &[]);
    let engine = home.start().await;
    skip(s(125)).await;
    all(&engine, 170, &get(Spotify, "/v1/search?q=a")).await;
    skip(s(120)).await;
    assert_eq!(minutes(&engine, Spotify), [(START.seconds() + 120, 170)]);
    let day = engine.day(Spotify).await.unwrap();
    assert_eq!((day.peak_cpm, day.peak_at, day.total_24h), (170, Some(START.seconds() + 120), 170));
    assert_eq!(day.calls.len(), 1_440);
    assert_eq!(day.endpoints["search"].iter().max(), Some(&170));
}

#[tokio::test(start_paused = true)]
async fn m9_our_count_is_the_providers_with_pages_retries_redirects_and_failures() {
    let home = Home::roomy(Scripted::well(ms(1)), &[]);
    let engine = home.start().await;
    let mut flaky = 0;
    home.provider.now(move |seen| {
        flaky += 1;
        match seen.target() {
            "/artist/1" => Reply::new(302, "").with("location", "/artist/2"),
            "/artist/2" => Reply::new(301, "").with("location", "https://api.deezer.com/artist/3?a=b"),
            "/artist/4" => Reply::new(302, "").with("location", "https://elsewhere.example/artist/4"),
            "/artist/5" => Reply::new(302, "").with("location", "/artist/5"),
            "/album/1" if flaky % 3 != 0 => Reply::new(500, ""),
            "/album/2" => Reply::broken(),
            _ => Reply::ok(),
        }
        .after(ms(20))
    });
    let path_of = |page: u32| format!("/search?q=a&index={}", page * 25);
    for page in 0..4 {
        engine.call(get(Deezer, &path_of(page))).await.unwrap();
    }
    assert_eq!(home.provider.count(), 4, "pages");
    let answer = engine.call(get(Deezer, "/artist/1")).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), home.provider.count()),
        (200, 7),
        "two redirects, followed and counted"
    );
    assert_eq!(home.provider.seen()[6].target(), "/artist/3?a=b");
    let passed_on = engine.call(get(Deezer, "/artist/4")).await.unwrap();
    assert_eq!((passed_on.status.as_u16(), home.provider.count()), (302, 8), "another host is not followed");
    engine.call(get(Deezer, "/artist/5")).await.unwrap();
    assert_eq!(home.provider.count(), 14, "a circle ends after five");
    engine.call(get(Deezer, "/album/1")).await.unwrap();
    let before = home.provider.count();
    assert!(engine.call(get(Deezer, "/album/2")).await.is_err(), "three tries, all broken");
    assert_eq!(home.provider.count(), before + 3);
    let post = Call { method: Method::POST, ..get(Deezer, "/album/2") };
    assert!(engine.call(post).await.is_err());
    assert_eq!(home.provider.count(), before + 4, "what is not idempotent is tried once");
    let left = tokio::time::timeout(ms(5), engine.call(get(Deezer, "/track/1"))).await;
    assert!(left.is_err(), "the asker goes away half-way");

    let arrived = u32::try_from(home.provider.count()).unwrap();
    let rates = engine.rates().services[&Deezer].clone();
    assert_eq!((rates.cpm, rates.calls_24h, total(&engine, Deezer)), (arrived, arrived, arrived));
    let summary = &engine.summary().services[&Deezer];
    assert_eq!(summary.total_24h, arrived);
    assert_eq!(summary.endpoints.0.iter().map(|e| e.1).sum::<u32>(), arrived, "every one under an endpoint");
}

#[tokio::test(start_paused = true)]
async fn m10_an_unknown_service_stops_the_start_and_never_becomes_a_counter() {
    let home = Home::new(Scripted::well(ms(1)));
    home.settings(&json!({"services": {"spofity": {"enabled": true}}}));
    let error = home.start_error().await;
    assert!(error.contains("services.spofity") && error.contains("spotify"), "{error}");
    home.settings(&json!({}));
    let engine = home.start().await;
    let text =
        json!({"ts": 0, "history": {"napster": [[START.seconds(), 5]], "deezer": [[START.seconds(), 2]]}});
    let imported = engine.import_history(text.to_string()).await.unwrap();
    assert_eq!((imported.unknown, imported.calls), (vec!["napster".to_owned()], 2));
    assert_eq!(engine.rates().services.len(), 12);
    assert_eq!(engine.rates().services.keys().copied().collect::<Vec<_>>(), ServiceId::ALL);
    assert_eq!(engine.catalogue().await.unwrap().len(), 12, "the window reads the same list");
}

#[tokio::test(start_paused = true)]
async fn m11_the_debug_text_holds_totals_peaks_endpoints_and_the_last_20_events() {
    let home = Home::roomy(Scripted::well(ms(1)), &[]);
    let engine = home.start().await;
    all(&engine, 31, &get(Spotify, "/v1/artists/1/albums")).await;
    skip(s(3_600)).await;
    all(&engine, 12, &get(Spotify, "/v1/search?q=a")).await;
    home.provider.now(|_| Reply::new(503, ""));
    for _ in 0..25 {
        engine.call(get(Musicbrainz, "/ws/2/artist?query=a")).await.unwrap_err();
        engine.clear_ban(Musicbrainz).await;
    }
    assert_eq!(engine.meter().events().len(), 50, "a ban and its end, each time");
    engine.call(get(Musicbrainz, "/ws/2/artist?query=a")).await.unwrap_err();
    let summary = engine.summary();
    assert_eq!(summary.events.len(), 20);
    assert_eq!(summary.events.last().unwrap().kind, EventKind::Ban);
    let spotify = &summary.services[&Spotify];
    assert_eq!((spotify.total_24h, spotify.peak_cpm, spotify.peak_at), (43, 31, Some(START.seconds())));
    let line = |begins: &str| {
        summary
            .text
            .lines()
            .find(|l| l.trim_start().starts_with(begins))
            .unwrap_or_else(|| panic!("no {begins} in\n{}", summary.text))
    };
    let words = |begins: &str| line(begins).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        words("spotify ")[..4],
        ["spotify", "43", "6000000", "31"].map(str::to_owned),
        "calls, limit, peak"
    );
    assert!(line("spotify ").ends_with(&START.to_text()), "{}", line("spotify "));
    assert_eq!(words("artist_albums"), ["artist_albums", "31"]);
    assert_eq!(words("search"), ["search", "12"]);
    assert!(line("musicbrainz: banned").contains("until 2026-10-26"), "{}", line("musicbrainz: banned"));
    assert_eq!(
        summary.text.matches("Rate limited on artist_search").count(),
        10,
        "half of the last 20 events"
    );
}
