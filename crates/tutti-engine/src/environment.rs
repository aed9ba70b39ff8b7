//! What expressions see: the runtime arguments of the language, made only when they are asked for.

use std::{cell::RefCell, sync::Arc};

use tutti_dsl::{Task, TaskKind};
use tutti_expr::{Environment, Reads, Value};
use tutti_ids::Sequence;
use tutti_journal::{Error, ErrorType, Timestamp};

use crate::{
    Execution, authorization,
    frame::{Body, Branches, BranchesKind, Frame, Role, TryPhase},
    surroundings::Outlook,
};

/// The place at which an expression is evaluated.
pub(crate) struct Scene<'a> {
    pub(crate) execution: &'a Execution,
    pub(crate) surroundings: &'a Outlook<'a>,
    /// The task the expression belongs to; none for the workflow's own.
    pub(crate) task: Option<&'a Task>,
    /// Where scoped variables and the context are looked up first.
    pub(crate) around: Option<Sequence>,
    /// Variables that are bound only here, such as `$item` in `while`.
    pub(crate) bound: Vec<(Arc<str>, Value)>,
    /// `$context`, where it is not the one of now.
    pub(crate) context: Option<Value>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) raw_input: Option<Value>,
    pub(crate) input: Option<Value>,
    pub(crate) raw_output: Option<Value>,
    pub(crate) output: Option<Value>,
    /// Whether it is the `when` of an extension of the task.
    pub(crate) extended: bool,
    /// `$authorization` of a call that is being put together; later the call's own record tells.
    pub(crate) authorization: Option<Value>,
    /// An error that reading a variable gave; it takes the place of what the expression made of it.
    pub(crate) refused: RefCell<Option<Error>>,
}

impl<'a> Scene<'a> {
    /// A scene in `around` with nothing known yet about a task.
    pub(crate) fn new(
        execution: &'a Execution,
        surroundings: &'a Outlook<'a>,
        around: Option<Sequence>,
    ) -> Self {
        Self {
            execution,
            surroundings,
            task: None,
            around,
            bound: Vec::new(),
            context: None,
            started_at: None,
            raw_input: None,
            input: None,
            raw_output: None,
            output: None,
            extended: false,
            authorization: None,
            refused: RefCell::new(None),
        }
    }

    /// The scene of a task that runs as `frame`.
    pub(crate) fn of(
        execution: &'a Execution,
        surroundings: &'a Outlook<'a>,
        frame: &'a Frame,
    ) -> Self {
        Self {
            task: execution.task_of(frame),
            started_at: Some(frame.started_at),
            raw_input: Some(frame.raw.clone()),
            input: Some(frame.input.clone()),
            ..Self::new(execution, surroundings, Some(frame.id))
        }
    }

    fn scoped(&self, name: &str) -> Option<Value> {
        if let Some((_, value)) = self.bound.iter().rev().find(|(bound, _)| &**bound == name) {
            return Some(value.clone());
        }
        let start = self.execution.frame(self.around?)?;
        std::iter::once(start)
            .chain(self.execution.ancestors(start))
            .take_while(|frame| !matches!(frame.body, Body::Function { .. }))
            .find_map(|frame| self.execution.variable_of(frame, name))
    }

    fn context(&self) -> Value {
        match (&self.context, self.around) {
            (Some(context), _) => context.clone(),
            (None, Some(around)) => self.execution.context_of(around),
            (None, None) => Value::NULL,
        }
    }

    /// The secrets an expression reads: all declared ones where its source does not name them. One that cannot be had
    /// refuses the whole expression, wherever in it the secret stands.
    fn secrets(&self, reads: &Reads) -> Value {
        let names: Vec<&Arc<str>> = match reads {
            Reads::Members(names) => names.iter().collect(),
            Reads::All => self.execution.workflow.secrets.iter().collect(),
        };
        let mut members = Vec::new();
        for name in names {
            match self.secret(name) {
                Ok(secret) => members.push((name.clone(), secret)),
                Err(error) => _ = self.refused.replace(Some(*error)),
            }
        }
        Value::object(members)
    }

    /// The value of a secret the document declares.
    pub(crate) fn secret(&self, name: &str) -> Result<Value, Box<Error>> {
        let workflow = &self.execution.workflow;
        let declared = workflow.secrets.iter().any(|known| **known == *name);
        let find = || self.surroundings.secrets.secret(&workflow.document.namespace, name);
        let found = declared.then(find).flatten();
        found.map(Value::tainted).ok_or_else(|| Box::new(missing_secret(name)))
    }

