//! What we allow ourselves: spacing, rolling windows, quota, bans and the cooldown after them.
//!
//! [`Gate`] is the door of one service; every call passes it or is told why not and until when. A tool
//! that may use only a part of a budget passes [`share`] before.
//!
//! Invariant: no rolling stretch of a window's length ever holds more sends than the window allows,
//! wherever between send and answer the provider counts (see `ledger.rs`).
//! Invariant: machines that share a budget ([`SharedBudget`]) keep it together as one would.
//! Invariant: nothing is sent while a ban runs, and the first call after it goes alone.
//!
//! ```
//! use headroom_engine::budget::{Budget, Window};
//! let spotify = Budget { spacing_ms: 350, windows: vec![Window { seconds: 30.0, calls: 85 }], quota: None };
//! assert_eq!(spotify.limit(), 170); // 85 in 30 s bind before the spacing (171) does
//! ```

mod ban;
mod gate;
mod ledger;
mod quota;
pub mod share;
mod together;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use ban::{BanChange, Incident, SavedBan};
pub use gate::{Ask, Gate, GateView, Priority, Refusal, Slot, Why};
pub use quota::{LEARNED_FROM, QuotaBook, QuotaSource, QuotaUse, SavedQuota};
pub use together::{SharedBan, SharedBudget, SharedSlot, Standing, Taken, Taking};

/// What we allow ourselves at one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Least time from one send to the next, in milliseconds.
    #[serde(default)]
    pub spacing_ms: u32,
    /// Rolling windows, all of which hold at once.
    #[serde(default)]
    pub windows: Vec<Window>,
    /// The provider's long-term allowance, where the user knows it better than we.
    #[serde(default)]
    pub quota: Option<Quota>,
}

/// At most `calls` calls in any stretch of `seconds` seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Length in seconds, more than 0 and at most a day; may be a fraction.
    #[serde(serialize_with = "plain")]
    pub seconds: f64,
    /// Calls allowed, at least 1.
    pub calls: u32,
}

/// A long-term allowance: `calls` in any `hours` hours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Length in hours, more than 0 and at most 24.
    #[serde(serialize_with = "plain")]
    pub hours: f64,
    /// Calls allowed, at least 1.
    pub calls: u32,
}

/// What is wrong with a budget: the field within it, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct BudgetError {
    /// `windows[0].calls`
    pub field: String,
    /// A sentence without a full stop.
    pub problem: &'static str,
}

/// Writes 5.0 as `5`: whole numbers of time look whole outside.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(crate) fn plain<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
    if value.fract() == 0.0 && value.abs() < 1e15 {
        serializer.serialize_i64(*value as i64)
    } else {
        serializer.serialize_f64(*value)
    }
}

const DAY_S: f64 = 86_400.0;

impl Window {
    /// Its length.
    #[must_use]
    pub fn length(&self) -> Duration {
        Duration::try_from_secs_f64(self.seconds).unwrap_or(Duration::from_secs(86_400))
    }
}

impl Quota {
    /// Its length.
    #[must_use]
    pub fn length(&self) -> Duration {
        Duration::try_from_secs_f64(self.hours * 3_600.0).unwrap_or(Duration::from_secs(86_400))
    }
}

