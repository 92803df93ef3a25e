//! What a provider counts: exact rolling windows, a long quota, and the ban
//! that follows when one of them is full.
//!
//! A window of length *W* holds an arrival from its instant until just before
//! *W* later. Nothing is rounded: the engine's budgets are judged against this.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// N calls per rolling T, as written in options and on the control route.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Length of the window in seconds; fractions are allowed.
    pub seconds: f64,
    /// The most calls in any such span.
    pub calls: usize,
}

impl Limit {
    /// `calls` per `seconds`.
    pub const fn new(calls: usize, seconds: f64) -> Self {
        Self { seconds, calls }
    }

    fn length(self) -> Duration {
        Duration::try_from_secs_f64(self.seconds).unwrap_or(Duration::MAX)
    }
}

/// Which allowance a refused call ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RefusalKind {
    /// A short window is full.
    Rate,
    /// The long quota is used up.
    Quota,
}

/// A refused call: why, and how long until one would pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: RefusalKind,
    pub(crate) wait: Duration,
}

impl Refusal {
    /// The wait in whole seconds, rounded up and never 0, as `Retry-After` wants it.
    pub(crate) fn seconds(&self) -> u64 {
        (self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0)).max(1)
    }
}

/// One rolling window: the calls it counts, and separately every arrival, so
/// that the fullest it ever was can be reported.
#[derive(Debug)]
pub(crate) struct Window {
    limit: Limit,
    counted: VecDeque<Duration>,
    seen: VecDeque<Duration>,
    peak: usize,
}

impl Window {
    pub(crate) fn new(limit: Limit) -> Self {
        Self { limit, counted: VecDeque::new(), seen: VecDeque::new(), peak: 0 }
    }

    fn forget(log: &mut VecDeque<Duration>, now: Duration, length: Duration) {
        while log.front().is_some_and(|at| now.saturating_sub(*at) >= length) {
            log.pop_front();
        }
    }

    /// Notes an arrival, whatever becomes of it.
    fn see(&mut self, now: Duration) {
        Self::forget(&mut self.seen, now, self.limit.length());
        self.seen.push_back(now);
        self.peak = self.peak.max(self.seen.len());
    }

    /// How long until there is room; `None` means there is room now.
    fn wait(&mut self, now: Duration, cap: usize) -> Option<Duration> {
        let length = self.limit.length();
        Self::forget(&mut self.counted, now, length);
        let over = (self.counted.len() + 1).checked_sub(cap).filter(|over| *over > 0)?;
        let frees = self.counted.get(over - 1).copied().unwrap_or(now);
        Some((frees + length).saturating_sub(now))
    }
}

/// How full a window is, for the provider's headers and for the control route.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Usage {
    pub(crate) seconds: f64,
    pub(crate) calls: usize,
    pub(crate) used: usize,
    /// The most arrivals ever seen in any span of this length, refused ones included.
    pub(crate) peak: usize,
    /// Time until the oldest counted call leaves.
    #[serde(skip)]
    pub(crate) reset: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Ban {
    kind: RefusalKind,
    length: Duration,
    until: Duration,
}

/// All allowances of one service.
#[derive(Debug)]
pub(crate) struct Limits {
    windows: Vec<Window>,
    quota: Option<Window>,
    /// A refused call takes a place too, so hammering never ends the refusal.
    refused_count: bool,
    /// A refusal begins a ban, and every call during it begins it anew.
    bans: bool,
    ban: Option<Ban>,
}

impl Limits {
    pub(crate) fn new(windows: &[Limit], quota: Option<Limit>, refused_count: bool, bans: bool) -> Self {
        Self {
            windows: windows.iter().copied().map(Window::new).collect(),
            quota: quota.map(Window::new),
            refused_count,
            bans,
            ban: None,
        }
    }

    /// A call arrives: counts it or refuses it. `cap` lowers the first window
    /// for callers that may do less (Discogs without a token).
    pub(crate) fn arrive(&mut self, now: Duration, cap: Option<usize>) -> Result<(), Refusal> {
        for window in self.windows.iter_mut().chain(self.quota.as_mut()) {
            window.see(now);
        }
        let refusal = self.decide(now, cap);
        if refusal.is_ok() || self.refused_count {
            for window in &mut self.windows {
                window.counted.push_back(now);
            }
        }
        if let (Ok(()), Some(quota)) = (&refusal, self.quota.as_mut()) {
            quota.counted.push_back(now);
        }
        refusal
    }

