//! Leaving by error: what completed inside is undone before the error goes on.

use tutti_ids::Sequence;
use tutti_journal::{Entry, Error, ErrorType, SuspensionReason};

use crate::{advance::Stepper, frame::Body};

impl Stepper<'_> {
    /// Ends a `try` with an error, or lets it handle it; first what completed inside it is undone.
    pub(super) fn leave_try(&mut self, id: Sequence, error: Error, handled: bool) {
        let holds = self.execution.frame(id).is_some_and(|frame| !frame.undos.is_empty());
        self.record(match (holds, handled) {
            (true, _) => Entry::ReversalStarted { task: id, error, handled },
            (false, true) => Entry::ErrorCaught { task: id, error },
            (false, false) => Entry::TaskFaulted { task: id, error },
        });
    }

    /// Ends the execution with an error; first what completed in it is undone.
    pub(super) fn fault_workflow(&mut self, error: Error) {
        let task = Sequence::FIRST;
        let holds = self.execution.frame(task).is_some_and(|frame| !frame.undos.is_empty());
        self.record(if holds {
            Entry::ReversalStarted { task, error, handled: false }
        } else {
            Entry::ExecutionFaulted { error }
        });
    }

    /// An undo failed: only a person can say what becomes of it.
    pub(super) fn ask_about_undo(&mut self, id: Sequence, cause: &Error) {
        let Some(frame) = self.execution.frame(id) else { return };
        let Body::Undo(_) = &frame.body else { return };
        let reference = self.execution.reference(frame);
        let error = Error::new(
            ErrorType::CompensationFailed,
            format!("what `{}` did could not be undone", reference.as_str()),
        )
        .with("cause", cause.to_value())
        .at(reference.as_str());
        self.record(Entry::IncidentRaised { task: id, error });
        self.record(Entry::ExecutionSuspended { reason: SuspensionReason::Incident });
    }
}
