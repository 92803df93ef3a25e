//! The debug text and the numbers behind it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::{DAY_MINUTES, Event, Meter, Tally, endpoint_name};
use crate::clock::Wall;
use crate::service::ServiceId;

/// How many of the last events the debug text shows.
const EVENTS_SHOWN: usize = 20;

/// The last 24 h of one service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServiceSummary {
    /// Calls in 24 h.
    pub total_24h: u32,
    /// Calls of the busiest minute.
    pub peak_cpm: u32,
    /// When that was, unix seconds; null without calls.
    pub peak_at: Option<i64>,
    /// Calls the budget allows in a minute.
    pub limit: u32,
    /// Calls in 24 h by endpoint, busiest first.
    pub endpoints: Tally,
    /// Calls of the last minute by caller, busiest first.
    pub callers: Tally,
    /// Answers from the cache in 24 h.
    pub hits_24h: u32,
    /// Calls in 24 h that were refused.
    pub refused_24h: u32,
    /// Calls in 24 h that failed otherwise.
    pub failed_24h: u32,
    /// Mean time from send to answer in 24 h, in milliseconds; null without answers.
    pub mean_ms: Option<u64>,
    /// The running ban in words.
    pub ban: Option<String>,
}

/// The last 24 h of everything: text to paste into a report, and its parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The debug text.
    pub text: String,
    /// By service, all of them.
    pub services: BTreeMap<ServiceId, ServiceSummary>,
    /// The last 20 events, oldest first.
    pub events: Vec<Event>,
}

impl Meter {
    /// The last 24 h of a service. `limit` and `ban` are the gate's.
    #[must_use]
    pub fn summarise(&self, id: ServiceId, limit: u32, ban: Option<String>) -> ServiceSummary {
        let rates = self.rates(id);
        let first = self.minute(self.clock.mono()) - DAY_MINUTES + 1;
        let meter = self.services[id.index()].lock();
        let peak = meter
            .by_minute(first)
            .into_iter()
            .max_by_key(|(minute, calls)| (*calls, std::cmp::Reverse(*minute)));
        let day = meter.day.counts;
        let totals: Vec<u32> =
            meter.series.iter().map(|s| s.since(first).map(|(_, c)| c.calls).sum()).collect();
        let answered = day.ok + day.not_found + day.refused + day.failed;
        ServiceSummary {
            total_24h: day.calls,
            peak_cpm: peak.map_or(0, |(_, calls)| calls),
            peak_at: peak.map(|(minute, _)| minute * 60),
            limit,
            endpoints: super::tally(&totals, |slot| endpoint_name(id.service(), slot).into()),
            callers: rates.callers,
            hits_24h: day.hits,
            refused_24h: day.refused,
            failed_24h: day.failed,
            mean_ms: day.ms.checked_div(u64::from(answered)),
            ban,
        }
    }

    /// The whole debug text. `head` are lines about the program, without secrets.
    #[must_use]
    pub fn summary(&self, head: &str, services: BTreeMap<ServiceId, ServiceSummary>) -> Summary {
        let mut events = self.events();
        events.drain(..events.len().saturating_sub(EVENTS_SHOWN));
        let text = text(head, &services, &events);
        Summary { text, services, events }
    }
}

fn text(head: &str, services: &BTreeMap<ServiceId, ServiceSummary>, events: &[Event]) -> String {
    // Writing to a String cannot fail.
    let mut out = String::new();
    let _ = writeln!(out, "{head}\n\nLast 24 hours");
    let _ = writeln!(
        out,
        "{:<13} {:>7} {:>7} {:>8} {:>8} {:>8} {:>6}  peak at",
        "service", "calls", "limit/m", "peak/m", "refused", "failed", "hits"
    );
    let used: Vec<_> =
        services.iter().filter(|(_, s)| s.total_24h + s.hits_24h > 0 || s.ban.is_some()).collect();
    for (id, s) in &used {
        let peak_at = s.peak_at.map_or_else(|| "-".into(), |at| Wall::from_seconds(at).to_text());
        let _ = writeln!(
            out,
            "{:<13} {:>7} {:>7} {:>8} {:>8} {:>8} {:>6}  {peak_at}",
            id, s.total_24h, s.limit, s.peak_cpm, s.refused_24h, s.failed_24h, s.hits_24h
        );
    }
    if used.is_empty() {
        let _ = writeln!(out, "(no calls)");
    }
    for (id, s) in used {
        if let Some(ban) = &s.ban {
            let _ = writeln!(out, "\n{id}: {ban}");
        }
        let _ = writeln!(out, "\n{id} by endpoint");
        for (endpoint, calls) in &s.endpoints.0 {
            let _ = writeln!(out, "  {endpoint:<24} {calls:>7}");
        }
    }
    let _ = writeln!(out, "\nLast {} events", events.len());
    for event in events {
        let about = event.service.map_or("headroom", ServiceId::as_str);
        let _ = writeln!(out, "{}  {about:<12} {}", Wall::from_seconds(event.at).to_text(), event.text);
    }
    out
}
