//! The one task that keeps the server told.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use redis::{Cmd, Value};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::super::book::Tidings;
use super::super::link::{Link, LinkError, LinkState, PATIENCE};
use super::lane::Lane;
use super::{
    ANOTHER, EMPTIED, Hub, Joined, LATE, LIVE, LONGEST_CALL, SILENT, Scripts, TAKEN, TARDY, TOO_LATE, Tell,
    duration, epoch_key, key, kind_name, longest, machines_key, micros, next, read_ban,
};
use crate::budget::{Gate, Incident, SharedBudget, Window};
use crate::clock::{Clock, Mono};
use crate::disk::{self, Readers};
use crate::service::ServiceId;

/// How often a machine says that it is there.
const BEAT: Duration = Duration::from_secs(1);
/// Slots told in one go.
const BATCH: usize = 400;

/// What this directory knows of the shared server: `shared.json`.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Remembered {
    /// The name of this machine on the server; stays the same for a data directory.
    id: String,
    /// The server that has all calls of earlier runs, and how often it was emptied.
    server: String,
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
pub(in crate::shared) struct Clerk {
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
    pub(in crate::shared) fn new(
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
        let hub = Arc::new(Hub {
            link,
            clock: clock.clone(),
            scripts: Scripts::new(),
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
    pub(in crate::shared) fn share(&self, shared: bool) {
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
    pub(in crate::shared) fn leave(&self) {
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
    pub(in crate::shared) async fn joined(&self) {
        while !self.together() {
            self.hub.told.notified().await;
        }
    }

    /// How many machines share, this one included; `None` before the server was reached.
    pub(in crate::shared) fn machines(&self) -> Option<u32> {
        let joined = self.hub.joined.lock();
        joined.reached.then_some(joined.machines)
    }

    /// Whether the budgets are kept together now.
    pub(in crate::shared) fn together(&self) -> bool {
        self.hub.standing(self.hub.clock.mono()).together
    }

    /// Works until it is aborted.
    pub(in crate::shared) async fn work(self: Arc<Self>) {
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
    pub(in crate::shared) async fn farewell(&self) {
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
