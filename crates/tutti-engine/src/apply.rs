//! How entries change state. Total on every entry that `step` can make; evaluates nothing.

use std::collections::BTreeMap;

use tutti_dsl::{Each, EachBody, MaxFailed, OnError, TaskId, TaskKind};
use tutti_expr::Value;
use tutti_ids::{Sequence, TaskRef};
use tutti_journal::{Entry, Error, ErrorType, Flow, Resolution, SuspensionReason, Timestamp};

use crate::{
    child::ChildRequest,
    environment::moment,
    execution::{Execution, Outcome},
    frame::{
        Body, Branches, BranchesKind, CallPhase, ChildPhase, Cursor, Ending, Frame, KeyRing, Role,
        TryPhase, TryState,
    },
};

impl Execution {
    /// Folds one entry, decided at `at`, into the state: the only way state changes.
    pub fn apply(&mut self, at: Timestamp, entry: &Entry) {
        let sequence = self.next;
        let front = self.ready.front().copied();
        self.next = sequence.next();
        self.updated_at = at;
        match entry {
            Entry::ExecutionStarted { seed, input, parent, .. } => {
                self.seed = *seed;
                self.parent = *parent;
                self.started_at = at;
                self.begin(at, input);
            }
            Entry::InputAccepted { input, due } => self.on_input_accepted(input.as_ref(), *due),
            Entry::TaskStarted { reference, parent, iteration, raw, input, due, .. } => {
                let started =
                    Started { id: sequence, at, reference, parent: *parent, iteration: *iteration };
                self.on_task_started(&started, raw.as_ref(), input.as_ref(), *due);
            }
            Entry::TaskSkipped { reference, parent, iteration } => {
                self.on_skipped(reference, *parent, *iteration);
            }
            Entry::TaskCompleted { task, output, context, then } => {
                self.on_completed(*task, output.as_ref(), context.as_ref(), *then);
            }
            Entry::TaskFaulted { task, error } => self.on_faulted(*task, error),
            Entry::TaskCancelled { task } => self.on_cancelled(*task),
            Entry::TaskTimedOut { task, error } => self.on_timed_out(*task, error),
            Entry::CaseSelected { task, then, .. } => {
                self.set_body(*task, Body::Switched { then: *then });
            }
            Entry::FunctionCalled { task, input } => self.on_function_called(*task, input.as_ref()),
            Entry::LoopStarted { task, items, limit } => self.on_loop_started(*task, items, *limit),
            Entry::ItemStarted { task, index } => self.on_item_started(sequence, at, *task, *index),
            Entry::BranchesJoined { task } => self.on_joined(*task),
            Entry::WaitStarted { task, due } => self.set_body(*task, Body::Wait { due: *due }),
            Entry::RetryScheduled { .. }
            | Entry::RetryStarted { .. }
            | Entry::ErrorCaught { .. } => {
                self.apply_to_try(entry);
            }
            Entry::ExecutionSuspended { reason } => self.suspended = Some((reason.clone(), at)),
            Entry::ExecutionResumed => self.on_resumed(at),
            Entry::CancelRequested { .. } => self.end_frame(Sequence::FIRST, Ending::Cancel),
            Entry::Rewound { .. } => {}
            Entry::ExecutionCompleted { output } => {
                let last = self.frame(Sequence::FIRST).map_or(Value::NULL, Frame::raw_output);
                self.finish(Outcome::Completed(output.clone().unwrap_or(last)));
            }
            Entry::ExecutionFaulted { error } => self.finish(Outcome::Faulted(error.clone())),
            Entry::ExecutionCancelled => self.finish(Outcome::Cancelled),
            call_or_child => self.apply_to_call(call_or_child),
        }
        self.drop_stale_ready();
        self.take_turns(front);
    }

    fn begin(&mut self, at: Timestamp, input: &Value) {
        self.descriptor = Value::object([
            ("id", Value::from(self.id.to_string())),
            ("definition", self.workflow.definition.clone()),
            ("input", input.clone()),
            ("startedAt", moment(at)),
        ]);
        let frame = Frame {
            id: Sequence::FIRST,
            parent: None,
            task: None,
            role: Role::Workflow,
            iteration: None,
            started_at: at,
            raw: input.clone(),
            input: input.clone(),
            due: None,
            children: 0,
            ending: None,
            context: Some(Value::object::<&str>([])),
            body: Body::Fresh,
            queued: false,
        };
        self.insert(frame);
    }

