//! The loopback server: the gateway for tools, and the control API.
//!
//! It listens on 127.0.0.1 (and `[::1]` where that is free) and nowhere else. What comes on a connection
//! is looked at before it is read (`wire.rs`, `heads.rs`), every request passes the guard (`guard.rs`),
//! and then goes to the control API (`api.rs`) or down the path of a call (`proxy.rs`). What this guards
//! against, and what not, is in `docs/SECURITY.md`.

mod api;
mod assets;
mod compress;
mod conditional;
mod error;
mod guard;
mod headers;
mod heads;
mod links;
mod metrics;
mod openapi;
mod proxy;
mod receive;
mod serve;
mod session;
mod shown_key;
mod stream;
mod wire;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use assets::Assets;
use session::Sessions;

use crate::account::keys::{KeyHash, new_key};
use crate::disk::{self, Readers};
use crate::engine::Engine;

/// How long open requests may go on after a stop.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// Why the server does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Something else has the port.
    #[error(
        "port {0} on 127.0.0.1 is taken by another program: stop that, or choose another port with gateway.port in settings.json (0 picks a free one)"
    )]
    PortTaken(u16),
    /// The system said no.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `runtime.json` cannot be written.
    #[error("cannot write {path}")]
    Runtime {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What `runtime.json` says of a running engine.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Runtime {
    /// Its process.
    pub pid: u32,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// The control key.
    pub key: String,
}

impl Runtime {
    /// What the last engine on the folder `dir` wrote; it may be gone since.
    #[must_use]
    pub fn read(dir: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(dir.join("runtime.json")).ok()?).ok()
    }
}

/// What each request handler knows.
type Host = Arc<Shared>;

struct Shared {
    engine: Engine,
    control_key: KeyHash,
    /// The caller of whoever shows the control key.
    cli: Arc<str>,
    port: u16,
    sessions: Sessions,
    assets: Option<Assets>,
    stopping: watch::Receiver<bool>,
}

/// A running server. Dropping it ends it at once; [`Server::stop`] lets open requests end.
#[derive(Debug)]
pub struct Server {
    port: u16,
    runtime: PathBuf,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    engine: Engine,
}

impl Server {
    /// Listens on `port` (the settings' when `None`; 0 picks a free one) and writes `runtime.json`.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub async fn start(engine: &Engine, port: Option<u16>) -> Result<Self, ServeError> {
        Self::start_with(engine, port, None).await
    }

    /// The same with the window's page at `/`, for a browser.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub async fn start_with(
        engine: &Engine,
        port: Option<u16>,
        assets: Option<Assets>,
    ) -> Result<Self, ServeError> {
        let port = port.unwrap_or_else(|| engine.settings().gateway.port);
        let started = Self::listen(engine, port, assets).await;
        match &started {
            Ok(server) => engine.set_listening(Some(server.address()), None),
            Err(error) => engine.set_listening(None, Some(error.to_string())),
        }
        started
    }

    async fn listen(engine: &Engine, port: u16, assets: Option<Assets>) -> Result<Self, ServeError> {
        let v4 =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| match source.kind() {
                io::ErrorKind::AddrInUse => ServeError::PortTaken(port),
                _ => ServeError::Listen { port, source },
            })?;
        let port = v4.local_addr().map_err(|source| ServeError::Listen { port, source })?.port();
        // Nice to have: some clients try ::1 first when told "localhost".
        let v6 = TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await.ok();
        let control_key = new_key();
        let runtime = engine.data_dir().join("runtime.json");
        let written =
            serde_json::to_vec(&Runtime { pid: std::process::id(), port, key: control_key.clone() })
                .map_err(io::Error::from)
                .and_then(|bytes| disk::write_atomically(&runtime, &bytes, Readers::Owner));
        written.map_err(|source| ServeError::Runtime { path: runtime.clone(), source })?;
        let (stop, stopping) = watch::channel(false);
        let control_key = KeyHash::of(&control_key);
        let host = Arc::new(Shared {
            engine: engine.clone(),
            control_key,
            cli: "cli".into(),
            port,
            sessions: Sessions::default(),
            assets,
            stopping: stopping.clone(),
        });
        let router = router(host.clone());
        raise_open_files();
        let tasks = [Some(v4), v6].into_iter().flatten().map(|listener| {
            tokio::spawn(serve::serve(listener, host.clone(), router.clone(), stopping.clone()))
        });
        Ok(Self { port, runtime, stop, tasks: tasks.collect(), engine: engine.clone() })
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:8765`
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Takes no more requests, lets the open ones end, and removes `runtime.json`.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // One time for all of them: whoever waits for the end waits ten seconds. What is left is ended by
        // the drop.
        let all = async {
            for task in &mut self.tasks {
                let _ = task.await;
            }
        };
        let _ = tokio::time::timeout(LAST_REQUESTS, all).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.engine.set_listening(None, None);
        // Only ours: a later engine may have written its own.
        let _ = std::fs::remove_file(&self.runtime);
    }
}

fn router(host: Host) -> Router {
    api::outside(host.clone()).nest("/api", api::router(host.clone())).with_state(host)
}

/// A thousand connections are more files than many systems let a program open at first.
#[cfg(unix)]
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const WANTED: u64 = 8_192;
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX).min(WANTED);
    if limit.current.is_some_and(|current| current < most) {
        let raised = Rlimit { current: Some(most), maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::debug!("no more files can be opened at once: {error}");
        }
    }
}

#[cfg(not(unix))]
fn raise_open_files() {}
