//! What each command does, with an engine and without.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Place, browser, code, err, json_of, number, out, program, write};

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_tell_what_happened() {
    let place = Place::new().await;
    assert_eq!(code(&place.ctl(&["status"])), 3, "no engine runs");
    assert_eq!(code(&place.ctl(&["get", "spofity", "/x"])), 2, "no such service");
    assert_eq!(code(&place.ctl(&["get", "deezer"])), 2, "no path");
    let signed_out = place.ctl(&["get", "spotify", "/v1/me"]);
    assert_eq!(
        (code(&signed_out), err(&signed_out).contains("Sign in to Spotify")),
        (1, true),
        "{}",
        err(&signed_out)
    );
    place.simulator.set("deezer", json!({ "refuse": { "times": 1 } })).expect("the switch is known");
    assert_eq!(code(&place.ctl(&["get", "deezer", "/infos"])), 4, "refused just now");
    let banned = place.ctl(&["get", "deezer", "/infos"]);
    assert_eq!(code(&banned), 4, "the ban outlives the engine that met it");
    assert!(err(&banned).contains("nothing is sent before 20"), "{}", err(&banned));
    assert_eq!(place.simulator.count("deezer").arrived, 1);
    let _serving = place.serve();
    place.simulator.set("itunes", json!({ "refuse": { "status": 429, "times": 1 } })).expect("a switch");
    for which in ["refused just now, by an engine that runs", "and held back by it"] {
        let refused = place.ctl(&["get", "itunes", "/search?term=a"]);
        let says_when = err(&refused).contains("nothing is sent before 20") && err(&refused).contains(" UTC");
        assert_eq!((code(&refused), says_when), (4, true), "{which}: {}", err(&refused));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_has_its_shape_and_its_table_no_colours_where_nobody_looks() {
    let place = Place::new().await;
    let serving = place.serve();
    let status = json_of(&place.ctl(&["--json", "status"]));
    assert_eq!(status.get("pid"), Some(&json!(serving.child.id())));
    for (path, least) in [("/uptime_s", 0), ("/memory_bytes", 1_000_000), ("/services/odesli/limit", 1)] {
        assert!(number(&status, path) >= least, "{path}");
    }
    assert!(status.get("cpu_percent").is_some_and(Value::is_number), "{status}");
    assert_eq!(status.get("services").and_then(Value::as_object).map(serde_json::Map::len), Some(12));
    let shown = out(&place.ctl(&["status"]));
    assert!(shown.contains("fullest window") && !shown.contains('\u{1b}'), "{shown}");
}

/// The reader of `| head` is gone before the first line.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_seen_enough_is_no_error() {
    let place = Place::new().await;
    for args in [&["completions", "zsh"][..], &["history", "export"], &["doctor"], &["debug"]] {
        let mut child = program(place.dir.path())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("it ends");
        assert_eq!((code(&ended), err(&ended)), (0, String::new()), "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_on_the_same_files_at_once_wait_for_each_other() {
    let place = Place::new().await;
    let commands = (0..6).map(|_| {
        let mut command = program(place.dir.path());
        command.args(["get", "deezer", "/infos"]).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("it starts")
    });
    for command in commands.collect::<Vec<_>>() {
        let ended = command.wait_with_output().expect("it ends");
        assert_eq!(code(&ended), 0, "{}", err(&ended));
    }
    let day = json_of(&place.ctl(&["history", "show", "deezer", "--json"]));
    let counted: u64 = day["history"].as_array().into_iter().flatten().filter_map(|m| m[1].as_u64()).sum();
    assert_eq!(counted, 6, "{day}");
}

#[tokio::test(flavor = "multi_thread")]
async fn get_prints_the_body_as_it_came_with_an_engine_and_without() {
    let place = Place::new().await;
    let alone = place.ctl(&["get", "deezer", "search", "-q", "q=the parade", "-q", "limit=2"]);
    assert!(json_of(&alone).get("data").is_some(), "{}", out(&alone));
    let serving = place.serve();
    let kept = place.ctl(&["get", "deezer", "/search", "-q", "limit=2", "-q", "q=The Parade"]);
    assert_eq!(out(&kept), out(&alone), "the same question, though another engine asked it");
    assert_eq!(place.simulator.count("deezer").arrived, 1);
    let through = place.ctl(&["get", "deezer", "/search", "-q", "q=the parade", "-q", "limit=2", "--fresh"]);
    assert_eq!(out(&through), out(&alone), "byte for byte");
    assert_eq!(place.simulator.count("deezer").arrived, 2);
    let status = json_of(&place.ctl(&["status", "--json"]));
    assert_eq!(status.pointer("/services/deezer/cpm"), Some(&json!(2)), "both are counted");
    assert_eq!(status.get("pid"), Some(&json!(serving.child.id())));
    assert!(status.get("memory_bytes").and_then(Value::as_u64).unwrap_or(0) > 1_000_000, "{status}");
    assert!(
        status.get("address").and_then(Value::as_str).is_some_and(|a| a.starts_with("http://127.0.0.1:"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_engine_a_directory_and_a_port_that_is_taken_names_its_setting() {
    let place = Place::new().await;
    let serving = place.serve();
    let second = place.ctl(&["serve"]);
    let words = format!("(headroomctl serve, pid {}) already runs on", serving.child.id());
    assert_eq!((code(&second), err(&second).contains(&words)), (1, true), "{}", err(&second));
    assert!(err(&second).contains("--take-over"), "{}", err(&second));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its number").port().to_string();
    let other = Place::new().await;
    let refused = other.ctl(&["serve", "--port", &port]);
    assert_eq!((code(&refused), err(&refused).contains("gateway.port")), (1, true), "{}", err(&refused));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_it_cleanly_and_nothing_is_lost() {
    let place = Place::new().await;
    let mut serving = place.serve();
    assert_eq!(code(&place.ctl(&["get", "deezer", "/infos"])), 0);
    let pid = serving.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    assert!(serving.child.wait().expect("it ends").success());
    let mut rest = String::new();
    serving.out.read_to_string(&mut rest).expect("its last words");
    assert!(rest.contains("Stopping"), "{rest}");
    assert!(!place.dir.path().join("runtime.json").exists());
    let day = json_of(&place.ctl(&["history", "show", "deezer", "--json"]));
    assert_eq!(day.pointer("/history/0/1"), Some(&json!(1)), "{day}");
}

#[tokio::test(flavor = "multi_thread")]
async fn history_goes_out_and_comes_in_again_once() {
    let place = Place::new().await;
    assert_eq!(code(&place.ctl(&["get", "deezer", "/infos"])), 0);
    assert_eq!(
        code(&place.ctl(&["get", "musicbrainz", "/ws/2/artist/x"])),
        1,
        "not found is a failure of get"
    );
    let exported = place.ctl(&["history", "export"]);
    let history = json_of(&exported);
    assert!(history.pointer("/history/deezer:infos").is_some(), "{history}");
    let other = Place::new().await;
    let file = other.dir.path().join("export.json");
    write(&file, &out(&exported));
    let path = file.to_string_lossy().into_owned();
    let import = || json_of(&other.ctl(&["history", "import", &path, "--json"]));
    assert_eq!(import().get("calls"), Some(&json!(2)));
    assert_eq!(import().get("minutes"), Some(&json!(0)), "the second time nothing is new");
    let day = json_of(&other.ctl(&["history", "show", "deezer", "--json"]));
    assert_eq!(day.pointer("/history/0/1"), Some(&json!(1)));
    write(&file, "[]");
    assert_eq!(code(&other.ctl(&["history", "import", &path])), 1, "no history at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_opens_its_services_and_ends_when_revoked() {
    let place = Place::new().await;
    let _serving = place.serve();
    let made = json_of(&place.ctl(&["keys", "add", "beets", "--services", "deezer", "--json"]));
    let key = made.get("key").and_then(Value::as_str).expect("a key").to_owned();
    let listed = out(&place.ctl(&["keys", "list", "--json"]));
    assert!(listed.contains("beets") && !listed.contains(&key[3..]), "{listed}");
    assert_eq!(code(&place.ctl(&["keys", "add", "beets"])), 1, "the name is taken");
    assert_eq!(code(&place.ctl(&["keys", "revoke", "beets"])), 0);
    assert_eq!(code(&place.ctl(&["keys", "revoke", "beets"])), 1, "there is none any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn login_waits_for_the_browser_and_logout_forgets() {
    let place = Place::new().await;
    let settings = json!({
        "services": { "spotify": {
            "base_url": place.simulator.base_url("spotify"),
            "accounts_url": place.simulator.accounts_url("spotify"),
            "client_id": "test-client-id",
        } },
        "gateway": { "port": 0 },
    });
    write(&place.dir.path().join("settings.json"), &settings.to_string());
    let serving = place.serve();
    let mut login = program(place.dir.path());
    login.args(["login", "spotify", "--no-browser"]);
    let mut login = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut url = String::new();
    BufReader::new(login.stdout.take().expect("its stdout is piped"))
        .read_line(&mut url)
        .expect("the address");
    let page = browser(url.trim()).await;
    assert!(page.contains("Signed in") && !page.contains("code="), "{page}");
    let ended = login.wait_with_output().expect("it ends");
    assert_eq!(code(&ended), 0, "{}", err(&ended));
    let me = json_of(&place.ctl(&["get", "spotify", "/v1/me"]));
    assert_eq!(me.get("id"), Some(&json!("listener")), "calls have the token now");
    let vault = fs::read_to_string(place.dir.path().join("vault.json")).expect("the vault");
    assert!(vault.contains("spotify.refresh.listener"));
    assert_eq!(code(&place.ctl(&["logout", "spotify"])), 0);
    assert_eq!(code(&place.ctl(&["get", "spotify", "/v1/me"])), 1, "signed out");
    let vault = fs::read_to_string(place.dir.path().join("vault.json")).expect("the vault");
    assert!(!vault.contains("spotify.refresh.listener"), "its tokens are gone");
    assert_eq!(code(&place.ctl(&["login", "deezer", "--no-browser"])), 1, "one does not sign in there");
    drop(serving);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_comes_from_standard_input_and_works_at_once() {
    let place = Place::new().await;
    let url = place.simulator.base_url("genius");
    let settings = json!({ "services": { "genius": { "base_url": url } }, "gateway": { "port": 0 } });
    write(&place.dir.path().join("settings.json"), &settings.to_string());
    let _serving = place.serve();
    assert_eq!(code(&place.ctl(&["get", "genius", "/search", "-q", "q=x"])), 1, "no credential yet");
    let set = |name: &str, value: &str| {
        use std::io::Write;
        let mut child = program(place.dir.path())
            .args(["secret", "set", name])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        child.stdin.take().expect("its stdin is piped").write_all(value.as_bytes()).expect("it reads");
        child.wait_with_output().expect("it ends")
    };
    assert_eq!(code(&set("genius", "test-genius-token\n")), 0);
    assert_eq!(code(&place.ctl(&["get", "genius", "/search", "-q", "q=x"])), 0, "effective at once");
    assert_eq!(code(&set("genus", "x")), 1, "no such secret");
    assert_eq!(code(&set("genius", "")), 1, "nothing");
}
