//! Executions that are not in memory: read, taken in, started or taken back.

use std::collections::BTreeMap;

use tutti_engine::{ChildOutcome, ChildRequest, Command, Control, Input, Rejection};
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::Timestamp;

use super::{Loop, surroundings};
use crate::{
    happening::{
        Beside, Message, Output, Refusal, RequestId, Settlement, Standing, Stored, Unread,
    },
    resident::{Journal, Resident},
};

impl Loop {
    /// Does something with an execution, loading it first where it is not in memory.
    pub(super) fn with(&mut self, execution: ExecutionId, awaiting: Awaiting, now: Timestamp) {
        if self.residents.contains_key(&execution) {
            return self.carry_out(execution, awaiting, now);
        }
        if let (Some(reason), true) = (self.set_aside.get(&execution), awaiting.is_ours()) {
            let refusal = Refusal::Unreadable(reason.clone());
            return self.refuse_all(execution, vec![awaiting], &refusal);
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
                let wants_whole = awaiting.iter().any(|each| matches!(each, Awaiting::Retry(..)));
                let sealer = &*self.options.sealer;
                let resident =
                    Resident::restore(id, &journal, &history.projection, workflow, sealer)
                        .filter(|_| journal.snapshot.is_none() || !wants_whole);
                let Some(resident) = resident else {
                    self.loading.insert(id, awaiting);
                    return self.outputs.push(Output::LoadWhole(id));
                };
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

    /// An execution that is damaged stops no other: it is set aside, and its parent waits. Where the store does not answer,
    /// callers are refused; but work of ours would be lost silently: then the loop stops, and whoever starts it again goes
    /// on with everything.
    fn on_unread(&mut self, id: ExecutionId, awaiting: Vec<Awaiting>, error: Unread) {
        match error {
            Unread::Damaged(reason) => self.set_aside(id, awaiting, reason),
            Unread::Store(error) => {
                let is_ours = awaiting.iter().any(Awaiting::is_ours);
                let refusal = Refusal::Unreadable(error.to_string());
                self.refuse_all(id, awaiting, &refusal);
                if is_ours {
                    self.outputs.push(Output::Halt(error));
                }
            }
        }
    }

    fn set_aside(&mut self, id: ExecutionId, awaiting: Vec<Awaiting>, reason: String) {
        self.timers.set(id, None);
        self.feeder.forget(id);
        // What it asked of its children is asked again, should it come back.
        self.parking.take_asked(id);
        self.refuse_all(id, awaiting, &Refusal::Unreadable(reason.clone()));
        self.answer(id, &Settlement::Lost(reason.clone()));
        if self.set_aside.insert(id, reason.clone()).is_none() {
            self.outputs.push(Output::SetAside(id, reason));
        }
    }

    /// Reads the journal again, as going back needs it, unless turns are under way to it.
    pub(super) fn on_retry(
        &mut self,
        id: ExecutionId,
        from: Option<TaskRef>,
        beside: Beside,
        request: RequestId,
    ) {
        let busy = self
            .residents
            .get(&id)
            .is_some_and(|resident| !resident.is_settled() || !resident.in_flight.is_empty());
        if busy {
            return self.outputs.push(Output::Reply(request, Err(Rejection::Busy.into())));
        }
        self.residents.remove(&id);
        self.feeder.forget(id);
        let queue = self.loading.entry(id).or_default();
        queue.push(Awaiting::Retry(from, beside, request));
        if queue.len() == 1 {
            self.outputs.push(Output::LoadWhole(id));
        }
    }

    pub(super) fn retry(
        &mut self,
        id: ExecutionId,
        journal: &Journal,
        retry: Awaiting,
        now: Timestamp,
    ) {
        let (Awaiting::Retry(from, beside, request), Some(resident)) =
            (retry, self.residents.get_mut(&id))
        else {
            return;
        };
        let first = resident.execution.next_sequence();
        let surroundings = surroundings(&self.options, &self.dispatcher, now);
        match resident.execution.rewind(&journal.turns, from.as_ref(), &surroundings) {
            Ok((execution, entries)) => {
                resident.replace(execution);
                self.feeder.forget(id);
                self.finish_turn(id, first, entries, now);
                self.pending.write_beside(beside);
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
        let before = self.stranded.remove(&id);
        let is_read_again = before.is_some();
        let mut stranded = before.unwrap_or_default();
        stranded.retain(|task, attempt| {
            let wanted = resident.wants_end_of(*task, *attempt);
            if wanted {
                self.dispatcher.take((id, *task));
            } else {
                self.outputs.push(Output::CancelCall(id, *task));
            }
            wanted
        });
        let asked = self.parking.take_asked(id);
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
            command => !asked.has(command),
        });
        if resident.wants_turn() {
            resident.queued = true;
            self.busy.push_back(id);
        }
        if self.set_aside.remove(&id).is_some()
            && let Some(parent) = resident.execution.parent()
        {
            self.tell(parent.execution, Message::AskAgain { child: id });
        }
        self.parking.touch(id);
        self.residents.insert(id, resident);
        self.note_listeners(id);
        for task in lost {
            self.feed(id, Input::CallLost { task }, now).ok();
        }
        self.carry_out_owed(id, owed, now);
        for awaiting in awaiting {
            self.carry_out(id, awaiting, now);
        }
        self.settle(id);
        if is_read_again {
            self.say_if_it_stands(id);
        }
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
            return self.refuse_all(id, others, &Refusal::NotFound(id));
        }
        for awaiting in others {
            self.carry_out(id, awaiting, now);
        }
    }

    pub(super) fn refuse_all(
        &mut self,
        id: ExecutionId,
        awaiting: Vec<Awaiting>,
        refusal: &Refusal,
    ) {
        for awaiting in awaiting {
            match awaiting {
                Awaiting::Adopt(request)
                | Awaiting::Admit(_, _, request)
                | Awaiting::Control(_, _, request)
                | Awaiting::Retry(_, _, request) => {
                    self.outputs.push(Output::Reply(request, Err(refusal.clone())));
                }
                Awaiting::Watch(request) => {
                    self.outputs
                        .push(Output::Settled(request, Settlement::Lost(refusal.to_string())));
                }
                Awaiting::Count { parent, number } => {
                    let standing = match refusal {
                        Refusal::Unreadable(reason) => {
                            let lost = Some(format!("its child {id}: {reason}"));
                            Some(Standing { lost, ..Standing::default() })
                        }
                        // It is about to be started.
                        Refusal::NotFound(_) | Refusal::Rejected(_) => None,
                    };
                    self.tell(parent, Message::Counted { child: id, number, standing });
                }
                Awaiting::Child(_)
                | Awaiting::Stands
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
    Admit(Option<Sequence>, Beside, RequestId),
    Control(Control, Beside, RequestId),
    Watch(RequestId),
    Retry(Option<TaskRef>, Beside, RequestId),
    /// Its parent wants it started, or to know how it ended.
    Child(Box<ChildRequest>),
    /// Its parent gives it up.
    Cancel {
        parent: ExecutionId,
    },
    /// Something below it stands still.
    Stands,
    /// Its parent wants to know whether it stands still.
    Count {
        parent: ExecutionId,
        number: u64,
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
        match self {
            Self::Adopt(_)
            | Self::Admit(..)
            | Self::Control(..)
            | Self::Watch(_)
            | Self::Retry(..) => false,
            Self::Child(_)
            | Self::Cancel { .. }
            | Self::Stands
            | Self::Count { .. }
            | Self::AskAgain { .. }
            | Self::Fact(_) => true,
        }
    }

    /// The attempt whose end this tells.
    fn ended(&self) -> Option<(Sequence, u32)> {
        match self {
            Self::Fact(Input::CallFinished { task, attempt, .. }) => Some((*task, *attempt)),
            _ => None,
        }
    }
}
