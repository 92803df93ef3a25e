//! `cache.db`: the tier on disk.
//!
//! One thread writes, in the order it is told to; readers have connections of their own and never wait
//! for it. The file is disposable: when it is damaged it is set aside and begun anew, and while there is
//! none at all the memory tier goes on alone.
//!
//! Invariant: what was forgotten is never read again, also when the disk refuses to be written: then
//! nothing is read from it until the forgetting succeeded.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};

use super::kept::Kept;
use super::memory::Memory;
use super::question::{Key, Question};
use super::table::{self, NewEntry, Reader, Total};
use super::{CachePage, Forget, Forgetting, Subject};
use crate::clock::Wall;
use crate::service::ServiceId;

/// Connections that read at the same time.
const READERS: usize = 2;
/// Bodies waiting to be written, in bytes; beyond it new ones stay in memory only.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;
/// How many are written in one transaction.
const BATCH: usize = 512;
/// How long forgetting can be undone: a minute.
const UNDO_MS: i64 = 60_000;
/// Sweeps between two looks for links that lead nowhere: about a day.
const LINK_SWEEPS: u32 = 1_440;

/// Connections that read, opened when they are first needed.
type Readers = Arc<[Mutex<Option<Reader>>]>;

/// Something for the writer to do.
enum Op {
    Put(Box<Put>),
    Use(Key, i64),
    /// What, by which act, and whether the others on a shared server are to be told.
    Forget(Forget, i64, bool, Sender<Result<Done, String>>),
    Paid(i64),
    Heard(String, i64),
    Undo(i64, Sender<Result<u64, String>>),
    Sweep(i64),
    Shift(i64),
    Limit(u64),
    Flush(Sender<()>),
    Stop,
}

/// An act of forgetting that is done.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Done {
    /// How many entries.
    pub(super) entries: u64,
    /// The note that the others are to be told.
    pub(super) owed: Option<i64>,
}

/// An answer on its way to the disk.
pub(super) struct Put {
    pub(super) question: Question,
    pub(super) subject: Subject,
    pub(super) kept: Arc<Kept>,
}

/// What the writer tells the readers and the statistics.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Why it is in memory only, or was begun anew.
    pub(super) trouble: Mutex<Option<String>>,
    /// Whether there is a file that is written.
    pub(super) on_disk: AtomicBool,
    /// Whether something is to be forgotten that still lies in the file.
    distrusted: AtomicBool,
    /// Bytes waiting to be written.
    queued: AtomicUsize,
    pub(super) expired_removed: AtomicU64,
    pub(super) evicted: AtomicU64,
    pub(super) forgetting: Mutex<Option<Forgetting>>,
}

