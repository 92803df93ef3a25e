//! What one glance tells: for the tray, where there is room for a ring and a few words.

use crate::rates::{Access, Rates, ServiceRates};
use crate::service::{BanKind, ServiceId};

/// From this part of its fullest window on, a service is busy.
pub const BUSY: f64 = 0.6;
/// From this part on, it is near its limit.
pub const NEAR: f64 = 0.8;

/// How things stand, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// There is room.
    Room,
    /// A service is busy.
    Busy,
    /// A service is near its limit.
    Near,
    /// All calls are held back by the user.
    Paused,
    /// A service refuses us.
    Banned,
}

/// The worst of all services, and a line for each in use.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// How full the fullest service is, 0 to 1.
    pub level: f64,
    /// How things stand.
    pub tone: Tone,
    /// `Spotify 43 of 170/min`, `Deezer banned, 3 m`: services used in the last 24 h, or banned.
    pub lines: Vec<(ServiceId, String)>,
}

impl ServiceRates {
    /// How full the fullest of its windows is, 0 to 1. A budget of spacing alone is read by the minute.
    #[must_use]
    pub fn fullness(&self) -> f64 {
        let part = |used: u32, of: u32| f64::from(used) / f64::from(of.max(1));
        let windows = self.windows.iter().map(|w| part(w.used, w.calls));
        windows
            .fold(part(self.cpm, self.limit) * f64::from(u8::from(self.windows.is_empty())), f64::max)
            .min(1.0)
    }

    fn in_use(&self) -> bool {
        self.ban.is_some() || (self.access != Access::Disabled && self.calls_24h + self.hits_24h > 0)
    }

    fn line(&self, label: &str) -> String {
        match &self.ban {
            Some(ban) => {
                let why = if ban.kind == BanKind::Quota { "quota spent" } else { "banned" };
                format!("{label} {why}, {}", short(ban.remaining_s))
            }
            None => format!("{label} {} of {}/min", self.cpm, self.limit),
        }
    }
}

impl Glance {
    /// Reads the gauges.
    #[must_use]
    pub fn of(rates: &Rates) -> Self {
        let used = || rates.services.iter().filter(|(_, s)| s.in_use());
        let level = used().map(|(_, s)| s.fullness()).fold(0.0, f64::max);
        let tone = match level {
            _ if used().any(|(_, s)| s.ban.is_some()) => Tone::Banned,
            _ if rates.paused => Tone::Paused,
            level if level > NEAR => Tone::Near,
            level if level > BUSY => Tone::Busy,
            _ => Tone::Room,
        };
        let lines = used().map(|(id, s)| (*id, s.line(id.service().label))).collect();
        Self { level, tone, lines }
    }
}

/// `40 s`, `3 m`, `13 h`: rounded up, so that a wait is never shown shorter than it is.
fn short(seconds: u64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..=3_600 => format!("{} m", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Tally;
    use crate::rates::{Ban, WindowUse};
    use std::collections::BTreeMap;

    fn service(cpm: u32, windows: &[(u32, u32)], ban: Option<u64>) -> ServiceRates {
        let window = |&(used, calls): &(u32, u32)| WindowUse { seconds: 5.0, calls, used };
        ServiceRates {
            cpm,
            limit: 60,
            windows: windows.iter().map(window).collect(),
            quota: None,
            endpoints: Tally::default(),
            callers: Tally::default(),
            hits: 0,
            ban: ban.map(|s| Ban { kind: BanKind::Rate, until: 0, remaining_s: s, endpoint: "search" }),
            cooldown_until: None,
            waiting: 0,
            access: Access::Open,
            this_minute: 0,
            calls_24h: cpm,
            hits_24h: 0,
        }
    }

    fn glance(services: &[(ServiceId, ServiceRates)]) -> Glance {
        let services: BTreeMap<_, _> = services.iter().cloned().collect();
        Glance::of(&Rates { at: 0, minute: 0, paused: false, services })
    }

    #[test]
    fn the_fullest_window_tells_whatever_the_minute_says() {
        assert!((service(50, &[(44, 45), (1, 1_000)], None).fullness() - 44.0 / 45.0).abs() < 1e-9);
        assert!((service(30, &[], None).fullness() - 0.5).abs() < 1e-9, "spacing alone: by the minute");
        assert!((service(90, &[(50, 45)], None).fullness() - 1.0).abs() < 1e-9, "never more than full");
    }

    #[test]
    fn the_worst_service_in_use_sets_the_tone() {
        use ServiceId::{Deezer, Itunes, Spotify};
        assert_eq!(glance(&[]).tone, Tone::Room);
        assert_eq!(glance(&[(Deezer, service(5, &[(30, 45)], None))]).tone, Tone::Busy);
        assert_eq!(glance(&[(Deezer, service(5, &[(40, 45)], None))]).tone, Tone::Near);
        let banned = glance(&[
            (Deezer, service(0, &[(0, 45)], Some(185))),
            (Spotify, service(43, &[(20, 85)], None)),
            (Itunes, service(0, &[], None)),
        ]);
        assert_eq!(banned.tone, Tone::Banned);
        let lines: Vec<_> = banned.lines.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(lines, ["Spotify 43 of 60/min", "Deezer banned, 4 m"]);
    }
}
