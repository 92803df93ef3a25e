//! The statements on `cache.db`: how an entry is written, read, forgotten and thrown out.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use zstd::bulk::{Compressor, Decompressor};

use super::kept::Kept;
use super::question::Key;
use super::{CacheEntry, CachePage, Forget};
use crate::service::tags::Tags;
use crate::service::{ServiceId, tags};

/// Raised with the schema: a file of another layout is set aside, for it can be made anew.
const LAYOUT: i64 = 1;
/// zstd's own default: 3 gives most of what there is to gain.
pub(super) const LEVEL: i32 = 3;
/// Entries of a page of [`entries`].
const PAGE: usize = 50;
/// Rows changed in one transaction, so that no other write waits for long.
const CHUNK: usize = 2_000;

/// A connection that only reads. What unpacks bodies is kept with it: to make that anew for each costs as
/// much as to find the entry.
pub(super) struct Reader {
    pub(super) db: Connection,
    unpack: Decompressor<'static>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("db", &self.db).finish_non_exhaustive()
    }
}

/// An entry with what is written beside it.
#[derive(Debug)]
pub(super) struct NewEntry<'a> {
    pub(super) key: Key,
    pub(super) service: ServiceId,
    pub(super) endpoint: &'static str,
    pub(super) account: Option<&'a str>,
    pub(super) question: &'a str,
    pub(super) kept: &'a Kept,
    pub(super) tags: &'a Tags,
}

/// Sums of one service: `(service, found, entries, bytes, raw_bytes)`.
pub(super) type Total = (ServiceId, bool, u64, u64, u64);

/// Opens the file for writing and makes its tables if it is new.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.busy_timeout(Duration::from_secs(5))?;
    let layout: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if layout == 0 {
        db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    db.set_prepared_statement_cache_capacity(32);
    match layout {
        0 => create(&db)?,
        LAYOUT => {}
        _ => return Err(rusqlite::Error::InvalidColumnName(format!("layout {layout}"))),
    }
    // Damage in the first pages shows here, not at the first answer.
    db.query_row("SELECT count(*) FROM total", [], |row| row.get::<_, i64>(0))?;
    db.query_row("SELECT id FROM entry ORDER BY used LIMIT 1", [], |row| row.get::<_, i64>(0)).optional()?;
    Ok(db)
}

/// Opens the file for reading only.
pub(super) fn open_to_read(path: &Path) -> rusqlite::Result<Reader> {
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(Duration::from_millis(50))?;
    db.set_prepared_statement_cache_capacity(16);
    let unpack = Decompressor::new().map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
    Ok(Reader { db, unpack })
}

fn create(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(&format!(
        "BEGIN; {} {} PRAGMA user_version = {LAYOUT}; COMMIT;",
        include_str!("schema.sql"),
        include_str!("outbox.sql")
    ))
}

/// Begins anew: faster than to delete each of a million rows.
pub(super) fn clear(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(&format!(
        "BEGIN; DROP TABLE entry; DROP TABLE tag; DROP TABLE link; DROP TABLE total; {} COMMIT;
         PRAGMA incremental_vacuum;",
        include_str!("schema.sql")
    ))
}

/// What packs bodies; made once for many.
pub(super) fn packer() -> rusqlite::Result<Compressor<'static>> {
    Compressor::new(LEVEL).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

pub(super) fn put(db: &Connection, pack: &mut Compressor<'_>, new: &NewEntry<'_>) -> rusqlite::Result<()> {
    let NewEntry { key, service, endpoint, account, question, kept, tags } = new;
    let body = pack.compress(&kept.body).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
    db.prepare_cached("DELETE FROM entry WHERE key = ?1")?.execute([&key.0[..]])?;
    let id = db
        .prepare_cached(
            "INSERT INTO entry (key, service, endpoint, account, question, status, found, headers, body, bytes,
                                raw_bytes, stored, expires, removed, used)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .insert(params![
            &key.0[..],
            service.as_str(),
            endpoint,
            account,
            question,
            kept.status.as_u16(),
            kept.found,
            lines(&kept.headers),
            body,
            int(body.len()),
            int(kept.body.len()),
            kept.stored,
            kept.expires,
            kept.removed,
            kept.used.load(std::sync::atomic::Ordering::Relaxed),
        ])?;
    let mut tag = db.prepare_cached("INSERT OR IGNORE INTO tag VALUES (?1, ?2)")?;
    tags.all.iter().try_for_each(|t| tag.execute([*t, id]).map(drop))?;
    let mut link = db.prepare_cached("INSERT OR IGNORE INTO link VALUES (?1, ?2)")?;
    tags.links.iter().try_for_each(|(name, id)| link.execute([*name, *id]).map(drop))
}