    fn on_input_accepted(&mut self, input: Option<&Value>, due: Option<Timestamp>) {
        let root = self.workflow.root;
        self.touch(Sequence::FIRST, |frame| {
            if let Some(input) = input {
                frame.input = input.clone();
            }
            frame.due = due;
            frame.body = Body::List(Cursor::new(root, frame.input.clone()));
        });
    }

    fn on_task_started(
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
        let body = self.first_body(task, &input, started.parent);
        self.insert(Frame {
            id: started.id,
            parent: Some(started.parent),
            task: Some(task),
            role: Role::Task,
            iteration: started.iteration,
            started_at: started.at,
            raw,
            input,
            due,
            children: 0,
            ending: None,
            context,
            body,
            queued: false,
        });
    }

    /// How a task's body begins, as far as the document alone says.
    fn first_body(&self, task: TaskId, input: &Value, parent: Sequence) -> Body {
        let task = self.workflow.task(task);
        match &task.kind {
            _ if task.unsupported.is_some() => Body::Fresh,
            TaskKind::Do(list) => Body::List(Cursor::new(*list, input.clone())),
            TaskKind::Fork(fork) => {
                let kind = BranchesKind::Fork { compete: fork.compete };
                let width = self.workflow.list(fork.branches).tasks.len();
                Body::Fork(Branches::new(kind, width, self.context_of(parent)))
            }
            TaskKind::Try(tried) if tried.limits_attempts() => Body::Fresh,
            TaskKind::Try(tried) => Body::Try(TryState::new(tried.body, input.clone())),
            _ => Body::Fresh,
        }
    }

