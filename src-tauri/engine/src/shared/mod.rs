//! What several Headrooms share over a server that speaks the Redis protocol (Redis, Valkey, Dragonfly).
//!
//! `link.rs` keeps the one connection; whoever uses it ([`Shared::command`], [`Shared::pipeline`],
//! [`Shared::script`]) gets `None` at once while there is none. Everything on the server lies under
//! [`PREFIX`]. `budget/` keeps the budgets of all machines together there.
//!
//! Invariant: nothing here prints a user or a password.

mod address;
mod book;
mod budget;
mod link;
mod test;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, FromRedisValue, Pipeline, ScriptInvocation};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::budget::{Gate, Incident};
use crate::clock::Clock;
use crate::service::ServiceId;
use budget::{Clerk, Tell};

pub use address::{SharedUrl, SharedUrlError};
pub use link::{Link, LinkError, LinkState, PATIENCE};
pub use test::{SharedTest, TestError, test};

/// All our keys on the server begin with this. The number is that of the layout below it.
pub const PREFIX: &str = "headroom:1:";

/// How the shared server stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct SharedStatus {
    /// Its address, without user and password.
    pub address: String,
    /// Whether it is used now.
    pub connected: bool,
    /// What keeps it from being used.
    pub trouble: Option<String>,
    /// How many Headrooms share it, this one included; null before it was reached.
    pub machines: Option<u32>,
}

/// The shared tier of one engine. Its tasks end when the last handle is dropped.
#[derive(Clone)]
pub struct Shared(Arc<Owner>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shared").field(&self.0.link).finish()
    }
}

struct Owner {
    link: Link,
    clerk: Arc<Clerk>,
    tasks: Vec<AbortHandle>,
}

/// What a person wants to know of the shared server. Texts name no secret.
#[derive(Debug, Clone)]
pub enum News {
    /// It cannot be used.
    Gone(String),
    /// It is used again.
    Back(String),
    /// Another machine met a ban, which holds here too.
    Ban(ServiceId, Incident),
}

/// A connection that breaks again within this is no news.
const STEADY: Duration = Duration::from_secs(2);

impl Drop for Owner {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Shared {
    /// A shared tier that is off until [`Shared::follow`] names a server.
    ///
    /// `gates` are those of all services, in the order of [`ServiceId::ALL`].
    pub(crate) fn start(
        clock: Clock,
        data_dir: &Path,
        gates: Vec<Arc<Gate>>,
        news: impl Fn(News) + Send + Sync + 'static,
    ) -> Self {
        let news: Tell = Arc::new(news);
        let (link, keeping) = Link::new();
        let clerk = Arc::new(Clerk::new(link.clone(), clock, data_dir, gates, Arc::clone(&news)));
        let tasks = vec![
            tokio::spawn(keeping).abort_handle(),
            tokio::spawn(Arc::clone(&clerk).work()).abort_handle(),
            tokio::spawn(tell(link.clone(), news)).abort_handle(),
        ];
        Self(Arc::new(Owner { link, clerk, tasks }))
    }

    /// Connects to another server, or to none.
    pub(crate) fn follow(&self, url: Option<&SharedUrl>) {
        if !self.0.link.is_at(url) {
            self.0.clerk.leave();
            self.0.link.follow(url);
        }
        self.0.clerk.share(url.is_some());
    }

    /// Waits until the first try has ended, and at most `patience`.
    pub(crate) async fn first_try(&self, patience: Duration) {
        let mut states = self.0.link.states();
        let tried = async {
            let state = states.wait_for(|state| *state != LinkState::Trying).await.map(|state| *state);
            if matches!(state, Ok(LinkState::Up(_))) {
                self.0.clerk.joined().await;
            }
        };
        let _ = tokio::time::timeout(patience, tried).await;
    }

    /// Whether the settings name a shared server.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.link.state() != LinkState::Off
    }

    /// Whether commands go through now.
    #[must_use]
    pub fn connected(&self) -> bool {
        matches!(self.0.link.state(), LinkState::Up(_))
    }

    /// Which connection commands go through; `None` while there is none.
    #[must_use]
    pub fn connection(&self) -> Option<u64> {
        match self.0.link.state() {
            LinkState::Up(number) => Some(number),
            LinkState::Off | LinkState::Trying | LinkState::Gone => None,
        }
    }

    /// Whether budgets are kept together with other machines now: connected, and everything told.
    #[must_use]
    pub fn together(&self) -> bool {
        self.0.clerk.together()
    }

    /// How the connection stands, as it changes: each new [`LinkState::Up`] is another connection,
    /// after which anything may have been missed.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<LinkState> {
        self.0.link.states()
    }

    /// The server in the settings.
    #[must_use]
    pub fn url(&self) -> Option<SharedUrl> {
        self.0.link.url()
    }

    /// Runs one command, within [`PATIENCE`]. `None`: the server is gone, slow, or refused it.
    pub async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        answered(self.0.link.command(command).await)
    }

    /// Runs commands in one go; as [`Shared::command`].
    pub async fn pipeline<T: FromRedisValue>(&self, commands: &Pipeline) -> Option<T> {
        answered(self.0.link.pipeline(commands).await)
    }

    /// Runs a script; as [`Shared::command`].
    pub async fn script<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Option<T> {
        answered(self.0.link.script(script).await)
    }

    /// What the user should know while the server cannot be used, and what to do.
    pub(crate) fn notice(&self) -> Option<String> {
        let status = self.status().filter(|status| !status.connected)?;
        let trouble = status.trouble?;
        Some(format!(
            "The shared server {} cannot be used: {trouble}. Until it can, this machine answers from its own \
             cache and uses no more than its share of each budget. Start the server, or choose another with \
             cache.shared_url in settings.json",
            status.address
        ))
    }

    /// Takes leave of the server.
    pub(crate) async fn stop(&self) {
        self.0.clerk.farewell().await;
        self.0.link.follow(None);
    }

    /// How it stands; `None` while the settings name no server.
    #[must_use]
    pub fn status(&self) -> Option<SharedStatus> {
        let url = self.url()?;
        Some(SharedStatus {
            address: url.to_string(),
            connected: self.connected(),
            trouble: self.0.link.trouble(),
            machines: self.0.clerk.machines(),
        })
    }
}

/// Tells of a server that went, once, and of its return, once it stays.
async fn tell(link: Link, news: Tell) {
    let mut states = link.states();
    let mut gone = false;
    loop {
        let state = *states.borrow_and_update();
        let address = link.url().map(|url| url.to_string()).unwrap_or_default();
        match state {
            LinkState::Gone if !gone => {
                gone = true;
                let text = format!(
                    "The shared server {address} is gone ({}); this machine goes on by itself",
                    link.trouble().unwrap_or_default()
                );
                tracing::warn!("{text}");
                news(News::Gone(text));
            }
            LinkState::Up(_) if gone => {
                if tokio::time::timeout(STEADY, states.changed()).await.is_ok() {
                    continue;
                }
                gone = false;
                let text = format!("The shared server {address} is used again");
                tracing::info!("{text}");
                news(News::Back(text));
            }
            LinkState::Off | LinkState::Trying => gone = false,
            LinkState::Gone | LinkState::Up(_) => {}
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

fn answered<T>(answer: Result<T, LinkError>) -> Option<T> {
    answer
        .inspect_err(|error| match error {
            LinkError::Gone => {}
            LinkError::Refused(_) => tracing::warn!("{error}"),
        })
        .ok()
}
