//! The one connection to the shared server.
//!
//! A task keeps it: it follows the setting, sees within a second when the server has gone, and tries
//! again. Callers never wait for a server that is not there: the first command that fails or takes
//! longer than [`PATIENCE`] marks the link as gone for all, and every command after it returns at once.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError};
use tokio::sync::{Notify, watch};

use super::address::SharedUrl;

/// The longest a command may take. A server slower than this is treated as gone.
pub const PATIENCE: Duration = Duration::from_millis(250);
/// The longest a connection, with its TLS and password, may take.
const CONNECT: Duration = Duration::from_secs(2);
/// Time between two looks whether the server is still there.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The first wait between two tries; doubles.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest wait between two tries.
const LAST_RETRY: Duration = Duration::from_secs(5);

/// How the link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// There is no shared server in the settings.
    Off,
    /// The first try is under way.
    Trying,
    /// The server cannot be used; it is tried again and again.
    Gone,
    /// Commands go through. The number counts connections: another one means that the server may
    /// have been another, or emptied, in between.
    Up(u64),
}

/// Why a command came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// There is no connection.
    #[error("there is no connection to the shared server")]
    Gone,
    /// The server answered, but refused the command. The link stays.
    #[error("the shared server refused a command ({0})")]
    Refused(String),
}

struct Held {
    url: Option<SharedUrl>,
    connection: Option<MultiplexedConnection>,
    /// Counts connections.
    number: u64,
    trouble: Option<String>,
}

struct Core {
    held: Mutex<Held>,
    state: watch::Sender<LinkState>,
    /// A command failed, or the setting changed: the task looks at once.
    look: Notify,
}

/// A cheap-clone handle to the connection.
#[derive(Clone)]
pub struct Link(Arc<Core>);

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.0.held.lock();
        f.debug_struct("Link").field("url", &held.url).field("state", &*self.0.state.borrow()).finish()
    }
}

impl Link {
    /// A link that is off, and the work of keeping it, to be spawned.
    pub(super) fn new() -> (Self, impl Future<Output = ()> + Send + 'static) {
        let held = Held { url: None, connection: None, number: 0, trouble: None };
        let core =
            Core { held: Mutex::new(held), state: watch::Sender::new(LinkState::Off), look: Notify::new() };
        let link = Self(Arc::new(core));
        (link.clone(), link.keep())
    }

    /// Whether this is the server in use.
    pub(super) fn is_at(&self, url: Option<&SharedUrl>) -> bool {
        self.0.held.lock().url.as_ref() == url
    }

    /// The connection, for a last word over it.
    pub(super) fn connection(&self) -> Option<MultiplexedConnection> {
        self.0.held.lock().connection.clone()
    }

    /// Connects to another server, or to none.
    pub(super) fn follow(&self, url: Option<&SharedUrl>) {
        let mut held = self.0.held.lock();
        if held.url.as_ref() == url {
            return;
        }
        held.url = url.cloned();
        held.connection = None;
        held.trouble = None;
        self.0.state.send_replace(if url.is_some() { LinkState::Trying } else { LinkState::Off });
        drop(held);
        self.0.look.notify_one();
    }

    /// How the link stands.
    #[must_use]
    pub fn state(&self) -> LinkState {
        *self.0.state.borrow()
    }

