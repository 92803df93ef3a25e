//! Failure switches: what a test can make a stand-in do instead of answering.
//!
//! A switch is on for a number of calls (`times`), for a time (`for_ms`), or
//! until it is cleared. The first one that fits a call is used.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::Value;

use crate::call::{Answer, Call};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// The service's refusal; its own if no status is given.
    Refuse,
    /// A status with an optional body.
    Status,
    /// A web page where JSON is expected.
    Html,
    /// No body at all.
    Empty,
    /// A body of `bytes` bytes, made as it is read.
    Big,
    /// The ordinary answer, ten bytes at a time, `pause_ms` apart.
    Slow,
    /// The ordinary answer's length, half of its bytes, then the end.
    Truncate,
    /// A TCP reset.
    Reset,
    /// The connection closed without an answer.
    Close,
    /// Nothing, ever.
    Hang,
    /// A redirect: `to` is `same`, `relative`, `other` or an address.
    Redirect,
    /// The ordinary answer with more `headers`.
    Headers,
    /// The ordinary answer, `pause_ms` late.
    Delay,
}

/// One failure switch, as written on the control route.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    #[serde(default = "refuse")]
    pub(crate) kind: Kind,
    times: Option<u32>,
    for_ms: Option<u64>,
    /// Only calls whose path begins so.
    path: Option<String>,
    pub(crate) status: Option<u16>,
    /// With `refuse`: the quota's refusal instead of the rate's.
    #[serde(default)]
    quota: bool,
    /// A string is sent as it is, anything else as JSON.
    body: Option<Value>,
    content_type: Option<String>,
    /// Sent as it is written, so that nonsense can be sent too.
    retry_after: Option<Value>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    bytes: Option<u64>,
    /// With `big`: without `Content-Length`.
    #[serde(default)]
    chunked: bool,
    pause_ms: Option<u64>,
    to: Option<String>,
    #[serde(skip)]
    until: Option<Duration>,
}

fn refuse() -> Kind {
    Kind::Refuse
}

/// The switches of one service.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Adds a switch at the end.
    pub(crate) fn add(&mut self, mut fault: Fault, now: Duration) {
        fault.until = fault.for_ms.map(|ms| now + Duration::from_millis(ms));
        self.0.push(fault);
    }

    /// Turns everything off.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// How many switches are still on.
    pub(crate) fn active(&mut self, now: Duration) -> usize {
        self.0.retain(|fault| fault.times != Some(0) && fault.until.is_none_or(|until| now < until));
        self.0.len()
    }

    /// The switch for this call, used up by one.
    pub(crate) fn take(&mut self, path: &str, now: Duration) -> Option<Fault> {
        self.active(now);
        let fits = |fault: &&mut Fault| fault.path.as_deref().is_none_or(|prefix| path.starts_with(prefix));
        let fault = self.0.iter_mut().find(fits)?;
        let taken = fault.clone();
        if let Some(times) = fault.times.as_mut() {
            *times -= 1;
        }
        Some(taken)
    }
}

impl Fault {
    /// How long a `delay` waits, or a `slow` body between pieces.
    pub(crate) fn pause(&self, default_ms: u64) -> Duration {
        Duration::from_millis(self.pause_ms.unwrap_or(default_ms))
    }

    /// Whether the quota's refusal is meant.
    pub(crate) fn is_quota(&self) -> bool {
        self.quota
    }

    /// Whether the answer counts as a refusal.
    pub(crate) fn refuses(&self) -> bool {
        self.kind == Kind::Refuse
    }

    /// Whether the provider never gets to do what was asked.
    pub(crate) fn prevents(&self) -> bool {
        matches!(self.kind, Kind::Refuse | Kind::Status | Kind::Html | Kind::Redirect)
    }

    /// Whether the ordinary answer still goes out, whole.
    pub(crate) fn answers(&self) -> bool {
        matches!(self.kind, Kind::Headers | Kind::Delay | Kind::Slow)
    }

    fn written(&self, default: Option<&str>) -> (Option<String>, Option<&'static str>) {
        match &self.body {
            Some(Value::String(text)) => (Some(text.clone()), None),
            Some(json) => (Some(json.to_string()), Some("application/json; charset=utf-8")),
            None => (default.map(str::to_owned), None),
        }
    }

