//! What calls, children and incidents do.

use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::{Entry, Error, ErrorType, Resolution};

use crate::{
    child::ChildRequest,
    execution::Execution,
    frame::{Body, CallPhase, ChildPhase, Ending},
};

impl Execution {
    pub(super) fn on_function_called(&mut self, task: Sequence, input: Option<&Value>) {
        self.touch(task, |frame| {
            let input = input.cloned().unwrap_or_else(|| frame.input.clone());
            frame.body = Body::Function { input, output: None };
        });
    }

    pub(super) fn apply_to_call(&mut self, entry: &Entry) {
        match entry {
            Entry::CallScheduled { task, call } => {
                self.forget_key(*task);
                self.set_body(
                    *task,
                    Body::Call { record: call.clone(), phase: CallPhase::Scheduled },
                );
            }
            Entry::CallDispatched { task } => self.set_phase(*task, CallPhase::Dispatched),
            Entry::CallCompleted { task, output } => self.settle(*task, Ok(output.clone())),
            Entry::CallFailed { task, error } => {
                if error.is(ErrorType::OutcomeUnknown) {
                    self.replace_ending(*task, error);
                }
                self.settle(*task, Err(error.clone()));
            }
            Entry::CallOutcomeUnknown { task, error, probed: false } => {
                self.set_phase(*task, CallPhase::Probing(error.clone()));
            }
            Entry::CallOutcomeUnknown { task, error, probed: true } => {
                self.set_phase(*task, CallPhase::Unknown(error.clone()));
            }
            Entry::CallRescheduled { task } => self.reschedule(*task),
            Entry::ChildStarted { task, execution, definition, input, awaited, digest } => {
                let depth = self.parent.map_or(0, |parent| parent.depth) + 1;
                let request = ChildRequest {
                    execution: *execution,
                    definition: definition.clone(),
                    digest: *digest,
                    input: input.clone(),
                    parent: tutti_journal::Parent {
                        execution: self.id,
                        task: *task,
                        depth,
                        awaits: *awaited,
                    },
                };
                self.set_body(*task, Body::Child { request, phase: ChildPhase::Requested });
            }
            Entry::ChildDetached { task } => self.touch(*task, |frame| {
                let input = frame.input.clone();
                if let Body::Child { phase, .. } = &mut frame.body {
                    *phase = ChildPhase::Done(Ok(input));
                }
            }),
            Entry::IncidentRaised { task, error } if self.is_undo(*task) => {
                self.on_undo_failed(*task, error);
            }
            Entry::IncidentRaised { task, error } => {
                self.set_phase(*task, CallPhase::Incident(error.clone()));
            }
            Entry::IncidentResolved { task, resolution } if self.is_undo(*task) => {
                self.on_undo_resolved(*task, resolution);
            }
            Entry::IncidentResolved { task, resolution } => self.on_resolved(*task, resolution),
            _ => {}
        }
    }

    pub(super) fn settle(&mut self, task: Sequence, result: Result<Value, Error>) {
        self.touch(task, |frame| match &mut frame.body {
            Body::Call { phase, .. } => *phase = CallPhase::Done(result),
            Body::Child { phase, .. } => *phase = ChildPhase::Done(result),
            _ => {}
        });
    }

    pub(super) fn on_resolved(&mut self, task: Sequence, resolution: &Resolution) {
        match resolution {
            Resolution::Retry => self.reschedule(task),
            Resolution::Complete { output } => self.settle(task, Ok(output.clone())),
            Resolution::Fault => {
                let error = self.frame(task).and_then(|frame| match &frame.body {
                    Body::Call { phase: CallPhase::Incident(error), .. } => Some(error.clone()),
                    _ => None,
                });
                let error = error
                    .unwrap_or_else(|| Error::new(ErrorType::OutcomeUnknown, "outcome unknown"));
                self.replace_ending(task, &error);
                self.settle(task, Err(error));
            }
        }
    }

    /// An error raised by a call that was being given up takes the place of the error it was given up for.
    pub(super) fn replace_ending(&mut self, task: Sequence, error: &Error) {
        let Some(frame) = self.frame(task) else { return };
        let mut around = Vec::from([task]);
        around.extend(self.ancestors(frame).map(|around| around.id));
        let raising = around.into_iter().find(|id| {
            self.frame(*id).and_then(|frame| frame.ending.as_ref()).is_some_and(Ending::is_fault)
        });
        if let Some(raising) = raising {
            self.touch(raising, |frame| frame.ending = Some(Ending::Fault(error.clone())));
        }
    }

    pub(super) fn reschedule(&mut self, task: Sequence) {
        self.touch(task, |frame| {
            if let Body::Call { record, phase } = &mut frame.body {
                record.attempt += 1;
                *phase = CallPhase::Scheduled;
            }
        });
    }

    /// What had been given up is wanted again: the call under its key, or another child in place of the one that ended.
    pub(crate) fn make_again(&mut self, task: Sequence) {
        self.reschedule(task);
        if self.frame(task).is_some_and(|frame| matches!(frame.body, Body::Child { .. })) {
            self.external.remove(&task);
            self.set_body(task, Body::Fresh);
        }
    }
}
