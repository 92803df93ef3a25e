//! Files that are damaged, newer, locked, or cannot be written.

use headroom_engine::budget::Why;
use headroom_engine::contract::{Contract as _, NoticeKind};
use headroom_engine::meter::EventKind;
use headroom_engine::service::ServiceId::{Deezer, Genius, Itunes, Spotify};
use headroom_engine::{Engine, StartError};
use serde_json::{Value, json};

use crate::provider::{Reply, Scripted};
use crate::support::{Home, START, all, cpm, events, files, get, kill, minutes, ms, refused, s, skip, total};

fn roomy() -> Home<Scripted> {
    Home::roomy(Scripted::well(ms(1)), &[])
}

#[tokio::test(start_paused = true)]
async fn a_second_engine_on_a_directory_is_refused_and_disturbs_nothing() {
    let home = roomy();
    let engine = home.start().await;
    all(&engine, 3, &get(Deezer, "/search?q=a")).await;
    let error = Engine::start(home.options()).await.unwrap_err();
    assert!(matches!(&error, StartError::Running(taken) if taken.dir == home.dir.path()), "{error}");
    assert!(error.to_string().contains("already runs on"), "{error}");
    all(&engine, 2, &get(Deezer, "/search?q=a")).await;
    engine.stop().await;
    assert_eq!(
        total(&home.start().await, Deezer),
        5,
        "the lock is gone with a stop, even while a handle is left"
    );
}

#[tokio::test(start_paused = true)]
async fn m8_a_history_of_a_newer_version_stops_the_start_and_stays() {
    let home = roomy();
    let text = r#"{"version":9,"generation":4,"saved_at":0,"moons":[]}"#;
    home.write("history.json", text.as_bytes());
    let error = home.start_error().await;
    assert!(
        error.contains("history.json") && error.contains("layout 9") && error.contains("newer Headroom"),
        "{error}"
    );
    assert_eq!(home.read("history.json"), text);
    assert_eq!(
        files(home.dir.path()),
        ["engine.lock", "history.json", "settings.json"],
        "nothing was made beside it"
    );
}

#[tokio::test(start_paused = true)]
async fn m8_a_damaged_history_is_set_aside_reported_and_the_journal_still_counts() {
    let home = roomy();
    let engine = home.start().await;
    all(&engine, 4, &get(Deezer, "/search?q=a")).await;
    tokio::time::sleep(ms(1_100)).await;
    kill(engine).await;
    let whole = home.read("history.json");
    home.write("history.json", &whole.as_bytes()[..whole.len() / 2]);
    let engine = home.start().await;
    let reports = events(&engine, EventKind::HistoryDamaged);
    assert_eq!(reports.len(), 1);
    let aside: Vec<_> =
        files(home.dir.path()).into_iter().filter(|f| f.starts_with("history.json.damaged-")).collect();
    assert!(aside.len() == 1 && reports[0].text.contains(&aside[0]), "{aside:?} {}", reports[0].text);
    assert_eq!(home.read(&aside[0]), whole[..whole.len() / 2], "whole as it was");
    assert_eq!(total(&engine, Deezer), 4);
}

