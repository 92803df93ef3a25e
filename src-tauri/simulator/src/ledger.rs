//! What a stand-in noted: counts of everything that arrived, and the last requests.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

use crate::call::Call;

/// Requests kept per service.
const LOG_LENGTH: usize = 2_000;
/// Distinct paths counted per service; the rest is counted as `other`.
const PATHS: usize = 20_000;
/// Bytes of a request's body kept in the log.
const BODY_LENGTH: usize = 16 * 1024;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// Not decided yet, or the connection ended first.
    Pending,
    /// The provider's ordinary answer, 401 and 404 included.
    Answered,
    /// A refusal, forced or earned.
    Refused,
    /// A failure switch was on.
    Failed,
}

/// One logged request, credentials and all.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Running number within the service, from 1.
    pub n: u64,
    /// Unix milliseconds of the arrival.
    pub at_ms: i64,
    /// HTTP method.
    pub method: String,
    /// Path as sent, without the query.
    pub path: String,
    /// Query as sent, without the question mark.
    pub query: String,
    /// Headers as sent, names in lower case; repeated ones are joined by commas.
    pub headers: BTreeMap<String, String>,
    /// The first 16 KiB of the body as text.
    pub body: String,
    /// Status of the answer, 0 while there is none.
    pub status: u16,
    outcome: Outcome,
}

/// Counts and log of one service.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    arrived: u64,
    answered: u64,
    refused: u64,
    failed: u64,
    by_path: BTreeMap<String, u64>,
    log: VecDeque<Entry>,
}

impl Ledger {
    /// Notes an arrival and returns its number.
    pub(crate) fn arrive(&mut self, call: &Call) -> u64 {
        self.arrived += 1;
        let key = format!("{} {}", call.method, call.path);
        let key = if self.by_path.len() < PATHS || self.by_path.contains_key(&key) {
            key
        } else {
            "other".to_owned()
        };
        *self.by_path.entry(key).or_default() += 1;
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in &call.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            headers
                .entry(name.as_str().to_owned())
                .and_modify(|all| *all = format!("{all},{value}"))
                .or_insert_with(|| value.into_owned());
        }
        if self.log.len() == LOG_LENGTH {
            self.log.pop_front();
        }
        self.log.push_back(Entry {
            n: self.arrived,
            at_ms: call.at_ms,
            method: call.method.to_string(),
            path: call.path.clone(),
            query: call.raw_query.clone(),
            headers,
            body: String::from_utf8_lossy(&call.body[..call.body.len().min(BODY_LENGTH)]).into_owned(),
            status: 0,
            outcome: Outcome::Pending,
        });
        self.arrived
    }

    /// Notes what became of call `n`.
    pub(crate) fn settle(&mut self, n: u64, outcome: Outcome, status: u16) {
        match outcome {
            Outcome::Answered => self.answered += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Pending => {}
        }
        if let Some(entry) = self.log.iter_mut().rev().find(|entry| entry.n == n) {
            entry.outcome = outcome;
            entry.status = status;
        }
    }

    /// The counts as the control route shows them.
    pub(crate) fn counts(&self) -> Value {
        serde_json::json!({
            "arrived": self.arrived,
            "answered": self.answered,
            "refused": self.refused,
            "failed": self.failed,
            "by_path": self.by_path,
        })
    }

    /// The last `n` requests, oldest first.
    pub(crate) fn last(&self, n: usize) -> Vec<Entry> {
        self.log.iter().skip(self.log.len().saturating_sub(n)).cloned().collect()
    }
}
