//! What the gauges show: every service, as it is now.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::budget::{QuotaUse, Why};
use crate::engine::Inner;
use crate::meter::Tally;
use crate::service::{BanKind, ServiceId};

/// A rolling window of a budget and how many of its slots are taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ts_rs::TS)]
pub struct WindowUse {
    /// Length in seconds.
    #[serde(serialize_with = "crate::budget::plain")]
    pub seconds: f64,
    /// Slots.
    pub calls: u32,
    /// Slots taken.
    pub used: u32,
}

/// A running ban.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct Ban {
    /// Rate or quota.
    pub kind: BanKind,
    /// When it ends, unix seconds, rounded up.
    pub until: i64,
    /// Seconds until then, rounded up.
    pub remaining_s: u64,
    /// The endpoint whose call was refused.
    pub endpoint: &'static str,
}

/// What stands between the user and the first call of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
pub enum Access {
    /// Nothing: it takes no credential.
    Open,
    /// Nothing: there is a credential, or it does without.
    Ready,
    /// A credential, which is missing.
    CredentialNeeded,
    /// The user switched it off.
    Disabled,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct ServiceRates {
    /// Calls sent in the last 60 s.
    pub cpm: u32,
    /// The most calls the budget allows in 60 s.
    pub limit: u32,
    /// The budget's windows.
    pub windows: Vec<WindowUse>,
    /// The long-term allowance, where there is one.
    pub quota: Option<QuotaUse>,
    /// Calls of the last 60 s by endpoint.
    #[ts(type = "Record<string, number>")]
    pub endpoints: Tally,
    /// Calls of the last 60 s by caller.
    #[ts(type = "Record<string, number>")]
    pub callers: Tally,
    /// Answers from the cache in the last 60 s.
    pub hits: u32,
    /// The running ban.
    pub ban: Option<Ban>,
    /// No background calls until then (unix seconds).
    pub cooldown_until: Option<i64>,
    /// Calls that wait for a slot.
    pub waiting: u32,
    /// What stands in the way of a call.
    pub access: Access,
    /// Calls of the running minute.
    pub this_minute: u32,
    /// Calls in 24 h.
    pub calls_24h: u32,
    /// Answers from the cache in 24 h.
    pub hits_24h: u32,
}

/// All services at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct Rates {
    /// When, in unix seconds.
    pub at: i64,
    /// When the running minute began, in unix seconds.
    pub minute: i64,
    /// Whether the user has paused all calls.
    pub paused: bool,
    /// Every service, used or not.
    #[ts(type = "Record<ServiceId, ServiceRates>")]
    pub services: BTreeMap<ServiceId, ServiceRates>,
}

impl Rates {
    /// Whether a gauge looks otherwise than in `before`: time alone changes nothing.
    #[must_use]
    pub fn differs(&self, before: &Self) -> bool {
        let timeless = |rates: &Self| {
            let mut rates = rates.clone();
            rates.at = 0;
            rates.services.values_mut().filter_map(|s| s.ban.as_mut()).for_each(|ban| ban.remaining_s = 0);
            rates
        };
        timeless(self) != timeless(before)
    }
}

impl Inner {
    /// The gauges, as they are now.
    pub(crate) fn rates(&self) -> Rates {
        let services = ServiceId::ALL.iter().map(|id| (*id, self.service_rates(*id))).collect();
        Rates {
            at: self.clock.wall().seconds(),
            minute: self.meter.this_minute(),
            paused: self.is_paused(),
            services,
        }
    }

    pub(crate) fn service_rates(&self, id: ServiceId) -> ServiceRates {
        let lane = self.lane(id);
        let (view, rates) = (lane.gate.view(), self.meter.rates(id));
        let now = self.clock.mono();
        let quota = lane.quota.lock().in_force().map(|(quota, source)| {
            let used = self.meter.calls_within(id, quota.length());
            QuotaUse { hours: quota.hours, calls: quota.calls, used, source }
        });
        let window = |(window, used): &(crate::budget::Window, u32)| WindowUse {
            seconds: window.seconds,
            calls: window.calls,
            used: *used,
        };
        ServiceRates {
            cpm: rates.cpm,
            limit: view.limit,
            windows: view.windows.iter().map(window).collect(),
            quota,
            endpoints: rates.endpoints,
            callers: rates.callers,
            hits: rates.hits,
            ban: view.ban.map(|ban| {
                let left = ban.until.since(now);
                Ban {
                    kind: ban.kind,
                    until: self.clock.wall_of(ban.until).seconds_up(),
                    remaining_s: left.as_secs() + u64::from(left.subsec_nanos() > 0),
                    endpoint: id.service().endpoint_name(ban.endpoint),
                }
            }),
            cooldown_until: view.cooldown_until.map(|until| self.clock.wall_of(until).seconds_up()),
            waiting: view.waiting,
            access: self.access(id),
            this_minute: rates.this_minute,
            calls_24h: rates.calls_24h,
            hits_24h: rates.hits_24h,
        }
    }

    pub(crate) fn access(&self, id: ServiceId) -> Access {
        let auth = id.service().auth;
        match (self.settings.current().services.get(&id).is_none_or(|s| s.enabled), self.credentials.has(id))
        {
            (false, _) => Access::Disabled,
            (true, true) => Access::Ready,
            (true, false) if auth.required => Access::CredentialNeeded,
            (true, false) if auth.place == crate::service::CredentialPlace::None => Access::Open,
            (true, false) => Access::Ready,
        }
    }
}

/// A refusal's name in answers and for the window to branch on.
#[must_use]
pub fn refusal_code(why: Why) -> &'static str {
    match why {
        Why::Banned(BanKind::Rate) => "banned",
        Why::Banned(BanKind::Quota) => "quota_spent",
        Why::Cooldown => "cooldown",
        Why::OverBudget => "over_budget",
        Why::QuotaReserve => "quota_reserve",
        Why::Paused => "paused",
    }
}