pub(super) fn get(reader: &mut Reader, key: Key) -> rusqlite::Result<Option<Kept>> {
    let Reader { db, unpack } = reader;
    let mut find = db.prepare_cached(
        "SELECT status, found, headers, body, raw_bytes, stored, expires, removed, used
         FROM entry WHERE key = ?1 AND forgotten IS NULL",
    )?;
    find.query_row([&key.0[..]], |row| read_kept(row, unpack)).optional()
}

fn read_kept(row: &Row<'_>, unpack: &mut Decompressor<'_>) -> rusqlite::Result<Kept> {
    let (status, raw_bytes): (u16, usize) = (row.get(0)?, row.get(4)?);
    let body = row.get_ref(3)?.as_blob()?;
    let bad = |column, error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, error)
    };
    let body = unpack.decompress(body, raw_bytes).map_err(|e| bad(3, Box::new(e)))?;
    Ok(Kept {
        status: StatusCode::from_u16(status).map_err(|e| bad(0, Box::new(e)))?,
        found: row.get(1)?,
        headers: read_lines(row.get_ref(2)?.as_str()?),
        body: Bytes::from(body),
        stored: row.get(5)?,
        expires: row.get(6)?,
        removed: row.get(7)?,
        used: AtomicI64::new(row.get(8)?),
    })
}

pub(super) fn lines(headers: &HeaderMap) -> String {
    let line =
        |(name, value): (&HeaderName, &HeaderValue)| Some(format!("{name}: {}\n", value.to_str().ok()?));
    headers.iter().filter_map(line).collect()
}

pub(super) fn read_lines(text: &str) -> HeaderMap {
    let line = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((HeaderName::from_str(name).ok()?, HeaderValue::from_str(value).ok()?))
    };
    let mut headers = HeaderMap::new();
    for (name, value) in text.lines().filter_map(line) {
        headers.append(name, value);
    }
    headers
}

pub(super) fn note_use(db: &Connection, key: Key, at: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE entry SET used = ?2 WHERE key = ?1")?.execute(params![&key.0[..], at]).map(drop)
}

/// Keys of what `what` means, so many at a time; the caller goes on until there are none.
fn meant(db: &Connection, what: &Forget) -> rusqlite::Result<Vec<(i64, Key)>> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, key_of(row, 1)?));
    let select =
        |rule: &str| format!("SELECT id, key FROM entry WHERE forgotten IS NULL AND {rule} LIMIT {CHUNK}");
    let tagged =
        "id IN (SELECT entry FROM tag WHERE tag = ?1 OR tag IN (SELECT id FROM link WHERE name = ?1))";
    let by_tag = |tag: i64| db.prepare_cached(&select(tagged))?.query_map([tag], read)?.collect();
    match what {
        Forget::Key { key } => {
            let Ok(key) = key.parse::<Key>() else { return Ok(Vec::new()) };
            db.prepare_cached(&select("key = ?1"))?.query_map([&key.0[..]], read)?.collect()
        }
        Forget::Track { artist, title } => by_tag(tags::track(artist, title)),
        Forget::Album { artist, album } => by_tag(tags::album(artist, album)),
        Forget::Artist { artist } => by_tag(tags::artist(artist)),
        Forget::Service { service } => {
            db.prepare_cached(&select("service = ?1"))?.query_map([service.as_str()], read)?.collect()
        }
        Forget::Account { service, account } => db
            .prepare_cached(&select("service = ?1 AND account = ?2"))?
            .query_map([service.as_str(), account], read)?
            .collect(),
        Forget::NotFound => db.prepare_cached(&select("NOT found"))?.query_map([], read)?.collect(),
        Forget::All => db.prepare_cached(&select("TRUE"))?.query_map([], read)?.collect(),
    }
}

