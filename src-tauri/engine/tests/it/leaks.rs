//! Everything secret, everywhere it must not be. An engine in a process of its own logs all it can
//! (`HEADROOM_LOG=trace`) while its user signs in, mistypes, is refused and refreshed, and tools call; then
//! every file it left and every word it said is searched.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use headroom_engine::gateway::{Runtime, Server};
use headroom_engine::service::ServiceId::{Audiodb, Lastfm};
use headroom_engine::{Engine, Options, logs};
use headroom_simulator::Simulator;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::secrets::SECRETS;
use crate::sign_in::{consent, settings};
use crate::sockets::tool;
use crate::support::ms;

const DIR: &str = "HEADROOM_LEAKS_DIR";

/// The child: an engine with its loopback server, until its input ends.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of t5_no_secret_is_anywhere…, which starts it"]
async fn child() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let logs = logs::start(Path::new(&dir)).unwrap();
    let engine = Engine::start(Options::new(dir)).await.unwrap();
    let server = Server::start(&engine, Some(0)).await.unwrap();
    tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin())).await.unwrap().unwrap();
    server.stop().await;
    engine.stop().await;
    drop(logs);
}

struct Watched {
    simulator: Simulator,
    dir: tempfile::TempDir,
    child: Child,
    runtime: Runtime,
    tool: reqwest::Client,
    /// What must be nowhere.
    secrets: Mutex<BTreeSet<String>>,
    /// Every word it said, and to what.
    said: Mutex<Vec<(String, String)>>,
}

impl Watched {
    async fn start() -> Self {
        let simulator = Simulator::start(headroom_simulator::Options::default()).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let text = settings(&simulator, &[]).to_string();
        std::fs::create_dir_all(dir.path()).unwrap();
        headroom_engine::disk::write_atomically(
            &dir.path().join("settings.json"),
            text.as_bytes(),
            headroom_engine::disk::Readers::Default,
        )
        .unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "leaks::child", "--ignored", "--test-threads=1"])
            .env(DIR, dir.path())
            .env("HEADROOM_VAULT", "file")
            .env("HEADROOM_LOG", "trace")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let runtime = loop {
            match std::fs::read(dir.path().join("runtime.json")).map(|text| serde_json::from_slice(&text)) {
                Ok(Ok(runtime)) => break runtime,
                _ => tokio::time::sleep(ms(20)).await,
            }
        };
        let (secrets, said) = (Mutex::default(), Mutex::default());
        Self { simulator, dir, child, runtime, tool: tool(), secrets, said }
    }

    fn secret(&self, text: &str) {
        assert!(text.len() > 3, "{text} is no secret");
        self.secrets.lock().insert(text.to_owned());
    }

    async fn request(&self, request: reqwest::RequestBuilder) -> (u16, String) {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
        (status, format!("{headers}\n{}", answer.text().await.unwrap()))
    }

    /// A command of the contract.
    async fn command(&self, name: &str, args: Value) -> (u16, Value) {
        let url = format!("http://127.0.0.1:{}/api/call/{name}", self.runtime.port);
        let request = self.tool.post(url).bearer_auth(&self.runtime.key).body(args.to_string());
        let (status, text) = self.request(request).await;
        let body = serde_json::from_str(text.split_once('\n').unwrap().1).unwrap_or_default();
        // What is told to nobody but its asker, who needs it.
        if !(status == 200 && matches!(name, "begin_sign_in" | "add_key")) {
            self.said.lock().push((name.to_owned(), text));
        }
        (status, body)
    }

    /// What a tool, or a browser, asks.
    async fn get(&self, url: &str, headers: &[(&'static str, String)]) -> u16 {
        let url = match url.strip_prefix('/') {
            Some(path) => format!("http://127.0.0.1:{}/{path}", self.runtime.port),
            None => url.to_owned(),
        };
        let request =
            headers.iter().fold(self.tool.get(&url), |request, (name, value)| request.header(*name, value));
        let (status, text) = self.request(request).await;
        self.said.lock().push((url, text));
        status
    }

    /// As far as the consent page's answer.
    async fn consent(&self, via: &str) -> String {
        let (_, begun) = self.command("begin_sign_in", json!({"service": "spotify", "via": via})).await;
        let callback = consent(begun["url"].as_str().unwrap()).await;
        for (name, value) in reqwest::Url::parse(&callback).unwrap().query_pairs() {
            assert!(["code", "state"].contains(&&*name));
            self.secret(&value);
        }
        callback
    }

    /// Everything secret that reached the stand-ins.
    fn gather(&self) {
        for id in ["spotify", "spotify-accounts", "tidal", "tidal-accounts"] {
            for entry in self.simulator.log(id) {
                if let Some(authorization) = entry.headers.get("authorization") {
                    self.secret(authorization.split_once(' ').unwrap().1);
                }
                for (name, value) in entry.body.split('&').filter_map(|pair| pair.split_once('=')) {
                    if ["code", "code_verifier", "refresh_token"].contains(&name) {
                        self.secret(value);
                    }
                }
            }
        }
        let vault: Value =
            serde_json::from_str(&std::fs::read_to_string(self.dir.path().join("vault.json")).unwrap())
                .unwrap();
        for secret in vault["secrets"].as_object().unwrap().values() {
            self.secret(secret.as_str().unwrap());
        }
    }
}

/// All files below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn sign_ins_of_every_kind(site: &Watched) {
    let callback = site.consent("loopback").await;
    let swapped = callback.replace("state=", "state=x");
    site.get(&swapped, &[]).await;
    site.get(&callback, &[]).await;
    site.simulator.set_accounts(json!({"user": "sister", "rotate": true})).unwrap();
    let callback = site.consent("link").await;
    for callback in [&swapped, &callback, &callback, &format!("{callback}&pad={}", "a".repeat(5_000))] {
        site.command("finish_sign_in", json!({ "callback": callback })).await;
    }
    let callback = site.consent("link").await;
    let code = "AQ-stolen-code-of-somebody";
    site.secret(code);
    let (before, state) =
        (callback.split_once("code=").unwrap().0, callback.split_once("&state=").unwrap().1);
    let stolen = format!("{before}code={code}&state={state}");
    assert!(site.command("finish_sign_in", json!({ "callback": stolen })).await.0 >= 400);
    site.simulator.set_accounts(json!({"consent": "deny"})).unwrap();
    let (_, begun) = site.command("begin_sign_in", json!({"service": "spotify", "via": "loopback"})).await;
    site.get(&consent(begun["url"].as_str().unwrap()).await, &[]).await;
    site.simulator.set_accounts(json!({"consent": "auto"})).unwrap();
}

