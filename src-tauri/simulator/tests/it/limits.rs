//! What the providers count, against short windows in real time.

use std::time::Duration;

use headroom_simulator::{Options, Simulator};
use serde_json::json;

use crate::client::{get, send};

#[tokio::test]
async fn a_window_admits_exactly_its_calls_and_frees_them_after_its_length() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    simulator.set("deezer", json!({"window": {"seconds": 0.4, "calls": 5}})).unwrap();
    let url = format!("{}/artist/5000", simulator.base_url("deezer"));
    let calls = (0..20).map(|_| {
        tokio::spawn({
            let url = url.clone();
            async move { get(&url, &[]).await.json() }
        })
    });
    let mut refused = 0;
    for call in calls.collect::<Vec<_>>() {
        refused += u32::from(call.await.unwrap()["error"]["code"] == 4);
    }
    assert_eq!(refused, 15, "five of twenty at once");
    assert_eq!(simulator.peak("deezer"), (20, 5), "all twenty arrived within one window");
    tokio::time::sleep(Duration::from_millis(420)).await;
    assert!(get(&url, &[]).await.json()["error"].is_null(), "free again after the window");
    let count = simulator.count("deezer");
    assert_eq!((count.arrived, count.answered, count.refused), (21, 6, 15), "arrived = answered + refused");
}

#[tokio::test]
async fn spotify_bans_say_when_and_probing_prolongs_them() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    simulator.set("spotify", json!({"window": {"seconds": 1.0, "calls": 2}})).unwrap();
    let url = format!("{}/v1/me", simulator.base_url("spotify"));
    let bearer = [("authorization", "Bearer test-spotify-token")];
    for _ in 0..2 {
        assert_eq!(get(&url, &bearer).await.status, 200, "inside the window");
    }
    assert_eq!(get(&url, &bearer).await.header("retry-after"), Some("1"), "a whole second");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(get(&url, &bearer).await.status, 429, "a probe during the ban");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(get(&url, &bearer).await.status, 429, "which has prolonged it");
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert_eq!(get(&url, &bearer).await.status, 200, "over at last");
}

#[tokio::test]
async fn the_quota_has_its_own_words() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    simulator.set("spotify", json!({"quota": {"seconds": 86_400, "calls": 1}})).unwrap();
    let url = format!("{}/v1/me", simulator.base_url("spotify"));
    let bearer = [("authorization", "Bearer test-spotify-token")];
    get(&url, &bearer).await;
    let refused = get(&url, &bearer).await;
    assert_eq!(refused.json()["error"]["reason"], "QUOTA_EXCEEDED", "the body says which limit");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((86_398..=86_400).contains(&wait), "about a day, got {wait}");
    simulator.set("spotify", json!({"quota": null})).unwrap();
    assert_eq!(get(&url, &bearer).await.status, 200, "no quota, no refusal");
}

#[tokio::test]
async fn discogs_and_listenbrainz_show_their_state_on_every_answer() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let discogs = format!("{}/releases/8300000", simulator.base_url("discogs"));
    let got = get(&discogs, &[]).await;
    assert_eq!(got.header("x-discogs-ratelimit"), Some("25"), "without a token");
    let got = get(&discogs, &[("authorization", "Discogs token=test-discogs-token")]).await;
    assert_eq!(got.header("x-discogs-ratelimit"), Some("60"), "with a token");
    assert_eq!(got.header("x-discogs-ratelimit-used"), Some("2"), "both calls count");
    assert_eq!(got.header("x-discogs-ratelimit-remaining"), Some("58"), "the rest");
    for _ in 0..23 {
        assert_eq!(get(&discogs, &[]).await.status, 200, "up to 25 without a token");
    }
    assert_eq!(get(&discogs, &[]).await.status, 429, "the 26th");

    let listenbrainz = get(&format!("{}/1/user/a/listens", simulator.base_url("listenbrainz")), &[]).await;
    for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset-in"] {
        assert!(listenbrainz.header(name).is_some(), "{name} on a 404 too");
    }
}

#[tokio::test]
async fn the_control_port_does_what_the_library_does() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let control = simulator.control_url();
    let json_type = [("content-type", "application/json")];
    let wrong =
        send("POST", &format!("{control}/services/deezer"), &json_type, r#"{"windwo":{}}"#).await.unwrap();
    assert_eq!(wrong.status, 400, "a typing mistake is no switch: {}", wrong.json());
    let change = r#"{"windows":[{"seconds":5,"calls":1}],"latency_ms":[1,3]}"#;
    send("POST", &format!("{control}/services/deezer"), &json_type, change).await.unwrap();
    let url = format!("{}/search?q=moon&index=0", simulator.base_url("deezer"));
    get(&url, &[("x-secret", "visible")]).await;
    get(&url, &[]).await;
    let counts = get(&format!("{control}/counts"), &[]).await.json();
    let deezer = &counts["services"]["deezer"];
    assert_eq!((&deezer["arrived"], &deezer["refused"]), (&json!(2), &json!(1)), "{deezer}");
    assert_eq!(deezer["by_path"]["GET /search"], 2, "{deezer}");
    assert_eq!(deezer["windows"][0]["peak"], 2, "{deezer}");
    let log = get(&format!("{control}/log?service=deezer&n=2"), &[]).await.json();
    assert_eq!(log[0]["query"], "q=moon&index=0", "the query as sent");
    assert_eq!(log[0]["headers"]["x-secret"], "visible", "headers as sent");
    assert_eq!((&log[0]["outcome"], &log[1]["outcome"]), (&json!("answered"), &json!("refused")), "{log}");
    send("POST", &format!("{control}/reset"), &[], "").await.unwrap();
    assert_eq!(simulator.count("deezer").arrived, 0, "reset");
    assert_eq!(simulator.peak("deezer"), (0, 50), "and the first rules again");
}
