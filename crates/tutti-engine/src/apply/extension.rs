//! What extensions do to the tree: the tasks before a task, what it does itself, the tasks after it.
//!
//! Extensions nest: the one declared first is the outermost. Which come next follows from the document and from which
//! apply; nothing is evaluated here.

use tutti_dsl::ListId;
use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::Flow;

use crate::{
    execution::Execution,
    extension::{After, Before},
    frame::{Body, Cursor, Frame},
};

/// How what a task does has ended.
pub(super) struct Completed<'a> {
    pub(super) raw: Option<&'a Value>,
    pub(super) output: Option<&'a Value>,
    pub(super) then: Flow,
}

impl Execution {
    pub(super) fn on_extensions_selected(&mut self, task: Sequence, extensions: &[u32]) {
        self.touch(task, |frame| frame.extensions = extensions.to_vec());
        self.go_on_before(task, 0);
    }

    pub(super) fn on_body_completed(
        &mut self,
        sequence: Sequence,
        task: Sequence,
        completed: &Completed<'_>,
        context: Option<&Value>,
    ) {
        let Some(frame) = self.frame(task) else { return };
        let raw = completed.raw.cloned().unwrap_or_else(|| frame.raw_output());
        let output = completed.output.cloned().unwrap_or_else(|| raw.clone());
        let Some((place, list)) = self.list_after(frame, frame.extensions.len()) else { return };
        self.export(task, context);
        self.note_undo(sequence, task, &output);
        self.external.remove(&task);
        let cursor = Cursor::new(list, output.clone());
        let after = After { place, cursor, raw, output, then: completed.then };
        self.touch(task, |frame| {
            frame.ending = None;
            frame.body = Body::After(after);
        });
    }

    /// A task before or after the task `id` has ended: the list it stands in may have come to its end.
    pub(super) fn go_on_around(&mut self, id: Sequence) {
        let Some(frame) = self.frame(id) else { return };
        match &frame.body {
            Body::Before(before) if self.is_at_end(&before.cursor) => {
                self.go_on_before(id, before.place + 1);
            }
            Body::After(after) if self.is_at_end(&after.cursor) => {
                let next = self.list_after(frame, after.place);
                self.touch(id, |frame| {
                    if let (Some((place, list)), Body::After(after)) = (next, &mut frame.body) {
                        after.place = place;
                        after.cursor = Cursor::new(list, after.output.clone());
                    }
                });
            }
            _ => {}
        }
    }

    /// Whether a task before the task `id` says `exit`: then what that does is passed over, as are the extensions inside
    /// the one that says so.
    pub(super) fn is_bypassed(&mut self, id: Sequence, then: Flow, output: &Value) -> bool {
        let Some(Frame { body: Body::Before(before), .. }) = self.frame(id) else { return false };
        let outer = before.place;
        if then == Flow::Exit {
            self.touch(id, |frame| {
                frame.extensions.truncate(outer);
                frame.body = Body::Bypassed(output.clone());
            });
        }
        then == Flow::Exit
    }

    /// The extension from `place` on that has tasks before, else what the task does itself.
    fn go_on_before(&mut self, id: Sequence, place: usize) {
        let Some(frame) = self.frame(id) else { return };
        let Some(task) = frame.task else { return };
        let mut lists = frame.extensions.iter().enumerate().skip(place);
        let next = lists.find_map(|(place, extension)| {
            Some((place, self.workflow.extensions.get(*extension as usize)?.before?))
        });
        let input = frame.input.clone();
        let body = match next {
            Some((place, list)) => Body::Before(Before { place, cursor: Cursor::new(list, input) }),
            None => self.first_body(task, &input, id),
        };
        self.set_body(id, body);
    }

    /// The innermost extension outside of `below` that has tasks after.
    fn list_after(&self, frame: &Frame, below: usize) -> Option<(usize, ListId)> {
        let mut lists = frame.extensions.iter().enumerate().take(below).rev();
        lists.find_map(|(place, extension)| {
            Some((place, self.workflow.extensions.get(*extension as usize)?.after?))
        })
    }

    fn is_at_end(&self, cursor: &Cursor) -> bool {
        cursor.position >= self.workflow.list(cursor.list).tasks.len()
    }

    /// Whether tasks have to run after what the task of this frame does.
    pub(crate) fn has_tasks_after(&self, frame: &Frame) -> bool {
        self.list_after(frame, frame.extensions.len()).is_some()
    }

    /// The task that extensions are put around in one of whose tasks `id` runs, itself included. The tasks of a function
    /// that is called there know nothing of it.
    pub(crate) fn extended(&self, id: Sequence) -> Option<&Frame> {
        let frame = self.frame(id)?;
        std::iter::once(frame)
            .chain(self.ancestors(frame))
            .take_while(|around| !matches!(around.body, Body::Function { .. }))
            .find(|around| around.is_extending())
    }

    /// Whether a task that starts in `parent` belongs to an extension, called functions included: it is not extended.
    pub(super) fn is_in_extension(&self, parent: Sequence) -> bool {
        let Some(frame) = self.frame(parent) else { return false };
        std::iter::once(frame).chain(self.ancestors(frame)).any(Frame::is_extending)
    }
}

impl Frame {
    /// Whether the tasks of an extension run in it.
    pub(crate) fn is_extending(&self) -> bool {
        matches!(self.body, Body::Before(_) | Body::After(_))
    }
}
