//! `GET /metrics`: Prometheus' text format, written by hand.
//!
//! Counters run since the engine started and only rise; everything of a service is labelled `service`.
//! The format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::{Display, Write as _};

use axum::extract::State;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};

use super::Host;
use crate::engine::Engine;
use crate::meter::Counts;
use crate::rates::ServiceRates;
use crate::service::ServiceId;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub(super) async fn metrics(State(host): State<Host>) -> ([(HeaderName, HeaderValue); 1], String) {
    ([(CONTENT_TYPE, TEXT)], text(&host.engine))
}

/// A name, what it is, and its value for one service.
type Family<Of, Value> = (&'static str, &'static str, fn(&Of) -> Value);

/// The whole page.
fn text(engine: &Engine) -> String {
    let rates = engine.rates();
    let mut page = Page(String::with_capacity(16 * 1_024));
    page.family("headroom_info", "gauge", "The engine that runs; always 1.");
    page.sample("headroom_info", &[("version", &env!("CARGO_PKG_VERSION"))], 1);
    page.family("headroom_start_time_seconds", "gauge", "When the engine started, unix seconds.");
    page.sample("headroom_start_time_seconds", &[], engine.inner.started.seconds());
    page.family("headroom_paused", "gauge", "Whether the user holds all calls back.");
    page.sample("headroom_paused", &[], u8::from(rates.paused));

    let counters: [Family<Counts, u64>; 7] = [
        ("headroom_calls_total", "Calls sent to the service.", |c| c.calls.into()),
        ("headroom_hits_total", "Answers given from the cache.", |c| c.hits.into()),
        ("headroom_answered_total", "Calls the service answered well.", |c| c.ok.into()),
        ("headroom_not_found_total", "Calls the service answered with \"not found\".", |c| {
            c.not_found.into()
        }),
        ("headroom_refused_total", "Calls the service refused.", |c| c.refused.into()),
        ("headroom_failed_total", "Calls that failed otherwise.", |c| c.failed.into()),
        ("headroom_received_bytes_total", "Bytes of the bodies the service sent, decompressed.", |c| c.bytes),
    ];
    let since: Vec<_> = ServiceId::ALL.iter().map(|id| (*id, engine.meter().since_start(*id))).collect();
    for (name, help, value) in counters {
        page.family(name, "counter", help);
        for (id, counts) in &since {
            page.sample(name, &[("service", id)], value(counts));
        }
    }
    page.family("headroom_waited_seconds_total", "counter", "Time spent waiting for the service's answers.");
    for (id, counts) in &since {
        #[expect(clippy::cast_precision_loss, reason = "2^53 ms are 285,000 years")]
        page.sample("headroom_waited_seconds_total", &[("service", id)], counts.ms as f64 / 1_000.0);
    }

    let gauges: [Family<ServiceRates, i64>; 5] = [
        ("headroom_calls_per_minute", "Calls sent in the last 60 s.", |s| s.cpm.into()),
        ("headroom_limit_per_minute", "The most calls the budget allows in 60 s.", |s| s.limit.into()),
        ("headroom_waiting_calls", "Calls that wait for a slot.", |s| s.waiting.into()),
        ("headroom_enabled", "Whether the service is switched on.", |s| {
            (s.access != crate::rates::Access::Disabled).into()
        }),
        ("headroom_ban_remaining_seconds", "Time until the service's ban ends; 0 without one.", |s| {
            s.ban.as_ref().map_or(0, |ban| i64::try_from(ban.remaining_s).unwrap_or(i64::MAX))
        }),
    ];
    for (name, help, value) in gauges {
        page.family(name, "gauge", help);
        for (id, service) in &rates.services {
            page.sample(name, &[("service", id)], value(service));
        }
    }
    page.family("headroom_window_used_calls", "gauge", "Slots taken of a rolling window.");
    for (id, window) in rates.services.iter().flat_map(|(id, s)| s.windows.iter().map(move |w| (id, w))) {
        page.sample(
            "headroom_window_used_calls",
            &[("service", id), ("seconds", &window.seconds)],
            window.used,
        );
    }
    page.family("headroom_window_limit_calls", "gauge", "Slots of a rolling window.");
    for (id, window) in rates.services.iter().flat_map(|(id, s)| s.windows.iter().map(move |w| (id, w))) {
        page.sample(
            "headroom_window_limit_calls",
            &[("service", id), ("seconds", &window.seconds)],
            window.calls,
        );
    }
    let quotas = || rates.services.iter().filter_map(|(id, s)| Some((id, s.quota.as_ref()?)));
    page.family(
        "headroom_quota_used_calls",
        "gauge",
        "Calls of a service's long-term allowance that are made.",
    );
    for (id, quota) in quotas() {
        page.sample("headroom_quota_used_calls", &[("service", id)], quota.used);
    }
    page.family("headroom_quota_limit_calls", "gauge", "A service's long-term allowance, known or assumed.");
    for (id, quota) in quotas() {
        page.sample("headroom_quota_limit_calls", &[("service", id)], quota.calls);
    }
    page.0
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &dyn Display)], value: impl Display) {
        self.0.push_str(name);
        for (place, (label, text)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            let text = text.to_string().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{before}{label}=\"{text}\"");
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }
}
