//! Rows of the journal and of executions as columns, and back.

use rusqlite::{Connection, Row as SqlRow};
use tutti_ids::{Digest, ExecutionId, Sequence};
use tutti_journal::{Row, SaltedValues, Timestamp};

use super::{checksum::Checksum, columns::Columns, failure};
use crate::{Error, Projection, Status, check, check::Head};

/// The first status code of an execution that has ended; the index of open executions depends on it.
const FIRST_ENDED: i64 = 4;

/// A row of `executions`: how it stands and where its journal goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExecutionRow {
    pub(super) execution: ExecutionId,
    pub(super) projection: Projection,
    pub(super) head: Head,
}

/// The columns of `journal` that [`journal_row`] reads.
pub(super) const JOURNAL_COLUMNS: &str = "position, execution, first, count, at, structure, salt, value, values_digest, previous, digest, checksum";

/// The columns of `executions` that [`execution_row`] reads.
pub(super) const EXECUTION_COLUMNS: &str = "execution, namespace, name, version, digest, status, parent, started_at, updated_at, due, next, last, checksum";

/// Writes `row` at `position`.
pub(super) fn insert_journal_row(
    connection: &Connection,
    position: i64,
    row: &Row,
) -> rusqlite::Result<()> {
    let query = "INSERT INTO journal (position, execution, first, count, at, structure, salt, value, values_digest,
                                      previous, digest, checksum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let values = row.values.as_ref();
    connection.prepare_cached(query)?.execute((
        position,
        row.execution.to_bits().to_be_bytes(),
        integer(row.first.0)?,
        row.count,
        row.at.0,
        &row.structure,
        values.map(|values| values.salt),
        values.map(|values| &values.bytes),
        row.values_digest.0,
        row.previous.0,
        row.digest.0,
        journal_checksum(position, row),
    ))?;
    Ok(())
}

/// Reads a row of [`JOURNAL_COLUMNS`]; its checksum holds, its digests are left to the caller.
pub(super) fn journal_row(row: &SqlRow<'_>) -> rusqlite::Result<(i64, Row)> {
    let mut columns = Columns::of(row);
    let position = columns.next()?;
    let read = Row {
        execution: columns.execution()?,
        first: Sequence(columns.unsigned()?),
        count: columns.next()?,
        at: Timestamp(columns.next()?),
        structure: columns.next()?,
        values: match (columns.next()?, columns.next()?) {
            (Some(salt), Some(bytes)) => Some(SaltedValues { salt, bytes }),
            (None::<[u8; 16]>, None::<Vec<u8>>) => None,
            _ => return Err(columns.damaged()),
        },
        values_digest: Digest(columns.next()?),
        previous: Digest(columns.next()?),
        digest: Digest(columns.next()?),
    };
    if columns.next::<[u8; 16]>()? != journal_checksum(position, &read) {
        return Err(columns.damaged());
    }
    Ok((position, read))
}

/// Covers what the digest of a row does not: where it stands, and whether its values were erased.
pub(super) fn journal_checksum(position: i64, row: &Row) -> [u8; 16] {
    Checksum::of("journal")
        .integer(position)
        .integer(i64::from(row.values.is_some()))
        .bytes(&row.digest.0)
        .finish()
}

/// Visits the rows from position `first` to `last`, in order.
pub(super) fn each_between(
    connection: &Connection,
    first: i64,
    last: i64,
    mut visit: impl FnMut(i64, Row) -> Result<(), Error>,
) -> Result<(), Error> {
    let query = format!(
        "SELECT {JOURNAL_COLUMNS} FROM journal WHERE position BETWEEN ?1 AND ?2 ORDER BY position"
    );
    let fail = failure::of("cannot read the journal");
    let mut query = connection.prepare_cached(&query).map_err(&fail)?;
    let found = query.query_map([first, last], journal_row).map_err(&fail)?;
    for row in found {
        let (position, row) = row.map_err(&fail)?;
        visit(position, row)?;
    }
    Ok(())
}

/// Visits the rows of an execution, in order.
pub(super) fn each_of(
    connection: &Connection,
    execution: ExecutionId,
    mut visit: impl FnMut(i64, Row) -> Result<(), Error>,
) -> Result<(), Error> {
    let query =
        format!("SELECT {JOURNAL_COLUMNS} FROM journal WHERE execution = ?1 ORDER BY first");
    let attempt = format!("cannot read the journal of {execution}");
    let fail = failure::of(&attempt);
    let mut query = connection.prepare_cached(&query).map_err(&fail)?;
    let key = execution.to_bits().to_be_bytes();
    for row in query.query_map([key], journal_row).map_err(&fail)? {
        let (position, row) = row.map_err(&fail)?;
        visit(position, row)?;
    }
    Ok(())
}

