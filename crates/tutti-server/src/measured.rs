//! A store that is measured: what passes through it is counted, and nothing is changed.

use std::{sync::Arc, time::Instant};

use tutti_ids::{Digest, ExecutionId};
use tutti_journal::EventPosition;
use tutti_store::{
    BoxFuture, ChainHead, Commit, DefinitionText, Error, EventRetention, ExecutionQuery, History,
    Listed, LoggedEvent, Lookup, NewEvent, OpenExecution, Receipt, Record, RecordId, RecordRange,
    Store, StoredAudit,
};

use crate::metrics::Metrics;

/// Counts commits, their rows, how long they take, and the events that are received.
#[derive(Debug)]
pub struct MeasuredStore {
    inner: Arc<dyn Lookup>,
    metrics: Metrics,
}

impl MeasuredStore {
    /// Measures `inner`.
    pub fn new(inner: Arc<dyn Lookup>, metrics: Metrics) -> Self {
        Self { inner, metrics }
    }

    fn count<T>(&self, began: Instant, result: &Result<T, Error>) {
        let outcome = match result {
            Ok(_) => "stored",
            Err(Error::Conflict { .. } | Error::Stale { .. }) => "refused",
            Err(Error::Ambiguous { .. }) => "ambiguous",
            Err(_) => "failed",
        };
        self.metrics.commit(outcome, began.elapsed());
    }
}

impl Store for MeasuredStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let rows = [
                ("turn", commit.turns.len()),
                ("definition", commit.definitions.len()),
                ("event", commit.events.len()),
                ("record", commit.records.len()),
                ("audit", commit.audit.len()),
            ];
            let began = Instant::now();
            let result = self.inner.commit(commit).await;
            self.count(began, &result);
            if result.is_ok() {
                for (kind, count) in rows {
                    self.metrics.rows(kind, count);
                }
            }
            result
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
        Box::pin(async move {
            let began = Instant::now();
            let result = self.inner.publish(events).await;
            self.count(began, &result);
            for receipt in result.iter().flatten() {
                match receipt {
                    Receipt::Logged(_) => {
                        self.metrics.event("logged");
                        self.metrics.rows("event", 1);
                    }
                    Receipt::Duplicate(_) => self.metrics.event("duplicate"),
                }
            }
            result
        })
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

impl Lookup for MeasuredStore {
    fn record(&self, id: RecordId) -> BoxFuture<'_, Result<Option<Vec<u8>>, Error>> {
        self.inner.record(id)
    }

    fn records(&self, range: RecordRange) -> BoxFuture<'_, Result<Vec<Record>, Error>> {
        self.inner.records(range)
    }

    fn executions(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<Listed>, Error>> {
        self.inner.executions(query)
    }

    fn standing(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<Listed>, Error>> {
        self.inner.standing(execution)
    }

    fn audit_after(
        &self,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredAudit>, Error>> {
        self.inner.audit_after(after, limit)
    }

    fn open_count(&self) -> BoxFuture<'_, Result<u64, Error>> {
        self.inner.open_count()
    }

    fn head(&self) -> BoxFuture<'_, Result<ChainHead, Error>> {
        self.inner.head()
    }
}

#[cfg(test)]
mod tests {
    use tutti_store::{MemoryStore, contract};

    use super::*;
    use crate::metrics::MetricsOptions;

    fn measured() -> Arc<MeasuredStore> {
        let metrics = Metrics::new(MetricsOptions {
            version: "0",
            started_at_ms: 0,
            connectors: Vec::new(),
            max_calls: 1,
        });
        Arc::new(MeasuredStore::new(Arc::new(MemoryStore::default()), metrics))
    }

    #[test]
    fn a_measured_store_keeps_the_contract_of_stores() {
        contract::check_all(&|| measured());
        contract::check_lookup(&|| measured());
    }
}
