//! Records: bytes under a kind, a namespace and a key.

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};

use super::{checksum::Checksum, columns::Columns, failure};
use crate::{Error, Record, RecordChange, RecordId, RecordRange, check};

/// Makes a change, if the record holds what the change expects.
pub(super) fn change(connection: &Connection, change: &RecordChange) -> Result<(), Error> {
    let found = find(connection, &change.id)?;
    if !change.expected.is_met_by(found.as_deref()) {
        return Err(Error::Stale { record: Box::new(change.id.clone()) });
    }
    let written = match &change.value {
        Some(value) => upsert(connection, &change.id, value),
        None => delete(connection, &change.id),
    };
    written.map_err(failure::of("cannot write a record"))
}

fn upsert(connection: &Connection, id: &RecordId, value: &[u8]) -> rusqlite::Result<()> {
    let query = "INSERT INTO records (kind, namespace, key, value, checksum)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (kind, namespace, key) DO UPDATE SET
                     value = excluded.value, checksum = excluded.checksum";
    let columns = (id.kind.code(), namespace(id), &id.key, value, checksum(id, value));
    connection.prepare_cached(query)?.execute(columns).map(|_| ())
}

fn delete(connection: &Connection, id: &RecordId) -> rusqlite::Result<()> {
    let query = "DELETE FROM records WHERE kind = ?1 AND namespace = ?2 AND key = ?3";
    let columns = (id.kind.code(), namespace(id), &id.key);
    connection.prepare_cached(query)?.execute(columns).map(|_| ())
}

/// What a record holds.
pub(super) fn find(connection: &Connection, id: &RecordId) -> Result<Option<Vec<u8>>, Error> {
    let query =
        "SELECT value, checksum FROM records WHERE kind = ?1 AND namespace = ?2 AND key = ?3";
    let columns = (id.kind.code(), namespace(id), &id.key);
    let found: Option<(Vec<u8>, [u8; 16])> = connection
        .prepare_cached(query)
        .and_then(|mut query| {
            query.query_row(columns, |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .map_err(failure::of("cannot read a record"))?;
    match found {
        Some((value, sum)) if sum == checksum(id, &value) => Ok(Some(value)),
        Some(_) => Err(altered(id)),
        None => Ok(None),
    }
}

/// A page of the records of a kind, by namespace and key.
pub(super) fn page(connection: &Connection, range: &RecordRange) -> Result<Vec<Record>, Error> {
    let query = "SELECT namespace, key, value, checksum FROM records
                 WHERE kind = ?1 AND (namespace, key) > (?2, ?3) AND (?4 IS NULL OR namespace = ?4)
                 ORDER BY namespace, key LIMIT ?5";
    let only = range.namespace.as_ref().map(tutti_ids::Name::as_str);
    // No key is empty, so this stands before all of them.
    let (after_namespace, after_key) = match &range.after {
        Some(after) => (namespace(after), after.key.as_str()),
        None => (only.unwrap_or(""), ""),
    };
    let limit = i64::try_from(range.limit).unwrap_or(i64::MAX);
    let fail = failure::of("cannot list the records");
    let mut query = connection.prepare_cached(query).map_err(&fail)?;
    let columns = (range.kind.code(), after_namespace, after_key, only, limit);
    let found = query.query_map(columns, |row| parse(row, range)).map_err(&fail)?;
    found.collect::<Result<_, _>>().map_err(&fail)
}

fn parse(row: &SqlRow<'_>, range: &RecordRange) -> rusqlite::Result<Record> {
    let mut columns = Columns::of(row);
    let namespace: String = columns.next()?;
    let namespace = match namespace.as_str() {
        "" => None,
        name => Some(name.parse().map_err(|_malformed| columns.damaged())?),
    };
    let id = RecordId { kind: range.kind, namespace, key: columns.next()? };
    let value: Vec<u8> = columns.next()?;
    if columns.next::<[u8; 16]>()? != checksum(&id, &value) {
        return Err(columns.damaged());
    }
    Ok(Record { id, value })
}

/// Checks every record; says how many there are.
pub(super) fn verify(connection: &Connection) -> Result<u64, Error> {
    let query = "SELECT kind, namespace, key, value, checksum FROM records";
    let fail = failure::of("cannot read the records");
    let mut query = connection.prepare(query).map_err(&fail)?;
    let mut found = query.query(()).map_err(&fail)?;
    let mut count = 0;
    while let Some(row) = found.next().map_err(&fail)? {
        let mut columns = Columns::of(row);
        let mut read = || -> rusqlite::Result<bool> {
            let (kind, namespace, key): (_, String, String) =
                (columns.next()?, columns.next()?, columns.next()?);
            let value: Vec<u8> = columns.next()?;
            Ok(columns.next::<[u8; 16]>()? == sum(kind, &namespace, &key, &value))
        };
        if !read().map_err(&fail)? {
            return Err(check::corrupt("a record was altered"));
        }
        count += 1;
    }
    Ok(count)
}

fn namespace(id: &RecordId) -> &str {
    id.namespace.as_ref().map_or("", |namespace| namespace.as_str())
}

fn altered(id: &RecordId) -> Error {
    check::corrupt(format!("the {:?} record `{}` was altered", id.kind, id.key))
}

fn checksum(id: &RecordId, value: &[u8]) -> [u8; 16] {
    sum(id.kind.code(), namespace(id), &id.key, value)
}

fn sum(kind: i64, namespace: &str, key: &str, value: &[u8]) -> [u8; 16] {
    Checksum::of("records")
        .integer(kind)
        .bytes(namespace.as_bytes())
        .bytes(key.as_bytes())
        .bytes(value)
        .finish()
}
