//! Several engines and one shared server: a real one, started for the test, in real time.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headroom_engine::budget::Why;
use headroom_engine::clock::Clock;
use headroom_engine::contract::{Contract, NoticeKind};
use headroom_engine::disk::{Readers, write_atomically};
use headroom_engine::meter::EventKind;
use headroom_engine::service::ServiceId::Deezer;
use headroom_engine::service::{BanKind, Verdict};
use headroom_engine::{Engine, Options};
use headroom_simulator::Simulator;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{TestCredentials, events, get, ms, refused, total};

/// A redis-server of its own, which keeps nothing.
pub struct Redis {
    child: Child,
    pub port: u16,
    arguments: Vec<String>,
}

fn free_port() -> u16 {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

impl Redis {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With more arguments.
    pub async fn start_with(arguments: &[&str]) -> Self {
        let port = free_port();
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let redis = Self { child: Self::spawn(port, &arguments), port, arguments };
        redis.listens().await;
        redis
    }

    fn spawn(port: u16, arguments: &[String]) -> Child {
        Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server must be installed (Debian package redis-server): npm run setup does it")
    }

    async fn listens(&self) {
        eventually("redis-server listens", async || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok()
        })
        .await;
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts again on the same port, with nothing in it.
    pub async fn again(&mut self) {
        self.child = Self::spawn(self.port, &self.arguments);
        self.listens().await;
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until it is so, and fails after 20 s.
pub async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    for _ in 0..2_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(ms(10)).await;
    }
    panic!("it never came to this: {what}");
}

/// An engine of its own directory.
pub struct Machine {
    pub engine: Engine,
    pub dir: tempfile::TempDir,
}

impl Machine {
    pub async fn start(settings: &Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bytes = settings.to_string().into_bytes();
        write_atomically(&dir.path().join("settings.json"), &bytes, Readers::Default).unwrap();
        let engine = Engine::start(options(dir.path())).await.unwrap();
        Self { engine, dir }
    }

    /// The same directory with other settings, after a stop.
    pub async fn started_again(self, settings: &Value) -> Self {
        let Self { engine, dir } = self;
        drop(engine);
        let bytes = settings.to_string().into_bytes();
        write_atomically(&dir.path().join("settings.json"), &bytes, Readers::Default).unwrap();
        let engine = Engine::start(options(dir.path())).await.unwrap();
        Self { engine, dir }
    }

    pub fn connected(&self) -> bool {
        self.engine.shared().connected()
    }

    pub async fn notice(&self) -> Option<String> {
        let notices = self.engine.status().await.unwrap().notices;
        notices.into_iter().find(|n| n.kind == NoticeKind::SharedGone).map(|n| n.text)
    }
}

fn options(dir: &std::path::Path) -> Options {
    Options {
        data_dir: dir.to_owned(),
        clock: Clock::system(),
        transport: None,
        credentials: Some(Arc::new(TestCredentials::default())),
        environment: Vec::new(),
        name: "a test".to_owned(),
    }
}

/// Passes bytes on to a server, as late as it is told.
pub struct Proxy {
    pub address: SocketAddr,
    pub delay_ms: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let delay_ms = Arc::new(AtomicU64::new(0));
        let delay = Arc::clone(&delay_ms);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { continue };
                let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
                tokio::spawn(pass_on(near_read, far_write, Arc::new(AtomicU64::new(0))));
                tokio::spawn(pass_on(far_read, near_write, Arc::clone(&delay)));
            }
        });
        Self { address, delay_ms, task }
    }

    pub fn delay(&self, millis: u64) {
        self.delay_ms.store(millis, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    delay: Arc<AtomicU64>,
) {
    let mut bytes = vec![0; 65_536];
    while let Ok(count) = from.read(&mut bytes).await {
        if count == 0 {
            return;
        }
        tokio::time::sleep(ms(delay.load(Ordering::Relaxed))).await;
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_follows_the_setting_and_says_when_the_server_goes_and_comes() {
    let mut redis = Redis::start().await;
    let machine = Machine::start(&json!({})).await;
    assert!(!machine.engine.shared().is_set() && machine.engine.shared().status().is_none());
    let with = json!({"cache": {"shared_url": redis.url()}}).to_string();
    let path = machine.dir.path().join("settings.json");
    write_atomically(&path, with.as_bytes(), Readers::Default).unwrap();
    eventually("it connects", async || machine.connected()).await;
    let shared = machine.engine.shared().clone();
    let pong: Option<String> = shared.command(&redis::cmd("PING")).await;
    assert_eq!((pong.as_deref(), machine.notice().await), (Some("PONG"), None));

    redis.kill();
    eventually("it notices", async || !machine.connected()).await;
    assert_eq!(shared.command::<String>(&redis::cmd("PING")).await, None, "at once, whatever is asked");
    let notice = machine.notice().await.unwrap();
    assert!(notice.contains(&redis.url()) && notice.contains("Start the server"), "{notice}");
    eventually("an event", async || events(&machine.engine, EventKind::SharedGone).len() == 1).await;

    redis.again().await;
    eventually("it is back", async || machine.connected()).await;
    assert_eq!(machine.notice().await, None);
    eventually("an event", async || events(&machine.engine, EventKind::SharedBack).len() == 1).await;
    assert_eq!(events(&machine.engine, EventKind::SharedGone).len(), 1, "one event an incident");

    write_atomically(&path, b"{}", Readers::Default).unwrap();
    eventually("it lets go", async || !shared.is_set()).await;
    machine.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_the_server_tells_its_kind_its_time_and_what_it_holds() {
    let redis = Redis::start().await;
    let machine = Machine::start(&json!({"cache": {"shared_url": redis.url()}})).await;
    let set: Option<String> = machine.engine.shared().command(redis::cmd("SET").arg("a").arg(1)).await;
    assert_eq!(set.as_deref(), Some("OK"));
    let told = machine.engine.test_shared(None).await.unwrap();
    assert!(told.server.starts_with("Redis ") && told.ms > 0.0 && told.memory_bytes > 0, "{told:?}");
    assert!(told.clients >= 2 && told.keys >= 1, "{told:?}");
    let nobody = format!("redis://127.0.0.1:{}", free_port());
    let error = machine.engine.test_shared(Some(nobody)).await.unwrap_err();
    assert!(error.message.contains("nothing listens there"), "{error:?}");
    let error = machine.engine.test_shared(Some("memcached://x".into())).await.unwrap_err();
    assert!(error.message.contains("redis://host:6379"), "{error:?}");
    machine.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_is_gone_within_one_command_and_nobody_queues_on_it() {
    let redis = Redis::start().await;
    let proxy = Proxy::to(redis.port).await;
    let simulator = deezer().await;
    let machine = Machine::start(&sharing(&simulator, &format!("redis://{}", proxy.address))).await;
    eventually("it connects", async || machine.connected()).await;
    proxy.delay(400);
    let shared = machine.engine.shared().clone();
    let asked = tokio::time::timeout(Duration::from_secs(2), async {
        let first: Option<String> = shared.command(&redis::cmd("PING")).await;
        let connected = shared.connected();
        let mut others = Vec::new();
        for _ in 0..100 {
            others.push(shared.command::<String>(&redis::cmd("PING")).await);
        }
        (first, connected, others.into_iter().flatten().count())
    });
    // A hundred commands that each waited 250 ms would take 25 s.
    assert_eq!(asked.await.unwrap(), (None, false, 0));
    let notice = machine.notice().await.unwrap();
    assert!(notice.contains("longer than 250 ms"), "{notice}");
    proxy.delay(0);
    eventually("it is back", async || machine.engine.shared().together()).await;

    // The same for a call: it goes without the server within that one call.
    proxy.delay(400);
    assert!(machine.engine.call(get(Deezer, "/search?q=a")).await.is_ok());
    assert!(!machine.connected());
    proxy.delay(0);
    eventually("it is back", async || machine.engine.shared().together()).await;
    eventually("what was sent without it is told", async || {
        let slots: Option<u32> = shared.command(redis::cmd("ZCARD").arg("headroom:1:b:deezer:slots")).await;
        slots == Some(1)
    })
    .await;
    assert_eq!(simulator.count("deezer").arrived, 1, "not sent twice");
    machine.engine.stop().await;
}

/// What the settings say of a budget of 45 in 5 s at a stand-in of 50 in 5 s, kept at `url`.
pub fn sharing(simulator: &Simulator, url: &str) -> Value {
    json!({
        "services": {"deezer": {
            "base_url": simulator.base_url("deezer"),
            "budget": {"windows": [{"seconds": 5, "calls": 45}]},
        }},
        "cache": {"shared_url": url},
    })
}

/// As Deezer: 50 in any 5 s, counted anywhere between arrival and answer.
async fn deezer() -> Arc<Simulator> {
    let simulator = Arc::new(Simulator::start(headroom_simulator::Options::default()).await.unwrap());
    simulator
        .set(
            "deezer",
            json!({"window": {"seconds": 5, "calls": 50}, "latency_ms": [20, 120], "count": "anywhere"}),
        )
        .unwrap();
    simulator
}

/// Sends searches number `from..to`, each of its own, and waits for all answers.
fn searches(machine: &Machine, numbers: std::ops::Range<u32>) -> Vec<tokio::task::JoinHandle<Answered>> {
    let search = |n| {
        let engine = machine.engine.clone();
        tokio::spawn(async move { engine.call(get(Deezer, &format!("/search?q=a{n}"))).await })
    };
    numbers.map(search).collect()
}

type Answered = Result<headroom_engine::call::Answer, headroom_engine::call::CallError>;

async fn all_answered(calls: Vec<tokio::task::JoinHandle<Answered>>) {
    for call in calls {
        let answer = call.await.unwrap().unwrap();
        assert_eq!(answer.verdict, Verdict::Fresh);
    }
}

/// Slots of the first window taken, as this machine shows it.
fn used(machine: &Machine) -> u32 {
    machine.engine.rates().services[&Deezer].windows[0].used
}

#[tokio::test(flavor = "multi_thread")]
async fn b7_two_engines_and_140_calls_at_once_together_stay_within_one_budget() {
    let (redis, simulator) = (Redis::start().await, deezer().await);
    let settings = sharing(&simulator, &redis.url());
    let (a, b) = (Machine::start(&settings).await, Machine::start(&settings).await);
    assert!(a.engine.shared().together() && b.engine.shared().together());
    let began = a.engine.clock().mono();
    let mut calls = searches(&a, 0..70);
    calls.extend(searches(&b, 70..140));
    // Whoever looks sees the whole budget used, not a machine's own part of it.
    eventually("both show it full", async || used(&a) >= 45 && used(&b) >= 45).await;
    all_answered(calls).await;
    let took = a.engine.clock().mono().since(began);
    let (count, peak) = (simulator.count("deezer"), simulator.peak("deezer"));
    let parts = [total(&a.engine, Deezer), total(&b.engine, Deezer)];
    println!(
        "140 calls of two engines took {:.2} s, {} + {}; the fullest 5 s held {} of {}",
        took.as_secs_f64(),
        parts[0],
        parts[1],
        peak.0,
        peak.1
    );
    assert_eq!((count.arrived, count.answered, count.refused), (140, 140, 0));
    assert!(peak.0 <= 50, "{peak:?}");
    eventually("each knows of the other", async || {
        [&a, &b].iter().all(|m| m.engine.shared().status().unwrap().machines == Some(2))
    })
    .await;
    // A clean stop takes leave: the other need not keep a part for it.
    b.engine.stop().await;
    eventually("one is left", async || a.engine.shared().status().unwrap().machines == Some(1)).await;
    a.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b7_a_shared_server_killed_and_started_in_mid_run_costs_no_refusal() {
    let (mut redis, simulator) = (Redis::start().await, deezer().await);
    let settings = sharing(&simulator, &redis.url());
    let (a, b) = (Machine::start(&settings).await, Machine::start(&settings).await);
    let machines = [&a, &b];
    eventually("each knows of the other", async || {
        machines.iter().all(|m| m.engine.shared().status().unwrap().machines == Some(2))
    })
    .await;
    let mut calls = searches(&a, 0..60);
    calls.extend(searches(&b, 60..120));
    eventually("the run has begun", async || simulator.count("deezer").arrived > 30).await;
    redis.kill();
    eventually("both know", async || machines.iter().all(|m| !m.connected())).await;
    let before = simulator.count("deezer").arrived;
    // It goes on without the server.
    eventually("answers go on", async || simulator.count("deezer").arrived > before + 30).await;
    assert!(machines.iter().all(|m| !m.connected()));
    redis.again().await;
    eventually("shared again", async || machines.iter().all(|m| m.engine.shared().together())).await;
    all_answered(calls).await;
    eventually("both show the same use", async || {
        let shown = [used(&a), used(&b)];
        shown[0] > 0 && shown[0] == shown[1]
    })
    .await;
    all_answered(searches(&a, 200..230).into_iter().chain(searches(&b, 230..260)).collect()).await;
    let (count, peak) = (simulator.count("deezer"), simulator.peak("deezer"));
    println!("with the server killed in between the fullest 5 s held {} of {}", peak.0, peak.1);
    assert_eq!((count.arrived, count.answered, count.refused), (180, 180, 0), "and none sent twice");
    a.engine.stop().await;
    b.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b1_a_ban_one_engine_meets_holds_for_the_other_without_a_call() {
    let (redis, simulator) = (Redis::start().await, deezer().await);
    let settings = sharing(&simulator, &redis.url());
    let (a, b) = (Machine::start(&settings).await, Machine::start(&settings).await);
    simulator.set("deezer", json!({"refuse": {"status": 429, "retry_after": 120, "times": 1}})).unwrap();
    let (why, _) = refused(a.engine.call(get(Deezer, "/search?q=a")).await);
    assert_eq!(why, Why::Banned(BanKind::Rate));
    eventually("the other holds to it", async || b.engine.rates().services[&Deezer].ban.is_some()).await;
    let (why, wait) = refused(b.engine.call(get(Deezer, "/search?q=b")).await);
    assert_eq!((why, wait > Duration::from_secs(100)), (Why::Banned(BanKind::Rate), true));
    assert_eq!(simulator.count("deezer").arrived, 1, "the other did not call");
    assert_eq!(events(&b.engine, EventKind::Ban).len(), 1);
    tokio::time::sleep(ms(2_500)).await;
    assert_eq!(events(&b.engine, EventKind::Ban).len(), 1, "one event, however often it is told");

    // A sign-in ends it on the server too: one that starts now knows of none.
    a.engine.clear_ban(Deezer).await;
    assert!(a.engine.call(get(Deezer, "/search?q=c")).await.is_ok());
    let c = Machine::start(&settings).await;
    assert!(c.engine.call(get(Deezer, "/search?q=d")).await.is_ok());
    for machine in [a, b, c] {
        machine.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t5_user_and_password_are_nowhere_to_be_seen() {
    let redis = Redis::start_with(&["--requirepass", "s3cret-pass"]).await;
    let url = |password: &str| format!("redis://default:{password}@127.0.0.1:{}", redis.port);
    let machine = Machine::start(&json!({"cache": {"shared_url": url("s3cret-pass")}})).await;
    assert!(machine.connected(), "{:?}", machine.engine.shared().status());
    let mut seen = vec![
        format!("{:?} {:?}", machine.engine.shared(), machine.engine.settings()),
        format!("{:?}", machine.engine.shared().status()),
        format!("{:?}", machine.engine.test_shared(None).await.unwrap()),
    ];

    let wrong = Machine::start(&json!({"cache": {"shared_url": url("s3cret-wrong")}})).await;
    eventually("it is refused", async || wrong.notice().await.is_some()).await;
    let notice = wrong.notice().await.unwrap();
    assert!(notice.contains("refuses"), "{notice}");
    eventually("an event", async || !events(&wrong.engine, EventKind::SharedGone).is_empty()).await;
    seen.push(notice);
    seen.push(format!("{:?} {:?}", wrong.engine.shared().status(), wrong.engine.meter().events()));
    seen.push(format!("{:?}", wrong.engine.test_shared(None).await.unwrap_err()));
    // TLS to a server that speaks none.
    let tls = url("s3cret-tls").replace("redis://", "rediss://");
    seen.push(format!("{:?}", machine.engine.test_shared(Some(tls)).await.unwrap_err()));
    seen.push(wrong.engine.debug_text().await.unwrap());
    wrong.engine.stop().await;
    machine.engine.stop().await;
    for file in ["history.json", "history.journal", "shared.json"] {
        for machine in [&machine, &wrong] {
            seen.push(std::fs::read_to_string(machine.dir.path().join(file)).unwrap_or_default());
        }
    }
    let told: Vec<_> =
        seen.iter().filter(|text| text.contains("s3cret") || text.contains("default:")).collect();
    assert!(told.is_empty(), "{told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn b7_an_emptied_server_is_told_again_what_was_used() {
    let (redis, simulator) = (Redis::start().await, deezer().await);
    let settings = sharing(&simulator, &redis.url());
    let (a, b) = (Machine::start(&settings).await, Machine::start(&settings).await);
    let mut calls = searches(&a, 0..50);
    calls.extend(searches(&b, 50..100));
    eventually("the run has begun", async || simulator.count("deezer").arrived > 30).await;
    let flushed: Option<String> = a.engine.shared().command(&redis::cmd("FLUSHALL")).await;
    assert_eq!(flushed.as_deref(), Some("OK"));
    all_answered(calls).await;
    assert!(a.engine.shared().together() && b.engine.shared().together());
    let (count, peak) = (simulator.count("deezer"), simulator.peak("deezer"));
    assert_eq!((count.arrived, count.refused), (100, 0), "fullest {peak:?}");
    a.engine.stop().await;
    b.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b7_the_part_of_a_machine_that_fell_silent_is_kept_for_it() {
    let (redis, simulator) = (Redis::start().await, deezer().await);
    let settings = sharing(&simulator, &redis.url());
    let (a, b) = (Machine::start(&settings).await, Machine::start(&settings).await);
    eventually("each knows of the other", async || {
        [&a, &b].iter().all(|m| m.engine.shared().status().unwrap().machines == Some(2))
    })
    .await;
    // Killed, or cut off: it may still be calling.
    drop(b.engine);
    tokio::time::sleep(ms(4_000)).await;
    all_answered(searches(&a, 0..40)).await;
    let (count, peak) = (simulator.count("deezer"), simulator.peak("deezer"));
    assert_eq!((count.arrived, count.refused), (40, 0));
    assert!(peak.0 <= 23, "22 of 45 are the other's: {peak:?}");
    assert_eq!(a.engine.shared().status().unwrap().machines, Some(2));
    a.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_an_earlier_run_are_told_once() {
    let (redis, simulator) = (Redis::start().await, deezer().await);
    let mut settings = sharing(&simulator, &redis.url());
    settings["services"]["deezer"]["budget"]["windows"][0] = json!({"seconds": 600, "calls": 45});
    let mut alone = settings.clone();
    alone["cache"] = json!({});
    let first = Machine::start(&alone).await;
    all_answered(searches(&first, 0..5)).await;
    first.engine.stop().await;

    // Sharing begins: what was used alone counts for all.
    let again = first.started_again(&settings).await;
    assert!(again.engine.shared().together());
    all_answered(searches(&again, 5..7)).await;
    let other = Machine::start(&settings).await;
    eventually("the other counts them too", async || used(&other) == 7).await;
    again.engine.stop().await;

    // The server knows them now: another start adds nothing.
    let again = again.started_again(&settings).await;
    all_answered(searches(&again, 7..8)).await;
    eventually("none counts twice", async || used(&other) == 8).await;
    tokio::time::sleep(ms(1_500)).await;
    assert_eq!((used(&other), used(&again)), (8, 8));
    again.engine.stop().await;
    other.engine.stop().await;
}
