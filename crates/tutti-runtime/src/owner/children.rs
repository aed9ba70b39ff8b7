//! Executions that started others: what parents and children tell each other.
//!
//! Whoever owns which of them, they talk by messages only ([`Message`]), and every message leaves after the commit of what
//! it says. Losing one is no harm: a parent that is read again asks again, and so is one whose child is read again.

use tutti_engine::{ChildOutcome, ChildRequest, Input, Outcome, Start};
use tutti_ids::ExecutionId;
use tutti_journal::{Error, Timestamp};

use super::{Loop, loading::Awaiting};
use crate::{
    admission::hold_of,
    happening::{Message, Output},
    resident::Owed,
};

impl Loop {
    pub(super) fn on_told(&mut self, to: ExecutionId, message: Message, now: Timestamp) {
        let awaiting = match message {
            Message::StartChild { request, newest_event } => {
                self.newest_event = self.newest_event.max(newest_event);
                Awaiting::Child(request)
            }
            Message::CancelChild { parent } => Awaiting::Cancel { parent },
            Message::ChildStarted { child } => Awaiting::Fact(Input::ChildStarted { child }),
            Message::ChildEnded { child, outcome } => {
                Awaiting::Fact(Input::ChildEnded { child, outcome })
            }
            Message::Stands => Awaiting::Stands,
            Message::Count { parent, number } => Awaiting::Count { parent, number },
            Message::Counted { child, number, standing } => {
                return self.on_counted(child, number, standing, now);
            }
            Message::AskAgain { child } => Awaiting::AskAgain { child },
        };
        self.with(to, awaiting, now);
    }

    pub(super) fn start_child(&mut self, request: ChildRequest, now: Timestamp) {
        let Some(workflow) = self.options.library.get(request.digest) else {
            let error = Error::new(
                tutti_journal::ErrorType::Configuration,
                format!("the workflow {} is not available", request.definition),
            );
            let outcome = ChildOutcome::Faulted(error);
            let message = Message::ChildEnded { child: request.execution, outcome };
            return self.tell(request.parent.execution, message);
        };
        let hold = match hold_of(&workflow, None, Some(&request.input), now) {
            Ok(hold) => hold,
            Err(detail) => {
                let error = Error::new(tutti_journal::ErrorType::Expression, detail);
                let outcome = ChildOutcome::Faulted(error);
                let message = Message::ChildEnded { child: request.execution, outcome };
                return self.tell(request.parent.execution, message);
            }
        };
        let start = Start {
            execution: request.execution,
            definition: request.definition,
            digest: request.digest,
            seed: fold(request.execution.to_bits()),
            input: Some(request.input),
            parent: Some(request.parent),
            events_after: self.newest_event,
            key: None,
            hold,
        };
        self.on_start(start, workflow, None, now);
    }

    /// Tells the parent that a child is on its way or has ended, once that is durable.
    pub(super) fn report_to_parent(&mut self, child: ExecutionId, parent: ExecutionId) {
        let Some(resident) = self.residents.get_mut(&child) else { return };
        resident.parent_told = resident.is_settled();
        if !resident.parent_told {
            return;
        }
        let awaited = resident.execution.parent().is_some_and(|parent| parent.awaits);
        let outcome = match resident.execution.outcome() {
            _ if !awaited => return self.tell(parent, Message::ChildStarted { child }),
            Some(Outcome::Completed(output)) => ChildOutcome::Completed(output.clone()),
            Some(Outcome::Faulted(error)) => ChildOutcome::Faulted(error.clone()),
            Some(Outcome::Cancelled) => ChildOutcome::Cancelled,
            None => return,
        };
        self.tell(parent, Message::ChildEnded { child, outcome });
    }

    /// Tells a child again what its parent wants of it. The parent's last turns may not be durable yet: then after them.
    pub(super) fn ask_again(&mut self, parent: ExecutionId, child: ExecutionId, now: Timestamp) {
        let Some(resident) = self.residents.get(&parent) else { return };
        let commands = resident.wanted_of(child);
        let owed = Owed { commands, dropped: Vec::new() };
        self.owe_once_durable(parent, owed, now);
    }

    pub(super) fn tell(&mut self, to: ExecutionId, message: Message) {
        self.outputs.push(Output::Tell { to, message });
    }
}

/// The low half of an id's chance.
fn fold(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0)
}