    /// How it stands, as it changes.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<LinkState> {
        self.0.state.subscribe()
    }

    /// The server in the settings.
    #[must_use]
    pub fn url(&self) -> Option<SharedUrl> {
        self.0.held.lock().url.clone()
    }

    /// What keeps the server from being used; names no secret.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.held.lock().trouble.clone()
    }

    /// Runs one command.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, LinkError> {
        self.run(async |mut connection| command.query_async(&mut connection).await).await
    }

    /// Runs commands in one go.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub async fn pipeline<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, LinkError> {
        self.run(async |mut connection| commands.query_async(&mut connection).await).await
    }

    /// Runs a script, which the server keeps for the next time.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub async fn script<T: FromRedisValue>(
        &self,
        script: &redis::ScriptInvocation<'_>,
    ) -> Result<T, LinkError> {
        self.run(async |mut connection| script.invoke_async(&mut connection).await).await
    }

    async fn run<T>(
        &self,
        work: impl AsyncFnOnce(MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, LinkError> {
        let (connection, number) = {
            let held = self.0.held.lock();
            (held.connection.clone().ok_or(LinkError::Gone)?, held.number)
        };
        match tokio::time::timeout(PATIENCE, work(connection)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) if is_refusal(&error) => Err(LinkError::Refused(self.scrub(&error.to_string()))),
            Ok(Err(error)) => {
                self.lost(number, &said(&error));
                Err(LinkError::Gone)
            }
            Err(_) => {
                self.lost(number, SLOW);
                Err(LinkError::Gone)
            }
        }
    }

    /// The connection of this number is of no use any more: everybody goes on without it.
    pub(super) fn lost(&self, number: u64, why: &str) {
        let mut held = self.0.held.lock();
        if held.number != number || held.connection.is_none() {
            return;
        }
        held.connection = None;
        let why = held.url.as_ref().map_or_else(String::new, |url| url.scrub(why));
        held.trouble = Some(why);
        self.0.state.send_replace(LinkState::Gone);
        drop(held);
        self.0.look.notify_one();
    }

    fn scrub(&self, text: &str) -> String {
        self.0.held.lock().url.as_ref().map_or_else(|| text.to_owned(), |url| url.scrub(text))
    }

    async fn keep(self) {
        let mut retry = FIRST_RETRY;
        loop {
            let Some(url) = self.url() else {
                self.0.look.notified().await;
                retry = FIRST_RETRY;
                continue;
            };
            match connect(&url).await {
                Ok(connection) => {
                    if self.up(&url, connection) {
                        retry = FIRST_RETRY;
                        self.watch(&url).await;
                    }
                }
                Err(why) => self.failed(&url, &why),
            }
            if self.url().as_ref() == Some(&url) {
                self.rest(&url, retry).await;
                retry = (retry * 2).min(LAST_RETRY);
            } else {
                retry = FIRST_RETRY;
            }
        }
    }

    /// Takes a new connection into use, unless the setting changed meanwhile.
    fn up(&self, url: &SharedUrl, connection: MultiplexedConnection) -> bool {
        let mut held = self.0.held.lock();
        if held.url.as_ref() != Some(url) {
            return false;
        }
        held.number += 1;
        held.connection = Some(connection);
        held.trouble = None;
        self.0.state.send_replace(LinkState::Up(held.number));
        true
    }

    fn failed(&self, url: &SharedUrl, why: &str) {
        let mut held = self.0.held.lock();
        if held.url.as_ref() == Some(url) {
            held.trouble = Some(url.scrub(why));
            self.0.state.send_replace(LinkState::Gone);
        }
    }

    /// Returns when the connection is gone or the setting has changed.
    async fn watch(&self, url: &SharedUrl) {
        let ping = redis::cmd("PING");
        loop {
            let still = matches!(self.state(), LinkState::Up(_)) && self.url().as_ref() == Some(url);
            if !still {
                return;
            }
            tokio::select! {
                () = self.0.look.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {
                    // A refusal is an answer too.
                    let _ = self.command::<redis::Value>(&ping).await;
                }
            }
        }
    }

    /// Waits for the next try; another setting is tried at once.
    async fn rest(&self, url: &SharedUrl, wait: Duration) {
        let changed = async {
            while self.url().as_ref() == Some(url) {
                self.0.look.notified().await;
            }
        };
        let _ = tokio::time::timeout(wait, changed).await;
    }
}

const SLOW: &str = "it took longer than 250 ms to answer";

/// A connection that has answered in time once.
async fn connect(url: &SharedUrl) -> Result<MultiplexedConnection, String> {
    let mut connection = open(url, CONNECT).await?;
    let ping = redis::cmd("PING");
    match tokio::time::timeout(PATIENCE, ping.query_async::<redis::Value>(&mut connection)).await {
        Ok(Ok(_)) => Ok(connection),
        Ok(Err(error)) => Err(said(&error)),
        Err(_) => Err(SLOW.to_owned()),
    }
}

/// Opens a connection of its own, within `wait`. The error names no secret of ours, but may repeat what
/// the server said: scrub it.
pub(super) async fn open(url: &SharedUrl, wait: Duration) -> Result<MultiplexedConnection, String> {
    let info = url.connection().map_err(|error| said(&error))?;
    let client = Client::open(info).map_err(|error| said(&error))?;
    // The times are ours to keep: one place says how long a command may take.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let opening = client.get_multiplexed_async_connection_with_config(&config);
    match tokio::time::timeout(wait, opening).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(said(&error)),
        Err(_) => Err(format!("no connection within {} s", wait.as_secs())),
    }
}

/// Whether the server understood us and said no to this one command.
fn is_refusal(error: &RedisError) -> bool {
    use redis::ServerErrorKind::{BusyLoading, MasterDown, TryAgain};
    match error.kind() {
        ErrorKind::Server(BusyLoading | MasterDown | TryAgain) => false,
        ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::UnexpectedReturnType => true,
        _ => false,
    }
}

/// What went wrong, for people.
pub(super) fn said(error: &RedisError) -> String {
    if error.kind() == ErrorKind::AuthenticationFailed {
        return "it refuses the user or the password".to_owned();
    }
    if error.is_connection_refusal() {
        return "nothing listens there".to_owned();
    }
    if error.is_connection_dropped() {
        return "the connection broke".to_owned();
    }
    error.to_string()
}
