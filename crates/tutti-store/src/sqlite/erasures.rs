//! The rows that say what was erased.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};
use tutti_ids::{Digest, ExecutionId};
use tutti_journal::Timestamp;

use super::{audits, columns::Columns, failure, rows};
use crate::{
    Erasure, Error, check,
    commit_chain::{self, CommitRow},
};

const COLUMNS: &str = "execution, number, at, by, reason, rows, digest";

/// Adds a row.
pub(super) fn insert(connection: &Connection, erasure: &Erasure) -> rusqlite::Result<()> {
    let query = "INSERT INTO erasures (execution, number, at, by, reason, rows, digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached(query)?.execute((
        erasure.execution.to_bits().to_be_bytes(),
        erasure.commit,
        erasure.at.0,
        &erasure.by,
        &erasure.reason,
        rows::integer(erasure.rows)?,
        erasure.digest().0,
    ))?;
    Ok(())
}

/// Whether the values of an execution were erased.
pub(super) fn is_erased(connection: &Connection, execution: ExecutionId) -> Result<bool, Error> {
    let query = "SELECT 1 FROM erasures WHERE execution = ?1";
    let key = execution.to_bits().to_be_bytes();
    let found: Option<i64> = connection
        .prepare_cached(query)
        .and_then(|mut query| query.query_row([key], |row| row.get(0)).optional())
        .map_err(failure::of("cannot read what was erased"))?;
    Ok(found.is_some())
}

/// All erasures, by execution.
pub(super) fn all(connection: &Connection) -> Result<Vec<Erasure>, Error> {
    select(connection, &format!("SELECT {COLUMNS} FROM erasures ORDER BY execution"), ())
}

fn select(
    connection: &Connection,
    query: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Erasure>, Error> {
    let fail = failure::of("cannot read what was erased");
    let mut query = connection.prepare_cached(query).map_err(&fail)?;
    let found = query.query_map(parameters, parse).map_err(&fail)?;
    found.collect::<Result<_, _>>().map_err(&fail)
}

fn parse(row: &SqlRow<'_>) -> rusqlite::Result<Erasure> {
    let mut columns = Columns::of(row);
    let erasure = Erasure {
        execution: columns.execution()?,
        commit: columns.next()?,
        at: Timestamp(columns.next()?),
        by: columns.next()?,
        reason: columns.next()?,
        rows: columns.unsigned()?,
    };
    if Digest(columns.next()?) != erasure.digest() {
        return Err(columns.damaged());
    }
    Ok(erasure)
}

/// What the digest of a commit is made of: the digests of its rows, then those of its erasures, then those of its audit facts.
pub(super) fn digests_of(connection: &Connection, row: &CommitRow) -> Result<Vec<Digest>, Error> {
    let (first, end) = row.positions();
    let mut digests = Vec::new();
    rows::each_between(connection, first, end, |_, row| {
        digests.push(row.digest);
        Ok(())
    })?;
    // Only these can have any; so a store that is too old for a table needs none.
    let is_complete = |digests: &[Digest]| row.digest == commit_chain::digest_of(digests);
    if row.count == 0 && !is_complete(&digests) {
        let query = format!("SELECT {COLUMNS} FROM erasures WHERE number = ?1 ORDER BY execution");
        digests.extend(select(connection, &query, [row.number])?.iter().map(Erasure::digest));
    }
    if !is_complete(&digests) && audits::are_kept(connection)? {
        digests.extend(audits::digests_of(connection, row.number)?);
    }
    Ok(digests)
}

/// Checks that values are missing where an erasure says so and nowhere else, and that commits have the erasures.
pub(super) fn check(connection: &Connection) -> Result<(), Error> {
    let fail = failure::of("cannot count the erased rows");
    let query = "SELECT execution, count(*) FROM journal WHERE value IS NULL GROUP BY execution";
    let mut query = connection.prepare(query).map_err(&fail)?;
    let count = |row: &SqlRow<'_>| {
        let mut columns = Columns::of(row);
        Ok((columns.execution()?, columns.unsigned()?))
    };
    let found = query.query_map((), count).map_err(&fail)?;
    let mut found: BTreeMap<ExecutionId, u64> = found.collect::<Result<_, _>>().map_err(&fail)?;
    for erasure in all(connection)? {
        let has = found.remove(&erasure.execution);
        if has != Some(erasure.rows) || !erases(connection, erasure.commit)? {
            return Err(check::corrupt(format!(
                "what was erased of {} is not what the erasure says",
                erasure.execution
            )));
        }
    }
    match found.first_key_value() {
        None => Ok(()),
        Some((execution, _)) => Err(check::corrupt(format!(
            "values of {execution} are missing, but no erasure says so"
        ))),
    }
}

/// Whether commit `number` only erased.
fn erases(connection: &Connection, number: i64) -> Result<bool, Error> {
    let query = "SELECT count(*) FROM commits WHERE number = ?1 AND count = 0";
    let found: i64 = connection
        .prepare_cached(query)
        .and_then(|mut query| query.query_row([number], |row| row.get(0)))
        .map_err(failure::of("cannot read the row of a commit"))?;
    Ok(found == 1)
}
