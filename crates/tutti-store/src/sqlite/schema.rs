//! The tables, how a database is made and how one is taken over.

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, config::DbConfig};

use super::{
    checksum::Checksum,
    commits::{self, Tail},
    directory::Directory,
    failure,
    high_water::Mark,
};
use crate::{Error, check};

/// The oldest SQLite whose WAL we trust: older ones can lose a commit in a race between a checkpoint and a writer.
const OLDEST_SQLITE: i32 = 3_051_003;
/// The version of these tables. A database names the oldest version that may read and that may write it.
const FORMAT: u32 = 5;
/// The format that brought snapshots.
pub(super) const WITH_SNAPSHOTS: u32 = 2;
/// The format that brought erasures.
pub(super) const WITH_ERASURES: u32 = 3;
/// The format that brought the log of events.
pub(super) const WITH_EVENTS: u32 = 4;
/// The format that brought what a server keeps: records, the audit trail, lists by workflow, status and key.
pub(super) const WITH_RECORDS: u32 = 5;
/// How many of [`TABLES`] each format has, from format 1 on: later ones only add.
const TABLES_BY_FORMAT: [usize; FORMAT as usize] = [9, 10, 12, 13, TABLES.len()];

/// Every table and index. A row is covered by a chain of digests or by its `checksum`.
const TABLES: [&str; 22] = [
    "CREATE TABLE meta (
        name TEXT NOT NULL PRIMARY KEY,
        value BLOB NOT NULL,
        checksum BLOB NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE definitions (
        digest BLOB NOT NULL PRIMARY KEY,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        text TEXT NOT NULL,
        checksum BLOB NOT NULL
    ) STRICT",
    "CREATE TABLE journal (
        position INTEGER NOT NULL PRIMARY KEY,
        execution BLOB NOT NULL,
        first INTEGER NOT NULL,
        count INTEGER NOT NULL,
        at INTEGER NOT NULL,
        structure BLOB NOT NULL,
        salt BLOB,
        value BLOB,
        values_digest BLOB NOT NULL,
        previous BLOB NOT NULL,
        digest BLOB NOT NULL,
        checksum BLOB NOT NULL
    ) STRICT",
    "CREATE UNIQUE INDEX journal_by_execution ON journal (execution, first)",
    "CREATE TABLE commits (
        number INTEGER NOT NULL PRIMARY KEY,
        first INTEGER NOT NULL,
        count INTEGER NOT NULL,
        executions INTEGER NOT NULL,
        open INTEGER NOT NULL,
        definitions INTEGER NOT NULL,
        digest BLOB NOT NULL,
        head BLOB NOT NULL
    ) STRICT",
    "CREATE TABLE blobs (
        digest BLOB NOT NULL PRIMARY KEY,
        bytes BLOB NOT NULL
    ) STRICT",
    "CREATE TABLE blob_references (
        digest BLOB NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (position, digest)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE executions (
        execution BLOB NOT NULL PRIMARY KEY,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        digest BLOB NOT NULL,
        status INTEGER NOT NULL,
        parent BLOB,
        started_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        due INTEGER,
        next INTEGER NOT NULL,
        last BLOB NOT NULL,
        checksum BLOB NOT NULL
    ) STRICT, WITHOUT ROWID",
    // Statuses below 4 are those of executions that have not ended.
    "CREATE INDEX executions_open ON executions (execution) WHERE status < 4",
    "CREATE TABLE snapshots (
        execution BLOB NOT NULL PRIMARY KEY,
        next INTEGER NOT NULL,
        head BLOB NOT NULL,
        fingerprint TEXT NOT NULL,
        structure BLOB NOT NULL,
        salt BLOB NOT NULL,
        value BLOB NOT NULL,
        digest BLOB NOT NULL
    ) STRICT",
    "CREATE TABLE erasures (
        execution BLOB NOT NULL PRIMARY KEY,
        number INTEGER NOT NULL,
        at INTEGER NOT NULL,
        by TEXT NOT NULL,
        reason TEXT NOT NULL,
        rows INTEGER NOT NULL,
        digest BLOB NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX erasures_by_commit ON erasures (number)",
    "CREATE TABLE events (
        position INTEGER NOT NULL PRIMARY KEY,
        key BLOB NOT NULL UNIQUE,
        received_at INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        checksum BLOB NOT NULL
    ) STRICT",
    "CREATE TABLE records (
        kind INTEGER NOT NULL,
        namespace TEXT NOT NULL,
        key TEXT NOT NULL,
        value BLOB NOT NULL,
        checksum BLOB NOT NULL,
        PRIMARY KEY (kind, namespace, key)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE audit (
        number INTEGER NOT NULL PRIMARY KEY,
        commit_number INTEGER NOT NULL,
        execution BLOB,
        bytes BLOB NOT NULL,
        digest BLOB NOT NULL
    ) STRICT",
    "CREATE INDEX audit_by_commit ON audit (commit_number)",
    "CREATE TABLE keys (
        execution BLOB NOT NULL PRIMARY KEY,
        namespace TEXT NOT NULL,
        key TEXT NOT NULL,
        checksum BLOB NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX keys_by_key ON keys (namespace, key, execution)",
    // Lists are pages of these, newest first.
    "CREATE INDEX executions_listed ON executions (namespace, execution)",
    "CREATE INDEX executions_by_status ON executions (namespace, status, execution)",
    "CREATE INDEX executions_by_workflow ON executions (namespace, name, execution)",
    "CREATE INDEX executions_by_both ON executions (namespace, name, status, execution)",
];

