//! Commands whose answers the engine does not give yet, against an engine that is made up: what they ask,
//! and how they show what comes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{code, ctl, err, json_of, out, write};

/// An engine's control API with answers by route; what was asked is kept.
struct Stub {
    dir: tempfile::TempDir,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Stub {
    fn new(answers: &[(&'static str, Value)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let dir = tempfile::tempdir().expect("a directory");
        let port = listener.local_addr().expect("its number").port();
        let runtime = json!({ "pid": std::process::id(), "port": port, "key": "test-control-key" });
        write(&dir.path().join("runtime.json"), &runtime.to_string());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut answers = answers.to_vec();
        answers.push(("/api/call/status", json!({})));
        let seen = Arc::clone(&asked);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, seen) = (answers.clone(), Arc::clone(&seen));
                std::thread::spawn(move || while answer(&stream, &answers, &seen).is_some() {});
            }
        });
        Self { dir, asked }
    }

    /// What came to a route, last.
    fn last(&self, route: &str) -> Value {
        let asked = self.asked.lock().expect("nothing panicked");
        asked.iter().rev().find(|(path, _)| path == route).map(|(_, body)| body.clone()).unwrap_or_default()
    }
}

fn answer(
    mut stream: &TcpStream,
    answers: &[(&'static str, Value)],
    seen: &Mutex<Vec<(String, Value)>>,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length, mut key) = (String::new(), 0, false);
    reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        match line.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(("x-headroom-key", value)) => key = value == "test-control-key",
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    let found = answers.iter().find(|(route, _)| *route == path);
    let (status, text) = match found {
        Some((_, answer)) if key => ("200 OK", answer.to_string()),
        _ => ("404 Not Found", json!({ "error": { "message": "There is no such route" } }).to_string()),
    };
    seen.lock().ok()?.push((path, serde_json::from_slice(&body).unwrap_or_default()));
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{text}", text.len()).ok()
}

#[test]
fn cache_forget_names_what_is_to_be_forgotten() {
    let stub = Stub::new(&[("/api/call/forget", json!({ "entries": 3, "undo": 7 }))]);
    for (args, what) in [
        (&["key", "abc"][..], json!({ "scope": "key", "key": "abc" })),
        (&["track", "Cher", "Believe"], json!({ "scope": "track", "artist": "Cher", "title": "Believe" })),
        (&["album", "Cher", "Believe"], json!({ "scope": "album", "artist": "Cher", "album": "Believe" })),
        (&["artist", "Cher"], json!({ "scope": "artist", "artist": "Cher" })),
        (&["service", "deezer"], json!({ "scope": "service", "service": "deezer" })),
    ] {
        let done = ctl(stub.dir.path(), &[&["cache", "forget"], args].concat());
        assert_eq!((code(&done), out(&done)), (0, "3 answers are forgotten\n".to_owned()), "{}", err(&done));
        assert_eq!(stub.last("/api/call/forget"), json!({ "what": what }));
    }
    for (args, what) in [
        (&["--yes"][..], json!({ "scope": "all" })),
        (&["--yes", "--service", "itunes"], json!({ "scope": "service", "service": "itunes" })),
    ] {
        let done = ctl(stub.dir.path(), &[&["cache", "clear", "--json"], args].concat());
        assert_eq!(json_of(&done)["undo"], 7);
        assert_eq!(stub.last("/api/call/forget"), json!({ "what": what }));
    }
    let before = stub.asked.lock().expect("nothing panicked").len();
    let unasked = ctl(stub.dir.path(), &["cache", "clear"]);
    assert_eq!((code(&unasked), err(&unasked).contains("--yes")), (2, true), "{}", err(&unasked));
    assert_eq!(stub.asked.lock().expect("nothing panicked").len(), before, "nothing was asked for");
}

#[test]
fn cache_stats_are_shown_by_service() {
    let answers = json!({ "memory": 5, "disk": 2, "shared": 1, "stale": 4, "not_found": 1, "misses": 9 });
    let stats = json!({
        "entries": 1_200, "found": 1_000, "not_found": 200, "bytes": 1_048_576, "raw_bytes": 4_194_304,
        "compression_ratio": 4.0, "memory_entries": 300, "memory_bytes": 524_288, "max_bytes": 268_435_456,
        "hits": 8, "misses": 9, "stale": 4, "hit_rate_percent": 47.06, "saved_24h": 77,
        "path": "/data/cache.db", "persistent": true, "trouble": null, "forgetting": null,
        "shared": { "address": "redis://cache:6379/0", "connected": false, "trouble": "refused", "machines": null },
        "by_service": { "deezer": { "entries": 7, "found": 6, "not_found": 1, "bytes": 2_048, "raw_bytes": 9_000,
            "answers": answers, "saved_24h": 12 } },
    });
    let stub = Stub::new(&[("/api/call/cache_stats", stats.clone())]);
    assert_eq!(json_of(&ctl(stub.dir.path(), &["cache", "stats", "--json"])), stats);
    let shown = out(&ctl(stub.dir.path(), &["cache", "stats"]));
    for words in [
        "1200 answers (1000 found, 200 not found), 1.0 MiB of at most 256.0 MiB in /data/cache.db",
        "Compressed 4.0 times",
        "8 hits (47.1 %), 9 misses, 4 stale; in 24 h 77 calls saved",
        "redis://cache:6379/0: refused",
    ] {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
    let row: Vec<_> = shown.lines().last().unwrap_or_default().split_whitespace().collect();
    assert_eq!(row, ["deezer", "7", "1", "2.0", "KiB", "8", "4", "9", "12"]);
}

#[test]
fn open_prints_the_link_where_no_browser_can_show_itself() {
    let url = "http://127.0.0.1:8765/session/once";
    let stub = Stub::new(&[("/api/session", json!({ "url": url }))]);
    for args in [&["open"][..], &["open", "--print"]] {
        assert_eq!(out(&ctl(stub.dir.path(), args)), format!("{url}\n"), "stdout is no terminal");
    }
    assert_eq!(json_of(&ctl(stub.dir.path(), &["open", "--json"]))["url"], url);
    let older = Stub::new(&[]);
    let refused = ctl(older.dir.path(), &["open"]);
    assert_eq!((code(&refused), err(&refused).contains("older")), (1, true), "{}", err(&refused));
    let nowhere = tempfile::tempdir().expect("a directory");
    assert_eq!(code(&ctl(nowhere.path(), &["open"])), 3);
}
