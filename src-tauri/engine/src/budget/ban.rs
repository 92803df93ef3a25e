//! Bans: one per incident, doubling when a service gives no time, with a cooldown and a single probe
//! after them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Priority;
use super::together::SharedBan;
use crate::clock::{Clock, Mono, Wall};
use crate::service::{BanKind, EndpointId};

/// A ban we set ourselves never grows beyond this.
const LONGEST_OWN: Duration = Duration::from_secs(4 * 3600);
/// Bans longer than this are followed by a cooldown.
const COOLDOWN_AFTER: Duration = Duration::from_secs(60);
/// No background calls for so long, counted from the ban's end.
const COOLDOWN: Duration = Duration::from_secs(30 * 60);
/// After so long without a refusal the next ban is a first one again.
const QUIET: Duration = Duration::from_secs(6 * 3600);
/// A ban told to end so little later is the one we know.
const SAME_BAN: Duration = Duration::from_secs(1);

/// One incident: the provider refuses until a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Rate or quota.
    pub kind: BanKind,
    /// The endpoint whose call was refused first.
    pub endpoint: EndpointId,
    /// When the first refusal came.
    pub began: Mono,
    /// Nothing leaves before this.
    pub until: Mono,
    /// How many incidents followed one another without six quiet hours between; at least 1.
    pub in_a_row: u32,
}

impl Incident {
    fn cooldown_until(&self) -> Option<Mono> {
        (self.until.since(self.began) > COOLDOWN_AFTER).then(|| self.until + COOLDOWN)
    }
}

/// A ban as it is stored, in UTC seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedBan {
    /// Rate or quota.
    pub kind: BanKind,
    /// Name of the endpoint.
    pub endpoint: String,
    /// When it began, unix seconds.
    pub began: i64,
    /// When it ends, unix seconds, rounded up.
    pub until: i64,
    /// See [`Incident::in_a_row`].
    pub in_a_row: u32,
}

/// What a refusal did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BanChange {
    /// A new incident began.
    Began(Incident),
    /// It belongs to the running incident and moved its end.
    Extended(Incident),
    /// It belongs to a known incident and tells nothing new.
    Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    NotNeeded,
    Needed,
    Out,
}

/// Bans of one service.
#[derive(Debug)]
pub(super) struct Bans {
    /// The last incident, running or past: it carries cooldown and escalation.
    last: Option<Incident>,
    /// Counts incidents; a call knows in which it was sent.
    epoch: u64,
    probe: Probe,
    /// The incident a sign-in cleared: it stands again if the probe is refused.
    cleared: Option<Incident>,
}

/// Why the bans hold a call back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    Banned(Incident),
    Cooldown(Mono),
    /// The probe is out; wait for its answer.
    Probing,
}