/// Refuses to go on with an SQLite that is too old.
pub(super) fn check_library() -> Result<(), Error> {
    if rusqlite::version_number() >= OLDEST_SQLITE {
        return Ok(());
    }
    Err(unavailable(format!("SQLite {} is too old, 3.51.3 is needed", rusqlite::version())))
}

/// Opens the writing connection, makes the tables if there are none, and checks that the database reaches `mark`.
pub(super) fn open(directory: &Directory, mark: Option<Mark>) -> Result<(Connection, Tail), Error> {
    if let Some(mark) = mark
        && !directory.database().exists()
    {
        // Before SQLite makes an empty one, which whoever puts the right one back would have to know of.
        return Err(lost("the database is missing", mark));
    }
    let has_log = directory.log().metadata().is_ok_and(|about| about.len() > 0);
    if has_log && !directory.database().exists() {
        // SQLite would remove it, and with it all that was not moved into the database.
        return Err(check::corrupt("the database is missing, and its log is not"));
    }
    let fail = failure::of("cannot open the database");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(directory.database(), flags).map_err(&fail)?;
    configure(&connection).map_err(&fail)?;
    let tail = if tables(&connection).map_err(&fail)?.is_empty() {
        create(&mut connection, directory, mark)?
    } else {
        take_over(&mut connection, mark)?
    };
    connection.pragma_update(None, "synchronous", "FULL").map_err(&fail)?;
    Ok((connection, tail))
}

/// Opens a connection that only reads.
pub(super) fn open_reader(database: &std::path::Path) -> Result<Connection, Error> {
    let fail = failure::of("cannot open the database for reading");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags).map_err(&fail)?;
    configure(&connection).map_err(&fail)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // A damaged database must stay as it is for whoever looks into it, so nothing is moved on close until it is checked.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA fullfsync = ON; PRAGMA busy_timeout = 10000;
         PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;",
    )
}

/// The tables there are; in the order of their texts, because writing a database anew changes theirs.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let query = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY sql";
    connection.prepare(query)?.query_map((), |row| row.get(0))?.collect()
}

