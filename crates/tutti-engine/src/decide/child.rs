//! Child executions and functions.

use tutti_dsl::Subworkflow;
use tutti_expr::{Template, Value};
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::{Entry, Error, ErrorType};

use crate::{advance::Stepper, chance, data_flow::Result};

impl Stepper<'_> {
    /// Asks for a child execution. Its input is checked against its own schema when it starts.
    pub(super) fn start_child(
        &mut self,
        id: Sequence,
        child: &Subworkflow,
        input: Option<&Template>,
        awaited: bool,
    ) -> Result<()> {
        let limit = self.surroundings.limits.child_depth;
        if self.execution.parent.map_or(0, |parent| parent.depth) >= limit {
            let detail = format!("executions are nested deeper than the limit of {limit}");
            return Err(Box::new(Error::new(ErrorType::Configuration, detail)));
        }
        let found =
            self.surroundings.definitions.find(&child.namespace, &child.name, &child.version);
        let Some((definition, digest)) = found else {
            let detail = format!(
                "there is no workflow {}/{}:{}",
                child.namespace, child.name, child.version
            );
            return Err(Box::new(Error::new(ErrorType::Configuration, detail)));
        };
        let input = match (input, self.execution.frame(id)) {
            (Some(template), _) => self.evaluate(id, template)?,
            (None, Some(frame)) => frame.input.clone(),
            (None, None) => return Ok(()),
        };
        let execution =
            chance::child_id(self.execution.seed, self.execution.next, self.surroundings.now);
        self.record(Entry::ChildStarted {
            task: id,
            execution,
            definition,
            input,
            awaited,
            digest,
        });
        Ok(())
    }

    /// Calls a function: its task will run in this frame.
    pub(super) fn call_function(
        &mut self,
        id: Sequence,
        arguments: Option<&Template>,
    ) -> Result<()> {
        let input = arguments.map(|arguments| self.evaluate(id, arguments)).transpose()?;
        self.record(Entry::FunctionCalled { task: id, input });
        Ok(())
    }
}

/// The error of a task whose child faulted: the same, but the child's place is in another document, and so stands in its
/// cause, beside the child. A child that never ran has no place.
pub(super) fn came_from(error: Error, child: ExecutionId) -> Error {
    if error.instance.is_empty() {
        return error;
    }
    let place = [
        ("instance", Value::from(error.instance.clone())),
        ("execution", Value::from(child.to_string())),
    ];
    let before = error.extra.as_ref().and_then(|extra| extra.get("cause")).cloned();
    let cause = place.into_iter().chain(before.map(|before| ("cause", before)));
    error.with("cause", Value::object(cause)).at("")
}
