//! Checking everything that is stored. What does not hold is taken down, and the check goes on with the rest.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row as SqlRow};
use tutti_ids::{Digest, ExecutionId};

use super::{
    audits,
    commits::{self, Tail},
    erasures, events, failure,
    high_water::Mark,
    read, records,
    report::{Place, Report},
    rows, schema, snapshots,
};
use crate::{Error, History, check};

/// How many findings SQLite is asked for.
const FINDINGS: usize = 100;

/// Checks all tables and how they hang together; with `mark`, also that the database reaches it.
///
/// # Errors
/// Only if the store cannot be read for another reason than damage.
pub(super) fn everything(connection: &Connection, mark: Option<Mark>) -> Result<Report, Error> {
    let mut report = Report::default();
    integrity(connection, &mut report)?;
    let format = report.note(Place::Meta, None, schema::check_shape(connection))?;
    let format = format.unwrap_or(schema::WITH_RECORDS);
    report.note(Place::HighWater, None, commits::check_tail(connection, mark))?;
    let tail = commit_chain(connection, &mut report)?;
    let listed = executions(connection, &mut report, format >= schema::WITH_SNAPSHOTS)?;
    let definitions = definitions(connection, &mut report)?;
    blobs(connection, &mut report)?;
    if format >= schema::WITH_ERASURES {
        report.note(Place::Journal, None, erasures::check(connection))?;
    }
    if format >= schema::WITH_EVENTS {
        let found = report.note(Place::Events, None, events::verify(connection))?;
        report.counts.events = found.unwrap_or(0);
    }
    if format >= schema::WITH_RECORDS {
        let found = report.note(Place::Records, None, records::verify(connection))?;
        report.counts.records = found.unwrap_or(0);
        let found = report.note(Place::Audit, None, audits::verify(connection))?;
        report.counts.audit = found.unwrap_or(0);
    }
    if let Some(Tail { totals, .. }) = tail {
        report.note(Place::Executions, None, rows::check_open(connection, totals.open))?;
        let count = |place, found: i64, expected: i64| {
            if found == expected {
                return Ok(());
            }
            Err(check::corrupt(format!(
                "there are {found} {place}, but the commits say {expected}"
            )))
        };
        let found = count(Place::Executions, listed, totals.executions);
        report.note(Place::Executions, None, found)?;
        let found = count(Place::Definitions, definitions, totals.definitions);
        report.note(Place::Definitions, None, found)?;
    }
    Ok(report)
}

/// Asks SQLite about its own structure.
fn integrity(connection: &Connection, report: &mut Report) -> Result<(), Error> {
    let fail = failure::of("cannot check the database");
    let ask = || -> rusqlite::Result<Vec<String>> {
        let mut query = connection.prepare(&format!("PRAGMA integrity_check({FINDINGS})"))?;
        query.query_map((), |row| row.get(0))?.collect()
    };
    for found in report.note(Place::Database, None, ask().map_err(fail))?.unwrap_or_default() {
        if found != "ok" {
            let found = check::corrupt(format!("SQLite reports: {found}"));
            report.note::<()>(Place::Database, None, Err(found))?;
        }
    }
    Ok(())
}

/// Follows the chain of commits to its end, or to where it breaks, and looks at each row on the way.
fn commit_chain(connection: &Connection, report: &mut Report) -> Result<Option<Tail>, Error> {
    let mut tail = Tail::START;
    let mut erased = 0;
    let followed = commits::each_from(connection, 1, |row| {
        let (first, last) = row.positions();
        rows::each_between(connection, first, last, |_, row| {
            erased += u64::from(row.values.is_none());
            Ok(())
        })?;
        let digests = erasures::digests_of(connection, &row)?;
        tail = tail.follow(&row, &digests)?;
        report.counts.commits += 1;
        Ok(())
    });
    report.counts.erased = erased;
    let whole = report.note(Place::Commits, None, followed)?;
    references(connection, report)?;
    Ok(whole.map(|()| tail))
}

/// Compares the references to blobs with the rows they are of, and takes down each row that does not hold by itself.
fn references(connection: &Connection, report: &mut Report) -> Result<(), Error> {
    let query = format!("SELECT {} FROM journal ORDER BY position", rows::JOURNAL_COLUMNS);
    let fail = failure::of("cannot read the journal");
    let mut walk = || -> Result<(), Error> {
        let mut query = connection.prepare(&query).map_err(&fail)?;
        let mut found = query.query(()).map_err(&fail)?;
        while let Some(row) = found.next().map_err(&fail)? {
            let position: i64 = row.get(0).map_err(&fail)?;
            let execution = row.get(1).ok().map(u128::from_be_bytes).map(ExecutionId::from_bits);
            let held = row_holds(connection, position, row);
            report.note(Place::Journal, execution, held)?;
        }
        Ok(())
    };
    let walked = walk();
    report.note(Place::Journal, None, walked)?;
    Ok(())
}

