//! Who holds a data directory: the lock of its one engine, and a note beside it that says whose it is.
//!
//! The lock is the truth; the system gives it back when its process ends, however that ends. The note
//! (`engine.holder`) is only read while the lock is held, so one that a killed process left says nothing.
//!
//! ```no_run
//! # use std::path::Path;
//! if let Some(holder) = headroom_engine::holder::of(Path::new("/tmp/headroom-example")) {
//!     println!("{holder} runs there"); // Headroom (the app, pid 1234) runs there
//! }
//! ```

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::disk::{self, Readers};
use crate::engine::StartError;
use crate::gateway::Runtime;

/// The name under which the desktop app holds a directory.
pub const APP: &str = "the app";

/// Not in the lock's own file: on Windows nobody else can read a locked one.
const NOTE: &str = "engine.holder";
const LOCK: &str = "engine.lock";
/// A look at the lock by another process holds it for microseconds; that is no engine.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);
/// How long the other engine may take to answer that it will end.
const ANSWER: Duration = Duration::from_secs(5);

/// Whoever holds a data directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    note: Option<Note>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    pid: u32,
    name: String,
}

impl Holder {
    /// Its process, if it said so.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.note.as_ref().map(|note| note.pid)
    }

    /// What it is, such as `the app`; empty if it did not say so.
    #[must_use]
    pub fn name(&self) -> &str {
        self.note.as_ref().map_or("", |note| &note.name)
    }

    /// The note is written within milliseconds of the lock; until then this knows nothing.
    fn read(dir: &Path) -> Self {
        let bytes = fs::read(dir.join(NOTE)).unwrap_or_default();
        Self { note: serde_json::from_slice(&bytes).ok() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.note {
            Some(Note { pid, name }) => write!(f, "Headroom ({name}, pid {pid})"),
            None => f.write_str("Headroom"),
        }
    }
}

/// A data directory that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The directory.
    pub dir: PathBuf,
    /// By whom.
    pub holder: Holder,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} already runs on {}", self.holder, self.dir.display())
    }
}

/// Who holds the data directory `dir`; `None` if nobody does. Changes nothing.
#[must_use]
pub fn of(dir: &Path) -> Option<Holder> {
    let lock = fs::OpenOptions::new().read(true).open(dir.join(LOCK)).ok()?;
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(Holder::read(dir)),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// Why the engine of a directory was not asked to end.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// There is none.
    #[error("no engine is running on {0}")]
    NotRunning(PathBuf),
    /// Whoever holds the directory does not answer as its engine, so nothing is done to it.
    #[error("{holder} holds {dir} and does not answer: wait a moment, or end it by hand")]
    Silent {
        /// The directory.
        dir: PathBuf,
        /// What it says of itself.
        holder: Holder,
    },
}

/// Asks the engine that runs on `dir` to save and end, and returns who that is. It ends within about ten
/// seconds: requests under way may take five.
///
/// It is asked over its loopback server with the key of `runtime.json`, which only the process that wrote
/// that file knows: a stranger that has its port or its process number by now is never touched.
///
/// # Errors
/// See [`StopError`].
pub async fn ask_to_stop(dir: &Path) -> Result<Holder, StopError> {
    let Some(holder) = of(dir) else { return Err(StopError::NotRunning(dir.to_owned())) };
    match asked(dir).await {
        Some(pid) if holder.pid().is_none_or(|noted| noted == pid) => Ok(holder),
        _ => Err(StopError::Silent { dir: dir.to_owned(), holder }),
    }
}

/// The process that will end now.
async fn asked(dir: &Path) -> Option<u32> {
    #[derive(Deserialize)]
    struct Stopping {
        pid: u32,
    }
    let runtime = Runtime::read(dir)?;
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER).build().ok()?;
    let request = client.post(format!("http://127.0.0.1:{}/api/stop", runtime.port));
    let answer = request.header("x-headroom-key", &runtime.key).send().await.ok()?.error_for_status().ok()?;
    let stopping: Stopping = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
    (stopping.pid == runtime.pid).then_some(stopping.pid)
}

/// A taken data directory. Given back when dropped, or when the process ends.
#[derive(Debug)]
pub(crate) struct Hold {
    dir: PathBuf,
    _lock: File,
}

impl Hold {
    /// Takes the directory for `name`; makes it if it is not there.
    pub(crate) async fn take(dir: &Path, name: &str) -> Result<Self, StartError> {
        let failed = |source| StartError::Directory { path: dir.to_owned(), source };
        disk::make_private_dir(dir).map_err(failed)?;
        let lock = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join(LOCK))
            .map_err(failed)?;
        for look in 1.. {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if look < LOOKS => tokio::time::sleep(BETWEEN_LOOKS).await,
                Err(TryLockError::WouldBlock) => {
                    return Err(StartError::Running(Taken {
                        dir: dir.to_owned(),
                        holder: Holder::read(dir),
                    }));
                }
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        let note = Note { pid: std::process::id(), name: name.to_owned() };
        let path = dir.join(NOTE);
        disk::sweep_leftovers(&path);
        let written = serde_json::to_vec(&note)
            .map_err(io::Error::from)
            .and_then(|bytes| disk::write_atomically(&path, &bytes, Readers::Default));
        if let Err(error) = written {
            // It is for people's eyes; whatever keeps it from the disk is told by what matters more.
            tracing::warn!("{} cannot be written: {error}", path.display());
        }
        Ok(Self { dir: dir.to_owned(), _lock: lock })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Before the lock is given back: the next holder writes its own.
        let _ = fs::remove_file(self.dir.join(NOTE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_directory_says_who_holds_it_and_a_note_without_a_lock_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(of(dir.path()), None, "nobody was ever here");
        let hold = Hold::take(dir.path(), "the app").await.unwrap();
        let holder = of(dir.path()).unwrap();
        assert_eq!(holder.to_string(), format!("Headroom (the app, pid {})", std::process::id()));
        let second = Hold::take(dir.path(), "headroomctl serve").await.unwrap_err();
        let text = format!("{holder} already runs on {}", dir.path().display());
        assert_eq!(second.to_string(), text, "the note is the first one's");
        drop(hold);
        assert!(!dir.path().join(NOTE).exists());
        disk::write_atomically(
            &dir.path().join(NOTE),
            br#"{"pid":1,"name":"a killed one"}"#,
            Readers::Default,
        )
        .unwrap();
        assert_eq!(of(dir.path()), None, "what a killed process left");
        Hold::take(dir.path(), "the app").await.unwrap();
    }

    #[tokio::test]
    async fn a_holder_without_a_note_has_no_name_and_one_that_does_not_answer_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let _hold = Hold::take(dir.path(), "the app").await.unwrap();
        fs::remove_file(dir.path().join(NOTE)).unwrap();
        assert_eq!(of(dir.path()).unwrap().to_string(), "Headroom");
        let asked = ask_to_stop(dir.path()).await;
        assert!(matches!(asked, Err(StopError::Silent { .. })), "{asked:?}");
    }
}
