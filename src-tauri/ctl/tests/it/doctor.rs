//! `doctor` names what is wrong, and changes nothing.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Place, code, ctl, write};

/// The exit code, and the names of the checks that failed.
fn faults(dir: &Path) -> (i32, Vec<String>) {
    let output = ctl(dir, &["doctor", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let checks = report["checks"].as_array().expect("checks");
    let shaped = |check: &Value| check["detail"].is_string() && check["ok"].is_boolean();
    assert!(checks.len() > 8 && checks.iter().all(shaped), "{report}");
    let failed = checks.iter().filter(|check| check["ok"] == false);
    let names: Vec<_> = failed.filter_map(|check| Some(check["name"].as_str()?.to_owned())).collect();
    assert_eq!(report["ok"], names.is_empty(), "{report}");
    (code(&output), names)
}

fn one(name: &str) -> (i32, Vec<String>) {
    (1, vec![name.to_owned()])
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_files_are_named_and_stay_as_they_are() {
    let place = Place::new().await;
    let dir = place.dir.path();
    assert_eq!(code(&place.ctl(&["get", "deezer", "/infos"])), 0, "there is something to check");
    assert_eq!(faults(dir), (0, vec![]));
    let settings = fs::read(dir.join("settings.json")).expect("they are there");
    let no_database =
        "no database at all, but as long as the head of one, which has a hundred bytes".repeat(2);
    for (file, text, name) in [
        ("settings.json", r#"{"gateway":{"port":-1}}"#, "settings"),
        ("history.json", "{", "history"),
        ("vault.json", "[", "vault"),
        ("library.db", &no_database, "library"),
        ("cache.db", &no_database, "cache"),
    ] {
        let path = dir.join(file);
        let before = fs::read(&path).ok();
        // Beside a database that is replaced as a whole nothing of the old one may lie.
        for rest in ["library.db-wal", "library.db-shm", "cache.db-wal", "cache.db-shm"] {
            let _ = fs::remove_file(dir.join(rest));
        }
        headroom_engine::disk::write_atomically(
            &path,
            text.as_bytes(),
            headroom_engine::disk::Readers::Owner,
        )
        .expect("the file is written");
        assert_eq!(faults(dir), one(name), "{file}");
        assert_eq!(fs::read_to_string(&path).expect("it is still there"), text);
        match before {
            Some(before) => write(&path, &String::from_utf8_lossy(&before)),
            None => fs::remove_file(&path).expect("it is removed"),
        }
        if file.ends_with(".db") {
            fs::remove_file(&path).expect("it is removed");
        }
    }
    assert_eq!(fs::read(dir.join("settings.json")).expect("they are there"), settings);
    assert_eq!(faults(dir), (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_cannot_be_used_and_a_port_that_is_taken_are_named() {
    let place = Place::new().await;
    let file = place.dir.path().join("a file");
    write(&file, "");
    assert_eq!(faults(&file).0, 1);
    assert!(faults(&file).1.contains(&"data directory".to_owned()));
    // Nobody can make a folder there, whoever they are.
    #[cfg(target_os = "linux")]
    assert!(faults(Path::new("/proc/headroom")).1.contains(&"data directory".to_owned()));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its number").port();
    write(&place.dir.path().join("settings.json"), &json!({ "gateway": { "port": port } }).to_string());
    assert_eq!(faults(place.dir.path()), one("port"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_others_could_change_or_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new().await;
    let dir = place.dir.path();
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
    mode(dir, 0o777);
    assert_eq!(faults(dir), one("data directory"));
    mode(dir, 0o755);
    assert_eq!(faults(dir), (0, vec![]), "a look does no harm: secrets have a mode of their own");
    mode(dir, 0o700);
    write(&dir.join("vault.json"), "{}");
    mode(&dir.join("vault.json"), 0o644);
    assert_eq!(faults(dir), one("secret files"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_has_ended_is_a_fault_and_one_that_ends_soon_is_a_word() {
    let place = Place::new().await;
    let now = headroom_engine::clock::Clock::system().wall().seconds();
    let day = 86_400;
    let signed_in = |consent_at: i64, ended: bool| {
        let account =
            json!({ "id": "anna", "name": "Anna", "consent_at": consent_at, "active": true, "ended": ended });
        let vault = json!({ "keys": [], "accounts": { "spotify": [account] } }).to_string();
        let path = place.dir.path().join("vault.json");
        headroom_engine::disk::write_atomically(
            &path,
            vault.as_bytes(),
            headroom_engine::disk::Readers::Owner,
        )
        .expect("the file is written");
        let output = place.ctl(&["doctor", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
        let check = report["checks"].as_array().into_iter().flatten().find(|c| c["name"] == "sign-ins");
        let check = check.expect("it is checked").clone();
        (code(&output), check["detail"].as_str().expect("words").to_owned())
    };
    assert_eq!(signed_in(now, false), (0, "spotify as Anna".to_owned()));
    let (exit, words) = signed_in(now - 175 * day - 3_600, false);
    assert!(exit == 0 && words.contains("consent ends in 6 d"), "{words}");
    for (consent_at, ended) in [(now, true), (now - 200 * day, false)] {
        let (exit, words) = signed_in(consent_at, ended);
        assert!(exit == 1 && words.contains("headroomctl login spotify"), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn online_asks_each_service_that_has_what_it_needs_once() {
    let place = Place::new().await;
    let every = ["genius", "lastfm", "audiodb", "qobuz", "tidal", "spotify"];
    let open = ["deezer", "itunes", "musicbrainz", "discogs", "listenbrainz", "odesli"];
    let services: serde_json::Map<String, Value> = every
        .iter()
        .chain(&open)
        .map(|id| ((*id).to_owned(), json!({ "base_url": place.simulator.base_url(id) })))
        .collect();
    let mut settings = json!({ "services": services, "gateway": { "port": 0 } });
    settings["services"]["tidal"]["accounts_url"] = json!(place.simulator.accounts_url("tidal"));
    write(&place.dir.path().join("settings.json"), &settings.to_string());
    let secrets = json!({ "kind": "file", "keys": [],
        "names": ["genius", "lastfm", "audiodb", "qobuz.app_id", "qobuz.token", "tidal.client_id", "tidal.client_secret"],
        "secrets": { "genius": "test-genius-token", "lastfm": "test-lastfm-key", "audiodb": "test-audiodb-key",
            "qobuz.app_id": "test-qobuz-app", "qobuz.token": "test-qobuz-token",
            "tidal.client_id": "test-tidal-id", "tidal.client_secret": "test-tidal-secret" } });
    headroom_engine::disk::write_atomically(
        &place.dir.path().join("vault.json"),
        secrets.to_string().as_bytes(),
        headroom_engine::disk::Readers::Owner,
    )
    .expect("the vault is written");
    let output = place.ctl(&["doctor", "--online", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    assert_eq!((code(&output), &report["ok"]), (0, &json!(true)), "{report}");
    for id in open.iter().chain(&every[..5]) {
        assert_eq!(place.simulator.count(id).arrived, 1, "{id}");
        let name = format!("{id} online");
        assert!(report["checks"].as_array().into_iter().flatten().any(|c| c["name"] == *name), "{name}");
    }
    assert_eq!(place.simulator.count("spotify").arrived, 0, "nobody is signed in there");
    place.simulator.set("deezer", json!({ "fault": { "kind": "status", "status": 500 } })).expect("a switch");
    let output = place.ctl(&["doctor", "--online"]);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let fault = shown.lines().find(|line| line.starts_with("FAULT")).unwrap_or_default();
    assert!(code(&output) == 1 && fault.contains("deezer online"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn online_with_settings_that_do_not_start_an_engine_still_reports() {
    let place = Place::new().await;
    write(&place.dir.path().join("settings.json"), r#"{"gateway":{"port":-1}}"#);
    let output = place.ctl(&["doctor", "--online", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let failed: Vec<_> =
        report["checks"].as_array().into_iter().flatten().filter(|c| c["ok"] == false).collect();
    assert_eq!((code(&output), failed.len()), (1, 2), "{report}");
    assert!(failed.iter().all(|check| check["detail"].as_str().is_some_and(|d| d.contains("gateway.port"))));
}
