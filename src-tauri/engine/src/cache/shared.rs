//! The tier on the shared server: what one machine was told, the others need not ask.
//!
//! Lives are measured by the server's clock, so that machines whose clocks differ agree. An act of
//! forgetting is numbered there; an answer whose call was made before the newest act is not taken, and
//! every machine reads the acts of the others once a second. What could not be told is noted in
//! `cache.db` and told later.
//!
//! Invariant: no act of forgetting is lost, whether the server or a machine is away when it happens.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use http::StatusCode;
use redis::{Cmd, Script};
use serde::{Deserialize, Serialize};

use super::kept::Kept;
use super::question::{Key, Question};
use super::{Cache, Forget, Subject, table};
use crate::clock::Wall;
use crate::service::tags::{self, Tags};
use crate::service::{Life, ServiceId};
use crate::shared::{PREFIX, Shared};

/// Longest an answer lies on the server, in milliseconds: 60 days.
const LONGEST_MS: i64 = 60 * 86_400_000;
/// Keys removed in one command.
const CHUNK: usize = 500;
/// Acts read at a time.
const ACTS: usize = 500;
/// Acts told of late are told again to a server that may have lost them.
const LATE: usize = 64;

static GET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/get.lua")));
static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/put.lua")));
static FORGET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/forget.lua")));

/// What is written before the body.
#[derive(Serialize, Deserialize)]
struct Head {
    status: u16,
    found: bool,
    /// Milliseconds it lives from when it was said; `None` is until forgotten.
    life: Option<i64>,
    /// Milliseconds it is of use in a ban, likewise.
    use_in_ban: Option<i64>,
    headers: String,
    bytes: usize,
}

/// One engine's view of the shared tier.
#[derive(Debug)]
pub(super) struct SharedTier {
    shared: Shared,
    /// Whose acts are ours.
    me: String,
    /// The newest act carried out here.
    heard: AtomicI64,
    /// Which connection the rest was learnt on.
    connection: AtomicI64,
    late: parking_lot::Mutex<Vec<Forget>>,
}

