//! `metadata.tutti.sensitive`: what calls give back is marked before it is written down, not only when its task ends.

use tutti_dsl::Task;
use tutti_expr::Value;
use tutti_ids::Sequence;

use crate::{
    Execution,
    frame::{Body, Frame},
    output::taint_at,
};

impl Execution {
    /// What a call gave, with what its task says is sensitive marked as a secret.
    ///
    /// The pointers lead into the output as the task leaves it. Where `output.as` makes another one of it and a pointer leads
    /// nowhere in what was given, nobody knows where in it the secret is, and all of it is one.
    pub(crate) fn covered(&self, id: Sequence, given: Value) -> Value {
        let Some(frame) = self.frame(id) else { return given };
        let mut reshaped = false;
        let mut covered = given.clone();
        for task in self.speaking_for(frame) {
            reshaped |= task.flow.output_as.is_some();
            for pointer in &task.settings.sensitive {
                let is_lost = reshaped && given.pointer(pointer).is_none();
                covered = taint_at(covered, if is_lost { "" } else { pointer });
            }
        }
        covered
    }

    /// Whether any of what a call gives is sensitive, so that no line of it may be shown.
    pub(crate) fn is_sensitive(&self, frame: &Frame) -> bool {
        self.speaking_for(frame).any(|task| !task.settings.sensitive.is_empty())
    }

    /// The task of a frame and, where it is a function's, the tasks that called it, whose outputs are the same.
    fn speaking_for(&self, frame: &Frame) -> impl Iterator<Item = &Task> {
        let callers =
            self.ancestors(frame).take_while(|it| matches!(it.body, Body::Function { .. }));
        self.task_of(frame).into_iter().chain(callers.filter_map(|caller| self.task_of(caller)))
    }
}