    /// A task that starts in another turn of a `for` than the one before begins that turn.
    fn enter_iteration(&mut self, parent: Sequence, iteration: Option<u64>) {
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

    fn note_branch_started(&mut self, parent: Sequence, task: TaskId) {
        let position = self.branch_position(parent, task);
        self.touch(parent, |frame| {
            if let (Body::Fork(branches), Some(position)) = (&mut frame.body, position) {
                branches.next = branches.next.max(position + 1);
            }
        });
    }

    /// Which branch of the fork `parent` the task is.
    fn branch_position(&self, parent: Sequence, task: TaskId) -> Option<usize> {
        let fork = self.task_of(self.frame(parent)?)?;
        let TaskKind::Fork(fork) = &fork.kind else { return None };
        self.workflow.list(fork.branches).tasks.iter().position(|branch| *branch == task)
    }

    fn on_skipped(&mut self, reference: &TaskRef, parent: Sequence, iteration: Option<u64>) {
        self.enter_iteration(parent, iteration);
        let task = self.workflow.find(reference.as_str());
        let branch = task.and_then(|task| self.branch_position(parent, task));
        self.touch(parent, |frame| {
            let data = frame.data_for_children();
            match (&mut frame.body, branch) {
                (Body::Fork(branches), Some(branch)) => {
                    branches.next = branches.next.max(branch + 1);
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
    }

    fn on_completed(
        &mut self,
        task: Sequence,
        output: Option<&Value>,
        context: Option<&Value>,
        then: Flow,
    ) {
        let Some(frame) = self.frame(task) else { return };
        let output = output.cloned().unwrap_or_else(|| frame.raw_output());
        if let Some(context) = context {
            let owner = self.context_owner(frame);
            self.touch(owner, |frame| frame.context = Some(context.clone()));
        }
        let Some(frame) = self.remove(task) else { return };
        let Some(parent) = frame.parent else { return };
        if then == Flow::End {
            return self.end_workflow(output);
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
    }

    /// The flow said `end`: everything else is given up and the workflow completes with this output.
    fn end_workflow(&mut self, output: Value) {
        self.touch(Sequence::FIRST, |root| {
            if let Body::List(cursor) = &mut root.body {
                cursor.data = output;
            }
        });
        self.end_frame(Sequence::FIRST, Ending::Finish);
    }

    fn finish_fork_if_won(&mut self, fork: Sequence, branch: Option<usize>) {
        let mut won = false;
        self.touch(fork, |frame| {
            if let Body::Fork(branches) = &mut frame.body
                && matches!(branches.kind, BranchesKind::Fork { compete: true })
                && branches.winner.is_none()
                && frame.ending.is_none()
            {
                branches.winner = branch;
                won = true;
            }
        });
        if won {
            self.end_frame(fork, Ending::Finish);
        }
    }

    fn on_faulted(&mut self, task: Sequence, error: &Error) {
        let Some(frame) = self.remove(task) else { return };
        let Some(parent) = frame.parent else { return };
        self.hand_keys_up(&frame);
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

    /// The attempt of a `try` whose task is interrupted is over: its own timer has nothing more to interrupt.
    fn on_timed_out(&mut self, task: Sequence, error: &Error) {
        if let Some(parent) = self.frame(task).and_then(|frame| frame.parent) {
            self.touch(parent, |around| {
                if let Body::Try(state) = &mut around.body {
                    state.attempt_due = None;
                }
            });
        }
        self.end_frame(task, Ending::Fault(error.clone()));
    }

    fn on_cancelled(&mut self, task: Sequence) {
        let Some(frame) = self.remove(task) else { return };
        let Some(parent) = frame.parent else { return };
        self.hand_keys_up(&frame);
        let branch = self.position_in(parent, &frame);
        self.touch(parent, |around| {
            if let (Body::Fork(branches), Some(branch)) = (&mut around.body, branch) {
                branches.contexts.extend(frame.context.map(|context| (branch, context)));
            }
        });
    }

    /// The key of a call that failed, or whose outcome is unknown, goes to the innermost `try` around it: a re-run
    /// takes it over.
    fn hand_keys_up(&mut self, frame: &Frame) {
        let mut keys = KeyRing::new();
        match (&frame.body, frame.task) {
            // One that ended well is over: whoever runs the task again makes a new call.
            (Body::Call { phase: CallPhase::Done(Ok(_)), .. }, _) => return,
            (Body::Call { record, .. }, Some(task)) => {
                keys.insert(
                    (task, self.iteration_path(frame)),
                    (record.key.clone(), record.attempt),
                );
            }
            (Body::Try(state), _) => keys.clone_from(&state.keys),
            _ => return,
        }
        let holder = self.ancestors(frame).find(|around| {
            matches!(&around.body, Body::Try(state) if matches!(state.phase, TryPhase::Body | TryPhase::Caught(_)))
        });
        if let Some(holder) = holder.map(|holder| holder.id) {
            self.touch(holder, |frame| {
                if let Body::Try(state) = &mut frame.body {
                    state.keys.append(&mut keys);
                }
            });
        }
    }

    fn on_function_called(&mut self, task: Sequence, input: Option<&Value>) {
        self.touch(task, |frame| {
            let input = input.cloned().unwrap_or_else(|| frame.input.clone());
            frame.body = Body::Function { input, output: None };
        });
    }

    fn on_loop_started(&mut self, task: Sequence, items: &Value, limit: Option<u64>) {
        let Some(kind) =
            self.frame(task).and_then(|frame| self.task_of(frame)).map(|task| &task.kind)
        else {
            return;
        };
        let count = items.as_array().map_or(0, <[Value]>::len);
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let each = |each: &Each| BranchesKind::Each {
            items: items.clone(),
            limit,
            collect: each.on_error == OnError::Collect,
            allowed_failures: allowed_failures(each.max_failed, count),
        };
        let body = match kind {
            TaskKind::For(looped) => {
                let input = self.frame(task).map_or(Value::NULL, |frame| frame.input.clone());
                Body::For {
                    items: items.clone(),
                    index: 0,
                    entered: false,
                    cursor: Cursor::new(looped.body, input),
                }
            }
            TaskKind::Each(repeated) => {
                Body::Fork(Branches::new(each(repeated), count, self.context_of(task)))
            }
            _ => return,
        };
        self.set_body(task, body);
    }

    fn on_item_started(&mut self, id: Sequence, at: Timestamp, parent: Sequence, index: u64) {
        let Some(each) = self.frame(parent) else { return };
        let Some(task) = each.task else { return };
        let TaskKind::Each(repeated) = &self.workflow.task(task).kind else { return };
        let position = usize::try_from(index).unwrap_or(usize::MAX);
        let item = match &each.body {
            Body::Fork(Branches { kind: BranchesKind::Each { items, .. }, .. }) => items
                .as_array()
                .and_then(|items| items.get(position))
                .cloned()
                .unwrap_or(Value::NULL),
            _ => return,
        };
        let body = match &repeated.body {
            EachBody::Do(list) => Body::List(Cursor::new(*list, item.clone())),
            EachBody::Function(_) | EachBody::Workflow(_) => Body::Fresh,
        };
        let context = Some(self.context_of(parent));
        self.touch(parent, |frame| {
            if let Body::Fork(branches) = &mut frame.body {
                branches.next = branches.next.max(position.saturating_add(1));
            }
        });
        self.insert(Frame {
            id,
            parent: Some(parent),
            task: Some(task),
            role: Role::Item,
            iteration: Some(index),
            started_at: at,
            raw: item.clone(),
            input: item,
            due: None,
            children: 0,
            ending: None,
            context,
            body,
            queued: false,
        });
    }

    /// Applies what each branch changed in its `$context` to the surrounding one, in declaration order.
    fn on_joined(&mut self, task: Sequence) {
        let Some(frame) = self.frame(task) else { return };
        let owner = self.context_owner(frame);
        let mut context = self.context_of(task);
        self.touch(task, |frame| {
            if let Body::Fork(branches) = &mut frame.body {
                branches.joined = true;
                let contexts = std::mem::take(&mut branches.contexts);
                let counts =
                    |branch: &usize| branches.winner.is_none_or(|winner| winner == *branch);
                for (_, changed) in contexts.iter().filter(|(branch, _)| counts(branch)) {
                    context = merge_changes(&branches.base, changed, &context);
                }
            }
        });
        self.touch(owner, |frame| frame.context = Some(context));
    }

    fn apply_to_try(&mut self, entry: &Entry) {
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

    fn apply_to_call(&mut self, entry: &Entry) {
        match entry {
            Entry::CallScheduled { task, call } => {
                self.forget_key(*task);
                self.set_body(
                    *task,
                    Body::Call { record: call.clone(), phase: CallPhase::Scheduled },
                );
            }
            Entry::CallDispatched { task } => self.set_phase(*task, CallPhase::Dispatched),
            Entry::CallCompleted { task, output } => self.settle(*task, Ok(output.clone())),
            Entry::CallFailed { task, error } => {
                if error.is(ErrorType::OutcomeUnknown) {
                    self.replace_ending(*task, error);
                }
                self.settle(*task, Err(error.clone()));
            }
            Entry::CallOutcomeUnknown { task, error, probed: false } => {
                self.set_phase(*task, CallPhase::Probing(error.clone()));
            }
            Entry::CallOutcomeUnknown { task, error, probed: true } => {
                self.set_phase(*task, CallPhase::Unknown(error.clone()));
            }
            Entry::CallRescheduled { task } => self.reschedule(*task),
            Entry::ChildStarted { task, execution, definition, input, awaited, digest } => {
                let depth = self.parent.map_or(0, |parent| parent.depth) + 1;
                let request = ChildRequest {
                    execution: *execution,
                    definition: definition.clone(),
                    digest: *digest,
                    input: input.clone(),
                    parent: tutti_journal::Parent {
                        execution: self.id,
                        task: *task,
                        depth,
                        awaits: *awaited,
                    },
                };
                self.set_body(*task, Body::Child { request, phase: ChildPhase::Requested });
            }
            Entry::ChildDetached { task } => self.touch(*task, |frame| {
                let input = frame.input.clone();
                if let Body::Child { phase, .. } = &mut frame.body {
                    *phase = ChildPhase::Done(Ok(input));
                }
            }),
            Entry::IncidentRaised { task, error } => {
                self.set_phase(*task, CallPhase::Incident(error.clone()));
            }
            Entry::IncidentResolved { task, resolution } => self.on_resolved(*task, resolution),
            _ => {}
        }
    }

    fn settle(&mut self, task: Sequence, result: Result<Value, Error>) {
        self.touch(task, |frame| match &mut frame.body {
            Body::Call { phase, .. } => *phase = CallPhase::Done(result),
            Body::Child { phase, .. } => *phase = ChildPhase::Done(result),
            _ => {}
        });
    }

    fn on_resolved(&mut self, task: Sequence, resolution: &Resolution) {
        match resolution {
            Resolution::Retry => self.reschedule(task),
            Resolution::Complete { output } => self.settle(task, Ok(output.clone())),
            Resolution::Fault => {
                let error = self.frame(task).and_then(|frame| match &frame.body {
                    Body::Call { phase: CallPhase::Incident(error), .. } => Some(error.clone()),
                    _ => None,
                });
                let error = error
                    .unwrap_or_else(|| Error::new(ErrorType::OutcomeUnknown, "outcome unknown"));
                self.replace_ending(task, &error);
                self.settle(task, Err(error));
            }
        }
    }

    /// An error raised by a call that was being given up takes the place of the error it was given up for.
    fn replace_ending(&mut self, task: Sequence, error: &Error) {
        let Some(frame) = self.frame(task) else { return };
        let mut around = Vec::from([task]);
        around.extend(self.ancestors(frame).map(|around| around.id));
        let raising = around.into_iter().find(|id| {
            self.frame(*id).and_then(|frame| frame.ending.as_ref()).is_some_and(Ending::is_fault)
        });
        if let Some(raising) = raising {
            self.touch(raising, |frame| frame.ending = Some(Ending::Fault(error.clone())));
        }
    }

    fn reschedule(&mut self, task: Sequence) {
        self.touch(task, |frame| {
            if let Body::Call { record, phase } = &mut frame.body {
                record.attempt += 1;
                *phase = CallPhase::Scheduled;
            }
        });
    }

    /// The re-run of a failed call has taken over its key.
    fn forget_key(&mut self, task: Sequence) {
        let Some(frame) = self.frame(task) else { return };
        let Some(id) = frame.task else { return };
        let key = (id, self.iteration_path(frame));
        let holder = self.ancestors(frame).find(
            |around| matches!(&around.body, Body::Try(state) if state.keys.contains_key(&key)),
        );
        let holder = holder.map(|holder| holder.id);
        self.handed_keys.remove(&key);
        if let Some(holder) = holder {
            self.touch(holder, |frame| {
                if let Body::Try(state) = &mut frame.body {
                    state.keys.remove(&key);
                }
            });
        }
    }

    /// Timers stood still while the execution was suspended.
    fn on_resumed(&mut self, at: Timestamp) {
        let Some((reason, since)) = self.suspended.take() else { return };
        let pause = at.ms_since(since);
        debug_assert!(matches!(reason, SuspensionReason::Control | SuspensionReason::Incident));
        let ids: Vec<Sequence> = self.timers.iter().map(|(_, id)| *id).collect();
        let later = |due: &mut Timestamp| *due = due.plus_ms(pause);
        for id in ids.into_iter().collect::<std::collections::BTreeSet<_>>() {
            self.touch(id, |frame| {
                frame.due.iter_mut().for_each(later);
                match &mut frame.body {
                    Body::Wait { due } => later(due),
                    Body::Try(state) => {
                        state.attempt_due.iter_mut().for_each(later);
                        if let TryPhase::Delay { due } = &mut state.phase {
                            later(due);
                        }
                    }
                    _ => {}
                }
            });
        }
    }

    fn finish(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
        self.frames = BTreeMap::new();
        self.ready.clear();
        self.external.clear();
        self.timers.clear();
        self.suspended = None;
    }

    /// A frame will end so; whatever runs in it is given up.
    fn end_frame(&mut self, id: Sequence, ending: Ending) {
        let mut inside: Vec<Sequence> = Vec::new();
        for (candidate, frame) in self.frames.range(id..) {
            let around = frame
                .parent
                .is_some_and(|parent| parent == id || inside.binary_search(&parent).is_ok());
            if *candidate != id && around {
                inside.push(*candidate);
            }
        }
        for descendant in inside {
            self.touch(descendant, |frame| frame.ending = Some(Ending::Cancel));
        }
        self.touch(id, |frame| frame.ending = Some(ending));
    }

    fn set_body(&mut self, id: Sequence, body: Body) {
        self.touch(id, |frame| frame.body = body);
    }

    fn set_phase(&mut self, id: Sequence, next: CallPhase) {
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

    fn list_length(&self, id: Sequence) -> usize {
        let list = self.frame(id).and_then(|frame| frame.body.cursor()).map(|cursor| cursor.list);
        list.map_or(0, |list| self.workflow.list(list).tasks.len())
    }

    /// Which branch or item of `parent` the frame was.
    fn position_in(&self, parent: Sequence, frame: &Frame) -> Option<usize> {
        match frame.role {
            Role::Item => frame.iteration.and_then(|index| usize::try_from(index).ok()),
            Role::Task => self.branch_position(parent, frame.task?),
            Role::Workflow => None,
        }
    }

    fn insert(&mut self, frame: Frame) {
        let (id, parent) = (frame.id, frame.parent);
        self.timers.extend(frame.due_times().map(|due| (due, id)));
        self.frames.insert(id, frame);
        if let Some(parent) = parent {
            self.touch(parent, |around| around.children += 1);
        }
        self.refresh(id);
    }

    fn remove(&mut self, id: Sequence) -> Option<Frame> {
        let frame = self.frames.remove(&id)?;
        for due in frame.due_times() {
            self.timers.remove(&(due, id));
        }
        self.external.remove(&id);
        if let Some(parent) = frame.parent {
            self.touch(parent, |around| around.children = around.children.saturating_sub(1));
        }
        Some(frame)
    }

    /// Changes a frame and keeps the indexes over frames true.
    fn touch(&mut self, id: Sequence, change: impl FnOnce(&mut Frame)) {
        let Some(frame) = self.frames.get_mut(&id) else { return };
        for due in frame.due_times() {
            self.timers.remove(&(due, id));
        }
        change(frame);
        self.timers.extend(frame.due_times().map(|due| (due, id)));
        self.refresh(id);
    }

    fn refresh(&mut self, id: Sequence) {
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
    fn take_turns(&mut self, front: Option<Sequence>) {
        if self.ready.len() > 1 && self.ready.front().copied() == front {
            self.ready.rotate_left(1);
            self.drop_stale_ready();
        }
    }

    /// The front of the queue is always a frame that is ready, so that deciding needs no change of state.
    fn drop_stale_ready(&mut self) {
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

/// What the entry of a start says.
struct Started<'a> {
    id: Sequence,
    at: Timestamp,
    reference: &'a TaskRef,
    parent: Sequence,
    iteration: Option<u64>,
}

impl Body {
    pub(crate) fn cursor(&self) -> Option<&Cursor> {
        match self {
            Self::List(cursor) | Self::For { cursor, .. } => Some(cursor),
            Self::Try(state) => Some(&state.cursor),
            _ => None,
        }
    }

    fn cursor_mut(&mut self) -> Option<&mut Cursor> {
        match self {
            Self::List(cursor) | Self::For { cursor, .. } => Some(cursor),
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

impl Branches {
    /// The error these branches end with now that one of them ended with `error`, if they do.
    fn fatal_error(&self, error: &Error) -> Option<Error> {
        match &self.kind {
            BranchesKind::Fork { compete: false } | BranchesKind::Each { collect: false, .. } => {
                Some(error.clone())
            }
            BranchesKind::Fork { compete: true } => {
                let errors = || {
                    self.results
                        .iter()
                        .map(|result| result.as_ref().and_then(|result| result.as_ref().err()))
                };
                errors()
                    .all(|error| error.is_some())
                    .then(|| errors().flatten().next().cloned())
                    .flatten()
            }
            BranchesKind::Each { allowed_failures, .. } => {
                (self.failed > *allowed_failures).then(|| error.clone())
            }
        }
    }
}

fn allowed_failures(max_failed: Option<MaxFailed>, count: usize) -> usize {
    match max_failed {
        None => usize::MAX,
        Some(MaxFailed::Count(allowed)) => usize::try_from(allowed).unwrap_or(usize::MAX),
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of at most 100,000 items, rounded down"
        )]
        Some(MaxFailed::Percent(percent)) => (count as f64 * percent / 100.0).max(0.0) as usize,
    }
}

/// `current` with the top-level keys that `changed` set, altered or removed compared with `base`.
fn merge_changes(base: &Value, changed: &Value, current: &Value) -> Value {
    let (Some(before), Some(after), Some(now)) =
        (base.as_object(), changed.as_object(), current.as_object())
    else {
        return changed.clone();
    };
    let kept = now.iter().filter(|(key, _)| before.get(key).is_none() || after.get(key).is_some());
    let altered = after.iter().filter(|(key, value)| before.get(key) != Some(*value));
    Value::object(kept.chain(altered).map(|(key, value)| (key.clone(), value.clone())))
}
