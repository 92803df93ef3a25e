//! What an answer means: the parts of a verdict that services share.

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

/// A provider's answer, as a service reads it.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// HTTP status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, decompressed.
    pub body: &'a [u8],
}

/// Why a provider refuses: two states with different words and very different lengths.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
#[ts(rename_all = "lowercase")]
pub enum BanKind {
    /// Too many calls in a short time: seconds to minutes.
    Rate,
    /// The long-term allowance is spent: hours.
    Quota,
}

/// A service's reading of an answer. Only `Fresh` and `NotFound` are ever cached; only `Refused` bans.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// An answer worth having.
    Fresh,
    /// The service says there is no such thing.
    NotFound,
    /// The service refuses us for a while. The time it gave, if any, is in `Retry-After`.
    Refused(BanKind),
    /// The credential is missing or no longer good.
    SignInNeeded,
    /// Worth trying again: the service has trouble of its own.
    Transient,
    /// An answer that says no, and will again.
    Failed,
}

impl Answered<'_> {
    /// The reading by HTTP status alone, right for most services: 429 refuses, nothing else does.
    #[must_use]
    pub fn by_status(&self) -> Verdict {
        match self.status.as_u16() {
            // Whatever it says: no API answers with a page for people.
            200..=299 if self.is_page() => Verdict::Failed,
            200..=399 => Verdict::Fresh,
            401 => Verdict::SignInNeeded,
            404 | 410 => Verdict::NotFound,
            429 => Verdict::Refused(BanKind::Rate),
            408 | 425 | 500..=599 => Verdict::Transient,
            _ => Verdict::Failed,
        }
    }

    /// The body as JSON, parsed only when the bytes of `field` (with its quotes) stand in it: most
    /// answers are large and carry no error.
    #[must_use]
    pub fn json_with(&self, field: &str) -> Option<serde_json::Value> {
        let present = self.body.windows(field.len()).any(|bytes| bytes == field.as_bytes());
        if present { serde_json::from_slice(self.body).ok() } else { None }
    }

    /// Whether it is a page for people: what stands before a service says sorry, or asks to log in.
    #[must_use]
    pub fn is_page(&self) -> bool {
        let kind = self.headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
    }

    /// Whether there is nothing but white space in the body.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.body.iter().all(u8::is_ascii_whitespace)
    }
}
