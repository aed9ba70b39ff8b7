//! The chain of commits: what every transaction added, and how much there is in all.

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};
use sha2::{Digest as _, Sha256};
use tutti_ids::Digest;

use super::{columns::Columns, failure, high_water::Mark, rows};
use crate::{Error, check};

/// How many commits before the last one opening checks as well.
const TAIL: i64 = 16;

/// Where the chain of commits ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail {
    /// The number of the last commit; 0 before the first.
    pub(super) number: i64,
    /// Its head.
    pub(super) head: Digest,
    /// How much there is after it.
    pub(super) totals: Totals,
}

/// How much the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    /// Rows of all journals: the position of the last one.
    pub(super) rows: i64,
    /// Executions.
    pub(super) executions: i64,
    /// Executions that have not ended.
    pub(super) open: i64,
    /// Definitions.
    pub(super) definitions: i64,
}

/// A row of `commits`.
#[derive(Debug)]
pub(super) struct CommitRow {
    number: i64,
    first: i64,
    count: i64,
    totals: Totals,
    digest: Digest,
    head: Digest,
}

impl Tail {
    /// Of a store without commits.
    pub(super) const START: Self = Self {
        number: 0,
        head: Digest::ZERO,
        totals: Totals { rows: 0, executions: 0, open: 0, definitions: 0 },
    };

    /// The row of the commit that adds rows with these digests and leads to `totals`, and the tail after it.
    pub(super) fn next(&self, digests: &[Digest], totals: Totals) -> (CommitRow, Self) {
        let mut row = CommitRow {
            number: self.number + 1,
            first: self.totals.rows + 1,
            count: totals.rows - self.totals.rows,
            totals,
            digest: digest_of(digests),
            head: Digest::ZERO,
        };
        row.head = row.expected_head(self.head);
        let tail = Self { number: row.number, head: row.head, totals };
        (row, tail)
    }

    /// The mark that says that this commit was acknowledged.
    pub(super) fn mark(&self) -> Mark {
        Mark { number: self.number, head: self.head }
    }

    /// The tail after `row`, if it follows this one and the rows it added have these digests.
    pub(super) fn follow(&self, row: &CommitRow, digests: &[Digest]) -> Result<Self, Error> {
        let (expected, tail) = self.next(digests, row.totals);
        let same = expected.number == row.number
            && expected.first == row.first
            && expected.count == row.count
            && expected.digest == row.digest
            && expected.head == row.head;
        if same { Ok(tail) } else { Err(altered(row.number)) }
    }
}

impl CommitRow {
    /// The positions of the rows it added, first and last.
    pub(super) fn positions(&self) -> (i64, i64) {
        (self.first, self.first.saturating_add(self.count).saturating_sub(1))
    }

    fn expected_head(&self, previous: Digest) -> Digest {
        let totals = &self.totals;
        let numbers = [
            self.number,
            self.first,
            self.count,
            totals.rows,
            totals.executions,
            totals.open,
            totals.definitions,
        ];
        let hash = Sha256::new().chain_update(b"tutti commit 1\0").chain_update(previous.0);
        let hash =
            numbers.iter().fold(hash, |hash, number| hash.chain_update(number.to_be_bytes()));
        Digest(hash.chain_update(self.digest.0).finalize().into())
    }

    fn parse(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        let (number, first, count) = (columns.next()?, columns.next()?, columns.next()?);
        let totals = Totals {
            rows: i64::saturating_add(first, count).saturating_sub(1),
            executions: columns.next()?,
            open: columns.next()?,
            definitions: columns.next()?,
        };
        let (digest, head) = (Digest(columns.next()?), Digest(columns.next()?));
        Ok(Self { number, first, count, totals, digest, head })
    }
}

fn digest_of(digests: &[Digest]) -> Digest {
    let hash = digests.iter().fold(Sha256::new(), |hash, digest| hash.chain_update(digest.0));
    Digest(hash.finalize().into())
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
    let found = query.query_map([number], CommitRow::parse).map_err(&fail)?;
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
        .and_then(|mut query| query.query_row([number], CommitRow::parse).optional())
        .map_err(fail)?
        .ok_or_else(|| altered(number))?;
    Ok(Tail { number: row.number, head: row.head, totals: row.totals })
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
        let mut digests = Vec::new();
        rows::each_between(connection, first, end, |_, row| {
            row.verify(row.previous, row.first)?;
            digests.push(row.digest);
            Ok(())
        })?;
        tail = tail.follow(&row, &digests)?;
        Ok(())
    })?;
    if rows::last_position(connection)? != tail.totals.rows {
        return Err(check::corrupt("the journal has rows that no commit added"));
    }
    rows::check_open(connection, tail.totals.open)?;
    Ok(tail)
}

fn altered(number: i64) -> Error {
    check::corrupt(format!("the row of commit {number} was altered or lost"))
}
