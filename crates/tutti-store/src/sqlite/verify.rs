//! Checking everything that is stored.

use std::collections::BTreeSet;

use rusqlite::Connection;
use tutti_ids::{Digest, ExecutionId};

use super::{
    commits::{self, Tail, Totals},
    failure, read,
    rows::{self, EXECUTION_COLUMNS},
    schema, snapshots,
};
use crate::{Error, History, check};

/// What was checked and found whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// Executions, each with its whole journal.
    pub executions: u64,
    /// Rows of all journals.
    pub rows: u64,
    /// Rows whose values were erased lawfully.
    pub erased: u64,
    /// Commits.
    pub commits: u64,
    /// Blobs.
    pub blobs: u64,
    /// Definitions.
    pub definitions: u64,
    /// Snapshots.
    pub snapshots: u64,
}

/// Checks all tables and how they hang together.
pub(super) fn everything(connection: &Connection) -> Result<VerifyReport, Error> {
    let mut report = VerifyReport::default();
    integrity(connection)?;
    schema::check_meta(connection)?;
    let totals = commit_chain(connection, &mut report)?;
    executions(connection, &mut report)?;
    read::each_definition(connection, |_| {
        report.definitions += 1;
        Ok(())
    })?;
    blobs(connection, &mut report)?;
    compare(connection, &report, totals)?;
    Ok(report)
}

/// Asks SQLite about its own structure.
fn integrity(connection: &Connection) -> Result<(), Error> {
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))
        .map_err(failure::of("cannot check the database"))?;
    if found == "ok" { Ok(()) } else { Err(check::corrupt(format!("SQLite reports: {found}"))) }
}

fn commit_chain(connection: &Connection, report: &mut VerifyReport) -> Result<Totals, Error> {
    let mut tail = Tail::START;
    commits::each_from(connection, 1, |row| {
        let (first, last) = row.positions();
        let mut digests = Vec::new();
        rows::each_between(connection, first, last, |_, row| {
            report.erased += u64::from(row.values.is_none());
            digests.push(row.digest);
            Ok(())
        })?;
        tail = tail.follow(&row, &digests)?;
        report.commits += 1;
        Ok(())
    })?;
    Ok(tail.totals)
}

fn executions(connection: &Connection, report: &mut VerifyReport) -> Result<(), Error> {
    let mut after: Option<ExecutionId> = None;
    while let Some(id) = next_execution(connection, after)? {
        let history = read::history(connection, id)?;
        let history = history.ok_or_else(|| check::corrupt(format!("{id} is lost")))?;
        report.executions += 1;
        report.rows += history.rows.len() as u64;
        report.snapshots += u64::from(snapshot(connection, id, &history)?);
        after = Some(id);
    }
    if snapshots::count(connection)? != report.snapshots {
        return Err(check::corrupt("there are snapshots of executions that are not listed"));
    }
    Ok(())
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

fn next_execution(
    connection: &Connection,
    after: Option<ExecutionId>,
) -> Result<Option<ExecutionId>, Error> {
    let query = format!(
        "SELECT {EXECUTION_COLUMNS} FROM executions WHERE execution > ?1 ORDER BY execution LIMIT 1"
    );
    let after = after.map_or(vec![], |after| after.to_bits().to_be_bytes().to_vec());
    let fail = failure::of("cannot list the executions");
    let mut query = connection.prepare_cached(&query).map_err(&fail)?;
    let mut found = query.query_map([after], rows::execution_row).map_err(&fail)?;
    Ok(found.next().transpose().map_err(&fail)?.map(|row| row.execution))
}

fn blobs(connection: &Connection, report: &mut VerifyReport) -> Result<(), Error> {
    let fail = failure::of("cannot read the blobs");
    let mut query =
        connection.prepare("SELECT digest, bytes FROM blobs NOT INDEXED").map_err(&fail)?;
    let blob = |row: &rusqlite::Row<'_>| Ok((Digest(row.get(0)?), row.get::<_, Vec<u8>>(1)?));
    for blob in query.query_map((), blob).map_err(&fail)? {
        let (digest, bytes) = blob.map_err(&fail)?;
        check::blob(digest, &bytes)?;
        report.blobs += 1;
    }
    Ok(())
}

/// Compares what was found with what the commits say there is, and the references to blobs with the rows they are of.
fn compare(connection: &Connection, report: &VerifyReport, totals: Totals) -> Result<(), Error> {
    rows::check_open(connection, totals.open)?;
    let found = [report.rows, report.executions, report.definitions];
    if found.map(i64::try_from) != [Ok(totals.rows), Ok(totals.executions), Ok(totals.definitions)]
    {
        return Err(check::corrupt("there are fewer or more rows than the commits say"));
    }
    rows::each_between(connection, 1, totals.rows, |position, row| {
        let referred: BTreeSet<Digest> = check::blob_digests(&row)?.into_iter().collect();
        if referred == references(connection, position)? {
            return Ok(());
        }
        Err(check::corrupt(format!("references to the blobs of {} were altered", row.execution)))
    })
}

fn references(connection: &Connection, position: i64) -> Result<BTreeSet<Digest>, Error> {
    let fail = failure::of("cannot read the references to blobs");
    let query = "SELECT digest FROM blob_references WHERE position = ?1";
    let mut query = connection.prepare_cached(query).map_err(&fail)?;
    let found = query.query_map([position], |row| row.get(0).map(Digest)).map_err(&fail)?;
    found.collect::<Result<_, _>>().map_err(&fail)
}