    /// Applies the switch: `ordinary` is what would have been sent, `refusal`
    /// the service's own refusal, `other` a foreign host to be redirected to.
    /// The body is given apart where it is not simply bytes.
    pub(crate) fn apply(
        &self,
        call: &Call,
        ordinary: Answer,
        refusal: Answer,
        other: &str,
    ) -> (Answer, Option<Body>) {
        let mut body = None;
        let mut answer = match self.kind {
            Kind::Refuse if self.status.is_none() => refusal,
            Kind::Refuse | Kind::Status => {
                let (text, kind) = self.written(None);
                let status = self.status.unwrap_or(500);
                Answer::text(status, kind.unwrap_or("text/plain"), text.unwrap_or_default())
            }
            Kind::Html => {
                let page = "<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>We will be back soon</h1></body></html>";
                let (text, _) = self.written(Some(page));
                Answer::text(self.status.unwrap_or(200), "text/html; charset=utf-8", text.unwrap_or_default())
            }
            Kind::Empty => {
                Answer { body: Bytes::new(), status: self.status.unwrap_or(ordinary.status), ..ordinary }
            }
            Kind::Big => {
                let bytes = self.bytes.unwrap_or(1 << 30);
                body = Some(big(bytes));
                let status = self.status.unwrap_or(200);
                let sized = if self.chunked { ordinary } else { ordinary.with("content-length", bytes) };
                Answer { status, ..sized }
            }
            Kind::Slow => {
                let length = ordinary.body.len();
                body = Some(slow(ordinary.body.clone(), self.pause(50)));
                ordinary.with("content-length", length)
            }
            Kind::Truncate => {
                let whole = if ordinary.body.len() < 2 {
                    Bytes::from_static(b"{\"data\":[]}")
                } else {
                    ordinary.body.clone()
                };
                body = Some(truncated(whole.slice(..whole.len() / 2)));
                ordinary.with("content-length", whole.len())
            }
            Kind::Redirect => {
                let tail = if call.raw_query.is_empty() {
                    call.path.clone()
                } else {
                    format!("{}?{}", call.path, call.raw_query)
                };
                let location = match self.to.as_deref() {
                    None | Some("same") => format!("{}{tail}", call.base),
                    Some("relative") => tail,
                    Some("other") => format!("{other}{tail}"),
                    Some(address) => address.to_owned(),
                };
                Answer::empty(self.status.unwrap_or(302)).with("location", location)
            }
            Kind::Headers | Kind::Delay | Kind::Reset | Kind::Close | Kind::Hang => ordinary,
        };
        if let Some(kind) = &self.content_type {
            answer = answer.typed(kind);
        }
        if let Some(after) = &self.retry_after {
            answer.headers.retain(|(name, _)| name != "retry-after");
            answer =
                answer.with("retry-after", after.as_str().map_or_else(|| after.to_string(), str::to_owned));
        }
        for (name, value) in &self.headers {
            answer = answer.with(name, value);
        }
        (answer, body)
    }
}

/// As many spaces, in pieces of 64 KiB; JSON allows them before a value that never comes.
fn big(bytes: u64) -> Body {
    const PIECE: &[u8] = &[b' '; 64 * 1024];
    Body::from_stream(stream::unfold(bytes, |left| async move {
        let piece = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE.len());
        (left > 0).then(|| (Ok::<_, Infallible>(Bytes::from_static(&PIECE[..piece])), left - piece as u64))
    }))
}

/// The body in pieces of ten bytes with a pause before each.
fn slow(body: Bytes, pause: Duration) -> Body {
    Body::from_stream(stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let piece = rest.split_to(rest.len().min(10));
        Some((Ok::<_, Infallible>(piece), rest))
    }))
}

/// The given bytes, then an error, which ends the connection too early.
fn truncated(half: Bytes) -> Body {
    Body::from_stream(stream::unfold(Some(half), |half| async move {
        match half {
            Some(half) if !half.is_empty() => Some((Ok(half), Some(Bytes::new()))),
            Some(_) => {
                // The first half must reach the wire before the connection ends.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), None))
            }
            None => None,
        }
    }))
}