/// Forgets by `act`, which can be undone, so many entries at a time; returns their keys.
pub(super) fn forget_some(db: &mut Connection, what: &Forget, act: i64) -> rusqlite::Result<Vec<Key>> {
    let transaction = db.transaction()?;
    let meant = meant(&transaction, what)?;
    {
        let mut forget = transaction.prepare_cached("UPDATE entry SET forgotten = ?2 WHERE id = ?1")?;
        meant.iter().try_for_each(|(id, _)| forget.execute([*id, act]).map(drop))?;
    }
    transaction.commit()?;
    Ok(meant.into_iter().map(|(_, key)| key).collect())
}

/// Notes that the others are to be told; names the note.
pub(super) fn owe(db: &Connection, what: &Forget) -> rusqlite::Result<i64> {
    let text =
        serde_json::to_string(what).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
    db.prepare_cached("INSERT INTO owed (what) VALUES (?1)")?.insert([text])
}

/// The others were told.
pub(super) fn paid(db: &Connection, note: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM owed WHERE id = ?1")?.execute([note]).map(drop)
}

/// What the others are still to be told, oldest first.
pub(super) fn owed(db: &Connection) -> rusqlite::Result<Vec<(i64, Forget)>> {
    let mut owed = db.prepare_cached("SELECT id, what FROM owed ORDER BY id LIMIT 100")?;
    let rows = owed.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    let read = |row: rusqlite::Result<(i64, String)>| {
        let (note, text) = row.ok()?;
        Some((note, serde_json::from_str(&text).ok()?))
    };
    Ok(rows.filter_map(read).collect())
}

/// The last act of the others on `server` that was carried out here.
pub(super) fn heard(db: &Connection, server: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT act FROM heard WHERE server = ?1")?
        .query_row([server], |row| row.get(0))
        .optional()
}

pub(super) fn note_heard(db: &Connection, server: &str, act: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO heard VALUES (?1, ?2) ON CONFLICT DO UPDATE SET act = excluded.act")?
        .execute(params![server, act])
        .map(drop)
}

/// How many entries `what` means, where that may be many.
pub(super) fn count(db: &Connection, what: &Forget) -> rusqlite::Result<u64> {
    match what {
        Forget::Service { service } => db
            .prepare_cached("SELECT ifnull(sum(entries), 0) FROM total WHERE service = ?1")?
            .query_row([service.as_str()], |row| row.get(0)),
        Forget::NotFound => db
            .prepare_cached("SELECT ifnull(sum(entries), 0) FROM total WHERE NOT found")?
            .query_row([], |row| row.get(0)),
        _ => Ok(0),
    }
}

pub(super) fn undo(db: &Connection, act: i64) -> rusqlite::Result<u64> {
    let changed =
        db.prepare_cached("UPDATE entry SET forgotten = NULL WHERE forgotten = ?1")?.execute([act])?;
    Ok(changed as u64)
}

/// Ends what was forgotten at `forgotten_before` or earlier for good.
pub(super) fn bury(db: &Connection, forgotten_before: i64) -> rusqlite::Result<()> {
    while db
        .prepare_cached(&format!(
            "DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE forgotten <= ?1 LIMIT {CHUNK})"
        ))?
        .execute([forgotten_before])?
        > 0
    {}
    Ok(())
}

/// Removes what is of no use any more; tells how many.
pub(super) fn remove_old(db: &Connection, now: i64) -> rusqlite::Result<u64> {
    let mut gone = 0;
    loop {
        let some = db
            .prepare_cached(&format!(
                "DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE removed <= ?1 LIMIT {CHUNK})"
            ))?
            .execute([now])?;
        gone += some as u64;
        if some == 0 {
            return Ok(gone);
        }
    }
}

/// Forgets links to ids that nothing is tagged with any more.
pub(super) fn remove_links(db: &Connection) -> rusqlite::Result<()> {
    db.execute("DELETE FROM link WHERE NOT EXISTS (SELECT 1 FROM tag WHERE tag = link.id)", []).map(drop)
}