/// How many rows an execution has.
pub(super) fn number_of(connection: &Connection, execution: ExecutionId) -> Result<u64, Error> {
    let query = "SELECT count(*) FROM journal WHERE execution = ?1";
    let key = execution.to_bits().to_be_bytes();
    let count: i64 = connection
        .prepare_cached(query)
        .and_then(|mut query| query.query_row([key], |row| row.get(0)))
        .map_err(failure::of("cannot count the rows of an execution"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// How every execution stands, by id.
pub(super) fn all_executions(connection: &Connection) -> Result<Vec<ExecutionRow>, Error> {
    let query = format!("SELECT {EXECUTION_COLUMNS} FROM executions ORDER BY execution");
    let fail = failure::of("cannot list the executions");
    let mut query = connection.prepare_cached(&query).map_err(&fail)?;
    let found = query.query_map((), execution_row).map_err(&fail)?;
    found.collect::<Result<_, _>>().map_err(&fail)
}

/// The position of the last row; 0 if there is none.
pub(super) fn last_position(connection: &Connection) -> Result<i64, Error> {
    let query = "SELECT coalesce(max(position), 0) FROM journal";
    connection
        .query_row(query, (), |row| row.get(0))
        .map_err(failure::of("cannot find the end of the journal"))
}

/// Checks that as many executions are open as the commits say.
pub(super) fn check_open(connection: &Connection, expected: i64) -> Result<(), Error> {
    let query = "SELECT count(*) FROM executions INDEXED BY executions_open WHERE status < 4";
    let fail = failure::of("cannot count the open executions");
    let found: i64 = connection
        .prepare_cached(query)
        .and_then(|mut query| query.query_row((), |row| row.get(0)))
        .map_err(fail)?;
    if found == expected {
        return Ok(());
    }
    Err(check::corrupt(format!("{found} executions are listed as open, but {expected} are")))
}

/// Writes how an execution stands.
pub(super) fn upsert_execution(
    connection: &Connection,
    row: &ExecutionRow,
) -> rusqlite::Result<()> {
    let query = "INSERT INTO executions (execution, namespace, name, version, digest, status, parent, started_at,
                                         updated_at, due, next, last, checksum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                 ON CONFLICT (execution) DO UPDATE SET
                     namespace = excluded.namespace, name = excluded.name, version = excluded.version,
                     digest = excluded.digest, status = excluded.status, parent = excluded.parent,
                     started_at = excluded.started_at, updated_at = excluded.updated_at, due = excluded.due,
                     next = excluded.next, last = excluded.last, checksum = excluded.checksum";
    let projection = &row.projection;
    let definition = &projection.definition;
    connection.prepare_cached(query)?.execute((
        row.execution.to_bits().to_be_bytes(),
        definition.namespace.as_str(),
        definition.name.as_str(),
        definition.version.as_str(),
        projection.digest.0,
        status_code(projection.status),
        projection.parent.map(|parent| parent.to_bits().to_be_bytes()),
        projection.started_at.0,
        projection.updated_at.0,
        projection.due.map(|due| due.0),
        integer(row.head.next.0)?,
        row.head.digest.0,
        execution_checksum(row),
    ))?;
    Ok(())
}

/// Reads a row of [`EXECUTION_COLUMNS`]; its checksum holds.
pub(super) fn execution_row(row: &SqlRow<'_>) -> rusqlite::Result<ExecutionRow> {
    let mut columns = Columns::of(row);
    let read = ExecutionRow {
        execution: columns.execution()?,
        projection: Projection {
            definition: columns.definition()?,
            digest: Digest(columns.next()?),
            status: status(columns.next()?).ok_or_else(|| columns.damaged())?,
            parent: columns.optional_execution()?,
            started_at: Timestamp(columns.next()?),
            updated_at: Timestamp(columns.next()?),
            due: columns.next::<Option<i64>>()?.map(Timestamp),
        },
        head: Head { next: Sequence(columns.unsigned()?), digest: Digest(columns.next()?) },
    };
    if columns.next::<[u8; 16]>()? != execution_checksum(&read) {
        return Err(columns.damaged());
    }
    Ok(read)
}

fn execution_checksum(row: &ExecutionRow) -> [u8; 16] {
    let projection = &row.projection;
    let definition = &projection.definition;
    Checksum::of("executions")
        .bytes(&row.execution.to_bits().to_be_bytes())
        .bytes(definition.namespace.as_str().as_bytes())
        .bytes(definition.name.as_str().as_bytes())
        .bytes(definition.version.as_str().as_bytes())
        .bytes(&projection.digest.0)
        .integer(status_code(projection.status))
        .optional(
            projection
                .parent
                .map(|parent| parent.to_bits().to_be_bytes())
                .as_ref()
                .map(|id| &id[..]),
        )
        .integer(projection.started_at.0)
        .integer(projection.updated_at.0)
        .optional(projection.due.map(|due| due.0.to_be_bytes()).as_ref().map(|due| &due[..]))
        .bytes(&row.head.next.0.to_be_bytes())
        .bytes(&row.head.digest.0)
        .finish()
}

/// The code a status is stored as; never changed, and ended statuses are from [`FIRST_ENDED`] on.
pub(super) fn status_code(status: Status) -> i64 {
    match status {
        Status::Pending => 0,
        Status::Running => 1,
        Status::Waiting => 2,
        Status::Suspended => 3,
        Status::Cancelled => FIRST_ENDED,
        Status::Faulted => FIRST_ENDED + 1,
        Status::Completed => FIRST_ENDED + 2,
    }
}

fn status(code: i64) -> Option<Status> {
    Status::ALL.into_iter().find(|known| status_code(*known) == code)
}

pub(super) fn integer(value: u64) -> rusqlite::Result<i64> {
    i64::try_from(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