fn row_holds(connection: &Connection, position: i64, row: &SqlRow<'_>) -> Result<(), Error> {
    let attempt = format!("row {position} of the journal was altered");
    let (_, row) = rows::journal_row(row).map_err(failure::of(&attempt))?;
    row.verify(row.previous, row.first)?;
    let referred: BTreeSet<Digest> = check::blob_digests(&row)?.into_iter().collect();
    if referred == references_of(connection, position)? {
        return Ok(());
    }
    Err(check::corrupt(format!("references to the blobs of {} were altered", row.execution)))
}

fn references_of(connection: &Connection, position: i64) -> Result<BTreeSet<Digest>, Error> {
    let fail = failure::of("cannot read the references to blobs");
    let query = "SELECT digest FROM blob_references WHERE position = ?1";
    let mut query = connection.prepare_cached(query).map_err(&fail)?;
    let found = query.query_map([position], |row| row.get(0).map(Digest)).map_err(&fail)?;
    found.collect::<Result<_, _>>().map_err(&fail)
}

/// Reads every execution that is listed or has a journal; gives the number of those listed.
fn executions(
    connection: &Connection,
    report: &mut Report,
    with_snapshots: bool,
) -> Result<i64, Error> {
    let listed = ids(connection, "SELECT execution FROM executions");
    let listed = report.note(Place::Executions, None, listed)?.unwrap_or_default();
    let written = ids(connection, "SELECT DISTINCT execution FROM journal");
    let written = report.note(Place::Journal, None, written)?.unwrap_or_default();
    for id in listed.union(&written) {
        let history = read::history(connection, *id).and_then(|history| {
            history.ok_or_else(|| check::corrupt(format!("{id} is listed but cannot be found")))
        });
        if let Some(history) = report.note(Place::Executions, Some(*id), history)? {
            report.counts.executions += 1;
            report.counts.rows += history.rows.len() as u64;
            let entries: u64 = history.rows.iter().map(|row| u64::from(row.count)).sum();
            report.counts.entries += entries;
            if with_snapshots {
                let found = report.note(
                    Place::Snapshots,
                    Some(*id),
                    snapshot(connection, *id, &history),
                )?;
                report.counts.snapshots += u64::from(found.unwrap_or(false));
            }
        }
    }
    if with_snapshots && report.is_whole() {
        let found = snapshots::count(connection).and_then(|count| {
            if count == report.counts.snapshots {
                return Ok(());
            }
            Err(check::corrupt("there are snapshots of executions that are not listed"))
        });
        report.note(Place::Snapshots, None, found)?;
    }
    Ok(i64::try_from(listed.len()).unwrap_or(i64::MAX))
}

/// Whether an execution has a snapshot, which must be of a place in its journal.
fn snapshot(connection: &Connection, id: ExecutionId, history: &History) -> Result<bool, Error> {
    let Some(snapshot) = snapshots::find(connection, id)? else { return Ok(false) };
    let place = snapshot.place;
    if history.rows.iter().any(|row| row.next() == place.next && row.digest == place.head) {
        return Ok(true);
    }
    Err(check::corrupt(format!("the snapshot of {id} is of another journal")))
}

fn ids(connection: &Connection, query: &str) -> Result<BTreeSet<ExecutionId>, Error> {
    let fail = failure::of("cannot list the executions");
    let mut query = connection.prepare(query).map_err(&fail)?;
    let id = |row: &SqlRow<'_>| {
        row.get(0).map(|bytes| ExecutionId::from_bits(u128::from_be_bytes(bytes)))
    };
    query.query_map((), id).map_err(&fail)?.collect::<Result<_, _>>().map_err(&fail)
}

/// Gives the number of definitions there are, damaged or not.
fn definitions(connection: &Connection, report: &mut Report) -> Result<i64, Error> {
    let mut count = 0;
    let read = read::each_definition(connection, |found| {
        count += 1;
        if report.note(Place::Definitions, None, check_definition(found))?.is_some() {
            report.counts.definitions += 1;
        }
        Ok(())
    });
    report.note(Place::Definitions, None, read)?;
    Ok(count)
}

fn check_definition(found: rusqlite::Result<crate::DefinitionText>) -> Result<(), Error> {
    check::definition(&found.map_err(failure::of("a definition was altered"))?)
}

fn blobs(connection: &Connection, report: &mut Report) -> Result<(), Error> {
    let fail = failure::of("cannot read the blobs");
    let mut walk = || -> Result<(), Error> {
        let mut query =
            connection.prepare("SELECT digest, bytes FROM blobs NOT INDEXED").map_err(&fail)?;
        let mut found = query.query(()).map_err(&fail)?;
        while let Some(row) = found.next().map_err(&fail)? {
            if report.note(Place::Blobs, None, blob_holds(row))?.is_some() {
                report.counts.blobs += 1;
            }
        }
        Ok(())
    };
    let walked = walk();
    report.note(Place::Blobs, None, walked)?;
    Ok(())
}

fn blob_holds(row: &SqlRow<'_>) -> Result<(), Error> {
    let fail = failure::of("a blob was altered");
    let digest = Digest(row.get(0).map_err(&fail)?);
    check::blob(digest, &row.get::<_, Vec<u8>>(1).map_err(&fail)?)
}