/// Bytes of the file that hold something.
pub(super) fn size(db: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    Ok((pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?)
}

/// Throws out the least recently used until the file holds at most `max` bytes; tells how many.
pub(super) fn evict(db: &Connection, max: u64) -> rusqlite::Result<u64> {
    let mut gone = 0;
    let mut size_now = size(db)?;
    if size_now <= max {
        return Ok(0);
    }
    // A little below, so that the next entry does not evict again.
    let goal = max / 20 * 19;
    while size_now > goal {
        let entries: u64 = db.query_row("SELECT ifnull(sum(entries), 0) FROM total", [], |row| row.get(0))?;
        let some = db
            .prepare_cached(
                "DELETE FROM entry WHERE id IN (SELECT id FROM entry ORDER BY used, id LIMIT ?1)",
            )?
            .execute([(entries / 50).clamp(1, CHUNK as u64)])?;
        gone += some as u64;
        if some == 0 {
            break;
        }
        size_now = size(db)?;
    }
    db.execute_batch("PRAGMA incremental_vacuum(2000)")?;
    Ok(gone)
}

/// Moves all times by `step` milliseconds: somebody set the clock.
pub(super) fn shift(db: &Connection, step: i64) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE entry SET stored = stored + ?1, expires = expires + ?1, removed = removed + ?1, used = used + ?1,
                          forgotten = forgotten + ?1",
        [step],
    )
    .map(drop)
}

pub(super) fn totals(db: &Connection) -> rusqlite::Result<Vec<Total>> {
    let mut totals = db.prepare_cached("SELECT service, found, entries, bytes, raw_bytes FROM total")?;
    let rows = totals.query_map([], |row| {
        let service: String = row.get(0)?;
        Ok((service.parse::<ServiceId>().ok(), row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    })?;
    // A service that is no longer in the catalogue has no bar.
    let known = |(service, found, entries, bytes, raw): (Option<ServiceId>, _, _, _, _)| {
        service.map(|service| (service, found, entries, bytes, raw))
    };
    rows.filter_map(|row| row.map(known).transpose()).collect()
}

/// Entries whose question holds `text`, last used first, from `after` on.
pub(super) fn entries(
    db: &Connection,
    text: &str,
    service: Option<ServiceId>,
    after: Option<(i64, i64)>,
) -> rusqlite::Result<CachePage> {
    let mut find = db.prepare_cached(&format!(
        "SELECT id, key, service, endpoint, question, status, found, bytes, raw_bytes, stored, expires, used
         FROM entry
         WHERE forgotten IS NULL AND instr(lower(question), lower(?1)) > 0 AND (?2 IS NULL OR service = ?2)
           AND (used, id) < (?3, ?4)
         ORDER BY used DESC, id DESC LIMIT {}",
        PAGE + 1
    ))?;
    let (used, id) = after.unwrap_or((i64::MAX, i64::MAX));
    let rows = find.query_map(params![text, service.map(ServiceId::as_str), used, id], |row| {
        let seconds = |ms: i64| ms.div_euclid(1_000);
        let service: String = row.get(2)?;
        let place = (row.get::<_, i64>(11)?, row.get::<_, i64>(0)?);
        let Ok(service) = service.parse() else { return Ok((place, None)) };
        let entry = CacheEntry {
            key: key_of(row, 1)?.to_string(),
            service,
            endpoint: row.get(3)?,
            question: row.get(4)?,
            status: row.get(5)?,
            found: row.get(6)?,
            bytes: row.get(7)?,
            raw_bytes: row.get(8)?,
            stored_at: seconds(row.get(9)?),
            expires_at: row.get::<_, Option<i64>>(10)?.map(seconds),
            used_at: seconds(place.0),
        };
        Ok((place, Some(entry)))
    })?;
    let mut rows: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|((used, id), _)| format!("{used}-{id}"));
    Ok(CachePage { entries: rows.into_iter().filter_map(|(_, entry)| entry).collect(), next })
}

fn key_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Key> {
    Ok(Key(row.get(column)?))
}

fn int(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
