//! The rows of the chain of commits.

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};
use tutti_ids::Digest;

use super::{columns::Columns, erasures, failure, high_water::Mark, rows};
use crate::{
    Error, check,
    commit_chain::{CommitRow, altered},
};

pub(super) use crate::commit_chain::{Tail, Totals};

/// How many commits before the last one opening checks as well.
const TAIL: i64 = 16;

/// The mark that says that the last commit of `tail` was acknowledged.
pub(super) fn mark(tail: &Tail) -> Mark {
    Mark { number: tail.number, head: tail.head }
}

/// Adds a commit row.
pub(super) fn insert(connection: &Connection, row: &CommitRow) -> Result<(), Error> {
    let query =
        "INSERT INTO commits (number, first, count, executions, open, definitions, digest, head)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let totals = &row.totals;
    let values = (
        row.number,
        row.first,
        row.count,
        totals.executions,
        totals.open,
        totals.definitions,
        row.digest.0,
        row.head.0,
    );
    let fail = failure::of("cannot write the row of a commit");
    connection.prepare_cached(query).and_then(|mut query| query.execute(values)).map_err(fail)?;
    Ok(())
}

/// The commit rows from `number` on, in order.
pub(super) fn each_from(
    connection: &Connection,
    number: i64,
    mut visit: impl FnMut(CommitRow) -> Result<(), Error>,
) -> Result<(), Error> {
    let query = "SELECT number, first, count, executions, open, definitions, digest, head
                 FROM commits WHERE number >= ?1 ORDER BY number";
    let fail = failure::of("cannot read the rows of commits");
    let mut query = connection.prepare_cached(query).map_err(&fail)?;
    let found = query.query_map([number], parse).map_err(&fail)?;
    for row in found {
        visit(row.map_err(&fail)?)?;
    }
    Ok(())
}

/// The chain up to and including commit `number`, taken as it stands there.
fn tail_at(connection: &Connection, number: i64) -> Result<Tail, Error> {
    if number == 0 {
        return Ok(Tail::START);
    }
    let query = "SELECT number, first, count, executions, open, definitions, digest, head
                 FROM commits WHERE number = ?1";
    let fail = failure::of("cannot read the row of a commit");
    let row = connection
        .prepare_cached(query)
        .and_then(|mut query| query.query_row([number], parse).optional())
        .map_err(fail)?
        .ok_or_else(|| altered(number))?;
    Ok(Tail { number: row.number, head: row.head, totals: row.totals })
}

/// Where the chain ends, taken as it stands there.
pub(super) fn last(connection: &Connection) -> Result<Tail, Error> {
    tail_at(connection, last_number(connection)?)
}

fn last_number(connection: &Connection) -> Result<i64, Error> {
    let query = "SELECT coalesce(max(number), 0) FROM commits";
    let fail = failure::of("cannot find the last commit");
    connection
        .prepare_cached(query)
        .and_then(|mut query| query.query_row((), |row| row.get(0)))
        .map_err(fail)
}

/// How much the store should hold by its last commit, which is checked against the one before it.
pub(super) fn totals(connection: &Connection) -> Result<Totals, Error> {
    let last = last_number(connection)?;
    if last == 0 {
        return Ok(Tail::START.totals);
    }
    let mut totals = None;
    let previous = tail_at(connection, last - 1)?;
    each_from(connection, last, |row| {
        if row.expected_head(previous.head) != row.head {
            return Err(altered(row.number));
        }
        totals = Some(row.totals);
        Ok(())
    })?;
    totals.ok_or_else(|| altered(last))
}

/// Checks the last commits, the rows they added, and that they reach `mark`.
pub(super) fn check_tail(connection: &Connection, mark: Option<Mark>) -> Result<Tail, Error> {
    let last = last_number(connection)?;
    let acknowledged = mark.map_or(0, |mark| mark.number);
    if last < acknowledged {
        return Err(check::corrupt(format!(
            "the database ends at commit {last}, but commit {acknowledged} was acknowledged"
        )));
    }
    if let Some(mark) = mark
        && tail_at(connection, mark.number)?.head != mark.head
    {
        return Err(check::corrupt(format!(
            "commit {} is not the one that was acknowledged",
            mark.number
        )));
    }
    let mut tail = tail_at(connection, (last - TAIL).max(0))?;
    each_from(connection, tail.number + 1, |row| {
        let (first, end) = row.positions();
        rows::each_between(connection, first, end, |_, row| {
            row.verify(row.previous, row.first).map_err(Error::from)
        })?;
        let digests = erasures::digests_of(connection, &row)?;
        tail = tail.follow(&row, &digests)?;
        Ok(())
    })?;
    if rows::last_position(connection)? != tail.totals.rows {
        return Err(check::corrupt("the journal has rows that no commit added"));
    }
    rows::check_open(connection, tail.totals.open)?;
    Ok(tail)
}

fn parse(row: &SqlRow<'_>) -> rusqlite::Result<CommitRow> {
    let mut columns = Columns::of(row);
    let (number, first, count) = (columns.next()?, columns.next()?, columns.next()?);
    let totals = Totals {
        rows: i64::saturating_add(first, count).saturating_sub(1),
        executions: columns.next()?,
        open: columns.next()?,
        definitions: columns.next()?,
    };
    let (digest, head) = (Digest(columns.next()?), Digest(columns.next()?));
    Ok(CommitRow { number, first, count, totals, digest, head })
}
