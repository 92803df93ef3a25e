//! The engine on this desk, and what the shell keeps beside it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headroom_engine::contract::{ApiError, Code};
use headroom_engine::gateway::{Assets, Server};
use headroom_engine::holder;
use headroom_engine::logs::{self, Logs};
use headroom_engine::settings::DesktopSettings;
use headroom_engine::{Engine, Options, StartError, TakeOverError};
use tauri::async_runtime::JoinHandle;
use tokio::sync::watch;

/// How long another engine may take to end: it lets open requests go on for some seconds.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the whole shell shares; managed by Tauri.
pub(crate) struct Desk {
    data_dir: PathBuf,
    /// The window's page, for a browser.
    page: Assets,
    running: Mutex<Result<Running, ApiError>>,
    seen: watch::Sender<bool>,
    feed: Mutex<Option<JoinHandle<()>>>,
    has_tray: AtomicBool,
}

/// An engine and what serves and ends with it.
struct Running {
    engine: Engine,
    server: Option<Server>,
    _logs: Option<Logs>,
}

impl Running {
    /// `take_over` asks another engine on the directory to end first.
    async fn start(data_dir: &Path, page: Option<Assets>, take_over: bool) -> Result<Self, ApiError> {
        let options = Options::new(data_dir).named(holder::APP);
        let engine = if take_over {
            Engine::take_over(options, PATIENCE).await
        } else {
            Engine::start(options).await.map_err(TakeOverError::Start)
        };
        let engine = engine.map_err(|error| not_started(&error))?;
        // After the lock: the files belong to whoever holds it.
        let logs = logs::start(data_dir).ok();
        let server = match Server::start_with(&engine, None, page).await {
            Ok(server) => Some(server),
            // The window says so, from the engine's notices; everything else works.
            Err(error) => {
                tracing::error!("the gateway is not available: {error}");
                None
            }
        };
        Ok(Self { engine, server, _logs: logs })
    }
}

impl Desk {
    /// Starts the engine and its loopback server. An engine that does not start is told in the window.
    pub(crate) async fn open(data_dir: PathBuf, page: Assets) -> Self {
        let running = Running::start(&data_dir, Some(page.clone()), false).await;
        if let Err(error) = &running {
            eprintln!("headroom: {error}");
        }
        Self {
            data_dir,
            page,
            running: Mutex::new(running),
            seen: watch::Sender::new(false),
            feed: Mutex::new(None),
            has_tray: AtomicBool::new(false),
        }
    }

    /// Starts an engine that did not start before: the other one may be gone, the settings mended. With
    /// `take_over` the other one is asked to end first. True if there is a new one now.
    pub(crate) async fn restart(&self, take_over: bool) -> Result<bool, ApiError> {
        if self.engine().is_ok() {
            return Ok(false);
        }
        let running = Running::start(&self.data_dir, Some(self.page.clone()), take_over).await;
        let failed = running.as_ref().err().cloned();
        *lock(&self.running) = running;
        failed.map_or(Ok(true), Err)
    }

    /// The engine, or why there is none.
    pub(crate) fn engine(&self) -> Result<Engine, ApiError> {
        let running = lock(&self.running);
        running.as_ref().map(|running| running.engine.clone()).map_err(Clone::clone)
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(crate) fn settings(&self) -> DesktopSettings {
        self.engine().map_or_else(|_| DesktopSettings::default(), |e| e.settings().desktop.clone())
    }

    pub(crate) fn seen(&self) -> watch::Receiver<bool> {
        self.seen.subscribe()
    }

    pub(crate) fn set_seen(&self, seen: bool) {
        self.seen.send_if_modified(|was| std::mem::replace(was, seen) != seen);
    }

    pub(crate) fn replace_feed(&self, feed: JoinHandle<()>) {
        let before = lock(&self.feed).replace(feed);
        if let Some(before) = before {
            before.abort();
        }
    }

    /// Whether the app can be reached when it has no window.
    pub(crate) fn has_tray(&self) -> bool {
        self.has_tray.load(Ordering::Relaxed)
    }

    pub(crate) fn set_tray(&self) {
        self.has_tray.store(true, Ordering::Relaxed);
    }

    /// Lets open requests end, saves, and ends the engine.
    pub(crate) async fn close(&self) {
        let server = lock(&self.running).as_mut().ok().and_then(|running| running.server.take());
        if let Some(server) = server {
            server.stop().await;
        }
        if let Ok(engine) = self.engine() {
            engine.stop().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why there is no engine, and whether that is because there is one elsewhere.
fn not_started(error: &TakeOverError) -> ApiError {
    let code = match error {
        TakeOverError::Start(StartError::Running(_)) | TakeOverError::Stop(_) => Code::EngineElsewhere,
        TakeOverError::Start(_) => Code::EngineStopped,
    };
    ApiError::new(code, with_causes(error))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
