//! What starting and ending of tasks does to the tree.

use tutti_dsl::{TaskId, TaskKind};
use tutti_expr::Value;
use tutti_ids::{Sequence, TaskRef};
use tutti_journal::{Error, Flow, Timestamp};

use crate::{
    execution::Execution,
    frame::{Body, Branches, BranchesKind, Cursor, Ending, Frame, Role, TryPhase, TryState},
};

impl Execution {
    pub(super) fn on_task_started(
        &mut self,
        started: &Started<'_>,
        raw: Option<&Value>,
        input: Option<&Value>,
        due: Option<Timestamp>,
    ) {
        let Some(task) = self.workflow.find(started.reference.as_str()) else { return };
        self.enter_iteration(started.parent, started.iteration);
        let Some(parent) = self.frame(started.parent) else { return };
        let raw = raw.cloned().unwrap_or_else(|| parent.data_for_children());
        let is_branch = matches!(parent.body, Body::Fork(_)) && parent.role == Role::Task;
        let context = is_branch.then(|| self.context_of(started.parent));
        let input = input.cloned().unwrap_or_else(|| raw.clone());
        self.note_branch_started(started.parent, task);
        let extended = !self.workflow.task(task).extensions.is_empty()
            && !self.is_in_extension(started.parent);
        let body =
            if extended { Body::Extended } else { self.first_body(task, &input, started.parent) };
        self.insert(Frame {
            parent: Some(started.parent),
            task: Some(task),
            iteration: started.iteration,
            due,
            context,
            raw,
            ..Frame::new(started.id, started.at, Role::Task, input, body)
        });
    }

    /// How a task's body begins, as far as the document alone says; branches begin with the context `around` sees.
    pub(super) fn first_body(&self, task: TaskId, input: &Value, around: Sequence) -> Body {
        let task = self.workflow.task(task);
        match &task.kind {
            _ if task.unsupported.is_some() => Body::Fresh,
            TaskKind::Do(list) => Body::List(Cursor::new(*list, input.clone())),
            TaskKind::Fork(fork) => {
                let kind = BranchesKind::Fork { compete: fork.compete };
                let width = self.workflow.list(fork.branches).tasks.len();
                Body::Fork(Branches::new(kind, width, self.context_of(around)))
            }
            TaskKind::Try(tried) if tried.limits_attempts() => Body::Fresh,
            TaskKind::Try(tried) => Body::Try(TryState::new(tried.body, input.clone())),
            _ => Body::Fresh,
        }
    }

    /// A task that starts in another turn of a `for` than the one before begins that turn.
    pub(super) fn enter_iteration(&mut self, parent: Sequence, iteration: Option<u64>) {
        let Some(iteration) = iteration else { return };
        self.touch(parent, |frame| {
            let Body::For { index, entered, cursor, .. } = &mut frame.body else { return };
            *entered = true;
            if *index != iteration {
                *index = iteration;
                cursor.position = 0;
            }
        });
    }

    pub(super) fn on_skipped(
        &mut self,
        reference: &TaskRef,
        parent: Sequence,
        iteration: Option<u64>,
    ) {
        self.enter_iteration(parent, iteration);
        let task = self.workflow.find(reference.as_str());
        let branch = task.and_then(|task| self.branch_position(parent, task));
        self.touch(parent, |frame| {
            let data = frame.data_for_children();
            match (&mut frame.body, branch) {
                (Body::Fork(branches), Some(branch)) => {
                    branches.begin(branch);
                    branches.results[branch] = Some(Ok(data));
                }
                (Body::Function { output, input }, _) => *output = Some(input.clone()),
                (body, _) => {
                    if let Some(cursor) = body.cursor_mut() {
                        cursor.position += 1;
                    }
                }
            }
        });
        self.finish_fork_if_won(parent, branch);
        self.go_on_around(parent);
    }

