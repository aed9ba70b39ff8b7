//! What comes next for a frame that is ready.

use tutti_dsl::{Call, EachBody, Process, Task, TaskId, TaskKind, Then};
use tutti_expr::Value;
use tutti_ids::{Sequence, TaskRef};
use tutti_journal::{Entry, Error, ErrorType, Flow, SuspensionReason, Timestamp};

use crate::{
    Execution,
    advance::Stepper,
    data_flow::Result,
    environment::Scene,
    extension::{After, Before},
    frame::{Body, Branches, CallPhase, ChildPhase, Ending, Frame, Role, TryPhase},
    sensitive::marked,
    undo::UndoState,
};

mod attempt;
mod call;
mod child;
mod events;
mod extension;
mod loops;
mod simple;
mod undo;

/// What was found out about a task that is about to start.
struct Opening {
    input: Value,
    due: Option<Timestamp>,
    label: Option<Value>,
}

/// A task about to start.
#[derive(Clone, Copy)]
struct Candidate {
    task: TaskId,
    parent: Sequence,
    iteration: Option<u64>,
}

impl Stepper<'_> {
    /// Decides the next thing about a frame that is ready; always records at least one entry.
    pub(crate) fn decide(&mut self, id: Sequence) {
        let Some(frame) = self.execution.frame(id) else { return };
        if let Some(completed) = frame.next_undo() {
            return self.record(Entry::UndoStarted { task: id, completed });
        }
        match (&frame.body, &frame.ending) {
            (Body::Call { phase: CallPhase::Unknown(error), .. }, _) => {
                let error = error.clone();
                self.decide_unknown(id, error);
            }
            (_, Some(ending)) => {
                let ending = ending.clone();
                self.conclude(id, ending);
            }
            (Body::Fresh, None) => self.begin(id),
            (Body::Extended, None) => self.select_extensions(id),
            (Body::Switched { .. } | Body::Emitted(_) | Body::Bypassed(_), None) => {
                self.complete(id, None);
            }
            (
                Body::List(cursor)
                | Body::Before(Before { cursor, .. })
                | Body::After(After { cursor, .. })
                | Body::Undo(UndoState { cursor, .. }),
                None,
            ) => match self.execution.task_at(cursor.list, cursor.position) {
                Some(task) => self.start_task(Candidate { task, parent: id, iteration: None }),
                None => self.complete(id, None),
            },
            (Body::For { .. }, None) => self.go_on_for(id),
            (Body::Fork(_), None) => self.go_on_branches(id),
            (Body::Try(state), None) => match &state.phase {
                TryPhase::Caught(error) => {
                    let error = error.clone();
                    self.decide_caught(id, error);
                }
                TryPhase::Undoing(error) => {
                    let error = error.clone();
                    self.record(Entry::ErrorCaught { task: id, error });
                }
                _ => match self.execution.task_at(state.cursor.list, state.cursor.position) {
                    Some(task) => self.start_task(Candidate { task, parent: id, iteration: None }),
                    None => self.complete(id, None),
                },
            },
            (Body::Call { phase: CallPhase::Done(result), .. }, None) => match result.clone() {
                Ok(_) => self.complete(id, None),
                Err(error) => self.fault(id, error),
            },
            (Body::Child { request, phase: ChildPhase::Done(result) }, None) => {
                match result.clone() {
                    Ok(_) => self.complete(id, None),
                    Err(error) => {
                        let error = child::came_from(error, request.execution);
                        self.fault(id, error);
                    }
                }
            }
            (Body::Function { output, .. }, None) => {
                match (output.is_some(), self.execution.function_of(frame)) {
                    (false, Some(task)) => {
                        self.start_task(Candidate { task, parent: id, iteration: None });
                    }
                    _ => self.complete(id, None),
                }
            }
            (
                Body::Wait { .. } | Body::Call { .. } | Body::Child { .. } | Body::Listen(_),
                None,
            ) => {}
        }
    }

    /// Ends a frame whose end was settled before and whose children are gone.
    fn conclude(&mut self, id: Sequence, ending: Ending) {
        self.join(id);
        let Some(role) = self.execution.frame(id).map(|frame| frame.role) else { return };
        let workflow = role == Role::Workflow;
        match ending {
            Ending::Fault(error) if role == Role::Undo => self.ask_about_undo(id, &error),
            Ending::Cancel if workflow => self.record(Entry::ExecutionCancelled),
            Ending::Cancel => self.record(Entry::TaskCancelled { task: id }),
            Ending::Fault(error) if workflow => self.record(Entry::ExecutionFaulted { error }),
            Ending::Fault(error) => self.record(Entry::TaskFaulted { task: id, error }),
            Ending::Finish => self.complete(id, None),
        }
    }

    /// Records that the exports of branches were joined, where there are any.
    fn join(&mut self, id: Sequence) {
        let to_join = self.execution.frame(id).is_some_and(|frame| match &frame.body {
            Body::Fork(Branches { contexts, joined, .. }) => !joined && !contexts.is_empty(),
            _ => false,
        });
        if to_join {
            self.record(Entry::BranchesJoined { task: id });
        }
    }

    /// Starts a task, or skips it; an error on the way is the task's.
    fn start_task(&mut self, candidate: Candidate) {
        let workflow = self.workflow.clone();
        let task = workflow.task(candidate.task);
        let Some(parent) = self.execution.frame(candidate.parent) else { return };
        let raw = parent.data_for_children();
        let mut scene = self.opening_scene(&candidate, task, &raw);
        let opening = match scene.is_wanted(task, &raw) {
            Ok(false) => None,
            Ok(true) => Some(scene.open(task, &raw)),
            Err(error) => Some(Err(error)),
        };
        drop(scene);
        let Candidate { parent, iteration, .. } = candidate;
        let reference = TaskRef::new(task.reference.clone());
        let Some(opening) = opening else {
            return self.record(Entry::TaskSkipped { reference, parent, iteration });
        };
        let id = self.execution.next;
        let (opening, error) = match opening {
            Ok(opening) => (Some(opening), None),
            Err(error) => (None, Some(error)),
        };
        let (input, due, label) = opening.map_or((None, None, None), |opening| {
            ((opening.input != raw).then_some(opening.input), opening.due, opening.label)
        });
        self.record(Entry::TaskStarted {
            reference,
            parent,
            iteration,
            raw: None,
            input,
            due,
            label,
        });
        if let Some(error) = error {
            self.fault(id, *error);
        }
    }

    fn opening_scene<'b>(
        &'b self,
        candidate: &Candidate,
        task: &'b Task,
        raw: &Value,
    ) -> Scene<'b> {
        let mut scene = Scene::new(self.execution, &self.surroundings, Some(candidate.parent));
        scene.task = Some(task);
        scene.raw_input = Some(raw.clone());
        if let Some(index) = candidate.iteration {
            scene.bound = self.loop_bindings(candidate.parent, index);
        }
        scene
    }

    /// Decides what a task that has just started does.
    fn begin(&mut self, id: Sequence) {
        let Some(frame) = self.execution.frame(id) else { return };
        if frame.role == Role::Workflow {
            return self.begin_workflow();
        }
        let workflow = self.workflow.clone();
        let Some(task) = frame.task.map(|task| workflow.task(task)) else { return };
        let item = frame.role == Role::Item;
        let begun = match &task.kind {
            _ if task.unsupported.is_some() => Err(Box::new(unsupported(task))),
            TaskKind::Each(each) if item => self.begin_item(id, each),
            TaskKind::Each(each) => self.begin_each(id, each),
            TaskKind::Emit(emit) => self.emit(id, emit),
            TaskKind::Listen(listen) => self.listen(id, listen),
            TaskKind::For(looped) => self.begin_for(id, looped),
            TaskKind::Set(template) => self.set(id, template),
            TaskKind::Switch(cases) => self.switch(id, task, cases),
            TaskKind::Raise(template) => self.raise(id, template),
            TaskKind::Wait(duration) => self.wait(id, duration),
            TaskKind::Try(_) => {
                self.start_attempt(id);
                Ok(())
            }
            TaskKind::Call(Call::Http(call)) => self.schedule_http(id, task, call),
            TaskKind::Call(Call::Function { arguments, .. }) => {
                self.call_function(id, arguments.as_ref())
            }
            TaskKind::Run(run) => match &run.process {
                Process::Shell(shell) => self.schedule_shell(id, task, run, shell),
                Process::Script(script) => self.schedule_script(id, task, run, script),
                Process::Workflow(child) => {
                    self.start_child(id, child, child.input.as_ref(), run.awaits)
                }
                Process::Unsupported => Err(Box::new(unsupported(task))),
            },
            TaskKind::Call(Call::Unsupported) | TaskKind::Do(_) | TaskKind::Fork(_) => {
                Err(Box::new(unsupported(task)))
            }
        };
        if let Err(error) = begun {
            self.fault(id, *error);
        }
    }

    fn begin_workflow(&mut self) {
        let workflow = self.workflow.clone();
        let Some(frame) = self.execution.frame(Sequence::FIRST) else { return };
        let raw = frame.raw.clone();
        let scene = Scene::new(self.execution, &self.surroundings, Some(Sequence::FIRST));
        let accepted = scene.accept_input(&workflow.flow, &raw).and_then(|input| {
            let due =
                workflow.timeout.as_ref().map(|timeout| scene.due(timeout, &input)).transpose()?;
            Ok((input, due))
        });
        drop(scene);
        match accepted {
            Ok((input, due)) => {
                self.record(Entry::InputAccepted { input: (input != raw).then_some(input), due });
            }
            Err(error) => self.record(Entry::ExecutionFaulted { error: error.at("/input") }),
        }
    }

    /// Ends a task well: its raw output goes through `output.as`, its schema and `export.as`.
    pub(crate) fn complete(&mut self, id: Sequence, raw: Option<Value>) {
        self.join(id);
        let Some(frame) = self.execution.frame(id) else { return };
        match frame.role {
            Role::Workflow => self.complete_workflow(),
            Role::Item if self.is_event_item(frame) => self.complete_event_item(id),
            Role::Item | Role::Undo => self.record(Entry::TaskCompleted {
                task: id,
                output: raw,
                context: None,
                then: Flow::Continue,
            }),
            Role::Task => match &frame.body {
                Body::After(After { then, .. }) => {
                    let then = *then;
                    self.record(Entry::TaskCompleted {
                        task: id,
                        output: None,
                        context: None,
                        then,
                    });
                }
                _ => self.complete_body(id, raw),
            },
        }
    }

    /// Ends what a task does; the tasks after it follow, or its end.
    fn complete_body(&mut self, id: Sequence, raw: Option<Value>) {
        let Some(frame) = self.execution.frame(id) else { return };
        let known = frame.raw_output();
        let raw = raw.unwrap_or_else(|| known.clone());
        let continues = self.execution.has_tasks_after(frame);
        let then = self.flow_after(id);
        match self.closing(id, raw.clone()) {
            Ok((output, context)) if continues => {
                let output = unless_known(output, &raw);
                let raw = unless_known(raw, &known);
                self.record(Entry::BodyCompleted { task: id, raw, output, context, then });
            }
            Ok((output, context)) => {
                let output = unless_known(output, &known);
                self.record(Entry::TaskCompleted { task: id, output, context, then });
            }
            Err(error) => self.fault(id, *error),
        }
    }

    fn closing(&self, id: Sequence, raw: Value) -> Result<(Value, Option<Value>)> {
        let Some(frame) = self.execution.frame(id) else { return Ok((raw, None)) };
        let Some(task) = self.execution.task_of(frame) else { return Ok((raw, None)) };
        let mut scene = Scene::of(self.execution, &self.surroundings, frame);
        scene.raw_output = Some(raw.clone());
        let output = scene.accept_output(&task.flow, &raw)?;
        let output = marked(output, &task.settings.sensitive);
        scene.output = Some(output.clone());
        let context = scene.accept_export(&task.flow, &output)?;
        Ok((output, context))
    }

    /// Where the flow goes after a task: its own `then`, a `switch`'s choice, or its `catch`'s.
    fn flow_after(&self, id: Sequence) -> Flow {
        let Some(frame) = self.execution.frame(id) else { return Flow::Continue };
        let Some(task) = self.execution.task_of(frame) else { return Flow::Continue };
        match (&frame.body, &task.kind) {
            (Body::Switched { then }, _) => *then,
            (Body::Try(state), TaskKind::Try(tried))
                if matches!(state.phase, TryPhase::Handler(_)) =>
            {
                flow(tried.catch.then.unwrap_or(task.then))
            }
            _ => flow(task.then),
        }
    }

    fn complete_workflow(&mut self) {
        let workflow = self.workflow.clone();
        let Some(frame) = self.execution.frame(Sequence::FIRST) else { return };
        let raw = frame.raw_output();
        let mut scene = Scene::new(self.execution, &self.surroundings, Some(Sequence::FIRST));
        scene.input = Some(frame.input.clone());
        let output = scene.accept_output(&workflow.flow, &raw);
        drop(scene);
        match output {
            Ok(output) => {
                self.record(Entry::ExecutionCompleted {
                    output: (output != raw).then_some(output),
                });
            }
            Err(error) => self.fault_workflow(error.at("/output")),
        }
    }

    /// Ends a task with an error, which gets the task as its instance unless it came from inside.
    pub(crate) fn fault(&mut self, id: Sequence, error: Error) {
        let error = match self.execution.frame(id) {
            Some(frame) if error.instance.is_empty() => {
                error.at(self.execution.reference(frame).as_str())
            }
            _ => error,
        };
        let is_try = |frame: &Frame| matches!(frame.body, Body::Try(_));
        if self.execution.frame(id).is_some_and(is_try) {
            return self.leave_try(id, error, false);
        }
        self.record(Entry::TaskFaulted { task: id, error });
    }

    /// Nobody can tell whether a call was made. A `catch` that names exactly this error gets it; else a person is asked.
    /// What is given up for another reason than an error only leaves the fact on record.
    fn decide_unknown(&mut self, id: Sequence, error: Error) {
        let Some(frame) = self.execution.frame(id) else { return };
        let error = error.at(self.execution.reference(frame).as_str());
        let raising = match &frame.ending {
            None => Some(frame),
            Some(_) => std::iter::once(frame)
                .chain(self.execution.ancestors(frame))
                .find(|around| !matches!(around.ending, Some(Ending::Cancel)))
                .filter(|around| around.ending.as_ref().is_some_and(Ending::is_fault)),
        };
        let asks_person = raising.is_some_and(|raising| !self.is_unknown_caught(raising, &error));
        if asks_person {
            self.record(Entry::IncidentRaised { task: id, error });
            self.record(Entry::ExecutionSuspended { reason: SuspensionReason::Incident });
        } else {
            self.record(Entry::CallFailed { task: id, error });
        }
    }

    fn is_unknown_caught(&self, raising: &Frame, error: &Error) -> bool {
        self.execution
            .ancestors(raising)
            .take_while(|around| !around.keeps_errors())
            .filter(|around| matches!(&around.body, Body::Try(state) if matches!(state.phase, TryPhase::Body)))
            .any(|tried| self.catches(tried, error).unwrap_or(false))
    }
}

