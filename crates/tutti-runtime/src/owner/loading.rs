//! Executions that are not in memory: read, taken in, started or taken back.

use std::collections::BTreeMap;

use tutti_engine::{ChildOutcome, ChildRequest, Command, Control, Input, Rejection};
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::Timestamp;

use super::{Loop, surroundings};
use crate::{
    happening::{Message, Output, Refusal, RequestId, Settlement, Stored, Unread},
    resident::{Journal, Resident},
};

impl Loop {
    /// Does something with an execution, loading it first where it is not in memory.
    pub(super) fn with(&mut self, execution: ExecutionId, awaiting: Awaiting, now: Timestamp) {
        if self.residents.contains_key(&execution) {
            return self.carry_out(execution, awaiting, now);
        }
        let queue = self.loading.entry(execution).or_default();
        queue.push(awaiting);
        if queue.len() == 1 {
            self.outputs.push(Output::Load(execution));
        }
    }

    pub(super) fn on_loaded(
        &mut self,
        id: ExecutionId,
        result: Result<Option<Stored>, Unread>,
        now: Timestamp,
    ) {
        let awaiting = self.loading.remove(&id).unwrap_or_default();
        if self.residents.contains_key(&id) {
            // It was started meanwhile: what was read is older than what is in memory.
            self.stranded.remove(&id);
            for awaiting in awaiting {
                self.carry_out(id, awaiting, now);
            }
            return;
        }
        let (history, workflow) = match result {
            Ok(Some(stored)) => stored,
            Ok(None) => return self.on_missing(id, awaiting, now),
            Err(error) => return self.on_unread(id, awaiting, error),
        };
        match Journal::decode(&history, &*self.options.sealer) {
            Ok(journal) => {
                let resident = Resident::restore(id, &journal, &history.projection, workflow);
                let (retries, others): (Vec<_>, Vec<_>) = awaiting
                    .into_iter()
                    .partition(|awaiting| matches!(awaiting, Awaiting::Retry(..)));
                self.take_in(id, resident, others, now);
                for retry in retries {
                    self.retry(id, &journal, retry, now);
                }
            }
            Err(error) => self.on_unread(id, awaiting, Unread::Damaged(error)),
        }
    }

    /// Callers are refused. Work of ours that needs the execution would be lost silently: then the loop stops, and whoever
    /// starts it again goes on with everything.
    pub(super) fn on_unread(&mut self, _id: ExecutionId, awaiting: Vec<Awaiting>, error: Unread) {
        let is_ours = awaiting.iter().any(Awaiting::is_ours);
        let reason = match &error {
            Unread::Store(source) => format!("{error}: {source}"),
            Unread::Damaged(reason) => reason.clone(),
        };
        self.refuse_all(awaiting, &Refusal::Unreadable(reason.clone()));
        if is_ours {
            let attempt = format!("cannot go on with an execution: {reason}");
            self.outputs
                .push(Output::Halt(tutti_store::Error::Unavailable { attempt, source: None }));
        }
    }

    /// Reads the journal again, as going back needs it, unless turns are under way to it.
    pub(super) fn on_retry(&mut self, id: ExecutionId, from: Option<TaskRef>, request: RequestId) {
        let busy = self
            .residents
            .get(&id)
            .is_some_and(|resident| !resident.is_settled() || !resident.in_flight.is_empty());
        if busy {
            return self.outputs.push(Output::Reply(request, Err(Rejection::Busy.into())));
        }
        self.residents.remove(&id);
        let queue = self.loading.entry(id).or_default();
        queue.push(Awaiting::Retry(from, request));
        if queue.len() == 1 {
            self.outputs.push(Output::Load(id));
        }
    }

    pub(super) fn retry(
        &mut self,
        id: ExecutionId,
        journal: &Journal,
        retry: Awaiting,
        now: Timestamp,
    ) {
        let (Awaiting::Retry(from, request), Some(resident)) = (retry, self.residents.get_mut(&id))
        else {
            return;
        };
        let first = resident.execution.next_sequence();
        let surroundings = surroundings(&self.options, &self.dispatcher, now);
        match resident.execution.rewind(&journal.turns, from.as_ref(), &surroundings) {
            Ok((execution, entries)) => {
                resident.replace(execution);
                self.finish_turn(id, first, entries, now);
                self.pending.replies.push(request);
            }
            Err(rejection) => self.outputs.push(Output::Reply(request, Err(rejection.into()))),
        }
    }

