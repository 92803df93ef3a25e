//! The engine on this desk, and what the shell keeps beside it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use headroom_engine::contract::{ApiError, Code};
use headroom_engine::gateway::Server;
use headroom_engine::logs::{self, Logs};
use headroom_engine::settings::DesktopSettings;
use headroom_engine::{Engine, Options};
use tauri::async_runtime::JoinHandle;
use tokio::sync::watch;

/// What the whole shell shares; managed by Tauri.
pub(crate) struct Desk {
    data_dir: PathBuf,
    engine: Result<Engine, String>,
    server: Mutex<Option<Server>>,
    _logs: Option<Logs>,
    seen: watch::Sender<bool>,
    feed: Mutex<Option<JoinHandle<()>>>,
    has_tray: AtomicBool,
}

impl Desk {
    /// Starts the engine and its loopback server. An engine that does not start is told in the window.
    pub(crate) async fn open(data_dir: PathBuf) -> Self {
        let engine = Engine::start(Options::new(&data_dir)).await.map_err(|error| with_causes(&error));
        let mut logs = None;
        let mut server = None;
        match &engine {
            Ok(engine) => {
                // After the lock: the files belong to whoever holds it.
                logs = logs::start(&data_dir).ok();
                match Server::start(engine, None).await {
                    Ok(started) => server = Some(started),
                    // The window says so, from the engine's notices; everything else works.
                    Err(error) => tracing::error!("the gateway is not available: {error}"),
                }
            }
            Err(error) => eprintln!("headroom: {error}"),
        }
        Self {
            data_dir,
            engine,
            server: Mutex::new(server),
            _logs: logs,
            seen: watch::Sender::new(false),
            feed: Mutex::new(None),
            has_tray: AtomicBool::new(false),
        }
    }

    /// The engine, or why there is none.
    pub(crate) fn engine(&self) -> Result<&Engine, ApiError> {
        self.engine.as_ref().map_err(|why| ApiError::new(Code::EngineStopped, why.clone()))
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(crate) fn settings(&self) -> DesktopSettings {
        self.engine.as_ref().map_or_else(|_| DesktopSettings::default(), |e| e.settings().desktop.clone())
    }

    pub(crate) fn seen(&self) -> watch::Receiver<bool> {
        self.seen.subscribe()
    }

    pub(crate) fn set_seen(&self, seen: bool) {
        self.seen.send_if_modified(|was| std::mem::replace(was, seen) != seen);
    }

    pub(crate) fn replace_feed(&self, feed: JoinHandle<()>) {
        let before = self.feed.lock().unwrap_or_else(PoisonError::into_inner).replace(feed);
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
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            server.stop().await;
        }
        if let Ok(engine) = &self.engine {
            engine.stop().await;
        }
    }
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
