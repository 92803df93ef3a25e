//! The whole way over real sockets: a tool, the gateway, HTTP, a stand-in that counts.

use std::sync::Arc;

use headroom_engine::account::keys::ToolKey;
use headroom_engine::disk::{Readers, write_atomically};
use headroom_engine::gateway::{Runtime, Server};
use headroom_engine::meter::EventKind;
use headroom_engine::service::ServiceId::{self, Deezer, Spotify};
use headroom_engine::{Engine, Options, StartError};
use headroom_simulator::Simulator;
use serde_json::{Value, json};

use crate::support::{TestCredentials, events, ms, total};

/// An engine with its loopback server, between a tool and the stand-ins.
pub struct Site {
    pub simulator: Arc<Simulator>,
    pub engine: Engine,
    pub server: Server,
    pub dir: Arc<tempfile::TempDir>,
    pub tool: reqwest::Client,
    pub key: String,
}

/// A tool that asks the service itself.
pub fn tool() -> reqwest::Client {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("cache-control", "no-cache".parse().unwrap());
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.default_headers(headers).build().unwrap()
}

/// A tool that takes what is kept.
pub fn thrifty_tool() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

impl Site {
    /// Every service has room for anything, but for those that keep the catalogue's budget.
    pub async fn new(default_budgets: &[ServiceId]) -> Self {
        let simulator = Arc::new(Simulator::start(headroom_simulator::Options::default()).await.unwrap());
        let mut services = json!({});
        for id in ServiceId::ALL {
            services[id.as_str()] = json!({ "base_url": simulator.base_url(id.as_str()) });
            if !default_budgets.contains(id) {
                services[id.as_str()]["budget"] = json!({"windows": [{"seconds": 1, "calls": 100_000}]});
            }
        }
        let dir = Arc::new(tempfile::tempdir().unwrap());
        write_atomically(
            &dir.path().join("settings.json"),
            json!({ "services": services }).to_string().as_bytes(),
            Readers::Default,
        )
        .unwrap();
        Self::start(simulator, dir).await
    }

    async fn start(simulator: Arc<Simulator>, dir: Arc<tempfile::TempDir>) -> Self {
        let options = || Options {
            credentials: Some(Arc::new(TestCredentials::default())),
            environment: Vec::new(),
            ..Options::new(dir.path())
        };
        let mut tries = 0;
        let engine = loop {
            match Engine::start(options()).await {
                Err(StartError::Running(_)) if tries < 300 => tokio::time::sleep(ms(10)).await,
                started => break started.unwrap(),
            }
            tries += 1;
        };
        let server = Server::start(&engine, Some(0)).await.unwrap();
        let key = match engine.keys().list().iter().any(|k: &Arc<ToolKey>| k.name == "beets") {
            true => String::new(),
            false => engine.keys().add("beets", None, false, None, engine.clock().wall()).unwrap(),
        };
        Self { simulator, engine, server, dir, tool: tool(), key }
    }

    /// Goes as a killed process does, and comes again with the same files.
    pub async fn killed_and_restarted(self) -> Self {
        let Self { simulator, engine, server, dir, tool, key } = self;
        drop((server, engine, tool));
        Self { key, ..Self::start(simulator, dir).await }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.address())
    }

    /// What a tool with a key asks.
    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.tool.get(self.url(path)).header("x-headroom-key", &self.key)
    }

    pub fn runtime(&self) -> Runtime {
        serde_json::from_slice(&std::fs::read(self.dir.path().join("runtime.json")).unwrap()).unwrap()
    }

    /// What the control API answers.
    pub async fn control(&self, path: &str) -> Value {
        let answer = self.tool.get(self.url(path)).bearer_auth(self.runtime().key).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json_value().await
    }
}

/// The body as JSON.
pub trait JsonValue {
    async fn json_value(self) -> Value;
}

