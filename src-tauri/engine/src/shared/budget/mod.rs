//! Budgets that several machines keep together on the shared server.
//!
//! `lane.rs` is what a service's gate asks (`SharedBudget`); `clerk.rs` is the one task that brings
//! everything else to the server: slots given back, bans, and every second the word that this machine
//! is there. The rules lie in the scripts, which the server runs one at a time and by its own clock.
//!
//! While the server is gone each machine uses its part. A machine is *live* while it was seen in the
//! last [`LIVE`], then *silent*: from then on the server keeps its part free. So a machine that lost
//! the server waits until the others know it as silent, and until what they may have used meanwhile has
//! left the windows; then it uses its part.
//!
//! Invariant: what is sent is in the book, and the book is on the server before the server is asked.

mod clerk;
mod lane;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::{FromRedisValue, Script, Value, from_redis_value};
use tokio::sync::Notify;

use super::link::{Link, LinkState, PATIENCE};
use super::{News, PREFIX};
use crate::budget::{SharedBan, Standing, Window};
use crate::clock::{Clock, Mono};
use crate::service::{BanKind, OTHER, ServiceId};

pub(in crate::shared) use clerk::Clerk;

/// A machine not seen for so long is silent.
const LIVE: Duration = Duration::from_secs(3);
/// A machine not seen for so long is forgotten, and its part is free.
const SILENT: Duration = Duration::from_secs(600);
/// A slot never given back counts as answered so long after it was taken.
const LONGEST_CALL: Duration = Duration::from_secs(60);
/// A script that arrives later than this after it was sent does nothing: whoever sent it has gone on.
const LATE: Duration = Duration::from_millis(500);
/// Machines the budgets are divided between before the server was ever reached.
const UNKNOWN_MACHINES: u32 = 2;

const TAKEN: i64 = 0;
const WAIT: i64 = 1;
const BAN: i64 = 2;
const ANOTHER: i64 = 3;
const TOO_LATE: i64 = 4;

macro_rules! script {
    ($file:literal) => {
        Script::new(concat!(
            include_str!("../scripts/common.lua"),
            include_str!(concat!("../scripts/", $file))
        ))
    };
}

struct Scripts {
    take: Script,
    back: Script,
    ban: Script,
    greet: Script,
    beat: Script,
}

impl Scripts {
    fn new() -> Self {
        Self {
            take: script!("take.lua"),
            back: script!("back.lua"),
            ban: script!("ban.lua"),
            greet: script!("greet.lua"),
            beat: script!("beat.lua"),
        }
    }
}

/// Whether the others can be asked, and who they are.
#[derive(Debug)]
struct Joined {
    /// The connection over which everything was told.
    number: Option<u64>,
    /// A connection over which it is being told.
    joining: bool,
    /// The server's epoch, which every script names.
    epoch: String,
    /// Which server it was when we were last joined.
    server: String,
    machines: u32,
    reached: bool,
    /// Other machines and when they were seen.
    others: Vec<(String, Mono)>,
    others_until: Option<Mono>,
    /// The server's clock when ours was at zero, at the latest, in microseconds.
    clock_ahead: i64,
}

/// What the lanes and the clerk have in common.
struct Hub {
    link: Link,
    clock: Clock,
    scripts: Scripts,
    /// This machine.
    me: String,
    /// This run of it: names of slots are never used again.
    run: String,
    joined: Mutex<Joined>,
    /// There is something to be told.
    work: Notify,
    /// Everything was told.
    told: Notify,
    news: Tell,
}

/// Who is told of [`News`].
pub(super) type Tell = Arc<dyn Fn(News) + Send + Sync>;

impl Hub {
    /// The connection to ask over, the epoch to name, and the time on the server's clock after which
    /// the question is void.
    fn joined(&self) -> Option<(u64, String, i64, u32)> {
        let joined = self.joined.lock();
        let number = joined.number?;
        let not_after = self.micros().saturating_add(joined.clock_ahead).saturating_add(micros(LATE));
        Some((number, joined.epoch.clone(), not_after, joined.machines))
    }

    fn micros(&self) -> i64 {
        micros(self.clock.mono().since(Mono::default()))
    }

    fn standing(&self, now: Mono) -> Standing {
        let mut joined = self.joined.lock();
        if joined.number.is_some_and(|number| self.link.state() != LinkState::Up(number)) {
            leave(&mut joined, now);
        }
        Standing {
            together: joined.number.is_some(),
            machines: joined.machines,
            others_until: joined.others_until,
            busy: joined.joining,
        }
    }

    /// The server is not what it was, or does not do what it should.
    fn give_up(&self, number: u64, why: &str) {
        self.link.lost(number, why);
        let mut joined = self.joined.lock();
        if joined.number == Some(number) {
            leave(&mut joined, self.clock.mono());
        }
    }

    /// So many machines share now.
    fn count(&self, number: u64, machines: u32) {
        let mut joined = self.joined.lock();
        if joined.number == Some(number) {
            joined.machines = machines.max(1);
        }
    }

    fn name(&self, slot: u64) -> String {
        format!("{}:{}:{slot}", self.me, self.run)
    }

    fn age(&self, at: Mono) -> i64 {
        micros(self.clock.mono().since(at))
    }
}

impl Joined {
    /// Before any server was reached.
    fn never() -> Self {
        Self {
            number: None,
            joining: false,
            epoch: String::new(),
            server: String::new(),
            machines: UNKNOWN_MACHINES,
            reached: false,
            others: Vec::new(),
            others_until: None,
            clock_ahead: 0,
        }
    }
}

fn leave(joined: &mut Joined, now: Mono) {
    joined.number = None;
    // Until the server counts us as silent, the others may use everything.
    joined.others_until = (joined.machines > 1).then(|| now + LIVE + LATE * 2);
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn duration(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

fn key(service: ServiceId, what: &str) -> String {
    format!("{PREFIX}b:{service}:{what}")
}

fn machines_key() -> String {
    format!("{PREFIX}machines")
}

fn epoch_key() -> String {
    format!("{PREFIX}epoch")
}

fn longest(windows: &[Window]) -> Duration {
    windows.iter().map(Window::length).max().unwrap_or_default()
}

const fn kind_name(kind: BanKind) -> &'static str {
    match kind {
        BanKind::Rate => "rate",
        BanKind::Quota => "quota",
    }
}

fn read_ban(service: ServiceId, kind: &str, endpoint: &str, age: i64, left: i64) -> SharedBan {
    SharedBan {
        kind: if kind == kind_name(BanKind::Quota) { BanKind::Quota } else { BanKind::Rate },
        endpoint: service.service().endpoint_named(endpoint).unwrap_or(OTHER),
        age: duration(age),
        left: duration(left),
    }
}

const EMPTIED: &str = "it was emptied";
const TARDY: &str = "a command reached it too late, or its clock was set";

fn next<T: FromRedisValue>(values: &mut impl Iterator<Item = Value>) -> Option<T> {
    from_redis_value(values.next()?).ok()
}

fn rest<T: FromRedisValue>(values: impl Iterator<Item = Value>) -> Option<Vec<T>> {
    values.map(|value| from_redis_value(value).ok()).collect()
}

// A script that takes longer than a caller waits would be of no use.
const _: () = assert!(LATE.as_millis() >= PATIENCE.as_millis());
