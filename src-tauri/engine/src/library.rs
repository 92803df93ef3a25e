//! `library.db`: what is precious and grows, in SQLite. Today the hourly sums; plays and favourites
//! join them.
//!
//! Invariant: before a migration changes a file that holds something, a dated copy of it lies beside it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use crate::clock::Wall;
use crate::meter::rollup;

/// Why the library cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The file is damaged or no database.
    #[error(
        "{path} is damaged ({why}): move it away to begin anew, or put a copy of it back (library.db.before-…)"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        why: String,
    },
    /// SQLite or the file system said no.
    #[error("cannot open {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The layout could not be brought up to date.
    #[error("cannot bring {path} up to date; it was left as it is")]
    Migrate {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite_migration::Error,
    },
}

/// A cheap-clone handle to the one connection. Each use is short; readers and the writer take turns.
#[derive(Debug, Clone)]
pub struct Library(Arc<Mutex<Connection>>);

impl Library {
    /// Opens `library.db` in the folder `dir`, checks it and brings its layout up to date.
    ///
    /// # Errors
    /// See [`LibraryError`]; the file is unchanged then.
    pub fn open(dir: &Path, now: Wall) -> Result<Self, LibraryError> {
        let path = dir.join("library.db");
        let open = |source| LibraryError::Open { path: path.clone(), source };
        let mut db = Connection::open(&path).map_err(open)?;
        let damaged = |why: String| LibraryError::Damaged { path: path.clone(), why };
        let check: String = db
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|e| damaged(e.to_string()))?;
        if check != "ok" {
            return Err(damaged(check));
        }
        db.busy_timeout(Duration::from_secs(5)).map_err(open)?;
        db.pragma_update(None, "journal_mode", "WAL").map_err(open)?;
        db.pragma_update(None, "synchronous", "NORMAL").map_err(open)?;
        let layout: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(open)?;
        let steps = [M::up(rollup::CREATE)];
        if layout > 0 && usize::try_from(layout).is_ok_and(|layout| layout < steps.len()) {
            let copy = dir.join(format!("library.db.before-{}", now.to_file_stamp()));
            db.execute("VACUUM INTO ?1", [copy.to_string_lossy()]).map_err(open)?;
        }
        Migrations::from_iter(steps)
            .to_latest(&mut db)
            .map_err(|source| LibraryError::Migrate { path: path.clone(), source })?;
        Ok(Self(Arc::new(Mutex::new(db))))
    }

    /// Whether the library in the folder `dir` is whole, in words. Changes nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(dir: &Path) -> Result<String, String> {
        check_database(&dir.join("library.db"))
    }

    /// Runs `work` on the connection, away from the runtime's threads.
    ///
    /// # Errors
    /// Whatever `work` says, or that it panicked.
    pub async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> rusqlite::Result<T> {
        let db = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&mut db.lock())).await;
        done.unwrap_or_else(|panic| Err(rusqlite::Error::ToSqlConversionFailure(panic.into())))
    }
}

/// Whether the SQLite file `path` is whole, in words. Changes nothing.
///
/// # Errors
/// What is wrong with it.
pub fn check_database(path: &Path) -> Result<String, String> {
    if !path.exists() {
        return Ok("there is none yet".to_owned());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let check = || -> rusqlite::Result<String> {
        let db = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // A writer may be at work.
        db.busy_timeout(Duration::from_secs(5))?;
        db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
    };
    match check() {
        Ok(found) if found == "ok" => Ok("whole".to_owned()),
        Ok(found) => Err(format!("{name} is damaged: {found}")),
        Err(error) => Err(format!("{name} cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Counts;
    use crate::service::ServiceId;

    #[tokio::test]
    async fn an_hour_written_twice_stands_once_and_never_shrinks() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path(), Wall::default()).unwrap();
        let row = |calls| vec![(3_600, ServiceId::Deezer, "search", Counts { calls, ..Counts::default() })];
        for calls in [5, 8, 8, 2] {
            library.with(move |db| rollup::write(db, &row(calls))).await.unwrap();
        }
        let hours = library.with(|db| rollup::read(db, ServiceId::Deezer, 0)).await.unwrap();
        assert_eq!(hours, [(3_600, 8, 0, 0, 0)]);
    }

    #[test]
    fn a_damaged_library_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("library.db");
        crate::disk::write_atomically(
            &path,
            b"not a database at all, but long enough to be read as one",
            crate::disk::Readers::Default,
        )
        .unwrap();
        let error = Library::open(dir.path(), Wall::default()).unwrap_err();
        assert!(matches!(error, LibraryError::Damaged { .. }), "{error}");
        assert!(std::fs::read(&path).unwrap().starts_with(b"not a database"));
    }
}