/// Makes the tables without a sync of its own: the first commit syncs the whole log, and until then nothing was
/// acknowledged. Only the files themselves must be found again.
fn create(
    connection: &mut Connection,
    directory: &Directory,
    mark: Option<Mark>,
) -> Result<Tail, Error> {
    if let Some(mark) = mark {
        return Err(lost("the database is empty", mark));
    }
    let fail = failure::of("cannot make the tables of the store");
    let setup = "PRAGMA page_size = 4096; PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL; \
                 PRAGMA wal_autocheckpoint = 0;";
    connection.execute_batch(setup).map_err(&fail)?;
    let transaction = connection.transaction().map_err(&fail)?;
    TABLES.iter().try_for_each(|table| transaction.execute_batch(table)).map_err(&fail)?;
    write_format(&transaction).map_err(&fail)?;
    write_meta(&transaction, "incarnation", &incarnation()?).map_err(&fail)?;
    transaction.commit().map_err(&fail)?;
    directory.sync().map_err(|error| Error::Unavailable {
        attempt: "cannot sync the new database".to_owned(),
        source: Some(error.into()),
    })?;
    Ok(Tail::START)
}

fn lost(what: &str, mark: Mark) -> Error {
    check::corrupt(format!("{what}, but {} commits were acknowledged", mark.number))
}

/// Checks a database that another incarnation left, and marks it as ours.
fn take_over(connection: &mut Connection, mark: Option<Mark>) -> Result<Tail, Error> {
    let fail = failure::of("cannot take over the database");
    let known = check_tables(connection)?;
    let tail = commits::check_tail(connection, mark)?;
    let setup =
        "PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;";
    connection.execute_batch(setup).map_err(&fail)?;
    add_tables(connection, &TABLES[known.len()..]).map_err(&fail)?;
    write_meta(connection, "incarnation", &incarnation()?).map_err(&fail)?;
    Ok(tail)
}

/// The tables of a database of this format, oldest first.
fn tables_of(format: u32) -> &'static [&'static str] {
    let count = TABLES_BY_FORMAT.get(format.saturating_sub(1) as usize);
    &TABLES[..count.copied().unwrap_or(TABLES.len())]
}

fn sorted(tables: &[&'static str]) -> Vec<&'static str> {
    let mut tables = tables.to_vec();
    tables.sort_unstable();
    tables
}

/// Brings a database of an older format up to this one.
fn add_tables(connection: &mut Connection, missing: &[&str]) -> rusqlite::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    missing.iter().try_for_each(|table| transaction.execute_batch(table))?;
    write_format(&transaction)?;
    transaction.commit()
}

fn write_format(connection: &Connection) -> rusqlite::Result<()> {
    let format = [FORMAT.to_be_bytes(), FORMAT.to_be_bytes()].concat();
    write_meta(connection, "format", &format)
}

/// The format of the database, if this version knows it.
fn check_format(connection: &Connection) -> Result<u32, Error> {
    let value = read_meta(connection, "format")?;
    let (oldest_reader, oldest_writer) = value
        .split_first_chunk::<4>()
        .and_then(|(reader, writer)| Some((*reader, *writer.as_array::<4>()?)))
        .ok_or_else(|| check::corrupt("the format of the store is unreadable"))?;
    let needed = u32::from_be_bytes(oldest_reader).max(u32::from_be_bytes(oldest_writer));
    if needed <= FORMAT {
        return Ok(needed);
    }
    Err(unavailable(format!(
        "the store has format {needed}, written by a newer version; this one knows {FORMAT}"
    )))
}

/// Writes one thing that the database says about itself.
pub(super) fn write_meta(
    connection: &Connection,
    name: &str,
    value: &[u8],
) -> rusqlite::Result<()> {
    let query = "INSERT INTO meta (name, value, checksum) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, checksum = excluded.checksum";
    connection.execute(query, (name, value, meta_checksum(name, value))).map(|_| ())
}

fn read_meta(connection: &Connection, name: &str) -> Result<Vec<u8>, Error> {
    let query = "SELECT value, checksum FROM meta WHERE name = ?1";
    let row: Option<(Vec<u8>, Vec<u8>)> = connection
        .query_row(query, [name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(failure::of("cannot read what the database says about itself"))?;
    match row {
        Some((value, checksum)) if checksum == meta_checksum(name, &value) => Ok(value),
        _ => Err(check::corrupt(format!("what the database says about its {name} was altered"))),
    }
}

/// Checks what the database says about itself, and that its tables are ours; says its format.
pub(super) fn check_shape(connection: &Connection) -> Result<u32, Error> {
    check_tables(connection)?;
    read_meta(connection, "incarnation")?;
    check_format(connection)
}

/// The tables, which must be those of the database's format.
fn check_tables(connection: &Connection) -> Result<&'static [&'static str], Error> {
    let known = tables_of(check_format(connection)?);
    let found = tables(connection).map_err(failure::of("cannot read which tables there are"))?;
    if found == sorted(known) {
        return Ok(known);
    }
    Err(check::corrupt("the tables are not those of this store"))
}

/// The name of the hold on the store that wrote last.
pub(super) fn read_incarnation(connection: &Connection) -> Result<[u8; 16], Error> {
    let value = read_meta(connection, "incarnation")?;
    value.try_into().map_err(|_length| check::corrupt("the incarnation is unreadable"))
}

fn meta_checksum(name: &str, value: &[u8]) -> [u8; 16] {
    Checksum::of("meta").bytes(name.as_bytes()).bytes(value).finish()
}

/// A new name for this process's hold on the store.
fn incarnation() -> Result<[u8; 16], Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::Unavailable {
        attempt: "cannot draw an incarnation id".to_owned(),
        source: Some(error.to_string().into()),
    })?;
    Ok(bytes)
}

