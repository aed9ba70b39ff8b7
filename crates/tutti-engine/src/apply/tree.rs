//! The tree of frames, with the indexes over it that are always true: who is ready, what is due, what the world may owe.

use tutti_expr::Value;
use tutti_ids::Sequence;

use crate::{
    execution::Execution,
    extension::{After, Before},
    frame::{Body, CallPhase, Cursor, Ending, Frame, Role},
    undo::UndoState,
};

impl Execution {
    /// A frame will end so; whatever runs in it is given up, except what undoes: that goes on to its own end.
    pub(super) fn end_frame(&mut self, id: Sequence, ending: Ending) {
        let mut inside: Vec<Sequence> = Vec::new();
        let is_alone = self.frame(id).is_none_or(|frame| frame.children == 0);
        let candidates = (!is_alone).then(|| self.frames.range(id..));
        for (candidate, frame) in candidates.into_iter().flatten() {
            let around = frame
                .parent
                .is_some_and(|parent| parent == id || inside.binary_search(&parent).is_ok());
            let shielded = frame.role == Role::Undo;
            if *candidate != id && around && !shielded {
                inside.push(*candidate);
            }
        }
        for descendant in inside {
            self.touch(descendant, |frame| frame.ending = Some(Ending::Cancel));
        }
        if matches!(ending, Ending::Fault(_)) {
            self.end_attempt(id);
        }
        self.touch(id, |frame| frame.ending = Some(ending));
    }

    /// The attempt whose task fails is over, even where that task has yet to undo or to wait for what it interrupts.
    fn end_attempt(&mut self, failing: Sequence) {
        let Some(parent) = self.frame(failing).and_then(|frame| frame.parent) else { return };
        self.touch(parent, |around| {
            if let Body::Try(state) = &mut around.body {
                state.attempt_due = None;
            }
        });
    }

    pub(super) fn set_body(&mut self, id: Sequence, body: Body) {
        self.touch(id, |frame| frame.body = body);
    }

    pub(super) fn set_phase(&mut self, id: Sequence, next: CallPhase) {
        self.touch(id, |frame| {
            if let Body::Call { phase, .. } = &mut frame.body {
                *phase = next;
            }
        });
    }

    pub(crate) fn context_of(&self, id: Sequence) -> Value {
        let owner = self.frame(id).map_or(Sequence::FIRST, |frame| self.context_owner(frame));
        self.frame(owner).and_then(|frame| frame.context.clone()).unwrap_or(Value::NULL)
    }

    pub(super) fn list_length(&self, id: Sequence) -> usize {
        let list = self.frame(id).and_then(|frame| frame.body.cursor()).map(|cursor| cursor.list);
        list.map_or(0, |list| self.workflow.list(list).tasks.len())
    }

    pub(super) fn insert(&mut self, frame: Frame) {
        let (id, parent) = (frame.id, frame.parent);
        self.timers.extend(frame.due_times().map(|due| (due, id)));
        self.frames.insert(id, frame);
        if let Some(parent) = parent {
            self.touch(parent, |around| around.children += 1);
        }
        self.refresh(id);
    }

    pub(super) fn remove(&mut self, id: Sequence) -> Option<Frame> {
        let frame = self.frames.remove(&id)?;
        for due in frame.due_times() {
            self.timers.remove(&(due, id));
        }
        self.external.remove(&id);
        self.join_lines(&frame);
        if let Some(parent) = frame.parent {
            self.touch(parent, |around| around.children = around.children.saturating_sub(1));
        }
        Some(frame)
    }

    /// Changes a frame and keeps the indexes over frames true.
    pub(super) fn touch(&mut self, id: Sequence, change: impl FnOnce(&mut Frame)) {
        let Some(frame) = self.frames.get_mut(&id) else { return };
        for due in frame.due_times() {
            self.timers.remove(&(due, id));
        }
        change(frame);
        self.timers.extend(frame.due_times().map(|due| (due, id)));
        self.refresh(id);
    }

    pub(super) fn refresh(&mut self, id: Sequence) {
        let Some(frame) = self.frames.get_mut(&id) else { return };
        if frame.is_external() {
            self.external.insert(id);
        }
        if frame.is_ready() && !frame.queued {
            frame.queued = true;
            self.ready.push_back(id);
        }
    }

    /// A frame that was first before and still is goes to the end of the queue: branches take turns.
    pub(super) fn take_turns(&mut self, front: Option<Sequence>) {
        if self.ready.len() > 1 && self.ready.front().copied() == front {
            self.ready.rotate_left(1);
            self.drop_stale_ready();
        }
    }

    /// The front of the queue is always a frame that is ready, so that deciding needs no change of state.
    pub(crate) fn drop_stale_ready(&mut self) {
        while let Some(id) = self.ready.front().copied() {
            match self.frames.get_mut(&id) {
                Some(frame) if frame.is_ready() => return,
                Some(frame) => frame.queued = false,
                None => {}
            }
            self.ready.pop_front();
        }
    }
}

impl Body {
    pub(crate) fn cursor(&self) -> Option<&Cursor> {
        match self {
            Self::List(cursor)
            | Self::For { cursor, .. }
            | Self::Before(Before { cursor, .. })
            | Self::After(After { cursor, .. })
            | Self::Undo(UndoState { cursor, .. }) => Some(cursor),
            Self::Try(state) => Some(&state.cursor),
            _ => None,
        }
    }

    pub(super) fn cursor_mut(&mut self) -> Option<&mut Cursor> {
        match self {
            Self::List(cursor)
            | Self::For { cursor, .. }
            | Self::Before(Before { cursor, .. })
            | Self::After(After { cursor, .. })
            | Self::Undo(UndoState { cursor, .. }) => Some(cursor),
            Self::Try(state) => Some(&mut state.cursor),
            _ => None,
        }
    }
}

impl Frame {
    /// The raw input of a task that starts in this frame now.
    pub(crate) fn data_for_children(&self) -> Value {
        match &self.body {
            Body::Function { input, .. } => input.clone(),
            body => body.cursor().map_or_else(|| self.input.clone(), |cursor| cursor.data.clone()),
        }
    }
}
