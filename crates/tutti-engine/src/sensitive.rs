//! What of that which calls give back is secret: what `metadata.tutti.sensitive` says, marked before it is written down and
//! not only when the task ends; and what of the secrets that went into the call comes back.

use std::sync::Arc;

use tutti_dsl::Task;
use tutti_expr::Value;
use tutti_ids::Sequence;

use crate::{
    Execution, Secrets,
    frame::{Body, Frame},
    output::taint_at,
};

/// `output` with what these JSON pointers name in it marked as secrets.
///
/// Where one leads nowhere, nobody knows where in it the secret is, and all of it is one.
pub(crate) fn marked(output: Value, pointers: &[Arc<str>]) -> Value {
    let lost = pointers.iter().any(|pointer| leads_nowhere(&output, pointer));
    if lost {
        return output.tainted();
    }
    pointers.iter().fold(output, |output, pointer| taint_at(output, pointer))
}

/// Whether a JSON pointer names nothing in an output that is there. Where null is on its way, there is nothing to hide.
pub fn leads_nowhere(output: &Value, pointer: &str) -> bool {
    let ends = pointer.match_indices('/').map(|(end, _)| end).chain([pointer.len()]);
    let mut way = ends.filter_map(|end| pointer.get(..end)).map(|part| output.pointer(part));
    way.find(|found| found.is_none_or(Value::is_null)).is_some_and(|found| found.is_none())
}

impl Execution {
    /// What a call gave, with what its task says is sensitive marked as a secret.
    ///
    /// The pointers lead into the output as the task leaves it, of which `output.as` may make another one.
    pub(crate) fn covered(&self, id: Sequence, given: Value) -> Value {
        let Some(frame) = self.frame(id) else { return given };
        self.speaking_for(frame).fold(given, |given, task| marked(given, &task.settings.sensitive))
    }

    /// Whether any of what a call gives is sensitive, so that no line of it may be shown.
    pub(crate) fn is_sensitive(&self, frame: &Frame) -> bool {
        self.speaking_for(frame).any(|task| !task.settings.sensitive.is_empty())
    }

    /// The secret values that expressions for the arguments of a task's call could see: those declared, and what around the
    /// task is marked. Arguments may hold one joined with something else, which nobody could tell from them alone. None where
    /// nothing secret is in the arguments.
    pub fn secrets_at_hand(&self, task: Sequence, secrets: &dyn Secrets) -> Vec<Value> {
        let Some(frame) = self.frame(task) else { return Vec::new() };
        if !matches!(&frame.body, Body::Call { record, .. } if record.arguments.is_tainted()) {
            return Vec::new();
        }
        let namespace = &self.workflow.document.namespace;
        let declared =
            self.workflow.secrets.iter().filter_map(|name| secrets.secret(namespace, name));
        let mut seen: Vec<Value> = declared.map(Value::tainted).collect();
        seen.push(self.context_of(task));
        for around in std::iter::once(frame).chain(self.ancestors(frame)) {
            seen.extend([around.raw.clone(), around.input.clone()]);
            let bound = self.names_bound_by(around);
            seen.extend(bound.filter_map(|name| self.variable_of(around, &name)));
        }
        seen.retain(Value::is_tainted);
        seen
    }

    /// The task of a frame and, where it is a function's, the tasks that called it, whose outputs are the same.
    fn speaking_for(&self, frame: &Frame) -> impl Iterator<Item = &Task> {
        let callers =
            self.ancestors(frame).take_while(|it| matches!(it.body, Body::Function { .. }));
        self.task_of(frame).into_iter().chain(callers.filter_map(|caller| self.task_of(caller)))
    }
}
