//! A store that forgets: for tests, for simulation, and for workflows nobody resumes.

use std::{
    collections::{BTreeMap, btree_map},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tutti_ids::{Digest, ExecutionId};
use tutti_journal::{EventPosition, Row, Snapshot};

mod beside;
mod events;
mod lookup;

use self::{beside::Beside, events::Events};
use crate::{
    BoxFuture, Commit, DefinitionText, Error, EventRetention, History, LoggedEvent, NewEvent,
    OpenExecution, Projection, Receipt, Store, StoredTurn,
    check::{self, Head},
};

/// Keeps everything in memory, under one lock that is never held across an await.
#[derive(Debug, Default)]
pub struct MemoryStore {
    contents: Mutex<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    definitions: BTreeMap<Digest, DefinitionText>,
    blobs: BTreeMap<Digest, Arc<[u8]>>,
    executions: BTreeMap<ExecutionId, Execution>,
    events: Events,
    beside: Beside,
}

#[derive(Debug)]
struct Execution {
    rows: Vec<Row>,
    head: Head,
    projection: Projection,
    snapshot: Option<Snapshot>,
    key: Option<Arc<str>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            check::commit(&commit)?;
            self.contents().commit(commit)
        })
    }

    fn load(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        Box::pin(async move { self.contents().load(execution, None) })
    }

    fn load_tail(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        Box::pin(async move {
            let contents = self.contents();
            let snapshot =
                contents.executions.get(&execution).and_then(|known| known.snapshot.clone());
            contents.load(execution, snapshot)
        })
    }

    fn open_executions(
        &self,
        after: Option<ExecutionId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<OpenExecution>, Error>> {
        Box::pin(async move { Ok(self.contents().open_executions(after, limit)) })
    }

    fn definition(&self, digest: Digest) -> BoxFuture<'_, Result<Option<DefinitionText>, Error>> {
        Box::pin(async move { Ok(self.contents().definitions.get(&digest).cloned()) })
    }

    fn publish(&self, events: Vec<NewEvent>) -> BoxFuture<'_, Result<Vec<Receipt>, Error>> {
        Box::pin(async move {
            let mut contents = self.contents();
            Ok(events.into_iter().map(|event| contents.events.receive(event)).collect())
        })
    }

    fn events_after(
        &self,
        after: EventPosition,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<LoggedEvent>, Error>> {
        Box::pin(async move { Ok(self.contents().events.after(after, limit)) })
    }

    fn last_event_position(&self) -> BoxFuture<'_, Result<EventPosition, Error>> {
        Box::pin(async move { Ok(self.contents().events.last()) })
    }

    fn drop_events(
        &self,
        retention: EventRetention,
        limit: usize,
    ) -> BoxFuture<'_, Result<u64, Error>> {
        Box::pin(async move { Ok(self.contents().events.drop(retention, limit)) })
    }
}

impl Contents {
    fn commit(&mut self, commit: Commit) -> Result<(), Error> {
        self.heads_after(&commit.turns)?;
        self.beside.check(&commit.records)?;
        for definition in commit.definitions {
            self.definitions.entry(definition.digest).or_insert(definition);
        }
        for turn in commit.turns {
            self.append(turn);
        }
        for event in commit.events {
            self.events.receive(event);
        }
        self.beside.write(commit.records, commit.audit);
        Ok(())
    }

    /// Checks that all turns follow what is stored, before any of them is.
    fn heads_after(&self, turns: &[StoredTurn]) -> Result<BTreeMap<ExecutionId, Head>, Error> {
        let mut heads = BTreeMap::new();
        for turn in turns {
            let execution = turn.row.execution;
            let stored = self.executions.get(&execution).map_or(Head::START, |known| known.head);
            let head = heads.entry(execution).or_insert(stored);
            *head = head.advance(&turn.row)?;
        }
        Ok(heads)
    }

    fn append(&mut self, turn: StoredTurn) {
        let head = Head { next: turn.row.next(), digest: turn.row.digest };
        self.blobs.extend(turn.blobs.into_iter().map(|blob| (blob.digest, blob.bytes)));
        let execution = match self.executions.entry(turn.row.execution) {
            btree_map::Entry::Vacant(slot) => {
                let projection = turn.projection.clone();
                let key = turn.key.clone();
                slot.insert(Execution { rows: Vec::new(), head, projection, snapshot: None, key })
            }
            btree_map::Entry::Occupied(slot) => slot.into_mut(),
        };
        execution.rows.push(turn.row);
        execution.head = head;
        execution.snapshot = if turn.projection.status.is_terminal() {
            None
        } else {
            turn.snapshot.or(execution.snapshot.take())
        };
        execution.projection = turn.projection;
    }

    fn load(&self, id: ExecutionId, snapshot: Option<Snapshot>) -> Result<Option<History>, Error> {
        let Some(execution) = self.executions.get(&id) else { return Ok(None) };
        let from = Head::after(snapshot.as_ref()).next;
        let rows: Vec<Row> =
            execution.rows.iter().filter(|row| row.first >= from).cloned().collect();
        let mut blobs = BTreeMap::new();
        for row in &rows {
            for digest in check::blob_digests(row)? {
                let bytes = self.blobs.get(&digest);
                let bytes = bytes.ok_or_else(|| check::corrupt(format!("no blob {digest}")))?;
                blobs.insert(digest, bytes.clone());
            }
        }
        let projection = execution.projection.clone();
        Ok(Some(History { snapshot, rows, blobs, projection }))
    }

    fn open_executions(&self, after: Option<ExecutionId>, limit: usize) -> Vec<OpenExecution> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.executions
            .range((from, Bound::Unbounded))
            .filter(|(_, execution)| !execution.projection.status.is_terminal())
            .map(|(id, execution)| OpenExecution {
                execution: *id,
                projection: execution.projection.clone(),
            })
            .take(limit)
            .collect()
    }
}
