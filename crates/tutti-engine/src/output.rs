//! What a frame's raw output is, as far as state tells.

use tutti_expr::{Kind, Value};
use tutti_journal::CallRecord;

use crate::{
    frame::{Body, Branches, BranchesKind, CallPhase, ChildPhase, Frame, TryPhase},
    undo::UndoState,
};

impl Frame {
    /// The raw output this frame would end with now; a task that computes one records it.
    pub(crate) fn raw_output(&self) -> Value {
        match &self.body {
            Body::List(cursor)
            | Body::For { cursor, .. }
            | Body::Undo(UndoState { cursor, .. }) => cursor.data.clone(),
            Body::Fork(branches) => branches.raw_output(),
            Body::Try(state) => match state.phase {
                TryPhase::Body | TryPhase::Handler(_) => state.cursor.data.clone(),
                TryPhase::Caught(_) | TryPhase::Undoing(_) | TryPhase::Delay { .. } => {
                    self.input.clone()
                }
            },
            // Whatever the call gave: nobody waits for what comes of the command.
            Body::Call { record, .. } if is_detached(record) => self.input.clone(),
            Body::Call { phase: CallPhase::Done(Ok(output)), .. }
            | Body::Child { phase: ChildPhase::Done(Ok(output)), .. }
            | Body::Function { output: Some(output), .. }
            | Body::Bypassed(output) => output.clone(),
            Body::After(after) => after.output.clone(),
            Body::Emitted(event) => event.clone(),
            Body::Listen(state) => Value::array(state.items.iter().cloned()),
            Body::Fresh
            | Body::Extended
            | Body::Before(_)
            | Body::Switched { .. }
            | Body::Wait { .. }
            | Body::Call { .. }
            | Body::Child { .. }
            | Body::Function { .. } => self.input.clone(),
        }
    }
}

/// Whether a call only starts what it calls: `run.shell` or `run.script` with `await: false`.
fn is_detached(call: &CallRecord) -> bool {
    let awaits = call.arguments.get("await").and_then(Value::as_bool);
    matches!(&*call.function, "shell" | "script") && awaits == Some(false)
}

impl Branches {
    fn raw_output(&self) -> Value {
        let output = |result: &Option<Result<Value, _>>| match result {
            Some(Ok(output)) => output.clone(),
            Some(Err(_)) | None => Value::NULL,
        };
        match (&self.kind, self.winner) {
            (_, Some(winner)) => self.results.get(winner).map_or(Value::NULL, output),
            (BranchesKind::Each { collect: true, .. }, None) => Value::array(
                self.results
                    .iter()
                    .enumerate()
                    .map(|(index, result)| report(index, result.as_ref())),
            ),
            (_, None) => Value::array(self.results.iter().map(output)),
        }
    }
}

/// What an `each` that collects says of one item.
fn report(index: usize, result: Option<&Result<Value, tutti_journal::Error>>) -> Value {
    let (status, key, value) = match result {
        Some(Ok(output)) => ("completed", "output", output.clone()),
        Some(Err(error)) => ("faulted", "error", error.to_value()),
        None => ("cancelled", "output", Value::NULL),
    };
    let index = Value::from(i64::try_from(index).unwrap_or(i64::MAX));
    Value::object([("index", index), ("status", Value::from(status)), (key, value)])
}

/// The value with what a JSON pointer names in it marked as a secret; unchanged where it names nothing.
pub(crate) fn taint_at(value: Value, pointer: &str) -> Value {
    if pointer.is_empty() {
        return value.tainted();
    }
    let Some(rest) = pointer.strip_prefix('/') else { return value };
    let (token, rest) = rest.find('/').map_or((rest, ""), |end| rest.split_at(end));
    let token = token.replace("~1", "/").replace("~0", "~");
    match value.kind() {
        Kind::Object(members) => Value::object(members.iter().map(|(key, member)| {
            let member = member.clone();
            (key.clone(), if **key == *token { taint_at(member, rest) } else { member })
        })),
        Kind::Array(items) => {
            let position = token.parse::<usize>().ok();
            Value::array(items.iter().cloned().enumerate().map(|(index, item)| {
                if Some(index) == position { taint_at(item, rest) } else { item }
            }))
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tutti_ids::Sequence;
    use tutti_journal::{Effect, Timestamp};

    use super::*;
    use crate::frame::Role;

    /// The raw output of a finished call whose frame's input is `in` and that gave `out`.
    #[track_caller]
    fn check(function: &str, arguments: &str, expected: &str) {
        let record = CallRecord {
            function: Arc::from(function),
            arguments: Value::from_json(arguments).expect("JSON"),
            effect: Effect::Once,
            key: Arc::from("key"),
            attempt: 1,
        };
        let frame = Frame {
            id: Sequence(2),
            parent: Some(Sequence::FIRST),
            task: None,
            role: Role::Task,
            iteration: None,
            started_at: Timestamp(0),
            raw: Value::from("raw"),
            input: Value::from("in"),
            due: None,
            children: 0,
            ending: None,
            context: None,
            body: Body::Call { record, phase: CallPhase::Done(Ok(Value::from("out"))) },
            undos: crate::undo::Undos::new(),
            extensions: Vec::new(),
            queued: false,
        };
        assert_eq!(frame.raw_output().as_str(), Some(expected), "{function} {arguments}");
    }

    #[test]
    fn a_command_nobody_waits_for_passes_its_input_on() {
        check("shell", r#"{"command":"x","await":false}"#, "in");
        check("shell", r#"{"command":"x","await":true}"#, "out");
        check("shell", r#"{"command":"x"}"#, "out");
        check("script", r#"{"code":"x","await":false}"#, "in");
        check("http", r#"{"method":"get","await":false}"#, "out");
    }
}
