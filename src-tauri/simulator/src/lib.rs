//! Local stand-ins of the twelve music services, for tests and the demo.
//!
//! One server per service on a loopback port, each with the provider's own
//! limits, refusals, not-found answers, credentials and JSON shapes, over one
//! invented [`Catalogue`]; accounts servers for Spotify (OAuth with PKCE) and
//! Tidal (client credentials); and a control port that changes limits, turns on
//! failures, moves the [`listener`] and reports what really arrived. Nothing
//! here is shipped, and the engine knows nothing of it.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use headroom_simulator::{Options, Simulator};
//! use serde_json::json;
//!
//! let simulator = Simulator::start(Options::default()).await?;
//! simulator.set("deezer", json!({"window": {"seconds": 0.5, "calls": 5}}))?;
//! let base = simulator.base_url("deezer"); // http://127.0.0.1:…
//! // … call it …
//! assert_eq!(simulator.count("deezer").refused, 0);
//! # Ok(()) }
//! ```

mod call;
mod catalogue;
mod clock;
mod control;
mod faults;
mod ledger;
pub mod listener;
mod oauth;
mod people;
mod player;
mod rng;
mod serve;
mod server;
mod services;
mod window;
mod world;

use std::io;
use std::sync::Arc;

use axum::Router;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub use catalogue::{Album, Artist, Catalogue, Track};
pub use ledger::Entry;
pub use window::Limit;

use world::{World, lock};

/// How a simulator starts. Everything else is changed with [`Simulator::set`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Decides catalogue, ids and latencies.
    pub seed: u64,
    /// First port (control); the others follow. `None` lets the system pick.
    pub port_base: Option<u16>,
    /// Shortest and longest time to an answer, in milliseconds.
    pub latency_ms: (u64, u64),
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, port_base: None, latency_ms: (0, 0) }
    }
}

/// What arrived at one service and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Count {
    /// Every request.
    pub arrived: u64,
    /// Ordinary answers, 401 and 404 included.
    pub answered: u64,
    /// Refusals, earned or forced.
    pub refused: u64,
    /// Requests that met a failure switch.
    pub failed: u64,
}

/// The running stand-ins; dropping it closes every port and connection.
pub struct Simulator {
    world: Arc<World>,
    servers: Vec<JoinHandle<()>>,
}

impl Simulator {
    /// Starts every server on the current Tokio runtime.
    ///
    /// # Errors
    /// When a port cannot be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        let port = |n: usize| match options.port_base {
            None => Ok(0),
            Some(base) => u16::try_from(usize::from(base) + n)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the ports would run past 65535")),
        };
        let (control_listener, control) = server::bind(port(0)?).await?;
        let (mut listeners, mut bases) = (Vec::new(), Vec::new());
        for n in 1..=services::ALL.len() {
            let (listener, base) = server::bind(port(n)?).await?;
            listeners.push(listener);
            bases.push(base);
        }
        let (low, high) = options.latency_ms;
        let world = Arc::new(World::new(options.seed, [low, high], control, bases));
        let mut servers =
            vec![tokio::spawn(server::run(control_listener, control::router(Arc::clone(&world))))];
        for (n, listener) in listeners.into_iter().enumerate() {
            let router = Router::new().fallback(serve::serve).with_state((Arc::clone(&world), n));
            servers.push(tokio::spawn(server::run(listener, router)));
        }
        Ok(Self { world, servers })
    }

    /// Scheme, host and port of a service's stand-in.
    ///
    /// # Panics
    /// When there is no such service.
    pub fn base_url(&self, service: &str) -> &str {
        &self.desk(service).base
    }

    /// Scheme, host and port of the accounts server of `spotify` or `tidal`.
    ///
    /// # Panics
    /// When the service has none.
    pub fn accounts_url(&self, service: &str) -> &str {
        &self.desk(&format!("{service}-accounts")).base
    }

    /// Scheme, host and port of the control route.
    pub fn control_url(&self) -> &str {
        &self.world.control
    }

    /// All addresses, as the program prints them.
    pub fn addresses(&self) -> Value {
        let [services, accounts] = self.world.addresses();
        json!({"control": self.world.control, "services": services, "accounts": accounts})
    }

    /// The invented music.
    pub fn catalogue(&self) -> &Catalogue {
        &self.world.catalogue
    }

    /// A credential the service takes: key, token, application or client id. `None` where it
    /// needs none. Where two are needed the other one is `test-qobuz-token` and
    /// `test-tidal-secret`; `spotify` names a token that never expires,
    /// `spotify-accounts` the registered client id.
    ///
    /// # Panics
    /// When there is no such service.
    pub fn credential(&self, service: &str) -> Option<&'static str> {
        self.desk(service).provider.credentials().first().copied()
    }

    /// What `GET /counts` answers.
    pub fn counts(&self) -> Value {
        control::counts(&self.world)
    }

    /// The counts of one service, or of `spotify-accounts` and `tidal-accounts`.
    ///
    /// # Panics
    /// When there is no such service.
    pub fn count(&self, service: &str) -> Count {
        let counts = lock(&self.desk(service).state).ledger.counts();
        serde_json::from_value(counts).unwrap_or_default()
    }

    /// The most arrivals any span of the service's first window ever held, and what it allows.
    ///
    /// # Panics
    /// When there is no such service.
    pub fn peak(&self, service: &str) -> (usize, usize) {
        let now = self.world.clock.elapsed();
        let (windows, _) = lock(&self.desk(service).state).limits.usage(now);
        windows.first().map_or((0, 0), |first| (first.peak, first.calls))
    }

    /// The last requests of a service, oldest first, credentials visible.
    ///
    /// # Panics
    /// When there is no such service.
    pub fn log(&self, service: &str) -> Vec<Entry> {
        lock(&self.desk(service).state).ledger.last(usize::MAX)
    }

    /// What was sent to the foreign host that redirects to `other` point at.
    pub fn elsewhere(&self) -> Vec<Value> {
        lock(&self.world.elsewhere).clone()
    }

    /// What `POST /services/{id}` does.
    ///
    /// # Errors
    /// A sentence saying what is wrong with the change.
    pub fn set(&self, service: &str, change: Value) -> Result<Value, String> {
        control::change(&self.world, service, change)
    }

    /// What `POST /accounts/spotify` does.
    ///
    /// # Errors
    /// A sentence saying what is wrong with the change.
    pub fn set_accounts(&self, change: Value) -> Result<Value, String> {
        control::change_accounts(&self.world, change)
    }

    /// What `POST /player` does.
    ///
    /// # Errors
    /// A sentence saying what is wrong with the command.
    pub fn player(&self, command: Value) -> Result<Value, String> {
        player::command(&self.world, command)
    }

    /// What `POST /reset` does: counts, logs, windows, bans, switches and rules.
    pub fn reset(&self) {
        control::reset(&self.world);
    }

    fn desk(&self, id: &str) -> &world::Desk {
        match self.world.desk(id) {
            Some(desk) => desk,
            None => panic!("the simulator has no service `{id}`"),
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
    }
}