fn unavailable(attempt: String) -> Error {
    Error::Unavailable { attempt, source: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_of_a_newer_version_is_refused() {
        let root = tempfile::tempdir().expect("a temporary directory can be made");
        let directory = Directory::lock(root.path()).expect("nobody else uses it");
        let (connection, _) = open(&directory, None).expect("it can be made");
        for (reader, writer) in [(FORMAT, FORMAT + 1), (FORMAT + 1, FORMAT + 1)] {
            let format = [reader.to_be_bytes(), writer.to_be_bytes()].concat();
            write_meta(&connection, "format", &format).expect("it can be written");
            let refused = open(&directory, None).err().map(|error| error.to_string());
            assert!(refused.is_some_and(|text| text.contains("written by a newer version")));
        }
    }

    #[test]
    fn a_store_of_an_older_format_gets_the_tables_it_lacks() {
        let root = tempfile::tempdir().expect("a temporary directory can be made");
        let directory = Directory::lock(root.path()).expect("nobody else uses it");
        let (connection, _) = open(&directory, None).expect("it can be made");
        connection
            .execute_batch(
                "DROP TABLE snapshots; DROP TABLE erasures; DROP TABLE events; DROP TABLE records;
                 DROP TABLE audit; DROP TABLE keys; DROP INDEX executions_listed;
                 DROP INDEX executions_by_status; DROP INDEX executions_by_workflow;
                 DROP INDEX executions_by_both",
            )
            .expect("it can be dropped");
        let older = [1_u32.to_be_bytes(), 1_u32.to_be_bytes()].concat();
        write_meta(&connection, "format", &older).expect("it can be written");
        let (connection, _) = open(&directory, None).expect("it is taken over");
        assert_eq!(tables(&connection).expect("they can be listed"), sorted(&TABLES));
        assert_eq!(check_format(&connection).ok(), Some(FORMAT));
        open(&directory, None).expect("it is now of this format");
        connection.execute_batch("DROP TABLE snapshots").expect("it can be dropped");
        let refused = open(&directory, None).err();
        assert!(matches!(refused, Some(Error::Corrupt { .. })), "{refused:?}");
    }

    #[test]
    fn a_missing_or_empty_database_is_refused_where_commits_were_acknowledged() {
        let root = tempfile::tempdir().expect("a temporary directory can be made");
        let directory = Directory::lock(root.path()).expect("nobody else uses it");
        let mark = Mark { number: 3, head: tutti_ids::Digest([1; 32]) };
        for (made, word) in [(false, "missing"), (true, "empty")] {
            if made {
                std::fs::write(directory.database(), "").expect("it can be written");
            }
            let refused = open(&directory, Some(mark)).err();
            assert!(
                matches!(&refused, Some(Error::Corrupt { what }) if what.contains(word)),
                "{refused:?}"
            );
            assert_eq!(directory.database().exists(), made, "nothing is made");
        }
    }
}