impl SharedTier {
    pub(super) fn new(shared: Shared) -> Self {
        Self {
            shared,
            me: format!("{:032x}", rand::random::<u128>()),
            heard: AtomicI64::new(-1),
            connection: AtomicI64::new(-1),
            late: parking_lot::Mutex::default(),
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.shared.is_set()
    }

    /// To be taken before a question is asked, and given to [`put`](Self::put).
    pub(super) fn mark(&self) -> i64 {
        self.heard.load(Ordering::Acquire)
    }

    /// The answer on the server, with the times it has here.
    pub(super) async fn get(&self, question: &Question, now: Wall) -> Option<Kept> {
        if matches!(question.life, Life::Own(_)) || !self.shared.connected() {
            return None;
        }
        let mut script = GET.prepare_invoke();
        script.key(answer_key(question.key));
        let (age, value): (i64, Vec<u8>) = self.shared.script::<Option<_>>(&script).await??;
        read(&value, now.millis().saturating_sub(age.max(0)))
    }

    /// Keeps an answer on the server, unless something was forgotten since `mark`.
    pub(super) async fn put(&self, question: &Question, subject: &Subject, kept: &Kept, mark: i64) {
        if matches!(question.life, Life::Own(_)) || mark < 0 || !self.shared.connected() {
            return;
        }
        let Some(value) = write(kept) else { return };
        let ttl = kept.removed.map_or(LONGEST_MS, |at| (at - kept.stored).clamp(1, LONGEST_MS));
        let Tags { all, links, .. } = subject.tags(question, &kept.body);
        let mut names: Vec<String> = all.iter().map(i64::to_string).collect();
        names.push(service_tag(question.service));
        if !kept.found {
            names.push(NOT_FOUND.to_owned());
        }
        let mut script = PUT.prepare_invoke();
        script
            .key(answer_key(question.key))
            .key(count_key())
            .arg(value)
            .arg(ttl)
            .arg(mark)
            .arg(PREFIX)
            .arg(names.len())
            .arg(&names);
        for (name, id) in &links {
            script.arg(name).arg(id);
        }
        self.shared.script::<i64>(&script).await;
    }

    /// Forgets on the server and tells the others. Tells whether that is done.
    async fn tell(&self, what: &Forget) -> bool {
        let Ok(text) = serde_json::to_string(what) else { return true };
        self.forget(what, &text).await
    }

    /// `act` is the text for the others; empty for one of theirs.
    async fn forget(&self, what: &Forget, act: &str) -> bool {
        let (kind, name) = match what {
            Forget::Key { key } => ("key", key.parse().map_or_else(|()| String::new(), answer_key)),
            Forget::Track { artist, title } => ("tag", tags::track(artist, title).to_string()),
            Forget::Album { artist, album } => ("tag", tags::album(artist, album).to_string()),
            Forget::Artist { artist } => ("tag", tags::artist(artist).to_string()),
            Forget::NotFound => ("tag", NOT_FOUND.to_owned()),
            Forget::Service { .. } | Forget::Account { .. } | Forget::All => ("tell", String::new()),
        };
        let mut script = FORGET.prepare_invoke();
        script.key(count_key()).key(list_key()).arg(PREFIX).arg(kind).arg(name).arg(act).arg(&self.me);
        if self.shared.script::<i64>(&script).await.is_none() {
            return false;
        }
        let services = match what {
            Forget::Service { service } => std::slice::from_ref(service),
            Forget::All => ServiceId::ALL,
            _ => &[],
        };
        for service in services {
            if !self.empty(*service).await {
                return false;
            }
        }
        true
    }

    /// Removes all answers of a service, some at a time.
    async fn empty(&self, service: ServiceId) -> bool {
        let set = format!("{PREFIX}t:{}", service_tag(service));
        loop {
            let Some(keys) = self.shared.command::<Vec<String>>(Cmd::spop(&set).arg(CHUNK)).await else {
                return false;
            };
            if keys.is_empty() {
                return true;
            }
            if self.shared.command::<i64>(&Cmd::unlink(keys)).await.is_none() {
                return false;
            }
        }
    }
}

impl Cache {
    /// What another machine was told, taken up here as well.
    pub(crate) async fn find_shared(&self, question: &Question, subject: &Subject) -> Option<Arc<Kept>> {
        let tier = self.shared.get()?;
        let mark = self.mark();
        let kept = Arc::new(tier.get(question, self.now()).await?);
        self.take_up(question, subject, &kept, mark).then_some(kept)
    }

    /// Forgets on the shared server too; what cannot be told now is told later.
    pub(super) async fn tell_others(&self, what: &Forget, owed: Option<i64>) {
        let Some(tier) = self.shared.get().filter(|tier| tier.is_set()) else { return };
        {
            let mut late = tier.late.lock();
            let over = (late.len() + 1).saturating_sub(LATE);
            late.drain(..over);
            late.push(what.clone());
        }
        if tier.tell(what).await
            && let Some(note) = owed
        {
            self.store.paid(note);
        }
    }

    /// Once a second: tells what is owed, and carries out what the others forgot.
    pub(crate) async fn meet_others(&self) {
        let Some(tier) = self.shared.get() else { return };
        let Some(connection) = tier.shared.connection() else { return };
        let connection = i64::try_from(connection).unwrap_or(i64::MAX);
        if tier.connection.load(Ordering::Relaxed) != connection {
            // It may have been begun anew, and have lost what it was told last.
            let late = tier.late.lock().clone();
            for what in late {
                if !tier.tell(&what).await {
                    return;
                }
            }
            tier.connection.store(connection, Ordering::Relaxed);
        }
        for (note, what) in self.store.owed() {
            if !tier.tell(&what).await {
                return;
            }
            self.store.paid(note);
        }
        self.hear(tier).await;
    }

