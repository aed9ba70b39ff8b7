//! Writing the database anew after an erasure, and making up for it where the process died before it was done.

use rusqlite::Connection;

use super::{failure, schema};
use crate::Error;

/// What the database says about itself while erased values may remain in its files.
const UNSCRUBBED: &str = "unscrubbed";

/// Notes that it is to be written anew; in the transaction that erases.
pub(super) fn note(connection: &Connection) -> rusqlite::Result<()> {
    schema::write_meta(connection, UNSCRUBBED, &[1])
}

/// Writes the database anew and empties its log: pages keep remains of what once stood on them.
pub(super) fn scrub(connection: &Connection) -> Result<(), Error> {
    let fail =
        failure::of("what was erased may remain in the files, ask again: cannot write them anew");
    connection.execute_batch("VACUUM").map_err(&fail)?;
    let busy: i64 = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))
        .map_err(&fail)?;
    if busy != 0 {
        return Err(fail(rusqlite::Error::QueryReturnedNoRows));
    }
    connection.execute("DELETE FROM meta WHERE name = ?1", [UNSCRUBBED]).map_err(&fail)?;
    Ok(())
}

/// Ends an erasure that was interrupted. Where that cannot be done now, such as for want of space, the note stays and the
/// next opening tries again: nobody is kept from the store for it.
pub(super) fn make_up(connection: &Connection) -> Result<(), Error> {
    let query = "SELECT count(*) FROM meta WHERE name = ?1";
    let fail = failure::of("cannot read what the database says about itself");
    let noted: i64 = connection.query_row(query, [UNSCRUBBED], |row| row.get(0)).map_err(&fail)?;
    if noted != 0 {
        scrub(connection).ok();
    }
    Ok(())
}