impl Bans {
    pub(super) fn new() -> Self {
        Self { last: None, epoch: 0, probe: Probe::NotNeeded, cleared: None }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(super) fn running(&self, now: Mono) -> Option<Incident> {
        self.last.filter(|ban| now < ban.until)
    }

    pub(super) fn cooldown_until(&self, now: Mono) -> Option<Mono> {
        self.last.and_then(|ban| ban.cooldown_until()).filter(|until| now < *until)
    }

    pub(super) fn hold(&self, now: Mono, priority: Priority) -> Option<Hold> {
        if let Some(ban) = self.running(now) {
            return Some(Hold::Banned(ban));
        }
        if priority == Priority::Background
            && let Some(until) = self.cooldown_until(now)
        {
            return Some(Hold::Cooldown(until));
        }
        (self.probe == Probe::Out).then_some(Hold::Probing)
    }

    /// Marks a call as sent; true if it is the probe.
    pub(super) fn sent(&mut self) -> bool {
        let is_probe = self.probe == Probe::Needed;
        if is_probe {
            self.probe = Probe::Out;
        }
        is_probe
    }

    /// The probe came back without a refusal: `answered` when the service answered at all.
    pub(super) fn probe_back(&mut self, answered: bool) {
        if self.probe == Probe::Out {
            self.probe = if answered { Probe::NotNeeded } else { Probe::Needed };
        }
        if answered {
            self.cleared = None;
        }
    }

    /// A call sent in `epoch` was refused. `given` is the time the provider gave, `default` what a first
    /// ban lasts when it gave none.
    pub(super) fn refused(
        &mut self,
        now: Mono,
        epoch: u64,
        kind: BanKind,
        endpoint: EndpointId,
        given: Option<Duration>,
        default: Duration,
    ) -> BanChange {
        if epoch < self.epoch {
            // It was in flight when the ban began: the same incident, but a time given is kept.
            let until = given.map(|wait| now + wait);
            return match (self.last.as_mut(), until) {
                (Some(ban), Some(until)) if until > ban.until => {
                    ban.until = until;
                    self.probe = Probe::Needed;
                    BanChange::Extended(*ban)
                }
                _ => BanChange::Known,
            };
        }
        let before = self.last.filter(|ban| now < ban.until + QUIET);
        let in_a_row = before.map_or(0, |ban| ban.in_a_row).saturating_add(1);
        let own = || {
            default
                .saturating_mul(1u32.checked_shl(in_a_row - 1).unwrap_or(u32::MAX))
                .min(LONGEST_OWN.max(default))
        };
        let mut until = now + given.unwrap_or_else(own);
        if let Some(cleared) = self.cleared.take() {
            until = until.max(cleared.until);
        }
        let ban = Incident { kind, endpoint, began: now, until, in_a_row };
        self.last = Some(ban);
        self.epoch += 1;
        self.probe = Probe::Needed;
        BanChange::Began(ban)
    }

    /// A ban another machine met: the longest end wins.
    pub(super) fn adopt(&mut self, now: Mono, told: &SharedBan) -> BanChange {
        let until = now + told.left;
        match self.last.as_mut().filter(|ban| now < ban.until) {
            // The way here takes a moment: the same ban must not seem longer each time it is told.
            Some(ban) if until <= ban.until + SAME_BAN => BanChange::Known,
            Some(ban) => {
                ban.until = until;
                self.probe = Probe::Needed;
                BanChange::Extended(*ban)
            }
            None => {
                let before = self.last.filter(|ban| now < ban.until + QUIET);
                let in_a_row = before.map_or(0, |ban| ban.in_a_row).saturating_add(1);
                let (kind, endpoint, began) = (told.kind, told.endpoint, now - told.age);
                let ban = Incident { kind, endpoint, began, until, in_a_row };
                self.last = Some(ban);
                self.cleared = None;
                self.epoch += 1;
                self.probe = Probe::Needed;
                BanChange::Began(ban)
            }
        }
    }

    /// A sign-in: ban, cooldown and escalation are gone; the next call is the probe. Tells whether
    /// there was anything to clear.
    pub(super) fn clear(&mut self, now: Mono) -> bool {
        let running = self.running(now);
        let had = self.last.take().is_some_and(|ban| now < ban.until + QUIET);
        if had {
            self.cleared = running;
            self.probe = Probe::Needed;
            // Refusals of calls still in flight belong to the incident that is over.
            self.epoch += 1;
        }
        had
    }

    pub(super) fn save(&self, clock: &Clock, name: impl Fn(EndpointId) -> &'static str) -> Option<SavedBan> {
        let ban = self.last.filter(|ban| clock.mono() < ban.until + QUIET)?;
        Some(SavedBan {
            kind: ban.kind,
            endpoint: name(ban.endpoint).to_owned(),
            began: clock.wall_of(ban.began).seconds(),
            until: clock.wall_of(ban.until).seconds_up(),
            in_a_row: ban.in_a_row,
        })
    }

    pub(super) fn restore(&mut self, saved: &SavedBan, endpoint: EndpointId, clock: &Clock) {
        let began = clock.mono_of(Wall::from_seconds(saved.began));
        // A clock set back while we were away must not make a ban longer than it was.
        let length = Duration::from_secs(u64::try_from(saved.until.saturating_sub(saved.began)).unwrap_or(0));
        let until = clock.mono_of(Wall::from_seconds(saved.until)).min(clock.mono() + length);
        self.last =
            Some(Incident { kind: saved.kind, endpoint, began, until, in_a_row: saved.in_a_row.max(1) });
        self.epoch += 1;
        self.probe = Probe::Needed;
    }
}
