//! A home for engines in virtual time: a data directory, a clock, a credential, and whoever answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use headroom_engine::account::{Attached, Attaching, Credentials, NoCredential};
use headroom_engine::budget::{Priority, Why};
use headroom_engine::call::transport::Transport;
use headroom_engine::call::{Accepts, Answer, Call, CallError};
use headroom_engine::clock::{Clock, VirtualClock, Wall};
use headroom_engine::disk::{Readers, write_atomically};
use headroom_engine::meter::{Event, EventKind};
use headroom_engine::service::ServiceId;
use headroom_engine::{Engine, Options, StartError};
use parking_lot::Mutex;
use serde_json::{Value, json};

/// A whole minute in October 2026, UTC.
pub const START: Wall = Wall::from_seconds(1_793_000_040);
/// Longer than any test waits.
pub const LONG: Duration = Duration::from_secs(7 * 86_400);

/// Whole seconds.
pub const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Whole milliseconds.
pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A credential for every service while it is signed in.
#[derive(Default)]
pub struct TestCredentials {
    pub signed_out: AtomicBool,
    /// How long it takes to get one, as a refresh does.
    pub delay_ms: AtomicU64,
    /// Who is signed in.
    pub account: Mutex<Option<Arc<str>>>,
}

impl Credentials for TestCredentials {
    fn attach<'a>(&'a self, service: ServiceId, request: &'a mut Attached) -> Attaching<'a> {
        let answer = if self.has(service) { Ok(()) } else { Err(NoCredential::SignIn) };
        if answer.is_ok() && service == ServiceId::Spotify {
            request.headers.insert("authorization", "Bearer test-spotify-token".parse().unwrap());
        }
        let delay = ms(self.delay_ms.load(Ordering::Relaxed));
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            answer
        })
    }

    fn has(&self, _: ServiceId) -> bool {
        !self.signed_out.load(Ordering::Relaxed)
    }

    fn account(&self, service: ServiceId) -> Option<Arc<str>> {
        (service == ServiceId::Spotify).then(|| self.account.lock().clone()).flatten()
    }
}

/// What survives an engine: the directory, the time, the provider.
pub struct Home<T> {
    pub dir: tempfile::TempDir,
    pub provider: Arc<T>,
    pub credentials: Arc<TestCredentials>,
    time: Mutex<VirtualClock>,
}

impl<T: Transport + 'static> Home<T> {
    pub fn new(provider: T) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            provider: Arc::new(provider),
            credentials: Arc::default(),
            time: Mutex::new(VirtualClock::at(START)),
        }
    }

    /// A home whose services have room for anything, but for those named with budgets of their own.
    pub fn roomy(provider: T, own: &[(ServiceId, Value)]) -> Self {
        let home = Self::new(provider);
        let mut services = json!({});
        for id in ServiceId::ALL {
            services[id.as_str()] = json!({"budget": {"windows": [{"seconds": 1, "calls": 100_000}]}});
        }
        for (id, budget) in own {
            services[id.as_str()] = json!({ "budget": budget });
        }
        home.settings(&json!({ "services": services }));
        home
    }

    /// Writes `settings.json`.
    pub fn settings(&self, settings: &Value) {
        self.write("settings.json", settings.to_string().as_bytes());
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        write_atomically(&self.path(name), bytes, Readers::Default).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn clock(&self) -> Clock {
        Clock::new(self.time.lock().clone())
    }

    /// Sets the wall clock forward, or back, while everything runs.
    pub fn step_wall(&self, millis: i64) {
        self.time.lock().step_wall(millis);
    }

    /// The machine starts anew, its wall clock `millis` later than it was; its monotonic clock begins
    /// again somewhere else.
    pub fn reboot(&self, millis: i64) {
        let mut time = self.time.lock();
        let wall = Clock::new(time.clone()).wall().plus_millis(millis);
        *time = VirtualClock::at(wall);
    }

    pub fn options(&self) -> Options {
        Options {
            clock: self.clock(),
            transport: Some(self.provider.clone()),
            credentials: Some(self.credentials.clone()),
            environment: Vec::new(),
            ..Options::new(self.dir.path())
        }
    }

    /// Starts an engine; one that was just dropped may still hold the lock for an instant.
    pub async fn start(&self) -> Engine {
        for _ in 0..200 {
            match Engine::start(self.options()).await {
                Ok(engine) => return engine,
                Err(StartError::Running(_)) => tokio::time::sleep(ms(1)).await,
                Err(error) => panic!("the engine does not start: {error}"),
            }
        }
        panic!("the directory stays locked");
    }

    pub async fn start_error(&self) -> String {
        Engine::start(self.options()).await.expect_err("it must not start").to_string()
    }
}

/// Ends an engine as `kill -9` would: nothing is written.
pub async fn kill(engine: Engine) {
    drop(engine);
    tokio::task::yield_now().await;
}

/// Jumps over a long time, as a laptop's sleep does.
pub async fn skip(time: Duration) {
    tokio::time::advance(time).await;
    // The engine's second that follows, and its writing.
    tokio::time::sleep(ms(1_500)).await;
}

/// An interactive call to the service itself that waits as long as it takes.
pub fn get(service: ServiceId, path: &str) -> Call {
    let accepts = Accepts { only_fresh_from_service: true, ..Accepts::default() };
    Call { max_wait: None, accepts, ..Call::get(service, path, "ui", LONG) }
}

/// The same of a caller that takes what is kept.
pub fn ask(service: ServiceId, path: &str) -> Call {
    Call { accepts: Accepts::default(), ..get(service, path) }
}

/// The same as [`get`] of a caller that can wait.
pub fn background(service: ServiceId, path: &str) -> Call {
    Call { priority: Priority::Background, ..get(service, path) }
}

/// Sends `count` calls at once and waits for all.
pub async fn all(engine: &Engine, count: usize, call: &Call) -> Vec<Result<Answer, CallError>> {
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let (engine, call) = (engine.clone(), call.clone());
            tokio::spawn(async move { engine.call(call).await })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

/// Why a call was not sent, and for how long; fails for any other end.
pub fn refused(answer: Result<Answer, CallError>) -> (Why, Duration) {
    match answer {
        Err(CallError::Refused { why, wait, .. }) => (why, wait),
        other => panic!("it was not refused: {other:?}"),
    }
}

/// Calls of the 24 h minute by minute, without the empty ones: unix seconds and calls.
pub fn minutes(engine: &Engine, id: ServiceId) -> Vec<(i64, u32)> {
    let day = engine.meter().day(id);
    (day.start..).step_by(60).zip(day.calls).filter(|(_, calls)| *calls > 0).collect()
}

/// Calls of the 24 h, as the chart has them.
pub fn total(engine: &Engine, id: ServiceId) -> u32 {
    minutes(engine, id).iter().map(|(_, calls)| calls).sum()
}

pub fn cpm(engine: &Engine, id: ServiceId) -> u32 {
    engine.rates().services[&id].cpm
}

pub fn events(engine: &Engine, kind: EventKind) -> Vec<Event> {
    engine.meter().events().into_iter().filter(|e| e.kind == kind).collect()
}

/// Names of a folder's files, sorted.
pub fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