/// The tier on disk.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    ops: Sender<Op>,
    pub(super) state: Arc<State>,
    readers: Readers,
    last_act: AtomicI64,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens `cache.db` in the folder `dir`; a damaged one is set aside and begun anew.
    pub(super) fn open(dir: &Path, max_bytes: u64, now: Wall, memory: Memory) -> Self {
        let path = dir.join("cache.db");
        let state = Arc::new(State::default());
        let db = open_or_begin_anew(&path, now, &state);
        let (ops, todo) = mpsc::channel();
        let readers: Readers = (0..READERS).map(|_| Mutex::new(None)).collect();
        let mut writer = Writer {
            path: path.clone(),
            db,
            readers: Arc::clone(&readers),
            state: Arc::clone(&state),
            memory,
            max_bytes,
            now,
            owed: Vec::new(),
            sweeps: 0,
        };
        let writer = std::thread::Builder::new().name("cache-writer".into()).spawn(move || writer.run(&todo));
        let writer = match writer {
            Ok(writer) => Some(writer),
            Err(error) => {
                state.on_disk.store(false, Ordering::Release);
                *state.trouble.lock() = Some(format!("Answers are kept in memory only: {error}"));
                None
            }
        };
        Self { path, ops, state, readers, last_act: AtomicI64::new(0), writer: Mutex::new(writer) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_on_disk(&self) -> bool {
        self.state.on_disk.load(Ordering::Acquire)
    }

    /// The answer on disk.
    pub(super) fn get(&self, key: Key) -> Option<Kept> {
        if self.state.distrusted.load(Ordering::Acquire) {
            return None;
        }
        self.read(|reader| table::get(reader, key)).flatten()
    }

    /// Sums by service.
    pub(super) fn totals(&self) -> Vec<Total> {
        self.read(|reader| table::totals(&reader.db)).unwrap_or_default()
    }

    /// Entries whose question holds `text`.
    pub(super) fn entries(
        &self,
        text: &str,
        service: Option<ServiceId>,
        after: Option<(i64, i64)>,
    ) -> Option<CachePage> {
        self.read(|reader| table::entries(&reader.db, text, service, after))
    }

    fn read<T>(&self, query: impl FnOnce(&mut Reader) -> rusqlite::Result<T>) -> Option<T> {
        if !self.is_on_disk() {
            return None;
        }
        let free = self.readers.iter().find_map(Mutex::try_lock);
        let mut place = free.or_else(|| self.readers.first().map(Mutex::lock))?;
        let mut reader = match place.take().map_or_else(|| table::open_to_read(&self.path), Ok) {
            Ok(reader) => reader,
            Err(error) => {
                tracing::warn!("cache.db cannot be read: {error}");
                return None;
            }
        };
        match query(&mut reader) {
            Ok(found) => {
                *place = Some(reader);
                Some(found)
            }
            Err(error) => {
                tracing::warn!("cache.db cannot be read: {error}");
                None
            }
        }
    }

    /// Writes an answer, some time later.
    pub(super) fn put(&self, put: Put) {
        let bytes = put.kept.body.len();
        if self.state.queued.fetch_add(bytes, Ordering::Relaxed) > QUEUE_BYTES {
            self.state.queued.fetch_sub(bytes, Ordering::Relaxed);
            return;
        }
        self.tell(Op::Put(Box::new(put)));
    }

    pub(super) fn note_use(&self, key: Key, at: Wall) {
        self.tell(Op::Use(key, at.millis()));
    }

    /// Forgets on disk and in memory; tells what was done, and by which act, so that it can be undone.
    /// `owe` notes that the others are to be told.
    pub(super) async fn forget(&self, what: Forget, now: Wall, owe: bool) -> Result<(Done, i64), String> {
        let last = self.last_act.fetch_max(now.millis(), Ordering::Relaxed);
        let act = if last >= now.millis() {
            self.last_act.fetch_add(1, Ordering::Relaxed) + 1
        } else {
            now.millis()
        };
        self.ask(|reply| Op::Forget(what, act, owe, reply)).await.map(|done| (done, act))
    }

    /// The others were told.
    pub(super) fn paid(&self, note: i64) {
        self.tell(Op::Paid(note));
    }

    /// What the others are still to be told.
    pub(super) fn owed(&self) -> Vec<(i64, Forget)> {
        self.read(|reader| table::owed(&reader.db)).unwrap_or_default()
    }

    /// The last act of the others that was carried out here.
    pub(super) fn heard(&self, server: &str) -> Option<i64> {
        self.read(|reader| table::heard(&reader.db, server)).flatten()
    }

    pub(super) fn note_heard(&self, server: &str, act: i64) {
        self.tell(Op::Heard(server.to_owned(), act));
    }

    pub(super) async fn undo(&self, act: i64) -> Result<u64, String> {
        self.ask(|reply| Op::Undo(act, reply)).await
    }

    pub(super) fn sweep(&self, now: Wall) {
        self.tell(Op::Sweep(now.millis()));
    }

    pub(super) fn shift(&self, step: i64) {
        self.tell(Op::Shift(step));
    }

    pub(super) fn limit(&self, max_bytes: u64) {
        self.tell(Op::Limit(max_bytes));
    }

    /// Returns when everything told before is on disk.
    pub(super) async fn flush(&self) {
        let (reply, done) = mpsc::channel();
        self.tell(Op::Flush(reply));
        let _ = tokio::task::spawn_blocking(move || done.recv()).await;
    }

    /// Finishes what is pending and closes the file.
    pub(super) async fn stop(&self) {
        self.tell(Op::Stop);
        let writer = self.writer.lock().take();
        let _ = tokio::task::spawn_blocking(move || writer.map(JoinHandle::join)).await;
        self.readers.iter().for_each(|reader| *reader.lock() = None);
    }

    fn tell(&self, op: Op) {
        // The writer ends only after a stop: nothing that comes later matters.
        let _ = self.ops.send(op);
    }

    async fn ask<T: Send + 'static>(
        &self,
        op: impl FnOnce(Sender<Result<T, String>>) -> Op,
    ) -> Result<T, String> {
        let (reply, answer) = mpsc::channel();
        self.tell(op(reply));
        let answer = tokio::task::spawn_blocking(move || answer.recv()).await;
        answer.ok().and_then(Result::ok).unwrap_or_else(|| Err("the cache has ended".to_owned()))
    }
}