    /// Takes over an execution from the store: calls whose dispatch was recorded are lost, everything else it is owed is
    /// done.
    pub(super) fn take_in(
        &mut self,
        id: ExecutionId,
        mut resident: Resident,
        awaiting: Vec<Awaiting>,
        now: Timestamp,
    ) {
        let mut stranded = self.stranded.remove(&id).unwrap_or_default();
        stranded.retain(|task, attempt| {
            let wanted = resident.wants_end_of(*task, *attempt);
            if wanted {
                self.dispatcher.take((id, *task));
            } else {
                self.outputs.push(Output::CancelCall(id, *task));
            }
            wanted
        });
        let ended: BTreeMap<Sequence, u32> = awaiting.iter().filter_map(Awaiting::ended).collect();
        resident.in_flight = stranded.clone();
        let known = ended.iter().chain(&stranded).map(|(task, attempt)| (*task, *attempt));
        let lost = resident.lost_calls(&known.collect());
        let mut owed = resident.newly_owed();
        owed.commands.retain(|command| match command {
            Command::Call { task, call, .. } => {
                !lost.contains(task) && ended.get(task) != Some(&call.attempt)
            }
            Command::CancelCall { task, attempt } => {
                !lost.contains(task) && ended.get(task) != Some(attempt)
            }
            _ => true,
        });
        if resident.wants_turn() {
            resident.queued = true;
            self.busy.push_back(id);
        }
        self.residents.insert(id, resident);
        for task in lost {
            self.feed(id, Input::CallLost { task }, now).ok();
        }
        self.carry_out_owed(id, owed, now);
        for awaiting in awaiting {
            self.carry_out(id, awaiting, now);
        }
        self.settle(id);
    }

    /// The store does not know the execution: a child that was asked for is started now.
    pub(super) fn on_missing(&mut self, id: ExecutionId, awaiting: Vec<Awaiting>, now: Timestamp) {
        let (mut children, others): (Vec<_>, Vec<_>) =
            awaiting.into_iter().partition(|awaiting| matches!(awaiting, Awaiting::Child(_)));
        if let Some(Awaiting::Child(request)) = children.pop() {
            self.start_child(*request, now);
        } else {
            for awaiting in &others {
                if let Awaiting::Cancel { parent } = awaiting {
                    let ended = Message::ChildEnded { child: id, outcome: ChildOutcome::Cancelled };
                    self.tell(*parent, ended);
                }
            }
            return self.refuse_all(others, &Refusal::NotFound(id));
        }
        for awaiting in others {
            self.carry_out(id, awaiting, now);
        }
    }

    pub(super) fn refuse_all(&mut self, awaiting: Vec<Awaiting>, refusal: &Refusal) {
        for awaiting in awaiting {
            match awaiting {
                Awaiting::Adopt(request)
                | Awaiting::Control(_, request)
                | Awaiting::Retry(_, request) => {
                    self.outputs.push(Output::Reply(request, Err(refusal.clone())));
                }
                Awaiting::Watch(request) => {
                    self.outputs
                        .push(Output::Settled(request, Settlement::Lost(refusal.to_string())));
                }
                Awaiting::Child(_)
                | Awaiting::Cancel { .. }
                | Awaiting::AskAgain { .. }
                | Awaiting::Fact(_) => {}
            }
        }
    }
}

/// What waits for an execution to be loaded.
#[derive(Debug)]
pub(super) enum Awaiting {
    Adopt(RequestId),
    Control(Control, RequestId),
    Watch(RequestId),
    Retry(Option<TaskRef>, RequestId),
    /// Its parent wants it started, or to know how it ended.
    Child(Box<ChildRequest>),
    /// Its parent gives it up.
    Cancel {
        parent: ExecutionId,
    },
    /// A child of it was read again: what it wants of that child must be told again.
    AskAgain {
        child: ExecutionId,
    },
    Fact(Input),
}

impl Awaiting {
    /// Whether no caller asks: nobody would ask again.
    fn is_ours(&self) -> bool {
        matches!(self, Self::Child(_) | Self::Cancel { .. } | Self::AskAgain { .. } | Self::Fact(_))
    }

    /// The attempt whose end this tells.
    fn ended(&self) -> Option<(Sequence, u32)> {
        match self {
            Self::Fact(Input::CallFinished { task, attempt, .. }) => Some((*task, *attempt)),
            _ => None,
        }
    }
}
