//! What is read, each time as of one moment, and checked before it is given out.

use std::{collections::BTreeMap, sync::Arc};

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};
use tutti_ids::{Digest, ExecutionId, Sequence};
use tutti_journal::{Row, Snapshot};

use super::{
    checksum::Checksum,
    columns::Columns,
    commits, failure,
    rows::{self, EXECUTION_COLUMNS, ExecutionRow, JOURNAL_COLUMNS},
    snapshots,
};
use crate::{
    DefinitionText, Error, History, OpenExecution,
    check::{self, Head},
};

/// The whole journal of an execution.
pub(super) fn history(connection: &Connection, id: ExecutionId) -> Result<Option<History>, Error> {
    history_after(connection, id, None)
}

/// The snapshot of an execution and the rows after it, or its whole journal.
pub(super) fn tail(connection: &Connection, id: ExecutionId) -> Result<Option<History>, Error> {
    history_after(connection, id, snapshots::find(connection, id)?)
}

fn history_after(
    connection: &Connection,
    id: ExecutionId,
    snapshot: Option<Snapshot>,
) -> Result<Option<History>, Error> {
    let after = Head::after(snapshot.as_ref());
    let rows = journal(connection, id, after.next)?;
    let Some(stored) = execution(connection, id)? else {
        return match rows.first().map(|_| ()).or(snapshot.map(|_| ())) {
            Some(()) => Err(check::corrupt(format!("{id} has a journal but is not listed"))),
            None => Ok(None),
        };
    };
    verify(after, &rows, &stored)?;
    let blobs = blobs(connection, &rows)?;
    Ok(Some(History { snapshot, rows, blobs, projection: stored.projection }))
}

/// Checks that rows follow each other from `head` up to where the execution is known to stand.
fn verify(mut head: Head, rows: &[Row], stored: &ExecutionRow) -> Result<(), Error> {
    for row in rows {
        row.verify(head.digest, head.next)?;
        head = Head { next: row.next(), digest: row.digest };
    }
    if head == stored.head {
        return Ok(());
    }
    Err(check::corrupt(format!(
        "the journal of {} ends before entry {}, but should end before entry {}",
        stored.execution, head.next, stored.head.next
    )))
}

/// The rows of an execution from entry `first` on. All of them where that is the very first: rows with a number that
/// cannot be are to be found as well.
fn journal(connection: &Connection, id: ExecutionId, first: Sequence) -> Result<Vec<Row>, Error> {
    let query = format!(
        "SELECT {JOURNAL_COLUMNS} FROM journal WHERE execution = ?1 AND first >= ?2 ORDER BY first"
    );
    let first = match first {
        Sequence::FIRST => i64::MIN,
        Sequence(first) => i64::try_from(first).unwrap_or(i64::MAX),
    };
    let attempt = format!("cannot read the journal of {id}");
    let fail = failure::of(&attempt);
    let mut query = connection.prepare_cached(&query).map_err(&fail)?;
    let key = id.to_bits().to_be_bytes();
    let found =
        query.query_map((key, first), |row| Ok(rows::journal_row(row)?.1)).map_err(&fail)?;
    found.collect::<Result<_, _>>().map_err(&fail)
}

/// How an execution stands.
pub(super) fn execution(
    connection: &Connection,
    id: ExecutionId,
) -> Result<Option<ExecutionRow>, Error> {
    let query = format!("SELECT {EXECUTION_COLUMNS} FROM executions WHERE execution = ?1");
    let key = id.to_bits().to_be_bytes();
    connection
        .prepare_cached(&query)
        .and_then(|mut query| query.query_row([key], rows::execution_row).optional())
        .map_err(|error| failure::of(&format!("cannot read how {id} stands"))(error))
}

fn blobs(connection: &Connection, rows: &[Row]) -> Result<BTreeMap<Digest, Arc<[u8]>>, Error> {
    let mut blobs = BTreeMap::new();
    for row in rows {
        for digest in check::blob_digests(row)? {
            if let std::collections::btree_map::Entry::Vacant(e) = blobs.entry(digest) {
                e.insert(blob(connection, digest)?);
            }
        }
    }
    Ok(blobs)
}