fn open_or_begin_anew(path: &Path, now: Wall, state: &State) -> Option<Connection> {
    let said = |text: String| {
        tracing::error!("{text}");
        *state.trouble.lock() = Some(text);
    };
    let first = match table::open(path) {
        Ok(db) => {
            state.on_disk.store(true, Ordering::Release);
            return Some(db);
        }
        Err(error) => error,
    };
    let aside = path.with_file_name(format!("cache.db.damaged-{}", now.to_file_stamp()));
    let moved = std::fs::rename(path, &aside);
    for rest in ["cache.db-wal", "cache.db-shm"] {
        let _ = std::fs::remove_file(path.with_file_name(rest));
    }
    match moved.map_err(|e| e.to_string()).and_then(|()| table::open(path).map_err(|e| e.to_string())) {
        Ok(db) => {
            said(format!(
                "cache.db could not be used ({first}): it was begun anew, the old file is {}",
                aside.display()
            ));
            state.on_disk.store(true, Ordering::Release);
            Some(db)
        }
        Err(second) => {
            state.on_disk.store(false, Ordering::Release);
            said(format!(
                "Answers are kept in memory only: cache.db cannot be used ({first}; {second}). Check the disk and the folder's permissions, then start Headroom again"
            ));
            None
        }
    }
}

/// The one that writes.
struct Writer {
    path: PathBuf,
    db: Option<Connection>,
    readers: Readers,
    state: Arc<State>,
    memory: Memory,
    max_bytes: u64,
    /// The last time it was told.
    now: Wall,
    /// What could not be forgotten on disk yet.
    owed: Vec<(Forget, i64)>,
    sweeps: u32,
}

impl Writer {
    fn run(&mut self, todo: &Receiver<Op>) {
        while let Ok(first) = todo.recv() {
            let mut batch = vec![first];
            batch.extend(todo.try_iter().take(BATCH));
            let mut writes = Vec::new();
            for op in batch {
                match op {
                    Op::Put(_) | Op::Use(..) => writes.push(op),
                    other => {
                        self.write(std::mem::take(&mut writes));
                        if self.carry_out(other) {
                            return;
                        }
                    }
                }
            }
            self.write(writes);
        }
    }

