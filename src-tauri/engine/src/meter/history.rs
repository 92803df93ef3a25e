//! `history.json` and `history.journal`: what the meter knows, on disk.
//!
//! The snapshot is replaced whole each minute; between two snapshots the journal takes a line a second
//! while there is something to say, and at once for a ban. `kill -9` costs at most a second of counts,
//! a power loss at most a minute; a ban, a cleared ban and a learned quota cost nothing.
//!
//! Each snapshot has a number, and the journal begins with the number of the snapshot it continues. A
//! crash between writing the one and beginning the other leaves a journal of an older number, which the
//! snapshot already contains: it is ignored, and nothing is counted twice.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{CallerUse, Counts, Event};
use crate::budget::{SavedBan, SavedQuota};
use crate::clock::Wall;
use crate::disk::{self, Readers};
use crate::service::ServiceId;

/// The layout this program writes.
pub const VERSION: u32 = 1;

/// Everything that is kept, as it stood at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Layout of the file, [`VERSION`].
    pub version: u32,
    /// Number of this snapshot.
    pub generation: u64,
    /// When it was taken, unix milliseconds.
    pub saved_at: i64,
    /// Minutes and recent calls.
    #[serde(default)]
    pub services: BTreeMap<ServiceId, SavedService>,
    /// Bans, running or still counting for the next.
    #[serde(default)]
    pub bans: BTreeMap<ServiceId, SavedBan>,
    /// What is known of quotas.
    #[serde(default)]
    pub quotas: BTreeMap<ServiceId, SavedQuota>,
    /// Events, oldest first.
    #[serde(default)]
    pub events: Vec<Event>,
}

/// One service in a [`Snapshot`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedService {
    /// By endpoint: the minutes in which something happened, in unix seconds.
    #[serde(default)]
    pub endpoints: BTreeMap<String, Vec<(i64, Counts)>>,
    /// The calls and hits of the last 60 s.
    #[serde(default)]
    pub recent: Vec<Recent>,
    /// What each caller used since it was first seen.
    #[serde(default)]
    pub callers: BTreeMap<String, CallerUse>,
}

/// Calls of one second, endpoint and caller: unix milliseconds, endpoint, caller, calls, hits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recent(pub i64, pub String, pub String, pub u32, pub u32);

/// Counts the last line did not have: minute in unix seconds, service, endpoint, caller, counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row(pub i64, pub ServiceId, pub String, pub String, pub Counts);

/// One line of the journal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When it was written, unix milliseconds.
    pub t: i64,
    /// What was counted since the line before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<Row>,
    /// Bans that began, or (null) were cleared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bans: BTreeMap<ServiceId, Option<SavedBan>>,
    /// Quotas that changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quotas: BTreeMap<ServiceId, SavedQuota>,
    /// Events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
}

impl Line {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.bans.is_empty() && self.quotas.is_empty() && self.events.is_empty()
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    version: u32,
    generation: u64,
}

/// What was found on disk.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The last snapshot; empty if there is none or it was damaged.
    pub snapshot: Snapshot,
    /// The journal's lines after it.
    pub lines: Vec<Line>,
    /// Where a damaged file now lies, and what was wrong with it.
    pub damaged: Option<(PathBuf, String)>,
}

impl Loaded {
    /// By how many milliseconds, at the least, the wall clock was set back since this was written.
    #[must_use]
    pub fn set_back_ms(&self, now: Wall) -> i64 {
        let newest = self.lines.iter().map(|line| line.t).chain([self.snapshot.saved_at]).max().unwrap_or(0);
        (newest - now.millis()).max(0)
    }
}

/// Why the history cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A later Headroom wrote it.
    #[error(
        "{path} has layout {found}, and this Headroom knows layouts up to {VERSION}: install a newer Headroom, or move the file away to begin anew"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: u32,
    },
    /// The file system said no.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The two files. One per data directory, guarded by the engine's lock.
#[derive(Debug)]
pub struct HistoryFile {
    snapshot: PathBuf,
    journal_path: PathBuf,
    generation: u64,
    journal: Option<Journal>,
}

#[derive(Debug)]
struct Journal {
    file: File,
    /// Length up to the end of the last whole line.
    good: u64,
}