    pub(super) fn on_completed(
        &mut self,
        sequence: Sequence,
        task: Sequence,
        output: Option<&Value>,
        context: Option<&Value>,
        then: Flow,
    ) {
        let Some(frame) = self.frame(task) else { return };
        let output = output.cloned().unwrap_or_else(|| frame.raw_output());
        self.export(task, context);
        self.note_undo(sequence, task, &output);
        let Some(mut frame) = self.remove(task) else { return };
        let Some(parent) = frame.parent else { return };
        if frame.role == Role::Undo {
            // What undoing did is not undone in its turn.
            return;
        }
        self.hand_undos_up(parent, &mut frame.undos);
        if then == Flow::End {
            return match self.undoing(parent) {
                Some(undo) => self.end_frame(undo, Ending::Finish),
                None => self.end_workflow(output),
            };
        }
        if self.is_bypassed(parent, then, &output) {
            return;
        }
        let length = self.list_length(parent);
        let branch = self.position_in(parent, &frame);
        self.touch(parent, |around| match &mut around.body {
            Body::Fork(branches) => {
                if let Some(branch) = branch {
                    branches.results[branch] = Some(Ok(output));
                    branches.contexts.extend(frame.context.map(|context| (branch, context)));
                }
            }
            Body::Function { output: slot, .. } => *slot = Some(output),
            Body::Listen(state) => {
                state.current = None;
                state.keep(output);
            }
            body => {
                if let Some(cursor) = body.cursor_mut() {
                    cursor.data = output;
                    cursor.position = match then {
                        Flow::Continue => cursor.position + 1,
                        Flow::Jump(position) => position as usize,
                        Flow::Exit | Flow::End => length,
                    };
                }
            }
        });
        self.finish_fork_if_won(parent, branch);
        self.go_on_around(parent);
    }

    /// The context that the task exports, where it does.
    pub(super) fn export(&mut self, task: Sequence, context: Option<&Value>) {
        let (Some(context), Some(frame)) = (context, self.frame(task)) else { return };
        let owner = self.context_owner(frame);
        self.touch(owner, |frame| frame.context = Some(context.clone()));
    }

    /// The flow said `end`: everything else is given up and the workflow completes with this output.
    pub(super) fn end_workflow(&mut self, output: Value) {
        self.touch(Sequence::FIRST, |root| {
            if let Body::List(cursor) = &mut root.body {
                cursor.data = output;
            }
        });
        self.end_frame(Sequence::FIRST, Ending::Finish);
    }

    pub(super) fn on_faulted(&mut self, task: Sequence, error: &Error) {
        let Some(mut frame) = self.remove(task) else { return };
        let Some(parent) = frame.parent else { return };
        self.hand_keys_up(&frame);
        self.hand_undos_up(parent, &mut frame.undos);
        let branch = self.position_in(parent, &frame);
        let mut fatal = None;
        self.touch(parent, |around| match &mut around.body {
            Body::Fork(branches) => {
                if let Some(branch) = branch {
                    branches.results[branch] = Some(Err(error.clone()));
                    branches.failed += 1;
                    branches.contexts.extend(frame.context.map(|context| (branch, context)));
                }
                fatal = branches.fatal_error(error);
            }
            Body::Try(state)
                if matches!(state.phase, TryPhase::Body) && around.ending.is_none() =>
            {
                state.phase = TryPhase::Caught(error.clone());
                state.attempt_due = None;
            }
            _ => fatal = Some(error.clone()),
        });
        if let Some(error) = fatal
            && self.frame(parent).is_some_and(|around| around.ending.is_none())
        {
            self.end_frame(parent, Ending::Fault(error));
        }
    }

    pub(super) fn on_cancelled(&mut self, task: Sequence) {
        let Some(mut frame) = self.remove(task) else { return };
        let Some(parent) = frame.parent else { return };
        self.hand_keys_up(&frame);
        self.hand_undos_up(parent, &mut frame.undos);
        let branch = self.position_in(parent, &frame);
        self.touch(parent, |around| {
            if let (Body::Fork(branches), Some(branch)) = (&mut around.body, branch) {
                branches.contexts.extend(frame.context.map(|context| (branch, context)));
            }
        });
    }
}

/// What the entry of a start says.
pub(super) struct Started<'a> {
    pub(super) id: Sequence,
    pub(super) at: Timestamp,
    pub(super) reference: &'a TaskRef,
    pub(super) parent: Sequence,
    pub(super) iteration: Option<u64>,
}
