//! Hourly sums of 13 months, in `library.db`.
//!
//! An hour's row is written again each minute while it grows, as an absolute sum: writing it twice
//! changes nothing, and it never shrinks.

use rusqlite::{Connection, params};

use super::Counts;
use crate::service::ServiceId;

/// How long hourly sums are kept: 13 months.
pub const KEPT_DAYS: i64 = 396;

/// The table's first form.
pub const CREATE: &str = "
CREATE TABLE hours (
    hour      INTEGER NOT NULL, -- unix seconds at its beginning
    service   TEXT    NOT NULL,
    endpoint  TEXT    NOT NULL,
    calls     INTEGER NOT NULL,
    hits      INTEGER NOT NULL,
    ok        INTEGER NOT NULL,
    not_found INTEGER NOT NULL,
    refused   INTEGER NOT NULL,
    failed    INTEGER NOT NULL,
    ms        INTEGER NOT NULL, -- milliseconds waited for answers
    bytes     INTEGER NOT NULL, -- of the answers' bodies
    PRIMARY KEY (service, hour, endpoint)
) STRICT, WITHOUT ROWID;
";

/// One hour of a service: `[unix_s, calls, hits, refused, failed]`.
pub type HourRow = (i64, u64, u64, u64, u64);

/// Writes the sums of some hours.
///
/// # Errors
/// The database's; nothing is written then.
pub fn write(db: &mut Connection, hours: &[(i64, ServiceId, &'static str, Counts)]) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO hours VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT DO UPDATE SET
                calls = max(calls, excluded.calls), hits = max(hits, excluded.hits), ok = max(ok, excluded.ok),
                not_found = max(not_found, excluded.not_found), refused = max(refused, excluded.refused),
                failed = max(failed, excluded.failed), ms = max(ms, excluded.ms), bytes = max(bytes, excluded.bytes)",
        )?;
        for (hour, service, endpoint, c) in hours {
            let (ms, bytes) =
                (i64::try_from(c.ms).unwrap_or(i64::MAX), i64::try_from(c.bytes).unwrap_or(i64::MAX));
            insert.execute(params![
                hour,
                service.as_str(),
                endpoint,
                c.calls,
                c.hits,
                c.ok,
                c.not_found,
                c.refused,
                c.failed,
                ms,
                bytes
            ])?;
        }
    }
    transaction.commit()
}

/// Forgets hours before `hour` (unix seconds).
///
/// # Errors
/// The database's.
pub fn forget_before(db: &Connection, hour: i64) -> rusqlite::Result<usize> {
    db.execute("DELETE FROM hours WHERE hour < ?1", [hour])
}

/// The hours of a service from `since` (unix seconds) on, oldest first.
///
/// # Errors
/// The database's.
pub fn read(db: &Connection, service: ServiceId, since: i64) -> rusqlite::Result<Vec<HourRow>> {
    let mut select = db.prepare_cached(
        "SELECT hour, sum(calls), sum(hits), sum(refused), sum(failed) FROM hours
         WHERE service = ?1 AND hour >= ?2 GROUP BY hour ORDER BY hour",
    )?;
    let count =
        |row: &rusqlite::Row<'_>, index| row.get::<_, i64>(index).map(|n| u64::try_from(n).unwrap_or(0));
    let rows = select.query_map(params![service.as_str(), since], |row| {
        Ok((row.get(0)?, count(row, 1)?, count(row, 2)?, count(row, 3)?, count(row, 4)?))
    })?;
    rows.collect()
}
