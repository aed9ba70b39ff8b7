//! A store in a file that is closed and opened again whenever the process comes back.

use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;
use tutti_ids::{Digest, ExecutionId};
use tutti_journal::EventPosition;
use tutti_store::{
    BoxFuture, Commit, DefinitionText, Error, EventRetention, History, LoggedEvent, NewEvent,
    OpenExecution, Receipt, SqliteStore, Store,
};

/// `SQLite` in a directory that is thrown away, with nothing kept in memory over a crash.
#[derive(Debug)]
pub struct ReopeningStore {
    /// None only while it is being opened, or where it could not be.
    open: Mutex<Option<Arc<SqliteStore>>>,
    directory: TempDir,
}

impl ReopeningStore {
    /// An empty store.
    ///
    /// # Errors
    /// If there is no directory to be had, or the store cannot be opened in it.
    pub fn new() -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let store = Self { open: Mutex::new(None), directory };
        store.reopen()?;
        Ok(store)
    }

    /// Closes the file and opens it again.
    ///
    /// # Errors
    /// If it cannot be opened; every operation fails from then on.
    pub fn reopen(&self) -> Result<(), String> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        *open = None;
        let store = SqliteStore::open(self.directory.path());
        *open = Some(Arc::new(store.map_err(|error| error.to_string())?));
        Ok(())
    }

    fn store(&self) -> Result<Arc<SqliteStore>, Error> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = "cannot use a store that did not open".to_owned();
        open.clone().ok_or(Error::Unavailable { attempt, source: None })
    }
}

impl Store for ReopeningStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.store()?.commit(commit).await })
    }

    fn load(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        Box::pin(async move { self.store()?.load(execution).await })
    }

    fn load_tail(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        Box::pin(async move { self.store()?.load_tail(execution).await })
    }

    fn open_executions(
        &self,
        after: Option<ExecutionId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<OpenExecution>, Error>> {
        Box::pin(async move { self.store()?.open_executions(after, limit).await })
    }

    fn definition(&self, digest: Digest) -> BoxFuture<'_, Result<Option<DefinitionText>, Error>> {
        Box::pin(async move { self.store()?.definition(digest).await })
    }

    fn publish(&self, events: Vec<NewEvent>) -> BoxFuture<'_, Result<Vec<Receipt>, Error>> {
        Box::pin(async move { self.store()?.publish(events).await })
    }

    fn events_after(
        &self,
        after: EventPosition,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<LoggedEvent>, Error>> {
        Box::pin(async move { self.store()?.events_after(after, limit).await })
    }

    fn last_event_position(&self) -> BoxFuture<'_, Result<EventPosition, Error>> {
        Box::pin(async move { self.store()?.last_event_position().await })
    }

    fn drop_events(
        &self,
        retention: EventRetention,
        limit: usize,
    ) -> BoxFuture<'_, Result<u64, Error>> {
        Box::pin(async move { self.store()?.drop_events(retention, limit).await })
    }
}
