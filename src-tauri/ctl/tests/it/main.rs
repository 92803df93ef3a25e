//! The command line as its users see it: the real program, a real engine, real sockets.

#![allow(clippy::expect_used, reason = "a test that cannot begin fails")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use headroom_simulator::{Options, Simulator};
use serde_json::{Value, json};

/// A data directory whose services are stand-ins.
struct Place {
    dir: tempfile::TempDir,
    simulator: Simulator,
}

impl Place {
    async fn new() -> Self {
        let simulator = Simulator::start(Options::default()).await.expect("the stand-ins start");
        let dir = tempfile::tempdir().expect("a directory");
        let services: serde_json::Map<_, _> =
            ["deezer", "itunes", "musicbrainz", "discogs", "listenbrainz", "odesli"]
                .map(|id| (id.to_owned(), json!({ "base_url": simulator.base_url(id) })))
                .into_iter()
                .collect();
        let settings = json!({ "services": services, "gateway": { "port": 0 } });
        write(&dir.path().join("settings.json"), &settings.to_string());
        Self { dir, simulator }
    }

    fn ctl(&self, args: &[&str]) -> Output {
        ctl(self.dir.path(), args)
    }

    fn serve(&self) -> Serving {
        let mut command = program(self.dir.path());
        let mut child = command.args(["serve"]).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("its stdout is piped"));
        let mut first = String::new();
        out.read_line(&mut first).expect("it says where it listens");
        assert!(first.starts_with("Headroom listens on http://127.0.0.1:"), "{first}");
        Serving { child, out }
    }
}

struct Serving {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Also when a test failed half-way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a browser shows after it followed all redirects.
async fn browser(url: &str) -> String {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    client.get(url).send().await.expect("an answer").text().await.expect("a page")
}

fn write(path: &Path, text: &str) {
    headroom_engine::disk::write_atomically(path, text.as_bytes(), headroom_engine::disk::Readers::Default)
        .expect("the file is written");
}

fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroomctl"));
    command.arg("--data-dir").arg(dir).stdin(Stdio::null()).env("HEADROOM_VAULT", "file");
    command
}

fn ctl(dir: &Path, args: &[&str]) -> Output {
    program(dir).args(args).output().expect("it runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json_of(output: &Output) -> Value {
    assert_eq!(code(output), 0, "{}", err(output));
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

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
}

#[tokio::test(flavor = "multi_thread")]
async fn get_prints_the_body_as_it_came_with_an_engine_and_without() {
    let place = Place::new().await;
    let alone = place.ctl(&["get", "deezer", "search", "-q", "q=the parade", "-q", "limit=2"]);
    assert!(json_of(&alone).get("data").is_some(), "{}", out(&alone));
    let serving = place.serve();
    let through = place.ctl(&["get", "deezer", "/search", "-q", "q=the parade", "-q", "limit=2"]);
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
    let _serving = place.serve();
    let second = place.ctl(&["serve"]);
    assert_eq!((code(&second), err(&second).contains("already running")), (1, true), "{}", err(&second));
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

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_what_is_wrong_and_changes_nothing() {
    let place = Place::new().await;
    let well = place.ctl(&["doctor", "--online", "--json"]);
    let report: Value = serde_json::from_slice(&well.stdout).expect("it prints JSON");
    assert_eq!((code(&well), report.get("ok")), (0, Some(&json!(true))), "{report}");
    assert!(place.simulator.count("deezer").arrived > 0, "online asks");
    let history = place.dir.path().join("history.json");
    write(&history, "{");
    write(&place.dir.path().join("settings.json"), r#"{"gateway":{"port":-1}}"#);
    let ill = place.ctl(&["doctor", "--json"]);
    let report: Value = serde_json::from_slice(&ill.stdout).expect("it prints JSON");
    let faults: Vec<_> = report
        .get("checks")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|c| c.get("ok") == Some(&json!(false)))
        .filter_map(|c| c.get("name").and_then(Value::as_str))
        .collect();
    assert_eq!((code(&ill), faults), (1, vec!["settings", "history"]));
    assert_eq!(fs::read_to_string(&history).expect("it is still there"), "{");
}
