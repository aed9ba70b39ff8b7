//! Writing commits into a transaction that many of them share.

use rusqlite::Connection;
use tutti_ids::Digest;

use super::{
    audits,
    commits::{Tail, Totals},
    erasures, events, failure, keys, read, records,
    rows::{self, ExecutionRow},
    snapshots,
};
use crate::{Commit, DefinitionText, Error, Receipt, StoredTurn, check::Head};

/// What an open transaction has added so far.
#[derive(Debug)]
pub(super) struct Added {
    /// How much there is with it.
    pub(super) totals: Totals,
    /// The number of the commit that it will be.
    commit: i64,
    /// The digests of its rows, in order.
    rows: Vec<Digest>,
    /// The digests of its audit facts, in order.
    audit: Vec<Digest>,
}

impl Added {
    /// Nothing, after what is there already.
    pub(super) fn nothing(tail: &Tail) -> Self {
        let commit = tail.number.saturating_add(1);
        Self { totals: tail.totals, commit, rows: Vec::new(), audit: Vec::new() }
    }

    /// What the digest of the commit is made of.
    pub(super) fn digests(&self) -> Vec<Digest> {
        self.rows.iter().chain(&self.audit).copied().collect()
    }

    /// Writes all of `commit` into the open transaction or, on any error, nothing of it. After
    /// [`Error::Unavailable`] the transaction is of no more use: SQLite may have undone it.
    pub(super) fn commit(
        &mut self,
        connection: &Connection,
        commit: &Commit,
    ) -> Result<Vec<Receipt>, Error> {
        let (totals, rows, audit) = (self.totals, self.rows.len(), self.audit.len());
        control(connection, "SAVEPOINT one_commit")?;
        match self.write(connection, commit) {
            Ok(receipts) => control(connection, "RELEASE one_commit").map(|()| receipts),
            Err(error) => {
                self.totals = totals;
                self.rows.truncate(rows);
                self.audit.truncate(audit);
                Err(undo(connection, error))
            }
        }
    }

    fn write(&mut self, connection: &Connection, commit: &Commit) -> Result<Vec<Receipt>, Error> {
        for definition in &commit.definitions {
            let added = insert_definition(connection, definition)
                .map_err(failure::of("cannot write a definition"))?;
            self.totals.definitions += added;
        }
        commit.records.iter().try_for_each(|change| records::change(connection, change))?;
        commit.turns.iter().try_for_each(|turn| self.turn(connection, turn))?;
        for fact in &commit.audit {
            self.audit.push(audits::append(connection, self.commit, fact)?);
        }
        let fail = failure::of("cannot write into the log of events");
        let append = |event| events::append(connection, event).map_err(&fail);
        commit.events.iter().map(append).collect()
    }

    fn turn(&mut self, connection: &Connection, turn: &StoredTurn) -> Result<(), Error> {
        let row = &turn.row;
        let stored = read::execution(connection, row.execution)?;
        let head = stored.as_ref().map_or(Head::START, |stored| stored.head).advance(row)?;
        // Only what has ended is ever erased.
        if stored.as_ref().is_some_and(|stored| stored.projection.status.is_terminal())
            && erasures::is_erased(connection, row.execution)?
        {
            return Err(Error::Erased { execution: row.execution });
        }
        let now =
            ExecutionRow { execution: row.execution, projection: turn.projection.clone(), head };
        self.count(stored.as_ref(), &now);
        self.rows.push(row.digest);
        let attempt = format!("cannot append to the journal of {}", row.execution);
        write_turn(connection, self.totals.rows, turn, &now).map_err(failure::of(&attempt))
    }

    fn count(&mut self, before: Option<&ExecutionRow>, now: &ExecutionRow) {
        let open = |row: &ExecutionRow| i64::from(!row.projection.status.is_terminal());
        self.totals.rows += 1;
        self.totals.executions += i64::from(before.is_none());
        self.totals.open += open(now) - before.map_or(0, open);
    }
}

/// Takes back what the commit that ended with `error` wrote; gives the error that its caller is told.
fn undo(connection: &Connection, error: Error) -> Error {
    if !connection.is_autocommit() {
        let undone = control(connection, "ROLLBACK TO one_commit")
            .and_then(|()| control(connection, "RELEASE one_commit"));
        return undone.err().unwrap_or(error);
    }
    match error {
        Error::Unavailable { .. } => error,
        other => Error::Unavailable { attempt: other.to_string(), source: Some(other.into()) },
    }
}

fn write_turn(
    connection: &Connection,
    position: i64,
    turn: &StoredTurn,
    now: &ExecutionRow,
) -> rusqlite::Result<()> {
    rows::insert_journal_row(connection, position, &turn.row)?;
    rows::upsert_execution(connection, now)?;
    snapshots::write(connection, turn)?;
    keys::write(connection, turn)?;
    for blob in &turn.blobs {
        let query =
            "INSERT INTO blobs (digest, bytes) VALUES (?1, ?2) ON CONFLICT (digest) DO NOTHING";
        connection.prepare_cached(query)?.execute((blob.digest.0, &*blob.bytes))?;
        let query = "INSERT INTO blob_references (position, digest) VALUES (?1, ?2)
                     ON CONFLICT (position, digest) DO NOTHING";
        connection.prepare_cached(query)?.execute((position, blob.digest.0))?;
    }
    Ok(())
}

/// Adds a definition unless it is there; gives the number of rows added.
fn insert_definition(
    connection: &Connection,
    definition: &DefinitionText,
) -> rusqlite::Result<i64> {
    let query = "INSERT INTO definitions (digest, namespace, name, version, text, checksum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (digest) DO NOTHING";
    let name = &definition.name;
    let added = connection.prepare_cached(query)?.execute((
        definition.digest.0,
        name.namespace.as_str(),
        name.name.as_str(),
        name.version.as_str(),
        &*definition.text,
        read::definition_checksum(definition),
    ))?;
    Ok(i64::from(added > 0))
}

/// Runs a statement that begins, ends or undoes.
pub(super) fn control(connection: &Connection, statement: &str) -> Result<(), Error> {
    connection
        .prepare_cached(statement)
        .and_then(|mut statement| statement.execute(()))
        .map(|_| ())
        .map_err(|error| failure::of(&format!("{statement} failed"))(error))
}
