//! What a server keeps and asks beside the journals: records, lists of executions, the audit trail.
//!
//! The store knows what none of it means: a record is bytes under a name, an audit fact is bytes that are chained with the
//! commits. Loops need only [`Store`]; what is here is for whoever answers people.

use std::sync::Arc;

use tutti_ids::{Digest, ExecutionId, Name};
use tutti_journal::Timestamp;

use crate::{
    BoxFuture, Error, Projection, Record, RecordId, RecordRange, Status, Store, StoredAudit,
};

/// Reads what [`Store::commit`] wrote beside the journals.
pub trait Lookup: Store {
    /// A record's value.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it was altered.
    fn record(&self, id: RecordId) -> BoxFuture<'_, Result<Option<Vec<u8>>, Error>>;

    /// The records of a kind, in the order of their namespaces and keys.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if one of them was altered.
    fn records(&self, range: RecordRange) -> BoxFuture<'_, Result<Vec<Record>, Error>>;

    /// The executions of a namespace that `query` asks for, newest first.
    fn executions(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<Listed>, Error>>;

    /// How one execution stands; none where there is no such execution.
    fn standing(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<Listed>, Error>>;

    /// The audit facts after a number, in order, at most `limit`, each verified.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if one was altered or one between two others is missing.
    fn audit_after(
        &self,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredAudit>, Error>>;

    /// How many executions have not ended. Costs the same however many there are.
    fn open_count(&self) -> BoxFuture<'_, Result<u64, Error>>;

    /// Where the chain of commits ends: what a checkpoint signs.
    fn head(&self) -> BoxFuture<'_, Result<ChainHead, Error>>;
}

/// Which executions are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionQuery {
    /// Their namespace.
    pub namespace: Name,
    /// Only those of this workflow.
    pub workflow: Option<Name>,
    /// Only those that stand so.
    pub status: Option<Status>,
    /// Only those started under this business key.
    pub key: Option<Arc<str>>,
    /// Only those made at or after this moment.
    pub since: Option<Timestamp>,
    /// Only those made before this one: where the page before ended.
    pub before: Option<ExecutionId>,
    /// At most so many.
    pub limit: usize,
}

/// An execution as lists have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub execution: ExecutionId,
    /// How it stands.
    pub projection: Projection,
    /// The business key it was started under.
    pub key: Option<Arc<str>>,
}

/// Where the chain of commits ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// The number of the last commit; 0 before the first.
    pub number: i64,
    /// Its head: everything stored before follows from it.
    pub head: Digest,
}