impl HistoryFile {
    /// Reads both files of the folder `dir`, setting a damaged snapshot aside.
    ///
    /// # Errors
    /// A snapshot of a newer layout, or a file that exists and cannot be read. Both files stay as they
    /// are then.
    pub fn open(dir: &Path, now: Wall) -> Result<(Self, Loaded), HistoryError> {
        let snapshot = dir.join("history.json");
        let journal_path = dir.join("history.journal");
        disk::sweep_leftovers(&snapshot);
        disk::sweep_leftovers(&journal_path);
        let mut loaded = Loaded::default();
        if let Some(bytes) = read(&snapshot)? {
            match parse(&bytes) {
                Ok(parsed) => loaded.snapshot = parsed,
                Err(Unusable::Newer(found)) => return Err(HistoryError::Newer { path: snapshot, found }),
                Err(Unusable::Damaged(why)) => loaded.damaged = Some((set_aside(&snapshot, now)?, why)),
            }
        }
        let journal = read(&journal_path)?.unwrap_or_default();
        let (header, lines) = parse_journal(&journal);
        // Without a snapshot, or with a damaged one, the journal is all there is.
        let orphan = loaded.snapshot.generation == 0;
        if let Some(header) = header
            && (orphan || header.generation == loaded.snapshot.generation)
        {
            loaded.lines = lines;
        }
        let generation = header_generation(&journal).max(loaded.snapshot.generation);
        Ok((Self { snapshot, journal_path, generation, journal: None }, loaded))
    }

    /// Whether the snapshot in the folder `dir` can be read, in words. Changes nothing.
    ///
    /// # Errors
    /// What is wrong with it and what will become of it.
    pub fn check(dir: &Path) -> Result<String, String> {
        let path = dir.join("history.json");
        let Some(bytes) = read(&path).map_err(|e| e.to_string())? else {
            return Ok("there is none yet".to_owned());
        };
        match parse(&bytes) {
            Ok(snapshot) => Ok(format!("saved {}", Wall::from_millis(snapshot.saved_at).to_text())),
            Err(Unusable::Newer(found)) => Err(HistoryError::Newer { path, found }.to_string()),
            Err(Unusable::Damaged(why)) => {
                Err(format!("history.json is damaged ({why}); the next start sets it aside"))
            }
        }
    }

    /// Replaces the snapshot and begins a new journal.
    ///
    /// # Errors
    /// The file system's; the old snapshot and journal then stay in force.
    pub fn save(&mut self, mut snapshot: Snapshot) -> io::Result<()> {
        snapshot.version = VERSION;
        snapshot.generation = self.generation + 1;
        let bytes = serde_json::to_vec(&snapshot)?;
        disk::write_atomically(&self.snapshot, &bytes, Readers::Default)?;
        self.generation = snapshot.generation;
        // The old journal now belongs to the past; if a new one cannot begin, `append` tries again.
        self.journal = None;
        self.begin_journal()
    }

    /// Number of the snapshot in force.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    fn begin_journal(&mut self) -> io::Result<()> {
        let header = Header { version: VERSION, generation: self.generation };
        let mut line = serde_json::to_vec(&header)?;
        line.push(b'\n');
        disk::write_atomically(&self.journal_path, &line, Readers::Default)?;
        let file = fs::OpenOptions::new().append(true).open(&self.journal_path)?;
        self.journal = Some(Journal { file, good: line.len() as u64 });
        Ok(())
    }

    /// Adds a line; with `sync` it is on the disk itself when this returns.
    ///
    /// # Errors
    /// The file system's; the line is then not in the journal, whole or in part.
    pub fn append(&mut self, line: &Line, sync: bool) -> io::Result<()> {
        if self.journal.is_none() {
            self.begin_journal()?;
        }
        let Some(journal) = &mut self.journal else { return Err(io::ErrorKind::NotFound.into()) };
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        let written = journal
            .file
            .write_all(&bytes)
            .and_then(|()| if sync { journal.file.sync_data() } else { Ok(()) });
        match written {
            Ok(()) => journal.good += bytes.len() as u64,
            Err(_) => {
                // Take back what was written of it. Should even that fail, the reader skips a torn line.
                let _ = journal.file.set_len(journal.good);
            }
        }
        written
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, HistoryError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(HistoryError::Read { path: path.to_owned(), source }),
    }
}

enum Unusable {
    Newer(u32),
    Damaged(String),
}

fn parse(bytes: &[u8]) -> Result<Snapshot, Unusable> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    // The layout first: a newer one may look damaged to us.
    if let Ok(Version { version }) = serde_json::from_slice(bytes)
        && version > VERSION
    {
        return Err(Unusable::Newer(version));
    }
    let damaged = |why: String| Unusable::Damaged(why);
    let snapshot: Snapshot = serde_json::from_slice(bytes).map_err(|e| damaged(e.to_string()))?;
    if snapshot.version == 0 || snapshot.generation == 0 {
        return Err(damaged("its version or generation is 0".into()));
    }
    Ok(snapshot)
}

fn parse_journal(bytes: &[u8]) -> (Option<Header>, Vec<Line>) {
    let mut rows = bytes.split(|b| *b == b'\n');
    let Some(header) = rows.next().and_then(|row| serde_json::from_slice(row).ok()) else {
        return (None, Vec::new());
    };
    // A torn line is no JSON: the crash that tore it is why it does not count.
    (Some(header), rows.filter_map(|row| serde_json::from_slice(row).ok()).collect())
}

