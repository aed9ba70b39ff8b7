//! What the world owes an execution.

use tutti_dsl::TaskKind;
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::{CallRecord, EventPosition, Timestamp};

use crate::{
    Execution,
    child::ChildRequest,
    frame::{Body, CallPhase, ChildPhase, Ending, Frame},
    matching::{EventInterest, interests},
};

/// An intent to act, derived from state, never stored beside it.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Give the execution another turn.
    Continue,
    /// Feed `Admitted` when the limits that it is held to have room for it.
    AwaitAdmission,
    /// Ask for a slot for a call that must not be repeated; then feed `SlotGranted`.
    AwaitSlot {
        /// The task execution whose call it is.
        task: Sequence,
    },
    /// Feed `CallAdmitted` when few enough calls of the task were made lately.
    AwaitCooldown {
        /// The task execution whose call it is.
        task: Sequence,
        /// The task in the document.
        reference: TaskRef,
        /// What `cooldown.by` gave, as JSON.
        group: Option<String>,
        /// Since when.
        since: Timestamp,
    },
    /// Make a call.
    Call {
        /// The task execution whose call it is.
        task: Sequence,
        /// The task in the document.
        reference: TaskRef,
        /// What is called.
        call: CallRecord,
        /// Whether its dispatch was recorded: after a crash it is then *lost*, not made again.
        dispatched: bool,
        /// Whether its output is a secret, so that no line of it may be shown.
        sensitive: bool,
    },
    /// Give up a call in flight and say what is known about it.
    CancelCall {
        /// The task execution whose call it is.
        task: Sequence,
        /// The attempt.
        attempt: u32,
    },
    /// Find out what became of a call.
    Probe {
        /// The task execution whose call it is.
        task: Sequence,
        /// The task in the document.
        reference: TaskRef,
        /// What was called.
        call: CallRecord,
        /// Whether its output is a secret, so that no line of it may be shown.
        sensitive: bool,
    },
    /// Start a child execution, if it has not been started, and tell when it ends.
    StartChild(ChildRequest),
    /// Cancel a child execution.
    CancelChild {
        /// The child.
        child: ExecutionId,
    },
    /// Feed events to a listener, one after the other. Whether it takes one is its answer: `NotMatched` where not.
    AwaitEvent {
        /// The task execution that listens.
        task: Sequence,
        /// The task in the document.
        reference: TaskRef,
        /// The events after this one.
        after: EventPosition,
        /// Which events may concern it; no other need be fed.
        interests: Vec<EventInterest>,
    },
    /// Feed `TimerFired` at this time.
    Wake {
        /// When.
        at: Timestamp,
    },
}

impl Execution {
    /// Returns what the world still owes this execution, in a stable order.
    pub fn outstanding(&self) -> impl Iterator<Item = Command> {
        let suspended = self.is_still();
        let turn = (!suspended && self.has_ready()).then_some(Command::Continue);
        let admission = self.held.map(|_since| Command::AwaitAdmission);
        let wake = if suspended { None } else { self.next_due().map(|at| Command::Wake { at }) };
        let owed = self.external_frames().filter_map(move |frame| self.owed(frame, suspended));
        // Calls and children of branches that going back has kept begin again when the execution is admitted.
        let begins = |owed: &Command| match owed {
            Command::Call { dispatched, .. } => !dispatched,
            Command::StartChild(_) => true,
            _ => false,
        };
        let is_held = self.held.is_some();
        let owed = owed.filter(move |owed| !(is_held && begins(owed)));
        turn.into_iter().chain(admission).chain(wake).chain(owed)
    }

    fn owed(&self, frame: &Frame, suspended: bool) -> Option<Command> {
        match &frame.body {
            Body::Call { record, phase } => self.owed_for_call(frame, record, phase, suspended),
            Body::Child { request, phase: ChildPhase::Requested } => match frame.ending {
                // Nobody waits for it: it goes on alone, if it has begun.
                Some(_) if !request.parent.awaits => None,
                Some(_) => Some(Command::CancelChild { child: request.execution }),
                None => Some(Command::StartChild(request.clone())),
            },
            Body::Listen(state) if !suspended && state.is_open(frame) => {
                match self.task_of(frame).map(|task| &task.kind) {
                    Some(TaskKind::Listen(listen)) => Some(Command::AwaitEvent {
                        task: frame.id,
                        reference: self.reference(frame),
                        after: state.after,
                        interests: interests(listen, state),
                    }),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn owed_for_call(
        &self,
        frame: &Frame,
        record: &CallRecord,
        phase: &CallPhase,
        suspended: bool,
    ) -> Option<Command> {
        let task = frame.id;
        let reference = || self.reference(frame);
        match (phase, &frame.ending) {
            (CallPhase::Dispatched, Some(Ending::Cancel | Ending::Fault(_) | Ending::Finish)) => {
                Some(Command::CancelCall { task, attempt: record.attempt })
            }
            (CallPhase::Probing(_), _) => {
                let (call, sensitive) = (record.clone(), self.is_sensitive(frame));
                Some(Command::Probe { task, reference: reference(), call, sensitive })
            }
            (CallPhase::Held { group, since }, None) => {
                let (group, since) = (group.clone(), *since);
                let reference = reference();
                (!suspended).then_some(Command::AwaitCooldown { task, reference, group, since })
            }
            (CallPhase::Scheduled, None) if record.effect == tutti_journal::Effect::Once => {
                (!suspended).then_some(Command::AwaitSlot { task })
            }
            (CallPhase::Scheduled | CallPhase::Dispatched, None) => Some(Command::Call {
                task,
                reference: reference(),
                call: record.clone(),
                dispatched: matches!(phase, CallPhase::Dispatched),
                sensitive: self.is_sensitive(frame),
            }),
            _ => None,
        }
    }
}
