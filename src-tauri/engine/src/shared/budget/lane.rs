//! One service's budget on the server: what its gate asks.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::Value;

use super::super::News;
use super::super::book::Book;
use super::{
    ANOTHER, BAN, EMPTIED, Hub, LIVE, LONGEST_CALL, SILENT, TAKEN, TARDY, TOO_LATE, WAIT, duration,
    epoch_key, key, longest, machines_key, micros, next, read_ban, rest,
};
use crate::budget::{Budget, Incident, SharedBan, SharedBudget, SharedSlot, Standing, Taken, Taking};
use crate::clock::Mono;
use crate::service::ServiceId;

/// One service's budget on the server.
pub(super) struct Lane {
    pub(super) hub: Arc<Hub>,
    pub(super) service: ServiceId,
    pub(super) book: Mutex<Book>,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").field("service", &self.service).finish_non_exhaustive()
    }
}

/// A slot that was asked for: if nobody waits for the answer any more it goes back unused.
struct Asked<'a> {
    lane: &'a Lane,
    slot: Option<SharedSlot>,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            self.lane.give_back(slot, false);
        }
    }
}

impl Lane {
    async fn ask(&self, budget: &Budget) -> Taken {
        let Some((number, epoch, not_after, machines)) = self.hub.joined() else { return Taken::Gone };
        let slot = {
            let mut book = self.book.lock();
            if book.clear {
                // The ban we would be told of is the one being cleared.
                return Taken::NotBefore { wait: Duration::from_millis(50), used: Vec::new() };
            }
            book.open(self.hub.clock.mono())
        };
        let mut asked = Asked { lane: self, slot: Some(slot) };
        let mut script = self.hub.scripts.take.prepare_invoke();
        script
            .key(key(self.service, "slots"))
            .key(key(self.service, "sent"))
            .key(key(self.service, "ban"))
            .key(machines_key())
            .key(epoch_key())
            .arg(epoch)
            .arg(not_after)
            .arg(&self.hub.me)
            .arg(machines)
            .arg(micros(LIVE))
            .arg(micros(SILENT))
            .arg(self.hub.name(slot.0))
            .arg(micros(LONGEST_CALL))
            .arg(micros(longest(&budget.windows)))
            .arg(i64::from(budget.spacing_ms) * 1_000);
        for window in &budget.windows {
            script.arg(micros(window.length())).arg(window.calls);
        }
        let answer = self.hub.link.script::<Vec<Value>>(&script).await;
        let read = answer.map_err(|error| error.to_string()).and_then(|answer| {
            Answer::read(self.service, answer).ok_or_else(|| "its answer cannot be read".to_owned())
        });
        match read {
            Ok(Answer::Taken(machines, used)) => {
                asked.slot = None;
                self.hub.count(number, machines);
                Taken::Go { slot, used }
            }
            Ok(Answer::Wait(wait, machines, used)) => {
                asked.slot = None;
                self.hub.count(number, machines);
                self.book.lock().refused(slot);
                Taken::NotBefore { wait, used }
            }
            Ok(Answer::Banned(ban)) => {
                asked.slot = None;
                self.book.lock().refused(slot);
                Taken::Banned(ban)
            }
            Ok(Answer::Another) => {
                self.hub.give_up(number, EMPTIED);
                Taken::Gone
            }
            Ok(Answer::TooLate) => {
                self.hub.give_up(number, TARDY);
                Taken::Gone
            }
            Err(why) => {
                self.hub.give_up(number, &why);
                Taken::Gone
            }
        }
    }
}

/// Each with how many machines there are.
enum Answer {
    Taken(u32, Vec<u32>),
    Wait(Duration, u32, Vec<u32>),
    Banned(SharedBan),
    Another,
    TooLate,
}

impl Answer {
    fn read(service: ServiceId, answer: Vec<Value>) -> Option<Self> {
        let mut answer = answer.into_iter();
        Some(match next(&mut answer)? {
            TAKEN => Self::Taken(next(&mut answer)?, rest(answer)?),
            WAIT => Self::Wait(duration(next(&mut answer)?), next(&mut answer)?, rest(answer)?),
            BAN => {
                let (kind, endpoint): (String, String) = (next(&mut answer)?, next(&mut answer)?);
                let (age, left) = (next(&mut answer)?, next(&mut answer)?);
                Self::Banned(read_ban(service, &kind, &endpoint, age, left))
            }
            ANOTHER => Self::Another,
            TOO_LATE => Self::TooLate,
            _ => return None,
        })
    }
}

impl SharedBudget for Lane {
    fn standing(&self, now: Mono) -> Standing {
        self.hub.standing(now)
    }

    fn take<'a>(&'a self, budget: &'a Budget) -> Taking<'a> {
        Box::pin(self.ask(budget))
    }

    fn sent_apart(&self) -> SharedSlot {
        self.book.lock().open(self.hub.clock.mono())
    }

    fn give_back(&self, slot: SharedSlot, sent: bool) {
        self.book.lock().give_back(slot, sent, self.hub.clock.mono());
        self.hub.work.notify_one();
    }

    fn banned(&self, ban: &Incident) {
        self.book.lock().ban = Some(*ban);
        self.hub.work.notify_one();
    }

    fn cleared(&self) {
        let mut book = self.book.lock();
        book.clear = true;
        book.ban = None;
        drop(book);
        self.hub.work.notify_one();
    }

    fn adopted(&self, ban: &Incident) {
        (self.hub.news)(News::Ban(self.service, *ban));
    }
}
