//! What retries do, and which keys their calls take over.

use tutti_dsl::TaskKind;
use tutti_ids::Sequence;
use tutti_journal::Entry;

use crate::{
    execution::Execution,
    frame::{Body, CallPhase, Cursor, Frame, KeyRing, TryPhase, TryState},
};

impl Execution {
    pub(super) fn apply_to_try(&mut self, entry: &Entry) {
        let (Entry::RetryScheduled { task, .. }
        | Entry::RetryStarted { task, .. }
        | Entry::ErrorCaught { task, .. }) = entry
        else {
            return;
        };
        let Some(TaskKind::Try(tried)) =
            self.frame(*task).and_then(|frame| self.task_of(frame)).map(|task| &task.kind)
        else {
            return;
        };
        let (body, handler) = (tried.body, tried.catch.handler);
        self.touch(*task, |frame| {
            let input = frame.input.clone();
            if matches!(frame.body, Body::Fresh) {
                frame.body = Body::Try(TryState::new(body, input.clone()));
            }
            let Body::Try(state) = &mut frame.body else { return };
            match entry {
                Entry::RetryScheduled { retry, due, .. } => {
                    state.retries = *retry;
                    state.phase = TryPhase::Delay { due: *due };
                }
                Entry::RetryStarted { due, .. } => {
                    state.phase = TryPhase::Body;
                    state.attempt_due = *due;
                    state.cursor = Cursor::new(body, input);
                }
                Entry::ErrorCaught { error, .. } => {
                    state.phase = TryPhase::Handler(error.clone());
                    state.keys.clear();
                    state.cursor = Cursor::new(handler.unwrap_or(body), input);
                    if handler.is_none() {
                        state.cursor.position = usize::MAX;
                    }
                }
                _ => {}
            }
        });
    }

    /// The key of a call that failed, or whose outcome is unknown, goes to the innermost `try` around it: a re-run
    /// takes it over.
    pub(super) fn hand_keys_up(&mut self, frame: &Frame) {
        let mut keys = KeyRing::new();
        match &frame.body {
            // One that ended well is over: whoever runs the task again makes a new call.
            Body::Call { phase: CallPhase::Done(Ok(_)), .. } => return,
            Body::Call { record, .. } => {
                keys.insert(self.place(frame), (record.key.clone(), record.attempt));
            }
            Body::Try(state) => keys.clone_from(&state.keys),
            _ => return,
        }
        let holder = self.ancestors(frame).find(|around| match &around.body {
            Body::Try(state) => matches!(state.phase, TryPhase::Body | TryPhase::Caught(_)),
            body => body.keys().is_some(),
        });
        if let Some(holder) = holder.map(|holder| holder.id) {
            self.touch(holder, |frame| {
                if let Some(held) = frame.body.keys_mut() {
                    held.append(&mut keys);
                }
            });
        }
    }

    /// The re-run of a failed call has taken over its key.
    pub(super) fn forget_key(&mut self, task: Sequence) {
        let Some(frame) = self.frame(task) else { return };
        let place = self.place(frame);
        let holder = self
            .ancestors(frame)
            .find(|around| around.body.keys().is_some_and(|keys| keys.contains_key(&place)));
        let holder = holder.map(|holder| holder.id);
        self.handed_keys.remove(&place);
        if let Some(holder) = holder {
            self.touch(holder, |frame| {
                if let Some(held) = frame.body.keys_mut() {
                    held.remove(&place);
                }
            });
        }
    }
}

impl Body {
    /// The keys that re-runs in this frame take over.
    pub(crate) fn keys(&self) -> Option<&KeyRing> {
        match self {
            Self::Try(state) => Some(&state.keys),
            Self::Undo(state) => Some(&state.keys),
            _ => None,
        }
    }

    pub(crate) fn keys_mut(&mut self) -> Option<&mut KeyRing> {
        match self {
            Self::Try(state) => Some(&mut state.keys),
            Self::Undo(state) => Some(&mut state.keys),
            _ => None,
        }
    }
}