async fn calls_of_tools(site: &Watched) {
    let (_, key) =
        site.command("add_key", json!({"name": "beets", "services": null, "raw_links": false})).await;
    let key = key["key"].as_str().unwrap().to_owned();
    site.secret(&key);
    let shown = [("x-headroom-key", key.clone())];
    for (service, path, secrets) in SECRETS {
        for (name, value) in *secrets {
            site.secret(value);
            assert_eq!(site.command("set_secret", json!({"name": name, "value": value})).await.0, 200);
        }
        assert_eq!(site.get(&format!("/{service}{path}"), &shown).await, 200, "{service}");
        assert_eq!(site.get(&format!("/~{key}/{service}{path}"), &[]).await, 200, "{service}");
    }
    // Where the address holds the key, each kind of trouble.
    for (service, path, _) in SECRETS.iter().filter(|row| [Lastfm, Audiodb].contains(&row.0)) {
        let mut path = path.replace("/-/", &format!("/{key}/"));
        if *service == Lastfm {
            path = format!("{path}&api_key={key}");
        }
        for (fault, to, times) in [
            ("reset", "", 3),
            ("truncate", "", 3),
            ("html", "", 1),
            ("redirect", "same", 1),
            ("redirect", "relative", 2),
            ("redirect", "other", 1),
            ("redirect", "same", 9),
        ] {
            let fault = json!({"fault": {"kind": fault, "to": to, "times": times}});
            site.simulator.set(service.as_str(), fault).unwrap();
            site.get(&format!("/{service}{path}"), &[]).await;
            site.simulator.set(service.as_str(), json!({"faults": []})).unwrap();
        }
    }
    assert_eq!(site.get("/spotify/v1/me", &[("authorization", format!("Bearer {key}"))]).await, 200);
    assert_eq!(site.get("/spotify/v1/me", &[("authorization", format!("Bearer {key}0"))]).await, 401);
    for value in [json!({"a": "mistyped-secret-1"}), json!(["mistyped-secret-2"]), json!(9_876_543_210_u64)] {
        let text = value.to_string();
        site.secret(text.trim_matches(|c: char| "{}[]:\"a".contains(c)));
        site.command("set_secret", json!({"name": "genius", "value": value})).await;
    }
    site.command("set_secret", json!({"name": "genius", "value": "two lines\nof-a-secret"})).await;
    site.secret("of-a-secret");
}