/// A folder with something in it cannot be replaced by a file, by no user.
fn block(home: &Home<Scripted>, name: &str) {
    let path = home.path(name);
    if path.exists() {
        std::fs::remove_file(&path).unwrap();
    }
    std::fs::create_dir_all(path.join("in the way")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_takes_nothing_stops_no_call_loses_nothing_and_is_tried_again() {
    let home = roomy();
    let engine = home.start().await;
    all(&engine, 5, &get(Deezer, "/search?q=a")).await;
    // The journal cannot begin after the next snapshot, and then no snapshot can be written either.
    block(&home, "history.journal");
    skip(s(60)).await;
    block(&home, "history.json");
    all(&engine, 7, &get(Deezer, "/track/1")).await;
    skip(s(60)).await;
    home.provider.now(|seen| if seen.uri.contains("itunes") { Reply::new(403, "") } else { Reply::ok() });
    refused(engine.call(get(Itunes, "/search?term=a")).await);
    all(&engine, 2, &get(Genius, "/search?q=a")).await;
    for _ in 0..5 {
        skip(s(60)).await;
    }
    assert_eq!(
        (total(&engine, Deezer), total(&engine, Genius), total(&engine, Itunes)),
        (12, 2, 1),
        "all in memory"
    );
    let notices = engine.status().await.unwrap().notices;
    assert_eq!(notices.iter().map(|n| n.kind).collect::<Vec<_>>(), [NoticeKind::StorageFailing]);
    assert_eq!(events(&engine, EventKind::StorageFailing).len(), 1, "said once, not every second");
    assert!(
        files(home.dir.path()).iter().all(|f| !f.starts_with('.')),
        "no leftovers: {:?}",
        files(home.dir.path())
    );

    std::fs::remove_dir_all(home.path("history.json")).unwrap();
    std::fs::remove_dir_all(home.path("history.journal")).unwrap();
    skip(s(61)).await;
    assert_eq!(engine.status().await.unwrap().notices, []);
    assert_eq!(events(&engine, EventKind::StorageRecovered).len(), 1);
    let before = (
        minutes(&engine, Deezer),
        minutes(&engine, Genius),
        minutes(&engine, Itunes),
        engine.meter().events(),
    );
    kill(engine).await;
    let engine = home.start().await;
    let after = (
        minutes(&engine, Deezer),
        minutes(&engine, Genius),
        minutes(&engine, Itunes),
        engine.meter().events(),
    );
    assert_eq!(after, before, "nothing was lost");
    assert_eq!(
        refused(engine.call(get(Itunes, "/search?term=a")).await).0,
        Why::Banned(headroom_engine::service::BanKind::Rate)
    );
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_takes_lines_again_gets_all_it_could_not_take() {
    let home = roomy();
    let engine = home.start().await;
    block(&home, "history.journal");
    skip(s(60)).await;
    for _ in 0..3 {
        all(&engine, 4, &get(Deezer, "/track/1")).await;
        tokio::time::sleep(ms(1_100)).await;
    }
    home.provider.now(|_| Reply::new(403, ""));
    refused(engine.call(get(Itunes, "/search?term=a")).await);
    assert!(engine.storage_failing().is_some());
    std::fs::remove_dir_all(home.path("history.journal")).unwrap();
    tokio::time::sleep(ms(1_100)).await;
    assert_eq!(engine.storage_failing(), None);
    kill(engine).await;
    let engine = home.start().await;
    assert_eq!((total(&engine, Deezer), total(&engine, Itunes)), (12, 1));
    assert_eq!(events(&engine, EventKind::Ban).len(), 1);
    assert!(engine.rates().services[&Itunes].ban.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_cannot_be_written_costs_nothing_that_is_in_the_journal() {
    let home = roomy();
    let engine = home.start().await;
    all(&engine, 5, &get(Deezer, "/search?q=a")).await;
    skip(s(61)).await;
    let kept = home.read("history.json");
    block(&home, "history.json");
    all(&engine, 3, &get(Deezer, "/track/1")).await;
    for _ in 0..5 {
        skip(s(60)).await;
    }
    assert!(engine.storage_failing().is_some(), "it does not call itself well while snapshots fail");
    assert_eq!(events(&engine, EventKind::StorageFailing).len(), 1, "and does not say so every minute");
    kill(engine).await;
    std::fs::remove_dir_all(home.path("history.json")).unwrap();
    home.write("history.json", kept.as_bytes());
    assert_eq!(total(&home.start().await, Deezer), 8);
}

/// The older monitor's file: 2 h ago 10 calls in all, 7 of them of a named endpoint; one call too old.
fn older(minute: impl Fn(i64) -> i64) -> String {
    let ago = |seconds: i64| minute(START.seconds() - seconds);
    json!({
        "ts": START.seconds(),
        "history": {
            "spotify": [[ago(7_200), 10], [ago(7_140), 2], [ago(100_000), 1]],
            "spotify:search": [[ago(7_200), 4]],
            "spotify:me": [[ago(7_200), 3]],
            "spotify:no_such_endpoint": [[ago(7_140), 2]],
            "napster": [[ago(7_200), 9]]
        },
        "events": [{"ts": START.seconds() - 7_000, "service": "spotify", "message": "429 for 30 min"}, {"shape": "unknown"}]
    })
    .to_string()
}

#[tokio::test(start_paused = true)]
async fn the_older_monitors_history_is_taken_in_once_in_both_its_forms() {
    for (form, file) in [("seconds", older(|s| s)), ("minutes", older(|s| s / 60))] {
        let home = roomy();
        let engine = home.start().await;
        all(&engine, 2, &get(Spotify, "/v1/me")).await;
        let imported = engine.import_history(file.clone()).await.unwrap();
        assert_eq!((imported.calls, imported.out_of_range, imported.events), (12, 1, 1), "{form}");
        assert_eq!(imported.unknown, ["napster"], "{form}");
        let expected = [(START.seconds() - 7_200, 10), (START.seconds() - 7_140, 2), (START.seconds(), 2)];
        assert_eq!(minutes(&engine, Spotify), expected, "{form}");
        assert_eq!(cpm(&engine, Spotify), 2, "{form}: the rolling minute is ours alone");
        let endpoints: Vec<_> = engine
            .meter()
            .day(Spotify)
            .endpoints
            .into_iter()
            .map(|(name, n)| (name, n.iter().sum::<u32>()))
            .collect();
        assert_eq!(
            endpoints,
            [("me", 5), ("other", 5), ("search", 4)],
            "{form}: what no endpoint explains is `other`"
        );
        let events = engine.meter().events();
        let again = engine.import_history(file.clone()).await.unwrap();
        assert_eq!((again.minutes, again.events), (0, 0), "{form}");
        assert_eq!(
            (minutes(&engine, Spotify).as_slice(), engine.meter().events()),
            (expected.as_slice(), events),
            "{form}: twice changes nothing"
        );
        kill(engine).await;
        assert_eq!(
            minutes(&home.start().await, Spotify),
            expected,
            "{form}: and is on disk when it is said to be taken in"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_history_is_not_taken_in() {
    let home = roomy();
    let engine = home.start().await;
    for text in
        ["", "[]", "{}", "<html>", r#"{"history":{"spotify":5}}"#, r#"{"history":{"spotify":[[1,"a"]]}}"#]
    {
        let error = engine.import_history(text.to_owned()).await.unwrap_err();
        assert!(error.message.contains("not the history of a monitor"), "{text}: {}", error.message);
    }
    assert_eq!(engine.meter().events(), []);
    let odd: Value = json!({"history": {"deezer": [[START.seconds(), -5], [1e30, 3], [-1e30, 3], [START.seconds() + 600, 3]]}});
    engine.import_history(odd.to_string()).await.unwrap();
    assert_eq!(total(&engine, Deezer), 0, "nothing from the future, nothing negative");
}
