//! The bottom of every store: knows what really was written.

use std::sync::{Arc, Mutex, PoisonError};

use tutti_ids::{Digest, ExecutionId};
use tutti_journal::EventPosition;
use tutti_store::{
    BoxFuture, Commit, DefinitionText, Error, EventRetention, History, LoggedEvent, NewEvent,
    OpenExecution, Receipt, Store, StoredTurn,
};

/// Passes everything on and keeps what was committed, in the order in which it was.
#[derive(Debug)]
pub struct Recorder {
    inner: Arc<dyn Store>,
    written: Mutex<Vec<StoredTurn>>,
}

impl Recorder {
    /// Records what is written to `inner`.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, written: Mutex::new(Vec::new()) }
    }

    /// What was written since this was asked last.
    pub fn take(&self) -> Vec<StoredTurn> {
        std::mem::take(&mut self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for Recorder {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let turns = commit.turns.clone();
            self.inner.commit(commit).await?;
            self.written.lock().unwrap_or_else(PoisonError::into_inner).extend(turns);
            Ok(())
        })
    }

    fn load(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        self.inner.load(execution)
    }

    fn load_tail(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        self.inner.load_tail(execution)
    }

    fn open_executions(
        &self,
        after: Option<ExecutionId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<OpenExecution>, Error>> {
        self.inner.open_executions(after, limit)
    }

    fn definition(&self, digest: Digest) -> BoxFuture<'_, Result<Option<DefinitionText>, Error>> {
        self.inner.definition(digest)
    }

    fn publish(&self, events: Vec<NewEvent>) -> BoxFuture<'_, Result<Vec<Receipt>, Error>> {
        self.inner.publish(events)
    }

    fn events_after(
        &self,
        after: EventPosition,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<LoggedEvent>, Error>> {
        self.inner.events_after(after, limit)
    }

    fn last_event_position(&self) -> BoxFuture<'_, Result<EventPosition, Error>> {
        self.inner.last_event_position()
    }

    fn drop_events(
        &self,
        retention: EventRetention,
        limit: usize,
    ) -> BoxFuture<'_, Result<u64, Error>> {
        self.inner.drop_events(retention, limit)
    }
}
