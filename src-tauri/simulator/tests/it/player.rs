//! The listener behind `/v1/me/player`.

use headroom_simulator::{Options, Simulator};
use serde_json::json;

use crate::client::get;

#[tokio::test]
async fn the_player_shows_a_scripted_evening_in_no_time() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let base = simulator.base_url("spotify").to_owned();
    let bearer = [("authorization", "Bearer test-spotify-token")];
    let player = format!("{base}/v1/me/player");
    assert_eq!(get(&player, &bearer).await.status, 204, "silence has no body");

    let long: Vec<_> = simulator
        .catalogue()
        .tracks
        .iter()
        .filter(|track| track.duration_ms > 200_000)
        .take(3)
        .cloned()
        .collect();
    let ids: Vec<_> = long.iter().map(|track| track.spotify.as_str()).collect();
    simulator.player(json!({"freeze": true, "play": ids})).unwrap();
    simulator.player(json!({"advance_ms": 60_000})).unwrap();
    let now = get(&player, &bearer).await.json();
    assert_eq!((&now["item"]["id"], &now["progress_ms"]), (&json!(ids[0]), &json!(60_000)), "a minute in");
    assert_eq!(now["is_playing"], true, "and playing");

    simulator.player(json!({"pause": true, "advance_ms": 3_600_000})).unwrap();
    let paused = get(&player, &bearer).await.json();
    assert_eq!(
        (&paused["is_playing"], &paused["progress_ms"]),
        (&json!(false), &json!(60_000)),
        "an hour's pause"
    );
    assert_eq!(
        paused["timestamp"].as_i64().unwrap() - now["timestamp"].as_i64().unwrap(),
        60_000,
        "when it changed"
    );

    simulator.player(json!({"script": [{"in_ms": 0, "resume": true}, {"in_ms": 10_000, "skip": true}], "advance_ms": 3_600_000})).unwrap();
    let rows = get(&format!("{base}/v1/me/player/recently-played?limit=50"), &bearer).await.json();
    let played: Vec<_> =
        rows["items"].as_array().unwrap().iter().map(|row| row["track"]["id"].clone()).collect();
    assert_eq!(played, [json!(ids[2]), json!(ids[1]), json!(ids[0])], "newest first");
    let truth = simulator.player(json!({})).unwrap();
    assert_eq!(truth["heard"][0]["heard_ms"], 70_000, "60 s and 10 s after the pause");
    assert_eq!(truth["heard"][1]["heard_ms"], json!(long[1].duration_ms), "heard whole");
    assert!(simulator.player(json!({"play": ["nothing"]})).is_err(), "an unknown track is said");
}
