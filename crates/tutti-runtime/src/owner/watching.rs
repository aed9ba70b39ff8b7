//! Who wants to know when an execution ends or needs a person.

use tutti_engine::{Execution, Limits, Status};
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::{Error, ErrorType, SuspensionReason};

use super::Loop;
use crate::{
    happening::{Incident, Output, Settlement},
    resident::Resident,
};

impl Loop {
    /// Answers the watchers of an execution that has ended, and of those that only a person can move, as far as that is
    /// durable.
    pub(super) fn settle(&mut self, id: ExecutionId) {
        let Some(resident) = self.residents.get(&id).filter(|resident| resident.is_settled())
        else {
            return;
        };
        if let Some(outcome) = resident.execution.outcome() {
            let settlement = Settlement::Ended(outcome.clone());
            for request in self.watchers.remove(&id).unwrap_or_default() {
                self.outputs.push(Output::Settled(request, settlement.clone()));
            }
        }
        // The end of a child may be what its parent's standstill was waiting for.
        if resident.execution.parent().is_some()
            || resident.execution.status() == Status::Suspended
            || self.watchers.contains_key(&id)
        {
            let watched: Vec<ExecutionId> = self.watchers.keys().copied().collect();
            for root in watched {
                if let Some(settlement) = self.standstill(root) {
                    self.answer(root, &settlement);
                }
            }
        }
    }

    pub(super) fn answer(&mut self, id: ExecutionId, settlement: &Settlement) {
        for request in self.watchers.remove(&id).unwrap_or_default() {
            self.outputs.push(Output::Settled(request, settlement.clone()));
        }
    }

    /// Answers the watchers of executions that only a person or an event can move.
    pub(super) fn settle_standstills(&mut self) {
        let watched: Vec<ExecutionId> = self.watchers.keys().copied().collect();
        for root in watched {
            if let Some(settlement) = self.standstill(root) {
                self.answer(root, &settlement);
            }
        }
    }

    /// How an execution and its children stand, if nothing moves in any of them and one is suspended or awaits events.
    pub(super) fn standstill(&self, root: ExecutionId) -> Option<Settlement> {
        let mut incidents = Vec::new();
        let mut awaited = Vec::new();
        let mut suspended = false;
        for resident in self.residents.values().filter(|resident| self.descends(resident, root)) {
            let execution = &resident.execution;
            let stands =
                resident.is_settled() && resident.in_flight.is_empty() && resident.wake().is_none();
            if !stands || matches!(execution.status(), Status::Running | Status::Pending) {
                return None;
            }
            suspended |= execution.status() == Status::Suspended;
            awaited.extend(self.awaited(resident));
            incidents.extend(execution.incidents().map(|(task, reference, error)| Incident {
                execution: execution.id(),
                task,
                reference,
                error: error.clone(),
            }));
            incidents.extend(journal_limit(execution, &self.options.limits));
        }
        if suspended {
            return Some(Settlement::Suspended { incidents });
        }
        // What is being read may move.
        let listens = !awaited.is_empty() && self.loading.is_empty();
        listens.then_some(Settlement::Listening { awaited })
    }

    pub(super) fn descends(&self, resident: &Resident, root: ExecutionId) -> bool {
        let mut current = Some(resident);
        while let Some(resident) = current {
            if resident.execution.id() == root {
                return true;
            }
            current = resident
                .execution
                .parent()
                .and_then(|parent| self.residents.get(&parent.execution));
        }
        false
    }
}

/// The incident of an execution whose journal may grow only if a person says so.
fn journal_limit(execution: &Execution, limits: &Limits) -> Option<Incident> {
    let reason = execution.suspended()?;
    let detail = format!(
        "the journal has grown by {} entries; resume the execution to grant as many again, or cancel it",
        limits.journal_entries
    );
    (*reason == SuspensionReason::JournalLimit).then(|| Incident {
        execution: execution.id(),
        task: Sequence::FIRST,
        reference: TaskRef::root(),
        error: Error::new(ErrorType::Runtime, detail),
    })
}
