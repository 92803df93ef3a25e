//! Budgets that several machines keep together on the shared server.
//!
//! [`Lane`] is what a service's gate asks ([`SharedBudget`]); [`Clerk`] is the one task that brings
//! everything else to the server: slots given back, bans, and every second the word that this machine
//! is there. The rules lie in the scripts, which the server runs one at a time and by its own clock.
//!
//! While the server is gone each machine uses its part. A machine is *live* while it was seen in the
//! last [`LIVE`], then *silent*: from then on the server keeps its part free. So a machine that lost
//! the server waits until the others know it as silent, and until what they may have used meanwhile has
//! left the windows; then it uses its part.
//!
//! Invariant: what is sent is in the book, and the book is on the server before the server is asked.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use redis::{Cmd, FromRedisValue, Script, Value, from_redis_value};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::book::{Book, Tidings};
use super::link::{Link, LinkError, LinkState, PATIENCE};
use super::{News, PREFIX};
use crate::budget::{
    Budget, Gate, Incident, SharedBan, SharedBudget, SharedSlot, Standing, Taken, Taking, Window,
};
use crate::clock::{Clock, Mono};
use crate::disk::{self, Readers};
use crate::service::{BanKind, OTHER, ServiceId};

/// How often a machine says that it is there.
const BEAT: Duration = Duration::from_secs(1);
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
/// Slots told in one go.
const BATCH: usize = 400;

const TAKEN: i64 = 0;
const WAIT: i64 = 1;
const BAN: i64 = 2;
const ANOTHER: i64 = 3;
const TOO_LATE: i64 = 4;

macro_rules! script {
    ($file:literal) => {
        Script::new(concat!(include_str!("scripts/common.lua"), include_str!(concat!("scripts/", $file))))
    };
}

struct Scripts {
    take: Script,
    back: Script,
    ban: Script,
    greet: Script,
    beat: Script,
}

/// What this directory knows of the shared server: `shared.json`.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Remembered {
    /// The name of this machine on the server; stays the same for a data directory.
    id: String,
    /// The server that has all calls of earlier runs, and how often it was emptied.
    server: String,
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

