//! What every store is to the runtime.

use std::{collections::BTreeMap, fmt::Debug, future::Future, pin::Pin, sync::Arc};

use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence};
use tutti_journal::{Blob, Damage, EventPosition, Row, Snapshot, Timestamp};

use crate::{
    audit::AuditFact,
    event::{LoggedEvent, NewEvent, Receipt},
    record::{RecordChange, RecordId},
};

/// A future behind a pointer, as the port needs it to be chosen at run time.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps journals and definitions.
pub trait Store: Debug + Send + Sync {
    /// Writes all of `commit` durably, or nothing of it.
    ///
    /// # Errors
    /// [`Error::Conflict`] if a turn does not follow what is stored; [`Error::Stale`] if a record does not hold what was
    /// expected; [`Error::Ambiguous`] if it cannot be told whether
    /// the commit is stored: the caller must load again before it goes on.
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>>;

    /// Reads an execution's whole journal, every row verified, with the blobs its rows refer to. No snapshot is read.
    ///
    /// # Errors
    /// [`Error::Damaged`] if anything read was altered.
    fn load(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>>;

    /// Reads an execution's snapshot and only the rows after it, each verified; the whole journal where there is no
    /// snapshot.
    ///
    /// # Errors
    /// [`Error::Damaged`] if anything read was altered, the snapshot included.
    fn load_tail(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>>;

    /// The executions that have not ended, by id, after `after`; at most `limit`.
    fn open_executions(
        &self,
        after: Option<ExecutionId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<OpenExecution>, Error>>;

    /// The text of a definition by its digest.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the text no longer has that digest.
    fn definition(&self, digest: Digest) -> BoxFuture<'_, Result<Option<DefinitionText>, Error>>;

    /// Writes events into the log durably, all or none, and says of each where it stands.
    ///
    /// # Errors
    /// As [`Store::commit`]; after [`Error::Ambiguous`] publishing again stores nothing twice.
    fn publish(&self, events: Vec<NewEvent>) -> BoxFuture<'_, Result<Vec<Receipt>, Error>>;

    /// The events after a position, in order, at most `limit`, each verified.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if anything read was altered or one between two others is missing.
    fn events_after(
        &self,
        after: EventPosition,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<LoggedEvent>, Error>>;

    /// The position of the newest event; 0 before the first.
    fn last_event_position(&self) -> BoxFuture<'_, Result<EventPosition, Error>>;

    /// Forgets the oldest events that stand at or before `retention.through` and that exceed its age or count, at most
    /// `limit` of them; says how many. The newest event always stays, so that no position is given out twice.
    fn drop_events(
        &self,
        retention: EventRetention,
        limit: usize,
    ) -> BoxFuture<'_, Result<u64, Error>>;
}

/// Which events are no longer kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRetention {
    /// Events after this one stay, because somebody may still have to look at them.
    pub through: EventPosition,
    /// Events received before this moment go.
    pub before: Timestamp,
    /// Of those received later, the oldest go where there are more than so many.
    pub count: u64,
}

/// What is written in one transaction.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Definitions the turns refer to; those already stored are left alone.
    pub definitions: Vec<DefinitionText>,
    /// Turns of any number of executions, in order.
    pub turns: Vec<StoredTurn>,
    /// Events that the turns emitted, in order; those already in the log are left alone.
    pub events: Vec<NewEvent>,
    /// Changes of records; where one of them finds another value than it expects, nothing of the commit is made.
    pub records: Vec<RecordChange>,
    /// Facts for the audit trail, in order; chained with the commit.
    pub audit: Vec<AuditFact>,
}

/// One turn with what is derived from it.
#[derive(Debug, Clone)]
pub struct StoredTurn {
    /// The encoded entries; `first` must be the sequence after the last one stored, `previous` its digest.
    pub row: Row,
    /// The values that stand in blobs.
    pub blobs: Vec<Blob>,
    /// How the execution stands after this turn.
    pub projection: Projection,
    /// An image of the execution after this turn, which takes the former one's place. None leaves that as it is; where
    /// the execution has ended, the store drops it.
    pub snapshot: Option<Snapshot>,
    /// The business key that the execution is started under; with its first turn, if it has one.
    pub key: Option<Arc<str>>,
}

/// How an execution stands: what listings and recovery read instead of its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    /// Its definition.
    pub definition: DefinitionRef,
    /// The digest of its definition.
    pub digest: Digest,
    /// Its status.
    pub status: Status,
    /// The execution that started it.
    pub parent: Option<ExecutionId>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The earliest time at which it has to be looked at.
    pub due: Option<Timestamp>,
}

/// The phases of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// It has not begun.
    Pending,
    /// It works.
    Running,
    /// It waits for a timer, an event or a child.
    Waiting,
    /// It was paused, or an incident needs a person.
    Suspended,
    /// It was cancelled.
    Cancelled,
    /// An error ended it.
    Faulted,
    /// It ended well.
    Completed,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Waiting,
        Self::Suspended,
        Self::Cancelled,
        Self::Faulted,
        Self::Completed,
    ];

    /// Whether the execution has ended.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Cancelled | Self::Faulted | Self::Completed)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Suspended => "suspended",
            Self::Cancelled => "cancelled",
            Self::Faulted => "faulted",
            Self::Completed => "completed",
        }
    }
}

