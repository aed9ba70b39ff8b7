//! The audit trail: one row a fact, numbered without gaps; its digest is part of its commit's.

use rusqlite::{Connection, Row as SqlRow};
use tutti_ids::Digest;

use super::{columns::Columns, failure, rows};
use crate::{AuditFact, Error, StoredAudit, check};

const COLUMNS: &str = "number, commit_number, execution, bytes, digest";

/// Adds a fact at the end, as part of commit `commit`; gives its digest.
pub(super) fn append(
    connection: &Connection,
    commit: i64,
    fact: &AuditFact,
) -> Result<Digest, Error> {
    let query = "INSERT INTO audit (number, commit_number, execution, bytes, digest)
                 VALUES ((SELECT coalesce(max(number), 0) + 1 FROM audit), ?1, ?2, ?3, ?4)";
    let digest = fact.digest();
    let execution = fact.execution.map(|execution| execution.to_bits().to_be_bytes());
    connection
        .prepare_cached(query)
        .and_then(|mut query| query.execute((commit, execution, &fact.bytes, digest.0)))
        .map_err(failure::of("cannot write into the audit trail"))?;
    Ok(digest)
}

/// Whether the store is new enough for an audit trail.
pub(super) fn are_kept(connection: &Connection) -> Result<bool, Error> {
    let query = "SELECT count(*) FROM sqlite_schema WHERE name = 'audit'";
    let fail = failure::of("cannot read which tables there are");
    let found: i64 = connection.query_row(query, (), |row| row.get(0)).map_err(fail)?;
    Ok(found > 0)
}

/// The facts after a number, in order; a gap among them is damage.
pub(super) fn after(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> Result<Vec<StoredAudit>, Error> {
    let mut found = Vec::new();
    if limit > 0 {
        each_after(connection, after, |fact| {
            found.push(fact);
            found.len() < limit
        })?;
    }
    Ok(found)
}

/// The digests of the facts of a commit, in order.
pub(super) fn digests_of(connection: &Connection, commit: i64) -> Result<Vec<Digest>, Error> {
    let query = format!("SELECT {COLUMNS} FROM audit WHERE commit_number = ?1 ORDER BY number");
    let fail = failure::of("cannot read the audit trail");
    let mut query = connection.prepare_cached(&query).map_err(&fail)?;
    let found = query.query_map([commit], parse).map_err(&fail)?;
    found.map(|fact| fact.map(|fact| fact.fact.digest()).map_err(&fail)).collect()
}

/// Visits the facts after a number, verified, until `visit` has had enough.
pub(super) fn each_after(
    connection: &Connection,
    after: u64,
    mut visit: impl FnMut(StoredAudit) -> bool,
) -> Result<(), Error> {
    let query = format!("SELECT {COLUMNS} FROM audit WHERE number > ?1 ORDER BY number");
    let fail = failure::of("cannot read the audit trail");
    let mut query = connection.prepare_cached(&query).map_err(&fail)?;
    let from = rows::integer(after).map_err(&fail)?;
    let mut before = after;
    for fact in query.query_map([from], parse).map_err(&fail)? {
        let fact = fact.map_err(&fail)?;
        before += 1;
        if fact.number != before {
            return Err(check::corrupt(format!("fact {before} of the audit trail is lost")));
        }
        if !visit(fact) {
            break;
        }
    }
    Ok(())
}

/// Checks that every fact is whole and that none is missing between two others; the commits say that none is missing at
/// the end. Says how many there are.
pub(super) fn verify(connection: &Connection) -> Result<u64, Error> {
    let mut count = 0;
    each_after(connection, 0, |_verified| {
        count += 1;
        true
    })?;
    Ok(count)
}

fn parse(row: &SqlRow<'_>) -> rusqlite::Result<StoredAudit> {
    let mut columns = Columns::of(row);
    let (number, commit) = (columns.unsigned()?, columns.next()?);
    let fact = AuditFact { execution: columns.optional_execution()?, bytes: columns.next()? };
    if Digest(columns.next()?) != fact.digest() {
        return Err(columns.damaged());
    }
    Ok(StoredAudit { number, commit, fact })
}
