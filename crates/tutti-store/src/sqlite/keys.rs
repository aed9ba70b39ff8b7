//! The business keys that executions were started under.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};
use tutti_ids::ExecutionId;

use super::{checksum::Checksum, failure};
use crate::{Error, StoredTurn, check};

/// Keeps the key that comes with the first turn of an execution.
pub(super) fn write(connection: &Connection, turn: &StoredTurn) -> rusqlite::Result<()> {
    let Some(key) = &turn.key else { return Ok(()) };
    let query = "INSERT INTO keys (execution, namespace, key, checksum) VALUES (?1, ?2, ?3, ?4)";
    let (execution, namespace) = (turn.row.execution, &turn.projection.definition.namespace);
    connection.prepare_cached(query)?.execute((
        execution.to_bits().to_be_bytes(),
        namespace.as_str(),
        &**key,
        checksum(execution, namespace.as_str(), key),
    ))?;
    Ok(())
}

/// The key of an execution, if it has one.
pub(super) fn find(connection: &Connection, id: ExecutionId) -> Result<Option<Arc<str>>, Error> {
    let query = "SELECT namespace, key, checksum FROM keys WHERE execution = ?1";
    let found: Option<(String, String, [u8; 16])> = connection
        .prepare_cached(query)
        .and_then(|mut query| {
            let bits = id.to_bits().to_be_bytes();
            query.query_row([bits], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
        })
        .map_err(failure::of("cannot read the key of an execution"))?;
    match found {
        None => Ok(None),
        Some((namespace, key, sum)) if sum == checksum(id, &namespace, &key) => {
            Ok(Some(Arc::from(key)))
        }
        Some(_) => Err(check::corrupt(format!("the key of {id} was altered"))),
    }
}

fn checksum(execution: ExecutionId, namespace: &str, key: &str) -> [u8; 16] {
    Checksum::of("keys")
        .bytes(&execution.to_bits().to_be_bytes())
        .bytes(namespace.as_bytes())
        .bytes(key.as_bytes())
        .finish()
}