/// The journal of one execution, verified, or what follows its snapshot.
#[derive(Debug, Clone)]
pub struct History {
    /// The snapshot that the rows follow; none where they begin with the first.
    pub snapshot: Option<Snapshot>,
    /// Its rows: from the first on, or those after the snapshot.
    pub rows: Vec<Row>,
    /// The blobs they refer to.
    pub blobs: BTreeMap<Digest, Arc<[u8]>>,
    /// How it stands.
    pub projection: Projection,
}

/// An execution that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenExecution {
    /// Its id.
    pub execution: ExecutionId,
    /// How it stands.
    pub projection: Projection,
}

/// A definition as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionText {
    /// Its name.
    pub name: DefinitionRef,
    /// The SHA-256 of its text.
    pub digest: Digest,
    /// The text as published: a document, or a document with what was loaded for it.
    pub text: Arc<str>,
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A turn does not follow what is stored: somebody else advanced the execution.
    #[error("the journal of {execution} already goes on to entry {stored}")]
    Conflict {
        /// The execution.
        execution: ExecutionId,
        /// The sequence that would have to come next.
        stored: Sequence,
    },
    /// A record does not hold what the change of it expected: somebody else changed it.
    #[error("the {kind:?} record `{key}` was changed by somebody else", kind = record.kind, key = record.key)]
    Stale {
        /// The record.
        record: Box<RecordId>,
    },
    /// It cannot be told whether the commit is stored.
    #[error("it cannot be told whether a commit is stored")]
    Ambiguous {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something stored was altered or lost.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// Something stored other than a journal row was altered or lost.
    #[error("the store is damaged: {what}")]
    Corrupt {
        /// What, and where.
        what: String,
    },
    /// The execution goes on, so nothing of it can be erased.
    #[error("{execution} has not ended")]
    NotEnded {
        /// The execution: the one that was asked for, or one that it started.
        execution: ExecutionId,
    },
    /// The values of the execution were erased, so it cannot go on.
    #[error("what {execution} worked with was erased: it cannot go on")]
    Erased {
        /// The execution.
        execution: ExecutionId,
    },
    /// There is no such execution.
    #[error("there is no execution {execution}")]
    Unknown {
        /// The execution that was asked for.
        execution: ExecutionId,
    },
    /// The store cannot be used as it is: locked by another process, written by a newer version, out of space.
    #[error("{attempt}")]
    Unavailable {
        /// What was attempted, and what stands in the way.
        attempt: String,
        /// Why.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}
