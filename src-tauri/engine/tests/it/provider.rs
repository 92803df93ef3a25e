//! Providers in memory: one that follows a script, and one that counts strictly.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use headroom_engine::call::transport::{Sending, Transport, TransportError};
use http::{Request, Response};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::ms;

/// The runtime's clock, which a paused runtime makes virtual.
#[expect(clippy::disallowed_methods, reason = "the provider's clock is not ours, but it is as virtual")]
fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// One request as the provider saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Since the provider was made.
    pub at: Duration,
    pub uri: String,
    /// The bearer token it showed.
    pub bearer: String,
    /// What it asked to be compared with, if it asked whether something changed.
    pub if_none_match: String,
    pub body: String,
}

impl Seen {
    /// Path and query.
    pub fn target(&self) -> &str {
        let rest = self.uri.split_once("//").unwrap().1;
        &rest[rest.find('/').unwrap()..]
    }
}

/// What it does with one request: waits, then answers or breaks off.
pub struct Reply(pub Duration, pub Result<Response<Bytes>, TransportError>);

impl Reply {
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self(ms(0), Ok(Response::builder().status(status).body(body.into()).unwrap()))
    }

    pub fn ok() -> Self {
        Self::new(200, "{}")
    }

    pub fn broken() -> Self {
        Self(ms(0), Err(TransportError::Broken("reset".into())))
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(response) = &mut self.1 {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        self
    }

    pub fn after(mut self, latency: Duration) -> Self {
        self.0 = latency;
        self
    }
}

type Script = Box<dyn FnMut(&Seen) -> Reply + Send>;

/// Answers by a script and notes what came.
pub struct Scripted {
    began: tokio::time::Instant,
    script: Mutex<Script>,
    seen: Mutex<Vec<Seen>>,
}

impl Scripted {
    pub fn new(script: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        Self { began: now(), script: Mutex::new(Box::new(script)), seen: Mutex::default() }
    }

    /// Answers everything well after `latency`.
    pub fn well(latency: Duration) -> Self {
        Self::new(move |_| Reply::ok().after(latency))
    }

    /// Another script from now on.
    pub fn now(&self, script: impl FnMut(&Seen) -> Reply + Send + 'static) {
        *self.script.lock() = Box::new(script);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    pub fn count(&self) -> usize {
        self.seen.lock().len()
    }

    /// The provider's clock.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

impl Transport for Scripted {
    fn send(&self, request: Request<Bytes>) -> Sending<'_> {
        let header = |name: &str| {
            request.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
        };
        let seen = Seen {
            at: self.began.elapsed(),
            uri: request.uri().to_string(),
            bearer: header("authorization").strip_prefix("Bearer ").unwrap_or_default().to_owned(),
            if_none_match: header("if-none-match"),
            body: String::from_utf8_lossy(request.body()).into_owned(),
        };
        let Reply(latency, answer) = (self.script.lock())(&seen);
        self.seen.lock().push(seen);
        Box::pin(async move {
            tokio::time::sleep(latency).await;
            answer
        })
    }
}

/// Allows `calls` in any `window` and answers as Deezer does, counting each request at a random
/// instant between its arrival and its answer.
pub struct Strict {
    calls: usize,
    window: Duration,
    latency_ms: (u64, u64),
    state: Mutex<(StdRng, VecDeque<tokio::time::Instant>)>,
    /// Requests that came and requests refused.
    pub counts: Mutex<(usize, usize)>,
}

impl Strict {
    pub fn new(calls: usize, window: Duration, latency_ms: (u64, u64)) -> Self {
        let state = Mutex::new((StdRng::seed_from_u64(7), VecDeque::new()));
        Self { calls, window, latency_ms, state, counts: Mutex::default() }
    }

    fn admits(&self) -> bool {
        let (now, mut state) = (now(), self.state.lock());
        while state.1.front().is_some_and(|at| now - *at >= self.window) {
            state.1.pop_front();
        }
        state.1.push_back(now);
        state.1.len() <= self.calls
    }
}

impl Transport for Strict {
    fn send(&self, _: Request<Bytes>) -> Sending<'_> {
        let (before, after) = {
            let rng = &mut self.state.lock().0;
            let latency = rng.random_range(self.latency_ms.0..=self.latency_ms.1);
            let before = rng.random_range(0..=latency);
            (before, latency - before)
        };
        self.counts.lock().0 += 1;
        Box::pin(async move {
            tokio::time::sleep(ms(before)).await;
            let body = if self.admits() { "{}" } else { r#"{"error":{"code":4}}"# };
            if body != "{}" {
                self.counts.lock().1 += 1;
            }
            tokio::time::sleep(ms(after)).await;
            Ok(Response::new(Bytes::from_static(body.as_bytes())))
        })
    }
}
