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
    if let Some(position) = find(connection, event.key)? {
        return Ok(Receipt::Duplicate(position));
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

/// The events after a position. Those that are no longer kept or were erased are passed over; a gap among the others is
/// damage.
pub(super) fn after(
    connection: &Connection,
    after: EventPosition,
    limit: usize,
) -> Result<Vec<LoggedEvent>, Error> {
    let mut found: Vec<LoggedEvent> = Vec::new();
    let mut bytes = 0;
    each_after(connection, after, |event| {
        if !event.is_erased() {
            bytes += event.event.bytes.len();
            found.push(event);
        }
        found.len() < limit && bytes < PAGE_BYTES
    })?;
    Ok(found)
}

/// Visits the rows after a position, verified, until `visit` has had enough; a gap among them is damage.
fn each_after(
    connection: &Connection,
    after: EventPosition,
    mut visit: impl FnMut(LoggedEvent) -> bool,
) -> Result<(), Error> {
    let query = format!("SELECT {COLUMNS} FROM events WHERE position > ?1 ORDER BY position");
    let fail = failure::of("cannot read the log of events");
    let mut query = connection.prepare_cached(&query).map_err(&fail)?;
    let from = rows::integer(after.0).map_err(&fail)?;
    let mut before = None;
    for event in query.query_map([from], parse).map_err(&fail)? {
        let event = event.map_err(&fail)?;
        let position = event.position.0;
        if let Some(before) = before.filter(|before| before + 1 != position) {
            return Err(check::corrupt(format!("event {} is lost", before + 1)));
        }
        before = Some(position);
        if !visit(event) {
            break;
        }
    }
    Ok(())
}

/// Removes what an event said; that there was one of its source and id stays known. False where it was removed before,
/// or is not in the log.
pub(super) fn erase(connection: &Connection, position: EventPosition) -> rusqlite::Result<bool> {
    let query = format!("SELECT {COLUMNS} FROM events WHERE position = ?1");
    let mut query = connection.prepare_cached(&query)?;
    let known = query.query_row([rows::integer(position.0)?], parse).optional()?;
    let Some(LoggedEvent { event, .. }) = known.filter(|known| !known.is_erased()) else {
        return Ok(false);
    };
    let event = NewEvent { bytes: Vec::new(), ..event };
    let query = "UPDATE events SET bytes = ?2, checksum = ?3 WHERE position = ?1";
    let change = (rows::integer(position.0)?, &event.bytes, checksum(position, &event));
    connection.prepare_cached(query)?.execute(change)?;
    Ok(true)
}

/// Where the event with this key stands.
pub(super) fn find(
    connection: &Connection,
    key: Digest,
) -> rusqlite::Result<Option<EventPosition>> {
    let query = "SELECT position FROM events WHERE key = ?1";
    let mut query = connection.prepare_cached(query)?;
    let known = query.query_row([key.0], |row| Columns::of(row).unsigned()).optional()?;
    Ok(known.map(EventPosition))
}

/// When the event at a position was received.
pub(super) fn received_at(
    connection: &Connection,
    position: EventPosition,
) -> rusqlite::Result<Option<Timestamp>> {
    let query = "SELECT received_at FROM events WHERE position = ?1";
    let mut query = connection.prepare_cached(query)?;
    let received = query.query_row([rows::integer(position.0)?], |row| row.get(0)).optional()?;
    Ok(received.map(Timestamp))
}

/// Drops the oldest events, as far as none of them is to be kept; says how many. Clocks may go back, but positions have no
/// gaps.
pub(super) fn drop_old(
    connection: &Connection,
    retention: EventRetention,
    limit: usize,
) -> rusqlite::Result<u64> {
    let newest = last(connection)?.0;
    let through = retention.through.0.min(newest.saturating_sub(1));
    let surplus = newest.saturating_sub(retention.count);
    let query = "SELECT position, received_at FROM events WHERE position <= ?1
                 ORDER BY position LIMIT ?2";
    let mut query = connection.prepare_cached(query)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let oldest = query.query_map((rows::integer(through)?, limit), |row| {
        let mut columns = Columns::of(row);
        Ok((columns.unsigned()?, Timestamp(columns.next()?)))
    })?;
    let mut dropped = None;
    for event in oldest {
        let (position, received_at) = event?;
        if received_at >= retention.before && position > surplus {
            break;
        }
        dropped = Some(position);
    }
    let Some(dropped) = dropped else { return Ok(0) };
    let query = "DELETE FROM events WHERE position <= ?1";
    let deleted = connection.prepare_cached(query)?.execute([rows::integer(dropped)?])?;
    Ok(deleted as u64)
}

/// Checks every event and that none is missing between two others; says how many there are.
pub(super) fn verify(connection: &Connection) -> Result<u64, Error> {
    let mut count = 0;
    each_after(connection, EventPosition(0), |_verified| {
        count += 1;
        true
    })?;
    Ok(count)
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