    /// `$task`: of the task that is extended, where a task of an extension is at hand.
    fn task_descriptor(&self) -> Value {
        let extended = self.around.and_then(|around| self.execution.extended(around));
        if let Some(frame) = extended {
            let task = Self::of(self.execution, self.surroundings, frame);
            let raw_output = match &frame.body {
                Body::After(after) => Some(after.raw.clone()),
                _ => None,
            };
            return Self { raw_output, ..task }.extended_descriptor();
        }
        if self.extended { self.extended_descriptor() } else { self.own_descriptor() }
    }

    /// The descriptor over what the document says of the task.
    fn extended_descriptor(&self) -> Value {
        let own = self.own_descriptor();
        let definition = self.task.map_or(Value::NULL, |task| task.definition.clone());
        let members = [&definition, &own].into_iter().filter_map(Value::as_object);
        let members = members.flat_map(tutti_expr::Object::iter);
        Value::object(members.map(|(key, value)| (key.clone(), value.clone())))
    }

    fn own_descriptor(&self) -> Value {
        let Some(task) = self.task else { return Value::NULL };
        let mut members = vec![
            ("name", Value::from(task.name.clone())),
            ("reference", Value::from(task.reference.clone())),
            ("definition", task.definition.clone()),
        ];
        members.extend(self.raw_input.clone().map(|input| ("input", input)));
        members.extend(self.raw_output.clone().map(|output| ("output", output)));
        members.extend(self.started_at.map(|at| ("startedAt", moment(at))));
        Value::object(members)
    }

    /// `$authorization` of an HTTP call that authenticates: as the call is put together, and once it has been made.
    fn authorization(&self) -> Value {
        if let Some(authorization) = &self.authorization {
            return authorization.clone();
        }
        let frame = self.around.and_then(|around| self.execution.frame(around));
        let arguments = match frame.map(|frame| &frame.body) {
            Some(Body::Call { record, .. }) => &record.arguments,
            _ => return Value::NULL,
        };
        arguments.get("authentication").map_or(Value::NULL, authorization::descriptor)
    }
}

impl Execution {
    /// The variables that loops and handlers around a frame bind, innermost first; a function sees none of its caller's.
    pub(crate) fn variables_around(&self, frame: &Frame) -> Vec<(Arc<str>, Value)> {
        self.ancestors(frame)
            .take_while(|around| !matches!(around.body, Body::Function { .. }))
            .flat_map(|around| self.names_bound_by(around).map(move |name| (around, name)))
            .filter_map(|(around, name)| Some((name.clone(), self.variable_of(around, &name)?)))
            .collect()
    }

    pub(crate) fn names_bound_by(&self, frame: &Frame) -> impl Iterator<Item = Arc<str>> + use<> {
        let names = match (&frame.body, self.task_of(frame).map(|task| &task.kind)) {
            (Body::Undo(state), _) => {
                state.undo.bound.iter().map(|(name, _)| name.clone()).collect()
            }
            (Body::For { .. }, Some(TaskKind::For(looped))) => {
                vec![looped.item.clone(), looped.at.clone()]
            }
            (_, Some(TaskKind::Each(each))) if frame.role == Role::Item => {
                vec![each.item.clone(), each.at.clone()]
            }
            (_, Some(TaskKind::Listen(listen))) if frame.role == Role::Item => {
                let iterator = listen.iterator.iter();
                iterator.flat_map(|names| [names.item.clone(), names.at.clone()]).collect()
            }
            (Body::Try(_), Some(TaskKind::Try(tried))) => vec![tried.catch.variable.clone()],
            _ => Vec::new(),
        };
        names.into_iter()
    }

