//! Calls: which leave, which are given up, and what their end means.

use tutti_connectors::Call;
use tutti_engine::{CallOutcome, Command, Execution, Input, Secrets};
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::{CallRecord, Timestamp};

use super::{Loop, loading::Awaiting};
use crate::{
    dispatch::CallId,
    happening::{Message, Output},
    resident::Owed,
};

impl Loop {
    /// What an execution newly asks of the world is durable: do it.
    pub(super) fn carry_out_owed(&mut self, id: ExecutionId, owed: Owed, now: Timestamp) {
        for command in owed.commands {
            self.carry_out_command(id, command, now);
        }
        for task in owed.dropped {
            self.outputs.push(Output::CancelCall(id, task));
            self.leave_queue((id, task), now);
        }
        if let Some(resident) = self.residents.get(&id) {
            self.timers.set(id, resident.wake());
        }
    }

    pub(super) fn carry_out_command(&mut self, id: ExecutionId, command: Command, now: Timestamp) {
        match command {
            Command::Continue
            | Command::AwaitAdmission
            | Command::AwaitCooldown { .. }
            | Command::Wake { .. }
            | Command::AwaitEvent { .. } => {}
            Command::AwaitSlot { task } => {
                if self.dispatcher.request((id, task)) {
                    self.on_slot((id, task), now);
                }
            }
            Command::Call { task, .. } => {
                if self.dispatcher.request((id, task)) {
                    self.make_call((id, task));
                }
            }
            Command::CancelCall { task, attempt } => self.cancel_call((id, task), attempt, now),
            Command::Probe { task, reference, call, sensitive } => {
                let function = call.function.clone();
                let Some(resident) = self.residents.get(&id) else { return };
                let (execution, secrets) = (&resident.execution, &*self.options.secrets);
                let call = to_connector(execution, secrets, task, reference, call);
                let call = Call { sensitive, ..call };
                self.outputs.push(Output::Probe(function, call));
            }
            Command::StartChild(request) => {
                let to = request.execution;
                let message = Message::StartChild {
                    request: Box::new(request),
                    newest_event: self.newest_event,
                };
                self.tell(to, message);
            }
            Command::CancelChild { child } => {
                let message = Message::CancelChild { parent: id };
                self.tell(child, message);
            }
        }
    }

    /// A call that holds a slot: made if it may leave, else its dispatch is recorded first.
    pub(super) fn on_slot(&mut self, call: CallId, now: Timestamp) {
        let (id, task) = call;
        let waits = self.residents.get(&id).is_some_and(|resident| resident.awaits_slot(task));
        if !waits {
            return self.make_call(call);
        }
        if self.feed(id, Input::SlotGranted { task }, now).is_err() {
            self.leave_queue(call, now);
        }
    }

    pub(super) fn make_call(&mut self, (id, task): CallId) {
        let Some(resident) = self.residents.get_mut(&id) else { return };
        let Some(Command::Call { reference, call, sensitive, .. }) = resident.call(task) else {
            return;
        };
        if resident.in_flight.contains_key(&task) {
            return;
        }
        resident.in_flight.insert(task, call.attempt);
        let function = call.function.clone();
        let (execution, secrets) = (&resident.execution, &*self.options.secrets);
        let call = to_connector(execution, secrets, task, reference, call);
        let call = Call { sensitive, ..call };
        self.outputs.push(Output::MakeCall(function, call));
    }

    /// A call in flight is told to end; one that had not left yet never will.
    pub(super) fn cancel_call(&mut self, (id, task): CallId, attempt: u32, now: Timestamp) {
        if self.residents.get(&id).is_some_and(|resident| resident.in_flight.contains_key(&task)) {
            self.outputs.push(Output::CancelCall(id, task));
        } else {
            self.on_call_ended((id, task), attempt, CallOutcome::NotMade, now);
        }
    }

    pub(super) fn leave_queue(&mut self, call: CallId, now: Timestamp) {
        if self
            .residents
            .get(&call.0)
            .is_some_and(|resident| resident.in_flight.contains_key(&call.1))
        {
            // Its slot comes back when it ends.
            return;
        }
        if let Some(next) = self.dispatcher.release(call) {
            self.on_slot(next, now);
        }
    }

    pub(super) fn on_call_ended(
        &mut self,
        call: CallId,
        attempt: u32,
        outcome: CallOutcome,
        now: Timestamp,
    ) {
        let (id, task) = call;
        self.parking.touch(id);
        let in_flight = match self.residents.get_mut(&id) {
            Some(resident) => Some(&mut resident.in_flight),
            None => self.stranded.get_mut(&id),
        };
        if let Some(in_flight) = in_flight
            && in_flight.get(&task) == Some(&attempt)
        {
            in_flight.remove(&task);
        }
        if let Some(next) = self.dispatcher.release(call) {
            self.on_slot(next, now);
        }
        let input = Input::CallFinished { task, attempt, outcome };
        if !self.residents.contains_key(&id) {
            self.with(id, Awaiting::Fact(input), now);
        } else if self.feed(id, input, now).is_err() {
            self.after_late_result(call, now);
        }
    }

    /// A result that came too late is refused and changes nothing; but the attempt it stood in the way of leaves, and
    /// whoever waits for a standstill may have it now.
    pub(super) fn after_late_result(&mut self, call: CallId, now: Timestamp) {
        if self.is_call_owed(call) && self.dispatcher.request(call) {
            self.on_slot(call, now);
        }
        self.after_commit(call.0);
    }

    pub(super) fn is_call_owed(&self, (id, task): CallId) -> bool {
        self.residents.get(&id).is_some_and(|resident| {
            (resident.call(task).is_some() || resident.awaits_slot(task))
                && !resident.in_flight.contains_key(&task)
                && resident.is_settled()
        })
    }
}

/// A call as its connector gets it, with the secrets that its arguments may have parts of.
fn to_connector(
    execution: &Execution,
    secrets: &dyn Secrets,
    task: Sequence,
    reference: TaskRef,
    call: CallRecord,
) -> Call {
    Call {
        execution: execution.id(),
        task,
        reference,
        arguments: call.arguments,
        effect: call.effect,
        key: call.key,
        attempt: call.attempt,
        sensitive: false,
        secrets: execution.secrets_at_hand(task, secrets),
    }
}