/// One service's budget on the server.
pub(super) struct Lane {
    hub: Arc<Hub>,
    service: ServiceId,
    book: Mutex<Book>,
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

const EMPTIED: &str = "it was emptied";
const TARDY: &str = "a command reached it too late, or its clock was set";

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

fn next<T: FromRedisValue>(values: &mut impl Iterator<Item = Value>) -> Option<T> {
    from_redis_value(values.next()?).ok()
}

fn rest<T: FromRedisValue>(values: impl Iterator<Item = Value>) -> Option<Vec<T>> {
    values.map(|value| from_redis_value(value).ok()).collect()
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

/// Why the clerk could not do its work; the link is given up then.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("{0}")]
    Server(&'static str),
}

/// The task that keeps the server told.
pub(super) struct Clerk {
    hub: Arc<Hub>,
    lanes: Vec<(Arc<Lane>, Arc<Gate>)>,
    file: PathBuf,
    remembered: Mutex<Remembered>,
    /// Since when the budgets are shared: calls of before are told once.
    since: Mutex<Mono>,
    shared: Mutex<bool>,
    /// The server has everything, and nothing more will be sent.
    stopped: AtomicBool,
}

impl Clerk {
    /// `gates` are those of all services, in the order of [`ServiceId::ALL`]; `data_dir` is where
    /// `shared.json` lies.
    pub(super) fn new(
        link: Link,
        clock: Clock,
        data_dir: &std::path::Path,
        gates: Vec<Arc<Gate>>,
        news: Tell,
    ) -> Self {
        let file = data_dir.join("shared.json");
        let remembered = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut remembered: Remembered = remembered.unwrap_or_default();
        if remembered.id.is_empty() {
            remembered = Remembered { id: format!("{:016x}", rand::random::<u64>()), server: String::new() };
        }
        let scripts = Scripts {
            take: script!("take.lua"),
            back: script!("back.lua"),
            ban: script!("ban.lua"),
            greet: script!("greet.lua"),
            beat: script!("beat.lua"),
        };
        let hub = Arc::new(Hub {
            link,
            clock: clock.clone(),
            scripts,
            me: remembered.id.clone(),
            run: format!("{:08x}", rand::random::<u32>()),
            joined: Mutex::new(Joined::never()),
            work: Notify::new(),
            told: Notify::new(),
            news,
        });
        let lane = |(service, gate): (&ServiceId, Arc<Gate>)| {
            let lane = Lane { hub: Arc::clone(&hub), service: *service, book: Mutex::default() };
            (Arc::new(lane), gate)
        };
        let lanes = ServiceId::ALL.iter().zip(gates).map(lane).collect();
        let (remembered, since) = (Mutex::new(remembered), Mutex::new(clock.mono()));
        Self {
            hub,
            lanes,
            file,
            remembered,
            since,
            shared: Mutex::new(false),
            stopped: AtomicBool::new(false),
        }
    }

    /// Shares the budgets from now on, or keeps them alone again.
    pub(super) fn share(&self, shared: bool) {
        let mut is_shared = self.shared.lock();
        if *is_shared == shared {
            return;
        }
        *is_shared = shared;
        *self.since.lock() = self.hub.clock.mono();
        for (lane, gate) in &self.lanes {
            lane.book.lock().begin_anew();
            gate.share(shared.then(|| Arc::clone(lane) as Arc<dyn SharedBudget>));
        }
    }

    /// The settings name another server, or none: takes leave of this one, of which nothing is known
    /// there.
    pub(super) fn leave(&self) {
        if let Some(mut connection) = self.hub.link.connection() {
            let leave = self.goodbye();
            tokio::spawn(async move {
                let leaving = leave.query_async::<i64>(&mut connection);
                // One that is not heard is forgotten by itself.
                let _ = tokio::time::timeout(PATIENCE, leaving).await;
            });
        }
        *self.hub.joined.lock() = Joined::never();
    }

    fn goodbye(&self) -> Cmd {
        let mut leave = redis::cmd("HDEL");
        leave.arg(machines_key()).arg(&self.hub.me);
        leave
    }

    /// Returns when the others can be asked.
    pub(super) async fn joined(&self) {
        while !self.together() {
            self.hub.told.notified().await;
        }
    }

    /// How many machines share, this one included; `None` before the server was reached.
    pub(super) fn machines(&self) -> Option<u32> {
        let joined = self.hub.joined.lock();
        joined.reached.then_some(joined.machines)
    }

    /// Whether the budgets are kept together now.
    pub(super) fn together(&self) -> bool {
        self.hub.standing(self.hub.clock.mono()).together
    }

    /// Works until it is aborted.
    pub(super) async fn work(self: Arc<Self>) {
        let mut states = self.hub.link.states();
        loop {
            let state = *states.borrow_and_update();
            if let LinkState::Up(number) = state {
                if let Err(trouble) = self.serve(number).await {
                    self.hub.give_up(number, &trouble.to_string());
                }
                self.lanes.iter().for_each(|(_, gate)| gate.standing_changed());
                // What is sent from now on it does not have, should we end before it is back.
                if !self.stopped.load(Ordering::Relaxed) {
                    self.remember(String::new()).await;
                }
            }
            if self.hub.link.state() == state && states.changed().await.is_err() {
                return;
            }
        }
    }

    /// Returns when this connection is no more.
    async fn serve(&self, number: u64) -> Result<(), Trouble> {
        self.hub.joined.lock().joining = true;
        let joined = self.join(number).await;
        self.hub.joined.lock().joining = false;
        joined?;
        self.hub.told.notify_one();
        self.lanes.iter().for_each(|(_, gate)| gate.standing_changed());
        let mut beats = tokio::time::interval(BEAT);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut states = self.hub.link.states();
        while *states.borrow_and_update() == LinkState::Up(number) {
            tokio::select! {
                _ = beats.tick() => {
                    let before = self.hub.joined.lock().machines;
                    self.beat(&[]).await?;
                    // Until a new one knows that we know of it, it may not take a slot.
                    if self.hub.joined.lock().machines > before {
                        self.beat(&[]).await?;
                    }
                }
                () = self.hub.work.notified() => self.tell(false).await?,
                _ = states.changed() => {}
            }
        }
        Ok(())
    }

    /// Tells the server everything it may not know; from then on it is asked.
    async fn join(&self, number: u64) -> Result<(), Trouble> {
        let info: String = self.hub.link.command(redis::cmd("INFO").arg("server")).await?;
        let run = info.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap_or_default();
        let fresh = format!("{:016x}", rand::random::<u64>());
        let mut greet = self.hub.scripts.greet.prepare_invoke();
        let epoch: String = self.hub.link.script(greet.key(epoch_key()).arg(fresh)).await?;
        let server = format!("{}/{epoch}", run.trim());
        self.seed(&server);
        let (same, others) = {
            let mut joined = self.hub.joined.lock();
            joined.epoch = epoch;
            joined.clock_ahead = i64::MAX / 4;
            let same = joined.server == server;
            // A server that lost what it knew does not know what the others used either: that is
            // waited out also while we ask it.
            if same {
                joined.others_until = None;
            }
            let others = if same { Vec::new() } else { joined.others.clone() };
            (same, others)
        };
        for (lane, gate) in &self.lanes {
            // A gate takes the book's lock under its own: never the other way round.
            let running = gate.ban();
            let mut book = lane.book.lock();
            // A server that knows the others' bans may have seen this one cleared.
            if !same && !book.clear {
                book.ban = book.ban.or(running);
            }
        }
        self.tell(true).await?;
        self.beat(&others).await?;
        let machines = {
            let mut joined = self.hub.joined.lock();
            joined.number = Some(number);
            joined.reached = true;
            joined.server.clone_from(&server);
            joined.machines
        };
        let new = if same { "" } else { "; this server was not known or has lost what it knew" };
        tracing::info!("budgets are shared between {machines} machines{new}");
        self.remember(server).await;
        Ok(())
    }

    /// Puts calls of before the budgets were shared into the book, unless this server has them.
    fn seed(&self, server: &str) {
        let known = self.remembered.lock().server == server;
        let since = *self.since.lock();
        for (lane, gate) in &self.lanes {
            let (answered, in_flight, _) = gate.calls();
            let mut book = lane.book.lock();
            if book.seeded {
                continue;
            }
            book.seeded = true;
            if !known {
                for at in answered.into_iter().filter(|at| *at <= since) {
                    book.enter(Some(at));
                }
                // Calls on their way when sharing began: nobody will give their slots back.
                let answered = self.hub.clock.mono() + LONGEST_CALL;
                for _ in book.in_flight()..in_flight {
                    book.enter(Some(answered));
                }
            }
        }
    }

    async fn remember(&self, server: String) {
        let mut remembered = self.remembered.lock().clone();
        if remembered.server == server {
            return;
        }
        remembered.server = server;
        let (file, bytes) = (self.file.clone(), serde_json::to_vec(&remembered).unwrap_or_default());
        let written =
            tokio::task::spawn_blocking(move || disk::write_atomically(&file, &bytes, Readers::Owner));
        match written.await {
            Ok(Ok(())) => *self.remembered.lock() = remembered,
            Ok(Err(error)) => tracing::warn!("shared.json cannot be written: {error}"),
            Err(panic) => tracing::error!("writing shared.json panicked: {panic}"),
        }
    }

    /// Brings slots, bans and cleared bans to the server: what is new, or everything.
    async fn tell(&self, everything: bool) -> Result<(), Trouble> {
        for (lane, gate) in &self.lanes {
            if everything {
                let longest = longest(&gate.windows());
                lane.book.lock().prune(self.hub.clock.mono(), longest);
            }
            let clear = lane.book.lock().clear;
            if clear {
                let mut forget = redis::cmd("DEL");
                self.hub.link.command::<i64>(forget.arg(key(lane.service, "ban"))).await?;
                lane.book.lock().clear = false;
            }
            let ban = lane.book.lock().ban;
            if let Some(ban) = ban {
                self.tell_ban(lane.service, &ban).await?;
                let mut book = lane.book.lock();
                if book.ban == Some(ban) {
                    book.ban = None;
                }
            }
            let tidings = if everything { lane.book.lock().all() } else { lane.book.lock().news() };
            self.tell_slots(lane, &gate.windows(), tidings).await?;
        }
        Ok(())
    }

    async fn tell_ban(&self, service: ServiceId, ban: &Incident) -> Result<(), Trouble> {
        let left = micros(ban.until.since(self.hub.clock.mono()));
        if left == 0 {
            return Ok(());
        }
        let mut script = self.hub.scripts.ban.prepare_invoke();
        script
            .key(key(service, "ban"))
            .arg(kind_name(ban.kind))
            .arg(service.service().endpoint_name(ban.endpoint))
            .arg(self.hub.age(ban.began))
            .arg(left);
        self.hub.link.script::<i64>(&script).await?;
        Ok(())
    }

    async fn tell_slots(&self, lane: &Lane, windows: &[Window], tidings: Tidings) -> Result<(), Trouble> {
        if tidings.is_empty() {
            return Ok(());
        }
        let Tidings { mut unused, mut calls } = tidings;
        while !(unused.is_empty() && calls.is_empty()) {
            let later = Tidings {
                unused: unused.split_off(unused.len().min(BATCH)),
                calls: calls.split_off(calls.len().min(BATCH)),
            };
            let mut script = self.hub.scripts.back.prepare_invoke();
            script
                .key(key(lane.service, "slots"))
                .key(key(lane.service, "sent"))
                .arg(micros(LONGEST_CALL))
                .arg(micros(longest(windows)))
                .arg(lane.book.lock().last_send().map_or(-1, |at| self.hub.age(at)))
                .arg(unused.len());
            for slot in &unused {
                script.arg(self.hub.name(*slot));
            }
            for (slot, answered) in &calls {
                let age = answered.filter(|at| *at <= self.hub.clock.mono());
                script.arg(self.hub.name(*slot)).arg(age.map_or(-1, |at| self.hub.age(at)));
            }
            if let Err(error) = self.hub.link.script::<i64>(&script).await {
                unused.extend(later.unused);
                calls.extend(later.calls);
                lane.book.lock().not_heard(Tidings { unused, calls });
                return Err(error.into());
            }
            (unused, calls) = (later.unused, later.calls);
        }
        Ok(())
    }

    /// Says that we are there, and takes up what there is to know.
    async fn beat(&self, known: &[(String, Mono)]) -> Result<(), Trouble> {
        let (epoch, machines, not_after) = {
            let joined = self.hub.joined.lock();
            let not_after = self.hub.micros().saturating_add(joined.clock_ahead).saturating_add(micros(LATE));
            (joined.epoch.clone(), joined.machines, not_after)
        };
        let mut script = self.hub.scripts.beat.prepare_invoke();
        script.key(machines_key()).key(epoch_key());
        script
            .arg(epoch)
            .arg(not_after)
            .arg(&self.hub.me)
            .arg(machines)
            .arg(micros(LIVE))
            .arg(micros(SILENT))
            .arg(known.len());
        for (machine, seen) in known {
            script.arg(machine).arg(self.hub.age(*seen));
        }
        let mut asked = Vec::new();
        for (lane, gate) in &self.lanes {
            let (windows, epoch) = (gate.windows(), gate.epoch());
            lane.book.lock().prune(self.hub.clock.mono(), longest(&windows));
            script.key(key(lane.service, "slots")).key(key(lane.service, "ban")).arg(windows.len());
            for window in &windows {
                script.arg(micros(window.length()));
            }
            asked.push((windows, epoch));
        }
        let sent = self.hub.micros();
        let answer: Vec<Value> = self.hub.link.script(&script).await?;
        let seen = Beat::read(answer).map_err(Trouble::Server)?;
        {
            let mut joined = self.hub.joined.lock();
            let now = self.hub.clock.mono();
            joined.clock_ahead = seen.now.saturating_sub(sent);
            joined.machines = seen.machines.max(1);
            let others = seen.others.into_iter().map(|(machine, age)| (machine, now - duration(age)));
            joined.others = others.collect();
        }
        for (((lane, gate), (windows, epoch)), (used, ban)) in
            self.lanes.iter().zip(asked).zip(seen.used.into_iter().zip(seen.bans))
        {
            gate.told(&windows, &used);
            let Some((kind, endpoint, age, left)) = ban else { continue };
            // A ban that is being cleared is over, whatever the server says yet.
            if lane.book.lock().clear {
                continue;
            }
            if let Some(ban) = gate.adopt(&read_ban(lane.service, &kind, &endpoint, age, left), epoch) {
                lane.adopted(&ban);
            }
        }
        Ok(())
    }

    /// Tells what is left to tell, and takes leave: nobody keeps a part for us any more.
    pub(super) async fn farewell(&self) {
        if self.together() && self.tell(false).await.is_ok() {
            self.stopped.store(true, Ordering::Relaxed);
            let _ = self.hub.link.command::<i64>(&self.goodbye()).await;
        }
    }
}

/// What a beat tells.
struct Beat {
    now: i64,
    machines: u32,
    others: Vec<(String, i64)>,
    used: Vec<Vec<u32>>,
    bans: Vec<Option<(String, String, i64, i64)>>,
}

impl Beat {
    fn read(answer: Vec<Value>) -> Result<Self, &'static str> {
        const UNREADABLE: &str = "its answer cannot be read";
        let mut answer = answer.into_iter();
        match next(&mut answer).ok_or(UNREADABLE)? {
            TAKEN => {}
            ANOTHER => return Err(EMPTIED),
            TOO_LATE => return Err(TARDY),
            _ => return Err(UNREADABLE),
        }
        let mut read = || {
            Some(Self {
                now: next(&mut answer)?,
                machines: next(&mut answer)?,
                others: next(&mut answer)?,
                used: next(&mut answer)?,
                bans: next::<Vec<Vec<Value>>>(&mut answer)?
                    .into_iter()
                    .map(|ban| {
                        let mut ban = ban.into_iter();
                        Some((next(&mut ban)?, next(&mut ban)?, next(&mut ban)?, next(&mut ban)?))
                    })
                    .collect(),
            })
        };
        read().ok_or(UNREADABLE)
    }
}

// A script that takes longer than a caller waits would be of no use.
const _: () = assert!(LATE.as_millis() >= PATIENCE.as_millis());