impl JsonValue for reqwest::Response {
    async fn json_value(self) -> Value {
        let bytes = self.bytes().await.unwrap();
        serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{e}: {bytes:?}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b7_220_calls_at_once_are_all_answered_none_refused_and_counted_alike() {
    let site = Site::new(&[Deezer]).await;
    // As Deezer: 50 in any 5 s, counted anywhere between arrival and answer.
    site.simulator
        .set(
            "deezer",
            json!({"window": {"seconds": 5, "calls": 50}, "latency_ms": [20, 120], "count": "anywhere"}),
        )
        .unwrap();
    let began = site.engine.clock().mono();
    let calls: Vec<_> =
        (0..220).map(|n| tokio::spawn(site.get(&format!("/deezer/search?q=a{n}")).send())).collect();
    for call in calls {
        let answer = call.await.unwrap().unwrap();
        assert_eq!((answer.status().as_u16(), answer.json_value().await["error"].is_null()), (200, true));
    }
    let took = site.engine.clock().mono().since(began);
    let (count, peak) = (site.simulator.count("deezer"), site.simulator.peak("deezer"));
    println!("220 calls took {:.2} s, the fullest 5 s held {} of {}", took.as_secs_f64(), peak.0, peak.1);
    assert_eq!((count.arrived, count.answered, count.refused), (220, 220, 0));
    let monitor = site.control("/api/rate-monitor").await["services"]["deezer"].clone();
    assert_eq!(
        (
            monitor["cpm"].as_u64(),
            monitor["endpoints"]["search"].as_u64(),
            monitor["callers"]["beets"].as_u64()
        ),
        (Some(220), Some(220), Some(220))
    );
    let history = site.control("/api/rate-monitor/history/deezer").await;
    let sum: u64 = history["history"].as_array().unwrap().iter().map(|row| row[1].as_u64().unwrap()).sum();
    assert_eq!(sum, count.arrived);
}

#[tokio::test(flavor = "multi_thread")]
async fn b1_eight_calls_in_flight_into_one_429_make_one_ban_that_outlives_a_kill() {
    let site = Site::new(&[]).await;
    site.simulator
        .set(
            "spotify",
            json!({"latency_ms": [100, 300], "refuse": {"status": 429, "retry_after": 3, "times": 8}}),
        )
        .unwrap();
    let calls: Vec<_> = (0..8)
        .map(|n| tokio::spawn(site.get(&format!("/spotify/v1/search?q=a{n}&type=track")).send()))
        .collect();
    for call in calls {
        let answer = call.await.unwrap().unwrap();
        let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert_eq!((answer.status().as_u16(), (1..=4).contains(&wait)), (429, true));
    }
    let bans = events(&site.engine, EventKind::Ban);
    assert_eq!(bans.len(), 1, "{bans:?}");
    let until = site.engine.rates().services[&Spotify].ban.clone().unwrap().until;

    let site = site.killed_and_restarted().await;
    assert_eq!(events(&site.engine, EventKind::Ban).len(), 1);
    assert_eq!(site.engine.rates().services[&Spotify].ban.clone().unwrap().until, until, "to the second");
    while site.engine.clock().wall().seconds() < until {
        let refused = site.get("/spotify/v1/me").send().await.unwrap();
        if site.engine.clock().wall().seconds() < until {
            assert_eq!(
                (refused.status().as_u16(), refused.headers()["x-headroom-limited"].to_str().unwrap()),
                (429, "local")
            );
            let error = refused.json_value().await;
            assert_eq!(
                (&error["error"]["code"], &error["error"]["retry_at"]),
                (&json!("banned"), &json!(until))
            );
            assert_eq!(site.simulator.count("spotify").arrived, 8, "nothing is sent while it runs");
        }
        tokio::time::sleep(ms(100)).await;
    }
    assert_eq!(site.get("/spotify/v1/me").send().await.unwrap().status(), 200, "and then it goes on");
    assert_eq!(
        u64::from(total(&site.engine, Spotify)),
        site.simulator.count("spotify").arrived,
        "counted across the kill"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn m9_the_monitor_and_the_provider_count_the_same_over_http() {
    let site = Site::new(&[]).await;
    let set = |change: Value| site.simulator.set("deezer", change).unwrap();
    for _ in 0..10 {
        site.get("/deezer/search?q=a").send().await.unwrap();
    }
    set(json!({"fault": {"kind": "status", "status": 500, "times": 2}}));
    assert_eq!(site.get("/deezer/track/1").send().await.unwrap().status(), 200, "the third try");
    set(json!({"fault": {"kind": "redirect", "to": "same", "times": 2}}));
    assert_eq!(site.get("/deezer/search?q=b").send().await.unwrap().status(), 200, "followed twice");
    set(json!({"fault": {"kind": "redirect", "to": "other", "times": 1}}));
    assert_eq!(site.get("/deezer/search?q=c").send().await.unwrap().status(), 302, "passed on");
    set(json!({"fault": {"kind": "close", "times": 3}}));
    assert_eq!(site.get("/deezer/search?q=d").send().await.unwrap().status(), 502);
    let arrived = site.simulator.count("deezer").arrived;
    assert_eq!((arrived, u64::from(total(&site.engine, Deezer))), (10 + 3 + 3 + 1 + 3, arrived));
    assert!(site.simulator.elsewhere().is_empty(), "nothing was sent to another host");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_service_holds_up_no_other() {
    let site = Site::new(&[]).await;
    site.simulator.set("deezer", json!({"fault": {"kind": "hang"}})).unwrap();
    let hanging: Vec<_> = (0..50).map(|_| tokio::spawn(site.get("/deezer/search?q=a").send())).collect();
    tokio::time::sleep(ms(100)).await;
    for _ in 0..20 {
        assert_eq!(site.get("/itunes/search?term=a").send().await.unwrap().status(), 200);
    }
    assert!(hanging.iter().all(|call| !call.is_finished()), "they still hang while the others are answered");
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}
