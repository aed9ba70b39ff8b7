//! Reading what is kept beside the journals.

use tutti_ids::ExecutionId;

use super::{Contents, Execution, MemoryStore};
use crate::{
    BoxFuture, ChainHead, Error, ExecutionQuery, Listed, Lookup, Record, RecordId, RecordRange,
    StoredAudit,
};

impl Contents {
    fn listed(execution: ExecutionId, known: &Execution) -> Listed {
        Listed { execution, projection: known.projection.clone(), key: known.key.clone() }
    }

    fn list(&self, query: &ExecutionQuery) -> Vec<Listed> {
        let since = query.since.map_or(0, |since| u64::try_from(since.0).unwrap_or(0));
        let wanted = |listed: &Listed| {
            let projection = &listed.projection;
            projection.definition.namespace == query.namespace
                && query.workflow.as_ref().is_none_or(|name| projection.definition.name == *name)
                && query.status.is_none_or(|status| projection.status == status)
                && query.key.as_ref().is_none_or(|key| listed.key.as_ref() == Some(key))
                && listed.execution.created_at_ms() >= since
                && query.before.is_none_or(|before| listed.execution < before)
        };
        let all = self.executions.iter().rev().map(|(id, known)| Self::listed(*id, known));
        all.filter(wanted).take(query.limit).collect()
    }
}

impl Lookup for MemoryStore {
    fn record(&self, id: RecordId) -> BoxFuture<'_, Result<Option<Vec<u8>>, Error>> {
        Box::pin(async move { Ok(self.contents().beside.records.get(&id).cloned()) })
    }

    fn records(&self, range: RecordRange) -> BoxFuture<'_, Result<Vec<Record>, Error>> {
        Box::pin(async move {
            let contents = self.contents();
            let wanted = |id: &RecordId| {
                id.kind == range.kind
                    && range.namespace.as_ref().is_none_or(|_| id.namespace == range.namespace)
                    && range.after.as_ref().is_none_or(|after| id > after)
            };
            let found = contents.beside.records.iter().filter(|(id, _)| wanted(id));
            let found = found.map(|(id, value)| Record { id: id.clone(), value: value.clone() });
            Ok(found.take(range.limit).collect())
        })
    }

    fn executions(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<Listed>, Error>> {
        Box::pin(async move { Ok(self.contents().list(&query)) })
    }

    fn standing(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<Listed>, Error>> {
        Box::pin(async move {
            let contents = self.contents();
            let known = contents.executions.get(&execution);
            Ok(known.map(|known| Contents::listed(execution, known)))
        })
    }

    fn audit_after(
        &self,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredAudit>, Error>> {
        Box::pin(async move {
            let contents = self.contents();
            let later = contents.beside.audit.iter().filter(|fact| fact.number > after);
            Ok(later.take(limit).cloned().collect())
        })
    }

    fn open_count(&self) -> BoxFuture<'_, Result<u64, Error>> {
        Box::pin(async move {
            let contents = self.contents();
            let is_open = |known: &&Execution| !known.projection.status.is_terminal();
            Ok(contents.executions.values().filter(is_open).count() as u64)
        })
    }

    fn head(&self) -> BoxFuture<'_, Result<ChainHead, Error>> {
        Box::pin(async move { Ok(self.contents().beside.head) })
    }
}