impl Budget {
    /// The most calls this allows in 60 s: the least of calls × 60 ÷ seconds over windows up to 60 s,
    /// calls of longer windows, and 60,000 ÷ spacing; rounded down. At least 1 for a valid budget.
    #[must_use]
    pub fn limit(&self) -> u32 {
        let windows = self.windows.iter().map(|w| match w.seconds {
            short if short <= 60.0 => f64::from(w.calls) * 60.0 / short,
            _ => f64::from(w.calls),
        });
        let spacing = (self.spacing_ms > 0).then(|| 60_000.0 / f64::from(self.spacing_ms));
        let least = windows.chain(spacing).fold(f64::INFINITY, f64::min);
        // A sum like 85 × 60 ÷ 30 must not lose its last unit to rounding.
        let whole = (least + 1e-9).floor().clamp(0.0, f64::from(u32::MAX));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to u32 just above"
        )]
        let limit = whole as u32;
        limit.max(1)
    }

    /// The preset *Careful*: at least 2 s apart and at most 1,000 an hour, and nothing that `default`
    /// forbids.
    #[must_use]
    pub fn careful(default: &Self) -> Self {
        let mut windows: Vec<Window> =
            default.windows.iter().copied().filter(|w| w.seconds < 3_600.0).collect();
        let hour = default.windows.iter().filter(|w| w.seconds >= 3_600.0).map(|w| w.calls).min();
        windows.push(Window { seconds: 3_600.0, calls: hour.map_or(1_000, |calls| calls.min(1_000)) });
        Self { spacing_ms: default.spacing_ms.max(2_000), windows, quota: default.quota }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// Names the first field that is out of range.
    pub fn check(&self) -> Result<(), BudgetError> {
        let bad = |field: String, problem| Err(BudgetError { field, problem });
        if self.spacing_ms > 3_600_000 {
            return bad("spacing_ms".into(), "must be at most 3600000 (an hour)");
        }
        for (index, window) in self.windows.iter().enumerate() {
            if !(window.seconds > 0.0 && window.seconds <= DAY_S) {
                return bad(
                    format!("windows[{index}].seconds"),
                    "must be more than 0 and at most 86400 (a day)",
                );
            }
            if !(1..=1_000_000).contains(&window.calls) {
                return bad(format!("windows[{index}].calls"), "must be from 1 to 1000000");
            }
        }
        if self.spacing_ms == 0 && self.windows.is_empty() {
            return bad("windows".into(), "is empty and there is no spacing_ms: a budget needs one of them");
        }
        match self.quota {
            Some(quota) if !(quota.hours > 0.0 && quota.hours <= 24.0) => {
                bad("quota.hours".into(), "must be more than 0 and at most 24")
            }
            Some(quota) if !(1..=10_000_000).contains(&quota.calls) => {
                bad("quota.calls".into(), "must be from 1 to 10000000")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ServiceId;

    #[test]
    fn b10_the_limit_follows_the_budget() {
        let limit = |id: ServiceId| id.service().default_budget(true).limit();
        let expected = [170, 20, 540, 300, 30, 57, 30, 120, 60, 55, 60, 9];
        let got: Vec<u32> = ServiceId::ALL.iter().map(|id| limit(*id)).collect();
        assert_eq!(got, expected);
        assert_eq!(ServiceId::Discogs.service().default_budget(false).limit(), 24);
    }

    #[test]
    fn careful_is_never_wider_than_the_default() {
        for id in ServiceId::ALL {
            let default = id.service().default_budget(true);
            let careful = Budget::careful(&default);
            assert!(careful.limit() <= default.limit().min(30), "{id}");
            assert!(careful.windows.iter().any(|w| w.seconds == 3_600.0 && w.calls <= 1_000), "{id}");
            assert_eq!(careful.check(), Ok(()), "{id}");
        }
    }

    #[test]
    fn a_bad_number_is_named() {
        let window =
            |seconds, calls| Budget { spacing_ms: 0, windows: vec![Window { seconds, calls }], quota: None };
        for (budget, field) in [
            (window(-5.0, 45), "windows[0].seconds"),
            (window(f64::NAN, 45), "windows[0].seconds"),
            (window(5.0, 0), "windows[0].calls"),
            (Budget { spacing_ms: 0, windows: vec![], quota: None }, "windows"),
            (Budget { quota: Some(Quota { hours: 48.0, calls: 1 }), ..window(5.0, 1) }, "quota.hours"),
        ] {
            assert_eq!(budget.check().map_err(|e| e.field), Err(field.to_owned()));
        }
    }
}
