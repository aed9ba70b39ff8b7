//! Snapshots: at most one an execution, replaced by the next, dropped when the execution ends.

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};
use tutti_ids::{Digest, ExecutionId, Sequence};
use tutti_journal::{SaltedValues, Snapshot, SnapshotPlace};

use super::{columns::Columns, failure, rows};
use crate::{Error, StoredTurn};

const COLUMNS: &str = "execution, next, head, fingerprint, structure, salt, value, digest";

/// Keeps the snapshot that comes with a turn, or drops the one there is if the turn is the last.
pub(super) fn write(connection: &Connection, turn: &StoredTurn) -> rusqlite::Result<()> {
    if turn.projection.status.is_terminal() {
        let query = "DELETE FROM snapshots WHERE execution = ?1";
        connection.prepare_cached(query)?.execute([turn.row.execution.to_bits().to_be_bytes()])?;
    } else if let Some(snapshot) = &turn.snapshot {
        upsert(connection, snapshot)?;
    }
    Ok(())
}

fn upsert(connection: &Connection, snapshot: &Snapshot) -> rusqlite::Result<()> {
    let query =
        "INSERT INTO snapshots (execution, next, head, fingerprint, structure, salt, value, digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (execution) DO UPDATE SET
                     next = excluded.next, head = excluded.head, fingerprint = excluded.fingerprint,
                     structure = excluded.structure, salt = excluded.salt, value = excluded.value,
                     digest = excluded.digest";
    connection.prepare_cached(query)?.execute((
        snapshot.place.execution.to_bits().to_be_bytes(),
        rows::integer(snapshot.place.next.0)?,
        snapshot.place.head.0,
        &snapshot.fingerprint,
        &snapshot.structure,
        snapshot.values.salt,
        &snapshot.values.bytes,
        snapshot.digest.0,
    ))?;
    Ok(())
}

/// The snapshot of an execution, if it has one; its digest holds.
pub(super) fn find(connection: &Connection, id: ExecutionId) -> Result<Option<Snapshot>, Error> {
    let query = format!("SELECT {COLUMNS} FROM snapshots WHERE execution = ?1");
    let key = id.to_bits().to_be_bytes();
    let found = connection
        .prepare_cached(&query)
        .and_then(|mut query| query.query_row([key], parse).optional())
        .map_err(|error| failure::of(&format!("cannot read the snapshot of {id}"))(error))?;
    found.map(|snapshot| snapshot.verify().map(|()| snapshot)).transpose().map_err(Error::from)
}

/// How many snapshots there are.
pub(super) fn count(connection: &Connection) -> Result<u64, Error> {
    let query = "SELECT count(*) FROM snapshots NOT INDEXED";
    let count: i64 = connection
        .query_row(query, (), |row| row.get(0))
        .map_err(failure::of("cannot count the snapshots"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn parse(row: &SqlRow<'_>) -> rusqlite::Result<Snapshot> {
    let mut columns = Columns::of(row);
    let execution = columns.execution()?;
    let next = Sequence(columns.unsigned()?);
    let place = SnapshotPlace { execution, next, head: Digest(columns.next()?) };
    Ok(Snapshot {
        place,
        fingerprint: columns.next()?,
        structure: columns.next()?,
        values: SaltedValues { salt: columns.next()?, bytes: columns.next()? },
        digest: Digest(columns.next()?),
    })
}
