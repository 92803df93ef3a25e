//! One access token for everybody, refreshed once.
//!
//! Whoever asks gets the token at hand. Shortly before it expires the next asker starts a refresh in the
//! background and still gets the old one; after it expired all wait for one refresh and share its
//! result, good or bad.
//!
//! Invariant: at most one refresh is under way.
//! Invariant: while a token is valid nobody is refused because a refresh failed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use serde::Serialize;
use tokio::sync::watch;

use super::secret::Secret;
use crate::clock::{Clock, Mono};

/// A refresh begins so long before the end, if the token lives long enough.
const BUFFER: Duration = Duration::from_secs(5 * 60);
/// Of a short-lived token the buffer is this part of its life: one fourth.
const BUFFER_PART: u32 = 4;
/// Pause after a failed refresh; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A new access token, and how long it lives.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// The token.
    pub access: Secret,
    /// Its life from now.
    pub lives: Duration,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The consent has ended: only a new sign-in helps.
    #[error("the sign-in has ended")]
    SignInNeeded,
    /// The refresh failed; a later one may not.
    #[error("the token could not be refreshed ({0})")]
    Refresh(String),
    /// The new token lives shorter than was asked for.
    #[error("the token lives only {0} s")]
    TooShort(u64),
}

/// What [`Refresher::refresh`] returns.
pub type Refreshing<'a> = Pin<Box<dyn Future<Output = Result<Fresh, TokenError>> + Send + 'a>>;

/// Gets a new access token. Whatever must be kept (a new refresh token) is safe when it returns.
pub trait Refresher: Send + Sync {
    /// One try.
    fn refresh(&self) -> Refreshing<'_>;
}

/// Counts since the start. `hits + misses = requests`; a waiter that shared a refresh is a miss that
/// cost none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ts_rs::TS)]
#[allow(clippy::struct_field_names, reason = "the names of the contract")]
pub struct TokenMetrics {
    /// Requests answered by the token at hand.
    pub cache_hits: u64,
    /// Requests that waited for a refresh.
    pub cache_misses: u64,
    /// All requests.
    pub total_requests: u64,
    /// Refreshes begun.
    pub refresh_attempts: u64,
    /// Refreshes that brought a token.
    pub refresh_successes: u64,
    /// Refreshes that did not.
    pub refresh_failures: u64,
}

#[derive(Debug, Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    attempts: AtomicU64,
    successes: AtomicU64,
    failures: AtomicU64,
}

#[derive(Debug, Clone)]
struct Token {
    access: Secret,
    got: Mono,
    expires: Mono,
}

impl Token {
    fn new(fresh: &Fresh, now: Mono) -> Self {
        Self { access: fresh.access.clone(), got: now, expires: now + fresh.lives }
    }

    fn lives(&self) -> Duration {
        self.expires.since(self.got)
    }

    fn refresh_from(&self) -> Mono {
        self.expires - BUFFER.min(self.lives() / BUFFER_PART)
    }
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    ended: bool,
    failures: u32,
    pause_until: Mono,
    last_error: Option<TokenError>,
}

impl State {
    fn valid(&self, now: Mono) -> Option<&Token> {
        self.token.as_ref().filter(|token| now < token.expires)
    }

    /// Whether a token that is still good wants its successor.
    fn is_due(&self, now: Mono) -> bool {
        let due = self.valid(now).is_some_and(|token| token.refresh_from() <= now);
        due && self.pause_until <= now
    }

    /// Why a refresh is not tried: the consent has ended, or another try so soon after a failure would be
    /// a stampede in slow motion.
    fn no_try(&self, now: Mono) -> Option<TokenError> {
        match &self.last_error {
            _ if self.ended => Some(TokenError::SignInNeeded),
            Some(error) if now < self.pause_until => Some(error.clone()),
            _ => None,
        }
    }

    /// Seconds until the token expires.
    fn left(&self, now: Mono) -> u64 {
        self.token.as_ref().map_or(0, |token| token.expires.since(now).as_secs())
    }
}