    /// The variable `name` that `frame` binds for what runs in it.
    pub(crate) fn variable_of(&self, frame: &Frame, name: &str) -> Option<Value> {
        let task = self.task_of(frame)?;
        match (&frame.body, &task.kind) {
            (Body::Undo(state), _) => {
                let bound = state.undo.bound.iter().find(|(bound, _)| **bound == *name);
                bound.map(|(_, value)| value.clone())
            }
            (Body::For { items, index, .. }, TaskKind::For(looped)) => {
                loop_variable(name, (&looped.item, &looped.at), items, *index)
            }
            (_, TaskKind::Each(each)) if frame.role == Role::Item => {
                let items =
                    frame.parent.and_then(|parent| self.frame(parent)).and_then(each_items)?;
                loop_variable(name, (&each.item, &each.at), items, frame.iteration.unwrap_or(0))
            }
            (_, TaskKind::Listen(listen)) if frame.role == Role::Item => {
                let iterator = listen.iterator.as_ref()?;
                if *iterator.item == *name {
                    return Some(frame.input.clone());
                }
                let index = frame.iteration.and_then(|index| i64::try_from(index).ok());
                (*iterator.at == *name).then(|| index.map_or(Value::NULL, Value::from))
            }
            (Body::Try(state), TaskKind::Try(tried)) => match &state.phase {
                TryPhase::Handler(error) if *tried.catch.variable == *name => {
                    Some(error.to_value())
                }
                _ => None,
            },
            _ => None,
        }
    }
}

impl Environment for Scene<'_> {
    fn variable(&self, name: &str) -> Option<Value> {
        match name {
            "context" => Some(self.context()),
            "input" => self.input.clone().or(Some(Value::NULL)),
            "output" => self.output.clone().or(Some(Value::NULL)),
            "secrets" => Some(self.secrets(&Reads::All)),
            "task" => Some(self.task_descriptor()),
            "workflow" => Some(self.execution.descriptor.clone()),
            "runtime" => Some(runtime_descriptor()),
            "authorization" => Some(self.authorization()),
            scoped => self.scoped(scoped),
        }
    }

    fn members(&self, name: &str, reads: &Reads) -> Option<Value> {
        if name == "secrets" { Some(self.secrets(reads)) } else { self.variable(name) }
    }

    fn now_ms(&self) -> i64 {
        self.surroundings.now.0
    }

    fn on_evaluated(&self, ticks: u64) {
        let used = &self.surroundings.ticks;
        used.set(used.get().saturating_add(ticks));
    }
}

fn each_items(frame: &Frame) -> Option<&Value> {
    match &frame.body {
        Body::Fork(Branches { kind: BranchesKind::Each { items, .. }, .. }) => Some(items),
        _ => None,
    }
}

fn loop_variable(
    name: &str,
    names: (&Arc<str>, &Arc<str>),
    items: &Value,
    index: u64,
) -> Option<Value> {
    let (item, at) = names;
    if **item == *name {
        let position = usize::try_from(index).unwrap_or(usize::MAX);
        return Some(
            items.as_array().and_then(|items| items.get(position)).cloned().unwrap_or(Value::NULL),
        );
    }
    (**at == *name).then(|| Value::from(i64::try_from(index).unwrap_or(i64::MAX)))
}

/// The error for a secret the execution may not have.
fn missing_secret(name: &str) -> Error {
    Error::new(
        ErrorType::Authorization,
        format!("the secret `{name}` is missing or may not be used"),
    )
}

/// `$runtime`
fn runtime_descriptor() -> Value {
    Value::object([
        ("name", Value::from("tutti")),
        ("version", Value::from(env!("CARGO_PKG_VERSION"))),
        ("metadata", Value::object::<&str>([])),
    ])
}

/// A date-time descriptor: `{ iso8601, epoch: { seconds, milliseconds } }`.
pub(crate) fn moment(at: Timestamp) -> Value {
    let epoch = Value::object([
        ("seconds", Value::from(at.0.div_euclid(1000))),
        ("milliseconds", Value::from(at.0)),
    ]);
    Value::object([("iso8601", Value::from(iso8601(at))), ("epoch", epoch)])
}

/// The moment as RFC 3339 text in UTC with milliseconds; the calendar's end where it lies beyond.
pub(crate) fn iso8601(at: Timestamp) -> String {
    let end = if at.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or(end);
    jiff::fmt::temporal::DateTimePrinter::new().precision(Some(3)).timestamp_to_string(&at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc() {
        let check = |milliseconds, text: &str| assert_eq!(iso8601(Timestamp(milliseconds)), text);
        check(0, "1970-01-01T00:00:00.000Z");
        check(-1, "1969-12-31T23:59:59.999Z");
        check(951_782_400_000, "2000-02-29T00:00:00.000Z");
        check(1_709_210_096_789, "2024-02-29T12:34:56.789Z");
        check(4_107_542_400_000, "2100-03-01T00:00:00.000Z");
    }
}
