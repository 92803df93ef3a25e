//! Taking in the file of the older monitor, `api_call_history.json`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Event, EventKind, Meter};
use crate::service::ServiceId;

/// The older monitor's file: `{ts, history:{key:[[minute,count]]}, events:[…]}` with keys `spotify` (all
/// calls) and `spotify:endpoint`.
#[derive(Deserialize)]
struct OldFile {
    history: BTreeMap<String, Vec<(f64, f64)>>,
    #[serde(default)]
    events: Vec<serde_json::Value>,
}

/// What was taken in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, ts_rs::TS)]
pub struct Imported {
    /// Minutes that were new or greater than ours.
    pub minutes: usize,
    /// Calls in the file, within the last 24 h.
    pub calls: u64,
    /// Minutes left out because they are over 24 h old or in the future.
    pub out_of_range: usize,
    /// Events taken in.
    pub events: usize,
    /// Keys whose service Headroom does not know.
    pub unknown: Vec<String>,
}

/// Why a file cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no such file.
    #[error(
        "this is not the history of a monitor ({0}); expected {{\"ts\":…,\"history\":{{\"spotify\":[[minute,count],…]}}}}"
    )]
    NotAHistory(#[from] serde_json::Error),
}

impl Meter {
    /// Takes in the older monitor's file. Minutes may be written in unix seconds or unix minutes. A
    /// service's own series is the sum of its endpoints; what they do not explain counts as `other`.
    ///
    /// # Errors
    /// The bytes are no such file; nothing is changed then.
    pub fn import(&self, bytes: &[u8]) -> Result<Imported, ImportError> {
        let file: OldFile = serde_json::from_slice(bytes)?;
        let last = self.this_minute() / 60;
        let days = last - super::DAY_MINUTES + 1..=last;
        let mut done = Imported { minutes: 0, calls: 0, out_of_range: 0, events: 0, unknown: Vec::new() };
        let mut totals: BTreeMap<ServiceId, BTreeMap<i64, u32>> = BTreeMap::new();
        let mut named: BTreeMap<ServiceId, BTreeMap<&str, BTreeMap<i64, u32>>> = BTreeMap::new();
        for (key, rows) in &file.history {
            let (service, endpoint) = key.split_once(':').map_or((key.as_str(), None), |(s, e)| (s, Some(e)));
            let Ok(id) = service.parse::<ServiceId>() else {
                done.unknown.push(key.clone());
                continue;
            };
            let known = endpoint.map(|e| id.service().endpoint_named(e).map_or("other", |_| e));
            for (minute, count) in rows {
                let minute = minute_no(*minute);
                if !days.contains(&minute) {
                    done.out_of_range += 1;
                    continue;
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "saturating, and clamped"
                )]
                let count = count.clamp(0.0, f64::from(u32::MAX)) as u32;
                let series = match known {
                    Some(endpoint) => named.entry(id).or_default().entry(endpoint).or_default(),
                    None => totals.entry(id).or_default(),
                };
                let sum = series.entry(minute).or_default();
                *sum = sum.saturating_add(count);
            }
        }
        for (id, total) in totals {
            let endpoints = named.entry(id).or_default();
            let explained = |minute: &i64| endpoints.values().filter_map(|s| s.get(minute)).sum::<u32>();
            let rest: Vec<(i64, u32)> =
                total.iter().map(|(m, n)| (*m, n.saturating_sub(explained(m)))).filter(|r| r.1 > 0).collect();
            for (minute, count) in rest {
                *endpoints.entry("other").or_default().entry(minute).or_default() += count;
            }
        }
        for (id, endpoints) in &named {
            for (endpoint, minutes) in endpoints {
                done.calls += minutes.values().map(|n| u64::from(*n)).sum::<u64>();
                done.minutes += self.merge_minutes(*id, endpoint, minutes);
            }
        }
        if done.minutes > 0 {
            done.events = self.import_events(&file.events);
            let text = format!("Took in {} calls of another monitor", done.calls);
            self.note(Event::general(self.clock.wall().seconds(), EventKind::HistoryImported, text));
        }
        Ok(done)
    }

    /// Events of the older monitor have no fixed shape: what has a time and a text is kept.
    fn import_events(&self, events: &[serde_json::Value]) -> usize {
        let mut taken = 0;
        for event in events {
            let at =
                ["ts", "time", "at"].iter().find_map(|k| event.get(k)).and_then(serde_json::Value::as_f64);
            let text = ["message", "text", "event", "type"]
                .iter()
                .find_map(|k| event.get(k))
                .and_then(|t| t.as_str());
            if let (Some(at), Some(text)) = (at, text) {
                #[expect(clippy::cast_possible_truncation, reason = "unix seconds")]
                let mut event_in = Event::general(at as i64, EventKind::HistoryImported, text);
                event_in.service = event.get("service").and_then(|s| s.as_str()).and_then(|s| s.parse().ok());
                self.note(event_in);
                taken += 1;
            }
        }
        taken
    }
}

/// The minute's number, from unix seconds or unix minutes: a minute's number has eight digits until
/// the year 2160, a second's ten.
fn minute_no(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturating")]
    let whole = value as i64;
    if whole > 100_000_000 { whole.div_euclid(60) } else { whole }
}
