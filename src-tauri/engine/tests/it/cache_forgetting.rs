//! What is forgotten stays forgotten; what the disk does to the cache.

use headroom_engine::Engine;
use headroom_engine::cache::{Forget, Forgotten, LibraryEvent};
use headroom_engine::call::{Answer, Origin};
use headroom_engine::contract::Contract;
use headroom_engine::service::ServiceId::{self, Deezer, Lastfm, Musicbrainz};
use serde_json::{Value, json};

use crate::provider::{Reply, Scripted, Seen};
use crate::support::{Home, ask, files, ms, s};

const ALBUM: &str = "/album/302127";
const TRACKS: &str = "/album/302127/tracks";
const SEARCH: &str = "/search?q=get+lucky";
const OTHER: &str = "/album/7";
const LASTFM: &str = "/2.0/?method=album.getinfo&artist=DAFT+PUNK&album=Discovery";

/// A little of Deezer, Last.fm and MusicBrainz.
fn world(seen: &Seen) -> Reply {
    let artist = json!({"id": 27, "name": "Daft Punk", "type": "artist"});
    let track = |title: &str| json!({"id": title.len(), "title": title, "artist": artist, "type": "track"});
    let answer = match seen.target() {
        ALBUM => json!({"id": 302_127, "title": "Discovery", "artist": artist, "type": "album"}),
        TRACKS => json!({"data": [track("One More Time")]}),
        SEARCH => {
            let mut track = track("Get Lucky");
            track["album"] = json!({"id": 9, "title": "Random Access Memories", "type": "album"});
            json!({"data": [track]})
        }
        OTHER => json!({"id": 7, "title": "Homework", "artist": artist, "type": "album"}),
        target if target.starts_with("/2.0/") => json!({"error": 6, "message": "Album not found"}),
        _ => json!({"id": "r", "title": "One More Time", "artist-credit": [{"name": "Daft Punk"}]}),
    };
    Reply::new(200, answer.to_string())
}

const ALL: [(ServiceId, &str); 6] = [
    (Deezer, ALBUM),
    (Deezer, TRACKS),
    (Deezer, SEARCH),
    (Deezer, OTHER),
    (Lastfm, LASTFM),
    (Musicbrainz, "/ws/2/recording/r"),
];

async fn filled() -> (Home<Scripted>, Engine) {
    let home = Home::roomy(Scripted::new(world), &[]);
    let engine = home.start().await;
    for (service, path) in ALL {
        engine.call(ask(service, path)).await.unwrap();
    }
    (home, engine)
}

async fn is_kept(engine: &Engine, service: ServiceId, path: &str) -> bool {
    let answer: Answer = engine.call(ask(service, path)).await.unwrap();
    answer.origin != Origin::Service
}

/// What is gone of [`ALL`] after `act`; what was gone is fetched again by looking.
async fn gone(engine: &Engine) -> Vec<&'static str> {
    let mut gone = Vec::new();
    for (service, path) in ALL {
        if !is_kept(engine, service, path).await {
            gone.push(path);
        }
    }
    gone
}

#[tokio::test(start_paused = true)]
async fn an_album_is_forgotten_at_all_services_with_its_list_of_tracks_and_what_was_not_found() {
    let (_home, engine) = filled().await;
    let album = Forget::Album { artist: " daft PUNK".into(), album: "discovery ".into() };
    let forgotten = engine.forget(album).await.unwrap();
    assert_eq!(forgotten.entries, 3);
    assert_eq!(gone(&engine).await, [ALBUM, TRACKS, LASTFM]);
}

