//! What happened that a person wants to know of.

use serde::{Deserialize, Serialize};

use crate::service::ServiceId;

/// How many events are kept.
pub const EVENTS_KEPT: usize = 200;

/// The kind of an [`Event`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
pub enum EventKind {
    /// A provider refuses us until a time: one event an incident.
    Ban,
    /// A ban was cleared, by a sign-in or by hand.
    BanCleared,
    /// A real refusal taught the size of a quota.
    QuotaLearned,
    /// More of a quota is used than is good.
    QuotaWarning,
    /// A damaged history file was set aside.
    HistoryDamaged,
    /// `settings.json` was changed and is not valid; the last good settings stay.
    SettingsRejected,
    /// The history cannot be written.
    StorageFailing,
    /// The history can be written again.
    StorageRecovered,
    /// Somebody set the wall clock.
    ClockChanged,
    /// The history of another monitor was taken in.
    HistoryImported,
    /// Somebody signed in at a service.
    SignedIn,
    /// An account was signed out.
    SignedOut,
    /// A consent has ended: sign in again.
    SignInNeeded,
    /// The shared server cannot be used: this machine goes on by itself.
    SharedGone,
    /// The shared server is used again.
    SharedBack,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS)]
pub struct Event {
    /// When, in unix seconds.
    pub at: i64,
    /// What kind of thing.
    pub kind: EventKind,
    /// The service it is about.
    pub service: Option<ServiceId>,
    /// Name of the endpoint it is about.
    pub endpoint: Option<String>,
    /// Who asked.
    pub caller: Option<String>,
    /// Until when it lasts, in unix seconds.
    pub until: Option<i64>,
    /// A sentence without a full stop.
    pub text: String,
}

impl Event {
    /// An event about the program itself.
    #[must_use]
    pub fn general(at: i64, kind: EventKind, text: impl Into<String>) -> Self {
        Self { at, kind, service: None, endpoint: None, caller: None, until: None, text: text.into() }
    }
}