    /// Puts and uses, in one transaction.
    fn write(&mut self, writes: Vec<Op>) {
        if writes.is_empty() {
            return;
        }
        let bytes: usize =
            writes.iter().map(|op| if let Op::Put(put) = op { put.kept.body.len() } else { 0 }).sum();
        self.state.queued.fetch_sub(bytes, Ordering::Relaxed);
        let Some(db) = &mut self.db else { return };
        let done = write_all(db, &writes).and_then(|()| table::evict(db, self.max_bytes));
        match done {
            Ok(evicted) => {
                self.state.evicted.fetch_add(evicted, Ordering::Relaxed);
                self.works_again();
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Tells whether it is the end.
    fn carry_out(&mut self, op: Op) -> bool {
        match op {
            Op::Forget(what, act, owe, reply) => {
                let owed = self.db.as_ref().filter(|_| owe).and_then(|db| table::owe(db, &what).ok());
                let done = self.forget(&what, act).map(|entries| Done { entries, owed });
                if done.is_err() && self.db.is_some() {
                    self.state.distrusted.store(true, Ordering::Release);
                    self.owed.push((what, act));
                }
                let _ = reply.send(done);
            }
            Op::Paid(note) => {
                let done = self.db.as_ref().map_or(Ok(()), |db| table::paid(db, note));
                self.noted(done);
            }
            Op::Heard(server, act) => {
                let done = self.db.as_ref().map_or(Ok(()), |db| table::note_heard(db, &server, act));
                self.noted(done);
            }
            Op::Undo(act, reply) => {
                let done = self.db.as_ref().map_or(Ok(0), |db| table::undo(db, act));
                let _ = reply.send(done.map_err(|e| format!("cache.db cannot be written: {e}")));
            }
            Op::Sweep(now) => self.sweep(now),
            Op::Shift(step) => {
                let done = self.db.as_ref().map_or(Ok(()), |db| table::shift(db, step));
                self.noted(done);
                self.now = self.now.plus_millis(step);
            }
            Op::Limit(max_bytes) => {
                self.max_bytes = max_bytes;
                let done = self.db.as_ref().map_or(Ok(0), |db| table::evict(db, max_bytes));
                if let Ok(gone) = &done {
                    self.state.evicted.fetch_add(*gone, Ordering::Relaxed);
                }
                self.noted(done.map(|_| ()));
            }
            Op::Flush(reply) => drop(reply.send(())),
            Op::Stop => {
                if let Some(db) = self.db.take() {
                    let _ = db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
                }
                return true;
            }
            // Written before, with the others.
            Op::Put(_) | Op::Use(..) => {}
        }
        false
    }

    fn forget(&mut self, what: &Forget, act: i64) -> Result<u64, String> {
        let state = Arc::clone(&self.state);
        let Some(db) = &mut self.db else {
            self.memory.clear();
            return Ok(0);
        };
        let done = forget_all(db, what, act, &self.memory, &state);
        *state.forgetting.lock() = None;
        done.map_err(|error| {
            // What exactly was meant is not known now: nothing that may be is kept.
            self.memory.clear();
            self.failed(&error);
            format!("cache.db cannot be written ({error}): nothing is read from it until this succeeds")
        })
    }

    fn sweep(&mut self, now: i64) {
        self.now = Wall::from_millis(now);
        for (what, act) in std::mem::take(&mut self.owed) {
            if self.forget(&what, act).is_err() {
                self.owed.push((what, act));
            }
        }
        if self.owed.is_empty() {
            self.state.distrusted.store(false, Ordering::Release);
        }
        let Some(db) = &self.db else { return };
        let clean_links = self.sweeps % LINK_SWEEPS == LINK_SWEEPS - 1;
        self.sweeps += 1;
        let done = table::bury(db, now - UNDO_MS).and_then(|()| table::remove_old(db, now));
        let done = done.and_then(|gone| {
            self.state.expired_removed.fetch_add(gone, Ordering::Relaxed);
            if clean_links { table::remove_links(db) } else { Ok(()) }
        });
        self.noted(done);
    }

    fn noted(&mut self, done: rusqlite::Result<()>) {
        match done {
            Ok(()) => self.works_again(),
            Err(error) => self.failed(&error),
        }
    }

    fn works_again(&self) {
        if self.db.is_some() && self.owed.is_empty() {
            let mut trouble = self.state.trouble.lock();
            if trouble.as_ref().is_some_and(|text| text.starts_with(CANNOT_WRITE)) {
                *trouble = None;
            }
        }
    }

    /// A damaged file is begun anew; any other trouble may pass.
    fn failed(&mut self, error: &rusqlite::Error) {
        let code = error.sqlite_error_code();
        if matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) {
            self.state.on_disk.store(false, Ordering::Release);
            // Some systems do not let an open file be moved.
            self.db = None;
            self.readers.iter().for_each(|reader| *reader.lock() = None);
            self.db = open_or_begin_anew(&self.path, self.now, &self.state);
            // Nothing of the old file is read: nothing is owed.
            self.owed.clear();
            self.state.distrusted.store(false, Ordering::Release);
            return;
        }
        tracing::warn!("cache.db cannot be written: {error}");
        *self.state.trouble.lock() =
            Some(format!("{CANNOT_WRITE} ({error}): new answers are kept in memory only. Is the disk full?"));
    }
}

/// How the trouble begins that ends by itself.
const CANNOT_WRITE: &str = "cache.db cannot be written";

fn write_all(db: &mut Connection, writes: &[Op]) -> rusqlite::Result<()> {
    let mut pack = table::packer()?;
    let transaction = db.transaction()?;
    for op in writes {
        match op {
            Op::Put(put) => {
                let Put { question, subject, kept } = &**put;
                table::put(
                    &transaction,
                    &mut pack,
                    &NewEntry {
                        key: question.key,
                        service: question.service,
                        endpoint: question.service.service().endpoint_name(question.endpoint),
                        account: question.account.as_deref(),
                        question: subject.shown(),
                        tags: &subject.tags(question, &kept.body),
                        kept,
                    },
                )?;
            }
            Op::Use(key, at) => table::note_use(&transaction, *key, *at)?,
            _ => {}
        }
    }
    transaction.commit()
}

fn forget_all(
    db: &mut Connection,
    what: &Forget,
    act: i64,
    memory: &Memory,
    state: &State,
) -> rusqlite::Result<u64> {
    if matches!(what, Forget::All) {
        let entries = table::totals(db)?.iter().map(|total| total.2).sum();
        table::clear(db)?;
        memory.clear();
        return Ok(entries);
    }
    let total = table::count(db, what)?;
    let mut done = 0;
    loop {
        let keys = table::forget_some(db, what, act)?;
        keys.iter().for_each(|key| memory.remove(*key));
        done += keys.len() as u64;
        if keys.is_empty() {
            return Ok(done);
        }
        *state.forgetting.lock() = Some(Forgetting { done, total: total.max(done) });
    }
}