fn header_generation(journal: &[u8]) -> u64 {
    parse_journal(journal.split_inclusive(|b| *b == b'\n').next().unwrap_or_default())
        .0
        .map_or(0, |h| h.generation)
}

/// Moves a damaged file to a dated name beside it, never onto another.
fn set_aside(path: &Path, now: Wall) -> Result<PathBuf, HistoryError> {
    let failed = |source| HistoryError::Read { path: path.to_owned(), source };
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("history.json");
    let dated = format!("{name}.damaged-{}", now.to_file_stamp());
    let aside = (0..)
        .map(|n| path.with_file_name(if n == 0 { dated.clone() } else { format!("{dated}-{n}") }))
        .find(|candidate| !candidate.exists())
        .ok_or_else(|| failed(io::ErrorKind::AlreadyExists.into()))?;
    fs::rename(path, &aside).map_err(failed)?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(calls: u32) -> Line {
        let counts = Counts { calls, ..Counts::default() };
        Line {
            t: 1,
            counts: vec![Row(60, ServiceId::Deezer, "search".into(), "ui".into(), counts)],
            ..Line::default()
        }
    }

    fn open(dir: &Path) -> (HistoryFile, Loaded) {
        HistoryFile::open(dir, Wall::from_seconds(1_793_000_000)).unwrap()
    }

    #[test]
    fn m6_a_journal_older_than_its_snapshot_is_not_counted_again() {
        let dir = tempfile::tempdir().unwrap();
        let (mut file, _) = open(dir.path());
        file.append(&line(3), false).unwrap();
        let before = fs::read(dir.path().join("history.journal")).unwrap();
        file.save(Snapshot::default()).unwrap();
        assert_eq!(open(dir.path()).1.lines, []);
        // As if the crash came between the snapshot and its journal.
        disk::write_atomically(&dir.path().join("history.journal"), &before, Readers::Default).unwrap();
        let (mut file, loaded) = open(dir.path());
        assert_eq!((loaded.lines.len(), loaded.snapshot.generation), (0, 1));
        file.append(&line(4), false).unwrap();
        assert_eq!(open(dir.path()).1.lines, [line(4)]);
    }

    #[test]
    fn m6_a_torn_last_line_costs_that_line_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (mut file, _) = open(dir.path());
        file.append(&line(1), true).unwrap();
        file.append(&line(2), true).unwrap();
        let whole = fs::read(dir.path().join("history.journal")).unwrap();
        let first_two = whole.len() - serde_json::to_vec(&line(2)).unwrap().len() - 1;
        for cut in first_two..whole.len() - 1 {
            disk::write_atomically(&dir.path().join("history.journal"), &whole[..cut], Readers::Default)
                .unwrap();
            assert_eq!(open(dir.path()).1.lines, [line(1)], "cut at byte {cut}");
        }
    }

    #[test]
    fn m8_a_snapshot_cut_anywhere_is_set_aside_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.json");
        let (mut file, _) = open(dir.path());
        file.save(Snapshot::default()).unwrap();
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            disk::write_atomically(&path, &whole[..cut], Readers::Default).unwrap();
            let (_, loaded) = open(dir.path());
            let (aside, _) = loaded.damaged.expect("it is damaged");
            assert!(aside.file_name().unwrap().to_str().unwrap().starts_with("history.json.damaged-2026"));
            assert_eq!(fs::read(aside).unwrap(), &whole[..cut]);
            assert!(!path.exists());
        }
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            whole.len() + 1,
            "none was replaced by another"
        );
    }

    #[test]
    fn m8_a_newer_layout_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.json");
        disk::write_atomically(&path, br#"{"version":7,"planets":[]}"#, Readers::Default).unwrap();
        let error = HistoryFile::open(dir.path(), Wall::default()).unwrap_err();
        assert!(error.to_string().contains("layout 7"), "{error}");
        assert!(path.exists());
    }

    #[test]
    fn m8_without_its_snapshot_the_journal_still_counts() {
        let dir = tempfile::tempdir().unwrap();
        let (mut file, _) = open(dir.path());
        file.save(Snapshot::default()).unwrap();
        file.append(&line(9), false).unwrap();
        disk::write_atomically(&dir.path().join("history.json"), b"{", Readers::Default).unwrap();
        let (mut file, loaded) = open(dir.path());
        assert_eq!(loaded.lines, [line(9)]);
        file.save(Snapshot::default()).unwrap();
        assert_eq!(open(dir.path()).1.snapshot.generation, 2, "numbers go on");
    }
}
