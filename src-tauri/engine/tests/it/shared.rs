//! Several engines and one shared server: a real one, started for the test, in real time.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headroom_engine::clock::Clock;
use headroom_engine::contract::{Contract, NoticeKind};
use headroom_engine::disk::{Readers, write_atomically};
use headroom_engine::meter::EventKind;
use headroom_engine::{Engine, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{TestCredentials, events, ms};

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
    let machine =
        Machine::start(&json!({"cache": {"shared_url": format!("redis://{}", proxy.address)}})).await;
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
    eventually("it is back", async || machine.connected()).await;
    machine.engine.stop().await;
}
