//! The log of events: one row an event, at positions without gaps; the oldest go when they are no longer kept.

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};
use tutti_ids::Digest;
use tutti_journal::{EventPosition, Timestamp};

use super::{checksum::Checksum, columns::Columns, failure, rows};
use crate::{Error, EventRetention, LoggedEvent, NewEvent, Receipt, check};

/// Bytes of one answer, one event more or less.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

const COLUMNS: &str = "position, key, received_at, bytes, checksum";

/// Adds an event at the end, unless one with its key is there.
pub(super) fn append(connection: &Connection, event: &NewEvent) -> rusqlite::Result<Receipt> {
    let query = "SELECT position FROM events WHERE key = ?1";
    let known = connection
        .prepare_cached(query)?
        .query_row([event.key.0], |row| Columns::of(row).unsigned())
        .optional()?;
    if let Some(position) = known {
        return Ok(Receipt::Duplicate(EventPosition(position)));
    }
    let position = EventPosition(last(connection)?.0.saturating_add(1));
    let query = "INSERT INTO events (position, key, received_at, bytes, checksum)
                 VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(query)?.execute((
        rows::integer(position.0)?,
        event.key.0,
        event.received_at.0,
        &event.bytes,
        checksum(position, event),
    ))?;
    Ok(Receipt::Logged(position))
}

/// The position of the newest event.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<EventPosition> {
    let query = "SELECT coalesce(max(position), 0) FROM events";
    let last =
        connection.prepare_cached(query)?.query_row((), |row| Columns::of(row).unsigned())?;
    Ok(EventPosition(last))
}

/// The events after a position. Those that are no longer kept are passed over; a gap among the others is damage.
pub(super) fn after(
    connection: &Connection,
    after: EventPosition,
    limit: usize,
) -> Result<Vec<LoggedEvent>, Error> {
    let query = format!("SELECT {COLUMNS} FROM events WHERE position > ?1 ORDER BY position");
    let fail = failure::of("cannot read the log of events");
    let mut query = connection.prepare_cached(&query).map_err(&fail)?;
    let from = rows::integer(after.0).map_err(&fail)?;
    let mut found: Vec<LoggedEvent> = Vec::new();
    let mut bytes = 0;
    let mut events = query.query_map([from], parse).map_err(&fail)?;
    while found.len() < limit && bytes < PAGE_BYTES {
        let Some(event) = events.next() else { break };
        let event = event.map_err(&fail)?;
        if let Some(before) = found.last()
            && before.position.0 + 1 != event.position.0
        {
            return Err(check::corrupt(format!("event {} is lost", before.position.0 + 1)));
        }
        bytes += event.event.bytes.len();
        found.push(event);
    }
    Ok(found)
}

/// Drops old events; says how many.
pub(super) fn drop_old(
    connection: &Connection,
    retention: EventRetention,
    limit: usize,
) -> rusqlite::Result<u64> {
    let query = "DELETE FROM events WHERE position IN (
                     SELECT position FROM events
                     WHERE position <= ?1 AND position < ?2 AND (received_at < ?3 OR position <= ?4)
                     ORDER BY position LIMIT ?5)";
    let last = last(connection)?.0;
    let dropped = connection.prepare_cached(query)?.execute((
        rows::integer(retention.through.0.min(last))?,
        rows::integer(last)?,
        retention.before.0,
        rows::integer(last.saturating_sub(retention.count))?,
        i64::try_from(limit).unwrap_or(i64::MAX),
    ))?;
    Ok(dropped as u64)
}

/// Events that are verified at a time.
const VERIFIED_AT_ONCE: usize = 1_000;

/// Checks every event and that none is missing between two others; says how many there are.
pub(super) fn verify(connection: &Connection) -> Result<u64, Error> {
    let mut count = 0;
    let mut from = EventPosition(0);
    loop {
        let page = after(connection, from, VERIFIED_AT_ONCE)?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(count) };
        if from.0 != 0 && first.position.0 != from.0 + 1 {
            return Err(check::corrupt(format!("event {} is lost", from.0 + 1)));
        }
        count += page.len() as u64;
        from = last.position;
    }
}

fn parse(row: &SqlRow<'_>) -> rusqlite::Result<LoggedEvent> {
    let mut columns = Columns::of(row);
    let position = EventPosition(columns.unsigned()?);
    let event = NewEvent {
        key: Digest(columns.next()?),
        received_at: Timestamp(columns.next()?),
        bytes: columns.next()?,
    };
    if columns.next::<[u8; 16]>()? != checksum(position, &event) {
        return Err(columns.damaged());
    }
    Ok(LoggedEvent { position, event })
}

fn checksum(position: EventPosition, event: &NewEvent) -> [u8; 16] {
    Checksum::of("events")
        .bytes(&position.0.to_be_bytes())
        .bytes(&event.key.0)
        .integer(event.received_at.0)
        .bytes(&event.bytes)
        .finish()
}