async fn refreshes_and_their_end(site: &Watched) {
    for change in [json!({}), json!({"expire_access": true})] {
        site.simulator.set_accounts(change).unwrap();
        site.command("renew_token", json!({"service": "spotify"})).await;
    }
    site.gather();
    for body in [json!({"error": "server_error"}), json!("<html>"), json!({"error": {"a": 1}})] {
        let fault = json!({"fault": {"kind": "status", "status": 500, "times": 1, "body": body}});
        site.simulator.set("spotify-accounts", fault).unwrap();
        site.command("renew_token", json!({"service": "spotify"})).await;
    }
    site.simulator.set("spotify-accounts", json!({"fault": {"kind": "reset", "times": 1}})).unwrap();
    site.command("renew_token", json!({"service": "spotify"})).await;
    site.simulator.set("spotify", json!({"refuse": {"status": 429, "retry_after": 2, "times": 1}})).unwrap();
    site.command("search", json!({"service": "spotify", "text": "moon"})).await;
    site.command("use_account", json!({"service": "spotify", "account": "listener"})).await;
    site.simulator.set_accounts(json!({"end_consent": true, "expire_access": true})).unwrap();
    assert_eq!(site.command("renew_token", json!({"service": "spotify"})).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn t5_no_secret_is_anywhere_but_in_the_vault() {
    let mut site = Watched::start().await;
    sign_ins_of_every_kind(&site).await;
    calls_of_tools(&site).await;
    refreshes_and_their_end(&site).await;
    for name in ["debug_text", "events", "rates", "status", "connections", "keys", "last_hour"] {
        assert_eq!(site.command(name, json!({})).await.0, 200, "{name}");
    }
    site.command("day", json!({"service": "lastfm"})).await;
    site.command("deep_history", json!({"service": "lastfm", "days": 1})).await;
    let control = [("authorization", format!("Bearer {}", site.runtime.key))];
    for path in [
        "/api/debug-summary",
        "/api/rate-monitor",
        "/api/rate-monitor/events",
        "/api/rate-monitor/history/lastfm",
    ] {
        assert_eq!(site.get(path, &control).await, 200, "{path}");
    }
    site.gather();
    drop(site.child.stdin.take());
    let mut child = site.child;
    assert!(tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap().success());

    let secrets = site.secrets.into_inner();
    assert!(secrets.len() > 30, "{}", secrets.len());
    let mut found = Vec::new();
    let vault = std::fs::read(site.dir.path().join("vault.json")).unwrap();
    assert!(
        secrets.iter().filter(|secret| contains(&vault, secret)).count() > 9,
        "the search finds what is there"
    );
    let (mut searched, mut lines) = (0, 0);
    for path in files(site.dir.path()).iter().filter(|path| !path.ends_with("vault.json")) {
        let bytes = std::fs::read(path).unwrap();
        searched += bytes.len();
        let log = path.parent().unwrap().ends_with("logs");
        lines += if log { bytes.iter().filter(|b| **b == b'\n').count() } else { 0 };
        let texts = secrets.iter().chain([&site.runtime.key]);
        found.extend(
            texts
                .filter(|secret| contains(&bytes, secret))
                .map(|secret| (path.display().to_string(), secret.clone())),
        );
    }
    for (asked, said) in site.said.into_inner() {
        let texts = secrets.iter().chain([&site.runtime.key]);
        found.extend(
            texts
                .filter(|secret| said.contains(*secret))
                .map(|secret| (format!("the answer to {asked}"), secret.clone())),
        );
    }
    println!("{} secrets, {searched} bytes in files, {lines} lines of logs", secrets.len());
    assert!(lines > 200, "it logged all it can: {lines} lines");
    assert!(found.is_empty(), "{found:#?}");
}
