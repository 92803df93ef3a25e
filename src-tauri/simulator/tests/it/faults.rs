//! Failure switches, one table.

use std::io::ErrorKind;
use std::time::Duration;

use headroom_simulator::{Options, Simulator};
use serde_json::json;

use crate::client::{get, send};

#[tokio::test]
async fn every_switch_does_what_it_says_for_as_long_as_it_says() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let url = format!("{}/track/3100000", simulator.base_url("deezer"));
    let set = |fault| simulator.set("deezer", json!({"fault": fault})).unwrap();

    set(json!({"kind": "status", "status": 503, "times": 2, "retry_after": "soon", "body": {"sorry": true}}));
    for _ in 0..2 {
        let got = get(&url, &[]).await;
        assert_eq!(
            (got.status, got.header("retry-after")),
            (503, Some("soon")),
            "a status with nonsense beside it"
        );
        assert_eq!(got.json(), json!({"sorry": true}), "and a body of one's own");
    }
    assert_eq!(get(&url, &[]).await.status, 200, "twice was twice");

    set(json!({"kind": "html", "times": 1}));
    let got = get(&url, &[]).await;
    assert_eq!((got.status, got.header("content-type")), (200, Some("text/html; charset=utf-8")), "a page");

    set(json!({"kind": "empty", "times": 1}));
    let got = get(&url, &[]).await;
    assert_eq!((got.status, got.body.len()), (200, 0), "nothing inside a 200");

    set(json!({"kind": "big", "bytes": 3_000_000, "times": 1}));
    assert_eq!(get(&url, &[]).await.body.len(), 3_000_000, "as many bytes as asked");

    set(json!({"kind": "redirect", "to": "same", "times": 1}));
    let got = get(&url, &[]).await;
    assert_eq!((got.status, got.header("location")), (302, Some(url.as_str())), "to itself");
    set(json!({"kind": "redirect", "to": "other", "status": 307, "times": 1}));
    let elsewhere = get(&url, &[]).await.header("location").unwrap().to_owned();
    assert!(elsewhere.starts_with("http://localhost:"), "another host: {elsewhere}");

    set(json!({"kind": "headers", "headers": {"x-more": "1"}, "times": 1}));
    let got = get(&url, &[]).await;
    assert_eq!(
        (got.header("x-more"), got.json()["id"].as_u64()),
        (Some("1"), Some(3_100_000)),
        "the answer and more"
    );

    set(json!({"kind": "truncate", "times": 1}));
    let got = get(&url, &[]).await;
    let promised: usize = got.header("content-length").unwrap().parse().unwrap();
    assert_eq!(got.body.len(), promised / 2, "half of what was promised");

    set(json!({"kind": "reset", "times": 1}));
    let broken = send("GET", &url, &[], "").await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::ConnectionReset, "a real reset");
    set(json!({"kind": "close", "times": 1}));
    let broken = send("GET", &url, &[], "").await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::UnexpectedEof, "an orderly end without an answer");

    set(json!({"kind": "hang", "for_ms": 150}));
    let silence = tokio::time::timeout(Duration::from_millis(100), get(&url, &[])).await;
    assert!(silence.is_err(), "no answer at all");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(get(&url, &[]).await.status, 200, "the time is over");

    set(json!({"kind": "slow", "pause_ms": 1, "times": 1}));
    assert_eq!(get(&url, &[]).await.json()["id"], 3_100_000, "slow, but whole");

    let count = simulator.count("deezer");
    assert_eq!(
        count.arrived,
        count.answered + count.refused + count.failed,
        "every call has one outcome: {count:?}"
    );
    assert_eq!(count.refused, 0, "a failure is no refusal");
}

#[tokio::test]
async fn forced_refusals_are_the_providers_own_unless_written_out() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let url = format!("{}/v1/me", simulator.base_url("spotify"));
    let bearer = [("authorization", "Bearer test-spotify-token")];
    simulator.set("spotify", json!({"refuse": {"times": 1, "quota": true, "retry_after": "47967"}})).unwrap();
    let got = get(&url, &bearer).await;
    assert_eq!((got.status, got.header("retry-after")), (429, Some("47967")), "the quota's refusal");
    assert_eq!(got.json()["error"]["reason"], "QUOTA_EXCEEDED", "in its words");
    simulator
        .set(
            "spotify",
            json!({"refuse": {"times": 8, "status": 429, "retry_after": "4", "path": "/v1/search"}}),
        )
        .unwrap();
    assert_eq!(get(&url, &bearer).await.status, 200, "another path is not meant");
    assert_eq!(simulator.count("spotify").refused, 1, "one refusal so far");
    simulator.set("spotify", json!({"faults": []})).unwrap();
    let search = format!("{}/v1/search?q=moon&type=track", simulator.base_url("spotify"));
    assert_eq!(get(&search, &bearer).await.status, 200, "all switches are off");
}

#[tokio::test]
async fn dropping_the_simulator_ends_its_connections() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let url = format!("{}/track/3100000", simulator.base_url("deezer"));
    simulator.set("deezer", json!({"fault": {"kind": "hang"}})).unwrap();
    let hanging = tokio::spawn({
        let url = url.clone();
        async move { send("GET", &url, &[], "").await }
    });
    while simulator.count("deezer").arrived == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(simulator);
    assert!(hanging.await.unwrap().is_err(), "the hanging call ends");
    assert!(send("GET", &url, &[], "").await.is_err(), "and the port is closed");
}