type Outcome = Option<Result<Secret, TokenError>>;

/// The access token of one account.
pub struct TokenCache {
    clock: Clock,
    refresher: Arc<dyn Refresher>,
    state: RwLock<State>,
    flight: Mutex<Option<watch::Receiver<Outcome>>>,
    counters: Counters,
}

impl std::fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCache").field("state", &*self.state.read()).finish_non_exhaustive()
    }
}

impl TokenCache {
    /// A cache without a token: the first asker starts a refresh.
    #[must_use]
    pub fn new(clock: Clock, refresher: Arc<dyn Refresher>) -> Arc<Self> {
        let state = RwLock::new(State { pause_until: Mono::from_micros(i64::MIN), ..State::default() });
        Arc::new(Self { clock, refresher, state, flight: Mutex::default(), counters: Counters::default() })
    }

    /// Takes up a token that came otherwise: from a sign-in.
    pub fn put(&self, fresh: &Fresh) {
        let token = Token::new(fresh, self.clock.mono());
        *self.state.write() =
            State { token: Some(token), pause_until: Mono::from_micros(i64::MIN), ..State::default() };
    }

    /// The token, at once if there is a valid one.
    ///
    /// # Errors
    /// The consent has ended, or there is no valid token and none could be got.
    pub async fn get(self: &Arc<Self>) -> Result<Secret, TokenError> {
        let now = self.clock.mono();
        let (valid, due) = {
            let state = self.state.read();
            (state.valid(now).map(|token| token.access.clone()), state.is_due(now))
        };
        if let Some(access) = valid {
            self.counters.hits.fetch_add(1, Ordering::Relaxed);
            if due {
                // Nobody waits for it.
                let _ = self.begin_unless(|state| (!state.is_due(now)).then_some(()));
            }
            return Ok(access);
        }
        self.counters.misses.fetch_add(1, Ordering::Relaxed);
        self.renewed().await
    }

    /// A token that is still good after `window`.
    ///
    /// # Errors
    /// As of [`TokenCache::get`], or a new token would not live so long.
    pub async fn ensure(self: &Arc<Self>, window: Duration) -> Result<Secret, TokenError> {
        let now = self.clock.mono();
        let there = |state: &State| {
            let token = state.token.as_ref();
            match token.filter(|token| now + window < token.expires) {
                Some(token) => Some(Ok(token.access.clone())),
                // A young token that is too short: the next would be no longer.
                None if token.is_some_and(|t| t.lives() <= window && now < t.refresh_from()) => {
                    Some(Err(TokenError::TooShort(state.left(now))))
                }
                None => state.no_try(now).map(Err),
            }
        };
        let looked = there(&self.state.read());
        if let Some(Ok(access)) = looked {
            self.counters.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(access);
        }
        self.counters.misses.fetch_add(1, Ordering::Relaxed);
        match self.begin_unless(there) {
            Ok(there) => return there,
            Err(flight) => drop(Self::wait(flight).await?),
        }
        let now = self.clock.mono();
        let state = self.state.read();
        let token = state.token.as_ref().filter(|token| now + window < token.expires);
        token.map(|token| token.access.clone()).ok_or_else(|| TokenError::TooShort(state.left(now)))
    }

    /// Refreshes, however good the token at hand is. One that is already under way will do.
    ///
    /// # Errors
    /// As of [`TokenCache::get`].
    pub async fn force(self: &Arc<Self>) -> Result<Secret, TokenError> {
        let ended = |state: &State| state.ended.then_some(TokenError::SignInNeeded);
        match self.begin_unless(ended) {
            Ok(ended) => Err(ended),
            Err(flight) => Self::wait(flight).await,
        }
    }

    /// A token other than `rejected`, which the service did not take: the one at hand if somebody else
    /// has renewed it, else that of a refresh.
    ///
    /// # Errors
    /// As of [`TokenCache::get`].
    pub async fn instead_of(self: &Arc<Self>, rejected: &Secret) -> Result<Secret, TokenError> {
        let now = self.clock.mono();
        let begun = self.begin_unless(|state| {
            let other = state.valid(now).map(|token| token.access.clone()).filter(|other| other != rejected);
            other.map(Ok).or_else(|| state.no_try(now).map(Err))
        });
        match begun {
            Ok(there) => there,
            Err(flight) => Self::wait(flight).await,
        }
    }