    async fn hear(&self, tier: &SharedTier) {
        let Some(address) = tier.shared.url().map(|url| url.to_string()) else { return };
        let Some(newest) = tier.shared.command::<Option<i64>>(&Cmd::get(count_key())).await else { return };
        let newest = newest.unwrap_or(0);
        let mut heard = tier.heard.load(Ordering::Acquire);
        if heard < 0 {
            // What was forgotten before this machine came is no matter of its own.
            heard = self.store.heard(&address).unwrap_or(newest);
        }
        if newest < heard {
            // It was begun anew: all it knows is new.
            heard = 0;
        }
        while heard < newest {
            let from = format!("{}-0", heard + 1);
            let mut range = redis::cmd("XRANGE");
            range.arg(list_key()).arg(from).arg("+").arg("COUNT").arg(ACTS);
            let acts = tier.shared.command::<Vec<(String, Vec<(String, String)>)>>(&range).await;
            let Some(acts) = acts else { return };
            let number = |id: &str| id.split('-').next().and_then(|n| n.parse::<i64>().ok());
            let first = acts.first().and_then(|(id, _)| number(id));
            let mut todo = Vec::new();
            if first != Some(heard + 1) {
                // Some are no longer in the list: anything may have been among them.
                todo.push(Forget::All);
            }
            for (id, fields) in &acts {
                let field =
                    |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
                if field("from") != Some(&tier.me) {
                    todo.extend(field("what").and_then(|what| serde_json::from_str(what).ok()));
                }
                heard = heard.max(number(id).unwrap_or(heard));
            }
            if acts.is_empty() {
                heard = newest;
            }
            for what in todo {
                // An answer that a call of ours put there meanwhile is older than the act.
                if self.forget_here(&what).await.is_err() || !tier.forget(&what, "").await {
                    return;
                }
            }
            self.store.note_heard(&address, heard);
        }
        if tier.heard.swap(heard, Ordering::AcqRel) < 0 {
            self.store.note_heard(&address, heard);
        }
    }
}

const NOT_FOUND: &str = "not_found";

fn service_tag(service: ServiceId) -> String {
    format!("service:{service}")
}

fn answer_key(key: Key) -> String {
    format!("{PREFIX}a:{key}")
}

fn count_key() -> String {
    format!("{PREFIX}acts")
}

fn list_key() -> String {
    format!("{PREFIX}act-list")
}

fn write(kept: &Kept) -> Option<Vec<u8>> {
    let head = Head {
        status: kept.status.as_u16(),
        found: kept.found,
        life: kept.expires.map(|at| at - kept.stored),
        use_in_ban: kept.removed.map(|at| at - kept.stored),
        headers: table::lines(&kept.headers),
        bytes: kept.body.len(),
    };
    let mut value = serde_json::to_vec(&head).ok()?;
    value.push(b'\n');
    value.extend(zstd::bulk::compress(&kept.body, table::LEVEL).ok()?);
    Some(value)
}

/// Largest body taken from the server: as much as is taken from a service.
const LARGEST: usize = 64 * 1024 * 1024;

fn read(value: &[u8], stored: i64) -> Option<Kept> {
    let end = value.iter().position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(&value[..end]).ok()?;
    let body = zstd::bulk::decompress(&value[end + 1..], head.bytes.min(LARGEST)).ok()?;
    Some(Kept {
        status: StatusCode::from_u16(head.status).ok()?,
        headers: table::read_lines(&head.headers),
        body: Bytes::from(body),
        found: head.found,
        stored,
        expires: head.life.map(|ms| stored.saturating_add(ms)),
        removed: head.use_in_ban.map(|ms| stored.saturating_add(ms)),
        used: AtomicI64::new(stored),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_with_the_times_of_the_reader() {
        let kept = Kept {
            status: StatusCode::OK,
            headers: [(http::header::ETAG, http::HeaderValue::from_static("\"x\""))].into_iter().collect(),
            body: Bytes::from_static(b"{\"a\":\"\n\"}"),
            found: true,
            stored: 1_000,
            expires: Some(5_000),
            removed: None,
            used: AtomicI64::new(1_000),
        };
        let read = read(&write(&kept).unwrap(), 7_000).unwrap();
        assert_eq!((read.stored, read.expires, read.removed), (7_000, Some(11_000), None));
        assert_eq!((read.body, read.headers, read.status), (kept.body, kept.headers, kept.status));
    }

    #[test]
    fn nonsense_on_the_server_is_no_answer() {
        for value in [
            &b""[..],
            b"{}",
            b"{}\n",
            b"\n\n",
            &[0xff; 40],
            b"{\"status\":200,\"found\":true,\"headers\":\"\",\"bytes\":999999999999}\nxx",
        ] {
            assert!(read(value, 0).is_none());
        }
    }
}