    fn decide(&mut self, now: Duration, cap: Option<usize>) -> Result<(), Refusal> {
        if let Some(ban) = self.ban.as_mut() {
            if now < ban.until {
                ban.until = now + ban.length;
                return Err(Refusal { kind: ban.kind, wait: ban.length });
            }
            self.ban = None;
        }
        let quota = self.quota.as_mut().and_then(|quota| quota.wait(now, quota.limit.calls));
        let rate = self
            .windows
            .iter_mut()
            .enumerate()
            .filter_map(|(at, window)| {
                let most = window.limit.calls;
                window.wait(now, if at == 0 { cap.unwrap_or(most).min(most) } else { most })
            })
            .max();
        let refusal = match (quota, rate) {
            (Some(wait), _) => Refusal { kind: RefusalKind::Quota, wait },
            (None, Some(wait)) => Refusal { kind: RefusalKind::Rate, wait },
            (None, None) => return Ok(()),
        };
        if self.bans {
            // Announced in whole seconds, so it must last whole seconds.
            let length = Duration::from_secs(refusal.seconds());
            self.ban = Some(Ban { kind: refusal.kind, length, until: now + length });
        }
        Err(refusal)
    }

    /// How full every window is, the quota last.
    pub(crate) fn usage(&mut self, now: Duration) -> (Vec<Usage>, Option<Usage>) {
        let usage = |window: &mut Window| {
            let length = window.limit.length();
            Window::forget(&mut window.counted, now, length);
            Usage {
                seconds: window.limit.seconds,
                calls: window.limit.calls,
                used: window.counted.len(),
                peak: window.peak,
                reset: window.counted.front().map_or(Duration::ZERO, |at| (*at + length).saturating_sub(now)),
            }
        };
        (self.windows.iter_mut().map(usage).collect(), self.quota.as_mut().map(usage))
    }

    /// Remaining time of a running ban.
    pub(crate) fn ban_remaining(&self, now: Duration) -> Option<Duration> {
        self.ban.and_then(|ban| ban.until.checked_sub(now)).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_window_holds_a_call_until_just_before_its_length() {
        let mut limits = Limits::new(&[Limit::new(2, 1.0)], None, false, false);
        assert!(limits.arrive(ms(0), None).is_ok(), "the first of two");
        assert!(limits.arrive(ms(400), None).is_ok(), "the second of two");
        let refused = limits.arrive(ms(999), None).unwrap_err();
        assert_eq!(refused.wait, ms(1), "the first leaves at exactly 1,000 ms");
        assert!(limits.arrive(ms(1000), None).is_ok(), "the first has left");
        assert!(limits.arrive(ms(1399), None).is_err(), "400 and 1,000 are still inside");
        assert_eq!(
            limits.usage(ms(1399)).0[0].peak,
            4,
            "400, 999, 1,000 and 1,399 arrived inside one second"
        );
    }

    #[test]
    fn probing_a_ban_begins_it_anew() {
        let mut limits = Limits::new(&[Limit::new(1, 3.0)], None, false, true);
        assert!(limits.arrive(ms(0), None).is_ok(), "the window is empty");
        assert_eq!(limits.arrive(ms(500), None).unwrap_err().seconds(), 3, "2.5 s rounded up");
        assert!(limits.arrive(ms(3400), None).is_err(), "the window is free, the ban is not over");
        assert!(limits.arrive(ms(6399), None).is_err(), "the probe at 3.4 s prolonged it to 6.4 s");
        assert!(limits.arrive(ms(9399), None).is_ok(), "and that probe to 9.399 s");
    }

    #[test]
    fn where_refused_calls_count_only_a_pause_helps() {
        let mut limits = Limits::new(&[Limit::new(2, 1.0)], None, true, false);
        let refused = (0..50).filter(|n| limits.arrive(ms(n * 100), None).is_err()).count();
        assert_eq!(refused, 48, "10 a second never drops below 2 a second");
        assert!(limits.arrive(ms(6000), None).is_ok(), "after a second of silence it answers again");
    }

    #[test]
    fn the_quota_is_told_apart_and_refused_calls_do_not_use_it() {
        let mut limits = Limits::new(&[Limit::new(10, 1.0)], Some(Limit::new(3, 86_400.0)), false, true);
        for n in 0..3 {
            assert!(limits.arrive(ms(n), None).is_ok(), "call {n} is inside the quota");
        }
        let refused = limits.arrive(ms(3), None).unwrap_err();
        assert_eq!(
            (refused.kind, refused.seconds()),
            (RefusalKind::Quota, 86_400),
            "the quota, to the second"
        );
    }
}
