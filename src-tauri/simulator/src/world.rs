//! Everything the stand-ins share: clock, catalogue, accounts, and per service
//! a desk with its rules, limits, switches and ledger.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::oauth::OAuth;
use crate::people::People;
use crate::rng::Rng;
use crate::services::{self, Provider};
use crate::window::{Limit, Limits};

/// Locks, and goes on after another test's panic: the data is only counts.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which credentials a service takes.
#[derive(Clone, Debug)]
pub(crate) enum Accept {
    /// Only these.
    Listed(Vec<String>),
    /// Anything that is not empty.
    Any,
}

impl Accept {
    pub(crate) fn takes(&self, credential: &str) -> bool {
        match self {
            Self::Listed(all) => all.iter().any(|one| one == credential),
            Self::Any => !credential.is_empty(),
        }
    }
}

/// How a service behaves at the moment; changed over the control route.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) windows: Vec<Limit>,
    pub(crate) quota: Option<Limit>,
    /// Shortest and longest time to an answer, in milliseconds.
    pub(crate) latency_ms: [u64; 2],
    /// Count at any instant between arrival and answer, not at arrival.
    pub(crate) count_anywhere: bool,
    pub(crate) accept: Accept,
    /// Send `Retry-After` where this service does.
    pub(crate) retry_after: bool,
}

impl Rules {
    pub(crate) fn of(provider: &dyn Provider, latency_ms: [u64; 2]) -> Self {
        Self {
            windows: provider.windows(),
            quota: provider.quota(),
            latency_ms,
            count_anywhere: false,
            accept: Accept::Listed(provider.credentials().iter().map(|&key| key.to_owned()).collect()),
            retry_after: true,
        }
    }

    pub(crate) fn limits(&self, provider: &dyn Provider) -> Limits {
        Limits::new(&self.windows, self.quota, provider.refused_count(), provider.bans())
    }
}

/// What changes while a service runs.
#[derive(Debug)]
pub(crate) struct DeskState {
    pub(crate) rules: Rules,
    pub(crate) limits: Limits,
    pub(crate) faults: Faults,
    pub(crate) ledger: Ledger,
    pub(crate) rng: Rng,
}

/// One port: a service or an accounts server.
pub(crate) struct Desk {
    pub(crate) provider: &'static dyn Provider,
    pub(crate) base: String,
    default: Rules,
    pub(crate) state: Mutex<DeskState>,
}

impl Desk {
    /// Back to the beginning: counts, log, windows, bans, switches and rules.
    pub(crate) fn reset(&self) {
        let mut state = lock(&self.state);
        state.rules = self.default.clone();
        state.limits = self.default.limits(self.provider);
        state.faults = Faults::default();
        state.ledger = Ledger::default();
    }
}

/// The whole simulation.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) catalogue: Catalogue,
    /// Address of the control port.
    pub(crate) control: String,
    /// In the order of [`services::ALL`].
    pub(crate) desks: Vec<Desk>,
    pub(crate) oauth: Mutex<OAuth>,
    pub(crate) people: Mutex<People>,
    /// Requests to the foreign host that redirects to `other` point at.
    pub(crate) elsewhere: Mutex<Vec<Value>>,
}

impl World {
    /// A world whose ports are already bound: `bases` in the order of
    /// [`services::ALL`], `control` for the control port.
    pub(crate) fn new(seed: u64, latency_ms: [u64; 2], control: String, bases: Vec<String>) -> Self {
        let clock = Clock::start();
        let desk = |(n, (provider, base)): (usize, (&&'static dyn Provider, String))| {
            let rules = Rules::of(*provider, latency_ms);
            let limits = rules.limits(*provider);
            let rng = Rng::new(seed, 1_000 + n as u64);
            let state = DeskState {
                rules: rules.clone(),
                limits,
                faults: Faults::default(),
                ledger: Ledger::default(),
                rng,
            };
            Desk { provider: *provider, base, default: rules, state: Mutex::new(state) }
        };
        Self {
            catalogue: Catalogue::new(seed),
            control,
            desks: services::ALL.iter().zip(bases).enumerate().map(desk).collect(),
            oauth: Mutex::new(OAuth::new(seed)),
            people: Mutex::new(People::new(seed, clock.unix_ms())),
            elsewhere: Mutex::new(Vec::new()),
            clock,
        }
    }

    /// The desk of a service id, or of `spotify-accounts` and `tidal-accounts`.
    pub(crate) fn desk(&self, id: &str) -> Option<&Desk> {
        self.desks.iter().find(|desk| desk.provider.id() == id)
    }

    /// Addresses of the services, and of the accounts servers.
    pub(crate) fn addresses(&self) -> [HashMap<&'static str, String>; 2] {
        let mut addresses = [HashMap::new(), HashMap::new()];
        for desk in &self.desks {
            let id = desk.provider.id();
            match id.strip_suffix("-accounts") {
                Some(service) => addresses[1].insert(service, desk.base.clone()),
                None => addresses[0].insert(id, desk.base.clone()),
            };
        }
        addresses
    }
}