    async fn renewed(self: &Arc<Self>) -> Result<Secret, TokenError> {
        let now = self.clock.mono();
        let begun = self.begin_unless(|state| {
            let valid = state.valid(now).map(|token| token.access.clone());
            valid.map(Ok).or_else(|| state.no_try(now).map(Err))
        });
        match begun {
            Ok(there) => there,
            Err(flight) => Self::wait(flight).await,
        }
    }

    async fn wait(mut flight: watch::Receiver<Outcome>) -> Result<Secret, TokenError> {
        let ended = || TokenError::Refresh("the engine is stopping".to_owned());
        let outcome = flight.wait_for(Option::is_some).await.map_err(|_| ended())?;
        outcome.clone().unwrap_or_else(|| Err(ended()))
    }

    /// The flight under way, or a new one, unless what the last flight left is what is wanted: the state
    /// is looked at when no flight can land. A flight is a task of its own: an asker that goes away does
    /// not end it.
    fn begin_unless<T>(
        self: &Arc<Self>,
        there: impl FnOnce(&State) -> Option<T>,
    ) -> Result<T, watch::Receiver<Outcome>> {
        let mut flight = self.flight.lock();
        if let Some(flight) = &*flight {
            return Err(flight.clone());
        }
        if let Some(there) = there(&self.state.read()) {
            return Ok(there);
        }
        let (done, outcome) = watch::channel(None);
        *flight = Some(outcome.clone());
        self.counters.attempts.fetch_add(1, Ordering::Relaxed);
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let fresh = this.refresher.refresh().await;
            let result = this.land(fresh);
            // The flight ends before its waiters wake: whoever asks next finds the state it left.
            *this.flight.lock() = None;
            done.send_replace(Some(result));
        });
        Err(outcome)
    }

    fn land(&self, fresh: Result<Fresh, TokenError>) -> Result<Secret, TokenError> {
        let now = self.clock.mono();
        let mut state = self.state.write();
        match fresh {
            Ok(fresh) => {
                self.counters.successes.fetch_add(1, Ordering::Relaxed);
                let token = Token::new(&fresh, now);
                *state = State { token: Some(token), pause_until: now, ..State::default() };
                Ok(fresh.access)
            }
            Err(error) => {
                self.counters.failures.fetch_add(1, Ordering::Relaxed);
                tracing::warn!("{error}");
                if error == TokenError::SignInNeeded {
                    *state = State { ended: true, pause_until: now, ..State::default() };
                    return Err(error);
                }
                let pause = FIRST_PAUSE.saturating_mul(1u32.checked_shl(state.failures).unwrap_or(u32::MAX));
                state.failures += 1;
                state.pause_until = now + pause.min(LONGEST_PAUSE);
                state.last_error = Some(error.clone());
                // What is still valid is better than an error.
                state.valid(now).map(|token| token.access.clone()).ok_or(error)
            }
        }
    }

    /// Time until the token expires; `None` without one.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        self.state.read().token.as_ref().map(|token| token.expires.since(self.clock.mono()))
    }

    /// Age of the token; `None` without one.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.state.read().token.as_ref().map(|token| self.clock.mono().since(token.got))
    }

    /// Whether only a new sign-in helps.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.state.read().ended
    }

    /// What was counted since the start.
    #[must_use]
    pub fn metrics(&self) -> TokenMetrics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (hits, misses) = (read(&self.counters.hits), read(&self.counters.misses));
        TokenMetrics {
            cache_hits: hits,
            cache_misses: misses,
            total_requests: hits + misses,
            refresh_attempts: read(&self.counters.attempts),
            refresh_successes: read(&self.counters.successes),
            refresh_failures: read(&self.counters.failures),
        }
    }
}