impl Scene<'_> {
    /// Step 1: whether the task's condition holds on its raw input.
    fn is_wanted(&self, task: &Task, raw: &Value) -> Result<bool> {
        task.condition.as_ref().map_or(Ok(true), |condition| self.holds(condition, raw))
    }

    /// Steps 2 and 3, and what has to be known when a task starts.
    fn open(&mut self, task: &Task, raw: &Value) -> Result<Opening> {
        let input = self.accept_input(&task.flow, raw)?;
        self.input = Some(input.clone());
        let mut due = task.timeout.as_ref().map(|timeout| self.due(timeout, &input)).transpose()?;
        if let TaskKind::Try(tried) = &task.kind
            && let Some(limit) =
                tried.catch.retry.as_ref().and_then(|retry| retry.limit_total.as_ref())
        {
            let limit = self.due(limit, &input)?;
            due = Some(due.map_or(limit, |due| due.min(limit)));
        }
        let label =
            task.settings.label.as_ref().map(|label| self.evaluate(label, &input)).transpose()?;
        Ok(Opening { input, due, label: label.as_ref().map(shortened) })
    }
}

/// A label is a string of at most 120 characters.
fn shortened(label: &Value) -> Value {
    const LONGEST: usize = 120;
    let tainted = label.is_tainted();
    let text = label.as_str().map_or_else(|| label.to_json(), str::to_owned);
    let text = Value::from(text.chars().take(LONGEST).collect::<String>());
    if tainted { text.tainted() } else { text }
}