/// The bytes of a blob.
pub(super) fn blob(connection: &Connection, digest: Digest) -> Result<Arc<[u8]>, Error> {
    let query = "SELECT bytes FROM blobs WHERE digest = ?1";
    let bytes: Option<Vec<u8>> = connection
        .prepare_cached(query)
        .and_then(|mut query| query.query_row([digest.0], |row| row.get(0)).optional())
        .map_err(failure::of("cannot read a blob"))?;
    let bytes = bytes.ok_or_else(|| check::corrupt(format!("blob {digest} is lost")))?;
    check::blob(digest, &bytes)?;
    Ok(Arc::from(bytes))
}

/// The executions that have not ended, by id. Where a listing begins or ends, their number is checked as well, so that
/// none is missing unnoticed.
pub(super) fn open_executions(
    connection: &Connection,
    after: Option<ExecutionId>,
    limit: usize,
) -> Result<Vec<OpenExecution>, Error> {
    let found = open_page(connection, after, limit)?;
    if after.is_none() || found.len() < limit {
        rows::check_open(connection, commits::totals(connection)?.open)?;
    }
    Ok(found)
}

fn open_page(
    connection: &Connection,
    after: Option<ExecutionId>,
    limit: usize,
) -> Result<Vec<OpenExecution>, Error> {
    let query = format!(
        "SELECT {EXECUTION_COLUMNS} FROM executions INDEXED BY executions_open
         WHERE status < 4 AND execution > ?1 ORDER BY execution LIMIT ?2"
    );
    let fail = failure::of("cannot list the open executions");
    let after = after.map_or(vec![], |after| after.to_bits().to_be_bytes().to_vec());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut query = connection.prepare_cached(&query).map_err(&fail)?;
    let open = |row: &SqlRow<'_>| {
        let row = rows::execution_row(row)?;
        Ok(OpenExecution { execution: row.execution, projection: row.projection })
    };
    let found = query.query_map((after, limit), open).map_err(&fail)?;
    found.collect::<Result<_, _>>().map_err(&fail)
}

/// A definition by its digest. Before one is said to be missing, all are checked: its name may have been altered.
pub(super) fn definition(
    connection: &Connection,
    digest: Digest,
) -> Result<Option<DefinitionText>, Error> {
    let query = "SELECT digest, namespace, name, version, text, checksum FROM definitions WHERE digest = ?1";
    let found = connection
        .prepare_cached(query)
        .and_then(|mut query| query.query_row([digest.0], definition_row).optional())
        .map_err(|error| failure::of(&format!("cannot read definition {digest}"))(error))?;
    let Some(found) = found else {
        let expected = commits::totals(connection)?.definitions;
        let mut present = 0;
        each_definition(connection, |found| {
            let found = found.map_err(failure::of("cannot read the definitions"))?;
            check::definition(&found)?;
            present += i64::from(found.digest != digest);
            Ok(())
        })?;
        return if present == expected { Ok(None) } else { Err(definitions_lost()) };
    };
    check::definition(&found)?;
    Ok(Some(found))
}

/// The error where there are fewer or more definitions than the commits say.
fn definitions_lost() -> Error {
    check::corrupt("definitions were lost")
}

/// Visits every definition, each read or not.
pub(super) fn each_definition(
    connection: &Connection,
    mut visit: impl FnMut(rusqlite::Result<DefinitionText>) -> Result<(), Error>,
) -> Result<(), Error> {
    let query =
        "SELECT digest, namespace, name, version, text, checksum FROM definitions NOT INDEXED";
    let fail = failure::of("cannot read the definitions");
    let mut query = connection.prepare_cached(query).map_err(&fail)?;
    let mut found = query.query(()).map_err(&fail)?;
    while let Some(row) = found.next().map_err(&fail)? {
        visit(definition_row(row))?;
    }
    Ok(())
}

fn definition_row(row: &SqlRow<'_>) -> rusqlite::Result<DefinitionText> {
    let mut columns = Columns::of(row);
    let digest = Digest(columns.next()?);
    let read = DefinitionText { name: columns.definition()?, digest, text: columns.next()? };
    if columns.next::<[u8; 16]>()? != definition_checksum(&read) {
        return Err(columns.damaged());
    }
    Ok(read)
}

/// Covers the name; the text is covered by its digest.
pub(super) fn definition_checksum(definition: &DefinitionText) -> [u8; 16] {
    Checksum::of("definitions")
        .bytes(&definition.digest.0)
        .bytes(definition.name.namespace.as_str().as_bytes())
        .bytes(definition.name.name.as_str().as_bytes())
        .bytes(definition.name.version.as_str().as_bytes())
        .finish()
}
