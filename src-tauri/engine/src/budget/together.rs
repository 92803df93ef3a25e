//! A budget that several machines keep together, as the gate sees it. Who keeps it, and how, the gate
//! does not know.

use std::borrow::Cow;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::ban::Incident;
use super::{Budget, Window};
use crate::clock::Mono;
use crate::service::{BanKind, EndpointId};

/// Windows up to this length are waited out when the others can no longer be asked; for longer ones
/// what was last told of the others is taken as true.
const WAITED_OUT: Duration = Duration::from_secs(60);

/// A slot of a shared budget, to be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SharedSlot(pub u64);

/// Whether the others can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// They can: each call asks before it is sent.
    pub together: bool,
    /// Between how many machines the budget is divided while they cannot; at least 1.
    pub machines: u32,
    /// Until when the others may have used the whole budget without our knowing.
    pub others_until: Option<Mono>,
    /// Nothing may be sent now: what was sent is being told to the others.
    pub busy: bool,
}

/// A ban another machine met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedBan {
    /// Rate or quota.
    pub kind: BanKind,
    /// The endpoint whose call was refused.
    pub endpoint: EndpointId,
    /// How long ago it began.
    pub age: Duration,
    /// How long it lasts yet.
    pub left: Duration,
}

/// What the others say to a call that wants to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It may. `used` are the slots taken before it, one number a window of the budget.
    Go {
        /// To be given back.
        slot: SharedSlot,
        /// Slots taken before, by everybody.
        used: Vec<u32>,
    },
    /// Not before this time has passed: a lower bound.
    NotBefore {
        /// How long.
        wait: Duration,
        /// Slots taken, by everybody.
        used: Vec<u32>,
    },
    /// The provider refuses us.
    Banned(SharedBan),
    /// They cannot be asked any more; [`SharedBudget::standing`] says so from now on.
    Gone,
}

/// What [`SharedBudget::take`] returns. Dropped before its end it leaves no slot taken.
pub type Taking<'a> = Pin<Box<dyn Future<Output = Taken> + Send + 'a>>;

/// One service's budget, kept together with other machines. Nothing but `take` may wait.
pub trait SharedBudget: Send + Sync + Debug {
    /// Whether the others can be asked at `now`.
    fn standing(&self, now: Mono) -> Standing;
    /// Asks for a slot of `budget`.
    fn take<'a>(&'a self, budget: &'a Budget) -> Taking<'a>;
    /// A call was sent without asking: it is told when the others can be asked again.
    fn sent_apart(&self) -> SharedSlot;
    /// Gives a slot back: its call was answered, or, if it was not `sent`, never left.
    fn give_back(&self, slot: SharedSlot, sent: bool);
    /// The provider refused us.
    fn banned(&self, ban: &Incident);
    /// A sign-in, or the user by hand, ended a ban.
    fn cleared(&self);
    /// A ban another machine met is held to here too, from now on.
    fn adopted(&self, ban: &Incident);
}

/// What others had used of each window when it was last told.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) at: Mono,
    pub(super) others: Vec<(Window, u32)>,
}

impl Told {
    pub(super) fn others(&self, window: &Window) -> u32 {
        self.others.iter().find(|(told, _)| told == window).map_or(0, |(_, used)| *used)
    }
}

/// What holds at one instant: a budget, and a time before which nothing leaves whatever it says.
#[derive(Debug)]
pub(super) struct Rule<'a> {
    pub(super) budget: Cow<'a, Budget>,
    pub(super) not_before: Option<Mono>,
}

impl<'a> Rule<'a> {
    pub(super) fn alone(budget: &'a Budget) -> Self {
        Self { budget: Cow::Borrowed(budget), not_before: None }
    }

    /// The rule for a machine that shares `whole`. `held` is what the others said last.
    pub(super) fn shared(
        whole: &'a Budget,
        now: Mono,
        standing: &Standing,
        held: Option<Mono>,
        told: Option<&Told>,
    ) -> Self {
        let mut not_before = held.filter(|_| standing.together);
        let mut wait = |until: Mono| not_before = not_before.max(Some(until));
        if standing.busy {
            wait(now + Duration::from_millis(20));
        }
        if let Some(until) = standing.others_until {
            wait(until + Duration::from_millis(u64::from(whole.spacing_ms)));
            let short = whole.windows.iter().map(Window::length).filter(|length| *length <= WAITED_OUT);
            short.for_each(|length| wait(until + length));
        }
        if standing.together {
            return Self { budget: Cow::Borrowed(whole), not_before };
        }
        let mut part = part_of(whole, standing.machines);
        for (window, whole) in part.windows.iter_mut().zip(&whole.windows) {
            let Some(told) = told.filter(|told| now < told.at + whole.length()) else { continue };
            if whole.length() <= WAITED_OUT {
                continue;
            }
            let left = whole.calls.saturating_sub(told.others(whole));
            window.calls = window.calls.min(left);
            if left == 0 {
                wait(told.at + whole.length());
            }
        }
        Self { budget: Cow::Owned(part), not_before }
    }
}

/// One part of a budget divided between `machines`: never more than the whole when each takes one, but
/// for a window of fewer calls than machines, where each may send one.
fn part_of(whole: &Budget, machines: u32) -> Budget {
    let machines = machines.max(1);
    let part = |window: &Window| Window { calls: (window.calls / machines).max(1), ..*window };
    Budget {
        spacing_ms: whole.spacing_ms.saturating_mul(machines),
        windows: whole.windows.iter().map(part).collect(),
        quota: whole.quota,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono::default() + Duration::from_secs(seconds)
    }

    const SHORT: Window = Window { seconds: 5.0, calls: 45 };
    const LONG: Window = Window { seconds: 3_600.0, calls: 1_000 };

    fn budget() -> Budget {
        Budget { spacing_ms: 350, windows: vec![SHORT, LONG], quota: None }
    }

    fn apart(machines: u32, others_until: Option<Mono>) -> Standing {
        Standing { together: false, machines, others_until, busy: false }
    }

    #[test]
    fn apart_each_machine_has_its_part_and_at_least_one_call() {
        let part = part_of(&budget(), 2);
        assert_eq!((part.spacing_ms, part.windows[0].calls, part.windows[1].calls), (700, 22, 500));
        assert_eq!(part_of(&budget(), 60).windows[0].calls, 1);
        assert_eq!(part_of(&budget(), 0), budget());
    }

    #[test]
    fn what_the_others_may_have_used_is_waited_out_where_that_is_short() {
        let whole = budget();
        let rule = Rule::shared(&whole, at(10), &apart(2, Some(at(14))), Some(at(99)), None);
        assert_eq!(rule.not_before, Some(at(19)), "the window's five seconds; the hour is not waited for");
        let rule = Rule::shared(&whole, at(10), &apart(2, None), Some(at(99)), None);
        assert_eq!(rule.not_before, None, "a time the others gave is of no meaning without them");
    }

    #[test]
    fn a_long_window_counts_what_was_told_of_the_others_until_it_has_passed() {
        let whole = budget();
        let told = |others| Told { at: at(100), others: vec![(SHORT, 45), (LONG, others)] };
        let calls = |others, now| {
            let rule = Rule::shared(&whole, at(now), &apart(2, None), None, Some(&told(others)));
            (rule.budget.windows[0].calls, rule.budget.windows[1].calls, rule.not_before)
        };
        assert_eq!(calls(300, 101), (22, 500, None));
        assert_eq!(calls(900, 101), (22, 100, None));
        assert_eq!(calls(1_000, 101), (22, 0, Some(at(3_700))));
        assert_eq!(calls(1_000, 3_700), (22, 500, None));
    }
}
