//! What follows a commit, or its failure.

use std::{collections::BTreeSet, mem, sync::Arc};

use tutti_dsl::Workflow;
use tutti_engine::Input;
use tutti_ids::ExecutionId;
use tutti_journal::{Timestamp, Turn};
use tutti_store::{Commit, Expected, RecordChange};

use super::{Loop, loading::Awaiting};
use crate::{
    dispatch::Dispatcher,
    happening::{Beside, Message, Output, Refusal, RequestId},
    resident::{Owed, Resident},
};

impl Loop {
    pub(super) fn submit(&mut self) {
        if self.committing.is_some() || self.pending.is_empty() {
            return;
        }
        let mut batch = mem::take(&mut self.pending);
        self.outputs.push(Output::Commit(mem::take(&mut batch.commit)));
        self.committing = Some(batch);
    }

    pub(super) fn on_committed(&mut self, result: Result<(), tutti_store::Error>, now: Timestamp) {
        let Some(batch) = self.committing.take() else { return };
        match result {
            Ok(()) => self.on_durable(batch, now),
            Err(error) => self.on_commit_failed(batch, error),
        }
    }

    pub(super) fn on_durable(&mut self, batch: Batch, now: Timestamp) {
        let turned: BTreeSet<ExecutionId> =
            batch.published.iter().map(|(turn, _)| turn.execution).collect();
        for (turn, workflow) in batch.published {
            if let Some(resident) = self.residents.get_mut(&turn.execution) {
                resident.turns_ahead = resident.turns_ahead.saturating_sub(1);
                resident.is_durable = true;
            }
            self.outputs.push(Output::Publish(turn, workflow));
        }
        self.outputs
            .extend(batch.replies.into_iter().map(|request| Output::Reply(request, Ok(()))));
        for (id, owed) in batch.owed {
            self.carry_out_owed(id, owed, now);
        }
        for id in turned {
            self.after_commit(id);
        }
    }

    /// A turn of the execution is durable: whoever waits for its end is told.
    pub(super) fn after_commit(&mut self, id: ExecutionId) {
        self.parking.touch(id);
        let Some(resident) = self.residents.get(&id) else { return };
        if resident.turns_ahead > 0 {
            return;
        }
        let parent =
            resident.execution.parent().filter(|parent| parent.awaits || !resident.parent_told);
        self.settle_anew(id);
        if let Some(parent) = parent {
            self.report_to_parent(id, parent.execution);
        }
    }

    /// An execution that has ended need not be in memory, unless somebody watches or a call of it has not come back.
    pub(super) fn forget_if_over(&mut self, id: ExecutionId) {
        let is_over = self.residents.get(&id).is_some_and(|resident| {
            resident.is_settled()
                && resident.execution.outcome().is_some()
                && resident.in_flight.is_empty()
        });
        if is_over && !self.watchers.contains_key(&id) {
            self.residents.remove(&id);
            self.feeder.forget(id);
            self.timers.set(id, None);
        }
    }

    /// Nobody may act on turns that are not durable: what is in memory is dropped and read again.
    pub(super) fn on_commit_failed(&mut self, batch: Batch, error: tutti_store::Error) {
        let dropped = mem::take(&mut self.pending);
        let again = matches!(
            error,
            tutti_store::Error::Conflict { .. } | tutti_store::Error::Ambiguous { .. }
        );
        if !again {
            self.outputs.push(Output::Halt(error));
            return;
        }
        self.busy.clear();
        self.dispatcher = Dispatcher::new(self.options.max_calls);
        for (id, resident) in mem::take(&mut self.residents) {
            self.give_up_counts(|of| of == id);
            self.parking.touch(id);
            self.feeder.forget(id);
            self.reload(id, &resident);
        }
        for request in batch.replies.into_iter().chain(dropped.replies) {
            let refusal = Refusal::Unreadable(
                "it cannot be told whether the request was carried out".to_owned(),
            );
            self.outputs.push(Output::Reply(request, Err(refusal)));
        }
    }

    pub(super) fn reload(&mut self, id: ExecutionId, resident: &Resident) {
        self.timers.set(id, None);
        self.stranded.insert(id, resident.in_flight.clone());
        if let Some(parent) = resident.execution.parent() {
            // What the parent told it may have been in what was not stored.
            let message = Message::AskAgain { child: id };
            self.tell(parent.execution, message);
        }
        let watchers = self.watchers.remove(&id).unwrap_or_default();
        let queue = self.loading.entry(id).or_default();
        let idle = queue.is_empty();
        queue.extend(watchers.into_iter().map(Awaiting::Watch));
        if idle {
            // Something must wait for it, or nothing would notice that it came back.
            queue.push(Awaiting::Fact(Input::Continue));
            self.outputs.push(Output::Load(id));
        }
    }
}

/// Turns that become durable together, and what follows once they are.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) commit: Commit,
    pub(super) entries: usize,
    pub(super) published: Vec<(Turn, Arc<Workflow>)>,
    /// What each turn newly asks of the world.
    pub(super) owed: Vec<(ExecutionId, Owed)>,
    pub(super) replies: Vec<RequestId>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        let Commit { turns, records, audit, .. } = &self.commit;
        turns.is_empty() && records.is_empty() && audit.is_empty()
    }

    /// Has this become durable with the turns.
    pub(super) fn write_beside(&mut self, beside: Beside) {
        let change = |(id, value)| RecordChange { id, expected: Expected::Anything, value };
        self.commit.records.extend(beside.records.into_iter().map(change));
        self.commit.audit.extend(beside.audit);
    }
}
