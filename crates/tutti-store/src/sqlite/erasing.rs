//! Erasing values so that nothing of them is left in the files, and everything else still verifies.

mod events;

use std::{collections::BTreeSet, path::Path};

use rusqlite::Connection;
use tutti_ids::{Digest, ExecutionId};
use tutti_journal::{EventPosition, Sealer};

use super::{
    append::control,
    commits::{self, Tail},
    directory::Directory,
    erasures, exporting, failure,
    high_water::HighWater,
    rows::{self, ExecutionRow},
    schema,
};
use crate::{EraseRequest, Erased, Erasure, Error};

/// Erases the values of an execution and of all that it started: of their rows, with salts, blobs that nothing else refers
/// to, and snapshots; and of the events that they consumed or emitted. The journals stay, without values; that they were erased is chained with the commits.
///
/// Nobody else may use the store. At the end the whole database is written anew, so that no file holds what was erased;
/// that takes time and memory in proportion to its size. An erasure that was interrupted there is ended by asking again.
pub(super) fn erase(
    directory: &Path,
    request: &EraseRequest,
    sealer: &dyn Sealer,
) -> Result<Erased, Error> {
    schema::check_library()?;
    let directory = Directory::lock(directory)?;
    let mut mark = HighWater::open(&directory.high_water())?;
    let (connection, tail) = schema::open(&directory, mark.read()?)?;
    connection
        .pragma_update(None, "secure_delete", "ON")
        .map_err(failure::of("cannot have SQLite overwrite what is deleted"))?;
    let all = rows::all_executions(&connection)?;
    let family = ended(&all, request.execution)?;
    let mut events = BTreeSet::new();
    for execution in &family {
        events.extend(events::of(&connection, execution.execution, sealer)?);
    }
    let change = Change { request, family: &family, events: &events, all: &all };
    let erased = in_one_transaction(&connection, tail, &change, &mut mark)?;
    scrub(&connection)?;
    Ok(erased)
}

/// What is to be erased, and what else there is.
struct Change<'a> {
    request: &'a EraseRequest,
    family: &'a [ExecutionRow],
    events: &'a BTreeSet<EventPosition>,
    all: &'a [ExecutionRow],
}

/// The executions to erase; all must have ended.
fn ended(all: &[ExecutionRow], root: ExecutionId) -> Result<Vec<ExecutionRow>, Error> {
    let family = exporting::family(all, root)?;
    let family: Vec<ExecutionRow> =
        all.iter().filter(|row| family.contains(&row.execution)).cloned().collect();
    match family.iter().find(|row| !row.projection.status.is_terminal()) {
        Some(open) => Err(Error::NotEnded { execution: open.execution }),
        None => Ok(family),
    }
}

fn in_one_transaction(
    connection: &Connection,
    tail: Tail,
    asked: &Change<'_>,
    mark: &mut HighWater,
) -> Result<Erased, Error> {
    control(connection, "BEGIN IMMEDIATE")?;
    let changed = change(connection, tail, asked);
    let (erased, tail) = match changed {
        Ok((erased, _)) if erased.executions.is_empty() && erased.events == 0 => {
            control(connection, "ROLLBACK")?;
            return Ok(erased);
        }
        Ok(changed) => changed,
        Err(error) => {
            // The error counts; a transaction that cannot be undone ends with the connection.
            control(connection, "ROLLBACK").ok();
            return Err(error);
        }
    };
    control(connection, "COMMIT")?;
    mark.write(commits::mark(&tail)).and_then(|()| mark.sync()).map_err(|error| {
        let attempt = "cannot write the high-water mark".to_owned();
        Error::Unavailable { attempt, source: Some(error.into()) }
    })?;
    Ok(erased)
}

fn change(
    connection: &Connection,
    tail: Tail,
    asked: &Change<'_>,
) -> Result<(Erased, Tail), Error> {
    let Change { request, family, events, all } = asked;
    let gone =
        events::erase(connection, events, all).map_err(failure::of("cannot erase events"))?;
    let mut erased = Erased { events: gone.erased, kept_events: gone.kept, ..Erased::default() };
    let mut digests: Vec<Digest> = Vec::new();
    for execution in *family {
        let id = execution.execution;
        if erasures::is_erased(connection, id)? {
            continue;
        }
        let rows = erase_rows(connection, id)?;
        let erasure = Erasure {
            execution: id,
            commit: tail.number.saturating_add(1),
            at: request.at,
            by: request.by.clone(),
            reason: request.reason.clone(),
            rows,
        };
        digests.push(erasure.digest());
        erasures::insert(connection, &erasure).map_err(failure::of("cannot record the erasure"))?;
        erased.executions.push(id);
        erased.rows += rows;
    }
    if digests.is_empty() {
        return Ok((erased, tail));
    }
    erased.blobs = erase_blobs(connection).map_err(failure::of("cannot erase blobs"))?;
    let (row, tail) = tail.next(&digests, tail.totals);
    commits::insert(connection, &row)?;
    Ok((erased, tail))
}

fn erase_rows(connection: &Connection, id: ExecutionId) -> Result<u64, Error> {
    let mut erased = Vec::new();
    rows::each_of(connection, id, |position, mut row| {
        row.values = None;
        erased.push((position, rows::journal_checksum(position, &row)));
        Ok(())
    })?;
    let attempt = format!("cannot erase the values of {id}");
    let fail = failure::of(&attempt);
    for (position, checksum) in &erased {
        let query =
            "UPDATE journal SET salt = NULL, value = NULL, checksum = ?2 WHERE position = ?1";
        let change = connection.prepare_cached(query);
        change.and_then(|mut change| change.execute((position, checksum))).map_err(&fail)?;
        let query = "DELETE FROM blob_references WHERE position = ?1";
        let change = connection.prepare_cached(query);
        change.and_then(|mut change| change.execute([position])).map_err(&fail)?;
    }
    let query = "DELETE FROM snapshots WHERE execution = ?1";
    connection.execute(query, [id.to_bits().to_be_bytes()]).map_err(&fail)?;
    Ok(erased.len() as u64)
}

/// Deletes the blobs that nothing refers to.
fn erase_blobs(connection: &Connection) -> rusqlite::Result<u64> {
    let query = "DELETE FROM blobs WHERE digest NOT IN (SELECT digest FROM blob_references)";
    connection.execute(query, ()).map(|deleted| deleted as u64)
}

/// Writes the database anew and empties its log: pages keep remains of what once stood on them.
fn scrub(connection: &Connection) -> Result<(), Error> {
    let fail =
        failure::of("what was erased may remain in the files, ask again: cannot write them anew");
    connection.execute_batch("VACUUM").map_err(&fail)?;
    let busy: i64 = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))
        .map_err(&fail)?;
    if busy == 0 {
        return Ok(());
    }
    Err(fail(rusqlite::Error::QueryReturnedNoRows))
}