#[tokio::test(start_paused = true)]
async fn each_scope_forgets_what_it_says_and_nothing_else() {
    let recording = "/ws/2/recording/r";
    for (what, expected) in [
        (json!({"scope": "track", "artist": "Daft Punk", "title": "One More Time"}), vec![TRACKS, recording]),
        (json!({"scope": "service", "service": "deezer"}), vec![ALBUM, TRACKS, SEARCH, OTHER]),
        (json!({"scope": "artist", "artist": "Daft Punk"}), ALL.map(|(_, path)| path).to_vec()),
        (json!({"scope": "not_found"}), vec![LASTFM]),
        (json!({"scope": "all"}), ALL.map(|(_, path)| path).to_vec()),
        (json!({"scope": "album", "artist": "Daft", "album": "Punk Discovery"}), vec![]),
    ] {
        let (_home, engine) = filled().await;
        let scope: Forget = serde_json::from_value(what.clone()).unwrap();
        let forgotten = engine.forget(scope).await.unwrap();
        assert_eq!(forgotten.entries, expected.len() as u64, "{what}");
        let mut gone = gone(&engine).await;
        let mut expected = expected;
        gone.sort_unstable();
        expected.sort_unstable();
        assert_eq!(gone, expected, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_key_is_forgotten_and_brought_back_within_a_minute() {
    let (_home, engine) = filled().await;
    let page = engine.cache_entries("lucky".into(), None, None).await.unwrap();
    assert_eq!(page.entries.len(), 1);
    assert_eq!(page.entries[0].question, "GET /search?q=get lucky");
    let key = page.entries[0].key.clone();
    let Forgotten { entries, undo } = engine.forget(Forget::Key { key: key.clone() }).await.unwrap();
    assert_eq!((entries, engine.cache_stats().entries), (1, 5));
    let back = engine.undo_forget(undo.unwrap()).await.unwrap();
    assert_eq!((back.entries, engine.cache_stats().entries), (1, 6));
    assert!(is_kept(&engine, Deezer, SEARCH).await);

    let Forgotten { undo, .. } = engine.forget(Forget::Key { key }).await.unwrap();
    tokio::time::sleep(s(125)).await;
    assert_eq!(engine.undo_forget(undo.unwrap()).await.unwrap().entries, 0, "gone for good");
    assert!(engine.forget(Forget::Key { key: "no key".into() }).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_while_its_call_is_out_is_not_kept() {
    for (what, keeps) in [
        (json!({"scope": "album", "artist": "Daft Punk", "album": "Discovery"}), false),
        (json!({"scope": "all"}), false),
        (json!({"scope": "service", "service": "deezer"}), false),
        (json!({"scope": "album", "artist": "Daft Punk", "album": "Homework"}), true),
        (json!({"scope": "service", "service": "itunes"}), true),
    ] {
        let home = Home::roomy(Scripted::new(|seen| world(seen).after(ms(500))), &[]);
        let engine = home.start().await;
        let call = {
            let engine = engine.clone();
            tokio::spawn(async move { engine.call(ask(Deezer, ALBUM)).await })
        };
        tokio::time::sleep(ms(100)).await;
        engine.forget(serde_json::from_value(what.clone()).unwrap()).await.unwrap();
        call.await.unwrap().unwrap();
        assert_eq!(is_kept(&engine, Deezer, ALBUM).await, keeps, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_track_drops_its_old_album_and_its_new_one() {
    let (_home, engine) = filled().await;
    let event = |json: Value| serde_json::from_value::<LibraryEvent>(json).unwrap();
    let changed = event(json!({
        "type": "track_modified", "artist": "Daft Punk", "title": "Aerodynamic", "album": "Homework",
        "old": {"album": "Discovery"}
    }));
    assert_eq!(engine.library_event(&changed).await.unwrap().entries, 4);
    let mut gone = gone(&engine).await;
    gone.sort_unstable();
    assert_eq!(gone, [LASTFM, ALBUM, TRACKS, OTHER]);
    assert!(engine.library_event(&event(json!({"type": "track_removed", "title": "x"}))).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn c5_the_size_is_kept_and_the_least_used_goes_first() {
    let noise = |seed: usize| -> String {
        // Nothing zstd could make small.
        let mut state = seed as u64 + 1;
        let letter = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
        };
        (0..40_000).map(letter).collect()
    };
    let home = Home::roomy(Scripted::new(|_| Reply::ok()), &[]);
    let mut settings: Value = serde_json::from_str(&home.read("settings.json")).unwrap();
    settings["cache"] = json!({"max_mb": 1});
    home.settings(&settings);
    let engine = home.start().await;
    for n in 0..100 {
        let text = noise(n);
        home.provider.now(move |_| Reply::new(200, json!({ "text": text }).to_string()));
        engine.call(ask(Deezer, &format!("/album/{n}"))).await.unwrap();
        tokio::time::sleep(s(61)).await;
        // One is asked for again and again.
        engine.call(ask(Deezer, "/album/0")).await.unwrap();
    }
    engine.cache_entries(String::new(), None, None).await.unwrap();
    let stats = engine.cache_stats();
    assert!(stats.bytes <= 1 << 20 && stats.entries < 60 && stats.evicted > 40, "{stats:?}");
    engine.stop().await;
    let size = std::fs::metadata(home.path("cache.db")).unwrap().len();
    assert!(size < (1 << 20) + (1 << 18), "{size} bytes");
    drop(engine);
    let engine = home.start().await;
    assert!(is_kept(&engine, Deezer, "/album/0").await && is_kept(&engine, Deezer, "/album/99").await);
    assert!(!is_kept(&engine, Deezer, "/album/1").await);
}

#[tokio::test(start_paused = true)]
async fn what_is_of_no_use_even_in_a_ban_is_removed() {
    let (_home, engine) = filled().await;
    tokio::time::sleep(s(60)).await;
    tokio::time::advance(s(31 * 86_400)).await;
    tokio::time::sleep(s(62)).await;
    engine.cache_entries(String::new(), None, None).await.unwrap();
    let stats = engine.cache_stats();
    assert_eq!((stats.entries, stats.expired_removed), (2, 4), "lists and recordings stay until forgotten");
}

#[tokio::test(start_paused = true)]
async fn a_damaged_file_is_set_aside_and_begun_anew() {
    let (home, engine) = filled().await;
    engine.stop().await;
    drop(engine);
    home.write("cache.db", &b"no database, but long enough to look like one".repeat(100));
    let engine = home.start().await;
    assert!(!is_kept(&engine, Deezer, ALBUM).await && is_kept(&engine, Deezer, ALBUM).await);
    let stats = engine.cache_stats();
    assert!(stats.persistent && stats.trouble.unwrap().contains("begun anew"));
    assert!(files(home.dir.path()).iter().any(|name| name.starts_with("cache.db.damaged-")));
}

#[tokio::test(start_paused = true)]
async fn a_file_damaged_under_way_is_begun_anew_and_answers_go_on() {
    let (home, engine) = filled().await;
    engine.cache_entries(String::new(), None, None).await.unwrap();
    {
        use std::io::{Seek, SeekFrom, Write};
        for name in ["cache.db", "cache.db-wal"] {
            let mut file = std::fs::OpenOptions::new().write(true).open(home.path(name)).unwrap();
            let length = file.metadata().unwrap().len();
            file.seek(SeekFrom::Start(0)).unwrap();
            file.write_all(&vec![0xAB; usize::try_from(length).unwrap()]).unwrap();
        }
    }
    for n in 0..200 {
        engine.call(ask(Deezer, &format!("/artist/{n}"))).await.unwrap();
        engine.call(ask(Deezer, ALBUM)).await.unwrap();
    }
    engine.forget(Forget::Service { service: Deezer }).await.ok();
    assert!(!is_kept(&engine, Deezer, "/artist/3").await, "forgotten is forgotten");
    assert!(is_kept(&engine, Deezer, "/artist/3").await);
    engine.stop().await;
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn without_a_file_it_goes_on_in_memory_and_says_so() {
    let home = Home::roomy(Scripted::new(world), &[]);
    // A folder in its place, that cannot be moved away into another.
    std::fs::create_dir(home.path("cache.db")).unwrap();
    std::fs::create_dir(home.path("cache.db-wal")).unwrap();
    let stamp = headroom_engine::clock::Wall::to_file_stamp(crate::support::START);
    std::fs::create_dir_all(home.path(&format!("cache.db.damaged-{stamp}")).join("full")).unwrap();
    let engine = home.start().await;
    assert!(!is_kept(&engine, Deezer, ALBUM).await && is_kept(&engine, Deezer, ALBUM).await);
    let stats = engine.cache_stats();
    assert!(!stats.persistent && stats.path.is_none(), "{stats:?}");
    assert!(stats.trouble.unwrap().contains("memory only"));
    let status = Contract::status(&engine).await.unwrap();
    assert_eq!(status.notices.len(), 1, "{:?}", status.notices);
    engine.forget(Forget::Album { artist: "Daft Punk".into(), album: "Discovery".into() }).await.unwrap();
    assert!(!is_kept(&engine, Deezer, ALBUM).await);
    engine.stop().await;
}

#[tokio::test(start_paused = true)]
async fn kept_answers_are_listed_fifty_at_a_time_last_used_first() {
    let home = Home::roomy(Scripted::well(ms(0)), &[]);
    let engine = home.start().await;
    for n in 0..120 {
        engine.call(ask(Deezer, &format!("/album/{n}"))).await.unwrap();
        tokio::time::advance(ms(5)).await;
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = engine.cache_entries("album".into(), Some(Deezer), after).await.unwrap();
        seen.extend(page.entries.into_iter().map(|entry| entry.question));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..120).rev().map(|n| format!("GET /album/{n}")).collect();
    assert_eq!(seen, expected);
    assert!(engine.cache_entries(String::new(), None, Some("nonsense".into())).await.is_err());
    assert!(engine.cache_entries("%".into(), None, None).await.unwrap().entries.is_empty(), "no wildcard");
}
