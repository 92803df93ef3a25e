//! A call, from whoever asks to the service and back.
//!
//! [`path`] is the one way out of this machine; [`transport`] is its last step.

pub mod path;
pub mod transport;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};

use crate::budget::{Priority, Why};
use crate::clock::Wall;
use crate::service::{BanKind, ServiceId, Verdict};
use transport::Rest;

/// One request to a service, before any credential is attached.
#[derive(Debug, Clone)]
pub struct Call {
    /// Whom it asks.
    pub service: ServiceId,
    /// HTTP method.
    pub method: Method,
    /// Path below the service's base URL, beginning with `/`.
    pub path: String,
    /// Query without `?`, as it is to be sent.
    pub query: String,
    /// Headers of the asker that concern the service (`Accept`, `If-None-Match`, `Content-Type`).
    pub headers: HeaderMap,
    /// Body, often empty.
    pub body: Bytes,
    /// Who asked: `ui`, `cli`, `poller`, or the name of a tool's key.
    pub caller: Arc<str>,
    /// Its place in line.
    pub priority: Priority,
    /// How long it may wait for its budget; `None` is without bound.
    pub max_wait: Option<Duration>,
    /// Which answers from the cache it takes.
    pub accepts: Accepts,
    /// The largest part of the service's budget its caller may use, more than 0 and at most 1; all when
    /// `None`.
    pub share: Option<f64>,
}

/// Which answers from the cache a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accepts {
    /// None at all: the service itself is asked.
    pub only_fresh_from_service: bool,
    /// Answers that expired at most so long ago, also when the service could be asked. In a ban or an
    /// outage an expired answer is taken without this too, but not one that expired longer ago.
    pub max_stale: Option<Duration>,
    /// Answers the service gave at most so long ago, though they may still hold.
    pub max_age: Option<Duration>,
    /// The answer is not to be kept.
    pub keeps_nothing: bool,
}

impl Accepts {
    /// Whether an answer that expired so long ago is taken in a ban or an outage.
    #[must_use]
    pub fn takes(&self, staleness: Duration) -> bool {
        self.max_stale.is_none_or(|most| staleness <= most)
    }
}

impl Call {
    /// Its body, where that is a form.
    #[must_use]
    pub fn form(&self) -> Option<&str> {
        if self.body.is_empty() || !is_form(&self.headers) {
            return None;
        }
        std::str::from_utf8(&self.body).ok()
    }

    /// A `GET` of an interactive caller that waits up to `max_wait`.
    pub fn get(service: ServiceId, path: impl Into<String>, caller: &str, max_wait: Duration) -> Self {
        let whole = path.into();
        let (path, query) = match whole.split_once('?') {
            Some((path, query)) => (path.to_owned(), query.to_owned()),
            None => (whole, String::new()),
        };
        Self {
            service,
            method: Method::GET,
            path,
            query,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            caller: caller.into(),
            priority: Priority::Interactive,
            max_wait: Some(max_wait),
            accepts: Accepts::default(),
            share: None,
        }
    }
}

impl Call {
    /// What it asks for: the query, and the form in its body where the service takes one for a question.
    #[must_use]
    pub fn parameters(&self) -> Cow<'_, str> {
        match self.form().filter(|_| self.asks_by_form()) {
            None => Cow::Borrowed(&self.query),
            Some(form) if self.query.is_empty() => Cow::Borrowed(form),
            Some(form) => Cow::Owned(format!("{}&{form}", self.query)),
        }
    }

    /// Whether it asks by a form in its body.
    #[must_use]
    pub fn asks_by_form(&self) -> bool {
        self.service.service().asked_by_form
            && self.method == Method::POST
            && self.body.len() <= LARGEST_FORM
            && self.form().is_some()
    }
}

/// A question longer than this is none, in bytes.
const LARGEST_FORM: usize = 16 * 1024;

/// Whether the body that goes with these headers is a form, as browsers and many tools send one.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The service, just now.
    Service,
    /// The cache, still alive; its age.
    Hit(Duration),
    /// The cache, expired; its age.
    Stale(Duration),
}

/// A service's answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers, without those of the connection.
    pub headers: HeaderMap,
    /// Body, decompressed; its first part, if there is a rest.
    pub body: Bytes,
    /// What is still on its way. Such an answer is not kept.
    pub rest: Option<Rest>,
    /// What the service's file reads in it.
    pub verdict: Verdict,
    /// Where it came from.
    pub origin: Origin,
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// Not now: [`Why`], and when it may return.
    #[error("{}", refusal_text(*.service, *.why, *.until))]
    Refused {
        /// The service.
        service: ServiceId,
        /// Why.
        why: Why,
        /// The earliest time worth another try.
        until: Wall,
        /// The same as a wait from now.
        wait: Duration,
        /// What the service said, if this very call was the one it refused.
        answer: Option<Box<Answer>>,
    },
    /// The service wants a credential and there is none.
    #[error("Sign in to {} first: it answers nobody without", .0.service().label)]
    SignInNeeded(ServiceId),
    /// The user switched the service off.
    #[error("{} is switched off in the settings (services.{}.enabled)", .0.service().label, .0)]
    Disabled(ServiceId),
    /// No answer came, after all tries.
    #[error("{} did not answer: {reason}", .service.service().label)]
    Unreachable {
        /// The service.
        service: ServiceId,
        /// What happened, without addresses or keys.
        reason: String,
    },
    /// The request cannot be made.
    #[error("{0}")]
    BadRequest(String),
}

fn refusal_text(service: ServiceId, why: Why, until: Wall) -> String {
    let (label, until) = (service.service().label, until.plus_millis(999).to_text());
    match why {
        Why::Banned(BanKind::Rate) => {
            format!("{label} refuses calls for a while: nothing is sent before {until}")
        }
        Why::Banned(BanKind::Quota) => {
            format!("The daily quota of {label} is spent: nothing is sent before {until}")
        }
        Why::Cooldown => format!("{label} cools down after a ban: no background calls before {until}"),
        Why::OverBudget => format!("The budget of {label} is used up: there is room at {until}"),
        Why::QuotaReserve => format!(
            "The rest of the daily quota of {label} is kept for you: background calls go on at {until}"
        ),
        Why::Paused => "Calls are paused in Headroom".to_owned(),
    }
}
