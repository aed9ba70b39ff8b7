//! How entries change state. Total on every entry that `step` can make; evaluates nothing.

mod attempts;
mod branches;
mod calls;
mod events;
mod extension;
mod lines;
mod passage;
mod tree;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::{Entry, SuspensionReason, Timestamp};

use self::{extension::Completed, passage::Started};
use crate::{
    environment::moment,
    execution::{Execution, Outcome},
    frame::{Body, CallPhase, Cursor, Ending, Frame, Role, TryPhase},
    hold::Hold,
};

impl Execution {
    /// Folds one entry, decided at `at`, into the state: the only way state changes.
    pub fn apply(&mut self, at: Timestamp, entry: &Entry) {
        let sequence = self.next;
        let front = self.ready.front().copied();
        self.next = sequence.next();
        self.updated_at = at;
        match entry {
            Entry::ExecutionStarted { seed, input, parent, events_after, .. } => {
                self.seed = *seed;
                self.parent = *parent;
                self.started_at = at;
                self.events_after = events_after.unwrap_or_default();
                self.begin(at, input);
            }
            Entry::InputAccepted { input, due } => self.on_input_accepted(input.as_ref(), *due),
            Entry::TaskStarted { reference, parent, iteration, raw, input, due, .. } => {
                let started =
                    Started { id: sequence, at, reference, parent: *parent, iteration: *iteration };
                self.on_task_started(&started, raw.as_ref(), input.as_ref(), *due);
            }
            Entry::TaskSkipped { reference, parent, iteration } => {
                self.on_skipped(reference, *parent, *iteration);
            }
            Entry::TaskCompleted { task, output, context, then } => {
                self.on_completed(sequence, *task, output.as_ref(), context.as_ref(), *then);
            }
            Entry::TaskFaulted { task, error } => self.on_faulted(*task, error),
            Entry::TaskCancelled { task } => self.on_cancelled(*task),
            Entry::TaskTimedOut { task, error } => {
                self.end_frame(*task, Ending::Fault(error.clone()));
            }
            Entry::CaseSelected { task, then, .. } => {
                self.set_body(*task, Body::Switched { then: *then });
            }
            Entry::FunctionCalled { task, input } => self.on_function_called(*task, input.as_ref()),
            Entry::LoopStarted { task, items, limit } => self.on_loop_started(*task, items, *limit),
            Entry::ItemStarted { task, index } => self.on_item_started(sequence, at, *task, *index),
            Entry::BranchesJoined { task } => self.on_joined(*task),
            Entry::WaitStarted { task, due } => self.set_body(*task, Body::Wait { due: *due }),
            Entry::EventEmitted { .. }
            | Entry::ListenStarted { .. }
            | Entry::EventConsumed { .. } => self.apply_to_events(entry),
            Entry::RetryScheduled { .. }
            | Entry::RetryStarted { .. }
            | Entry::ErrorCaught { .. } => {
                self.apply_to_try(entry);
            }
            Entry::ExecutionSuspended { reason } => self.suspended = Some((reason.clone(), at)),
            Entry::ExecutionResumed => self.on_resumed(at),
            Entry::ExecutionHeld { group } => {
                self.held = Some(at);
                self.hold = Some(Hold { group: group.clone() });
            }
            Entry::ExecutionAdmitted => self.on_admitted(at),
            Entry::CallHeld { task, group, .. } => {
                self.set_phase(*task, CallPhase::Held { group: group.clone(), since: at });
            }
            Entry::CallAdmitted { task } => self.set_phase(*task, CallPhase::Scheduled),
            Entry::CancelRequested { .. } => {
                // What is given up need not be admitted for that.
                self.on_admitted(at);
                self.end_frame(Sequence::FIRST, Ending::Cancel);
            }
            Entry::ReversalStarted { task, error, handled } => {
                self.on_reversal_started(*task, error, *handled);
            }
            Entry::UndoStarted { task, completed } => {
                self.on_undo_started(sequence, at, *task, *completed);
            }
            Entry::ExtensionsSelected { task, extensions, .. } => {
                self.on_extensions_selected(*task, extensions);
            }
            Entry::BodyCompleted { task, raw, output, context, then } => {
                let completed =
                    Completed { raw: raw.as_ref(), output: output.as_ref(), then: *then };
                self.on_body_completed(sequence, *task, &completed, context.as_ref());
            }
            Entry::Rewound { .. } => {}
            Entry::ExecutionCompleted { output } => {
                let last = self.frame(Sequence::FIRST).map_or(Value::NULL, Frame::raw_output);
                self.finish(Outcome::Completed(output.clone().unwrap_or(last)));
            }
            Entry::ExecutionFaulted { error } => self.finish(Outcome::Faulted(error.clone())),
            Entry::ExecutionCancelled => self.finish(Outcome::Cancelled),
            call_or_child => self.apply_to_call(call_or_child),
        }
        self.drop_stale_ready();
        self.take_turns(front);
    }

