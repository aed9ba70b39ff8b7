//! What completed and could be undone, and the undoing of it.
//!
//! A completed task that says how it is taken back is noted in the frame around it and handed outwards as frames end, until
//! an error leaves a `try` or the execution ends badly: that frame then undoes what it holds, newest first.

use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::{Error, ErrorType, Resolution, Timestamp};

use crate::{
    execution::Execution,
    frame::{Body, Cursor, Ending, Frame, KeyRing, Role, TryPhase, TryState},
    undo::{Undo, UndoState, Undos},
};

/// The member of an undo's error that holds the error for which it was undone.
const ORIGINAL: &str = "original";

impl Execution {
    /// A task that completes with the entry `completed` is noted in its own frame, from which it goes outwards.
    pub(super) fn note_undo(&mut self, completed: Sequence, id: Sequence, output: &Value) {
        let Some(frame) = self.frame(id).filter(|frame| frame.role == Role::Task) else { return };
        // Noted before the tasks after it ran, or never done.
        if matches!(frame.body, Body::After(_) | Body::Bypassed(_)) {
            return;
        }
        let Some(task) = frame.task.filter(|task| self.undo_list(*task).is_some()) else { return };
        let undo = Undo { task, output: output.clone(), bound: self.variables_around(frame) };
        self.touch(id, |frame| {
            frame.undos.insert(completed, undo);
        });
    }

    pub(super) fn hand_undos_up(&mut self, around: Sequence, undos: &mut Undos) {
        if !undos.is_empty() {
            self.touch(around, |frame| frame.undos.append(undos));
        }
    }

    pub(super) fn on_reversal_started(&mut self, task: Sequence, error: &Error, handled: bool) {
        if !handled {
            return self.end_frame(task, Ending::Fault(error.clone()));
        }
        self.touch(task, |frame| {
            if let Body::Try(state) = &mut frame.body {
                state.phase = TryPhase::Undoing(error.clone());
            }
        });
    }

    pub(super) fn on_undo_started(
        &mut self,
        id: Sequence,
        at: Timestamp,
        around: Sequence,
        completed: Sequence,
    ) {
        let mut taken = None;
        self.touch(around, |frame| taken = frame.undos.remove(&completed));
        let Some(undo) = taken else { return };
        let Some(list) = self.undo_list(undo.task) else { return };
        let (task, output) = (undo.task, undo.output.clone());
        let cursor = Cursor::new(list, output.clone());
        let state = UndoState { undo, cursor, incident: None, keys: KeyRing::new() };
        self.insert(Frame {
            parent: Some(around),
            task: Some(task),
            ..Frame::new(id, at, Role::Undo, output, Body::Undo(state))
        });
    }

    /// An undo could not go on: a person is asked.
    pub(super) fn on_undo_failed(&mut self, id: Sequence, error: &Error) {
        self.touch(id, |frame| {
            frame.ending = None;
            frame.undos.clear();
            if let Body::Undo(state) = &mut frame.body {
                state.incident = Some(error.clone());
            }
        });
    }

    /// A person said what becomes of an undo that failed.
    pub(super) fn on_undo_resolved(&mut self, id: Sequence, resolution: &Resolution) {
        if matches!(resolution, Resolution::Retry) {
            return self.touch(id, |frame| {
                if let Body::Undo(state) = &mut frame.body {
                    state.incident = None;
                    state.cursor = Cursor::new(state.cursor.list, state.undo.output.clone());
                }
            });
        }
        let Some(Frame { parent: Some(around), body: Body::Undo(state), .. }) = self.remove(id)
        else {
            return;
        };
        let Some(error) = state.incident.filter(|_| matches!(resolution, Resolution::Fault)) else {
            return;
        };
        // What could not be undone is what matters now; who cancelled knows what stays behind.
        self.touch(around, |frame| {
            if !matches!(frame.ending, Some(Ending::Cancel)) {
                let error = match reversed_for(frame) {
                    Some(original) => error.with(ORIGINAL, original),
                    None => error,
                };
                frame.ending = Some(Ending::Fault(error));
            }
        });
    }

    /// The undoing in which a frame runs, itself included.
    pub(super) fn undoing(&self, id: Sequence) -> Option<Sequence> {
        let frame = self.frame(id)?;
        std::iter::once(frame)
            .chain(self.ancestors(frame))
            .find(|around| around.role == Role::Undo)
            .map(|undo| undo.id)
    }

    pub(super) fn is_undo(&self, id: Sequence) -> bool {
        self.frame(id).is_some_and(|frame| frame.role == Role::Undo)
    }

    fn undo_list(&self, task: tutti_dsl::TaskId) -> Option<tutti_dsl::ListId> {
        self.workflow.task(task).settings.undo
    }
}

/// The error for which a frame undoes what it holds, also where an undo that failed has taken its place since.
fn reversed_for(frame: &Frame) -> Option<Value> {
    let ((Some(Ending::Fault(error)), _)
    | (None, Body::Try(TryState { phase: TryPhase::Undoing(error), .. }))) =
        (&frame.ending, &frame.body)
    else {
        return None;
    };
    let earlier = error.extra.as_ref().and_then(|members| members.get(ORIGINAL));
    let failed = error.is(ErrorType::CompensationFailed);
    Some(earlier.filter(|_| failed).cloned().unwrap_or_else(|| error.to_value()))
}