impl Execution {
    fn task_at(&self, list: tutti_dsl::ListId, position: usize) -> Option<TaskId> {
        self.workflow.list(list).tasks.get(position).copied()
    }

    /// The task of the function that a frame calls.
    fn function_of(&self, frame: &Frame) -> Option<TaskId> {
        match &self.task_of(frame)?.kind {
            TaskKind::Call(Call::Function { task, .. }) => Some(*task),
            TaskKind::Each(each) => match &each.body {
                EachBody::Function(task) => Some(*task),
                EachBody::Do(_) | EachBody::Workflow(_) => None,
            },
            _ => None,
        }
    }
}

/// A directive of the document as a fact.
pub(crate) fn flow(then: Then) -> Flow {
    match then {
        Then::Continue => Flow::Continue,
        Then::Exit => Flow::Exit,
        Then::End => Flow::End,
        Then::Jump(position) => Flow::Jump(u32::try_from(position).unwrap_or(u32::MAX)),
    }
}

/// A value where it has to be recorded: it, or what of it is secret, differs from what is known.
fn unless_known(value: Value, known: &Value) -> Option<Value> {
    (value != *known || value.is_tainted() != known.is_tainted()).then_some(value)
}

fn unsupported(task: &Task) -> Error {
    let reason = task.unsupported.as_deref().unwrap_or("this version does not execute this task");
    Error::new(ErrorType::Configuration, reason.to_owned())
}
