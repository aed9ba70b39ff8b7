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
    schema, scrubbing,
};
use crate::{EraseRequest, Erased, Erasure, Error};

/// Erases the values of an execution and of all that it started: of their rows, with salts, blobs that nothing else refers
/// to, and snapshots; and of the events that they consumed or emitted. The journals stay, without values; that they were
/// erased is chained with the commits.
///
/// Nobody else may use the store. At the end the whole database is written anew, so that no file holds what was erased;
/// that takes time and memory in proportion to its size. Where it is interrupted there, the next opening does it.
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
        events.extend(events::of(&connection, execution, sealer)?);
    }
    let change = Change { request, family: &family, events: &events, all: &all };
    let erased = in_one_transaction(&connection, tail, &change, &mut mark)?;
    scrubbing::scrub(&connection)?;
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
    scrubbing::note(connection).map_err(failure::of("cannot note what is left to do"))?;
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

#[cfg(test)]
mod tests {
    use tutti_journal::Timestamp;

    use super::*;
    use crate::{
        Commit, SqliteStore, Status, Store as _,
        contract::{self, Sample, wait},
    };

    const CANARY: &str = "c4nary of a customer";

    fn files_hold_canary(directory: &Path) -> bool {
        let files = std::fs::read_dir(directory).expect("it can be listed").flatten();
        let mut read = files.map(|file| std::fs::read(file.path()).unwrap_or_default());
        read.any(|bytes| bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()))
    }

    #[test]
    fn an_erasure_that_died_before_the_files_were_written_anew_is_ended_by_the_next_opening() {
        let root = tempfile::tempdir().expect("a temporary directory can be made");
        let mut sample = Sample::new(1);
        let store = SqliteStore::open(root.path()).expect("nobody else uses it");
        for (detail, status) in [(CANARY, Status::Running), ("it ends", Status::Completed)] {
            let turns = vec![sample.turn(detail, status)];
            let definitions = vec![contract::definition("sample")];
            let commit = Commit { definitions, turns, events: vec![], ..Commit::default() };
            wait(store.commit(commit)).expect("it is stored");
        }
        drop(store);
        let (by, reason) = ("ada".to_owned(), "she asked".to_owned());
        let request = EraseRequest {
            execution: sample.execution(),
            at: Timestamp(1_700_000_009_000),
            by,
            reason,
        };
        let directory = Directory::lock(root.path()).expect("nobody else uses it");
        let mut mark = HighWater::open(&directory.high_water()).expect("it can be opened");
        let before = mark.read().expect("it can be read");
        let (connection, tail) = schema::open(&directory, before).expect("it can be opened");
        let all = rows::all_executions(&connection).expect("they can be read");
        let family = ended(&all, request.execution).expect("it has ended");
        let change =
            Change { request: &request, family: &family, events: &BTreeSet::new(), all: &all };
        in_one_transaction(&connection, tail, &change, &mut mark).expect("it is erased");
        drop((connection, mark, directory));
        assert!(files_hold_canary(root.path()), "nothing was left to make up for");

        let store = SqliteStore::open(root.path()).expect("it can be opened");
        assert!(!files_hold_canary(root.path()), "something is left");
        assert_eq!(wait(store.verify()).expect("it is whole").erased, 2);
        drop(store);
        assert_eq!(
            SqliteStore::erase(root.path(), &request, &contract::Plain).expect("it can be"),
            Erased::default()
        );
    }
}