    fn begin(&mut self, at: Timestamp, input: &Value) {
        self.descriptor = self.describe(at, input);
        let frame = Frame {
            context: Some(Value::object::<&str>([])),
            ..Frame::new(Sequence::FIRST, at, Role::Workflow, input.clone(), Body::Fresh)
        };
        self.insert(frame);
    }

    /// `$workflow`
    pub(crate) fn describe(&self, at: Timestamp, input: &Value) -> Value {
        Value::object([
            ("id", Value::from(self.id.to_string())),
            ("definition", self.workflow.definition.clone()),
            ("input", input.clone()),
            ("startedAt", moment(at)),
        ])
    }

    fn on_input_accepted(&mut self, input: Option<&Value>, due: Option<Timestamp>) {
        let root = self.workflow.root;
        self.touch(Sequence::FIRST, |frame| {
            if let Some(input) = input {
                frame.input = input.clone();
            }
            frame.due = due;
            frame.body = Body::List(Cursor::new(root, frame.input.clone()));
        });
    }

    /// Timers stood still while the execution was suspended.
    fn on_resumed(&mut self, at: Timestamp) {
        let Some((reason, since)) = self.suspended.take() else { return };
        let pause = at.ms_since(since);
        match reason {
            SuspensionReason::Control | SuspensionReason::Incident => {}
            // As many entries again.
            SuspensionReason::JournalLimit => self.granted_at = self.next,
        }
        match &mut self.held {
            // It stands still as before; that it does has begun with the first of both.
            Some(held) => *held = since.min(*held),
            None => self.delay_all(pause),
        }
    }

    /// Timers stood still while the execution waited to be admitted.
    fn on_admitted(&mut self, at: Timestamp) {
        let Some(since) = self.held.take() else { return };
        match &mut self.suspended {
            Some((_, suspended)) => *suspended = since.min(*suspended),
            None => self.delay_all(at.ms_since(since)),
        }
    }

    fn delay_all(&mut self, pause: u64) {
        for id in self.timed() {
            self.delay_timers(id, pause);
        }
    }

    /// The frames of which something will be due.
    pub(crate) fn timed(&self) -> BTreeSet<Sequence> {
        self.timers.iter().map(|(_, id)| *id).collect()
    }

    /// What is due of a frame will be so many milliseconds later.
    pub(crate) fn delay_timers(&mut self, id: Sequence, pause: u64) {
        let later = |due: &mut Timestamp| *due = due.plus_ms(pause);
        self.touch(id, |frame| {
            frame.due.iter_mut().for_each(later);
            match &mut frame.body {
                Body::Wait { due } => later(due),
                Body::Try(state) => {
                    state.attempt_due.iter_mut().for_each(later);
                    if let TryPhase::Delay { due } = &mut state.phase {
                        later(due);
                    }
                }
                _ => {}
            }
        });
    }

    fn finish(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
        self.frames = BTreeMap::new();
        self.ready.clear();
        self.external.clear();
        self.timers.clear();
        self.lines.clear();
        self.joining.clear();
        self.suspended = None;
        self.held = None;
    }
}
